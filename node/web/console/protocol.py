"""The print view of a protocol: the document as its template lays it out, who signed it and how it stands."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows, text
from node.passport.template_json import Json
from node.passport.template_pointer import Pointer
from node.passport.template_sheet import Label, attachments_of, parties_of, sheet_of
from node.passport.view import View as PassportView
from node.services.access import Scope
from node.services.protocols import Paper
from node.web.api.passports import subject_of
from node.web.api.protocols import PaperPath
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.routes import page

PATH = "/passports/{id}/protocols/{ref}/print"


@page("GET", PATH, title=mark("Protocol"), scopes=[Scope.READ], api="GET /passports/{id}/protocols/{ref}")
async def protocol(call: Call, path: PaperPath) -> View:
    """One page without the console's frame, made for paper."""
    subject = subject_of(path.id)
    view = (await call.context.registry.get(subject, whole=False)).content
    paper = await call.context.protocols.paper(subject, path.ref)
    return View("protocol.html", **_values(call, view, paper))


def _values(call: Call, view: PassportView, paper: Paper) -> dict[str, Any]:  # Any: what templates are given
    template = paper.held.template if paper.held else None
    document = paper.document
    return {
        "id": format_device_id(SubjectId(paper.subject)),
        "device": text(view, "title"),
        "row": paper.row,
        "titles": template.title if template else {},
        "blocks": sheet_of(template, document, is_whole=paper.is_whole) if template and document is not None else (),
        "parties": parties_of(template, document) if template and document is not None else (),
        "leaves": list(_leaves(document)) if template is None and document is not None else [],
        "is_open": document is not None,
        "is_whole": paper.is_whole,
        "signatures": _signatures(view, paper.row),
        "hashes": _hashes(paper.row),
        "attachments": list(attachments_of(document)) if document is not None else [],
        "names": {org.hex(): card.name for org, card in call.context.projection.world.cards.items()},
        "printed_us": call.context.clock.now(),
    }


def _signatures(view: PassportView, row: PassportView) -> list[PassportView]:
    """The statements that carry this very document under one template, each with who signed it and its id."""
    named = (row["document"], at(row, "template", "publisher"), at(row, "template", "name"))
    same = [
        other
        for other in rows(view, "protocols")
        if other["ref"] == row["ref"]
        or (other["document"] is not None and _named(other) == named and other["replaced_by"] is None)
    ]
    ids = {str(statement["ref"]): statement["id"] for statement in rows(view, "statements")}
    return [{**other, "id": ids.get(str(other["ref"]))} for other in same]


def _named(row: PassportView) -> tuple[object, object, object]:
    return (row["document"], at(row, "template", "publisher"), at(row, "template", "name"))


def _hashes(row: PassportView) -> list[tuple[str, str]]:
    """SHA-256 of each part of the document, as it stands in the signed statement."""
    parts = ((name, row[name]) for name in ("document", "personal"))
    return [(name, hashlib.sha256(part.encode()).hexdigest()) for name, part in parts if isinstance(part, str)]


def _leaves(document: Json, place: Pointer = Pointer()) -> Sequence[tuple[Label, Json]]:  # noqa: B008 - immutable
    """Every value of a document whose template does not run here, by its place."""
    if isinstance(document, Mapping):
        return [leaf for name, value in document.items() for leaf in _leaves(value, place.child(name))]
    if isinstance(document, list):
        return [leaf for at, value in enumerate(document) for leaf in _leaves(value, place.child(at))]
    return [(Label(place, str(place), ""), document)]


ROUTES = (protocol,)
