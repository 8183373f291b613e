"""Serial lines: which line a plate belongs to, and what is wrong with a serial."""

import json
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from node.passport.claims import Scheme
from node.passport.errors import BodyError
from node.passport.ids import SubjectId
from node.passport.lines import LineKey, Lines, Reason, SerialLine, Unresolved
from node.passport.plate import DIGITS, LATIN_LETTERS, LETTERS, Nameplate
from node.passport.serials import SerialPattern, check_serial

LOG, RANDOMNESS = b"\xa1" * 16, b"\x01" * 16
AB_01, ANY = f"{LATIN_LETTERS}01-", DIGITS + LETTERS


def a_line(number: int = 1, **changes: Any) -> SerialLine:
    section = {
        "line": f"{number:032x}",
        "publisher": "0b" * 16,
        "marks": ["АКВАМЕР"],
        "designations": ["СГВ-15", "СГВ 15"],
        "legal_makers": ["ООО «Аквамер»"],
        "approvals": ["99010-19", "99010-24"],
        "serial": {"pattern": "digits", "width": 7},
        **changes,
    }
    return SerialLine.from_bytes(json.dumps(section, ensure_ascii=False).encode())


def a_plate(designation: str = "СГВ-15", serial: str = "0012345", **fields: Any) -> Nameplate:
    return Nameplate(designation, serial, **fields)


def reason(answer: object) -> Reason:
    assert isinstance(answer, Unresolved)
    return answer.reason


@pytest.mark.parametrize(
    ("pattern", "characters", "width"),
    [
        ({"pattern": "digits", "width": 8}, DIGITS, 8),
        ({"pattern": "digits", "width": 0}, DIGITS, 0),
        ({"pattern": "digits-digits", "width": 7}, DIGITS, 7),
        ({"pattern": "letter+digits", "width": 6}, DIGITS + LETTERS, 7),
        ({"pattern": "parts", "parts": [{"set": "latin", "count": 2}, {"characters": "01-", "count": 6}]}, AB_01, 8),
        ({"pattern": "parts", "parts": [{"set": "digits", "count": 1}, {"set": "letters", "count": 2}]}, ANY, 3),
        ({"pattern": "parts", "parts": [{"set": "any", "count": 4}]}, ANY, 4),
    ],
)
def test_pattern_says_set_and_width(pattern: dict[str, Any], characters: str, width: int) -> None:
    """A pattern stands for the characters and the width over which the vectors of serials are computed."""
    found = SerialPattern.from_bytes(json.dumps(pattern).encode())

    assert (found.characters, found.total) == (frozenset(characters), width)


@pytest.mark.parametrize(
    "pattern",
    [
        {"pattern": "^[0-9]+$", "width": 7},
        {"pattern": "digits", "width": 65},
        {"pattern": "digits", "width": -1},
        {"pattern": "letter+digits", "width": 0},
        {"pattern": "parts"},
        {"pattern": "digits", "width": 3, "parts": [{"set": "digits", "count": 3}]},
        {"pattern": "parts", "width": 3, "parts": [{"set": "digits", "count": 3}]},
        {"pattern": "parts", "parts": [{"set": "letters", "count": 3}]},
        {"pattern": "parts", "parts": [{"count": 3}]},
        {"pattern": "parts", "parts": [{"characters": "0№", "count": 3}]},
        {"pattern": "parts", "parts": [{"set": "digits", "count": 33}] * 2},
    ],
)
def test_serial_pattern_outside_the_language_is_refused(pattern: dict[str, Any]) -> None:
    """A pattern is one of a closed list; a stranger's regular expression is none of them."""
    with pytest.raises(BodyError):
        a_line(serial=pattern)


def test_line_survives_its_section() -> None:
    """A record written as a section and read again is the same record."""
    line = a_line(wire_codes=["AQM"], dev_eui_prefixes=["02c0de00"], restarts_yearly=True)

    assert SerialLine.from_bytes(line.to_bytes()) == line


@pytest.mark.parametrize(
    "change",
    [{"line": "line:0001"}, {"designations": []}, {"publisher": None}, {"dev_eui_prefixes": ["02C0"]}, {"marks": [7]}],
)
def test_line_that_breaks_its_shape_is_refused(change: dict[str, Any]) -> None:
    """A section that is no line is refused with the package's error."""
    with pytest.raises(BodyError):
        a_line(**change)


