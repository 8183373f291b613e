"""The timeline: who did what, where, when and why.

Events only grow. Two with one system and one external id of one organisation are one event. A later statement that refs
an event is shown beside it and removes nothing. Offers and acceptances of shipments stand in the timeline too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.acts import Act, agreed_by
from node.passport.bodies import EventBody, ExtractBody, Place, Reference, Why
from node.passport.case import Case
from node.passport.catalogs import Catalog
from node.passport.chronology import find_impossible
from node.passport.merge import Standing, standing_of
from node.passport.ranks import EVENT_CLASSES, FactClass, Ground, Rank, event_class
from node.passport.reading import Reading
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.titles import Chain, Deal
from node.passport.view import Plain

_Above = dict[tuple[Ref, int], Statement]

PLACES = "places"
SHIPPED, CHANGED = "shipped", "owner_changed"
ONE_SIDED = "one-sided"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, with every statement that told of it; `is_own` where it speaks about the passport's subjects."""

    key: str
    statement: Statement
    what: dict[str, Plain]
    rank: Rank
    standing: Standing
    source: str
    is_own: bool = True
    body: EventBody | None = None
    told: tuple[Statement, ...] = ()
    replaced_by: Statement | None = None
    contested_by: Statement | None = None
    warnings: tuple[str, ...] = ()
    not_before: int = 0

    @property
    def code(self) -> str:
        """The central code, empty while the author's own code is not bound."""
        return str(self.what["central"] or "")

    @property
    def order(self) -> tuple[int, int, bytes, int, str]:
        """Fact time first; what happened at one time stands as it was recorded."""
        return (max(self.statement.occurred, self.not_before), *self.statement.order, self.key)


def timeline_of(case: Case) -> list[Event]:
    """All events in the order in which they happened."""
    told: dict[str, list[Event]] = {}
    for reading in case.readings:
        for event in _events(case, reading):
            told.setdefault(event.key, []).append(event)
    merged = [_merged(case, events) for events in told.values()]
    replaced, contested = _corrections(case, merged)
    shown = [_marked(event, replaced, contested) for event in merged] if replaced or contested else merged
    deals = {event.key: event for event in sorted(_deals(case), key=lambda event: event.rank.level)}
    return sorted([*shown, *deals.values()], key=lambda event: event.order)


def outer_key(org: bytes, body: EventBody) -> str | None:
    """What tells an event that has an id in another system; None for one that has not."""
    return f"{org.hex()}/{body.system}/{body.external}" if body.external else None


def _marked(event: Event, replaced: _Above, contested: _Above) -> Event:
    place = (event.statement.ref, event.rank.level)
    if above := replaced.get(place):
        return replace(event, replaced_by=above)
    if beside := contested.get(place):
        return replace(event, standing=Standing.DISPUTED, contested_by=beside)
    return event


def event_view(case: Case, event: Event) -> dict[str, Plain]:
    """An event as views show it."""
    statement, body = event.statement, event.body
    admission = event_class(event.code) is FactClass.ADMISSION and event.standing is Standing.STATED
    return {
        "key": event.key,
        "ref": ref_text(statement.ref),
        "told": [ref_text(other.ref) for other in event.told],
        "subject": statement.subject.hex(),
        "routed": not event.is_own,
        "by": statement.org.hex(),
        "system": body.system if body else None,
        "what": event.what,
        "where": _place(case, body.where, statement.org) if body else None,
        "occurred": statement.occurred,
        "recorded": statement.stamp,
        "why": why_view(body.why) if body and body.why else None,
        "external": body.external if body else None,
        "detail": dict(sorted(body.detail.items())) if body else {},
        "standing": event.standing.value,
        "ground": event.rank.ground.value,
        "note": ONE_SIDED if admission else None,
        "source": event.source,
        "replaced_by": ref_text(event.replaced_by.ref) if event.replaced_by else None,
        "warnings": list(event.warnings),
        "contested_by": ref_text(event.contested_by.ref) if event.contested_by else None,
    }


def why_view(why: Why) -> dict[str, Plain]:
    """Process, step and run of an event as views show them."""
    return {"process": why.process, "step": why.step, "run": why.run}


def _events(case: Case, reading: Reading) -> Iterator[Event]:
    statement = reading.statement
    body = reading.body("event", EventBody)
    if body is not None:
        yield _event(case, statement, body, "event", ref_text(statement.ref))
    extract, act = reading.body("extract", ExtractBody), case.acts.get(statement.ref)
    if act is not None and not (act.is_agreed and act.fills(statement)):
        return  # the events of an act arise when all its parties have signed
    first = act.lead if act else statement
    why = case.reading_of(first).body("why", Why) or reading.body("why", Why)
    for index, extracted in enumerate(extract.events if extract else ()):
        told = extracted if why is None else extracted.model_copy(update={"why": why})
        shared = _shared(case, act, statement, extracted) if act else None
        event = _event(case, statement, told, "protocol", shared or f"{ref_text(statement.ref)}#{index}")
        yield replace(event, standing=agreed_by(act if shared else None, event.standing))


