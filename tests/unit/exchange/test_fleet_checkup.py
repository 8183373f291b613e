"""The check-up over ugly tables: every planted fault is found in its row, and nothing else is said."""

import datetime
import json

import pytest

from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.findings import Grade
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.outcome import FleetReport
from node.exchange.fleet.reader import read_fleet
from node.exchange.fleet.report import FORMATS, report_json, write_report
from node.exchange.fleet.rules import RULES
from node.exchange.tables import read_table, write_csv
from node.passport.catalogs import load_types
from node.passport.lines import Held, Lines, SerialLine
from node.passport.serials import SerialPattern
from tests.fleets import ON, SHAPES, Shape, clean, planted

COUNT = 120
HEADER = ("Адрес", "Тип", "Зав. №", "Год", "Дата поверки", "Поверен до", "ГРСИ", "Показание, м3", "DevEUI")


def checked(raw: bytes, mapping: FleetMapping | None = None, known: Known | None = None) -> FleetReport:
    """A check-up with the catalogs that ship."""
    return check_fleet(read_fleet(raw, mapping, today=ON, known=known or Known(types=load_types())))


def rows(count: int = 12, **changes: str) -> list[list[str]]:
    """Rows under HEADER with nothing wrong."""
    return [
        [f"ул. Мира, д. 1, кв. {at}", "ВС-15Д", f"{10_000_000 + at * 7919}", "2023", "05.05.2024", "05.05.2030",
         "999902-00", f"{100 + at},5", ""]
        for at in range(1, count + 1)
    ]  # fmt: skip


def table(found: list[list[str]], header: tuple[str, ...] = HEADER) -> bytes:
    """A CSV file of the rows."""
    return write_csv(header, found)


def told(report: FleetReport) -> set[tuple[int, str]]:
    """What is more than a note, by row and rule."""
    return {(f.row, f.rule.code) for f in report.findings if f.grade is not Grade.NOTE}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_planted_faults_are_found_and_nothing_else(shape: Shape, seed: int) -> None:
    """In every shape of table each planted fault is reported in its own row, and no other row is reported."""
    meters = planted(COUNT, seed, shape.lacks)
    raw, places = shape.write(meters)

    report = checked(raw)

    assert report.meters == COUNT
    assert told(report) == {(row, rule) for row, meter in zip(places, meters, strict=True) for rule in meter.rules}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_clean_table_has_no_finding(shape: Shape) -> None:
    """A table with nothing wrong gives no error and no warning, whatever its shape."""
    report = checked(shape.write(clean(COUNT, 7))[0])

    assert report.meters == COUNT
    assert told(report) == set()
    assert not report.has_errors
    assert sum(report.months.values()) == COUNT


def test_every_rule_speaks_both_languages() -> None:
    """Each rule has a title and a text in Russian and English, and fills the same words in."""
    for rule in RULES.values():
        assert all((rule.title_ru, rule.title_en, rule.ru, rule.en)), rule.code
        assert {part.split("}")[0] for part in rule.ru.split("{")[1:]} - {"ru"} == {
            part.split("}")[0] for part in rule.en.split("{")[1:]
        } - {"en"}, rule.code


def test_finding_names_row_column_value_and_remedy() -> None:
    """A finding says where it is, what stands there, under which rule, and what to do, in both languages."""
    found = rows()
    found[6][4] = "31.02.2024"

    (finding,) = [f for f in checked(table(found)).findings if f.grade is Grade.ERROR]

    assert (finding.row, finding.column, finding.value) == (8, "Дата поверки", "31.02.2024")
    assert finding.rule.code == "date.impossible"
    assert "Сверьте" in finding.text("ru")
    assert "Compare" in finding.text("en")


def test_line_of_the_node_decides_before_the_neighbours() -> None:
    """With a published line serials are measured by its pattern, and an approval by its years."""
    line = SerialLine(
        line="11" * 16,
        publisher="22" * 16,
        marks=(Held(name="ДЕМО"),),
        designations=("ВС-15Д",),
        approvals=(Held(name="999902-00", since="2015-01-01", until="2020-01-01"),),
        serial=SerialPattern(pattern="digits", width=8),
    )
    found = rows(4)
    for row in found:
        row[3] = "2018"
    found[1][2], found[2][2], found[3][3] = "12345", "1234567890", "2023"

    report = checked(table(found), known=Known(Lines([line]), load_types()))

    assert told(report) == {(3, "serial.lost_zero"), (4, "serial.pattern"), (5, "approval.expired")}


