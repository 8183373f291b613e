"""Processes of the demo: nodes and the relay between them, started, waited for, and ended by their own pid."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
START_S = 20.0
STOP_S = 1.5
# Below the ports that systems give out by themselves: nothing takes one of these while its process is ended.
OWN_PORTS = range(20_000, 32_000)


class ProcessError(Exception):
    """A process did not start or ended by itself."""


@dataclass(slots=True)
class NodeProcess:
    """One node of the demo: its federation port, 0 for any, and settings that stay over its restarts.

    `store_url` is the database of its store, a file in its folder where it is empty.
    """

    name: str
    folder: Path
    federation_port: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    store_url: str = ""
    addresses: dict[str, Any] = field(default_factory=dict)  # Any: what the node prints when it started
    _process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id; raise ProcessError where it does not run."""
        if self._process is None:
            raise ProcessError(f"{self.name} does not run")
        return self._process.pid

    def init(self, **options: str) -> None:
        """Make the node; it takes any port for its console."""
        store = {"store_url": self.store_url} if self.store_url else {}
        options = {"web_port": "0", "federation_port": str(self.federation_port), **store, **options}
        arguments = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
        done = run_program(["-m", "node", "init", str(self.folder), *arguments])
        if done.returncode:
            raise ProcessError(f"{self.name}: init: {done.stderr.strip()}")

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with more settings if given, and wait until it says that its ports are open."""
        arguments = ["-m", "node", "serve", "--folder", str(self.folder)]
        settings = {**self.environment, **(environment or {})}
        # Known before it has started: whoever ends the demo meanwhile ends this one too.
        self._process = begin_program(self.name, arguments, self.folder.parent, settings)
        self.addresses = _hear(self.name, self._process)

    def type(self, *arguments: str) -> str:
        """Run `passport-node` about this node, as a person would, and answer what it prints; raise ProcessError."""
        done = run_program(["-m", "node", *arguments, "--folder", str(self.folder)])
        if done.returncode:
            raise ProcessError(f"{self.name}: passport-node {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end; end it after a while."""
        self.ask_to_stop()
        self.wait_for_end(STOP_S)

    def wait_for_end(self, within_s: float) -> None:
        """Wait until it has ended as it was asked to; end it when the time is over."""
        if self._process is not None:
            _wait_for_end(self._process, within_s)
            self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self.wait_for_end(STOP_S)


@dataclass(slots=True)
class RelayProcess:
    """The link between nodes: `routes` lead from ports that others are told to ports of nodes, all on loopback."""

    folder: Path
    routes: Mapping[int, int]
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Open the link, the same one after every end."""
        pairs = [("--listen", str(port), "--to", f"{HOST}:{to}") for port, to in self.routes.items()]
        arguments = ["-m", "node.demo.relay", *(part for pair in pairs for part in pair)]
        self._process = begin_program("relay", arguments, self.folder, {})
        _hear("relay", self._process)

    def stop(self) -> None:
        """Cut the link."""
        self.ask_to_stop()
        self.wait_for_end(STOP_S)

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None:
            self._process.terminate()

    def wait_for_end(self, within_s: float) -> None:
        """Wait until it has ended as it was asked to; end it when the time is over."""
        if self._process is not None:
            _wait_for_end(self._process, within_s)
            self._process = None

    def is_open(self, port: int) -> bool:
        """Whether somebody answers at a port that others are told."""
        try:
            socket.create_connection((HOST, port), timeout=START_S).close()
        except ConnectionRefusedError:
            return False
        return True


def stop_all(processes: Iterable[NodeProcess | RelayProcess]) -> None:
    """Ask processes to end, all at once, and end those that take longer than one of them may."""
    asked = list(processes)
    for process in asked:
        process.ask_to_stop()
    deadline = time.monotonic() + STOP_S
    for process in asked:
        process.wait_for_end(max(0.0, deadline - time.monotonic()))


def run_program(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of this program to its end; what it printed."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def begin_program(
    name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start this program with more settings; its errors go to `<name>.stderr` in the folder."""
    with (folder / f"{name}.stderr").open("a") as errors:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on; they stay free while their processes are ended."""
    found: list[int] = []
    # Two demos on one machine must not choose the same ones: this is no part of what a seed fixes.
    for port in random.SystemRandom().sample(OWN_PORTS, len(OWN_PORTS)):
        if len(found) == count:
            return found
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                found.append(port)
    raise ProcessError(f"no {count} free ports on {HOST}")


def _hear(name: str, process: subprocess.Popen[str]) -> Any:  # Any: what the process prints
    """Wait until it says that its ports are open."""
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("{"):
        process.wait(START_S)
        raise ProcessError(f"{name} did not start: see {name}.stderr beside its folder")
    return json.loads(line)["started"]


def _wait_for_end(process: subprocess.Popen[str], within_s: float) -> None:
    """Wait for the end of a process, bring it about when the time is over, and take what is left of it."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
