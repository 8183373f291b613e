"""Work of minutes in a thread: how far it is, and how it is stopped when nobody waits for it any more."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from node.aside import aside

T = TypeVar("T")


class _StoppedError(Exception):
    """Nobody waits for the work any more."""


@dataclass(slots=True)
class Work:
    """A part after another: `stage` is which one, `done` of `total` how far all of them are."""

    total: int = 1
    done: int = 0
    stage: str = ""
    _stopped: threading.Event = field(default_factory=threading.Event)

    def count(self, done: int) -> None:
        """So much more is done; ends the thread where the work was stopped."""
        if self._stopped.is_set():
            raise _StoppedError
        self.done += done

    def parts(self, of: int) -> int:
        """How far the work is, as a number up to `of` that is reached at the end alone."""
        return min(of - 1, self.done * of // max(1, self.total))

    async def aside(self, stage: str, call: Callable[[], T]) -> T:
        """Do one part off the event loop; cancelled, it has ended when this returns."""
        self.stage = stage
        return await aside(call, self._stopped.set)
