"""Sameness: same, distinct and twin, and who may say so."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, cast

import pytest

from node.passport.bodies import EventBody, Place, Plate, Reference, SamenessBody
from node.passport.drafts import Draft, event, sameness
from node.passport.fold import fold
from node.passport.identity import resolve_identities
from node.passport.references import ref_text
from node.passport.sameness import MOST_SIDES, other_sides, twin_of
from node.passport.statement import Statement
from node.passport.view import Plain, View, digest, moment_us
from node.passport.world import World
from tests.builders import id16
from tests.builders_passport import (
    Author,
    acceptance,
    demo,
    identity,
    line_claim,
    offer,
    own_claim,
    parameters,
    verification,
)

Says = Literal["same", "distinct", "twin", "withdrawn"]

PLATE = Plate(designation="СГВ-15", serial="0012345", read="scan")
YEARLESS = Plate(designation="КТК-15", serial="12345")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
FEDERATION, MAKER, LAB = demo()
WORLD = FEDERATION.world


def say(author: Author, says: Says, one: bytes, other: bytes, *refs: Statement) -> Statement:
    return author.say(sameness(one, other, SamenessBody(says=says), 0), refs=refs)


def authors(*names: str) -> list[Author]:
    return [Author(name) for name in names]


def leads(statements: Iterable[Statement], world: World = WORLD) -> dict[bytes, bytes]:
    return {subject: found.lead for subject, found in resolve_identities(statements, world).items()}


def conflicts(view: View) -> list[Plain]:
    return [item["why"] for item in cast("list[dict[str, Plain]]", view["conflicts"])]


def says_of(view: View) -> list[tuple[Plain, Plain]]:
    return [(row["says"], row["counts"]) for row in cast("list[dict[str, Plain]]", view["sameness"])]


def mounting(subject: bytes, place: str) -> Draft:
    where = Place(object=id16(place).hex())
    return event(subject, EventBody(what=Reference(central="installed"), where=where, system="АРМ"), 0)


def test_same_takes_effect_when_both_sides_sign() -> None:
    """One side's word joins nothing; the other side's makes them one passport, whatever the order."""
    utility, housing = authors("utility", "housing")
    one, two = own_claim(utility).subject.raw, own_claim(housing).subject.raw
    plates = [utility.say(identity(own_claim(utility), YEARLESS)), housing.say(identity(own_claim(housing), YEARLESS))]
    alone = [*plates, say(utility, "same", one, two)]
    agreed = [*alone, say(housing, "same", two, one)]

    assert leads(alone) == {one: one, two: two}
    assert {tuple(leads(order).values()) for order in itertools.permutations(agreed)} == {(min(one, two),) * 2}


def test_stranger_joins_nothing() -> None:
    """Who stated neither plate has no say in whether they are one."""
    utility, housing, stranger = authors("utility", "housing", "stranger")
    one, two = own_claim(utility).subject.raw, own_claim(housing).subject.raw
    said = [
        utility.say(identity(own_claim(utility), YEARLESS)),
        housing.say(identity(own_claim(housing), YEARLESS)),
        say(stranger, "same", one, two),
    ]

    assert leads(said) == {one: one, two: two}
    assert says_of(fold([one], said, WORLD)) == [("same", False)]


def test_other_sides_are_bounded_and_those_of_the_author_come_first() -> None:
    """A stranger who names a thousand other sides costs a bounded number of look-ups and hides nobody's own word."""
    utility, stranger = authors("utility", "stranger")
    one, own = own_claim(utility).subject.raw, id16("own word")
    said = [utility.say(identity(own_claim(utility), YEARLESS)), say(utility, "distinct", one, own)]
    said += [say(stranger, "same", one, id16(f"other {number}")) for number in range(1000)]

    sides = other_sides(said, {one})

    assert own in sides
    assert len(sides) == MOST_SIDES


