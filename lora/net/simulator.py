"""A virtual meter behind virtual gateways over real UDP, driven by another process.

    python -m lora.net.simulator --config FILE.json

With `--config -` the configuration, which holds a root key, is the first line of standard input. It is a JSON object:
`server` {host, port} · `device` {dev_eui, join_eui or app_eui, app_key, region, dev_nonce} · `gateways` list of {eui,
delay_ms, snr_db, rssi_dbm} · `at_once` true to hear downlinks when they are ordered, not when the window opens ·
`join_timeout_ms`. Commands come as JSON lines on standard input, events go as JSON lines to standard output:

    {"do": "join"}                                              → sent, then joined or join_failed
    {"do": "send", "port": 2, "hex": "01", "confirmed": false}  → sent, then downlink where the network answers
    {"do": "ask", "what": ["link_check", "time"]}               → asked with the next frame
    {"do": "replay"}                                            → the last frame again, bit for bit: sent
    {"do": "stop"}, or the end of the input                     → stopped

`ready` comes first, when every gateway was acknowledged. `missed` is a downlink outside the device's windows, `error` a
command that could not be done. Each gateway has a socket of its own and adds its delay to what it forwards. The server
never imports this module.
"""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from lora.airtime import time_on_air_us
from lora.commands import DeviceTimeReq, LinkCheckReq, MacCommand
from lora.device import DeviceJoined, DownlinkTaken, Uplink, VirtualDevice
from lora.errors import FrameError, LoraError, SimulatorError
from lora.gateway.virtual import Acknowledged, OrderRefused, SendOrdered, VirtualGateway
from lora.mac import encode_command
from lora.net.simulator_config import GatewayConfig, SimulatorConfig, read_config
from lora.radio import Heard, Transmission

SECOND_US = 1_000_000
PULL_INTERVAL_S = 5.0
PULL_RETRY_S = 0.3
# How far a transmission may lie from the device's window: its radio listens for the preamble about this long.
WINDOW_TOLERANCE_US = 10_000
STDIN = Path("-")
QUESTIONS: dict[object, type[MacCommand]] = {"link_check": LinkCheckReq, "time": DeviceTimeReq}

Emit = Callable[[dict[str, object]], None]


class GatewaySocket(asyncio.DatagramProtocol):
    """One virtual gateway on its own socket."""

    def __init__(self, config: GatewayConfig, on_order: Callable[[SendOrdered], None], emit: Emit) -> None:
        self.config = config
        self.ready = asyncio.Event()
        self._gateway = VirtualGateway(config.eui, secrets.token_bytes, secrets.randbits(32))
        self._on_order = on_order
        self._emit = emit
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # asyncio's own datagram transport is no subclass of DatagramTransport before Python 3.12.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the signature is asyncio's
        """Take what the server sent."""
        try:
            events = self._gateway.receive_data(data, now_us())
        except LoraError as error:
            self._emit({"event": "error", "text": f"gateway {self.config.eui}: {error}"})
            return
        for answer in self._gateway.data_to_send():
            self._send(answer)
        for event in events:
            self._handle(event)

    def error_received(self, exc: Exception) -> None:
        """The server is not there (yet): the next PULL_DATA tries again."""

    def forward(self, uplink: Uplink) -> None:
        """Report an uplink that ends now, after this gateway's delay."""
        heard = Heard(
            uplink.payload,
            uplink.frequency_hz,
            uplink.rate,
            counter_us=0,
            rssi_dbm=self.config.rssi_dbm,
            snr_db=self.config.snr_db,
        )
        datagram = self._gateway.push(heard, now_us())
        asyncio.get_running_loop().call_later(self.config.delay_ms / 1000, self._send, datagram)

    async def keep_open(self) -> None:
        """Send PULL_DATA, often until the first answer, then at the usual interval."""
        while True:
            self._send(self._gateway.pull())
            await asyncio.sleep(PULL_INTERVAL_S if self.ready.is_set() else PULL_RETRY_S)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def _handle(self, event: Acknowledged | SendOrdered | OrderRefused) -> None:
        match event:
            case Acknowledged(_, pull=True):
                self.ready.set()
            case SendOrdered():
                self._on_order(event)
            case OrderRefused(error):
                self._emit({"event": "order_refused", "gateway": str(self.config.eui), "error": error})

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram)


