"""The event stream: journal rows as they are written, or parts of a page made anew from them.

A reader that was cut off comes back with Last-Event-ID and misses nothing. A stream ends with its session or token, and
with the node.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import structlog
from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.services.access import Actor, Scope
from node.services.journal import JournalRow, Sift
from node.web.auth import may_go_on
from node.web.calls import Call
from node.web.routes import Limit, page

log = structlog.get_logger()

HEARTBEAT_S = 15.0
BATCH = 200
STREAMS_OF_ONE = 4  # a browser opens six connections to a host, and pages need one too
RETRY_MS = 2000
LARGEST_ID = 2**63 - 1

# A live part gets the call and the new rows, and answers HTML by event name; an empty mapping sends nothing.
Render = Callable[[Call, Sequence[JournalRow]], Awaitable[Mapping[str, str]]]

Watch = Callable[[Call], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Live:
    """A part of a page that follows the journal: `/events?view=NAME` streams it."""

    name: str
    render: Render
    scopes: frozenset[Scope] = frozenset({Scope.READ})
    # What changes without a row in the journal: a number that grows; the part is rendered with no rows then.
    watch: Watch | None = None


class Streams:
    """The live parts and the open streams of one application."""

    def __init__(self, parts: Iterable[Live], heartbeat_s: float = HEARTBEAT_S) -> None:
        self.parts = {part.name: part for part in parts}
        self.heartbeat_s = heartbeat_s
        self._open: dict[asyncio.Task[object], tuple[str, web.Request]] = {}

    @contextmanager
    def opened(self, actor: Actor, request: web.Request) -> Iterator[None]:
        """Count the current task as a stream; raise StateError where the actor has too many."""
        owner, task = f"{actor.label}/{actor.id}", asyncio.current_task()
        # Whoever goes from page to page leaves streams behind that find out at their next beat.
        for other, (_, left) in self._open.items():
            if left.transport is None or left.transport.is_closing():
                other.cancel()
        mine = [other for other, (who, _) in self._open.items() if who == owner and not other.cancelling()]
        if len(mine) >= STREAMS_OF_ONE:
            raise StateError(f"{STREAMS_OF_ONE} streams are open already", "too_many_streams")
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._open[task] = (owner, request)
        try:
            yield
        finally:
            del self._open[task]

    async def close(self, _application: web.Application) -> None:
        """End every stream: an open one would hold up the node's shutdown."""
        for task in self._open:
            task.cancel()


STREAMS = web.AppKey("streams", Streams)


class EventsQuery(BaseModel):
    """What to follow, and from where."""

    after: int | None = Field(default=None, ge=0, le=LARGEST_ID, description="Rows after this id; else only new ones.")
    subject: str | None = Field(default=None, pattern="^([0-9a-f]{2}){8,32}$", description="Only rows of this subject.")
    view: str | None = Field(default=None, max_length=64, description="A live part of a page, in place of JSON rows.")
    of: str | None = Field(default=None, pattern="^[A-Za-z0-9-]{1,80}$", description="What a live part is of.")
    on: date | None = Field(default=None, description="The day that a live part shows.")
    who: str | None = Field(default=None, pattern="^[0-9a-f]{32}$", description="Whose events a live part shows.")
    what: str | None = Field(default=None, max_length=128, description="Which events a live part shows.")
    older: str | None = Field(default=None, max_length=1024, description="Before which event, as a page names it.")


@page("GET", "/events", title="Events", scopes=[Scope.READ], limit=Limit.NARROWS)
async def events(call: Call, query: EventsQuery) -> web.StreamResponse:
    """Server-sent events over the journal."""
    streams = call.request.app[STREAMS]
    part = _part(streams, query.view, call.actor)
    with streams.opened(call.actor, call.request), call.context.bus.listen() as heard:
        stream = await _Stream.open(call, query, part, heard)
        try:
            await stream.run(streams.heartbeat_s)
        except ConnectionError:
            pass  # the reader went away
        except Exception:  # the top of a stream: its head is sent, so no problem can be answered any more
            log.exception("stream_failed", view=query.view)
    return stream.response


