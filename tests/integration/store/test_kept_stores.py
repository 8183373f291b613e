"""Stores that earlier versions wrote: kept as SQL, brought to this program's schema, with nothing lost."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, insert, select, text

from federation.checkpoint import parse_note
from node.passport.card import card_of
from node.passport.sifting import Sift, parse_sift
from node.store.database import Database
from node.store.filing import file_cards
from node.store.finding import find_cards
from node.store.jobs import get_job, read_input
from node.store.journal import write_journal
from node.store.migrate import upgrade
from node.store.passports import read_leading
from node.store.radio import list_devices
from node.store.schema import metadata
from node.store.scripts import run_scripts
from node.store.trees import read_range
from tests.conftest import fresh_database
from tests.fakes import FakeClock

KEPT = sorted((Path(__file__).parents[2] / "vectors" / "store").glob("*.sql"))
WITH_INPUTS = [kept for kept in KEPT if kept.stem < "v0005"]  # of jobs, in their own rows
UNCHANGED = ("fragments", "sections", "mentions", "checkpoints", "root_statements", "tiles", "passports", "journal")


Tables = dict[str, list[tuple[object, ...]]]


def test_stores_are_kept() -> None:
    """There is a store of an earlier version to test with."""
    assert KEPT


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
async def test_kept_store_is_brought_up_to_date_with_nothing_lost(kept: Path, tmp_path: Path) -> None:
    """Every statement stands as it was, the tree has the root that was published, and no table differs from ours."""
    path = tmp_path / "passport.sqlite"
    before = _load(kept, path)

    database = Database(f"sqlite+aiosqlite:///{path}", FakeClock())
    await upgrade(database)

    after = {name: _rows(path, name) for name in UNCHANGED}
    # A column that was added stands at the end.
    assert {name: [row[: len(was[0])] for row, was in _pairs(after, before, name)] for name in before} == before
    async with database.writer.begin() as connection:
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata),
        )
    assert found == []
    async with database.read() as tx:
        for no, size, note in _newest_notes(path):
            assert (await read_range(tx, no, size)).root() == parse_note(note)[0].root
    await database.close()


def _pairs(after: Tables, before: Tables, name: str) -> list[tuple[tuple[object, ...], list[tuple[object, ...]]]]:
    return [(row, before[name]) for row in after[name]]


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
async def test_passports_of_a_kept_store_are_listed_and_found(kept: Path, tmp_path: Path) -> None:
    """Views that an earlier version folded give cards: each leading passport is listed once, and found by its title."""
    path = tmp_path / "passport.sqlite"
    _load(kept, path)
    database = Database(f"sqlite+aiosqlite:///{path}", FakeClock())
    await upgrade(database)

    async with database.write() as tx:
        leading = await read_leading(tx)
        await file_cards(tx, [card_of(one.subject, one.content, one.changed_us) for one in leading])

    async with database.read() as tx:
        assert leading
        assert {card.subject for card in await find_cards(tx, Sift())} == {one.subject for one in leading}
        for one in leading:
            found = await find_cards(tx, parse_sift(one.title))
            assert one.subject in {card.subject for card in found}
    await database.close()


@pytest.mark.parametrize("kept", WITH_INPUTS, ids=lambda path: path.stem)
async def test_input_of_a_waiting_job_is_moved(kept: Path, tmp_path: Path) -> None:
    """What a job of an earlier version works on is read by this one; a job that ended has nothing."""
    path = tmp_path / "passport.sqlite"
    _load(kept, path)
    with sqlite3.connect(path) as connection:
        (ended,) = connection.execute("select id from jobs").fetchone()
        job = ("waits", "import.fleet", "waiting", 0, 1, b"sealed", "{}", "anna", 1, 1)
        columns = "id, kind, state, done, total, input, result, actor, created_us, changed_us"
        connection.execute(f"insert into jobs ({columns}) values ({', '.join('?' * len(job))})", job)  # noqa: S608 - names of columns
    connection.close()

    database = Database(f"sqlite+aiosqlite:///{path}", FakeClock())
    await upgrade(database)

    async with database.read() as tx:
        assert [await read_input(tx, name) for name in ("waits", ended)] == [b"sealed", b""]
        assert (await get_job(tx, "waits")).total == 1
    await database.close()


async def test_profile_of_a_device_names_the_publisher_of_its_driver(tmp_path: Path) -> None:
    """An id had one publisher until 0012: what ran for a device goes on for it when another publishes under the id."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'passport.sqlite'}", FakeClock())
    org, other = bytes(range(16)), bytes(16)
    drivers = [
        ("a", "water-7", org, "active"),
        ("b", "water-7", other, "refused"),
        ("c", "betar-vega", None, "active"),
    ]

    def fill(connection: Connection) -> None:
        run_scripts(connection, "0012")
        tables = MetaData()
        tables.reflect(connection, only=["driver_versions", "radio_devices"])
        about = {"version": "1.0", "level": 0, "entry": None, "detail": "{}", "changed_us": 0}
        rows = [
            {**about, "hash": h.encode(), "driver": name, "org": who, "state": state} for h, name, who, state in drivers
        ]
        connection.execute(insert(tables.tables["driver_versions"]), rows)
        device = {"subject": b"s", "root_key": b"", "state": "registered", "registration": "{}", "changed_us": 0}
        profiles = [("1", "water-7"), ("2", "betar-vega")]
        told = [{**device, "dev_eui": eui.encode(), "profile": f'{{"driver":"{name}"}}'} for eui, name in profiles]
        connection.execute(insert(tables.tables["radio_devices"]), told)

    async with database.writer.begin() as connection:
        await connection.run_sync(fill)
    await upgrade(database)

    async with database.read() as tx:
        found = [device.profile for device in await list_devices(tx)]
    assert found == [{"driver": "water-7", "driver_publisher": org.hex()}, {"driver": "betar-vega"}]
    await database.close()


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
async def test_rows_of_a_kept_store_outlive_the_scripts_on_postgresql(
    kept: Path, tmp_path: Path, postgres_url: str
) -> None:
    """A PostgreSQL store of that version with the same rows is brought up to date as the file is: row for row alike."""
    path = tmp_path / "passport.sqlite"
    _load(kept, path)
    database = Database(await fresh_database(postgres_url, f"kept_{kept.stem}"), FakeClock())
    await _make_at(database, kept.stem.removeprefix("v"), path)
    await upgrade(database)
    on_file = Database(f"sqlite+aiosqlite:///{path}", FakeClock())
    await upgrade(on_file)

    for table in metadata.sorted_tables:
        async with database.read() as there, on_file.read() as here:
            statement = select(table).order_by(*table.primary_key.columns)
            assert [tuple(row) for row in await there.all(statement)] == [
                tuple(row) for row in await here.all(statement)
            ]
    async with database.write() as tx:
        assert await write_journal(tx, b"o" * 16, "anna", "said") > 0  # keys go on after those that were copied
    await database.close()
    await on_file.close()


