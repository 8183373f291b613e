"""Ugly fleet tables with faults that are known: one list of meters, written in the shapes in which people send them."""

import csv
import datetime
import io
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

ON = datetime.date(2026, 5, 1)
COUNTED = 60
TYPES = ("ВС-15Д", "БВ-15Д", "ВТ-50Д")  # of the catalog that ships
APPROVALS = {"ВС-15Д": "999902-00", "БВ-15Д": "999910-00", "ВТ-50Д": "999908-00"}
STREETS = ("ул. Ленина", "ул. Мира", "пр-т Победы")


@dataclass(frozen=True)
class Sample:
    """A meter as somebody typed it; `rules` are those that its row must break."""

    address: str
    account: str
    resource: str
    designation: str
    serial: str
    year: str
    verified: str
    until: str
    interval: str
    approval: str
    previous: str
    reading: str
    unit: str
    dev_eui: str
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """A way of writing a table: bytes, and the row in which each meter stands."""

    name: str
    write: Callable[[list[Sample]], tuple[bytes, list[int]]]
    lacks: frozenset[str] = frozenset()  # names of faults that such a table cannot show, or shows as others


def clean(count: int, seed: int) -> list[Sample]:
    """Meters with nothing wrong."""
    source = random.Random(seed)
    serials = source.sample(range(10**5, 10**8), count)
    meters = []
    for at, serial in enumerate(serials):
        kind = TYPES[at % len(TYPES)]
        verified = datetime.date(2021, 1, 1) + datetime.timedelta(days=source.randrange(1500))
        until = verified.replace(year=verified.year + 6, day=min(verified.day, 28))
        if (until - ON).days <= 90:
            verified, until = verified.replace(year=2024, day=1), until.replace(year=2030, day=1)
        reading = source.randrange(2_000, 400_000) / 1000
        meters.append(
            Sample(
                address=f"{STREETS[at // 40 % 3]}, д. {at // 20 + 1}, кв. {at % 20 + 1}",
                account=f"{7_000_000_000 + at * 31}",
                resource="ХВС",
                designation=kind,
                serial=f"{serial:08d}",
                year=str(verified.year - 1),
                verified=_day(verified),
                until=_day(until),
                interval="72",
                approval=APPROVALS[kind],
                previous=_comma(reading - source.randrange(100, 1900) / 1000),
                reading=_comma(reading),
                unit="м3",
                dev_eui=f"02C0DE00{source.getrandbits(32):08X}",
            )
        )
    return meters


