"""What is kept of a folded passport so that one more event costs one more row.

An event is *plain* when it can do nothing but add its row: a statement of nothing else, about one subject, that names
no other statement and is named by none, with a code that moves no state and a key of its own. The row of a plain event
follows from who may say what (`facts`) and from the world alone: as long as these stand, so does the row. All else in
the view is folded without it. Kept is a projection: dropping it and folding all statements again gives the same view.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import msgpack

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import EventBody
from node.passport.canonical import dump_json
from node.passport.case import Case
from node.passport.fold import statement_view
from node.passport.identity import Identity
from node.passport.lifecycle import NEEDS_VERIFICATION, STATES
from node.passport.ranks import Delegation, SubjectFacts, Title
from node.passport.reading import Reading
from node.passport.roles import PartyRole, Tenure
from node.passport.statement import Statement
from node.passport.timeline import Event, event_view, timeline_of
from node.passport.view import HASH, Plain, Seal, View, chain_blocks, digest_of, seal_hash
from node.passport.world import World

LONG = 64  # rows up to which a view is kept whole
MOVING = STATES | NEEDS_VERIFICATION | {"verified"}


@dataclass(frozen=True)  # no slots: what is worked out once is kept in the instance
class Row:
    """A row of a list of a view; rows stand by `place`, whose order in bytes is the order of the list."""

    place: bytes
    ref: Ref
    content: dict[str, Plain]
    plain: bool = False

    @cached_property
    def raw(self) -> bytes:
        """The row as it is stored and hashed."""
        return dump_json(self.content)

    @cached_property
    def hash(self) -> bytes:
        """The row's hash."""
        return hashlib.sha256(self.raw).digest()


@dataclass(frozen=True, slots=True)
class Tally:
    """The hashes behind the seal of a list: of its blocks, of which the last may be open. `last` is the last place."""

    rows: int = 0
    blocks: bytes = b""
    is_open: bool = False
    last: bytes = b""

    @property
    def seal(self) -> Seal:
        """What stands for the list in the digest."""
        return Seal(self.rows, seal_hash(self.blocks))

    def add(self, rows: Sequence[Row]) -> "Tally":
        """With rows after the last one, in their order."""
        blocks, is_open = chain_blocks((row.hash for row in rows), self.blocks, is_open=self.is_open)
        return Tally(self.rows + len(rows), blocks, is_open, rows[-1].place)

    def swap(self, before: Sequence[bytes], after: Sequence[bytes], last: bytes) -> "Tally":
        """With rows of the hashes `after` in place of those of the hashes `before`, which are whole blocks."""
        (old, _), (new, is_open) = chain_blocks(before), chain_blocks(after)
        at = self._find(old)
        blocks = self.blocks[:at] + new + self.blocks[at + len(old) :]
        is_last = at + len(new) == len(blocks)
        return Tally(self.rows - len(before) + len(after), blocks, is_open if is_last else self.is_open, last)

    def _find(self, blocks: bytes) -> int:
        """Where some blocks stand; raise ValueError where they are not here."""
        at = self.blocks.find(blocks) if blocks else len(self.blocks)
        while at % HASH and at >= 0:
            at = self.blocks.find(blocks, at + 1)
        if at < 0:
            raise ValueError("the rows of a passport are not those of its digest")
        return at


@dataclass(frozen=True, slots=True)
class Kept:
    """What decides about one more event of a folded passport. `rest` is the hash of all but the rows."""

    facts: Mapping[bytes, SubjectFacts]
    awaited: frozenset[Ref]  # named by statements and not here
    signers: frozenset[bytes]
    rest: bytes
    events: Tally = Tally()
    statements: Tally = Tally()

    @property
    def digest(self) -> bytes:
        """The digest of the whole view."""
        return digest_of(self.rest, {name: tally.seal for name, tally in self.tallies.items()})

    @property
    def tallies(self) -> dict[str, Tally]:
        """By the name of the list."""
        return {"events": self.events, "statements": self.statements}


@dataclass(frozen=True, slots=True)
class Added:
    """The two rows that a plain event adds."""

    event: Row
    statement: Row


def add_event(kept: Kept, reading: Reading, world: World) -> Added | None:
    """The rows of one more statement, None where it may do more than add them.

    The caller makes sure that the key of its event is new, and that its place is.
    """
    statement = reading.statement
    if statement.org not in kept.signers or statement.ref in kept.awaited:
        return None
    body = _body(reading)
    if body is None or statement.subject not in kept.facts:
        return None
    subjects = frozenset(kept.facts)
    lead = Identity(statement.subject, (statement.subject,))
    case = Case(world, lead, subjects, (statement,), (reading,), {}, kept.facts, {})
    (event,) = timeline_of(case)
    if event.code in MOVING or event.warnings:
        return None
    return Added(
        event_row(event, event_view(case, event), is_plain=True), statement_row(case, statement, is_plain=True)
    )


def rows_of(case: Case, events: Sequence[Event], view: View) -> tuple[list[Row], list[Row]]:
    """Events and statements of a view that was made of this case and timeline, as rows; the plain ones are marked."""
    shown = view["events"]
    plain = _plain(case, events)
    rows = [
        event_row(event, content, is_plain=event.statement.ref in plain)
        for event, content in zip(events, shown if isinstance(shown, list) else [], strict=True)
        if isinstance(content, dict)
    ]
    said = view["statements"]
    signed = [
        Row(statement_place(statement), statement.ref, content, statement.ref in plain)
        for statement, content in zip(case.told, said if isinstance(said, list) else [], strict=True)
        if isinstance(content, dict)
    ]
    return rows, signed


