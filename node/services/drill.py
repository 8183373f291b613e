"""Playing through what is done with root keys, on a copy of the chain: nothing of it leaves the drill.

The steps are those of a bad day. The root key is rotated; a stolen node is ended with a cut, and what its thief signs
later is shown to count nothing; the thief of a root key states a node, and the promised key takes the chain back.
Pure: statements and seeds in, steps out, each proven by the rules that every other node goes by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from federation.counting import Counted, Loss, counted_of
from federation.cut import Cut, CutRow
from federation.errors import StatementError
from federation.keys import SigningKey, key_hash
from federation.merkle import CompactRange, leaf_hash
from federation.organisation import Chain, NodeEntry, sign_next
from federation.statements import EndNodeBody, EndReason, KeyBody, NodeBody, RootStatement
from node.errors import StateError
from node.ports import Random

SEED = 32


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done and shown to hold, in Russian and in English."""

    ru: str
    en: str


def drill(
    statements: Sequence[RootStatement], root: SigningKey, promised: SigningKey, random: Random
) -> Iterator[Step]:
    """Play the drill; raise StateError where something does not hold: a key that is not the chain's, among others."""
    chain = Chain(statements)
    _require(chain.fork is None, "цепочка раздвоена: её должны рассудить якоря", "the chain is forked: anchors decide")
    _require(
        chain.root_key == root.public, "root.key — не тот ключ, который действует", "root.key is not the one in force"
    )
    _require(
        chain.promise == key_hash(promised.public),
        "next-root.key — не обещанный ключ",
        "next-root.key is not the promised one",
    )
    yield Step(
        f"ключи — те самые: root.key действует, next-root.key обещан (утверждений {chain.head.n + 1})",
        f"the keys are the chain's: root.key is in force, next-root.key is promised ({chain.head.n + 1} statements)",
    )
    chain, stolen = _state(chain, root, random)
    chain, ended = _end(chain, root, stolen)
    yield ended
    rotated, following = _rotate(chain, promised, random)
    yield Step(
        f"ключ сменён: утверждение {rotated.head.n} подписано обещанным ключом, обещан новый; узлы остались",
        f"rotated: statement {rotated.head.n} brings the promised key and promises a new one; the nodes stayed",
    )
    yield _refuse_old(rotated, root, random)
    yield _recover(rotated, promised, following, random)


def _state(chain: Chain, root: SigningKey, random: Random) -> tuple[Chain, SigningKey]:
    key = SigningKey.from_seed(random.bytes(SEED))
    return _with(chain, sign_next(chain, root, NodeBody(key.id, key.public))), key


def _end(chain: Chain, root: SigningKey, stolen: SigningKey) -> tuple[Chain, Step]:
    """End a node after five entries of its log; its thief signs five more, and a log of its own."""
    leaves = [leaf_hash(bytes([n])) for n in range(10)]
    log, other = stolen.id, bytes(16)

    def root_at(size: int) -> bytes:
        return CompactRange().extend(leaves[:size]).root()

    cut = Cut((CutRow(log, 5, root_at(5)),))
    longer = _with(chain, sign_next(chain, root, EndNodeBody(stolen.id, EndReason.STOLEN, cut)))
    entry = _node(longer, stolen.id)
    held = counted_of(log, entry, root_at) == Counted(5, Loss.ENDED)
    thief = counted_of(other, entry, root_at) == Counted(0, Loss.ENDED)
    _require(held and thief, "отсечка не держит", "the cut does not hold")
    return longer, Step(
        "украденный узел отключён с отсечкой 5: пять его фрагментов засчитаны, следующие и новый журнал вора — нет",
        "a stolen node is ended with a cut at 5: its five entries count, the next five and the thief's own log do not",
    )


def _rotate(chain: Chain, promised: SigningKey, random: Random) -> tuple[Chain, SigningKey]:
    following = SigningKey.from_seed(random.bytes(SEED))
    said = sign_next(chain, promised, KeyBody(promised.public, key_hash(following.public)))
    longer = _with(chain, said)
    _require(longer.nodes == chain.nodes, "узлы изменились", "the nodes changed")
    return longer, following


def _refuse_old(chain: Chain, retired: SigningKey, random: Random) -> Step:
    key = SigningKey.from_seed(random.bytes(SEED))
    try:
        sign_next(chain, retired, NodeBody(key.id, key.public))
    except StatementError:
        return Step(
            "прежний корневой ключ больше ничего не подпишет: узел, объявленный им, не принят",
            "the retired root key signs nothing any more: a node that it states is refused",
        )
    raise StateError("the retired root key still states nodes", "drill")


def _recover(chain: Chain, root: SigningKey, promised: SigningKey, random: Random) -> Step:
    """The root key in force is stolen: its thief states a node and ends all others; the promised key voids that."""
    thief = SigningKey.from_seed(random.bytes(SEED))
    taken = _with(chain, sign_next(chain, root, NodeBody(thief.id, thief.public)))
    for node in chain.nodes.values():
        if node.ended is None:
            taken = _with(taken, sign_next(taken, root, EndNodeBody(node.node, EndReason.OTHER, Cut())))
    last = SigningKey.from_seed(random.bytes(SEED))
    back = sign_next(taken, promised, KeyBody(promised.public, key_hash(last.public)), after=chain.head.n)
    healed = Chain([*taken.path, back])
    live = {node.node for node in chain.nodes.values() if node.ended is None}
    holds = healed.fork is None and _node(healed, thief.id).disowned
    holds = holds and all(_node(healed, node).ended is None for node in live)
    _require(holds, "обещанный ключ не вернул цепочку", "the promised key did not take the chain back")
    return Step(
        "корневой ключ украден: вор объявил свой узел и отключил остальные; обещанный ключ отменил всё это, узел вора "
        "не признан, остальные живы",
        "the root key is stolen: its thief stated a node and ended the others; the promised key voided all of it, the "
        "thief's node is disowned, the others live",
    )


def _with(chain: Chain, statement: RootStatement) -> Chain:
    return Chain([*chain.path, statement])


def _node(chain: Chain, node: bytes) -> NodeEntry:
    found = chain.node(node)
    if found is None:
        raise StateError(f"node {node.hex()} is not in the chain", "drill")
    return found


def _require(holds: bool, russian: str, english: str) -> None:
    if not holds:
        raise StateError(english, "drill", ru=russian)
