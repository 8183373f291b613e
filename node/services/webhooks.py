"""Webhooks: which other systems are told of which changes, their secrets, and what was delivered to them.

A hook that a token or a system made is its own: it is about its devices, and ends with it.
"""

from dataclasses import dataclass, field, replace

from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.exchange.errors import WebhookError
from node.exchange.webhooks.delivery import DAY_US, Health, Pause, Progress
from node.exchange.webhooks.message import FRESH_SIZE, format_secret, parse_secret
from node.exchange.webhooks.target import parse_target
from node.passport.ids import SubjectId, format_device_id
from node.secret import Secret
from node.services.access import Actor
from node.services.core import Core
from node.services.courier import Courier
from node.services.hook_owners import ended, is_ended, may_see, token_of
from node.services.limits import Limits
from node.store import webhooks as store
from node.store.database import WriteTx
from node.store.journal import last_journal_id
from node.store.webhooks import Delivery, StoredHook

__all__ = ["Delivery", "Health", "HookChange", "NewHook", "StoredHook", "Webhooks"]

OLD_VALID_US = DAY_US


@dataclass(frozen=True, slots=True)
class NewHook:
    """What a hook is asked to be; a secret may come with it."""

    url: str
    description: str = ""
    kinds: frozenset[str] = frozenset()
    subjects: frozenset[bytes] = frozenset()
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HookChange:
    """What is to be another; None stays."""

    url: str | None = None
    description: str | None = None
    kinds: frozenset[str] | None = None
    subjects: frozenset[bytes] | None = None


