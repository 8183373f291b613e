"""Frames of the M-Bus wire, EN 13757-2 (format class FT 1.2 of EN 60870-5-1).

`E5` acknowledges; `10 C A CS 16` is short; `68 L L 68 C A CI … CS 16` is long, L counting from C to the last byte
before the checksum, which is their sum modulo 256. A control frame is a long one with L = 3. C of a meter's answer is
RSP_UD, with two bits that ask for another frame (ACD) or for patience (DFC).
"""

from dataclasses import dataclass

from drivers.errors import EncodeError, FrameError

ACK = b"\xe5"
SHORT, LONG, STOP = 0x10, 0x68, 0x16
SND_NKE, SND_UD, REQ_UD1, REQ_UD2, RSP_UD = 0x40, 0x53, 0x5A, 0x5B, 0x08
MAX_LENGTH = 255
USER_DATA_AT = 6  # of a long frame: the CI field
_HEAD, _TAIL = 4, 2
_FLAGS = 0x30


@dataclass(frozen=True, slots=True)
class LinkFrame:
    """A frame between master and meter: C and A field, and what a long frame carries from the CI field on."""

    control: int
    address: int
    user_data: bytes = b""

    @property
    def is_answer(self) -> bool:
        """Whether a meter says this: RSP_UD."""
        return self.control & ~_FLAGS == RSP_UD


def decode_frame(data: bytes) -> LinkFrame | None:
    """Read exactly one frame, None for an acknowledgement; raise FrameError naming byte and rule."""
    if data[:1] == b"\x68":
        return _decode_long(data)
    if data[:1] == b"\x10":
        return _decode_short(data)
    if data[:1] != ACK:
        raise FrameError(f"an M-Bus frame starts with e5, 10 or 68, got {data[:1].hex() or 'nothing'}")
    if len(data) != 1:
        raise FrameError(f"an acknowledgement is the byte e5 alone, got {len(data)} bytes")
    return None


def encode_short(control: int, address: int) -> bytes:
    """A short frame, as SND_NKE and REQ_UD2 are; raise EncodeError."""
    body = _addressed(control, address)
    return bytes([SHORT, *body, sum(body) & 0xFF, STOP])


def encode_long(control: int, address: int, user_data: bytes) -> bytes:
    """A long frame, as SND_UD and RSP_UD are, with what stands from the CI field on; raise EncodeError."""
    body = _addressed(control, address) + user_data
    if not 3 <= len(body) <= MAX_LENGTH:
        raise EncodeError(
            f"a long M-Bus frame carries 1-{MAX_LENGTH - 2} bytes from the CI field on, got {len(user_data)}"
        )
    return bytes([LONG, len(body), len(body), LONG]) + body + bytes([sum(body) & 0xFF, STOP])


def _addressed(control: int, address: int) -> bytes:
    for what, value in (("C field", control), ("A field", address)):
        if not 0 <= value <= 0xFF:
            raise EncodeError(f"the {what} of an M-Bus frame is one byte, got {value}")
    return bytes([control, address])


def _decode_short(data: bytes) -> LinkFrame:
    if len(data) != 5:
        raise FrameError(f"a short M-Bus frame is 5 bytes, got {len(data)}")
    _check_end(data, data[1:3])
    return LinkFrame(data[1], data[2])


def _decode_long(data: bytes) -> LinkFrame:
    if len(data) < _HEAD:
        raise FrameError(f"a long M-Bus frame begins with 68 L L 68, got {len(data)} bytes")
    _, length, again, start = data[:_HEAD]
    if length != again:
        raise FrameError(f"a long M-Bus frame tells its length twice, bytes 1 and 2 are {length} and {again}")
    if start != LONG:
        raise FrameError(f"byte 3 of a long M-Bus frame is 68, got {start:02x}")
    if length < 3:
        raise FrameError(f"a long M-Bus frame carries C, A and CI field at least, byte 1 says {length}")
    if len(data) != _HEAD + length + _TAIL:
        raise FrameError(f"a long M-Bus frame of length {length} is {_HEAD + length + _TAIL} bytes, got {len(data)}")
    body = data[_HEAD:-_TAIL]
    _check_end(data, body)
    return LinkFrame(body[0], body[1], body[2:])


def _check_end(data: bytes, body: bytes) -> None:
    if data[-1] != STOP:
        raise FrameError(f"an M-Bus frame stops with 16, byte {len(data) - 1} is {data[-1]:02x}")
    if data[-2] != sum(body) & 0xFF:
        raise FrameError(f"checksum: byte {len(data) - 2} is {data[-2]:02x}, the sum is {sum(body) & 0xFF:02x}")
