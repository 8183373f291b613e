"""The tab "Access" of a passport: who may see what, since when, why, until when; granting, ending, asking why not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, cast

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from node.errors import NodeError
from node.passport.shown import rows
from node.services.access import Scope
from node.web.api.organisations import find_organisations
from node.web.api.passports import PassportPath, subject_of
from node.web.api.rights import (
    AccessAnswer,
    AccessRow,
    EndBody,
    GrantBody,
    GrantPath,
    PreviewAnswer,
    RefText,
    WhyAnswer,
    WhyQuery,
    end,
    give,
    preview,
    read_access,
    why,
)
from node.web.binding import RulesError
from node.web.calls import Call, View
from node.web.console.form_values import Lines
from node.web.dispatch import acted, redirect
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Access")
PATH = "/devices/{id}/access"
Asked = Annotated[str, StringConstraints(max_length=160)]


class AccessQuery(BaseModel):
    """Whom to explain it for, and which section: a statement's place and the name of its section."""

    org: Annotated[str, StringConstraints(max_length=32)] = ""
    what: Asked = ""


class GrantForm(Lines, GrantBody):
    """A grant over the passport; with `look` only what it would open is shown."""

    look: bool = Field(default=False)


class EndForm(EndBody):
    """Which grant ends, and why."""

    ref: RefText


@dataclass(frozen=True, slots=True)
class Span:
    """Classes of what one author says (None: anybody), about what occurred in a time."""

    classes: tuple[int, ...]
    author: str | None
    since: int | None
    until: int | None

    def holds(self, other: "Span") -> bool:
        """Whether it is as wide, in authors and in time."""
        is_longer = (self.since or 0) <= (other.since or 0) and (
            self.until is None or (other.until is not None and other.until <= self.until)
        )
        return is_longer and self.author in (None, other.author)


@dataclass(frozen=True, slots=True)
class HeldRight:
    """The rights of one organisation by one ground, `row` the first of them; each class stands in the widest span."""

    row: AccessRow
    spans: tuple[Span, ...]


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="GET /passports/{id}/access",
      lists=("GET /passports/{id}/access",))  # fmt: skip
async def access(call: Call, path: PassportPath, query: AccessQuery) -> View:
    """Every right with its ground, and the answer to a question."""
    answer = None
    if query.org:
        ref, _, section = query.what.rpartition("/") if "/" in query.what else (query.what, "", "")
        try:
            asked = WhyQuery(org=query.org, ref=ref or None, section=section or None)
        except ValidationError as slip:
            return await _view(call, path, error=RulesError("query", slip))
        try:
            answer = cast("WhyAnswer", await why.handler(call, path=path, query=asked))
        except NodeError as error:
            return await _view(call, path, error=error)
    return await _view(call, path, answer=answer)


@page("POST", PATH + "/grants", title=TITLE, scopes=[Scope.SHIP], api="POST /grants")
async def grant(call: Call, path: PassportPath, body: GrantForm) -> View | web.Response:
    """Give a grant, or look at what it would open."""
    terms = GrantBody.model_validate(body.model_dump(exclude={"look"}))
    try:
        if body.look:
            looked = cast("PreviewAnswer", await preview.handler(call, body=terms))
            return await _view(call, path, looked=looked, form=body)
        await give.handler(call, body=terms)
    except NodeError as error:
        return await _view(call, path, error=error, form=body)
    return redirect(f"/devices/{path.id}/access")


@page("POST", PATH + "/ends", title=TITLE, scopes=[Scope.SHIP], api="POST /grants/{ref}/end")
async def finish(call: Call, path: PassportPath, body: EndForm) -> View | web.Response:
    """End a grant."""
    return await acted(
        end.handler(call, path=GrantPath(ref=body.ref), body=EndBody(reason=body.reason)),
        f"/devices/{path.id}/access",
        partial(_view, call, path),
    )


async def _view(
    call: Call,
    path: PassportPath,
    *,
    answer: WhyAnswer | None = None,
    looked: PreviewAnswer | None = None,
    form: GrantForm | None = None,
    error: Exception | None = None,
) -> View:
    shown = cast("AccessAnswer", await read_access.handler(call, path=path))
    passport = await call.context.registry.get(subject_of(path.id))
    companies = await find_organisations(call)
    own = call.context.core.org.hex()
    names = {org: one.name for one in companies for org in one.orgs}
    profiles = await call.context.profiles.all()
    return View(
        "access_tab.html",
        error=error,
        id=shown.id,
        title_of=passport.title or shown.id,
        own=own,
        names=names,
        live=held(row for row in shown.items if row.ended_by is None),
        ended=held(row for row in shown.items if row.ended_by is not None),
        withheld=shown.withheld,
        parties=[(org, name) for org, name in names.items() if org != own],
        everybody=[*names.items()],
        profiles=[one for one in profiles if one.is_used],
        titles={
            f"{one.profile.name} {one.profile.version}": one.profile.title.ru
            if call.language == "ru"
            else one.profile.title.en
            for one in profiles
        },
        sections=_sections(passport.content),
        answer=answer,
        looked=looked,
        form=form,
        may=call.actor.may([Scope.SHIP]),
    )


def held(rows: Iterable[AccessRow]) -> list[HeldRight]:
    """Rights by their grounds: a ground that opens more in a time, or of one author, stands once."""
    found: dict[tuple[object, ...], list[AccessRow]] = {}
    for row in rows:
        key = (row.org, row.why, row.role, row.verb, row.profile, row.ref, row.ended_ref)
        found.setdefault(key, []).append(row)
    return [HeldRight(some[0], _spans(some)) for some in found.values()]


def _spans(rows: Iterable[AccessRow]) -> tuple[Span, ...]:
    spans = [Span(tuple(row.classes), row.author, row.since, row.until) for row in rows]
    spans.sort(key=lambda one: (one.author is not None, one.since or 0, -(one.until or 2**63)))
    told: list[Span] = []
    for span in spans:
        wider = {klass for other in told if other.holds(span) for klass in other.classes}
        left = tuple(klass for klass in span.classes if klass not in wider)
        if left or not (span.classes or told):
            told.append(replace(span, classes=left))
    return tuple(told)


def _sections(view: Any) -> list[tuple[str, int, str]]:  # Any: a view is plain JSON
    """What can be asked about: each section of each statement, by place, kind of statement and name."""
    found = []
    for row in rows(view, "statements"):
        for section in rows(row, "sections"):
            found.append((str(row["ref"]), int(str(row["kind"])), str(section["name"])))
    return found[-100:]


ROUTES = (access, grant, finish)
