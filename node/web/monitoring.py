"""Whether the node is well, and its counters: /healthz for those who start it, /metrics for Prometheus."""

import asyncio
import time
from functools import cache

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram

from node.errors import StoreAwayError
from node.services.access import Scope
from node.web.calls import Call
from node.web.routes import page

HEALTH_S = 2.0


class RequestMetrics:
    """Counts the requests of one application object, in the node's own registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter("passport_web_requests", "Answered requests", ["route", "status"], registry=registry)
        self._seconds = Histogram("passport_web_seconds", "Time to answer", ["route"], registry=registry)
        # Finding a counter by its labels takes longer than counting.
        self._answers_of = cache(self._answers.labels)
        self._seconds_of = cache(self._seconds.labels)

    def observe(self, route: str, status: int, started: float) -> None:
        """A request was answered."""
        self._answers_of(route, status).inc()
        self._seconds_of(route).observe(time.perf_counter() - started)


REQUEST_METRICS = web.AppKey("request_metrics", RequestMetrics)


@page("GET", "/healthz", title="Health", is_open=True, before_claim=True)
async def healthz(call: Call) -> web.Response:
    """200 while the store answers, else 503."""
    try:
        async with asyncio.timeout(HEALTH_S):
            await call.context.journal.last_id()
    except (TimeoutError, StoreAwayError):
        return web.json_response({"status": "store does not answer"}, status=503)
    return web.json_response({"status": "ok"})


@page("GET", "/metrics", title="Metrics", scopes=[Scope.READ])
async def metrics(call: Call) -> web.Response:
    """The counters as Prometheus reads them."""
    return web.Response(body=call.context.metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4"})


ROUTES = (healthz, metrics)
