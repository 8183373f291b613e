"""Forms: protocols that are being filled in here, with their files, checked and signed."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.files import MAX_FILE
from node.services.forms import Form
from node.web.api.acts import ReasonInput
from node.web.api.fields import Line
from node.web.api.passports import subject_of
from node.web.api.processes import STEP_PROBLEMS, FormId, StepPath
from node.web.api.protocols import MAX_DOCUMENT, FileAnswer, PaperPath, Reference, VerdictAnswer, verdict_answer
from node.web.api.records import SaidAnswer
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import protocols as tables


class FormInput(BaseModel):
    """Which template, for which device; the document so far, or what the passport tells."""

    template: Reference
    id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    document: Annotated[str, StringConstraints(max_length=262_144)] | None = Field(default=None, description="JSON.")


class StepFormInput(BaseModel):
    """Which of the templates that the step takes; the document so far, or what the passport tells."""

    template: Reference
    document: Annotated[str, StringConstraints(max_length=262_144)] | None = Field(default=None, description="JSON.")


class FormPath(BaseModel):
    """A form."""

    form: FormId


class CorrectionPath(PaperPath):
    """An own protocol."""


class FormFilePath(FormPath):
    """A file of a form."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class FileQuery(BaseModel):
    """What a file is called; a personal one is read by nobody but its author."""

    name: Line
    personal: bool = False


class SignatureInput(BaseModel):
    """Why other parties have not signed, where that is known already."""

    reasons: list[ReasonInput] = Field(default=[], max_length=16)


class FormAnswer(BaseModel):
    """A form; `document` is the JSON so far, left out of lists."""

    form: str
    template: str
    id: str
    document: str | None
    files: list[FileAnswer]
    replaces: str | None = Field(description="The own protocol that it corrects.")
    run: str | None = Field(description="The process of whose step it is; doing that step signs it.")
    step: str | None
    actor: str
    created_us: int
    changed_us: int


class FormsAnswer(BaseModel):
    """Forms, those changed last first."""

    items: list[FormAnswer]


@api("POST", "/forms", title="Begin to fill in a protocol", scopes=[Scope.RECORD], status=201,
     problems=["template_unknown", "passport_unknown", "document_unreadable", "forms_many"])  # fmt: skip
async def start_form(call: Call, body: FormInput) -> FormAnswer:
    """Nothing is signed: the form stays here until it is."""
    raw = body.document.encode() if body.document is not None else None
    made = await call.context.forms.start(body.template, subject_of(body.id), call.actor.label, raw)
    return form_answer(made)


@api("POST", "/passports/{id}/protocols/{ref}/form", title="Begin to correct an own protocol", scopes=[Scope.RECORD],
     status=201, problems=["protocol_unknown", "protocol_not_own", "template_missing", "forms_many"])  # fmt: skip
async def correct_protocol(call: Call, path: CorrectionPath) -> FormAnswer:
    """A form with its document; once signed it takes the place of the protocol, which stays."""
    return form_answer(await call.context.forms.correct(subject_of(path.id), path.ref, call.actor.label))


@api("POST", "/processes/{run}/steps/{step}/form", title="Begin the protocol that a step demands",
     scopes=[Scope.RECORD], status=201,
     problems=[*STEP_PROBLEMS, "run_protocol_unasked", "run_protocol_other", "template_unknown", "passport_unknown",
               "document_unreadable", "forms_many"])  # fmt: skip
async def start_step_form(call: Call, path: StepPath, body: StepFormInput) -> FormAnswer:
    """A form that is signed with its step; one of the same template that was begun before is gone on with."""
    raw = body.document.encode() if body.document is not None else None
    made = await call.context.step_forms.start(path.run, path.step, body.template, call.actor.label, raw)
    return form_answer(made)


@api("GET", "/forms", title="Protocols that are being filled in", scopes=[Scope.RECORD], table=tables.FORMS)
async def list_forms(call: Call) -> FormsAnswer:
    """Of this node."""
    kept = await call.context.forms.list()
    return FormsAnswer(items=[form_answer(form).model_copy(update={"document": None}) for form in kept])


