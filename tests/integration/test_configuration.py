"""The configuration station: settings prefilled, a root key issued once or brought, sealed to whoever joins the device.

The last test has three nodes and a virtual meter on a real socket; the others ask one node's API.
"""

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector
from sqlalchemy import delete

from federation.authority import Verb
from lora.device import DeviceJoined, VirtualDevice
from lora.gateway.udp import PullResp, decode_datagram
from lora.identifiers import Eui
from lora.keys import Key
from lora.region import RU864
from node.api_client import ApiClient, ApiError
from node.app import Node
from node.errors import DeniedError
from node.passport.ids import SubjectId, format_device_id
from node.services.access import Actor
from node.services.grants import Terms
from node.services.provisioning import counting_key
from node.store import schema
from node.store.fragments import with_secret
from node.store.passports import find_passport
from node.store.radio import FrameState
from node.store.settings import drop_setting
from tests.integration.test_canaries import Tap, carries, made, network, read_here, tap
from tests.integration.test_one_loop import PLATE, alone, passport_at
from tests.integration.test_web_processes import opened
from tests.loops import running, started, until
from tests.secrets import device_keys, search
from tests.unit.lora.builders import GATEWAYS, counting_random, heard_of
from tests.unit.lora.live import wires
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused

__all__ = ["alone", "tap"]

pytestmark = pytest.mark.slow
Json = Any  # Any: JSON
EUI, JOIN = "70b3d58ff1010001", "70b3d58ff0000000"
SETTINGS = {
    "dev_eui": "70-B3-D5-8F-F1-01-00-01", "join_eui": JOIN, "version": "1.0.3", "device_class": "A",
    "region": "RU864", "activation": "OTAA", "ports": "2, 3", "driver": "betar-vega", "firmware_version": "1.4",
    "reporting_schedule": "PT1H",
}  # fmt: skip
ISSUE = {"settings": SETTINGS, "key": {"act": "issue"}, "station": "К-1", "operator": "117"}
BROUGHT = "9f3c01d2a4b5566778e9f0a1b2c3d4e5"
HTML = {"Accept": "text/html"}
KEY_SHOWN = re.compile(r'<pre id="app-key">([0-9a-f]{32})</pre>')
OTHER = PLATE.model_copy(update={"serial": "00000002"})
TYPE = {"type": "t:cw", "execution": "ВС-15Д-80-Р868"}


async def device(client: ClientSession, serial: str = "0000001", **more: Json) -> str:
    """A meter that is known by its plate."""
    return str((await post(client, "/plates", {"designation": "ВС-15", "serial": serial, **more}))["id"])


def path_of(meter: str) -> str:
    """Where a meter is set up."""
    return f"/passports/{meter}/configuration"


async def brought(client: ClientSession, meter: str, key: str, **more: str) -> str:
    """The code with which a key that a meter brings is refused."""
    body = {"settings": {**SETTINGS, **more}, "key": {"act": "import", "app_key": key}}
    return await refused(client, path_of(meter), body)


async def test_settings_are_prefilled_from_passport_and_type(web: RunningWeb) -> None:
    """One scan tells what the type fills in and what nobody says; set up, the passport says all of it."""
    client = web.local()
    meter = await device(client, **TYPE)

    found = await post(client, "/configuration/scans", {"text": "ВС-15 № 0000001"})
    first = {row["name"]: (row["value"], row["origin"]) for row in found["settings"]}
    assert found["id"] == meter
    assert (first["region"], first["device_class"], first["dev_eui"]) == (("RU864", "type"), ("A", "type"), ("", ""))
    assert (found["key"], found["waits"]) == (None, None)
    done = await post(client, path_of(meter), ISSUE)

    again = await post(client, "/configuration/scans", {"text": EUI})
    told = {row["name"]: row["value"] for row in again["settings"]}
    assert again["id"] == meter
    assert told == {**SETTINGS, "dev_eui": EUI, "operating_mode": "", "time_service": ""}
    assert {row["origin"] for row in again["settings"] if row["value"]} == {"passport"}
    assert (again["key"]["count"], again["key"]["here"]) == (1, True)
    view = (await get(client, f"/passports/{meter}"))["view"]
    (event,) = [row for row in view["events"] if row["what"]["central"] == "configured"]
    assert event["detail"] == {"station": "К-1", "operator": "117", "key": "issue"}
    assert len(done["app_key"]) == 32


