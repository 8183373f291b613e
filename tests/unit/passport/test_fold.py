"""The fold: scenarios of statements and the passport that comes of them."""

import json
from typing import cast

import pytest

from federation.authority import Attested, Authority, Kind, Verb
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Plate, Reference, TypeBody
from node.passport.claims import approval_claim
from node.passport.fold import fold
from node.passport.identity import resolve_identities, resolve_identity
from node.passport.roles import PartyRole
from node.passport.statement import Statement
from node.passport.view import View, digest, inside_on, value_on
from node.passport.world import World
from tests.builders import id16
from tests.builders_passport import (
    APP_KEY,
    Author,
    Federation,
    acceptance,
    card,
    composition,
    demo,
    dual,
    event,
    grant,
    identity,
    line,
    line_claim,
    offer,
    own_claim,
    parameters,
    radio,
    raw,
    role_answer,
    role_offer,
    verification,
)

PLATE = Plate(designation="СГВ-15", serial="0012345", mark="Демо", read="scan")
CLAIM = line_claim()
DEVICE = CLAIM.subject.raw


def at(view: View, path: str) -> object:
    found: object = view
    for name in path.split("/"):
        found = found[int(name)] if isinstance(found, list) else cast("dict[str, object]", found)[name]
    return found


def codes(view: View) -> list[object]:
    return [event["what"]["central"] for event in cast("list[dict[str, dict[str, object]]]", view["events"])]


def shipped(maker: Author, owner: Author) -> list[Statement]:
    """The maker states the device and ships it."""
    said = maker.say(identity(CLAIM, PLATE))
    offered = maker.say(offer(maker, owner, DEVICE), on="2026-02-01")
    return [said, offered, owner.say(acceptance(maker, offered, DEVICE), on="2026-02-02")]


def test_three_organisations_that_write_apart_give_one_passport() -> None:
    """What three organisations wrote offline about one device is one view, equal on every node."""
    federation, maker, lab = demo()
    service = Author("service")
    said = [
        maker.say(identity(CLAIM, PLATE)),
        lab.say(verification(DEVICE)),
        service.say(event(DEVICE, "installed")),
    ]

    views = [fold([DEVICE], order, federation.world) for order in (said, said[::-1], [*said, *said])]

    assert len({digest(view) for view in views}) == 1
    assert views[0]["title"] == "СГВ-15 № 0012345"
    assert codes(views[0]) == ["verified", "installed"] or codes(views[0]) == ["installed", "verified"]
    assert at(views[0], "verification/valid_until") == "2032-02-29"


@pytest.mark.parametrize(
    ("words", "value", "standing", "list_name"),
    [
        ([("maker", "15"), ("stranger", "20")], "15", "stated", "claims"),
        ([("stranger", "15"), ("other", "20")], None, "disputed", "conflicts"),
        ([("stranger", "15")], "15", "working", None),
        ([("maker", "15"), ("stranger", "15.0")], "15", "stated", None),
        ([("lab", "15"), ("stranger", "20")], "15", "working", "claims"),
    ],
)
def test_parameter_stands_by_rank(
    words: list[tuple[str, str]], value: str | None, standing: str, list_name: str | None
) -> None:
    """The higher rank stands and the lower is a claim; equal ranks are disputed and both are shown."""
    federation, maker, lab = demo()
    authors = {"maker": maker, "lab": lab, "stranger": Author("stranger"), "other": Author("other")}
    said = [author.say(identity(CLAIM, PLATE)) for author in (maker, lab)]
    said += [authors[who].say(parameters(DEVICE, dn=number)) for who, number in words]

    view = fold([DEVICE], said, federation.world)

    row = value_on(view, "dn", "2026-06-01")
    assert row is not None
    assert (row["value"], row["standing"]) == (value, standing)
    assert [name for name in ("claims", "conflicts") if view[name]] == ([list_name] if list_name else [])
    assert {value, *(other["value"] for other in cast("list[dict[str, object]]", row["others"]))} - {None} == {
        number for _, number in words
    }


