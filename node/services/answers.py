"""How much fits into one answer of the federation: bytes of what is told, and rows of a part."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from federation.fragment import Fragment
from federation.merkle import HASH_SIZE
from federation.sync.messages import MAX_BODY, MAX_ROWS, Placed, Row, Span, width
from federation.tiles import WIDTH

ROW_OVERHEAD = 256
MOST_TOLD = MAX_BODY // 2  # bytes of an answer that tells of more than one change or entry


class Room:
    """How much still fits into one answer."""

    def __init__(self) -> None:
        self._entries = MAX_ROWS
        self._bytes = MOST_TOLD

    @property
    def is_left(self) -> bool:
        """Whether anything more fits."""
        return self._entries > 0 and self._bytes > 0

    def end(self, span: Span) -> int:
        """Up to where a span is looked at: to the end of a tile, where not to its own end."""
        reached = span.start + max(self._entries, 1)
        return span.end if reached >= span.end else max(reached // WIDTH * WIDTH, span.start + 1)

    def take(self, rows: Iterable[Row]) -> list[Row]:
        """The first rows that fit, one at least."""
        taken: list[Row] = []
        for row in rows:
            taken.append(row)
            self._entries -= width(row)
            self._bytes -= ROW_OVERHEAD + _weight(row) if isinstance(row, Fragment) else HASH_SIZE
            if not self.is_left:
                break
        return taken


def last_of(placed: Sequence[Placed], most: int) -> tuple[Placed, ...]:
    """The last ones that weigh no more."""
    left = accumulate((weight_of([one]) for one in reversed(placed)), initial=0)
    count = sum(weight <= most for weight in left) - 1
    return tuple(placed[len(placed) - count :])


def weight_of(placed: Iterable[Placed]) -> int:
    """Bytes of entries and what is around them."""
    return sum(ROW_OVERHEAD + _weight(one.fragment) for one in placed)


def _weight(fragment: Fragment) -> int:
    return len(fragment.header) + sum(len(section.data) for section in fragment.sections)
