"""Finding forks: two checkpoints of one log that do not agree, or two headers at one place, become a proof.

Where a peer's checkpoint has another root than the log has here, the leaves of both are compared from the end back to
the first that differs: copies of a node share all but their last entries. The peer's leaves are believed only where
they give the root that the log's own key signed.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from typing import Protocol

from federation import tiles
from federation.checkpoint import Checkpoint
from federation.errors import ProofError, RemoteProtocolError
from federation.forks import Branch, ForkProof, prove_headers, proven_log, verify_fork_proof
from federation.fragment import Fragment
from federation.log import Reason
from federation.merkle import inclusion_path
from federation.sync.messages import MAX_ENTRIES
from node.services.core import Core
from node.services.counting import Counting
from node.store.database import ReadTx
from node.store.forks import has_proof
from node.store.fragments import entries_at
from node.store.logs import StoredLog, find_log, get_log, list_logs
from node.store.organisations import find_sign_key
from node.store.trees import find_root, load_tiles, read_inclusion, read_leaves

MOST_SETTLED = 4096


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
        self.own: OwnLog | None = None

    async def take(self, raw: bytes) -> None:
        """Take a proof that a peer sends; raise ProofError. One of a log that is not known here waits at the peer."""
        log_id = proven_log(raw)
        async with self._core.database.read() as tx:
            log = await find_log(tx, log_id)
            if log is None or await has_proof(tx, log_id, hashlib.sha256(raw).digest()):
                return
            sign_key = await find_sign_key(tx, log)
        if sign_key is not None:
            await self._keep(await asyncio.to_thread(verify_fork_proof, raw, sign_key))

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

    async def compare(self, peer: Leaves, log_id: bytes, checkpoint: Checkpoint, note: bytes) -> bool:
        """Whether a verified checkpoint of a peer and the log here are two branches; a proof is made where they are.

        Raise RemoteProtocolError where the peer's leaves are not under its checkpoint.
        """
        async with self._core.database.read() as tx:
            log = await get_log(tx, log_id)
            is_own = any(own.log == log_id for own in (await list_logs(tx, own=True))[-1:])
            if note == log.note or (self._key(log_id, note) in self._settled and not is_own):
                return False
            smaller = min(log.size, checkpoint.size)
            root = await find_root(tx, log.no, smaller)
        if root is None or (checkpoint.size == smaller and root == checkpoint.root):
            # What stands in a tile that is known by its root alone cannot be told apart from here.
            return self._settle(log_id, note)
        if is_own and self.own is not None:
            await self.own.publish()
        start, theirs = await self._part_ways(peer, log, checkpoint)
        if start == smaller:
            return await self._go_on(is_own=is_own)
        await self._prove(log_id, checkpoint, note, start, theirs)
        self._settle(log_id, note)
        return True

    async def _part_ways(self, peer: Leaves, log: StoredLog, checkpoint: Checkpoint) -> tuple[int, list[bytes]]:
        """The first place where the peer's leaves differ, and its leaves from there on; checked against its root."""
        smaller = min(log.size, checkpoint.size)
        start, theirs = smaller, await self._ask(peer, log.log, smaller, checkpoint.size)
        while True:
            async with self._core.database.read() as tx:
                ours = await read_leaves(tx, log.no, start, smaller)
                whole = await _with_leaves(tx, log, start, theirs, start)
            if len(ours) < smaller - start:
                return smaller, []
            if tiles.peaks(whole, checkpoint.size).root() == checkpoint.root:
                pairs = zip(ours, theirs, strict=False)
                differing = next((at for at, (mine, other) in enumerate(pairs) if mine != other), len(ours))
                return start + differing, theirs[differing:]
            if start == 0:
                raise RemoteProtocolError(f"log {log.log.hex()}: the peer's leaves are not under its checkpoint")
            before = max(0, start - MAX_ENTRIES)
            theirs = [*await self._ask(peer, log.log, before, start), *theirs]
            start = before

    async def _prove(
        self, log_id: bytes, checkpoint: Checkpoint, note: bytes, start: int, theirs: Sequence[bytes]
    ) -> None:
        async with self._core.database.read() as tx:
            log = await get_log(tx, log_id)
            if log.note is None or log.note_size <= start:
                return  # nothing was signed of the branch here: it is no evidence
            sign_key = await find_sign_key(tx, log)
            (own_leaf,) = await read_leaves(tx, log.no, start, start + 1)
            (own_path,) = await read_inclusion(tx, log.no, [start], log.note_size)
            whole = await _with_leaves(tx, log, start, theirs, start)
        path = inclusion_path(start, checkpoint.size, lambda level, index: tiles.hash_at(whole, level, index))
        left, right = Branch(log.note, own_leaf, tuple(own_path)), Branch(note, theirs[0], tuple(path))
        if sign_key is not None:
            await self._keep(verify_fork_proof(ForkProof(log_id, start, left, right).to_bytes(), sign_key))

    async def _go_on(self, *, is_own: bool) -> bool:
        """The peer has more of the same log. Of the own one that is what this node never wrote: it is left at once."""
        if is_own and self.own is not None:
            await self.own.leave(Reason.PEER_AHEAD)
        return False

    async def _ask(self, peer: Leaves, log: bytes, start: int, end: int) -> list[bytes]:
        return await peer.leaves(log, start, end) if start < end else []

    async def _keep(self, proof: ForkProof) -> None:
        async with self._core.database.write() as tx:
            await self._counting.take_proof(tx, proof)

    def _settle(self, log: bytes, note: bytes) -> bool:
        if len(self._settled) >= MOST_SETTLED:
            self._settled.clear()
        self._settled.add(self._key(log, note))
        return False

    def _key(self, log: bytes, note: bytes) -> bytes:
        return hashlib.sha256(log + note).digest()


async def _with_leaves(
    tx: ReadTx, log: StoredLog, size: int, leaves: Sequence[bytes], seq: int
) -> dict[tiles.Place, bytes]:
    """The tiles of a tree of `size` own leaves and others after them, as far as the path of `seq` reads them."""
    total = size + len(leaves)
    wanted = tiles.needed_tiles([seq] if seq < total else (), total) | tiles.needed_tiles((), size)
    held = tiles.cut_tiles(await load_tiles(tx, log.no, wanted), size)
    return held | tiles.append_leaves(held, size, leaves)
