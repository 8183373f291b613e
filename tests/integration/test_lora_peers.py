"""The network server against what nobody here wrote: pamoja-lorawan, pamoja-gateway and npm lora-packet."""

import random
from collections.abc import Iterator

import pytest

from lora.airtime import time_on_air_us
from lora.crypto import Direction, crypt_payload, data_mic, derive_session_keys
from lora.device import DeviceJoined, DownlinkTaken
from lora.errors import FrameError
from lora.events import (
    DownlinkScheduled,
    DownlinkSent,
    JoinAccepted,
    JoinRefused,
    Refusal,
    UplinkAccepted,
    UplinkRefused,
)
from lora.frame import FCtrl, MType, encode_data
from lora.gateway.udp import GatewayStat, PullData, PushData, TxAck, decode_datagram, encode_datagram
from lora.identifiers import DevAddr, Eui, NetId
from lora.keys import Key
from lora.radio import LoraRate
from tests import peers
from tests.peers import Peer, PeerError
from tests.unit.lora.builders import (
    DEV_EUI,
    GATEWAYS,
    JOIN_EUI,
    OTHER_KEY,
    ROOT_KEY,
    World,
    answer,
    joined,
    make_meter,
    only,
)
from tests.unit.lora.live import Node, Wire, serving, wires

pytestmark = [pytest.mark.slow, pytest.mark.peers]

METER_FRAME = "01631e000032e10b5e000001000000"
NAMES = {"dev_eui": str(DEV_EUI), "join_eui": str(JOIN_EUI)}
CASES = 60


def _start(name: str, script: str) -> Iterator[Peer]:
    peers.require(name)
    peer = peers.start(name, script)
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture
def end_device() -> Iterator[Peer]:
    """pamoja-lorawan with the meter's ids and key."""
    for peer in _start("lorawan", "lorawan_peer.py"):
        peer.ask("device", app_key=ROOT_KEY.reveal().hex(), **NAMES)
        yield peer


@pytest.fixture
def gateway() -> Iterator[Peer]:
    """pamoja-gateway."""
    yield from _start("gateway", "gateway_peer.py")


@pytest.fixture
def lora_packet() -> Iterator[Peer]:
    """npm lora-packet."""
    yield from _start(peers.NPM, "lora_packet_peer.cjs")


def pushed(gateway: Peer, phy: str, eui: Eui = GATEWAYS[0], snr_db: float = 7.5) -> bytes:
    """A PUSH_DATA as the peer writes it."""
    packet = {
        "phy": phy,
        "frequency_hz": 868_900_000,
        "spreading_factor": 7,
        "rssi_dbm": -71.0,
        "snr_db": snr_db,
        "counter_us": 4_294_900_000,
    }
    return bytes.fromhex(gateway.ask("push", eui=str(eui), token=0xABCD, packets=[packet])["datagram"])


async def ordered(wire: Wire, gateway: Peer) -> dict[str, object]:
    """The next PULL_RESP, as the peer reads it; acknowledgements before it are read by the peer too."""
    while True:
        read = gateway.ask("parse", datagram=(await wire.receive()).hex())
        if read["kind"] == "PullResp":
            return read
        assert read["kind"] in ("PushAck", "PullAck")


