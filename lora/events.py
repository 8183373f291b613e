"""What the network server says happened, and what it asks to be stored and sent.

A list of events is one unit: everything in it is stored in one transaction, and only then are its downlinks sent. State
stands before the event it belongs to. Times are microseconds UTC by the node's own clock; `receptions` are best SNR
first.
"""

from dataclasses import dataclass
from enum import StrEnum

from lora.commands import MacCommand
from lora.errors import (
    CounterEndError,
    DevNonceError,
    ExhaustedError,
    JoinError,
    JoinMicError,
    ReplayError,
    UnknownAddressError,
    UnknownDeviceError,
    UplinkError,
    UplinkMicError,
    WrongJoinEuiError,
)
from lora.identifiers import DevAddr, Eui
from lora.join import Activation
from lora.radio import Reception, Transmission
from lora.session import Session


class Refusal(StrEnum):
    """Why a frame changed nothing."""

    NOT_LORAWAN = "not_lorawan"
    NOT_AN_UPLINK = "not_an_uplink"
    NOT_OF_REGION = "not_of_region"
    BUSY = "busy"
    UNKNOWN_DEVICE = "unknown_device"
    WRONG_JOIN_EUI = "wrong_join_eui"
    BROKEN_MIC = "broken_mic"
    DEV_NONCE_REPLAYED = "dev_nonce_replayed"
    EXHAUSTED = "exhausted"
    UNKNOWN_ADDRESS = "unknown_address"
    REPLAY = "replay"
    COUNTER_END = "counter_end"


class Failure(StrEnum):
    """Why a device does not do what the network asked."""

    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_DONE = "not_done"


class Window(StrEnum):
    """Which receive window a downlink goes to."""

    RX1 = "RX1"
    RX2 = "RX2"


@dataclass(frozen=True, slots=True)
class ActivationChanged:
    """To be stored: a device used `dev_nonce`, and was given `activation.join_nonce`."""

    activation: Activation
    dev_nonce: int


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """To be stored: the next state of a session, or a new one."""

    session: Session


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """To be stored: a session that a later one has replaced."""

    session: Session


@dataclass(frozen=True, slots=True)
class FrameRefused:
    """A gateway heard something that is no uplink of this network's kind."""

    gateway: Eui
    reason: Refusal
    text: str
    at_us: int


@dataclass(frozen=True, slots=True)
class ReceivedLate:
    """Another gateway brought a frame after its window had closed: `receptions` are all of it, this one last."""

    payload: bytes
    receptions: tuple[Reception, ...]
    at_us: int


@dataclass(frozen=True, slots=True)
class JoinAccepted:
    """A device joined: its session is new, and the answer is scheduled."""

    session: Session
    join_eui: Eui
    dev_nonce: int
    receptions: tuple[Reception, ...]
    at_us: int


@dataclass(frozen=True, slots=True)
class JoinRefused:
    """A join request changed nothing; the ids are as the request says, which a stranger may have written."""

    reason: Refusal
    text: str
    dev_eui: Eui
    join_eui: Eui
    dev_nonce: int
    receptions: tuple[Reception, ...]
    at_us: int


@dataclass(frozen=True, slots=True)
class UplinkAccepted:
    """A data frame that is new and authentic.

    `payload` is decrypted: None where this node may not read it, and empty where the frame has none; `port` is None
    then. Port 0 never comes here as payload: its MAC commands stand in `commands`, with those of FOpts.
    """

    session: Session
    fcnt: int
    port: int | None
    payload: bytes | None
    confirmed: bool
    adr: bool
    commands: tuple[MacCommand, ...]
    receptions: tuple[Reception, ...]
    at_us: int

    @property
    def dev_eui(self) -> Eui:
        """The device."""
        return self.session.dev_eui


@dataclass(frozen=True, slots=True)
class UplinkRepeated:
    """The last frame once more, by NbTrans or for want of its acknowledgement, which is sent again. No new reading."""

    session: Session
    fcnt: int
    receptions: tuple[Reception, ...]
    at_us: int


@dataclass(frozen=True, slots=True)
class UplinkRefused:
    """A data frame that changed nothing; `fcnt` is the 16 bits on the air, `dev_eui` is known for a replay only."""

    reason: Refusal
    text: str
    dev_addr: DevAddr
    fcnt: int
    dev_eui: Eui | None
    receptions: tuple[Reception, ...]
    at_us: int


@dataclass(frozen=True, slots=True)
class DownlinkScheduled:
    """To be sent once everything before it is stored: `transmission` through `gateway`, `delay_s` after the uplink."""

    id: int
    dev_eui: Eui
    gateway: Eui
    transmission: Transmission
    window: Window
    dr: int
    delay_s: int
    airtime_us: int
    fcnt: int | None = None


@dataclass(frozen=True, slots=True)
class DownlinkSent:
    """A gateway took a downlink into its schedule."""

    id: int
    dev_eui: Eui
    gateway: Eui


@dataclass(frozen=True, slots=True)
class DownlinkFailed:
    """A downlink went out through no gateway and no window."""

    id: int
    dev_eui: Eui
    reason: str


@dataclass(frozen=True, slots=True)
class QueuedDelivered:
    """A queued downlink is done: sent where it asks for no acknowledgement, else acknowledged by the device."""

    dev_eui: Eui
    queued_id: int
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class QueuedAbandoned:
    """A confirmed queued downlink that the device never acknowledged."""

    dev_eui: Eui
    queued_id: int


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A device refused MAC commands, never answered them, or said yes and did otherwise: `answers` are its own."""

    dev_eui: Eui
    failure: Failure
    commands: tuple[MacCommand, ...]
    answers: tuple[MacCommand, ...] = ()


Event = (
    ActivationChanged
    | SessionChanged
    | SessionEnded
    | FrameRefused
    | ReceivedLate
    | JoinAccepted
    | JoinRefused
    | UplinkAccepted
    | UplinkRepeated
    | UplinkRefused
    | DownlinkScheduled
    | DownlinkSent
    | DownlinkFailed
    | QueuedDelivered
    | QueuedAbandoned
    | CommandFailed
)

_JOIN_REASONS: dict[type[JoinError], Refusal] = {
    UnknownDeviceError: Refusal.UNKNOWN_DEVICE,
    WrongJoinEuiError: Refusal.WRONG_JOIN_EUI,
    JoinMicError: Refusal.BROKEN_MIC,
    DevNonceError: Refusal.DEV_NONCE_REPLAYED,
    ExhaustedError: Refusal.EXHAUSTED,
}
_UPLINK_REASONS: dict[type[UplinkError], Refusal] = {
    UnknownAddressError: Refusal.UNKNOWN_ADDRESS,
    UplinkMicError: Refusal.BROKEN_MIC,
    ReplayError: Refusal.REPLAY,
    CounterEndError: Refusal.COUNTER_END,
}


def join_refusal(error: JoinError) -> Refusal:
    """The reason that an error stands for."""
    return _JOIN_REASONS[type(error)]


def uplink_refusal(error: UplinkError) -> Refusal:
    """The reason that an error stands for."""
    return _UPLINK_REASONS[type(error)]
