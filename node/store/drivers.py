"""The versions of drivers that stand on this node or stood, and the publishers that its administrators trust."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.upserts import upsert


@dataclass(frozen=True, slots=True)
class StoredDriver:
    """A version of a driver by its hash: readings name it for ever.

    `org` and `entry` (the id of its statement) are None for what is installed on this machine.
    """

    hash: bytes
    driver: str
    version: str
    level: int
    org: bytes | None
    entry: bytes | None
    state: str
    detail: dict[str, object] = field(default_factory=dict)
    changed_us: int = 0

    @property
    def size(self) -> int:
        """Bytes of its package, 0 where its row does not tell."""
        found = self.detail.get("size")
        return found if isinstance(found, int) else 0

    @property
    def is_own(self) -> bool:
        """Whether who published it is whom it names as its publisher."""
        return bool(self.detail.get("own", True))


async def put_driver(tx: WriteTx, driver: StoredDriver) -> None:
    """Add or replace a version."""
    row: dict[str, object] = {
        "hash": driver.hash,
        "driver": driver.driver,
        "version": driver.version,
        "level": driver.level,
        "org": driver.org,
        "entry": driver.entry,
        "state": driver.state,
        "detail": json.dumps(driver.detail, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        "changed_us": tx.now,
    }
    await upsert(tx, schema.driver_versions, [row])


async def find_driver(tx: ReadTx, digest: bytes) -> StoredDriver | None:
    """The version of that hash."""
    row = await tx.first(select(schema.driver_versions).where(schema.driver_versions.c.hash == digest))
    return None if row is None else _driver(row)


async def list_drivers(tx: ReadTx) -> list[StoredDriver]:
    """Every version, by driver, in the order in which they changed."""
    table = schema.driver_versions
    rows = await tx.all(select(table).order_by(table.c.driver, table.c.changed_us, table.c.hash))
    return [_driver(row) for row in rows]


async def hashes_of(tx: ReadTx, drivers: Iterable[str]) -> dict[str, list[bytes]]:
    """The hashes of every version of some drivers that stands here or stood."""
    table = schema.driver_versions.c
    found: dict[str, list[bytes]] = {}
    for row in await tx.all(select(table.driver, table.hash).where(table.driver.in_(sorted(drivers)))):
        found.setdefault(row.driver, []).append(row.hash)
    return found


async def stop_driver(tx: WriteTx, org: bytes, driver: str) -> None:
    """Let no version of a publisher's driver run here, whatever comes."""
    if (org, driver) not in await stopped_drivers(tx):
        await tx.run(insert(schema.driver_stops).values(org=org, driver=driver, since_us=tx.now))


async def lift_stop(tx: WriteTx, org: bytes, driver: str) -> bool:
    """Let versions of a publisher's driver run again; whether it was stopped."""
    table = schema.driver_stops
    return await tx.run(delete(table).where(table.c.org == org, table.c.driver == driver)) > 0


async def stopped_drivers(tx: ReadTx) -> dict[tuple[bytes, str], int]:
    """The drivers that are stopped as a whole, by publisher and id, each with the time since when, in microseconds."""
    return {(row.org, row.driver): row.since_us for row in await tx.all(select(schema.driver_stops))}


async def trust_publisher(tx: WriteTx, org: bytes) -> bool:
    """Let drivers of an organisation run here whatever they are for; whether that is new."""
    if org in await trusted_publishers(tx):
        return False
    await tx.run(insert(schema.driver_publishers).values(org=org, since_us=tx.now))
    return True


async def distrust_publisher(tx: WriteTx, org: bytes) -> bool:
    """Trust an organisation no more; whether it was trusted."""
    return await tx.run(delete(schema.driver_publishers).where(schema.driver_publishers.c.org == org)) > 0


async def trusted_publishers(tx: ReadTx) -> dict[bytes, int]:
    """The trusted organisations, each with the time since when, in microseconds."""
    return {row.org: row.since_us for row in await tx.all(select(schema.driver_publishers))}


def _driver(row: Record) -> StoredDriver:
    return StoredDriver(
        row.hash,
        row.driver,
        row.version,
        row.level,
        row.org,
        row.entry,
        row.state,
        json.loads(row.detail),
        row.changed_us,
    )
