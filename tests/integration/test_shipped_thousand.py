"""A thousand shipped meters, of which nobody looked at one, put on the air a week after their maker fell silent."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from drivers.vega.betar import BetarData, encode_data
from lora.device import DeviceJoined, VirtualDevice
from lora.errors import FrameError
from lora.gateway.virtual import SendOrdered
from lora.identifiers import parse_eui
from lora.keys import parse_key
from lora.net.simulator import GatewaySocket
from lora.net.simulator_config import GatewayConfig
from lora.region import RU864
from node.api_client import ApiClient
from node.app import Node
from node.demo.files import JOIN_EUI
from node.passport.ids import SubjectId, format_device_id
from node.services.lookup import Question
from node.store.radio import DeviceState
from tests.loops import SkewedClock, running, until
from tests.meters import DEV_EUI_AT, KEY_AT, PRODUCT, Rows, line_record, meter_rows, production_file
from tests.nodes import ALONE
from tests.secrets import search

pytestmark = pytest.mark.slow

METERS, ROOFS, PORT = 1000, 40, 2
JOINS = 10
WITHIN_S = 120.0
SOUGHT_EVERY = 40
VOLUME_M3 = Decimal("12.3456")
Json = Any  # Any: what the API answers


@pytest.fixture(autouse=True)
def radio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes with a network each, which meet no nodes of other tests."""
    for name, value in {**ALONE, "PASSPORT_RADIO__ENABLED": "true", "PASSPORT_RADIO__PORT": "0"}.items():
        monkeypatch.setenv(name, value)


class Roof:
    """A virtual gateway with the meters that it alone hears, one after another."""

    def __init__(self, eui: str) -> None:
        self._orders: asyncio.Queue[SendOrdered] = asyncio.Queue()
        self.wire = GatewaySocket(GatewayConfig(parse_eui(eui)), self._orders.put_nowait, lambda _: None)

    async def put_on_the_air(self, meter: VirtualDevice, payload: bytes) -> bool:
        """Let a meter join, asking again as real ones do, and send a reading; whether it was let in."""
        for _ in range(JOINS):
            self.wire.forward(meter.join())
            if await self._is_let_in(meter):
                self.wire.forward(meter.send(PORT, payload))
                return True
        return False

    async def _is_let_in(self, meter: VirtualDevice) -> bool:
        try:
            async with asyncio.timeout(3):
                while True:
                    payload = (await self._orders.get()).transmission.payload
                    try:
                        if isinstance(meter.receive(payload), DeviceJoined):
                            return True
                    except FrameError:  # a downlink for the meter before it
                        continue
        except TimeoutError:
            return False


@asynccontextmanager
async def roofs(node: Node, api: ApiClient) -> AsyncIterator[list[Roof]]:
    """Gateways that may speak to a node."""
    assert node.radio.address is not None
    found = [Roof(f"02c0de00000001{number:02x}") for number in range(ROOFS)]
    loop = asyncio.get_running_loop()
    for roof in found:
        await api.put(f"/radio/gateways/{roof.wire.config.eui}", {"name": "крыша"})
        await loop.create_datagram_endpoint(partial(getattr, roof, "wire"), remote_addr=node.radio.address)
    pulls = [asyncio.create_task(roof.wire.keep_open()) for roof in found]
    try:
        for roof in found:
            await roof.wire.ready.wait()
        yield found
    finally:
        for pull, roof in zip(pulls, found, strict=True):
            pull.cancel()
            roof.wire.close()


async def ship(maker: Node, utility: Node, rows: Rows) -> str:
    """Let a maker with a federation of its own take the utility in, make these meters and offer them; the shipment."""
    async with ApiClient(maker.folder.path) as api:
        await api.post("/federation", {"name": "Демо"})
        await utility.membership.join((await maker.membership.invite("test")).to_text(), "test")
        await api.post("/attestations", {"org": maker.core.org.hex(), "what": "maker"})
        await api.post("/lines", {"record": line_record(maker.core.org.hex())})
        await api.post("/references", {"catalog": "types", "local": PRODUCT.local, "central": PRODUCT.central})
        job = (await api.upload("/imports", production_file(rows), name="production.csv"))["job"]
        await until(maker, lambda: done(api, job), WITHIN_S)
        made = [card.subject for card in (await maker.lookup.page(Question(), limit=METERS + 1)).cards]
        body = {
            "buyer": utility.core.org.hex(),
            "number": "ТТН-1",
            "devices": [format_device_id(SubjectId(one)) for one in made],
        }
        return str((await api.post("/shipments", body))["id"])


async def done(api: ApiClient, job: str) -> Json:
    """A job's end."""
    found = await api.get(f"/jobs/{job}")
    return found if found["state"] == "done" else None


async def offered(api: ApiClient, shipment: str) -> Json:
    """The shipment, once it is offered here."""
    return next((one for one in (await api.get("/shipments"))["items"] if one["id"] == shipment), None)


async def come(api: ApiClient, shipment: str) -> Json:
    """The shipment, once every passport and every key of it is here."""
    found = await api.get(f"/shipments/{shipment}")
    return found if found["passports"] == found["keys"] == METERS else None


async def read(roof: Roof, rows: Sequence[Sequence[str]], clock: SkewedClock) -> int:
    """Put the meters of these rows on the air one after another; how many were let in."""
    let_in = 0
    for row in rows:
        key = parse_key(row[KEY_AT])
        meter = VirtualDevice(parse_eui(row[DEV_EUI_AT]), parse_eui(JOIN_EUI), key, RU864, random=secrets.token_bytes)
        at = datetime.fromtimestamp(clock.now() // 1_000_000, UTC)
        let_in += await roof.put_on_the_air(meter, encode_data(BetarData(98, 18, at, VOLUME_M3)))
    return let_in


async def registered(node: Node) -> int:
    """How many devices of the network are registered, once what was agreed is said of each."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            states = Counter(device.state for device in await node.commissioning.devices())
            if not states[DeviceState.AGREED] + states[DeviceState.JOINED]:
                return states[DeviceState.REGISTERED]
            await asyncio.sleep(0.2)


async def test_thousand_shipped_meters_are_read_with_the_maker_silent_for_a_week(tmp_path: Path) -> None:
    """Accepted in one press, none looked up: all join and are registered, and no key stands in the buyer's files."""
    rows, clock = meter_rows(METERS, seed=11), SkewedClock(0)
    async with (
        running(tmp_path / "utility", "МУП «Водоканал»", clock) as utility,
        ApiClient(utility.folder.path) as api,
    ):
        async with running(tmp_path / "maker", "ООО «Завод»", kind="maker") as maker:
            shipment = await ship(maker, utility, rows)
            await until(utility, lambda: offered(api, shipment), WITHIN_S)
            await api.post(f"/shipments/{shipment}/acceptance")
            await until(utility, lambda: come(api, shipment), WITHIN_S)
        clock.move(days=7)

        for device in (await api.get(f"/shipments/{shipment}"))["devices"]:
            await api.post(f"/passports/{device}/commissioning")
        async with roofs(utility, api) as hearing:
            let_in = await asyncio.gather(*(read(roof, rows[at::ROOFS], clock) for at, roof in enumerate(hearing)))

            assert sum(let_in) == METERS
            assert await registered(utility) == METERS
    keys = {row[DEV_EUI_AT]: bytes.fromhex(row[KEY_AT]) for row in rows[::SOUGHT_EVERY]}
    assert search([tmp_path / "utility"], keys) == []
