"""Answering `/d/…`: the page of a passport for a phone, its linkset, or what is wrong with what was scanned.

No cookie is read here and none is set, and nothing redirects to another host: where somebody else's node has more, his
address is a link that shows its host. An answer follows from the address, Accept and Accept-Language alone.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from urllib.parse import quote, unquote, urlencode

from aiohttp import web

from node.errors import NodeError, NotFoundError, StateError
from node.passport.ids import SubjectId, format_device_id, format_label_url, groups_of
from node.passport.printed import Printed
from node.passport.shown import text
from node.services.parts import Parts
from node.services.public import PublicPassport, Scanned
from node.web.assets import Assets
from node.web.calls import make_etag
from node.web.errors import Problem, problem_headers, problem_of, problem_response
from node.web.languages import LANGUAGES, accepted_language
from node.web.public.facts import facts_of
from node.web.public.linkset import CONTEXT_LINK, MEDIA_TYPE, link_header, write_linkset
from node.web.public.rates import Rates, Visitors
from node.web.rendering import make_environment

PATH = "/d/"
ANYTHING = r"{text:[\s\S]*}"  # line breaks too: what is odd is answered like all else
OWN_KEYS = frozenset({"lang", "node", "linkType", "public"})  # what the query says to us and not to a link
ROBOTS = "noindex, nofollow"
_NODE = re.compile(r"(?:(https?)://)?([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?/?", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another place that may tell more: its host as it is shown, the link there, and who says to be there."""

    host: str
    url: str
    name: str = ""


class PublicAnswers:
    """Answers whoever asks."""

    def __init__(self, context: Parts, assets: Assets) -> None:
        settings = context.settings.public
        self._context = context
        self._environment = cache(partial(make_environment, assets=assets))
        self._rates = Rates(settings.requests_s, settings.burst)
        self._visitors = Visitors(settings.proxies)

    async def answer(self, request: web.Request, *, logs_in: bool = False) -> web.Response:
        """The answer to what stands behind `/d/`; `logs_in` where the console's log-in is behind the same door."""
        language, as_links = _language(request, self._context), wants_linkset(request)
        try:
            self._let_in(request)
            if not behind(request):
                return self._landing(request, language, logs_in=logs_in)
            scanned = await self._context.public.read(behind(request), query_of(request))
            if scanned.passport is None and not scanned.printed.domain:
                raise NotFoundError("nothing public here is named so", "public_unknown")
        except NodeError as error:
            return self._refusal(request, error, language, as_links=as_links, logs_in=logs_in)
        if scanned.passport is None:
            domain = scanned.printed.domain
            foreign = NotFoundError("it is a label of somebody else's", "public_elsewhere", domain=domain)
            if as_links:
                return problem_response(problem_of(foreign, language, request.path), {})
            return self._page(request, language, scanned=scanned, error=foreign, logs_in=logs_in)
        if as_links:
            return self._linkset(request, scanned.passport)
        return self._page(request, language, scanned=scanned, logs_in=logs_in)

    def _let_in(self, request: web.Request) -> None:
        """Raise StateError where an address asked too often."""
        hops = ",".join(request.headers.getall("X-Forwarded-For", []))  # a server may add a line instead of a word
        address = self._visitors.address(request.remote or "", hops)
        if self._rates.take(address, asyncio.get_running_loop().time()) > 0:
            raise StateError("this address asked too often", "public_rate")

    def _landing(self, request: web.Request, language: str, *, logs_in: bool) -> web.Response:
        typed = request.query.get("q", "").strip()
        if typed:
            rest = {name: value for name, value in request.query.items() if name in OWN_KEYS}
            location = PATH + quote(typed[:1024], safe="") + (f"?{urlencode(rest)}" if rest else "")
            return web.Response(status=303, headers={"Location": location})
        return self._page(request, language, logs_in=logs_in)

    def _refusal(
        self, request: web.Request, error: NodeError, language: str, *, as_links: bool, logs_in: bool
    ) -> web.Response:
        if not as_links:
            return self._page(request, language, error=error, logs_in=logs_in)
        problem = problem_of(error, language, request.path)
        return problem_response(problem, problem_headers(problem, error))

    def _linkset(self, request: web.Request, passport: PublicPassport) -> web.Response:
        subject, *others = _ids(passport)
        title = text(passport.view, "title") or subject
        base = self._base(request)
        body = write_linkset(base + subject, title, LANGUAGES, [base + other for other in others])
        headers = {"Link": CONTEXT_LINK, "Access-Control-Allow-Origin": "*", **_kept(body)}
        return web.Response(body=body, content_type=MEDIA_TYPE, headers=headers)

    def _page(
        self,
        request: web.Request,
        language: str,
        *,
        scanned: Scanned | None = None,
        error: NodeError | None = None,
        logs_in: bool = False,
    ) -> web.Response:
        passport = scanned.passport if scanned else None
        problem = problem_of(error, language, request.path) if error else None
        said = unquote(behind(request))[:256]
        device = _ids(passport)[0] if passport else _id_of(scanned.printed) if scanned else ""
        values = {
            "language": language,
            "languages": [(code, _again(request, lang=code)) for code in LANGUAGES],
            "problem": problem,
            "said": said,
            "here": PATH + quote(device or said, safe=""),
            "device": device,
            "groups": groups_of(device) if device else [],
            "title": (text(passport.view, "title") if passport else "") or device,
            "facts": facts_of(passport.view, language) if passport else [],
            "others": _ids(passport)[1:] if passport else [],
            "elsewhere": self._elsewhere(scanned.printed) if scanned else None,
            "node": self._own_node(request, device or said),
            "asked_node": request.query.get("node", "")[:253],
            "organisation": self._context.settings.node.name,
            "login": f"/login?{urlencode({'next': PATH + quote(device or said, safe='')})}" if logs_in else "",
        }
        body = self._environment(language).get_template("public.html").render(values).encode()
        return self._html(request, body, language, problem, error, device if passport else "")

    def _html(
        self, request: web.Request, body: bytes, language: str, problem: Problem | None, error: NodeError | None,
        device: str,
    ) -> web.Response:  # fmt: skip
        headers = {"Content-Language": language, "X-Robots-Tag": ROBOTS, "Vary": "Accept, Accept-Language"}
        if device:
            base = self._base(request)
            headers |= {"Link": link_header(f"{base}{device}?linkType=linkset", base + device), **_kept(body)}
        if problem is not None and error is not None:
            headers |= problem_headers(problem, error)
        status = problem.status if problem else 200
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8", headers=headers)

    def _base(self, request: web.Request) -> str:
        """The address before a device id: under the domain of the labels, else where the request came to."""
        if domain := self._context.public.domain:
            return f"https://{domain}{PATH}"
        host = request.host if _HOST.fullmatch(request.host) else "localhost"
        return f"{request.scheme}://{host}{PATH}"

    def _elsewhere(self, printed: Printed) -> Elsewhere | None:
        """Whose label it is, where its link names another domain."""
        domain, public = printed.domain, self._context.public
        if printed.subject is None or not domain or domain == public.domain:
            return None
        return Elsewhere(domain, format_label_url(domain, printed.subject), public.organisation_at(domain))

    def _own_node(self, request: web.Request, said: str) -> Elsewhere | None:
        """The same at the node that the visitor named."""
        found = _NODE.fullmatch(request.query.get("node", "").strip())
        if found is None or not said:
            return None
        scheme, host = (found[1] or "https").lower(), f"{found[2]}{found[3] or ''}".lower()
        return Elsewhere(host, f"{scheme}://{host}{PATH}{quote(said, safe='')}")


