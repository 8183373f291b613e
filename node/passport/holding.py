"""Who held which role over a thing, from when to when, and by which statement.

Until it is passed on, whoever holds the title is responsible and is the settlement party. These capacities pass as the
title does: by an offer of the holder and the acceptance of the party, or to a party without a node by a document. Who
holds the title may end them; then they are his again. The other roles are given by whoever holds the title or is
responsible, and end by the time they were given for, or by a statement of the giver, of the party, or of who could
give them now. Of a thing to which nobody holds a title those speak who stated what it is, and with no authority.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from federation.authority import Kind, Verb
from node.passport.deals import (
    NEEDS_DOCUMENT,
    NO_PARTY,
    NOT_ENTITLED,
    NOT_HOLDER,
    PASSED_ALREADY,
    Acts,
    Deal,
    End,
    deals_of,
    kept_by,
)
from node.passport.merge import Standing
from node.passport.ranks import Title
from node.passport.references import References
from node.passport.roles import DOCUMENT, GIVEN, PartyRole, Tenure, party_of, roles_named
from node.passport.statement import Statement
from node.passport.titles import Chain, follows, last_with_node, title_at, titles_by
from node.passport.world import World

ACCEPTANCE, PAPER, APPOINTMENT, BY_TITLE = "acceptance", "document", "appointment", "title"


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody held: by which act, which statement closed it, and which one ended it."""

    tenure: Tenure
    basis: str
    act: Statement
    last: Statement
    has_authority: bool
    is_outside: bool = False
    number: str | None = None
    ended: Statement | None = None

    @property
    def standing(self) -> Standing:
        """How it stands: agreed by both, stated by one with authority, or working."""
        if self.basis == ACCEPTANCE:
            return Standing.AGREED if self.has_authority else Standing.STATED
        return Standing.STATED if self.has_authority else Standing.WORKING


