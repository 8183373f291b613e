"""How fleet tables are understood: headers, columns, texts that hold two things, merged cells, sheets, mappings."""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from node.exchange.cells import Cell, CellKind
from node.exchange.errors import ColumnError, ExchangeError, TableError, TableLimitError
from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.fields import Field, find_field
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import FleetTable, Passed, read_fleet
from node.exchange.fleet.rows import FleetRow
from node.exchange.fleet.sheets import FLEET_LIMITS, read_sheets
from node.exchange.fleet.values import find_unit, read_day, read_interval
from tests.fleets import ON


def read(text: str, mapping: FleetMapping | None = None) -> FleetTable:
    """A CSV table."""
    return read_fleet(text.encode(), mapping, today=ON)


def fields(table: FleetTable) -> list[str]:
    """What each column was taken for."""
    return [column.field.value for column in table.layout.columns]


def book(*sheets: Sequence[Sequence[object]], names: tuple[str, ...] = ("Лист1", "Лист2", "Лист3")) -> Workbook:
    """A workbook of these sheets."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in zip(names, sheets, strict=False):
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return made


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def merged_again(raw: bytes) -> bytes:
    """The workbook with its one merged area said three times."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = b'<mergeCell ref="A1:D4"/>'
            new.writestr(name, old.read(name).replace(part, part * 3).replace(b'<mergeCell ref="A1:D4" />', part * 3))
    return out.getvalue()


