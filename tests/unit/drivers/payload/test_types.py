"""Every type of the language: what it reads, and that it writes the same bytes."""

import pytest

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.schema import parse_schema
from drivers.payload.values import Value
from tests.unit.drivers.payload.documents import dec, read, write

LITTLE = "endian: little"


@pytest.mark.parametrize(
    ("kind", "payload", "value"),
    [
        ("u8", "ff", 255),
        ("u16", "0102", 258),
        ("u24", "010203", 66051),
        ("u32", "ffffffff", 4294967295),
        ("u64", "ffffffffffffffff", 18446744073709551615),
        ("s8", "80", -128),
        ("s16", "fff9", -7),
        ("s24", "fffffe", -2),
        ("s32", "80000000", -2147483648),
        ("s64", "fffffffffffffff6", -10),
        ("uint24", "010203", 66051),
        ("int16", "fff9", -7),
        ("i32", "ffffffff", -1),
        ("le_u16", "0102", 513),
        ("f16", "c100", dec("-2.5")),
        ("f32", "3fc00000", dec("1.5")),
        ("f64", "bff8000000000000", dec("-1.5")),
        ("u32le16", "56781234", 0x12345678),
        ("s32le16", "fffeffff", -2),
        ("f32le16", "00003fc0", dec("1.5")),
        ("u32be16le", "34127856", 0x12345678),
        ("s32be16le", "fffffeff", -2),
        ("f32be16le", "c03f0000", dec("1.5")),
        ("udec", "25", dec("2.5")),
        ("sdec", "e5", dec("-1.5")),
        ("uflt16", "f800", dec("0.5")),
        ("sflt16", "7fff", dec("0.99951171875")),
        ("sflt16", "ffff", dec("-0.99951171875")),
        ("sflt24", "3f0000", dec("1")),
        ("sflt24", "c00000", dec("-2")),
    ],
)
def test_number_is_read_and_written_by_its_type(kind: str, payload: str, value: Value) -> None:
    """Width, sign, byte order and form are the type's; a name of it has one meaning."""
    field = f"- {{name: v, type: {kind}}}"

    assert read(field, payload) == {"v": value}
    assert write(field, {"v": value}) == payload


@pytest.mark.parametrize(
    ("kind", "value"), [("u16", 513), ("s24", 0x030201), ("f32", dec("1.5")), ("uflt16", dec("0.5"))]
)
def test_byte_order_of_document_and_field_counts(kind: str, value: Value) -> None:
    """The document's order holds unless a field has its own."""
    field, own = f"- {{name: v, type: {kind}}}", f"- {{name: v, type: {kind}, endian: big}}"
    payload = write(field, {"v": value}, LITTLE)

    assert read(field, payload, LITTLE) == {"v": value}
    assert bytes.fromhex(write(own, {"v": value}, LITTLE)) == bytes.fromhex(payload)[::-1]


@pytest.mark.parametrize("payload", ["7f800000", "7fc00000", "ff800000"])
def test_float_that_is_no_number_is_left_out(payload: str) -> None:
    """Infinity and NaN are no values of a meter (PS-282)."""
    assert read("- {name: v, type: f32}\n- {name: w, type: u8}", f"{payload}07") == {"w": 7}
    assert read("- {name: v, type: sflt24}", "7f0000") == {}


def test_ranges_of_bits_share_a_byte_until_one_moves_on() -> None:
    """A range stays where it is, a signed one has the sign of its own width, consume moves on."""
    fields = """
- {name: low, type: "u8[0:3]"}
- {name: high, type: "s8[4:7]", consume: 1}
- {name: middle, type: "u16[4:11]", consume: 2}
- {name: rest, type: u8}
"""
    values = {"low": 5, "high": -1, "middle": 0x23, "rest": 7}

    assert read(fields, "f5023007") == values
    assert write(fields, {**values}) == "f5023007"
    assert read('- {name: v, type: "s16[12:15]", endian: little, consume: 2}', "34f2") == {"v": -1}


@pytest.mark.parametrize("kind", ["u8[4:2]", "u8[0:8]", "u8:4", "bits<3,2>", "s17", "U8", "float", "array", "le_le_u8"])
def test_type_that_is_none_is_refused_by_name(kind: str) -> None:
    """The vocabulary is closed and case counts."""
    with pytest.raises(DocumentError, match=r"fields\[0\].type: the language has no type"):
        read(f'- {{name: v, type: "{kind}"}}', "00")


def test_bool_is_a_bit_that_moves_nothing_on() -> None:
    """Without a bit a byte that is not zero is true."""
    fields = """
- {name: a, type: bool, bit: 0}
- {name: b, type: bool, bit: 7, consume: 1}
- {name: c, type: bool, consume: 1}
"""
    assert read(fields, "8004") == {"a": False, "b": True, "c": True}
    assert write(fields, {"a": True, "b": True, "c": False}) == "8100"


