"""Playing a plot by a seed, and telling what came of it."""

from dataclasses import dataclass

from tests.simulation.invariants import Outcome, broken
from tests.simulation.loop import StuckError
from tests.simulation.scripts import Plot
from tests.simulation.world import World, new_world


@dataclass(frozen=True, slots=True)
class Played:
    """One run: what was broken in it, what it was like, and all that happened."""

    seed: int
    faults: tuple[str, ...]
    tale: str
    digest: str
    lines: tuple[str, ...]
    compared: int = 0


def play(plot: Plot, seed: int) -> Played:
    """Play a plot to its end and look at its world."""

    async def script(world: World) -> tuple[Outcome, list[str]]:
        outcome = await plot.play(world)
        faults = [*broken(outcome), *world.network.broken, *world.loop.faults, *world.transcript.errors]
        await world.stop()
        return outcome, faults

    with new_world(seed) as world:
        try:
            outcome, faults = world.loop.run(script(world))
        except (AssertionError, StuckError) as error:
            outcome, faults = None, [f"{type(error).__name__}: {error}"]
        lines = tuple(world.transcript.lines)
        compared = outcome.compared if outcome else 0
        return Played(seed, tuple(faults), _tale(world, outcome), world.transcript.digest, lines, compared)


def _tale(world: World, outcome: Outcome | None) -> str:
    ill = next((line.rpartition("how=")[2] for line in world.transcript.lines if "means ill" in line), "nobody")
    told = f"{world.now_s:.0f} virtual s, {world.transcript.count} lines, {ill} means ill"
    if outcome is None:
        return told
    story = outcome.story
    return (
        f"{told}, {story.done} deeds done, {story.refused} refused, {len(outcome.pulled)} entries to keep, "
        f"{outcome.compared} views compared"
    )
