"""Compare: two passports side by side, and what people say of the two; likely duplicates of a passport."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, StringConstraints

from node.passport.comparison import Likeness
from node.passport.ids import SubjectId, format_device_id
from node.passport.sameness import TWIN
from node.services.access import Scope
from node.services.identities import Compared
from node.web.api.fields import Line
from node.web.api.identity import PairQuery, WithdrawalInput
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, View
from node.web.console.conflicts import names
from node.web.console.register import likely
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import page

TITLE = mark("Compare")
PATH = "/compare"

Id = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class SayForm(BaseModel):
    """What is said of two passports, and why."""

    a: Id
    b: Id
    says: Literal["same", "distinct"]
    reason: Line | None = None


class TakeBackForm(WithdrawalInput):
    """A word that is taken back; with the other id, the page that compares both is shown again."""

    other: Annotated[str, StringConstraints(max_length=80)] = ""


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /comparisons")
async def compare(call: Call, query: PairQuery) -> View:
    """Fact by fact, and whose word it takes."""
    one, other = subject_of(query.a), subject_of(query.b)
    found = await call.context.identities.compare(one, other)
    return View(
        "compare.html",
        a=format_device_id(SubjectId(one)),
        b=format_device_id(SubjectId(other)),
        found=found,
        open_rows=[row for row in found.rows if row.likeness is not Likeness.SAME],
        same_rows=[row for row in found.rows if row.likeness is Likeness.SAME],
        differing=sum(row.likeness is Likeness.DIFFERENT for row in found.rows),
        parameters=_parameters(found),
        is_twin=any(row["says"] == TWIN and row["counts"] for row in found.said),
        sides=_sides(call, found),
        names=names(call),
        own=call.context.core.org.hex(),
        may=call.actor.may([Scope.RECORD]),
    )


@page("POST", PATH, title=TITLE, scopes=[Scope.RECORD], api="POST /passports/{id}/sameness")
async def say(call: Call, body: SayForm) -> web.Response:
    """Say that both are one device, or two."""
    one, other = subject_of(body.a), subject_of(body.b)
    await call.context.identities.say(one, other, body.says, body.reason, call.actor.label)
    return redirect_in_page(call, f"{PATH}?a={body.a}&b={body.b}")


@page("POST", "/devices/{id}/withdrawals", title=TITLE, scopes=[Scope.RECORD],
      api="POST /passports/{id}/sameness/withdrawals")  # fmt: skip
async def take_back(call: Call, path: PassportPath, body: TakeBackForm) -> web.Response:
    """Take back what this organisation said."""
    await call.context.identities.withdraw(subject_of(path.id), body.ref, call.actor.label)
    back = f"{PATH}?a={path.id}&b={body.other}" if body.other else f"/devices/{path.id}"
    return redirect_in_page(call, back)


@page("GET", "/devices/{id}/alike", title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/suggestions")
async def alike(call: Call, path: PassportPath) -> web.Response:
    """The part of a passport's page that names passports of perhaps the same device."""
    found = await call.context.identities.suggest_for(subject_of(path.id))
    values = {"id": path.id, "alike": [likely(one) for one in found]}
    html = call.request.app[RENDERER].part(call, "parts/alike.html", **values)
    return web.Response(text=html, content_type="text/html")


def _sides(call: Call, found: Compared) -> list[dict[str, object]]:
    """Of each side: who may speak for it, who of them said already that both are one, and whether we may."""
    said = {str(row["by"]) for row in found.said if row["says"] == "same"}
    own = call.context.core.org
    return [
        {
            "right": held.right.name.lower(),
            "orgs": sorted(org.hex() for org in held.orgs),
            "said": {org.hex() for org in held.orgs} & said,
            "is_ours": own in held.orgs,
        }
        for held in found.authorities
    ]


def _parameters(found: Compared) -> dict[str, object]:
    """The references of parameters by code, by which they are named."""
    known: dict[str, object] = {}
    for passport in (found.right, found.left):
        parameters = passport.content["parameters"]
        known |= parameters if isinstance(parameters, dict) else {}
    return known


ROUTES = (compare, say, take_back, alike)
