"""Files of protocols: kept in chunks, read back by their hash, fetched from peers when somebody opens one.

The list of chunks is a section of the signed statement, so whoever may read that section may ask any peer for them and
knows each for what it is by its hash.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from federation.chunks import ChunkList, chunk_hash
from federation.errors import CodecError, FederationError
from federation.fragment import Ref, decode_header, section_content
from node.errors import DeniedError, InputError, NotFoundError, PeerError
from node.passport.bodies import AttachedFile
from node.passport.file_types import TYPES
from node.passport.references import parse_ref
from node.passport.shown import rows
from node.passport.view import View
from node.services.core import Core
from node.services.sync import Sync
from node.store.chunks import held_chunks, put_chunks, read_chunks, signed_file
from node.store.database import ReadTx
from node.store.fragments import CLEAR, ERASED, StoredSection, entries_at
from node.store.logs import find_log
from node.store.peers import Peer, list_peers

MAX_FILE = 20 << 20
MAX_FILES = 8
MAX_TOTAL = 40 << 20
PEER_S = 20.0


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file whose every byte was compared with what was signed."""

    name: str
    type: str
    content: bytes


class Files:
    """Reads the files of protocols, here or from peers."""

    def __init__(self, core: Core, sync: Sync) -> None:
        self._core = core
        self._sync = sync

    async def read(self, row: View, sha256: str) -> OpenedFile:
        """A file of a protocol as its passport shows it, by its SHA-256 in hex.

        Raise NotFoundError for a file that it does not have, or that was erased, DeniedError where its bytes are not
        open here, PeerError where nobody gives them, InputError where they are too many or not what was signed.
        """
        file = _file(row, sha256)
        ref = parse_ref(str(row["ref"]))
        async with self._core.database.read() as tx:
            stored = await _stored(tx, ref, file.section)
            if stored is not None and stored.form == ERASED:
                raise NotFoundError(f"{file.name[:80]!r} was erased", "attachment_erased")
            listed = await _list(tx, ref, file.section)
            held = await held_chunks(tx, signed_file(ref, file.section)) if listed else set()
        if listed is None:
            raise DeniedError(f"{file.name[:80]!r} is not open to this organisation", "attachment_closed")
        if listed.total > MAX_FILE:
            raise InputError(f"{listed.total} bytes, at most {MAX_FILE} are taken", "attachment_large", most=MAX_FILE)
        missing = sorted({*range(len(listed.hashes))} - held)
        if missing:
            await self._fetch(bytes.fromhex(str(row["by"])), ref, file.section, listed, missing)
        async with self._core.database.read() as tx:
            content = await read_chunks(tx, signed_file(ref, file.section))
        if await asyncio.to_thread(_digest, content) != file.sha256 or len(content) != file.size:
            raise InputError("the bytes are not those of the signed hash", "attachment_wrong")
        return OpenedFile(file.name, file.type if file.type in TYPES else "application/octet-stream", content)

    async def _fetch(self, org: bytes, ref: Ref, section: str, listed: ChunkList, missing: Sequence[int]) -> None:
        async with self._core.database.read() as tx:
            peers = await list_peers(tx, "active")
        for peer in sorted(peers, key=lambda peer: peer.org != org):
            missing = [n for n in missing if not await self._fetched(peer, ref, section, listed, n)]
            if not missing:
                return
        raise PeerError("no node that can be reached now gives this file", "attachment_away")

    async def _fetched(self, peer: Peer, ref: Ref, section: str, listed: ChunkList, n: int) -> bool:
        try:
            async with asyncio.timeout(PEER_S):
                chunk = await self._sync.client(peer.address).chunk(ref, section, n)
        except (TimeoutError, FederationError):
            return False
        if chunk_hash(chunk) != listed.hashes[n] or len(chunk) != listed.size_of(n):
            return False
        async with self._core.database.write() as tx:
            stored = await _stored(tx, ref, section)
            if stored is None or stored.form != CLEAR:
                return False  # it was erased while the peer answered
            await put_chunks(tx, signed_file(ref, section), n, [chunk])
        return True


def _file(row: View, sha256: str) -> AttachedFile:
    found = next((file for file in rows(row, "attachments") if file["sha256"] == sha256), None)
    if found is None:
        raise NotFoundError("the protocol has no file of that hash", "attachment_unknown")
    return AttachedFile.model_validate(found)


async def _stored(tx: ReadTx, ref: Ref, section: str) -> StoredSection | None:
    log = await find_log(tx, ref.log)
    found = await entries_at(tx, [(log.no, ref.seq)]) if log else []
    return next((part for entry in found for part in entry.sections if part.name == section), None)


async def _list(tx: ReadTx, ref: Ref, section: str) -> ChunkList | None:
    """The chunks of a signed section, None where it is withheld or no such list."""
    log = await find_log(tx, ref.log)
    found = await entries_at(tx, [(log.no, ref.seq)]) if log else []
    stored = next((part for entry in found for part in entry.sections if part.name == section), None)
    if stored is None or stored.form != CLEAR:
        return None
    try:
        head = decode_header(found[0].header, ref.log, ref.seq).section(section)
        return ChunkList.from_bytes(section_content(head, stored.data)) if head else None
    except (CodecError, FederationError):
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
