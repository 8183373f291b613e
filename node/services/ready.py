"""Passports as they are answered, ready to be sent, kept while they are what the store says.

An answer is made of the stored view off the event loop, and made anew when the passport is another one; in between it
is only asked whether anything was committed. Who asks, and what that one may see, is decided before: an answer that
shows less than the whole is kept under a form of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.services.core import Core
from node.services.registry import Registry
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport, read_version
from node.store.remembered import Remembered

__all__ = ["ReadyPassport", "ReadyPassports", "StoredPassport"]

MOST_BYTES = 64 << 20  # two thousand passports of 25 statements each
BESIDE = 1 << 9  # bytes that one takes beside its answer

Write = Callable[[StoredPassport], bytes]


@dataclass(frozen=True, slots=True)
class ReadyPassport:
    """An answer, and the digest and the time of change of the passport of which it was made."""

    digest: bytes
    changed_us: int
    answer: bytes


class ReadyPassports:
    """Answers by subject and form, the longest unused of which are forgotten."""

    def __init__(self, core: Core, registry: Registry, most_bytes: int = MOST_BYTES) -> None:
        self._registry = registry
        self._kept: Remembered[tuple[bytes, str], ReadyPassport] = Remembered(core.database, _size, most_bytes)

    async def get(self, subject: bytes, write: Write, *, form: str = "", moment: int | None = None) -> ReadyPassport:
        """The passport of a subject as `write` spells it, which is what `form` names; raise NotFoundError.

        It is what stood at a moment of the store, or later; without one, what stands now.
        """

        async def read(tx: ReadTx, known: ReadyPassport | None) -> ReadyPassport | None:
            if known is not None and await read_version(tx, subject) == (known.digest, known.changed_us):
                return known
            found = await find_passport(tx, subject, whole=False)
            return ReadyPassport(found.digest, found.changed_us, write(found)) if found else None

        ready = await self._kept.get((subject, form), read, moment)
        if ready is None:
            found = await self._registry.get(subject, whole=False)  # says why there is none
            return ReadyPassport(found.digest, found.changed_us, write(found))
        return ready


def _size(ready: ReadyPassport) -> int:
    return len(ready.answer) + BESIDE
