"""What a network server must not forget: devices, used nonces, sessions, gateways, and the frames that were heard.

Keys come here sealed and leave sealed. `DevAddr` stands inside a sealed session and nowhere else.
"""

import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Select, bindparam, delete, func, insert, select, tuple_, update

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.upserts import insert_all, insert_new, upsert

MANY = 400  # in one statement
PAGE = 1_000  # of all rows, at a time
DEVICES = "radio devices"  # what a transaction touches that writes one


class DeviceState(StrEnum):
    """How far a device has come here."""

    WAITING = "waiting"  # it may join
    JOINED = "joined"  # its frames wait for the comparison
    AGREED = "agreed"  # the comparison passed, its statements are to be said
    REGISTERED = "registered"  # its frames become readings
    STOPPED = "stopped"  # a person decides
    RETIRED = "retired"  # the passport has another DevEUI now


class FrameState(StrEnum):
    """What became of a frame."""

    ACCEPTED = "accepted"  # a join, or a frame without data for the application
    DECODED = "decoded"
    UNDECODED = "undecoded"
    UNRESOLVED = "unresolved"  # it is not known whose readings these are
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """A device as this network knows it; `root_key` is sealed, `profile` and `registration` are JSON objects."""

    dev_eui: bytes
    subject: bytes
    profile: dict[str, object]
    root_key: bytes = field(repr=False)
    state: DeviceState
    registration: dict[str, object]
    changed_us: int = 0


@dataclass(frozen=True, slots=True)
class StoredNonces:
    """The join state of a device."""

    dev_eui: bytes
    join_nonce: int
    dev_nonces: frozenset[int]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One activation of one device, sealed."""

    dev_eui: bytes
    number: int
    state: bytes


@dataclass(frozen=True, slots=True)
class StoredGateway:
    """A gateway that may speak here; `seen_us` None where it never did."""

    eui: bytes
    name: str
    seen_us: int | None
    frames: int


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame as it was heard; `payload` is what it carried for the application, `detail` how it was heard."""

    received_us: int
    what: str
    phy: bytes
    state: FrameState
    dev_eui: bytes | None = None
    session: int | None = None
    port: int | None = None
    fcnt: int | None = None
    payload: bytes | None = None
    detail: dict[str, object] = field(default_factory=dict)
    id: int = 0


async def put_device(tx: WriteTx, device: StoredDevice) -> None:
    """Add or replace a device."""
    row: dict[str, object] = {
        "dev_eui": device.dev_eui,
        "subject": device.subject,
        "profile": _dump(device.profile),
        "root_key": device.root_key,
        "state": device.state.value,
        "registration": _dump(device.registration),
        "changed_us": tx.now,
    }
    await upsert(tx, schema.radio_devices, [row])
    tx.touch(DEVICES)


async def find_device(tx: ReadTx, dev_eui: bytes) -> StoredDevice | None:
    """The device of that DevEUI."""
    table = schema.radio_devices
    row = await tx.first(select(table).where(table.c.dev_eui == dev_eui))
    return None if row is None else _device(row)


async def find_devices(tx: ReadTx, dev_euis: Iterable[bytes]) -> dict[bytes, StoredDevice]:
    """Those of these devices that this network knows, by DevEUI."""
    table, wanted = schema.radio_devices, sorted(set(dev_euis))
    found: dict[bytes, StoredDevice] = {}
    for at in range(0, len(wanted), MANY):
        rows = await tx.all(select(table).where(table.c.dev_eui.in_(wanted[at : at + MANY])))
        found |= {row.dev_eui: _device(row) for row in rows}
    return found


async def list_devices(
    tx: ReadTx, *, subjects: Iterable[bytes] | None = None, state: DeviceState | None = None
) -> list[StoredDevice]:
    """Devices by DevEUI, all or those of some subjects or of one state."""
    table = schema.radio_devices
    statement = select(table).order_by(table.c.dev_eui)
    if state is not None:
        statement = statement.where(table.c.state == state.value)
    if subjects is None:
        return [_device(row) for row in await tx.all(statement)]
    wanted = sorted(set(subjects))
    rows: list[Record] = []
    for at in range(0, len(wanted), MANY):
        rows += await tx.all(statement.where(table.c.subject.in_(wanted[at : at + MANY])))
    return sorted((_device(row) for row in rows), key=lambda device: device.dev_eui)


