"""Device ids beside their vectors (tests/unit/test_vectors.py), and the links on labels."""

import pytest

from node.passport.errors import DeviceIdError, MistypedIdError, UnknownIdError
from node.passport.ids import (
    DeviceId,
    SubjectId,
    format_device_id,
    format_label_url,
    looks_like_device_id,
    parse_device_id,
    parse_label_url,
)

SUBJECT = SubjectId(bytes.fromhex("00112233445566778899aabbccddeeff"))


def test_mistyped_and_unknown_are_two_answers() -> None:
    """A slip of the pen and an id that nobody bears are told apart, and both lead to no subject."""
    assert issubclass(MistypedIdError, DeviceIdError)
    assert issubclass(UnknownIdError, DeviceIdError)
    assert not issubclass(MistypedIdError, UnknownIdError)
    with pytest.raises(MistypedIdError):
        parse_device_id(f"{SUBJECT}0")


def test_device_id_is_the_subject_by_another_name() -> None:
    """One value has two spellings: 16 bytes and a text of 33 characters."""
    assert DeviceId is SubjectId
    assert len(format_device_id(SUBJECT)) == 33


@pytest.mark.parametrize("place", range(33))
def test_one_wrong_character_anywhere_is_still_meant_as_an_id(place: int) -> None:
    """Whichever character is wrong, a text is looked at as an id and refused as one, and never goes on as a code."""
    good = str(SUBJECT)
    slips = [good[:place] + wrong + good[place + 1 :] for wrong in ("7", "U", "Ж", "") if wrong != good[place]]

    for slip in slips:
        assert looks_like_device_id(slip), slip
        if good[place] != "-":
            with pytest.raises(MistypedIdError):
                parse_device_id(slip)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_subject_of_another_size_is_refused(size: int) -> None:
    """A subject is 16 bytes."""
    with pytest.raises(DeviceIdError, match="16 bytes"):
        SubjectId(b"x" * size)


def test_label_url_leads_back_to_the_subject() -> None:
    """The link on a label is read again, with a port, a query or capitals that a phone added."""
    url = format_label_url("maker.example", SUBJECT)

    assert url == f"https://maker.example/d/{SUBJECT}"
    assert parse_label_url(url) == SUBJECT
    assert parse_label_url(f" HTTPS://Maker.Example:8443/d/{SUBJECT}/?from=scan ") == SUBJECT


@pytest.mark.parametrize("domain", ["", "Maker.example", "maker..example", "-a.example", "a/b", "завод.рф", "a" * 254])
def test_label_url_of_what_is_no_domain_is_refused(domain: str) -> None:
    """A label is printed with a domain in lower-case ASCII only."""
    with pytest.raises(DeviceIdError):
        format_label_url(domain, SUBJECT)


@pytest.mark.parametrize("text", ["", "https://maker.example/x/1", "ftp://a/d/b", f"https://u@a/d/{SUBJECT}"])
def test_text_that_is_no_label_is_refused(text: str) -> None:
    """Another link is not the link of a label."""
    with pytest.raises(MistypedIdError):
        parse_label_url(text)


def test_search_box_tells_an_id_with_a_slip_from_a_serial() -> None:
    """A text that was meant as a device id is known as one in spite of a slip; serials and marks are not."""
    whole = str(SUBJECT)

    assert looks_like_device_id(whole.lower())
    assert looks_like_device_id("EPP2" + whole[4:])
    assert looks_like_device_id(whole[:-1])
    assert not any(map(looks_like_device_id, ("0012345", "СГВ-15 № 0012345", "02C0DE0025000017", "")))
