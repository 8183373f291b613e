"""Why somebody is shown something of a passport or is not: by which right, ended by whom, and whom to ask for more.

The same rules that open sections (`rights.py`) give the reasons; nothing is decided here. What may not be read on this
node is explained likewise, with its own organisation as the one who asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.authority import Authority, Kind, Verb
from federation.errors import CodecError
from federation.fragment import SectionClass
from node.passport.case import Case
from node.passport.grants import Grant, standing_grants
from node.passport.ranks import SubjectFacts
from node.passport.rights import (
    HEADERS,
    PAPER_KINDS,
    PUBLISHED_KINDS,
    Ground,
    Right,
    class_mask,
    grounds_of,
    is_of_shipment,
    may_open,
    may_read_entry,
)
from node.passport.roles import PartyRole
from node.passport.statement import Statement
from node.passport.world import is_standing


class Why(StrEnum):
    """Why something is shown."""

    AUTHOR = "author"
    PUBLISHED = "published"
    PARTY = "party"  # the statement names it
    MAKER = "maker"
    NETWORK = "network"
    TITLE = "title"
    ROLE = "role"
    OFFER = "offer"
    CARRIER = "carrier"  # a shipment goes through its node
    GRANT = "grant"


class Lack(StrEnum):
    """Why something is not shown, the nearest reason first."""

    ENDED = "ended"  # a right was ended, or a title passed on
    PROFILE = "profile"  # the right is limited to a profile that does not name it
    TIME = "time"  # it occurred outside the time of the right
    AUTHOR = "author"  # the right is to what others say
    CLASS = "class"  # the right does not open that class
    PERSONAL = "personal"  # its author alone opens it
    SEALED = "sealed"  # given sealed to who holds it, never shown
    PAPERS = "papers"  # of a shipment: its two parties'
    NONE = "none"  # no right to the thing at all


@dataclass(frozen=True, slots=True)
class Access:
    """One right of one organisation to a thing, as it stands: by which statement it came, and what ended it.

    `author` is whose statements alone it opens, None for everybody's. `classes` are empty where it was ended.
    """

    org: bytes
    why: Why
    classes: tuple[int, ...]
    author: bytes | None = None
    role: PartyRole | None = None
    by: bytes | None = None
    said: Statement | None = None
    since: int | None = None
    until: int | None = None
    profile: bytes = b""
    verb: Verb = Verb.READ
    rows: tuple[str, ...] = ()
    ended: Statement | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is shown, by which of the rights; else why not, what ended the right, and whom to ask."""

    shown: bool
    why: tuple[Access, ...] = ()
    lack: Lack | None = None
    ended: tuple[Access, ...] = ()
    ask: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """A section of which the header is known and the content is not here, and why."""

    statement: Statement
    section: str
    klass: int
    answer: Answer


def accesses(case: Case) -> list[Access]:
    """Who may see what of a passport, and who could until something ended, in a fixed order."""
    found = {_key(access): access for access in (*_standing(case), *_ended(case))}
    return [found[key] for key in sorted(found)]


def explain(case: Case, org: bytes, statement: Statement | None = None, section: str | None = None) -> Answer:
    """Whether an organisation is shown the passport, a statement of it, or a section of that, and why."""
    mine = [access for access in accesses(case) if access.org == org]
    live = [access for access in mine if access.ended is None and access.verb is Verb.READ]
    ended = tuple(access for access in mine if access.ended is not None)
    if statement is None:
        return Answer(bool(live), tuple(live), None if live else _missing(ended), ended, _openers(case, None, None))
    klass = SectionClass.PUBLIC if section is None else _class_of(statement, section)
    rights = [ground.right for ground in grounds_of(case) if ground.right.org == org]
    profiles = case.world.profiles
    if section is None:
        shown = may_read_entry(org, statement, rights)
    else:
        shown = may_open(org, statement, klass, rights, section, profiles)
    own = [*_own(org, statement), *(a for a in live if _opens(case, a, statement, section, klass))]
    if shown:
        return Answer(shown=True, why=tuple(own))
    ask = tuple(one for one in _openers(case, statement, klass) if one != org)
    lack = _lack(statement, section, klass, live, ended)
    return Answer(shown=False, lack=lack, ended=ended if lack is Lack.ENDED else (), ask=ask)


