"""The clock and the randomness of a real machine."""

import secrets
import time


class SystemClock:
    """The machine's time."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()


class SystemRandom:
    """The machine's randomness."""

    def bytes(self, size: int) -> bytes:
        """That many unpredictable bytes."""
        return secrets.token_bytes(size)
