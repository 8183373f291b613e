"""The root chain of this node's organisation: its keys and nodes, and taking what the root key signed.

A root key never comes over this API: what it signs is signed elsewhere and sent here whole.
"""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from federation.cut import Cut, CutRow
from federation.enrolment import Enrolment
from federation.keys import key_id
from federation.statements import EndNodeBody, EndReason, KeyBody, RootStatement
from node.services.access import Scope
from node.services.keys import KeysStatus, NodeKeys
from node.web.api.branches import BranchAnswer, branch_answers
from node.web.api.fields import Hex16
from node.web.calls import Call
from node.web.routes import Limit, api

Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=8704)]
KNOWN_REASONS = frozenset(map(int, EndReason))


class CutRowAnswer(BaseModel):
    """A log of which the entries below a size count, where its root there is this one."""

    log: Hex16
    size: int
    root: str


class NodeLogAnswer(BaseModel):
    """A log as far as it is here."""

    log: Hex16
    size: int
    counted: int | None = Field(description="Up to which size it counts; null where all of it does.")
    loss: str | None = Field(description="Why no more counts.")
    reason: str = Field(description="Why it was opened: `first`, `backup`, `head_lost`, `peer_ahead` and so on.")
    previous: Hex16 | None = Field(description="The log in whose place it was opened.")
    opened_us: int = Field(description="When it came here; a log of this node, when it was opened.")


class NodeKeysAnswer(BaseModel):
    """A node that the organisation stated."""

    node: Hex16
    sign_key: str
    state: str = Field(description="`live`, `ended` or `disowned`.")
    is_this: bool
    cut: list[CutRowAnswer] = Field(description="What counts of an ended one.")
    logs: list[NodeLogAnswer]


class StatementAnswer(BaseModel):
    """A root statement that counts; it holds no time itself."""

    n: int
    type: str = Field(description="`genesis`, `node`, `end_node` or `rotate`.")
    taken_us: int = Field(description="When it came to this node.")
    node: Hex16 | None = Field(description="The node that it states or ends.")
    reason: str | None = Field(description="Why a node ended: `retired`, `stolen`, `lost`, `replaced` or `other`.")
    cut: list[CutRowAnswer] = Field(description="What counts of a node that it ends.")
    root_key: str | None = Field(description="The key that it brings into force.")


class KeysAnswer(BaseModel):
    """The root chain as it stands here."""

    org: Hex16
    n: int = Field(description="The number of the last statement that counts.")
    root_key: str
    root_key_id: Hex16 = Field(description="The fingerprint of that key: what people compare.")
    promise: str = Field(description="SHA-256 of the key that takes over next.")
    fork: int | None = Field(description="From which number on nothing counts until anchors attest one branch.")
    branches: list[BranchAnswer] = Field(description="The two that claim that place.")
    nodes: list[NodeKeysAnswer]
    chain: list[StatementAnswer] = Field(description="What was stated, in order, as far as it counts.")
    warnings: list[str] = Field(description="`root_here`, `next_here`, `forked`, `ended`: what should not stay so.")
    statements: list[str] = Field(description="The statements that count, in hex, each with its signature.")
    enrolment: str = Field(description="What a new node of the organisation takes, once it is stated.")


class CutSizeBody(BaseModel):
    """A log and the size up to which it should count."""

    log: Hex16
    size: int = Field(ge=1, lt=2**63)


class CutBody(BaseModel):
    """A node that should end; without sizes all that is here of it counts on."""

    node: Hex16
    at: list[CutSizeBody] | None = Field(default=None, max_length=64)


class CutAnswer(BaseModel):
    """The cut to be signed."""

    rows: list[CutRowAnswer]


class StatementsBody(BaseModel):
    """Root statements that were signed elsewhere, in hex, each with its signature."""

    statements: list[Hex] = Field(min_length=1, max_length=16)


