"""Who may do what here: the actor of each act, accounts with passwords and sessions, tokens of systems.

Secrets (claim link, session, token) are random, leave this module once, and are stored as hashes. Passwords are kept
as Argon2id. Everything that changes is journaled in the same transaction with the actor's label.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.services.core import Core
from node.store import access as store
from node.store.access import Account, KeptAnswer, StoredSession, StoredToken
from node.store.correspondents import find_correspondent
from node.store.database import WriteTx
from node.store.errors import ConflictError
from node.store.remembered import Remembered
from node.store.settings import find_setting, set_setting

__all__ = ["Access", "Account", "Actor", "Answers", "KeptAnswer", "Limits", "NewSession", "Role", "Scope"]
__all__ += ["StoredSession", "StoredToken", "Tokens"]

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
SESSION_US = 7 * DAY_US
IDLE_US = DAY_US // 2
SEEN_EVERY_US = 5 * MINUTE_US
ANSWER_US = DAY_US
ATTEMPTS_US = 15 * MINUTE_US
ATTEMPTS_OF_ACCOUNT_AND_ADDRESS, ATTEMPTS_OF_ADDRESS, ATTEMPTS_OF_ACCOUNT = 5, 30, 100
PASSWORD_LENGTH = range(10, 257)
TOKEN_DAYS = range(1, 367)
TOKEN_PREFIX = "pn_"  # noqa: S105 - a mark for scanners of leaked secrets, not a secret
HASHERS_AT_ONCE = 2  # 64 MiB each
CLAIM = "claim"
# Tokens that were used lately stay in memory; what each of their parts takes there.
MOST_REMEMBERED = 4 << 20
SIZE_OF_TOKEN, SIZE_OF_SUBJECT = 1 << 10, 1 << 6


class Scope(StrEnum):
    """What an actor may be let do."""

    READ = "read"
    IMPORT = "import"
    RECORD = "record"
    SHIP = "ship"
    PEERS = "peers"
    RADIO = "radio"
    HOOKS = "hooks"
    BACKUP = "backup"
    ACCESS = "access"


class Role(StrEnum):
    """What a person is let do."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes of the role."""
        return _ROLES[self]


