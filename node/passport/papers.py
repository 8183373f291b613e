"""Protocols: documents against templates, kept whole, with what their authors took out of them."""

from federation.authority import Kind
from node.passport.acts import Act, act_view
from node.passport.bodies import (
    AnnulmentBody,
    AttachmentsBody,
    CorrectionBody,
    EventBody,
    ExtractBody,
    SystemBody,
    TemplateRef,
)
from node.passport.case import Case
from node.passport.merge import Standing, standing_of
from node.passport.ranks import FactClass, event_class
from node.passport.reading import Reading
from node.passport.references import ref_text
from node.passport.statement import Erased, Statement
from node.passport.view import Plain
from node.passport.withdrawals import reason_of

DOCUMENT, PERSONAL = "document", "personal"


def protocols_view(case: Case) -> list[Plain]:
    """Each protocol, oldest first; a later one that refs it stands beside it and removes nothing."""
    found = [(reading, body) for reading in case.spoken if (body := reading.body("template", TemplateRef))]
    stated = [*(reading.statement for reading, _ in found), *case.hiding("template")]
    above = [statement for statement in stated if case.references.has_refs(statement)]
    return [
        _protocol(case, reading, body, above)
        for reading, body in sorted(found, key=lambda item: (item[0].statement.occurred, item[0].statement.order))
    ]


def _protocol(case: Case, reading: Reading, body: TemplateRef, others: list[Statement]) -> Plain:
    statement = reading.statement
    extract, act = reading.body("extract", ExtractBody), case.acts.get(statement.ref)
    return {
        "ref": ref_text(statement.ref),
        "by": statement.org.hex(),
        "occurred": statement.occurred,
        "recorded": statement.stamp,
        "template": _template(case, body),
        "standing": _standing(case, reading, extract, act).value,
        "act": act_view(act) if act else None,
        "extract": _extract(case, statement.org, extract) if extract else None,
        "document": _text(statement.sections.get(DOCUMENT)),
        "personal": _text(statement.sections.get(PERSONAL)),
        "attachments": _files(reading),
        "sections": sections_view(reading),
        "replaced_by": _replaced(case, reading.statement, others),
        "annulled": _annulled(case, statement),
    }


def sections_view(reading: Reading) -> list[Plain]:
    """Names of a statement's sections with what is withheld here, of which the class is told, and what was erased."""
    statement = reading.statement
    rows: list[dict[str, Plain]] = [{"name": name, "present": True, "class": None} for name in statement.sections]
    rows += [{"name": name, "present": False, "class": klass} for name, klass in statement.withheld]
    rows += [
        {"name": name, "present": False, "class": None, "erased": _erased(gone)} for name, gone in statement.erased
    ]
    return [*sorted(rows, key=lambda row: str(row["name"]))]


def _erased(gone: Erased) -> Plain:
    """Who let a section be erased, when, on what ground and where that was said."""
    return {"by": [org.hex() for org in gone.by], "at": gone.at, "ground": gone.ground, "ref": ref_text(gone.said)}


def system_of(reading: Reading) -> str | None:
    """By which system of its author a statement was made, where it says so."""
    told, event = reading.body("system", SystemBody), reading.body("event", EventBody)
    return told.name if told else event.system if event else None


def correction_view(reading: Reading) -> dict[str, Plain] | None:
    """Why a statement takes the place of what it refs, None where it corrects nothing.

    `attached`: its document is a statement, without which it stays pending; else it is a paper elsewhere.
    """
    body = reading.body("correction", CorrectionBody)
    if body is None:
        return None
    is_attached = body.document in {ref_text(ref) for ref in reading.statement.auth}
    return {"reason": body.reason, "ground": body.ground, "document": body.document, "attached": is_attached}


def withdrawal_view(case: Case, statement: Statement) -> dict[str, Plain] | None:
    """When its author took a statement back, why and where he said so; of a withdrawal what it is itself."""
    word = statement if statement.kind == Kind.WITHDRAWAL else case.withdrawn.get(statement.ref)
    return None if word is None else {"ref": ref_text(word.ref), "at": word.stamp, "reason": reason_of(word)}


def ended_by(case: Case, statement: Statement) -> str | None:
    """Who ended what entitled the author, where this was said after that; it stands in its place and counts less."""
    facts = case.facts_of(statement)
    if not facts.is_cut(statement.org):
        return None
    org = facts.ended_by(statement.org, statement.kind, statement.occurred, statement.ref)
    return org.hex() if org else None


def without_effect(case: Case, statement: Statement) -> list[Plain]:
    """The fault of a withdrawal that names what is here and is not its author's to take back."""
    is_idle = any(ref in case.places and ref not in case.withdrawn for ref in statement.refs)
    return ["withdrawal: without-effect"] if statement.kind == Kind.WITHDRAWAL and is_idle else []


def _annulled(case: Case, statement: Statement) -> dict[str, Plain] | None:
    """When and why its author annulled the result."""
    word = case.annulled.get(statement.ref)
    body = case.reading_of(word).body("annulment", AnnulmentBody) if word is not None else None
    if word is None or body is None:
        return None
    return {"ref": ref_text(word.ref), "at": word.occurred, "reason": body.reason}


def _template(case: Case, body: TemplateRef) -> dict[str, Plain]:
    published = case.world.templates.get((body.publisher, body.id))
    return {
        "name": body.name,
        "version": body.version,
        "publisher": body.publisher,
        "id": body.id,
        "title": published.title if published else None,
        "place": body.place,
        "known": published is not None,
    }


def _files(reading: Reading) -> list[Plain]:
    body = reading.body("attachments", AttachmentsBody)
    return [file.model_dump() for file in (body.files if body else ())]


def _standing(case: Case, reading: Reading, extract: ExtractBody | None, act: Act | None) -> Standing:
    """A document stands as its author stands for what he took out of it, or as an act that all its parties signed."""
    if act is not None and act.is_agreed and act.fills(reading.statement):
        return Standing.AGREED
    org = reading.statement.org
    codes = [case.world.central(event.what, org, "events") for event in (extract.events if extract else ())]
    classes = [event_class(code) for code in codes if code] or [FactClass.PHYSICAL]
    return standing_of(case.rank(classes[0], reading.statement))


def _extract(case: Case, org: bytes, extract: ExtractBody) -> dict[str, Plain]:
    return {
        "checked": extract.checked,
        "events": [case.refer(event.what, org, "events") for event in extract.events],
        "parameters": [
            {
                **case.refer(row.code, org, "parameters"),
                "value": row.value,
                "unit": row.unit,
                "since": row.since,
            }
            for row in extract.parameters
        ],
    }


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")


def _replaced(case: Case, statement: Statement, others: list[Statement]) -> str | None:
    above = [other for other in others if other.org == statement.org and case.references.supersedes(other, statement)]
    newest = max(above, key=lambda statement: statement.order, default=None)
    return ref_text(newest.ref) if newest else None
