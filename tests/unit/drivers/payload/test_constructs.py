"""The constructs that choose and repeat fields, both ways, and what is refused of them."""

import pytest

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.cursor import MAX_FIELDS
from drivers.payload.schema import parse_schema
from drivers.payload.values import Given, Value
from tests.unit.drivers.payload.documents import dec, program, read, write

NESTED = """
- name: gps
  type: object
  fields:
  - {name: lat, type: s16, div: 100}
  - {name: kind, type: u8, var: k}
- {name: again, type: number, ref: $k}
"""
GROUP = """
- byte_group:
    size: 2
    endian: little
    fields:
    - {name: kind, type: "u16[12:15]"}
    - {name: value, type: "u16[0:10]", div: 10}
    - {name: on, type: bool, bit: 11}
- {name: rest, type: u8}
"""
SHORT_GROUP = '- byte_group: [{name: a, type: "u8[0:3]"}, {name: b, type: "u8[4:7]"}]\n- {name: c, type: u8}'
FLAGGED = """
- {name: _mask, type: u8}
- flagged:
    field: _mask
    groups:
    - {bit: 0, fields: [{name: t, type: s16, div: 10}]}
    - {bit: 3, fields: [{name: h, type: u8}]}
"""
MATCH = """
- {name: kind, type: u8}
- match:
    field: $kind
    cases:
      1: [{name: t, type: s16}]
      2..5: [{name: h, type: u8}]
      "[8, 0x0A]": [{name: p, type: u8}]
      default: [{name: other, type: u8}]
"""
INLINE = "- match: {length: 2, name: kind, cases: {258: [{name: v, type: u8}]}}"
LENGTHS = "- match: {remaining: true, cases: {2: [{name: short, type: u16}], 4..255: [{name: long, type: u32}]}}"
COUNTED = """
- {name: _n, type: u8}
- {name: r, type: repeat, count: $_n, fields: [{name: v, type: u16}]}
- {name: w, type: u8}
"""
SPAN = COUNTED.replace("count", "byte_length")
TO_END = "- {name: r, type: repeat, until: end, fields: [{name: v, type: u8}, {name: w, type: u8}]}"
TRAILED = """
- name: r
  type: repeat
  until: end
  reserve: 1
  index: i
  trailer: [{name: first, type: u8}]
  fields:
  - {name: v, type: u16}
  - {name: slot, type: number, compute: {op: add, a: $first, b: $i}}
"""
TLV = """
- tlv:
    tag_size: 1
    length_size: 1
    cases:
      0x01: [{name: t, type: s16, div: 10}]
      0x02: [{name: h, type: u8}]
      0x03: [{name: o, type: object, fields: [{name: a, type: u8}]}]
"""
COMPOSITE = """
- tlv:
    tag_fields: [{name: ch, type: u8}, {name: ty, type: u8}]
    tag_key: [ch, ty]
    cases:
      "[2, *]": [{name: any, type: u8}]
      "[1, !200]": [{name: other, type: u8}]
      [1, 200]: [{name: exact, type: u8}]
      [2, 9]: [{name: nine, type: u8}]
"""
RESERVED = "- tlv: {tag_size: 1, reserve: 2, cases: {1: [{name: a, type: u8}]}}\n- {name: end, type: u16}"
OPTIONAL = """
- {name: a, type: u8}
- {name: b, type: u16, optional: true}
- {name: c, type: object, optional: true, fields: [{name: d, type: u8}]}
"""
FROM_NAME = "- {name: id, type: u8, var: ch}\n- {name: v, type: u8, name_from: 'channel_${ch}_v'}"


