"""What goes on about a device, read off its view."""

from datetime import date

import pytest

from node.passport import drafts
from node.passport.bodies import EventBody, Place, Plate, Reference, Why
from node.passport.drafts import Draft
from node.passport.fold import fold
from node.passport.statement import Statement
from node.passport.view import View, moment_us
from node.passport.waiting import Waiting, running
from node.passport.world import World
from tests.builders_passport import (
    Author,
    acceptance,
    demo,
    event,
    identity,
    line_claim,
    offer,
    verification,
)

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
TODAY = date(2026, 3, 10)


def step(process: str, name: str) -> Draft:
    """Something happened in a step of a process."""
    why, where = Why(process=process, step=name), Place(place=Reference(local="цех"))
    return drafts.event(DEVICE, EventBody(what=Reference(central="calibrated"), where=where, system="1С", why=why), 0)


def shown(said: list[Statement], world: World) -> View:
    return fold([DEVICE], said, world)


def test_offer_is_a_process_until_it_is_accepted() -> None:
    """An offer of the holder waits for the buyer and names both; the acceptance ends it."""
    federation, maker, _ = demo()
    owner = Author("owner")
    offered = maker.say(offer(maker, owner, DEVICE), on="2026-02-01")
    said = [maker.say(identity(CLAIM, PLATE)), offered]

    (waiting,) = running(shown(said, federation.world), TODAY)
    assert (waiting.what, waiting.by, waiting.party) == (Waiting.ACCEPTANCE, maker.org.hex(), owner.org.hex())
    assert waiting.since == moment_us("2026-02-01")

    said.append(owner.say(acceptance(maker, offered, DEVICE), on="2026-02-02"))
    assert running(shown(said, federation.world), TODAY) == []


def test_repair_waits_for_a_verification_until_the_lab_gives_one() -> None:
    """After a repair a verification is waited for, and the process tells which event asks for it."""
    federation, maker, lab = demo()
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(event(DEVICE, "repaired"), on="2026-03-01")]

    (waiting,) = running(shown(said, federation.world), TODAY)
    assert (waiting.what, waiting.code, waiting.by) == (Waiting.VERIFICATION, "repaired", maker.org.hex())

    said.append(lab.say(verification(DEVICE), on="2026-03-05"))
    assert running(shown(said, federation.world), TODAY) == []


@pytest.mark.parametrize(
    ("today", "what"),
    [
        (date(2026, 3, 10), None),
        (date(2031, 11, 30), None),
        (date(2031, 12, 1), Waiting.VERIFICATION_SOON),
        (date(2032, 2, 29), Waiting.VERIFICATION_SOON),
        (date(2032, 3, 1), Waiting.VERIFICATION_OVERDUE),
    ],
)
def test_verification_is_due_ninety_days_before_its_last_day(today: date, what: Waiting | None) -> None:
    """A verification is due from ninety days before its last day, and overdue from the day after it."""
    federation, maker, lab = demo()
    said = [maker.say(identity(CLAIM, PLATE)), lab.say(verification(DEVICE, valid_until="2032-02-29"))]

    found = running(shown(said, federation.world), today)

    assert [item.what for item in found] == ([what] if what else [])
    assert all(item.until == "2032-02-29" for item in found)


def test_scrapped_device_waits_for_no_verification() -> None:
    """Of a device that is gone no verification is due."""
    federation, maker, lab = demo()
    said = [maker.say(identity(CLAIM, PLATE)), lab.say(verification(DEVICE))]
    said.append(maker.say(event(DEVICE, "scrapped"), on="2026-04-01"))

    assert running(shown(said, federation.world), date(2040, 1, 1)) == []


def test_process_runs_from_its_first_step_to_its_last() -> None:
    """The newest step and the one after it are told; with the last step the process is over."""
    federation, maker, _ = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(step("repair", "diagnose"), on="2026-03-01"),
        maker.say(step("repair", "replace_parts"), on="2026-03-02"),
        maker.say(step("own-process", "somewhere"), on="2026-03-02"),
    ]

    (going,) = running(shown(said, federation.world), TODAY)
    assert (going.what, going.code, going.step, going.next_step) == (
        Waiting.STEP,
        "repair",
        "replace_parts",
        "calibrate",
    )

    said.append(maker.say(step("repair", "return"), on="2026-03-09"))
    assert running(shown(said, federation.world), TODAY) == []
