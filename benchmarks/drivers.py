"""Frames into readings, readings into the store, and a year of one meter out of it.

Against: pymeterbus, which loads a frame and computes no values by that; the decryption of a telegram alone; the same
rows put into, and read from, the same table with the driver of SQLite alone; the same payload unpacked by hand.
"""

import asyncio
import json
import sqlite3
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import meterbus  # type: ignore[import-untyped]  # a peer without types
import quickjs

from benchmarks.__main__ import Measure
from drivers.context import Context
from drivers.errors import DriverError
from drivers.mapping import ANY, MappingRow
from drivers.mbus.driver import DRIVER as MBUS
from drivers.mbus.frame import decode_frame, encode_long
from drivers.package import read_folder
from drivers.payload.schema import parse_schema
from drivers.script.driver import script_driver
from drivers.script.pool import PRELUDE, ScriptPool
from drivers.starting import begin_driver
from drivers.wmbus.driver import DRIVER as WMBUS
from node.clock import SystemClock
from node.services.readings import Readings
from node.store.database import Database
from node.store.drivers import StoredDriver, put_driver
from node.store.mappings import put_mapping
from node.store.migrate import upgrade
from node.store.readings import Series, StoredReading, insert_readings, read_points
from tests import wireless

DEVICES, EACH, BATCHES = 2_000, 5, 4
YEAR = 8_760
HOUR_US = 3_600_000_000
FIRST_US = 1_760_000_000_000_000
VOLUME = Series(1, "volume")
UPLINK = struct.Struct(">BhBHBBII")
DOCUMENT = b"""
name: typical
endian: big
fields:
- {name: kind, type: u8}
- {name: temperature, type: s16, div: 10}
- {name: humidity, type: u8, div: 2}
- {name: battery, type: u16, div: 1000}
- {name: status, type: enum, values: [ok, warn, fail]}
- {name: leak, type: "u8[0:0]"}
- {name: tamper, type: "u8[1:1]"}
- {name: mode, type: "u8[4:7]", consume: 1, lookup: {0: idle, 1: run, default: other}}
- {name: volume, type: u32, mult: 0.001}
- {name: clock, type: u32}
"""
FRAMES = Path(__file__).parent.parent / "tests" / "vectors" / "drivers" / "mbus.json"


def _rate(read: Callable[[bytes], object], frames: list[bytes], rounds: int) -> float:
    """Frames a second of a processor."""
    begun = time.process_time()
    for _ in range(rounds):
        for frame in frames:
            read(frame)
    return rounds * len(frames) / (time.process_time() - begun)


def _wired(run: int) -> list[bytes]:
    """Frames of the project's own vectors, each under many addresses, which both programs read."""
    kept = [bytes.fromhex(item["data"]) for item in json.loads(FRAMES.read_text())["frames"]]
    found = []
    for frame in kept:
        try:
            meterbus.load(frame)
        except (meterbus.MBusFrameDecodeError, ValueError, TypeError, IndexError):
            continue
        link = decode_frame(frame)
        if link is not None:
            found += [encode_long(link.control, (run + n) % 250 + 1, link.user_data) for n in range(100)]
    return found


def mbus(run: int) -> float:
    """Wired frames to readings, identity and alarms."""
    return _rate(lambda frame: MBUS.decode(0, frame), _wired(run), 3)


def mbus_loaded(run: int) -> float:
    """The same frames loaded by pymeterbus."""
    return _rate(meterbus.load, _wired(run), 3)


def _wireless(run: int) -> list[bytes]:
    """Telegrams of mode 5, each with an access number and a volume of its own."""
    values = [wireless.RECORDS[:2] + (run * 1000 + n).to_bytes(4, "little") + wireless.RECORDS[6:] for n in range(1000)]
    return [wireless.mode_5(value, access=n % 256) for n, value in enumerate(values)]


def wmbus(run: int) -> float:
    """Telegrams with AES-128-CBC to readings."""
    context = Context(keys={"KAM-12345678": wireless.KEY})
    assert WMBUS.decode(0, _wireless(run)[0], context).readings
    return _rate(lambda frame: WMBUS.decode(0, frame, context), _wireless(run), 5)


