"""What one machine holds, read from its store as it lies there: the node is not asked."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from federation.authority import Kind
from federation.sync.following import NOTHING
from federation.tiles import WIDTH, split
from node.passport.view import View, load_view
from node.passport.world import PUBLICATION_KINDS
from node.store.fragments import subject64
from node.store.rights import list_of

Place = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class HeldLog:
    """A log as a store has it."""

    org: bytes
    size: int
    published: int
    is_own: bool
    stopped: str | None
    counted: int | None
    loss: str | None


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """An entry: its id, whether it is void, what of it lies there in clear, and a hash of what it says."""

    id: bytes
    void: str | None
    opened: frozenset[str]
    says: bytes


@dataclass(frozen=True, slots=True)
class HeldPassport:
    """A view, its subjects, and a hash of all that it was folded from."""

    subjects: frozenset[bytes]
    digest: bytes
    raw: bytes
    folded_from: bytes

    @property
    def view(self) -> View:
        """The view as a value."""
        return load_view(self.raw)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of one store."""

    name: str
    logs: dict[bytes, HeldLog]
    entries: dict[Place, HeldEntry]
    leaves: dict[bytes, list[bytes]]
    passports: dict[bytes, HeldPassport]
    forks: frozenset[bytes]
    troubles: dict[bytes, str]
    openings: dict[bytes, int]
    cursors: dict[bytes, int]


