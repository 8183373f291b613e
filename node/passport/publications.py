"""Records that organisations publish, and whose record of an id counts.

An id of a line or a type belongs to one organisation. What a stranger states under it counts nothing: of one id that
several organisations state, the steward's records count; of several makers' nobody's do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.attestations import Attestations
from node.passport.catalogs import Record
from node.passport.errors import BodyError, PassportError
from node.passport.references import References
from node.passport.statement import Statement
from node.passport.strict_json import parse_json
from node.passport.templates.pointer import Pointer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Published(Generic[T]):
    """A record that counts, with its publisher."""

    record: T
    org: bytes
    ref: Ref
    occurred: int
    is_steward: bool


@dataclass(frozen=True, slots=True)
class Signatory:
    """A party that must sign a template's acts; `organisation` is the place of who it is in a document."""

    role: str
    organisation: Pointer | None = None


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """What views need of a protocol template; the rest is read by those who fill it in."""

    org: bytes
    ref: Ref
    name: str
    version: str
    title: str | None
    signers: tuple[Signatory, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf(Generic[T]):
    """How records of one section are read and told apart.

    `frozen` gives the part of a record that never changes: a record that changes it does not count. `steward` is the
    name of the catalog in what anchors attest, where it is another one than the section's.
    """

    section: str
    read: Callable[[Statement, bytes], T]
    key: Callable[[T], str]
    by_makers: bool = False
    frozen: Callable[[T], object] = lambda _: None
    steward: str = ""


def count_records(
    shelf: Shelf[T], statements: Iterable[Statement], attestations: Attestations, references: References
) -> dict[str, Published[T]]:
    """The record that counts for each id."""
    stated: dict[str, list[tuple[Statement, Published[T]]]] = {}
    for statement in statements:
        published = _read(shelf, statement, attestations)
        if published is not None:
            stated.setdefault(shelf.key(published.record), []).append((statement, published))
    found = {key: _counted(shelf, items, references) for key, items in sorted(stated.items())}
    return {key: published for key, published in found.items() if published is not None}


def read_record(raw: bytes) -> Record:
    """A record of a catalog as exact JSON; raise PassportError."""
    record = parse_json(raw)
    if not isinstance(record, dict):
        raise BodyError("a record of a catalog is an object")
    return record


def _read(shelf: Shelf[T], statement: Statement, attestations: Attestations) -> Published[T] | None:
    raw = statement.sections.get(shelf.section)
    if statement.kind != Kind.CATALOG or raw is None:
        return None
    at, org = statement.occurred, statement.org
    is_steward = attestations.is_steward(org, shelf.steward or shelf.section, at)
    if not is_steward and not (shelf.by_makers and attestations.is_maker(org, at)):
        return None
    try:
        return Published(shelf.read(statement, raw), org, statement.ref, at, is_steward)
    except (PassportError, ValueError):  # a lone surrogate is a ValueError of the JSON encoder
        return None


def _counted(
    shelf: Shelf[T], items: list[tuple[Statement, Published[T]]], references: References
) -> Published[T] | None:
    stewards = [item for item in items if item[1].is_steward]
    mine = stewards or items
    if not stewards and len({published.org for _, published in mine}) > 1:
        return None
    first = min(mine, key=lambda item: item[0].order)[1].record
    kept = {s.ref: (s, p) for s, p in mine if shelf.frozen(p.record) == shelf.frozen(first)}
    return kept[references.newest(statement for statement, _ in kept.values()).ref][1]
