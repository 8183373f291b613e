"""The part of a template that is JSON Schema 2020-12: what of it is allowed, and which node governs a place.

A template comes from strangers. Keywords are allow-listed; a reference may only name a definition of the same template
and is put in place before anything runs, so that neither recursion nor doubling survives, and what that comes to has a
limit of its own.
"""

from collections.abc import Iterator
from typing import NoReturn, cast

from node.passport.strict_json import Json, format_json, show
from node.passport.templates.errors import TemplateRefusedError
from node.passport.templates.pointer import EVERY, Pointer, is_index

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE_KEYWORD = "x-epd-template"
MAX_NODES = 5_000
MAX_SCHEMA_DEPTH = 24
MAX_INLINED = 1 << 20  # bytes of what all nodes say, a definition as often as it is referred to
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

Schema = dict[str, Json]


class Inliner:
    """Copies a schema with its references put in place, refusing what is not in the allowed subset."""

    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})
        self._nodes = self._patterns = self._bytes = 0

    def copy(self, node: Json, place: Pointer, references: tuple[str, ...] = ()) -> Schema:
        """A checked copy of the node at `place`; raise TemplateRefusedError naming the place."""
        self._nodes += 1
        if self._nodes > MAX_NODES or len(place.tokens) > 2 * MAX_SCHEMA_DEPTH:
            _refuse(
                place,
                f"the schema is over {MAX_NODES} nodes or {MAX_SCHEMA_DEPTH} levels",
                f"в схеме больше {MAX_NODES} узлов или {MAX_SCHEMA_DEPTH} уровней",
            )
        if not isinstance(node, dict):
            _refuse(place, f"a schema is an object, not {show(node)}", f"схема — это объект, а стоит {show(node)}")
        _check_keywords(node, place)
        if "$ref" in node:
            return self._referred(node, place, references)
        copy = {name: value for name, value in node.items() if name not in APPLICATORS | ROOT_ONLY}
        self._check_values(copy, place)
        return copy | self._children(node, place, references)

    def _referred(self, node: Schema, place: Pointer, references: tuple[str, ...]) -> Schema:
        if not node.keys() <= {"$ref"} | ANNOTATIONS | MARKS:
            _refuse(
                place,
                "only titles and marks may stand beside $ref",
                "рядом с $ref могут стоять только заголовки и пометки",
            )
        reference = node["$ref"]
        name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
        if not isinstance(self._definitions, dict) or reference != f"#/$defs/{name}" or name not in self._definitions:
            _refuse(
                place,
                f"$ref {show(reference)} names no definition of this template",
                f"$ref {show(reference)} не называет определения из $defs этого шаблона",
            )
        if name in references:
            _refuse(
                place,
                f"$ref {show(reference)} leads back to itself",
                f"ссылка $ref {show(reference)} ведёт на саму себя",
            )
        copy = self.copy(self._definitions[name], place, (*references, name))
        beside = {key: value for key, value in node.items() if key != "$ref"}
        self._check_values(beside, place)
        return copy | beside

    def _children(self, node: Schema, place: Pointer, references: tuple[str, ...]) -> Schema:
        children: Schema = {}
        if "properties" in node:
            properties = node["properties"]
            if not isinstance(properties, dict):
                _refuse(place, "properties is no object", "properties — не объект")
            if EVERY in properties:
                _refuse(
                    place,
                    f"no property may be called {EVERY}, which means every item in a pointer",
                    f"свойство не может называться {EVERY}: в указателе это каждая строка списка",
                )
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
        self._bytes += len(format_json(node))
        if self._bytes > MAX_INLINED:
            _refuse(
                place,
                f"with its references in place the schema is over {MAX_INLINED} bytes",
                f"с раскрытыми ссылками схема больше {MAX_INLINED} байт",
            )
        if "pattern" in node:
            self._patterns += 1
            pattern = node["pattern"]
            if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN_LENGTH or self._patterns > MAX_PATTERNS:
                _refuse(
                    place,
                    f"a pattern is over {MAX_PATTERN_LENGTH} characters or there are over {MAX_PATTERNS}",
                    f"pattern — текст до {MAX_PATTERN_LENGTH} знаков, и всего их не больше {MAX_PATTERNS}",
                )
        options = node.get("enum", [])
        if not isinstance(options, list) or len(options) > MAX_ENUM:
            _refuse(place, f"enum is no list of at most {MAX_ENUM}", f"enum — не список до {MAX_ENUM} значений")
        if "format" in node and not (isinstance(node["format"], str) and node["format"] in FORMATS):
            said, known = show(node["format"]), ", ".join(sorted(FORMATS))
            _refuse(place, f"format {said} is none of {known}", f"format — {said}, а бывает {known}")
        if "x-epd-access" in node and node["x-epd-access"] != PERSONAL:
            _refuse(
                place,
                f"x-epd-access {show(node['x-epd-access'])} is not {PERSONAL}",
                f"x-epd-access — {show(node['x-epd-access'])}, а бывает только {PERSONAL}",
            )
        for mark in MARKS & node.keys():
            text = node[mark]
            if not isinstance(text, str) or not text.isprintable():
                _refuse(place, f"{mark} is no text of one line", f"{mark} — не текст в одну строку")


