"""What a column holds, by its cells: the share of them that reads as a date, a serial, an address and so on."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from node.exchange.cells import Cell, CellKind
from node.exchange.fleet.fields import Field
from node.exchange.fleet.plates import LONGEST_DEVICE
from node.exchange.fleet.values import find_resource, find_unit, is_nothing, looks_like_address
from node.passport.plate import cut_label, split_typed

SAMPLE = 300
SHOWN = 3

_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{1,2}-\d{1,2})(?:[ T]\d.*)?(?: ?г\.?)?")
_YEAR = re.compile(r"(?:19[5-9]|20[0-4])\d")
_GRSI = re.compile(r"\d{4,6}-\d{2}")
_EUI = re.compile(r"[0-9A-Fa-f]{2}(?:[ :-]?[0-9A-Fa-f]{2}){7}")
_SERIAL = re.compile(r"(?:№ ?)?[A-Za-zА-Яа-я]{0,4}[- ]?\d{4,15}(?:[-/]\d{1,4})?[A-Za-zА-Яа-я]?")
_SMALL = re.compile(r"\d{1,3}(?: ?(?:лет|год[а]?|мес\w*\.?|years?|months?))?")
_FRACTION = re.compile(r"\d{1,9}[.,]\d{1,6}")
_PERSON = re.compile(
    r"[А-ЯЁ][а-яё-]+ (?:[А-ЯЁ][а-яё]+ [А-ЯЁ][а-яё]+(?:вич|вна|ична|ьич|оглы|кызы)|[А-ЯЁ]\. ?[А-ЯЁ]\.?)"
)
_LETTER = re.compile(r"[A-Za-zА-Яа-яЁё]")


@dataclass(frozen=True, slots=True)
class Content:
    """What the sampled cells of a column are: how many, how different, and shares from 0 to 1 by field."""

    filled: int
    distinct: float
    is_sequence: bool
    shares: Mapping[Field, float]
    dates: float
    fractions: float
    zeros: bool
    has_digits: bool
    sample: tuple[str, ...]

    def share(self, field: Field) -> float:
        """How much of the column reads as a field."""
        return self.shares.get(field, 0.0)


def study(cells: Sequence[Cell]) -> Content:
    """Look at a column's cells, those that say nothing left out."""
    found = [cell for cell in cells if cell.text and not cell.is_spread and not is_nothing(cell.text)]
    step = max(1, len(found) // SAMPLE)
    found = found[::step][:SAMPLE]
    texts = [cell.text for cell in found]
    total = max(1, len(texts))
    counts: dict[Field, int] = {}
    for text in texts:
        for field in _kinds(text):
            counts[field] = counts.get(field, 0) + 1
    dates = sum(cell.kind is CellKind.DATE or bool(_DATE.fullmatch(cell.text)) for cell in found)
    distinct = len(set(texts)) / total
    shares = {field: count / total for field, count in counts.items()}
    if distinct < 0.5 or _is_sequence(texts):
        shares.pop(Field.SERIAL, None)
        shares.pop(Field.DEVICE, None)
    if distinct > 0.5 and len(set(texts)) > 12:
        shares.pop(Field.DESIGNATION, None)
    return Content(
        filled=len(texts),
        distinct=distinct,
        is_sequence=_is_sequence(texts),
        shares=shares,
        dates=dates / total,
        fractions=sum(bool(_FRACTION.fullmatch(text)) for text in texts) / total,
        has_digits=any(any(sign.isdigit() for sign in text) for text in texts),
        zeros=any(text.startswith("0") and len(text) > 3 and text.isdecimal() for text in texts),
        sample=tuple(dict.fromkeys(text[:40] for text in texts))[:SHOWN],
    )


def _kinds(text: str) -> list[Field]:
    """The fields that a text may be of, dates aside."""
    if _DATE.fullmatch(text):
        return []
    kinds = [field for field, reads in _READS if reads(text)]
    return [field for field in kinds if field is not Field.SERIAL or not {Field.YEAR, Field.APPROVAL} & set(kinds)] + [
        field for field, reads in _WORDED if reads(text)
    ][:1]


def is_device(text: str) -> bool:
    """Whether a text holds a designation and a serial."""
    parts = split_typed(text) if len(text) <= LONGEST_DEVICE else None
    if not parts or not _LETTER.search(parts[0]):
        return False
    digits = sum(sign.isdigit() for sign in parts[1])
    rest = text.removeprefix(parts[0]).strip()
    return digits >= 5 or (digits >= 3 and cut_label(rest) != rest)


def _is_sequence(texts: Sequence[str]) -> bool:
    """Whether the cells count up one by one, as line numbers do."""
    numbers = [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 7]
    if len(numbers) < 3 or len(numbers) < len(texts) * 0.9 or numbers[0] > 10:
        return False
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    # A long column is sampled evenly, so its steps are equal without being one.
    return sum(0 < step <= max(3, 2 * min(steps, default=1)) for step in steps) > len(steps) * 0.8


def _is_eui(text: str) -> bool:
    return bool(_EUI.fullmatch(text)) and (len(text) == 16 or bool(_LETTER.search(text)))


def _is_unit(text: str) -> bool:
    return len(text) <= 8 and find_unit(text) is not None


def _is_resource(text: str) -> bool:
    return len(text) <= 40 and not any(sign.isdigit() for sign in text) and find_resource(text) is not None


def _is_designation(text: str) -> bool:
    return len(text) <= 60 and len(_LETTER.findall(text)) >= 2 and not _EUI.fullmatch(text)


_READS: tuple[tuple[Field, Callable[[str], object]], ...] = (
    (Field.DEV_EUI, _is_eui),
    (Field.APPROVAL, _GRSI.fullmatch),
    (Field.YEAR, _YEAR.fullmatch),
    (Field.SERIAL, _SERIAL.fullmatch),
    (Field.INTERVAL, _SMALL.fullmatch),
    (Field.UNIT, _is_unit),
    (Field.RESOURCE, _is_resource),
)
# Of these, the first that is found counts.
_WORDED: tuple[tuple[Field, Callable[[str], object]], ...] = (
    (Field.PERSON, _PERSON.match),
    (Field.ADDRESS, looks_like_address),
    (Field.DEVICE, is_device),
    (Field.DESIGNATION, _is_designation),
)
