"""A case: everything that the parts of a fold look at, worked out once.

Rights and ranks stay with the id a statement was written under: a join shows two passports together and gives nobody a
rank over the other one.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from federation.authority import Kind, Verb
from federation.fragment import Ref
from node.passport.acts import Act, find_acts
from node.passport.annulments import find_annulled, without_results
from node.passport.bodies import Plate, Reference, TypeBody
from node.passport.catalogs import Catalog
from node.passport.chronology import made_of
from node.passport.claims import GIAI_ISSUER, GRAI_ISSUER, Scheme
from node.passport.corrections import find_unwitnessed
from node.passport.deals import acts_of, covers
from node.passport.grants import Grant, ended_by_owners, grants_of, standing_grants
from node.passport.holding import Holding, hold
from node.passport.identity import Identity, identity_of, serial_key, settled
from node.passport.merge import Hidden, Said, Verdict, decide
from node.passport.ranks import Delegation, FactClass, Ground, Rank, SubjectFacts, Title, rank, register_rank
from node.passport.reading import Reading, read
from node.passport.references import References
from node.passport.register_answers import RegisterRecord, serial_form, type_base
from node.passport.registered import SECTION as REGISTER
from node.passport.registered import proved_by
from node.passport.roles import is_inside
from node.passport.sameness import Sameness
from node.passport.statement import Statement
from node.passport.titles import Chain
from node.passport.view import Plain
from node.passport.withdrawals import Withdrawn
from node.passport.world import World

NAMING_VERBS = frozenset({Verb.READ, Verb.WRITE, Verb.PASS_ON, Verb.ROLE})
READ_OFF = frozenset({"scan", "wire", "typed"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of one key as a statement gives it; two are one where `same` is equal, see `Said`."""

    statement: Statement
    section: str
    value: Plain
    same: str
    basis: str | None = None
    stem: str | None = None