def with_part(raw: bytes, part: str, *changes: tuple[bytes, bytes]) -> bytes:
    """The workbook with the first of each text in one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            for before, after in changes if name == part else ():
                assert before in data
                data = data.replace(before, after, 1)
            new.writestr(name, data)
    return out.getvalue()


def only(table: FleetTable) -> FleetRow:
    (row,) = table.rows()
    return row


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Зав. №", Field.SERIAL),
        ("ЗАВОДСКОЙ НОМЕР", Field.SERIAL),
        ("№ ПУ", Field.SERIAL),
        ("Серийный №", Field.SERIAL),
        ("Счётчик №", Field.SERIAL),
        ("meter no", Field.SERIAL),
        ("S/N", Field.SERIAL),
        ("Тип, № прибора учёта", Field.DEVICE),
        ("Тип ПУ", Field.DESIGNATION),
        ("Дата сл. поверки", Field.VALID_UNTIL),
        ("Следующая", Field.VALID_UNTIL),
        ("К.", Field.BLOCK),
        ("ГВС №", Field.SERIAL),
        ("Дата след. пов.", Field.VALID_UNTIL),
        ("Пов. (след.)", Field.VALID_UNTIL),
        ("Дата сл.госпов.", Field.VALID_UNTIL),
        ("Дата оч. поверки", Field.VALID_UNTIL),
        ("Дата госпов.", Field.VERIFIED_ON),
        ("Дата уст.", Field.INSTALLED_ON),
        ("Адрес абонента", Field.ADDRESS),
        ("Адрес помещения", Field.ADDRESS),
        ("Электронный адрес абонента", Field.PERSON),
        ("Прим.", Field.IGNORED),
        ("Дата посл. поверки", Field.VERIFIED_ON),
        ("Послед. поверка", Field.VERIFIED_ON),
        ("Срок поверки, лет", Field.INTERVAL),
        ("Срок межповерочного интервала", Field.INTERVAL),
        ("Очередной МПИ, лет", Field.INTERVAL),
        ("Дата окончания межповерочного интервала", Field.VALID_UNTIL),
        ("Конец МПИ", Field.VALID_UNTIL),
        ("Годен по", Field.VALID_UNTIL),
        ("Next Test Dt", Field.VALID_UNTIL),
        ("Last Test Date", Field.VERIFIED_ON),
        ("Meter #", Field.SERIAL),
        ("MeterNo", Field.SERIAL),
        ("Пред. пок.", Field.PREVIOUS),
        ("Тек. пок.", Field.READING),
        ("Марка", Field.DESIGNATION),
        ("Модель", Field.DESIGNATION),
        ("Завод-изготовитель", Field.MARK),
        ("Поверка · дата", Field.VERIFIED_ON),
        ("Поверка · до", Field.VALID_UNTIL),
        ("Дата очередной поверки", Field.VALID_UNTIL),
        ("Срок поверки", Field.VALID_UNTIL),
        ("Next verification", Field.VALID_UNTIL),
        ("МПИ", Field.INTERVAL),
        ("Дата окончания МПИ", Field.VALID_UNTIL),
        ("Госреестр", Field.APPROVAL),
        ("ГРСИ", Field.APPROVAL),
        ("Л/с", Field.ACCOUNT),
        ("Дата снятия показаний", Field.READ_ON),
        ("Показание предыдущее", Field.PREVIOUS),
        ("Показание, м3", Field.READING),
        ("Ед. изм.", Field.UNIT),
        ("Дата выпуска", Field.MADE_ON),
        ("г.в.", Field.YEAR),
        ("DevEUI", Field.DEV_EUI),
        ("Вид услуги", Field.RESOURCE),
        ("Тип помещения", Field.IGNORED),
        ("ФИО", Field.PERSON),
        ("№ п/п", Field.INDEX),
        ("Совсем другое", None),
    ],
)
def test_header_names_its_field(title: str, field: Field | None) -> None:
    """A header is understood by its words, stems and abbreviations in two languages."""
    assert find_field(title) is field


@pytest.mark.parametrize(
    ("text", "day", "odd"),
    [
        ("14.03.2026", "2026-03-14", ""),
        ("2026-03-14 00:00:00", "2026-03-14", ""),
        ("14 марта 2026 г.", "2026-03-14", ""),
        ("до 14.03.2026", "2026-03-14", ""),
        ("14-Mar-2026", "2026-03-14", ""),
        ("14.03.26", "2026-03-14", "short_year"),
        ("46095", "2026-03-14", "number"),
        ("03.14.2026", "2026-03-14", "swapped"),
        ("03.2026", "2026-03-31", "month_only"),
        ("2026", "2026-12-31", "year_only"),
        ("II кв. 2026", "2026-06-30", "month_only"),
        ("2 квартал 2026", "2026-06-30", "month_only"),
        ("31.02.2026", None, "impossible"),
        ("01.01.1900", None, "impossible"),
        ("весной", None, "unreadable"),
    ],
)
def test_date_is_read_as_people_write_it(text: str, day: str | None, odd: str) -> None:
    """A date is read in every usual form, and what is odd about it is said."""
    found = read_day(Cell(text, CellKind.TEXT), at_end=True)

    assert (found.day.isoformat() if found.day else None, found.odd) == (day, odd)


def test_units_and_intervals_are_read_as_people_write_them() -> None:
    """Units have many spellings; an interval says months or years, or its column does."""
    spellings = {"м³": "m3", "куб. м": "m3", "КВТ*Ч": "kW.h", "Гкал": "Gcal_IT", "литры": "L", "бочка": None}
    assert {text: find_unit(text) for text in spellings} == spellings
    assert [read_interval(t, in_years=True) for t in ("6", "72 мес", "6 лет", "долго")] == [72, 72, 72, None]


def test_two_header_rows_over_merged_areas_become_titles() -> None:
    """Group headings stand before the titles under them; the address merged over a house is that of each row."""
    made = book(
        [
            ["Адрес", "Кв.", "Прибор", "", "Поверка", ""],
            ["", "", "Тип", "Номер", "дата", "до"],
            ["ул. Мира, д. 1", "1", "СГВ-15", "00012345", "01.02.2024", "01.02.2030"],
            ["", "2", "СГВ-15", "00012346", "01.02.2024", "01.02.2030"],
        ]
    )
    sheet: Worksheet = made["Лист1"]
    for area in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "A3:A4"):
        sheet.merge_cells(area)

    table = read_fleet(saved(made), today=ON)

    assert [c.title for c in table.layout.columns][2:] == [
        "Прибор · Тип",
        "Прибор · Номер",
        "Поверка · дата",
        "Поверка · до",
    ]
    assert [row.address for row in table.rows()] == ["ул. Мира, д. 1, кв. 1", "ул. Мира, д. 1, кв. 2"]


def test_two_meters_of_one_row_are_two_meters() -> None:
    """Cold and hot meters side by side are told apart by the headings of their groups."""
    text = "Кв.;ХВС;;ГВС;\n;№ счётчика;Поверен до;№ счётчика;Поверен до\n" + "".join(
        f"{n};{n:08d};01.01.2030;{n + 500:08d};01.01.2029\n" for n in range(1, 5)
    )

    found = list(read(text).rows())

    assert [(row.row, row.resource, row.plate) for row in found[:2]] == [
        (3, "cold_water", "00000001"),
        (3, "hot_water", "00000501"),
    ]
    assert len(found) == 8


def test_house_that_is_told_above_the_header_is_that_of_its_flats() -> None:
    """An address in a line of its own above the header stands before each flat; columns go with the serial left."""
    text = "Дом: ул. Новая, д. 1;;;;\nКв.;Счётчик ХВС №;Поверка до;Счётчик ГВС №;Поверка до\n" + "".join(
        f"{n};1000000{n};01.0{n}.2028;2000000{n};01.0{n}.2029\n" for n in range(1, 5)
    )

    cold, hot, *_ = read(text).rows()

    assert cold.address == "ул. Новая, д. 1, кв. 1"
    assert [(row.resource, row.valid_until and row.valid_until.year) for row in (cold, hot)] == [
        ("cold_water", 2028),
        ("hot_water", 2029),
    ]


def test_two_dates_in_one_cell_are_both_read() -> None:
    """A verification typed as a range gives its date and its end."""
    text = "Зав. №;Поверка (дата / до)\n" + "".join(f"1000{n};12.03.2020 - 12.03.2026\n" for n in range(1, 5))

    first = next(iter(read(text).rows()))

    assert (str(first.verified_on), str(first.valid_until), first.findings) == ("2020-03-12", "2026-03-12", ())


def test_meter_over_two_merged_rows_is_one_meter() -> None:
    """A meter whose cells are merged over the rows of its pipes is one meter, and no row is told to lack one."""
    made = book([["Зав. №", "Тип", "Труба"], *[["", "", pipe] for _ in range(3) for pipe in ("подача", "обратка")]])
    sheet: Worksheet = made["Лист1"]
    for at in range(3):
        sheet[f"A{2 * at + 2}"], sheet[f"B{2 * at + 2}"] = f"12345{at}", "КМ-5"
        sheet.merge_cells(f"A{2 * at + 2}:A{2 * at + 3}")
        sheet.merge_cells(f"B{2 * at + 2}:B{2 * at + 3}")
    passed = Passed()

    found = list(read_fleet(saved(made), today=ON).rows(passed))

    assert ([row.serial for row in found], passed.empty) == (["123450", "123451", "123452"], [])


def test_text_that_holds_two_things_is_split() -> None:
    """Designation and number, mark and designation, flat and resource are taken apart."""
    text = "Кв.;Прибор учёта\n" + "".join(f"кв. {n}, СХВ;Бетар СГВ-15 № 0001234{n}\n" for n in range(1, 7))

    first = next(iter(read(text).rows()))

    assert (first.mark, first.designation, first.serial) == ("Бетар", "СГВ-15", "00012341")
    assert (first.address, first.resource) == ("кв. 1", "cold_water")


def test_column_is_known_by_its_content_where_the_header_lies() -> None:
    """Dates under each other's headers are put right, and the layout says why."""
    text = "Зав. №;Поверен до;Дата поверки\n" + "".join(f"1000{n};01.02.2024;01.02.2030\n" for n in range(1, 7))

    table = read(text)

    assert fields(table) == ["serial", "verified_on", "valid_until"]
    assert table.layout.columns[1].why == "against_header"
    assert "вопреки" in table.layout.columns[1].reason("ru")


