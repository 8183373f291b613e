"""The store on SQLite and on a real PostgreSQL: the same tests, the same answers."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from federation.merkle import CompactRange, leaf_hash, root_of, verify_inclusion
from federation.sync.following import NOTHING, moved
from node.store import schema
from node.store.database import READERS, Database, ReadTx, WriteTx
from node.store.errors import ConflictError
from node.store.follows import StoredFilter, change_filter, drop_filter, find_filter, let_through
from node.store.jobs import advance_job, get_job, insert_job
from node.store.journal import read_journal, write_journal
from node.store.migrate import upgrade
from node.store.passports import StoredPassport, Term, find_passport, find_terms, put_passport, read_leading
from node.store.rights import (
    EVERYBODY,
    NewOpening,
    StoredRight,
    close_to_node,
    last_opening,
    list_of,
    lists_after,
    newest_opening,
    open_all_to_node,
    open_entries,
    open_subjects,
    open_to_node,
    openings_after,
    rights_to,
)
from node.store.settings import find_setting, set_setting
from node.store.trees import append_leaves, read_inclusion, read_leaves, read_range
from node.store.upserts import insert_all
from tests.fakes import FakeClock

SUBJECT = b"s" * 16


async def test_concurrent_writers_all_commit(database: Database) -> None:
    """Two hundred read-then-write transactions at once all commit, one after another."""

    async def add(n: int) -> None:
        async with database.write() as tx:
            value = await find_setting(tx, "count") or b"\x00"
            await set_setting(tx, "count", (int.from_bytes(value, "big") + 1).to_bytes(2, "big"))

    await asyncio.gather(*(add(n) for n in range(200)))

    async with database.read() as reader:
        assert int.from_bytes(await find_setting(reader, "count") or b"", "big") == 200


async def test_failed_transaction_leaves_nothing_and_announces_nothing(database: Database) -> None:
    """An error rolls everything back, and what was to be told after the commit is never told."""
    told: list[int] = []

    async def fail(tx: WriteTx) -> None:
        await set_setting(tx, "half", b"1")
        tx.on_commit(lambda: told.append(1))
        raise RuntimeError("fell")

    with pytest.raises(RuntimeError, match="fell"):
        async with database.write() as tx:
            await fail(tx)

    async with database.read() as reader:
        assert await find_setting(reader, "half") is None
    assert told == []


async def test_work_at_once_is_part_of_its_transaction(database: Database) -> None:
    """What is done at once sees what stands before it, tells after the commit, and falls with the rest."""
    told: list[int] = []

    async def work(tx: WriteTx) -> bytes | None:
        before = await find_setting(tx, "count")
        await set_setting(tx, "count", b"2")
        first = await write_journal(tx, b"o" * 32, "merge", "tried")
        assert await tx.at_once(lambda inner: write_journal(inner, b"o" * 32, "merge", "tried")) == first + 1
        tx.on_commit(lambda: told.append(first))
        return before

    async def fail(tx: WriteTx) -> None:
        await tx.at_once(work)
        raise RuntimeError("fell")

    with pytest.raises(RuntimeError, match="fell"):
        async with database.write() as tx:
            await fail(tx)
    assert told == []
    async with database.write() as tx:
        assert await find_setting(tx, "count") is None
        await set_setting(tx, "count", b"1")
        assert await tx.at_once(work) == b"1"
        assert await find_setting(tx, "count") == b"2"
        with pytest.raises(IntegrityError):
            await tx.at_once(lambda at: at.run(schema.settings.insert(), {"name": "count", "value": b"3"}))

    assert len(told) == 1


async def test_work_at_once_waits_for_nothing_else(tmp_path: Path) -> None:
    """In the thread of SQLite, work that awaits anything but its transaction is refused and rolled back."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}", FakeClock())
    await upgrade(database)

    async def wait(tx: WriteTx) -> None:
        await set_setting(tx, "half", b"1")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaits nothing but its transaction"):
        async with database.write() as tx:
            await tx.at_once(wait)

    async with database.read() as reader:
        assert await find_setting(reader, "half") is None
    await database.close()


async def test_every_connection_reads_ahead_and_none_waits_for_it(database: Database) -> None:
    """Each reader has read something once, one after another, while somebody else reads."""
    read, going, go_on = [], asyncio.Event(), asyncio.Event()

    async def look(tx: ReadTx) -> None:
        assert isinstance(tx.connection, AsyncConnection)
        raw = await tx.connection.get_raw_connection()
        read.append(id(raw.driver_connection))
        going.set()
        await go_on.wait()

    ahead = asyncio.create_task(database.read_ahead(look))
    await going.wait()
    async with asyncio.timeout(10), database.read() as tx:
        assert await tx.value(select(literal(1))) == 1
    go_on.set()
    await ahead

    assert len(read) == len(set(read)) == READERS


