"""What goes on about a device and waits for somebody: read off a view, so that it says no more than was signed.

A process runs as its moves say. Where nobody opened one, a process of the catalog runs from the first event that names
it until one that names its last step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.passport.catalogs import Catalog, load_central
from node.passport.chronology import format_day
from node.passport.runs import RunState
from node.passport.shown import at, rows, text
from node.passport.view import Plain, View

SOON = timedelta(days=90)


class Waiting(StrEnum):
    """What is waited for."""

    ACCEPTANCE = "acceptance"  # the buyer of an offer
    VERIFICATION = "verification"  # after a repair nothing counts as admitted without one
    VERIFICATION_SOON = "verification-soon"
    VERIFICATION_OVERDUE = "verification-overdue"
    STEP = "step"  # the next step of a process, or the last one that was told where nobody opened it
    CLOSING = "closing"  # a process of which every step is done


@dataclass(frozen=True, slots=True)
class Running:
    """One thing that goes on: since when (us) or until which day; `by` began or stated it, `party` is awaited (hex)."""

    what: Waiting
    since: int | None = None
    until: str | None = None
    by: str | None = None
    party: str | None = None
    code: str | None = None  # the event that asks for a verification, or the process
    step: str | None = None
    next_step: str | None = None
    ref: str | None = None
    run: str | None = None


def running(view: View, today: date) -> list[Running]:
    """Everything that goes on about the device of a view."""
    return [*_offers(view), *_verifications(view, today), *_runs(view), *_steps(view)]


def _offers(view: View) -> Iterator[Running]:
    for deal in rows(view, "parties", "offers"):
        yield Running(
            Waiting.ACCEPTANCE,
            since=_whole(deal["offered"]),
            by=str(deal["from"]),
            party=str(deal["to"]),
            ref=str(deal["offer"]),
        )


def _verifications(view: View, today: date) -> Iterator[Running]:
    need = at(view, "state", "need")
    if isinstance(need, dict):
        yield Running(
            Waiting.VERIFICATION,
            since=_whole(need["since"]),
            by=str(need["by"]),
            code=str(need["code"]),
            ref=str(need["ref"]),
        )
    until, by = _day(text(view, "verification", "valid_until")), text(view, "verification", "by") or None
    # A device that is gone is verified by nobody.
    if until is None or text(view, "state", "code") in {"scrapped", "lost"}:
        return
    if until < today:
        yield Running(Waiting.VERIFICATION_OVERDUE, until=until.isoformat(), by=by)
    elif until <= today + SOON:
        yield Running(Waiting.VERIFICATION_SOON, until=until.isoformat(), by=by)


def _runs(view: View) -> Iterator[Running]:
    for run in rows(view, "processes"):
        state, due = RunState(text(run, "state")), at(run, "waits", "due")
        if state in (RunState.OPEN, RunState.ENDED):
            last = rows(run, "moves")[-1]
            is_over = state is RunState.ENDED
            yield Running(
                Waiting.CLOSING if is_over else Waiting.STEP,
                since=_whole(last["occurred"]) if is_over else _whole(at(run, "waits", "since")),
                until=format_day(due) if isinstance(due, int) else None,
                by=text(run, "owner"),
                party=text(run, "owner") if is_over else text(run, "waits", "org") or None,
                code=text(run, "code"),
                step=text(last, "step") or None,
                next_step=text(run, "waits", "step") or None,
                ref=text(last, "ref"),
                run=text(run, "id"),
            )


def _steps(view: View) -> Iterator[Running]:
    last: dict[str, tuple[dict[str, Plain], str]] = {}
    for event in rows(view, "events"):
        process, step = at(event, "why", "process"), at(event, "why", "step")
        if at(event, "why", "run") is not None:
            continue
        if isinstance(process, str) and isinstance(step, str) and event["replaced_by"] is None:
            last[process] = (event, step)
    for process, (event, step) in last.items():
        steps = load_central(Catalog.PROCESSES).get(process, {}).get("steps")
        if isinstance(steps, list) and step in steps[:-1]:
            yield Running(
                Waiting.STEP,
                since=_whole(event["occurred"]),
                by=str(event["by"]),
                code=process,
                step=step,
                next_step=str(steps[steps.index(step) + 1]),
                ref=str(event["ref"]),
            )


def _whole(value: Plain) -> int | None:
    return value if isinstance(value, int) else None


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None
