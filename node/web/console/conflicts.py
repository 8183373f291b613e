"""Conflicts: every passport with something to decide, and telling a twin apart by its statements."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from federation.authority import Kind
from node.passport.catalogs import Catalog
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, place_of, rows
from node.passport.view import View as PassportView
from node.services.access import Scope
from node.web.api.conflicts import ConflictRow, ConflictsQuery, conflicts_page
from node.web.api.fields import Hex16, Line
from node.web.api.identity import RefText
from node.web.api.passports import PassportPath, subject_of
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.passport_words import named
from node.web.routes import Group, Menu, page

TITLE = mark("Conflicts")
PATH = "/conflicts"
# What stays where it was said: words about identity themselves, and who may read.
FIXED = frozenset({Kind.SAMENESS, Kind.GRANT, Kind.END, Kind.ERASURE, Kind.ERASURE_ACK})


class TwinsQuery(BaseModel):
    """Whose statements are ticked at first."""

    by: Hex16 | None = None


class TwinForm(BaseModel):
    """The statements that are about the other device, and why."""

    moves: list[RefText] = Field(min_length=1, max_length=512)
    reason: Line | None = None


async def _waiting(call: Call) -> int:
    return await call.context.conflicts.total()


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.PASSPORTS, 5, "conflicts", _waiting),
      api="GET /conflicts")  # fmt: skip
async def conflicts(call: Call, query: ConflictsQuery) -> View:
    """By title; one kind of them, or all."""
    counts = await call.context.conflicts.count()
    items, cursor = await conflicts_page(call, query)
    values = {"why": query.why, "limit": query.limit, "cursor": cursor}
    return View(
        "conflicts.html",
        items=items,
        total=counts.total,
        kinds=sorted(counts.kinds.items()),
        why=query.why or "",
        more=urlencode({name: value for name, value in values.items() if value}) if cursor else "",
        names=names(call),
        titles=await _titles(call, items),
        may=call.actor.may([Scope.RECORD]),
    )


@page("GET", "/devices/{id}/twins", title=mark("Two devices on one plate"), scopes=[Scope.RECORD],
      api="GET /passports/{id}")  # fmt: skip
async def twins(call: Call, path: PassportPath, query: TwinsQuery) -> View:
    """Choose the statements that are about the other device."""
    return await _choosing(call, subject_of(path.id), query.by)


@page("POST", "/devices/{id}/twins", title=mark("Two devices on one plate"), scopes=[Scope.RECORD],
      api="POST /passports/{id}/twins")  # fmt: skip
async def tell_twin(call: Call, path: PassportPath, body: TwinForm) -> web.Response:
    """The chosen statements move to a passport of their own."""
    twin = await call.context.identities.split(subject_of(path.id), body.moves, body.reason, call.actor.label)
    return redirect_in_page(call, f"/compare?a={path.id}&b={format_device_id(SubjectId(twin))}")


async def _choosing(call: Call, subject: bytes, by: str | None) -> View:
    passport = await call.context.registry.get(subject)
    view = passport.content
    told = _told(view, call.language)
    movable = [row for row in rows(view, "statements") if row["kind"] not in FIXED and not row["routed"]]
    mine = [row for row in movable if _first(row) == subject.hex()]
    return View(
        "twins.html",
        id=format_device_id(SubjectId(subject)),
        title_of=passport.title,
        place=place_of(view),
        others=len(movable) - len(mine),
        rows=[(row, told.get(str(row["ref"]), [])) for row in mine],
        by=by,
        names=names(call),
    )


def _first(row: Mapping[str, object]) -> object:
    subjects = row["subjects"]
    return subjects[0] if isinstance(subjects, list) and subjects else None


def names(call: Call) -> Mapping[str, str]:
    """What organisations call themselves, by their id in hex."""
    return {org.hex(): card.name for org, card in call.context.projection.world.cards.items()}


async def _titles(call: Call, items: Iterable[ConflictRow]) -> dict[str, str]:
    """What other passports that the rows name are called."""
    subjects = {text for item in items for row in item.waiting for text in row["subjects"]}
    subjects |= {
        subject
        for item in items
        for row in item.conflicts
        if row["what"] == "composition"
        for edge in row["values"]
        for subject in (edge["part"], edge["whole"], *edge["against"])
    }
    found = await call.context.assembly.titles(map(bytes.fromhex, subjects))
    return {subject.hex(): title for subject, title in found.items()}


def _told(view: PassportView, language: str) -> dict[str, list[str]]:
    """What each statement says, in a few words, by its place."""
    told: dict[str, list[str]] = {}
    for row in rows(view, "plates"):
        told.setdefault(str(row["ref"]), []).append(f"{row['designation']} № {row['serial']}")
    for event in rows(view, "events"):
        what = event["what"]
        for ref in event["told"] if isinstance(event["told"], list) else []:
            name = named(what, Catalog.EVENTS, language) if isinstance(what, dict) else ""
            told.setdefault(str(ref), []).append(name)
    parameters = at(view, "parameters")
    for code, parameter in parameters.items() if isinstance(parameters, dict) else ():
        for value in rows(view, "parameters", code, "values"):
            name = named(parameter, Catalog.PARAMETERS, language) if isinstance(parameter, dict) else code
            for said in [value, *rows(value, "others")]:
                if said["value"] is not None:
                    text = f"{name}: {said['value']} {said['unit'] or ''}".strip()
                    told.setdefault(str(said["ref"]), []).append(text)
    return told


ROUTES = (conflicts, twins, tell_twin)