def withheld_here(case: Case, own: bytes) -> list[Withheld]:
    """What is known of and may not be read on the node of an organisation: each section, with why and whom to ask."""
    return [
        Withheld(statement, name, klass, explain(case, own, statement, name))
        for statement in case.statements
        for name, klass in statement.withheld
    ]


def _standing(case: Case) -> Iterator[Access]:
    joined: dict[tuple[object, ...], list[Right]] = {}
    grounds: dict[tuple[object, ...], Ground] = {}
    for ground in grounds_of(case):
        right, place = ground.right, ground.said.ref if ground.said else None
        times: tuple[object, ...] = (right.since, right.until, right.profile)
        key = (right.org, ground.why, ground.role, place, right.author, *times)
        joined.setdefault(key, []).append(right)
        grounds[key] = ground
    by_place = {grant.said.ref: grant for grant in _grants(case)}
    for key, rights in joined.items():
        ground, right = grounds[key], rights[0]
        grant = by_place.get(ground.said.ref) if ground.said and ground.why == "grant" else None
        yield Access(
            right.org,
            Why(ground.why),
            tuple(klass for klass in range(6) if any(one.classes >> klass & 1 for one in rights)),
            right.author,
            ground.role,
            ground.said.org if ground.said else None,
            ground.said,
            right.since,
            right.until,
            right.profile,
            grant.verb if grant else Verb.READ,
        )
    for grant in by_place.values():
        if grant.verb is Verb.WRITE and grant.ended is None:
            yield _of_grant(grant)


def _ended(case: Case) -> Iterator[Access]:
    """Grants and roles that were ended, and titles and roles that were taken over, by whom and where."""
    yield from (_of_grant(grant) for grant in _grants(case) if grant.ended is not None)
    for chain in case.chains.values():
        for title, deal in zip(chain.titles, chain.deals, strict=False):
            if not title.is_outside:
                role, times = PartyRole.TITLE, (title.since, title.until)
                yield Access(title.org, Why.TITLE, (), None, role, None, None, *times, ended=deal.last)
    for holding in case.holdings.values():
        taken_over = {(held.tenure.role, held.act.org, held.tenure.since): held.last for held in holding.held}
        for held in holding.held:
            tenure = held.tenure
            ended = held.ended or taken_over.get((tenure.role, tenure.org, tenure.until or -1))
            if ended is not None and not held.is_outside:
                yield Access(
                    tenure.org, Why.ROLE, (), None, tenure.role, held.act.org, held.last, tenure.since, tenure.until,
                    ended=ended,
                )  # fmt: skip


def _of_grant(grant: Grant) -> Access:
    return Access(
        grant.party,
        Why.GRANT,
        tuple(sorted(grant.classes)),
        by=grant.by,
        said=grant.said,
        since=grant.since,
        until=grant.until,
        profile=grant.profile,
        verb=grant.verb,
        rows=tuple(sorted(grant.rows)),
        ended=grant.ended,
    )


def _grants(case: Case) -> list[Grant]:
    """The grants about a passport: those that name it, and those over all that is its parties'."""
    named = {grant.said.ref: grant for some in case.grants.values() for grant in some}
    spoken = {statement.org for statement in case.statements} | case.signers
    return [*named.values(), *(grant for grant in standing_grants(case.world.standing) if grant.by in spoken)]


def _own(org: bytes, statement: Statement) -> Iterator[Access]:
    """What everybody has without a right: his own words, what is published, what names him."""
    if statement.org == org:
        yield Access(org, Why.AUTHOR, (0, 1, 2, 3, 4), by=org, said=statement)
    if statement.kind in PUBLISHED_KINDS or is_standing(statement):
        yield Access(org, Why.PUBLISHED, (0, 1), by=statement.org, said=statement)
    if _party(statement) == org:
        classes = (0, 1, 2, 3) if statement.kind in PAPER_KINDS else (0, 1)
        yield Access(org, Why.PARTY, classes, by=statement.org, said=statement)


