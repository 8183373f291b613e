"""Around every request: its metrics, its security headers, and an answer for whatever failed."""

import time
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler

from node.errors import DeniedError
from node.services.access import Actor
from node.web.auth import authenticate
from node.web.context import CONTEXT
from node.web.dispatch import LANGUAGE, ROUTE, VISITOR, language_of
from node.web.errors import Problem, problem_headers, problem_of, problem_response
from node.web.monitoring import REQUEST_METRICS
from node.web.rendering import RENDERER

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CONTENT_POLICY = "Content-Security-Policy"
SECURITY_HEADERS = {
    CONTENT_POLICY: POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a browser would send `Origin: null` with its own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=(self)",
}
TRANSPORT_HEADER = "max-age=31536000"


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into problems, count the request, and journal acts that were refused."""
    started = time.perf_counter()
    try:
        response = await handler(request)
    except Exception as error:
        response = await _answer_error(request, error)
    route = request.get(ROUTE)
    request.app[REQUEST_METRICS].observe(route.name if route else "other", response.status, started)
    return response


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set the security headers, unless an answer has a stricter policy; browsers keep nothing unless it says so."""
    own = response.headers.get(CONTENT_POLICY, "")
    response.headers.update(SECURITY_HEADERS)
    if own.startswith("sandbox"):
        response.headers[CONTENT_POLICY] = own
    if request.secure:
        response.headers["Strict-Transport-Security"] = TRANSPORT_HEADER
    response.headers.setdefault("Cache-Control", "no-store")


async def _answer_error(request: web.Request, error: Exception) -> web.Response:
    route = request.get(ROUTE)
    visitor = request.get(VISITOR) if route is not None else await _visitor(request)
    language = request.get(LANGUAGE) or language_of(request, visitor)
    problem = problem_of(error, language, request.path, route.name if route else request.method)
    if isinstance(error, DeniedError) and visitor is not None and route is not None and route.is_write:
        await request.app[CONTEXT].access.note_refusal(visitor, route.name, problem.code)
    request.app[CONTEXT].metrics.count("web_problems", problem.code)
    headers = problem_headers(problem, error)
    if not _wants_page(request):
        return problem_response(problem, headers)
    return _to_log_in(request, problem) or _error_page(request, problem, visitor, language, headers)


async def _visitor(request: web.Request) -> Actor | None:
    """Who asks for a path that no route has: the page that says so keeps its menu."""
    try:
        return await authenticate(request)
    except DeniedError:
        return None


def _error_page(
    request: web.Request, problem: Problem, visitor: Actor | None, language: str, headers: dict[str, str]
) -> web.Response:
    html = request.app[RENDERER].error(request, visitor, language, problem)
    return web.Response(text=html, status=problem.status, content_type="text/html", headers=headers)


def _wants_page(request: web.Request) -> bool:
    route = request.get(ROUTE)
    if route is not None and not route.is_page:
        return False
    return "text/html" in request.headers.get("Accept", "") or "HX-Request" in request.headers


def _to_log_in(request: web.Request, problem: Problem) -> web.Response | None:
    """Where a person should go instead of reading this problem."""
    if problem.code == "unclaimed" and request.method == "GET":
        location = "/claim"
    elif problem.code == "unauthenticated":
        location = "/login?" + urlencode({"next": request.path_qs if request.method == "GET" else "/"})
    else:
        return None
    if "HX-Request" in request.headers:
        return web.Response(status=204, headers={"HX-Redirect": location})
    return web.Response(status=303, headers={"Location": location})
