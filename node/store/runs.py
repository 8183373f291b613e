"""Processes that run: filed with the passports that show them, listed by who has to act and until when."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, or_, select

from node.passport.run_views import RunCard
from node.passport.runs import RunState
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.upserts import upsert

_RUNS = schema.runs.c


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run, the subject of its passport and what that is called."""

    card: RunCard
    lead: bytes
    title: str


@dataclass(frozen=True, slots=True)
class RunSift:
    """Which runs: every condition that is given has to hold.

    `org` has to act (empty bytes: nobody has the role), `party` has to act or is the owner; `before_us`: due earlier.
    """

    is_open: bool = True
    org: bytes | None = None
    owner: bytes | None = None
    party: bytes | None = None
    code: str | None = None
    step: str | None = None
    number: str | None = None
    before_us: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """How many open steps an organisation has, and how many of them are overdue."""

    org: bytes
    open: int
    overdue: int


async def put_runs(tx: WriteTx, runs: Mapping[bytes, Iterable[RunCard]], subjects: Collection[bytes]) -> None:
    """File the runs of passports by their leads, in place of what was filed under any of these subjects."""
    await drop_runs(tx, subjects)
    rows = [_row(lead, card) for lead, cards in runs.items() for card in cards]
    await upsert(tx, schema.runs, rows)


async def drop_runs(tx: WriteTx, subjects: Collection[bytes]) -> None:
    """Forget the runs that are filed under these subjects."""
    wanted = sorted(subjects)
    for start in range(0, len(wanted), 400):
        await tx.run(delete(schema.runs).where(_RUNS.lead.in_(wanted[start : start + 400])))


async def list_runs(
    tx: ReadTx, sift: RunSift, after: tuple[int, bytes] | None = None, limit: int = 50
) -> Sequence[StoredRun]:
    """Open ones by their term, ended ones by their end, the last first; after a (key, id) place."""
    key = _RUNS.due_us if sift.is_open else -_RUNS.since_us
    statement = _joined(_conditions(sift))
    if after is not None:
        # Spelled out: a comparison of rows is not looked up by the index where the first is an expression.
        statement = statement.where(or_(key > after[0], and_(key == after[0], _RUNS.id > after[1])))
    return [_stored(row) for row in await tx.all(statement.order_by(key, _RUNS.id).limit(limit))]


async def find_run(tx: ReadTx, run: bytes) -> StoredRun | None:
    """A run by its id."""
    row = await tx.first(_joined([_RUNS.id == run]))
    return None if row is None else _stored(row)


async def count_runs(tx: ReadTx, sift: RunSift) -> int:
    """How many there are."""
    return int(await tx.value(select(func.count()).select_from(schema.runs).where(*_conditions(sift))))


async def count_steps(tx: ReadTx, sift: RunSift) -> dict[str, int]:
    """How many there are at each step."""
    statement = select(_RUNS.step, func.count().label("n")).where(*_conditions(sift)).group_by(_RUNS.step)
    return {row.step: int(row.n) for row in await tx.all(statement)}


async def count_loads(tx: ReadTx, now: int) -> list[Load]:
    """Who has how many open steps, and how many overdue ones."""
    overdue = func.sum(case((_RUNS.due_us < now, 1), else_=0))
    statement = (
        select(_RUNS.org, func.count().label("n"), overdue.label("overdue"))
        .where(_RUNS.is_open == 1)
        .group_by(_RUNS.org)
        .order_by(_RUNS.org)
    )
    return [Load(row.org, int(row.n), int(row.overdue)) for row in await tx.all(statement)]


async def due_between(tx: ReadTx, since: int, until: int, limit: int) -> Sequence[StoredRun]:
    """Open runs of which a step became overdue in a time, `until` excluded."""
    conditions = [_RUNS.is_open == 1, _RUNS.due_us >= since, _RUNS.due_us < until]
    return [_stored(row) for row in await tx.all(_joined(conditions).order_by(_RUNS.due_us, _RUNS.id).limit(limit))]


async def leads_by_procedure(tx: ReadTx, digests: Iterable[str]) -> set[bytes]:
    """The passports that show runs of these procedures."""
    wanted = sorted(set(digests))
    found: set[bytes] = set()
    for start in range(0, len(wanted), 400):
        statement = select(_RUNS.lead).where(_RUNS.procedure.in_(wanted[start : start + 400])).distinct()
        found |= {row.lead for row in await tx.all(statement)}
    return found


def _joined(conditions: Sequence[ColumnElement[bool]]) -> Select[tuple[object, ...]]:
    titles = schema.passports.c
    return (
        select(schema.runs, titles.title)
        .join(schema.passports, titles.subject == _RUNS.lead, isouter=True)
        .where(*conditions)
    )


def _conditions(sift: RunSift) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_RUNS.is_open == int(sift.is_open)]
    equal = {
        _RUNS.org: sift.org,
        _RUNS.owner: sift.owner,
        _RUNS.code: sift.code,
        _RUNS.step: sift.step,
        _RUNS.number: sift.number,
    }
    found += [column == value for column, value in equal.items() if value is not None]
    if sift.party is not None:
        found.append(or_(_RUNS.org == sift.party, _RUNS.owner == sift.party))
    if sift.before_us is not None:
        found.append(_RUNS.due_us < sift.before_us)
    return found


def _row(lead: bytes, card: RunCard) -> dict[str, object]:
    return {
        "id": card.id,
        "lead": lead,
        "procedure": card.procedure,
        "code": card.code,
        "state": card.state.value,
        "is_open": int(card.state.is_open),
        "number": card.number,
        "about": card.about,
        "owner": card.owner,
        "opened_us": card.opened_us,
        "step": card.step,
        "org": card.org,
        "since_us": card.since_us,
        "due_us": card.due_us,
    }


def _stored(row: Record) -> StoredRun:
    card = RunCard(
        row.id,
        row.procedure,
        row.code,
        RunState(row.state),
        row.number,
        row.about,
        row.owner,
        row.opened_us,
        row.step,
        row.org,
        row.since_us,
        row.due_us,
    )
    return StoredRun(card, row.lead, row.title or "")
