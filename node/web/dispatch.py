"""From a request to a route's handler and back: the same checks in the same order for every route."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from node.errors import InputError, NodeError
from node.services.access import Actor, KeptAnswer
from node.services.speaking import Speaking
from node.web import auth
from node.web.binding import JSON, bind, read_body
from node.web.calls import Call, View
from node.web.context import CONTEXT
from node.web.downloads import asked_form, send_list
from node.web.errors import problem_of
from node.web.languages import choose_language
from node.web.rendering import RENDERER
from node.web.routes import Limit, Route, Written
from node.web.system_rights import check_system
from node.web.unchanged import unless_known

KEY_FORM = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("Content-Type", "ETag", "Location")

# What is known of a request when it fails.
VISITOR = web.RequestKey("visitor", Actor)
LANGUAGE = web.RequestKey("language", str)
ROUTE = web.RequestKey("route", Route)


class Dispatcher:
    """The aiohttp handler of one route."""

    def __init__(self, route: Route) -> None:
        self._route = route

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Check, bind, handle and answer."""
        call = await self._admit(request)
        keyed = self._route.is_write and not self._route.is_page and "Idempotency-Key" in request.headers
        actor = call.visitor
        with call.context.correspondents.running(actor), Speaking(actor.system if actor else None):
            response = await (self._answer_once(call) if keyed else self._answer(call, None))
        return unless_known(request, response)

    async def _admit(self, request: web.Request) -> Call:
        request[ROUTE] = self._route
        visitor = await auth.authenticate(request)
        if visitor is not None:
            request[VISITOR] = visitor
        language = language_of(request, visitor)
        request[LANGUAGE] = language
        await auth.check_claimed(self._route, request, visitor)
        auth.check_scopes(self._route, visitor)
        auth.check_limit(self._route, visitor)
        auth.check_origin(request, visitor)
        call = Call(request, self._route, visitor, language, request[auth.MOMENT])
        await check_system(call)
        return call

    async def _answer_once(self, call: Call) -> web.StreamResponse:
        """Answer a request with an Idempotency-Key: repeated, it gets the first answer and changes nothing."""
        answers, key = call.context.answers, call.request.headers["Idempotency-Key"]
        if KEY_FORM.fullmatch(key) is None:
            raise InputError("the Idempotency-Key is not 1 to 255 printable characters", "idempotency_key")
        raw = await read_body(call.request, self._route.max_body)
        kept = await answers.begin(call.actor, key, _request_hash(call.request, raw))
        if kept is not None:
            return web.Response(
                status=kept.status, body=kept.body, headers={**kept.headers, "Idempotent-Replayed": "true"}
            )
        try:
            response = await self._answer(call, raw)
        except Exception:
            # Nothing was changed: a refusal is not kept, so that the same request may be sent again later.
            await answers.drop(call.actor, key)
            raise
        await answers.keep(call.actor, key, _kept(response))
        return response

    async def _answer(self, call: Call, raw: bytes | None) -> web.StreamResponse:
        asked = asked_form(self._route, call.request)
        arguments = await bind(self._route, call.request, raw)
        if self._route.limit is Limit.PASSPORT and call.actor.subjects:
            path: Any = arguments["path"]  # Any: the model of a path that names a passport
            await call.context.limits.check(call.actor, path.subject)
        if asked is not None:
            return await send_list(call, arguments, *asked)
        result = await self._route.handler(call, **arguments)
        if isinstance(result, web.StreamResponse):
            return result
        if isinstance(result, View):
            return await _page(call, result)
        if isinstance(result, Written | BaseModel):
            body = result.body if isinstance(result, Written) else result.model_dump_json().encode()
            return web.Response(body=body, status=self._route.status, content_type=JSON, headers=call.headers)
        return web.Response(status=204, headers=call.headers)


def language_of(request: web.Request, visitor: Actor | None) -> str:
    """The language in which a request is answered."""
    default = request.app[CONTEXT].settings.node.language
    return choose_language(request, visitor.language if visitor else None, default)


def redirect(location: str) -> web.Response:
    """Send a browser on after an act."""
    return web.Response(status=303, headers={"Location": location})


async def acted(
    act: Awaitable[object], then: str, refused: Callable[[NodeError], Awaitable[View]]
) -> View | web.Response:
    """Do what a form asks and send the browser on; where that is refused, its page with the problem."""
    try:
        await act
    except NodeError as error:
        return await refused(error)
    return redirect(then)


def redirect_in_page(call: Call, location: str) -> web.Response:
    """Send a browser on after an act, also where htmx sent the form."""
    if "HX-Request" in call.request.headers:
        return web.Response(status=204, headers={"HX-Redirect": location})
    return redirect(location)


async def _page(call: Call, view: View) -> web.Response:
    status, values = 200, dict[str, object](problem=None)
    if view.error is not None:
        if "HX-Request" in call.request.headers:
            raise view.error  # htmx shows the problem alone and keeps the form as it is
        problem = problem_of(view.error, call.language, call.request.path, call.route.name)
        status, values = problem.status, {"problem": problem}
    renderer = call.request.app[RENDERER]
    html = renderer.page(call, view, values, await renderer.counts(call))
    return web.Response(text=html, status=status, content_type="text/html", headers=call.headers)


def _request_hash(request: web.Request, raw: bytes) -> bytes:
    return hashlib.sha256(f"{request.method} {request.path_qs}\n".encode() + raw).digest()


def _kept(response: web.StreamResponse) -> KeptAnswer:
    if not isinstance(response, web.Response):
        raise NodeError("a streamed answer cannot be kept for an Idempotency-Key")
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    body = response.body if isinstance(response.body, bytes) else b""
    return KeptAnswer(b"", response.status, headers, body)
