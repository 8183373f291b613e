"""A node that made its meters and runs their network, with virtual meters in processes of their own."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from drivers.vega.betar import BetarData, encode_data
from drivers.vega.spbzip import SpbzipInfo, encode_info
from lora.gateway.udp import PushData, encode_datagram
from lora.identifiers import Eui
from lora.radio import Heard, LoraRate
from node.api_client import ApiClient
from node.demo.files import PRODUCTS, make_files, make_line
from node.demo.meters import AirGateway, MeterProcess
from node.demo.processes import NodeProcess
from node.exchange.tables import read_table

DEADLINE_S = 20.0
GATEWAYS = (AirGateway("02c0de00000000a1", snr_db=2.0), AirGateway("02c0de00000000a2", delay_ms=150, snr_db=8.0))
WATER, ENERGY = PRODUCTS[0], PRODUCTS[1]
Json = Any  # Any: what the API answers


@dataclass
class Network:
    """One node that made its meters and runs their network."""

    node: NodeProcess
    rows: list[dict[str, str]]
    meters: list[MeterProcess] = field(default_factory=list)

    def call(self, method: str, path: str, *arguments: Any, **query: str) -> Json:
        """One request over the node's own socket."""

        async def run() -> Json:
            async with ApiClient(self.node.folder) as api:
                return await getattr(api, method)(path, *arguments, **query)

        return asyncio.run(run())

    def until(self, ask: Callable[[], Json]) -> Json:
        """Ask until the answer is true; fail at the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(0.05)
        raise AssertionError("not in time")

    def row(self, designation: str, number: int = 0) -> dict[str, str]:
        """One meter of the production file."""
        return [row for row in self.rows if row["Обозначение"] == designation][number]

    def passport_of(self, row: dict[str, str]) -> str:
        """The device id, found by DevEUI."""
        return str(self.call("get", "/lookup", q=row["DevEUI"])["items"][0]["id"])

    def commission(self, row: dict[str, str]) -> Json:
        """Put it on the air."""
        return self.call("post", f"/passports/{self.passport_of(row)}/commissioning")

    def device(self, row: dict[str, str]) -> Json:
        """How far it has come."""
        return self.call("get", f"/radio/devices/{row['DevEUI'].lower()}")

    def frames(self, row: dict[str, str]) -> list[Json]:
        """What was heard of it, oldest first."""
        return list(reversed(self.call("get", "/radio/frames", dev_eui=row["DevEUI"].lower())["items"]))

    @property
    def server(self) -> tuple[str, int]:
        """Where gateways speak to."""
        host, _, port = self.node.addresses["radio"].removeprefix("udp://").rpartition(":")
        return host, int(port)

    def push(self, phy: bytes) -> None:
        """Report a frame as the first gateway, whoever made it."""
        heard = Heard(phy, 868_900_000, LoraRate(7, 125_000), counter_us=0, rssi_dbm=-70.0, snr_db=7.0)
        datagram = encode_datagram(PushData(1, Eui(bytes.fromhex(GATEWAYS[0].eui)), (heard,)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(datagram, self.server)

    def meter(self, row: dict[str, str], *, key: str | None = None, dev_nonce: int = 0) -> MeterProcess:
        """A virtual meter with that DevEUI, and its key or another; the one before it is silent from now on."""
        # Two processes with gateways of one name would take each other's downlinks.
        for before in self.meters:
            before.stop()
        device: dict[str, object] = {
            "dev_eui": row["DevEUI"].lower(),
            "join_eui": row["JoinEUI"].lower(),
            "app_key": (key or row["AppKey"]).lower(),
            "region": "RU864",
            "dev_nonce": dev_nonce,
        }
        meter = MeterProcess(self.server, device, GATEWAYS, at_once=True)
        self.meters.append(meter)
        meter.start()
        return meter


class System:
    """A system of the organisation that asks the node over the network, with a token of its own."""

    def __init__(self, network: Network, name: str, *scopes: str) -> None:
        issued = network.call("post", "/tokens", {"name": name, "scopes": scopes, "days": 30})
        self.token = str(issued["id"])
        self._headers = {"Authorization": f"Bearer {issued['secret']}"}
        self._base = f"{network.node.addresses['console']}/api/v1"

    def asks(self, method: str, path: str, body: Json = None) -> Json:
        """The answer to a question that is answered."""
        status, answer = asyncio.run(self._send(method, path, body))
        assert status < 300, answer
        return answer

    def status(self, method: str, path: str, body: Json = None) -> int:
        """The status alone."""
        return asyncio.run(self._send(method, path, body))[0]

    async def _send(self, method: str, path: str, body: Json) -> tuple[int, Json]:
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.request(method, self._base + path, json=body) as response,
        ):
            return response.status, await response.json()


@contextmanager
def running_network(folder: Path, seed: int) -> Iterator[Network]:
    """A maker that runs a network for its own meters, of which it keeps the keys."""
    files = make_files(seed)
    node = NodeProcess("maker", folder / "maker")
    ports = {"web_port": "0", "federation_port": "0", "radio_port": "0"}
    node.init(name="ООО «Завод Приборучёт-Демо»", kind="maker", inn="0000000018", place="works", **ports)
    node.start()
    table = read_table(files.production_csv)
    rows = [dict(zip(table.header, (cell.text for cell in row.cells), strict=True)) for row in table.rows]
    made = [row for row in rows if row["Заводской номер"] != files.duplicate]
    network = Network(node, made)
    try:
        _produce(network, files)
        for number, gateway in enumerate(GATEWAYS, 1):
            network.call("put", f"/radio/gateways/{gateway.eui}", {"name": f"крыша {number}"})
        yield network
    finally:
        for meter in network.meters:
            meter.stop()
        node.stop()


def _produce(network: Network, files: Any) -> None:
    network.call("post", "/federation", {"name": "Демо"})
    org = network.call("get", "/node")["org"]
    for what, rows in (("number", ["inn:0000000018"]), ("maker", [])):
        network.call("post", "/attestations", {"org": org, "what": what, "rows": rows})
    for product in PRODUCTS:
        line = make_line(product, "00" * 16, org).model_dump(mode="json", exclude_none=True)
        del line["line"]
        network.call("post", "/lines", {"record": line})
    for local, central in files.references:
        network.call("post", "/references", {"catalog": "types", "local": local, "central": central})

    async def upload() -> Json:
        async with ApiClient(network.node.folder) as api:
            return await api.upload("/imports", files.production_csv, name="production.csv")

    job = asyncio.run(upload())["job"]
    network.until(lambda: network.call("get", f"/jobs/{job}")["state"] == "done")


def water(volume_m3: str, at: datetime | None = None, temperature_c: int = 18) -> bytes:
    """Bytes that a Betar meter sends now."""
    return encode_data(BetarData(98, temperature_c, at or now(), Decimal(volume_m3)))


def energy(row: dict[str, str], wh: int, serial: int | None = None) -> bytes:
    """The info frame that an SPBZIP meter sends now, with its own serial or another."""
    made = datetime.strptime(row["Дата изготовления"], "%d.%m.%Y").date()  # noqa: DTZ007 - a date, no time
    number = int(row["Заводской номер"]) if serial is None else serial
    return encode_info(SpbzipInfo(number, now(), made, Decimal(row["Прошивка"]), wh, 21))


def now() -> datetime:
    """The time to the second, as meters keep it."""
    return datetime.now(UTC).replace(microsecond=0)
