"""Fragments: one signed statement about one subject, as bytes.

A header of exactly eleven fields is signed; each section is committed to by a salted hash, so that a section can be
withheld without breaking the signature. `docs/protocol.md` section 3 is the rule.

Three faults are told apart. *Void*: the author's, seen from header, signature and log statement alone; the leaf counts,
nothing reads it. *Transport*: the sender's; nothing is stored. *Shown*: readable with a flaw beside it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import msgpack

from federation import codec
from federation.errors import CodecError, LimitError, TransportError, VoidError
from federation.keys import SIGNATURE_SIZE, SigningKey, verify_hash
from federation.merkle import leaf_hash

VERSION = 1
MAX_HEADER = 4096
MAX_SECTION = 256 * 1024
MAX_SECTIONS_TOTAL = 1024 * 1024 - 8 * 1024
MAX_FRAGMENT = 1024 * 1024 + 64 * 1024
SEALED_OVERHEAD = 128
SALT_SIZE = 16
PADDED_FROM = 3
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_./-")


class SectionClass(IntEnum):
    """Who may be shown a section; a class outside this list is given to nobody."""

    PUBLIC = 0
    AUTHORITY = 1
    TECHNICAL = 2
    COMMERCIAL = 3
    PERSONAL = 4
    SECRET = 5


class Ref(NamedTuple):
    """One entry of one log: its place and the first half of its id. A fold hashes and compares them by the thousand."""

    log: bytes
    seq: int
    id16: bytes


@dataclass(frozen=True, slots=True)
class SectionHead:
    """What a header says of a section: `size` counts the committed bytes, padding included."""

    name: str
    commitment: bytes
    size: int
    klass: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section as it travels: committed bytes in clear with their salt, or sealed to one box key (salt None)."""

    name: str
    salt: bytes | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """The eleven signed fields; times in microseconds since 1970."""

    log: bytes
    seq: int
    stamp: int
    kind: int
    subjects: tuple[bytes, ...]
    occurred: int
    prev: int | None
    refs: tuple[Ref, ...]
    auth: tuple[Ref, ...]
    sections: tuple[SectionHead, ...]
    version: int = VERSION

    @property
    def subject(self) -> bytes:
        """The subject that is spoken about; the others only route."""
        return self.subjects[0]

    def section(self, name: str) -> SectionHead | None:
        """The section of that name."""
        return next((head for head in self.sections if head.name == name), None)

    def to_bytes(self) -> bytes:
        """The canonical header."""
        return codec.pack(
            [
                self.version,
                self.log,
                self.seq,
                self.stamp,
                self.kind,
                list(self.subjects),
                self.occurred,
                self.prev,
                [[ref.log, ref.seq, ref.id16] for ref in self.refs],
                [[ref.log, ref.seq, ref.id16] for ref in self.auth],
                [[s.name, s.commitment, s.size, s.klass] for s in self.sections],
            ]
        )


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment as it travels: the header's bytes are never written again."""

    header: bytes
    signature: bytes
    sections: tuple[Section, ...] = ()

    @property
    def id(self) -> bytes:
        """SHA-256(0x10 || header)."""
        return fragment_id(self.header)

    @property
    def leaf(self) -> bytes:
        """The RFC 6962 leaf hash over id || signature."""
        return leaf_hash(self.id + self.signature)

    def section(self, name: str) -> Section | None:
        """The section of that name, if it came along."""
        return next((section for section in self.sections if section.name == name), None)

    def to_value(self) -> codec.Value:
        """The array that travels."""
        return [self.header, self.signature, [[s.name, s.salt, s.data] for s in self.sections]]

    def to_bytes(self) -> bytes:
        """The canonical envelope."""
        return codec.pack(self.to_value())


def fragment_id(header: bytes) -> bytes:
    """SHA-256(0x10 || header)."""
    return hashlib.sha256(b"\x10" + header).digest()


def commitment(log: bytes, name: str, salt: bytes, data: bytes) -> bytes:
    """SHA-256(0x12 || log || name length || name || salt || bytes)."""
    encoded = name.encode()
    return hashlib.sha256(b"\x12" + log + bytes([len(encoded)]) + encoded + salt + data).digest()


def pad(content: bytes) -> bytes:
    """Class 3 and above: 4-byte length || content || zeros up to the smallest 64 * 2**k bytes."""
    size = 64
    while size < len(content) + 4:
        size *= 2
    return len(content).to_bytes(4, "big") + content + bytes(size - len(content) - 4)


