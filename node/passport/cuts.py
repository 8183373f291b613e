"""What a statement that ends something or takes it over says of logs, and what a fold waits for to understand it.

A cut counts by roots: while a log is not here up to a size, its row counts nothing, and the passport is folded again
when the log gets there. A statement whose ground is missing waits for that entry likewise.
"""

from dataclasses import dataclass, replace

from federation import codec
from federation.authority import Kind
from federation.cut import Cut, CutRow
from federation.errors import CodecError
from node.passport.case import Case
from node.passport.statement import Statement

# Ends, and the acceptances by which something passes on.
CUT_KINDS = frozenset({Kind.END, Kind.PARTY, Kind.SHIPMENT})


@dataclass(frozen=True, slots=True, order=True)
class Awaited:
    """A place of a log that a passport waits for: the entry at it, or the log's size."""

    log: bytes
    at: int
    is_size: bool


def rows_of_cut(statement: Statement) -> tuple[CutRow, ...]:
    """The rows of its section `cut`; none where that is not here or breaks its form."""
    return read_rows(statement.sections.get("cut"))


def read_rows(raw: bytes | None) -> tuple[CutRow, ...]:
    """The rows of a section `cut`."""
    try:
        return Cut.from_value(codec.unpack(raw)).rows if raw is not None else ()
    except CodecError:
        return ()


def as_told(statement: Statement) -> Statement:
    """With its cut taken as it stands: where no log is at hand, as in a file, the writer of the file answers for it."""
    rows = rows_of_cut(statement) if statement.kind in CUT_KINDS else ()
    return replace(statement, cut=tuple((row.log, row.size) for row in rows)) if rows else statement


def awaited_by(case: Case) -> frozenset[Awaited]:
    """What a passport waits for; a root that is another one does not become right by waiting, and costs a row."""
    cutting = (statement for statement in case.told if statement.kind in CUT_KINDS)
    cuts = {
        Awaited(row.log, row.size, is_size=True)
        for statement in cutting
        for row in rows_of_cut(statement)
        if (row.log, row.size) not in statement.cut
    }
    here = case.places
    grounds = {
        Awaited(ref.log, ref.seq, is_size=False)
        for missing in case.pending.values()
        for ref in missing
        if ref not in here
    }
    return frozenset(cuts | grounds)
