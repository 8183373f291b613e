"""Composition: which part stood in which whole, from when to when.

One parent at a time. Of two parents at one time, or of a cycle, all edges are shown and none is used; only edges of the
highest rank contradict each other, and lower ones are claims. What the other subjects say of their own parts is known
only as far as their statements are given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from node.passport.bodies import CompositionBody
from node.passport.case import Case, Entry
from node.passport.merge import Standing, Verdict
from node.passport.ranks import FactClass
from node.passport.statement import Statement
from node.passport.view import Plain, moment_us

ALWAYS, FOREVER = -(1 << 62), 1 << 62
LOT, MATERIAL = "lot", "material"

_Key = tuple[bytes, bytes, str, int, str]  # part, whole, position, since, relation


@dataclass(frozen=True, slots=True)
class Edge:
    """A part in a whole over a time; joined subjects stand under the one that leads. To is excluded in `span`."""

    part: bytes
    whole: bytes
    position: str | None
    since: str | None
    span: tuple[int, int]
    verdict: Verdict
    body: CompositionBody
    relation: str | None = None
    conflict: str | None = None
    is_claim: bool = False

    @property
    def is_used(self) -> bool:
        """Whether it answers what was inside."""
        return not self.conflict and not self.is_claim and self.verdict.chosen is not None

    def overlaps(self, other: "Edge") -> bool:
        """Whether both hold at some time."""
        (start, end), (start2, end2) = self.span, other.span
        return max(start, start2) < min(end, end2)

    def view(self) -> dict[str, Plain]:
        """The edge as views show it."""
        fact = self.verdict.fact()
        value = fact.pop("value")
        shown: dict[str, Plain] = value if isinstance(value, dict) else {"until": None, "quantity": None}
        standing = Standing.CLAIM.value if self.is_claim else fact["standing"]
        return {
            **fact,
            **shown,
            "standing": Standing.DISPUTED.value if self.conflict else standing,
            "part": self.part.hex(),
            "whole": self.whole.hex(),
            "position": self.position,
            "since": self.since,
            "designation": self.body.designation,
            "serial": self.body.serial,
            "relation": self.relation,
            "conflict": self.conflict,
            "used": self.is_used,
        }


def edges_of(case: Case) -> list[Edge]:
    """All edges that the statements give, with what contradicts them."""
    stated: dict[_Key, list[tuple[Statement, CompositionBody]]] = {}
    for reading in case.readings:
        body, statement = reading.body("composition", CompositionBody), reading.statement
        if body is not None and len(statement.subjects) > 1:
            part, whole = (_lead(case, subject) for subject in statement.subjects[:2])
            since = moment_us(body.since) if body.since else ALWAYS
            key = (part, whole, body.position or "", since, body.relation or "")
            stated.setdefault(key, []).append((statement, body))
    edges = [_edge(case, key, items) for key, items in sorted(stated.items())]
    by_part: dict[bytes, list[Edge]] = {}
    for edge in edges:
        if edge.relation is None:
            by_part.setdefault(edge.part, []).append(edge)
    return [_judged(edge, by_part) if edge.relation is None else edge for edge in edges]


def composition_view(case: Case, edges: Sequence[Edge]) -> dict[str, Plain]:
    """Wholes and parts of the passport's subject, the lots it came out of, and where a lot went."""
    lead = case.identity.lead
    inside = [edge for edge in edges if edge.whole == lead and edge.part != lead]
    return {
        "parents": [edge.view() for edge in edges if edge.part == lead and edge.relation is None],
        "children": [edge.view() for edge in inside if edge.relation != LOT],
        "lots": [edge.view() for edge in edges if edge.part == lead and edge.relation == LOT],
        "members": [edge.view() for edge in inside if edge.relation == LOT],
        "used_in": [edge.view() for edge in edges if edge.part == lead and edge.relation == MATERIAL],
    }


def part_title(case: Case, edges: Sequence[Edge]) -> str:
    """What a part without a plate of its own is called: as it was printed where it stood last, empty without that."""
    lead = case.identity.lead
    stood = [e for e in edges if e.part == lead and e.relation != LOT and (e.body.designation or e.body.serial)]
    last = max(stood, key=lambda edge: (edge.is_used, edge.span, edge.whole, edge.position or ""), default=None)
    return f"{last.body.designation or ''} № {last.body.serial or ''}".strip(" №") if last else ""


def _edge(case: Case, key: _Key, items: Sequence[tuple[Statement, CompositionBody]]) -> Edge:
    entries = [_entry(statement, body) for statement, body in items]
    verdict = case.settle(entries, FactClass.PHYSICAL)
    first = min(items, key=lambda item: item[0].order)
    chosen = verdict.chosen.statement.ref if verdict.chosen else first[0].ref
    body = next(body for statement, body in items if statement.ref == chosen)
    value = verdict.value if isinstance(verdict.value, dict) else {}
    until = value.get("until")
    span = (key[3], moment_us(until) if isinstance(until, str) else FOREVER)
    return Edge(key[0], key[1], key[2] or None, body.since, span, verdict, body, key[4] or None)


def _entry(statement: Statement, body: CompositionBody) -> Entry:
    value: dict[str, Plain] = {"until": body.until, "quantity": body.quantity}
    end = moment_us(body.until) if body.until else FOREVER
    return Entry(statement, "composition", value, f"{end} {body.quantity}")


def _lead(case: Case, subject: bytes) -> bytes:
    return case.identity.lead if subject in case.subjects else subject


def _judged(edge: Edge, by_part: Mapping[bytes, Sequence[Edge]]) -> Edge:
    if edge.part == edge.whole or _is_in_cycle(edge, by_part):
        return replace(edge, conflict="cycle")
    rivals = [other for other in by_part[edge.part] if other.whole != edge.whole and edge.overlaps(other)]
    level = max((rival.verdict.level for rival in rivals), default=0)
    if level > edge.verdict.level:
        return replace(edge, is_claim=True)
    return replace(edge, conflict="two-parents") if level == edge.verdict.level and rivals else edge


def _is_in_cycle(edge: Edge, by_part: Mapping[bytes, Sequence[Edge]]) -> bool:
    """Whether the whole stands, at some time of this edge, in its own part by edges of no lower rank."""
    seen: set[bytes] = set()
    todo = [edge.whole]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            above = (e for e in by_part.get(here, ()) if e.verdict.level >= edge.verdict.level and e.overlaps(edge))
            todo += [e.whole for e in above if e.whole not in seen]
    return edge.part in seen
