"""Bundles: what one node would take from another, carried as a file."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation.cut import Cut
from federation.organisation import sign_next
from federation.statements import EndNodeBody
from federation.sync import bundle
from federation.tiles import WIDTH
from node.errors import InputError, StateError
from node.passport import drafts
from node.passport.bodies import EndBody
from node.passport.standing import MEMBER
from node.root_keys import read_root_key
from node.services import shelf
from node.services.bundles import Bundles
from node.store.organisations import find_chain
from node.store.passports import find_passport
from tests.integration.test_forks import LOG, branches, mirror, proofs
from tests.integration.test_levelling import OPEN, maker_and_reader, roots, say_much, wrong
from tests.links import Wired
from tests.unit.node_protocols.builders import NOW

FEW, TILES = 20, 2 * WIDTH + 40  # of the latter a whole tile is skipped


@asynccontextmanager
async def apart(folder: Path, count: int = FEW) -> AsyncIterator[tuple[Wired, Wired, list[bytes]]]:
    """A maker and a reader that met once and are apart since; what the maker said before."""
    async with maker_and_reader(folder) as (maker, reader):
        subjects = await say_much(maker.desk, count)
        await reader.level(maker)
        await reader.desk.ledger.append([drafts.share(subjects[0], maker.desk.org, OPEN, NOW)])
        await reader.desk.ledger.publish()
        await maker.level(reader)
        yield maker, reader, subjects


def bundles(node: Wired) -> Bundles:
    """The bundles of a node."""
    return Bundles(node.desk.core, node.shelf, node.sync)


async def made(maker: Wired, reader: Wired, *, is_whole: bool = False) -> bytes:
    """A bundle of the maker for the reader."""
    file = io.BytesIO()
    await bundles(maker).make(reader.desk.core.node, file, "test", is_whole=is_whole)
    return file.getvalue()


async def has_come(reader: Wired, device: bytes) -> bool:
    """Whether a passport is there."""
    async with reader.desk.core.database.read() as tx:
        return await find_passport(tx, device) is not None


async def test_bundle_brings_what_the_wire_would(tmp_path: Path) -> None:
    """New entries, and those of a tile that was skipped, come by a file; the store is sound afterwards."""
    async with apart(tmp_path, TILES) as (maker, reader, subjects):
        device = subjects[WIDTH + 7]
        await maker.desk.ledger.append([drafts.share(device, reader.desk.org, OPEN, NOW)])
        raw = await made(maker, reader)

        taken = await bundles(reader).take(io.BytesIO(raw), "test")

        assert (taken.org, taken.trouble) == (maker.desk.org, None)
        log = maker.desk.ledger.log.log
        assert await roots(reader.desk, log) == await roots(maker.desk, log)
        assert await has_come(reader, device)
        assert await wrong(reader.desk) == []
        again = await bundles(reader).take(io.BytesIO(raw), "test")
        assert again.trouble is None


async def test_bundle_of_many_logs_is_told_page_by_page_and_taken_twice_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what changed fills many answers all of it is carried, and the same bundle again; two takers do no harm."""
    monkeypatch.setattr(shelf, "MAX_HEADS", 1)
    async with apart(tmp_path) as (maker, reader, subjects):
        device = subjects[7]
        await maker.desk.ledger.append([drafts.share(device, reader.desk.org, OPEN, NOW)])
        await made(maker, reader)
        raw, taker = await made(maker, reader), bundles(reader)

        taken = await asyncio.gather(*(taker.take(io.BytesIO(raw), "test") for _ in range(2)))

        assert [one.trouble for one in taken] == [None, None]
        assert await has_come(reader, device)
        assert await wrong(reader.desk) == []


async def test_node_that_lost_what_it_had_takes_a_whole_bundle(tmp_path: Path) -> None:
    """One that begins after what is here is refused by its own rule, and a whole one is taken."""
    async with apart(tmp_path) as (maker, reader, subjects):
        device, log = subjects[7], maker.desk.ledger.log.log
        await maker.desk.ledger.append([drafts.share(device, reader.desk.org, OPEN, NOW)])
        maker.sync.heard(reader.desk.core.node).sizes[log] += 1
        await maker.desk.ledger.append([drafts.share(subjects[0], reader.desk.org, OPEN, NOW)])
        raw = await made(maker, reader)

        with pytest.raises(InputError) as refused:
            await bundles(reader).take(io.BytesIO(raw), "test")
        whole = await bundles(reader).take(io.BytesIO(await made(maker, reader, is_whole=True)), "test")

        assert (refused.value.code, whole.trouble) == ("bundle_later", None)
        assert await has_come(reader, device)


