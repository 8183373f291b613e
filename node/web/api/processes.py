"""Processes that run: opened, moved step by step by the organisations in their roles, and closed by their owner."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.passport.bodies import Moment
from node.passport.ids import SubjectId, format_device_id
from node.passport.run_views import FOR_EVER
from node.services.access import Scope
from node.services.papers import Beside
from node.services.runs import Load, NewRun, RunSift, ShownRun, StoredRun
from node.services.steps import Filled, Work
from node.web.api.acts import ReasonInput as UnsignedInput
from node.web.api.composition import PartRow, part_in
from node.web.api.fields import Hex16, Line, SignedDay, Text
from node.web.api.passports import subject_of
from node.web.api.protocols import Reference
from node.web.api.records import PartInput, occurred, place_named, replacement
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import processes as tables

MAX_WORK = 2 << 20
CONSOLE = "console"
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
FormId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
STEP_PROBLEMS = (
    "run_unknown", "run_unread", "run_over", "run_step_order", "run_no_mandate", "procedure_not_accepted",
)  # fmt: skip
DOING = (
    *STEP_PROBLEMS, "run_protocol_needed", "run_protocol_unasked", "run_protocol_other", "run_protocol_unchecked",
    "run_protocol_device", "run_outcome", "run_outcome_differs", "run_need_verified", "run_need_mounted",
    "run_detail_needed", "run_parts_unasked", "run_parts_needed", "run_document", "device_unfit", "part_same",
    "part_unnamed", "composition_cycle", "composition_two_parents", "composition_there", "composition_twice",
    "document_refused", "document_unreadable", "template_unknown", "passport_unknown", "id_mistyped", "moment",
    "moment_future", "event_before_production", "kit_designation", "kit_position", "kit_too_many", "kit_missing",
    "form_unknown", "act_role",
)  # fmt: skip


class ProcessPath(BaseModel):
    """A process that runs or ran."""

    run: Hex16


class StepPath(ProcessPath):
    """One of its steps."""

    step: Code


class NewProcess(BaseModel):
    """A process about each of some things: by which procedure, with whom in which role."""

    procedure: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    ids: list[Line] = Field(min_length=1, max_length=500, description="What it is about: one process each.")
    roles: dict[Code, Hex16] = Field(default={}, max_length=16, description="The organisation in each role.")
    number: Text | None = Field(default=None, description="The own number: of a request, an order, a claim.")
    about: Line | None = None
    due: SignedDay | None = None


class OpenedAnswer(BaseModel):
    """The processes that were opened, in the order of what they are about."""

    items: list[str]


class StepInput(BaseModel):
    """What a step is done with."""

    outcome: Code | None = Field(default=None, description="How it ends; where a protocol tells, it may be left out.")
    when: Moment | None = Field(default=None, description="When it was done; nothing means now.")
    where: Text | None = Field(default=None, description="The own code of the place, or the id of an object.")
    detail: dict[Text, Line] = Field(default={}, max_length=32)
    template: Reference | None = Field(default=None, description="The template of the document, by its reference.")
    document: str | None = Field(default=None, max_length=1 << 20, description="The filled document: JSON as text.")
    form: FormId | None = Field(default=None, description="Or the form that was begun for this step and is filled in.")
    reasons: list[UnsignedInput] = Field(
        default=[], max_length=16, description="Why other parties of the protocol have not signed."
    )
    parts: list[PartRow] = Field(default=[], max_length=512, description="Parts that go in.")
    replaced: list[PartInput] = Field(default=[], max_length=64, description="Parts that are replaced.")
    reason: Line | None = None


class ReasonInput(BaseModel):
    """Why."""

    reason: Line


class ClosingInput(BaseModel):
    """Why a process is cancelled; one whose last step is done needs no reason."""

    reason: Line | None = None


class RolesInput(BaseModel):
    """Who has which role from now on."""

    roles: dict[Code, Hex16] = Field(min_length=1, max_length=16)


class ProcessRow(BaseModel):
    """A process as lists show it."""

    run: str
    id: str = Field(description="What it is about.")
    title: str
    code: str
    procedure: str
    state: str
    number: str
    about: str
    owner: Hex16
    owner_name: str
    step: str = Field(description="The step that is next; empty where only the owner's closing is missing.")
    org: str = Field(description="Who has to act, hex; empty where nobody has the role.")
    org_name: str
    opened_us: int
    since_us: int
    due_us: int | None
    overdue: bool


class ProcessAnswer(BaseModel):
    """A process with all that was moved, as the passport shows it."""

    id: str
    title: str
    process: dict[str, Any]  # Any: part of a view, plain JSON


class ProcessesQuery(PageQuery):
    """Which processes; every condition that is given has to hold."""

    state: Literal["open", "closed"] = "open"
    org: Hex16 | None = Field(default=None, description="Who has to act.")
    owner: Hex16 | None = None
    mine: bool = Field(default=False, description="Where this organisation has to act.")
    code: Code | None = None
    step: Code | None = None
    number: Text | None = None
    overdue: bool = False


class LoadRow(BaseModel):
    """How many open steps an organisation has, and how many of them are overdue; without a name nobody has them."""

    org: str
    name: str
    open: int
    overdue: int


class LoadsAnswer(BaseModel):
    """The open steps by organisation, most overdue ones first."""

    items: list[LoadRow]


@api("POST", "/processes", title="Open processes", scopes=[Scope.RECORD], status=201,
     problems=["procedure_unknown", "procedure_not_accepted", "run_count", "run_role_unknown", "run_kind",
               "run_open_already", "passport_unknown", "id_mistyped", "org_unknown"])  # fmt: skip
async def open_processes(call: Call, body: NewProcess) -> OpenedAnswer:
    """This organisation owns them. Who has a role is let read what it is about; all are opened, or none."""
    subjects = [subject_of(text) for text in body.ids]
    for subject in subjects:
        await call.context.correspondents.check_thing(call.actor, subject)
    new = NewRun(
        body.procedure,
        subjects,
        {role: bytes.fromhex(org) for role, org in body.roles.items()},
        body.number,
        body.about,
        body.due,
    )
    return OpenedAnswer(items=await call.context.runs.open(new, call.actor.label))


@api("GET", "/processes", title="Processes by their term", scopes=[Scope.READ], problems=["cursor"],
     table=tables.PROCESSES)  # fmt: skip
async def list_processes(call: Call, query: ProcessesQuery) -> Page[ProcessRow]:
    """Open ones by their term, over all organisations; closed ones by their end, the last first."""
    place = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    after = (int(place[0]), bytes.fromhex(str(place[1]))) if place else None
    found = await call.context.runs.page(sift_of(call, query), after, query.limit + 1)
    last = found[query.limit - 1].card if len(found) > query.limit else None
    key = None if last is None else last.due_us if query.state == "open" else -last.since_us
    more = call.encode_cursor(key, last.id.hex()) if last is not None and key is not None else None
    return Page(items=[row_of(call, run) for run in found[: query.limit]], next=more)


@api("GET", "/processes/loads", title="Open and overdue steps by organisation", scopes=[Scope.READ],
     table=tables.LOADS)  # fmt: skip
async def read_loads(call: Call) -> LoadsAnswer:
    """Who has how much to do."""
    return LoadsAnswer(items=[load_of(call, load) for load in await sorted_loads(call)])


@api("GET", "/processes/{run}", title="One process", scopes=[Scope.READ], problems=["run_unknown"])
async def read_process(call: Call, path: ProcessPath) -> ProcessAnswer:
    """Its moves, where it stands, and what had no effect and why."""
    return _answer(await call.context.runs.get(path.run))


@api("POST", "/processes/{run}/steps/{step}", title="Do a step", scopes=[Scope.RECORD], max_body=MAX_WORK,
     problems=DOING)  # fmt: skip
async def do_step(call: Call, path: StepPath, body: StepInput) -> ProcessAnswer:
    """With its protocol, event and parts, all signed together with the move or none of it."""
    work = work_of(call, body)
    if body.form is None:
        return _answer(await call.context.runs.do(path.run, path.step, work, call.actor.label))
    if work.document is not None:
        raise InputError("the document is that of the form, or one that comes with its template", "run_document")
    forms = call.context.step_forms
    form = await forms.get(path.run, path.step, body.form)
    return _answer(await forms.do(form, work, call.actor.label, [reason.row() for reason in body.reasons]))


@api("POST", "/processes/{run}/refusal", title="Decline a role", scopes=[Scope.RECORD],
     problems=[*STEP_PROBLEMS, "run_owner_declines"])  # fmt: skip
async def decline(call: Call, path: ProcessPath, body: ReasonInput) -> ProcessAnswer:
    """By whose turn it is: the owner then names another organisation."""
    return _answer(await call.context.runs.decline(path.run, body.reason, call.actor.label))


@api("POST", "/processes/{run}/roles", title="Give roles to other organisations", scopes=[Scope.RECORD],
     problems=["run_unknown", "run_unread", "run_over", "run_owner_only", "run_role_unknown",
               "procedure_not_accepted", "org_unknown"])  # fmt: skip
async def assign(call: Call, path: ProcessPath, body: RolesInput) -> ProcessAnswer:
    """By the owner of the process."""
    roles = {role: bytes.fromhex(org) for role, org in body.roles.items()}
    return _answer(await call.context.runs.assign(path.run, roles, call.actor.label))


@api("POST", "/processes/{run}/closing", title="Close or cancel a process", scopes=[Scope.RECORD],
     problems=["run_unknown", "run_over", "run_owner_only", "run_reason"])  # fmt: skip
async def close(call: Call, path: ProcessPath, body: ClosingInput) -> ProcessAnswer:
    """By the owner: closed where the last step is done, else cancelled, for which a reason is needed."""
    return _answer(await call.context.runs.close(path.run, body.reason, call.actor.label))


def sift_of(call: Call, query: ProcessesQuery) -> RunSift:
    """The conditions of a question."""
    own = call.context.core.org
    return RunSift(
        is_open=query.state == "open",
        org=own if query.mine else None if query.org is None else bytes.fromhex(query.org),
        owner=None if query.owner is None else bytes.fromhex(query.owner),
        code=query.code,
        step=query.step,
        number=query.number,
        before_us=call.context.clock.now() if query.overdue else None,
    )


def work_of(call: Call, body: StepInput) -> Work:
    """What a step is done with, in the terms of this node; raise InputError."""
    return Work(
        occurred=occurred(call, body.when) if body.when else call.context.clock.now(),
        system=call.actor.system or CONSOLE,
        outcome=body.outcome,
        place=place_named(body.where) if body.where else None,
        detail=body.detail,
        document=filled(body),
        fitted=[part_in(part) for part in body.parts],
        replaced=[replacement(part) for part in body.replaced],
        reason=body.reason,
    )


def filled(body: StepInput) -> Filled | None:
    """A document with its template; raise InputError where one of the two is missing."""
    if body.template is None and not body.document:
        return None
    if body.template is None or not body.document:
        raise InputError("a document comes with the reference of its template, and the other way round", "run_document")
    unsigned = tuple(reason.row() for reason in body.reasons)
    return Filled(body.template, body.document.encode(), Beside(unsigned=unsigned))


def row_of(call: Call, run: StoredRun) -> ProcessRow:
    """A process as lists show it."""
    card, name_of = run.card, call.context.procedures.name_of
    due = None if card.due_us == FOR_EVER else card.due_us
    return ProcessRow(
        run=card.id.hex(),
        id=format_device_id(SubjectId(run.lead)),
        title=run.title,
        code=card.code,
        procedure=card.procedure,
        state=card.state.value,
        number=card.number,
        about=card.about,
        owner=card.owner.hex(),
        owner_name=name_of(card.owner),
        step=card.step,
        org=card.org.hex(),
        org_name=name_of(card.org) if card.org else "",
        opened_us=card.opened_us,
        since_us=card.since_us,
        due_us=due,
        overdue=card.state.is_open and due is not None and due < call.context.clock.now(),
    )


async def sorted_loads(call: Call) -> list[Load]:
    """Most overdue first."""
    return sorted(await call.context.runs.loads(), key=lambda load: (-load.overdue, -load.open, load.org))


def load_of(call: Call, load: Load) -> LoadRow:
    """How much an organisation has to do."""
    name = call.context.procedures.name_of(load.org) if load.org else ""
    return LoadRow(org=load.org.hex(), name=name, open=load.open, overdue=load.overdue)


def _answer(shown: ShownRun) -> ProcessAnswer:
    id_text = format_device_id(SubjectId(shown.passport.subject))
    return ProcessAnswer(id=id_text, title=shown.passport.title, process=shown.row)


ROUTES = (
    open_processes,
    list_processes,
    read_loads,
    read_process,
    do_step,
    decline,
    assign,
    close,
)
