"""The values a payload decodes to, and the numbers that arithmetic is done with.

Integers stay int, everything else is Decimal at 34 significant digits: what a schema scales by powers of ten is exact.
None stands for no value: a language rule leaves the field out instead of reporting what is not a number (PS-282).
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

Number = int | Decimal
Value = int | Decimal | str | list["Value"] | dict[str, "Value"]
Given = int | float | Decimal | str | Sequence["Given"] | Mapping[str, "Given"]  # what a caller hands in to encode

EXACT = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-400, Emax=400, traps=[InvalidOperation, DivisionByZero, Overflow]
)
MAX_BITS = 128

Step = Callable[[Number], Number | None]


def settle(value: Number) -> Number:
    """The same number in bounded size: an integer past 128 bits goes on as a Decimal."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return EXACT.create_decimal(value)
    return value


def as_number(value: object) -> Number | None:
    """The number a value is, or None; true and false count as 1 and 0."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, float):
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    return None


def as_integer(value: object) -> int | None:
    """The integer a value is, or None where it has a fraction or is no number."""
    number = as_number(value)
    if isinstance(number, Decimal):
        return int(number) if number == number.to_integral_value() else None
    return number


def round_to_integer(value: Number) -> int:
    """The nearest integer, ties to even: what an encoder writes."""
    return value if isinstance(value, int) else int(value.to_integral_value(ROUND_HALF_EVEN))


def from_float(value: float) -> Decimal | None:
    """The double's value at 34 digits; None for what is no number."""
    number = Decimal(value)
    return EXACT.plus(number) if number.is_finite() else None


def format_value(value: object) -> str:
    """A value inside a name or a label: a number in plain decimal with no idle zeros, as the language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and value.adjusted() <= 21:
            return str(int(value))
        return format(value.normalize(EXACT), "f" if -7 < value.adjusted() <= 21 else "e")
    return str(value)