def unpad(data: bytes) -> bytes:
    """Undo `pad`; raise CodecError if the padding is not exactly that."""
    length = int.from_bytes(data[:4], "big")
    content = data[4 : 4 + length]
    if len(data) < 4 or len(content) != length or pad(content) != data:
        raise CodecError("the section's padding is wrong")
    return content


def section_content(head: SectionHead, data: bytes) -> bytes:
    """The content of committed bytes; raise CodecError where size or padding is wrong ("unreadable")."""
    if len(data) != head.size:
        raise CodecError(f"section {head.name}: {len(data)} bytes, the header says {head.size}")
    return unpad(data) if head.klass >= PADDED_FROM else data


def decode_fragment(raw: bytes) -> Fragment:
    """Read an envelope; raise TransportError."""
    try:
        return fragment_from_value(codec.unpack(raw, MAX_FRAGMENT))
    except CodecError as error:
        raise TransportError(f"fragment: {error}") from error


def fragment_from_value(value: codec.Value) -> Fragment:
    """Read the travelling array; raise TransportError."""
    try:
        header, signature, sections = codec.array(value, 3, "fragment")
        return Fragment(
            codec.binary(header, None, "header", most=MAX_HEADER),
            codec.binary(signature, SIGNATURE_SIZE, "signature"),
            tuple(_section(item) for item in codec.array(sections, None, "sections", most=16)),
        )
    except CodecError as error:
        raise TransportError(f"fragment: {error}") from error


def decode_header(raw: bytes, log: bytes, seq: int) -> Header:
    """Read a header that stands at `seq` of `log`; raise VoidError.

    A later version keeps canonical form, limits and the first six fields; its further fields are empty here.
    """
    try:
        fields = codec.array(codec.unpack(raw, MAX_HEADER), None, "header")
        version = codec.uint(fields[0] if fields else None, "version", least=1)
        if version > VERSION:
            return _header(version, [*codec.array(fields, None, "header")[:6], 0, None, [], [], []], log, seq)
        return _header(version, codec.array(fields, 11, "header"), log, seq)
    except CodecError as error:
        raise VoidError(f"log {log.hex()} seq {seq}: {error}") from error


def read_header(raw: bytes, log: bytes, seq: int) -> Header:
    """The same of a header that `decode_header` took before it was stored: its limits are not checked again.

    What is no longer such a header raises VoidError too; whether it is what was signed, a check of the store tells.
    """
    try:
        version, own, place, stamp, kind, subjects, occurred, prev, refs, auth, sections = msgpack.unpackb(raw)
        if version == VERSION and own == log and place == seq:
            heads = tuple(SectionHead(*head) for head in sections)
            named, grounds = ([Ref(*ref) for ref in found] for found in (refs, auth))
            return Header(log, seq, stamp, kind, tuple(subjects), occurred, prev, tuple(named), tuple(grounds), heads)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException):
        pass
    return decode_header(raw, log, seq)


def check_signature(fragment: Fragment, sign_key: bytes) -> None:
    """Raise VoidError unless the log's 33-byte sign key signed the header."""
    if not verify_hash(sign_key, fragment.signature, "fragment", fragment.id):
        raise VoidError(f"entry {fragment.id.hex()}: the signature is not of the log's key")


def check_sections(fragment: Fragment, header: Header) -> None:
    """Require each section that came to be named in header order and under its commitment; raise TransportError.

    What a later version says of its sections is unknown here: the caller drops them, unread and unstored.
    """
    if header.version > VERSION:
        return
    order = [head.name for head in header.sections]
    came = [section.name for section in fragment.sections]
    positions = [order.index(name) if name in order else -1 for name in came]
    if any(left >= right for left, right in zip([-1, *positions], positions, strict=False)):
        raise TransportError(f"entry {fragment.id.hex()}: sections {came} are not those of the header, in its order")
    for section, position in zip(fragment.sections, positions, strict=True):
        _check_section(fragment, header, header.sections[position], section)


@dataclass(frozen=True, slots=True)
class NewSection:
    """Content for a section to be written, not yet padded; `salt` is 16 fresh random bytes."""

    name: str
    content: bytes
    klass: int
    salt: bytes


