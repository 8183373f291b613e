"""What a device uses on the air, as the network knows it, and what it was asked and has not answered.

All of it is values that many sessions share: `share` gives equal ones the same object. A device after a join stands at
the defaults of its region, so the defaults here are those.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from lora.adr import Settings
from lora.commands import LinkAdrReq, TxParamSetupReq
from lora.region import Channel, Region

SHARED = 1 << 16
T = TypeVar("T")

# Hz, lowest and highest data rate of a channel: plain numbers, since a link is looked up with each uplink.
ChannelRow = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Link:
    """What a device uses now.

    `dr` is None before its first frame. `added` are the channels behind those of its region, by index, None where one
    is not defined; `off` has a bit for each channel that is switched off; `downlinks_hz` are RX1 frequencies by channel
    where they are not the uplink's. `duty_cycle` is the exponent of DutyCycleReq.
    """

    dr: int | None = None
    tx_power: int = 0
    nb_trans: int = 1
    added: tuple[ChannelRow | None, ...] = ()
    off: int = 0
    downlinks_hz: tuple[tuple[int, int], ...] = ()
    duty_cycle: int = 0
    tx_params: TxParamSetupReq | None = None

    @property
    def settings(self) -> Settings:
        """What ADR decides on."""
        return Settings(self.dr or 0, self.tx_power, self.nb_trans)

    @property
    def frequencies_hz(self) -> tuple[int, ...]:
        """Those that are not the region's own."""
        return (*(row[0] for row in self.added if row is not None), *(hz for _, hz in self.downlinks_hz))

    def channels(self, region: Region) -> dict[int, Channel]:
        """The channels that are defined, by index."""
        own = dict(enumerate(region.channels))
        return own | {len(own) + at: Channel(*row) for at, row in enumerate(self.added) if row is not None}

    def enabled(self, region: Region) -> frozenset[int]:
        """The channels that are switched on."""
        return frozenset(index for index in self.channels(region) if not self.off >> index & 1)

    def moved(self, region: Region) -> dict[int, int]:
        """RX1 frequencies by uplink frequency, where they differ."""
        channels = self.channels(region)
        return {channels[index].frequency_hz: hz for index, hz in self.downlinks_hz if index in channels}


@dataclass(frozen=True, slots=True)
class Status:
    """The last DevStatusAns: battery (0 mains, 1-254, 255 unknown), SNR of the request in dB, when it came."""

    battery: int
    margin_db: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Control:
    """What the network asked of a device, and how it was answered.

    `asked` are commands that went out and have no answer yet, encoded, each with how often. `refused` are commands that
    this device does not take, encoded, the latest last; `max_dr`, `max_tx_power` and `min_tx_power` are what it takes
    of LinkADRReq, where it does not take all, and `takes_masks` is false once it refused one. What was asked in vain
    too often is not asked until `quiet_until_us`.
    """

    asked: tuple[tuple[bytes, int], ...] = ()
    refused: tuple[bytes, ...] = ()
    max_dr: int | None = None
    max_tx_power: int | None = None
    min_tx_power: int = 0
    takes_masks: bool = True
    quiet_until_us: int = 0

    @property
    def nb_trans(self) -> int:
        """The NbTrans that a device may use already, its answer being lost."""
        return max((request[-1] & 15 for request, _ in self.asked if request[0] == LinkAdrReq.CID), default=1)


FRESH = Link()
IDLE = Control()


def channel_row(channel: Channel) -> ChannelRow:
    """A channel as a link keeps it."""
    return channel.frequency_hz, channel.min_dr, channel.max_dr


def share(value: T) -> T:
    """One object for equal values; they are hashable and never change."""
    found: T = _shared(value)
    return found


@lru_cache(maxsize=SHARED)
def _shared(value: T) -> T:
    return value