async def test_repeated_issue_gives_one_key(web: RunningWeb) -> None:
    """Of ten requests at once one gets a key and the others none; with one Idempotency-Key all get the same."""
    client = web.local()
    one, other = await device(client), await device(client, "0000002")

    async def asked(meter: str, eui: str, **headers: str) -> tuple[int, Json]:
        body = {**ISSUE, "settings": {**SETTINGS, "dev_eui": eui}}
        async with client.post(f"/api/v1{path_of(meter)}", json=body, headers=headers) as response:
            assert response.headers["Cache-Control"] == "no-store"
            return response.status, await response.json(content_type=None)

    loose = await asyncio.gather(*(asked(one, EUI) for _ in range(10)))
    keyed = [await asked(other, "70b3d58ff1010002", **{"Idempotency-Key": "click"}) for _ in range(2)]

    assert sorted(status for status, _ in loose) == [200, *[409] * 9]
    assert {answer["code"] for status, answer in loose if status == 409} == {"root_key_stated"}
    assert keyed[0] == keyed[1]
    stated = [await post(client, "/configuration/scans", {"text": meter}) for meter in (one, other)]
    assert [found["key"]["count"] for found in stated] == [1, 1]


async def test_another_key_takes_a_reason_and_counts_from_then_on(web: RunningWeb) -> None:
    """Without a reason a second key is refused; with one it is another, and the journal and the event tell why."""
    client = web.local()
    meter = await device(client)
    first = await post(client, path_of(meter), ISSUE)

    assert await refused(client, path_of(meter), ISSUE) == "root_key_stated"
    assert await brought(client, meter, BROUGHT) == "root_key_stated"
    again = {"settings": SETTINGS, "key": {"act": "issue", "reason": "ответ потерян"}}
    second = await post(client, path_of(meter), again)

    assert first["app_key"] != second["app_key"]
    view = (await get(client, f"/passports/{meter}"))["view"]
    reasons = [row["detail"].get("reason") for row in view["events"] if row["what"]["central"] == "configured"]
    assert reasons == [None, "ответ потерян"]
    rows = [row for row in (await get(client, "/journal"))["items"] if row["what"] == "device_configured"]
    assert [row["detail"].get("reason") for row in rows] == ["ответ потерян", None]
    same = {"settings": SETTINGS, "key": {"act": "import", "app_key": second["app_key"]}}
    assert (await post(client, path_of(meter), same))["key"] == "keep"
    assert await brought(client, meter, first["app_key"]) == "root_key_stated"


async def test_key_that_protects_nothing_is_refused(web: RunningWeb) -> None:
    """A weak or broken key is refused by name, nothing is stated, and the answer does not hold it."""
    client = web.local()
    meter = await device(client)
    weak = ("00" * 16, "Ff" * 16, EUI * 2, bytes.fromhex(EUI)[::-1].hex() + JOIN, "0123" * 8)
    broken = (BROUGHT[:-1], BROUGHT[:-1] + "g", "", f"{BROUGHT}\n{BROUGHT}")

    for key, code in [*((key, "root_key_weak") for key in weak), *((key, "root_key_form") for key in broken)]:
        body = {"settings": SETTINGS, "key": {"act": "import", "app_key": key}}
        async with client.post(f"/api/v1{path_of(meter)}", json=body) as response:
            assert await problem_code(response) == code, key
            assert not key or key not in await response.text()
    long = {"settings": SETTINGS, "key": {"act": "import", "app_key": BROUGHT * 5}}
    async with client.post(f"/api/v1{path_of(meter)}", json=long) as response:
        assert response.status == 422
        assert BROUGHT not in await response.text()

    found = await post(client, "/configuration/scans", {"text": meter})
    assert (found["key"], found["settings"][0]["value"]) == (None, "")


