"""Lists as files: any list that declares its table is answered as CSV, XLSX or JSONL under the filter that it has.

The rows are those of the list itself: its own handler is asked page after page, from the beginning to the end, so a
file holds what its reader could page through and no more, each item once by the list's cursor. It goes out as it is
read, in any of the forms.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import structlog
from aiohttp import web
from pydantic import BaseModel

from node.errors import InputError
from node.exchange.streaming import csv_header, csv_rows
from node.exchange.workbook_stream import WorkbookStream
from node.web.calls import Call
from node.web.columns import Item, Reader, Table
from node.web.routes import Route

log = structlog.get_logger()

TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
PLAIN = "json"


def asked_form(route: Route, request: web.Request) -> tuple[Table, str] | None:
    """As which file a list is asked for, by `format` or by the header Accept; None for the answer itself.

    Raise InputError for a form that the answer does not have.
    """
    wanted, query, table = request.query.get("format", ""), route.models.get("query"), route.table
    if wanted in ("", PLAIN):
        if table is None:
            return None
        accepted = request.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip()
        form = next((name for name, kind in TYPES.items() if kind == accepted), "") if not wanted else ""
        return (table, form) if form else None
    if table is not None and wanted in TYPES:
        return table, wanted
    # A page shows its list; what answers files of its own has its own forms.
    if route.is_page or (query is not None and "format" in query.model_fields):
        return None
    forms = PLAIN if table is None else ", ".join((PLAIN, *TYPES))
    raise InputError(f"this has no form {wanted[:16]!r}", "format_unknown", formats=forms)


async def send_list(call: Call, arguments: Mapping[str, object], table: Table, form: str) -> web.StreamResponse:
    """Answer a list as a file. What its handler refuses is refused before anything goes out."""
    pages = _pages(call, table, arguments)
    first: Sequence[Item] = await anext(pages, ())
    headers = {**call.headers, "Content-Disposition": _disposition(call, table, form)}
    kind = TYPES[form] if form == "xlsx" else f"{TYPES[form]}; charset=utf-8"
    response = web.StreamResponse(headers={**headers, "Content-Type": kind})
    await response.prepare(call.request)
    if call.request.method == "HEAD":
        return response
    writer = _WRITERS[form](table, _reader(call))
    async with whole_or_broken_off(call):
        await response.write(await asyncio.to_thread(writer.add, first))
        async for page in pages:
            await response.write(await asyncio.to_thread(writer.add, page))
        await response.write(writer.finish())
        await response.write_eof()
    return response


@asynccontextmanager
async def whole_or_broken_off(call: Call) -> AsyncIterator[None]:
    """Break the connection off where something fails after the head was sent: a whole answer would be a lie."""
    try:
        yield
    except ConnectionError:
        pass  # the reader went away
    except Exception:
        log.exception("download_broke", route=call.route.name)
        if call.request.transport is not None:
            call.request.transport.abort()


class _Writer(Protocol):
    def add(self, items: Sequence[Item]) -> bytes: ...

    def finish(self) -> bytes: ...


class _Csv:
    def __init__(self, table: Table, reader: Reader) -> None:
        self._table, self._reader = table, reader
        self._begin = csv_header(table.header(reader))

    def add(self, items: Sequence[Item]) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + csv_rows([self._table.row(item, self._reader) for item in items])

    def finish(self) -> bytes:
        return b""


class _Xlsx:
    def __init__(self, table: Table, reader: Reader) -> None:
        self._table, self._reader = table, reader
        self._book = WorkbookStream(reader.choose(table.title), table.header(reader))

    def add(self, items: Sequence[Item]) -> bytes:
        return self._book.add([self._table.row(item, self._reader) for item in items])

    def finish(self) -> bytes:
        return self._book.finish()


class _Jsonl:
    def __init__(self, table: Table, reader: Reader) -> None:
        pass

    def add(self, items: Sequence[Item]) -> bytes:
        return b"".join(_line(item) for item in items)

    def finish(self) -> bytes:
        return b""


_WRITERS: Mapping[str, Callable[[Table, Reader], _Writer]] = {"csv": _Csv, "xlsx": _Xlsx, "jsonl": _Jsonl}


async def _pages(call: Call, table: Table, arguments: Mapping[str, object]) -> AsyncIterator[Sequence[Item]]:
    """Every page of the list, by its own handler."""
    asked, query = dict(arguments), arguments.get("query")
    if isinstance(query, BaseModel):
        whole = {"limit": table.page, "cursor": None}
        known = {name: value for name, value in whole.items() if name in type(query).model_fields}
        asked["query"] = query = query.model_copy(update=known)
    before: object = None
    while True:
        answer: Any = await call.route.handler(call, **asked)  # Any: each list has its own model
        yield answer.items
        place = getattr(answer, table.place, None)
        # A list that is followed has a place after its last item too.
        if place is None or place == before or not isinstance(query, BaseModel):
            return
        before = place
        asked["query"] = query.model_copy(update={table.start: place})


def _line(item: Item) -> bytes:
    text = item.model_dump_json() if isinstance(item, BaseModel) else json.dumps(item, ensure_ascii=False)
    return text.encode() + b"\n"


def _reader(call: Call) -> Reader:
    cards = call.context.projection.world.cards
    return Reader(call.language, {org.hex(): card.name for org, card in cards.items()})


def _disposition(call: Call, table: Table, form: str) -> str:
    """The name of the file: what the list is and the day, in Latin letters and in the reader's own."""
    day = datetime.fromtimestamp(call.context.clock.now() / 1e6, UTC).date().isoformat()
    told = table.title[0 if call.language == "ru" else 1].lower().replace(" ", "-")
    name, shown = f"{table.name}-{day}.{form}", f"{told}-{day}.{form}"
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(shown)}"
