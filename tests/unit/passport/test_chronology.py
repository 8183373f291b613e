"""What cannot have happened when it is said to have is kept, marked and asked about."""

from typing import cast

import pytest

from node.passport.bodies import Plate
from node.passport.fold import fold
from node.passport.shown import rows
from node.passport.view import View
from tests.builders_passport import Author, demo, event, identity, line_claim, parameters, verification

PLATE = Plate(designation="СГВ-15", serial="0012345")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw


def asked(view: View) -> list[tuple[object, object]]:
    return [(conflict["what"], conflict["why"]) for conflict in rows(view, "conflicts")]


def warnings(view: View) -> dict[str, list[str]]:
    return {
        str(cast("dict[str, str]", row["what"])["central"]): cast("list[str]", row["warnings"])
        for row in rows(view, "events")
    }


@pytest.mark.parametrize("is_late", [False, True])
def test_event_before_production_is_marked_whatever_came_first(is_late: bool) -> None:
    """The maker's day counts and a stranger's does not; what happened before it is shown with why, and stays."""
    federation, maker, lab = demo()
    stranger = Author("stranger")
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(event(DEVICE, "manufactured"), on="2025-05-10"),
        stranger.say(event(DEVICE, "manufactured"), on="2025-12-01"),
        lab.say(event(DEVICE, "verified"), on="2025-05-09"),
        lab.say(event(DEVICE, "installed"), on="2025-05-10"),
    ]

    view = fold([DEVICE], said[::-1] if is_late else said, federation.world)

    assert view["made"] == "2025-05-10"
    assert warnings(view) == {"manufactured": [], "verified": ["before-production"], "installed": []}
    assert asked(view) == [("events", "before-production")]


def test_verification_that_ended_before_production_is_asked_about() -> None:
    """A term that ended before the day of production, said as a parameter, is one mistake or the other."""
    federation, maker, lab = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(parameters(DEVICE, manufactured_on="2025-05-10")),
        lab.say(verification(DEVICE, valid_until="2025-05-09"), on="2025-06-01"),
    ]

    view = fold([DEVICE], said, federation.world)

    assert asked(view) == [("parameters.verification_valid_until", "before-production")]


def test_event_dated_after_it_was_signed_moves_no_state() -> None:
    """Nobody signs what is to come: such an event is shown with why, and the state stays as it was."""
    federation, maker, _ = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(event(DEVICE, "installed"), on="2025-12-01"),
        maker.say(event(DEVICE, "scrapped"), on="2999-01-01"),
        maker.say(event(DEVICE, "marked"), on="2026-01-02"),
    ]

    view = fold([DEVICE], said, federation.world)

    assert cast("dict[str, object]", view["state"])["code"] == "installed"
    assert warnings(view) == {"installed": [], "scrapped": ["ahead-of-record"], "marked": []}
    assert asked(view) == [("events", "ahead-of-record")]