async def test_key_of_another_device_is_refused_also_where_it_came_before_marks_were_kept(web: RunningWeb) -> None:
    """Equal keys are found by their marks, which are made anew for an older store; one that was taken back is free."""
    client = web.local()
    one, other = await device(client), await device(client, "0000002")
    spelled = " ".join(BROUGHT.upper()[at : at + 2] for at in range(0, 32, 2))
    body = {"settings": SETTINGS, "key": {"act": "import", "app_key": spelled}}
    assert (await post(client, path_of(one), body))["app_key"] is None

    assert await brought(client, other, BROUGHT, dev_eui="70b3d58ff1010002") == "root_key_used"
    async with web.context.core.database.write() as tx:
        await tx.run(delete(schema.key_marks))
        await drop_setting(tx, "keys_marked")
    assert await brought(client, other, BROUGHT, dev_eui="70b3d58ff1010002") == "root_key_used"

    assert await brought(client, other, BROUGHT) == "dev_eui_doubled"


async def test_setting_that_has_no_meaning_is_refused(web: RunningWeb) -> None:
    """The refusal names the rule, and neither key nor setting is stated."""
    client = web.local()
    meter = await device(client)
    wrong: list[tuple[Json, str]] = [
        ({"dev_eui": "0" * 16}, "setting_nobody"),
        ({"dev_eui": None}, "setting_missing"),
        ({"region": "MOON1"}, "setting_region"),
        ({"version": "7"}, "setting_version"),
        ({"ports": "2, 300"}, "setting_ports"),
        ({"ports": "two"}, "setting_ports"),
        ({"dev_eui": EUI[:-1]}, "validation"),
        ({"activation": "ABP"}, "root_key_unasked"),
    ]

    for changes, code in wrong:
        body = {**ISSUE, "settings": {name: value for name, value in {**SETTINGS, **changes}.items() if value}}
        assert await refused(client, path_of(meter), body) == code, changes

    assert "configured" not in str((await get(client, f"/passports/{meter}"))["view"]["events"])


async def test_step_that_waits_for_the_configuration_is_done_with_it(web: RunningWeb) -> None:
    """At the step of the production that records it the process goes on; what the step asks has to be told."""
    client = web.local()
    meter = await device(client)
    await opened(client, "production", meter)
    parts = {"code": "production", "step": "kitting", "text": meter, "do": True, "parts": ["СЭ-2726 № 1"]}
    await post(client, "/line/scans", parts)

    found = await post(client, "/configuration/scans", {"text": meter})
    assert (found["waits"]["step"], found["waits"]["asks"]) == ("firmware", ["firmware"])
    lacking = {name: value for name, value in SETTINGS.items() if name != "firmware_version"}
    assert await refused(client, path_of(meter), {**ISSUE, "settings": lacking}) == "run_detail_needed"
    assert (await post(client, "/configuration/scans", {"text": meter}))["key"] is None
    done = await post(client, path_of(meter), ISSUE)

    assert (done["run"], done["step"]) == (found["waits"]["run"], "firmware")
    view = (await get(client, f"/passports/{meter}"))["view"]
    assert view["processes"][0]["waits"]["step"] == "flow_bench"
    (event,) = [row for row in view["events"] if row["what"]["central"] == "configured"]
    assert (event["detail"]["firmware"], event["why"]["step"]) == ("1.4", "firmware")
    assert (await get(client, "/line/done", code="production", step="firmware"))["done"] == 1


async def test_system_needs_the_right_to_configure(web: RunningWeb) -> None:
    """A configurator program is let in by a right of its own, and reaches no other thing than its own."""
    client = web.local()
    meter, other = await device(client), await device(client, "0000002")
    for name, write, things in (("bench", "processes", []), ("station", "configuration", [meter])):
        scopes = ["read", "record", "radio"]
        body = {"name": name, "kind": "стенд", "contact": "цех", "scopes": scopes, "writes": [write], "things": things}
        await post(client, "/systems", body)

    async def asks(name: str) -> ClientSession:
        secret, _ = await web.context.correspondents.issue(Actor.local(), name, 30, 0)
        return web.client({"Authorization": f"Bearer {secret}"})

    station = await asks("station")
    assert await refused(await asks("bench"), path_of(meter), ISSUE) == "system_write"
    assert (await post(station, path_of(meter), ISSUE))["app_key"]
    assert await refused(station, path_of(other), ISSUE) == "system_thing"
    assert await refused(station, "/configuration/scans", {"text": other}) == "system_thing"


