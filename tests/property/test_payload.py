"""Laws of payload documents: no document and no payload breaks them, and what is written is read back."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.cursor import MAX_FIELDS
from drivers.payload.document import parse_document
from drivers.payload.schema import Payload, Program, parse_schema
from drivers.payload.values import Value
from tests.unit.drivers.payload import test_constructs as constructs
from tests.unit.drivers.payload.documents import program


def words(text: str) -> st.SearchStrategy[str]:
    """Any of the words of a text."""
    return st.sampled_from(text.split())


# Documents with a payload of each, from which hypothesis goes on; those before READ_ONLY can be written back.
BOTH_WAYS = [
    (constructs.NESTED, "007b05"),
    (constructs.GROUP, "347a07"),
    (constructs.FLAGGED, "0900e764"),
    (constructs.MATCH, "01ffff"),
    (constructs.LENGTHS, "01020304"),
    (constructs.COUNTED, "02000a001407"),
    (constructs.SPAN, "04000a001407"),
    (constructs.TO_END, "01020304"),
    (constructs.TRAILED, "006400c80a"),
    (constructs.TLV, "010200e7020164030105"),
    (constructs.COMPOSITE, "01c802020903"),
    (constructs.RESERVED, "0115beef"),
    (constructs.OPTIONAL, "05010207"),
    (constructs.FROM_NAME, "032a"),
    (
        "- {name: n, type: u8}\n- {name: t, type: bytes, length: n}\n- {name: r, type: bytes, length: remaining}",
        "02aabb01",
    ),
]
READ_ONLY = [
    (
        "- {name: a, type: f32, mult: 3}\n- {name: b, type: f64, transform: [{sqrt: true}, {pow: 9}, {log: true}]}",
        "3f" * 12,
    ),
    ("- {name: a, type: s64, polynomial: [1, 2, 3], transform: [{op: round, decimals: 3}]}", "01" * 8),
    ("- {name: a, type: u64, formula: 'x ** 9 / (x - 3) ? pow(x, -4) : log(x)'}", "02" * 8),
    ("- {name: n, type: u8}\n- {name: t, type: ascii, length: n}", "0141"),
    ("- {name: a, type: sflt24}\n- {name: b, type: uflt16}\n- {name: d, type: u16, encoding: bcd}", "3f0000f8001234"),
]
PROGRAMS = [(program(fields), bytes.fromhex(payload)) for fields, payload in (*BOTH_WAYS, *READ_ONLY)]


@st.composite
def payloads(draw: st.DrawFn, last: int) -> tuple[Program, bytes]:
    """A program with a payload: any bytes, or a good one that was cut, changed or lengthened."""
    found, good = PROGRAMS[draw(st.integers(0, last - 1))]
    at = draw(st.integers(0, len(good)))
    tail = draw(st.binary(max_size=40))
    return found, draw(st.sampled_from((tail, good[:at] + tail, good[:at] + tail[:1] + good[at + 1 :])))


KEYS = words(
    "name type fields length unit div mult add lookup values base match flagged tlv byte_group field cases groups"
    " bit count until size compute op a b ref formula guard when else gt transform default tag_size tag_fields tag_key"
    " merge unknown reserve ports definitions $ref use endian version consume parts"
    " test_vectors payload expected"
)
WORDS = words(
    "u8 s16 u8[0:3] f32 ascii bytes hex skip bool enum number string object repeat match bitfield_string big little end"
    " $a a b add div remaining #/definitions/a a ${a} x+1 [1,2] 2..5 * !0 default _"
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 300), st.floats(-9, 9), WORDS)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | WORDS, inner, max_size=5), max_leaves=40
)


NAMES = st.sampled_from("abcd_e")
NUMBERS = st.integers(-3, 300) | st.sampled_from((0, 0.5, 1e9, -1e30))
LEAVES = st.fixed_dictionaries(
    {"type": words("u8 u8 u16 s24 f32 u8[0:3] s16[4:9] udec sflt16 bool enum bytes ascii skip")},
    optional={
        "name": NAMES,
        "var": NAMES,
        "name_from": st.sampled_from(("x_${a}", "${b}${b}")),
        "length": st.integers(0, 3) | st.sampled_from(("remaining", "$a", "b")),
        "values": st.just({0: "off", 1: "on"}),
        "lookup": st.sampled_from(({1: "x", "default": "v${value}"}, ["p", "q", "r"])),
        "consume": st.integers(0, 2),
        "optional": st.booleans(),
        "div": NUMBERS,
        "mult": NUMBERS,
        "endian": st.sampled_from(("big", "little")),
        "sentinel": st.just([0]),
        "valid_range": st.just([0, 9]),
    },
)
COMPUTED = st.fixed_dictionaries(
    {"name": NAMES, "type": st.just("number")},
    optional={
        "compute": st.fixed_dictionaries({"op": words("add sub mul div mod idiv"), "a": st.just("$a"), "b": NUMBERS}),
        "transform": st.lists(
            st.sampled_from(({"sqrt": True}, {"pow": 7}, {"log": True}, {"op": "round"}, {"clamp": [1, 9]})), max_size=4
        ),
        "guard": st.just({"when": [{"field": "$b", "gt": 3}], "else": 5}),
        "carry": st.just(1),
    },
)


def fields_in_each_other() -> st.SearchStrategy[list[dict[str, object]]]:
    """Lists of fields of every kind."""
    return st.lists(FIELDS, max_size=4)


LISTS: st.SearchStrategy[list[dict[str, object]]] = st.deferred(fields_in_each_other)
CASES = st.dictionaries(st.sampled_from((0, 1, 2, "3..9", "default")), LISTS, min_size=1, max_size=3)
CONSTRUCTS = st.one_of(
    st.fixed_dictionaries({"name": NAMES, "type": st.just("object"), "fields": LISTS}),
    st.fixed_dictionaries({"name": NAMES, "type": st.just("repeat"), "fields": LISTS, "until": st.just("end")}),
    st.fixed_dictionaries(
        {"name": NAMES, "type": st.just("repeat"), "fields": LISTS, "count": st.sampled_from((0, 3, 999, "$a"))}
    ),
    st.fixed_dictionaries(
        {
            "match": st.fixed_dictionaries(
                {"field": NAMES, "cases": CASES, "default": st.sampled_from(("skip", "error"))}
            )
        }
    ),
    st.fixed_dictionaries({"match": st.fixed_dictionaries({"length": st.integers(1, 2), "cases": CASES})}),
    st.fixed_dictionaries(
        {
            "flagged": st.fixed_dictionaries(
                {
                    "field": NAMES,
                    "groups": st.tuples(st.fixed_dictionaries({"bit": st.integers(0, 7), "fields": LISTS})).map(list),
                }
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "tlv": st.fixed_dictionaries(
                {"tag_size": st.integers(1, 2), "cases": CASES},
                optional={
                    "length_size": st.integers(0, 2),
                    "unknown": st.sampled_from(("raw", "error")),
                    "merge": st.booleans(),
                },
            )
        }
    ),
    st.fixed_dictionaries({"byte_group": st.fixed_dictionaries({"size": st.integers(1, 3), "fields": LISTS})}),
)
FIELDS: st.SearchStrategy[dict[str, object]] = st.one_of(LEAVES, LEAVES, COMPUTED, CONSTRUCTS)


def written(tree: object) -> str:
    """A tree as YAML in flow style."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(written, tree)) + "]"
    return f'"{tree}"' if isinstance(tree, str) else str(tree).lower() if tree is not None else "null"