def test_rows_that_are_no_meters_are_told_apart() -> None:
    """Group headings give their address to the rows under them; totals, footers, numbering and repeats are passed."""
    head = "№;Квартира;Тип;Зав. №"
    text = (
        f"{head}\n1;2;3;4\nул. Мира, д. 5;;;\n1;кв. 1;СГВ-15;00012345\n{head}\nд. 7;;;\n2;кв. 2;СГВ-15;00012346\n"
        "Итого;;;2\nДиректор ______ Иванов;;;\n"
    )
    passed = Passed()

    found = list(read(text).rows(passed))

    assert [(row.row, row.address) for row in found] == [(4, "ул. Мира, д. 5, кв. 1"), (7, "ул. Мира, д. 7, кв. 2")]
    assert (passed.headings, passed.totals, passed.footers, passed.headers) == (2, 1, 1, 1)


def test_sheet_that_is_a_fleet_is_chosen_and_the_others_named() -> None:
    """Of several sheets the one with most meters is read; the others are told, with whether they are fleets too."""
    small = [["Зав. №", "Модель"], ["00012345", "СГВ-15"]]
    large = [["Зав. №", "Тип"], *[[f"0002{n:04d}", "СГВ-15"] for n in range(9)]]
    raw = saved(book([["О файле"]], small, large))

    table = read_fleet(raw, today=ON)

    assert table.layout.sheet == "Лист3"
    assert {other.name: other.is_fleet for other in table.others} == {"Лист1": False, "Лист2": True}
    assert len(list(read_fleet(raw, FleetMapping(sheet="Лист2"), today=ON).rows())) == 1


