"""The map of information flows: each node and system that this node exchanges with, how far behind it is, what fails.

Everything is read from where the exchange itself keeps it: nothing is counted a second time for the map.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from node.services.access import Scope
from node.services.arshin import ArshinFiles
from node.services.bench import KIND as BENCH_KIND
from node.services.bench_folder import ACTOR as BENCH_FOLDER
from node.services.bench_folder import BenchFolder
from node.services.core import Core
from node.services.correspondents import Correspondent, Correspondents
from node.services.deliveries import Deliveries
from node.services.hook_owners import heard_by
from node.services.peering import Peering
from node.services.projection import Projection
from node.services.radio import Radio
from node.services.register_reading import KIND as REGISTER_KIND
from node.services.register_reading import RegisterReading
from node.store.database import ReadTx
from node.store.exchange_1c import Base, summaries
from node.store.jobs import Job, newest_job
from node.store.journal import Sift, count_after
from node.store.peers import Peer
from node.store.radio import StoredGateway
from node.store.webhooks import StoredHook, list_hooks

MINUTE_US = 60_000_000
SILENT_US = 10 * MINUTE_US  # gateways say that they are there much more often
MOST = 10_000  # waiting events of a webhook are counted so far


class Party(StrEnum):
    """Who is at the other end."""

    NODE = "node"
    BASE = "base"  # of 1C, by its messages
    SYSTEM = "system"
    HOOK = "webhook"
    BENCH = "bench"
    REGISTER = "register"
    GATEWAY = "gateway"


class Direction(StrEnum):
    """Where what is said goes, as seen from this node."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Flow:
    """One exchange.

    `last_us` is when something was exchanged last; `to_take` and `to_give` wait, None where that is not known or has no
    meaning; `since_us` is since when the oldest of it waits; `errors` are counted as the exchange counts them;
    `trouble` says what fails now: a code, of peers with what happened.
    """

    party: Party
    id: str
    name: str
    direction: Direction
    last_us: int | None
    to_take: int | None = None
    to_give: int | None = None
    since_us: int | None = None
    errors: int = 0
    trouble: str = ""

    @property
    def lags(self) -> bool:
        """Whether anything waits."""
        return bool(self.to_take or self.to_give)


@dataclass(frozen=True, slots=True)
class Sources:
    """The services whose exchanges are on the map."""

    peering: Peering
    correspondents: Correspondents
    deliveries: Deliveries
    bench_folder: BenchFolder
    arshin: ArshinFiles
    register: RegisterReading
    radio: Radio


class Flows:
    """Draws the map up."""

    def __init__(self, core: Core, projection: Projection, sources: Sources) -> None:
        self._core = core
        self._projection = projection
        self._from = sources

    @property
    def changes(self) -> int:
        """Grows with what changes without a row in the journal."""
        return self._from.peering.exchanges + self._from.deliveries.changes

    async def all(self) -> list[Flow]:
        """Every flow, by what is at the other end and its name."""
        found = [await self._peer(peer) for peer in await self._from.peering.peers() if peer.state == "active"]
        found += [*await self._told_by_store(), *await self._bench(), *await self._of_register()]
        found += map(_system, await self._from.correspondents.all())
        found += [_gateway(one, self._core.clock.now()) for one in await self._from.radio.gateways()]
        order = list(Party)
        return sorted(found, key=lambda flow: (order.index(flow.party), flow.name, flow.id))

    async def _told_by_store(self) -> list[Flow]:
        """Bases of 1C by what they sent, webhooks by how far they have come."""
        async with self._core.database.read() as tx:
            return [*map(_base, await summaries(tx)), *[await _hook(tx, hook) for hook in await list_hooks(tx)]]

    async def _peer(self, peer: Peer) -> Flow:
        level = await self._from.peering.level(peer.node)
        to_take, to_give = (level.to_take, level.to_give) if level else (None, None)
        trouble = peer.trouble or ""
        since = peer.seen_us if trouble or to_take or to_give else None
        card = self._projection.world.cards.get(peer.org)
        name = card.name if card else peer.node.hex()[:8]
        return Flow(
            Party.NODE, peer.node.hex(), name, Direction.BOTH, peer.seen_us, to_take, to_give, since,
            int(bool(trouble)), trouble,
        )  # fmt: skip

    async def _bench(self) -> list[Flow]:
        state = await self._from.bench_folder.state()
        if state is None:
            return []
        last = await self._newest_job(BENCH_KIND, BENCH_FOLDER)
        waits, failed = len(state.waiting) + len(state.working), len(state.failed)
        return [
            Flow(
                Party.BENCH, "bench", Path(state.folder).name, Direction.IN, last.changed_us if last else None, waits,
                errors=failed, trouble="files" if failed else "",
            )
        ]  # fmt: skip

    async def _of_register(self) -> list[Flow]:
        """Results go there by files that people carry; records come by questions, where an address is set."""
        waiting, files = await self._from.arshin.waiting(), await self._from.arshin.files(1)
        answers, job = await self._from.register.newest(1), await self._newest_job(REGISTER_KIND)
        if not (waiting.new or files or answers or self._from.register.is_on):
            return []
        last = max([file.made_us for file in files] + [answer.asked_us for answer in answers], default=None)
        has_failed = job is not None and job.state == "failed"
        direction = Direction.BOTH if self._from.register.is_on or answers else Direction.OUT
        return [
            Flow(
                Party.REGISTER, "register", "«Аршин»", direction, last, None, waiting.new,
                errors=int(has_failed), trouble="job" if has_failed else "",
            )
        ]  # fmt: skip

    async def _newest_job(self, kind: str, actor: str = "") -> Job | None:
        async with self._core.database.read() as tx:
            return await newest_job(tx, kind, actor)


async def _hook(tx: ReadTx, hook: StoredHook) -> Flow:
    at, sift = hook.progress, Sift(frozenset(hook.kinds), await heard_by(tx, hook))
    waits, since = await count_after(tx, at.cursor, MOST, sift)
    trouble = f"pause.{at.paused}" if at.paused else f"fault.{at.error}" if at.attempts else ""
    return Flow(
        Party.HOOK, hook.id, hook.description or hook.url, Direction.OUT, at.taken_us or None, None, waits, since,
        at.attempts, trouble,
    )  # fmt: skip


def _base(one: Base) -> Flow:
    return Flow(
        Party.BASE, one.system, one.system, Direction.BOTH, one.last_us, since_us=one.refused_us, errors=one.refused,
        trouble="refused" if one.refused else "",
    )  # fmt: skip


def _system(one: Correspondent) -> Flow:
    reads, writes = Scope.READ in one.rights.scopes, bool(set(one.rights.scopes) - {Scope.READ})
    direction = Direction.BOTH if reads and writes else Direction.IN if writes else Direction.OUT
    is_refused = one.refused_us is not None and one.refused_us >= (one.used_us or 0)
    trouble = "blocked" if one.blocked_us is not None else "refused" if is_refused else ""
    since = one.blocked_us if one.blocked_us is not None else one.refused_us if is_refused else None
    return Flow(
        Party.SYSTEM, one.name, one.name, direction, one.used_us, since_us=since, errors=one.refused, trouble=trouble
    )


def _gateway(one: StoredGateway, now: int) -> Flow:
    is_silent = one.seen_us is None or now - one.seen_us > SILENT_US
    return Flow(
        Party.GATEWAY, one.eui.hex(), one.name or one.eui.hex(), Direction.BOTH, one.seen_us,
        since_us=one.seen_us if is_silent else None, trouble="silent" if is_silent else "",
    )  # fmt: skip
