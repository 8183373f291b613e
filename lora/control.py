"""The network's side of MAC commands: what is asked of a device, and what its answers change (1.0.3, clause 5).

A device is asked where what it uses differs from what the network wants (`lora.policy`, `lora.adr`), in answer to one of
its frames, and again with each frame until it answers or `MAX_TRIES` were in vain. Answers are counted once: a device
answers in its next frame, and four answers (`STICKY`) it repeats until it hears a downlink, so that the network always
knows its windows: it is not asked anew for what such an answer tells of while it is being repeated. A request that a
device refuses changes nothing, and is not asked of it again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lora.adr import Limits, Settings, decide, note
from lora.commands import (
    DevStatusAns,
    DevStatusReq,
    DlChannelAns,
    DlChannelReq,
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
    TxParamSetupAns,
    TxParamSetupReq,
)
from lora.crypto import Direction
from lora.errors import RegionError
from lora.events import CommandFailed, Event, Failure
from lora.frame import DataFrame
from lora.identifiers import Eui
from lora.join import Network
from lora.link import IDLE, Control, Link, Status, channel_row, share
from lora.mac import encode_command, encode_commands, parse_commands
from lora.radio import Heard, LoraRate
from lora.region import MASK_ALL, MAX_CHANNELS, Region
from lora.session import Match, RxParams, Session, accept

MAX_TRIES = 5
MAX_REFUSED = 16
SECOND_US = 1_000_000
QUIET_US = 86_400 * SECOND_US
# 1.0.4, 5.2: a device leaves the rate or the power as it is.
KEEP = 15
KEEPS_SINCE = "1.0.4"
MOVES_SINCE = "1.0.2"
ADR_BANDWIDTH_HZ = 125_000
STICKY = (RxParamSetupAns, RxTimingSetupAns, TxParamSetupAns, DlChannelAns)
_STATUS = encode_command(DevStatusReq())

# What is asked and answered as one, encoded: one command, or a block of LinkADRReq.
Request = bytes


@dataclass(frozen=True, slots=True)
class _Needs:
    """What follows from a link alone: how far ADR may go, what is to be changed, whether channels are to be switched."""

    settings: Settings
    limits: Limits
    requests: tuple[Request, ...]
    switches: bool


class Controller:
    """Asks and hears the devices of one network. Raise RegionError or EncodeError for wishes its region does not have."""

    def __init__(self, network: Network, version_of: Callable[[Eui], str]) -> None:
        _check(network)
        self._region = network.region
        self._policy = network.policy
        self._version_of = version_of
        self._rx = share(network.rx)
        self._added = tuple(map(channel_row, network.channels))
        self._floors_db = _floors(network.region)
        self._needs = lru_cache(maxsize=4096)(self._find_needs)

    def observe(
        self, match: Match, frame: DataFrame, commands: Sequence[MacCommand], heard: Heard, now_us: int
    ) -> tuple[Session, list[Event]]:
        """The session after a new frame, and what became of what was asked; `heard` is the best reception."""
        session, events = match.session, []
        rx, link, control = session.rx, session.link, session.control
        if control.asked:
            rx, link, control, events = self._settle(session, commands, now_us)
        history = session.history if link is session.link or link.settings == session.link.settings else b""
        dr = self._region.find_dr(heard.rate)
        if dr != link.dr:
            if link is not session.link and link.settings != session.link.settings:
                control, failed = self._not_done(session, control)
                events += failed
            # The device went to another rate by itself, and possibly to full power (4.3.1.1).
            link, history = share(replace(link, dr=dr, tx_power=control.min_tx_power)), b""
        if frame.fctrl.adr:
            gap = 1 if session.fcnt_up is None else match.fcnt - session.fcnt_up
            history = note(history, heard.snr_db, gap)
        else:
            history = b""
        return accept(match, frame, (rx, link, control, history)), events

    def requests(
        self, session: Session, frame: DataFrame, commands: Sequence[MacCommand], now_us: int
    ) -> tuple[Request, ...]:
        """What is to be asked of the device in answer to this frame, the most wanted first."""
        link, control = session.link, session.control
        needs = self._needs(link)
        settings = None
        if self._policy.adr and frame.fctrl.adr and link.dr is not None:
            settings = decide(session.history, needs.settings, _limits(needs.limits, control))
        is_due = self._is_status_due(session, now_us)
        if settings is None and not needs.switches and not needs.requests and not is_due and session.rx == self._rx:
            return ()
        version = self._version_of(session.dev_eui)
        found: list[Request] = []
        if settings is not None or needs.switches:
            found.append(self._adapt(session, settings, keeps=not frame.fctrl.adr and version >= KEEPS_SINCE))
        found += needs.requests
        found += _windows(session.rx, self._rx)
        if is_due:
            found.append(_STATUS)
        barred = {encode_command(one)[:1] for one in commands if isinstance(one, STICKY)}
        if version < MOVES_SINCE:
            barred |= {bytes([DlChannelReq.CID]), bytes([TxParamSetupReq.CID])}
        barred |= {*control.refused, *(request for request, tries in control.asked if tries > MAX_TRIES)}
        return tuple(request for request in found if request not in barred and request[:1] not in barred)

    def asked(self, session: Session, wanted: Sequence[Request], sent: Sequence[Request], now_us: int) -> Control:
        """The control of a session after some of what was wanted went out."""
        control = session.control
        tries = dict(control.asked)
        kept = [(one, tries[one]) for one in tries if one not in sent and (one in wanted or tries[one] > MAX_TRIES)]
        return replace(
            control,
            asked=(*((one, tries.get(one, 0) + 1) for one in sent), *kept),
            status_asked_us=now_us if _STATUS in sent and _STATUS not in tries else control.status_asked_us,
        )

    def _settle(
        self, session: Session, commands: Sequence[MacCommand], now_us: int
    ) -> tuple[RxParams, Link, Control, list[Event]]:
        """Go through what was asked, in order, with the answers that this frame carries."""
        rx, link, control = session.rx, session.link, session.control
        events: list[Event] = []
        answers = list(commands)
        open_: list[tuple[Request, int]] = []
        for request, tries in control.asked:
            asked = _read(request)
            found = [one for one in answers if asked[0].CID == one.CID][: len(asked)]
            # Each LinkADRReq of a block is answered (5.2); with fewer answers it is not known what was applied.
            if len(found) < len(asked):
                open_.append((request, tries))
                continue
            for one in found:
                answers.remove(one)
            if not all(map(_is_yes, found)):
                control = _refuse(control, request, asked, found, link)
                events.append(CommandFailed(session.dev_eui, Failure.REFUSED, asked, tuple(found)))
            elif isinstance(found[0], DevStatusAns):
                control = replace(control, status=Status(found[0].battery, found[0].margin_db, now_us))
            else:
                for one in asked:
                    rx, link = self._apply(one, rx, link)
        control, silent = _give_up(replace(control, asked=tuple(open_)), now_us)
        events += (CommandFailed(session.dev_eui, Failure.UNANSWERED, _read(one)) for one in silent)
        return share(rx), share(link), IDLE if control == IDLE else control, events

    def _apply(self, asked: MacCommand, rx: RxParams, link: Link) -> tuple[RxParams, Link]:
        match asked:
            case LinkAdrReq():
                return rx, self._adapted(asked, link)
            case RxParamSetupReq(offset, rx2_dr, rx2_hz):
                return RxParams(rx.rx1_delay_s, offset, rx2_dr, rx2_hz), link
            case RxTimingSetupReq(delay_s):
                return replace(rx, rx1_delay_s=delay_s), link
            case NewChannelReq():
                return rx, self._with_channel(asked, link)
            case DlChannelReq(index, hz):
                moved = dict(link.downlinks_hz) | {index: hz}
                own = {at: channel.frequency_hz for at, channel in link.channels(self._region).items()}
                kept = tuple(sorted((at, hz) for at, hz in moved.items() if hz != own.get(at)))
                return rx, replace(link, downlinks_hz=kept)
            case DutyCycleReq(exponent):
                return rx, replace(link, duty_cycle=exponent)
            case TxParamSetupReq():
                return rx, replace(link, tx_params=asked)
        return rx, link

    def _adapted(self, asked: LinkAdrReq, link: Link) -> Link:
        channels = link.channels(self._region)
        enabled = self._region.masked(asked.mask_control, asked.mask, channels)
        off = link.off if enabled is None else sum(1 << index for index in channels if index not in enabled)
        return replace(
            link,
            off=off,
            dr=link.dr if asked.dr == KEEP else asked.dr,
            tx_power=link.tx_power if asked.tx_power == KEEP else asked.tx_power,
            nb_trans=asked.repetitions or 1,
        )

    def _with_channel(self, asked: NewChannelReq, link: Link) -> Link:
        at = asked.index - len(self._region.channels)
        rows = [*link.added, *[None] * (at + 1 - len(link.added))]
        rows[at] = (asked.frequency_hz, asked.min_dr, asked.max_dr) if asked.frequency_hz else None
        while rows and rows[-1] is None:
            rows.pop()
        # A channel that is made is on, and its RX1 is on its own frequency (5.6, 5.9).
        moved = tuple(one for one in link.downlinks_hz if one[0] != asked.index)
        return replace(link, added=tuple(rows), off=link.off & ~(1 << asked.index), downlinks_hz=moved)

    def _not_done(self, session: Session, control: Control) -> tuple[Control, list[Event]]:
        """The device said yes to a rate, in a frame that it sent at another one."""
        taken = [one for one, _ in session.control.asked if one[0] == LinkAdrReq.CID]
        failed = [CommandFailed(session.dev_eui, Failure.NOT_DONE, _read(one)) for one in taken]
        return replace(control, refused=(*control.refused, *taken)[-MAX_REFUSED:]), list(failed)

    def _adapt(self, session: Session, settings: Settings | None, *, keeps: bool) -> Request:
        link = session.link
        wanted = settings or link.settings
        dr, tx_power = (KEEP, KEEP) if keeps else (wanted.dr, wanted.tx_power)
        defined = link.channels(self._region)
        enabled = [index for index in defined if index not in self._policy.disabled]
        block = [
            LinkAdrReq(dr, tx_power, mask, control, wanted.nb_trans) for control, mask in self._region.masks(enabled)
        ]
        request = encode_commands(tuple(block))
        if request in session.control.refused and len(enabled) == len(defined) <= MAX_CHANNELS:
            # Its channels may not be those known here: all that it has (control 6) it cannot refuse.
            return encode_command(replace(block[-1], mask_control=MASK_ALL))
        return request

    def _is_status_due(self, session: Session, now_us: int) -> bool:
        every_us = self._policy.status_every_s * SECOND_US
        control = session.control
        if not every_us:
            return False
        waits = any(request == _STATUS for request, _ in control.asked)
        return waits or now_us - (control.status_asked_us or session.started_us) >= every_us

    def _find_needs(self, link: Link) -> _Needs:
        defined = link.channels(self._region)
        off = sum(1 << index for index in defined if index in self._policy.disabled)
        found = (*self._channels(link), *self._moves(link), *self._rest(link))
        return _Needs(link.settings, self._base_limits(link), tuple(map(encode_command, found)), off != link.off)

    def _channels(self, link: Link) -> Iterable[NewChannelReq]:
        first, most = len(self._region.channels), max(len(link.added), len(self._added))
        have = (*link.added, *[None] * (most - len(link.added)))
        want = (*self._added, *[None] * (most - len(self._added)))
        for at, (old, new) in enumerate(zip(have, want, strict=True)):
            if new != old:
                hz, low, high = new or (0, 0, 0)
                yield NewChannelReq(first + at, hz, high, low)

    def _moves(self, link: Link) -> Iterable[DlChannelReq]:
        channels = link.channels(self._region)
        want, have = dict(self._policy.downlinks_hz), dict(link.downlinks_hz)
        for index, channel in channels.items():
            wanted = want.get(index, channel.frequency_hz)
            if wanted != have.get(index, channel.frequency_hz):
                yield DlChannelReq(index, wanted)

    def _rest(self, link: Link) -> Iterable[MacCommand]:
        policy = self._policy
        if link.duty_cycle != policy.duty_cycle:
            yield DutyCycleReq(policy.duty_cycle)
        if policy.tx_params is not None and link.tx_params != policy.tx_params:
            yield policy.tx_params

    def _base_limits(self, link: Link) -> Limits:
        region, policy = self._region, self._policy
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


def is_sticky(commands: Iterable[MacCommand]) -> bool:
    """Whether a frame carries an answer that its device repeats until it hears a downlink."""
    return any(isinstance(command, STICKY) for command in commands)


def fitting_requests(requests: Iterable[Request], room: int) -> tuple[Request, ...]:
    """Those that fit so many bytes together, in their order."""
    found: list[Request] = []
    for request in requests:
        if len(request) <= room:
            found.append(request)
            room -= len(request)
    return tuple(found)


def _windows(have: RxParams, want: RxParams) -> list[Request]:
    found: list[Request] = []
    if (have.rx1_dr_offset, have.rx2_dr, have.rx2_frequency_hz) != (
        want.rx1_dr_offset,
        want.rx2_dr,
        want.rx2_frequency_hz,
    ):
        found.append(encode_command(RxParamSetupReq(want.rx1_dr_offset, want.rx2_dr, want.rx2_frequency_hz)))
    if have.rx1_delay_s != want.rx1_delay_s:
        found.append(encode_command(RxTimingSetupReq(want.rx1_delay_s)))
    return found


def _limits(limits: Limits, control: Control) -> Limits:
    """With what the device itself takes."""
    if control.max_dr is None and control.max_tx_power is None and not control.min_tx_power:
        return limits
    max_dr = limits.max_dr if control.max_dr is None else min(limits.max_dr, control.max_dr)
    power = limits.max_tx_power if control.max_tx_power is None else min(limits.max_tx_power, control.max_tx_power)
    return replace(limits, max_dr=max_dr, max_tx_power=power, min_tx_power=min(control.min_tx_power, power))


def _refuse(
    control: Control, request: Request, asked: Sequence[MacCommand], answers: Sequence[MacCommand], link: Link
) -> Control:
    control = replace(control, refused=(*control.refused, request)[-MAX_REFUSED:])
    last = asked[-1]
    if not isinstance(last, LinkAdrReq):
        return control
    said = [one for one in answers if isinstance(one, LinkAdrAns)]
    if not all(one.rate_ok for one in said) and link.dr is not None and KEEP > last.dr > link.dr:
        control = replace(control, max_dr=last.dr - 1)
    if not all(one.power_ok for one in said) and last.tx_power != KEEP:
        # Some radios refuse full power, too (5.2 tells them to take it at what they have).
        if last.tx_power == 0:
            control = replace(control, min_tx_power=1)
        elif last.tx_power > link.tx_power:
            control = replace(control, max_tx_power=last.tx_power - 1)
    return control


def _give_up(control: Control, now_us: int) -> tuple[Control, list[Request]]:
    """Ask no more for a day what was asked in vain `MAX_TRIES` times; after it, what was, is as if never asked."""
    if control.quiet_until_us and now_us >= control.quiet_until_us:
        asked = tuple(one for one in control.asked if one[1] <= MAX_TRIES)
        control = replace(control, asked=asked, quiet_until_us=0)
    silent = [request for request, tries in control.asked if tries == MAX_TRIES]
    if silent:
        counted = tuple((request, tries + (tries == MAX_TRIES)) for request, tries in control.asked)
        control = replace(control, asked=counted, quiet_until_us=now_us + QUIET_US)
    return control, silent


def _is_yes(answer: MacCommand) -> bool:
    match answer:
        case LinkAdrAns(power_ok, rate_ok, mask_ok):
            return power_ok and rate_ok and mask_ok
        case RxParamSetupAns(offset_ok, rate_ok, channel_ok):
            return offset_ok and rate_ok and channel_ok
        case NewChannelAns(rates_ok, frequency_ok):
            return rates_ok and frequency_ok
        case DlChannelAns(uplink_ok, frequency_ok):
            return uplink_ok and frequency_ok
    return True


def _read(request: Request) -> tuple[MacCommand, ...]:
    return parse_commands(Direction.DOWN, request).commands


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
