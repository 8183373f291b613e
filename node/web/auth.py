"""Who asks: the node's own socket, a token, or a session; and whether a browser was sent here by another site."""

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from node.errors import DeniedError
from node.services.access import SESSION_US, Actor, NewSession
from node.services.parts import Parts
from node.web.calls import Call
from node.web.context import CONTEXT
from node.web.routes import Limit, Route

BEARER = "Bearer "
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Rule = Callable[[web.Request, Parts], Awaitable[Actor | None]]


async def by_socket(request: web.Request, _context: Parts) -> Actor | None:
    """Whoever may open the node's socket file is its administrator."""
    return Actor.local() if is_local_socket(request) else None


async def by_token(request: web.Request, context: Parts) -> Actor | None:
    """A token in the header Authorization; one that is not valid is refused, not overlooked."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    actor = None
    if header.startswith(BEARER):
        actor = await context.tokens.find_actor(header.removeprefix(BEARER).strip(), request[MOMENT])
    if actor is None:
        raise DeniedError("the token is unknown, revoked or out of date", "unauthenticated")
    if actor.kind != "system":
        return actor
    is_again = request.get(AGAIN, False)
    return await context.correspondents.admit(actor, client_address(request), request[MOMENT], is_again=is_again)


async def by_session(request: web.Request, context: Parts) -> Actor | None:
    """The session of a browser's cookie."""
    secret = request.cookies.get(session_cookie(request, context))
    return await context.access.find_session_actor(secret) if secret else None


RULES: tuple[Rule, ...] = (by_socket, by_token, by_session)
# The version of the store at which the asker was looked for: what is answered stood then or later.
MOMENT: web.RequestKey[int | None] = web.RequestKey("moment")
AGAIN: web.RequestKey[bool] = web.RequestKey("again")  # whether the asker was let in already, and is looked at anew
RULES_KEY: web.AppKey[tuple[Rule, ...]] = web.AppKey("rules")


async def authenticate(request: web.Request) -> Actor | None:
    """The first rule that knows the asker; raise DeniedError where credentials are no good."""
    app = request.app
    context = app[CONTEXT]
    request[MOMENT] = context.core.database.version()
    for rule in app[RULES_KEY]:
        actor = await rule(request, context)
        if actor is not None:
            return actor
    return None


async def may_go_on(call: Call) -> bool:
    """Whether who asked has the very rights with which the answer began. To look counts as no request."""
    call.request[AGAIN] = True
    try:
        actor = await authenticate(call.request)
    except DeniedError:
        return False
    began = call.actor
    is_alike = actor is not None and (actor.subjects, actor.limits) == (began.subjects, began.limits)
    return is_alike and actor is not None and actor.may(call.route.scopes)


def check_origin(request: web.Request, visitor: Actor | None) -> None:
    """Raise DeniedError for a browser's unsafe request that another site caused. Tokens are not sent by browsers."""
    if request.method in SAFE_METHODS or (visitor is not None and visitor.kind != "person"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin", "")
    same = site in {"same-origin", "none"} if site is not None else _host_of(origin) == request.host
    if not same:
        raise DeniedError("the request was caused by another site", "csrf")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def check_claimed(route: Route, request: web.Request, visitor: Actor | None) -> None:
    """Raise DeniedError before the node is claimed: only its socket, and the claim page from this machine, work."""
    if visitor is not None or await request.app[CONTEXT].access.is_claimed():
        return
    if not (route.before_claim and is_loopback(request)):
        raise DeniedError("the node is not claimed yet", "unclaimed")


def check_scopes(route: Route, visitor: Actor | None) -> None:
    """Raise DeniedError where the asker may not use the route."""
    if route.is_open:
        return
    if visitor is None:
        raise DeniedError("this needs a log-in or a token", "unauthenticated")
    if not visitor.may(route.scopes):
        raise DeniedError(f"{visitor.label} lacks a scope", "scope", scopes=", ".join(sorted(route.scopes)))


def check_limit(route: Route, visitor: Actor | None) -> None:
    """Raise DeniedError where the asker is limited to some devices and the route cannot hold it to them."""
    is_token = visitor is not None and visitor.limits is None  # systems are held to their things by `check_system`
    if visitor is not None and is_token and visitor.subjects and route.limit is Limit.REFUSES and not route.is_open:
        raise DeniedError(f"{visitor.label} is limited to some devices, this is about more", "token_limited")


def is_local_socket(request: web.Request) -> bool:
    """Whether the request came through a unix socket, whose name is a path."""
    transport = request.transport
    return transport is not None and isinstance(transport.get_extra_info("sockname"), str)


def client_address(request: web.Request) -> str:
    """The other end of the connection; an IPv6 one as its /64, which is what one customer has."""
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return "local" if is_local_socket(request) else ""
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(mapped) if mapped.version == 4 else str(ipaddress.ip_network(f"{mapped}/64", strict=False))


def is_loopback(request: web.Request) -> bool:
    """Whether the request comes from this machine."""
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return is_local_socket(request)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def session_cookie(request: web.Request, context: Parts) -> str:
    """The name of the cookie. Cookies know no ports: nodes beside each other on loopback need names of their own."""
    name = f"session-{context.core.node.hex()[:8]}"
    return f"__Host-{name}" if request.secure else name


def give_session(call: Call, response: web.Response, session: NewSession) -> None:
    """Let the browser keep a session."""
    response.set_cookie(
        session_cookie(call.request, call.context),
        session.secret,
        max_age=SESSION_US // 1_000_000,
        path="/",
        secure=call.request.secure,
        httponly=True,
        samesite="Strict",
    )


def take_session(call: Call, response: web.Response) -> None:
    """Let the browser forget its session."""
    name = session_cookie(call.request, call.context)
    response.del_cookie(name, path="/", secure=call.request.secure, httponly=True, samesite="Strict")
