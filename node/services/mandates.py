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
from node.passport.entitlement import entitlement, may_end
from node.passport.ids import SubjectId
from node.passport.mandates import KINDS, Mandate, MandateBasis, MandateState, mandates_of
from node.passport.merge import Standing
from node.passport.parties import WAITING
from node.passport.references import parse_ref, ref_text
from node.passport.roles import DOCUMENT, GIVEN, PASSING, RESIDENT, PartyRole, outside_party
from node.passport.shown import rows
from node.passport.view import moment_at
from node.passport.world import World
from node.services.core import Core
from node.services.known import check_member, check_organisation, check_passports
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
        """Offer a capacity of an owner, or a network, to an organisation; it passes with the acceptance, and lapses at
        `until`. What this organisation offered of the same to others, and nobody answered, ends with it.
        """
        _check_capacity(role)
        if party == self._core.org:
            raise InputError("a role is offered to another organisation", "mandate_to_self")
        check_member(self._projection.world, party)
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
        if role is PartyRole.ESCROW and until is not None:
            raise InputError("an escrow is ended, it does not lapse", "mandate_escrow_until")
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
                await self._take(mandate, mandate.unanswered, actor, "role_accepted")
            elif state is MandateState.LAPSED:
                raise StateError("the offer has lapsed", "mandate_lapsed", until=_shown(mandate.until))
            elif state not in (MandateState.STANDS, MandateState.ENDED):
                raise StateError(f"the offer is {state.value}", "mandate_answered", state=state.value)
        return await self.get(subject)

    async def widen(self, subject: bytes, actor: str) -> Mandate:
        """Let what the former holder said up to now count, as far as it is here, of a role that this organisation took
        over by an acceptance.
        """
        async with self._one_at_a_time:
            mandate = await self._offered(subject)
            if mandate.party.org != self._core.org:
                raise DeniedError("another organisation took the role over", "mandate_not_ours")
            state = mandate.state(self._core.clock.now())
            if state is not MandateState.STANDS:
                raise StateError(f"the mandate is {state.value}", "mandate_not_standing", state=state.value)
            await self._take(mandate, mandate.given, actor, "role_widened")
        return await self.get(subject)

    async def refuse(self, subject: bytes, reason: str, actor: str) -> Mandate:
        """Refuse an offer that was made to this organisation."""
        async with self._one_at_a_time:
            mandate = await self._waiting(subject)
            if mandate.party.org != self._core.org:
                raise DeniedError("the role is offered to another organisation", "mandate_not_ours")
            await self._end(mandate, mandate.said.ref, mandate.unanswered, reason, actor, "role_refused")
        return await self.get(subject)

    async def withdraw(self, subject: bytes, reason: str, actor: str) -> Mandate:
        """Take back what nobody accepted of an offer, one that lapsed too: it is accepted by no date then."""
        async with self._one_at_a_time:
            mandate = await self._offered(subject)
            if not mandate.is_open:
                state = mandate.state(self._core.clock.now())
                raise StateError(f"the offer is {state.value}", "mandate_answered", state=state.value)
            if mandate.author != self._core.org:
                raise DeniedError("the offer is another organisation's", "mandate_not_ours")
            await self._end(mandate, mandate.said.ref, mandate.unanswered, reason, actor, "role_withdrawn")
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
            await self._projection.catch_up(mandate.given)
            async with self._core.database.read() as tx:
                named = await every_id(tx, things) if things else list(mandate.things)
                left = [thing for thing in mandate.given if thing in set(named)]
                await self._check_may_end(tx, mandate, left)
            await self._end(mandate, mandate.last, left, reason, actor, "role_ended")
        return await self.get(subject)

    async def get(self, subject: bytes) -> Mandate:
        """The act of that id; raise NotFoundError."""
        every = await self.all()
        # Whose id another organisation put over an act of its own finds its own by it all the same.
        own = (one for one in every if one.subject == subject and one.author == self._core.org)
        found = next((one for one in every if one.id == subject), None) or next(own, None)
        if found is None:
            raise NotFoundError("no mandate of that id is here", "mandate_unknown")
        return found

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
        is_outside, earlier = DOCUMENT in authority.rows, list[Draft]()
        async with self._one_at_a_time:
            await self._projection.catch_up(things)
            async with self._core.database.read() as tx:
                if not is_outside:
                    await check_organisation(tx, authority.party)
                await check_passports(tx, things)
                named = await every_id(tx, things)
                _check_count(named)
                passports = await read_passports(tx, things)
                grounds = self._grounds(role, passports, offers=authority.verb is not Verb.ROLE)
                if authority.verb is Verb.OFFER or is_outside:
                    replaced = self._replaced(role, authority.party, named, await self._read(tx))
                    self._check_free(role, passports, replaced)
                    earlier = [await self._withdrawal(tx, one, named) for one in replaced]
            subject = self._mint()
            whole = replace(authority, subjects=tuple(named))
            draft = drafts.mandate(subject, whole, papers, self._core.clock.now(), grounds=grounds, person=person)

            async def note(tx: WriteTx, _entries: object) -> None:
                to = None if is_outside else authority.party.hex()
                thing = things[0] if len(things) == 1 else None
                await self._core.announce(
                    tx, actor, what, thing, capacity=role.value, to=to, count=len(things), mandate=subject.hex()
                )

            await self._ledger.append([*earlier, draft], note)
        return await self.get(subject)

    def _grounds(self, role: PartyRole, passports: Mapping[bytes, StoredPassport], *, offers: bool) -> list[Ref]:
        """What entitles this organisation to the act; raise DeniedError for a thing of which nothing does."""
        found: set[str] = set()
        for subject, passport in passports.items():
            entitled = entitlement(passport.content, role, self._core.org, self._core.clock.now(), offers=offers)
            if not entitled.may:
                device = str(SubjectId(subject))
                raise DeniedError(f"{role.value} of {device} is not ours to give", "role_not_held", id=device)
            found |= entitled.grounds
        if len(found) > MOST_GROUNDS:
            raise InputError("the things came by too many acts to name them at once", "mandate_grounds")
        return sorted(map(parse_ref, found))

    def _replaced(
        self, role: PartyRole, party: bytes, things: Collection[bytes], known: Iterable[Mandate]
    ) -> list[Mandate]:
        """What this organisation offered of these things and nobody answered; raise StateError where the same waits for
        the same party.
        """
        now, wanted = self._core.clock.now(), set(things)
        ours = [one for one in known if one.author == self._core.org and one.role is role and one.is_open]
        found = [one for one in ours if wanted & set(one.unanswered)]
        for one in found:
            if one.party.org == party and one.state(now) is MandateState.WAITING:
                raise StateError("the role is offered already", "mandate_offered", mandate=str(SubjectId(one.subject)))
        return found

    def _check_free(
        self, role: PartyRole, passports: Mapping[bytes, StoredPassport], replaced: Iterable[Mandate]
    ) -> None:
        """Raise StateError where deals contradict each other, or a shipment of this organisation waits."""
        acts, own = {ref_text(one.said.ref) for one in replaced}, self._core.org.hex()
        for subject, passport in passports.items():
            device, told = str(SubjectId(subject)), rows(passport.content, "parties", "transfers")
            about = [row for row in told if row["role"] == role]
            if any(row["state"] == Standing.DISPUTED for row in about):
                raise StateError(f"{role.value} of {device} is disputed", "mandate_disputed", id=device)
            if any(row["state"] == WAITING and row["from"] == own and row["act"] not in acts for row in about):
                raise StateError(f"{device} stands in a shipment that waits", "mandate_shipped", id=device)

    async def _withdrawal(self, tx: ReadTx, mandate: Mandate, things: Collection[bytes]) -> Draft:
        """An offer of ours ends over these things, because they are offered to somebody else."""
        left = tuple(sorted(set(mandate.unanswered) & set(things)))
        authority = Authority(Verb.END, mandate.party.org, (mandate.role.value,), left)
        cut = await read_cut(tx, mandate.party.org)
        now = self._core.clock.now()
        return drafts.ending(mandate.subject, authority, cut, MandateBody(), now, mandate.said.ref)

    async def _check_may_end(self, tx: ReadTx, mandate: Mandate, things: Sequence[bytes]) -> None:
        """Raise DeniedError unless this organisation holds the role, gave it, or could give it now."""
        own = self._core.org
        if not things:
            raise NotFoundError("that mandate names none of these things", "mandate_things")
        if own == mandate.party.org:
            return
        is_giver = own == mandate.author and mandate.basis is not MandateBasis.OFFER
        given = mandate.said.occurred if is_giver else None
        for subject, passport in (await read_passports(tx, things)).items():
            if not may_end(passport.content, mandate.role, own, self._core.clock.now(), given):
                device = str(SubjectId(subject))
                raise DeniedError(f"the role over {device} is not ours to end", "role_not_held", id=device)

    async def _end(
        self, mandate: Mandate, act: Ref, things: Sequence[bytes], reason: str, actor: str, what: str
    ) -> None:
        async with self._core.database.read() as tx:
            # Whom the loser offers it to loses that offer: how far those are known tells what was accepted before.
            offered = [one for one in await self._read(tx) if one.author == mandate.party.org and one.is_open]
            parties = [one.party.org for one in offered if one.role is mandate.role and {*things} & {*one.unanswered}]
            cut = await read_cut(tx, mandate.party.org, *parties)
        authority = Authority(Verb.END, mandate.party.org, (mandate.role.value,), tuple(sorted(things)))
        now, body = self._core.clock.now(), MandateBody(reason=reason)
        await self._say(drafts.ending(mandate.subject, authority, cut, body, now, act), actor, what, mandate)

    async def _take(self, mandate: Mandate, things: Sequence[bytes], actor: str, what: str) -> None:
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, mandate.author)
        authority = Authority(Verb.ACCEPT, mandate.author, (mandate.role.value,), tuple(sorted(things)))
        now, grounds = self._core.clock.now(), [mandate.said.ref]
        draft = drafts.mandate(mandate.subject, authority, MandateBody(), now, grounds=grounds, cut=cut)
        await self._say(draft, actor, what, mandate)

    async def _say(self, draft: Draft, actor: str, what: str, mandate: Mandate) -> None:
        async def note(tx: WriteTx, _entries: object) -> None:
            to = None if mandate.party.is_outside else mandate.party.org.hex()
            of, role, act = mandate.author.hex(), mandate.role.value, mandate.subject.hex()
            await self._core.announce(tx, actor, what, None, capacity=role, of=of, to=to, mandate=act)

        await self._ledger.append([draft], note)

    def _mint(self) -> bytes:
        return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw


def _check_capacity(role: PartyRole) -> None:
    if role not in PASSING:
        raise InputError(f"{role.value} is given, not offered", "mandate_not_offered")


def _shown(moment: int | None) -> str:
    return "" if moment is None else f"{moment_at(moment):%Y-%m-%d %H:%M} UTC"


def _check_count(things: Collection[bytes]) -> None:
    if not 0 < len(things) <= MOST_THINGS:
        raise InputError(f"an act names 1 to {MOST_THINGS} things", "mandate_count", most=MOST_THINGS)
