"""Checking the store against its own proofs: every root statement, log, leaf, section, signature, checkpoint and root.

What is damaged is named and the check goes on with the rest. What the store must have:

- of each organisation, the chain of root statements without a gap, every one under its hash and its signature;
- of an own log, every entry, and every section that a header commits to unless it was erased. That holds for what came
  back from a peer too: what did not come back is lost, and named here;
- of a section that was erased, a row without salt and bytes, of class personal, and none of its chunks; nothing else
  stands empty, and nothing stands that an erasure named which took effect;
- of a mirrored log, all leaves up to its size, under every checkpoint that is stored; of 256 of which it sees none
  their root may stand for them. Entries and sections that this
  node may not see were never given, and nothing tells one of these from one that was lost: they are no finding. But an
  entry that was here has left its mentions, and mostly sections: where these name it, its absence is one.

What is made from this (passports, terms, the mentions by which entries are found) is not looked at for its own sake.
"""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from federation import tiles
from federation.checkpoint import Checkpoint, parse_note, verify_checkpoint
from federation.errors import CheckpointError, CodecError, StatementError, VoidError
from federation.fragment import (
    Fragment,
    Header,
    check_signature,
    commitment,
    decode_header,
)
from federation.keys import key_id
from federation.log import Head
from federation.merkle import HASH_SIZE, CompactRange
from federation.sync.messages import Tile, width
from federation.sync.mirror import Hash, extended
from node.errors import KeystoreError
from node.services.core import Core
from node.services.fsck_chains import Finding, NodeKeys, check_root_statements
from node.services.fsck_erased import check_erased, chunks_left, read_erased
from node.store.database import ReadTx
from node.store.fragments import (
    ERASED,
    SEALED,
    STORED,
    StoredFragment,
    StoredSection,
    count_places,
    entries_between,
    lost_places,
)
from node.store.logs import StoredCheckpoint, StoredLog, checkpoints_between, list_logs, lost_numbers
from node.store.organisations import read_root_rows
from node.store.trees import count_leaves, read_leaves_at, read_tile_roots, read_upper_tiles

