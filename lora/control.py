"""The network's side of MAC commands: what is asked of a device, and what its answers change (1.0.3, clause 5).

A device is asked where what it uses differs from what the network wants (`lora.wishes`, `lora.adr`), in answer to one
of its frames, and again with each frame until it answers or `MAX_TRIES` were in vain. Answers are counted once: a
device answers in its next frame, and four answers (`STICKY`) it repeats until it hears a downlink, so that the network
always knows its windows. While it repeats one it is not asked that anew, since the old answer would be taken for the
new one. A request that a device refuses changes nothing, and is not asked of it again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lora.adr import Limits, decide, note
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
from lora.events import CommandFailed, Event, Failure
from lora.frame import DataFrame
from lora.identifiers import Eui
from lora.join import Network
from lora.link import IDLE, Control, Link, Status, share
from lora.mac import encode_command, parse_commands
from lora.radio import Heard
from lora.session import Match, RxParams, Session, accept
from lora.wishes import KEEP, Request, Wishes

MAX_TRIES = 5
MAX_REFUSED = 16
SECOND_US = 1_000_000
QUIET_US = 86_400 * SECOND_US
KEEPS_SINCE = "1.0.4"
MOVES_SINCE = "1.0.2"
STICKY = (RxParamSetupAns, RxTimingSetupAns, TxParamSetupAns, DlChannelAns)
_STATUS = encode_command(DevStatusReq())


class Controller:
    """Asks and hears the devices of one network."""

    def __init__(self, network: Network, version_of: Callable[[Eui], str]) -> None:
        self._region = network.region
        self._wishes = Wishes(network)
        self._policy = network.policy
        self._version_of = version_of

    def observe(
        self, match: Match, frame: DataFrame, commands: Sequence[MacCommand], heard: Heard, now_us: int
    ) -> tuple[Session, list[Event]]:
        """The session after a new frame, and what became of what was asked; `heard` is the best reception."""
        session = match.session
        events: list[Event] = []
        rx, link, control, status = session.rx, session.link, session.control, session.status
        if control.asked:
            rx, link, control, events = self._settle(session, commands, now_us)
            status = _status(session, commands, now_us)
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
        return accept(match, frame, (rx, link, control, history, status)), events

    def requests(
        self, session: Session, frame: DataFrame, commands: Sequence[MacCommand], now_us: int
    ) -> tuple[Request, ...]:
        """What is to be asked of the device in answer to this frame, the most wanted first."""
        link, control = session.link, session.control
        needs = self._wishes.needs(link)
        settings = None
        if self._policy.adr and frame.fctrl.adr and link.dr is not None:
            settings = decide(session.history, needs.settings, _limits(needs.limits, control))
        is_due = self._is_status_due(session, now_us)
        switches = settings is not None or needs.switches
        if not (switches or needs.requests or is_due) and session.rx == self._wishes.rx:
            return ()
        version = self._version_of(session.dev_eui)
        found: list[Request] = []
        if switches:
            keeps = not frame.fctrl.adr and version >= KEEPS_SINCE
            found.append(self._wishes.adaptation(session, settings, keeps=keeps))
        found += needs.requests
        found += self._wishes.windows(session.rx)
        if is_due:
            found.append(_STATUS)
        not_now = {one.CID for one in commands if isinstance(one, STICKY)}
        if version < MOVES_SINCE:
            not_now |= {DlChannelReq.CID, TxParamSetupReq.CID}
        in_vain = {*control.refused, *(request for request, tries in control.asked if tries > MAX_TRIES)}
        return tuple(request for request in found if request[0] not in not_now and request not in in_vain)

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

    def _is_status_due(self, session: Session, now_us: int) -> bool:
        every_us = self._policy.status_every_s * SECOND_US
        status = session.status
        return every_us > 0 and now_us - (status.at_us if status else session.started_us) >= every_us


def is_sticky(commands: Iterable[MacCommand]) -> bool:
    """Whether a frame carries an answer that its device repeats until it hears a downlink."""
    return any(isinstance(command, STICKY) for command in commands)


def ask(control: Control, wanted: Sequence[Request], sent: Sequence[Request]) -> Control:
    """The control of a session after some of what was wanted went out."""
    tries = dict(control.asked)
    kept = [(one, tries[one]) for one in tries if one not in sent and (one in wanted or tries[one] > MAX_TRIES)]
    return replace(control, asked=(*((one, tries.get(one, 0) + 1) for one in sent), *kept))


def fitting_requests(requests: Iterable[Request], room: int) -> tuple[Request, ...]:
    """Those that fit so many bytes together, in their order."""
    found: list[Request] = []
    for request in requests:
        if len(request) <= room:
            found.append(request)
            room -= len(request)
    return tuple(found)


def _status(session: Session, commands: Sequence[MacCommand], now_us: int) -> Status | None:
    """What the device says of itself, where it was asked."""
    if not any(request == _STATUS for request, _ in session.control.asked):
        return session.status
    said = next((one for one in commands if isinstance(one, DevStatusAns)), None)
    return session.status if said is None else Status(said.battery, said.margin_db, now_us)


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
    if not all(one.mask_ok for one in said):
        control = replace(control, takes_masks=False)
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
