"""AppKeys of devices: how they are written, and which protect nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.passport.bodies import RootKeysBody
from node.passport.device_keys import Weakness, find_weakness, key_in, read_app_key
from node.secret import Secret

EUI, JOIN = "70b3d58ff1010001", "70b3d58ff0000000"
KEY = "9f3c01d2a4b5566778e9f0a1b2c3d4e5"


@pytest.mark.parametrize(
    "text",
    [KEY, KEY.upper(), f"0x{KEY}", " ".join(KEY[at : at + 2] for at in range(0, 32, 2)), f"\n{KEY[:16]}-{KEY[16:]} "],
)
def test_key_is_read_as_people_and_programs_write_it(text: str) -> None:
    """Case, separators and 0x make no other key."""
    found = read_app_key(text)

    assert found is not None
    assert found.matches(bytes.fromhex(KEY))


@pytest.mark.parametrize("text", ["", KEY[1:], KEY + "0", KEY[1:] + "g", KEY[1:] + "\u0660", "***", KEY + KEY])
def test_text_that_is_no_key_is_read_as_none(text: str) -> None:
    """What is not 32 hex digits is nothing."""
    assert read_app_key(text) is None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("00" * 16, Weakness.EQUAL),
        ("ff" * 16, Weakness.EQUAL),
        (EUI * 2, Weakness.ADDRESS),
        (JOIN + EUI, Weakness.ADDRESS),
        (EUI + bytes.fromhex(JOIN)[::-1].hex(), Weakness.ADDRESS),
        ("0123" * 8, Weakness.REPEATS),
        ("01234567" * 4, Weakness.REPEATS),
        ("0123456789abcdef" * 2, Weakness.REPEATS),
        ("000102030405060708090a0b0c0d0e0f", Weakness.COUNTS),
        ("00112233445566778899aabbccddeeff", Weakness.COUNTS),
        ("0f0e0d0c0b0a09080706050403020100", Weakness.COUNTS),
        ("2b7e151628aed2a6abf7158809cf4f3c", Weakness.PUBLISHED),
    ],
)
def test_key_that_can_be_guessed_is_told_with_why(key: str, why: Weakness) -> None:
    """Equal bytes, addresses that are sent in clear, runs, counts and examples of manuals protect nothing."""
    assert find_weakness(Secret(bytes.fromhex(key)), EUI, JOIN) is why


@given(st.binary(min_size=16, max_size=16).filter(lambda raw: len(set(raw)) > 8))
def test_key_of_many_bytes_is_weak_for_a_reason_alone(raw: bytes) -> None:
    """What has more than eight different bytes is refused as a count or an example alone."""
    assert find_weakness(Secret(raw), EUI) in (None, Weakness.COUNTS, Weakness.PUBLISHED)


def test_section_of_another_shape_holds_no_key() -> None:
    """The key of a padded section is read; of bytes that are none nothing is raised."""
    content = RootKeysBody(app_key=KEY).to_bytes()
    padded = len(content).to_bytes(4, "big") + content + bytes(64 - 4 - len(content))

    assert key_in(padded) == bytes.fromhex(KEY)
    assert key_in(b"") is None
    assert key_in(bytes(64)) is None