PUBLIC = web.AppKey("public", PublicAnswers)


def behind(request: web.Request) -> str:
    """What stands behind `/d/`, escaped as it came."""
    return request.rel_url.raw_path.partition(PATH)[2]


def query_of(request: web.Request) -> str:
    """The query of a link that stands in the path unescaped: what is ours is not of it."""
    parts = request.rel_url.raw_query_string.split("&")
    return "&".join(part for part in parts if part.partition("=")[0] not in OWN_KEYS)


def wants_linkset(request: web.Request) -> bool:
    """Whether links are asked for: by `linkType=linkset`, or by Accept before a page."""
    if request.query.get("linkType") == "linkset":
        return True
    weights: dict[str, float] = {}
    for item in ",".join(request.headers.getall("Accept", [])).lower().split(",")[:32]:
        kind, *options = (part.strip() for part in item.split(";"))
        weights[kind] = _weight(options)
    linkset = max(_accepted(weights, kind) for kind in (MEDIA_TYPE, "application/json"))
    return linkset > _accepted(weights, "text/html")


def _accepted(weights: Mapping[str, float], kind: str) -> float:
    """How much a type is wanted: what names it most closely counts (RFC 9110, 12.5.1)."""
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((weights[named] for named in ranges if named in weights), 0.0)


def _weight(options: list[str]) -> float:
    for option in options:
        name, _, value = option.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _language(request: web.Request, context: Parts) -> str:
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return accepted_language(request.headers.get("Accept-Language", ""), context.settings.node.language)


def _again(request: web.Request, **changed: str) -> str:
    """The address of the same page with other words in its query."""
    asked = {name: value for name, value in request.query.items() if name in OWN_KEYS - {"linkType"}}
    rest = query_of(request)
    query = "&".join(filter(None, (rest, urlencode(asked | changed))))
    return f"{PATH}{behind(request)}?{query}"


def _kept(body: bytes) -> dict[str, str]:
    """May be kept, and is asked for again each time: what is public today may not be tomorrow."""
    return {"ETag": make_etag(body), "Cache-Control": "no-cache", "Vary": "Accept, Accept-Language"}


def _ids(passport: PublicPassport) -> list[str]:
    lead, ids = text(passport.view, "id"), passport.view.get("ids")
    others = [str(one) for one in ids if one != lead] if isinstance(ids, list) else []
    return [lead, *others]


def _id_of(printed: Printed) -> str:
    return format_device_id(SubjectId(printed.subject.raw)) if printed.subject else ""
