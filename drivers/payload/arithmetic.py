"""From the number on the wire to the number that is meant, and back: modifiers, polynomial and transform stages.

The order is the language's (PS-443): polynomial, mult, div, add - in this order however they are written (PS-101) - and
then the stages of `transform` in theirs. A stage without a value (log of 0, a zero divisor) leaves the field out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from drivers.errors import EncodeError
from drivers.payload.document import Tree
from drivers.payload.section import Section, describe
from drivers.payload.values import EXACT, Number, Step, settle

MAX_STAGES = 32
MAX_POWER = 64
MAX_DECIMALS = 15
_ROUND = Context(prec=800)  # the whole expansion of any double


@dataclass(frozen=True, slots=True)
class Stage:
    """One operation and its inverse; None for one that has none."""

    apply: Step
    undo: Step | None


@dataclass(frozen=True, slots=True)
class Chain:
    """Stages in order."""

    stages: tuple[Step, ...]
    undo_stages: tuple[Step | None, ...]

    def apply(self, value: Number) -> Number | None:
        """The number that is meant, or None where a stage has no value."""
        number: Number | None = value
        try:
            for stage in self.stages:
                number = stage(number)  # type: ignore[arg-type]  # None has returned
                if number is None:
                    return None
        except ArithmeticError:
            return None
        return number

    def undo(self, value: Number) -> Number:
        """The number on the wire, not yet rounded; raise EncodeError where a stage has no inverse."""
        number: Number | None = value
        try:
            for stage in self.undo_stages:
                number = None if stage is None or number is None else stage(number)
        except ArithmeticError:
            number = None
        if number is None:
            raise EncodeError(f"{value} cannot be traced back to what is on the wire")
        return number


def take_chain(section: Section) -> Chain | None:
    """The arithmetic of a field, or None where it has none; raise DocumentError."""
    stages = [*_polynomial(section), *_modifiers(section)]
    for item in section.sections("transform"):
        stages.append(_stage(item))
    if len(stages) > MAX_STAGES:
        raise section.error(f"at most {MAX_STAGES} operations stand in a field")
    return chain_of(stages) if stages else None


def chain_of(stages: Iterable[Stage]) -> Chain:
    """The stages as they run both ways."""
    listed = tuple(stages)
    return Chain(tuple(stage.apply for stage in listed), tuple(stage.undo for stage in reversed(listed)))


def take_modifiers(section: Section) -> Chain:
    """The bare modifiers alone, as a branch of `match_value` has them."""
    return chain_of(_modifiers(section))


def add(left: Number, right: Number) -> Number:
    """The sum; exact between integers."""
    return settle(left + right) if isinstance(left, int) and isinstance(right, int) else EXACT.add(left, right)


def subtract(left: Number, right: Number) -> Number:
    """The difference; exact between integers."""
    return settle(left - right) if isinstance(left, int) and isinstance(right, int) else EXACT.subtract(left, right)


def multiply(left: Number, right: Number) -> Number:
    """The product; exact between integers."""
    return settle(left * right) if isinstance(left, int) and isinstance(right, int) else EXACT.multiply(left, right)


def divide(left: Number, right: Number) -> Number | None:
    """The quotient; None by zero (PS-100)."""
    return EXACT.divide(left, right) if right else None


def whole_quotient(left: Number, right: Number) -> Number | None:
    """The floored quotient of the integer parts; None by zero (PS-278)."""
    return settle(int(left) // int(right)) if int(right) else None


def remainder(left: Number, right: Number) -> Number | None:
    """The remainder of the integer parts, with the divisor's sign; None by zero (PS-278)."""
    return settle(int(left) % int(right)) if int(right) else None


def power(base: Number, exponent: Number) -> Number | None:
    """A power; None where it has no value or the exponent is past MAX_POWER."""
    if not -MAX_POWER <= exponent <= MAX_POWER or (not base and exponent <= 0):
        return None
    return EXACT.power(base, exponent)


def absolute(value: Number) -> Number:
    """The value without its sign."""
    return abs(value) if isinstance(value, int) else EXACT.abs(value)


def square_root(value: Number) -> Number:
    """The root; below zero it is taken of zero (PS-116)."""
    return EXACT.sqrt(value) if value > 0 else 0