async def test_peers_device_joins_and_is_read_through_peers_gateways(end_device: Peer, gateway: Peer) -> None:
    """pamoja-lorawan joins over pamoja-gateway's datagrams, sends a reading over two gateways, and is acknowledged."""
    node = Node()
    async with serving(node) as gateways, wires(gateways.address, *GATEWAYS[:2]) as (near, far):
        for wire, eui in ((near, GATEWAYS[0]), (far, GATEWAYS[1])):
            wire.send(bytes.fromhex(gateway.ask("pull", eui=str(eui), token=1)["datagram"]))
            assert gateway.ask("parse", datagram=(await wire.receive()).hex()) == {"kind": "PullAck", "token": 1}

        near.send(pushed(gateway, end_device.ask("join_request", dev_nonce=7)["phy"]))
        order = await ordered(near, gateway)
        accept = end_device.ask("accept_join", phy=order["phy"], dev_nonce=7)
        ack = gateway.ask("tx_ack", eui=str(GATEWAYS[0]), token=order["token"], status="NONE")
        near.send(bytes.fromhex(ack["datagram"]))
        await node.until(lambda: node.of(DownlinkSent))

        uplink = end_device.ask("uplink", fcnt=0, port=2, payload=METER_FRAME, confirmed=True, fopts="02")["phy"]
        far.send(pushed(gateway, uplink, GATEWAYS[1], snr_db=-4.0))
        near.send(pushed(gateway, uplink, GATEWAYS[0], snr_db=7.5))
        answered = end_device.ask("decode", phy=(await ordered(near, gateway))["phy"], fcnt=0)

    session = only(JoinAccepted, node.events).session
    assert accept["dev_addr"] == str(session.dev_addr)
    assert (accept["net_id"], accept["rx_delay"]) == (0x13, 1)
    assert order["counter_us"] == (4_294_900_000 + 5_000_000) % (1 << 32)
    assert (order["frequency_hz"], order["spreading_factor"]) == (868_900_000, 7)
    assert (order["inverted"], order["without_crc"], order["power_dbm"]) == (True, True, 16)
    reading = only(UplinkAccepted, node.events)
    assert (reading.payload, reading.port, reading.fcnt) == (bytes.fromhex(METER_FRAME), 2, 0)
    assert [reception.gateway for reception in reading.receptions] == list(GATEWAYS[:2])
    assert (answered["ack"], answered["fopts"], answered["direction"]) == (True, "020f02", "Downlink")


async def test_peers_device_is_refused_where_it_must_be(end_device: Peer, gateway: Peer) -> None:
    """A join with a used DevNonce, one under another key and a replayed frame of the peer are refused with reasons."""
    node = Node()
    async with serving(node) as gateways, wires(gateways.address) as (wire,):
        await wire.open()
        request = end_device.ask("join_request", dev_nonce=7)["phy"]
        wire.send(pushed(gateway, request))
        end_device.ask("accept_join", phy=(await ordered(wire, gateway))["phy"], dev_nonce=7)
        uplink = end_device.ask("uplink", fcnt=0, port=2, payload=METER_FRAME)["phy"]
        wire.send(pushed(gateway, uplink))
        await node.until(lambda: node.of(UplinkAccepted))

        wire.send(pushed(gateway, uplink))
        wire.send(pushed(gateway, request))
        end_device.ask("device", app_key=OTHER_KEY.reveal().hex(), **NAMES)
        wire.send(pushed(gateway, end_device.ask("join_request", dev_nonce=8)["phy"]))
        await node.until(lambda: len(node.of(JoinRefused)) == 2 and node.of(UplinkRefused))

    assert [event.reason for event in node.of(JoinRefused)] == [Refusal.DEV_NONCE_REPLAYED, Refusal.BROKEN_MIC]
    assert only(UplinkRefused, node.events).reason is Refusal.REPLAY
    assert len(node.of(UplinkAccepted)) == 1


def test_our_device_joins_the_peers_network(end_device: Peer) -> None:
    """Our virtual device joins pamoja-lorawan as a network; both read each other's frames."""
    meter = make_meter(dev_nonce=0xCC85)

    granted = end_device.ask(
        "network",
        phy=meter.join().payload.hex(),
        app_key=ROOT_KEY.reveal().hex(),
        app_nonce=0x3A06E5,
        net_id=0x13,
        dev_addr="26012e43",
    )

    assert {name: granted[name] for name in NAMES} == NAMES
    assert granted["dev_nonce"] == 0xCC85
    assert meter.receive(bytes.fromhex(granted["phy"])) == DeviceJoined(DevAddr(0x26012E43), 0xCC85, 0x3A06E5)
    read = end_device.ask("decode", phy=meter.send(2, b"volume", confirmed=True).payload.hex(), fcnt=0)
    assert (read["port"], bytes.fromhex(read["payload"]), read["confirmed"]) == (2, b"volume", True)
    taken = meter.receive(bytes.fromhex(end_device.ask("downlink", fcnt=3, port=4, payload="ff11", ack=True)["phy"]))
    assert isinstance(taken, DownlinkTaken)
    assert (taken.port, taken.payload.hex(), taken.ack, taken.fcnt) == (4, "ff11", True, 3)


