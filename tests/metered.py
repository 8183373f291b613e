"""A unit with meters of several makers and media, whose frames came over the air and were read by their drivers."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import ClientSession

from drivers.vega.betar import BetarData
from drivers.vega.betar import encode_data as encode_betar
from drivers.vega.spbzip import SpbzipInfo, encode_info
from drivers.wmbus.link import SND_NR, Address, encode_link
from lora.identifiers import Eui
from lora.registration import Registration
from node.passport import drafts
from node.passport.bodies import AliasBody
from node.passport.ids import parse_device_id
from node.services.parts import Parts
from node.services.radio_records import Progress, show_progress
from node.store.radio import DeviceState, FrameState, StoredDevice, StoredFrame, insert_frame, put_device
from node.store.readings import moment_of
from tests import wireless
from tests.catalog_records import TYPE
from tests.unit.web.running import NOW, post

Json = Any  # Any: JSON
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
SINCE = "2026-05-01"
GAS_TYPE = {
    **TYPE, "code": "t:gas", "grsi": "77778-26", "type_ru": "Счётчик газа", "type_en": "Gas meter",
    "model": "СГБМ-1,6", "executions": ["СГБМ-1,6"], "resources": ["gas"], "params": {}, "execution_params": {},
}  # fmt: skip
# A heat meter on wireless M-Bus: 1163 kW·h, which are one Gcal, and a temperature under a name of its own.
HEAT = Address(bytes.fromhex("2d2c785634121b04"))
HEAT_NAME = "KAM-12345678"
HEAT_KEY = wireless.KEY


@dataclass
class Metered:
    """A house with a unit in it, and the ids of its meters by what they are."""

    context: Parts
    client: ClientSession
    house: str
    unit: str
    ids: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    async def add(self, name: str, plate: dict[str, str], kind: str = "", position: str = "") -> str:
        """A meter of that plate and type that stands in the unit."""
        made = str((await post(self.client, "/plates", {"year": "2025", **plate}))["id"])
        if kind:
            await post(self.client, f"/passports/{made}/type", {"type": kind})
        rows = [{"id": made, "position": position or None}]
        await post(self.client, f"/passports/{self.unit}/parts", {"parts": rows, "since": SINCE})
        self.ids[name] = made
        return made

    async def serve(self, device: str, dev_eui: bytes, driver: str, version: str = "1.0.0") -> None:
        """Let a device be in service of this network, read by a driver."""
        subject = parse_device_id(device).raw
        alias = AliasBody(scheme="dev_eui", value=dev_eui.hex(), evidence="label")
        await self.context.ledger.append([drafts.alias(subject, alias, NOW)])
        profile: dict[str, object] = {"driver": driver, "driver_version": version, "ports": []}
        progress = show_progress(Progress(Registration(Eui(dev_eui)), session=1, passed=1, said=True))
        async with self.context.core.database.write() as tx:
            await put_device(tx, StoredDevice(dev_eui, subject, profile, b"", DeviceState.REGISTERED, progress))

    async def hear(self, dev_eui: bytes, port: int, payload: bytes, at_us: int = NOW) -> None:
        """A device in service sends bytes."""
        self.sent += 1
        phy = self.sent.to_bytes(20, "big")
        frame = StoredFrame(at_us, "uplink", phy, FrameState.UNRESOLVED, dev_eui, 1, port, self.sent, payload)
        (decoding,) = await self.context.commissioning.decode([frame])
        async with self.context.core.database.write() as tx:
            stored = replace(frame, id=await insert_frame(tx, frame))
            await self.context.commissioning.heard(tx, stored, decoding)


async def metered(context: Parts, client: ClientSession) -> Metered:
    """Water, electricity, gas and heat of four makers, each heard; a silent one, and what stands outside."""
    await post(client, "/federation", {"name": "Демо"}, 201)
    await post(client, "/attestations", {"org": context.core.org.hex(), "what": "maker", "rows": []}, 201)
    await post(client, "/types", {"record": GAS_TYPE}, 201)
    house = str((await post(client, "/things", {"kind": "object", "name": "Дом 1", "address": "ул. Мира, 1"}))["id"])
    unit = str((await post(client, "/things", {"kind": "unit", "name": "Узел ввода"}))["id"])
    await post(client, f"/passports/{house}/parts", {"parts": [{"id": unit}], "since": SINCE})
    here = Metered(context, client, house, unit)
    await _add_water(here)
    await _add_electricity(here)
    await _add_gas(here)
    await _add_heat(here)
    await here.add("silent", {"mark": "Норма", "designation": "СВК-15", "serial": "00770011"}, "t:cw")
    return here


async def _add_water(here: Metered) -> None:
    eui = bytes.fromhex("70b3d58ff1010001")
    device = await here.add("water", {"mark": "Бетар", "designation": "ВС-15Д", "serial": "00012345"}, "t:cw", "ХВС")
    await here.serve(device, eui, "betar-vega")
    for day in range(20, -1, -1):
        at = moment_of(NOW - day * DAY_US)
        await here.hear(
            eui, 2, encode_betar(BetarData(98, 18, at, Decimal("12.5") - Decimal(day) / 8)), NOW - day * DAY_US
        )


async def _add_electricity(here: Metered) -> None:
    eui = bytes.fromhex("70b3d58ff1010002")
    device = await here.add(
        "electricity", {"mark": "СПбЗИП", "designation": "ЦЭ2726А", "serial": "1591497"}, "t:el", "Э1"
    )
    await here.serve(device, eui, "spbzip-ce272x")
    for day in range(20, -1, -1):
        at = NOW - day * DAY_US
        frame = SpbzipInfo(1_591_497, moment_of(at), date(2019, 10, 4), Decimal("1.2"), 120_340 - 4_000 * day, 21)
        await here.hear(eui, 2, encode_info(frame), at)


async def _add_gas(here: Metered) -> None:
    eui = bytes.fromhex("70b3d58ff1010003")
    device = await here.add("gas", {"mark": "Газдевайс", "designation": "СГБМ-1,6", "serial": "0300456"}, "t:gas", "Г1")
    await here.serve(device, eui, "betar-sgbm")
    seconds = int(moment_of(NOW).timestamp())
    await here.hear(eui, 2, b"\x01\x5f" + seconds.to_bytes(4, "little") + b"\xec\x40\xe2\x01\x00\x02")


async def _add_heat(here: Metered) -> None:
    eui = bytes.fromhex("70b3d58ff1010004")
    bridge = str((await post(here.client, "/plates", {"designation": "Lobaro", "serial": "0000001"}))["id"])
    device = await here.add("heat", {"mark": "Карат", "designation": "КТ-213Д", "serial": "12345678"}, "t:ht", "Q1")
    await post(here.client, f"/passports/{device}/wmbus", {"meter": HEAT_NAME, "key": bytes(range(16)).hex()}, 201)
    await here.serve(bridge, eui, "lobaro-wmbus-bridge")
    await here.hear(eui, 11, heat_telegram())


def heat_telegram() -> bytes:
    """What the heat meter sends: energy, flow temperature, and bytes of its maker's own."""
    body = wireless.filled(bytes.fromhex("04068b0400000a5a43060f010203"))
    header = wireless.short_header(HEAT_KEY.encrypt_cbc(HEAT.raw + bytes([42]) * 8, body), 5, len(body) // 16)
    return encode_link(SND_NR, HEAT, header)
