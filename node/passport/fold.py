"""The fold: statements about joined subjects, and the world they are said in, to one view.

It reads no clock, no cosignature and no order of arrival: equal sets give byte-equal views on every node. It never
raises for what somebody wrote; a body that breaks its shape is shown as a fault beside its statement.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from node.passport.case import Case, open_case
from node.passport.chronology import AHEAD, BEFORE_MADE, format_day, is_day
from node.passport.closings import closings_view
from node.passport.composition import Around, Edge, composition_view, edges_of, part_title
from node.passport.ids import SubjectId, format_device_id
from node.passport.lifecycle import State, state_of
from node.passport.merge import Standing, Verdict
from node.passport.papers import (
    correction_view,
    ended_by,
    protocols_view,
    sections_view,
    system_of,
    withdrawal_view,
    without_effect,
)
from node.passport.parameters import Parameter, parameters_of
from node.passport.parties import ACCEPTED_TWICE, contested_roles, leading_chain, parties_view, signers_view
from node.passport.references import ref_text
from node.passport.registered import VALID_UNTIL
from node.passport.registers import (
    aliases_view,
    identity_facts,
    plates_of,
    plates_view,
    radio_facts,
    sameness_view,
    subject_facts,
    title_of,
    type_facts,
    type_view,
)
from node.passport.run_views import runs_view
from node.passport.statement import Statement
from node.passport.stays import ADDRESSES, TWO_DEVICES, Stay, contradicting, of_equals, stays_of
from node.passport.timeline import Event, event_view, timeline_of
from node.passport.twins import hold_apart
from node.passport.verifications import verification_view
from node.passport.view import Plain, View, moment_us
from node.passport.world import World

FOLD_VERSION = 16
MOST_TOLD = 64  # events that one conflict names


def fold(
    subjects: Iterable[bytes], statements: Iterable[Statement], world: World, around: Around | None = None
) -> View:
    """The view of subjects that are one passport. `statements` are all counted ones that name any of them.

    `around` is what the passports of their parts and wholes say; without it these are judged by the statements alone.
    """
    case = open_case(subjects, statements, world)
    return view_of(case, timeline_of(case), around)


def view_of(case: Case, events: Sequence[Event], around: Around | None = None) -> View:
    """The view of a case whose timeline was made already."""
    identity, kinds, radio = identity_facts(case), type_facts(case), radio_facts(case)
    subject = subject_facts(case)
    parameters, edges = parameters_of(case), edges_of(case, around)
    state = state_of(case, events)
    composition = composition_view(case, edges)
    facts = {
        **_named("identity", identity),
        **_named("subject", subject),
        **_named("type", kinds),
        **_named("radio", radio),
        **{
            f"parameters.{code}@{version.since or ''}": version.verdict
            for code, parameter in parameters.items()
            for version in parameter.versions
        },
    }
    shown_parameters = {code: parameter.view() for code, parameter in parameters.items()}
    subjects_shown = sorted(case.subjects, key=lambda subject: (subject != case.identity.lead, subject))
    federation = case.world.federation
    stood = stays_of(case, events, parameters)
    stays = contradicting(stood)
    return {
        "fold": FOLD_VERSION,
        "federation": federation.hex() if federation else None,
        "id": format_device_id(SubjectId(case.identity.lead)),
        "ids": [format_device_id(SubjectId(subject)) for subject in subjects_shown],
        "subjects": [subject.hex() for subject in subjects_shown],
        "kind": _kind(subject, bool(identity), bool(composition["children"])),
        "title": title_of(case, identity) or _name(subject) or part_title(case, edges),
        "subject": _facts(subject),
        "identity": {**_facts(identity), "line": _line(case)},
        "plates": plates_view(case),
        "sightings": _sightings(case, stood) if stays else [],
        "type": type_view(case, kinds),
        "state": state.view(),
        "made": _made(case),
        "verification": verification_view(case, parameters, events),
        "events": [event_view(case, event) for event in events],
        "parameters": cast("dict[str, Plain]", shown_parameters),
        "protocols": protocols_view(case),
        "composition": composition,
        "processes": runs_view(case),
        "closings": closings_view(case),
        "parties": parties_view(case),
        "radio": _facts(radio),
        "aliases": aliases_view(case, identity),
        "sameness": sameness_view(case),
        "conflicts": [
            *_conflicts(case, _asked_once(facts, stays), edges),
            *_contested(events),
            *_impossible(case, events, parameters),
            *_twins(stays),
        ],
        "claims": [*_claims(facts, state, edges)],
        "pending": _pending(case),
        "withheld": _withheld(case),
        "signers": signers_view(case),
        "statements": [statement_view(case, statement) for statement in case.told],
    }


def _made(case: Case) -> str | None:
    """The day on which it was made, by the best word of it."""
    days = [facts.made for facts in case.facts.values() if facts.made is not None]
    return format_day(min(days)) if days else None


def _kind(subject: Mapping[str, Verdict], has_plate: bool, has_parts: bool) -> str:
    stated = subject["kind"].value if "kind" in subject else None
    return str(stated) if stated else "device" if has_plate else "unit" if has_parts else "subject"


def _name(subject: Mapping[str, Verdict]) -> str:
    name, number = (subject[field].value if field in subject else None for field in ("name", "number"))
    return f"{name} № {number}" if name and number else str(name or "")


def _named(register: str, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    return {f"{register}.{name}": verdict for name, verdict in verdicts.items()}


def _facts(verdicts: Mapping[str, Verdict]) -> dict[str, Plain]:
    return {name: verdict.fact() for name, verdict in verdicts.items()}


def _line(case: Case) -> dict[str, Plain] | None:
    """The line and the key by which the subjects are one, with who published the record."""
    key = case.identity.key
    if key is None:
        return None
    published = case.world.line_records.get(key.line.hex)
    return {
        "id": key.line.hex,
        "serial": key.serial,
        "year": key.year or None,
        "by": published.org.hex() if published else None,
        "ref": ref_text(published.ref) if published else None,
        "steward": published.is_steward if published else None,
    }


def _conflicts(case: Case, facts: Mapping[str, Verdict], edges: Iterable[Edge]) -> Iterator[Plain]:
    for name, verdict in facts.items():
        if verdict.standing is Standing.DISPUTED:
            yield {"what": name, "why": Standing.DISPUTED.value, "values": verdict.fact()["others"]}
    for edge in edges:
        if edge.is_contested:
            yield {"what": "composition", "why": edge.conflict, "values": [edge.view()]}
    for deal in leading_chain(case).conflict:
        yield {"what": "parties.owner", "why": ACCEPTED_TWICE, "values": [deal.party.hex()]}
    for role, deal in contested_roles(case):
        yield {"what": f"parties.{role.value}", "why": ACCEPTED_TWICE, "values": [deal.party.hex()]}
    if case.identity.contested:
        lines: list[Plain] = [key.line.hex for key in case.identity.contested]
        yield {"what": "identity.line", "why": "plates-of-several-lines", "values": lines}
    for pair in case.identity.refused:
        yield {"what": "identity", "why": "kept-apart", "values": [subject.hex() for subject in pair]}


def _asked_once(facts: Mapping[str, Verdict], stays: Sequence[Stay]) -> dict[str, Verdict]:
    """The facts without the addresses that are asked about as two places already."""
    asked = {stay.statement.ref for stay in stays}
    named = tuple(f"parameters.{code}@" for code in ADDRESSES)
    return {
        name: verdict
        for name, verdict in facts.items()
        if not (name.startswith(named) and {said.statement.ref for said, _ in verdict.others} <= asked)
    }


def _contested(events: Sequence[Event]) -> Iterator[Plain]:
    """Events that another organisation of equal right tells otherwise, each with what was told in its place."""
    named = {event.contested_by.ref for event in events if event.contested_by}
    beside = {event.statement.ref: event for event in events if event.statement.ref in named}
    for event in events:
        if event.contested_by is not None:
            told = [event, *([other] if (other := beside.get(event.contested_by.ref)) else [])]
            yield {"what": "events", "why": Standing.DISPUTED.value, "values": [_told(one) for one in told]}


def _impossible(case: Case, events: Sequence[Event], parameters: Mapping[str, Parameter]) -> Iterator[Plain]:
    """What is said to have happened when it cannot have: events by why, and verifications that ended too early."""
    for why in (BEFORE_MADE, AHEAD):
        if told := [_told(event) for event in events if why in event.warnings and event.replaced_by is None]:
            yield {"what": "events", "why": why, "values": [*told[:MOST_TOLD]]}
    made = min((facts.made for facts in case.facts.values() if facts.made is not None), default=None)
    for code in (VALID_UNTIL,) if made is not None and VALID_UNTIL in parameters else ():
        fact = parameters[code].current.verdict
        value = fact.value.get("value") if isinstance(fact.value, dict) else None
        if made is not None and isinstance(value, str) and is_day(value) and moment_us(value) < made:
            yield {"what": f"parameters.{code}", "why": BEFORE_MADE, "values": [{**fact.fact(), "value": value}]}


def _told(event: Event) -> dict[str, Plain]:
    ref, org = ref_text(event.statement.ref), event.statement.org.hex()
    return {"value": event.code or event.what["local"], "standing": Standing.DISPUTED.value, "by": org, "ref": ref}


def _sightings(case: Case, stood: Sequence[Stay]) -> list[Plain]:
    """Who may have seen the same thing, where it is asked whether there are two: plates of one group go together."""
    authors = list(dict.fromkeys(reading.statement.org for reading in plates_of(case)))
    return [{"by": [org.hex() for org in group]} for group in hold_apart(authors, stood)]


def _twins(stays: Sequence[Stay]) -> Iterator[Plain]:
    """Whether there are two devices; between equals it is not known whose its readings are until somebody decides."""
    if stays:
        shown: list[Plain] = [stay.view() for stay in stays]
        yield {"what": "identity", "why": TWO_DEVICES, "equals": of_equals(stays), "values": shown}


def _claims(facts: Mapping[str, Verdict], state: State, edges: Iterable[Edge]) -> Iterator[Plain]:
    for name, verdict in facts.items():
        for said, standing in verdict.others:
            if standing is Standing.CLAIM:
                yield _claim(name, said.value, said.statement, verdict.value)
    for event in state.ignored:
        yield _claim("state", event.code, event.statement, state.code)
    for edge in edges:
        if edge.is_claim:
            yield {"what": "composition", "value": edge.view(), "by": edge.view()["by"], "ref": None, "against": None}


def _claim(what: str, value: Plain, statement: Statement, against: Plain) -> Plain:
    return {
        "what": what,
        "value": value,
        "by": statement.org.hex(),
        "ref": ref_text(statement.ref),
        "against": against,
    }


def _pending(case: Case) -> list[Plain]:
    return [
        {"ref": ref_text(ref), "missing": [ref_text(ground) for ground in missing]}
        for ref, missing in sorted(case.pending.items())
    ]


def _withheld(case: Case) -> dict[str, Plain]:
    counts: dict[str, int] = {}
    for statement in case.statements:
        for _, klass in statement.withheld:
            counts[str(klass)] = counts.get(str(klass), 0) + 1
    return dict(counts)


def statement_view(case: Case, statement: Statement) -> dict[str, Plain]:
    """A statement as views show it among all that was said."""
    reading = case.reading_of(statement)
    return {
        **said_view(statement),
        "routed": statement.subject not in case.subjects,
        "pending": statement.ref in case.pending,
        "sections": sections_view(reading),
        "correction": correction_view(reading),
        "system": system_of(reading),
        "withdrawn": withdrawal_view(case, statement),
        "ended_by": ended_by(case, statement),
        "faults": [*reading.faults, *without_effect(case, statement)],
    }


def said_view(statement: Statement) -> dict[str, Plain]:
    """Where, when, by whom and of what something was said."""
    return {
        "ref": ref_text(statement.ref),
        "id": statement.id.hex(),
        "org": statement.org.hex(),
        "kind": statement.kind,
        "subjects": [subject.hex() for subject in statement.subjects],
        "stamp": statement.stamp,
        "occurred": statement.occurred,
        "refs": [ref_text(ref) for ref in statement.refs],
        "auth": [ref_text(ref) for ref in statement.auth],
    }
