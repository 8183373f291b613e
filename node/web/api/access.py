"""Accounts, sessions, tokens and the claim as resources."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from node.errors import DeniedError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Account, Actor, Role, Scope, StoredSession, StoredToken
from node.web.api.passports import DeviceText, subject_of
from node.web.auth import client_address
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import office as tables

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[.@ -]*\w[\w.@ -]*$")
]
Language = Literal["ru", "en"]
MOST_DEVICES = 1000


class Input(BaseModel):
    """A body with nothing beside what is asked for."""

    model_config = ConfigDict(extra="forbid")


class Claim(Input):
    """The first administrator, and the secret of the one-time link."""

    secret: str = Field(min_length=1, max_length=64)
    name: Name
    password: str = Field(max_length=256)
    language: Language = "ru"


class NewAccount(Input):
    """A person to let in."""

    name: Name
    password: str = Field(max_length=256)
    role: Role
    language: Language = "ru"


class AccountInfo(BaseModel):
    """A person who may log in."""

    name: str
    role: Role
    language: str
    created: datetime


class AccountList(BaseModel):
    """Everybody who may log in."""

    items: list[AccountInfo]


class AccountPath(BaseModel):
    """Which account."""

    name: str


class Me(BaseModel):
    """Who asks."""

    name: str
    kind: str
    scopes: list[Scope]
    language: str
    devices: list[str] = Field(description="Device ids to which one is limited; empty where one is not.")


class MyChanges(Input):
    """What a person changes of their own account."""

    language: Language | None = None
    password: str | None = Field(default=None, max_length=256)


class SessionInfo(BaseModel):
    """A log-in that goes on."""

    id: str
    account: str
    address: str
    created: datetime
    seen: datetime
    expires: datetime


class SessionList(BaseModel):
    """The open sessions."""

    items: list[SessionInfo]


class SessionPath(BaseModel):
    """Which session."""

    account: str
    session: str


class NewToken(Input):
    """A system to let in."""

    name: Name
    scopes: frozenset[Scope] = Field(min_length=1)
    days: int = Field(default=90, ge=1, le=366)
    devices: list[DeviceText] = Field(
        default=[], max_length=MOST_DEVICES, description="Device ids to which it is limited; without any, all."
    )


class TokenInfo(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    system: str | None = Field(default=None, description="Of which registered system it is.")
    scopes: list[str]
    issuer: str
    created: datetime
    expires: datetime
    devices: list[str] = Field(description="Device ids to which it is limited; empty where it is not.")


class IssuedToken(TokenInfo):
    """A new token; its secret is shown this once."""

    secret: str


class TokenPath(BaseModel):
    """Which token."""

    token: str


@api("POST", "/claim", title="Claim the node", is_open=True, before_claim=True, status=201,
     problems=["claimed", "claim_unknown", "password_length"])  # fmt: skip
async def claim(call: Call, body: Claim) -> AccountInfo:
    """Make the first administrator with the secret of the one-time link."""
    address = client_address(call.request)
    await call.context.access.claim(body.secret, body.name, body.password, body.language, address)
    account = next(a for a in await call.context.access.accounts() if a.name == body.name)
    return _account(account)


@api("GET", "/me", title="Who I am", limit=Limit.NONE)
async def get_me(call: Call) -> Me:
    """The account or token that this request came with, and its rights."""
    return _me(call.actor, call.language)


@api("PATCH", "/me", title="Change my own account", problems=["no_account", "password_length"])
async def change_me(call: Call, body: MyChanges) -> Me:
    """Set one's own language or password; a new password ends one's other sessions."""
    language = call.language
    if body.language is not None:
        await call.context.access.change_language(call.actor, body.language)
        language = body.language
    if body.password is not None:
        await call.context.access.change_password(call.actor, body.password)
    return _me(call.actor, language)


@api("GET", "/accounts", title="List accounts", scopes=[Scope.ACCESS], table=tables.ACCOUNTS)
async def list_accounts(call: Call) -> AccountList:
    """Everybody who may log in."""
    return AccountList(items=[_account(account) for account in await call.context.access.accounts()])


@api("POST", "/accounts", title="Add an account", scopes=[Scope.ACCESS], status=201,
     problems=["account_exists", "password_length"])  # fmt: skip
async def add_account(call: Call, body: NewAccount) -> AccountInfo:
    """Let a person in, with a role."""
    made = await call.context.access.add_account(call.actor, body.name, body.password, body.role, body.language)
    return _account(made)


@api("DELETE", "/accounts/{name}", title="Remove an account", scopes=[Scope.ACCESS],
     problems=["account_unknown", "last_administrator"])  # fmt: skip
async def remove_account(call: Call, path: AccountPath) -> None:
    """Shut a person out; their sessions end at once."""
    await call.context.access.remove_account(call.actor, path.name)


@api("GET", "/sessions", title="List sessions", scopes=[Scope.ACCESS], table=tables.SESSIONS)
async def list_sessions(call: Call) -> SessionList:
    """The log-ins that go on."""
    return SessionList(items=[_session(session) for session in await call.context.access.sessions()])


@api("DELETE", "/sessions/{account}/{session}", title="End a session", problems=["session_unknown"])
async def end_session(call: Call, path: SessionPath) -> None:
    """End a session: one's own, or with the scope `access` anybody's."""
    own = call.actor.kind == "person" and call.actor.name == path.account
    if not own and not call.actor.may([Scope.ACCESS]):
        raise DeniedError("another person's session", "scope", scopes=Scope.ACCESS.value)
    await call.context.access.end_session(call.actor, path.account, path.session)


@api("GET", "/tokens", title="List tokens, newest first", scopes=[Scope.ACCESS], problems=["cursor"],
     table=tables.TOKENS)  # fmt: skip
async def list_tokens(call: Call, query: PageQuery) -> Page[TokenInfo]:
    """Every token that was not revoked, also expired ones."""
    after = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    place = (int(after[0]), str(after[1])) if after else None
    rows = await call.context.tokens.list(place, query.limit + 1)
    last = rows[query.limit - 1] if len(rows) > query.limit else None
    more = call.encode_cursor(last.created_us, last.id) if last else None
    return Page(items=[to_token(row) for row in rows[: query.limit]], next=more)


@api("POST", "/tokens", title="Issue a token", scopes=[Scope.ACCESS], status=201,
     problems=["token_scopes", "system_named", "id_mistyped"])  # fmt: skip
async def issue_token(call: Call, body: NewToken) -> IssuedToken:
    """A token with scopes and an end; the secret in the answer is not shown again."""
    subjects = [subject_of(text) for text in body.devices]
    secret, token = await call.context.tokens.issue(call.actor, body.name, body.scopes, body.days, subjects)
    return IssuedToken(secret=secret, **to_token(token).model_dump())


@api("DELETE", "/tokens/{token}", title="Revoke a token", scopes=[Scope.ACCESS], problems=["token_unknown"])
async def revoke_token(call: Call, path: TokenPath) -> None:
    """Make a token worthless at once."""
    await call.context.tokens.revoke(call.actor, path.token)


def to_token(token: StoredToken) -> TokenInfo:
    """A token as the API shows it."""
    return TokenInfo(
        id=token.id,
        name=token.name,
        system=token.system,
        scopes=list(token.scopes),
        issuer=token.issuer,
        created=utc_time(token.created_us),
        expires=utc_time(token.expires_us),
        devices=_devices(token.subjects),
    )


def _devices(subjects: Iterable[bytes]) -> list[str]:
    return [format_device_id(SubjectId(subject)) for subject in subjects]


def _me(actor: Actor, language: str) -> Me:
    devices = _devices(actor.subjects)
    return Me(name=actor.name, kind=actor.kind, scopes=sorted(actor.scopes), language=language, devices=devices)


def _account(account: Account) -> AccountInfo:
    created = utc_time(account.created_us)
    return AccountInfo(name=account.name, role=Role(account.role), language=account.language, created=created)


def _session(session: StoredSession) -> SessionInfo:
    return SessionInfo(
        id=session.id,
        account=session.account,
        address=session.address,
        created=utc_time(session.created_us),
        seen=utc_time(session.seen_us),
        expires=utc_time(session.expires_us),
    )


def utc_time(micros: int) -> datetime:
    """Microseconds as a time."""
    return datetime.fromtimestamp(micros / 1e6, UTC)


ROUTES = (
    claim, get_me, change_me, list_accounts, add_account, remove_account, list_sessions, end_session,
    list_tokens, issue_token, revoke_token,
)  # fmt: skip
