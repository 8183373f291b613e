"""Protocols: templates that anybody publishes, documents checked against them, and the «Аршин» file."""

from datetime import date
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.web.api.federation import Hex16
from node.web.api.passports import SaidAnswer
from node.web.calls import Call
from node.web.routes import api

MAX_DOCUMENT = 1 << 20
Reference = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class TemplateAnswer(BaseModel):
    """A published template: `reference` names it in documents, `trouble` says why it does not run here."""

    org: Hex16
    reference: str | None
    name: str | None
    version: str | None
    trouble: str


class TemplatesAnswer(BaseModel):
    """Every template that is known here."""

    items: list[TemplateAnswer]


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


class ArshinQuery(BaseModel):
    """From which day on; nothing means all."""

    since: date | None = Field(default=None)


@api("POST", "/templates", title="Publish a protocol template", scopes=[Scope.RECORD], status=201)
async def publish_template(call: Call, body: bytes) -> TemplateAnswer:
    """JSON Schema with `x-epd-template`; it is checked, signed and travels to every member."""
    held = await call.context.templates.publish(body, call.actor.label)
    return TemplateAnswer(
        org=held.org.hex(),
        reference=held.reference,
        name=held.template.name,
        version=held.template.version,
        trouble="",
    )


@api("GET", "/templates", title="Protocol templates", scopes=[Scope.READ])
async def list_templates(call: Call) -> TemplatesAnswer:
    """Those of every organisation that were published to the members."""
    return TemplatesAnswer(
        items=[
            TemplateAnswer(
                org=item.org.hex(),
                reference=item.held.reference if item.held else None,
                name=item.held.template.name if item.held else None,
                version=item.held.template.version if item.held else None,
                trouble=item.trouble,
            )
            for item in await call.context.templates.list()
        ]
    )


@api("POST", "/protocols/check", title="Check a document", scopes=[Scope.READ, Scope.RECORD], max_body=MAX_DOCUMENT)
async def check_protocol(call: Call, query: ProtocolQuery, body: bytes) -> VerdictAnswer:
    """Nothing is written."""
    checked = await call.context.protocols.check(query.template, body)
    remarks = []
    for remark in checked.remarks:
        words = remark.ru if call.language == "ru" else remark.en
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


@api("POST", "/protocols", title="Sign a document", scopes=[Scope.RECORD], status=201, max_body=MAX_DOCUMENT)
async def sign_protocol(call: Call, query: ProtocolQuery, body: bytes) -> SaidAnswer:
    """Refused with every rule that it breaks; what it states becomes parameters and events of the passport."""
    signed = await call.context.protocols.sign(query.template, body, call.actor.label)
    return SaidAnswer(id=format_device_id(SubjectId(signed.subject)), log=signed.ref.log.hex(), seq=signed.ref.seq)


@api("GET", "/arshin", title="The «Аршин» import file", scopes=[Scope.READ, Scope.RECORD])
async def export_arshin(call: Call, query: ArshinQuery) -> web.Response:
    """Of this organisation's own signed verifications."""
    raw = await call.context.protocols.arshin(call.actor.label, (), query.since)
    return web.Response(body=raw, content_type="application/xml")


ROUTES = (publish_template, list_templates, check_protocol, sign_protocol, export_arshin)