@api("GET", "/forms/{form}", title="A protocol that is being filled in", scopes=[Scope.RECORD],
     problems=["form_unknown"])  # fmt: skip
async def read_form(call: Call, path: FormPath) -> FormAnswer:
    """With its document so far."""
    return form_answer(await call.context.forms.get(path.form))


@api("PUT", "/forms/{form}", title="Keep a form", scopes=[Scope.RECORD], max_body=MAX_DOCUMENT,
     problems=["form_unknown", "document_unreadable"])  # fmt: skip
async def keep_form(call: Call, path: FormPath, body: bytes) -> FormAnswer:
    """The document so far, as JSON."""
    form = await call.context.forms.get(path.form)
    return form_answer(await call.context.forms.keep(form, body))


@api("DELETE", "/forms/{form}", title="Drop a form", scopes=[Scope.RECORD], status=204, problems=["form_unknown"])
async def drop_form(call: Call, path: FormPath) -> None:
    """With its files."""
    await call.context.forms.drop(path.form)


@api("POST", "/forms/{form}/check", title="Check a form", scopes=[Scope.RECORD], problems=["form_unknown"])
async def check_form(call: Call, path: FormPath) -> VerdictAnswer:
    """Nothing is signed."""
    checked = await call.context.forms.check(await call.context.forms.get(path.form))
    return verdict_answer(checked, call.language)


@api("POST", "/forms/{form}/files", title="Attach a file to a form", scopes=[Scope.RECORD], status=201,
     max_body=MAX_FILE,
     problems=["form_unknown", "attachment_refused", "attachment_large", "attachments_many"])  # fmt: skip
async def attach_file(call: Call, path: FormPath, query: FileQuery, body: bytes) -> FormAnswer:
    """A picture, a PDF, XML or plain text; what it is, its bytes tell."""
    form = await call.context.forms.get(path.form)
    attached = await call.context.forms.attach(form, query.name, body, personal=query.personal)
    return form_answer(attached)


@api("DELETE", "/forms/{form}/files/{sha256}", title="Take a file out of a form", scopes=[Scope.RECORD],
     problems=["form_unknown"])  # fmt: skip
async def detach_file(call: Call, path: FormFilePath) -> FormAnswer:
    """Before it is signed."""
    form = await call.context.forms.get(path.form)
    return form_answer(await call.context.forms.detach(form, path.sha256))


@api("POST", "/forms/{form}/signature", title="Sign a form", scopes=[Scope.RECORD], status=201,
     problems=["form_unknown", "form_changed", "form_of_step", "protocol_replaced", "document_refused",
               "document_too_large", "act_role"])  # fmt: skip
async def sign_form(call: Call, path: FormPath, body: SignatureInput) -> SaidAnswer:
    """The form becomes a protocol, its files with it."""
    form, told = await call.context.forms.get(path.form), [reason.row() for reason in body.reasons]
    signed = await call.context.forms.sign(form, call.actor.label, told)
    return SaidAnswer(id=format_device_id(SubjectId(signed.subject)), log=signed.ref.log.hex(), seq=signed.ref.seq)


def form_answer(made: Form) -> FormAnswer:
    """A form in words of the API."""
    form = made.stored
    return FormAnswer(
        form=form.id,
        template=form.template,
        id=format_device_id(SubjectId(form.subject)),
        document=form.document.decode(),
        files=[FileAnswer(name=f.name, type=f.type, size=f.size, sha256=f.sha256) for f in form.files],
        replaces=form.replaces or None,
        run=form.of.run if form.of else None,
        step=form.of.step if form.of else None,
        actor=form.actor,
        created_us=form.created_us,
        changed_us=form.changed_us,
    )


ROUTES = (
    start_form,
    correct_protocol,
    start_step_form,
    list_forms,
    read_form,
    keep_form,
    drop_form,
    check_form,
    attach_file,
    detach_file,
    sign_form,
)
