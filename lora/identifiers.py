"""Names of devices and networks, each of its own type.

On the air every one of them is little-endian (LoRaWAN 1.0.3, 1.4 and 4); in text all are most significant digit first.
"""

from dataclasses import dataclass

from lora.errors import IdentifierError

EUI_SIZE = 8
NET_ID_BITS = 24
ADDRESS_BITS = 32
NETWORK_ID_BITS = 7
NETWORK_ADDRESS_BITS = 25
_SEPARATORS = str.maketrans("", "", "-: ")
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True, order=True)
class Eui:
    """An EUI-64: a DevEUI, a JoinEUI (AppEUI in LoRaWAN 1.0) or a gateway's id; 8 bytes, most significant first."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != EUI_SIZE:
            raise IdentifierError(f"an EUI is {EUI_SIZE} bytes, got {len(self.raw)}")

    def __str__(self) -> str:
        return self.raw.hex()


@dataclass(frozen=True, slots=True, order=True)
class NetId:
    """A network's 24-bit id; its seven low bits are the NwkID that addresses begin with (1.0.3, 6.2.5)."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << NET_ID_BITS:
            raise IdentifierError(f"a NetID is {NET_ID_BITS} bits, got {self.value}")

    def __str__(self) -> str:
        return f"{self.value:06x}"

    @property
    def network(self) -> int:
        """The NwkID: seven bits."""
        return self.value & (1 << NETWORK_ID_BITS) - 1

    def address(self, number: int) -> "DevAddr":
        """The address of this network with that NwkAddr: 25 bits, the rest is cut."""
        return DevAddr(self.network << NETWORK_ADDRESS_BITS | number & (1 << NETWORK_ADDRESS_BITS) - 1)


@dataclass(frozen=True, slots=True, order=True)
class DevAddr:
    """A session's 32-bit address: state of a session, never a device's identity."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << ADDRESS_BITS:
            raise IdentifierError(f"a DevAddr is {ADDRESS_BITS} bits, got {self.value}")

    def __str__(self) -> str:
        return f"{self.value:08x}"

    @property
    def network(self) -> int:
        """The NwkID: the seven bits that the address begins with."""
        return self.value >> NETWORK_ADDRESS_BITS


def parse_eui(text: str) -> Eui:
    """Read 16 hex digits, with or without `-`, `:` or blanks between; raise IdentifierError."""
    return Eui(_digits(text.translate(_SEPARATORS), EUI_SIZE * 2, "an EUI"))


def parse_dev_addr(text: str) -> DevAddr:
    """Read 8 hex digits; raise IdentifierError."""
    return DevAddr(int.from_bytes(_digits(text, 8, "a DevAddr"), "big"))


def parse_net_id(text: str) -> NetId:
    """Read 6 hex digits; raise IdentifierError."""
    return NetId(int.from_bytes(_digits(text, 6, "a NetID"), "big"))


def _digits(text: str, count: int, what: str) -> bytes:
    if len(text) != count or not _HEX.issuperset(text):
        raise IdentifierError(f"{what} is {count} hex digits, got {text[:40]!r}")
    return bytes.fromhex(text)
