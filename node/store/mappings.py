"""What a driver's names mean in the central catalog, and which names drivers used on this node."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import and_, delete, select

from drivers.mapping import MappingRow
from node.store import schema
from node.store.database import ReadTx, WriteTx
from node.store.upserts import insert_new, upsert

BYTES = -1  # the channel of names of bytes that are no reading


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the mapping, and when it was changed last."""

    row: MappingRow
    changed_us: int


@dataclass(frozen=True, slots=True)
class SeenField:
    """A quantity that a driver named here: in which unit, since when, and a frame in which it stands."""

    driver: str
    quantity: str
    channel: int
    unit: str
    first_us: int
    frame_id: int


async def put_mapping(tx: WriteTx, row: MappingRow) -> None:
    """Add a row or replace the one of its driver, quantity and channel."""
    values: dict[str, object] = {
        "driver": row.driver,
        "quantity": row.quantity,
        "channel": row.channel,
        "code": row.code,
        "unit": row.unit,
        "obis": row.obis,
        "scale": format(row.scale, "f"),
        "changed_us": tx.now,
    }
    await upsert(tx, schema.mappings, [values])


async def drop_mapping(tx: WriteTx, driver: str, quantity: str, channel: int) -> bool:
    """Remove a row; whether there was one."""
    table = schema.mappings.c
    chosen = and_(table.driver == driver, table.quantity == quantity, table.channel == channel)
    return await tx.run(delete(schema.mappings).where(chosen)) > 0


async def list_mappings(tx: ReadTx) -> list[StoredRow]:
    """Every row, by driver, quantity and channel."""
    table = schema.mappings
    rows = await tx.all(select(table).order_by(table.c.driver, table.c.quantity, table.c.channel))
    return [
        StoredRow(
            MappingRow(row.driver, row.quantity, row.channel, row.code, row.unit, row.obis, Decimal(row.scale)),
            row.changed_us,
        )
        for row in rows
    ]


async def note_fields(tx: WriteTx, fields: Iterable[SeenField]) -> None:
    """Keep the first word of each name; what stands already stays."""
    rows: list[dict[str, object]] = [
        {
            "driver": field.driver,
            "quantity": field.quantity,
            "channel": field.channel,
            "unit": field.unit,
            "first_us": field.first_us,
            "frame_id": field.frame_id,
        }
        for field in fields
    ]
    await insert_new(tx, schema.driver_fields, rows)


async def list_fields(tx: ReadTx, driver: str | None = None) -> list[SeenField]:
    """Every name that drivers used here, or those of one driver, by driver, quantity and channel."""
    table = schema.driver_fields
    chosen = select(table) if driver is None else select(table).where(table.c.driver == driver)
    rows = await tx.all(chosen.order_by(table.c.driver, table.c.quantity, table.c.channel))
    return [SeenField(row.driver, row.quantity, row.channel, row.unit, row.first_us, row.frame_id) for row in rows]
