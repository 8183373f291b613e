"""From the number on the wire to the value: modifiers, stages, labels, computed fields, guards and formulas."""

import pytest

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.expression import parse_formula
from drivers.payload.values import Number, Value
from tests.unit.drivers.payload.documents import dec, program, read, write


@pytest.mark.parametrize(
    ("field", "payload", "value"),
    [
        ("type: u16, div: 10", "0003", dec("0.3")),
        ("type: u16, mult: 0.1", "0003", dec("0.3")),
        ("type: s16, add: -40, div: 10", "0500", dec("88")),  # mult, div, add, however they are written
        ("type: u16, transform: [{add: -400}, {div: 10}]", "0500", dec("88")),
        ("type: u8, mult: 2", "ff", 510),
        ("type: u16, div: 1000, transform: [{op: round, decimals: 2}]", "0933", dec("2.35")),
        ("type: u32, div: 1000, transform: [{op: round, decimals: 2}]", "0001312d", dec("78.12")),
        ("type: u32, div: 1000, transform: [{op: round, decimals: 2, ties: away}]", "0001312d", dec("78.13")),
        ("type: u8, div: 10, transform: [{op: round}]", "19", 2),
        ("type: u8, transform: [{floor: 10}]", "05", 10),
        ("type: u8, transform: [{ceiling: 10}]", "ff", 10),
        ("type: u8, transform: [{clamp: [0, 100]}]", "ff", 100),
        ("type: u8, encoding: gray, mult: 2", "0f", 20),
        ("type: u16, match_value: [{when: '< 32768'}, {when: '>= 32768', add: -65536}]", "ffff", -1),
    ],
)
def test_number_is_scaled_exactly_and_back(field: str, payload: str, value: Value) -> None:
    """Tenths are tenths, ties are those of the double, and the bytes come back where nothing was lost."""
    document = f"- {{name: v, {field}}}"

    assert read(document, payload) == {"v": value}
    if not any(word in field for word in ("round", "floor", "ceiling", "clamp", "match_value")):
        assert write(document, {"v": value}) == payload


@pytest.mark.parametrize(
    ("stage", "value"),
    [
        ("sqrt: true", dec("20")),
        ("abs: true", 400),
        ("pow: 2", 160000),
        ("log: true", dec("5.991465")),
        ("log10: true", dec("2.60206")),
    ],
)
def test_stage_without_inverse_reads_and_does_not_write(stage: str, value: Number) -> None:
    """Roots, powers and logarithms are read; nobody guesses what was on the wire."""
    field = f"- {{name: v, type: u16, transform: [{{{stage}}}, {{op: round, decimals: 6}}]}}"

    assert read(field, "0190") == {"v": value}
    with pytest.raises(EncodeError, match=r"v: .* cannot be traced back"):
        write(field, {"v": 20})


@pytest.mark.parametrize(
    "field",
    [
        "type: u8, transform: [{div: 0}]",
        "type: u8, transform: [{add: -7}, {log: true}]",
        "type: u8, transform: [{add: -7}, {log10: true}]",
        "type: u8, transform: [{add: -7}, {pow: -1}]",
        "type: u8, lookup: {1: one}",
        "type: enum, values: {1: one}",
        "type: u8, sentinel: [7]",
        "type: u8, valid_range: [8, 9], out_of_range: omit",
        "type: u8, transform: [{mult: 1e50}, {pow: 16}]",
        "type: u8, formula: '1 / (x - 7)'",
    ],
)
def test_value_that_is_none_is_left_out(field: str) -> None:
    """A zero divisor, a logarithm of nothing, an unlisted label, a reserved number: the field is absent."""
    assert read(f"- {{name: v, {field}}}\n- {{name: w, type: u8}}", "0709") == {"w": 9}


def test_root_of_less_than_zero_is_zero() -> None:
    """Its input is clamped (PS-116)."""
    assert read("- {name: v, type: u8, transform: [{mult: -1}, {sqrt: true}]}", "04") == {"v": 0}


def test_lookup_of_a_sequence_has_an_end_and_a_mapping_a_default() -> None:
    """An index past the labels is a broken payload; a default may name the number it stands for."""
    named = "- {name: v, type: u8, div: 2, lookup: {1: one, default: 'half${value}'}}"

    assert read(named, "02") == {"v": "one"}
    assert read(named, "05") == {"v": "half2.5"}
    assert write(named, {"v": "half2.5"}) == "05"
    assert read("- {name: v, type: u8, lookup: [true, false]}", "01") == {"v": False}
    assert write("- {name: v, type: u8, lookup: [true, false]}", {"v": False}) == "01"
    with pytest.raises(FrameError, match="2 is no index of 2 labels"):
        read("- {name: v, type: u8, lookup: [a, b]}", "02")
    with pytest.raises(EncodeError, match="v: 'other' is none of the labels"):
        write("- {name: v, type: u8, lookup: {1: one, default: other}}", {"v": "other"})


def test_sentinel_is_written_where_nothing_is_given() -> None:
    """The raw number that means no reading stands for its absence."""
    field = "- {name: v, type: s16, div: 10, sentinel: [-32768]}"

    assert read(field, "8000") == {}
    assert write(field, {}) == "8000"
    assert write(field, {"v": dec("23.1")}) == "00e7"


