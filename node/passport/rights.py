"""Who may read a subject: its maker, who holds or held the title or a role, and whom one of them let read it.

What may be opened to others, by class: technical sections by their author, the maker, the owner and the network owner;
commercial ones by their author and the owner; personal ones by their author; secret ones by who holds them now, sealed:
the owner, and the escrow that he named. Who was sold a thing unopened has nothing secret of it, and opens nothing.
Anybody else opens his own statements and nothing more. Everybody reads what he wrote himself and what is published.
Rights stay with the subject they were given for: a join widens none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import Ref, SectionClass
from node.passport.case import Case, open_case
from node.passport.grants import Grant, standing_grants
from node.passport.holding import Holding
from node.passport.identity import Identity
from node.passport.profiles import PublishedProfile
from node.passport.ranks import SubjectFacts
from node.passport.roles import PartyRole, is_inside
from node.passport.statement import Statement
from node.passport.titles import Chain
from node.passport.world import World, is_standing

# An erasure reaches everybody: whoever may read a statement no more may still have what he was given.
PUBLISHED_KINDS = frozenset(
    {Kind.TEMPLATE, Kind.CATALOG, Kind.DRIVER, Kind.CARD, Kind.ATTESTATION, Kind.WITNESSES, Kind.ERASURE}
)
SHIPMENT_PAPERS = "shipment"  # the section in which the two parties of a shipment tell each other why
# The acts whose papers are read by the party that they name.
PAPER_KINDS = frozenset({Kind.SHIPMENT, Kind.PARTY, Kind.END})


def class_mask(*classes: int) -> int:
    """Section classes as a number with a bit for each; a class that does not exist has none."""
    return sum(1 << klass for klass in set(classes) if klass in _CLASSES)


_CLASSES = frozenset(map(int, SectionClass))
HEADERS = class_mask(SectionClass.PUBLIC, SectionClass.AUTHORITY)
_TECHNICAL = class_mask(SectionClass.TECHNICAL)
_COMMERCIAL = class_mask(SectionClass.COMMERCIAL)
_PERSONAL = class_mask(SectionClass.PERSONAL)
_SECRET = class_mask(SectionClass.SECRET)
NO_PROFILES: Mapping[bytes, PublishedProfile] = {}
PASS_ON = 1 << 8  # no class: what is sealed to others may be kept and passed on to them


@dataclass(frozen=True, slots=True)
class Right:
    """An organisation may read of a subject what `author` says (None: what anybody says), in classes given as bits.

    From and to bound the time at which what a statement says occurred; to is excluded. Above the headers a `profile`,
    by its key, says which sections of those classes; empty are all. A right to pass on names the organisation `to`
    which; where none is named, what came sealed may be kept and nothing more comes.
    """

    subject: bytes
    org: bytes
    author: bytes | None
    classes: int
    since: int | None = None
    until: int | None = None
    profile: bytes = b""
    to: bytes = b""

    def shows(self, statement: Statement, section: str, klass: int, profiles: Mapping[bytes, PublishedProfile]) -> bool:
        """Whether it opens a section of that class; in a profile that is not known it opens nothing."""
        if not self.classes & class_mask(klass):
            return False
        found = profiles.get(self.profile)
        return not self.profile or (found is not None and found.profile.shows(statement.kind, section, klass))

    def covers(self, statement: Statement, subjects: frozenset[bytes]) -> bool:
        """Whether a statement, which names these subjects, falls under the right."""
        # What is held already falls with its withdrawal, whenever that came.
        in_time = statement.kind == Kind.WITHDRAWAL or (
            (self.since is None or self.since <= statement.occurred)
            and (self.until is None or statement.occurred < self.until)
        )
        return in_time and self.subject in subjects and self.author in (None, statement.org)


@dataclass(frozen=True, slots=True)
class Ground:
    """A right, and why there is one: `maker`, `network`, `title`, `role`, `offer`, `carrier` or `grant`, by which
    statement.
    """

    right: Right
    why: str
    said: Statement | None = None
    role: PartyRole | None = None


def rights_of(case: Case) -> tuple[Right, ...]:
    """The rights that follow from a case's statements, in a fixed order."""
    return tuple(sorted({ground.right for ground in grounds_of(case)}, key=_order))


def grounds_of(case: Case) -> Iterator[Ground]:
    """Every right that follows from a case's statements, with its reason; one right may have several."""
    standing = standing_grants(case.world.standing)
    authors = {statement.org for statement in case.statements} | case.signers if standing else set()
    for subject, facts in case.facts.items():
        holding = case.holdings.get(subject, _NO_ROLES)
        for why, orgs in (("maker", facts.makers), ("network", facts.network)):
            yield from (Ground(Right(subject, org, None, HEADERS | _TECHNICAL), why) for org in sorted(orgs))
        yield from _by_title(subject, facts)
        yield from _by_role(subject, holding)
        yield from _by_offer(subject, case.chains.get(subject, _NO_TITLE), holding)
        yield from _by_carriage(subject, case.chains.get(subject, _NO_TITLE))
        for grant in case.grants.get(subject, ()):
            yield from _granted(subject, grant, facts)
        for grant in standing:
            if grant.by in authors:
                yield from _granted(subject, grant, facts)


