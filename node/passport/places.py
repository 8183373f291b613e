"""Places as people write them, compared with care: two spellings of one address are no contradiction.

A place is an object's id, a code, or an address as text. Addresses are the same where their words and numbers are, they
are different where the numbers (house, flat) or all the words differ; between the two nothing is known.
"""

import re
from enum import StrEnum

_WORD = re.compile(r"[0-9]+[a-zа-я]?|[a-zа-я]+")
# Words that name a kind of thing and tell no two addresses apart.
_KIND_WORDS = """г гор город ул улица пр пр-т просп проспект пер переулок б бул бульвар ш шоссе наб набережная пл
    площадь д дом к корп корпус стр строение кв квартира оф офис пом помещение обл область р-н рн район п пос
    поселок с село дер деревня мкр микрорайон под подъезд эт этаж st street apt flat house bld building city"""
_KINDS = frozenset(_KIND_WORDS.split())


class Places(StrEnum):
    """How two places stand to each other."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


def compare_places(left: str, right: str) -> Places:
    """Compare two places as they were stated; an empty one is unknown."""
    if not left or not right:
        return Places.UNKNOWN
    if left == right:
        return Places.SAME
    one, two = place_words(left), place_words(right)
    numbers, other_numbers = _numbers(one), _numbers(two)
    if one == two:
        return Places.SAME
    if numbers and other_numbers and not (numbers <= other_numbers or other_numbers <= numbers):
        return Places.DIFFERENT
    words, other_words = one - numbers, two - other_numbers
    if words and other_words and not words & other_words:
        return Places.DIFFERENT
    return Places.UNKNOWN


def place_words(text: str) -> frozenset[str]:
    """The words and numbers of a place that tell it from others, in small letters, ё as е."""
    return frozenset(_WORD.findall(text.casefold().replace("ё", "е"))) - _KINDS


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit())
