"""Sections that the federation itself reads: authority, cut, witnesses, keys, erase, attest; and the cards of kinds.

All are canonical msgpack, class 1 where they carry authority; everything else in a fragment is opaque here.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from federation import codec
from federation.errors import CodecError
from federation.fragment import Ref
from federation.keys import ED25519, X25519, check_key

MAX_ROWS = 64
MAX_SUBJECTS = 4096


class Kind(IntEnum):
    """What a fragment is about; 128 and above are experimental."""

    IDENTITY = 1
    ALIAS = 2
    SAMENESS = 3
    EVENT = 4
    PARAMETER = 5
    PROTOCOL = 6
    COMPOSITION = 7
    PROCESS = 8
    PARTY = 9
    SHIPMENT = 10
    CLOSING = 11
    TEMPLATE = 12
    CATALOG = 13
    DRIVER = 14
    CARD = 15
    ATTESTATION = 16
    GRANT = 17
    END = 18
    ERASURE = 19
    ERASURE_ACK = 20
    CORRECTION = 21
    WITNESSES = 22
    WITHDRAWAL = 23


class Verb(IntEnum):
    """What an authority section does."""

    READ = 1
    WRITE = 2
    PASS_ON = 3
    ROLE = 4
    ACCREDIT = 5
    MEMBER = 6
    OFFER = 7
    ACCEPT = 8
    END = 9


@dataclass(frozen=True, slots=True)
class Authority:
    """`[verb, party, rows, subjects | nil = mine, classes, from | nil, to | nil]`; to is excluded; lists ascend."""

    verb: Verb
    party: bytes
    rows: tuple[str, ...] = ()
    subjects: tuple[bytes, ...] | None = ()
    classes: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None

    def to_bytes(self) -> bytes:
        """The canonical section."""
        subjects: codec.Value = None if self.subjects is None else list(self.subjects)
        return codec.pack(
            [int(self.verb), self.party, list(self.rows), subjects, list(self.classes), self.since, self.until]
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Authority":
        """Read the section; raise CodecError."""
        return _read_authority(raw)


class Attested(IntEnum):
    """What an anchor says of an organisation."""

    NUMBER = 1
    MAKER = 2
    ACCREDITATION = 3
    STEWARD = 4
    PREFIX = 5
    BRANCH = 6
    SEAT = 7


@dataclass(frozen=True, slots=True)
class Attestation:
    """`[federation, what, org, rows, from | nil, to | nil]`, section `attest` of a kind-16 fragment about that org.

    Rows: NUMBER `inn:...`, `ogrn:...` · MAKER nothing · ACCREDITATION the number, then the scope · STEWARD the
    catalogs (`line`, `type`, `unit`, `code`) · PREFIX `gs1:...` and the like · BRANCH root hashes in hex · SEAT a place
    in the directory, 32 hex digits.
    """

    federation: bytes
    what: Attested
    org: bytes
    rows: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    def to_bytes(self) -> bytes:
        """The canonical section."""
        return codec.pack([self.federation, int(self.what), self.org, list(self.rows), self.since, self.until])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Attestation":
        """Read the section; raise CodecError."""
        federation, what, org, rows, since, until = codec.array(codec.unpack(raw), 6, "attest")
        try:
            kind = Attested(codec.uint(what, "what"))
        except ValueError as error:
            raise CodecError(f"attest: {what!r} is unknown") from error
        return cls(
            codec.binary(federation, 16, "federation"),
            kind,
            codec.binary(org, 16, "org"),
            tuple(codec.text(row, "row") for row in _set(rows, "rows", MAX_ROWS)),
            None if since is None else codec.uint(since, "from"),
            None if until is None else codec.uint(until, "to"),
        )


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that a log names: organisation, name, 33-byte key."""

    org: bytes
    name: str
    key: bytes


def pack_witnesses(witnesses: list[Witness]) -> bytes:
    """The section `witnesses`: `[[org, name, key]...]` ascending, at most 5."""
    return codec.pack([[w.org, w.name, w.key] for w in witnesses])


def unpack_witnesses(raw: bytes) -> list[Witness]:
    """Read the section `witnesses`; raise FederationError."""
    found = []
    for item in _set(codec.unpack(raw), "witnesses", 5):
        org, name, key = codec.array(item, 3, "witness")
        checked = check_key(codec.binary(key, None, "witness key"), ED25519, "witness key")
        found.append(Witness(codec.binary(org, 16, "org"), codec.text(name, "name"), checked))
    if len({witness.org for witness in found}) < len(found) or len({witness.key for witness in found}) < len(found):
        raise CodecError("witnesses: one organisation or one key stands twice, so that it would count twice")
    return found


def pack_log_keys(witness_key: bytes, box_key: bytes) -> bytes:
    """The section `keys`: `[witness key, box key]`, in force from the next seq on."""
    return codec.pack([witness_key, box_key])


def unpack_log_keys(raw: bytes) -> tuple[bytes, bytes]:
    """Read the section `keys`; raise FederationError."""
    witness, box = codec.array(codec.unpack(raw), 2, "keys")
    return (
        check_key(codec.binary(witness, None, "witness key"), ED25519, "witness key"),
        check_key(codec.binary(box, None, "box key"), X25519, "box key"),
    )


def pack_erase(entries: list[tuple[Ref, str]]) -> bytes:
    """The section `erase`: `[[log, seq, id16, section name]...]` ascending, at most 64."""
    return codec.pack([[ref.log, ref.seq, ref.id16, name] for ref, name in entries])


def unpack_erase(raw: bytes) -> list[tuple[Ref, str]]:
    """Read the section `erase`; raise CodecError."""
    found = []
    for item in _set(codec.unpack(raw), "erase", MAX_ROWS):
        log, seq, id16, name = codec.array(item, 4, "erase row")
        ref = Ref(codec.binary(log, 16, "log"), codec.uint(seq, "seq"), codec.binary(id16, 16, "id16"))
        found.append((ref, codec.text(name, "section name", most=24)))
    return found


@lru_cache(maxsize=64)  # what is said of a thousand things at once is read again with each of them
def _read_authority(raw: bytes) -> Authority:
    verb, party, rows, subjects, classes, since, until = codec.array(codec.unpack(raw), 7, "authority")
    return Authority(
        _verb(verb),
        codec.binary(party, 16, "party"),
        tuple(codec.text(row, "row") for row in _set(rows, "rows", MAX_ROWS)),
        None
        if subjects is None
        else tuple(codec.binary(s, 16, "subject") for s in _set(subjects, "subjects", MAX_SUBJECTS)),
        tuple(codec.uint(c, "class") for c in _set(classes, "classes", 16)),
        None if since is None else codec.uint(since, "from"),
        None if until is None else codec.uint(until, "to"),
    )


def _verb(value: codec.Value) -> Verb:
    try:
        return Verb(codec.uint(value, "verb"))
    except ValueError as error:
        raise CodecError(f"verb {value!r} is unknown") from error


def _set(value: codec.Value, what: str, most: int) -> list[codec.Value]:
    return codec.ascending(codec.array(value, None, what, most=most), what)
