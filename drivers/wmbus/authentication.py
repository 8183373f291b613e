"""The authentication and fragmentation layer, EN 13757-7 clause 6, with the key derivation of OMS Vol. 2, 9.

`90 AFLL FCL[2] {MCL} {KI[2]} {MCR[4]} {MAC} {ML[2]}`: AFLL counts what follows it; FCL says which fields are there, in
its low byte the number of the fragment; MCL says which fields the MAC is over, and how long it is.
"""

import hmac
from dataclasses import dataclass

from drivers.errors import FrameError, MacError, UnsupportedError
from drivers.keys import Key

CI = 0x90
MAC_SIZES = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16}
"""Bytes of an AES-CMAC-128 by the authentication type in the low four bits of MCL."""
_MORE, _HAS_MCL, _HAS_ML, _HAS_MCR, _HAS_MAC, _HAS_KI = 0x4000, 0x2000, 0x1000, 0x0800, 0x0400, 0x0200
_RESERVED = 0x8100
_OVER_ML, _OVER_MCR, _OVER_KI = 0x40, 0x20, 0x10
_FROM_METER_ENC, _FROM_METER_MAC = b"\x00", b"\x01"
_PADDING = b"\x07" * 7


@dataclass(frozen=True, slots=True)
class Authentication:
    """The layer; `message` is what follows it, from the next CI field on."""

    message: bytes
    control: int = 0
    key_information: bytes = b""
    counter: bytes = b""
    mac: bytes = b""
    length: bytes = b""

    def verify(self, key: Key) -> None:
        """Raise MacError unless the MAC holds under this key (Kmac, derived)."""
        fields = (
            bytes([self.control])
            + (self.key_information if self.control & _OVER_KI else b"")
            + (self.counter if self.control & _OVER_MCR else b"")
            + (self.length if self.control & _OVER_ML else b"")
        )
        if not hmac.compare_digest(key.cmac(fields + self.message)[: len(self.mac)], self.mac):
            raise MacError("the MAC does not hold: another key, or the telegram was altered")


def decode_authentication(data: bytes) -> Authentication:
    """Read the layer of an unfragmented message; raise FrameError, or UnsupportedError for a fragment."""
    if len(data) < 4 or len(data) < 2 + data[1]:
        raise FrameError(
            f"CI 90: the authentication layer is {2 + data[1] if len(data) > 1 else 4} bytes, got {len(data)}"
        )
    control = int.from_bytes(data[2:4], "little")
    if control & _MORE or control & 0xFF > 1:
        raise UnsupportedError(f"fragment {control & 0xFF} of a message that was sent in several")
    if control & _RESERVED:
        raise UnsupportedError(f"FCL {control:04x} has reserved bits")
    fields, message = data[4 : 2 + data[1]], data[2 + data[1] :]
    mcl, fields = _take(fields, 1, control & _HAS_MCL, "MCL")
    ki, fields = _take(fields, 2, control & _HAS_KI, "KI")
    mcr, fields = _take(fields, 4, control & _HAS_MCR, "MCR")
    mac, fields = _take(fields, _mac_size(mcl) if control & _HAS_MAC else 0, control & _HAS_MAC, "MAC")
    ml, fields = _take(fields, 2, control & _HAS_ML, "ML")
    if fields:
        raise FrameError(
            f"AFLL: {len(fields)} bytes of the authentication layer belong to no field of FCL {control:04x}"
        )
    if ml and int.from_bytes(ml, "little") != len(message):
        raise FrameError(f"ML: the message is {int.from_bytes(ml, 'little')} bytes, got {len(message)}")
    return Authentication(message, mcl[0] if mcl else 0, ki, mcr, mac, ml)


def derive(key: Key, counter: bytes, meter: bytes) -> tuple[Key, Key]:
    """Kenc and Kmac for what a meter sends under this message counter; `meter` is its number in four bytes, as sent."""
    rest = counter + meter + _PADDING
    return Key(key.cmac(_FROM_METER_ENC + rest)), Key(key.cmac(_FROM_METER_MAC + rest))


def _take(fields: bytes, size: int, there: int, name: str) -> tuple[bytes, bytes]:
    if not there:
        return b"", fields
    if len(fields) < size:
        raise FrameError(f"AFLL: {name} takes {size} bytes of the authentication layer, {len(fields)} are left")
    return fields[:size], fields[size:]


def _mac_size(mcl: bytes) -> int:
    kind = mcl[0] & 0x0F if mcl else 0
    if kind not in MAC_SIZES:
        raise UnsupportedError(f"authentication type {kind} of the MAC")
    return MAC_SIZES[kind]
