"""What every service of a node works with."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.config import Settings
from node.folder import NodeFolder
from node.keystore import Keystore
from node.ports import Clock, Random
from node.services.bus import EventBus
from node.services.outgoing import Outgoing
from node.store.database import Database, WriteTx
from node.store.journal import write_each, write_journal


@dataclass(frozen=True, slots=True)
class Core:
    """One node's settings, files, keys, time, randomness, store and bus; `outgoing` is what peers are told.

    `erased` is set where bytes of statements went: who asked for it is to be told.
    """

    settings: Settings
    folder: NodeFolder
    clock: Clock
    random: Random
    keystore: Keystore
    database: Database
    bus: EventBus
    outgoing: Outgoing = field(default_factory=Outgoing)
    erased: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def org(self) -> bytes:
        """The organisation that this node speaks for."""
        return self.keystore.org

    @property
    def node(self) -> bytes:
        """This node's id."""
        return self.keystore.node

    async def announce(
        self,
        tx: WriteTx,
        actor: str,
        what: str,
        subject: bytes | None = None,
        *,
        org: bytes | None = None,
        **detail: object,
    ) -> None:
        """Journal a change in its own transaction and tell the listeners once it stands. No secrets in `detail`."""
        row = await write_journal(tx, org or self.org, actor, what, subject, **detail)
        tx.on_commit(lambda: self.bus.publish(row))

    async def announce_each(
        self, tx: WriteTx, actor: str, what: str, details: Sequence[tuple[bytes, Mapping[str, object]]]
    ) -> None:
        """The same change of many subjects, each with its detail. Listeners are told once: they read the journal."""
        if details:
            row = await write_each(tx, self.org, actor, what, details)
            tx.on_commit(lambda: self.bus.publish(row))
