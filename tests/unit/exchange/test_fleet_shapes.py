"""Shapes in which billing systems, housing companies and state forms export their meters, each read as it is meant."""

import datetime
import io
import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from openpyxl import Workbook

from node.exchange.errors import ColumnError, ExchangeError
from node.exchange.fleet.checkup import check_fleet
from node.exchange.fleet.fields import Field
from node.exchange.fleet.intake import take_in
from node.exchange.fleet.known import Known
from node.exchange.fleet.mapping import FleetMapping
from node.exchange.fleet.reader import FleetTable, Passed, read_fleet
from node.exchange.fleet.report import write_report
from node.passport.plate import comparison_text
from tests.fleets import ON

Cells = Sequence[object]


def read(text: str, encoding: str = "utf-8") -> FleetTable:
    """A CSV table."""
    return read_fleet(text.encode(encoding), today=ON)


def book(sheets: dict[str, list[Cells]], *merged: str, mapping: FleetMapping | None = None) -> FleetTable:
    """A table of a workbook with these sheets, areas of the first of them merged."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        made.worksheets[0].merge_cells(area)
    out = io.BytesIO()
    made.save(out)
    return read_fleet(out.getvalue(), mapping, today=ON)


def fields(table: FleetTable) -> list[Field]:
    """What each column was taken for."""
    return [column.field for column in table.layout.columns]


def meters(count: int, first: int = 1) -> list[tuple[str, str]]:
    """Flats and serials."""
    return [(str(at), f"{10_000_000 + at * 7919}") for at in range(first, first + count)]


def test_old_unix_code_page_is_told_from_windows() -> None:
    """KOI8-R and windows-1251 share all bytes: the letters that Russian uses decide."""
    text = "Адрес;Тип;Зав. номер;Поверен до\nул. Мира, д. 1, кв. 2;СГВ-15;00123456;01.02.2030\n"
    for encoding in ("koi8-r", "cp1251", "cp866"):
        table = read(text, encoding)
        assert (table.layout.encoding, [row.serial for row in table.rows()]) == (encoding, ["00123456"])


def test_commas_of_addresses_are_no_delimiter() -> None:
    """A mark that spaces follow is one of a text, however often it stands in every line."""
    lines = "".join(f"ул. Мира, д. 1, кв. {flat};СГВ-15, зав. № {serial};01.02.2030\n" for flat, serial in meters(9))
    rows = list(read(f"Адрес объекта;Прибор учёта;Поверен до\n{lines}").rows())
    assert [(row.designation, row.serial) for row in rows] == [("СГВ-15", serial) for _, serial in meters(9)]
    assert rows[0].address == "ул. Мира, д. 1, кв. 1"


def test_last_filled_month_is_the_reading() -> None:
    """Under a merged heading of readings by months the last filled one counts, and the one before it is previous."""
    head: list[Cells] = [
        ["Кв.", "Тип", "Зав. №", "Показания 2026", None, None, None],
        [None] * 3 + ["янв", "фев", "март", "апр"],
    ]
    rows: list[Cells] = [[flat, "СГВ-15", serial, 10, 20, 30, None] for flat, serial in meters(5)]
    table = book({"Дом": head + rows}, "A1:A2", "B1:B2", "C1:C2", "D1:G1")
    assert table.layout.header.rows == (1, 2)
    assert {(row.previous, row.reading) for row in table.rows()} == {(Decimal(20), Decimal(30))}


def test_number_of_the_list_beside_a_serial_is_no_second_meter() -> None:
    """On the form of ГИС ЖКХ «Номер ПУ» is its own; a row that counts columns in brackets is passed over."""
    rows = "".join(f"{flat}-ПУ;{serial};СГВ-15;{flat}\n" for flat, serial in meters(5))
    head = (
        "Номер ПУ (лицевого счета, иной код);Заводской (серийный) номер ПУ;Модель ПУ;Номер квартиры\n(1);(2);(3);(4)\n"
    )
    table = read(head + rows)
    assert fields(table) == [Field.OWN_NUMBER, Field.SERIAL, Field.DESIGNATION, Field.FLAT]
    assert [row.serial for row in table.rows()] == [serial for _, serial in meters(5)]


def test_address_beside_its_word_above_the_header_is_that_of_the_house() -> None:
    """«Дом:» with the address in the next cell is a line over the table, not a part of its header."""
    head: list[Cells] = [["Отчёт по ИПУ"], ["Дом:", "ул. Мира, д. 1"], ["№", "кв", "тип ИПУ", "№ ИПУ"]]
    table = book({"отчёт": [*head, *([at, flat, "СГВ-15", serial] for at, (flat, serial) in enumerate(meters(6), 1))]})
    assert next(table.rows()).address == "ул. Мира, д. 1, кв. 1"


def test_flat_that_stands_once_is_that_of_the_meters_under_it() -> None:
    """A flat is carried to the rows under it, and no further than its house."""
    rows = "ул. Мира, д. 1;1;00000011;СГВ-15\n;;00000012;СГВ-15\n;2;00000013;СГВ-15\n;;00000014;СГВ-15\n"
    rows += "ул. Мира, д. 2;;00000015;ВТ-50\n;1;00000016;СГВ-15\n;;00000017;СГВ-15\n"
    found = [row.address for row in read(f"Адрес;Кв.;№ ИПУ;Марка\n{rows}").rows()]
    first, second = "ул. Мира, д. 1", "ул. Мира, д. 2"
    flats = [f"{first}, кв. 1"] * 2 + [f"{first}, кв. 2"] * 2 + [second] + [f"{second}, кв. 1"] * 2
    assert found == flats


def test_headings_of_flats_stand_under_that_of_the_house_without_names() -> None:
    """A heading goes under those that are wider; who lives in a flat is cut off, and a remark is no heading."""
    lines = [
        "ул. Мира, д. 10;;",
        "Услуга;Тип;Зав. №",
        "кв. 1 Иванов И. И.;;",
        "ХВС;СХВ-15;00000011",
        "ГВС;СГВ-15;00000012",
    ]
    lines += [
        "* показания с опозданием, страница 1;;",
        "кв. 2 Петров П. П.;;",
        "ХВС;СХВ-15;00000013",
        "ул. Ленина, д. 3;;",
    ]
    found = [row.address for row in read("\n".join([*lines, "ХВС;СХВ-15;00000014", ""])).rows()]
    assert found == [*["ул. Мира, д. 10, кв. 1"] * 2, "ул. Мира, д. 10, кв. 2", "ул. Ленина, д. 3"]


def test_signatures_under_the_last_meter_are_none() -> None:
    """Words without a digit behind the last serial are a footer, whoever signs."""
    rows = "".join(f"{flat};СГВ-15;{serial};01.02.2030\n" for flat, serial in meters(5))
    passed = Passed()
    table = read(f"Кв.;Тип;Зав. №;Поверен до\n{rows};Техник по учёту;;Сидоров\n")
    assert len(list(table.rows(passed))) == 5
    assert passed.footers == 1


HEAD: Cells = ["Кв.", "Тип", "Зав. №", "Поверен до"]
HOUSES: dict[str, list[Cells]] = {
    "Мира 1": [HEAD, *([f, "СГВ-15", s, "01.02.2030"] for f, s in meters(4))],
    "Мира 2": [
        ["№ п/п", "Поверен до", "Кв.", "Заводской номер", "Тип"],
        *([f, "01.02.2020", f, s, "СГВ-15"] for f, s in meters(3, 20)),
    ],
    "Тепло": [
        ["Теплосчётчики"],
        ["Номер теплосчётчика", "Объект", "Тип", "Показание, Гкал"],
        *([s, f"ул. Мира, д. {f}", "КТ-15", 5] for f, s in meters(2, 40)),
    ],
    "Снятые": [HEAD, *([f, "СГВ-15", s, "01.02.2020"] for f, s in meters(2, 60))],
}  # fmt: skip


def test_sheets_with_other_columns_are_each_read_by_their_own_header() -> None:
    """Sheets of one fleet are one table whatever the order and the titles of their columns; removed meters are not."""
    table = book(HOUSES)
    rows = list(table.rows())
    where = table.layout.where
    assert [where(row.row) for row in rows] == [
        *("Мира 1!2", "Мира 1!3", "Мира 1!4", "Мира 1!5", "Мира 2!2", "Мира 2!3", "Мира 2!4", "Тепло!3", "Тепло!4")
    ]
    assert [row.serial for row in rows] == [s for _, s in (*meters(4), *meters(3, 20), *meters(2, 40))]
    assert (rows[4].address, rows[4].valid_until) == ("Мира 2, кв. 20", datetime.date(2020, 2, 1))
    assert (rows[7].unit, rows[0].unit) == ("Gcal_IT", None)
    assert [other.name for other in table.others] == ["Снятые"]


def test_finding_in_another_sheet_names_the_column_of_that_sheet() -> None:
    """A finding, the rows of the report and those that go back speak of the sheet's own columns."""
    table = book(HOUSES | {"Тепло": [*HOUSES["Тепло"], ["", "ул. Мира, д. 9", "КТ-15", 7]]})
    report = check_fleet(table)
    found = {(table.layout.where(f.row), f.column) for f in report.findings if f.rule.code == "serial.required"}
    assert found == {("Тепло!5", "Номер теплосчётчика")}
    assert "ул. Мира, д. 9" in write_report(report, table, "html", "ru").decode()


