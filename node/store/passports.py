"""Folded passports and the terms by which they are found. A projection: dropped and folded again at will."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import ColumnElement, LargeBinary, and_, bindparam, delete, func, literal, select, tuple_, update

from node.passport.kept import Kept, decode_kept, encode_kept
from node.passport.result_cards import ResultCard
from node.passport.run_views import RunCard
from node.passport.shown import TYPE
from node.passport.view import ROWS, Seal, View, load_view
from node.store import schema
from node.store.arshin import put_results
from node.store.database import ReadTx, Record, WriteTx
from node.store.runs import drop_runs, put_runs
from node.store.timelines import all_rows
from node.store.upserts import insert_new, upsert

PASSPORTS = "passports"  # what a transaction touches that writes one
_BLANK = zlib.compress(b"{}", 1)


@dataclass(frozen=True, slots=True)
class StoredPassport:
    """A view at rest: `lead` is the subject under which joined ones are shown; `view` is its JSON."""

    subject: bytes
    lead: bytes
    kind: str
    state: str
    title: str
    digest: bytes
    view: bytes
    changed_us: int
    seals: Mapping[str, Seal] = field(default_factory=dict)  # of the lists of rows that `view` leaves out

    @property
    def content(self) -> View:
        """The view as a value, without the lists that `seals` stand for."""
        return load_view(self.view)


@dataclass(frozen=True, slots=True)
class Term:
    """One way to find a subject."""

    scheme: str
    term: str


@dataclass(frozen=True, slots=True)
class NewPassport:
    """A view to be stored, the subjects that are joined in it and its terms.

    `kept` is of a long one, whose rows stand by themselves. `packed` is its view as it is stored, where whoever made it
    packed it. `runs` are the processes that it shows, `results` own results of verification.
    """

    passport: StoredPassport
    members: Collection[bytes] = ()
    terms: Collection[Term] = ()
    kept: Kept | None = None
    packed: bytes = b""
    runs: Collection[RunCard] = ()
    results: Collection[ResultCard] = ()

    @property
    def subjects(self) -> set[bytes]:
        """The joined subjects and the one that leads."""
        return {self.passport.subject, *self.members}


async def put_passport(
    tx: WriteTx, passport: StoredPassport, members: Collection[bytes], terms: Collection[Term]
) -> None:
    """Replace the view of one passport."""
    await put_passports(tx, [NewPassport(passport, members, terms)])


async def put_passports(tx: WriteTx, items: Sequence[NewPassport]) -> None:
    """Replace the views of passports, the pointers of their joined subjects, their terms, processes and own results."""
    await upsert(tx, schema.passports, await tx.aside(partial(_rows_of, items)))
    subjects = sorted(set[bytes]().union(*(item.subjects for item in items)))
    for start in range(0, len(subjects), 400):
        await tx.run(delete(schema.terms).where(schema.terms.c.subject.in_(subjects[start : start + 400])))
    await insert_new(tx, schema.terms, [row for item in items for row in _terms_of(item)])
    tx.touch(PASSPORTS)
    await put_runs(tx, {item.passport.subject: item.runs for item in items}, subjects)
    await put_results(tx, {item.passport.subject: item.results for item in items}, subjects)


def pack_view(view: bytes) -> bytes:
    """A view as it is stored."""
    return zlib.compress(view, 1)


def _rows_of(items: Iterable[NewPassport]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for item in items:
        passport, state = item.passport, encode_kept(item.kept) if item.kept else None
        packed = item.packed or pack_view(passport.view)
        rows += [
            {
                "subject": subject,
                "lead": passport.subject,
                "kind": passport.kind,
                "state": passport.state,
                "title": passport.title,
                "digest": passport.digest,
                "view": packed if subject == passport.subject else b"",
                "changed_us": passport.changed_us,
                "kept": state if subject == passport.subject else None,
            }
            for subject in sorted(item.subjects)
        ]
    return rows


def _terms_of(item: NewPassport) -> list[dict[str, object]]:
    found = {(term.term, term.scheme) for term in item.terms}
    # A name that is spelled as the code of the type does not take its place.
    by_term = dict(sorted(found, key=lambda item: (item[1] == TYPE, item)))
    return [{"term": text, "subject": item.passport.subject, "scheme": scheme} for text, scheme in by_term.items()]


async def drop_passports(tx: WriteTx, subjects: Iterable[bytes]) -> None:
    """Forget the passports of subjects of which nobody speaks any more, and the terms by which they were found."""
    wanted = sorted(set(subjects))
    for start in range(0, len(wanted), 400):
        part = wanted[start : start + 400]
        await tx.run(delete(schema.passports).where(schema.passports.c.subject.in_(part)))
        tx.touch(PASSPORTS)
        await tx.run(delete(schema.terms).where(schema.terms.c.subject.in_(part)))
    await drop_runs(tx, wanted)
    await put_results(tx, {}, wanted)


# Built once: building them costs more than running them.
_LEAD = select(schema.passports.c.lead).where(schema.passports.c.subject == bindparam("wanted")).scalar_subquery()
_LEADING = select(schema.passports).where(schema.passports.c.subject == _LEAD)
_VERSION = select(schema.passports.c.digest, schema.passports.c.changed_us).where(schema.passports.c.subject == _LEAD)


async def read_version(tx: ReadTx, subject: bytes) -> tuple[bytes, int] | None:
    """The digest of the passport of a subject and when it changed: what tells whether it is still the one known."""
    row = await tx.first(_VERSION, wanted=subject)
    return (row.digest, row.changed_us) if row else None


async def find_passport(tx: ReadTx, subject: bytes, *, whole: bool = True) -> StoredPassport | None:
    """The passport of a subject, of the one that leads where it is joined.

    Of a long one the view comes without its rows unless it is wanted `whole`: they are read by pages.
    """
    row = await tx.first(_LEADING, wanted=subject)
    if row is None:
        return None
    found = _passport(row)
    if row.kept is None:
        return found
    if whole:
        return await _whole(tx, found)
    state = decode_kept(row.kept)
    return replace(found, seals={"events": state.events.seal, "statements": state.statements.seal})


async def read_passports(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, StoredPassport]:
    """The whole passports of these subjects, each of the one that leads where it is joined."""
    leads = await read_leads(tx, subjects)
    wanted = sorted(set(leads.values()))
    found: dict[bytes, StoredPassport] = {}
    for at in range(0, len(wanted), 400):
        rows = await tx.all(select(schema.passports).where(schema.passports.c.subject.in_(wanted[at : at + 400])))
        for row in rows:
            found[row.subject] = _passport(row) if row.kept is None else await _whole(tx, _passport(row))
    return {subject: found[lead] for subject, lead in leads.items() if lead in found}


async def read_views(tx: ReadTx, leads: Iterable[bytes]) -> dict[bytes, bytes]:
    """The views of passports as JSON without long lists of rows, by the subjects that lead them."""
    wanted = sorted(set(leads))
    table = schema.passports.c
    found: dict[bytes, bytes] = {}
    for at in range(0, len(wanted), 400):
        few = and_(table.subject == table.lead, table.subject.in_(wanted[at : at + 400]))
        rows = await tx.all(select(table.subject, table.view).where(few))
        found |= {row.subject: zlib.decompress(row.view) for row in rows}
    return found


async def read_titles(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, str]:
    """What the passports of these subjects are called."""
    table = schema.passports.c
    wanted = sorted(set(subjects))
    found: dict[bytes, str] = {}
    for at in range(0, len(wanted), 400):
        rows = await tx.all(select(table.subject, table.title).where(table.subject.in_(wanted[at : at + 400])))
        found |= {row.subject: row.title for row in rows}
    return found


async def read_leads(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, bytes]:
    """Under which subject each of these is shown, where it is."""
    table = schema.passports.c
    wanted = sorted(set(subjects))
    found: dict[bytes, bytes] = {}
    for at in range(0, len(wanted), 400):
        rows = await tx.all(select(table.subject, table.lead).where(table.subject.in_(wanted[at : at + 400])))
        found |= {row.subject: row.lead for row in rows}
    return found


async def read_digests(tx: ReadTx, leads: Iterable[bytes]) -> dict[bytes, bytes]:
    """The digests of the passports that lead under these subjects."""
    table = schema.passports.c
    wanted = sorted(set(leads))
    found: dict[bytes, bytes] = {}
    for at in range(0, len(wanted), 400):
        leading = (table.subject.in_(wanted[at : at + 400]), table.subject == table.lead)
        found |= {row.subject: row.digest for row in await tx.all(select(table.subject, table.digest).where(*leading))}
    return found


async def read_members(tx: ReadTx, leads: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """The subjects that are shown under each of these."""
    table = schema.passports.c
    wanted = sorted(set(leads))
    found: dict[bytes, set[bytes]] = {}
    for at in range(0, len(wanted), 400):
        rows = await tx.all(select(table.subject, table.lead).where(table.lead.in_(wanted[at : at + 400])))
        for row in rows:
            found.setdefault(row.lead, set()).add(row.subject)
    return found


async def read_owners(tx: ReadTx, subjects: Iterable[bytes]) -> dict[bytes, str]:
    """Who owns each of these subjects by its passport's card, in hex; empty where nobody does, or several."""
    table, card = schema.passports.c, schema.cards.c
    wanted, found = sorted(set(subjects)), dict[bytes, str]()
    joined = schema.passports.join(schema.cards, card.subject == table.lead)
    for at in range(0, len(wanted), 400):
        few = table.subject.in_(wanted[at : at + 400])
        rows = await tx.all(select(table.subject, card.owner).select_from(joined).where(few))
        found |= {row.subject: row.owner for row in rows}
    return found


