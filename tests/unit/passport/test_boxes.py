"""Codes of boxes as they are typed and scanned, and lists of devices parted into boxes."""

import pytest

from node.passport.boxes import BoxCode, format_slip, is_box, read_slip, split_listed
from node.passport.errors import BoxCodeError, MistypedIdError
from node.passport.identifiers import Identifier, read_identifiers
from node.passport.ids import SubjectId, format_device_id, format_label_url, parse_label_url
from node.passport.lines import Lines

CODE = BoxCode(bytes(range(16)))
DEVICE = SubjectId(bytes(range(16, 32)))


@pytest.mark.parametrize("before", ["", "  ", "\n"])
def test_what_was_scanned_names_a_device_and_tells_the_code(before: str) -> None:
    """The link on the sheet is that of a label as well, so that any reader finds the device by it."""
    link = format_label_url("meters.example", DEVICE)

    scanned = format_slip(link, CODE)
    slip = read_slip(before + scanned)

    assert (slip.code, slip.device) == (CODE, link)
    assert parse_label_url(scanned) == DEVICE
    assert read_slip(format_slip(str(DEVICE), CODE)).device == format_device_id(DEVICE)


def test_code_is_read_as_people_write_it() -> None:
    """Small letters, groups, letters for digits and a keyboard left in Russian; the device that is typed counts."""
    typed = CODE.text.lower().replace("-", " ").replace("0", "o")

    assert read_slip(typed, " СГВ-15 № 1 ").code == CODE
    assert read_slip(CODE.text.replace("B", "В").replace("K", "К"), "1").code == CODE
    assert read_slip(format_slip("EPP1", CODE), "0012345").device == "0012345"
    assert is_box(CODE.number)
    assert CODE.text not in repr(CODE)


def test_code_behind_what_is_looked_for_is_left_out() -> None:
    """The sheet's scan finds the device as a label does; a code alone names none, slips of the pen included."""
    for named in (format_label_url("meters.example", DEVICE), str(DEVICE)):
        assert read_identifiers(format_slip(named, CODE), Lines()) == (Identifier("id", DEVICE.hex),)
    assert read_slip(CODE.text, format_slip("0012345", CODE)).device == "0012345"
    assert read_identifiers("BOX12345", Lines()) == (Identifier("number", "BOX12345"),)
    for typed in (CODE.text, CODE.text.lower().replace("-", " "), "#" + CODE.text[:-1], CODE.text.replace("B", "В")):
        with pytest.raises(BoxCodeError):
            read_identifiers(typed, Lines())


@pytest.mark.parametrize("typed", ["", "BOX1-", CODE.text[:-1], CODE.text[:-1] + "Z", format_device_id(DEVICE)])
def test_mistyped_code_is_told_as_such(typed: str) -> None:
    """Anything that the check characters do not agree with is refused at once."""
    with pytest.raises(MistypedIdError):
        read_slip(typed, "1")


@pytest.mark.parametrize(
    ("lines", "size", "boxes"),
    [
        (["1", "2", "3"], None, [["1", "2", "3"]]),
        (["1", " ", "2", "3"], 2, [["1", "2"], ["3"]]),
        (["1\tа", "2;б", "3\tа"], 2, [["1", "3"], ["2"]]),
        ([], None, []),
        (["1\tа", "2"], None, None),
        (["1\t", "2\tб"], None, None),
    ],
)
def test_devices_are_parted_by_a_column_or_by_number(
    lines: list[str], size: int | None, boxes: list[list[str]] | None
) -> None:
    """A second column names the box of each; where some lines lack it, nothing is guessed."""
    assert split_listed(lines, size) == boxes
