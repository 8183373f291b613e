"""A backup that is restored on the first page of a new node: it takes that node's place whole, or nothing happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientResponse, FormData

from node.app import Node
from node.backup.locks import Passphrase, PrivateRecoveryKey
from node.config import load_settings
from node.folder import NodeFolder
from node.services.backup_making import make_backup
from node.services.first_restore import RestoredError, State
from node.services.restoring import take_place
from node.services.work import Work
from node.store.migrate import upgrade
from node.store.snapshots import count_statements
from tests.builders import seed
from tests.fakes import FakeClock, FakeRandom
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, post, running_web

OWNER, KEY = PrivateRecoveryKey(seed("recovery")), seed("content key")
WORDS = "двенадцать знаков и ещё"
HTML = {"Accept": "text/html", "Accept-Language": "ru", **SAME_ORIGIN}


@asynccontextmanager
async def new_node(folder: Path) -> AsyncIterator[tuple[RunningWeb, asyncio.Task[None], str]]:
    """A node that nobody claimed, what ends when it was restored, and its first page."""
    async with running_web(folder, seed=1) as web:
        await web.context.ledger.open()
        secret = await web.context.access.open_claim()
        restoring = asyncio.create_task(web.context.first_restore.run())
        yield web, restoring, f"/claim/{secret}/restore"
        restoring.cancel()
        await asyncio.wait([restoring])


async def made(web: RunningWeb, folder: Path, passphrase: str = "") -> bytes:
    """A backup of a node, locked to the owner's key or with words."""
    lock, key = Passphrase(passphrase).lock(seed("salt")[:16]) if passphrase else (OWNER.public.lock(KEY), KEY)
    return (await make_backup(web.context.core, folder, lock, key, Work())).path.read_bytes()


async def sent(web: RunningWeb, page: str, file: bytes, **fields: str) -> ClientResponse:
    """What the page answers to its form."""
    form = FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", file, filename="passport.backup", content_type="application/octet-stream")
    return await web.client(HTML).post(page, data=form, allow_redirects=False)


def files(folder: NodeFolder) -> set[str]:
    """What lies in a node's folder but for its sockets and the store's own helpers."""
    return {path.name for path in folder.path.iterdir() if not path.name.endswith((".sock", "-wal", "-shm", "lock"))}


async def test_backup_takes_the_place_of_the_new_node(web: RunningWeb, tmp_path: Path) -> None:
    """Organisation, passports and people are those of the backup, the console's port and the old files stay here."""
    await post(web.local(), "/plates", {"text": "СГВ-15 № 0012345"})
    async with web.context.core.database.read() as tx:
        said = sum((await count_statements(tx)).values())
    await web.claim("viktor")
    backup = await made(web, tmp_path / "b", WORDS)
    async with new_node(tmp_path / "new") as (new, restoring, page):
        folder = new.context.core.folder
        folder.config.write_text(folder.config.read_text() + "\n[web]\nport = 8477\n")
        async with new.client(HTML).get(page) as response:
            assert "Восстановить из резервной копии" in await response.text()
        response = await sent(new, page, backup, passphrase=WORDS)
        assert (response.status, response.headers["Location"]) == (303, page)
        async with new.client({**HTML, "HX-Request": "true"}).get(page) as part:
            assert part.status in (200, 204)
        with pytest.raises(RestoredError):
            await asyncio.wait_for(restoring, 30)
        org = new.context.core.org

    take_place(folder)

    node = Node(folder.path, FakeClock(1_800_000_000_000_000), FakeRandom(9))
    await upgrade(node.core.database)
    assert node.core.org == web.context.core.org != org
    assert load_settings(folder.path).web.port == 8477
    assert [one.name for one in await node.access.accounts()] == ["viktor"]
    async with node.core.database.read() as tx:
        assert sum((await count_statements(tx)).values()) == said > 0
    assert not folder.head.exists()
    assert not folder.root_key.exists()
    assert {"root.key", "next-root.key", "keys.sealed", "passport.sqlite"} <= {
        path.name for path in (folder.path / "before-restore-1").iterdir()
    }
    await node.core.database.close()


