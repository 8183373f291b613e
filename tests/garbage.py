"""Bytes and values that nobody should send, the same ones for one seed."""

import json
import random
from collections.abc import Iterator
from typing import Any

Json = Any  # Any: what a JSON schema describes

TEXTS = (
    "",
    " ",
    "\u0001",
    "\x7f",
    "a\nb",
    "e\u0301",
    "\u202e",
    "\ufffe",
    "\U0001f4a5",
    "\u0660\u0661",
    "x" * 70_000,
    "../../../etc/passwd",
    "%00",
    "'; drop table logs; --",
    "{serial}",
    "=1+1",
    "00" * 16,
    "ff" * 16,
    "0" * 32,
    "9" * 4000,
    "EPP1-0000-0000-0000",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01",
    "2026-13-45",
    "https://127.0.0.1:1",
)
NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1.5, 1e308)
SHAPES: tuple[Json, ...] = (None, True, [], {}, [[]], {"": ""}, [None], {"a": {"b": [1]}})
PATHS = (
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%00",
    "%ff",
    "%F0%9F%92%A5",
    "a" * 3000,
    "'",
    "0",
    "-1",
    "EPP1",
    "00" * 16,
    "%0a",
    "*",
)


def blobs(seed: int, count: int, longest: int = 400) -> list[bytes]:
    """Random bytes of every length, and some that almost are something."""
    source = random.Random(seed)
    known = [
        b"",
        b"\0",
        b"\xff" * 64,
        b"\xc0",
        b"\x90",
        b"\xdd\xff\xff\xff\xff",
        b"\x81\xa1a\x01",
        b"{}",
        b"[" * 50_000,
    ]
    return known + [source.randbytes(source.randrange(1, longest)) for _ in range(count)]


def mutated(source: random.Random, raw: bytes) -> bytes:
    """The bytes with a flip, a cut, a doubling or an insertion."""
    if not raw:
        return source.randbytes(3)
    at = source.randrange(len(raw))
    return source.choice(
        (
            raw[:at] + bytes([raw[at] ^ (1 << source.randrange(8))]) + raw[at + 1 :],
            raw[:at],
            raw + raw[at:],
            raw[:at] + source.randbytes(source.randrange(1, 9)) + raw[at:],
        )
    )


class Bodies:
    """Values for the JSON schemas of a document: what is said to be known where a name is known, else anything."""

    def __init__(self, document: Json, known: dict[str, Json], seed: int) -> None:
        self._schemas = document["components"]["schemas"]
        self._known = known
        self._source = random.Random(seed)

    def make(self, schema: Json, name: str = "", depth: int = 0) -> Json:
        """A value that the schema allows, as far as it is easy."""
        if "$ref" in schema:
            return self.make(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if name in self._known and self._source.random() < 0.8:
            return self._known[name]
        if "anyOf" in schema:
            return self.make(self._source.choice(schema["anyOf"]), name, depth)
        if "enum" in schema or "const" in schema:
            return self._source.choice(schema.get("enum") or [schema["const"]])
        return self._of_type(schema, name, depth)

    def all_broken(self, schema: Json, odd_a_place: int) -> Iterator[Json]:
        """Values of the schema, each with one place made into something else; every place has its turns."""
        for at in list(_places(self.make(schema))):
            for odd in self._source.sample((*TEXTS, *NUMBERS, *SHAPES), odd_a_place):
                made = self.make(schema)
                if at in _places(made):
                    yield _replaced(made, at, odd)

    def _of_type(self, schema: Json, name: str, depth: int) -> Json:
        kind = schema.get("type")
        if kind == "object":
            made = {key: self.make(item, key, depth + 1) for key, item in schema.get("properties", {}).items()}
            if isinstance(schema.get("additionalProperties"), dict) and depth < 4:
                made[self._text(1)] = self.make(schema["additionalProperties"], "", depth + 1)
            return made
        if kind == "array":
            return [self.make(schema.get("items", {}), name, depth + 1) for _ in range(schema.get("minItems", 1) or 1)]
        if kind == "integer":
            return self._source.randint(schema.get("minimum", 0), schema.get("maximum", 1000))
        if kind == "boolean":
            return self._source.random() < 0.5
        if kind == "null":
            return None
        return self._text(schema.get("minLength", 1))

    def _text(self, least: int) -> str:
        return "".join(self._source.choices("abcПрибор 0123456789-", k=least + self._source.randrange(8)))


def _places(value: Json, at: tuple[Json, ...] = ()) -> Iterator[tuple[Json, ...]]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*at, key))


def _replaced(value: Json, at: tuple[Json, ...], by: Json) -> Json:
    if not at:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = _replaced(copy[at[0]], at[1:], by)
    return copy


def dumped(value: Json) -> bytes:
    """JSON, with lone surrogates and floats as they are."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
