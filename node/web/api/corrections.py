"""Corrections: a value in the place of another one, why, and who agrees; and the closing of disputes."""

from typing import Literal

from pydantic import BaseModel, Field

from node.passport.bodies import CorrectionBody, Moment
from node.services.access import Scope
from node.web.api.fields import Line, Text
from node.web.api.identity import RefText
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import SaidAnswer, occurred
from node.web.calls import Call
from node.web.routes import api

PROBLEMS = ("passport_unknown", "id_mistyped")


class CorrectionInput(BaseModel):
    """Which fact has another value, and why. A ground other than `own` answers what others said too, by its paper."""

    fact: Line = Field(description="`serial`, `designation`, `mark`, `year`, or the code of a parameter.")
    value: Line
    unit: Text | None = Field(default=None, description="Of a parameter; the one in which it is stated if not given.")
    since: Moment | None = Field(default=None, description="Which value of a parameter; without it the last one.")
    reason: Line
    ground: Literal["own", "joint-act", "register", "expertise", "court"] = "own"
    document: Line | None = Field(
        default=None, description="The place of a statement of this passport, or a paper in words: number and date."
    )


class AgreementInput(BaseModel):
    """The correction that is agreed with, by the place of its statement."""

    ref: RefText


@api("POST", "/passports/{id}/corrections", title="Correct a fact, or close a dispute", scopes=[Scope.RECORD],
     status=201,
     problems=[*PROBLEMS, "moment", "moment_future", "correction_nothing", "correction_same", "correction_document",
               "correction_ground", "correction_value", "correction_unit", "catalog_rule"])  # fmt: skip
async def correct(call: Call, path: PassportPath, body: CorrectionInput) -> SaidAnswer:
    """The original is kept beside it. A maker's correction after shipment stands once the owner or a lab agrees.

    What another organisation of equal right said is not replaced: the dispute is closed when it agrees, or when one who
    ranks higher decides.
    """
    if body.since:
        occurred(call, body.since)
    why = CorrectionBody(reason=body.reason, ground=body.ground, document=body.document)
    ref = await call.context.corrections.correct(
        subject_of(path.id), body.fact, body.value, why, call.actor.label, body.since, body.unit
    )
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("POST", "/passports/{id}/corrections/agreements", title="Agree with a correction", scopes=[Scope.RECORD],
     status=201, problems=[*PROBLEMS, "correction_unknown", "correction_own"])  # fmt: skip
async def agree(call: Call, path: PassportPath, body: AgreementInput) -> SaidAnswer:
    """The same value in this organisation's name."""
    ref = await call.context.corrections.agree(subject_of(path.id), body.ref, call.actor.label)
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


ROUTES = (correct, agree)