def test_word_about_one_pair_takes_no_place_of_a_word_about_another() -> None:
    """A later statement replaces an earlier one only where it is about the same two."""
    utility, housing = authors("utility", "housing")
    one, two = own_claim(utility).subject.raw, own_claim(housing).subject.raw
    first = say(utility, "same", one, two)
    said = [
        utility.say(identity(own_claim(utility), YEARLESS)),
        housing.say(identity(own_claim(housing), YEARLESS)),
        first,
        say(housing, "same", one, two),
        say(utility, "withdrawn", one, id16("something else"), first),
    ]

    assert len(set(leads(said).values())) == 1


def test_maker_speaks_for_the_side_whose_line_is_his() -> None:
    """Where the maker of the line is attested, another author of that side does not join it."""
    utility, housing = authors("utility", "housing")
    two = own_claim(housing).subject.raw
    said = [
        MAKER.say(identity(CLAIM, PLATE)),
        utility.say(identity(CLAIM, PLATE)),
        housing.say(identity(own_claim(housing), YEARLESS)),
        say(housing, "same", DEVICE, two),
        say(utility, "same", DEVICE, two),
    ]

    assert leads(said)[two] == two
    assert leads([*said, say(MAKER, "same", DEVICE, two)])[two] == DEVICE


def test_lab_speaks_where_nobody_stated_the_plate() -> None:
    """A side without a plate is vouched for by an accredited lab that has a result on it."""
    (utility,) = authors("utility")
    one, two = own_claim(utility).subject.raw, id16("met on a bench")
    result = event(two, EventBody(what=Reference(central="verified"), where=Place(object="0" * 32), system="АРМ"), 0)
    said = [utility.say(identity(own_claim(utility), YEARLESS)), LAB.say(result)]
    signed = [say(utility, "same", one, two), say(LAB, "same", one, two)]

    assert leads([*said, *signed])[two] == min(one, two)
    assert leads([*said, signed[0]]).get(two, two) == two


def test_withdrawn_word_unmerges() -> None:
    """Two ids that were merged are two again once one side takes its word back."""
    utility, housing = authors("utility", "housing")
    one, two = own_claim(utility).subject.raw, own_claim(housing).subject.raw
    first = say(utility, "same", one, two)
    said = [
        utility.say(identity(own_claim(utility), YEARLESS)),
        housing.say(identity(own_claim(housing), YEARLESS)),
        first,
        say(housing, "same", one, two),
    ]

    assert len(set(leads(said).values())) == 1
    assert len(set(leads([*said, say(utility, "withdrawn", one, two, first)]).values())) == 2


def test_distinct_keeps_apart_what_would_be_one() -> None:
    """A join by line, and one by both sides' word, is refused and shown where a side says that they are distinct."""
    utility, housing = authors("utility", "housing")
    claim, other = own_claim(utility), own_claim(housing)
    said = [
        MAKER.say(identity(CLAIM, PLATE)),
        utility.say(identity(claim, PLATE)),
        housing.say(identity(other, YEARLESS)),
        say(MAKER, "same", claim.subject.raw, other.subject.raw),
        say(housing, "same", claim.subject.raw, other.subject.raw),
    ]
    apart = [*said, say(MAKER, "distinct", DEVICE, claim.subject.raw)]

    assert set(leads(said).values()) == {DEVICE}
    found = leads(apart)
    assert found[DEVICE] == DEVICE
    assert found[claim.subject.raw] == found[other.subject.raw] != DEVICE
    assert "kept-apart" in conflicts(fold([claim.subject.raw, other.subject.raw], apart, WORLD))


