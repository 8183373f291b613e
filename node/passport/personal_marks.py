"""What a personal section says, as marks by which copies of it are found in bytes that were made of it here."""

import html
import json
from collections.abc import Iterator

from node.passport.strict_json import Json

LEAST = 3  # characters: what is shorter stands in everything


def marks_of(content: bytes) -> frozenset[bytes]:
    """The texts of a personal section, as JSON and XML write them; none where it is no JSON."""
    try:
        told: Json = json.loads(content)
    except (ValueError, RecursionError):
        return frozenset()
    texts = {text for text in _texts(told) if len(text) >= LEAST}
    escaped = {form for text in texts for form in (text, json.dumps(text)[1:-1], html.escape(text))}
    return frozenset(form.encode(errors="replace") for form in escaped)


def holds(raw: bytes, marks: frozenset[bytes]) -> bool:
    """Whether bytes hold one of them."""
    return any(mark in raw for mark in marks)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
