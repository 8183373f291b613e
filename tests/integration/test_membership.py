"""Nodes of several organisations in one loop: who becomes what, who is answered, and what an expelled one gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from federation.authority import Attestation, Attested
from federation.errors import RequestError
from federation.sync.looking import Looked
from federation.sync.messages import HeadsAsked
from node.app import Node
from node.passport import drafts
from node.passport.bodies import Plate
from node.passport.standing import Standing
from node.services.attesting import Attesting
from node.services.counting import Counting
from node.services.ingest import Ingest
from node.services.losses import Losses
from node.store.logs import find_log
from node.store.passports import find_passport
from node.store.peers import OUT, find_peer
from tests.builders import id16
from tests.loops import SkewedClock, running, soon
from tests.nodes import ALONE
from tests.unit.node_protocols.builders import NOW, Desk, attest, mirror, new_desk, opened
from tests.unit.node_protocols.builders import found as found_desk

pytestmark = pytest.mark.slow
NUMBERS = {"maker": "inn:0000000018", "lab": "inn:0000000025"}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes of other tests are not met; peers are asked again soon."""
    for name, value in {**ALONE, "PASSPORT_FEDERATION__POLL_S": "0.5"}.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def nodes(folder: Path, *names: str) -> AsyncIterator[list[Node]]:
    """New nodes, in no federation yet."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(folder / name, name)) for name in names]


def stands(node: Node, other: Node) -> Standing:
    """What one node takes the other's organisation for."""
    return node.projection.world.standings.of(other.core.org).standing


async def join(guest: Node, host: Node) -> None:
    """One node joins by the invitation of another."""
    await guest.membership.join((await host.membership.invite("test")).to_text(), "test")


async def plate(node: Node, serial: str) -> bytes:
    """A node says something."""
    return await node.registry.register_plate(Plate(designation="ВС-15Д", serial=serial), None, "test")


async def size_at(node: Node, other: Node) -> int:
    """How much of another node's log is here."""
    async with node.core.database.read() as tx:
        log = await find_log(tx, other.ledger.log.log)
    return log.size if log else 0


async def level(node: Node, other: Node) -> None:
    """Wait until all that another node said is here."""
    async with asyncio.timeout(30):
        while await size_at(node, other) < await size_at(other, other):  # noqa: ASYNC110 - another node grows
            await asyncio.sleep(0.02)


async def test_two_anchors_of_three_make_a_member_and_expel_it(tmp_path: Path) -> None:
    """By one anchor's word a guest stays a guest, by two it is a member everywhere; expelled by two it gets nothing
    new, is told why, loses its live connections, and what it said up to the cut still counts.
    """
    async with nodes(tmp_path, "first", "second", "maker") as (first, second, maker):
        attesting = first.membership.attesting
        genesis = await attesting.found("Трое", "test", [second.core.org, id16("absent")], 2)
        await join(second, first)
        await join(maker, first)
        await soon(lambda: stands(second, maker) is Standing.GUEST and stands(maker, maker) is Standing.GUEST)
        assert stands(maker, second) is Standing.ANCHOR
        assert genesis.quorum == 2

        rows = [NUMBERS["maker"]]
        await attesting.attest(maker.core.org, Attested.NUMBER, rows, "test")
        assert stands(first, maker) is Standing.GUEST
        await second.membership.attesting.attest(maker.core.org, Attested.NUMBER, rows, "test")
        await soon(lambda: all(stands(node, maker) is Standing.MEMBER for node in (first, second, maker)))
        assert first.projection.world.attestations.holder(rows[0]) == maker.core.org

        await plate(maker, "0000001")
        await level(first, maker)
        await level(second, maker)
        await soon(lambda: maker.core.node in first.hub.nodes)
        await attesting.expel(maker.core.org, "чужой ИНН", "test")
        await soon(lambda: len(second.projection.world.standings.ends(maker.core.org)) == 1)
        assert stands(second, maker) is Standing.MEMBER
        await level(maker, first)
        await second.membership.attesting.expel(maker.core.org, "чужой ИНН", "test")
        await soon(lambda: stands(first, maker) is Standing.EXPELLED and stands(second, maker) is Standing.EXPELLED)

        await soon(lambda: maker.core.node not in first.hub.nodes | second.hub.nodes)
        kept, known = await size_at(first, maker), await size_at(maker, first)
        loss = first.projection.world.standings.losses[maker.core.org]
        assert [end.cut.rows[0].size for end in loss.ends] == [kept, kept]
        await plate(maker, "0000002")
        await plate(first, "0000003")
        await first.ledger.publish()
        async with first.core.database.read() as tx:
            peer = await find_peer(tx, maker.core.node)
        assert peer is not None
        assert peer.state == OUT
        async with maker.core.database.read() as tx:
            host = await find_peer(tx, first.core.node)
        assert host is not None
        for asked in (maker.sync.client(host.address).heads(HeadsAsked()), maker.sync.client(host.address).opened(0)):
            with pytest.raises(RequestError, match=r"expelled.*чужой ИНН"):
                await asked
        with pytest.raises(RequestError, match="live: 403"):
            await maker.sync.client(host.address).dial(maker.sync._carrier)
        await level(second, first)
        assert (await size_at(first, maker), await size_at(maker, first)) == (kept, known)


