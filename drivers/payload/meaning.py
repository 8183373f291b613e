"""What is done to a number after it is read: formula, arithmetic, the valid range, labels; and all of it backwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import eq, ge, gt, le, lt, ne

from drivers.errors import DocumentError, EncodeError
from drivers.payload.arithmetic import Chain, take_chain, take_modifiers
from drivers.payload.cursor import Sink, Source
from drivers.payload.expression import Formula, parse_formula
from drivers.payload.labels import Table, take_lookup
from drivers.payload.reference import Declared
from drivers.payload.section import Section
from drivers.payload.values import Given, Number, Value, as_number, format_value

_TESTS: dict[str, Callable[[Number, Number], bool]] = {"<=": le, ">=": ge, "==": eq, "!=": ne, "<": lt, ">": gt}


@dataclass(frozen=True, slots=True)
class Range:
    """The bounds a value is expected in; one outside is left out where `omit`, else only told of."""

    low: Number
    high: Number
    omit: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """Arithmetic for numbers of one range, of the early language's `match_value`."""

    test: Callable[[Number, Number], bool]
    bound: Number
    chain: Chain


@dataclass(frozen=True, slots=True)
class Meaning:
    """The steps from the number on the wire to the value put out."""

    formula: Formula | None
    inverse: Formula | None
    branches: tuple[Branch, ...]
    chain: Chain | None
    bounds: Range | None
    table: Table | None

    def value(self, source: Source, name: str, number: Number) -> Value | None:
        """The value that is meant, or None where it is left out; raise FrameError."""
        found: Number | None = number
        if self.formula is not None:
            found = self.formula(source.names, number)
        if self.branches and found is not None:
            found = self._branch(found)
        if self.chain is not None and found is not None:
            found = self.chain.apply(found)
        if found is None:
            return None
        if self.bounds is not None and not self.bounds.low <= found <= self.bounds.high:
            source.warnings.append(
                f"{name}: value {format_value(found)} outside valid range"
                f" [{format_value(self.bounds.low)}, {format_value(self.bounds.high)}]"
            )
            source.outside.add(name)
            if self.bounds.omit:
                return None
        return found if self.table is None else self.table.label(found)

    def number(self, sink: Sink, value: Given) -> Number:
        """The number to put on the wire, not yet rounded; raise EncodeError."""
        number = self.table.number(value) if self.table is not None else as_number(value)
        if number is None:
            raise EncodeError(f"{value!r} is no number")
        if self.chain is not None:
            number = self.chain.undo(number)
        if self.branches:
            raise EncodeError(f"{format_value(number)} cannot be traced back through match_value")
        if self.formula is not None:
            found = None if self.inverse is None else self.inverse(sink.names, number)
            if found is None:
                raise EncodeError(f"{format_value(number)} cannot be traced back through a formula")
            number = found
        return number

    def without_formula(self) -> "Meaning":
        """The steps after a formula."""
        return replace(self, formula=None, inverse=None)

    def _branch(self, number: Number) -> Number | None:
        for branch in self.branches:
            if branch.test(number, branch.bound):
                return branch.chain.apply(number)
        return number


def take_meaning(section: Section, declared: Declared) -> Meaning | None:
    """The steps a field describes, or None where the number is the value; raise DocumentError."""
    meaning = Meaning(
        _formula(section, "formula", declared),
        _formula(section, "encode_formula", declared),
        tuple(_branch(item) for item in section.sections("match_value")),
        take_chain(section),
        _bounds(section),
        take_lookup(section),
    )
    if meaning.inverse is not None and meaning.formula is None:
        raise section.error("encode_formula goes with a formula")
    return meaning if any(step is not None and step != () for step in _steps(meaning)) else None


def with_table(meaning: Meaning | None, table: Table) -> Meaning:
    """The same steps with the labels of an enum last."""
    if meaning is None:
        return Meaning(None, None, (), None, None, table)
    return replace(meaning, table=table)


def _steps(meaning: Meaning) -> tuple[object, ...]:
    return (meaning.formula, meaning.branches, meaning.chain, meaning.bounds, meaning.table)


def _formula(section: Section, key: str, declared: Declared) -> Formula | None:
    tree = section.take(key)
    if tree is None:
        return None
    if not isinstance(tree, str):
        raise section.error("a formula is a text", key)
    try:
        formula, names = parse_formula(tree)
    except DocumentError as error:
        raise section.error(str(error), key) from error
    for name in names:
        declared.refer(name, section.at(key))
    return formula


def _bounds(section: Section) -> Range | None:
    items = section.items("valid_range")
    omit = section.word("out_of_range", "flag", "omit") == "omit"
    if items is None:
        if omit:
            raise section.error("out_of_range goes with a valid_range")
        return None
    bounds = [section.as_number(item, "valid_range") for item in items]
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise section.error("two bounds are expected, the lower one first", "valid_range")
    return Range(bounds[0], bounds[1], omit)


def _branch(section: Section) -> Branch:
    when = (section.text("when") or "").strip()
    sign = next((sign for sign in _TESTS if when.startswith(sign)), None)
    if sign is None:
        raise section.error(f"a comparison with one of {' '.join(_TESTS)} is expected", "when")
    try:
        bound = int(when[len(sign) :].strip(), 0)
    except ValueError:
        raise section.error("a comparison is with an integer", "when") from None
    chain = take_modifiers(section)
    section.done()
    return Branch(_TESTS[sign], bound, chain)
