"""Who asked this organisation to be shown something: kept until somebody answers."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An organisation asks to be shown what has an identifier; `subject` is what has it here."""

    org: bytes
    scheme: str
    value: str
    subject: bytes
    words: str
    asked_us: int = 0


async def put_request(tx: WriteTx, request: AccessRequest) -> None:
    """Keep a request; the same one again takes its place."""
    row: dict[str, object] = {
        "org": request.org,
        "subject": request.subject,
        "scheme": request.scheme,
        "value": request.value,
        "words": request.words,
        "asked_us": tx.now,
    }
    await upsert(tx, schema.access_requests, [row])


async def list_requests(tx: ReadTx, limit: int) -> list[AccessRequest]:
    """Those that wait, the oldest first."""
    table = schema.access_requests.c
    rows = await tx.all(select(schema.access_requests).order_by(table.asked_us, table.org, table.subject).limit(limit))
    return [AccessRequest(row.org, row.scheme, row.value, row.subject, row.words, row.asked_us) for row in rows]


async def count_requests(tx: ReadTx, org: bytes | None = None) -> int:
    """How many wait, of all or of one organisation."""
    statement = select(func.count()).select_from(schema.access_requests)
    return int(await tx.value(statement if org is None else statement.where(schema.access_requests.c.org == org)))


async def drop_request(tx: WriteTx, org: bytes, subject: bytes) -> bool:
    """Forget a request; whether there was one."""
    table = schema.access_requests
    return await tx.run(delete(table).where(table.c.org == org, table.c.subject == subject)) > 0
