"""Named values of this node: the federation's genesis, the backup mark, versions of projections."""

from sqlalchemy import bindparam, delete, select

from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import upsert

_VALUE = select(schema.settings.c.value).where(schema.settings.c.name == bindparam("of"))

_FROM_TO = select(schema.settings).where(
    schema.settings.c.name >= bindparam("first"), schema.settings.c.name < bindparam("end")
)


async def find_setting(tx: ReadTx, name: str) -> bytes | None:
    """The value of that name."""
    value: bytes | None = await tx.value(_VALUE, of=name)
    return value


async def set_setting(tx: WriteTx, name: str, value: bytes) -> None:
    """Keep a value under a name."""
    await upsert(tx, schema.settings, [{"name": name, "value": value}])


async def drop_setting(tx: WriteTx, name: str) -> bool:
    """Forget the value of a name; whether there was one."""
    return await tx.run(delete(schema.settings).where(schema.settings.c.name == name)) > 0


async def settings_like(tx: ReadTx, prefix: str) -> dict[str, bytes]:
    """The values whose names begin so."""
    rows = await tx.all(_FROM_TO, first=prefix, end=prefix + "\uffff")
    return {row.name: row.value for row in rows}
