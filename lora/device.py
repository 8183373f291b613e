"""A virtual end device of class A, LoRaWAN 1.0.x: the other side of the network server. Performs no I/O.

It joins over the air, sends data, takes downlinks and answers MAC commands as a meter's radio does. It says what it
sends as `Uplink` (bytes, frequency, rate) and takes what it heard in its windows; when to send is the caller's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from lora.commands import MacCommand
from lora.crypto import Direction, crypt_payload, data_mic, derive_session_keys, join_mic, open_join_accept, same_mic
from lora.device_mac import MacSide, RadioState
from lora.errors import EncodeError, FrameError
from lora.frame import (
    COUNTER_MASK,
    MAX_FOPTS,
    DataFrame,
    FCtrl,
    MType,
    SealedJoinAccept,
    decode_frame,
    encode_data,
    encode_join_request,
)
from lora.identifiers import DevAddr, Eui
from lora.keys import Key
from lora.mac import encode_command, parse_commands
from lora.radio import Rate
from lora.region import Channel, Region
from lora.session import RxParams, full_counter

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Uplink:
    """What a device puts on the air: PHYPayload, Hz and rate."""

    payload: bytes
    frequency_hz: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """The network let the device in."""

    dev_addr: DevAddr
    dev_nonce: int
    join_nonce: int


@dataclass(frozen=True, slots=True)
class DownlinkTaken:
    """A downlink for this device: `port` is None and `payload` empty where it only acknowledges or commands."""

    port: int | None
    payload: bytes
    fcnt: int
    ack: bool
    f_pending: bool
    confirmed: bool
    commands: tuple[MacCommand, ...]


DeviceEvent = DeviceJoined | DownlinkTaken


@dataclass(slots=True)
class _Session:
    dev_addr: DevAddr
    network_key: Key
    application_key: Key
    fcnt_up: int = 0
    fcnt_down: int | None = None
    owes_ack: bool = False
    asks: list[MacCommand] = field(default_factory=list)


class VirtualDevice:
    """One end device. `dev_nonce` is the next one it will use; it counts up and must outlive the device's restarts."""

    def __init__(
        self, dev_eui: Eui, join_eui: Eui, root_key: Key, region: Region, *, random: Random, dev_nonce: int = 0
    ) -> None:
        self.dev_eui = dev_eui
        self.join_eui = join_eui
        self.dev_nonce = dev_nonce
        self._root_key = root_key
        self._region = region
        self._random = random
        self._mac = MacSide(region)
        self._asked_nonce: int | None = None
        self._session: _Session | None = None
        self._last: Uplink | None = None

    @property
    def dev_addr(self) -> DevAddr | None:
        """The address of its session, or None before a join."""
        return None if self._session is None else self._session.dev_addr

    @property
    def fcnt_up(self) -> int | None:
        """The counter of its next uplink, or None before a join."""
        return None if self._session is None else self._session.fcnt_up

    @property
    def radio(self) -> RadioState:
        """Channels, rate and windows as the network has set them."""
        return self._mac.state

    @property
    def rx(self) -> RxParams:
        """Its receive windows."""
        return self._mac.state.rx

    def join(self) -> Uplink:
        """A join request with the next DevNonce; raise EncodeError where all 65,536 are used."""
        if self.dev_nonce > COUNTER_MASK:
            raise EncodeError("every DevNonce was used: the device can never join again under this root key")
        signed = encode_join_request(self.join_eui, self.dev_eui, self.dev_nonce)
        self._asked_nonce, self.dev_nonce = self.dev_nonce, self.dev_nonce + 1
        self._mac = MacSide(self._region)
        return self._emit(signed + join_mic(self._root_key, signed))

    def send(self, port: int, payload: bytes, *, confirmed: bool = False) -> Uplink:
        """A data frame with what the device owes the network in FOpts; raise EncodeError where there is no session."""
        session = self._need_session()
        if not 1 <= port <= 223:
            raise EncodeError(f"an application's port is 1 to 223, got {port}")
        return self._send(session, port, payload, confirmed=confirmed)

    def ask(self, *questions: MacCommand) -> None:
        """Put LinkCheckReq or DeviceTimeReq in the next frame; raise EncodeError where there is no session."""
        self._need_session().asks += questions

    def again(self) -> Uplink:
        """The last frame once more, bit for bit; raise EncodeError where nothing was sent."""
        if self._last is None:
            raise EncodeError("nothing was sent yet")
        return self._last

    def receive(self, raw: bytes) -> DeviceEvent:
        """Take a frame that was heard in a window; raise FrameError where it is not for this device, or a replay."""
        frame = decode_frame(raw)
        if isinstance(frame, SealedJoinAccept):
            return self._receive_join(frame)
        if isinstance(frame, DataFrame) and not frame.is_uplink:
            return self._receive_data(frame)
        raise FrameError("a device's frame is not for a device")

    def _send(self, session: _Session, port: int, payload: bytes, *, confirmed: bool) -> Uplink:
        fopts = self._fopts(session)
        if len(payload) > self._region.max_payload(self._mac.state.dr, len(fopts)):
            raise EncodeError(f"{len(payload)} bytes do not fit DR{self._mac.state.dr}")
        address, fcnt = session.dev_addr, session.fcnt_up
        sealed = crypt_payload(session.application_key, Direction.UP, address, fcnt, payload)
        mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
        fctrl = FCtrl(adr=True, ack=session.owes_ack)
        signed = encode_data(mtype, address, fctrl, fcnt=fcnt, fopts=fopts, fport=port, payload=sealed)
        session.fcnt_up, session.owes_ack, session.asks = fcnt + 1, False, []
        self._mac.answered()
        return self._emit(signed + data_mic(session.network_key, Direction.UP, address, fcnt, signed))

    def _fopts(self, session: _Session) -> bytes:
        fopts = b""
        for command in (*self._mac.owed, *session.asks):
            encoded = encode_command(command)
            if len(fopts) + len(encoded) > MAX_FOPTS:
                break
            fopts += encoded
        return fopts

    def _receive_join(self, frame: SealedJoinAccept) -> DeviceJoined:
        if self._asked_nonce is None:
            raise FrameError("a join accept that was not asked for")
        accept = open_join_accept(self._root_key, frame)
        keys = derive_session_keys(self._root_key, accept.join_nonce, accept.net_id, self._asked_nonce)
        self._session = _Session(accept.dev_addr, keys.network, keys.application)
        self._mac = MacSide(self._region, accept)
        joined = DeviceJoined(accept.dev_addr, self._asked_nonce, accept.join_nonce)
        self._asked_nonce = None
        return joined

    def _receive_data(self, frame: DataFrame) -> DownlinkTaken:
        session = self._session
        if session is None or frame.dev_addr != session.dev_addr:
            raise FrameError(f"a frame for {frame.dev_addr}, not for this device")
        fcnt = full_counter(session.fcnt_down, frame.fcnt)
        mic = data_mic(session.network_key, Direction.DOWN, frame.dev_addr, fcnt, frame.signed)
        if fcnt == session.fcnt_down or not same_mic(mic, frame.mic):
            raise FrameError(f"downlink {frame.fcnt} is a replay, or its MIC does not hold")
        key = session.network_key if frame.fport == 0 else session.application_key
        payload = crypt_payload(key, Direction.DOWN, frame.dev_addr, fcnt, frame.payload)
        session.fcnt_down, session.owes_ack = fcnt, frame.is_confirmed
        commands = parse_commands(Direction.DOWN, payload if frame.fport == 0 else frame.fopts).commands
        self._mac.take(commands)
        port, data = (frame.fport, payload) if frame.fport else (None, b"")
        fctrl = frame.fctrl
        return DownlinkTaken(port, data, fcnt, fctrl.ack, fctrl.f_pending, frame.is_confirmed, commands)

    def _need_session(self) -> _Session:
        if self._session is None:
            raise EncodeError(f"{self.dev_eui} has not joined")
        return self._session

    def _emit(self, payload: bytes) -> Uplink:
        channels = self._mac.usable()
        channel: Channel = channels[int.from_bytes(self._random(2), "big") % len(channels)]
        self._last = Uplink(payload, channel.frequency_hz, self._region.rate(self._mac.state.dr))
        return self._last
