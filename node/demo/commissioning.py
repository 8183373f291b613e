"""Step 5: with the maker's node stopped, the utility puts shipped meters on the air and reads them.

Four virtual meters in processes of their own, behind virtual gateways: a water meter that two gateways hear, an
electricity meter that one hears, a neighbour that was flashed with another's DevEUI and AppKey, and one that has
another's DevEUI alone. They listen in their real receive windows.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from drivers.vega.betar import BetarData, encode_data
from drivers.vega.spbzip import SpbzipInfo, encode_info
from node.demo.files import PRODUCTS
from node.demo.meters import AirGateway, Event, MeterProcess
from node.demo.sheet import require
from node.exchange.tables import read_table

if TYPE_CHECKING:
    from node.demo.stage import Stage

Json = Any  # Any: what the API answers
OWNER = "utility"
DELAY_MS = 150
WATER, ENERGY = PRODUCTS[0].designation, PRODUCTS[1].designation
DATA_PORT = 2
REPLAY_AFTER_S = 10.0
VOLUME_M3 = Decimal("12.3456")
ENERGY_WH = 120_340
NO_KEY = "00" * 16
# What each kind of meter is compared in with what its passport says.
WATER_FIELDS = frozenset({"dev_eui", "join_eui", "region", "port", "payload", "clock", "temperature", "volume"})
ENERGY_FIELDS = frozenset({"dev_eui", "join_eui", "region", "port", "payload", "clock", "serial", "made", "firmware"})


@dataclass(frozen=True, slots=True)
class ShippedMeter:
    """A meter as it lies on the table: its row of the maker's file, and its device id."""

    row: dict[str, str]
    id: str
    number: int

    @property
    def dev_eui(self) -> str:
        """As the API writes it."""
        return self.row["DevEUI"].lower()

    @property
    def gateways(self) -> tuple[AirGateway, AirGateway]:
        """Two that hear it, the better one later."""
        euis = [f"02c0de00{self.number:06x}{place:02x}" for place in (1, 2)]
        return AirGateway(euis[0], snr_db=2.0), AirGateway(euis[1], delay_ms=DELAY_MS, snr_db=8.0)

    def process(self, server: tuple[str, int], key: str | None = None, heard_by: int = 2) -> MeterProcess:
        """The meter in a process of its own, heard by so many gateways; with its key, or with another."""
        device: dict[str, object] = {
            "dev_eui": self.dev_eui,
            "join_eui": self.row["JoinEUI"].lower(),
            "app_key": (key or self.row["AppKey"]).lower(),
            "region": "RU864",
        }
        return MeterProcess(server, device, self.gateways[:heard_by])


@dataclass(frozen=True, slots=True)
class OnAir:
    """What the step leaves for whoever asserts it."""

    water: ShippedMeter
    energy: ShippedMeter
    copied: ShippedMeter
    named: ShippedMeter
    acknowledged: Event


async def commission_and_read(stage: "Stage") -> OnAir:
    """Play the step; raise StepError where it does not come out as it must."""
    meters = await _shipped(stage)
    water, named = meters[WATER][:2]
    energy, copied, neighbour = meters[ENERGY][:3]
    stage.nodes["maker"].stop()
    with stage.sheets.act("IT", "page LoRa network → Allow: each gateway") as line:
        gateways = [gateway for meter in (water, energy, copied, named) for gateway in meter.gateways]
        for number, gateway in enumerate(gateways, 1):
            await stage.put(OWNER, f"/radio/gateways/{gateway.eui}", {"name": f"Шлюз {number}"})
        line.shown = f"{len(gateways)} gateways may speak"
    sought = (water.id, water.row["Заводской номер"], water.row["DevEUI"])
    with stage.sheets.act(OWNER, f"page Devices → Find: {', '.join(sought)}") as line:
        for text in sought:
            found = (await stage.get(OWNER, "/lookup", q=text))["items"]
            require([item["id"] for item in found] == [water.id], f"{text} leads to one passport, got {found}")
        line.shown = "one passport, the maker's node is stopped"
    with stage.sheets.act(OWNER, "page Passport → Put on the air: four meters, nothing typed") as line:
        for meter in (water, energy, copied, named):
            first = await stage.post(OWNER, f"/passports/{meter.id}/commissioning")
            again = await stage.post(OWNER, f"/passports/{meter.id}/commissioning")
            require(first == again and first["dev_eui"] == meter.dev_eui, "a second attempt changes nothing")
        line.shown = f"four profiles from the passports, as {', '.join(map(str, first['profile'].values()))}"
    server = _server(stage)
    _, acknowledged, *_ = await _together(
        _read_water(stage, water, server),
        _read_energy(stage, energy, server),
        _stop_copied(stage, copied, neighbour, server),
        _refuse_named(stage, named, server),
    )
    await asyncio.to_thread(stage.nodes["maker"].start)
    return OnAir(water, energy, copied, named, acknowledged)