def test_sheets_of_one_shape_are_one_table() -> None:
    """A sheet for each house is read as one list: the sheet's name is the address, and tells where a row stands."""
    head: list[object] = ["Кв", "Тип", "Зав. №"]
    one: list[list[object]] = [["Дом 5"], head, [1, "СГВ-15", "00012345"], [2, "СГВ-15", "00012346"]]
    two: list[list[object]] = [["Дом 7"], head, [1, "СГВ-15", "00012347"], [2, "СГВ-15", "00012345"]]
    raw = saved(book(one, two, [["О файле"]], names=("Мира, 5", "Мира, 7", "Титул")))

    table = read_fleet(raw, today=ON)
    report = check_fleet(table)

    assert [(row.address, row.serial) for row in table.rows()] == [
        ("Мира, 5, кв. 1", "00012345"),
        ("Мира, 5, кв. 2", "00012346"),
        ("Мира, 7, кв. 1", "00012347"),
        ("Мира, 7, кв. 2", "00012345"),
    ]
    twin = next(finding for finding in report.findings if finding.rule.code == "serial.twin")
    assert (table.layout.where(twin.row), twin.words["other"]) == ("Мира, 7!4", "Мира, 5!3")
    assert [other.name for other in table.others] == ["Титул"]
    assert len(list(read_fleet(raw, FleetMapping(sheet="Мира, 7"), today=ON).rows())) == 2


def test_sheets_of_months_are_not_one_table() -> None:
    """A sheet that repeats the meters of another is told and not read with it."""
    rows: list[list[object]] = [["Зав. №", "Тип", "Показание"], *[[f"0001{n:04d}", "СГВ-15", n] for n in range(9)]]
    table = read_fleet(saved(book(rows, rows, names=("Январь", "Февраль"))), today=ON)

    assert len(list(table.rows())) == 9
    assert [(other.name, other.is_fleet) for other in table.others] == [("Февраль", True)]


def test_table_without_serials_is_refused_with_the_headers_seen() -> None:
    """The refusal lists the headers and shows how to name the column."""
    with pytest.raises(ColumnError) as refusal:
        read("Имя;Город\nа;б\nв;г\n")

    assert "'Имя'" in str(refusal.value)
    assert '--column "' in str(refusal.value)


def test_mapping_overrides_and_comes_back_from_json() -> None:
    """Columns that are named are taken as told; the mapping of a layout reads the next table the same way."""
    text = "Графа 1;Графа 2\n" + "".join(f"{n}7919;ИВ-{n}00{n}\n" for n in range(1, 7))
    told = FleetMapping.from_pairs(["графа 2=serial", "A=own_number"])

    table = read(text, told)
    again = read(text, FleetMapping.from_json(table.layout.mapping.to_json()))

    assert fields(table) == fields(again) == ["own_number", "serial"]
    assert FleetMapping.from_json(told.to_json()) == told


@pytest.mark.parametrize("pair", ["Графа=height", "Графа", "=serial"])
def test_mapping_that_names_no_field_is_refused(pair: str) -> None:
    """A pair without a header, without a sign or with an unknown field is refused."""
    with pytest.raises(ColumnError):
        FleetMapping.from_pairs([pair])


