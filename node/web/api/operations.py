"""The ledger of operations of a device: what was done with it, by whom, when, where, for which step of a process."""

from typing import Any

from pydantic import BaseModel, Field

from node.passport.operations import Operation
from node.services.access import Scope
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import operations as tables


class OperationRow(BaseModel):
    """One operation."""

    what: str = Field(description="event, protocol, fitted, removed, or move (of a process).")
    name: dict[str, Any]  # Any: part of a view, plain JSON
    when_us: int | None
    by: str = Field(description="The organisation, hex.")
    system: str = Field(description="The system that said it, where that is on record.")
    where: dict[str, Any] | None  # Any: part of a view, plain JSON
    station: str
    operator: str
    process: str
    step: str
    run: str
    says: str = Field(description="Of a move: opened, done, declined, assigned or closed.")
    outcome: str
    standing: str
    replaced: bool
    ref: str = Field(description="The statement that says so.")


@api("GET", "/passports/{id}/operations", title="Ledger of operations of a device", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["passport_unknown", "id_mistyped", "cursor"], table=tables.OPERATIONS)  # fmt: skip
async def list_operations(call: Call, path: PassportPath, query: PageQuery) -> Page[OperationRow]:
    """In the order of time: events, protocols, parts in and out, and the moves of processes."""
    place = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    found = await call.context.timelines.operations(subject_of(path.id))
    end = place + query.limit
    more = call.encode_cursor(end) if end < len(found) else None
    return Page(items=[_row(one) for one in found[place:end]], next=more)


def _row(one: Operation) -> OperationRow:
    return OperationRow(
        what=one.what.value,
        name=one.name,
        when_us=one.when,
        by=one.by,
        system=one.system,
        where=one.where if isinstance(one.where, dict) else None,
        station=one.station,
        operator=one.operator,
        process=one.process,
        step=one.step,
        run=one.run,
        says=one.says,
        outcome=one.outcome,
        standing=one.standing,
        replaced=one.is_replaced,
        ref=one.ref,
    )


ROUTES = (list_operations,)
