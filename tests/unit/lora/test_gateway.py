"""The Semtech UDP protocol, both sides."""

import base64
import json

import pytest

from lora.errors import DatagramError
from lora.gateway.udp import (
    GatewayStat,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    decode_datagram,
    encode_datagram,
)
from lora.gateway.virtual import LATEST_US, Acknowledged, OrderRefused, SendOrdered, VirtualGateway
from lora.radio import FskRate, LoraRate, Transmission
from tests.unit.lora.builders import GATEWAYS, counting_random, make_heard

GATEWAY = GATEWAYS[0]
ORDER = Transmission(b"\x60down", 869_100_000, LoraRate(12, 125_000), 16, counter_us=5_000_000)
RXPK = {
    "tmst": 3_512_348_611,
    "time": "2026-03-31T16:21:17.528002Z",
    "chan": 2,
    "rfch": 0,
    "freq": 866.349812,
    "stat": 1,
    "modu": "LORA",
    "datr": "SF7BW125",
    "codr": "4/6",
    "rssi": -35,
    "lsnr": 5.1,
    "size": 32,
    "data": "-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84".replace("-", "+"),
}


def push(*packets: object, **body: object) -> bytes:
    content = {"rxpk": list(packets), **body}
    return b"\x02\x12\x34\x00" + GATEWAY.raw + json.dumps(content).encode()


def test_forwarders_own_example_is_read() -> None:
    """The example of the protocol's description is read field by field, though its base64 lacks padding."""
    datagram = decode_datagram(push(RXPK))

    assert isinstance(datagram, PushData)
    (heard,) = datagram.heard
    assert (datagram.token, datagram.gateway) == (0x1234, GATEWAY)
    assert (heard.counter_us, heard.frequency_hz, heard.rate) == (3_512_348_611, 866_349_812, LoraRate(7, 125_000))
    assert (heard.rssi_dbm, heard.snr_db, heard.channel, len(heard.payload)) == (-35.0, 5.1, 2, 32)
    assert heard.gateway_time_us == 1_774_974_077_528_002


@pytest.mark.parametrize(
    "datagram",
    [
        PushData(1, GATEWAY, (make_heard(b"a"), make_heard(b"b", rate=FskRate(50_000), gateway_time_us=5))),
        PushData(2, GATEWAY, (), GatewayStat(5, 4, 3, 2, 1, 55.75, 37.6, 200)),
        PushAck(3),
        PullData(4, GATEWAY),
        PullAck(5),
        PullResp(6, ORDER),
        PullResp(7, Transmission(b"x", 869_100_000, FskRate(50_000), 14)),
        TxAck(8, GATEWAY),
        TxAck(9, GATEWAY, "TOO_LATE"),
    ],
    ids=lambda datagram: type(datagram).__name__,
)
def test_datagram_round_trip(datagram: PushData | PushAck | PullData | PullAck | PullResp | TxAck) -> None:
    """Each kind of datagram reads back as it was written."""
    assert decode_datagram(encode_datagram(datagram)) == datagram


def test_order_says_what_a_lorawan_downlink_is() -> None:
    """A downlink goes out with inverted polarity and without a physical CRC."""
    body = json.loads(encode_datagram(PullResp(0, ORDER))[4:])["txpk"]

    assert (body["ipol"], body["ncrc"], body["imme"]) == (True, True, False)
    assert (body["freq"], body["datr"], body["codr"], body["tmst"]) == (869.1, "SF12BW125", "4/5", 5_000_000)