async def every_id(tx: ReadTx, subjects: Iterable[bytes]) -> list[bytes]:
    """These subjects, and all that are one passport with them here."""
    leads = await read_leads(tx, wanted := set(subjects))
    members = await read_members(tx, leads.values())
    return sorted(wanted.union(*members.values()))


async def list_subjects(tx: ReadTx, after: bytes = b"", limit: int = 500, until: bytes | None = None) -> list[bytes]:
    """Every subject that has a passport, up to `until` where it is given, a page at a time."""
    table = schema.passports.c
    statement = select(table.subject).where(table.subject > after)
    if until is not None:
        statement = statement.where(table.subject <= until)
    return [row.subject for row in await tx.all(statement.order_by(table.subject).limit(limit))]


async def count_subjects(tx: ReadTx) -> int:
    """How many subjects have a passport."""
    return int(await tx.value(select(func.count()).select_from(schema.passports)))


async def has_term(tx: ReadTx, subject: bytes, scheme: str, term: str) -> bool:
    """Whether a passport is found by that term."""
    table = schema.terms.c
    asked = select(table.scheme).where(table.term == term, table.subject == subject)
    return bool(await tx.value(asked) == scheme)


async def having_term(tx: ReadTx, subjects: Iterable[bytes], scheme: str, term: str) -> set[bytes]:
    """Those of these passports that are found by that term."""
    table, wanted = schema.terms.c, sorted(set(subjects))
    found: set[bytes] = set()
    for at in range(0, len(wanted), 400):
        named = (table.term == term, table.subject.in_(wanted[at : at + 400]), table.scheme == scheme)
        found |= {row.subject for row in await tx.all(select(table.subject).where(*named))}
    return found


