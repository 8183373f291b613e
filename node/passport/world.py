"""What publications say: organisations, serial lines, types, templates, codes and dual references.

A world is built from the statements of kinds 12, 13, 15 and 16 and is the same for any order of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from federation.authority import Kind
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport import catalogs
from node.passport.attestations import Attestations, count_attestations
from node.passport.bodies import Body, CardBody, CatalogReference, Reference
from node.passport.catalogs import Bindings, Catalog, DeviceType, find_name, load_types, parse_type
from node.passport.errors import BodyError, CatalogError, PassportError
from node.passport.lines import Lines, SerialLine
from node.passport.plate import comparison_text
from node.passport.publications import Published, PublishedTemplate, Shelf, count_records, read_record
from node.passport.references import References, unique
from node.passport.statement import Statement
from node.passport.template_json import TEMPLATE_LIMITS, parse_json
from node.passport.template_schema import TEMPLATE_KEYWORD

B = TypeVar("B", bound=Body)
LocalCode = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class World:
    """The publications that count. Codes are `(catalog, code)`; local ones `(org in hex, catalog, code)`."""

    federation: bytes | None = None
    attestations: Attestations = field(default_factory=Attestations)
    cards: Mapping[bytes, CardBody] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)
    line_records: Mapping[str, Published[SerialLine]] = field(default_factory=dict)
    types: Mapping[str, DeviceType] = field(default_factory=load_types)
    templates: Mapping[tuple[str, str], PublishedTemplate] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=Bindings)
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    local_names: Mapping[LocalCode, str] = field(default_factory=dict)
    known: frozenset[Ref] = frozenset()

    def central(self, reference: Reference, org: bytes, catalog: str) -> str | None:
        """The central code of an organisation's reference, bound late; None where nothing binds it."""
        if not reference.local and not reference.central:
            return None
        dual = catalogs.Reference(reference.local, reference.central)
        return catalogs.resolve(dual, self.bindings, org.hex(), catalog)

    def name_of(self, reference: Reference, org: bytes, catalog: str) -> str | None:
        """The Russian name of what is referred to, else the author's own name of it."""
        central = self.central(reference, org, catalog)
        if central is not None:
            published = self.names.get((catalog, central))
            return published or find_name(catalog, central)
        return self.local_names.get((org.hex(), catalog, reference.local or ""))

    def makers_of(self, line: str) -> frozenset[bytes]:
        """The attested maker whose record of the line counts; a steward is no maker of what he keeps."""
        published = self.line_records.get(line)
        if published is None or not self.attestations.is_maker(published.org, published.occurred):
            return frozenset()
        return frozenset() if published.is_steward and not self._makes(published) else frozenset({published.org})

    def organisation_name(self, org: bytes) -> str | None:
        """The name on the organisation's own card."""
        card = self.cards.get(org)
        return card.name if card else None

    def _makes(self, published: Published[SerialLine]) -> bool:
        name = comparison_text(self.organisation_name(published.org) or "")
        return any(comparison_text(held.name) == name for held in published.record.legal_makers)


def build_world(statements: Iterable[Statement], genesis: Genesis | None) -> World:
    """Read publications; those that are malformed or not their publisher's to make count nothing."""
    said = unique(s for s in statements if s.kind in PUBLICATION_KINDS)
    references = References(said)
    attestations = count_attestations(said, genesis)
    lines = count_records(_LINES, said, attestations, references)
    types = count_records(_TYPES, said, attestations, references)
    records = [count_records(shelf, said, attestations, references) for shelf in (_UNITS, _CODES)]
    duals = _dual_references(said, references)
    return World(
        federation=genesis.id if genesis else None,
        attestations=attestations,
        cards=_cards(said, references),
        lines=Lines(published.record for published in lines.values()),
        line_records=lines,
        types={**load_types(), **{code: published.record for code, published in types.items()}},
        templates=_templates(said),
        bindings=Bindings({key: dual.central for key, dual in duals.items()}),
        names=_names(records),
        local_names={key: dual.local_name for key, dual in duals.items() if dual.local_name},
        known=frozenset(statement.ref for statement in said),
    )


PUBLICATION_KINDS = frozenset({Kind.TEMPLATE, Kind.CATALOG, Kind.CARD, Kind.ATTESTATION})

CodeRecord = tuple[str, str, str]  # catalog, code, Russian name


