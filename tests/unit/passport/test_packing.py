"""Packing lists: what is signed reads back, in whatever shape it is, and a large one goes as several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.fragment import MAX_SECTION, pad
from node.passport.packing import Packed, packed_of, read_list, with_lists
from node.passport.shipments import MOST_IN_PART, NewPart

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
lines = st.builds(Packed, texts, texts, texts)


def part(count: int) -> NewPart:
    """A part of so many devices."""
    return NewPart(tuple(n.to_bytes(16, "big") for n in range(count)), (), has_keys=True)


@given(st.lists(lines, min_size=1, max_size=20))
def test_list_reads_back_in_the_order_of_the_devices(given: list[Packed]) -> None:
    """Whatever is printed on the devices, and whatever their boxes are called."""
    whole = part(len(given))

    ((signed, raw),) = with_lists([whole], dict(zip(whole.devices, given, strict=True)))

    assert signed == whole
    assert list(read_list(raw, whole.devices).values()) == given


def test_full_part_of_usual_meters_is_one_small_section() -> None:
    """4,096 of three types in boxes of 24 take no more than 32 bytes each, padding included."""
    whole = part(MOST_IN_PART)
    listed = {d: Packed(f"СГВ-{n % 3}", f"{n:08d}", f"К-{n // 24}") for n, d in enumerate(whole.devices)}

    ((_, raw),) = with_lists([whole], listed)

    assert len(pad(raw)) == 32 * MOST_IN_PART
    assert read_list(raw, whole.devices) == listed


def test_list_that_is_larger_than_a_section_goes_as_several_parts() -> None:
    """Long serials: every device stands in one part with its line, and each part can be signed."""
    whole = part(2000)
    listed = {d: Packed("СГВ-15", f"{n:08d}" + "Щ" * 300) for n, d in enumerate(whole.devices)}

    parts = list(with_lists([whole], listed))

    assert len(parts) > 1
    assert all(len(pad(raw)) <= MAX_SECTION for _, raw in parts)
    assert tuple(device for one, _ in parts for device in one.devices) == whole.devices
    read = {device: line for one, raw in parts for device, line in read_list(raw, one.devices).items()}
    assert read == listed


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"\xff", []),
        (b'{"names":{"words":[]},"places":{"words":[]},"serials":[1,2]}', []),
        (b'{"names":{"words":["A"]},"places":{"words":[]},"serials":["1"]}', [Packed("A", "1")]),
        (b'{"names":{"at":[7,-1],"words":["A"]},"places":{"words":[]},"serials":["1","2","3"],"x":1}',
         [Packed("", "1"), Packed("", "2")]),
        (b'{"names":{"at":[0],"words":["A"]},"places":{"words":["K"]},"serials":["1","2"]}',
         [Packed("A", "1", "K"), Packed("", "2", "K")]),
    ],
)  # fmt: skip
def test_odd_list_says_what_can_be_read_of_it(raw: bytes, expected: list[Packed]) -> None:
    """It is shorter, longer, or points nowhere: nothing is raised, and no line goes to another device."""
    assert list(read_list(raw, part(2).devices).values()) == expected


@pytest.mark.parametrize(
    ("title", "name", "serial"),
    [("СГВ-15 № 0012", "СГВ-15", "0012"), ("№ 0012", "", "0012"), ("СГВ-15 №", "СГВ-15", ""), ("EPP1-4F2A", "", "")],
)
def test_line_is_what_the_passport_is_called(title: str, name: str, serial: str) -> None:
    """Also where its plate has only half of it; what no plate told is not printed on it."""
    line = packed_of(title)

    assert (line.name, line.serial) == (name, serial)
    assert not line.differs(title)


@pytest.mark.parametrize(
    ("title", "differs"),
    [("СГВ-15 № 0012", False), ("СГВ-15 № 0013", True), ("СГВ-20 № 0012", True), ("CГB-15 № 0012", False)],
)
def test_passport_of_another_device_is_told_from_another_spelling(title: str, *, differs: bool) -> None:
    """Letters that look alike are no difference, a digit is."""
    assert Packed("СГВ-15", "0012").differs(title) is differs