@pytest.mark.parametrize(
    ("fields", "payload", "values"),
    [
        (NESTED, "007b05", {"gps": {"lat": dec("1.23"), "kind": 5}, "again": 5}),
        (GROUP, "347a07", {"kind": 7, "value": dec("56.4"), "on": True, "rest": 7}),
        (SHORT_GROUP, "a507", {"a": 5, "b": 10, "c": 7}),
        (FLAGGED, "0900e764", {"t": dec("23.1"), "h": 100}),
        (FLAGGED, "0864", {"h": 100}),
        (FLAGGED, "00", {}),
        (MATCH, "01ffff", {"kind": 1, "t": -1}),
        (MATCH, "0464", {"kind": 4, "h": 100}),
        (MATCH, "0a64", {"kind": 10, "p": 100}),
        (MATCH, "0964", {"kind": 9, "other": 100}),
        (MATCH.replace("match", "switch").replace("default", "_"), "0964", {"kind": 9, "other": 100}),
        (INLINE, "01027f", {"kind": 258, "v": 127}),
        (LENGTHS, "0102", {"short": 258}),
        (LENGTHS, "01020304", {"long": 16909060}),
        (COUNTED, "02000a001407", {"r": [{"v": 10}, {"v": 20}], "w": 7}),
        (SPAN, "04000a001407", {"r": [{"v": 10}, {"v": 20}], "w": 7}),
        (TO_END, "01020304", {"r": [{"v": 1, "w": 2}, {"v": 3, "w": 4}]}),
        (TO_END, "", {"r": []}),
        (TRAILED, "006400c80a", {"first": 10, "r": [{"v": 100, "slot": 10}, {"v": 200, "slot": 11}]}),
        (TLV, "010200e7020164", {"t": dec("23.1"), "h": 100}),
        (TLV, "020164010200e7", {"h": 100, "t": dec("23.1")}),
        (TLV, "020164020165020166", {"h": [100, 101, 102]}),
        (TLV, "030101030102", {"o": [{"a": 1}, {"a": 2}]}),
        (COMPOSITE, "01c802020903", {"exact": 2, "nine": 3}),
        (COMPOSITE, "010007020008", {"other": 7, "any": 8}),
        (RESERVED, "0115beef", {"a": 21, "end": 48879}),
        (RESERVED, "beef", {"end": 48879}),
        (OPTIONAL, "05", {"a": 5}),
        (OPTIONAL, "050102", {"a": 5, "b": 258}),
        (OPTIONAL, "05010207", {"a": 5, "b": 258, "c": {"d": 7}}),
        (FROM_NAME, "032a", {"id": 3, "channel_3_v": 42}),
    ],
)
def test_construct_is_read_and_written(fields: str, payload: str, values: dict[str, Given]) -> None:
    """What was read is written to the same bytes; masks, counts and kinds that are not reported are found again."""
    assert read(fields, payload) == values
    assert write(fields, values) == payload


@pytest.mark.parametrize(
    ("fields", "payload", "says"),
    [
        ("- {name: v, type: u16}", "01", "byte 0: v takes 2 bytes, 1 are left"),
        (OPTIONAL, "0501", "b takes 2 bytes, 1 are left"),
        (MATCH.replace("      default: [{name: other, type: u8}]\n", ""), "09", "no case is for kind 9"),
        (COUNTED, "030001", "v takes 2 bytes"),
        (SPAN, "050001000200", "v takes 2 bytes, 1 are left"),
        (TO_END, "010203", "w takes 1 bytes, 0 are left"),
        (TRAILED, "", "r reserves 1 bytes"),
        (TLV, "01", "the length of a tlv entry takes 1"),
        (TLV, "0105", "a tlv entry takes 5 bytes"),
        (TLV, "010100", "t takes 2 bytes, 1 are left"),
        (TLV.replace("tag_size: 1", "tag_size: 1\n    unknown: error"), "0900", "no case is for tag 0x09"),
        (RESERVED, "01", "tlv reserves 2 bytes"),
        ("- {name: v, type: u16, encoding: bcd}", "000a", "no decimal number"),
    ],
)
def test_payload_that_does_not_fit_is_refused(fields: str, payload: str, says: str) -> None:
    """A frame is read whole or not at all, and the text says which byte and which field."""
    with pytest.raises(FrameError, match=says):
        read(fields, payload)


@pytest.mark.parametrize(
    ("unknown", "length", "payload", "values", "unread"),
    [
        ("skip", 0, "01003c090bb8", {"t": 60}, (("tag 0x09", b"\x0b\xb8"),)),
        ("skip", 1, "0102003c0902ffff01020001", {"t": [60, 1]}, (("tag 0x09", b"\xff\xff"),)),
        ("raw", 0, "01003c090bb8", {"t": 60, "unknown_tags": [{"tag": [9], "raw": "0bb8"}]}, ()),
        ("raw", 1, "09010b0102003c", {"t": 60, "unknown_tags": [{"tag": [9], "raw": "0b"}]}, ()),
    ],
)
def test_tag_that_no_case_is_for_is_told(
    unknown: str, length: int, payload: str, values: dict[str, Value], unread: tuple[tuple[str, bytes], ...]
) -> None:
    """Skipped, it is told and its bytes are kept apart; raw, it is among the values."""
    fields = (
        f"- tlv: {{tag_size: 1, length_size: {length}, unknown: {unknown}, cases: {{1: [{{name: t, type: u16}}]}}}}"
    )

    found = program(fields).decode(1, bytes.fromhex(payload))

    assert found.values == values
    assert found.unread == unread


