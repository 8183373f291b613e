"""Making one more node of an organisation: what the new node asks, and what it takes back, as texts.

The new node makes its own key and asks to be stated: `PASSPORT1-NODE-` and base64url of `[1, node id, sign key,
checksum]`. Whoever holds the root key states it, and answers with `PASSPORT1-ORG-` and base64url of `[1, genesis of the
federation | nil, [root statement envelope ...], [url, node id, sign key, certificate pin] | nil, checksum]`: the
organisation's chain, and where a node of it is. Nothing in either text is secret.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, FederationError, InvitationError
from federation.genesis import Genesis
from federation.keys import ED25519, check_key
from federation.peer import PeerAddress, check_url
from federation.statements import MAX_CHAIN, RootStatement, decode_root_statement

VERSION = 1
ASK, ANSWER = "PASSPORT1-NODE-", "PASSPORT1-ORG-"
MAX_ASK = 512
MAX_ANSWER = 1 << 22


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """A new node that wants to be stated: its id and its 33-byte sign key."""

    node: bytes
    sign_key: bytes

    def to_text(self) -> str:
        """The text to carry to whoever holds the root key."""
        return _text(ASK, [VERSION, self.node, self.sign_key])


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The organisation that states a node, its federation, and a node of it to talk to."""

    statements: tuple[RootStatement, ...]
    genesis: Genesis | None = None
    peer: PeerAddress | None = None

    def to_text(self) -> str:
        """The text to carry back."""
        peer = self.peer
        where: codec.Value = [peer.url, peer.node, peer.sign_key, peer.pin] if peer else None
        genesis = self.genesis.to_bytes() if self.genesis else None
        return _text(ANSWER, [VERSION, genesis, [s.envelope() for s in self.statements], where])


def parse_request(text: str) -> NodeRequest:
    """Read what a new node asks; raise InvitationError."""
    try:
        version, node, key = _fields(text, ASK, MAX_ASK, 3)
        codec.version(version, VERSION)
        sign_key = check_key(codec.binary(key, None, "sign key"), ED25519, "sign key")
        return NodeRequest(codec.binary(node, 16, "node"), sign_key)
    except FederationError as error:
        raise InvitationError(f"the request of a node is damaged: {error}") from error


def parse_enrolment(text: str) -> Enrolment:
    """Read what a new node is answered; raise InvitationError. Whether the chain stands is checked by `Chain`."""
    try:
        version, genesis, statements, where = _fields(text, ANSWER, MAX_ANSWER, 4)
        codec.version(version, VERSION)
        envelopes = codec.array(statements, None, "statements", most=2 * MAX_CHAIN)
        return Enrolment(
            tuple(decode_root_statement(codec.binary(item, None, "statement")) for item in envelopes),
            None if genesis is None else Genesis.from_bytes(codec.binary(genesis, None, "genesis")),
            None if where is None else _address(where),
        )
    except FederationError as error:
        raise InvitationError(f"the answer to a new node is damaged: {error}") from error


def _address(value: codec.Value) -> PeerAddress:
    url, node, key, pin = codec.array(value, 4, "address")
    return PeerAddress(
        check_url(codec.text(url, "url")),
        codec.binary(node, 16, "node"),
        check_key(codec.binary(key, None, "sign key"), ED25519, "sign key"),
        codec.binary(pin, 32, "certificate pin"),
    )


def _text(prefix: str, fields: list[codec.Value]) -> str:
    whole = codec.pack([*fields, hashlib.sha256(codec.pack(fields)).digest()[:4]])
    return prefix + base64.urlsafe_b64encode(whole).decode().rstrip("=")


def _fields(text: str, prefix: str, most: int, count: int) -> list[codec.Value]:
    compact = "".join(text.split())
    if not compact.startswith(prefix) or len(compact) > most:
        raise CodecError(f"it starts with {prefix} and has at most {most} characters")
    body = compact[len(prefix) :]
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CodecError("a character is mistyped") from error
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != body:
        raise CodecError("a character is mistyped")
    fields = codec.array(codec.unpack(raw, most), count + 1, "text")
    if fields[count] != hashlib.sha256(codec.pack(fields[:count])).digest()[:4]:
        raise CodecError("a character is mistyped or missing")
    return fields[:count]
