"""What counts of each log, decided in one place and kept beside the log; nobody else decides it.

It is judged again when a root statement, a fork proof, an attested branch or an end of membership arrives, when a log
whose cut waits for its root grows, and at every start. Where the number of a log moves, in either direction, what its
entries touch is folded anew in the same transaction. Nothing is deleted: what does not count is kept, passed on and
shown with the reason.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Authority
from federation.counting import ALL, Counted, Loss, counted_of, sizes_asked
from federation.cut import Cut
from federation.errors import CodecError, VoidError
from federation.forks import ForkProof
from federation.fragment import Fragment, Header, decode_header
from federation.organisation import Chain, NodeEntry
from federation.statements import RootStatement
from node.passport.attestations import Attestations
from node.services.core import Core
from node.store.database import ReadTx, WriteTx
from node.store.forks import forked_seq, insert_proof
from node.store.fragments import NewEntry, StoredFragment
from node.store.logs import StoredLog, get_log, list_logs, set_counted
from node.store.organisations import (
    drop_statements,
    find_chain,
    insert_statements,
    read_attested,
    read_chains,
    set_attested,
)
from node.store.peers import list_peers, set_peer_state
from node.store.trees import find_root

ENDED, INBOX = "ended", "inbox"


@dataclass(frozen=True, slots=True)
class Move:
    """Entries start .. end of a log that came to count, or count no more."""

    log: StoredLog
    start: int
    end: int


Recount = Callable[[WriteTx, Sequence[Move]], Awaitable[None]]
Ends = Callable[[ReadTx, bytes], Awaitable[Sequence[Sequence[Cut]]]]


class Counting:
    """Judges logs, and brings what they touch up to date."""

    def __init__(self, core: Core, recount: Recount) -> None:
        """`recount` folds what moved anew. `ends` answers the cuts of each further end of an organisation's logs."""
        self._core = core
        self._recount = recount
        self.ends: Ends = _no_ends
        self.ended: asyncio.Queue[bytes] = asyncio.Queue()  # nodes that were ended: nobody talks to them any more
        self.forked = asyncio.Event()  # of the own log
        self.on_chain: Callable[[], None] = _nothing
        self.branches: Callable[[], Mapping[bytes, frozenset[bytes]]] = dict

    async def open(self) -> None:
        """Judge every log: a store of an earlier version, or an older store, has other numbers."""
        async with self._core.database.write() as tx:
            moves: list[Move] = []
            for org, chain in (await read_chains(tx)).items():
                moves += await self._judge_logs(tx, await list_logs(tx, org=org), chain)
            await self._settle(tx, moves)

    async def take_statements(
        self, tx: WriteTx, org: bytes, fresh: Iterable[RootStatement], gone: Iterable[bytes] = ()
    ) -> None:
        """Keep root statements that stand, and what follows from them; forget those for which there is no room."""
        before = await find_chain(tx, org)
        await drop_statements(tx, org, gone)
        await insert_statements(tx, fresh)
        await set_attested(tx, self.branches())
        await self._follow_chain(tx, org, before)

    async def take_attested(self, tx: WriteTx, attestations: Attestations) -> bool:
        """Keep which branches of root chains the anchors attest, and what follows; whether that is news."""
        concerned = attestations.branches.keys() | (await read_attested(tx)).keys()
        before = {org: await find_chain(tx, org) for org in sorted(concerned)}
        changed = await set_attested(tx, attestations.branches) if concerned else set()
        for org in sorted(changed):
            await self._follow_chain(tx, org, before[org])
        return bool(changed)

    async def take_proof(self, tx: WriteTx, proof: ForkProof) -> bool:
        """Keep a verified proof of a known log, tell everyone, and count no more than it leaves; False where known."""
        log = await get_log(tx, proof.log)
        if not await insert_proof(tx, proof):
            return False
        await self._core.announce(tx, "sync", "log_forked", org=log.org, log=log.log.hex(), seq=proof.seq)
        await self.judge(tx, log.org)
        tx.on_commit(self._core.outgoing.tell_all)
        return True

    async def judge(self, tx: WriteTx, org: bytes) -> None:
        """Judge every log of an organisation again."""
        await self._settle(tx, await self._judge_logs(tx, await list_logs(tx, org=org), await find_chain(tx, org)))

    async def judge_log(self, tx: WriteTx, log: StoredLog) -> Counted:
        """Judge one log again as far as it was here before: what came with this transaction is not projected yet."""
        now = await get_log(tx, log.log)
        if now.counted == ALL:
            return now.counted  # nothing ends it: however far it grows, all of it counts
        counted = await self._counted(tx, now, await find_chain(tx, log.org))
        if counted != now.counted:
            await set_counted(tx, log.no, counted)
            await self._settle(tx, _moved(log, now.counted, counted))
        return counted

    async def _judge_logs(self, tx: WriteTx, logs: Iterable[StoredLog], chain: Chain | None) -> list[Move]:
        moves: list[Move] = []
        for log in logs:
            counted = await self._counted(tx, log, chain)
            if counted != log.counted:
                await set_counted(tx, log.no, counted)
                moves += _moved(log, log.counted, counted)
                if log.own and counted.loss is Loss.FORKED:
                    tx.on_commit(self.forked.set)
        return moves

    async def _counted(self, tx: ReadTx, log: StoredLog, chain: Chain | None) -> Counted:
        node, ends = chain.node(log.node) if chain else None, await self.ends(tx, log.org)
        asked = sorted(size for size in sizes_asked(log.log, node, ends) if size <= log.size)
        roots = {size: await find_root(tx, log.no, size) for size in asked}
        return counted_of(log.log, node, roots.get, await forked_seq(tx, log.log), ends=ends)

    async def _settle(self, tx: WriteTx, moves: Sequence[Move]) -> None:
        for move in moves:
            now = await get_log(tx, move.log.log)
            reason = now.counted.loss.value if now.counted.loss else None
            count = now.size if now.counted.size is None else now.counted.size
            await self._core.announce(
                tx, "merge", "log_counted", org=now.org, log=now.log.hex(), count=count, total=now.size, reason=reason
            )
        if moves:
            await self._recount(tx, moves)

    async def _follow_chain(self, tx: WriteTx, org: bytes, before: Chain | None) -> None:
        after = await find_chain(tx, org)
        if after is None:
            return
        await self._tell(tx, before, after)
        await self._settle_peers(tx, after)
        await self.judge(tx, org)
        tx.on_commit(self.on_chain)

    async def _tell(self, tx: WriteTx, before: Chain | None, after: Chain) -> None:
        """Journal what a chain says that it did not say before."""
        known: Mapping[bytes, NodeEntry] = before.nodes if before else {}
        for node, entry in sorted(after.nodes.items()):
            was = known.get(node)
            if entry.ended is not None and before is not None and (was is None or was.ended != entry.ended):
                what = "node_disowned" if entry.disowned else "node_ended"
                await self._core.announce(tx, "sync", what, org=after.org_id, node=node.hex())
        if after.fork is not None and (before is None or before.fork is None):
            await self._core.announce(tx, "sync", "chain_forked", org=after.org_id, number=after.fork.n)

    async def _settle_peers(self, tx: WriteTx, chain: Chain) -> None:
        """Nobody talks to a node that was ended; one that counts again waits for somebody to decide."""
        for peer in await list_peers(tx):
            node = chain.node(peer.node) if peer.org == chain.org_id else None
            if node is None:
                continue
            if node.ended is not None:
                await set_peer_state(tx, peer.node, ENDED)
            elif peer.state == ENDED:
                await set_peer_state(tx, peer.node, INBOX)
        for node_id, entry in chain.nodes.items():
            if entry.ended is not None:
                tx.on_commit(_put(self.ended, node_id))


