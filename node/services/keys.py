"""The own organisation's root chain: what it says, what may be cut, and taking statements that the root key signed.

The root key never comes here. Whoever holds it signs elsewhere, and this node verifies, keeps and passes on what was
signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.counting import Counted, Loss
from federation.cut import MAX_ROWS, Cut, CutRow
from federation.enrolment import Enrolment
from federation.errors import StatementError
from federation.log import Reason
from federation.organisation import Chain, NodeEntry, RootFork, check_unforked
from federation.peer import PeerAddress
from federation.statements import RootStatement, StatementType, decode_root_statement
from node.errors import InputError, NotFoundError, StateError
from node.root_keys import NEXT, ROOT
from node.services.core import Core
from node.services.ingest import Ingest
from node.services.membership import Membership
from node.services.peering import Peering
from node.store.database import ReadTx
from node.store.logs import StoredLog, list_logs, lossy_logs
from node.store.organisations import find_chain, statements_taken
from node.store.trees import read_range

KNOWN_REASONS = frozenset(map(int, Reason))


class NodeState(StrEnum):
    """What a node of the organisation is."""

    LIVE = "live"
    ENDED = "ended"
    DISOWNED = "disowned"


class KeyWarning(StrEnum):
    """What should not stay so."""

    ROOT_HERE = "root_here"
    NEXT_HERE = "next_here"
    FORKED = "forked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LogState:
    """A log of a node as far as it is here: why it was opened, after which one, and when it came here."""

    log: bytes
    size: int
    counted: Counted
    reason: str
    previous: bytes | None
    opened_us: int


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """A node of the organisation; `cut` is what still counts of an ended one."""

    node: bytes
    sign_key: bytes
    state: NodeState
    is_this: bool
    cut: tuple[CutRow, ...]
    logs: tuple[LogState, ...]


@dataclass(frozen=True, slots=True)
class KeysStatus:
    """The chain of the own organisation: its last statement, its keys, its nodes, and what should not stay so.

    `taken_us` tells by hash when a statement came here: statements themselves hold no time.
    """

    org: bytes
    n: int
    root_key: bytes
    promise: bytes
    fork: RootFork | None
    statements: tuple[RootStatement, ...]
    taken_us: Mapping[bytes, int]
    nodes: tuple[NodeKeys, ...]
    warnings: tuple[KeyWarning, ...]


class Keys:
    """Answers about the own root chain, and takes what was signed for it."""

    def __init__(self, core: Core, ingest: Ingest, membership: Membership, peering: Peering) -> None:
        self._core = core
        self._ingest = ingest
        self._membership = membership
        self._peering = peering

    async def status(self) -> KeysStatus:
        """What the chain says now."""
        async with self._core.database.read() as tx:
            chain, logs = await self._chain(tx), await list_logs(tx, org=self._core.org)
            taken = await statements_taken(tx, self._core.org)
        nodes = tuple(self._node(entry, logs) for _, entry in sorted(chain.nodes.items()))
        return KeysStatus(
            chain.org_id,
            chain.head.n,
            chain.root_key,
            chain.promise,
            chain.fork,
            tuple(chain.path),
            taken,
            nodes,
            tuple(self._warnings(chain)),
        )

    async def cut(self, node: bytes, at: Mapping[bytes, int] | None = None) -> Cut:
        """What would count of a node if it ended: its logs as far as they are here, or up to the sizes that are named.

        Raise NotFoundError for a node that is not stated, InputError for a size that is not here.
        """
        async with self._core.database.read() as tx:
            chain = await self._chain(tx)
            if chain.node(node) is None:
                raise NotFoundError(f"node {node.hex()} is not one of this organisation", "node_unknown")
            mine = {log.log: log for log in await list_logs(tx, org=self._core.org) if log.node == node}
            sizes = {log.log: _keeps(log) for log in mine.values()} if at is None else dict(at)
            for log, size in sizes.items():
                if at is not None and (log not in mine or not 0 < size <= mine[log].size):
                    here = mine[log].size if log in mine else 0
                    raise InputError(
                        f"log {log.hex()} is here up to {here}, {size} cannot be cut",
                        "cut_unknown",
                        size=size,
                        here=here,
                    )
            rows = [
                CutRow(log, size, (await read_range(tx, mine[log].no, size)).root())
                for log, size in sorted(sizes.items())
                if size
            ]
        if len(rows) > MAX_ROWS:
            raise InputError(
                f"{len(rows)} logs, a cut has at most {MAX_ROWS}: name those that count", "cut_large", most=MAX_ROWS
            )
        return Cut(tuple(rows))

    async def take(self, envelopes: Sequence[bytes], actor: str) -> KeysStatus:
        """Take statements that follow the chain; raise InputError where one does not stand."""
        try:
            said = [decode_root_statement(envelope) for envelope in envelopes]
            async with self._core.database.read() as tx:
                chain = await self._chain(tx)
            check_unforked(chain, bool(said) and said[0].type is StatementType.ROTATE)
            for statement in said:
                chain = _followed(chain, statement)
        except StatementError as error:
            raise InputError(f"the statement is refused: {error}", "root_statement") from error
        await self._ingest.take_chain(said)
        async with self._core.database.write() as tx:
            for statement in said:
                await self._core.announce(tx, actor, "root_stated", number=statement.n)
            tx.on_commit(self._core.outgoing.tell_all)
        await self._peering.meet_own()
        return await self.status()

    async def losses(self) -> dict[bytes, set[Loss]]:
        """Why not all counts that nodes said, by node: of logs here that have entries which do not."""
        found: dict[bytes, set[Loss]] = {}
        async with self._core.database.read() as tx:
            for log in await lossy_logs(tx):
                if log.counted.loss is not None:
                    found.setdefault(log.node, set()).add(log.counted.loss)
        return found

    async def enrolment(self) -> Enrolment:
        """What a new node of the organisation takes: the chain, the federation, and where this node is."""
        async with self._core.database.read() as tx:
            chain = await self._chain(tx)
        keystore, url = self._core.keystore, self._membership.url
        peer = PeerAddress(url, keystore.node, keystore.sign.public, self._membership.pin()) if url else None
        return Enrolment(tuple(chain.path), await self._membership.attesting.genesis(), peer)

    def _node(self, entry: NodeEntry, logs: Sequence[StoredLog]) -> NodeKeys:
        state = NodeState.LIVE if entry.ended is None else NodeState.ENDED
        mine = tuple(_state(log) for log in logs if log.node == entry.node)
        return NodeKeys(
            entry.node,
            entry.sign_key,
            NodeState.DISOWNED if entry.disowned else state,
            entry.node == self._core.node,
            entry.ended.rows if entry.ended else (),
            mine,
        )

    def _warnings(self, chain: Chain) -> list[KeyWarning]:
        folder, this = self._core.folder.path, chain.node(self._core.node)
        found = {
            KeyWarning.ROOT_HERE: (folder / ROOT).exists(),
            KeyWarning.NEXT_HERE: (folder / NEXT).exists(),
            KeyWarning.FORKED: chain.fork is not None,
            KeyWarning.ENDED: this is None or this.ended is not None,
        }
        return [warning for warning, holds in found.items() if holds]

    async def _chain(self, tx: ReadTx) -> Chain:
        chain = await find_chain(tx, self._core.org)
        if chain is None:
            raise StateError("the root chain of this organisation is not here", "chain_missing")
        return chain


def _followed(chain: Chain, statement: RootStatement) -> Chain:
    """The chain with one statement after its last; raise StatementError where it does not stand there."""
    longer = Chain([*chain.path, statement])
    if longer.head.hash != statement.hash:
        why = next((reason for refused, reason in longer.refused if refused.hash == statement.hash), None)
        raise StatementError(why or f"statement {statement.n} does not stand after {chain.head.n}, the last one here")
    return longer


def _state(log: StoredLog) -> LogState:
    said = log.statement
    reason = Reason(said.reason).name.lower() if said.reason in KNOWN_REASONS else "unknown"
    return LogState(log.log, log.size, log.counted, reason, said.previous, log.opened_us)


def _keeps(log: StoredLog) -> int:
    return log.size if log.counted.size is None else min(log.size, log.counted.size)
