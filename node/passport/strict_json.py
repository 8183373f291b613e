"""JSON of others, read strictly: limits on everything, numbers exact, no name twice; and its canonical bytes.

Numbers with a point or an exponent are Decimal, never float. A text that has no UTF-8 form (a lone surrogate) is
refused, because nothing could sign or store it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from node.passport.templates.errors import JsonError

Json = dict[str, "Json"] | list["Json"] | str | int | Decimal | bool | None

MAX_DIGITS = 40
MAX_EXPONENT = 40
MAX_NAME = 128
MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """How large a JSON text may be: bytes, nesting, and values in all."""

    size: int
    depth: int
    values: int


DOCUMENT_LIMITS = JsonLimits(size=262_144, depth=32, values=50_000)
TEMPLATE_LIMITS = JsonLimits(size=262_144, depth=64, values=50_000)


def parse_json(data: bytes, limits: JsonLimits = DOCUMENT_LIMITS) -> Json:
    """Read UTF-8 JSON; raise JsonError for what is none or is over a limit."""
    if len(data) > limits.size:
        raise JsonError(
            f"{len(data)} bytes are over the limit of {limits.size}", f"{len(data)} байт при пределе {limits.size}"
        )
    try:
        value: Json = json.loads(
            data.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise JsonError(
            f"nesting is over the limit of {limits.depth}", f"вложенность больше предела {limits.depth}"
        ) from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both
        raise JsonError(f"no JSON: {error}", f"это не JSON: {error}") from error
    check_json(value, limits)
    return value


def check_json(value: Json, limits: JsonLimits = DOCUMENT_LIMITS) -> None:
    """Hold a value made elsewhere to the same limits and types; raise JsonError."""
    level: list[Json] = [value]
    depth = count = 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > limits.depth or count > limits.values:
            raise JsonError(
                f"depth {depth} and {count} values are over the limit of {limits.depth} and {limits.values}",
                f"вложенность {depth} и значений {count} при пределах {limits.depth} и {limits.values}",
            )
        for item in level:
            _check_scalar(item)
        level = [child for item in level for child in _children(item)]


def format_json(value: Json) -> bytes:
    """The canonical bytes: names sorted, no spaces, UTF-8, a Decimal with the digits it was read with."""
    return _format(value).encode("utf-8")


def show(value: Json) -> str:
    """A value as JSON text for a person, cut after 200 characters."""
    text = _format(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def json_equal(one: Json, other: Json) -> bool:
    """Equality of JSON: 1 and 1.0 are equal, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def _format(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_format(key)}:{_format(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_format(item) for item in value) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_scalar(value: Json) -> None:
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str) or len(name) > MAX_NAME:
                shown = repr(str(name)[:MAX_SHOWN])
                raise JsonError(
                    f"{shown} is no name of at most {MAX_NAME} characters",
                    f"{shown} — не имя длиной до {MAX_NAME} знаков",
                )
            _check_text(name)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, Decimal):
        _check_number(value)
    elif isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS:
            raise _long_number()
    elif value is not None and not isinstance(value, list):
        kind = type(value).__name__
        raise JsonError(
            f"a {kind} is no JSON here: numbers are int or Decimal", f"{kind} здесь не JSON: числа — int или Decimal"
        )


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise JsonError(
            f"a text has no UTF-8 form: {error.reason}", f"текст не записать в UTF-8: {error.reason}"
        ) from error


def _check_number(value: Decimal) -> None:
    if not value.is_finite() or len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_EXPONENT:
        raise JsonError(
            f"a number is over {MAX_DIGITS} digits or beyond 10**±{MAX_EXPONENT}",
            f"в числе больше {MAX_DIGITS} цифр, или порядок за пределами 10**±{MAX_EXPONENT}",
        )


def _decimal(text: str) -> Decimal:
    if len(text) > 2 * MAX_DIGITS:
        raise _long_number()
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise JsonError(f"{text} is no number here", f"{text} здесь не число") from error


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS + 1:
        raise _long_number()
    return int(text)


def _long_number() -> JsonError:
    return JsonError(f"a number has over {MAX_DIGITS} digits", f"в числе больше {MAX_DIGITS} цифр")


def _refuse_constant(text: str) -> NoReturn:
    raise JsonError(f"{text} is no JSON", f"{text} в JSON не бывает")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise JsonError(f"the name {twice!r} stands twice in one object", f"имя {twice!r} стоит в одном объекте дважды")
    return found