def stored_entry(entry: StoredFragment) -> NewEntry:
    """A stored entry as it was when it came."""
    fragment = entry.to_fragment()
    return NewEntry(entry.seq, fragment, stored_header(entry), entry.void, entry.sections, routes_of(fragment))


def stored_header(entry: StoredFragment) -> Header | None:
    """The header of a stored entry, None where it is void."""
    if entry.void is None:
        with contextlib.suppress(VoidError):  # altered on the disk: fsck names it
            return decode_header(entry.header, entry.log, entry.seq)
    return None


def routes_of(fragment: Fragment) -> tuple[bytes, ...]:
    """Subjects that the section `authority` names, by which the entry is found too."""
    authority = authority_of(fragment)
    return authority.subjects or () if authority else ()


def authority_of(fragment: Fragment) -> Authority | None:
    """What the section `authority` says, where it is in clear and well-formed."""
    section = fragment.section("authority")
    if section is None or section.salt is None:
        return None
    try:
        return Authority.from_bytes(section.data)
    except CodecError:
        return None


def _moved(log: StoredLog, before: Counted, after: Counted) -> list[Move]:
    start, end = sorted(log.size if c.size is None else min(c.size, log.size) for c in (before, after))
    return [Move(log, start, end)] if start < end else []


def _put(queue: asyncio.Queue[bytes], node: bytes) -> Callable[[], None]:
    return lambda: queue.put_nowait(node)


async def _no_ends(_tx: ReadTx, _org: bytes) -> Sequence[Sequence[Cut]]:
    return ()


def _nothing() -> None:
    """Nobody wants to know."""
