"""What `fsck` finds in damaged stores: each damage is named, and what stands beside it is checked all the same."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from federation.authority import Kind
from federation.fragment import SectionClass, fragment_id
from federation.log import Head, Reason
from node.app import Node
from node.errors import FolderError
from node.folder import NodeFolder
from node.passport import drafts
from node.passport.bodies import AliasBody
from node.passport.drafts import Draft, DraftSection
from node.store.logs import list_logs
from tests.builders import id16
from tests.fakes import FakeClock, FakeRandom
from tests.unit.node_protocols.builders import NOW, Desk, found, mirror, new_desk, opened

MANY = 300  # more than one tile of leaves
OWN, MIRRORED = 1, 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an auditor with a log of its own and the mirrored one of a maker."""
    folder = tmp_path_factory.mktemp("fsck")
    asyncio.run(_make(folder))
    return folder / "auditor"


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


async def _make(folder: Path) -> None:
    async with new_desk(folder / "maker") as maker:
        body = AliasBody(scheme="erp", value="7", evidence="document")
        await maker.ledger.append([drafts.alias(id16(f"fsck/{n}"), body, NOW) for n in range(MANY)])
        await found(folder / "auditor", "Аудитор", 2)
        async with opened(folder / "auditor", 2) as auditor:
            await _say(auditor, "first")
            await auditor.ledger.publish()
            await mirror(maker, auditor)
            await _say(auditor, "second")
            await auditor.ledger.publish()


async def _say(desk: Desk, what: str) -> None:
    """One entry with a public section and a personal one."""
    sections = (
        DraftSection("note", what.encode(), SectionClass.PUBLIC),
        DraftSection("who", b"somebody", SectionClass.PERSONAL),
    )
    await desk.ledger.append([Draft(Kind.EVENT, (id16(f"fsck/{what}"),), NOW, sections)])


