"""Which logs a node takes in; those of disowned nodes are kept and passed on, and nothing of them counts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from federation.authority import Authority, Kind, Verb
from federation.checkpoint import verify_checkpoint
from federation.errors import StatementError
from federation.fragment import Fragment
from federation.log import LogStatement, sign_log_statement
from federation.merkle import CompactRange
from federation.sync.messages import Part
from federation.sync.mirror import Mirror, Verified
from node.passport.bodies import AliasBody
from node.passport.shown import rows
from node.services.ingest import Mirrored
from node.store.fragments import entries_between
from node.store.logs import StoredLog, find_log, list_logs
from node.store.rights import rights_to
from tests.builders import Line, Writer, found, fragment, id16, log_statement, section, signing_key
from tests.unit.node_protocols.builders import NOW, Desk, new_desk
from tests.vectors.protocol.case import flip

# The root key states a node; the promised key rotates and so voids it, and may state it again.
STATED = found().node("node")
VOIDED = found().rotate("root-1", "root-2")
RESTATED = VOIDED.node("node")
LOG = log_statement(org=STATED.org)
FRIEND = id16("friend")


@asynccontextmanager
async def workshop(folder: Path) -> AsyncIterator[tuple[Desk, bytes]]:
    """A node and a device of its own."""
    async with new_desk(folder) as desk:
        yield desk, await desk.device("00012345")


async def learn(desk: Desk, *lines: Line) -> None:
    """Chains come, one after the other."""
    for line in lines:
        await desk.ingest.take_chain(line.statements)


async def admit(desk: Desk) -> StoredLog:
    """The log statement comes."""
    log = await desk.ingest.take_log(LOG)
    assert log is not None
    return log


async def mirror(desk: Desk, device: bytes) -> None:
    """The node says another name of the device, and opens it to a friend."""
    name = AliasBody(scheme="erp", value="П-7", evidence="said").to_bytes()
    opens = Authority(Verb.READ, FRIEND, (), (device,), (0, 1, 2), None, None).to_bytes()
    said = [
        fragment(0, section("alias", name, 2), kind=int(Kind.ALIAS), log=LOG.log_id, subjects=[device], stamp=NOW),
        fragment(
            1, section("authority", opens, 1), kind=int(Kind.GRANT), log=LOG.log_id, subjects=[device], stamp=NOW + 1
        ),
    ]
    log = await admit(desk)
    await desk.ingest.take_parts([Mirrored(log, verified(said), note(said))])


def note(said: list[Fragment]) -> bytes:
    return Writer(log=LOG.log_id, entries=said).note()


def verified(said: list[Fragment]) -> Verified:
    key = signing_key("node").public
    session = Mirror(LOG.log_id, key, CompactRange(), verify_checkpoint(note(said), LOG.log_id, key))
    step = session.receive(Part(LOG.log_id, 0, tuple(said)))
    assert isinstance(step, Verified)
    return step


async def kept(desk: Desk) -> int:
    """How many entries of the log stand in the store."""
    async with desk.core.database.read() as tx:
        log = await find_log(tx, LOG.log_id)
        return len(await entries_between(tx, log.no, 0, log.size)) if log else 0


async def names(desk: Desk, device: bytes) -> list[object]:
    """The device's other names in its passport."""
    return [row["value"] for row in rows(await desk.view(device), "aliases")]


async def readers(desk: Desk, device: bytes) -> set[bytes]:
    """To whom the device is opened."""
    async with desk.core.database.read() as tx:
        return {right.org for right in (await rights_to(tx, {device})).get(device, [])}


async def test_log_of_a_disowned_node_is_kept_and_counts_nothing(tmp_path: Path) -> None:
    """It is admitted with all its entries, which neither name a device nor open it to anybody."""
    async with workshop(tmp_path) as (desk, device):
        await learn(desk, STATED, VOIDED)

        await mirror(desk, device)

        assert await kept(desk) == 2
        assert await names(desk, device) == []
        assert FRIEND not in await readers(desk, device)


async def test_log_of_a_live_node_counts(tmp_path: Path) -> None:
    """The same entries of the same node count where no rotate voided it."""
    async with workshop(tmp_path) as (desk, device):
        await learn(desk, STATED)

        await mirror(desk, device)

        assert await names(desk, device) == ["П-7"]
        assert FRIEND in await readers(desk, device)


async def test_node_that_is_voided_later_counts_no_more(tmp_path: Path) -> None:
    """The order in which entries and the rotate come changes nothing of the passport."""
    async with workshop(tmp_path) as (desk, device):
        await learn(desk, STATED)
        await mirror(desk, device)

        await learn(desk, VOIDED)

        assert await kept(desk) == 2
        assert await names(desk, device) == []


async def test_node_that_is_stated_again_counts_again(tmp_path: Path) -> None:
    """What came while the node was disowned counts once the promised key states it."""
    async with workshop(tmp_path) as (desk, device):
        await learn(desk, STATED, VOIDED)
        await mirror(desk, device)

        await learn(desk, RESTATED)

        assert await names(desk, device) == ["П-7"]
        assert FRIEND in await readers(desk, device)


