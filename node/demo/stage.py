"""The stage that the scenario is played on: four nodes, the relay between them, and questions to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from node.api_client import ApiClient, ApiError
from node.demo.alteration import Altered
from node.demo.commissioning import OnAir
from node.demo.files import MAKER, DemoFiles, make_files
from node.demo.processes import HOST, NodeProcess, RelayProcess, free_ports, stop_all
from node.demo.repair import Mended
from node.demo.sheet import Sheets, StepError

Json = Any  # Any: what the API answers
WAIT_S = 60.0
ASK_EVERY_S = 0.1
NO_STORES: Mapping[str, str] = MappingProxyType({})

NODES = {
    "maker": {"name": MAKER, "kind": "maker", "inn": "0000000018", "place": "works"},
    "lab": {"name": "ФБУ «Демо-ЦСМ»", "kind": "lab", "inn": "0000000025", "place": "lab"},
    "utility": {
        "name": "МУП «Водоканал-Демо»",
        "kind": "utility",
        "inn": "0000000040",
        "place": "depot",
        "radio_port": "0",
    },
    "service": {"name": "ООО «Сервис-Демо»", "kind": "service", "inn": "0000000064", "place": "workshop"},
}


@dataclass(slots=True)
class Stage:
    """The four nodes, the relay between them, the maker's files and the sheets.

    `told` is the port at which others are told that a node is: the relay's, never the node's own. `unseen` are shipped
    devices by designation at which nobody looked on the buyer's node, `plates_apart` how many plates of step 6's meter
    each node showed during the cut.
    """

    folder: Path
    files: DemoFiles
    sheets: Sheets
    nodes: dict[str, NodeProcess]
    relay: RelayProcess
    told: dict[str, int]
    orgs: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=dict)
    plates_apart: dict[str, int] = field(default_factory=dict)
    on_air: OnAir | None = None
    mended: Mended | None = None
    altered: Altered | None = None

    def api(self, name: str) -> ApiClient:
        """The way to a node."""
        return ApiClient(self.nodes[name].folder)

    async def get(self, name: str, path: str, **query: str) -> Json:
        """One question to a node."""
        async with self.api(name) as api:
            return await api.get(path, **query)

    async def post(self, name: str, path: str, body: dict[str, Any] | None = None) -> Json:
        """One act on a node."""
        async with self.api(name) as api:
            return await api.post(path, body)

    async def put(self, name: str, path: str, body: dict[str, Any]) -> Json:
        """Put something in its place on a node."""
        async with self.api(name) as api:
            return await api.put(path, body)

    async def type(self, name: str, *arguments: str) -> str:
        """One command about a node, in a process of its own; what it prints."""
        return await asyncio.to_thread(self.nodes[name].type, *arguments)

    async def passport(self, name: str, device: str) -> Json:
        """A passport as a node shows it, None where it has none."""
        try:
            return await self.get(name, f"/passports/{device}")
        except ApiError as error:
            if error.code == "passport_unknown":
                return None
            raise

    async def until(self, what: str, ask: Callable[[], Awaitable[Json]]) -> Json:
        """Ask until the answer is true; raise StepError after a while."""
        if answer := await self.wait(ask, WAIT_S):
            return answer
        raise StepError(f"not within {WAIT_S:.0f} s: {what}")

    async def wait(self, ask: Callable[[], Awaitable[Json]], within_s: float) -> Json:
        """Ask until the answer is true or the time is over; the last answer."""
        deadline = time.monotonic() + within_s
        while True:
            answer = await ask()
            if answer or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(ASK_EVERY_S)

    def close(self) -> None:
        """End every process by its own pid, all at once."""
        stop_all([*self.nodes.values(), self.relay])


def set_stage(folder: Path, seed: int, sheets: Sheets, stores: Mapping[str, str] = NO_STORES) -> Stage:
    """Four nodes in an empty folder that were not made yet; others are told to reach each through the relay.

    `stores` are the databases of those whose store is no file in their folder, by name.
    """
    ports = free_ports(2 * len(NODES))
    told = dict(zip(NODES, ports, strict=False))
    own = dict(zip(NODES, ports[len(NODES) :], strict=True))
    nodes = {
        name: NodeProcess(
            name,
            folder / name,
            own[name],
            {"PASSPORT_FEDERATION__URL": f"https://{HOST}:{told[name]}"},
            stores.get(name, ""),
        )
        for name in NODES
    }
    relay = RelayProcess(folder, {told[name]: own[name] for name in NODES})
    return Stage(folder, make_files(seed), sheets, nodes, relay, told)
