"""Which of several effective deals of one holder counts: each of them would pass on the same thing.

One that was accepted before the offer of another was known is the first. In one log the lower seq wins, and one party
contradicts nobody by accepting twice. What is left contradicts itself until who offered it decides: by ending the
offers that do not count, or by one more offer that names them and is accepted.
"""

from collections.abc import Sequence

from node.passport.deals import Deal
from node.passport.references import References


def contend(deals: Sequence[Deal], references: References) -> list[Deal]:
    """The deal that counts among effective ones of one holder, or those that contradict each other. `references` are
    those of the offers.
    """
    first = [deal for deal in deals if not any(_comes_before(other, deal) for other in deals)] or [*deals]
    if len(_one_of_each(first)) < 2:
        return _one_of_each(first)
    later = [deal for deal in deals if deal not in first and _names_all(deal, first, references)]
    left = [*first, *later]
    decided = [
        deal
        for deal in left
        if deal.decided is None and not any(references.supersedes(other.offer, deal.offer) for other in left)
    ]
    return _one_of_each(decided or first)


def _comes_before(one: Deal, other: Deal) -> bool:
    """Whether a deal was closed while the offer of another was not known: by the cuts of both, never by times.

    What a document passed on is closed by being said.
    """
    if one.is_paper and other.cut is not None:
        return other.knows(one.offer.ref)
    return not one.knows(other.offer.ref) and other.knows(one.offer.ref)


def _names_all(deal: Deal, others: Sequence[Deal], references: References) -> bool:
    return all(references.supersedes(deal.offer, other.offer) for other in others)


def _one_of_each(deals: Sequence[Deal]) -> list[Deal]:
    """Of each log the lowest seq, and of each party what it accepted first."""
    by_log: dict[bytes, Deal] = {}
    for deal in sorted(deals, key=lambda one: (one.last.ref, one.offer.ref)):
        by_log.setdefault(deal.last.ref.log, deal)
    by_party: dict[bytes, Deal] = {}
    for deal in sorted(by_log.values(), key=lambda one: one.last.order):
        by_party.setdefault(deal.party, deal)
    return sorted(by_party.values(), key=lambda one: (one.last.ref, one.offer.ref))
