"""How many passports here use a code: own codes and types by their terms, other central codes by reading the views."""

import asyncio
import zlib
from collections.abc import Iterable, Mapping

from sqlalchemy import and_, func, select

from node.passport.shown import TYPE
from node.store import schema
from node.store.database import ReadTx
from node.store.passports import Term

OWN = "own"
# No text that somebody types begins so: a search by name never meets these terms.
MARK = "="
PAGE = 200


def own_term(catalog: str, code: str) -> Term:
    """The term under which the passports are found whose records use an own code."""
    return Term(OWN, f"{MARK}{catalog}{MARK}{code}")


async def read_own_terms(tx: ReadTx, subject: bytes) -> set[Term]:
    """The own codes that a passport's records use."""
    table = schema.terms.c
    rows = await tx.all(select(table.term).where(table.subject == subject, table.scheme == OWN))
    return {Term(OWN, row.term) for row in rows}


async def count_own_codes(tx: ReadTx, catalog: str) -> dict[str, int]:
    """How many passports use each own code of a catalog."""
    table, prefix = schema.terms.c, f"{MARK}{catalog}{MARK}"
    statement = (
        select(table.term, func.count().label("n"))
        .where(and_(table.scheme == OWN, table.term >= prefix, table.term < f"{MARK}{catalog}{chr(ord(MARK) + 1)}"))
        .group_by(table.term)
    )
    return {row.term.removeprefix(prefix): row.n for row in await tx.all(statement)}


async def count_types(tx: ReadTx) -> dict[str, int]:
    """How many passports are of each central type."""
    table = schema.terms.c
    statement = select(table.term, func.count().label("n")).where(table.scheme == TYPE).group_by(table.term)
    return {row.term: row.n for row in await tx.all(statement)}


async def count_in_views(tx: ReadTx, needles: Mapping[str, bytes]) -> dict[str, int]:
    """In how many views each of these pieces of JSON stands."""
    found = dict.fromkeys(needles, 0)
    table, after = schema.passports.c, b""
    while needles:
        statement = select(table.subject, table.view).where(table.subject == table.lead, table.subject > after)
        rows = await tx.all(statement.order_by(table.subject).limit(PAGE))
        for code, count in (await asyncio.to_thread(_count, [row.view for row in rows], needles)).items():
            found[code] += count
        if len(rows) < PAGE:
            break
        after = rows[-1].subject
    return found


def _count(views: Iterable[bytes], needles: Mapping[str, bytes]) -> dict[str, int]:
    unpacked = [zlib.decompress(view) for view in views if view]
    return {code: sum(needle in view for view in unpacked) for code, needle in needles.items()}
