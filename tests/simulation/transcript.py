"""What happened in a run, line by line: the same seed gives the same bytes."""

import hashlib
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from tests.simulation.loop import OWNER

BORING = frozenset({"level", "exc_info"})


class Transcript:
    """Lines with the virtual time at which they came; `lines` are kept where that is wanted.

    `errors` is what nodes logged as faults of their own.
    """

    def __init__(self, time: Callable[[], float], *, keeps_lines: bool = True) -> None:
        self._time = time
        self._keeps_lines = keeps_lines
        self._digest = hashlib.sha256()
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.count = 0

    @property
    def digest(self) -> str:
        """What stands for all lines."""
        return self._digest.hexdigest()

    def note(self, who: str, what: str, **told: object) -> None:
        """Somebody did something."""
        said = " ".join(f"{name}={_text(value)}" for name, value in told.items())
        line = f"{self._time():.6f} {who} {what} {said}".rstrip()
        self._digest.update(line.encode() + b"\n")
        self.count += 1
        if self._keeps_lines:
            self.lines.append(line)

    def carried(self, here: str, there: str, what: str, body: bytes) -> None:
        """Something arrived at the other end of a link."""
        self.note(here, f"-> {there} {what}", size=len(body), sha=hashlib.sha256(body).hexdigest()[:16])

    def logged(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """A processor of structlog: what a node logs is a line."""
        said = {name: value for name, value in sorted(event.items()) if name not in BORING and name != "event"}
        error = event.get("exc_info")
        self.note(OWNER.get(), f"{method}: {event.get('event')}", **said, **({"error": repr(error)} if error else {}))
        if method in ("error", "critical", "exception"):
            self.errors.append(f"{OWNER.get()} logged: {event.get('event')} {error!r}")
        raise structlog.DropEvent


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
