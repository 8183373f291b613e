"""`passport-node demo` as a person runs it: Ctrl-C in the middle of a step ends every process, and it starts anew."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]

DEADLINE_S = 20.0
KEYS = "keys.sealed"
NODES = ("maker", "lab", "utility", "service")


@contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The command in the foreground of a session of its own."""
    command = [sys.executable, "-u", "-m", "node", "demo", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What is printed up to the line that begins with a text."""
    printed = ""
    for line in process.stdout or ():
        printed += line
        if line.startswith(text):
            return printed
    raise AssertionError(f"{text!r} was never printed: {printed}")


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes about this folder, the relay and virtual meters by their parent among them."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in command and " demo " not in command:
            found.append(command)
    return found


def children_of(pid: int) -> set[int]:
    """Every process below one."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return found


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_interrupt_ends_every_process_and_the_next_run_starts_clean(tmp_path: Path) -> None:
    """Ctrl-C while files are imported: nothing of it runs any more; what it left is not in the next run's way."""
    folder = tmp_path / "demo"
    with demo(folder) as process:
        read_until(process, "2 The maker imports")
        below = children_of(process.pid)
        assert len(processes_of(folder)) >= len(NODES)

        process.send_signal(signal.SIGINT)

        assert process.wait(DEADLINE_S) == 130
        assert not [pid for pid in below if is_running(pid)]
    kept = {name: (folder / name / KEYS).read_bytes() for name in NODES}

    with demo(folder) as process:
        read_until(process, "2 The maker imports")
        assert set(NODES) <= {place.name for place in folder.iterdir() if place.is_dir()}
        assert all((folder / name / KEYS).read_bytes() != sealed for name, sealed in kept.items()), "they are new nodes"
        below = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 130
        assert not [pid for pid in below if is_running(pid)]
