"""Messages of 1C that were taken, and by which of them each object was written last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.settings import drop_setting, find_setting, set_setting, settings_like
from node.store.upserts import upsert

PART = 400
CHANGED = "passport_changed"
REFUSED = "refused_1c:"  # settings: how many messages of a base, and when the last


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message with the answer that it got."""

    system: str
    id: str
    number: int
    kind: str
    hash: bytes
    answer: str
    received_us: int
    actor: str


@dataclass(frozen=True, slots=True)
class Base:
    """A base of 1C: when a message of it was taken last, how many were refused since, and when the last of those."""

    system: str
    last_us: int | None
    refused: int = 0
    refused_us: int | None = None


@dataclass(frozen=True, slots=True)
class KnownObject:
    """An object of 1C: by the message of which number it was written, and the device that it is."""

    kind: str
    id: str
    number: int
    message: str
    hash: bytes
    subject: bytes | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A device of 1C whose passport changed: the journal's row of the last change."""

    journal: int
    id: str
    subject: bytes


async def summaries(tx: ReadTx) -> list[Base]:
    """The bases that ever sent anything, by name."""
    table = schema.messages_1c.c
    statement = select(table.system, func.max(table.received_us).label("last")).group_by(table.system)
    last = {str(row.system): int(row.last) for row in await tx.all(statement)}
    refused = {name.removeprefix(REFUSED): _refused(raw) for name, raw in (await settings_like(tx, REFUSED)).items()}
    return [Base(system, last.get(system), *refused.get(system, (0, None))) for system in sorted({*last, *refused})]


async def note_refused(tx: WriteTx, system: str) -> None:
    """Count a message of a base that was refused."""
    raw = await find_setting(tx, REFUSED + system)
    count = _refused(raw)[0] if raw is not None else 0
    await set_setting(tx, REFUSED + system, f"{count + 1} {tx.now}".encode())


async def forget_refused(tx: WriteTx, system: str) -> None:
    """A message of a base was taken: those that were refused before it are over."""
    await drop_setting(tx, REFUSED + system)


async def find_message(tx: ReadTx, system: str, message: str) -> TakenMessage | None:
    """A message by its id."""
    table = schema.messages_1c
    row = await tx.first(select(table).where(table.c.system == system, table.c.id == message))
    return None if row is None else _message(row)


async def first_actor(tx: ReadTx, system: str, kind: str) -> str | None:
    """Who of a kind, as labels of actors begin, sent the first message of a system."""
    table = schema.messages_1c.c
    mine = (table.system == system, table.actor.startswith(kind, autoescape=True))
    row = await tx.first(select(table.actor).where(*mine).order_by(table.received_us, table.id).limit(1))
    return str(row.actor) if row else None


async def find_number(tx: ReadTx, system: str, number: int) -> TakenMessage | None:
    """The message of a system that has that number."""
    table = schema.messages_1c
    row = await tx.first(select(table).where(table.c.system == system, table.c.number == number))
    return None if row is None else _message(row)


async def insert_message(tx: WriteTx, message: TakenMessage) -> None:
    """Note a message that was taken."""
    values = {name: getattr(message, name) for name in TakenMessage.__slots__}
    await tx.run(insert(schema.messages_1c).values(**values))


async def last_messages(tx: ReadTx, limit: int, before: tuple[int, str] | None = None) -> list[TakenMessage]:
    """The last messages, newest first, after a (received_us, id) place."""
    table = schema.messages_1c
    statement = select(table).order_by(table.c.received_us.desc(), table.c.id.desc()).limit(limit)
    if before is not None:
        at, message = before
        is_earlier = (table.c.received_us < at) | ((table.c.received_us == at) & (table.c.id < message))
        statement = statement.where(is_earlier)
    return [_message(row) for row in await tx.all(statement)]


async def known_objects(tx: ReadTx, system: str, kind: str, ids: Collection[str]) -> dict[str, KnownObject]:
    """Those of some objects that are known, by id."""
    wanted, table = sorted(set(ids)), schema.objects_1c
    found: dict[str, KnownObject] = {}
    for at in range(0, len(wanted), PART):
        here = (table.c.system == system, table.c.kind == kind, table.c.id.in_(wanted[at : at + PART]))
        for row in await tx.all(select(table).where(*here)):
            found[row.id] = KnownObject(row.kind, row.id, row.number, row.message, row.hash, row.subject)
    return found


async def note_objects(tx: WriteTx, system: str, objects: Sequence[KnownObject]) -> None:
    """Note by which message objects were written."""
    rows = [{"system": system, **{name: getattr(one, name) for name in KnownObject.__slots__}} for one in objects]
    await upsert(tx, schema.objects_1c, rows)


async def moved_devices(tx: ReadTx, system: str, after: int, limit: int) -> list[Moved]:
    """Devices of a system whose passports changed after a row of the journal, each once, the earliest change first."""
    objects, passports, journal = schema.objects_1c, schema.passports, schema.journal
    last = func.max(journal.c.id).label("last")
    statement = (
        select(last, objects.c.id, objects.c.subject)
        .join(passports, passports.c.subject == objects.c.subject)
        .join(journal, journal.c.subject == passports.c.lead)
        .where(objects.c.system == system, objects.c.kind == "device")
        .where(journal.c.id > after, journal.c.what == CHANGED)
        .group_by(objects.c.id, objects.c.subject)
        .order_by(last)
        .limit(limit)
    )
    return [Moved(row.last, row.id, row.subject) for row in await tx.all(statement)]


def _refused(raw: bytes) -> tuple[int, int]:
    count, at_us = map(int, raw.split())
    return count, at_us


def _message(row: Record) -> TakenMessage:
    return TakenMessage(*(getattr(row, name) for name in TakenMessage.__slots__))
