"""The maker's production file: what is accepted, what comes back with its findings, and what is never shown."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from node.exchange.errors import ColumnError
from node.exchange.production import HeldSecrets, Known, ProductionRow, Report, Stated, check_rows
from node.exchange.tables import Cell, CellKind, Row, Table, read_table
from node.passport.catalog_rules import Rulebook
from node.passport.catalogs import Bindings, Catalog, Reference, load_central, load_types
from node.passport.ids import SubjectId
from node.passport.lines import Lines, SerialLine
from node.secret import MASK, Secret

ORGANISATION = "maker"
TODAY = date(2026, 6, 1)
KEY = "00112233445566778899AABBCCDDEEFF"
METER = {
    "Код 1С": "00-1",
    "Обозначение": "БВ-15Д",
    "Исполнение": "БВ-15Д-80-Р868",
    "Заводской номер": "01234567",
    "Год выпуска": "2026",
    "DevEUI": "02C0DE0001234567",
    "JoinEUI": "02-C0-DE-00-00-00-00-01",
    "AppKey": KEY,
    "Прошивка": "1.4",
    "Дата изготовления": "14.03.2026",
    "Код коробки": "BOX-1",
}
LINES = Lines(
    SerialLine.from_bytes(json.dumps(section, ensure_ascii=False).encode())
    for section in (
        {
            "line": "01" * 16,
            "publisher": "0b" * 16,
            "marks": ["ДЕМО"],
            "designations": ["БВ-15Д"],
            "serial": {"pattern": "digits", "width": 8},
        },
        {
            "line": "02" * 16,
            "publisher": "0b" * 16,
            "marks": ["ДЕМО"],
            "designations": ["ГОД-1"],
            "serial": {"pattern": "letter+digits", "width": 3},
            "restarts_yearly": True,
        },
    )
)
BINDINGS = Bindings().bound(ORGANISATION, "types", "00-1", "t:cwv")


def a_meter(number: int = 1, **changes: Any) -> dict[str, Any]:
    unique = {
        "Заводской номер": f"{number:08d}",
        "DevEUI": f"02C0DE00{number:08X}",
        "AppKey": f"{number:032X}",
    }
    return {**METER, **unique, **changes}


def a_cell(value: Any) -> Cell:
    if isinstance(value, Cell):
        return value
    return Cell(value, CellKind.TEXT) if value else Cell()


def a_table(*meters: Mapping[str, Any]) -> Table:
    header = tuple(dict.fromkeys(title for meter in meters for title in meter))
    rows = (tuple(a_cell(meter.get(title, "")) for title in header) for meter in meters)
    return Table(header, tuple(Row(number, cells) for number, cells in enumerate(rows, 2)))


def check(table: Table, known: Known | None = None, **options: Any) -> Report:
    chosen = {"organisation": ORGANISATION, "types": load_types(), "source": "job-1", "today": TODAY, **options}
    return check_rows(table, LINES, BINDINGS, known or Known(), **chosen)


def number(text: str) -> Cell:
    return Cell(text, CellKind.NUMBER)


def stated(row: ProductionRow) -> Stated:
    made_on = row.made_on.isoformat() if row.made_on else ""
    return Stated(row.dev_eui or "", row.join_eui or "", row.execution or "", row.batch or "", made_on, row.app_key)


def known_of(report: Report) -> Known:
    return Known(
        {row.subject: stated(row) for row in report.accepted},
        {row.dev_eui: row.subject for row in report.accepted if row.dev_eui},
        report.held,
    )


def test_row_in_order_is_accepted() -> None:
    """A whole row becomes a meter with its claim, its reference bound, its EUIs in one form and its key sealed."""
    (row,) = check(a_table(METER)).accepted

    assert row.type == Reference("00-1", "t:cwv")
    assert (row.claim.issuer, row.claim.serial, row.claim.year) == ("01" * 16, "01234567", "")
    assert (row.dev_eui, row.join_eui) == ("02c0de0001234567", "02c0de0000000001")
    assert row.app_key is not None
    assert row.app_key.matches(bytes.fromhex(KEY))
    assert row.box_code is not None
    assert row.box_code.matches(b"BOX-1")
    assert row.made_on is not None
    assert row.made_on.isoformat() == "2026-03-14"
    assert (row.firmware, row.hardware) == ("1.4", None)


def test_headers_in_english_and_of_the_maker_are_found() -> None:
    """English headers and a maker's own ones lead to the same fields, and unknown ones are named."""
    meter = {"item code": "00-1", "Type": "БВ-15Д", "SERIAL NUMBER": "01234567", "Моя колонка": "2026", "Цвет": "синий"}

    report = check(a_table(meter), columns={"Моя колонка": "year"})

    assert len(report.accepted) == 1
    assert report.accepted[0].plate.year == "2026"
    assert report.ignored == ("Цвет",)