async def find_terms(
    tx: ReadTx, term: str, scheme: str | None = None, limit: int = 50, after: bytes = b""
) -> list[tuple[bytes, str]]:
    """Subjects found by exactly that term, with the scheme it was found under; without a scheme, by any name."""
    table = schema.terms.c
    statement = select(table.subject, table.scheme).where(table.term == term, table.subject > after).limit(limit)
    statement = statement.where(table.scheme != TYPE if scheme is None else table.scheme == scheme)
    return [(row.subject, row.scheme) for row in await tx.all(statement.order_by(table.subject))]


async def subjects_of_scheme(tx: ReadTx, scheme: str) -> list[bytes]:
    """The subjects that have a name of a scheme."""
    table = schema.terms.c
    rows = await tx.all(select(table.subject).where(table.scheme == scheme).distinct().order_by(table.subject))
    return [row.subject for row in rows]


async def count_terms(tx: ReadTx, scheme: str) -> int:
    """How many names of a scheme there are."""
    table = schema.terms
    return int(await tx.value(select(func.count()).select_from(table).where(table.c.scheme == scheme)))


async def find_each(tx: ReadTx, scheme: str, terms: Iterable[str]) -> dict[str, list[bytes]]:
    """The subjects found by each of these terms under one scheme, in the order of their ids."""
    table = schema.terms.c
    wanted = sorted(set(terms))
    found: dict[str, list[bytes]] = {}
    for at in range(0, len(wanted), 400):
        statement = select(table.term, table.subject).where(
            table.term.in_(wanted[at : at + 400]), table.scheme == scheme
        )
        for row in await tx.all(statement.order_by(table.subject)):
            found.setdefault(row.term, []).append(row.subject)
    return found


