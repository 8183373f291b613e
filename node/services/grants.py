"""Grants in this organisation's name: given, looked at before they are given, and ended.

What a grant would open is worked out by the rules that will open it, over the statements that are here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from federation.authority import Authority, Kind, Verb
from federation.codec import pack
from federation.errors import CodecError
from federation.fragment import Ref, SectionClass
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import MandateBody
from node.passport.case import Case
from node.passport.claims import local_claim
from node.passport.grants import Grant, grant_of, standing_grants
from node.passport.profiles import GRANT_ROW, Profile, PublishedProfile
from node.passport.ranks import LENDABLE, FactClass, has_ground
from node.passport.rights import granted, may_open, may_read_entry, rights_of
from node.passport.shown import at
from node.passport.statement import Statement
from node.passport.world import is_standing
from node.passport.writable import WRITABLE
from node.services.cases import Cases
from node.services.core import Core
from node.services.known import check_organisation, check_passports
from node.services.ledger import Ledger, entry_ref
from node.services.profiles import Profiles
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.cuts import read_cut
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.passports import every_id, read_passports

MOST_THINGS = 4096
MOST_LOOKED_AT = 50  # things of which a preview counts what would be opened
LOOKED_AT = bytes.fromhex("01" * 32)  # stands for the id of a publication to come
_OWNER = ("parties", "owner", "value")
READABLE = frozenset(map(int, SectionClass))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says: `things` is None for all that is ours; `profile` names one, whose classes count then."""

    party: bytes
    verb: Verb
    things: tuple[bytes, ...] | None
    classes: tuple[int, ...] = ()
    rows: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a grant would open beyond what its party may read already: statements, and sections by class.

    `own_only` are things of which it opens our own words alone; `no_effect` those of which it gives nothing.
    """

    looked_at: int
    statements: int
    sections: Mapping[int, int]
    own_only: tuple[bytes, ...]
    no_effect: tuple[bytes, ...]


class Grants:
    """Gives and ends grants."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, profiles: Profiles, cases: Cases) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._profiles = profiles
        self._cases = cases

    async def give(self, terms: Terms, actor: str) -> Grant:
        """Say a grant, over every id that its things have by now; a profile that is only shipped is published first.

        Raise DeniedError for a grant to write of things about which this organisation has no word to lend.
        """
        await self._check(terms)
        things = await self._named(terms)
        if terms.verb is Verb.WRITE and terms.things is not None:
            await self._check_lends(terms.things)
        authority = await self._authority(terms, things, actor)
        subject = self._core.org if things is None else self._mint()
        ref = await self._say(drafts.grant(subject, authority, self._core.clock.now()), actor, "granted", terms)
        return await self.get(ref)

    async def preview(self, terms: Terms) -> Preview:
        """What a grant would open, over the first things of it."""
        await self._check(terms)
        if terms.things is None:
            raise InputError("what is over all that is ours is looked at thing by thing", "grant_things")
        profile = (await self._profiles.get(terms.profile)).profile if terms.profile is not None else None
        looked = replace(terms, classes=profile.classes) if profile else terms
        statements, sections = 0, Counter[int]()
        own_only, nothing = list[bytes](), list[bytes]()
        for thing in terms.things[:MOST_LOOKED_AT]:
            case = await self._cases.of(thing)
            opened = self._opened(case, looked, profile)
            statements += opened.statements
            sections.update(opened.sections)
            own_only += [thing] if opened.own_only else []
            nothing += [thing] if opened.no_effect else []
        looked_at = min(len(terms.things), MOST_LOOKED_AT)
        return Preview(looked_at, statements, dict(sorted(sections.items())), tuple(own_only), tuple(nothing))

    async def get(self, ref: Ref) -> Grant:
        """The grant at a place; raise NotFoundError."""
        async with self._core.database.read() as tx:
            reader = await StatementReader.open(tx)
            said = await reader.at(tx, [(reader.numbers[ref.log], ref.seq)] if ref.log in reader.numbers else [])
            found = next((one for one in said if one.ref == ref and _grant(one) is not None), None)
            if found is None:
                raise NotFoundError("no grant stands at that place", "grant_unknown")
            return await self._as_it_stands(tx, reader, found)

    async def end(self, ref: Ref, reason: str, actor: str) -> Grant:
        """End a grant of ours, or one that was given to us: nothing more follows from it. What a former owner let write
        ends over those of its things that are ours now.

        What its party wrote by it up to now, as far as it is here, counts for ever.
        """
        grant = await self.get(ref)
        ours = None if self._core.org in (grant.by, grant.party) else await self._owned(grant)
        if ours == ():
            raise DeniedError("who gave a grant ends it, or its party", "grant_not_ours")
        if grant.ended is not None:
            raise StateError("the grant was ended already", "grant_ended")
        async with self._core.database.read() as tx:
            cut = await read_cut(tx, grant.party)
        is_own_act = ours is None and grant.said.subject not in (grant.things or ())
        subject = grant.said.subject if is_own_act else self._mint()
        if grant.is_standing:
            subject = self._core.org
        things = ours or (None if grant.things is None else tuple(sorted(grant.things)))
        authority, body = Authority(Verb.END, grant.party, (), things), MandateBody(reason=reason)
        draft = drafts.ending(subject, authority, cut, body, self._core.clock.now(), ref)
        terms = Terms(grant.party, grant.verb, things)
        await self._say(draft, actor, "grant_ended", terms)
        return await self.get(ref)

    async def _owned(self, grant: Grant) -> tuple[bytes, ...]:
        """Of what a former owner let others write of, the things that are ours now."""
        if grant.verb is not Verb.WRITE or grant.things is None:
            return ()
        await self._projection.catch_up(grant.things)
        async with self._core.database.read() as tx:
            passports, own = await read_passports(tx, grant.things), self._core.org.hex()
        return tuple(sorted(thing for thing, one in passports.items() if at(one.content, *_OWNER) == own))

    def _opened(self, case: Case, terms: Terms, profile: Profile | None) -> Preview:
        """What the grant would open of one passport; its profile may not be published yet."""
        own, before = self._core.org, rights_of(case)
        said, profiles = case.statements[0], case.world.profiles
        if profile is not None:
            profiles = {**profiles, LOOKED_AT[:16]: PublishedProfile(profile, own, said.ref, LOOKED_AT, said.order)}
        rows = frozenset({GRANT_ROW + LOOKED_AT.hex()} if profile else ())
        grant = Grant(
            replace(said, org=own), terms.verb, terms.party, rows, frozenset(terms.classes), case.subjects,
            terms.since, terms.until,
        )  # fmt: skip
        fresh = [right for subject, facts in case.facts.items() for right in granted(subject, grant, facts)]
        after, party = (*before, *fresh), terms.party
        statements, sections = 0, Counter[int]()
        for statement in case.statements:
            if may_read_entry(party, statement, after) and not may_read_entry(party, statement, before):
                statements += 1
            for name, klass in statement.classes:
                if may_open(party, statement, klass, after, name, profiles) and not may_open(
                    party, statement, klass, before, name, profiles
                ):
                    sections[klass] += 1
        own_only = bool(fresh) and all(right.author is not None for right in fresh)
        lead = (case.identity.lead,)
        return Preview(1, statements, sections, lead if own_only else (), () if fresh else lead)

    async def _check(self, terms: Terms) -> None:
        if terms.party == self._core.org:
            raise InputError("a grant is given to others", "grant_to_self")
        if terms.since is not None and terms.until is not None and terms.until <= terms.since:
            raise InputError("it would end before it begins", "mandate_period")
        if terms.things is not None and not 0 < len(terms.things) <= MOST_THINGS:
            raise InputError(f"a grant names 1 to {MOST_THINGS} things", "mandate_count", most=MOST_THINGS)
        if terms.verb is Verb.WRITE and not (terms.rows and all(_is_row(row) for row in terms.rows)):
            raise InputError("a grant to write names kinds of statements", "grant_rows")
        if terms.verb is Verb.READ and terms.profile is None and not (terms.classes and {*terms.classes} <= READABLE):
            raise InputError("a grant to read names classes, or a profile", "grant_classes")
        async with self._core.database.read() as tx:
            await check_organisation(tx, terms.party)
            await check_passports(tx, terms.things or ())

    async def _named(self, terms: Terms) -> tuple[bytes, ...] | None:
        if terms.things is None:
            return None
        async with self._core.database.read() as tx:
            return tuple(await every_id(tx, terms.things))

    async def _check_lends(self, things: Iterable[bytes]) -> None:
        own, now, world = self._core.org, self._core.clock.now(), self._projection.world
        for thing in things:
            case = await self._cases.of(thing)
            facts = case.facts.values()
            roles = {
                tenure.role.value for one in facts for tenure in one.roles if tenure.org == own and tenure.holds(now)
            }
            grounds = (has_ground(ground, own, one, world, now) for one in facts for ground in LENDABLE)
            if not any(grounds) and not roles & {ground.value for ground in LENDABLE}:
                raise DeniedError("this organisation has no word about it to lend", "grant_not_held")

    async def _authority(self, terms: Terms, things: tuple[bytes, ...] | None, actor: str) -> Authority:
        rows, classes = terms.rows if terms.verb is Verb.WRITE else (), terms.classes
        if terms.verb is Verb.READ and terms.profile is not None:
            published = await self._profiles.published(terms.profile, actor)
            rows, classes = (published.row,), published.profile.classes
        if terms.verb is Verb.PASS_ON:
            classes = (int(SectionClass.SECRET),)
        ordered = tuple(sorted(set(rows), key=pack)), tuple(sorted(set(classes)))
        return Authority(terms.verb, terms.party, ordered[0], things, ordered[1], terms.since, terms.until)

    async def _as_it_stands(self, tx: ReadTx, reader: StatementReader, said: Statement) -> Grant:
        """With what ended it: an end of one's own grant names it under its own id, or under its things."""
        if is_standing(said):
            grants: Sequence[Grant] = standing_grants(self._projection.world.standing)
        else:
            grant = _grant(said)
            thing = next(iter(sorted(grant.things or ())), None) if grant else None
            grants = (await self._cases.read(tx, reader, thing)) if thing else ()
        found = next((one for one in grants if one.said.ref == said.ref), None) or _grant(said)
        if found is None:
            raise NotFoundError("no grant stands at that place", "grant_unknown")
        return found

    async def _say(self, draft: drafts.Draft, actor: str, what: str, terms: Terms) -> Ref:
        async def note(tx: WriteTx, _entries: Sequence[NewEntry]) -> None:
            things: Collection[bytes] = terms.things or ()
            thing = next(iter(things)) if len(things) == 1 else None
            verb = terms.verb.name.lower().replace("_", "-")
            await self._core.announce(tx, actor, what, thing, to=terms.party.hex(), verb=verb, count=len(things))

        entry = (await self._ledger.append([draft], note))[0]
        return entry_ref(self._ledger.log.log, entry)

    def _mint(self) -> bytes:
        return local_claim(self._ledger.log.log, self._core.random.bytes(16)).subject.raw


def _grant(statement: Statement) -> Grant | None:
    raw = statement.sections.get("authority")
    if raw is None or statement.kind not in (Kind.GRANT, Kind.EVENT):
        return None
    try:
        return grant_of(statement, Authority.from_bytes(raw))
    except CodecError:
        return None


def _is_row(row: str) -> bool:
    kind, slash, fact_class = row.partition("/")
    return kind in WRITABLE.values() and (not slash or fact_class in {one.value for one in FactClass})
