"""Laws of the LoRaWAN server: any bytes give a value or this package's error; counters, dedup and codecs hold."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from lora.crypto import Direction, crypt_payload
from lora.dedup import WINDOW_US, Collected, Deduplicator
from lora.errors import LoraError
from lora.events import Event, UplinkAccepted
from lora.frame import (
    DOWNLINKS,
    UPLINKS,
    DataFrame,
    FCtrl,
    JoinAccept,
    decode_frame,
    decode_join_accept,
    encode_data,
    encode_join_accept,
)
from lora.gateway.packets import decode_rxpk, decode_txpk
from lora.gateway.udp import PullResp, PushData, decode_datagram, encode_datagram
from lora.gateway.virtual import VirtualGateway
from lora.gpstime import gps_from_utc_us, utc_from_gps_us
from lora.identifiers import DevAddr, Eui, NetId, parse_dev_addr, parse_eui, parse_net_id
from lora.keys import Key, parse_key
from lora.mac import encode_commands, parse_commands
from lora.net.simulator_config import read_config
from lora.profile import build_profile
from lora.radio import FskRate, Heard, LoraRate, Rate, Reception, Transmission, parse_lora_rate
from lora.session import full_counter
from tests.unit.lora.builders import DEV_EUI, GATEWAYS, START_US, World, counting_random, joined, make_heard, make_meter

KEYS = st.binary(min_size=16, max_size=16).map(Key)
EUIS = st.binary(min_size=8, max_size=8).map(Eui)
ADDRESSES = st.integers(0, (1 << 32) - 1).map(DevAddr)
COUNTERS = st.integers(0, (1 << 32) - 1)
RATES: st.SearchStrategy[Rate] = st.builds(
    LoraRate, st.integers(7, 12), st.sampled_from((125_000, 250_000, 500_000))
) | st.builds(FskRate, st.integers(1, 1_000_000))
LEVELS = st.integers(-1_400, 300).map(lambda tenths: tenths / 10)
HEARD = st.builds(
    Heard,
    st.binary(min_size=1, max_size=255),
    st.integers(100_000_000, 1_000_000_000),
    RATES,
    COUNTERS,
    LEVELS,
    st.integers(-300, 300).map(lambda tenths: tenths / 10),
    st.none() | st.integers(0, 4_000_000_000_000_000),
    st.integers(0, 1),
    st.integers(0, 9),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
RXPK_NAMES = ("tmst", "time", "chan", "rfch", "freq", "stat", "modu", "datr", "rssi", "lsnr", "size", "data")


@given(st.binary(max_size=300) | st.builds(lambda head, rest: bytes([head]) + rest, st.integers(0, 255), st.binary()))
def test_any_bytes_are_a_frame_or_an_error(raw: bytes) -> None:
    """A PHYPayload of any bytes is read or refused with this package's error."""
    with contextlib.suppress(LoraError):
        decode_frame(raw)


@given(st.integers(0, 5), st.binary(max_size=200), st.booleans())
def test_any_datagram_is_a_value_or_an_error(kind: int, rest: bytes, with_eui: bool) -> None:
    """A datagram of any bytes is read or refused with this package's error."""
    head = bytes([2, 0, 0, kind]) + (bytes(8) if with_eui else b"")
    for raw in (rest, head + rest):
        with contextlib.suppress(LoraError):
            decode_datagram(raw)


@given(st.dictionaries(st.sampled_from(RXPK_NAMES), JSON))
def test_any_json_object_is_a_packet_or_an_error(fields: dict[str, object]) -> None:
    """An rxpk or txpk of any JSON values is read or refused with this package's error."""
    for decode in (decode_rxpk, decode_txpk):
        with contextlib.suppress(LoraError):
            decode(fields)


@given(st.binary(max_size=300))
def test_any_bytes_to_a_virtual_gateway_are_events_or_an_error(raw: bytes) -> None:
    """A gateway takes any datagram or refuses it with this package's error."""
    with contextlib.suppress(LoraError):
        VirtualGateway(GATEWAYS[0], counting_random()).receive_data(raw, 0)


