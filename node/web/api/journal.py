"""The journal as a resource."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from node.services.access import Scope
from node.services.journal import JournalRow
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import office as tables


class JournalEntry(BaseModel):
    """One change: who, when, what, about which subject."""

    id: int
    at: datetime
    org: str = Field(description="The organisation in whose name it was done, hex.")
    actor: str = Field(description="The person or system, as kind:name.")
    what: str = Field(description="Stable code of the change.")
    subject: str | None = Field(description="The subject's id, hex.")
    detail: dict[str, Any] = Field(description="More, by what changed.")  # Any: JSON of each kind of change


class JournalQuery(PageQuery):
    """Which rows."""

    subject: str | None = Field(default=None, pattern="^([0-9a-f]{2}){8,32}$", description="Only of this subject.")


@api("GET", "/journal", title="List the journal, newest first", scopes=[Scope.READ], problems=["cursor"],
     table=tables.JOURNAL)  # fmt: skip
async def list_entries(call: Call, query: JournalQuery) -> Page[JournalEntry]:
    """Every change on this node and every act that was refused, with organisation and person or system."""
    before = call.decode_cursor(query.cursor, int)[0] if query.cursor else 0
    subject = bytes.fromhex(query.subject) if query.subject else None
    rows = await call.context.journal.newest(int(before), query.limit + 1, subject)
    more = call.encode_cursor(rows[query.limit - 1].id) if len(rows) > query.limit else None
    return Page(items=[to_entry(row) for row in rows[: query.limit]], next=more)


def to_entry(row: JournalRow) -> JournalEntry:
    """A row as the API shows it."""
    return JournalEntry(
        id=row.id,
        at=datetime.fromtimestamp(row.at_us / 1e6, UTC),
        org=row.org.hex(),
        actor=row.actor,
        what=row.what,
        subject=row.subject.hex() if row.subject else None,
        detail=row.detail,
    )


ROUTES = (list_entries,)
