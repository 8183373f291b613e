"""Backups of a node: made while it writes, checked, drilled, kept, removed, and restored elsewhere."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from federation.log import Reason
from node.app import Node
from node.backup import locks
from node.backup.locks import PrivateRecoveryKey
from node.config import BackupSection
from node.errors import BackupError, FolderError
from node.folder import NodeFolder
from node.keystore import open_keystore
from node.services.access import Scope
from node.services.backup_making import MadeBackup, check_space, make_backup
from node.services.parts import Parts
from node.services.reopening import list_reopenings
from node.services.restoring import name_store, restore_node
from node.services.work import Work
from node.store.journal import write_journal
from node.store.migrate import upgrade
from node.store.snapshots import count_statements
from node.web.routes import API
from tests.builders import seed
from tests.conftest import fresh_database
from tests.fakes import FakeClock, FakeRandom
from tests.nodes import command
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import Json, RunningWeb, get, post, refused

OWNER = PrivateRecoveryKey(seed("recovery"))
KEY = seed("content key")
PLATE = {"designation": "ВС-15", "year": "2024"}


@pytest.fixture
async def keyed(web: RunningWeb) -> AsyncIterator[ClientSession]:
    """A client of a node with a recovery key that works on its jobs."""
    web.context.core.folder.recovery_key.write_text(OWNER.public.to_text())
    worker = asyncio.create_task(web.context.jobs.run())
    yield web.local()
    await ended(worker)


async def settled(client: ClientSession, path: str, body: Json = None) -> Json:
    """A job that was taken, at its end."""
    job = await post(client, path, body or {}, 202)
    return await get(client, f"/jobs/{job['job']}", wait="30")


async def files(client: ClientSession) -> list[Json]:
    """The backups, newest first."""
    items: list[Json] = (await get(client, "/backups"))["items"]
    return items


async def write(web: RunningWeb, first: int, count: int) -> None:
    """State so many meters."""
    client = web.local()
    for number in range(first, first + count):
        await post(client, "/plates", {**PLATE, "serial": f"{number:07d}"})


async def backup(context: Parts, folder: Path) -> MadeBackup:
    """One backup, made without a job."""
    return await make_backup(context.core, folder, OWNER.public.lock(KEY), KEY, Work())


async def restored(made: MadeBackup, into: Path, store: str | None = None) -> Json:
    """Restore a backup."""
    return await restore_node(made.path, OWNER, NodeFolder(into), store, FakeClock(), FakeRandom(7), Work())


@asynccontextmanager
async def opened(folder: Path, seed: int = 9) -> AsyncIterator[Node]:
    """A node over a restored folder, with its ledger."""
    node = Node(folder, FakeClock(1_800_000_000_000_000), FakeRandom(seed))
    try:
        await upgrade(node.core.database)
        yield node
    finally:
        node.projection.close()
        await node.core.database.close()


async def counted(node: Node) -> dict[bytes, int]:
    """How many statements of each log a node has."""
    async with node.core.database.read() as tx:
        return await count_statements(tx)


def alter(folder: NodeFolder) -> None:
    """Let a store rot."""
    with closing(sqlite3.connect(folder.database, isolation_level=None)) as store:
        store.execute("update sections set data = x'00'")


async def test_backup_is_made_checked_and_taken_away(web: RunningWeb, keyed: ClientSession) -> None:
    """A job makes it, the list shows it as good, and what is downloaded opens with the recovery key alone."""
    await write(web, 1, 3)

    job = await settled(keyed, "/backups")
    (file,) = await files(keyed)

    assert (job["state"], job["result"]["file"], job["result"]["trouble"]) == ("done", file["name"], "")
    assert (file["state"], file["statements"], file["locked_to"]) == ("good", 3, OWNER.public.id.hex())
    async with keyed.get(f"{API}/backups/{file['name']}") as response:
        raw = await response.read()
    assert raw == (web.context.backups.folder / file["name"]).read_bytes()
    assert len(raw) == file["size"]
    assert "backup_made" in await web.what()
    assert not web.context.core.folder.workspace.exists()


async def test_backup_without_a_key_is_locked_with_a_passphrase(
    web: RunningWeb, keyed: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is neither, it is refused; a short passphrase too; the words stand in no file of the node."""
    web.context.core.folder.recovery_key.unlink()
    monkeypatch.setattr(locks, "OPERATIONS", 1)
    monkeypatch.setattr(locks, "MEMORY", 8192)
    words = "четыре слова вместе тут"
    assert await refused(keyed, "/backups", {}) == "backup_unlocked"
    assert await refused(keyed, "/backups", {"passphrase": "коротко"}) == "validation"

    job = await settled(keyed, "/backups", {"passphrase": words})

    assert (job["state"], [file["locked_to"] for file in await files(keyed)]) == ("done", ["passphrase"])
    home = web.context.core.folder.path
    assert [path for path in home.rglob("*") if path.is_file() and words.encode() in path.read_bytes()] == []