class Webhooks:
    """Keeps hooks. Whoever sends hears of each change through the journal."""

    def __init__(self, core: Core, courier: Courier, limits: Limits) -> None:
        self._core = core
        self._courier = courier
        self._limits = limits

    async def add(self, actor: Actor, new: NewHook) -> tuple[StoredHook, str]:
        """A hook from the journal's end on, and its secret, which is not shown again."""
        origin = await self._check_target(new.url)
        subjects = await self._narrowed(actor, new.subjects)
        secret = self._secret(new.secret)
        async with self._core.database.write() as tx:
            most = self._core.settings.webhooks.most
            if await store.count_hooks(tx) >= most:
                raise StateError(f"there are {most} webhooks already", "webhooks_too_many", most=most)
            hook = StoredHook(
                id=self._core.random.bytes(8).hex(),
                url=new.url,
                description=new.description,
                kinds=tuple(sorted(new.kinds)),
                subjects=subjects,
                author=actor.label,
                token=token_of(actor),
                secret=self._seal(secret),
                old_secret=None,
                old_until_us=0,
                created_us=tx.now,
                progress=Progress(await last_journal_id(tx)),
            )
            await store.insert_hook(tx, hook)
            await self._core.announce(tx, actor.label, "webhook_added", hook=hook.id, target=origin)
        return hook, format_secret(secret)

    async def all(self, actor: Actor) -> list[StoredHook]:
        """The hooks that an actor may see, oldest first."""
        async with self._core.database.read() as tx:
            return [hook for hook in await store.list_hooks(tx) if may_see(actor, hook)]

    async def get(self, actor: Actor, hook_id: str) -> StoredHook:
        """One hook; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return _visible(actor, hook_id, await store.find_hook(tx, hook_id))

    async def count_ill(self) -> int:
        """How many hooks need somebody: they fail, or ended without anybody's hand."""
        async with self._core.database.read() as tx:
            hooks = await store.list_hooks(tx)
        return sum(_is_ill(hook.progress) for hook in hooks)

    async def change(self, actor: Actor, hook_id: str, change: HookChange) -> StoredHook:
        """Alter what a hook is about, or where it goes."""
        origin = await self._check_target(change.url) if change.url is not None else ""
        subjects = None if change.subjects is None else await self._narrowed(actor, change.subjects)
        async with self._core.database.write() as tx:
            hook = await self._take(tx, actor, hook_id)
            changed = replace(
                hook,
                url=hook.url if change.url is None else change.url,
                description=hook.description if change.description is None else change.description,
                kinds=hook.kinds if change.kinds is None else tuple(sorted(change.kinds)),
                subjects=hook.subjects if subjects is None else subjects,
            )
            await store.put_hook(tx, changed)
            await self._core.announce(tx, actor.label, "webhook_changed", hook=hook_id, target=origin)
        return changed

    async def remove(self, actor: Actor, hook_id: str) -> None:
        """Forget a hook."""
        async with self._core.database.write() as tx:
            await self._take(tx, actor, hook_id)
            await store.delete_hook(tx, hook_id)
            await self._core.announce(tx, actor.label, "webhook_removed", hook=hook_id)

    async def pause(self, actor: Actor, hook_id: str) -> None:
        """Send nothing until it is resumed; what happens meanwhile waits."""
        async with self._core.database.write() as tx:
            hook = await self._take(tx, actor, hook_id)
            await store.put_progress(tx, hook_id, hook.progress.stopped(Pause.HAND))
            await self._core.announce(tx, actor.label, "webhook_paused", hook=hook_id, reason=Pause.HAND.value)

    async def resume(self, actor: Actor, hook_id: str) -> None:
        """Go on at once from where it was; raise StateError where whose it is may hear nothing any more."""
        async with self._core.database.write() as tx:
            hook = await self._take(tx, actor, hook_id)
            if await is_ended(tx, hook):
                raise ended(hook)
            await store.put_progress(tx, hook_id, hook.progress.resumed())
            await self._core.announce(tx, actor.label, "webhook_resumed", hook=hook_id)

    async def move(self, actor: Actor, hook_id: str, after: int) -> None:
        """Send again what came after an event of the journal, or leave out what came before it."""
        async with self._core.database.write() as tx:
            hook = await self._take(tx, actor, hook_id)
            last = await last_journal_id(tx)
            if after > last:
                raise StateError(f"the journal ends at {last}, before {after}", "events_ahead", last=last, after=after)
            await store.put_progress(tx, hook_id, hook.progress.moved(after))
            await self._core.announce(tx, actor.label, "webhook_moved", hook=hook_id, after=after)

    async def change_secret(self, actor: Actor, hook_id: str, text: str | None) -> tuple[StoredHook, str]:
        """A new secret, shown this once; for a day messages are signed with the one before it too."""
        secret = self._secret(text)
        async with self._core.database.write() as tx:
            hook = await self._take(tx, actor, hook_id)
            until = tx.now + OLD_VALID_US
            changed = replace(hook, secret=self._seal(secret), old_secret=hook.secret, old_until_us=until)
            await store.put_hook(tx, changed)
            await self._core.announce(tx, actor.label, "webhook_secret_changed", hook=hook_id)
        return changed, format_secret(secret)

    async def deliveries(self, actor: Actor, hook_id: str, before: int = 0, limit: int = 50) -> list[Delivery]:
        """The last attempts, newest first."""
        async with self._core.database.read() as tx:
            _visible(actor, hook_id, await store.find_hook(tx, hook_id))
            return await store.list_deliveries(tx, hook_id, before, limit)

    async def delivery(self, actor: Actor, hook_id: str, n: int) -> Delivery:
        """One attempt; raise NotFoundError where it is forgotten."""
        async with self._core.database.read() as tx:
            _visible(actor, hook_id, await store.find_hook(tx, hook_id))
            found = await store.find_delivery(tx, hook_id, n)
        if found is None:
            raise NotFoundError(f"attempt {n} of {hook_id} is not known here any more", "delivery_unknown")
        return found

    async def _take(self, tx: WriteTx, actor: Actor, hook_id: str) -> StoredHook:
        return _visible(actor, hook_id, await store.find_hook(tx, hook_id))

    async def _check_target(self, url: str) -> str:
        """Where it leads, without its path; raise InputError where this node sends nothing."""
        try:
            target = parse_target(url)
            self._courier.policy.check_form(target)
            self._courier.policy.check(target, await self._courier.resolve(target))
        except WebhookError as error:
            raise InputError(str(error), "webhook_target") from error
        return target.origin

    async def _narrowed(self, actor: Actor, subjects: frozenset[bytes]) -> tuple[bytes, ...]:
        """What a hook of an actor is about; raise DeniedError for what the actor may not read."""
        allowed = await self._limits.narrow(actor)
        if outside := [] if allowed is None else sorted(subjects - allowed):
            shown = format_device_id(SubjectId(outside[0]))
            raise DeniedError(f"{actor.label} is limited to other devices than {shown}", "token_device", id=shown)
        return tuple(sorted(subjects or actor.subjects))

    def _secret(self, text: str | None) -> Secret:
        if text is None:
            return Secret(self._core.random.bytes(FRESH_SIZE))
        try:
            return parse_secret(text)
        except WebhookError as error:
            raise InputError(str(error), "webhook_secret") from error

    def _seal(self, secret: Secret) -> bytes:
        return self._core.keystore.vault.seal(secret.reveal())


def _visible(actor: Actor, hook_id: str, hook: StoredHook | None) -> StoredHook:
    if hook is None or not may_see(actor, hook):
        raise NotFoundError(f"webhook {hook_id} is not known here", "webhook_unknown")
    return hook


def _is_ill(progress: Progress) -> bool:
    is_stopped = progress.health is Health.PAUSED and progress.paused != Pause.HAND
    return is_stopped or progress.health is Health.FAILING
