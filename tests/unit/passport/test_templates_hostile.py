"""Templates and documents of strangers: refused or harmless, in bounded time."""

import gc
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from node.passport.templates.errors import JsonError, TemplateError, TemplateRefusedError
from node.passport.templates.facts import NoPassports
from node.passport.templates.findings import State
from node.passport.templates.template import extract, parse_document, parse_template, validate
from node.passport.templates.validation import MAX_COMPILED, Compiled

pytestmark = pytest.mark.timeout(20)
PLACE = re.compile(r"^(?:#|extract|rules|parties|form|print|x-epd-template)[^ :]*(?=: )")
CARD = {"name": "t", "version": "1", "publisher": "org:t", "title": {"en": "t"}}


def template(
    properties: dict[str, Any] | None = None, card: dict[str, Any] | None = None, root: dict[str, Any] | None = None
) -> bytes:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:test:t",
        "type": "object",
        "properties": properties or {},
        "x-epd-template": CARD | (card or {}),
    }
    return json.dumps(schema | (root or {})).encode()


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {"d0": {"type": "string"}}
    for level in range(levels):
        twice = {"$ref": f"#/$defs/d{level}"}
        definitions[f"d{level + 1}"] = {"type": "object", "properties": {"a": twice, "b": twice}}
    return definitions


def form_of(*fields: str) -> dict[str, Any]:
    return {"form": {"sections": [{"title": {"en": "s"}, "fields": list(fields)}]}}


def assert_told_twice(refusal: TemplateError) -> None:
    """Both texts are of their language and name the same place, which nobody translates."""
    english, russian = refusal.text("en"), refusal.text("ru")
    assert (PLACE.findall(english), russian) == (PLACE.findall(russian), refusal.ru)
    assert re.search("[а-яё]", russian)
    assert not re.search("[а-яё]", english)


