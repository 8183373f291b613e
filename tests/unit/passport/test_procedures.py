"""Procedures: what is read as one, and who accepted it."""

import json

import pytest

from node.passport import drafts
from node.passport.errors import BodyError
from node.passport.procedures import Procedure, digest_of, read_procedures
from tests.builders_passport import Author
from tests.processes import REPAIR, agreement, procedure_bytes

STEPS = json.loads(json.dumps(REPAIR["steps"]))


def changed(code: str, /, **members: object) -> bytes:
    return procedure_bytes(steps=[{**step, **members} if step["code"] == code else step for step in STEPS])


def test_procedure_is_read_with_its_steps_and_outcomes() -> None:
    """A published procedure gives its steps in order, and the steps that may follow each."""
    procedure = Procedure.from_bytes(procedure_bytes())

    assert [step.code for step in procedure.steps] == ["diagnose", "replace", "verify", "accept"]
    assert [step.exits for step in procedure.steps] == [("replace",), ("verify",), ("accept", "replace"), (None,)]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (changed("accept", next="nowhere"), "nowhere is unknown"),
        (changed("accept", next="diagnose"), "no end is reached"),
        (changed("accept", role="stranger"), "stranger is none of"),
        (changed("verify", next="accept"), "next stands in its outcomes"),
        (changed("verify", protocol=None), "demands none"),
        (changed("verify", code="replace"), "stands twice"),
        (changed("diagnose", days=100_000), "days"),
        (procedure_bytes(steps=[]), "steps"),
        (procedure_bytes(steps=STEPS * 17), "steps"),
        (procedure_bytes(code="Ремонт"), "code"),
        (procedure_bytes(roles=[{"code": "owner", "title": {"ru": "Я"}}]), "owner"),
        (b"[" * 10_000, "JSON"),
        (b'{"code":1.5}', "JSON"),
    ],
)
def test_broken_procedure_is_refused_with_the_place(raw: bytes, told: str) -> None:
    """What is no procedure, leads nowhere or never ends is refused, and the reason names the place."""
    with pytest.raises(BodyError, match=told):
        Procedure.from_bytes(raw)


def test_step_that_nothing_leads_to_is_refused() -> None:
    """A step that no other one leads to is named."""
    alone = {"code": "alone", "title": {"ru": "Никогда"}, "role": "owner"}

    with pytest.raises(BodyError, match="steps/alone: no step leads to it"):
        Procedure.from_bytes(procedure_bytes(steps=[*STEPS, alone]))


def test_publisher_has_accepted_and_others_accept_by_a_signature_of_their_own() -> None:
    """Whoever publishes takes part; another organisation does so from its own signature until it ends that."""
    owner, workshop = Author("owner"), Author("workshop")
    raw = procedure_bytes()
    digest = digest_of(raw)
    said = [owner.say(drafts.procedure(owner.org, raw, 0)), workshop.say(agreement(workshop, raw))]

    both = read_procedures(said)
    ended = read_procedures([*said, workshop.say(agreement(workshop, raw, "ended"))])

    assert both.accepted == both.current == {(owner.org, digest), (workshop.org, digest)}
    assert ended.current == {(owner.org, digest)}
    assert ended.accepted == both.accepted
    assert both.find(digest) is not None
    assert read_procedures(said[::-1]) == both
