"""Runs of processes as views show them, and as they are filed for lists and queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from node.passport.case import Case
from node.passport.references import ref_text
from node.passport.runs import Idle, Run, RunState, Said, Waits, runs_of
from node.passport.shown import at, rows, text
from node.passport.view import Plain, View

FOR_EVER = 2**63 - 1
MOST_IDLE = 50  # moves without effect of those who take part, and as many of others


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run as lists show it: who has to do which step (nobody: empty), since when, and until when.

    `since_us` of a run that is over is when it ended; `due_us` is FOR_EVER where there is no term.
    """

    id: bytes
    procedure: str
    code: str
    state: RunState
    number: str
    about: str
    owner: bytes
    opened_us: int
    step: str
    org: bytes
    since_us: int
    due_us: int


def runs_view(case: Case) -> list[Plain]:
    """The runs of a passport, in the order in which they were opened."""
    return [run_view(run) for run in runs_of(case)]


def run_cards(view: View) -> tuple[RunCard, ...]:
    """What is filed of the runs that a view shows."""
    return tuple(map(_card, rows(view, "processes")))


def run_view(run: Run) -> dict[str, Plain]:
    """One run: who has which role, where it stands, its moves, and what had no effect and why."""
    body, statement, procedure = run.opened.body, run.opened.statement, run.procedure
    title: Mapping[str, str] = procedure.title if procedure else {}
    return {
        "id": run.id,
        "procedure": body.procedure,
        "code": procedure.code if procedure else body.code,
        "version": procedure.version if procedure else None,
        "publisher": run.published.org.hex() if run.published else None,
        "title": dict(sorted(title.items())),
        "number": body.number,
        "about": body.about,
        "owner": run.owner.hex(),
        "roles": {code: org.hex() for code, org in sorted(run.roles.items())},
        "opened": statement.occurred,
        "due": body.due,
        "state": run.state.value,
        "waits": _waits_view(run.waits) if run.waits else None,
        "moves": [_move(run, move) for move in run.moves],
        "idle": [{**_said(one), "why": why.value} for one, why in _newest_idle(run)],
        "idle_count": len(run.idle),
    }


def _newest_idle(run: Run) -> list[tuple[Said, Idle]]:
    """Of the moves without effect the newest of those who take part, and of others: however often a stranger speaks."""
    parties = {run.owner, *run.roles.values()}
    ours = [n for n, (one, _) in enumerate(run.idle) if one.statement.org in parties]
    theirs = [n for n, (one, _) in enumerate(run.idle) if one.statement.org not in parties]
    return [run.idle[n] for n in sorted([*ours[-MOST_IDLE:], *theirs[-MOST_IDLE:]])]


def _waits_view(waits: Waits) -> dict[str, Plain]:
    demanded = waits.step.protocol
    return {
        "step": waits.step.code,
        "title": dict(sorted(waits.step.title.items())),
        "role": waits.step.role,
        "org": waits.org.hex() if waits.org else None,
        "since": waits.since,
        "due": waits.due,
        "protocol": demanded.name if demanded else None,
    }


def _move(run: Run, move: Said) -> dict[str, Plain]:
    step, n = move.body.step, move.body.n
    papers = run.papers_of(step, move.statement.org, n)
    known = run.procedure.step(step) if run.procedure else None
    return {
        **_said(move),
        "title": dict(sorted(known.title.items())) if known else {},
        "late": n in run.late,
        "protocols": [ref_text(paper.statement.ref) for paper in sorted(papers, key=lambda p: p.statement.order)],
    }


def _said(one: Said) -> dict[str, Plain]:
    body, statement = one.body, one.statement
    return {
        "n": body.n,
        "says": body.says,
        "step": body.step,
        "outcome": body.outcome,
        "detail": dict(sorted(body.detail.items())),
        "result": body.result,
        "reason": body.reason,
        "roles": dict(sorted(body.roles.items())),
        "by": statement.org.hex(),
        "system": one.system,
        "occurred": statement.occurred,
        "recorded": statement.stamp,
        "ref": ref_text(statement.ref),
    }


def _card(row: dict[str, Plain]) -> RunCard:
    state, owner = RunState(text(row, "state")), bytes.fromhex(text(row, "owner"))
    waits = at(row, "waits")
    org = owner if state is RunState.ENDED else bytes.fromhex(text(row, "waits", "org"))
    last = cast("int", rows(row, "moves")[-1]["occurred"])
    due = at(row, "waits", "due")
    return RunCard(
        bytes.fromhex(text(row, "id")),
        text(row, "procedure"),
        _filed(text(row, "code")),
        state,
        _filed(text(row, "number")),
        _filed(text(row, "about")),
        owner,
        cast("int", row["opened"]),
        text(row, "waits", "step"),
        org,
        cast("int", at(row, "waits", "since")) if isinstance(waits, dict) else last,
        due if isinstance(due, int) else FOR_EVER,
    )


def _filed(said: str) -> str:
    """A text of others as every database takes it."""
    return said.replace("\0", "�")