async def _together(*parts: Coroutine[Any, Any, Any]) -> list[Any]:  # Any: what each part answers
    """What the parts answer; however it ends, each of them has ended its meter before."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            if not task.cancelling():
                task.cancel()
        await asyncio.wait(tasks)


async def _read_water(stage: "Stage", meter: ShippedMeter, server: tuple[str, int]) -> None:
    """One reading of two receptions, and a replay ten seconds later."""
    process = meter.process(server)
    try:
        with stage.sheets.act("fitter", f"magnet to {meter.row['Заводской номер']}") as line:
            await _join(process)
            sent = await asyncio.to_thread(process.send, DATA_PORT, _water(VOLUME_M3))
            await stage.until("the water meter is registered", lambda: _is(stage, meter, "registered"))
            line.shown = await _compared(stage, meter, WATER_FIELDS)
        with stage.sheets.act(OWNER, "page Passport") as line:
            values = await _values(stage, meter, "volume")
            require(values == [f"{VOLUME_M3} m3"], f"one reading, got {values}")
            await stage.until("one frame of two receptions", lambda: _heard_by_both(stage, meter, str(sent["phy"])))
            line.shown = f"{values[0]}, heard by two gateways"
        await asyncio.sleep(REPLAY_AFTER_S)
        await asyncio.to_thread(process.replay)
        await stage.until("the replay is refused", lambda: _refused(stage, meter, "replay"))
        require(len(await _values(stage, meter, "volume")) == 1, "a replay is no reading")
    finally:
        await asyncio.to_thread(process.stop)


async def _read_energy(stage: "Stage", meter: ShippedMeter, server: tuple[str, int]) -> Event:
    """The info frame agrees with the passport; one gateway heard it, and its acknowledgement is in the window."""
    process = meter.process(server, heard_by=1)
    try:
        with stage.sheets.act("fitter", f"magnet to {meter.row['Заводской номер']}") as line:
            await _join(process)
            payload = _energy(meter.row, ENERGY_WH).hex()
            await asyncio.to_thread(process.tell, do="send", port=DATA_PORT, hex=payload, confirmed=True)
            answer = await asyncio.to_thread(process.wait, "downlink", "missed")
            require(answer["event"] == "downlink" and answer["ack"], f"acknowledged in its window: {answer}")
            await stage.until("the electricity meter is registered", lambda: _is(stage, meter, "registered"))
            line.shown = await _compared(stage, meter, ENERGY_FIELDS)
        values = await _values(stage, meter, "energy_active_import")
        require(values == [f"{ENERGY_WH} W.h"], f"one reading, got {values}")
    finally:
        await asyncio.to_thread(process.stop)
    return answer


async def _stop_copied(stage: "Stage", meter: ShippedMeter, neighbour: ShippedMeter, server: tuple[str, int]) -> None:
    """A neighbour with the DevEUI and AppKey of another joins; its info frame stops the registration."""
    process = meter.process(server)
    try:
        with stage.sheets.act("fitter", f"magnet to a neighbour flashed as {meter.row['Заводской номер']}") as line:
            await _join(process)
            await asyncio.to_thread(process.send, DATA_PORT, _energy(neighbour.row, ENERGY_WH))
            await stage.until("the registration stops", lambda: _is(stage, meter, "stopped"))
            device = await stage.get(OWNER, f"/radio/devices/{meter.dev_eui}")
            differing = [row for row in device["rows"] if not row["equal"]]
            require([row["field"] for row in differing] == ["serial"], f"the serial differs, got {differing}")
            table = "; ".join(f"{row['field']}: {row['passport']} ≠ {row['reported']}" for row in differing)
            line.shown = f"stopped: {table}"
        frames = (await stage.get(OWNER, "/radio/frames", dev_eui=meter.dev_eui))["items"]
        states = [frame["state"] for frame in frames if frame["what"] == "uplink"]
        require(states == ["unresolved"], f"its frames are nobody's, got {states}")
    finally:
        await asyncio.to_thread(process.stop)


async def _refuse_named(stage: "Stage", meter: ShippedMeter, server: tuple[str, int]) -> None:
    """The DevEUI without the key is refused by the MIC, and shown."""
    process = meter.process(server, key=NO_KEY)
    try:
        with stage.sheets.act("fitter", f"magnet to a copy of {meter.dev_eui} without its key") as line:
            await asyncio.to_thread(process.start)
            await asyncio.to_thread(process.tell, do="join")
            await stage.until("the join is refused", lambda: _refused(stage, meter, "broken_mic"))
            line.shown = "refused: broken MIC"
    finally:
        await asyncio.to_thread(process.stop)


async def _join(process: MeterProcess) -> None:
    await asyncio.to_thread(process.start)
    answer = await asyncio.to_thread(process.join)
    require(answer["event"] == "joined", f"the meter joins, got {answer}")


async def _shipped(stage: "Stage") -> dict[str, list[ShippedMeter]]:
    """Shipped meters by designation: their labels as the maker's node knows them, their rows of the maker's files.

    The owner's node is not asked: nobody looked at these there.
    """
    tables = [read_table(raw) for raw in (stage.files.production_xlsx, stage.files.production_csv)]
    rows = [dict(zip(t.header, (cell.text for cell in row.cells), strict=True)) for t in tables for row in t.rows]
    places = {row["DevEUI"].lower(): (number, row) for number, row in enumerate(rows)}
    found: dict[str, list[ShippedMeter]] = {}
    for designation, devices in stage.unseen.items():
        for device in devices:
            view = (await stage.get("maker", f"/passports/{device}"))["view"]
            number, row = places[view["radio"]["dev_eui"]["value"]]
            found.setdefault(designation, []).append(ShippedMeter(row, device, number))
    return found


def _server(stage: "Stage") -> tuple[str, int]:
    host, _, port = str(stage.nodes[OWNER].addresses["radio"]).removeprefix("udp://").rpartition(":")
    return host, int(port)


async def _compared(stage: "Stage", meter: ShippedMeter, fields: frozenset[str]) -> str:
    """The state of a device, and what agreed with its passport; raise StepError unless these fields are among it."""
    device = await stage.get(OWNER, f"/radio/devices/{meter.dev_eui}")
    agreed = [row["field"] for row in device["rows"] if row["equal"] and row["passport"] is not None]
    require(fields <= set(agreed), f"{', '.join(sorted(fields))} agree with the passport, got {device['rows']}")
    return f"{device['state']}: {', '.join(agreed)} agree"


async def _is(stage: "Stage", meter: ShippedMeter, state: str) -> bool:
    return bool((await stage.get(OWNER, f"/radio/devices/{meter.dev_eui}"))["state"] == state)


async def _refused(stage: "Stage", meter: ShippedMeter, reason: str) -> bool:
    frames = (await stage.get(OWNER, "/radio/frames", dev_eui=meter.dev_eui))["items"]
    return any(frame["detail"].get("reason") == reason for frame in frames)


async def _values(stage: "Stage", meter: ShippedMeter, quantity: str) -> list[str]:
    answer = await stage.get(OWNER, f"/passports/{meter.id}/readings", quantity=quantity)
    return [f"{item['value']} {item['unit']}" for item in answer["items"]]


async def _heard_by_both(stage: "Stage", meter: ShippedMeter, phy: str) -> bool:
    frames = (await stage.get(OWNER, "/radio/frames", dev_eui=meter.dev_eui))["items"]
    heard = [len(frame["detail"]["receptions"]) for frame in frames if frame["phy"] == phy]
    return heard == [len(meter.gateways)]


def _water(volume_m3: Decimal) -> bytes:
    return encode_data(BetarData(98, 18, _now(), volume_m3))


def _energy(row: dict[str, str], wh: int) -> bytes:
    """What the meter of that row says of itself."""
    made = datetime.strptime(row["Дата изготовления"], "%d.%m.%Y").replace(tzinfo=UTC).date()
    return encode_info(SpbzipInfo(int(row["Заводской номер"]), _now(), made, Decimal(row["Прошивка"]), wh, 21))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
