"""Undoing an import: what it would take back, the job that does it, and the devices that stay as they are."""

from pydantic import BaseModel, Field

from node.services.access import Scope
from node.services.undo import Foreseen
from node.web.api.fields import Line
from node.web.api.imports import JobPath, JobTaken
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import office as tables

PROBLEMS = ("job_unknown", "undo_unsupported", "undo_running", "undo_untraced", "undo_nothing")
REASON = ("введено по ошибке", "entered by mistake")


class UndoBody(BaseModel):
    """Why: it is signed, and shown to everybody who reads what is taken back."""

    reason: Line | None = Field(default=None, description="`entered by mistake` if not given.")


class LeftByRule(BaseModel):
    """How many devices would stay for one reason."""

    rule: str
    devices: int


class ForeseenAnswer(BaseModel):
    """What an undo would do now."""

    gone: int = Field(description="Devices that would be no more: nobody else speaks of them.")
    thinner: int = Field(description="Devices that would stay with what others, or this organisation earlier, said.")
    left: list[LeftByRule] = Field(description="Devices on which something was built since: they stay as they are.")
    looked: int = Field(description="How many statements were looked at; fewer than all for a large import.")
    statements: int = Field(description="How many statements the import made.")


class LeftRow(BaseModel):
    """A device that an undo left, and why."""

    id: str
    title: str
    rule: str
    by: str = Field(description="The organisation that said or did it, in hex.")
    at_us: int


@api("GET", "/jobs/{job}/undo", title="What undoing an import would do", scopes=[Scope.READ], problems=PROBLEMS)
async def foresee_undo(call: Call, path: JobPath) -> ForeseenAnswer:
    """Judged by what stands now; nothing is written."""
    return foreseen_answer(await call.context.undo.foresee(path.job))


@api("POST", "/jobs/{job}/undo", title="Undo an import", scopes=[Scope.IMPORT], status=202, problems=PROBLEMS)
async def undo_import(call: Call, path: JobPath, body: UndoBody) -> JobTaken:
    """Take back what the import said, where nobody built on it; the statements stay and are shown as withdrawn."""
    reason = body.reason or default_reason(call)
    return JobTaken(job=await call.context.undo.submit(path.job, reason, call.actor.label))


@api("GET", "/jobs/{job}/left", title="Devices that an undo left", scopes=[Scope.READ],
     problems=["job_unknown", "cursor"], table=tables.LEFT)  # fmt: skip
async def list_left(call: Call, path: JobPath, query: PageQuery) -> Page[LeftRow]:
    """In the order of the import, each with the reason."""
    start = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    rows = await call.context.undo.left(path.job)
    end = start + query.limit
    items = [LeftRow.model_validate(row) for row in rows[start:end]]
    return Page(items=items, next=call.encode_cursor(end) if end < len(rows) else None)


def default_reason(call: Call) -> str:
    """The usual reason, in the language of the request."""
    return REASON[call.language != "ru"]


def foreseen_answer(foreseen: Foreseen) -> ForeseenAnswer:
    """What is foreseen, as it is answered."""
    left = [LeftByRule(rule=rule, devices=count) for rule, count in foreseen.left.items()]
    return ForeseenAnswer(
        gone=foreseen.gone,
        thinner=foreseen.thinner,
        left=left,
        looked=foreseen.looked,
        statements=foreseen.statements,
    )


ROUTES = [foresee_undo, undo_import, list_left]
