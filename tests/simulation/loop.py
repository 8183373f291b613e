"""An event loop with a time of its own: nothing waits, nothing is a thread, and a seed decides what comes first.

What is ready runs in an order that the seed chooses; where nothing is ready, time goes on to the next timer. Work for
other threads is done at once, and its answer comes at a later turn, as it would from a thread.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

OWNER: ContextVar[str] = ContextVar("owner", default="world")  # the machine on which something happens
MANY_TASKS = 4096
MOST_SWEEPS = 100
MOST_TURNS = 20_000  # without any time going by: something asks itself for ever


class StuckError(Exception):
    """Nothing can happen any more, or everything happens at one moment for ever."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs one coroutine to its end. `faults` are errors that nobody awaited."""

    def __init__(self, choice: random.Random) -> None:
        self._choice = choice
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._now = 0.0
        self._numbers = 0
        self._tasks: list[tuple[str, asyncio.Task[Any]]] = []
        self._ending: list[tuple[str, asyncio.Future[None]]] = []
        self.turns = 0
        self.faults: list[str] = []

    def run(self, main: Coroutine[Any, Any, T]) -> T:  # Any: what a coroutine yields is the loop's own business
        """What a coroutine answers; raise StuckError where it waits for what never comes."""
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            while not task.done():
                self._turn()
            return task.result()
        finally:
            self._sweep()
            self._ready.clear()
            self._timers.clear()
            asyncio._set_running_loop(None)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Call something in a later turn of this moment."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """The same: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call something once so many seconds went by."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call something at a moment."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # generators are not made into tasks here
        self, coro: Coroutine[Any, Any, T], *, name: object = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """A task of this loop."""
        task = asyncio.Task(coro, loop=self, name=str(name) if name else None, context=context)
        if len(self._tasks) > MANY_TASKS:
            self._tasks = [item for item in self._tasks if not item[1].done()]
        self._tasks.append((OWNER.get(), task))
        return task

    async def end(self, owner: str) -> None:
        """Cancel what runs on a machine, and wait until nothing of it does; nothing else happens meanwhile.

        A task group cancels in the order of addresses in memory: what ends is kept apart from the seed's choices.
        """
        ended = self.create_future()
        self._ending.append((owner, ended))
        await ended

    def run_in_executor(  # type: ignore[override]  # nobody hands it an executor
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do the work at once; its answer comes in a later turn."""
        future: asyncio.Future[T] = self.create_future()
        try:
            value = func(*args)
        except Exception as error:
            self.call_soon(_settle, future, None, error)
        else:
            self.call_soon(_settle, future, value, None)
        return future

    def get_debug(self) -> bool:
        """Never: debugging looks at the machine's clock."""
        return False

    def is_running(self) -> bool:
        """Whether a coroutine runs."""
        return asyncio._get_running_loop() is self

    def is_closed(self) -> bool:
        """Never: there is nothing to close."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong with nobody to tell."""
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is left out when its moment comes."""

    def _sweep(self, owner: str | None = None) -> None:
        """End what still runs, of everybody or of one, in the order in which it began."""
        for _ in range(MOST_SWEEPS):
            left = [task for name, task in self._tasks if owner in (None, name) and not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self._run_of(owner)

    def _run_of(self, owner: str | None) -> None:
        while mine := [handle for handle in self._ready if owner in (None, handle._context.get(OWNER))]:  # type: ignore[attr-defined]  # kept by every handle
            self._ready = [handle for handle in self._ready if handle not in mine]
            for handle in mine:
                if not handle.cancelled():
                    handle._run()

    def _turn(self) -> None:
        while self._ending:
            owner, ended = self._ending.pop(0)
            self._sweep(owner)
            ended.set_result(None)
        while not self._ready:
            self._go_on()
        self.turns += 1
        if self.turns > MOST_TURNS:
            raise StuckError(f"{MOST_TURNS} turns at {self._now:.6f} s: something asks itself for ever")
        at = int(self._choice.random() * len(self._ready))
        self._ready[at], self._ready[-1] = self._ready[-1], self._ready[at]
        handle = self._ready.pop()
        if not handle.cancelled():
            handle._run()

    def _go_on(self) -> None:
        """Let time pass to the next timer, and make ready all that is due then."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise StuckError(f"at {self._now:.6f} s nothing is ready and no timer is set")
        if self._timers[0][0] > self._now:
            self._now, self.turns = self._timers[0][0], 0
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])


def _settle(future: asyncio.Future[T], value: T | None, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)  # type: ignore[arg-type]  # None only where the work answers None
