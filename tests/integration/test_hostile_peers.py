"""Whatever a peer answers costs bounded memory and time, is shown as its fault, and keeps nobody else waiting."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation import codec
from federation.checkpoint import Checkpoint, sign_checkpoint
from federation.log import Reason
from federation.net import carrier, pace
from federation.statements import genesis
from federation.sync.messages import Heads, Part, encode_leaves, encode_parts
from node.services import sync as services_sync
from node.services.reopening import Reopening, put_reopening
from node.services.returning import Returning
from node.store.peers import find_peer, put_peer
from tests import hostile
from tests.builders import found, id16, log_statement, signing_key
from tests.hostile import Hostile, Script
from tests.integration.test_peers import Neighbour, met, until
from tests.unit.node_protocols.builders import Desk, ended, new_desk, new_sync

GRACE_S = 0.5
MEGABYTE = 1 << 20
MOST_MEMORY = 96 * MEGABYTE  # above what was there: an answer, what it inflates to, and what they are read into
GOOD = hostile.GOOD
HEAD = b"\x99\xc4\x10" + bytes(16) + b"\x01"  # nine values: an epoch, a number
HUGE_COUNTS = (
    HEAD + b"\xdd\xff\xff\xff\xff",  # four thousand million chains
    HEAD + b"\x90\xdd\x7f\xff\xff\xff",
    HEAD + b"\x90\x90\x90" + codec.pack([b"a"] * 4096) + b"\x00\x00\xc0",  # more fork proofs than may be
    HEAD + b"\x90\x90\x90\x90\xcf" + b"\xff" * 8 + b"\x00\xc0",  # a number beyond all
    HEAD + b"\x90" + codec.pack([b"x"] * 5000) + b"\x90\x90\x00\x00\xc0",  # more logs than may be
    b"\xc6\xff\xff\xff\xffx",  # binary of four gigabytes
)
CASES: list[tuple[Script, str]] = [
    (hostile.stream_for_ever, "oversize"),
    (hostile.trickle, "slow"),
    (hostile.trickle_headers, "away"),
    (hostile.say_nothing, "away"),
    (hostile.break_off, "truncated"),
    (hostile.redirect, "answer"),
    (hostile.huge_header, "protocol"),
    (hostile.garbage, "protocol"),
    (hostile.fail, "broken"),
    (hostile.put_off, "busy"),
    (hostile.unsigned, "answer"),
    (hostile.signed_by_another, "answer"),
    (hostile.bomb, "oversize"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten seconds for a trickle here."""
    monkeypatch.setattr(pace, "GRACE_S", GRACE_S)
    monkeypatch.setattr(carrier, "BEGIN_S", GRACE_S)


@pytest.fixture
def memory() -> Iterator[None]:
    """The peak of this process's memory stays near where it was."""
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    yield
    assert peak() - before < MOST_MEMORY


