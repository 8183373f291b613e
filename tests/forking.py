"""The program in processes forked from one that has imported it: what most tests start, and start by the dozen.

    python -m tests.forking FD     the process that has imported it; it takes requests from the socket of that number

What runs has a pid, a session, memory and files of its own, and the same modules from their beginning on; left out is
only that they are read and their classes made anew, which is most of what a start costs. Tests of the demo, of compose
and of what a start does run the interpreter as people do.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

IMPORTED = (
    "node.app", "node.cli", "node.demo.relay", "node.services.making", "sqlalchemy.dialects.sqlite.aiosqlite",
)  # fmt: skip
MAX_REQUEST = 1 << 20
STREAMS = 3


class ForkedProcess:
    """A process that was forked for a test, with the part of `subprocess.Popen` that the demo's processes use."""

    def __init__(self, pid: int, status: int, stdout: IO[str] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["forked", str(self.pid)], timeout or 0.0)
            # Nothing comes only where the one that waited for it was killed too.
            self.returncode = int(os.read(self._status, 32) or b"-9")
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Forker:
    """Forks the program; its process is started with the first request and ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def begin(
        self, arguments: Sequence[str], stdin: int, stdout: int, stderr: int, environment: Mapping[str, str]
    ) -> tuple[int, int]:
        """Start `-m MODULE …` with these streams; answer its pid, and where its exit code comes."""
        theirs: tuple[int, int] = os.pipe()
        request = {"arguments": list(arguments), "environment": dict(environment), "folder": str(Path.cwd())}
        with self._lock:
            self._socket = self._socket or _imported()
            socket.send_fds(self._socket, [json.dumps(request).encode()], [stdin, stdout, stderr, theirs[1]])
        os.close(theirs[1])
        return int(_line(theirs[0])), theirs[0]

    def close(self) -> None:
        """End the process that forks; what it forked runs on."""
        if self._socket is not None:
            self._socket.close()

    def popen(self, name: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> ForkedProcess:
        """One that runs on; what it prints is read, its errors go to a file."""
        mine, theirs = os.pipe()
        with (folder / f"{name}.stderr").open("a") as errors, Path(os.devnull).open() as nothing:
            pid, status = self.begin(
                arguments, nothing.fileno(), theirs, errors.fileno(), {**os.environ, **environment}
            )
        os.close(theirs)
        return ForkedProcess(pid, status, os.fdopen(mine, encoding="utf-8"))

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """One that is waited for, with what it printed."""
        printed: dict[int, str] = {}
        with Path(os.devnull).open() as nothing:
            pipes = [os.pipe() for _ in range(2)]
            pid, status = self.begin(arguments, nothing.fileno(), pipes[0][1], pipes[1][1], os.environ)
        process = ForkedProcess(pid, status, None)

        def read(number: int) -> None:
            os.close(pipes[number][1])
            with os.fdopen(pipes[number][0], encoding="utf-8", errors="replace") as stream:
                printed[number] = stream.read()

        readers = [threading.Thread(target=read, args=(number,)) for number in range(2)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return subprocess.CompletedProcess(list(arguments), process.wait(), printed[0], printed[1])


def _imported() -> socket.socket:
    """The process that has imported the program, by the socket that leads to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.forking", str(theirs.fileno())]
        subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        )
    return ours


def _line(status: int) -> bytes:
    """The first line, byte by byte: what comes after it is read later."""
    line = b""
    while not line.endswith(b"\n"):
        read = os.read(status, 1)
        if not read:
            raise RuntimeError("the process that forks has ended")
        line += read
    return line


def _serve(number: int) -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=number) as requests:
        while True:
            raw, streams, _, _ = socket.recv_fds(requests, MAX_REQUEST, STREAMS + 1)
            if not raw:
                return
            if os.fork() == 0:
                break
            for stream in streams:
                os.close(stream)
    _wait_for(streams.pop(), streams, json.loads(raw))


def _wait_for(status: int, streams: list[int], request: dict[str, object]) -> None:
    """Fork once more, tell the pid, and tell how it ended; the fork goes on as the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(status)
        _become(streams, request)
        return
    for stream in streams:
        os.close(stream)
    os.write(status, b"%d\n" % pid)
    os.write(status, b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os._exit(0)


def _become(streams: list[int], request: dict[str, object]) -> None:
    arguments, environment = request["arguments"], request["environment"]
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["folder"]))
    _, module, *sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
