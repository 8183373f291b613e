"""A store of passports of 25 fragments each: a thousand out of signed statements, the others copies of their views.

The copies are rows of the projection as its own functions write them, under ids and serials of their own: folding a
million passports out of 25 million signatures would take hours and leave rows of the same size.
"""

import asyncio
import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.data import ALONE, CONFIG, COUNT, DATA, is_made, keep
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.demo.processes import NodeProcess
from node.folder import NodeFolder
from node.passport import drafts
from node.passport.bodies import EventBody, ParameterRow, ParametersBody, Place, Plate, Reference, TypeBody
from node.passport.claims import Claim, approval_claim
from node.passport.drafts import OPEN_CLASSES, Draft
from node.passport.ids import SubjectId, format_device_id
from node.services.found import found_node
from node.store.database import Database
from node.store.passports import NewPassport, StoredPassport, put_passports, read_passports

SIGNED, FRAGMENTS = 1_000, 25
AT_ONCE, BATCH = 40, 1_000
APPROVAL = "99990-20"
READERS = tuple(hashlib.sha256(b"reader%d" % n).digest()[:16] for n in range(4))
BEGIN_US, WEEK_US = 1_700_000_000_000_000, 604_800_000_000
LIFE = ("installed", "admitted", "configured", "clock_corrected", "marked", "reading_replaced", "parameter_changed")
SYSTEMS = ("console", "АСКУЭ", "1С")


def passports_node(count: int = COUNT) -> Path:
    """The folder of a node with so many passports; it is made where it is missing."""
    folder = DATA / f"passports-{count}"
    mark = folder.with_suffix(".made")
    if not is_made(mark):
        shutil.rmtree(folder, ignore_errors=True)
        DATA.mkdir(parents=True, exist_ok=True)
        asyncio.run(found_node(NodeFolder(folder), CONFIG, SystemClock(), SystemRandom()))
        # It publishes its card while it is empty: a publication folds every passport again.
        node = NodeProcess("bench", folder, environment=ALONE)
        node.start()
        node.stop()
        figures = asyncio.run(_sign(folder)) | asyncio.run(_fill(folder, count))
        size = (folder / "passport.sqlite").stat().st_size
        keep(mark, figures | {"bytes": size, "bytes_per_passport": size / count})
    return folder


def subject_no(n: int) -> bytes:
    """The subject of the passport of that number; below SIGNED it stands on signed statements."""
    return _claim(n).subject.raw


async def _sign(folder: Path) -> dict[str, float]:
    """Let the node say 25 things of each of a thousand devices."""
    begun = time.perf_counter()
    node = Node(folder, SystemClock(), SystemRandom())
    await node.ledger.open()
    await node.projection.open()
    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(node.ledger.run())
        for start in range(0, SIGNED, AT_ONCE):
            await node.ledger.append([draft for n in range(start, start + AT_ONCE) for draft in _life(n)])
        writer.cancel()
    node.projection.close()
    await node.core.database.close()
    return {"signed_s": time.perf_counter() - begun}


async def _fill(folder: Path, count: int) -> dict[str, float]:
    """Write the other passports as rows."""
    begun = time.perf_counter()
    database = Database(NodeFolder(folder).url(), SystemClock())
    async with database.read() as tx:
        models = [*(await read_passports(tx, map(subject_no, range(SIGNED)))).values()]
    copies = (_copy(models[n % SIGNED], n) for n in range(SIGNED, count))
    while part := list(islice(copies, BATCH)):
        async with database.write() as tx:
            await put_passports(tx, part)
    await database.close()
    return {"copied_s": time.perf_counter() - begun}


def _life(n: int) -> Iterator[Draft]:
    """What is said of one device: its plate, who may read it, values, and what happened to it."""
    subject = subject_no(n)
    plate = Plate(mark="КАРАТ", designation="ВЛФ-15", serial=_serial(n), year="2023", approvals=(APPROVAL,))
    yield drafts.identity(subject, _claim(n).encode(), plate, BEGIN_US, TypeBody(type=Reference(local="СГВ")))
    for reader in READERS:
        yield drafts.share(subject, reader, OPEN_CLASSES, BEGIN_US)
    for at, (code, value) in enumerate((("dn", "15"), ("install_place", _place(n)))):
        row = ParameterRow(code=Reference(central=code), value=value)
        yield drafts.parameters(subject, ParametersBody(rows=(row,)), BEGIN_US + at)
    for at in range(FRAGMENTS - 3 - len(READERS)):
        body = EventBody(
            what=Reference(central=LIFE[at % len(LIFE)]),
            where=Place(place=Reference(local=_place(n))),
            system=SYSTEMS[at % len(SYSTEMS)],
            external=f"{n}-{at}",
            detail={"акт": f"{n}/{at}", "примечание": "по графику обслуживания"},
        )
        yield drafts.event(subject, body, BEGIN_US + (at + 1) * WEEK_US)


def _copy(model: StoredPassport, n: int) -> NewPassport:
    """The passport of another device of which the same was said."""
    was, is_now = SubjectId(model.subject), SubjectId(subject_no(n))
    old = model.title.rpartition(" ")[2]
    view = model.view.replace(was.hex.encode(), is_now.hex.encode()).replace(old.encode(), _serial(n).encode())
    view = view.replace(format_device_id(was).encode(), format_device_id(is_now).encode())
    title = model.title.replace(old, _serial(n))
    digest = hashlib.sha256(view).digest()
    return NewPassport(replace(model, subject=is_now.raw, lead=is_now.raw, title=title, view=view, digest=digest))


def _claim(n: int) -> Claim:
    return approval_claim(APPROVAL, _serial(n))


def _serial(n: int) -> str:
    return f"{n:08}"


def _place(n: int) -> str:
    return f"г. Казань, ул. Ленина, д. {n % 180 + 1}, кв. {n % 240 + 1}"
