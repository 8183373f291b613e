"""A passport as one signed file: fragments with what is needed to check each of them with no node and no network.

`docs/files.md` is the form. A file is a manifest, signed by the node that wrote it, and parts that the manifest names
with size and hash: whatever bit changes is found, and told of the part, the fragment and the section that it is in.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from federation import codec
from federation.checkpoint import verify_checkpoint
from federation.errors import CodecError, FederationError, TransportError, VoidError
from federation.fragment import (
    Fragment,
    Header,
    check_sections,
    check_signature,
    commitment,
    decode_header,
    fragment_from_value,
)
from federation.genesis import Genesis
from federation.keys import SigningKey, verify_hash
from federation.log import LogStatement, decode_log_statement
from federation.merkle import verify_inclusion
from federation.organisation import Chain
from federation.statements import RootStatement, decode_root_statement
from node.exchange.errors import PassportFileError
from node.passport.cuts import as_told
from node.passport.fold import FOLD_VERSION, fold
from node.passport.statement import Statement, read_statement
from node.passport.view import View, digest
from node.passport.world import PUBLICATION_KINDS, build_world, is_standing

MAGIC = b"passport-file/1\n"
VERSION = 1
MAX_HEAD = 32 << 20
LATEST_US = 253_402_300_799_000_000  # the end of 9999
MAX_PARTS = 1 << 19
MAX_FILE = 1 << 30
LENGTH = 4


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
class Manifest:
    """Who wrote the file, when, for whom, about what; `digest` is of the view that folds from it."""

    org: bytes
    node: bytes
    made: int
    party: bytes | None
    subjects: tuple[bytes, ...]
    digest: bytes
    fold: int = FOLD_VERSION


@dataclass(frozen=True, slots=True)
class Entry:
    """A fragment of the file with its place, and its path to the checkpoint of its log where it is under one."""

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
class Finding:
    """Something that does not hold: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Checked:
    """What a file says and what of it holds; nothing is wrong where there are no findings."""

    manifest: Manifest
    genesis: Genesis | None = None
    chains: dict[bytes, Chain] = field(default_factory=dict)
    logs: dict[bytes, LogStatement] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    proven: int = 0
    view: View = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def write_file(key: SigningKey, manifest: Manifest, parts: Sequence[Part]) -> bytes:
    """The file, signed by the node's key."""
    rows: list[codec.Value] = [
        [int(part.kind), len(part.content), hashlib.sha256(part.content).digest(), part.log, part.seq] for part in parts
    ]
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
            rows,
        ]
    )
    head = codec.pack([raw, key.sign_hash("file", manifest_hash(raw))])
    return b"".join((MAGIC, len(head).to_bytes(LENGTH, "big"), head, *(part.content for part in parts)))


def manifest_hash(raw: bytes) -> bytes:
    """What the node signs of a manifest."""
    return hashlib.sha256(b"passport/file/1\n" + raw).digest()


def fold_file(subjects: Sequence[bytes], statements: Sequence[Statement], genesis: Genesis | None) -> View:
    """The view that follows from the statements of a file and nothing else."""
    told = [as_told(statement) for statement in statements]
    world = build_world(told, genesis)
    named = {statement.id: statement for statement in told if _names(statement, subjects)}
    return fold(subjects, named.values(), world)


def check_file(raw: bytes) -> Checked:
    """Check every bit of a file; raise PassportFileError where there is no manifest to check it by."""
    manifest, signed, signature, parts, findings = _read_head(raw)
    checked = Checked(manifest, findings=findings)
    damaged = {id(part) for part, is_whole in parts if not is_whole}
    by_kind: dict[PartKind, list[Part]] = {kind: [] for kind in PartKind}
    for part, _ in parts:
        by_kind[part.kind].append(part)
    _check_genesis(checked, by_kind[PartKind.GENESIS], damaged)
    _check_chains(checked, by_kind[PartKind.ROOT_STATEMENT], damaged)
    key = _key_of(checked, manifest.org, manifest.node)
    if key is None or not verify_hash(key, signature, "file", manifest_hash(signed)):
        findings.append(Finding("manifest", "its signature is not that of the node that it names"))
    roots = _check_logs(checked, by_kind[PartKind.LOG], damaged)
    for part in (*by_kind[PartKind.PUBLICATION], *by_kind[PartKind.ENTRY]):
        _check_entry(checked, part, roots, is_whole=id(part) not in damaged)
    checked.view = fold_file(manifest.subjects, checked.statements, checked.genesis)
    if manifest.fold == FOLD_VERSION and digest(checked.view) != manifest.digest:
        findings.append(Finding("manifest", "the view that folds from this file has another digest"))
    return checked