async def test_what_does_not_open_leaves_the_new_node_as_it_is(web: RunningWeb, tmp_path: Path) -> None:
    """Another key, none, a cut file, no file and another link are refused in words; nothing stays of what came."""
    backup = await made(web, tmp_path / "b")
    other = PrivateRecoveryKey(seed("other")).to_text()
    async with new_node(tmp_path / "new") as (new, restoring, page):
        before = files(new.context.core.folder)
        for file, fields, told in (
            (backup, {}, "Копия заперта другим ключом"),
            (backup, {"key": "nothing"}, "Это не ключ восстановления"),
            (b"", {"key": OWNER.to_text()}, "Файл не выбран"),
            (b"x" * 4096, {"key": OWNER.to_text()}, "Это не резервная копия"),
        ):
            response = await sent(new, page, file, **fields)
            assert (response.status, told in await response.text()) == (422, True), told
        for file, key in ((backup, other), (backup[:-9], OWNER.to_text())):
            assert (await sent(new, page, file, key=key)).status == 303
            await until_failed(new)
            async with new.client(HTML).get(page) as response:
                assert "Копия заперта другим ключом" in await response.text()
        assert (await sent(new, "/claim/other/restore", backup, key=OWNER.to_text())).status == 404

        assert files(new.context.core.folder) == before
        assert not restoring.done()


async def test_node_in_use_is_not_given_up(web: RunningWeb, tmp_path: Path) -> None:
    """Where something stands in the log, or a federation was founded, the page says what to do instead."""
    backup = await made(web, tmp_path / "b")
    async with new_node(tmp_path / "new") as (new, _, page):
        writer = asyncio.create_task(new.context.ledger.run())
        await post(new.local(), "/federation", {"name": "Одна"})
        response = await sent(new, page, backup, key=OWNER.to_text())
        assert (response.status, "На этом узле уже работают" in await response.text()) == (409, True)
        writer.cancel()
        await asyncio.wait([writer])


@pytest.mark.parametrize("moved", range(6))
def test_place_is_taken_whole_wherever_the_power_went(tmp_path: Path, moved: int) -> None:
    """However many files were moved, aside or in, when the node was killed, the next start finishes it."""
    folder = NodeFolder(tmp_path)
    old = [path for path in folder.own() if path.name != "passport.sqlite-journal"]
    new = [*folder.moved().values(), folder.database]
    for path in old:
        path.write_text(f"old {path.name}")
    folder.restored.mkdir()
    for path in new:
        (folder.restored / path.name).write_text(f"new {path.name}")
    for path in old[:moved]:
        (tmp_path / "before-restore-1").mkdir(exist_ok=True)
        path.rename(tmp_path / "before-restore-1" / path.name)
    if moved == 5:  # all that was there is aside, and two files of the restored node are in their place
        for path in old[moved:]:
            path.rename(tmp_path / "before-restore-1" / path.name)
        folder.restored.rename(folder.arriving)
        for path in new[:2]:
            (folder.arriving / path.name).rename(path)

    take_place(folder)

    kept = {path.name: path.read_text() for aside in tmp_path.glob("before-restore-*") for path in aside.iterdir()}
    assert kept == {path.name: f"old {path.name}" for path in old}
    here = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file() and path.name != "lock"}
    assert here == {path.name: f"new {path.name}" for path in new}
    take_place(folder)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == sorted(
        {aside.name for aside in tmp_path.glob("before-restore-*")}
    )


async def until_failed(web: RunningWeb) -> None:
    """Wait until the restore that goes on failed."""
    async with asyncio.timeout(30):
        while web.context.first_restore.progress.state is not State.FAILED:
            await web.context.first_restore.settled.wait()
