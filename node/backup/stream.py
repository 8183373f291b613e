"""A stream of bytes as an authenticated, encrypted one, a mebibyte at a time.

    file   = "passport-backup/1\n" ‖ length of head, 4 bytes ‖ head ‖ stream header, 24 bytes ‖ chunks
    chunk  = secretstream message (XChaCha20-Poly1305) over at most 1 MiB, all but the last over exactly that; the last
             one bears the tag FINAL; associated data of each = SHA-256 of all that stands before the stream header

So a chunk that is altered, missing, doubled or in another place is noticed where it stands, and so is a file that ends
too early or goes on after its end. Lengths are big-endian.
"""

import hashlib
from typing import BinaryIO

import nacl.bindings as sodium

from node.errors import BackupError

MAGIC = b"passport-backup/1\n"
MAX_HEAD = 1 << 12
CHUNK = 1 << 20
SEALED_CHUNK = CHUNK + sodium.crypto_secretstream_xchacha20poly1305_ABYTES
STREAM_HEADER = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class SealingStream:
    """Encrypts what is written to it into a file."""

    def __init__(self, file: BinaryIO, head: bytes, key: bytes) -> None:
        self._file = file
        start = MAGIC + len(head).to_bytes(4) + head
        self._about = hashlib.sha256(start).digest()
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        file.write(start + sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, key))
        self._rest = bytearray()

    def write(self, data: bytes) -> None:
        """Take bytes; whole chunks go out."""
        self._rest += data
        # The last chunk is kept back: only the end tells that it is the last.
        while len(self._rest) > CHUNK:
            self._push(bytes(self._rest[:CHUNK]), MESSAGE)
            del self._rest[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk."""
        self._push(bytes(self._rest), FINAL)
        self._rest.clear()

    def _push(self, data: bytes, tag: int) -> None:
        self._file.write(sodium.crypto_secretstream_xchacha20poly1305_push(self._state, data, self._about, tag))


class OpeningStream:
    """Decrypts a file; never answers a byte that was not authenticated."""

    def __init__(self, file: BinaryIO, head: bytes, key: bytes) -> None:
        """`file` stands behind the head; raise BackupError where it ends there."""
        self._file = file
        self._about = hashlib.sha256(MAGIC + len(head).to_bytes(4) + head).digest()
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        header = file.read(STREAM_HEADER)
        if len(header) != STREAM_HEADER:
            raise _damaged("it ends before its first chunk")
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)
        self._ready = bytearray()
        self._chunks = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Exactly that many bytes; raise BackupError."""
        while len(self._ready) < size:
            self._pull()
        found = bytes(self._ready[:size])
        del self._ready[:size]
        return found

    def finish(self) -> None:
        """Raise BackupError unless everything was read, up to the end of the file."""
        while not self._ended:
            self._pull()
        if self._ready or self._file.read(1):
            raise _damaged("something stands after its end")

    def _pull(self) -> None:
        if self._ended:
            raise _damaged("it is shorter than its table of contents says")
        sealed = self._file.read(SEALED_CHUNK)
        if not sealed:
            raise _damaged(f"it breaks off after chunk {self._chunks}")
        try:
            data, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, self._about)
        except (RuntimeError, ValueError) as error:
            if not self._chunks:
                raise BackupError(
                    "this backup does not open: the passphrase or the key is another, or the file was altered",
                    "backup_locked",
                ) from error
            raise _damaged(f"chunk {self._chunks} was altered, or stands in another place") from error
        self._chunks += 1
        self._ended = tag == FINAL
        self._ready += data


def read_head(file: BinaryIO) -> bytes:
    """The head of a file, still as bytes; raise BackupError where it is no backup."""
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupError("this is no backup of a passport node: name a file that ends in .backup", "backup_foreign")
    size = int.from_bytes(file.read(4))
    head = file.read(size) if size <= MAX_HEAD else b""
    if not head or len(head) != size:
        raise _damaged("its head is cut off or too long")
    return head


def _damaged(what: str) -> BackupError:
    return BackupError(f"this backup is damaged: {what}; take another copy of it, or an older backup", "backup_damaged")