def _shared(case: Case, act: Act, statement: Statement, body: EventBody) -> str | None:
    """The key of an event that every party of an act took out of it; None where one took out another, or annulled it.

    The parties signed the document, not what each of them took out of it: that is agreed only where it is the same.
    """
    told = []
    for one in {side.signed.ref: side.signed for side in act.sides if side.signed}.values():
        extract = case.reading_of(one).body("extract", ExtractBody)
        if extract is not None or one.ref in case.annulled:  # else it may not be read here
            told.append([_content(one, event) for event in (extract.events if extract else ())])
    content = _content(statement, body)
    if not told or not all(content in events for events in told):
        return None
    return f"{ref_text(act.lead.ref)}#{told[0].index(content)}"


def _content(statement: Statement, body: EventBody) -> tuple[object, ...]:
    """What an event says, without what each author says of itself: its system, its usual place, its step."""
    return statement.occurred, body.what, None if body.where.default else body.where, body.external, body.detail


def _event(case: Case, statement: Statement, body: EventBody, source: str, place: str) -> Event:
    what = case.refer(body.what, statement.org, Catalog.EVENTS)
    held = case.rank(event_class(str(what["central"] or "")), statement)
    key = outer_key(statement.org, body) or place
    is_own = statement.subject in case.subjects
    warnings = find_impossible(
        str(what["central"] or ""), statement, case.facts[statement.subject].made if is_own else None
    )
    return Event(key, statement, what, held, standing_of(held), source, is_own, body, (statement,), warnings=warnings)


def _merged(case: Case, events: list[Event]) -> Event:
    if len(events) == 1:
        return events[0]
    by_place = {event.statement.ref: event for event in events}
    newest = by_place[case.references.newest(event.statement for event in events).ref]
    told = {event.statement.ref: event.statement for event in events}
    return replace(newest, told=tuple(told[ref] for ref in sorted(told)))


def _corrections(case: Case, events: Iterable[Event]) -> tuple[_Above, _Above]:
    """By what the events of a place and rank are replaced, and by what they are contradicted: the latest above them.

    Who ranks higher replaces, or the same organisation; another of equal rank only contradicts. One that may not be
    read here replaces too, so that nobody is shown as current what others see replaced.
    """
    places: dict[tuple[int, bytes], set[Ref]] = {}
    correcting: list[tuple[Statement, int]] = []
    for event in events:
        places.setdefault((event.rank.level, event.statement.org), set()).add(event.statement.ref)
        if event.statement.refs:
            correcting.append((event.statement, event.rank.level))
    replaced: _Above = {}
    contested: _Above = {}
    hidden = [(statement, _highest(case, statement)) for statement in case.hiding("event", "extract") if statement.refs]
    for (level, org), refs in places.items() if correcting or hidden else ():
        either = (*correcting, *hidden)
        above = {s.ref: s for s, other in either if other > level or (other == level and s.org == org)}
        beside = {s.ref: s for s, other in correcting if other == level and s.org != org}
        replaced |= {(ref, level): s for ref, s in case.references.latest_above([*above.values()], refs)}
        contested |= {(ref, level): s for ref, s in case.references.latest_above([*beside.values()], refs)}
    return replaced, contested


def _highest(case: Case, statement: Statement) -> int:
    """The highest rank that its author has for any event: which one it tells of may not be read here."""
    return max(case.rank(fact_class, statement).level for fact_class in (*EVENT_CLASSES.values(), FactClass.PHYSICAL))


def _deals(case: Case) -> Iterator[Event]:
    for chain in case.chains.values():
        effective = {deal.last.ref for deal in chain.deals}
        for deal in (*chain.deals, *chain.waiting, *chain.conflict, *chain.ineffective):
            yield from _deal(case, chain, deal, deal.last.ref in effective)


def _deal(case: Case, chain: Chain, deal: Deal, is_effective: bool) -> Iterator[Event]:
    offered = is_effective or deal in chain.waiting
    held = Rank(2, has_authority=True, ground=Ground.TITLE) if offered else Rank(1, False, Ground.ANYBODY)
    standing = Standing.STATED if offered else Standing.CLAIM
    if deal.is_paper or deal.offer.kind == Kind.SHIPMENT:
        code, source = (CHANGED, "document") if deal.is_paper else (SHIPPED, "offer")
        what = case.refer(Reference(central=code), deal.offer.org, Catalog.EVENTS)
        key = f"{ref_text(deal.offer.ref)}/{source}"
        yield Event(key, deal.offer, what, held, standing, source, told=(deal.offer,))
    if deal.acceptance is not None:
        passed = case.refer(Reference(central="transferred"), deal.party, Catalog.EVENTS)
        standing = Standing.AGREED if is_effective else Standing.CLAIM
        key = f"{ref_text(deal.acceptance.ref)}/acceptance"
        told, earliest = (deal.acceptance,), deal.offer.occurred + 1
        yield Event(key, deal.acceptance, passed, held, standing, "acceptance", told=told, not_before=earliest)


def _place(case: Case, where: Place, org: bytes) -> dict[str, Plain]:
    named = case.refer(where.place, org, PLACES) if where.place else None
    return {"object": where.object, "place": named, "default": where.default}
