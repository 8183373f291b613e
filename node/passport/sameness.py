"""Sameness: what people say of identity where the plates do not tell. The same, distinct, or twins.

`same` takes effect when an identity authority of each side signs it, `distinct` when one of either side does, `twin`
when one of the original does. An identity authority is the maker of the line, else whoever stated the claim, else
a lab with a result on it. A later statement of the same organisation that refs an earlier one takes its place;
`withdrawn` leaves nothing in it.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import EventBody, SamenessBody
from node.passport.claims import Claim, Scheme, decode_claim
from node.passport.errors import ClaimError
from node.passport.lines import LineKey
from node.passport.reading import Reading
from node.passport.references import References, parse_ref
from node.passport.statement import Statement
from node.passport.world import World

MOST_TWINS = 64
MOST_SIDES = 64
SAME: Final = "same"
DISTINCT: Final = "distinct"
TWIN: Final = "twin"
WITHDRAWN: Final = "withdrawn"
VERDICTS = frozenset({"verified", "rejected"})

Pair = tuple[bytes, bytes]
Keys = Mapping[bytes, Sequence[LineKey]]


class Right(IntEnum):
    """By which right an organisation speaks of a subject's identity, the strongest first."""

    MAKER = 0
    AUTHOR = 1
    LAB = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What one organisation says of two subjects."""

    statement: Statement
    body: SamenessBody
    pair: Pair

    @property
    def moves(self) -> frozenset[Ref]:
        """The statements that a twin takes with it."""
        return frozenset(map(parse_ref, self.body.moves))


@dataclass(frozen=True, slots=True)
class Link:
    """Subjects that are one by the word of both sides: the weaker right and the earlier id of those who said it."""

    pair: Pair
    right: Right
    id: bytes


@dataclass(frozen=True, slots=True)
class Sameness:
    """What counts of all that was said: links in the order in which they are added, pairs to keep apart, twins."""

    said: tuple[Said, ...] = ()
    links: tuple[Link, ...] = ()
    distinct: frozenset[Pair] = frozenset()
    twins: Mapping[bytes, Said] | None = None

    def keeps_apart(self, left: Iterable[bytes], right: Iterable[bytes]) -> bool:
        """Whether joining two groups would join a pair that is distinct."""
        others = tuple(right)
        return bool(self.distinct) and any(pair_of(one, two) in self.distinct for one in left for two in others)

    def counts(self, said: Said) -> bool:
        """Whether a statement has effect by itself or with others."""
        if said.body.says == SAME:
            return any(link.pair == said.pair for link in self.links)
        if said.body.says == DISTINCT:
            return said.pair in self.distinct
        return any(twin.statement.ref == said.statement.ref for twin in (self.twins or {}).values())


def sameness_of(readings: Sequence[Reading], keys: Keys, world: World) -> Sameness:
    """What counts of the sameness statements among these. `keys` are the line keys that each subject resolves to."""
    said = _standing(readings)
    if not said:
        return Sameness()
    rights = _Rights(readings, keys, world)
    distinct = frozenset(
        item.pair for item in said if item.body.says == DISTINCT and rights.of_either(item) is not Right.NONE
    )
    twins: dict[bytes, Said] = {}
    for item in sorted((i for i in said if i.body.says == TWIN), key=lambda i: (rights.of_either(i), i.statement.id)):
        if rights.of(item.statement.org, item.pair[0]) is not Right.NONE and twin_claim(item):
            twins.setdefault(item.pair[1], item)
    return Sameness(tuple(said), _links(said, rights), distinct, twins)


def settle_twins(statements: Sequence[Statement], sameness: Sameness) -> list[Statement]:
    """The statements with those that a twin takes rewritten to speak about it; the others as they are.

    A moved identity statement carries the twin's claim, so that its plate is read as the twin's.
    """
    moved: dict[Ref, Said] = {}
    for _, said in sorted((sameness.twins or {}).items()):
        for ref in said.moves:
            moved.setdefault(ref, said)
    return [_moved(s, moved[s.ref]) if s.ref in moved and s.kind != Kind.SAMENESS else s for s in statements]


def other_sides(statements: Iterable[Statement], subjects: Container[bytes]) -> set[bytes]:
    """The other sides of what is said of the identity of these subjects: what counts hangs on both.

    Of each subject the other sides that its own plates' authors name come first, and no more than `MOST_SIDES` are
    looked at, so that a stranger's words cost little.
    """
    said = list(statements)
    authors = {(s.subject, s.org) for s in said if "claim" in s.sections}
    named: dict[bytes, list[tuple[bool, bytes, bytes]]] = {}
    for statement in said:
        if statement.kind == Kind.SAMENESS and len(statement.subjects) > 1:
            one, other = statement.subjects[:2]
            for mine, theirs in ((one, other), (other, one)):
                if mine in subjects:
                    row = ((mine, statement.org) not in authors, statement.id, theirs)
                    named.setdefault(mine, []).append(row)
    return {side for rows in named.values() for _, _, side in sorted(rows)[:MOST_SIDES]}


@dataclass(frozen=True, slots=True)
class Authorities:
    """Who may speak of a subject's identity, and by which right."""

    right: Right
    orgs: frozenset[bytes]


def authorities_of(readings: Sequence[Reading], keys: Keys, world: World, subject: bytes) -> Authorities:
    """The identity authorities of a subject: those with the strongest right that anybody has over it."""
    return _Rights(readings, keys, world).holders(subject)


