"""A passport as one signed file: fragments with what is needed to check each of them with no node and no network.

`docs/files.md` is the form. A file is a manifest, signed by the node that wrote it, and parts that the manifest names
with size and hash. Files of version 1 are read; they do not name profile, note and what is withheld.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib import resources

from federation import codec
from federation.errors import CodecError
from federation.fragment import Fragment
from federation.genesis import Genesis
from federation.keys import SigningKey
from node.exchange.errors import PassportFileError
from node.passport.cuts import as_told
from node.passport.erasures import as_erased
from node.passport.fold import FOLD_VERSION, fold
from node.passport.statement import Statement
from node.passport.view import View
from node.passport.world import World, build_world, is_published

MAGIC = b"passport-file/2\n"
VERSIONS = {b"passport-file/1\n": 1, MAGIC: 2}
VERSION = 2
MAX_HEAD = 32 << 20
MAX_NOTE = 1024
MAX_SUBJECTS = 1 << 16
LATEST_US = 253_402_300_800_000_000  # the year 10000
MAX_PARTS = 1 << 19
MAX_FILE = 1 << 30
LENGTH = 4

VERIFIER = "verify_passport.py"

Withheld = tuple[tuple[int, str, int], ...]


class PartKind(IntEnum):
    """What a part is."""

    GENESIS = 1
    ROOT_STATEMENT = 2
    LOG = 3
    ENTRY = 4
    PUBLICATION = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A part with what the manifest says of it; an entry and a log are named by log and place."""

    kind: PartKind
    content: bytes
    log: bytes | None = None
    seq: int | None = None

    @property
    def name(self) -> str:
        """How a person is told of it."""
        if self.kind in {PartKind.ENTRY, PartKind.PUBLICATION} and self.log is not None:
            return f"entry {self.seq} of log {self.log.hex()}"
        return f"log {self.log.hex()}" if self.log is not None else self.kind.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class ProfileName:
    """Under which profile a file was written: name, version, and the id of its publication where it has one."""

    name: str
    version: str
    publication: bytes | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who wrote the file, when, for whom, about what; `digest` is of the view that folds from it.

    `withheld` counts the sections that are not here of each class and name, `left_out` statements of which nothing is.
    """

    org: bytes
    node: bytes
    made: int
    party: bytes | None
    subjects: tuple[bytes, ...]
    digest: bytes
    fold: int = FOLD_VERSION
    note: str = ""
    profile: ProfileName | None = None
    withheld: Withheld = ()
    left_out: int = 0
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Entry:
    """A fragment of the file with its place, and its path to a signed root of its log where it is under one."""

    log: bytes
    seq: int
    fragment: Fragment
    proof: tuple[int, tuple[bytes, ...]] | None
    is_publication: bool = False

    def to_part(self) -> Part:
        """As it stands in the file."""
        proof: codec.Value = None if self.proof is None else [self.proof[0], list(self.proof[1])]
        kind = PartKind.PUBLICATION if self.is_publication else PartKind.ENTRY
        content = codec.pack([self.log, self.seq, self.fragment.to_value(), proof])
        return Part(kind, content, self.log, self.seq)


@dataclass(frozen=True, slots=True)
class CutPart:
    """A part as it was cut out of a file, and whether it is what the manifest names."""

    part: Part
    is_whole: bool


@dataclass(frozen=True, slots=True)
class CutFile:
    """A file cut at its seams, nothing of it checked; `size` is what its parts should have together with the head."""

    manifest: Manifest
    signed: bytes
    signature: bytes
    parts: tuple[CutPart, ...]
    size: int


def write_file(key: SigningKey, manifest: Manifest, parts: Sequence[Part]) -> bytes:
    """The file, signed by the node's key."""
    rows: list[codec.Value] = [
        [int(part.kind), len(part.content), hashlib.sha256(part.content).digest(), part.log, part.seq] for part in parts
    ]
    profile = manifest.profile
    raw = codec.pack(
        [
            VERSION,
            manifest.org,
            manifest.node,
            manifest.made,
            manifest.party,
            list(manifest.subjects),
            manifest.digest,
            manifest.fold,
            manifest.note,
            [profile.name, profile.version, profile.publication] if profile else None,
            [list(row) for row in manifest.withheld],
            manifest.left_out,
            rows,
        ]
    )
    head = codec.pack([raw, key.sign_hash("file", manifest_hash(raw))])
    return b"".join((MAGIC, len(head).to_bytes(LENGTH, "big"), head, *(part.content for part in parts)))


def read_program() -> bytes:
    """The program with which anybody checks such files: one plain file of Python."""
    return resources.files("node.exchange").joinpath(VERIFIER).read_bytes()


def manifest_hash(raw: bytes, version: int = VERSION) -> bytes:
    """What the node signs of a manifest."""
    return hashlib.sha256(b"passport/file/%d\n" % version + raw).digest()


