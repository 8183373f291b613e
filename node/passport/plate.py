"""Plate text: one spelling for what four people read off one plate.

The rule is frozen, because the ids of devices are computed over its result: every table below is spelled out and
nothing is left to a library but NFC. Label words (№, N, зав., S/N) are cut by `cut_label` when a plate is filled in,
never here: cutting N would turn NOVA-1 into OVA-1. `comparison_text` is the looser form in which marks and
designations are compared; it enters no id.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from node.passport.errors import PlateError

HASHED_AT = 31  # characters of a long code that stand before its hash, and of that
MAX_PLATE_TEXT = 64
LONGEST_CACHED = 128
FULL_WIDTH = 0xFEE0  # how far the full-width forms stand behind ASCII

CYRILLIC_LETTERS = "БГДЁЖЗИЙЛПФЦЧШЩЪЫЬЭЮЯ"  # those that no Latin capital looks like
DIGITS = "0123456789"
LATIN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = LATIN_LETTERS + CYRILLIC_LETTERS
ALPHABET = frozenset(DIGITS + LETTERS + "-")

# Pairs that plates and handwriting confuse; plate text has made the Cyrillic А, В, Е ... Latin already.
LOOK_ALIKE = {"0": "OD", "1": "IL", "2": "Z", "3": "З", "4": "Ч", "5": "S", "6": "БG", "8": "B", "9": "Я"}
AS_DIGIT = {letter: digit for digit, letters in LOOK_ALIKE.items() for letter in letters}

DELETED = (0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF)
SEPARATORS = (
    *range(0x0009, 0x000E),
    0x0020,
    0x00A0,
    *range(0x2000, 0x200B),
    0x202F,
    0x205F,
    0x3000,
    0x002D,
    *range(0x2010, 0x2016),
    0x2212,
    0x002E,
    0x002F,
    0x005C,
    0x2044,
    0x2215,
    0x005F,
)

_SMALL = "abcdefghijklmnopqrstuvwxyz" + "абвгдежзийклмнопрстуфхцчшщъыьэюя" + "ёіѕј"
_CAPITAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ" + "ЁІЅЈ"
_CYRILLIC_LOOK = "АВЕКМНОРСТУХІЅЈ"
_LATIN_LOOK = "ABEKMHOPCTYXISJ"

_DELETE = dict.fromkeys(DELETED)
_TO_CAPITAL = str.maketrans(_SMALL, _CAPITAL)
_TO_LATIN = str.maketrans(_CYRILLIC_LOOK, _LATIN_LOOK)
_SEPARATOR_RUN = re.compile("[" + "".join(re.escape(chr(point)) for point in SEPARATORS) + "]+")

# Quotes and marks of registration stand around a mark on one plate and not on the next.
_QUOTES = dict.fromkeys(map(ord, "\"'`«»„“”‘’®™"))

# N counts as a label only before a space, a full stop or a degree sign: NOVA-1, N-1 and N1234567 are serials.
_LABEL = re.compile(
    r"""[\s']*(?:
      (?:зав|заводской|сер|серийный)(?:\.\s*|\s+|(?=№))(?:№+|ном(?:ер|\.)|н\.|no\b|n\b)?
    | №+
    | номер\b
    | з\s*/\s*н\b
    | s\s*/\s*n\b
    | sn(?=[\s:.]\s*\S)
    | зн(?=[\s:.]\s*\S)
    | serial\b\s*(?:no\b|number\b)?
    | no(?:\.|(?=\s+\S*\d))
    | n(?:\.|°|(?=\s+\w))
    | \#
    )[\s.:]*""",
    re.IGNORECASE | re.VERBOSE,
)
_BEHIND = re.compile(r"\s*\((?:зав|сер)[^)]*\)\s*$", re.IGNORECASE)

_FRACTION = re.compile(r"^([0-9]+)[.,]0$")

_APPROVAL = re.compile(r"(?<![0-9-])([0-9]{1,6})\s?[-‐-―−/.]\s?(?:20)?([0-9]{2})(?![0-9-])")
_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")
_SHORT_YEAR = re.compile(r"\s*(?:г\.?|'|(?:[0-9]{1,2}[./])?(?:0?[1-9]|1[0-2])[./])?\s*([0-9]{2})\s*г?\.?\s*")
CENTURY_ENDS = 70  # a year of two digits is of this century below it


class PlateLike(Protocol):
    """What was read off a plate, whoever keeps it; texts as filled in, None or empty for what was not read."""

    @property
    def mark(self) -> str | None:
        """The maker's or sponsor's mark, or the legal maker."""
        ...

    @property
    def designation(self) -> str:
        """The type or execution as printed."""
        ...

    @property
    def serial(self) -> str:
        """The serial number."""
        ...

    @property
    def year(self) -> str | None:
        """Four digits."""
        ...

    @property
    def approvals(self) -> tuple[str, ...]:
        """Type approval numbers."""
        ...

    @property
    def codes(self) -> tuple[str, ...]:
        """Texts of scanned codes; `wire:XYZ` for a code that was read over the wire."""
        ...


@dataclass(frozen=True, slots=True)
class Nameplate:
    """A plate as it was filled in, for those who have no section at hand."""

    designation: str
    serial: str
    mark: str | None = None
    year: str | None = None
    approvals: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


def fill_plate(
    designation: str, serial: str, *, mark: str = "", year: str = "", approval: str = "", codes: tuple[str, ...] = ()
) -> Nameplate:
    """A plate out of what a person or a spreadsheet wrote: label words are cut, year and approval found in their text.

    `г. 2019`, `'19` and `01.03.2019` are the year 2019; `ГРСИ № 12345 - 18` is the approval 12345-18. A year that is
    none is left out; an approval of another kind stays as it was written.
    """
    year = narrow(year)
    short = _SHORT_YEAR.fullmatch(year)
    found = _YEAR.search(year)
    full = found[1] if found else f"{'20' if int(short[1]) < CENTURY_ENDS else '19'}{short[1]}" if short else None
    grsi = _APPROVAL.search(approval)
    number = f"{int(grsi[1])}-{grsi[2]}" if grsi and int(grsi[1]) else approval.strip()
    approvals = (number,) if number else ()
    return Nameplate(designation.strip(), cut_label(narrow(serial)), mark.strip() or None, full, approvals, codes)


def plate_text(text: str) -> str:
    """The one spelling of a plate's text, 1-64 characters of ALPHABET; raise PlateError if it has none."""
    result = _fold(text)
    if not 1 <= len(result) <= MAX_PLATE_TEXT:
        raise PlateError(f"plate text has 1 to {MAX_PLATE_TEXT} characters, got {len(result)}")
    for character in result:
        if character not in ALPHABET:
            raise PlateError(f"plate text has no character U+{ord(character):04X} ({character!r})")
    return result


