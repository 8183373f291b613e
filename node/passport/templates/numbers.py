"""Check digits and letters of the numbers that templates mark with `x-epd-check`, and Latin look-alikes of Cyrillic."""

import re
from collections.abc import Callable

from stdnum.ru import inn, ogrn

# Latin capitals that cannot be told from Cyrillic ones in print.
_LATIN, _CYRILLIC = "ABCEHKMOPTXY", "АВСЕНКМОРТХУ"
_LOOKALIKES = str.maketrans(_LATIN, _CYRILLIC)
_SNILS = re.compile(r"([0-9]{3})-?([0-9]{3})-?([0-9]{3}) ?([0-9]{2})")
_EUI64 = re.compile(r"[0-9A-F]{16}")
_FIRST_CHECKED_SNILS = 1_001_999


def find_check(name: str) -> Callable[[str], bool] | None:
    """The test of a number by the name of its check, or None if this node does not know the check."""
    return _CHECKS.get(name)


def latin_letters(text: str) -> str:
    """The Latin letters of a text, each once in order."""
    return "".join(dict.fromkeys(char for char in text if char.isascii() and char.isalpha()))


def to_cyrillic(text: str) -> str:
    """The text with Latin capitals that look like Cyrillic ones replaced by them."""
    return text.translate(_LOOKALIKES)


def is_inn(text: str) -> bool:
    """ИНН: 10 or 12 digits with their check digits, no spaces."""
    return text.isascii() and text.isdigit() and bool(inn.is_valid(text))


def is_ogrn(text: str) -> bool:
    """ОГРН or ОГРНИП: 13 or 15 digits with the check digit, no spaces."""
    return text.isascii() and text.isdigit() and bool(ogrn.is_valid(text))


def is_snils(text: str) -> bool:
    """СНИЛС: nine digits, then their sum weighted 9 … 1 modulo 101, 100 read as 00; up to 001-001-998 no sum is set."""
    match = _SNILS.fullmatch(text)
    if match is None:
        return False
    number, control = "".join(match.groups()[:3]), int(match.group(4))
    if int(number) < _FIRST_CHECKED_SNILS:
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number, range(9, 0, -1), strict=True))
    return total % 101 % 100 == control


def is_eui64(text: str) -> bool:
    """An EUI-64 as 16 capital hex digits; all zeros and all ones name nothing."""
    return _EUI64.fullmatch(text) is not None and text not in ("0" * 16, "F" * 16)


_CHECKS: dict[str, Callable[[str], bool]] = {"inn": is_inn, "ogrn": is_ogrn, "snils": is_snils, "eui64": is_eui64}