def test_value_outside_its_range_is_told_and_kept() -> None:
    """It is compared before its label, and named among what is outside."""
    payload = program("- {name: v, type: u8, valid_range: [0, 100]}").decode(1, b"\xc8")

    assert payload.values == {"v": 200}
    assert payload.outside == {"v"}
    assert payload.warnings == ("v: value 200 outside valid range [0, 100]",)


COMPUTED = """
- {{name: a, type: s16}}
- {{name: v, type: number, compute: {{op: {op}, a: $a, b: {b}}}}}
"""


@pytest.mark.parametrize(
    ("op", "a", "b", "value"),
    [
        ("add", 7, 3, 10),
        ("sub", 7, 3, 4),
        ("mul", -7, 3, -21),
        ("div", 7, 2, dec("3.5")),
        ("idiv", -7, 3, -3),
        ("mod", -7, 3, 2),
        ("idiv", 7, -3, -3),
        ("mod", 7, -3, -2),
        ("mod", -7, -3, -1),
    ],
)
def test_operation_is_floored_for_every_sign(op: str, a: int, b: int, value: Number) -> None:
    """a is idiv times b plus mod, whatever the signs (CR-2026-007)."""
    assert read(COMPUTED.format(op=op, b=b), f"{a & 0xFFFF:04x}") == {"a": a, "v": value}


@pytest.mark.parametrize("op", ["div", "idiv", "mod"])
def test_operation_by_zero_has_no_value(op: str) -> None:
    """The field is left out, the payload is read."""
    assert read(COMPUTED.format(op=op, b=0), "0007") == {"a": 7}


def test_computed_field_takes_its_source_through_every_step() -> None:
    """Polynomial, modifiers, transform, then the label; an internal field may be the source."""
    fields = """
- {name: _raw, type: u8}
- {name: p, type: number, ref: $_raw, polynomial: [1, 2, 3], add: -1}
- {name: s, type: integer, ref: $_raw, lookup: [a, b, c]}
- {name: f, type: number, formula: "($_raw - 1) / 4"}
"""
    assert read(fields, "02") == {"p": 10, "s": "c", "f": dec("0.25")}


@pytest.mark.parametrize(("payload", "expected"), [("01", {"v": 11, "w": "a"}), ("00", {"v": -1, "w": 7})])
def test_guard_that_fails_gives_its_else_as_declared(payload: str, expected: dict[str, Value]) -> None:
    """The other value goes through no modifier and no lookup (PS-444); without one the field is absent."""
    fields = """
- {name: g, type: u8}
- name: v
  type: number
  compute: {op: add, a: $g, b: 0}
  guard: {when: [{field: $g, gt: 0}], else: -1}
  mult: 10
  transform: [{add: 1}]
- name: w
  type: number
  ref: $g
  guard: {when: [{field: $g, gte: 1, lte: 3}], else: 7}
  add: -1
  lookup: [a, b, c]
- name: none
  type: number
  ref: $g
  guard: {when: [{field: $g, gt: 100}]}
"""
    assert read(fields, payload) == {"g": int(payload), **expected}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("x * 2 + 1", 15),
        ("-x ** 2", -49),
        ("($a - 4000) / 100", dec("10")),
        ("x > 5 ? max(x, 9) : 0", 9),
        ("x == 7 && !($a < 1)".replace("!", "1 - "), 1),
        ("x % 4 + 0x10", 19),
        ("round(2.5) + floor(2.7) + ceil(2.1) + abs(-1) + sqrt(16) + pow(2, 3)", 20),
        ("min(1.5, x) || 0", 1),
        ("log10(1000)", 3),
        ("$nothing + 1", None),
        ("1 / 0", None),
        ("log(0)", None),
        ("10 ** 10 ** 10", None),
    ],
)
def test_formula_is_what_it_says(formula: str, value: Number | None) -> None:
    """Operators bind as in C; what has no value has none, and costs nothing."""
    evaluate, _ = parse_formula(formula)

    assert evaluate({"a": 5000}, 7) == value


@pytest.mark.parametrize(
    "formula",
    [
        *("", "x +", "x y", "(x", "__import__('os')", "x.y", "$", "exec(x)", "sqrt()", "min(1)", "x = 1", "1e999"),
        *("(" * 30, "-" * 30 + "x", "x" * 600, "9" * 50),
    ],
)
def test_formula_that_is_none_is_refused(formula: str) -> None:
    """Names, calls and depth beyond the few that there are."""
    with pytest.raises(DocumentError):
        parse_formula(formula)


def test_formula_is_written_back_by_its_inverse_alone() -> None:
    """Nobody solves a formula for x."""
    field = "- {name: v, type: u8, formula: 'x * 2 + 1'}"

    assert read(field, "07") == {"v": 15}
    assert write(field.replace("}", ", encode_formula: '(x - 1) / 2'}"), {"v": 15}) == "07"
    with pytest.raises(EncodeError, match="through a formula"):
        write(field, {"v": 15})


def test_running_product_stays_bounded() -> None:
    """A value carried from element to element cannot grow without end: past its range it has no value."""
    fields = """
- name: r
  type: repeat
  count: 200
  fields:
  - {name: n, type: number, carry: 99999, compute: {op: mul, a: $n, b: $n}}
"""
    elements = read(fields, "")["r"]

    assert isinstance(elements, list)
    assert elements[0] == {"n": 99999**2}
    assert {} in elements or len(str(elements[-1])) < 500