async def test_log_of_an_unknown_node_waits(tmp_path: Path) -> None:
    """Before the node is stated, and while the chain is forked at its statement, its log is not kept."""
    async with workshop(tmp_path) as (desk, _):
        assert await desk.ingest.take_log(LOG) is None
        await learn(desk, STATED, found().node("other"))

        assert await desk.ingest.take_log(LOG) is None


async def test_log_with_the_keys_of_another_is_refused(tmp_path: Path) -> None:
    """A second log of the organisation that states the same witness and box keys is not taken; the first one stays."""
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, STATED)
        await admit(desk)

        with pytest.raises(StatementError, match="states a key that another log"):
            await desk.ingest.take_log(log_statement(org=STATED.org, nonce="second"))

        async with desk.core.database.read() as tx:
            assert [log.log for log in await list_logs(tx, org=STATED.org)] == [LOG.log_id]
        assert await admit(desk)


async def logs_of(desk: Desk, org: bytes) -> set[bytes]:
    """The organisation's logs in the store."""
    async with desk.core.database.read() as tx:
        return {log.log for log in await list_logs(tx, org=org)}


async def test_log_of_an_ended_node_is_kept(tmp_path: Path) -> None:
    """The end of a node keeps no log out: what it said before still counts."""
    async with workshop(tmp_path) as (desk, device):
        await learn(desk, STATED.end("node"))

        await mirror(desk, device)

        assert await kept(desk) == 2


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        pytest.param(found().node("node", signing_key("x")), LOG, id="stated with another key"),
        pytest.param(STATED, replace(LOG, signature=flip(LOG.signature)), id="signature altered"),
        pytest.param(STATED.end("node"), replace(LOG, signature=flip(LOG.signature)), id="altered, of an ended node"),
        pytest.param(
            found("x", "y").node("node", signing_key("z")),
            log_statement(org=found("x", "y").org),
            id="by the node of another organisation",
        ),
    ],
)
async def test_log_that_its_node_did_not_sign_is_refused(tmp_path: Path, stated: Line, said: LogStatement) -> None:
    """Only the key that the log's organisation stated for its node opens a log."""
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, stated)

        with pytest.raises(StatementError, match="is not signed by the key of its node"):
            await desk.ingest.take_log(said)

        assert await logs_of(desk, said.org) == set()


async def test_log_that_names_an_organisation_without_its_node_waits(tmp_path: Path) -> None:
    """That another organisation states the node is nothing to this one."""
    other = found("x", "y")
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, STATED, other)

        assert await desk.ingest.take_log(log_statement(org=other.org)) is None
        assert await logs_of(desk, other.org) == set()


def with_keys_of_the_first(node: str, org: bytes = STATED.org) -> LogStatement:
    """A log of a node with the witness and box keys of LOG."""
    return sign_log_statement(
        signing_key(node),
        org=org,
        node=id16(node),
        nonce=id16("again"),
        witness_key=LOG.witness_key,
        box_key=LOG.box_key,
    )


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(STATED.end("node").node("other"), id="the first node ended"),
        pytest.param(STATED.node("other"), id="the first node lives"),
    ],
)
async def test_log_with_the_keys_of_another_node_is_refused(tmp_path: Path, later: Line) -> None:
    """The keys of a log of a live or an ended node are taken for good."""
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, STATED)
        await admit(desk)
        await learn(desk, later)

        with pytest.raises(StatementError, match="states a key that another log"):
            await desk.ingest.take_log(with_keys_of_the_first("other"))

        assert await logs_of(desk, STATED.org) == {LOG.log_id}


async def test_log_of_a_disowned_node_with_keys_of_a_live_one_is_refused(tmp_path: Path) -> None:
    """The log of a disowned node is admitted like any other, so not with keys that stand elsewhere."""
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, found().node("thief"), RESTATED)
        await admit(desk)

        with pytest.raises(StatementError, match="states a key that another log"):
            await desk.ingest.take_log(with_keys_of_the_first("thief"))


async def test_log_with_the_keys_of_a_disowned_node_is_taken(tmp_path: Path) -> None:
    """What a thief repeated keeps no log out."""
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, STATED, VOIDED.node("other"))
        await admit(desk)
        second = with_keys_of_the_first("other")

        assert await desk.ingest.take_log(second)
        assert await logs_of(desk, STATED.org) == {LOG.log_id, second.log_id}


async def test_log_with_the_keys_of_another_organisation_is_taken(tmp_path: Path) -> None:
    """A key stands in one place of its organisation; what others state is their own affair."""
    other = found("x", "y").node("node")
    async with workshop(tmp_path) as (desk, _):
        await learn(desk, STATED, other)
        await admit(desk)

        assert await desk.ingest.take_log(with_keys_of_the_first("node", other.org))
