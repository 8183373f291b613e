"""Protocol templates: read from a publisher's bytes, and used to check, extract from and split a document.

A template is a JSON Schema 2020-12 subset with `x-epd-template`: who published it, what becomes central parameters and
events, typed rules, parties who must sign, form and print layout. It is data of strangers: everything is limited and
allow-listed, and nothing of it runs but the fixed catalogs of keywords and rules.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from node.passport.publications import Signatory
from node.passport.strict_json import TEMPLATE_LIMITS, Json, check_json, parse_json, show
from node.passport.templates.declarations import Declared, read_rules
from node.passport.templates.errors import JsonError, TemplateRefusedError
from node.passport.templates.extract import Extraction, ExtractItem, extract_from, read_extract
from node.passport.templates.facts import PassportFacts
from node.passport.templates.findings import Finding, Layer, Severity, Verdict, parameters, verdict_of
from node.passport.templates.layout import Layout, read_layout
from node.passport.templates.personal import Parts, join, split
from node.passport.templates.pointer import MISSING, find
from node.passport.templates.rules import count_items
from node.passport.templates.schema import (
    TEMPLATE_KEYWORD,
    Schema,
    is_personal,
    nodes,
    read_schema,
)
from node.passport.templates.validation import SchemaValidator

MAX_FINDINGS = 100
MAX_IDENTITY = 128
MAX_CHECKED = 200_000  # items that the rules of a template look at in one document
_MEMBERS = frozenset(
    {"name", "version", "publisher", "title", "process", "extract", "rules", "parties", "form", "print"}
)
_NEEDED = ("name", "version", "publisher", "title")
_IDENTITY = re.compile(rf"[A-Za-z0-9._:/-]{{1,{MAX_IDENTITY}}}")
_ID = re.compile(r"urn:[A-Za-z0-9._:/-]{1,250}")


@dataclass(frozen=True, slots=True)
class Template:
    """A template that this node runs. `digest` is SHA-256 of the publisher's bytes; titles are by language."""

    id: str
    name: str
    version: str
    publisher: str
    process: str | None
    title: Mapping[str, str]
    digest: bytes
    schema: Schema = field(repr=False)
    rules: tuple[Declared, ...]
    extract: tuple[ExtractItem, ...]
    layout: Layout
    validator: SchemaValidator = field(repr=False, compare=False)

    @property
    def signers(self) -> tuple[Signatory, ...]:
        """The parties that must sign, with the place of who each is."""
        return tuple(Signatory(party.role, party.organisation) for party in self.layout.parties if party.signs)

    @property
    def unknown_rules(self) -> tuple[str, ...]:
        """The types of rules this node does not understand: with any, no document is ever valid here."""
        return tuple(rule.name for rule in self.rules if rule.rule is None)


def parse_template(data: bytes) -> Template:
    """Read a template; raise TemplateRefusedError naming what of it this node does not run, and where."""
    try:
        root = parse_json(data, TEMPLATE_LIMITS)
    except JsonError as error:
        raise TemplateRefusedError(f"a template is JSON: {error}", f"шаблон не прочитан: {error.text('ru')}") from error
    if not isinstance(root, dict) or not isinstance(card := root.get(TEMPLATE_KEYWORD), dict):
        raise TemplateRefusedError(
            f"a template is an object with {TEMPLATE_KEYWORD}",
            f"шаблон — это объект, в котором есть {TEMPLATE_KEYWORD}",
        )
    identity = _read_identity(root, card)
    schema = read_schema(root)
    validator = SchemaValidator(schema)  # before anything reads the schema: from here on its keywords have their types
    return Template(
        **identity,
        process=_read_process(card),
        title=_read_title(card),
        digest=hashlib.sha256(data).digest(),
        schema=schema,
        rules=read_rules(card.get("rules", []), schema),
        extract=read_extract(card.get("extract", []), schema),
        layout=read_layout(card, schema),
        validator=validator,
    )


def parse_document(data: bytes) -> Json:
    """Read a document's bytes with exact numbers; raise JsonError for what is no JSON or over a limit."""
    return parse_json(data)


