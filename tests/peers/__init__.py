"""Independent implementations in environments of their own, and how tests speak to them.

`python -m tests.peers` makes the environments under `build/peers/` from their own locks. A test asks for one with
`require`, which skips it loudly where the environment is not there, and fails it on CI. Peers that are libraries run in
small processes of their own: one JSON line in, one JSON line out.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "peers"
HERE = Path(__file__).parent
PYTHONS = {"lorawan": (3, 11), "gateway": (3, 11), "aics": (3, 12)}
NPM = "npm"


def environment(name: str) -> Path:
    """The folder of an environment, made or not."""
    return BUILD / name


def python_of(name: str) -> Path:
    """The interpreter of a Python environment."""
    return environment(name) / "bin" / "python"


def is_made(name: str) -> bool:
    """Whether `python -m tests.peers` has finished this environment."""
    return (environment(name) / "stamp").exists()


def require(name: str) -> None:
    """Skip the test loudly where the environment is missing; on CI that is an error."""
    if is_made(name):
        return
    text = f"no environment {name!r} under build/peers: run `make peers`"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


class Peer:
    """A peer's process; `ask` sends one request and gives its answer."""

    def __init__(self, command: list[str], **variables: str) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        """The peer's answer; raise PeerError where it refuses. JSON of several shapes, so values are Any."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"the peer ended with {self._process.wait()} on {do}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()


class PeerError(Exception):
    """The peer refused a request, or ended."""


def start(name: str, script: str) -> Peer:
    """Start a peer's script in its environment."""
    if name == NPM:
        return Peer(["node", str(HERE / script)], NODE_PATH=str(environment(NPM) / "node_modules"))
    return Peer([str(python_of(name)), "-I", str(HERE / script)])
