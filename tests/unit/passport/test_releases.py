"""Releases of catalogs, versions of types and own codes in the world: who counts, and the same for any order."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.authority import Attested
from federation.fragment import MAX_SECTION
from node.passport import drafts
from node.passport.bodies import OwnCodeRow, Reference, ReferencesBody
from node.passport.canonical import dump_json
from node.passport.catalog_records import difference
from node.passport.catalogs import Catalog, Json, Record, load_central
from node.passport.errors import CatalogError
from node.passport.references import ref_text
from node.passport.releases import Release, pack_release, records_of
from node.passport.statement import Statement
from node.passport.strict_json import format_json
from node.passport.type_passports import VERSION, subject_of_type
from node.passport.world import World, build_world
from tests.builders_passport import Author, Federation, dual

UNIT: dict[str, Json] = {"code": "ft3", "ru": "фут³", "en": "ft³", "dimension": "volume", "factor": "1/35"}
TYPE: dict[str, Json] = {
    "code": "t:x", "grsi": "12345-20", "type_ru": "Счётчик", "type_en": "Meter", "model": "Х-1", "mpi_months": 72,
    "executions": ["Х-1-15"], "params": {"dn": 15, "q3": Decimal("1.6")}, "valid_from": "2020-01-01",
}  # fmt: skip


def kept(*stewarded: str) -> tuple[Federation, Author]:
    """A federation with a steward of these catalogs."""
    federation, steward = Federation(), Author("steward")
    federation.attest(steward, Attested.STEWARD, *stewarded)
    return federation, steward


def sign(
    federation: Federation, author: Author, catalog: Catalog, number: int, records: Sequence[Record]
) -> list[Statement]:
    """A release with all its fragments."""
    manifest, pages = pack_release(catalog, number, f"выпуск {number}", "2026-05-01", records)
    return [federation.publish(author, draft) for draft in drafts.release(author.org, manifest, pages, 0)]


def shipped(catalog: Catalog, *more: dict[str, Any]) -> list[Record]:
    """The shipped records and more."""
    return [*load_central(catalog).values(), *more]


def releases(world: World, catalog: Catalog) -> list[tuple[int, bool]]:
    """(number, counts) of each release."""
    return [(release.number, release.counts) for release in world.releases.get(catalog, ())]


@pytest.mark.req("B49")
def test_release_counts_where_its_steward_is_attested_for_that_catalog() -> None:
    """A release of a stranger, or of a steward of another catalog, does not count."""
    federation, steward = kept("units")
    sign(federation, steward, Catalog.UNITS, 1, shipped(Catalog.UNITS, UNIT))
    sign(federation, steward, Catalog.EVENTS, 1, shipped(Catalog.EVENTS))
    sign(federation, Author("stranger"), Catalog.UNITS, 2, shipped(Catalog.UNITS))
    world = federation.world

    assert releases(world, Catalog.UNITS) == [(1, True)]
    assert releases(world, Catalog.EVENTS) == []
    assert world.name_of(Reference(central="ft3"), steward.org, "units") == "фут³"


def test_release_of_thousands_fits_into_fragments_and_waits_for_its_last_page() -> None:
    """Types by the thousand stand in pages within the limits of a section; without one of them nothing counts."""
    federation, steward = kept("types")
    types: list[Record] = [
        {**TYPE, "code": f"t:n{n}", "model": f"Н-{n}", "executions": [f"Н-{n}-{m}" for m in range(9)]}
        for n in range(3000)
    ]
    said = sign(federation, steward, Catalog.TYPES, 1, types)
    whole = federation.world
    federation.published.remove(said[0])
    parted = federation.world

    assert len(said) > 3
    assert all(len(content) <= MAX_SECTION for statement in said for content in statement.sections.values())
    assert releases(whole, Catalog.TYPES) == [(1, True)]
    assert whole.types["t:n2999"].defaults("Н-2999-0")["q3"] == Decimal("1.6")
    assert releases(parted, Catalog.TYPES) == [(1, False)]
    assert "t:n2999" not in parted.types


def test_two_releases_under_one_number_count_nothing() -> None:
    """Which of two lists a number means is told by nobody, so neither counts; the same list twice is one."""
    federation, steward = kept("units")
    second = Author("second")
    federation.attest(second, Attested.STEWARD, "units")
    sign(federation, steward, Catalog.UNITS, 1, shipped(Catalog.UNITS))
    sign(federation, second, Catalog.UNITS, 1, shipped(Catalog.UNITS))
    alike = releases(federation.world, Catalog.UNITS)
    sign(federation, second, Catalog.UNITS, 1, shipped(Catalog.UNITS, UNIT))

    assert alike == [(1, True)]
    assert releases(federation.world, Catalog.UNITS) == [(1, False), (1, False)]


def test_code_never_changes_its_meaning() -> None:
    """A record that gives a unit another factor does not count, and the difference tells so."""
    federation, steward = kept("units")
    sign(federation, steward, Catalog.UNITS, 1, shipped(Catalog.UNITS, UNIT))
    sign(federation, steward, Catalog.UNITS, 2, [{**UNIT, "factor": "1/36", "ru": "кубофут"}])
    first, second = federation.world.releases[Catalog.UNITS]
    found = difference(Catalog.UNITS, first.records or {}, second.records or {})

    assert records_of(Catalog.UNITS, (first, second), second.digest)["ft3"]["factor"] == "1/35"
    assert found.refused == ("ft3",)
    assert federation.world.names["units", "ft3"] == "фут³"


@pytest.mark.req("B49")
def test_difference_is_told_field_by_field() -> None:
    """Added, removed and changed codes, with what each field was and is."""
    old = {"a": {"code": "a", "ru": "А", "en": "A"}, "b": {"code": "b", "ru": "Б", "en": "B"}}
    new = {"b": {"code": "b", "ru": "Бэ", "en": "B"}, "c": {"code": "c", "ru": "В", "en": "C"}}

    found = difference(Catalog.EVENTS, old, new)

    assert (found.added, found.removed) == (("c",), ("a",))
    assert [(change.field, change.old, change.new) for change in found.changed["b"]] == [("ru", "Б", "Бэ")]


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ({"code": "Bad Code", "ru": "А", "en": "A"}, "record-code"),
        ({"code": "a", "ru": "А"}, "record-name"),
        ({"code": "installed", "ru": "А", "en": "A", "x": 1}, "record-twice"),
    ],
)
def test_record_that_breaks_its_catalog_is_not_packed(record: dict[str, Any], rule: str) -> None:
    """A steward's node signs no release with a record that others would drop."""
    with pytest.raises(CatalogError, match=rule):
        pack_release(Catalog.EVENTS, 1, "x", "2026-05-01", [*load_central(Catalog.EVENTS).values(), record])


