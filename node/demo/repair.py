"""Step 7: the service firm mends a meter while it is cut off; back online, every entitled node shows it.

The relay carries all that goes between the nodes, so with its process ended each of them is alone. The meter is one of
which nobody holds a personal part: what is withheld from the maker is withheld from the utility and what is withheld
from the lab from the service firm, so that each two of them hold equal fragments.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from node.api_client import ApiError
from node.demo.files import PRODUCTS
from node.demo.sheet import StepError, require

if TYPE_CHECKING:
    from node.demo.stage import Stage

Json = Any  # Any: what the API answers
MODEL = PRODUCTS[1].designation
POSITION, PART = "плата", "СЭ-2726Д.02.100"
REMOVED, FITTED = "22-00417", "26-01093"
NOT_ADMITTED = "not-admitted-until-verified"
EQUAL = (("maker", "utility"), ("lab", "service"))
ENTITLED = tuple(name for pair in EQUAL for name in pair)


@dataclass(frozen=True, slots=True)
class Mended:
    """What the step leaves for whoever asserts it: `apart` are the states that the nodes showed during the cut."""

    device: str
    apart: dict[str, str]
    digests: dict[str, str]


async def mend_while_cut(stage: "Stage") -> Mended:
    """Play the step; raise StepError where it does not come out as it must."""
    device = await _entitle(stage)
    await _cut(stage, device)
    apart = await _speak_apart(stage, device)
    with stage.sheets.act("IT", "start the relay again") as line:
        await asyncio.to_thread(stage.relay.start)
        await stage.until("every entitled node shows the repair", lambda: _all_show(stage, device))
        digests = await stage.until("equal fragments are equal bytes", lambda: _digests(stage, device))
        state = (await stage.passport("utility", device))["view"]["state"]
        line.shown = f"{state['code']}, {state['note']}: on {len(digests)} nodes"
    for name, digest in digests.items():
        stage.sheets.tell(f"{name:8} {digest}")
    return Mended(device, apart, digests)


async def _entitle(stage: "Stage") -> str:
    """The owner lets the service firm mend a meter and the lab verify it afterwards."""
    on_air = {meter.id for meter in (stage.on_air.energy, stage.on_air.copied)} if stage.on_air else set()
    held = (await stage.get("utility", "/passports", limit="200"))["items"]
    device = [row for row in held if row["title"].startswith(MODEL) and row["id"] not in on_air][-1]
    with stage.sheets.act("utility", "by the API: share a meter with the service firm and the lab") as line:
        for name in ("service", "lab"):
            await stage.post("utility", "/shares", {"org": stage.orgs[name], "ids": [device["id"]], "write": True})
        await stage.until("both hold it and know that they may speak of it", lambda: _both_named(stage, device["id"]))
        line.shown = f"{device['title']} is open to both"
    return str(device["id"])


async def _both_named(stage: "Stage", device: str) -> bool:
    """Whether both hold the passport, and the owner's word with it: that comes in his log, the entries beside it."""
    both = {stage.orgs[name] for name in ("service", "lab")}
    shown = [await stage.passport(name, device) for name in ("service", "lab")]
    known = all(passport and both <= set(passport["view"]["parties"]["named"]) for passport in shown)
    return known and bool(await _digests(stage, device))


async def _cut(stage: "Stage", device: str) -> None:
    """End the relay, and the service firm's node with it as a power cut would; it starts again and finds nobody."""
    with stage.sheets.act("IT", "end the relay, kill and start the service firm's node") as line:
        await asyncio.to_thread(stage.relay.stop)
        await asyncio.to_thread(stage.nodes["service"].kill)
        await asyncio.to_thread(stage.nodes["service"].start)
        open_ports = [name for name, port in stage.told.items() if stage.relay.is_open(port)]
        require(not open_ports, f"nobody answers at the addresses that were told, got {open_ports}")
        await stage.until("the service firm sees that all are away", partial(_is_alone, stage, "service"))
        await _reaches_nobody(stage, device)
        line.shown = "the service firm's node runs and reaches nobody"


