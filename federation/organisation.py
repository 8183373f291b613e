"""An organisation as its chain of root statements, forks and all.

`Chain` takes statements in any order and answers the same for equal sets. A rotate beats a non-rotate at its n and
voids what followed that, but nothing at or after another rotate. Two rotates redeeming one promise, or two
non-rotates at one n that no rotate voids, are a fork: from the smallest such n nothing counts until the anchors
attest one branch. A node stated in a voided statement is disowned: it ended with an empty cut; a node stated in a
forked area is unknown until an attestation ends the fork.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from federation.cut import Cut
from federation.errors import StatementError
from federation.keys import SIGNATURE_SIZE, SigningKey, key_hash
from federation.statements import (
    MAX_CHAIN,
    MAX_STATEMENT,
    Body,
    EndNodeBody,
    KeyBody,
    NodeBody,
    RootStatement,
    StatementType,
    sign_root_statement,
)

# Of all branches together: what travels as one chain, in as many bytes as the longest chain may have.
MAX_KEPT = 2 * MAX_CHAIN
AROUND = 16  # a statement's signature and lengths in an envelope
MAX_KEPT_SIZE = MAX_CHAIN * (MAX_STATEMENT + SIGNATURE_SIZE + AROUND)


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node of the organisation: its sign key, and the cut if it ended (an empty one if it is disowned)."""

    node: bytes
    sign_key: bytes
    ended: Cut | None = None
    disowned: bool = False
    earlier: tuple[Cut, ...] = ()

    def counted_size(self, log: bytes, root_at: Callable[[int], bytes | None]) -> int | None:
        """Up to which size a log of an ended node counts: the most that any of its cuts keeps; None if it goes on.

        A later cut whose row has a root of nowhere takes nothing back: a cut may only widen.
        """
        if self.ended is None:
            return None
        return max(cut.counted_size(log, root_at) for cut in (self.ended, *self.earlier))


