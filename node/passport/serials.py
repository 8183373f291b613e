"""How the serials of one line are written: a small closed language, never a regular expression of a stranger.

A pattern says which characters count and how many there are. `canonical` gives the one spelling that enters a claim;
`check_serial` says what is wrong with a serial as somebody typed it, and what to do.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from node.passport.bodies import Body
from node.passport.errors import PlateError
from node.passport.plate import ALPHABET, AS_DIGIT, DIGITS, LATIN_LETTERS, LETTERS, MAX_PLATE_TEXT, plate_text

SETS = {"digits": DIGITS, "letters": LETTERS, "latin": LATIN_LETTERS, "any": DIGITS + LETTERS}

Count = Annotated[int, Field(ge=1, le=MAX_PLATE_TEXT)]


class Part(Body):
    """`count` characters of a named set, or of the listed characters."""

    set: Literal["digits", "letters", "latin", "any"] | None = None
    characters: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    count: Count

    @property
    def allowed(self) -> frozenset[str]:
        """The characters of this part."""
        return frozenset(self.characters or SETS[self.set or "any"])

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.set is None) == (self.characters is None):
            raise ValueError("a part names a set or lists its characters")
        if not self.allowed <= ALPHABET:
            raise ValueError("a part has characters that plate text does not have")
        return self


class SerialPattern(Body):
    """The serials of a line: `digits`, `letter+digits`, `digits-digits` with their number of digits, or `parts`.

    Width 0 means digits of any number. The separator of `digits-digits` does not count.
    """

    pattern: Literal["digits", "letter+digits", "digits-digits", "parts"]
    width: Annotated[int, Field(ge=0, le=MAX_PLATE_TEXT - 1)] = 0
    parts: Annotated[tuple[Part, ...], Field(max_length=16)] = ()

    @cached_property
    def characters(self) -> frozenset[str]:
        """The line's set: what is no member of it is removed from a serial."""
        return frozenset().union(*(part.allowed for part in self.shape))

    @cached_property
    def total(self) -> int:
        """The line's width: shorter serials are padded with 0 on the left, longer ones refused; 0 is any length."""
        return 0 if self.is_free else sum(part.count for part in self.shape)

    @property
    def is_free(self) -> bool:
        """Whether the number of characters is not fixed."""
        return self.pattern != "parts" and self.width == 0

    @property
    def shape(self) -> tuple[Part, ...]:
        """The parts in their order."""
        if self.pattern == "parts":
            return self.parts
        digits = Part(set="digits", count=self.width or 1)
        return (Part(set="letters", count=1), digits) if self.pattern == "letter+digits" else (digits,)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.pattern == "parts") != bool(self.parts):
            raise ValueError("parts stand with the pattern parts, and only there")
        if self.pattern == "parts" and self.width:
            raise ValueError("the width of parts is the sum of their counts")
        if self.pattern == "letter+digits" and not self.width:
            raise ValueError("letter+digits needs its number of digits")
        if self.total > MAX_PLATE_TEXT:
            raise ValueError(f"a serial has at most {MAX_PLATE_TEXT} characters")
        if self.total and "0" not in self.characters:
            raise ValueError("a serial of fixed width is padded with 0, which its set must have")
        return self

    def canonical(self, serial: str) -> str:
        """The one spelling of a serial in claims of this line; raise PlateError if it can have none."""
        kept = "".join(character for character in plate_text(serial) if character in self.characters)
        text = plate_text(kept)
        if self.total and len(text) > self.total:
            raise PlateError(f"a serial of this line has {self.total} characters, got {len(text)}")
        return text.rjust(self.total, "0")

    def may_hide_digit(self, serial: str) -> bool:
        """Whether a character that would be removed may be a misread digit: it looks like one and one may be missing.

        О for 0 is never joined with the number without it. Raise PlateError where the serial has no plate text.
        """
        text = plate_text(serial)
        kept = "".join(character for character in text if character in self.characters)
        if self.total and len(kept) >= self.total:
            return False
        taken = ((at, character) for at, character in enumerate(text) if character not in self.characters)
        return any(c in AS_DIGIT and set(text[max(0, at - 1) : at + 2]) & set(DIGITS) for at, c in taken)


@dataclass(frozen=True, slots=True)
class SerialFinding:
    """What is wrong with a serial: a stable rule code, what to do in Russian and English, and a likely correction."""

    rule: str
    ru: str
    en: str
    suggestion: str | None = None


def check_serial(pattern: SerialPattern, serial: str) -> SerialFinding | None:
    """Compare a serial, as its maker wrote it, with the pattern of its line; None if it fits exactly.

    A claim pads what is short; whoever states the serial for the first time must write it whole.
    """
    try:
        text = plate_text(serial)
    except PlateError:
        return _FORBIDDEN
    if any(character not in pattern.characters and character != "-" for character in text):
        return _FORBIDDEN
    bare = "".join(character for character in text if character in pattern.characters)
    if not bare:
        return _FORBIDDEN
    if pattern.is_free:
        return None
    if len(bare) != pattern.total:
        return _wrong_length(pattern, bare)
    return None if _fits(pattern, bare) else _MISSHAPEN


def _wrong_length(pattern: SerialPattern, bare: str) -> SerialFinding:
    total, padded = pattern.total, bare.rjust(pattern.total, "0")
    if len(bare) < total and _fits(pattern, padded):
        return SerialFinding(
            "serial.lost_zero",
            f"В номере {len(bare)} знаков, у этой серии их {total}: ведущий ноль потерян? "
            f"Сверьте с табличкой; возможно, {padded}.",
            f"The serial has {len(bare)} characters, this line has {total}: was a leading zero lost? "
            f"Compare with the plate; perhaps {padded}.",
            padded,
        )
    return SerialFinding(
        "serial.length",
        f"В номере {len(bare)} знаков, у этой серии их {total}. Перепишите номер с таблички.",
        f"The serial has {len(bare)} characters, this line has {total}. Copy the number from the plate.",
    )


def _fits(pattern: SerialPattern, bare: str) -> bool:
    at = 0
    for part in pattern.shape:
        if not set(bare[at : at + part.count]) <= part.allowed:
            return False
        at += part.count
    return True


_FORBIDDEN = SerialFinding(
    "serial.characters",
    "В номере есть знаки, которых у этой серии не бывает. Перепишите номер с таблички.",
    "The serial has characters that this line does not use. Copy the number from the plate.",
)
_MISSHAPEN = SerialFinding(
    "serial.shape",
    "Буквы и цифры номера стоят не в том порядке, что у этой серии. Перепишите номер с таблички.",
    "Letters and digits of the serial do not stand in this line's order. Copy the number from the plate.",
)
