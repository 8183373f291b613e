"""Levelling with a peer: parts of logs, hashes for what is not seen, and what is opened later."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import nacl.bindings as sodium
import pytest

from federation import organisation
from federation.errors import RemoteProtocolError, RequestError
from federation.fragment import SectionClass
from federation.keys import signed_text
from federation.log import LogStatement
from federation.net.client import PeerClient
from federation.net.desk import Signer
from federation.ports import Asker
from federation.statements import NodeBody, RootStatement
from federation.sync.following import FollowAsked, Followed
from federation.sync.messages import Heads, HeadsAsked, Openings, Part, Span, Tile, width
from federation.tiles import WIDTH
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Reference
from node.services import answers
from node.services.admission import INTRODUCER
from node.services.exchange import MOST_RETRIED, Heard, PeerLink
from node.services.fsck import Fsck
from node.store.changes import Change, Changed, changes_after
from node.store.database import ReadTx
from node.store.follows import find_filter
from node.store.fragments import entries_about
from node.store.logs import StoredLog, find_log, named_logs
from node.store.organisations import find_chain, known_organisations, read_statements
from node.store.passports import find_passport
from node.store.peers import find_peer
from node.store.settings import set_setting
from node.store.trees import find_root, read_hashes
from tests.builders import Line, found, id16, log_statement, seed, signing_key
from tests.links import Wired, wired
from tests.unit.node_protocols.builders import NOW, Desk, new_desk

MANY = 3 * WIDTH + 40
OPEN = [int(SectionClass.PUBLIC), int(SectionClass.AUTHORITY), int(SectionClass.TECHNICAL)]


@asynccontextmanager
async def maker_and_reader(folder: Path) -> AsyncIterator[tuple[Wired, Wired]]:
    """A maker that said much which nobody else may see, and a member that knows it."""
    async with new_desk(folder / "maker", "maker", 1) as desk, wired(folder, "reader", 2, desk) as reader:
        maker = Wired(desk)
        await reader.knows(maker)
        await maker.knows(reader)
        yield maker, reader


async def say_much(desk: Desk, count: int = MANY) -> list[bytes]:
    """Many devices with a parameter each; their subjects."""
    subjects = [desk.core.random.bytes(16) for _ in range(count)]
    body = ParametersBody(rows=(ParameterRow(code=Reference(central="volume"), value="1"),))
    await desk.ledger.append([drafts.parameters(subject, body, NOW) for subject in subjects])
    await desk.ledger.publish()
    return subjects


async def hashes(desk: Desk, log: bytes) -> list[bytes | Tile]:
    """What a node knows of the leaves of a log."""
    async with desk.core.database.read() as tx:
        stored = await find_log(tx, log)
        assert stored is not None
        return await read_hashes(tx, stored.no, 0, stored.size)


async def wrong(desk: Desk) -> list[str]:
    """What a check of the store finds."""
    return [str(finding) async for step in Fsck(desk.core).run() for finding in step.findings]


async def roots(desk: Desk, log: bytes) -> tuple[int, bytes | None]:
    """Size and root of a log as a node has it."""
    async with desk.core.database.read() as tx:
        stored = await find_log(tx, log)
        assert stored is not None
        return stored.size, await find_root(tx, stored.no, stored.size)


def asker(node: Wired) -> Asker:
    """Who asks."""
    return Asker(node.desk.org, node.desk.core.node)


async def level_over(link: PeerLink, maker: Wired, reader: Wired) -> None:
    """Let the reader take what the maker has over another link."""
    async with reader.desk.core.database.read() as tx:
        peer = await find_peer(tx, maker.desk.core.node)
    assert peer is not None
    await reader.exchange.level(link, peer, Heard())


async def test_what_is_not_seen_comes_as_hashes_of_whole_tiles(tmp_path: Path) -> None:
    """Of 256 entries without one to see a single hash is sent and kept, under the same root."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        await say_much(maker.desk)
        log = maker.desk.ledger.log.log

        outcome = await reader.level(maker)

        assert outcome.trouble is None
        assert await roots(reader.desk, log) == await roots(maker.desk, log)
        known = await hashes(reader.desk, log)
        assert sum(isinstance(item, Tile) for item in known) == 2
        assert sum(map(width, known)) == (await roots(maker.desk, log))[0]
        assert maker.bytes < 60_000
        assert await wrong(reader.desk) == []


