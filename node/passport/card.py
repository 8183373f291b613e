"""A card: the few facts of a view by which a passport stands in lists and is searched for, and the words of a text."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from node.passport.plate import comparison_text
from node.passport.shown import at, extracted_of, fact, place_of, rows, text
from node.passport.view import DAY_US, View, moment_us

# Raised when what a card holds or the marks of a card change: cards are then made again from the views.
CARD_VERSION = 2
LAST_DAY = (date.max - date(1970, 1, 1)).days
MAX_WORDS = 64
MAX_WORD = 64

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Card:
    """What lists show and filters ask: texts are empty where nothing is known, `expires` is a day since 1970 or 0.

    `names` are the words of everything that somebody may read off the device or type for it, folded, a space between.
    `ids` are those that lead to the passport; `changed_us` is when the view last changed here.
    """

    subject: bytes
    kind: str
    state: str
    title: str
    names: str
    type: str
    place: str
    owner: str
    owner_name: str
    expires: int
    ids: int
    changed_us: int


def card_of(subject: bytes, view: View, changed_us: int) -> Card:
    """The card of a view."""
    owner = text(view, "parties", "owner", "value")
    ids = at(view, "ids")
    return Card(
        subject=subject,
        kind=text(view, "kind"),
        state=text(view, "state", "code"),
        title=text(view, "title"),
        names=" ".join(search_words(" ".join(_names(view)))),
        type=text(view, "type", "central"),
        place=place_of(view),
        owner=owner,
        owner_name=text(view, "signers", owner, "name") if owner else "",
        expires=_day(text(view, "verification", "valid_until")),
        ids=len(ids) if isinstance(ids, list) else 1,
        changed_us=changed_us,
    )


def search_words(said: str) -> list[str]:
    """The words of a text in the spelling of search: capitals, ё as е, letters that look alike as one; each once.

    No more than 64 words of 64 characters: a text of another node decides on no amount of work here.
    """
    folded = comparison_text(said).replace("Ё", "E").upper()
    return list(dict.fromkeys(found[:MAX_WORD] for found in _WORD.findall(folded)))[:MAX_WORDS]


def parse_expiry(said: str) -> int:
    """The day since 1970 of an ISO date; raise ValueError."""
    return moment_us(said[:10]) // DAY_US


def format_expiry(day: int) -> str:
    """The ISO date of a day since 1970; the last date there is for one that lies beyond."""
    return (date(1970, 1, 1) + timedelta(days=min(day, LAST_DAY))).isoformat()


def _names(view: View) -> Iterator[str]:
    yield text(view, "title")
    for plate in rows(view, "plates"):
        yield f"{plate['designation']} {plate['serial']}"
    for alias in rows(view, "aliases"):
        yield str(alias["value"])
    yield fact(view, "radio", "dev_eui") or ""
    yield from _type_names(view)
    for plate in rows(view, "plates"):
        approvals = plate.get("approvals")
        yield from map(str, approvals if isinstance(approvals, list) else ())
    yield from (value for _, value in extracted_of(view))


def _type_names(view: View) -> Iterable[str]:
    return (
        text(view, "type", "model"),
        text(view, "type", "name"),
        text(view, "type", "record", "name"),
        text(view, "type", "record", "approval"),
    )


def _day(said: str) -> int:
    try:
        return max(0, parse_expiry(said)) if said else 0
    except ValueError:
        return 0
