"""The files of the demo's maker: a production file in two halves and a bench file, equal for equal seeds.

Sixty meters in three local 1C codes, thirty in an XLSX and thirty in a CSV file. The XLSX has one serial that lost its
leading zero, the CSV one serial that stands in it twice; everything else is in order, so 58 are accepted.
"""

import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.exchange.tables import write_csv, write_xlsx
from node.passport.lines import SerialLine

MARK = "ПРИБОРУЧЁТ-ДЕМО"
MAKER = "ООО «Завод Приборучёт-Демо»"
JOIN_EUI = "02C0DE0000000001"
YEAR = 2026
COUNT = 60
HEADER = (
    "Код 1С",
    "Товарный знак",
    "Обозначение",
    "Исполнение",
    "Заводской номер",
    "Год выпуска",
    "DevEUI",
    "JoinEUI",
    "AppKey",
    "Прошивка",
    "Версия платы",
    "Партия",
    "Дата изготовления",
    "Код коробки",
)
SERIAL_AT = HEADER.index("Заводской номер")
BENCH_HEADER = (
    "Протокол",
    "Начало",
    "Окончание",
    "Обозначение",
    "Исполнение",
    "Заводской номер",
    "Год выпуска",
    "Партия",
    "Установка",
    "Зав. № установки",
    "Метод",
    "Место",
    "Неопределённость, %",
    "Установка поверена до",
    "Оператор",
    "t воздуха",
    "Давление",
    "Влажность",
    "t воды",
    "Стадия",
    "Точка",
    "Расход, м³/ч",
    "Объём эталона, м³",
    "Объём прибора, м³",
    "Предел, %",
    "Последнее показание, м³",
)


@dataclass(frozen=True, slots=True)
class Product:
    """One item of the maker's 1C: its local code, what is printed, how its serials look, how many are made.

    `central` is the type it is bound to at once, `later` the one it is bound to afterwards.
    """

    local: str
    name: str
    designation: str
    execution: str
    approval: str
    pattern: str
    width: int
    firmware: str
    count: int
    central: str | None = None
    later: str | None = None


