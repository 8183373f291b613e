"""When a thing was made, and what cannot have happened when it is said to have: before that, or after it was signed.

What is said at an impossible time is kept and shown with why; it is refused only where it enters.
"""

from collections.abc import Iterable, Iterator, Sequence

from node.passport.bodies import EventBody, ParametersBody, Reference
from node.passport.catalogs import Catalog
from node.passport.reading import Reading
from node.passport.statement import Statement
from node.passport.view import DAY_US, moment_at, moment_us
from node.passport.world import World

MADE, MADE_ON = "manufactured", "manufactured_on"
BEFORE_MADE, AHEAD = "before-production", "ahead-of-record"


def made_of(
    subject: bytes, readings: Iterable[Reading], spoken: Sequence[frozenset[bytes]], world: World
) -> int | None:
    """The beginning of the day on which a subject was made: by the first of these groups that says one, else anybody.

    Of one organisation its latest word counts, of several the earliest day.
    """
    told: dict[bytes, tuple[tuple[int, bytes, int], int]] = {}
    for reading in readings:
        statement = reading.statement
        if statement.subject == subject:
            for moment in _made(reading, world):
                said = (statement.order, moment)
                told[statement.org] = max(told.get(statement.org, said), said)
    for orgs in (*spoken, frozenset(told)):
        if days := [told[org][1] for org in orgs if org in told]:
            return min(days) // DAY_US * DAY_US
    return None


def find_impossible(code: str, statement: Statement, made: int | None) -> tuple[str, ...]:
    """Why an event cannot have happened when it is said to have, by stable names; a day of slack between clocks."""
    found = []
    if made is not None and statement.occurred < made and code != MADE:
        found.append(BEFORE_MADE)
    if statement.occurred > statement.stamp + DAY_US:
        found.append(AHEAD)
    return tuple(found)


def is_day(text: str) -> bool:
    """Whether a text is a day, or a moment."""
    try:
        moment_us(text)
    except ValueError:
        return False
    return True


def format_day(moment: int) -> str:
    """The day of a moment; one beyond the calendar is its last."""
    return moment_at(moment).date().isoformat()


def _made(reading: Reading, world: World) -> Iterator[int]:
    statement = reading.statement
    event = reading.body("event", EventBody)
    if event is not None and _means(event.what, statement, world, Catalog.EVENTS, MADE):
        yield statement.occurred
    parameters = reading.body("parameters", ParametersBody)
    for row in parameters.rows if parameters else ():
        if _means(row.code, statement, world, Catalog.PARAMETERS, MADE_ON):
            try:
                yield max(0, moment_us(row.value))
            except ValueError:
                continue


def _means(reference: Reference, statement: Statement, world: World, catalog: str, code: str) -> bool:
    """Whether a reference is to a code; asked of every statement, so the own codes are looked at last."""
    if reference.central:
        return reference.central == code
    return world.central(reference, statement.org, catalog) == code
