"""The webhooks pages: where events go and how well, adding one, and of each its deliveries and what may be done."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from node.errors import NodeError
from node.services.access import Scope
from node.services.journal import JournalRow
from node.services.webhooks import Delivery, NewHook, StoredHook
from node.web.api.events import MOST_DEVICES, Kinds, titles
from node.web.api.passports import subject_of
from node.web.api.webhooks import DeliveryPath, PlaceBody, WebhookPath, to_delivery, to_webhook
from node.web.calls import Call, View
from node.web.dispatch import redirect
from node.web.events import Live
from node.web.languages import mark
from node.web.rendering import RENDERER
from node.web.routes import Group, Menu, page

TITLE = mark("Webhooks")
PATH = "/webhooks"
MAY = (Scope.READ, Scope.HOOKS)
LAST = 50


class WebhookForm(BaseModel):
    """What a person fills in; devices stand apart by spaces or lines."""

    url: str = Field(min_length=1, max_length=2048)
    description: str = Field(default="", max_length=256)
    what: Kinds = []
    devices: str = Field(default="", max_length=MOST_DEVICES * 80)


async def _ill(call: Call) -> int:
    return await call.context.webhooks.count_ill()


@page("GET", PATH, title=TITLE, scopes=MAY, menu=Menu(Group.NODE, 2, "webhooks", _ill), api="GET /webhooks")
async def webhooks(call: Call) -> View:
    """Where events go; follows the stream."""
    return await _list(call)


@page("POST", PATH, title=TITLE, scopes=MAY, api="POST /webhooks")
async def add_webhook(call: Call, body: WebhookForm) -> View:
    """Add one and show its secret this once."""
    try:
        subjects = frozenset(subject_of(text) for text in body.devices.split())
        hook, secret = await call.context.webhooks.add(
            call.actor, NewHook(body.url.strip(), body.description.strip(), frozenset(body.what), subjects)
        )
    except NodeError as error:
        return await _list(call, error=error, typed=body)
    return await _one(call, hook, secret=secret)


@page("GET", PATH + "/{hook}", title=TITLE, scopes=MAY, api="GET /webhooks/{hook}",
      lists=["GET /webhooks/{hook}/deliveries"])  # fmt: skip
async def webhook(call: Call, path: WebhookPath) -> View:
    """One webhook and what was delivered; follows the stream."""
    return await _one(call, await call.context.webhooks.get(call.actor, path.hook))


@page("POST", PATH + "/{hook}/pause", title=TITLE, scopes=MAY, api="POST /webhooks/{hook}/pause")
async def pause_webhook(call: Call, path: WebhookPath) -> web.Response:
    """Send nothing for a while."""
    await call.context.webhooks.pause(call.actor, path.hook)
    return redirect(f"{PATH}/{path.hook}")


@page("POST", PATH + "/{hook}/resumption", title=TITLE, scopes=MAY, api="POST /webhooks/{hook}/resumption")
async def resume_webhook(call: Call, path: WebhookPath) -> View | web.Response:
    """Go on."""
    try:
        await call.context.webhooks.resume(call.actor, path.hook)
    except NodeError as error:
        return await _one(call, await call.context.webhooks.get(call.actor, path.hook), error=error)
    return redirect(f"{PATH}/{path.hook}")


@page("POST", PATH + "/{hook}/replay", title=TITLE, scopes=MAY, api="POST /webhooks/{hook}/replay")
async def replay_webhook(call: Call, path: WebhookPath, body: PlaceBody) -> View | web.Response:
    """Send again from a place, or skip to it."""
    try:
        await call.context.webhooks.move(call.actor, path.hook, body.after)
    except NodeError as error:
        return await _one(call, await call.context.webhooks.get(call.actor, path.hook), error=error)
    return redirect(f"{PATH}/{path.hook}")


@page("POST", PATH + "/{hook}/secret", title=TITLE, scopes=MAY, api="POST /webhooks/{hook}/secret")
async def change_secret(call: Call, path: WebhookPath) -> View:
    """A new secret, shown this once."""
    hook, secret = await call.context.webhooks.change_secret(call.actor, path.hook, None)
    return await _one(call, hook, secret=secret)


@page("POST", PATH + "/{hook}/test", title=TITLE, scopes=MAY, api="POST /webhooks/{hook}/test")
async def test_webhook(call: Call, path: WebhookPath) -> View:
    """Send a test and show how it ended."""
    sent = await call.context.deliveries.test(await call.context.webhooks.get(call.actor, path.hook))
    return await _one(call, await call.context.webhooks.get(call.actor, path.hook), sent=sent)


@page("POST", PATH + "/{hook}/deliveries/{n}/replay", title=TITLE, scopes=MAY,
      api="POST /webhooks/{hook}/deliveries/{n}/replay")  # fmt: skip
async def replay_delivery(call: Call, path: DeliveryPath) -> View:
    """Send one event again and show how it ended."""
    hook = await call.context.webhooks.get(call.actor, path.hook)
    delivery = await call.context.webhooks.delivery(call.actor, path.hook, path.n)
    sent = await call.context.deliveries.again(hook, delivery)
    return await _one(call, await call.context.webhooks.get(call.actor, path.hook), sent=sent)


@page("POST", PATH + "/{hook}/remove", title=TITLE, scopes=MAY, api="DELETE /webhooks/{hook}")
async def remove_webhook(call: Call, path: WebhookPath) -> web.Response:
    """Forget it."""
    await call.context.webhooks.remove(call.actor, path.hook)
    return redirect(PATH)


async def _list(call: Call, error: Exception | None = None, typed: WebhookForm | None = None) -> View:
    after = await call.context.journal.last_id()
    kinds = sorted(titles(call.language).items(), key=lambda item: item[1])
    return View("webhooks.html", error=error, typed=typed, after=after, kinds=kinds, hooks=await _hooks(call))


async def _hooks(call: Call) -> list[object]:
    return [to_webhook(hook) for hook in await call.context.webhooks.all(call.actor)]


async def _one(
    call: Call, hook: StoredHook, *, error: Exception | None = None, secret: str = "", sent: Delivery | None = None
) -> View:
    after = await call.context.journal.last_id()
    told = to_delivery(sent) if sent is not None else None
    values = await _delivered(call, hook)
    return View("webhook.html", error=error, secret=secret, sent=told, after=after, **values)


async def _delivered(call: Call, hook: StoredHook) -> dict[str, Any]:  # Any: what templates are given
    rows = await call.context.webhooks.deliveries(call.actor, hook.id, limit=LAST)
    return {"hook": to_webhook(hook), "rows": [to_delivery(row) for row in rows]}


async def _moved(call: Call, _rows: Sequence[JournalRow]) -> Mapping[str, str]:
    renderer, shown = call.request.app[RENDERER], call.request.query.get("of")
    if shown is None:
        return {"webhooks": renderer.part(call, "parts/webhook_list.html", hooks=await _hooks(call))}
    try:
        hook = await call.context.webhooks.get(call.actor, shown)
    except NodeError:
        return {}  # removed meanwhile
    return {"webhook": renderer.part(call, "parts/webhook_body.html", **await _delivered(call, hook))}


async def _changes(call: Call) -> int:
    return call.context.deliveries.changes


ROUTES = (
    webhooks, add_webhook, webhook, pause_webhook, resume_webhook, replay_webhook, change_secret, test_webhook,
    replay_delivery, remove_webhook,
)  # fmt: skip
LIVE = (Live("webhooks", _moved, frozenset(MAY), _changes),)
