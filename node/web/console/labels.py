"""Printing labels: for the devices of a list, of an import, or a list that was pasted; seen before they are printed."""

import base64
from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field, StringConstraints, field_validator

from node.errors import NodeError
from node.exchange.label_formats import FORMATS
from node.services.access import Scope
from node.services.labels import MOST
from node.web.api.labels import PART, Choice, Filter, LabelsBody, Order, Typed, preview, send_labels, subjects_of
from node.web.calls import Call, View
from node.web.console.following import APART
from node.web.languages import mark
from node.web.routes import page

TITLE = mark("Labels")
PATH = "/labels"
CHOICE = frozenset(Choice.model_fields)
NARROWING = {*Filter.model_fields} - {"cursor", "limit"}


class LabelsQuery(Filter, Choice):
    """Which devices a list showed, or an import brought, and how their labels are made."""

    job: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})?$")] = ""
    shipment: Annotated[str, StringConstraints(max_length=80)] = ""

    def narrowed(self) -> dict[str, str]:
        """What narrows the list, as it stands in an address."""
        asked = self.model_dump(mode="json", exclude_defaults=True, include=NARROWING)
        return {name: str(value).lower() if value is True else str(value) for name, value in asked.items() if value}


class LabelsForm(LabelsQuery):
    """The same, with devices as a list that was pasted: one a line."""

    devices: Annotated[list[Typed], Field(max_length=MOST)] = []
    file: Literal["pdf", "zpl"] = "pdf"

    @field_validator("devices", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        texts: Iterable[object] = value if isinstance(value, list) else [value]
        return [line.strip() for text in texts for line in APART.split(str(text)) if line.strip()]


@page("GET", PATH, title=TITLE, scopes=[Scope.READ], api="POST /labels")
async def labels(call: Call, query: LabelsQuery) -> View:
    """The labels of what a list shows; without one, a place for ids."""
    return await _view(call, LabelsForm.model_validate(query.model_dump()))


@page("POST", PATH, title=TITLE, scopes=[Scope.READ], api="POST /labels", max_body=4 << 20)
async def look(call: Call, body: LabelsForm) -> View:
    """How they would look."""
    return await _view(call, body)


@page("POST", PATH + "/file", title=TITLE, scopes=[Scope.READ], api="POST /labels", max_body=4 << 20)
async def print_out(call: Call, body: LabelsForm) -> View | web.StreamResponse:
    """The file for the printer."""
    try:
        return await send_labels(call, Order(await subjects_of(call, _asked(body)), body), body.file)
    except NodeError as error:
        return await _view(call, body, error)


async def _view(call: Call, form: LabelsForm, error: NodeError | None = None) -> View:
    picture, count, domain = "", 0, call.context.public.domain
    is_asked = bool(form.devices or form.job or form.shipment or form.narrowed())
    if error is None and is_asked and domain:
        try:
            subjects = await subjects_of(call, _asked(form))
            count = len(subjects)
            raw = await preview(call, Order(subjects, form))
            picture = base64.b64encode(raw).decode()
        except NodeError as refused:
            error = refused
    chosen = FORMATS[form.size]
    return View(
        "labels.html",
        error=error,
        form=form,
        formats=list(FORMATS.values()),
        chosen=chosen,
        narrowed=form.narrowed(),
        listed=urlencode(form.narrowed()),
        pasted="\n".join(form.devices),
        is_asked=is_asked,
        count=count,
        pages=chosen.pages(count, min(form.start, chosen.on_a_page)) if count else 0,
        picture=picture,
        domain=domain,
        part=PART,
        most=MOST,
    )


def _asked(form: LabelsForm) -> LabelsBody:
    """What the form asks of the operation: pasted devices go before all others."""
    choice = {name: getattr(form, name) for name in CHOICE}
    if form.devices:
        return LabelsBody(devices=form.devices, file=form.file, **choice)
    if form.job or form.shipment:
        return LabelsBody(job=form.job or None, shipment=form.shipment or None, file=form.file, **choice)
    narrowed = form.narrowed()
    return LabelsBody(filter=Filter.model_validate(narrowed) if narrowed else None, file=form.file, **choice)


ROUTES = (labels, look, print_out)