@pytest.mark.parametrize(
    ("one", "other", "standing"),
    [
        (("1600", "L/h"), ("1.6", "m3/h"), "working"),
        (("1", "Gcal_IT"), ("4186800000", "J"), "working"),
        (("0", "Cel"), ("273.15", "K"), "working"),
        (("1", "Gcal_IT"), ("1", "Gcal"), "disputed"),
        (("1600", "L/h"), ("1600", "m3/h"), "disputed"),
        (("1.00000000000000000001", "m3"), ("1", "m3"), "disputed"),
        (("15", "своя"), ("15", None), "disputed"),
        (("15", "своя"), ("15.0", "своя"), "working"),
    ],
)
def test_equal_quantities_in_other_units_contradict_nobody(
    one: tuple[str, str], other: tuple[str, str | None], standing: str
) -> None:
    """What two parties of equal right say is one value where it is one quantity, whatever its unit."""
    federation, maker, _ = demo()

    def say(who: str, value: str, unit: str | None) -> Statement:
        row = ParameterRow(code=Reference(central="q3"), value=value, unit=unit)
        return Author(who).say(drafts.parameters(DEVICE, ParametersBody(rows=(row,)), 0))

    said = [maker.say(identity(CLAIM, PLATE)), say("stranger", *one), say("other", *other)]

    assert at(fold([DEVICE], said, federation.world), "parameters/q3/values/0/standing") == standing


def test_later_value_of_a_lower_rank_is_a_claim() -> None:
    """A stranger's value from a later day stands beside the maker's and does not replace it."""
    federation, maker, _ = demo()
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(parameters(DEVICE, since="2026-01-01", dn="15")),
        maker.say(parameters(DEVICE, since="2026-03-01", dn="20")),
        Author("stranger").say(parameters(DEVICE, since="2026-04-01", dn="25")),
    ]

    view = fold([DEVICE], said, federation.world)

    found = [value_on(view, "dn", day) for day in ("2026-02-01", "2026-03-01", "2026-05-01")]
    assert [row and row["value"] for row in found] == ["15", "20", "20"]
    assert at(view, "parameters/dn/values/2/standing") == "claim"


def typed_by_two(*, with_approval: bool) -> tuple[Federation, list[Statement]]:
    """A utility and a lab typed one plate, each in its own way, with no line known."""
    federation, utility, lab = Federation(), Author("utility"), Author("lab")
    federation.attest(lab, Attested.ACCREDITATION, "RA.RU.000000")
    federation.attest(lab, Attested.STEWARD, "line")
    ours = Plate(designation="СГВ-15", serial="0012345", approvals=("12345-20",) if with_approval else ())
    theirs = Plate(designation="CГB 15", serial="0012345")
    claim = approval_claim("12345-20", "0012345") if with_approval else own_claim(utility)
    said = [utility.say(identity(claim, ours)), lab.say(identity(own_claim(lab), theirs))]
    return federation, said


@pytest.mark.parametrize("with_approval", [False, True])
def test_two_plates_are_one_passport_once_a_stewards_line_is_there(with_approval: bool) -> None:
    """Two subjects that were typed apart join when a published line resolves both plates, and the line's id leads."""
    federation, said = typed_by_two(with_approval=with_approval)
    before = resolve_identities(said, federation.world)
    federation.publish(Author("lab", seq=50), line(Author("lab")))

    found = resolve_identity(said, federation.world)
    view = fold(found.members, said, federation.world)

    assert len({found.lead for found in before.values()}) == 2
    assert found.lead == DEVICE
    assert set(found.members) == {DEVICE, *(s.subject for s in said)}
    assert (view["title"], at(view, "identity/serial/standing")) == ("СГВ-15 № 0012345", "working")
    assert at(view, "identity/designation/standing") == "working"
    assert len(cast("list[object]", view["plates"])) == 2
    assert len(cast("list[object]", view["ids"])) == 3
    assert not view["conflicts"]


