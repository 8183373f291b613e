"""One capacity on its way from holder to holder: who offers it to whom, who ends it, and who speaks for the thing.

What passed on or ended counts as far as the cut says that did it; times decide where no cut does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from federation.fragment import Ref
from node.passport.contention import contend
from node.passport.deals import NOT_CHOSEN, NOT_HOLDER, PASSED_ALREADY, Deal, End, Sizes, kept_by
from node.passport.merge import Standing
from node.passport.ranks import Title
from node.passport.references import References
from node.passport.roles import OF_KEYS, PartyRole, Tenure
from node.passport.statement import Statement
from node.passport.titles import follows, last_with_node, title_at

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
    """How one capacity went: who held it, what waits, what contradicts, and what had no effect and why.

    From the first of the deals that contradict each other on nobody holds it.
    """

    role: PartyRole
    held: tuple[Held, ...] = ()
    waiting: tuple[Deal, ...] = ()
    conflict: tuple[Deal, ...] = ()
    ineffective: tuple[tuple[Deal, str], ...] = ()

    @property
    def contested(self) -> int | None:
        """From when on nobody holds it; None where nothing contradicts."""
        return min((closed_at(deal) for deal in self.conflict), default=None)


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks for a thing at a time."""

    titles: tuple[Title, ...]
    authors: frozenset[bytes]
    responsible: tuple[Held, ...] = ()

    @property
    def has_authority(self) -> bool:
        """Whether anybody holds the title."""
        return bool(self.titles)

    def at(self, at: int, place: Ref | None = None, role: PartyRole | None = None) -> frozenset[bytes]:
        """Who holds the title, and who is responsible; for an owner without either a node or a responsible party, who
        held the title last. With a place of a log: whose word of that time it may be. An escrow is the owner's to name.
        While what he has is unopened nobody names an escrow or a network: there are no keys to lay up, and how the
        thing joins is not told by who trades it, nor later by whom he made responsible.
        """
        title = title_at(self.titles, at)
        if title is None:
            return frozenset() if self.titles else self.authors
        of_traders = (held for held in self.responsible if role in OF_KEYS and self._is_sealed(held.tenure.since))
        responsible = holders_at(self.responsible, at, place) - holders_at(of_traders, at)
        if not title.is_outside:
            owner = frozenset({title.org} if title.holds(at, place) else ())
            if title.is_unopened and role in OF_KEYS:
                return frozenset()
            return owner if role is PartyRole.ESCROW else responsible | owner
        is_managed = bool(holders_at(self.responsible, at))
        return responsible if is_managed else last_with_node(self.titles, title)

    def _is_sealed(self, at: int) -> bool:
        title = title_at(self.titles, at)
        return title is not None and title.is_unopened

    def ending(self, held: Held, end: End) -> frozenset[bytes]:
        """Who may end what was given: who speaks for the thing when it ends, and who spoke for it when he gave it.

        It ends after it was said: else a former owner would end by a date of his own time what the next one gave.
        """
        said, act, role = end.statement, held.act, held.tenure.role
        now = self.at(max(held.last.occurred, said.occurred), said.ref, role)
        return now | (self.at(act.occurred, said.ref, role) & {act.org} if held.basis == APPOINTMENT else frozenset())


