"""Making many passports on more than one core: processes beside this one, which hold no key and open no file.

They are started where many passports are to be made, and end by themselves once nothing came for a while, or when the
node does. What they leave unanswered is made here.
"""

import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from pickle import PickleError
from typing import TypeAlias

import structlog

from node.collecting import settle_collector
from node.passport.world import World
from node.services.making import Made, Maker, Spoken

log = structlog.get_logger()

MANY = 100  # passports for which processes are started
FEW = 20  # passports that are worth handing over
PIECE = 10  # passports that are handed over together: few, so that none waits long for the last of them
TOGETHER = 5  # pieces that are given out together
AHEAD = 3  # pieces that a process has before it, so that it never waits for the next one
MOST = 3
IDLE_S = 30
CLOSED_IN_S = 10
PATIENCE_S = 60  # a piece that takes longer is made here
CODE = Path(__file__).parents[2]
LOST = (OSError, EOFError, PickleError)

Asked: TypeAlias = tuple[Sequence[Spoken], World | None, int]


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
        return [hand.pid for hand in self._hands if hand.is_ready()]

    def make_each(self, spoken: Sequence[Spoken], world: World, now: int) -> Generator[list[Made | None]]:
        """What `Maker.make_each` makes, in the same order, some at a time: what follows is made meanwhile.

        Whoever does not take all of it closes the iterator.
        """
        if len(spoken) < FEW:
            yield self._maker.make_each(spoken, world, now)
            return
        with self._turn:
            hands = self._ready(start=len(spoken) >= MANY)
            try:
                yield from self._share(spoken, world, now, hands)
            finally:
                for hand in hands:
                    if hand.owes:  # what it still says belongs to nothing that comes
                        hand.give_up("what was asked of it is not wanted any more")

    def _share(
        self, spoken: Sequence[Spoken], world: World, now: int, hands: Sequence["_Hand"]
    ) -> Generator[list[Made | None]]:
        """Whoever is done takes the next piece: however busy the cores are, nobody waits for a share of another."""
        pieces = [spoken[at : at + PIECE] for at in range(0, len(spoken), PIECE)]
        made: dict[int, list[Made | None]] = {}
        left, given = deque(range(len(pieces))), 0
        while given < len(pieces):
            for hand in hands:
                made |= hand.answers()
                # Of the last ones it takes its part only: nobody waits for it with nothing to do.
                while hand.is_ready() and len(hand.owes) < min(AHEAD, len(left)):
                    hand.ask(left.popleft(), pieces, world, now)
                if hand.is_lost:
                    left.extendleft(reversed(hand.owes))
                    hand.owes.clear()
            whole = given
            while whole in made:
                whole += 1
            if whole >= min(given + TOGETHER, len(pieces)):
                yield [one for number in range(given, whole) for one in made.pop(number)]
                given = whole
            elif left:
                mine = left.popleft()
                made[mine] = self._maker.make_each(pieces[mine], world, now)
            elif asked := [hand for hand in hands if hand.owes]:
                wait([hand.connection for hand in asked], timeout=min(hand.patience() for hand in asked))

    def close(self) -> None:
        """End the processes and start none any more; whoever is being asked makes the rest here."""
        self._size = 0
        is_free = self._turn.acquire(timeout=CLOSED_IN_S)
        for hand in self._hands:
            hand.close()
        self._hands = []
        if is_free:
            self._turn.release()

    def _ready(self, *, start: bool) -> list["_Hand"]:
        """The processes that can be asked now; a process that was just started is asked the next time."""
        for hand in [hand for hand in self._hands if hand.has_ended()]:
            hand.close()
            self._hands.remove(hand)
            self._size -= not hand.has_begun  # what cannot be started here is not tried again
        while start and len(self._hands) < self._size:
            self._hands.append(_Hand(self._maker))
        return [hand for hand in self._hands if hand.is_ready()]


class _Hand:
    """A process that makes passports, as the node sees it; `owes` are the numbers of the pieces it has before it."""

    def __init__(self, maker: Maker) -> None:
        near, far = socket.socketpair()
        for waits in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # for one that stands still within a long piece
            near.setsockopt(socket.SOL_SOCKET, waits, struct.pack("ll", PATIENCE_S, 0))
        with far:
            # It is told where this code is, and nothing else of the environment, in which secrets may stand.
            self._process = subprocess.Popen(  # noqa: S603 - this program
                [sys.executable, "-m", __name__, str(far.fileno())],
                env={"PYTHONPATH": str(CODE)},
                stdin=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
                start_new_session=True,  # Ctrl-C is for the node
            )
        self.connection = Connection(near.detach())
        self.connection.send(maker)
        self._world: World | None = None
        self._heard_at = 0.0
        self.owes: deque[int] = deque()
        self.has_begun = False
        self.is_lost = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def is_ready(self) -> bool:
        """Whether it can be asked."""
        return self.has_begun and not self.is_lost

    def has_ended(self) -> bool:
        """Whether there is no such process any more; one that is ready for the first time is noticed here."""
        try:
            if not self.has_begun and self.connection.poll():
                self.has_begun = self.connection.recv()
        except LOST:
            self.is_lost = True
        return self.is_lost or self._process.poll() is not None

    def ask(self, number: int, pieces: Sequence[Sequence[Spoken]], world: World, now: int) -> None:
        """Hand over a piece; the world goes along where it is another than the last one."""
        if not self.owes:
            self._heard_at = time.monotonic()
        self.owes.append(number)
        try:
            self.connection.send((pieces[number], None if world is self._world else world, now))
        except LOST as error:
            self.give_up(repr(error))
        self._world = world

    def answers(self) -> dict[int, list[Made | None]]:
        """What was made by now, by the numbers of the pieces."""
        found: dict[int, list[Made | None]] = {}
        try:
            while self.owes and self.connection.poll():
                found[self.owes[0]] = self.connection.recv()
                self.owes.popleft()
                self._heard_at = time.monotonic()
        except LOST as error:
            self.give_up(repr(error))
        if self.owes and not self.is_lost and not self.patience():
            self.give_up(f"nothing came within {PATIENCE_S} s")
        return found

    def patience(self) -> float:
        """How many seconds more the next piece is waited for."""
        return max(0.0, self._heard_at + PATIENCE_S - time.monotonic())

    def give_up(self, reason: str) -> None:
        """Ask no more of a process that is lost."""
        log.warning("workshop_hand_lost", pid=self.pid, reason=reason)
        self._process.kill()
        self.is_lost = True

    def close(self) -> None:
        """End the process."""
        self.connection.close()
        self._process.kill()
        self._process.wait()


def serve(connection: Connection) -> None:
    """Make what is asked for until nobody asks."""
    maker: Maker = connection.recv()
    settle_collector()
    world = World()
    connection.send(True)
    asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
    # Read aside: who hands over a long piece never waits for one who hands over a long answer.
    threading.Thread(target=_read, args=(connection, asked), daemon=True).start()
    with suppress(queue.Empty):
        while (piece := asked.get(timeout=IDLE_S)) is not None:
            spoken, new_world, now = piece
            world = world if new_world is None else new_world
            connection.send(maker.make_each(spoken, world, now))


def _read(connection: Connection, asked: "queue.SimpleQueue[Asked | None]") -> None:
    with suppress(EOFError, OSError):
        while True:
            asked.put(connection.recv())
    asked.put(None)


if __name__ == "__main__":
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(int(sys.argv[1])) as opened:
        serve(opened)
