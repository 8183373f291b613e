"""The bodies of the requests of `/fed/1`, as canonical msgpack; one pair of functions for each.

heads    [epoch | nil, n, opened, filter | nil]   -> nothing where nothing is new; else
                                                     [epoch, n, [[chain envelope...]...], [log envelope...], [note...],
                                                      [fork proof...], opened, more 0 | 1, filter | nil]
pull     [[log, from, to]...]                     -> [[log, from, [fragment | leaf bin32 | [tile bin32]...], [path...]]
                                                      ...]
leaves   path and query                           -> [start, [leaf bin32...]]
opened   [after, limit]                           -> [next, [[log, seq, fragment]...], done 0 | 1]
fetch    [[log, seq, id16]...]                    -> [[log, seq, fragment, size, [path...]]...]
secret   [subject, section]                       -> [name, nil, sealed]
chunk    [log, seq, id16, section, n]             -> [bytes]
join     [secret, chain, node id, url | nil, pin | nil] -> nothing; both are nil for a node that only dials out
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from federation import codec
from federation.chunks import CHUNK_SIZE, MAX_CHUNKS, SUFFIX
from federation.errors import CodecError, FederationError, RemoteProtocolError, StatementError
from federation.fragment import Fragment, Ref, Section, fragment_from_value
from federation.log import LogStatement, decode_log_statement
from federation.statements import MAX_CHAIN, RootStatement, decode_root_statement
from federation.tiles import WIDTH

MAX_ENTRIES = 1000
MAX_BODY = 4 * 1024 * 1024
MAX_INFLATED = 8 * 1024 * 1024
MAX_LOGS = 256
MAX_HEADS = 1000
MAX_PULL = 1000
MAX_PATH = 64
MAX_ROWS = 4096
EPOCH_SIZE = 16
FILTER_SIZE = 16
NESTING = 10


@dataclass(frozen=True, slots=True)
class HeadsAsked:
    """What is known of a peer: up to which change of that epoch, and up to which opening.

    `filter` stands for what the asker follows there; None for everything.
    """

    epoch: bytes | None = None
    n: int = 0
    opened: int = 0
    filter: bytes | None = None

    def to_bytes(self) -> bytes:
        """The canonical question."""
        return codec.pack([self.epoch, self.n, self.opened, self.filter])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "HeadsAsked":
        """Read the question; raise RemoteProtocolError."""
        with Reading("heads"):
            epoch, n, opened, follows = codec.array(codec.unpack(raw, 64), 4, "heads")
            known = codec.optional_binary(epoch, EPOCH_SIZE, "epoch")
            kept = codec.optional_binary(follows, FILTER_SIZE, "filter")
            return cls(known, codec.uint(n, "n"), codec.uint(opened, "opened"), kept)


@dataclass(frozen=True, slots=True)
class Heads:
    """What changed at a peer up to its change `n`: chains, logs, checkpoints and fork proofs.

    `opened` is the newest number of what it opened to the asker. Numbers count within an epoch: a peer that lost some
    begins another. `more` changes follow at once. `filter` is what the asker is known to follow here.
    """

    epoch: bytes
    n: int
    chains: tuple[tuple[RootStatement, ...], ...] = ()
    logs: tuple[LogStatement, ...] = ()
    notes: tuple[bytes, ...] = ()
    forks: tuple[bytes, ...] = ()
    opened: int = 0
    more: bool = False
    filter: bytes | None = None

    def to_bytes(self) -> bytes:
        """The canonical body."""
        return codec.pack(
            [
                self.epoch,
                self.n,
                [[s.envelope() for s in chain] for chain in self.chains],
                [log.envelope() for log in self.logs],
                list(self.notes),
                list(self.forks),
                self.opened,
                int(self.more),
                self.filter,
            ]
        )


@dataclass(frozen=True, slots=True)
class Span:
    """Entries start .. end of a log; `end` is the size of a checkpoint."""

    log: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tile:
    """256 entries of which the asker sees none, from a place that is a multiple of 256: the hash of their leaves."""

    hash: bytes


Row = bytes | Fragment | Tile


def width(row: Row) -> int:
    """How many entries a row stands for."""
    return WIDTH if isinstance(row, Tile) else 1


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a log from `start` on, as many as fit, and where they end before the span that was asked for, the
    consistency path from there to its end.
    """

    log: bytes
    start: int
    rows: tuple[Row, ...]
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A fragment and where it stands."""

    log: bytes
    seq: int
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Openings:
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


def decode_heads(raw: bytes) -> Heads:
    """Read an answer to heads; raise RemoteProtocolError."""
    with Reading("heads"):
        body = codec.array(codec.unpack(raw, MAX_INFLATED), 9, "heads")
        epoch, n, chains, logs, notes, forks, opened, more, follows = body
        return Heads(
            codec.binary(epoch, EPOCH_SIZE, "epoch"),
            codec.uint(n, "n"),
            tuple(_chain(chain) for chain in codec.array(chains, None, "chains", most=MAX_HEADS)),
            tuple(_log(item) for item in codec.array(logs, None, "logs", most=MAX_HEADS)),
            tuple(
                codec.binary(item, None, "note", most=4096)
                for item in codec.array(notes, None, "notes", most=MAX_HEADS)
            ),
            tuple(codec.binary(item, None, "fork proof") for item in codec.array(forks, None, "forks", most=MAX_HEADS)),
            codec.uint(opened, "opened"),
            bool(codec.uint(more, "more")),
            codec.optional_binary(follows, FILTER_SIZE, "filter"),
        )


def placed_rows(part: Part) -> Iterator[tuple[int, Row]]:
    """Each row of a part with the place at which it begins."""
    seq = part.start
    for row in part.rows:
        yield seq, row
        seq += width(row)


def encode_pull(spans: Sequence[Span]) -> bytes:
    """Ask for entries of logs."""
    return codec.pack([[span.log, span.start, span.end] for span in spans])


def decode_pull(raw: bytes) -> list[Span]:
    """Read the question."""
    with Reading("pull"):
        return [_span(item) for item in codec.array(codec.unpack(raw, 1 << 16), None, "pull", most=MAX_LOGS)]


def encode_parts(parts: Sequence[Part]) -> bytes:
    """The answer to pull: leaf hashes and tiles for what the asker may not see."""
    return codec.pack(
        [[part.log, part.start, [_row_value(row) for row in part.rows], list(part.path)] for part in parts], NESTING
    )


def decode_parts(raw: bytes) -> list[Part]:
    """Read the answer to pull; raise RemoteProtocolError."""
    with Reading("pulled"):
        return [_part(item) for item in codec.array(codec.unpack(raw, MAX_INFLATED), None, "parts", most=MAX_LOGS)]


def encode_leaves(start: int, leaves: Sequence[bytes]) -> bytes:
    """The answer to leaves."""
    return codec.pack([start, list(leaves)])


def decode_leaves(raw: bytes, start: int, limit: int) -> list[bytes]:
    """Read the answer to leaves from `start`, at most `limit`; raise RemoteProtocolError."""
    with Reading("leaves"):
        first, leaves = codec.array(codec.unpack(raw, MAX_BODY), 2, "leaves")
        if codec.uint(first, "start") != start:
            raise CodecError(f"start {first!r}, asked for {start}")
        return [codec.binary(leaf, 32, "leaf") for leaf in codec.array(leaves, None, "leaves", most=limit)]


def encode_opened(after: int, limit: int) -> bytes:
    """Ask for what was opened after a number."""
    return codec.pack([after, limit])


def decode_opened(raw: bytes) -> tuple[int, int]:
    """Read the question."""
    with Reading("opened"):
        after, limit = codec.array(codec.unpack(raw, 64), 2, "opened")
        return codec.uint(after, "after"), min(codec.uint(limit, "limit", least=1), MAX_PULL)


def encode_openings(opened: Openings) -> bytes:
    """The answer to opened."""
    return codec.pack([opened.next, [placed_value(item) for item in opened.entries], int(opened.done)], NESTING)


def decode_openings(raw: bytes) -> Openings:
    """Read the answer to opened; raise RemoteProtocolError."""
    with Reading("opened"):
        number, entries, done = codec.array(codec.unpack(raw, MAX_INFLATED), 3, "opened")
        placed = tuple(placed_from_value(item) for item in codec.array(entries, None, "entries", most=1 << 16))
        return Openings(codec.uint(number, "next"), placed, bool(codec.uint(done, "done")))


def encode_fetch(refs: Sequence[Ref]) -> bytes:
    """Ask for entries by place and id."""
    return codec.pack([[ref.log, ref.seq, ref.id16] for ref in refs])


def decode_fetch(raw: bytes) -> list[Ref]:
    """Read the question."""
    with Reading("fetch"):
        return [_ref(item) for item in codec.array(codec.unpack(raw, 1 << 16), None, "fetch", most=MAX_ENTRIES)]


def encode_fetched(proven: Sequence[Proven]) -> bytes:
    """The answer to fetch."""
    rows: list[codec.Value] = [[*placed_value(p.placed), p.size, list(p.path)] for p in proven]
    return codec.pack(rows, NESTING)


def decode_fetched(raw: bytes) -> list[Proven]:
    """Read the answer to fetch; raise RemoteProtocolError."""
    with Reading("fetched"):
        found = []
        for item in codec.array(codec.unpack(raw, MAX_INFLATED), None, "fetched", most=MAX_ENTRIES):
            log, seq, fragment, size, path = codec.array(item, 5, "fetched entry")
            hashes = codec.array(path, None, "path", most=64)
            found.append(
                Proven(
                    placed_from_value([log, seq, fragment]),
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
    with Reading("secret"):
        subject, name = codec.array(codec.unpack(raw, 256), 2, "secret")
        return codec.binary(subject, 16, "subject"), codec.text(name, "section", most=24)


def encode_chunk_asked(ref: Ref, section: str, n: int) -> bytes:
    """Ask for one chunk of a section whose name ends in `.chunks`."""
    return codec.pack([ref.log, ref.seq, ref.id16, section, n])


def decode_chunk_asked(raw: bytes) -> tuple[Ref, str, int]:
    """Read the question."""
    with Reading("chunk"):
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
    with Reading("chunk"):
        (chunk,) = codec.array(codec.unpack(raw, CHUNK_SIZE + 64), 1, "chunk")
        return codec.binary(chunk, None, "chunk", most=CHUNK_SIZE)


def decode_join(raw: bytes) -> Join:
    """Read a join; raise RemoteProtocolError."""
    with Reading("join"):
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
    with Reading("section"):
        name, salt, data = codec.array(codec.unpack(raw), 3, "section")
        if salt is not None:
            raise CodecError("section: a secret travels sealed")
        return Section(codec.text(name, "section", most=24), None, codec.binary(data, None, "sealed"))


class Reading:
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


def _log(value: codec.Value) -> LogStatement:
    return decode_log_statement(codec.binary(value, None, "log statement"))


def _span(value: codec.Value) -> Span:
    log, start, end = codec.array(value, 3, "span")
    span = Span(codec.binary(log, 16, "log"), codec.uint(start, "from"), codec.uint(end, "to"))
    if span.start >= span.end:
        raise CodecError(f"nothing lies between {span.start} and {span.end}")
    return span


def _part(value: codec.Value) -> Part:
    log, start, rows, path = codec.array(value, 4, "part")
    return Part(
        codec.binary(log, 16, "log"),
        codec.uint(start, "from"),
        tuple(_row(item) for item in codec.array(rows, None, "rows", most=MAX_ROWS)),
        tuple(codec.binary(item, 32, "path") for item in codec.array(path, None, "path", most=MAX_PATH)),
    )


def _row_value(row: Row) -> codec.Value:
    return row if isinstance(row, bytes) else [row.hash] if isinstance(row, Tile) else row.to_value()


def _row(value: codec.Value) -> Row:
    if isinstance(value, bytes):
        return codec.binary(value, 32, "leaf")
    if isinstance(value, list) and len(value) == 1:
        return Tile(codec.binary(value[0], 32, "tile"))
    return fragment_from_value(value)


def _ref(value: codec.Value) -> Ref:
    log, seq, id16 = codec.array(value, 3, "entry")
    return Ref(codec.binary(log, 16, "log"), codec.uint(seq, "seq"), codec.binary(id16, 16, "id16"))


def placed_from_value(value: codec.Value) -> Placed:
    """Read an entry and where it stands; raise CodecError or VoidError."""
    log, seq, fragment = codec.array(value, 3, "entry")
    return Placed(codec.binary(log, 16, "log"), codec.uint(seq, "seq"), fragment_from_value(fragment))


def placed_value(placed: Placed) -> list[codec.Value]:
    """An entry and where it stands as they travel."""
    return [placed.log, placed.seq, placed.fragment.to_value()]
