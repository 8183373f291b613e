"""Which statement stands above which: reachability over `refs`, and the ties within one organisation.

Order of arrival and clocks decide nothing here. A stamp only breaks a tie between two statements of one organisation
that do not name each other.
"""

from collections.abc import Iterable

from federation.fragment import Ref
from node.passport.statement import Statement


class References:
    """The refs of a set of statements."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._refs = {statement.ref: statement.refs for statement in statements if statement.refs}
        self._below: dict[Ref, frozenset[Ref]] = {}

    def supersedes(self, above: Statement, below: Statement) -> bool:
        """Whether `below` is reachable from `above`, and not the other way round."""
        if above.ref not in self._refs:
            return False
        return below.ref in self._reach(above.ref) and above.ref not in self._reach(below.ref)

    def newest(self, statements: Iterable[Statement]) -> Statement:
        """The statement of one organisation that counts: refs first, then stamp, log, seq."""
        found = list(statements)
        standing = [s for s in found if not any(self.supersedes(other, s) for other in found)]
        return max(standing, key=lambda statement: statement.order)

    def _reach(self, start: Ref) -> frozenset[Ref]:
        if start not in self._below:
            seen: set[Ref] = set()
            todo = [start]
            while todo:
                fresh = set(self._refs.get(todo.pop(), ())) - seen
                seen |= fresh
                todo += fresh
            self._below[start] = frozenset(seen)
        return self._below[start]


def unique(statements: Iterable[Statement]) -> list[Statement]:
    """Each statement once, by place; of two copies the one of which more may be read."""
    found: dict[Ref, Statement] = {}
    for statement in statements:
        known = found.setdefault(statement.ref, statement)
        if known is not statement and _readable(statement) > _readable(known):
            found[statement.ref] = statement
    return [found[ref] for ref in sorted(found)]


def ref_text(ref: Ref) -> str:
    """A place as views show it: `log:seq:id`."""
    return f"{ref.log.hex()}:{ref.seq}:{ref.id16.hex()}"


def parse_ref(text: str) -> Ref:
    """The place that a view shows; raise ValueError where the text is none."""
    log, seq, id16 = text.split(":")
    return Ref(bytes.fromhex(log), int(seq), bytes.fromhex(id16))


def _readable(
    statement: Statement,
) -> tuple[int, list[tuple[str, bytes]], tuple[tuple[str, int], ...], tuple[str, ...]]:
    return len(statement.sections), sorted(statement.sections.items()), statement.withheld, statement.faults
