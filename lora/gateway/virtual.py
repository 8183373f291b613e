"""A virtual gateway: the client's side of the Semtech UDP protocol. Performs no I/O.

It reports what it heard, keeps its way open, takes orders to send and answers them as a packet forwarder does. Its
counter is the free-running 32-bit microsecond counter of a concentrator, started at an arbitrary value.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lora.airtime import time_on_air_us
from lora.errors import DatagramError
from lora.gateway.udp import (
    GatewayStat,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    decode_datagram,
    encode_datagram,
)
from lora.identifiers import Eui
from lora.radio import COUNTER_RANGE, Heard, Transmission

# What a concentrator's queue takes: not within its start-up time, not further ahead than its scheduler looks.
EARLIEST_US = 1_500
LATEST_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The server answered a datagram: `pull` tells which of the two kinds."""

    token: int
    pull: bool


@dataclass(frozen=True, slots=True)
class SendOrdered:
    """The server ordered a transmission, to go out at `at_us` of the caller's clock."""

    transmission: Transmission
    at_us: int


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """The server ordered what cannot be done; it was told so."""

    error: str


GatewayEvent = Acknowledged | SendOrdered | OrderRefused


class VirtualGateway:
    """One gateway with its own EUI, counter and tokens; `counter_at_zero` is its counter at time 0 of the caller."""

    def __init__(self, eui: Eui, random: Callable[[int], bytes], counter_at_zero: int = 0) -> None:
        self.eui = eui
        self._random = random
        self._counter_at_zero = counter_at_zero
        self._busy: list[tuple[int, int]] = []
        self._to_send: list[bytes] = []

    def counter_us(self, now_us: int) -> int:
        """The concentrator's counter."""
        return (now_us + self._counter_at_zero) % COUNTER_RANGE

    def push(self, heard: Heard, now_us: int) -> bytes:
        """A PUSH_DATA for a frame that ended now, stamped with this gateway's counter."""
        stamped = replace(heard, counter_us=self.counter_us(now_us))
        return encode_datagram(PushData(self._token(), self.eui, (stamped,)))

    def report(self, stat: GatewayStat) -> bytes:
        """A PUSH_DATA with the gateway's own report."""
        return encode_datagram(PushData(self._token(), self.eui, (), stat))

    def pull(self) -> bytes:
        """A PULL_DATA that opens or keeps the way for downlinks."""
        return encode_datagram(PullData(self._token(), self.eui))

    def receive_data(self, data: bytes, now_us: int) -> list[GatewayEvent]:
        """Take a datagram of the server; raise DatagramError. What is to be answered stands in `data_to_send`."""
        match decode_datagram(data):
            case PushAck(token):
                return [Acknowledged(token, pull=False)]
            case PullAck(token):
                return [Acknowledged(token, pull=True)]
            case PullResp(token, transmission):
                return [self._order(token, transmission, now_us)]
        raise DatagramError("a gateway's datagram, sent to a gateway")

    def data_to_send(self) -> list[bytes]:
        """Datagrams for the server, each of them once."""
        waiting, self._to_send = self._to_send, []
        return waiting

    def _order(self, token: int, transmission: Transmission, now_us: int) -> SendOrdered | OrderRefused:
        wait_us, error = 0, None
        airtime_us = time_on_air_us(transmission.rate, len(transmission.payload), crc=False)
        if transmission.counter_us is not None:
            wait_us = (transmission.counter_us - self.counter_us(now_us)) % COUNTER_RANGE
            error = self._conflict(wait_us, airtime_us, now_us)
        self._to_send.append(encode_datagram(TxAck(token, self.eui, error)))
        if error is not None:
            return OrderRefused(error)
        self._busy.append((now_us + wait_us, now_us + wait_us + airtime_us))
        return SendOrdered(transmission, now_us + wait_us)

    def _conflict(self, wait_us: int, airtime_us: int, now_us: int) -> str | None:
        # Half of the counter's range lies in the past.
        if wait_us < EARLIEST_US or wait_us >= COUNTER_RANGE // 2:
            return "TOO_LATE"
        if wait_us > LATEST_US:
            return "TOO_EARLY"
        self._busy = [entry for entry in self._busy if entry[1] > now_us]
        starts_us = now_us + wait_us
        collides = any(start < starts_us + airtime_us and starts_us < end for start, end in self._busy)
        return "COLLISION_PACKET" if collides else None

    def _token(self) -> int:
        return int.from_bytes(self._random(2), "big")