def twin_claim(said: Said) -> Claim | None:
    """The claim that a twin statement gives to its second subject; None where it is not one of the first's plate."""
    try:
        claim = decode_claim(bytes.fromhex(said.body.claim or ""))
    except ClaimError:
        return None
    original = replace(claim, twin=None)
    return claim if claim.twin and (original.subject.raw, claim.subject.raw) == said.pair else None


def pair_of(one: bytes, other: bytes) -> Pair:
    """Two subjects without an order."""
    return (one, other) if one <= other else (other, one)


def twins_of(claim: Claim) -> Iterator[Claim]:
    """The claims of all twins that a plate may have, in their order."""
    return map(claim.with_twin, range(2, MOST_TWINS + 2))


def twin_of(claim: Claim, taken: Iterable[bytes]) -> Claim:
    """The claim of the next twin of a plate; raise ClaimError where there are too many."""
    used = set(taken)
    for twin in twins_of(claim):
        if twin.subject.raw not in used:
            return twin
    raise ClaimError(f"a plate has at most {MOST_TWINS} twins")


_NOBODY = Authorities(Right.NONE, frozenset())


class _Rights:
    """Who may speak of the identity of which subject."""

    def __init__(self, readings: Sequence[Reading], keys: Keys, world: World) -> None:
        claims = _claims(readings)
        self._makers = {subject: _line_makers(claim, keys.get(subject, ()), world) for subject, claim in claims.items()}
        self._authors: dict[bytes, set[bytes]] = {}
        self._labs: dict[bytes, set[bytes]] = {}
        for reading in readings:
            statement = reading.statement
            if reading.claim is not None:
                self._authors.setdefault(statement.subject, set()).add(statement.org)
            elif _is_result(reading) and world.attestations.is_accredited(
                statement.org, frozenset(), statement.occurred
            ):
                self._labs.setdefault(statement.subject, set()).add(statement.org)

    def of(self, org: bytes, subject: bytes) -> Right:
        """The right of an organisation over one side: only the strongest kind that anybody has there counts."""
        held = self.holders(subject)
        return held.right if org in held.orgs else Right.NONE

    def holders(self, subject: bytes) -> Authorities:
        """Those with the strongest right that anybody has over a subject."""
        ranked = (
            (Right.MAKER, self._makers.get(subject, frozenset())),
            (Right.AUTHOR, self._authors.get(subject, set())),
            (Right.LAB, self._labs.get(subject, set())),
        )
        return next((Authorities(right, frozenset(orgs)) for right, orgs in ranked if orgs), _NOBODY)

    def of_either(self, said: Said) -> Right:
        """The stronger right that the author has over one of both sides."""
        return min(self.of(said.statement.org, subject) for subject in said.pair)


def _standing(readings: Iterable[Reading]) -> list[Said]:
    found = []
    for reading in readings:
        body, subjects = reading.body("sameness", SamenessBody), reading.statement.subjects
        if body is not None and reading.statement.kind == Kind.SAMENESS and len(subjects) > 1:
            pair = subjects[:2] if body.says == TWIN else pair_of(*subjects[:2])
            if pair[0] != pair[1]:
                found.append(Said(reading.statement, body, (pair[0], pair[1])))
    references = References(said.statement for said in found)
    correcting = [said for said in found if said.statement.refs]
    kept = [
        said
        for said in found
        if not any(
            other.statement.org == said.statement.org
            and pair_of(*other.pair) == pair_of(*said.pair)
            and references.supersedes(other.statement, said.statement)
            for other in correcting
        )
    ]
    return sorted((said for said in kept if said.body.says != WITHDRAWN), key=lambda said: said.statement.id)


def _links(said: Sequence[Said], rights: _Rights) -> tuple[Link, ...]:
    by_pair: dict[Pair, list[Said]] = {}
    for item in said:
        if item.body.says == SAME:
            by_pair.setdefault(item.pair, []).append(item)
    links = []
    for pair, items in by_pair.items():
        sides = [min(rights.of(item.statement.org, subject) for item in items) for subject in pair]
        if Right.NONE not in sides:
            links.append(Link(pair, max(sides), min(item.statement.id for item in items)))
    return tuple(sorted(links, key=lambda link: (link.right, link.id)))


def _claims(readings: Iterable[Reading]) -> dict[bytes, Claim]:
    return {reading.statement.subject: reading.claim for reading in readings if reading.claim is not None}


def _line_makers(claim: Claim, keys: Sequence[LineKey], world: World) -> frozenset[bytes]:
    lines = {key.line.hex for key in keys}
    if claim.scheme is Scheme.LINE:
        lines.add(claim.issuer)
    return frozenset(org for line in sorted(lines) for org in world.makers_of(line)) if len(lines) == 1 else frozenset()


def _is_result(reading: Reading) -> bool:
    event = reading.body("event", EventBody)
    return event is not None and event.what.central in VERDICTS


def _moved(statement: Statement, said: Said) -> Statement:
    original, twin = said.pair
    claim = twin_claim(said)
    subjects = tuple(twin if subject == original else subject for subject in statement.subjects)
    sections = dict(statement.sections)
    if "claim" in sections and claim is not None and statement.subject == original:
        sections["claim"] = claim.encode()
    return replace(statement, subjects=subjects, sections=sections)
