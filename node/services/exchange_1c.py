"""Taking messages of 1C, and telling 1C what became of its devices.

A message is taken whole in one transaction or not at all. The same message again answers what it answered first; other
content under its id is refused. An object that a later message wrote is not written by an earlier one that comes late.
"""

import asyncio
import json
from dataclasses import dataclass, field

from node.errors import InputError, StateError
from node.exchange.messages_1c import (
    Device,
    DevicesMessage,
    Document,
    DocumentsMessage,
    Item,
    ItemsMessage,
    Message,
    hash_of,
)
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    EventBody,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    Reference,
    TypeBody,
)
from node.passport.catalogs import Catalog
from node.passport.drafts import Draft
from node.passport.ids import SubjectId, format_device_id
from node.passport.lines import Unresolved
from node.passport.serials import check_serial
from node.passport.shown import has_plate
from node.passport.view import DAY_US, View, moment_us
from node.services.core import Core
from node.services.findings import Shown, refusal, show_finding
from node.services.ledger import Ledger
from node.services.own_codes import Loaded, OwnCodes
from node.services.plates import settle_claim
from node.services.projection import Projection
from node.store.database import ReadTx, WriteTx
from node.store.exchange_1c import (
    KnownObject,
    Moved,
    TakenMessage,
    find_message,
    find_number,
    first_actor,
    forget_refused,
    insert_message,
    known_objects,
    last_messages,
    moved_devices,
    note_objects,
    note_refused,
)
from node.store.passports import StoredPassport, find_passport, read_passports

__all__ = ["Exchange1C", "TakenMessage"]

ITEM, DEVICE, DOCUMENT = "item", "device", "document"
WRITTEN, SAME, OLDER = "written", "same", "older"
PREFIX = "1c:"
SYSTEM = "system:"  # actors that are registered systems
ALIAS, PAPER = "1c", "1c_document"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message was answered, as it was answered first; `is_replay` where it came before."""

    told: dict[str, object]
    is_replay: bool = False


@dataclass(slots=True)
class _Taking:
    """What a message makes: drafts, objects, the answer's rows, and what is wrong with it."""

    message: Message
    known: dict[str, KnownObject]
    drafts: list[Draft] = field(default_factory=list)
    objects: list[KnownObject] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    findings: list[Shown] = field(default_factory=list)

    def is_fresh(self, kind: str, part: Item | Device | Document) -> bool:
        """Whether the message says something new of an object; notes what it does otherwise."""
        before, number = self.known.get(part.id), self.message.message.number
        if before is None or before.number < number:
            if before is None or before.hash != hash_of(part):
                return True
            self.note(kind, part, SAME, before.subject)
        else:
            self.rows.append({"kind": kind, "id": part.id, "state": OLDER, "number": before.number})
        return False

    def note(self, kind: str, part: Item | Device | Document, state: str, subject: bytes | None = None) -> None:
        """The object stands as this message says."""
        told = self.message.message
        self.objects.append(KnownObject(kind, part.id, told.number, told.id, hash_of(part), subject))
        row: dict[str, object] = {"kind": kind, "id": part.id, "state": state}
        if subject is not None:
            row["device"] = format_device_id(SubjectId(subject))
        self.rows.append(row)


