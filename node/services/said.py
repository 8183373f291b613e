"""What an import said: the places of its statements, noted in the transaction that says them."""

from collections.abc import Sequence
from dataclasses import dataclass

from federation import codec
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.settings import find_setting, set_setting

SAID = "said:"
MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """Entries of one log that follow each other; `end` is excluded."""

    log: bytes
    first: int
    end: int

    def holds(self, log: bytes, seq: int) -> bool:
        """Whether a place lies inside."""
        return self.log == log and self.first <= seq < self.end


async def note_said(tx: WriteTx, job_id: str, entries: Sequence[NewEntry]) -> None:
    """Add entries of one append, which follow each other, to what a job said."""
    if not entries or (header := entries[0].header) is None:
        return
    added = Span(header.log, entries[0].seq, entries[-1].seq + 1)
    spans = await read_said(tx, job_id) or []
    if spans and (spans[-1].log, spans[-1].end) == (added.log, added.first):
        spans[-1] = Span(added.log, spans[-1].first, added.end)
    else:
        spans.append(added)
    await _put(tx, job_id, spans)


async def read_said(tx: ReadTx, job_id: str) -> list[Span] | None:
    """What a job said, oldest first; None where nothing was noted of it, empty where all was taken back."""
    raw = await find_setting(tx, SAID + job_id)
    if raw is None:
        return None
    rows = codec.array(codec.unpack(raw, MOST), None, "spans", most=MOST)
    return [_span(row) for row in rows]


async def forget_said(tx: WriteTx, job_id: str) -> None:
    """All that a job said was taken back."""
    await _put(tx, job_id, [])


async def _put(tx: WriteTx, job_id: str, spans: Sequence[Span]) -> None:
    packed: codec.Value = [[span.log, span.first, span.end] for span in spans]
    await set_setting(tx, SAID + job_id, codec.pack(packed))


def _span(row: codec.Value) -> Span:
    log, first, end = codec.array(row, 3, "span")
    return Span(codec.binary(log, 16, "log"), codec.uint(first, "first"), codec.uint(end, "end"))
