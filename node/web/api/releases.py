"""Releases of central catalogs: which are here, what each changes, adopting one, and signing one as a steward."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from node.passport.catalogs import Catalog, Record, name_in
from node.passport.releases import Release
from node.services.access import Scope
from node.services.releases import CatalogState, Preview
from node.web.api.catalogs import CatalogPath
from node.web.api.fields import Line, Text
from node.web.api.plain import exact, plain
from node.web.calls import Call
from node.web.routes import api
from node.web.tables import catalogs as tables

MAX_RELEASE = 32 << 20
NAME = r"^(shipped|[1-9][0-9]{0,6}|[0-9a-f]{64})$"


class ReleaseRow(BaseModel):
    """A release of a catalog. One counts when it is whole and nobody took its number for other records."""

    number: int
    label: str
    date: str
    digest: str
    by: str
    count: int
    state: Literal["adopted", "waiting", "older", "arriving", "contested"]


class ReleasesAnswer(BaseModel):
    """The releases of a catalog that are here; release 0 ships with the product."""

    release: int
    automatic: bool
    items: list[ReleaseRow]


class ReleasePath(CatalogPath):
    """A release by number or digest; `shipped` is release 0."""

    release: Annotated[str, StringConstraints(pattern=NAME)]


class DifferenceQuery(BaseModel):
    """Against which release; nothing means the one that the node works with."""

    against: Annotated[str, StringConstraints(pattern=NAME)] | None = None


class ChangeRow(BaseModel):
    """One field that both give differently."""

    field: str
    old: Any  # Any: a value of a record, plain JSON
    new: Any  # Any: the same


class NamedRow(BaseModel):
    """A code, and how many passports here it stands in."""

    code: str
    name: str | None
    touched: int


class ChangedRow(NamedRow):
    """A code that both have, with the fields that differ."""

    changes: list[ChangeRow]


class DifferenceAnswer(BaseModel):
    """What a release changes; what is refused would give a code another meaning and does not count."""

    release: int
    against: int
    added: list[NamedRow]
    removed: list[NamedRow]
    changed: list[ChangedRow]
    refused: list[NamedRow]


class AdoptionBody(BaseModel):
    """Which release to work with; `automatic` adopts what arrives later by itself."""

    release: Annotated[str, StringConstraints(pattern=NAME)] | None = None
    automatic: bool | None = None

    @model_validator(mode="after")
    def _check_any(self) -> Self:
        if self.release is None and self.automatic is None:
            raise ValueError("a release, or whether newer ones are adopted by themselves")
        return self


class ReleaseBody(BaseModel):
    """A release to be signed: these records over those of the newest one, or alone where `whole` is set."""

    number: int = Field(ge=1, le=1_000_000)
    label: Line
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
    records: list[dict[str, Any]] = Field(max_length=50_000)  # Any: checked against the catalog's rules
    removed: list[Text] = Field(default=[], max_length=50_000)
    whole: bool = False


class ReleaseAnswer(BaseModel):
    """What was signed."""

    number: int
    digest: str


@api("GET", "/catalogs/{catalog}/releases", title="Releases of a catalog", scopes=[Scope.READ],
     table=tables.RELEASES)  # fmt: skip
async def list_releases(call: Call, path: CatalogPath) -> ReleasesAnswer:
    """What stewards signed and is here."""
    return _releases(call.context.releases.state(Catalog(path.catalog)))


@api("POST", "/catalogs/{catalog}/releases", title="Sign a release", scopes=[Scope.RECORD], status=201,
     problems=["not_a_steward", "release_number_taken", "catalog_refused", "release_refused", "code_unknown"],
     max_body=MAX_RELEASE)  # fmt: skip
async def publish_release(call: Call, path: CatalogPath, body: ReleaseBody) -> ReleaseAnswer:
    """Only a steward of this catalog may; every node of the federation gets it and adopts it when it wants."""
    digest = await call.context.releases.publish(
        Catalog(path.catalog),
        body.number,
        body.label,
        body.date,
        read_records(body.records),
        call.actor.label,
        removed=body.removed,
        whole=body.whole,
    )
    return ReleaseAnswer(number=body.number, digest=digest)


@api("GET", "/catalogs/{catalog}/releases/{release}/difference", title="What a release changes", scopes=[Scope.READ],
     problems=["release_unknown", "release_arriving"])  # fmt: skip
async def release_difference(call: Call, path: ReleasePath, query: DifferenceQuery) -> DifferenceAnswer:
    """Added, removed and changed codes field by field, with how many passports here each stands in."""
    catalog = Catalog(path.catalog)
    return difference_answer(call, catalog, await call.context.releases.preview(catalog, path.release, query.against))


@api("POST", "/catalogs/{catalog}/adoption", title="Work with a release", scopes=[Scope.ACCESS],
     problems=["release_unknown", "release_arriving", "release_contested"])  # fmt: skip
async def adopt_release(call: Call, path: CatalogPath, body: AdoptionBody) -> ReleasesAnswer:
    """The administrator's act; `shipped` goes back to release 0. Passports do not change by it."""
    catalog, releases = Catalog(path.catalog), call.context.releases
    if body.release is not None:
        await releases.adopt(catalog, body.release, call.actor.label)
    if body.automatic is not None:
        await releases.set_automatic(catalog, body.automatic, call.actor.label)
    return _releases(releases.state(catalog))


