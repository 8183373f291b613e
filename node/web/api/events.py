"""The event feed: the journal for systems, in its order, from where a reader stopped, with a wait for what comes next.

A reader keeps `last` of each answer and asks with it again: after a break, a cut-off or a restart of the node it gets
what it has not had, once.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from node.errors import DeniedError
from node.services.access import Scope
from node.services.journal import Sift
from node.web.api.journal import JournalEntry, to_entry
from node.web.api.passports import DeviceText, subject_of
from node.web.auth import may_go_on
from node.web.calls import Call
from node.web.events import LARGEST_ID, STREAMS
from node.web.routes import Limit, api
from node.web.words import JOURNAL

LONGEST_WAIT_S = 60
MOST_DEVICES = 200
MOST_KINDS = 100


def _known(code: str) -> str:
    if code not in JOURNAL:
        raise PydanticCustomError("kind_unknown", "no change is of that kind")
    return code


_KINDS: Any = {"type": "string", "enum": sorted(JOURNAL)}  # Any: a JSON schema
KindOfChange = Annotated[str, AfterValidator(_known), WithJsonSchema(_KINDS)]
Kinds = Annotated[list[KindOfChange], Field(max_length=MOST_KINDS)]


class FeedQuery(BaseModel):
    """Which events, and from where."""

    after: int = Field(default=0, ge=0, le=LARGEST_ID, description="`last` of the answer before; 0 is the beginning.")
    limit: int = Field(default=100, ge=0, le=500, description="How many at most; 0 tells where the feed ends now.")
    wait: float = Field(
        default=0, ge=0, le=LONGEST_WAIT_S, description="Seconds to wait where there is none; the answer may be empty."
    )
    what: Kinds = Field(default=[], description="Only changes of these kinds.")
    device: list[DeviceText] = Field(
        default=[], max_length=MOST_DEVICES, description="Only of these devices, by any id that they have."
    )


class FeedAnswer(BaseModel):
    """Events, oldest first."""

    events: list[JournalEntry]
    last: int = Field(description="Ask with this as `after` next: nothing is missed and nothing comes twice.")


class KindInfo(BaseModel):
    """A kind of change."""

    what: str = Field(description="Stable code.")
    title: str = Field(description="In the language of the request.")


class KindsAnswer(BaseModel):
    """Every kind of change that the journal tells of."""

    kinds: list[KindInfo]


@api("GET", "/events", title="Events, oldest first, with a wait for new ones", scopes=[Scope.READ],
     problems=["events_ahead", "id_mistyped", "too_many_streams"], limit=Limit.NARROWS)  # fmt: skip
async def read_feed(call: Call, query: FeedQuery) -> FeedAnswer:
    """What changed here after an event, of chosen kinds and devices. A limited token gets its devices' events alone."""
    subjects = [subject_of(text) for text in query.device]
    deadline = asyncio.get_running_loop().time() + query.wait
    with call.context.bus.listen() as heard:
        answer = await _read(call, query, subjects)
        if answer.events or not query.wait or not query.limit:
            return answer
        with call.request.app[STREAMS].opened(call.actor, call.request):
            while not answer.events and await _comes(heard, deadline):
                answer = await _read(call, query.model_copy(update={"after": answer.last}), subjects)
    if not await may_go_on(call):
        raise DeniedError("the right to read ended during the wait", "unauthenticated")
    return answer


@api("GET", "/events/kinds", title="Kinds of events", scopes=[Scope.READ], limit=Limit.NONE)
async def list_kinds(call: Call) -> KindsAnswer:
    """The codes that `what` of an event may have, and how they read."""
    return KindsAnswer(kinds=[KindInfo(what=what, title=title) for what, title in titles(call.language).items()])


def titles(language: str) -> Mapping[str, str]:
    """How every kind of change reads."""
    return {what: words[0 if language == "ru" else 1] for what, words in JOURNAL.items()}


async def _read(call: Call, query: FeedQuery, subjects: list[bytes]) -> FeedAnswer:
    # Anew each time: what is one passport may have become more.
    sift = Sift(frozenset(query.what), await call.context.limits.narrow(call.actor, subjects))
    rows, last = await call.context.journal.feed(query.after, query.limit, sift)
    return FeedAnswer(events=[to_entry(row) for row in rows], last=last)


async def _comes(heard: "asyncio.Queue[int]", deadline: float) -> bool:
    """Wait for a row of the journal; False where the time is over."""
    try:
        async with asyncio.timeout_at(deadline):
            while not await heard.get():
                pass  # a change without a row
    except TimeoutError:
        return False
    while not heard.empty():
        heard.get_nowait()
    return True


ROUTES = (read_feed, list_kinds)
