"""The fold: statements about joined subjects, and the world they are said in, to one view.

It reads no clock, no cosignature and no order of arrival: equal sets give byte-equal views on every node. It never
raises for what somebody wrote; a body that breaks its shape is shown as a fault beside its statement.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from node.passport.case import Case, open_case
from node.passport.composition import Edge, composition_view, edges_of, part_title
from node.passport.ids import SubjectId, format_device_id
from node.passport.lifecycle import State, state_of, verification_view
from node.passport.merge import Standing, Verdict
from node.passport.papers import correction_view, protocols_view, sections_view
from node.passport.parameters import Parameter, parameters_of
from node.passport.parties import leading_chain, parties_view, signers_view
from node.passport.references import ref_text
from node.passport.registers import (
    aliases_view,
    identity_facts,
    plates_view,
    radio_facts,
    sameness_view,
    subject_facts,
    title_of,
    type_facts,
    type_view,
)
from node.passport.statement import Statement
from node.passport.stays import contradicting_stays
from node.passport.timeline import Event, event_view, timeline_of
from node.passport.view import Plain, View
from node.passport.world import World

FOLD_VERSION = 6


def fold(subjects: Iterable[bytes], statements: Iterable[Statement], world: World) -> View:
    """The view of subjects that are one passport. `statements` are all counted ones that name any of them."""
    return fold_case(open_case(subjects, statements, world))


def fold_case(case: Case) -> View:
    """The view of a case that was opened already."""
    return view_of(case, timeline_of(case))


def view_of(case: Case, events: Sequence[Event]) -> View:
    """The view of a case whose timeline was made already."""
    identity, kinds, radio = identity_facts(case), type_facts(case), radio_facts(case)
    subject = subject_facts(case)
    parameters, edges = parameters_of(case), edges_of(case)
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
        "type": type_view(case, kinds),
        "state": state.view(),
        "verification": verification_view(parameters, events),
        "events": [event_view(case, event) for event in events],
        "parameters": cast("dict[str, Plain]", shown_parameters),
        "protocols": protocols_view(case),
        "composition": composition,
        "parties": parties_view(case),
        "radio": _facts(radio),
        "aliases": aliases_view(case, identity),
        "sameness": sameness_view(case),
        "conflicts": [*_conflicts(case, facts, edges), *_twins(case, events, parameters)],
        "claims": [*_claims(facts, state, edges)],
        "pending": _pending(case),
        "withheld": _withheld(case),
        "signers": signers_view(case),
        "statements": [statement_view(case, statement) for statement in sorted(case.statements, key=lambda s: s.order)],
    }


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
        if edge.conflict:
            yield {"what": "composition", "why": edge.conflict, "values": [edge.view()]}
    for deal in leading_chain(case).conflict:
        yield {"what": "parties.owner", "why": Standing.DISPUTED.value, "values": [deal.party.hex()]}
    if case.identity.contested:
        lines: list[Plain] = [key.line.hex for key in case.identity.contested]
        yield {"what": "identity.line", "why": "plates-of-several-lines", "values": lines}
    for pair in case.identity.refused:
        yield {"what": "identity", "why": "kept-apart", "values": [subject.hex() for subject in pair]}


def _twins(case: Case, events: Iterable[Event], parameters: dict[str, Parameter]) -> Iterator[Plain]:
    stays: list[Plain] = [stay.view() for stay in contradicting_stays(case, events, parameters)]
    if stays:
        yield {"what": "identity", "why": "two-devices-on-one-plate", "values": stays}


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
        "ref": ref_text(statement.ref),
        "id": statement.id.hex(),
        "org": statement.org.hex(),
        "kind": statement.kind,
        "subjects": [subject.hex() for subject in statement.subjects],
        "stamp": statement.stamp,
        "occurred": statement.occurred,
        "refs": [ref_text(ref) for ref in statement.refs],
        "auth": [ref_text(ref) for ref in statement.auth],
        "routed": statement.subject not in case.subjects,
        "pending": statement.ref in case.pending,
        "sections": sections_view(reading),
        "correction": correction_view(reading),
        "faults": list(reading.faults),
    }
