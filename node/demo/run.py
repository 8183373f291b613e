"""`passport-node demo`: plays the scenario and leaves the nodes running."""

import asyncio
import contextlib
import shutil
import signal
from pathlib import Path

from rich.console import Console

from node.api_client import ApiError
from node.demo.processes import ProcessError
from node.demo.scenario import Stage, play, stop
from node.demo.sheet import Sheets, StepError


def run_demo(folder: Path, seed: int, *, once: bool) -> int:
    """Play every step that exists; answer the exit code."""
    console = Console(highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sheets = Sheets(console)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        stage = asyncio.run(play(folder, seed, sheets))
    except (StepError, ProcessError, ApiError) as error:
        console.print(f"the demo failed: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    sheets.print_all()
    try:
        _print_addresses(console, stage)
        if not once:
            console.print("Ctrl-C ends all four.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    finally:
        stop(stage)
    return 0


def _print_addresses(console: Console, stage: Stage) -> None:
    for name, node in stage.nodes.items():
        console.print(f"{name:8} {node.addresses['claim'] or node.addresses['console']}", markup=False)
