"""The extended link layer, EN 13757-4 clause 13: access number, whom it is for, and AES-CTR over all behind it.

`8C CC ACC` · `8D CC ACC SN[4] CRC[2]` · `8E CC ACC M[2] A[6]` · `8F CC ACC M[2] A[6] SN[4] CRC[2]`. The upper
three bits of SN say how what follows SN is encrypted, the CRC with it; the CRC is over all that follows it.
`86`, the layer of variable length, is not read.
"""

from dataclasses import dataclass

from drivers.errors import FrameError, MissingKeyError, UnsupportedError, WrongKeyError
from drivers.keys import Key
from drivers.wmbus.link import Address, crc16

VARIABLE = 0x86
SIZES = {0x8C: 3, 0x8D: 9, 0x8E: 11, 0x8F: 17}
"""Bytes of the layer by its CI field, which counts with them."""
_WITH_ADDRESS, _WITH_SESSION = {0x8E, 0x8F}, {0x8D, 0x8F}
_PLAIN, _AES_CTR = 0, 1
_SESSION = 4
# A repeater sets the hop and the repeated-access bit of CC, so both count as 0 in the counter block.
_FIXED_CC = 0xFF & ~0x12


@dataclass(frozen=True, slots=True)
class Extended:
    """The layer, and what stands behind it in clear. `opened` says that a key was used, `partner` whom it is for."""

    control: int
    access: int
    partner: Address | None
    data: bytes
    opened: bool = False


def is_extended(data: bytes) -> bool:
    """Whether the CI field opens an extended link layer."""
    return data[:1] == bytes([VARIABLE]) or (bool(data) and data[0] in SIZES)


def decode_extended(data: bytes, sender: Address, key: Key | None) -> Extended:
    """Read and open the layer of a telegram from `sender`.

    Raise FrameError, MissingKeyError, UnsupportedError, or WrongKeyError if the payload's CRC does not hold.
    """
    ci = data[0]
    if ci == VARIABLE:
        raise UnsupportedError("CI 86: the extended link layer of variable length")
    if len(data) < SIZES[ci]:
        raise FrameError(f"CI {ci:02x}: the extended link layer is {SIZES[ci]} bytes, got {len(data)}")
    partner = Address(data[3:11]) if ci in _WITH_ADDRESS else None
    if ci not in _WITH_SESSION:
        return Extended(data[1], data[2], partner, data[SIZES[ci] :])
    start = SIZES[ci] - _SESSION - 2
    session, body = data[start : start + _SESSION], data[start + _SESSION :]
    opened, payload = _open(body, counter_block(sender, data[1], session), session[3] >> 5, key)
    return Extended(data[1], data[2], partner, payload, opened)


def counter_block(sender: Address, control: int, session: bytes) -> bytes:
    """The first block of AES-CTR: M, A, CC, SN, frame number 0, block counter 0."""
    return sender.raw + bytes([control & _FIXED_CC]) + session + bytes(3)


def _open(body: bytes, counter: bytes, security: int, key: Key | None) -> tuple[bool, bytes]:
    if security not in (_PLAIN, _AES_CTR):
        raise UnsupportedError(f"the extended link layer has security 0 or 1, got {security}")
    if security == _AES_CTR and key is not None:
        plain = key.crypt_ctr(counter, body)
        if not _holds(plain):
            raise WrongKeyError("the CRC of the decrypted payload does not hold: another key, or the frame was altered")
        return True, plain[2:]
    # Some receivers hand on what they opened themselves, with the header as it was.
    if _holds(body):
        return False, body[2:]
    if security == _AES_CTR:
        raise MissingKeyError("the extended link layer is encrypted (AES-CTR), and there is no key")
    got = int.from_bytes(body[:2], "little")
    raise FrameError(f"CRC of the payload behind the extended link layer: {got:04x}, it is {crc16(body[2:]):04x}")


def _holds(plain: bytes) -> bool:
    return int.from_bytes(plain[:2], "little") == crc16(plain[2:])
