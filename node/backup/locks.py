"""How a backup is locked: to a passphrase, or to a recovery key of which the node knows the public half alone.

Either way a file has a content key of its own. Texts of recovery keys: `passport-recovery-public-1:` or
`passport-recovery-private-1:` and base64 of 32 bytes (X25519).
"""

import base64
import binascii
import hashlib
import unicodedata
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.public
import nacl.pwhash.argon2id as argon2

from federation import codec
from federation.errors import CodecError
from node.errors import BackupError

PASSPHRASE, RECOVERY_KEY = 1, 2
KEY_SIZE = 32
BOX_SIZE = KEY_SIZE + 48  # crypto_box_seal: a key and an authenticator
SALT_SIZE = argon2.SALTBYTES
SHORTEST_PASSPHRASE = 12
# A hostile file must not make its reader allocate or work without end.
LEAST_MEMORY, MOST_MEMORY, MOST_OPERATIONS = 8192, 1 << 30, 16
OPERATIONS, MEMORY = argon2.OPSLIMIT_MODERATE, argon2.MEMLIMIT_MODERATE
PUBLIC_TEXT, PRIVATE_TEXT = "passport-recovery-public-1:", "passport-recovery-private-1:"


@dataclass(frozen=True, slots=True)
class PassphraseLock:
    """What argon2id makes the content key with."""

    salt: bytes
    operations: int
    memory: int

    def to_value(self) -> codec.Value:
        """As it stands in a head."""
        return [PASSPHRASE, self.salt, self.operations, self.memory]

    @property
    def name(self) -> str:
        """What opens it, in a word."""
        return "passphrase"


@dataclass(frozen=True, slots=True)
class KeyLock:
    """The content key, sealed to a recovery key."""

    key_id: bytes
    box: bytes

    def to_value(self) -> codec.Value:
        """As it stands in a head."""
        return [RECOVERY_KEY, self.key_id, self.box]

    @property
    def name(self) -> str:
        """The recovery key that opens it."""
        return self.key_id.hex()


Lock = PassphraseLock | KeyLock


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The half that locks: it may lie on the node."""

    public: bytes

    @property
    def id(self) -> bytes:
        """16 bytes by which people and files name it."""
        return hashlib.sha256(b"passport/recovery/1\n" + self.public).digest()[:16]

    def to_text(self) -> str:
        """As it is written into a file."""
        return PUBLIC_TEXT + base64.b64encode(self.public).decode()

    def lock(self, key: bytes) -> KeyLock:
        """Keep a content key for whoever has the other half."""
        return KeyLock(self.id, nacl.public.SealedBox(nacl.public.PublicKey(self.public)).encrypt(key))


@dataclass(frozen=True, slots=True)
class PrivateRecoveryKey:
    """The half that opens: it is kept apart from the node."""

    private: bytes = field(repr=False)

    @property
    def public(self) -> RecoveryKey:
        """The half that locks."""
        return RecoveryKey(bytes(nacl.public.PrivateKey(self.private).public_key))

    def to_text(self) -> str:
        """As it is written into its file."""
        return PRIVATE_TEXT + base64.b64encode(self.private).decode()

    def open(self, lock: Lock) -> bytes:
        """The content key of a file; raise BackupError."""
        if isinstance(lock, PassphraseLock):
            raise BackupError("this backup is locked with a passphrase: type it", "backup_locked")
        own = self.public.id
        if lock.key_id != own:
            raise BackupError(
                f"this backup is locked to the recovery key {lock.key_id.hex()}, and this is {own.hex()}: take the "
                "file of that key",
                "backup_locked",
            )
        try:
            return nacl.public.SealedBox(nacl.public.PrivateKey(self.private)).decrypt(lock.box)
        except nacl.exceptions.CryptoError as error:
            raise BackupError("the head of this backup was altered: take another copy", "backup_damaged") from error


@dataclass(frozen=True, slots=True)
class Passphrase:
    """What a person remembers; raise BackupError for one that is guessed too easily."""

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.text) < SHORTEST_PASSPHRASE:
            raise BackupError(
                f"a passphrase of a backup has at least {SHORTEST_PASSPHRASE} characters: take several words",
                "backup_passphrase",
                least=SHORTEST_PASSPHRASE,
            )

    def lock(self, salt: bytes) -> tuple[PassphraseLock, bytes]:
        """A lock and the content key that it stands for; takes most of a second and 256 MiB."""
        lock = PassphraseLock(salt, OPERATIONS, MEMORY)
        return lock, self.open(lock)

    def open(self, lock: Lock) -> bytes:
        """The content key of a file, which is right only if the file opens with it; raise BackupError.

        Composed, as another keyboard or system may write the same words decomposed.
        """
        if isinstance(lock, KeyLock):
            raise BackupError(
                f"this backup is locked to the recovery key {lock.key_id.hex()}: name its file", "backup_locked"
            )
        return argon2.kdf(
            KEY_SIZE, unicodedata.normalize("NFC", self.text).encode(), lock.salt, lock.operations, lock.memory
        )


Opener = PrivateRecoveryKey | Passphrase


def decode_lock(value: codec.Value) -> Lock:
    """Read a lock; raise CodecError, also where it asks for more work than any that is made."""
    kind, *rest = codec.array(value, None, "lock", most=8) or [None]
    if kind == RECOVERY_KEY:
        key_id, box = codec.array(rest, 2, "lock")
        return KeyLock(codec.binary(key_id, 16, "recovery key"), codec.binary(box, BOX_SIZE, "box"))
    if kind != PASSPHRASE:
        raise CodecError("lock: of a kind that this program does not know")
    salt, operations, memory = codec.array(rest, 3, "lock")
    lock = PassphraseLock(
        codec.binary(salt, SALT_SIZE, "salt"),
        codec.uint(operations, "operations", least=1),
        codec.uint(memory, "memory", least=LEAST_MEMORY),
    )
    if lock.operations > MOST_OPERATIONS or lock.memory > MOST_MEMORY:
        raise CodecError(f"lock: {lock.operations} operations over {lock.memory} bytes are more than any that is made")
    return lock


def parse_public(text: str) -> RecoveryKey:
    """Read the text of the half that locks; raise BackupError."""
    return RecoveryKey(_parse(text, PUBLIC_TEXT))


def parse_private(text: str) -> PrivateRecoveryKey:
    """Read the text of the half that opens; raise BackupError."""
    return PrivateRecoveryKey(_parse(text, PRIVATE_TEXT))


def _parse(text: str, start: str) -> bytes:
    lines = (line.strip() for line in text.splitlines())
    line = next((line for line in lines if line.startswith(start)), "")
    try:
        raw = base64.b64decode(line.removeprefix(start), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_SIZE:
        raise BackupError(f"this is no recovery key: its line begins with {start}", "recovery_key")
    return raw
