"""The meters of a whole side by side: what each is, which driver reads it, and its registers in units that all share.

A meter is a device that stands inside now, and whatever else there something was read of. A register is told as the
mapping tells it, in the unit that the catalog has for its code; what has no code, or no way to that unit, is told in
its own.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from drivers.errors import DriverChoiceError, UnitError
from drivers.registry import DeviceTraits, Installed, Registry
from drivers.units import find_conversion
from node.errors import NotFoundError
from node.passport.catalogs import Catalog, DeviceType, Record
from node.passport.ids import SubjectId
from node.passport.shown import fact, rows, text
from node.services.bridges import SCHEME, driver_behind
from node.services.core import Core
from node.services.decoding import Decoder
from node.services.drivers import Drivers
from node.services.inside import Inside, read_inside
from node.services.model import Model
from node.services.provisioning import traits_of
from node.services.readings import thinned
from node.services.releases import Releases
from node.services.sources import Sources, last_of, points_of
from node.store.database import ReadTx
from node.store.radio import DeviceState, StoredDevice, StoredFrame, last_frames, list_devices, read_frames
from node.store.readings import OK, Point, Series, StoredReading, list_series

__all__ = ["Meter", "Meters", "MetersPage", "Place", "Register"]

DEVICE, CURRENT = "device", "current"
MEDIA = ("heat", "hot_water", "cold_water", "electricity", "gas")  # in the order in which they are shown
AHEAD_US = 366 * 86_400_000_000  # how far a meter's clock may be ahead
MONTH_US = 31 * 86_400_000_000
MOST_READ, MOST_DRAWN = 3_000, 120  # values of one plot

Records = Mapping[str, Record]
Types = Mapping[str, DeviceType]
Place = tuple[int, str, str, str]  # rank of the medium, medium, title, subject in hex


@dataclass(frozen=True, slots=True)
class Register:
    """The last believed value of a series, or its last where none is; `latest` is its last one, believed or not.

    `is_common` where it is told in the unit that the catalog has for its code.
    """

    reading: StoredReading
    latest: StoredReading
    is_common: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter, where it stands, and what is known of it.

    `driver` read the last value, else it would read the device; empty where none does. `frame` is the last that its own
    radio sent. `others` are registers without a code of the catalog, `bytes_left` what no document explains in the
    frame of the last value. `points` are of the last month of `drawn`.
    """

    subject: bytes
    title: str
    kind: str
    maker: str
    type: Mapping[str, str]
    model: str
    serial: str
    media: tuple[str, ...]
    path: tuple[bytes, ...]
    position: str
    traits: DeviceTraits
    is_behind_bridge: bool
    driver: str = ""
    heard_us: int | None = None
    latest: StoredReading | None = None
    frame: StoredFrame | None = None
    registers: tuple[Register, ...] = ()
    others: tuple[Register, ...] = ()
    bytes_left: Mapping[str, str] = field(default_factory=dict)
    drawn: StoredReading | None = None
    points: Sequence[Point] = ()

    @property
    def medium(self) -> str:
        """What it measures first; empty where nobody says."""
        return self.media[0] if self.media else ""

    @property
    def why(self) -> str | None:
        """Why the last frame of its own radio was not read."""
        return str(self.frame.detail["why"]) if self.frame and "why" in self.frame.detail else None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        known = MEDIA.index(self.medium) if self.medium in MEDIA else len(MEDIA) + (not self.medium)
        return known, self.medium, self.title, self.subject.hex()


@dataclass(frozen=True, slots=True)
class MetersPage:
    """Meters by medium and title, how many there are of each medium, and the place after which there are more.

    `is_cut` where more stands inside than was looked at.
    """

    items: Sequence[Meter]
    counts: Mapping[str, int]
    more: Place | None
    is_cut: bool


class Meters:
    """Reads the meters of a whole in one snapshot."""

    def __init__(self, core: Core, releases: Releases, model: Model, decoder: Decoder, drivers: Drivers) -> None:
        self._core = core
        self._releases = releases
        self._model = model
        self._decoder = decoder
        self._drivers = drivers

    async def inside(
        self, whole: bytes, on: str, after: Place | None = None, limit: int = 50, *, draws: bool = False
    ) -> MetersPage:
        """So many meters that stood in a whole at the end of a day, after a place; raise NotFoundError.

        With `draws` each has the points of its first register.
        """
        mapping, names = await self._model.mapping(), await self._drivers.names()
        records, types = self._releases.records(Catalog.PARAMETERS), self._releases.types()

        async def look(tx: ReadTx) -> MetersPage | None:
            sources = await self._model.sources(tx, mapping)
            things, is_cut = await read_inside(tx, whole, on, lambda thing: _meter(thing, types))
            if not things:
                return None
            found = [(thing, sources.told(await list_series(tx, thing.subject))) for thing in things]
            meters = [(_with_media(one, told, records), told) for one, told in found if one.kind == DEVICE or told]
            meters.sort(key=lambda item: item[0].place)
            due = [item for item in meters if after is None or item[0].place > after]
            reader = _Reader(tx, sources, records)
            items = [await reader.read(one, told, draws=draws) for one, told in due[:limit]]
            more = items[-1].place if len(due) > limit else None
            counts = Counter(one.medium for one, _ in meters)
            return MetersPage(await self._heard(tx, items, names), counts, more, is_cut)

        page = await self._core.database.glance(look)
        if page is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        return page

    async def _heard(self, tx: ReadTx, meters: Sequence[Meter], names: Mapping[bytes, str]) -> list[Meter]:
        """The same with their drivers, and when and how they were heard."""
        serving = [
            one
            for one in await list_devices(tx, subjects=[meter.subject for meter in meters])
            if one.state is not DeviceState.RETIRED
        ]
        devices = {device.subject: device for device in serving}
        last = await last_frames(tx, [device.dev_eui for device in serving])
        read = await read_frames(tx, [meter.latest.frame_id for meter in meters if meter.latest is not None])
        found = []
        for meter in meters:
            device, latest = devices.get(meter.subject), meter.latest
            frame = last.get(device.dev_eui) if device else None
            times = [one.received_us for one in (frame, latest) if one is not None]
            driver = (names.get(latest.driver_hash) or latest.driver_hash.hex()[:12]) if latest else None
            left = read[latest.frame_id].detail.get("unmapped") if latest and latest.frame_id in read else None
            found.append(
                replace(
                    meter,
                    driver=driver or self._driver(meter, device),
                    heard_us=max(times, default=None),
                    frame=frame,
                    bytes_left=left if isinstance(left, dict) else {},
                )
            )
        return found

    def _driver(self, meter: Meter, device: StoredDevice | None) -> str:
        """The driver that would read a meter of which nothing was read yet."""
        registry = self._decoder.registry
        if device is not None:
            found = self._decoder.driver_of(device)
        elif meter.is_behind_bridge:
            found = driver_behind(registry, meter.traits)
        else:
            found = _chosen(registry, meter.traits)
        return found.name if found else ""