def test_number_cells_formulas_and_zero_formats_are_told_apart() -> None:
    """A format of zeros keeps them, a formula without a value is an error, one with a value is used."""
    made = book([["Зав. №", "Тип", "Показание"], [12345, "СГВ-15", 1.5], [12346, "СГВ-15", "=1+1"]])
    made["Лист1"]["A2"].number_format = "00000000"

    found = list(read_fleet(saved(made), today=ON).rows())

    assert [(row.serial, row.serial_kind) for row in found] == [
        ("00012345", CellKind.TEXT),
        ("12346", CellKind.NUMBER),
    ]
    assert [f.rule.code for f in found[1].findings] == ["cell.formula"]


def test_value_of_a_formula_is_used_and_told() -> None:
    """What a formula gave is used; that it may change unseen is a warning, or one note where a whole column is so."""
    made = book([["Зав. №", "Тип", "Год"], *[[f"1234{at}", "СГВ-15", 2020] for at in range(9)]])
    made["Лист1"]["C4"] = "=2000+21"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(made))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>2021</v>", old.read(name)))

    found = list(read_fleet(out.getvalue(), today=ON).rows())

    assert [row.year for row in found][1:4] == [2020, 2021, 2020]
    assert [(row.row, f.rule.code) for row in found for f in row.findings] == [(4, "cell.computed")]


def test_long_texts_cost_no_more_than_their_length() -> None:
    """Cells of tens of thousands of spaces, commas or words are read at once, whichever column they stand in."""
    filler = ("a" + " " * 9_000 + "b", "№" + "," * 9_000 + "1", "кв " * 9_000, "1 " * 9_000, "0" * 9_000)
    header = "Прибор, №;Дата поверки;МПИ;ГРСИ;Адрес;Ед.;Показание;DevEUI;Ресурс\n"
    text = header + "".join(";".join([cell] * 9) + "\n" for cell in filler for _ in range(20))

    report = check_fleet(read(text))

    assert all(len(finding.shown) <= 100 for finding in report.findings)


def test_lost_zeros_of_a_numeric_column_are_found() -> None:
    """Serials typed as numbers that are shorter than most of their type have lost zeros; the rest is one note."""
    serials = [10_000_000 + 7919 * n for n in range(1, 12)]
    serials[4] = 12345
    made = book([["Зав. №", "Тип"], *[[serial, "СГВ-15"] for serial in serials]])

    report = check_fleet(read_fleet(saved(made), today=ON))

    found = {(f.row, f.rule.code, f.rows) for f in report.findings}
    assert {(6, "serial.lost_zero", 1), (2, "serial.number", 10)} <= found


def test_quoted_formula_of_a_csv_keeps_its_text() -> None:
    """What a program writes as ="0012345" to keep zeros is that text; another formula has no value."""
    (row,) = read('Зав. №;Тип\n"=""0012345""";СГВ-15\n').rows()
    assert (row.serial, row.findings) == ("0012345", ())
    assert [f.rule.code for f in only(read("Зав. №;Тип;Год\n12345;СГВ-15;=2020+1\n")).findings] == ["cell.formula"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "cp866"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str) -> None:
    """Russian text is read in each encoding with each delimiter, commas inside addresses notwithstanding."""
    text = delimiter.join(["Зав. №", "Тип", "Адрес"]) + "\n"
    text += "".join(delimiter.join([f"0001234{n}", "СГВ-15", f'"ул. Ленина, д. {n}"']) + "\n" for n in range(5))

    found = list(read_fleet(text.encode(encoding), today=ON).rows())

    assert [(row.serial, row.address) for row in found][:1] == [("00012340", "ул. Ленина, д. 0")]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "old Excel"),
        (b"<html><table>", "web page"),
        (b"PK\x03\x04rest", "not an XLSX"),
        (b"\x00\x01\x02\x03" * 9, "zero bytes"),
        (b"", "empty"),
    ],
)
def test_other_formats_are_named_and_refused(raw: bytes, words: str) -> None:
    """What is no table is refused with what it is and what to save."""
    with pytest.raises(TableError, match=words):
        read_fleet(raw, today=ON)