async def test_log_that_was_brought_on_meanwhile_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read how far a log is, before another peer's part of it was stored, takes only what is left of it."""
    read, go_on, calls = asyncio.Event(), asyncio.Event(), itertools.count()

    async def held(tx: ReadTx, logs: Sequence[bytes]) -> list[StoredLog]:
        found = await named_logs(tx, logs)
        if not next(calls):
            read.set()
            await go_on.wait()
        return found

    async with maker_and_reader(tmp_path) as (maker, reader):
        await say_much(maker.desk, 20)
        monkeypatch.setattr("node.services.exchange.named_logs", held)
        late = asyncio.create_task(level_over(reader.client(maker), maker, reader))
        await asyncio.wait_for(read.wait(), 30)
        await level_over(reader.client(maker), maker, reader)
        go_on.set()
        await late

        assert await roots(reader.desk, maker.desk.ledger.log.log) == await roots(maker.desk, maker.desk.ledger.log.log)
        assert await wrong(reader.desk) == []


async def test_what_is_opened_in_a_tile_that_was_skipped_comes_with_its_leaves(tmp_path: Path) -> None:
    """The leaves of the tile are asked for, compared with its root, and the entry is proven among them."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        subjects = await say_much(maker.desk)
        await reader.level(maker)
        device = subjects[WIDTH + 7]
        await maker.desk.ledger.append([drafts.share(device, reader.desk.org, OPEN, NOW)])
        await maker.desk.ledger.publish()

        outcome = await reader.level(maker)

        assert (outcome.trouble, outcome.is_whole) == (None, True)
        async with reader.desk.core.database.read() as tx:
            assert [entry.to_fragment().sections[0].name for entry in await entries_about(tx, [device])]
            assert await find_passport(tx, device) is not None
        assert sum(isinstance(item, Tile) for item in await hashes(reader.desk, maker.desk.ledger.log.log)) == 1
        assert await wrong(reader.desk) == []


async def test_level_nodes_exchange_one_short_question(tmp_path: Path) -> None:
    """Where nothing is new one question is asked, and the answer has no body."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        await say_much(maker.desk)
        await reader.level(maker)
        await reader.level(maker)
        maker.asked.clear()
        maker.bytes = 0

        outcome = await reader.level(maker)

        assert (outcome.is_new, maker.asked, maker.bytes) == (False, ["heads"], 0)


async def test_third_node_takes_a_log_from_one_that_knows_tiles_of_it(tmp_path: Path) -> None:
    """With the author away a log goes on from any node that has it, tiles that it does not know leaf by leaf too."""
    async with (
        maker_and_reader(tmp_path) as (maker, reader),
        wired(tmp_path, "third", 3, maker.desk) as third,
    ):
        await say_much(maker.desk)
        await reader.level(maker)
        await third.knows(reader)
        await reader.knows(third)

        outcome = await third.level(reader)

        assert outcome.trouble is None
        log = maker.desk.ledger.log.log
        assert await roots(third.desk, log) == await roots(maker.desk, log)
        assert await wrong(third.desk) == []


async def test_what_a_node_cannot_prove_is_asked_of_another(tmp_path: Path) -> None:
    """Who stands within a tile that the peer does not know leaf by leaf is told so, and takes it from its author."""
    async with (
        maker_and_reader(tmp_path) as (maker, reader),
        wired(tmp_path, "third", 3, maker.desk) as third,
    ):
        for other in (maker, reader):
            await third.knows(other)
            await other.knows(third)
        await say_much(maker.desk, WIDTH + 44)
        await third.level(maker)
        await say_much(maker.desk)
        await reader.level(maker)

        from_reader = await third.level(reader)
        from_maker = await third.level(maker)

        log = maker.desk.ledger.log.log
        assert "cannot give" in (from_reader.trouble or "")
        assert from_maker.trouble is None
        assert await roots(third.desk, log) == await roots(maker.desk, log)


