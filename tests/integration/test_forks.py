"""Finding forks: whatever two branches of a log a node meets, they end in a proof of the first place that differs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from federation.counting import Counted, Loss
from federation.errors import ProofError, RemoteProtocolError
from federation.forks import verify_fork_proof
from federation.log import Reason
from federation.merkle import CompactRange
from federation.peer import PeerAddress
from federation.sync.following import FollowAsked, Followed
from federation.sync.messages import Heads, HeadsAsked, Openings, Part, Placed, Span
from federation.sync.mirror import Mirror, Verified
from node.services.exchange import Exchange, Heard
from node.services.ingest import Mirrored
from node.store.forks import read_proofs
from node.store.fragments import entries_between
from node.store.logs import get_log
from node.store.peers import find_peer, put_peer
from node.store.trees import read_leaves
from tests.builders import Writer, found, log_statement, signing_key
from tests.unit.node_protocols.builders import Desk, new_desk

STATED = found().node("node")
LOG = log_statement(org=STATED.org)
KEY = signing_key("node").public


class Peer:
    """A peer that answers with the leaves of one branch, and opened some of its entries."""

    def __init__(self, leaves: Sequence[bytes], opened: Sequence[Placed] = ()) -> None:
        self._leaves = leaves
        self._opened = tuple(opened)
        self.asked = 0

    async def heads(self, _known: HeadsAsked) -> Heads | None:
        """Nothing new."""
        return None

    async def pull(self, spans: Sequence[Span]) -> list[Part]:
        """Nobody asks for what does not follow the branch there."""
        raise AssertionError(spans)

    async def opened(self, after: int) -> Openings:
        """All at once."""
        return Openings(after + 1, self._opened, done=True)

    async def follow(self, asked: FollowAsked) -> Followed:
        """Nobody narrows what comes."""
        raise AssertionError(asked)

    async def leaves(self, _log: bytes, start: int, end: int) -> list[bytes]:
        """The leaf hashes start .. end."""
        self.asked += end - start
        return list(self._leaves[start:end])


def branches(shared: int, here: int, there: int) -> tuple[Writer, Writer]:
    """Two branches of the log that share their first entries."""
    trunk = Writer(log=LOG.log_id).write(shared)
    left, right = (Writer(log=LOG.log_id, entries=list(trunk.entries)) for _ in range(2))
    return left.write(here, "here"), right.write(there, "there")


@asynccontextmanager
async def holding(folder: Path, branch: Writer) -> AsyncIterator[Desk]:
    """A node that mirrored one branch."""
    async with new_desk(folder) as desk:
        await mirror(desk, branch)
        yield desk


async def mirror(desk: Desk, branch: Writer) -> None:
    """Let a node mirror one branch."""
    await desk.ingest.take_chain(STATED.statements)
    log = await desk.ingest.take_log(LOG)
    assert log is not None
    session = Mirror(LOG.log_id, KEY, CompactRange(), verify_checkpoint(branch.note(), LOG.log_id, KEY))
    step = session.receive(Part(LOG.log_id, 0, tuple(branch.entries)))
    assert isinstance(step, Verified)
    await desk.ingest.take_parts([Mirrored(log, step, branch.note())])


async def compare(desk: Desk, peer: Peer, note: bytes) -> bool:
    """A peer shows a checkpoint."""
    return await desk.ingest.forks.meet(peer, LOG.log_id, note, is_longer=True)


async def counted(desk: Desk) -> Counted:
    """What counts of the log."""
    async with desk.core.database.read() as tx:
        return (await get_log(tx, LOG.log_id)).counted


async def proofs(desk: Desk) -> list[bytes]:
    """The proofs that are kept."""
    async with desk.core.database.read() as tx:
        return (await read_proofs(tx)).get(LOG.log_id, [])


@pytest.mark.parametrize(
    ("shared", "here", "there"),
    [
        pytest.param(0, 3, 3, id="from the first entry on"),
        pytest.param(5, 2, 2, id="at one size"),
        pytest.param(5, 4, 1, id="the peer is shorter"),
        pytest.param(5, 1, 4, id="the peer is longer"),
        pytest.param(256, 1, 1, id="at the edge of a tile"),
        pytest.param(300, 1100, 1050, id="pages back"),
    ],
)
async def test_two_branches_end_in_a_proof_of_the_first_place_that_differs(
    tmp_path: Path, shared: int, here: int, there: int
) -> None:
    """The proof holds for everybody, names where the branches part, and only what stands before that counts."""
    ours, theirs = branches(shared, here, there)
    async with holding(tmp_path, ours) as desk:
        assert await compare(desk, Peer(theirs.leaves), theirs.note())

        (raw,) = await proofs(desk)
        assert verify_fork_proof(raw, KEY).seq == shared
        assert await counted(desk) == Counted(shared, Loss.FORKED)
        assert await compare(desk, peer := Peer(theirs.leaves), theirs.note())
        assert peer.asked == 0


async def test_peer_that_is_further_in_the_same_log_is_no_fork(tmp_path: Path) -> None:
    """A longer checkpoint over the same entries proves nothing, nor does a shorter one."""
    ours, theirs = branches(5, 0, 3)
    async with holding(tmp_path, ours) as desk:
        assert not await compare(desk, Peer(theirs.leaves), theirs.note())
        assert not await compare(desk, Peer(theirs.leaves), theirs.note(3))

        assert await proofs(desk) == []


async def test_leaves_that_are_not_under_the_checkpoint_are_the_peers_fault(tmp_path: Path) -> None:
    """A peer that shows other leaves than the log's key signed accuses nobody but itself."""
    ours, theirs = branches(5, 2, 2)
    _, lies = branches(5, 0, 2)
    async with holding(tmp_path, ours) as desk:
        with pytest.raises(RemoteProtocolError, match="not under its checkpoint"):
            await compare(desk, Peer([*lies.leaves[:6], bytes(32)]), theirs.note())

        assert await proofs(desk) == []