def release_rows(state: CatalogState) -> list[ReleaseRow]:
    """The releases that are here, newest first."""
    return [_row(state, release) for release in reversed(state.releases)]


def difference_answer(call: Call, catalog: Catalog, preview: Preview) -> DifferenceAnswer:
    """A difference with names in the reader's language."""
    found, touched = preview.difference, preview.touched
    records: dict[str, Record] = dict(call.context.releases.records(catalog))
    if preview.release is not None:
        records = {**(preview.release.records or {}), **records}

    def named(code: str) -> NamedRow:
        record = records.get(code, {})
        name = name_in(record, call.language) or name_in(record, "ru")
        return NamedRow(code=code, name=name, touched=touched.get(code, 0))

    return DifferenceAnswer(
        release=preview.release.number if preview.release else 0,
        against=preview.against.number if preview.against else 0,
        added=[named(code) for code in found.added],
        removed=[named(code) for code in found.removed],
        changed=[
            ChangedRow(
                **named(code).model_dump(),
                changes=[
                    ChangeRow(field=change.field, old=plain(change.old), new=plain(change.new)) for change in changes
                ],
            )
            for code, changes in found.changed.items()
        ],
        refused=[named(code) for code in found.refused],
    )


def read_records(records: list[dict[str, Any]]) -> list[Record]:  # Any: plain JSON
    """Records with exact numbers: JSON's floats become the decimals that they print as."""
    return [{name: exact(value) for name, value in record.items()} for record in records]


def _releases(state: CatalogState) -> ReleasesAnswer:
    number = state.adopted.number if state.adopted else 0
    return ReleasesAnswer(release=number, automatic=state.is_automatic, items=release_rows(state))


def _row(state: CatalogState, release: Release) -> ReleaseRow:
    return ReleaseRow(
        number=release.number,
        label=release.label,
        date=release.date,
        digest=release.digest,
        by=release.org.hex(),
        count=release.count,
        state=_state(state, release),
    )


def _state(state: CatalogState, release: Release) -> Literal["adopted", "waiting", "older", "arriving", "contested"]:
    if state.adopted is not None and state.adopted.digest == release.digest:
        return "adopted"
    if release.records is None:
        return "arriving"
    if release.is_contested:
        return "contested"
    return "waiting" if release in state.waiting else "older"


ROUTES = (list_releases, publish_release, release_difference, adopt_release)
