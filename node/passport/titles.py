"""Who held the title to a subject, one after another: from its maker over deals that were closed.

A deal counts when who made it holds the title; an offer is closed by the acceptance of the party that it names, whose
cut says how far the logs of the former holder count. Of effective deals that contradict each other none passes the
title, and nobody holds it from the first of them on until the old owner decides (`contention.py`). For an owner without
a node the responsible party speaks, with a document.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from node.passport.contention import contend
from node.passport.deals import Deal, acts_of, covers, deals_of
from node.passport.ranks import Title
from node.passport.reading import Reading
from node.passport.references import References
from node.passport.roles import PartyRole
from node.passport.statement import Statement
from node.passport.world import World

__all__ = ["Chain", "Deal", "Speaks", "covers", "follows", "last_with_node", "title_at", "title_chain", "titles_by"]

# Who speaks at a time for a holder of the title that has no node, besides the last one that had one.
Speaks = Callable[[int], frozenset[bytes]]


@dataclass(frozen=True, slots=True)
class Chain:
    """Titles in order and the deals that passed them on.

    `waiting` are offers of the holder that nobody answered, `conflict` acceptances that contradict each other,
    `ineffective` everything that was offered or accepted without effect.
    """

    titles: tuple[Title, ...] = ()
    deals: tuple[Deal, ...] = ()
    waiting: tuple[Deal, ...] = ()
    conflict: tuple[Deal, ...] = ()
    ineffective: tuple[Deal, ...] = ()


def title_chain(readings: Iterable[Reading], subject: bytes, origin: bytes | None) -> Chain:
    """Follow the title of a subject from its origin; without one, no offer counts."""
    return titles_by(deals_of(acts_of(readings, subject), PartyRole.TITLE, World()), origin)


def titles_by(deals: Sequence[Deal], origin: bytes | None, speaks: Speaks = lambda _: frozenset()) -> Chain:
    """Follow the title over deals; `speaks` tells who acts for an owner without a node."""
    references = References(deal.offer for deal in deals)
    titles = [] if origin is None else [Title(origin, 0)]
    taken: list[Deal] = []
    due = _due(titles, taken, deals, references, speaks)
    while len(due) == 1:
        taken.append(due[0])
        _pass_on(titles, due[0])
        due = _due(titles, taken, deals, references, speaks)
    rest = [deal for deal in deals if deal not in taken and deal not in due]
    waiting = tuple(deal for deal in rest if _waits(deal, titles, speaks))
    if due:
        last = titles[-1]
        titles[-1] = replace(last, until=max(last.since, min(deal.passes_at for deal in due)))
    gone = tuple(deal for deal in rest if deal not in waiting)
    return Chain(_cut_off(titles, taken), tuple(taken), waiting, tuple(due), gone)


def title_at(titles: Sequence[Title], at: int) -> Title | None:
    """The title that is held at a time."""
    return next((title for title in titles if title.holds(at)), None)


def last_with_node(titles: Sequence[Title], title: Title) -> frozenset[bytes]:
    """Who had a node and held the title last before one that has none."""
    before = [one for one in titles[: titles.index(title)] if not one.is_outside]
    return frozenset({before[-1].org}) if before else frozenset()


def _waits(deal: Deal, titles: Sequence[Title], speaks: Speaks) -> bool:
    is_open = deal.acceptance is None and not deal.is_paper and deal.fault is None
    return is_open and bool(titles) and deal.offer.org in _speakers(titles, deal.offer.occurred, speaks)


def _speakers(titles: Sequence[Title], at: int, speaks: Speaks) -> frozenset[bytes]:
    """Who passes the last title on."""
    last = titles[-1]
    if not last.is_outside:
        return frozenset({last.org})
    return speaks(at) or last_with_node(titles, last)


def _due(
    titles: Sequence[Title], taken: Sequence[Deal], deals: Sequence[Deal], references: References, speaks: Speaks
) -> list[Deal]:
    """The deals by which the present holder passes the title on: one, or several that contradict each other."""
    if not titles:
        return []
    done = {deal.last.ref for deal in taken}
    mine = [
        d
        for d in deals
        if d.is_done and d.last.ref not in done and d.offer.org in _speakers(titles, d.last.occurred, speaks)
    ]
    return contend([deal for deal in mine if _is_of_this_title(deal, titles, taken, deals)], references)


def _is_of_this_title(deal: Deal, titles: Sequence[Title], taken: Sequence[Deal], deals: Sequence[Deal]) -> bool:
    """Who sold a thing and got it back offers it anew by naming the acceptance that brought it.

    Who speaks for an owner without a node does so after what brought it to that owner.
    """
    offer = deal.offer
    if titles[-1].is_outside:
        return bool(taken) and follows(offer, taken[-1].last)
    brought = {deal.last.ref for deal in deals if deal.is_done and deal.party == offer.org}
    named = brought & {*offer.refs, *offer.auth}
    if named:
        return bool(taken) and taken[-1].last.ref in named
    return all(deal.offer.org != offer.org for deal in taken)


def follows(later: Statement, earlier: Statement) -> bool:
    """Whether a statement comes after another: it names it, or one organisation said both in that order."""
    named = earlier.ref in {*later.refs, *later.auth}
    return named or (later.org == earlier.org and later.order > earlier.order)


def _pass_on(titles: list[Title], deal: Deal) -> None:
    last = titles[-1]
    at = max(last.since, deal.passes_at)
    titles[-1] = replace(last, until=at)
    titles.append(Title(deal.party, at, is_outside=deal.is_outside, is_unopened=deal.is_unopened))


def _cut_off(titles: Sequence[Title], taken: Sequence[Deal]) -> tuple[Title, ...]:
    """The titles with the cuts of the deals that passed them on; the one that is held now has none."""
    following = [*taken[1:], None]
    kept = [deal.keeps(after) for deal, after in zip(taken, following, strict=True)] if taken else []
    parties = [deal.party if cut is not None else None for deal, cut in zip(taken, kept, strict=True)]
    former = zip(titles, kept, parties, strict=False)
    return (*(replace(title, cut=cut, passed_to=party) for title, cut, party in former), *titles[len(taken) :])
