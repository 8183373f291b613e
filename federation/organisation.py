"""An organisation as its chain of root statements, forks and all.

`Chain` takes statements in any order and answers the same for equal sets. A rotate beats a non-rotate at its n and
voids what followed that, but nothing at or after another rotate. Two rotates redeeming one promise, or two
non-rotates at one n that no rotate voids, are a fork: from the smallest such n nothing counts until the anchors
attest one branch. A node stated in a voided statement is disowned: it ended with an empty cut.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from federation.cut import Cut
from federation.errors import StatementError
from federation.keys import key_hash
from federation.statements import EndNodeBody, KeyBody, NodeBody, RootStatement, StatementType

MAX_STATEMENTS = 2000


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node of the organisation: its sign key, and the cut if it ended (an empty one if it is disowned)."""

    node: bytes
    sign_key: bytes
    ended: Cut | None = None
    disowned: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    """What holds after one statement of one branch."""

    statement: RootStatement
    root_key: bytes
    promise: bytes
    promised_by: bytes
    used: frozenset[bytes]
    nodes: Mapping[bytes, NodeEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RootFork:
    """Two statements that cannot both stand; from `n` nothing of the chain counts."""

    n: int
    left: RootStatement
    right: RootStatement


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
        for statement in ordered[:MAX_STATEMENTS]:
            self._admit(statement)
        if roots[0].hash not in self._states:
            raise StatementError(f"genesis: {self.refused[0][1]}")
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

    def _resolve(self, state: _State) -> tuple[list[RootStatement], RootFork | None]:
        twice = self._double_redemption()
        path = [state.statement]
        while children := self._children.get(state.statement.hash, []):
            n = state.statement.n + 1
            chosen = [c for c in children if self._leads_to_attested(c)]
            rotates = [c for c in children if c.statement.type is StatementType.ROTATE]
            if twice is not None and n >= twice.n and not self._attested_after(twice.n):
                return path, twice
            candidates = chosen or rotates or children
            if len(candidates) > 1:
                return path, RootFork(n, candidates[0].statement, candidates[1].statement)
            state = candidates[0]
            path.append(state.statement)
        return path, None

    def _double_redemption(self) -> RootFork | None:
        groups: dict[bytes, list[RootStatement]] = {}
        for state in self._states.values():
            if state.statement.type is StatementType.ROTATE and state.statement.previous is not None:
                promiser = self._states[state.statement.previous].promised_by
                groups.setdefault(promiser, []).append(state.statement)
        forks = [sorted(group, key=lambda s: (s.n, s.hash)) for group in groups.values() if len(group) > 1]
        if not forks:
            return None
        first = min(forks, key=lambda group: (group[0].n, group[0].hash))
        return RootFork(first[0].n, first[0], first[1])

    def _attested_after(self, n: int) -> bool:
        return any(h in self._states and self._states[h].statement.n >= n for h in self._attested)

    def _leads_to_attested(self, state: _State) -> bool:
        if state.statement.hash in self._attested:
            return True
        ancestors = set()
        for attested in self._attested & self._states.keys():
            step: _State | None = self._states[attested]
            while step is not None:
                ancestors.add(step.statement.hash)
                step = self._states.get(step.statement.previous) if step.statement.previous else None
        return state.statement.hash in ancestors

    def _all_nodes(self) -> Mapping[bytes, NodeEntry]:
        nodes = dict(self._states[self.head.hash].nodes)
        on_path = {statement.hash for statement in self.path}
        if self.fork is None:
            for state in self._states.values():
                body = state.statement.body
                if state.statement.hash not in on_path and isinstance(body, NodeBody) and body.node not in nodes:
                    nodes[body.node] = NodeEntry(body.node, body.sign_key, Cut(), disowned=True)
        return nodes


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
    )


def _with_node(parent: _State, statement: RootStatement, body: NodeBody) -> _State:
    if body.node in parent.nodes:
        raise StatementError(f"node {body.node.hex()} is stated twice")
    if key_hash(body.sign_key) in parent.used:
        raise StatementError(f"statement {statement.n} states a key a second time")
    nodes = {**parent.nodes, body.node: NodeEntry(body.node, body.sign_key)}
    return replace(parent, statement=statement, nodes=nodes, used=parent.used | {key_hash(body.sign_key)})


def _without_node(parent: _State, statement: RootStatement, body: EndNodeBody) -> _State:
    entry = parent.nodes.get(body.node)
    if entry is None:
        raise StatementError(f"statement {statement.n} ends a node that was never stated")
    if entry.ended is not None and not body.cut.widens(entry.ended):
        raise StatementError(f"statement {statement.n} narrows the cut of a node")
    return replace(parent, statement=statement, nodes={**parent.nodes, body.node: replace(entry, ended=body.cut)})