_ROLES = {
    Role.READER: frozenset({Scope.READ}),
    Role.OPERATOR: frozenset(Scope) - {Scope.PEERS, Scope.BACKUP, Scope.ACCESS},
    Role.ADMIN: frozenset(Scope),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """To what a system is limited beside its scopes: what it writes, and over which things (ids in hex) and types."""

    writes: frozenset[str]
    things: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    @property
    def is_narrow(self) -> bool:
        """Whether it may act on some things only."""
        return bool(self.things or self.types)

    @property
    def subjects(self) -> tuple[bytes, ...]:
        """The things that it is held to, where those are all; none where types widen them or nothing limits it."""
        return () if self.types else tuple(sorted(map(bytes.fromhex, self.things)))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, a system with a token, or the administrator of this machine."""

    name: str
    kind: str
    scopes: frozenset[Scope]
    language: str | None = None
    id: str = ""  # of the session or the token
    subjects: tuple[bytes, ...] = ()  # those that it is limited to; none means every one
    limits: Limits | None = None  # of a system with rights of its own

    @property
    def system(self) -> str | None:
        """The name of the system that acts; None where it is a person."""
        return self.name if self.kind in ("system", "token") else None

    @property
    def label(self) -> str:
        """How the journal names this actor."""
        return f"{self.kind}:{self.name}"

    def may(self, scopes: Iterable[Scope]) -> bool:
        """Whether all of those are let."""
        return self.scopes.issuperset(scopes)

    @classmethod
    def local(cls) -> "Actor":
        """Whoever may open the node's own socket file."""
        return cls("administrator", "local", frozenset(Scope))


@dataclass(frozen=True, slots=True)
class NewSession:
    """A log-in; the secret is not shown again."""

    secret: str = field(repr=False)
    actor: Actor
    expires_us: int


class Access:
    """Claiming the node, accounts, log-in and sessions."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(HASHERS_AT_ONCE)
        self._nobody = ""
        self._claimed = False

    async def is_claimed(self) -> bool:
        """Whether somebody has an account here; once so, always so."""
        if not self._claimed:
            async with self._core.database.read() as tx:
                self._claimed = await store.count_accounts(tx) > 0
        return self._claimed

    async def open_claim(self) -> str | None:
        """A new secret for the one-time link, in place of earlier ones; None where the node is claimed."""
        if await self.is_claimed():
            return None
        secret = _text(self._core.random.bytes(24))
        async with self._core.database.write() as tx:
            await set_setting(tx, CLAIM, _hash(CLAIM, secret))
        return secret

    async def check_claim(self, secret: str) -> None:
        """Raise StateError where the node is claimed, NotFoundError where the link is another one."""
        async with self._core.database.read() as tx:
            expected = await find_setting(tx, CLAIM)
        if await self.is_claimed():
            raise StateError("this node is claimed already", "claimed")
        if not expected or not hmac.compare_digest(expected, _hash(CLAIM, secret)):
            raise NotFoundError("this is not the link that the node shows now", "claim_unknown")

    async def claim(self, secret: str, name: str, password: str, language: str, address: str) -> NewSession:
        """Make the first administrator, and log in."""
        await self.check_claim(secret)
        hashed = await self._hash_password(password)
        async with self._core.database.write() as tx:
            if await store.count_accounts(tx):
                raise StateError("this node is claimed already", "claimed")
            await store.insert_account(tx, name, hashed, Role.ADMIN, language)
            await set_setting(tx, CLAIM, b"")
            await self._core.announce(tx, f"person:{name}", "node_claimed", account=name)
            return await self._open_session(tx, name, Role.ADMIN, language, address)

    async def log_in(self, name: str, password: str, address: str) -> NewSession:
        """Open a session; raise StateError after too many attempts, DeniedError on a wrong name or password."""
        await self._count_attempt(name, address)
        async with self._core.database.read() as tx:
            account = await store.find_account(tx, name)
        # Whether there is such an account is not to be told from how long the answer takes.
        nobody = await self._password_of_nobody()
        right = await self._verify(account.password if account else nobody, password)
        async with self._core.database.write() as tx:
            # The account may have gone while the password was checked.
            account = await store.find_account(tx, name)
            if account and right:
                await store.forget_attempts(tx, _attempt_key(name, address))
                return await self._open_session(tx, name, Role(account.role), account.language, address)
            await self._core.announce(tx, "nobody", "login_refused", account=name if account else "", address=address)
        raise DeniedError("the name or the password is wrong", "login_failed")

    async def find_session_actor(self, secret: str) -> Actor | None:
        """Who a session's cookie speaks for; use prolongs the session."""
        found = await self._core.database.glance(lambda tx: store.find_session(tx, _hash("session", secret)))
        if found is None:
            return None
        session, account = found
        now = self._core.clock.now()
        if now - session.seen_us > SEEN_EVERY_US:
            async with self._core.database.write() as write:
                until = min(session.created_us + SESSION_US, now + IDLE_US)
                await store.touch_session(write, session.hash, until)
        return _person(account.name, Role(account.role), account.language, session.id)

    async def log_out(self, actor: Actor) -> None:
        """End the actor's own session."""
        await self.end_session(actor, actor.name, actor.id)

    async def end_session(self, actor: Actor, account: str, session_id: str) -> None:
        """End one session of an account; raise NotFoundError."""
        async with self._core.database.write() as tx:
            if not await store.delete_sessions(tx, account, session_id=session_id):
                raise NotFoundError(f"session {session_id} is not known here", "session_unknown")
            await self._core.announce(tx, actor.label, "session_ended", account=account, session=session_id)

    async def sessions(self, account: str | None = None) -> list[StoredSession]:
        """The open sessions, of one account or of all."""
        async with self._core.database.read() as tx:
            return await store.list_sessions(tx, account)

    async def accounts(self) -> list[Account]:
        """Everybody who may log in."""
        async with self._core.database.read() as tx:
            return await store.list_accounts(tx)

    async def add_account(self, actor: Actor, name: str, password: str, role: Role, language: str) -> Account:
        """Let a person in; raise StateError where the name is taken."""
        hashed = await self._hash_password(password)
        async with self._core.database.write() as tx:
            try:
                await store.insert_account(tx, name, hashed, role, language)
            except ConflictError as error:
                raise StateError(str(error), "account_exists") from error
            await self._core.announce(tx, actor.label, "account_added", account=name, role=role.value)
            return Account(name, hashed, role, language, tx.now)

    async def remove_account(self, actor: Actor, name: str) -> None:
        """Shut a person out and end their sessions; raise StateError for the last administrator."""
        async with self._core.database.write() as tx:
            account = await store.find_account(tx, name)
            if account is None:
                raise NotFoundError(f"account {name!r} is not known here", "account_unknown")
            if account.role == Role.ADMIN and await store.count_accounts(tx, Role.ADMIN) == 1:
                raise StateError("the last administrator stays", "last_administrator")
            await store.delete_account(tx, name)
            await self._core.announce(tx, actor.label, "account_removed", account=name)

    async def change_password(self, actor: Actor, password: str) -> None:
        """Set the actor's own password and end their other sessions."""
        hashed = await self._hash_password(password)
        async with self._core.database.write() as tx:
            await self._change(tx, actor, password=hashed)
            await store.delete_sessions(tx, actor.name, but=actor.id)
            await self._core.announce(tx, actor.label, "password_changed", account=actor.name)

    async def change_language(self, actor: Actor, language: str) -> None:
        """Set the language that the actor reads."""
        async with self._core.database.write() as tx:
            await self._change(tx, actor, language=language)
            await self._core.announce(tx, actor.label, "language_changed", language=language)

    async def note_refusal(self, actor: Actor, operation: str, code: str) -> None:
        """Journal that an actor tried what it may not."""
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor.label, "write_refused", operation=operation, code=code)

    async def _change(self, tx: WriteTx, actor: Actor, **values: str) -> None:
        if actor.kind != "person" or not await store.change_account(tx, actor.name, **values):
            raise StateError("only a person has an account to change", "no_account")

    async def _count_attempt(self, name: str, address: str) -> None:
        limits = {
            _attempt_key(name, address): ATTEMPTS_OF_ACCOUNT_AND_ADDRESS,
            _attempt_key("", address): ATTEMPTS_OF_ADDRESS,
            _attempt_key(name, ""): ATTEMPTS_OF_ACCOUNT,
        }
        async with self._core.database.write() as tx:
            counts = {key: await store.count_attempt(tx, key, ATTEMPTS_US) for key in limits}
        if any(counts[key] > limit for key, limit in limits.items()):
            minutes = ATTEMPTS_US // MINUTE_US
            raise StateError("too many attempts to log in", "too_many_attempts", minutes=minutes)

    async def _open_session(self, tx: WriteTx, name: str, role: Role, language: str, address: str) -> NewSession:
        secret = _text(self._core.random.bytes(32))
        hashed = _hash("session", secret)
        session = StoredSession(hashed, hashed[:8].hex(), name, address, tx.now, tx.now, tx.now + IDLE_US)
        await store.insert_session(tx, session)
        await self._core.announce(tx, f"person:{name}", "logged_in", session=session.id, address=address)
        return NewSession(secret, _person(name, role, language, session.id), session.expires_us)

    async def _hash_password(self, password: str) -> str:
        if len(password) not in PASSWORD_LENGTH:
            shortest = PASSWORD_LENGTH.start
            raise InputError(f"a password has {shortest} to 256 characters", "password_length", shortest=shortest)
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _password_of_nobody(self) -> str:
        if not self._nobody:
            self._nobody = await self._hash_password(_text(self._core.random.bytes(16)))
        return self._nobody

    async def _verify(self, hashed: str, password: str) -> bool:
        if len(password) not in range(1, PASSWORD_LENGTH.stop):
            return False
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except VerificationError:
                return False


