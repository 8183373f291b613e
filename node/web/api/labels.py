"""Labels to be printed: of one device or of a list, as PDF for a roll or a sheet, as ZPL, or a code alone."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.exchange.errors import LabelError
from node.exchange.label_formats import FORMATS, LabelFormat
from node.exchange.label_layout import Label, Layout, check_texts, lay_out, metrics_of
from node.exchange.label_symbols import Code, draw_png, draw_svg, make_symbol
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.labels import MOST
from node.web.api.papers import FONTS, PDF, PRINTING, answer_file
from node.web.api.passports import DeviceText, PassportPath, subject_of
from node.web.api.registry import PassportsQuery
from node.web.calls import Call
from node.web.downloads import whole_or_broken_off
from node.web.routes import Limit, api
from node.web.tables import office as tables

T = TypeVar("T")

PNG, SVG, ZPL, ZIP = "image/png", "image/svg+xml", "text/plain", "application/zip"
PART = 500  # labels of one PDF; more go out as several in a ZIP while they are drawn
PROBLEMS = ("passport_unknown", "id_mistyped", "label_no_domain", "label_small")
SizeName = Literal["58x40", "58x30", "43x25", "a4-3x7", "a4-3x8", "a4-4x10", "a4-5x13"]
Typed = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class FormatRow(BaseModel):
    """A format: the size of a label in mm, and how many a page has."""

    name: SizeName
    width: float
    height: float
    columns: int
    rows: int


class FormatsAnswer(BaseModel):
    """The formats, and the domain that is printed."""

    domain: str = Field(description="Empty where none is set: labels cannot be printed then.")
    most: int = Field(description="Labels that one order may have.")
    items: list[FormatRow]


class Choice(BaseModel):
    """How labels are made."""

    size: SizeName = "58x40"
    code: Code = Code.QR
    start: int = Field(default=1, ge=1, le=65, description="The place of the first label on a sheet, row by row.")

    @property
    def form(self) -> LabelFormat:
        """The format; raise InputError where the sheet has no such place."""
        form = FORMATS[self.size]
        if self.start > form.on_a_page:
            raise InputError(
                f"a sheet {form.name} has {form.on_a_page} labels", "label_start", most=form.on_a_page, name=form.name
            )
        return form


class LabelQuery(Choice):
    """The label of one device, and as what."""

    file: Literal["pdf", "zpl", "png", "code-svg", "code-png"] = Field(
        default="pdf", description="`png` is a picture of it; `code-…` the code alone, for a program that draws labels."
    )


class Filter(PassportsQuery):
    """Everything that a list shows."""


class LabelsBody(Choice):
    """Which devices: named one by one, of an import, of a shipment, or those of a list; the first that is given."""

    devices: Annotated[list[Typed], Field(max_length=MOST)] = Field(
        default=[], description="Device ids, or what stands on plates."
    )
    filter: Filter | None = None
    job: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")] | None = None
    shipment: DeviceText | None = None
    file: Literal["pdf", "zpl"] = "pdf"


@dataclass(frozen=True, slots=True)
class Order:
    """Labels that are to be drawn."""

    subjects: Sequence[bytes]
    choice: Choice


@api("GET", "/labels/formats", title="Formats of labels", scopes=[Scope.READ], table=tables.LABEL_FORMATS)
async def list_formats(call: Call) -> FormatsAnswer:
    """Single labels for thermal printers, and grids of A4 sheets."""
    items = [
        FormatRow(name=one.name, width=one.width, height=one.height, columns=one.columns, rows=one.rows)
        for one in FORMATS.values()
    ]
    return FormatsAnswer(domain=call.context.public.domain, most=MOST, items=items)


@api("GET", "/passports/{id}/label", title="The label of a device", scopes=[Scope.READ], limit=Limit.PASSPORT,
     files=[PDF, PNG, SVG, ZPL], problems=[*PROBLEMS, "label_start"])  # fmt: skip
async def read_label(call: Call, path: PassportPath, query: LabelQuery) -> web.Response:
    """With the code that opens its passport, the device id, and what it is."""
    order = Order([path.subject], query)
    (label,) = [one async for one in call.context.labels.read(order.subjects)]
    name, title = f"label-{format_device_id(SubjectId(path.subject))}", f"{label.designation} {label.serial}"
    if query.file in ("code-svg", "code-png"):
        symbol = make_symbol(query.code, label.link)
        raw, kind = (draw_svg(symbol), SVG) if query.file == "code-svg" else (draw_png(symbol), PNG)
        return answer_file(call, raw, kind, name, title, kind[6:9])
    if query.file == "png":
        return answer_file(call, await preview(call, order), PNG, name, title, "png")
    layouts = await _laid(call, [label], query)
    if query.file == "zpl":
        return answer_file(call, await _drawn(call, _zpl(layouts, query)), ZPL, name, title, "zpl")
    return answer_file(call, await _drawn(call, _pdf(call, layouts, query)), PDF, name, title, "pdf")


@api("POST", "/labels", title="Labels of many devices", scopes=[Scope.READ], files=[PDF, ZIP, ZPL],
     problems=[*PROBLEMS, "label_start", "labels_none", "labels_too_many", "label_unnamed", "query_empty",
               "job_unknown", "shipment_unknown"])  # fmt: skip
async def print_labels(call: Call, body: LabelsBody) -> web.StreamResponse:
    """One PDF; of more than 500 labels a ZIP of PDFs, and ZPL always, that goes out while it is drawn."""
    order = Order(await subjects_of(call, body), body)
    return await send_labels(call, order, body.file)


async def subjects_of(call: Call, body: LabelsBody) -> list[bytes]:
    """The subjects that are asked for; raise InputError where there are none."""
    labels, found = call.context.labels, list[bytes]()
    if body.devices:
        found = await labels.named(body.devices)
    elif body.job is not None:
        found = await labels.brought(body.job)
    elif body.shipment is not None:
        found = await labels.shipped(subject_of(body.shipment))
    elif body.filter is not None:
        question = body.filter.question
        found = await labels.asked(question, await call.context.limits.narrow(call.actor))
    if not found:
        raise InputError("no device is named", "labels_none")
    return found


async def preview(call: Call, order: Order) -> bytes:
    """The first page as a picture."""
    from node.exchange.label_raster import draw_page  # noqa: PLC0415 - a node starts sooner without what draws

    form, start = order.choice.form, order.choice.start
    shown = order.subjects[: form.on_a_page - start + 1]
    layouts = await _laid(call, [one async for one in call.context.labels.read(shown)], order.choice)
    return await _drawn(call, partial(draw_page, layouts, form, metrics_of(FONTS), start))


async def send_labels(call: Call, order: Order, file: str) -> web.StreamResponse:
    """The labels as a file. What is wrong with any of them is told before anything goes out."""
    labels, choice = [one async for one in call.context.labels.read(order.subjects)], order.choice
    if file == "pdf" and len(labels) <= PART:
        raw = await _drawn(call, _pdf(call, await _laid(call, labels, choice), choice))
        return answer_file(call, raw, PDF, "labels", "", "pdf")
    await _drawn(call, partial(_check, labels, choice.form, choice.code))
    parts = _parts(call, labels, choice, file)
    first = await anext(parts)
    named = answer_file(call, b"", ZIP if file == "pdf" else ZPL, "labels", "", "zip" if file == "pdf" else "zpl")
    response = web.StreamResponse(headers={"Content-Disposition": named.headers["Content-Disposition"]})
    response.content_type = named.content_type
    await response.prepare(call.request)
    async with whole_or_broken_off(call):
        await response.write(first)
        async for part in parts:
            await response.write(part)
        await response.write_eof()
    return response


async def _parts(call: Call, labels: Sequence[Label], choice: Choice, file: str) -> AsyncIterator[bytes]:
    """The bytes of a large file, part by part."""
    packed = _Packed()
    for number, (first, how, some) in enumerate(_cut(labels, choice), 1):
        layouts = await _laid(call, some, how)
        if file == "zpl":
            yield await _drawn(call, _zpl(layouts, how))
            continue
        raw = await _drawn(call, _pdf(call, layouts, how))
        yield packed.add(f"labels-{number:02}-{first}-{first + len(some) - 1}.pdf", raw)
    if file == "pdf":
        yield packed.finish()


def _cut(labels: Sequence[Label], choice: Choice) -> Iterator[tuple[int, Choice, Sequence[Label]]]:
    """(number of the first, how, which) of each part: whole sheets, the first of them begun at its place."""
    on_a_page, at = choice.form.on_a_page, 0
    whole = max(1, PART // on_a_page) * on_a_page
    while at < len(labels):
        end = at + whole - (choice.start - 1)
        yield at + 1, choice, labels[at:end]
        at, choice = end, choice.model_copy(update={"start": 1})


class _Packed(io.RawIOBase):
    """A ZIP that is sent while it is made."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._zip = zipfile.ZipFile(self, "w", zipfile.ZIP_STORED)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # the archive writes bytes alone
        self._waiting += data
        return len(data)

    def add(self, name: str, raw: bytes) -> bytes:
        self._zip.writestr(name, raw)
        return self._taken()

    def finish(self) -> bytes:
        self._zip.close()
        return self._taken()

    def _taken(self) -> bytes:
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken


async def _laid(call: Call, labels: Sequence[Label], choice: Choice) -> list[Layout]:
    return await _drawn(call, partial(_lay_out, labels, choice.form, choice.code))


def _lay_out(labels: Sequence[Label], form: LabelFormat, code: Code) -> list[Layout]:
    metrics, made = metrics_of(FONTS), list[Layout]()
    for label in labels:
        with _naming(label, form):
            made.append(lay_out(label, form, code, metrics))
    return made


def _check(labels: Sequence[Label], form: LabelFormat, code: Code) -> None:
    metrics = metrics_of(FONTS)
    for label in labels:
        with _naming(label, form):
            check_texts(label, labels[0].link, form, code, metrics)


@contextmanager
def _naming(label: Label, form: LabelFormat) -> Iterator[None]:
    """Raise InputError that names the label where it does not fit."""
    try:
        yield
    except LabelError as error:
        title = f"{label.designation} {label.serial}".strip()
        raise InputError(f"{title}: {error}", "label_small", title=title[:120], name=form.name) from error


def _pdf(call: Call, layouts: Sequence[Layout], choice: Choice) -> Callable[[], bytes]:
    from node.exchange.label_pdf import draw_labels  # noqa: PLC0415 - a node starts sooner without what draws

    return partial(draw_labels, layouts, choice.form, metrics_of(FONTS), call.context.clock.now(), choice.start)


def _zpl(layouts: Sequence[Layout], choice: Choice) -> Callable[[], bytes]:
    from node.exchange.label_raster import write_zpl  # noqa: PLC0415 - a node starts sooner without what draws

    return partial(write_zpl, layouts, choice.form, metrics_of(FONTS))


async def _drawn(call: Call, draw: Callable[[], T]) -> T:
    """One at a time: the threads of a node are for everybody."""
    async with call.request.app[PRINTING]:
        return await asyncio.to_thread(draw)


ROUTES = (list_formats, read_label, print_labels)