def test_one_serial_of_two_lines_or_two_years_is_two_devices() -> None:
    """A serial is unique within its line, and within its year where the line restarts."""
    federation, maker, _ = demo()
    federation.publish(maker, line(maker, "yearly", "СГВ-20", restarts_yearly=True))
    author = Author("utility")
    plates = [
        Plate(designation="СГВ-15", serial="0012345"),
        Plate(designation="СГВ-20", serial="0012345", year="2019"),
        Plate(designation="СГВ-20", serial="0012345", year="2020"),
        Plate(designation="СГВ 20", serial="12345", year="2020"),
    ]
    said = [author.say(identity(own_claim(author, str(n)), plate)) for n, plate in enumerate(plates)]

    found = resolve_identities(said, federation.world)

    leads = [found[s.subject].lead for s in said]
    assert len(set(leads)) == 3
    assert leads[2] == leads[3]


def test_plate_of_a_stranger_binds_nobodys_subject() -> None:
    """Only the author of a local claim says which plate is on it, so nobody joins two passports of others."""
    federation, maker, _ = demo()
    owner, stranger = Author("owner"), Author("stranger")
    claim = own_claim(owner)
    said = [
        maker.say(identity(CLAIM, PLATE)),
        owner.say(identity(claim, Plate(designation="ТВ-7", serial="1"))),
        stranger.say(identity(claim, PLATE)),
    ]

    found = resolve_identities(said, federation.world)

    assert found[claim.subject.raw].lead == claim.subject.raw


def test_twin_is_never_joined_by_its_plate() -> None:
    """Another thing with the same plate keeps its own passport."""
    federation, maker, _ = demo()
    twin = CLAIM.with_twin(2)
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(identity(twin, PLATE))]

    found = resolve_identities(said, federation.world)

    assert {identity.lead for identity in found.values()} == {DEVICE, twin.subject.raw}


def test_repair_after_the_verification_is_not_admitted_until_verified() -> None:
    """A repair is shown as repaired and not admitted; an admission without verification has no effect."""
    federation, maker, lab = demo()
    owner, service = Author("owner"), Author("service")
    said = [*shipped(maker, owner), lab.say(verification(DEVICE), on="2026-01-15")]
    said += [
        owner.say(grant(owner, service, Verb.WRITE, DEVICE, rows=("event",))),
        service.say(event(DEVICE, "repaired", part="ротор"), on="2026-05-01"),
    ]
    said += [owner.say(event(DEVICE, "admitted"), on="2026-05-02")]
    repaired = fold([DEVICE], said, federation.world)
    said += [lab.say(verification(DEVICE), on="2026-05-03"), owner.say(event(DEVICE, "admitted"), on="2026-05-04")]
    verified = fold([DEVICE], said, federation.world)

    assert (at(repaired, "state/code"), at(repaired, "state/standing")) == ("repaired", "stated")
    assert at(repaired, "state/note") == "not-admitted-until-verified"
    assert [claim["value"] for claim in cast("list[dict[str, object]]", repaired["claims"])] == ["admitted"]
    assert (at(verified, "state/code"), at(verified, "state/note")) == ("admitted", None)


@pytest.mark.parametrize(
    ("lab_on", "repair_on", "needed"),
    [
        ("2026-05-01", "2026-04-30T23:00:00Z", False),
        ("2026-05-01", "2026-05-02", True),
        ("2026-05-01T09:00:00Z", "2026-05-01T10:00:00Z", True),
        ("2026-05-01T11:00:00Z", "2026-05-01T10:00:00Z", False),
        ("2026-05-01", "2026-05-01T10:00:00Z", False),
    ],
)
def test_repair_is_compared_with_the_verification_by_fact_time(lab_on: str, repair_on: str, needed: bool) -> None:
    """The order of facts decides; within a day that is known as a day only the order of recording does."""
    federation, maker, lab = demo()
    lab.clock += 3_600_000_000
    said = [
        maker.say(identity(CLAIM, PLATE)),
        maker.say(event(DEVICE, "repaired"), on=repair_on),
        lab.say(verification(DEVICE), on=lab_on),
    ]

    assert at(fold([DEVICE], said, federation.world), "state/needs_verification") is needed


