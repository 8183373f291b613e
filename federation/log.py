"""The log statement, and when a node must open a new log.

`[1, org, node id, sign key id, nonce bin16, previous log | nil, reason, witness key, box key]`, travelling as
`[statement, signature]`, signed as "log" over SHA-256("passport/log/1\\n" || statement), whose first 16 bytes are the
log's id.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from federation import codec
from federation.errors import CodecError, KeyRefusedError, StatementError
from federation.keys import ED25519, SIGNATURE_SIZE, X25519, SigningKey, check_key, key_id, verify_hash

VERSION = 1
MAX_STATEMENT = 1024


class Reason(IntEnum):
    """Why a log was opened."""

    FIRST = 0
    HEAD_LOST = 1
    BEHIND = 2
    ROOT_DIFFERS = 3
    BACKUP = 4
    PEER_AHEAD = 5
    BY_HAND = 6
    KEY_CHANGED = 7


@dataclass(frozen=True, slots=True)
class LogStatement:
    """A log of a node: who writes it, what it follows, and its first witness and box keys."""

    org: bytes
    node: bytes
    sign_key_id: bytes
    nonce: bytes
    previous: bytes | None
    reason: int
    witness_key: bytes
    box_key: bytes
    raw: bytes
    signature: bytes

    @property
    def hash(self) -> bytes:
        """The 32 bytes that are signed."""
        return log_hash(self.raw)

    @property
    def log_id(self) -> bytes:
        """The 16-byte id of the log."""
        return self.hash[:16]

    def envelope(self) -> bytes:
        """The canonical `[statement, signature]`."""
        return codec.pack([self.raw, self.signature])

    def check_signed_by(self, sign_key: bytes) -> None:
        """Raise StatementError unless the node's 33-byte sign key is the one named and signed this."""
        if key_id(sign_key) != self.sign_key_id or not verify_hash(sign_key, self.signature, "log", self.hash):
            raise StatementError(f"log {self.log_id.hex()} is not signed by the key of its node")

    def check_keys_are_new(self, others: Iterable["LogStatement"]) -> None:
        """Raise StatementError if another log of the organisation states this witness key or this box key."""
        rivals = [log for log in others if log.org == self.org and log.log_id != self.log_id]
        if {self.witness_key, self.box_key} & {key for log in rivals for key in (log.witness_key, log.box_key)}:
            raise StatementError(f"log {self.log_id.hex()} states a key that another log of its organisation states")


@dataclass(frozen=True, slots=True)
class Head:
    """What the file beside the database says of the own log: log, size, root, and the run that wrote it."""

    log: bytes
    size: int
    root: bytes
    run: bytes

    def to_bytes(self) -> bytes:
        """Canonical `[log, size, root, run]`."""
        return codec.pack([self.log, self.size, self.root, self.run])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Head":
        """Read it back; raise CodecError."""
        log, size, root, run = codec.array(codec.unpack(raw, 256), 4, "head")
        return cls(
            codec.binary(log, 16, "log"),
            codec.uint(size, "size"),
            codec.binary(root, 32, "root"),
            codec.binary(run, 16, "run"),
        )


@dataclass(frozen=True, slots=True)
class OwnLog:
    """What the database says of the own log; `root_at_head` is its root at the head's size, None if it is shorter."""

    log: bytes
    size: int
    root_at_head: bytes | None
    sign_key_id: bytes
    is_backup: bool = False


def log_hash(raw: bytes) -> bytes:
    """SHA-256("passport/log/1\\n" || statement)."""
    return hashlib.sha256(b"passport/log/1\n" + raw).digest()


def sign_log_statement(
    key: SigningKey,
    *,
    org: bytes,
    node: bytes,
    nonce: bytes,
    witness_key: bytes,
    box_key: bytes,
    previous: bytes | None = None,
    reason: Reason = Reason.FIRST,
) -> LogStatement:
    """Write and sign a log statement; `nonce` is 16 fresh random bytes."""
    raw = codec.pack([VERSION, org, node, key.id, nonce, previous, int(reason), witness_key, box_key])
    return _read(raw, key.sign_hash("log", log_hash(raw)))


def decode_log_statement(envelope: bytes) -> LogStatement:
    """Read `[statement, signature]`; raise StatementError. The signature is checked against the node's key."""
    try:
        raw, signature = codec.array(codec.unpack(envelope, MAX_STATEMENT + 128), 2, "log statement envelope")
        return _read(
            codec.binary(raw, None, "statement", most=MAX_STATEMENT),
            codec.binary(signature, SIGNATURE_SIZE, "signature"),
        )
    except (CodecError, KeyRefusedError) as error:
        raise StatementError(f"log statement: {error}") from error


def find_doubt(head: Head | None, own: OwnLog | None, sign_key_id: bytes, peer_size: int = 0) -> Reason | None:
    """Why the own log may not go on, or None: then the node appends, online or not.

    A database without an own log is behind any head: it was restored from before the log was opened.
    `peer_size` is the largest size of the own log that a peer shows under the own signature.
    """
    if own is None:
        return Reason.FIRST if head is None else Reason.BEHIND
    if own.sign_key_id != sign_key_id:
        return Reason.KEY_CHANGED
    if own.is_backup:
        return Reason.BACKUP
    if head is None or head.log != own.log:
        return Reason.HEAD_LOST
    if own.size < head.size:
        return Reason.BEHIND
    if own.root_at_head != head.root:
        return Reason.ROOT_DIFFERS
    if peer_size > own.size:
        return Reason.PEER_AHEAD
    return None


def _read(raw: bytes, signature: bytes) -> LogStatement:
    version, org, node, signer, nonce, previous, reason, witness, box = codec.array(
        codec.unpack(raw, MAX_STATEMENT), 9, "log statement"
    )
    codec.version(version, VERSION)
    statement = LogStatement(
        codec.binary(org, 16, "org"),
        codec.binary(node, 16, "node id"),
        codec.binary(signer, 16, "sign key id"),
        codec.binary(nonce, 16, "nonce"),
        codec.optional_binary(previous, 16, "previous log"),
        codec.uint(reason, "reason"),
        check_key(codec.binary(witness, None, "witness key"), ED25519, "witness key"),
        check_key(codec.binary(box, None, "box key"), X25519, "box key"),
        raw,
        signature,
    )
    if key_id(statement.witness_key) == statement.sign_key_id:
        raise CodecError("the witness key is the sign key")
    return statement
