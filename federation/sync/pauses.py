"""How long to wait before the next try, without a clock."""

from collections.abc import Callable

FIRST_S = 0.5
MOST_S = 60.0


class Pauses:
    """Pauses between tries that come to nothing: each twice the one before, up to `most_s`.

    A part of each is drawn, so that nodes which lost the same peer do not come back to it together.
    """

    def __init__(self, random: Callable[[int], bytes], first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._random = random
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def next(self) -> float:
        """Seconds to wait now: between half of this pause and all of it."""
        whole = min(self._next_s, self._most_s)
        self._next_s = whole * 2
        return whole * (0.5 + int.from_bytes(self._random(2)) / (2 << 16))

    def reset(self) -> None:
        """The last try was good."""
        self._next_s = self._first_s