def peak() -> int:
    """The most bytes of memory that this process had since the last reset."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


@asynccontextmanager
async def attacked(script: Script, folder: Path) -> AsyncIterator[tuple[Desk, Hostile, Neighbour]]:
    """A node with a good peer and a hostile one."""
    async with new_desk(folder) as desk, hostile.hostile(script, folder) as attacker:
        neighbour = Neighbour(desk)
        async with met(desk, neighbour, folder):
            async with desk.core.database.write() as tx:
                await put_peer(tx, attacker.address, hostile.ORG, "active")
            yield desk, attacker, neighbour


async def trouble(desk: Desk) -> str | None:
    """What is shown of the hostile peer."""
    async with desk.core.database.read() as tx:
        shown = await find_peer(tx, hostile.NODE)
    assert shown is not None
    return shown.trouble


async def shown(desk: Desk) -> str:
    """What is shown of the hostile peer, once something is."""
    async with asyncio.timeout(10):
        while (found := await trouble(desk)) is None:  # noqa: ASYNC110 - a row of the store
            await asyncio.sleep(0.01)
    return found


async def heard_after(neighbour: Neighbour, number: int) -> float:
    """Seconds until an opening of the good peer is asked for."""
    asked, began = neighbour.asked["opened"], time.monotonic()
    neighbour.given = number
    await neighbour.hub.notify()
    await until(lambda: neighbour.asked["opened"] > asked)
    return time.monotonic() - began


@asynccontextmanager
async def syncing(desk: Desk) -> AsyncIterator[None]:
    """The node talks to its peers."""
    sync = new_sync(desk.core, desk.ingest)
    running = asyncio.create_task(sync.run())
    try:
        yield
        assert not running.done()
    finally:
        await ended(running)
        await sync.close()


@pytest.mark.parametrize(("script", "code"), CASES, ids=lambda case: getattr(case, "__name__", None))
@pytest.mark.usefixtures("memory")
async def test_fault_of_a_peer_is_named_and_others_go_on(tmp_path: Path, script: Script, code: str) -> None:
    """Each fault is shown at the one who did it; meanwhile news of another peer are taken at once."""
    async with attacked(script, tmp_path) as (desk, _, neighbour), syncing(desk):
        await until(lambda: neighbour.hub.nodes and neighbour.asked["heads"])
        assert await heard_after(neighbour, 1) < 3
        assert (await shown(desk)).partition(": ")[0] == code


@pytest.mark.usefixtures("memory")
async def test_answers_that_lie_about_sizes_are_refused(tmp_path: Path) -> None:
    """Counts of thousands of millions, numbers beyond all and too many rows are refused before room is made."""
    async with attacked(hostile.answering(GOOD), tmp_path) as (desk, attacker, _):
        sync = new_sync(desk.core, desk.ingest)
        try:
            await sync.exchange(attacker.address.node)
            for body in (*HUGE_COUNTS, GOOD[:-1], GOOD + b"\0", b"", b"\xc1"):
                attacker.script = hostile.answering(body)
                with pytest.raises(Exception, match=r"heads|answer") as raised:
                    await sync.exchange(attacker.address.node)
                assert getattr(raised.value, "code", None) == "protocol", body[:20]
        finally:
            await sync.close()


@pytest.mark.usefixtures("memory")
async def test_answer_that_is_large_once_it_is_read_is_refused(tmp_path: Path) -> None:
    """Some kilobytes that inflate to millions of empty arrays, each of which takes 64 bytes, are refused meanwhile."""
    count = 8 * MEGABYTE - 64
    arrays = HEAD + b"\xdd" + count.to_bytes(4) + b"\x90" * count
    async with attacked(hostile.answering(arrays, deflated=True), tmp_path) as (desk, attacker, _):
        sync = new_sync(desk.core, desk.ingest)
        with pytest.raises(Exception, match="too many arrays") as raised:
            await sync.exchange(attacker.address.node)
        assert getattr(raised.value, "code", None) == "protocol"
        await sync.close()


async def test_peer_that_always_has_news_is_asked_at_a_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is news, of another epoch: it is asked a few times, then now and then; others are heard."""
    monkeypatch.setattr(services_sync, "EXCHANGES_BURST", 3)
    monkeypatch.setattr(services_sync, "EXCHANGES_S", 1.0)
    async with attacked(hostile.ever_new, tmp_path) as (desk, attacker, neighbour), syncing(desk):
        await until(lambda: neighbour.hub.nodes and attacker.asked["heads"] >= 3)
        assert await heard_after(neighbour, 1) < 3
        assert attacker.asked["heads"] <= 6


