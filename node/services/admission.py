"""Whom this node answers, and how much it takes from guests: by their standing in the federation.

Members ask everything. A guest exchanges and looks up within `[federation]` limits; directory and boxes are for members
alone. Whom nobody speaks for is told so, and whoever left or was expelled gets nothing new, with the reason. The own
organisation is never refused.
"""

import json
from dataclasses import dataclass, field

from federation.errors import LimitError, RequestError
from federation.ports import Asker
from node.passport.standing import Stand, Standing
from node.passport.world import World
from node.services.core import Core
from node.services.projection import Projection
from node.store.database import WriteTx
from node.store.logs import find_log, list_logs
from node.store.settings import find_setting, set_setting

USED = "guest:"
INTRODUCER = "introducer:"  # whose invitation this node took: answered before the anchors' words are here
DAY_US = 86_400_000_000
LOOKUP, CLAIM = "lookup", "claim"
OF_MEMBERS = frozenset({"refer", "announce", "ask"})


class Admission:
    """Answers whether an organisation may ask, and whether more of its logs is taken."""

    def __init__(self, core: Core, projection: Projection) -> None:
        self._core = core
        self._projection = projection

    @property
    def world(self) -> World:
        """What is published here."""
        return self._projection.world

    def is_member(self, org: bytes) -> bool:
        """Whether an organisation may know who holds what: a member, or the own one."""
        return org == self._core.org or self._projection.world.standings.of(org).standing.is_member

    async def check(self, asker: Asker, question: str) -> None:
        """Raise RequestError where that may not be asked, with what to do."""
        if asker.org == self._core.org:
            return
        stand = self._projection.world.standings.of(asker.org)
        if stand.standing.is_member:
            return
        if stand.standing.is_ended:
            raise RequestError(_farewell(stand))
        if stand.standing is Standing.UNKNOWN and not await self._introduced(asker.org):
            raise RequestError(
                "nobody in the federation speaks for this organisation: let a member invite it, or vouch for it"
            )
        if question in OF_MEMBERS:
            raise RequestError("the directory is for members: let the anchors attest the organisation")
        if question == CLAIM:
            raise RequestError("boxes are claimed by members: let the anchors attest the organisation")
        if question == LOOKUP:
            await self._count_lookup(asker.org)

    async def check_log(self, org: bytes, log: bytes, size: int) -> None:
        """Raise LimitError where a guest has more logs, or has a log grow more in a day, than is taken."""
        if org == self._core.org or self._projection.world.standings.of(org).standing is not Standing.GUEST:
            return
        async with self._core.database.read() as tx:
            stored, logs = await find_log(tx, log), len(await list_logs(tx, org=org))
        limits, here = self._core.settings.federation, stored.size if stored else 0
        if stored is None and logs >= limits.guest_logs:
            raise LimitError(f"more than {limits.guest_logs} logs of {org.hex()}, which is a guest")
        if size > here:
            await self._count_entries(org, log, here, size)

    async def _count_entries(self, org: bytes, log: bytes, here: int, size: int) -> None:
        most = self._core.settings.federation.guest_entries
        async with self._core.database.write() as tx:
            use = await self._use(tx, org)
            first, _ = use.sizes.get(log.hex(), (here, here))
            use.sizes[log.hex()] = (first, size)
            if sum(last - start for start, last in use.sizes.values()) > most:
                raise LimitError(f"more than {most} entries a day of {org.hex()}, which is a guest")
            await self._keep(tx, org, use)

    async def _count_lookup(self, org: bytes) -> None:
        most = self._core.settings.federation.guest_lookups
        async with self._core.database.write() as tx:
            use = await self._use(tx, org)
            if use.lookups >= most:
                raise RequestError(f"a guest looks up {most} times a day: let the anchors attest the organisation")
            use.lookups += 1
            await self._keep(tx, org, use)

    async def _introduced(self, org: bytes) -> bool:
        async with self._core.database.read() as tx:
            return await find_setting(tx, INTRODUCER + org.hex()) is not None

    async def _use(self, tx: WriteTx, org: bytes) -> "_Use":
        raw, today = await find_setting(tx, USED + org.hex()), tx.now // DAY_US
        use = _Use.from_bytes(raw) if raw else _Use(today)
        return use if use.day == today else _Use(today)

    async def _keep(self, tx: WriteTx, org: bytes, use: "_Use") -> None:
        await set_setting(tx, USED + org.hex(), use.to_bytes())


@dataclass(slots=True)
class _Use:
    """What a guest took of a day: look-ups, and of each log the first and the last size of it."""

    day: int
    lookups: int = 0
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        return json.dumps([self.day, self.lookups, self.sizes]).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "_Use":
        day, lookups, sizes = json.loads(raw)
        return cls(day, lookups, {log: (first, last) for log, (first, last) in sizes.items()})


def _farewell(stand: Stand) -> str:
    what = "left" if stand.standing is Standing.LEFT else "was expelled from"
    return f"this organisation {what} the federation: {stand.reason or 'no reason is told'}"