def test_limits_hold_before_anything_is_built() -> None:
    """Too many bytes, rows, columns, characters or merged cells are refused with the number that is too large."""
    small = replace(FLEET_LIMITS, max_bytes=60_000, max_rows=5, max_columns=4, max_cells=16, max_cell=20)
    many = saved(book([["a"] for _ in range(6)]))
    wide = saved(book([["a"] * 5]))
    spread = book([["a", "", "", "", "e"] for _ in range(4)])
    spread["Лист1"].merge_cells("A1:D4")
    areas = merged_again(saved(spread))
    overlapping = replace(small, max_columns=5, max_cells=24)
    for raw in (b"x" * 60_001, many, wide, b"a;" * 5, b"a\n" * 6):
        with pytest.raises(TableLimitError):
            read_sheets(raw, small)
    with pytest.raises(TableLimitError):
        read_sheets(areas, overlapping)
    assert read_sheets(areas, replace(overlapping, max_cells=200))[0].width == 5


@pytest.mark.parametrize("odd", ["x" * (FLEET_LIMITS.max_cell + 1), "12\x0b34"])
def test_odd_cell_is_an_error_of_its_own_and_costs_no_other_row(odd: str) -> None:
    """A cell too long or with control characters is told by row and column; the other meters are read."""
    rows = f"Адрес;Тип;Зав. №\nЛенина 1;СГВ-15;00012345\nЛенина 2;СГВ-15;{odd}\nЛенина 3;СГВ-15;00012347\n\x1a"

    report = check_fleet(read(rows))

    assert report.meters == 3
    assert [(f.row, f.column) for f in report.findings if f.rule.code == "cell.error"] == [(3, "Зав. №")]


def test_broken_cells_of_a_workbook_are_told_one_by_one() -> None:
    """A number that is none and a shared text that is not there are errors of their cells, not of the workbook."""
    raw = saved(book([["Зав. №", "Тип", "Год"], ["00012345", "СГВ-15", 2019], ["00012346", "СГВ-15", 2020]]))
    broken = with_part(
        raw,
        "xl/worksheets/sheet1.xml",
        (b"<v>2019</v>", b"<v>20x9</v>"),
        (b't="n"><v>2020</v>', b't="s"><v>999</v>'),
    )

    report = check_fleet(read_fleet(broken, today=ON))

    assert report.meters == 2
    assert [f.column for f in report.findings if f.rule.code == "cell.error"] == ["Год", "Год"]


def test_parts_of_an_address_under_one_heading_are_all_read() -> None:
    """«Адрес» over «улица» and «дом» is two columns of one address."""
    table = read(
        "№;Адрес;;Прибор;;Поверка;\n;улица;дом;тип;зав. №;дата;до\n"
        "1;Ленина;5;СГВ-15;0012345;01.02.2021;01.02.2027\n2;Мира;7;СГВ-15;0012346;01.02.2021;01.02.2027\n"
    )

    assert [row.address for row in table.rows()] == ["ул. Ленина, д. 5", "ул. Мира, д. 7"]


def test_numbers_of_two_resources_under_plain_number_signs_are_two_meters() -> None:
    """«№» under «ХВС» and under «ГВС» are serials, also where the heading counts its meters."""
    table = read("Адрес;ХВС1;;ГВС1;\n;№;поверка;№;поверка\nМира 3;0012345;01.02.2021;0012346;01.02.2022\n")

    assert [(row.serial, row.resource) for row in table.rows()] == [
        ("0012345", "cold_water"),
        ("0012346", "hot_water"),
    ]


def test_row_of_short_numbers_is_a_meter_and_a_count_of_columns_is_none() -> None:
    """1, 2, 3 over words counts columns; over other short numbers it is the first meter."""
    meters = read("Кв;Показание;№ счётчика\n1;2;3\n2;3;4\n5;6;7\n")
    counted = read("Адрес;Тип;№ счётчика\n1;2;3\nЛенина 5;СГВ-15;0012346\nЛенина 6;СГВ-15;0012347\n")

    assert [row.serial for row in meters.rows()] == ["3", "4", "7"]
    assert [row.row for row in counted.rows()] == [3, 4]


