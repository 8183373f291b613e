"""What the row of a published driver tells: what its package is for, and what was decided about it.

A row stands for a package that may be large and is not kept in memory; it is made once, when the package is read.
"""

from collections.abc import Iterable
from dataclasses import replace

from node.passport.driver_publications import Publication
from node.passport.driver_rules import DriverState, KnownDriver, Refusal, Rule, find_fault
from node.store.drivers import StoredDriver

READ = 1  # goes up where packages are read otherwise, or broken by other rules: each is read again then
MOST_SHOWN, LONGEST_SHOWN = 20, 120  # names of types, models and keys that a row tells, and their characters
FAULT = "fault"  # what a package breaks by itself: nothing else decides about it
DECIDED = frozenset({"rule", "values", "by", "why", "whole"})


def described(publication: Publication) -> StoredDriver:
    """The row of a package that was just read: refused by what it breaks itself, else with nothing decided."""
    driver, version = publication.name
    package = publication.package
    detail: dict[str, object] = {"read": READ, "size": publication.size, "own": publication.is_own, "name": ""}
    refusal: Refusal | None = Refusal(Rule.BROKEN, {"why": publication.why})
    if package is not None:
        text, applies = package.descriptor, package.descriptor.applies_to
        detail |= {
            "name": text.name[:LONGEST_SHOWN],
            "types": _shown(applies.types),
            "models": _shown(applies.models),
            "keys": _shown(f"{name}={value}" for name, value in applies.match),
            "firmware": [applies.firmware.minimum, applies.firmware.below],
            "vectors": len(text.vectors),
        }
        refusal = find_fault(text, publication.org)
    level = int(package.descriptor.level) if package else 0
    row = StoredDriver(
        publication.hash, driver, version, level, publication.org, publication.entry, DriverState.REFUSED, detail
    )
    if refusal is None:
        return row
    detail[FAULT] = refusal.rule.value
    return refused(row, refusal)


def is_described(one: StoredDriver) -> bool:
    """Whether its row was made by what is read and asked of packages now."""
    return one.detail.get("read") == READ


def decided(one: StoredDriver, state: DriverState, **detail: object) -> StoredDriver:
    """The row with another state, and why."""
    kept = {name: value for name, value in one.detail.items() if name not in DECIDED}
    return replace(one, state=state, detail={**kept, **detail})


def refused(one: StoredDriver, refusal: Refusal) -> StoredDriver:
    """The row of a driver that breaks a rule."""
    return decided(one, DriverState.REFUSED, rule=refusal.rule.value, values=dict(refusal.values))


def refusal_of(one: StoredDriver) -> Refusal | None:
    """By which rule a driver does not run here."""
    rule, values = one.detail.get("rule"), one.detail.get("values")
    if one.state != DriverState.REFUSED or rule is None or not isinstance(values, dict):
        return None
    return Refusal(Rule(str(rule)), {str(name): str(value) for name, value in values.items()})


def known_driver(one: StoredDriver) -> KnownDriver:
    """What the rules ask of a version that stands here, or stood."""
    return KnownDriver(one.driver, one.version, one.hash, one.org, DriverState(one.state), one.size)


def _shown(names: Iterable[str]) -> list[str]:
    return [name[:LONGEST_SHOWN] for name in list(names)[:MOST_SHOWN]]
