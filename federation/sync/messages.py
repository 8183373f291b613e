"""The bodies of the requests of `/fed/1`, as canonical msgpack; one pair of functions for each.

heads    [digest bin32 | nil]                     -> [[chain [envelope...]...], [[log envelope, size, note | nil]...],
                                                      opened, [fork proof...]], or nothing where the digest is equal
entries  path and query                           -> [start, [leaf bin32 | fragment ...]]
pull     [after, limit]                           -> [next, [[log, seq, fragment]...], done 0 | 1]
fetch    [[log, seq, id16]...]                    -> [[log, seq, fragment, size, [path...]]...]
secret   [subject, section]                       -> [name, nil, sealed]
chunk    [log, seq, id16, section, n]             -> [bytes]
lookup   [scheme, value]                          -> [[subject, age us]...]
join     [secret, chain, node id, url | nil, pin | nil] -> nothing; both are nil for a node that only dials out
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from federation import codec
from federation.chunks import CHUNK_SIZE, MAX_CHUNKS, SUFFIX
from federation.errors import CodecError, FederationError, RemoteProtocolError, StatementError
from federation.fragment import Fragment, Ref, Section, fragment_from_value
from federation.log import LogStatement, decode_log_statement
from federation.statements import MAX_CHAIN, RootStatement, decode_root_statement

MAX_ENTRIES = 1000
MAX_BODY = 4 * 1024 * 1024
MAX_INFLATED = 8 * 1024 * 1024
MAX_LOGS = 4096
MAX_CHAINS = 1024
MAX_PULL = 1000
NESTING = 10


@dataclass(frozen=True, slots=True)
class LogHead:
    """A log that the peer has: its statement, how many leaves, and its newest checkpoint."""

    statement: LogStatement
    size: int
    note: bytes | None


@dataclass(frozen=True, slots=True)
class Heads:
    """What a peer has and what it opened to the asker: `opened` is the newest number of its openings."""

    chains: tuple[tuple[RootStatement, ...], ...]
    logs: tuple[LogHead, ...]
    opened: int
    forks: tuple[bytes, ...] = ()

    def to_bytes(self) -> bytes:
        """The canonical body."""
        return codec.pack(
            [
                [[s.envelope() for s in chain] for chain in self.chains],
                [[head.statement.envelope(), head.size, head.note] for head in self.logs],
                self.opened,
                list(self.forks),
            ]
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A fragment and where it stands."""

    log: bytes
    seq: int
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Pulled:
    """Fragments of subjects that were opened to the asker, up to opening `next`; `done` where there are no more."""

    next: int
    entries: tuple[Placed, ...]
    done: bool


@dataclass(frozen=True, slots=True)
class Proven:
    """A fragment with its inclusion path in the tree of `size`."""

    placed: Placed
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """A node that shows the secret of an invitation, and where it can be reached: both empty if it only dials out."""

    secret: bytes
    chain: tuple[RootStatement, ...]
    node: bytes
    url: str
    pin: bytes

    def to_bytes(self) -> bytes:
        """The canonical body."""
        chain: codec.Value = [statement.envelope() for statement in self.chain]
        return codec.pack([self.secret, chain, self.node, self.url or None, self.pin or None])


Row = bytes | Fragment


def digest(raw: bytes) -> bytes:
    """What stands for an answer to heads that was seen before."""
    return hashlib.sha256(raw).digest()


def encode_digest(known: bytes | None) -> bytes:
    """Ask for heads, unless they are those known."""
    return codec.pack([known])


def decode_digest(raw: bytes) -> bytes | None:
    """Read the question."""
    with _Reading("heads"):
        (known,) = codec.array(codec.unpack(raw, 64), 1, "heads")
        return codec.optional_binary(known, 32, "digest")


def decode_heads(raw: bytes) -> Heads:
    """Read an answer to heads; raise RemoteProtocolError."""
    with _Reading("heads"):
        chains, logs, opened, forks = codec.array(codec.unpack(raw, MAX_INFLATED), 4, "heads")
        return Heads(
            tuple(_chain(chain) for chain in codec.array(chains, None, "chains", most=MAX_CHAINS)),
            tuple(_log_head(item) for item in codec.array(logs, None, "logs", most=MAX_LOGS)),
            codec.uint(opened, "opened"),
            tuple(codec.binary(item, None, "fork proof") for item in codec.array(forks, None, "forks", most=256)),
        )


