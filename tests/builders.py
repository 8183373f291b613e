"""Builders of signed objects with fixed keys: the same name gives the same key, id and salt in every run."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from federation.checkpoint import Checkpoint, sign_checkpoint
from federation.cut import Cut, CutRow
from federation.fragment import Fragment, NewSection, Ref, sign_fragment
from federation.keys import BoxKey, SigningKey, key_hash
from federation.log import LogStatement, Reason, sign_log_statement
from federation.merkle import GetHash, inclusion_path, root_of
from federation.statements import (
    Body,
    EndNodeBody,
    KeyBody,
    NodeBody,
    RootStatement,
    genesis,
    sign_root_statement,
)

STAMP = 1_760_000_000_000_000


def seed(name: str) -> bytes:
    """32 bytes that only this name gives."""
    return hashlib.sha256(b"tests/builders/" + name.encode()).digest()


def id16(name: str) -> bytes:
    """16 bytes that only this name gives."""
    return seed(name)[:16]


def signing_key(name: str) -> SigningKey:
    """The Ed25519 key pair of that name."""
    return SigningKey.from_seed(seed(name))


def box_key(name: str) -> BoxKey:
    """The X25519 key pair of that name."""
    return BoxKey.from_seed(seed("box/" + name))


def tree(leaves: Sequence[bytes]) -> GetHash:
    """The hashes of complete subtrees over leaf hashes, as the proofs ask for them."""
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


@dataclass(frozen=True, slots=True)
class Line:
    """One branch of root statements; each step answers a longer branch, so that branches share their trunk."""

    statements: tuple[RootStatement, ...]
    root: SigningKey

    @property
    def last(self) -> RootStatement:
        """The newest statement of the branch."""
        return self.statements[-1]

    @property
    def org(self) -> bytes:
        """The organisation's id."""
        return self.statements[0].org_id

    def say(self, body: Body, key: SigningKey | None = None) -> "Line":
        """Add a statement signed by the root key in force, or by another key."""
        signer = key or self.root
        said = sign_root_statement(signer, body, self.org, self.last.n + 1, self.last.hash)
        return replace(self, statements=(*self.statements, said))

    def node(self, name: str, sign_key: SigningKey | None = None) -> "Line":
        """State a node."""
        return self.say(NodeBody(id16(name), (sign_key or signing_key(name)).public))

    def end(self, name: str, cut: Cut | None = None, reason: int = 1) -> "Line":
        """End a node with a cut."""
        return self.say(EndNodeBody(id16(name), reason, cut or Cut()))

    def rotate(self, root: str, promised: str) -> "Line":
        """Bring the key of one name and promise that of another."""
        key = signing_key(root)
        longer = self.say(KeyBody(key.public, key_hash(signing_key(promised).public)), key)
        return replace(longer, root=key)

    def back_to(self, n: int, root: str | None = None) -> "Line":
        """The branch up to statement n, to go on from there in another way."""
        kept = self.statements[: n + 1]
        return Line(kept, signing_key(root) if root else self.root)


def found(root: str = "root-0", promised: str = "root-1") -> Line:
    """A new organisation."""
    key = signing_key(root)
    return Line((genesis(key, signing_key(promised).public),), key)


def row(log: str, size: int, root: str = "tree") -> CutRow:
    """A row of a cut."""
    return CutRow(id16(log), size, seed(root))


def log_statement(node: str = "node", org: bytes | None = None, nonce: str = "nonce") -> LogStatement:
    """The first log of a node."""
    return sign_log_statement(
        signing_key(node),
        org=org or found().org,
        node=id16(node),
        nonce=id16(nonce),
        witness_key=signing_key("witness/" + node).public,
        box_key=box_key(node).public,
        reason=Reason.FIRST,
    )


def section(name: str = "body", content: bytes = b"{}", klass: int = 0, salt: str = "salt") -> NewSection:
    """Content for one section, with a salt of its own."""
    return NewSection(name, content, klass, id16(salt + "/" + name))


def fragment(
    seq: int = 0,
    *sections: NewSection,
    key: SigningKey | None = None,
    log: bytes | None = None,
    stamp: int | None = None,
    kind: int = 4,
    subjects: Sequence[bytes] = (),
    prev: int | None = None,
    refs: Sequence[Ref] = (),
    auth: Sequence[Ref] = (),
) -> Fragment:
    """A signed fragment of the node named `node`, of its log named `log`."""
    return sign_fragment(
        key or signing_key("node"),
        log=log or id16("log"),
        seq=seq,
        stamp=STAMP + seq if stamp is None else stamp,
        kind=kind,
        subjects=subjects or (id16("subject"),),
        occurred=STAMP,
        sections=sections or (section(),),
        prev=prev,
        refs=refs,
        auth=auth,
    )[0]


@dataclass
class Writer:
    """A log that grows: entries, leaves, checkpoints and inclusion paths."""

    key: SigningKey = field(default_factory=lambda: signing_key("node"))
    log: bytes = field(default_factory=lambda: id16("log"))
    entries: list[Fragment] = field(default_factory=list)

    def write(self, count: int = 1, mark: str = "") -> "Writer":
        """Append entries; `mark` makes them differ from those of another writer."""
        for _ in range(count):
            content = section(content=b"%d %s" % (len(self.entries), mark.encode()))
            self.entries.append(fragment(len(self.entries), content, key=self.key, log=self.log))
        return self

    @property
    def leaves(self) -> list[bytes]:
        """The leaf hashes."""
        return [entry.leaf for entry in self.entries]

    def root(self, size: int | None = None) -> bytes:
        """The root at a size."""
        return root_of(self.leaves[:size])

    def note(self, size: int | None = None) -> bytes:
        """The signed checkpoint at a size."""
        taken = len(self.entries) if size is None else size
        return sign_checkpoint(self.key, Checkpoint(self.log, taken, self.root(taken)))

    def path(self, seq: int, size: int | None = None) -> list[bytes]:
        """The inclusion path of one entry."""
        taken = len(self.entries) if size is None else size
        return inclusion_path(seq, taken, tree(self.leaves[:taken]))
