"""What waits for a person's decision: passports in conflict, by kind."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import kinds_of_conflict, rows, subjects_of, waiting_words
from node.services.access import Scope
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import passports as tables

ConflictKind = Literal[
    "disputed", "two-parents", "cycle", "plates-of-several-lines", "two-devices-on-one-plate", "dev-eui-elsewhere",
    "waiting", "before-production", "ahead-of-record", "kept-apart", "accepted-twice",
]  # fmt: skip


class ConflictsQuery(PageQuery):
    """Which of them."""

    why: ConflictKind | None = Field(default=None, description="One kind.")


class ConflictRow(BaseModel):
    """A passport with something to decide."""

    id: str
    ids: list[str] = Field(description="Every id that leads to it.")
    title: str
    kind: str
    state: str
    why: list[str]
    conflicts: list[dict[str, Any]]  # Any: part of a view, plain JSON
    waiting: list[dict[str, Any]] = Field(description="Words about identity without effect yet.")  # Any: plain JSON
    changed_us: int


class ConflictsAnswer(Page[ConflictRow]):
    """A part of the list, with how many passports there are, in all and of each kind."""

    total: int
    kinds: dict[str, int]


@api("GET", "/conflicts", title="Passports with something to decide", scopes=[Scope.READ],
     table=tables.CONFLICTS_TABLE)  # fmt: skip
async def list_conflicts(call: Call, query: ConflictsQuery) -> ConflictsAnswer:
    """By title: two devices on one plate, disputed facts, two parents, words that wait for the other side."""
    counts = await call.context.conflicts.count()
    found, more = await conflicts_page(call, query)
    return ConflictsAnswer(items=found, next=more, total=counts.total, kinds=counts.kinds)


async def conflicts_page(call: Call, query: ConflictsQuery) -> tuple[list[ConflictRow], str | None]:
    """The rows of a page, and the cursor of the next one."""
    after: tuple[str, bytes] | None = None
    if query.cursor:
        title, subject = call.decode_cursor(query.cursor, str, str)
        after = (str(title), bytes.fromhex(str(subject)))
    found = await call.context.conflicts.page(query.why, after, query.limit)
    more = call.encode_cursor(found[-1].title, found[-1].subject.hex()) if len(found) == query.limit else None
    items = []
    for passport in found:
        view = passport.content
        items.append(
            ConflictRow(
                id=format_device_id(SubjectId(passport.subject)),
                ids=[format_device_id(SubjectId(bytes.fromhex(text))) for text in subjects_of(view)],
                title=passport.title,
                kind=passport.kind,
                state=passport.state,
                why=kinds_of_conflict(view),
                conflicts=rows(view, "conflicts"),
                waiting=waiting_words(view),
                changed_us=passport.changed_us,
            )
        )
    return items, more


ROUTES = (list_conflicts,)