@dataclass(frozen=True)  # no slots: what is worked out once is kept in the instance
class Case:
    """The statements of one passport with what follows from all of them."""

    world: World
    identity: Identity
    subjects: frozenset[bytes]
    statements: tuple[Statement, ...]
    readings: tuple[Reading, ...]
    pending: Mapping[Ref, tuple[Ref, ...]]
    facts: Mapping[bytes, SubjectFacts]
    chains: Mapping[bytes, Chain]
    holdings: Mapping[bytes, Holding] = field(default_factory=dict)
    grants: Mapping[bytes, tuple[Grant, ...]] = field(default_factory=dict)
    signers: frozenset[bytes] = frozenset()  # of statements that are folded already and left out here
    sameness: Sameness = field(default_factory=Sameness)
    taken_back: tuple[Statement, ...] = ()  # what was withdrawn, and by which statement of `statements`
    withdrawn: Withdrawn = field(default_factory=dict)
    annulled: Mapping[Ref, Statement] = field(default_factory=dict)  # results, and by which statement
    _ranks: dict[tuple[FactClass, bytes, tuple[bytes, ...], int, Ref | None, int | None], Rank] = field(
        default_factory=dict
    )
    _references: dict[tuple[str | None, str | None, bytes, str], dict[str, Plain]] = field(default_factory=dict)

    @cached_property
    def told(self) -> tuple[Statement, ...]:
        """All that was said, what was taken back among it, in the order in which views show it."""
        return tuple(sorted((*self.statements, *self.taken_back), key=lambda statement: statement.order))

    @cached_property
    def places(self) -> frozenset[Ref]:
        """The places of all that was said."""
        return frozenset(statement.ref for statement in self.told)

    @cached_property
    def references(self) -> References:
        """Which statement stands above which."""
        return References(self.statements)

    @cached_property
    def _by_place(self) -> dict[Ref, Reading]:
        return {reading.statement.ref: reading for reading in self.readings}

    def reading_of(self, statement: Statement) -> Reading:
        """A statement with its sections read, a pending one too."""
        return self._by_place.get(statement.ref) or read(statement)

    @cached_property
    def acts(self) -> Mapping[Ref, Act]:
        """The acts of several parties, by the place of each signature."""
        return find_acts(self.spoken, self.facts, self.world)

    @cached_property
    def spoken(self) -> tuple[Reading, ...]:
        """Statements that speak about the subjects; the others only route."""
        return tuple(reading for reading in self.readings if reading.statement.subject in self.subjects)

    def facts_of(self, statement: Statement) -> SubjectFacts:
        """What ranks of this statement depend on: its subject, or the one here that it routes to."""
        for subject in statement.subjects:
            if (found := self.facts.get(subject)) is not None:
                return found
        return _NO_FACTS

    @cached_property
    def proved(self) -> Mapping[Ref, RegisterRecord]:
        """The readings of a register that prove what they say of this thing, each with its record."""
        found = [reading for reading in self.spoken if REGISTER in reading.bodies]
        if not found:
            return {}
        plates = [plate for reading in self.spoken if (plate := reading.body("nameplate", Plate))]
        serials = {self._serial_of(plate.serial) for plate in plates}
        approvals = {type_base(number) for plate in plates for number in plate.approvals}
        scopes = (scope for facts in self.facts.values() for scope in facts.scopes)
        approvals |= {type_base(scope.removeprefix("grsi:")) for scope in scopes if scope.startswith("grsi:")}
        proofs = (
            (reading.statement.ref, proved_by(reading, lambda said: self._serial_of(said) in serials, approvals))
            for reading in found
        )
        return {ref: record for ref, record in proofs if record is not None}

    def _serial_of(self, serial: str) -> str:
        return serial_key(self.identity, self.world, serial_form(serial))

    def rank(self, fact_class: FactClass, statement: Statement) -> Rank:
        """The rank of a statement's author for facts of a class, when they occurred.

        A reading of the register that proves what it says ranks as the register where its author has a part in the
        thing on the day of the reading.
        """
        facts = self.facts_of(statement)
        if fact_class is FactClass.VERIFICATION and REGISTER in statement.sections and statement.ref in self.proved:
            return register_rank(statement.org, facts, self.world, statement.stamp)
        place = statement.ref if facts.is_cut(statement.org) else None
        kind = statement.kind if facts.delegations else None
        key = (fact_class, statement.org, statement.subjects, statement.occurred, place, kind)
        found = self._ranks.get(key)
        if found is None:
            at = statement.occurred
            found = self._ranks[key] = rank(fact_class, statement.org, facts, self.world, at, place, kind)
        return found

    def settle(
        self, entries: Sequence[Entry], fact_class: FactClass, ranked: Callable[[Statement], Rank] | None = None
    ) -> Verdict:
        """Merge what was said about one key, together with the sections that may not be read here.

        `ranked` ranks statements otherwise than by their own subjects.
        """

        def held(statement: Statement) -> Rank:
            return ranked(statement) if ranked else self.rank(fact_class, statement)

        said = [Said(e.statement, e.section, held(e.statement), e.value, e.same, e.basis, e.stem) for e in entries]
        sections = {entry.section for entry in entries}
        hidden = [
            Hidden(statement, name, held(statement))
            for name in sorted(sections)
            for statement in self._withholding.get(name, ())
        ]
        bare = self._unwitnessed(said) if fact_class is FactClass.PRODUCTION else []
        apart = set(map(id, bare))
        verdict = decide([one for one in said if id(one) not in apart], hidden, self.references)
        return verdict.with_claims(bare) if bare else verdict

    def _unwitnessed(self, said: Sequence[Said]) -> list[Said]:
        def chain_of(statement: Statement) -> Chain | None:
            return next((self.chains[s] for s in statement.subjects if s in self.chains), None)

        def witnesses(statement: Statement) -> bool:
            owns = self.rank(FactClass.OWNERSHIP, statement).ground is Ground.TITLE
            return owns or self.rank(FactClass.VERIFICATION, statement).ground is Ground.LAB

        return find_unwitnessed(said, chain_of, witnesses)

    def hiding(self, *sections: str) -> list[Statement]:
        """The statements of which one of these sections may not be read here."""
        found = {s.ref: s for name in sections for s in self._withholding.get(name, ())}
        return [*found.values()]

    @cached_property
    def _withholding(self) -> dict[str, list[Statement]]:
        found: dict[str, list[Statement]] = {}
        for reading in self.readings:
            for name, _ in reading.statement.withheld:
                found.setdefault(name, []).append(reading.statement)
        return found

    def refer(self, reference: Reference, org: bytes, catalog: str) -> dict[str, Plain]:
        """A dual reference as views show it, resolved now."""
        key = (reference.local, reference.central, org, catalog)
        found = self._references.get(key)
        if found is None:
            found = self._references[key] = {
                "local": reference.local,
                "central": self.world.central(reference, org, catalog),
                "name": self.world.name_of(reference, org, catalog),
            }
        return found.copy()


