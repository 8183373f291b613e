"""Which cards a question lets through, and the marks by which they are found without looking at each.

Every word of a text must be part of a word of the card; a word of one or two characters must be a whole one there. A
mark is a short text that a card carries: `K=device`, or a field and three characters that follow each other in it. A
question names marks which every card that it lets through carries, so what carries them is looked at and nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from node.passport.card import Card, search_words
from node.passport.plate import cut_label, split_typed

NAMES, PLACE, OWNER = "n", "p", "o"
KIND_IS, STATE_IS, TYPE_IS, OWNER_IS, JOINED = "K=", "S=", "T=", "O=", "J"
GRAM = 3
MAX_MARK = 128

SECOND_US = 1_000_000

Key = tuple[str, bytes]
# A condition of marks: any of these groups, and all marks of the group.
Condition = tuple[tuple[str, ...], ...]

_ORG = re.compile(r"[0-9a-fA-F]{32}")


class Order(StrEnum):
    """How a list is sorted: by title, or the last changed second first and by title within it."""

    TITLE = "title"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a list: that of a card. The second is 0 in a list by title."""

    second: int
    title: str
    subject: bytes

    @property
    def key(self) -> Key:
        """The place by title."""
        return self.title, self.subject


@dataclass(frozen=True, slots=True)
class Sift:
    """A question to the registry; what is None or empty asks nothing. `owner` is an organisation in hex or words.

    `owners` are organisations in hex that are meant too where an owner is asked for: ids of one company.
    `expires_before` is a day since 1970: the verification ends before it; `unrecorded_before` likewise: a result of a
    day before it has no record in the register.
    """

    text: tuple[str, ...] = ()
    kind: str | None = None
    state: str | None = None
    type: str | None = None
    owner: str | None = None
    place: tuple[str, ...] = ()
    owner_words: tuple[str, ...] = ()
    expires_before: int | None = None
    is_joined: bool = False
    owners: frozenset[str] = frozenset()
    unrecorded_before: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through."""
        return self == Sift()


def parse_sift(
    text: str = "",
    *,
    kind: str | None = None,
    state: str | None = None,
    type_code: str | None = None,
    owner: str | None = None,
    place: str = "",
    expires_before: int | None = None,
    is_joined: bool = False,
    owners: frozenset[str] = frozenset(),
    unrecorded_before: int | None = None,
) -> Sift:
    """A question out of what was typed: a label word before a number (№, зав., S/N) is no word to look for."""
    said = text.strip()
    is_org = owner is not None and _ORG.fullmatch(owner) is not None
    return Sift(
        text=tuple(search_words(" ".join(split_typed(said) or [cut_label(said)]))),
        kind=kind or None,
        state=state or None,
        type=type_code or None,
        owner=owner.lower() if owner and is_org else None,
        place=tuple(search_words(place)),
        owner_words=tuple(search_words(owner)) if owner and not is_org else (),
        expires_before=expires_before,
        is_joined=is_joined,
        owners=owners if owner else frozenset(),
        unrecorded_before=unrecorded_before,
    )


def key_of(card: Card) -> Key:
    """Where a card stands by title."""
    return card.title, card.subject


def spot_of(card: Card, order: Order) -> Spot:
    """The place of a card in a list."""
    return Spot(card.changed_us // SECOND_US if order is Order.CHANGED else 0, card.title, card.subject)


def lets_through(sift: Sift, card: Card) -> bool:
    """Whether a card answers a question; this is the law, marks only find candidates."""
    plain = (
        sift.kind in (None, card.kind)
        and sift.state in (None, card.state)
        and sift.type in (None, card.type)
        and (sift.owner in (None, card.owner) or card.owner in sift.owners)
        and (not sift.is_joined or card.ids > 1)
        and (sift.expires_before is None or 0 < card.expires < sift.expires_before)
        and (sift.unrecorded_before is None or 0 < card.unrecorded < sift.unrecorded_before)
    )
    return plain and _speaks(sift, card)


def marks_of(card: Card) -> set[str]:
    """Every mark that a card carries."""
    plain = {KIND_IS + card.kind, STATE_IS + card.state, TYPE_IS + card.type, OWNER_IS + card.owner}
    found = {mark[:MAX_MARK] for mark in plain if len(mark) > len(KIND_IS)}
    if card.ids > 1:
        found.add(JOINED)
    found |= _marks_of_owner(card.owner_name)
    return found.union(_marks_of_words(NAMES, card.names.split()), _marks_of_words(PLACE, search_words(card.place)))


def conditions_of(sift: Sift) -> list[Condition]:
    """Conditions that hold together for every card that a question lets through; those that narrow most come first."""
    wide = ((STATE_IS, sift.state), (KIND_IS, sift.kind))
    found: list[Condition] = [(((TYPE_IS + sift.type)[:MAX_MARK],),)] if sift.type is not None else []
    owners = tuple((OWNER_IS + one,) for one in sorted({*sift.owners, sift.owner or ""} - {""}))
    if sift.owner is not None:
        found.append(owners)
    if sift.is_joined:
        found.append(((JOINED,),))
    words: list[tuple[tuple[str, ...], str]] = [((PLACE,), word) for word in sift.place]
    words += [((OWNER,), word) for word in sift.owner_words]
    words += [((NAMES, PLACE, OWNER), word) for word in sift.text]
    for fields, word in sorted(words, key=lambda item: _rarity(item[1])):
        groups = tuple(_group(field, word) for field in fields)
        found.append(groups + owners if fields == (OWNER,) else groups)
    return found + [(((prefix + value)[:MAX_MARK],),) for prefix, value in wide if value is not None]


@lru_cache(1024)
def _marks_of_owner(name: str) -> frozenset[str]:
    """Kept, because few organisations own many devices."""
    return frozenset(_marks_of_words(OWNER, _owner_words(name).split()))


def _marks_of_words(field: str, words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if len(word) < GRAM:
            yield field + word
        else:
            yield from [field + word[at : at + GRAM] for at in range(len(word) - GRAM + 1)]


def _rarity(word: str) -> tuple[bool, int]:
    """Sorts words that few cards have before those that many have, as far as a word tells: numbers and long ones."""
    return not any(letter.isdigit() for letter in word), -len(word)


def _group(field: str, word: str) -> tuple[str, ...]:
    """Marks that stand in every field with the word: enough to cover it, not all."""
    if len(word) <= GRAM:
        return (field + word,)
    last = len(word) - GRAM
    # Numbers begin alike and end otherwise; words of a language are told best by both ends.
    is_number = any(letter.isdigit() for letter in word)
    places = [*range(last, 0, -2), 0] if is_number else [0, last, *range(2, last, 2)]
    return tuple(dict.fromkeys(field + word[at : at + GRAM] for at in places))


def _speaks(sift: Sift, card: Card) -> bool:
    # The names are words already; place and owner become words where they are asked for.
    rest = [word for word in sift.text if not _is_among(word, card.names)]
    if not (rest or sift.place or sift.owner_words):
        return True
    place, owner = " ".join(search_words(card.place)), _owner_words(card.owner_name)
    return (
        all(_is_among(word, place) or _is_among(word, owner) for word in rest)
        and all(_is_among(word, place) for word in sift.place)
        and (card.owner in sift.owners or all(_is_among(word, owner) for word in sift.owner_words))
    )


def _is_among(word: str, words: str) -> bool:
    """Whether a word is part of one of those between spaces; a short one must be one of them."""
    return word in words if len(word) >= GRAM else f" {word} " in f" {words} "


@lru_cache(1024)
def _owner_words(name: str) -> str:
    """Kept, because few organisations own many devices."""
    return " ".join(search_words(name))
