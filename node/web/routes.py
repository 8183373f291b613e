"""Declaring what the API and the console answer: one decorated function a route.

The function takes a `Call` and, by name, the models `path`, `query` and `body`; its annotations are the contract from
which requests are checked and the OpenAPI document is made. `body` may also be `bytes`.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from node.services.access import Scope
from node.web.columns import Table
from node.web.languages import mark

API = "/api/v1"
MAX_BODY = 1 << 20
PARTS = ("path", "query", "body")

Answer = TypeVar("Answer")

# What a handler answers: a model, a view, a ready response, or None for "no content".
Handler = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Written(Generic[Answer]):
    """An answer of a model that is JSON already: what the store holds is not read and written again."""

    body: bytes


class Limit(Enum):
    """How an operation holds a token to the devices that it is limited to."""

    REFUSES = "refuses"  # it takes no such token
    PASSPORT = "passport"  # its path names the one passport that it reads
    NARROWS = "narrows"  # its handler answers for those devices alone
    NONE = "none"  # it tells nothing of any device


class Group(Enum):
    """The parts of the navigation in their order, by what stands over each."""

    HOME = ""
    PASSPORTS = mark("Passports")
    WORK = mark("Work")
    PARTIES = mark("Parties")
    NODE = mark("The node")


@dataclass(frozen=True, slots=True)
class Menu:
    """A place in the navigation; within a group smaller orders stand first."""

    group: Group
    order: int
    icon: str = ""
    count: Callable[[Any], Awaitable[int]] | None = None  # Any: a Call; how many things wait there


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, and everything that is promised about it."""

    method: str
    path: str
    handler: Handler
    title: str
    scopes: frozenset[Scope]
    models: dict[str, Any]  # Any: pydantic models or `bytes`, by the names path, query and body
    answer: Any  # Any: a pydantic model, a view or None
    status: int
    problems: tuple[str, ...]
    is_open: bool
    is_page: bool
    before_claim: bool
    max_body: int
    menu: Menu | None
    api: str
    table: Table | None = None
    lists: tuple[str, ...] = ()
    limit: Limit = Limit.REFUSES
    files: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Stable name of the operation: module and function."""
        return f"{self.handler.__module__.rpartition('.')[2]}_{self.handler.__name__}"

    @property
    def operation(self) -> str:
        """The operation of the API that this is, or that a page shows: method and path under /api/v1."""
        return self.api or f"{self.method} {self.path.removeprefix(API)}"

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters in the address."""
        return [*self.models["query"].model_fields] if "query" in self.models else []

    @property
    def is_write(self) -> bool:
        """Whether the method may change something."""
        return self.method not in {"GET", "HEAD"}

    def address(self, values: dict[str, object]) -> str:
        """The path with its parameters filled in."""
        return re.sub(r"{(\w+)(:[^{}]*)?}", lambda found: str(values[found[1]]), self.path)


class Decorator(Protocol):
    """Turns a handler into a route."""

    def __call__(self, handler: Handler) -> Route:
        """The route."""
        ...


def api(
    method: str,
    path: str,
    *,
    title: str,
    scopes: Iterable[Scope] = (),
    status: int = 200,
    problems: Iterable[str] = (),
    is_open: bool = False,
    before_claim: bool = False,
    max_body: int = MAX_BODY,
    table: Table | None = None,
    limit: Limit = Limit.REFUSES,
    files: Iterable[str] = (),
) -> Decorator:
    """A resource of the API under /api/v1. `problems` are the codes it may answer beside the common ones.

    A list with a `table` is answered as CSV, XLSX and JSONL too. What answers a file says of which media types.
    """

    def decorate(handler: Handler) -> Route:
        models, answer = _contract(handler)
        return Route(
            method, API + path, handler, title, frozenset(scopes), models, answer, status, tuple(problems),
            is_open, False, before_claim, max_body, None, "", table, limit=limit, files=tuple(files),
        )  # fmt: skip

    return decorate


def page(
    method: str,
    path: str,
    *,
    title: str,
    scopes: Iterable[Scope] = (),
    menu: Menu | None = None,
    api: str = "",  # the operation that does the same, as "GET /journal"
    lists: Iterable[str] = (),  # operations of further lists that the page shows
    is_open: bool = False,
    before_claim: bool = False,
    max_body: int = MAX_BODY,
    limit: Limit = Limit.REFUSES,
) -> Decorator:
    """A page of the console or an act of its forms. `title` is marked for translation."""

    def decorate(handler: Handler) -> Route:
        models, answer = _contract(handler)
        return Route(
            method, path, handler, title, frozenset(scopes), models, answer, 200, (),
            is_open, True, before_claim, max_body, menu, api, None, tuple(lists), limit,
        )  # fmt: skip

    return decorate


def _contract(handler: Handler) -> tuple[dict[str, Any], Any]:
    hints = get_type_hints(handler)
    answer = hints.pop("return")
    models = {name: hints[name] for name in inspect.signature(handler).parameters if name in PARTS}
    for name, model in models.items():
        if model is not bytes and not issubclass(model, BaseModel):
            raise TypeError(f"{handler.__module__}.{handler.__name__}: {name} is neither a model nor bytes")
    return models, get_args(answer)[0] if get_origin(answer) is Written else answer