def open_case(
    subjects: Iterable[bytes], statements: Iterable[Statement], world: World, signers: Iterable[bytes] = ()
) -> Case:
    """Read the statements, set apart those whose ground is missing, and work out who may say what."""
    stands = settled(statements, world)
    said, sameness, taken_back = stands.said, stands.sameness, stands.taken_back
    named = frozenset(subjects)
    found: Identity | None = None
    if sameness.said:
        # Statements about other sides tell who is who, and nothing else here.
        found = identity_of([read(statement) for statement in said], world, named)
        members = named | {found.lead}
        said = [statement for statement in said if _is_about(read(statement), members)]
        taken_back = tuple(statement for statement in taken_back if _is_about(read(statement), members))
        sameness = replace(sameness, said=tuple(one for one in sameness.said if members & set(one.pair)))
    pending = find_pending(said, world)
    told = tuple(read(statement) for statement in said if statement.ref not in pending)
    annulled = find_annulled(told)
    readings = without_results(told, annulled) if annulled else told
    identity = found or identity_of(readings, world, named)
    members = named | {identity.lead} if identity.key or not named else named
    grants = {subject: grants_of(readings, subject) for subject in sorted(members)}
    stated = {subject: facts_of_subject(subject, readings, identity, world, grants[subject]) for subject in grants}
    facts = {subject: found for subject, (found, _, _) in stated.items()}
    for subject, (_, chain, _) in stated.items():
        if grants[subject]:
            grants[subject] = ended_by_owners(grants[subject], acts_of(readings, subject).ends, chain.titles)
    chains = {subject: chain for subject, (_, chain, _) in stated.items()}
    holdings = {subject: holding for subject, (_, _, holding) in stated.items()}
    return Case(
        world,
        identity,
        members,
        tuple(said),
        readings,
        pending,
        facts,
        chains,
        holdings,
        grants,
        frozenset(signers),
        sameness,
        taken_back,
        stands.withdrawn,
        annulled,
    )


def find_pending(statements: Sequence[Statement], world: World) -> dict[Ref, tuple[Ref, ...]]:
    """Statements that name a ground which is not here, or is itself pending, with what is missing.

    What is said of several things has a ground for each; those of the others are not here, and one of its own will do.
    """
    grounded = {statement.ref: statement.auth for statement in statements}
    shared = {statement.ref for statement in statements if len(statement.auth) > 1 and _is_of_several(statement)}
    pending: dict[Ref, tuple[Ref, ...]] = {}
    waiting = [statement.ref for statement in statements if statement.auth]
    while waiting:
        fresh = {
            ref: missing
            for ref in waiting
            if (missing := tuple(g for g in grounded[ref] if g in pending or not (g in grounded or g in world.known)))
            and (ref not in shared or len(missing) == len(grounded[ref]))
        }
        if not fresh:
            break
        pending |= fresh
        waiting = [ref for ref in waiting if ref not in pending]
    return pending


def facts_of_subject(
    subject: bytes, readings: Sequence[Reading], identity: Identity, world: World, grants: Iterable[Grant]
) -> tuple[SubjectFacts, Chain, Holding]:
    """Who made the subject, who held its title and other roles, and whom they named."""
    authors = [r for r in readings if r.claim is not None and r.statement.subject == subject]
    makers = _makers(authors, identity, world)
    origin = next(iter(makers)) if len(makers) == 1 else None
    acts = acts_of(readings, subject)
    chain, holding = hold(acts, origin, frozenset(r.statement.org for r in authors), world)
    lent = ended_by_owners([*grants, *standing_grants(world.standing)], acts.ends, chain.titles)
    entitled = makers | {title.org for title in chain.titles}
    said = [r for r in readings if _names(r) and covers(r, subject)]
    naming = [r for r in said if _may_name(r.statement, makers, chain.titles)]
    opened = [title for title in chain.titles if not title.is_unopened]  # who trades a thing names no network of it
    facts = SubjectFacts(
        makers=makers,
        scopes=_scopes(subject, readings, makers, identity, world),
        plate_readers=frozenset(r.statement.org for r in authors if _read_off(r)),
        titles=chain.titles,
        settlement=_parties(naming, "settlement"),
        network=_parties((r for r in naming if _may_name(r.statement, makers, opened)), "network"),
        named=_parties(naming, None),
        made=made_of(subject, readings, (makers, frozenset(r.statement.org for r in authors)), world),
        roles=holding.tenures,
        delegations=_lent(lent, entitled | {tenure.org for tenure in holding.tenures}),
    )
    return facts, chain, holding


