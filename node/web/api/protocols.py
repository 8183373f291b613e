"""Protocols: documents checked against templates and signed, read again, and the «Аршин» file."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows, text
from node.passport.strict_json import format_json
from node.passport.view import View
from node.services.access import Scope
from node.services.protocols import Checked, Paper
from node.web.api.fields import Hex16
from node.web.api.passports import PassportPath, subject_of
from node.web.api.records import SaidAnswer
from node.web.calls import Call
from node.web.routes import Limit, api
from node.web.tables import protocols as tables

MAX_DOCUMENT = 1 << 20
Reference = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class ProtocolQuery(BaseModel):
    """Against which template."""

    template: Reference


class RemarkAnswer(BaseModel):
    """One finding about a document: where, which rule, what to do."""

    pointer: str
    layer: str
    severity: str
    rule: str
    what: str
    advice: str


class VerdictAnswer(BaseModel):
    """Whether a document may be signed."""

    state: str
    remarks: list[RemarkAnswer]


class PaperPath(PassportPath):
    """A protocol of a passport, by the place of its statement as the passport shows it."""

    ref: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:\d{1,19}:[0-9a-f]{32}$")]


class SideAnswer(BaseModel):
    """A party that has to sign an act: who it is, its signature, and why there is none."""

    role: str
    org: Hex16 | None
    named: str | None = Field(description="What the document calls it.")
    ref: str | None = Field(description="Its signature.")
    by: Hex16 | None
    late: bool = Field(description="Whether it signed after the reason for its absence had been said.")
    reason: str | None = Field(description="refused, absent, no-answer, no-node or objects.")
    until: str | None
    document: str | None
    note: str | None


class FileAnswer(BaseModel):
    """A file of a protocol."""

    name: str
    type: str
    size: int
    sha256: str


class PaperAnswer(BaseModel):
    """A protocol: who signed it, how it stands, and the document itself."""

    ref: str
    by: Hex16
    occurred_us: int
    recorded_us: int
    standing: str
    template: str | None = Field(description="The reference of its template, where that runs here.")
    document: str | None = Field(description="The signed JSON with its personal part, digits as they were signed.")
    whole: bool = Field(description="Whether no part of it is withheld here.")
    replaced_by: str | None
    agreed: bool | None = Field(description="Whether all parties have signed; null where there is one party.")
    parties: list[SideAnswer]
    attachments: list[FileAnswer]


class PapersAnswer(BaseModel):
    """The protocols of a passport, oldest first; `document` is left out."""

    items: list[PaperAnswer]


@api("POST", "/protocols/check", title="Check a document", scopes=[Scope.READ, Scope.RECORD], max_body=MAX_DOCUMENT,
     problems=["template_unknown", "document_unreadable", "document_too_large"])  # fmt: skip
async def check_protocol(call: Call, query: ProtocolQuery, body: bytes) -> VerdictAnswer:
    """Nothing is written."""
    return verdict_answer(await call.context.protocols.check(query.template, body), call.language)


@api("POST", "/protocols", title="Sign a document", scopes=[Scope.RECORD], status=201, max_body=MAX_DOCUMENT,
     limit=Limit.NARROWS, problems=["template_unknown", "document_unreadable", "document_too_large",
                                    "document_refused", "passport_unknown", "token_device"])  # fmt: skip
async def sign_protocol(call: Call, query: ProtocolQuery, body: bytes) -> SaidAnswer:
    """Refused with every rule that it breaks; what it states becomes parameters and events of the passport."""

    async def allow(subject: bytes) -> None:
        await call.context.correspondents.check_thing(call.actor, subject)
        await call.context.limits.check(call.actor, subject)

    signed = await call.context.protocols.sign(
        query.template, body, call.actor.label, call.actor.system or "protocol", allow=allow
    )
    return SaidAnswer(id=format_device_id(SubjectId(signed.subject)), log=signed.ref.log.hex(), seq=signed.ref.seq)


@api("GET", "/passports/{id}/protocols", title="The protocols of a passport", scopes=[Scope.READ], limit=Limit.PASSPORT,
     table=tables.PROTOCOLS)  # fmt: skip
async def list_papers(call: Call, path: PassportPath) -> PapersAnswer:
    """Without the documents, which are read one by one."""
    subject = subject_of(path.id)
    view = (await call.context.registry.get(subject, whole=False)).content
    papers = [await call.context.protocols.paper(subject, str(row["ref"])) for row in rows(view, "protocols")]
    return PapersAnswer(items=[_paper(paper).model_copy(update={"document": None}) for paper in papers])


@api("GET", "/passports/{id}/protocols/{ref}", title="One protocol", scopes=[Scope.READ],
     limit=Limit.PASSPORT, problems=["protocol_unknown", "protocol_unreadable"])  # fmt: skip
async def read_paper(call: Call, path: PaperPath) -> PaperAnswer:
    """The document as it was signed; what may not be read here is left out."""
    return _paper(await call.context.protocols.paper(subject_of(path.id), path.ref))


def verdict_answer(checked: Checked, language: str) -> VerdictAnswer:
    """What a check found, in words."""
    remarks = []
    for remark in checked.remarks:
        words = remark.ru if language == "ru" else remark.en
        remarks.append(
            RemarkAnswer(
                pointer=remark.pointer,
                layer=remark.layer,
                severity=remark.severity,
                rule=remark.rule,
                what=words.what,
                advice=words.advice,
            )
        )
    return VerdictAnswer(state=checked.state, remarks=remarks)


def side_answer(side: View) -> SideAnswer:
    """A side of an act as a view shows it."""
    told = {name: at(side, "reason", name) for name in ("until", "document", "note")}
    own = {name: side[name] for name in ("role", "org", "named", "ref", "by", "late")}
    return SideAnswer.model_validate({**own, **told, "reason": at(side, "reason", "why")})


def _paper(paper: Paper) -> PaperAnswer:
    row = paper.row
    return PaperAnswer(
        ref=str(row["ref"]),
        by=str(row["by"]),
        occurred_us=int(str(row["occurred"])),
        recorded_us=int(str(row["recorded"])),
        standing=str(row["standing"]),
        template=paper.held.reference if paper.held else None,
        document=format_json(paper.document).decode() if paper.document is not None else None,
        whole=paper.is_whole,
        replaced_by=text(row, "replaced_by") or None,
        agreed=bool(at(row, "act", "agreed")) if row["act"] is not None else None,
        parties=[side_answer(side) for side in rows(row, "act", "sides")],
        attachments=[FileAnswer.model_validate(file) for file in rows(row, "attachments")],
    )


ROUTES = (check_protocol, sign_protocol, list_papers, read_paper)
