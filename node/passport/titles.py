"""Who held the title to a subject, one after another: from its maker over offers that were accepted.

An offer counts when its signer holds the title; it ends in an acceptance by the party that it names. Of two effective
acceptances in one log the lower seq wins; in different logs nobody's does, until an accepted later offer of the old
owner refs the one that he withdraws.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from federation.authority import Kind, Verb
from federation.fragment import Ref
from node.passport.ranks import Title
from node.passport.reading import Reading
from node.passport.references import References
from node.passport.statement import Statement


@dataclass(frozen=True, slots=True)
class Deal:
    """An offer with the acceptance that answered it, if any did."""

    offer: Statement
    party: bytes
    acceptance: Statement | None = None

    @property
    def last(self) -> Statement:
        """The acceptance, else the offer."""
        return self.acceptance or self.offer


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
    deals = _deals(readings, subject)
    references = References(deal.offer for deal in deals)
    titles = [] if origin is None else [Title(origin, 0)]
    taken: list[Deal] = []
    due = _due(titles, taken, deals, references)
    while len(due) == 1:
        taken.append(due[0])
        _pass_on(titles, due[0])
        due = _due(titles, taken, deals, references)
    holder = titles[-1].org if titles else None
    rest = [deal for deal in deals if deal not in taken and deal not in due]
    waiting = tuple(deal for deal in rest if deal.offer.org == holder and deal.acceptance is None)
    return Chain(tuple(titles), tuple(taken), waiting, tuple(due), tuple(d for d in rest if d not in waiting))


def covers(reading: Reading, subject: bytes) -> bool:
    """Whether the section `authority` of a statement is about this subject."""
    authority = reading.authority
    if authority is None:
        return False
    return subject in authority.subjects if authority.subjects else subject in reading.statement.subjects


def _deals(readings: Iterable[Reading], subject: bytes) -> list[Deal]:
    offers: dict[Ref, Deal] = {}
    accepted: list[Statement] = []
    for reading in readings:
        authority, statement = reading.authority, reading.statement
        if statement.kind != Kind.SHIPMENT or authority is None or not covers(reading, subject):
            continue
        if authority.verb is Verb.OFFER:
            offers[statement.ref] = Deal(statement, authority.party)
        elif authority.verb is Verb.ACCEPT:
            accepted.append(statement)
    deals = [
        Deal(offers[ref].offer, statement.org, statement)
        for statement in accepted
        for ref in sorted({*statement.refs, *statement.auth} & offers.keys())
        if offers[ref].party == statement.org
    ]
    answered = {deal.offer.ref for deal in deals}
    deals += [deal for ref, deal in offers.items() if ref not in answered]
    return sorted(deals, key=lambda deal: (deal.last.ref, deal.offer.ref))


def _due(titles: Sequence[Title], taken: Sequence[Deal], deals: Sequence[Deal], references: References) -> list[Deal]:
    """The deals by which the present holder passes the title on: one, or several that contradict each other."""
    if not titles:
        return []
    done = {deal.last.ref for deal in taken}
    mine = [d for d in deals if d.acceptance and d.offer.org == titles[-1].org and d.last.ref not in done]
    found = [deal for deal in mine if _is_of_this_title(deal.offer, taken, deals)]
    by_log: dict[bytes, Deal] = {}
    for deal in found:
        if not any(references.supersedes(other.offer, deal.offer) for other in found):
            by_log.setdefault(deal.last.ref.log, deal)
    return list(by_log.values())


def _is_of_this_title(offer: Statement, taken: Sequence[Deal], deals: Sequence[Deal]) -> bool:
    """Who sold a thing and got it back offers it anew by naming the acceptance that brought it."""
    brought = {deal.last.ref for deal in deals if deal.acceptance and deal.party == offer.org}
    named = brought & {*offer.refs, *offer.auth}
    if named:
        return bool(taken) and taken[-1].last.ref in named
    return all(deal.offer.org != offer.org for deal in taken)


def _pass_on(titles: list[Title], deal: Deal) -> None:
    last = titles[-1]
    at = max(last.since, deal.last.occurred)
    titles[-1] = Title(last.org, last.since, at)
    titles.append(Title(deal.party, at))
