"""The node's network driven by devices and gateways that nobody here wrote, over its own UDP port."""

import socket
from collections.abc import Iterator

import pytest

from tests import peers
from tests.networks import GATEWAYS, WATER, Json, Network, running_network, water
from tests.peers import Peer

pytestmark = [pytest.mark.slow, pytest.mark.peers, pytest.mark.xdist_group("radio")]

ANSWER_S = 10.0
COUNTER_US = 4_294_900_000
PORT = 2


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A maker that runs a network for its own meters."""
    with running_network(tmp_path_factory.mktemp("radio-peers"), 13) as running:
        yield running


@pytest.fixture
def crew() -> Iterator[dict[str, Peer]]:
    """pamoja-lorawan, pamoja-gateway and npm lora-packet, each in a process of its own."""
    scripts = {"lorawan": "lorawan_peer.py", "gateway": "gateway_peer.py", peers.NPM: "lora_packet_peer.cjs"}
    started: dict[str, Peer] = {}
    try:
        for name, script in scripts.items():
            peers.require(name)
            started[name] = peers.start(name, script)
        yield started
    finally:
        for peer in started.values():
            peer.close()


class Mast:
    """One gateway's own socket; pamoja-gateway writes and reads its datagrams."""

    def __init__(self, network: Network, gateway: Peer) -> None:
        self._gateway = gateway
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(ANSWER_S)
        self._socket.connect(network.server)
        self._say("pull", token=1)
        assert self._hear()["kind"] == "PullAck"

    def push(self, phy: str) -> None:
        """Report a frame."""
        packet = {
            "phy": phy,
            "frequency_hz": 868_900_000,
            "spreading_factor": 7,
            "rssi_dbm": -71.0,
            "snr_db": 7.5,
            "counter_us": COUNTER_US,
        }
        self._say("push", token=2, packets=[packet])

    def order(self) -> Json:
        """The next transmission that the node asks for; it is acknowledged."""
        while (said := self._hear())["kind"] != "PullResp":
            assert said["kind"] == "PushAck"
        self._say("tx_ack", token=said["token"], status="NONE")
        return said

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _say(self, verb: str, **values: object) -> None:
        written = self._gateway.ask(verb, eui=GATEWAYS[0].eui, **values)
        self._socket.send(bytes.fromhex(written["datagram"]))

    def _hear(self) -> Json:
        return self._gateway.ask("parse", datagram=self._socket.recv(65_535).hex())


def test_device_of_others_joins_and_its_frame_becomes_a_reading(network: Network, crew: dict[str, Peer]) -> None:
    """pamoja-lorawan joins through pamoja-gateway; lora-packet opens the answer; the uplink is read and acked."""
    row = network.row(WATER.designation)
    network.commission(row)
    device, packet = crew["lorawan"], crew[peers.NPM]
    device.ask("device", dev_eui=row["DevEUI"].lower(), join_eui=row["JoinEUI"].lower(), app_key=row["AppKey"].lower())
    mast = Mast(network, crew["gateway"])
    try:
        mast.push(device.ask("join_request", dev_nonce=7)["phy"])
        order = mast.order()
        accepted = device.ask("accept_join", phy=order["phy"], dev_nonce=7)
        opened = packet.ask("open_join", phy=order["phy"], root=row["AppKey"].lower())
        uplink = device.ask("uplink", fcnt=0, port=PORT, payload=water("77.0001").hex(), confirmed=True)["phy"]
        mast.push(uplink)
        answered = device.ask("decode", phy=mast.order()["phy"], fcnt=0)
    finally:
        mast.close()

    network.until(lambda: network.device(row)["state"] == "registered")
    assert opened["ok"]
    assert opened["DevAddr"] == accepted["dev_addr"]
    assert order["counter_us"] == (COUNTER_US + 5_000_000) % (1 << 32)
    assert packet.ask("parse", phy=uplink)["DevAddr"] == accepted["dev_addr"]
    assert answered["ack"]
    values = network.call("get", f"/passports/{network.passport_of(row)}/readings", quantity="volume")["items"]
    assert [(value["value"], value["unit"]) for value in values] == [("77.0001", "m3")]
