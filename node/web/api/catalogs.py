"""The own catalog: serial lines that this organisation publishes, and dual references."""

from typing import Any

from pydantic import BaseModel

from node.services.access import Scope
from node.web.api.fields import Text
from node.web.calls import Call
from node.web.routes import api


class LineBody(BaseModel):
    """A serial line as `docs/protocol.md` section 4 has it; `line` and `publisher` are filled in where absent."""

    record: dict[str, Any]  # Any: checked against the record's own model, which names what is wrong


class LineAnswer(BaseModel):
    """A published line."""

    line: str


class ReferenceBody(BaseModel):
    """One code of the own catalog and the central one that it means."""

    catalog: Text
    local: Text
    central: Text
    local_name: Text | None = None


class ReferenceAnswer(ReferenceBody):
    """What is bound now."""


@api("POST", "/lines", title="Publish a serial line", scopes=[Scope.RECORD], status=201)
async def publish_line(call: Call, body: LineBody) -> LineAnswer:
    """It counts where this organisation is attested as its maker or is a steward."""
    return LineAnswer(line=await call.context.catalogs.publish_line(body.record, call.actor.label))


@api("POST", "/references", title="Bind an own code to a central one", scopes=[Scope.RECORD], status=201)
async def bind_reference(call: Call, body: ReferenceBody) -> ReferenceAnswer:
    """Old records that hold the own code answer the central one from now on."""
    await call.context.catalogs.bind(body.catalog, body.local, body.central, body.local_name, call.actor.label)
    return ReferenceAnswer(**body.model_dump())


ROUTES = [publish_line, bind_reference]
