"""Catalogs: the central ones with both codes, serial lines, and binding one own code."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from node.passport.catalogs import Catalog, name_in
from node.passport.lines import SerialLine
from node.passport.used_codes import PLACES
from node.services.access import Scope
from node.services.findings import show_finding
from node.web.api.fields import Text
from node.web.api.plain import plain
from node.web.api.records import Hint, hints_of
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import catalogs as tables

CatalogName = Literal["parameters", "units", "events", "types", "processes", "roles", "obis"]


class LineBody(BaseModel):
    """A serial line as `docs/protocol.md` section 4 has it; `line` and `publisher` are filled in where absent."""

    record: dict[str, Any]  # Any: checked against the record's own model, which names what is wrong


class LineAnswer(BaseModel):
    """A published line; a hint says where it does not count yet."""

    line: str
    hints: list[Hint] = []


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
    """One central catalog."""

    catalog: CatalogName


class CatalogRow(BaseModel):
    """A catalog: the release it works with (0 is as shipped), what waits, and how many own codes stand unmapped."""

    catalog: str
    count: int
    release: int
    label: str
    waiting: int
    automatic: bool
    own: int
    unmapped: int


class CatalogsAnswer(BaseModel):
    """All catalogs."""

    items: list[CatalogRow]


class RecordsQuery(PageQuery):
    """Which records: `q` is part of a code, a name or an own code."""

    q: str = Field(default="", max_length=128)


class RecordRow(BaseModel):
    """A central record with the own codes that mean it."""

    central: str
    ru: str | None
    en: str | None
    own: list[str] = Field(description="Own codes that are bound to it.")
    record: dict[str, Any]  # Any: a record is plain JSON; numbers with a point are text


@api("POST", "/lines", title="Publish a serial line", scopes=[Scope.RECORD], status=201)
async def publish_line(call: Call, body: LineBody) -> LineAnswer:
    """It counts where this organisation is attested as its maker or is a steward."""
    line = await call.context.catalogs.publish_line(body.record, call.actor.label)
    counts = call.context.catalogs.may_publish_lines()
    found = [] if counts else [show_finding("/record", "line-unattested", line, {})]
    return LineAnswer(line=line, hints=hints_of(found, call.language))


@api("POST", "/references", title="Bind an own code to a central one", scopes=[Scope.RECORD], status=201)
async def bind_reference(call: Call, body: ReferenceBody) -> ReferenceAnswer:
    """Old records that hold the own code answer the central one from now on."""
    await call.context.catalogs.bind(body.catalog, body.local, body.central, body.local_name, call.actor.label)
    return ReferenceAnswer(**body.model_dump())


@api("GET", "/lines", title="Serial lines", scopes=[Scope.READ], limit=Limit.NONE, table=tables.LINES)
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


@api("GET", "/catalogs", title="Catalogs", scopes=[Scope.READ], table=tables.CATALOGS_TABLE)
async def list_catalogs(call: Call) -> CatalogsAnswer:
    """Each central catalog and the own codes in it; places have own codes only."""
    return CatalogsAnswer(items=await catalog_rows(call))


@api("GET", "/catalogs/{catalog}/records", title="Records of a central catalog", scopes=[Scope.READ], limit=Limit.NONE,
     table=tables.CODES)  # fmt: skip
async def list_records(call: Call, path: CatalogPath, query: RecordsQuery) -> Page[RecordRow]:
    """The records that this node works with, by code, with both codes."""
    after = str(call.decode_cursor(query.cursor, str)[0]) if query.cursor else ""
    rows = [row for row in record_rows(call, Catalog(path.catalog), query.q) if row.central > after]
    part = rows[: query.limit]
    return Page(items=part, next=call.encode_cursor(part[-1].central) if len(rows) > len(part) else None)


async def catalog_rows(call: Call) -> list[CatalogRow]:
    """All catalogs in their order, places last."""
    rows = []
    for name in (*(catalog.value for catalog in Catalog), PLACES):
        codes = await call.context.own_codes.listed(name)
        state = None if name == PLACES else call.context.releases.state(Catalog(name))
        adopted = state.adopted if state else None
        rows.append(
            CatalogRow(
                catalog=name,
                count=state.count if state else 0,
                release=adopted.number if adopted else 0,
                label=adopted.label if adopted else "",
                waiting=len(state.waiting) if state else 0,
                automatic=state is not None and state.is_automatic,
                own=len(codes),
                unmapped=0 if name == PLACES else sum(code.central is None for code in codes),
            )
        )
    return rows


def record_rows(call: Call, catalog: Catalog, text: str = "") -> list[RecordRow]:
    """The central records with the own codes that mean them, those with a text in a code or a name."""
    own: dict[str, list[str]] = {}
    for local, code in sorted(call.context.own_codes.known(catalog.value).items()):
        if code.central:
            own.setdefault(code.central, []).append(local)
    wanted = text.strip().casefold()
    found = []
    for central, record in sorted(call.context.releases.records(catalog).items()):
        names, mine = (name_in(record, "ru"), name_in(record, "en")), own.get(central, [])
        if not wanted or any(wanted in str(one).casefold() for one in (central, *names, *mine, record.get("model"))):
            found.append(RecordRow(central=central, ru=names[0], en=names[1], own=mine, record=plain(record)))
    return found


ROUTES = (publish_line, list_lines, bind_reference, list_references, list_catalogs, list_records)
