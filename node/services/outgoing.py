"""What peers are to be told of: that there is something new, and whom it concerns whatever they follow."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class News:
    """What is new beside numbered openings: something for everybody, or for all nodes of some organisations."""

    is_public: bool = False
    orgs: frozenset[bytes] = frozenset()


class Outgoing:
    """Collects news until somebody takes them."""

    def __init__(self) -> None:
        self._news = News()
        self._waiting = asyncio.Event()
        self._public_at = 0  # the size of the own log from which on something in it is for everybody

    def set(self, *orgs: bytes) -> None:
        """Something is here; for these organisations whatever they follow."""
        self.tell(News(orgs=frozenset(orgs)))

    def tell_all(self, once_published: int = 0) -> None:
        """Something for everybody is there; or will be, once a checkpoint of the own log has that size."""
        if once_published:
            self._public_at = once_published
        else:
            self.tell(News(is_public=True))

    def tell(self, news: News) -> None:
        """Add news."""
        self._news = News(self._news.is_public or news.is_public, self._news.orgs | news.orgs)
        self._waiting.set()

    def published(self, org: bytes, size: int) -> None:
        """The own log, of this organisation, has a checkpoint of that size."""
        is_public = 0 < self._public_at <= size
        if is_public:
            self._public_at = 0
        self.tell(News(is_public, frozenset({org})))

    async def wait(self) -> News:
        """Wait for news and take them."""
        await self._waiting.wait()
        self._waiting.clear()
        news, self._news = self._news, News()
        return news
