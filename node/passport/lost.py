"""Statements that are here and do not count, as lists of statements show them: in their place, with the reason.

They are no part of the view: which of them a node has depends on which branch of a forked log it met first, and two
nodes with the same evidence show the same passport.
"""

from federation.counting import Counted
from node.passport.fold import said_view
from node.passport.papers import correction_view, sections_view, system_of
from node.passport.reading import read
from node.passport.references import parse_ref
from node.passport.shown import text
from node.passport.statement import Statement
from node.passport.view import Plain

Order = tuple[int, bytes, int]


def lost_view(statement: Statement, counted: Counted) -> dict[str, Plain]:
    """A statement that does not count, as a row beside those that do; `lost` says why, and how much of its log does."""
    reading = read(statement)
    return {
        **said_view(statement),
        "routed": False,
        "pending": False,
        "sections": sections_view(reading),
        "correction": correction_view(reading),
        "system": system_of(reading),
        "withdrawn": None,
        "ended_by": None,
        "faults": [*reading.faults],
        "lost": {
            "why": counted.loss.value if counted.loss else "",
            "cut": counted.size,
            "log": statement.ref.log.hex(),
        },
    }


def order_of(row: dict[str, Plain]) -> Order:
    """Where a row of the list of statements stands in it."""
    ref, stamp = parse_ref(text(row, "ref")), row["stamp"]
    return (stamp if isinstance(stamp, int) else 0, ref.log, ref.seq)
