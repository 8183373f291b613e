"""Making many passports in processes beside the node: the same as without them, whatever becomes of the processes."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import IO

import pytest

from node.passport.bodies import Plate
from node.passport.world import World
from node.services.making import Group, Made, Maker, Spoken
from node.services.workshop import FEW, MANY, Workshop
from tests.builders_passport import demo, event, identity, line_claim, parameters, verification
from tests.nodes import until

pytestmark = pytest.mark.slow
COUNT, NOW = MANY + 20, 1_790_000_000_000_000
ROOM = 212_992  # bytes that a socket holds at most, as Linux has it by default
ROOT = Path(__file__).parents[2]
FEDERATION, MAKER_ORG, LAB = demo()
MAKER = Maker(MAKER_ORG.org, 200)
PLAYED = """
import time
from tests.integration.test_workshop import manned, open_workshop
workshop = open_workshop()
while True:
    print(*manned(workshop), flush=True)
    time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    """A workshop of two processes, whichever of them a test before has lost."""
    opened = open_workshop()
    yield opened
    opened.close()


@pytest.fixture
def unmanned() -> Iterator[Workshop]:
    """A workshop in which nobody is yet."""
    opened = open_workshop()
    yield opened
    opened.close()


def open_workshop() -> Workshop:
    """As a node opens one, whatever the machine has."""
    return Workshop(MAKER, 2)


def spoken(count: int = COUNT) -> list[Spoken]:
    """So many meters, of which their maker and a laboratory speak."""
    found = []
    for number in range(count):
        serial = f"{number:07}"
        claim = line_claim(serial)
        subject = claim.subject.raw
        said = [
            MAKER_ORG.say(identity(claim, Plate(designation="СГВ-15", serial=serial, year="2026", read="typed"))),
            MAKER_ORG.say(event(subject, "manufactured")),
            MAKER_ORG.say(parameters(subject, dn="15")),
            LAB.say(verification(subject)),
        ]
        found.append(Spoken(Group(subject, frozenset({subject}), None), said))
    return found


@cache
def long_ones() -> list[Spoken]:
    """Meters with a long life; for all tests the same, which none of them alters."""
    found = []
    for one in spoken(40):
        subject = one.group.lead
        life = [LAB.say(event(subject, "inspected", what_for=f"visit {n}")) for n in range(300)]
        found.append(replace(one, said=[*one.said, *life]))
    return found


@cache
def long_ones_alone() -> list[Made | None]:
    """What is made of them without processes."""
    return MAKER.make_each(long_ones(), FEDERATION.world, NOW)


def made_by(workshop: Workshop, asked: list[Spoken], world: World) -> list[Made | None]:
    """All that it makes."""
    return [one for some in workshop.make_each(asked, world, NOW) for one in some]


def manned(workshop: Workshop) -> list[int]:
    """The processes of a workshop, once both take part."""
    asked = spoken(MANY)
    made_by(workshop, asked, World())

    def both() -> list[int] | None:
        made_by(workshop, asked[:FEW], World())
        return found if len(found := workshop.processes) == 2 else None

    return until("both processes take part", both)


def is_running(pid: int) -> bool:
    """Whether there is such a process, and more of it than a place that its parent has not cleared yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_make_what_is_made_without_them(workshop: Workshop) -> None:
    """The same passports in the same order, by whatever world counts when they are asked for."""
    manned(workshop)
    asked, silent = spoken(), replace(spoken(1)[0], said=[])
    asked.insert(COUNT // 2, silent)

    for world in (FEDERATION.world, World(), FEDERATION.world):
        alone = MAKER.make_each(asked, world, NOW)
        assert made_by(workshop, asked, world) == alone
        assert [at for at, one in enumerate(alone) if one is None] == [COUNT // 2]
    assert len(workshop.processes) == 2


def test_few_passports_start_no_process(unmanned: Workshop) -> None:
    """A person who registers a meter waits for no process and pays for none."""
    assert len(made_by(unmanned, spoken(MANY - 1), FEDERATION.world)) == MANY - 1
    assert unmanned.processes == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("is_long", [False, True])
def test_share_of_a_process_that_is_lost_is_made_here(
    workshop: Workshop, how: signal.Signals, is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed or stands still, in the middle of a long piece too, costs time and no passport; another
    takes its place.
    """
    monkeypatch.setattr("node.services.workshop.PATIENCE_S", 3)
    asked, world = long_ones() if is_long else spoken(), FEDERATION.world
    alone = long_ones_alone() if is_long else MAKER.make_each(asked, world, NOW)
    lost, other = manned(workshop)

    os.kill(lost, how)

    assert made_by(workshop, asked, world) == alone
    until("the lost one has ended", lambda: not is_running(lost))
    again = manned(workshop)
    assert other in again
    assert lost not in again


