"""A cut: the sizes up to which the logs of somebody who lost an entitlement still count.

`[[log bin16, size > 0, root bin32]...]`, ascending by log, one row a log, at most 64. Inside means seq < size. A log
that is not named counts nothing; a row whose root is not the log's root at that size counts nothing.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError

MAX_ROWS = 64


@dataclass(frozen=True, slots=True)
class CutRow:
    """One log: entries with seq < size count, if the log's root at that size is this one."""

    log: bytes
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """What still counts of a loser's logs."""

    rows: tuple[CutRow, ...] = ()

    def counted_size(self, log: bytes, root_at: Callable[[int], bytes | None]) -> int:
        """Up to which size a log counts; `root_at` answers the log's root at a size, None where unknown."""
        for row in self.rows:
            if row.log == log:
                return row.size if root_at(row.size) == row.root else 0
        return 0

    def widens(self, other: "Cut") -> bool:
        """Whether this cut keeps at least what the other one keeps."""
        mine = {row.log: row for row in self.rows}
        return all(
            (row := mine.get(old.log)) is not None
            and (row.size > old.size or (row.size == old.size and row.root == old.root))
            for old in other.rows
        )

    def to_value(self) -> codec.Value:
        """The array that stands in a statement or in a section `cut`."""
        return [[row.log, row.size, row.root] for row in self.rows]

    @classmethod
    def from_value(cls, value: codec.Value) -> "Cut":
        """Read the array; raise CodecError."""
        rows = tuple(_row(item) for item in codec.array(value, None, "cut", most=MAX_ROWS))
        logs = [row.log for row in rows]
        if any(left >= right for left, right in itertools.pairwise(logs)):
            raise CodecError("cut: logs are not ascending or not unique")
        return cls(rows)


def _row(value: codec.Value) -> CutRow:
    log, size, root = codec.array(value, 3, "cut row")
    return CutRow(
        codec.binary(log, 16, "cut log"), codec.uint(size, "cut size", least=1), codec.binary(root, 32, "cut root")
    )
