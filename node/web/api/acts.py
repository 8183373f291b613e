"""Acts of several parties: what waits for a signature, signing, why a signature is missing; and files of protocols."""

from typing import Annotated, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.passport.bodies import UnsignedRow
from node.passport.file_types import TYPES
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import rows, text
from node.services.access import Scope
from node.services.acts import OpenAct
from node.web.api.fields import Line, SignedDay
from node.web.api.passports import subject_of
from node.web.api.protocols import PaperPath, SideAnswer, side_answer
from node.web.api.records import SaidAnswer
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import protocols as tables

PROBLEMS = ("protocol_unknown", "act_one_party", "act_replaced", "act_annulled", "act_not_party")


class ReasonInput(BaseModel):
    """Why a party has not signed; `objects` is what the party itself says."""

    role: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    why: Literal["refused", "absent", "no-answer", "no-node", "objects"]
    until: SignedDay | None = Field(default=None, description="The day until which an answer was waited for.")
    document: Line | None = Field(default=None, description="The paper that shows it: number and date.")
    note: Line | None = None

    def row(self) -> UnsignedRow:
        """As it is signed."""
        return UnsignedRow(**self.model_dump())


class ReasonsInput(BaseModel):
    """One reason for each role."""

    rows: list[ReasonInput] = Field(min_length=1, max_length=16)


class ActAnswer(BaseModel):
    """An act that lacks a signature."""

    id: str
    title: str
    ref: str
    occurred_us: int
    template: str
    parties: list[SideAnswer]


class ActsAnswer(BaseModel):
    """Acts, by device."""

    items: list[ActAnswer]


class ActsQuery(BaseModel):
    """Those that this organisation is to sign, or those that it signed and that wait for others."""

    side: Literal["sign", "wait"] = "sign"


class FilePath(PaperPath):
    """A file of a protocol by its SHA-256."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@api("GET", "/acts", title="Acts that lack a signature", scopes=[Scope.READ], table=tables.ACTS)
async def list_acts(call: Call, query: ActsQuery) -> ActsAnswer:
    """Where every party is named."""
    found = await call.context.acts.waiting(signs=query.side == "sign")
    return ActsAnswer(items=[_answer(act) for act in found])


@api("POST", "/passports/{id}/protocols/{ref}/signature", title="Sign an act of another party",
     scopes=[Scope.RECORD], status=201,
     problems=[*PROBLEMS, "act_closed", "template_missing", "document_refused"])  # fmt: skip
async def sign_act(call: Call, path: PaperPath) -> SaidAnswer:
    """The very document that was signed first."""
    signed = await call.context.acts.sign(subject_of(path.id), path.ref, call.actor.label)
    return SaidAnswer(id=path.id, log=signed.ref.log.hex(), seq=signed.ref.seq)


@api("POST", "/passports/{id}/protocols/{ref}/reasons", title="Say why a signature is missing", scopes=[Scope.RECORD],
     status=201, problems=[*PROBLEMS, "act_role", "act_objection"])  # fmt: skip
async def explain_act(call: Call, path: PaperPath, body: ReasonsInput) -> SaidAnswer:
    """By a party that signed, or by the one that does not."""
    told = [item.row() for item in body.rows]
    ref = await call.context.acts.explain(subject_of(path.id), path.ref, told, call.actor.label)
    return SaidAnswer(id=path.id, log=ref.log.hex(), seq=ref.seq)


@api("GET", "/passports/{id}/protocols/{ref}/files/{sha256}", title="A file of a protocol", scopes=[Scope.READ],
     limit=Limit.PASSPORT, files=sorted(TYPES),
     problems=["protocol_unknown", "attachment_unknown", "attachment_erased", "attachment_closed", "attachment_away",
               "attachment_large", "attachment_wrong"])  # fmt: skip
async def read_attachment(call: Call, path: FilePath) -> web.Response:
    """Fetched from the author's node where it is not here; never shown, always saved."""
    paper = await call.context.protocols.paper(subject_of(path.id), path.ref)
    file = await call.context.files.read(paper.row, path.sha256)
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else "bin"
    plain = f"file-{path.sha256[:8]}.{ending if ending.isascii() and ending.isalnum() else 'bin'}"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    guard = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox; default-src 'none'"}
    return web.Response(body=file.content, content_type=file.type, headers={**call.headers, **guard})


def _answer(act: OpenAct) -> ActAnswer:
    return ActAnswer(
        id=format_device_id(SubjectId(act.subject)),
        title=act.title,
        ref=act.ref,
        occurred_us=int(str(act.row["occurred"])),
        template=text(act.row, "template", "name"),
        parties=[side_answer(side) for side in rows(act.row, "act", "sides")],
    )


ROUTES = (list_acts, sign_act, explain_act, read_attachment)
