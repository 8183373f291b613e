"""The backups that this node made, as far as it knows of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.settings import drop_setting, find_setting, set_setting
from node.store.upserts import upsert

FAILED = "backup.failed"


@dataclass(frozen=True, slots=True)
class StoredBackup:
    """One file: `key` is its content key, sealed under this store's own; `trouble` what its check found, else empty."""

    name: str
    made_us: int
    size: int
    locked_to: str
    key: bytes
    statements: int
    took_ms: int
    checked_us: int | None
    drilled_us: int | None
    trouble: str

    @property
    def is_good(self) -> bool:
        """Whether it was read back whole and nothing was found wrong in it."""
        return self.checked_us is not None and not self.trouble


async def put_backup(tx: WriteTx, backup: StoredBackup) -> None:
    """Keep what is known of a file."""
    row = {name: getattr(backup, name) for name in StoredBackup.__slots__}
    await upsert(tx, schema.backups, [row])


async def list_backups(tx: ReadTx) -> list[StoredBackup]:
    """Every backup, newest first."""
    statement = select(schema.backups).order_by(schema.backups.c.made_us.desc(), schema.backups.c.name)
    return [_backup(row) for row in await tx.all(statement)]


async def find_backup(tx: ReadTx, name: str) -> StoredBackup | None:
    """The backup of that name."""
    row = await tx.first(select(schema.backups).where(schema.backups.c.name == name))
    return None if row is None else _backup(row)


async def note_check(tx: WriteTx, name: str, trouble: str, *, is_drill: bool) -> None:
    """Say when a file was looked at, and what was found."""
    values: dict[str, object] = {"checked_us": tx.now, "trouble": trouble}
    if is_drill:
        values["drilled_us"] = tx.now
    await tx.run(update(schema.backups).where(schema.backups.c.name == name).values(**values))


async def forget_backup(tx: WriteTx, name: str) -> None:
    """A file is gone."""
    await tx.run(delete(schema.backups).where(schema.backups.c.name == name))


async def note_failure(tx: WriteTx, error: str) -> None:
    """Say that the last backup could not be made."""
    await set_setting(tx, FAILED, json.dumps({"at_us": tx.now, "error": error}).encode())


async def forget_failure(tx: WriteTx) -> None:
    """The last backup was made."""
    await drop_setting(tx, FAILED)


async def find_failure(tx: ReadTx) -> Mapping[str, object] | None:
    """Why the last backup could not be made: `at_us`, `error`; None where it was."""
    raw = await find_setting(tx, FAILED)
    found: Mapping[str, object] | None = None if raw is None else json.loads(raw)
    return found


def _backup(row: Record) -> StoredBackup:
    return StoredBackup(**{name: getattr(row, name) for name in StoredBackup.__slots__})
