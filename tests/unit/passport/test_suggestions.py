"""Suggestions: what a plate may be of where no line tells it."""

import pytest

from node.passport.lines import Lines
from node.passport.places import Places, compare_places
from node.passport.plate import Nameplate, fill_plate
from node.passport.suggestions import KnownDevice, Sighting, Sign, Slip, bare_serial, serials_near, suggest

HERE, THERE = "ул. Ленина, 5, кв. 12", "пр. Мира, 7, кв. 3"


def known(number: int, designation: str, serial: str, place: str = "", mark: str = "") -> KnownDevice:
    plate = fill_plate(designation, serial, mark=mark)
    return KnownDevice(number.to_bytes(16), (Sighting(plate, place),))


def asked(designation: str, serial: str, place: str = "", mark: str = "") -> Sighting:
    return Sighting(fill_plate(designation, serial, mark=mark), place)


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("0012345", "12345"),
        ("зав. № 12-345", "12345"),
        ("К0012", "K12"),
        ("000", "0"),
        ("", ""),
        ("???", ""),
    ],
)
def test_bare_serial_drops_separators_labels_and_leading_zeros(written: str, bare: str) -> None:
    """The form in which slips are looked up is one for all spellings of a serial."""
    assert bare_serial(written) == bare


@pytest.mark.parametrize(
    ("read", "slip"),
    [
        ("12345", Slip.NONE),
        ("0012345", Slip.NONE),
        ("З2345", Slip.DIGIT),
        ("1234S", Slip.LOOK_ALIKE),
        ("12354", Slip.SWAPPED),
        ("12845", Slip.DIGIT),
        ("1234", Slip.LENGTH),
        ("123455", Slip.LENGTH),
    ],
)
def test_serial_one_slip_away_is_among_those_near(read: str, slip: Slip) -> None:
    """Whatever one slip made of a serial, its neighbours hold the right one with the least slip that explains it."""
    assert serials_near(read).get(bare_serial("0012345")) == slip


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("l031897", "1031897"),
        ("Z033881", "2033881"),
        ("9001857", "0001857"),
        ("320712", "Л320712"),
        ("1234567/2019", "1234567"),
        ("ХВС 1234567", "1234567"),
        ("1234567 г/в", "1234567"),
        ("1234567А", "1234567"),
    ],
)
def test_serial_with_a_slip_at_its_ends_is_among_those_near(read: str, right: str) -> None:
    """A first character that was misread or left out, and what somebody wrote beside the number, are slips too."""
    assert bare_serial(right) in serials_near(read)


def test_serials_two_slips_away_are_not_near() -> None:
    """Two characters read wrongly are another serial."""
    assert "12345" not in serials_near("92845")


def test_long_serial_has_no_neighbours() -> None:
    """The work for a stranger's text is bounded."""
    assert serials_near("1" * 60) == {"1" * 60: Slip.NONE}


def test_device_of_the_same_place_and_type_stands_first() -> None:
    """Place and designation outweigh a slip in the serial."""
    right = known(1, "СГВ-15", "0012345", HERE)
    others = [known(2, "СГВ-15", "0012346", THERE), known(3, "ТВ-7", "12346", THERE), known(4, "СГВ-15", "777", HERE)]

    found = suggest(asked("CГB 15", "12346", HERE), [*others, right], Lines())

    assert found[0].subject == right.subject
    assert {Sign.PLACE, Sign.DESIGNATION} <= set(found[0].signs)
    assert found[0].slip is Slip.DIGIT


def test_stranger_of_another_type_is_not_suggested() -> None:
    """An equal serial alone says nothing: every maker numbers from one."""
    assert suggest(asked("СГВ-15", "12345"), [known(1, "ТВ-7", "12345")], Lines()) == []


def test_no_more_than_asked_are_suggested_in_a_fixed_order() -> None:
    """Equal weights stand by id, however they came."""
    devices = [known(number, "СГВ-15", "0012345", mark="Демо") for number in range(1, 6)]

    found = suggest(asked("СГВ-15", "12345", mark="Демо"), reversed(devices), Lines())

    assert [suggestion.subject for suggestion in found] == [device.subject for device in devices[:3]]


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        (HERE, "Ленина ул, д.5 кв 12", Places.SAME),
        (HERE, "г. Дёмино, улица Ленина, 5", Places.UNKNOWN),
        (HERE, THERE, Places.DIFFERENT),
        (HERE, "ул. Ленина, 5, кв. 13", Places.DIFFERENT),
        (HERE, "", Places.UNKNOWN),
        ("obj-1", "obj-2", Places.DIFFERENT),
        ("Ленина, 12а", "ул. Ленина, д. 12 А", Places.SAME),
        ("Ленина, 12a", "Ленина, 12-а", Places.SAME),
        ("Ленина, 5, корп. 2, кв. 03", "Ленина 5к2 - 3", Places.SAME),
        ("Ленина, 5, кв. 12", "Ленина, 12, кв. 5", Places.DIFFERENT),
        ("ул. Мира, 5", "пер. Мира, 5", Places.DIFFERENT),
        ("630000, Дёмино, Ленина, 5", "Ленина, 5", Places.UNKNOWN),
        ("котельная", "насосная", Places.DIFFERENT),
    ],
)
def test_addresses_are_compared_with_care(left: str, right: str, answer: Places) -> None:
    """Spellings of one address agree, other flats and other streets differ, less detail tells nothing."""
    assert compare_places(left, right) is answer
    assert compare_places(right, left) is answer


@pytest.mark.parametrize(
    ("year", "read"),
    [("2019", "2019"), ("г. 2019", "2019"), ("'19", "2019"), ("98 г.", "1998"), ("01.19", "2019"), ("?", None)],
)
def test_year_is_read_out_of_what_was_written(year: str, read: str | None) -> None:
    """A year is found in its text; what is none is left out."""
    assert fill_plate("СГВ-15", "1", year=year).year == read


@pytest.mark.parametrize(
    ("written", "serial"),
    [
        ("№№ 0012345", "0012345"),
        ("'0012345", "0012345"),
        ("SN 0012345", "0012345"),
        ("з/н 0012345", "0012345"),
        ("зав.ном. 0012345", "0012345"),
        ("No 0012345", "0012345"),
        ("0012345 (зав.)", "0012345"),
        ("SN0012345", "SN0012345"),
        ("NOVA-1", "NOVA-1"),
        ("12345.0", "12345"),
        ("12345,0", "12345"),
        ("12-3450", "12-3450"),
    ],
)
def test_label_words_of_a_serial_are_cut(written: str, serial: str) -> None:
    """What stands around a number to say that it is one is cut; letters that belong to it stay."""
    assert fill_plate("СГВ-15", written).serial == serial


@pytest.mark.parametrize(
    ("approval", "read"),
    [
        ("12345-18", ("12345-18",)),
        ("ГРСИ № 012345 – 18", ("12345-18",)),
        ("12345/18", ("12345-18",)),
        ("12345-2018", ("12345-18",)),
        ("MID DE-07-MI001", ("MID DE-07-MI001",)),
        ("", ()),
    ],
)
def test_approval_is_read_out_of_what_was_written(approval: str, read: tuple[str, ...]) -> None:
    """A ГРСИ number is found in its text; another kind of approval stays as it is."""
    assert fill_plate("СГВ-15", "№ 1", approval=approval) == Nameplate("СГВ-15", "1", None, None, read)
