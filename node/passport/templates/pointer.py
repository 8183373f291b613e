"""JSON pointers of RFC 6901, with `*` for every item of an array."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from node.passport.strict_json import Json
from node.passport.templates.errors import PointerError

# The longest pointer into a document within its limits: 32 names of 128 characters, each escaped.
MAX_LENGTH = 32 * (1 + 2 * 128)
EVERY = "*"


class Missing(Enum):
    """What stands where a pointer leads to nothing; null is something."""

    MISSING = "missing"


MISSING = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place in a document, as unescaped tokens from the root."""

    tokens: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in self.tokens)

    def child(self, token: str | int) -> "Pointer":
        """The place one step further."""
        return Pointer((*self.tokens, str(token)))

    def join(self, other: "Pointer") -> "Pointer":
        """The place of a pointer that starts here."""
        return Pointer(self.tokens + other.tokens)

    @property
    def has_wildcard(self) -> bool:
        """Whether it may lead to several places."""
        return EVERY in self.tokens


def parse_pointer(text: object) -> Pointer:
    """Read a pointer; raise PointerError for what is none, among it the pointer to the whole document."""
    if not isinstance(text, str) or not text.startswith("/") or len(text) > MAX_LENGTH:
        shown = repr(str(text)[:80])
        raise PointerError(
            f"{shown} is no JSON pointer to a place in a document", f"{shown} — не указатель JSON на место в документе"
        )
    tokens = []
    for token in text[1:].split("/"):
        plain = token.replace("~0", "").replace("~1", "")
        if "~" in plain:
            raise PointerError(
                f"{text!r} has a ~ that is neither ~0 nor ~1", f"в {text!r} есть ~, но это не ~0 и не ~1"
            )
        tokens.append(token.replace("~1", "/").replace("~0", "~"))
    return Pointer(tuple(tokens))


def find(document: Json, pointer: Pointer) -> Json | Missing:
    """The value at a pointer without wildcards, or MISSING."""
    value: Json | Missing = document
    for token in pointer.tokens:
        value = _step(value, token)
    return value


def expand(document: Json, pointer: Pointer) -> Iterator[tuple[Pointer, Json]]:
    """Every existing place that a pointer leads to, in the order of the document."""
    places: list[tuple[Pointer, Json]] = [(Pointer(), document)]
    for token in pointer.tokens:
        places = [step for place, value in places for step in _steps(place, value, token)]
    yield from places


def _steps(place: Pointer, value: Json, token: str) -> Iterator[tuple[Pointer, Json]]:
    if token == EVERY and isinstance(value, list):
        yield from ((place.child(index), item) for index, item in enumerate(value))
    elif (found := _step(value, token)) is not MISSING:
        yield place.child(token), found


def _step(value: Json | Missing, token: str) -> Json | Missing:
    if isinstance(value, dict):
        return value.get(token, MISSING)
    if isinstance(value, list) and is_index(token) and int(token) < len(value):
        return value[int(token)]
    return MISSING


def is_index(token: str) -> bool:
    """Whether a token is an array index: decimal, no leading zero, of a size a document can have."""
    return token.isascii() and token.isdigit() and len(token) <= 6 and str(int(token)) == token
