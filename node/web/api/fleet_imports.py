"""Imports of fleet tables: what one would do, before anything is written, and how each supplier's tables are read."""

import asyncio
import json
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from node.errors import InputError
from node.exchange.errors import ExchangeError
from node.exchange.fleet.mapping import FleetMapping, parse_field
from node.exchange.fleet.report import report_json
from node.services.access import Scope
from node.services.fleet import Preview
from node.web.api.checks import ColumnAnswer, Mapping
from node.web.api.imports import MAX_FILE, FleetQuery, SupplierName
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import office as tables


class PreviewQuery(FleetQuery):
    """What the file is called, and how it is read."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = "file"


class RefusedAnswer(BaseModel):
    """How many meters would be sent back by a rule; one that breaks several is counted by its first."""

    rule: str
    meters: int


class PreviewAnswer(BaseModel):
    """What an import would do with a table now."""

    file: str
    meters: int
    new: int = Field(description="Meters that would get a passport.")
    known: int = Field(description="Meters of known passports, to which something would be added.")
    repeated: int = Field(description="Meters of which everything is stated here already.")
    refused: list[RefusedAnswer]
    sheet: str
    header_rows: list[int]
    columns: list[ColumnAnswer]
    mapping: Mapping = Field(description="The reading as a mapping, to be kept for the supplier's next table.")


class SupplierPath(BaseModel):
    """One supplier."""

    name: SupplierName


class SupplierBody(Mapping):
    """What the columns of a supplier's tables hold; at least one is named."""

    columns: dict[str, str] = Field(min_length=1, max_length=256)


class SupplierAnswer(BaseModel):
    """How the tables of a supplier are read."""

    name: str
    mapping: Mapping


class SuppliersAnswer(BaseModel):
    """Every supplier whose mapping is kept."""

    items: list[SupplierAnswer]


@api("POST", "/imports/preview", title="What an import of a fleet table would do", scopes=[Scope.IMPORT],
     max_body=MAX_FILE, problems=["import_unreadable", "supplier_unknown"])  # fmt: skip
async def preview_import(call: Call, query: PreviewQuery, body: bytes) -> PreviewAnswer:
    """XLSX or CSV of any shape, as it is. Nothing is written."""
    fleet = call.context.fleet
    preview = await fleet.preview(body, query.name, mapping=query.wish, supplier=query.supplier or "")
    return await asyncio.to_thread(_told, preview, query.name)


@api("GET", "/suppliers", title="Suppliers of fleet tables", scopes=[Scope.READ], table=tables.SUPPLIERS)
async def list_suppliers(call: Call) -> SuppliersAnswer:
    """By name, with how their tables are read."""
    kept = await call.context.fleet.suppliers()
    return SuppliersAnswer(
        items=[
            SupplierAnswer(name=name, mapping=Mapping.model_validate(json.loads(mapping.to_json())))
            for name, mapping in sorted(kept.items())
        ]
    )


@api("PUT", "/suppliers/{name}", title="Keep how a supplier's tables are read", scopes=[Scope.IMPORT], status=204,
     problems=["import_unreadable"])  # fmt: skip
async def keep_supplier(call: Call, path: SupplierPath, body: SupplierBody) -> None:
    """In place of what was kept before."""
    try:
        columns = {title: parse_field(name) for title, name in body.columns.items()}
    except ExchangeError as error:
        raise InputError(str(error), "import_unreadable", ru=error.text("ru")) from error
    mapping = FleetMapping(columns, body.sheet, body.header_row)
    await call.context.fleet.keep_supplier(path.name, mapping, call.actor.label)


@api("DELETE", "/suppliers/{name}", title="Forget how a supplier's tables are read", scopes=[Scope.IMPORT], status=204,
     problems=["supplier_unknown"])  # fmt: skip
async def forget_supplier(call: Call, path: SupplierPath) -> None:
    """Its next table is read as if it were the first one."""
    await call.context.fleet.forget_supplier(path.name, call.actor.label)


def _told(preview: Preview, file: str) -> PreviewAnswer:
    told = report_json(preview.intake.report, file)
    return PreviewAnswer.model_validate(
        {
            **told,
            "new": preview.new,
            "known": preview.known,
            "repeated": preview.repeated,
            "refused": [{"rule": rule, "meters": meters} for rule, meters in preview.refused.items()],
        }
    )


ROUTES = [preview_import, list_suppliers, keep_supplier, forget_supplier]
