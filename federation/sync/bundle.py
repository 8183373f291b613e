"""A bundle: all that one node would take from another, in a file that is carried by hand.

    file   = "PASSPORT-BUNDLE1\\n" || record...             record = length (4 bytes, big-endian) || bytes
    first  = [1, org, node, to node, box key id, made us, sealed key]      sealed key = crypto_box_seal(32 bytes)
    then   = crypto_secretbox of a body of `/fed/1`, nonce = its number as 24 bytes, big-endian:
             [1, heads] | [2, pulled] | [3, [after, opened]]
             | [4, [log, tile number, [leaf bin32 x 256]]]
    last   = [hash, signature]         SHA-256 of all before it, signed by the node as "bundle"

What it carries is verified as what comes from a peer is; the signature says whose word its numbers are.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

import nacl.exceptions
import nacl.secret

from federation import codec
from federation.errors import BundleError, CodecError, SealError
from federation.keys import SIGNATURE_SIZE, BoxKey, SigningKey, key_id, seal, verify_hash
from federation.sync.messages import MAX_INFLATED

MAGIC = b"PASSPORT-BUNDLE1\n"
VERSION = 1
MAX_RECORD = MAX_INFLATED + 1024
MAX_RECORDS = 1 << 17
MAX_BUNDLE = 256 << 20
NONCE = nacl.secret.SecretBox.NONCE_SIZE
WHAT = "bundle"


class Body(IntEnum):
    """What a record carries."""

    HEADS = 1
    PART = 2
    OPENED = 3
    LEAVES = 4


@dataclass(frozen=True, slots=True)
class Cover:
    """Who made a bundle for whom, and when; and the key of its records, sealed."""

    org: bytes
    node: bytes
    to: bytes
    box_key_id: bytes
    made_us: int
    sealed_key: bytes

    def to_bytes(self) -> bytes:
        """The canonical record."""
        return codec.pack([VERSION, self.org, self.node, self.to, self.box_key_id, self.made_us, self.sealed_key])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Cover":
        """Read it; raise BundleError."""
        try:
            version, org, node, to, box, made, sealed = codec.array(codec.unpack(raw, 512), 7, "bundle")
            codec.version(version, VERSION)
            return cls(
                codec.binary(org, 16, "org"),
                codec.binary(node, 16, "node"),
                codec.binary(to, 16, "to node"),
                codec.binary(box, 16, "box key id"),
                codec.uint(made, "made"),
                codec.binary(sealed, None, "sealed key", most=128),
            )
        except CodecError as error:
            raise BundleError(f"bundle: {error}") from error


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in a file, and its number."""

    offset: int
    n: int


def cover(org: bytes, node: bytes, to: bytes, box_key: bytes, made_us: int, key: bytes) -> Cover:
    """The first record; `key` is 32 fresh random bytes, `box_key` the 33-byte key of the node that will read."""
    return Cover(org, node, to, key_id(box_key), made_us, seal(box_key, key))


class BundleWriter:
    """Writes a bundle record by record; raises BundleError where it grows larger than anybody would read."""

    def __init__(self, file: BinaryIO, first: Cover, key: bytes) -> None:
        self._file = file
        self._box = nacl.secret.SecretBox(key)
        self._hashed = hashlib.sha256(MAGIC)
        self._size = len(MAGIC)
        self.count = 0
        file.write(MAGIC)
        self._put(first.to_bytes())

    def add(self, body: Body, raw: bytes) -> None:
        """Write one body."""
        self.count += 1
        self._put(self._box.encrypt(codec.pack([int(body), raw]), _nonce(self.count)).ciphertext)

    def finish(self, signer: SigningKey) -> None:
        """Sign all that was written."""
        digest = self._hashed.digest()
        self._put(codec.pack([digest, signer.sign_hash(WHAT, digest)]))

    def _put(self, raw: bytes) -> None:
        framed = struct.pack(">I", len(raw)) + raw
        self._size += len(framed)
        if self._size > MAX_BUNDLE or self.count + 2 > MAX_RECORDS:  # with the first and the last
            raise BundleError(f"a bundle has at most {MAX_BUNDLE} bytes and {MAX_RECORDS} records")
        self._hashed.update(framed)
        self._file.write(framed)


