"""Whose a webhook is: it tells what its token or registered system may read now, and ends when that is cut off."""

from node.services.access import Actor, Scope
from node.services.correspondents import Rights, standing_rights
from node.store.access import is_token_valid
from node.store.database import ReadTx
from node.store.passports import every_id
from node.store.webhooks import StoredHook

SYSTEM = "system:"
NEEDED = frozenset({Scope.READ, Scope.HOOKS})


def is_own(actor: Actor, hook: StoredHook) -> bool:
    """Whether a token or a system made a hook; a system has it whichever of its tokens asks."""
    return hook.author == actor.label if actor.kind == "system" else hook.token == actor.id


async def is_ended(tx: ReadTx, hook: StoredHook) -> bool:
    """Whether whose the hook is may follow events no longer. What a person made goes on."""
    if hook.author.startswith(SYSTEM):
        rights = await _rights(tx, hook)
        # Which devices are of a type changes: a feed is held to things alone.
        return rights is None or not NEEDED.issubset(rights.scopes) or bool(rights.types)
    return bool(hook.token) and not await is_token_valid(tx, hook.token)


async def subjects_of(tx: ReadTx, hook: StoredHook) -> frozenset[bytes] | None:
    """Every id of what a hook is about, as far as its system is held to some things; None is everything."""
    rights = await _rights(tx, hook) if hook.author.startswith(SYSTEM) else None
    things = tuple(map(bytes.fromhex, rights.things)) if rights is not None else ()
    sides = [frozenset(await every_id(tx, side)) for side in (hook.subjects, things) if side]
    return frozenset.intersection(*sides) if sides else None


async def _rights(tx: ReadTx, hook: StoredHook) -> Rights | None:
    return await standing_rights(tx, hook.author.removeprefix(SYSTEM))