def test_table_that_lacks_a_column_or_has_one_twice_is_refused() -> None:
    """Without its columns nothing of a file can be checked."""
    with pytest.raises(ColumnError, match="Заводской номер"):
        check(a_table({"Код 1С": "1", "Обозначение": "x"}))
    with pytest.raises(ColumnError, match="two columns"):
        check(a_table({**METER, "Serial": "1"}))


def test_code_that_nothing_binds_is_accepted_and_marked() -> None:
    """A local code without a central one is accepted, and named as unbound."""
    report = check(a_table(a_meter(1), a_meter(2, **{"Код 1С": "00-9", "Исполнение": "любое"})))

    assert [row.type.central for row in report.accepted] == ["t:cwv", None]
    assert report.unbound == ("00-9",)


@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({"Заводской номер": "1234567"}, "Заводской номер", "serial.lost_zero"),
        ({"Заводской номер": number("1234567")}, "Заводской номер", "cell.number"),
        ({"Заводской номер": "123456789"}, "Заводской номер", "serial.length"),
        ({"Заводской номер": "1234567X"}, "Заводской номер", "serial.characters"),
        ({"Заводской номер": ""}, "Заводской номер", "cell.required"),
        ({"Код 1С": number("1")}, "Код 1С", "cell.number"),
        ({"Код 1С": "x" * 129}, "Код 1С", "cell.too_long"),
        ({"Обозначение": "БВ-16Д"}, "Обозначение", "designation.unknown"),
        (
            {"Обозначение": "ГОД-1", "Заводской номер": "А123", "Год выпуска": "", "Дата изготовления": ""},
            "Год выпуска",
            "year.needed",
        ),
        ({"Исполнение": "БВ-15Д-99"}, "Исполнение", "execution.unknown"),
        ({"DevEUI": number("7000000000000000")}, "DevEUI", "cell.number"),
        ({"DevEUI": "7,0E+15"}, "DevEUI", "cell.number"),
        ({"DevEUI": "02C0DE00"}, "DevEUI", "cell.hex"),
        ({"JoinEUI": "02C0DE000000000Z"}, "JoinEUI", "cell.hex"),
        ({"JoinEUI": ""}, "JoinEUI", "cell.required"),
        ({"AppKey": ""}, "AppKey", "cell.required"),
        ({"AppKey": KEY[:-1]}, "AppKey", "cell.hex"),
        ({"AppKey": number("11223344556677889900112233445566")}, "AppKey", "cell.number"),
        ({"AppKey": "00" * 16}, "AppKey", "app_key.weak"),
        ({"AppKey": MASK}, "AppKey", "app_key.masked"),
        ({"Прошивка": MASK}, "Прошивка", "cell.masked"),
        ({"Год выпуска": "26"}, "Год выпуска", "cell.year"),
        ({"Год выпуска": "2025"}, "Год выпуска", "year.disagrees"),
        ({"Дата изготовления": "30.02.2026"}, "Дата изготовления", "cell.date"),
        ({"Дата изготовления": "03/14/2026"}, "Дата изготовления", "cell.date"),
        ({"Дата изготовления": number("46095")}, "Дата изготовления", "cell.date"),
    ],
)
def test_row_that_breaks_a_rule_comes_back(changes: dict[str, Any], column: str, rule: str) -> None:
    """A row that breaks a rule is not accepted; the finding names row, column, value, rule and what to do."""
    report = check(a_table(a_meter(1), a_meter(2, **changes)))

    assert len(report.accepted) == 1
    (finding,) = report.findings
    assert (finding.row, finding.column, finding.rule) == (3, column, rule)
    assert finding.ru
    assert finding.en


