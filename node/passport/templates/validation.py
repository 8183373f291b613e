"""What the schema of a template finds in a document.

A document is checked whole first, which builds nothing. Only of one with which something is wrong each place is checked
by the keywords of its own node, one place after the other: whoever counts findings stops there. All errors of a hostile
template and document at once would not fit in memory.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, NoReturn, cast  # Any: what jsonschema-rs says of an error has no narrower type

import jsonschema_rs

from node.passport.strict_json import MAX_SHOWN, Json, show
from node.passport.templates.errors import TemplateRefusedError
from node.passport.templates.findings import Finding, Layer, Parameters, Severity, parameters
from node.passport.templates.numbers import find_check, latin_letters, to_cyrillic
from node.passport.templates.pointer import Missing, Pointer, find
from node.passport.templates.schema import ASSERTIONS, Schema, is_personal, places

# Patterns of one hostile template take 65 MB when they are compiled, and a node may hold thousands of templates.
MAX_COMPILED = 4
_PLACED_BY_POINTER = frozenset({"required", "additionalProperties"})


class SchemaValidator:
    """Checks documents against one schema: formats too, in linear time, fetching nothing."""

    def __init__(self, schema: Schema) -> None:
        """Compile a schema that was read; raise TemplateRefusedError where its keywords say nothing that can be run."""
        self._schema = schema
        _compiled(self)

    def compile(self) -> "Compiled":
        """The schema as it is run; raise TemplateRefusedError."""
        return Compiled(self._schema)

    def find(self, document: Json, *, is_whole: bool = True) -> Iterator[Finding]:
        """What the schema refuses, in the document's order, then what its number checks refuse or cannot check.

        Of a document that is not whole, a personal value that is missing was not shown here: it is unchecked.
        """
        refused = False
        for finding in self._refused(document):
            is_hidden = not is_whole and finding.personal and finding.rule == "required"
            refused = refused or not is_hidden
            yield replace(finding, severity=Severity.UNCHECKED, code="personal-not-shown") if is_hidden else finding
        if not refused:
            yield from _check_numbers(self._schema, document)

    def _refused(self, document: Json) -> Iterator[Finding]:
        compiled = _compiled(self)
        if compiled.whole.is_valid(document):
            return
        for place, node, value in places(self._schema, document):
            for error in compiled.of(node).iter_errors(value) if node else ():
                yield from _findings(error, place, self._schema, document)


class Compiled:
    """A schema that can be run, whole and node by node."""

    def __init__(self, schema: Schema) -> None:
        self.whole = _compile(_plain(schema))
        self._nodes: dict[int, jsonschema_rs.Validator] = {}  # by the id of a node of the schema, which outlives it

    def of(self, node: Schema) -> jsonschema_rs.Validator:
        """What the keywords of one node ask of the value itself, not of what is in it."""
        known = self._nodes.get(id(node))
        if known is None:
            known = self._nodes[id(node)] = _compile(_own_keywords(node))
        return known


@lru_cache(maxsize=MAX_COMPILED)
def _compiled(validator: SchemaValidator) -> Compiled:
    return validator.compile()


def _compile(schema: Schema) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.Draft202012Validator(
            cast("dict[str, Any]", schema),
            validate_formats=True,
            ignore_unknown_formats=False,
            retriever=_refuse_retrieval,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20),
        )
    except ValueError as error:  # jsonschema_rs.ValidationError is one
        reason = str(getattr(error, "message", error))[:MAX_SHOWN]  # the library's own, in English
        raise TemplateRefusedError(f"the schema is refused: {reason}", f"схема не принята: {reason}") from error


def _plain(node: Json) -> Any:  # Any: as _compile takes it
    """A schema without marks and annotations."""
    if not isinstance(node, dict):
        return node
    kept = {name: value for name, value in node.items() if name in ASSERTIONS}
    if isinstance(properties := node.get("properties"), dict):
        kept["properties"] = {name: _plain(child) for name, child in properties.items()}
    return kept | {name: _plain(node[name]) for name in ("additionalProperties", "items") if name in node}


def _own_keywords(node: Schema) -> Schema:
    """The assertions of a node, and which names and items may stand in it at all."""
    kept = {name: value for name, value in node.items() if name in ASSERTIONS}
    if node.get("additionalProperties") is False:
        properties = node.get("properties", {})
        kept["properties"] = dict.fromkeys(properties if isinstance(properties, dict) else (), True)
        kept["additionalProperties"] = False
    return kept | ({"items": False} if node.get("items") is False else {})


def _findings(
    error: jsonschema_rs.ValidationError, within: Pointer, schema: Schema, document: Json
) -> Iterator[Finding]:
    place = within.join(Pointer(tuple(str(token) for token in error.instance_path)))
    keyword, details = error.kind.name, error.kind.as_dict()
    if keyword == "required":
        places_meant = [place.child(details["property"])]
    elif keyword == "additionalProperties":
        places_meant = [place.child(name) for name in details["unexpected"]]
    else:
        places_meant = [place]
    code, values = _described(keyword, details, find(document, place))
    for at in places_meant:
        yield _finding(schema, document, at, Severity.ERROR, keyword, code, values)


def _described(keyword: str, details: dict[str, Any], value: object) -> tuple[str, Parameters]:
    if keyword in _PLACED_BY_POINTER:
        return f"schema-{keyword}", ()
    if keyword == "pattern" and isinstance(value, str) and "А-Я" in details["pattern"] and latin_letters(value):
        return "schema-latin-letters", parameters(letters=latin_letters(value), meant=to_cyrillic(value))
    expected = next(iter(details.values()), "")
    text = ", ".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    return f"schema-{keyword}", parameters(expected=text[:MAX_SHOWN])


def _check_numbers(schema: Schema, document: Json) -> Iterator[Finding]:
    for place, node, value in places(schema, document):
        name = node.get("x-epd-check")
        if not isinstance(name, str) or not isinstance(value, str):
            continue
        check, rule, values = find_check(name), f"x-epd-check:{name}", parameters(check=name)
        if check is None:
            yield _finding(schema, document, place, Severity.UNCHECKED, rule, "check-unknown", values)
        elif not check(value):
            yield _finding(schema, document, place, Severity.ERROR, rule, "check-failed", values)


def _finding(
    schema: Schema, document: Json, place: Pointer, severity: Severity, rule: str, code: str, values: Parameters
) -> Finding:
    value = find(document, place)
    shown = "" if isinstance(value, Missing) else show(value)
    return Finding(Layer.SCHEMA, severity, str(place), rule, code, values, shown, is_personal(schema, place))


def _refuse_retrieval(uri: str) -> NoReturn:
    raise ValueError(f"nothing is fetched, not {uri[:MAX_SHOWN]}")
