"""Laws of shipments: what the pages show of each device is what the fold of titles does with it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from federation.authority import Verb
from federation.cut import Cut, CutRow
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import ShipmentBody
from node.passport.deals import REFUSED, WITHDRAWN, Deal, acts_of, deals_of
from node.passport.drafts import Draft
from node.passport.reading import read
from node.passport.roles import PartyRole
from node.passport.shipments import DeviceState, Did, Shipment, divide, shipment_of
from node.passport.statement import Statement
from node.passport.world import World
from tests.builders import id16
from tests.builders_passport import DAY, Author
from tests.laws import cases

SELLER, BUYER, STRANGER = (Author(name) for name in ("maker", "owner", "stranger"))
SUBJECT = id16("shipment")
DEVICES = [id16(f"device {number}") for number in range(5)]
PAPERS = ShipmentBody(number="1", date=DAY)
some = st.lists(st.sampled_from(DEVICES), min_size=1, max_size=5, unique=True)


@st.composite
def stories(draw: st.DrawFn) -> list[Statement]:
    """Two parts of one shipment, and what the two parties and a stranger answer, in any order and by any cut."""
    authors = {who.org: Author(who.name) for who in (SELLER, BUYER, STRANGER)}
    seller = authors[SELLER.org]
    first, second = DEVICES[:3], DEVICES[3:]
    said = [seller.say(drafts.shipment(SUBJECT, Verb.OFFER, BUYER.org, part, PAPERS, 0)) for part in (first, second)]
    for _ in range(draw(st.integers(0, 5))):
        author = authors[draw(st.sampled_from(sorted(authors)))]
        said.append(author.say(draw(answers(said[draw(st.integers(0, 1))].ref))))
    return said


@st.composite
def answers(draw: st.DrawFn, offer: Ref) -> Draft:
    """An acceptance or an end of some devices, which may stand in the other part."""
    devices = draw(some)
    if draw(st.booleans()):
        known = draw(st.none() | st.integers(0, 6))
        limit = None if known is None else Cut((CutRow(SELLER.log, known, bytes(32)),) if known else ())
        return drafts.shipment(SUBJECT, Verb.ACCEPT, SELLER.org, devices, PAPERS, 0, offer, cut=limit)
    size = draw(st.integers(0, 4))
    cut = Cut((CutRow(BUYER.log, size, bytes(32)),) if size else ())
    return drafts.shipment_end(SUBJECT, BUYER.org, devices, cut, PAPERS, 0, offer)


def told(deals: Sequence[Deal]) -> DeviceState:
    """What the fold of titles makes of the deals about one device of a shipment."""
    if any(deal.is_done for deal in deals):
        return DeviceState.ACCEPTED
    faults = {deal.fault for deal in deals}
    return DeviceState.REFUSED if REFUSED in faults else DeviceState.WITHDRAWN if WITHDRAWN in faults else (
        DeviceState.OFFERED
    )  # fmt: skip


def shipment(said: Sequence[Statement]) -> Shipment:
    """The shipment of a story."""
    found = shipment_of(SUBJECT, said, World())
    assert found is not None
    return found


@cases(200)
@given(stories())
def test_device_stands_in_its_shipment_as_in_its_passport(said: list[Statement]) -> None:
    """A device is accepted, refused or withdrawn in the shipment exactly where its title passes, or does not."""
    found = shipment(said)

    for device in DEVICES:
        readings = [read(statement) for statement in said]
        deals = deals_of(acts_of(readings, device), PartyRole.TITLE, World())
        assert found.items[device].state is told(deals), device


@cases(100)
@given(stories(), st.randoms(use_true_random=False))
def test_shipment_does_not_depend_on_the_order_of_arrival(said: list[Statement], chance: object) -> None:
    """Whatever comes first, and where it comes twice."""
    shuffled = [*said]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random, which hypothesis does not type

    assert shipment(shuffled) == shipment(said)


@cases(100)
@given(stories())
def test_every_answer_is_shown_once(said: list[Statement]) -> None:
    """What took effect names only what was offered; nothing that somebody answered for disappears."""
    found = shipment(said)

    for act in found.acts:
        assert act.did is Did.STRANGE or set(act.devices) <= set(found.items)
    shown = [act.said.ref for act in found.acts if act.did is not Did.STRANGE]
    assert len(set(shown)) == len(shown)
    strangers = {statement.ref for statement in said if statement.org == STRANGER.org}
    assert strangers <= {act.said.ref for act in found.acts if act.did is Did.STRANGE}


def test_offer_of_another_under_the_same_subject_is_not_the_sellers() -> None:
    """Who offers under the subject of somebody's shipment does not take it over, and adds nothing to it."""
    seller, thief = Author("maker"), Author("thief")
    mine = seller.say(drafts.shipment(SUBJECT, Verb.OFFER, BUYER.org, DEVICES[:1], PAPERS, 0))
    other = thief.say(drafts.shipment(SUBJECT, Verb.OFFER, BUYER.org, DEVICES[1:], PAPERS, 0))

    found = shipment_of(SUBJECT, [other, mine], World(), seller.org)

    assert found is not None
    assert (found.seller, found.devices) == (seller.org, (DEVICES[0],))


@cases(50)
@given(
    st.dictionaries(
        st.integers(0, 60).map(lambda n: id16(f"device {n}")),
        st.frozensets(st.integers(0, 30).map(lambda n: Ref(id16("log"), n, id16(f"{n}"))), max_size=3),
        min_size=1,
        max_size=60,
    ),
    st.sets(st.integers(0, 60).map(lambda n: id16(f"device {n}"))),
)
def test_parts_of_a_shipment_hold_every_device_once(grounds: dict[bytes, frozenset[Ref]], keyed: set[bytes]) -> None:
    """Each part names what entitles to its devices, no more than a statement may, and tells apart what has keys."""
    parts = divide(grounds, keyed)

    assert sorted(device for part in parts for device in part.devices) == sorted(grounds)
    for part in parts:
        assert len(part.grounds) <= 8
        for device in part.devices:
            assert grounds[device] <= set(part.grounds)
            assert part.has_keys is (device in keyed)
