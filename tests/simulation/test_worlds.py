"""Twenty seeds in every run of the tests: invariants hold, a seed replays byte for byte, a failing one says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import __main__ as program
from tests.simulation.mutants import MUTANTS, Mutant, find
from tests.simulation.playing import play
from tests.simulation.scripts import FOLLOWING, TRADE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SEEDS = 20
STAYS = next(mutant for mutant in MUTANTS if "job" in mutant.name)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_invariants_hold_after_a_world_healed(seed: int) -> None:
    """Whatever broke on the way and whoever meant ill, the seven invariants hold once lines and machines are well."""
    assert play(TRADE, seed).faults == ()


@pytest.mark.parametrize("seed", range(1, 4))
def test_invariants_hold_where_one_follows(seed: int) -> None:
    """The same where a machine takes only what it follows, and changes that while lines break and copies come back."""
    assert play(FOLLOWING, seed).faults == ()


def test_seed_replays_byte_for_byte_in_another_process() -> None:
    """Neither the process nor the seed of its hashes alters a transcript."""
    here, there = play(TRADE, 3), _played(3, "1")

    assert there == f"seed 3: {here.tale}, {here.digest[:16]}\n"


def test_failing_seed_is_printed_and_replays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fault in the program, `make sim` names the seed, and that seed fails in the same way again."""
    monkeypatch.setattr(sys, "argv", ["sim", "--seed", "2"])
    with STAYS.patched():
        assert program.main() == 1
        first = capsys.readouterr().out
        assert program.main() == 1

    assert "again: make sim SEED=2" in first
    assert "erased_bytes:" in first
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("mutant", [one for one in MUTANTS if not one.is_costly], ids=lambda one: one.breaks.__name__)
def test_mutant_is_found(mutant: Mutant) -> None:
    """A small fault in shipped code, one for each invariant, is found by at most 200 seeds."""
    assert find(mutant) is not None


def _played(seed: int, hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
