"""What counts of a log here: cuts, disowned nodes and forks move one number, and all that hangs on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation.authority import Attestation, Attested, Authority, Kind, Verb
from federation.checkpoint import verify_checkpoint
from federation.counting import ALL, Counted, Loss
from federation.cut import Cut, CutRow
from federation.forks import ForkProof, SignedHeader
from federation.fragment import Fragment
from federation.merkle import CompactRange
from federation.sync.messages import Part
from federation.sync.mirror import Mirror, Verified
from node.passport import drafts
from node.passport.bodies import AliasBody
from node.passport.shown import at, rows
from node.passport.view import STATEMENTS
from node.services.ingest import Mirrored
from node.services.timelines import Asked, Row, Timelines
from node.store.logs import get_log
from node.store.rights import rights_to
from node.store.trees import read_range
from tests.builders import Line, Writer, found, fragment, id16, log_statement, section, signing_key
from tests.unit.node_protocols.builders import NOW, Desk, new_desk

STATED = found().node("node")
LOG = log_statement(org=STATED.org)
FRIEND = id16("friend")
KEY = signing_key("node").public


@asynccontextmanager
async def workshop(folder: Path) -> AsyncIterator[tuple[Desk, bytes, list[Fragment]]]:
    """A node with a device; and what a member says of it: two names, and then that a friend may read it."""
    async with new_desk(folder) as desk:
        device = await desk.device("00012345")
        opens = Authority(Verb.READ, FRIEND, (), (device,), (0, 1, 2), None, None).to_bytes()
        said = [
            _said(0, Kind.ALIAS, section("alias", _alias("П-1"), 2), device),
            _said(1, Kind.ALIAS, section("alias", _alias("П-2"), 2), device),
            _said(2, Kind.GRANT, section("authority", opens, 1), device),
        ]
        yield desk, device, said


def _alias(value: str) -> bytes:
    return AliasBody(scheme="erp", value=value, evidence="said").to_bytes()


def _said(seq: int, kind: Kind, content: object, device: bytes, mark: int = 0) -> Fragment:
    at = NOW + seq + mark
    return fragment(seq, content, kind=int(kind), log=LOG.log_id, subjects=[device], stamp=at)  # type: ignore[arg-type]  # a section


def cut(said: Sequence[Fragment], size: int) -> Cut:
    """A cut at a size of the log that has these entries."""
    return Cut((CutRow(LOG.log_id, size, Writer(log=LOG.log_id, entries=list(said)).root(size)),))


async def learn(desk: Desk, line: Line) -> None:
    """A chain comes."""
    await desk.ingest.take_chain(line.statements)


async def mirror(desk: Desk, said: Sequence[Fragment], size: int | None = None) -> None:
    """The log comes as far as some size, from where it is."""
    log = await desk.ingest.take_log(LOG)
    assert log is not None
    entries = list(said)[:size]
    note = Writer(log=LOG.log_id, entries=entries).note()
    async with desk.core.database.read() as tx:
        held = await read_range(tx, log.no, log.size) if log.size else CompactRange()
    session = Mirror(LOG.log_id, KEY, held, verify_checkpoint(note, LOG.log_id, KEY))
    step = session.receive(Part(LOG.log_id, log.size, tuple(entries[log.size :])))
    assert isinstance(step, Verified)
    await desk.ingest.take_parts([Mirrored(log, step, note)])


async def counted(desk: Desk) -> Counted:
    """What is kept beside the log."""
    async with desk.core.database.read() as tx:
        return (await get_log(tx, LOG.log_id)).counted


async def names(desk: Desk, device: bytes) -> set[object]:
    """The device's other names in its passport."""
    return {row["value"] for row in rows(await desk.view(device), "aliases")}


async def readers(desk: Desk, device: bytes) -> set[bytes]:
    """To whom the device is opened."""
    async with desk.core.database.read() as tx:
        return {right.org for right in (await rights_to(tx, {device})).get(device, []) if right.classes}


async def listed(desk: Desk, device: bytes) -> list[tuple[object, object]]:
    """The kinds of all statements of the member in the passport's list, with why they do not count."""
    page = await Timelines(desk.core, desk.projection).page(device, STATEMENTS, Asked(50))
    mine = [row for row in page.rows if row["org"] == STATED.org.hex()]
    return [(row["kind"], at(row, "lost", "why")) for row in mine]


async def test_statements_past_the_cut_of_an_ended_node_count_no_more(tmp_path: Path) -> None:
    """What was said before the cut stays; later words, and the right that they gave, fall and are shown in place."""
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED)
        await mirror(desk, said)
        assert await names(desk, device) == {"П-1", "П-2"}
        assert FRIEND in await readers(desk, device)

        await learn(desk, STATED.end("node", cut(said, 1)))

        assert await counted(desk) == Counted(1, Loss.ENDED)
        assert await names(desk, device) == {"П-1"}
        assert FRIEND not in await readers(desk, device)
        assert await listed(desk, device) == [(2, None), (2, "ended"), (17, "ended")]