def awaited_of(case: Case) -> frozenset[Ref]:
    """The places that statements name and that are not here."""
    return frozenset(ref for s in case.told for ref in (*s.refs, *s.auth) if ref not in case.places)


def named_by(statements: Iterable[Statement]) -> frozenset[Ref]:
    """Every place that statements name."""
    return frozenset(ref for s in statements for ref in (*s.refs, *s.auth))


def event_row(event: Event, content: dict[str, Plain], *, is_plain: bool) -> Row:
    """An event as a row."""
    return Row(event_place(event), event.statement.ref, content, is_plain)


def event_place(event: Event) -> bytes:
    """Where an event stands in the timeline."""
    at, stamp, log, seq, key = event.order
    return at.to_bytes(8) + stamp.to_bytes(8) + log + seq.to_bytes(8) + key.encode()


def statement_row(case: Case, statement: Statement, *, is_plain: bool) -> Row:
    """A statement as a row."""
    return Row(statement_place(statement), statement.ref, statement_view(case, statement), is_plain)


def statement_place(statement: Statement) -> bytes:
    """Where a statement stands among all that was said."""
    stamp, log, seq = statement.order
    return stamp.to_bytes(8) + log + seq.to_bytes(8) + statement.ref.id16


def encode_kept(kept: Kept) -> bytes:
    """As it is stored: a projection of ours, which nobody signs and no other node reads."""
    facts = [(subject, *_facts(found)) for subject, found in sorted(kept.facts.items())]
    tallies = [(t.rows, t.blocks, t.is_open, t.last) for t in (kept.events, kept.statements)]
    packed: bytes = msgpack.packb((facts, sorted(kept.awaited), sorted(kept.signers), kept.rest, tallies))
    return packed


def decode_kept(raw: bytes) -> Kept:
    """Read what `encode_kept` wrote."""
    facts, awaited, signers, rest, tallies = msgpack.unpackb(raw)
    return Kept(
        {subject: _subject_facts(*found) for subject, *found in facts},
        frozenset(Ref(*ref) for ref in awaited),
        frozenset(signers),
        rest,
        *(Tally(*tally) for tally in tallies),
    )


def _body(reading: Reading) -> EventBody | None:
    """What a statement says that may be plain: an event and nothing else."""
    s = reading.statement
    is_alone = len(s.subjects) == 1 and not (s.refs or s.auth or s.withheld or s.erased or reading.faults)
    if s.kind != Kind.EVENT or not is_alone or [*s.sections] != ["event"]:
        return None
    return reading.body("event", EventBody)


def _plain(case: Case, events: Sequence[Event]) -> frozenset[Ref]:
    named = named_by(case.statements)
    candidates = {
        reading.statement.ref
        for reading in case.spoken
        if reading.statement.ref not in named and _body(reading) is not None
    }
    return frozenset(
        event.statement.ref
        for event in events
        if event.statement.ref in candidates and len(event.told) == 1 and not (event.code in MOVING or event.warnings)
    )


# In the order in which they are written; a new field of the facts is written too, or this is refused at import.
_SETS = ("makers", "plate_readers", "settlement", "network", "named")
_KNOWN = frozenset({*_SETS, "scopes", "titles", "made", "roles", "delegations"})
if {item.name for item in fields(SubjectFacts)} != _KNOWN:
    raise TypeError("what is kept of a passport lacks a field of SubjectFacts")


def _facts(facts: SubjectFacts) -> tuple[object, ...]:
    titles = [(t.org, t.since, t.until, t.is_outside, t.cut, t.passed_to, t.is_unopened) for t in facts.titles]
    roles = [(one.role.value, one.org, one.since, one.until, one.cut, one.ended_by) for one in facts.roles]
    lent = [(d.by, d.org, sorted(d.rows), d.since, d.until, d.cut, d.ended_by, d.said) for d in facts.delegations]
    return *(sorted(getattr(facts, name)) for name in _SETS), sorted(facts.scopes), titles, facts.made, roles, lent


def _subject_facts(*found: Any) -> SubjectFacts:  # Any: of the fields, in the order of `_facts`
    *sets, scopes, titles, made, roles, lent = found
    named = dict(zip(_SETS, map(frozenset, sets), strict=True))
    held = tuple(Title(org, since, until, out, _sizes(cut), *more) for org, since, until, out, cut, *more in titles)
    return SubjectFacts(
        scopes=frozenset(scopes),
        titles=held,
        made=made,
        roles=tuple(_tenure(*role) for role in roles),
        delegations=tuple(_delegation(one) for one in lent),
        **named,
    )


def _tenure(  # Any: as msgpack gives it
    role: str, org: bytes, since: int, until: int | None, cut: Any, ended_by: bytes | None
) -> Tenure:
    return Tenure(PartyRole(role), org, since, until, _sizes(cut), ended_by)


def _delegation(found: Sequence[Any]) -> Delegation:  # Any: as msgpack gives it
    by, org, rows, since, until, cut, ended_by, said = found
    place = None if said is None else Ref(*said)
    return Delegation(by, org, frozenset(rows), since, until, _sizes(cut), ended_by, place)


def _sizes(cut: Any) -> tuple[tuple[bytes, int], ...] | None:  # Any: as msgpack gives it
    return None if cut is None else tuple((log, size) for log, size in cut)