def test_channels_that_are_not_merged_are_a_list_in_their_order() -> None:
    """Each entry is under its tag, and is written back so."""
    fields = "- tlv: {tag_size: 1, length_size: 1, merge: false, unknown: raw, cases: {1: [{name: a, type: u8}]}}"
    values: dict[str, Given] = {"channels": [{"tag": [1], "a": 7}, {"tag": [9], "raw": "aabb"}, {"tag": [1], "a": 8}]}

    assert read(fields, "0101070902aabb010108") == values
    assert write(fields, values) == "0101070902aabb010108"


def test_tag_may_be_a_range_of_bits_of_the_value_behind_it() -> None:
    """The second number of the tag stays where it is: its byte is the first of the entry."""
    fields = """
- tlv:
    tag_fields: [{name: _type, type: u8}, {name: _n, type: "u8[0:3]"}]
    tag_key: [_type, _n]
    cases:
      "[1, 1]": [{name: a, type: u8}]
      "[1, 2]": [{name: b, type: u8}, {name: c, type: u8}]
"""
    assert read(fields, "0131 0152 0b".replace(" ", "")) == {"a": 49, "b": 82, "c": 11}


CHANNELS = """
- tlv:
    tag_size: 1
    cases:
      1: [{name: mark, type: number, value: 0}]
      2: [{name: level, type: u8, sentinel: [255]}]
      3: [{name: _raw, type: u8}, {name: more, type: number, ref: $_raw, add: 1}]
      4: [{name: a, type: u8}, {name: b, type: u8}]
      5: [{name: a, type: u8}]
      6: [{name: state, type: u8, lookup: [off, on]}]
      7: [{name: state, type: u8, lookup: [low, high]}]
"""


@pytest.mark.parametrize(
    ("values", "payload"),
    [
        ({"mark": 0}, "01"),
        ({"level": 7}, "0207"),
        ({"a": 1, "b": 2}, "040102"),
        ({"a": 1, "level": 7}, "05010207"),
        ({"state": "high"}, "0701"),
        ({"state": ["on", "off"]}, "06010600"),
    ],
)
def test_channel_is_written_for_the_values_given(values: dict[str, Given], payload: str) -> None:
    """The case that takes most of them, and whose labels they are; a literal and a lone optional value show theirs."""
    assert write(CHANNELS, values) == payload


def test_internal_value_that_others_use_is_not_made_up() -> None:
    """It is in no output, so nothing tells what its bytes were."""
    with pytest.raises(EncodeError, match="nothing tells _raw"):
        write(CHANNELS, {"more": 10})
    with pytest.raises(EncodeError, match="state: 'middle' is none of the labels"):
        write(CHANNELS, {"state": "middle"})


def test_elements_are_dropped_counted_and_carried() -> None:
    """An index, a count for later fields, a condition on each element, a running sum that begins anew."""
    fields = """
- name: r
  type: repeat
  count: 4
  index: i
  count_as: occupied
  present_if: {field: $id, ne: 0}
  fields:
  - {name: id, type: u8}
  - {name: at, type: number, ref: $i}
  - {name: sum, type: number, carry: 0, compute: {op: add, a: $sum, b: $id}}
- {name: n, type: number, ref: $occupied}
"""
    assert read(fields, "05000009") == {"r": [{"id": 5, "at": 0, "sum": 5}, {"id": 9, "at": 3, "sum": 14}], "n": 2}
    with pytest.raises(EncodeError, match="present_if dropped"):
        write(fields, {"r": [{"id": 5}]})


def test_elements_stop_at_their_ceiling() -> None:
    """A count above it is clamped, a span that goes on is a broken payload, too few elements are one too."""
    clamped = COUNTED.replace("count: $_n", "count: $_n, max: 1")

    assert read(clamped.replace("- {name: w, type: u8}", ""), "02000a0014") == {"r": [{"v": 10}]}
    with pytest.raises(FrameError, match="stops at 1 elements, 2 bytes of its length are left"):
        read(SPAN.replace("byte_length: $_n", "byte_length: $_n, max: 1"), "04000a001407")
    with pytest.raises(FrameError, match="has 0 elements, 2 are due"):
        read(TO_END.replace("until: end", "until: end, min: 2"), "")