async def test_cut_that_is_widened_lets_more_count(tmp_path: Path) -> None:
    """The ender keeps more later: the words between come back, with the right that they gave."""
    async with workshop(tmp_path) as (desk, device, said):
        ended = STATED.end("node", cut(said, 1))
        await learn(desk, ended)
        await mirror(desk, said)
        assert await names(desk, device) == {"П-1"}

        await learn(desk, ended.end("node", cut(said, 3)))

        assert await counted(desk) == Counted(3, Loss.ENDED)
        assert await names(desk, device) == {"П-1", "П-2"}
        assert FRIEND in await readers(desk, device)


async def test_cut_whose_root_is_not_known_yet_waits_for_the_log_to_grow(tmp_path: Path) -> None:
    """While less of the log is here than the cut names nothing of it counts, and then all up to it."""
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED.end("node", cut(said, 2)))
        await mirror(desk, said, 1)
        assert (await counted(desk), await names(desk, device)) == (Counted(0, Loss.ENDED), set())

        await mirror(desk, said)

        assert (await counted(desk), await names(desk, device)) == (Counted(2, Loss.ENDED), {"П-1", "П-2"})
        assert FRIEND not in await readers(desk, device)


async def test_log_of_a_stolen_key_that_no_cut_names_counts_nothing(tmp_path: Path) -> None:
    """A log that appears after the node was ended is kept as evidence, and folds into nothing."""
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED.end("node", Cut()))

        await mirror(desk, said)

        assert (await counted(desk), await names(desk, device)) == (Counted(0, Loss.ENDED), set())
        assert await listed(desk, device) == [(2, "ended"), (2, "ended"), (17, "ended")]


async def test_entries_beyond_a_proven_fork_count_no_more(tmp_path: Path) -> None:
    """Two signed headers at one place leave what stands before it; the proof is kept and told."""
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED)
        await mirror(desk, said)
        other = _said(1, Kind.ALIAS, section("alias", _alias("П-9"), 2), device, mark=500)
        branches = [SignedHeader(one.header, one.signature) for one in (said[1], other)]

        async with desk.core.database.write() as tx:
            taken = await desk.counting.take_proof(tx, ForkProof(LOG.log_id, 1, branches[0], branches[1]))
            again = await desk.counting.take_proof(tx, ForkProof(LOG.log_id, 1, branches[1], branches[0]))

        assert (taken, again) == (True, False)
        assert (await counted(desk), await names(desk, device)) == (Counted(1, Loss.FORKED), {"П-1"})
        assert await listed(desk, device) == [(2, None), (2, "forked"), (17, "forked")]


async def test_every_order_of_arrival_gives_one_passport(tmp_path: Path) -> None:
    """The end before, between and after the entries: the same number, passport and rights."""
    found_out = set[tuple[object, ...]]()
    for n in range(3):
        async with workshop(tmp_path / str(n)) as (desk, device, said):
            await learn(desk, STATED)
            for step in range(3):
                if step == n:
                    await learn(desk, STATED.end("node", cut(said, 2)))
                elif step == (1 if n == 0 else 0):
                    await mirror(desk, said, 1)
                else:
                    await mirror(desk, said)
            shown = (frozenset(await names(desk, device)), tuple(await listed(desk, device)))
            found_out.add((await counted(desk), *shown, FRIEND in await readers(desk, device)))

    assert len(found_out) == 1
    names_told: frozenset[object] = frozenset({"П-1", "П-2"})
    assert (Counted(2, Loss.ENDED), names_told, ((2, None), (2, None), (17, "ended")), False) in found_out


async def test_statements_page_by_page_with_those_that_do_not_count(tmp_path: Path) -> None:
    """Pages of one row, forwards and backwards, give the list that one page gives."""
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED.end("node", cut(said, 1)))
        await mirror(desk, said)
        lists = Timelines(desk.core, desk.projection)
        for newest in (False, True):
            whole = (await lists.page(device, STATEMENTS, Asked(50, is_newest_first=newest))).rows
            paged, after = list[Row](), None
            while True:
                page = await lists.page(device, STATEMENTS, Asked(1, after, is_newest_first=newest))
                paged += page.rows
                if (after := page.more) is None:
                    break

            assert paged == [*whole]
            assert len(whole) == 4


@pytest.mark.parametrize("attested_first", [False, True])
async def test_attested_branch_of_a_forked_chain_is_chosen(tmp_path: Path, attested_first: bool) -> None:
    """While a chain is forked its later nodes are pending; anchors attest one branch, and its log is taken."""
    other = found().node("other")
    branch = Attestation(b"", Attested.BRANCH, STATED.org, (STATED.last.hash.hex(),))
    async with workshop(tmp_path) as (desk, device, said):
        await learn(desk, STATED)
        await mirror(desk, said)
        steps = ["fork", "attest"]
        for step in reversed(steps) if attested_first else steps:
            if step == "fork":
                await learn(desk, other)
                if not attested_first:
                    assert (await counted(desk), await names(desk, device)) == (Counted(0, Loss.PENDING), set())
            else:
                federation = desk.projection.world.federation
                assert federation is not None
                said_by_anchor = Attestation(federation, branch.what, branch.org, branch.rows)
                await desk.ledger.append([drafts.attestation(said_by_anchor, NOW)])

        assert (await counted(desk), await names(desk, device)) == (ALL, {"П-1", "П-2"})
