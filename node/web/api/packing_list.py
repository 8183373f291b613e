"""The packing list of a shipment for paper: it goes into the box, and to a buyer who has no node."""

from aiohttp import web
from pydantic import BaseModel, Field

from node.services.access import Scope
from node.web.api.papers import PDF, answer_file, printed
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call
from node.web.packing_sheet import packing_sheet
from node.web.routes import api

IN_ONE = 1000


class VolumeQuery(BaseModel):
    """Which volume of the list."""

    volume: int = Field(default=1, ge=1, le=1000, description=f"Of {IN_ONE} devices each, by designation and box.")


@api("GET", "/shipments/{id}/packing-list", title="The packing list of a shipment as PDF", scopes=[Scope.READ],
     files=[PDF], problems=["shipment_unknown", "id_mistyped", "shipment_no_part", "shipment_settled"])  # fmt: skip
async def read_list(call: Call, path: PassportPath, query: VolumeQuery) -> web.Response:
    """Number, date and parties, what is printed on each device and where it lies, and how many of each type go."""
    paper = await call.context.packing_lists.paper(subject_of(path.id), query.volume, IN_ONE)
    shipment, world = paper.shipment, call.context.projection.world
    seller, buyer = (world.organisation_name(org) or org.hex() for org in (shipment.seller, shipment.buyer))
    named = shipment.name if shipment.outside else buyer
    sheet = packing_sheet(paper, seller, named, call.context.clock.now(), call.language)
    raw = await printed(call, sheet)
    return answer_file(call, raw, PDF, f"packing-list-{paper.n}", shipment.number, "pdf")


ROUTES = [read_list]