def test_types_that_nobody_here_knows_are_one_note() -> None:
    """Where the catalogs know none of a table's types, that is said once: it is we who lack them."""
    found = rows()
    for row in found:
        row[1], row[6] = "Неведомый-15", ""

    report = checked(table(found))

    assert [(f.rule.code, f.grade) for f in report.findings] == [("type.unchecked", Grade.NOTE)]


def test_fault_of_a_whole_column_is_told_once() -> None:
    """Years of two digits in every row are one note with the number of rows."""
    found = rows()
    for row in found:
        row[4] = "05.05.24"

    (finding,) = checked(table(found)).findings

    assert (finding.rule.code, finding.rows, finding.grade) == ("date.short_year", 12, Grade.NOTE)
    assert "12" in finding.text("en")


def test_verifications_are_counted_by_month_with_addresses() -> None:
    """The outlook counts every verification by the month of its end; those due carry address and serial."""
    found = rows(3)
    found[0][4:6], found[1][4:6] = ["10.04.2023", "10.04.2026"], ["10.06.2023", "10.06.2026"]

    report = checked(table(found))

    assert dict(report.months) == {"2026-04": 1, "2026-06": 1, "2030-05": 1}
    assert [(due.address, due.days) for due in report.due] == [
        ("ул. Мира, д. 1, кв. 1", -21),
        ("ул. Мира, д. 1, кв. 2", 40),
    ]


def test_end_of_a_verification_comes_from_the_interval_of_the_type() -> None:
    """Without a column of ends the type's own interval gives them, and the report says so."""
    header = (*HEADER[:5], *HEADER[6:])
    found = [[*row[:5], *row[6:]] for row in rows(6)]
    found[0][3:5] = ["2019", "05.05.2020"]

    report = checked(table(found, header))

    (due,) = report.due
    assert (due.until, due.is_computed) == (datetime.date(2026, 5, 5), True)


def test_water_in_litres_is_noticed_as_a_column() -> None:
    """Readings that are all a thousand times too large are one finding about the column."""
    found = rows()
    for row in found:
        row[7] = f"{int(row[2][-3:]) + 90_000}"

    assert [f.rule.code for f in checked(table(found)).findings] == ["unit.column"]


def test_unit_that_neighbours_do_not_use_is_noticed() -> None:
    """Of heat meters that count in Gcal one in GJ is a warning, and one in cubic metres of electricity an error."""
    header = ("Услуга", "Тип", "Зав. №", "Показание", "Ед. изм.")
    found = [["Отопление", "КТ-213Д", f"{10_000_000 + at * 7919}", f"{10 + at}", "Гкал"] for at in range(1, 31)]
    found[4][4] = "ГДж"
    found += [["Электроэнергия", "СЭ-2726Д", f"{20_000_000 + at}", "100", "кВт·ч"] for at in range(2)]
    found[-1][4] = "м3"

    assert told(checked(table(found, header))) == {(6, "unit.differs"), (33, "unit.resource")}


def test_reading_a_thousand_times_the_previous_one_is_a_slip() -> None:
    """A reading that is the previous one with its point lost is told as a slip, not as a reading that fell."""
    header = ("Зав. №", "Пред. показание", "Показание")
    found = [[f"{10_000_000 + at * 7919}", "123,456", "124,001"] for at in range(1, 7)]
    found[2][2], found[4][1] = "124001", "123456"

    assert told(checked(table(found, header))) == {(4, "unit.slip"), (6, "unit.slip")}


def test_meter_that_stands_in_every_month_is_no_duplicate() -> None:
    """A table with a row for each month repeats its meters, and that is one note."""
    header = ("Зав. №", "Адрес", "Показание")
    found = [[f"1000{at}", f"ул. Мира, д. {at}", f"{month},5"] for at in range(4) for month in range(1, 7)]

    (finding,) = checked(table(found, header)).findings

    assert (finding.rule.code, finding.grade, finding.rows) == ("row.duplicate", Grade.NOTE, 20)


def test_report_is_written_in_every_format_with_formulas_guarded() -> None:
    """The report has the findings with address and serial in each format; what a sheet would run is text in it."""
    found = rows()
    found[2][0], found[2][2] = "=cmd|' /C calc'!A0, ул. Мира", "б/н"
    found[3][4:6] = ["01.03.2020", "01.03.2026"]
    raw = table(found)
    fleet = read_fleet(raw, today=ON)
    report = check_fleet(fleet)
    written = {kind: write_report(report, fleet, kind, "ru", "дом.csv") for kind in FORMATS}

    assert json.loads(written["json"])["grades"] == report_json(report)["grades"]
    assert "serial.unreadable" in [cell.text for row in read_table(written["csv"]).rows for cell in row.cells]
    assert b"'=cmd" in written["csv"] or b"=cmd" not in written["csv"]
    assert "б/н" in written["html"].decode()
    assert b"<script" not in written["html"]
    assert read_table(written["xlsx"]).header[0] == "Проверка таблицы приборов"