def test_plates_typed_in_two_alphabets_are_one_key() -> None:
    """«СГВ-15 № 0012345» and, in Latin and Cyrillic, «CГB 15 0012345» resolve to one (line, serial, year)."""
    lines = Lines([a_line()])
    first, second = lines.read_typed("СГВ-15 № 0012345"), lines.read_typed("CГB 15 0012345")
    assert first is not None
    assert second is not None

    keys = {lines.key(first), lines.key(second)}

    assert keys == {LineKey(a_line().id, "0012345", "")}


def test_typed_text_without_its_line_is_split_alike() -> None:
    """A node that does not have the line yet splits the two texts in the same place."""
    lines = Lines()

    first, second = lines.read_typed("СГВ-15 № 0012345"), lines.read_typed("CГB 15 0012345")

    assert first is not None
    assert second is not None
    assert (first.serial, second.serial) == ("0012345", "0012345")
    assert lines.read_typed("0012345") is None


def test_identity_binds_when_the_line_arrives() -> None:
    """Two plates with approval claims of two renewals become one key once their line is published."""
    left, right = a_plate(approvals=("99010-19",)), a_plate("CГB 15", approvals=("99010-24",), serial="12345")
    before = [Lines().claim_for(plate, log=LOG, randomness=RANDOMNESS) for plate in (left, right)]
    lines = Lines([a_line()])

    keys = [lines.key(plate) for plate in (left, right)]

    assert before[0].subject != before[1].subject
    assert [claim.scheme for claim in before] == [Scheme.APPROVAL] * 2
    assert keys[0] == keys[1]


def test_claim_is_the_strongest_that_the_plate_allows() -> None:
    """A plate gets a claim of its line, else of a scanned code, else of an approval, else a local one."""
    code = ("(01)04607812345679(21)SN-1",)
    lines = Lines([a_line()])

    def scheme(plate: Nameplate) -> Scheme:
        return lines.claim_for(plate, log=LOG, randomness=RANDOMNESS).scheme

    assert scheme(a_plate(codes=code, approvals=("99010-19",))) is Scheme.LINE
    assert scheme(a_plate("МКС", codes=code, approvals=("99010-19",))) is Scheme.GS1
    assert scheme(a_plate("МКС", approvals=("MID 0102", "99010-19"))) is Scheme.APPROVAL
    assert scheme(a_plate("МКС", approvals=("MID 0102",))) is Scheme.LOCAL
    assert scheme(a_plate("МКС", serial="12²", approvals=("99010-19",))) is Scheme.LOCAL


def test_mark_legal_maker_and_holder_all_name_the_line() -> None:
    """What is read as the mark may be the mark, the legal maker or a sponsor's mark, and nobody else's."""
    lines = Lines([a_line(holders=["Пульсар"])])

    for mark in ("аквамер", 'ООО "АКВАМЕР"', "ПУЛЬСАР", None):
        assert isinstance(lines.key(a_plate(mark=mark)), LineKey)
    assert reason(lines.resolve(a_plate(mark="НЕВАМЕР"))) is Reason.CONTRADICTED


@pytest.mark.parametrize("mark", ["АО «Аквамер»", "OOO Аквамер", "Аквамер ЗАО", "Акционерное общество «Аквамер»"])
def test_legal_form_beside_a_mark_tells_no_line_apart(mark: str) -> None:
    """A mark is the line's under another legal form, unless another line spells it just so."""
    one, other = a_line(), a_line(2, legal_makers=["АО «Аквамер»"], marks=["АКВАМЕР-2"])

    assert Lines([one]).resolve(a_plate(mark=mark)) == one
    assert Lines([one, other]).resolve(a_plate(mark="АО «Аквамер»")) == other
    assert reason(Lines([one]).resolve(a_plate(mark=f"{mark} 2"))) is Reason.CONTRADICTED


