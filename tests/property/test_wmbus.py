"""Laws of wireless M-Bus: no bytes break any layer, and what a meter sends is read back."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from drivers.context import Context
from drivers.driver import summary
from drivers.errors import DriverError, DriverFaultError
from drivers.keys import Key
from drivers.mbus.records import decode_records
from drivers.reading import Decoded
from drivers.wmbus.bridge import MAX_PARTS, BridgeSession, Event, TelegramJoined
from drivers.wmbus.driver import DRIVER
from drivers.wmbus.link import SND_NR, Form, encode_link
from drivers.wmbus.profile import expand
from tests import wireless as made

KEYS = st.one_of(st.none(), st.binary(min_size=16, max_size=16).map(Key), st.just(made.KEY))
TELEGRAMS = (
    made.plain(),
    made.mode_5(),
    made.mode_5_long(),
    made.mode_7(),
    made.ctr(b"\x78" + made.RECORDS),
    encode_link(SND_NR, made.METER, made.compact()),
)
# Bytes that mean something in a record, so that generated ones go deep.
TELLING = bytes.fromhex("0f1f2f0413841044c48d0d0cff7ffdfbfc7c6c6d6e78133b3c7d93ee3bfe")
CONTENTS = st.one_of(
    st.binary(max_size=150),
    st.lists(st.one_of(st.sampled_from(TELLING), st.integers(0, 255)), max_size=120).map(bytes),
)
CI = st.sampled_from([0x72, 0x73, 0x78, 0x79, 0x7A, 0x7B, 0x69, 0x6A, 0x6B, 0x86, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0xA0])
START = datetime(2026, 1, 1, tzinfo=UTC)


def holds(raw: bytes, context: Context) -> None:
    """A value, or an error of this package that does not tell the key."""
    try:
        decoded = DRIVER.decode(0, raw, context)
    except DriverFaultError:
        raise
    except DriverError:
        return
    assert isinstance(decoded, Decoded)
    assert summary(decoded)


@given(raw=st.binary(max_size=400), key=KEYS)
def test_any_bytes_with_any_key_give_a_value_or_a_driver_error(raw: bytes, key: Key | None) -> None:
    """Bytes from nowhere never get past the driver as another exception."""
    holds(raw, Context(key=key))


@given(ci=CI, content=CONTENTS, form=st.sampled_from(Form), key=KEYS)
def test_any_content_of_a_telegram_gives_a_value_or_a_driver_error(
    ci: int, content: bytes, form: Form, key: Key | None
) -> None:
    """A link layer that holds carries anything."""
    holds(encode_link(SND_NR, made.METER, bytes([ci]) + content, form), Context(key=key))


@given(content=CONTENTS, key=KEYS, maker=st.sampled_from([made.METER.raw[:2], b"\x93\x44", b"\xb0\x09"]))
def test_any_records_give_a_value_or_a_driver_error(content: bytes, key: Key | None, maker: bytes) -> None:
    """What stands behind a good header is anything, of makers with layouts of their own too."""
    address = type(made.METER)(maker + made.METER.raw[2:])
    holds(encode_link(SND_NR, address, b"\x78" + content), Context(key=key))


@given(raw=st.sampled_from(TELEGRAMS), data=st.data())
def test_altered_telegram_gives_a_value_or_a_driver_error(raw: bytes, data: st.DataObject) -> None:
    """Good telegrams with bytes changed, cut or added anywhere."""
    at = data.draw(st.integers(0, len(raw)))
    altered = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 4)) :]
    holds(altered, Context(key=made.KEY))
    holds(altered[:1] + raw[1:], Context())


@given(values=st.binary(max_size=60), formats=st.lists(st.binary(min_size=1, max_size=6), max_size=6))
def test_compact_frame_of_any_values_gives_a_value_or_a_driver_error(values: bytes, formats: list[bytes]) -> None:
    """Remembered headers meet values of any length."""
    known = {0x1234: tuple(b"\x04\x13" if len(one) % 2 else b"\x0d\x78" for one in formats)}
    holds(encode_link(SND_NR, made.METER, b"\x79\x34\x12\0\0" + values), Context(formats=known))


@given(volume=st.integers(-(2**31), 2**31 - 1), access=st.integers(0, 255), form=st.sampled_from(Form))
def test_encrypted_volume_is_read_back(volume: int, access: int, form: Form) -> None:
    """Whatever a meter encrypts in mode 5 comes out, in every form of the link."""
    raw = made.mode_5(b"\x04\x13" + volume.to_bytes(4, "little", signed=True), access=access, form=form)

    reading = DRIVER.decode(0, raw, Context(key=made.KEY)).find_reading("volume")

    assert reading is not None
    assert reading.value * 1000 == volume


@given(control=st.integers(0, 255), spacing=st.integers(0, 255), body=st.binary(max_size=60))
def test_profile_of_any_kind_is_expanded_or_kept(control: int, spacing: int, body: bytes) -> None:
    """No spacing and no size breaks it, and values are never more than bytes."""
    raw = bytes([len(body) + 2, control, spacing]) + body
    records = decode_records(b"\x82\x04\x6c\x41\x32" + b"\x8d\x04\xee\x13" + raw).records

    assert len(expand(records)) <= 2 * len(body) + 2


@given(
    telegram=st.binary(min_size=1, max_size=250),
    cuts=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    timed=st.booleans(),
    lost=st.integers(-1, 8),
)
def test_bridge_joins_what_was_cut_anyhow_and_nothing_else(
    telegram: bytes, cuts: list[int], timed: bool, lost: int
) -> None:
    """A telegram comes out whole, or not at all where a part was lost."""
    message = (b"\0\x5e\x53\xf3\x1a" if timed else b"") + telegram
    parts: list[bytes] = []
    for size in cuts:
        parts.append(message[:size])
        message = message[size:]
    parts.append(message)
    session, events = BridgeSession(), list[Event]()

    for place, part in enumerate(parts):
        if place == lost:
            continue
        last = place == len(parts) - 1
        port = 101 if timed else (place + 1) * 10 + len(parts)
        prefix = bytes([(place == 0) | last << 1]) if timed else b""
        events += session.receive_uplink(port, prefix + part, 100 + place, START + timedelta(minutes=place))

    joined = [event.telegram for event in events if isinstance(event, TelegramJoined)]
    assert joined == ([] if 0 <= lost < len(parts) else [telegram])


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.binary(max_size=60), st.integers(0, 20), st.integers(0, 9000)), max_size=100
    )
)
def test_any_uplinks_leave_a_bridge_working(uplinks: list[tuple[int, bytes, int, int]]) -> None:
    """Nothing but a FrameError comes out, and at most one telegram's parts are held."""
    session, now = BridgeSession(), START
    for port, data, counter, seconds in uplinks:
        now += timedelta(seconds=seconds)
        try:
            session.receive_uplink(port, data, counter, now)
        except DriverError:
            continue
        assert len(session._parts) <= MAX_PARTS
    assert TelegramJoined(b"\x05") in session.receive_uplink(11, b"\x05", 1000, now)
