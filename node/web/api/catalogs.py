"""The own catalog: serial lines that this organisation publishes, and dual references."""

from typing import Any

from pydantic import BaseModel

from node.passport.catalogs import Catalog, find_name, load_central
from node.passport.lines import SerialLine
from node.services.access import Scope
from node.web.api import tables
from node.web.api.fields import Text
from node.web.calls import Call
from node.web.routes import api


class LineBody(BaseModel):
    """A serial line as `docs/protocol.md` section 4 has it; `line` and `publisher` are filled in where absent."""

    record: dict[str, Any]  # Any: checked against the record's own model, which names what is wrong


class LineAnswer(BaseModel):
    """A published line."""

    line: str


class ReferenceBody(BaseModel):
    """One code of the own catalog and the central one that it means."""

    catalog: Text
    local: Text
    central: Text
    local_name: Text | None = None


class ReferenceAnswer(ReferenceBody):
    """What is bound now."""


class LineRow(BaseModel):
    """A serial line whose record counts here."""

    line: str
    publisher: str
    designations: list[str]
    marks: list[str]
    makers: list[str]
    approvals: list[str]
    width: int | None
    restarts_yearly: bool
    record: dict[str, Any]  # Any: the record itself, plain JSON


class LinesAnswer(BaseModel):
    """Serial lines, by designation."""

    items: list[LineRow]


class ReferenceRow(ReferenceBody):
    """A binding of an organisation's own code."""

    org: str


class ReferencesAnswer(BaseModel):
    """Bindings, by organisation, catalog and own code."""

    items: list[ReferenceRow]


class CatalogPath(BaseModel):
    """Which central catalog."""

    catalog: Catalog


class CodeRow(BaseModel):
    """A central code and what it is called."""

    code: str
    ru: str | None
    en: str | None


class CodesAnswer(BaseModel):
    """A central catalog, by code."""

    items: list[CodeRow]


@api("POST", "/lines", title="Publish a serial line", scopes=[Scope.RECORD], status=201)
async def publish_line(call: Call, body: LineBody) -> LineAnswer:
    """It counts where this organisation is attested as its maker or is a steward."""
    return LineAnswer(line=await call.context.catalogs.publish_line(body.record, call.actor.label))


@api("POST", "/references", title="Bind an own code to a central one", scopes=[Scope.RECORD], status=201)
async def bind_reference(call: Call, body: ReferenceBody) -> ReferenceAnswer:
    """Old records that hold the own code answer the central one from now on."""
    await call.context.catalogs.bind(body.catalog, body.local, body.central, body.local_name, call.actor.label)
    return ReferenceAnswer(**body.model_dump())


@api("GET", "/lines", title="Serial lines", scopes=[Scope.READ], table=tables.LINES)
async def list_lines(call: Call) -> LinesAnswer:
    """Those that count here: their publisher is attested as the maker, or is a steward."""
    published = call.context.projection.world.line_records.values()
    rows = [_line(item.record) for item in published]
    return LinesAnswer(items=sorted(rows, key=lambda row: (row.designations, row.line)))


@api("GET", "/references", title="Dual references", scopes=[Scope.READ], table=tables.REFERENCES)
async def list_references(call: Call) -> ReferencesAnswer:
    """What organisations say their own codes mean."""
    world = call.context.projection.world
    return ReferencesAnswer(
        items=[
            ReferenceRow(
                org=org, catalog=catalog, local=local, central=central,
                local_name=world.local_names.get((org, catalog, local)),
            )
            for (org, catalog, local), central in sorted(world.bindings.codes.items())
        ]
    )  # fmt: skip


@api("GET", "/catalogs/{catalog}", title="A central catalog", scopes=[Scope.READ], table=tables.CODES)
async def read_catalog(call: Call, path: CatalogPath) -> CodesAnswer:
    """As it ships with the node, with what stewards published beside it."""
    names = call.context.projection.world.names
    published = {code: name for (catalog, code), name in names.items() if catalog == path.catalog.value}
    codes = sorted({*load_central(path.catalog), *published})
    return CodesAnswer(items=[_code(path.catalog, code, published.get(code)) for code in codes])


def _line(record: SerialLine) -> LineRow:
    shown = record.model_dump(mode="json", exclude_none=True)
    return LineRow(
        line=record.line,
        publisher=record.publisher,
        designations=list(record.designations),
        marks=[held.name for held in record.marks],
        makers=[held.name for held in record.legal_makers],
        approvals=[held.name for held in record.approvals],
        width=shown["serial"].get("width"),
        restarts_yearly=record.restarts_yearly,
        record=shown,
    )


def _code(catalog: Catalog, code: str, published: str | None) -> CodeRow:
    return CodeRow(code=code, ru=published or find_name(catalog, code), en=find_name(catalog, code, "en"))


ROUTES = [publish_line, list_lines, bind_reference, list_references, read_catalog]
