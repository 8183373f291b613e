"""What a node takes from outside itself, so that a simulator or a test can give something else."""

from typing import Protocol


class Clock(Protocol):
    """The time of a node."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class Random(Protocol):
    """Where a node takes randomness for keys, salts and nonces."""

    def bytes(self, size: int) -> bytes:
        """That many unpredictable bytes."""
        ...
