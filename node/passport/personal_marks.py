"""What a personal section says, as marks by which copies of it are found in bytes that were made of it here."""

import html
import json
from collections.abc import Iterator

from node.passport.strict_json import Json

LEAST = 3  # characters: what is shorter is looked for as a whole value alone, else it stands in everything
LEAST_DIGITS = 6


def marks_of(content: bytes) -> frozenset[bytes]:
    """The texts of a personal section, as JSON and XML write them; none where it is no JSON."""
    try:
        told: Json = json.loads(content)
    except (ValueError, RecursionError):
        return frozenset()
    forms = {form for text in _texts(told) for form in _spelled(text)}
    return frozenset(form.encode(errors="replace") for form in forms)


def holds(raw: bytes, marks: frozenset[bytes]) -> bool:
    """Whether bytes hold one of them."""
    return any(mark in raw for mark in marks)


def _spelled(text: str) -> Iterator[str]:
    """A text as it is, as JSON has it with and without other letters, and as XML has it within tags and quotes."""
    quoted = (json.dumps(text), json.dumps(text, ensure_ascii=False))
    inner, attribute = html.escape(text, quote=False), html.escape(text)
    if len(text) < LEAST:
        yield from (*quoted, f">{inner}<", f'"{attribute}"') if text else ()
    else:
        yield from (text, *(one[1:-1] for one in quoted), inner, attribute, attribute.replace("&#x27;", "'"))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif type(value) is int and len(str(value)) >= LEAST_DIGITS:
        yield str(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
