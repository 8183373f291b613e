"""From a request to the models of its route, with every limit checked before memory is taken."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_request import FileField
from multidict import MultiMapping
from pydantic import BaseModel, TypeAdapter, ValidationError, model_validator
from pydantic_core import from_json

from node.errors import InputError
from node.web.routes import Route
from node.web.rules import BrokenRule, broken_rules

CHUNK = 1 << 16
JSON, BYTES = "application/json", "application/octet-stream"
FORMAT = "format"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class Upload(BaseModel):
    """A file that a form sent."""

    filename: str
    content: bytes

    @model_validator(mode="before")
    @classmethod
    def _unchosen(cls, value: object) -> object:
        # What a browser sends where nobody chose a file: a part without a name and without content.
        return {"filename": "", "content": b""} if value in ("", b"") else value

    def chosen(self) -> bytes:
        """The content; raise InputError where no file was chosen, or one with nothing in it."""
        if not self.content:
            raise InputError("no file was chosen, or it is empty", "file_none")
        return self.content


class RulesError(InputError):
    """Values of a request break rules of its models."""

    code = "validation"

    def __init__(self, place: str, error: ValidationError, names: Collection[str] = ()) -> None:
        super().__init__(f"{error.error_count()} values of the {place} break rules")
        self.place = place
        self.error = error
        self.names = names

    def rules(self, language: str) -> list[BrokenRule]:
        """The broken rules in words; of a parameter that there is not, with those that there are."""
        return list(broken_rules(self.place, self.error, language, self.names))


class NoQuery(BaseModel):
    """What a route without parameters takes."""


async def read_body(request: web.Request, limit: int) -> bytes:
    """The raw body; raise InputError as soon as it is known to be larger than the limit."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    with whole_body():
        async for chunk in request.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    return bytes(body)


async def bind(route: Route, request: web.Request, raw: bytes | None) -> dict[str, object]:
    """The arguments of a route's handler; raise InputError. `raw` is the body where it was read already."""
    arguments: dict[str, object] = {}
    for name, model in route.models.items():
        if name == "path":
            arguments[name] = _checked(name, model, {k: _plain(v) for k, v in request.match_info.items()})
        elif name == "query":
            arguments[name] = _bind_query(route, request, model)
        else:
            arguments[name] = await _bind_body(route, request, raw)
    if "query" not in route.models and request.query:
        _bind_query(route, request, NoQuery)
    return arguments


def _bind_query(route: Route, request: web.Request, model: type[BaseModel]) -> object:
    """The parameters. An unknown one is refused but on a page, whose address people pass on with what others add."""
    values = _flat(model, request.query)
    if route.is_page:
        return _checked("query", model, values)
    names = route.parameters
    if FORMAT not in names:
        values.pop(FORMAT, None)  # read before, for a list as a file
        names += [FORMAT] if route.table is not None else []
    return _checked("query", model, values, extra="forbid", names=names)


async def _bind_body(route: Route, request: web.Request, raw: bytes | None) -> object:
    model = route.models["body"]
    if route.is_page:
        return _checked("body", model, await _read_form(route, request, model))
    content = raw if raw is not None else await read_body(request, route.max_body)
    if model is bytes:
        return content
    if request.content_type != JSON:
        raise InputError(f"the body is {request.content_type}", "media_type", expected=JSON)
    return _checked("body", model, _parse_json(content), extra="forbid")


async def _read_form(route: Route, request: web.Request, model: type[BaseModel]) -> Mapping[str, object]:
    if request.content_type not in {FORM, MULTIPART}:
        raise InputError(f"the body is {request.content_type}", "media_type", expected=f"{FORM}, {MULTIPART}")
    if request.content_length is None:
        raise InputError("a form says its length first", "length_required")
    if request.content_length > route.max_body:
        raise _too_large(route.max_body)
    with whole_body():
        return _flat(model, await request.post())


@contextmanager
def whole_body() -> Iterator[None]:
    """What the HTTP library finds wrong with a body while it comes is the sender's fault."""
    try:
        yield
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise InputError("the body breaks off, or is not in the encoding that it states", "request") from error


def _flat(model: type[BaseModel], values: MultiMapping[Any]) -> dict[str, object]:
    """One value a name, a list where the model has one; an empty text, or no file chosen, is as good as none."""
    lists, optional = _kinds_of_fields(model)
    found: dict[str, object] = {}
    for name in values:
        taken = [_plain(value) for value in values.getall(name)]
        found[name] = taken if name in lists else taken[-1]
    return {name: value for name, value in found.items() if not (value in ("", b"") and name in optional)}


@cache  # routes declare their models once
def _kinds_of_fields(model: type[BaseModel]) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that take a list, and those that may be left out."""
    fields = model.model_fields.items()
    return (
        frozenset(name for name, field in fields if _takes_list(field.annotation)),
        frozenset(name for name, field in fields if not field.is_required()),
    )


def _takes_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", annotation) in {list, tuple, set, frozenset}


def _plain(value: str | bytes | FileField) -> object:
    if isinstance(value, FileField):
        return {"filename": value.filename, "content": value.file.read()}
    if "\0" in str(value):
        raise InputError("a value holds a NUL", "request")
    return value


def _parse_json(raw: bytes) -> object:
    # No text column takes a NUL, and none is ever meant.
    if b"\\u0000" in raw:
        raise InputError("a text holds a NUL", "json")
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}", "json") from error


def _checked(
    place: str,
    model: type[BaseModel],
    values: object,
    extra: Literal["ignore", "forbid"] | None = None,
    names: Collection[str] = (),
) -> object:
    try:
        return _adapter(model).validate_python(values, extra=extra)
    except ValidationError as error:
        raise RulesError(place, error, names) from error


@cache
def _adapter(model: type[BaseModel]) -> TypeAdapter[object]:
    return TypeAdapter(model)


def _too_large(limit: int) -> InputError:
    return InputError(f"the body is larger than {limit} bytes", "too_large", limit=limit)
