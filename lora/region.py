"""Regional parameters as tables: RU864-870 and EU863-870 (RP002-1.0.4, 3.4 and 3.14; 1.0.3 regional, 2.2 and 2.11).

Frequencies are in Hz, powers in dBm EIRP, delays in seconds. Duty cycles are fractions of an hour. Payload sizes are M,
the largest MACPayload without a repeater; the largest FRMPayload with empty FOpts is M - 8.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lora.errors import EncodeError, RegionError
from lora.frame import CFLIST_SIZE
from lora.radio import FskRate, LoraRate, Rate

FREQUENCY_STEP_HZ = 100
CFLIST_CHANNELS = 5
MAX_CHANNELS = 16
HEADER_SIZE = 8
MAX_RX1_DR_OFFSET = 5
MASK_EACH = 0
MASK_ALL = 6


@dataclass(frozen=True, slots=True)
class Channel:
    """An uplink channel and the data rates allowed on it."""

    frequency_hz: int
    min_dr: int = 0
    max_dr: int = 5


@dataclass(frozen=True, slots=True)
class Band:
    """A sub-band [low, high): the share of time a sender may use, and the power a gateway may send with."""

    low_hz: int
    high_hz: int
    duty_cycle: float
    power_dbm: int


@dataclass(frozen=True, slots=True)
class Region:
    """One channel plan. `max_sizes` is M by data rate; `bands` are searched in order.

    `sets_tx_params` tells whether devices know TXParamSetupReq.
    """

    name: str
    low_hz: int
    high_hz: int
    channels: tuple[Channel, ...]
    rates: tuple[Rate, ...]
    max_sizes: tuple[int, ...]
    rx2_frequency_hz: int
    rx2_dr: int
    max_eirp_dbm: int
    bands: tuple[Band, ...]
    rx1_delay_s: int = 1
    join_delay_s: int = 5
    tx_powers: int = 8
    sets_tx_params: bool = False

    def rate(self, dr: int) -> Rate:
        """The modulation of a data rate; raise RegionError."""
        if not 0 <= dr < len(self.rates):
            raise RegionError(f"{self.name} has no DR{dr}")
        return self.rates[dr]

    def find_dr(self, rate: Rate) -> int | None:
        """The data rate of a modulation, or None."""
        return self.rates.index(rate) if rate in self.rates else None

    def rx1_dr(self, uplink_dr: int, offset: int) -> int:
        """The data rate of RX1 after an uplink; raise RegionError for what the region does not have."""
        self.rate(uplink_dr)
        if not 0 <= offset <= MAX_RX1_DR_OFFSET:
            raise RegionError(f"{self.name} has RX1 offsets 0 to {MAX_RX1_DR_OFFSET}, got {offset}")
        return max(uplink_dr - offset, 0)

    def max_payload(self, dr: int, fopts: int = 0) -> int:
        """The largest FRMPayload in bytes at a data rate beside that many bytes of FOpts; raise RegionError."""
        self.rate(dr)
        return max(self.max_sizes[dr] - HEADER_SIZE - fopts, 0)

    def tx_power_dbm(self, index: int) -> int:
        """The device's EIRP of a TXPower index: two dB a step; raise RegionError."""
        if not 0 <= index < self.tx_powers:
            raise RegionError(f"{self.name} has TXPower 0 to {self.tx_powers - 1}, got {index}")
        return self.max_eirp_dbm - 2 * index

    def contains(self, frequency_hz: int) -> bool:
        """Whether a frequency lies in the region."""
        return self.low_hz <= frequency_hz <= self.high_hz

    def band(self, frequency_hz: int) -> Band:
        """The sub-band of a frequency; raise RegionError."""
        for band in self.bands:
            if band.low_hz <= frequency_hz < band.high_hz:
                return band
        raise RegionError(f"{frequency_hz} Hz is in no sub-band of {self.name}")

    def encode_cf_list(self, frequencies_hz: Sequence[int]) -> bytes:
        """CFList type 0: up to five more channels with DR0-5; nothing for none; raise EncodeError or RegionError."""
        if not frequencies_hz:
            return b""
        if len(frequencies_hz) > CFLIST_CHANNELS:
            raise EncodeError(f"a CFList has {CFLIST_CHANNELS} channels, got {len(frequencies_hz)}")
        parts = [encode_frequency(self.check_frequency(hz)) for hz in frequencies_hz]
        return b"".join(parts).ljust(CFLIST_SIZE, b"\0")

    def decode_cf_list(self, raw: bytes) -> tuple[int, ...]:
        """The frequencies of a CFList; those of another type, unused (0) or out of the region are left out."""
        if len(raw) != CFLIST_SIZE or raw[-1] != 0:
            return ()
        found = (decode_frequency(raw[index : index + 3]) for index in range(0, CFLIST_CHANNELS * 3, 3))
        return tuple(hz for hz in found if self.contains(hz))

    def check_frequency(self, frequency_hz: int) -> int:
        """Require a frequency of this region in steps of 100 Hz; raise RegionError."""
        if not self.contains(frequency_hz) or frequency_hz % FREQUENCY_STEP_HZ:
            raise RegionError(f"{frequency_hz} Hz is no channel frequency of {self.name}")
        return frequency_hz

    def masked(self, control: int, mask: int, defined: Iterable[int]) -> frozenset[int] | None:
        """The channels a LinkADRReq switches on of those defined, or None where a device must refuse it."""
        known = frozenset(defined)
        if control == MASK_ALL:
            return known
        if control != MASK_EACH:
            return None
        wanted = frozenset(index for index in range(MAX_CHANNELS) if mask >> index & 1)
        return wanted if wanted and wanted <= known else None

    def masks(self, enabled: Iterable[int]) -> tuple[tuple[int, int], ...]:
        """The channel mask controls and masks of the LinkADRReqs that leave these channels on."""
        return ((MASK_EACH, sum(1 << index for index in enabled)),)


