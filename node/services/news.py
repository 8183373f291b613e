"""What a node that asks for news is told at once: root chains, logs, checkpoints and proofs of forks."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from federation.log import LogStatement
from federation.statements import RootStatement
from node.services import answers
from node.store.changes import Change, Changed
from node.store.database import ReadTx
from node.store.forks import read_proofs
from node.store.logs import StoredLog, list_logs
from node.store.organisations import read_statements

ITEM_OVERHEAD = 16


@dataclass(slots=True)
class News:
    """What the first `count` changes are; `size` bytes."""

    count: int = 0
    size: int = 0
    chains: list[tuple[RootStatement, ...]] = field(default_factory=list)
    logs: list[LogStatement] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    forks: list[bytes] = field(default_factory=list)


async def news_of(tx: ReadTx, changes: Iterable[Change]) -> News:
    """As many changes as fit into one answer, one at least: the longest chain fits alone."""
    news, logs = News(), {log.log: log for log in await list_logs(tx)}
    for change in changes:
        log = logs.get(change.key)
        chain: tuple[RootStatement, ...] = ()
        if change.what is Changed.CHAIN:
            chain = tuple((await read_statements(tx, change.key)).get(change.key, ()))
        # Of each log the proof of the smallest place: it leaves the least, and the others leave more.
        proofs = (await read_proofs(tx, [change.key])).get(change.key, [])[:1] if change.what is Changed.FORK else []
        statements = [log.statement] if log is not None and change.what is Changed.LOG else []
        notes = [note] if log is not None and change.what is Changed.NOTE and (note := _note(log)) else []
        envelopes = [each.envelope() for each in chain] + [each.envelope() for each in statements]
        parts = envelopes + notes + proofs
        size = sum(ITEM_OVERHEAD + len(part) for part in parts)
        if news.count and news.size + size > answers.MOST_TOLD:
            break
        news.count, news.size = news.count + 1, news.size + size
        news.chains += [chain] if chain else []
        news.logs += statements
        news.notes += notes
        news.forks += proofs
    return news


def _note(log: StoredLog) -> bytes | None:
    return log.note if log.stopped is None else None
