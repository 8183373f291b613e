"""The model mapping as people edit it: what each name of a driver means in the central catalog."""

from itertools import groupby
from typing import Annotated, Any, Literal  # Any: what templates are given

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import NodeError
from node.passport.catalogs import Catalog, name_in
from node.services.access import Scope
from node.services.mapping import ANY
from node.web.api.mappings import (
    MAX_CHANNEL,
    MappingAnswer,
    MappingInput,
    MappingPath,
    MappingsQuery,
    PreviewAnswer,
    draft_of,
    list_names,
    show_preview,
)
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Model mapping")
PATH = "/mapping"
ONE = PATH + "/{driver}/{quantity}"
SHOWN = {"seen": mark("What was read"), "unmapped": mark("Not mapped only"), "all": mark("What is declared, too")}
Channel = Annotated[str, StringConstraints(max_length=9, pattern="^[0-9]*$")]
Typed = Annotated[str, StringConstraints(max_length=64)]


class MappingPageQuery(BaseModel):
    """Which names are listed."""

    driver: Annotated[str, StringConstraints(max_length=64)] = ""
    show: Literal["seen", "unmapped", "all"] = "seen"


class RowQuery(BaseModel):
    """Of which channel the row is; nothing is every one."""

    channel: int | None = Field(default=None, ge=0, le=MAX_CHANNEL)


class RowForm(BaseModel):
    """A row as somebody types it, and what to do with it."""

    channel: Channel = ""
    code: Typed = ""
    unit: Typed = ""
    obis: Typed = ""
    scale: Typed = "1"
    then: Literal["save", "check"] = "save"

    def row(self) -> MappingInput:
        """As the API takes it; a decimal comma is a point."""
        channel = int(self.channel) if self.channel else None
        scale = self.scale.strip().replace(",", ".") or "1"
        return MappingInput(channel=channel, code=self.code, unit=self.unit, obis=self.obis, scale=scale)


class DropForm(BaseModel):
    """Which row goes."""

    channel: Channel = ""


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.NODE, 8, "mapping"), api="GET /mappings")
async def mapping(call: Call, query: MappingPageQuery) -> View:
    """A table for each driver; what is not mapped stands there too."""
    state: Any = "unmapped" if query.show == "unmapped" else None  # Any: one of the states
    every = await list_names(call, MappingsQuery(declared=query.show == "all"))
    chosen = [one for one in every if query.driver in ("", one.driver) and state in (None, one.state)]
    return View(
        "mapping.html",
        drivers=[(driver, list(names)) for driver, names in groupby(chosen, key=lambda one: one.driver)],
        known=sorted({one.driver for one in every}),
        waiting=sum(one.state == "unmapped" for one in every),
        query=query,
        shown=SHOWN,
        may_edit=call.actor.may([Scope.ACCESS]),
    )


@page("GET", ONE, title=TITLE, scopes=[Scope.ACCESS], api="PUT /mappings/{driver}/{quantity}")
async def row(call: Call, path: MappingPath, query: RowQuery) -> View:
    """The row of a quantity, or an empty one; with what it makes of the latest reading."""
    names, channel = await _named(call, path), ANY if query.channel is None else query.channel
    held = await call.context.mappings.find(path.driver, path.quantity, channel)
    form = RowForm(channel="" if query.channel is None else str(query.channel))
    if held is not None:
        told = {"code": held.code, "unit": held.unit, "obis": held.obis, "scale": format(held.scale, "f")}
        form = form.model_copy(update=told)
    elif record := call.context.releases.records(Catalog.PARAMETERS).get(path.quantity):
        form = form.model_copy(update={"code": path.quantity, "unit": str(record.get("unit") or "")})
    return View("mapping_row.html", **_values(call, path, form, names), preview=await _preview(call, path, form))


@page("POST", ONE, title=TITLE, scopes=[Scope.ACCESS], api="PUT /mappings/{driver}/{quantity}")
async def put_row(call: Call, path: MappingPath, body: RowForm) -> View | web.Response:
    """Let the row stand, or only show what it would make of the latest reading."""
    names = await _named(call, path)
    try:
        if body.then == "check":
            found = await call.context.mappings.preview(draft_of(path, body.row()))
            form = body.model_copy(update={"unit": found.row.unit})
            return View("mapping_row.html", **_values(call, path, form, names), preview=show_preview(call, found))
        await call.context.mappings.put(draft_of(path, body.row()), call.actor.label)
    except NodeError as error:
        return View("mapping_row.html", error=error, **_values(call, path, body, names), preview=None)
    return redirect_in_page(call, f"{PATH}?driver={path.driver}")


@page("POST", ONE + "/drop", title=TITLE, scopes=[Scope.ACCESS], api="DELETE /mappings/{driver}/{quantity}")
async def drop_row(call: Call, path: MappingPath, body: DropForm) -> web.Response:
    """Its readings go by the driver's own name again."""
    channel = int(body.channel) if body.channel else None
    await call.context.mappings.drop(path.driver, path.quantity, channel, call.actor.label)
    return redirect_in_page(call, f"{PATH}?driver={path.driver}")


async def _named(call: Call, path: MappingPath) -> list[MappingAnswer]:
    found = await list_names(call, MappingsQuery(driver=path.driver, declared=True))
    return [one for one in found if one.quantity == path.quantity]


async def _preview(call: Call, path: MappingPath, form: RowForm) -> PreviewAnswer | None:
    """What the row that stands makes of the latest reading; nothing where none stands, or it could stand no more."""
    if not form.code:
        return None
    try:
        return show_preview(call, await call.context.mappings.preview(draft_of(path, form.row())))
    except NodeError:
        return None


def _values(call: Call, path: MappingPath, form: RowForm, names: list[MappingAnswer]) -> dict[str, Any]:
    held = {"" if one.row_channel is None else str(one.row_channel) for one in names if one.state == "mapped"}
    return {
        "driver": path.driver,
        "driver_name": next((one.driver_name for one in names if one.driver_name), path.driver),
        "quantity": path.quantity,
        "names": names,
        "form": form,
        "is_held": form.channel in held,
        "codes": _codes(call),
    }


def _codes(call: Call) -> list[tuple[str, str, str]]:
    """The parameters that readings can be of: code, title and unit, by title."""
    records = call.context.releases.records(Catalog.PARAMETERS).items()
    found = [(code, name_in(one, call.language) or code, str(one["unit"])) for code, one in records if one.get("unit")]
    return sorted(found, key=lambda one: one[1].casefold())


ROUTES = (mapping, row, put_row, drop_row)