async def test_copy_that_is_made_while_the_node_writes_is_whole(web: RunningWeb, tmp_path: Path) -> None:
    """Statements that are said meanwhile are in the copy or not, never in part; those said before all are."""
    await write(web, 1, 8)
    writing = asyncio.create_task(write(web, 100, 16))

    made = await backup(web.context, tmp_path / "b")
    await writing

    assert made.findings == ()
    assert 8 <= sum(made.contents.counts.values()) <= 24
    done = await restored(made, tmp_path / "elsewhere")
    assert (done.findings, done.statements) == ((), sum(made.contents.counts.values()))


async def test_restored_node_opens_a_new_log_once(web: RunningWeb, tmp_path: Path) -> None:
    """Its first start says why; the second goes on in that log. The store that was copied has no mark."""
    await write(web, 1, 5)
    made = await backup(web.context, tmp_path / "b")
    await restored(made, tmp_path / "elsewhere")

    async with opened(tmp_path / "elsewhere") as node:
        reason = await node.ledger.open()
        statement = node.ledger.log.statement
        async with node.core.database.read() as tx:
            (left,) = await list_reopenings(tx)
    async with opened(tmp_path / "elsewhere", 10) as again:
        second = await again.ledger.open()

    assert (reason, second) == (Reason.BACKUP, None)
    assert (statement.previous, statement.reason) == (web.context.ledger.log.log, Reason.BACKUP)
    assert (left.reason, left.held, left.made_us) == (Reason.BACKUP, 5, made.head.made_us)
    assert await web.context.ledger.open() is None


async def test_restored_folder_has_all_that_a_node_needs_and_no_more(web: RunningWeb, tmp_path: Path) -> None:
    """Keys, certificate, settings and store, for its owner alone; never `head`, never the organisation's root keys."""
    made = await backup(web.context, tmp_path / "b")

    await restored(made, tmp_path / "elsewhere")

    there, here = NodeFolder(tmp_path / "elsewhere"), web.context.core.folder
    assert {path.name for path in there.path.iterdir()} == {
        "config.toml", "certificate.pem", "keys.sealed", "storage.key", "passport.sqlite",
    }  # fmt: skip
    assert open_keystore(there, FakeRandom()).sign_seed == open_keystore(here, FakeRandom()).sign_seed
    assert there.path.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in there.path.iterdir()} == {0o600}
    with closing(sqlite3.connect(there.database)) as store:
        assert store.execute("pragma journal_mode").fetchone() == ("wal",)


async def test_restore_goes_over_nothing_that_is_there(web: RunningWeb, tmp_path: Path) -> None:
    """Neither over a node nor into a folder with something in it; a damaged backup leaves no folder behind."""
    made = await backup(web.context, tmp_path / "b")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")

    for folder, code in ((web.context.core.folder.path, "node_exists"), (tmp_path / "full", "folder_not_empty")):
        with pytest.raises(FolderError) as refusal:
            await restored(made, folder)
        assert refusal.value.code == code
    raw = made.path.read_bytes()
    made.path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(BackupError):
        await restored(made, tmp_path / "new")

    assert (tmp_path / "full" / "letter.txt").read_text() == "mine"
    assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []  # noqa: ASYNC240 - in a test


