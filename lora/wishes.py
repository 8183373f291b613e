"""What a network would ask of a device, by what the device uses: the differences as MAC commands, encoded.

A wish that the network's region does not have is refused at once, since wishes become the state of devices.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

from lora.adr import Limits, Settings
from lora.commands import (
    DlChannelReq,
    DutyCycleReq,
    LinkAdrReq,
    MacCommand,
    NewChannelReq,
    RxParamSetupReq,
    RxTimingSetupReq,
)
from lora.errors import RegionError
from lora.join import Network
from lora.link import Link, channel_row, share
from lora.mac import encode_command, encode_commands
from lora.radio import LoraRate
from lora.region import MASK_ALL, MAX_CHANNELS, Region
from lora.session import RxParams, Session

# 1.0.4, 5.2: a device leaves the rate or the power as it is.
KEEP = 15
ADR_BANDWIDTH_HZ = 125_000
KEPT = 4096

# What is asked and answered as one, encoded: one command, or a block of LinkADRReq.
Request = bytes


@dataclass(frozen=True, slots=True)
class Needs:
    """What follows from a link alone: how far ADR may go, what is to be changed, whether channels are switched."""

    settings: Settings
    limits: Limits
    requests: tuple[Request, ...]
    switches: bool


class Wishes:
    """What one network wants. Raise RegionError or EncodeError for what its region does not have."""

    def __init__(self, network: Network) -> None:
        _check(network)
        self.policy = network.policy
        self.rx = share(network.rx)
        self._region = network.region
        self._added = tuple(map(channel_row, network.channels))
        self._floors_db = _floors(network.region)
        self.needs = lru_cache(maxsize=KEPT)(self._find_needs)
        self._adaptations = lru_cache(maxsize=KEPT)(self._adaptation)

    def adaptation(self, session: Session, settings: Settings | None, *, keeps: bool) -> Request:
        """The LinkADRReqs for these settings, or for the channels alone; `keeps`: the device keeps rate and power."""
        return self._adaptations(session.link, settings, keeps, session.control.takes_masks)

    def _adaptation(self, link: Link, settings: Settings | None, keeps: bool, takes_masks: bool) -> Request:
        wanted = settings or link.settings
        dr, tx_power = (KEEP, KEEP) if keeps else (wanted.dr, wanted.tx_power)
        defined = link.channels(self._region)
        enabled = self._enabled(link)
        block = [
            LinkAdrReq(dr, tx_power, mask, control, wanted.nb_trans) for control, mask in self._region.masks(enabled)
        ]
        if not takes_masks and len(enabled) == len(defined) <= MAX_CHANNELS:
            # Its channels may not be those known here: all that it has (control 6) it cannot refuse.
            return encode_command(replace(block[-1], mask_control=MASK_ALL))
        return encode_commands(tuple(block))

    def windows(self, have: RxParams) -> list[Request]:
        """What brings a device to the windows that are wanted."""
        want = self.rx
        found: list[Request] = []
        if replace(have, rx1_delay_s=want.rx1_delay_s) != want:
            found.append(encode_command(RxParamSetupReq(want.rx1_dr_offset, want.rx2_dr, want.rx2_frequency_hz)))
        if have.rx1_delay_s != want.rx1_delay_s:
            found.append(encode_command(RxTimingSetupReq(want.rx1_delay_s)))
        return found

    def _find_needs(self, link: Link) -> Needs:
        on = self._enabled(link)
        off = sum(1 << index for index in link.channels(self._region) if index not in on)
        found: list[MacCommand] = [*self._channels(link), *self._moves(link), *self._rest(link)]
        requests = tuple(encode_command(one) for one in found)
        return Needs(link.settings, self._base_limits(link), requests, off != link.off)

    def _enabled(self, link: Link) -> list[int]:
        """The channels of the device that are to be on: those it has on, where it would be left with none."""
        wanted = [index for index in link.channels(self._region) if index not in self.policy.disabled]
        return wanted or sorted(link.enabled(self._region))

    def _channels(self, link: Link) -> Iterable[NewChannelReq]:
        for index, (old, new) in enumerate(zip_longest(link.added, self._added), len(self._region.channels)):
            if new != old:
                hz, low, high = new or (0, 0, 0)
                yield NewChannelReq(index, hz, high, low)

    def _moves(self, link: Link) -> Iterable[DlChannelReq]:
        channels = link.channels(self._region)
        want, have = dict(self.policy.downlinks_hz), dict(link.downlinks_hz)
        for index, channel in channels.items():
            wanted = want.get(index, channel.frequency_hz)
            if wanted != have.get(index, channel.frequency_hz):
                yield DlChannelReq(index, wanted)

    def _rest(self, link: Link) -> Iterable[MacCommand]:
        policy = self.policy
        if link.duty_cycle != policy.duty_cycle:
            yield DutyCycleReq(policy.duty_cycle)
        if policy.tx_params is not None and link.tx_params != policy.tx_params:
            yield policy.tx_params

    def _base_limits(self, link: Link) -> Limits:
        region, policy = self._region, self.policy
        channels = link.channels(region)
        usable = [channels[index] for index in link.enabled(region)]
        fastest = len(self._floors_db) - 1
        if policy.max_dr is not None:
            fastest = min(fastest, policy.max_dr)
        rates = (dr for dr in range(fastest, -1, -1) if any(one.min_dr <= dr <= one.max_dr for one in usable))
        power = region.tx_powers - 1
        if policy.max_tx_power is not None:
            power = min(power, policy.max_tx_power)
        return Limits(next(rates, 0), power, self._floors_db, policy.margin_db)


def _floors(region: Region) -> tuple[float, ...]:
    """What the data rates from 0 on need that ADR goes through: LoRa at 125 kHz."""
    floors: list[float] = []
    for rate in region.rates:
        if not isinstance(rate, LoraRate) or rate.bandwidth_hz != ADR_BANDWIDTH_HZ:
            break
        floors.append(rate.required_snr_db)
    return tuple(floors)


def _check(network: Network) -> None:
    """Require wishes that the region has: they become the state of devices."""
    region, policy, rx = network.region, network.policy, network.rx
    region.rx1_dr(0, rx.rx1_dr_offset)
    region.rate(rx.rx2_dr)
    own = len(region.channels)
    count = own + len(network.channels)
    if count > max(own, MAX_CHANNELS):
        raise RegionError(f"{region.name} has {MAX_CHANNELS} channels, these would be {count}")
    for channel in network.channels:
        region.check_frequency(channel.frequency_hz)
        if not channel.min_dr <= channel.max_dr:
            raise RegionError(f"a channel with DR{channel.min_dr} to DR{channel.max_dr}")
        region.rate(channel.min_dr)
        region.rate(channel.max_dr)
    for hz in (rx.rx2_frequency_hz, *(hz for _, hz in policy.downlinks_hz)):
        region.check_frequency(hz)
    indices = {*policy.disabled, *(index for index, _ in policy.downlinks_hz)}
    if not indices <= set(range(count)) or len(policy.disabled) >= count:
        raise RegionError(f"{region.name} would have channels 0 to {count - 1}, and one of them on")
    if not 1 <= rx.rx1_delay_s <= 15:
        raise RegionError(f"RX1 opens after 1 to 15 s, got {rx.rx1_delay_s}")
    for value, most in ((policy.max_dr, len(region.rates)), (policy.max_tx_power, region.tx_powers)):
        if value is not None and not 0 <= value < most:
            raise RegionError(f"{region.name} has no index {value} of {most}")
    encode_command(DutyCycleReq(policy.duty_cycle))
    if policy.tx_params is not None:
        if not region.sets_tx_params:
            raise RegionError(f"devices of {region.name} do not know TXParamSetupReq")
        encode_command(policy.tx_params)
