"""Checking a passport file: whatever bit changes is found, and told of the part, the fragment and the section.

What holds is folded, and the view must have the digest that the file names: this is what a node does beyond
`verify_passport.py`, which proves the same with no node and no fold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from federation import codec
from federation.checkpoint import verify_checkpoint
from federation.cut import CutRow
from federation.errors import CodecError, FederationError, TransportError, VoidError
from federation.fragment import (
    Header,
    SectionClass,
    check_sections,
    check_signature,
    commitment,
    decode_header,
    fragment_from_value,
)
from federation.genesis import Genesis
from federation.keys import verify_hash
from federation.log import LogStatement, decode_log_statement
from federation.merkle import verify_inclusion
from federation.organisation import MAX_KEPT, Chain, NodeEntry
from federation.statements import RootStatement, decode_root_statement
from node.exchange.passport_file import (
    MAX_HEAD,
    CutPart,
    Entry,
    Manifest,
    Part,
    PartKind,
    count_withheld,
    cut_file,
    fold_file,
    manifest_hash,
)
from node.passport.attestations import count_attestations
from node.passport.fold import FOLD_VERSION
from node.passport.statement import Statement, read_statement
from node.passport.view import View, digest

Root = tuple[int, bytes]  # size and root of a tree
MAX_ROUNDS = 8  # of anchors who choose a branch, of anchors whose own chain was forked


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class LogRoots:
    """The signed roots of a log: that of its checkpoint, and those that a cut of its ended node keeps."""

    node: NodeEntry
    checkpoint: frozenset[Root] = frozenset()
    kept: frozenset[Root] = frozenset()


@dataclass(slots=True)
class Checked:
    """What a file says and what of it holds; nothing is wrong where there are no findings."""

    manifest: Manifest
    genesis: Genesis | None = None
    chains: dict[bytes, Chain] = field(default_factory=dict)
    logs: dict[bytes, LogStatement] = field(default_factory=dict)
    roots: dict[bytes, LogRoots] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    said: list[Statement] = field(default_factory=list)
    proven: int = 0
    view: View = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def check_file(raw: bytes) -> Checked:
    """Check every bit of a file; raise PassportFileError where there is no manifest to check it by."""
    cut = cut_file(raw)
    attested: dict[bytes, frozenset[bytes]] = {}
    for _ in range(MAX_ROUNDS):  # anchors choose the branch of a forked chain, and may be forked themselves
        checked = _check_parts(cut.manifest, cut.parts, attested)
        chosen = count_attestations(checked.statements, checked.genesis).branches
        if chosen == attested:
            break
        attested = chosen
    manifest, findings = cut.manifest, checked.findings
    key = _key_of(checked, manifest.org, manifest.node)
    if key is None or not verify_hash(key, cut.signature, "file", manifest_hash(cut.signed, manifest.version)):
        findings.insert(0, Finding("manifest", "its signature is not that of the node that it names"))
    elif (node := _node_of(checked, manifest.org, manifest.node)) and (node.disowned or node.ended is not None):
        findings.insert(0, Finding("manifest", "its node was ended before it, as its own chain here says"))
    if cut.size != len(raw):
        findings.insert(0, Finding("file", _size_told(cut.size, len(raw))))
    if manifest.version > 1 and not findings and count_withheld(checked.said) != manifest.withheld:
        findings.append(Finding("manifest", "it counts other withheld parts than there are"))
    checked.view = fold_file(manifest.subjects, checked.statements, checked.genesis)
    if manifest.fold == FOLD_VERSION and digest(checked.view) != manifest.digest:
        findings.append(Finding("manifest", "the view that folds from this file has another digest"))
    return checked


def _size_told(expected: int, size: int) -> str:
    return f"{size - expected} bytes stand after its end" if size > expected else "it is cut off before its end"


def _check_parts(manifest: Manifest, parts: Sequence[CutPart], attested: Mapping[bytes, frozenset[bytes]]) -> Checked:
    checked = Checked(manifest)
    by_kind: dict[PartKind, list[CutPart]] = {kind: [] for kind in PartKind}
    for one in parts:
        by_kind[one.part.kind].append(one)
    _check_order(checked, parts)
    _check_genesis(checked, by_kind[PartKind.GENESIS])
    _check_chains(checked, by_kind[PartKind.ROOT_STATEMENT], attested)
    _check_logs(checked, by_kind[PartKind.LOG])
    for one in (*by_kind[PartKind.PUBLICATION], *by_kind[PartKind.ENTRY]):
        _check_entry(checked, one)
    return checked


def _check_order(checked: Checked, parts: Sequence[CutPart]) -> None:
    """The genesis, logs and entries stand in this order and once each; logs and places ascend."""
    last: tuple[int, bytes, int] | None = None
    for part in (one.part for one in parts if one.part.kind is not PartKind.ROOT_STATEMENT):
        place = (min(part.kind, PartKind.ENTRY), part.log or b"", part.seq or 0)
        if last is not None and last >= place:
            checked.findings.append(Finding(part.name, "its place stands twice or out of order"))
        last = place


def _check_genesis(checked: Checked, parts: Sequence[CutPart]) -> None:
    for one in parts:
        if not one.is_whole:
            checked.findings.append(Finding("genesis of the federation", "it was altered"))
            continue
        try:
            checked.genesis = Genesis.from_bytes(one.part.content)
        except FederationError as error:
            checked.findings.append(Finding("genesis of the federation", str(error)))


def _check_chains(checked: Checked, parts: Sequence[CutPart], attested: Mapping[bytes, frozenset[bytes]]) -> None:
    known: dict[bytes, list[RootStatement]] = {}
    for number, one in enumerate(parts):
        try:
            statement = decode_root_statement(one.part.content)
        except FederationError as error:
            checked.findings.append(Finding(f"root statement {number}", f"it was altered: {error}"))
            continue
        if not one.is_whole:
            where = f"root statement {statement.n} of organisation {statement.org_id.hex()}"
            checked.findings.append(Finding(where, "it was altered"))
        known.setdefault(statement.org_id, []).append(statement)
    for org, statements in sorted(known.items()):
        try:
            if len(statements) > MAX_KEPT:
                raise CodecError(f"{len(statements)} root statements, at most {MAX_KEPT}")
            chain = Chain(statements, attested.get(org, ()))
        except FederationError as error:
            checked.findings.append(Finding(f"organisation {org.hex()}", str(error)))
            continue
        checked.chains[org] = chain
        for statement, why in chain.refused:
            checked.findings.append(Finding(f"root statement {statement.n} of organisation {org.hex()}", why))


def _check_logs(checked: Checked, parts: Sequence[CutPart]) -> None:
    for one in parts:
        try:
            _check_log(checked, one.part)
        except FederationError as error:
            checked.findings.append(Finding(one.part.name, str(error)))
        else:
            if not one.is_whole:
                checked.findings.append(Finding(one.part.name, "it was altered"))


def _check_log(checked: Checked, part: Part) -> None:
    envelope, note = codec.array(codec.unpack(part.content), 2, "log")
    statement = decode_log_statement(codec.binary(envelope, None, "statement"))
    if (part.log, part.seq) != (statement.log_id, None):
        raise CodecError("it is not the log that the manifest names")
    node = _node_of(checked, statement.org, statement.node)
    if node is None:
        raise CodecError("no root statement here names its node")
    statement.check_signed_by(node.sign_key)
    checked.logs[statement.log_id] = statement
    checkpoint: frozenset[Root] = frozenset()
    if note is not None:
        said = verify_checkpoint(codec.binary(note, None, "checkpoint"), statement.log_id, node.sign_key)
        checkpoint = frozenset({(said.size, said.root)})
    kept = frozenset((row.size, row.root) for row in _rows_of(node, statement.log_id))
    checked.roots[statement.log_id] = LogRoots(node, checkpoint, kept)


def _rows_of(node: NodeEntry, log: bytes) -> Iterator[CutRow]:
    """What the cuts of an ended node say of a log."""
    cuts = (node.ended, *node.earlier) if node.ended is not None else ()
    return (row for cut in cuts for row in cut.rows if row.log == log)


def _check_entry(checked: Checked, one: CutPart) -> None:
    part = one.part
    entry = _read_entry(part)
    roots = checked.roots.get(entry.log) if entry else None
    if entry is None or roots is None:
        what = "it was altered and cannot be read" if entry is None else "its log is not here"
        checked.findings.append(Finding(part.name, what))
        return
    found = list(_faults(entry, roots))
    counts = _counts(checked.manifest, entry, roots)
    if checked.manifest.version > 1 and not found and not counts:
        found.append("it does not count: its node was ended before it")
    if not one.is_whole and not found:
        found.append("its proof or its place was altered")
    checked.findings += [Finding(part.name, what) for what in found]
    if found:
        return
    checked.entries.append(entry)
    checked.proven += entry.proof is not None
    if counts:
        header = decode_header(entry.fragment.header, entry.log, entry.seq)
        statement = read_statement(entry.fragment, header, checked.logs[entry.log].org)
        checked.statements.append(statement)
        if not entry.is_publication:
            checked.said.append(statement)


def _counts(manifest: Manifest, entry: Entry, roots: LogRoots) -> bool:
    """Whether it counts by its organisation's chain: what an ended node said, by its proof under a cut.

    A file of version 1 proves by checkpoints alone: its writer answers for where the cut was.
    """
    if roots.node.disowned:
        return False
    if roots.node.ended is None or manifest.version == 1:
        return True
    return entry.proof is not None and any(_is_under(entry, root) for root in roots.kept)


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


def _faults(entry: Entry, roots: LogRoots) -> Iterator[str]:
    """What does not hold of an entry, section by section."""
    fragment = entry.fragment
    try:
        header = decode_header(fragment.header, entry.log, entry.seq)
        check_signature(fragment, roots.node.sign_key)
    except VoidError as error:
        yield f"the header or the signature was altered: {error}"
        return
    named = list(_broken_sections(entry, header))
    yield from named
    if not named:
        try:
            check_sections(fragment, header)
        except TransportError as error:
            yield str(error)
    if entry.proof is not None and not any(_is_under(entry, root) for root in roots.checkpoint | roots.kept):
        yield "its proof was altered: it is not under a root of its log that is signed here"


def _broken_sections(entry: Entry, header: Header) -> Iterator[str]:
    for section in entry.fragment.sections:
        head = header.section(section.name)
        if head is None:
            continue
        if section.salt is None or head.klass == SectionClass.SECRET:
            yield f"section {section.name}: no file holds what is sealed or secret"
        elif commitment(header.log, section.name, section.salt, section.data) != head.commitment:
            yield f"section {section.name} was altered: it is not under its commitment"


def _is_under(entry: Entry, root: Root) -> bool:
    if entry.proof is None or entry.proof[0] != root[0]:
        return False
    try:
        verify_inclusion(entry.fragment.leaf, entry.seq, root[0], entry.proof[1], root[1])
    except FederationError:
        return False
    return True


def _node_of(checked: Checked, org: bytes, node: bytes) -> NodeEntry | None:
    chain = checked.chains.get(org)
    return chain.node(node) if chain else None


def _key_of(checked: Checked, org: bytes, node: bytes) -> bytes | None:
    entry = _node_of(checked, org, node)
    return entry.sign_key if entry else None