def twins() -> tuple[list[Statement], bytes, Statement, Statement]:
    """Two parties read one plate at two places; the second says that it is another device."""
    utility, housing = authors("utility", "housing")
    twin = twin_of(CLAIM, [])
    here = [utility.say(identity(CLAIM, PLATE)), utility.say(mounting(DEVICE, "дом 1"), on="2026-01-01")]
    there = [
        housing.say(identity(CLAIM, PLATE)),
        housing.say(mounting(DEVICE, "дом 2"), on="2026-01-02"),
        housing.say(parameters(DEVICE, initial_volume="7")),
    ]
    body = SamenessBody(says="twin", claim=twin.encode().hex(), moves=tuple(ref_text(s.ref) for s in there))
    split = housing.say(sameness(DEVICE, twin.subject.raw, body, 0))
    taken_back = housing.say(sameness(DEVICE, twin.subject.raw, SamenessBody(says="withdrawn"), 0), refs=[split])
    return [*here, *there], twin.subject.raw, split, taken_back


NO_MAKER = World(federation=WORLD.federation)


def test_one_plate_at_two_places_is_a_question_until_it_is_a_twin() -> None:
    """Two parties mount one plate at two places: asked in the passport, and answered by moving what is the other's."""
    said, twin, split, _ = twins()

    before = fold([DEVICE], said, NO_MAKER)
    after, other = fold([DEVICE], [*said, split], NO_MAKER), fold([twin], [*said, split], NO_MAKER)

    assert conflicts(before) == ["two-devices-on-one-plate"]
    assert conflicts(after) == conflicts(other) == []
    assert len(cast("list[Plain]", after["plates"])) == len(cast("list[Plain]", other["plates"])) == 1
    assert "initial_volume" in cast("dict[str, Plain]", other["parameters"])
    assert "initial_volume" not in cast("dict[str, Plain]", after["parameters"])
    assert other["title"] == after["title"] == "СГВ-15 № 0012345"
    assert says_of(after) == says_of(other) == [("twin", True)]


def sightings(*places: str) -> list[list[str]]:
    """The parties that a passport holds together, where each saw one plate at a place."""
    authors = [Author(name) for name in "abcd"[: len(places)]]
    names = {author.org.hex(): author.name for author in authors}
    said = [author.say(identity(CLAIM, PLATE)) for author in authors]
    said += [
        author.say(parameters(DEVICE, install_place=place))
        for author, place in zip(authors, places, strict=True)
        if place
    ]
    views = [fold([DEVICE], order, NO_MAKER) for order in (said, said[::-1])]
    assert digest(views[0]) == digest(views[1])
    shown = cast("list[dict[str, list[str]]]", views[0]["sightings"])
    return sorted(sorted(names[org] for org in group["by"]) for group in shown)


def test_sightings_of_one_plate_at_two_places_are_held_apart_by_the_fold() -> None:
    """Two places are two groups; who wrote one of them otherwise goes with it, who saw none, or less, stands alone."""
    here, there = "Королёв, ул. Гагарина, 5, кв. 12", "Тула, ул. Лесная, 9, кв. 3"

    assert sightings(here, there, "ул Гагарина д 5 кв 12", "") == [["a", "c"], ["b"], ["d"]]
    assert sightings(here, "", here) == []
    assert sightings("ул. Мира, 5, кв. 1", "ул. Мира, 5, кв. 2", "ул. Мира, 5") == [["a"], ["b"], ["c"]]


def test_twin_is_undone_by_taking_it_back() -> None:
    """Everything stands where it stood before, and the question is back."""
    said, _, split, taken_back = twins()

    undone = fold([DEVICE], [*said, split, taken_back], NO_MAKER)

    assert conflicts(undone) == ["two-devices-on-one-plate"]
    assert len(cast("list[Plain]", undone["plates"])) == 2


def test_twin_of_a_stranger_moves_nothing() -> None:
    """Who read no plate takes nothing away, nor does a twin whose claim is of another plate."""
    said, twin, split, _ = twins()
    body = SamenessBody.from_bytes(split.sections["sameness"])
    by_stranger = Author("stranger").say(sameness(DEVICE, twin, body, 0))
    elsewhere = Author("housing").say(sameness(DEVICE, id16("another"), body, 0))

    for forged in (by_stranger, elsewhere):
        assert len(cast("list[Plain]", fold([DEVICE], [*said, forged], NO_MAKER)["plates"])) == 2


