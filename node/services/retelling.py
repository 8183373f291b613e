"""Large entries are told once in a row of answers, and not again with each subject that they name.

A shipment names its thousands of devices, and goes with each of them that is opened: with every page of them, as long
as itself. Who asks for what comes after an answer has taken that answer.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from federation.sync.messages import Openings, Placed
from node.services.answers import weight_of

LARGE = 4096  # bytes of an entry that is worth remembering
MOST = 256  # entries that are remembered of what a node was told
IN_A_ROW_US = 60_000_000  # after longer than that all is told again

Told: TypeAlias = Mapping[tuple[bytes, int], frozenset[str]]  # the sections that were told, by log and seq


class Retelling:
    """What each node was told of large entries by the answers that it asks to go on from."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[int, int, Told]] = {}

    def fresh(self, node: bytes, after: int, now: int, placed: Iterable[Placed]) -> tuple[Placed, ...]:
        """What of an answer about what follows `after` the node was not told by those before it."""
        told = self._told(node, after, now)
        return tuple(
            one for one in placed if _at(one) not in told or not frozenset() < _sections(one) <= told[_at(one)]
        )

    def note(self, node: bytes, after: int, now: int, answer: Openings) -> Openings:
        """Remember what an answer tells."""
        told = dict(self._told(node, after, now))
        for one in answer.entries:
            if named := _sections(one):
                told[_at(one)] = told.pop(_at(one), frozenset()) | named
        self._last[node] = answer.next, now, dict([*told.items()][-MOST:])
        return answer

    def _told(self, node: bytes, after: int, now: int) -> Told:
        upto, at, told = self._last.get(node, (after, now, {}))
        return told if upto == after and 0 <= now - at <= IN_A_ROW_US else {}


def _at(one: Placed) -> tuple[bytes, int]:
    return one.log, one.seq


def _sections(one: Placed) -> frozenset[str]:
    """What is told of a large entry; nothing of one with sealed sections: to whom these are sealed changes."""
    sections = one.fragment.sections
    if weight_of([one]) < LARGE or any(section.salt is None for section in sections):
        return frozenset()
    return frozenset(section.name for section in sections)
