"""What publications say: organisations, serial lines, types, templates, procedures, codes and dual references.

A world is built from the statements of kinds 12, 13, 15 and 16, from grants over all that is their authors' (kinds 17
and 18 under the author's own id) and from ends of memberships; it is the same for any order of them.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from federation.authority import Kind
from federation.fragment import Ref
from federation.genesis import Genesis
from node.passport import catalogs
from node.passport.attestations import Attestations, count_attestations
from node.passport.bodies import Body, CardBody, Reference
from node.passport.catalogs import Bindings, Catalog, DeviceType, find_name, load_types, name_in, parse_type
from node.passport.errors import BodyError, CatalogError, PassportError
from node.passport.lines import Lines, SerialLine
from node.passport.own_codes import OwnCode, read_own_codes
from node.passport.plate import comparison_text
from node.passport.procedures import Procedures, read_procedures
from node.passport.profiles import PublishedProfile, read_profiles
from node.passport.publications import Published, PublishedTemplate, Shelf, Signatory, count_records, read_record
from node.passport.references import References, unique
from node.passport.releases import Release, read_releases, settled
from node.passport.standing import Standings, count_standings, is_end
from node.passport.statement import Statement
from node.passport.strict_json import TEMPLATE_LIMITS, Json, parse_json
from node.passport.templates.layout import MAX_PARTIES, ROLES
from node.passport.templates.pointer import parse_pointer
from node.passport.templates.schema import TEMPLATE_KEYWORD
from node.passport.type_passports import SHELF as TYPE_VERSIONS
from node.passport.type_passports import Versions, choose_versions

B = TypeVar("B", bound=Body)
T = TypeVar("T")
LocalCode = tuple[str, str, str]


@dataclass(frozen=True, eq=False)  # told apart by identity, so that what is read out of it can be kept
class Standing:
    """Grants over all that is their authors', and what ended them: they may decide about any passport."""

    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """The publications that count. Codes are `(catalog, code)`; local ones `(org in hex, catalog, code)`."""

    federation: bytes | None = None
    attestations: Attestations = field(default_factory=Attestations)
    standings: Standings = field(default_factory=Standings)
    cards: Mapping[bytes, CardBody] = field(default_factory=dict)
    places: Mapping[tuple[bytes, bytes], CardBody] = field(default_factory=dict)  # by organisation and node
    lines: Lines = field(default_factory=Lines)
    line_records: Mapping[str, Published[SerialLine]] = field(default_factory=dict)
    types: Mapping[str, DeviceType] = field(default_factory=load_types)
    templates: Mapping[tuple[str, str], PublishedTemplate] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=Bindings)
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    local_names: Mapping[LocalCode, str] = field(default_factory=dict)
    own_codes: Mapping[LocalCode, OwnCode] = field(default_factory=dict)
    releases: Mapping[Catalog, tuple[Release, ...]] = field(default_factory=dict)
    code_names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    type_records: Mapping[str, Published[DeviceType]] = field(default_factory=dict)
    type_versions: Versions = field(default_factory=lambda: Versions({}))
    procedures: Procedures = field(default_factory=Procedures)
    known: frozenset[Ref] = frozenset()
    profiles: Mapping[bytes, PublishedProfile] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)

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
    everything = unique(s for s in statements if is_published(s, genesis))
    said = [s for s in everything if s.kind in PUBLICATION_KINDS or _is_end(s, genesis)]
    granted = tuple(s for s in everything if is_standing(s) and not _is_end(s, genesis))
    references = References(said)
    attestations = count_attestations(said, genesis)
    standings = count_standings(said, genesis, attestations)
    attestations = attestations.without(standings.ended)
    lines = count_records(_LINES, said, attestations, references)
    types = count_records(_TYPES, said, attestations, references)
    records = [count_records(shelf, said, attestations, references) for shelf in (_UNITS, _CODES)]
    versions = count_records(TYPE_VERSIONS, said, attestations, references).values()
    duals = _own_codes(said, references)
    releases = read_releases(said, attestations)
    released = _released_types(releases)
    standing = {code: item for code, item in types.items() if _stands(item, released.get(code))}
    return World(
        federation=genesis.id if genesis else None,
        attestations=attestations,
        standings=standings,
        cards=_cards(said, references),
        places=_places(said, references),
        lines=Lines(published.record for published in lines.values()),
        line_records=lines,
        types={
            **load_types(),
            **{code: item.record for code, item in released.items()},
            **{code: item.record for code, item in standing.items()},
        },
        templates=_templates(said),
        bindings=Bindings({key: dual.central for key, dual in duals.items() if dual.central}),
        names={**_released_names(releases), **_names(records), **_type_names(standing)},
        local_names={key: dual.name for key, dual in duals.items() if dual.name},
        own_codes=duals,
        releases=releases,
        code_names=_names(records),
        type_records=types,
        type_versions=choose_versions(versions, {code: item.org for code, item in types.items()}),
        procedures=read_procedures(said),
        known=frozenset(statement.ref for statement in everything if _is_ground(statement, genesis)),
        profiles=read_profiles(said),
        standing=Standing(granted),
    )


