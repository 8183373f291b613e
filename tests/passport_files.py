"""Passport files of made-up organisations, whose chains rotate, end nodes and fork; with logs and checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from federation.authority import Attestation, Attested
from federation.codec import pack
from federation.cut import Cut, CutRow
from federation.fragment import Ref, decode_header
from federation.genesis import Genesis
from federation.keys import SigningKey
from federation.log import LogStatement
from node.exchange.passport_file import Entry, Manifest, Part, PartKind, count_withheld, cut_file, fold_file, write_file
from node.passport.statement import read_statement
from node.passport.view import digest
from tests.builders import Line, Writer, found, fragment, id16, log_statement, section, signing_key

DEVICE = id16("subject")
MADE = 1_790_000_000_000_000


@dataclass
class Author:
    """An organisation with the logs of its nodes."""

    name: str
    line: Line
    logs: list[tuple[LogStatement, Writer]] = field(default_factory=list)

    @classmethod
    def of(cls, name: str) -> "Author":
        """A new one with one node and one log."""
        author = cls(name, found(f"{name}/root-0", f"{name}/root-1"))
        return author.node("a")

    @property
    def org(self) -> bytes:
        """Its id."""
        return self.line.org

    def node(self, name: str) -> "Author":
        """State a node with a log of its own."""
        self.line = self.line.node(f"{self.name}/{name}")
        return self.log(name)

    def log(self, node: str, nonce: str = "nonce") -> "Author":
        """Open one more log of a node."""
        statement = log_statement(f"{self.name}/{node}", self.org, nonce)
        self.logs.append((statement, Writer(signing_key(f"{self.name}/{node}"), statement.log_id)))
        return self

    def say(self, kind: int = 4, subject: bytes = DEVICE, refs: Sequence[Ref] = (), **sections: bytes) -> Ref:
        """Say something in the newest log; class 2, but for what is public and what is personal."""
        writer = self.logs[-1][1]
        classes = {"nameplate": 0, "claim": 0, "card": 0, "attest": 1, "price": 3, "person": 4}
        made = [section(name, raw, classes.get(name, 2), f"{len(writer.entries)}") for name, raw in sections.items()]
        one = fragment(
            len(writer.entries), *made, key=writer.key, log=writer.log, kind=kind, subjects=(subject,), refs=refs
        )
        writer.entries.append(one)
        return Ref(writer.log, len(writer.entries) - 1, one.id[:16])

    def attest(self, genesis: Genesis, what: Attested, org: bytes, *rows: str, refs: Sequence[Ref] = ()) -> Ref:
        """Attest something as an anchor."""
        return self.say(16, org, refs, attest=Attestation(genesis.id, what, org, rows).to_bytes())

    def cut(self, size: int, root: bytes | None = None) -> Cut:
        """A cut that keeps so much of the newest log."""
        writer = self.logs[-1][1]
        return Cut((CutRow(writer.log, size, root or writer.root(size)),))


@dataclass
class Filed:
    """What goes into a file."""

    authors: Sequence[Author]
    genesis: Genesis | None = None
    sizes: dict[bytes, int] = field(default_factory=dict)  # of the trees to which proofs lead, where not the whole
    hidden: frozenset[str] = frozenset()
    unproven: frozenset[bytes] = frozenset()

    def parts(self) -> list[Part]:
        """In the order of a file."""
        chains = [
            Part(PartKind.ROOT_STATEMENT, said.envelope()) for one in self.authors for said in one.line.statements
        ]
        logs = sorted((log for one in self.authors for log in one.logs), key=lambda log: log[0].log_id)
        noted = [
            Part(PartKind.LOG, pack([said.envelope(), writer.note() if writer.entries else None]), said.log_id)
            for said, writer in logs
        ]
        begin = [Part(PartKind.GENESIS, self.genesis.to_bytes())] if self.genesis else []
        return [*begin, *chains, *noted, *(entry.to_part() for _, writer in logs for entry in self._entries(writer))]

    def write(self) -> bytes:
        """The file, written by the first author's first node."""
        writer, entries = self.authors[0], self._all()
        statements = []
        for one, entry in entries:
            header = decode_header(entry.fragment.header, entry.log, entry.seq)
            statements.append((entry, read_statement(entry.fragment, header, one.org)))
        withheld = count_withheld(said for entry, said in statements if not entry.is_publication)
        mark = digest(fold_file([DEVICE], [said for _, said in statements], self.genesis))
        node = writer.logs[0][0].node
        manifest = Manifest(writer.org, node, MADE, None, (DEVICE,), mark, note="проверка", withheld=withheld)
        return write_file(writer.logs[0][1].key, manifest, self.parts())

    def _all(self) -> list[tuple[Author, Entry]]:
        return [(one, entry) for one in self.authors for _, writer in one.logs for entry in self._entries(writer)]

    def _entries(self, writer: Writer) -> list[Entry]:
        size = self.sizes.get(writer.log, len(writer.entries))
        made = []
        for seq, one in enumerate(writer.entries):
            kind = decode_header(one.header, writer.log, seq).kind
            kept = tuple(found for found in one.sections if found.name not in self.hidden)
            is_proven = seq < size and writer.log not in self.unproven
            proof = (size, tuple(writer.path(seq, size))) if is_proven else None
            made.append(Entry(writer.log, seq, replace(one, sections=kept), proof, kind in {15, 16}))
        return made


def signed_again(raw: bytes, parts: Sequence[Part], key: SigningKey) -> bytes:
    """A file with other parts, signed by its writer once more: what a writer who cheats can make."""
    return write_file(key, cut_file(raw).manifest, parts)


def federated(*names: str) -> tuple[Genesis, list[Author]]:
    """A federation of these organisations, the first its anchor, in which each has a number and a card."""
    authors = [Author.of(name) for name in names]
    genesis = Genesis("Демо", (authors[0].org,), 1)
    for number, one in enumerate(authors):
        one.say(15, one.org, card=f'{{"name":"{one.name}"}}'.encode())
        authors[0].attest(genesis, Attested.NUMBER, one.org, f"inn:770708389{number}")
    return genesis, authors