def _opens(case: Case, access: Access, statement: Statement, section: str | None, klass: int) -> bool:
    right = _right(access, statement)
    if not right.covers(statement, _named(statement)):
        return False
    if section is None:
        return bool(right.classes & HEADERS)
    return right.shows(statement, section, klass, case.world.profiles)


def _lack(
    statement: Statement,
    section: str | None,
    klass: int,
    live: Sequence[Access],
    ended: Sequence[Access],
) -> Lack:
    """Why a right that there is does not reach it."""
    if klass >= SectionClass.SECRET:
        return Lack.SEALED
    if section is not None and klass == SectionClass.PERSONAL:
        return Lack.PERSONAL
    if klass == SectionClass.COMMERCIAL and is_of_shipment(statement.kind, section or ""):
        return Lack.PAPERS
    if not live:
        return _missing(ended)
    bit, subjects = class_mask(klass), _named(statement)
    fit = [access for access in live if class_mask(*access.classes) & bit]
    if not fit:
        return Lack.ENDED if any(klass in access.classes for access in ended) else Lack.CLASS
    in_time = [a for a in fit if _right(a, statement, author=statement.org).covers(statement, subjects)]
    if not in_time:
        return Lack.ENDED if ended else Lack.TIME
    if all(access.author not in (None, statement.org) for access in in_time):
        return Lack.AUTHOR
    return Lack.PROFILE


def _missing(ended: Sequence[Access]) -> Lack:
    return Lack.ENDED if ended else Lack.NONE


def _right(access: Access, statement: Statement, author: bytes | None = None) -> Right:
    subject = next(iter(sorted(_named(statement))), b"")
    whose = author if author is not None else access.author
    classes = class_mask(*access.classes)
    return Right(subject, access.org, whose, classes, access.since, access.until, access.profile)


def _openers(case: Case, statement: Statement | None, klass: int | None) -> tuple[bytes, ...]:
    """Who may open it to others: its author; by class the maker, the owner, who is responsible, the network owner."""
    found: dict[bytes, None] = {}
    if klass == SectionClass.SECRET:
        return tuple(_owners(case.facts.values()))
    if klass is None or klass <= SectionClass.COMMERCIAL:
        found |= dict.fromkeys(_owners(case.facts.values()))
    if klass is None or klass <= SectionClass.TECHNICAL:
        found |= dict.fromkeys(org for facts in case.facts.values() for org in sorted(facts.makers | facts.network))
    if statement is not None:
        found.setdefault(statement.org)
    elif not found:
        found |= dict.fromkeys(s.org for s in case.statements if s.kind == Kind.IDENTITY)
    return tuple(found)


def _owners(facts: Iterable[SubjectFacts]) -> Iterator[bytes]:
    for one in facts:
        yield from (title.org for title in one.titles if title.until is None and not title.is_outside)
        yield from (r.org for r in one.roles if r.until is None and r.role is PartyRole.RESPONSIBLE)


def _class_of(statement: Statement, section: str) -> int:
    """The class of a section; one that the statement does not have is nobody's."""
    return dict(statement.classes).get(section, int(SectionClass.SECRET))


def _party(statement: Statement) -> bytes | None:
    authority = _authority(statement)
    return authority.party if authority else None


def _named(statement: Statement) -> frozenset[bytes]:
    authority = _authority(statement)
    return frozenset({*statement.subjects, *((authority.subjects or ()) if authority else ())})


def _authority(statement: Statement) -> Authority | None:
    raw = statement.sections.get("authority")
    try:
        return Authority.from_bytes(raw) if raw is not None else None
    except CodecError:
        return None


def _key(access: Access) -> tuple[object, ...]:
    said, ended = access.said.order if access.said else (), access.ended.order if access.ended else ()
    times = tuple(-1 if time is None else time for time in (access.since, access.until))
    role = access.role.value if access.role else ""
    return (
        access.org, access.why.value, role, said, access.author or b"", times, access.profile, ended, access.classes,
    )  # fmt: skip