def test_mark_beside_a_model_is_the_trade_mark() -> None:
    """The form of ГИС ЖКХ has both; one alone is the designation."""
    both = read("Зав. №;Марка прибора;Модель прибора\n0012345;Бетар;СГВ-15\n0012346;Бетар;СГВ-15\n")
    alone = read("Зав. №;Марка прибора\n0012345;СГВ-15\n0012346;СГВ-15\n")

    assert fields(both) == ["serial", "mark", "designation"]
    assert fields(alone) == ["serial", "designation"]


def test_year_of_two_digits_is_read_and_told_wherever_it_stands() -> None:
    """In a column of years and in a date the two digits are read alike, each with a warning."""
    table = read("Адрес;Тип;Зав. №;Год;Дата поверки\nЛенина 5;СГВ-15;0012346;19;март 21\n")

    row = only(table)

    assert (row.year, str(row.verified_on)) == (2019, "2021-03-01")
    assert "date.short_year" in [finding.rule.code for finding in row.findings]


def test_empty_cells_with_a_format_cost_nothing() -> None:
    """A sheet whose last column is only coloured is as wide as what stands in it."""
    made = book([["Зав. №", "Тип"], ["00012345", "СГВ-15"]])
    made["Лист1"]["XFD1048576"].number_format = "0.00"

    (grid,) = read_sheets(saved(made))

    assert (grid.width, len(grid.rows)) == (2, 2)


def test_hidden_rows_and_columns_are_read_and_told() -> None:
    """What is hidden is checked as well, and the layout says that it was hidden."""
    made = book([["Зав. №", "Тип"], ["00012345", "СГВ-15"], ["00012346", "СГВ-15"]])
    made["Лист1"].row_dimensions[3].hidden = True
    made["Лист1"].column_dimensions["B"].hidden = True

    table = read_fleet(saved(made), today=ON)

    assert len(list(table.rows())) == 2
    assert table.layout.hidden_rows == 1
    assert [column.is_hidden for column in table.layout.columns] == [False, True]


def test_damaged_workbook_is_refused_by_this_package() -> None:
    """A workbook with a part cut off is refused with the package's own error."""
    raw = saved(book([["Зав. №"], ["1"]]))
    for cut in (10, len(raw) // 2, len(raw) - 30):
        with pytest.raises(ExchangeError):
            read_fleet(raw[:cut], today=ON)


def test_last_of_two_verifications_is_the_one_that_counts() -> None:
    """A column of the verification before it is told and not used."""
    table = read(
        "Зав. №;Тип;Дата предыдущей поверки;Дата последней поверки\n"
        "0012345;СГВ-15;01.02.2015;01.02.2021\n0012346;СГВ-15;01.02.2015;02.02.2021\n"
    )

    assert [str(row.verified_on) for row in table.rows()] == ["2021-02-01", "2021-02-02"]


def test_term_in_years_is_an_interval() -> None:
    """«Срок поверки» over 6 and 4 is no date."""
    table = read("Зав. №;Тип;Поверен;Срок поверки\n0012345;СГВ-15;01.02.2018;6\n0012346;СГВ-15;01.02.2018;4\n")

    assert [row.interval_months for row in table.rows()] == [72, 48]


def test_kept_mapping_reads_a_table_whose_headers_changed() -> None:
    """What a kept mapping names and the table lacks is understood anew, also in rows that were sent back."""
    kept = FleetMapping({"Ном. ПУ": Field.SERIAL, "Что": Field.DESIGNATION}, "Лист7", 3, is_kept=True)
    table = read(
        "Заводской номер;Тип прибора\n0012345;СГВ-15\n0012346;СГВ-15\n", FleetMapping.from_json(kept.to_json())
    )

    assert [(row.serial, row.designation) for row in table.rows()] == [("0012345", "СГВ-15"), ("0012346", "СГВ-15")]


def test_table_without_rows_is_refused() -> None:
    """A header alone is no clean fleet."""
    with pytest.raises(TableError, match="no meter under it"):
        read("Зав. №;Тип;Год\n")


def test_verifications_that_cannot_be_judged_are_told() -> None:
    """Dates of verifications with no end, interval or known type: the report says that nothing was looked for."""
    report = check_fleet(read("Зав. №;Тип;Дата поверки\n0012345;СГВ-15;01.02.2018\n0012346;СГВ-15;01.02.2018\n"))

    assert "verification.unchecked" in [finding.rule.code for finding in report.findings]
