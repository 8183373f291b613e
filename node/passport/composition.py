"""Composition: which part stood in which whole, from when to when.

A part has one parent at a time. Of two parents at one time, or of a cycle, all edges are shown and none is used; only
edges of the highest rank contradict each other, and lower ones are claims. A cycle leads through any relation: a lot is
above what came out of it, and below what its material went into. An edge is judged once, in the passport of its part;
the passport of the whole shows it as it was judged there. What a judgement needs of other passports stands in `Around`;
without it a passport is judged by its own statements alone.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias, cast

from node.passport.bodies import CompositionBody
from node.passport.case import Case, Entry
from node.passport.merge import Standing, Verdict
from node.passport.ranks import FactClass, Rank, SubjectFacts, rank
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.passport.view import Plain, moment_us

ALWAYS, FOREVER = -(1 << 62), 1 << 62
LOT, MATERIAL = "lot", "material"
CYCLE, TWO_PARENTS = "cycle", "two-parents"
DEEPEST = 32  # wholes one above the other
MOST_STEPS = 2048  # in the search for one cycle

_Key = tuple[bytes, bytes, str, int, str]  # part, whole, position, since, relation
_Span = tuple[int, int]
Row: TypeAlias = "dict[str, Plain]"


@dataclass(frozen=True, slots=True)
class Around:
    """What the passports around a subject say, by the subjects that lead them.

    `leads` tells under which subject each id is shown where it is another one; `edges` are the edges of parts as their
    own passports show them; `facts` tell who may speak of a whole.
    """

    leads: Mapping[bytes, bytes] = field(default_factory=dict)
    edges: Mapping[bytes, Sequence[Row]] = field(default_factory=dict)
    facts: Mapping[bytes, SubjectFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """A part in a whole over a time, both as they are shown. To is excluded in `span`.

    `against` are the other wholes of two parents, or the members of the cycle from the smallest on.
    """

    part: bytes
    whole: bytes
    span: _Span
    relation: str | None
    level: int
    is_settled: bool
    fact: Row
    refs: frozenset[str] = frozenset()
    conflict: str | None = None
    is_claim: bool = False
    against: tuple[bytes, ...] = ()
    verdict: Verdict | None = None  # where it is judged

    @property
    def is_used(self) -> bool:
        """Whether it answers what was inside."""
        return not self.conflict and not self.is_claim and self.is_settled

    @property
    def is_contested(self) -> bool:
        """Whether somebody has to decide about it: others of equal right say what cannot be true with it."""
        return self.conflict is not None and not self.is_claim

    def excludes(self, other: "Edge") -> bool:
        """Whether only one of both, of one part, can be true: it stands in one whole at a time."""
        is_plain = self.relation is None and other.relation is None
        return is_plain and self.whole != other.whole and _shared(self.span, other.span) is not None

    def view(self) -> Row:
        """The edge as views show it."""
        standing = Standing.CLAIM.value if self.is_claim else self.fact["standing"]
        return {
            **self.fact,
            "standing": Standing.DISPUTED.value if self.is_contested else standing,
            "part": self.part.hex(),
            "whole": self.whole.hex(),
            "relation": self.relation,
            "level": self.level,
            "conflict": self.conflict,
            "against": [subject.hex() for subject in self.against],
            "used": self.is_used,
        }


def edges_of(case: Case, around: Around | None = None) -> list[Edge]:
    """All edges that the statements give, with what contradicts them."""
    known = around or Around()
    stated = _stated(case, known)
    mine = {key: items for key, items in stated.items() if key[0] == case.identity.lead}
    own = [_edge(case, known, key, items) for key, items in sorted(mine.items())]
    shown: list[Edge] = []
    for key, items in sorted(stated.items()):
        if key[0] in known.edges and key not in mine:
            named = {ref_text(statement.ref) for statement, _ in items}
            shown += [replace(edge, whole=key[1]) for row in known.edges[key[0]] if (edge := _read(row)).refs & named]
    unknown = {key: items for key, items in stated.items() if key not in mine and key[0] not in known.edges}
    apart = [_edge(case, known, key, items) for key, items in sorted(unknown.items())]
    graph: dict[bytes, list[Edge]] = {}
    for edge in (*own, *apart, *(_read(row) for rows in known.edges.values() for row in rows)):
        graph.setdefault(edge.part, []).append(edge)
    judged = [_judged(edge, graph) for edge in (*own, *apart)]
    return sorted({_place(edge): edge for edge in (*shown, *judged)}.values(), key=_place)


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


def own_rows(composition: Mapping[str, Plain]) -> list[Row]:
    """The edges that a passport judges: those of which its subject is the part."""
    return [row for name in ("parents", "lots", "used_in") for row in cast("list[Row]", composition[name])]


def neighbours_of(case: Case) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The parts and the wholes that statements tie to the passport's subjects, as they were written."""
    pairs = [r.statement.subjects[:2] for r in case.readings if _is_edge(r.statement)]
    mine = case.subjects
    return (
        frozenset(part for part, whole in pairs if whole in mine and part not in mine),
        frozenset(whole for part, whole in pairs if part in mine and whole not in mine),
    )


