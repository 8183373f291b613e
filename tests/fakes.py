"""Stand-ins for ports: a clock that moves when told, randomness from a seed."""

import hashlib


class FakeClock:
    """A clock in microseconds that moves one microsecond with each look, and further when told."""

    def __init__(self, now: int = 1_760_000_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Microseconds since 1970."""
        self._now += 1
        return self._now

    def monotonic(self) -> float:
        """Seconds."""
        return self._now / 1e6

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += int(seconds * 1e6)


class FakeRandom:
    """Bytes that follow from a seed."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._count = 0

    def bytes(self, size: int) -> bytes:
        """That many bytes, never the same twice."""
        self._count += 1
        return hashlib.shake_256(f"{self._seed}/{self._count}".encode()).digest(size)
