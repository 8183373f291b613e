"""`make sim`: many seeds of a plot, or one again; what breaks an invariant is told with the seed that replays it."""

import argparse
import sys
from pathlib import Path

from tests.simulation.mutants import MUTANTS, find
from tests.simulation.playing import Played, play
from tests.simulation.scripts import PLOTS

TRANSCRIPTS = Path("build/simulation")


def main() -> int:
    """Play; 1 where something broke."""
    parser = argparse.ArgumentParser(prog="make sim")
    parser.add_argument("--seeds", type=int, default=20, help="play seeds 1 to so many")
    parser.add_argument("--seed", type=int, help="play this one")
    parser.add_argument("--mutants", action="store_true", help="look for each small fault, 200 seeds at most")
    parser.add_argument("--plot", choices=PLOTS, default="trade")
    asked = parser.parse_args()
    if asked.mutants:
        return _find_mutants()
    failed = 0
    for seed in [asked.seed] if asked.seed else range(1, asked.seeds + 1):
        played = play(PLOTS[asked.plot], seed)
        print(f"seed {seed}: {played.tale}, {played.digest[:16]}", flush=True)
        failed += _tell(played, asked.plot)
    return 1 if failed else 0


def _find_mutants() -> int:
    missed = 0
    for mutant in MUTANTS:
        seed = find(mutant)
        missed += seed is None
        print(f"{mutant.breaks.__name__}: {mutant.name}: {'not found' if seed is None else f'seed {seed}'}", flush=True)
    return bool(missed)


def _tell(played: Played, plot: str) -> int:
    for fault in played.faults:
        print(f"  {fault}")
    if played.faults:
        TRANSCRIPTS.mkdir(parents=True, exist_ok=True)
        kept = TRANSCRIPTS / f"{plot}-{played.seed}.txt"
        kept.write_text("\n".join(played.lines) + "\n")
        print(f"  again: make sim SEED={played.seed} PLOT={plot}; what happened: {kept}", flush=True)
    return bool(played.faults)


if __name__ == "__main__":
    sys.exit(main())
