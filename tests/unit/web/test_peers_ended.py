"""The peers page tells of nodes that were ended, and of those whose log was proven to be forked."""

import re
from pathlib import Path

from federation.cut import Cut
from federation.peer import PeerAddress
from tests.builders import found, id16, log_statement, signing_key
from tests.unit.web.running import running_web

STATED = found("peer-0", "peer-1").node("peer")


async def test_ended_node_stands_apart_with_the_reason(tmp_path: Path) -> None:
    """In API and console: ended, nothing is exchanged with it, and nobody can take it up again."""
    async with running_web(tmp_path) as web:
        await web.ingest.take_chain(STATED.statements)
        await web.ingest.take_log(log_statement("peer", STATED.org))
        peer = PeerAddress("https://127.0.0.1:1", id16("peer"), signing_key("peer").public, bytes(32))
        await web.context.peering.meet(peer, STATED.org, active=True, how="card")

        await web.ingest.take_chain(STATED.end("peer", Cut()).statements)

        browser = await web.claim()
        async with browser.get("/api/v1/peers") as response:
            (item,) = (await response.json())["items"]
        async with browser.get("/peers") as response:
            page = await response.text()
        async with browser.post(f"/api/v1/peers/{id16('peer').hex()}", json={"state": "active"}) as response:
            assert (response.status, (await response.json())["code"]) == (409, "peer_ended")
        assert item["state"] == "ended"
        ended = re.search(r'<section class="card" id="ended">.*?</section>', page, re.DOTALL)
        assert ended
        assert "отключён своей организацией" in ended[0]
        assert id16("peer").hex()[:8] in ended[0]
