"""What keeps a node from being made or started: one line that names the folder, or the port and its setting."""

import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from node.certificate import make_certificate
from node.demo.processes import NodeProcess
from tests.nodes import ALONE, PORTS, act, ask, command, until

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


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its bytes and its rights."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode) for path in files}


def test_second_init_changes_nothing(tmp_path: Path) -> None:
    """Where a node lives, `init` ends with the rule that it changes nothing, and keeps to it byte for byte."""
    node = tmp_path / "node"
    made = command("init", str(node), "--name", "МУП «Первый»")
    before = contents(node)

    again = command("init", str(node), "--name", "МУП «Второй»", "--kind", "lab")

    assert made.returncode == 0, made.stderr
    assert {"config.toml", "keys.sealed", "root.key", "storage.key"} <= before.keys()
    assert again.returncode == 1
    assert "holds a node already, which stays as it is" in again.stderr
    assert "Traceback" not in again.stderr
    assert contents(node) == before


def test_init_in_a_folder_without_its_settings_changes_nothing(tmp_path: Path) -> None:
    """Keys alone make it a node's folder: they are not written over because its settings were lost."""
    command("init", str(tmp_path / "node"), "--name", "МУП «Первый»")
    (tmp_path / "node" / "config.toml").unlink()
    before = contents(tmp_path / "node")

    again = command("init", str(tmp_path / "node"), "--name", "МУП «Второй»")

    assert again.returncode == 1
    assert "holds a node already, which stays as it is" in again.stderr
    assert contents(tmp_path / "node") == before


def test_init_in_a_folder_of_something_else_changes_nothing(tmp_path: Path) -> None:
    """A folder that holds anything is refused by name, and nothing is added to it."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "draft.txt").write_text("Уважаемые коллеги")
    before = contents(tmp_path)

    refused = command("init", str(tmp_path), "--name", "МУП «Порт»")

    assert refused.returncode == 1
    assert f"{tmp_path} is not empty" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["letter.txt", "letter.txt/node"])
def test_init_where_no_folder_can_be_is_refused(tmp_path: Path, name: str) -> None:
    """A file, or a place below one, is refused by name with the system's reason, and stays as it was."""
    (tmp_path / "letter.txt").write_text("Уважаемые коллеги")
    before = contents(tmp_path)

    refused = command("init", str(tmp_path / name), "--name", "МУП «Порт»")

    assert refused.returncode == 1
    assert f"{tmp_path / name} cannot be made a node's folder: Not a directory" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["serve", "fsck"])
def test_store_that_is_no_database_is_named(tmp_path: Path, name: str) -> None:
    """The line names the file, and the file stays as it was."""
    command("init", str(tmp_path / "node"), "--name", "МУП «Первый»")
    store = tmp_path / "node" / "passport.sqlite"
    store.write_bytes(b"Dear colleagues, " * 1000)

    refused = command(name, "--folder", str(tmp_path / "node"))

    assert refused.returncode == 1
    assert f"the store {store} cannot be used: file is not a database" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert store.read_bytes() == b"Dear colleagues, " * 1000


def test_address_of_a_store_is_told_without_its_password(folder: Path) -> None:
    """A database server that does not answer is named by its address; the password in it is not shown."""
    refused = serve(
        folder, PASSPORT_STORE__URL="postgresql+asyncpg://node:geheim@127.0.0.1:1/passports", PASSPORT_STORE__WAIT_S="0"
    )

    assert refused.returncode == 1
    assert "postgresql://node@127.0.0.1:1/passports cannot be used" in refused.stderr
    assert "geheim" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(("option", "number"), [("--inn", "0000000019"), ("--inn", "abc"), ("--ogrn", "1")])
def test_number_with_a_slip_of_the_pen_makes_no_node(tmp_path: Path, option: str, number: str) -> None:
    """What stands in a card is signed: numbers whose check digits disagree are named, and nothing is made."""
    folder = tmp_path / "node"
    ended = command("init", str(folder), "--name", "МУП «Порт»", option, number)

    assert ended.returncode == 1
    assert repr(number) in ended.stderr
    assert not (folder / "keys.sealed").exists()


def test_node_starts_over_a_damaged_list_of_devices(tmp_path: Path) -> None:
    """What is read ahead may be broken: the node is there, and tells in its log what it could not read."""
    node = NodeProcess("damaged", tmp_path / "node", environment=ALONE)
    node.init(name="МУП «Порт»", **PORTS)
    node.start()
    act(node, "/plates", {"designation": "СГВ-15", "serial": "0012345"})
    node.stop()
    with sqlite3.connect(tmp_path / "node" / "passport.sqlite") as store:
        store.execute("DROP TABLE marks")
    store.close()

    node.start()
    try:
        log = tmp_path / "node" / "node.log"
        until("what could not be read", lambda: "read_ahead_failed" in log.read_text(encoding="utf-8"))
        assert ask(node, "/passports")["items"][0]["title"] == "СГВ-15 № 0012345"
    finally:
        node.stop()


def test_crash_leaves_no_dump(tmp_path: Path) -> None:
    """What was in the memory of a process of this program is written nowhere when it is aborted, whatever is set."""
    crash = """if True:
        import ctypes, os, resource
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        import sys
        from node.cli import main
        sys.argv = ["passport-node", "--help"]
        try:
            main()
        except SystemExit:
            assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
            assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0, "it may be dumped"
            os.abort()
    """
    ended = subprocess.run([sys.executable, "-c", crash], cwd=tmp_path, capture_output=True, check=False, timeout=60)

    assert ended.returncode == -signal.SIGABRT, ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_public_door_speaks_https_with_the_certificate_that_is_named(folder: Path) -> None:
    """With a certificate the door answers over TLS and nothing else does; a file that is none is named."""
    key, certificate = make_certificate("meters.example.com", time.time_ns() // 1000)
    (folder / "public.key").write_bytes(key)
    (folder / "public.pem").write_bytes(certificate)
    public = {
        "PASSPORT_PUBLIC__ENABLED": "true", "PASSPORT_PUBLIC__PORT": "0", "PASSPORT_PUBLIC__KEY": "public.key",
    }  # fmt: skip
    node = NodeProcess("ports", folder, environment={**ALONE, **public, "PASSPORT_PUBLIC__CERTIFICATE": "public.pem"})
    node.start()
    try:
        trusting = ssl.create_default_context(cadata=certificate.decode())
        trusting.check_hostname = False
        door = HTTPSConnection(node.addresses["public"].removeprefix("https://"), context=trusting)
        door.request("GET", "/d/")
        answer = door.getresponse()
        told, page = answer.headers, answer.read().decode()
        door.close()
    finally:
        node.stop()
    ended = serve(folder, **public, PASSPORT_PUBLIC__CERTIFICATE="config.toml")

    assert node.addresses["public"].startswith("https://127.0.0.1:")
    assert told["Strict-Transport-Security"] == "max-age=31536000"
    assert "EPP1" in page
    assert ended.returncode == 1
    assert "[public] certificate" in ended.stderr
    assert "Traceback" not in ended.stderr
