"""Protocol templates: published by anybody, listed with what does not run here, checked, read and asked for."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.passport.references import ref_text
from node.services.access import Scope
from node.services.templates import HeldTemplate, Publication
from node.web.api.fields import Hex16
from node.web.api.identity import RefText
from node.web.binding import JSON
from node.web.calls import Call
from node.web.protocol_words import text_words
from node.web.routes import Limit, api
from node.web.tables import protocols as tables

MAX_TEMPLATE = 262_144
ContentId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class TemplateAnswer(BaseModel):
    """A published template: `reference` names it in documents, `trouble` says why it does not run here."""

    id: ContentId
    ref: str = Field(description="The place of its statement.")
    org: Hex16
    reference: str | None
    name: str | None
    version: str | None
    title: dict[str, str]
    process: str | None
    signers: list[str] = Field(description="The roles that must sign.")
    unknown_rules: list[str] = Field(description="With any of these no document is ever valid here.")
    trouble: str = Field(description="In the language of the request; empty where it runs here.")


class TemplatesAnswer(BaseModel):
    """Every template that is known here."""

    items: list[TemplateAnswer]


class CheckedTemplateAnswer(BaseModel):
    """What a template is, were it published."""

    name: str
    version: str
    title: dict[str, str]
    signers: list[str]
    unknown_rules: list[str]


class TemplatePath(BaseModel):
    """A template by the id of its statement."""

    statement: ContentId


class SeekInput(BaseModel):
    """The place of a template's statement, as a protocol names it."""

    place: RefText


class SeekAnswer(BaseModel):
    """Whether it is here now."""

    found: bool


@api("POST", "/templates", title="Publish a protocol template", scopes=[Scope.RECORD], status=201,
     problems=["template_refused", "template_version_taken"], max_body=MAX_TEMPLATE)  # fmt: skip
async def publish_template(call: Call, body: bytes) -> TemplateAnswer:
    """JSON Schema with `x-epd-template`; it is checked, signed and travels to every member."""
    held = await call.context.templates.publish(body, call.actor.label)
    return template_answer(Publication(held.org, held.ref, held.id, held), call.language)


@api("GET", "/templates", title="Protocol templates", scopes=[Scope.READ], limit=Limit.NONE, table=tables.TEMPLATES)
async def list_templates(call: Call) -> TemplatesAnswer:
    """Those of every organisation that were published to the members."""
    listed = await call.context.templates.list()
    return TemplatesAnswer(items=[template_answer(item, call.language) for item in listed])


@api("POST", "/templates/check", title="Check a protocol template", scopes=[Scope.READ, Scope.RECORD],
     problems=["template_refused"], max_body=MAX_TEMPLATE)  # fmt: skip
async def check_template(call: Call, body: bytes) -> CheckedTemplateAnswer:
    """Nothing is published; a refusal names the place and the rule."""
    template = await call.context.templates.check(body)
    return CheckedTemplateAnswer(
        name=template.name,
        version=template.version,
        title=dict(template.title),
        signers=list(template.layout.signers),
        unknown_rules=list(template.unknown_rules),
    )


@api("GET", "/templates/{statement}", title="One protocol template", scopes=[Scope.READ], limit=Limit.NONE,
     problems=["template_unknown"], files=[JSON])  # fmt: skip
async def read_template(call: Call, path: TemplatePath) -> web.Response:
    """The very bytes that were published."""
    found = await call.context.templates.publication(path.statement)
    return web.Response(body=found.raw, content_type=JSON, headers=call.headers)


@api("POST", "/templates/seek", title="Ask peers for a template", scopes=[Scope.RECORD])
async def seek_template(call: Call, body: SeekInput) -> SeekAnswer:
    """For a protocol whose template is not here."""
    return SeekAnswer(found=await call.context.templates.seek(body.place, call.actor.label))


def template_answer(item: Publication, language: str) -> TemplateAnswer:
    """A publication in words of the API, in the reader's language."""
    held: HeldTemplate | None = item.held
    template = held.template if held else None
    return TemplateAnswer(
        id=item.id.hex(),
        ref=ref_text(item.ref),
        org=item.org.hex(),
        reference=held.reference if held else None,
        name=template.name if template else None,
        version=template.version if template else None,
        title=dict(template.title) if template else {},
        process=template.process if template else None,
        signers=list(template.layout.signers) if template else [],
        unknown_rules=list(template.unknown_rules) if template else [],
        trouble=text_words(item.trouble, language),
    )


ROUTES = (publish_template, list_templates, check_template, seek_template, read_template)
