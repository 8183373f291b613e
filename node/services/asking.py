"""One look-up at other organisations, as those who wait for it see it: what is known so far, and when more is."""

import asyncio
from collections.abc import Callable

from node.passport.identifiers import Identifier
from node.passport.sightings import Outcome


class Asking:
    """A look-up that was begun for somebody, under way or over."""

    def __init__(self, identifiers: tuple[Identifier, ...], text: str, actor: str) -> None:
        self.identifiers = identifiers
        self.text = text
        self.actor = actor
        self.look: Callable[[], Outcome] = Outcome
        self.changes = 0
        self.ended_us: int | None = None
        self.trouble: Exception | None = None
        self._moved = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.ended_us is not None

    @property
    def outcome(self) -> Outcome:
        """What is known by now."""
        return self.look()

    def tell(self) -> None:
        """Say that more is known now."""
        self._move()

    def end(self, outcome: Outcome, now: int, trouble: Exception | None = None) -> None:
        """Say what came of it, and why it failed where it did."""
        self.look = lambda: outcome
        self.ended_us, self.trouble = now, trouble
        self._move()

    async def beyond(self, seen: int, within_s: float) -> None:
        """Wait until more than so many changes were told, or it is over, but no longer than that."""
        try:
            async with asyncio.timeout(within_s):
                while not self.is_over and self.changes <= seen:
                    await self._moved.wait()
        except TimeoutError:
            pass  # who waits looks at what there is

    async def ended(self, within_s: float | None = None) -> None:
        """Wait until it is over, but no longer than that."""
        try:
            async with asyncio.timeout(within_s):
                while not self.is_over:
                    await self._moved.wait()
        except TimeoutError:
            pass  # likewise

    def _move(self) -> None:
        self.changes += 1
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