def test_strangers_event_changes_no_state_and_his_repair_asks_for_a_verification() -> None:
    """Where somebody with authority spoke, a stranger's event is a claim; a repair is asked after whoever made it."""
    federation, maker, lab = demo()
    owner, stranger = Author("owner"), Author("stranger")
    said = [*shipped(maker, owner), lab.say(verification(DEVICE))]
    said += [stranger.say(event(DEVICE, code), on="2026-05-01") for code in ("scrapped", "repaired", "verified")]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "state/code") == "transferred"
    assert at(view, "state/needs_verification") is True
    assert [claim["value"] for claim in cast("list[dict[str, object]]", view["claims"])] == [
        "scrapped",
        "repaired",
        "verified",
    ]


def test_rejection_takes_the_verification_away() -> None:
    """A later rejection by a lab leaves no verification in force."""
    federation, _, lab = demo()
    said = [
        lab.say(verification(DEVICE), on="2026-01-01"),
        lab.say(verification(DEVICE, fit=False), on="2026-04-01"),
    ]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "verification/valid_until") is None
    assert at(view, "state/code") == "rejected"


def test_verification_stands_by_the_accreditation_of_its_date() -> None:
    """A later loss of accreditation changes nothing; a result of the time after is only working."""
    federation, lab = Federation(), Author("lab")
    federation.attest(lab, Attested.ACCREDITATION, "RA.RU.1", until="2026-03-01")
    before, after = lab.say(verification(DEVICE), on="2026-02-01"), lab.say(verification(DEVICE), on="2026-04-01")

    standings = [at(fold([DEVICE], [s], federation.world), "verification/standing") for s in (before, after)]

    assert standings == ["stated", "working"]


def test_register_stands_above_the_lab() -> None:
    """What the organisation brings that the federation names for the register is registered."""
    federation, _, lab = demo()
    bringer = Author("bringer")
    federation.attest(bringer, Attested.STEWARD, "register")
    said = [
        lab.say(verification(DEVICE, valid_until="2032-02-29")),
        bringer.say(parameters(DEVICE, verification_valid_until="2031-02-28")),
    ]

    view = fold([DEVICE], said, federation.world)

    assert (at(view, "verification/valid_until"), at(view, "verification/standing")) == ("2031-02-28", "registered")


def test_event_shows_who_what_where_when_and_why() -> None:
    """The timeline names organisation and system, what, where, fact time and record time."""
    federation, maker, _ = demo()
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(event(DEVICE, "packed", external="42"), on="2026-02-03")]

    shown = at(fold([DEVICE], said, federation.world), "events/0")

    assert isinstance(shown, dict)
    assert (shown["by"], shown["system"], shown["external"]) == (maker.org.hex(), "1С", "42")
    assert shown["what"]["central"] == "packed"
    assert shown["where"]["place"]["local"] == "цех"
    assert shown["occurred"] != shown["recorded"]


def test_event_told_twice_by_one_system_is_one_event() -> None:
    """Equal pairs of system and external id of one organisation are one event; another organisation's is another."""
    federation, maker, _ = demo()
    other = Author("other")
    said = [author.say(event(DEVICE, "packed", external="42")) for author in (maker, maker, other)]

    view = fold([DEVICE], said, federation.world)

    assert codes(view) == ["packed", "packed"]
    assert sorted(len(e["told"]) for e in cast("list[dict[str, list[str]]]", view["events"])) == [1, 2]