def test_element_without_bytes_is_counted_and_never_endless() -> None:
    """By count such elements are fine; until the end they would never get there."""
    assert read("- {name: r, type: repeat, count: 2, fields: [{name: a, type: number, value: 1}]}", "") == {
        "r": [{"a": 1}, {"a": 1}]
    }
    with pytest.raises(FrameError, match="an element of r takes no bytes"):
        read("- {name: r, type: repeat, until: end, fields: [{name: a, type: number, value: 1}]}", "00")


def test_payload_cannot_cost_more_than_its_budget() -> None:
    """Elements in elements end at the number of fields that one run may read."""
    inner = "{name: r, type: repeat, count: 1000, fields: [{name: a, type: number, value: 1}]}"
    with pytest.raises(FrameError, match=f"more than {MAX_FIELDS} fields"):
        read(f"- {{name: s, type: repeat, count: 1000, fields: [{inner}]}}", "")
    with pytest.raises(FrameError, match="at most 4096 bytes"):
        read("- {name: a, type: u8}", "00" * 4097)


def test_definitions_are_spliced_wherever_fields_stand() -> None:
    """In lists, objects, arrays and cases; `use` is the early spelling, and a bare list the early form."""
    document = b"""
name: t
definitions:
  reading: {fields: [{name: value, type: u8}]}
  pair: {name: Pair, cid: 3, fields: [{$ref: '#/definitions/reading'}, {name: scale, type: u8}]}
  closing: [{name: last, type: u8}]
  unused: {fields: [{name: x, type: nonsense}]}
fields:
- $ref: '#/definitions/pair'
- {name: o, type: object, fields: [{$ref: '#/definitions/reading'}]}
- {name: r, type: repeat, count: 2, fields: [{use: reading}]}
- match: {field: scale, cases: {2: [{use: closing}]}}
"""
    assert parse_schema(document).decode(1, bytes.fromhex("0a020b0c0d0e")).values == {
        "value": 10,
        "scale": 2,
        "o": {"value": 11},
        "r": [{"value": 12}, {"value": 13}],
        "last": 14,
    }


def test_port_chooses_the_fields() -> None:
    """A port of its own, otherwise the default, otherwise nothing."""
    ports = parse_schema(b"name: t\nports: {1: {fields: [{name: a, type: u8}]}, default: [{name: b, type: u8}]}")
    one = parse_schema(b"name: t\nports: {1: {fields: [{name: a, type: u8}]}}")

    assert ports.decode(1, b"\x07").values == {"a": 7}
    assert ports.decode(2, b"\x07").values == {"b": 7}
    assert ports.encode(2, {"b": 7}) == b"\x07"
    with pytest.raises(FrameError, match="nothing on port 2"):
        one.decode(2, b"\x07")
    with pytest.raises(EncodeError, match="nothing on port 2"):
        one.encode(2, {"a": 7})


