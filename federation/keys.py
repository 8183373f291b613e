"""Keys, key ids and signatures.

A key is 33 bytes: an algorithm byte and 32 bytes. A signature is 65 bytes: an algorithm byte and 64. Every own
signature is over `passport/<what>/1\\n` and a 32-byte hash. Verification is libsodium's: S < L, R canonical and not of
small order, R compared byte for byte, no cofactor, no batch; a key that `check_key` refuses signs nothing.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import nacl.bindings
import nacl.exceptions
import nacl.public
import nacl.signing

from federation.errors import KeyRefusedError, SealError

ED25519 = 1
X25519 = 2
KEY_SIZE = 33
SIGNATURE_SIZE = 65
X25519_PRIME = 2**255 - 19


def key_hash(key: bytes) -> bytes:
    """The 32-byte hash of a key; its first 16 bytes are the key id, all of it is a promise."""
    return hashlib.sha256(b"passport/key/1\n" + key).digest()


def key_id(key: bytes) -> bytes:
    """The 16-byte id of a 33-byte key."""
    return key_hash(key)[:16]


def check_key(key: bytes, algorithm: int, what: str) -> bytes:
    """Require a usable 33-byte key of one algorithm; raise KeyRefusedError.

    Ed25519: the canonical encoding of a point of prime order. X25519: canonical and not of small order.
    """
    if len(key) != KEY_SIZE:
        raise KeyRefusedError(f"{what}: a key is {KEY_SIZE} bytes, got {len(key)}")
    if key[0] != algorithm:
        raise KeyRefusedError(f"{what}: algorithm {key[0]}, expected {algorithm}")
    if algorithm == ED25519 and not _is_valid_ed25519(key[1:]):
        raise KeyRefusedError(f"{what}: not a canonical Ed25519 point of prime order")
    if algorithm == X25519 and not _is_valid_x25519(key[1:]):
        raise KeyRefusedError(f"{what}: not a canonical X25519 point of large order")
    return key


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair made from a 32-byte seed; the seed never shows in its text."""

    public: bytes
    _key: nacl.signing.SigningKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Build from 32 secret bytes."""
        key = nacl.signing.SigningKey(seed)
        return cls(bytes([ED25519]) + bytes(key.verify_key), key)

    @property
    def id(self) -> bytes:
        """The 16-byte key id."""
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """The raw 64-byte Ed25519 signature (for signed notes)."""
        return self._key.sign(message).signature

    def sign_hash(self, what: str, digest: bytes) -> bytes:
        """The 65-byte signature over `passport/<what>/1\\n` and a 32-byte hash."""
        return bytes([ED25519]) + self.sign(signed_text(what, digest))

    def __repr__(self) -> str:
        return f"SigningKey({self.id.hex()})"


@dataclass(frozen=True, slots=True)
class BoxKey:
    """An X25519 key pair made from 32 secret bytes; opens what was sealed to it."""

    public: bytes
    _key: nacl.public.PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> "BoxKey":
        """Build from 32 secret bytes."""
        key = nacl.public.PrivateKey(seed)
        return cls(bytes([X25519]) + bytes(key.public_key), key)

    @property
    def id(self) -> bytes:
        """The 16-byte key id."""
        return key_id(self.public)

    def open(self, sealed: bytes) -> bytes:
        """Open a SealedBox; raise SealError."""
        try:
            return nacl.public.SealedBox(self._key).decrypt(sealed)
        except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
            raise SealError("the box does not open with this key") from error

    def __repr__(self) -> str:
        return f"BoxKey({self.id.hex()})"


def seal(key: bytes, content: bytes) -> bytes:
    """Seal bytes to a 33-byte X25519 key."""
    check_key(key, X25519, "box key")
    return nacl.public.SealedBox(nacl.public.PublicKey(key[1:])).encrypt(content)


def signed_text(what: str, digest: bytes) -> bytes:
    """The bytes that a signature of kind `what` covers."""
    return b"passport/" + what.encode() + b"/1\n" + digest


def verify_raw(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a raw 64-byte signature of a 33-byte key is valid, by the rule in the module's text."""
    if len(key) != KEY_SIZE or key[0] != ED25519 or len(signature) != 64 or not _is_valid_ed25519(key[1:]):
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, key[1:])
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.CryptoError, ValueError):
        return False
    return True


def verify_hash(key: bytes, signature: bytes, what: str, digest: bytes) -> bool:
    """Whether a 65-byte signature over `passport/<what>/1\\n` and a 32-byte hash is valid."""
    if len(signature) != SIGNATURE_SIZE or signature[0] != ED25519:
        return False
    return verify_raw(key, signature[1:], signed_text(what, digest))


@lru_cache(maxsize=4096)  # a log's key is asked again for every entry
def _is_valid_ed25519(raw: bytes) -> bool:
    return nacl.bindings.crypto_core_ed25519_is_valid_point(raw)


def _is_valid_x25519(raw: bytes) -> bool:
    if int.from_bytes(raw, "little") >= X25519_PRIME:
        return False
    try:
        nacl.bindings.crypto_scalarmult(b"\x01" * 32, raw)
    except (nacl.exceptions.RuntimeError, nacl.exceptions.CryptoError):
        return False
    return True