def encode_entries(start: int, rows: Sequence[Row]) -> bytes:
    """The answer to entries: leaf hashes for what the asker may not see."""
    return codec.pack([start, [row if isinstance(row, bytes) else row.to_value() for row in rows]], NESTING)


def decode_entries(raw: bytes, start: int, limit: int) -> list[Row]:
    """Read the answer to entries from `start`, at most `limit` rows; raise RemoteProtocolError."""
    with _Reading("entries"):
        first, rows = codec.array(codec.unpack(raw, MAX_INFLATED), 2, "entries")
        if codec.uint(first, "start") != start:
            raise CodecError(f"entries: start {first!r}, asked for {start}")
        return [_row(item) for item in codec.array(rows, None, "rows", most=limit)]


def encode_pull(after: int, limit: int) -> bytes:
    """Ask for what was opened after a number."""
    return codec.pack([after, limit])


def decode_pull(raw: bytes) -> tuple[int, int]:
    """Read the question."""
    with _Reading("pull"):
        after, limit = codec.array(codec.unpack(raw, 64), 2, "pull")
        return codec.uint(after, "after"), min(codec.uint(limit, "limit", least=1), MAX_PULL)


def encode_pulled(pulled: Pulled) -> bytes:
    """The answer to pull."""
    return codec.pack([pulled.next, [_placed_value(item) for item in pulled.entries], int(pulled.done)], NESTING)


def decode_pulled(raw: bytes) -> Pulled:
    """Read the answer to pull; raise RemoteProtocolError."""
    with _Reading("pulled"):
        number, entries, done = codec.array(codec.unpack(raw, MAX_INFLATED), 3, "pulled")
        placed = tuple(_placed(item) for item in codec.array(entries, None, "entries", most=1 << 16))
        return Pulled(codec.uint(number, "next"), placed, bool(codec.uint(done, "done")))


def encode_fetch(refs: Sequence[Ref]) -> bytes:
    """Ask for entries by place and id."""
    return codec.pack([[ref.log, ref.seq, ref.id16] for ref in refs])


def decode_fetch(raw: bytes) -> list[Ref]:
    """Read the question."""
    with _Reading("fetch"):
        return [_ref(item) for item in codec.array(codec.unpack(raw, 1 << 16), None, "fetch", most=MAX_ENTRIES)]


def encode_fetched(proven: Sequence[Proven]) -> bytes:
    """The answer to fetch."""
    rows: list[codec.Value] = [[*_placed_value(p.placed), p.size, list(p.path)] for p in proven]
    return codec.pack(rows, NESTING)


def decode_fetched(raw: bytes) -> list[Proven]:
    """Read the answer to fetch; raise RemoteProtocolError."""
    with _Reading("fetched"):
        found = []
        for item in codec.array(codec.unpack(raw, MAX_INFLATED), None, "fetched", most=MAX_ENTRIES):
            log, seq, fragment, size, path = codec.array(item, 5, "fetched entry")
            hashes = codec.array(path, None, "path", most=64)
            found.append(
                Proven(
                    _placed([log, seq, fragment]),
                    codec.uint(size, "size"),
                    tuple(codec.binary(value, 32, "path") for value in hashes),
                )
            )
        return found


def encode_secret(subject: bytes, section: str) -> bytes:
    """Ask for the newest secret section of that name about a subject."""
    return codec.pack([subject, section])


def decode_secret(raw: bytes) -> tuple[bytes, str]:
    """Read the question."""
    with _Reading("secret"):
        subject, name = codec.array(codec.unpack(raw, 256), 2, "secret")
        return codec.binary(subject, 16, "subject"), codec.text(name, "section", most=24)


def encode_chunk_asked(ref: Ref, section: str, n: int) -> bytes:
    """Ask for one chunk of a section whose name ends in `.chunks`."""
    return codec.pack([ref.log, ref.seq, ref.id16, section, n])


def decode_chunk_asked(raw: bytes) -> tuple[Ref, str, int]:
    """Read the question."""
    with _Reading("chunk"):
        log, seq, id16, section, n = codec.array(codec.unpack(raw, 256), 5, "chunk")
        name = codec.text(section, "section", most=24)
        if not name.endswith(SUFFIX) or codec.uint(n, "chunk") >= MAX_CHUNKS:
            raise CodecError(f"chunk: {name} has no chunk of that number")
        return _ref([log, seq, id16]), name, codec.uint(n, "chunk")