def test_corrected_event_stays_in_the_timeline() -> None:
    """A later event that refs one stands beside it and the state follows the later."""
    federation, maker, _ = demo()
    first = maker.say(event(DEVICE, "scrapped"))
    said = [maker.say(identity(CLAIM, PLATE)), first, maker.say(event(DEVICE, "packed"), refs=[first])]

    view = fold([DEVICE], said, federation.world)

    assert codes(view) == ["scrapped", "packed"]
    assert at(view, "events/0/replaced_by") == at(view, "events/1/ref")
    assert at(view, "state/code") == "packed"


def test_local_code_answers_the_central_one_once_it_is_bound() -> None:
    """Records with only a local code are accepted and marked; a later binding makes the old ones answer centrally."""
    federation, maker, _ = demo()
    said = [
        maker.say(identity(CLAIM, PLATE, TypeBody(type=Reference(local="00-01"), model="ВС"))),
        maker.say(event(DEVICE, "УПАК", local=True)),
        maker.say(parameters(DEVICE, local=True, ДУ="15")),
    ]
    before = fold([DEVICE], said, federation.world)
    for catalog, local, central in (
        ("types", "00-01", "t:cw"),
        ("events", "УПАК", "packed"),
        ("parameters", "ДУ", "dn"),
    ):
        federation.publish(maker, dual(maker, catalog, local, central))
    after = fold([DEVICE], said, federation.world)

    assert (at(before, "type/local"), at(before, "type/central"), codes(before)) == ("00-01", None, [None])
    assert list(cast("dict[str, object]", before["parameters"])) == [f"local/{maker.org.hex()}/ДУ"]
    assert (at(after, "type/local"), at(after, "type/central"), codes(after)) == ("00-01", "t:cw", ["packed"])
    row = value_on(after, "dn")
    assert row is not None
    assert row["value"] == "15"
    assert at(after, "state/code") == "packed"


def test_shipment_passes_the_title_when_it_is_accepted() -> None:
    """An offer alone leaves the title with the maker; accepted it makes an owner whose standing is agreed."""
    federation, maker, _ = demo()
    owner = Author("owner")
    said = shipped(maker, owner)
    offered, accepted = (fold([DEVICE], said[:n], federation.world) for n in (2, 3))

    assert at(offered, "parties/owner/value") == maker.org.hex()
    assert at(offered, "parties/offers/0/to") == owner.org.hex()
    assert at(offered, "state/code") == "shipped"
    assert (at(accepted, "parties/owner/value"), at(accepted, "parties/owner/standing")) == (owner.org.hex(), "agreed")
    assert codes(accepted) == ["shipped", "transferred"]


def test_offer_of_a_stranger_and_acceptance_by_a_stranger_pass_nothing() -> None:
    """Who holds no title passes none, and nobody accepts what was offered to another."""
    federation, maker, _ = demo()
    owner, thief = Author("owner"), Author("thief")
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(offer(maker, owner, DEVICE))]
    stolen = thief.say(offer(thief, thief, DEVICE))
    said += [stolen, thief.say(acceptance(thief, stolen, DEVICE)), thief.say(acceptance(maker, said[1], DEVICE))]

    view = fold([DEVICE], said, federation.world)

    assert at(view, "parties/owner/value") == maker.org.hex()
    assert at(view, "parties/claims/0/to") == thief.org.hex()


def test_title_goes_on_and_comes_back() -> None:
    """Who got a thing back offers it anew by naming the acceptance that brought it."""
    federation, maker, _ = demo()
    owner, last = Author("owner"), Author("last")
    said = shipped(maker, owner)
    back = owner.say(offer(owner, maker, DEVICE), on="2026-03-01")
    returned = maker.say(acceptance(owner, back, DEVICE), on="2026-03-02")
    again = maker.say(offer(maker, last, DEVICE), refs=[returned], on="2026-03-03")
    said += [back, returned, again, last.say(acceptance(maker, again, DEVICE), on="2026-03-04")]

    view = fold([DEVICE], said, federation.world)

    chain = cast("list[dict[str, str]]", at(view, "parties/chain"))
    assert [deal["to"] for deal in chain] == [owner.org.hex(), maker.org.hex(), last.org.hex()]