async def profiles_in_service(tx: ReadTx) -> list[dict[str, object]]:
    """The profiles of the devices whose frames become readings."""
    table = schema.radio_devices.c
    rows = await tx.all(select(table.profile).where(table.state == DeviceState.REGISTERED.value))
    return [orjson.loads(row.profile) for row in rows]


async def add_nonces(tx: WriteTx, used: Iterable[tuple[bytes, int, int]]) -> None:
    """Keep used `(DevEUI, DevNonce, JoinNonce)` for ever."""
    rows: list[dict[str, object]] = [
        {"dev_eui": dev_eui, "dev_nonce": dev_nonce, "join_nonce": join_nonce}
        for dev_eui, dev_nonce, join_nonce in used
    ]
    await insert_new(tx, schema.radio_nonces, rows)


async def each_nonces(tx: ReadTx) -> AsyncIterator[StoredNonces]:
    """The join state of every device that ever joined, page by page."""
    table, after = schema.radio_nonces, b""
    while True:
        euis = select(table.c.dev_eui).where(table.c.dev_eui > after).distinct().order_by(table.c.dev_eui).limit(PAGE)
        wanted = [row.dev_eui for row in await tx.all(euis)]
        if not wanted:
            return
        after = wanted[-1]
        rows = await tx.all(select(table).where(table.c.dev_eui.between(wanted[0], after)).order_by(table.c.dev_eui))
        for dev_eui, group in itertools.groupby(rows, key=lambda row: bytes(row.dev_eui)):
            used = [(row.dev_nonce, row.join_nonce) for row in group]
            yield StoredNonces(dev_eui, max(join for _, join in used), frozenset(dev for dev, _ in used))


async def put_sessions(tx: WriteTx, sessions: Sequence[StoredSession]) -> None:
    """Put the next states of sessions."""
    rows: list[dict[str, object]] = [
        {"dev_eui": session.dev_eui, "number": session.number, "state": session.state} for session in sessions
    ]
    await upsert(tx, schema.radio_sessions, rows)


async def end_sessions(tx: WriteTx, sessions: Iterable[tuple[bytes, int]]) -> None:
    """Forget sessions, named by DevEUI and number."""
    table = schema.radio_sessions
    if ended := sorted(set(sessions)):
        await tx.run(delete(table).where(tuple_(table.c.dev_eui, table.c.number).in_(ended)))


async def each_session(tx: ReadTx) -> AsyncIterator[StoredSession]:
    """Every session, a device's oldest first, page by page."""
    table, after = schema.radio_sessions.c, (b"", -1)
    while True:
        later = tuple_(table.dev_eui, table.number) > after
        asked = select(schema.radio_sessions).where(later).order_by(table.dev_eui, table.number).limit(PAGE)
        rows = await tx.all(asked)
        for row in rows:
            yield StoredSession(row.dev_eui, row.number, row.state)
        if len(rows) < PAGE:
            return
        after = rows[-1].dev_eui, rows[-1].number


async def each_device(tx: ReadTx) -> AsyncIterator[StoredDevice]:
    """Every device by DevEUI, page by page: all at once would take as much memory as the running network."""
    table, after = schema.radio_devices, b""
    while True:
        rows = await tx.all(select(table).where(table.c.dev_eui > after).order_by(table.c.dev_eui).limit(PAGE))
        for row in rows:
            yield _device(row)
        if len(rows) < PAGE:
            return
        after = rows[-1].dev_eui


async def put_gateway(tx: WriteTx, eui: bytes, name: str) -> None:
    """Let a gateway speak here, or give it another name."""
    if await tx.run(update(schema.gateways).where(schema.gateways.c.eui == eui).values(name=name)) == 0:
        await tx.run(insert(schema.gateways).values(eui=eui, name=name, frames=0))


