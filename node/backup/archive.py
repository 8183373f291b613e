"""What a backup holds: a head in clear, a table of contents, and the node's files, one after another.

    head     = canonical msgpack [1, made µs, org bin16, node bin16, lock]
    lock     = [1, salt bin16, operations uint, memory uint]      argon2id of the passphrase is the content key
             | [2, recovery key id bin16, box bin80]              box = crypto_box_seal(content key) to the recovery key
    plain    = length of contents, 4 bytes ‖ contents ‖ members in the order of the contents
    contents = [1, program str, [[name str, size uint, SHA-256 bin32]…], [[log bin16, statements uint]…]]

The last list counts the statements of each log that the copy holds.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from federation import codec
from federation.errors import CodecError
from node.backup.locks import Lock, Opener, decode_lock
from node.backup.stream import OpeningStream, SealingStream, read_head
from node.errors import BackupError

VERSION = 1
MAX_CONTENTS = 1 << 22
MAX_MEMBERS = 16
BLOCK = 1 << 20

# Takes how many bytes were worked on since it was told last.
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Head:
    """What everybody may read of a backup."""

    made_us: int
    org: bytes
    node: bytes
    lock: Lock

    def to_bytes(self) -> bytes:
        """Canonical form."""
        return codec.pack([VERSION, self.made_us, self.org, self.node, self.lock.to_value()])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Head":
        """Read it back; raise CodecError."""
        version, made, org, node, lock = codec.array(codec.unpack(raw), 5, "head")
        codec.version(version, VERSION)
        ids = codec.binary(org, 16, "org"), codec.binary(node, 16, "node")
        return cls(codec.uint(made, "made"), *ids, decode_lock(lock))


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a node inside a backup."""

    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds; `counts` are the statements of each log, by its id."""

    program: str
    members: tuple[Member, ...]
    counts: Mapping[bytes, int]

    @property
    def size(self) -> int:
        """Bytes of all members together."""
        return sum(member.size for member in self.members)

    def to_bytes(self) -> bytes:
        """Canonical form."""
        members: list[codec.Value] = [[item.name, item.size, item.sha256] for item in self.members]
        counts: list[codec.Value] = [[log, count] for log, count in sorted(self.counts.items())]
        return codec.pack([VERSION, self.program, members, counts])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Contents":
        """Read it back; raise CodecError."""
        version, program, members, counts = codec.array(codec.unpack(raw, MAX_CONTENTS), 4, "contents")
        codec.version(version, VERSION)
        found = [_member(item) for item in codec.array(members, None, "members", most=MAX_MEMBERS)]
        rows = [codec.array(item, 2, "count") for item in codec.array(counts, None, "counts")]
        counted = {codec.binary(log, 16, "log"): codec.uint(count, "count") for log, count in rows}
        return cls(codec.text(program, "program"), tuple(found), counted)


class Archive:
    """A backup that is being read, in its order; raises BackupError at the first byte that is not as it was written."""

    def __init__(self, file: BinaryIO, opener: Opener | bytes) -> None:
        """`opener` is what a person has, or the content key itself."""
        self._file = file
        raw = read_head(file)
        with _damage():
            self.head = Head.from_bytes(raw)
            key = opener if isinstance(opener, bytes) else opener.open(self.head.lock)
            self._stream = OpeningStream(file, raw, key)
            size = int.from_bytes(self._stream.read(4))
            if size > MAX_CONTENTS:
                raise CodecError(f"contents of {size} bytes")
            self.contents = Contents.from_bytes(self._stream.read(size))

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Every member with its bytes, which have to be taken before the next one; its hash is checked at its end."""
        for member in self.contents.members:
            yield member, self._blocks(member)
        self._stream.finish()

    def _blocks(self, member: Member) -> Iterator[bytes]:
        left, hashed = member.size, hashlib.sha256()
        while left:
            block = self._stream.read(min(left, BLOCK))
            hashed.update(block)
            left -= len(block)
            yield block
        if hashed.digest() != member.sha256:
            raise BackupError(f"{member.name} in this backup is not what was put there: take another", "backup_damaged")


def find_head(path: Path) -> Head:
    """What everybody may read of a file; raise BackupError."""
    with path.open("rb") as file, _damage():
        return Head.from_bytes(read_head(file))


def write_archive(
    file: BinaryIO, head: Head, key: bytes, contents: Contents, sources: Mapping[str, Path | bytes], tell: Tell
) -> None:
    """Write a whole backup; `sources` are what the members are read from. Raise BackupError where one has changed."""
    stream = SealingStream(file, head.to_bytes(), key)
    packed = contents.to_bytes()
    stream.write(len(packed).to_bytes(4) + packed)
    for member in contents.members:
        hashed = hashlib.sha256()
        for block in read_blocks(sources[member.name]):
            hashed.update(block)
            stream.write(block)
            tell(len(block))
        if hashed.digest() != member.sha256:
            raise BackupError(f"{member.name} changed while it was copied: make the backup again", "backup_changed")
    stream.finish()


def check_archive(path: Path, opener: Opener | bytes, tell: Tell) -> tuple[Head, Contents]:
    """Read a whole backup and keep nothing; raise BackupError unless all of it is as it was written."""
    with path.open("rb") as file:
        archive = Archive(file, opener)
        for _, blocks in archive.members():
            for block in blocks:
                tell(len(block))
        return archive.head, archive.contents


def member_of(name: str, source: Path | bytes, tell: Tell) -> Member:
    """What the contents say of a file."""
    hashed, size = hashlib.sha256(), 0
    for block in read_blocks(source):
        hashed.update(block)
        size += len(block)
        tell(len(block))
    return Member(name, size, hashed.digest())


def read_blocks(source: Path | bytes) -> Iterator[bytes]:
    """The bytes of a source, a mebibyte at a time."""
    if isinstance(source, bytes):
        yield from (source[at : at + BLOCK] for at in range(0, len(source), BLOCK))
        return
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def check_names(contents: Contents, allowed: Collection[str]) -> None:
    """Raise BackupError where a member is none of those files: a name must not lead out of a folder."""
    names = [member.name for member in contents.members]
    strange = [name for name in names if name not in allowed]
    if strange or len(set(names)) != len(names):
        raise BackupError(
            f"this backup holds {', '.join(strange) or 'a file twice'}, which no node has: it was made by another "
            "program",
            "backup_foreign",
        )


def _member(item: codec.Value) -> Member:
    name, size, sha256 = codec.array(item, 3, "member")
    return Member(codec.text(name, "name"), codec.uint(size, "size"), codec.binary(sha256, 32, "hash"))


@contextmanager
def _damage() -> Iterator[None]:
    """Say of what cannot be decoded that the backup is damaged."""
    try:
        yield
    except CodecError as error:
        raise BackupError(
            f"the head or the contents of this backup cannot be read: {error}; take another copy", "backup_damaged"
        ) from error
