"""A script with a limited token and a webhook of its own, while the node is killed: no event of its devices is lost."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from node.demo.processes import NodeProcess, free_ports
from node.passport.ids import parse_device_id
from tests.nodes import ALONE, Json, act, ask, rows, until
from tests.receivers import DEADLINE_S, receiving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("api document")]
SEED = 20_975
EVENTS = 30
KILLED_AFTER = (11,)
SETTINGS = {"PASSPORT_WEBHOOKS__ALLOW": '["127.0.0.1/32"]', "PASSPORT_WEBHOOKS__RETRY_S": "0.02"}
OURS = "select id from journal where what = 'event_recorded' and subject in (?, ?) order by id"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[NodeProcess]:
    """A node at one address over its restarts, which may send to this machine."""
    made = NodeProcess("utility", tmp_path / "utility", 0, {**ALONE, **SETTINGS})
    await asyncio.to_thread(made.init, name="Водоканал-Демо", kind="utility", web_port=str(free_ports(1)[0]))
    await asyncio.to_thread(made.start)
    yield made
    await asyncio.to_thread(made.stop)


class Script:
    """Follows the feed from where it stopped, whatever happens to the node."""

    def __init__(self, url: str, token: str) -> None:
        self.events: list[int] = []
        self._last = 0
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def subscribe(self, receiver: str) -> None:
        """Add a webhook with the script's own token."""
        async with aiohttp.ClientSession(self._url, headers=self._headers) as session:
            body = {"url": receiver, "what": ["event_recorded"]}
            async with session.post("/api/v1/webhooks", json=body) as response:
                assert response.status == 201, await response.text()

    async def follow(self, count: int) -> None:
        """Ask and ask again until so many events came."""
        async with aiohttp.ClientSession(self._url, headers=self._headers) as session:
            while len(self.events) < count:
                try:
                    await self._ask(session)
                except (aiohttp.ClientError, ConnectionError):
                    await asyncio.sleep(0.05)  # the node is away

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        query = {"after": str(self._last), "limit": "3", "wait": "5", "what": "event_recorded"}
        async with session.get("/api/v1/events", params=query) as response:
            assert response.status == 200, await response.text()
            answer: Json = await response.json()
        self.events += [event["id"] for event in answer["events"]]
        self._last = answer["last"]


@pytest.mark.req("A32")
async def test_events_of_chosen_devices_outlive_the_node_being_killed(node: NodeProcess) -> None:
    """By the feed and by its webhook a limited script has every event of its devices in order, none of others."""
    plates = [{"designation": "ВС-15", "serial": f"{n}234567"} for n in range(3)]
    devices = [(await asyncio.to_thread(act, node, "/plates", plate))["id"] for plate in plates]
    asked = {"name": "erp", "scopes": ["read", "hooks"], "devices": devices[:2]}
    token = (await asyncio.to_thread(act, node, "/tokens", asked))["secret"]
    script, chance = Script(str(node.addresses["console"]), token), random.Random(SEED)
    ours = EVENTS // 3 * 2

    async with receiving(lambda _: 500 if chance.random() < 0.5 else 204) as receiver, asyncio.timeout(DEADLINE_S):
        await script.subscribe(receiver.url)
        following = asyncio.create_task(script.follow(ours))
        for n in range(EVENTS):
            event = {"what": "installed", "where": "подвал", "when": f"2026-08-01T10:{n:02}:00Z"}
            await asyncio.to_thread(act, node, f"/passports/{devices[n % 3]}/events", event)
            if n in KILLED_AFTER:
                await asyncio.to_thread(node.kill)
                await asyncio.to_thread(node.start)
        await following
        await receiver.until(lambda: len(set(receiver.events)) >= ours)

    subjects = [parse_device_id(device).raw for device in devices[:2]]
    happened = [row_id for (row_id,) in rows(node.folder, OURS, *subjects)]
    assert len(happened) == ours
    assert script.events == happened
    # What was on the way when the node was killed may come twice, under one id.
    assert [*dict.fromkeys(receiver.events)] == happened
    assert len(receiver.events) - len(happened) <= len(KILLED_AFTER)
    await asyncio.to_thread(until, "the last one is noted", lambda: noted(node) == (happened[-1], ours, "good"))


def noted(node: NodeProcess) -> tuple[int, int, str]:
    """Up to where the hook has come, how many events were taken, and how it is."""
    (hook,) = ask(node, "/webhooks")["items"]
    return hook["last"], hook["taken"], hook["health"]
