"""The state of a device out of its events.

Where somebody with authority has spoken, only events with authority change the state. A repair needs a verification
after it whoever recorded it: until then nothing counts as admitted.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from node.passport.case import Case
from node.passport.chronology import AHEAD
from node.passport.references import ref_text
from node.passport.timeline import Event
from node.passport.view import DAY_US, Plain

# What an event makes of a device; events that are not listed leave its state as it is.
STATES = frozenset(
    {
        "manufactured",
        "packed",
        "shipped",
        "transferred",
        "rejected",
        "installed",
        "admitted",
        "removed",
        "repaired",
        "modified",
        "lost",
        "found",
        "scrapped",
    }
)
# A verification in place leaves a device installed; it is a state only of what was made or mended for it.
VERIFIED_FROM = frozenset({"known", "manufactured", "repaired", "modified", "rejected"})
NEEDS_VERIFICATION = frozenset({"repaired", "modified", "seal_broken"})
NOT_ADMITTED = "not-admitted-until-verified"
KNOWN = "known"


@dataclass(frozen=True, slots=True)
class State:
    """What a device is in; `need` is the repair after which it was not verified, `ignored` what had no effect."""

    code: str = KNOWN
    event: Event | None = None
    need: Event | None = None
    ignored: tuple[Event, ...] = ()

    def view(self) -> dict[str, Plain]:
        """The state as views show it."""
        statement = self.event.statement if self.event else None
        return {
            "code": self.code,
            "since": statement.occurred if statement else None,
            "by": statement.org.hex() if statement else None,
            "ref": ref_text(statement.ref) if statement else None,
            "standing": self.event.standing.value if self.event else None,
            "needs_verification": self.need is not None,
            "note": NOT_ADMITTED if self.need else None,
            "need": _need(self.need) if self.need else None,
        }


def state_of(case: Case, events: Iterable[Event]) -> State:
    """Follow the events that count, in the order in which they happened."""
    told = [event for event in events if event.is_own and event.replaced_by is None]
    live = [event for event in told if AHEAD not in event.warnings]
    repairs = [event for event in live if event.code in NEEDS_VERIFICATION]
    verified = [event for event in live if event.code == "verified" and _admits(case, event)]
    moving = [event for event in live if event.code in STATES or event.code == "verified"]
    counted = [event for event in moving if event.rank.has_authority] or moving
    others = [event for event in moving if not event.rank.has_authority] if counted is not moving else []
    code, last, ignored = KNOWN, None, others
    ignored += [event for event in told if AHEAD in event.warnings and event.code in STATES]
    for event in counted:
        if event.code == "admitted" and _open(_before(event, repairs), _before(event, verified)):
            ignored.append(event)
        elif event.code != "verified" or code in VERIFIED_FROM:
            code, last = event.code, event
    return State(code, last, _open(repairs, verified), tuple(ignored))


def _admits(case: Case, event: Event) -> bool:
    """Whether a verification lifts what a repair asked for; outside a federation nobody can be accredited."""
    return event.rank.has_authority or case.world.federation is None


def _before(event: Event, others: Sequence[Event]) -> Sequence[Event]:
    """Those of others, in their order, that stand before an event."""
    return others[: bisect_left(others, event.order, key=lambda other: other.order)]


def _open(repairs: Sequence[Event], verified: Sequence[Event]) -> Event | None:
    """The last repair, of those in their order, that no verification came after."""
    last = verified[-1].statement.occurred // DAY_US if verified else -1
    for repair in reversed(repairs):
        day = repair.statement.occurred // DAY_US
        if day >= last and not any(_is_after(v, repair) for v in _since(day, verified)):
            return repair
        if day < last:
            break  # what was verified on a later day lifts this repair and every one before it
    return None


def _since(day: int, verified: Sequence[Event]) -> Iterator[Event]:
    for event in reversed(verified):
        if event.statement.occurred // DAY_US < day:
            break
        yield event


def _is_after(later: Event, earlier: Event) -> bool:
    one, other = later.statement, earlier.statement
    same_day = one.occurred // DAY_US == other.occurred // DAY_US
    # A protocol often knows the day only: within it the order of recording speaks.
    if same_day and (one.occurred % DAY_US == 0 or other.occurred % DAY_US == 0):
        return one.order > other.order
    return one.occurred > other.occurred


def _need(event: Event) -> dict[str, Plain]:
    return {
        "code": event.code,
        "since": event.statement.occurred,
        "by": event.statement.org.hex(),
        "ref": ref_text(event.statement.ref),
        "standing": event.standing.value,
    }
