"""Rows of the model mapping: which one counts, and what it makes of a value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import UnitError
from drivers.mapping import ANY, MappingRow, ModelMapping
from drivers.units import UNITS, convert

EVERY = MappingRow("meter", "volume_total", ANY, "volume", "m3")
SECOND = MappingRow("meter", "volume_total", 2, "volume_hot", "m3")
OTHER = MappingRow("other", "v", ANY, "volume", "L")


def told(row: MappingRow, value: str, unit: str) -> str:
    """A value as a row tells it."""
    return str(row.conversion(unit).apply(Decimal(value)))


def test_row_of_a_channel_goes_before_that_of_every_one() -> None:
    """Channel 2 has its own; the others, and no other driver, have the one of every channel."""
    mapping = ModelMapping([EVERY, SECOND, OTHER])

    assert mapping.find_row("meter", "volume_total", 2) is SECOND
    assert mapping.find_row("meter", "volume_total", 1) is EVERY
    assert mapping.find_row("third", "volume_total", 1) is None
    assert mapping.rows_of("volume_total", 2) == (SECOND,)
    assert set(mapping.rows_to("volume", 1)) == {EVERY, OTHER}
    assert mapping.rows_to("volume", 2) == (OTHER,)
    assert mapping.rows_to("volume_hot", 1) == ()
    assert mapping.drivers == {"meter", "other"}


@pytest.mark.parametrize(
    ("row", "value", "unit", "expected"),
    [
        (EVERY, "12.3450", "m3", "12.3450"),
        (EVERY, "12345", "L", "12.345"),
        (MappingRow("d", "q", ANY, "c", "K"), "21.5", "Cel", "294.65"),
        (MappingRow("d", "q", ANY, "volume", "m3", scale=Decimal("0.01")), "1234567", "1", "12345.67"),
        (MappingRow("d", "q", ANY, "volume", "m3", scale=Decimal("10")), "12", "m3", "120"),
        (MappingRow("d", "q", ANY, "flow", "m3/h", scale=Decimal(-1)), "0.5", "m3/h", "-0.5"),
        # Nineteen digits by twenty: more than a plain product of Decimals keeps.
        (
            MappingRow("d", "q", ANY, "c", "1", scale=Decimal("1.2345678901234567891")),
            "9223372036854775807",
            "1",
            "11386878955363490700.8158547141325813037",
        ),
    ],
)
def test_value_is_told_with_exactly_its_digits(row: MappingRow, value: str, unit: str, expected: str) -> None:
    """Converted where the scale is 1, else multiplied: the product is in the row's unit whatever it was read in."""
    assert Decimal(told(row, value, unit)) == Decimal(expected)


def test_unit_of_another_dimension_cannot_be_told() -> None:
    """Without a scale there is no way from energy to volume; with one every unit is told."""
    assert not EVERY.can_tell("kW.h")
    assert EVERY.units is not None
    assert "L" in EVERY.units
    with pytest.raises(UnitError, match=r"kW\.h measures energy, m3 measures volume"):
        EVERY.conversion("kW.h")
    scaled = MappingRow("d", "q", ANY, "volume", "m3", scale=Decimal(2))
    assert scaled.can_tell("kW.h")
    assert scaled.units is None
    assert not MappingRow("d", "q", ANY, "volume", "no unit").can_tell("no unit")


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)), st.decimals(-(10**9), 10**9, places=9))
def test_row_tells_what_it_says_that_it_can(read: str, told_in: str, value: Decimal) -> None:
    """Of any two units a row either converts as units do, or raises."""
    row = MappingRow("d", "q", ANY, "c", told_in)
    if row.can_tell(read):
        assert row.conversion(read).apply(value) == convert(value, read, told_in)
    else:
        with pytest.raises(UnitError):
            row.conversion(read)