def encode_chunk(chunk: bytes) -> bytes:
    """The answer to chunk."""
    return codec.pack([chunk])


def decode_chunk(raw: bytes) -> bytes:
    """Read the answer to chunk; whose bytes they are, their hash tells."""
    with _Reading("chunk"):
        (chunk,) = codec.array(codec.unpack(raw, CHUNK_SIZE + 64), 1, "chunk")
        return codec.binary(chunk, None, "chunk", most=CHUNK_SIZE)


def encode_lookup(scheme: str, value: str) -> bytes:
    """Ask which subjects carry an identifier."""
    return codec.pack([scheme, value])


def decode_lookup(raw: bytes) -> tuple[str, str]:
    """Read the question."""
    with _Reading("lookup"):
        scheme, value = codec.array(codec.unpack(raw, 1024), 2, "lookup")
        return codec.text(scheme, "scheme", most=64), codec.text(value, "value")


def encode_found(subjects: Sequence[tuple[bytes, int]]) -> bytes:
    """The answer to lookup: subjects and the age of what is known of each, in microseconds."""
    return codec.pack([[subject, age] for subject, age in subjects])


def decode_found(raw: bytes) -> list[tuple[bytes, int]]:
    """Read the answer to lookup."""
    with _Reading("found"):
        found = []
        for item in codec.array(codec.unpack(raw, 1 << 16), None, "found", most=64):
            subject, age = codec.array(item, 2, "found")
            found.append((codec.binary(subject, 16, "subject"), codec.uint(age, "age")))
        return found


def decode_join(raw: bytes) -> Join:
    """Read a join; raise RemoteProtocolError."""
    with _Reading("join"):
        secret, chain, node, url, pin = codec.array(codec.unpack(raw, MAX_BODY), 5, "join")
        return Join(
            codec.binary(secret, 16, "secret"),
            _chain(chain),
            codec.binary(node, 16, "node"),
            *_reached(url, pin),
        )


def _reached(url: codec.Value, pin: codec.Value) -> tuple[str, bytes]:
    if url is None and pin is None:
        return "", b""
    return codec.text(url, "url"), codec.binary(pin, 32, "pin")


def section_to_bytes(section: Section) -> bytes:
    """The answer to secret."""
    return codec.pack([section.name, section.salt, section.data])


def section_from_bytes(raw: bytes) -> Section:
    """Read the answer to secret: always sealed."""
    with _Reading("section"):
        name, salt, data = codec.array(codec.unpack(raw), 3, "section")
        if salt is not None:
            raise CodecError("section: a secret travels sealed")
        return Section(codec.text(name, "section", most=24), None, codec.binary(data, None, "sealed"))


class _Reading:
    """Turns what any decoder of this package raises into the peer's fault."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FederationError) and not isinstance(error, RemoteProtocolError):
            raise RemoteProtocolError(f"{self._what}: {error}") from error


def _chain(value: codec.Value) -> tuple[RootStatement, ...]:
    chain: list[RootStatement] = []
    for item in codec.array(value, None, "chain", most=2 * MAX_CHAIN):
        # A bad statement is refused with what follows it, and nothing else is.
        with contextlib.suppress(StatementError):
            chain.append(decode_root_statement(codec.binary(item, None, "statement")))
    return tuple(chain)


def _log_head(value: codec.Value) -> LogHead:
    envelope, size, note = codec.array(value, 3, "log")
    statement = decode_log_statement(codec.binary(envelope, None, "log statement"))
    return LogHead(
        statement, codec.uint(size, "size"), None if note is None else codec.binary(note, None, "note", most=4096)
    )


def _row(value: codec.Value) -> Row:
    return codec.binary(value, 32, "leaf") if isinstance(value, bytes) else fragment_from_value(value)


def _ref(value: codec.Value) -> Ref:
    log, seq, id16 = codec.array(value, 3, "entry")
    return Ref(codec.binary(log, 16, "log"), codec.uint(seq, "seq"), codec.binary(id16, 16, "id16"))


def _placed(value: codec.Value) -> Placed:
    log, seq, fragment = codec.array(value, 3, "entry")
    return Placed(codec.binary(log, 16, "log"), codec.uint(seq, "seq"), fragment_from_value(fragment))


def _placed_value(placed: Placed) -> list[codec.Value]:
    return [placed.log, placed.seq, placed.fragment.to_value()]