def _names(statement: Statement, subjects: Sequence[bytes]) -> bool:
    is_published = statement.kind in PUBLICATION_KINDS or is_standing(statement)
    return not is_published or bool({*statement.subjects} & {*subjects})


def _read_head(raw: bytes) -> tuple[Manifest, bytes, bytes, list[tuple[Part, bool]], list[Finding]]:
    start = len(MAGIC) + LENGTH
    if not raw.startswith(MAGIC) or len(raw) < start or len(raw) > MAX_FILE:
        raise PassportFileError("this is no passport file of version 1")
    end = start + int.from_bytes(raw[len(MAGIC) : start], "big")
    if end > len(raw) or end - start > MAX_HEAD:
        raise PassportFileError("the manifest is cut off, or its length was altered")
    try:
        signed, signature = codec.array(codec.unpack(raw[start:end], MAX_HEAD), 2, "head")
        manifest_raw = codec.binary(signed, None, "manifest", most=MAX_HEAD)
        manifest, rows = _read_manifest(manifest_raw)
        parts, findings = _cut(raw, end, rows)
        return manifest, manifest_raw, codec.binary(signature, 65, "signature"), parts, findings
    except CodecError as error:
        raise PassportFileError(f"the manifest was altered: {error}") from error


def _read_manifest(raw: bytes) -> tuple[Manifest, list[codec.Value]]:
    fields = codec.array(codec.unpack(raw, MAX_HEAD), 9, "manifest")
    codec.version(fields[0], VERSION)
    subjects = codec.array(fields[5], None, "subjects")
    made = codec.uint(fields[3], "made")
    if made > LATEST_US:
        raise CodecError("made: beyond the calendar")
    manifest = Manifest(
        codec.binary(fields[1], 16, "org"),
        codec.binary(fields[2], 16, "node"),
        made,
        codec.optional_binary(fields[4], 16, "party"),
        tuple(codec.binary(subject, 16, "subject") for subject in subjects),
        codec.binary(fields[6], 32, "digest"),
        codec.uint(fields[7], "fold"),
    )
    return manifest, codec.array(fields[8], None, "parts", most=MAX_PARTS)


def _cut(raw: bytes, at: int, rows: Sequence[codec.Value]) -> tuple[list[tuple[Part, bool]], list[Finding]]:
    """The parts, each with whether its hash is the manifest's."""
    parts: list[tuple[Part, bool]] = []
    findings: list[Finding] = []
    for row in rows:
        kind, size, expected, log, seq = codec.array(row, 5, "part")
        content = raw[at : at + codec.uint(size, "size")]
        at += codec.uint(size, "size")
        number = None if seq is None else codec.uint(seq, "seq")
        part = Part(_kind(codec.uint(kind, "kind")), content, codec.optional_binary(log, 16, "log"), number)
        if len(content) != size:
            findings.append(Finding(part.name, "the file is cut off before its end"))
        parts.append((part, hashlib.sha256(content).digest() == codec.binary(expected, 32, "hash")))
    if at < len(raw):
        findings.append(Finding("file", f"{len(raw) - at} bytes stand after its end"))
    return parts, findings


def _kind(number: int) -> PartKind:
    try:
        return PartKind(number)
    except ValueError as error:
        raise CodecError(f"no part is of kind {number}") from error


def _check_genesis(checked: Checked, parts: Sequence[Part], damaged: set[int]) -> None:
    for part in parts:
        if id(part) in damaged:
            checked.findings.append(Finding("genesis of the federation", "it was altered"))
            continue
        try:
            checked.genesis = Genesis.from_bytes(part.content)
        except FederationError as error:
            checked.findings.append(Finding("genesis of the federation", str(error)))


def _check_chains(checked: Checked, parts: Sequence[Part], damaged: set[int]) -> None:
    known: dict[bytes, list[RootStatement]] = {}
    for number, part in enumerate(parts):
        try:
            statement = decode_root_statement(part.content)
        except FederationError as error:
            checked.findings.append(Finding(f"root statement {number}", f"it was altered: {error}"))
            continue
        if id(part) in damaged:
            where = f"root statement {statement.n} of organisation {statement.org_id.hex()}"
            checked.findings.append(Finding(where, "it was altered"))
        known.setdefault(statement.org_id, []).append(statement)
    for org, statements in sorted(known.items()):
        try:
            chain = Chain(statements)
        except FederationError as error:
            checked.findings.append(Finding(f"organisation {org.hex()}", str(error)))
            continue
        checked.chains[org] = chain
        for statement, why in chain.refused:
            checked.findings.append(Finding(f"root statement {statement.n} of organisation {org.hex()}", why))