class _Reader:
    """Reads the registers of meters."""

    def __init__(self, tx: ReadTx, sources: Sources, records: Records) -> None:
        self._tx = tx
        self._sources = sources
        self._records = records
        self._order = {code: at for at, code in enumerate(records)}

    async def read(self, meter: Meter, told: Iterable[Series], *, draws: bool) -> Meter:
        """The meter with its registers, current ones first."""
        found = [one for series in told if (one := await self._register(meter.subject, series)) is not None]
        found.sort(key=lambda one: self._rank(one.reading.series))
        registers = tuple(one for one in found if one.reading.series.quantity in self._records)
        drawn = next((one.reading for one in registers if one.is_common and _is_total(one.reading.series)), None)
        return replace(
            meter,
            latest=max((one.latest for one in found), key=lambda reading: reading.effective_us, default=None),
            registers=registers,
            others=tuple(one for one in found if one.reading.series.quantity not in self._records),
            drawn=drawn,
            points=await self._points(meter.subject, drawn) if draws and drawn else (),
        )

    async def _register(self, subject: bytes, series: Series) -> Register | None:
        far = self._tx.now + AHEAD_US
        last = await last_of(self._tx, self._sources, subject, series, far)
        if last is None:
            return None
        believed = last if last.status == OK else await last_of(self._tx, self._sources, subject, series, far, OK)
        unit = self._records.get(series.quantity, {}).get("unit")
        return _in_common(believed or last, last, unit if isinstance(unit, str) else None)

    async def _points(self, subject: bytes, last: StoredReading) -> list[Point]:
        until = last.effective_us + 1
        points = await points_of(
            self._tx, self._sources, subject, last.series, until - MONTH_US, until, last.unit, limit=MOST_READ
        )
        return thinned([point for point in points if point.unit == last.unit], MOST_DRAWN)

    def _rank(self, series: Series) -> tuple[bool, int, str, int, int, str]:
        at = self._order.get(series.quantity, len(self._order))
        return (series.storage != CURRENT, at, series.quantity, series.tariff, series.channel, series.storage)


def _meter(thing: Inside, types: Types) -> Meter:
    view = thing.view
    kind = types.get(text(view, "type", "central"))
    return Meter(
        subject=thing.subject,
        title=text(view, "title") or str(SubjectId(thing.subject)),
        kind=text(view, "kind"),
        maker=text(view, "parties", "manufacturer", "name") or fact(view, "identity", "mark"),
        type={name: text(view, "type", name) for name in ("central", "local", "name")},
        model=text(view, "type", "model") or fact(view, "identity", "designation"),
        serial=fact(view, "identity", "serial"),
        media=kind.resources if kind else (),
        path=thing.path,
        position=thing.position,
        traits=traits_of(view),
        is_behind_bridge=any(row["scheme"] == SCHEME for row in rows(view, "aliases")),
    )


def _with_media(meter: Meter, told: Collection[Series], records: Records) -> Meter:
    """A meter whose type does not say what it measures, by what is read of it: a code that one medium alone has."""
    if meter.media:
        return meter
    known = [records.get(one.quantity, {}).get("obis") for one in told]
    sole = {str(next(iter(codes))) for codes in known if isinstance(codes, Mapping) and len(codes) == 1}
    return replace(meter, media=tuple(sole)) if len(sole) == 1 else meter


def _in_common(reading: StoredReading, latest: StoredReading, unit: str | None) -> Register:
    if unit is None:
        return Register(reading, latest, is_common=False)
    try:
        way = find_conversion(reading.unit, unit)
    except UnitError:
        return Register(reading, latest, is_common=False)
    return Register(replace(reading, value=way.apply(reading.value), unit=unit), latest, is_common=True)


def _is_total(series: Series) -> bool:
    return series.storage == CURRENT and not series.tariff


def _chosen(registry: Registry, traits: DeviceTraits) -> Installed | None:
    try:
        return registry.choose(traits)
    except DriverChoiceError:
        return None