def test_command_is_written_behind_its_number() -> None:
    """A named downlink, and the name of one that was read."""
    commands = parse_schema(
        b"name: t\ndirection: downlink\ndownlink_commands:\n"
        b"  set: {command_id: 0x01, fields: [{name: minutes, type: u16, div: 60}]}\n"
        b"  reboot: {command_id: 2, fields: []}"
    )

    assert commands.encode_command("set", {"minutes": 10}) == bytes.fromhex("010258")
    assert commands.encode_command("reboot", {}) == b"\x02"
    assert commands.decode_command(bytes.fromhex("010258"))[0] == "set"
    with pytest.raises(EncodeError, match="no command 'x'"):
        commands.encode_command("x", {})
    with pytest.raises(FrameError, match="no command 07"):
        commands.decode_command(b"\x07")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("fields: []", "a document has a name"),
        ("name: t", "has fields or ports"),
        ("name: t\nheader: []\nfields: []", "no key 'header'"),
        ("name: t\nendian: middle\nfields: []", "endian: 'middle' is none of"),
        ("name: t\nfields: 3", "fields: a list of fields is expected"),
        ("name: t\nfields: [3]", r"fields\[0\]: a mapping is expected"),
        ("name: t\nfields: [{name: a}]", "a type or a construct"),
        ("name: t\nfields: [{name: a, type: u8, scale: 2}]", r"fields\[0\]: the language has no key 'scale'"),
        ("name: t\nfields: [{name: a, type: u8, div: x}]", r"fields\[0\].div: a number is expected"),
        ("name: t\nfields: [{name: _meta, type: u8}]", "reserved"),
        ("name: t\nfields: [{name: a, type: u8, transform: [{round: 2}]}]", r"transform\[0\]: a stage is one of"),
        ("name: t\nfields: [{name: a, type: u8, transform: [{add: 1, mult: 2}]}]", "exclude each other"),
        ("name: t\nfields: [{name: a, type: u8, transform: [{sqrt: 2}]}]", "true is expected"),
        ("name: t\nfields: [{name: a, type: s8, encoding: bcd}]", "plain unsigned"),
        ("name: t\nfields: [{name: a, type: number}]", "one of value, ref, compute and formula"),
        ("name: t\nfields: [{name: a, type: number, ref: $b}]", r"fields\[0\].ref: no field and no var is called 'b'"),
        ("name: t\nfields: [{name: a, type: number, compute: {op: xor, a: 1, b: 2}}]", "'xor' is none of"),
        ("name: t\nfields: [{name: a, type: number, formula: 'x +'}]", r"fields\[0\].formula: formula 'x \+' at 3"),
        ("name: t\nfields: [{$ref: '#/definitions/a'}]", "there is no definition 'a'"),
        ("name: t\nfields: [{$ref: 'lib.yaml#/definitions/a'}]", "a reference is #/definitions/name"),
        (
            "name: t\ndefinitions: {a: {fields: [{$ref: '#/definitions/a'}]}}\nfields: [{$ref: '#/definitions/a'}]",
            "holds itself",
        ),
        ("name: t\nfields: [{use: a, prefix: b_}]", "no key 'prefix'"),
        ("name: t\nfields: [{match: {cases: {1: []}}}]", "one of field, length and remaining"),
        ("name: t\nfields: [{match: {length: 1, cases: {}}}]", "a match has cases"),
        ("name: t\nfields: [{match: {length: 1, cases: {'5..2': []}}}]", "ends before it begins"),
        ("name: t\nfields: [{name: m, type: u8}, {flagged: {field: m, groups: []}}]", "flagged has groups"),
        (
            "name: t\nfields: [{flagged: {field: m, groups: [{bit: 0, fields: []}, {bit: 0, fields: []}]}}]",
            "a bit of its own",
        ),
        ("name: t\nfields: [{name: r, type: repeat, fields: []}]", "one of count, byte_length and until"),
        ("name: t\nfields: [{name: r, type: repeat, until: stop, fields: []}]", "until is end"),
        ("name: t\nfields: [{name: r, type: repeat, count: 1, until: end, fields: []}]", "exclude each other"),
        ("name: t\nfields: [{byte_group: [{name: a, type: u8, consume: 1}]}]", "moves nothing on"),
        (
            "name: t\nfields: [{tlv: {tag_sze: 1, cases: {1: []}}}]",
            r"fields\[0\].tlv: the language has no key 'tag_sze'",
        ),
        ("name: t\nfields: [{tlv: {tag_size: 1, cases: {}}}]", "a tlv has cases"),
        ("name: t\nfields: [{tlv: {tag_size: 1, cases: {x: []}}}]", "a number of a tag"),
        (
            "name: t\nfields: [{tlv: {tag_fields: [{name: a, type: u8}], cases: {'[1, 2]': []}, tag_key: [b]}}]",
            "made of",
        ),
        ("name: t\nports: {0: {fields: []}}", "a port is 1 to 255"),
        (
            "name: t\nfields: []\ntest_vectors: [{name: v, payload: xx, expected: {}}]",
            r"test_vectors\[0\].payload: hex",
        ),
        ("name: t\nfields: []\ntest_vectors: [{name: v, hex: '00', expected: {}}]", "hex digits in quotes"),
        ("name: t\nfields: " + "[{name: a, type: object, fields: " * 17 + "[]" + "}]" * 17, "nested at most 16"),
    ],
)
def test_document_that_is_no_schema_is_refused_with_its_place(document: str, says: str) -> None:
    """What the language has not is an error when the document is read, never passed over."""
    with pytest.raises(DocumentError, match=says):
        parse_schema(document.encode())


def test_references_cannot_multiply_a_program() -> None:
    """Definitions that splice each other end at the number of fields a program may have."""
    levels = "\n".join(f"  d{n}: {{fields: [{', '.join([f'{{use: d{n + 1}}}'] * 10)}]}}" for n in range(8))
    document = f"name: t\ndefinitions:\n{levels}\n  d8: {{fields: [{{name: a, type: u8}}]}}\nfields: [{{use: d0}}]"

    with pytest.raises(DocumentError, match="at most"):
        parse_schema(document.encode())
