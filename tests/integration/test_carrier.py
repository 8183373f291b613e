"""What carries questions over https keeps nothing of a peer, and waits for the names of one beside all other work."""

import asyncio
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation.net.carrier import HttpsCarrier
from federation.peer import PeerAddress
from federation.ports import Question
from tests import hostile
from tests.builders import id16, signing_key

QUESTION = Question("GET", "/fed/1/heads", {})


async def test_what_a_peer_asks_to_keep_is_not_kept(tmp_path: Path) -> None:
    """No cookie comes back to the peer that set it: none fills memory, and none of it reaches others of its domain."""
    shown: list[str | None] = []

    async def script(asked: hostile.Asked) -> None:
        shown.append(asked.headers.get("cookie"))
        await hostile.keep_this(asked)

    carrier = HttpsCarrier()
    async with hostile.hostile(script, tmp_path) as peer:
        address = replace(peer.address, url=f"https://localhost:{peer.port}")
        for _ in range(2):
            assert (await carrier.ask(address, QUESTION, 100)).status == 200
        await carrier.close()

    assert shown == [None, None]


async def test_names_that_nobody_answers_for_hold_up_no_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """More peers than there are threads, with name servers that are silent: what is done in threads goes on."""
    free, really = threading.Event(), socket.getaddrinfo

    def silent(host: str, *rest: Any, **more: Any) -> Any:  # Any: as the system's own
        if not host.endswith(".invalid"):
            return really(host, *rest, **more)
        free.wait(10)
        raise socket.gaierror(host)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    carrier, key = HttpsCarrier(), signing_key("peer").public
    peers = [PeerAddress(f"https://n{n}.invalid", id16(f"n{n}"), key, bytes(32)) for n in range(64)]
    asking = [asyncio.create_task(carrier.ask(peer, QUESTION, 100)) for peer in peers]
    await asyncio.sleep(0.05)
    try:
        async with asyncio.timeout(8):  # before the names are let go
            assert await asyncio.to_thread(int) == 0
    finally:
        free.set()
        await asyncio.gather(*asking, return_exceptions=True)
        await carrier.close()
