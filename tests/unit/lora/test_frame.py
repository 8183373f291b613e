"""PHYPayloads to frames and back."""

import pytest

from lora.errors import EncodeError, FrameError
from lora.frame import (
    DataFrame,
    FCtrl,
    JoinAccept,
    JoinRequest,
    MType,
    SealedJoinAccept,
    decode_frame,
    decode_join_accept,
    encode_data,
    encode_join_accept,
    encode_join_request,
)
from lora.identifiers import DevAddr, NetId
from tests.unit.lora.builders import DEV_EUI, JOIN_EUI

MIC = b"\x01\x02\x03\x04"
ADDRESS = DevAddr(0x26011BDA)


def encode(fopts: bytes = b"", fport: int | None = 2, payload: bytes = b"abc", fcnt: int = 7) -> bytes:
    return encode_data(
        MType.CONFIRMED_UP, ADDRESS, FCtrl(ack=True), fcnt=fcnt, fopts=fopts, fport=fport, payload=payload
    )


def test_data_frame_is_read_field_by_field() -> None:
    """Every field of a data frame comes back as it was written, and the MIC is over all that stands before it."""
    signed = encode(fopts=b"\x02")

    frame = decode_frame(signed + MIC)

    assert frame == DataFrame(
        MType.CONFIRMED_UP, ADDRESS, FCtrl(ack=True), 7, b"\x02", 2, b"abc", mic=MIC, signed=signed
    )


def test_counter_on_the_air_is_the_low_half() -> None:
    """Of a 32-bit counter 16 bits go on the air."""
    frame = decode_frame(encode(fcnt=0x0001_0002) + MIC)

    assert isinstance(frame, DataFrame)
    assert frame.fcnt == 2


def test_frame_without_port_has_no_payload() -> None:
    """A frame may end after FOpts: it has neither port nor payload."""
    frame = decode_frame(encode(fport=None, payload=b"") + MIC)

    assert isinstance(frame, DataFrame)
    assert (frame.fport, frame.payload) == (None, b"")


def test_join_request_turns_eui_to_text_order() -> None:
    """EUIs travel least significant byte first and read most significant first."""
    signed = encode_join_request(JOIN_EUI, DEV_EUI, 0xCC85)

    frame = decode_frame(signed + MIC)

    assert frame == JoinRequest(JOIN_EUI, DEV_EUI, 0xCC85, MIC, signed)
    assert signed[1:9] == JOIN_EUI.raw[::-1]


def test_join_accept_round_trip() -> None:
    """A join accept with a channel list comes back whole."""
    accept = JoinAccept(0x3A06E5, NetId(0x13), ADDRESS, 2, 3, 5, bytes(range(15)) + b"\0")

    assert decode_join_accept(encode_join_accept(accept)) == accept


def test_rx_delay_zero_means_one_second() -> None:
    """RxDelay 0 on the air is one second (5.7)."""
    plain = bytearray(encode_join_accept(JoinAccept(1, NetId(0), ADDRESS)))
    plain[12] = 0

    assert decode_join_accept(bytes(plain)).rx_delay_s == 1


def test_sealed_join_accept_keeps_its_bytes() -> None:
    """A join accept is opaque until a root key opens it."""
    assert decode_frame(b"\x20" + bytes(16)) == SealedJoinAccept(bytes(16))


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "5 to 255"),
        (b"\x40" * 256, "5 to 255"),
        (b"\x41" + bytes(20), "major version"),
        (b"\x00" + bytes(21), "23 bytes"),
        (b"\x20" + bytes(17), "17 or 33"),
        (b"\x40" + bytes(10), "at least 12"),
        (b"\x40" + bytes(4) + b"\x0f" + bytes(8), "runs over"),
        (b"\xc0" + bytes(20), "REJOIN"),
        (b"\xe0" + bytes(20), "PROPRIETARY"),
        (b"\x40" + bytes(4) + b"\x01\x00\x00\x02\x00\x02" + bytes(4), "at once"),
    ],
)
def test_broken_frame_is_refused_with_its_reason(raw: bytes, what: str) -> None:
    """What is no frame of LoRaWAN 1.0.x is refused, and the text says why."""
    with pytest.raises(FrameError, match=what):
        decode_frame(raw)


@pytest.mark.parametrize(
    ("fopts", "fport", "payload"),
    [(bytes(16), 2, b""), (b"", None, b"x"), (b"", 256, b""), (b"\x02", 0, b"\x02"), (b"", 2, bytes(250))],
)
def test_frame_that_does_not_fit_is_our_error(fopts: bytes, fport: int | None, payload: bytes) -> None:
    """A frame that the standard does not allow is not written."""
    with pytest.raises(EncodeError):
        encode(fopts, fport, payload)