def wmbus_opened(run: int) -> float:
    """The two blocks of each telegram decrypted, and nothing read."""
    vector = bytes(16)
    return _rate(lambda frame: wireless.KEY.decrypt_cbc(vector, frame[-32:]), _wireless(run), 5)


def _payloads(run: int) -> list[bytes]:
    """Payloads of the document, each with values of its own."""
    return [UPLINK.pack(1, (run + n) % 400, n % 256, 3300, n % 3, 0x13, run * 1000 + n, n) for n in range(1000)]


def payload(run: int) -> float:
    """Payloads of ten fields, scaled, looked up and cut into bits, by their document."""
    decode = parse_schema(DOCUMENT).decode
    assert len(decode(1, _payloads(run)[0]).values) == 10
    return _rate(lambda data: decode(1, data), _payloads(run), 20)


def _by_hand(data: bytes) -> dict[str, object]:
    kind, temperature, humidity, battery, status, bits, volume, clock = UPLINK.unpack(data)
    return {
        "kind": kind,
        "temperature": Decimal(temperature) / 10,
        "humidity": Decimal(humidity) / 2,
        "battery": Decimal(battery) / 1000,
        "status": ("ok", "warn", "fail")[status],
        "leak": bits & 1,
        "tamper": bits >> 1 & 1,
        "mode": {0: "idle", 1: "run"}.get(bits >> 4, "other"),
        "volume": Decimal(volume) / 1000,
        "clock": clock,
    }


def payload_by_hand(run: int) -> float:
    """The same payloads by a function written for them."""
    return _rate(_by_hand, _payloads(run), 20)


CODEC = """
function decodeUplink(input) {
  const b = Buffer.from(input.bytes);
  const bits = b.readUInt8(7);
  return { data: {
    kind: b.readUInt8(0), temperature: b.readInt16BE(1) / 10, humidity: b.readUInt8(3) / 2,
    battery: b.readUInt16BE(4) / 1000, status: ["ok", "warn", "fail"][b.readUInt8(6)], leak: bits & 1,
    tamper: (bits >> 1) & 1, mode: { 0: "idle", 1: "run" }[bits >> 4] || "other",
    volume: b.readUInt32BE(8) / 1000, clock: b.readUInt32BE(12),
  } };
}
"""


def script(run: int) -> float:
    """The same payloads by a warm script in its process, to readings: frames a second of both processes' time."""
    files = dict(begin_driver("typical", "maker", is_script=True)) | {"codec.js": CODEC.encode()}
    package = read_folder(files)
    pool = ScriptPool()
    try:
        driver = script_driver(package, pool)
        frames = [(2, data, Context()) for data in _payloads(run)]
        assert not any(isinstance(one, DriverError) for one in driver.decode_each(frames[:10]))
        pid = pool.process_of(package.hash)
        own, worker = time.process_time(), _processor_s(pid)
        for _ in range(20):
            driver.decode_each(frames)
        return 20 * len(frames) / (time.process_time() - own + _processor_s(pid) - worker)
    finally:
        pool.close()


def script_alone(run: int) -> float:
    """The script in the engine in this process, without a wall and without a limit."""
    context = quickjs.Context()
    ask = context.eval(PRELUDE.read_text())
    context.eval(CODEC)
    call = context.eval("(find) => find((name) => (0, eval)(name))")(ask)
    return _rate(lambda data: call("uplink", "2 " + data.hex(), 0.0), _payloads(run), 20)


def _processor_s(pid: int | None) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _reading(subject: bytes, series: Series, hour: int, run: int) -> StoredReading:
    at = FIRST_US + hour * HOUR_US
    value = Decimal(1_000_000 + 7 * hour + run).scaleb(-4)
    hashes = bytes([run]) * 32
    return StoredReading(
        subject, series, at, value, "m3", "counter", at, at + 5_000_000, "device", "ok", hour + 1, hashes, hashes
    )


def _batch(hour: int, run: int) -> list[StoredReading]:
    """What a page of frames brings: each of many meters tells a value of each of its series."""
    return [
        _reading(device.to_bytes(16, "little"), Series(channel, "volume"), hour, run)
        for device in range(DEVICES)
        for channel in range(EACH)
    ]


