"""How far a webhook has come: which event was taken last, when the next attempt is, and how its health is.

Events go one after another: the next one is not tried before this one was taken. What is not taken is tried again, at
first soon, then at doubling intervals with some chance in them; after days without a success the hook pauses where it
is, and goes on from there when somebody lets it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

TAKEN = range(200, 300)
REDIRECTED = range(300, 400)
GONE_STATUS = 410
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US


class Fault(StrEnum):
    """Why an attempt failed."""

    REFUSED = "refused"  # the answer's status says so
    REDIRECT = "redirect"
    TIMEOUT = "timeout"
    ADDRESS = "address"  # it leads where this node sends nothing
    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    ANSWER = "answer"  # no HTTP


class Pause(StrEnum):
    """Why nothing is sent."""

    HAND = "hand"
    FAILING = "failing"
    GONE = "gone"  # the receiver answered 410
    TOKEN = "token"  # noqa: S105 - the name of a reason: the token or system whose hook it is may not follow


class Health(StrEnum):
    """How a hook is."""

    NEW = "new"
    GOOD = "good"
    FAILING = "failing"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: `status` is of HTTP, 0 without an answer; `fault` is None where it was taken."""

    status: int
    fault: Fault | None
    took_us: int = 0
    retry_after_s: float = 0.0

    @classmethod
    def of_status(cls, status: int, took_us: int = 0, retry_after_s: float = 0.0) -> "Outcome":
        """What an answer says."""
        if status in TAKEN:
            return cls(status, None, took_us)
        return cls(status, Fault.REDIRECT if status in REDIRECTED else Fault.REFUSED, took_us, retry_after_s)


@dataclass(frozen=True, slots=True)
class Pace:
    """When to try again, and for how long."""

    first_s: float = 1.0
    longest_s: float = 3600.0
    give_up_days: float = 5.0

    def delay_us(self, attempts: int, chance: float, asked_s: float = 0.0) -> int:
        """How long to wait after so many attempts: half of the interval is left to chance, from 0 to 1.

        A receiver that asks for more time gets it, up to the longest interval.
        """
        interval_s = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 62))
        return int(max(interval_s * (0.5 + chance / 2), min(asked_s, self.longest_s)) * SECOND_US)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a hook has come. Times are microseconds since 1970, 0 for never."""

    cursor: int
    attempts: int = 0
    next_us: int = 0
    failing_us: int = 0
    error: str = ""
    tries: int = 0
    taken: int = 0
    taken_us: int = 0
    paused: str = ""

    @property
    def health(self) -> Health:
        """As it is shown."""
        if self.paused:
            return Health.PAUSED
        if self.failing_us:
            return Health.FAILING
        return Health.GOOD if self.taken else Health.NEW

    def after(self, outcome: Outcome, event: int, now: int, pace: Pace, chance: float) -> "Progress":
        """Once an attempt at an event has ended."""
        if outcome.fault is None:
            return self._taken(event, now)
        failing_us = self.failing_us or now
        is_over = now - failing_us >= pace.give_up_days * DAY_US
        why = Pause.GONE if outcome.status == GONE_STATUS else Pause.FAILING if is_over else ""
        return replace(
            self,
            attempts=self.attempts + 1,
            next_us=now + pace.delay_us(self.attempts + 1, chance, outcome.retry_after_s),
            failing_us=failing_us,
            error=outcome.fault.value,
            tries=self.tries + 1,
            paused=self.paused or str(why),
        )

    def counted(self) -> "Progress":
        """One more attempt that decides nothing: a test, or an event sent again by itself."""
        return replace(self, tries=self.tries + 1)

    def moved(self, cursor: int) -> "Progress":
        """From there on, at once."""
        return replace(self, cursor=cursor, attempts=0, next_us=0)

    def stopped(self, why: Pause) -> "Progress":
        """Nothing is sent until it is resumed."""
        return replace(self, paused=why.value)

    def resumed(self) -> "Progress":
        """On from where it was, at once, with all the time again."""
        return replace(self, paused="", attempts=0, next_us=0, failing_us=0, error="")

    def _taken(self, event: int, now: int) -> "Progress":
        return replace(
            self,
            cursor=event,
            attempts=0,
            next_us=0,
            failing_us=0,
            error="",
            tries=self.tries + 1,
            taken=self.taken + 1,
            taken_us=now,
        )
