"""Webhooks as resources: where events go, their health, what was delivered, sending again."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from node.passport.ids import SubjectId, format_device_id
from node.services.access import Scope
from node.services.webhooks import Delivery, HookChange, NewHook, StoredHook
from node.web.api.access import Input
from node.web.api.events import MOST_DEVICES, Kinds
from node.web.api.passports import DeviceText, subject_of
from node.web.calls import Call, Page, PageQuery
from node.web.events import LARGEST_ID
from node.web.routes import Limit, api
from node.web.tables import office as tables

MAY = (Scope.READ, Scope.HOOKS)
UNKNOWN = "webhook_unknown"
TARGET = ["webhook_target", "id_mistyped", "token_device"]
URL = Field(min_length=1, max_length=2048, description="https, or http in a network that the settings allow.")
DESCRIPTION = Field(default="", max_length=256, description="What it is for.")
WHAT: Any = Field(  # Any: what a field is made of
    default=[], description="Only changes of these kinds; without any, all."
)
DEVICES: Any = Field(  # Any: as above
    default=[], max_length=MOST_DEVICES, description="Only about these devices; without any, all."
)
SECRET = Field(
    default=None, max_length=128, description="`whsec_` and base64 of 24 to 64 bytes; without it the node makes one."
)


class WebhookBody(Input):
    """Where events go, and which."""

    url: str = URL
    description: str = DESCRIPTION
    what: Kinds = WHAT
    devices: list[DeviceText] = DEVICES
    secret: str | None = SECRET


class WebhookChanges(Input):
    """What is to be another; what is left out stays."""

    url: str | None = Field(default=None, min_length=1, max_length=2048)
    description: str | None = Field(default=None, max_length=256)
    what: Kinds | None = None
    devices: list[DeviceText] | None = Field(default=None, max_length=MOST_DEVICES)


class WebhookInfo(BaseModel):
    """A webhook, without its secret."""

    id: str
    url: str
    description: str
    what: list[str]
    devices: list[str]
    author: str = Field(description="Who made it, as kind:name.")
    created: datetime
    health: Literal["new", "good", "failing", "paused"]
    paused: Literal["", "hand", "failing", "gone", "token"] = Field(description="Why nothing is sent, else empty.")
    error: str = Field(description="Why the last attempt failed: a stable code, else empty.")
    failing_since: datetime | None
    next: datetime | None = Field(description="When the event that was not taken is tried again.")
    last: int = Field(description="The event up to which all was taken.")
    attempts: int = Field(description="How often the event after it was tried.")
    taken: int = Field(description="How many events were taken.")
    taken_at: datetime | None
    old_secret_until: datetime | None = Field(description="How long the secret before this one is valid beside it.")


class WebhookList(BaseModel):
    """The webhooks, oldest first."""

    items: list[WebhookInfo]


class IssuedWebhook(WebhookInfo):
    """A webhook with its secret, which is shown this once."""

    secret: str


class WebhookPath(BaseModel):
    """Which webhook."""

    hook: str = Field(pattern="^[0-9a-f]{16}$")


class SecretBody(Input):
    """The next secret."""

    secret: str | None = SECRET


class PlaceBody(Input):
    """Where to go on."""

    after: int = Field(ge=0, le=LARGEST_ID, description="The event after which everything is sent, again or not yet.")


class DeliveryInfo(BaseModel):
    """One attempt."""

    n: int
    purpose: Literal["event", "resent", "test"]
    event: int = Field(description="The event's id; 0 for a test.")
    what: str
    attempt: int
    at: datetime
    took_ms: float
    status: int = Field(description="Of the answer; 0 where there was none.")
    error: str = Field(description="Empty where it was taken, else a stable code.")


class DeliveryPath(WebhookPath):
    """Which attempt of which webhook."""

    n: int = Field(ge=1, le=LARGEST_ID)


@api("GET", "/webhooks", title="Webhooks", scopes=MAY, limit=Limit.NARROWS, table=tables.WEBHOOKS)
async def list_webhooks(call: Call) -> WebhookList:
    """Where events go, and how well. A limited token sees its own."""
    return WebhookList(items=[to_webhook(hook) for hook in await call.context.webhooks.all(call.actor)])


@api("POST", "/webhooks", title="Add a webhook", scopes=MAY, status=201, limit=Limit.NARROWS,
     problems=[*TARGET, "webhook_secret", "webhooks_too_many"])  # fmt: skip
async def add_webhook(call: Call, body: WebhookBody) -> IssuedWebhook:
    """Events from now on are sent there in their order. The secret in the answer is not shown again."""
    hook, secret = await call.context.webhooks.add(call.actor, new_hook(body))
    return IssuedWebhook(secret=secret, **to_webhook(hook).model_dump())


@api("GET", "/webhooks/{hook}", title="One webhook", scopes=MAY, limit=Limit.NARROWS, problems=[UNKNOWN])
async def read_webhook(call: Call, path: WebhookPath) -> WebhookInfo:
    """Where it goes, and its health."""
    return to_webhook(await call.context.webhooks.get(call.actor, path.hook))


@api("PATCH", "/webhooks/{hook}", title="Change a webhook", scopes=MAY, limit=Limit.NARROWS,
     problems=[UNKNOWN, *TARGET])  # fmt: skip
async def change_webhook(call: Call, path: WebhookPath, body: WebhookChanges) -> WebhookInfo:
    """Another address, other kinds or devices; it goes on from where it is."""
    subjects = None if body.devices is None else frozenset(map(subject_of, body.devices))
    kinds = None if body.what is None else frozenset(body.what)
    change = HookChange(body.url, body.description, kinds, subjects)
    return to_webhook(await call.context.webhooks.change(call.actor, path.hook, change))


@api("DELETE", "/webhooks/{hook}", title="Remove a webhook", scopes=MAY, limit=Limit.NARROWS, problems=[UNKNOWN])
async def remove_webhook(call: Call, path: WebhookPath) -> None:
    """Nothing more is sent there."""
    await call.context.webhooks.remove(call.actor, path.hook)


@api("POST", "/webhooks/{hook}/pause", title="Pause a webhook", scopes=MAY, limit=Limit.NARROWS, problems=[UNKNOWN])
async def pause_webhook(call: Call, path: WebhookPath) -> None:
    """Nothing is sent until it is resumed; events wait."""
    await call.context.webhooks.pause(call.actor, path.hook)


@api("POST", "/webhooks/{hook}/resumption", title="Resume a webhook", scopes=MAY, limit=Limit.NARROWS,
     problems=[UNKNOWN, "webhook_ended"])  # fmt: skip
async def resume_webhook(call: Call, path: WebhookPath) -> None:
    """Go on at once from where it was."""
    await call.context.webhooks.resume(call.actor, path.hook)


@api("POST", "/webhooks/{hook}/replay", title="Send again, or skip", scopes=MAY, limit=Limit.NARROWS,
     problems=[UNKNOWN, "events_ahead"])  # fmt: skip
async def replay_webhook(call: Call, path: WebhookPath, body: PlaceBody) -> None:
    """Go on after an event: earlier than its place everything since is sent again, later what lies between is left."""
    await call.context.webhooks.move(call.actor, path.hook, body.after)


@api("POST", "/webhooks/{hook}/secret", title="Change the secret of a webhook", scopes=MAY, limit=Limit.NARROWS,
     problems=[UNKNOWN, "webhook_secret"])  # fmt: skip
async def change_secret(call: Call, path: WebhookPath, body: SecretBody) -> IssuedWebhook:
    """For a day messages are signed with both. The secret in the answer is not shown again."""
    hook, secret = await call.context.webhooks.change_secret(call.actor, path.hook, body.secret)
    return IssuedWebhook(secret=secret, **to_webhook(hook).model_dump())


@api("POST", "/webhooks/{hook}/test", title="Send a test", scopes=MAY, limit=Limit.NARROWS,
     problems=[UNKNOWN, "webhook_ended"])  # fmt: skip
async def test_webhook(call: Call, path: WebhookPath) -> DeliveryInfo:
    """One message about nothing, at once; the answer tells how it ended."""
    hook = await call.context.webhooks.get(call.actor, path.hook)
    return to_delivery(await call.context.deliveries.test(hook))


@api("GET", "/webhooks/{hook}/deliveries", title="Deliveries of a webhook, newest first", scopes=MAY,
     limit=Limit.NARROWS, problems=[UNKNOWN, "cursor"], table=tables.DELIVERIES)  # fmt: skip
async def list_deliveries(call: Call, path: WebhookPath, query: PageQuery) -> Page[DeliveryInfo]:
    """The last two hundred attempts, and how each ended."""
    before = int(call.decode_cursor(query.cursor, int)[0]) if query.cursor else 0
    rows = await call.context.webhooks.deliveries(call.actor, path.hook, before, query.limit + 1)
    more = call.encode_cursor(rows[query.limit - 1].n) if len(rows) > query.limit else None
    return Page(items=[to_delivery(row) for row in rows[: query.limit]], next=more)


@api("POST", "/webhooks/{hook}/deliveries/{n}/replay", title="Send one delivery again", scopes=MAY,
     limit=Limit.NARROWS, problems=[UNKNOWN, "delivery_unknown", "webhook_ended"])  # fmt: skip
async def replay_delivery(call: Call, path: DeliveryPath) -> DeliveryInfo:
    """The same event under the same id, once, beside the others; the answer tells how it ended."""
    hook = await call.context.webhooks.get(call.actor, path.hook)
    delivery = await call.context.webhooks.delivery(call.actor, path.hook, path.n)
    return to_delivery(await call.context.deliveries.again(hook, delivery))


def new_hook(body: WebhookBody) -> NewHook:
    """What is asked for."""
    subjects = frozenset(map(subject_of, body.devices))
    return NewHook(body.url, body.description, frozenset(body.what), subjects, body.secret)


def to_webhook(hook: StoredHook) -> WebhookInfo:
    """A webhook as the API shows it."""
    at = hook.progress
    return WebhookInfo(
        id=hook.id,
        url=hook.url,
        description=hook.description,
        what=[*hook.kinds],
        devices=[format_device_id(SubjectId(subject)) for subject in hook.subjects],
        author=hook.author,
        created=_time(hook.created_us),
        health=at.health.value,
        paused=at.paused,
        error=at.error,
        failing_since=_time_or_none(at.failing_us),
        next=_time_or_none(at.next_us),
        last=at.cursor,
        attempts=at.attempts,
        taken=at.taken,
        taken_at=_time_or_none(at.taken_us),
        old_secret_until=_time_or_none(hook.old_until_us),
    )


def to_delivery(row: Delivery) -> DeliveryInfo:
    """An attempt as the API shows it."""
    return DeliveryInfo(
        n=row.n,
        purpose=row.purpose,
        event=row.event,
        what=row.what,
        attempt=row.attempt,
        at=_time(row.at_us),
        took_ms=row.took_us / 1000,
        status=row.status,
        error=row.error,
    )


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)


def _time_or_none(micros: int) -> datetime | None:
    return _time(micros) if micros else None


ROUTES = (
    list_webhooks, add_webhook, read_webhook, change_webhook, remove_webhook, pause_webhook, resume_webhook,
    replay_webhook, change_secret, test_webhook, list_deliveries, replay_delivery,
)  # fmt: skip
