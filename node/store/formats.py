"""Formats of compact frames (EN 13757-3, annex G): record headers of full frames that were heard, by signature."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

MOST = 1_024  # that are told to a driver, newest first


async def keep_formats(tx: WriteTx, formats: Iterable[tuple[int, tuple[bytes, ...]]]) -> None:
    """Remember formats; of one signature the last that was heard."""
    table = schema.frame_formats
    for signature, headers in formats:
        raw = json.dumps([header.hex() for header in headers]).encode()
        if await tx.value(select(table.c.headers).where(table.c.signature == signature)) != raw:
            await upsert(tx, table, [{"signature": signature, "headers": raw, "heard_us": tx.now}])


async def read_formats(tx: ReadTx) -> Mapping[int, tuple[bytes, ...]]:
    """The formats that were heard last."""
    table = schema.frame_formats
    rows = await tx.all(select(table).order_by(table.c.heard_us.desc(), table.c.signature).limit(MOST))
    return {row.signature: tuple(bytes.fromhex(text) for text in json.loads(row.headers)) for row in rows}


async def newest_format(tx: ReadTx) -> int:
    """When a format was heard last that was new, in microseconds; 0 for never."""
    return int(await tx.value(select(func.coalesce(func.max(schema.frame_formats.c.heard_us), 0))))
