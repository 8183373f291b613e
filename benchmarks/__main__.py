"""`make bench NAME=log`: measure beside peers in one run, print a table, write build/bench/NAME.json.

Each measure is the median of five runs, each with other input; the raw runs are kept. `against` names what the same
machine did in the same run with the plainest code that does the job; `ratio` is ours over theirs.
"""

import importlib
import json
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

SMALL = 100.0
RUNS = 5
WIDE = 150
OUT = Path(__file__).parent.parent / "build" / "bench"
NAMES = (
    *("log", "fold", "demo", "registry", "checkup", "processes", "bench_file", "template", "webhooks", "rights"),
    *("shipment", "lookup", "passport_file", "drivers", "lora"),
)


@dataclass(frozen=True)
class Measure:
    """One thing to measure: `ours(run)` and `theirs(run)` answer a rate or a time in `unit`."""

    name: str
    unit: str
    against: str
    ours: Callable[[int], float]
    theirs: Callable[[int], float]


@dataclass(frozen=True)
class Part:
    """What a benchmark of several parts measured: a table as it is printed, and figures as they are written."""

    title: str
    heading: tuple[str, ...]
    rows: list[tuple[str, ...]]
    figures: dict[str, object]


def main(arguments: list[str]) -> int:
    """Run the named benchmark, or all."""
    wanted = arguments[:1] or ["all"]
    names = NAMES if wanted == ["all"] else tuple(wanted)
    for name in names:
        if name not in NAMES:
            print(f"no benchmark {name}: one of {', '.join(NAMES)}")
            return 1
        run(name)
    return 0


def run(name: str) -> None:
    """One benchmark: table on screen, figures in a file."""
    module = importlib.import_module(f"benchmarks.{name}")
    if hasattr(module, "PARTS"):
        run_parts(name, module.PARTS)
        return
    measures: list[Measure] = module.MEASURES
    table = Table(title=name)
    for heading in ("measure", "value", "unit", "against", "its value", "ratio"):
        table.add_column(heading)
    figures = {}
    for measure in measures:
        ours = [measure.ours(number) for number in range(RUNS)]
        theirs = [measure.theirs(number) for number in range(RUNS)]
        value, other = statistics.median(ours), statistics.median(theirs)
        figures[measure.name] = {
            "value": value,
            "unit": measure.unit,
            "against": measure.against,
            "ratio": value / other,
            "runs": ours,
            "runs_against": theirs,
        }
        table.add_row(measure.name, figure(value), measure.unit, measure.against, figure(other), f"{value / other:.2f}")
    _write(name, figures)
    Console().print(table)


def run_parts(name: str, parts: dict[str, Callable[[], Part]]) -> None:
    """One benchmark of several parts; the figures of all stand in one file."""
    figures: dict[str, object] = {}
    for title, measure in parts.items():
        part = measure()
        table = Table(title=part.title)
        for heading in part.heading:
            table.add_column(heading)
        for row in part.rows:
            table.add_row(*row)
        Console(width=None if sys.stdout.isatty() else WIDE).print(table)
        figures[title] = part.figures
        _write(name, figures)


def _write(name: str, figures: Mapping[str, object]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False))


def figure(value: float) -> str:
    """A number as a table shows it: three digits of a small one, every whole digit of a large one."""
    return f"{value:,.0f}" if value >= SMALL else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
