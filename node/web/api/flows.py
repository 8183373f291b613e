"""The map of information flows as a resource."""

from datetime import datetime

from pydantic import BaseModel, Field

from node.services.access import Scope
from node.services.flows import Direction, Flow, Party
from node.web.api.access import utc_time
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import network as tables


class FlowInfo(BaseModel):
    """One exchange of this node with another node or a system."""

    party: Party = Field(description="What is at the other end.")
    id: str = Field(description="Node id, name of the system or base, id of the webhook, EUI of the gateway.")
    name: str
    direction: Direction = Field(description="Where what is said goes, as seen from this node.")
    last: datetime | None = Field(description="When something was exchanged last; null where nothing was yet.")
    to_take: int | None = Field(description="What waits there for this node; null where that is not known.")
    to_give: int | None = Field(description="What waits here for them, 10,000 at most; null where that is not known.")
    since: datetime | None = Field(description="Since when it waits, or fails.")
    errors: int = Field(description="As that exchange counts them: attempts in a row, files, refused requests.")
    trouble: str = Field(description="What fails now: a code, of peers with what happened; empty is well.")


class FlowsAnswer(BaseModel):
    """Every flow."""

    items: list[FlowInfo]


@api("GET", "/flows", title="The map of information flows", scopes=[Scope.ACCESS], table=tables.FLOWS)
async def read_flows(call: Call) -> FlowsAnswer:
    """Peers, bases of 1C, systems, webhooks, the bench's folder, the register and gateways, with lag and errors."""
    return FlowsAnswer(items=[to_flow(flow) for flow in await call.context.flows.all()])


def to_flow(flow: Flow) -> FlowInfo:
    """A flow as the API shows it."""
    return FlowInfo(
        party=flow.party,
        id=flow.id,
        name=flow.name,
        direction=flow.direction,
        last=_time(flow.last_us),
        to_take=flow.to_take,
        to_give=flow.to_give,
        since=_time(flow.since_us),
        errors=flow.errors,
        trouble=flow.trouble,
    )


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else utc_time(micros)


ROUTES = (read_flows,)