def test_process_that_breaks_over_a_share_breaks_no_more_than_that(workshop: Workshop) -> None:
    """What cannot be made raises what it raises without processes, and the next share is made."""
    asked, world = spoken(), FEDERATION.world
    broken = [*asked, replace(asked[0], said=[None])]  # type: ignore[list-item]  # what a fault of the node would bring
    manned(workshop)

    with pytest.raises(AttributeError):
        made_by(workshop, broken, world)

    assert made_by(workshop, asked, world) == MAKER.make_each(asked, world, NOW)


def test_answers_to_what_broke_are_not_taken_for_others(workshop: Workshop) -> None:
    """Processes that had a share before them when another broke give the next ones what the next ones asked for."""
    asked, world = spoken(), FEDERATION.world
    broken = [replace(asked[0], said=[None]), *asked[1:]]  # type: ignore[list-item]  # as above
    manned(workshop)

    with pytest.raises(AttributeError):
        made_by(workshop, broken, world)

    others = list(reversed(asked))
    assert made_by(workshop, others, world) == MAKER.make_each(others, world, NOW)


def test_passports_that_are_not_wanted_any_more_hold_up_nobody(workshop: Workshop) -> None:
    """Whoever stops after the first ones leaves the workshop as it was."""
    asked, world = spoken(), FEDERATION.world
    manned(workshop)

    with closing(workshop.make_each(asked, world, NOW)) as making:
        assert next(making)

    assert made_by(workshop, asked, world) == MAKER.make_each(asked, world, NOW)


def test_long_passports_go_both_ways_at_once(workshop: Workshop) -> None:
    """Nobody waits for room to hand over a long passport while the other waits for room to give one back."""
    asked, world, alone = long_ones(), FEDERATION.world, long_ones_alone()
    manned(workshop)
    out, back = (len(pickle.dumps(asked[:10])), len(pickle.dumps(alone[:10])))

    made = made_by(workshop, asked, world)

    assert min(out, back) > 4 * ROOM  # both do not fit
    assert [one.item.kept is not None for one in made if one] == [True] * len(asked)
    assert made == alone


def test_closed_workshop_makes_what_is_asked_of_it_alone(unmanned: Workshop) -> None:
    """Nothing is started while a node ends, and nothing is left out."""
    asked, world = spoken(), FEDERATION.world
    manned(unmanned)
    unmanned.close()

    assert made_by(unmanned, asked, world) == MAKER.make_each(asked, world, NOW)
    assert unmanned.processes == []


def seen(told: IO[str]) -> tuple[list[int], list[str]] | None:
    """The processes that a workshop tells of and what was handed to them; None where one was replaced meanwhile."""
    pids = [int(pid) for pid in told.readline().split()]
    with suppress(OSError):
        return pids, [Path(f"/proc/{pid}/environ").read_text() for pid in pids]
    return None


def test_processes_end_with_the_node_that_is_killed() -> None:
    """Nothing of a node that was killed runs on, and nothing of its environment was handed over."""
    secret = "PASSPORT_STORE__URL=postgresql://somebody:secret@localhost"
    name, _, value = secret.partition("=")
    node = subprocess.Popen(
        [sys.executable, "-c", PLAYED], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, name: value}
    )
    assert node.stdout is not None
    try:
        pids, handed = until("both processes are seen", partial(seen, node.stdout))
    finally:
        node.kill()
        node.wait()
        node.stdout.close()

    assert len(pids) == 2
    for told in handed:
        assert "PASSPORT" not in told
    until("both have ended", lambda: not any(map(is_running, pids)))