def part_title(case: Case, edges: Sequence[Edge]) -> str:
    """What a part without a plate of its own is called: as it was printed where it stood last, empty without that."""
    lead = case.identity.lead
    stood = [e for e in edges if e.part == lead and e.relation != LOT and (e.fact["designation"] or e.fact["serial"])]
    last = max(
        stood, key=lambda edge: (edge.is_used, edge.span, edge.whole, str(edge.fact["position"] or "")), default=None
    )
    return f"{last.fact['designation'] or ''} № {last.fact['serial'] or ''}".strip(" №") if last else ""


def _is_edge(statement: Statement) -> bool:
    return "composition" in statement.sections and len(statement.subjects) > 1


def _stated(case: Case, around: Around) -> dict[_Key, list[tuple[Statement, CompositionBody]]]:
    stated: dict[_Key, list[tuple[Statement, CompositionBody]]] = {}
    for reading in case.readings:
        body, statement = reading.body("composition", CompositionBody), reading.statement
        if body is None or not _is_edge(statement):
            continue
        part, whole = (
            case.identity.lead if subject in case.subjects else around.leads.get(subject, subject)
            for subject in statement.subjects[:2]
        )
        if case.identity.lead in (part, whole):
            since = moment_us(body.since) if body.since else ALWAYS
            key = (part, whole, body.position or "", since, body.relation or "")
            stated.setdefault(key, []).append((statement, body))
    return stated


def _edge(case: Case, around: Around, key: _Key, items: Sequence[tuple[Statement, CompositionBody]]) -> Edge:
    part, whole, position, since, relation = key
    verdict = case.settle(
        [_entry(statement, body) for statement, body in items],
        FactClass.PHYSICAL,
        lambda statement: _rank(case, around.facts.get(whole), statement),
    )
    first = min(items, key=lambda item: item[0].order)
    chosen = verdict.chosen.statement.ref if verdict.chosen else first[0].ref
    body = next(body for statement, body in items if statement.ref == chosen)
    until = verdict.value.get("until") if isinstance(verdict.value, dict) else None
    span = (since, moment_us(until) if isinstance(until, str) else FOREVER)
    shown = _fact(verdict, body, position or None)
    refs = frozenset(ref_text(statement.ref) for statement, _ in items)
    is_settled = verdict.chosen is not None
    return Edge(part, whole, span, relation or None, verdict.level, is_settled, shown, refs, verdict=verdict)


def _entry(statement: Statement, body: CompositionBody) -> Entry:
    value: dict[str, Plain] = {"until": body.until, "quantity": body.quantity}
    still = f"{FOREVER} {body.quantity}"
    if body.until is None:
        return Entry(statement, "composition", value, still, stem=still)
    end = moment_us(body.until)
    # That it came out later contradicts nobody who said that it went in; that it never was inside does.
    has_stood = body.since is None or end > moment_us(body.since)
    return Entry(statement, "composition", value, f"{end} {body.quantity}", stem=still if has_stood else None)