def _measured(work: Callable[[Database, Path], Awaitable[float]]) -> float:
    async def measure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "node.sqlite"
            database = Database(f"sqlite+aiosqlite:///{path}", SystemClock())
            try:
                await upgrade(database)
                return await work(database, path)
            finally:
                await database.close()

    return asyncio.run(measure())


async def _fill(database: Database, batches: list[list[StoredReading]]) -> float:
    begun = time.perf_counter()
    for batch in batches:
        async with database.write() as tx:
            assert await insert_readings(tx, batch) == len(batch)
    return time.perf_counter() - begun


def ingest(run: int) -> float:
    """Rows a second, each batch of 10,000 in one durable transaction."""

    async def work(database: Database, _path: Path) -> float:
        batches = [_batch(hour, run) for hour in range(BATCHES)]
        return BATCHES * DEVICES * EACH / await _fill(database, batches)

    return _measured(work)


def ingest_alone(run: int) -> float:
    """The same rows as tuples that are made already."""

    async def work(database: Database, path: Path) -> float:
        batches = [_batch(hour, run) for hour in range(BATCHES)]
        await _fill(database, batches)
        with sqlite3.connect(path, isolation_level=None) as plain:
            rows = plain.execute("select * from readings order by effective_us").fetchall()
            plain.execute("pragma synchronous=full")
            plain.execute("delete from readings")
            places = ",".join("?" * len(rows[0]))
            begun = time.perf_counter()
            for at in range(0, len(rows), DEVICES * EACH):
                plain.execute("begin immediate")
                plain.executemany(f"insert into readings values ({places})", rows[at : at + DEVICES * EACH])  # noqa: S608 - no input
                plain.execute("commit")
            return len(rows) / (time.perf_counter() - begun)

    return _measured(work)


def year(run: int) -> float:
    """Milliseconds for a year of hourly values, as a plot takes them."""

    async def work(database: Database, _path: Path) -> float:
        await _fill(database, [[_reading(bytes(16), VOLUME, hour, run) for hour in range(YEAR)]])
        begun = time.perf_counter()
        points = await database.glance(lambda tx: read_points(tx, bytes(16), VOLUME, 0, FIRST_US * 2))
        assert len(points) == YEAR
        return (time.perf_counter() - begun) * 1e3

    return _measured(work)


def year_mapped(run: int) -> float:
    """Milliseconds for the same year where the mapping tells litres of an old driver's name as cubic metres."""

    async def work(database: Database, _path: Path) -> float:
        name = Series(1, "volume_total")
        said = [replace(_reading(bytes(16), name, hour, run), unit="L") for hour in range(YEAR)]
        await _fill(database, [said])
        async with database.write() as tx:
            await put_driver(tx, StoredDriver(said[0].driver_hash, "meter", "1", 3, None, None, "active"))
            await put_mapping(tx, MappingRow("meter", name.quantity, ANY, "volume", "m3"))
        readings = Readings(database)
        await readings.series(bytes(16))
        begun = time.perf_counter()
        points = await readings.drawn(bytes(16), VOLUME, 0, FIRST_US * 2, "m3")
        assert len(points) == YEAR
        return (time.perf_counter() - begun) * 1e3

    return _measured(work)


def year_alone(run: int) -> float:
    """The same columns as rows of the driver."""

    async def work(database: Database, path: Path) -> float:
        await _fill(database, [[_reading(bytes(16), VOLUME, hour, run) for hour in range(YEAR)]])
        with sqlite3.connect(path) as plain:
            begun = time.perf_counter()
            rows = plain.execute("select effective_us, value, scale, unit, status from readings").fetchall()
            assert len(rows) == YEAR
            return (time.perf_counter() - begun) * 1e3

    return _measured(work)


MEASURES = [
    Measure("mbus", "frames/s", "pymeterbus load", mbus, mbus_loaded),
    Measure("wmbus_aes", "telegrams/s", "AES-CBC alone", wmbus, wmbus_opened),
    Measure("payload", "payloads/s", "written by hand", payload, payload_by_hand),
    Measure("script", "frames/s", "the engine in this process", script, script_alone),
    Measure("readings_ingest", "rows/s", "sqlite3 executemany", ingest, ingest_alone),
    Measure("readings_year", "ms", "sqlite3 select", year, year_alone),
    Measure("readings_year_mapped", "ms", "sqlite3 select", year_mapped, year_alone),
]
