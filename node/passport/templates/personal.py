"""Keeping what is marked as personal apart from the rest of a document, and joining the two again without loss.

The personal part is one JSON object, pointer → value, so that it can be a section of its own (class 4), be withheld or
be erased. Canonical bytes of the joined document equal those of the document that was split.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from node.passport.strict_json import Json, show
from node.passport.templates.errors import PartsError, PointerError
from node.passport.templates.pointer import MISSING, Pointer, find, is_index, parse_pointer
from node.passport.templates.schema import PERSONAL, Schema, item_schema, member_schema


@dataclass(frozen=True, slots=True)
class Parts:
    """A document in two: what its readers see, and what stays with those entitled; `personal` may be empty."""

    open: Json
    personal: dict[str, Json]


def holds_personal(schema: Schema, value: Json) -> bool:
    """Whether anything within a value is personal by its schema."""
    return next(_marked(schema, value, Pointer()), None) is not None


def split(schema: Schema, document: Json) -> Parts:
    """Take the outermost personal places out of a document; the document is not changed."""
    marked = tuple(_marked(schema, document, Pointer()))
    rest = deepcopy(document)
    taken = {str(place): _take(rest, place) for place in reversed(marked)}
    return Parts(rest, {str(place): taken[str(place)] for place in marked})


def join(parts: Parts) -> Json:
    """The document that was split; raise PartsError if the parts are not of one document."""
    document = deepcopy(parts.open)
    for text, value in sorted(parts.personal.items(), key=lambda item: _order(item[0])):
        _put(document, _pointer(text), deepcopy(value))
    return document


def _marked(schema: Schema, value: Json, place: Pointer) -> Iterator[Pointer]:
    if schema.get("x-epd-access") == PERSONAL:
        yield place
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _marked_child(member_schema(schema, name), child, place.child(name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _marked_child(item_schema(schema), child, place.child(index))


def _marked_child(node: Json, value: Json, place: Pointer) -> Iterator[Pointer]:
    if isinstance(node, dict):
        yield from _marked(node, value, place)


def _take(document: Json, place: Pointer) -> Json:
    parent, last = find(document, Pointer(place.tokens[:-1])), place.tokens[-1]
    if isinstance(parent, dict):
        return parent.pop(last)
    if isinstance(parent, list):
        return parent.pop(int(last))
    raise PartsError(f"{place} is no place of the document", f"места {place} в документе нет")


def _put(document: Json, place: Pointer, value: Json) -> None:
    parent, last = find(document, Pointer(place.tokens[:-1])), place.tokens[-1]
    if isinstance(parent, dict) and last not in parent:
        parent[last] = value
    elif isinstance(parent, list) and is_index(last) and int(last) <= len(parent):
        parent.insert(int(last), value)
    else:
        held = ("nothing to hold it", "пусто") if parent is MISSING else (show(parent),) * 2
        raise PartsError(
            f"{place} does not fit the open part: there is {held[0]}",
            f"{place} не подходит к открытой части: там {held[1]}",
        )


def _pointer(text: str) -> Pointer:
    try:
        return parse_pointer(text)
    except PointerError as error:
        raise PartsError(str(error), error.text("ru")) from error


def _order(text: str) -> tuple[tuple[int, str], ...]:
    # Items of one array go back from the first on; elsewhere the order does not matter.
    return tuple((int(token), "") if is_index(token) else (-1, token) for token in _pointer(text).tokens)
