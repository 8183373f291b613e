"""1C: taking its messages, what was taken, and what changed of the devices that came from it."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from node.errors import DeniedError
from node.exchange.messages_1c import Guid, Message, System
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import text
from node.services.access import Scope
from node.services.exchange_1c import TakenMessage
from node.web.calls import Call, Page, PageQuery
from node.web.routes import api
from node.web.tables import exchanges as tables

MAX_MESSAGE = 10 << 20
State = Literal["written", "same", "older"]


class ObjectAnswer(BaseModel):
    """What became of an object: `older` was written by the later message of that number already."""

    kind: Literal["item", "device", "document"]
    id: Guid
    state: State
    device: str | None = Field(default=None, description="The device id, of a device.")
    central: str | None = Field(default=None, description="The central code that an item means; null while unbound.")
    number: int | None = Field(default=None, description="Of an older object: the number of the message that wrote it.")


class MessageAnswer(BaseModel):
    """What a message was answered first; the same again is answered the same."""

    message: Guid
    number: int
    objects: list[ObjectAnswer]


class MessageRow(BaseModel):
    """A message that was taken."""

    system: str
    message: str
    number: int
    kind: str
    received_us: int
    actor: str
    written: int
    same: int
    older: int


class ChangesQuery(BaseModel):
    """Of which base, and after which place."""

    system: System
    after: int = Field(default=0, ge=0, lt=2**62, description="`next` of the answer before; 0 at first.")
    limit: int = Field(default=100, ge=1, le=1000)


class ChangeRow(BaseModel):
    """A device of 1C as its passport stands now."""

    id: Annotated[str, StringConstraints(min_length=36, max_length=36)] = Field(description="The GUID of 1C.")
    device: str
    title: str
    state: str
    valid_until: str | None
    record: str | None
    verification: str | None = Field(description="How the verification stands: registered, stated, working, disputed.")
    changed_us: int


class ChangesAnswer(BaseModel):
    """Changes after a place, each device once; ask again with `next`."""

    items: list[ChangeRow]
    next: int


@api("POST", "/exchange/1c/messages", title="Take a message of 1C", scopes=[Scope.IMPORT], max_body=MAX_MESSAGE,
     problems=["message_changed_1c", "number_taken_1c", "message_refused_1c", "base_taken_1c"])  # fmt: skip
async def take_message(call: Call, body: Message) -> MessageAnswer:
    """Whole or not at all, of the system whose token it is. The same again changes nothing, nor does an older one."""
    await _check_base(call, body.message.system)
    answer = await call.context.exchange_1c.take(body, call.actor.label)
    if answer.is_replay:
        call.headers["Message-Replayed"] = "true"
    return MessageAnswer.model_validate(answer.told)


@api("GET", "/exchange/1c/messages", title="Messages of 1C", scopes=[Scope.READ], problems=["cursor"],
     table=tables.MESSAGES_1C)  # fmt: skip
async def list_messages(call: Call, query: PageQuery) -> Page[MessageRow]:
    """Newest first."""
    place = call.decode_cursor(query.cursor, int, str) if query.cursor else None
    before = (int(place[0]), str(place[1])) if place else None
    found = await call.context.exchange_1c.messages(query.limit + 1, before)
    last = found[query.limit - 1] if len(found) > query.limit else None
    more = call.encode_cursor(last.received_us, last.id) if last else None
    return Page(items=[message_row(one) for one in found[: query.limit]], next=more)


@api("GET", "/exchange/1c/changes", title="What changed for 1C", scopes=[Scope.READ], table=tables.CHANGES_1C)
async def list_changes(call: Call, query: ChangesQuery) -> ChangesAnswer:
    """State and verification of the devices that came from a base, where their passports changed since."""
    found = await call.context.exchange_1c.changes(query.system, query.after, query.limit)
    items = [
        ChangeRow(
            id=moved.id,
            device=format_device_id(SubjectId(passport.lead)),
            title=passport.title,
            state=text(passport.content, "state", "code"),
            valid_until=text(passport.content, "verification", "valid_until") or None,
            record=text(passport.content, "verification", "record") or None,
            verification=text(passport.content, "verification", "standing") or None,
            changed_us=passport.changed_us,
        )
        for moved, passport in found
    ]
    return ChangesAnswer(items=items, next=found[-1][0].journal if found else query.after)


def message_row(message: TakenMessage) -> MessageRow:
    """A message with how many of its objects were written."""
    states = [row["state"] for row in json.loads(message.answer)["objects"]]
    return MessageRow(
        system=message.system,
        message=message.id,
        number=message.number,
        kind=message.kind,
        received_us=message.received_us,
        actor=message.actor,
        written=states.count("written"),
        same=states.count("same"),
        older=states.count("older"),
    )


async def _check_base(call: Call, base: str) -> None:
    """Raise DeniedError where a base is that of another registered system: by its first message, or by its name."""
    owner = await call.context.exchange_1c.owner(base) or base
    is_own = (call.actor.kind, call.actor.name) == ("system", owner)
    if not is_own and await call.context.correspondents.is_registered(owner):
        raise DeniedError(f"base {base} is that of the system {owner}", "base_taken_1c", base=base, system=owner)


ROUTES = (take_message, list_messages, list_changes)
