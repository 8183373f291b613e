"""Plate text beside its vectors (tests/unit/test_vectors.py), and what a person types at a plate."""

import pytest

from node.passport.errors import PlateError
from node.passport.plate import DELETED, SEPARATORS, comparison_text, cut_label, plate_text, split_typed


def test_tables_hold_as_many_characters_as_the_rule_lists() -> None:
    """Eight characters are deleted and thirty-five separate, each once."""
    assert len(set(DELETED)) == len(DELETED) == 8
    assert len(set(SEPARATORS)) == len(SEPARATORS) == 5 + 2 + 11 + 3 + 1 + 6 + 7


def test_plate_text_keeps_different_designations_apart() -> None:
    """СВК 15-3 is not СВК 153, 12² is no 122, and NOVA-1 keeps its N."""
    assert plate_text("СВК 15-3") != plate_text("СВК 153")
    assert plate_text("NOVA-1") == "NOVA-1"
    with pytest.raises(PlateError, match="U\\+00B2"):
        plate_text("12²")


@pytest.mark.parametrize(
    ("left", "right"),
    [("ООО «НЕВАМЕР»", 'ооо "невамер"'), ("СГВ-15", "CГB 15"), ("ДУ 12²", "ду-12²"), ("Бетар®", "БЕТАР")],
)
def test_comparison_text_of_one_mark_in_two_hands(left: str, right: str) -> None:
    """Quotes, case, look-alikes and separators do not count when marks and designations are compared."""
    assert comparison_text(left) == comparison_text(right)


def test_comparison_text_of_any_length_is_a_text() -> None:
    """A mark that is longer than plate text, or empty, still compares."""
    assert comparison_text("я" * 300) == "Я" * 300
    assert comparison_text(" «» ") == ""


@pytest.mark.parametrize(
    ("typed", "serial"),
    [
        ("№ 0012345", "0012345"),
        ("зав. № 0012345", "0012345"),
        ("Зав.№0012345", "0012345"),
        ("заводской номер 7", "7"),
        ("S/N 08181590", "08181590"),
        ("Serial No. 5", "5"),
        ("N 6930801", "6930801"),
        ("N. 6930801", "6930801"),
    ],
)
def test_cut_label_before_a_serial(typed: str, serial: str) -> None:
    """The label word before a serial is cut when the plate is filled in."""
    assert cut_label(typed) == serial


@pytest.mark.parametrize("serial", ["NOVA-1", "N-1", "N1234567", "ЗАВ123", "SN12", "№", "0012345"])
def test_cut_label_keeps_what_is_part_of_the_serial(serial: str) -> None:
    """Letters that belong to the number are no label word, and a label alone is kept."""
    assert cut_label(serial) == serial


def test_split_typed_at_the_label_or_the_last_word() -> None:
    """One typed text gives a designation and a serial, with a label word and without."""
    assert split_typed("СГВ-15 № 0012345") == ("СГВ-15", "0012345")
    assert split_typed("CГB 15 0012345") == ("CГB 15", "0012345")
    assert split_typed("БВ-15Д-80 зав. №0012345") == ("БВ-15Д-80", "0012345")
    assert split_typed("0012345") is None
    assert split_typed("№ 0012345") is None
    assert split_typed("зав. № 0012345") is None
    assert split_typed("счётчик воды") is None
