"""Own results of verification, filed with the passports that show them, and the files for «Аршин» made of them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from node.passport.result_cards import ResultCard, ResultState
from node.store import schema
from node.store.database import ReadTx, Record, WriteTx
from node.store.errors import MissingError
from node.store.upserts import insert_all

PART = 400
_TABLE = schema.arshin_results
_ROW = schema.arshin_results.c


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result, the passport that shows it, the file that it stood in first, and when the register annulled it too."""

    card: ResultCard
    lead: bytes
    file: int | None
    settled_us: int | None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file for the register: when it was made, by whom, and of how many results; `content` is sealed."""

    id: int
    made_us: int
    actor: str
    results: int
    content: bytes


@dataclass(frozen=True, slots=True)
class ResultSift:
    """Which results: those that stand, of these only what waits for a file; or those that the register has wrongly."""

    is_gone: bool = False
    is_new: bool = False
    since_us: int | None = None


async def put_results(tx: WriteTx, cards: Mapping[bytes, Iterable[ResultCard]], subjects: Collection[bytes]) -> None:
    """File the results of passports by their leads, in place of what was filed under any of these subjects.

    One that stood in a file and is shown no more stays as void: the register still has it.
    """
    told = {card.ref: _row(lead, card) for lead, some in cards.items() for card in some}
    before = {row.ref: row for row in await _find(tx, _ROW.lead, subjects) + await _find(tx, _ROW.ref, told)}
    for ref, row in before.items():
        if ref in told:
            told[ref] |= {"file": row.file, "settled_us": row.settled_us}
        elif row.file is not None:
            told[ref] = {**row._mapping, "state": ResultState.VOID.value}
    wanted = sorted(before)
    for start in range(0, len(wanted), PART):
        await tx.run(delete(_TABLE).where(_ROW.ref.in_(wanted[start : start + PART])))
    await insert_all(tx, _TABLE, [*told.values()])


async def list_results(
    tx: ReadTx, sift: ResultSift, limit: int, before: tuple[int, str] | None = None
) -> list[StoredResult]:
    """The last results, newest first, before a (time, place of the protocol)."""
    statement = select(_TABLE).where(*_conditions(sift)).order_by(_ROW.occurred_us.desc(), _ROW.ref.desc())
    if before is not None:
        earlier = (_ROW.occurred_us == before[0]) & (_ROW.ref < before[1])
        statement = statement.where(or_(_ROW.occurred_us < before[0], earlier))
    return [_stored(row) for row in await tx.all(statement.limit(limit))]


async def oldest_results(tx: ReadTx, sift: ResultSift, limit: int) -> list[StoredResult]:
    """The first results, oldest first."""
    statement = select(_TABLE).where(*_conditions(sift)).order_by(_ROW.occurred_us, _ROW.ref).limit(limit)
    return [_stored(row) for row in await tx.all(statement)]


async def count_results(tx: ReadTx, sift: ResultSift) -> int:
    """How many there are."""
    return int(await tx.value(select(func.count()).select_from(_TABLE).where(*_conditions(sift))))


async def get_result(tx: ReadTx, ref: str) -> StoredResult:
    """One result by the place of its protocol; raise MissingError."""
    row = await tx.first(select(_TABLE).where(_ROW.ref == ref))
    if row is None:
        raise MissingError(f"no own result of verification is {ref}")
    return _stored(row)


async def note_file(tx: WriteTx, actor: str, content: bytes, refs: Collection[str]) -> int:
    """Keep a file with the results that it holds; a result that was in an earlier file stays noted with that one."""
    made = {"made_us": tx.now, "actor": actor, "results": len(refs), "content": content}
    await tx.run(insert(schema.arshin_files).values(**made))
    number = int(await tx.value(select(func.max(schema.arshin_files.c.id))))
    wanted = sorted(refs)
    for start in range(0, len(wanted), PART):
        part = _ROW.ref.in_(wanted[start : start + PART])
        await tx.run(update(_TABLE).where(part, _ROW.file.is_(None)).values(file=number))
    return number


async def list_files(tx: ReadTx, limit: int, before: int | None = None) -> list[MadeFile]:
    """The last files, newest first, below a number."""
    table = schema.arshin_files
    statement = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_file(row) for row in await tx.all(statement)]


async def get_file(tx: ReadTx, number: int) -> MadeFile:
    """One file; raise MissingError, also where its content was erased."""
    row = await tx.first(select(schema.arshin_files).where(schema.arshin_files.c.id == number))
    if row is not None and not row.content:
        raise MissingError(f"file {number} held personal data that was erased, and was forgotten")
    if row is None:
        raise MissingError(f"no file {number} was made here")
    return _file(row)


async def blank_files(tx: WriteTx, tells: Callable[[bytes], bool]) -> int:
    """Forget the content of files where it tells something; how many."""
    table, count = schema.arshin_files, 0
    for row in await tx.all(select(table.c.id, table.c.content).where(func.length(table.c.content) > 0)):
        if tells(row.content):
            await tx.run(update(table).where(table.c.id == row.id).values(content=b""))
            count += 1
    return count


async def settle_result(tx: WriteTx, ref: str) -> None:
    """The register annulled a result too."""
    await tx.run(update(_TABLE).where(_ROW.ref == ref).values(settled_us=tx.now))


async def _find(tx: ReadTx, column: ColumnElement[object], wanted: Iterable[object]) -> list[Record]:
    values: list[object] = [*wanted]
    found: list[Record] = []
    for start in range(0, len(values), PART):
        found += await tx.all(select(_TABLE).where(column.in_(values[start : start + PART])))
    return found


def _conditions(sift: ResultSift) -> list[ColumnElement[bool]]:
    stands = ResultState.STANDS.value
    found: list[ColumnElement[bool]] = []
    if sift.is_gone:
        others = [state.value for state in ResultState if state.value != stands]
        found += [_ROW.state.in_(others), _ROW.file.is_not(None), _ROW.settled_us.is_(None)]
    else:
        found += [_ROW.state == stands, *([_ROW.file.is_(None)] if sift.is_new else [])]
    return found if sift.since_us is None else [*found, _ROW.occurred_us >= sift.since_us]


def _row(lead: bytes, card: ResultCard) -> dict[str, object]:
    told = asdict(card)
    occurred = told.pop("occurred")
    return {**told, "state": card.state.value, "occurred_us": occurred, "lead": lead, "file": None, "settled_us": None}


def _stored(row: Record) -> StoredResult:
    card = ResultCard(row.ref, row.occurred_us, row.serial, row.number, ResultState(row.state))
    return StoredResult(card, row.lead, row.file, row.settled_us)


def _file(row: Record) -> MadeFile:
    return MadeFile(row.id, row.made_us, row.actor, row.results, row.content)