async def remove_gateway(tx: WriteTx, eui: bytes) -> bool:
    """Let a gateway speak no more; whether it could before."""
    return await tx.run(delete(schema.gateways).where(schema.gateways.c.eui == eui)) > 0


async def note_gateways(tx: WriteTx, heard: Iterable[tuple[bytes, int, int]]) -> None:
    """Keep `(EUI, last heard at, frames since)` of gateways that may speak here."""
    table = schema.gateways
    for eui, seen_us, frames in heard:
        changed = {"seen_us": seen_us, "frames": table.c.frames + frames}
        await tx.run(update(table).where(table.c.eui == eui).values(changed))


async def list_gateways(tx: ReadTx) -> list[StoredGateway]:
    """Every gateway that may speak here."""
    rows = await tx.all(select(schema.gateways).order_by(schema.gateways.c.name, schema.gateways.c.eui))
    return [StoredGateway(row.eui, row.name, row.seen_us, row.frames) for row in rows]


async def insert_frame(tx: WriteTx, frame: StoredFrame) -> int:
    """Keep a frame and answer its number."""
    return await tx.insert_id(schema.frames, **_columns(frame))


async def next_frames(tx: WriteTx, count: int) -> list[int]:
    """The numbers of so many frames that this transaction is about to insert."""
    table = schema.frames
    if tx.dialect == "sqlite":  # one writes at a time
        first = 1 + int(await tx.value(select(func.coalesce(func.max(table.c.id), 0))))
        return list(range(first, first + count))
    sequence = func.pg_get_serial_sequence(table.name, "id")
    drawn = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
    return [int(row[0]) for row in await tx.all(drawn)]


async def insert_frames(tx: WriteTx, frames: Sequence[StoredFrame]) -> None:
    """Keep frames under their numbers, which `next_frames` gave."""
    await insert_all(tx, schema.frames, [{"id": frame.id, **_columns(frame)} for frame in frames])


async def prune_refused(tx: WriteTx, kept: int) -> None:
    """Forget refused frames but the newest so many."""
    table = schema.frames
    refused = table.c.state == FrameState.REFUSED.value
    last = await tx.value(select(table.c.id).where(refused).order_by(table.c.id.desc()).offset(kept).limit(1))
    if last is not None:
        await tx.run(delete(table).where(refused, table.c.id <= last))


async def set_frame_state(tx: WriteTx, frame_id: int, state: FrameState, detail: dict[str, object]) -> None:
    """Say what became of a frame that waited."""
    table = schema.frames
    await tx.run(update(table).where(table.c.id == frame_id).values(state=state.value, detail=_dump(detail)))


async def find_recent_frame(tx: ReadTx, phy: bytes, received_us: int, among: int = 2000) -> StoredFrame | None:
    """A frame by its bytes and time, among the newest so many."""
    table = schema.frames.c
    newest = await newest_frame(tx)
    statement = select(schema.frames).where(
        table.id > newest - among, table.received_us == received_us, table.phy == phy
    )
    row = await tx.first(statement.order_by(table.id.desc()).limit(1))
    return None if row is None else _frame(row)


async def frames_in_state(
    tx: ReadTx, state: FrameState, dev_eui: bytes, session: int | None, *, after: int = 0, limit: int | None = None
) -> list[StoredFrame]:
    """The first frames after a number of one session of a device (of every one where None) that are in a state."""
    table = schema.frames
    statement = select(table).where(table.c.state == state.value, table.c.dev_eui == dev_eui, table.c.id > after)
    statement = statement.order_by(table.c.id).limit(limit)
    if session is not None:
        statement = statement.where(table.c.session == session)
    return [_frame(row) for row in await tx.all(statement)]


