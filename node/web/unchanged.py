"""Answers that the asker has already."""

from aiohttp import web


def unless_known(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """304 where the asker has this version already."""
    tag, known = response.headers.get("ETag"), request.headers.get("If-None-Match")
    if request.method not in {"GET", "HEAD"} or tag is None or known is None:
        return response
    if known.strip() != "*" and tag not in [one.strip().removeprefix("W/") for one in known.split(",")]:
        return response
    kept = {name: response.headers[name] for name in ("Vary", "Cache-Control") if name in response.headers}
    return web.Response(status=304, headers={"ETag": tag, **kept})