def granted(subject: bytes, grant: Grant, facts: SubjectFacts) -> tuple[Right, ...]:
    """What a grant opens of a subject."""
    return tuple(sorted({ground.right for ground in _granted(subject, grant, facts)}, key=_order))


def readers(statements: Iterable[Statement], identity: Identity, world: World) -> frozenset[bytes]:
    """Organisations that may read what anybody says of the subjects."""
    rights = rights_of(open_case(identity.members, statements, world))
    return frozenset(right.org for right in rights if right.author is None)


def openings_by_author(
    statements: Iterable[Statement], identity: Identity, world: World
) -> Mapping[bytes, frozenset[bytes]]:
    """For each organisation the authors who opened their own statements to it, and only those."""
    found: dict[bytes, set[bytes]] = {}
    for right in rights_of(open_case(identity.members, statements, world)):
        if right.author is not None:
            found.setdefault(right.org, set()).add(right.author)
    return {org: frozenset(authors) for org, authors in sorted(found.items())}


def may_read_entry(org: bytes, statement: Statement, rights: Iterable[Right]) -> bool:
    """Whether an organisation may have the header of an entry and its sections of classes 0 and 1."""
    if org == statement.org or statement.kind in PUBLISHED_KINDS or is_standing(statement):
        return True
    if statement.kind == Kind.ERASURE_ACK:
        return org in statement.subjects
    authority = _authority(statement)
    if authority is not None and authority.party == org:
        return True
    subjects = _subjects(statement, authority)
    return any(r.org == org and r.classes & HEADERS and r.covers(statement, subjects) for r in rights)


def may_open(
    org: bytes,
    statement: Statement,
    section_class: int,
    rights: Iterable[Right],
    section: str = "",
    profiles: Mapping[bytes, PublishedProfile] = NO_PROFILES,
) -> bool:
    """Whether an organisation may have a section of this class in clear; a secret one nobody has.

    A right that is limited to a profile asks for the section's name too.
    """
    if section_class >= SectionClass.SECRET:
        return False
    if org == statement.org:
        return True
    if section_class <= SectionClass.AUTHORITY:
        return may_read_entry(org, statement, rights)
    authority = _authority(statement)
    is_party = authority is not None and authority.party == org and statement.kind in PAPER_KINDS
    if is_party and section_class <= SectionClass.COMMERCIAL:
        return True
    if section_class == SectionClass.COMMERCIAL and is_of_shipment(statement.kind, section):
        return False  # the papers of a shipment are the two parties', whoever owns the devices later
    subjects = _subjects(statement, authority)
    return any(
        right.org == org
        and right.shows(statement, section, section_class, profiles)
        and right.covers(statement, subjects)
        for right in rights
    )


def is_of_shipment(kind: int, section: str) -> bool:
    """Whether a commercial section is of the papers of a shipment, or of what refused or withdrew something of it."""
    return kind == Kind.SHIPMENT or section == SHIPMENT_PAPERS


def _by_title(subject: bytes, facts: SubjectFacts) -> Iterator[Ground]:
    """Headers for ever; technical sections up to the end of the title; commercial ones of its time.

    Who holds it now has what is secret too, unless it came unopened.
    """
    for title in facts.titles:
        if title.is_outside:
            continue
        rights = [
            Right(subject, title.org, None, HEADERS),
            Right(subject, title.org, None, HEADERS | _TECHNICAL, until=title.until),
            Right(subject, title.org, None, HEADERS | _COMMERCIAL, title.since, title.until),
        ]
        if title.until is None and not title.is_unopened:
            rights.append(Right(subject, title.org, None, _SECRET))
        yield from (Ground(right, "title", role=PartyRole.TITLE) for right in rights)


def _by_role(subject: bytes, holding: Holding) -> Iterator[Ground]:
    """Who holds a role reads as an owner does but what is commercial; an escrow has what is secret too, until it ends.

    Where nobody holds the title, what the author of the act says himself.
    """
    for held in holding.held:
        if not held.is_outside:
            tenure, author = held.tenure, None if held.has_authority else held.act.org
            rights = [
                Right(subject, tenure.org, author, HEADERS),
                Right(subject, tenure.org, author, HEADERS | _TECHNICAL, until=tenure.until),
            ]
            if tenure.role is PartyRole.ESCROW and tenure.until is None:
                rights.append(Right(subject, tenure.org, author, _SECRET))
            yield from (Ground(right, "role", held.last, tenure.role) for right in rights)


