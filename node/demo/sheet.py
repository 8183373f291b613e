"""What the demo prints: each step with its time and result, and one sheet for each person at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


class StepError(Exception):
    """A step did not come out as it must."""


@dataclass(slots=True)
class Line:
    """One thing a person did."""

    typed: str
    seconds: float
    shown: str


@dataclass(slots=True)
class Sheets:
    """Who did what, how long it took, and what is on screen."""

    console: Console
    started: float = field(default_factory=time.monotonic)
    people: dict[str, list[Line]] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, number: str, title: str) -> Iterator[None]:
        """A step of the scenario: printed with its time when it is over."""
        begun = time.monotonic()
        self.console.print(f"[bold]{number}[/bold] {title}")
        yield
        self.times[number] = time.monotonic() - begun
        self.console.print(f"  done in {self.times[number]:.1f} s, {time.monotonic() - self.started:.1f} s in all")

    @contextmanager
    def act(self, person: str, typed: str) -> Iterator[Line]:
        """What one person does; the block says what is shown."""
        line, begun = Line(typed, 0.0, ""), time.monotonic()
        yield line
        line.seconds = time.monotonic() - begun
        self.people.setdefault(person, []).append(line)
        self.console.print(f"  {person}: {line.shown} ({line.seconds:.1f} s)", markup=False)

    def mark(self, what: str) -> None:
        """Something that people wait for is there."""
        self.tell(f"{what} {time.monotonic() - self.started:.1f} s after the start")

    def tell(self, text: str) -> None:
        """Something worth seeing that nobody did."""
        self.console.print(f"    {text}", markup=False)

    def print_all(self) -> None:
        """One table a person."""
        for person, lines in self.people.items():
            table = Table(title=person, title_justify="left", expand=True)
            for heading in ("typed", "seconds", "on screen"):
                table.add_column(heading, justify="right" if heading == "seconds" else "left")
            for line in lines:
                table.add_row(line.typed, f"{line.seconds:.1f}", line.shown)
            self.console.print(table)


def require(holds: bool, what: str) -> None:
    """Raise StepError unless it holds."""
    if not holds:
        raise StepError(what)
