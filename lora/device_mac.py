"""The MAC side of a virtual end device: what the network sets by commands, and the answers it is owed (1.0.3, 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lora.commands import (
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
    DutyCycleAns,
    DutyCycleReq,
    LinkAdrAns,
    LinkAdrReq,
    MacCommand,
    NewChannelAns,
    NewChannelReq,
    RxParamSetupAns,
    RxParamSetupReq,
    RxTimingSetupAns,
    RxTimingSetupReq,
)
from lora.errors import RegionError
from lora.frame import JoinAccept
from lora.region import MAX_CHANNELS, MAX_RX1_DR_OFFSET, Channel, Region
from lora.session import RxParams

UNKNOWN_BATTERY = 255
DEFAULT_DR = 5
STICKY = (RxParamSetupAns, RxTimingSetupAns, DlChannelAns)


@dataclass(frozen=True, slots=True)
class RadioState:
    """Channels by index, those switched on, RX1 frequencies that differ, rate, power, windows, NbTrans, duty."""

    channels: dict[int, Channel]
    enabled: frozenset[int]
    rx: RxParams
    dr: int = DEFAULT_DR
    tx_power: int = 0
    downlinks_hz: dict[int, int] = field(default_factory=dict)
    nb_trans: int = 1
    duty_cycle: int = 0


class MacSide:
    """Applies commands and keeps the answers until they were sent."""

    def __init__(self, region: Region, accept: JoinAccept | None = None) -> None:
        self._region = region
        channels = dict(enumerate(region.channels))
        rx = RxParams.of_region(region)
        if accept is not None:
            added = region.decode_cf_list(accept.cf_list)
            channels |= {len(channels) + index: Channel(hz) for index, hz in enumerate(added)}
            rx = replace(rx, rx1_delay_s=accept.rx_delay_s, rx1_dr_offset=accept.rx1_dr_offset, rx2_dr=accept.rx2_dr)
        self.state = RadioState(channels, frozenset(channels), rx)
        self._answers: list[MacCommand] = []
        self._repeated: list[MacCommand] = []

    @property
    def owed(self) -> tuple[MacCommand, ...]:
        """The answers that the next frame carries."""
        return (*self._repeated, *self._answers)

    def usable(self) -> tuple[Channel, ...]:
        """The channels an uplink may go out on, at the rate that is set."""
        state = self.state
        found = [state.channels[index] for index in sorted(state.enabled)]
        return tuple(one for one in found if one.min_dr <= state.dr <= one.max_dr) or tuple(found)

    def answered(self) -> None:
        """The answers were sent: those on windows again and again until a downlink comes (5.4, 5.7, 5.9)."""
        self._repeated = [answer for answer in self.owed if isinstance(answer, STICKY)]
        self._answers = []

    def take(self, commands: Sequence[MacCommand]) -> None:
        """Apply what a downlink commands, and owe its answers; LinkCheckAns and DeviceTimeAns ask for nothing."""
        self._repeated = []
        for command in commands:
            answer = self._apply(command)
            if answer is not None:
                self._answers.append(answer)

    def _apply(self, command: MacCommand) -> MacCommand | None:
        match command:
            case LinkAdrReq():
                return self._adapt(command)
            case RxParamSetupReq():
                return self._set_windows(command)
            case NewChannelReq():
                return self._make_channel(command)
            case DlChannelReq():
                return self._move_downlink(command)
            case RxTimingSetupReq():
                self.state = replace(self.state, rx=replace(self.state.rx, rx1_delay_s=command.delay_s))
                return RxTimingSetupAns()
            case DutyCycleReq():
                self.state = replace(self.state, duty_cycle=command.exponent)
                return DutyCycleAns()
            case DevStatusReq():
                return DevStatusAns(UNKNOWN_BATTERY, 0)
        return None

    def _adapt(self, command: LinkAdrReq) -> LinkAdrAns:
        enabled = self._region.masked(command.mask_control, command.mask, self.state.channels)
        power_ok = command.tx_power == 15 or command.tx_power < self._region.tx_powers
        rate_ok = command.dr == 15 or self._has_rate(command.dr)
        if enabled is not None and power_ok and rate_ok:
            dr = self.state.dr if command.dr == 15 else command.dr
            power = self.state.tx_power if command.tx_power == 15 else command.tx_power
            nb_trans = command.repetitions or 1
            self.state = replace(self.state, enabled=enabled, dr=dr, tx_power=power, nb_trans=nb_trans)
        return LinkAdrAns(power_ok, rate_ok, enabled is not None)

    def _set_windows(self, command: RxParamSetupReq) -> RxParamSetupAns:
        offset_ok = command.rx1_dr_offset <= MAX_RX1_DR_OFFSET
        rate_ok = self._has_rate(command.rx2_dr)
        channel_ok = self._region.contains(command.rx2_frequency_hz)
        if offset_ok and rate_ok and channel_ok:
            rx = RxParams(self.state.rx.rx1_delay_s, command.rx1_dr_offset, command.rx2_dr, command.rx2_frequency_hz)
            self.state = replace(self.state, rx=rx)
        return RxParamSetupAns(offset_ok, rate_ok, channel_ok)

    def _make_channel(self, command: NewChannelReq) -> NewChannelAns:
        # The default channels cannot be changed (RP002, 3.4.1 and 3.14.1).
        own = len(self._region.channels) <= command.index < MAX_CHANNELS
        frequency_ok = own and (command.frequency_hz == 0 or self._region.contains(command.frequency_hz))
        rates_ok = command.min_dr <= command.max_dr and self._has_rate(command.max_dr)
        if frequency_ok and rates_ok:
            channels = {index: one for index, one in self.state.channels.items() if index != command.index}
            if command.frequency_hz:
                channels[command.index] = Channel(command.frequency_hz, command.min_dr, command.max_dr)
            enabled = self.state.enabled - {command.index} | channels.keys() & {command.index}
            self.state = replace(self.state, channels=channels, enabled=frozenset(enabled))
        return NewChannelAns(rates_ok, frequency_ok)

    def _move_downlink(self, command: DlChannelReq) -> DlChannelAns:
        uplink_ok = command.index in self.state.channels
        frequency_ok = self._region.contains(command.frequency_hz)
        if uplink_ok and frequency_ok:
            moved = self.state.downlinks_hz | {command.index: command.frequency_hz}
            self.state = replace(self.state, downlinks_hz=moved)
        return DlChannelAns(uplink_ok, frequency_ok)

    def _has_rate(self, dr: int) -> bool:
        try:
            self._region.rate(dr)
        except RegionError:
            return False
        return True
