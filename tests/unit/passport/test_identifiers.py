"""What a text may be, the keys of it, who is hinted at, and what others' answers come to."""

import pytest

from federation.authority import Attested
from federation.directory import alias_key
from node.passport.errors import MistypedIdError
from node.passport.hints import hinted, is_of_domain
from node.passport.identifiers import Identifier, key_of_term, read_identifiers
from node.passport.lines import Lines
from node.passport.seats import seats_of
from node.passport.shown import BARE, CONFLICT
from node.passport.sightings import Sighting, Source, join_sightings, trust_in
from tests.builders import id16
from tests.builders_passport import Author, Federation

ID = "EPP1-7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
NONE = Lines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  № 0012345 ", Identifier("number", "0012345")),
        ("зав. № 0012345", Identifier("number", "0012345")),
        ("СГВ-15 № 0012345", Identifier("number", "CГB-15-0012345")),
        ("02-C0:DE 0000000001", Identifier("dev_eui", "02c0de0000000001")),
        ("С-ДЭР/01-02-2025/123456789", Identifier("number", "C-ДЭP-01-02-2025-123456789")),
        (
            "ut11:0f8fad5b-d9cb-469f-a165-70867728950e",
            Identifier("number", "ut11:0f8fad5b-d9cb-469f-a165-70867728950e"),
        ),
    ],
)
def test_text_is_read_as_what_it_may_be(text: str, expected: Identifier) -> None:
    """One normalisation for each scheme: however it is typed, the value and so the key are the same."""
    assert read_identifiers(text, NONE) == (expected,)
    assert expected.key == alias_key(expected.scheme, expected.value)


def test_code_of_a_maker_is_an_id_and_a_printed_text() -> None:
    """A GS1 code names its subject; the device may as well be known by another claim, with the code on its plate."""
    first, second = read_identifiers("(01)04601234567893(21)A7", NONE)

    assert first.scheme == "id"
    assert first.key == bytes.fromhex(first.value)
    assert second == Identifier("number", "(01)04601234567893(21)A7")


def test_slip_of_the_pen_and_nothing_at_all_are_told_before_anybody_is_asked() -> None:
    """A wrong check character is mistyped; a text without a letter or digit names nothing."""
    with pytest.raises(MistypedIdError):
        read_identifiers(ID + "00", NONE)
    assert read_identifiers(" -- ", NONE) == ()


def test_terms_for_own_people_have_no_key() -> None:
    """What a node works out for itself, and what a document states, is announced to nobody."""
    assert key_of_term("serial", "0012345") == key_of_term("inventory", "0012345") == alias_key("number", "0012345")
    assert key_of_term("dev_eui", "02c0de0000000001") == alias_key("dev_eui", "02c0de0000000001")
    assert {key_of_term(scheme, "x") for scheme in (BARE, CONFLICT, "act", "type", "protocol", "own")} == {None}


@pytest.mark.parametrize(
    ("url", "domain", "expected"),
    [
        ("https://node.zavod.ru:8441", "zavod.ru", True),
        ("https://zavod.ru", "zavod.ru", True),
        ("https://evilzavod.ru", "zavod.ru", False),
        ("https://zavod.ru.evil.org", "zavod.ru", False),
        ("https://[", "zavod.ru", False),
    ],
)
def test_label_leads_to_nodes_of_its_domain(url: str, domain: str, expected: bool) -> None:
    """An address is of a domain where it is that host or a name below it."""
    assert is_of_domain(url, domain) is expected


def test_nobody_is_hinted_at_by_a_bare_number() -> None:
    """Without a domain, a line or a prefix there is no hint."""
    assert hinted("0012345", read_identifiers("0012345", NONE), Federation().world) == ()


def test_seat_follows_from_the_anchors_statement_until_they_attest_one() -> None:
    """A member has no say in its seat; one that anchors attest takes its place, and guests have none."""
    federation, maker, lab = Federation(), Author("maker"), Author("lab")
    federation.attest(maker, Attested.NUMBER, "inn:0000000018")
    derived = seats_of(federation.world).seats
    federation.attest(maker, Attested.SEAT, "00" * 16)
    attested = seats_of(federation.world).seats

    assert derived.keys() == attested.keys() == {federation.anchors[0].org, maker.org}
    assert lab.org not in derived
    assert attested[maker.org] == bytes(16) != derived[maker.org]
    assert attested[federation.anchors[0].org] == derived[federation.anchors[0].org]


def seen(name: str, *others: str, by: str = "x", age: int = 1, proved: bool = True) -> Sighting:
    """An answer of a node."""
    ids = frozenset(map(id16, (name, *others)))
    source = Source(id16(f"org/{by}"), id16(f"node/{by}"), age)
    return Sighting(id16(name), ids, f"title {name}" if proved else "", proved, (source,))


def test_answers_about_joined_ids_are_one_passport() -> None:
    """Whoever knows of a join joins what others told apart; who knows the newest stands first."""
    told = [seen("a", by="x", age=9), seen("b", by="y", age=3), seen("c", by="z"), seen("b", "a", by="z", age=5)]

    one, other = join_sightings(told)

    assert one.ids == {id16("a"), id16("b")}
    assert [source.age_us for source in one.sources] == [3, 5, 9]
    assert other.ids == {id16("c")}


def test_proved_answer_stands_before_one_that_is_said() -> None:
    """What a node only says is shown as its word, behind what an author signed."""
    (one,) = join_sightings([seen("a", by="liar", age=0, proved=False), seen("a", by="x", age=9)])

    assert one.is_proved
    assert one.title == "title a"
    assert len(one.sources) == 2


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [(0, 0, "asked"), (0, 2, "asked"), (0, 3, "last"), (5, 3, "asked"), (0, 20, "never"), (6, 20, "last")],
)
def test_node_that_is_named_for_nothing_is_asked_last_and_then_not_at_all(good: int, bad: int, expected: str) -> None:
    """A few wrong referrals rank a node last, many that nothing outweighs leave it out."""
    assert trust_in(good, bad) == expected