def encode_frequency(frequency_hz: int) -> bytes:
    """24 bits in steps of 100 Hz, as NewChannelReq, RXParamSetupReq and CFList carry it; raise EncodeError."""
    if not 0 <= frequency_hz < FREQUENCY_STEP_HZ << 24 or frequency_hz % FREQUENCY_STEP_HZ:
        raise EncodeError(f"{frequency_hz} Hz does not fit 24 bits in steps of 100 Hz")
    return (frequency_hz // FREQUENCY_STEP_HZ).to_bytes(3, "little")


def decode_frequency(raw: bytes) -> int:
    """Three bytes to Hz."""
    return int.from_bytes(raw, "little") * FREQUENCY_STEP_HZ


_SF_DOWN = tuple(LoraRate(factor, 125_000) for factor in range(12, 6, -1))
_RATES: tuple[Rate, ...] = (*_SF_DOWN, LoraRate(7, 250_000), FskRate(50_000))
_MAX_SIZES = (59, 59, 59, 123, 250, 250, 250, 250)

RU864 = Region(
    name="RU864",
    low_hz=864_000_000,
    high_hz=870_000_000,
    channels=(Channel(868_900_000), Channel(869_100_000)),
    rates=_RATES,
    max_sizes=_MAX_SIZES,
    rx2_frequency_hz=869_100_000,
    rx2_dr=0,
    max_eirp_dbm=16,
    bands=(Band(864_000_000, 870_000_001, 0.01, 16),),
)

# Duty cycles and powers of ETSI EN 300 220-2, annex B; 869.4-869.65 MHz allows 500 mW ERP = 29 dBm EIRP.
EU868 = Region(
    name="EU868",
    low_hz=863_000_000,
    high_hz=870_000_000,
    channels=(Channel(868_100_000), Channel(868_300_000), Channel(868_500_000)),
    rates=_RATES,
    max_sizes=_MAX_SIZES,
    rx2_frequency_hz=869_525_000,
    rx2_dr=0,
    max_eirp_dbm=16,
    bands=(
        Band(863_000_000, 865_000_000, 0.001, 16),
        Band(865_000_000, 868_600_000, 0.01, 16),
        Band(868_600_000, 868_700_000, 0.001, 16),
        Band(868_700_000, 869_200_000, 0.001, 16),
        Band(869_200_000, 869_400_000, 0.001, 16),
        Band(869_400_000, 869_650_000, 0.1, 29),
        Band(869_650_000, 870_000_001, 0.01, 16),
    ),
)

REGIONS = {region.name: region for region in (RU864, EU868)}
_ALIASES = {"RU864-870": "RU864", "RU868": "RU864", "EU863-870": "EU868"}


def get_region(name: str) -> Region:
    """A region by its common name, in any case and with the aliases of plates; raise RegionError."""
    key = name.strip().upper()
    region = REGIONS.get(_ALIASES.get(key, key))
    if region is None:
        raise RegionError(f"no region {name[:40]!r}: known are {', '.join(REGIONS)}")
    return region