async def _speak_apart(stage: "Stage", device: str) -> dict[str, str]:
    """The owner and the service firm both speak of the meter, and neither hears the other."""
    with stage.sheets.act("utility", "by the API: removed, depot") as line:
        body = {"what": "removed", "where": "depot", "when": _now()}
        await stage.post("utility", f"/passports/{device}/events", body)
        line.shown = (await stage.passport("utility", device))["view"]["state"]["code"]
    with stage.sheets.act(
        "fitter", f"by the API: repair, workshop: {POSITION} {PART} № {REMOVED} out, № {FITTED} in"
    ) as line:
        part = {"position": POSITION, "designation": PART, "serial": FITTED, "removed_serial": REMOVED}
        repair = {"where": "workshop", "when": _now(), "parts": [part]}
        await stage.post("service", f"/passports/{device}/repairs", repair)
        require(await _shows(stage, "service", device), "the service firm's own node shows the repair")
        state = (await stage.passport("service", device))["view"]["state"]
        line.shown = f"{state['code']}, {state['note']}"
    views = {name: (await stage.passport(name, device))["view"] for name in ENTITLED}
    apart = {name: str(view["state"]["code"]) for name, view in views.items()}
    require([n for n in ENTITLED if apart[n] == "repaired"] == ["service"], f"nobody else knows of it: {apart}")
    require([n for n in ENTITLED if apart[n] == "removed"] == ["utility"], f"the removal went nowhere: {apart}")
    require(await _is_alone(stage, "service"), "the service firm still reaches nobody")
    return apart


async def _is_alone(stage: "Stage", name: str) -> bool:
    peers = [peer for peer in (await stage.get(name, "/peers"))["items"] if peer["state"] == "active"]
    return len(peers) == len(ENTITLED) - 1 and all((peer["trouble"] or "").startswith("away") for peer in peers)


async def _reaches_nobody(stage: "Stage", device: str) -> None:
    """A question of the service firm to the owner and of the owner to the service firm comes to nothing."""
    for name, other in (("service", "utility"), ("utility", "service")):
        try:
            await stage.post(name, f"/passports/{device}/key-requests", {"org": stage.orgs[other]})
        except ApiError as error:
            require(error.code == "peer", f"the {other} is away for the {name}, got {error.code}")
        else:
            raise StepError(f"the {other} answered the {name}")


async def _shows(stage: "Stage", name: str, device: str) -> bool:
    """Whether a node shows the repair, what follows from it, and both parts."""
    view = (await stage.passport(name, device))["view"]
    state, parts = view["state"], {edge["serial"]: edge for edge in view["composition"]["children"]}
    if (state["code"], state["note"]) != ("repaired", NOT_ADMITTED) or not {REMOVED, FITTED} <= parts.keys():
        return False
    out, fitted = parts[REMOVED], parts[FITTED]
    return bool(out["until"] == fitted["since"] and fitted["until"] is None and out["used"] and fitted["used"])


async def _all_show(stage: "Stage", device: str) -> bool:
    """Whether every entitled node shows the repair, and the removal that the owner stated meanwhile."""
    views = [(await stage.passport(name, device))["view"] for name in ENTITLED]
    removed = all("removed" in {event["what"]["central"] for event in view["events"]} for view in views)
    return removed and all([await _shows(stage, name, device) for name in ENTITLED])


async def _digests(stage: "Stage", device: str) -> dict[str, str]:
    """The digest of each node, nothing while those that hold equal fragments differ."""
    shown = {name: await stage.passport(name, device) for name in ENTITLED}
    if None in shown.values():
        return {}
    digests = {name: str(passport["digest"]) for name, passport in shown.items()}
    return digests if all(digests[one] == digests[other] for one, other in EQUAL) else {}


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