def _read_line(statement: Statement, raw: bytes) -> SerialLine:
    line = SerialLine.from_bytes(raw)
    if line.publisher != statement.org.hex():
        raise BodyError("the line names another publisher")
    return line


def _read_type(_: Statement, raw: bytes) -> DeviceType:
    return parse_type(read_record(raw))


def _read_code(catalog: str | None) -> Callable[[Statement, bytes], CodeRecord]:
    def read(_: Statement, raw: bytes) -> CodeRecord:
        record = read_record(raw)
        where, code, name = catalog or record.get("catalog"), record.get("code"), record.get("ru", "")
        if not isinstance(where, str) or not isinstance(code, str) or not isinstance(name, str):
            raise CatalogError("a code has its catalog, its code and its name")
        return where, code, name

    return read


def _names(shelves: Iterable[Mapping[str, Published[CodeRecord]]]) -> dict[tuple[str, str], str]:
    records = (published.record for shelf in shelves for published in shelf.values())
    return {(catalog, code): name for catalog, code, name in records if name}


def _code_key(record: CodeRecord) -> str:
    return "\n".join(record[:2])


_LINES: Shelf[SerialLine] = Shelf(
    "line",
    _read_line,
    lambda line: line.line,
    by_makers=True,
    frozen=lambda line: (line.serial, line.restarts_yearly),
)
_TYPES: Shelf[DeviceType] = Shelf("type", _read_type, lambda kind: kind.code, by_makers=True)
_UNITS: Shelf[CodeRecord] = Shelf("unit", _read_code(Catalog.UNITS.value), _code_key)
_CODES: Shelf[CodeRecord] = Shelf("code", _read_code(None), _code_key)


def _bodies(statements: Iterable[Statement], kind: Kind, section: str, body: type[B]) -> Iterator[tuple[Statement, B]]:
    for statement in statements:
        raw = statement.sections.get(section)
        if statement.kind != kind or raw is None:
            continue
        try:
            yield statement, body.from_bytes(raw)
        except (PassportError, ValueError):  # a lone surrogate is a ValueError of the JSON encoder
            continue


def _cards(statements: Iterable[Statement], references: References) -> dict[bytes, CardBody]:
    own: dict[bytes, dict[Ref, tuple[Statement, CardBody]]] = {}
    for statement, card in _bodies(statements, Kind.CARD, "card", CardBody):
        if statement.org == statement.subject:
            own.setdefault(statement.org, {})[statement.ref] = (statement, card)
    return {org: _newest(cards, references) for org, cards in sorted(own.items())}


def _dual_references(statements: Iterable[Statement], references: References) -> dict[LocalCode, CatalogReference]:
    stated: dict[LocalCode, dict[Ref, tuple[Statement, CatalogReference]]] = {}
    for statement, dual in _bodies(statements, Kind.CATALOG, "reference", CatalogReference):
        key = (statement.org.hex(), dual.catalog, dual.local)
        stated.setdefault(key, {})[statement.ref] = (statement, dual)
    return {key: _newest(items, references) for key, items in sorted(stated.items())}


def _newest(items: Mapping[Ref, tuple[Statement, B]], references: References) -> B:
    return items[references.newest(statement for statement, _ in items.values()).ref][1]


def _templates(statements: Iterable[Statement]) -> dict[tuple[str, str], PublishedTemplate]:
    """By publisher, and the publishing statement's id or the SHA-256 of the template's bytes; all in hex."""
    found: dict[tuple[str, str], PublishedTemplate] = {}
    for statement in sorted(statements, key=lambda s: s.order):
        raw = statement.sections.get("template")
        if statement.kind != Kind.TEMPLATE or raw is None:
            continue
        template = _read_template(statement, raw)
        if template is not None:
            for name in (statement.id.hex(), hashlib.sha256(raw).hexdigest()):
                found.setdefault((statement.org.hex(), name), template)
    return found


def _read_template(statement: Statement, raw: bytes) -> PublishedTemplate | None:
    try:
        root = parse_json(raw, TEMPLATE_LIMITS)
    except PassportError:
        return None
    card = root.get(TEMPLATE_KEYWORD) if isinstance(root, dict) else None
    if not isinstance(card, dict):
        return None
    titles = card.get("title")
    title = titles.get("ru") if isinstance(titles, dict) else titles
    name, version = card.get("name"), card.get("version")
    return PublishedTemplate(
        statement.org,
        statement.ref,
        name if isinstance(name, str) else "",
        version if isinstance(version, str) else "",
        title if isinstance(title, str) else None,
    )