async def test_guest_is_answered_and_heard_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest looks up so often a day, and so much of it is taken a day; as a member it is not counted any more."""
    monkeypatch.setenv("PASSPORT_FEDERATION__GUEST_LOOKUPS", "2")
    monkeypatch.setenv("PASSPORT_FEDERATION__GUEST_ENTRIES", "4")
    async with nodes(tmp_path, "anchor", "guest") as (anchor, guest):
        await anchor.membership.attesting.found("Двое", "test")
        await join(guest, anchor)
        await level(anchor, guest)
        async with guest.core.database.read() as tx:
            host = await find_peer(tx, anchor.core.node)
        assert host is not None
        client = guest.sync.client(host.address)
        assert [await client.lookup("number", "0000001") for _ in range(2)] == [Looked(), Looked()]
        with pytest.raises(RequestError, match="2 times a day"):
            await client.lookup("number", "0000001")

        for n in range(5):
            await plate(guest, f"000000{n}")
        await guest.ledger.publish()

        async def troubled() -> str:
            async with anchor.core.database.read() as tx:
                peer = await find_peer(tx, guest.core.node)
            return (peer.trouble or "") if peer else ""

        async with asyncio.timeout(30):
            while "4 entries a day" not in await troubled():  # noqa: ASYNC110 - the other node's next look
                await asyncio.sleep(0.02)
        assert await size_at(anchor, guest) <= 4
        await anchor.membership.attesting.attest(guest.core.org, Attested.NUMBER, [NUMBERS["lab"]], "test")
        await level(anchor, guest)
        assert await client.lookup("number", "0000001") == Looked()


async def test_guest_whose_voucher_takes_the_word_back_is_refused(tmp_path: Path) -> None:
    """Nobody speaks for it any more: its connection ends, and it is told what to do."""
    async with nodes(tmp_path, "anchor", "guest") as (anchor, guest):
        await anchor.membership.attesting.found("Двое", "test")
        await join(guest, anchor)
        await soon(lambda: guest.core.node in anchor.hub.nodes)

        await anchor.membership.attesting.take_back(guest.core.org, "ошиблись", "test")

        await soon(lambda: guest.core.node not in anchor.hub.nodes)
        async with guest.core.database.read() as tx:
            host = await find_peer(tx, anchor.core.node)
        assert host is not None
        with pytest.raises(RequestError, match="let a member invite it"):
            await guest.sync.client(host.address).heads(HeadsAsked())


@pytest.mark.parametrize("days", [-3, 3])
async def test_clock_three_days_off_refuses_nobody(tmp_path: Path, days: int) -> None:
    """A node three days early or late joins by an invitation that the other made, and both get level."""
    async with (
        running(tmp_path / "anchor", "anchor") as anchor,
        running(tmp_path / "late", "late", SkewedClock(days)) as late,
    ):
        await anchor.membership.attesting.found("Двое", "test")
        await join(late, anchor)
        await plate(late, "0000001")
        await plate(anchor, "0000002")

        await level(anchor, late)
        await level(late, anchor)
        await soon(lambda: late.core.node in anchor.hub.nodes)


async def test_what_the_expelled_said_up_to_the_cut_counts_and_what_it_says_later_does_not(tmp_path: Path) -> None:
    """Its log goes on and comes by others: the plate of before has a passport, the one of later none, until its
    membership is given back; a restart changes none of it.
    """
    async with new_desk(tmp_path / "anchor", "anchor") as anchor:
        genesis = await attest(anchor, anchor.org)
        counting = Counting(anchor.core, anchor.projection.recount)
        anchor.projection.lost, anchor.ingest = (
            Losses(counting).take,
            Ingest(anchor.core, anchor.projection.take, counting),
        )
        await found_desk(tmp_path / "maker", "maker", 7)
        async with opened(tmp_path / "maker", 7) as maker:
            number = Attestation(genesis.id, Attested.NUMBER, maker.org, (NUMBERS["maker"],))
            before = await say_plate(maker, "00000001")
            await mirror(maker, anchor)
            await anchor.ledger.append([drafts.attestation(number, NOW)])
            attesting = Attesting(anchor.core, anchor.ledger, anchor.projection)
            await attesting.expel(maker.org, "чужой ИНН", "test")
            later = await say_plate(maker, "00000002")
            await mirror(maker, anchor)

            assert await known(anchor, before, later) == {before}
            assert await counted(anchor, maker) == (1, "left")
            again = Counting(anchor.core, anchor.projection.recount)
            anchor.projection.lost = Losses(again).take
            await again.open()
            assert await counted(anchor, maker) == (1, "left")
            await attesting.attest(maker.org, Attested.NUMBER, [NUMBERS["maker"]], "test")
            assert await known(anchor, before, later) == {before, later}
            assert await counted(anchor, maker) == (None, None)


async def say_plate(desk: Desk, serial: str) -> bytes:
    """A desk states a plate of its own."""
    plate = Plate(designation="ВС-15Д", serial=serial)
    claim = desk.projection.world.lines.claim_for(plate, log=desk.ledger.log.log, randomness=desk.core.random.bytes(16))
    await desk.ledger.append([drafts.identity(claim.subject.raw, claim.encode(), plate, NOW)])
    return claim.subject.raw


async def known(desk: Desk, *subjects: bytes) -> set[bytes]:
    """Those of which there is a passport."""
    async with desk.core.database.read() as tx:
        return {subject for subject in subjects if await find_passport(tx, subject) is not None}


async def counted(desk: Desk, other: Desk) -> tuple[int | None, str | None]:
    """How much of another's log counts, and why no more."""
    async with desk.core.database.read() as tx:
        log = await find_log(tx, other.ledger.log.log)
    assert log is not None
    return log.counted.size, log.counted.loss


async def test_member_leaves_and_is_taken_in_again(tmp_path: Path) -> None:
    """Its own word ends the exchange at once; a number that is attested anew, above that word, begins it again."""
    async with nodes(tmp_path, "anchor", "maker") as (anchor, maker):
        await anchor.membership.attesting.found("Двое", "test")
        await join(maker, anchor)
        await anchor.membership.attesting.attest(maker.core.org, Attested.NUMBER, [NUMBERS["maker"]], "test")
        await soon(lambda: stands(maker, maker) is Standing.MEMBER and maker.core.node in anchor.hub.nodes)

        await maker.membership.attesting.leave("закрываемся", "test")
        await soon(lambda: stands(anchor, maker) is Standing.LEFT and maker.core.node not in anchor.hub.nodes)
        await anchor.membership.attesting.attest(maker.core.org, Attested.NUMBER, [NUMBERS["maker"]], "test")

        assert stands(anchor, maker) is Standing.MEMBER
        await soon(lambda: stands(maker, maker) is Standing.MEMBER)
        await plate(maker, "0000001")
        await level(anchor, maker)