async def _make_at(database: Database, version: str, rows_of: Path) -> None:
    """Make the tables of a version, and fill them with the rows of a file."""

    def fill(connection: Connection) -> None:
        run_scripts(connection, version)
        there, source = MetaData(), sqlite3.connect(rows_of)
        there.reflect(connection)
        for table in there.sorted_tables:
            cursor = source.execute(f"select * from {table.name}")  # noqa: S608 - names of tables
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
            if table.name == "alembic_version" or not rows:
                continue
            connection.execute(insert(table), rows)
            for column in table.primary_key:
                if column.server_default is not None:  # a key that grows by itself
                    name, of = table.name, column.name
                    connection.execute(
                        text(f"select setval(pg_get_serial_sequence('{name}', '{of}'), max({of})) from {name}")  # noqa: S608 - names of tables
                    )
        source.close()

    async with database.writer.begin() as connection:
        await connection.run_sync(fill)


def _load(kept: Path, path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        connection.executescript(kept.read_text(encoding="utf-8"))
    connection.close()
    return {name: _rows(path, name) for name in UNCHANGED}


def _rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"select * from {table} order by 1, 2").fetchall()  # noqa: S608 - fixed names
    connection.close()
    return rows


def _newest_notes(path: Path) -> list[tuple[int, int, bytes]]:
    with sqlite3.connect(path) as connection:
        notes = connection.execute("select log_no, max(size), note from checkpoints group by log_no").fetchall()
    connection.close()
    return notes
