"""The own catalogs: loading codes, unmapped first with suggestions, mapping many at once, undoing."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from federation.fragment import Ref
from node.errors import InputError, NotFoundError
from node.exchange.columns import Columns
from node.exchange.errors import ColumnError, TableError
from node.exchange.tables import read_table
from node.passport.catalog_messages import rule_words
from node.passport.catalog_rules import check_row
from node.passport.references import parse_ref, ref_text
from node.services.access import Scope
from node.services.own_codes import Listed, Loaded, central_name
from node.web.api.fields import Line, Text
from node.web.calls import Call, Page, PageQuery
from node.web.routes import Limit, api
from node.web.tables import catalogs as tables

CODE_COLUMNS = {
    "code": ("код", "свой код", "own code", "local"),
    "name": ("наименование", "имя", "название"),
    "central": ("центральный код", "центральный", "central code"),
}
MAX_FILE = 4 << 20

OwnCatalogName = Literal["parameters", "units", "events", "types", "processes", "roles", "obis", "places"]


class OwnCatalogPath(BaseModel):
    """One catalog of which own codes are kept; places have own codes only."""

    catalog: OwnCatalogName


class CodePath(OwnCatalogPath):
    """One own code."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class CodesQuery(PageQuery):
    """Which own codes; by default all, unmapped first."""

    q: str = Field(default="", max_length=128)
    unmapped: bool = False


class SuggestionRow(BaseModel):
    """A central code that an own one may mean, and how near their names are, in per cent."""

    central: str
    name: str | None
    score: int


class CodeRow(BaseModel):
    """An own code with both codes, how many passports use it, and what it may mean."""

    local: str
    name: str | None
    central: str | None
    central_name: str | None
    records: int = Field(description="How many passports have a record with it.")
    loaded: bool = Field(description="False where it only stands in records.")
    suggestions: list[SuggestionRow]


class CodeInput(BaseModel):
    """One own code; without a central code what was said of it stays."""

    code: Text
    name: Line | None = None
    central: Text | None = None


class CodesBody(BaseModel):
    """Own codes to be loaded."""

    items: list[CodeInput] = Field(min_length=1, max_length=20_000)


class CodesAnswer(BaseModel):
    """How many were said, and how many were known so already."""

    taken: int
    known: int


class MappingInput(BaseModel):
    """An own code and the central one that it means; null binds it to none."""

    local: Text
    central: Text | None


class MappingsBody(BaseModel):
    """Mappings to be said in one transaction."""

    items: list[MappingInput] = Field(min_length=1, max_length=2000)


class MappingAnswer(BaseModel):
    """The statement that says so; null where nothing was new. `undo` takes it back."""

    statement: str | None


class UndoBody(BaseModel):
    """Which statement to take back."""

    statement: Annotated[str, StringConstraints(max_length=128)]


class RefusedBody(BaseModel):
    """Suggestions that are wrong."""

    items: list[MappingInput] = Field(min_length=1, max_length=2000)


class ChecksBody(BaseModel):
    """Rows to be checked: texts by the fields type, execution, version, approval, manufactured_on, event, parameter,
    value, unit and obis.
    """

    rows: list[dict[Text, Line]] = Field(min_length=1, max_length=2000)


class CheckRow(BaseModel):
    """What a rule says of a field of a row; a hint refuses nothing."""

    row: int
    field: str
    value: str
    rule: str
    hint: bool
    message: str
    advice: str


class ChecksAnswer(BaseModel):
    """Every finding, in the order of the rows."""

    items: list[CheckRow]


class SayingRow(BaseModel):
    """A statement about own codes."""

    statement: str
    occurred_us: int
    count: int
    codes: list[dict[str, str | None]] = Field(description="The first ten of them.")


class SayingsAnswer(BaseModel):
    """What was said of own codes, newest first."""

    items: list[SayingRow]


class HistoryRow(BaseModel):
    """What an own code meant from one statement on."""

    statement: str
    occurred_us: int
    name: str | None
    central: str | None