@api("GET", "/keys", title="Root chain of this organisation", scopes=[Scope.READ], limit=Limit.NONE,
     problems=["chain_missing"])  # fmt: skip
async def read_keys(call: Call) -> KeysAnswer:
    """Root key and promise, the nodes with what counts of their logs, and what should not stay as it is."""
    return keys_answer(await call.context.keys.status(), await call.context.keys.enrolment())


@api("POST", "/keys/cut", title="What would count of a node if it ended", scopes=[Scope.ACCESS],
     problems=["node_unknown", "cut_unknown", "cut_large", "chain_missing"])  # fmt: skip
async def read_cut(call: Call, body: CutBody) -> CutAnswer:
    """Nothing is changed: the cut is signed with the root key, elsewhere."""
    at = None if body.at is None else {bytes.fromhex(row.log): row.size for row in body.at}
    cut = await call.context.keys.cut(bytes.fromhex(body.node), at)
    return cut_answer(cut)


@api("POST", "/keys/statements", title="Take root statements", scopes=[Scope.ACCESS],
     problems=["root_statement", "chain_missing"])  # fmt: skip
async def take_statements(call: Call, body: StatementsBody) -> KeysAnswer:
    """Verified, kept and passed on: each follows the last one that counts, and is signed by the root key."""
    envelopes = [bytes.fromhex(text) for text in body.statements]
    return keys_answer(await call.context.keys.take(envelopes, call.actor.label), await call.context.keys.enrolment())


def keys_answer(status: KeysStatus, enrolment: Enrolment) -> KeysAnswer:
    """The chain as it stands, for programs."""
    return KeysAnswer(
        org=status.org.hex(),
        n=status.n,
        root_key=status.root_key.hex(),
        root_key_id=key_id(status.root_key).hex(),
        promise=status.promise.hex(),
        fork=status.fork.n if status.fork else None,
        branches=branch_answers(status.fork),
        nodes=[node_answer(node) for node in status.nodes],
        chain=[_stated(statement, status.taken_us[statement.hash]) for statement in status.statements],
        warnings=[warning.value for warning in status.warnings],
        statements=[statement.envelope().hex() for statement in status.statements],
        enrolment=enrolment.to_text(),
    )


def cut_answer(cut: Cut) -> CutAnswer:
    """A cut, for programs."""
    return CutAnswer(rows=[_row(row) for row in cut.rows])


def node_answer(node: NodeKeys) -> NodeKeysAnswer:
    """A node with its logs."""
    logs = [
        NodeLogAnswer(
            log=log.log.hex(),
            size=log.size,
            counted=log.counted.size,
            loss=log.counted.loss,
            reason=log.reason,
            previous=log.previous.hex() if log.previous else None,
            opened_us=log.opened_us,
        )
        for log in node.logs
    ]
    return NodeKeysAnswer(
        node=node.node.hex(),
        sign_key=node.sign_key.hex(),
        state=node.state.value,
        is_this=node.is_this,
        cut=[_row(row) for row in node.cut],
        logs=logs,
    )


def _stated(statement: RootStatement, taken_us: int) -> StatementAnswer:
    body = statement.body
    ends = body if isinstance(body, EndNodeBody) else None
    return StatementAnswer(
        n=statement.n,
        type=statement.type.name.lower(),
        taken_us=taken_us,
        node=None if isinstance(body, KeyBody) else body.node.hex(),
        reason=_end_reason(ends.reason) if ends else None,
        cut=[_row(row) for row in ends.cut.rows] if ends else [],
        root_key=body.root_key.hex() if isinstance(body, KeyBody) else None,
    )


def _end_reason(number: int) -> str:
    return (EndReason(number) if number in KNOWN_REASONS else EndReason.OTHER).name.lower()


def _row(row: CutRow) -> CutRowAnswer:
    return CutRowAnswer(log=row.log.hex(), size=row.size, root=row.root.hex())


ROUTES = (read_keys, read_cut, take_statements)