@dataclass
class Planting:
    """A list of meters into which faults are put, each in a row of its own."""

    meters: list[Sample]
    source: random.Random
    free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Leave the first rows as they are: the later one of two is told."""
        self.free = list(range(5, len(self.meters)))
        self.source.shuffle(self.free)

    def plant(self, rules: str | Iterable[str], **changes: str) -> None:
        """Change a meter so that its row breaks these rules."""
        at = self.free.pop()
        told = frozenset([rules] if isinstance(rules, str) else rules)
        self.meters[at] = replace(self.meters[at], rules=told, **changes)

    def copy(self, rule: str, **changes: str) -> None:
        """Make a meter a copy of one of the first, which its row is told for."""
        at = self.free.pop()
        first = self.meters[at % 3]
        same = ("designation", "approval", "serial", "year", "verified", "until")
        told = {name: getattr(first, name) for name in same} | changes
        self.meters[at] = replace(self.meters[at], rules=frozenset([rule]), **told)


def planted(count: int, seed: int, lacks: frozenset[str] = frozenset()) -> list[Sample]:
    """Meters with one of each fault somewhere among them."""
    planting = Planting(clean(count, seed), random.Random(seed))
    for name, plant in FAULTS.items():
        if name not in lacks:
            plant(planting)
    return planting.meters


def _lost_zero(planting: Planting) -> None:
    at = next(place for place in planting.free if planting.meters[place].serial.startswith("0"))
    planting.free.remove(at)
    meter = planting.meters[at]
    planting.meters[at] = replace(meter, serial=meter.serial[1:], rules=frozenset({"serial.lost_zero"}))


def _look_alike(planting: Planting) -> None:
    at = next(place for place in planting.free if "3" in planting.meters[place].serial)
    planting.free.remove(at)
    meter = planting.meters[at]
    changed = meter.serial.replace("3", "З", 1)
    planting.meters[at] = replace(meter, serial=changed, rules=frozenset({"serial.look_alike"}))


FAULTS: dict[str, Callable[[Planting], None]] = {
    "lost_zero": _lost_zero,
    "look_alike": _look_alike,
    "no_serial": lambda to: to.plant("serial.required", serial=""),
    "unreadable_serial": lambda to: to.plant("serial.unreadable", serial="б/н"),
    "long_serial": lambda to: to.plant("serial.too_long", serial="1" * 70),
    "wide_serial": lambda to: to.plant("serial.width", serial="12345678901"),
    "account_serial": lambda to: to.plant("serial.account", serial="7000009999", account="7000009999"),
    "inn_serial": lambda to: to.plant("serial.inn", serial="7707083893"),
    "exponent_serial": lambda to: to.plant("cell.number", serial="1,23457E+11"),
    "exponent_eui": lambda to: to.plant("cell.number", dev_eui="7.0E+15"),
    "error_serial": lambda to: to.plant("cell.error", serial="#Н/Д"),
    "error_date": lambda to: to.plant("cell.error", until="########"),
    "formula": lambda to: to.plant("cell.formula", reading="=A1+1"),
    "twin": lambda to: to.copy("serial.twin"),
    "unknown_type": lambda to: to.plant("type.unknown", designation="ЫЫ-99", approval=""),
    "no_type": lambda to: to.plant("type.required", designation="", approval=""),
    "approval_form": lambda to: to.plant("approval.form", approval="СИ № 7"),
    "other_approval": lambda to: to.plant("approval.unknown", approval="12345-18"),
    "no_such_day": lambda to: to.plant("date.impossible", verified="31.02.2024"),
    "year_1900": lambda to: to.plant("date.impossible", verified="01.01.1900"),
    "date_words": lambda to: to.plant("date.unreadable", verified="весной"),
    "future": lambda to: to.plant("date.future", verified="01.06.2031", until="01.06.2037"),
    "swapped": lambda to: to.plant("date.swapped", verified="03.25.2024", until="25.03.2030"),
    "short_year": lambda to: to.plant("date.short_year", verified="12.03.24", until="12.03.2030"),
    "number_date": lambda to: to.plant("date.number", verified="45292", until="01.01.2030"),
    "year_form": lambda to: to.plant("year.form", year="202"),
    "before_made": lambda to: to.plant(
        "verification.before_made", verified="12.03.2024", until="12.03.2030", year="2025"
    ),
    "order": lambda to: to.plant("verification.order", verified="12.03.2025", until="12.03.2019"),
    "expired": lambda to: to.plant("verification.expired", verified="12.03.2020", until="12.03.2026", year="2020"),
    "expiring": lambda to: to.plant("verification.expiring", verified="12.06.2020", until="12.06.2026", year="2020"),
    "interval": lambda to: to.plant("verification.interval", verified="12.06.2024", until="12.06.2035"),
    "no_date": lambda to: to.plant("verification.missing", verified="", until=""),
    "interval_form": lambda to: to.plant("interval.form", interval="долго"),
    "unit_unknown": lambda to: to.plant("unit.unknown", unit="бочка"),
    "unit_of_power": lambda to: to.plant("unit.resource", unit="кВт·ч"),
    "slip": lambda to: to.plant("unit.slip", reading="212345", previous="211345"),
    "reading_words": lambda to: to.plant("reading.form", reading="много"),
    "negative": lambda to: to.plant("reading.negative", reading="-5"),
    "back": lambda to: to.plant("reading.back", reading="11,5", previous="12,5"),
    "eui_15": lambda to: to.plant("dev_eui.form", dev_eui="02C0DE000000001"),
    "eui_17": lambda to: to.plant("dev_eui.form", dev_eui="02C0DE00000000017"),
    "eui_letters": lambda to: to.plant("dev_eui.look_alike", dev_eui="02С0DЕ0000000017"),
    "eui_twice": lambda to: to.plant("dev_eui.duplicate", dev_eui=to.meters[1].dev_eui),
}

HEADER = (
    "Адрес", "Л/с", "Услуга", "Тип ПУ", "Зав. №", "Год выпуска", "Дата поверки", "Дата очередной поверки", "МПИ, мес",
    "ГРСИ", "Пред. показание", "Показание", "Ед. изм.", "DevEUI",
)  # fmt: skip
ENGLISH = (
    "Site", "Account no", "Resource", "Model", "Meter no", "Year of manufacture", "Last verification",
    "Next verification", "Interval, months", "Type approval", "Previous reading", "Reading", "Unit", "DevEUI",
)  # fmt: skip


def cells(meter: Sample) -> list[str]:
    """The cells of a meter in the order of the header."""
    return [
        meter.address, meter.account, meter.resource, meter.designation, meter.serial, meter.year, meter.verified,
        meter.until, meter.interval, meter.approval, meter.previous, meter.reading, meter.unit, meter.dev_eui,
    ]  # fmt: skip


def as_csv(
    header: tuple[str, ...] | None = HEADER, *, delimiter: str = ";", encoding: str = "utf-8", above: int = 0
) -> Callable[[list[Sample]], tuple[bytes, list[int]]]:
    """A CSV file under title lines."""

    def write(meters: list[Sample]) -> tuple[bytes, list[int]]:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
        for _ in range(above):
            writer.writerow(["Реестр приборов учёта"])
        if header:
            writer.writerow(header)
        first = above + bool(header) + 1
        writer.writerows(cells(meter) for meter in meters)
        return out.getvalue().encode(encoding), list(range(first, first + len(meters)))

    return write


def as_billing(meters: list[Sample]) -> tuple[bytes, list[int]]:
    """A billing export: a title, a header of two rows with merged groups, a row for each house, totals, a signature."""
    book, rows = _book("Титул"), []
    book["Титул"].append(["Отчёт за апрель 2026"])
    sheet: Worksheet = book.create_sheet("TDSheet")
    sheet.append(["Ведомость приборов учёта"])
    sheet.merge_cells("A1:O1")
    sheet.append([])
    sheet.append(
        ["№ п/п", "Квартира", "Л/с", "Услуга", "Прибор учёта", "", "", "Поверка", "", "", "ГРСИ", "Показание", "",
         "Ед. изм.", "DevEUI"]
    )  # fmt: skip
    sheet.append(["", "", "", "", "Марка", "Номер", "Год", "Последняя", "Следующая", "МПИ, мес", "", "Пред.", "Текущ."])
    for area in ("A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:G3", "H3:J3", "K3:K4", "L3:M3", "N3:N4", "O3:O4"):
        sheet.merge_cells(area)
    sheet.append(list(range(1, 16)))
    house = ""
    for number, meter in enumerate(meters, 1):
        where, _, flat = meter.address.rpartition(", ")
        if where != house:
            house = where
            sheet.append([where])
            sheet.merge_cells(start_row=sheet.max_row, start_column=1, end_row=sheet.max_row, end_column=15)
        _, *rest = cells(meter)
        sheet.append([number, flat, *rest])
        for cell in sheet[sheet.max_row]:
            if str(cell.value or "").startswith("="):
                cell.data_type = "f"
        rows.append(sheet.max_row)
    sheet.append(["Итого", *[""] * 11, "99999"])
    sheet.append(["Исполнитель: Петрова А. А."])
    return _saved(book), rows


def as_apartments(meters: list[Sample]) -> tuple[bytes, list[int]]:
    """An apartment list: the address of a house merged over its meters, type and number in one cell."""
    book, rows = _book("Дом"), []
    sheet: Worksheet = book["Дом"]
    sheet.append(
        ["Дом", "Кв.", "Лицевой счёт", "Прибор учёта (тип, №)", "Год выпуска", "Поверен", "Поверен до", "МПИ, мес",
         "Госреестр", "Предыдущее показание", "Показание", "Единица измерения", "DevEUI", "Собственник"]
    )  # fmt: skip
    house, first = "", 0
    for meter in [*meters, None]:
        where = meter.address.rpartition(", ")[0] if meter else ""
        if where != house:
            if house:
                sheet.merge_cells(start_row=first, start_column=1, end_row=sheet.max_row, end_column=1)
            house, first = where, sheet.max_row + 1
        if meter:
            device = f"{meter.designation} № {meter.serial}".strip()
            _, account, _, _, _, *rest = cells(meter)
            flat = meter.address.rpartition(", ")[2].removeprefix("кв. ")
            sheet.append([where, flat, account, device, *rest, "Иванов Иван Иванович"])
            rows.append(sheet.max_row)
    return _saved(book), rows


def as_plain_book(meters: list[Sample]) -> tuple[bytes, list[int]]:
    """One sheet of texts."""
    book = _book("Приборы")
    for row in (list(HEADER), *map(cells, meters)):
        book["Приборы"].append(row)
    return _saved(book), list(range(2, len(meters) + 2))


# Without a header nobody can tell an account from another number, nor which of two readings is the later one.
NOT_WITHOUT_HEADER = frozenset({"account_serial", "formula", "reading_words", "negative", "back"})
# A serial that stands behind the designation is no cell of its own, and the list names no resource.
NOT_TOGETHER = frozenset({"no_serial", "error_serial", "unit_of_power"})
SHAPES = (
    Shape("plain csv", as_csv()),
    Shape("cp1251 with tabs under titles", as_csv(delimiter="\t", encoding="cp1251", above=2)),
    Shape("dos 866", as_csv(encoding="cp866")),
    Shape("utf-16 with bars", as_csv(delimiter="|", encoding="utf-16")),
    Shape("english with commas", as_csv(ENGLISH, delimiter=",")),
    Shape("no header", as_csv(None), NOT_WITHOUT_HEADER),
    Shape("workbook", as_plain_book),
    Shape("billing export", as_billing),
    Shape("apartment list", as_apartments, NOT_TOGETHER),
)


def _book(title: str) -> Workbook:
    """A workbook with one sheet."""
    book = Workbook(write_only=False)
    for sheet in book.worksheets:
        sheet.title = title
    return book


def _saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _day(day: datetime.date) -> str:
    return day.strftime("%d.%m.%Y")


def _comma(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")