class HistoryAnswer(BaseModel):
    """What was said of one own code, oldest first."""

    items: list[HistoryRow]


@api("GET", "/catalogs/{catalog}/codes", title="Own codes, unmapped first", scopes=[Scope.READ], limit=Limit.NONE,
     table=tables.OWN_CODES)  # fmt: skip
async def list_codes(call: Call, path: OwnCatalogPath, query: CodesQuery) -> Page[CodeRow]:
    """Own codes that were loaded or stand in records, with what the unmapped ones may mean."""
    rows = filter_codes(await call.context.own_codes.listed(path.catalog), query.q, query.unmapped)
    if query.cursor:
        after = call.decode_cursor(query.cursor, int, int, str)
        rows = [row for row in rows if row.place > after]
    part = rows[: query.limit]
    more = call.encode_cursor(*part[-1].place) if len(rows) > len(part) else None
    return Page(items=await code_rows(call, path.catalog, part), next=more)


@api("POST", "/catalogs/{catalog}/codes", title="Load own codes", scopes=[Scope.RECORD], status=201,
     problems=["codes_refused", "codes_too_many"], max_body=MAX_FILE)  # fmt: skip
async def load_codes(call: Call, path: OwnCatalogPath, body: CodesBody) -> CodesAnswer:
    """All of them or none. A system that loaded its codes speaks them in each request from now on."""
    rows = [Loaded(item.code, item.name, item.central, f"/items/{at}") for at, item in enumerate(body.items)]
    taken, known = await call.context.own_codes.load(path.catalog, rows, call.actor.label)
    return CodesAnswer(taken=taken, known=known)


@api("POST", "/catalogs/{catalog}/codes/file", title="Load own codes from a table", scopes=[Scope.RECORD], status=201,
     problems=["codes_refused", "codes_too_many", "import_unreadable"], max_body=MAX_FILE)  # fmt: skip
async def load_code_file(call: Call, path: OwnCatalogPath, body: bytes) -> CodesAnswer:
    """XLSX or CSV with the columns code, name and central; the last two may be left out."""
    taken, known = await call.context.own_codes.load(path.catalog, read_codes(body), call.actor.label)
    return CodesAnswer(taken=taken, known=known)


@api("GET", "/catalogs/{catalog}/codes/{code}/history", title="What an own code meant", scopes=[Scope.READ],
     problems=["own_code_unknown"], table=tables.HISTORY)  # fmt: skip
async def code_history(call: Call, path: CodePath) -> HistoryAnswer:
    """Every statement about it, oldest first."""
    found = await call.context.own_codes.history(path.catalog, path.code)
    return HistoryAnswer(
        items=[
            HistoryRow(statement=ref_text(code.ref), occurred_us=code.occurred, name=code.name, central=code.central)
            for code in found
        ]
    )


@api("POST", "/catalogs/{catalog}/mappings", title="Map own codes in bulk", scopes=[Scope.RECORD], status=201,
     problems=["codes_refused"])  # fmt: skip
async def map_codes(call: Call, path: OwnCatalogPath, body: MappingsBody) -> MappingAnswer:
    """One transaction; old records with these codes answer central queries from now on."""
    pairs = [(item.local, item.central) for item in body.items]
    ref = await call.context.own_codes.map(path.catalog, pairs, call.actor.label)
    return MappingAnswer(statement=ref_text(ref) if ref else None)


@api("GET", "/catalogs/{catalog}/mappings", title="What was said of own codes", scopes=[Scope.READ],
     table=tables.MAPPINGS)  # fmt: skip
async def list_mappings(call: Call, path: OwnCatalogPath) -> SayingsAnswer:
    """Statements about own codes of the catalog, newest first."""
    return SayingsAnswer(
        items=[
            SayingRow(
                statement=ref_text(said.ref),
                occurred_us=said.occurred,
                count=len(said.codes),
                codes=[{"local": code.local, "central": code.central} for code in said.codes[:10]],
            )
            for said in (await call.context.own_codes.sayings(path.catalog))[:100]
        ]
    )