REFUSED: list[tuple[str, Callable[[], bytes]]] = [
    ("remote reference", lambda: template({"a": {"$ref": "http://127.0.0.1:9/x.json"}})),
    ("file reference", lambda: template({"a": {"$ref": "file:///etc/passwd"}})),
    ("reference to a place", lambda: template({"a": {"$ref": "#/properties/a"}})),
    ("reference to the root", lambda: template({"a": {"$ref": "#"}})),
    ("reference to nothing", lambda: template({"a": {"$ref": "#/$defs/x"}})),
    (
        "reference to itself",
        lambda: template({"a": {"$ref": "#/$defs/x"}}, root={"$defs": {"x": {"$ref": "#/$defs/x"}}}),
    ),
    (
        "references in a ring",
        lambda: template(
            {},
            root={"$defs": {"x": {"properties": {"y": {"$ref": "#/$defs/y"}}}, "y": {"items": {"$ref": "#/$defs/x"}}}},
        ),
    ),
    ("references that double", lambda: template({"a": {"$ref": "#/$defs/d30"}}, root={"$defs": doubling(30)})),
    (
        "keyword beside a reference",
        lambda: template({"a": {"$ref": "#/$defs/x", "type": "string"}}, root={"$defs": {"x": {}}}),
    ),
    ("dynamic reference", lambda: template({"a": {"$dynamicRef": "#x"}})),
    ("identity inside", lambda: template({"a": {"$id": "http://127.0.0.1:9/"}})),
    ("other dialect", lambda: template(root={"$schema": "http://json-schema.org/draft-07/schema#"})),
    ("unknown keyword", lambda: template({"a": {"exec": "rm"}})),
    ("unknown mark", lambda: template({"a": {"x-epd-script": "1"}})),
    ("combinator", lambda: template({"a": {"anyOf": [{}, {}]}})),
    ("unknown member of the card", lambda: template(card={"script": "1"})),
    ("schema that is no object", lambda: template({"a": True})),
    ("properties that are a list", lambda: template(root={"properties": []})),
    ("unknown type", lambda: template({"a": {"type": "decimal"}})),
    ("required that is a text", lambda: template(root={"required": "a"})),
    (
        "type that is an object",
        lambda: template({"a": {"type": {}}}, {"rules": [{"type": "required_if", "pointer": "/a/b"}]}),
    ),
    ("format that is a list", lambda: template({"a": {"format": []}})),
    ("kind of block that is a list", lambda: template(card={"print": {"blocks": [{"kind": []}]}})),
    ("unknown format", lambda: template({"a": {"format": "regex"}})),
    ("pattern that is none", lambda: template({"a": {"pattern": "("}})),
    ("pattern that looks behind", lambda: template({"a": {"pattern": "(?<=a)b"}})),
    ("pattern with a reference", lambda: template({"a": {"pattern": "(a)\\1"}})),
    ("pattern that grows", lambda: template({"a": {"pattern": "(((a{99}){99}){99}){99}"}})),
    ("pattern that is long", lambda: template({"a": {"pattern": "a" * 257}})),
    ("many patterns", lambda: template({f"a{i}": {"pattern": "a"} for i in range(201)})),
    ("enum that is long", lambda: template({"a": {"enum": list(range(1001))}})),
    (
        "enum that references make huge",
        lambda: template(
            {f"a{i}": {"$ref": "#/$defs/x"} for i in range(2_000)},
            root={"$defs": {"x": {"enum": [f"{i:0100}" for i in range(1_000)]}}},
        ),
    ),
    (
        "title that references make huge",
        lambda: template(
            {f"a{i}": {"$ref": "#/$defs/x"} for i in range(2_000)}, root={"$defs": {"x": {"title": "x" * 100_000}}}
        ),
    ),
    (
        "two signing parties of one role",
        lambda: template(card={"parties": [{"role": "owner", "signs": True, "title": {"en": "o"}}] * 2}),
    ),
    ("unit of two lines", lambda: template({"a": {"type": "number", "x-epd-unit": "m3\nh"}})),
    ("code that nobody sees", lambda: template({"a": {}}, {"extract": [{"parameter": "\u202e", "pointer": "/a"}]})),
    ("name that is the wildcard", lambda: template({"*": {}})),
    ("personal as a whole", lambda: template(root={"x-epd-access": "personal"})),
    ("unknown access", lambda: template({"a": {"x-epd-access": "secret"}})),
    ("schema that is deep", lambda: template({"a": nested(25)})),
    ("schema that is wide", lambda: template({f"a{i}": {} for i in range(5001)})),
    ("json that is deep", lambda: b'{"a":' * 100_000),
    ("json that is deep but whole", lambda: b"[" * 5_000 + b"]" * 5_000),
    ("json that is huge", lambda: template({"a": {"description": "x" * 300_000}})),
    ("json cut", lambda: template()[:-1]),
    ("not json", lambda: b"\xff\xfe"),
    ("name twice", lambda: b'{"type":"object","type":"object"}'),
    ("not a number", lambda: template().replace(b'"urn:test:t"', b"NaN")),
    ("number that is long", lambda: template().replace(b'"urn:test:t"', b"9" * 5_000)),
    ("no card", lambda: b'{"type":"object"}'),
    ("card without a publisher", lambda: template().replace(b'"publisher"', b'"process"')),
    ("identity that is an address", lambda: template(root={"$id": "http://127.0.0.1:9/t"})),
    ("title without a language", lambda: template(card={"title": "t"})),
    ("extract that is none", lambda: template(card={"extract": [{"parameter": "p"}]})),
    ("extract of both", lambda: template({"a": {}}, {"extract": [{"parameter": "p", "event": "e", "when": "/a"}]})),
    ("extract with code", lambda: template({"a": {}}, {"extract": [{"parameter": "p", "pointer": "/a", "eval": "1"}]})),
    ("extract of many", lambda: template({"a": {}}, {"extract": [{"parameter": "p", "pointer": "/a/*"}]})),
    ("many rules", lambda: template(card={"rules": [{"type": "x"}] * 201})),
    ("party of no role", lambda: template(card={"parties": [{"role": "king", "signs": True, "title": {"en": "k"}}]})),
    (
        "form of nothing",
        lambda: template(
            {"a": {"type": "string"}}, {"form": {"sections": [{"title": {"en": "s"}, "fields": ["/a/x"]}]}}
        ),
    ),
    ("form that asks twice", lambda: template({"a": {}}, form_of("/a", "/a"))),
    ("form that asks within", lambda: template({"a": {"type": "object"}}, form_of("/a/b", "/a"))),
    (
        "print of one place without end",
        lambda: template({"a": {}}, {"print": {"blocks": [{"kind": "fields", "fields": ["/a"] * 5}]}}),
    ),
    (
        "extract that tells of personal data",
        lambda: template(
            {"a": {}, "b": {"type": "string", "x-epd-access": "personal"}},
            {"extract": [{"parameter": "p", "pointer": "/a", "if": {"pointer": "/b", "equals": "x"}}]},
        ),
    ),
    ("print of html", lambda: template(card={"print": {"blocks": [{"kind": "html", "text": "<script>"}]}})),
    (
        "table of nothing",
        lambda: template(
            {"a": {"type": "string"}}, {"print": {"blocks": [{"kind": "table", "each": "/a", "columns": ["x"]}]}}
        ),
    ),
]


@pytest.mark.parametrize("make", [make for _, make in REFUSED], ids=[name for name, _ in REFUSED])
def test_hostile_template_is_refused(make: Callable[[], bytes]) -> None:
    """Whatever asks for more than the fixed subset is refused with a reason, before any document meets it."""
    with pytest.raises(TemplateRefusedError) as refusal:
        parse_template(make())

    assert 10 < len(str(refusal.value)) < 1_000
    assert_told_twice(refusal.value)


