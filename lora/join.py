"""Activation over the air, LoRaWAN 1.0.x (1.0.3, 6.2): check a request, make the session and the answer.

What must outlive a restart is an `Activation`: which DevNonces were used and which JoinNonce was the last. A refused
request changes nothing; an accepted one gives the next activation, which is stored before the answer is sent, so that
neither nonce is ever used twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lora.crypto import derive_session_keys, join_mic, same_mic, seal_join_accept
from lora.errors import DevNonceError, ExhaustedError, JoinMicError, UnknownDeviceError, WrongJoinEuiError
from lora.frame import JoinAccept, JoinRequest
from lora.identifiers import DevAddr, Eui, NetId
from lora.link import Link, channel_row, share
from lora.policy import DEFAULT, Policy
from lora.profile import Device
from lora.region import Channel, Region
from lora.session import RxParams, Session

JOIN_NONCE_END = 1 << 24
ADDRESS_TRIES = 32

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Network:
    """What one network grants: its NetID, channel plan, windows after a join and up to five more channels in Hz.

    What no join accept carries, as the RX2 frequency and all of `policy`, is asked for by MAC commands.
    """

    net_id: NetId
    region: Region
    channels_hz: tuple[int, ...] = ()
    rx1_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_dr: int | None = None
    rx2_frequency_hz: int | None = None
    policy: Policy = DEFAULT

    @property
    def rx(self) -> RxParams:
        """The receive windows that this network wants."""
        rx2_hz = self.region.rx2_frequency_hz if self.rx2_frequency_hz is None else self.rx2_frequency_hz
        return replace(self.joined_rx, rx2_frequency_hz=rx2_hz)

    @property
    def joined_rx(self) -> RxParams:
        """The receive windows of a session after its join."""
        rx2_dr = self.region.rx2_dr if self.rx2_dr is None else self.rx2_dr
        return RxParams(self.rx1_delay_s, self.rx1_dr_offset, rx2_dr, self.region.rx2_frequency_hz)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that this network adds to those of its region."""
        return (*map(Channel, self.channels_hz), *self.policy.channels)


@dataclass(frozen=True, slots=True)
class Activation:
    """The join state of one device: the DevNonces it used and the last JoinNonce it was given (0 for none)."""

    dev_eui: Eui
    join_nonce: int = 0
    dev_nonces: frozenset[int] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """An accepted request: the state to store, and the PHYPayload that answers it."""

    activation: Activation
    session: Session
    accept: bytes


def check_join(request: JoinRequest, device: Device | None, activation: Activation) -> Device:
    """Require a request that may be answered; raise a JoinError.

    The MIC is checked before anything is said of JoinEUI and DevNonce, which a stranger may have written.
    """
    if device is None:
        raise UnknownDeviceError(f"DevEUI {request.dev_eui} is not known here")
    if not same_mic(join_mic(device.root_key, request.signed), request.mic):
        raise JoinMicError(f"the join request of {request.dev_eui} was not made with its root key")
    if request.join_eui != device.profile.join_eui:
        raise WrongJoinEuiError(f"{request.dev_eui} asks JoinEUI {request.join_eui}, not {device.profile.join_eui}")
    if request.dev_nonce in activation.dev_nonces:
        raise DevNonceError(f"DevNonce {request.dev_nonce} of {request.dev_eui} was used before")
    if device.profile.counts_dev_nonces and request.dev_nonce < max(activation.dev_nonces, default=-1):
        raise DevNonceError(f"DevNonce {request.dev_nonce} of {request.dev_eui} went back")
    if activation.join_nonce + 1 >= JOIN_NONCE_END:
        raise ExhaustedError(f"no JoinNonce is left for {request.dev_eui}")
    return device


def answer_join(
    request: JoinRequest, device: Device, activation: Activation, *, network: Network, dev_addr: DevAddr, now_us: int
) -> Joined:
    """Make session and join accept for a checked request. JoinNonce counts up per device, so it never repeats."""
    join_nonce = activation.join_nonce + 1
    keys = derive_session_keys(device.root_key, join_nonce, network.net_id, request.dev_nonce)
    session = Session(
        request.dev_eui,
        join_nonce,
        dev_addr,
        keys.network,
        keys.application if device.reads_payloads else None,
        share(network.joined_rx),
        now_us,
        link=share(Link(added=tuple(channel_row(Channel(hz)) for hz in network.channels_hz))),
    )
    accept = JoinAccept(
        join_nonce,
        network.net_id,
        dev_addr,
        session.rx.rx1_dr_offset,
        session.rx.rx2_dr,
        session.rx.rx1_delay_s,
        network.region.encode_cf_list(network.channels_hz),
    )
    used = replace(activation, join_nonce=join_nonce, dev_nonces=activation.dev_nonces | {request.dev_nonce})
    return Joined(used, session, seal_join_accept(device.root_key, accept))


def allocate_address(net_id: NetId, is_taken: Callable[[DevAddr], bool], random: Random) -> DevAddr:
    """A random free address of this network, or after some tries one that is shared: MICs tell sessions apart."""
    for _ in range(ADDRESS_TRIES):
        address = net_id.address(int.from_bytes(random(4), "big"))
        if not is_taken(address):
            return address
    return address