@pytest.mark.parametrize(
    ("field", "payload", "value"),
    [
        ("type: ascii, length: 4", "48430000", "HC"),
        ("type: ascii, length: 4", "48432000", "HC "),
        ("type: string, length: 2", "4843", "HC"),
        ("type: hex, length: 2", "abcd", "abcd"),
        ("type: bytes, length: 2", "abcd", "abcd"),
        ("type: bytes, length: 3, format: 'hex:upper', separator: ':'", "aabbcc", "AA:BB:CC"),
        ("type: bytes, length: 2, separator: '-'", "0a0b", "0a-0b"),
        ("type: bytes, length: 3, format: base64", "414243", "QUJD"),
        ("type: base64, length: 3", "414243", "QUJD"),
        ("type: bytes, length: 2, format: array", "0102", [1, 2]),
        ("type: bytes, length: remaining", "010203", "010203"),
        ("type: bytes, length: remaining", "", ""),
        ("type: bitfield_string, length: 2, prefix: v, parts: [[12, 4], [8, 4], [0, 8]]", "1234", "v1.2.52"),
        (
            "type: bitfield_string, length: 2, delimiter: '-', parts: [[8, 8, hex], [0, 8, 'hex:upper']]",
            "abcd",
            "ab-CD",
        ),
        ("type: bitfield_string, length: 8, parts: [[0, 64]]", "fffffffffffffffe", "18446744073709551614"),
        ("type: enum, values: {0: ok, 1: run}", "01", "run"),
        ("type: enum, base: u16, values: [ok, run]", "0001", "run"),
        ("type: enum, size: 2, values: {1: {name: run, description: it runs}}", "0001", "run"),
        ("type: u16, encoding: sign_magnitude", "8005", -5),
        ("type: u16, encoding: bcd", "1234", 1234),
        ("type: u8, encoding: gray", "0f", 10),
    ],
)
def test_text_and_codes_are_read_and_written(field: str, payload: str, value: Value) -> None:
    """Bytes as text, labels and named encodings, both ways."""
    document = f"- {{name: v, {field}}}"

    assert read(document, payload) == {"v": value}
    assert write(document, {"v": value}) == payload


def test_length_is_taken_from_an_earlier_field() -> None:
    """With or without the sign; the count is written from the value where nobody gives it."""
    fields = "- {name: _n, type: u8}\n- {name: v, type: bytes, length: $_n}\n- {name: w, type: u8}"

    assert read(fields, "02aabb07") == {"v": "aabb", "w": 7}
    assert write(fields, {"v": "aabb", "w": 7}) == "02aabb07"
    with pytest.raises(FrameError, match="v takes 5 bytes, 1 are left"):
        read(fields.replace("$_n", "_n"), "05aa")


def test_padding_and_internal_fields_keep_their_bytes() -> None:
    """What is not reported is read, can be referred to, and is written: a constant, otherwise zero."""
    fields = """
- {name: a, type: u8}
- {type: skip, length: 2}
- {name: _version, type: u8, value: 3}
- {name: _reserved, type: u8}
- {name: pad, type: skip}
- {name: b, type: u8}
"""
    assert read(fields, "01ffff0300ff02") == {"a": 1, "b": 2}
    assert write(fields, {"a": 1, "b": 2}) == "01000003000002"


def test_literals_take_no_bytes() -> None:
    """A constant is in the output and in no payload."""
    fields = "- {name: unit, type: string, value: ppm}\n- {name: n, type: number, value: 3}\n- {name: v, type: u8}"

    assert read(fields, "07") == {"unit": "ppm", "n": 3, "v": 7}
    assert write(fields, {"unit": "ppm", "n": 3, "v": 7}) == write(fields, {"v": 7}) == "07"


def test_compact_list_stands_for_its_fields() -> None:
    """A struct-like text, with padding, in its own byte order."""
    document = b'name: t\nfields: "<B:kind 2x H:value ?:on f:x"'
    assert parse_schema(document).decode(1, bytes.fromhex("01ffffe700010000c03f")).values == {
        "kind": 1,
        "value": 231,
        "on": True,
        "x": dec("1.5"),
    }
    with pytest.raises(DocumentError, match="'Z:a' is neither"):
        parse_schema(b"name: t\nfields: '>Z:a'")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("type: u8", 256, "v: 256 does not fit u8"),
        ("type: s8", -129, "does not fit s8"),
        ("type: 'u8[0:3]'", 16, "does not fit bits 0 to 3"),
        ("type: u8", "x", "'x' is no number"),
        ("type: u8", float("nan"), "is no number"),
        ("type: f16", 1e9, "beyond a float of 16 bits"),
        ("type: udec", 16, "outside 0 to 15.9"),
        ("type: uflt16", 1, "outside uflt16"),
        ("type: u8, encoding: bcd", 100, "does not fit 2 decimal digits"),
        ("type: u8, encoding: sign_magnitude", -128, "sign and magnitude"),
        ("type: bytes, length: 2", "aa", "v is 2 bytes, here are 1"),
        ("type: bytes, length: 2", "zz", "v: 'zz'"),
        ("type: bytes, length: 1, format: array", [256], "list of bytes"),
        ("type: bool", 2, "neither true nor false"),
        ("type: u8, value: 3", 4, "v is always 3, not 4"),
        ("type: bitfield_string, length: 1, parts: [[0, 4]]", "16", "does not fit 4 bits"),
        ("type: bitfield_string, length: 1, parts: [[0, 4]]", "a.b", "is no text of 1 parts"),
        ("type: ascii, length: 2", "abc", "is 2 bytes"),
        ("type: ascii, length: 2", "ж", "v: 'ж'"),
    ],
)
def test_value_that_does_not_fit_is_refused_by_name(field: str, value: object, says: str) -> None:
    """Nothing is cut, clipped or guessed on the way to a meter."""
    with pytest.raises(EncodeError, match=says):
        write(f"- {{name: v, {field}}}", {"v": value})  # type: ignore[dict-item]  # what no value may be


def test_missing_and_unknown_values_are_refused() -> None:
    """A field without a value, and a value without a field."""
    fields = "- {name: a, type: u8}\n- {name: b, type: u8}"

    with pytest.raises(EncodeError, match="no value for b"):
        write(fields, {"a": 1})
    with pytest.raises(EncodeError, match="no field writes c"):
        write(fields, {"a": 1, "b": 2, "c": 3})
