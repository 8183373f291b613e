"""A form of 60 fields: typed texts to a document, schema, rules of six types, and what is extracted.

Against: python's `jsonschema` on the same schema and the same document, the schema alone, compiled beforehand. Times
are those of one document, the mean of 200 in each run; the fields, their limits and values are others in each run.
"""

import json
import random
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema

from benchmarks.__main__ import Measure
from node.passport.strict_json import Json
from node.passport.templates.facts import NoPassports
from node.passport.templates.findings import State
from node.passport.templates.form import fields_of, form_of, read_form
from node.passport.templates.pointer import MISSING
from node.passport.templates.template import Template, extract, parse_document, parse_template, validate

FIELDS, POINTS, TIMES = 60, 6, 200
RULES: list[dict[str, Any]] = [
    {"type": "time_order", "from": "/started", "to": "/finished"},
    {"type": "date_plus_months_minus_day", "from": "/day", "months": 12, "to": "/until"},
    {"type": "relative_error", "each": "/points", "measured": "m", "reference": "r", "error": "e", "tolerance": 0.01},
    {"type": "within_mpe", "each": "/points", "error": "e", "mpe": "limit"},
    {"type": "required_if", "pointer": "/note", "if": {"pointer": "/fit", "equals": False}},
    {"type": "min_items_if", "pointer": "/points", "min": 3, "if": {"pointer": "/fit", "equals": True}},
]


@cache
def _form(run: int) -> tuple[Template, bytes, dict[str, Any]]:
    """A template of sixty fields, a good document of it as bytes, and the plain schema of the same."""
    source = random.Random(run)
    point = {name: {"type": "number"} for name in ("m", "r", "e", "limit")}
    fixed = {
        "started": {"type": "string", "format": "date-time"},
        "finished": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "until": {"type": "string", "format": "date"},
        "fit": {"type": "boolean"},
        "note": {"type": "string", "maxLength": 200},
        "points": {"type": "array", "maxItems": 64, "items": {"type": "object", "properties": point}},
    }
    points = [{"m": 10.0, "r": 10.0, "e": 0, "limit": 2} for _ in range(POINTS)]
    values: dict[str, Any] = {
        "started": "2026-05-14T09:12:00+05:00", "finished": "2026-05-14T10:12:00+05:00", "day": "2026-05-14",
        "until": "2027-05-13", "fit": True, "points": points,
    }  # fmt: skip
    free: dict[str, Any] = {}
    for at in range(FIELDS - (len(fixed) - 1) - POINTS * len(point)):
        name, kind = f"f{at}_{source.randrange(10**6)}", at % 4
        number, word = source.randrange(1000), f"А{source.randrange(10**6):06d}"
        free[name] = (
            {"type": "number", "minimum": 0, "maximum": 1000},
            {"type": "string", "pattern": "^[А-Я][0-9]{6}$"},
            {"enum": [word, "b", "c"]},
            {"type": "integer", "minimum": 0},
        )[kind]
        values[name] = (number + 0.5, word, word, number)[kind]
    names = list(fixed | free)
    source.shuffle(names)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": sorted(free),
        "properties": {name: (fixed | free)[name] for name in names},
    }
    extracted = [{"parameter": "k_factor", "pointer": "/points/0/m"}, {"event": "calibrated", "when": "/finished"}]
    card = {"name": "bench", "version": "1", "publisher": "b", "title": {"en": "b"}, "rules": RULES}
    root = schema | {"$id": "urn:bench", "x-epd-template": card | {"extract": extracted}}
    return parse_template(json.dumps(root).encode()), json.dumps(values, ensure_ascii=False).encode(), schema


def _typed(template: Template, document: Json) -> dict[str, str]:
    """What a browser sends for the document."""
    fields = [field for group in form_of(template, document) for field in fields_of(group.parts)]
    assert len(fields) == FIELDS, len(fields)
    told = {str(field.place): field.value for field in fields if field.value is not MISSING}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()}


def _checked(run: int) -> float:
    template, raw, _ = _form(run)

    def one() -> None:
        verdict = validate(template, parse_document(raw), NoPassports())
        assert verdict.state is State.VALID, verdict

    return _mean_ms(one)


def _whole(run: int) -> float:
    template, raw, _ = _form(run)
    begun = parse_document(raw)
    typed = _typed(template, begun)

    def one() -> None:
        document = read_form(template, begun, typed)
        assert validate(template, document, NoPassports()).state is State.VALID
        assert extract(template, document).events

    return _mean_ms(one)


def _peer(run: int) -> float:
    _, raw, schema = _form(run)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    def one() -> None:
        assert not list(validator.iter_errors(json.loads(raw)))

    return _mean_ms(one)


def _mean_ms(one: Callable[[], None]) -> float:
    one()
    started = time.perf_counter()
    for _ in range(TIMES):
        one()
    return (time.perf_counter() - started) / TIMES * 1000


PEER = "python jsonschema, the schema alone"
MEASURES = (
    Measure("a form of 60 fields checked: schema, formats, six types of rules", "ms", PEER, _checked, _peer),
    Measure("the same from typed texts, with what is extracted", "ms", PEER, _whole, _peer),
)
