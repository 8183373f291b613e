"""The transport layer, EN 13757-7 clauses 7 and 9: who, access number, status, and how the records are encrypted.

No header, a short one `ACC ST CF[2]` or a long one `ID[4] M[2] V T ACC ST CF[2]`. Bits 8-12 of CF are the mode, bits
4-7 count the encrypted blocks of 16 bytes; records behind them are plain. What is encrypted begins with 2F 2F.
Mode 0 is plain, 5 is AES-CBC with M, A and the access number as its first vector, 7 is AES-CBC with a derived key, a
vector of zeros and one more byte of CF.
"""

from dataclasses import dataclass
from enum import Enum

from drivers.errors import FrameError, MacError, MissingKeyError, UnprotectedError, UnsupportedError, WrongKeyError
from drivers.keys import BLOCK_SIZE, Key
from drivers.wmbus.authentication import Authentication, derive
from drivers.wmbus.link import Address

CHECK = b"\x2f\x2f"
_PLAIN, _CBC, _DERIVED_CBC = 0, 5, 7
_LONG, _SHORT = 12, 4
_KDF_OMS = 1


class Content(Enum):
    """What stands behind the header."""

    FULL = "full"
    COMPACT = "compact"
    FORMAT = "format"


# EN 13757-7 table 2: what a meter sends of M-Bus records, by CI field; header bytes and content.
CONTENTS = {
    0x72: (_LONG, Content.FULL),
    0x7A: (_SHORT, Content.FULL),
    0x78: (0, Content.FULL),
    0x73: (_LONG, Content.COMPACT),
    0x7B: (_SHORT, Content.COMPACT),
    0x79: (0, Content.COMPACT),
    0x6B: (_LONG, Content.FORMAT),
    0x6A: (_SHORT, Content.FORMAT),
    0x69: (0, Content.FORMAT),
}


class Protection(Enum):
    """How a telegram's records came."""

    NONE = "none"
    AUTHENTICATED = "authenticated"
    OPENED = "opened"
    OPENED_BEFORE = "opened-before"


@dataclass(frozen=True, slots=True)
class Header:
    """A transport layer, not opened yet. `address` is None unless the header is long; `body` follows the header."""

    content: Content
    address: Address | None = None
    access: int | None = None
    status: int = 0
    configuration: int = 0
    extension: int = 0
    body: bytes = b""

    @property
    def mode(self) -> int:
        """The security mode."""
        return self.configuration >> 8 & 0x1F

    @property
    def encrypted_size(self) -> int:
        """How many bytes of the body are encrypted."""
        return (self.configuration >> 4 & 0x0F) * BLOCK_SIZE


def decode_header(data: bytes) -> Header:
    """Read the header; raise FrameError, or UnsupportedError for another CI field or mode."""
    if not data:
        raise UnsupportedError("a telegram without a transport layer, as acknowledgements are")
    if data[0] not in CONTENTS:
        raise UnsupportedError(f"CI {data[0]:02x}: {_kind(data[0])}, no M-Bus records")
    size, content = CONTENTS[data[0]]
    if len(data) < 1 + size:
        raise FrameError(f"CI {data[0]:02x}: the header is {size} bytes, got {len(data) - 1}")
    if not size:
        return Header(content, body=data[1:])
    address = Address(data[5:7] + data[1:5] + data[7:9]) if size == _LONG else None
    at = 1 + size - _SHORT
    configuration = int.from_bytes(data[at + 2 : at + 4], "little")
    header = Header(content, address, data[at], data[at + 1], configuration, 0, data[at + 4 :])
    if header.mode not in (_PLAIN, _CBC, _DERIVED_CBC):
        raise UnsupportedError(f"unsupported mode {header.mode} of the configuration field {configuration:04x}")
    if header.mode != _DERIVED_CBC:
        return header
    if not header.body:
        raise FrameError("the configuration field of mode 7 has a third byte, the telegram ends before it")
    return Header(content, address, data[at], data[at + 1], configuration, header.body[0], header.body[1:])


def open_body(
    header: Header, meter: Address, key: Key | None, layer: Authentication | None, *, opened: bool = False
) -> tuple[Protection, bytes]:
    """The records in clear, and how they came; `meter` is who sends them.

    `layer` authenticates them, or is None; `opened` says that the layer below was decrypted with the key. Raise
    FrameError or one of its kinds: no key, a wrong one, a MAC that does not hold, no encryption where a key is.
    """
    size = header.encrypted_size if header.mode != _PLAIN else 0
    if len(header.body) < size:
        raise FrameError(
            f"{size // BLOCK_SIZE} blocks of {BLOCK_SIZE} bytes are encrypted, there are {len(header.body)} bytes"
        )
    if key is None:
        return _open_without_key(header, size)
    encryption, vector = _prepare(header, meter, key, layer)
    if not size:
        if not opened and (layer is None or not layer.mac):
            raise UnprotectedError(f"a key of {meter.name} is known, and the telegram is not encrypted")
        return Protection.OPENED if opened else Protection.AUTHENTICATED, header.body
    plain = encryption.decrypt_cbc(vector, header.body[:size])
    if not plain.startswith(CHECK):
        raise WrongKeyError("the decrypted records do not begin with 2f2f: another key, or the telegram was altered")
    return Protection.OPENED, plain[len(CHECK) :] + header.body[size:]


def _open_without_key(header: Header, size: int) -> tuple[Protection, bytes]:
    """Plain records, or such as a receiver opened and handed on under the header as it was."""
    if not size:
        return Protection.NONE, header.body
    if not header.body.startswith(CHECK):
        raise MissingKeyError(f"the records are encrypted (mode {header.mode}), and there is no key")
    return Protection.OPENED_BEFORE, header.body[len(CHECK) :]


def _prepare(header: Header, meter: Address, key: Key, layer: Authentication | None) -> tuple[Key, bytes]:
    """The key and the first vector of the mode, after the MAC that the telegram has was found to hold."""
    if header.mode == _DERIVED_CBC and (derivation := header.extension >> 4 & 3) != _KDF_OMS:
        raise UnsupportedError(f"mode 7 with key derivation {derivation}")
    encryption = key
    if layer is not None and layer.mac:
        if not layer.counter:
            raise FrameError("AFL: keys are derived by the message counter, and the layer has none")
        encryption, authentication = derive(key, layer.counter, meter.raw[2:6])
        layer.verify(authentication)
    elif header.mode == _DERIVED_CBC:
        raise MacError("mode 7 goes with a MAC, and the telegram has none")
    if header.mode == _DERIVED_CBC:
        return encryption, bytes(BLOCK_SIZE)
    return key, meter.raw + bytes([header.access or 0]) * (BLOCK_SIZE - len(meter.raw))


def _kind(ci: int) -> str:
    if 0xA0 <= ci <= 0xB7:
        return "content of the maker's own kind"
    return "an application layer of another kind"
