"""What the names of drivers mean in the central catalog: rows that a person edits, applied where readings are told.

A driver names what it reads in its own words. A row says of such a quantity, in one channel or in every one, which code
of the catalog it is, in which unit it is told, and by which number its values are multiplied before. What is stored
stays as the driver said it, so a row counts for old values too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from drivers.reading import Reading
from drivers.units import UNITS, Conversion, find_conversion

ANY = -1  # a row of every channel that has none of its own
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A quantity of a driver is this code; `unit` is UCUM, `obis` may be empty.

    Value told = value read * scale. With a scale other than 1 the product is in `unit`; else it is converted to it.
    """

    driver: str
    quantity: str
    channel: int
    code: str
    unit: str
    obis: str = ""
    scale: Decimal = ONE

    @property
    def units(self) -> tuple[str, ...] | None:
        """The units of which it can tell values; None where it can of any."""
        if self.scale != ONE:
            return None
        told = UNITS.get(self.unit)
        return tuple(unit.code for unit in UNITS.values() if told and unit.dimension == told.dimension)

    def can_tell(self, unit: str) -> bool:
        """Whether it can tell values of a unit."""
        units = self.units
        return units is None or unit in units

    def conversion(self, unit: str) -> Conversion:
        """From a value as it was read to the one that is told; raise UnitError where there is no way."""
        if self.scale == ONE:
            return find_conversion(unit, self.unit)
        return Conversion((self.scale, Decimal(0), ONE))


class ModelMapping:
    """All rows; of one driver and quantity a row of the channel goes before one of every channel."""

    def __init__(self, rows: Iterable[MappingRow] = ()) -> None:
        self._rows = {(row.driver, row.quantity, row.channel): row for row in rows}

    @property
    def rows(self) -> tuple[MappingRow, ...]:
        """By driver, quantity and channel."""
        return tuple(self._rows[key] for key in sorted(self._rows))

    @cached_property
    def drivers(self) -> frozenset[str]:
        """The drivers of which a row is."""
        return frozenset(driver for driver, _, _ in self._rows)

    def find_row(self, driver: str, quantity: str, channel: int) -> MappingRow | None:
        """The row that counts for a quantity of a driver in a channel."""
        return self._rows.get((driver, quantity, channel)) or self._rows.get((driver, quantity, ANY))

    def rows_for(self, driver: str, readings: Iterable[Reading]) -> dict[tuple[str, int], MappingRow]:
        """The rows that count for readings of a driver, by quantity and channel."""
        if driver not in self.drivers:
            return {}
        places = {(reading.quantity, reading.channel) for reading in readings}
        found = {place: self.find_row(driver, *place) for place in places}
        return {place: row for place, row in found.items() if row is not None}

    def rows_of(self, quantity: str, channel: int) -> tuple[MappingRow, ...]:
        """The rows that count for what any driver calls so in a channel, one of each driver."""
        found = (self.find_row(driver, quantity, channel) for driver in self._speaking.get(quantity, ()))
        return tuple(row for row in found if row is not None)

    def rows_to(self, code: str, channel: int) -> tuple[MappingRow, ...]:
        """The rows by which something is told under a code in a channel, whatever its drivers call it."""
        named = (self.rows_of(quantity, channel) for quantity in self._named.get(code, ()))
        return tuple(row for rows in named for row in rows if row.code == code)

    @cached_property
    def _speaking(self) -> dict[str, list[str]]:
        """The drivers of each quantity."""
        found: dict[str, set[str]] = {}
        for driver, quantity, _ in self._rows:
            found.setdefault(quantity, set()).add(driver)
        return {quantity: sorted(drivers) for quantity, drivers in found.items()}

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        """The quantities that some row gives each code."""
        found: dict[str, set[str]] = {}
        for row in self._rows.values():
            found.setdefault(row.code, set()).add(row.quantity)
        return {code: sorted(quantities) for code, quantities in found.items()}
