"""A shipment through a carrier's node: what the carrier may read, and to whom he brings what he cannot."""

from dataclasses import replace

import pytest

from federation.authority import Authority, Verb
from federation.fragment import SectionClass
from node.passport.bodies import Plate
from node.passport.case import open_case
from node.passport.drafts import Draft
from node.passport.rights import PASS_ON, Right, class_mask, grounds_of, may_open, may_read_entry, rights_of
from node.passport.roles import carrier_of
from node.passport.shipments import shipment_of
from node.passport.statement import Statement
from tests.builders import id16
from tests.builders_passport import Author, acceptance, demo, identity, line_claim, offer, parameters, radio

CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
SECRET = class_mask(SectionClass.SECRET)
FEDERATION, _, _ = demo()
WORLD = FEDERATION.world


class Way:
    """A maker who ships a meter to a buyer through a carrier."""

    def __init__(self, *, unopened: bool = False) -> None:
        self.maker, self.buyer, self.carrier = Author("maker", seq=100), Author("buyer"), Author("carrier")
        self.said = [self.maker.say(identity(CLAIM, PLATE)), self.maker.say(radio(DEVICE))]
        offered = offer(self.maker, self.buyer, DEVICE, unopened=unopened, via=self.carrier)
        self.offered = self.say(self.maker, offered, "2026-03-01")

    def say(self, author: Author, draft: Draft, on: str) -> Statement:
        """Somebody says something."""
        self.said.append(author.say(draft, on=on))
        return self.said[-1]

    def accept(self) -> Statement:
        """The buyer takes it."""
        return self.say(self.buyer, acceptance(self.maker, self.offered, DEVICE, knows=200), "2026-03-02")

    @property
    def rights(self) -> tuple[Right, ...]:
        """The rights to the meter."""
        return rights_of(open_case([DEVICE], self.said, WORLD))

    @property
    def carried(self) -> list[bytes]:
        """To whom the carrier brings what is secret."""
        return [right.to for right in self.rights if right.org == self.carrier.org and right.classes & PASS_ON]


def test_carrier_reads_what_the_buyer_is_to_have_and_nothing_secret() -> None:
    """Before the acceptance and what is older than it; never a secret section, which he has sealed to the buyer."""
    way = Way()
    assert way.carried == [way.buyer.org]
    assert may_open(way.carrier.org, way.said[0], SectionClass.TECHNICAL, way.rights)

    way.accept()
    later = way.say(way.buyer, parameters(DEVICE, dn="15"), "2026-04-01")

    assert way.carried == [way.buyer.org]
    assert may_read_entry(way.carrier.org, way.said[1], way.rights)
    assert not may_read_entry(way.carrier.org, later, way.rights)
    assert {right.org for right in way.rights if right.classes & SECRET} == {way.buyer.org}
    assert "carrier" in {ground.why for ground in grounds_of(open_case([DEVICE], way.said, WORLD))}


def test_carriage_is_over_when_the_buyer_passes_the_thing_on() -> None:
    """Who carried it once has nothing to bring to the next one."""
    way = Way()
    accepted, following = way.accept(), Author("next")
    sold = way.buyer.say(offer(way.buyer, following, DEVICE), auth=[accepted], on="2026-05-01")
    way.said += [sold, following.say(acceptance(way.buyer, sold, DEVICE), on="2026-05-02")]

    assert way.carrier.org not in {right.org for right in way.rights}


def test_what_goes_unopened_brings_the_dealer_nothing_sealed() -> None:
    """A carrier of a sale to a dealer brings papers and passports alone."""
    way = Way(unopened=True)

    assert way.carried == []
    assert way.carrier.org in {right.org for right in way.rights}


def test_key_that_a_dealer_cannot_open_leaves_with_the_acceptance_alone() -> None:
    """Who has a thing unopened lets no carrier have its key for a buyer who never took the title."""
    way, end = Way(unopened=True), Author("end")
    accepted = way.accept()
    sold = way.say(way.buyer, offer(way.buyer, end, DEVICE, via=way.carrier), "2026-05-01")
    way.said[-1] = sold = replace(sold, auth=(accepted.ref,))
    assert way.carried == []

    way.say(end, acceptance(way.buyer, sold, DEVICE, knows=200), "2026-05-02")

    assert way.carried == [end.org]


def test_stranger_who_names_a_carrier_gives_him_nothing() -> None:
    """An offer of who does not hold the title opens nothing to anybody."""
    way, thief = Way(), Author("thief")
    way.said = [*way.said[:2], thief.say(offer(thief, way.buyer, DEVICE, via=way.carrier))]

    assert way.carrier.org not in {right.org for right in way.rights}


def test_shipment_tells_its_carrier() -> None:
    """The first offer names it."""
    way = Way()
    found = shipment_of(id16("shipment/maker"), way.said, WORLD)

    assert found is not None
    assert found.via == way.carrier.org


@pytest.mark.parametrize("rows", [(), ("via:",), ("via:ABC",), ("via:" + "ab" * 16, "via:" + "cd" * 16)])
def test_carrier_that_is_not_told_well_is_none(rows: tuple[str, ...]) -> None:
    """Neither rubbish nor two of them name a carrier."""
    assert carrier_of(Authority(Verb.OFFER, bytes(16), ("title", *rows))) is None