def test_peer_network_refuses_what_our_device_did_not_sign(end_device: Peer) -> None:
    """The peer refuses our join request when one bit of it is changed, and our device refuses its altered accept."""
    meter = make_meter()
    request = bytearray(meter.join().payload)
    asked = {"app_key": ROOT_KEY.reveal().hex(), "app_nonce": 1, "net_id": 0x13, "dev_addr": "26012e43"}
    accept = bytearray(bytes.fromhex(end_device.ask("network", phy=request.hex(), **asked)["phy"]))
    request[10] ^= 1
    accept[10] ^= 1

    with pytest.raises(PeerError):
        end_device.ask("network", phy=request.hex(), **asked)
    with pytest.raises(FrameError):
        meter.receive(bytes(accept))


def test_lora_packet_reads_our_join_and_its_answer(lora_packet: Peer) -> None:
    """npm lora-packet reads our join request and our join accept with its channel list, and both MICs hold."""
    world, meter = World(channels_hz=(864_100_000,)), make_meter(dev_nonce=0x1234)
    request = meter.join().payload.hex()
    events = world.say(meter.again())
    session = only(JoinAccepted, events).session

    read = lora_packet.ask("parse", phy=request)
    opened = lora_packet.ask(
        "open_join", phy=only(DownlinkScheduled, events).transmission.payload.hex(), root=ROOT_KEY.reveal().hex()
    )

    assert (read["type"], read["AppEUI"], read["DevEUI"]) == ("Join Request", str(JOIN_EUI), str(DEV_EUI))
    assert read["DevNonce"] == "1234"
    assert lora_packet.ask("verify", phy=request, root=ROOT_KEY.reveal().hex())["ok"]
    assert not lora_packet.ask("verify", phy=request, root=OTHER_KEY.reveal().hex())["ok"]
    assert (opened["DevAddr"], opened["NetID"], opened["AppNonce"]) == (str(session.dev_addr), "000013", "000001")
    assert opened["ok"]
    assert opened["CFList"].startswith("e8d983")


def test_lora_packet_reads_our_frames_both_ways(lora_packet: Peer) -> None:
    """A confirmed reading and its acknowledgement are read, verified and decrypted by npm lora-packet."""
    world = World()
    meter = joined(world)
    uplink = meter.send(2, bytes.fromhex(METER_FRAME), confirmed=True)
    events = world.say(uplink)
    session = only(UplinkAccepted, events).session
    assert session.application_key is not None
    keys = {"network": session.network_key.reveal().hex(), "application": session.application_key.reveal().hex()}
    answer(meter, events)

    up, down = uplink.payload.hex(), only(DownlinkScheduled, events).transmission.payload.hex()

    read = lora_packet.ask("parse", phy=up)
    assert (read["DevAddr"], read["fcnt"], read["FPort"], read["confirmed"]) == (str(session.dev_addr), 0, "02", True)
    assert lora_packet.ask("decrypt", phy=up, **keys)["payload"] == METER_FRAME
    assert lora_packet.ask("verify", phy=up, network=keys["network"])["ok"]
    read = lora_packet.ask("parse", phy=down)
    assert (read["type"], read["ack"], read["pending"]) == ("Unconfirmed Data Down", True, False)
    assert lora_packet.ask("verify", phy=down, network=keys["network"])["ok"]


