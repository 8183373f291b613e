"""Units of measure and their conversion."""

from decimal import Decimal

import pytest

from drivers.errors import UnitError
from drivers.units import UNITS, convert, find_unit_by_name, find_unit_by_okei, get_unit


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("120340", "W.h", "kW.h", "120.34"),
        ("1", "Gcal_IT", "MJ", "4186.8"),
        ("1", "Gcal", "MJ", "4184"),
        ("1", "Gcal_IT", "kW.h", "1163"),
        ("1", "Gcal_IT/h", "kW", "1163"),
        ("39", "Cel", "K", "312.15"),
        ("-273.15", "Cel", "K", "0"),
        ("0.0001", "m3", "L", "0.1"),
        ("3600", "m3/h", "L/h", "3600000"),
        ("99", "%", "1", "0.99"),
        ("1.0000", "m3", "m3", "1.0000"),
        ("1", "MPa", "bar", "10"),
    ],
)
def test_conversion_is_exact(value: str, source: str, target: str, expected: str) -> None:
    """A result with a finite decimal form comes out with exactly its digits."""
    assert str(convert(Decimal(value), source, target)) == expected


def test_gcal_of_heat_trade_is_the_international_table_one() -> None:
    """Гкал, ОКЕИ 233, is Gcal_IT; UCUM Gcal is another unit, 0.07 % less."""
    assert find_unit_by_name(" гкал ") is find_unit_by_okei("233") is get_unit("Gcal_IT")
    assert convert(Decimal(1), "Gcal", "Gcal_IT") < 1


def test_unending_result_is_rounded_far_beyond_any_meter() -> None:
    """A third is kept to 50 digits, half to even."""
    assert (
        convert(Decimal(1), "J", "kW.h") == Decimal(1) / Decimal(3_600_000)
        or len(convert(Decimal(1), "J", "kW.h").as_tuple().digits) == 50
    )


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [
        ("1", "m3", "kW.h"),
        ("1", "kvar.h", "kW.h"),
        ("1", "m3", "M3"),
        ("NaN", "m3", "L"),
        ("Infinity", "m3", "L"),
        ("1e999999", "m3", "L"),
    ],
)
def test_conversion_without_sense_is_refused(value: str, source: str, target: str) -> None:
    """Two dimensions, an unknown code and a value that is no number give UnitError at once."""
    with pytest.raises(UnitError):
        convert(Decimal(value), source, target)


def test_codes_and_names_lead_to_one_unit_each() -> None:
    """No ОКЕИ code and no name stands for two units."""
    codes = [unit.okei for unit in UNITS.values() if unit.okei]
    names = [unit.name_ru.casefold() for unit in UNITS.values() if unit.name_ru]

    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)
    assert find_unit_by_name("попугай") is find_unit_by_okei("000") is None
