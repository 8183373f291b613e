"""What the meters of one designation in a table have in common: widths, units, intervals, usual readings.

Where no line says how serials are written, the neighbours do; what nearly all share is the measure for the rest.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from node.exchange.fleet.rows import FleetRow
from node.exchange.fleet.values import months_between

LEAST, FEW, SOME, MANY = 3, 5, 10, 50
SLIP, SLIP_ABOVE = 200, 20
HOUSEHOLD_M3 = 20_000


@dataclass
class Peers:
    """Counts over the meters of one designation; what follows from them is asked once all are taken."""

    widths: Counter[int] = field(default_factory=Counter)
    digits: int = 0
    serials: int = 0
    zeros: int = 0
    units: Counter[str] = field(default_factory=Counter)
    intervals: Counter[int] = field(default_factory=Counter)
    spellings: Counter[str] = field(default_factory=Counter)
    readings: dict[str, list[float]] = field(default_factory=dict)
    consumptions: dict[str, list[float]] = field(default_factory=dict)
    approvals: Counter[str] = field(default_factory=Counter)
    _usual: dict[str, tuple[float, float]] = field(default_factory=dict)
    _consumed: dict[str, float | None] = field(default_factory=dict)

    def take(self, row: FleetRow) -> None:
        """Count a meter."""
        if row.plate:
            self.serials += 1
            if row.plate.isdecimal():
                self.digits += 1
                self.widths[len(row.plate)] += 1
                self.zeros += row.plate.startswith("0")
        if row.unit:
            self.units[row.unit] += 1
        if row.verified_on and row.valid_until and row.valid_until > row.verified_on:
            self.intervals[months_between(row.verified_on, row.valid_until)] += 1
        if row.designation:
            self.spellings[row.designation] += 1
        if row.reading:
            self.readings.setdefault(row.unit or "", []).append(float(row.reading))
            if row.previous is not None and row.unit != "m3":
                self.consumptions.setdefault(row.unit or "", []).append(float(row.reading - row.previous))
        if row.approval:
            self.approvals[row.approval] += 1

    @cached_property
    def width(self) -> int:
        """The width of most serials, 0 where there are too few of digits."""
        if self.digits < LEAST or self.digits < self.serials * 0.8:
            return 0
        width, count = self.widths.most_common(1)[0]
        return width if count >= self.digits * 0.6 else 0

    @cached_property
    def is_uniform(self) -> bool:
        """Whether nearly all serials have one width, so that few of a kind may be measured by it."""
        return self.digits >= SOME and self.widths[self.width] >= self.digits * 0.9

    def is_rare(self, width: int) -> bool:
        """Whether a width is that of hardly any serial while nearly all have another one."""
        return self.is_uniform and self.widths[width] <= max(2, self.digits // 100)

    @property
    def lead_with_zeros(self) -> bool:
        """Whether zeros lead at least half of the serials, so that a shorter one has lost its own."""
        return self.zeros >= LEAST and self.zeros * 2 >= self.digits

    @cached_property
    def lost_zeros(self) -> bool:
        """Whether shorter serials are as many as leading zeros would be, and no zero leads any longer."""
        width = self.width
        if self.digits < MANY or self.zeros:
            return False
        return self.digits * 0.05 <= self.widths[width - 1] <= self.digits * 0.15

    @cached_property
    def usual_spelling(self) -> tuple[str, int]:
        """How the designation is typed most often, and how often."""
        return self.spellings.most_common(1)[0]

    @cached_property
    def unit(self) -> str | None:
        """The unit of nearly all readings, or None."""
        total = sum(self.units.values())
        if total < FEW:
            return None
        unit, count = self.units.most_common(1)[0]
        return unit if count >= total * 0.9 or (total < SOME and count == total - 1) else None

    @cached_property
    def interval(self) -> int | None:
        """The months between verification and its end of nearly all, or None."""
        total = sum(self.intervals.values())
        if total < SOME:
            return None
        months, count = self.intervals.most_common(1)[0]
        return months if count >= total * 0.8 else None

    @cached_property
    def approval(self) -> str | None:
        """The approval number that nearly all rows of a designation give, or None."""
        total = sum(self.approvals.values())
        if total < SOME:
            return None
        approval, count = self.approvals.most_common(1)[0]
        return approval if count >= total * 0.9 else None

    def usual_consumption(self, unit: str) -> float | None:
        """A consumption between two readings that is still usual in a unit, or None where too few tell one."""
        if unit not in self._consumed:
            values = sorted(value for value in self.consumptions.get(unit, ()) if value >= 0)
            self._consumed[unit] = values[len(values) * 3 // 4] or None if len(values) >= FEW else None
        return self._consumed[unit]

    def has_usual(self, unit: str) -> bool:
        """Whether there are enough readings in a unit to tell a usual one."""
        return len(self.readings.get(unit, ())) >= FEW

    def slip(self, row: FleetRow) -> tuple[int, float] | None:
        """How many times the usual reading a meter shows, and the usual one, where only a slip explains it."""
        usual = self._usual_of(row.unit or "")
        if row.reading is None or usual is None:
            return None
        middle, high = usual
        value = float(row.reading)
        if middle > 0 and value >= SLIP * middle and value >= SLIP_ABOVE * high:
            return round(value / middle), middle
        return None

    def _usual_of(self, unit: str) -> tuple[float, float] | None:
        if unit not in self._usual:
            values = sorted(self.readings.get(unit, []))
            if len(values) < FEW:
                return None
            self._usual[unit] = (values[len(values) // 2], values[len(values) * 9 // 10 - 1])
        return self._usual[unit]
