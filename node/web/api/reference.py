"""The description of the API: for programs as OpenAPI 3.1, for people as a page."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc

from aiohttp import web

from node.web.calls import Call, View
from node.web.errors import status_of_code
from node.web.openapi import codes_of, plain_path
from node.web.problems import PROBLEMS
from node.web.routes import API, Route, page

DOCUMENT: web.AppKey[Callable[[], bytes]] = web.AppKey("openapi")
API_ROUTES: web.AppKey[tuple[Route, ...]] = web.AppKey("api_routes")


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A problem code as the page lists it."""

    code: str
    status: int
    title: str
    advice: str


@page("GET", f"{API}/openapi.json", title="OpenAPI", is_open=True, before_claim=True)
async def openapi_document(call: Call) -> web.Response:
    """The document."""
    document = call.request.app[DOCUMENT]()
    call.set_etag(document)
    return web.Response(body=document, content_type="application/json", headers=call.headers)


@page("GET", f"{API}/docs", title="API", is_open=True, before_claim=True)
async def reference(call: Call) -> View:
    """Every operation and every problem code, on one page without script."""
    words = {code: text.words(call.language) for code, text in PROBLEMS.items()}
    problems = [ShownProblem(code, status_of_code(code), w.title, w.advice) for code, w in sorted(words.items())]
    operations = [(route, plain_path(route), getdoc(route.handler), codes_of(route)) for route in _shown(call)]
    address = f"{call.request.scheme}://{call.request.host}"
    return View("reference.html", operations=operations, problems=problems, address=address)


def _shown(call: Call) -> list[Route]:
    routes = call.request.app[API_ROUTES]
    return sorted(routes, key=lambda route: (route.path, route.method))


ROUTES = (openapi_document, reference)
