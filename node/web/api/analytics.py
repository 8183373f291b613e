"""Questions over all passports of the node."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from node.passport.failures import By
from node.passport.view import DAY_US, moment_us
from node.services.access import Scope
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import exchanges as tables


class FailuresQuery(BaseModel):
    """What devices are counted by, and which failures: of days from `since` to `until`, both included."""

    by: By = By.BATCH
    since: date | None = None
    until: date | None = None


class FailureRow(BaseModel):
    """A batch, a lot of components or a type: its devices, those of them that failed, failures by code."""

    group: str = Field(description="What passports call it, or the id of the batch's own passport in hex.")
    name: str
    devices: int
    failed: int
    rate: Annotated[str, Field(pattern=r"^[01]\.\d{4}$")] = Field(description="Failed of all devices of the group.")
    codes: dict[str, int]


class FailuresAnswer(BaseModel):
    """Groups, the largest share of failed devices first; of the passports that are here alone."""

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
                group=one.group,
                name=one.name,
                devices=one.devices,
                failed=one.failed,
                rate=one.share,
                codes=dict(one.codes),
            )
            for one in found
        ]
    )


ROUTES = (failures,)