def count_withheld(statements: Iterable[Statement]) -> Withheld:
    """How many sections of each class and name are not here."""
    counted = Counter((klass, name) for statement in statements for name, klass in statement.withheld)
    return tuple((klass, name, count) for (klass, name), count in sorted(counted.items()))


def fold_file(
    subjects: Sequence[bytes], statements: Sequence[Statement], genesis: Genesis | None, world: World | None = None
) -> View:
    """The view that follows from the statements of a file and nothing else, or in a `world` that is known."""
    told = [as_told(statement) for statement in as_erased(statements, genesis)]
    world = world or build_world(told, genesis)
    named = {statement.id: statement for statement in told if _names(statement, subjects, genesis)}
    return fold(subjects, named.values(), world)


def cut_file(raw: bytes) -> CutFile:
    """Read the manifest and cut the parts; raise PassportFileError where there is no manifest to check them by."""
    start = len(MAGIC) + LENGTH
    version = VERSIONS.get(raw[: len(MAGIC)])
    if version is None or len(raw) < start or len(raw) > MAX_FILE:
        raise PassportFileError("this is no passport file of version 1 or 2")
    end = start + int.from_bytes(raw[len(MAGIC) : start], "big")
    if end > len(raw) or end - start > MAX_HEAD:
        raise PassportFileError("the manifest is cut off, or its length was altered")
    try:
        signed, signature = codec.array(codec.unpack(raw[start:end], MAX_HEAD), 2, "head")
        manifest_raw = codec.binary(signed, None, "manifest", most=MAX_HEAD)
        manifest, rows = _read_manifest(manifest_raw, version)
        parts, size = _cut(raw, end, rows)
        return CutFile(manifest, manifest_raw, codec.binary(signature, 65, "signature"), parts, size)
    except CodecError as error:
        raise PassportFileError(f"the manifest was altered: {error}") from error


def _names(statement: Statement, subjects: Sequence[bytes], genesis: Genesis | None) -> bool:
    return not is_published(statement, genesis) or bool({*statement.subjects} & {*subjects})


def _read_manifest(raw: bytes, version: int) -> tuple[Manifest, list[codec.Value]]:
    fields = codec.array(codec.unpack(raw, MAX_HEAD), 9 if version == 1 else 13, "manifest")
    codec.version(fields[0], version)
    subjects = codec.array(fields[5], None, "subjects", most=MAX_SUBJECTS)
    made = codec.uint(fields[3], "made")
    if made >= LATEST_US:
        raise CodecError("made: beyond the calendar")
    if not subjects or len({*map(repr, subjects)}) < len(subjects):
        raise CodecError("subjects: at least one, and each once")
    note, profile, withheld, left_out = fields[8:12] if version > 1 else ["-", None, [], 0]
    manifest = Manifest(
        codec.binary(fields[1], 16, "org"),
        codec.binary(fields[2], 16, "node"),
        made,
        codec.optional_binary(fields[4], 16, "party"),
        tuple(codec.binary(subject, 16, "subject") for subject in subjects),
        codec.binary(fields[6], 32, "digest"),
        codec.uint(fields[7], "fold"),
        codec.text(note, "note", most=MAX_NOTE),
        None if profile is None else _read_profile(profile),
        _read_withheld(withheld),
        codec.uint(left_out, "left out"),
        version,
    )
    return manifest, codec.array(fields[-1], None, "parts", most=MAX_PARTS)


def _read_profile(value: codec.Value) -> ProfileName:
    name, version, publication = codec.array(value, 3, "profile")
    shown = codec.text(name, "profile"), codec.text(version, "profile's version")
    return ProfileName(*shown, codec.optional_binary(publication, 32, "profile's publication"))


def _read_withheld(value: codec.Value) -> Withheld:
    found = []
    for row in codec.array(value, None, "withheld"):
        klass, name, count = codec.array(row, 3, "withheld")
        found.append((codec.uint(klass, "class"), codec.text(name, "section", most=24), codec.uint(count, "count")))
    return tuple(found)


def _cut(raw: bytes, at: int, rows: Sequence[codec.Value]) -> tuple[tuple[CutPart, ...], int]:
    parts: list[CutPart] = []
    for row in rows:
        kind, size, expected, log, seq = codec.array(row, 5, "part")
        content = raw[at : at + codec.uint(size, "size")]
        at += codec.uint(size, "size")
        number = None if seq is None else codec.uint(seq, "seq")
        part = Part(_kind(codec.uint(kind, "kind")), content, codec.optional_binary(log, 16, "log"), number)
        is_whole = hashlib.sha256(content).digest() == codec.binary(expected, 32, "hash")
        parts.append(CutPart(part, is_whole and len(content) == size))
    return tuple(parts), at


def _kind(number: int) -> PartKind:
    try:
        return PartKind(number)
    except ValueError as error:
        raise CodecError(f"no part is of kind {number}") from error