def test_personal_data_never_stand_in_a_report() -> None:
    """A column of names is recognised, neither sampled nor copied into any report."""
    found = [[*row, "Сидорова Мария Петровна"] for row in rows()]
    found[1][2] = ""
    raw = table(found, (*HEADER, "Абонент"))
    fleet = read_fleet(raw, today=ON)
    report = check_fleet(fleet)

    for kind in ("csv", "json", "html"):
        assert "Сидорова" not in write_report(report, fleet, kind, "ru").decode()


def test_small_table_tells_lost_zeros_look_alikes_and_odd_units() -> None:
    """Six meters are enough where zeros lead most serials, an O stands before digits, or one unit is another."""
    rows = "Адрес;Тип;№;Показание;Ед.\n" + "".join(
        f"Ленина {at};СВК;{serial};{reading};{unit}\n"
        for at, (serial, reading, unit) in enumerate(
            [
                ("0012341", "123,4", "м3"),
                ("0012342", "110,4", "м3"),
                ("О012343", "98000", "м3"),
                ("12344", "98", "кВт*ч"),
                ("0012345", "130", "м3"),
                ("0012346", "150", "м3"),
            ]
        )
    )

    report = check_fleet(read_fleet(rows.encode(), today=ON))

    found = [(f.row, f.rule.code) for f in report.findings if f.rule.code != "type.unchecked"]
    assert found == [(4, "serial.look_alike"), (4, "unit.slip"), (5, "serial.lost_zero"), (5, "unit.differs")]


def test_serials_that_no_plate_has_are_told() -> None:
    """Zeros alone are no serial, and a run of equal or counted digits is typed to fill the cell."""
    found = rows(6)
    found[1][2], found[2][2], found[3][2] = "00000000", "11111111", "12345678"
    report = checked(table(found))
    assert told(report) == {(3, "serial.unreadable"), (4, "serial.placeholder"), (5, "serial.placeholder")}


def test_zero_is_lost_where_others_of_the_table_show_that_zeros_lead() -> None:
    """What few meters of a type cannot show the whole table may, if all serials have one width."""
    found = rows(40)
    for at, row in enumerate(found):
        row[1], row[6] = f"СГВ-{15 + at % 5}", ""
    found[7][2], found[9][2] = "01234567", "1234568"
    assert told(checked(table(found))) == {(11, "serial.lost_zero")}


def test_type_without_approval_number_among_approved_ones_is_told() -> None:
    """Of types that nobody here knows the table itself tells which are approved, and under which number."""
    found = rows(30)
    for at, row in enumerate(found):
        row[1], row[6] = f"СГВ-{15 + at % 2}", "23648-16"
    found[5][1], found[5][6], found[8][6] = "НОНЕЙМ-1", "", "54321-13"
    assert told(checked(table(found))) == {(7, "approval.missing"), (10, "approval.unknown")}


@pytest.mark.parametrize(
    ("unit", "factor", "found_unit"),
    [("Гкал", 4.1868, "ГДж"), ("Гкал", 1163, "кВт"), ("ГДж", 0.238846, "Гкал"), ("", 4.1868, "ГДж")],
)
def test_reading_of_heat_in_another_unit_is_told(unit: str, factor: float, found_unit: str) -> None:
    """A reading that goes on from the previous one in another unit only is told with that unit."""
    header = ("Адрес", "Тип", "Зав. №", "Услуга", "Пред. показание", "Показание", "Ед. изм.")
    lines = [
        [f"ул. Мира, д. 1, кв. {at}", "КТ-213Д", f"{10_000_000 + at * 7919}", "Отопление", f"{20 + at}", f"{20.5 + at}",
         unit]
        for at in range(1, 13)
    ]  # fmt: skip
    lines[6][5] = f"{27.5 * factor:.3f}"
    lines[8][5] = "40"  # much, but no unit explains it

    report = checked(table(lines, header))

    slips = [(f.row, f.rule.code) for f in report.findings if f.rule.code.startswith(("unit", "reading"))]
    assert slips == [(8, "unit.converted")]
    assert found_unit in next(f.text("ru") for f in report.findings if f.row == 8)