def test_approval_of_another_register_contradicts_nothing() -> None:
    """A certificate beside a line of ГРСИ numbers says nothing of it; a number without its suffix is that number."""
    lines = Lines([a_line()])

    for approvals in (("RU.C.29.006.A",), ("DE-07-MI001",), ("99010",), ("99011-19", "99010-19")):
        assert isinstance(lines.key(a_plate(approvals=approvals)), LineKey)
    assert reason(lines.resolve(a_plate(approvals=("99011",)))) is Reason.CONTRADICTED


def test_designation_is_cut_anywhere_where_its_line_prints_it_whole() -> None:
    """A line that prints a designation without separators too is found by any other cut that names its maker."""
    cut, whole = a_line(designations=["СГВ 15-3"]), a_line(designations=["СГВ 15-3", "СГВ153"])

    assert Lines([whole]).resolve(a_plate("СГВ-153", mark="АКВАМЕР")) == whole
    assert Lines([whole]).resolve(a_plate("СГ В15/3", approvals=("99010-19",))) == whole
    assert reason(Lines([whole]).resolve(a_plate("СГВ-153"))) is Reason.UNKNOWN
    assert reason(Lines([whole]).resolve(a_plate("СГВ-153", mark="НЕВАМЕР"))) is Reason.UNKNOWN
    assert reason(Lines([cut]).resolve(a_plate("СГВ-153", mark="АКВАМЕР"))) is Reason.UNKNOWN


@pytest.mark.parametrize("designation", ["СГВ-15 (Аквамер)", "АКВАМЕР СГВ-15", "Счётчик воды [ХВС] СГВ 15"])
def test_designation_is_found_beside_the_mark(designation: str) -> None:
    """What stands beside a designation, in brackets too, does not hide it."""
    assert isinstance(Lines([a_line()]).key(a_plate(designation)), LineKey)


@pytest.mark.parametrize(
    ("width", "serial", "key"),
    [
        (7, "12О4567", None),
        (7, "З234567", None),
        (7, "1234567A", "1234567"),
        (7, "B1234567", "1234567"),
        (7, "ХВС 12345", "0012345"),
        (0, "12О45", None),
        (0, "Г12345", "12345"),
    ],
)
def test_letter_that_may_be_a_digit_is_not_dropped(width: int, serial: str, key: str | None) -> None:
    """О for 0 in a serial of digits makes no key of the number without it, which is another device's."""
    found = Lines([a_line(serial={"pattern": "digits", "width": width})]).key(a_plate(serial=serial))

    assert (found.serial if isinstance(found, LineKey) else None) == key


def test_approval_of_another_line_contradicts() -> None:
    """A line that names its approvals is not the line of a plate with another one; the year suffix does not count."""
    lines = Lines([a_line()])

    assert isinstance(lines.key(a_plate(approvals=("99010-30",))), LineKey)
    assert reason(lines.resolve(a_plate(approvals=("99011-19",)))) is Reason.CONTRADICTED


def test_designation_of_two_lines_is_ambiguous_until_something_tells() -> None:
    """One designation of two makers resolves by mark, by approval, by serial or by year, and else not at all."""
    old = a_line(1, marks=[{"name": "АКВАМЕР", "until": "2015-01-01"}], approvals=["99010-19"])
    new = a_line(2, marks=[{"name": "НЕВАМЕР", "since": "2015-01-01"}], approvals=["99020-19"], legal_makers=[])
    lines = Lines([old, new])

    assert reason(lines.resolve(a_plate())) is Reason.AMBIGUOUS
    assert lines.resolve(a_plate(mark="НЕВАМЕР")) == new
    assert lines.resolve(a_plate(approvals=("99010-19",))) == old
    assert lines.resolve(a_plate(year="2012")) == old
    assert lines.resolve(a_plate(), date(2020, 5, 4)) == new
    wide = a_line(2, serial={"pattern": "digits", "width": 8})
    assert Lines([old, wide]).resolve(a_plate(serial="12345678")) == wide


def test_line_that_restarts_needs_the_year() -> None:
    """Of a line that restarts its serials each year, two years are two devices and no year is none."""
    lines = Lines([a_line(restarts_yearly=True)])

    keys = {lines.key(a_plate(year="2019")), lines.key(a_plate(year="2020")), lines.key(a_plate(), date(2020, 1, 2))}

    assert len(keys) == 2
    assert reason(lines.key(a_plate())) is Reason.NO_YEAR


