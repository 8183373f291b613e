"""Levelling with one peer: what changed there, its logs part by part, and what it opened to this node."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from federation.checkpoint import parse_note, verify_checkpoint
from federation.errors import (
    CheckpointError,
    FederationError,
    LimitError,
    ProofError,
    RemoteProtocolError,
    StatementError,
)
from federation.log import LogStatement
from federation.sync.following import FollowAsked, Followed
from federation.sync.messages import MAX_HEADS, MAX_LOGS, Heads, HeadsAsked, Openings, Part, Placed, Span
from federation.sync.mirror import Mirror, NeedLeaves, Verified
from federation.tiles import WIDTH
from node.services.core import Core
from node.services.following import Following
from node.services.ingest import Ingest, Mirrored
from node.services.troubles import trouble_of
from node.store.logs import StoredLog, list_logs, log_marks, named_logs
from node.store.organisations import find_sign_key
from node.store.peers import Peer, set_peer_cursor
from node.store.trees import read_range

log = structlog.get_logger()

# Raises LimitError unless a log of an organisation may be taken so far: organisation, log, size.
CheckLog = Callable[[bytes, bytes, int], Awaitable[None]]
Mirrors = dict[bytes, tuple[StoredLog, Mirror]]  # by log
MOST_RETRIED = 64  # logs, and proofs, that wait for a statement: so many are tried again at each exchange
MAX_HEARD = 100_000  # logs, and organisations, of which one peer may tell


class PeerLink(Protocol):
    """What an exchange asks of a peer; each raises a FederationError where it fails."""

    async def heads(self, known: HeadsAsked) -> Heads | None:
        """What changed since; None where nothing did."""
        ...

    async def pull(self, spans: Sequence[Span]) -> list[Part]:
        """Parts of the first spans, as many as fit."""
        ...

    async def leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        """Leaf hashes of a log."""
        ...

    async def opened(self, after: int) -> Openings:
        """What was opened after a number."""
        ...

    async def follow(self, asked: FollowAsked) -> Followed:
        """Say what is followed."""
        ...


@dataclass(slots=True)
class Heard:
    """What a peer told since this node started: up to which change of which epoch, and its newest checkpoints."""

    epoch: bytes | None = None
    n: int = 0
    opened: int = 0
    filter: bytes | None = None  # what it keeps of what this node follows there
    notes: dict[bytes, bytes] = field(default_factory=dict)
    sizes: dict[bytes, int] = field(default_factory=dict)
    pending: dict[bytes, LogStatement] = field(default_factory=dict)
    forks: dict[bytes, None] = field(default_factory=dict)  # proofs about logs that are not known here yet
    orgs: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended: `is_new` where anything came, `is_whole` where all that was opened was taken.

    `is_level` where no log was left to another peer that brings it on at the same time; `waits` where a log waits for
    what its organisation says of its node.
    """

    is_new: bool
    is_whole: bool = True
    trouble: str | None = None
    is_level: bool = True
    waits: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to take or to try again."""
        return self.is_whole and self.is_level and not self.waits and self.trouble is None


class Exchange:
    """Levels this node with peers; one log is taken from one peer at a time."""

    def __init__(self, core: Core, ingest: Ingest) -> None:
        self._core = core
        self._ingest = ingest
        self.following = Following(core)
        self._taking: set[bytes] = set()
        self._ended = 0  # how often whoever took logs was done with them
        self.check_log: CheckLog = _anything

    async def level(self, link: PeerLink, peer: Peer, heard: Heard, *, follows: bool = True) -> Outcome:
        """Take what a peer has and this node may see; raise FederationError where the peer breaks the protocol.

        Where it cannot be asked anything it is not told what this node `follows`.
        """
        cursor = peer.cursor if heard.epoch in (None, peer.epoch) else 0
        is_new = False
        await self._take_pending(heard, list(heard.pending)[:MOST_RETRIED], list(heard.forks)[:MOST_RETRIED])
        wanted = await self.following.filter_at(peer) if follows else None
        while (heads := await link.heads(HeadsAsked(heard.epoch, heard.n, cursor, wanted))) is not None:
            is_new = True
            _check_progress(heard, heads)
            if heads.epoch != peer.epoch:
                cursor = 0  # the peer lost numbers that it gave: what it opened is told again
                await self._keep_cursor(peer, heads.epoch, cursor)
                peer = replace(peer, epoch=heads.epoch, cursor=cursor)
            await self._take_heads(heads, heard)
            if not heads.more:
                break
        if is_new and follows and heard.filter != wanted:
            heard.opened = (await self.following.tell(link, peer, heard.filter)).opened
        trouble, is_level = await self._mirror_all(link, heard)
        trouble = await self._compare(link, heard) or trouble
        is_whole = heard.opened <= cursor or await self._take_opened(link, peer, heard, cursor)
        return Outcome(is_new, is_whole, trouble, is_level, bool(heard.pending))

    async def take(self, link: PeerLink, placed: Sequence[Placed], giver: bytes | None = None) -> bool:
        """Store entries after their leaves were mirrored; of a tile that was skipped these are asked for first.

        Whether every leaf was here. Of what the `giver` swapped his organisation is named.
        """
        for log_id, n in await self._ingest.unknown_tiles(placed):
            leaves = await link.leaves(log_id, n * WIDTH, (n + 1) * WIDTH)
            await self._ingest.take_tile(log_id, n, leaves)
        for log_id, n in await self._ingest.cut_tiles(placed):
            # Who opens an entry need not have the leaves of another log: until they come the cut proves nothing here.
            with contextlib.suppress(FederationError):
                leaves = await link.leaves(log_id, n * WIDTH, (n + 1) * WIDTH)
                await self._ingest.take_tile(log_id, n, leaves)
        return await self._ingest.take_placed(placed, giver)

    async def own_size(self, link: PeerLink, own: bytes) -> int:
        """The size of an own log that a peer shows under the own signature, 0 where it shows none."""
        known = HeadsAsked()
        while (heads := await link.heads(known)) is not None:
            for note in heads.notes:
                with contextlib.suppress(CheckpointError):
                    if parse_note(note)[0].log == own:
                        return verify_checkpoint(note, own, self._core.keystore.sign.public).size
            if not heads.more or heads.n <= known.n:
                break
            known = HeadsAsked(heads.epoch, heads.n)
        return 0

    async def _take_heads(self, heads: Heads, heard: Heard) -> None:
        heard.orgs |= {chain[0].org_id for chain in heads.chains if chain}
        if len(heard.orgs) > MAX_HEARD:
            raise RemoteProtocolError(f"heads: more than {MAX_HEARD} organisations")
        for chain in await self._ingest.news_of(heads.chains):
            with contextlib.suppress(StatementError):
                await self._ingest.take_chain(chain)
        heard.pending |= {statement.log_id: statement for statement in heads.logs}
        heard.forks |= dict.fromkeys(heads.forks[: MAX_HEADS - len(heard.forks)])
        told = {chain[0].org_id for chain in heads.chains if chain}
        fresh = {statement.log_id for statement in heads.logs}
        await self._take_pending(
            heard, [one for one, log in heard.pending.items() if log.org in told or one in fresh], heads.forks
        )
        if len(heard.sizes) + len(heard.pending) > MAX_HEARD:
            raise RemoteProtocolError(f"heads: more than {MAX_HEARD} logs")
        own = await self._own_keys()
        for note in heads.notes:
            with contextlib.suppress(CheckpointError):
                checkpoint = parse_note(note)[0]
                if (sign_key := own.get(checkpoint.log)) is not None:
                    # By its size it is told what this node lost: only it can have said so.
                    verify_checkpoint(note, checkpoint.log, sign_key)
                heard.notes[checkpoint.log], heard.sizes[checkpoint.log] = note, checkpoint.size
        heard.epoch, heard.n, heard.opened, heard.filter = heads.epoch, heads.n, heads.opened, heads.filter

    async def _own_keys(self) -> dict[bytes, bytes]:
        async with self._core.database.read() as tx:
            own = [one for one in await list_logs(tx, org=self._core.org) if one.node == self._core.node]
            return {one.log: key for one in own if (key := await find_sign_key(tx, one)) is not None}

    async def _take_pending(self, heard: Heard, logs: Collection[bytes], proofs: Iterable[bytes]) -> None:
        """Take those logs whose nodes are known by now, and proofs about logs that are; others go to the end."""
        if logs:
            async with self._core.database.read() as tx:
                here = {mark.log for mark in await log_marks(tx)}
            heard.pending = {log_id: said for log_id, said in heard.pending.items() if log_id not in here}
        for log_id in [one for one in logs if one in heard.pending]:
            statement = heard.pending.pop(log_id)
            try:
                await self.check_log(statement.org, log_id, 0)
                if await self._ingest.take_log(statement) is None:
                    heard.pending[log_id] = statement
            except LimitError as error:
                _say(log_id, error)
                heard.pending[log_id] = statement
            except StatementError as error:
                log.warning("log_refused", log=log_id.hex(), error=str(error))
        for proof in [one for one in proofs if one in heard.forks]:
            del heard.forks[proof]
            try:
                if not await self._ingest.forks.take(proof):
                    heard.forks[proof] = None
            except ProofError as error:
                log.warning("proof_refused", error=str(error))

    async def _compare(self, link: PeerLink, heard: Heard) -> str | None:
        """Look whether the checkpoints of the peer are of the branches that are here; what was wrong with one."""
        trouble: str | None = None
        async with self._core.database.read() as tx:
            ours = {mark.log: mark.note for mark in await log_marks(tx)}
        for log_id, note in [item for item in heard.notes.items() if ours.get(item[0], item[1]) != item[1]]:
            try:
                await self._ingest.forks.meet(link, log_id, note)
            except RemoteProtocolError as error:
                trouble = _say(log_id, error)
        return trouble

    async def _mirror_all(self, link: PeerLink, heard: Heard) -> tuple[str | None, bool]:
        """Take logs on to the peer's checkpoints, many at a time; what was wrong with one is told, the others go on.

        And whether none of them was left to another peer.
        """
        left, is_level = set(heard.sizes), True
        trouble: str | None = None
        while True:
            ended = self._ended
            batch = await self._behind(heard, left)
            if not batch:
                break
            with self._alone(batch) as mine:
                is_level = is_level and len(mine) == len(batch)
                behind = mine
                if ended != self._ended:  # whoever brought one of them on may have ended after they were read
                    behind = await self._behind(heard, {stored.log for stored in mine})
                mirrors, wrong = await self._mirrors(behind, heard)
                left -= {stored.log for stored in batch} - mirrors.keys()
                trouble = wrong or trouble
                if not mirrors:
                    continue
                parts = await link.pull([mirror.span for _, mirror in mirrors.values()])
                named = {part.log for part in parts}
                if not parts or len(named) < len(parts) or not named <= mirrors.keys():
                    raise RemoteProtocolError("pull: other logs were asked for")
                for log_id, error in (await self._take_parts(link, parts, mirrors, heard)).items():
                    left.discard(log_id)
                    if not await self._ingest.forks.is_apart(link, log_id, heard.notes[log_id], error):
                        trouble = _say(log_id, error)
        return trouble, is_level

    async def _behind(self, heard: Heard, left: set[bytes]) -> list[StoredLog]:
        """The first of the logs left that the peer has further than this node."""
        async with self._core.database.read() as tx:
            marks = await log_marks(tx)
            current = [mark.log for mark in marks if mark.own][-1:]
            behind = [mark.log for mark in marks if mark.log in left and heard.sizes[mark.log] > mark.size]
            others = self._ingest.forks.is_other
            behind = [log_id for log_id in behind if not (log_id in current or others(log_id, heard.notes[log_id]))]
            return await named_logs(tx, behind[:MAX_LOGS]) if behind else []

    @contextlib.contextmanager
    def _alone(self, logs: Iterable[StoredLog]) -> Iterator[list[StoredLog]]:
        """Those of the logs that no other peer brings on at this moment."""
        mine = [stored for stored in logs if stored.log not in self._taking]
        self._taking |= {stored.log for stored in mine}
        try:
            yield mine
        finally:
            self._taking -= {stored.log for stored in mine}
            self._ended += 1

    async def _mirrors(self, logs: Iterable[StoredLog], heard: Heard) -> tuple[Mirrors, str | None]:
        """What takes these logs on to the peer's checkpoints, and what was wrong with one of those."""
        mirrors: Mirrors = {}
        logs, wrong = await self._within_limits(logs, heard)
        async with self._core.database.read() as tx:
            for stored in logs:
                sign_key = await find_sign_key(tx, stored)
                if sign_key is None:
                    continue
                try:
                    checkpoint = verify_checkpoint(heard.notes[stored.log], stored.log, sign_key)
                    held = await read_range(tx, stored.no, stored.size)
                    mirrors[stored.log] = (stored, Mirror(stored.log, sign_key, held, checkpoint))
                except FederationError as error:
                    wrong = _say(stored.log, error)
        return mirrors, wrong

    async def _within_limits(self, logs: Iterable[StoredLog], heard: Heard) -> tuple[list[StoredLog], str | None]:
        """Those that may grow so far, and why another may not."""
        found: list[StoredLog] = []
        wrong: str | None = None
        for stored in logs:
            try:
                await self.check_log(stored.statement.org, stored.log, heard.sizes[stored.log])
                found.append(stored)
            except LimitError as error:
                wrong = _say(stored.log, error)
        return found, wrong

    async def _take_parts(
        self, link: PeerLink, parts: Sequence[Part], mirrors: Mirrors, heard: Heard
    ) -> dict[bytes, FederationError]:
        """Store what is proven of each part; by its log, what was wrong with one."""
        proven: list[Mirrored] = []
        wrong: dict[bytes, FederationError] = {}
        for part in parts:
            stored, mirror = mirrors[part.log]
            try:
                verified = await self._prove(link, mirror, part)
            except FederationError as error:
                wrong[part.log] = error
                continue
            proven.append(Mirrored(stored, verified, heard.notes[part.log]))
            if verified.refused is not None:
                wrong[part.log] = verified.refused
        await self._ingest.take_parts(proven)
        return wrong

    @staticmethod
    async def _prove(link: PeerLink, mirror: Mirror, part: Part) -> Verified:
        step = await asyncio.to_thread(mirror.receive, part)
        if isinstance(step, NeedLeaves):
            leaves = await link.leaves(step.span.log, step.span.start, step.span.end)
            return await asyncio.to_thread(mirror.receive_leaves, leaves)
        return step

    async def _take_opened(self, link: PeerLink, peer: Peer, heard: Heard, cursor: int) -> bool:
        """Take what was opened; False where a leaf is not mirrored yet, and the opening stays to be asked for."""
        while True:
            opened = await link.opened(cursor)
            if opened.next < cursor:
                raise RemoteProtocolError("opened: the number went back")
            entries = await self._ingest.forks.without_others(opened.entries, heard.notes)
            if not await self.take(link, entries, peer.org):
                return False
            if opened.next == cursor:
                if opened.done:
                    return True
                raise RemoteProtocolError("opened: the number does not grow")
            cursor = opened.next
            await self._keep_cursor(peer, peer.epoch, cursor)
            if opened.done:
                return True

    async def _keep_cursor(self, peer: Peer, epoch: bytes, cursor: int) -> None:
        async with self._core.database.write() as tx:
            await set_peer_cursor(tx, peer.node, epoch, cursor)


def _check_progress(heard: Heard, heads: Heads) -> None:
    """Raise RemoteProtocolError where the numbers of one epoch go back, or more is promised and nothing comes."""
    if heads.epoch == heard.epoch and (heads.n < heard.n or (heads.more and heads.n == heard.n)):
        raise RemoteProtocolError("heads: the number does not grow")


def _say(log_id: bytes, error: FederationError) -> str:
    log.warning("mirror_refused", log=log_id.hex(), error=str(error))
    return trouble_of(error)


async def _anything(_org: bytes, _log: bytes, _size: int) -> None:
    """Nobody is limited."""