def test_malformed_releases_count_nothing() -> None:
    """Bytes that are no manifest, or a page that is no list, are passed over."""
    federation, steward = kept("events", "units")
    for raw in (b"", b"\xff", b"[]", b"{}", b'{"catalog":"x"}', b"[" * 5000):
        federation.publish(steward, drafts.catalog(steward.org, drafts.MANIFEST, raw, 0))
        federation.publish(steward, drafts.catalog(steward.org, drafts.PAGE, raw, 0))
    manifest, _ = pack_release(Catalog.EVENTS, 1, "x", "2026-05-01", shipped(Catalog.EVENTS))
    for draft in drafts.release(steward.org, manifest, [b'{"not": "a list"}'], 0):
        federation.publish(steward, draft)

    assert not any(release.counts for found in federation.world.releases.values() for release in found)


@pytest.mark.req("B04")
def test_version_of_a_type_is_whole_from_its_first_statement_on() -> None:
    """A maker's version stands under the subject of the type; it never changes, and another maker's is none."""
    federation, maker, other = Federation(), Author("maker"), Author("other")
    for author in (maker, other):
        federation.attest(author, Attested.MAKER)
    federation.publish(maker, drafts.type_record(subject_of_type("t:x").raw, "type", dump_text(TYPE), 0))
    for author, version, note in ((maker, "1.0", "первая"), (maker, "1.0", "правленая"), (other, "2.0", "чужая")):
        body = {"type": "t:x", "version": version, "publisher": author.org.hex(), "note": note}
        federation.publish(author, drafts.type_record(subject_of_type("t:x").raw, VERSION, dump_json(body), 0))
    world = federation.world

    assert world.types["t:x"].valid_from == "2020-01-01"
    assert [(item.record.version, item.record.note) for item in world.type_versions.of("t:x")] == [("1.0", "первая")]


