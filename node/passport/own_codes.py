"""Codes of an organisation's own catalogs: what it says they mean, and what was said of them before.

An own code is accepted before anybody knows it. It may be given a name, be bound to a central code, be bound to another
one later, or to none again: the newest statement counts, and those before it stay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from federation.authority import Kind
from federation.fragment import Ref
from node.passport.bodies import CatalogReference, ReferencesBody
from node.passport.errors import PassportError
from node.passport.statement import Statement

ONE, MANY = "reference", "references"


@dataclass(frozen=True, slots=True)
class OwnCode:
    """What a statement says of an own code: its name, and the central code that it means, where it means one."""

    catalog: str
    local: str
    central: str | None
    name: str | None
    ref: Ref
    occurred: int


def read_own_codes(statement: Statement) -> Iterator[OwnCode]:
    """The own codes that a statement speaks of; nothing for sections that break their shape."""
    if statement.kind != Kind.CATALOG:
        return
    ref, occurred = statement.ref, statement.occurred
    if (raw := statement.sections.get(ONE)) is not None:
        try:
            one = CatalogReference.from_bytes(raw)
        except (PassportError, ValueError):  # a lone surrogate is a ValueError of the JSON encoder
            return
        yield OwnCode(one.catalog, one.local, one.central, one.local_name, ref, occurred)
    elif (raw := statement.sections.get(MANY)) is not None:
        try:
            many = _read_many(raw)
        except (PassportError, ValueError):
            return
        for row in many.rows:
            yield OwnCode(many.catalog, row.local, row.central, row.name, ref, occurred)


@lru_cache(maxsize=512)  # read once: a world is built anew with every publication
def _read_many(raw: bytes) -> ReferencesBody:
    return ReferencesBody.from_bytes(raw)


def history_of(statements: Iterable[Statement], catalog: str, local: str) -> list[OwnCode]:
    """What was said of one own code by these statements of one organisation, oldest first."""
    ordered = sorted(statements, key=lambda statement: statement.order)
    return [c for statement in ordered for c in read_own_codes(statement) if (c.catalog, c.local) == (catalog, local)]


def before(statements: Iterable[Statement], undone: Ref) -> Mapping[tuple[str, str], OwnCode | None]:
    """What each code of a statement meant before it: (catalog, local) to the last word on it, None where none was."""
    ordered = sorted(statements, key=lambda statement: statement.order)
    known: dict[tuple[str, str], OwnCode] = {}
    for statement in ordered:
        codes = list(read_own_codes(statement))
        if statement.ref == undone:
            return {(code.catalog, code.local): known.get((code.catalog, code.local)) for code in codes}
        known |= {(code.catalog, code.local): code for code in codes}
    return {}