def validate(template: Template, document: Json, facts: PassportFacts, *, is_whole: bool = True) -> Verdict:
    """Check a document: first the schema; the rules only on what it lets through.

    Of one that is not whole, personal values may be missing, and with them the verdict is not fully checked.
    Raise JsonError for a document that no bytes could have given (a float, too deep, too large).
    """
    check_json(document)
    verdict = verdict_of(template.validator.find(document, is_whole=is_whole), MAX_FINDINGS)
    if verdict.errors:
        return verdict
    return verdict_of(chain(verdict.findings, _rule_findings(template, document, facts)), MAX_FINDINGS)


def extract(template: Template, document: Json) -> Extraction:
    """The central parameters and events that a valid document states."""
    return extract_from(template.extract, template.schema, document)


def split_personal(template: Template, document: Json) -> Parts:
    """The open part of a document and its personal part, which is a section of class 4."""
    return split(template.schema, document)


def join_personal(parts: Parts) -> Json:
    """The document that was split; raise PartsError if the parts are not of one document."""
    return join(parts)


def bindings(template: Template, document: Json) -> dict[str, Json]:
    """What the document says under each `x-epd-bind`, as {"device.gid": …, "device.serial": …, "type.grsi": …}."""
    bound = ((str(node["x-epd-bind"]), place) for place, node in nodes(template.schema) if "x-epd-bind" in node)
    values = ((name, find(document, place)) for name, place in bound if not place.has_wildcard)
    return {name: value for name, value in values if value is not MISSING}


def _rule_findings(template: Template, document: Json, facts: PassportFacts) -> Iterator[Finding]:
    left = MAX_CHECKED
    for rule in template.rules:
        left -= count_items(rule.rule, document) if rule.rule is not None else 1
        if left < 0:
            values = parameters(most=MAX_CHECKED)
            yield Finding(Layer.RULE, Severity.UNCHECKED, "", rule.name, "rules-too-long", values)
            return
        for problem in rule.check(document, facts):
            personal = is_personal(template.schema, problem.pointer)
            value = find(document, problem.pointer) if problem.pointer.tokens else MISSING
            shown = "" if value is MISSING else show(value)
            place = str(problem.pointer)
            yield Finding(
                Layer.RULE, problem.severity, place, rule.name, problem.code, problem.parameters, shown, personal
            )


def _read_identity(root: Schema, card: Schema) -> dict[str, str]:
    if unknown := sorted(card.keys() - _MEMBERS):
        raise TemplateRefusedError(
            f"{TEMPLATE_KEYWORD} has {unknown[0]!r}, which this node does not know",
            f"в {TEMPLATE_KEYWORD} есть {unknown[0]!r}, чего этот узел не знает",
        )
    if lacking := [name for name in _NEEDED if name not in card]:
        raise TemplateRefusedError(
            f"{TEMPLATE_KEYWORD} lacks {', '.join(lacking)}", f"в {TEMPLATE_KEYWORD} нет {', '.join(lacking)}"
        )
    identity = root.get("$id")
    if not isinstance(identity, str) or _ID.fullmatch(identity) is None:
        raise TemplateRefusedError(f"$id is a urn, got {show(identity)}", f"$id — это urn, а стоит {show(identity)}")
    found = {"id": identity}
    for name in ("name", "version", "publisher"):
        value = card[name]
        if not isinstance(value, str) or _IDENTITY.fullmatch(value) is None:
            raise _no_identity(name, value)
        found[name] = value
    return found


def _read_process(card: Schema) -> str | None:
    process = card.get("process")
    if process is not None and (not isinstance(process, str) or _IDENTITY.fullmatch(process) is None):
        raise _no_identity("process", process)
    return process


def _no_identity(name: str, value: Json) -> TemplateRefusedError:
    place = f"{TEMPLATE_KEYWORD}/{name}"
    return TemplateRefusedError(
        f"1 to {MAX_IDENTITY} Latin letters, digits and . _ : / -, got {show(value)}",
        f"нужно от 1 до {MAX_IDENTITY} латинских букв, цифр и знаков . _ : / -, а стоит {show(value)}",
        place,
    )


def _read_title(card: Schema) -> dict[str, str]:
    title = card["title"]
    if not isinstance(title, dict) or not title or not all(isinstance(text, str) for text in title.values()):
        raise TemplateRefusedError(
            f"a text by language, got {show(title)}",
            f"нужен текст по языкам, а стоит {show(title)}",
            f"{TEMPLATE_KEYWORD}/title",
        )
    return {language: str(text) for language, text in title.items()}
