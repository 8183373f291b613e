"""Taking over a peer's log, entry by entry, without I/O.

The mirror asks for ranges under a checkpoint that the log's own key signed; what a peer may not show comes as leaf
hashes. An entry whose leaf is not under the root stops the mirror at exactly that entry: everything before it is proven
by the leaves after it, and kept. A void entry is its author's fault: it is kept as void and the log goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from federation.checkpoint import Checkpoint
from federation.errors import EntryRefusedError, RemoteProtocolError, TransportError, VoidError
from federation.fragment import VERSION, Fragment, Header, check_sections, check_signature, decode_header
from federation.merkle import CompactRange
from federation.sync.messages import MAX_ENTRIES, Row


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry under the root: `header` None where void or hidden, `fragment` None where hidden."""

    seq: int
    leaf: bytes
    fragment: Fragment | None = None
    header: Header | None = None
    void: str | None = None


@dataclass(frozen=True, slots=True)
class NeedEntries:
    """Ask for rows start .. end of the log."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NeedLeaves:
    """Ask for the leaf hashes start .. end of the log: the rows that came are not under the root."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verified:
    """Entries that are proven; all up to the checkpoint, or all before the one that is refused."""

    entries: tuple[VerifiedEntry, ...]
    checkpoint: Checkpoint
    refused: EntryRefusedError | None = None


class Mirror:
    """One log of one peer, from what is held up to one checkpoint. Performs no I/O: the caller moves the bytes."""

    def __init__(self, log: bytes, sign_key: bytes, held: CompactRange, checkpoint: Checkpoint) -> None:
        """`checkpoint` must be verified; `held` is the compact range of the leaves that are stored."""
        if checkpoint.size < held.size:
            raise RemoteProtocolError(f"log {log.hex()}: the peer is at {checkpoint.size}, {held.size} are held")
        self._log = log
        self._sign_key = sign_key
        self._held = held
        self._checkpoint = checkpoint
        self._rows: list[Row] = []

    def next(self) -> NeedEntries | NeedLeaves | Verified:
        """What to ask for, or what is proven."""
        have = self._held.size + len(self._rows)
        if have < self._checkpoint.size:
            return NeedEntries(have, min(have + MAX_ENTRIES, self._checkpoint.size))
        leaves = [row if isinstance(row, bytes) else row.leaf for row in self._rows]
        if self._held.extend(leaves).root() != self._checkpoint.root:
            return NeedLeaves(self._held.size, self._checkpoint.size)
        return self._verify(self._rows, leaves)

    def receive_rows(self, rows: Sequence[Row]) -> None:
        """Take rows that follow what came before."""
        if not rows or self._held.size + len(self._rows) + len(rows) > self._checkpoint.size:
            raise RemoteProtocolError(f"log {self._log.hex()}: {len(rows)} rows where others were asked for")
        self._rows += rows

    def receive_leaves(self, leaves: Sequence[bytes]) -> Verified:
        """Compare rows with leaf hashes that are under the root; answer what is proven and the refusal."""
        if self._held.extend(leaves).root() != self._checkpoint.root:
            raise RemoteProtocolError(f"log {self._log.hex()}: neither entries nor leaves are under the checkpoint")
        for at, (row, leaf) in enumerate(zip(self._rows, leaves, strict=True)):
            if not isinstance(row, bytes) and row.leaf != leaf:
                good = self._verify(self._rows[:at], leaves[:at])
                return good if good.refused else replace(good, refused=self._refusal(self._held.size + at, row))
        raise RemoteProtocolError(f"log {self._log.hex()}: hidden leaves differ between two answers")

    def _verify(self, rows: Sequence[Row], leaves: Sequence[bytes]) -> Verified:
        entries: list[VerifiedEntry] = []
        for seq, (row, leaf) in enumerate(zip(rows, leaves, strict=True), self._held.size):
            try:
                entries.append(
                    VerifiedEntry(seq, leaf)
                    if isinstance(row, bytes)
                    else verify_entry(self._log, seq, row, self._sign_key, leaf)
                )
            except EntryRefusedError as error:
                return Verified(tuple(entries), self._checkpoint, error)
        return Verified(tuple(entries), self._checkpoint)

    def _refusal(self, seq: int, fragment: Fragment) -> EntryRefusedError:
        what = "its header or signature is not under the checkpoint's root"
        try:
            check_signature(fragment, self._sign_key)
        except VoidError:
            what = "its header or signature was altered: the signature does not hold and its leaf is not under the root"
        return EntryRefusedError(self._log, seq, fragment.id, what)


def verify_entry(log: bytes, seq: int, fragment: Fragment, sign_key: bytes, leaf: bytes) -> VerifiedEntry:
    """Judge a fragment whose leaf is proven; raise EntryRefusedError where a section is the sender's fault."""
    try:
        header = decode_header(fragment.header, log, seq)
        check_signature(fragment, sign_key)
    except VoidError as error:
        return VerifiedEntry(seq, leaf, Fragment(fragment.header, fragment.signature), None, str(error))
    if header.version > VERSION:
        # What a later version means by its sections is not known here: only what can be checked is kept.
        return VerifiedEntry(seq, leaf, Fragment(fragment.header, fragment.signature), header)
    try:
        check_sections(fragment, header)
    except TransportError as error:
        raise EntryRefusedError(log, seq, fragment.id, str(error)) from error
    return VerifiedEntry(seq, leaf, fragment, header)
