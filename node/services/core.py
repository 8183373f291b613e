"""What every service of a node works with."""

from dataclasses import dataclass

from node.config import Settings
from node.folder import NodeFolder
from node.keystore import Keystore
from node.ports import Clock, Random
from node.services.bus import EventBus
from node.store.database import Database


@dataclass(frozen=True, slots=True)
class Core:
    """One node's settings, files, keys, time, randomness, store and bus."""

    settings: Settings
    folder: NodeFolder
    clock: Clock
    random: Random
    keystore: Keystore
    database: Database
    bus: EventBus

    @property
    def org(self) -> bytes:
        """The organisation that this node speaks for."""
        return self.keystore.org

    @property
    def node(self) -> bytes:
        """This node's id."""
        return self.keystore.node