async def test_part_is_proven_by_itself(tmp_path: Path) -> None:
    """A log longer than one answer comes in parts; what was taken stays when the peer goes away in between."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        await say_much(maker.desk, 18 * WIDTH)
        size = maker.desk.ledger.log.log
        asked: list[Span] = []

        class Away:
            """The maker, gone after the first part."""

            async def leaves(self, _log: bytes, _start: int, _end: int) -> list[bytes]:
                """Nobody asks."""
                raise AssertionError

            async def opened(self, _after: int) -> Openings:
                """Nobody asks."""
                raise AssertionError

            async def follow(self, _asked: FollowAsked) -> Followed:
                """Nobody asks."""
                raise AssertionError

            async def heads(self, known: HeadsAsked) -> Heads | None:
                """As the maker answers."""
                return await maker.shelf.heads(asker(reader), known)

            async def pull(self, spans: Sequence[Span]) -> list[Part]:
                """One part, then nothing more."""
                asked.extend(spans)
                if len(asked) > 1:
                    raise ConnectionError
                return list(await maker.shelf.pull(asker(reader), spans))

        with pytest.raises(ConnectionError):
            await level_over(Away(), maker, reader)
        taken, _ = await roots(reader.desk, size)
        await reader.level(maker)

        assert 0 < taken < (await roots(maker.desk, size))[0]
        assert taken == asked[1].start
        assert await roots(reader.desk, size) == await roots(maker.desk, size)


async def test_log_that_comes_twice_in_one_answer_is_refused(tmp_path: Path) -> None:
    """Nothing of such an answer is stored, and the peer that gave it is named by its own error."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        await say_much(maker.desk)
        log = maker.desk.ledger.log.log
        really = maker.shelf.pull

        async def twice(who: Asker, spans: Sequence[Span]) -> list[Part]:
            return [*await really(who, spans)] * 2

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(maker.shelf, "pull", twice)
            with pytest.raises(RemoteProtocolError, match="pull: other logs were asked for"):
                await reader.level(maker)
        taken, _ = await roots(reader.desk, log)
        await reader.level(maker)

        assert taken == 0
        assert await roots(reader.desk, log) == await roots(maker.desk, log)


async def test_more_than_one_answer_holds_comes_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long chains of many organisations are told one after another: no answer is larger than a peer takes."""
    lines = [_long(f"root-{number}") for number in range(6)]
    async with maker_and_reader(tmp_path) as (maker, reader):
        for line in lines:
            await maker.desk.ingest.take_chain(line.statements)
        whole = await maker.shelf.heads(asker(reader), HeadsAsked())
        assert whole is not None
        assert not whole.more
        monkeypatch.setattr(answers, "MOST_TOLD", len(whole.to_bytes()) // 4)
        sizes, known = [], HeadsAsked()
        while (heads := await maker.shelf.heads(asker(reader), known)) is not None:
            sizes.append(len(heads.to_bytes()))
            known = HeadsAsked(heads.epoch, heads.n)
            if not heads.more:
                break
        await reader.level(maker)

        assert len(sizes) > 3
        assert max(sizes) <= answers.MOST_TOLD + 100
        async with reader.desk.core.database.read() as tx:
            assert {line.org for line in lines} <= {*await known_organisations(tx)}


async def test_logs_of_nobody_known_are_tried_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many logs a peer tells of whose nodes nobody stated, an exchange looks at some; each has its turn."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        await reader.level(maker)
        heard, tried = reader.sync.heard(maker.desk.core.node), []
        logs = [log_statement(org=id16("nobody"), nonce=f"{n}") for n in range(3 * MOST_RETRIED // 2)]
        heard.pending = {log.log_id: log for log in logs}

        async def take(log: LogStatement) -> None:
            tried.append(log.log_id)

        monkeypatch.setattr(reader.desk.ingest, "take_log", take)
        for _ in range(2):
            await reader.level(maker)

        assert len(tried) == 2 * MOST_RETRIED
        assert set(tried) == {log.log_id for log in logs} == set(heard.pending)


async def test_node_id_of_another_organisation_gives_nothing_of_what_is_kept_of_it(tmp_path: Path) -> None:
    """Whoever states the id of a known node in his own chain is not answered: he changes nothing that it follows."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        followed = id16("followed")
        await reader.client(maker).follow(FollowAsked(added=frozenset({followed})))
        key, thief = signing_key("thief"), found("thief-0", "thief-1")
        thief = thief.say(NodeBody(reader.desk.core.node, key.public))
        await maker.desk.ingest.take_chain(thief.statements)
        async with maker.desk.core.database.write() as tx:
            await set_setting(tx, INTRODUCER + thief.org.hex(), reader.desk.core.node)
        core = reader.desk.core
        signer = Signer(thief.org, core.node, key)
        client = PeerClient(maker, maker.address, signer, core.clock, core.random.bytes)

        with pytest.raises(RequestError, match="no node of a known organisation"):
            await client.follow(FollowAsked(removed=frozenset({followed})))

        assert await reader.client(maker).follow(FollowAsked(added=frozenset({followed})))
        async with maker.desk.core.database.read() as tx:
            kept = await find_filter(tx, core.node)
        assert kept is not None
        assert (kept.org, kept.count) == (reader.desk.org, 1)


