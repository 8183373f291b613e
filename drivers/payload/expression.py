"""The language's legacy formulas, as `($raw - 4000) / 100`: a small parser of its own, compiled to closures.

`x` is the field's own number, `$name` a value decoded earlier. Operators as in C: `? :`, `||`, `&&`, comparisons,
`+ - * / %`, `**`; functions abs, sqrt, pow, log, log10, min, max, round, floor, ceil. Nothing else can be named.
"""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from drivers.errors import DocumentError
from drivers.payload import arithmetic
from drivers.payload.values import Number, as_number

MAX_LENGTH = 500
MAX_DEPTH = 24
MAX_DIGITS = 40
Names = Mapping[str, object]
Formula = Callable[[Names, Number | None], Number | None]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0x[0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?)"
    r"|(?P<reference>\$[A-Za-z_][A-Za-z0-9_.]*)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|&&|\|\||[-+*/%()<>?:,]))"
)
_BINARY: tuple[dict[str, Callable[[Number, Number], Number | None]], ...] = (
    {"||": lambda a, b: int(bool(a) or bool(b))},
    {"&&": lambda a, b: int(bool(a) and bool(b))},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        "<=": lambda a, b: int(a <= b),
        ">": lambda a, b: int(a > b),
        ">=": lambda a, b: int(a >= b),
    },
    {"+": arithmetic.add, "-": arithmetic.subtract},
    {"*": arithmetic.multiply, "/": arithmetic.divide, "%": arithmetic.remainder},
)
_FUNCTIONS: dict[str, tuple[int, Callable[..., Number | None]]] = {
    "abs": (1, arithmetic.absolute),
    "sqrt": (1, arithmetic.square_root),
    "log": (1, arithmetic.logarithm),
    "log10": (1, arithmetic.decimal_logarithm),
    "round": (1, lambda value: arithmetic.round_half(value, 0)),
    "floor": (1, lambda value: int(Decimal(value).to_integral_value(ROUND_FLOOR))),
    "ceil": (1, lambda value: int(Decimal(value).to_integral_value(ROUND_CEILING))),
    "pow": (2, arithmetic.power),
    "min": (2, min),
    "max": (2, max),
}


def parse_formula(text: str) -> tuple[Formula, frozenset[str]]:
    """The formula and the names it refers to; raise DocumentError naming the place in it."""
    parser = _Parser(text)
    formula = parser.whole()

    def evaluate(names: Names, own: Number | None) -> Number | None:
        try:
            return formula(names, own)
        except ArithmeticError:
            return None

    return evaluate, frozenset(parser.names)


class _Parser:
    """Recursive descent, one method a level of binding; depth is bounded."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise DocumentError(f"a formula is at most {MAX_LENGTH} characters, this is {len(text)}")
        self._text = text
        self._at = 0
        self._depth = 0
        self.names: set[str] = set()
        self._next()

    def whole(self) -> Formula:
        formula = self._choice()
        if self._kind != "end":
            raise self._error("an operator is expected")
        return formula

    def _next(self) -> None:
        if not self._text[self._at :].strip():
            self._kind, self._word = "end", ""
            return
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self._error("no token of a formula")
        self._kind, self._word = str(match.lastgroup), match[match.lastgroup or 0]
        self._at = match.end()

    def _error(self, rule: str) -> DocumentError:
        return DocumentError(f"formula {self._text!r} at {self._at}: {rule}")

    def _accept(self, *signs: str) -> str | None:
        if self._kind == "sign" and self._word in signs:
            sign = self._word
            self._next()
            return sign
        return None

    def _expect(self, sign: str) -> None:
        if self._accept(sign) is None:
            raise self._error(f"{sign!r} is expected")

    def _choice(self) -> Formula:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"nesting is at most {MAX_DEPTH} deep")
        condition = self._binary(0)
        if self._accept("?"):
            yes = self._choice()
            self._expect(":")
            no = self._choice()
            condition = _choose(condition, yes, no)
        self._depth -= 1
        return condition

    def _binary(self, level: int) -> Formula:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while (sign := self._accept(*_BINARY[level])) is not None:
            left = _apply(_BINARY[level][sign], left, self._binary(level + 1))
        return left

    def _unary(self) -> Formula:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"nesting is at most {MAX_DEPTH} deep")
        sign = self._accept("-", "+")
        formula = self._unary() if sign else self._power()
        self._depth -= 1
        return _apply(arithmetic.subtract, _constant(0), formula) if sign == "-" else formula

    def _power(self) -> Formula:
        base = self._atom()
        if self._accept("**"):
            return _apply(arithmetic.power, base, self._unary())
        return base

    def _atom(self) -> Formula:
        kind, word = self._kind, self._word
        if kind == "number" and len(word) <= MAX_DIGITS:
            self._next()
            return _constant(int(word, 16) if word.startswith("0x") else _number(word))
        if kind == "reference":
            self._next()
            self.names.add(word[1:])
            return _reference(word[1:])
        if kind == "word":
            self._next()
            return self._own(word)
        if self._accept("("):
            formula = self._choice()
            self._expect(")")
            return formula
        raise self._error("a number, $name, x, function or parenthesis is expected")

    def _own(self, word: str) -> Formula:
        if word == "x":
            return _own_number
        if word not in _FUNCTIONS:
            raise self._error(f"{word} is no function; a value is ${word}")
        count, function = _FUNCTIONS[word]
        self._expect("(")
        arguments = [self._choice()]
        while self._accept(","):
            arguments.append(self._choice())
        self._expect(")")
        if len(arguments) != count:
            raise self._error(f"{word} takes {count} arguments, here are {len(arguments)}")
        return _apply(function, *arguments)


def _own_number(_names: Names, own: Number | None) -> Number | None:
    return own


def _number(word: str) -> Number:
    return int(word) if word.isdigit() else Decimal(word)


def _constant(value: Number) -> Formula:
    return lambda _names, _own: value


def _reference(name: str) -> Formula:
    return lambda names, _own: as_number(names.get(name))


def _choose(condition: Formula, yes: Formula, no: Formula) -> Formula:
    def evaluate(names: Names, own: Number | None) -> Number | None:
        value = condition(names, own)
        return None if value is None else (yes if value else no)(names, own)

    return evaluate


def _apply(function: Callable[..., Number | None], *arguments: Formula) -> Formula:
    def evaluate(names: Names, own: Number | None) -> Number | None:
        values = [argument(names, own) for argument in arguments]
        return None if None in values else function(*values)

    return evaluate
