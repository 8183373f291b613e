"""One machine with a node on it: started, killed, without power, copied whole, given an old store back."""

import asyncio
import shutil
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from federation.ports import Answer, Asker, Question, Wire
from node.app import Node
from node.certificate import certificate_pin
from node.config import template_config
from node.folder import NodeFolder, write_durably
from node.passport.drafts import Draft
from node.services.found import SEED, found_organisation
from node.services.ledger import Also, Ledger
from node.store.fragments import NewEntry
from tests.simulation.disk import STORE, Disk
from tests.simulation.loop import OWNER, VirtualLoop
from tests.simulation.network import SUFFIX, Network, SimCarrier
from tests.simulation.store import StillDatabase
from tests.simulation.surroundings import SeededRandom, SkewedClock, certificate
from tests.simulation.transcript import Transcript

T = TypeVar("T")

START_S = 300.0  # more than any wait of a start, in virtual time


class DownError(Exception):
    """A machine is down, or went down while it worked."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all machines of a world share."""

    loop: VirtualLoop
    network: Network
    disk: Disk
    transcript: Transcript


class Machine:
    """A machine that may be up or down. `node` is the node of its present start."""

    def __init__(
        self, around: Surroundings, folder: Path, clock: SkewedClock, random: SeededRandom, url: str = ""
    ) -> None:
        self.name = folder.name
        self.folder = NodeFolder(folder)
        self.clock = clock
        self.random = random
        self.url = url or f"https://{self.name}{SUFFIX}"
        self.acknowledged: set[tuple[bytes, int, bytes]] = set()
        self._around = around
        self._node: Node | None = None
        self._database: StillDatabase | None = None
        self._is_up = False
        around.network.join(self)

    @property
    def node(self) -> Node:
        """The node that runs."""
        assert self._node is not None, f"{self.name} was never started"
        return self._node

    @property
    def database(self) -> StillDatabase:
        """Its store."""
        assert self._database is not None, f"{self.name} was never started"
        return self._database

    @property
    def org(self) -> bytes:
        """The organisation."""
        return self.node.core.org

    @property
    def is_up(self) -> bool:
        """Whether a node listens."""
        return self._is_up

    @property
    def pin(self) -> bytes:
        """SHA-256 of the certificate."""
        return certificate_pin(self.folder.certificate.read_bytes())

    async def found(self, settings: dict[str, str], more: str = "") -> None:
        """Make a node with its organisation, as `passport-node init` does but for the certificate's own key."""
        self.folder.create()
        write_durably(self.folder.config, (template_config(settings, 0, 0, None) + more).encode())
        write_durably(self.folder.certificate, certificate(self.random.bytes(SEED)))
        database = StillDatabase(self.folder.database, self.clock)
        await found_organisation(self.folder, database, self.random, b"")
        database.kill()

    async def start(self) -> None:
        """Start the node, and answer once it listens."""
        started: asyncio.Future[None] = self._around.loop.create_future()
        self._around.transcript.note(self.name, "start")
        life = self.work(self._live(started), even_down=True)
        life.add_done_callback(self._note_end)
        async with asyncio.timeout(START_S):
            await asyncio.wait([life, started], return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            await life
        self._around.disk.settle(self.folder.path)  # the system writes by itself what lies there for a while
        self._around.transcript.note(self.name, "up")

    async def stop(self) -> None:
        """End the node as a signal does: what it holds is let go of."""
        await self._end("stop", at_once=True)

    async def kill(self) -> None:
        """End the process at once: what was committed is there, and files as they were written."""
        self.database.kill()
        await self._end("kill", at_once=True)

    async def lose_power(self) -> None:
        """End the machine at once: of its files there is what was waited for."""
        self.database.kill()
        await self._end("lose power", at_once=False)
        self._around.disk.lose_power(self.folder.path)

    def arm(self, commits: int, share: float) -> None:
        """Let the power go in the middle of a commit, so many commits from now."""
        self.database.torn_share, self.database.torn_at = share, self.database.commits + commits

    async def torn(self, within_s: float) -> bool:
        """Whether the power went as it was armed to, within that time; the machine is down then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.database.died.wait()
        self.database.torn_at = None
        if self.database.is_dead and self._is_up:
            await self.lose_power()
        return not self._is_up

    def copy(self, to: Path, *, whole: bool) -> None:
        """Copy the store as it is committed now, or the whole machine with it."""
        to.mkdir()
        self.database.copy_to(to / STORE)
        if whole:
            for path in sorted(self.folder.path.iterdir()):
                if path.is_file() and not path.name.startswith(STORE):
                    shutil.copy2(path, to / path.name)

    def restore(self, copy: Path) -> None:
        """Put a copy in the place of what lies here; the machine is down."""
        assert not self._is_up, f"{self.name} is up"
        for path in self.folder.path.glob(STORE + "*"):
            path.unlink()
        for path in sorted(copy.iterdir()):
            shutil.copy2(path, self.folder.path / path.name)
        self._around.disk.settle(self.folder.path)
        self._around.transcript.note(self.name, "restored", files=sorted(path.name for path in copy.iterdir()))

    def work(self, what: Coroutine[Any, Any, Any], *, even_down: bool = False) -> asyncio.Task[Any]:
        """Do something on this machine; it ends when the machine does."""
        assert self._is_up or even_down, f"{self.name} is down"
        before = OWNER.set(self.name)
        try:
            return self._around.loop.create_task(what)
        finally:
            OWNER.reset(before)

    async def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Do something on this machine and answer what came of it; raise DownError where it falls meanwhile."""
        if not self._is_up:
            what.close()
            raise DownError(f"{self.name} is down")
        task = self.work(what)
        await asyncio.wait([task])
        if task.cancelled():
            raise DownError(f"{self.name} went down")
        done: T = task.result()
        return done

    async def answer(self, question: Question) -> Answer:
        """What a peer is answered."""
        return await self.node.desk.answer(question)

    async def admit(self, question: Question) -> Asker | Answer:
        """Whether a peer may hold a live connection."""
        return await self.node.desk.admit(question)

    async def hold(self, node: bytes, wire: Wire) -> None:
        """Serve a live connection."""
        await self.node.hub.serve(node, wire, dialled=False)

    async def _live(self, started: asyncio.Future[None]) -> None:
        self._database = StillDatabase(self.folder.database, self.clock)
        carrier = SimCarrier(self._around.network, self.name)
        node = self._node = Node(self.folder.path, self.clock, self.random, carrier, self._database)
        self._follow(node.ledger)
        try:
            await node.open()
            async with asyncio.TaskGroup() as tasks:
                self._is_up = True
                node.membership.url = "" if node.core.settings.federation.dial_out_only else self.url
                await node.work(tasks)
                started.set_result(None)
        finally:
            self._is_up = False
            await node.close()

    def _note_end(self, life: asyncio.Task[None]) -> None:
        """A node ends when its machine lets it, and never by an error of its own."""
        if not life.cancelled() and (error := life.exception()) is not None:
            self._around.loop.faults.append(f"{self.name} ended: {error!r}")

    def _follow(self, ledger: Ledger) -> None:
        """Keep what the node acknowledges: log, seq and id of every entry."""
        really = ledger.append

        async def append(drafts: Sequence[Draft], also: Also | None = None) -> list[NewEntry]:
            entries = await really(drafts, also)
            for entry in entries:
                assert entry.header is not None
                self.acknowledged.add((entry.header.log, entry.seq, entry.fragment.id))
            return entries

        ledger.append = append  # type: ignore[method-assign]  # what it acknowledges is listened to

    async def _end(self, how: str, *, at_once: bool) -> None:
        self._around.transcript.note(self.name, how)
        self._is_up = False
        self._around.network.drop(self.name, at_once=at_once)
        await self._around.loop.end(self.name)