def _check_logs(checked: Checked, parts: Sequence[Part], damaged: set[int]) -> dict[bytes, tuple[int, bytes]]:
    """Size and root of each log's checkpoint, where it has one that holds."""
    roots: dict[bytes, tuple[int, bytes]] = {}
    for part in parts:
        before = len(checked.findings)
        try:
            envelope, note = codec.array(codec.unpack(part.content), 2, "log")
            statement = decode_log_statement(codec.binary(envelope, None, "statement"))
            key = _key_of(checked, statement.org, statement.node)
            if key is None:
                raise CodecError("no root statement here names its node")
            statement.check_signed_by(key)
            checked.logs[statement.log_id] = statement
            if note is not None:
                said = verify_checkpoint(codec.binary(note, None, "checkpoint"), statement.log_id, key)
                roots[statement.log_id] = (said.size, said.root)
        except FederationError as error:
            checked.findings.append(Finding(part.name, str(error)))
        if id(part) in damaged and len(checked.findings) == before:
            checked.findings.append(Finding(part.name, "it was altered"))
    return roots


def _check_entry(checked: Checked, part: Part, roots: Mapping[bytes, tuple[int, bytes]], *, is_whole: bool) -> None:
    entry = _read_entry(part)
    statement = checked.logs.get(entry.log) if entry else None
    if entry is None or statement is None:
        what = "it was altered and cannot be read" if entry is None else "its log is not here"
        checked.findings.append(Finding(part.name, what))
        return
    key = _key_of(checked, statement.org, statement.node)
    found = list(_faults(entry, key or b"", roots.get(entry.log)))
    if not is_whole and not found:
        found.append("a sealed section, its proof or its place was altered")
    checked.findings += [Finding(part.name, what) for what in found]
    if found:
        return
    checked.entries.append(entry)
    checked.proven += entry.proof is not None
    header = decode_header(entry.fragment.header, entry.log, entry.seq)
    if checked.chains[statement.org].counts(statement.node):
        checked.statements.append(read_statement(entry.fragment, header, statement.org))


def _read_entry(part: Part) -> Entry | None:
    try:
        log, seq, value, proof = codec.array(codec.unpack(part.content, MAX_HEAD), 4, "entry")
        fragment = fragment_from_value(value)
        path = None if proof is None else _read_proof(proof)
        place = (codec.binary(log, 16, "log"), codec.uint(seq, "seq"))
    except (CodecError, TransportError):
        return None
    if place != (part.log, part.seq):
        return None
    return Entry(*place, fragment, path, part.kind is PartKind.PUBLICATION)


def _read_proof(value: codec.Value) -> tuple[int, tuple[bytes, ...]]:
    size, path = codec.array(value, 2, "proof")
    hashes = codec.array(path, None, "path", most=64)
    return codec.uint(size, "size"), tuple(codec.binary(item, 32, "path") for item in hashes)


def _faults(entry: Entry, key: bytes, root: tuple[int, bytes] | None) -> Iterator[str]:
    """What does not hold of an entry, section by section."""
    fragment = entry.fragment
    try:
        header = decode_header(fragment.header, entry.log, entry.seq)
        check_signature(fragment, key)
    except VoidError as error:
        yield f"the header or the signature was altered: {error}"
        return
    named = list(_broken_sections(fragment, header))
    yield from (f"section {name} was altered: it is not under its commitment" for name in named)
    if not named:
        try:
            check_sections(fragment, header)
        except TransportError as error:
            yield str(error)
    if entry.proof is not None:
        try:
            _check_proof(entry, root)
        except FederationError as error:
            yield f"its proof was altered: {error}"


def _broken_sections(fragment: Fragment, header: Header) -> Iterator[str]:
    for section in fragment.sections:
        head = header.section(section.name)
        if head is None or section.salt is None:
            continue
        if commitment(header.log, section.name, section.salt, section.data) != head.commitment:
            yield section.name


def _check_proof(entry: Entry, root: tuple[int, bytes] | None) -> None:
    if root is None or entry.proof is None or entry.proof[0] != root[0]:
        raise CodecError("the checkpoint of its size is not here")
    verify_inclusion(entry.fragment.leaf, entry.seq, root[0], entry.proof[1], root[1])


def _key_of(checked: Checked, org: bytes, node: bytes) -> bytes | None:
    chain = checked.chains.get(org)
    entry = chain.node(node) if chain else None
    return entry.sign_key if entry else None