async def test_form_that_is_sent_twice_shows_one_key_and_later_none(web: RunningWeb) -> None:
    """A double click is one act with one key on the page; after ten minutes the same form shows no key any more."""
    client = web.local()
    meter = await device(client)
    form = {**SETTINGS, "once": "ab" * 12, "act": "issue", "station": "К-1"}

    pages = await asyncio.gather(*(sent(client, meter, form) for _ in range(2)))
    web.clock.move(11 * 60)
    late, other = await sent(client, meter, form), await sent(client, meter, {**form, "once": "cd" * 12})

    (key,) = {KEY_SHOWN.search(page)[1] for _, page in pages}  # type: ignore[index]  # each shows one
    assert [status for status, _ in pages] == [200, 200]
    assert [status for status, page in (late, other) if key not in page] == [200, 409]
    assert (await post(client, "/configuration/scans", {"text": meter}))["key"]["count"] == 1


async def test_page_prefills_and_keeps_what_was_typed_but_no_key(web: RunningWeb) -> None:
    """A refused form comes back with its settings and its problem; the key that was pasted does not."""
    client = web.local()
    meter = await device(client, **TYPE)

    async with client.get("/configuration", params={"text": meter}, headers=HTML) as response:
        first = await response.text()
    weak = {**SETTINGS, "once": "ab" * 12, "act": "import", "app_key": "A5" * 16, "join_eui": "1122334455667788"}
    status, page = await sent(client, meter, weak)

    assert "по типу" in first
    assert "RU864" in first
    assert status == 422
    assert "Такой ключ не защищает" in page
    assert "1122334455667788" in page
    assert "a5a5a5" not in page.lower()


async def sent(client: ClientSession, meter: str, form: dict[str, str]) -> tuple[int, str]:
    """Status and page of a form that is sent."""
    headers = {**HTML, "Accept-Language": "ru"}
    async with client.post(f"/configuration/{meter}", data=form, headers=headers) as response:
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.text()


async def test_restarted_node_knows_which_key_it_gave(tmp_path: Path, alone: None) -> None:
    """After a restart the same request gets the same key, another one is refused, and nothing new is stated."""
    async with running(tmp_path / "maker", "maker") as node:
        device = await made(node)
        path = path_of(format_device_id(SubjectId(device)))
        first = await keyed(node, path)
    async with started(tmp_path / "maker") as node:
        again = await keyed(node, path)
        async with ApiClient(node.folder.path) as api:
            with pytest.raises(ApiError) as refusal:
                await api.post(path, ISSUE)
            found = await api.post("/configuration/scans", {"text": EUI})

    assert first["app_key"] == again["app_key"]
    assert refusal.value.code == "root_key_stated"
    assert (found["key"]["count"], found["key"]["here"]) == (1, True)
    assert search([tmp_path], {"key": bytes.fromhex(first["app_key"])}) == []


