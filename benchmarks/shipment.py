"""A shipment of 10,000 meters with their root keys between two nodes that run: offer, acceptance, passports and keys.

Each phase is timed at whoever waits for it, and so is the work of both processes. In two further runs the buyer, and
then the seller, is killed in the middle of the transfer and started again; what the buyer lacks comes, and no key is
lost that was there.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.__main__ import Part
from benchmarks.data import ALONE
from benchmarks.registry_import import worked_s
from node.api_client import ApiClient
from node.demo.files import HEADER, make_line
from node.demo.processes import NodeProcess, stop_all
from node.exchange.tables import write_csv
from tests.trade import ATTESTED, WATER, WHO, meters

COUNT, RUNS, PROMISED_S, WAIT_S = 10_000, 3, 60.0, 900.0
LOOKED_S = 1.0  # how often the shipment is looked at: each look counts all that is here of it
PORTS = {"PASSPORT_FEDERATION__PORT": "0", "PASSPORT_WEB__PORT": "0"}
KILLED = {"utility": "the buyer", "maker": "the seller"}
PHASES = ("offer signed", "offer at the buyer", "acceptance signed", "passports and keys at the buyer")
Json = Any  # Any: what the API answers


def measure(count: int = COUNT, runs: int = RUNS) -> Part:
    """The phases, medians of three runs with other meters, and a run with each of both killed."""
    turns = [asyncio.run(_shipped(count, seed)) for seed in range(1, runs + 1)]
    killed = {name: asyncio.run(_shipped(count, runs + n, killed=name)) for n, name in enumerate(KILLED, start=1)}
    rows: list[tuple[str, ...]] = [
        (phase, f"{statistics.median(turn[phase] for turn in turns):.1f}", "") for phase in PHASES
    ]
    whole = [sum(turn[phase] for phase in PHASES) for turn in turns]
    rows += [
        ("together", f"{statistics.median(whole):.1f}", f"≤ {PROMISED_S:.0f}"),
        ("work of the seller", f"{statistics.median(turn['seller'] for turn in turns):.1f}", ""),
        ("work of the buyer", f"{statistics.median(turn['buyer'] for turn in turns):.1f}", ""),
    ]
    for name, who in KILLED.items():
        taken = sum(killed[name][phase] for phase in PHASES)
        rows.append((f"together, {who} killed in the middle", f"{taken:.1f}", ""))
        rows.append((f"keys here before {who} was killed, and after its start", _kept(killed[name]), ""))
    return Part(f"a shipment of {count:,} meters with keys", ("what, s", "value", "promised"), rows,
                {"turns": turns, "killed": killed})  # fmt: skip


def _kept(figures: dict[str, float]) -> str:
    return f"{figures['keys before']:.0f}, {figures['keys after']:.0f}"


async def _shipped(count: int, seed: int, *, killed: str = "") -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="passport-bench-") as folder:
        maker, utility = nodes = [
            NodeProcess(n, Path(folder) / n, environment=ALONE | PORTS) for n in ("maker", "utility")
        ]
        try:
            for node in nodes:
                node.init(**WHO[node.name])
                node.start()
            buyer = await _joined(maker, utility)
            devices = await _made(maker, count, seed)
            return await _phases(maker, utility, buyer, devices, killed)
        finally:
            stop_all(nodes)


async def _phases(
    maker: NodeProcess, utility: NodeProcess, buyer: str, devices: list[str], killed: str
) -> dict[str, float]:
    times = [time.monotonic()]
    before = {node.name: worked_s(node.pid) for node in (maker, utility)}
    made = (await _post(maker, "/shipments", {"buyer": buyer, "number": "ТТН-1", "devices": devices}))["id"]
    times.append(time.monotonic())
    await _until(utility, made, lambda one: one["count"] == len(devices) and one["parts"] == one["announced"])
    times.append(time.monotonic())
    await _post(utility, f"/shipments/{made}/acceptance", {})
    times.append(time.monotonic())
    kept: dict[str, float] = {}
    if killed:
        one = maker if killed == maker.name else utility
        kept["keys before"] = (await _until(utility, made, lambda one: 0 < one["keys"] < len(devices)))["keys"]
        before[killed] -= worked_s(one.pid)  # its next process counts from nothing
        one.kill()
        one.start()
        kept["keys after"] = (await _until(utility, made, lambda _: True))["keys"]
        if kept["keys after"] < kept["keys before"]:
            raise RuntimeError("keys that were at the buyer are gone")
    last = await _until(utility, made, lambda one: one["passports"] == one["keys"] == len(devices))
    times.append(time.monotonic())
    if last["keys_due"] != len(devices):
        raise RuntimeError(f"{last['keys_due']} keys were promised")
    spent = [worked_s(node.pid) - before[node.name] for node in (maker, utility)]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return dict(zip(PHASES, steps, strict=True)) | {"seller": spent[0], "buyer": spent[1]} | kept


async def _joined(maker: NodeProcess, utility: NodeProcess) -> str:
    """A federation of both, with what is attested of them and the maker's line; the buyer's id."""
    await _post(maker, "/federation", {"name": "Замер"})
    invitation = (await _post(maker, "/invitations", {}))["text"]
    await _post(utility, "/federation/join", {"invitation": invitation})
    seller, buyer = [str((await _get(node, "/node"))["org"]) for node in (maker, utility)]
    for name, org in (("maker", seller), ("utility", buyer)):
        for what, rows in [("number", [f"inn:{WHO[name]['inn']}"]), *ATTESTED.get(name, [])]:
            while org not in {  # noqa: ASYNC110 - another process is waited for
                item["org"] for item in (await _get(maker, "/organisations"))["items"]
            }:
                await asyncio.sleep(0.1)
            await _post(maker, "/attestations", {"org": org, "what": what, "rows": rows})
    record = make_line(WATER, "00" * 16, seller).model_dump(mode="json", exclude_none=True)
    del record["line"]
    await _post(maker, "/lines", {"record": record})
    await _post(maker, "/references", {"catalog": "types", "local": WATER.local, "central": WATER.central})
    return buyer


async def _made(maker: NodeProcess, count: int, seed: int) -> list[str]:
    """Meters with root keys, out of a production file."""
    async with ApiClient(maker.folder) as api:
        job = (await api.upload("/imports", write_csv(HEADER, meters(count, seed)), name="production.csv"))["job"]
        while (await api.get(f"/jobs/{job}", wait="30"))["state"] in ("waiting", "running"):
            pass
        ids: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await api.get("/passports", limit="200", **({"cursor": cursor} if cursor else {}))
            ids += [row["id"] for row in page["items"] if row["kind"] == "device"]
            cursor = page["next"]
    if len(ids) != count:
        raise RuntimeError(f"{len(ids)} meters of {count}")
    return ids


async def _until(node: NodeProcess, shipment: str, is_so: Any) -> Json:  # Any: a question about an answer
    """The shipment at a node as its list has it, once it is so."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        for one in (await _get(node, "/shipments"))["items"]:
            if one["id"] == shipment and is_so(one):
                return one
        await asyncio.sleep(LOOKED_S)
    raise RuntimeError("the shipment did not come")


async def _get(node: NodeProcess, path: str) -> Json:
    async with ApiClient(node.folder) as api:
        return await api.get(path)


async def _post(node: NodeProcess, path: str, body: dict[str, object]) -> Json:
    async with ApiClient(node.folder) as api:
        return await api.post(path, body)


PARTS = {"shipment": measure}