async def chains_told(desk: Desk) -> list[Change]:
    """The root chains of which peers are told, each at its place; its own log may grow at any moment."""
    async with desk.core.database.read() as tx:
        return [change for change in await changes_after(tx, 0, 1000) if change.what is Changed.CHAIN]


async def test_statement_signed_a_second_time_is_no_news(tmp_path: Path) -> None:
    """Whoever has a key can sign one statement in many ways: peers that have it do not tell each other of that."""
    line = found().node("node")
    async with maker_and_reader(tmp_path) as (maker, _):
        await maker.desk.ingest.take_chain(line.statements)
        before = await chains_told(maker.desk)

        for _ in range(4):
            await maker.desk.ingest.take_chain([line.statements[0], _signed_again(line)])

        assert await chains_told(maker.desk) == before


async def test_flood_of_branches_is_kept_within_bounds_and_the_owner_comes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thief of a root key fills no disk, and keeps neither the owner's rotate out nor what follows it."""
    monkeypatch.setattr(organisation, "MAX_KEPT", 30)
    trunk = found().node("node")
    flood = [trunk.node(f"flood-{number}") for number in range(60)]
    owner = trunk.rotate("root-1", "root-2").node("a").node("b")
    async with maker_and_reader(tmp_path) as (maker, _):
        for some in (flood[:30], flood[30:]):
            await maker.desk.ingest.take_chain([s for line in some for s in line.statements])
        await maker.desk.ingest.take_chain(owner.statements)

        async with maker.desk.core.database.read() as tx:
            kept, chain = (await read_statements(tx, trunk.org))[trunk.org], await find_chain(tx, trunk.org)
        assert len(kept) == 30
        assert chain is not None
        assert chain.head == owner.last


def _long(root: str) -> Line:
    line = found(root, f"{root}-next")
    for number in range(20):
        line = line.node(f"{root}-{number}")
    return line


def _signed_again(line: Line) -> RootStatement:
    """The last statement under another valid signature: with a nonce that is not derived from the message."""
    said, digest = line.last, hashlib.sha512(seed("root-0")).digest()
    secret = bytearray(digest[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    nonce = sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(b"another nonce").digest())
    point = sodium.crypto_scalarmult_ed25519_base_noclamp(nonce)
    message = signed_text("root", said.hash)
    challenge = sodium.crypto_core_ed25519_scalar_reduce(
        hashlib.sha512(point + line.root.public[1:] + message).digest()
    )
    product = sodium.crypto_core_ed25519_scalar_mul(
        challenge, sodium.crypto_core_ed25519_scalar_reduce(bytes(secret) + bytes(32))
    )
    signature = bytes([1]) + point + sodium.crypto_core_ed25519_scalar_add(nonce, product)
    again = replace(said, signature=signature)
    assert again.is_signed_by(line.root.public)
    assert again.envelope() != said.envelope()
    return again
