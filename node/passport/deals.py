"""Deals: how a capacity passes on. An offer with its acceptance, or one statement with a document behind it.

An offer ends without effect where its time is over, the party refuses it, or its author withdraws it. A withdrawal
names in its cut how far the party's logs still count: an acceptance inside came first and stands. An acceptance names
in its cut how far the logs of who offers were known to the party: a withdrawal outside came later, and ends nothing
more. Where both say that the other one came later, the two signatures of the deal stand above the one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from federation.authority import Authority, Kind, Verb
from federation.fragment import Ref
from node.passport.reading import Reading
from node.passport.roles import DOCUMENT, UNOPENED, Party, PartyRole, carrier_of, is_inside, party_of, roles_named
from node.passport.statement import Statement
from node.passport.world import World

ACT_KINDS = frozenset({Kind.PARTY, Kind.SHIPMENT, Kind.END})

# Why a deal has no effect: fixed words, because they enter the digest of a view.
REFUSED, WITHDRAWN, EXPIRED = "refused", "withdrawn", "expired"
NOT_HOLDER, NOT_ENTITLED, PASSED_ALREADY = "not-the-holder", "not-entitled", "passed-already"
NEEDS_ACCEPTANCE, NEEDS_DOCUMENT, NO_PARTY = "needs-acceptance", "needs-document", "no-party"
NOT_CHOSEN = "not-chosen"

Sizes = tuple[tuple[bytes, int], ...]  # up to which size each log counts


@dataclass(frozen=True, slots=True)
class Deal:
    """An offer with the acceptance that answered it, if any did; or a statement by document, which needs none.

    `since` is from when the parties want it to count, `until` when an offer lapses or what a document gives ends.
    `fault` tells why it can have no effect whoever said it. `again` are later acceptances of the party, which widen the
    cut of the first; `decided` is the word of who offered it, said after the acceptance, that it is not the one that
    counts: it matters where deals contradict each other. What is offered unopened passes without what is secret; the
    `carrier`'s node brings a shipment to the party.
    """

    offer: Statement
    party: bytes
    acceptance: Statement | None = None
    is_paper: bool = False
    is_outside: bool = False
    number: str | None = None
    since: int | None = None
    until: int | None = None
    fault: str | None = None
    again: tuple[Statement, ...] = ()
    decided: Statement | None = None
    is_unopened: bool = False
    carrier: bytes | None = None

    @property
    def cut(self) -> Sizes | None:
        """How far the logs of who offered were known to the party when it accepted; None where it does not say. Who
        accepts knows what stands before the offer.
        """
        said = (answer.limit for answer in (self.acceptance, *self.again) if answer is not None)
        return next((self._with_offer(limit) for limit in said if limit is not None), None)

    def knows(self, place: Ref) -> bool:
        """Whether a word of who offered came before the acceptance."""
        return is_inside(self.cut, place)

    def _with_offer(self, *limits: Sizes) -> Sizes:
        return widest([*limits, ((self.offer.ref.log, self.offer.ref.seq + 1),)])

    def keeps(self, following: "Deal | None", limit: Sizes | None = None) -> Sizes | None:
        """Up to where the logs of who offered count, after all that the party said of it while it was its to say:
        until it passed it on by the `following` deal, and as far as its own logs count by a `limit`.
        """
        told = [answer for answer in self.again if is_inside(limit, answer.ref)]
        told = [answer for answer in told if following is None or _is_before(answer, following)]
        limits = [answer.limit for answer in (self.acceptance, *told) if answer is not None]
        found = [limit for limit in limits if limit is not None]
        return self._with_offer(*found) if found else None

    @property
    def last(self) -> Statement:
        """The acceptance, else the offer."""
        return self.acceptance or self.offer

    @property
    def is_done(self) -> bool:
        """Whether all have signed who have to."""
        return self.fault is None and (self.acceptance is not None or self.is_paper)

    @property
    def passes_at(self) -> int:
        """From when it counts."""
        return max(self.offer.occurred, self.last.occurred) if self.since is None else self.since


@dataclass(frozen=True, slots=True)
class End:
    """A statement that ends a role or an offer: of which roles (all, where empty), and of whom."""

    statement: Statement
    party: bytes
    roles: frozenset[PartyRole]
    cut: Sizes

    def names(self, *acts: Statement | None) -> bool:
        """Whether it is about one of these statements."""
        named = {*self.statement.refs, *self.statement.auth}
        return any(act is not None and act.ref in named for act in acts)

    def ends(self, role: PartyRole) -> bool:
        """Whether it ends this role."""
        return not self.roles or role in self.roles

    def counts(self, place: Ref) -> bool:
        """Whether what was said at a place was said before it."""
        return dict(self.cut).get(place.log, 0) > place.seq


@dataclass(frozen=True, slots=True)
class Acts:
    """What was said of the parties of one subject, in a fixed order."""

    readings: tuple[tuple[Reading, Authority], ...] = ()
    ends: tuple[End, ...] = ()


def covers(reading: Reading, subject: bytes) -> bool:
    """Whether the section `authority` of a statement is about this subject."""
    authority = reading.authority
    if authority is None:
        return False
    return subject in authority.subjects if authority.subjects else subject in reading.statement.subjects


def acts_of(readings: Iterable[Reading], subject: bytes) -> Acts:
    """The statements about the parties of a subject."""
    mine = [
        (reading, reading.authority)
        for reading in readings
        if reading.authority is not None and reading.statement.kind in ACT_KINDS and covers(reading, subject)
    ]
    mine.sort(key=lambda act: act[0].statement.ref)
    said = tuple(act for act in mine if act[0].statement.kind != Kind.END)
    ends = (end_of(reading.statement, authority) for reading, authority in mine)
    return Acts(said, tuple(end for end in ends if end is not None)) if mine else _NOTHING


def end_of(statement: Statement, authority: Authority) -> End | None:
    """What a statement ends, None where it ends nothing."""
    if statement.kind != Kind.END or authority.verb is not Verb.END:
        return None
    return End(statement, authority.party, roles_named(authority), statement.cut)


def kept_by(ends: Sequence[End], loser: bytes) -> Sizes:
    """Up to where logs count after these ends of one thing: the largest size of each log that one of them names.

    Where somebody else ended it too, what the loser says of his own logs is left aside: he would widen the cut to what
    he wrote since, or undo what the other one keeps.
    """
    decisive = [end for end in ends if end.statement.org != loser] or ends
    return widest(end.cut for end in decisive)


def widest(cuts: Iterable[Sizes]) -> Sizes:
    """What any of several cuts keeps: the largest size of each log."""
    sizes: dict[bytes, int] = {}
    for log, size in (row for cut in cuts for row in cut):
        sizes[log] = max(size, sizes.get(log, 0))
    return tuple(sorted(sizes.items()))


def deals_of(acts: Acts, role: PartyRole, world: World) -> list[Deal]:
    """The deals about a capacity, by the places of their last statements."""
    offers: dict[Ref, Deal] = {}
    accepted: list[Statement] = []
    found: list[Deal] = []
    for reading, authority in acts.readings:
        statement = reading.statement
        if not _is_about(role, statement, authority):
            continue
        if authority.verb is Verb.OFFER:
            named = party_of(authority, world) or Party(authority.party)
            offers[statement.ref] = Deal(
                statement,
                named.org,
                since=authority.since,
                until=authority.until,
                is_unopened=UNOPENED in authority.rows,
                number=named.number,
                carrier=carrier_of(authority) if statement.kind == Kind.SHIPMENT else None,
            )
        elif authority.verb is Verb.ACCEPT:
            accepted.append(statement)
        elif authority.verb is Verb.ROLE and statement.kind == Kind.PARTY:
            found.append(_paper(statement, authority, world))
    for deal in offers.values():
        party = party_answering(deal.offer.ref, Party(deal.party, deal.number), accepted, world)
        found += answered(replace(deal, party=party, number=None), accepted, acts.ends, role)
    return sorted(found, key=lambda deal: (deal.last.ref, deal.offer.ref))


def party_answering(offer: Ref, named: Party, accepted: Iterable[Statement], world: World) -> bytes:
    """Whose answer to an offer counts. One that was named by its number is the member that has the number now, unless
    a former member that had it accepted: that counts for ever, whoever has the number next.
    """
    before = world.attestations.ended_holders(named.number) if named.number else frozenset()
    took = {said.org for said in accepted if said.org in before and offer in {*said.refs, *said.auth}}
    return next(iter(took)) if len(took) == 1 else named.org


def undone_by(deal: Deal, ends: Iterable[End]) -> str | None:
    """Whether an offer was refused or withdrawn before it was accepted, by the ends that name it."""
    acceptance = deal.acceptance
    for end in sorted(ends, key=lambda one: one.statement.order):
        said = end.statement
        if said.org == deal.party and (acceptance is None or said.order < acceptance.order):
            return REFUSED
        is_first = acceptance is None or (not end.counts(acceptance.ref) and deal.knows(said.ref))
        if said.org == deal.offer.org and is_first:
            return WITHDRAWN
    return None


def _is_about(role: PartyRole, statement: Statement, authority: Authority) -> bool:
    if statement.kind == Kind.SHIPMENT:
        return role is PartyRole.TITLE
    return role in roles_named(authority)


def _paper(statement: Statement, authority: Authority, world: World) -> Deal:
    party = party_of(authority, world)
    fault = NO_PARTY if party is None else None
    if party is not None and party.number is None and not party.is_resident:
        fault = NEEDS_ACCEPTANCE
    elif DOCUMENT not in authority.rows:
        fault = NEEDS_DOCUMENT
    named = party or Party(authority.party)
    return Deal(
        statement,
        named.org,
        is_paper=True,
        is_outside=named.is_outside,
        number=named.number,
        since=authority.since,
        until=authority.until,
        fault=fault,
    )


def answered(deal: Deal, accepted: Sequence[Statement], ends: Sequence[End], role: PartyRole) -> Iterator[Deal]:
    """The offer with its acceptances: of several of the party the first counts, unless something ended it before."""
    offer = deal.offer
    named = [end for end in ends if end.ends(role) and end.names(offer)]
    answers = sorted((s for s in accepted if s.org == deal.party and offer.ref in {*s.refs, *s.auth}), key=_order)
    if not answers:
        yield replace(deal, fault=undone_by(deal, named))
        return
    first, *later = answers
    widening = tuple(answer for answer in later if answer.limit is not None)
    yield _judged(replace(deal, acceptance=first, again=widening), named)
    yield from (replace(deal, acceptance=one, fault=PASSED_ALREADY) for one in later if one.limit is None)


def _judged(deal: Deal, ends: Sequence[End]) -> Deal:
    """A deal that was accepted, with what stands against it."""
    is_late = deal.until is not None and deal.last.occurred >= deal.until
    own = (end for end in ends if end.statement.org == deal.offer.org and not end.counts(deal.last.ref))
    decided = min((end.statement for end in own if not deal.knows(end.statement.ref)), key=_order, default=None)
    return replace(deal, fault=undone_by(deal, ends) or (EXPIRED if is_late else None), decided=decided)


def _is_before(answer: Statement, following: Deal) -> bool:
    """Whether a party said something of a deal before it passed on what that brought."""
    return answer.order < following.offer.order if following.cut is None else following.knows(answer.ref)


def _order(statement: Statement) -> tuple[int, bytes, int]:
    return statement.order


_NOTHING = Acts()
