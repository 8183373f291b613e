"""How much of a log counts: one size, out of everything that can end an author's word.

Whatever ends it keeps the entries below some size: the cuts of a node that ended, the smallest place of a proven fork,
cuts of the organisation's own end. The smallest of these sizes is what counts. It follows from the statements alone, in
whatever order they came; a cut whose root is not known yet counts nothing until it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from federation.cut import Cut
from federation.organisation import NodeEntry

RootAt = Callable[[int], bytes | None]


class Loss(StrEnum):
    """Why entries of a log do not count."""

    PENDING = "pending"  # its node is not stated by anything that counts: the root chain is forked
    DISOWNED = "disowned"
    ENDED = "ended"
    FORKED = "forked"
    LEFT = "left"  # its organisation's own part ended


@dataclass(frozen=True, slots=True)
class Counted:
    """Entries with seq < size count, and why no more do; size None where all of them do."""

    size: int | None = None
    loss: Loss | None = None

    def counts(self, seq: int) -> bool:
        """Whether the entry at that place counts."""
        return self.size is None or seq < self.size


ALL = Counted()


def counted_of(
    log: bytes,
    node: NodeEntry | None,
    root_at: RootAt,
    forked_at: int | None = None,
    cosigned_size: int = 0,
    ends: Iterable[Sequence[Cut]] = (),
) -> Counted:
    """What counts of a log of a node; `root_at` answers the log's root at a size, None where it is not known.

    `forked_at` is the smallest place that a fork proof names, `cosigned_size` the largest quorum-cosigned size attached
    to one; `ends` are the cuts of each further end that its organisation's logs fall under, where of several cuts of
    one end the widest holds.
    """
    if node is None:
        return Counted(0, Loss.PENDING)
    if node.disowned:
        return Counted(0, Loss.DISOWNED)
    losses: list[tuple[int, Loss]] = []
    ended = node.counted_size(log, root_at)
    if ended is not None:
        losses.append((ended, Loss.ENDED))
    if forked_at is not None:
        losses.append((max(cosigned_size, forked_at), Loss.FORKED))
    for cuts in ends:
        losses.append((max((cut.counted_size(log, root_at) for cut in cuts), default=0), Loss.LEFT))
    return Counted(*min(losses, key=lambda loss: loss[0])) if losses else ALL


def sizes_asked(log: bytes, node: NodeEntry | None, ends: Iterable[Sequence[Cut]] = ()) -> frozenset[int]:
    """The sizes at which `counted_of` asks for the root of the log."""
    own = (node.ended, *node.earlier) if node is not None and node.ended is not None else ()
    cuts = (*own, *(cut for some in ends for cut in some))
    return frozenset(row.size for cut in cuts for row in cut.rows if row.log == log)
