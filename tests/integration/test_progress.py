"""Long work of the command line shows on a terminal how far it is."""

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.demo.files import HEADER
from node.exchange.tables import write_csv
from tests.nodes import ALONE
from tests.trade import Trade, meters, trading

pytestmark = pytest.mark.slow

COUNT = 600
SCREEN = struct.pack("HHHH", 40, 160, 0, 0)  # rows and columns, then pixels that nobody asks for
STEP = re.compile(r"━+[^\r\n]*?(\d+)/(\d+)")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that can import its production."""
    with trading(tmp_path_factory.mktemp("progress"), **ALONE) as running:
        yield running


def type_on_terminal(*arguments: str) -> tuple[int, str]:
    """Run `passport-node` with a terminal for all that it prints: how it ended, and what came there as plain text."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, SCREEN)
    command = [sys.executable, "-m", "node", *arguments]
    environment = os.environ | {"TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read_terminal(ours), b""))
    os.close(ours)
    return process.returncode, CONTROL.sub("", shown.decode())


def read_terminal(descriptor: int) -> bytes:
    """The next bytes; none when the other side is closed."""
    try:
        return os.read(descriptor, 1 << 16)
    except OSError as error:
        if error.errno == errno.EIO:
            return b""
        raise


def steps(shown: str, what: str) -> list[tuple[int, int]]:
    """How far the bar of that name said it was: done and total, in order."""
    lines = [line for line in re.split(r"[\r\n]+", shown) if line.startswith(what)]
    return [(int(found[1]), int(found[2])) for line in lines if (found := STEP.search(line))]


def test_import_shows_a_bar(trade: Trade, tmp_path: Path) -> None:
    """It says that the file is sent; then a bar of its name counts its rows up to the last, and the result follows."""
    file = tmp_path / "production.csv"
    file.write_bytes(write_csv(HEADER, meters(COUNT)))

    code, shown = type_on_terminal("import", str(file), "--folder", str(trade.nodes["maker"].folder))

    told = steps(shown, "production.csv")
    assert code == 0, shown
    assert told == sorted(told)
    assert told[-1] == (COUNT, COUNT)
    assert shown.index("sending production.csv") < shown.index("━")
    assert shown.rindex("━") < shown.index(f"{COUNT} imported, 0 reported")


def test_fsck_shows_a_bar(trade: Trade) -> None:
    """The bar counts the entries of every log up to the last, and the finding is said after it."""
    trade.nodes["maker"].stop()

    code, shown = type_on_terminal("fsck", "--folder", str(trade.nodes["maker"].folder))

    told = steps(shown, "fsck")
    assert code == 0, shown
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0
    assert shown.rindex("━") < shown.index("nothing is wrong")


def test_bar_is_not_drawn_into_a_pipe(trade: Trade) -> None:
    """What another program reads of a command is its result alone."""
    trade.nodes["maker"].stop()
    command = [sys.executable, "-m", "node", "fsck", "--folder", str(trade.nodes["maker"].folder)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "nothing is wrong\n"
    assert "\x1b" not in done.stderr
