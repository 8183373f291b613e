"""Content larger than a section: a list of chunks in a section whose name ends in `.chunks`.

A chunk is 1 MiB, the last one may be shorter; each is under its own hash, and the list under the section's commitment.
"""

import hashlib
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError

SUFFIX = ".chunks"
CHUNK_SIZE = 1 << 20
MAX_CHUNKS = 4096


@dataclass(frozen=True, slots=True)
class ChunkList:
    """The size of a content in bytes, and the hash of each of its chunks."""

    total: int
    hashes: tuple[bytes, ...]

    def size_of(self, n: int) -> int:
        """How many bytes chunk `n` has."""
        return CHUNK_SIZE if n < len(self.hashes) - 1 else self.total - CHUNK_SIZE * n

    def to_bytes(self) -> bytes:
        """The content of the section."""
        return codec.pack([self.total, list(self.hashes)])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "ChunkList":
        """Read it; raise CodecError where total and number of chunks do not agree."""
        total, hashes = codec.array(codec.unpack(raw), 2, "chunks")
        size = codec.uint(total, "total", least=1)
        found = tuple(codec.binary(item, 32, "chunk") for item in codec.array(hashes, None, "chunks", most=MAX_CHUNKS))
        if len(found) != -(-size // CHUNK_SIZE):
            raise CodecError(f"chunks: {len(found)} of them do not hold {size} bytes")
        return cls(size, found)


def chunk_hash(chunk: bytes) -> bytes:
    """SHA-256(0x13 || chunk)."""
    return hashlib.sha256(b"\x13" + chunk).digest()


def split_chunks(content: bytes) -> tuple[ChunkList, list[bytes]]:
    """The list of a content of at least one byte, and its chunks."""
    chunks = [content[at : at + CHUNK_SIZE] for at in range(0, len(content), CHUNK_SIZE)]
    return ChunkList(len(content), tuple(map(chunk_hash, chunks))), chunks
