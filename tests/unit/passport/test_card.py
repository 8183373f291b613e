"""Cards: what lists and searches know of a passport, and the spelling in which words are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.bodies import Plate
from node.passport.card import MAX_WORD, MAX_WORDS, Card, card_of, format_expiry, parse_expiry, search_words
from node.passport.fold import fold
from node.passport.sifting import lets_through, parse_sift
from node.passport.statement import Statement
from tests.builders_passport import (
    Author,
    Federation,
    acceptance,
    card,
    demo,
    event,
    identity,
    line_claim,
    offer,
    parameters,
    radio,
    verification,
)

CLAIM = line_claim()
DEVICE = CLAIM.subject.raw
PLATE = Plate(mark="Демо", designation="СГВ-15", serial="0012345", approvals=("12345-19",), read="typed")


def carded(world: Federation, *said: Statement) -> Card:
    """The card of the device as these statements fold."""
    return card_of(DEVICE, fold([DEVICE], said, world.world), 7)


def test_card_names_what_stands_on_the_device() -> None:
    """Title, plate, DevEUI and approval are words of the card; the kind, the state and the change stand beside."""
    world, maker, _ = demo()

    made = carded(world, maker.say(identity(CLAIM, PLATE)), maker.say(radio(DEVICE)))

    assert made.title == "СГВ-15 № 0012345"
    assert made.names.split() == ["CГB", "15", "0012345", "0011223344556677", "12345", "19"]
    assert (made.kind, made.state, made.ids, made.changed_us) == ("device", "known", 1, 7)
    assert (made.place, made.expires) == ("", 0)


def test_owner_is_who_holds_the_title_by_name() -> None:
    """After an accepted offer the card names the buyer, whose card gives the name."""
    world, maker, _ = demo()
    buyer = Author("buyer")
    world.publish(buyer, card(buyer, "МУП «Водоканал»"))
    plate, offered = maker.say(identity(CLAIM, PLATE)), maker.say(offer(maker, buyer, DEVICE))

    before = carded(world, plate)
    after = carded(world, plate, offered, buyer.say(acceptance(maker, offered, DEVICE)))

    assert before.owner == maker.org.hex()
    assert (after.owner, after.owner_name) == (buyer.org.hex(), "МУП «Водоканал»")
    assert lets_through(parse_sift(owner=buyer.org.hex().upper()), after)
    assert lets_through(parse_sift(owner="водокан"), after)
    assert not lets_through(parse_sift(owner="теплосеть"), after)


def test_place_is_what_the_parameter_says_else_where_it_was_mounted_last() -> None:
    """A place stated as a parameter stands first; else that of the mounting, until the device is taken off."""
    world, maker, _ = demo()
    plate = maker.say(identity(CLAIM, PLATE))
    mounted = maker.say(event(DEVICE, "installed"), on="2026-03-01")
    removed = maker.say(event(DEVICE, "removed"), on="2026-04-01")
    stated = maker.say(parameters(DEVICE, install_place="г. Казань, ул. Ленина, 5"))

    assert carded(world, plate, mounted).place == "цех"
    assert carded(world, plate, mounted, removed).place == ""
    assert carded(world, plate, mounted, stated).place == "г. Казань, ул. Ленина, 5"


def test_expiry_is_the_day_on_which_the_verification_ends() -> None:
    """The day comes from the verification that stands; a filter lets through what ends before its day."""
    world, maker, lab = demo()

    made = carded(world, maker.say(identity(CLAIM, PLATE)), lab.say(verification(DEVICE, valid_until="2032-02-29")))

    assert format_expiry(made.expires) == "2032-02-29"
    assert lets_through(parse_sift(expires_before=parse_expiry("2032-03-01")), made)
    assert not lets_through(parse_sift(expires_before=parse_expiry("2032-02-29")), made)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("г. Казань, ул. Молодёжная, д. 5", ["Г", "KAЗAHЬ", "YЛ", "MOЛOДEЖHAЯ", "Д", "5"]),
        ("CГB-15", ["CГB", "15"]),
        ("сгв 15", ["CГB", "15"]),
        ("№ — !", []),
        ("ООО «Уют»", ["OOO", "YЮT"]),
    ],
)
def test_words_are_spelled_as_they_are_compared(said: str, words: list[str]) -> None:
    """Capitals, ё as е, letters that look alike as one, and nothing that is no letter or digit."""
    assert search_words(said) == words


@given(st.text(max_size=400))
def test_words_are_few_short_and_the_same_when_read_again(said: str) -> None:
    """Whatever a text holds, its words are bounded, and their words are themselves."""
    words = search_words(said)

    assert len(words) <= MAX_WORDS
    assert all(0 < len(word) <= MAX_WORD for word in words)
    again = search_words(" ".join(words))
    assert search_words(" ".join(again)) == again


def test_label_word_before_a_number_is_no_word_to_look_for() -> None:
    """A serial typed as a label shows it finds the same as the bare number."""
    assert parse_sift("зав. № 0012345") == parse_sift("0012345")
    assert parse_sift("СГВ-15 № 0012345").text == ("CГB", "15", "0012345")
