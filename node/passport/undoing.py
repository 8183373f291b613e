"""What stands in the way of taking statements about a thing back: what was built on them since, by whomever.

Plates that others stated and grants to read stand or fall alone and build on nothing. Only headers are looked at.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.authority import Kind
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import WithdrawalBody
from node.passport.drafts import Draft
from node.passport.statement import Statement
from node.passport.withdrawals import MOST_REFS, WITHDRAWABLE, find_withdrawn

MOST_SUBJECTS = 4  # of a header


class Ground(StrEnum):
    """Why statements about a thing are not taken back, the weightiest first."""

    SHIPPED = "shipped"
    ON_AIR = "on-air"
    NAMED = "named"
    PROTOCOL = "protocol"
    EVENT = "event"
    COMPOSITION = "composition"
    SAID = "said"


@dataclass(frozen=True, slots=True)
class Built:
    """What was built on a thing: why it stays, who said so and when by his clock (microseconds)."""

    ground: Ground
    org: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """A thing of which statements are to be taken back: those that stand, what they hold up, and what else stands."""

    mine: tuple[Statement, ...]
    built: Built | None
    stays: bool  # whether anybody's other words make it a passport still


def weigh(mine: Collection[Ref], about: Iterable[Statement]) -> Weighed:
    """Whether the statements at these places may be taken back, beside all that is said about the thing."""
    said = [*{statement.ref: statement for statement in about}.values()]
    withdrawn = find_withdrawn(said)
    standing = sorted((s for s in said if s.ref not in withdrawn), key=lambda s: s.order)
    own = tuple(s for s in standing if s.ref in mine and s.kind in WITHDRAWABLE)
    others = [s for s in standing if s.ref not in mine]
    built = min(_built(own, others), key=lambda b: (_WEIGHT.index(b.ground), b.at), default=None) if own else None
    return Weighed(own, built, any(s.kind in _SPOKEN for s in others))


def withdraw(said: Sequence[Statement], reason: str, now: int) -> Iterator[Draft]:
    """The withdrawals of some statements, as few as their headers hold."""
    part: list[Statement] = []
    subjects: dict[bytes, None] = {}
    for statement in said:
        grown = subjects | dict.fromkeys(statement.subjects)
        if part and (len(part) == MOST_REFS or len(grown) > MOST_SUBJECTS):
            yield _withdrawal(part, subjects, reason, now)
            part, grown = [], dict.fromkeys(statement.subjects)
        part.append(statement)
        subjects = grown
    if part:
        yield _withdrawal(part, subjects, reason, now)


def _withdrawal(said: Sequence[Statement], subjects: Iterable[bytes], reason: str, now: int) -> Draft:
    return drafts.withdrawal([*subjects], [s.ref for s in said], WithdrawalBody(reason=reason), now)


_WEIGHT = [*Ground]
_GROUNDS = {
    Kind.PARTY: Ground.SHIPPED,
    Kind.SHIPMENT: Ground.SHIPPED,
    Kind.CLOSING: Ground.SHIPPED,
    Kind.PROTOCOL: Ground.PROTOCOL,
    Kind.EVENT: Ground.EVENT,
    Kind.COMPOSITION: Ground.COMPOSITION,
    Kind.PARAMETER: Ground.SAID,
    Kind.ALIAS: Ground.SAID,
    Kind.SAMENESS: Ground.SAID,
    Kind.PROCESS: Ground.SAID,
}
# Kinds that make a passport of a subject of which somebody spoke.
_SPOKEN = frozenset({Kind.IDENTITY, *_GROUNDS} - {Kind.SHIPMENT, Kind.PARTY})


def _built(own: Sequence[Statement], others: Iterable[Statement]) -> Iterator[Built]:
    places, first = {s.ref for s in own}, own[0]
    for other in others:
        if places & {*other.refs, *other.auth} and other.kind != Kind.WITHDRAWAL:
            yield Built(
                _GROUNDS[Kind.SHIPMENT] if other.kind == Kind.SHIPMENT else Ground.NAMED, other.org, other.stamp
            )
        elif other.kind in _GROUNDS and _is_later(other, first):
            yield Built(_GROUNDS[Kind(other.kind)], other.org, other.stamp)


def _is_later(one: Statement, other: Statement) -> bool:
    """By the place in one log, by the clocks of two."""
    return one.ref.seq > other.ref.seq if one.ref.log == other.ref.log else one.stamp > other.stamp
