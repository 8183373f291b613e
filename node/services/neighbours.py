"""What the passports of parts and wholes tell each other: an edge is judged in one passport and shown in others.

A passport is folded with what those around it say now. Where it says something else than before of its edges, or of who
may speak of it, those that depend on it are folded again; a fold that alters nothing wakes nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from federation.authority import Kind
from node.passport.case import Case
from node.passport.composition import DEEPEST, Around, Row, neighbours_of, own_rows
from node.passport.parties import speakers_of
from node.passport.view import Plain, View, load_view
from node.store.database import ReadTx
from node.store.passports import read_digests, read_leads, read_views

MOST_AROUND = 4096  # wholes above one passport that are looked at
_NOTHING = b'"composition":{"parents":[],"children":[],"lots":[],"members":[],"used_in":[]}'
_INSIDE = ("children", "members")
_RAW = ("whole", "position", "since", "until", "relation", "level")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What others need of a passport of this digest."""

    digest: bytes
    edges: list[Row]
    parties: Row

    @property
    def wholes(self) -> set[bytes]:
        """In which it stood, out of which it came, and into which its material went."""
        return {bytes.fromhex(str(row["whole"])) for row in self.edges}


class Neighbours:
    """Reads what passports say of their edges; what was read last is kept as long as it is what is stored."""

    def __init__(self) -> None:
        self._seen: dict[bytes, _Seen] = {}

    async def around(self, tx: ReadTx, case: Case) -> Around | None:
        """What the passports of the parts and wholes say that a case names; None where it names none."""
        if not any(statement.kind == Kind.COMPOSITION for statement in case.statements):
            return None
        parts, wholes = neighbours_of(case)
        leads = await read_leads(tx, {*parts, *wholes})
        mine = case.subjects
        near = await self._read(tx, {lead for lead in leads.values() if lead not in mine})
        over = {lead: seen for whole in wholes if (lead := leads.get(whole, whole)) in near for seen in [near[lead]]}
        speakers = {lead: speakers_of(seen.parties) for lead, seen in over.items()}
        known = near | {lead: seen for lead, seen in (await self._climb(tx, over)).items() if lead not in mine}
        return Around(leads, {lead: seen.edges for lead, seen in known.items()}, speakers)

    async def stale(self, tx: ReadTx, lead: bytes, before: View, after: View) -> frozenset[bytes]:
        """The passports that hang on what is said otherwise now in one that was stored; `before` may be empty."""
        old, new = (own_rows(_object(view, "composition")) if view else [] for view in (before, after))
        altered = [row for row in old if row not in new] + [row for row in new if row not in old]
        found = {_whole(row) for row in altered}
        if not before or before["parties"] != after["parties"]:
            inside = _object(after, "composition")
            found |= {bytes.fromhex(str(row["part"])) for name in _INSIDE for row in _rows(inside[name])}
        told = {_raw(row) for row in old} ^ {_raw(row) for row in new}
        if moved := {_whole(row) for row in altered if _raw(row) in told}:
            above = await self._climb(tx, await self._read(tx, set((await read_leads(tx, moved)).values())))
            if any(lead in seen.wholes for seen in above.values()):
                found |= above.keys()  # the way up leads back: each member of a cycle tells of it
        return frozenset(found - {lead})

    async def left_behind(self, tx: ReadTx, lead: bytes, before: View) -> frozenset[bytes]:
        """The passports that hung on one of which nothing stands any more."""
        inside = _object(before, "composition")
        wholes = {_whole(row) for row in own_rows(inside)}
        found = wholes | {bytes.fromhex(str(row["part"])) for name in _INSIDE for row in _rows(inside[name])}
        above = await self._climb(tx, await self._read(tx, set((await read_leads(tx, wholes)).values())))
        if any(lead in seen.wholes for seen in above.values()):
            found |= above.keys()
        return frozenset(found - {lead})

    async def _climb(self, tx: ReadTx, first: Mapping[bytes, _Seen]) -> dict[bytes, _Seen]:
        """These passports and those of the wholes above them."""
        found, near = dict(first), dict(first)
        for _ in range(DEEPEST):
            wholes = {whole for seen in near.values() for whole in seen.wholes} - found.keys()
            if not wholes or len(found) > MOST_AROUND:
                break
            near = await self._read(tx, wholes)
            found |= near
        return found

    async def _read(self, tx: ReadTx, leads: Iterable[bytes]) -> dict[bytes, _Seen]:
        digests = await read_digests(tx, leads)
        fresh = [lead for lead, digest in digests.items() if self._seen.get(lead, _UNSEEN).digest != digest]
        if len(self._seen) > MOST_AROUND:
            self._seen = {lead: seen for lead, seen in self._seen.items() if lead in digests}
        for lead, raw in (await read_views(tx, fresh)).items() if fresh else ():
            view = load_view(raw)
            if not view:
                continue  # not folded again yet
            edges = own_rows(_object(view, "composition"))
            self._seen[lead] = _Seen(digests[lead], edges, _object(view, "parties"))
        return {
            lead: seen for lead, digest in digests.items() if (seen := self._seen.get(lead)) and seen.digest == digest
        }


def is_apart(view: bytes | None) -> bool:
    """Whether a view, where there is one, names no parts and no wholes."""
    return view is None or _NOTHING in view


def tied_to(case: Case) -> frozenset[bytes]:
    """Every passport that is tied to a case by composition: all hang on the subject under which it is shown."""
    parts, wholes = neighbours_of(case)
    return parts | wholes


def _whole(row: Row) -> bytes:
    return bytes.fromhex(str(row["whole"]))


def _raw(row: Row) -> tuple[Plain, ...]:
    return tuple(row[name] for name in _RAW)


def _rows(value: Plain) -> list[Row]:
    return cast("list[Row]", value)


def _object(view: View, name: str) -> Row:
    return cast("Row", view[name])


_UNSEEN = _Seen(b"", [], {})
