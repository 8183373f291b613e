"""`make demo` as a newcomer waits for it: the first passports, the whole scenario, and the end after Ctrl-C.

Against: the time that people were promised. Packages are installed already; each run has files of another seed.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache

from benchmarks.__main__ import Measure

FIRST_S, ALL_S, END_S = 60.0, 120.0, 2.0


@dataclass(frozen=True, slots=True)
class Played:
    """Seconds of one run of the command."""

    first: float
    whole: float
    end: float


@cache
def play(run: int) -> Played:
    """One run on four nodes; raise RuntimeError where the demo fails."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        command = [sys.executable, "-u", "-m", "node", "demo", "--folder", f"{folder}/demo", "--seed", str(run + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
            printed, first = "", 0.0
            for line in process.stdout or ():
                printed += line
                first = first or (time.perf_counter() - begun if "first passports on screen" in line else 0.0)
                if line.startswith("Ctrl-C"):
                    break
            whole = time.perf_counter() - begun
            asked = time.perf_counter()
            process.send_signal(signal.SIGINT)
            code = process.wait()
            end = time.perf_counter() - asked
    if code or not re.search(r"^8 ", printed, re.MULTILINE):
        raise RuntimeError(f"the demo failed: {printed}")
    return Played(first, whole, end)


MEASURES = [
    Measure("first_passports", "s", "promised", lambda run: play(run).first, lambda _: FIRST_S),
    Measure("whole_scenario", "s", "promised", lambda run: play(run).whole, lambda _: ALL_S),
    Measure("end_after_interrupt", "s", "promised", lambda run: play(run).end, lambda _: END_S),
]
