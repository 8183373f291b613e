"""Runs of processes: what was moved in which order, out of statements of several organisations.

A run is a chain of moves with numbers. The opening is its owner's; each later move counts when it is the next one, by
whoever has the right to it: a step by the organisation in its role, which accepted the procedure, with the protocol
that the step demands; a change of roles and the closing by the owner. Of two moves with one number the work that was
done counts first, then the closing, then who declined, then a change of roles; of two of a kind the earlier one. What
has no effect is shown with the reason. Clocks decide nothing: what is late is shown as late.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from federation.authority import Kind
from federation.codec import MAX_INT
from node.passport.bodies import ExtractBody, RunBody, TemplateRef, Why
from node.passport.case import Case
from node.passport.catalogs import Catalog
from node.passport.papers import system_of
from node.passport.procedures import OWNER, Outcome, Procedure, PublishedProcedure, Step
from node.passport.reading import Reading
from node.passport.statement import Statement
from node.passport.view import DAY_US, moment_us

SECTION, WHY = "run", "why"
Place = tuple[str | None, str | None, int | None, bytes]  # run, step, number of the move, author

_FIRST = {"done": 0, "closed": 1, "declined": 2, "assigned": 3}


class RunState(StrEnum):
    """How far a run is."""

    OPEN = "open"
    ENDED = "ended"  # its last step is done, and the owner has not closed it
    DONE = "done"
    CANCELLED = "cancelled"
    UNREAD = "unread"  # the procedure is not known here

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self in {RunState.OPEN, RunState.ENDED, RunState.UNREAD}


class Idle(StrEnum):
    """Why a move has no effect."""

    OWNER_ONLY = "owner-only"
    OWNER_STAYS = "owner-stays"
    NO_MANDATE = "no-mandate"
    NOT_ACCEPTED = "not-accepted"
    OUT_OF_ORDER = "out-of-order"
    NO_PROTOCOL = "no-protocol"
    NO_OUTCOME = "no-outcome"
    TAKEN = "taken"
    CLOSED = "closed"
    EARLIER_MISSING = "earlier-missing"
    PROCEDURE_MISSING = "procedure-missing"


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that moves a run; `system` is that of its author which made it, None where people did."""

    body: RunBody
    statement: Statement
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A protocol that was signed for a step of a run, with the central codes of the events that it states."""

    template: TemplateRef
    events: tuple[str, ...]
    is_checked: bool
    statement: Statement


@dataclass(frozen=True, slots=True)
class Waits:
    """The step at which a run stands, who has to do it, since when, and until when where there is a term."""

    step: Step
    org: bytes | None
    since: int
    due: int | None


@dataclass(slots=True)
class Run:
    """A run as it was followed. `opened` is its opening; `moves` those that count, in order, the opening first."""

    id: str
    opened: Said
    published: PublishedProcedure | None
    roles: dict[str, bytes]
    state: RunState = RunState.OPEN
    moves: list[Said] = field(default_factory=list)
    late: set[int] = field(default_factory=set)
    idle: list[tuple[Said, Idle]] = field(default_factory=list)
    papers: Mapping[Place, Sequence[Paper]] = field(default_factory=dict)
    waits: Waits | None = None

    @property
    def owner(self) -> bytes:
        """Who opened it and closes it."""
        return self.opened.statement.org

    @property
    def due(self) -> int | None:
        """The end of the last day of the whole run."""
        return _end_of(self.opened.body.due)

    @property
    def procedure(self) -> Procedure | None:
        """The version that it runs by."""
        return self.published.procedure if self.published else None

    def papers_of(self, step: str | None, org: bytes, n: int) -> list[Paper]:
        """The protocols that an organisation signed for a step, at that move."""
        return list(self.papers.get((self.id, step, n, org), ()))


def run_id(org: bytes, nonce: bytes) -> str:
    """The id of a run, which only its opener can have minted: SHA-256("passport/run/1\\n" || org || nonce)[:16]."""
    return hashlib.sha256(b"passport/run/1\n" + org + nonce).digest()[:16].hex()


def fits(step: Step, template: TemplateRef) -> bool:
    """Whether a step demands a document of this template."""
    demanded = step.protocol
    return demanded is not None and demanded.name == template.name and demanded.publisher in (None, template.publisher)


def ends_by(step: Step, events: Collection[str]) -> Outcome | None:
    """How a protocol that states these events ends a step: by an outcome of such an event, else by one of none."""
    named = [outcome for outcome in step.outcomes if outcome.event in events]
    return next(iter(named or [outcome for outcome in step.outcomes if outcome.event is None]), None)


def runs_of(case: Case) -> list[Run]:
    """The runs about the subjects of a case, in the order in which they were opened."""
    said = [
        Said(body, reading.statement, system_of(reading))
        for reading in case.spoken
        if reading.statement.kind == Kind.PROCESS and (body := reading.body(SECTION, RunBody)) is not None
    ]
    opened: dict[str, Said] = {}
    moved: dict[str, list[Said]] = {}
    for one in sorted(said, key=_order):
        if one.body.says != "opened":
            moved.setdefault(one.body.run or "", []).append(one)
        elif one.body.nonce is not None:
            opened.setdefault(run_id(one.statement.org, bytes.fromhex(one.body.nonce)), one)
    papers: dict[Place, list[Paper]] = {}
    for place, paper in _papers(case):
        papers.setdefault(place, []).append(paper)
    return [_follow(case, key, first, moved.get(key, ()), papers) for key, first in opened.items()]


def _papers(case: Case) -> Iterator[tuple[Place, Paper]]:
    """The protocols that name a run, each with the place in it."""
    for reading in case.spoken:
        why, template = reading.body(WHY, Why), reading.body("template", TemplateRef)
        extract = reading.body("extract", ExtractBody)
        if why is None or why.run is None or template is None or extract is None:
            continue
        codes, statement = _codes(case, reading, extract), reading.statement
        yield (why.run, why.step, why.n, statement.org), Paper(template, codes, extract.checked, statement)


def _codes(case: Case, reading: Reading, extract: ExtractBody) -> tuple[str, ...]:
    found = (case.world.central(event.what, reading.statement.org, Catalog.EVENTS) for event in extract.events)
    return tuple(code for code in found if code)


def _follow(case: Case, key: str, opened: Said, said: Sequence[Said], papers: Mapping[Place, Sequence[Paper]]) -> Run:
    published = case.world.procedures.find(opened.body.procedure or "")
    roles = {code: bytes.fromhex(org) for code, org in opened.body.roles.items()}
    run = Run(key, opened, published, roles, moves=[opened], papers=papers)
    if published is None:
        run.state = RunState.UNREAD
        run.idle = [(one, Idle.PROCEDURE_MISSING) for one in said]
        return run
    run.waits = _waits(run, published.procedure.first, opened.statement.occurred)
    by_number: dict[int, list[Said]] = {}
    for one in said:
        by_number.setdefault(one.body.n, []).append(one)
    n = 1
    while any(_take(case, run, one) for one in _preferred(by_number.get(n, ()))):
        n += 1
    counted = {move.statement.ref for move in run.moves}
    run.idle = [(one, _reason(case, run, one)) for one in said if one.statement.ref not in counted]
    return run


def _preferred(said: Iterable[Said]) -> list[Said]:
    return sorted(said, key=lambda one: (_FIRST[one.body.says], _order(one)))


def _take(case: Case, run: Run, one: Said) -> bool:
    """Make the move if it counts."""
    if _fault(case, run, one) is not None:
        return False
    body, waits = one.body, run.waits
    run.moves.append(one)
    if body.says == "assigned":
        run.roles |= {code: bytes.fromhex(org) for code, org in body.roles.items()}
        run.waits = _waits(run, waits.step, waits.since) if waits else None
    elif body.says == "declined" and waits is not None:
        del run.roles[waits.step.role]
        run.waits = _waits(run, waits.step, waits.since)
    elif body.says == "closed":
        run.state = RunState.CANCELLED if body.result == "cancelled" else RunState.DONE
        run.waits = None
    elif waits is not None:
        _pass(run, waits, one)
    return True


def _pass(run: Run, waits: Waits, one: Said) -> None:
    """Go on from the step that was done."""
    if waits.due is not None and one.statement.occurred > waits.due:
        run.late.add(one.body.n)
    outcome = waits.step.find_outcome(one.body.outcome)
    after = outcome.next if outcome else waits.step.next
    following = run.procedure.step(after) if run.procedure else None
    if following is not None:
        run.waits = _waits(run, following, max(one.statement.occurred, waits.since))
    else:
        # Whoever ends his own process by its last step has closed it.
        run.state = RunState.DONE if one.statement.org == run.owner else RunState.ENDED
        run.waits = None


def _waits(run: Run, step: Step, since: int) -> Waits:
    org = run.owner if step.role == OWNER else run.roles.get(step.role)
    due = None if step.days is None else min(_day_end(since) + step.days * DAY_US, MAX_INT)
    ends = [moment for moment in (due, run.due) if moment is not None]
    return Waits(step, org, since, min(ends) if ends else None)


def _fault(case: Case, run: Run, one: Said) -> Idle | None:
    """Why a move that is the next one does not count."""
    org, says = one.statement.org, one.body.says
    if not run.state.is_open:
        return Idle.CLOSED
    if says in ("assigned", "closed"):
        return None if org == run.owner else Idle.OWNER_ONLY
    waits = run.waits
    if waits is None or one.body.step != waits.step.code:
        return Idle.OUT_OF_ORDER
    if org != waits.org:
        return Idle.NO_MANDATE
    if says == "declined":
        return Idle.OWNER_STAYS if waits.step.role == OWNER else None
    if (org, run.opened.body.procedure or "") not in case.world.procedures.accepted:
        return Idle.NOT_ACCEPTED
    return _fault_of_work(run, waits.step, one)


def _fault_of_work(run: Run, step: Step, one: Said) -> Idle | None:
    outcome = step.find_outcome(one.body.outcome)
    if bool(step.outcomes) != (outcome is not None):
        return Idle.NO_OUTCOME
    if step.protocol is None:
        return None
    papers = run.papers_of(step.code, one.statement.org, one.body.n)
    fitting = [paper for paper in papers if fits(step, paper.template)]
    ends = {paper.statement.ref: ends_by(step, paper.events) for paper in fitting if paper.is_checked}
    return None if ends and outcome in (None, *ends.values()) else Idle.NO_PROTOCOL


def _reason(case: Case, run: Run, one: Said) -> Idle:
    """Why a move was left out, seen from where the run stands now."""
    if one.body.n > len(run.moves):
        return Idle.EARLIER_MISSING
    if one.body.n < len(run.moves):
        return Idle.TAKEN
    return _fault(case, run, one) or Idle.OUT_OF_ORDER


def _order(one: Said) -> tuple[int, bytes, int]:
    return one.statement.order


def _end_of(day: str | None) -> int | None:
    try:
        return None if day is None else moment_us(day) + DAY_US - 1
    except ValueError:
        return None


def _day_end(moment: int) -> int:
    return moment - moment % DAY_US + DAY_US - 1
