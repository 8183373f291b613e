"""What a check-up of a fleet found: findings, verifications that end, and the meters they are of."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from node.exchange.fleet import rules
from node.exchange.fleet.findings import ORDER, FleetFinding, Grade, Rule
from node.exchange.fleet.layout import Layout
from node.exchange.fleet.reader import OtherSheet, Passed


@dataclass(frozen=True, slots=True)
class Due:
    """A meter whose verification ended or ends soon; `is_computed` where the end comes from the interval."""

    row: int
    address: str
    designation: str
    serial: str
    until: datetime.date
    days: int
    is_computed: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """Which meter a row is of, for those who go there."""

    address: str
    designation: str
    serial: str


@dataclass(frozen=True, slots=True)
class FleetReport:
    """What a check-up found. `months` counts verifications by the month in which they end, `undated` those without;
    `faulty` tells the meter of each row that something was found in.
    """

    layout: Layout
    others: tuple[OtherSheet, ...]
    passed: Passed
    meters: int
    on: datetime.date
    days: int
    findings: tuple[FleetFinding, ...]
    due: tuple[Due, ...]
    months: Mapping[str, int]
    undated: int
    faulty: Mapping[int, Meter]
    known_types: int = 0
    in_registry: int | None = None

    @property
    def has_errors(self) -> bool:
        """Whether anything of grade error was found."""
        return any(finding.grade is Grade.ERROR for finding in self.findings)

    def counts(self) -> list[tuple[Rule, Grade, int]]:
        """How many rows break each rule: errors first, then by number."""
        counted: Counter[tuple[str, Grade]] = Counter()
        for finding in self.findings:
            counted[finding.rule.code, finding.grade] += finding.rows
        ordered = sorted(counted.items(), key=lambda item: (ORDER[item[0][1]], -item[1], item[0][0]))
        return [(rules.RULES[code], grade, count) for (code, grade), count in ordered]

    @property
    def expired(self) -> int:
        """How many verifications ended before the day of the check."""
        return sum(due.days < 0 for due in self.due)

    def graded(self) -> dict[Grade, int]:
        """How many findings there are of each grade."""
        counted = Counter(finding.grade for finding in self.findings)
        return {grade: counted[grade] for grade in Grade}


def with_registry(report: FleetReport, in_registry: int, found: Iterable[FleetFinding]) -> FleetReport:
    """A report with what the node's registry adds."""
    findings = sorted((*report.findings, *found), key=lambda f: (f.row, ORDER[f.grade], f.rule.code))
    return replace(report, findings=tuple(findings), in_registry=in_registry)