CHUNK = 4 * tiles.WIDTH
END = 2**63 - 1  # no place lies past it: SQLite's greatest number


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the check is, and what it found since the last one."""

    done: int
    total: int
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Reading:
    """A log that is being read: `extent` is how much of it is stored, `tree` None once a leaf of it is not known.

    `gone` are the sections that were erased, by place and name, each with whether that is in effect still.
    """

    log: StoredLog
    extent: int
    sign_key: bytes | None
    gone: Mapping[int, Mapping[str, bool]]
    tree: CompactRange | None = field(default_factory=CompactRange)
    hashes: dict[tiles.Place, bytes] = field(default_factory=dict)
    newest: StoredCheckpoint | None = None

    def find(self, what: str, seq: int | None = None, entry: bytes | None = None) -> Finding:
        """A finding about the log, or about one entry of it."""
        return _about(self.log, what, seq, entry)


class Fsck:
    """Reads the whole store once."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self) -> AsyncIterator[Progress]:
        """Check chain by chain, then log by log, a thousand entries at a time; raise nothing for what is damaged."""
        found = check_head(self._core.folder.head)
        async with self._core.database.read() as tx:
            logs = await list_logs(tx)
            extents = [await _extent(tx, log) for log in logs]
            rows, gone = await read_root_rows(tx), await read_erased(tx)
        wrong, node_keys = check_root_statements(rows)
        total, done = sum(extents), 0
        yield Progress(done, total, tuple(found + wrong))
        for log, extent in zip(logs, extents, strict=True):
            sign_key, found = self._check_statement(log, node_keys)
            reading = _Reading(log, extent, sign_key, gone.of(log.log))
            yield Progress(done, total, tuple(found))
            for start in range(0, extent, CHUNK):
                end = min(start + CHUNK, extent)
                found = await self._check_chunk(reading, start, end)
                done += end - start
                yield Progress(done, total, tuple(found))
            yield Progress(done, total, tuple(await self._check_end(reading)))
        yield Progress(done, total, tuple(await self._check_lost(logs)))

    def _check_statement(self, log: StoredLog, node_keys: NodeKeys) -> tuple[bytes | None, list[Finding]]:
        """The key that signs a log, where it is known, and what is wrong with the log's own statement."""
        stated = node_keys.get((log.org, log.node), ())
        is_own = (log.org, log.node) == (self._core.org, self._core.node)
        keys = [*stated, self._core.keystore.sign.public] if is_own else stated
        try:
            statement = log.statement
            named = next((key for key in keys if key_id(key) == statement.sign_key_id), None)
            if named is not None:
                statement.check_signed_by(named)
        except StatementError as error:
            return next(iter(keys), None), [_about(log, f"the log statement was altered: {error}")]
        if (statement.log_id, statement.org, statement.node) != (log.log, log.org, log.node):
            what = "the log statement was altered: it is of another log, organisation or node"
            return next(iter(keys), None), [_about(log, what)]
        if named not in stated:
            what = f"organisation {log.org.hex()} has no root statement with the key of its node {log.node.hex()}"
            return named, [_about(log, what)]
        return named, []

    async def _check_chunk(self, reading: _Reading, start: int, end: int) -> list[Finding]:
        log, found = reading.log, list[Finding]()
        with _naming_unread(found, _log_name(log.log), f"what stands at {start} .. {end - 1}"):
            async with self._core.database.read() as tx:
                leaves = await read_leaves_at(tx, log.no, range(start, end))
                roots = {} if log.own else await read_tile_roots(tx, log.no, start, end)
                entries = await entries_between(tx, log.no, start, end)
                notes = await checkpoints_between(tx, log.no, start, end)
        if found:
            reading.tree = None
            return found
        whole = {seq: leaf for seq, leaf in leaves.items() if len(leaf) == HASH_SIZE}
        for seq, entry in sorted(entries.items()):
            entry_id = entry.to_fragment().id
            found += [reading.find(what, seq, entry_id) for what in self._check_entry(reading, entry, whole.get(seq))]
        missing = [seq for seq in range(start, end) if log.own and seq not in entries]
        found += [reading.find("an own entry is missing", seq) for seq in missing]
        for seq in {*entries, *leaves}:
            roots.pop(seq // tiles.WIDTH, None)
        gaps = [seq for seq in range(start, end) if seq not in whole and seq // tiles.WIDTH not in roots]
        if gaps:
            found.append(reading.find(f"the tree lacks its leaf and those of {len(gaps) - 1} after it", gaps[0]))
            whole |= {seq: entries[seq].to_fragment().leaf for seq in gaps if seq in entries}
        return found + _grow(reading, _hashes(start, end, whole, roots), notes)

    def _check_entry(self, reading: _Reading, entry: StoredFragment, leaf: bytes | None) -> list[str]:
        fragment = Fragment(entry.header, entry.signature)
        found: list[str] = []
        header: Header | None = None
        try:
            header = decode_header(entry.header, entry.log, entry.seq)
        except VoidError as error:
            if entry.void is None:
                found.append(f"the header was altered: {error}")
        if leaf is not None and fragment.leaf != leaf:
            blamed = _blame(fragment, reading.sign_key)
            found.append(f"{blamed} was altered: its leaf is not the one in the tree")
        elif header is not None and reading.sign_key is not None:
            holds = partial(_holds, fragment, reading.sign_key)
            if entry.void is not None and holds():
                found.append("it is kept as void, and its header and signature hold")
            # Every other signature stands under a checkpoint, which is what proves it here.
            if entry.void is None and (leaf is None or entry.seq >= reading.log.note_size) and not holds():
                found.append("the signature does not hold")
        if header is not None and not found:
            found += self._check_sections(header, entry.sections, is_own=reading.log.own and entry.void is None)
            found += check_erased(header, entry.sections, reading.gone.get(entry.seq, {}))
        return found

    def _check_sections(self, header: Header, sections: Sequence[StoredSection], *, is_own: bool) -> Iterator[str]:
        for section in sections:
            if what := self._check_section(header, section):
                yield what
        here = {section.name for section in sections}
        if is_own:
            yield from (f"section {head.name} is missing" for head in header.sections if head.name not in here)

    def _check_section(self, header: Header, section: StoredSection) -> str | None:
        head = header.section(section.name)
        if head is None:
            return f"section {section.name} is not in the header"
        if header.sections.index(head) != section.position:
            return f"section {section.name} stands at another position than in the header"
        if section.form == ERASED or (section.form == SEALED and section.salt is None):
            return None
        if section.form == SEALED:
            return f"section {section.name} was altered: it is sealed, and has a salt"
        if section.salt is None:
            return f"section {section.name} was altered: it has no salt, and is not erased"
        data = section.data
        if section.form == STORED:
            try:
                data = self._core.keystore.vault.open(data)
            except KeystoreError:
                return f"section {section.name} was altered: it does not open"
        if commitment(header.log, section.name, section.salt, data) != head.commitment:
            return f"section {section.name} was altered: it is not under its commitment"
        return None

    async def _check_end(self, reading: _Reading) -> list[Finding]:
        """What follows from the whole of a log: its size, the tiles above its leaves, and its newest checkpoint."""
        log, found = reading.log, list[Finding]()
        with _naming_unread(found, _log_name(log.log), "the tree or its checkpoints"):
            async with self._core.database.read() as tx:
                places = max(await count_leaves(tx, log.no), await count_places(tx, log.no))
                upper = await read_upper_tiles(tx, log.no)
                later = await checkpoints_between(tx, log.no, reading.extent, END)
        if found:
            return found
        if places != log.size:
            found.append(reading.find(f"it is of size {log.size}, and what is stored of size {places}"))
        elif reading.tree is not None:
            found += [reading.find(what) for what in _differing_tiles(reading.hashes, upper)]
        for note in later:
            found += _judge(reading, note)
            found.append(reading.find(f"the checkpoint of size {note.size} is of more than is stored"))
        return found + _check_newest(reading)

    async def _check_lost(self, logs: Sequence[StoredLog]) -> list[Finding]:
        """Logs and entries that are named where they no longer are; entries of own logs are found already."""
        found: list[Finding] = []
        by_number, by_id = {log.no: log for log in logs}, {log.log: log for log in logs}
        numbers: list[int] = []
        places: list[tuple[int, int]] = []
        left: list[tuple[bytes, int, str]] = []
        with _naming_unread(found, "store", "a table"):
            async with self._core.database.read() as tx:
                numbers, places, left = await lost_numbers(tx), await lost_places(tx), await chunks_left(tx)
        found += [Finding(f"log number {no}", None, None, "a log that was here is missing") for no in numbers]
        found += [
            _about(by_id[log], f"chunks of section {name} stand, which was erased", seq) for log, seq, name in left
        ]
        for no, seq in places:
            log = by_number.get(no)
            if log is None:
                found.append(Finding(f"log number {no}", seq, None, "an entry is named of a log that is not known"))
            elif not log.own or seq >= log.size:
                found.append(_about(log, "an entry that was here is missing", seq))
        return found


def check_head(path: Path) -> list[Finding]:
    """What is wrong with the head file, where there is one."""
    try:
        Head.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Finding(f"file {path}", None, None, f"it cannot be read: {error.strerror}")]
    except CodecError as error:
        what = f"it was altered ({error}): the next start opens a new log, and nothing of the old one is lost"
        return [Finding(f"file {path}", None, None, what)]
    return []


async def _extent(tx: ReadTx, log: StoredLog) -> int:
    """How far a log is read: as far as anything is stored, and no further than its size."""
    return min(log.size, max(await count_leaves(tx, log.no), await count_places(tx, log.no)))


def _hashes(start: int, end: int, leaves: Mapping[int, bytes], roots: Mapping[int, bytes]) -> list[Hash | None]:
    """What continues the tree: leaves, None where one is lost, and the roots of tiles of which none is known."""
    found: list[Hash | None] = []
    for seq in range(start, end):
        root = roots.get(seq // tiles.WIDTH)
        if root is None:
            found.append(leaves.get(seq))
        elif seq % tiles.WIDTH == 0:
            found.append(Tile(root))
    return found


def _grow(reading: _Reading, hashes: Sequence[Hash | None], notes: Sequence[StoredCheckpoint]) -> list[Finding]:
    """Take hashes into the tree, and compare it with the checkpoints at whose sizes it comes by."""
    known = [item for item in hashes if item is not None]
    found: list[Finding] = []
    if reading.tree is None or len(known) != len(hashes):
        reading.tree = None
        for note in notes:
            found += _judge(reading, note)
        return found
    start = size = reading.tree.size
    for is_tile, items in itertools.groupby(known, lambda item: isinstance(item, Tile)):
        run = [item.hash if isinstance(item, Tile) else item for item in items]
        reading.hashes |= tiles.append_leaves(reading.hashes, size, run, int(is_tile))
        size += len(run) * (tiles.WIDTH if is_tile else 1)
    # Of the leaves themselves only the last tile is needed further on.
    full = [(level, n) for level, n in reading.hashes if level == 0 and n != size >> tiles.HEIGHT]
    for place in full:
        del reading.hashes[place]
    left = iter(known)
    item = next(left, None)
    for note in _with_newest(reading.log, notes, start, size):
        while item is not None and reading.tree.size + width(item) <= note.size:
            reading.tree = extended(reading.tree, [item])
            item = next(left, None)
        found += _judge(reading, note)
    reading.tree = extended(reading.tree, [*([] if item is None else [item]), *left])
    return found


def _with_newest(log: StoredLog, notes: Sequence[StoredCheckpoint], start: int, end: int) -> Iterator[StoredCheckpoint]:
    """The checkpoints of a stretch, by size, and the log's own copy of the newest where it is not one of them."""
    copy = StoredCheckpoint(log.note_size, None, log.note or b"")
    named = [copy] if log.note is not None and start < log.note_size <= end else []
    yield from sorted(
        [*notes, *(n for n in named if n.note not in {note.note for note in notes})], key=lambda n: n.size
    )


def _judge(reading: _Reading, note: StoredCheckpoint) -> list[Finding]:
    """What is wrong with a checkpoint; its root is compared where the tree is of that size."""
    if note.root is not None:
        reading.newest = note
    try:
        checkpoint = _checkpoint(note.note, reading)
    except CheckpointError as error:
        return [reading.find(f"the checkpoint of size {note.size} was altered: {error}")]
    if checkpoint.size != note.size:
        return [reading.find(f"the checkpoint of size {note.size} was altered: its note is of size {checkpoint.size}")]
    found: list[Finding] = []
    if note.root not in (None, checkpoint.root):
        found.append(reading.find(f"the checkpoint of size {note.size} was altered: its root is not the one signed"))
    tree = reading.tree
    if tree is not None and tree.size == note.size and tree.root() != checkpoint.root:
        found.append(reading.find(f"the tree has another root than the checkpoint of size {note.size}"))
    return found


def _checkpoint(note: bytes, reading: _Reading) -> Checkpoint:
    if reading.sign_key is None:
        return parse_note(note)[0]
    return verify_checkpoint(note, reading.log.log, reading.sign_key)


def _check_newest(reading: _Reading) -> list[Finding]:
    """Whether the log names the newest of its checkpoints."""
    stored = reading.newest.size if reading.newest else 0
    if stored != reading.log.note_size:
        what = f"its newest checkpoint is of size {reading.log.note_size}, the newest that is stored of size {stored}"
        return [reading.find(what)]
    if stored and reading.log.note is None:
        return [reading.find("its newest checkpoint is missing")]
    return []


def _differing_tiles(expected: Mapping[tiles.Place, bytes], stored: Mapping[tiles.Place, bytes]) -> Iterator[str]:
    above = {place: tile for place, tile in expected.items() if place[0] > 0}
    for place in sorted(above.keys() | stored.keys()):
        if above.get(place) != stored.get(place):
            state = "altered: it is not over the leaves" if place in stored else "lost"
            yield f"tile {place[1]} of level {place[0]} of the tree was {state}"


def _blame(fragment: Fragment, sign_key: bytes | None) -> str:
    if sign_key is None:
        return "the header or the signature"
    if _holds(fragment, sign_key):
        return "the tree or the signature (it holds)"
    return "the header or the signature (it does not hold)"


def _holds(fragment: Fragment, sign_key: bytes) -> bool:
    try:
        check_signature(fragment, sign_key)
    except VoidError:
        return False
    return True


@contextmanager
def _naming_unread(found: list[Finding], where: str, what: str) -> Iterator[None]:
    """Make a finding of what the database itself cannot read."""
    try:
        yield
    except DBAPIError as error:
        found.append(Finding(where, None, None, f"{what} cannot be read: {error.orig}"))


def _about(log: StoredLog, what: str, seq: int | None = None, entry: bytes | None = None) -> Finding:
    return Finding(_log_name(log.log), seq, entry, what)


def _log_name(log: bytes) -> str:
    return f"log {log.hex()}"
