"""Who wants to know that something changed: a queue for each listener, fed after the commit."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WAITING = 1000


class EventBus:
    """Hands journal ids to listeners; a listener that falls behind is told to read the journal from where it was."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Queue[int], None] = {}  # told in the order in which they came

    def publish(self, journal_id: int) -> None:
        """Tell every listener; one with a full queue has a newer id waiting already."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(journal_id)

    def wake(self) -> None:
        """Something changed that has no row in the journal."""
        self.publish(0)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[int]]:
        """A queue of journal ids for as long as the block lasts."""
        queue: asyncio.Queue[int] = asyncio.Queue(MAX_WAITING)
        self._listeners[queue] = None
        try:
            yield queue
        finally:
            del self._listeners[queue]
