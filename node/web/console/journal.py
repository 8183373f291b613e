"""The journal page: every change, newest first, growing while one looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from node.services.access import Scope
from node.services.journal import JournalRow
from node.web.api.journal import JournalQuery
from node.web.calls import Call, View
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page
from node.web.words import detail_values

FIRST = 50


@page("GET", "/journal", title=mark("Journal"), scopes=[Scope.READ], menu=Menu(Group.NODE, 3, "journal"),
      api="GET /journal")  # fmt: skip
async def journal(call: Call, query: JournalQuery) -> View:
    """One page of the journal; the newest one follows the stream."""
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    subject = bytes.fromhex(query.subject) if query.subject else None
    after = await call.context.journal.last_id()
    rows = await call.context.journal.newest(before, query.limit + 1, subject)
    older = ""
    if len(rows) > query.limit:
        values = {
            "limit": query.limit,
            "subject": query.subject,
            "cursor": call.encode_cursor(rows[query.limit - 1].id),
        }
        older = urlencode({name: value for name, value in values.items() if value})
    shown = in_words(rows[: query.limit], call.language)
    is_live = not query.cursor and query.limit == FIRST
    return View("journal.html", rows=shown, older=older, is_live=is_live, after=after, subject=query.subject or "")


def in_words(rows: Iterable[JournalRow], language: str) -> list[JournalRow]:
    """Rows with what their details hold in words: details without a value are left out."""
    return [replace(row, detail=detail_values(row.detail, language)) for row in rows]


async def _newest(call: Call, rows: Sequence[JournalRow]) -> Mapping[str, str]:
    # The stream holds rows of one subject only where the page shows one.
    text = call.request.query.get("subject")
    found = await call.context.journal.newest(limit=FIRST, subject=bytes.fromhex(text) if text else None)
    shown = in_words(found, call.language)
    return {"newest": call.request.app[RENDERER].part(call, "parts/journal_rows.html", rows=shown)} if rows else {}


ROUTES = (journal,)
LIVE = (Live("journal", _newest),)
