"""The test vectors a document carries: what a payload must decode to, what values must encode to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from drivers.payload.document import Tree
from drivers.payload.section import Section, describe
from drivers.payload.values import Given, as_number

MAX_VECTORS = 1000
TOLERANCE = Decimal("1e-6")
_ABOUT = frozenset(
    {"description", "direction", "source", "expected_warnings", "expected_meta", "expected_quality", "input_metadata"}
    | {"comment", "note", "notes"}
)


@dataclass(frozen=True, slots=True)
class Vector:
    """One proof: `payload` gives `expected` when it is read, or, where there are `values`, it is what they give."""

    name: str
    port: int
    payload: bytes
    expected: Mapping[str, Tree]
    values: Mapping[str, Given] | None = None


def take_vectors(section: Section) -> tuple[Vector, ...]:
    """The vectors of a document; raise DocumentError."""
    vectors = tuple(_vector(item) for item in section.sections("test_vectors"))
    if len(vectors) > MAX_VECTORS:
        raise section.error(f"at most {MAX_VECTORS} vectors stand in a document", "test_vectors")
    return vectors


def agrees(expected: Tree, got: object) -> bool:
    """Whether a decoded value is what a vector expects: keys it does not name do not count, numbers to one in 10^6.

    Nothing expected is nothing got (PS-043).
    """
    if isinstance(expected, dict):
        if not isinstance(got, Mapping):
            return False
        return all(agrees(item, got.get(key)) for key, item in expected.items())
    if isinstance(expected, list):
        return isinstance(got, Sequence) and len(expected) == len(got) and all(map(agrees, expected, got))
    wanted, found = as_number(expected), as_number(got)
    if wanted is None or found is None:
        return expected == got
    difference = abs(Decimal(wanted) - Decimal(found))
    return difference <= TOLERANCE * max(abs(Decimal(wanted)), abs(Decimal(found)))


def _vector(section: Section) -> Vector:
    name = section.text("name") or section.path
    section.drop(_ABOUT)
    port = section.take_one("fPort", "fport", "port")
    number = 0 if port is None else section.bounded(port[1], port[0], 0, 255)
    if "input" in section:
        vector = Vector(name, number, _bytes(section, "expected_payload"), {}, _given(section))
    else:
        vector = Vector(name, number, _bytes(section, "payload"), _mapping(section, "expected"))
    section.done()
    return vector


def _mapping(section: Section, key: str) -> dict[str, Tree]:
    tree = section.take(key)
    if not isinstance(tree, dict):
        raise section.error(f"values by name are expected, this is {describe(tree)}", key)
    return {str(name): item for name, item in tree.items()}


def _given(section: Section) -> dict[str, Given]:
    """The values to write; one that is null is not given."""
    given = {name: _present(item) for name, item in _mapping(section, "input").items()}
    return {name: item for name, item in given.items() if item is not None}


def _present(tree: Tree) -> Given | None:
    if isinstance(tree, dict):
        return {str(name): found for name, item in tree.items() if (found := _present(item)) is not None}
    if isinstance(tree, list):
        return [found for item in tree if (found := _present(item)) is not None]
    return tree


def _bytes(section: Section, key: str) -> bytes:
    tree = section.take(key)
    try:
        if isinstance(tree, list):
            return bytes(section.bounded(item, key, 0, 255) for item in tree)
        if isinstance(tree, int):
            tree = str(int(tree))
        if isinstance(tree, str):
            return bytes.fromhex("".join(tree.split()).removeprefix("0x"))
    except ValueError:
        pass
    raise section.error(f"hex digits in quotes are expected, this is {describe(tree)}", key)