def dump_text(record: Record) -> bytes:
    """The record of a type as its maker signs it."""
    return format_json(dict(record))


@pytest.mark.req("B69")
def test_many_own_codes_bind_and_unbind_at_once() -> None:
    """One statement binds many codes; a later one replaces it, and a code without a central one is bound to none."""
    federation, author = Federation(), Author("utility")
    first = federation.publish(author, own(author, ("1", "volume", "Объём"), ("2", None, "Нечто")))
    federation.publish(author, own(author, ("1", None, "Объём"), ("2", "mass", "Масса")), refs=[first])
    federation.publish(author, dual(author, "parameters", "3", "dn"))
    world = federation.world

    assert world.central(Reference(local="1"), author.org, "parameters") is None
    assert world.central(Reference(local="2"), author.org, "parameters") == "mass"
    assert world.central(Reference(local="3"), author.org, "parameters") == "dn"
    assert world.name_of(Reference(local="1"), author.org, "parameters") == "Объём"


def own(author: Author, *rows: tuple[str, str | None, str]) -> drafts.Draft:
    """Own codes of parameters, said at once."""
    said = tuple(OwnCodeRow(local=local, central=central, name=name) for local, central, name in rows)
    return drafts.references(author.org, ReferencesBody(catalog="parameters", rows=said), 0)


def published() -> tuple[Federation, list[Statement]]:
    """A steward's three releases, one of them contested, with versions of a type and own codes."""
    federation, steward = kept("units", "types")
    federation.attest(steward, Attested.MAKER)
    sign(federation, steward, Catalog.UNITS, 1, shipped(Catalog.UNITS, UNIT))
    sign(federation, steward, Catalog.UNITS, 2, shipped(Catalog.UNITS, {**UNIT, "ru": "кубофут"}))
    sign(federation, steward, Catalog.TYPES, 1, [TYPE])
    sign(federation, steward, Catalog.TYPES, 1, [{**TYPE, "mpi_months": 48}])
    for version in ("1.0", "1.1"):
        body = {"type": "t:x", "version": version, "publisher": steward.org.hex()}
        federation.publish(steward, drafts.type_record(subject_of_type("t:x").raw, VERSION, dump_json(body), 0))
    federation.publish(steward, own(steward, ("1", "volume", "Объём"), ("2", None, "Нечто")))
    federation.publish(steward, own(steward, ("2", "mass", "Масса")))
    return federation, federation.published


SAID = published()


@pytest.mark.req("B49")
@settings(max_examples=25)
@given(st.permutations(SAID[1]), st.lists(st.sampled_from(SAID[1]), max_size=6))
def test_world_is_the_same_for_any_order_of_releases(said: list[Statement], again: list[Statement]) -> None:
    """Releases, versions and own codes may arrive in any order and more than once."""
    federation, before = SAID
    one, two = (build_world(statements, federation.genesis) for statements in (before, [*said, *again]))

    def seen(found: World) -> object:
        return (
            {catalog: [*map(plainly, items)] for catalog, items in found.releases.items()},
            found.types.keys(),
            found.names,
            found.own_codes,
            {code: [item.record for item in items] for code, items in found.type_versions.by_type.items()},
        )

    assert seen(one) == seen(two)


def plainly(release: Release) -> tuple[object, ...]:
    """What of a release is seen."""
    return (release.number, release.digest, release.counts, ref_text(release.ref), sorted(release.records or ()))
