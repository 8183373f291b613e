"""What a package may be used under: SPDX licence expressions, and texts of licences that are refused.

`choices` reads a whole expression and answers every way to comply with it: a set of licences that hold together. A
package is allowed if one of the ways needs allowed licences only. An unknown licence is no allowed one.
"""

import re
from collections.abc import Iterable

ALLOWED = frozenset(
    """0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 HPND ISC MIT MIT-0 MIT-CMU MPL-2.0 PSF-2.0 Python-2.0
    Unicode-3.0 Unicode-DFS-2016 Unlicense Zlib""".lower().split()
)
LESSER_ID = re.compile(r"lgpl-(2\.0|2\.1|3\.0)(-only|-or-later|\+)?")
LESSER_TEXT = re.compile(r"LESSER GENERAL PUBLIC|LIBRARY GENERAL PUBLIC|\bLGPL", re.IGNORECASE)
# A licence's own title: the lesser one names the others in its text, and many texts say that they fit the GPL.
REFUSED_TEXT = re.compile(
    r"^[\s*#=]*(?:GNU (?:AFFERO )?GENERAL PUBLIC LICENSE|Business Source License|Server Side Public License)"
    r"(?:,? (?:v|version )?[\d.]+)?[\s*#=]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9][A-Za-z0-9.:-]*\+?)")
_OPERATORS = ("AND", "OR", "WITH", "(", ")")

Choices = frozenset[frozenset[str]]


class ExpressionError(Exception):
    """The text is no licence expression."""


def choices(expression: str) -> Choices:
    """Every way to comply, each as the licences that it needs (in lower case); raise ExpressionError."""
    tokens = _tokens(expression)
    found = _either(tokens)
    if tokens:
        raise ExpressionError(f"{expression!r}: {tokens[-1]!r} is left over")
    return found


def is_allowed(expression: str, *, lesser: bool = False) -> bool:
    """Whether one of the ways to comply needs allowed licences only; the LGPL is one of them if `lesser`."""
    return any(all(_is_allowed_id(name, lesser) for name in way) for way in choices(expression))


def needs_lesser(expression: str) -> bool:
    """Whether it is allowed by the LGPL alone."""
    return not is_allowed(expression) and is_allowed(expression, lesser=True)


def all_of(expressions: Iterable[str]) -> str:
    """One expression for several that hold together."""
    return " AND ".join(f"({expression})" for expression in expressions)


def _is_allowed_id(name: str, lesser: bool) -> bool:
    # An exception only adds to what its licence permits.
    licence = name.partition(" with ")[0]
    return licence.removesuffix("+") in ALLOWED or (lesser and LESSER_ID.fullmatch(licence) is not None)


def _tokens(expression: str) -> list[str]:
    """The words and brackets, last first."""
    tokens, at, text = [], 0, expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(f"{expression!r}: {text[at:]!r} is no licence")
        tokens.append(found[1])
        at = found.end()
    return tokens[::-1]


def _either(tokens: list[str]) -> Choices:
    found = _both(tokens)
    while _take(tokens, "OR"):
        found |= _both(tokens)
    return found


def _both(tokens: list[str]) -> Choices:
    found = _one(tokens)
    while _take(tokens, "AND"):
        more = _one(tokens)
        found = frozenset(left | right for left in found for right in more)
    return found


def _one(tokens: list[str]) -> Choices:
    if _take(tokens, "("):
        found = _either(tokens)
        if not _take(tokens, ")"):
            raise ExpressionError("a bracket is not closed")
        return found
    name = _name(tokens)
    if _take(tokens, "WITH"):
        name += f" with {_name(tokens)}"
    return frozenset([frozenset([name])])


def _take(tokens: list[str], word: str) -> bool:
    if tokens and tokens[-1].upper() == word:
        tokens.pop()
        return True
    return False


def _name(tokens: list[str]) -> str:
    if not tokens or tokens[-1].upper() in _OPERATORS:
        raise ExpressionError(f"a licence was expected, not {tokens[-1] if tokens else 'the end'}")
    return tokens.pop().lower()