def _fact(verdict: Verdict, body: CompositionBody, position: str | None) -> Row:
    fact = verdict.fact()
    value = fact.pop("value")
    shown: Row = value if isinstance(value, dict) else {"until": None, "quantity": None}
    printed: Row = {"designation": body.designation, "serial": body.serial}
    return {**fact, **shown, "position": position, "since": body.since, **printed}


def _rank(case: Case, of_whole: SubjectFacts | None, statement: Statement) -> Rank:
    """By who may speak of the part; of a part that nobody made or owns, by who may speak of the whole."""
    facts = case.facts_of(statement)
    if of_whole is not None and not facts.names_somebody:
        facts = replace(of_whole, scopes=facts.scopes)
    at, place = statement.occurred, statement.ref
    return rank(FactClass.PHYSICAL, statement.org, facts, case.world, at, place, statement.kind)


def _read(row: Row) -> Edge:
    """An edge as another passport shows it."""
    since, until = row["since"], row["until"]
    span = (moment_us(since) if isinstance(since, str) else ALWAYS, moment_us(until) if until else FOREVER)  # type: ignore[arg-type]  # text or nothing
    others = cast("list[Row]", row["others"])
    return Edge(
        bytes.fromhex(str(row["part"])),
        bytes.fromhex(str(row["whole"])),
        span,
        cast("str | None", row["relation"]),
        cast("int", row["level"]),
        row["used"] is True,
        row,
        frozenset(str(one["ref"]) for one in (row, *others)),
        cast("str | None", row["conflict"]),
        row["standing"] == Standing.CLAIM.value,
        tuple(bytes.fromhex(str(text)) for text in cast("list[Plain]", row["against"])),
    )


def _judged(edge: Edge, graph: Mapping[bytes, Sequence[Edge]]) -> Edge:
    if edge.part == edge.whole:
        return replace(edge, conflict=CYCLE, against=(edge.part,))
    if found := _cycle(edge, graph, edge.level + 1):
        return replace(edge, conflict=CYCLE, is_claim=True, against=found)
    rivals = [other for other in graph[edge.part] if edge.excludes(other)]
    level = max((rival.level for rival in rivals), default=-1)
    wholes = tuple(sorted({rival.whole for rival in rivals if rival.level == level}))
    if level > edge.level:
        return replace(edge, is_claim=True, against=wholes)
    if found := _cycle(edge, graph, edge.level):
        return replace(edge, conflict=CYCLE, against=found)
    return replace(edge, conflict=TWO_PARENTS, against=wholes) if level == edge.level else edge


def _cycle(edge: Edge, graph: Mapping[bytes, Sequence[Edge]], level: int) -> tuple[bytes, ...]:
    """The shortest way from the whole back to its own part by edges of that level at one time, empty without one."""
    start: tuple[bytes, _Span, tuple[bytes, ...]] = (edge.whole, edge.span, (edge.part,))
    todo = deque([start])
    for _ in range(MOST_STEPS):
        if not todo:
            break
        here, span, path = todo.popleft()
        if here == edge.part:
            at = path.index(min(path))
            return (*path[at:], *path[:at])
        if here in path or len(path) > DEEPEST:
            continue
        for above in sorted(graph.get(here, ()), key=_place):
            shared = _shared(span, above.span)
            if above.level < level or shared is None or len(todo) > MOST_STEPS:
                continue
            if not _is_outranked(above, graph):
                todo.append((above.whole, shared, (*path, here)))
    return ()


def _is_outranked(edge: Edge, graph: Mapping[bytes, Sequence[Edge]]) -> bool:
    """Whether somebody with a higher right says that the part stood elsewhere: then it is a claim and no way up."""
    return any(other.level > edge.level and edge.excludes(other) for other in graph[edge.part])


def _shared(one: _Span, other: _Span) -> _Span | None:
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start < end else None


def _place(edge: Edge) -> _Key:
    return (edge.part, edge.whole, str(edge.fact["position"] or ""), edge.span[0], edge.relation or "")
