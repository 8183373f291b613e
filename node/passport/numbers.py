"""Numbers of registers: their form and their check digits."""

import re
from dataclasses import dataclass

from stdnum import exceptions
from stdnum.ru import inn, ogrn

from node.passport.errors import NumberError

_GRSI = re.compile(r"([0-9]{1,6})-([0-9]{2})")
_OBIS = re.compile(r"([0-9]{1,3})-([0-9]{1,3}):([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:\*([0-9]{1,3}))?")
_FOURTEEN = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Grsi:
    """A number of the state register of measuring instruments: `number` without leading zeros, two-digit year."""

    number: int
    year: str

    def __str__(self) -> str:
        return f"{self.number}-{self.year}"


def parse_grsi(text: str) -> Grsi:
    """Read `12345-18` (1 to 6 digits, hyphen, 2 digits); raise NumberError."""
    found = _GRSI.fullmatch(text)
    if not found or not int(found[1]):
        raise NumberError(f"a ГРСИ number is 1 to 6 digits, a hyphen and 2 digits, got {text!r}")
    return Grsi(int(found[1]), found[2])


def parse_obis(text: str) -> tuple[int, ...]:
    """Read `A-B:C.D.E` or `A-B:C.D.E*F` (IEC 62056-61, EN 13757-1), groups up to 255; raise NumberError."""
    found = _OBIS.fullmatch(text)
    groups = tuple(int(group) for group in found.groups() if group) if found else ()
    if not groups or max(groups) > 255:
        raise NumberError(f"an OBIS code is A-B:C.D.E with groups up to 255, got {text!r}")
    return groups


def parse_inn(text: str) -> str:
    """Read an ИНН of 10 or 12 digits and check its check digits; raise NumberError."""
    try:
        return str(inn.validate(text))
    except exceptions.ValidationError as error:
        raise NumberError(f"not an ИНН: {text!r} ({type(error).__name__})") from error


def parse_ogrn(text: str) -> str:
    """Read an ОГРН of 13 or an ОГРНИП of 15 digits and check its check digit; raise NumberError."""
    try:
        return str(ogrn.validate(text))
    except exceptions.ValidationError as error:
        raise NumberError(f"not an ОГРН: {text!r} ({type(error).__name__})") from error


def is_gtin(text: str) -> bool:
    """Whether the text is 14 digits of which the last is the GS1 check digit of the others."""
    if not _FOURTEEN.fullmatch(text):
        return False
    weighted = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(text[:13]))
    return (weighted + int(text[13])) % 10 == 0