def logarithm(value: Number) -> Number | None:
    """The natural logarithm; None for what has none (PS-117)."""
    return EXACT.ln(value) if value > 0 else None


def decimal_logarithm(value: Number) -> Number | None:
    """The logarithm to base ten; None for what has none (PS-117)."""
    return EXACT.log10(value) if value > 0 else None


def round_half(value: Number, decimals: int, rounding: str = ROUND_HALF_EVEN) -> Number:
    """Rounded as the language rounds: it is the double nearest to the value that decides where a tie is."""
    if isinstance(value, int):
        return value
    rounded = Decimal(float(value)).quantize(Decimal(1).scaleb(-decimals), rounding, _ROUND)
    return rounded if decimals else int(rounded)


def _modifiers(section: Section) -> list[Stage]:
    makers = {"mult": _times, "div": _over, "add": _plus}
    return [make(number) for key, make in makers.items() if (number := section.number(key)) is not None]


def _times(number: Number) -> Stage:
    return Stage(lambda value: multiply(value, number), lambda value: divide(value, number))


def _over(number: Number) -> Stage:
    return Stage(lambda value: divide(value, number), lambda value: multiply(value, number))


def _plus(number: Number) -> Stage:
    return Stage(lambda value: add(value, number), lambda value: subtract(value, number))


def _polynomial(section: Section) -> list[Stage]:
    items = section.items("polynomial")
    if items is None:
        return []
    factors = [section.as_number(item, "polynomial") for item in items]
    if not 1 <= len(factors) <= MAX_STAGES:
        raise section.error(f"1 to {MAX_STAGES} coefficients are expected", "polynomial")

    def apply(value: Number) -> Number:
        total: Number = 0
        for factor in factors:
            total = add(multiply(total, value), factor)
        return total

    return [Stage(apply, None)]


def _stage(section: Section) -> Stage:
    """One stage of `transform`: one operation, with what belongs to it (PS-452)."""
    if "op" in section:
        stage = _round(section)
    else:
        found = section.take_one(*_STAGES)
        if found is None:
            raise section.error(f"a stage is one of {', '.join(_STAGES)} or op: round")
        name, operand = found
        stage = _STAGES[name](section, name, operand)
    section.done()
    return stage


def _round(section: Section) -> Stage:
    section.word("op", "round")
    decimals = section.integer("decimals", 0, MAX_DECIMALS) or 0
    rounding = ROUND_HALF_UP if section.word("ties", "even", "away") == "away" else ROUND_HALF_EVEN
    return Stage(lambda value: round_half(value, decimals, rounding), _same)


def _same(value: Number) -> Number:
    return value


def _with_number(make: Callable[[Number], Stage]) -> Callable[[Section, str, Tree], Stage]:
    return lambda section, name, operand: make(section.as_number(operand, name))


def _with_true(stage: Stage) -> Callable[[Section, str, Tree], Stage]:
    def take(section: Section, name: str, operand: Tree) -> Stage:
        if operand is not True:
            raise section.error(f"true is expected, this is {describe(operand)}", name)
        return stage

    return take


def _power(section: Section, name: str, operand: Tree) -> Stage:
    exponent = section.as_number(operand, name)
    if not -MAX_POWER <= exponent <= MAX_POWER:
        raise section.error(f"an exponent is at most {MAX_POWER}", name)
    return Stage(lambda value: power(value, exponent), None)


def _clamp(section: Section, name: str, operand: Tree) -> Stage:
    bounds = [section.as_number(item, name) for item in section.as_list(operand, name)]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise section.error("two bounds are expected, the lower one first", name)
    low, high = bounds
    return Stage(lambda value: min(max(value, low), high), _same)


_STAGES: dict[str, Callable[[Section, str, Tree], Stage]] = {
    "mult": _with_number(_times),
    "div": _with_number(_over),
    "add": _with_number(_plus),
    "sqrt": _with_true(Stage(square_root, None)),
    "abs": _with_true(Stage(absolute, None)),
    "pow": _power,
    "log": _with_true(Stage(logarithm, None)),
    "log10": _with_true(Stage(decimal_logarithm, None)),
    "floor": _with_number(lambda number: Stage(lambda value: max(value, number), _same)),
    "ceiling": _with_number(lambda number: Stage(lambda value: min(value, number), _same)),
    "clamp": _clamp,
}