def read_schema(root: Schema) -> Schema:
    """The schema of a template with references in place and marks kept; raise TemplateRefusedError."""
    if root.get("$schema") != DIALECT:
        _refuse(
            Pointer(),
            f"$schema is {show(root.get('$schema'))}, not {DIALECT}",
            f"$schema — {show(root.get('$schema'))}, а нужно {DIALECT}",
        )
    if root.get("type") != "object" or "x-epd-access" in root or "$ref" in root:
        _refuse(
            Pointer(),
            "the root is an object with its own properties, not personal as a whole",
            "корень — объект со своими свойствами, и целиком он не персональный",
        )
    inliner = Inliner(root)
    definitions = root.get("$defs", {})
    if not isinstance(definitions, dict):
        _refuse(Pointer(("$defs",)), "$defs is no object", "$defs — не объект")
    schema = inliner.copy(root, Pointer())
    for name, definition in definitions.items():
        inliner.copy(definition, Pointer(("$defs", name)), (name,))
    return schema


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
    is_named = isinstance(properties, dict) and token in properties
    if "array" in within and (token == EVERY or is_index(token)) and not ("object" in within and is_named):
        return item_schema(node)
    return member_schema(node, token) if "object" in within else False


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
        node = item_schema(schema) if isinstance(value, list) else member_schema(schema, token)
        yield from places(node if isinstance(node, dict) else {}, child, place.child(token))


def member_schema(node: Schema, name: str) -> Json:
    """The schema of a member of an object that the node governs."""
    properties = node.get("properties")
    named = properties.get(name) if isinstance(properties, dict) else None
    return named if named is not None else node.get("additionalProperties", True)


def item_schema(node: Schema) -> Json:
    """The schema of the items of a list that the node governs."""
    return node.get("items", True)


def is_personal(schema: Schema, pointer: Pointer) -> bool:
    """Whether a place is, or is within, one marked as personal."""
    at = (schema_at(schema, Pointer(pointer.tokens[:length])) for length in range(len(pointer.tokens) + 1))
    return any(node is not None and node.get("x-epd-access") == PERSONAL for node in at)


def _check_keywords(node: Schema, place: Pointer) -> None:
    allowed = ANNOTATIONS | ASSERTIONS | APPLICATORS | MARKS | (frozenset() if place.tokens else ROOT_ONLY)
    for keyword in node:
        if keyword not in allowed:
            _refuse(
                place,
                f"the keyword {show(keyword)} is not in the allowed subset",
                f"ключевого слова {show(keyword)} нет среди разрешённых",
            )


def _refuse(place: Pointer, reason: str, ru: str) -> NoReturn:
    raise TemplateRefusedError(reason, ru, f"#{place}")
