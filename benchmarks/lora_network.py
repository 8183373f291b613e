"""A node with thousands of water meters in service, in sessions whose keys are known, and what such meters send.

Everything but the joins goes the node's own ways. The sessions are put into its store: thousands of join accepts would
take hours of a gateway's duty cycle.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from drivers.package import read_folder
from drivers.vega.betar import BetarData, encode_data
from lora.crypto import Direction, crypt_payload, data_mic
from lora.frame import FCtrl, MType
from lora.frame import encode_data as encode_frame
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.region import get_region
from lora.registration import Registration
from lora.session import RxParams, Session
from node.api_client import ApiClient
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.demo.files import HEADER, make_line
from node.demo.processes import NodeProcess
from node.exchange.tables import write_csv
from node.services.radio_records import Progress, seal_session, show_progress
from node.store.passports import find_terms
from node.store.radio import DeviceState, StoredDevice, add_nonces, find_device, put_device, put_sessions
from tests.trade import WATER, WHO, meters

EUI_AT = HEADER.index("DevEUI")
GATEWAYS = tuple(Eui(bytes.fromhex(f"02c0de00000000{n:02x}")) for n in (0xA1, 0xA2, 0xA3))
PORTS = {"PASSPORT_FEDERATION__DISCOVERY": "false", "PASSPORT_FEDERATION__PORT": "0", "PASSPORT_WEB__PORT": "0"}
PORT, JOINED = 2, 1
RX_REGION = get_region("RU864")
RX = RxParams.of_region(RX_REGION)
AT_ONCE = 200


COUNTER = {
    "driver.toml": b"""
id = "counter"
publisher = "bench"
name = "counter"
version = "1.0"
level = 0
transports = ["lorawan"]
ports = [2]
source = "made for this measure"

[applies_to]
types = []
models = []
match = [["payload", "counter"]]

[clock]
ahead_s = 60
behind_s = 3600

[[fields]]
name = "volume"
quantity = "volume"
unit = "m3"
kind = "counter"
scale = "0.001"

[[vectors]]
name = "usual"
port = 2
data = "000004d2"
expected = "port-2 | 0:volume=1.234 m3"
""",
    "payload.yaml": b"name: counter\nendian: big\nfields:\n- {name: volume, type: u32}\n",
}


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter in its session: one that sends a counter alone, or a Betar, which sends three values."""

    dev_eui: Eui
    address: DevAddr
    network_key: Key
    application_key: Key
    is_betar: bool = False

    @property
    def values(self) -> int:
        """How many readings a frame gives."""
        return 3 if self.is_betar else 1

    def session(self) -> Session:
        """Its session as the network has it."""
        now = int(datetime.now(UTC).timestamp() * 1e6)
        return Session(self.dev_eui, JOINED, self.address, self.network_key, self.application_key, RX, now)

    def uplink(self, fcnt: int, at: datetime, *, confirmed: bool = False) -> bytes:
        """The PHYPayload of its data frame with that counter: a litre more each time."""
        litres = Decimal(fcnt).scaleb(-3)
        data = encode_data(BetarData(98, 18, at, litres)) if self.is_betar else fcnt.to_bytes(4, "big")
        payload = crypt_payload(self.application_key, Direction.UP, self.address, fcnt, data)
        kind = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
        signed = encode_frame(kind, self.address, FCtrl(adr=True), fcnt=fcnt, fopts=b"", fport=PORT, payload=payload)
        return signed + data_mic(self.network_key, Direction.UP, self.address, fcnt, signed)


def running_node(folder: Path, count: int, *, is_betar: bool) -> tuple[NodeProcess, list[Meter]]:
    """A node that has the meters in service and its three gateways allowed; it is not started."""
    node = NodeProcess("network", folder / "node", environment=PORTS)
    node.init(**WHO["maker"], radio_port="0")
    node.start()
    rows = meters(count)
    asyncio.run(_produce(node, rows))
    node.stop()
    known = known_meters(count, is_betar=is_betar)
    (node.folder / "drivers").mkdir(exist_ok=True)
    (node.folder / "drivers" / "counter.json").write_bytes(read_folder(COUNTER).encode())
    asyncio.run(Node(node.folder, SystemClock(), SystemRandom()).visit(lambda here: _take_in(here, known)))
    return node, known


