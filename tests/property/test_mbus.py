"""Laws of wired M-Bus: no bytes break it, no altered frame is read, numbers are what their bytes say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import summary
from drivers.errors import DriverError, FrameError
from drivers.mbus.driver import DRIVER
from drivers.mbus.frame import RSP_UD, LinkFrame, decode_frame, encode_long
from drivers.mbus.records import decode_record_headers, decode_records, decode_with_headers
from drivers.reading import Decoded
from tests.wired import IDENTITY, answer

FRAME = answer("046d0f0ac12a", "0c0612340000", "4c0611220000", "0dfd0c0341424300", "0f0102")
HEADERS = st.sampled_from(
    [b"\x72" + IDENTITY + bytes(3), b"\x7a" + bytes(4), b"\x78", b"\x76" + bytes(12), b"\x73", b""]
)
# Bytes that records are made of, so that many of them follow each other.
CODES = st.sampled_from(
    b"\x01\x02\x04\x05\x07\x0a\x0c\x0d\x2f\x0f\x1f\x42\x84\x8c\x10\x13\x3b\x6c\x6d\x78\x7c\x93\xfb\xfc\xfd\xff"
)
BODIES = st.lists(CODES | st.integers(0, 255), max_size=240).map(bytes)


@given(header=HEADERS, body=BODIES)
def test_any_bytes_behind_a_good_checksum_give_a_value_or_a_driver_error(header: bytes, body: bytes) -> None:
    """Whatever a frame carries, the driver reads it or refuses it, and every reading can be told."""
    data = header + body or b"\x78"
    try:
        decoded = DRIVER.decode(0, encode_long(RSP_UD, 1, data))
    except FrameError:
        return
    assert isinstance(decoded, Decoded)
    assert summary(decoded)
    assert len({item.name for item in decoded.unmapped}) == len(decoded.unmapped)


@given(data=st.binary(max_size=300), where=st.integers(0, 300))
def test_any_bytes_are_records_or_a_frame_error(data: bytes, where: int) -> None:
    """Records, headers and values alone are read or refused, and nothing is read past the end."""
    for read in (decode_records, decode_record_headers):
        try:
            read(data, where=where)
        except FrameError:
            continue
    try:
        headers = decode_record_headers(data)
        decode_with_headers(headers, data)
    except FrameError:
        return


@given(at=st.integers(0, len(FRAME) - 1), flipped=st.integers(1, 255))
def test_altered_byte_is_never_read(at: int, flipped: int) -> None:
    """One changed byte anywhere breaks a length, a mark or the sum."""
    broken = FRAME[:at] + bytes([FRAME[at] ^ flipped]) + FRAME[at + 1 :]

    with pytest.raises(DriverError):
        DRIVER.decode(0, broken)


@given(length=st.integers(0, len(FRAME) - 1), more=st.binary(min_size=1, max_size=20))
def test_frame_of_another_length_is_never_read(length: int, more: bytes) -> None:
    """A frame that is cut or goes on is refused."""
    for broken in (FRAME[:length], FRAME + more):
        with pytest.raises(FrameError):
            DRIVER.decode(0, broken)


@given(control=st.integers(0, 255), address=st.integers(0, 255), data=st.binary(min_size=1, max_size=253))
def test_written_frame_is_read_back(control: int, address: int, data: bytes) -> None:
    """What is put into a long frame comes out of it."""
    assert decode_frame(encode_long(control, address, data)) == LinkFrame(control, address, data)


@given(number=st.integers(-(2**63), 2**63 - 1), exponent=st.integers(0, 7))
def test_integer_is_exact_at_any_scale(number: int, exponent: int) -> None:
    """64 bits keep all their digits under every power of ten."""
    (record,) = decode_records(bytes([0x07, 0x10 + exponent]) + number.to_bytes(8, "little", signed=True)).records

    assert record.value == Decimal(number).scaleb(exponent - 6)


@given(digits=st.integers(0, 10**12 - 1))
def test_digits_are_what_they_are(digits: int) -> None:
    """Twelve packed digits are the number that they spell."""
    (record,) = decode_records(b"\x0e\x78" + bytes.fromhex(f"{digits:012d}")[::-1]).records

    assert record.value == digits


@given(data=st.binary(max_size=200))
def test_records_carry_their_bytes(data: bytes) -> None:
    """Headers and values as sent, taken apart, give the same records again."""
    try:
        records = decode_records(data)
    except FrameError:
        return
    headers = tuple(record.dib_vib for record in records.records)
    values = b"".join(record.raw for record in records.records)

    assert decode_with_headers(headers, values).records == records.records