async def test_cancelled_work_aside_has_ended(database: Database) -> None:
    """A thread never goes on with what belongs to a transaction that is over."""
    begun, go_on, ended = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        go_on.wait(30)
        ended.append(True)

    async def ask() -> None:
        async with database.read() as tx:
            await tx.aside(work)

    asking = asyncio.create_task(ask())
    await asyncio.to_thread(begun.wait, 30)
    asking.cancel()
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    await asyncio.wait([asking])

    assert asking.cancelled()
    assert ended == [True]


async def test_cancelled_writer_leaves_no_lock(database: Database) -> None:
    """Wherever in a transaction it was cancelled, the next writer begins, though what was cancelled is still known."""

    async def read_on() -> None:
        async with database.write() as tx:
            while True:
                await tx.all(select(literal(1).label("n")).union_all(*[select(literal(n)) for n in range(50)]))

    cancelled = []
    for passes in range(0, 3000, 50):
        writing = asyncio.create_task(read_on())
        for _ in range(passes):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        cancelled.append(writing)  # and with it the frames of its traceback

        async with database.write() as tx:
            await set_setting(tx, "passes", str(passes).encode())

    assert all(task.cancelled() for task in cancelled)


async def test_reader_may_not_write(database: Database) -> None:
    """A read transaction refuses to write."""
    async with database.read() as tx:
        assert isinstance(tx.connection, AsyncConnection)
        with pytest.raises(DBAPIError):
            await tx.connection.execute(schema.settings.insert().values(name="x", value=b"y"))


async def test_reader_at_once_sees_its_snapshot_and_may_not_write(database: Database) -> None:
    """What a reader does at once sees the state that it began with, and is refused where it would write."""
    async with database.write() as tx:
        await set_setting(tx, "count", b"1")

    async with database.read() as reader:
        assert await find_setting(reader, "count") == b"1"
        async with database.write() as tx:
            await set_setting(tx, "count", b"2")
        assert await reader.at_once(lambda at: find_setting(at, "count")) == b"1"
        assert await reader.at_once(lambda at: at.at_once(lambda inner: find_setting(inner, "count"))) == b"1"

    with pytest.raises(DBAPIError):
        async with database.read() as reader:
            await reader.at_once(
                lambda at: at.first(
                    insert(schema.settings).values(name="x", value=b"").returning(schema.settings.c.name)
                )
            )
    async with database.read() as reader:
        assert await reader.at_once(lambda at: find_setting(at, "count")) == b"2"


async def test_tree_in_chunks_equals_the_whole(database: Database) -> None:
    """Leaves stored in pieces of any size give the root, ranges and proofs of the whole tree."""
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(1100)]
    size = 0
    for step in (1, 254, 1, 1, 300, 513, 30):
        async with database.write() as tx:
            stored = await append_leaves(tx, 7, size, leaves[size : size + step])
        size += step
        assert stored == CompactRange().extend(leaves[:size])

    async with database.read() as reader:
        assert await read_leaves(reader, 7, 250, 600) == leaves[250:600]
        assert (await read_range(reader, 7, 700)).root() == root_of(leaves[:700])
        seqs = [0, 255, 256, 699]
        for seq, path in zip(seqs, await read_inclusion(reader, 7, seqs, 700), strict=True):
            verify_inclusion(leaves[seq], seq, 700, path, root_of(leaves[:700]))


async def test_rights_only_grow_and_number_their_openings(database: Database) -> None:
    """A right that grows is opened under a new number; one that is there already is not opened again."""
    buyer, lab = b"b" * 16, b"l" * 16
    async with database.write() as tx:
        assert await open_subjects(
            tx, {SUBJECT: [StoredRight(buyer, EVERYBODY, 7), StoredRight(lab, b"m" * 16, 3)]}
        ) == {
            buyer,
            lab,
        }
        assert await open_subjects(tx, {SUBJECT: [StoredRight(buyer, EVERYBODY, 3)]}) == set()
        assert await open_subjects(tx, {SUBJECT: [StoredRight(buyer, EVERYBODY, 32)]}) == {buyer}

    async with database.read() as reader:
        opened = await openings_after(reader, buyer, 0, 10)
        assert [item.subject for item in opened] == [SUBJECT, SUBJECT]
        assert await last_opening(reader, buyer) == opened[-1].n
        assert await openings_after(reader, buyer, opened[-1].n, 10) == []
        assert (await rights_to(reader, [SUBJECT], buyer))[SUBJECT] == [StoredRight(buyer, EVERYBODY, 39)]


