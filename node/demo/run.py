"""`passport-node demo`: plays the scenario and leaves the nodes running."""

import asyncio
import contextlib
import shutil
import signal
from pathlib import Path

from rich.console import Console

from node.api_client import ApiError
from node.demo.processes import ProcessError
from node.demo.scenario import play
from node.demo.sheet import Sheets, StepError
from node.demo.stage import Stage, set_stage


def run_demo(folder: Path, seed: int, *, once: bool, verbose: bool = False) -> int:
    """Play every step that exists; answer the exit code."""
    console = Console(highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sheets = Sheets(console)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.closing(set_stage(folder, seed, sheets)) as stage:
        try:
            asyncio.run(play(stage))
        except (StepError, ProcessError, ApiError) as error:
            console.print(f"the demo failed: {error}", style="red", markup=False)
            return 1
        except KeyboardInterrupt:
            return 130
        return _leave_open(console, stage, once=once, verbose=verbose)


def _leave_open(console: Console, stage: Stage, *, once: bool, verbose: bool) -> int:
    """The sheets; unless it is for once, the addresses too, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        stage.sheets.print_all()
        if verbose:
            asyncio.run(_print_digests(console, stage))
        if not once:
            _print_addresses(console, stage)
            console.print("Ctrl-C ends all four.")
            signal.pause()
    return 0


async def _print_digests(console: Console, stage: Stage) -> None:
    """Of each passport that several nodes hold: who shows which digest of the whole view."""
    rows = {name: (await stage.get(name, "/passports", limit="200"))["items"] for name in stage.nodes}
    titles = {row["id"]: row["title"] for items in rows.values() for row in items}
    for device, title in sorted(titles.items(), key=lambda item: item[1]):
        shown: dict[str, list[str]] = {}
        for name in (name for name, items in rows.items() if any(row["id"] == device for row in items)):
            shown.setdefault((await stage.passport(name, device))["digest"], []).append(name)
        if sum(map(len, shown.values())) > 1:
            text = "  ".join(f"{digest} {', '.join(names)}" for digest, names in shown.items())
            console.print(f"{title}  {text}", markup=False, soft_wrap=True)


def _print_addresses(console: Console, stage: Stage) -> None:
    for name, node in stage.nodes.items():
        console.print(f"{name:8} {node.addresses['claim'] or node.addresses['console']}", markup=False)
