"""A vector: what goes in, what a reader must answer, and why."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import msgpack

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question to a reader of the protocol."""

    name: str
    given: Mapping[str, Json]
    expect: str
    why: str
    gives: Mapping[str, Json] | None = None

    def to_json(self) -> Json:
        """The form in the file."""
        found: dict[str, Json] = {"name": self.name, "input": self.given, "expect": self.expect, "why": self.why}
        return found if self.gives is None else {**found, "gives": self.gives}


@dataclass(frozen=True, slots=True)
class VectorFile:
    """All cases of one object; the file has the object's name."""

    object: str
    cases: Sequence[Case]

    def to_text(self) -> str:
        """The file's text; every case has its own name."""
        assert len({case.name for case in self.cases}) == len(self.cases), self.object
        cases = [case.to_json() for case in self.cases]
        return json.dumps({"object": self.object, "cases": cases}, indent=1, ensure_ascii=True) + "\n"


def pack(value: object) -> bytes:
    """Msgpack of anything, also of what the format does not have."""
    return cast("bytes", msgpack.packb(value, use_bin_type=True))


def with_field(fields: Sequence[object], index: int, value: object) -> list[object]:
    """The fields with one of them replaced."""
    return [value if place == index else field for place, field in enumerate(fields)]


def flip(raw: bytes, bit: int = 0) -> bytes:
    """The bytes with one bit turned, counted from the end."""
    place = len(raw) - 1 - bit // 8
    return raw[:place] + bytes([raw[place] ^ 1 << bit % 8]) + raw[place + 1 :]


def refusals(
    fields: Sequence[object],
    table: Sequence[tuple[int, object, str]],
    build: Callable[[list[object]], Mapping[str, Json]],
    expect: str = "refuse",
) -> list[Case]:
    """One case a row: field number, what stands there instead, and why that is refused."""
    named = Counter[str]()
    cases = []
    for index, value, why in table:
        name = f"field {index}: {why}"
        named[name] += 1
        numbered = name if named[name] == 1 else f"{name} ({named[name]})"
        cases.append(Case(numbered, build(with_field(fields, index, value)), expect, why))
    return cases
