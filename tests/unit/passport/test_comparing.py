"""What a person decides about identity by: kinds of conflict, two passports side by side, what a text reads as."""

import pytest

from node.passport.bodies import Plate, SamenessBody
from node.passport.comparison import Likeness, compare_views
from node.passport.drafts import Draft, sameness
from node.passport.errors import MistypedIdError
from node.passport.fold import fold
from node.passport.ids import format_device_id
from node.passport.lines import Reason
from node.passport.scans import Filled, check_plate, read_scan
from node.passport.shown import CONFLICT, conflict_term, kinds_of_conflict, recalls_of, terms_of, waiting_words
from node.passport.view import View
from tests.builders_passport import Author, demo, event, identity, line_claim, own_claim, parameters

FEDERATION, MAKER, _ = demo()
WORLD = FEDERATION.world
LINES = WORLD.lines
HERE, THERE = "ул. Ленина, 5", "пр. Мира, 7"
PLATE = Plate(designation="КТК-15", serial="12345")


def passport(name: str, plate: Plate, dn: str, *more: Draft) -> View:
    """A device that one organisation stated."""
    author = Author(name)
    claim = own_claim(author)
    subject = claim.subject.raw
    stated = [identity(claim, plate), parameters(subject, dn=dn), *more]
    return fold([subject], [author.say(draft) for draft in stated], WORLD)


def standing(name: str, **values: str) -> Draft:
    """What that organisation states of its device beside."""
    return parameters(own_claim(Author(name)).subject.raw, since=None, local=False, **values)


def test_word_that_waits_for_the_other_side_is_a_term_of_the_passport() -> None:
    """What one side says of two passports is found as waiting, and no more once the other side says it too."""
    one, other = Author("one"), Author("other")
    claims = [own_claim(author) for author in (one, other)]
    subjects = [claim.subject.raw for claim in claims]
    stated = [author.say(identity(claim, PLATE)) for author, claim in zip((one, other), claims, strict=True)]
    words = [author.say(sameness(subjects[0], subjects[1], SamenessBody(says="same"), 0)) for author in (one, other)]

    waiting = fold(subjects[:1], [*stated, words[0]], WORLD)
    joined = fold(subjects, [*stated, *words], WORLD)

    assert (CONFLICT, conflict_term("waiting")) in set(terms_of(waiting))
    assert [row["by"] for row in waiting_words(waiting)] == [one.org.hex()]
    assert CONFLICT not in {scheme for scheme, _ in terms_of(joined)}


def test_two_places_of_two_parties_are_terms_that_no_search_begins_with() -> None:
    """A dispute about a place is asked once, as two places; its term begins as no text that somebody types does."""
    one, other = Author("one"), Author("other")
    claim = line_claim()
    subject = claim.subject.raw
    said = [author.say(parameters(subject, install_place=place)) for author, place in ((one, HERE), (other, THERE))]
    view = fold([subject], [MAKER.say(identity(claim, Plate(designation="СГВ-15", serial="0012345"))), *said], WORLD)

    found = [term for scheme, term in terms_of(view) if scheme == CONFLICT]

    assert kinds_of_conflict(view) == ["two-devices-on-one-plate"]
    assert found == [conflict_term(why) for why in kinds_of_conflict(view)]
    assert all(not term[0].isalnum() for term in found)


def test_comparison_tells_what_differs_what_is_the_same_and_what_one_side_alone_says() -> None:
    """Spellings that are one by the rules are the same; each fact stands once, with both values."""
    left = passport("one", PLATE, "15", standing("one", install_place="Ленина 5, кв. 12", firmware_version="1.5"))
    other = Plate(designation="ктк 15", serial="0012345", year="2024")
    right = passport("other", other, "20", standing("other", install_place="ул. Ленина, д. 5, кв. 12"))

    rows = {row.name: row for row in compare_views(left, right)}

    assert rows["designation"].likeness is Likeness.SAME
    assert rows["place"].likeness is Likeness.SAME
    assert rows["serial"].likeness is Likeness.DIFFERENT
    assert (rows["dn"].left, rows["dn"].right) == (("15",), ("20",))
    assert rows["year"].likeness is rows["firmware_version"].likeness is Likeness.ONE_SIDED
    assert "install_place" not in rows
    assert {row.likeness for row in compare_views(left, left)} == {Likeness.SAME}


def test_recall_of_another_thing_stands_in_the_passport_until_it_is_replaced() -> None:
    """Recalls that reach a device are told with the latest first; a corrected one is told once."""
    author = Author("one")
    subject = own_claim(author).subject.raw
    early = author.say(event(subject, "recalled"), on="2026-01-01")
    late = author.say(event(subject, "recalled"), on="2026-02-01")
    corrected = author.say(event(subject, "recalled"), on="2026-01-02", refs=[early])

    view = fold([subject], [early, late, corrected, author.say(event(subject, "found"))], WORLD)

    assert [row["occurred"] for row in recalls_of(view)] == [late.occurred, corrected.occurred]


@pytest.mark.parametrize(
    ("filled", "read"),
    [
        (Filled("СГВ-15 № 0012345"), ("СГВ-15", "0012345", None)),
        (Filled("Счётчик воды СГВ-15 0012345", year="г. 2019"), ("Счётчик воды СГВ-15", "0012345", "2019")),
        (Filled("СГВ-15 № 12345", serial="0012345"), ("СГВ-15", "0012345", None)),
        (Filled(designation="СГВ-15", serial="зав. № 7"), ("СГВ-15", "7", None)),
        (Filled("(01)04600000000015(21)A-7"), ("", "A-7", None)),
        (Filled("], \x1d"), ("", "", None)),
        (Filled(""), ("", "", None)),
    ],
)
def test_text_reads_as_a_plate_as_far_as_it_is_there(filled: Filled, read: tuple[str, str, str | None]) -> None:
    """A typed text, parts that stand before it, and a scanned code give the parts of a plate."""
    scan = read_scan(filled, LINES)

    assert (scan.plate.designation, scan.plate.serial, scan.plate.year) == read
    assert scan.is_whole is all(read[:2])


def test_label_of_ours_reads_as_its_id_and_a_slip_is_told() -> None:
    """The id alone and the link of a label lead to the subject; a mistyped one is refused."""
    subject = line_claim().subject
    text = format_device_id(subject)

    assert read_scan(Filled(f"https://works.example/d/{text}"), LINES).subject == subject
    assert read_scan(Filled(text.lower()), LINES).subject == subject
    with pytest.raises(MistypedIdError):
        read_scan(Filled(text[:-1] + ("0" if text[-1] != "0" else "1")), LINES)
    with pytest.raises(MistypedIdError):
        read_scan(Filled(f"https://works.example/d/ЕРР1{text[4:]}"), LINES)


def test_rules_of_the_line_are_told_of_a_plate() -> None:
    """A lost zero has its correction; too long a serial is not of the line; without a line nothing is checked."""

    def check(text: str) -> tuple[str | None, str | None, str | None]:
        found = check_plate(read_scan(Filled(text), LINES).plate, LINES)
        return (
            found.reason.value if found.reason else None,
            found.finding.rule if found.finding else None,
            found.finding.suggestion if found.finding else None,
        )

    assert check("СГВ-15 № 0012345") == (None, None, None)
    assert check("СГВ-15 № 12345") == (None, "serial.lost_zero", "0012345")
    assert check("СГВ-15 № 123456789") == (Reason.SERIAL, "serial.length", None)
    assert check("НОВ-99 № 1") == (Reason.UNKNOWN, None, None)
