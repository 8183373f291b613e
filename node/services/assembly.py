"""Things, what they consist of, and where something ended up: units, objects, batches, parts in and out, recalls."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from federation.authority import Authority, Verb
from federation.fragment import SectionClass
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import CompositionBody, EventBody, Place, Reference, SubjectBody
from node.passport.claims import local_claim
from node.passport.composition import own_rows
from node.passport.drafts import Draft
from node.passport.ids import SubjectId, format_device_id
from node.passport.merge import Standing
from node.passport.plate import plate_text
from node.passport.references import parse_ref
from node.passport.shown import rows
from node.passport.view import Plain, View, inside_on, moment_us
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.reach import Reach, find_reach
from node.services.search import Query, Search
from node.store.database import ReadTx, WriteTx
from node.store.passports import StoredPassport, find_passport, read_titles

DEEPEST = 32
MOST_ABOVE = 100_000  # things above a whole that are looked at for a cycle
ROUTED = 4000  # subjects that one statement reaches beside its own
RECALLED = "recalled"
SYSTEM = "console"
CLAIM = Standing.CLAIM.value
Relation = Literal["lot", "material"]


@dataclass(frozen=True, slots=True)
class PartIn:
    """A part that goes into a whole: a subject that is known, or what is printed on one that has no passport yet."""

    subject: bytes | None = None
    designation: str | None = None
    serial: str | None = None
    position: str | None = None
    quantity: str = "1"
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A whole with its parts at a moment; `edge` is how it stands in the whole above it."""

    subject: bytes
    title: str
    kind: str
    edge: dict[str, Plain] | None = None
    parts: tuple["Node", ...] = field(default_factory=tuple)