@pytest.mark.parametrize("order", range(5))
def test_order_and_copies_of_twins_change_nothing(order: int) -> None:
    """Both passports are equal in bytes for any order of what was said."""
    said, twin, split, _ = twins()
    every = [*said, split]
    turned: Sequence[Statement] = [*every[order:], *every[:order], *every[:2]]

    for subject in (DEVICE, twin):
        assert digest(fold([subject], turned, NO_MAKER)) == digest(fold([subject], every, NO_MAKER))


def test_removed_and_mounted_again_elsewhere_is_one_device() -> None:
    """A device that somebody took down before another party mounts it raises no question."""
    utility, housing = authors("utility", "housing")
    removed = EventBody(what=Reference(central="removed"), where=Place(object=id16("дом 1").hex()), system="АРМ")
    said = [
        utility.say(identity(CLAIM, PLATE)),
        utility.say(mounting(DEVICE, "дом 1"), on="2026-01-01"),
        utility.say(event(DEVICE, removed, 0), on="2026-02-01"),
        housing.say(mounting(DEVICE, "дом 2"), on="2026-02-02"),
    ]

    assert conflicts(fold([DEVICE], said, NO_MAKER)) == []


def test_stay_of_a_seller_ends_with_the_title() -> None:
    """The buyer mounts where he likes: the seller's word about the place ended with the sale."""
    (owner,) = authors("owner")
    offered = MAKER.say(offer(MAKER, owner, DEVICE), on="2026-02-01")
    said = [
        MAKER.say(identity(CLAIM, PLATE)),
        MAKER.say(mounting(DEVICE, "стенд"), on="2026-01-01"),
        offered,
        owner.say(acceptance(owner, offered, DEVICE), on="2026-02-02"),
        owner.say(mounting(DEVICE, "дом 2"), on="2026-03-01"),
    ]

    assert conflicts(fold([DEVICE], said, WORLD)) == []


def test_addresses_of_two_registers_that_cannot_both_be_true_are_a_question() -> None:
    """Two parties state different flats for one plate; less detail of the same house contradicts nothing."""
    utility, housing = authors("utility", "housing")
    plates = [utility.say(identity(CLAIM, PLATE)), housing.say(identity(CLAIM, PLATE))]
    first = utility.say(parameters(DEVICE, install_place="ул. Ленина, 5, кв. 12"))

    def asked(address: str) -> list[Plain]:
        second = Author("housing", seq=7).say(parameters(DEVICE, install_place=address))
        return [why for why in conflicts(fold([DEVICE], [*plates, first, second], NO_MAKER)) if why != "disputed"]

    assert asked("пр. Мира, 7, кв. 3") == ["two-devices-on-one-plate"]
    assert asked("Ленина 5") == []


def test_verification_is_not_moved_unless_it_is_named() -> None:
    """What a twin does not name stays with the original."""
    said, twin, split, _ = twins()
    result = LAB.say(verification(DEVICE))

    every = [*said, split, result]

    assert cast("dict[str, Plain]", fold([DEVICE], every, WORLD)["verification"])["verified"] is not None
    assert cast("dict[str, Plain]", fold([twin], every, WORLD)["verification"])["verified"] is None


def test_moment_of_a_stay_is_when_it_occurred() -> None:
    """The question shows since when each party says that the thing stood there."""
    said, _, _, _ = twins()
    shown = cast("list[dict[str, Plain]]", fold([DEVICE], said, NO_MAKER)["conflicts"])[0]["values"]

    assert [stay["since"] for stay in cast("list[dict[str, Plain]]", shown)] == [
        moment_us("2026-01-01"),
        moment_us("2026-01-02"),
    ]