def test_two_accepted_offers_are_a_conflict_until_the_old_owner_decides() -> None:
    """Of two acceptances by different organisations neither counts; the old owner's later offer settles it."""
    federation, maker, _ = demo()
    one, two = Author("one"), Author("two")
    first, second = (maker.say(offer(maker, buyer, DEVICE)) for buyer in (one, two))
    said = [maker.say(identity(CLAIM, PLATE)), first, second]
    said += [one.say(acceptance(maker, first, DEVICE)), two.say(acceptance(maker, second, DEVICE))]
    third = maker.say(offer(maker, two, DEVICE), refs=[first, second])
    decided = [*said, third, two.say(acceptance(maker, third, DEVICE))]

    disputed, settled = (fold([DEVICE], some, federation.world) for some in (said, decided))

    assert (at(disputed, "parties/owner/value"), at(disputed, "parties/owner/standing")) == (None, "disputed")
    assert at(settled, "parties/owner/value") == two.org.hex()


def test_composition_answers_what_was_inside_on_a_day() -> None:
    """A part that was replaced was inside until its day, and the new one from it."""
    federation, maker, _ = demo()
    old, new = id16("old"), id16("new")
    first = maker.say(composition(old, DEVICE, "2026-01-01"))
    said = [
        maker.say(identity(CLAIM, PLATE)),
        first,
        maker.say(composition(old, DEVICE, "2026-01-01", "2026-05-01"), refs=[first]),
        maker.say(composition(new, DEVICE, "2026-05-01", quantity="2")),
    ]

    view = fold([DEVICE], said, federation.world)

    assert [edge["part"] for edge in inside_on(view, "2026-04-30")] == [old.hex()]
    assert [(edge["part"], edge["quantity"]) for edge in inside_on(view, "2026-05-01")] == [(new.hex(), "2")]


@pytest.mark.parametrize("other_until", [None, "2026-06-01"])
def test_cycle_shows_all_edges_and_uses_none(other_until: str | None) -> None:
    """Two things that stand in each other at one time are both shown, and neither is inside."""
    other = id16("other")
    author = Author("author")
    said = [
        author.say(composition(other, DEVICE, "2026-01-01")),
        author.say(composition(DEVICE, other, "2026-01-01", other_until)),
    ]

    view = fold([DEVICE], said, World())

    assert not inside_on(view, "2026-02-01")
    assert at(view, "composition/children/0/conflict") == "cycle"
    assert at(view, "composition/parents/0/conflict") == "cycle"
    assert len(cast("list[object]", view["conflicts"])) == 2


def test_part_that_moved_on_is_in_no_cycle() -> None:
    """Edges of different times do not contradict each other."""
    other, author = id16("other"), Author("author")
    said = [
        author.say(composition(other, DEVICE, "2026-01-01", "2026-02-01")),
        author.say(composition(DEVICE, other, "2026-02-01")),
    ]

    assert not fold([DEVICE], said, World())["conflicts"]


def test_two_parents_of_equal_rank_are_both_shown_and_a_lower_one_is_a_claim() -> None:
    """One parent at a time: equal rights leave none, a stranger's edge leaves the maker's in use."""
    federation, maker, _ = demo()
    one, two = id16("one"), id16("two")
    stranger = Author("stranger")
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(composition(DEVICE, one, "2026-01-01"))]
    by_stranger = fold([DEVICE], [*said, stranger.say(composition(DEVICE, two, "2026-02-01"))], federation.world)
    by_maker = fold([DEVICE], [*said, maker.say(composition(DEVICE, two, "2026-02-01"))], federation.world)

    used = [
        [edge["used"] for edge in cast("list[dict[str, bool]]", at(v, "composition/parents"))]
        for v in (by_stranger, by_maker)
    ]
    assert sorted(used[0]) == [False, True]
    assert used[1] == [False, False]


