"""Erasures: who may let bytes of a statement be erased, and from when on they count as gone.

A statement of kind 19 names sections of entries, one row each. A row takes effect on a section of class personal that
is no authority section: where the organisation that wrote the entry says it, or where as many anchors of the federation
as must agree name the same row. Anything else has no effect, and the reason is shown. A row may come before the entry
that it names. What was erased is not said anew by taking the erasure back: there is nothing left to show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from federation.authority import Kind, unpack_erase
from federation.errors import FederationError
from federation.fragment import Header, Ref, SectionClass
from federation.genesis import Genesis
from node.passport.bodies import ErasureAckBody, ErasureGround, GroundBody
from node.passport.errors import BodyError, PassportError
from node.passport.references import parse_ref
from node.passport.statement import Erased, Statement

SECTION, GROUND, ACK = "erase", "ground", "ack"
AUTHORITY = "authority"
MOST_ROWS = 64


class Hindrance(StrEnum):
    """Why a row has no effect."""

    OTHER_ENTRY = "other-entry"  # another statement stands at that place
    NO_SECTION = "no-section"
    AUTHORITY = "authority"
    NOT_PERSONAL = "not-personal"
    FOREIGN = "foreign"  # said by neither the author nor an anchor
    FEW_ANCHORS = "few-anchors"  # so far


@dataclass(frozen=True, slots=True)
class Word:
    """One row of an erasure: which section of which entry, by whom, when, on what ground, and where that is said."""

    target: Ref
    section: str
    said: Ref
    org: bytes
    stamp: int
    ground: str

    @property
    def order(self) -> tuple[int, bytes, int]:
        """How words are ordered: stamp, log, seq."""
        return (self.stamp, self.said.log, self.said.seq)


@dataclass(frozen=True, slots=True)
class Target:
    """An entry that is here: who wrote it, and the class of each of its sections."""

    ref: Ref
    org: bytes
    classes: Mapping[str, int]

    @classmethod
    def of(cls, ref: Ref, org: bytes, header: Header) -> "Target":
        """What a header says of its sections."""
        return cls(ref, org, {head.name: head.klass for head in header.sections})


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A node says that it had a section and has it no more."""

    target: Ref
    section: str
    org: bytes
    node: bytes
    said: Ref
    at: int


def words_of(statement: Statement) -> list[Word]:
    """What an erasure asks for; nothing where it cannot be read."""
    raw = statement.sections.get(SECTION)
    if statement.kind != Kind.ERASURE or raw is None:
        return []
    try:
        rows = unpack_erase(raw)
    except FederationError:
        return []
    ground = ground_of(statement)
    return [Word(ref, name, statement.ref, statement.org, statement.stamp, ground) for ref, name in rows]


def acknowledged_of(statement: Statement, node: bytes) -> list[Acknowledged]:
    """What the node of a log acknowledges by a statement; nothing where it cannot be read."""
    raw = statement.sections.get(ACK)
    if statement.kind != Kind.ERASURE_ACK or raw is None:
        return []
    try:
        body = ErasureAckBody.from_bytes(raw)
        places = [(parse_ref(row.ref), row.section) for row in body.rows]
    except (PassportError, ValueError, RecursionError):
        return []
    return [Acknowledged(ref, name, statement.org, node, statement.ref, statement.stamp) for ref, name in places]


def ground_of(statement: Statement) -> str:
    """Why something is to be erased; `other` where that is not said or not known here."""
    raw = statement.sections.get(GROUND)
    try:
        return GroundBody.from_bytes(raw).ground if raw is not None else ErasureGround.OTHER
    except (BodyError, ValueError, RecursionError):
        return ErasureGround.OTHER


def is_erasable(name: str, klass: int) -> bool:
    """Whether a section may be erased at all."""
    return klass == SectionClass.PERSONAL and name != AUTHORITY


def voices(words: Iterable[Word], target: Target, genesis: Genesis | None) -> tuple[Word, ...]:
    """The words by which one section is erased, the first of its author or of as many anchors as must agree; none while
    nothing erases it. `words` all name that section of that place.
    """
    said = sorted((word for word in words if word.target == target.ref), key=lambda word: word.order)
    if not said or not is_erasable(said[0].section, target.classes.get(said[0].section, -1)):
        return ()
    if own := [word for word in said if word.org == target.org]:
        return (own[0],)
    anchors = _anchored(said, genesis)
    return tuple(anchors[: genesis.quorum]) if genesis is not None and len(anchors) >= genesis.quorum else ()


def erased_of(words: Iterable[Word], target: Target, genesis: Genesis | None) -> dict[str, Erased]:
    """What is erased of an entry, by the names of its sections."""
    by_section: dict[str, list[Word]] = {}
    for word in words:
        by_section.setdefault(word.section, []).append(word)
    found = {name: voices(said, target, genesis) for name, said in sorted(by_section.items())}
    return {name: _erased(said) for name, said in found.items() if said}


def hindrance(word: Word, words: Sequence[Word], target: Target, genesis: Genesis | None) -> Hindrance | None:
    """Why a row has no effect on an entry that is here; None where it has. `words` all name that section of it."""
    if word.target != target.ref:
        return Hindrance.OTHER_ENTRY
    if word.section == AUTHORITY:
        return Hindrance.AUTHORITY
    if word.section not in target.classes:
        return Hindrance.NO_SECTION
    if not is_erasable(word.section, target.classes[word.section]):
        return Hindrance.NOT_PERSONAL
    if voices(words, target, genesis):
        return None
    is_anchor = genesis is not None and word.org in genesis.anchors
    return Hindrance.FEW_ANCHORS if is_anchor else Hindrance.FOREIGN


def without_erased(statement: Statement, erased: Mapping[str, Erased]) -> Statement:
    """The statement as it is read once these sections are gone, whether their bytes ever came here or not."""
    if not erased:
        return statement
    return replace(
        statement,
        sections={name: raw for name, raw in statement.sections.items() if name not in erased},
        withheld=tuple(row for row in statement.withheld if row[0] not in erased),
        erased=tuple(sorted(erased.items())),
    )


def as_erased(statements: Sequence[Statement], genesis: Genesis | None) -> list[Statement]:
    """Statements as they are read with the erasures among them, which are left out: where no store is at hand."""
    words: dict[Ref, list[Word]] = {}
    for statement in statements:
        for word in words_of(statement):
            words.setdefault(word.target, []).append(word)
    found = []
    for statement in statements:
        if statement.kind != Kind.ERASURE:
            target = Target(statement.ref, statement.org, dict(statement.classes))
            found.append(without_erased(statement, erased_of(words.get(statement.ref, ()), target, genesis)))
    return found


def _anchored(said: Sequence[Word], genesis: Genesis | None) -> list[Word]:
    """The first word of each anchor, in their order."""
    found: dict[bytes, Word] = {}
    for word in said:
        if genesis is not None and word.org in genesis.anchors:
            found.setdefault(word.org, word)
    return sorted(found.values(), key=lambda word: word.order)


def _erased(said: Sequence[Word]) -> Erased:
    last = said[-1]
    return Erased(tuple(sorted(word.org for word in said)), last.stamp, last.ground, last.said)
