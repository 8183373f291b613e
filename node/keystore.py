"""The keys of a node.

One storage key, which is none of the node's protocol keys, lies in its own 0600 file; everything else secret is sealed
under it: the sign key, each log's witness and box keys, the certificate's key, and the root keys of devices. The
organisation's root keys lie apart and are meant to leave the machine.
"""

import hashlib
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.secret

from federation import codec
from federation.errors import CodecError
from federation.keys import BoxKey, SigningKey
from node.errors import KeystoreError
from node.folder import NodeFolder, read_private, write_durably
from node.ports import Random

VERSION = 1
SEED = 32
NOBODY = bytes(16)  # the organisation of a node that waits to be stated by one


@dataclass(frozen=True, slots=True, repr=False)
class LogKeys:
    """The witness and box keys that one log names."""

    witness_seed: bytes
    box_seed: bytes

    @property
    def witness(self) -> SigningKey:
        """Signs cosignatures."""
        return SigningKey.from_seed(self.witness_seed)

    @property
    def box(self) -> BoxKey:
        """Opens what was sealed to this node."""
        return BoxKey.from_seed(self.box_seed)

    @classmethod
    def fresh(cls, random: Random) -> "LogKeys":
        """New keys for a new log."""
        return cls(random.bytes(SEED), random.bytes(SEED))


class Vault:
    """Seals what the store keeps secret, under the storage key."""

    def __init__(self, storage_key: bytes, random: Random) -> None:
        self._box = nacl.secret.SecretBox(storage_key)
        self._marking = hashlib.blake2b(key=storage_key, person=b"passport/mark/1").digest()
        self._random = random

    def seal(self, content: bytes) -> bytes:
        """Encrypt and authenticate."""
        return self._box.encrypt(content, self._random.bytes(nacl.secret.SecretBox.NONCE_SIZE))

    def mark(self, secret: bytes) -> bytes:
        """32 bytes by which equal secrets are found without being opened; without the storage key they tell nothing."""
        return hashlib.blake2b(secret, digest_size=32, key=self._marking).digest()

    def open(self, sealed: bytes) -> bytes:
        """Undo `seal`; raise KeystoreError where it was sealed under another key or changed."""
        try:
            return self._box.decrypt(sealed)
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise KeystoreError("a sealed value does not open with this node's storage key") from error


@dataclass(slots=True, repr=False)
class Keystore:
    """What a node signs and opens with."""

    folder: NodeFolder
    vault: Vault
    org: bytes
    node: bytes
    sign: SigningKey
    sign_seed: bytes
    tls_key: bytes
    web_secret: bytes
    logs: dict[bytes, LogKeys] = field(default_factory=dict)

    def add_log(self, log: bytes, keys: LogKeys) -> None:
        """Keep a new log's keys, durably, before its statement is used."""
        self.logs[log] = keys
        self.save()

    def box_keys(self) -> list[BoxKey]:
        """Every box key of this node, to open what was sealed to any of its logs."""
        return [keys.box for keys in self.logs.values()]

    def save(self) -> None:
        """Write the sealed file."""
        logs: list[codec.Value] = [[log, keys.witness_seed, keys.box_seed] for log, keys in sorted(self.logs.items())]
        content = codec.pack([VERSION, self.org, self.node, self.sign_seed, self.tls_key, self.web_secret, logs])
        write_durably(self.folder.keys, self.vault.seal(content))


def create_keystore(
    folder: NodeFolder, random: Random, *, org: bytes, node: bytes, sign_seed: bytes, tls_key: bytes
) -> Keystore:
    """Make the storage key and the first sealed file."""
    storage_key = random.bytes(SEED)
    write_durably(folder.storage_key, storage_key)
    keystore = Keystore(
        folder,
        Vault(storage_key, random),
        org,
        node,
        SigningKey.from_seed(sign_seed),
        sign_seed,
        tls_key,
        random.bytes(SEED),
    )
    keystore.save()
    return keystore


def open_keystore(folder: NodeFolder, random: Random) -> Keystore:
    """Read the keys of a node; raise KeystoreError or FolderError."""
    return read_keystore(folder, random, _storage_key(folder), read_private(folder.keys, "the sealed keys"))


def read_keystore(folder: NodeFolder, random: Random, storage_key: bytes, sealed: bytes) -> Keystore:
    """The keys out of a sealed file; raise KeystoreError."""
    vault = Vault(storage_key, random)
    try:
        fields = codec.array(codec.unpack(vault.open(sealed)), 7, "keys")
        codec.version(fields[0], VERSION)
        logs = {}
        for item in codec.array(fields[6], None, "logs"):
            log, witness, box = codec.array(item, 3, "log keys")
            logs[codec.binary(log, 16, "log")] = LogKeys(
                codec.binary(witness, SEED, "witness"), codec.binary(box, SEED, "box")
            )
        sign_seed = codec.binary(fields[3], SEED, "sign key")
        return Keystore(
            folder,
            vault,
            codec.binary(fields[1], 16, "org"),
            codec.binary(fields[2], 16, "node"),
            SigningKey.from_seed(sign_seed),
            sign_seed,
            codec.binary(fields[4], None, "certificate key"),
            codec.binary(fields[5], SEED, "web secret"),
            logs,
        )
    except CodecError as error:
        raise KeystoreError(f"{folder.keys}: {error}") from error


def _storage_key(folder: NodeFolder) -> bytes:
    key = read_private(folder.storage_key, "the storage key")
    if len(key) != SEED:
        raise KeystoreError(f"{folder.storage_key} is not {SEED} bytes")
    return key
