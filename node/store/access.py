"""Who may come in: accounts, sessions, tokens, log-in attempts, and answers kept for repeated requests.

Secrets come in as hashes only; nothing here can be used to come in with.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import ConflictError
from node.store.packing import pack_subjects, unpack_subjects
from node.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class Account:
    """A person who logs in."""

    name: str
    password: str = field(repr=False)
    role: str
    language: str
    created_us: int


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A log-in that goes on."""

    hash: bytes = field(repr=False)
    id: str
    account: str
    address: str
    created_us: int
    seen_us: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A system's way in."""

    hash: bytes = field(repr=False)
    id: str
    name: str
    scopes: tuple[str, ...]
    issuer: str
    created_us: int
    expires_us: int
    subjects: tuple[bytes, ...] = ()  # those that it is limited to; none means every one
    system: str | None = None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered to a request with an idempotency key; status 0 while it is being answered."""

    request_hash: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


async def insert_account(tx: WriteTx, name: str, password: str, role: str, language: str) -> None:
    """Add a person; raise ConflictError where the name is taken."""
    row = insert(schema.accounts).values(name=name, password=password, role=role, language=language, created_us=tx.now)
    try:
        await tx.run(row)
    except IntegrityError as error:
        raise ConflictError(f"an account {name!r} is here already") from error


async def find_account(tx: ReadTx, name: str) -> Account | None:
    """The account of that name."""
    row = await tx.first(select(schema.accounts).where(schema.accounts.c.name == name))
    return Account(**row._mapping) if row else None


async def list_accounts(tx: ReadTx) -> list[Account]:
    """Every account, by name."""
    rows = await tx.all(select(schema.accounts).order_by(schema.accounts.c.name))
    return [Account(**row._mapping) for row in rows]


async def count_accounts(tx: ReadTx, role: str | None = None) -> int:
    """How many accounts there are, of a role or of all."""
    statement = select(func.count()).select_from(schema.accounts)
    if role is not None:
        statement = statement.where(schema.accounts.c.role == role)
    return int(await tx.value(statement))


async def change_account(tx: WriteTx, name: str, **values: str) -> bool:
    """Set columns of an account; False where there is none."""
    return await tx.run(update(schema.accounts).where(schema.accounts.c.name == name).values(**values)) == 1


async def delete_account(tx: WriteTx, name: str) -> bool:
    """Drop an account and its sessions; False where there is none."""
    await tx.run(delete(schema.sessions).where(schema.sessions.c.account == name))
    return await tx.run(delete(schema.accounts).where(schema.accounts.c.name == name)) == 1


async def insert_session(tx: WriteTx, session: StoredSession) -> None:
    """Add a session, and drop those that are out of date."""
    await tx.run(delete(schema.sessions).where(schema.sessions.c.expires_us <= tx.now))
    await tx.run(insert(schema.sessions).values(**_columns(session)))


async def find_session(tx: ReadTx, session_hash: bytes) -> tuple[StoredSession, Account] | None:
    """A session that has not expired, and whose it is."""
    table = schema.sessions.c
    row = await tx.first(select(schema.sessions).where(table.hash == session_hash, table.expires_us > tx.now))
    account = await find_account(tx, row.account) if row else None
    return (StoredSession(**row._mapping), account) if row and account else None


async def list_sessions(tx: ReadTx, account: str | None = None) -> list[StoredSession]:
    """The sessions that have not expired, of one account or of all, newest first."""
    table = schema.sessions.c
    statement = select(schema.sessions).where(table.expires_us > tx.now).order_by(table.created_us.desc())
    if account is not None:
        statement = statement.where(table.account == account)
    return [StoredSession(**row._mapping) for row in await tx.all(statement)]


async def touch_session(tx: WriteTx, session_hash: bytes, expires_us: int) -> None:
    """The session was used now."""
    table = schema.sessions
    await tx.run(update(table).where(table.c.hash == session_hash).values(seen_us=tx.now, expires_us=expires_us))


async def delete_sessions(tx: WriteTx, account: str, *, session_id: str | None = None, but: str | None = None) -> int:
    """End sessions of an account: all of them, one, or all but one; answer how many."""
    table = schema.sessions.c
    statement = delete(schema.sessions).where(table.account == account)
    if session_id is not None:
        statement = statement.where(table.id == session_id)
    if but is not None:
        statement = statement.where(table.id != but)
    return await tx.run(statement)


async def insert_token(tx: WriteTx, token: StoredToken) -> None:
    """Add a token."""
    texts = {"scopes": " ".join(token.scopes), "subjects": pack_subjects(token.subjects)}
    await tx.run(insert(schema.tokens).values({**_columns(token), **texts}))


async def find_token(tx: ReadTx, token_hash: bytes) -> StoredToken | None:
    """The token of that hash, expired or not."""
    row = await tx.first(select(schema.tokens).where(schema.tokens.c.hash == token_hash))
    return _token(row) if row else None


async def is_token_valid(tx: ReadTx, token_id: str) -> bool:
    """Whether there is a token of that id that has not ended."""
    table = schema.tokens.c
    return await tx.first(select(table.id).where(table.id == token_id, table.expires_us > tx.now)) is not None


async def list_tokens(tx: ReadTx, after: tuple[int, str] | None, limit: int) -> list[StoredToken]:
    """Tokens, newest first, after a (created_us, id) place."""
    table = schema.tokens.c
    statement = select(schema.tokens).order_by(table.created_us.desc(), table.id.desc()).limit(limit)
    if after is not None:
        created, token_id = after
        older = (table.created_us == created) & (table.id < token_id)
        statement = statement.where((table.created_us < created) | older)
    return [_token(row) for row in await tx.all(statement)]


async def tokens_of(tx: ReadTx, system: str) -> list[StoredToken]:
    """The tokens of a correspondent, newest first, out of date or not."""
    table = schema.tokens.c
    statement = select(schema.tokens).where(table.system == system).order_by(table.created_us.desc(), table.id.desc())
    return [_token(row) for row in await tx.all(statement)]


async def has_plain_token(tx: ReadTx, name: str) -> bool:
    """Whether a token that is no correspondent's has that name."""
    table = schema.tokens.c
    return await tx.first(select(table.id).where(table.name == name, table.system.is_(None)).limit(1)) is not None


