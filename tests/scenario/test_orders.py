"""The same fragments delivered in several orders to real processes: equal bytes over HTTP from each of them.

Five organisations know one meter. The owner speaks while the processes on the maker's side stand still, the maker while
those on the owner's side do, in contradiction to each other. One member is there with the owner, one with the maker,
and the last one joins when all is said.
"""

import asyncio
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.clock import SystemClock, SystemRandom
from node.config import template_config
from node.demo.files import MAKER, MARK, PRODUCTS, make_line
from node.demo.processes import NodeProcess, free_ports
from node.folder import NodeFolder
from node.passport.view import digest
from node.services.found import found_node
from tests.nodes import act, ask, command, rows, until
from tests.scenario.views import answers, held_fragments, order_of_arrival

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
INNS = ("0000000018", "0000000025", "0000000032", "0000000040", "0000000057")
KINDS = {"maker": "maker", "owner": "utility", "with_owner": "service", "with_maker": "service", "late": "lab"}
PARTIES, MEMBERS = ("maker", "owner"), ("with_owner", "with_maker", "late")
OWNERS_SIDE, MAKERS_SIDE = ("owner", "with_owner"), ("maker", "with_maker")
WATER = PRODUCTS[0]
DAY = "2026-05-01"
Place = tuple[bytes, int]


@dataclass(frozen=True)
class Five:
    """The nodes, and their organisations in hex."""

    nodes: dict[str, NodeProcess]
    orgs: dict[str, str]

    def places(self, name: str, device: str) -> set[Place]:
        """The log and seq of what a node holds of a device."""
        return {(log, seq) for log, seq, _ in held_fragments(self.nodes[name].folder, device)}

    def log(self, name: str) -> bytes:
        """A node's own log."""
        log: bytes = rows(self.nodes[name].folder, "select log from logs where own = 1")[0][0]
        return log

    def send(self, number: signal.Signals, names: Sequence[str]) -> None:
        """A signal to the processes of nodes: SIGSTOP lets them stand still, SIGCONT go on."""
        for name in names:
            os.kill(self.nodes[name].pid, number)

    def join(self, name: str) -> None:
        """Take an invitation of the maker."""
        invitation = act(self.nodes["maker"], "/invitations")["text"]
        act(self.nodes[name], "/federation/join", {"invitation": invitation})

    def all_hold(self, wanted: set[Place], device: str, names: Sequence[str]) -> bool:
        """Whether these nodes hold all of that."""
        return all(wanted <= self.places(name, device) for name in names)


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Five]:
    """Five organisations; the nodes of all but the last one run."""
    ports = dict(zip(KINDS, free_ports(len(KINDS)), strict=True))
    nodes = {name: NodeProcess(name, tmp_path / name) for name in KINDS}
    orgs = {name: found(tmp_path / name, KINDS[name], port) for name, port in ports.items()}
    started = [name for name in KINDS if name != "late"]
    with ThreadPoolExecutor(len(started)) as pool:
        list(pool.map(lambda name: nodes[name].start(), started))
    yield Five(nodes, orgs)
    for node in nodes.values():
        node.kill()


def found(folder: Path, kind: str, port: int) -> str:
    """Make a node's folder and answer its organisation."""
    name = MAKER if kind == "maker" else folder.name
    config = template_config({"name": name, "kind": kind}, 0, port, None)
    return asyncio.run(found_node(NodeFolder(folder), config, SystemClock(), SystemRandom())).org.hex()


def soon(what: str, condition: Callable[[], bool]) -> None:
    """Wait for what several nodes must come to, without taking from them the time to come to it."""

    def looked() -> bool:
        time.sleep(0.05)
        return condition()

    until(what, looked, within_s=60)


def test_equal_fragments_are_equal_bytes_in_whatever_order_they_came(five: Five) -> None:
    """Two members who heard two sides in opposite orders, and one who heard all at the end, answer equal bytes.

    What is disputed and what is claimed is part of them; so it is for the maker and the owner, who hold the papers too.
    """
    device = found_and_ship(five)
    base = five.places("maker", device)
    early = speak_apart(five, device)
    five.nodes["late"].start()
    everything = set().union(*(five.places(name, device) for name in KINDS))
    soon("all hold all that was said", lambda: five.all_hold(everything, device, list(KINDS)))

    orders = {name: order_of_arrival(five.nodes[name].folder, device) for name in KINDS}
    assert early["with_owner"] > base < early["with_maker"]
    assert early["with_owner"] & early["with_maker"] == base
    assert sides(five, orders["with_owner"], base) == ["owner", "maker"]
    assert sides(five, orders["with_maker"], base) == ["maker", "owner"]
    assert len({tuple(orders[name]) for name in MEMBERS}) == len(MEMBERS)

    found = answers(five.nodes, {name: [device] for name in KINDS})
    for group in (MEMBERS, PARTIES):
        assert len({held_fragments(five.nodes[name].folder, device) for name in group}) == 1
        assert len({found[name][device] for name in group}) == 1
        answer = json.loads(found[group[0]][device])
        view = answer["view"]
        assert digest(view).hex() == answer["digest"]
        assert {item["what"] for item in view["conflicts"]} == {f"parameters.firmware_version@{DAY}"}
        assert f"parameters.dn@{DAY}" in {item["what"] for item in view["claims"]}
        assert view["state"]["need"]["code"] == "repaired"
        assert {edge["serial"] for edge in view["composition"]["children"]} == {"1", "2"}
    told = command("lookup", device, "--verbose", "--folder", str(five.nodes["late"].folder)).stdout
    assert f"digest {json.loads(found['late'][device])['digest']} over the whole view" in told
    assert [word for word in ("conflict:", "claim:") if word not in told] == []