@given(st.binary(max_size=60), st.binary(min_size=16, max_size=32))
def test_any_bytes_to_a_virtual_device_are_an_event_or_an_error(raw: bytes, sealed: bytes) -> None:
    """A device takes any frame or refuses it with this package's error."""
    meter = make_meter()
    meter.join()
    for frame in (raw, b"\x20" + sealed):
        with contextlib.suppress(LoraError):
            meter.receive(frame)


@given(st.text(max_size=40))
def test_any_text_is_an_identifier_or_an_error(text: str) -> None:
    """Texts of EUIs, addresses, network ids, keys, rates and configurations are read or refused with one error."""
    for parse in (parse_eui, parse_dev_addr, parse_net_id, parse_key, parse_lora_rate, read_config):
        with contextlib.suppress(LoraError):
            parse(text)


@given(st.dictionaries(st.sampled_from(("dev_eui", "join_eui", "app_eui", "region", "ports", "class")), JSON))
def test_any_fields_are_a_profile_or_an_error(fields: dict[str, object]) -> None:
    """A profile of any values is made or refused with this package's error."""
    with contextlib.suppress(LoraError):
        build_profile(fields)


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_frames_leave_the_servers_state_alone(payloads: list[bytes]) -> None:
    """Whatever gateways hear, nothing is stored and nothing is sent unless a key made it."""
    world = World()
    joined(world)
    before = dict(world.stored.sessions)

    for payload in payloads:
        if payload:
            world.server.receive(GATEWAYS[0], make_heard(payload), world.now_us)
    world.settle()

    assert world.stored.sessions == before


@given(st.sampled_from(Direction), st.binary(max_size=60))
def test_mac_commands_keep_every_byte(direction: Direction, raw: bytes) -> None:
    """Commands read and the rest unread are all the bytes there were; what was read is written and read the same."""
    parsed = parse_commands(direction, raw)

    written = encode_commands(parsed.commands)
    assert len(written) + len(parsed.rest) == len(raw)
    assert parse_commands(direction, written).commands == parsed.commands


@st.composite
def data_frames(draw: st.DrawFn) -> DataFrame:
    """Frames as the codec gives them, with any MIC."""
    mtype = draw(st.sampled_from(UPLINKS + DOWNLINKS))
    address, fctrl = draw(ADDRESSES), draw(st.builds(FCtrl, *[st.booleans()] * 4))
    fopts, fport, fcnt = draw(st.binary(max_size=15)), draw(st.none() | st.integers(1, 255)), draw(COUNTERS)
    payload = b"" if fport is None else draw(st.binary(max_size=220))
    signed = encode_data(mtype, address, fctrl, fcnt=fcnt, fopts=fopts, fport=fport, payload=payload)
    mic = draw(st.binary(min_size=4, max_size=4))
    return DataFrame(mtype, address, fctrl, fcnt & 0xFFFF, fopts, fport, payload, mic, signed)


@given(data_frames())
def test_data_frame_round_trip(frame: DataFrame) -> None:
    """Every data frame that can be written reads back as it was."""
    assert decode_frame(frame.signed + frame.mic) == frame


@given(
    st.builds(
        JoinAccept,
        st.integers(0, (1 << 24) - 1),
        st.integers(0, (1 << 24) - 1).map(NetId),
        ADDRESSES,
        st.integers(0, 7),
        st.integers(0, 15),
        st.integers(1, 15),
        st.just(b"") | st.binary(min_size=16, max_size=16),
    )
)
def test_join_accept_round_trip(accept: JoinAccept) -> None:
    """Every join accept that can be written reads back as it was."""
    assert decode_join_accept(encode_join_accept(accept)) == accept


@given(KEYS, st.sampled_from(Direction), ADDRESSES, COUNTERS, st.binary(max_size=242))
def test_encryption_undoes_itself(key: Key, direction: Direction, address: DevAddr, fcnt: int, payload: bytes) -> None:
    """Encrypting twice gives the payload, and its length never changes."""
    sealed = crypt_payload(key, direction, address, fcnt, payload)

    assert len(sealed) == len(payload)
    assert crypt_payload(key, direction, address, fcnt, sealed) == payload


@given(EUIS, st.lists(HEARD, max_size=4), st.integers(0, 65_535))
def test_push_data_round_trip(gateway: Eui, heard: list[Heard], token: int) -> None:
    """What a gateway heard comes through the protocol unchanged, to the hertz and the microsecond."""
    push = PushData(token, gateway, tuple(heard))

    assert decode_datagram(encode_datagram(push)) == push