async def test_old_backups_go_when_a_newer_one_is_good(
    web: RunningWeb, keyed: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many good ones are kept. One with faults does not count, and nothing goes for it; health says so."""
    settings = web.context.settings.backup.model_copy(update={"keep": 2})
    monkeypatch.setitem(web.context.settings.__dict__, "backup", settings)
    for _ in range(3):
        await settled(keyed, "/backups")
        web.clock.move(60)
    kept = [file["name"] for file in await files(keyed)]
    await write(web, 1, 1)
    await asyncio.to_thread(alter, web.context.core.folder)

    job = await settled(keyed, "/backups")

    shown = await files(keyed)
    assert len(kept) == 2
    assert "was altered" in job["result"]["trouble"]
    assert [(file["state"]) for file in shown] == ["bad", "good", "good"]
    assert [file["name"] for file in shown][1:] == kept
    codes = [item["code"] for item in (await get(keyed, "/health"))["items"] if item["grade"] == "bad"]
    assert {"backup_failed", "backup_broken"} <= set(codes)


async def test_backup_after_the_clock_was_set_back_is_the_newest(
    web: RunningWeb, keyed: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made by a clock that was days ahead neither outlives a newer one nor puts the next one off."""
    settings = web.context.settings.backup.model_copy(update={"keep": 2})
    monkeypatch.setitem(web.context.settings.__dict__, "backup", settings)
    for _ in range(2):
        await settled(keyed, "/backups")
        web.clock.move(60)
    ahead = {file["name"] for file in await files(keyed)}
    web.clock.move(-3 * 86_400)
    told = {item["code"]: item["told"] for item in (await get(keyed, "/health"))["items"]}
    due = (await get(keyed, "/backups"))["next_us"]

    made = (await settled(keyed, "/backups"))["result"]["file"]

    assert due < web.clock.now()
    assert "часы с тех пор переведены" in told["backup_old"]
    newest, other = [file["name"] for file in await files(keyed)]
    assert newest == made
    assert other in ahead


@pytest.mark.parametrize("raw", [b"nonsense", b"\xff\xfe", b""])
async def test_recovery_key_that_was_spoilt_is_told(web: RunningWeb, keyed: ClientSession, raw: bytes) -> None:
    """Health and the list of backups answer and say what is wrong; a backup is refused until the key is whole."""
    web.context.core.folder.recovery_key.write_bytes(raw)

    codes = {item["code"]: item["grade"] for item in (await get(keyed, "/health"))["items"]}

    assert codes["backup_key_broken"] == "bad"
    assert (await get(keyed, "/backups"))["next_us"] is None
    assert await refused(keyed, "/backups", {}) == "recovery_key"


def test_folder_of_backups_is_named_from_the_node_on(tmp_path: Path) -> None:
    """Wherever a command was started, a relative folder is the same one."""
    assert BackupSection(folder="copies").place(tmp_path) == tmp_path / "copies"
    assert BackupSection().place(tmp_path) == tmp_path / "backups"
    assert BackupSection(folder="/mnt/backups").place(tmp_path) == Path("/mnt/backups")


async def test_list_of_the_command_goes_on_behind_a_damaged_file(web: RunningWeb, keyed: ClientSession) -> None:
    """Names are whole, to be copied, however narrow the terminal is; what is no backup is told beside its name."""
    await settled(keyed, "/backups")
    (file,) = await files(keyed)
    (web.context.backups.folder / "passport-damaged.backup").write_bytes(b"nothing")

    listed = await asyncio.to_thread(command, "backup", "list", "--folder", str(web.context.core.folder.path))

    assert listed.returncode == 0, listed.stderr
    damaged, good = listed.stdout.splitlines()
    assert damaged.startswith("passport-damaged.backup  this is no backup")
    assert good.startswith(file["name"])


async def test_newest_good_backup_is_not_removed(keyed: ClientSession) -> None:
    """Others are, by hand; what is no name of a backup leads nowhere."""
    await settled(keyed, "/backups")
    await settled(keyed, "/backups")
    newest, older = [file["name"] for file in await files(keyed)]

    async with keyed.delete(f"{API}/backups/{newest}") as response:
        assert response.status == 409
    async with keyed.delete(f"{API}/backups/{older}") as response:
        assert response.status == 204
    async with keyed.get(f"{API}/backups/..%2Fstorage.key") as response:
        assert response.status in (404, 422)

    assert [file["name"] for file in await files(keyed)] == [newest]


async def test_drill_restores_the_newest_and_leaves_nothing(web: RunningWeb, keyed: ClientSession) -> None:
    """It tells how old the backup is, how many statements it has, and how many were said since."""
    assert await refused(keyed, "/backups/drills", {}) == "backup_none"
    await write(web, 1, 3)
    await settled(keyed, "/backups")
    web.clock.move(7200)
    await write(web, 10, 4)

    job = await settled(keyed, "/backups/drills")

    result = job["result"]
    assert (job["state"], result["trouble"], result["statements"], result["since"]) == ("done", "", 3, 4)
    assert result["age_us"] >= 7200 * 1_000_000
    assert (await files(keyed))[0]["drilled_us"] is not None
    assert not web.context.core.folder.workspace.exists()


async def test_backup_that_was_altered_on_the_disk_is_found_by_its_check(web: RunningWeb, keyed: ClientSession) -> None:
    """Its check says so, it counts as good no more, and health asks for a new one."""
    await settled(keyed, "/backups")
    (file,) = await files(keyed)
    path = web.context.backups.folder / file["name"]
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))

    job = await settled(keyed, f"/backups/{file['name']}/check")

    assert "altered" in job["result"]["trouble"]
    assert [one["state"] for one in await files(keyed)] == ["bad"]
    assert "backup_none" in [item["code"] for item in (await get(keyed, "/health"))["items"]]