def size(value: Value) -> int:
    """How many values a value is."""
    if isinstance(value, dict):
        return 1 + sum(map(size, value.values()))
    return 1 + sum(map(size, value)) if isinstance(value, list) else 1


def is_whole(value: Value) -> bool:
    """Whether a value is made of the types there are, every number finite."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_whole(item) for name, item in value.items())
    if isinstance(value, list):
        return all(map(is_whole, value))
    return value.is_finite() if isinstance(value, Decimal) else isinstance(value, int | str)


def tried(found: Program, port: int, data: bytes) -> Payload | None:
    try:
        return found.decode(port, data)
    except FrameError:
        return None


@given(raw=st.binary(max_size=200) | st.text(alphabet="[]{}:,-&*!|>'\"#?\n ab01~", max_size=80).map(str.encode))
def test_any_bytes_are_a_tree_or_no_document(raw: bytes) -> None:
    """YAML of every kind is read or refused, and nothing else comes of it."""
    try:
        parse_document(raw)
    except DocumentError:
        return


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.lists(st.dictionaries(KEYS, TREES, max_size=6), max_size=4), rest=st.dictionaries(KEYS, TREES, max_size=3)
)
def test_any_tree_is_a_program_or_no_document(fields: list[object], rest: dict[str, object]) -> None:
    """Whatever stands under the keys of the language is a program or DocumentError."""
    try:
        parse_schema(written({**rest, "name": "t", "fields": fields}).encode())
    except DocumentError:
        return


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(fields=LISTS, data=st.binary(max_size=40))
def test_any_program_reads_any_payload_within_its_budget(fields: list[dict[str, object]], data: bytes) -> None:
    """Fields of every construct, in each other, over any bytes: values or FrameError; written, bytes or EncodeError."""
    every = [{"name": name, "type": "u8", "consume": 0, "optional": True} for name in "abcd"]
    try:
        found = parse_schema(
            written({"name": "t", "fields": [*every, {"name": "_e", "type": "skip"}, *fields]}).encode()
        )
    except DocumentError:
        return
    payload = tried(found, 1, data)
    if payload is None:
        return
    assert is_whole(payload.values)
    assert size(payload.values) <= 4 * MAX_FIELDS
    try:
        found.encode(1, payload.values)
    except EncodeError:
        return


@given(tried_on=payloads(len(PROGRAMS)))
def test_any_payload_gives_values_or_frame_error(tried_on: tuple[Program, bytes]) -> None:
    """Every construct takes any bytes: values of the few types there are, within the budget, or FrameError."""
    payload = tried(tried_on[0], 1, tried_on[1])
    if payload is not None:
        assert is_whole(payload.values)


@given(tried_on=payloads(len(BOTH_WAYS)))
def test_what_is_written_of_values_is_read_back(tried_on: tuple[Program, bytes]) -> None:
    """Values of a payload, written and read again, are the same values."""
    found, data = tried_on
    payload = tried(found, 1, data)
    if payload is None:
        return

    back = found.encode(1, payload.values)

    assert found.decode(1, back).values == payload.values


@given(
    index=st.integers(0, len(PROGRAMS) - 1), values=st.dictionaries(st.sampled_from("abcdhnrtvw"), TREES, max_size=4)
)
def test_any_values_are_bytes_or_encode_error(index: int, values: dict[str, object]) -> None:
    """Whatever is to be written, it is written or refused."""
    try:
        PROGRAMS[index][0].encode(1, values)  # type: ignore[arg-type]  # what no caller should hand in
    except EncodeError:
        return
