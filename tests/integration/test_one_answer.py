"""What modules share: one clock, one identity and one catalog behind the API, the console and the drivers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from drivers.vega.betar import DESCRIPTOR, BetarData, encode_data
from lora.device import VirtualDevice
from lora.gateway.udp import PullResp, decode_datagram
from node.passport import drafts
from node.passport.bodies import RadioBody, RootKeysBody
from node.passport.ids import parse_device_id
from tests.unit.lora.builders import DEV_EUI, GATEWAYS, JOIN_EUI, ROOT_KEY, heard_of, make_meter
from tests.unit.lora.live import DEADLINE_S, Wire, wires
from tests.unit.node_protocols.builders import ended
from tests.unit.web.running import RunningWeb, get, post, running_web

Json = Any  # Any: JSON
HTML = {"Accept": "text/html"}
SERIES = "/api/v1/passports/{}/series"
STEP_S, VOLUME = 0.05, "12.3456"


@pytest.fixture
async def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningWeb]:
    """A node that runs a LoRa network, whose time is nobody else's."""
    monkeypatch.setenv("PASSPORT_RADIO__ENABLED", "true")
    monkeypatch.setenv("PASSPORT_RADIO__PORT", "0")
    async with running_web(tmp_path) as running, AsyncExitStack() as stack:
        context = running.context
        for part in (context.ledger, context.projection, context.releases, context.radio):
            await part.open()
        for work in (context.ledger.run, context.commissioning.run, context.radio.run):
            stack.push_async_callback(ended, asyncio.create_task(work()))
        stack.push_async_callback(ended, asyncio.create_task(passing(running)))
        yield running


async def device(web: RunningWeb) -> str:
    """A meter whose passport says how it joins, put on the air through the API."""
    body = {"designation": "ВС-15", "serial": "0012345"}
    found = str((await post(web.local(), "/plates", body))["id"])
    told = RadioBody(dev_eui=DEV_EUI.raw.hex(), join_eui=JOIN_EUI.raw.hex(), ports=(2,), driver=DESCRIPTOR.id)
    key = RootKeysBody(app_key=ROOT_KEY.reveal().hex())
    await web.context.ledger.append([drafts.radio(parse_device_id(found).raw, told, key, web.clock.now())])
    async with web.local().put(f"/api/v1/radio/gateways/{GATEWAYS[0].raw.hex()}", json={"name": "крыша"}) as response:
        assert response.status == 204
    await post(web.local(), f"/passports/{found}/commissioning", None)
    return found


async def join(wire: Wire) -> VirtualDevice:
    """The meter asks over UDP, and is let in."""
    meter = make_meter()
    await wire.open()
    wire.send(wire.gateway.push(heard_of(meter.join()), 0))
    while not isinstance(order := decode_datagram(await wire.receive()), PullResp):
        pass  # what acknowledges the push
    meter.receive(order.transmission.payload)
    return meter


async def passing(web: RunningWeb) -> None:
    """The node's time passes."""
    while True:
        web.clock.move(STEP_S)
        await asyncio.sleep(STEP_S)


async def until(condition: Callable[[], Awaitable[Json]]) -> Json:
    """Ask until the answer is true; fail at the deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := await condition()):
            pass
        return found


async def page(web: RunningWeb, path: str, language: str = "ru") -> str:
    """A page of the console."""
    async with web.local().get(path, headers={**HTML, "Accept-Language": language}) as response:
        assert response.status == 200, await response.text()
        return await response.text()


async def rename(web: RunningWeb, **changes: Json) -> None:
    """A release of the catalog of parameters in which the volume is another, adopted."""
    raw = (resources.files("node.passport") / "data" / "catalog_parameters.json").read_text(encoding="utf-8")
    volume = next(record for record in json.loads(raw) if record["code"] == "volume")
    org = (await get(web.local(), "/node"))["org"]
    await post(web.local(), "/federation", {"name": "Демо"})
    await post(web.local(), "/attestations", {"org": org, "what": "steward", "rows": ["parameters"]})
    body = {"number": 1, "label": "2026-1", "date": "2026-01-01", "records": [{**volume, **changes}]}
    await post(web.local(), "/catalogs/parameters/releases", body)
    await post(web.local(), "/catalogs/parameters/adoption", {"release": "1"})


@pytest.mark.req("A19")
async def test_clock_identity_and_catalog_answer_alike_through_api_console_and_driver(web: RunningWeb) -> None:
    """What a driver reads is of the passport that API and page show, named and judged by one catalog, at one time."""
    meter_id = await device(web)
    assert web.context.radio.address is not None
    async with wires(web.context.radio.address) as (wire,):
        meter = await join(wire)
        await rename(web, ru="Объём по счётчику", en="Volume by meter", max=10)
        began = web.clock.now()
        told = datetime.fromtimestamp(began / 1e6, UTC).replace(microsecond=0)
        wire.send(wire.gateway.push(heard_of(meter.send(2, encode_data(BetarData(98, 20, told, Decimal(VOLUME))))), 0))
        readings = await until(lambda: _volumes(web, meter_id))
        event = {"what": "installed", "where": "Садовая, 1", "when": _moment(web.clock.now())}
        await post(web.local(), f"/passports/{meter_id}/events", event)
        now = web.clock.now()

    # Identity: who sent the frame is what the serial, the DevEUI and the page mean.
    for text in ("0012345", DEV_EUI.raw.hex()):
        assert [row["id"] for row in (await get(web.local(), "/lookup", q=text))["items"]] == [meter_id]
    (registered,) = (await get(web.local(), "/radio/devices"))["items"]
    assert (registered["id"], registered["state"]) == (meter_id, "registered")
    assert "0012345" in await page(web, f"/devices/{meter_id}")
    # Catalog: the adopted release names and judges what the driver read.
    records = {
        row["central"]: row for row in (await get(web.local(), "/catalogs/parameters/records", limit="200"))["items"]
    }
    for language, name in (("ru", "Объём по счётчику"), ("en", "Volume by meter")):
        assert records["volume"][language] == name
        assert name in await page(web, f"/devices/{meter_id}", language)
        async with web.local().get(SERIES.format(meter_id), headers={"Accept-Language": language}) as response:
            assert name in {row["title"] for row in (await response.json())["items"]}
    assert (readings[0]["value"], readings[0]["reasons"]) == (VOLUME, ["above-range"])
    assert {field.quantity for field in DESCRIPTOR.fields} <= records.keys()
    # Time: frame, reading, event and journal are of one clock, in the order in which they happened, wherever read.
    frame = (await get(web.local(), "/radio/frames"))["items"][0]
    said = (await get(web.local(), f"/passports/{meter_id}"))["view"]["events"][-1]
    assert readings[0]["received_us"] == frame["received_us"]
    assert began < frame["received_us"] < said["recorded"] < now
    assert _shown(frame["received_us"]) in await page(web, "/radio")
    rows = (await get(web.local(), "/journal", limit="100"))["items"]
    written = next(row for row in rows if row["what"] == "event_recorded")
    at = datetime.fromisoformat(written["at"])
    assert said["recorded"] < at.timestamp() * 1e6 < now
    assert at.isoformat(timespec="milliseconds") in await page(web, "/journal")


async def _volumes(web: RunningWeb, meter_id: str) -> Json:
    return (await get(web.local(), f"/passports/{meter_id}/readings", quantity="volume"))["items"]


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _shown(at_us: int) -> str:
    """A time as the console's pages write it for the browser."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds")