def test_row_that_breaks_a_catalog_comes_back_with_cell_and_rule() -> None:
    """The approval of the type did not hold on the day of manufacture: a file is held to the catalogs as a form is."""
    kinds = load_types()
    old = replace(kinds["t:cwv"], valid_from="2015-01-01", valid_until="2020-01-01")
    catalogs = (Catalog.PARAMETERS, Catalog.UNITS, Catalog.EVENTS)
    records = {catalog.value: load_central(catalog) for catalog in catalogs}
    book = Rulebook(records, {**kinds, old.code: old}, {("types", "00-1"): old.code})

    report = check(a_table(METER), book=book)

    (finding,) = report.findings
    assert (finding.row, finding.column, finding.value) == (2, "Дата изготовления", "14.03.2026")
    assert finding.rule == "catalog.grsi-not-valid-then"
    assert "2020-01-01" in finding.ru
    assert report.accepted == ()
    assert check(a_table(METER), book=replace(book, types=kinds)).findings == ()


def test_duplicates_in_one_file_are_reported_at_the_second() -> None:
    """Of two rows with one serial, DevEUI or key the first is accepted and the second says which row it repeats."""
    first, twin = a_meter(1), a_meter(2)

    for column, rule in (
        ("Заводской номер", "serial.duplicate"),
        ("DevEUI", "dev_eui.duplicate"),
        ("AppKey", "app_key.duplicate"),
    ):
        report = check(a_table(first, {**twin, column: first[column]}))
        assert [row.row for row in report.accepted] == [2]
        assert [(finding.row, finding.rule) for finding in report.findings] == [(3, rule)]
        assert "2" in report.findings[0].ru


def test_serial_in_another_alphabet_is_the_same_serial() -> None:
    """A duplicate is found over the claim, not over the letters as typed."""
    meters = [
        a_meter(at, **{"Обозначение": "ГОД-1", "Заводской номер": text}) for at, text in ((1, "А123"), (2, "A123"))
    ]

    assert [finding.rule for finding in check(a_table(*meters)).findings] == ["serial.duplicate"]


def test_file_sent_again_changes_nothing() -> None:
    """Rows that say what is known already are neither accepted again nor reported, also when an import is resumed."""
    table = a_table(*(a_meter(at) for at in (1, 2)), a_meter(3, **{"Заводской номер": "00000001"}))
    first = check(table)

    second = check(table, known_of(first))

    assert second.accepted == ()
    assert second.repeated == (2, 3)
    assert second.findings == first.findings


def test_serial_and_dev_eui_of_known_devices_are_reported() -> None:
    """A serial with another DevEUI, or a DevEUI of another device, is reported with that device's id."""
    known = known_of(check(a_table(a_meter(1))))
    meters = [a_meter(1, DevEUI="02C0DE00000000FF"), a_meter(2, DevEUI="02C0DE0000000001")]

    report = check(a_table(*meters), known)

    assert [finding.rule for finding in report.findings] == ["serial.known", "dev_eui.known"]
    assert all(str(next(iter(known.devices))) in finding.ru for finding in report.findings)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_report_is_corrected_and_sent_again(form: str) -> None:
    """The report is a production file: with the serial corrected its masked key is the one that was kept."""
    report = check(a_table(a_meter(1), a_meter(2, **{"Заводской номер": "1234567"})))
    back = read_table(report.to_xlsx() if form == "xlsx" else report.to_csv())
    at = back.header.index("Заводской номер")
    (row,) = back.rows
    cells = (*row.cells[:at], Cell("01234567", CellKind.TEXT), *row.cells[at + 1 :])

    again = check(replace(back, rows=(Row(2, cells),)), known_of(report), source="job-2")

    (meter,) = again.accepted
    assert meter.claim.serial == "01234567"
    assert meter.app_key is not None
    assert meter.app_key.matches(bytes.fromhex(f"{2:032X}"))
    assert meter.box_code is not None


