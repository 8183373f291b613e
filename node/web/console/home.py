"""The home page: what needs somebody, who this node is, what happened last."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from node.services.access import DAY_US, Scope
from node.services.journal import JournalRow
from node.services.runs import RunSift
from node.web.calls import Call, View
from node.web.console import acts, conflicts, peers, processes, shipment_new
from node.web.console.journal import in_words
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

LAST = 10
SOON_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that waits for a person: a text marked for translation, how many, and where to go."""

    text: str
    count: int
    path: str


# Each gives what it knows of; a new concern of the node is a new function in this list.
Concern = Callable[[Call], Awaitable[list[Attention]]]


async def ending_tokens(call: Call) -> list[Attention]:
    """Tokens that end within a week, for those who can issue new ones."""
    if not call.actor.may([Scope.ACCESS]):
        return []
    now = call.context.clock.now()
    ending = [t for t in await call.context.tokens.list(limit=200) if now < t.expires_us < now + SOON_US]
    return [Attention(mark("Tokens end within a week"), len(ending), "/access")] if ending else []


async def waiting_offers(call: Call) -> list[Attention]:
    """Shipments that this organisation may accept."""
    count = await call.context.shipments.waiting() if call.actor.may([Scope.SHIP]) else 0
    return [Attention(mark("Shipments wait for your acceptance"), count, shipment_new.PATH)] if count else []


async def waiting_acts(call: Call) -> list[Attention]:
    """Acts that others signed and that this organisation is to sign, and those that wait for the other side."""
    found = [
        (mark("Acts wait for your signature"), await acts.waiting_acts(call)),
        (mark("One-sided acts wait for the other party"), len(await call.context.acts.waiting(signs=False))),
    ]
    return [Attention(text, count, acts.PATH) for text, count in found if count]


async def waiting_peers(call: Call) -> list[Attention]:
    """Nodes that were heard of and not added yet."""
    count = await peers.inbox_size(call) if call.actor.may([Scope.PEERS]) else 0
    return [Attention(mark("Nodes wait for your decision"), count, peers.PATH)] if count else []


async def waiting_conflicts(call: Call) -> list[Attention]:
    """Passports with something to decide."""
    count = await call.context.conflicts.total()
    return [Attention(mark("Passports have something to decide"), count, conflicts.PATH)] if count else []


async def waiting_steps(call: Call) -> list[Attention]:
    """Steps of processes that are this organisation's turn, those that are overdue by themselves."""
    org, now = call.context.core.org, call.context.clock.now()
    count = await processes.waiting_steps(call)
    overdue = await call.context.runs.count(RunSift(org=org, before_us=now)) if count else 0
    found = [Attention(mark("Steps of ours are overdue"), overdue, f"{processes.PATH}?mine=true&overdue=true")]
    found += [Attention(mark("Steps of processes wait for us"), count - overdue, f"{processes.PATH}?mine=true")]
    return [item for item in found if item.count]


CONCERNS: tuple[Concern, ...] = (
    waiting_steps,
    waiting_conflicts,
    waiting_acts,
    waiting_offers,
    waiting_peers,
    ending_tokens,
)


@page("GET", "/", title=mark("Home"), scopes=[Scope.READ], menu=Menu(Group.HOME, 1, "home"), api="GET /journal")
async def home(call: Call) -> View:
    """The home page."""
    attention = [item for concern in CONCERNS for item in await concern(call)]
    after = await call.context.journal.last_id()
    rows = in_words(await call.context.journal.newest(limit=LAST), call.language)
    core = call.context.core
    return View(
        "home.html",
        api_query=f"limit={LAST}",
        attention=attention,
        rows=rows,
        after=after,
        settings=core.settings,
        org=core.org.hex(),
        node=core.node.hex(),
    )


async def _recent(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    rows = in_words(await call.context.journal.newest(limit=LAST), call.language)
    return {"recent": call.request.app[RENDERER].part(call, "parts/journal_rows.html", rows=rows)}


ROUTES = (home,)
LIVE = (Live("home", _recent),)
