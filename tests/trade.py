"""Organisations that trade meters: a maker, a utility and a lab in one federation, each a process of its own."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.api_client import ApiClient
from node.demo.documents import verification_document, verification_template
from node.demo.files import HEADER, MARK, PRODUCTS, SERIAL_AT, make_line
from node.demo.processes import NodeProcess

DEADLINE_S = 30.0
WATER = PRODUCTS[0]
Json = Any  # Any: what the API answers
WHO: dict[str, dict[str, str]] = {
    "maker": {"name": "ООО «Завод Приборучёт-Демо»", "kind": "maker", "inn": "0000000018", "place": "works"},
    "utility": {"name": "МУП «Водоканал-Демо»", "kind": "utility", "inn": "0000000040", "place": "depot"},
    "lab": {"name": "ФБУ «Демо-ЦСМ»", "kind": "lab", "inn": "0000000025", "place": "lab"},
    "service": {"name": "ООО «Сервис-Демо»", "kind": "service", "inn": "0000000064", "place": "workshop"},
}

ATTESTED: dict[str, list[tuple[str, list[str]]]] = {
    "maker": [("maker", [])],
    "lab": [("accreditation", ["RA.RU.000000", "verification"])],
    "service": [("accreditation", ["RA.RU.000001", "verification"])],
}

HIDDEN = {"PASSPORT_FEDERATION__DIAL_OUT_ONLY": "true"}


@dataclass
class Trade:
    """The nodes by name, questions to them, and the ids of what the maker made, by title.

    `stores` are the databases of those whose store is no file.
    """

    folder: Path
    nodes: dict[str, NodeProcess] = field(default_factory=dict)
    orgs: dict[str, str] = field(default_factory=dict)
    devices: list[str] = field(default_factory=list)
    stores: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, **settings: str) -> NodeProcess:
        """Make a node and start it."""
        node = NodeProcess(name, self.folder / name, environment=settings, store_url=self.stores.get(name, ""))
        node.init(**WHO.get(name, {"name": name}))
        node.start()
        self.nodes[name] = node
        self.orgs[name] = self.call(name, "get", "/node")["org"]
        return node

    def call(self, name: str, method: str, path: str, /, *arguments: Any, **query: str) -> Json:
        """One request over a node's own socket."""

        async def run() -> Json:
            async with ApiClient(self.nodes[name].folder) as api:
                return await getattr(api, method)(path, *arguments, **query)

        return asyncio.run(run())

    def until(self, what: str, ask: Callable[[], Json]) -> Json:
        """Ask until the answer is true; fail at the deadline."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(0.05)
        raise AssertionError(f"not within {DEADLINE_S:.0f} s: {what}")

    def address(self, name: str) -> str:
        """Where a node's console is."""
        return str(self.nodes[name].addresses["console"])

    def produce(self, rows: list[list[str]]) -> list[Json]:
        """Let the maker import rows, and answer its passports."""
        from node.exchange.tables import write_csv

        job = self.call("maker", "upload", "/imports", write_csv(HEADER, rows), name="production.csv")["job"]
        self.until("the import", lambda: self.call("maker", "get", f"/jobs/{job}")["state"] == "done")
        items: list[Json] = self.call("maker", "get", "/passports", limit="200")["items"]
        self.devices = [row["id"] for row in items]
        return items

    def protocols(self, name: str, device: str) -> list[Json]:
        """The protocols of a passport as a node has them."""
        items: list[Json] = self.call(name, "get", f"/passports/{device}/protocols")["items"]
        return items

    def verify(self, devices: list[Json]) -> None:
        """Let the lab see devices of the maker, and sign a verification of each."""
        self.call("maker", "post", "/shares", {"org": self.orgs["lab"], "ids": [row["id"] for row in devices]})
        known = {row["id"] for row in devices}
        self.until(
            "passports at the lab",
            lambda: known <= {row["id"] for row in self.call("lab", "get", "/passports", limit="200")["items"]},
        )
        template = self.call("lab", "upload", "/templates", verification_template())["reference"]
        for number, row in enumerate(devices, 1):
            document = verification_document(row["id"], row["title"], number)
            self.call("lab", "upload", "/protocols", document, template=template)


def meters(count: int, seed: int = 1) -> list[list[str]]:
    """Rows of a production file of water meters, as `node/demo/files.py` writes them."""
    source = random.Random(seed)
    serials = source.sample(range(10**6, 10**7), count)
    return [
        [
            WATER.local, MARK, WATER.designation, WATER.execution, f"{serial:08d}", "2026",
            f"02C0DE00{source.getrandbits(32):08X}", "02C0DE0000000001", source.randbytes(16).hex().upper(),
            WATER.firmware, "C", f"П-2026-04-{seed:02d}", "16.04.2026", f"{source.getrandbits(40):010X}",
        ]
        for serial in serials
    ]  # fmt: skip


def with_serial(row: list[str], serial: str) -> list[str]:
    """The row with another serial."""
    return [serial if at == SERIAL_AT else text for at, text in enumerate(row)]


def trading(folder: Path, *names: str, hidden: Sequence[str] = (), **settings: str) -> AbstractContextManager[Trade]:
    """A maker that is attested and has its line, with others in its federation; the maker is the anchor.

    Those that are hidden only dial out.
    """
    return trading_over({}, folder, *names, hidden=hidden, **settings)


@contextmanager
def trading_over(
    stores: dict[str, str], folder: Path, *names: str, hidden: Sequence[str] = (), **settings: str
) -> Iterator[Trade]:
    """The same with databases, by the names of their organisations."""
    trade = Trade(folder, stores=stores)
    try:
        for name in ("maker", *names):
            trade.start(name, **(settings | HIDDEN if name in hidden else settings))
        trade.call("maker", "post", "/federation", {"name": "Демо-федерация"})
        for name in names:
            text = trade.call("maker", "post", "/invitations")["text"]
            trade.call(name, "post", "/federation/join", {"invitation": text})
        for name in ("maker", *names):
            _attest(trade, name)
        record = make_line(WATER, "00" * 16, trade.orgs["maker"]).model_dump(mode="json", exclude_none=True)
        del record["line"]
        trade.call("maker", "post", "/lines", {"record": record})
        trade.call("maker", "post", "/references", {"catalog": "types", "local": WATER.local, "central": WATER.central})
        yield trade
    finally:
        for node in trade.nodes.values():
            node.stop()


def _attest(trade: Trade, name: str) -> None:
    org = trade.orgs[name]
    for what, rows in [("number", [f"inn:{WHO[name]['inn']}"]), *ATTESTED.get(name, [])]:
        trade.until(
            f"{name} is known",
            lambda: any(i["org"] == org for i in trade.call("maker", "get", "/organisations")["items"]),
        )
        trade.call("maker", "post", "/attestations", {"org": org, "what": what, "rows": rows})
