"""The part of a template that is JSON Schema 2020-12: what of it is allowed, how it is compiled, what it finds.

A template comes from strangers. Keywords are allow-listed; a reference may only name a definition of the same template
and is put in place before anything runs, so that neither recursion nor doubling survives; patterns run on an engine
whose time is linear. Nothing is ever fetched.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn, cast  # Any: what jsonschema-rs says of an error has no narrower type

import jsonschema_rs

from node.passport.template_errors import TemplateRefusedError
from node.passport.template_findings import Finding, Layer, Parameters, Severity, parameters
from node.passport.template_json import MAX_SHOWN, Json, show
from node.passport.template_numbers import find_check, latin_letters, to_cyrillic
from node.passport.template_pointer import EVERY, Missing, Pointer, find, is_index

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE_KEYWORD = "x-epd-template"
MAX_NODES = 5_000
MAX_SCHEMA_DEPTH = 24
MAX_PATTERNS = 200
MAX_PATTERN_LENGTH = 256
MAX_ENUM = 1_000
ANNOTATIONS = frozenset({"title", "description", "$comment", "default", "examples"})
ASSERTIONS = frozenset({
    "type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "required",
})  # fmt: skip
APPLICATORS = frozenset({"properties", "additionalProperties", "items", "$ref"})
MARKS = frozenset({"x-epd-access", "x-epd-unit", "x-epd-okei", "x-epd-check", "x-epd-bind"})
ROOT_ONLY = frozenset({"$schema", "$id", "$defs", TEMPLATE_KEYWORD})
FORMATS = frozenset({"date", "date-time", "time", "uuid", "uri", "email"})
PERSONAL = "personal"

_PLACED_BY_POINTER = frozenset({"required", "additionalProperties"})

Schema = dict[str, Json]


class Inliner:
    """Copies a schema with its references put in place, refusing what is not in the allowed subset."""

    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})
        self._nodes = self._patterns = 0

    def copy(self, node: Json, place: Pointer, references: tuple[str, ...] = ()) -> Schema:
        """A checked copy of the node at `place`; raise TemplateRefusedError naming the place."""
        self._nodes += 1
        if self._nodes > MAX_NODES or len(place.tokens) > 2 * MAX_SCHEMA_DEPTH:
            _refuse(place, f"the schema is over {MAX_NODES} nodes or {MAX_SCHEMA_DEPTH} levels")
        if not isinstance(node, dict):
            _refuse(place, f"a schema is an object, not {show(node)}")
        _check_keywords(node, place)
        if "$ref" in node:
            return self._referred(node, place, references)
        copy = {name: value for name, value in node.items() if name not in APPLICATORS | ROOT_ONLY}
        self._check_values(copy, place)
        return copy | self._children(node, place, references)

    def _referred(self, node: Schema, place: Pointer, references: tuple[str, ...]) -> Schema:
        if not node.keys() <= {"$ref"} | ANNOTATIONS | MARKS:
            _refuse(place, "only titles and marks may stand beside $ref")
        reference = node["$ref"]
        name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
        if not isinstance(self._definitions, dict) or reference != f"#/$defs/{name}" or name not in self._definitions:
            _refuse(place, f"$ref {show(reference)} names no definition of this template")
        if name in references:
            _refuse(place, f"$ref {show(reference)} leads back to itself")
        copy = self.copy(self._definitions[name], place, (*references, name))
        beside = {key: value for key, value in node.items() if key != "$ref"}
        self._check_values(beside, place)
        return copy | beside

    def _children(self, node: Schema, place: Pointer, references: tuple[str, ...]) -> Schema:
        children: Schema = {}
        if "properties" in node:
            properties = node["properties"]
            if not isinstance(properties, dict):
                _refuse(place, "properties is no object")
            if EVERY in properties:
                _refuse(place, f"no property may be called {EVERY}, which means every item in a pointer")
            children["properties"] = {
                name: self.copy(child, place.child("properties").child(name), references)
                for name, child in properties.items()
            }
        for keyword in ("additionalProperties", "items"):
            if keyword in node:
                child = node[keyword]
                inner = place.child(keyword)
                children[keyword] = child if isinstance(child, bool) else self.copy(child, inner, references)
        return children

    def _check_values(self, node: Schema, place: Pointer) -> None:
        if "pattern" in node:
            self._patterns += 1
            pattern = node["pattern"]
            if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN_LENGTH or self._patterns > MAX_PATTERNS:
                _refuse(place, f"a pattern is over {MAX_PATTERN_LENGTH} characters or there are over {MAX_PATTERNS}")
        options = node.get("enum", [])
        if not isinstance(options, list) or len(options) > MAX_ENUM:
            _refuse(place, f"enum is no list of at most {MAX_ENUM}")
        if "format" in node and not (isinstance(node["format"], str) and node["format"] in FORMATS):
            _refuse(place, f"format {show(node['format'])} is none of {', '.join(sorted(FORMATS))}")
        if "x-epd-access" in node and node["x-epd-access"] != PERSONAL:
            _refuse(place, f"x-epd-access {show(node['x-epd-access'])} is not {PERSONAL}")
        for mark in MARKS & node.keys():
            if not isinstance(node[mark], str):
                _refuse(place, f"{mark} is no text")


def read_schema(root: Schema) -> Schema:
    """The schema of a template with references in place and marks kept; raise TemplateRefusedError."""
    if root.get("$schema") != DIALECT:
        _refuse(Pointer(), f"$schema is {show(root.get('$schema'))}, not {DIALECT}")
    if root.get("type") != "object" or "x-epd-access" in root or "$ref" in root:
        _refuse(Pointer(), "the root is an object with its own properties, not personal as a whole")
    inliner = Inliner(root)
    definitions = root.get("$defs", {})
    if not isinstance(definitions, dict):
        _refuse(Pointer(("$defs",)), "$defs is no object")
    schema = inliner.copy(root, Pointer())
    for name, definition in definitions.items():
        inliner.copy(definition, Pointer(("$defs", name)), (name,))
    return schema


def compile_schema(schema: Schema) -> jsonschema_rs.Validator:
    """A validator that checks formats, never leaves linear time and fetches nothing; raise TemplateRefusedError."""
    try:
        return jsonschema_rs.Draft202012Validator(
            cast("dict[str, Any]", _without_marks(schema)),
            validate_formats=True,
            ignore_unknown_formats=False,
            retriever=_refuse_retrieval,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20),
        )
    except ValueError as error:  # jsonschema_rs.ValidationError is one
        reason = getattr(error, "message", str(error))
        raise TemplateRefusedError(f"the schema is refused: {str(reason)[:MAX_SHOWN]}") from error


def schema_at(schema: Schema, pointer: Pointer) -> Schema | None:
    """The schema of a place: {} where anything may stand, None where nothing ever can."""
    node = schema
    for token in pointer.tokens:
        child = child_schema(node, token)
        if child is False:
            return None
        node = child if isinstance(child, dict) else {}
    return node


def child_schema(node: Schema, token: str) -> Json:
    """The schema of one step further down: an object, True where anything may stand, False where nothing can."""
    types = node.get("type", ["object", "array"])
    within = {str(name) for name in types} if isinstance(types, list) else {types}
    properties = node.get("properties")
    if "object" in within and isinstance(properties, dict) and token in properties:
        return properties[token]
    if "array" in within and (token == EVERY or is_index(token)):
        return node.get("items", True)
    return node.get("additionalProperties", True) if "object" in within else False


def nodes(schema: Schema, pointer: Pointer = Pointer()) -> Iterator[tuple[Pointer, Schema]]:  # noqa: B008 - immutable
    """Every named place of a schema with its node, in the order of the template; `*` for items."""
    yield pointer, schema
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, child in properties.items():
            yield from nodes(cast("Schema", child), pointer.child(name))
    if isinstance(items := schema.get("items"), dict):
        yield from nodes(items, pointer.child(EVERY))


def places(
    schema: Schema,
    value: Json,
    place: Pointer = Pointer(),  # noqa: B008 - immutable
) -> Iterator[tuple[Pointer, Schema, Json]]:
    """Every place of a document with the schema node that governs it, in the order of the document."""
    yield place, schema, value
    children: Iterator[tuple[str, Json]] = iter(())
    if isinstance(value, dict):
        children = iter(value.items())
    elif isinstance(value, list):
        children = ((str(index), item) for index, item in enumerate(value))
    for token, child in children:
        node = child_schema(schema, EVERY if isinstance(value, list) else token)
        yield from places(node if isinstance(node, dict) else {}, child, place.child(token))


def find_in_schema(
    validator: jsonschema_rs.Validator, schema: Schema, document: Json, *, is_whole: bool = True
) -> Iterator[Finding]:
    """What the schema refuses in a document, then what its number checks refuse or cannot check.

    Of one that is not whole, a personal value that is missing was not shown here: it is unchecked.
    """
    refused = False
    for error in validator.iter_errors(document):
        for finding in _findings(error, schema, document):
            is_hidden = not is_whole and finding.personal and finding.rule == "required"
            refused = refused or not is_hidden
            yield replace(finding, severity=Severity.UNCHECKED, code="personal-not-shown") if is_hidden else finding
    if not refused:
        yield from _check_numbers(schema, document)


def is_personal(schema: Schema, pointer: Pointer) -> bool:
    """Whether a place is, or is within, one marked as personal."""
    at = (schema_at(schema, Pointer(pointer.tokens[:length])) for length in range(len(pointer.tokens) + 1))
    return any(node is not None and node.get("x-epd-access") == PERSONAL for node in at)


def _check_keywords(node: Schema, place: Pointer) -> None:
    allowed = ANNOTATIONS | ASSERTIONS | APPLICATORS | MARKS | (frozenset() if place.tokens else ROOT_ONLY)
    for keyword in node:
        if keyword not in allowed:
            _refuse(place, f"the keyword {show(keyword)} is not in the allowed subset")


def _without_marks(node: Json) -> Json:
    if not isinstance(node, dict):
        return node
    kept = {name: value for name, value in node.items() if name in ASSERTIONS}
    if isinstance(properties := node.get("properties"), dict):
        kept["properties"] = {name: _without_marks(child) for name, child in properties.items()}
    return kept | {name: _without_marks(node[name]) for name in ("additionalProperties", "items") if name in node}


def _findings(error: jsonschema_rs.ValidationError, schema: Schema, document: Json) -> Iterator[Finding]:
    place = Pointer(tuple(str(token) for token in error.instance_path))
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


def _refuse(place: Pointer, reason: str) -> NoReturn:
    raise TemplateRefusedError(f"at {str(place) or 'the root'}: {reason}")