def test_mapping_of_several_sheets_gives_the_same_reading() -> None:
    """What one sheet lacks another one has; a header that no sheet has is refused."""
    table = book(HOUSES)
    again = book(HOUSES, mapping=table.layout.mapping)
    assert [row.serial for row in again.rows()] == [row.serial for row in table.rows()]
    with pytest.raises(ColumnError, match="Нет такого"):
        book(HOUSES, mapping=FleetMapping({"Зав. №": Field.SERIAL, "Нет такого": Field.YEAR}))


def test_meters_of_every_sheet_are_taken_in() -> None:
    """An import judges the meters of all sheets."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in HOUSES.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    out = io.BytesIO()
    made.save(out)
    intake = take_in(out.getvalue(), FleetMapping(), today=ON, known=Known(), log=b"l" * 16, source="s")
    assert len(intake.meters) == 9
    assert not intake.refused
    assert comparison_text(intake.rows[7].designation) == comparison_text("КТ-15")


def test_table_on_its_side_is_refused_with_what_to_do() -> None:
    """A table whose fields stand in rows is told so."""
    rows = (["Адрес", *(f"ул. Мира, д. 1, кв. {f}" for f, _ in meters(5))], ["Тип", *["СГВ-15"] * 5])
    lines = [
        ";".join(row)
        for row in (*rows, ["Заводской номер", *(s for _, s in meters(5))], ["Поверен до", *["01.02.2030"] * 5])
    ]
    with pytest.raises(ColumnError, match="on its side"):
        read("\n".join(["Показатель;1;2;3;4;5", *lines, ""]))


def test_refusal_of_a_file_is_told_in_both_languages() -> None:
    """Whatever stands against a whole file is said in Russian and in English, with what to do."""
    page, old, damaged = b"<html><table></table></html>", bytes.fromhex("d0cf11e0a1b11ae1"), b"PK\x03\x04" + b"\0" * 40
    bare, sideways = "Адрес;Сумма\nул. Мира;5\n".encode(), "Тип;А;Б\nЗав. №;1;2\nПоверен до;1;2\n".encode()
    for raw in (page, old, damaged, bare, sideways, b"", b"\0\1\2\3", "Зав. №;Тип\n".encode()):
        with pytest.raises(ExchangeError) as refused:
            read_fleet(raw, today=ON)
        russian, english = refused.value.text("ru"), refused.value.text("en")
        assert re.search("[а-яё]{4}", russian), russian
        assert english == str(refused.value) != russian
    with pytest.raises(ColumnError) as lacking:
        FleetMapping.from_pairs(["Графа=height"])
    assert "поля «height» нет" in lacking.value.text("ru")
