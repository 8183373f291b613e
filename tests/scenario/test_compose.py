"""The compose file: there is no daemon here, so its commands are run as they stand, on free ports of loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from node.api_client import ApiClient
from node.demo.stage import NODES

pytestmark = [pytest.mark.slow]

COMPOSE = Path(__file__).parents[2] / "docker" / "compose.yaml"
STOP_S = 10.0
Service = dict[str, Any]  # Any: YAML

SERVICES: dict[str, Service] = YAML(typ="safe").load(COMPOSE.read_text(encoding="utf-8"))["services"]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """What each service says when its ports are open; the commands ran through a shell, as in a container."""
    running: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, service in SERVICES.items():
            running[name] = _run(service, tmp_path / name)
        yield {name: json.loads(_line(process)) for name, process in running.items()}
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.communicate(timeout=STOP_S)


@pytest.mark.req("A13")
async def test_compose_file_starts_the_nodes_of_the_demo(started: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """Its services are the demo's four organisations; each command makes its node and serves it, and it is well."""
    assert {name: service["environment"]["NAME"] for name, service in SERVICES.items()} == {
        name: about["name"] for name, about in NODES.items()
    }
    for name, said in started.items():
        assert said["started"]["console"].startswith("http://127.0.0.1:")
        async with ApiClient(tmp_path / name) as api:
            assert (await api.get("/node"))["kind"] == NODES[name]["kind"]
            await api.health()
    assert started["utility"]["started"]["radio"]
    assert all(said["started"]["radio"] is None for name, said in started.items() if name != "utility")


def test_compose_file_shows_consoles_to_this_machine_only() -> None:
    """Every console's port is published on loopback, each on another one; every node has a volume of its own."""
    published = [port for service in SERVICES.values() for port in service["ports"] if not port.endswith("/udp")]
    volumes = [volume for service in SERVICES.values() for volume in service["volumes"]]

    assert all(port.startswith("127.0.0.1:") for port in published)
    assert len({port.split(":")[1] for port in published}) == len(SERVICES)
    assert len(set(volumes)) == len(SERVICES)


def _run(service: Service, folder: Path) -> "subprocess.Popen[str]":
    # In a compose file a doubled dollar is one for the shell.
    command = [text.replace("$$", "$") for text in (*service["entrypoint"], *service["command"])]
    settings = {name: str(value) for name, value in service["environment"].items()}
    settings |= {name: "127.0.0.1" for name in settings if name.endswith("__HOST")}
    ports = {f"PASSPORT_{part}__PORT": "0" for part in ("WEB", "FEDERATION")}
    if "PASSPORT_RADIO__HOST" in settings:
        ports["PASSPORT_RADIO__PORT"] = "0"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **settings, **ports, "PASSPORT_FOLDER": str(folder), "PATH": path}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith("{"))
