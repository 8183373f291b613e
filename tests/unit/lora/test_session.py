"""Counters, replay, retransmission, and several sessions on one address."""

from dataclasses import replace

import pytest

from lora.crypto import Direction, crypt_payload, data_mic
from lora.errors import CounterEndError, ReplayError, UnknownAddressError, UplinkMicError
from lora.frame import DataFrame, FCtrl, MType, decode_frame, encode_data
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.region import RU864
from lora.session import MAX_REPEATS, RxParams, Session, accept, full_counter, match_session, open_payload
from tests.unit.lora.builders import DEV_EUI, OTHER_KEY, ROOT_KEY, START_US

ADDRESS = DevAddr(0x26000001)
STRANGER = Key(b"\xff" * 16)


def make_session(key: Key = ROOT_KEY, fcnt_up: int | None = None, dev_eui: Eui = DEV_EUI) -> Session:
    return Session(dev_eui, 1, ADDRESS, key, OTHER_KEY, RxParams.of_region(RU864), START_US, fcnt_up)


def make_frame(fcnt: int, key: Key = ROOT_KEY, *, confirmed: bool = False, payload: bytes = b"x") -> DataFrame:
    mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
    sealed = crypt_payload(OTHER_KEY, Direction.UP, ADDRESS, fcnt, payload)
    signed = encode_data(mtype, ADDRESS, FCtrl(), fcnt=fcnt, fopts=b"", fport=2, payload=sealed)
    frame = decode_frame(signed + data_mic(key, Direction.UP, ADDRESS, fcnt, signed))
    assert isinstance(frame, DataFrame)
    return frame


@pytest.mark.parametrize(
    ("last", "low", "full"),
    [
        (None, 0, 0),
        (None, 65_535, 65_535),
        (0, 0, 0),
        (0, 1, 1),
        (65_535, 0, 65_536),
        (65_535, 65_535, 65_535),
        (70_000, 4_464, 70_000),
        (70_000, 4_463, 135_535),
    ],
)
def test_full_counter_is_the_next_that_ends_so(last: int | None, low: int, full: int) -> None:
    """The 16 bits on the air stand for the smallest counter that is not below the last one."""
    assert full_counter(last, low) == full


def test_frame_after_the_sixteen_bits_roll_over_is_accepted() -> None:
    """A frame with counter 65,536 follows one with 65,535, and its payload opens under the full counter."""
    session = make_session(fcnt_up=65_535)
    frame = make_frame(65_536, payload=b"hello")

    match = match_session([session], frame)

    assert match.fcnt == 65_536
    assert open_payload(match.session, frame, match.fcnt) == b"hello"
    assert accept(match, frame).fcnt_up == 65_536


@pytest.mark.parametrize("fcnt", [9, 10])
def test_used_counter_with_a_good_mic_is_a_replay(fcnt: int) -> None:
    """The last frame and one before it are replays, and the error names the device."""
    with pytest.raises(ReplayError) as error:
        match_session([make_session(fcnt_up=10)], make_frame(fcnt))

    assert error.value.dev_eui == DEV_EUI


def test_frame_under_a_strange_key_is_refused() -> None:
    """A frame whose MIC no session makes is refused as such, not as a replay."""
    with pytest.raises(UplinkMicError):
        match_session([make_session(fcnt_up=10)], make_frame(11, STRANGER))


def test_frame_of_an_unknown_address_is_refused() -> None:
    """Without a session there is nothing to check against."""
    with pytest.raises(UnknownAddressError):
        match_session([], make_frame(0))


def test_counter_does_not_wrap_at_its_end() -> None:
    """After the last 32-bit counter nothing is accepted: the device must join again."""
    with pytest.raises(CounterEndError):
        match_session([make_session(fcnt_up=(1 << 32) - 1)], make_frame(0, STRANGER))


def test_sessions_of_one_address_are_told_apart_by_mic() -> None:
    """Of three sessions with one address the one whose key made the MIC is found."""
    euis = [Eui(bytes([index] * 8)) for index in range(3)]
    keys = [Key(bytes([index] * 16)) for index in range(3)]
    sessions = [make_session(key, 100, eui) for key, eui in zip(keys, euis, strict=True)]

    for key, eui in zip(keys, euis, strict=True):
        assert match_session(sessions, make_frame(101, key)).session.dev_eui == eui


def test_nearest_counter_is_tried_first() -> None:
    """Where two sessions share key and address, the one whose counter is nearest below the frame takes it."""
    near, far = make_session(fcnt_up=990), replace(make_session(fcnt_up=10), number=2)

    assert match_session([far, near], make_frame(1_000)).session is near


def test_confirmed_frame_again_is_a_retransmission_up_to_a_limit() -> None:
    """The last confirmed frame, bit for bit, is a retransmission eight times and a replay from then on."""
    frame = make_frame(5, confirmed=True)
    session = accept(match_session([make_session()], frame), frame)

    for _ in range(MAX_REPEATS):
        match = match_session([session], frame)
        assert match.is_repeat
        session = accept(match, frame)

    with pytest.raises(ReplayError):
        match_session([session], frame)


def test_confirmed_frame_with_other_content_under_a_used_counter_is_a_replay() -> None:
    """A counter that was used is not used for another payload, even if the MIC holds."""
    frame = make_frame(5, confirmed=True, payload=b"one")
    session = accept(match_session([make_session()], frame), frame)

    with pytest.raises(ReplayError):
        match_session([session], make_frame(5, confirmed=True, payload=b"two"))


def test_payload_stays_closed_without_its_key() -> None:
    """A node that may not read payloads accepts the frame and gives no payload."""
    session = replace(make_session(), application_key=None)

    assert open_payload(session, make_frame(0), 0) is None