async def terms_of_leads(tx: ReadTx, leads: Iterable[bytes]) -> list[tuple[str, str]]:
    """`(scheme, term)` of all terms of these passports."""
    table, wanted = schema.terms.c, sorted(set(leads))
    found: list[tuple[str, str]] = []
    for at in range(0, len(wanted), 400):
        rows = await tx.all(select(table.scheme, table.term).where(table.subject.in_(wanted[at : at + 400])))
        found += [(row.scheme, row.term) for row in rows]
    return found


async def page_terms(tx: ReadTx, after: tuple[str, bytes], limit: int) -> list[tuple[str, bytes, str]]:
    """`(term, subject, scheme)` of every term, in the order of the first two, after a place."""
    table, (term, subject) = schema.terms.c, after
    further = tuple_(table.term, table.subject) > tuple_(literal(term), literal(subject, LargeBinary))
    rows = await tx.all(select(schema.terms).where(further).order_by(table.term, table.subject).limit(limit))
    return [(row.term, row.subject, row.scheme) for row in rows]


async def find_subjects(tx: ReadTx, scheme: str, terms: Sequence[str], limit: int) -> list[bytes]:
    """Subjects found by any of these terms under one scheme, in the order of their ids."""
    table = schema.terms.c
    found: set[bytes] = set()
    for start in range(0, len(terms), 400):
        wanted = table.term.in_(terms[start : start + 400])
        statement = select(table.subject).where(wanted, table.scheme == scheme).order_by(table.subject).limit(limit)
        found |= {row.subject for row in await tx.all(statement)}
    return sorted(found)[:limit]


async def has_prefix(tx: ReadTx, scheme: str, prefix: str) -> bool:
    """Whether any term of a scheme begins so."""
    table = schema.terms.c
    statement = select(table.term).where(_begins(prefix), table.scheme == scheme).limit(1)
    return await tx.value(statement) is not None


async def read_leading(tx: ReadTx, after: bytes = b"", limit: int = 500) -> list[StoredPassport]:
    """The passports that lead, by subject, a page at a time, with all their rows."""
    table = schema.passports.c
    statement = select(schema.passports).where(table.subject > after, table.subject == table.lead)
    found = await tx.all(statement.order_by(table.subject).limit(limit))
    return [_passport(row) if row.kept is None else await _whole(tx, _passport(row)) for row in found]


async def blank_passports(tx: WriteTx) -> None:
    """Forget what passports say and keep of whom they are: another version of the fold wrote what stands there."""
    table = schema.passports
    await tx.run(update(table).where(table.c.subject == table.c.lead).values(view=_BLANK, digest=b"", kept=None))
    tx.touch(PASSPORTS)
    await tx.run(delete(schema.moments))


async def _whole(tx: ReadTx, passport: StoredPassport) -> StoredPassport:
    lists = [f'"{name}":[{",".join(await all_rows(tx, name, passport.lead))}]' for name in ROWS]
    return replace(passport, view=passport.view[:-1] + f",{','.join(lists)}}}".encode())


def _begins(prefix: str) -> ColumnElement[bool]:
    upper = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return and_(schema.terms.c.term >= prefix, schema.terms.c.term < upper)


def _passport(row: Record) -> StoredPassport:
    return StoredPassport(
        row.subject,
        row.lead,
        row.kind,
        row.state,
        row.title,
        row.digest,
        zlib.decompress(row.view) if row.view else b"",
        row.changed_us,
    )
