"""The print view of a protocol: the document as its template lays it out, who signed it and how it stands."""

from typing import Any

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import rows, text
from node.passport.templates.sheet import attachments_of, parties_of, sheet_of
from node.passport.view import View as PassportView
from node.services.access import Scope
from node.services.protocols import Paper
from node.web.api.passports import subject_of
from node.web.api.protocols import PaperPath
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.protocol_sheet import hashes_of, leaves_of, signatures_of
from node.web.routes import page

PATH = "/passports/{id}/protocols/{ref}/print"


@page("GET", PATH, title=mark("Protocol"), scopes=[Scope.READ], api="GET /passports/{id}/protocols/{ref}")
async def protocol(call: Call, path: PaperPath) -> View:
    """One page without the console's frame, made for paper."""
    subject = subject_of(path.id)
    view = (await call.context.registry.get(subject, whole=False)).content
    paper = await call.context.protocols.paper(subject, path.ref)
    is_party = call.actor.may([Scope.RECORD]) and paper.row["replaced_by"] is None and paper.row["act"] is not None
    may_sign = call.context.acts.own_roles(paper, view) if is_party else []
    is_own = paper.row["by"] == call.context.core.org.hex() and paper.row["replaced_by"] is None
    may_correct = call.actor.may([Scope.RECORD]) and is_own and paper.held is not None
    may_erase = call.actor.may([Scope.RECORD]) and bool(await call.context.erasures.erasable([str(paper.row["ref"])]))
    values = _values(call, view, paper) | {"may_correct": may_correct, "may_erase": may_erase}
    return View("protocol.html", may_sign=may_sign, may_explain=is_party, **values)


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
        "leaves": leaves_of(document) if template is None and document is not None else [],
        "is_open": document is not None,
        "is_whole": paper.is_whole,
        "signatures": signatures_of(view, paper.row),
        "hashes": hashes_of(paper.row),
        "attachments": list(attachments_of(document)) if document is not None else [],
        "files": rows(paper.row, "attachments"),
        "open_sides": [side for side in rows(paper.row, "act", "sides") if side["ref"] is None],
        "own": call.context.core.org.hex(),
        "has_signed": any(s["by"] == call.context.core.org.hex() for s in rows(paper.row, "act", "sides")),
        "names": {org.hex(): card.name for org, card in call.context.projection.world.cards.items()},
        "printed_us": call.context.clock.now(),
    }


ROUTES = (protocol,)
