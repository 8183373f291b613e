"""The federation of this node, as its settings keep it."""

from typing import Final

from federation.genesis import Genesis
from node.store.database import ReadTx
from node.store.settings import find_setting

FEDERATION: Final = "federation"


async def find_genesis(tx: ReadTx) -> Genesis | None:
    """The genesis of the federation that was founded or joined, None before."""
    raw = await find_setting(tx, FEDERATION)
    return Genesis.from_bytes(raw) if raw else None
