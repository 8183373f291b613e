"""The keys of cases: a number, a range `2..5`, a list `[1, 2]`, a tag of several numbers with `!0` and `*`."""

import re
from dataclasses import dataclass

from drivers.payload.document import Key
from drivers.payload.section import Section

MAX_TAG = (1 << 32) - 1
FALLBACKS = ("default", "_")
_NUMBER = r"-?(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})"
_EXACT = re.compile(_NUMBER)
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")
_LIST = re.compile(r"\[(.*)\]")


@dataclass(frozen=True, slots=True)
class Part:
    """What one number of a tag may be: within the bounds, or, where `excluded`, outside them."""

    low: int = 0
    high: int = MAX_TAG
    excluded: bool = False

    def fits(self, number: int) -> bool:
        """Whether a number is what the part wants."""
        return (self.low <= number <= self.high) != self.excluded

    @property
    def rank(self) -> int:
        """How much it leaves open: exact, a range, all but one, any."""
        if self.excluded:
            return 2
        return 0 if self.low == self.high else 3 if self.high == MAX_TAG else 1

    @property
    def sample(self) -> int:
        """A number that fits, for writing."""
        return (0 if self.low else self.high + 1) if self.excluded else self.low


def parse_choices(section: Section, key: Key) -> list[tuple[int, int]] | str:
    """The ranges of numbers a key of a match stands for, or the text itself; raise DocumentError."""
    if isinstance(key, int):
        return [(int(key), int(key))]
    if not isinstance(key, str):
        raise section.error(f"a case is a number, a range or a text, this is {key}")
    items = [item.strip() for item in match[1].split(",")] if (match := _LIST.fullmatch(key)) else [key]
    ranges = [parse_bounds(section, item) for item in items]
    found = [item for item in ranges if item is not None]
    if len(found) == len(ranges):
        return found
    if match is not None:
        raise section.error(f"a list of numbers is expected, this is {key}")
    return key


def parse_tag(section: Section, key: Key, width: int) -> list[tuple[Part, ...]]:
    """The tags of `width` numbers a key stands for; for one number a list is any of its items. Raise DocumentError."""
    text = key if isinstance(key, str) else str(key)
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise section.error(f"a tag is a number, a range or a list, this is {key}")
    match = _LIST.fullmatch(text)
    parts = [_part(section, item.strip()) for item in (match[1].split(",") if match else [text])]
    if width == 1:
        return [(part,) for part in parts]
    if len(parts) != width:
        raise section.error(f"a tag has {width} numbers, here are {len(parts)} in {text}")
    return [tuple(parts)]


def _part(section: Section, text: str) -> Part:
    if text == "*":
        return Part()
    bounds = parse_bounds(section, text.removeprefix("!").strip())
    if bounds is None or not 0 <= bounds[0] <= bounds[1] <= MAX_TAG:
        raise section.error(f"a number of a tag, a range, !number or * is expected, this is {text!r}")
    return Part(*bounds, excluded=text.startswith("!"))


def parse_bounds(section: Section, text: str) -> tuple[int, int] | None:
    """The bounds of a number or of a range as text, or None for other text; raise DocumentError for an empty range."""
    if _EXACT.fullmatch(text):
        return _int(text), _int(text)
    if match := _RANGE.fullmatch(text):
        low, high = _int(match[1]), _int(match[2])
        if low > high:
            raise section.error(f"the range {text} ends before it begins")
        return low, high
    return None


def _int(text: str) -> int:
    return int(text, 16 if "x" in text.lower() else 10)
