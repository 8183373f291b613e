"""A node that is ended at its writing calls, at points drawn from a trace of them: one log, nothing lost, no fork."""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.kills import run_preloaded

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
KILLS, SEED = 12, 7


@pytest.mark.timeout(240)
def test_node_that_is_killed_at_its_writes_goes_on_where_it_was(tmp_path: Path) -> None:
    """At a dozen points, of every kind of call: what was acknowledged stands, in one log without a fork."""
    if shutil.which("gcc") is None and not os.environ.get("CI"):
        pytest.skip("gcc is not here: what ends a node at its writing calls cannot be compiled")

    done = run_preloaded(tmp_path / "kills", KILLS, SEED)

    assert done.returncode == 0, done.stdout + done.stderr
    kills = int(re.findall(r"(\d+) kills, ", done.stdout)[0])
    said, faults = map(int, re.findall(r"(\d+) statements acknowledged, (\d+) faults", done.stdout)[0])
    assert (kills, faults) == (KILLS, 0)
    assert said > 0
    assert {"pwrite", "fsync", "rename"} <= {line.split()[0] for line in done.stdout.splitlines()}
