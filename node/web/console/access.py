"""The access page: people, their sessions, and tokens of systems."""

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError
from node.services.access import Role, Scope
from node.web.api.access import MOST_DEVICES, AccountPath, Name, NewAccount, SessionPath, TokenPath
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.languages import mark
from node.web.routes import Menu, page

TITLE = mark("Access")
PATH = "/access"
LAST_TOKENS = 100


class TokenForm(BaseModel):
    """A system to let in; devices stand apart by spaces or lines."""

    name: Name
    scopes: frozenset[Scope] = Field(min_length=1)
    days: int = Field(default=90, ge=1, le=366)
    devices: str = Field(default="", max_length=MOST_DEVICES * 80)


class PasswordForm(BaseModel):
    """A person's new password."""

    password: str = Field(max_length=256)


@page("GET", PATH, title=TITLE, scopes=[Scope.ACCESS], menu=Menu(100, "access"), api="GET /tokens",
      lists=["GET /accounts", "GET /sessions"])  # fmt: skip
async def access(call: Call) -> View:
    """Who may come in."""
    return await _view(call)


@page("POST", PATH + "/tokens", title=TITLE, scopes=[Scope.ACCESS], api="POST /tokens")
async def issue_token(call: Call, body: TokenForm) -> View:
    """Issue a token and show its secret this once."""
    try:
        subjects = [subject_of(text) for text in body.devices.split()]
        secret, _ = await call.context.tokens.issue(call.actor, body.name, body.scopes, body.days, subjects)
    except InputError as error:
        return await _view(call, error=error)
    return await _view(call, secret=secret)


@page("POST", PATH + "/tokens/{token}/revoke", title=TITLE, scopes=[Scope.ACCESS], api="DELETE /tokens/{token}")
async def revoke_token(call: Call, path: TokenPath) -> web.Response:
    """Revoke a token."""
    await call.context.tokens.revoke(call.actor, path.token)
    return redirect(PATH)


@page("POST", PATH + "/accounts", title=TITLE, scopes=[Scope.ACCESS], api="POST /accounts")
async def add_account(call: Call, body: NewAccount) -> View | web.Response:
    """Let a person in."""
    try:
        await call.context.access.add_account(call.actor, body.name, body.password, body.role, body.language)
    except InputError as error:
        return await _view(call, error=error)
    return redirect(PATH)


@page("POST", PATH + "/accounts/{name}/remove", title=TITLE, scopes=[Scope.ACCESS], api="DELETE /accounts/{name}")
async def remove_account(call: Call, path: AccountPath) -> View | web.Response:
    """Shut a person out."""
    try:
        await call.context.access.remove_account(call.actor, path.name)
    except InputError as error:
        return await _view(call, error=error)
    return redirect(PATH)


@page("POST", PATH + "/sessions/{account}/{session}/end", title=TITLE, scopes=[Scope.ACCESS],
      api="DELETE /sessions/{account}/{session}")  # fmt: skip
async def end_session(call: Call, path: SessionPath) -> web.Response:
    """End a log-in."""
    await call.context.access.end_session(call.actor, path.account, path.session)
    return redirect(PATH)


@page("GET", "/account", title=mark("My account"), api="GET /me")
async def account(call: Call) -> View:
    """One's own account."""
    return await _account(call)


@page("POST", "/account/password", title=mark("My account"), api="PATCH /me")
async def change_password(call: Call, body: PasswordForm) -> View:
    """Set one's own password."""
    try:
        await call.context.access.change_password(call.actor, body.password)
    except InputError as error:
        return await _account(call, error=error)
    return await _account(call, changed=True)


async def _view(call: Call, error: Exception | None = None, secret: str = "") -> View:
    service = call.context.access
    return View(
        "access.html",
        error=error,
        secret=secret,
        tokens=await call.context.tokens.list(limit=LAST_TOKENS),
        accounts=await service.accounts(),
        sessions=await service.sessions(),
        scopes=[scope for scope in Scope if call.actor.may([scope])],
        roles=list(Role),
        now=call.context.clock.now(),
    )


async def _account(call: Call, error: Exception | None = None, *, changed: bool = False) -> View:
    sessions = await call.context.access.sessions(call.actor.name) if call.actor.kind == "person" else []
    return View("account.html", error=error, changed=changed, sessions=sessions)


ROUTES = (
    access, issue_token, revoke_token, add_account, remove_account, end_session, account, change_password,
)  # fmt: skip
