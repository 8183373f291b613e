"""The link layer of wireless M-Bus, EN 13757-4: frame formats A and B, and the form without CRCs that receivers give.

L C M M A A A A A A: L counts what follows it, in format A without the CRCs and in format B with them. M is the maker,
A the identification number (BCD, least significant first), the version and the device type. In format A a CRC follows
these ten bytes and then every 16; in format B one stands at byte 126 of a long frame and one at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from drivers.errors import EncodeError, FrameError, UnsupportedError
from drivers.mbus.device import Address

__all__ = [
    "ACC_DMD",
    "ACC_NR",
    "HEAD",
    "RSP_UD",
    "SND_IR",
    "SND_NR",
    "Address",
    "Form",
    "LinkFrame",
    "crc16",
    "decode_link",
    "encode_link",
]

HEAD = 10
_LEAST = HEAD - 1
_BLOCK_A = 16
_SECOND_END = 126  # format B: bytes of the first two blocks, without their CRC
_CRC = 2
_POLYNOMIAL, _FINAL = 0x3D65, 0xFFFF

# C fields of what a meter sends, clause 11.5.3; ACD and DFC of a response say nothing of its content.
SND_NR, SND_IR, ACC_NR, ACC_DMD, RSP_UD = 0x44, 0x46, 0x47, 0x48, 0x08
_FROM_METER = {SND_NR, SND_IR, ACC_NR, ACC_DMD, *(RSP_UD | bits for bits in (0x00, 0x10, 0x20, 0x30))}


class Form(Enum):
    """How a telegram reached us."""

    A = "A"
    B = "B"
    BARE = "without CRCs"


@dataclass(frozen=True, slots=True)
class LinkFrame:
    """A telegram without its CRCs: what stands from the CI field on is `data`."""

    form: Form
    control: int
    address: Address
    data: bytes


def decode_link(raw: bytes) -> LinkFrame:
    """Read exactly one telegram of any form; raise FrameError naming byte and rule."""
    if len(raw) < HEAD:
        raise FrameError(f"a wireless telegram begins with {HEAD} bytes of link layer, got {len(raw)}")
    if raw[0] < _LEAST:
        raise FrameError(f"L field: a telegram has {_LEAST} bytes after it at least, byte 0 says {raw[0]}")
    form, plain = _without_crcs(raw)
    if plain[1] not in _FROM_METER:
        raise UnsupportedError(f"C field {plain[1]:02x}: not what a meter sends of itself")
    return LinkFrame(form, plain[1], Address(plain[2:HEAD]), plain[HEAD:])


def encode_link(control: int, address: Address, data: bytes, form: Form = Form.BARE) -> bytes:
    """Write a telegram in any form; raise EncodeError if it is too long."""
    body = bytes([control]) + address.raw + data
    length = len(body) + (_b_crcs(1 + len(body)) * _CRC if form is Form.B else 0)
    if length > 0xFF:
        raise EncodeError(f"a wireless telegram has 255 bytes after its L field at most, got {length}")
    plain = bytes([length]) + body
    if form is Form.BARE:
        return plain
    blocks = _blocks_a(plain) if form is Form.A else _blocks_b(plain)
    return b"".join(block + crc16(block).to_bytes(_CRC, "big") for block in blocks)


def crc16(data: bytes) -> int:
    """CRC-16/EN-13757: polynomial 3D65, from 0, inverted."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _TABLE[crc >> 8 ^ byte]
    return crc ^ _FINAL


def _without_crcs(raw: bytes) -> tuple[Form, bytes]:
    length = raw[0] + 1
    blocks = 1 + -(-(length - HEAD) // _BLOCK_A)
    if len(raw) == length + blocks * _CRC:
        return Form.A, b"".join(_checked(raw, start, end) for start, end in _spans_a(len(raw)))
    if len(raw) != length:
        raise FrameError(
            f"L field: a telegram of L = {raw[0]} is {length} bytes without CRCs or in format B,"
            f" {length + blocks * _CRC} in format A, got {len(raw)}"
        )
    if length >= HEAD + _CRC and _holds_b(raw):
        return Form.B, b"".join(raw[start : end - _CRC] for start, end in _spans_b(length))
    return Form.BARE, raw


def _checked(raw: bytes, start: int, end: int) -> bytes:
    block, got = raw[start : end - _CRC], int.from_bytes(raw[end - _CRC : end], "big")
    if (crc := crc16(block)) != got:
        raise FrameError(f"CRC of the block from byte {start}: bytes {end - _CRC} on are {got:04x}, it is {crc:04x}")
    return block


def _holds_b(raw: bytes) -> bool:
    # Bytes without CRCs have the length of format B: only the CRCs tell them apart.
    spans = list(_spans_b(len(raw)))
    return all(
        end - start > _CRC and crc16(raw[start : end - _CRC]) == int.from_bytes(raw[end - _CRC : end], "big")
        for start, end in spans
    )


def _spans_a(size: int) -> Iterator[tuple[int, int]]:
    start, end = 0, HEAD + _CRC
    while start < size:
        yield start, min(end, size)
        start, end = end, end + _BLOCK_A + _CRC


def _spans_b(size: int) -> Iterator[tuple[int, int]]:
    second = min(size, _SECOND_END + _CRC)
    yield 0, second
    if second < size:
        yield second, size


def _blocks_a(plain: bytes) -> list[bytes]:
    return [plain[:HEAD], *(plain[at : at + _BLOCK_A] for at in range(HEAD, len(plain), _BLOCK_A))]


def _blocks_b(plain: bytes) -> list[bytes]:
    return [block for block in (plain[:_SECOND_END], plain[_SECOND_END:]) if block]


def _b_crcs(size: int) -> int:
    return 2 if size > _SECOND_END else 1


def _table() -> Iterator[int]:
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (_POLYNOMIAL if crc & 0x8000 else 0)) & 0xFFFF
        yield crc


_TABLE = tuple(_table())