@dataclass(frozen=True, slots=True)
class Passage:
    """How one capacity went: who held it, what waits, what contradicts, and what had no effect and why."""

    role: PartyRole
    held: tuple[Held, ...] = ()
    waiting: tuple[Deal, ...] = ()
    conflict: tuple[Deal, ...] = ()
    ineffective: tuple[tuple[Deal, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """The roles over one subject beside the title."""

    responsible: Passage = field(default_factory=lambda: Passage(PartyRole.RESPONSIBLE))
    settlement: Passage = field(default_factory=lambda: Passage(PartyRole.SETTLEMENT))
    given: tuple[Held, ...] = ()
    refused: tuple[tuple[Statement, frozenset[PartyRole], str], ...] = ()  # appointments without effect
    has_authority: bool = False  # somebody holds the title

    @property
    def held(self) -> tuple[Held, ...]:
        """All roles that were held by an act."""
        return (*self.responsible.held, *self.settlement.held, *self.given)

    @property
    def tenures(self) -> tuple[Tenure, ...]:
        """What ranks follow from: roles with authority of those who have a node."""
        return tuple(held.tenure for held in self.held if held.has_authority and not held.is_outside)


def hold(acts: Acts, origin: bytes | None, authors: frozenset[bytes], world: World) -> tuple[Chain, Holding]:
    """The titles and the roles over a subject. `authors` are those who stated what it is."""
    if not acts.readings:
        return titles_by((), origin), Holding()
    titles, responsible, settlement = (
        deals_of(acts, role, world) for role in (PartyRole.TITLE, PartyRole.RESPONSIBLE, PartyRole.SETTLEMENT)
    )
    chain = titles_by(titles, origin)
    while (
        True
    ):  # who is responsible may pass the title of an owner without a node, which decides who may be responsible
        speakers = _Speakers(chain.titles, authors)
        passage = _Passing(PartyRole.RESPONSIBLE, responsible, acts.ends, speakers).run()
        longer = titles_by(titles, origin, partial(_holders_at, passage.held))
        if len(longer.deals) <= len(chain.deals):
            break
        chain = longer
    both = _Speakers(chain.titles, authors, passage.held)
    given, refused = _appointments(acts, both, world)
    settled = _Passing(PartyRole.SETTLEMENT, settlement, acts.ends, both).run()
    return longer, Holding(passage, settled, tuple(given), tuple(refused), bool(longer.titles))


@dataclass(frozen=True, slots=True)
class _Speakers:
    """Who speaks for a thing at a time."""

    titles: tuple[Title, ...]
    authors: frozenset[bytes]
    responsible: tuple[Held, ...] = ()

    @property
    def has_authority(self) -> bool:
        return bool(self.titles)

    def at(self, at: int) -> frozenset[bytes]:
        """Who holds the title, and who is responsible; for an owner without either a node or a responsible party, who
        held the title last.
        """
        title = title_at(self.titles, at)
        if title is None:
            return frozenset() if self.titles else self.authors
        responsible = _holders_at(self.responsible, at)
        if not title.is_outside:
            return responsible | {title.org}
        return responsible or last_with_node(self.titles, title)

    def since(self, act: Statement, end: End) -> frozenset[bytes]:
        """Who speaks for it when an act ends. It ends after it was said: else a former owner would end by a date of his
        own time what the next one gave.
        """
        return self.at(max(act.occurred, end.statement.occurred))


class _Passing:
    """One capacity on its way from holder to holder."""

    def __init__(self, role: PartyRole, deals: Sequence[Deal], ends: Iterable[End], speakers: _Speakers) -> None:
        self._role = role
        self._deals = deals
        self._ends = [end for end in ends if end.ends(role)]
        self._speakers = speakers
        self._references = References(deal.offer for deal in deals)
        self._held: list[Held] = []
        self._taken: list[Deal] = []
        self._holder: Held | None = None  # None: whoever holds the title
        self._ground: Statement | None = None  # after which the next one comes

    def run(self) -> Passage:
        """Follow it from the title holder on."""
        while True:
            due = self._due()
            ends = self._ends_of_holder()
            first = min(ends, key=lambda end: (end.statement.occurred, end.statement.order), default=None)
            if first is not None and (len(due) != 1 or first.statement.occurred < due[0].last.occurred):
                self._end(first, ends)
            elif len(due) == 1:
                self._take(due[0])
            else:
                return self._passage(due)

    def _due(self) -> list[Deal]:
        found = [deal for deal in self._deals if deal.is_done and deal not in self._taken and self._is_entitled(deal)]
        # Who offers what he gave away before, by his own word of the time, offers nothing.
        found = [deal for deal in found if not any(_closed(other) < deal.offer.occurred for other in found)]
        by_log: dict[bytes, Deal] = {}
        for deal in found:
            if not any(self._references.supersedes(other.offer, deal.offer) for other in found):
                by_log.setdefault(deal.last.ref.log, deal)
        return list(by_log.values())

    def _is_entitled(self, deal: Deal) -> bool:
        org = deal.offer.org
        if self._ground is not None and not follows(deal.offer, self._ground):
            return False
        if self._holder is not None and not self._holder.is_outside:
            return org == self._holder.tenure.org
        return all(org in self._speakers.at(at) for at in (deal.offer.occurred, deal.last.occurred))

    def _ends_of_holder(self) -> list[End]:
        holder = self._holder
        if holder is None:
            return []
        named = [end for end in self._ends if end.names(holder.act, holder.last)]
        return [end for end in named if self._may_end(end, holder)]

    def _may_end(self, end: End, holder: Held) -> bool:
        return end.statement.org in self._speakers.since(holder.last, end) | {holder.tenure.org}

    def _take(self, deal: Deal) -> None:
        since = max(
            _closed(deal) if deal.since is None else deal.since, self._held[-1].tenure.since if self._held else 0
        )
        if self._holder is not None:
            self._close(since, None, None)
        until = deal.until if deal.is_paper else None
        basis = PAPER if deal.is_paper else ACCEPTANCE
        tenure = Tenure(self._role, deal.party, since, until)
        authority = self._speakers.has_authority
        held = Held(tenure, basis, deal.offer, deal.last, authority, deal.is_outside, deal.number)
        self._held.append(held)
        self._taken.append(deal)
        self._holder, self._ground = held, deal.last

    def _end(self, first: End, ends: Sequence[End]) -> None:
        cut = kept_by(ends, self._held[-1].tenure.org)
        self._close(first.statement.occurred, first.statement, cut)
        self._holder, self._ground = None, first.statement

    def _close(self, at: int, ended: Statement | None, cut: tuple[tuple[bytes, int], ...] | None) -> None:
        last = self._held[-1]
        by = ended.org if ended else None
        self._held[-1] = replace(last, tenure=replace(_until(last.tenure, at), cut=cut, ended_by=by), ended=ended)

    def _passage(self, due: Sequence[Deal]) -> Passage:
        rest = [deal for deal in self._deals if deal not in self._taken and deal not in due]
        waiting = [deal for deal in rest if deal.fault is None and not deal.is_done and self._is_entitled(deal)]
        gone = tuple((deal, self._why(deal)) for deal in rest if deal not in waiting)
        return Passage(self._role, tuple(self._held), tuple(waiting), tuple(due), gone)

    def _why(self, deal: Deal) -> str:
        if deal.fault is not None:
            return deal.fault
        had = {held.tenure.org for held in self._held} | self._speakers.at(deal.offer.occurred)
        return PASSED_ALREADY if deal.offer.org in had else NOT_HOLDER


def _appointments(
    acts: Acts, speakers: _Speakers, world: World
) -> tuple[list[Held], list[tuple[Statement, frozenset[PartyRole], str]]]:
    """Roles that somebody was given, and the statements that gave none."""
    found: list[Held] = []
    refused: list[tuple[Statement, frozenset[PartyRole], str]] = []
    for reading, authority in acts.readings:
        statement = reading.statement
        roles = roles_named(authority) & frozenset(GIVEN)
        if statement.kind != Kind.PARTY or authority.verb is not Verb.ROLE or not roles:
            continue
        party, allowed = party_of(authority, world), speakers.at(statement.occurred)
        if party is None:
            refused.append((statement, roles, NO_PARTY))
        elif statement.org not in allowed:
            refused.append((statement, roles, NOT_ENTITLED))
        elif party.is_outside and DOCUMENT not in authority.rows:
            refused.append((statement, roles, NEEDS_DOCUMENT))
        else:
            since = statement.occurred if authority.since is None else authority.since
            for role in sorted(roles):
                tenure = Tenure(role, party.org, since, authority.until)
                given = Held(
                    tenure, APPOINTMENT, statement, statement, speakers.has_authority, party.is_outside, party.number
                )
                found.append(_until_ended(given, acts.ends, speakers))
    return found, refused


def _until_ended(held: Held, ends: Iterable[End], speakers: _Speakers) -> Held:
    """An appointment as it stands after what ended it."""
    effective = [
        end
        for end in ends
        if end.ends(held.tenure.role)
        and end.names(held.act)
        and end.statement.org in speakers.since(held.act, end) | {held.tenure.org, held.act.org}
    ]
    first = min(effective, key=lambda end: (end.statement.occurred, end.statement.order), default=None)
    if first is None:
        return held
    ended = _until(held.tenure, first.statement.occurred)
    tenure = replace(ended, cut=kept_by(effective, held.tenure.org), ended_by=first.statement.org)
    return replace(held, tenure=tenure, ended=first.statement)


def by_title(titles: Sequence[Title], held: Sequence[Held], role: PartyRole) -> Iterator[tuple[Title, int, int | None]]:
    """When a capacity was whoever's who held the title: what is left of the titles beside those to whom it passed."""
    for title in titles:
        start: int | None = title.since
        for other in held:
            since, until = other.tenure.since, other.tenure.until
            if start is None or other.tenure.role is not role or (until is not None and until <= start):
                continue
            if title.until is not None and since >= title.until:
                continue
            if since > start:
                yield title, start, since
            start = until
        if start is not None and (title.until is None or start < title.until):
            yield title, start, title.until


def _closed(deal: Deal) -> int:
    """When a deal was closed: nobody accepts what was not offered yet."""
    return max(deal.offer.occurred, deal.last.occurred)


def _holders_at(held: Iterable[Held], at: int) -> frozenset[bytes]:
    """Who of those with a node held it at a time."""
    return frozenset(one.tenure.org for one in held if not one.is_outside and one.tenure.holds(at))


def _until(tenure: Tenure, at: int) -> Tenure:
    """The same, held no longer than to a time."""
    ends = max(tenure.since, at)
    return replace(tenure, until=ends if tenure.until is None else min(ends, tenure.until))