def read_evidence(name: str, store: Path) -> Evidence:
    """Everything that a store holds."""
    with _reading(store) as raw:
        logs = _logs(raw)
        numbers = {no: log for log, no in raw.execute("SELECT log, no FROM logs")}
        entries = _entries(raw, numbers)
        return Evidence(
            name,
            logs,
            entries,
            _leaves(raw, numbers),
            _passports(raw, numbers, entries, logs),
            frozenset(log for (log,) in raw.execute("SELECT DISTINCT log FROM fork_proofs")),
            dict(raw.execute("SELECT org, trouble FROM peers WHERE trouble IS NOT NULL")),
            dict(raw.execute("SELECT org, max(n) FROM openings GROUP BY org")),
            dict(raw.execute("SELECT node, cursor FROM peers")),
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far a store is: of each log its entries, up to where it is published, and whether it is an own one; up to
    which number was taken what each active peer opened, and the newest number in each list of what was opened; how
    many root statements are there; what nodes follow, and of which peers nothing else is taken.
    """

    logs: dict[bytes, tuple[int, int, bool]]
    taken: dict[bytes, int]
    opened: dict[bytes, int]
    statements: int
    filters: dict[bytes, bytes]
    narrowed: frozenset[bytes]

    def is_given(self, org: bytes, theirs: "Sizes", node: bytes, other: bytes) -> bool:
        """Whether a node has all that another opened to it, and that one knows what this one follows."""
        wanted = self.filters.get(node, NOTHING) if other in self.narrowed else None
        names = (list_of(node),) if wanted is not None else (org, list_of(node))
        opened = max(theirs.opened.get(name, 0) for name in names)
        return self.taken[other] >= opened and theirs.filters.get(node) == wanted


def read_sizes(store: Path) -> Sizes:
    """How far a store is."""
    with _reading(store) as raw:
        logs = _all(raw, "SELECT log, size, note_size, own FROM logs")
        return Sizes(
            {log: (size, published, bool(own)) for log, size, published, own in logs},
            dict(_all(raw, "SELECT node, cursor FROM peers WHERE state = 'active'")),
            dict(_all(raw, "SELECT org, max(n) FROM openings GROUP BY org")),
            _all(raw, "SELECT count(*) FROM root_statements")[0][0],
            dict(_all(raw, "SELECT node, filter FROM filters")),
            frozenset(node for (node,) in _all(raw, "SELECT node FROM peers WHERE only_followed = 1")),
        )


def read_passports(store: Path) -> dict[bytes, frozenset[bytes]]:
    """The subjects of each passport, by the one that leads."""
    found: dict[bytes, set[bytes]] = {}
    with _reading(store) as raw:
        for subject, lead in _all(raw, "SELECT subject, lead FROM passports"):
            found.setdefault(lead, set()).add(subject)
    return {lead: frozenset(subjects) for lead, subjects in found.items()}


def read_ids(store: Path) -> set[tuple[bytes, int, bytes]]:
    """Every entry that is here in full or in part: log, seq, id."""
    with _reading(store) as raw:
        rows = _all(raw, "SELECT l.log, f.seq, f.header FROM fragments f JOIN logs l ON l.no = f.log_no")
        return {(log, seq, _id(header)) for log, seq, header in rows}


def rows_with(store: Path, value: bytes) -> list[str]:
    """The tables in which a value stands somewhere."""
    with _reading(store) as raw:
        tables = [name for (name,) in _all(raw, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        found = []
        for table in tables:
            for row in raw.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name out of the schema
                if any(value in _bytes(cell) for cell in row):
                    found.append(table)
                    break
        return found


@contextmanager
def _reading(store: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(store)) as raw:
        yield raw


def _all(raw: sqlite3.Connection, sql: str) -> list[tuple]:  # type: ignore[type-arg]  # of any columns
    return raw.execute(sql).fetchall()


def _logs(raw: sqlite3.Connection) -> dict[bytes, HeldLog]:
    found = raw.execute("SELECT * FROM logs")
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return {
        row["log"]: HeldLog(
            row["org"],
            row["size"],
            row["note_size"],
            bool(row["own"]),
            row["stopped"],
            row.get("counted"),
            row.get("loss"),
        )
        for row in rows
    }


def _entries(raw: sqlite3.Connection, numbers: dict[int, bytes]) -> dict[Place, HeldEntry]:
    sections: dict[tuple[int, int], list[tuple[str, bytes]]] = {}
    for no, seq, name, salt, data in _all(raw, "SELECT log_no, seq, name, salt, data FROM sections"):
        if salt is not None:
            sections.setdefault((no, seq), []).append((name, data))
    found = {}
    for no, seq, header, void, kind in _all(raw, "SELECT log_no, seq, header, void, kind FROM fragments"):
        opened = sorted(sections.get((no, seq), ()))
        says = hashlib.sha256(repr((kind, opened)).encode()).digest()
        found[numbers[no], seq] = HeldEntry(_id(header), void, frozenset(name for name, _ in opened), says)
    return found


def _leaves(raw: sqlite3.Connection, numbers: dict[int, bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for no, n, hashes in _all(raw, "SELECT log_no, n, hashes FROM tiles WHERE level = 0 ORDER BY log_no, n"):
        leaves = found.setdefault(numbers[no], [])
        leaves += [b""] * (n * WIDTH - len(leaves))  # of a log that is not held whole
        leaves += split(hashes)
    return found


def _passports(
    raw: sqlite3.Connection, numbers: dict[int, bytes], entries: dict[Place, HeldEntry], logs: dict[bytes, HeldLog]
) -> dict[bytes, HeldPassport]:
    mentions: dict[int, list[Place]] = {}
    for key, no, seq in _all(raw, "SELECT subject64, log_no, seq FROM mentions"):
        mentions.setdefault(key, []).append((numbers[no], seq))
    kinds = ",".join(str(int(kind)) for kind in sorted(PUBLICATION_KINDS | {Kind.ERASURE}))
    published = _all(raw, f"SELECT log_no, seq FROM fragments WHERE kind IN ({kinds})")  # noqa: S608 - numbers
    world = [(numbers[no], seq) for no, seq in published]
    genesis = _all(raw, "SELECT value FROM settings WHERE name = 'federation'")
    members: dict[bytes, set[bytes]] = {}
    views: dict[bytes, tuple[bytes, bytes]] = {}
    for subject, lead, mark, view in _all(raw, "SELECT subject, lead, digest, view FROM passports"):
        members.setdefault(lead, set()).add(subject)
        if subject == lead:
            views[lead] = (mark, zlib.decompress(view))
    found = {}
    for lead, (mark, view) in views.items():
        named = [place for subject in members[lead] for place in mentions.get(subject64(subject), ())]
        said = sorted({(*place, entries[place].id, *sorted(entries[place].opened)) for place in (*named, *world)})
        ends = [(log, logs[log].counted, logs[log].loss) for log in sorted({item[0] for item in said})]
        key = hashlib.sha256(repr((genesis, said, ends)).encode()).digest()
        found[lead] = HeldPassport(frozenset(members[lead]), mark, view, key)
    return found


def _id(header: bytes) -> bytes:
    return hashlib.sha256(b"\x10" + header).digest()


def _bytes(cell: object) -> bytes:
    """What stands in a cell, unpacked where it is packed."""
    raw = cell if isinstance(cell, bytes) else str(cell).encode()
    try:
        return zlib.decompress(raw)
    except zlib.error:
        return raw