async def devices_with_frames(tx: ReadTx, state: FrameState) -> list[bytes]:
    """The devices of which frames are in a state."""
    table = schema.frames.c
    found: list[bytes] = []
    # One look-up for each device: a DISTINCT would read every frame of the state.
    while True:
        asked = select(table.dev_eui).where(table.state == state.value, table.dev_eui > (found[-1] if found else b""))
        row = await tx.first(asked.order_by(table.dev_eui).limit(1))
        if row is None:
            return found
        found.append(row.dev_eui)


async def count_frames(tx: ReadTx, dev_eui: bytes, state: FrameState) -> int:
    """How many frames of a device are in a state."""
    table = schema.frames.c
    asked = select(func.count()).select_from(schema.frames)
    return int(await tx.value(asked.where(table.state == state.value, table.dev_eui == dev_eui)))


async def list_frames(
    tx: ReadTx, *, dev_eui: bytes | None = None, state: FrameState | None = None, before: int = 0, limit: int = 50
) -> list[StoredFrame]:
    """Frames, newest first, of one device or all, of one state or any; `before` is the number to go on from."""
    table = schema.frames
    statement: Select[Any] = select(table).order_by(table.c.id.desc()).limit(limit)  # Any: the columns of a row
    if dev_eui is not None:
        statement = statement.where(table.c.dev_eui == dev_eui)
    if state is not None:
        statement = statement.where(table.c.state == state.value)
    if before:
        statement = statement.where(table.c.id < before)
    return [_frame(row) for row in await tx.all(statement)]


async def read_frames(tx: ReadTx, numbers: Iterable[int]) -> dict[int, StoredFrame]:
    """Those of these frames that are kept, by number."""
    table, wanted = schema.frames, sorted(set(numbers))
    found: dict[int, StoredFrame] = {}
    for at in range(0, len(wanted), MANY):
        rows = await tx.all(select(table).where(table.c.id.in_(wanted[at : at + MANY])))
        found |= {row.id: _frame(row) for row in rows}
    return found


async def last_frames(tx: ReadTx, dev_euis: Iterable[bytes]) -> dict[bytes, StoredFrame]:
    """The newest frame of each of these devices that was not refused, by DevEUI."""
    found = {eui: await tx.first(_LAST_FRAME, dev_eui=eui) for eui in set(dev_euis)}
    return {eui: _frame(row) for eui, row in found.items() if row is not None}


async def newest_frame(tx: ReadTx, dev_euis: Iterable[bytes] | None = None) -> int:
    """The number of the newest frame, of some devices or of all; 0 where there is none."""
    table = schema.frames.c
    if dev_euis is None:
        return int(await tx.value(select(func.coalesce(func.max(table.id), 0))))
    newest = [await tx.value(select(func.max(table.id)).where(table.dev_eui == eui)) for eui in dev_euis]
    return max((number for number in newest if number is not None), default=0)


_LAST_FRAME = (
    select(schema.frames)
    .where(schema.frames.c.dev_eui == bindparam("dev_eui"), schema.frames.c.state != FrameState.REFUSED.value)
    .order_by(schema.frames.c.id.desc())
    .limit(1)
)


def _columns(frame: StoredFrame) -> dict[str, object]:
    return {
        "received_us": frame.received_us,
        "dev_eui": frame.dev_eui,
        "session": frame.session,
        "what": frame.what,
        "phy": frame.phy,
        "port": frame.port,
        "fcnt": frame.fcnt,
        "payload": frame.payload,
        "detail": _dump(frame.detail),
        "state": frame.state.value,
    }


def _device(row: Record) -> StoredDevice:
    return StoredDevice(
        row.dev_eui,
        row.subject,
        orjson.loads(row.profile),
        row.root_key,
        DeviceState(row.state),
        orjson.loads(row.registration),
        row.changed_us,
    )


def _frame(row: Record) -> StoredFrame:
    return StoredFrame(
        row.received_us,
        row.what,
        row.phy,
        FrameState(row.state),
        row.dev_eui,
        row.session,
        row.port,
        row.fcnt,
        row.payload,
        orjson.loads(row.detail),
        row.id,
    )


def _dump(value: dict[str, object]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
