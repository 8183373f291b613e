"""One frame over several gateways: receptions of equal bytes within one window are one frame.

The window opens with the first reception, by the node's own receive clock, and has a fixed length: a later reception
does not move its end, and nothing waits longer than it. A clock that is set back closes what it can no longer time.
What another gateway brings a little later, over a slow link, is of the frame that was closed: no replay.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lora.radio import Reception, best_first

WINDOW_US = 200_000
MAX_PENDING = 20_000
# A device repeats an unconfirmed frame after its second receive window at the earliest, two seconds after the first.
LATE_US = 1_500_000


@dataclass(frozen=True, slots=True)
class Collected:
    """A frame whose window has closed: bytes, receptions (best SNR first, one a gateway) and the time of the first."""

    payload: bytes
    receptions: tuple[Reception, ...]
    first_us: int


class Deduplicator:
    """Holds frames for one window. Performs no I/O: the caller brings the time, in microseconds."""

    def __init__(self, window_us: int = WINDOW_US, max_pending: int = MAX_PENDING) -> None:
        self._window_us = window_us
        self._max_pending = max_pending
        self._pending: dict[bytes, list[Reception]] = {}
        self._closed: dict[bytes, Collected] = {}

    def find_closed(self, reception: Reception) -> Collected | None:
        """The frame that this reception comes too late for; None for one that its gateway has brought already."""
        closed = self._closed.get(reception.heard.payload)
        if closed is None or not 0 <= reception.received_us - closed.first_us <= LATE_US:
            return None
        if any(one.gateway == reception.gateway for one in closed.receptions):
            return None
        later = Collected(closed.payload, (*closed.receptions, reception), closed.first_us)
        self._closed[closed.payload] = later
        return later

    def add(self, reception: Reception) -> bool:
        """Take a reception; False where too many different frames wait already. First call `pop_due` with its time."""
        held = self._pending.get(reception.heard.payload)
        if held is not None:
            held.append(reception)
            return True
        if len(self._pending) >= self._max_pending:
            return False
        self._pending[reception.heard.payload] = [reception]
        return True

    def next_timeout(self) -> int | None:
        """When the oldest window closes, or None where nothing waits."""
        for receptions in self._pending.values():
            return receptions[0].received_us + self._window_us
        return None

    def is_due(self, now_us: int) -> bool:
        """Whether the window of any frame has closed."""
        # Windows have one length and a dict keeps the order of arrival, so the due ones stand in front.
        for receptions in self._pending.values():
            return self._has_closed(receptions[0].received_us, now_us)
        return False

    def pop_due(self, now_us: int) -> Iterator[Collected]:
        """Frames whose window has closed, oldest first."""
        due = []
        for payload, receptions in self._pending.items():
            if not self._has_closed(receptions[0].received_us, now_us):
                break
            due.append(payload)
        for payload in due:
            receptions = self._pending.pop(payload)
            closed = Collected(payload, _one_per_gateway(receptions), receptions[0].received_us)
            self._forget_closed(now_us)
            self._closed[payload] = closed
            yield closed

    def _forget_closed(self, now_us: int) -> None:
        while self._closed:
            payload, oldest = next(iter(self._closed.items()))
            if 0 <= now_us - oldest.first_us <= LATE_US and len(self._closed) < self._max_pending:
                return
            del self._closed[payload]

    def _has_closed(self, first_us: int, now_us: int) -> bool:
        return now_us >= first_us + self._window_us or now_us < first_us


def _one_per_gateway(receptions: list[Reception]) -> tuple[Reception, ...]:
    best: dict[bytes, Reception] = {}
    for reception in best_first(receptions):
        best.setdefault(reception.gateway.raw, reception)
    return tuple(best.values())
