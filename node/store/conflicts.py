"""Passports about which a person has to decide something, by the terms that their views leave."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, distinct, func, select, tuple_

from node.passport.shown import CONFLICT, conflict_term
from node.store import schema
from node.store.database import ReadTx
from node.store.passports import StoredPassport, find_passport


async def list_conflicts(
    tx: ReadTx, why: str | None = None, after: tuple[str, bytes] | None = None, limit: int = 50
) -> Sequence[StoredPassport]:
    """Passports with a conflict of that kind, or of any, by (title, subject) after a place."""
    table = schema.passports.c
    marked = select(schema.terms.c.subject).where(_is_conflict(why))
    statement = select(table.subject).where(table.subject == table.lead, table.subject.in_(marked))
    if after is not None:
        statement = statement.where(tuple_(table.title, table.subject) > after)
    rows = await tx.all(statement.order_by(table.title, table.subject).limit(limit))
    found = [await find_passport(tx, row.subject) for row in rows]
    return [passport for passport in found if passport is not None]


async def count_conflicts(tx: ReadTx) -> dict[str, int]:
    """How many passports have a conflict of each kind."""
    table = schema.terms.c
    statement = select(table.term, func.count().label("n")).where(_is_conflict(None)).group_by(table.term)
    return {str(row.term).removeprefix(conflict_term("")): row.n for row in await tx.all(statement)}


async def count_conflicting(tx: ReadTx) -> int:
    """How many passports have a conflict of any kind."""
    found: int | None = await tx.value(select(func.count(distinct(schema.terms.c.subject))).where(_is_conflict(None)))
    return found or 0


def _is_conflict(why: str | None) -> ColumnElement[bool]:
    table, first = schema.terms.c, conflict_term("")
    if why is not None:
        return and_(table.term == conflict_term(why), table.scheme == CONFLICT)
    # A range over the key: the scheme alone has no index.
    past = first[:-1] + chr(ord(first[-1]) + 1)
    return and_(table.term >= first, table.term < past, table.scheme == CONFLICT)
