"""Coming in: the claim by one-time link, log-in, log-out and the language switch."""

import re
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError
from node.web.api.access import Name
from node.web.auth import client_address, give_session, take_session
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.languages import LANGUAGE_COOKIE, mark
from node.web.routes import page

YEAR_S = 31_536_000
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


class ClaimPath(BaseModel):
    """The secret of the one-time link."""

    secret: str


class ClaimForm(BaseModel):
    """The first administrator."""

    name: Name
    password: str = Field(max_length=256)


class LoginQuery(BaseModel):
    """Where to go after the log-in."""

    next: str = "/"


class LoginForm(BaseModel):
    """Name, password, and where to go."""

    name: str = Field(max_length=64)
    password: str = Field(max_length=256)
    next: str = "/"


class LanguageForm(BaseModel):
    """The language, and where to go back to."""

    language: Literal["ru", "en"]
    back: str = "/"


@page("GET", "/claim", title=mark("Set-up"), is_open=True, before_claim=True)
async def unclaimed(call: Call) -> View | web.Response:
    """What to do while the node has no owner."""
    if await call.context.access.is_claimed():
        return redirect("/")
    return View("unclaimed.html")


@page("GET", "/claim/{secret}", title=mark("Set-up"), is_open=True, before_claim=True)
async def claim_form(call: Call, path: ClaimPath) -> View:
    """The form of the one-time link."""
    await call.context.access.check_claim(path.secret)
    return View("claim.html", name="", secret=path.secret)


@page("POST", "/claim/{secret}", title=mark("Set-up"), is_open=True, before_claim=True, api="POST /claim")
async def claim(call: Call, path: ClaimPath, body: ClaimForm) -> View | web.Response:
    """Make the first administrator and log in."""
    access, address = call.context.access, client_address(call.request)
    try:
        session = await access.claim(path.secret, body.name, body.password, call.language, address)
    except InputError as error:
        return View("claim.html", error=error, name=body.name, secret=path.secret)
    response = redirect("/")
    give_session(call, response, session)
    return response


@page("GET", "/login", title=mark("Log in"), is_open=True)
async def login_form(call: Call, query: LoginQuery) -> View | web.Response:
    """The form."""
    if call.visitor is not None:
        return redirect(_local(query.next))
    return View("login.html", name="", next=_local(query.next))


@page("POST", "/login", title=mark("Log in"), is_open=True)
async def login(call: Call, body: LoginForm) -> View | web.Response:
    """Open a session."""
    try:
        session = await call.context.access.log_in(body.name, body.password, client_address(call.request))
    except InputError as error:
        return View("login.html", error=error, name=body.name, next=_local(body.next))
    response = redirect(_local(body.next))
    give_session(call, response, session)
    return response


@page("POST", "/logout", title=mark("Log out"), api="DELETE /sessions/{account}/{session}")
async def logout(call: Call) -> web.Response:
    """End the own session."""
    await call.context.access.log_out(call.actor)
    response = redirect("/login")
    take_session(call, response)
    return response


@page("POST", "/language", title=mark("Language"), is_open=True, before_claim=True, api="PATCH /me")
async def language(call: Call, body: LanguageForm) -> web.Response:
    """Switch the language of this browser, and of the account where one is logged in."""
    if call.visitor is not None and call.visitor.kind == "person":
        await call.context.access.change_language(call.visitor, body.language)
    response = redirect(_local(body.back))
    response.set_cookie(
        LANGUAGE_COOKIE, body.language, max_age=YEAR_S, path="/", secure=call.request.secure, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return response


def _local(path: str) -> str:
    """A path on this node; anything else would let a link send people elsewhere."""
    return path if LOCAL_PATH.fullmatch(path) else "/"


ROUTES = (unclaimed, claim_form, claim, login_form, login, logout, language)