async def test_log_of_impossible_size_is_not_asked_for_leaf_by_leaf(tmp_path: Path) -> None:
    """Its author may sign any size: where he gives no entries, no leaf hashes without end are collected either."""
    line, log = found().node("node"), log_statement(org=found().org)
    note = sign_checkpoint(signing_key("node"), Checkpoint(log.log_id, 1 << 40, bytes(32)))
    heads = Heads(bytes(16), 1, (line.statements,), (log,), (note,)).to_bytes()
    nothing, leaves = encode_parts([Part(log.log_id, 0, ())]), encode_leaves(0, [bytes(32)])
    script = hostile.answering_each(heads=heads, pull=nothing, leaves=leaves)
    async with attacked(script, tmp_path) as (desk, attacker, _), syncing(desk):
        assert (await shown(desk)).startswith("protocol: ")
        assert not attacker.asked["leaves"]


async def test_nonsense_about_a_lost_tail_does_not_end_the_node(tmp_path: Path) -> None:
    """A peer that is asked for what this node lost, and answers with no part at all, is left; the node goes on."""

    async def lose(desk: Desk) -> bytes:
        log = desk.ledger.log.log
        async with desk.core.database.write() as tx:
            await put_reopening(tx, Reopening(id16("new"), log, Reason.BEHIND, 0, 0, 50))
        return sign_checkpoint(desk.core.keystore.sign, Checkpoint(log, 50, bytes(32)))

    async with attacked(hostile.answering(GOOD), tmp_path) as (desk, attacker, _):
        sync, note = new_sync(desk.core, desk.ingest), await lose(desk)
        heads = Heads(bytes(16), 1, notes=(note,)).to_bytes()
        attacker.script = hostile.answering_each(heads=heads, pull=encode_parts([]), leaves=encode_leaves(0, []))
        await sync.exchange(attacker.address.node)

        await Returning(desk.core, sync).look()

        assert attacker.asked["pull"] == 1
        await sync.close()


async def test_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    """An answer that was good once is no answer to the next question."""
    async with attacked(hostile.replaying(), tmp_path) as (desk, attacker, _):
        sync = new_sync(desk.core, desk.ingest)
        try:
            await sync.exchange(attacker.address.node)
            with pytest.raises(Exception, match="signature does not hold") as raised:
                await sync.exchange(attacker.address.node)
            assert getattr(raised.value, "code", None) == "answer"
        finally:
            await sync.close()


async def test_other_certificate_is_named(tmp_path: Path) -> None:
    """Whoever answers with another certificate gets no question, and the peer's trouble says so."""
    async with attacked(hostile.answering(GOOD), tmp_path) as (desk, attacker, _):
        attacker.pin = bytes(32)
        async with desk.core.database.write() as tx:
            await put_peer(tx, attacker.address, hostile.ORG, "active")
        async with syncing(desk):
            assert (await shown(desk)).startswith("certificate: ")
        assert not attacker.asked


async def test_peer_that_puts_off_for_ever_is_asked_seldom(tmp_path: Path) -> None:
    """Refusals without an end make a few questions with pauses between, whatever the peer says of when to come."""
    async with attacked(hostile.put_off_now, tmp_path) as (desk, attacker, neighbour), syncing(desk):
        await until(lambda: neighbour.hub.nodes and attacker.asked)
        began = time.monotonic()
        assert (await asyncio.wait_for(shown(desk), 10)).startswith("busy: ")
        assert attacker.asked.total() <= 10
        assert time.monotonic() - began > 1


async def test_thousands_of_statements_hold_up_nobody(tmp_path: Path) -> None:
    """As many chains and statements as fit are checked beside the loop: another peer is heard meanwhile."""
    key = signing_key("flood")
    first = genesis(key, signing_key("next").public)
    chain: list[codec.Value] = [first.envelope()] * 40
    chains: list[codec.Value] = [list(chain) for _ in range(1024)]
    async with attacked(
        hostile.answering(codec.pack([bytes(16), 1, chains, [], [], [], 0, 0, None]), deflated=True), tmp_path
    ) as attack:
        desk, attacker, neighbour = attack
        async with syncing(desk):
            await until(lambda: neighbour.hub.nodes and attacker.asked)
            slowest = 0.0
            for number in range(1, 20):
                slowest = max(slowest, await heard_after(neighbour, number))
            assert slowest < 2
