"""Where something of a lot ended up: what came out of it, what its material went into, and what those stand in."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from node.passport.shown import place_of, rows, text
from node.passport.view import Plain
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport

BATCH, UNIT = "batch", "unit"
MOST_REACHED = 100_000
Doubt = Literal["nothing_known", "cut"]


@dataclass(frozen=True, slots=True)
class Reached:
    """A thing that something of a lot is in, or was: `path` leads to it from the lot, itself left out."""

    subject: bytes
    kind: str
    title: str
    state: str
    owner: str | None
    place: str
    path: tuple[bytes, ...]
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known here to be reached, nearest first; `is_cut` where there is more than was followed."""

    things: tuple[Reached, ...]
    is_cut: bool = False

    @property
    def doubt(self) -> Doubt | None:
        """Why this is no whole answer: nothing is known here, which clears nobody, or it is cut."""
        return "cut" if self.is_cut else None if self.things else "nothing_known"


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to a subject; a batch in which a single thing of the lot stands does not spread it to its others.

    What a batch holds `is_held`: a unit among it, a pallet say, hands on what stands in it.
    """

    subject: bytes
    path: tuple[bytes, ...] = ()
    is_inside: bool = True
    spreads: bool = True
    is_held: bool = False


async def find_reach(tx: ReadTx, start: bytes) -> Reach:
    """Everything known here that came out of a lot or has something of it inside, or had."""
    told: dict[bytes, Reached | None] = {start: None}
    first, is_cut = _Way(start), False
    seen, todo = {_key(first)}, deque([first])
    while todo:
        way = todo.popleft()
        found = await find_passport(tx, way.subject)
        if found is None:
            continue
        if found.subject not in told:
            told[found.subject] = _reached(found, way)
        for further in _further(found, way):
            if _key(further) in seen:
                continue
            if len(seen) > MOST_REACHED:
                is_cut = True
                break
            seen.add(_key(further))
            todo.append(further)
    return Reach(tuple(reached for reached in told.values() if reached), is_cut)


def _further(passport: StoredPassport, way: _Way) -> Iterator[_Way]:
    """What came out of this lot or was put into the batch, where its material went, and the wholes it stands in."""
    is_batch, is_pallet = passport.kind == BATCH, passport.kind == UNIT and way.is_held
    for name, edge in _edges(passport):
        if name == "members" and way.spreads:
            yield _step(way, edge, "part", spreads=True)
        elif name == "children" and edge["relation"] is None and way.spreads and (is_batch or is_pallet):
            yield _step(way, edge, "part", spreads=True, is_held=True)
        elif name == "used_in":
            yield _step(way, edge, "whole", spreads=True)
        elif name == "parents":
            yield _step(way, edge, "whole", spreads=is_batch and way.spreads)


def _edges(passport: StoredPassport) -> Iterator[tuple[str, dict[str, Plain]]]:
    for name in ("members", "children", "used_in", "parents"):
        for edge in rows(passport.content, "composition", name):
            yield name, edge


def _step(way: _Way, edge: dict[str, Plain], side: str, *, spreads: bool, is_held: bool = False) -> _Way:
    subject = bytes.fromhex(str(edge[side]))
    return _Way(subject, (*way.path, subject), way.is_inside and edge["until"] is None, spreads, is_held)


def _key(way: _Way) -> tuple[bytes, bool, bool]:
    return way.subject, way.spreads, way.is_held


def _reached(passport: StoredPassport, way: _Way) -> Reached:
    view = passport.content
    owner = text(view, "parties", "owner", "value") or None
    place = place_of(view)
    return Reached(
        passport.subject, passport.kind, passport.title, passport.state, owner, place, way.path, way.is_inside
    )
