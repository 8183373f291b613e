"""The passport page: what is known of one device, with the standing of each fact and who said it."""

from collections.abc import Mapping, Sequence
from typing import Any

from node.passport.ids import SubjectId, format_device_id
from node.passport.view import View as PassportView
from node.services.access import Scope
from node.services.journal import JournalRow
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, View
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import page


@page("GET", "/devices/{id}", title=mark("Passport"), scopes=[Scope.READ], api="GET /passports/{id}")
async def passport(call: Call, path: PassportPath) -> View:
    """Follows the stream: a fragment written elsewhere changes the page by itself."""
    after = await call.context.journal.last_id()
    values = await _values(call, subject_of(path.id))
    return View("passport.html", after=after, **values)


async def _values(call: Call, subject: bytes) -> dict[str, Any]:  # Any: what templates are given
    stored = await call.context.registry.get(subject)
    view = stored.content
    return {
        "id": format_device_id(SubjectId(stored.subject)),
        "subject": stored.subject.hex(),
        "digest": stored.digest.hex(),
        "passport": view,
        "names": _names(call, view),
    }


def _names(call: Call, view: PassportView) -> Mapping[str, str]:
    world = call.context.projection.world
    signers = view["signers"]
    orgs = list(signers) if isinstance(signers, dict) else []
    return {org: world.organisation_name(bytes.fromhex(org)) or org[:8] for org in orgs}


async def _changed(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    if not any(row.what == "passport_changed" for row in rows):
        return {}
    values = await _values(call, bytes.fromhex(call.request.query["subject"]))
    return {"passport": call.request.app[RENDERER].part(call, "parts/passport_body.html", **values)}


ROUTES = (passport,)
LIVE = (Live("passport", _changed),)
