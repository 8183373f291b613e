"""Hand-overs over many things: which two accepted offers contradict each other, the decision, and what goes along.

An act is read by itself in `mandates`; whether it passed anything is told by the passports, which are asked here.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from federation.authority import Authority, Verb
from node.errors import DeniedError, NodeError, NotFoundError
from node.passport import drafts
from node.passport.bodies import MandateBody
from node.passport.drafts import Draft
from node.passport.grants import Grant
from node.passport.mandates import Mandate, MandateState
from node.passport.merge import Standing
from node.passport.parties import ACCEPTED_TWICE, roles_at
from node.passport.passing import ACCEPTANCE, APPOINTMENT, PAPER
from node.passport.references import parse_ref, ref_text
from node.passport.roles import PartyRole
from node.passport.shown import rows
from node.passport.view import Plain, View
from node.services.cases import Cases
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.mandates import Mandates
from node.store.conflicts import list_conflicts
from node.store.cuts import read_cut
from node.store.database import ReadTx, WriteTx
from node.store.passports import StoredPassport, every_id, read_passports

MOST_DISPUTED, AT_ONCE = 4096, 200  # passports of which disputes are told, and how many are read at a time
MOST_LOOKED_AT = 50  # things of which it is told what stands over them
MOST_THINGS = 4096  # of one statement

Row = Mapping[str, Plain]


@dataclass(frozen=True, slots=True)
class Side:
    """One accepted offer of several that contradict each other: its act, as views show places, and to whom."""

    act: str
    subject: bytes
    party: bytes
    acceptance: str
    offered: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """A role over some things that several organisations accepted; who offered it decides."""

    role: PartyRole
    by: bytes
    sides: tuple[Side, ...]
    things: tuple[bytes, ...] = ()

    def concerns(self, org: bytes) -> bool:
        """Whether an organisation is a party to it."""
        return org == self.by or any(side.party == org for side in self.sides)


@dataclass(frozen=True, slots=True)
class Burden:
    """What stands over things beside their owner: a role or a grant, of whom, by whose word, until when."""

    what: str
    org: bytes
    by: bytes | None
    number: str | None
    since: int | None
    until: int | None
    ref: str | None
    things: tuple[bytes, ...] = ()


class HandOvers:
    """Tells of hand-overs and decides between them."""

    def __init__(self, core: Core, ledger: Ledger, mandates: Mandates, cases: Cases) -> None:
        self._core = core
        self._ledger = ledger
        self._mandates = mandates
        self._cases = cases
        self._one_at_a_time = asyncio.Lock()  # over looking and signing: it is decided once

    async def disputes(self) -> list[Dispute]:
        """What contradicts itself of what this organisation offered or accepted."""
        async with self._core.database.read() as tx:
            found = [dispute for passport in await self._disputed(tx) for dispute in _disputes_of(passport)]
        mine = [dispute for dispute in found if dispute.concerns(self._core.org)]
        things: dict[Dispute, list[bytes]] = defaultdict(list)
        for dispute in mine:
            things[replace(dispute, things=())] += dispute.things
        return [replace(dispute, things=tuple(of)) for dispute, of in things.items()]

    async def decide(self, subject: bytes, reason: str, actor: str, things: Collection[bytes] = ()) -> list[Dispute]:
        """Let one accepted offer of ours, by its act's id, be the one that counts, over all things in dispute or some.

        The others end: the cut of each leaves out the acceptance that answered it.
        """
        async with self._one_at_a_time:
            found = [one for one in await self.disputes() if any(side.subject == subject for side in one.sides)]
            if not found:
                raise NotFoundError("no accepted offer of that act contradicts another one", "handover_no_dispute")
            found = [one for one in found if one.by == self._core.org]
            if not found:
                raise DeniedError("who offered it decides", "handover_not_ours")
            async with self._core.database.read() as tx:
                wanted = await every_id(tx, things) if things else []
                ours = [_over(one, set(wanted)) for one in found] if things else found
                left = [one for one in ours if one.things]
                said = [draft for one in left for draft in await self._decision(tx, one, subject, reason)]
            if not said:
                raise NotFoundError("none of these things is in dispute by that act", "mandate_things")

            async def note(tx: WriteTx, _entries: object) -> None:
                for one in left:
                    to = next(side.party for side in one.sides if side.subject == subject)
                    await self._core.announce(
                        tx, actor, "role_decided", None, capacity=one.role.value, to=to.hex(), count=len(one.things)
                    )

            await self._ledger.append(said, note)
        return left

    async def states(self, mandates: Iterable[Mandate]) -> dict[bytes, MandateState]:
        """How acts stand, by their ids, as the passports of their things tell."""
        now, mandates = self._core.clock.now(), [*mandates]
        contested = {side.act for one in await self.disputes() for side in one.sides}
        found = {one.id: one.state(now) for one in mandates}
        async with self._core.database.read() as tx:
            for one in mandates:
                if ref_text(one.said.ref) in contested:
                    found[one.id] = MandateState.DISPUTED
                elif one.answer is not None and (thing := _decided(one)) is not None:
                    found[one.id] = await self._chosen(tx, one, thing)
        return found

    async def standing(self, subject: bytes) -> tuple[list[Burden], int]:
        """What stands over the things of an act: roles and grants, with whose word; and how many things were looked at.

        Of a thing that has no passport here nothing is told.
        """
        mandate, now = await self._mandates.get(subject), self._core.clock.now()
        async with self._core.database.read() as tx:
            passports = await read_passports(tx, mandate.left[:MOST_LOOKED_AT])
        found: dict[Burden, list[bytes]] = defaultdict(list)
        for lead, passport in {one.subject: one for one in passports.values()}.items():
            for one in [*_roles(passport.content, now), *await self._grants(lead, now)]:
                found[one].append(lead)
        told = [replace(one, things=tuple(things)) for one, things in found.items()]
        return told, len({one.subject for one in passports.values()})

    async def _disputed(self, tx: ReadTx) -> Sequence[StoredPassport]:
        found: list[StoredPassport] = []
        after: tuple[str, bytes] | None = None
        while len(found) < MOST_DISPUTED:
            page = await list_conflicts(tx, ACCEPTED_TWICE, after, AT_ONCE)
            found += page
            if len(page) < AT_ONCE:
                break
            after = (page[-1].title, page[-1].subject)
        return found

    async def _decision(self, tx: ReadTx, dispute: Dispute, subject: bytes, reason: str) -> list[Draft]:
        said, now = list[Draft](), self._core.clock.now()
        named = sorted(await every_id(tx, dispute.things))
        for side in (side for side in dispute.sides if side.subject != subject):
            cut = await read_cut(tx, side.party, before=parse_ref(side.acceptance))
            for start in range(0, len(named), MOST_THINGS):
                some = tuple(named[start : start + MOST_THINGS])
                authority = Authority(Verb.END, side.party, (dispute.role.value,), some)
                body = MandateBody(reason=reason)
                said.append(drafts.ending(side.subject, authority, cut, body, now, parse_ref(side.act)))
        return said

    async def _chosen(self, tx: ReadTx, mandate: Mandate, thing: bytes) -> MandateState:
        """How an accepted offer stands that its author ended: another one may have been chosen, or it was too late."""
        act = ref_text(mandate.said.ref)
        for passport in (await read_passports(tx, [thing])).values():
            if any(row["act"] == act for row in rows(passport.content, "parties", "transfers")):
                return MandateState.NOT_CHOSEN
        return MandateState.STANDS

    async def _grants(self, thing: bytes, now: int) -> Iterator[Burden]:
        try:
            case = await self._cases.of(thing)
        except NodeError:  # it was taken back meanwhile
            return iter(())
        given = {one.said.ref: one for some in case.grants.values() for one in some}
        return (_grant(one) for one in given.values() if one.ended is None and (one.until is None or one.until > now))


def _disputes_of(passport: StoredPassport) -> Iterator[Dispute]:
    sides: dict[tuple[PartyRole, bytes], list[Side]] = defaultdict(list)
    for row in rows(passport.content, "parties", "transfers"):
        if row["state"] == Standing.DISPUTED:
            key = (PartyRole(str(row["role"])), bytes.fromhex(str(row["from"])))
            sides[key].append(_side(row))
    for (role, by), found in sides.items():
        yield Dispute(role, by, tuple(sorted(found, key=lambda side: side.act)), (passport.subject,))


def _side(row: Row) -> Side:
    subject, party = bytes.fromhex(str(row["subject"])), bytes.fromhex(str(row["to"]))
    # What was passed on by a document is closed by being said.
    acceptance = str(row["acceptance"] or row["act"])
    return Side(str(row["act"]), subject, party, acceptance, cast("int", row["offered"]))


def _over(dispute: Dispute, things: Collection[bytes]) -> Dispute:
    return replace(dispute, things=tuple(thing for thing in dispute.things if thing in things))


def _decided(mandate: Mandate) -> bytes | None:
    """A thing over which the author of an offer ended it by name, though the party had accepted it."""
    ended = ((thing, mandate.ends[thing]) for thing in mandate.taken if thing in mandate.ends)
    ended = ((thing, end) for thing, end in ended if end.org == mandate.author)
    return next((thing for thing, end in ended if mandate.said.ref in end.refs), None)


def _roles(view: View, now: int) -> Iterator[Burden]:
    parties = cast("dict[str, Plain]", view["parties"])
    for row in roles_at(parties, now):
        if row["basis"] in (ACCEPTANCE, PAPER, APPOINTMENT) and row["role"] != PartyRole.TITLE:
            by, number = row["by"], row["number"]
            yield Burden(
                str(row["role"]),
                bytes.fromhex(str(row["party"])),
                bytes.fromhex(str(by)) if by else None,
                str(number) if number else None,
                cast("int | None", row["since"]),
                cast("int | None", row["until"]),
                str(row["act"]) if row["act"] else None,
            )


def _grant(one: Grant) -> Burden:
    verb = one.verb.name.lower().replace("_", "-")
    return Burden(verb, one.party, one.by, None, one.since, one.until, ref_text(one.said.ref))
