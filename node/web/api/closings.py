"""Closed months of readings: what is signed of them, and whether what is stored is still that."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from node.passport.shown import rows
from node.passport.view import Plain
from node.services.access import Scope
from node.web.api.fields import Line
from node.web.api.imports import JobTaken
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import network as tables

MonthText = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class MonthInput(BaseModel):
    """A month in UTC, as 2026-01."""

    month: MonthText


class ClosingInput(MonthInput):
    """A month of one device; a reason where it was closed otherwise before."""

    reason: Line | None = None


class ClosingAnswer(BaseModel):
    """Whether something was signed: not where the same was signed already."""

    closed: bool


class ClosedMonthAnswer(BaseModel):
    """A closing that somebody signed."""

    month: str
    by: str
    count: int
    series: int
    recorded_us: int
    standing: str
    reason: str | None
    ref: str
    replaced_by: str | None


class ClosedMonthsAnswer(BaseModel):
    """The latest month first."""

    items: list[ClosedMonthAnswer]


class DifferingSeries(BaseModel):
    """A series that is not what was closed: how many readings it had then and has now; as many with other values."""

    series: str
    then: int
    now: int


class CheckedMonthAnswer(BaseModel):
    """A closing of this node, and what of the stored readings is not what was signed; nothing where it holds."""

    closing: ClosedMonthAnswer
    differing: list[DifferingSeries]


class MonthPath(PassportPath):
    """A month of a device."""

    month: MonthText


@api("GET", "/passports/{id}/closings", title="Closed months of readings", scopes=[Scope.READ], limit=Limit.PASSPORT,
     table=tables.CLOSINGS)  # fmt: skip
async def closings(call: Call, path: PassportPath) -> ClosedMonthsAnswer:
    """Readings stay where they are; of a month its counts, first and last values and a Merkle root are signed."""
    passport = await call.context.registry.get(subject_of(path.id))
    return ClosedMonthsAnswer(items=[show_closing(row) for row in rows(passport.content, "closings")])


@api("GET", "/passports/{id}/closings/{month}", title="Check a closed month", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["passport_unknown", "month_not_closed"])  # fmt: skip
async def check_closing(call: Call, path: MonthPath) -> CheckedMonthAnswer:
    """What is stored now beside what was signed then: a reading that was changed, added or lost is found."""
    checked = await call.context.closings.check(subject_of(path.id), path.month)
    differing = [DifferingSeries(series=one.series, then=one.then, now=one.now) for one in checked.differing]
    return CheckedMonthAnswer(closing=show_closing(checked.row), differing=differing)


@api("POST", "/passports/{id}/closings", title="Close a month of readings", scopes=[Scope.RECORD],
     problems=["passport_unknown", "month_open", "nothing_to_close", "closing_contested", "closing_differs",
               "closing_series"])  # fmt: skip
async def close(call: Call, path: PassportPath, body: ClosingInput) -> ClosingAnswer:
    """What is closed again is seen to be: both closings stand, the second with its reason."""
    done = await call.context.closings.close(subject_of(path.id), body.month, body.reason, call.actor.label)
    return ClosingAnswer(closed=done)


@api("POST", "/closings", title="Close a month of every device", scopes=[Scope.RECORD], status=202,
     problems=["month_open", "nothing_to_close"])  # fmt: skip
async def close_all(call: Call, body: MonthInput) -> JobTaken:
    """A job. What was closed otherwise before is counted and left: that is closed by itself, with a reason."""
    return JobTaken(job=await call.context.closings.start(body.month, call.actor.label))


def show_closing(row: Mapping[str, Plain]) -> ClosedMonthAnswer:
    """A closing as the API answers it."""
    return ClosedMonthAnswer.model_validate(
        {**{name: row[name] for name in ClosedMonthAnswer.model_fields if name in row}, "recorded_us": row["recorded"]}
    )


ROUTES = (closings, check_closing, close, close_all)
