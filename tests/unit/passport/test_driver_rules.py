"""Whether a published driver may run: whose it is, what it is for, its version, and that it proves itself."""

from dataclasses import replace

import pytest

from drivers.descriptor import Level
from drivers.package import Package
from federation.fragment import Ref
from node.passport.catalogs import parse_type
from node.passport.driver_rules import (
    _TEXTS,
    MOST_BYTES,
    MOST_DRIVERS,
    DriverState,
    KnownDriver,
    Refusal,
    Rule,
    find_excess,
    find_refusal,
)
from node.passport.publications import Published
from node.passport.world import World
from tests.catalog_records import TYPE
from tests.published import package

MAKER, OTHER = bytes(range(16)), bytes(16)
KIND = parse_type(TYPE)  # type: ignore[arg-type]  # a record as JSON
WORLD = World(
    types={"t:new": KIND},
    type_records={"t:new": Published(KIND, MAKER, Ref(bytes(32), 0, bytes(16)), 0, is_steward=False)},
)


def judged(found: Package, org: bytes = MAKER, known: tuple[KnownDriver, ...] = (), *, trusted: bool = False) -> str:
    """The rule that the package breaks, empty where none."""
    refusal = find_refusal(found, org, WORLD, known, is_trusted=trusted)
    return "" if refusal is None else refusal.rule.value


def known(version: str, org: bytes | None = MAKER, state: DriverState = DriverState.ACTIVE) -> KnownDriver:
    """A version of the same driver that stands on the node."""
    return KnownDriver("water-7", version, version.encode().ljust(32, b"\0"), org, state)


def test_owner_of_the_type_runs_and_a_stranger_only_where_he_is_trusted() -> None:
    """The type's publisher speaks for its code and its model; a stranger for nothing, until he is trusted."""
    assert judged(package(MAKER.hex())) == ""
    assert judged(package(MAKER.hex(), models=("уз-20",))) == ""
    assert judged(package(MAKER.hex(), models=("СГВ-15",))) == "namespace"
    assert judged(package(MAKER.hex(), types=("t:cwv",))) == "namespace"
    assert judged(package(OTHER.hex()), OTHER) == "namespace"
    assert judged(package(OTHER.hex()), OTHER, trusted=True) == ""


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"org": OTHER.hex()}, "publisher"),
        ({"types": ()}, "nothing"),
        ({"types": (), "key": "betar-vega"}, "key"),
        ({"types": (), "key": "water-7"}, ""),
    ],
)
def test_driver_that_says_what_is_not_so_is_refused(changes: dict[str, object], rule: str) -> None:
    """Another publisher's name, nothing that it is for, a name by which passports call another driver."""
    assert judged(package(**{"org": MAKER.hex(), **changes})) == rule  # type: ignore[arg-type]  # as of `folder`


def test_driver_without_vectors_or_of_a_level_that_does_not_run_here_is_refused() -> None:
    """What is not proved does not run, and a poll plan has nothing to run it."""
    found = package(MAKER.hex())

    assert judged(Package(replace(found.descriptor, vectors=()), found.files)) == "vectors"
    assert judged(Package(replace(found.descriptor, level=Level.PLAN), found.files)) == "level"


@pytest.mark.parametrize(
    ("held", "rule"),
    [
        (known("0.9"), ""),
        (known("1.0.0"), "version-taken"),
        (known("1.1"), "version-back"),
        (known("1.1", state=DriverState.WITHDRAWN), "version-back"),
        (known("1.1", state=DriverState.QUARANTINED), "version-back"),
        (known("1.1", state=DriverState.REFUSED), ""),
        (known("0.9", OTHER), ""),
        (known("1.1", OTHER), ""),
        (known("1.0", OTHER, DriverState.WITHDRAWN), ""),
        (known("0.9", None), "id"),
    ],
)
def test_version_goes_on_and_an_id_is_its_publishers(held: KnownDriver, rule: str) -> None:
    """Behind what ever stood here nothing runs, whatever became of that; what was refused holds no place, and what
    another publishes under the id is another driver.
    """
    assert judged(package(MAKER.hex()), known=(held,)) == rule


def test_publisher_has_so_many_drivers_and_no_more() -> None:
    """One more id is refused where as many run or ran, a further version of one of these is not; others count apart."""

    def held(org: bytes, count: int, size: int = 0, state: DriverState = DriverState.ACTIVE) -> list[KnownDriver]:
        return [KnownDriver(f"water-{n}", "1.0", bytes([n]) * 32, org, state, size) for n in range(count)]

    def rule(held: list[KnownDriver], driver: str, size: int = 1) -> Rule | None:
        refusal = find_excess(held, MAKER, driver, size)
        return None if refusal is None else refusal.rule

    assert rule(held(MAKER, MOST_DRIVERS), "more") is Rule.MANY
    assert rule(held(MAKER, MOST_DRIVERS, state=DriverState.STOPPED), "more") is Rule.MANY
    assert rule(held(MAKER, MOST_DRIVERS), "water-7") is None
    assert rule(held(MAKER, MOST_DRIVERS - 1), "more") is None
    assert rule(held(OTHER, MOST_DRIVERS), "more") is None
    assert rule(held(MAKER, MOST_DRIVERS, state=DriverState.WITHDRAWN), "more") is None
    assert rule(held(MAKER, 4, MOST_BYTES // 4), "more") is Rule.LARGE
    assert rule(held(MAKER, 4, MOST_BYTES // 4), "water-3", MOST_BYTES // 4) is None


def test_same_bytes_again_break_no_rule() -> None:
    """A package that stands here already is no second content of its version."""
    found = package(MAKER.hex())

    assert judged(found, known=(KnownDriver("water-7", "1.0", found.hash, MAKER, DriverState.ACTIVE),)) == ""


@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_rule_has_words(language: str) -> None:
    """In both languages, with the values that the rule gives."""
    values = dict.fromkeys(
        ("why", "stated", "org", "level", "key", "id", "what", "version", "held", "name", "expected", "got", "most"),
        "7",
    )

    assert _TEXTS.keys() == set(Rule)
    assert all(Refusal(rule, values).text(language) for rule in Rule)