def damage(folder: Path, *statements: str) -> None:
    """Change the store of a node that does not run; `:own` and `:mirrored` stand for the numbers of its logs."""
    connection = sqlite3.connect(NodeFolder(folder).database)
    connection.create_function("flipped", 1, lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    numbers = connection.execute("select own, no from logs").fetchall()
    named = {"own" if own else "mirrored": no for own, no in numbers}
    try:
        for statement in statements:
            assert connection.execute(statement, named).rowcount > 0, statement
        connection.commit()
    finally:
        connection.close()


def ask(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:  # Any: the columns of the query
    """What a query finds in the store."""
    connection = sqlite3.connect(NodeFolder(folder).database)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def log_id(folder: Path, own: int) -> str:
    """The own or the mirrored log."""
    ((name,),) = ask(folder, "select log from logs where own = ?", own)
    return bytes(name).hex()


def entry_id(folder: Path, own: int, seq: int) -> str:
    """How findings name an entry."""
    sql = "select f.header from fragments f join logs l on l.no = f.log_no where l.own = ? and f.seq = ?"
    ((header,),) = ask(folder, sql, own, seq)
    return fragment_id(header).hex()


async def check(folder: Path) -> list[str]:
    """What fsck finds; its progress goes up to the end."""
    node = Node(folder, FakeClock(NOW), FakeRandom(9))
    try:
        steps = [step async for step in node.fsck.run()]
    finally:
        await node.core.database.close()
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, steps[-1].total)
    return [str(finding) for step in steps for finding in step.findings]


async def test_whole_store_has_no_findings(folder: Path) -> None:
    """An own log and a mirrored one of several tiles, as they were stored, are well."""
    assert await check(folder) == []


async def test_lost_own_section_is_named(folder: Path) -> None:
    """A section of the own log's first entry that its header commits to must be there."""
    named = f"log {log_id(folder, OWN)} seq 0 id {entry_id(folder, OWN, 0)}"
    damage(folder, "delete from sections where seq = 0 and name = 'note' and log_no = :own")

    assert await check(folder) == [f"{named}: section note is missing"]


async def test_personal_section_that_nobody_erased_is_not_empty(folder: Path) -> None:
    """A row without bytes and salt is damaged where no erasure names it, whatever its form says."""
    damage(folder, "update sections set salt = null, data = x'', form = 3 where name = 'who' and seq = 1")

    (emptied,) = await check(folder)

    assert emptied.endswith("section who was emptied, and no erasure names it")


async def test_section_that_was_not_erased_has_its_salt(folder: Path) -> None:
    """A public section that is emptied is damaged, and a personal one of which only the salt is gone."""
    damage(
        folder,
        "update sections set salt = null, data = x'' where name = 'note' and seq = 0",
        "update sections set salt = null where name = 'who' and seq = 1",
    )

    emptied, unsalted = await check(folder)

    assert emptied.endswith("section note was altered: it has no salt, and is not erased")
    assert unsalted.endswith("section who was altered: it has no salt, and is not erased")


async def test_lost_mirrored_entry_is_named(folder: Path) -> None:
    """An entry of another's log that was here has left its sections and mentions: it is missed."""
    damage(folder, "delete from fragments where seq = 5 and log_no = :mirrored")

    assert await check(folder) == [f"log {log_id(folder, MIRRORED)} seq 5 id ?: an entry that was here is missing"]


async def test_mirrored_section_that_is_not_here_is_no_finding(folder: Path) -> None:
    """A section of another's log may never have been given: nothing in the store tells."""
    damage(folder, "delete from sections where seq = 5 and log_no = :mirrored")

    assert await check(folder) == []


async def test_altered_checkpoints_are_all_named(folder: Path) -> None:
    """Every stored checkpoint is verified, of own and of mirrored logs."""
    sizes = ask(folder, "select lower(hex(l.log)), c.size from checkpoints c join logs l on l.no = c.log_no")
    damage(folder, "update checkpoints set note = x'00', root = x'00'")

    findings = await check(folder)

    assert len(sizes) == len(findings) >= 3
    for log, size in sizes:
        assert any(text.startswith(f"log {log}: the checkpoint of size {size} was altered: ") for text in findings)


async def test_checkpoint_with_another_root_beside_it_is_named(folder: Path) -> None:
    """The root that is stored must be the one that the note signs."""
    damage(folder, "update checkpoints set root = flipped(root) where size = 1 and log_no = :own")

    what = "the checkpoint of size 1 was altered: its root is not the one signed"
    assert await check(folder) == [f"log {log_id(folder, OWN)}: {what}"]


async def test_lost_checkpoints_are_named(folder: Path) -> None:
    """A log that names a checkpoint has it."""
    damage(folder, "delete from checkpoints")

    findings = await check(folder)

    assert len(findings) == 2
    assert all("its newest checkpoint is of size" in text for text in findings)


async def test_altered_root_statements_do_not_end_the_check(folder: Path) -> None:
    """Each is named with organisation, number and what differs, and a damaged section beside them as well."""
    rows = ask(folder, "select lower(hex(org)), n, lower(hex(hash)) from root_statements order by org, n")
    named = f"log {log_id(folder, OWN)} seq 0 id {entry_id(folder, OWN, 0)}"
    damage(
        folder,
        "update root_statements set envelope = flipped(envelope)",
        "update sections set data = flipped(data) where name = 'note' and seq = 0",
        "update checkpoints set root = x'00' where log_no = :mirrored",
    )

    findings = await check(folder)

    what = "the root statement was altered: its signature does not hold"
    assert findings[:4] == [f"organisation {org} seq {n} id {hash_}: {what}" for org, n, hash_ in rows]
    assert f"{named}: section note was altered: it is not under its commitment" in findings
    assert len(findings) == 6


async def test_unreadable_root_statements_do_not_end_the_check(folder: Path) -> None:
    """Where not even the key of a node can be read, its log is named with it, and the tree is compared all the same."""
    damage(
        folder,
        "update root_statements set envelope = x'00'",
        "update tiles set hashes = flipped(hashes) where level = 0 and n = 0 and log_no = :mirrored",
    )

    findings = await check(folder)

    assert sum("the root statement was altered: " in text for text in findings) == 4
    assert any("has no root statement with the key of its node" in text for text in findings)
    assert any("the tree has another root than the checkpoint of size" in text for text in findings)


async def test_lost_genesis_is_missed(folder: Path) -> None:
    """A root statement that follows one that is not here is named."""
    damage(folder, "delete from root_statements where n = 0")

    findings = await check(folder)

    assert len(findings) == 2
    assert all(text.endswith("a root statement before it is missing or altered") for text in findings)


async def test_lost_statement_of_the_own_node_is_missed(folder: Path) -> None:
    """The node's own key is in its keystore; its organisation must state it all the same."""
    damage(folder, "delete from root_statements where n = 1 and org = (select org from logs where own = 1)")

    (finding,) = await check(folder)

    assert finding.startswith(f"log {log_id(folder, OWN)}: organisation ")
    assert "has no root statement with the key of its node" in finding


async def test_lost_log_is_missed(folder: Path) -> None:
    """A log whose row is gone is missed by its tree and by what names its entries."""
    damage(folder, "delete from logs where own = 0", "delete from fragments where log_no = 2 and seq = 7")

    assert await check(folder) == [
        "log number 2: a log that was here is missing",
        "log number 2 seq 7 id ?: an entry is named of a log that is not known",
    ]


async def test_lost_tile_is_named_and_the_rest_is_checked(folder: Path) -> None:
    """Without its leaves a mirrored tree cannot be computed; they are taken from entries where these are here."""
    damage(folder, "delete from tiles where level = 0 and n = 0 and log_no = :mirrored")

    (finding,) = await check(folder)

    assert finding == f"log {log_id(folder, MIRRORED)} seq 0 id ?: the tree lacks its leaf and those of 255 after it"


async def test_altered_upper_tile_is_named(folder: Path) -> None:
    """The tiles above the leaves, out of which proofs are made, must be over them."""
    damage(folder, "update tiles set hashes = flipped(hashes) where level = 1")

    what = "tile 0 of level 1 of the tree was altered: it is not over the leaves"
    assert await check(folder) == [f"log {log_id(folder, MIRRORED)}: {what}"]


async def test_shortened_log_is_named(folder: Path) -> None:
    """The size of a log is what is stored of it, and no checkpoint is of more."""
    damage(folder, "update logs set size = size - 1 where own = 0")

    findings = await check(folder)

    assert any("it is of size" in text for text in findings)
    assert any("is of more than is stored" in text for text in findings)


async def test_entry_that_is_wrongly_void_is_named(folder: Path) -> None:
    """Void follows from header and signature: an entry whose both hold is not."""
    damage(folder, "update fragments set void = 'x' where seq = 3 and log_no = :mirrored")

    (finding,) = await check(folder)

    assert finding.endswith("it is kept as void, and its header and signature hold")


async def test_altered_log_statement_is_named(folder: Path) -> None:
    """The log's own statement is under its id and the signature of its node."""
    damage(folder, "update logs set envelope = flipped(envelope) where own = 0")

    (finding,) = await check(folder)

    assert finding.startswith(f"log {log_id(folder, MIRRORED)}: the log statement was altered: ")


async def test_altered_head_is_named(folder: Path) -> None:
    """A head file that cannot be understood is named with what follows from it."""
    head = NodeFolder(folder).head
    head.write_bytes(b"zz")

    (finding,) = await check(folder)

    assert finding.startswith(f"file {head}: it was altered (")
    assert "opens a new log" in finding


async def own_logs(desk: Desk) -> list[tuple[bytes, int]]:
    """Id and size of each own log."""
    async with desk.core.database.read() as tx:
        return [(log.log, log.size) for log in await list_logs(tx, own=True)]


@pytest.mark.parametrize("content", [b"zz", b"", b"\x94" * 300], ids=["words", "nothing", "too-much"])
async def test_altered_head_opens_a_new_log(folder: Path, content: bytes) -> None:
    """It tells no more than a lost one: nothing is signed in the old log again, and the new head is whole."""
    NodeFolder(folder).head.write_bytes(content)

    async with opened(folder, 3) as desk:
        await desk.ledger.append(
            [drafts.alias(id16("new"), AliasBody(scheme="erp", value="8", evidence="document"), NOW)]
        )
        (old, size), (new, one) = await own_logs(desk)
        statement = desk.ledger.log.statement

    assert (size, one, new) == (2, 1, desk.ledger.log.log)
    assert (statement.previous, statement.reason) == (old, Reason.HEAD_LOST)
    assert Head.from_bytes(NodeFolder(folder).head.read_bytes()).log == new
    assert await check(folder) == []


@pytest.mark.parametrize("content", [b"zz", None], ids=["altered", "lost"])
async def test_empty_log_without_a_head_is_in_doubt(tmp_path: Path, content: bytes | None) -> None:
    """A store that has no entry yet may be a copy of before the first one: only `head` tells that nothing was said."""
    await found(tmp_path / "node", "МУП «Пусто»", 1)
    async with opened(tmp_path / "node", 1) as desk:
        ((old, _),) = await own_logs(desk)
    head = NodeFolder(tmp_path / "node").head
    head.unlink()
    if content is not None:
        head.write_bytes(content)

    async with opened(tmp_path / "node", 2) as desk:
        statement = desk.ledger.log.statement

    assert (statement.previous, statement.reason) == (old, Reason.HEAD_LOST)


async def test_altered_head_without_a_log_is_no_first_start(tmp_path: Path) -> None:
    """Where the store knows no log and `head` cannot be understood, the new log says that a head was lost."""
    await found(tmp_path / "node", "МУП «Пусто»", 1)
    NodeFolder(tmp_path / "node").head.write_bytes(b"zz")

    async with opened(tmp_path / "node", 1) as desk:
        statement = desk.ledger.log.statement

    assert (statement.previous, statement.reason) == (None, Reason.HEAD_LOST)


async def test_head_that_the_system_does_not_give_out_is_named(folder: Path) -> None:
    """What a person can put right ends the start with the file's name, and nothing is opened meanwhile."""
    head = NodeFolder(folder).head
    head.unlink()
    head.mkdir()

    with pytest.raises(FolderError, match=str(head)):
        async with opened(folder, 3):
            pass

    assert ask(folder, "select count(*) from logs where own = 1") == [(1,)]
    (finding,) = await check(folder)
    assert finding.startswith(f"file {head}: it cannot be read: ")