def number_text(text: str) -> str:
    """A number or a printed code as it is compared: plate text, else as it stands; a long one by its hash."""
    try:
        return plate_text(text)
    except PlateError:
        if len(text) <= MAX_PLATE_TEXT:
            return text
        return f"{text[:HASHED_AT]}#{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:HASHED_AT]}"


def comparison_text(text: str) -> str:
    """The form in which marks and designations are compared: plate text without quotes, of any length and letters."""
    return _fold(text.translate(_QUOTES))


def cut_label(text: str) -> str:
    """Cut the label word (№, N, зав. №, S/N) that stands before a serial; the rest is kept as it was read.

    Only for filling a plate in. A word that is part of the number stays: `NOVA-1` and `N-1` come back whole.
    """
    bare = _BEHIND.sub("", text)
    found = _LABEL.match(bare)
    rest = bare[found.end() :] if found else bare
    # A spreadsheet shows what was typed as text with an apostrophe before it, and a number with a fraction behind it.
    return _FRACTION.sub(r"\1", rest.strip().lstrip("'")) or text.strip()


def narrow(text: str) -> str:
    """A text with full-width characters, and the digits of any script, as the ones that plates print."""
    return "".join(map(_narrow, text))


def has_word(text: str) -> bool:
    """Whether a text has a letter or a digit at all."""
    return any(character.isalnum() for character in text)


def reads_alike(one: PlateLike, other: PlateLike) -> bool:
    """Whether two plates say the same: designation, serial, mark and year in the form in which plates are compared."""
    return _compared(one) == _compared(other)


def may_agree(one: PlateLike, other: PlateLike) -> bool:
    """Whether two plates say the same designation and serial, and no other mark or year where both say one."""
    (*named, mark, year), (*others, other_mark, other_year) = _compared(one), _compared(other)
    return named == others and all(not a or not b or a == b for a, b in ((mark, other_mark), (year, other_year)))


def _narrow(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return chr(ord(character) - FULL_WIDTH) if "\uff01" <= character <= "\uff5e" else character


def _compared(plate: PlateLike) -> tuple[str, ...]:
    texts = (plate.designation, cut_label(plate.serial), plate.mark or "", plate.year or "")
    return tuple(map(comparison_text, texts))


def split_typed(text: str) -> tuple[str, str] | None:
    """Split a designation and a serial typed as one text at the label word, else before the last word with a digit.

    `СГВ-15 № 0012345` and `CГB 15 0012345` both give the designation and `0012345`; None if there are no two parts,
    as in `№ 0012345`.
    """
    words = text.split()
    for at in range(len(words)):
        rest = " ".join(words[at:])
        if cut_label(rest) != rest and any(character.isdigit() for character in rest):
            return (" ".join(words[:at]), cut_label(rest)) if at else None
    if len(words) > 1 and any(character.isdigit() for character in words[-1]):
        return " ".join(words[:-1]), words[-1]
    return None


def _fold(text: str) -> str:
    return _folded(text) if len(text) <= LONGEST_CACHED else _folded.__wrapped__(text)


@lru_cache(1 << 12)  # the texts of one plate are folded dozens of times while its passport is
def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).translate(_DELETE)
    letters = composed.translate(_TO_CAPITAL).translate(_TO_LATIN)
    return _SEPARATOR_RUN.sub("-", letters).strip("-")
