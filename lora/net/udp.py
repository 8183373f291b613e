"""The UDP shell of the network server: one socket, the Semtech protocol, a queue of events, one task that stores.

What a gateway says is parsed and given to the `NetworkServer` at once; what the server says of it is one unit in a
queue. One task takes units that wait, hands them to the caller's handler, which stores them in one transaction, and
only then sends the downlinks in them. So nothing is sent that was not stored, and under load many frames share one
transaction. An exception of the handler ends `serve` and nothing else: units wait at the head of the queue, the port
stays open, and `serve` goes on when it is called again.

The protocol has no authentication: who may be a gateway is the caller's word (`is_allowed`), and a datagram of anyone
else is counted and not answered.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from lora.errors import DatagramError
from lora.events import DownlinkScheduled, Event
from lora.gateway.udp import (
    Datagram,
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
from lora.join import Random
from lora.ports import Counters
from lora.server import NetworkServer

BATCH = 64
BURST = 250
RECEIVE_SIZE = 65_535
RECEIVE_BUFFER = 4 * 1024 * 1024
MAX_QUEUED = 10_000
MAX_TOKENS = 4_096
SECOND_US = 1_000_000
NO_ROUTE = "NO_ROUTE"

DATAGRAMS = "lora_datagrams"
BAD_DATAGRAMS = "lora_datagrams_bad"
BAD_PACKETS = "lora_packets_bad"
UNKNOWN_GATEWAYS = "lora_gateways_unknown"
FRAMES = "lora_frames"
SENT = "lora_downlinks_sent"
NOT_SENT = "lora_downlinks_not_sent"
UNKNOWN_TOKENS = "lora_tx_acks_unknown"

Address = tuple[str, int]
Unit = Sequence[Event]
# Stores units and answers those that stand: the downlinks of the others are not sent.
Handler = Callable[[Sequence[Unit]], Awaitable[Sequence[Unit]]]


@dataclass(frozen=True, slots=True)
class GatewaySeen:
    """The last that was heard of a gateway: times in microseconds UTC, its way for downlinks, its own report."""

    gateway: Eui
    seen_us: int
    pull_address: Address | None = None
    stat: GatewayStat | None = None


class UdpGateways:
    """The network server's side of the Semtech UDP protocol."""

    def __init__(
        self,
        server: NetworkServer,
        handler: Handler,
        *,
        now_us: Callable[[], int],
        random: Random,
        is_allowed: Callable[[Eui], bool],
        counters: Counters,
    ) -> None:
        self._server = server
        self._handler = handler
        self._now_us = now_us
        self._random = random
        self._is_allowed = is_allowed
        self._counters = counters
        self._socket: socket.socket | None = None
        self._seen: dict[Eui, GatewaySeen] = {}
        self._heard: dict[Eui, int] = {}
        self._tokens: dict[int, DownlinkScheduled] = {}
        self._queue: deque[Unit] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._reads = False
        self._buffer = memoryview(bytearray(RECEIVE_SIZE))

    @property
    def address(self) -> Address:
        """Where gateways send to; known from `bind` on."""
        if self._socket is None:
            raise RuntimeError("not bound")
        host, port = self._socket.getsockname()[:2]
        return host, port

    def seen(self) -> tuple[GatewaySeen, ...]:
        """The gateways that were heard since the start."""
        return tuple(replace(one, seen_us=self._heard[one.gateway]) for one in self._seen.values())

    def bind(self, host: str, port: int) -> Address:
        """Open the socket, port 0 for a free one; datagrams wait in it until `serve` runs. Raise OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            opened.bind((host, port))
        except OSError:
            opened.close()
            raise
        self._socket = opened
        return self.address

    async def serve(self) -> None:
        """Run until cancelled, or until the handler fails; what waits then, waits for the next call."""
        self._resume()
        while True:
            await self._handle_queue()
            self._resume()
            await self._wake.wait()
            self._wake.clear()

    def close(self) -> None:
        """Close the port; what still waits in the queue is forgotten, and nothing of it was sent."""
        self._pause()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def post(self, events: Unit) -> None:
        """Put events of the server's other doors (`enqueue`) in the same queue, in order with what gateways cause."""
        if not events:
            return
        self._queue.append(events)
        self._wake.set()
        if len(self._queue) >= MAX_QUEUED:
            self._pause()

    async def _handle_queue(self) -> None:
        while self._queue:
            if len(self._queue) <= MAX_QUEUED // 2:
                self._resume()
            # Parts of a burst, so that the first answers do not wait for the last frame to be stored.
            units = tuple(islice(self._queue, BURST))
            stored = await self._handler(units)
            for _ in units:
                self._queue.popleft()
            for event in chain.from_iterable(stored):
                if isinstance(event, DownlinkScheduled):
                    self._send_downlink(event)

    def _readable(self) -> None:
        if self._socket is None:
            return
        for _ in range(BATCH):
            try:
                size, address = self._socket.recvfrom_into(self._buffer)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                # An ICMP error of an earlier answer: it says nothing of the next datagram.
                continue
            self._take(bytes(self._buffer[:size]), address)
        self._arm()

    def _take(self, data: bytes, address: Address) -> None:
        self._counters.count(DATAGRAMS)
        try:
            datagram = decode_datagram(data)
        except DatagramError:
            self._counters.count(BAD_DATAGRAMS)
            return
        if not isinstance(datagram, PushData | PullData | TxAck):
            self._counters.count(BAD_DATAGRAMS)
            return
        if not self._is_allowed(datagram.gateway):
            self._counters.count(UNKNOWN_GATEWAYS)
            return
        self._dispatch(datagram, address)

    def _dispatch(self, datagram: PushData | PullData | TxAck, address: Address) -> None:
        now_us = self._now_us()
        match datagram:
            case PushData():
                self._send(PushAck(datagram.token), address)
                self._note(datagram.gateway, now_us, None, datagram.stat)
                self._take_frames(datagram, now_us)
            case PullData():
                self._send(PullAck(datagram.token), address)
                self._note(datagram.gateway, now_us, address, None)
            case TxAck():
                self._take_tx_ack(datagram, now_us)

    def _take_frames(self, push: PushData, now_us: int) -> None:
        if push.refused:
            self._counters.count(BAD_PACKETS, len(push.refused))
        for heard in push.heard:
            self._counters.count(FRAMES)
            self.post(self._server.receive(push.gateway, heard, now_us))

    def _take_tx_ack(self, ack: TxAck, now_us: int) -> None:
        scheduled = self._tokens.get(ack.token)
        if scheduled is None or scheduled.gateway != ack.gateway:
            self._counters.count(UNKNOWN_TOKENS)
            return
        del self._tokens[ack.token]
        self.post(self._server.handle_tx_result(scheduled.id, ack.error, now_us))

    def _note(self, gateway: Eui, now_us: int, address: Address | None, stat: GatewayStat | None) -> None:
        self._heard[gateway] = now_us
        before = self._seen.get(gateway)
        if before is None or address is not None or stat is not None:
            known = (before.pull_address, before.stat) if before else (None, None)
            self._seen[gateway] = GatewaySeen(gateway, now_us, address or known[0], stat or known[1])

    def _send_downlink(self, scheduled: DownlinkScheduled) -> None:
        seen = self._seen.get(scheduled.gateway)
        if seen is not None and seen.pull_address is not None:
            token = self._take_token(scheduled)
            if self._send(PullResp(token, scheduled.transmission), seen.pull_address):
                self._counters.count(SENT)
                return
            del self._tokens[token]
        self._counters.count(NOT_SENT)
        self.post(self._server.handle_tx_result(scheduled.id, NO_ROUTE, self._now_us()))

    def _take_token(self, scheduled: DownlinkScheduled) -> int:
        if len(self._tokens) >= MAX_TOKENS:
            # The oldest answer will not come any more.
            del self._tokens[next(iter(self._tokens))]
        token = int.from_bytes(self._random(2), "big")
        while token in self._tokens:
            token = token + 1 & 0xFFFF
        self._tokens[token] = scheduled
        return token

    def _send(self, datagram: Datagram, address: Address) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.sendto(encode_datagram(datagram), address)
        except OSError:
            return False
        return True

    def _arm(self) -> None:
        due_us = self._server.next_timeout()
        if due_us is None or self._timer is not None:
            return
        delay_s = max(due_us - self._now_us(), 0) / SECOND_US
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self.post(self._server.handle_timeout(self._now_us()))
        self._arm()

    def _resume(self) -> None:
        if not self._reads and self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)
            self._reads = True

    def _pause(self) -> None:
        # The store does not keep up: what comes now waits in the socket's buffer, and is dropped there when it is full.
        if self._reads and self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._reads = False
