"""The bench file: for each serial its flow points and the last reading, made into flow-bench protocols.

A CSV or XLSX table has one row for each point and repeats the head of the protocol; JSON has `[{head…, "points":
[{…}]}]`, or one such run, with the same field names. Errors and verdicts are computed here from the volumes, never
copied, so that a document agrees with its own numbers.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from node.exchange.cells import Cell, CellKind, Limits, Row, Table, has_unprintable
from node.exchange.columns import Columns, RowReader
from node.exchange.errors import BenchError, TableError
from node.exchange.findings import Advice, Finding
from node.exchange.tables import read_table
from node.passport.catalogs import DeviceType, find_type
from node.passport.claims import Claim
from node.passport.ids import format_device_id
from node.passport.lines import Lines, Unresolved
from node.passport.plate import Nameplate, cut_label
from node.passport.serials import check_serial

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "protocol_no": ("Протокол", "№ протокола", "Protocol", "Protocol no"),
    "started_at": ("Начало", "Started at"),
    "finished_at": ("Окончание", "Finished at"),
    "mark": ("Товарный знак", "Марка", "Mark"),
    "designation": ("Обозначение", "Тип", "Designation", "Type"),
    "execution": ("Исполнение", "Модификация", "Execution"),
    "serial": ("Заводской номер", "Зав. №", "Serial number", "Serial"),
    "year": ("Год выпуска", "Год", "Year"),
    "batch": ("Партия", "Batch"),
    "bench_name": ("Установка", "Bench"),
    "bench_serial": ("Зав. № установки", "Bench serial"),
    "bench_reg_number": ("Рег. № установки", "Bench reg number"),
    "method": ("Метод", "Method"),
    "position": ("Место", "Position"),
    "uncertainty": ("Неопределённость, %", "Uncertainty, %"),
    "valid_until": ("Установка поверена до", "Bench valid until"),
    "software": ("Программа", "Software"),
    "operator": ("Оператор", "Operator"),
    "t_air": ("t воздуха", "Air temperature"),
    "pressure": ("Давление", "Pressure"),
    "humidity": ("Влажность", "Humidity"),
    "t_water": ("t воды", "Water temperature"),
    "stage": ("Стадия", "Stage"),
    "point": ("Точка", "Point"),
    "q_set": ("Расход, м³/ч", "Flow, m3/h"),
    "v_ref": ("Объём эталона, м³", "Reference volume, m3"),
    "v_meter": ("Объём прибора, м³", "Meter volume, m3"),
    "mpe": ("Предел, %", "MPE, %"),
    "k_before": ("Вес импульса до", "K before"),
    "k_after": ("Вес импульса после", "K after"),
    "firmware": ("Прошивка", "Firmware"),
    "last_reading": ("Последнее показание, м³", "Last reading, m3"),
    "reject_reason": ("Причина брака", "Reject reason"),
}
NEEDED = (
    *("protocol_no", "started_at", "finished_at", "designation", "serial", "bench_name", "bench_serial", "operator"),
    *("t_air", "pressure", "humidity", "point", "q_set", "v_ref", "v_meter"),
)
HEAD = tuple(name for name in COLUMNS if name not in ("point", "q_set", "v_ref", "v_meter", "mpe"))
MAX_ERROR = 100  # per cent; more is a slip of units, not an error of a meter
POINTS = ("Q1", "Q2", "Q3", "Q4", "qmin", "qt", "qn", "qmax")
STAGES = {"до настройки": "before-adjustment", "после настройки": "after-adjustment", "контроль": "control"}
METHODS = {"объёмный": "volumetric", "весовой": "gravimetric", "сличение": "master-meter"}

CHOICE = Advice("cell.choice", "Нужно одно из: {choices}.", "One of these is needed: {choices}.")
MOMENT = Advice(
    "cell.moment",
    "Нужно время с поясом, например 2026-05-04T13:04:00+05:00.",
    "A time with its offset is needed, for example 2026-05-04T13:04:00+05:00.",
)
POSITIVE = Advice(
    "bench.reference",
    "Объём по эталону и расход больше нуля. Проверьте точку на установке.",
    "Reference volume and flow are above zero. Check the point on the bench.",
)
IMPLAUSIBLE = Advice(
    "bench.error",
    "Прибор разошёлся с эталоном больше чем на 100 %. Проверьте единицы и запятую.",
    "The meter differs from the reference by more than 100 %. Check units and decimal point.",
)
NO_MPE = Advice(
    "bench.mpe",
    "Предел погрешности не указан, и тип его не задаёт. Впишите предел.",
    "The permissible error is not given, nor does the type say it. Fill it in.",
)
DIFFERS = Advice(
    "bench.head_differs",
    "В строках одного протокола разные значения. Исправьте номер протокола или это значение.",
    "Rows of one protocol differ here. Correct the protocol number or this value.",
)
PLATE = Advice(
    "bench.device",
    "По обозначению и номеру прибор не определяется. Сверьте с табличкой.",
    "Designation and serial tell no device. Compare with the plate.",
)
TWICE = Advice(
    "bench.point_twice",
    "Эта точка уже есть в протоколе. Оставьте одну строку.",
    "The protocol has this point already. Leave one row.",
)

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class BenchRun:
    """One meter's run: the claim of the meter, its plate, the register after the run in m³, and the document."""

    row: int
    claim: Claim
    plate: Nameplate
    last_reading_m3: Decimal | None
    passed: bool
    document: Mapping[str, Json]

    def to_bytes(self) -> bytes:
        """The document as it is stored and signed: UTF-8 JSON, sorted keys, no spaces."""
        return json.dumps(self.document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Runs in the order of the file, and what is wrong with the others."""

    runs: tuple[BenchRun, ...]
    findings: tuple[Finding, ...]


def read_bench(raw: bytes, limits: Limits | None = None) -> Table:
    """Read a bench file, JSON or a table, as one row for each point; raise TableError or BenchError."""
    limits = limits or Limits()
    limits.check_bytes(len(raw))
    return _flatten(raw, limits) if raw.lstrip()[:1] in (b"[", b"{") else read_table(raw, limits)


def check_bench(table: Table, lines: Lines, types: Mapping[str, DeviceType]) -> BenchReport:
    """Make flow-bench protocols of a bench table; raise ColumnError if it lacks a column."""
    columns = Columns.find(table.header, COLUMNS, NEEDED, {})
    groups: dict[str, list[RowReader]] = {}
    for row in table.rows:
        reader = RowReader(row, columns)
        groups.setdefault(reader.text("protocol_no", needed=True) or "", []).append(reader)
    runs: list[BenchRun] = []
    findings: list[Finding] = []
    for readers in groups.values():
        run = _run(readers, lines, types)
        wrong = sorted((finding for reader in readers for finding in reader.findings), key=lambda found: found.row)
        findings += wrong
        if run is not None and not wrong:
            runs.append(run)
    return BenchReport(tuple(runs), tuple(findings))


def _run(readers: list[RowReader], lines: Lines, types: Mapping[str, DeviceType]) -> BenchRun | None:
    head = readers[0]
    for other in readers[1:]:
        for name in HEAD:
            if other.raw(name) != head.raw(name):
                other.add(DIFFERS, name)
    plate = Nameplate(
        head.text("designation", needed=True) or "",
        cut_label(head.text("serial", needed=True) or ""),
        mark=head.text("mark"),
        year=head.year("year"),
    )
    claim = _claim(head, plate, lines)
    kind = find_type(types.values(), head.raw("execution")) or find_type(types.values(), plate.designation)
    points = _points(readers, kind)
    if claim is None:
        return None
    document = _document(head, plate, claim, kind, points)
    return BenchRun(head.number, claim, plate, head.decimal("last_reading"), document["result"] == "pass", document)


def _claim(head: RowReader, plate: Nameplate, lines: Lines) -> Claim | None:
    if not plate.designation or not plate.serial:
        return None
    key = lines.key(plate)
    if isinstance(key, Unresolved):
        head.add(PLATE, "serial")
        return None
    line = lines.find(key.line)
    if line and (finding := check_serial(line.serial, plate.serial)):
        head.add(Advice(finding.rule, finding.ru, finding.en), "serial")
    return key.claim


def _points(readers: list[RowReader], kind: DeviceType | None) -> list[dict[str, Json]]:
    names = [reader.raw("point") for reader in readers]
    points = []
    for at, reader in enumerate(readers):
        if names[at] in names[:at]:
            reader.add(TWICE, "point")
        if (point := _point(reader, kind)) is not None:
            points.append(point)
    return points


def _point(reader: RowReader, kind: DeviceType | None) -> dict[str, Json] | None:
    name = _choice(reader, "point", {name: name for name in POINTS})
    flow, reference, measured = (reader.decimal(field, needed=True) for field in ("q_set", "v_ref", "v_meter"))
    mpe = reader.decimal("mpe")
    if mpe is None and kind is not None:
        mpe = kind.mpe_at(name or "")
    if mpe is None:
        reader.add(NO_MPE, "mpe")
    if name is None or flow is None or reference is None or measured is None or mpe is None:
        return None
    if reference <= 0 or flow <= 0:
        reader.add(POSITIVE, "v_ref" if reference <= 0 else "q_set")
        return None
    error = (measured - reference) / reference * 100
    if abs(error) > MAX_ERROR:
        reader.add(IMPLAUSIBLE, "v_meter")
        return None
    error = error.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return {
        "name": name,
        "q_set": float(flow),
        "v_ref": float(reference),
        "v_meter": float(measured),
        "error": float(error),
        "mpe": float(mpe),
        "pass": abs(error) <= mpe,
    }


def _document(
    head: RowReader,
    plate: Nameplate,
    claim: Claim,
    kind: DeviceType | None,
    points: list[dict[str, Json]],
) -> dict[str, Json]:
    passed, reason = all(point["pass"] for point in points), head.text("reject_reason")
    result = "pass" if passed else "fail" if reason else "adjust"
    document: dict[str, Json] = {
        "protocol_no": head.raw("protocol_no"),
        "started_at": _moment(head, "started_at"),
        "finished_at": _moment(head, "finished_at"),
        "device": _device(head, plate, claim, kind),
        "batch": head.text("batch"),
        "bench": _bench(head),
        "operator": {"name": head.text("operator", needed=True)},
        "conditions": _numbers(head, ("t_air", "pressure", "humidity"), ("t_water",)),
        "stage": _choice(head, "stage", STAGES) if head.raw("stage") else "control",
        "points": points,
        "adjustment": _adjustment(head),
        "result": result,
        "reject_reason": None if passed else reason,
    }
    return _present(document)


def _device(head: RowReader, plate: Nameplate, claim: Claim, kind: DeviceType | None) -> dict[str, Json]:
    return _present(
        {
            "gid": format_device_id(claim.subject),
            "grsi": str(kind.approval) if kind else None,
            "model": kind.model if kind else None,
            "execution": head.text("execution"),
            "serial": plate.serial,
            "year": int(plate.year) if plate.year else None,
        }
    )


def _bench(head: RowReader) -> dict[str, Json]:
    position, uncertainty, valid_until = head.decimal("position"), head.decimal("uncertainty"), head.date("valid_until")
    return _present(
        {
            "name": head.text("bench_name", needed=True),
            "serial": head.text("bench_serial", needed=True),
            "reg_number": head.text("bench_reg_number"),
            "method": _choice(head, "method", METHODS) if head.raw("method") else None,
            "position": int(position) if position is not None else None,
            "expanded_uncertainty": float(uncertainty) if uncertainty is not None else None,
            "valid_until": valid_until.isoformat() if valid_until else None,
            "software": head.text("software"),
        }
    )


def _adjustment(head: RowReader) -> dict[str, Json] | None:
    before, after = head.decimal("k_before"), head.decimal("k_after")
    adjustment: dict[str, Json] = {
        "k_factor_before": None if before is None else float(before),
        "k_factor_after": None if after is None else float(after),
        "firmware": head.text("firmware"),
    }
    return _present(adjustment) or None


def _numbers(head: RowReader, needed: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
    values = {name: head.decimal(name, needed=name in needed) for name in (*needed, *others)}
    return {name: float(value) for name, value in values.items() if value is not None}


def _moment(head: RowReader, field: str) -> str | None:
    try:
        moment = datetime.datetime.fromisoformat(head.raw(field))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        head.add(MOMENT, field)
        return None
    return moment.isoformat()


def _choice(reader: RowReader, field: str, words: Mapping[str, str]) -> str | None:
    text = reader.raw(field)
    if text in words.values():
        return text
    if (found := words.get(text.casefold())) is not None:
        return found
    reader.add(CHOICE, field, choices=", ".join(words.values()))
    return None


def _present(values: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if value is not None}


def _flatten(raw: bytes, limits: Limits) -> Table:
    try:
        runs = json.loads(raw.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise TableError(f"not JSON: {type(error).__name__}") from error
    if isinstance(runs, dict):
        runs = [runs]  # a bench that writes a file for each run
    if not isinstance(runs, list):
        raise BenchError("a bench file in JSON is a run, or a list of runs")
    header = tuple(COLUMNS)
    rows: list[Row] = []
    for run in runs:
        if not isinstance(run, dict) or not isinstance(points := run.get("points"), list):
            raise BenchError("a run is an object with a list of points")
        for point in points:
            limits.check_area(len(rows) + 1, len(header))
            rows.append(Row(len(rows) + 1, _json_cells(header, run, point, limits)))
    return Table(header, tuple(rows))


def _json_cells(header: Sequence[str], run: dict[str, object], point: object, limits: Limits) -> tuple[Cell, ...]:
    if not isinstance(point, dict):
        raise BenchError("a point is an object")
    merged = {**run, **point}
    cells = []
    for name in header:
        text = merged.get(name, "")
        if not isinstance(text, str) or len(text) > limits.max_cell:
            raise BenchError(f"{name}: expected text or a number of at most {limits.max_cell} characters")
        if has_unprintable(text):
            raise BenchError(f"{name}: the text holds a character that no document may hold")
        cells.append(Cell(text.strip(), CellKind.TEXT) if text.strip() else Cell())
    return tuple(cells)
