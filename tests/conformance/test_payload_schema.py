"""Payload documents of the public language, run on their own vectors and scored as acceptance scores them."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any  # YAML of any shape

import pytest
from ruamel.yaml import YAML

from drivers.errors import DriverError
from drivers.payload.schema import Program, parse_schema
from tests.conformance.scores import SHARED, load_score

LANGUAGE, BAR = "_language-conformance", 0.98


def read(raw: bytes) -> Mapping[str, Any]:
    """The document as another reader of YAML 1.2 gives it, for what its vectors expect."""
    found = YAML(typ="safe", pure=True).load(raw)
    return found if isinstance(found, Mapping) else {}


def holds(score: ModuleType, program: Program, vector: Mapping[str, Any], port: int, payload: bytes) -> bool:
    try:
        if "input" in vector:
            return program.encode(port, vector["input"]) == payload
        return bool(score.payload(vector["expected"], program.decode(port, payload).values))
    except DriverError:
        return False


def run(score: ModuleType, path: Path) -> tuple[int, int]:
    """How many vectors of a document hold, and how many it has; one that is not read holds none."""
    raw = path.read_bytes()
    vectors = read(raw).get("test_vectors", [])
    try:
        program = parse_schema(raw)
    except DriverError as error:
        print(f"\n{path.name}: {error}")
        return 0, max(1, len(vectors))
    assert len(program.vectors) == len(vectors)
    right = [
        holds(score, program, vector, mine.port, mine.payload)
        for vector, mine in zip(vectors, program.vectors, strict=True)
    ]
    return sum(right), len(right)


@pytest.mark.vectors
def test_shared_documents_hold_their_vectors_to_the_bar() -> None:
    """Every document is read; 98 % of all vectors hold, and all of those that show the language alone."""
    folder = SHARED / "payload-schema"
    if not folder.is_dir():
        pytest.skip("PASSPORT_VECTORS has no folder payload-schema")
    score = load_score()
    found = {
        place.name: [run(score, path) for path in sorted(place.rglob("*.yaml"))]
        for place in sorted(folder.iterdir())
        if place.is_dir()
    }

    scores = {name: (sum(right for right, _ in runs), sum(all_ for _, all_ in runs)) for name, runs in found.items()}
    print("\npayload-schema:", ", ".join(f"{name} {right} of {count}" for name, (right, count) in scores.items()))
    right, counted = (sum(column) for column in zip(*scores.values(), strict=True))
    print(f"payload-schema: {right} of {counted} vectors in {sum(map(len, found.values()))} documents")
    assert counted
    assert right / counted >= BAR
    assert scores[LANGUAGE][0] == scores[LANGUAGE][1] > 0
