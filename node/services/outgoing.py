"""What peers are to be told of: that there is something new, and whom it concerns whatever they follow."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from federation.sync.frames import Grown

LATER_S = 0.5


@dataclass(frozen=True, slots=True)
class News:
    """What is new beside numbered openings: for everybody, or for those who take everything and some organisations.

    It `is_any` where it is not told by logs that have `grown` alone.
    """

    is_public: bool = False
    is_any: bool = False
    orgs: frozenset[bytes] = frozenset()
    grown: tuple[Grown, ...] = ()


class Outgoing:
    """Collects news until somebody takes them."""

    def __init__(self) -> None:
        self._news = News()
        self._waiting = asyncio.Event()
        self._public_at = 0  # the size of the own log from which on something in it is for everybody

    def set(self) -> None:
        """Something was opened: in whose lists, their numbers tell."""
        self.tell(News())

    def tell_all(self, once_published: int = 0) -> None:
        """Something for everybody is there; or will be, once a checkpoint of the own log has that size."""
        if once_published:
            self._public_at = once_published
        else:
            self.tell(News(is_public=True, is_any=True))

    def tell(self, news: News) -> None:
        """Add news."""
        before, grown = self._news, {one.log: one for one in (*self._news.grown, *news.grown)}
        self._news = News(
            before.is_public or news.is_public,
            before.is_any or news.is_any,
            before.orgs | news.orgs,
            tuple(grown.values()),
        )
        self._waiting.set()

    def grew(self, orgs: Iterable[bytes], grown: Iterable[Grown]) -> None:
        """Logs of these organisations came so far here, from a peer: their authors learn of it whatever they follow.

        Whoever is in touch with the author has it from there by then, and need not be told twice.
        """
        if news := tuple(grown):
            told = News(orgs=frozenset(orgs), grown=news)
            asyncio.get_running_loop().call_later(LATER_S, self.tell, told)

    def published(self, org: bytes, grown: Grown) -> None:
        """The own log, of this organisation, has a checkpoint of that size."""
        is_public = 0 < self._public_at <= grown.size
        if is_public:
            self._public_at = 0
        self.tell(News(is_public, orgs=frozenset({org}), grown=(grown,)))

    async def wait(self) -> News:
        """Wait for news and take them."""
        await self._waiting.wait()
        self._waiting.clear()
        news, self._news = self._news, News()
        return news