def _by_offer(subject: bytes, chain: Chain, holding: Holding) -> Iterator[Ground]:
    """Who is offered a role reads what it is about; so do those whose acceptances contradict each other.

    What is shipped is shown when it is accepted.
    """
    offered = [(PartyRole.TITLE, deal) for deal in chain.waiting if deal.offer.kind != Kind.SHIPMENT]
    offered += [(PartyRole.TITLE, deal) for deal in chain.conflict]
    for passage in holding.passages:
        offered += [(passage.role, deal) for deal in (*passage.waiting, *passage.conflict)]
    author_only = not (holding.has_authority or chain.titles)
    for role, deal in offered:
        if not deal.is_outside:
            author = deal.offer.org if author_only else None
            yield Ground(Right(subject, deal.party, author, HEADERS), "offer", deal.offer, role)


def _by_carriage(subject: bytes, chain: Chain) -> Iterator[Ground]:
    """Who carries a shipment has what its buyer is to be brought, up to the acceptance; what is secret sealed to the
    buyer alone. It is over when the buyer passes the thing on.
    """
    carried = [deal for deal in chain.waiting if deal.carrier is not None]
    if chain.deals and not chain.conflict and chain.deals[-1].carrier is not None:
        carried.append(chain.deals[-1])
    for deal in carried:
        if deal.carrier in (None, deal.party, deal.offer.org) or deal.is_outside:
            continue
        until = deal.acceptance.occurred + 1 if deal.acceptance is not None else None
        rights = [Right(subject, deal.carrier, None, HEADERS | _TECHNICAL, until=until)]
        # Who has it unopened himself offers what he cannot open: that leaves with the acceptance, which shows to whom.
        is_sellers = deal.acceptance is not None or not chain.titles[-1].is_unopened
        if is_sellers and not deal.is_unopened:
            rights.append(Right(subject, deal.carrier, None, PASS_ON, to=deal.party))
        yield from (Ground(right, "carrier", deal.offer, PartyRole.TITLE) for right in rights)


def _granted(subject: bytes, grant: Grant, facts: SubjectFacts) -> Iterator[Ground]:
    """What a grant that was not ended opens: its author's own statements, and what he may open of others'."""
    if grant.ended is not None:
        return
    if grant.verb is Verb.PASS_ON and any(_opens(grant.by, facts, grant.said.ref)):
        yield Ground(Right(subject, grant.party, None, PASS_ON, grant.since, grant.until), "grant", grant.said)
    if grant.verb is not Verb.READ:
        return
    named, profile = class_mask(*grant.classes), grant.profile
    classes = HEADERS | named & (_TECHNICAL | _COMMERCIAL | _PERSONAL)
    own = Right(subject, grant.party, grant.by, classes, grant.since, grant.until, profile)
    of_others = [*_of_others(subject, grant, facts, named)]
    is_among = any(r.since == own.since and r.until == own.until and not own.classes & ~r.classes for r in of_others)
    yield from (Ground(right, "grant", grant.said) for right in (of_others if is_among else [own, *of_others]))


def _of_others(subject: bytes, grant: Grant, facts: SubjectFacts, named: int) -> Iterator[Right]:
    """What a grant to read opens of what others say."""
    for classes, since, until in _opens(grant.by, facts, grant.said.ref):
        opened = named & classes
        if opened or classes & _TECHNICAL:
            opened |= HEADERS
        first, last = _later(since, grant.since), _sooner(until, grant.until)
        if opened and (last is None or (first or 0) < last):
            yield Right(subject, grant.party, None, opened, first, last, grant.profile)


def _opens(org: bytes, facts: SubjectFacts, place: Ref) -> Iterator[tuple[int, int | None, int | None]]:
    """Which classes of everybody's statements an organisation may open to others by a word at a place of its log, from
    when, until when.

    Nobody opens more than he may read himself, nor anything once he passed on or lost what he could open it by.
    """
    if org in facts.makers or org in facts.network:
        yield _TECHNICAL, None, None
    for title in facts.titles:
        if title.org == org and not title.is_outside and is_inside(title.cut, place):
            yield _TECHNICAL, None, title.until
            yield _COMMERCIAL, title.since, title.until
            if title.until is None and not title.is_unopened:
                yield _SECRET, None, None
    for tenure in facts.roles:
        if tenure.org == org and tenure.role in _OPENING_ROLES and is_inside(tenure.cut, place):
            yield _TECHNICAL, None, tenure.until


_NO_ROLES, _NO_TITLE = Holding(), Chain()
_OPENING_ROLES = frozenset({PartyRole.RESPONSIBLE, PartyRole.NETWORK})


def _later(one: int | None, other: int | None) -> int | None:
    return max((time for time in (one, other) if time is not None), default=None)


def _sooner(one: int | None, other: int | None) -> int | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _authority(statement: Statement) -> Authority | None:
    raw = statement.sections.get("authority")
    try:
        return Authority.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None


def _subjects(statement: Statement, authority: Authority | None) -> frozenset[bytes]:
    routed = authority.subjects or () if authority else ()
    return frozenset({*statement.subjects, *routed})


def _order(right: Right) -> tuple[bytes, bytes, bytes, int, int, int, bytes, bytes]:
    since, until = (-1 if time is None else time for time in (right.since, right.until))
    return (right.subject, right.org, right.author or b"", right.classes, since, until, right.profile, right.to)