@pytest.mark.parametrize(
    "change",
    [
        {"stat": -1},
        {"stat": 0},
        {"data": "!!!!"},
        {"data": None},
        {"data": base64.b64encode(bytes(256)).decode()},
        {"size": 31},
        {"freq": "866.3"},
        {"freq": 1e9},
        {"tmst": -1},
        {"tmst": 1 << 32},
        {"tmst": True},
        {"datr": "SF99BW125"},
        {"datr": 50_000},
        {"modu": "FSK"},
        {"modu": ["LORA"]},
        {"rssi": "loud"},
    ],
)
def test_unreadable_packet_does_not_spoil_its_neighbour(change: dict[str, object]) -> None:
    """One packet that cannot be used is named, and the other one of the datagram is taken."""
    datagram = decode_datagram(push(RXPK | change, RXPK))

    assert isinstance(datagram, PushData)
    assert (len(datagram.heard), len(datagram.refused)) == (1, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02\x00\x00",
        b"\x01\x00\x00\x02" + GATEWAY.raw,
        b"\x02\x00\x00\x09" + GATEWAY.raw,
        b"\x02\x00\x00\x02" + GATEWAY.raw[:7],
        b"\x02\x00\x00\x02" + GATEWAY.raw + b"x",
        b"\x02\x00\x00\x01x",
        b"\x02\x00\x00\x00" + GATEWAY.raw,
        b"\x02\x00\x00\x00" + GATEWAY.raw + b"[]",
        b"\x02\x00\x00\x00" + GATEWAY.raw + b'{"rxpk":{}}',
        b"\x02\x00\x00\x00" + GATEWAY.raw + b"\xff\xfe",
        b"\x02\x00\x00\x00" + GATEWAY.raw + b"[" * 60_000,
        b"\x02\x00\x00\x00" + GATEWAY.raw + b'{"rxpk":[],"n":' + b"9" * 20_000 + b"}",
        b"\x02\x00\x00\x00" + GATEWAY.raw + b'{"rxpk":[],"n":NaN}',
        b"\x02\x00\x00\x03{}",
        b"\x02\x00\x00\x05" + GATEWAY.raw + b'{"txpk_ack":{"error":7}}',
        push(*[RXPK] * 65),
    ],
)
def test_hostile_datagram_is_refused(data: bytes) -> None:
    """Cut, foreign, deep and oversized datagrams give this package's error."""
    with pytest.raises(DatagramError):
        decode_datagram(data)


@pytest.mark.parametrize("body", [b"", b"\0", b"  ", b"{}", b'{"txpk_ack":{}}', b'{"txpk_ack":{"error":"NONE"}}'])
def test_every_spelling_of_a_good_tx_ack_is_read(body: bytes) -> None:
    """Forwarders say success in several ways."""
    assert decode_datagram(b"\x02\x00\x07\x05" + GATEWAY.raw + body) == TxAck(7, GATEWAY)


def test_gateway_sends_at_its_counter_and_says_so() -> None:
    """A gateway takes an order for its own counter, across its roll-over, and acknowledges it."""
    gateway = VirtualGateway(GATEWAY, counting_random(), counter_at_zero=(1 << 32) - 1_000_000)
    order = Transmission(b"x", 869_100_000, LoraRate(7, 125_000), 16, counter_us=500_000)

    (event,) = gateway.receive_data(encode_datagram(PullResp(9, order)), now_us=0)

    assert event == SendOrdered(order, at_us=1_500_000)
    assert [decode_datagram(data) for data in gateway.data_to_send()] == [TxAck(9, GATEWAY)]
    assert gateway.data_to_send() == []


@pytest.mark.parametrize(
    ("counter_us", "error"),
    [(1_000, "TOO_LATE"), ((1 << 32) - 5, "TOO_LATE"), (LATEST_US + 1, "TOO_EARLY")],
)
def test_gateway_refuses_what_it_cannot_send(counter_us: int, error: str) -> None:
    """An order for the past, or too far ahead, is answered with the forwarder's word for it."""
    gateway = VirtualGateway(GATEWAY, counting_random())
    order = Transmission(b"x", 869_100_000, LoraRate(7, 125_000), 16, counter_us)

    assert gateway.receive_data(encode_datagram(PullResp(9, order)), now_us=0) == [OrderRefused(error)]
    assert [decode_datagram(data) for data in gateway.data_to_send()] == [TxAck(9, GATEWAY, error)]


def test_gateway_cannot_send_two_frames_at_once() -> None:
    """An order that overlaps one taken before is refused."""
    gateway = VirtualGateway(GATEWAY, counting_random())
    gateway.receive_data(encode_datagram(PullResp(1, ORDER)), now_us=0)

    assert gateway.receive_data(encode_datagram(PullResp(2, ORDER)), now_us=0) == [OrderRefused("COLLISION_PACKET")]


def test_gateway_stamps_what_it_hears_with_its_counter() -> None:
    """A frame is reported with the gateway's own counter at its end."""
    gateway = VirtualGateway(GATEWAY, counting_random(), counter_at_zero=77)

    datagram = decode_datagram(gateway.push(make_heard(b"frame"), now_us=1_000))

    assert isinstance(datagram, PushData)
    assert datagram.heard[0].counter_us == 1_077


def test_gateway_reads_acknowledgements() -> None:
    """Both acknowledgements of the server are told apart; a gateway's own datagram is refused."""
    gateway = VirtualGateway(GATEWAY, counting_random())

    assert gateway.receive_data(encode_datagram(PushAck(1)), 0) == [Acknowledged(1, pull=False)]
    assert gateway.receive_data(encode_datagram(PullAck(2)), 0) == [Acknowledged(2, pull=True)]
    with pytest.raises(DatagramError):
        gateway.receive_data(gateway.pull(), 0)
