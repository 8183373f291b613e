"""Whose a webhook is: a token's or a system's, with which it ends, or nobody's, where people or the node made it.

What a system may hear is what its rights say when an event is sent, not when its hook was made.
"""

from node.errors import StateError
from node.services.access import Actor, Scope
from node.services.correspondents import Rights, standing_rights
from node.store.access import is_token_valid
from node.store.database import ReadTx
from node.store.passports import every_id
from node.store.webhooks import StoredHook

SYSTEM = "system"


def token_of(actor: Actor) -> str:
    """The token with which a hook that an actor makes ends; a system's hooks outlive the rotation of its tokens."""
    return actor.id if actor.kind == "token" else ""


def may_see(actor: Actor, hook: StoredHook) -> bool:
    """Whether an actor may see and change a hook: a system and a limited token only their own."""
    if actor.kind == SYSTEM:
        return hook.author == actor.label
    return not actor.subjects or hook.token == actor.id


async def is_ended(tx: ReadTx, hook: StoredHook) -> bool:
    """Whether the token or the system whose hook it is may hear nothing any more."""
    if hook.token:
        return not await is_token_valid(tx, hook.token)
    name = _system(hook)
    return name is not None and await _rights(tx, name) is None


def ended(hook: StoredHook) -> StateError:
    """The error of a hook whose token or system may hear nothing any more."""
    return StateError(f"{hook.author} may hear nothing any more, nor may its webhooks", "webhook_ended")


async def heard_by(tx: ReadTx, hook: StoredHook) -> frozenset[bytes] | None:
    """Every id of the things of which a hook tells now; None is all that happens."""
    wanted = frozenset(await every_id(tx, hook.subjects)) if hook.subjects else None
    name = _system(hook)
    rights = await _rights(tx, name) if name is not None else None
    if rights is None or not rights.things:
        return wanted
    allowed = frozenset(await every_id(tx, [bytes.fromhex(thing) for thing in rights.things]))
    return allowed if wanted is None else wanted & allowed


def _system(hook: StoredHook) -> str | None:
    kind, _, name = hook.author.partition(":")
    return name if kind == SYSTEM else None


async def _rights(tx: ReadTx, name: str) -> Rights | None:
    """A system's rights while it has a valid token and may be told of what happens, else None.

    One that is limited to types is told nothing: which things are of a type changes with each event.
    """
    rights = await standing_rights(tx, name)
    return (
        rights if rights is not None and {Scope.READ, Scope.HOOKS} <= set(rights.scopes) and not rights.types else None
    )