@api("POST", "/catalogs/{catalog}/mappings/undo", title="Take a mapping back", scopes=[Scope.RECORD], status=201,
     problems=["saying_unknown", "saying_replaced"])  # fmt: skip
async def undo_mapping(call: Call, path: OwnCatalogPath, body: UndoBody) -> MappingAnswer:
    """Its codes mean again what they meant before that statement; both statements stay."""
    ref = await call.context.own_codes.undo(path.catalog, parse_statement(body.statement), call.actor.label)
    return MappingAnswer(statement=ref_text(ref) if ref else None)


@api("POST", "/catalogs/{catalog}/refusals", title="Refuse suggestions", scopes=[Scope.RECORD], status=204)
async def refuse_suggestions(call: Call, path: OwnCatalogPath, body: RefusedBody) -> None:
    """These central codes are suggested for these own ones no more."""
    pairs = {item.local: item.central for item in body.items if item.central}
    await call.context.own_codes.refuse(path.catalog, pairs, call.actor.label)


@api("POST", "/catalogs/checks", title="Check rows against the catalogs", scopes=[Scope.RECORD])
async def check_rows(call: Call, body: ChecksBody) -> ChecksAnswer:
    """Nothing is written. Fields that no rule knows are overlooked; rows are counted from 1."""
    book = call.context.entry.book
    found = []
    for number, row in enumerate(body.rows, 1):
        for one in check_row(book, row):
            message, advice = rule_words(one.rule, {"value": one.value, **one.words}, call.language)
            found.append(
                CheckRow(
                    row=number, field=one.field, value=one.value, rule=one.rule, hint=one.is_hint, message=message,
                    advice=advice,
                )
            )  # fmt: skip
    return ChecksAnswer(items=found)


async def code_rows(call: Call, catalog: str, rows: list[Listed]) -> list[CodeRow]:
    """Own codes with both names and what the unmapped ones may mean."""
    releases = call.context.releases
    suggested = await call.context.own_codes.suggest(catalog, [row for row in rows if row.central is None])

    def name(code: str | None) -> str | None:
        return central_name(releases, catalog, code, call.language)

    return [
        CodeRow(
            local=row.local,
            name=row.name,
            central=row.central,
            central_name=name(row.central),
            records=row.records,
            loaded=row.is_loaded,
            suggestions=[
                SuggestionRow(central=one.code, name=name(one.code), score=one.score)
                for one in suggested.get(row.local, ())
            ],
        )
        for row in rows
    ]


def filter_codes(rows: list[Listed], text: str = "", unmapped: bool = False) -> list[Listed]:
    """Those with a text in a code or a name; `unmapped` leaves out what is bound."""
    wanted = text.strip().casefold()
    return [
        row
        for row in rows
        if not (unmapped and row.central)
        and (not wanted or any(wanted in (one or "").casefold() for one in (row.local, row.name, row.central)))
    ]


def read_codes(raw: bytes) -> list[Loaded]:
    """The own codes of a table; raise InputError where it is none."""
    try:
        table = read_table(raw)
        columns = Columns.find(table.header, CODE_COLUMNS, ("code",), {})
    except (TableError, ColumnError) as error:
        raise InputError(str(error), "import_unreadable", ru=error.text("ru")) from error
    rows = []
    for row in table.rows:
        texts = {field: row.cells[at].text for field, at in columns.places.items()}
        rows.append(
            Loaded(texts["code"], texts.get("name") or None, texts.get("central") or None, f"/rows/{row.number}")
        )
    return rows


def parse_statement(text: str) -> Ref:
    """The place of a statement; raise NotFoundError."""
    try:
        return parse_ref(text)
    except (ValueError, TypeError) as error:
        raise NotFoundError(f"{text[:64]!r} names no statement", "saying_unknown") from error


ROUTES = (
    list_codes,
    load_codes,
    load_code_file,
    code_history,
    map_codes,
    list_mappings,
    undo_mapping,
    refuse_suggestions,
    check_rows,
)