def sign_fragment(
    key: SigningKey,
    *,
    log: bytes,
    seq: int,
    stamp: int,
    kind: int,
    subjects: Sequence[bytes],
    occurred: int,
    sections: Sequence[NewSection],
    prev: int | None = None,
    refs: Sequence[Ref] = (),
    auth: Sequence[Ref] = (),
) -> tuple[Fragment, Header]:
    """Write and sign a fragment with all its sections in clear; raise CodecError where it would be void.

    Its header comes along as whoever gets the fragment reads it.
    """
    clear = [Section(s.name, s.salt, pad(s.content) if s.klass >= PADDED_FROM else s.content) for s in sections]
    heads = tuple(
        SectionHead(s.name, commitment(log, s.name, new.salt, s.data), len(s.data), new.klass)
        for s, new in zip(clear, sections, strict=True)
    )
    header = Header(log, seq, stamp, kind, tuple(subjects), occurred, prev, tuple(refs), tuple(auth), heads)
    raw = header.to_bytes()
    try:
        read = decode_header(raw, log, seq)
    except VoidError as error:
        raise CodecError(str(error)) from error
    return Fragment(raw, key.sign_hash("fragment", fragment_id(raw)), tuple(clear)), read


def _header(version: int, fields: list[codec.Value], log: bytes, seq: int) -> Header:
    if len(fields) < 11:
        raise CodecError(f"header: a later version keeps six fields, got {len(fields) - 5}")
    header = Header(
        codec.binary(fields[1], 16, "log"),
        codec.uint(fields[2], "seq"),
        codec.uint(fields[3], "stamp"),
        codec.uint(fields[4], "kind", least=1),
        _subjects(fields[5]),
        codec.uint(fields[6], "occurred-at"),
        None if fields[7] is None else codec.uint(fields[7], "prev"),
        _refs(fields[8], "refs", 16),
        _refs(fields[9], "auth", 8),
        _section_heads(fields[10], version),
        version,
    )
    if header.log != log or header.seq != seq:
        raise CodecError(f"the header says log {header.log.hex()} seq {header.seq}")
    return header


def _subjects(value: codec.Value) -> tuple[bytes, ...]:
    items = codec.array(value, None, "subjects", most=4)
    subjects = tuple(codec.binary(item, 16, "subject") for item in items)
    if not subjects or len(set(subjects)) != len(subjects):
        raise CodecError("subjects: 1 to 4, each once")
    return subjects


def _refs(value: codec.Value, what: str, most: int) -> tuple[Ref, ...]:
    refs = []
    for item in codec.array(value, None, what, most=most):
        log, seq, id16 = codec.array(item, 3, what)
        refs.append(
            Ref(codec.binary(log, 16, what), codec.uint(seq, what), codec.binary(id16, 16, what)),
        )
    if len(set(refs)) != len(refs):
        raise CodecError(f"{what}: one entry is named twice")
    return tuple(refs)


def _section_heads(value: codec.Value, version: int) -> tuple[SectionHead, ...]:
    heads = tuple(_section_head(item) for item in codec.array(value, None, "sections", most=16))
    if version > VERSION:
        return heads
    if not heads:
        raise CodecError("sections: 1 to 16")
    if len({head.name for head in heads}) != len(heads):
        raise CodecError("sections: one name stands twice")
    if sum(head.size for head in heads) > MAX_SECTIONS_TOTAL:
        raise LimitError(f"sections: more than {MAX_SECTIONS_TOTAL} bytes together")
    return heads


def _section_head(value: codec.Value) -> SectionHead:
    name, digest, size, klass = codec.array(value, 4, "section")
    head = SectionHead(
        _section_name(name),
        codec.binary(digest, 32, "commitment"),
        codec.uint(size, "section size"),
        codec.uint(klass, "section class"),
    )
    if head.size > MAX_SECTION:
        raise LimitError(f"section {head.name}: {head.size} bytes, at most {MAX_SECTION}")
    return head


def _section_name(value: codec.Value) -> str:
    name = codec.text(value, "section name", most=24)
    if not set(name) <= NAME_CHARACTERS:
        raise CodecError(f"section name {name!r}: only a-z 0-9 _ . / -")
    return name


def _section(value: codec.Value) -> Section:
    name, salt, data = codec.array(value, 3, "section")
    return Section(
        _section_name(name),
        codec.optional_binary(salt, SALT_SIZE, "salt"),
        codec.binary(data, None, "section bytes", most=MAX_SECTION + SEALED_OVERHEAD),
    )


def _check_section(fragment: Fragment, header: Header, head: SectionHead, section: Section) -> None:
    where = f"entry {fragment.id.hex()} section {head.name}"
    if section.salt is None:
        return
    if head.klass == SectionClass.SECRET:
        raise TransportError(f"{where}: a secret section travels sealed only")
    if commitment(header.log, head.name, section.salt, section.data) != head.commitment:
        raise TransportError(f"{where}: the bytes are not under their commitment")
