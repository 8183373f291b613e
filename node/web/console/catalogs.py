"""The catalogs pages: central and own codes side by side, mapping with suggestions, and what a release changes."""

import json
from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.catalogs import Catalog
from node.passport.references import ref_text
from node.passport.used_codes import PLACES
from node.services.access import Scope
from node.services.own_codes import Listed
from node.web.api.catalogs import CatalogPath, catalog_rows, record_rows
from node.web.api.own_codes import (
    MAX_FILE,
    OwnCatalogPath,
    UndoBody,
    code_rows,
    filter_codes,
    parse_statement,
    read_codes,
)
from node.web.api.releases import ReleasePath, difference_answer, release_rows
from node.web.api.types import TypePath, type_answer
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect, redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Catalogs")
PATH = "/catalogs"
SHOWN_CODES = 50
SHOWN_RECORDS = 100
SHOWN_SAYINGS = 5
SURE = 96
FORM_OVERHEAD = 1 << 16


class CatalogQuery(BaseModel):
    """What of a catalog: a text, places in its two lists, and whether the nearest suggestions are checked."""

    q: str = Field(default="", max_length=128)
    cursor: str | None = None
    codes: str | None = None
    best: bool = False


class MappingForm(BaseModel):
    """Checked suggestions as `["own","central"]`, typed central codes beside their own ones, and what to do."""

    act: Literal["map", "refuse"] = "map"
    pick: list[str] = Field(default=[], max_length=400)
    local: list[str] = Field(default=[], max_length=400)
    central: list[str] = Field(default=[], max_length=400)


class UnbindForm(BaseModel):
    """An own code to be bound to nothing."""

    local: str = Field(min_length=1, max_length=128)


class CodesForm(BaseModel):
    """A table of own codes."""

    file: Upload


class AdoptionForm(BaseModel):
    """A release to work with, or how newer ones are taken."""

    release: str | None = Field(default=None, pattern=r"^(shipped|[1-9][0-9]{0,6}|[0-9a-f]{64})$")
    automatic: Literal["yes", "no"] | None = None


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PASSPORTS, 6, "catalogs"), api="GET /catalogs")
async def catalogs(call: Call) -> View:
    """Every catalog with its release, its own codes and what waits."""
    return View("catalogs.html", rows=await catalog_rows(call))


@page("GET", PATH + "/{catalog}", title=TITLE, scopes=[Scope.READ], api="GET /catalogs/{catalog}/records")
async def catalog(call: Call, path: OwnCatalogPath, query: CatalogQuery) -> View:
    """Own codes, unmapped first, and the central ones."""
    return await _view(call, path.catalog, query)


@page("POST", PATH + "/{catalog}/mappings", title=TITLE, scopes=[Scope.RECORD], api="POST /catalogs/{catalog}/mappings")
async def map_codes(call: Call, path: OwnCatalogPath, body: MappingForm) -> View | web.Response:
    """Bind what is checked or typed, or refuse the checked suggestions."""
    try:
        if body.act == "refuse":
            await call.context.own_codes.refuse(path.catalog, _picked(body.pick), call.actor.label)
        else:
            chosen = _chosen(body)
            await call.context.own_codes.map(path.catalog, [*chosen.items()], call.actor.label)
    except NodeError as error:
        return await _view(call, path.catalog, CatalogQuery(), error)
    return redirect_in_page(call, f"{PATH}/{path.catalog}")


@page("POST", PATH + "/{catalog}/mappings/unbind", title=TITLE, scopes=[Scope.RECORD],
      api="POST /catalogs/{catalog}/mappings")  # fmt: skip
async def unbind(call: Call, path: OwnCatalogPath, body: UnbindForm) -> web.Response:
    """Bind an own code to nothing."""
    await call.context.own_codes.map(path.catalog, [(body.local, None)], call.actor.label)
    return redirect(f"{PATH}/{path.catalog}")


@page("POST", PATH + "/{catalog}/mappings/undo", title=TITLE, scopes=[Scope.RECORD],
      api="POST /catalogs/{catalog}/mappings/undo")  # fmt: skip
async def undo(call: Call, path: OwnCatalogPath, body: UndoBody) -> View | web.Response:
    """Take one statement about own codes back."""
    try:
        await call.context.own_codes.undo(path.catalog, parse_statement(body.statement), call.actor.label)
    except NodeError as error:
        return await _view(call, path.catalog, CatalogQuery(), error)
    return redirect_in_page(call, f"{PATH}/{path.catalog}")


@page("POST", PATH + "/{catalog}/codes/file", title=TITLE, scopes=[Scope.RECORD], max_body=MAX_FILE + FORM_OVERHEAD,
      api="POST /catalogs/{catalog}/codes/file")  # fmt: skip
async def load(call: Call, path: OwnCatalogPath, body: CodesForm) -> View | web.Response:
    """Load a table of own codes."""
    try:
        await call.context.own_codes.load(path.catalog, read_codes(body.file.chosen()), call.actor.label)
    except NodeError as error:
        return await _view(call, path.catalog, CatalogQuery(), error)
    return redirect_in_page(call, f"{PATH}/{path.catalog}")


@page("GET", PATH + "/{catalog}/releases", title=mark("Releases of catalogs"), scopes=[Scope.READ],
      api="GET /catalogs/{catalog}/releases")  # fmt: skip
async def releases(call: Call, path: CatalogPath) -> View:
    """The releases that are here, and which one this node works with."""
    return _releases(call, Catalog(path.catalog))