class Assembly:
    """Says what things are and what stands in what, in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, search: Search) -> None:
        self._core = core
        self._search = search
        self._ledger = ledger
        self.adding = asyncio.Lock()  # a part that is free when it is looked at is free when it is said

    async def register(self, body: SubjectBody, actor: str) -> bytes:
        """State a thing without a plate, and answer its subject."""
        claim = local_claim(self._ledger.log.log, self._core.random.bytes(16))
        draft = drafts.thing(claim.subject.raw, claim.encode(), body, self._core.clock.now())
        await self._say([draft], actor, "thing_stated", claim.subject.raw)
        return claim.subject.raw

    async def add(self, whole: bytes, parts: Sequence[PartIn], since: str, actor: str) -> list[bytes]:
        """Put parts into a whole from a moment on, all or none; answer their subjects.

        Raise StateError where a part stands elsewhere at that time, or the whole stands in its own part.
        """
        async with self.adding:
            said = await self.drafts_of(whole, parts, since)
            await self._say(said, actor, "parts_added", whole)
            return [draft.subjects[0] for draft in said]

    async def drafts_of(self, whole: bytes, parts: Sequence[PartIn], since: str) -> list[Draft]:
        """What is to be said where parts go into a whole, one draft a part; call and say it within `adding`."""
        said: list[Draft] = []
        leads: set[bytes] = set()
        _check_printed(parts)
        async with self._core.database.read() as tx:
            above = await _above(tx, await _lead(tx, whole), moment_us(since))
            for part in parts:
                subject = await self._checked(tx, part, whole, above, since)
                body = CompositionBody(
                    relation=part.relation,
                    position=part.position,
                    quantity=part.quantity,
                    since=since,
                    designation=part.designation,
                    serial=part.serial,
                )
                lead = await _lead(tx, subject)
                if lead in leads and part.relation is None:
                    raise InputError("one part is named twice", "composition_twice")
                leads.add(lead)
                said.append(drafts.composition(subject, whole, body, moment_us(since)))
        return said

    async def resolved(self, parts: Sequence[PartIn]) -> list[PartIn]:
        """The same parts: what is printed on one that is known here names that one, wherever it stands."""
        async with self._core.database.read() as tx:
            return [await self._resolved(tx, part) for part in parts]

    async def _resolved(self, tx: ReadTx, part: PartIn) -> PartIn:
        if part.subject is not None or part.relation is not None or not (part.designation and part.serial):
            return part
        found = await self._search.find(tx, Query("serial", plate_text(f"{part.designation} {part.serial}")))
        return replace(part, subject=found[0].subject) if len(found) == 1 else part

    async def take_out(self, whole: bytes, part: bytes, until: str, actor: str) -> None:
        """End the time of a part in a whole; raise NotFoundError where it does not stand there."""
        async with self.adding:
            await self._take_out(whole, part, until, actor)

    async def _take_out(self, whole: bytes, part: bytes, until: str, actor: str) -> None:
        async with self._core.database.read() as tx:
            view = (await _get(tx, whole)).content
            lead = await _lead(tx, part)
        edges = [*rows(view, "composition", "children"), *rows(view, "composition", "members")]
        inside = [e for e in edges if e["part"] == lead.hex() and e["until"] is None and e["standing"] != CLAIM]
        if not inside:
            raise NotFoundError("that part does not stand in this whole", "composition_absent")
        edge = inside[0]
        if edge["since"] is not None and moment_us(until) < moment_us(str(edge["since"])):
            raise InputError(f"it went in on {edge['since']}, it cannot come out before", "moment")
        kept = ("relation", "position", "quantity", "since", "designation", "serial")
        body = CompositionBody.model_validate({name: edge[name] for name in kept} | {"until": until})
        said = [str(row["ref"]) for row in (edge, *rows(edge, "others")) if row["ref"]]
        refs = [parse_ref(place) for place in sorted(set(said))]
        await self._say([drafts.composition(lead, whole, body, moment_us(until), refs)], actor, "part_removed", whole)

    async def tree(self, subject: bytes, on: str) -> Node:
        """What stands inside at a moment, and inside of that, to the last part; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return await self._tree(tx, await _get(tx, subject), on, None, frozenset())

    async def titles(self, subjects: Iterable[bytes]) -> dict[bytes, str]:
        """What the passports of these subjects are called, as far as they are here."""
        async with self._core.database.read() as tx:
            return await read_titles(tx, subjects)

    async def reach(self, subject: bytes) -> Reach:
        """Everything known here that came out of a lot or has something of it inside, or had; nearest first."""
        async with self._core.database.read() as tx:
            return await find_reach(tx, (await _get(tx, subject)).subject)

    async def recall(self, subject: bytes, reason: str, document: str | None, when: str, actor: str) -> Reach:
        """Say that a lot (or a device) is recalled, in the passport of everything that it reached; answer those."""
        reached = await self.reach(subject)
        detail = {"reason": reason, **({"document": document} if document else {})}
        event = EventBody(
            what=Reference(central=RECALLED), where=Place(object=subject.hex()), system=SYSTEM, detail=detail
        )
        routed = [found.subject for found in reached.things]
        parts = [routed[at : at + ROUTED] for at in range(0, len(routed), ROUTED)] or [[]]
        said = [self._reaching(drafts.event(subject, event, moment_us(when)), part) for part in parts]
        await self._say(said, actor, "recalled", subject, reached=len(routed))
        return reached

    def _reaching(self, draft: Draft, subjects: Sequence[bytes]) -> Draft:
        """The draft with the subjects in whose passports it stands too."""
        if not subjects:
            return draft
        authority = Authority(Verb.READ, self._core.org, (), tuple(sorted(subjects)))
        routed = drafts.DraftSection("authority", authority.to_bytes(), SectionClass.AUTHORITY)
        return replace(draft, sections=(*draft.sections, routed), routes=tuple(subjects))

    async def _checked(
        self, tx: ReadTx, part: PartIn, whole: bytes, above: Mapping[bytes, Sequence[str]], since: str
    ) -> bytes:
        if part.subject is None:
            if not part.designation and not part.serial:
                raise InputError("a part has an id, or a designation or serial that is printed on it", "part_unnamed")
            return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw
        passport = await _get(tx, part.subject)
        if passport.subject in above:
            raise StateError(
                f"{passport.title} holds the whole: nothing stands in its own part",
                "composition_cycle",
                part=str(SubjectId(passport.subject)),
                path=" → ".join(above[passport.subject]),
            )
        if part.relation is None:
            await self._check_free(tx, passport, await _lead(tx, whole), since)
        return part.subject

    async def _check_free(self, tx: ReadTx, passport: StoredPassport, whole: bytes, since: str) -> None:
        at = moment_us(since)
        for edge in rows(passport.content, "composition", "parents"):
            ends = moment_us(str(edge["until"])) if edge["until"] else None
            if edge["standing"] != CLAIM and (ends is None or ends > at):
                other = bytes.fromhex(str(edge["whole"]))
                stands = await find_passport(tx, other)
                code = "composition_there" if other == whole else "composition_two_parents"
                raise StateError(
                    f"{passport.title} stands in {stands.title if stands else format_device_id(SubjectId(other))}",
                    code,
                    part=str(SubjectId(passport.subject)),
                    whole=format_device_id(SubjectId(other)),
                    title=stands.title if stands else "",
                    since=str(edge["since"] or "—"),
                )

    async def _tree(
        self, tx: ReadTx, passport: StoredPassport, on: str, edge: dict[str, Plain] | None, above: frozenset[bytes]
    ) -> Node:
        here = above | {passport.subject}
        parts = []
        for inside in inside_on(passport.content, on) if len(here) <= DEEPEST else []:
            part = bytes.fromhex(str(inside["part"]))
            found = await find_passport(tx, part) if part not in here else None
            if found is None or inside["relation"] is not None:
                title, kind = (found.title, found.kind) if found else ("", "component")
                parts.append(Node(part, _printed(inside) or title, kind, inside))
            else:
                parts.append(await self._tree(tx, found, on, inside, here))
        return Node(passport.subject, passport.title, passport.kind, edge, tuple(parts))

    async def _say(
        self, said: Sequence[Draft], actor: str, what: str, subject: bytes, reached: int | None = None
    ) -> None:
        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, subject, count=len(said), reached=reached)

        await self._ledger.append(said, note)


