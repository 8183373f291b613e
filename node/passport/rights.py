"""Who may read a subject before there are grants: its maker, who holds or held the title, and whom they named.

A party named by somebody without a title is shown that author's own statements and nothing else. Everybody reads what
he wrote himself and what is published. Rights stay with the subject they were given for: a join widens none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import SectionClass
from node.passport.case import Case, open_case
from node.passport.deals import covers
from node.passport.holding import Holding
from node.passport.identity import Identity
from node.passport.ranks import SubjectFacts
from node.passport.reading import Reading
from node.passport.statement import Statement
from node.passport.world import World

PUBLISHED_KINDS = frozenset({Kind.TEMPLATE, Kind.CATALOG, Kind.DRIVER, Kind.CARD, Kind.ATTESTATION, Kind.WITNESSES})


def class_mask(*classes: int) -> int:
    """Section classes as a number with a bit for each; a class that does not exist has none."""
    return sum(1 << klass for klass in set(classes) if klass in _CLASSES)


_CLASSES = frozenset(map(int, SectionClass))
_HEADERS = class_mask(SectionClass.PUBLIC, SectionClass.AUTHORITY)
_TECHNICAL = class_mask(SectionClass.TECHNICAL)
_COMMERCIAL = class_mask(SectionClass.COMMERCIAL)


@dataclass(frozen=True, slots=True)
class Right:
    """An organisation may read of a subject what `author` says (None: what anybody says), in classes given as bits.

    From and to bound the time at which what a statement says occurred; to is excluded.
    """

    subject: bytes
    org: bytes
    author: bytes | None
    classes: int
    since: int | None = None
    until: int | None = None

    def covers(self, statement: Statement, subjects: frozenset[bytes]) -> bool:
        """Whether a statement, which names these subjects, falls under the right."""
        # What is held already falls with its withdrawal, whenever that came.
        in_time = statement.kind == Kind.WITHDRAWAL or (
            (self.since is None or self.since <= statement.occurred)
            and (self.until is None or statement.occurred < self.until)
        )
        return in_time and self.subject in subjects and self.author in (None, statement.org)


def rights_of(case: Case) -> tuple[Right, ...]:
    """All rights to the subjects of a case that follow from its statements, in a fixed order."""
    found: set[Right] = set()
    for subject, facts in case.facts.items():
        found |= {Right(subject, org, None, _HEADERS | _TECHNICAL) for org in facts.makers | facts.network}
        found |= _title_rights(subject, facts)
        found |= _role_rights(subject, case.holdings.get(subject, _NO_ROLES))
        for reading in case.readings:
            found |= _shared(subject, reading, facts)
    return tuple(sorted(found, key=_order))


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
    authority = _authority(statement)
    if org == statement.org or statement.kind in PUBLISHED_KINDS or (authority and authority.party == org):
        return True
    subjects = _subjects(statement, authority)
    return any(right.org == org and right.covers(statement, subjects) for right in rights)


def may_open(org: bytes, statement: Statement, section_class: int, rights: Iterable[Right]) -> bool:
    """Whether an organisation may have a section of this class in clear; a secret one nobody has."""
    if section_class >= SectionClass.SECRET:
        return False
    if org == statement.org:
        return True
    if section_class == SectionClass.PERSONAL:
        return False
    if section_class <= SectionClass.AUTHORITY:
        return may_read_entry(org, statement, rights)
    authority = _authority(statement)
    if authority is not None and authority.party == org:
        return True
    if section_class == SectionClass.COMMERCIAL and statement.kind == Kind.SHIPMENT:
        return False  # the papers of a shipment are the two parties', whoever owns the devices later
    subjects, bit = _subjects(statement, authority), class_mask(section_class)
    return any(right.org == org and right.classes & bit and right.covers(statement, subjects) for right in rights)


def _title_rights(subject: bytes, facts: SubjectFacts) -> set[Right]:
    """Headers for ever; technical sections up to the end of the title; commercial ones of its time."""
    found: set[Right] = set()
    for title in facts.titles:
        if title.is_outside:
            continue
        found.add(Right(subject, title.org, None, _HEADERS))
        found.add(Right(subject, title.org, None, _HEADERS | _TECHNICAL, until=title.until))
        found.add(Right(subject, title.org, None, _HEADERS | _COMMERCIAL, title.since, title.until))
    return found


def _role_rights(subject: bytes, holding: Holding) -> set[Right]:
    """Who holds a role reads as an owner does but what is commercial; who is offered one, what it is about.

    Where nobody holds the title, what the author of the act says himself.
    """
    found: set[Right] = set()
    for held in holding.held:
        if not held.is_outside:
            tenure, author = held.tenure, None if held.has_authority else held.act.org
            found.add(Right(subject, tenure.org, author, _HEADERS))
            found.add(Right(subject, tenure.org, author, _HEADERS | _TECHNICAL, until=tenure.until))
    for deal in (*holding.responsible.waiting, *holding.settlement.waiting):
        found.add(Right(subject, deal.party, deal.offer.org if not holding.has_authority else None, _HEADERS))
    return found


def _shared(subject: bytes, reading: Reading, facts: SubjectFacts) -> set[Right]:
    share = reading.authority
    if share is None or share.verb is not Verb.READ or not covers(reading, subject):
        return set()
    author, since, until = reading.statement.org, share.since, share.until
    if share.party == author:
        return set()
    named = class_mask(*share.classes)
    own = Right(subject, share.party, author, _HEADERS | named & (_TECHNICAL | _COMMERCIAL), since, until)
    if author not in facts.makers | {title.org for title in facts.titles}:
        return {own}
    everybody = Right(subject, share.party, None, _HEADERS | named & _TECHNICAL, since, until)
    return {everybody, own} if named & _COMMERCIAL else {everybody}


_NO_ROLES = Holding()


def _authority(statement: Statement) -> Authority | None:
    raw = statement.sections.get("authority")
    try:
        return Authority.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None


def _subjects(statement: Statement, authority: Authority | None) -> frozenset[bytes]:
    routed = authority.subjects or () if authority else ()
    return frozenset({*statement.subjects, *routed})


def _order(right: Right) -> tuple[bytes, bytes, bytes, int, int, int]:
    since, until = (-1 if time is None else time for time in (right.since, right.until))
    return (right.subject, right.org, right.author or b"", right.classes, since, until)
