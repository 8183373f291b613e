"""Acts that lack a signature: those to be signed here, and those that wait for others; signing, and saying why not."""

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NotFoundError
from node.passport.bodies import UnsignedRow
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import text
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.web.api.passports import subject_of
from node.web.api.protocols import PaperPath
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Acts")
PATH = "/acts"
PAPER = "/passports/{id}/protocols/{ref}"


class ReasonForm(BaseModel):
    """Why a party has not signed."""

    role: str = Field(min_length=1, max_length=64)
    why: str = Field(min_length=1, max_length=16)
    until: str = Field(default="", max_length=10)
    document: str = Field(default="", max_length=512, pattern=VISIBLE)
    note: str = Field(default="", max_length=512, pattern=VISIBLE)


async def waiting_acts(call: Call) -> int:
    """How many acts wait for this organisation's signature."""
    return len(await call.context.acts.waiting(signs=True))


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 3, "acts", waiting_acts), api="GET /acts")
async def acts(call: Call) -> View:
    """Both lists."""
    found = {side: await call.context.acts.waiting(signs=side == "sign") for side in ("sign", "wait")}
    rows = {side: [(format_device_id(SubjectId(act.subject)), act) for act in some] for side, some in found.items()}
    names = {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}
    return View("acts.html", rows=rows, names=names, titles=await call.context.templates.titles())


@page("POST", PAPER + "/signature", title=TITLE, scopes=[Scope.RECORD],
      api="POST /passports/{id}/protocols/{ref}/signature")  # fmt: skip
async def sign(call: Call, path: PaperPath) -> web.Response:
    """Sign the document that is shown."""
    await call.context.acts.sign(subject_of(path.id), path.ref, call.actor.label)
    return redirect_in_page(call, _print(path))


@page("POST", PAPER + "/reasons", title=TITLE, scopes=[Scope.RECORD],
      api="POST /passports/{id}/protocols/{ref}/reasons")  # fmt: skip
async def explain(call: Call, path: PaperPath, body: ReasonForm) -> web.Response:
    """Say why a signature is missing."""
    told = {"until": body.until or None, "document": body.document or None, "note": body.note or None}
    try:
        row = UnsignedRow.model_validate({"role": body.role, "why": body.why, **told})
    except ValueError as error:
        raise InputError(f"{body.role} {body.why} is no reason", "act_role") from error
    await call.context.acts.explain(subject_of(path.id), path.ref, [row], call.actor.label)
    return redirect_in_page(call, _print(path))


@page("POST", PAPER + "/template", title=TITLE, scopes=[Scope.RECORD], api="POST /templates/seek")
async def seek(call: Call, path: PaperPath) -> web.Response:
    """Ask the peers for the template of a protocol that is shown raw."""
    paper = await call.context.protocols.paper(subject_of(path.id), path.ref)
    place = text(paper.row, "template", "place")
    if not place or not await call.context.templates.seek(place, call.actor.label):
        raise NotFoundError("no node that can be reached now has this template", "template_unknown")
    return redirect_in_page(call, _print(path))


def _print(path: PaperPath) -> str:
    return f"/passports/{path.id}/protocols/{path.ref}/print"


ROUTES = (acts, sign, explain, seek)
