"""What was looked up, for the journal: by this node at others, and by others here; written behind the answers."""

import asyncio
from dataclasses import dataclass

from node.services.core import Core
from node.store.database import WriteTx

ANSWERED = "looked_up_here"
GATHER_S = 1.0
MOST_WAITING = 10_000  # notes; of what comes beyond the number is told


@dataclass(frozen=True, slots=True)
class LookedUpNote:
    """This node asked others for what has an identifier, for somebody of the house."""

    actor: str
    scheme: str
    value: str
    asked: int
    found: int


@dataclass(frozen=True, slots=True)
class AnsweredNote:
    """A node of another organisation looked for what has a key, or a value of a scheme."""

    org: bytes
    node: bytes
    scheme: str
    value: str


class LookupNotes:
    """Gathers rows: to look up must not wait for the disk, and a storm must not fill it row by row."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: list[LookedUpNote | AnsweredNote] = []
        self._lost = 0
        self._some = asyncio.Event()

    def add(self, note: LookedUpNote | AnsweredNote) -> None:
        """Have a row written soon."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(note)
        else:
            self._lost += 1
        self._some.set()

    async def run(self) -> None:
        """Write what comes, until cancelled; then what is left."""
        try:
            while True:
                await self._some.wait()
                await asyncio.sleep(GATHER_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        self._some.clear()
        waiting, self._waiting, lost, self._lost = self._waiting, [], self._lost, 0
        if not waiting:
            return
        async with self._core.database.write() as tx:
            for note in waiting:
                await self._write(tx, note)
            if lost:
                await self._core.announce(tx, "peer", "lookups_unwritten", count=lost)

    async def _write(self, tx: WriteTx, note: LookedUpNote | AnsweredNote) -> None:
        announce, scheme, value = self._core.announce, note.scheme, note.value
        if isinstance(note, AnsweredNote):
            node = note.node.hex()
            await announce(tx, "peer", ANSWERED, org=note.org, node=node, scheme=scheme, value=value)
        else:
            asked, found = note.asked, note.found
            await announce(tx, note.actor, "looked_up", scheme=scheme, value=value, asked=asked, found=found)
