"""How many devices of a batch, or with parts of a lot, failed: counted out of views.

A device is *of a batch* where its parameter `batch` says so, or where it came out of a batch that has a passport. It
*has parts of a lot* where a part that was ever inside it, at any depth, came out of that lot or says so of itself, or
where material of the lot went into it. It *failed* where an event that counts says that it was rejected, repaired or
did not pass its bench, in the days that are asked about. A device that failed twice is one failed device. What is not
known here is not counted: a rate is of the passports of this node.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from node.passport.chronology import AHEAD
from node.passport.shown import at, rows, text
from node.passport.view import View, value_on

FAILURES = frozenset({"rejected", "repaired", "bench_failed"})
BATCH = "batch"
MATERIAL = "material"
MOST_DEPTH = 16


class By(StrEnum):
    """What devices are counted by."""

    BATCH = "batch"
    LOT = "lot"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Thing:
    """What of a passport counts: subjects in bytes, names as they are said, failures by code."""

    subject: bytes
    kind: str
    title: str
    type: str
    batch: str
    lots: frozenset[bytes] = frozenset()
    materials: frozenset[bytes] = frozenset()
    parts: frozenset[bytes] = frozenset()
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """A group: `devices` in it, how many of them `failed`, and failures by code; `share` is of 1, as text."""

    group: str
    name: str
    devices: int
    failed: int
    codes: Mapping[str, int]

    @property
    def share(self) -> str:
        """Failed of all, to four places."""
        return format((Decimal(self.failed) / Decimal(self.devices)).quantize(Decimal("0.0001")), "f")


def thing_of(subject: bytes, view: View, since: int = 0, until: int | None = None) -> Thing:
    """What of a view counts; failures of fact times from `since` to before `until`, in microseconds."""
    edges = [row for row in rows(view, "composition", "children") if row["used"]]
    return Thing(
        subject,
        text(view, "kind"),
        text(view, "title"),
        text(view, "type", "central") or text(view, "type", "local"),
        str((value_on(view, BATCH) or {}).get("value") or ""),
        frozenset(_subject(row["whole"]) for row in rows(view, "composition", "lots") if row["used"]),
        frozenset(_subject(row["part"]) for row in edges if row["relation"] == MATERIAL),
        frozenset(_subject(row["part"]) for row in edges if row["relation"] is None),
        _failures(view, since, until),
    )


def failure_rates(things: Iterable[Thing], by: By, names: Mapping[str, str] | None = None) -> list[Rate]:
    """The groups, those with the largest share first; `names` are those of codes of types."""
    known = {thing.subject: thing for thing in things}
    groups: dict[str, list[Thing]] = {}
    for thing in known.values():
        if thing.kind == "device":
            for group in _groups(thing, by, known):
                groups.setdefault(group, []).append(thing)
    rates = [_rate(group, devices, known, names or {}) for group, devices in groups.items()]
    return sorted(rates, key=lambda rate: (-Decimal(rate.failed) / rate.devices, -rate.devices, rate.name, rate.group))


def _groups(thing: Thing, by: By, known: Mapping[bytes, Thing]) -> set[str]:
    if by is By.TYPE:
        return {thing.type} - {""}
    if by is By.BATCH:
        return {lot.hex() for lot in thing.lots} or ({thing.batch} - {""})
    found: set[str] = set()
    seen, waiting = {thing.subject}, [thing]
    for _ in range(MOST_DEPTH):
        inside = [part for one in waiting for part in one.parts if part not in seen]
        found |= {lot.hex() for one in waiting for lot in one.materials}
        seen.update(inside)
        waiting = [known[part] for part in inside if part in known]
        found |= {group for part in waiting for group in ({lot.hex() for lot in part.lots} or ({part.batch} - {""}))}
    return found


def _rate(group: str, devices: list[Thing], known: Mapping[bytes, Thing], names: Mapping[str, str]) -> Rate:
    codes: Counter[str] = Counter()
    for device in devices:
        codes.update(device.failures)
    failed = sum(1 for device in devices if device.failures)
    return Rate(group, _name(group, known, names), len(devices), failed, dict(sorted(codes.items())))


def _name(group: str, known: Mapping[bytes, Thing], names: Mapping[str, str]) -> str:
    try:
        batch = known.get(bytes.fromhex(group)) if len(group) == 32 else None
    except ValueError:
        batch = None
    return (batch.title if batch else "") or names.get(group, group)


def _failures(view: View, since: int, until: int | None) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in rows(view, "events"):
        code, occurred, warnings = at(row, "what", "central"), int(str(row["occurred"])), row["warnings"]
        is_counted = not row["routed"] and row["replaced_by"] is None
        is_told = not (isinstance(warnings, list) and AHEAD in warnings)
        if code in FAILURES and is_counted and is_told and since <= occurred and (until is None or occurred < until):
            counts[str(code)] += 1
    return dict(counts)


def _subject(value: object) -> bytes:
    return bytes.fromhex(str(value))
