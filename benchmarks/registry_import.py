"""300,000 legacy meters imported into a node of its own through its API, and 20,000 previewed.

Against: the same cells read by Python's csv and written by `executemany` into one table with an index on the serial,
in transactions as long as a step of the import, with `synchronous=FULL`: no check, no signature, no passport.
"""

import asyncio
import csv
import io
import os
import sqlite3
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.__main__ import Part, figure
from benchmarks.data import ALONE, COUNT
from benchmarks.registry_search import SIZE
from node.api_client import ApiClient
from node.demo.processes import NodeProcess
from node.exchange.tables import write_csv
from node.services.fleet import ROWS_A_STEP

ROWS, LOOKED_AT = max(1_000, 300_000 * SIZE // COUNT), 20_000
PROMISED_ROWS_S, PROMISED_MIB, PROMISED_LOOK_S = 500, 1024, 5
TICKS = os.sysconf("SC_CLK_TCK")
TYPES = (("ВС-15Д", "999902-00"), ("БВ-15Д", "999910-00"), ("ВТ-50Д", "999908-00"))
HEADER = (
    *("Адрес", "Л/с", "Тип ПУ", "Зав. №", "Год", "Дата поверки", "Поверен до", "МПИ, мес", "ГРСИ", "Показание, м3"),
    *("Ед. изм.", "DevEUI"),
)


def measure() -> Part:
    """Both, and what the database alone takes."""
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        found = asyncio.run(_measure(Path(folder) / "node"))
        found |= _plainly(Path(folder) / "plain.sqlite", fleet(ROWS))
    found["processor, times as much as the peer"] = found["processor s a row"] / found["peer: processor s a row"]
    promised = {
        "rows/s": f"≥ {PROMISED_ROWS_S}",
        "most resident MiB": f"≤ {PROMISED_MIB}",
        "preview s": f"≤ {PROMISED_LOOK_S}",
    }
    rows: list[tuple[str, ...]] = [(what, figure(value), promised.get(what, "")) for what, value in found.items()]
    title = f"import of {ROWS:,} legacy meters, preview of {LOOKED_AT:,}"
    return Part(title, ("what", "value", "promised"), rows, {"rows": ROWS, "looked_at": LOOKED_AT, **found})


def fleet(count: int, begin: int = 0) -> bytes:
    """A table of meters with nothing wrong, in the order of their flats: types alternate, serials are at random."""
    rows = []
    for at in range(begin, begin + count):
        kind, approval = TYPES[at % len(TYPES)]
        serial = (at + 1) * 7_654_321 % 10**8
        rows.append(
            [f"ул. Мира, д. {at // 100 + 1}, кв. {at % 100 + 1}", f"70{at:08d}", kind, f"{serial:08d}", "2023",
 "12.03.2024", "12.03.2030", "72", approval, f"{at % 500},125", "м3", f"02C0DE00{at:08X}"]
        )  # fmt: skip
    return write_csv(HEADER, rows)


async def _measure(folder: Path) -> dict[str, float]:
    node = NodeProcess(
        "bench", folder, environment=ALONE | {"PASSPORT_FEDERATION__PORT": "0", "PASSPORT_WEB__PORT": "0"}
    )
    node.init(name="МУП «Водоканал»", kind="utility")
    node.start()
    try:
        async with ApiClient(folder) as api:
            looked, raw = fleet(LOOKED_AT, ROWS), fleet(ROWS)
            begun, worked = time.perf_counter(), worked_s(node.pid)
            preview = await api.upload("/imports/preview", looked, name="look.csv")
            found = {"preview s": time.perf_counter() - begun, "preview processor s": worked_s(node.pid) - worked}
            if preview["new"] != LOOKED_AT:
                raise RuntimeError(f"{preview['new']} of {LOOKED_AT} meters are new")
            begun, worked = time.perf_counter(), worked_s(node.pid)
            taken = await api.upload("/imports", raw, kind="fleet", name="fleet.csv")
            found["read and checked before the first row, s"] = time.perf_counter() - begun
            job = await _watch(api, taken["job"])
            if job["state"] != "done" or job["result"]["new"] != ROWS:
                raise RuntimeError(f"the import ended otherwise: {job}")
            whole_s, processor_s = time.perf_counter() - begun, worked_s(node.pid) - worked
        found |= {
            "rows/s": ROWS / whole_s,
            "rows a processor second": ROWS / processor_s,
            "processor s a row": processor_s / ROWS,
            "most resident MiB": _most_mib(node.pid),
            "bytes of store a row": _store_bytes(folder) / ROWS,
        }
    finally:
        node.stop()
    return found


async def _watch(api: ApiClient, job_id: str) -> Any:  # Any: what the API answers
    with Progress() as bar:
        task = bar.add_task("import", total=ROWS)
        while True:
            job = await api.get(f"/jobs/{job_id}", wait="1")
            bar.update(task, completed=job["done"])
            if job["state"] not in ("waiting", "running"):
                return job


def _plainly(path: Path, raw: bytes) -> dict[str, float]:
    begun, worked = time.perf_counter(), time.process_time()
    reader = csv.reader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";")
    width = len(next(reader))
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(f"CREATE TABLE meters ({', '.join(f'c{n} TEXT' for n in range(width))})")
        database.execute("CREATE INDEX meters_by_serial ON meters (c3)")
        rows, insert = list(reader), f"INSERT INTO meters VALUES ({', '.join('?' * width)})"  # noqa: S608 - a count
        for start in range(0, len(rows), ROWS_A_STEP):
            database.execute("BEGIN IMMEDIATE")
            database.executemany(insert, rows[start : start + ROWS_A_STEP])
            database.execute("COMMIT")
    database.close()
    return {
        "peer: rows/s": len(rows) / (time.perf_counter() - begun),
        "peer: processor s a row": (time.process_time() - worked) / len(rows),
    }


def _store_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("passport.sqlite*"))


def worked_s(pid: int) -> float:
    """What a node and the processes beside it worked until now, in seconds of a processor."""
    ticks = 0
    for one in _family(pid):
        with suppress(OSError):  # it has just ended
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # with those of processes that ended before it
    return ticks / TICKS


def _most_mib(pid: int) -> float:
    """The most memory that was resident in a node, and in the processes beside it, in MiB: `ru_maxrss` of each."""
    most = 0
    for one in _family(pid):
        with suppress(OSError):
            most += int(Path(f"/proc/{one}/status").read_text().split("VmHWM:")[1].split()[0])
    return most / 1024


def _family(pid: int) -> list[int]:
    # Each thread has those that it started.
    found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [pid, *(int(child) for some in found for child in some)]