def test_radio_is_shown_without_its_key() -> None:
    """A view holds the radio profile and the name of the secret section, and never a key."""
    federation, maker, _ = demo()
    said = [maker.say(identity(CLAIM, PLATE)), maker.say(radio(DEVICE))]
    leaked = Statement(
        said[1].ref,
        said[1].id,
        maker.org,
        5,
        (DEVICE,),
        1,
        1,
        sections={"root-keys": b'{"app_key":"%s"}' % APP_KEY.encode()},
    )

    view = fold([DEVICE], said, federation.world)

    assert at(view, "radio/dev_eui/value") == "0011223344556677"
    assert at(view, "withheld/5") == 1
    assert APP_KEY not in json.dumps([view, fold([DEVICE], [leaked], federation.world)])


def test_owners_radio_profile_stands_above_the_makers() -> None:
    """Who holds the title decides how the device joins; before that the maker's profile stands."""
    federation, maker, _ = demo()
    owner = Author("owner")
    said = [*shipped(maker, owner), maker.say(radio(DEVICE, "00" * 8))]
    before = fold([DEVICE], said, federation.world)
    after = fold([DEVICE], [*said, owner.say(radio(DEVICE, "11" * 8), on="2026-03-01")], federation.world)

    assert (at(before, "radio/dev_eui/value"), at(before, "radio/dev_eui/standing")) == ("00" * 8, "stated")
    assert at(after, "radio/dev_eui/value") == "11" * 8


def test_statement_without_its_ground_is_pending() -> None:
    """What names a ground that is not here waits, with all that rests on it, and folds when the ground comes."""
    federation, maker, _ = demo()
    ground = maker.say(event(DEVICE, "marked"))
    first = maker.say(event(DEVICE, "packed"), auth=[ground])
    second = maker.say(event(DEVICE, "sold"), auth=[first])

    waiting, complete = (fold([DEVICE], some, federation.world) for some in ([first, second], [first, second, ground]))

    assert (codes(waiting), len(cast("list[object]", waiting["pending"]))) == ([], 2)
    assert (codes(complete), complete["pending"]) == (["marked", "packed", "sold"], [])


@pytest.mark.parametrize("is_shipped", [True, False])
def test_things_that_came_by_several_acts_pass_on_by_one(is_shipped: bool) -> None:
    """Shipped or handed over: of its grounds each passport has its own alone; without that one too it waits."""
    federation, maker, _ = demo()
    dealer, buyer, other = Author("dealer"), Author("buyer"), line_claim("0099999").subject.raw
    came: list[Statement] = []
    for thing in (DEVICE, other):
        made = maker.say(offer(maker, dealer, thing))
        came += [made, dealer.say(acceptance(maker, made, thing))]
    both = tuple(sorted((DEVICE, other)))
    drafted = offer(dealer, buyer, *both) if is_shipped else role_offer(dealer, buyer, PartyRole.TITLE, *both)
    made = dealer.say(drafted, auth=[came[1], came[3]])
    answer = acceptance(dealer, made, *both) if is_shipped else role_answer(made, PartyRole.TITLE, *both)
    sold = [made, buyer.say(answer)]
    identified = maker.say(identity(CLAIM, PLATE))

    whole = fold([DEVICE], [identified, *came[:2], *sold], federation.world)
    waiting = fold([DEVICE], [identified, came[0], *sold], federation.world)

    assert (at(whole, "parties/owner/value"), whole["pending"]) == (buyer.org.hex(), [])
    assert (at(waiting, "parties/owner/value"), len(cast("list[object]", waiting["pending"]))) == (maker.org.hex(), 2)


def test_withheld_correction_hides_the_value_that_it_replaced() -> None:
    """A value that was replaced by what may not be read here is not shown as standing."""
    federation, maker, _ = demo()
    first = maker.say(parameters(DEVICE, dn="15"))
    hidden = maker.say(parameters(DEVICE, dn="20"), refs=[first], hide=["parameters"])

    view = fold([DEVICE], [maker.say(identity(CLAIM, PLATE)), first, hidden], federation.world)

    row = value_on(view, "dn")
    assert row is not None
    assert (row["value"], row["hidden"]) == (None, "replaced-by-unreadable")
    assert view["withheld"] == {"2": 1}


