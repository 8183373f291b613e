"""The bench file: points of a run become a flow-bench protocol whose numbers agree with each other."""

import json
from decimal import Decimal
from typing import Any

import pytest

from node.exchange.bench import BenchReport, check_bench, read_bench
from node.exchange.errors import BenchError, ColumnError, ExchangeError, TableError
from node.exchange.tables import write_csv
from node.passport.catalogs import load_types
from tests.unit.exchange.test_production import LINES

RUN: dict[str, Any] = {
    "protocol_no": "ПР-1",
    "started_at": "2026-05-14T09:12:00+05:00",
    "finished_at": "2026-05-14T09:41:30+05:00",
    "designation": "БВ-15Д",
    "execution": "БВ-15Д-80-Р868",
    "serial": "№ 01234567",
    "year": "2026",
    "batch": "П-1",
    "bench_name": "УП-Демо",
    "bench_serial": "003",
    "method": "Весовой",
    "position": 4,
    "operator": "Оператор 12",
    "t_air": 21.5,
    "pressure": "98,6",
    "humidity": 46,
    "stage": "после настройки",
    "last_reading": "0,1146",
    "points": [
        {"point": "Q1", "q_set": 0.02, "v_ref": 0.005, "v_meter": 0.00488},
        {"point": "Q3", "q_set": 1.6, "v_ref": 0.1, "v_meter": 0.0996},
    ],
}


def a_run(**changes: Any) -> dict[str, Any]:
    return {**RUN, **changes}


def a_point(**changes: Any) -> dict[str, Any]:
    return {**RUN["points"][0], **changes}


def check(*runs: Any) -> BenchReport:
    return check_bench(read_bench(json.dumps(runs).encode()), LINES, load_types())


def test_run_becomes_a_protocol() -> None:
    """A run gives the document of the flow-bench template, with errors, limits and verdict computed."""
    (run,) = check(RUN).runs

    document = json.loads(run.to_bytes())
    assert document["device"] == {
        "gid": str(run.claim.subject),
        "grsi": "999910-00",
        "model": "БВ-15Д",
        "execution": "БВ-15Д-80-Р868",
        "serial": "01234567",
        "year": 2026,
    }
    assert [(point["name"], point["error"], point["mpe"], point["pass"]) for point in document["points"]] == [
        ("Q1", -2.4, 5.0, True),
        ("Q3", -0.4, 2.0, True),
    ]
    assert (document["result"], document["stage"]) == ("pass", "after-adjustment")
    assert document["bench"]["method"] == "gravimetric"
    assert document["conditions"] == {"t_air": 21.5, "pressure": 98.6, "humidity": 46.0}
    assert run.last_reading_m3 == Decimal("0.1146")
    assert run.passed


@pytest.mark.parametrize(("reason", "result"), [("", "adjust"), ("течь", "fail")])
def test_run_over_its_limit_is_sent_to_adjust_or_fails(reason: str, result: str) -> None:
    """A meter over its limit does not pass: it goes to adjustment, or fails for the reason given."""
    (run,) = check(a_run(points=[a_point(v_meter=0.0055)], reject_reason=reason)).runs

    assert not run.passed
    assert run.document["result"] == result
    assert run.document.get("reject_reason") == (reason or None)


def test_table_of_points_is_grouped_by_protocol() -> None:
    """A CSV file with one row for each point, decimal commas and Russian headers gives one run for each protocol."""
    header = ["Протокол", "Начало", "Окончание", "Обозначение", "Зав. №", "Установка", "Зав. № установки", "Оператор"]
    header += ["t воздуха", "Давление", "Влажность", "Точка", "Расход, м³/ч", "Объём эталона, м³", "Объём прибора, м³"]
    head = ["2026-05-14T09:12:00Z", "2026-05-14T09:41:30Z", "БВ-15Д"]
    rest = ["УП", "003", "Оператор", "21,5", "98,6", "46"]
    rows = [
        [protocol, *head, serial, *rest, point, "0,02", "0,005", "0,00488"]
        for protocol, serial in (("1", "01234567"), ("2", "01234568"))
        for point in ("Q1", "Q2")
    ]

    report = check_bench(read_bench(write_csv(header, rows)), LINES, load_types())

    assert [(run.row, run.plate.serial) for run in report.runs] == [(2, "01234567"), (4, "01234568")]
    assert [len(run.document["points"]) for run in report.runs] == [2, 2]  # type: ignore[arg-type]  # a list in JSON


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"serial": "1234567"}, "serial.lost_zero"),
        ({"designation": "БВ-16Д"}, "bench.device"),
        ({"serial": ""}, "cell.required"),
        ({"started_at": "2026-05-14T09:12:00"}, "cell.moment"),
        ({"finished_at": "вчера"}, "cell.moment"),
        ({"humidity": ""}, "cell.required"),
        ({"t_air": "тепло"}, "cell.decimal"),
        ({"stage": "потом"}, "cell.choice"),
        ({"points": [a_point(point="Q9", mpe=5)]}, "cell.choice"),
        ({"points": [a_point(v_ref=0)]}, "bench.reference"),
        ({"points": [a_point(q_set="-1")]}, "bench.reference"),
        ({"points": [a_point(v_meter=5)]}, "bench.error"),
        ({"points": [a_point(v_meter="9" * 24, v_ref="0." + "0" * 23 + "1")]}, "bench.error"),
        ({"points": [a_point(point="qmin")]}, "bench.mpe"),
        ({"points": [a_point(), a_point()]}, "bench.point_twice"),
    ],
)
def test_run_that_breaks_a_rule_is_reported(changes: dict[str, Any], rule: str) -> None:
    """A run that breaks a rule gives no document but a finding, and the next run is not touched by it."""
    good = a_run(protocol_no="ПР-2", serial="07654321")

    report = check(a_run(**changes), good)

    assert [run.plate.serial for run in report.runs] == ["07654321"]
    assert [finding.rule for finding in report.findings] == [rule]


def test_rows_of_one_protocol_that_differ_are_reported() -> None:
    """Two meters under one protocol number are a mistake, not one run."""
    report = check(a_run(points=[a_point()]), a_run(serial="07654321", points=[a_point(point="Q2")]))

    assert report.runs == ()
    assert [(finding.row, finding.rule) for finding in report.findings] == [(2, "bench.head_differs")]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"[", TableError),
        (b"{}", BenchError),
        (b"[1]", BenchError),
        (b'[{"points": {}}]', BenchError),
        (b'[{"points": [1]}]', BenchError),
        (b'[{"points": [{"point": []}]}]', BenchError),
        (b"[" * 100_000, TableError),
        (b"a;b\n1;2\n", ColumnError),
    ],
)
def test_file_that_is_no_bench_file_is_refused(raw: bytes, error: type[ExchangeError]) -> None:
    """Bytes that are no bench file are refused with the package's error."""
    with pytest.raises(error):
        check_bench(read_bench(raw), LINES, load_types())
