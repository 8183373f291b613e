"""Closings: of each month of readings that somebody closed, what he signed of it, the latest month first.

Readings stay with whoever observes them; what is signed is a root over them. Who closes a month again because it is
another one now refs what he said before: both stand, and everybody sees that it was closed twice and why.
"""

from federation.authority import Kind
from node.passport.bodies import ClosingBody
from node.passport.case import Case
from node.passport.merge import standing_of
from node.passport.ranks import FactClass
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.view import Plain


def closings_view(case: Case) -> list[Plain]:
    """Every closing by whoever it is, what replaced it, and whether its author may observe the thing."""
    found = [
        (reading.statement, body)
        for reading in case.spoken
        if reading.statement.kind == Kind.CLOSING and (body := reading.body("closing", ClosingBody))
    ]
    ordered = sorted(found, key=lambda item: item[0].order)
    ordered.sort(key=lambda item: item[1].month, reverse=True)
    last = {(statement.org, body.month): statement for statement, body in ordered}
    return [_row(case, statement, body, last[statement.org, body.month]) for statement, body in ordered]


def _row(case: Case, statement: Statement, body: ClosingBody, last: Statement) -> Plain:
    return {
        "ref": ref_text(statement.ref),
        "by": statement.org.hex(),
        "month": body.month,
        "count": body.count,
        "series": len(body.series),
        "recorded": statement.stamp,
        "standing": standing_of(case.rank(FactClass.OBSERVATION, statement)).value,
        "reason": body.reason,
        "replaced_by": None if last is statement else ref_text(last.ref),
    }