def found_and_ship(five: Five) -> str:
    """A federation in which the maker sold a meter to the owner and opened it to the three members."""
    maker, owner = five.nodes["maker"], five.nodes["owner"]
    running = [name for name in KINDS if name != "late"]
    act(maker, "/federation", {"name": "Демо"})
    five.nodes["late"].start()
    for name in KINDS:
        if name != "maker":
            five.join(name)
    five.nodes["late"].stop()
    for name, number in zip(running[1:], INNS, strict=False):
        act(maker, "/attestations", {"org": five.orgs[name], "what": "number", "rows": [f"inn:{number}"]})
    act(maker, "/attestations", {"org": five.orgs["maker"], "what": "maker"})
    line = make_line(WATER, "00" * 16, five.orgs["maker"]).model_dump(mode="json", exclude_none=True)
    act(maker, "/lines", {"record": {key: value for key, value in line.items() if key != "line"}})
    plate = {"mark": MARK, "designation": WATER.designation, "serial": "00012345", "year": "2026"}
    device = str(act(maker, "/plates", plate)["id"])
    for name in MEMBERS:
        act(maker, "/shares", {"org": five.orgs[name], "ids": [device]})
    shipment = act(maker, "/shipments", {"buyer": five.orgs["owner"], "number": "1", "devices": [device]})["id"]
    soon("the offer arrives", lambda: bool(ask(owner, "/shipments")["items"]))
    act(owner, f"/shipments/{shipment}/acceptance")
    everything = five.places("owner", device) | five.places("maker", device)
    soon("all hold the meter", lambda: five.all_hold(everything, device, running))
    soon("all know each other", lambda: all(active_peers(five.nodes[name]) >= len(running) - 1 for name in running))
    return device


def speak_apart(five: Five, device: str) -> dict[str, set[Place]]:
    """Each side speaks while the other one stands still; answer what its member held by then."""
    five.send(signal.SIGSTOP, MAKERS_SIDE)
    owner_speaks(five.nodes["owner"], device)
    told = five.places("owner", device)
    soon("the member with the owner hears him", lambda: five.all_hold(told, device, ["with_owner"]))
    five.send(signal.SIGSTOP, OWNERS_SIDE)
    five.send(signal.SIGCONT, MAKERS_SIDE)
    maker_speaks(five.nodes["maker"], device)
    told = five.places("maker", device)
    soon("the member with the maker hears him", lambda: five.all_hold(told, device, ["with_maker"]))
    early = {name: five.places(name, device) for name in ("with_owner", "with_maker")}
    five.send(signal.SIGCONT, OWNERS_SIDE)
    return early


def sides(five: Five, order: Sequence[Place], base: set[Place]) -> list[str]:
    """Whose entries came one after another, beside those that were there before."""
    logs = {five.log(name): name for name in PARTIES}
    came = [logs[log] for log, seq in order if (log, seq) not in base]
    return [name for name, _ in itertools.groupby(came)]


def owner_speaks(node: NodeProcess, device: str) -> None:
    """What contradicts the maker as an equal, what contradicts him without a right to, and a repair."""
    record(node, device, firmware_version="1.4", dn="20")
    part = {"position": "плата", "designation": "П", "serial": "2", "removed_serial": "1"}
    act(node, f"/passports/{device}/repairs", {"where": "depot", "when": "2026-05-02", "parts": [part]})


def maker_speaks(node: NodeProcess, device: str) -> None:
    """The maker's own word on the same day."""
    record(node, device, firmware_version="1.5", dn="15")
    act(node, f"/passports/{device}/events", {"what": "calibrated", "where": "works", "when": DAY})


def record(node: NodeProcess, device: str, **values: str) -> None:
    said = [{"code": {"central": code}, "value": value, "since": DAY} for code, value in values.items()]
    act(node, f"/passports/{device}/parameters", {"rows": said})


def active_peers(node: NodeProcess) -> int:
    return [peer["state"] for peer in ask(node, "/peers")["items"]].count("active")
