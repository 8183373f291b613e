"""The OpenAPI 3.1 document, made from the declared routes and their models."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from inspect import getdoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from node.web.binding import BYTES, JSON
from node.web.downloads import PLAIN, TYPES
from node.web.errors import COMMON_CODES, PROBLEM_TYPE, READ_CODES, WRITE_CODES, Problem, status_of_code
from node.web.problems import find_text
from node.web.routes import API, Limit, Route
from node.web.webhook_event import WebhookEvent

Schema = dict[str, Any]  # Any: a JSON document
LIMIT_CODES = {Limit.REFUSES: ("token_limited",), Limit.PASSPORT: ("token_device",)}
REF = "#/components/schemas/{model}"


def describe(routes: Sequence[Route], title: str, version: str) -> Schema:
    """The document of those routes that belong to the API, and of what the node itself sends."""
    shown = [route for route in routes if not route.is_page]
    schemas, refs = _schemas(shown)
    paths: dict[str, Schema] = defaultdict(dict)
    for route in shown:
        paths[plain_path(route)][route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "webhooks": {"event": {"post": _webhook(refs)}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of this node."},
                "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "A log-in."},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def plain_path(route: Route) -> str:
    """The path as OpenAPI writes it, without aiohttp's patterns."""
    return re.sub(r"{(\w+):[^{}]*}", r"{\1}", route.path)


def codes_of(route: Route) -> list[str]:
    """Every problem code that an operation declares."""
    of_lists = ("format_unknown",) if route.table is not None else ()
    limited = () if route.is_open else LIMIT_CODES.get(route.limit, ())
    of_systems = () if route.is_open else ("system_thing", *(["system_write"] if route.is_write else []))
    paged = ("cursor",) if "cursor" in route.parameters else ()
    own = (
        *COMMON_CODES,
        *READ_CODES,
        *(WRITE_CODES if route.is_write else ()),
        *of_lists,
        *paged,
        *limited,
        *of_systems,
        *route.problems,
    )
    return list(dict.fromkeys(own))


def _operation(route: Route, refs: Mapping[type, Schema]) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "summary": route.title,
        "description": getdoc(route.handler) or "",
        "tags": [route.path.removeprefix(API).strip("/").split("/")[0] or "node"],
        "parameters": _parameters(route),
        "responses": {**_answers(route, refs), **_problems(route, refs)},
    }
    if route.scopes:
        operation["x-scopes"] = sorted(route.scopes)
    if route.is_open:
        operation["security"] = []
    if "body" in route.models:
        operation["requestBody"] = {"required": True, "content": _body(route.models["body"], refs)}
    return operation


def _webhook(refs: Mapping[type, Schema]) -> Schema:
    """What a receiver has to take."""
    headers = (
        ("webhook-id", "The same for an event however often it is sent: tell by it what you have had."),
        ("webhook-timestamp", "When this attempt was made, in seconds since 1970: refuse what is old."),
        ("webhook-signature", "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several apart by spaces."),
    )
    text = {"schema": {"type": "string"}, "in": "header", "required": True}
    return {
        "operationId": "event",
        "summary": "An event",
        "description": getdoc(WebhookEvent) or "",
        "tags": ["webhooks"],
        "security": [],
        "parameters": [{"name": name, "description": told, **text} for name, told in headers],
        "requestBody": {"required": True, "content": {JSON: {"schema": refs[WebhookEvent]}}},
        "responses": {
            "2XX": {"description": "Taken: the next event follows."},
            "410": {"description": "Gone: the webhook pauses."},
            "default": {"description": "Not taken: it is sent again, later each time. No redirect is followed."},
        },
    }


def _body(model: type, refs: Mapping[type, Schema]) -> Schema:
    return {BYTES: {}} if model is bytes else {JSON: {"schema": refs[model]}}


def _answers(route: Route, refs: Mapping[type, Schema]) -> Schema:
    if _is_model(route.answer):
        content: Schema = {JSON: {"schema": refs[route.answer]}}
        if route.table is not None:
            content |= {kind: {} for kind in TYPES.values()}
        return {str(route.status): {"description": getdoc(route.answer) or "Done.", "content": content}}
    if route.answer is type(None):
        return {"204": {"description": "Done; nothing to say."}}
    return {str(route.status): {"description": "The file.", "content": {kind: {} for kind in route.files}}}


def _problems(route: Route, refs: Mapping[type, Schema]) -> Schema:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes_of(route):
        by_status[status_of_code(code)].append(code)
    content = {PROBLEM_TYPE: {"schema": refs[Problem]}}
    return {
        str(status): {"description": "; ".join(f"`{c}`: {find_text(c).en.title}" for c in codes), "content": content}
        for status, codes in sorted(by_status.items())
    }


def _parameters(route: Route) -> list[Schema]:
    found: list[Schema] = []
    for place in ("path", "query"):
        model = route.models.get(place)
        if model is not None:
            found += _fields(place, model)
    if route.table is not None:
        text = "As a file: the whole list under this filter, without pages."
        schema = {"enum": ["", PLAIN, *TYPES]}  # left empty it is as good as left out
        found.append({"name": "format", "in": "query", "schema": schema, "description": text})
    if route.is_write:
        text = "Repeated within a day with the same key, a request acts once and gets the same answer."
        found.append({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}, "description": text})
    return found


def _fields(place: str, model: type[BaseModel]) -> Iterable[Schema]:
    schema = model.model_json_schema(ref_template=REF)
    for name, field in schema["properties"].items():
        inlined = _inline(field, schema.get("$defs", {}))
        description = inlined.pop("description", "")
        required = place == "path" or name in schema.get("required", ())
        parameter = {"name": name, "in": place, "required": required, "schema": inlined, "description": description}
        # An empty text asks as much as none: forms send it.
        yield {**parameter, "allowEmptyValue": True} if place == "query" and not required else parameter


def _inline(field: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """A parameter's schema without references: its models are not among the components."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return {**definitions[name], **{key: value for key, value in field.items() if key != "$ref"}}
    return {key: _inline(value, definitions) if isinstance(value, dict) else value for key, value in field.items()}


def _schemas(routes: Iterable[Route]) -> tuple[dict[str, Schema], dict[type, Schema]]:
    models: list[tuple[type[BaseModel], Any]] = [(Problem, "serialization"), (WebhookEvent, "serialization")]
    for route in routes:
        models += [(route.models["body"], "validation")] if _is_model(route.models.get("body")) else []
        models += [(route.answer, "serialization")] if _is_model(route.answer) else []
    made, document = models_json_schema(list(dict.fromkeys(models)), ref_template=REF)
    return document.get("$defs", {}), {model: dict(ref) for (model, _), ref in made.items()}


@cache
def _is_model(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)
