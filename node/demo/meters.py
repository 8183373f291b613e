"""Virtual meters as processes of their own, each behind virtual gateways: started, told, listened to, ended."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from node.demo.processes import ProcessError

Event = dict[str, Any]  # Any: JSON lines of the simulator
WAIT_S = 30.0
STOP_S = 5.0
QUICK_MS, WINDOWS_MS = 3_000, 8_000


@dataclass(frozen=True, slots=True)
class AirGateway:
    """A virtual gateway: its EUI in hex, and how late and how well it hears."""

    eui: str
    delay_ms: float = 0.0
    snr_db: float = 7.5


@dataclass(slots=True)
class MeterProcess:
    """One virtual meter. Its root key goes to the process through a pipe and stands nowhere else."""

    server: tuple[str, int]
    device: dict[str, object] = field(repr=False)
    gateways: Sequence[AirGateway]
    at_once: bool = False
    events: list[Event] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None
    _is_ended: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)  # a start and an end come one at a time
    _lines: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def start(self) -> None:
        """Start it and wait until every gateway was acknowledged; raise ProcessError."""
        host, port = self.server
        config = {
            "server": {"host": host, "port": port},
            "device": self.device,
            "gateways": [{"eui": g.eui, "delay_ms": g.delay_ms, "snr_db": g.snr_db} for g in self.gateways],
            "at_once": self.at_once,
            "join_timeout_ms": QUICK_MS if self.at_once else WINDOWS_MS,
        }
        with self._turn:
            if self._is_ended:
                raise ProcessError("the virtual meter was ended before it started")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lora.net.simulator", "--config", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        threading.Thread(target=self._read, daemon=True).start()
        self._write(config)
        self.wait("ready")

    def tell(self, **command: object) -> None:
        """Give it one command."""
        self._write(command)

    def join(self) -> Event:
        """Ask to join and answer how it came out: `joined`, or `join_failed`."""
        self.tell(do="join")
        return self.wait("joined", "join_failed")

    def send(self, port: int, payload: bytes, *, confirmed: bool = False) -> Event:
        """Send an uplink; answer what went on the air."""
        self.tell(do="send", port=port, hex=payload.hex(), confirmed=confirmed)
        return self.wait("sent")

    def replay(self) -> Event:
        """Send the last frame again, bit for bit."""
        self.tell(do="replay")
        return self.wait("sent")

    def wait(self, *names: str) -> Event:
        """The next event of these names; raise ProcessError where none comes in time."""
        deadline = time.monotonic() + WAIT_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if not line:
                self._lines.put("")  # for whoever waits beside this one
                raise ProcessError("the virtual meter ended")
            event = json.loads(line)
            self.events.append(event)
            if event["event"] in names:
                return dict(event)
            if event["event"] == "error":
                raise ProcessError(f"the virtual meter says: {event['text']}")
        raise ProcessError(f"no {' or '.join(names)} of the virtual meter within {WAIT_S:.0f} s")

    def stop(self) -> int:
        """End it for good, also while another thread starts it; answer the DevNonce that it would use next."""
        with self._turn:
            self._is_ended = True
            process, self._process = self._process, None
        if process is None:
            return 0
        if process.stdin is not None:
            with contextlib.suppress(OSError):  # it ended by itself, with something unread
                process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        while line := self._lines.get():
            self.events.append(json.loads(line))
        self._lines.put("")
        return next((int(e["dev_nonce"]) for e in reversed(self.events) if e["event"] == "stopped"), 0)

    def _write(self, value: object) -> None:
        if self._process is None or self._process.stdin is None:
            raise ProcessError("the virtual meter does not run")
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        stdout = self._process.stdout if self._process else None
        if stdout is not None:
            for line in stdout:
                self._lines.put(line)
        self._lines.put("")