@page("GET", PATH + "/{catalog}/releases/{release}", title=mark("What a release changes"), scopes=[Scope.READ],
      api="GET /catalogs/{catalog}/releases/{release}/difference")  # fmt: skip
async def release(call: Call, path: ReleasePath) -> View:
    """What it adds, removes and changes against the release in use."""
    catalog, service = Catalog(path.catalog), call.context.releases
    preview = await service.preview(catalog, path.release)
    state = service.state(catalog)
    shown = next((row for row in release_rows(state) if preview.release and row.digest == preview.release.digest), None)
    return View(
        "release.html",
        catalog=catalog.value,
        row=shown,
        names=_names(call),
        found=difference_answer(call, catalog, preview),
        may=call.actor.may([Scope.ACCESS]),
    )


@page("POST", PATH + "/{catalog}/adoption", title=mark("Releases of catalogs"), scopes=[Scope.ACCESS],
      api="POST /catalogs/{catalog}/adoption")  # fmt: skip
async def adopt(call: Call, path: CatalogPath, body: AdoptionForm) -> View | web.Response:
    """Work with a release from now on, or say how newer ones are taken."""
    catalog, service = Catalog(path.catalog), call.context.releases
    try:
        if body.release is not None:
            await service.adopt(catalog, body.release, call.actor.label)
        if body.automatic is not None:
            await service.set_automatic(catalog, body.automatic == "yes", call.actor.label)
    except NodeError as error:
        return _releases(call, catalog, error)
    return redirect_in_page(call, f"{PATH}/{catalog.value}/releases")


@page("GET", "/types/{code}", title=mark("Type of device"), scopes=[Scope.READ], api="GET /types/{code}")
async def type_card(call: Call, path: TypePath) -> View:
    """Approval with its validity, executions, versions with documents and firmware, devices."""
    return View("type.html", card=await type_answer(call, path.code), names=_names(call))


async def _view(call: Call, name: str, query: CatalogQuery, error: Exception | None = None) -> View:
    listed = filter_codes(await call.context.own_codes.listed(name), query.q)
    unmapped = [row for row in listed if row.central is None]
    part, more_codes = _part(call, unmapped, query.codes)
    bound = [row for row in listed if row.central is not None]
    values = {} if name == PLACES else _central(call, Catalog(name), query)
    known = call.context.own_codes.known(name)
    sayings = [
        (said, ref_text(said.ref), all(known[code.local].ref == said.ref for code in said.codes))
        for said in (await call.context.own_codes.sayings(name))[:SHOWN_SAYINGS]
    ]
    return View(
        "catalog.html",
        error=error,
        catalog=name,
        query=query,
        sure=0 if query.best else SURE,
        unmapped=await code_rows(call, name, part),
        unmapped_count=len(unmapped),
        more_codes=more_codes,
        bound=await code_rows(call, name, bound[:SHOWN_RECORDS]),
        bound_count=len(bound),
        sayings=sayings,
        may=call.actor.may([Scope.RECORD]),
        pick=lambda local, central: json.dumps([local, central], ensure_ascii=False),
        **({"records": [], "more": "", "state": None, "codes": []} | values),
    )


def _central(call: Call, catalog: Catalog, query: CatalogQuery) -> dict[str, Any]:  # Any: what templates are given
    after = str(call.decode_cursor(query.cursor, str)[0]) if query.cursor else ""
    records = [row for row in record_rows(call, catalog, query.q) if row.central > after]
    part = records[:SHOWN_RECORDS]
    state = call.context.releases.state(catalog)
    return {
        "records": part,
        "more": call.encode_cursor(part[-1].central) if len(records) > len(part) else "",
        "state": state,
        "codes": sorted(call.context.releases.records(catalog))[:2000],
    }


def _part(call: Call, rows: list[Listed], cursor: str | None) -> tuple[list[Listed], str]:
    if cursor:
        after = call.decode_cursor(cursor, int, int, str)
        rows = [row for row in rows if row.place > after]
    part = rows[:SHOWN_CODES]
    return part, quote(call.encode_cursor(*part[-1].place)) if len(rows) > len(part) else ""


def _releases(call: Call, catalog: Catalog, error: Exception | None = None) -> View:
    state = call.context.releases.state(catalog)
    return View(
        "releases.html",
        error=error,
        catalog=catalog.value,
        state=state,
        rows=release_rows(state),
        names=_names(call),
        may=call.actor.may([Scope.ACCESS]),
    )


def _names(call: Call) -> dict[str, str]:
    return {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}


def _chosen(form: MappingForm) -> dict[str, str | None]:
    typed = {local: central.strip() for local, central in zip(form.local, form.central, strict=False)}
    chosen: dict[str, str | None] = dict(_picked(form.pick))
    chosen |= {local: central for local, central in typed.items() if central}
    if not chosen:
        raise InputError("nothing is checked and no code is typed", "mapping_empty")
    return chosen


def _picked(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        try:
            local, central = json.loads(text)
        except (ValueError, TypeError) as error:
            raise InputError("a checked suggestion is not one of this page", "request") from error
        if not isinstance(local, str) or not isinstance(central, str):
            raise InputError("a checked suggestion is not one of this page", "request")
        if local in found:
            raise InputError(f"{local}: two central codes are checked for one own code", "mapping_twice", local=local)
        found[local] = central
    if not found and texts:
        raise InputError("nothing is checked", "mapping_empty")
    return found


ROUTES = (catalogs, catalog, map_codes, unbind, undo, load, releases, release, adopt, type_card)