class BundleReader:
    """Reads a bundle that can be sought in; what it says is who made it, until `check` held."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the cover and where each record stands; raise BundleError."""
        self._file = file
        self._box: nacl.secret.SecretBox | None = None
        file.seek(0)
        if file.read(len(MAGIC)) != MAGIC:
            raise BundleError("this file is no bundle, or one of another version")
        places, self._digest = self._scan()
        if len(places) < 2:
            raise BundleError("the bundle breaks off")
        self.cover = Cover.from_bytes(self._record(places[0]))
        self.places = tuple(places[1:-1])
        self._last = self._record(places[-1])

    def check(self, sign_key: bytes) -> None:
        """Raise BundleError unless the node of that 33-byte key made it and nothing was altered since."""
        try:
            digest, signature = codec.array(codec.unpack(self._last, 256), 2, "end of the bundle")
            said = codec.binary(digest, 32, "hash")
            signed = codec.binary(signature, SIGNATURE_SIZE, "signature")
        except CodecError as error:
            raise BundleError(f"the bundle breaks off: {error}") from error
        if said != self._digest or not verify_hash(sign_key, signed, WHAT, said):
            raise BundleError("the bundle was altered, or another node made it than it says")

    def open(self, keys: Iterable[BoxKey]) -> None:
        """Find the key of the records; raise BundleError where it is for another node."""
        mine = next((key for key in keys if key.id == self.cover.box_key_id), None)
        if mine is None:
            raise BundleError("the bundle is for another node, or for a key that this one has no more")
        try:
            self._box = nacl.secret.SecretBox(mine.open(self.cover.sealed_key))
        except (SealError, ValueError) as error:
            raise BundleError("the bundle's key does not open") from error

    def body(self, place: Place) -> tuple[Body, bytes]:
        """What one record carries; raise BundleError."""
        if self._box is None:
            raise BundleError("the bundle is not open")
        try:
            plain = self._box.decrypt(self._record(place), _nonce(place.n))
            kind, raw = codec.array(codec.unpack(plain, MAX_RECORD), 2, "record")
            return Body(codec.uint(kind, "record")), codec.binary(raw, None, "body", most=MAX_INFLATED)
        except (nacl.exceptions.CryptoError, CodecError, ValueError) as error:
            raise BundleError(f"record {place.n} of the bundle does not open") from error

    def _scan(self) -> tuple[list[Place], bytes]:
        """Where each record stands, and the hash of all before the last."""
        places: list[Place] = []
        hashed = before = hashlib.sha256(MAGIC)
        offset = len(MAGIC)
        while head := self._file.read(4):
            raw = self._file.read(_size(head, len(places)))
            if len(raw) != _size(head, len(places)):
                raise BundleError("the bundle breaks off")
            if len(places) == MAX_RECORDS:
                raise BundleError(f"the bundle has more than {MAX_RECORDS} records")
            before = hashed.copy()
            hashed.update(head + raw)
            places.append(Place(offset, len(places)))
            offset += 4 + len(raw)
        return places, before.digest()

    def _record(self, place: Place) -> bytes:
        self._file.seek(place.offset)
        return self._file.read(_size(self._file.read(4), place.n))


def _size(head: bytes, n: int) -> int:
    size = int(struct.unpack(">I", head)[0]) if len(head) == 4 else MAX_RECORD + 1
    if size > MAX_RECORD:
        raise BundleError(f"record {n} of the bundle is too large, or the bundle breaks off")
    return size


def _nonce(n: int) -> bytes:
    return n.to_bytes(NONCE, "big")