def test_lora_packet_and_we_make_the_same_bytes(lora_packet: Peer) -> None:
    """For random frames in both directions, with 32-bit counters, lora-packet makes the same bytes as we do."""
    source = random.Random(20260)
    for _ in range(CASES):
        network, application = (Key(source.randbytes(16)) for _ in range(2))
        address, fcnt = DevAddr(source.getrandbits(32)), source.getrandbits(32)
        port, payload = source.randint(1, 223), source.randbytes(source.randint(1, 100))
        mtype = source.choice((MType.UNCONFIRMED_UP, MType.CONFIRMED_UP, MType.UNCONFIRMED_DOWN, MType.CONFIRMED_DOWN))
        direction = Direction.UP if mtype in (MType.UNCONFIRMED_UP, MType.CONFIRMED_UP) else Direction.DOWN
        sealed = crypt_payload(application, direction, address, fcnt, payload)
        fctrl = FCtrl(ack=source.random() < 0.5)
        signed = encode_data(mtype, address, fctrl, fcnt=fcnt, fopts=b"", fport=port, payload=sealed)

        made = lora_packet.ask(
            "build",
            type=int(mtype),
            dev_addr=str(address),
            fcnt=fcnt,
            port=port,
            payload=payload.hex(),
            ack=fctrl.ack,
            network=network.reveal().hex(),
            application=application.reveal().hex(),
        )

        assert made["phy"] == (signed + data_mic(network, direction, address, fcnt, signed)).hex()


def test_lora_packet_joins_our_network(lora_packet: Peer) -> None:
    """A join request that lora-packet made is accepted, and it derives the address from our answer."""
    world = World()
    request = lora_packet.ask("build_join", dev_nonce="beef", root=ROOT_KEY.reveal().hex(), **NAMES)["phy"]
    meter = make_meter(dev_nonce=0xBEEF)
    assert meter.join().payload.hex() == request

    session = only(JoinAccepted, world.say(meter.again())).session

    keys = derive_session_keys(ROOT_KEY, session.number, NetId(0x13), 0xBEEF)
    assert session.network_key == keys.network


def test_gateway_peer_and_we_agree_on_every_datagram(gateway: Peer) -> None:
    """What pamoja-gateway writes we read, and what we write it reads, field by field."""
    eui = str(GATEWAYS[0])
    pull = decode_datagram(bytes.fromhex(gateway.ask("pull", eui=eui, token=5)["datagram"]))
    ack = decode_datagram(bytes.fromhex(gateway.ask("tx_ack", eui=eui, token=6, status="TOO_LATE")["datagram"]))
    good = decode_datagram(bytes.fromhex(gateway.ask("tx_ack", eui=eui, token=7, status="NONE")["datagram"]))
    stat = decode_datagram(bytes.fromhex(gateway.ask("stat", eui=eui, token=8)["datagram"]))
    push = decode_datagram(pushed(gateway, "40" + "00" * 15))

    assert pull == PullData(5, GATEWAYS[0])
    assert (ack, good) == (TxAck(6, GATEWAYS[0], "TOO_LATE"), TxAck(7, GATEWAYS[0]))
    assert isinstance(stat, PushData)
    assert stat.stat == GatewayStat(9, 8, 0, 0, 0, 55.75, 37.62, 150)
    assert isinstance(push, PushData)
    (heard,) = push.heard
    assert (heard.frequency_hz, heard.rate, heard.counter_us) == (868_900_000, LoraRate(7, 125_000), 4_294_900_000)
    assert (heard.rssi_dbm, heard.snr_db) == (-71.0, 7.5)
    for datagram in (pull, ack, good, push):
        assert gateway.ask("parse", datagram=encode_datagram(datagram).hex())["token"] == datagram.token


def test_time_on_air_agrees_with_the_peer(gateway: Peer) -> None:
    """Time on air is the peer's to the microsecond, for every spreading factor and many sizes."""
    for factor in range(7, 13):
        for size in (12, 13, 23, 30, 51, 100, 222):
            peers_us = gateway.ask("airtime", spreading_factor=factor, size=size)["us"]
            assert time_on_air_us(LoraRate(factor, 125_000), size) == peers_us
