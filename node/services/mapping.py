"""The model mapping as people edit it: which names drivers use here, what each means, and who said so."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from drivers.mapping import ANY, MappingRow, ModelMapping
from node.errors import InputError, NotFoundError
from node.passport.catalogs import Catalog
from node.passport.mapping_rules import KnownField, MappingFault, RowDraft, read_row
from node.services.core import Core
from node.services.drivers import Drivers
from node.services.model import Model
from node.services.readings import StoredReading
from node.services.releases import Releases
from node.services.sources import told_by
from node.store.database import ReadTx
from node.store.drivers import list_drivers
from node.store.mappings import (
    BYTES,
    SeenField,
    StoredRow,
    drop_mapping,
    list_fields,
    list_mappings,
    put_mapping,
)
from node.store.radio import find_device, list_frames
from node.store.readings import END_US, Part, Spoken, find_last, list_series

__all__ = ["ANY", "FieldState", "KnownName", "Mappings", "Preview"]

PATH = ("driver", "quantity")
ADVICE = {"ru": "Исправьте это поле: ничего не изменено.", "en": "Correct this field: nothing was changed."}


class FieldState(StrEnum):
    """How a name of a driver stands to the central catalog."""

    MAPPED = "mapped"  # by a row
    NAME = "name"  # it is a code of the catalog itself
    UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class KnownName:
    """A quantity of a driver in a channel (ANY in every): the unit as it is read, since when, and what it means.

    `seen` is None for what the driver only declares, or what a row alone names.
    """

    driver: str
    quantity: str
    channel: int
    unit: str
    seen: SeenField | None
    state: FieldState
    row: StoredRow | None = None

    @property
    def is_bytes(self) -> bool:
        """Whether the driver reads no number there."""
        return self.seen is not None and self.seen.channel == BYTES


@dataclass(frozen=True, slots=True)
class Preview:
    """A row that could stand, and the latest reading of its quantity as it was read and as the row tells it.

    `read` is None where none is known; `told` where the row cannot tell it.
    """

    row: MappingRow
    read: StoredReading | None
    told: StoredReading | None


class Mappings:
    """Lists, puts and drops rows of the model mapping."""

    def __init__(self, core: Core, drivers: Drivers, releases: Releases, model: Model) -> None:
        self._core = core
        self._drivers = drivers
        self._releases = releases
        self._model = model

    async def names(self) -> list[KnownName]:
        """What drivers named here, what those that run here declare, and what rows are of; by driver and quantity."""
        async with self._core.database.read() as tx:
            seen, rows = await list_fields(tx), await list_mappings(tx)
        found = {(one.driver, one.quantity, one.channel): one for one in self._declared()}
        found |= {(one.driver, one.quantity, one.channel): self._seen(one) for one in seen}
        stored = {(one.row.driver, one.row.quantity, one.row.channel): one for one in rows}
        mapping = ModelMapping(one.row for one in rows)
        for key, name in found.items():
            row = None if name.is_bytes else mapping.find_row(*key)
            if row is not None:
                told = stored[row.driver, row.quantity, row.channel]
                found[key] = replace(name, state=FieldState.MAPPED, row=told)
        used = {(one.row.row.driver, one.row.row.quantity, one.row.row.channel) for one in found.values() if one.row}
        for key in stored.keys() - used:
            found[key] = KnownName(*key, "", None, FieldState.MAPPED, stored[key])
        return [found[key] for key in sorted(found)]

    async def find(self, driver: str, quantity: str, channel: int) -> MappingRow | None:
        """The row of just that place."""
        async with self._core.database.read() as tx:
            return _find(await list_mappings(tx), driver, quantity, channel)

    async def put(self, draft: RowDraft, actor: str) -> MappingRow:
        """Let a row stand from now on, for old values too; raise InputError naming the field and the rule."""
        async with self._core.database.write() as tx:
            row = await self._read(tx, draft)
            was = _find(await list_mappings(tx), row.driver, row.quantity, row.channel)
            if was == row:
                return row
            await put_mapping(tx, row)
            tx.on_commit(self._model.forget)
            await self._core.announce(
                tx,
                actor,
                "mapping_put",
                driver=row.driver,
                quantity=row.quantity,
                channel=_place(row.channel),
                was=_words(was),
                now=_words(row),
            )
        return row

    async def drop(self, driver: str, quantity: str, channel: int | None, actor: str) -> None:
        """Let a row stand no more: its quantity goes by its own name again. Raise NotFoundError."""
        place = ANY if channel is None else channel
        async with self._core.database.write() as tx:
            was = _find(await list_mappings(tx), driver, quantity, place)
            if was is None:
                raise NotFoundError("there is no such row of the mapping", "mapping_row_unknown")
            await drop_mapping(tx, driver, quantity, place)
            tx.on_commit(self._model.forget)
            await self._core.announce(
                tx,
                actor,
                "mapping_dropped",
                driver=driver,
                quantity=quantity,
                channel=_place(place),
                was=_words(was),
            )

    async def preview(self, draft: RowDraft) -> Preview:
        """What a row would make of the latest reading; nothing is changed. Raise InputError as `put` does."""
        async with self._core.database.read() as tx:
            row = await self._read(tx, draft)
            read = await self._latest(tx, row)
        return Preview(row, read, None if read is None else told_by(row, read))

    async def _read(self, tx: ReadTx, draft: RowDraft) -> MappingRow:
        known = await self._known(tx, draft.driver, draft.quantity)
        found = read_row(draft, known, self._releases.records(Catalog.PARAMETERS))
        if isinstance(found, MappingFault):
            raise _refused(found)
        return found

    async def _known(self, tx: ReadTx, driver: str, quantity: str) -> KnownField:
        seen = await list_fields(tx, driver)
        is_here = bool(seen) or self._drivers.registry.find(driver) is not None
        is_driver = is_here or any(one.driver == driver for one in await list_drivers(tx))
        units: dict[int, set[str]] = {}
        said = [(one.quantity, one.channel, one.unit) for one in seen if one.channel != BYTES]
        declared = [(one.quantity, one.channel, one.unit) for one in self._declared() if one.driver == driver]
        for _, channel, unit in (one for one in said + declared if one[0] == quantity):
            units.setdefault(channel, set()).add(unit)
        return KnownField(is_driver, units, is_bytes=any(one.quantity == quantity for one in seen))

    async def _latest(self, tx: ReadTx, row: MappingRow) -> StoredReading | None:
        """The latest reading of a row's quantity, of the devices in whose frames it was seen first."""
        hashes = await self._model.hashes(tx, [row.driver])
        part = Part(only=Spoken(tuple(hashes.get(row.driver, ()))))
        found: list[StoredReading] = []
        for seen in await list_fields(tx, row.driver):
            if seen.quantity == row.quantity and row.channel in (ANY, seen.channel) and seen.channel != BYTES:
                found += await self._last_values(tx, seen, part)
        return max(found, key=lambda reading: reading.effective_us, default=None)

    async def _last_values(self, tx: ReadTx, seen: SeenField, part: Part) -> list[StoredReading]:
        """The last value in each store and tariff of the device that the frame is of."""
        frame = next(iter(await list_frames(tx, before=seen.frame_id + 1, limit=1)), None)
        device = await find_device(tx, frame.dev_eui) if frame and frame.dev_eui else None
        if device is None:
            return []
        named = (seen.quantity, seen.channel)
        series = [one for one in await list_series(tx, device.subject) if (one.quantity, one.channel) == named]
        values = [await find_last(tx, device.subject, one, END_US, None, part) for one in series]
        return [value for value in values if value is not None]

    def _declared(self) -> Iterable[KnownName]:
        for item in reversed(self._drivers.installed):
            text = item.driver.descriptor
            for one in text.fields:
                yield KnownName(text.id, one.quantity, one.channel, one.unit, None, self._state(one.quantity))

    def _seen(self, one: SeenField) -> KnownName:
        state = FieldState.UNMAPPED if one.channel == BYTES else self._state(one.quantity)
        return KnownName(one.driver, one.quantity, one.channel, one.unit, one, state)

    def _state(self, quantity: str) -> FieldState:
        is_code = quantity in self._releases.records(Catalog.PARAMETERS)
        return FieldState.NAME if is_code else FieldState.UNMAPPED


def _refused(fault: MappingFault) -> InputError:
    why = {language: fault.text(language) for language in ("ru", "en")}
    finding = {
        "place": "path" if fault.field in PATH else "body",
        "pointer": f"/{fault.field}",
        "rule": fault.rule.value,
        **{language: {"what": text, "advice": ADVICE[language]} for language, text in why.items()},
    }
    return InputError(f"{fault.field}: {why['en']}", "mapping_refused", field=fault.field, why=why, findings=[finding])


def _find(rows: Iterable[StoredRow], driver: str, quantity: str, channel: int) -> MappingRow | None:
    key = (driver, quantity, channel)
    return next((one.row for one in rows if (one.row.driver, one.row.quantity, one.row.channel) == key), None)


def _place(channel: int) -> int | None:
    """A channel as the journal has it: nothing where it is every one."""
    return None if channel == ANY else channel


def _words(row: MappingRow | None) -> str:
    """A row in one line of the journal."""
    if row is None:
        return ""
    scale = "" if row.scale == 1 else f" × {format(row.scale, 'f')}"
    return f"{row.code} [{row.unit}]{scale}{f' {row.obis}' if row.obis else ''}"