def known_meters(count: int, *, is_betar: bool) -> list[Meter]:
    """The meters of such a node."""
    return [_meter(index, row[EUI_AT], is_betar=is_betar) for index, row in enumerate(meters(count))]


def _meter(index: int, eui: str, *, is_betar: bool) -> Meter:
    network, application = (Key(sha256(f"{what} {eui}".encode()).digest()[:16]) for what in ("network", "application"))
    return Meter(Eui(bytes.fromhex(eui)), DevAddr(0x0000_0001 + index), network, application, is_betar)


async def _produce(node: NodeProcess, rows: list[list[str]]) -> None:
    async with ApiClient(node.folder) as api:
        await api.post("/federation", {"name": "Замер"})
        org = str((await api.get("/node"))["org"])
        for what, numbers in (("number", [f"inn:{WHO['maker']['inn']}"]), ("maker", [])):
            await api.post("/attestations", {"org": org, "what": what, "rows": numbers})
        record = make_line(WATER, "00" * 16, org).model_dump(mode="json", exclude_none=True)
        del record["line"]
        await api.post("/lines", {"record": record})
        await api.post("/references", {"catalog": "types", "local": WATER.local, "central": WATER.central})
        for number, eui in enumerate(GATEWAYS, 1):
            await api.put(f"/radio/gateways/{eui}", {"name": f"roof {number}"})
        job = (await api.upload("/imports", write_csv(HEADER, rows), name="production.csv"))["job"]
        while (found := await api.get(f"/jobs/{job}", wait="30"))["state"] in ("waiting", "running"):
            pass
        if found["state"] != "done" or found["result"]["accepted"] != len(rows):
            raise RuntimeError(f"the import: {found}")


async def _take_in(here: Node, known: Sequence[Meter]) -> None:
    """Commission every meter, and put it into service in a session of its own."""
    core = here.core
    async with core.database.read() as tx:
        named = [await find_terms(tx, str(meter.dev_eui), "dev_eui") for meter in known]
    for ((subject, _),) in named:
        await here.commissioning.commission(subject, "bench")
    progress = show_progress(Progress(Registration(known[0].dev_eui), JOINED, JOINED, said=True))
    for at in range(0, len(known), AT_ONCE):
        async with core.database.write() as tx:
            some = known[at : at + AT_ONCE]
            for meter in some:
                device = await find_device(tx, meter.dev_eui.raw)
                if device is None:
                    raise RuntimeError(f"{meter.dev_eui} was not commissioned")
                driver = {} if meter.is_betar else {"driver": "counter", "driver_version": "1.0"}
                profile = {**device.profile, **driver}
                await put_device(
                    tx, replace(device, profile=profile, state=DeviceState.REGISTERED, registration=progress)
                )
            keys = core.keystore.vault
            await put_sessions(tx, [seal_session(keys, meter.session()) for meter in some])


def node_with_sessions(folder: Path, count: int) -> NodeProcess:
    """A node with so many devices in sessions, of which it has no passports; it is not started."""
    node = NodeProcess("network", folder / "node", environment=PORTS)
    node.init(**WHO["maker"], radio_port="0")
    node.start()
    node.stop()
    asyncio.run(Node(node.folder, SystemClock(), SystemRandom()).visit(lambda here: _fill(here, count)))
    return node


async def _fill(here: Node, count: int) -> None:
    vault = here.core.keystore.vault
    profile: dict[str, object] = {
        "dev_eui": "", "join_eui": "02c0de0000000001", "region": RX_REGION.name, "lorawan_version": "1.0.3",
        "class": "A", "ports": [2, 3, 4], "driver": "counter", "driver_version": "1.0",
    }  # fmt: skip
    for at in range(0, count, AT_ONCE):
        known = [_meter(n, f"02C0DE01{n:08X}", is_betar=False) for n in range(at, min(at + AT_ONCE, count))]
        async with here.core.database.write() as tx:
            for meter in known:
                named = {**profile, "dev_eui": str(meter.dev_eui)}
                sealed = vault.seal(meter.network_key.reveal())
                subject = meter.dev_eui.raw * 2
                device = StoredDevice(meter.dev_eui.raw, subject, named, sealed, DeviceState.REGISTERED, {})
                await put_device(tx, device)
            await put_sessions(tx, [seal_session(vault, meter.session()) for meter in known])
            await add_nonces(tx, [(meter.dev_eui.raw, 1, JOINED) for meter in known])


def resident_mb(pid: int) -> float:
    """What a process has in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
