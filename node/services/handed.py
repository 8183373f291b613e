"""To whom personal sections were given: noted before the answer leaves, so that an erasure knows who has them."""

from collections.abc import Iterable

from federation.ports import Asker
from node.services.core import Core
from node.store.erasures import Given, note_given

MOST_REMEMBERED = 100_000

Place = tuple[bytes, int]  # log and seq
Personal = dict[Place, list[str]]  # the personal sections of the entries of an answer


class Handed:
    """Notes it once for each section and node."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._noted: set[tuple[bytes, int, str, bytes]] = set()

    async def note(self, asker: Asker, places: Iterable[Place], personal: Personal) -> None:
        """Those of the places that have personal sections are about to be given to a node."""
        named = ((log, seq, name) for log, seq in places for name in personal.get((log, seq), ()))
        fresh = [(*one, asker.node) for one in named if (*one, asker.node) not in self._noted]
        if not fresh:
            return
        async with self._core.database.write() as tx:
            await note_given(tx, [Given(log, seq, name, asker.org, node, tx.now) for log, seq, name, node in fresh])
        if len(self._noted) > MOST_REMEMBERED:
            self._noted.clear()
        self._noted.update(fresh)
