"""Questions over all passports of the node."""

from typing import Annotated

from pydantic import BaseModel, Field

from node.passport.failures import By
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, text
from node.passport.view import DAY_US, moment_us
from node.services.access import Scope
from node.services.analytics import Row, StoredPassport
from node.web.api.fields import IsoDay
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import exchanges as tables


class FailuresQuery(BaseModel):
    """What devices are counted by, and which failures: of days from `since` to `until`, both included."""

    by: list[By] = Field(default=[By.BATCH], min_length=1, max_length=3, description="One of these, or several.")
    since: IsoDay | None = None
    until: IsoDay | None = None


class FailureRow(BaseModel):
    """A batch, a lot of components or a type: its devices, those of them that failed, failures by code."""

    by: By
    group: str = Field(description="What passports call it, or the id of the batch's own passport in hex.")
    name: str
    devices: int
    failed: int
    rate: Annotated[str, Field(pattern=r"^[01]\.\d{4}$")] = Field(description="Failed of all devices of the group.")
    codes: dict[str, int]


class EventsQuery(PageQuery):
    """Which events: of a code, of days from `since` to `until`, both included."""

    what: Annotated[str, Field(max_length=128)] | None = None
    since: IsoDay | None = None
    until: IsoDay | None = None


class EventRow(BaseModel):
    """An event of a device."""

    id: str
    title: str
    type: str
    occurred_us: int
    what: str = Field(description="The central code, else the author's own.")
    by: str
    system: str | None
    process: str | None
    step: str | None
    standing: str
    replaced: bool
    ref: str


class FailuresAnswer(BaseModel):
    """By each that was asked, the groups with the largest share of failed devices first; of passports here alone."""

    items: list[FailureRow]


@api("GET", "/analytics/failures", title="Failure rates", scopes=[Scope.READ], table=tables.FAILURES)
async def failures(call: Call, query: FailuresQuery) -> FailuresAnswer:
    """A device counts once in each group; it failed where it was rejected, repaired or did not pass its bench."""
    since = moment_us(query.since.isoformat()) if query.since else 0
    until = moment_us(query.until.isoformat()) + DAY_US if query.until else None
    found = await call.context.analytics.failure_rates(query.by, since, until)
    return FailuresAnswer(
        items=[
            FailureRow(
                by=by,
                group=one.group,
                name=one.name,
                devices=one.devices,
                failed=one.failed,
                rate=one.share,
                codes=dict(one.codes),
            )
            for by, rates in found.items()
            for one in rates
        ]
    )


@api("GET", "/analytics/events", title="Events of all devices", scopes=[Scope.READ], problems=["cursor"],
     table=tables.EVENTS)  # fmt: skip
async def events(call: Call, query: EventsQuery) -> Page[EventRow]:
    """Device after device, each in the order in which things happened; of the passports that are here."""
    since = moment_us(query.since.isoformat()) if query.since else 0
    until = moment_us(query.until.isoformat()) + DAY_US if query.until else None

    def wanted(row: Row) -> bool:
        occurred = int(str(row["occurred"]))
        is_meant = query.what is None or query.what in (at(row, "what", "central"), at(row, "what", "local"))
        return is_meant and since <= occurred and (until is None or occurred < until)

    place = call.decode_cursor(query.cursor, str, int) if query.cursor else None
    after = (bytes.fromhex(str(place[0])), int(place[1])) if place else None
    found, has_more = await call.context.analytics.events(after, query.limit, wanted)
    last = found[-1] if has_more and found else None
    return Page(
        items=[_event(passport, row) for passport, _, row in found],
        next=call.encode_cursor(last[0].subject.hex(), last[1]) if last else None,
    )


def _event(passport: StoredPassport, row: Row) -> EventRow:
    return EventRow(
        id=format_device_id(SubjectId(passport.lead)),
        title=passport.title,
        type=text(passport.content, "type", "central"),
        occurred_us=int(str(row["occurred"])),
        what=str(at(row, "what", "central") or at(row, "what", "local") or ""),
        by=str(row["by"]),
        system=text(row, "system") or None,
        process=text(row, "why", "process") or None,
        step=text(row, "why", "step") or None,
        standing=str(row["standing"]),
        replaced=row["replaced_by"] is not None,
        ref=str(row["ref"]),
    )


ROUTES = (failures, events)