async def _get(tx: ReadTx, subject: bytes) -> StoredPassport:
    found = await find_passport(tx, subject)
    if found is None:
        raise NotFoundError("no passport of that id is here", "passport_unknown")
    return found


async def _lead(tx: ReadTx, subject: bytes) -> bytes:
    found = await find_passport(tx, subject)
    return found.subject if found else subject


def _check_printed(parts: Sequence[PartIn]) -> None:
    """Raise InputError where one serial is printed on two of the parts: it would be two things."""
    printed = [(part.designation, part.serial) for part in parts if part.subject is None and part.serial]
    if len(set(printed)) < len(printed):
        raise InputError("one part is named twice", "composition_twice")


async def _above(tx: ReadTx, subject: bytes, at: int) -> dict[bytes, list[str]]:
    """A subject and every whole in which it stands from a moment on, each with the titles up to it.

    A batch stands above what came out of it and below what its material went into; contested edges count too.
    """
    paths: dict[bytes, list[str]] = {}
    todo = deque([(subject, list[str]())])
    while todo and len(paths) <= MOST_ABOVE:
        here, below = todo.popleft()
        if here in paths:
            continue
        found = await find_passport(tx, here, whole=False)
        paths[here] = [*below, found.title if found else format_device_id(SubjectId(here))]
        for edge in own_rows(cast("View", found.content["composition"])) if found else []:
            ends = moment_us(str(edge["until"])) if edge["until"] else None
            if edge["standing"] != CLAIM and (ends is None or ends > at):
                todo.append((bytes.fromhex(str(edge["whole"])), paths[here]))
    return paths


def _printed(edge: dict[str, Plain]) -> str:
    return f"{edge['designation'] or ''} № {edge['serial'] or ''}".strip(" №")
