"""The MAC commands of LoRaWAN 1.0.x as values (1.0.3, clause 5), each with the codec of its fields.

A command has `CID` and `SIZE` (bytes after the CID). LinkCheck and DeviceTime are asked by the device, all others by
the network.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from lora.errors import EncodeError
from lora.region import decode_frequency, encode_frequency

GPS_FRACTION = 256


class MacCommand(Protocol):
    """One command: its identifier, the size of its fields, and both codecs."""

    CID: ClassVar[int]
    SIZE: ClassVar[int]

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read exactly SIZE bytes; RFU bits are dropped."""
        ...

    def encode(self) -> bytes:
        """The fields, SIZE bytes; raise EncodeError."""
        ...


@dataclass(frozen=True, slots=True)
class _Empty:
    SIZE: ClassVar[int] = 0

    @classmethod
    def decode(cls, raw: bytes) -> Self:  # noqa: ARG003 - every command has this signature
        """Read no bytes."""
        return cls()

    def encode(self) -> bytes:
        """No bytes."""
        return b""


class LinkCheckReq(_Empty):
    """Device: how well am I heard? (5.1)."""

    CID: ClassVar[int] = 0x02


@dataclass(frozen=True, slots=True)
class LinkCheckAns:
    """Network: dB above the demodulation floor 0-254, and how many gateways heard (5.1)."""

    CID: ClassVar[int] = 0x02
    SIZE: ClassVar[int] = 2

    margin_db: int
    gateways: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read two bytes."""
        return cls(raw[0], raw[1])

    def encode(self) -> bytes:
        """Two bytes; raise EncodeError."""
        return bytes([_fits(self.margin_db, 255, "margin"), _fits(self.gateways, 255, "gateway count")])


@dataclass(frozen=True, slots=True)
class LinkAdrReq:
    """Network: data rate, power index, channel mask with its control, repetitions 0-15 (5.2)."""

    CID: ClassVar[int] = 0x03
    SIZE: ClassVar[int] = 4

    dr: int
    tx_power: int
    mask: int
    mask_control: int = 0
    repetitions: int = 1

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read four bytes."""
        return cls(raw[0] >> 4, raw[0] & 15, int.from_bytes(raw[1:3], "little"), raw[3] >> 4 & 7, raw[3] & 15)

    def encode(self) -> bytes:
        """Four bytes; raise EncodeError."""
        first = _fits(self.dr, 15, "data rate") << 4 | _fits(self.tx_power, 15, "power")
        last = _fits(self.mask_control, 7, "mask control") << 4 | _fits(self.repetitions, 15, "repetitions")
        return bytes([first]) + _fits(self.mask, 0xFFFF, "mask").to_bytes(2, "little") + bytes([last])


@dataclass(frozen=True, slots=True)
class LinkAdrAns:
    """Device: which parts of a LinkADRReq it took; nothing is applied unless all three are (5.2)."""

    CID: ClassVar[int] = 0x03
    SIZE: ClassVar[int] = 1

    power_ok: bool
    rate_ok: bool
    mask_ok: bool

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(bool(raw[0] & 4), bool(raw[0] & 2), bool(raw[0] & 1))

    def encode(self) -> bytes:
        """One byte."""
        return bytes([self.power_ok << 2 | self.rate_ok << 1 | self.mask_ok])


@dataclass(frozen=True, slots=True)
class DutyCycleReq:
    """Network: the device may send 1 / 2^exponent of the time (5.3)."""

    CID: ClassVar[int] = 0x04
    SIZE: ClassVar[int] = 1

    exponent: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(raw[0] & 15)

    def encode(self) -> bytes:
        """One byte; raise EncodeError."""
        return bytes([_fits(self.exponent, 15, "duty cycle")])


class DutyCycleAns(_Empty):
    """Device: taken (5.3)."""

    CID: ClassVar[int] = 0x04


@dataclass(frozen=True, slots=True)
class RxParamSetupReq:
    """Network: RX1 offset, RX2 data rate and frequency (5.4)."""

    CID: ClassVar[int] = 0x05
    SIZE: ClassVar[int] = 4

    rx1_dr_offset: int
    rx2_dr: int
    rx2_frequency_hz: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read four bytes."""
        return cls(raw[0] >> 4 & 7, raw[0] & 15, decode_frequency(raw[1:4]))

    def encode(self) -> bytes:
        """Four bytes; raise EncodeError."""
        settings = _fits(self.rx1_dr_offset, 7, "RX1 offset") << 4 | _fits(self.rx2_dr, 15, "RX2 data rate")
        return bytes([settings]) + encode_frequency(self.rx2_frequency_hz)


@dataclass(frozen=True, slots=True)
class RxParamSetupAns:
    """Device: which parts of a RXParamSetupReq it took; repeated until a downlink comes (5.4)."""

    CID: ClassVar[int] = 0x05
    SIZE: ClassVar[int] = 1

    offset_ok: bool
    rate_ok: bool
    channel_ok: bool

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(bool(raw[0] & 4), bool(raw[0] & 2), bool(raw[0] & 1))

    def encode(self) -> bytes:
        """One byte."""
        return bytes([self.offset_ok << 2 | self.rate_ok << 1 | self.channel_ok])


class DevStatusReq(_Empty):
    """Network: how are you? (5.5)."""

    CID: ClassVar[int] = 0x06


@dataclass(frozen=True, slots=True)
class DevStatusAns:
    """Device: battery (0 mains, 1-254, 255 unknown) and SNR of the request, -32 to 31 dB (5.5)."""

    CID: ClassVar[int] = 0x06
    SIZE: ClassVar[int] = 2

    battery: int
    margin_db: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read two bytes."""
        margin = raw[1] & 0x3F
        return cls(raw[0], margin - 64 if margin > 31 else margin)

    def encode(self) -> bytes:
        """Two bytes; raise EncodeError."""
        if not -32 <= self.margin_db <= 31:
            raise EncodeError(f"a margin is -32 to 31 dB, got {self.margin_db}")
        return bytes([_fits(self.battery, 255, "battery"), self.margin_db & 0x3F])