async def test_node_that_follows_has_a_list_of_its_own(database: Database) -> None:
    """Its list holds what it began to follow, what is said of that and what is told its organisation anyway; with all
    that its organisation may read it begins anew.
    """
    org, node, one, two, act = (bytes([n]) * 16 for n in range(1, 6))
    rights = {subject: [StoredRight(org, EVERYBODY, 3)] for subject in (one, two)}
    async with database.write() as tx:
        await insert_all(tx, schema.passports, [_passport(subject) for subject in (one, two)])
        await open_subjects(tx, rights)
        kept, fresh = await change_filter(tx, StoredFilter(node, org, since=await newest_opening(tx)), {one}, {two})
        await open_to_node(tx, node, fresh)
        before = await newest_opening(tx)
        said = [(one, frozenset({one})), (two, frozenset({two})), (act, frozenset({two, act})), (act, None)]
        told = [NewOpening(org, subject, (7, seq), by) for seq, (subject, by) in enumerate(said)]
        await open_entries(tx, told)

    async with database.read() as reader:
        opened = await openings_after(reader, org, 0, 10, node, kept.since)
        assert [item.subject for item in opened if item.place is None] == [one, two, one]
        assert [item.place for item in opened if item.place] == [(7, 0), (7, 2), (7, 3)]
        assert await last_opening(reader, org, node, kept.since) == opened[-1].n
        assert await lists_after(reader, before) == {org, list_of(node)}
        assert await let_through(reader, node, {one, two, act}) == {one, act}
        assert kept == StoredFilter(node, org, moved(NOTHING, [one]), 1, kept.since) == await find_filter(reader, node)
    async with database.write() as tx:
        await open_to_node(tx, node, [two])
        given = await newest_opening(tx)
        await close_to_node(tx, node, [one, two])
        await open_to_node(tx, node, [one])
        assert await newest_opening(tx) == given + 1
        await close_to_node(tx, node, [one, two])
        await open_entries(tx, [NewOpening(org, act, (7, 9))])
        await close_to_node(tx, node, [one])
        assert [item.place for item in await openings_after(tx, b"", 0, 10, node)] == [(7, 0), (7, 2), (7, 3), (7, 9)]
        await drop_filter(tx, node)
        await open_all_to_node(tx, org, node)
        assert [(item.subject, item.place) for item in await openings_after(tx, b"", 0, 10, node)] == [
            (one, None),
            (two, None),
        ]


def _passport(subject: bytes) -> dict[str, object]:
    texts = dict.fromkeys(("kind", "state", "title"), "")
    return {"subject": subject, "lead": subject, **texts, "digest": b"", "view": b"", "changed_us": 0, "kept": None}


async def test_journal_ids_grow_and_read_both_ways(database: Database) -> None:
    """Journal rows come in order of their ids, from any id on, forward and backward."""
    async with database.write() as tx:
        ids = [await write_journal(tx, b"o" * 16, "test", f"what{n}", SUBJECT if n % 2 else None) for n in range(6)]

    async with database.read() as reader:
        assert [row.id for row in await read_journal(reader, ids[1])] == ids[2:]
        assert [row.id for row in await read_journal(reader, ids[3], newest_first=True)] == ids[2::-1]
        assert [row.what for row in await read_journal(reader, subject=SUBJECT)] == ["what1", "what3", "what5"]


async def test_joined_subject_leads_to_its_passport_and_terms_find_it(database: Database) -> None:
    """A subject that was joined is shown under the one that leads; a term finds the passport that carries it."""
    async with database.write() as tx:
        for n in range(5):
            subject = n.to_bytes(16, "big")
            passport = StoredPassport(subject, subject, "device", "made", f"СГВ-15 № {n:04}", b"d" * 32, b"{}", tx.now)
            members = [b"joined" + subject[:10]] if n == 3 else []
            await put_passport(tx, passport, members, [Term("serial", f"{n:04}"), Term("dev_eui", f"ab{n:04}")])

    async with database.read() as reader:
        joined = await find_passport(reader, b"joined" + (3).to_bytes(16, "big")[:10])
        assert joined is not None
        assert joined.title == "СГВ-15 № 0003"
        assert await find_terms(reader, "0004") == [((4).to_bytes(16, "big"), "serial")]
        assert [one.title for one in await read_leading(reader)] == [f"СГВ-15 № {n:04}" for n in range(5)]


async def test_job_moves_only_from_where_it_was_seen(database: Database) -> None:
    """Two workers that saw one place of a job cannot both move it."""
    async with database.write() as tx:
        await insert_job(tx, "j", "import", 10, b"sealed", "anna")
        await advance_job(tx, "j", 0, 4, {"rows": 4}, "running")
        with pytest.raises(ConflictError):
            await advance_job(tx, "j", 0, 5, {}, "running")

    async with database.read() as reader:
        job = await get_job(reader, "j")
    assert (job.done, job.result, job.state) == (4, {"rows": 4}, "running")
