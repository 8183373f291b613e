"""A payload description as YAML 1.2, read into a plain tree under limits.

The tree is made of dict, list, str, int, Decimal, bool and None. The tree is built here from the parser's events: size,
depth and what aliases expand to are bounded before anything is built, a fraction stays the decimal that was written,
and words as NO and on stay text (YAML 1.2, core schema, 10.3.2).
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any  # ruamel.yaml types neither its events nor its parser

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from drivers.errors import DocumentError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 60_000  # with every alias counted as often as it is used
MAX_SCALAR = 4096
MAX_DIGITS = 40
MAX_MAGNITUDE = 60  # powers of ten of a number

Tree = None | bool | int | Decimal | str | list["Tree"] | dict["Key", "Tree"]
Key = None | bool | int | Decimal | str

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Digits after a zero are left as text, for bytes are written so (`payload: 0910`); the core schema would drop the zero.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TEXT_TAG = "tag:yaml.org,2002:str"


def parse_document(raw: bytes) -> Tree:
    """Read one YAML document; raise DocumentError naming line and rule for anything else."""
    if len(raw) > MAX_BYTES:
        raise DocumentError(f"a document is at most {MAX_BYTES} bytes, this is {len(raw)}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"a document is UTF-8: {error}") from error
    try:
        return _Builder(YAML(typ="safe", pure=True).parse(text)).document()
    except YAMLError as error:
        raise DocumentError(f"no YAML: {' '.join(str(error).split())[:300]}") from error


class _Builder:
    """Builds a tree of parser events, one pass; every node is paid for before it is made."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._left = MAX_NODES

    def document(self) -> Tree:
        self._expect(StreamStartEvent)
        self._expect(DocumentStartEvent)
        tree, _ = self._node(next(self._events), 0)
        self._expect(DocumentEndEvent)
        self._expect(StreamEndEvent)
        return tree

    def _expect(self, kind: type) -> None:
        event = next(self._events)
        if not isinstance(event, kind):
            raise _error(event, "a file holds exactly one document")

    def _node(self, event: Any, depth: int) -> tuple[Tree, int]:
        """A node and how many nodes it expands to."""
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise _error(event, f"*{event.anchor} stands for nothing before it")
            tree, weight = self._anchors[event.anchor]
            self._pay(event, weight)
            return tree, weight
        self._pay(event, 1)
        before = self._left
        if depth > MAX_DEPTH:
            raise _error(event, f"nesting is at most {MAX_DEPTH} deep")
        if isinstance(event, ScalarEvent):
            tree = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            _check_tag(event)
            tree = self._sequence(depth)
        elif isinstance(event, MappingStartEvent):
            _check_tag(event)
            tree = self._mapping(depth)
        else:
            raise _error(event, "a node is missing")
        weight = before - self._left + 1
        if event.anchor is not None:
            self._anchors[event.anchor] = tree, weight
        return tree, weight

    def _sequence(self, depth: int) -> list[Tree]:
        items: list[Tree] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, depth + 1)[0])
        return items

    def _mapping(self, depth: int) -> dict[Key, Tree]:
        entries: dict[Key, Tree] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = _key(event, self._node(event, depth + 1)[0])
            if key in entries:
                raise _error(event, f"the key {key!r} stands twice in one mapping")
            entries[key] = self._node(next(self._events), depth + 1)[0]
        return entries

    def _pay(self, event: Any, weight: int) -> None:
        self._left -= weight
        if self._left < 0:
            raise _error(event, f"a document expands to at most {MAX_NODES} nodes")


def _key(event: Any, tree: Tree) -> Key:
    """A scalar key; a flow list of scalars, as [1, 0x67], is the composite key that it would be as text."""
    if isinstance(tree, list) and all(isinstance(item, int | str) for item in tree):
        return f"[{', '.join(str(item) for item in tree)}]"
    if isinstance(tree, list | dict):
        raise _error(event, "a key is a scalar or a list of scalars")
    return tree


def _scalar(event: Any) -> Tree:
    text: str = event.value
    if len(text) > MAX_SCALAR:
        raise _error(event, f"a scalar is at most {MAX_SCALAR} characters")
    if event.tag == _TEXT_TAG or event.style is not None:
        if event.tag not in (None, "!", _TEXT_TAG):
            raise _error(event, f"the tag {event.tag} is not known")
        return text
    _check_tag(event)
    if text in _WORDS:
        return _WORDS[text]
    if _NO_NUMBER.fullmatch(text):
        raise _error(event, f"{text} is no number")
    if _INTEGER.fullmatch(text) or _FRACTION.fullmatch(text):
        return _number(event, text)
    if _HEX.fullmatch(text) or _OCTAL.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise _error(event, f"a number is at most {MAX_DIGITS} digits")
        return int(text, 0)
    return text


def _number(event: Any, text: str) -> int | Decimal:
    if len(text) > MAX_DIGITS:
        raise _error(event, f"a number is at most {MAX_DIGITS} characters")
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise _error(event, f"{text} is beyond 10^{MAX_MAGNITUDE}") from error
    if value and abs(value.adjusted()) > MAX_MAGNITUDE:
        raise _error(event, f"{text} is beyond 10^{MAX_MAGNITUDE}")
    return int(text) if _INTEGER.fullmatch(text) else value


def _check_tag(event: Any) -> None:
    if event.tag is not None:
        raise _error(event, f"the tag {event.tag} is not known")


def _error(event: Any, rule: str) -> DocumentError:
    mark = event.start_mark
    return DocumentError(f"line {mark.line + 1}, column {mark.column + 1}: {rule}")
