"""Laws of plate text."""

import string

from hypothesis import given
from hypothesis import strategies as st

from node.passport.errors import PlateError
from node.passport.plate import (
    ALPHABET,
    DELETED,
    SEPARATORS,
    comparison_text,
    cut_label,
    plate_text,
    split_typed,
)

PRINTED = "АВЕКМНОРСТУХІЅЈБГДЁЖЗабвгдеёжз№²½ĀЇñ" + string.ascii_letters + string.digits
SPECIAL = "".join(map(chr, (*DELETED, *SEPARATORS, 0x0306, 0x0308, 0x2016, 0x2028)))
plates = st.one_of(st.text(), st.text(PRINTED + SPECIAL, max_size=80), st.text(sorted(ALPHABET), max_size=70))


def accepted(text: str) -> str | None:
    try:
        return plate_text(text)
    except PlateError:
        return None


@given(plates)
def test_plate_text_is_idempotent(text: str) -> None:
    """The plate text of a plate text is itself; any other text gives a value of the alphabet or PlateError."""
    result = accepted(text)

    if result is not None:
        assert plate_text(result) == result
        assert set(result) <= ALPHABET
        assert 1 <= len(result) <= 64


@given(st.text(sorted(ALPHABET), min_size=1, max_size=40), st.data())
def test_plate_text_does_not_see_separators_and_invisible_characters(text: str, data: st.DataObject) -> None:
    """Which separator was typed, in what case, and what invisible characters came along does not count."""
    noise = st.sampled_from(["", *map(chr, DELETED)])
    separator = st.sampled_from([chr(point) for point in SEPARATORS])

    noisy = "".join(
        (data.draw(separator) if character == "-" else character.lower()) + data.draw(noise) for character in text
    )

    assert accepted(noisy) == accepted(text)


@given(plates)
def test_comparison_text_is_idempotent(text: str) -> None:
    """The comparison text of any text exists, and comparing it again changes nothing."""
    once = comparison_text(text)

    assert comparison_text(once) == once or any(character not in ALPHABET for character in once)


@given(plates)
def test_what_is_typed_never_breaks(text: str) -> None:
    """Cutting a label and splitting a typed text give texts for whatever is typed."""
    assert cut_label(text) in text
    parts = split_typed(text)
    assert parts is None or (parts[0] and parts[1])
