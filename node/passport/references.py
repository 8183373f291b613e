"""Which statement stands above which: reachability over `refs`, and the ties within one organisation.

Order of arrival and clocks decide nothing here. A stamp only breaks a tie between two statements of one organisation
that do not name each other.
"""

from collections.abc import Iterable, Iterator, Sequence

from federation.fragment import Ref
from node.passport.statement import Statement


class References:
    """The refs of a set of statements. What is reachable from one is kept as a number with a bit for each place."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._refs = {statement.ref: statement.refs for statement in statements if statement.refs}
        self._bits: dict[Ref, int] = {}
        self._below: dict[Ref, int] = {}

    def has_refs(self, statement: Statement) -> bool:
        """Whether it may stand above anything."""
        return statement.ref in self._refs

    def supersedes(self, above: Statement, below: Statement) -> bool:
        """Whether `below` is reachable from `above`, and not the other way round."""
        if above.ref not in self._refs:
            return False
        return bool(self._reach(above.ref) & self._bit(below.ref)) and not self._reach(below.ref) & self._bit(above.ref)

    def reach(self, above: Iterable[Statement]) -> int:
        """What is reachable from any of these, for `holds`."""
        found = 0
        for statement in above:
            found |= self._reach(statement.ref)
        return found

    def holds(self, reach: int, statement: Statement) -> bool:
        """Whether a statement is among what is reachable."""
        return bool(reach & self._bit(statement.ref))

    def newest(self, statements: Iterable[Statement]) -> Statement:
        """The statement of one organisation that counts: refs first, then stamp, log, seq."""
        found = list(statements)
        above = [s for s in found if s.ref in self._refs]
        standing = [s for s in found if not any(self.supersedes(other, s) for other in above)] if above else found
        return max(standing, key=lambda statement: statement.order)

    def latest_above(self, above: Sequence[Statement], below: Iterable[Ref]) -> Iterator[tuple[Ref, Statement]]:
        """Each of the places `below` over which one of `above` stands, with the latest of those by stamp, log, seq."""
        places = {self._bit(ref): ref for ref in below}
        waiting = sum(places)
        for statement in sorted(above, key=lambda s: s.order, reverse=True):
            found = self._reach(statement.ref) & waiting
            while found:
                lowest = found & -found
                found ^= lowest
                if not self._reach(places[lowest]) & self._bit(statement.ref):
                    waiting ^= lowest
                    yield places[lowest], statement

    def _bit(self, ref: Ref) -> int:
        if ref not in self._bits:
            self._bits[ref] = 1 << len(self._bits)
        return self._bits[ref]

    def _reach(self, start: Ref) -> int:
        """What is reachable, worked out from the far end on, so that a long chain is walked once."""
        if start not in self._refs:
            return 0
        path, entered = [start], {start}
        while path and start not in self._below:
            here = path[-1]
            fresh = [ref for ref in self._refs[here] if ref in self._refs and ref not in self._below]
            if any(ref in entered for ref in fresh):
                return self._below.setdefault(start, self._walk(start))
            if fresh:
                path.append(fresh[0])
                entered.add(fresh[0])
                continue
            reach = 0
            for ref in self._refs[here]:
                reach |= self._bit(ref) | self._below.get(ref, 0)
            self._below[here] = reach
            entered.discard(path.pop())
        return self._below[start]

    def _walk(self, start: Ref) -> int:
        """The same where statements name each other in a ring, which takes a broken hash: slowly."""
        seen: set[Ref] = set()
        todo = [start]
        while todo:
            fresh = set(self._refs.get(todo.pop(), ())) - seen
            seen |= fresh
            todo += fresh
        return sum(self._bit(ref) for ref in seen)


def unique(statements: Iterable[Statement]) -> list[Statement]:
    """Each statement once, by place; of two copies the one of which more may be read."""
    found: dict[Ref, Statement] = {}
    for statement in statements:
        known = found.setdefault(statement.ref, statement)
        if known is not statement and _readable(statement) > _readable(known):
            found[statement.ref] = statement
    return [found[ref] for ref in sorted(found, key=lambda ref: (ref.log, ref.seq, ref.id16))]


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
