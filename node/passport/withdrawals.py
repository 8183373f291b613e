"""Withdrawals: an organisation takes back what it said itself. What is taken back counts as not said.

A statement of kind 23 names in its refs what it withdraws. It takes effect on statements of the same organisation of
the kinds below whose subjects it all names, so that whoever folds one of them has both; one that names parties or
further subjects (section `authority`) is not taken back so. It is not itself withdrawn: what was meant after all is
said anew. The bytes of both stay, and views show them beside the others.
"""

from collections.abc import Iterable, Mapping, Sequence

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import WithdrawalBody
from node.passport.errors import BodyError
from node.passport.statement import Statement

SECTION = "withdrawal"
MOST_REFS = 16  # of a header
# Acts with other parties, documents and words about identity end by statements of their own.
WITHDRAWABLE = frozenset({Kind.IDENTITY, Kind.ALIAS, Kind.EVENT, Kind.PARAMETER, Kind.COMPOSITION})

Withdrawn = Mapping[Ref, Statement]


def find_withdrawn(statements: Iterable[Statement]) -> dict[Ref, Statement]:
    """The statements that are taken back, by place, each with the first withdrawal of it by (stamp, log, seq)."""
    said = statements if isinstance(statements, Sequence) else list(statements)
    words = sorted((s for s in said if s.kind == Kind.WITHDRAWAL), key=lambda s: s.order)
    if not words:
        return {}
    here = {s.ref: s for s in said}
    found: dict[Ref, Statement] = {}
    for word in words:
        for ref in word.refs:
            if (target := here.get(ref)) is not None and _takes_back(word, target):
                found.setdefault(ref, word)
    return found


def standing(statements: Iterable[Statement]) -> list[Statement]:
    """The statements that nobody took back, withdrawals among them."""
    said = list(statements)
    withdrawn = find_withdrawn(said)
    return [s for s in said if s.ref not in withdrawn] if withdrawn else said


def reason_of(withdrawal: Statement) -> str | None:
    """Why something was taken back, None where that may not be read or is no text."""
    raw = withdrawal.sections.get(SECTION)
    try:
        return WithdrawalBody.from_bytes(raw).reason if raw is not None else None
    except (BodyError, ValueError, RecursionError):
        return None


def _takes_back(word: Statement, target: Statement) -> bool:
    is_own = word.org == target.org and target.kind in WITHDRAWABLE
    names_parties = "authority" in target.sections or any(name == "authority" for name, _ in target.withheld)
    return is_own and not names_parties and set(target.subjects) <= set(word.subjects)
