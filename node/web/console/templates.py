"""The templates: a gallery of all versions, one with its form and print as they will look, and publishing."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import InputError, NodeError
from node.passport.strict_json import Json
from node.passport.templates.declarations import Declared
from node.passport.templates.extract import Condition, EventItem, ParameterItem
from node.passport.templates.form import form_of, label_of
from node.passport.templates.pointer import Pointer
from node.passport.templates.schema import schema_at
from node.passport.templates.sheet import Label
from node.passport.templates.template import Template
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.services.templates import Publication
from node.web.api.templates import MAX_TEMPLATE, ContentId, TemplatePath
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.dispatch import redirect_in_page
from node.web.languages import mark
from node.web.routes import Group, Menu, page

TITLE = mark("Templates")
PATH = "/templates"
BODY = 2 * MAX_TEMPLATE


@dataclass(frozen=True, slots=True)
class Family:
    """All versions of one template, the newest last published first."""

    org: bytes
    name: str
    versions: list[Publication]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in words: its type, what its members say, under which condition; `is_known` where it is run here."""

    name: str
    members: list[tuple[str, Label | str]]
    condition: tuple[Label, Json] | None
    is_known: bool


class NewQuery(BaseModel):
    """From which published one a new version is made."""

    of: ContentId | None = None


class PublishForm(BaseModel):
    """A template as text, or as a file, and what to do with it."""

    text: str = Field(default="", max_length=MAX_TEMPLATE)
    file: Upload | None = None
    then: str = Field(default="publish", pattern="^(publish|check)$")


class GalleryQuery(BaseModel):
    """Words of the name or title."""

    q: str = Field(default="", max_length=128, pattern=VISIBLE)


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], menu=Menu(Group.WORK, 4, "templates"), api="GET /templates")
async def gallery(call: Call, query: GalleryQuery) -> View:
    """Own and others', with versions, and why one does not run here."""
    listed = await call.context.templates.list()
    families: dict[tuple[bytes, str], Family] = {}
    broken: list[Publication] = []
    for item in listed:
        if item.held is None:
            broken.append(item)
        elif _matches(item, query.q):
            name = item.held.template.name
            families.setdefault((item.org, name), Family(item.org, name, [])).versions.insert(0, item)
    own = call.context.core.org
    ordered = sorted(families.values(), key=lambda family: (family.org != own, family.name))
    return View(
        "templates.html", families=ordered, broken=broken, own=own, names=_names(call), q=query.q,
        may=call.actor.may([Scope.RECORD]),
    )  # fmt: skip


@page("GET", PATH + "/new", title=mark("New template"), scopes=[Scope.RECORD], api="POST /templates/check")
async def new(call: Call, query: NewQuery) -> View:
    """A text to be published, that of an older version to begin with."""
    text = (await call.context.templates.publication(query.of)).raw.decode() if query.of else ""
    return View("template_new.html", text=text, checked=None)


@page("POST", PATH + "/new", title=mark("New template"), scopes=[Scope.RECORD], api="POST /templates", max_body=BODY)
async def publish(call: Call, body: PublishForm) -> View | web.Response:
    """Check, or publish for everybody."""
    uploaded = body.file is not None and body.file.content
    raw = body.file.content if body.file is not None and uploaded else body.text.encode()
    text = raw.decode(errors="replace")
    try:
        if not raw.strip():
            raise InputError("there is no template yet", "template_refused", ru="шаблона ещё нет")
        if body.then == "check":
            return View("template_new.html", text=text, checked=await call.context.templates.check(raw))
        held = await call.context.templates.publish(raw, call.actor.label)
    except NodeError as error:
        return View("template_new.html", error=error, text=text, checked=None)
    return redirect_in_page(call, f"{PATH}/{held.id.hex()}")


@page("GET", PATH + "/{statement}", title=TITLE, scopes=[Scope.READ], api="GET /templates/{statement}")
async def template(call: Call, path: TemplatePath) -> View:
    """What it asks for, how it prints, what becomes of it, and its rules in words."""
    item = await call.context.templates.publication(path.statement)
    found = item.held.template if item.held else None
    values: dict[str, Any] = {"groups": (), "extracted": [], "rules": [], "layout": None}  # Any: for the template
    if found is not None:
        values = {
            "groups": form_of(found, {}),
            "extracted": [_extracted(found, one) for one in found.extract],
            "rules": [_rule(found, declared) for declared in found.rules],
            "layout": found.layout,
        }
    return View(
        "template.html", item=item, found=found, names=_names(call), own=call.context.core.org,
        label=lambda place: _label(found, place), may=call.actor.may([Scope.RECORD]), **values,
    )  # fmt: skip


def _names(call: Call) -> dict[bytes, str]:
    return {org: card.name for org, card in call.context.projection.world.cards.items()}


def _matches(item: Publication, text: str) -> bool:
    if item.held is None:
        return False
    said = " ".join([item.held.template.name, *item.held.template.title.values()]).casefold()
    return all(word in said for word in text.casefold().split())


def _label(template: Template | None, place: Pointer) -> Label:
    return label_of(template.schema, place) if template else Label(place, "", "")


def _extracted(template: Template, item: ParameterItem | EventItem) -> dict[str, object]:
    is_event = isinstance(item, EventItem)
    place = item.when if isinstance(item, EventItem) else item.pointer
    return {
        "is_event": is_event,
        "code": item.code,
        "label": _label(template, place),
        "condition": _condition(template, item.condition),
    }


def _condition(template: Template, condition: Condition | None) -> tuple[Label, Json] | None:
    return (_label(template, condition.pointer), condition.equals) if condition else None


def _rule(template: Template, declared: Declared) -> RuleRow:
    rule, condition = declared.rule, declared.condition
    members: list[tuple[str, Label | str]] = []
    for one in fields(rule) if is_dataclass(rule) else ():
        value = getattr(rule, one.name)
        is_place = isinstance(value, Pointer) and schema_at(template.schema, value) is not None
        if value is not None:
            members.append((one.name, label_of(template.schema, value) if is_place else str(value)))
    return RuleRow(declared.name, members, _condition(template, condition), rule is not None)


ROUTES = (gallery, new, publish, template)
