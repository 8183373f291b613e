"""One request on its way to a handler: who asks, in which language, and what is said beside the answer."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar

from aiohttp import web
from multidict import CIMultiDict
from pydantic import BaseModel, Field

from node.errors import DeniedError, InputError
from node.services.access import Actor
from node.services.parts import Parts
from node.web.context import CONTEXT
from node.web.cursors import Cursors
from node.web.routes import Route

Item = TypeVar("Item")

CURSORS = web.AppKey("cursors", Cursors)


class PageQuery(BaseModel):
    """How much of a list, and from where."""

    limit: int = Field(default=50, ge=1, le=200, description="How many items at most.")
    cursor: str | None = Field(default=None, description="`next` of the page before.")


class Page(BaseModel, Generic[Item]):
    """Part of a list."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class View:
    """A template with its values, to be answered as a page; `error` is shown on it and gives the status."""

    def __init__(self, template: str, *, error: Exception | None = None, api_query: str = "", **values: object) -> None:
        self.template = template
        self.error = error
        self.api_query = api_query
        self.values = values


@dataclass(slots=True)
class Call:
    """One request."""

    request: web.Request
    route: Route
    visitor: Actor | None
    language: str
    moment: int | None = None  # the version of the store when the request was admitted
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)

    @property
    def context(self) -> Parts:
        """The services."""
        return self.request.app[CONTEXT]

    @property
    def actor(self) -> Actor:
        """Who asks; raise DeniedError where nobody does."""
        if self.visitor is None:
            raise DeniedError("this needs a log-in or a token", "unauthenticated")
        return self.visitor

    @property
    def operation_id(self) -> bytes:
        """16 bytes for what this request makes: the same again for a repeated Idempotency-Key, else new ones."""
        key = self.request.headers.get("Idempotency-Key")
        if key is None:
            return self.context.random.bytes(16)
        named = f"{self.actor.label}\n{self.actor.id}\n{self.route.name}\n{key}"
        return hashlib.blake2b(named.encode(), key=self.context.secret, digest_size=16).digest()

    def encode_cursor(self, *place: int | str) -> str:
        """The cursor after a row of this route's list, the same for a page and the operation that it shows."""
        return self.request.app[CURSORS].encode(self.route.operation, *place)

    def decode_cursor(self, text: str, *types: type[int] | type[str]) -> tuple[int | str, ...]:
        """The place that a cursor names; raise InputError."""
        return tuple(self.request.app[CURSORS].decode(self.route.operation, text, *types))

    def set_etag(self, *parts: Hashable) -> None:
        """Say the version of what is answered."""
        self.headers["ETag"] = make_etag(*parts)

    def require_match(self, *parts: Hashable) -> None:
        """Raise InputError unless If-Match names the version that stands."""
        wanted = self.request.headers.get("If-Match")
        if wanted is None:
            raise InputError("the header If-Match is missing", "precondition_required")
        if wanted.strip() != "*" and make_etag(*parts) not in [tag.strip() for tag in wanted.split(",")]:
            raise InputError("the version in If-Match is not the one that stands", "precondition")


@lru_cache(maxsize=4096)  # what is asked for often is told by the same digests
def make_etag(*parts: Hashable) -> str:
    """A strong ETag of values that change whenever the answer does."""
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'
