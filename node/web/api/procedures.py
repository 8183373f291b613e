"""Procedures: how processes go, published by anybody and accepted by signature."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from node.passport.procedures import Procedure
from node.services.access import Scope
from node.services.procedures import HeldProcedure, shipped_procedures
from node.web.api.fields import Hex16
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import processes as tables


class ProcedurePath(BaseModel):
    """A version of a procedure, by the SHA-256 of its bytes."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PartyRow(BaseModel):
    """An organisation that takes part by a procedure."""

    org: Hex16
    name: str


class ProcedureRow(BaseModel):
    """A version of a procedure, and who takes part by it."""

    digest: str
    code: str
    version: str
    title: dict[str, str]
    publisher: Hex16
    publisher_name: str
    published_us: int
    accepted: bool = Field(description="Whether this organisation takes part by it.")
    parties: list[PartyRow] = Field(description="Those who take part now, by their signature; the publisher by his.")


class ProcedureAnswer(ProcedureRow):
    """A version of a procedure with its steps."""

    procedure: Procedure


class ProceduresAnswer(BaseModel):
    """Every version that is known here."""

    items: list[ProcedureRow]


class ShippedAnswer(BaseModel):
    """Procedures as they come with the product."""

    items: list[Procedure]


@api("GET", "/procedures", title="Procedures", scopes=[Scope.READ], limit=Limit.NONE, table=tables.PROCEDURES)
async def list_procedures(call: Call) -> ProceduresAnswer:
    """Those of every organisation, by code, publisher and time."""
    return ProceduresAnswer(items=[row_of(call, held) for held in call.context.procedures.all()])


@api("GET", "/procedures/shipped", title="Procedures that come with the product", scopes=[Scope.READ], limit=Limit.NONE,
     table=tables.SHIPPED)  # fmt: skip
async def list_shipped(_call: Call) -> ShippedAnswer:
    """To be published as they are or altered: nobody takes part by them before."""
    return ShippedAnswer(items=list(shipped_procedures()))


@api("POST", "/procedures", title="Publish a procedure", scopes=[Scope.RECORD], status=201,
     problems=["procedure_version_taken", "code_unknown"])  # fmt: skip
async def publish_procedure(call: Call, body: Procedure) -> ProcedureAnswer:
    """It is checked, signed and travels to every member; processes that run stay on the version they began under."""
    return _answer(call, await call.context.procedures.publish(body, call.actor.label))


@api(
    "GET",
    "/procedures/{digest}",
    title="One procedure",
    scopes=[Scope.READ],
    limit=Limit.NONE,
    problems=["procedure_unknown"],
)
async def read_procedure(call: Call, path: ProcedurePath) -> ProcedureAnswer:
    """Its steps, roles and what each step demands."""
    return _answer(call, call.context.procedures.get(path.digest))


@api("POST", "/procedures/{digest}/acceptance", title="Accept a procedure", scopes=[Scope.RECORD],
     problems=["procedure_unknown"])  # fmt: skip
async def accept_procedure(call: Call, path: ProcedurePath) -> ProcedureAnswer:
    """By this organisation's signature: from now on others may give it steps of such processes."""
    return _answer(call, await call.context.procedures.accept(path.digest, call.actor.label))


@api("DELETE", "/procedures/{digest}/acceptance", title="Take part by a procedure no more", scopes=[Scope.RECORD],
     problems=["procedure_unknown", "procedure_not_accepted"])  # fmt: skip
async def end_procedure(call: Call, path: ProcedurePath) -> ProcedureAnswer:
    """No new work is taken; what runs goes on."""
    return _answer(call, await call.context.procedures.end(path.digest, call.actor.label))


def _answer(call: Call, held: HeldProcedure) -> ProcedureAnswer:
    return ProcedureAnswer(procedure=held.procedure, **row_of(call, held).model_dump())


def row_of(call: Call, held: HeldProcedure) -> ProcedureRow:
    """A version as lists show it."""
    book, published = call.context.procedures, held.published
    return ProcedureRow(
        digest=held.digest,
        code=held.procedure.code,
        version=held.procedure.version,
        title=held.procedure.title,
        publisher=published.org.hex(),
        publisher_name=book.name_of(published.org),
        published_us=published.occurred,
        accepted=book.takes_part(call.context.core.org, held.digest),
        parties=[PartyRow(org=org.hex(), name=book.name_of(org)) for org in held.parties],
    )


ROUTES = (list_procedures, list_shipped, publish_procedure, read_procedure, accept_procedure, end_procedure)