def test_protocol_shows_its_document_its_extract_and_what_is_withheld() -> None:
    """A protocol is shown whole, with the parts that may not be read named."""
    federation, _, lab = demo()
    said = [lab.say(verification(DEVICE), hide=["personal"])]

    shown = at(fold([DEVICE], said, federation.world), "protocols/0")

    assert isinstance(shown, dict)
    assert shown["document"] == '{"fit": true}'
    assert shown["personal"] is None
    assert shown["standing"] == "stated"
    assert {"name": "personal", "present": False, "class": 4} in shown["sections"]


def test_signers_are_named_with_what_is_attested_of_them() -> None:
    """Who signed is shown with the name on the card and what anchors attest."""
    federation, maker, _ = demo()
    federation.publish(maker, card(maker, "Завод"))
    federation.attest(maker, Attested.NUMBER, "inn:0000000018")

    view = fold([DEVICE], [maker.say(identity(CLAIM, PLATE))], federation.world)

    signer = at(view, f"signers/{maker.org.hex()}")
    assert isinstance(signer, dict)
    assert (signer["name"], signer["numbers"]) == ("Завод", ["inn:0000000018"])
    assert [held["what"] for held in signer["attested"]] == ["number", "maker"]


def test_party_that_an_event_names_acts_with_authority() -> None:
    """Whom the owner names in an event is the executor of what follows."""
    federation, maker, _ = demo()
    owner, service = Author("owner"), Author("service")
    share = Authority(Verb.READ, service.org, (), (DEVICE,), (2,))
    said = [*shipped(maker, owner), owner.say(event(DEVICE, "registered", share=share))]
    said += [service.say(event(DEVICE, "removed"), on="2026-06-01")]

    view = fold([DEVICE], said, federation.world)

    assert (at(view, "state/code"), at(view, "state/standing")) == ("removed", "stated")


@pytest.mark.parametrize(
    ("section", "content"),
    [
        ("event", b"\xff"),
        ("event", b'{"system":"s","what":{},"where":{"object":"00"}}'),
        ("event", b'{"system":"s","what":{"central":"packed"},"where":{}}'),
        ("parameters", b'{"rows":[{"code":{"central":"dn"},"value":"1","since":"2026-02-31"}]}'),
        ("parameters", b'{"rows":[{"code":{"central":"dn"},"value":"\\ud800"}]}'),
        ("parameters", b'{"rows":[{"code":{"central":"dn"},"value":"a\\u0000b"}]}'),
        ("event", b'{"system":"s","what":{"central":"a\\u0000"},"where":{"place":{"local":"p"}}}'),
        ("composition", b'{"since":"2026-99-99"}'),
        ("authority", b"\x90"),
        ("claim", b"\x94"),
        ("radio", b'{"dev_eui":1.5}'),
    ],
)
def test_body_that_breaks_its_shape_is_shown_as_a_fault(section: str, content: bytes) -> None:
    """An event without one of the four, a day that is none, and bytes of any kind are their author's fault."""
    author = Author("author")

    view = fold([DEVICE], [author.say(raw(Kind.EVENT, DEVICE, **{section: content}))], World())

    assert at(view, "statements/0/faults") == [f"{section}: unreadable"]
    assert not view["events"]
    assert digest(view)


def test_claim_of_another_subject_is_unreadable_and_its_plate_with_it() -> None:
    """A claim that does not hash to the first subject says nothing."""
    draft = identity(CLAIM, PLATE)
    author = Author("author")
    said = author.say(type(draft)(draft.kind, (id16("other"),), 0, draft.sections))

    view = fold([id16("other")], [said], World())

    assert at(view, "statements/0/faults") == ["claim: unreadable"]
    assert (view["plates"], view["title"]) == ([], "")