async def test_entry_that_is_not_the_one_mirrored_proves_a_fork(tmp_path: Path) -> None:
    """Another signed header at a place is kept as evidence, and the pull that brought it goes on."""
    ours, theirs = branches(2, 1, 1)
    async with holding(tmp_path, ours) as desk:
        whole = await desk.ingest.take_placed([Placed(LOG.log_id, 2, theirs.entries[2])])

        (raw,) = await proofs(desk)
        assert whole
        assert verify_fork_proof(raw, KEY).seq == 2
        assert await counted(desk) == Counted(2, Loss.FORKED)


async def test_what_is_opened_of_another_branch_holds_nothing_up(tmp_path: Path) -> None:
    """Entries of which no leaf will ever come are passed over, what is shared is taken, the peer's number goes on."""
    ours, theirs = branches(2, 1, 4)
    placed = [Placed(LOG.log_id, seq, theirs.entries[seq]) for seq in (1, 4, 5)]
    async with holding(tmp_path, ours) as desk:
        link, node = Peer(theirs.leaves, placed), bytes(16)
        address = PeerAddress("https://127.0.0.1:1", node, KEY, bytes(32))
        async with desk.core.database.write() as tx:
            await put_peer(tx, address, STATED.org, "active")
        await compare(desk, link, theirs.note())
        async with desk.core.database.read() as tx:
            peer = await find_peer(tx, node)
        assert peer is not None
        heard = Heard(peer.epoch, opened=1, notes={LOG.log_id: theirs.note()}, sizes={LOG.log_id: 6})

        outcome = await Exchange(desk.core, desk.ingest).level(link, peer, heard)

        async with desk.core.database.read() as tx:
            known = await find_peer(tx, node)
            held = await entries_between(tx, (await get_log(tx, LOG.log_id)).no, 0, 7)
        assert (outcome.is_whole, outcome.trouble) == (True, None)
        assert known is not None
        assert known.cursor == 1
        assert held[1].to_fragment().id == theirs.entries[1].id
        assert held.keys() == {0, 1, 2}


async def test_proof_is_passed_on_and_taken(tmp_path: Path) -> None:
    """A node that holds either branch counts the same by the proof of another; an altered proof is refused."""
    ours, theirs = branches(3, 2, 2)
    async with holding(tmp_path / "left", ours) as left, holding(tmp_path / "right", theirs) as right:
        await compare(left, Peer(theirs.leaves), theirs.note())
        (raw,) = await proofs(left)

        with pytest.raises(ProofError):
            await right.ingest.forks.take(raw[:-40] + bytes(40))
        await right.ingest.forks.take(raw)
        await right.ingest.forks.take(raw)

        assert await proofs(right) == [raw]
        assert await counted(right) == await counted(left) == Counted(3, Loss.FORKED)


async def test_own_log_that_a_peer_knows_further_is_left_at_once(tmp_path: Path) -> None:
    """Entries that this node never wrote, after all of its own: it goes on in a new log that names the old one."""
    async with new_desk(tmp_path) as desk:
        desk.ingest.forks.own = desk.ledger
        await desk.ledger.publish()
        old = desk.ledger.log.log
        async with desk.core.database.read() as tx:
            log = await get_log(tx, old)
        writer = Writer(desk.core.keystore.sign, old)
        async with desk.core.database.read() as tx:
            mine = await read_leaves(tx, log.no, 0, log.size)
        more = [*mine, *writer.write(1, "elsewhere").leaves]
        grown = CompactRange().extend(more)
        note = sign_checkpoint(writer.key, Checkpoint(old, grown.size, grown.root()))

        proven = await desk.ingest.forks.meet(Peer(more), old, note)

        assert not proven
        assert desk.ledger.log.statement.previous == log.log
        assert desk.ledger.log.statement.reason == Reason.PEER_AHEAD
