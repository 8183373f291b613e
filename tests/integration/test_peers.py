"""Whom a node talks to."""

from pathlib import Path

import aiohttp
import pytest

from federation.keys import SigningKey
from federation.peer import PeerAddress
from node.services.sync import Sync
from node.store.peers import put_peer, set_peer_state
from tests.builders import id16
from tests.unit.node_protocols.builders import new_desk

NOBODY = "https://127.0.0.1:1"  # tcpmux: nothing listens there


async def test_ignored_and_unadded_nodes_are_not_talked_to(tmp_path: Path) -> None:
    """Only an active peer is dialled; one of the inbox, or one that was ignored meanwhile, is left alone."""
    key = SigningKey.from_seed(bytes(32)).public
    peer = PeerAddress(NOBODY, id16("node"), key, bytes(32))
    async with new_desk(tmp_path) as desk:
        sync = Sync(desk.core, desk.ingest)
        try:
            for state in ("inbox", "ignored"):
                async with desk.core.database.write() as tx:
                    await put_peer(tx, peer, id16("org"), "inbox")
                    await set_peer_state(tx, peer.node, state)
                assert not await sync.exchange(peer.node)
            async with desk.core.database.write() as tx:
                await set_peer_state(tx, peer.node, "active")
            with pytest.raises(aiohttp.ClientError):
                await sync.exchange(peer.node)
            assert await sync.level(peer.node) is None
        finally:
            await sync.close()
