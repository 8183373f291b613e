"""Taking over a peer's log, part by part, without I/O.

Each part is proven by itself: up to its end under a checkpoint that the log's own key signed, or by a consistency path
from its end to that checkpoint. So what was taken stays, however long the log is. What a peer may not show comes as
leaf hashes, and as the hash of 256 of them where none of them is seen. An entry whose leaf is not under the root stops
the mirror at exactly that entry: everything before it is proven by the leaves after it, and kept. A void entry is its
author's fault: it is kept as void and the log goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from federation.checkpoint import Checkpoint
from federation.errors import EntryRefusedError, ProofError, RemoteProtocolError, TransportError, VoidError
from federation.fragment import VERSION, Fragment, Header, check_sections, check_signature, decode_header
from federation.merkle import CompactRange, verify_consistency
from federation.sync.messages import Part, Row, Span, Tile, placed_rows, width
from federation.tiles import WIDTH

Hash = bytes | Tile


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry under the root: `header` None where void."""

    seq: int
    fragment: Fragment
    header: Header | None = None
    void: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What is proven of a part: `hashes` continue the tree, `entries` are those of them that are seen.

    `refused` is the entry before which they end, if one is refused.
    """

    hashes: tuple[Hash, ...]
    entries: tuple[VerifiedEntry, ...]
    refused: EntryRefusedError | None = None

    @property
    def size(self) -> int:
        """How many entries the hashes stand for."""
        return sum(map(width, self.hashes))


@dataclass(frozen=True, slots=True)
class NeedLeaves:
    """Ask for the leaf hashes of a span: the rows that came are not under the root."""

    span: Span


class Mirror:
    """One part of one log of one peer. Performs no I/O: the caller moves the bytes."""

    def __init__(self, log: bytes, sign_key: bytes, held: CompactRange, checkpoint: Checkpoint) -> None:
        """`checkpoint` must be verified; `held` is the compact range of the leaves that are stored."""
        if checkpoint.size <= held.size:
            raise RemoteProtocolError(f"log {log.hex()}: the peer is at {checkpoint.size}, {held.size} are held")
        self._log = log
        self._sign_key = sign_key
        self._held = held
        self._checkpoint = checkpoint
        self._part = Part(log, held.size, ())

    @property
    def span(self) -> Span:
        """What to ask for."""
        return Span(self._log, self._held.size, self._checkpoint.size)

    def receive(self, part: Part) -> Verified | NeedLeaves:
        """Take the rows that follow what is held; raise RemoteProtocolError where others were asked for."""
        end = self._held.size + sum(map(width, part.rows))
        if not part.rows:
            raise RemoteProtocolError(f"log {self._log.hex()}: the peer cannot give what is at {self._held.size}")
        if (part.log, part.start) != (self._log, self._held.size) or end > self._checkpoint.size:
            raise RemoteProtocolError(f"log {self._log.hex()}: {len(part.rows)} rows where others were asked for")
        hashes = [_hash(row) for row in part.rows]
        if not self._is_under_root(hashes, part.path):
            self._part = part
            return NeedLeaves(Span(self._log, self._held.size, end))
        return self._verify(part.rows, hashes)

    def receive_leaves(self, leaves: Sequence[bytes]) -> Verified:
        """Compare the rows with leaf hashes that are under the root; answer what is proven and the refusal."""
        if not self._is_under_root(leaves, self._part.path):
            raise RemoteProtocolError(f"log {self._log.hex()}: neither entries nor leaves are under the checkpoint")
        rows, proven = self._part.rows, dict(enumerate(leaves, self._held.size))
        for at, (seq, row) in enumerate(placed_rows(self._part)):
            if isinstance(row, Fragment) and row.leaf != proven.get(seq):
                good = self._verify(rows[:at], list(leaves[: seq - self._held.size]))
                return good if good.refused else replace(good, refused=self._refusal(seq, row))
        raise RemoteProtocolError(f"log {self._log.hex()}: hidden leaves differ between two answers")

    def _is_under_root(self, hashes: Sequence[Hash], path: Sequence[bytes]) -> bool:
        grown = extended(self._held, hashes)
        try:
            verify_consistency(grown.size, grown.root(), self._checkpoint.size, self._checkpoint.root, path)
        except ProofError:
            return False
        return True

    def _verify(self, rows: Sequence[Row], hashes: Sequence[Hash]) -> Verified:
        entries: list[VerifiedEntry] = []
        for seq, row in placed_rows(Part(self._log, self._held.size, tuple(rows))):
            if not isinstance(row, Fragment):
                continue
            try:
                entries.append(verify_entry(self._log, seq, row, self._sign_key))
            except EntryRefusedError as error:
                return Verified(_before(hashes, seq - self._held.size), tuple(entries), error)
        return Verified(tuple(hashes), tuple(entries))

    def _refusal(self, seq: int, fragment: Fragment) -> EntryRefusedError:
        what = "its header or signature is not under the checkpoint's root"
        try:
            check_signature(fragment, self._sign_key)
        except VoidError:
            what = "its header or signature was altered: the signature does not hold and its leaf is not under the root"
        return EntryRefusedError(self._log, seq, fragment.id, what)


def extended(held: CompactRange, hashes: Sequence[Hash]) -> CompactRange:
    """A tree with leaves and whole tiles added; raise RemoteProtocolError for a tile that begins elsewhere."""
    for item in hashes:
        if not isinstance(item, Tile):
            held = held.extend([item])
        elif held.size % WIDTH:
            raise RemoteProtocolError(f"a tile begins at {held.size}, which is no multiple of {WIDTH}")
        else:
            held = held.extend_tile(item.hash, WIDTH)
    return held


def verify_entry(log: bytes, seq: int, fragment: Fragment, sign_key: bytes) -> VerifiedEntry:
    """Judge a fragment whose leaf is proven; raise EntryRefusedError where a section is the sender's fault."""
    try:
        header = decode_header(fragment.header, log, seq)
        check_signature(fragment, sign_key)
    except VoidError as error:
        return VerifiedEntry(seq, Fragment(fragment.header, fragment.signature), None, str(error))
    if header.version > VERSION:
        # What a later version means by its sections is not known here: only what can be checked is kept.
        return VerifiedEntry(seq, Fragment(fragment.header, fragment.signature), header)
    try:
        check_sections(fragment, header)
    except TransportError as error:
        raise EntryRefusedError(log, seq, fragment.id, str(error)) from error
    return VerifiedEntry(seq, fragment, header)


def _hash(row: Row) -> Hash:
    return row.leaf if isinstance(row, Fragment) else row


def _before(hashes: Sequence[Hash], count: int) -> tuple[Hash, ...]:
    """The hashes of the first `count` entries: no tile lies across their end, an entry that is seen stands there."""
    found: list[Hash] = []
    for item in hashes:
        if count < width(item):
            break
        count -= width(item)
        found.append(item)
    return tuple(found)