def _is_of_several(statement: Statement) -> bool:
    authority = read(statement).authority
    return authority is not None and len(authority.subjects or ()) > 1


def _is_about(reading: Reading, members: Container[bytes]) -> bool:
    routed = reading.authority.subjects or () if reading.authority else ()
    return any(subject in members for subject in (*reading.statement.subjects, *routed))


def _makers(authors: Sequence[Reading], identity: Identity, world: World) -> frozenset[bytes]:
    found: set[bytes] = set()
    of_line = world.makers_of(identity.key.line.hex) if identity.key else frozenset()
    for reading in authors:
        org, at = reading.statement.org, reading.statement.occurred
        named = org in of_line or org in world.attestations.prefix_holders(_prefix_names(reading), at)
        if named and world.attestations.is_maker(org, at):
            found.add(org)
    return frozenset(found)


def _prefix_names(reading: Reading) -> frozenset[str]:
    claim = reading.claim
    if claim is None:
        return frozenset()
    if claim.scheme is Scheme.APPROVAL:
        return frozenset({claim.issuer})
    if claim.scheme is Scheme.GS1:
        plain = claim.serial if claim.issuer in (GIAI_ISSUER, GRAI_ISSUER) else claim.issuer[1:]
        return frozenset({f"gs1:{plain.removeprefix('0') if claim.issuer == GRAI_ISSUER else plain}"})
    return frozenset({f"iec61406:{claim.serial}"}) if claim.scheme is Scheme.IEC61406 else frozenset()


def _may_name(statement: Statement, makers: frozenset[bytes], titles: Iterable[Title]) -> bool:
    """Whether it is its maker's word, or an owner's before he passed it on."""
    org, place = statement.org, statement.ref
    return org in makers or any(title.org == org and is_inside(title.cut, place) for title in titles)


def _names(reading: Reading) -> bool:
    authority = reading.authority
    if authority is None or authority.verb not in NAMING_VERBS:
        return False
    # What kind 9 gives is a role and no more: who reads meters is not named to mend them. A grant serves its verb only.
    apart = reading.statement.kind in (Kind.SHIPMENT, Kind.PARTY)
    return not apart and (reading.statement.kind != Kind.GRANT or authority.verb is Verb.ROLE)


def _parties(naming: Iterable[Reading], role: str | None) -> frozenset[bytes]:
    grants = (reading.authority for reading in naming if reading.authority is not None)
    return frozenset(
        grant.party for grant in grants if role is None or (grant.verb is Verb.ROLE and role in grant.rows)
    )


def _lent(grants: Iterable[Grant], entitled: Container[bytes]) -> tuple[Delegation, ...]:
    """What those who have a part in a thing let others say of it."""
    return tuple(grant.delegation for grant in grants if grant.verb is Verb.WRITE and grant.by in entitled)


def _read_off(reading: Reading) -> bool:
    plate = reading.body("nameplate", Plate)
    return plate is not None and plate.read in READ_OFF


def _scopes(
    subject: bytes, readings: Iterable[Reading], makers: frozenset[bytes], identity: Identity, world: World
) -> frozenset[str]:
    """What an accreditation may be limited to: the type by its maker's word (by anybody's without one), the line."""
    stated = [r for r in readings if r.statement.subject == subject and r.body("type", TypeBody)]
    trusted = [r for r in stated if r.statement.org in makers] or stated
    found: set[str] = set()
    for reading in trusted:
        body = reading.body("type", TypeBody)
        central = world.central(body.type, reading.statement.org, Catalog.TYPES) if body else None
        if central is None:
            continue
        found.add(f"type:{central}")
        if record := world.types.get(central):
            found |= {f"grsi:{record.approval.number}", *(f"resource:{name}" for name in record.resources)}
    line = world.lines.find(identity.key.line) if identity.key else None
    return frozenset(found | {f"grsi:{held.name.partition('-')[0]}" for held in (line.approvals if line else ())})


_NO_FACTS = SubjectFacts()
