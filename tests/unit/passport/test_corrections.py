"""Corrections of production facts: alone before shipment, with the owner or a lab after it."""

from typing import cast

import pytest

from node.passport.bodies import Plate
from node.passport.fold import fold
from node.passport.statement import Statement
from node.passport.view import Plain, View
from tests.builders_passport import Author, acceptance, demo, identity, line_claim, offer, parameters

WRONG = Plate(designation="СГВ-15", serial="0012345", mark="Демо", year="2024", read="scan")
RIGHT = WRONG.model_copy(update={"year": "2025"})
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw


def year(view: View) -> tuple[Plain, Plain]:
    fact = cast("dict[str, dict[str, Plain]]", view["identity"])["year"]
    return fact["value"], fact["standing"]


def claims(view: View) -> list[Plain]:
    return [item["what"] for item in cast("list[dict[str, Plain]]", view["claims"])]


class Story:
    """A maker's device, shipped to an owner, whose year the maker corrects afterwards."""

    def __init__(self) -> None:
        self.federation, self.maker, self.lab = demo()
        self.owner, self.stranger = Author("owner"), Author("stranger")
        self.stated = self.maker.say(identity(CLAIM, WRONG))
        offered = self.maker.say(offer(self.maker, self.owner, DEVICE), on="2026-02-01")
        self.sold = [offered, self.owner.say(acceptance(self.maker, offered, DEVICE), on="2026-02-02")]
        later = max(self.maker.clock, self.owner.clock, self.lab.clock)
        for author in (self.maker, self.owner, self.lab, self.stranger):
            author.clock = later
        self.corrected = self.maker.say(identity(CLAIM, RIGHT), refs=[self.stated])

    def fold(self, *said: Statement) -> View:
        return fold([DEVICE], [self.stated, *self.sold, *said], self.federation.world)

    def agreed(self, author: Author) -> Statement:
        return author.say(identity(CLAIM, RIGHT), refs=[self.corrected], on="2026-03-01")


def test_maker_corrects_alone_before_shipment() -> None:
    """What nobody bought yet is its maker's to correct."""
    story = Story()

    view = fold([DEVICE], [story.stated, story.corrected], story.federation.world)

    assert year(view) == ("2025", "stated")


@pytest.mark.req("B64a")
@pytest.mark.parametrize(("who", "value"), [(None, "2024"), ("stranger", "2024"), ("owner", "2025"), ("lab", "2025")])
def test_correction_after_shipment_needs_maker_and_owner_or_lab(who: str | None, value: str) -> None:
    """Alone it is a claim beside the old value; with the owner or an accredited lab it stands."""
    story = Story()
    agreed = [story.agreed(getattr(story, who))] if who else []

    view = story.fold(story.corrected, *agreed)

    assert year(view) == (value, "stated")
    assert ("identity.year" in claims(view)) is (value == "2024")


def test_agreement_without_naming_the_correction_is_no_agreement() -> None:
    """The owner's own reading of the plate is a statement of its own rank, and no signature under the maker's."""
    story = Story()

    view = story.fold(story.corrected, story.owner.say(identity(CLAIM, RIGHT)))

    assert year(view)[0] == "2024"


def test_replaced_serial_stays_a_name_of_the_device() -> None:
    """A corrected serial is found under the old one too: it is listed among the aliases."""
    federation, maker, _ = demo()
    first = maker.say(identity(CLAIM, WRONG))
    second = maker.say(identity(CLAIM, WRONG.model_copy(update={"serial": "0012354"})), refs=[first])

    view = fold([DEVICE], [first, second], federation.world)

    aliases = cast("list[dict[str, Plain]]", view["aliases"])
    assert [(alias["scheme"], alias["value"]) for alias in aliases] == [("former-serial", "0012345")]


def test_new_value_from_a_later_day_is_no_correction() -> None:
    """A parameter that changes with time stands from its day on, whoever agrees."""
    story = Story()
    values = [
        story.maker.say(parameters(DEVICE, since="2026-01-01", dn="15")),
        story.maker.say(parameters(DEVICE, since="2026-03-01", dn="20")),
    ]

    view = story.fold(*values)

    shown = cast("dict[str, dict[str, list[dict[str, Plain]]]]", view["parameters"])["dn"]["values"]
    assert [(row["value"], row["standing"]) for row in shown] == [("15", "stated"), ("20", "stated")]
