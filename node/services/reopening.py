"""What is known of a log that was left because it was in doubt: kept beside the log that was opened in its place."""

import json
from dataclasses import asdict, dataclass, replace

from federation.log import Reason
from node.store.database import ReadTx, WriteTx
from node.store.settings import set_setting, settings_like

PREFIX = "reopened:"


@dataclass(frozen=True, slots=True)
class Reopening:
    """Why `log` was opened after `previous`.

    `held` is how many statements of the old log stood here then, `said` how many had been said at least: the head
    file, or a peer, told so. `made_us` is when the backup was made that this store came from. `missing` is what was
    told last of how many had not come back; None before it could be told.
    """

    log: bytes
    previous: bytes
    reason: Reason
    at_us: int
    held: int
    said: int
    made_us: int | None = None
    missing: int | None = None


async def put_reopening(tx: WriteTx, told: Reopening) -> None:
    """Keep it."""
    row = asdict(told) | {"log": told.log.hex(), "previous": told.previous.hex(), "reason": int(told.reason)}
    await set_setting(tx, PREFIX + told.log.hex(), json.dumps(row).encode())


async def list_reopenings(tx: ReadTx) -> list[Reopening]:
    """Every one, oldest first."""
    rows = [json.loads(raw) for raw in (await settings_like(tx, PREFIX)).values()]
    found = [
        replace(Reopening(**row), log=bytes.fromhex(row["log"]), previous=bytes.fromhex(row["previous"]),
                reason=Reason(row["reason"]))
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.at_us)
