"""Frames that were not read, archives that are read again, and the readings that were replaced so."""

from pydantic import BaseModel, Field

from node.services.access import Scope
from node.services.readings import SupersededReading
from node.web.api.imports import JobTaken
from node.web.api.passports import PassportPath, subject_of
from node.web.api.readings import ReadingAnswer, show_reading
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import network as tables


class RedecodingInput(BaseModel):
    """What of the archive is read again."""

    every: bool = Field(default=False, description="Also what the same driver has read.")


class SupersededAnswer(BaseModel):
    """A reading that stood once: `reading.driver` read it, `superseded_by` what stands now, both by hash."""

    reading: ReadingAnswer
    superseded_us: int
    superseded_by: str


@api("POST", "/passports/{id}/redecodings", title="Read the archive of a device again", scopes=[Scope.RADIO],
     status=202, problems=["nothing_to_redecode", "redecoding_runs"])  # fmt: skip
async def redecode(call: Call, path: PassportPath, body: RedecodingInput) -> JobTaken:
    """A job: each frame is read by the driver that the device has now; what stood before is kept as superseded."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    return JobTaken(job=await call.context.redecoding.start(passport.subject, call.actor.label, every=body.every))


@api("POST", "/redecodings", title="Read every archive again", scopes=[Scope.RADIO], status=202,
     problems=["nothing_to_redecode", "redecoding_runs"])  # fmt: skip
async def redecode_all(call: Call, body: RedecodingInput) -> JobTaken:
    """The same for every device of this network."""
    return JobTaken(job=await call.context.redecoding.start(None, call.actor.label, every=body.every))


@api("GET", "/passports/{id}/readings/superseded", title="Readings that were replaced", scopes=[Scope.READ],
     limit=Limit.PASSPORT, table=tables.SUPERSEDED)  # fmt: skip
async def superseded(call: Call, path: PassportPath, query: PageQuery) -> Page[SupersededAnswer]:
    """Newest replaced first."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    found = await call.context.readings.superseded(passport.subject, query.limit, before)
    more = call.encode_cursor(found[-1][0]) if len(found) == query.limit else None
    return Page(items=[show_superseded(call, one) for _, one in found], next=more)


def show_superseded(call: Call, one: SupersededReading) -> SupersededAnswer:
    """A replaced reading as the API answers it."""
    return SupersededAnswer(
        reading=show_reading(call, one.reading),
        superseded_us=one.superseded_us,
        superseded_by=one.superseded_by.hex(),
    )


ROUTES = (redecode, redecode_all, superseded)
