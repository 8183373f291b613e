"""What keeps a node from starting: it ends with one line that names the folder, or the port and its setting."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.demo.processes import NodeProcess
from tests.nodes import PORTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node that owns a LoRa network."""
    folder = tmp_path_factory.mktemp("ports") / "node"
    NodeProcess("ports", folder).init(name="МУП «Порт»", **PORTS, radio_port="0")
    return folder


@pytest.fixture(params=["web", "federation", "radio"])
def taken(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A section of the settings, and a port of its kind that another process has."""
    kind = socket.SOCK_DGRAM if request.param == "radio" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        yield request.param, other.getsockname()[1]


def serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start the node and wait for its end."""
    command = [sys.executable, "-m", "node", "serve", "--folder", str(folder)]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False)


def test_taken_port_is_named_with_its_setting(folder: Path, taken: tuple[str, int]) -> None:
    """The line says which port, why, and which setting to change; the same node starts elsewhere."""
    section, port = taken
    ended = serve(folder, **{f"PASSPORT_{section.upper()}__PORT": str(port)})

    assert ended.returncode == 1
    assert f"127.0.0.1 port {port}" in ended.stderr
    assert f"[{section}] in config.toml" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("section", ["web", "federation", "radio"])
def test_host_that_is_no_address_of_this_machine_is_named(folder: Path, section: str) -> None:
    """A host of another network is refused in the same words."""
    ended = serve(folder, **{f"PASSPORT_{section.upper()}__HOST": "192.0.2.1"})

    assert ended.returncode == 1
    assert "192.0.2.1 port 0" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_folder_without_a_node_is_named(tmp_path: Path) -> None:
    """Served in a folder where no node was made, it says how to make one, and leaves nothing there."""
    ended = serve(tmp_path / "nothing")

    assert ended.returncode == 1
    assert "passport-node init" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "nothing").exists()
