"""Mandates: roles over things, offered, accepted, stated by a document, given and ended in this organisation's name."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from federation.authority import Authority, Verb
from federation.codec import pack
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import MandateBody, PersonBody
from node.passport.claims import local_claim
from node.passport.drafts import Draft
from node.passport.entitlement import entitlement, speakers
from node.passport.ids import SubjectId
from node.passport.mandates import KINDS, Mandate, MandateBasis, MandateState, mandates_of
from node.passport.references import parse_ref
from node.passport.roles import CAPACITIES, DOCUMENT, GIVEN, RESIDENT, PartyRole, outside_party
from node.passport.world import World
from node.services.core import Core
from node.services.known import check_organisation, check_passports
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.cuts import read_cut
from node.store.database import ReadTx, WriteTx
from node.store.fragments import count_kinds
from node.store.passports import StoredPassport, every_id, read_passports

MOST_THINGS = 4096
MOST_GROUNDS = 8


@dataclass(frozen=True, slots=True)
class Outside:
    """A party without a node: `number` is `inn:...` or `ogrn:...`, None for a resident, whose name stays here."""

    name: str
    number: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read when so many entries and sections of acts stood here, in that world."""

    stands: tuple[int, int]
    world: World
    mandates: Sequence[Mandate]


class Mandates:
    """Says and answers acts about roles."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._kept: _Kept | None = None
        self._one_at_a_time = asyncio.Lock()  # over looking and signing: a role is offered once

    async def offer(
        self,
        role: PartyRole,
        party: bytes,
        things: Sequence[bytes],
        papers: MandateBody,
        actor: str,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> Mandate:
        """Offer a capacity of an owner to an organisation; it passes with the acceptance, and lapses at `until`."""
        _check_capacity(role)
        if party == self._core.org:
            raise InputError("a role is offered to another organisation", "mandate_to_self")
        authority = Authority(Verb.OFFER, party, (role.value,), (), (), since, until)
        return await self._give(role, authority, things, papers, actor, "role_offered")

    async def state(
        self,
        role: PartyRole,
        party: Outside,
        things: Sequence[bytes],
        papers: MandateBody,
        actor: str,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> Mandate:
        """State a role of a party without a node, by the document that is named."""
        if papers.document is None:
            raise InputError("a role is stated with the document that gives it", "mandate_document")
        if party.number and self._projection.world.attestations.holder(party.number):
            raise StateError(f"{party.number} has a node: offer it the role", "mandate_has_node", number=party.number)
        number = party.number or RESIDENT
        named = outside_party(number) if party.number else self._mint()
        told = papers.model_copy(update={"name": party.name}) if party.number else papers
        person = None if party.number else PersonBody(name=party.name, contact=party.contact)
        rows_ = tuple(sorted({role.value, number, DOCUMENT}, key=pack))
        authority = Authority(Verb.ROLE, named, rows_, (), (), since, until)
        return await self._give(role, authority, things, told, actor, "role_stated", person)

    async def appoint(
        self,
        role: PartyRole,
        party: bytes,
        things: Sequence[bytes],
        papers: MandateBody,
        actor: str,
        *,
        since: int | None = None,
        until: int | None = None,
    ) -> Mandate:
        """Give an organisation a role that needs no acceptance, as that of a data source."""
        if role not in GIVEN:
            raise InputError(f"{role.value} is offered and accepted, or stated by a document", "mandate_needs_offer")
        authority = Authority(Verb.ROLE, party, (role.value,), (), (), since, until)
        return await self._give(role, authority, things, papers, actor, "role_given")

    async def accept(self, subject: bytes, actor: str) -> Mandate:
        """Accept an offer that was made to this organisation; a second acceptance changes nothing."""
        async with self._one_at_a_time:
            mandate = await self._offered(subject)
            if mandate.party.org != self._core.org:
                raise DeniedError("the role is offered to another organisation", "mandate_not_ours")
            state = mandate.state(self._core.clock.now())
            if state is MandateState.WAITING:
                async with self._core.database.read() as tx:
                    cut = await read_cut(tx, mandate.author)
                authority = Authority(Verb.ACCEPT, mandate.author, (mandate.role.value,), mandate.things)
                now, grounds = self._core.clock.now(), [mandate.said.ref]
                draft = drafts.mandate(subject, authority, MandateBody(), now, grounds=grounds, cut=cut)
                await self._say(draft, actor, "role_accepted", mandate)
            elif state not in (MandateState.STANDS, MandateState.ENDED):
                raise StateError(f"the offer is {state.value}", "mandate_answered", state=state.value)
        return await self.get(subject)

    async def refuse(self, subject: bytes, reason: str, actor: str) -> Mandate:
        """Refuse an offer that was made to this organisation."""
        async with self._one_at_a_time:
            mandate = await self._waiting(subject)
            if mandate.party.org != self._core.org:
                raise DeniedError("the role is offered to another organisation", "mandate_not_ours")
            await self._end(mandate, mandate.things, reason, actor, "role_refused")
        return await self.get(subject)

    async def withdraw(self, subject: bytes, reason: str, actor: str) -> Mandate:
        """Take back an offer that nobody answered."""
        async with self._one_at_a_time:
            mandate = await self._waiting(subject)
            if mandate.author != self._core.org:
                raise DeniedError("the offer is another organisation's", "mandate_not_ours")
            await self._end(mandate, mandate.things, reason, actor, "role_withdrawn")
        return await self.get(subject)

    async def end(self, subject: bytes, reason: str, actor: str, things: Sequence[bytes] = ()) -> Mandate:
        """End a role that an act gave, over all its things or some: what its holder says from now on counts no more.

        The holder ends it, who gave it, and who holds the title or is responsible now.
        """
        async with self._one_at_a_time:
            mandate = await self.get(subject)
            state = mandate.state(self._core.clock.now())
            if state is not MandateState.STANDS:
                raise StateError(f"the mandate is {state.value}", "mandate_not_standing", state=state.value)
            if mandate.role is PartyRole.TITLE:
                raise InputError("a title ends by passing on", "mandate_title")
            async with self._core.database.read() as tx:
                named = await every_id(tx, things) if things else list(mandate.things)
                left = [thing for thing in mandate.things if thing in set(named) and thing not in mandate.ends]
                await self._check_may_end(tx, mandate, left)
            await self._end(mandate, left, reason, actor, "role_ended")
        return await self.get(subject)

    async def get(self, subject: bytes) -> Mandate:
        """The act of that id; raise NotFoundError."""
        found = [mandate for mandate in await self.all() if mandate.subject == subject]
        if not found:
            raise NotFoundError("no mandate of that id is here", "mandate_unknown")
        return found[0]

    async def all(self) -> list[Mandate]:
        """Every act about roles that is here, the oldest first."""
        async with self._core.database.read() as tx:
            return await self._read(tx)

    async def waiting(self) -> list[Mandate]:
        """Offers that wait for this organisation's answer."""
        now, own = self._core.clock.now(), self._core.org
        return [one for one in await self.all() if one.party.org == own and one.state(now) is MandateState.WAITING]

    async def _read(self, tx: ReadTx) -> list[Mandate]:
        """Read anew only where there is more than before: every page asks how many offers wait."""
        stands, world = await count_kinds(tx, KINDS), self._projection.world
        if self._kept is None or self._kept.stands != stands or self._kept.world is not world:
            said = await (await StatementReader.open(tx)).of_kinds(tx, KINDS)
            self._kept = _Kept(stands, world, await tx.aside(lambda: mandates_of(said, world)))
        return [*self._kept.mandates]

    async def _offered(self, subject: bytes) -> Mandate:
        mandate = await self.get(subject)
        if mandate.basis is not MandateBasis.OFFER:
            raise StateError("that act is no offer", "mandate_no_offer")
        return mandate

    async def _waiting(self, subject: bytes) -> Mandate:
        mandate = await self._offered(subject)
        state = mandate.state(self._core.clock.now())
        if state is not MandateState.WAITING:
            raise StateError(f"the offer is {state.value}", "mandate_answered", state=state.value)
        return mandate

    async def _give(
        self,
        role: PartyRole,
        authority: Authority,
        things: Sequence[bytes],
        papers: MandateBody,
        actor: str,
        what: str,
        person: PersonBody | None = None,
    ) -> Mandate:
        if authority.since is not None and authority.until is not None and authority.until <= authority.since:
            raise InputError("it would end before it begins", "mandate_period")
        is_outside = DOCUMENT in authority.rows
        async with self._one_at_a_time:
            async with self._core.database.read() as tx:
                if not is_outside:
                    await check_organisation(tx, authority.party)
                await check_passports(tx, things)
                named = await every_id(tx, things)
                _check_count(named)
                grounds = self._grounds(role, await read_passports(tx, things))
                if authority.verb is Verb.OFFER:
                    self._check_free(role, named, await self._read(tx))
            subject = self._mint()
            whole = replace(authority, subjects=tuple(named))
            draft = drafts.mandate(subject, whole, papers, self._core.clock.now(), grounds=grounds, person=person)

            async def note(tx: WriteTx, _entries: object) -> None:
                to = None if is_outside else authority.party.hex()
                thing = things[0] if len(things) == 1 else None
                await self._core.announce(
                    tx, actor, what, thing, capacity=role.value, to=to, count=len(things), mandate=subject.hex()
                )

            await self._ledger.append([draft], note)
        return await self.get(subject)

    def _grounds(self, role: PartyRole, passports: Mapping[bytes, StoredPassport]) -> list[Ref]:
        """What entitles this organisation to the act; raise DeniedError for a thing of which nothing does."""
        found: set[str] = set()
        for subject, passport in passports.items():
            entitled = entitlement(passport.content, role, self._core.org, self._core.clock.now())
            if not entitled.may:
                device = str(SubjectId(subject))
                raise DeniedError(f"{role.value} of {device} is not ours to give", "role_not_held", id=device)
            found |= entitled.grounds
        if len(found) > MOST_GROUNDS:
            raise InputError("the things came by too many acts to name them at once", "mandate_grounds")
        return sorted(map(parse_ref, found))

    def _check_free(self, role: PartyRole, things: Collection[bytes], known: Iterable[Mandate]) -> None:
        """Raise StateError where this organisation offered one of them already and waits."""
        now, wanted = self._core.clock.now(), set(things)
        for one in known:
            is_ours = one.author == self._core.org and one.role is role
            if is_ours and one.state(now) is MandateState.WAITING and wanted & set(one.things):
                raise StateError("the role is offered already", "mandate_offered", mandate=str(SubjectId(one.subject)))

    async def _check_may_end(self, tx: ReadTx, mandate: Mandate, things: Sequence[bytes]) -> None:
        """Raise DeniedError unless this organisation holds the role, gave it, or could give it now."""
        own = self._core.org
        if not things:
            raise NotFoundError("that mandate names none of these things", "mandate_things")
        if own == mandate.party.org or (own == mandate.author and mandate.role in GIVEN):
            return
        for subject, passport in (await read_passports(tx, things)).items():
            if own.hex() not in speakers(passport.content, self._core.clock.now()):
                device = str(SubjectId(subject))
                raise DeniedError(f"the role over {device} is not ours to end", "role_not_held", id=device)

    async def _end(self, mandate: Mandate, things: Sequence[bytes], reason: str, actor: str, what: str) -> None:
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, mandate.party.org)
        authority = Authority(Verb.END, mandate.party.org, (mandate.role.value,), tuple(sorted(things)))
        now, body = self._core.clock.now(), MandateBody(reason=reason)
        await self._say(drafts.ending(mandate.subject, authority, cut, body, now, mandate.last), actor, what, mandate)

    async def _say(self, draft: Draft, actor: str, what: str, mandate: Mandate) -> None:
        async def note(tx: WriteTx, _entries: object) -> None:
            to = None if mandate.party.is_outside else mandate.party.org.hex()
            of, role, act = mandate.author.hex(), mandate.role.value, mandate.subject.hex()
            await self._core.announce(tx, actor, what, None, capacity=role, of=of, to=to, mandate=act)

        await self._ledger.append([draft], note)

    def _mint(self) -> bytes:
        return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw


def _check_capacity(role: PartyRole) -> None:
    if role not in CAPACITIES:
        raise InputError(f"{role.value} is given, not offered", "mandate_not_offered")


def _check_count(things: Collection[bytes]) -> None:
    if not 0 < len(things) <= MOST_THINGS:
        raise InputError(f"an act names 1 to {MOST_THINGS} things", "mandate_count", most=MOST_THINGS)
