"""The access page: people, their sessions, and tokens of systems."""

from functools import partial

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.services.access import Role, Scope
from node.services.correspondents import Write
from node.web.api.access import AccountPath, NewAccount, NewToken, SessionPath, TokenPath
from node.web.api.correspondents import BlockBody, NewSystem, NewSystemToken, RightsBody, SystemPath, to_system
from node.web.api.correspondents import change_system as change
from node.web.api.correspondents import register_system as register
from node.web.api.passports import subject_of
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import acted, redirect
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Access")
PATH = "/access"
LAST_TOKENS = 100


class TokenForm(Lines, NewToken):
    """A system to let in."""


class SystemForm(Lines, NewSystem):
    """A new system."""


class RightsForm(Lines, RightsBody):
    """Other rights of a system."""


class SystemTokenForm(Lines, NewSystemToken):
    """A new token of a system."""


class PasswordForm(BaseModel):
    """A person's new password."""

    password: str = Field(max_length=256)


@page("GET", PATH, title=TITLE, scopes=[Scope.ACCESS], menu=Menu(Group.NODE, 4, "access"), api="GET /tokens",
      lists=["GET /systems", "GET /accounts", "GET /sessions"])  # fmt: skip
async def access(call: Call) -> View:
    """Who may come in."""
    return await _view(call)


@page("POST", PATH + "/tokens", title=TITLE, scopes=[Scope.ACCESS], api="POST /tokens")
async def issue_token(call: Call, body: TokenForm) -> View:
    """Issue a token and show its secret this once."""
    try:
        subjects = [subject_of(text) for text in body.devices]
        secret, _ = await call.context.tokens.issue(call.actor, body.name, body.scopes, body.days, subjects)
    except InputError as error:
        return await _view(call, error=error)
    return await _view(call, secret=secret)


@page("POST", PATH + "/systems", title=TITLE, scopes=[Scope.ACCESS], api="POST /systems")
async def register_system(call: Call, body: SystemForm) -> View | web.Response:
    """Make a system known."""
    return await acted(register.handler(call, body=body), f"{PATH}#systems", partial(_view, call, typed=body))


@page("POST", PATH + "/systems/{name}", title=TITLE, scopes=[Scope.ACCESS], api="PUT /systems/{name}")
async def change_system(call: Call, path: SystemPath, body: RightsForm) -> View | web.Response:
    """Give a system other rights."""
    return await acted(
        change.handler(call, path=path, body=body), f"{PATH}#systems", partial(_view, call, typed=body, of=path.name)
    )


@page("POST", PATH + "/systems/{name}/tokens", title=TITLE, scopes=[Scope.ACCESS], api="POST /systems/{name}/tokens")
async def issue_system_token(call: Call, path: SystemPath, body: SystemTokenForm) -> View:
    """Issue a token of a system and show its secret this once."""
    try:
        secret, _ = await call.context.correspondents.issue(call.actor, path.name, body.days, body.overlap_hours)
    except NodeError as error:
        return await _view(call, error=error)
    return await _view(call, secret=secret)


@page("POST", PATH + "/systems/{name}/block", title=TITLE, scopes=[Scope.ACCESS], api="POST /systems/{name}/block")
async def block_system(call: Call, path: SystemPath, body: BlockBody) -> web.Response:
    """Cut a system off."""
    await call.context.correspondents.block(call.actor, path.name, body.reason)
    return redirect(f"{PATH}#systems")


@page("POST", PATH + "/systems/{name}/unblock", title=TITLE, scopes=[Scope.ACCESS], api="POST /systems/{name}/unblock")
async def unblock_system(call: Call, path: SystemPath) -> web.Response:
    """Let a system in again."""
    await call.context.correspondents.unblock(call.actor, path.name)
    return redirect(f"{PATH}#systems")


@page("POST", PATH + "/tokens/{token}/revoke", title=TITLE, scopes=[Scope.ACCESS], api="DELETE /tokens/{token}")
async def revoke_token(call: Call, path: TokenPath) -> web.Response:
    """Revoke a token."""
    await call.context.tokens.revoke(call.actor, path.token)
    return redirect(PATH)


@page("POST", PATH + "/accounts", title=TITLE, scopes=[Scope.ACCESS], api="POST /accounts")
async def add_account(call: Call, body: NewAccount) -> View | web.Response:
    """Let a person in."""
    return await acted(
        call.context.access.add_account(call.actor, body.name, body.password, body.role, body.language),
        PATH,
        partial(_view, call),
    )


@page("POST", PATH + "/accounts/{name}/remove", title=TITLE, scopes=[Scope.ACCESS], api="DELETE /accounts/{name}")
async def remove_account(call: Call, path: AccountPath) -> View | web.Response:
    """Shut a person out."""
    return await acted(call.context.access.remove_account(call.actor, path.name), PATH, partial(_view, call))


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


async def _view(
    call: Call, error: Exception | None = None, secret: str = "", typed: RightsBody | None = None, of: str = ""
) -> View:
    """The page; rights that were refused stand as they were `typed`, `of` a system or of a new one."""
    service = call.context.access
    return View(
        "access.html",
        error=error,
        secret=secret,
        typed=typed,
        of=of,
        tokens=[token for token in await call.context.tokens.list(limit=LAST_TOKENS) if token.system is None],
        systems=[to_system(one) for one in await call.context.correspondents.all()],
        writes=list(Write),
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
    access, issue_token, register_system, change_system, issue_system_token, block_system, unblock_system,
    revoke_token, add_account, remove_account, end_session, account, change_password,
)  # fmt: skip
