"""Finding forks: two checkpoints of one log that do not agree, or two headers at one place, become a proof.

Where a peer's checkpoint has another root than the log has here, the leaves of both are compared from the end back to
the first that differs: copies of a node share all but their last entries. The peer's leaves are believed only where
they give the root that the log's own key signed.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from federation import tiles
from federation.checkpoint import Checkpoint, verify_checkpoint
from federation.errors import FederationError, ProofError, RemoteProtocolError
from federation.forks import Branch, ForkProof, prove_headers, proven_log, verify_fork_proof
from federation.fragment import Fragment
from federation.log import Reason
from federation.merkle import inclusion_path, root_of
from federation.sync.messages import Placed
from node.services.core import Core
from node.services.counting import Counting
from node.store.database import ReadTx
from node.store.forks import has_proof
from node.store.fragments import entries_at
from node.store.logs import StoredLog, find_log, get_log, list_logs
from node.store.organisations import find_sign_key
from node.store.trees import find_root, load_tiles, read_inclusion, read_leaves_at, read_tile_roots

MOST_SETTLED = 4096
STEP = 3 * tiles.WIDTH  # leaves asked for beyond the tile in which the search stands, twice as many each time
MOST_AHEAD = 1 << 18  # leaves past the end of a log that are compared: whoever signs a log may say any size


class Leaves(Protocol):
    """A peer that is asked for leaf hashes."""

    async def leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        """The leaf hashes start .. end of a log."""
        ...


class OwnLog(Protocol):
    """The log that this node writes."""

    async def publish(self) -> None:
        """Sign a checkpoint over all of it."""
        ...

    async def leave(self, reason: Reason) -> None:
        """Go on in a new log."""
        ...


class Forks:
    """Compares what peers show of a log with what is here, and takes proofs."""

    def __init__(self, core: Core, counting: Counting) -> None:
        self._core = core
        self._counting = counting
        self._settled: set[bytes] = set()
        self._others: set[bytes] = set()
        self.own: OwnLog | None = None

    async def take(self, raw: bytes) -> bool:
        """Take a proof that a peer sends; False where its log is not known here yet. Raise ProofError."""
        log_id = proven_log(raw)
        async with self._core.database.read() as tx:
            log = await find_log(tx, log_id)
            if log is not None and await has_proof(tx, log_id, hashlib.sha256(raw).digest()):
                return True
            sign_key = await find_sign_key(tx, log) if log is not None else None
        if sign_key is None:
            return False
        await self._keep(await asyncio.to_thread(verify_fork_proof, raw, sign_key))
        return True

    async def take_header(self, log: bytes, seq: int, fragment: Fragment) -> bool:
        """Whether a fragment that is not the one here at its place proves a fork; it is taken then."""
        async with self._core.database.read() as tx:
            known = await get_log(tx, log)
            sign_key = await find_sign_key(tx, known)
            held = await entries_at(tx, [(known.no, seq)])
        if sign_key is None or not held:
            return False
        with contextlib.suppress(ProofError):
            branches = ((held[0].header, held[0].signature), (fragment.header, fragment.signature))
            await self._keep(verify_fork_proof(prove_headers(*branches).to_bytes(), sign_key))
            return True
        return False

    def is_other(self, log_id: bytes, note: bytes) -> bool:
        """Whether a checkpoint is known to be of another branch than the one here."""
        return _key(log_id, note) in self._others

    async def without_others(self, placed: Sequence[Placed], notes: Mapping[bytes, bytes]) -> list[Placed]:
        """Without what a peer can only open of another branch: past the place where they part no leaf of it comes here.

        `notes` are the peer's checkpoints by log. What stands at a leaf that is here is left in: it may show a fork.
        """
        logs = {item.log for item in placed}
        others = {log for log in logs if log in notes and self.is_other(log, notes[log])}
        if not others:
            return list(placed)
        async with self._core.database.read() as tx:
            known = {log_id: await get_log(tx, log_id) for log_id in sorted(others)}
            seqs = {log_id: [item.seq for item in placed if item.log == log_id] for log_id in known}
            leaves = {log_id: await read_leaves_at(tx, log.no, seqs[log_id]) for log_id, log in known.items()}
        return [
            item
            for item in placed
            if item.log not in known or item.seq in leaves[item.log] or _may_come(known[item.log], item.seq)
        ]

    async def is_apart(self, peer: Leaves, log_id: bytes, note: bytes, fault: FederationError) -> bool:
        """Whether a peer that could not show what follows here does so because it has another branch."""
        if not isinstance(fault, RemoteProtocolError):
            return False
        with contextlib.suppress(FederationError):
            return await self.meet(peer, log_id, note, is_longer=True)
        return False

    async def meet(self, peer: Leaves, log_id: bytes, note: bytes, *, is_longer: bool = False) -> bool:
        """Whether a peer's checkpoint and the log here are two branches; a proof is made where they are.

        One that is further than the log here is left to the mirror unless `is_longer`, or where nobody but this node
        writes the log. Raise RemoteProtocolError where the peer's leaves are not under its checkpoint.
        """
        if (key := _key(log_id, note)) in self._settled or key in self._others:
            return key in self._others
        async with self._core.database.read() as tx:
            log = await find_log(tx, log_id)
            if log is None or note == log.note:
                return False
            is_own = any(own.log == log_id for own in (await list_logs(tx, own=True))[-1:])
            sign_key = await find_sign_key(tx, log)
            checkpoint = _checkpoint(note, log_id, sign_key)
            if checkpoint is None or (checkpoint.size > log.size and not (is_own or is_longer)):
                return False
            if checkpoint.size - log.size > MOST_AHEAD and not is_own:
                return False
            same = checkpoint.size <= log.size and await find_root(tx, log.no, checkpoint.size) == checkpoint.root
        if same:
            self._settled = _kept(self._settled, key)
            return False
        if is_own and self.own is not None:
            await self.own.publish()
        try:
            return await self._part(peer, log, checkpoint, note, is_own=is_own)
        except KeyError:  # a tile of which only the root is known: whoever has its leaves makes the proof
            return False

    async def _part(self, peer: Leaves, log: StoredLog, checkpoint: Checkpoint, note: bytes, *, is_own: bool) -> bool:
        start, theirs = await self._part_ways(peer, log, checkpoint)
        if start == min(log.size, checkpoint.size):
            # The peer has more of the same log. Of the own one that is what this node never wrote: it is left at once.
            if is_own and self.own is not None:
                await self.own.leave(Reason.PEER_AHEAD)
            return False
        await self._prove(log.log, checkpoint, note, start, theirs)
        self._others = _kept(self._others, _key(log.log, note))
        return True

    async def _part_ways(self, peer: Leaves, log: StoredLog, checkpoint: Checkpoint) -> tuple[int, list[bytes]]:
        """The first place where the peer's leaves differ, and its leaves from there on; checked against its root."""
        smaller = min(log.size, checkpoint.size)
        step, start, theirs = STEP, smaller, await self._ask(peer, log.log, smaller, checkpoint.size)
        while True:
            async with self._core.database.read() as tx:
                whole = await _with_leaves(tx, log, start, theirs, start)
                if tiles.peaks(whole, checkpoint.size).root() == checkpoint.root:
                    differing = await _differing(tx, log, start, theirs, smaller)
                    return start + differing, theirs[differing:]
            if start == 0:
                raise RemoteProtocolError(f"log {log.log.hex()}: the peer's leaves are not under its checkpoint")
            # From the edge of a tile on: one of which only the root is known is asked for whole.
            before = max(0, (start - 1) // tiles.WIDTH * tiles.WIDTH - step)
            theirs = [*await self._ask(peer, log.log, before, start), *theirs]
            start, step = before, step * 2

    async def _prove(
        self, log_id: bytes, checkpoint: Checkpoint, note: bytes, start: int, theirs: Sequence[bytes]
    ) -> None:
        async with self._core.database.read() as tx:
            log = await get_log(tx, log_id)
            if log.note is None or log.note_size <= start:
                return  # nothing was signed of the branch here: it is no evidence
            sign_key = await find_sign_key(tx, log)
            own_leaf = (await read_leaves_at(tx, log.no, [start]))[start]
            (own_path,) = await read_inclusion(tx, log.no, [start], log.note_size)
            whole = await _with_leaves(tx, log, start, theirs, start)
        path = inclusion_path(start, checkpoint.size, lambda level, index: tiles.hash_at(whole, level, index))
        left, right = Branch(log.note, own_leaf, tuple(own_path)), Branch(note, theirs[0], tuple(path))
        if sign_key is not None:
            await self._keep(verify_fork_proof(ForkProof(log_id, start, left, right).to_bytes(), sign_key))

    async def _ask(self, peer: Leaves, log: bytes, start: int, end: int) -> list[bytes]:
        return await peer.leaves(log, start, end) if start < end else []

    async def _keep(self, proof: ForkProof) -> None:
        async with self._core.database.write() as tx:
            await self._counting.take_proof(tx, proof)


def _may_come(log: StoredLog, seq: int) -> bool:
    """Whether a leaf that is not here lies in a tile before the place where the branches of a log part."""
    return seq < log.size and (seq // tiles.WIDTH + 1) * tiles.WIDTH <= (log.counted.size or 0)


async def _differing(tx: ReadTx, log: StoredLog, start: int, theirs: Sequence[bytes], end: int) -> int:
    """How many of a peer's leaves from a place on are those here; KeyError where the next is not known here."""
    ours = await read_leaves_at(tx, log.no, range(start, end))
    roots = await read_tile_roots(tx, log.no, start, end)
    seq = start
    while seq < end:
        first, last = seq - start, seq - start + tiles.WIDTH
        if seq not in ours and seq % tiles.WIDTH == 0 and roots.get(seq // tiles.WIDTH) == root_of(theirs[first:last]):
            seq += tiles.WIDTH
        elif ours[seq] == theirs[first]:
            seq += 1
        else:
            break
    return seq - start


async def _with_leaves(
    tx: ReadTx, log: StoredLog, size: int, leaves: Sequence[bytes], seq: int
) -> dict[tiles.Place, bytes]:
    """The tiles of a tree of `size` own leaves and others after them, as far as the path of `seq` reads them."""
    total = size + len(leaves)
    wanted = tiles.needed_tiles([seq] if seq < total else (), total) | tiles.needed_tiles((), size)
    held = tiles.cut_tiles(await load_tiles(tx, log.no, wanted), size)
    return held | tiles.append_leaves(held, size, leaves)


def _checkpoint(note: bytes, log: bytes, sign_key: bytes | None) -> Checkpoint | None:
    with contextlib.suppress(FederationError):
        return verify_checkpoint(note, log, sign_key) if sign_key is not None else None
    return None


def _kept(keys: set[bytes], key: bytes) -> set[bytes]:
    return {key} if len(keys) >= MOST_SETTLED else keys | {key}


def _key(log: bytes, note: bytes) -> bytes:
    return hashlib.sha256(log + note).digest()