async def shorten_tokens(tx: WriteTx, system: str, until_us: int) -> int:
    """Let the tokens of a correspondent that live longer end at a time; answer how many."""
    table = schema.tokens
    later = update(table).where(table.c.system == system, table.c.expires_us > until_us)
    return await tx.run(later.values(expires_us=until_us))


async def delete_token(tx: WriteTx, token_id: str) -> bool:
    """Drop a token; False where there is none."""
    return await tx.run(delete(schema.tokens).where(schema.tokens.c.id == token_id)) == 1


async def count_attempt(tx: WriteTx, key: str, window_us: int) -> int:
    """Count one more attempt under a key and answer how many there were in the current window."""
    table = schema.attempts.c
    await tx.run(delete(schema.attempts).where(table.since_us <= tx.now - window_us))
    row = await tx.first(select(schema.attempts).where(table.key == key))
    count, since = (row._mapping["count"], row.since_us) if row else (0, tx.now)
    await upsert(tx, schema.attempts, [{"key": key, "count": count + 1, "since_us": since}])
    return int(count) + 1


async def forget_attempts(tx: WriteTx, key: str) -> None:
    """Start counting anew."""
    await tx.run(delete(schema.attempts).where(schema.attempts.c.key == key))


async def reserve_answer(tx: WriteTx, actor: str, key: str, request_hash: bytes, keep_us: int) -> KeptAnswer | None:
    """Take a key for a request that will be answered now, or answer what stands under it already.

    Raises ConflictError where another process takes it at this moment.
    """
    table = schema.idempotency.c
    await tx.run(delete(schema.idempotency).where(table.at_us <= tx.now - keep_us))
    row = await tx.first(select(schema.idempotency).where(table.actor == actor, table.key == key))
    if row is not None:
        return KeptAnswer(row.request_hash, row.status, json.loads(row.headers), row.body)
    taken = insert(schema.idempotency).values(
        actor=actor, key=key, request_hash=request_hash, status=0, headers="{}", body=b"", at_us=tx.now
    )
    try:
        await tx.run(taken)
    except IntegrityError as error:
        raise ConflictError(f"the key {key!r} was taken by another process") from error
    return None


async def blank_answers(tx: WriteTx, tells: Callable[[bytes], bool], blank: bytes) -> None:
    """Forget what was answered where its body tells it: the same request again gets its status and `blank`."""
    table = schema.idempotency
    for row in await tx.all(select(table.c.actor, table.c.key, table.c.body).where(table.c.status != 0)):
        if tells(row.body):
            named = (table.c.actor == row.actor, table.c.key == row.key)
            await tx.run(update(table).where(*named).values(body=blank))


async def keep_answer(tx: WriteTx, actor: str, key: str, answer: KeptAnswer) -> None:
    """Keep what was answered."""
    table = schema.idempotency
    headers = json.dumps(dict(answer.headers), sort_keys=True)
    statement = update(table).where(table.c.actor == actor, table.c.key == key)
    await tx.run(statement.values(status=answer.status, headers=headers, body=answer.body))


async def drop_answer(tx: WriteTx, actor: str, key: str) -> None:
    """Give a key back: the request changed nothing and may be sent again."""
    table = schema.idempotency.c
    await tx.run(delete(schema.idempotency).where(table.actor == actor, table.key == key))


def _token(row: Record) -> StoredToken:
    values = {"scopes": tuple(row.scopes.split()), "subjects": unpack_subjects(row.subjects)}
    return StoredToken(**{**row._mapping, **values})


def _columns(record: StoredSession | StoredToken) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}
