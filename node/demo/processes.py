"""Nodes as processes: started, waited for, and ended by their own pid."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_S = 20.0
STOP_S = 1.5


class ProcessError(Exception):
    """A process did not start or ended by itself."""


@dataclass(slots=True)
class NodeProcess:
    """One node of the demo."""

    name: str
    folder: Path
    addresses: dict[str, Any] = field(default_factory=dict)  # Any: what the node prints when it started
    _process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process id; raise ProcessError where it does not run."""
        if self._process is None:
            raise ProcessError(f"{self.name} does not run")
        return self._process.pid

    def init(self, **options: str) -> None:
        """Make the node."""
        arguments = [part for key, value in options.items() for part in (f"--{key.replace('_', '-')}", value)]
        done = subprocess.run(
            [sys.executable, "-m", "node", "init", str(self.folder), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProcessError(f"{self.name}: init: {done.stderr.strip()}")

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with more settings if given, and wait until it says that its ports are open."""
        errors = (self.folder.parent / f"{self.name}.stderr").open("a")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "node", "serve", "--folder", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
        errors.close()
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("{"):
            self._process.wait(START_S)
            raise ProcessError(f"{self.name} did not start: see {self.folder.parent / (self.name + '.stderr')}")
        self.addresses = json.loads(line)["started"]

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to end; end it after a while."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