@given(
    st.integers(0, 65_535),
    st.builds(
        Transmission,
        st.binary(min_size=1, max_size=255),
        st.integers(100_000_000, 1_000_000_000),
        RATES,
        st.integers(0, 30),
        st.none() | COUNTERS,
        st.integers(0, 1),
    ),
)
def test_order_round_trip(token: int, order: Transmission) -> None:
    """What a gateway is asked to send comes through the protocol unchanged."""
    assert decode_datagram(encode_datagram(PullResp(token, order))) == PullResp(token, order)


@given(st.integers(0, 4_000_000_000_000_000))
def test_gps_time_round_trip(utc_us: int) -> None:
    """Any UTC time since 1970 survives the way to GPS time and back, where GPS time exists."""
    if utc_us >= 315_964_800_000_000:
        assert utc_from_gps_us(gps_from_utc_us(utc_us)) == utc_us


@given(st.none() | st.integers(0, (1 << 32) - 1), st.integers(0, 65_535))
def test_full_counter_never_goes_back_and_ends_in_what_was_sent(last: int | None, low: int) -> None:
    """The full counter is not below the last one, less than 65,536 above it, and ends in the 16 bits on the air."""
    full = full_counter(last, low)

    assert full % 65_536 == low
    assert 0 <= full - (last or 0) < 65_536


@given(st.integers(0, 1 << 31), st.integers(0, 65_535))
def test_sender_that_loses_less_than_a_round_is_followed(last: int, lost: int) -> None:
    """However many frames are lost, up to 65,535 in a row, the true counter is found."""
    assert full_counter(last, (last + lost) % 65_536) == last + lost


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400_000), st.sampled_from((b"a", b"b", b"c")), st.integers(0, 4), st.integers(-20, 10)
        ),
        max_size=30,
    )
)
def test_dedup_loses_nothing_and_holds_nothing_longer(heard: list[tuple[int, bytes, int, int]]) -> None:
    """Each reception lies in exactly one frame, at most 200 ms after its first, and the best SNR stands first."""
    dedup, collected, now_us = Deduplicator(), list[Collected](), START_US
    given_bytes: list[tuple[bytes, Eui]] = []
    for gap_us, payload, gateway, snr_db in heard:
        now_us += gap_us
        while (due_us := dedup.next_timeout()) is not None and due_us <= now_us:
            collected += dedup.pop_due(due_us)
        dedup.add(Reception(GATEWAYS[gateway], make_heard(payload, snr_db=float(snr_db)), now_us))
        given_bytes.append((payload, GATEWAYS[gateway]))
    collected += dedup.pop_due(now_us + WINDOW_US)

    assert dedup.next_timeout() is None
    assert {(one.payload, r.gateway) for one in collected for r in one.receptions} == set(given_bytes)
    for one in collected:
        assert all(one.first_us <= r.received_us < one.first_us + WINDOW_US for r in one.receptions)
        levels = [r.snr_db for r in one.receptions]
        assert levels == sorted(levels, reverse=True)
        assert len({r.gateway for r in one.receptions}) == len(one.receptions)


@given(st.lists(st.sampled_from(("send", "confirm", "replay", "restart", "join")), max_size=12))
def test_no_frame_is_accepted_twice_whatever_happens_between(steps: list[str]) -> None:
    """Over sends, replays, restarts and new joins, each (session, counter) is accepted at most once."""
    world = World()
    meter = joined(world)
    seen: list[tuple[int, int]] = []
    for step in steps:
        events: list[Event] = []
        if step == "restart":
            world.restart()
        elif step == "join":
            joined(world, meter)
        elif step == "replay":
            events = world.say(meter.again())
        else:
            events = world.say(meter.send(2, b"x", confirmed=step == "confirm"))
        world.wait(10)
        seen += [(e.session.number, e.fcnt) for e in events if isinstance(e, UplinkAccepted)]

    assert len(seen) == len(set(seen))
    assert len(seen) == sum(step in ("send", "confirm") for step in steps)
    assert meter.dev_eui == DEV_EUI