class _Stream:
    """One open stream."""

    def __init__(self, call: Call, sift: Sift, part: Live | None, heard: "asyncio.Queue[int]", at: int) -> None:
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        self._call = call
        self._sift = sift
        self._part = part
        self._heard = heard
        self._at = at
        self._seen = 0

    @classmethod
    async def open(cls, call: Call, query: EventsQuery, part: Live | None, heard: "asyncio.Queue[int]") -> "_Stream":
        """Find where to begin, and send the head."""
        at = _last_event_id(call.request)
        if at is None:
            at = query.after if query.after is not None else await call.context.journal.last_id()
        subject = bytes.fromhex(query.subject) if query.subject else None
        if call.actor.subjects:
            sift = Sift(subjects=await call.context.limits.narrow(call.actor, [subject] if subject else []))
        else:
            sift = Sift(subjects=frozenset([subject]) if subject else None)
        stream = cls(call, sift, part, heard, at)
        await stream.response.prepare(call.request)
        await stream.response.write(f"retry: {RETRY_MS}\nid: {at}\n\n".encode())
        return stream

    async def run(self, heartbeat_s: float) -> None:
        """Send what is there, then what comes, until the reader, its rights or the node go.

        The rights are looked at before anything is sent: who has others now hears nothing more by those of before.
        """
        while True:
            while rows := await self._call.context.journal.after(self._at, BATCH, self._sift):
                self._at = rows[-1].id
                if not await self._send(await self._message(rows)):
                    return
            if await self._has_moved() and not await self._send(await self._message(())):
                return
            if not await self._comes(heartbeat_s) and not await self._send(": beat\n\n"):
                return

    async def _send(self, text: str) -> bool:
        """Send something, unless the reader may hear no more."""
        may = await may_go_on(self._call)
        if may:
            await self.response.write(text.encode())
        return may

    async def _comes(self, within_s: float) -> bool:
        """Wait for a change; False where none came in that time."""
        try:
            async with asyncio.timeout(within_s):
                await self._heard.get()
        except TimeoutError:
            return False
        while not self._heard.empty():
            self._heard.get_nowait()
        return True

    async def _message(self, rows: Sequence[JournalRow]) -> str:
        if self._part is None:
            return "".join(_message("journal", row.id, _json(row)) for row in rows)
        parts = await self._part.render(self._call, rows)
        return "".join(_message(name, self._at, html) for name, html in parts.items())

    async def _has_moved(self) -> bool:
        """Whether what the part watches has grown since the last look; at the first, since the node began.

        It may have grown between the page and its stream.
        """
        if self._part is None or self._part.watch is None:
            return False
        before, self._seen = self._seen, await self._part.watch(self._call)
        return self._seen > before


def _part(streams: Streams, name: str | None, actor: Actor) -> Live | None:
    if name is None:
        return None
    part = streams.parts.get(name)
    if part is None:
        raise NotFoundError(f"there is no live part {name!r}", "route_unknown")
    if actor.subjects:
        raise DeniedError(f"{actor.label} is limited to some devices, pages are about more", "token_limited")
    if not actor.may(part.scopes):
        raise DeniedError(f"{actor.label} lacks a scope", "scope", scopes=", ".join(sorted(part.scopes)))
    return part


def _last_event_id(request: web.Request) -> int | None:
    text = request.headers.get("Last-Event-ID")
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", text):
        raise InputError("the Last-Event-ID is not one that this node gave", "request")
    return int(text)


def _message(name: str, row_id: int, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\nid: {row_id}\n{lines}\n"


def _json(row: JournalRow) -> str:
    subject = row.subject.hex() if row.subject else None
    shown = {"id": row.id, "at_us": row.at_us, "org": row.org.hex(), "actor": row.actor, "what": row.what}
    return json.dumps({**shown, "subject": subject, "detail": row.detail}, ensure_ascii=False)


ROUTES = (events,)