class Exchange1C:
    """Speaks with 1C in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, own_codes: OwnCodes) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._own_codes = own_codes
        self._taking = asyncio.Lock()

    async def take(self, message: Message, actor: str) -> Answer:
        """Take a message; raise StateError for another message under its id or number, InputError for what is wrong."""
        try:
            return await self._take(message, actor)
        except (InputError, StateError) as error:
            await self._note_refused(message, error.code, actor)
            raise

    async def _take(self, message: Message, actor: str) -> Answer:
        async with self._taking:
            told = message.message
            async with self._core.database.read() as tx:
                if (before := await find_message(tx, told.system, told.id)) is not None:
                    return _replayed(before, message)
                if (other := await find_number(tx, told.system, told.number)) is not None:
                    raise StateError(
                        f"number {told.number} of {told.system} is that of message {other.id}",
                        "number_taken_1c",
                        number=told.number,
                        other=other.id,
                    )
                taking = await self._prepare(tx, message)
            if taking.findings:
                raise refusal("message_refused_1c", taking.findings)
            return await self._write(taking, actor)

    async def messages(self, limit: int, before: tuple[int, str] | None = None) -> list[TakenMessage]:
        """The last messages, newest first."""
        async with self._core.database.read() as tx:
            return await last_messages(tx, limit, before)

    async def owner(self, base: str) -> str | None:
        """The registered system that sent the first message of a base, None where nobody did, or none of these."""
        async with self._core.database.read() as tx:
            actor = await first_actor(tx, base, SYSTEM)
        return actor.removeprefix(SYSTEM) if actor is not None else None

    async def changes(self, system: str, after: int, limit: int) -> list[tuple[Moved, StoredPassport]]:
        """Devices of a system whose passports changed after a place, each once as it stands now."""
        async with self._core.database.read() as tx:
            moved = await moved_devices(tx, system, after, limit)
            found = await read_passports(tx, [one.subject for one in moved])
        return [(one, found[one.subject]) for one in moved if one.subject in found]

    async def _note_refused(self, message: Message, code: str, actor: str) -> None:
        told = message.message
        async with self._core.database.write() as tx:
            await note_refused(tx, told.system)
            await self._core.announce(tx, actor, "message_refused_1c", system=told.system, message=told.id, code=code)

    async def _prepare(self, tx: ReadTx, message: Message) -> _Taking:
        told = message.message
        kind = {"items": ITEM, "devices": DEVICE, "documents": DOCUMENT}[told.kind]
        ids = [part.id for part in message.objects]
        taking = _Taking(message, await known_objects(tx, told.system, kind, ids))
        if isinstance(told, ItemsMessage):
            self._take_items(taking, told)
        elif isinstance(told, DevicesMessage):
            await self._take_devices(tx, taking, told)
        else:
            await self._take_documents(tx, taking, told)
        return taking

    async def _write(self, taking: _Taking, actor: str) -> Answer:
        told = taking.message.message
        answer: dict[str, object] = {"message": told.id, "number": told.number, "objects": taking.rows}
        kept = TakenMessage(
            told.system, told.id, told.number, told.kind, taking.message.hash,
            json.dumps(answer, ensure_ascii=False), self._core.clock.now(), actor,
        )  # fmt: skip

        async def note(tx: WriteTx, _entries: object) -> None:
            await insert_message(tx, kept)
            await forget_refused(tx, told.system)
            await note_objects(tx, told.system, taking.objects)
            states = [row["state"] for row in taking.rows]
            await self._core.announce(
                tx,
                actor,
                "message_taken_1c",
                system=told.system,
                message=told.id,
                kind=told.kind,
                written=states.count(WRITTEN),
                same=states.count(SAME),
                older=states.count(OLDER),
            )

        await self._ledger.append(taking.drafts, note)
        return Answer(answer)

    def _take_items(self, taking: _Taking, told: ItemsMessage) -> None:
        fresh = [(at, item) for at, item in enumerate(told.items) if taking.is_fresh(ITEM, item)]
        rows = [Loaded(item.id, item.shown, item.central, f"/items/{at}") for at, item in fresh]
        said, taking.findings = self._own_codes.prepare(Catalog.TYPES.value, rows)
        taking.drafts += said
        known = self._own_codes.known(Catalog.TYPES.value)
        for _, item in fresh:
            taking.note(ITEM, item, WRITTEN)
            central = item.central or (known[item.id].central if item.id in known else None)
            taking.rows[-1]["central"] = central

    async def _take_devices(self, tx: ReadTx, taking: _Taking, told: DevicesMessage) -> None:
        for at, device in enumerate(told.devices):
            if not taking.is_fresh(DEVICE, device):
                continue
            plate = self._plate(device)
            if plate is None:
                taking.findings.append(_finding(f"/devices/{at}/item", "item-unknown", device.item))
                continue
            subject, said = await self._device_drafts(tx, told, device, plate)
            before = taking.known.get(device.id)
            if before is not None and before.subject not in (None, subject):
                taking.findings.append(_finding(f"/devices/{at}/serial", "serial-changed", device.serial))
            elif device.made_on and self._is_ahead(device.made_on):
                taking.findings.append(_finding(f"/devices/{at}/made_on", "day-ahead", device.made_on))
            elif fault := self._serial_fault(plate, f"/message/devices/{at}/serial"):
                taking.findings.append(fault)
            else:
                taking.drafts += said
                taking.note(DEVICE, device, WRITTEN, subject)

    async def _device_drafts(
        self, tx: ReadTx, told: DevicesMessage, device: Device, plate: Plate
    ) -> tuple[bytes, list[Draft]]:
        lines, now, org = self._projection.world.lines, self._core.clock.now(), self._core.org
        fresh = lines.claim_for(plate, log=self._ledger.log.log, randomness=self._core.random.bytes(16))
        claim = await settle_claim(tx, fresh, plate, lines, org)
        subject = claim.subject.raw
        passport = await find_passport(tx, subject, whole=False)
        view: View = passport.content if passport else {}
        system = PREFIX + told.system
        occurred = moment_us(device.made_on) if device.made_on else now
        said: list[Draft] = []
        if not has_plate(view, org, plate):
            kind = TypeBody(
                type=Reference(local=device.item, central=self._central(device.item)), model=plate.designation
            )
            said.append(drafts.identity(subject, claim.encode(), plate, occurred, kind))
        alias = AliasBody(scheme=ALIAS, value=f"{told.system}:{device.id}", evidence="document")
        said.append(drafts.alias(subject, alias, now))
        if device.made_on:
            where = Place(place=Reference(local=self._place()), default=True)
            made = EventBody(what=Reference(central="manufactured"), where=where, system=system, external=device.id)
            said.append(drafts.event(subject, made, occurred))
        values = {"batch": device.batch, "manufactured_on": device.made_on}
        if rows := tuple(
            # From the beginning: a day of making that is corrected leaves no value of its own time behind.
            ParameterRow(code=Reference(central=code), value=value, source=system)
            for code, value in values.items()
            if value
        ):
            said.append(drafts.parameters(subject, ParametersBody(rows=rows), occurred))
        return subject, said

    async def _take_documents(self, tx: ReadTx, taking: _Taking, told: DocumentsMessage) -> None:
        wanted = {device for paper in told.documents for device in paper.devices}
        known = await known_objects(tx, told.system, DEVICE, wanted)
        for at, paper in enumerate(told.documents):
            if not taking.is_fresh(DOCUMENT, paper):
                continue
            if self._is_ahead(paper.date):
                taking.findings.append(_finding(f"/documents/{at}/date", "day-ahead", paper.date))
            missing = [(n, one) for n, one in enumerate(paper.devices) if one not in known or not known[one].subject]
            taking.findings += [_finding(f"/documents/{at}/devices/{n}", "device-unknown", one) for n, one in missing]
            value = f"{paper.title} № {paper.number} ({told.system}:{paper.id})"
            alias = AliasBody(scheme=PAPER, value=value, evidence="document", since=paper.date)
            subjects = [subject for one in paper.devices if one in known and (subject := known[one].subject)]
            taking.drafts += [drafts.alias(subject, alias, moment_us(paper.date)) for subject in subjects]
            taking.note(DOCUMENT, paper, WRITTEN)

    def _is_ahead(self, day: str) -> bool:
        """Whether a day has come nowhere yet."""
        return moment_us(day) > self._core.clock.now() + DAY_US

    def _plate(self, device: Device) -> Plate | None:
        """What the plate says; None where neither the device nor the type of its item tells a designation."""
        kind = self._projection.world.types.get(self._central(device.item) or "")
        designation = device.designation or (kind.model if kind else None)
        if designation is None:
            return None
        approvals = (str(kind.approval),) if kind else ()
        return Plate(
            mark=device.mark,
            designation=designation,
            serial=device.serial,
            year=device.year or (device.made_on[:4] if device.made_on else None),
            approvals=approvals,
            read="document",
        )

    def _serial_fault(self, plate: Plate, pointer: str) -> Shown | None:
        """What is wrong with the serial by the rule of its line."""
        line = self._projection.world.lines.resolve(plate)
        found = None if isinstance(line, Unresolved) else check_serial(line.serial, plate.serial)
        if found is None:
            return None
        told = {"ru": {"what": found.ru, "advice": ""}, "en": {"what": found.en, "advice": ""}}
        return {"place": "body", "pointer": pointer, "rule": found.rule, "value": plate.serial[:80], **told}

    def _central(self, item: str) -> str | None:
        return self._projection.world.central(Reference(local=item), self._core.org, Catalog.TYPES)

    def _place(self) -> str:
        node = self._core.settings.node
        return (node.place or node.name)[:128]


def _replayed(before: TakenMessage, message: Message) -> Answer:
    if before.hash != message.hash:
        raise StateError(f"message {before.id} was taken with other content", "message_changed_1c", other=before.id)
    told: dict[str, object] = json.loads(before.answer)
    return Answer(told, is_replay=True)


def _finding(pointer: str, rule: str, value: str) -> Shown:
    return show_finding(f"/message{pointer}", rule, value, {})
