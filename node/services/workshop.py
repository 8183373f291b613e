"""Making many passports on more than one core: processes beside this one, which hold no key and open no file.

They are started where many passports are to be made, and end by themselves once nothing came for a while, or when the
node does. What they leave unanswered is made here.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from pickle import PickleError

import structlog

from node.collecting import settle_collector
from node.passport.world import World
from node.services.making import Made, Maker, Spoken

log = structlog.get_logger()

MANY = 100  # passports for which processes are started
FEW = 20  # passports that are worth handing over
MOST = 3
IDLE_S = 30
PATIENCE_S = 60  # a share that takes longer is made here
CODE = Path(__file__).parents[2]
LOST = (OSError, EOFError, PickleError)


class Workshop:
    """Makes passports in the thread that asks and in `processes` beside it; asked by one thread at a time."""

    def __init__(self, maker: Maker, processes: int | None = None) -> None:
        """Without a number there is a process for each core that this one may use, but the first."""
        self._maker = maker
        self._size = min(MOST, len(os.sched_getaffinity(0)) - 1) if processes is None else processes
        self._hands: list[_Hand] = []
        self._turn = threading.Lock()

    @property
    def processes(self) -> list[int]:
        """The process ids of those that can be asked."""
        return [hand.pid for hand in self._hands if hand.is_ready]

    def make_each(self, spoken: Sequence[Spoken], world: World, now: int) -> list[Made | None]:
        """What `Maker.make_each` makes, in the same order."""
        if len(spoken) < FEW:
            return self._maker.make_each(spoken, world, now)
        with self._turn:
            hands = self._ready(start=len(spoken) >= MANY)
            share = -(-len(spoken) // (len(hands) + 1))
            mine, *others = [spoken[at : at + share] for at in range(0, len(spoken), share)]
            asked = [(hand, hand.ask(part, world, now), part) for hand, part in zip(hands, others, strict=False)]
            made = self._maker.make_each(mine, world, now)
            for hand, is_asked, part in asked:
                theirs = hand.answer() if is_asked else None
                made += self._maker.make_each(part, world, now) if theirs is None else theirs
            return made

    def close(self) -> None:
        """End the processes."""
        with self._turn:
            for hand in self._hands:
                hand.close()
            self._hands = []

    def _ready(self, *, start: bool) -> list["_Hand"]:
        """The processes that can be asked now; a process that was just started is asked the next time."""
        for hand in [hand for hand in self._hands if hand.is_lost()]:
            hand.close()
            self._hands.remove(hand)
            self._size -= not hand.is_ready  # what cannot be started here is not tried again
        while start and len(self._hands) < self._size:
            self._hands.append(_Hand(self._maker))
        return [hand for hand in self._hands if hand.is_ready]


class _Hand:
    """A process that makes passports, as the node sees it."""

    def __init__(self, maker: Maker) -> None:
        near, far = socket.socketpair()
        with far:
            # It is told where this code is, and nothing else of the environment, in which secrets may stand.
            self._process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", __name__, str(far.fileno())],
                env={"PYTHONPATH": str(CODE)},
                stdin=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
                start_new_session=True,  # Ctrl-C is for the node
            )
        self._connection = Connection(near.detach())
        self._connection.send(maker)
        self._world: World | None = None
        self.is_ready = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def is_lost(self) -> bool:
        """Whether the process has ended; one that is ready for the first time is noticed here."""
        try:
            if not self.is_ready and self._connection.poll():
                self.is_ready = self._connection.recv()
        except LOST:
            return True
        return self._process.poll() is not None

    def ask(self, spoken: Sequence[Spoken], world: World, now: int) -> bool:
        """Hand over a share; the world goes along where it is another than the last one."""
        try:
            self._connection.send((spoken, None if world is self._world else world, now))
        except LOST as error:
            return self._give_up(error)
        self._world = world
        return True

    def answer(self) -> list[Made | None] | None:
        """What was made of the share; None where nothing came back."""
        try:
            if self._connection.poll(PATIENCE_S):
                made: list[Made | None] = self._connection.recv()
                return made
            self._give_up(TimeoutError(f"nothing came within {PATIENCE_S} s"))
        except LOST as error:
            self._give_up(error)
        return None

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _give_up(self, error: Exception) -> bool:
        log.warning("workshop_hand_lost", pid=self.pid, error=repr(error))
        self._process.kill()
        return False


def serve(connection: Connection) -> None:
    """Make what is asked for until nobody asks."""
    maker: Maker = connection.recv()
    settle_collector()
    world = World()
    connection.send(True)
    while connection.poll(IDLE_S):
        spoken, new_world, now = connection.recv()
        world = world if new_world is None else new_world
        connection.send(maker.make_each(spoken, world, now))


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError), Connection(int(sys.argv[1])) as opened:
        serve(opened)
