"""Who held which role over a thing, from when to when, and by which statement.

Until it is passed on, whoever holds the title is responsible and is the settlement party. These capacities pass as the
title does: by an offer of the holder and the acceptance of the party, or to a party without a node by a document. Who
holds the title may end them; then they are his again. The other roles are given by whoever holds the title or is
responsible, and end by the time they were given for, or by a statement of the giver, of the party, or of who could
give them now. Whose network it is is given so, or offered, and passes on from its holder to the next. An escrow is
named by whoever holds the title. Of a thing to which nobody holds a title those speak who stated what it is, and with
no authority.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from federation.authority import Kind, Verb
from federation.fragment import Ref
from node.passport.deals import (
    NEEDS_DOCUMENT,
    NO_PARTY,
    NOT_ENTITLED,
    NOT_HOLDER,
    Acts,
    Deal,
    End,
    deals_of,
    kept_by,
)
from node.passport.passing import APPOINTMENT, Held, Passage, Passing, Speakers, first_of, held_until, holders_at
from node.passport.ranks import Title
from node.passport.roles import DOCUMENT, GIVEN, PASSING, PartyRole, Tenure, party_of, roles_named
from node.passport.statement import Statement
from node.passport.titles import Chain, titles_by
from node.passport.world import World


@dataclass(frozen=True, slots=True)
class Holding:
    """The roles over one subject beside the title."""

    responsible: Passage = field(default_factory=lambda: Passage(PartyRole.RESPONSIBLE))
    settlement: Passage = field(default_factory=lambda: Passage(PartyRole.SETTLEMENT))
    network: Passage = field(default_factory=lambda: Passage(PartyRole.NETWORK))
    given: tuple[Held, ...] = ()
    refused: tuple[tuple[Statement, frozenset[PartyRole], str], ...] = ()  # appointments without effect
    has_authority: bool = False  # somebody holds the title

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What passes on beside the title."""
        return (self.responsible, self.settlement, self.network)

    @property
    def held(self) -> tuple[Held, ...]:
        """All roles that were held by an act."""
        return (*(held for passage in self.passages for held in passage.held), *self.given)

    @property
    def tenures(self) -> tuple[Tenure, ...]:
        """What ranks follow from: roles with authority of those who have a node."""
        return tuple(held.tenure for held in self.held if held.has_authority and not held.is_outside)


def hold(acts: Acts, origin: bytes | None, authors: frozenset[bytes], world: World) -> tuple[Chain, Holding]:
    """The titles and the roles over a subject. `authors` are those who stated what it is."""
    if not acts.readings:
        return titles_by((), origin), Holding()
    titles, responsible, settlement, network = (deals_of(acts, role, world) for role in PASSING)
    chain = titles_by(titles, origin)
    while (
        True
    ):  # who is responsible may pass the title of an owner without a node, which decides who may be responsible
        speakers = Speakers(chain.titles, authors)
        passage = Passing(PartyRole.RESPONSIBLE, responsible, acts.ends, speakers).run()
        longer = titles_by(titles, origin, partial(holders_at, passage.held))
        if len(longer.deals) <= len(chain.deals):
            break
        chain = longer
    both = Speakers(chain.titles, authors, passage.held)
    given, refused = _appointments(acts, both, world)
    settled = Passing(PartyRole.SETTLEMENT, settlement, acts.ends, both).run()
    run_by = _networks([one for one in given if one.tenure.role is PartyRole.NETWORK], network, acts.ends, both)
    rest = (_until_ended(one, acts.ends, both) for one in given if one.tenure.role is not PartyRole.NETWORK)
    return longer, Holding(passage, settled, run_by, tuple(rest), tuple(refused), bool(longer.titles))


def _appointments(
    acts: Acts, speakers: Speakers, world: World
) -> tuple[list[Held], list[tuple[Statement, frozenset[PartyRole], str]]]:
    """Roles that somebody was given, and the statements that gave none."""
    found: list[Held] = []
    refused: list[tuple[Statement, frozenset[PartyRole], str]] = []
    for reading, authority in acts.readings:
        statement = reading.statement
        roles = roles_named(authority) & frozenset(GIVEN)
        if statement.kind != Kind.PARTY or authority.verb is not Verb.ROLE or not roles:
            continue
        party, since = party_of(authority, world), statement.occurred if authority.since is None else authority.since
        for role in sorted(roles):
            allowed = speakers.at(statement.occurred, statement.ref, role)
            if party is None:
                refused.append((statement, frozenset({role}), NO_PARTY))
            elif statement.org not in allowed:
                refused.append((statement, frozenset({role}), NOT_ENTITLED))
            elif party.is_outside and DOCUMENT not in authority.rows:
                refused.append((statement, frozenset({role}), NEEDS_DOCUMENT))
            else:
                tenure = Tenure(role, party.org, since, authority.until)
                found.append(
                    Held(tenure, APPOINTMENT, statement, statement, speakers.has_authority, party.is_outside,
                         party.number)
                )  # fmt: skip
    return found, refused


def _networks(given: Sequence[Held], deals: Sequence[Deal], ends: Sequence[End], speakers: Speakers) -> Passage:
    """Whose network it is: what was offered by who speaks for the thing, and each that was given, as they passed on."""
    offered = [deal for deal in deals if not deal.is_paper]
    runs = [Passing(PartyRole.NETWORK, offered, ends, speakers, one).run() for one in (None, *given)]
    held = tuple(one for run in runs for one in run.held)
    contested = tuple(deal for run in runs for deal in run.conflict)
    waiting = tuple({deal.offer.ref: deal for run in runs for deal in run.waiting}.values())
    known = {*(one.act.ref for one in held), *(deal.offer.ref for deal in (*contested, *waiting))}
    reasons: dict[Ref, tuple[Deal, str]] = {}
    for deal, why in (pair for run in runs for pair in run.ineffective if pair[0].offer.ref not in known):
        if deal.last.ref not in reasons or why != NOT_HOLDER:
            reasons[deal.last.ref] = (deal, why)
    return Passage(PartyRole.NETWORK, held, waiting, contested, tuple(reasons.values()))


def _until_ended(held: Held, ends: Iterable[End], speakers: Speakers) -> Held:
    """An appointment as it stands after what ended it."""
    effective = [
        end
        for end in ends
        if end.ends(held.tenure.role)
        and end.names(held.act)
        and end.statement.org in speakers.ending(held, end) | {held.tenure.org}
    ]
    if not effective:
        return held
    first = first_of(effective)
    tenure = replace(
        held_until(held.tenure, first.occurred), cut=kept_by(effective, held.tenure.org), ended_by=first.org
    )
    return replace(held, tenure=tenure, ended=first)


def by_title(titles: Sequence[Title], passage: Passage) -> Iterator[tuple[Title, int, int | None]]:
    """When a capacity was whoever's who held the title: what is left of the titles beside those to whom it passed."""
    spans = [(held.tenure.since, held.tenure.until) for held in passage.held]
    spans += [(passage.contested, None)] if passage.contested is not None else []
    for title in titles:
        start: int | None = title.since
        for since, until in spans:
            if start is None or (until is not None and until <= start):
                continue
            if title.until is not None and since >= title.until:
                continue
            if since > start:
                yield title, start, since
            start = until
        if start is not None and (title.until is None or start < title.until):
            yield title, start, title.until
