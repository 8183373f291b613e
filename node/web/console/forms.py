"""Forms in a browser: a protocol filled in field by field, with files, checked beside its fields, and signed.

It works without scripts: each button sends the whole form, what was typed is kept first, then the button acts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from node.errors import InputError, NodeError
from node.passport.bodies import UnsignedRow
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import ref_text
from node.passport.shown import text
from node.passport.templates.errors import PointerError
from node.passport.templates.form import add_row, drop_row, fields_of, form_of, read_form, rows_of
from node.passport.templates.pointer import parse_pointer
from node.passport.unseen import VISIBLE
from node.services.access import Scope
from node.services.files import MAX_TOTAL
from node.services.forms import Form
from node.services.protocols import Checked
from node.services.remarks import Remark
from node.web.api.forms import FormPath
from node.web.api.organisations import find_organisations
from node.web.api.passports import PassportPath, subject_of
from node.web.api.processes import StepPath
from node.web.api.protocols import PaperPath
from node.web.binding import Upload
from node.web.calls import Call, View
from node.web.console.benched import waiting_beside
from node.web.console.process import done_path
from node.web.console.processes import process_title, step_title
from node.web.console.step_work import StepForm, step_work
from node.web.dispatch import redirect, redirect_in_page
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Filling in a protocol")
PATH = "/forms"
# A name that begins with a slash is taken for the path of a file by readers of multipart bodies, and loses it.
FIELD = "f/"
BODY = MAX_TOTAL + (2 << 20)


class StartForm(BaseModel):
    """Which template."""

    template: str = Field(min_length=1, max_length=256, pattern=VISIBLE)


class FormQuery(BaseModel):
    """Whether what is wrong with the form stands beside its fields."""

    checked: bool = False


class FilledForm(BaseModel):
    """What was typed stands under the pointers of its fields, each after an `f`; here is what the buttons say."""

    model_config = ConfigDict(extra="allow")

    then: str = Field(default="save", pattern="^(save|check|sign|drop|back)$")
    seen: str = Field(default="", max_length=16)
    add: str = Field(default="", max_length=2048)
    take: str = Field(default="", max_length=2048)
    detach: str = Field(default="", max_length=64)
    file: Upload | None = None
    personal: bool = False
    reason_role: str = Field(default="", max_length=64)
    reason_why: str = Field(default="", max_length=16)
    reason_until: str = Field(default="", max_length=10)
    reason_document: str = Field(default="", max_length=512, pattern=VISIBLE)
    reason_note: str = Field(default="", max_length=512, pattern=VISIBLE)

    @property
    def typed(self) -> Mapping[str, str]:
        """The fields, by their pointers."""
        extra = (self.model_extra or {}).items()
        return {name[1:]: value for name, value in extra if name.startswith(FIELD) and isinstance(value, str)}

    @property
    def reasons(self) -> list[UnsignedRow]:
        """Why the other party has not signed; raise InputError for what is no reason."""
        if not self.reason_why:
            return []
        try:
            return [
                UnsignedRow(
                    role=self.reason_role,
                    why=self.reason_why,  # type: ignore[arg-type]  # checked here
                    until=self.reason_until or None,
                    document=self.reason_document or None,
                    note=self.reason_note or None,
                )
            ]
        except ValueError as error:
            raise InputError(f"{self.reason_role} {self.reason_why} is no reason", "act_role") from error


@page("GET", PATH, title=mark("Drafts"), scopes=[Scope.RECORD], api="GET /forms")
async def forms(call: Call) -> View:
    """What is being filled in here."""
    return View("forms.html", forms=[(form, _device(form)) for form in await call.context.forms.list()])


@page("GET", "/devices/{id}/fill", title=TITLE, scopes=[Scope.RECORD], api="GET /templates")
async def choose(call: Call, path: PassportPath) -> View:
    """Which template to fill in for a device."""
    passport = await call.context.registry.get(subject_of(path.id), whole=False)
    held = [item.held for item in await call.context.templates.list() if item.held is not None]
    newest = {(one.org, one.template.name): one for one in held}
    own, names = call.context.core.org, _names(call)
    ordered = sorted(newest.values(), key=lambda one: (one.org != own, one.template.name))
    return View("form_new.html", id=path.id, passport=passport, templates=ordered, names=names, own=own)


@page("POST", "/devices/{id}/fill", title=TITLE, scopes=[Scope.RECORD], api="POST /forms")
async def start(call: Call, path: PassportPath, body: StartForm) -> web.Response:
    """Begin with what the passport tells."""
    form = await call.context.forms.start(body.template, subject_of(path.id), call.actor.label)
    return redirect_in_page(call, f"{PATH}/{form.id}")


@page("POST", "/passports/{id}/protocols/{ref}/form", title=TITLE, scopes=[Scope.RECORD],
      api="POST /passports/{id}/protocols/{ref}/form")  # fmt: skip
async def correct(call: Call, path: PaperPath) -> web.Response:
    """Begin with the document of an own protocol that is to be replaced."""
    form = await call.context.forms.correct(subject_of(path.id), path.ref, call.actor.label)
    return redirect_in_page(call, f"{PATH}/{form.id}")


@page("GET", PATH + "/{form}", title=TITLE, scopes=[Scope.RECORD], api="GET /forms/{form}")
async def form_page(call: Call, path: FormPath, query: FormQuery) -> View:
    """The form as it was kept; checked where that is asked."""
    form = await call.context.forms.get(path.form)
    return await form_view(call, form, checked=await call.context.forms.check(form) if query.checked else None)


@page("POST", PATH + "/{form}", title=TITLE, scopes=[Scope.RECORD], api="PUT /forms/{form}", max_body=BODY)
async def act(call: Call, path: FormPath, body: FilledForm) -> View | web.Response:
    """Keep what was typed, then do what the button says."""
    service = call.context.forms
    form = await service.get(path.form)
    shown = form
    try:
        if body.then == "drop":
            await service.drop(form.id)
            return redirect_in_page(call, _origin(form))
        typed = filled(form, body)
        shown = replace(form, document=typed)
        form = shown = await service.save_over(form, typed, body.seen or form.mark)
        if body.file is not None and body.file.content:
            form = shown = await service.attach(form, body.file.filename, body.file.content, personal=body.personal)
        if body.detach:
            form = shown = await service.detach(form, body.detach)
        if body.then == "back":
            return redirect_in_page(call, _origin(form))
        if body.then == "sign":
            return await _sign(call, form, body)
    except NodeError as error:
        return await form_view(call, shown, body, error=error)
    if body.then == "check":
        return await form_view(call, form, body, checked=await service.check(form))
    if "HX-Request" in call.request.headers:
        return await form_view(call, form, body, is_saved=True)
    return redirect(f"{PATH}/{form.id}")


async def _sign(call: Call, form: Form, body: FilledForm) -> View | web.Response:
    checked = await call.context.forms.check(form)
    if checked.verdict.errors:
        return await form_view(call, form, body, checked=checked)
    if (of := form.stored.of) is not None:
        path = StepPath(run=of.run, step=of.step)
        work = await step_work(call, path, StepForm.model_validate(dict(of.beside)))
        await call.context.step_forms.do(form, work, call.actor.label, body.reasons)
        return redirect_in_page(call, done_path(path))
    signed = await call.context.forms.sign(form, call.actor.label, body.reasons)
    return redirect_in_page(call, f"/passports/{_device(form)}/protocols/{ref_text(signed.ref)}/print")


def filled(form: Form, body: FilledForm) -> Any:  # Any: JSON
    """The document of a form with what was typed, a row more or less where a button says so; raise InputError."""
    template = form.held.template
    document = read_form(template, form.document, body.typed)
    try:
        if body.add:
            document = add_row(template, document, parse_pointer(body.add))
        if body.take:
            document = drop_row(document, parse_pointer(body.take))
    except PointerError as error:
        raise InputError(str(error), "request", ru=error.text("ru")) from error
    return document


async def form_view(
    call: Call,
    form: Form,
    told: FilledForm | None = None,
    *,
    checked: Checked | None = None,
    error: Exception | None = None,
    is_saved: bool = False,
) -> View:
    """The page of a form, with what a check found beside its fields."""
    template = form.held.template
    groups = form_of(template, form.document)
    remarks = checked.remarks if checked else ()
    shown = [str(field.place) for group in groups for field in fields_of(group.parts)]
    lists = {str(rows.place) for group in groups for rows in rows_of(group.parts)}
    beside: dict[str, list[Remark]] = {}
    for remark in remarks:
        # What lacks a whole part of the document stands beside the first field of that part.
        within = (place for place in shown if remark.pointer and place.startswith(f"{remark.pointer}/"))
        known = remark.pointer in lists or remark.pointer in shown
        beside.setdefault(remark.pointer if known else next(within, ""), []).append(remark)
    own = call.context.core.org
    lacking = [party for party in template.layout.parties if party.signs] if len(template.signers) > 1 else []
    orgs = [(item.org, item.name) for item in await find_organisations(call) if item.org]
    return View(
        "form.html", error=error, form=form, told=told or FilledForm(), found=template, groups=groups,
        device=_device(form), beside=beside, checked=checked, is_saved=is_saved, lacking=lacking, orgs=orgs,
        own=own.hex(), step=await _step(call, form), waiting=await waiting_beside(call, form),
    )  # fmt: skip


async def _step(call: Call, form: Form) -> tuple[str, str] | None:
    """What the process and the step are called for which a form is filled in."""
    of = form.stored.of
    if of is None:
        return None
    row = (await call.context.runs.get(of.run)).row
    title = process_title(call, text(row, "procedure"), text(row, "code"))
    return f"{title} {text(row, 'number')}".strip(), step_title(call, text(row, "procedure"), of.step)


def _origin(form: Form) -> str:
    """The page on which somebody began a form."""
    of = form.stored.of
    return f"/processes/{of.run}" if of else f"/devices/{_device(form)}#protocols"


def _device(form: Form) -> str:
    return format_device_id(SubjectId(form.stored.subject))


def _names(call: Call) -> dict[bytes, str]:
    return {org: card.name for org, card in call.context.projection.world.cards.items()}


ROUTES = (forms, choose, start, correct, form_page, act)
