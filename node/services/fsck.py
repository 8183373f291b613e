"""Checking the store against its own proofs: every leaf, section, signature and root."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from federation.checkpoint import verify_checkpoint
from federation.errors import CheckpointError, VoidError
from federation.fragment import Fragment, Header, check_signature, commitment, decode_header
from federation.merkle import CompactRange
from node.errors import KeystoreError
from node.services.core import Core
from node.store.database import ReadTx
from node.store.fragments import SEALED, STORED, StoredFragment, StoredSection, entries_between
from node.store.logs import StoredLog, list_logs
from node.store.organisations import find_sign_key
from node.store.trees import read_leaves

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed; seq and id None where the whole log is meant."""

    log: bytes
    seq: int | None
    id: bytes | None
    what: str

    def __str__(self) -> str:
        place = "" if self.seq is None else f" seq {self.seq} id {self.id.hex() if self.id else '?'}"
        return f"log {self.log.hex()}{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the check is, and what it found since the last one."""

    done: int
    total: int
    findings: tuple[Finding, ...]


class Fsck:
    """Reads the whole store once."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self) -> AsyncIterator[Progress]:
        """Check log by log, a thousand entries at a time."""
        async with self._core.database.read() as tx:
            logs = await list_logs(tx)
        total, done = sum(log.size for log in logs), 0
        for log in logs:
            tree = CompactRange()
            for start in range(0, log.size, CHUNK):
                end = min(start + CHUNK, log.size)
                async with self._core.database.read() as tx:
                    leaves = await read_leaves(tx, log.no, start, end)
                    found = await self._check_entries(tx, log, start, end, leaves)
                tree = tree.extend(leaves)
                done += end - start
                yield Progress(done, total, tuple(found))
            yield Progress(done, total, tuple(await self._check_root(log, tree)))

    async def _check_entries(
        self, tx: ReadTx, log: StoredLog, start: int, end: int, leaves: list[bytes]
    ) -> list[Finding]:
        sign_key = await find_sign_key(tx, log)
        entries = await entries_between(tx, log.no, start, end)
        findings: list[Finding] = []
        for seq, entry in sorted(entries.items()):
            leaf = leaves[seq - start] if seq - start < len(leaves) else b""
            for what in self._check_entry(entry, leaf, sign_key):
                findings.append(Finding(log.log, seq, entry.to_fragment().id, what))
        missing = [seq for seq in range(start, end) if log.own and seq not in entries]
        return findings + [Finding(log.log, seq, None, "an own entry is missing") for seq in missing]

    def _check_entry(self, entry: StoredFragment, leaf: bytes, sign_key: bytes | None) -> list[str]:
        fragment = Fragment(entry.header, entry.signature)
        found: list[str] = []
        header: Header | None = None
        try:
            header = decode_header(entry.header, entry.log, entry.seq)
        except VoidError as error:
            if entry.void is None:
                found.append(f"the header was altered: {error}")
        if fragment.leaf != leaf:
            found.append(f"{self._blame(fragment, sign_key)} was altered: its leaf is not the one in the tree")
        if header is not None and not found:
            found += [what for section in entry.sections if (what := self._check_section(header, section))]
        return found

    def _blame(self, fragment: Fragment, sign_key: bytes | None) -> str:
        if sign_key is None:
            return "the header or the signature"
        try:
            check_signature(fragment, sign_key)
        except VoidError:
            return "the header or the signature (it does not hold)"
        return "the tree or the signature (it holds)"

    def _check_section(self, header: Header, section: StoredSection) -> str | None:
        head = header.section(section.name)
        if head is None:
            return f"section {section.name} is not in the header"
        if section.form == SEALED or section.salt is None:
            return None
        data = section.data
        if section.form == STORED:
            try:
                data = self._core.keystore.vault.open(data)
            except KeystoreError:
                return f"section {section.name} was altered: it does not open"
        if commitment(header.log, section.name, section.salt, data) != head.commitment:
            return f"section {section.name} was altered: it is not under its commitment"
        return None

    async def _check_root(self, log: StoredLog, tree: CompactRange) -> list[Finding]:
        async with self._core.database.read() as tx:
            sign_key = await find_sign_key(tx, log)
        if log.note is None or sign_key is None or log.note_size != tree.size:
            return []
        try:
            checkpoint = verify_checkpoint(log.note, log.log, sign_key)
        except CheckpointError as error:
            return [Finding(log.log, None, None, f"the checkpoint was altered: {error}")]
        if checkpoint.root != tree.root():
            return [Finding(log.log, None, None, f"the tree has another root than the checkpoint of size {tree.size}")]
        return []
