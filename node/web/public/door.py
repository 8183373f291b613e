"""The public door: `/d/`, the two files that its pages need, and robots.txt. Nothing of the console is behind it."""

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from node.services.parts import Parts
from node.web.assets import Assets
from node.web.public.answers import ANYTHING, PATH, PublicAnswers
from node.web.unchanged import unless_known

log = structlog.get_logger()

FILES = ("public.css", "icon.svg")
ROBOTS = "User-agent: *\nDisallow: /\n"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=()",
    "X-Robots-Tag": "noindex, nofollow",
}
LONGEST_BODY = 1  # nobody sends one here


def build_public_application(context: Parts) -> web.Application:
    """The application of the public door."""
    assets = Assets()
    answers = PublicAnswers(context, assets)

    async def answer(request: web.Request) -> web.StreamResponse:
        return unless_known(request, await answers.answer(request))

    async def robots(_request: web.Request) -> web.Response:
        return web.Response(text=ROBOTS)

    @web.middleware
    async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            response = web.Response(status=error.status, text=f"{error.status}\n", headers=headers)
        except Exception:
            log.exception("public_door_failed")
            response = web.Response(status=500, text="500\n")
        context.metrics.count("public_answers", str(response.status))
        return response

    application = web.Application(middlewares=[outermost], client_max_size=LONGEST_BODY)
    application.router.add_get(PATH + ANYTHING, answer)
    application.router.add_get("/robots.txt", robots)
    for name in FILES:
        application.router.add_get(assets.url(name), assets.serve)
    application.on_response_prepare.append(_add_headers)
    return application


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    if request.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    response.headers.setdefault("Cache-Control", "no-store")