def is_standing(statement: Statement) -> bool:
    """Whether it is a grant over all that is its author's, or ends one: it is said of the author himself."""
    return statement.kind in (Kind.GRANT, Kind.END) and statement.subject == statement.org


def is_published(statement: Statement, genesis: Genesis | None) -> bool:
    """Whether it is said to everybody, and passports are judged by it: of organisations, types and the like."""
    return statement.kind in PUBLICATION_KINDS or is_standing(statement) or _is_end(statement, genesis)


PUBLICATION_KINDS = frozenset({Kind.TEMPLATE, Kind.CATALOG, Kind.CARD, Kind.ATTESTATION})


def _is_end(statement: Statement, genesis: Genesis | None) -> bool:
    return genesis is not None and is_end(statement, genesis.id)


def _is_ground(statement: Statement, genesis: Genesis | None) -> bool:
    """Whether others may stand on it: not on what somebody is called, nor on who is a guest or a member no more."""
    is_vouch = statement.kind == Kind.ATTESTATION and "attest" not in statement.sections
    return not is_vouch and statement.kind != Kind.CARD and not _is_end(statement, genesis)


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


def _places(statements: Iterable[Statement], references: References) -> dict[tuple[bytes, bytes], CardBody]:
    """The newest card of each node: an organisation's nodes are each where their own card says."""
    own: dict[tuple[bytes, bytes], dict[Ref, tuple[Statement, CardBody]]] = {}
    for statement, card in _bodies(statements, Kind.CARD, "card", CardBody):
        if statement.org == statement.subject and card.node:
            own.setdefault((statement.org, bytes.fromhex(card.node)), {})[statement.ref] = (statement, card)
    return {place: _newest(cards, references) for place, cards in sorted(own.items())}


def _own_codes(statements: Iterable[Statement], references: References) -> dict[LocalCode, OwnCode]:
    stated: dict[LocalCode, dict[Ref, tuple[Statement, OwnCode]]] = {}
    for statement in statements:
        for code in read_own_codes(statement):
            key = (statement.org.hex(), code.catalog, code.local)
            stated.setdefault(key, {})[statement.ref] = (statement, code)
    return {key: _newest(items, references) for key, items in sorted(stated.items())}


def _released_types(releases: Mapping[Catalog, tuple[Release, ...]]) -> dict[str, Published[DeviceType]]:
    """The type of each code that stands in a release that counts, as of the newest one that has it."""
    counted = _counted(releases, Catalog.TYPES)
    return _types_of(counted) if counted else {}


@lru_cache(maxsize=8)  # a world is built anew with every publication
def _types_of(counted: tuple[Release, ...]) -> dict[str, Published[DeviceType]]:
    known = settled(Catalog.TYPES, counted)
    last = {code: release for release in counted for code in release.records or ()}
    return {
        code: Published(parse_type(known[code]), release.org, release.ref, release.occurred, is_steward=True)
        for code, release in last.items()
    }


def _released_names(releases: Mapping[Catalog, tuple[Release, ...]]) -> dict[tuple[str, str], str]:
    names: dict[tuple[str, str], str] = {}
    for catalog in releases:
        counted = _counted(releases, catalog)
        for code, record in settled(catalog, counted).items() if counted else ():
            if name := name_in(record, "ru"):
                names[catalog.value, code] = name
    return names


def _counted(releases: Mapping[Catalog, tuple[Release, ...]], catalog: Catalog) -> tuple[Release, ...]:
    return tuple(release for release in releases.get(catalog, ()) if release.counts)


def _type_names(types: Mapping[str, Published[DeviceType]]) -> dict[tuple[str, str], str]:
    return {(Catalog.TYPES.value, code): published.record.name_ru for code, published in types.items()}


def _stands(single: Published[DeviceType], released: Published[DeviceType] | None) -> bool:
    """Whether a record published alone speaks beside a release: a maker's does not, a steward's later one does."""
    return released is None or (single.is_steward and (released.occurred, released.ref) < (single.occurred, single.ref))


def _newest(items: Mapping[Ref, tuple[Statement, T]], references: References) -> T:
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
        _read_signers(card.get("parties")),
    )


def _read_signers(parties: Json) -> tuple[Signatory, ...]:
    """The parties that must sign; none where the template is not one that runs."""
    signers: list[Signatory] = []
    for party in parties if isinstance(parties, list) else ():
        if not isinstance(party, dict) or party.get("signs") is not True:
            continue
        role, place = party.get("role"), party.get("organisation")
        if not isinstance(role, str) or role not in ROLES or len(signers) == MAX_PARTIES:
            return ()
        try:
            signers.append(Signatory(role, None if place is None else parse_pointer(place)))
        except PassportError:
            return ()
    return tuple(signers)
