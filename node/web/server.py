"""One application object over a node's services: every route, every check, nothing shared with another one."""

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import cache, partial

from aiohttp import web

from node.services.parts import Parts
from node.web import api, console, events, monitoring
from node.web.api.papers import PRINTING
from node.web.api.reference import API_ROUTES, DOCUMENT
from node.web.assets import PREFIX, Assets
from node.web.auth import RULES, RULES_KEY, Rule
from node.web.calls import CURSORS
from node.web.context import CONTEXT
from node.web.cursors import Cursors
from node.web.dispatch import Dispatcher
from node.web.events import STREAMS, Live, Streams
from node.web.middleware import add_headers, answer_errors
from node.web.monitoring import REQUEST_METRICS, RequestMetrics
from node.web.openapi import describe
from node.web.public.answers import PUBLIC, PublicAnswers
from node.web.rendering import RENDERER, Renderer
from node.web.routes import Route

ROUTES: tuple[Route, ...] = (*api.ROUTES, *console.ROUTES, *events.ROUTES, *monitoring.ROUTES)
TITLE, VERSION = "Passport node", "1.0.0"
LARGEST_BODY = 64 << 20  # each route has its own limit below this one


def build_application(
    context: Parts,
    routes: Iterable[Route] = ROUTES,
    live: Iterable[Live] = console.LIVE,
    rules: tuple[Rule, ...] = RULES,
    heartbeat_s: float = events.HEARTBEAT_S,
) -> web.Application:
    """The API and the console of one node, to be mounted on a TCP site and on the node's unix socket."""
    taken, assets, streams = tuple(routes), Assets(), Streams(live, heartbeat_s)
    document: Callable[[], bytes] = cache(partial(_document, taken))
    application = web.Application(middlewares=[answer_errors], client_max_size=LARGEST_BODY)
    application[CONTEXT] = context
    application[RULES_KEY] = rules
    application[CURSORS] = Cursors(context.secret)
    application[RENDERER] = Renderer(assets, taken)
    application[PUBLIC] = PublicAnswers(context, assets)
    application[STREAMS] = streams
    application[PRINTING] = asyncio.Semaphore(1)
    application[REQUEST_METRICS] = RequestMetrics(context.metrics.registry)
    application[API_ROUTES] = tuple(route for route in taken if not route.is_page)
    application[DOCUMENT] = document
    for route in taken:
        _add(application, route)
    application.router.add_get(PREFIX + "/{file:.+}", assets.serve)
    application.on_response_prepare.append(add_headers)
    application.on_shutdown.append(streams.close)
    return application


def _document(routes: tuple[Route, ...]) -> bytes:
    """The OpenAPI document, made when it is asked for."""
    return json.dumps(describe(routes, TITLE, VERSION), ensure_ascii=False).encode()


def _add(application: web.Application, route: Route) -> None:
    handle = Dispatcher(route).handle
    if route.method == "GET":
        application.router.add_get(route.path, handle)  # answers HEAD too
    else:
        application.router.add_route(route.method, route.path, handle)
