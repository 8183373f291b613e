"""The organisations page: each company once, with its spellings, numbers, ids and keys; and naming one."""

from functools import partial

from aiohttp import web

from node.services.access import Scope
from node.services.organisations import Named
from node.web.api.organisations import NamedInput, NamePath, OrganisationsQuery, find_organisations
from node.web.calls import Call, View
from node.web.dispatch import acted, redirect
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Organisations")
PATH = "/organisations"


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PARTIES, 3, "organisations"),
      api="GET /organisations",
      lists=["GET /organisations/names"])  # fmt: skip
async def organisations(call: Call, query: OrganisationsQuery) -> View:
    """The directory, or those that a text means."""
    return await _view(call, text=query.q)


@page("POST", PATH + "/names", title=TITLE, scopes=[Scope.RECORD], api="POST /organisations/names")
async def name(call: Call, body: NamedInput) -> View | web.Response:
    """Write down how papers call a company, with its number."""
    return await acted(
        call.context.organisations.name([Named(body.name, body.inn, body.ogrn)], call.actor.label),
        PATH,
        partial(_view, call),
    )


@page("POST", PATH + "/names/{name}/forget", title=TITLE, scopes=[Scope.RECORD],
      api="DELETE /organisations/names/{name}")  # fmt: skip
async def forget(call: Call, path: NamePath) -> web.Response:
    """Take such a name back."""
    await call.context.organisations.forget(path.name, call.actor.label)
    return redirect(PATH)


async def _view(call: Call, error: Exception | None = None, text: str = "") -> View:
    companies = await find_organisations(call, text)
    return View(
        "organisations.html",
        error=error,
        q=text,
        companies=companies,
        named=await call.context.organisations.named(),
        may=call.actor.may([Scope.RECORD]),
    )


ROUTES = (organisations, name, forget)
