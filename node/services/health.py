"""How the node is: what somebody has to look after, and how bad it is."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from federation.counting import Loss
from node.services.backups import HOUR_US, Backups, Schedule
from node.services.core import Core
from node.services.reopening import list_reopenings
from node.services.sync import Sync
from node.store.held import count_held
from node.store.logs import list_logs
from node.store.organisations import find_chain
from node.store.peers import list_peers

FEW_BYTES, FEW_PARTS = 1 << 30, 0.05  # of a disk that are free
AWAY_US = HOUR_US
CLOCK_S = 60.0
DOUBT_US = 7 * 24 * HOUR_US  # how long it is told that a log was in doubt
LATE = 2  # intervals without a good backup


class Grade(IntEnum):
    """How bad it is."""

    GOOD = 0
    WARNING = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that was looked at: a stable code, and values for its text."""

    code: str
    grade: Grade
    values: Mapping[str, object] = field(default_factory=dict)


class Health:
    """Looks at everything that is told of the node's health."""

    def __init__(self, core: Core, sync: Sync, backups: Backups) -> None:
        self._core, self._sync = core, sync
        self._backups = backups

    async def look(self) -> list[Condition]:
        """Every condition, the worst first."""
        found = [
            *await asyncio.to_thread(self._disk),
            *await self._backup(),
            *await asyncio.to_thread(self._root_keys),
            *await self._peers(),
            *await self._log(),
            *await self._lost(),
            *await self._organisation(),
        ]
        return sorted(found, key=lambda one: -one.grade)

    def _disk(self) -> list[Condition]:
        usage = shutil.disk_usage(self._core.folder.path)
        is_low = usage.free < min(FEW_BYTES, usage.total * FEW_PARTS)
        values = {"free_mb": usage.free >> 20, "total_mb": usage.total >> 20}
        return [Condition("disk_low" if is_low else "disk", Grade.BAD if is_low else Grade.GOOD, values)]

    async def _backup(self) -> list[Condition]:
        schedule, files = await self._backups.schedule(), await self._backups.all()
        known = [one.known for one in files if one.known is not None]
        good = next((one for one in known if one.is_good), None)
        found: list[Condition] = []
        if schedule.key_fault:
            found.append(Condition("backup_key_broken", Grade.BAD, {"fault": schedule.key_fault}))
        elif not schedule.recovery_key:
            found.append(Condition("backup_no_key", Grade.WARNING))
        if schedule.failure is not None:
            found.append(Condition("backup_failed", Grade.BAD, {"error": schedule.failure["error"]}))
        if any(one.trouble for one in known):
            found.append(
                Condition("backup_broken", Grade.BAD, {"file": next(one.name for one in known if one.trouble)})
            )
        if good is None:
            return [*found, Condition("backup_none", Grade.BAD)]
        hours = (self._core.clock.now() - good.made_us) / HOUR_US
        values = {"file": good.name, "hours": round(hours)}
        late = not 0 <= hours <= LATE * (schedule.every_hours or 24.0)  # one from the future is of an unknown age
        found.append(Condition("backup_old", Grade.BAD, values) if late else Condition("backup", Grade.GOOD, values))
        return [*found, *_same_disk(schedule)]

    def _root_keys(self) -> list[Condition]:
        here = [path.name for path in (self._core.folder.root_key, self._core.folder.next_root_key) if path.exists()]
        values = {"files": ", ".join(here)}
        return [Condition("root_keys_here", Grade.WARNING, values) if here else Condition("root_keys", Grade.GOOD)]

    async def _organisation(self) -> list[Condition]:
        """Whether what this node says counts, and which logs were proven to be forked."""
        async with self._core.database.read() as tx:
            chain, logs = await find_chain(tx, self._core.org), await list_logs(tx)
        this = chain.node(self._core.node) if chain else None
        found = [Condition("node_ended", Grade.BAD)] if this is None or this.ended is not None else []
        if chain is not None and chain.fork is not None:
            found.append(Condition("chain_forked", Grade.BAD, {"number": chain.fork.n}))
        forked = [log for log in logs if log.counted.loss is Loss.FORKED]
        if forked:
            grade = Grade.WARNING if any(log.own for log in forked) else Grade.GOOD
            found.append(Condition("logs_forked", grade, {"count": len(forked)}))
        return found

    async def _peers(self) -> list[Condition]:
        async with self._core.database.read() as tx:
            peers, now = await list_peers(tx, "active"), tx.now
        away = [peer for peer in peers if now - (peer.seen_us or 0) > AWAY_US or peer.trouble]
        found = [Condition("peer_away", Grade.WARNING, {"org": p.org.hex(), "trouble": p.trouble or ""}) for p in away]
        gaps = {peer.node: self._sync.clock_gaps[peer.node] for peer in peers if peer.node in self._sync.clock_gaps}
        wide = {node: gap for node, gap in gaps.items() if abs(gap) > CLOCK_S}
        if wide and len(wide) * 2 > len(gaps):
            found.append(
                Condition("clock_differs", Grade.WARNING, {"seconds": round(sorted(wide.values())[len(wide) // 2])})
            )
        found += [
            Condition("peer_clock", Grade.WARNING, {"org": peer.org.hex(), "seconds": round(wide[peer.node])})
            for peer in peers
            if peer.node in wide and len(wide) * 2 <= len(gaps)
        ]
        return found or ([Condition("peers", Grade.GOOD, {"count": len(peers)})] if peers else [])

    async def _log(self) -> list[Condition]:
        async with self._core.database.read() as tx:
            left = await list_reopenings(tx)
        now = self._core.clock.now()
        recent = [one for one in left if now - one.at_us < DOUBT_US]
        return [
            Condition("log_doubt", Grade.WARNING, {"reason": one.reason.name.lower(), "at_us": one.at_us})
            for one in recent
        ]

    async def _lost(self) -> list[Condition]:
        async with self._core.database.read() as tx:
            left, held = await list_reopenings(tx), await count_held(tx)
        lost = sum(one.missing or 0 for one in left)
        coming = sum(one.said - one.held for one in left if one.missing is None)
        conditions = [Condition("statements_lost", Grade.BAD, {"count": lost})] if lost else []
        conditions += [Condition("personal_held", Grade.WARNING, {"count": held})] if held else []
        return [*conditions, *([Condition("statements_away", Grade.WARNING, {"count": coming})] if coming else [])]


def _same_disk(schedule: Schedule) -> list[Condition]:
    return [Condition("backup_same_disk", Grade.WARNING, {"folder": schedule.folder})] if schedule.shares_disk else []
