"""Releases of central catalogs: a steward's whole list of records under a number, in pages that fit into fragments.

Release 0 of each catalog ships with the product. A release counts where its publisher is attested as steward of that
catalog and all its pages are here. Of two that take one number with other records neither counts. A code never changes
its meaning, so what a passport shows of it follows from all releases that count; which release a node works with
decides what that node accepts and offers, and nothing that is folded.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StringConstraints

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.attestations import Attestations
from node.passport.bodies import Body, Code, Day, Line
from node.passport.catalog_records import RecordFault, find_faults, meaning
from node.passport.catalogs import Catalog, Record, load_central
from node.passport.drafts import MANIFEST, PAGE
from node.passport.errors import BodyError, CatalogError, PassportError
from node.passport.statement import Statement
from node.passport.strict_json import Json, JsonLimits, format_json, parse_json

MAX_PAGE = 192 * 1024
MAX_PAGES = 128
MAX_RECORDS = 50_000
PAGE_LIMITS = JsonLimits(size=256 * 1024, depth=8, values=200_000)
KEPT_LISTS = 32  # read once: a world is built anew with every publication

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Records = Mapping[str, Record]


class ReleaseBody(Body):
    """Section `release`: a release without its records, which stand in the pages of these SHA-256."""

    catalog: Code
    number: Annotated[int, Field(ge=1, le=1_000_000)]
    label: Line
    date: Day
    pages: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=MAX_PAGES)]
    count: Annotated[int, Field(ge=0, le=MAX_RECORDS)]


@dataclass(frozen=True, slots=True)
class Release:
    """A release that a steward signed: `digest` names its content, so that what counts is told apart without records.

    `records` are None while pages are missing.
    """

    catalog: Catalog
    number: int
    label: str
    date: str
    digest: str
    org: bytes
    ref: Ref
    occurred: int
    count: int
    records: Records | None = field(repr=False, compare=False)
    is_contested: bool = False

    @property
    def counts(self) -> bool:
        """Whether all of it is here, and nobody took the same number for other records."""
        return self.records is not None and not self.is_contested


def pack_release(
    catalog: Catalog, number: int, label: str, date: str, records: Iterable[Record]
) -> tuple[bytes, list[bytes]]:
    """The bytes of a manifest and its pages, records ordered by code; raise CatalogError for what cannot be one."""
    ordered = sorted(records, key=lambda record: str(record.get("code")))
    if fault := next(release_faults(catalog, ordered), None):
        raise CatalogError(f"{fault.code} /{fault.field}: {fault.rule} {fault.value!r}")
    pages = [*_pages(ordered)]
    digests = tuple(hashlib.sha256(page).hexdigest() for page in pages)
    try:
        body = ReleaseBody(
            catalog=catalog.value, number=number, label=label, date=date, pages=digests, count=len(ordered)
        )
    except ValueError as error:
        raise CatalogError(f"the release is refused: {error}") from error
    return body.to_bytes(), pages


def release_faults(catalog: Catalog, records: Sequence[Record]) -> Iterator[RecordFault]:
    """What keeps a list of records from being a release."""
    seen: set[str] = set()
    for record in records:
        yield from find_faults(catalog, record)
        code = str(record.get("code"))
        if code in seen:
            yield RecordFault(code, "code", "record-twice", code)
        seen.add(code)


def read_releases(statements: Iterable[Statement], attestations: Attestations) -> dict[Catalog, tuple[Release, ...]]:
    """The releases that stewards signed, by catalog and number; the same for any order of the statements."""
    said = sorted((s for s in statements if s.kind == Kind.CATALOG), key=lambda statement: statement.order)
    pages = {
        (statement.org, hashlib.sha256(raw).hexdigest()): raw
        for statement in said
        if (raw := statement.sections.get(PAGE)) is not None
    }
    found: dict[Catalog, dict[str, Release]] = {}
    for statement in said:
        release = _read(statement, attestations, pages)
        if release is not None:
            found.setdefault(release.catalog, {}).setdefault(release.digest, release)
    return {catalog: _numbered(by_digest.values()) for catalog, by_digest in sorted(found.items())}


def settled(catalog: Catalog, releases: Iterable[Release]) -> Records:
    """Every code with the newest record that keeps its meaning, over the shipped one and the releases in order."""
    return _settled(catalog, tuple(releases))


@lru_cache(maxsize=KEPT_LISTS)
def _settled(catalog: Catalog, releases: tuple[Release, ...]) -> Records:
    known: dict[str, Record] = dict(load_central(catalog))
    for release in releases:
        for code, record in (release.records or {}).items():
            if code not in known or meaning(catalog, known[code]) == meaning(catalog, record):
                known[code] = record
    return MappingProxyType(known)


def records_of(catalog: Catalog, releases: Sequence[Release], digest: str | None) -> Records:
    """What a node has that works with one of the releases: its codes, without what would change a meaning.

    Without a digest, or while the release is not here whole, these are the shipped ones.
    """
    chosen = next((release for release in releases if release.digest == digest and release.records is not None), None)
    if chosen is None or chosen.records is None:
        return load_central(catalog)
    earlier = [release for release in releases if release.counts and release.number < chosen.number]
    known = settled(catalog, (*earlier, chosen))
    return MappingProxyType({code: known[code] for code in chosen.records})


def _pages(records: Sequence[Record]) -> Iterator[bytes]:
    """Pages of bounded size; a release of nothing is one empty page."""
    rows: list[bytes] = []
    size = 0
    for record in records:
        row = format_json(_plain(record))
        if len(row) > MAX_PAGE:
            raise CatalogError(f"{record.get('code')}: a record has {len(row)} bytes, at most {MAX_PAGE}")
        if rows and size + len(row) > MAX_PAGE:
            yield b"[" + b",".join(rows) + b"]"
            rows, size = [], 0
        rows.append(row)
        size += len(row) + 1
    yield b"[" + b",".join(rows) + b"]"


def _plain(record: Record) -> Json:
    return {name: value for name, value in record.items() if value is not None}


def _read(statement: Statement, attestations: Attestations, pages: Mapping[tuple[bytes, str], bytes]) -> Release | None:
    raw = statement.sections.get(MANIFEST)
    if raw is None:
        return None
    try:
        body = ReleaseBody.from_bytes(raw)
        catalog = Catalog(body.catalog)
        if not attestations.is_steward(statement.org, catalog.value, statement.occurred):
            return None
        found = tuple(page for digest in body.pages if (page := pages.get((statement.org, digest))) is not None)
        records = _whole(catalog, body.number, body.count, found) if len(found) == len(body.pages) else None
    except (PassportError, ValueError):  # no catalog of that name; a lone surrogate is one of the JSON encoder
        return None
    return Release(
        catalog,
        body.number,
        body.label,
        body.date,
        hashlib.sha256(raw).hexdigest(),
        statement.org,
        statement.ref,
        statement.occurred,
        body.count,
        records,
    )


@lru_cache(maxsize=KEPT_LISTS)
def _whole(catalog: Catalog, number: int, count: int, pages: tuple[bytes, ...]) -> Records:
    """The records that keep the catalog's rules; raise CatalogError where the pages are not what was signed."""
    rows = [record for page in pages for record in _page(page)]
    found = {str(record.get("code")): record for record in rows}
    if len(rows) != count or len(found) != count:
        raise CatalogError(f"release {number} of {catalog.value} has {len(found)} codes, {count} were signed")
    sound = {code: record for code, record in found.items() if next(find_faults(catalog, record), None) is None}
    return MappingProxyType(sound)


def _page(raw: bytes) -> tuple[Record, ...]:
    rows = parse_json(raw, PAGE_LIMITS)
    if not isinstance(rows, list):
        raise BodyError("a page of a release is a list of records")
    records = tuple(MappingProxyType(row) for row in rows if isinstance(row, dict))
    if len(records) != len(rows):
        raise BodyError("a record of a release is an object")
    return records


def _numbered(releases: Iterable[Release]) -> tuple[Release, ...]:
    ordered = sorted(releases, key=lambda release: (release.number, release.digest))
    taken: dict[int, int] = {}
    for release in ordered:
        taken[release.number] = taken.get(release.number, 0) + 1
    return tuple(_contested(release) if taken[release.number] > 1 else release for release in ordered)


def _contested(release: Release) -> Release:
    return Release(
        release.catalog, release.number, release.label, release.date, release.digest, release.org, release.ref,
        release.occurred, release.count, release.records, is_contested=True,
    )  # fmt: skip
