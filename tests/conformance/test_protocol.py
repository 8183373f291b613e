"""The vectors of docs/protocol.md, answered by the second reader, which knows that page and nothing of the product."""

import ast
import json
import os
import sys
from pathlib import Path
from typing import Any, cast  # Any: JSON

import pytest

from tests.conformance import reader

ROOT = Path(__file__).parents[2]
READER = Path(__file__).parent / "reader.py"
FILES = sorted((ROOT / "tests" / "vectors" / "protocol").glob("*.json"))
SHARED = ROOT / os.environ.get("PASSPORT_VECTORS", "../shared/vectors")
TREE = {"leaves_hex", "roots", "empty_root", "inclusion", "consistency"}
ANSWERS = {"accept", "refuse", "void", "transport", "shown", "pending", "fork", "stale", "expired"}
PLAIN_TEXT = {"name", "what", "method", "target", "text", "set", "scheme", "value"}  # inputs that are no hex
RESERVED = {"from", "class", "hash", "bytes", "set"}  # inputs whose parameter has an underscore at its end


def from_json(value: Any, name: str = "") -> Any:
    """An input of a vector with its hex read."""
    if isinstance(value, dict):
        return {inner: from_json(item, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [from_json(item, name) for item in value]
    return bytes.fromhex(value) if isinstance(value, str) and name not in PLAIN_TEXT else value


def to_json(value: Any) -> Any:
    """What a reader found, as a vector writes it."""
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


def answer(what: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    given = {f"{name}_" if name in RESERVED else name: value for name, value in from_json(inputs).items()}
    word, found = reader.Reader().answer(what, given)
    return word, to_json(found)


def vectors(path: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(path.read_text()))


def text(value: Any) -> str:
    """Told apart are also 1 and true, which Python calls equal."""
    return json.dumps(value, indent=1, sort_keys=True)


@pytest.mark.req("B75")
@pytest.mark.parametrize(
    ("what", "case"),
    [
        pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
        for path in FILES
        for case in vectors(path)["cases"]
    ],
)
def test_reader_answers_as_the_vector_says(what: str, case: dict[str, Any]) -> None:
    """The second reader gives each case the answer that it expects, and finds all that it gives."""
    word, found = answer(what, case["input"])

    assert word == case["expect"], case["why"]
    expected = case.get("gives", {})
    assert text({name: value for name, value in found.items() if name in expected}) == text(expected)


def test_vectors_are_there() -> None:
    """There are vectors to read, and every file has cases."""
    assert FILES
    assert [path.name for path in FILES if not vectors(path)["cases"]] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_has_the_form_of_section_12(path: Path) -> None:
    """A file is named for its object, its cases by their own names, and says nothing that no test looks at."""
    file = vectors(path)

    assert file.keys() == {"object", "cases"}
    assert file["object"] == path.stem
    assert len({case["name"] for case in file["cases"]}) == len(file["cases"])
    for case in file["cases"]:
        assert case.keys() - {"gives"} == {"name", "input", "expect", "why"}
        assert case["expect"] in ANSWERS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_reader_knows_every_object(path: Path) -> None:
    """There is no file that the second reader has no function for."""
    what = vectors(path)["object"]

    assert what in reader.FORMS or callable(getattr(reader.Reader, what.replace("-", "_"), None))


def test_reader_stays_short() -> None:
    """A second reader of the whole protocol takes at most 560 lines."""
    assert len(READER.read_text().splitlines()) <= 560


def test_reader_stands_alone() -> None:
    """The second reader imports the standard library, msgpack and PyNaCl, and so nothing of the product."""
    nodes = list(ast.walk(ast.parse(READER.read_text())))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {f"{'.' * node.level}{node.module}" for node in nodes if isinstance(node, ast.ImportFrom)}
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names | {"msgpack", "nacl"}
    assert not called & {"__import__", "eval", "exec"}
    assert not {name.partition(".")[0] for name in imported} & {"importlib", "runpy", "subprocess"}


@pytest.mark.vectors
def test_shared_vectors_of_rfc_6962() -> None:
    """Roots, inclusion and consistency proofs of every shared file of Merkle trees hold for the second reader."""
    found = [json.loads(path.read_text()) for path in sorted(SHARED.glob("*.json"))]
    trees = [tree for tree in found if isinstance(tree, dict) and tree.keys() >= TREE]
    if not trees:
        pytest.skip(f"PASSPORT_VECTORS has no file of {', '.join(sorted(TREE))}")
    for tree in trees:
        check_tree(tree)


def check_tree(shared: dict[str, Any]) -> None:
    """Every root and every proof of a tree."""
    leaves, roots = shared["leaves_hex"], shared["roots"]
    hashes = [answer("merkle-root", {"leaves": [leaf]})[1]["root"] for leaf in leaves]

    found = [answer("merkle-root", {"leaves": leaves[:size]}) for size in range(len(leaves) + 1)]
    assert found == [("accept", {"root": root}) for root in (shared["empty_root"], *roots)]
    for proof in shared["inclusion"]:
        given = {"leaf": hashes[proof["leaf"]], "seq": proof["leaf"], "size": proof["size"], "path": proof["path"]}
        assert answer("inclusion", {**given, "root": roots[proof["size"] - 1]}) == ("accept", {})
    for proof in shared["consistency"]:
        old, new = proof["from"], proof["to"]
        given = {"old": old, "old_root": roots[old - 1], "new": new, "new_root": roots[new - 1], "path": proof["proof"]}
        assert answer("consistency", given) == ("accept", {})