async def test_fork_of_a_third_log_is_proven_by_a_bundle_that_carries_it_and_stops_nothing(tmp_path: Path) -> None:
    """Two nodes mirrored two branches of somebody's log: without the leaves that prove it the rest is taken all the
    same, and a whole bundle brings them.
    """
    ours, theirs = branches(300, 4, 2)
    async with apart(tmp_path) as (maker, reader, subjects):
        await mirror(reader.desk, ours)
        await mirror(maker.desk, theirs)
        maker.sync.heard(reader.desk.core.node).sizes[LOG.log_id] = 304
        await maker.desk.ledger.append([drafts.share(subjects[7], reader.desk.org, OPEN, NOW)])

        part = await bundles(reader).take(io.BytesIO(await made(maker, reader)), "test")
        assert (part.trouble or "").startswith("lacking: ")
        assert await has_come(reader, subjects[7])
        whole = await bundles(reader).take(io.BytesIO(await made(maker, reader, is_whole=True)), "test")

        assert whole.trouble is None
        assert len(await proofs(reader.desk)) == 1


async def test_bundle_larger_than_anybody_reads_is_neither_made_nor_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size and the number of its records are limited before memory is taken, on both sides."""
    async with apart(tmp_path) as (maker, reader, _):
        raw = await made(maker, reader)
        for limit, value in (("MAX_BUNDLE", len(raw) - 1), ("MAX_RECORDS", 3)):
            with monkeypatch.context() as patched:
                patched.setattr(bundle, limit, value)
                with pytest.raises(StateError) as refused:
                    await made(maker, reader)
                assert refused.value.code == "bundle_large"

        with pytest.raises(InputError, match="more than"):
            await bundles(reader).take(io.BytesIO(bundle.MAGIC + bytes(4 * bundle.MAX_RECORDS + 4)), "test")


async def test_bundle_for_another_node_is_refused(tmp_path: Path) -> None:
    """A bundle is opened by the node that it was made for, and by no other."""
    async with apart(tmp_path) as (maker, reader, _):
        raw = await made(maker, reader)

        with pytest.raises(InputError) as refused:
            await bundles(maker).take(io.BytesIO(raw), "test")

        assert refused.value.code == "bundle_of_another"


async def test_altered_or_cut_bundle_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """One flipped bit anywhere, a missing end, and what is no bundle are refused before anything is taken."""
    async with apart(tmp_path) as (maker, reader, _):
        await maker.desk.ledger.append([drafts.share(bytes(16), reader.desk.org, OPEN, NOW)])
        raw = await made(maker, reader)
        before = await reader.desk.state()
        step = max(1, len(raw) // 60)
        broken = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(0, len(raw), step)]
        for sent in (*broken, raw[:-1], raw[: len(raw) // 2], b"", b"no bundle", raw + b"\x00"):
            with pytest.raises(InputError):
                await bundles(reader).take(io.BytesIO(sent), "test")
        assert await reader.desk.state() == before


async def test_bundle_shows_nothing_in_clear(tmp_path: Path) -> None:
    """Whoever finds the stick reads who made it for whom, and nothing of what it carries."""
    async with apart(tmp_path) as (maker, reader, subjects):
        await maker.desk.ledger.append([drafts.share(subjects[3], reader.desk.org, OPEN, NOW)])
        raw = await made(maker, reader)

        assert subjects[3] not in raw
        assert b"volume" not in raw
        assert reader.desk.core.node in raw


async def test_bundle_is_made_for_nobody_whom_the_wire_would_refuse(tmp_path: Path) -> None:
    """One who left, and a node that its organisation ended, get nothing new on a stick either."""
    async with apart(tmp_path) as (maker, reader, _):
        federation = maker.desk.projection.world.federation
        assert federation is not None
        end = drafts.membership_end(federation, reader.desk.org, MEMBER, Cut(), EndBody(reason="ушли"), NOW, [])
        await reader.desk.ledger.append([end])
        await reader.desk.ledger.publish()
        await maker.level(reader)

        with pytest.raises(StateError, match="ушли") as refused:
            await made(maker, reader)

        assert refused.value.code == "org_refused"
        async with reader.desk.core.database.read() as tx:
            chain = await find_chain(tx, reader.desk.org)
        assert chain is not None
        root = read_root_key(reader.desk.core.folder.path)
        ended = EndNodeBody(reader.desk.core.node, 2, Cut())
        await maker.desk.ingest.take_chain([*chain.path, sign_next(chain, root, ended)])
        with pytest.raises(StateError) as refused:
            await made(maker, reader)
        assert refused.value.code == "peer_ended"
