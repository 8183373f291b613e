"""Conversions between units by the records of the units catalog, to 12 digits; and finding a unit by what people write.

`value * factor + offset` is in the coherent unit of the dimension. The trap: Гкал of the heat trade is `Gcal_IT`
(4.1868 J a calorie), UCUM `Gcal` is the thermochemical one, 0.07 % less.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction

from node.passport.catalogs import Record

MAX_MAGNITUDE = 30  # powers of ten; a larger exponent would only make a sum slow
PLACES = Context(prec=12)


def dimension_of(unit: Record) -> str:
    """What a unit measures."""
    return str(unit.get("dimension") or "")


def convert(value: Decimal, source: Record, target: Record) -> Decimal | None:
    """The value in another unit of the same dimension, None where there is no such conversion."""
    same = dimension_of(source) == dimension_of(target) != ""
    if not same or not value.is_finite() or abs(value.adjusted()) > MAX_MAGNITUDE:
        return None
    (factor, offset), (new_factor, new_offset) = _scale(source), _scale(target)
    if not new_factor:
        return None
    exact = (Fraction(value) * factor + offset - new_offset) / new_factor
    found = PLACES.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return Decimal(int(found)) if found == found.to_integral_value() else found.normalize()


def quantity(value: Decimal, unit: Record) -> str | None:
    """The value in the coherent unit, with its dimension: equal for equal quantities in whatever unit they were said.

    None where the unit has no dimension or the value is out of reach.
    """
    if not dimension_of(unit) or not value.is_finite() or abs(value.adjusted()) > MAX_MAGNITUDE:
        return None
    factor, offset = _scale(unit)
    if not factor:
        return None
    return f"{dimension_of(unit)} {Fraction(value) * factor + offset}"


def find_unit(units: Mapping[str, Record], text: str) -> str | None:
    """The code of the unit that people write so: by its signs in both languages, its ОКЕИ code or a synonym."""
    wanted = fold_sign(text)
    for code, record in units.items():
        if not record.get("instead") and wanted in map(fold_sign, signs_of(code, record)):
            return code
    return None


def signs_of(code: str, unit: Record) -> tuple[str, ...]:
    """Everything that a unit is written as."""
    synonyms = unit.get("synonyms")
    more = synonyms if isinstance(synonyms, list) else []
    return tuple(str(text) for text in (code, unit.get("ru"), unit.get("en"), unit.get("okei"), *more) if text)


def fold_sign(text: str) -> str:
    """A sign without what people write differently: case, spaces, dots, powers."""
    plain = text.casefold().replace("³", "3").replace("²", "2").replace("*", "·")
    return "".join(letter for letter in plain if letter not in " .·-\u00a0")


def _scale(unit: Record) -> tuple[Fraction, Fraction]:
    try:
        return Fraction(str(unit.get("factor"))), Fraction(str(unit.get("offset") or "0"))
    except (ValueError, ZeroDivisionError):
        return Fraction(0), Fraction(0)
