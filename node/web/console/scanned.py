"""What the console answers to the link of a label: who is logged in is led to the passport, anybody else to its public
page.
"""

from urllib.parse import quote, urlencode

from aiohttp import web

from node.errors import NodeError
from node.passport.errors import DeviceIdError
from node.passport.ids import SubjectId, format_device_id, format_label_url
from node.passport.printed import read_printed
from node.services.access import Scope
from node.web.calls import Call
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.public.answers import ANYTHING, PATH, PUBLIC, behind, query_of
from node.web.routes import page


@page("GET", PATH + ANYTHING, title=mark("Scanned"), is_open=True, api="GET /passports/{id}/issue")
async def scanned(call: Call) -> web.Response:
    """The passport in the reader's own profile where he is known; `public` shows what anybody sees."""
    visitor, request = call.visitor, call.request
    if visitor is not None and visitor.kind == "person" and visitor.may([Scope.READ]) and "public" not in request.query:
        return redirect(await _own(call) if behind(request) or "q" in request.query else "/find")
    response = await request.app[PUBLIC].answer(request, logs_in=visitor is None)
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    return response


async def _own(call: Call) -> str:
    """The page of the one passport that is named, else the search for it, which asks other organisations."""
    request = call.request
    path = behind(request) or quote(request.query["q"], safe="")
    typed = request.match_info["text"] or request.query.get("q", "")
    try:
        printed = read_printed(path, query_of(request))
        typed = (
            format_label_url(printed.domain, printed.subject) if printed.domain and printed.subject else printed.text
        )
        found = await call.context.public.named(printed)
    except (NodeError, DeviceIdError):
        found = []
    if len(found) == 1:
        return f"/devices/{format_device_id(SubjectId(found[0].subject))}"
    return f"/find?{urlencode({'q': typed[:256]})}"


ROUTES = (scanned,)
