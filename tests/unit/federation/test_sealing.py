"""Sealed sections: one node opens them, and only what the header committed to."""

from dataclasses import replace

import pytest

from federation import codec
from federation.errors import SealError
from federation.fragment import Header, Section, check_sections, decode_header, section_content
from federation.keys import key_id, seal
from federation.sealing import decode_sealed, open_section, seal_section
from tests.builders import box_key, fragment, id16, section

MADE = fragment(0, section("keys", b"0123456789abcdef", 5), section("note", b"abc", 2))
KEYS, NOTE = MADE.sections
BOX = box_key("receiver")


def header() -> Header:
    return decode_header(MADE.header, id16("log"), 0)


def test_sealed_section_opens() -> None:
    """What was sealed to a node comes out as it went in, and passes as a section of the fragment."""
    sealed = seal_section(BOX.public, KEYS)

    assert sealed.salt is None
    check_sections(replace(MADE, sections=(sealed,)), header())
    opened = open_section(BOX, header(), sealed)
    assert opened == KEYS
    assert section_content(header().sections[0], opened.data) == b"0123456789abcdef"


def test_sealed_section_names_its_box_key() -> None:
    """A carrier sees to whom a section is sealed, and nothing of it."""
    sealed = seal_section(BOX.public, NOTE)
    assert decode_sealed(sealed.data).box_key_id == BOX.id
    assert b"abc" not in sealed.data


def test_sealing_the_same_twice() -> None:
    """Two sealings of one section have nothing in common but the key id."""
    assert seal_section(BOX.public, KEYS).data != seal_section(BOX.public, KEYS).data


def test_section_sealed_to_another() -> None:
    """A section for another node is refused by its key id, before any opening."""
    with pytest.raises(SealError, match="sealed to another key"):
        open_section(box_key("x"), header(), seal_section(BOX.public, KEYS))


def test_section_sealed_twice() -> None:
    """A sealed section is not sealed again."""
    with pytest.raises(SealError, match="sealed already"):
        seal_section(BOX.public, seal_section(BOX.public, KEYS))


@pytest.mark.parametrize("content", [b"", b"short", bytes(16), bytes(80), id16("salt/keys") + b"0123456789abcdef"])
def test_sealed_content_off_its_commitment(content: bytes) -> None:
    """What the header did not commit to is refused when it is opened."""
    data = codec.pack([1, key_id(BOX.public), seal(BOX.public, content)])
    with pytest.raises(SealError, match="not under its commitment"):
        open_section(BOX, header(), Section("keys", None, data))


def test_sealed_section_under_another_name() -> None:
    """A sealed section does not open as another one, nor as one that the header lacks."""
    sealed = seal_section(BOX.public, NOTE)
    for name in ("keys", "other"):
        with pytest.raises(SealError):
            open_section(BOX, header(), replace(sealed, name=name))


@pytest.mark.parametrize(
    "data", [b"", b"\x90", codec.pack([2, id16("k"), b"x"]), codec.pack([1, b"k", b"x"]), codec.pack([1, BOX.id, b"x"])]
)
def test_sealed_envelope_that_is_none(data: bytes) -> None:
    """Whatever is wrong with sealed bytes, the error is this package's."""
    with pytest.raises(SealError):
        open_section(BOX, header(), Section("keys", None, data))