async def keyed(node: Node, path: str) -> Json:
    """What a request for a key is answered that is the same each time."""
    connector = UnixConnector(str(node.folder.path / "node.sock"))
    headers = {"Idempotency-Key": "station-1"}
    async with (
        ClientSession("http://node", connector=connector) as session,
        session.post(f"/api/v1{path}", json=ISSUE, headers=headers) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.json()


@pytest.mark.req("B38")
async def test_key_goes_sealed_to_whoever_joins_the_device_and_to_nobody_else(
    tmp_path: Path, tap: Tap, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One key is issued and one brought; fragments hold commitments; the buyer's network joins both meters; a third
    party that may read everything else has no key in any byte, file or log, nor does anybody in clear.
    """
    monkeypatch.setenv("PASSPORT_RADIO__ENABLED", "true")
    monkeypatch.setenv("PASSPORT_RADIO__PORT", "0")
    async with network(tmp_path, "utility", "service") as nodes:
        maker, utility, service = nodes.values()
        devices = [await made(maker), await maker.registry.register_plate(OTHER, None, "test")]
        keys = [await set_up(maker, devices[0], EUI), await set_up(maker, devices[1], "70b3d58ff1010002", BROUGHT)]
        await maker.registry.share(devices, service.core.org, "test")
        await ship(maker, utility, devices)
        for number, one in enumerate(devices):
            await until(utility, partial(has_key, utility, one))
            await until(service, partial(is_readable, service, one))
            await commission(utility, one)
            assert await joins(utility, number, keys[number])
        assert not await joins(utility, 0, Key(bytes(15) + b"x"), dev_nonce=7)
        refusal = await asked_in_vain(service, maker, devices[0])
        heads = [section for one in devices for section in await key_heads(service, one)]
        with pytest.raises(ApiError) as sold:
            await set_up(maker, devices[0], EUI, reason="ключ раскрыт")
        again = await set_up(utility, devices[0], EUI, reason="ключ раскрыт")
        await until(utility, partial(journalled, utility, "root_key_replaced"))
        await commission(utility, devices[0])
        assert await joins(utility, 0, again, dev_nonce=9)
        seen = {name: b"".join([await read_here(node, one) for one in devices]) for name, node in nodes.items()}
        heard = {name: bytes(tap.heard.get(node.core.org, b"")) for name, node in nodes.items()}

    assert (refusal, sold.value.code) == ("key_refused", "configuration_not_ours")
    assert len(heads) == 2
    assert all(head["present"] is False for head in heads)
    secrets = {f"key {n}": key.reveal() for n, key in enumerate([*keys, again])}
    for name in nodes:
        assert not [key for key in secrets.values() if carries(seen[name] + heard[name], key.hex())], name
    (tmp_path / "log").write_text("".join(capfd.readouterr()))
    assert (tmp_path / "log").stat().st_size > 0
    assert search([tmp_path], secrets) == []
    held = {name: set(device_keys(tmp_path / name).values()) for name in nodes}
    assert held == {"maker": {key.reveal() for key in keys}, "utility": set(secrets.values()), "service": set()}


async def test_service_firm_configures_by_the_owners_right_and_the_owner_gets_the_key(tmp_path: Path, tap: Tap) -> None:
    """Without a right it is refused; with one its key goes sealed to the owner, counts there, and not to the maker."""
    async with network(tmp_path, "utility", "service") as nodes:
        maker, utility, service = nodes.values()
        device = await made(maker)
        old = await set_up(maker, device, EUI)
        await ship(maker, utility, [device])
        await until(utility, partial(has_key, utility, device))
        await utility.registry.share([device], service.core.org, "test")
        await until(service, partial(is_readable, service, device))
        with pytest.raises(ApiError) as refusal:
            await set_up(service, device, EUI, reason="замена модуля")
        terms = Terms(service.core.org, Verb.WRITE, (device,), rows=("event", "parameter"))
        await utility.grants.give(terms, "test")
        await until(utility, partial(talks, utility, service))
        await until(service, partial(may_set_up, service, device))
        new = await set_up(service, device, EUI, reason="замена модуля")
        await until(utility, partial(counts, utility, device, new))

    assert refusal.value.code == "configuration_not_ours"
    held = {name: set(device_keys(tmp_path / name).values()) for name in nodes}
    assert held == {"maker": {old.reveal()}, "utility": {old.reveal(), new.reveal()}, "service": {new.reveal()}}
    assert search([tmp_path], {"old": old.reveal(), "new": new.reveal()}) == []
    assert not any(carries(bytes(raw), new.reveal().hex()) for raw in tap.heard.values())


async def talks(node: Node, other: Node) -> bool | None:
    """Whether a node talks to another that it met: what is sealed comes from its author alone."""
    met = other.core.node in [peer.node for peer in await node.peering.peers()]
    if met:
        await node.peering.accept(other.core.node, "test")
    return met or None


async def may_set_up(node: Node, one: bytes) -> bool | None:
    """Whether the grant came."""
    try:
        await node.configuration.prepare(one)
    except DeniedError:
        return None
    return True


async def counts(node: Node, one: bytes, key: Key) -> bool | None:
    """Whether a key is the one with which a node's network would let the meter in."""
    async with node.core.database.read() as tx:
        passport = await find_passport(tx, one)
        found = (
            await counting_key(tx, node.core.keystore.vault, node.projection.world, passport.content, EUI)
            if passport
            else None
        )
    return True if found == key.reveal() else None


async def set_up(node: Node, one: bytes, eui: str, key: str = "", reason: str = "") -> Key:
    """Set a meter up over the node's API; answer its key."""
    told = {"act": "import", "app_key": key} if key else {"act": "issue"}
    body = {"settings": {**SETTINGS, "dev_eui": eui}, "key": {**told, **({"reason": reason} if reason else {})}}
    async with ApiClient(node.folder.path) as api:
        done = await api.post(path_of(format_device_id(SubjectId(one))), body)
    return Key(bytes.fromhex(key or done["app_key"]))


async def ship(maker: Node, buyer: Node, devices: list[bytes]) -> None:
    """Sell meters, and accept them."""
    shipment = await maker.shipments.offer(devices, buyer.core.org, "ТТН-1", "2026-05-01", "test")

    async def offered() -> bool | None:
        return True if await buyer.shipments.waiting() else None

    await until(buyer, offered)
    await buyer.shipments.accept(shipment, "test")


async def has_key(node: Node, one: bytes) -> bool | None:
    """Whether the key came with the shipment."""
    async with node.core.database.read() as tx:
        return True if await with_secret(tx, [one], "root-keys") else None


async def is_readable(node: Node, one: bytes) -> bool | None:
    """Whether the passport came, with what is said of its radio."""
    found: Json = await passport_at(node, one)
    return True if found and found["view"]["radio"] else None


async def journalled(node: Node, what: str) -> bool | None:
    """Whether the journal tells something."""
    return True if any(row.what == what for row in await node.journal.after(0)) else None


async def commission(node: Node, one: bytes) -> None:
    """Put a meter on the air."""
    async with ApiClient(node.folder.path) as api:
        await api.put(f"/radio/gateways/{GATEWAYS[0].raw.hex()}", {"name": "крыша"})
        await api.post(f"/passports/{format_device_id(SubjectId(one))}/commissioning")


async def joins(node: Node, number: int, key: Key, dev_nonce: int = 0) -> bool:
    """Whether a meter with that key is let in over the gateway port."""
    eui = Eui(bytes.fromhex(f"70b3d58ff101000{number + 1}"))
    meter = VirtualDevice(eui, Eui(bytes.fromhex(JOIN)), key, RU864, random=counting_random(), dev_nonce=dev_nonce)
    assert node.radio.address is not None
    async with wires(node.radio.address) as (wire,):
        await wire.open()
        known = await newest(node, eui)
        wire.send(wire.gateway.push(heard_of(meter.join()), 0))

        async def settled() -> FrameState | None:
            frames = await node.radio.frames(eui, 0, 1)
            return frames[0].state if frames and frames[0].id > known else None

        if await until(node, settled) is FrameState.REFUSED:
            return False
        while not isinstance(order := decode_datagram(await wire.receive()), PullResp):
            pass  # what acknowledges the push
        return isinstance(meter.receive(order.transmission.payload), DeviceJoined)


async def newest(node: Node, eui: Eui) -> int:
    """The last frame of a meter that the network has, 0 where it has none."""
    frames = await node.radio.frames(eui, 0, 1)
    return frames[0].id if frames else 0


async def asked_in_vain(node: Node, of: Node, one: bytes) -> str:
    """The code with which a key is refused to a node that asks for it."""
    async with ApiClient(node.folder.path) as api:
        with pytest.raises(ApiError) as refusal:
            await api.post(f"/passports/{format_device_id(SubjectId(one))}/key-requests", {"org": of.core.org.hex()})
    return refusal.value.code


async def key_heads(node: Node, one: bytes) -> list[Json]:
    """The sections of keys as a node's statements of a meter tell of them."""
    found: Json = await passport_at(node, one)
    parts = [part for row in found["view"]["statements"] for part in row["sections"]]
    return [part for part in parts if part["name"] == "root-keys"]
