"""What is on the air: data rates, what a gateway heard, what it is asked to send.

These values stand between the network server and any gateway protocol. Times are integer microseconds: `received_us` is
UTC since 1970 by the node's own clock, `counter_us` is the gateway's free-running 32-bit counter.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from lora.errors import RegionError
from lora.identifiers import Eui

COUNTER_RANGE = 1 << 32
MAX_PHY_SIZE = 255
SPREADING_FACTORS = range(5, 13)
_RATE = re.compile(r"SF([0-9]{1,2})BW([0-9]{2,4})")
# Demodulation floor by spreading factor in dB: the SX1301 data sheet's figures that LinkCheckAns is counted from.
_REQUIRED_SNR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}


@dataclass(frozen=True, slots=True)
class LoraRate:
    """LoRa modulation: spreading factor 5-12 and bandwidth in Hz."""

    spreading_factor: int
    bandwidth_hz: int

    def __post_init__(self) -> None:
        if self.spreading_factor not in SPREADING_FACTORS:
            raise RegionError(f"a spreading factor is 5 to 12, got {self.spreading_factor}")
        if not 8_000 <= self.bandwidth_hz <= 1_625_000 or self.bandwidth_hz % 1000:
            raise RegionError(f"a LoRa bandwidth is whole kHz up to 1625, got {self.bandwidth_hz} Hz")

    @property
    def required_snr_db(self) -> float:
        """The signal-to-noise ratio below which this rate is not demodulated."""
        return _REQUIRED_SNR_DB[self.spreading_factor]

    def __str__(self) -> str:
        return f"SF{self.spreading_factor}BW{self.bandwidth_hz // 1000}"


@dataclass(frozen=True, slots=True)
class FskRate:
    """GFSK modulation: bits per second."""

    bitrate_bps: int

    def __post_init__(self) -> None:
        if not 0 < self.bitrate_bps <= 1_000_000:
            raise RegionError(f"an FSK rate is 1 to 1000000 bit/s, got {self.bitrate_bps}")

    def __str__(self) -> str:
        return f"FSK{self.bitrate_bps}"


Rate = LoraRate | FskRate


@lru_cache(maxsize=256)
def parse_lora_rate(text: str) -> LoraRate:
    """Read `SF12BW125`; raise RegionError."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise RegionError(f"a LoRa rate is written SF7BW125, got {text[:40]!r}")
    return LoraRate(int(match[1]), int(match[2]) * 1000)


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame as one gateway heard it: 1-255 bytes, Hz, dBm, dB, the gateway's counter, its clock if it has one."""

    payload: bytes
    frequency_hz: int
    rate: Rate
    counter_us: int
    rssi_dbm: float = 0.0
    snr_db: float = 0.0
    gateway_time_us: int | None = None
    rf_chain: int = 0
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Reception:
    """A frame heard by a gateway and received by this node at `received_us` of its own clock."""

    gateway: Eui
    heard: Heard
    received_us: int

    @property
    def snr_db(self) -> float:
        """The signal-to-noise ratio; receptions are ordered by it."""
        return self.heard.snr_db


@dataclass(frozen=True, slots=True)
class Transmission:
    """What a gateway is asked to send: when its counter shows `counter_us`, or at once where that is None."""

    payload: bytes
    frequency_hz: int
    rate: Rate
    power_dbm: int
    counter_us: int | None = None
    rf_chain: int = 0
    inverted: bool = True


def best_first(receptions: list[Reception]) -> tuple[Reception, ...]:
    """Receptions by falling SNR, then falling RSSI, then gateway id, so that the order is the same everywhere."""
    return tuple(sorted(receptions, key=lambda r: (-r.heard.snr_db, -r.heard.rssi_dbm, r.gateway)))
