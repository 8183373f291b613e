"""Root statements: the bytes in which an organisation says which nodes speak for it.

`[1, org | nil, n, hash of n-1 | nil, type, body, root key id]`, travelling as `[statement, signature]`.
Root hash = SHA-256("passport/org/1\\n" || statement): signed as "root", named by the next statement, and its first 16
bytes are the organisation's id where n = 0.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from federation import codec
from federation.cut import Cut
from federation.errors import CodecError, KeyRefusedError, StatementError
from federation.keys import ED25519, SIGNATURE_SIZE, SigningKey, check_key, key_hash, key_id, verify_hash

VERSION = 1
MAX_STATEMENT = 4096
MAX_CHAIN = 1000


class StatementType(IntEnum):
    """What a root statement does."""

    GENESIS = 1
    NODE = 2
    END_NODE = 3
    ROTATE = 4


class EndReason(IntEnum):
    """Why a node was ended, as far as its organisation says so; any other number is read too."""

    OTHER = 0
    RETIRED = 1
    STOLEN = 2
    LOST = 3
    REPLACED = 4


@dataclass(frozen=True, slots=True)
class KeyBody:
    """Genesis and rotate: the root key from here on, and the promise of the next one (32-byte key hash)."""

    root_key: bytes
    promise: bytes


@dataclass(frozen=True, slots=True)
class NodeBody:
    """A node and the key that signs its logs and requests."""

    node: bytes
    sign_key: bytes


@dataclass(frozen=True, slots=True)
class EndNodeBody:
    """A node that ended, why, and what of it still counts."""

    node: bytes
    reason: int
    cut: Cut


Body = KeyBody | NodeBody | EndNodeBody


@dataclass(frozen=True, slots=True)
class RootStatement:
    """One signed root statement, with the bytes as they came."""

    org: bytes | None
    n: int
    previous: bytes | None
    type: StatementType
    body: Body
    root_key_id: bytes
    raw: bytes
    signature: bytes

    @property
    def hash(self) -> bytes:
        """The 32-byte root hash."""
        return root_hash(self.raw)

    @property
    def org_id(self) -> bytes:
        """The 16-byte id of the organisation this statement belongs to."""
        return self.org if self.org is not None else self.hash[:16]

    def envelope(self) -> bytes:
        """The canonical `[statement, signature]`."""
        return codec.pack([self.raw, self.signature])

    def is_signed_by(self, root_key: bytes) -> bool:
        """Whether the root key named in the statement is this one and signed it."""
        return self.root_key_id == key_id(root_key) and verify_hash(root_key, self.signature, "root", self.hash)


def root_hash(raw: bytes) -> bytes:
    """SHA-256("passport/org/1\\n" || statement)."""
    return hashlib.sha256(b"passport/org/1\n" + raw).digest()


def decode_root_statement(envelope: bytes) -> RootStatement:
    """Read `[statement, signature]`; raise StatementError. Signature and chain are checked by `Chain`."""
    try:
        raw, signature = codec.array(codec.unpack(envelope, MAX_STATEMENT + 256), 2, "root statement envelope")
        return _read(
            codec.binary(raw, None, "statement", most=MAX_STATEMENT),
            codec.binary(signature, SIGNATURE_SIZE, "signature"),
        )
    except (CodecError, KeyRefusedError) as error:
        raise StatementError(f"root statement: {error}") from error


def sign_root_statement(
    key: SigningKey, body: Body, org: bytes | None = None, n: int = 0, previous: bytes | None = None
) -> RootStatement:
    """Write and sign the statement; the type follows from the body and from n."""
    kind = {NodeBody: StatementType.NODE, EndNodeBody: StatementType.END_NODE}.get(type(body))
    if kind is None:
        kind = StatementType.ROTATE if n else StatementType.GENESIS
    raw = codec.pack([VERSION, org, n, previous, int(kind), _body_value(body), key.id])
    return _read(raw, key.sign_hash("root", root_hash(raw)))


def genesis(root_key: SigningKey, next_key: bytes) -> RootStatement:
    """Found an organisation: its root key now, and the 33-byte key that will follow it."""
    return sign_root_statement(root_key, KeyBody(root_key.public, key_hash(next_key)))


def _body_value(body: Body) -> codec.Value:
    if isinstance(body, KeyBody):
        return [body.root_key, body.promise]
    if isinstance(body, NodeBody):
        return [body.node, body.sign_key]
    return [body.node, int(body.reason), body.cut.to_value()]


def _read(raw: bytes, signature: bytes) -> RootStatement:
    version, org, n, previous, kind, body, signer = codec.array(codec.unpack(raw, MAX_STATEMENT), 7, "root statement")
    codec.version(version, VERSION)
    statement = RootStatement(
        codec.optional_binary(org, 16, "org"),
        codec.uint(n, "n"),
        codec.optional_binary(previous, 32, "previous hash"),
        _type(codec.uint(kind, "type")),
        _body(codec.uint(kind, "type"), body),
        codec.binary(signer, 16, "root key id"),
        raw,
        signature,
    )
    _check_place(statement)
    return statement


def _type(value: int) -> StatementType:
    try:
        return StatementType(value)
    except ValueError as error:
        raise CodecError(f"type {value} is unknown") from error


def _body(kind: int, value: codec.Value) -> Body:
    if kind in (StatementType.GENESIS, StatementType.ROTATE):
        root_key, promise = codec.array(value, 2, "body")
        key = check_key(codec.binary(root_key, None, "root key"), ED25519, "root key")
        return KeyBody(key, codec.binary(promise, 32, "next"))
    if kind == StatementType.NODE:
        node, sign_key = codec.array(value, 2, "body")
        key = check_key(codec.binary(sign_key, None, "sign key"), ED25519, "sign key")
        return NodeBody(codec.binary(node, 16, "node id"), key)
    node, reason, cut = codec.array(value, 3, "body")
    return EndNodeBody(codec.binary(node, 16, "node id"), codec.uint(reason, "reason"), Cut.from_value(cut))


def _check_place(statement: RootStatement) -> None:
    first = statement.type is StatementType.GENESIS
    if first != (statement.n == 0) or first != (statement.org is None) or first != (statement.previous is None):
        raise CodecError("n = 0, org nil and previous nil belong to the genesis and only to it")
    if statement.n >= MAX_CHAIN:
        raise CodecError(f"n = {statement.n}, a chain has at most {MAX_CHAIN} statements")
    if isinstance(statement.body, KeyBody) and statement.root_key_id != key_id(statement.body.root_key):
        raise CodecError("genesis and rotate are signed by the root key in their body")
