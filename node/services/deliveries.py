"""Sending what webhooks are about: the journal is the outbox, and each hook has a place in it.

One task a hook: events go in the journal's order, and the next one only when this one was taken. The place moves in the
transaction that notes the attempt, so a node that is killed sends the event on the way once more, and loses none. The
id of a message is that of its event: a receiver tells by it what it has had.
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace

import structlog

from node.errors import NodeError, NotFoundError
from node.exchange.webhooks.delivery import Outcome, Pace, Pause, Progress
from node.exchange.webhooks.message import Message, encode_event, format_time
from node.exchange.webhooks.target import parse_target
from node.metrics import Metrics
from node.passport.ids import SUBJECT_SIZE, SubjectId, format_device_id
from node.secret import Secret
from node.services.core import Core
from node.services.courier import Courier, Road
from node.services.hook_owners import ended, heard_by, is_ended
from node.store import webhooks as store
from node.store.database import ReadTx, WriteTx
from node.store.errors import StoreError
from node.store.journal import JournalRow, Sift, find_row, read_feed
from node.store.webhooks import Delivery, StoredHook, make_delivery

log = structlog.get_logger()

BATCH = 50
ACTOR = "node:webhooks"
TEST = "webhook_test"
AGAIN_S = 5.0  # after a fault of this node's own, such as a store that is busy
EVENT, RESENT, TESTED = "event", "resent", "test"


@dataclass(frozen=True, slots=True)
class _Work:
    """What a hook has to do: rows to send, or a time to wait (None until something happens); and what it hears."""

    hook: StoredHook
    rows: list[JournalRow]
    sift: Sift | None = None
    wait_s: float | None = None
    is_ended: bool = False


class Deliveries:
    """Sends."""

    def __init__(self, core: Core, courier: Courier, metrics: Metrics) -> None:
        settings = core.settings.webhooks
        self._core = core
        self._courier = courier
        self._metrics = metrics
        self._pace = Pace(first_s=settings.retry_s, give_up_days=settings.give_up_days)
        self.changes = 0  # grows when pages have something new to show
        self._woken: dict[str, asyncio.Event] = {}
        # Up to where nothing is for a hook: (its place, the journal's row).
        self._looked: dict[str, tuple[int, int]] = {}

    async def run(self) -> None:
        """Send until cancelled."""
        async with self._courier.out() as road, asyncio.TaskGroup() as tasks:
            with self._core.bus.listen() as heard:
                while True:
                    async with self._core.database.read() as tx:
                        active = await store.list_active(tx)
                    for hook_id in active:
                        if hook_id not in self._woken:
                            self._woken[hook_id] = asyncio.Event()
                            tasks.create_task(self._keep_sending(road, hook_id))
                    while not await heard.get():
                        pass  # a change without a row
                    while not heard.empty():
                        heard.get_nowait()
                    for woken in self._woken.values():
                        woken.set()

    async def test(self, hook: StoredHook) -> Delivery:
        """Send a message about nothing, once, beside the others; raise StateError where its owner was cut off."""
        now = self._core.clock.now()
        data = {"id": 0, "at": format_time(now), "org": self._core.org.hex(), "what": TEST, "hook": hook.id}
        message = encode_event(f"test-{self._core.random.bytes(8).hex()}", TEST, now, data)
        return await self._send_once(hook, message, TESTED, 0, TEST)

    async def resend(self, hook: StoredHook, event: int) -> Delivery:
        """Send an event of the journal again, once, beside the others.

        Raise NotFoundError where there is none that the hook tells now, StateError where whose it is was cut off.
        """
        async with self._core.database.read() as tx:
            row, heard = await find_row(tx, event), await heard_by(tx, hook)
        if row is None or not (heard is None or row.subject in heard):
            raise NotFoundError(f"event {event} is not in the journal, or none of this hook's now", "delivery_unknown")
        return await self._send_once(hook, self._message(row), RESENT, event, row.what)

    async def again(self, hook: StoredHook, delivery: Delivery) -> Delivery:
        """Send what a delivery was about once more: its event, or another test."""
        return await (self.resend(hook, delivery.event) if delivery.event else self.test(hook))

    async def _keep_sending(self, road: Road, hook_id: str) -> None:
        woken = self._woken[hook_id]
        try:
            while True:
                try:
                    await self._follow(road, hook_id, woken)
                    if not woken.is_set():  # else it may have been resumed while it was found paused
                        return
                    continue
                except (NodeError, StoreError) as error:
                    log.warning("webhook_broke", hook=hook_id, error=str(error))
                except Exception:  # one hook must not end the others, nor the node
                    log.exception("webhook_broke", hook=hook_id)
                await asyncio.sleep(AGAIN_S)
        finally:
            del self._woken[hook_id]

    async def _follow(self, road: Road, hook_id: str, woken: asyncio.Event) -> None:
        """Send what is there, then what comes, until the hook is paused or gone."""
        is_shown = True
        while True:
            woken.clear()
            work = await self._find_work(hook_id)
            if work is None:
                return
            if work.rows:
                await self._send_all(road, work)
                is_shown = False
                continue
            if not is_shown:
                self._show()
                is_shown = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(work.wait_s):
                    await woken.wait()

    async def _send_all(self, road: Road, work: _Work) -> None:
        """Send rows up to the first that has to wait, or after which the hook stands elsewhere or hears others."""
        hook, at = work.hook, 0
        while at < len(work.rows):
            stands = await self._deliver(road, hook, work.rows[at], work.sift)
            if stands is None or stands.progress.next_us > self._core.clock.now():
                return
            if stands.progress.cursor == work.rows[at].id:
                at += 1
            elif stands.progress.cursor != hook.progress.cursor:
                return
            hook = stands

    def _show(self) -> None:
        self.changes += 1
        self._core.bus.wake()

    async def _find_work(self, hook_id: str) -> _Work | None:
        async def look(tx: ReadTx) -> _Work | None:
            hook = await store.find_hook(tx, hook_id)
            if hook is None or hook.progress.paused:
                return None
            if await is_ended(tx, hook):
                return _Work(hook, [], is_ended=True)
            wait_us = hook.progress.next_us - tx.now
            if wait_us > 0:
                return _Work(hook, [], wait_s=wait_us / 1e6)
            sift = await _heard(tx, hook)
            return _Work(hook, await self._read(tx, hook, sift), sift)

        async with self._core.database.read() as tx:
            work = await tx.at_once(look)
        if work is not None and work.is_ended:
            await self._end(work.hook)
            return None
        return work

    async def _read(self, tx: ReadTx, hook: StoredHook, sift: Sift) -> list[JournalRow]:
        """The next rows for a hook. Where there are none, what was looked through is not looked at again."""
        cursor = hook.progress.cursor
        place, looked = self._looked.get(hook.id, (cursor, cursor))
        rows, last = await read_feed(tx, looked if place == cursor else cursor, BATCH, sift)
        if not rows:
            self._looked[hook.id] = (cursor, last)
        return rows

    async def _deliver(self, road: Road, hook: StoredHook, row: JournalRow, sift: Sift | None) -> StoredHook | None:
        """Try one event, and note how it ended; the hook as it stands then, None where it sends no more of these."""
        at = self._core.clock.now()
        outcome = await road.send(parse_target(hook.url), self._message(row), self._secrets(hook))
        self._metrics.count("webhook_deliveries", outcome.fault.value if outcome.fault else "taken")

        async def note(tx: WriteTx) -> StoredHook | None:
            fresh = await store.find_hook(tx, hook.id)
            if fresh is None:
                return None
            await store.add_delivery(tx, make_delivery(fresh, EVENT, row.id, row.what, at, outcome))
            progress = self._after(hook.progress, fresh.progress, outcome, row.id, tx.now)
            if await is_ended(tx, fresh):
                progress = progress.stopped(Pause.TOKEN)
            await self._put(tx, fresh, progress)
            is_over = progress.paused or await _heard(tx, fresh) != sift
            return None if is_over else replace(fresh, progress=progress)

        async with self._core.database.write() as tx:
            return await tx.at_once(note)

    def _after(self, sent: Progress, stands: Progress, outcome: Outcome, event: int, now: int) -> Progress:
        """How far a hook has come once an attempt ended; one that was moved meanwhile stays where it was moved to."""
        if stands.cursor != sent.cursor:
            return stands.counted()
        chance = int.from_bytes(self._core.random.bytes(4)) / 2**32
        return stands.after(outcome, event, now, self._pace, chance)

    async def _put(self, tx: WriteTx, hook: StoredHook, progress: Progress) -> None:
        """Store how far a hook has come; that it stopped by itself is journaled, pages hear of its health."""
        await store.put_progress(tx, hook.id, progress)
        if progress.paused and not hook.progress.paused:
            await self._core.announce(tx, ACTOR, "webhook_paused", hook=hook.id, reason=progress.paused)
        elif progress.health != hook.progress.health:
            tx.on_commit(self._show)

    async def _end(self, hook: StoredHook) -> None:
        async with self._core.database.write() as tx:
            fresh = await store.find_hook(tx, hook.id)
            if fresh is not None:
                await self._put(tx, fresh, fresh.progress.stopped(Pause.TOKEN))

    async def _send_once(self, hook: StoredHook, message: Message, purpose: str, event: int, what: str) -> Delivery:
        async with self._core.database.read() as tx:
            if await is_ended(tx, hook):
                raise ended(hook)
        at = self._core.clock.now()
        async with self._courier.out() as road:
            outcome = await road.send(parse_target(hook.url), message, self._secrets(hook))
        async with self._core.database.write() as tx:
            fresh = await store.find_hook(tx, hook.id)
            delivery = make_delivery(fresh or hook, purpose, event, what, at, outcome)
            if fresh is not None:
                await store.add_delivery(tx, delivery)
                await store.put_progress(tx, hook.id, fresh.progress.counted())
        return delivery

    def _secrets(self, hook: StoredHook) -> list[Secret]:
        """What messages are signed with now: the secret, and for a time the one before it."""
        is_old_valid = hook.old_secret is not None and self._core.clock.now() < hook.old_until_us
        sealed = [hook.secret, *([hook.old_secret] if is_old_valid and hook.old_secret else [])]
        return [Secret(self._core.keystore.vault.open(one)) for one in sealed]

    def _message(self, row: JournalRow) -> Message:
        device = format_device_id(SubjectId(row.subject)) if row.subject and len(row.subject) == SUBJECT_SIZE else None
        data: dict[str, object] = {
            "id": row.id,
            "at": format_time(row.at_us),
            "org": row.org.hex(),
            "actor": row.actor,
            "what": row.what,
            "subject": row.subject.hex() if row.subject else None,
            "device": device,
            "detail": row.detail,
        }
        return encode_event(f"{self._core.node.hex()[:16]}-{row.id}", row.what, row.at_us, data)


async def _heard(tx: ReadTx, hook: StoredHook) -> Sift:
    return Sift(frozenset(hook.kinds), await heard_by(tx, hook))