def test_year_does_not_count_where_the_line_does_not_restart() -> None:
    """A misread year does not split a device of a line whose serials never repeat."""
    lines = Lines([a_line()])

    assert lines.key(a_plate(year="2019")) == lines.key(a_plate(year="2020")) == lines.key(a_plate())


def test_serial_that_is_too_long_resolves_to_no_key() -> None:
    """A serial that the line cannot have is no serial of this line."""
    assert reason(Lines([a_line()]).key(a_plate(serial="12345678"))) is Reason.SERIAL


def test_wire_code_stands_in_for_a_designation() -> None:
    """A device read over the wire is resolved by its line's wire code."""
    lines = Lines([a_line(wire_codes=["AQM"])])

    assert isinstance(lines.key(a_plate("", codes=("wire:AQM",))), LineKey)
    assert reason(lines.key(a_plate("", codes=("wire:QQQ",)))) is Reason.UNKNOWN


def test_dev_eui_prefix_leads_to_its_lines() -> None:
    """A DevEUI names the lines whose radio modules begin so."""
    lines = Lines([a_line(1, dev_eui_prefixes=["02c0de00"]), a_line(2, dev_eui_prefixes=["02c0de11"])])

    assert [line.id for line in lines.find_by_dev_eui("02c0de0025000017")] == [a_line(1).id]
    assert lines.find_by_dev_eui("70b3d50000000001") == ()


def test_lines_in_any_order_give_one_answer() -> None:
    """The index does not depend on the order in which lines arrived, even with two records of one id."""
    records = [a_line(1), a_line(1, marks=["ДРУГОЙ"]), a_line(2, designations=["МКС"])]
    plates = [a_plate(), a_plate(mark="АКВАМЕР"), a_plate("МКС")]

    answers = {tuple(Lines(order).key(plate) for plate in plates) for order in permutations(records)}

    assert len(answers) == 1
    assert len(Lines(records)) == 2
    assert Lines(records).find(SubjectId(b"\xff" * 16)) is None


@pytest.mark.parametrize(
    ("pattern", "serial", "rule", "suggestion"),
    [
        ({"pattern": "digits", "width": 8}, "1234567", "serial.lost_zero", "01234567"),
        ({"pattern": "digits-digits", "width": 7}, "2-95118", "serial.lost_zero", "0295118"),
        ({"pattern": "digits", "width": 8}, "123456789", "serial.length", None),
        ({"pattern": "letter+digits", "width": 6}, "Г12345", "serial.length", None),
        ({"pattern": "letter+digits", "width": 6}, "123456Г", "serial.shape", None),
        ({"pattern": "digits", "width": 8}, "1234567A", "serial.characters", None),
        ({"pattern": "digits", "width": 8}, "12²", "serial.characters", None),
        ({"pattern": "digits", "width": 0}, "-", "serial.characters", None),
    ],
)
def test_check_serial_names_the_rule(pattern: dict[str, Any], serial: str, rule: str, suggestion: str | None) -> None:
    """A serial that its maker did not write whole is found by its line's pattern, with the rule and what to do."""
    finding = check_serial(SerialPattern.from_bytes(json.dumps(pattern).encode()), serial)

    assert finding is not None
    assert (finding.rule, finding.suggestion) == (rule, suggestion)
    assert finding.ru
    assert finding.en


@pytest.mark.parametrize(
    ("pattern", "serial"),
    [
        ({"pattern": "digits", "width": 8}, "01234567"),
        ({"pattern": "digits", "width": 8}, "0123-4567"),
        ({"pattern": "digits", "width": 0}, "7"),
        ({"pattern": "letter+digits", "width": 6}, "В123456"),
        ({"pattern": "digits-digits", "width": 7}, "72 95118"),
    ],
)
def test_check_serial_of_a_whole_one_finds_nothing(pattern: dict[str, Any], serial: str) -> None:
    """A serial as the line prints it, in either alphabet and with its separators, is in order."""
    assert check_serial(SerialPattern.from_bytes(json.dumps(pattern).encode()), serial) is None