class Simulator:
    """The meter and its gateways."""

    def __init__(self, config: SimulatorConfig, emit: Emit) -> None:
        self._config = config
        self._emit = emit
        self._region = config.region
        self._device = VirtualDevice(
            config.dev_eui,
            config.join_eui,
            config.app_key,
            config.region,
            random=secrets.token_bytes,
            dev_nonce=config.dev_nonce,
        )
        self._gateways = [GatewaySocket(gateway, self._ordered, emit) for gateway in config.gateways]
        self._last: tuple[Uplink, int] | None = None
        self._join_timer: asyncio.TimerHandle | None = None

    async def run(self, commands: asyncio.StreamReader) -> None:
        """Open the sockets, then obey until told to stop or the input ends."""
        loop = asyncio.get_running_loop()
        for gateway in self._gateways:
            await loop.create_datagram_endpoint(partial(_same, gateway), remote_addr=self._config.server)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(gateway.keep_open()) for gateway in self._gateways]
                tasks.append(group.create_task(self._announce()))
                while (line := await commands.readline()) and self._obey(line):
                    pass
                for task in tasks:
                    task.cancel()
        finally:
            for gateway in self._gateways:
                gateway.close()
            self._emit({"event": "stopped", "dev_nonce": self._device.dev_nonce})

    async def _announce(self) -> None:
        for gateway in self._gateways:
            await gateway.ready.wait()
        self._emit({"event": "ready", "gateways": len(self._gateways), "dev_eui": str(self._config.dev_eui)})

    def _obey(self, line: bytes) -> bool:
        """Do one command; False on `stop`."""
        try:
            command = json.loads(line)
            if not isinstance(command, dict):
                raise SimulatorError("a command is a JSON object")
            return self._do(command)
        except (LoraError, ValueError, RecursionError) as error:
            self._emit({"event": "error", "text": str(error)})
            return True

    def _do(self, command: dict[str, object]) -> bool:
        match command:
            case {"do": "stop"}:
                return False
            case {"do": "join"}:
                self._join()
            case {"do": "send", "port": int(port), "hex": str(text)}:
                fcnt = self._device.fcnt_up
                uplink = self._device.send(port, bytes.fromhex(text), confirmed=command.get("confirmed") is True)
                self._transmit(uplink, {"kind": "data", "fcnt": fcnt})
            case {"do": "ask", "what": list(names)} if all(name in QUESTIONS for name in names):
                self._device.ask(*(QUESTIONS[name]() for name in names))
            case {"do": "replay"}:
                self._transmit(self._device.again(), {"kind": "replay"})
            case _:
                raise SimulatorError(f"no such command: {json.dumps(command)[:200]}")
        return True

    def _join(self) -> None:
        nonce = self._device.dev_nonce
        self._transmit(self._device.join(), {"kind": "join", "dev_nonce": nonce})
        self._stop_join_timer()
        self._join_timer = asyncio.get_running_loop().call_later(
            self._config.join_timeout_ms / 1000, self._join_failed, nonce
        )

    def _join_failed(self, nonce: int) -> None:
        self._join_timer = None
        self._emit({"event": "join_failed", "dev_nonce": nonce, "reason": "no join accept in time"})

    def _stop_join_timer(self) -> None:
        if self._join_timer is not None:
            self._join_timer.cancel()
            self._join_timer = None

    def _transmit(self, uplink: Uplink, about: dict[str, object]) -> None:
        self._last = uplink, now_us()
        for gateway in self._gateways:
            gateway.forward(uplink)
        place = {"frequency_hz": uplink.frequency_hz, "rate": str(uplink.rate)}
        airtime_us = time_on_air_us(uplink.rate, len(uplink.payload))
        self._emit({"event": "sent", **about, "phy": uplink.payload.hex(), **place, "airtime_us": airtime_us})

    def _ordered(self, order: SendOrdered) -> None:
        wait_s = 0.0 if self._config.at_once else (order.at_us - now_us()) / SECOND_US
        window = self._window(order)
        asyncio.get_running_loop().call_later(max(wait_s, 0.0), self._heard, order.transmission, window)

    def _window(self, order: SendOrdered) -> str | None:
        """Which window of the last uplink a transmission falls in, by time, frequency and rate."""
        if self._last is None:
            return None
        uplink, ended_us = self._last
        joins = self._join_timer is not None
        rx = self._device.rx
        dr = self._region.find_dr(uplink.rate) or 0
        first_s = self._region.join_delay_s if joins else rx.rx1_delay_s
        rx1 = self._region.rate(self._region.rx1_dr(dr, 0 if joins else rx.rx1_dr_offset))
        windows = (
            ("RX1", first_s, uplink.frequency_hz, rx1),
            ("RX2", first_s + 1, rx.rx2_frequency_hz, self._region.rate(rx.rx2_dr)),
        )
        for name, after_s, frequency_hz, rate in windows:
            late_us = order.at_us - ended_us - after_s * SECOND_US
            place = order.transmission.frequency_hz, order.transmission.rate
            if abs(late_us) <= WINDOW_TOLERANCE_US and place == (frequency_hz, rate):
                return name
        return None

    def _heard(self, transmission: Transmission, window: str | None) -> None:
        if window is None:
            self._emit({"event": "missed", "reason": "outside the device's receive windows"})
            return
        try:
            event = self._device.receive(transmission.payload)
        except FrameError as error:
            self._emit({"event": "missed", "reason": str(error)})
            return
        self._tell(event, window)

    def _tell(self, event: DeviceJoined | DownlinkTaken, window: str) -> None:
        if isinstance(event, DeviceJoined):
            self._stop_join_timer()
            names = {"dev_addr": str(event.dev_addr), "dev_nonce": event.dev_nonce}
            self._emit({"event": "joined", **names, "join_nonce": event.join_nonce, "window": window})
            return
        commands = [{"name": type(one).__name__, "hex": encode_command(one).hex()} for one in event.commands]
        flags = {"ack": event.ack, "f_pending": event.f_pending, "confirmed": event.confirmed}
        data = {"port": event.port, "hex": event.payload.hex(), "fcnt": event.fcnt}
        self._emit({"event": "downlink", **data, **flags, "window": window, "commands": commands})


def now_us() -> int:
    """The simulator's clock: microseconds that never go back."""
    return time.monotonic_ns() // 1000


def emit_line(event: dict[str, object]) -> None:
    """One event, one line."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def simulate(path: Path) -> None:
    """Run on standard input and output; raise SimulatorError or OSError where the configuration cannot be used."""
    commands = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(commands)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    text = (await commands.readline()).decode(errors="replace") if path == STDIN else _read(path)
    await Simulator(read_config(text), emit_line).run(commands)


def main(arguments: list[str] | None = None) -> int:
    """The command line; 2 where the file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m lora.net.simulator", description="A virtual meter over real UDP")
    parser.add_argument("--config", type=Path, required=True)
    path: Path = parser.parse_args(arguments).config
    try:
        asyncio.run(simulate(path))
    except (OSError, LoraError) as error:
        sys.stderr.write(f"{path.name}: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _same(gateway: GatewaySocket) -> GatewaySocket:
    return gateway


if __name__ == "__main__":
    sys.exit(main())