PRODUCTS = (
    Product(
        "00-00005201", "БВ-15Д ХВС радио", "БВ-15Д", "БВ-15Д-80-Р868", "999910-00", "digits", 8, "1.4", 40, "t:cwv"
    ),
    Product(
        "00-00005202", "СЭ-2726Д радио", "СЭ-2726Д", "СЭ-2726Д-5-60-Р868", "999911-00", "digits", 7, "1.2", 10, "t:el"
    ),
    Product(
        "00-00005203",
        "ВС-15Д ХВС радио",
        "ВС-15Д",
        "ВС-15Д-80-Р868",
        "999902-00",
        "digits",
        8,
        "2.14",
        10,
        None,
        "t:cw",
    ),
)


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What the maker brings: files as bytes, and what the correct serials of the two faulty rows are."""

    production_xlsx: bytes
    production_csv: bytes
    bench_csv: bytes
    references: tuple[tuple[str, str], ...]
    later_references: tuple[tuple[str, str], ...]
    lost_zero: str
    duplicate: str
    intended: str


def make_files(seed: int) -> DemoFiles:
    """The maker's files: equal bytes for one seed, other serials and keys for another.

    `lost_zero` is the full serial of the row that lost its zero, `duplicate` the serial that stands twice and
    `intended` the one that its second row should have had.
    """
    source = random.Random(seed)
    rows = [row for product in PRODUCTS for row in _meters(source, product)]
    source.shuffle(rows)
    first, second = _with_lost_zero(rows[: COUNT // 2]), rows[COUNT // 2 :]
    original, copy = [at for at, row in enumerate(second) if row[0] == PRODUCTS[0].local][:2]
    duplicate, intended = second[original][SERIAL_AT], second[copy][SERIAL_AT]
    shown = [_replaced(row, duplicate) if at == copy else row for at, row in enumerate(second)]
    lost_zero = next(old[SERIAL_AT] for old, new in zip(rows, first, strict=False) if old != new)
    return DemoFiles(
        production_xlsx=write_xlsx(HEADER, first, "Производство"),
        production_csv=write_csv(HEADER, shown),
        bench_csv=write_csv(BENCH_HEADER, list(_bench_rows(source, rows))),
        references=tuple((product.local, product.central) for product in PRODUCTS if product.central),
        later_references=tuple((product.local, product.later) for product in PRODUCTS if product.later),
        lost_zero=lost_zero,
        duplicate=duplicate,
        intended=intended,
    )


def make_line(product: Product, line: str, publisher: str) -> SerialLine:
    """The serial line of a product; `line` is the subject of its record and `publisher` the organisation, in hex."""
    return SerialLine.model_validate_json(
        SerialLine.model_validate(
            {
                "line": line,
                "publisher": publisher,
                "marks": ({"name": MARK},),
                "designations": (product.designation, product.execution),
                "legal_makers": ({"name": MAKER},),
                "approvals": ({"name": product.approval},),
                "serial": {"pattern": product.pattern, "width": product.width},
                "dev_eui_prefixes": ("02c0de00",),
            }
        ).to_bytes()
    )


def _meters(source: random.Random, product: Product) -> Iterator[list[str]]:
    # Serials begin with 0, as those of a young line do, so that a spreadsheet can lose the zero.
    numbers = source.sample(range(10 ** (product.width - 2), 10 ** (product.width - 1)), product.count)
    made = datetime.date(YEAR, 3, 2) + datetime.timedelta(days=source.randrange(60))
    batch = f"П-{made:%Y-%m}-{source.randrange(1, 9):02d}"
    for number in numbers:
        yield [
            product.local,
            MARK,
            product.designation,
            product.execution,
            f"{number:0{product.width}d}",
            str(YEAR),
            f"02C0DE00{source.getrandbits(32):08X}",
            JOIN_EUI,
            source.randbytes(16).hex().upper(),
            product.firmware,
            "C",
            batch,
            f"{made:%d.%m.%Y}",
            f"{source.getrandbits(40):010X}",
        ]


def _with_lost_zero(rows: Sequence[list[str]]) -> list[list[str]]:
    at = next(at for at, row in enumerate(rows) if row[0] == PRODUCTS[0].local)
    short = rows[at][SERIAL_AT].lstrip("0")
    return [_replaced(row, short) if place == at else row for place, row in enumerate(rows)]


def _replaced(row: list[str], serial: str) -> list[str]:
    return [serial if at == SERIAL_AT else text for at, text in enumerate(row)]


# Flow in m³/h, volume through the reference in m³, permissible error in per cent.
_POINTS = (("Q1", "0,02", 0.005, "5"), ("Q2", "0,032", 0.01, "2"), ("Q3", "1,6", 0.1, "2"))


def _bench_rows(source: random.Random, rows: Sequence[list[str]]) -> Iterator[list[str]]:
    water = [row for row in rows if row[2] != PRODUCTS[1].designation]
    for number, row in enumerate(water, 1):
        start = datetime.datetime(YEAR, 5, 4, 8, 0, tzinfo=datetime.UTC) + datetime.timedelta(minutes=4 * number)
        register = 0.0
        points = []
        for name, flow, volume, mpe in _POINTS:
            measured = round(volume * (1 + source.uniform(-0.8, 0.8) * float(mpe) / 100), 6)
            register += measured
            points.append((name, flow, _comma(volume), _comma(measured), mpe))
        last = _comma(round(register, 4))
        head = [
            f"ПР-26-{number:06d}",
            f"{start:%Y-%m-%dT%H:%M:%SZ}",
            f"{start + datetime.timedelta(minutes=29):%Y-%m-%dT%H:%M:%SZ}",
        ]
        bench = ["УП-Демо 15/20", "003", "gravimetric", str(number % 10 + 1), "0,25", "2027-02-10", "Оператор 12"]
        air = ["21,5", "98,6", "46", "19,8", "after-adjustment"]
        for point in points:
            yield [*head, *row[2:6], row[11], *bench, *air, *point, last]


def _comma(number: float) -> str:
    return f"{number:.6f}".rstrip("0").replace(".", ",")