def test_plain_template_is_accepted() -> None:
    """What the hostile ones are built from is itself a template, definitions and references included."""
    data = template(
        {"a": {"$ref": "#/$defs/x", "title": "A"}}, root={"$defs": {"x": {"type": "string", "maxLength": 3}}}
    )

    assert validate(parse_template(data), {"a": "abc"}, NoPassports()).state is State.VALID
    assert validate(parse_template(data), {"a": "abcd"}, NoPassports()).state is State.INVALID


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a?){200}a{200}$", "(.*a){20}b", "(\\w{100}){20}x"])
def test_pattern_that_hangs_others_is_harmless(pattern: str) -> None:
    """Patterns that explode a backtracking engine answer on 100,000 characters at once."""
    accepted = parse_template(template({"a": {"type": "string", "pattern": pattern}}))

    assert validate(accepted, {"a": "a" * 100_000 + "!"}, NoPassports()).state is State.INVALID


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":Infinity}',
        b'{"a":1e99}',
        b'{"a":1e999999999999999999999}',
        b'{"a":' + b"1" * 41 + b"}",
        b'{"a":0.' + b"1" * 100 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"' + b"k" * 129 + b'":1}',
        b'"\xff"',
        b"{" + b",".join(b'"%x":1' % name for name in range(25_000)) + b',"61a7":1}',
        b"[" * 33 + b"]" * 33,
        b"[" + b"1," * 50_000 + b"1]",
        b'"' + b"x" * 262_144 + b'"',
    ],
)
def test_hostile_document_is_refused(data: bytes) -> None:
    """No JSON, a name twice, a number or a text that nothing can sign, and whatever is too large or too deep."""
    with pytest.raises(JsonError) as refusal:
        parse_document(data)

    assert_told_twice(refusal.value)


def test_flood_of_findings_is_cut() -> None:
    """A document that breaks the schema in 20,000 places gives 100 findings and says there were more."""
    accepted = parse_template(template({"a": {"type": "array", "items": {"type": "string"}}}))

    verdict = validate(accepted, {"a": [1] * 20_000}, NoPassports())

    assert (len(verdict.findings), verdict.truncated, verdict.state) == (100, True, State.INVALID)


@pytest.mark.timeout(20)
def test_work_over_a_flood_of_findings_is_cut() -> None:
    """What would be found in 120 million places, or by 200 rules in 10,000 rows, stops at the first 100."""
    names: list[str] = [f"r{number}" for number in range(3_000)]
    lacking = parse_template(template({"a": {"type": "array", "items": {"type": "object", "required": names}}}))
    rule = {"type": "all_pass", "each": "/a", "flag": "ok"}
    ruled = parse_template(template({"a": {"type": "array", "items": {"type": "object"}}}, {"rules": [rule] * 200}))

    told = [
        validate(lacking, {"a": [{}] * 40_000}, NoPassports()),
        validate(ruled, {"a": [{}] * 10_000}, NoPassports()),
    ]

    assert [(len(verdict.findings), verdict.truncated) for verdict in told] == [(100, True)] * 2


def test_patterns_of_templates_that_are_not_in_use_take_no_memory() -> None:
    """Of any number of templates with the largest patterns a few are compiled at once."""
    wide = [
        parse_template(template({f"a{n}": {"pattern": f".{{1,255}}{n}"} for n in range(20)} | {"b": {"const": m}}))
        for m in range(2 * MAX_COMPILED)
    ]

    verdicts = [validate(one, {"b": number}, NoPassports()).state for number, one in enumerate(wide)]

    assert set(verdicts) == {State.VALID}
    gc.collect()
    assert sum(isinstance(item, Compiled) for item in gc.get_objects()) == MAX_COMPILED


@pytest.mark.timeout(20)
def test_work_of_rules_that_find_nothing_is_cut_and_said_so() -> None:
    """200 rules over 12,000 rows stop after so many; what was not looked at leaves the document open."""
    rule = {"type": "relative_error", "each": "/a", "measured": "m", "reference": "r", "error": "e", "tolerance": 1}
    ruled = parse_template(template({"a": {"type": "array", "items": {"type": "object"}}}, {"rules": [rule] * 200}))

    verdict = validate(ruled, {"a": [{"m": 1, "r": 1, "e": 0}] * 12_000}, NoPassports())

    assert (verdict.state, [found.code for found in verdict.findings]) == (State.NOT_FULLY_CHECKED, ["rules-too-long"])


@pytest.mark.timeout(20)
def test_one_large_value_is_taken_out_by_many_lines_at_once() -> None:
    """Whether it holds anything personal is looked up once for its place."""
    lines = [{"parameter": f"p{number}", "pointer": "/a"} for number in range(200)]
    personal = {"type": "object", "properties": {"n": {"type": "string", "x-epd-access": "personal"}}}
    taking = parse_template(template({"a": {"type": "array", "items": personal}}, {"extract": lines}))

    taken = extract(taking, {"a": [*[{}] * 40_000, {"n": "Иванов"}]})

    assert {item.personal for item in taken.parameters} == {True}


def test_value_in_a_finding_is_cut() -> None:
    """A value of 100,000 characters is shown by its beginning."""
    accepted = parse_template(template({"a": {"type": "integer"}}))

    finding = validate(accepted, {"a": "x" * 100_000}, NoPassports()).findings[0]

    assert len(finding.value) == 201