class Passing:
    """One capacity on its way from holder to holder."""

    def __init__(
        self,
        role: PartyRole,
        deals: Sequence[Deal],
        ends: Iterable[End],
        speakers: Speakers,
        given: Held | None = None,
    ) -> None:
        """`given` is what it begins with, and with the end of which it is over."""
        self._role = role
        self._deals = deals
        self._ends = [end for end in ends if end.ends(role)]
        self._speakers = speakers
        self._references = References(deal.offer for deal in deals)
        self._held: list[Held] = [given] if given else []
        self._taken: list[Deal] = []
        self._holder: Held | None = given  # None: whoever holds the title
        self._ground: Statement | None = given.act if given else None  # after which the next one comes
        self._is_given = given is not None
        self._passed: dict[int, Deal] = {}  # by the places of former holders: how it went on from them

    def run(self) -> Passage:
        """Follow it from the title holder on."""
        while True:
            due = self._due()
            ends = self._ends_of_holder(due)
            if ends:
                self._end(ends)
            elif len(due) == 1:
                self._take(due[0])
            else:
                return self._passage(due)

    def _due(self) -> list[Deal]:
        found = [deal for deal in self._deals if deal.is_done and deal not in self._taken and self._is_entitled(deal)]
        # Who offers what he gave away before, by his own word of the time, offers nothing; where a cut tells what was
        # known, no time does.
        gone = [d for d in found if d.cut is None and any(closed_at(other) < d.offer.occurred for other in found)]
        return contend([deal for deal in found if deal not in gone], self._references)

    def _is_entitled(self, deal: Deal) -> bool:
        org = deal.offer.org
        if self._ground is not None and not follows(deal.offer, self._ground):
            return False
        if self._holder is not None and not self._holder.is_outside:
            until = self._holder.tenure.until
            return org == self._holder.tenure.org and (until is None or closed_at(deal) < until)
        if self._is_given and self._holder is None:
            return False
        place = deal.offer.ref
        return all(org in self._speakers.at(at, place, self._role) for at in (deal.offer.occurred, deal.last.occurred))

    def _ends_of_holder(self, due: Sequence[Deal]) -> list[End]:
        """What ended it before it was passed on; who speaks for the thing ends what is disputed, too."""
        holder = self._holder
        if holder is None:
            return []
        named = [end for end in self._ends if end.names(holder.act, holder.last) and self._may_end(end, holder)]
        is_disputed = len(due) > 1
        return [
            end
            for end in named
            if (is_disputed and end.statement.org != holder.tenure.org) or all(_ended_before(end, deal) for deal in due)
        ]

    def _may_end(self, end: End, holder: Held) -> bool:
        return end.statement.org in self._speakers.ending(holder, end) | {holder.tenure.org}

    def _take(self, deal: Deal) -> None:
        since = max(
            closed_at(deal) if deal.since is None else deal.since, self._held[-1].tenure.since if self._held else 0
        )
        before = self._holder
        until = deal.until if deal.is_paper else None
        if self._holder is not None and not self._holder.is_outside and until is None:
            until = self._holder.tenure.until  # nobody passes on more than he has
        basis = PAPER if deal.is_paper else ACCEPTANCE
        tenure = Tenure(self._role, deal.party, since, until)
        authority = self._speakers.has_authority
        held = Held(tenure, basis, deal.offer, deal.last, authority, deal.is_outside, deal.number)
        if before is not None:
            self._close(since, None, None)
            if not before.is_outside:
                self._passed[len(self._held) - 1] = deal
        self._held.append(held)
        self._taken.append(deal)
        self._holder, self._ground = held, deal.last

    def _end(self, ends: Sequence[End]) -> None:
        first = first_of(ends)
        cut = kept_by(ends, self._held[-1].tenure.org)
        self._close(first.occurred, first, cut)
        self._holder, self._ground = None, first

    def _close(self, at: int, ended: Statement | None, cut: Sizes | None) -> None:
        last = self._held[-1]
        by = ended.org if ended else None
        self._held[-1] = replace(last, tenure=replace(held_until(last.tenure, at), cut=cut, ended_by=by), ended=ended)

    def _passage(self, due: Sequence[Deal]) -> Passage:
        if due and self._holder is not None:
            self._close(max(self._held[-1].tenure.since, min(map(closed_at, due))), None, None)
        for at in sorted(self._passed, reverse=True):
            self._cut_off(at, self._passed[at])
        rest = [deal for deal in self._deals if deal not in self._taken and deal not in due]
        waiting = [deal for deal in rest if deal.fault is None and not deal.is_done and self._is_entitled(deal)]
        gone = tuple((deal, self._why(deal)) for deal in rest if deal not in waiting)
        return Passage(self._role, tuple(self._held), tuple(waiting), tuple(due), gone)

    def _cut_off(self, at: int, deal: Deal) -> None:
        """Name how far the logs of a former holder count, by who took it over from him."""
        held, after = self._held[at], self._held[at + 1].tenure.cut
        cut = deal.keeps(self._passed.get(at + 1), after)
        by = deal.party if cut is not None else None
        self._held[at] = replace(held, tenure=replace(held.tenure, cut=cut, ended_by=by))

    def _why(self, deal: Deal) -> str:
        if deal.fault is not None:
            return deal.fault
        if deal.decided is not None:
            return NOT_CHOSEN
        had = {held.tenure.org for held in self._held} | self._speakers.at(deal.offer.occurred)
        return PASSED_ALREADY if deal.offer.org in had else NOT_HOLDER


def first_of(ends: Iterable[End]) -> Statement:
    """The earliest of some ends."""
    return min((end.statement for end in ends), key=lambda said: (said.occurred, said.order))


def holders_at(held: Iterable[Held], at: int, place: Ref | None = None) -> frozenset[bytes]:
    """Who of those with a node held it at a time, by a word at that place of a log."""
    return frozenset(one.tenure.org for one in held if not one.is_outside and one.tenure.holds(at, place))


def held_until(tenure: Tenure, at: int) -> Tenure:
    """The same, held no longer than to a time."""
    ends = max(tenure.since, at)
    return replace(tenure, until=ends if tenure.until is None else min(ends, tenure.until))


def _ended_before(end: End, deal: Deal) -> bool:
    """Whether a role had ended before its holder passed it on: by the cut of either, else by his own word and times."""
    said = end.statement
    if said.org == deal.offer.org:
        if deal.cut is not None:
            return deal.knows(said.ref)
        return said.order < deal.offer.order and said.occurred < deal.last.occurred
    if dict(end.cut).get(deal.last.ref.log):
        return not end.counts(deal.last.ref)
    return said.occurred < deal.last.occurred


def closed_at(deal: Deal) -> int:
    """When a deal was closed: nobody accepts what was not offered yet."""
    return max(deal.offer.occurred, deal.last.occurred)
