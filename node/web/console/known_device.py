"""A device that is known here already: what happened to it last, and what is open about it."""

from dataclasses import dataclass

from node.errors import NodeError
from node.passport.ids import SubjectId, format_device_id
from node.passport.runs import RunState
from node.passport.shown import place_of, rows, text
from node.passport.view import EVENTS, Plain
from node.services.timelines import Asked
from node.web.calls import Call
from node.web.console.processes import process_title

REPAIR = "repair"
LAST = 6


@dataclass(frozen=True, slots=True)
class Known:
    """A known device: its last events, newest first, how many there are, and its open processes as (id, title)."""

    id: str
    title: str
    state: str
    place: str
    made: str
    events: list[dict[str, Plain]]
    count: int
    processes: list[tuple[str, str]]
    is_in_repair: bool


async def known_device(call: Call, scanned: str) -> Known | None:
    """What is known of the device that a text names; None where it names none, or several."""
    try:
        found = await call.context.recognition.find(scanned)
    except NodeError:
        return None
    return None if found is None or found.kind != "device" else await known_by(call, found.subject)


async def known_by(call: Call, subject: bytes) -> Known:
    """The same of one passport."""
    timelines = call.context.timelines
    overview = await timelines.overview(subject)
    events = await timelines.page(subject, EVENTS, Asked(LAST, is_newest_first=True))
    view = overview.view
    running = [run for run in rows(view, "processes") if RunState(text(run, "state")).is_open]
    return Known(
        id=format_device_id(SubjectId(overview.passport.subject)),
        title=overview.passport.title,
        state=overview.passport.state,
        place=place_of(view),
        made=text(view, "made"),
        events=list(events.rows),
        count=overview.events,
        processes=[
            (text(run, "id"), process_title(call, text(run, "procedure"), text(run, "code"))) for run in running
        ],
        is_in_repair=any(run["code"] == REPAIR for run in running),
    )
