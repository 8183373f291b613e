"""Corrections of what a maker stated, after the thing was shipped.

Until it is shipped, a maker corrects serial, type and production parameters alone. Afterwards the correction stands
once the owner of that day or an accredited lab says the same with a ref to it; until then it is a claim and the old
value stands. Nothing is overwritten: what was replaced is shown, and an old serial stays a name of the thing.
"""

from collections.abc import Callable, Sequence

from node.passport.merge import Said
from node.passport.ranks import Ground
from node.passport.statement import Statement
from node.passport.titles import Chain


def find_unwitnessed(
    said: Sequence[Said], chain_of: Callable[[Statement], Chain | None], witnesses: Callable[[Statement], bool]
) -> list[Said]:
    """The corrections of production facts by their maker that nobody else agreed with and that came after shipment.

    `chain_of` is the chain of titles of a statement's subject, `witnesses` whether its author was the owner or an
    accredited lab when the statement was made.
    """
    by_makers = [one for one in said if one.rank.ground is Ground.MAKER]
    found = []
    for one in by_makers:
        shipped = _shipped(chain_of(one.statement))
        if shipped is None or one.statement.stamp <= shipped:
            continue
        if _corrects(one, by_makers) and not any(_agrees(other, one) and witnesses(other.statement) for other in said):
            found.append(one)
    return found


def _shipped(chain: Chain | None) -> int | None:
    """When the first buyer accepted, by the clock of his log."""
    if chain is None or not chain.deals or chain.deals[0].acceptance is None:
        return None
    return chain.deals[0].acceptance.stamp


def _corrects(one: Said, others: Sequence[Said]) -> bool:
    return any(
        other.same != one.same
        and other.statement.org == one.statement.org
        and other.statement.order < one.statement.order
        for other in others
    )


def _agrees(other: Said, one: Said) -> bool:
    return (
        other.statement.org != one.statement.org
        and other.same == one.same
        and one.statement.ref in other.statement.refs
    )
