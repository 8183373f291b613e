"""Places as people write them, compared with care: two spellings of one address are no contradiction.

A place is an object's id, a code, or an address as text. Addresses are the same where their words and numbers are, they
are different where the numbers (house, flat) or all the words differ; between the two nothing is known.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

NO_PLACE = "не указано"  # nobody said where a thing was, nor where the organisation works that speaks of it

# A house is a number with a letter of its own; what stands behind a слэш or корпус is a number again.
_NUMBER = re.compile(r"([0-9]+)(?:\s?-?\s?([абвгежзи])(?![а-я0-9]))?")
_WORD = re.compile(r"[a-zа-я]+")
_INDEX = 6  # digits of a postal code
_LOOK_ALIKE = str.maketrans("abceghkmoprtxyё", "авсегнкморртхуе")
# Words that name a kind of thing and tell no two addresses apart.
_KIND_WORDS = """г гор город ул улица пр пр-т просп проспект пер переулок б бул бульвар ш шоссе наб набережная пл
    площадь д дом к корп корпус стр строение кв квартира оф офис пом помещение обл область р-н рн район п пос
    поселок с село дер деревня мкр микрорайон под подъезд эт этаж st street apt flat house bld building city"""
_KINDS = frozenset(_KIND_WORDS.split())
_STREETS = {
    **dict.fromkeys(("ул", "улица"), "street"),
    **dict.fromkeys(("пр", "просп", "проспект"), "avenue"),
    **dict.fromkeys(("пер", "переулок"), "lane"),
    **dict.fromkeys(("бул", "бульвар"), "boulevard"),
    **dict.fromkeys(("ш", "шоссе"), "highway"),
    **dict.fromkeys(("наб", "набережная"), "embankment"),
    **dict.fromkeys(("пл", "площадь"), "square"),
}


class Places(StrEnum):
    """How two places stand to each other."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


def compare_places(left: str, right: str) -> Places:
    """Compare two places as they were stated; an empty one is unknown.

    Numbers count in their order: a house is not a flat. Less detail contradicts nothing.
    """
    if not left or not right:
        return Places.UNKNOWN
    if left == right:
        return Places.SAME
    one, two = _read(left), _read(right)
    if one.streets and two.streets and not one.streets & two.streets:
        return Places.DIFFERENT
    if (one.words, one.numbers) == (two.words, two.numbers):
        return Places.SAME
    shared = min(len(one.numbers), len(two.numbers))
    if one.numbers[:shared] != two.numbers[:shared]:
        return Places.DIFFERENT
    if one.words and two.words and not one.words & two.words:
        return Places.DIFFERENT
    return Places.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Place:
    """The words of a place that tell it from others, its numbers in their order, and which kind of street it is."""

    words: frozenset[str]
    numbers: tuple[str, ...]
    streets: frozenset[str]


def _read(text: str) -> _Place:
    folded = text.casefold().replace("ё", "е")
    numbers = tuple(
        f"{int(found[1])}{found[2] or ''}"
        for found in _NUMBER.finditer(folded.translate(_LOOK_ALIKE))
        if len(found[1]) != _INDEX
    )
    words = frozenset(word for word in _WORD.findall(folded) if len(word) > 1)
    streets = frozenset(_STREETS[word] for word in words if word in _STREETS)
    return _Place(words - _KINDS, numbers, streets)
