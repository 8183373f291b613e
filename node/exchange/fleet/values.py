"""Cells of a fleet as values: dates as people write them, intervals, units, resources, addresses.

Nothing here refuses: a value comes with the code of what is odd about it, and the rules say what that means.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from node.exchange.cells import Cell, CellKind, is_decimal, parse_decimal
from node.exchange.fleet.fields import fold_title

LONGEST = 64  # characters of a text that may be a date
EARLIEST_YEAR, LATEST_YEAR = 1970, 2099
NOTHING = frozenset(
    {
        *("-", "--", "---", "—", "–", "нет", "нет данных", "н/д", "нд", "отсутствует", "не установлен", "не указан"),
        *("нет пу", "нет ипу", "норматив", "n/a", "na", "none", "null", "без пу", "no", "не определено", ".", "0"),
        *("не поверен", "не поверялся", "?", "??", "???", "х", "x", "нет прибора", "снят"),
    }
)

_MONTHS: Final = {
    **{
        name: at
        for at, name in enumerate(
            ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"], 1
        )
    },
    **{
        name: at
        for at, name in enumerate(
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
        )
    },
    "май": 5,
}
_MONTH_WORD = re.compile(
    r"\b(?:янв(?:ар[ья])?|фев(?:рал[ья])?|мар(?:та?)?|апр(?:ел[ья])?|ма[йя]|июн[ья]?|июл[ья]?|авг(?:уста?)?|"
    r"сент?(?:ябр[ья])?|окт(?:ябр[ья])?|ноя(?:бр[ья])?|дек(?:абр[ья])?|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|"
    r"apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
_YEAR_IN = re.compile(r"\b20\d{2}\b")
_DAY_IN = re.compile(r"\b\d{1,2}[./-](0?[1-9]|1[0-2])[./-](\d{4}|\d{2})\b")
_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")
_YEAR_ONLY = re.compile(r"(?:19|20)\d{2}")
_WORDS = re.compile(r"(?:(\d{1,2})[ .-]+)?([a-zа-я]{3,9})\.?[ .,-]+(?:(\d{1,2}),? )?(\d{4}|\d{2})")
_QUARTER = re.compile(r"([1-4]|i{1,3}|iv)[ -]*(?:кв|квартал|q|quarter)\.? ?(\d{4})")
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_RANGE = re.compile(
    r"(\d{1,2}\.\d{1,2}\.\d{2,4})(?:\s*(?:г\.?)?\s*[-–—/;,]\s*|\s+(?:до|по|to)\s+)(\d{1,2}\.\d{1,2}\.\d{2,4})"
)
_PACKED = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_SERIAL_DAY = re.compile(r"(\d{5})(?:[.,]\d+)?")
_AROUND = re.compile(r"^(?:до|с|от|на|по|until|to|from|by)\s+|\s*(?:г(?:ода?)?\.?|year)$")
_TIME = re.compile(r"[ t]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?z?$")
_EXCEL = datetime.date(1899, 12, 30)

_INTERVAL = re.compile(r"(\d{1,3})(?:[.,]0+)?\s*([a-zа-я]*)\.?")
_FLAT = re.compile(
    r"\b(?:кв|квартира|пом|помещение|оф|офис|apt|flat|unit|room)\b\.?\s*(?:№\s*)?([0-9]{1,5}[a-zа-я]?)", re.I
)
_ADDRESS = re.compile(
    r"(?<!\w)(?:ул|улица|пр|пр-т|просп|проспект|пер|переулок|бульвар|б-р|бул|шоссе|ш|наб|набережная|пл|площадь|мкр"
    r"|мкрн|микрорайон|проезд|тракт|линия|тупик|дом|корп|кв|квартира|город|пос|село|дер|деревня|обл|снт|street|st"
    r"|road|rd|avenue|ave|apt|flat|house|lane|drive)(?:\.|\b)"
    # A letter alone is a word too, as in «с опозданием».
    r"|(?<!\w)[гдпсш](?:\.|(?=\s*(?:\d|,|$))|(?=\s+(?-i:[«\"А-ЯЁA-Z])))",
    re.IGNORECASE,
)
STREET = re.compile(
    r"(?<!\w)(?:ул|пр|просп|пер|б-р|бул|ш|наб|пл|мкр|микрорайон|проезд|тракт|улица|проспект|переулок|бульвар|шоссе"
    r"|street|st|road|rd|ave)(?:\.|\b)",
    re.IGNORECASE,
)
_YEARISH = re.compile(r"[\d\s./-]+(?:г|год|года)?\.?", re.IGNORECASE)
_RESOURCES: Final = {
    "cold_water": ("хвс", "схв", "хв", "холод", "cold", "cw"),
    "hot_water": ("гвс", "сгв", "гв", "горяч", "hot", "dhw", "hw"),
    "heat": ("тепл", "отопл", "heat", "цо", "то"),
    "electricity": ("элект", "ээ", "э э", "electr", "power", "свет"),
    "gas": ("газ", "gas"),
}
_SHORT: Final = {word: code for code, words in _RESOURCES.items() for word in words if len(word) <= 3}
_LONG: Final = {word: code for code, words in _RESOURCES.items() for word in words if len(word) > 3}
_UNITS: Final = {
    **dict.fromkeys(("м3", "m3", "куб", "кубм", "мкуб", "кубометр", "кубометры", "cubm", "cbm", "cum", "м"), "m3"),
    **dict.fromkeys(("л", "l", "литр", "литры", "литров", "liter", "liters", "litre", "litres", "дм3"), "L"),
    **dict.fromkeys(("гкал", "gcal", "гигакал"), "Gcal_IT"),
    **dict.fromkeys(("гдж", "gj"), "GJ"),
    **dict.fromkeys(("мдж", "mj"), "MJ"),
    **dict.fromkeys(("квтч", "квт", "kwh", "квтчас", "kwhr"), "kW.h"),
    **dict.fromkeys(("мвтч", "мвт", "mwh", "мвтчас"), "MW.h"),
    **dict.fromkeys(("т", "тн", "тонн", "тонна"), "t"),
    **dict.fromkeys(("ч", "час"), "h"),
}
_UNIT_NOISE = re.compile(r"[^0-9a-zа-я]+")
_IN_TITLE = re.compile(
    r"[,(\[]\s*([^,()\[\]]{1,12})\s*[)\]]?\s*$|\s(м3|м³|m3|гкал|гдж|квт[·*. ]?ч|kwh|мвт[·*. ]?ч|gj)$", re.I
)
QUANTITIES: Final = {
    "m3": "volume", "L": "volume", "Gcal_IT": "energy", "GJ": "energy", "MJ": "energy", "kW.h": "energy",
    "MW.h": "energy", "t": "mass", "h": "time",
}  # fmt: skip
# What a meter of a resource counts.
COUNTED: Final = {
    "cold_water": {"volume"},
    "hot_water": {"volume", "mass", "energy"},
    "heat": {"energy", "volume", "mass", "time"},
    "electricity": {"energy"},
    "gas": {"volume"},
}


@dataclass(frozen=True, slots=True)
class DayRead:
    """A date as it was read: `odd` is the code of what is wrong or guessed, `day` what it may still be taken for."""

    day: datetime.date | None = None
    odd: str = ""


def is_nothing(text: str) -> bool:
    """Whether a text says that there is nothing."""
    return text.casefold() in NOTHING


def read_day(cell: Cell, *, month_first: bool = False, at_end: bool = False) -> DayRead:
    """Read a date; `at_end` takes a month or a year for its last day. Odd: unreadable, impossible, short_year, number,
    swapped, month_only, year_only.
    """
    text = cell.text
    if len(text) > LONGEST:
        return DayRead(odd="unreadable")
    if cell.kind is CellKind.DATE:
        return _known_day(text[:10])
    if cell.kind is CellKind.NUMBER:
        return _number_day(text)
    bare = _AROUND.sub("", _AROUND.sub("", _TIME.sub("", text.casefold().strip()))).strip(" .")
    if found := _DAY_FIRST.fullmatch(bare):
        return _numbers_day(int(found[1]), int(found[2]), found[3], month_first=month_first)
    for pattern, read in _FORMS:
        if found := pattern.fullmatch(bare):
            return read(found, at_end)
    return DayRead(odd="unreadable")


def find_month(text: str) -> tuple[int, int] | None:
    """The year, 0 where none is told, and the month that a text names, as «март» or «на 01.04.2026»."""
    if found := _DAY_IN.search(text):
        return whole_year(found[2]), int(found[1])
    if found := _MONTH_WORD.search(text.casefold()):
        year = _YEAR_IN.search(text)
        return int(year[0]) if year else 0, _MONTHS[found[0][:3]]
    return None


def split_days(text: str) -> tuple[str, str] | None:
    """Two dates in one text, as in «12.03.2020 - 12.03.2026», or None."""
    found = _RANGE.search(text) if len(text) <= LONGEST else None
    return (found[1], found[2]) if found else None


def day_order(texts: list[str]) -> bool:
    """Whether a column writes the month first: some day stands second, and none first."""
    firsts = seconds = 0
    for text in texts:
        if found := _DAY_FIRST.fullmatch(_TIME.sub("", text.strip())):
            firsts += int(found[1]) > 12
            seconds += int(found[2]) > 12
    return seconds > firsts * 4


def whole_year(text: str) -> int:
    """A year of two or four digits, the two digits taken for one from 1970 to 2069."""
    return int(text) if len(text) == 4 else 2000 + int(text) - (100 if int(text) > 69 else 0)


def read_interval(text: str, *, in_years: bool) -> int | None:
    """An interval in months, or None; without a word of its own the column says whether it is years."""
    found = _INTERVAL.fullmatch(text[:LONGEST].casefold().strip())
    if not found or not 0 < int(found[1]) <= 480:
        return None
    number, word = int(found[1]), found[2]
    if word.startswith(("г", "л", "y")):
        return number * 12
    if word.startswith("м"):
        return number
    return (number * 12 if in_years else number) if not word else None


def find_unit(text: str) -> str | None:
    """The code of a unit as people write it, or None."""
    bare = _UNIT_NOISE.sub("", text.casefold().replace("³", "3").replace("ё", "е"))
    return _UNITS.get(bare)


def unit_of_title(title: str) -> str | None:
    """The unit that a header gives, as in «Показание, м3», or None."""
    found = _IN_TITLE.search(title)
    return find_unit(found[1] or found[2]) if found else None


def find_resource(text: str) -> str | None:
    """The resource that a text names, or None."""
    folded = fold_title(text[:LONGEST])
    for word in folded.split():
        if code := _SHORT.get(word) or _SHORT.get(word.rstrip("0123456789")):
            return code
        for stem, code in _LONG.items():
            if word.startswith(stem):
                return code
    return None


def split_flat(text: str) -> tuple[str, str | None]:
    """A flat and the resource that stands behind it, as in «кв. 12, СХВ»; the resource is None where there is none."""
    head, _, tail = text.rpartition(",")
    if head and len(tail) <= 12 and (code := find_resource(tail)) and not any(sign.isdigit() for sign in tail):
        return head.strip(), code
    head, _, tail = text.rpartition(" ")
    if head and (code := _SHORT.get(tail.casefold().strip("()."))) and _FLAT.search(head):
        return head.strip(" ,"), code
    return text, None


def looks_like_address(text: str) -> bool:
    """Whether a text reads as a part of an address."""
    return 3 <= len(text) <= 400 and bool(_ADDRESS.search(text)) and not _YEARISH.fullmatch(text)


def has_flat(text: str) -> bool:
    """Whether a text names a flat."""
    return bool(_FLAT.search(text))


def cut_to_flat(text: str) -> str:
    """A text up to the flat that it names: behind it stands who lives there."""
    found = _FLAT.search(text)
    return text[: found.end()] if found else text


def read_decimal(text: str) -> Decimal | None:
    """A number with a point or a comma, or None."""
    return parse_decimal(text) if is_decimal(text) else None


def add_months(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or the last one where that month is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return datetime.date(year, month + 1, min(day.day, _month_days(year, month + 1)))


def months_between(first: datetime.date, last: datetime.date) -> int:
    """Months from a day to one near the same day of a later month: the day before counts as it, and so do two weeks."""
    return round((last - first).days / 30.436875)


def _known_day(text: str) -> DayRead:
    found = _ISO.fullmatch(text)
    return _day(int(found[1]), int(found[2]), int(found[3])) if found else DayRead(odd="unreadable")


def _day(year: int, month: int, day: int) -> DayRead:
    try:
        read = datetime.date(year, month, day)
    except ValueError:
        if month > 12 >= day and 1 <= month <= 31:
            swapped = _day(year, day, month)
            return DayRead(swapped.day, swapped.odd or "swapped")
        return DayRead(odd="impossible")
    return DayRead(read) if EARLIEST_YEAR <= year <= LATEST_YEAR else DayRead(odd="impossible")


def _numbers_day(first: int, second: int, year: str, *, month_first: bool) -> DayRead:
    day, month = (second, first) if month_first else (first, second)
    read = _day(whole_year(year), month, day)
    return DayRead(read.day, "short_year") if read.day and not read.odd and len(year) == 2 else read


def _month(year: int, month: int, *, at_end: bool) -> DayRead:
    if not 1 <= month <= 12 or not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return DayRead(odd="impossible")
    return DayRead(datetime.date(year, month, _month_days(year, month) if at_end else 1), "month_only")


def _worded_day(found: re.Match[str], *, at_end: bool) -> DayRead:
    month = _MONTHS.get(found[2][:3])
    if month is None:
        return DayRead(odd="unreadable")
    year = whole_year(found[4])
    day = found[1] or found[3]
    return _day(year, month, int(day)) if day else _month(year, month, at_end=at_end)


def _number_day(text: str) -> DayRead:
    found = _SERIAL_DAY.fullmatch(text)
    if found and 18264 <= int(found[1]) <= 73050:
        return DayRead(_EXCEL + datetime.timedelta(days=int(found[1])), "number")
    if _YEAR_ONLY.fullmatch(text):
        return DayRead(datetime.date(int(text), 1, 1), "year_only")
    if packed := _PACKED.fullmatch(text):
        return _day(int(packed[1]), int(packed[2]), int(packed[3]))
    return DayRead(odd="unreadable")


def _month_days(year: int, month: int) -> int:
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    return (following - datetime.timedelta(days=1)).day


def _whole_day(found: re.Match[str], _at_end: bool) -> DayRead:
    return _day(int(found[1]), int(found[2]), int(found[3]))


def _year_day(found: re.Match[str], at_end: bool) -> DayRead:
    year = int(found[0])
    return DayRead(datetime.date(year, 12, 31) if at_end else datetime.date(year, 1, 1), "year_only")


def _quarter_day(found: re.Match[str], at_end: bool) -> DayRead:
    quarter = _ROMAN.get(found[1]) or int(found[1])
    return _month(int(found[2]), quarter * 3 if at_end else quarter * 3 - 2, at_end=at_end)


# In order: a quarter is words too, and a year of four digits is no spreadsheet's number.
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], bool], DayRead]], ...]] = (
    (_ISO, _whole_day),
    (_MONTH_YEAR, lambda found, at_end: _month(int(found[2]), int(found[1]), at_end=at_end)),
    (_YEAR_ONLY, _year_day),
    (_QUARTER, _quarter_day),
    (_WORDS, lambda found, at_end: _worded_day(found, at_end=at_end)),
    (_PACKED, _whole_day),
    (_SERIAL_DAY, lambda found, _at_end: _number_day(found[0])),
)
