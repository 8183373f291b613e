"""Things without plates, what stands in what, and recalls."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from node.passport.bodies import Moment, SubjectBody
from node.passport.ids import SubjectId, format_device_id
from node.passport.view import Plain
from node.services.access import Scope
from node.services.assembly import Node, PartIn
from node.services.reach import Doubt, Reach, Reached
from node.web.api.fields import Line
from node.web.api.moments import OnQuery, checked_day
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import SaidAnswer, occurred
from node.web.calls import Call
from node.web.languages import mark, translations
from node.web.routes import api
from node.web.tables import passports as tables

PROBLEMS = ("passport_unknown", "id_mistyped", "moment", "moment_future")
DOUBTS: dict[Doubt, str] = {
    "nothing_known": mark(
        "Nothing is known here that came out of it or has something of it inside. This is no all-clear: "
        "what nobody recorded here is not found."
    ),
    "cut": mark("More is reached than is listed here: the list is cut."),
}


def check_some(quantity: str) -> str:
    """The quantity; raise ValueError where it is nothing."""
    if not quantity.strip("0.,"):
        raise ValueError("a quantity is more than nothing")
    return quantity


Quantity = Annotated[str, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,6})?$"), AfterValidator(check_some)]


class ThingInput(BaseModel):
    """A thing without a plate of its own."""

    kind: Literal["device", "unit", "component", "batch", "object", "type"]
    name: Line
    number: Line | None = None
    address: Line | None = None


class PartRow(BaseModel):
    """A part: one that has a passport, or what is printed on it."""

    id: Line | None = None
    designation: Line | None = None
    serial: Line | None = None
    position: Line | None = None
    quantity: Quantity = "1"
    relation: Literal["lot", "material"] | None = Field(
        default=None, description="`lot`: the part came out of this batch. `material`: the part is a batch used here."
    )


class PartsInput(BaseModel):
    """Parts that stand inside from a moment on."""

    parts: list[PartRow] = Field(min_length=1, max_length=512)
    since: Moment


class PartsAnswer(BaseModel):
    """The ids of the parts, in the order in which they were given."""

    ids: list[str]


class RemovalInput(BaseModel):
    """A part that came out."""

    part: Line
    when: Moment


class TreeAnswer(BaseModel):
    """A whole with its parts, each with how it stands there."""

    id: str
    title: str
    kind: str
    edge: dict[str, Any] | None  # Any: part of a view, plain JSON
    parts: list["TreeAnswer"]


class ReachedRow(BaseModel):
    """A thing that something of a lot is in, or was; the path leads to it from the lot."""

    id: str
    kind: str
    title: str
    state: str
    owner: str | None
    place: str
    path: list[str]
    inside: bool


class ReachAnswer(BaseModel):
    """Everything that a lot reached, as far as it is known here."""

    items: list[ReachedRow]
    warning: Doubt | None = Field(
        description="`nothing_known`: nothing is known here to be reached, which is no all-clear. "
        "`cut`: more is reached than is listed."
    )
    warning_text: str | None


class RecallInput(BaseModel):
    """Why something is recalled, and since when."""

    reason: Line
    document: Line | None = None
    when: Moment


@api("POST", "/things", title="State a thing without a plate", scopes=[Scope.RECORD], status=201)
async def state_thing(call: Call, body: ThingInput) -> SaidAnswer:
    """A unit, an object, a batch, a component: the answer is its id."""
    said = SubjectBody.model_validate(body.model_dump())
    subject = await call.context.assembly.register(said, call.actor.label)
    return SaidAnswer(id=format_device_id(SubjectId(subject)))


@api("POST", "/passports/{id}/parts", title="Put parts into a whole", scopes=[Scope.RECORD], status=201,
     problems=[*PROBLEMS, "composition_cycle", "composition_two_parents", "composition_there", "composition_twice",
               "part_unnamed"])  # fmt: skip
async def add_parts(call: Call, path: PassportPath, body: PartsInput) -> PartsAnswer:
    """All of them or none. A part stands in one whole at a time, and nothing stands in its own part."""
    occurred(call, body.since)
    parts = [part_in(row) for row in body.parts]
    subjects = await call.context.assembly.add(subject_of(path.id), parts, body.since, call.actor.label)
    return PartsAnswer(ids=[format_device_id(SubjectId(subject)) for subject in subjects])


def part_in(row: PartRow) -> PartIn:
    """A part as it goes in; raise InputError where its id is mistyped."""
    subject = subject_of(row.id) if row.id else None
    return PartIn(subject, row.designation, row.serial, row.position, row.quantity, row.relation)


@api("POST", "/passports/{id}/parts/removals", title="Take a part out of a whole", scopes=[Scope.RECORD], status=204,
     problems=[*PROBLEMS, "composition_absent"])  # fmt: skip
async def remove_part(call: Call, path: PassportPath, body: RemovalInput) -> None:
    """It stood there until that moment: the history stays."""
    occurred(call, body.when)
    await call.context.assembly.take_out(subject_of(path.id), subject_of(body.part), body.when, call.actor.label)


@api("GET", "/passports/{id}/tree", title="Everything inside on a date", scopes=[Scope.READ], problems=PROBLEMS)
async def read_tree(call: Call, path: PassportPath, query: OnQuery) -> TreeAnswer:
    """An object with its units, their devices and the parts of those, as they stood at the end of that day."""
    return _tree(await call.context.assembly.tree(subject_of(path.id), checked_day(call, query)))


@api("GET", "/passports/{id}/reach", title="What a lot reached", scopes=[Scope.READ], problems=PROBLEMS,
     table=tables.REACH)  # fmt: skip
async def read_reach(call: Call, path: PassportPath) -> ReachAnswer:
    """From a lot to the components, units and devices that something of it is in or was, with their owners."""
    return _answer(call, await call.context.assembly.reach(subject_of(path.id)))


@api("POST", "/passports/{id}/recalls", title="Recall a lot", scopes=[Scope.RECORD], status=201, problems=PROBLEMS)
async def recall(call: Call, path: PassportPath, body: RecallInput) -> ReachAnswer:
    """The recall stands in the passport of everything that it reached, at every party that may read it.

    Where nothing is known here to be reached, or not everything was followed, `warning` says so.
    """
    occurred(call, body.when)
    reached = await call.context.assembly.recall(
        subject_of(path.id), body.reason, body.document, body.when, call.actor.label
    )
    return _answer(call, reached)


def _answer(call: Call, reach: Reach) -> ReachAnswer:
    told = translations(call.language).gettext(DOUBTS[reach.doubt]) if reach.doubt else None
    return ReachAnswer(items=[_reached(found) for found in reach.things], warning=reach.doubt, warning_text=told)


def _tree(node: Node) -> TreeAnswer:
    edge: dict[str, Plain] | None = node.edge
    return TreeAnswer(
        id=format_device_id(SubjectId(node.subject)),
        title=node.title,
        kind=node.kind,
        edge=edge,
        parts=[_tree(part) for part in node.parts],
    )


def _reached(found: Reached) -> ReachedRow:
    return ReachedRow(
        id=format_device_id(SubjectId(found.subject)),
        kind=found.kind,
        title=found.title,
        state=found.state,
        owner=found.owner,
        place=found.place,
        path=[format_device_id(SubjectId(subject)) for subject in found.path],
        inside=found.is_inside,
    )


ROUTES = (state_thing, add_parts, remove_part, read_tree, read_reach, recall)