async def test_backups_are_made_by_themselves(
    web: RunningWeb, keyed: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as there is a key, then whenever the interval is over; what a killed node left is removed."""
    settings = web.context.settings.backup.model_copy(update={"every_hours": 0.0002})
    monkeypatch.setitem(web.context.settings.__dict__, "backup", settings)
    home, folder = web.context.core.folder, web.context.backups.folder
    home.workspace.mkdir()
    (home.workspace / "passport.sqlite").write_bytes(b"left")
    folder.mkdir()
    (folder / ".passport-00000000-20260101T000000Z.backup.part").write_bytes(b"left")
    schedule = asyncio.create_task(web.context.backups.run())

    async with asyncio.timeout(20):
        while len(await files(keyed)) < 2:
            web.clock.move(1)
            await asyncio.sleep(0.05)
    await ended(schedule)

    assert list(folder.glob(".*")) == []
    jobs = [job for job in (await get(keyed, "/jobs"))["items"] if job["kind"] == "backup.make"]
    assert "failed" not in {job["state"] for job in jobs}


def test_disk_without_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """The folder, what is free and what is needed are named; two folders of one disk need the sum."""
    with pytest.raises(BackupError) as refusal:
        check_space({tmp_path: 1 << 60})
    assert (refusal.value.code, refusal.value.values["folder"]) == ("backup_space", str(tmp_path))


def test_settings_are_given_another_store() -> None:
    """The section is replaced wherever it stands, and nothing else is touched."""
    config = '[node]\nname = "A"\n\n[store]\nurl = "postgresql+asyncpg://one"\n\n[web]\nport = 1\n'
    assert name_store(config, "") == '[node]\nname = "A"\n\n[web]\nport = 1\n'
    assert name_store(config, "sqlite+aiosqlite:///x").endswith('[store]\nurl = "sqlite+aiosqlite:///x"\n')


@pytest.mark.postgres
@pytest.mark.slow
async def test_backup_of_postgres_restores_into_either_engine(
    tmp_path: Path, postgres_url: str, web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SQLite held comes to PostgreSQL and back, row by row; counted keys go on where they were."""
    await write(web, 1, 4)
    there, third = [await fresh_database(postgres_url, name) for name in ("restored_one", "restored_two")]
    first = await backup(web.context, tmp_path / "b")

    await restored(first, tmp_path / "one", there)
    async with opened(tmp_path / "one") as node:
        assert not node.core.database.is_sqlite
        assert await counted(node) == first.contents.counts
        async with node.core.database.write() as tx:
            await write_journal(tx, node.core.org, "test", "shared", None)
        second = await make_backup(node.core, tmp_path / "b", OWNER.public.lock(KEY), KEY, Work())
    with pytest.raises(FolderError, match="holds a node already"):
        await restored(second, tmp_path / "two", there)
    for name, store in (("two", third), ("three", "")):
        await restored(second, tmp_path / name, store)
        async with opened(tmp_path / name) as node:
            assert node.core.database.is_sqlite is (store == "")
            assert await counted(node) == first.contents.counts
            assert await node.ledger.open() is Reason.BACKUP
    assert second.findings == ()


async def test_page_shows_backups_in_both_languages(web: RunningWeb, keyed: ClientSession) -> None:
    """A person makes one by the page, sees it with what is to be looked after, and drills it; a reader sees no page."""
    browser = await web.claim()
    for path in ("/backups", "/backups/drills"):
        async with browser.post(path, data={}, allow_redirects=False) as response:
            assert response.status == 303, await response.text()
        job = (await get(keyed, "/jobs"))["items"][0]["job"]
        assert (await get(keyed, f"/jobs/{job}", wait="30"))["state"] == "done"
    (file,) = await files(keyed)

    shown = {}
    for language in ("ru", "en"):
        async with keyed.get("/backups", headers={"Accept-Language": language}) as response:
            assert response.status == 200
            shown[language] = await response.text()

    assert all(f"/api/v1/backups/{file['name']}" in text for text in shown.values())
    assert ["восстановлена, цела" in shown["ru"], "restored and whole" in shown["en"]] == [True, True]
    async with browser.post(f"/backups/{file['name']}/remove", allow_redirects=False) as response:
        assert response.status == 409
    reader = await web.system(Scope.READ)
    async with reader.get(f"{API}/backups") as response:
        assert response.status == 403


async def test_health_names_what_is_to_be_looked_after(web: RunningWeb) -> None:
    """Root keys that lie here, no backup, no recovery key: each with what to do, in the reader's language."""
    told = await get(web.local(), "/health")

    grades = {item["code"]: item["grade"] for item in told["items"]}
    assert (told["grade"], grades["backup_none"], grades["backup_no_key"]) == ("bad", "bad", "warning")
    assert grades["root_keys_here"] == "warning"
    assert all(item["told"] and (item["advice"] or item["grade"] == "good") for item in told["items"])