@dataclass(frozen=True, slots=True)
class _State:
    """What holds after one statement of one branch."""

    statement: RootStatement
    root_key: bytes
    promise: bytes
    promised_by: bytes
    used: frozenset[bytes]
    nodes: Mapping[bytes, NodeEntry] = field(default_factory=dict)
    # The first two rotates at or below this place that redeem the promise in force here: two are a fork.
    redeemers: "list[_State]" = field(default_factory=list, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RootFork:
    """Two statements that cannot both stand; from `n` nothing of the chain counts."""

    n: int
    left: RootStatement
    right: RootStatement

    @property
    def is_undone_by_rotate(self) -> bool:
        """Whether the promised key ends it: a rotate beats what no rotate stands among."""
        return all(side.type is not StatementType.ROTATE for side in (self.left, self.right))


class Chain:
    """The statements of one organisation and what follows from them."""

    def __init__(self, statements: Iterable[RootStatement], attested: Iterable[bytes] = ()) -> None:
        """Take statements in any order; `attested` names hashes of branches that the anchors chose."""
        self.refused: list[tuple[RootStatement, str]] = []
        self._attested = frozenset(attested)
        self._states: dict[bytes, _State] = {}
        self._children: dict[bytes, list[_State]] = {}
        ordered = sorted({s.envelope(): s for s in statements}.values(), key=lambda s: (s.n, s.hash, s.signature))
        roots = [s for s in ordered if s.type is StatementType.GENESIS]
        if len({s.hash for s in roots}) != 1:
            raise StatementError(f"a chain has one genesis, got {len(roots)}")
        self.org_id = roots[0].org_id
        for statement in ordered:
            self._admit(statement)
        if roots[0].hash not in self._states:
            raise StatementError(f"genesis: {self.refused[0][1]}")
        self._chosen = self._attested_line()
        self.path, self.fork = self._resolve(self._states[roots[0].hash])
        self.nodes = self._all_nodes()

    @property
    def head(self) -> RootStatement:
        """The last statement that counts."""
        return self.path[-1]

    @property
    def root_key(self) -> bytes:
        """The root key in force, 33 bytes."""
        return self._states[self.head.hash].root_key

    @property
    def promise(self) -> bytes:
        """The hash of the promised next root key."""
        return self._states[self.head.hash].promise

    def node(self, node_id: bytes) -> NodeEntry | None:
        """The node of that id, ended and disowned ones too."""
        return self.nodes.get(node_id)

    def counts(self, node_id: bytes) -> bool:
        """Whether anything of the node can count: it is stated and not disowned."""
        node = self.nodes.get(node_id)
        return node is not None and not node.disowned

    def line(self, root_hash: bytes) -> frozenset[bytes]:
        """The hashes of a statement that stands and of all that it follows; none for another."""
        state = self._states.get(root_hash)
        return frozenset(step.statement.hash for step in self._line(state)) if state is not None else frozenset()

    def kept(self) -> list[RootStatement]:
        """The statements that stand, as many as are kept: whoever has a root key could sign without end.

        First those that count, those that an attestation names and those by which a fork is proven; then the others,
        which follow them, from the smallest n on.
        """
        sides = (self.fork.left, self.fork.right) if self.fork is not None else ()
        first = self._chosen.union((said.hash for said in self.path), *(self.line(side.hash) for side in sides))
        ordered = sorted(
            self._states.values(), key=lambda s: (s.statement.hash not in first, s.statement.n, s.statement.hash)
        )
        sizes = itertools.accumulate(len(state.statement.envelope()) for state in ordered)
        fitting = itertools.takewhile(
            lambda pair: pair[1] <= MAX_KEPT_SIZE, zip(ordered[:MAX_KEPT], sizes, strict=False)
        )
        return sorted((state.statement for state, _ in fitting), key=lambda statement: (statement.n, statement.hash))

    def _admit(self, statement: RootStatement) -> None:
        if statement.hash in self._states:
            return
        try:
            parent = self._states.get(statement.previous) if statement.previous else None
            state = _first(statement) if statement.previous is None else _after(parent, statement)
        except StatementError as error:
            self.refused.append((statement, str(error)))
            return
        self._states[statement.hash] = state
        if parent is not None:
            self._children.setdefault(parent.statement.hash, []).append(state)
            if statement.type is StatementType.ROTATE:
                self._note_redeemer(parent, state)

    def _note_redeemer(self, parent: _State, redeemer: _State) -> None:
        """Note a rotate at each statement before it down to the one that promised its key; they come by ascending n."""
        for step in self._line(parent):
            if len(step.redeemers) == 2 or step.promised_by != parent.promised_by:
                break  # what has two has them in all before it
            step.redeemers.append(redeemer)

    def _resolve(self, state: _State) -> tuple[list[RootStatement], RootFork | None]:
        path = [state.statement]
        while children := self._children.get(state.statement.hash):
            chosen = [child for child in children if child.statement.hash in self._chosen]
            candidates = chosen or self._standing(state, children)
            if len(candidates) > 1:
                return path, RootFork(path[-1].n + 1, candidates[0].statement, candidates[1].statement)
            state = candidates[0]
            path.append(state.statement)
        return path, None

    def _standing(self, state: _State, children: Sequence[_State]) -> Sequence[_State]:
        """Which statements claim the next n where no attestation chooses; more than one are a fork."""
        if len(state.redeemers) > 1 and state.redeemers[0].statement.n == children[0].statement.n:
            return state.redeemers
        return [child for child in children if child.statement.type is StatementType.ROTATE] or children

    def _line(self, state: _State) -> Iterable[_State]:
        """The state and all before it, back to the genesis."""
        step: _State | None = state
        while step is not None:
            yield step
            step = self._states.get(step.statement.previous) if step.statement.previous else None

    def _attested_line(self) -> frozenset[bytes]:
        """The attested statements and all that they follow."""
        return frozenset[bytes]().union(*(self.line(found) for found in self._attested))

    def _all_nodes(self) -> Mapping[bytes, NodeEntry]:
        nodes = dict(self._states[self.head.hash].nodes)
        path = {statement.hash for statement in self.path}
        for state in self._states.values():
            body = state.statement.body
            if isinstance(body, NodeBody) and body.node not in nodes and self._is_voided(state, path):
                nodes[body.node] = NodeEntry(body.node, body.sign_key, Cut(), disowned=True)
        return nodes

    def _is_voided(self, state: _State, path: set[bytes]) -> bool:
        """Whether the statement left the path before its end: what hangs on the end is forked, not voided."""
        joint = next(step for step in self._line(state) if step.statement.hash in path)
        return joint is not state and joint.statement.hash != self.head.hash


def sign_next(chain: Chain, key: SigningKey, body: Body, after: int | None = None) -> RootStatement:
    """The next statement of a chain, signed; raise StatementError where it would not stand.

    A rotate may stand after an earlier statement, and so void those that follow that one.
    """
    check_unforked(chain, isinstance(body, KeyBody))
    before = chain.head if after is None or not 0 <= after < len(chain.path) else chain.path[after]
    said = sign_root_statement(key, body, chain.org_id, before.n + 1, before.hash)
    longer = Chain([*chain.path, said])
    if longer.head.hash != said.hash:
        why = next((reason for statement, reason in longer.refused if statement.hash == said.hash), "it is not chosen")
        raise StatementError(why)
    return said


def check_unforked(chain: Chain, is_rotate: bool) -> None:
    """Raise StatementError where the chain is forked and one more statement would not end that."""
    if chain.fork is not None and not (is_rotate and chain.fork.is_undone_by_rotate):
        remedy = "rotate, or let anchors attest one" if chain.fork.is_undone_by_rotate else "let anchors attest one"
        raise StatementError(f"the root chain is forked at {chain.fork.n}, two branches claim it: {remedy}")


def _first(statement: RootStatement) -> _State:
    body = statement.body
    if not isinstance(body, KeyBody) or not statement.is_signed_by(body.root_key):
        raise StatementError("the genesis is not signed by its root key")
    if key_hash(body.root_key) == body.promise:
        raise StatementError("the promised key is the root key itself")
    return _State(
        statement,
        body.root_key,
        body.promise,
        statement.hash,
        frozenset({key_hash(body.root_key), body.promise}),
    )


def _after(parent: _State | None, statement: RootStatement) -> _State:
    if parent is None:
        raise StatementError(f"statement {statement.n} follows nothing that stands")
    if statement.n != parent.statement.n + 1 or statement.org != parent.statement.org_id:
        raise StatementError(f"statement {statement.n} does not follow {parent.statement.n} of its organisation")
    body = statement.body
    signer = body.root_key if isinstance(body, KeyBody) else parent.root_key
    if not statement.is_signed_by(signer):
        raise StatementError(f"statement {statement.n} is not signed by the root key")
    if isinstance(body, KeyBody):
        return _rotated(parent, statement, body)
    if isinstance(body, NodeBody):
        return _with_node(parent, statement, body)
    return _without_node(parent, statement, body)


def _rotated(parent: _State, statement: RootStatement, body: KeyBody) -> _State:
    if key_hash(body.root_key) != parent.promise:
        raise StatementError(f"rotate {statement.n} does not bring the promised key")
    if body.promise in parent.used:
        raise StatementError(f"rotate {statement.n} promises a key that is in use")
    return replace(
        parent,
        statement=statement,
        root_key=body.root_key,
        promise=body.promise,
        promised_by=statement.hash,
        used=parent.used | {body.promise},
        redeemers=[],
    )


def _with_node(parent: _State, statement: RootStatement, body: NodeBody) -> _State:
    if body.node in parent.nodes:
        raise StatementError(f"node {body.node.hex()} is stated twice")
    if key_hash(body.sign_key) in parent.used:
        raise StatementError(f"statement {statement.n} states a key a second time")
    nodes = {**parent.nodes, body.node: NodeEntry(body.node, body.sign_key)}
    return replace(parent, statement=statement, nodes=nodes, used=parent.used | {key_hash(body.sign_key)}, redeemers=[])


def _without_node(parent: _State, statement: RootStatement, body: EndNodeBody) -> _State:
    entry = parent.nodes.get(body.node)
    if entry is None:
        raise StatementError(f"statement {statement.n} ends a node that was never stated")
    if entry.ended is not None and not body.cut.widens(entry.ended):
        raise StatementError(f"statement {statement.n} narrows the cut of a node")
    earlier = entry.earlier if entry.ended is None else (*entry.earlier, entry.ended)
    ended = replace(entry, ended=body.cut, earlier=earlier)
    return replace(parent, statement=statement, nodes={**parent.nodes, body.node: ended}, redeemers=[])
