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

# Each of its constructs once; what reads by bits that a range leaves out cannot give the same bytes again.
DOCUMENTS = tuple(
    program(fields)
    for fields in (
        constructs.NESTED,
        constructs.GROUP,
        constructs.FLAGGED,
        constructs.MATCH,
        constructs.LENGTHS,
        constructs.COUNTED,
        constructs.SPAN,
        constructs.TO_END,
        constructs.TRAILED,
        constructs.TLV,
        constructs.COMPOSITE,
        constructs.RESERVED,
        constructs.OPTIONAL,
        constructs.FROM_NAME,
        "- {name: a, type: f32, mult: 3}\n- {name: b, type: f64, transform: [{sqrt: true}, {pow: 9}, {log: true}]}",
        "- {name: a, type: s64, polynomial: [1, 2, 3], transform: [{op: round, decimals: 3}]}",
        "- {name: a, type: u64, formula: 'x ** 9 / (x - 3) ? pow(x, -4) : log(x)'}",
        "- {name: n, type: u8}\n- {name: t, type: ascii, length: n}\n- {name: r, type: bytes, length: remaining}",
        "- {name: a, type: sflt24}\n- {name: b, type: uflt16}\n- {name: c, type: udec}\n- {name: d, type: u16, encoding: bcd}",
    )
)
KEYS = st.sampled_from(
    "name type fields length unit div mult add lookup values base match flagged tlv byte_group field cases groups bit"
    " count until size compute op a b ref formula guard when else gt transform default tag_size tag_fields tag_key"
    " merge unknown reserve ports definitions $ref use endian version consume parts test_vectors payload expected".split()
)
WORDS = st.sampled_from(
    "u8 s16 u8[0:3] f32 ascii bytes hex skip bool enum number string object repeat match bitfield_string big little end"
    " $a a b add div remaining #/definitions/a a ${a} x+1 [1,2] 2..5 * !0 default _".split()
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 300), st.floats(-9, 9), WORDS)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | WORDS, inner, max_size=5), max_leaves=40
)


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
    """Whatever stands under the keys of the language, a program comes of it that keeps its budget, or DocumentError."""
    document = written({**rest, "name": "t", "fields": fields}).encode()
    try:
        found = parse_schema(document)
    except DocumentError:
        return
    payload = tried(found, 1, bytes(range(64)))
    assert payload is None or is_whole(payload.values)


@given(found=st.sampled_from(DOCUMENTS), data=st.binary(max_size=80))
def test_any_payload_gives_values_or_frame_error(found: Program, data: bytes) -> None:
    """Every construct takes any bytes: values of the few types there are, within the budget, or FrameError."""
    payload = tried(found, 1, data)
    if payload is not None:
        assert is_whole(payload.values)
        assert size(payload.values) <= 4 * MAX_FIELDS


@given(found=st.sampled_from(DOCUMENTS[:14]), data=st.binary(max_size=40))
def test_what_is_written_of_values_is_read_back(found: Program, data: bytes) -> None:
    """Values of a payload, written and read again, are the same values."""
    payload = tried(found, 1, data)
    if payload is None or any(isinstance(value, list) and not value for value in payload.values.values()):
        return

    back = found.encode(1, payload.values)

    assert found.decode(1, back).values == payload.values


@given(found=st.sampled_from(DOCUMENTS), values=st.dictionaries(st.sampled_from("abcdhnrtvw"), TREES, max_size=4))
def test_any_values_are_bytes_or_encode_error(found: Program, values: dict[str, object]) -> None:
    """Whatever is to be written, it is written or refused."""
    try:
        found.encode(1, values)  # type: ignore[arg-type]  # what no caller should hand in
    except EncodeError:
        return