class Tokens:
    """Ways in for systems: scoped, expiring, shown once."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._used_lately: Remembered[bytes, StoredToken] = Remembered(core.database, _size, MOST_REMEMBERED)

    async def issue(
        self,
        actor: Actor,
        name: str,
        scopes: frozenset[Scope],
        days: int,
        subjects: Iterable[bytes] = (),
        *,
        system: str | None = None,
    ) -> tuple[str, StoredToken]:
        """A new token's secret and what is kept of it; raise DeniedError where the actor may less.

        With subjects the token is limited to those. With a `system` it is that correspondent's; one that is nobody's
        must not have the name of a correspondent.
        """
        if days not in TOKEN_DAYS:
            raise InputError(f"a token lives 1 to 366 days, not {days}", "token_days")
        if not actor.may(scopes):
            raise DeniedError("a token may do no more than who issues it", "token_scopes")
        secret = TOKEN_PREFIX + _text(self._core.random.bytes(32))
        hashed = _hash("token", secret)
        async with self._core.database.write() as tx:
            if system is None and await find_correspondent(tx, name) is not None:
                raise StateError(f"{name!r} is a registered system", "system_named", system=name)
            expires, given, limits = tx.now + days * DAY_US, tuple(sorted(scopes)), tuple(sorted(set(subjects)))
            token = StoredToken(hashed, hashed[:8].hex(), name, given, actor.label, tx.now, expires, limits, system)
            await store.insert_token(tx, token)
            await self._core.announce(
                tx, actor.label, "token_issued", token=token.id, name=name, scopes=list(given), devices=len(limits)
            )
        return secret, token

    async def find_actor(self, secret: str, moment: int | None = None) -> Actor | None:
        """Which system a token speaks for; None where it is unknown, revoked or out of date.

        It is what stood at a moment of the store, or later; without one, what stands now.
        """
        hashed = _hash("token", secret)
        token = await self._used_lately.get(hashed, lambda tx, _known: store.find_token(tx, hashed), moment)
        if token is None or token.expires_us <= self._core.clock.now():
            return None
        return _actor_of(token)

    async def list(self, after: tuple[int, str] | None = None, limit: int = 50) -> list[StoredToken]:
        """Tokens, newest first, after a (created_us, id) place."""
        async with self._core.database.read() as tx:
            return await store.list_tokens(tx, after, limit)

    async def revoke(self, actor: Actor, token_id: str) -> None:
        """Make a token worthless; raise NotFoundError."""
        async with self._core.database.write() as tx:
            if not await store.delete_token(tx, token_id):
                raise NotFoundError(f"token {token_id} is not known here", "token_unknown")
            await self._core.announce(tx, actor.label, "token_revoked", token=token_id)


class Answers:
    """Answers kept a day for requests with an Idempotency-Key, so that a repeated request acts once."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def begin(self, actor: Actor, key: str, request_hash: bytes) -> KeptAnswer | None:
        """The kept answer, or None where the request is to be answered now.

        Raises StateError where the same request is being answered or was cut off, InputError where the key was used
        for another request.
        """
        try:
            async with self._core.database.write() as tx:
                kept = await store.reserve_answer(tx, _owner(actor), key, request_hash, ANSWER_US)
        except ConflictError as error:
            raise StateError(str(error), "idempotency_running") from error
        if kept is None:
            return None
        if kept.request_hash != request_hash:
            raise InputError(f"the key {key!r} was used for another request", "idempotency_mismatch")
        if kept.status == 0:
            raise StateError("the request with this key is being answered or was cut off", "idempotency_running")
        return replace(kept, body=self._core.keystore.vault.open(kept.body))

    async def keep(self, actor: Actor, key: str, answer: KeptAnswer) -> None:
        """Keep the answer, sealed: it may hold a secret that is shown once."""
        sealed = replace(answer, body=self._core.keystore.vault.seal(answer.body))
        async with self._core.database.write() as tx:
            await store.keep_answer(tx, _owner(actor), key, sealed)

    async def drop(self, actor: Actor, key: str) -> None:
        """Give the key back after an answer that is not kept."""
        async with self._core.database.write() as tx:
            await store.drop_answer(tx, _owner(actor), key)


def _size(token: StoredToken) -> int:
    return SIZE_OF_TOKEN + SIZE_OF_SUBJECT * len(token.subjects)


def _person(name: str, role: Role, language: str, session: str) -> Actor:
    return Actor(name, "person", role.scopes, language, session)


def _owner(actor: Actor) -> str:
    return f"{actor.label}/{actor.id}"


def _attempt_key(name: str, address: str) -> str:
    return _hash("attempt", f"{name}\n{address}").hex()


@lru_cache(maxsize=1024)  # a token that is remembered speaks for the same one
def _actor_of(token: StoredToken) -> Actor:
    kind, scopes = "token" if token.system is None else "system", frozenset(map(Scope, token.scopes))
    return Actor(token.system or token.name, kind, scopes, id=token.id, subjects=token.subjects)


def _hash(purpose: str, secret: str) -> bytes:
    return hashlib.sha256(f"passport/{purpose}/1\n{secret}".encode()).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