def test_report_sent_again_uncorrected_keeps_one_set_of_columns() -> None:
    """A report of a report has the same columns, and a reference of its own."""
    report = check(a_table(a_meter(2, **{"Заводской номер": "1234567"})))

    again = check(read_table(report.to_csv()), known_of(report), source="job-2")

    assert again.header == report.header
    assert again.faulty[0][-1] == "job-2:2"
    assert again.held["job-2:2"].app_key is not None


def test_keys_stand_in_no_finding_and_no_report() -> None:
    """No finding, report or printed value shows a key or a box code, even where a delimiter moved them."""
    box = "SECRETBOX1"
    bad = [
        a_meter(1, AppKey=KEY[:-1] + "Z", **{"Код коробки": box}),
        a_meter(2, AppKey=KEY, **{"Заводской номер": "1", "Код коробки": box}),
        a_meter(3, DevEUI=KEY, **{"Код коробки": box}),
        a_meter(4, **{"Прошивка": KEY, "Дата изготовления": KEY, "Код коробки": box}),
    ]
    table = a_table(*bad)
    shifted = Row(9, (*table.rows[0].cells[:6], Cell("stray", CellKind.TEXT), *table.rows[0].cells[6:]))

    report = check(replace(table, rows=(*table.rows, shifted)))

    shown = repr(report) + report.to_csv().decode() + repr(report.held) + repr(check(a_table(METER)))
    assert len(report.faulty) == 5
    for secret in (KEY, KEY.lower(), KEY[:-1], box):
        assert secret not in shown


def test_day_of_manufacture_to_come_is_reported() -> None:
    """Nothing was made tomorrow; the last day that may be is the one that is given."""
    days = [TODAY, TODAY + timedelta(days=1)]
    table = a_table(*(a_meter(at, **{"Дата изготовления": f"{day:%d.%m.%Y}"}) for at, day in enumerate(days, 1)))

    assert [(finding.row, finding.rule) for finding in check(table).findings] == [(3, "made_on.future")]


@pytest.mark.parametrize(
    ("header", "value", "field"),
    [
        ("AppKey", "00112233445566778899AABBCCDDEEFF", "app_key"),
        ("JoinEUI", "02C0DE0000000999", "join_eui"),
        ("Партия", "П-0", "batch"),
        ("Дата изготовления", "02.01.2026", "made_on"),
    ],
)
def test_row_that_says_otherwise_than_before_is_reported(header: str, value: str, field: str) -> None:
    """What was stated is not changed by a file that comes again, and nothing of the new word is dropped silently."""
    first = check(a_table(a_meter(1, **{header: value})))

    again = check(a_table(a_meter(1, Партия="П-1")), known_of(first))

    assert not again.accepted
    assert not again.repeated
    assert [finding.rule for finding in again.findings] == [f"{field}.differs"]


def test_row_with_more_cells_than_columns_is_reported() -> None:
    """A row that a stray delimiter made longer is not read as if nothing were wrong."""
    table = a_table(a_meter(1))
    longer = Row(2, (*table.rows[0].cells, Cell("x", CellKind.TEXT)))

    assert [finding.rule for finding in check(replace(table, rows=(longer,))).findings] == ["row.cells"]


def test_held_secrets_and_known_have_empty_defaults() -> None:
    """A node that knows nothing holds nothing."""
    assert Known() == Known({}, {}, {})
    assert Known({SubjectId(b"x" * 16): Stated()}).held == {}
    assert HeldSecrets(Secret(b"x")).box_code is None
