"""The devices page: one search box for serial, DevEUI and device id."""

from urllib.parse import urlencode

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.web.api.passports import PassportsQuery
from node.web.calls import Call, View
from node.web.languages import mark
from node.web.routes import Menu, page


@page("GET", "/devices", title=mark("Devices"), scopes=[Scope.READ], menu=Menu(20, "devices"), api="GET /passports")
async def devices(call: Call, query: PassportsQuery) -> View:
    """A page of passports by title; a text narrows it."""
    after: tuple[str, bytes] | None = None
    if query.cursor:
        title, subject = call.decode_cursor(query.cursor, str, str)
        after = (str(title), bytes.fromhex(str(subject)))
    found = await call.context.lookup.page(after, query.limit, query.q, query.state, query.type)
    more = ""
    if len(found) == query.limit:
        cursor = call.encode_cursor(found[-1].title, found[-1].subject.hex())
        values = {"q": query.q, "state": query.state, "type": query.type, "limit": query.limit, "cursor": cursor}
        more = urlencode({name: value for name, value in values.items() if value})
    rows = [(format_device_id(SubjectId(p.subject)), p) for p in found]
    lookup = call.context.lookup
    return View(
        "devices.html",
        rows=rows,
        more=more,
        query=query.q,
        state=query.state or "",
        counts=await lookup.count(),
        joined=await lookup.joined(found),
    )


ROUTES = (devices,)
