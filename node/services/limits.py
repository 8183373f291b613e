"""What a token is limited to: some subjects, under every id that they have here."""

from collections.abc import Iterable, Sequence
from functools import partial

from node.errors import DeniedError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Actor
from node.services.core import Core
from node.store.database import ReadTx
from node.store.passports import every_id


class Limits:
    """Holds actors to their subjects."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def narrow(self, actor: Actor, subjects: Iterable[bytes] = ()) -> frozenset[bytes] | None:
        """Every id of those of the subjects (none means all) that the actor may read; None where that is all."""
        wanted, allowed = frozenset(subjects), frozenset(actor.subjects)
        if not wanted and not allowed:
            return None
        return await self._core.database.glance(partial(_every_id, [side for side in (wanted, allowed) if side]))

    async def check(self, actor: Actor, subject: bytes) -> None:
        """Raise DeniedError where the actor is limited to other subjects."""
        if not await self.lets_through(actor, subject):
            shown = format_device_id(SubjectId(subject))
            raise DeniedError(f"{actor.label} is limited to other devices than {shown}", "token_device", id=shown)

    async def lets_through(self, actor: Actor, subject: bytes) -> bool:
        """Whether the actor may read of that subject."""
        found = await self.narrow(actor)
        return found is None or subject in found


async def _every_id(sides: Sequence[frozenset[bytes]], tx: ReadTx) -> frozenset[bytes]:
    """Every id of what stands on all sides."""
    return frozenset.intersection(*[frozenset(await every_id(tx, side)) for side in sides])