@dataclass(frozen=True, slots=True)
class NewChannelReq:
    """Network: make a channel; frequency 0 switches it off (5.6)."""

    CID: ClassVar[int] = 0x07
    SIZE: ClassVar[int] = 5

    index: int
    frequency_hz: int
    max_dr: int = 5
    min_dr: int = 0

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read five bytes."""
        return cls(raw[0], decode_frequency(raw[1:4]), raw[4] >> 4, raw[4] & 15)

    def encode(self) -> bytes:
        """Five bytes; raise EncodeError."""
        rates = _fits(self.max_dr, 15, "data rate") << 4 | _fits(self.min_dr, 15, "data rate")
        return bytes([_fits(self.index, 255, "channel")]) + encode_frequency(self.frequency_hz) + bytes([rates])


@dataclass(frozen=True, slots=True)
class NewChannelAns:
    """Device: whether it took data rates and frequency (5.6)."""

    CID: ClassVar[int] = 0x07
    SIZE: ClassVar[int] = 1

    rates_ok: bool
    frequency_ok: bool

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(bool(raw[0] & 2), bool(raw[0] & 1))

    def encode(self) -> bytes:
        """One byte."""
        return bytes([self.rates_ok << 1 | self.frequency_ok])


@dataclass(frozen=True, slots=True)
class RxTimingSetupReq:
    """Network: seconds from the end of an uplink to RX1, 1-15 (0 on the air also means 1) (5.7)."""

    CID: ClassVar[int] = 0x08
    SIZE: ClassVar[int] = 1

    delay_s: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls((raw[0] & 15) or 1)

    def encode(self) -> bytes:
        """One byte; raise EncodeError."""
        return bytes([_fits(self.delay_s, 15, "delay")])


class RxTimingSetupAns(_Empty):
    """Device: taken; repeated until a downlink comes (5.7)."""

    CID: ClassVar[int] = 0x08


@dataclass(frozen=True, slots=True)
class TxParamSetupReq:
    """Network: dwell times and the index of the largest EIRP; not in RU864 and EU868 (5.8)."""

    CID: ClassVar[int] = 0x09
    SIZE: ClassVar[int] = 1

    downlink_dwell: bool
    uplink_dwell: bool
    eirp_index: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(bool(raw[0] & 0x20), bool(raw[0] & 0x10), raw[0] & 15)

    def encode(self) -> bytes:
        """One byte; raise EncodeError."""
        return bytes([self.downlink_dwell << 5 | self.uplink_dwell << 4 | _fits(self.eirp_index, 15, "EIRP")])


class TxParamSetupAns(_Empty):
    """Device: taken (5.8)."""

    CID: ClassVar[int] = 0x09


@dataclass(frozen=True, slots=True)
class DlChannelReq:
    """Network: another RX1 frequency for one uplink channel (5.9)."""

    CID: ClassVar[int] = 0x0A
    SIZE: ClassVar[int] = 4

    index: int
    frequency_hz: int

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read four bytes."""
        return cls(raw[0], decode_frequency(raw[1:4]))

    def encode(self) -> bytes:
        """Four bytes; raise EncodeError."""
        return bytes([_fits(self.index, 255, "channel")]) + encode_frequency(self.frequency_hz)


@dataclass(frozen=True, slots=True)
class DlChannelAns:
    """Device: whether the uplink channel exists and the frequency is usable (5.9)."""

    CID: ClassVar[int] = 0x0A
    SIZE: ClassVar[int] = 1

    uplink_ok: bool
    frequency_ok: bool

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read one byte."""
        return cls(bool(raw[0] & 2), bool(raw[0] & 1))

    def encode(self) -> bytes:
        """One byte."""
        return bytes([self.uplink_ok << 1 | self.frequency_ok])


class DeviceTimeReq(_Empty):
    """Device: what time was it at the end of this frame? (5.10)."""

    CID: ClassVar[int] = 0x0D


@dataclass(frozen=True, slots=True)
class DeviceTimeAns:
    """Network: GPS seconds mod 2^32 and 1/256 s at the end of the uplink (5.10)."""

    CID: ClassVar[int] = 0x0D
    SIZE: ClassVar[int] = 5

    gps_seconds: int
    fraction: int = 0

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read five bytes."""
        return cls(int.from_bytes(raw[:4], "little"), raw[4])

    def encode(self) -> bytes:
        """Five bytes; raise EncodeError."""
        seconds = _fits(self.gps_seconds, 0xFFFFFFFF, "GPS time").to_bytes(4, "little")
        return seconds + bytes([_fits(self.fraction, GPS_FRACTION - 1, "fraction")])


def _fits(value: int, highest: int, what: str) -> int:
    if not 0 <= value <= highest:
        raise EncodeError(f"{what} is 0 to {highest}, got {value}")
    return value
