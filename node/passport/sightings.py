"""What others say of a device, put together: passports that they show, and who keeps one without opening it.

Ids that anybody's answer joins are one passport. What is proved by its author's signature stands before what is only
said, and the younger of two answers before the older.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

What = Literal["asked", "found", "held", "nothing", "wrong", "refused", "silent"]
Trust = Literal["asked", "last", "never"]

LEAST_WRONG, MOST_WRONG = 3, 20
WEEK_US = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Who knows a passport, and how old what he has is, in microseconds."""

    org: bytes
    node: bytes
    age_us: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """A passport that others have and this organisation may read; `title` is empty where no plate was proved.

    `is_proved` says that the author's signature ties it to what was asked for; else its sources say so.
    """

    subject: bytes
    ids: frozenset[bytes]
    title: str
    is_proved: bool
    sources: tuple[Source, ...]

    @property
    def source(self) -> Source:
        """The one who knows the newest."""
        return self.sources[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """How one node answered: in which round trip it was asked, and why it did not answer. At first it is `asked`."""

    org: bytes
    node: bytes
    round: int
    what: What = "asked"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that came of asking others; `keepers` have it and do not open it."""

    sightings: tuple[Sighting, ...] = ()
    replies: tuple[Reply, ...] = ()
    rounds: int = 0

    @property
    def keepers(self) -> tuple[Reply, ...]:
        """Who says that he has it, and shows nothing of it."""
        return tuple(reply for reply in self.replies if reply.what == "held")

    @property
    def silent(self) -> tuple[Reply, ...]:
        """Who was asked and did not answer."""
        return tuple(reply for reply in self.replies if reply.what in ("silent", "refused"))


def join_sightings(found: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """One sighting for each passport."""
    joined: list[Sighting] = []
    for one in found:
        same = [other for other in joined if other.ids & one.ids]
        joined = [other for other in joined if other not in same]
        joined.append(_join([one, *same]))
    return tuple(sorted(joined, key=lambda one: (not one.is_proved, one.title, one.subject)))


def trust_in(good: int, bad: int) -> Trust:
    """Whether a node is asked where others name it, after what came of it lately."""
    if bad >= MOST_WRONG and bad > 4 * good:
        return "never"
    return "last" if bad >= LEAST_WRONG and bad > good else "asked"


def _join(found: Sequence[Sighting]) -> Sighting:
    best = min(found, key=lambda one: (not one.is_proved, not one.title, one.source.age_us, one.subject))
    widest = min(found, key=lambda one: (-len(one.ids), one.source.age_us, one.subject))
    youngest: dict[bytes, Source] = {}
    for source in (source for one in found for source in one.sources):
        if source.node not in youngest or source.age_us < youngest[source.node].age_us:
            youngest[source.node] = source
    sources = sorted(youngest.values(), key=lambda source: (source.age_us, source.node))
    ids = frozenset[bytes]().union(*(one.ids for one in found))
    return replace(best, subject=widest.subject, ids=ids, sources=tuple(sources))
