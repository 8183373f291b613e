"""The map of flows over real exchanges: a peer, 1C, a system, a webhook, the bench, the register, a gateway."""

import asyncio
import re
from collections.abc import Iterator
from uuid import UUID

import aiohttp
import pytest
from playwright.async_api import expect

from node.api_client import ApiError
from node.demo.documents import verification_document, verification_template
from tests.browser.conftest import Tabs
from tests.browser.doors import Shot, entered, shots
from tests.integration.test_exchange_1c import MESSAGES, device, item, message
from tests.nodes import ALONE, Json, until
from tests.trade import Trade, meters, trading

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
LATE_MS = 30_000
CLOSED = "http://127.0.0.1:9/"  # nobody listens there
EUI = "02c0de00000000a1"


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    """A maker that verifies what it makes and exchanges with everybody, and a buyer."""
    folder = tmp_path_factory.mktemp("flows")
    bench = folder / "bench"
    bench.mkdir()
    watching = {
        "PASSPORT_BENCH__FOLDER": str(bench),
        "PASSPORT_BENCH__POLL_S": "0.2",
        "PASSPORT_WEBHOOKS__ALLOW": '["127.0.0.0/8"]',
    }
    with trading(folder, "utility", **ALONE, PASSPORT_FEDERATION__POLL_S="1") as running:
        maker = running.nodes["maker"]
        port = str(maker.addresses["federation"]).rpartition(":")[2]
        maker.stop()
        maker.start({**watching, "PASSPORT_FEDERATION__PORT": port})
        _exchange(running)
        (bench / "broken.csv").write_bytes(b"\x00\x01\x02")
        yield running


def _exchange(trade: Trade) -> None:
    """Let each system say or be told something."""
    (row,) = [row for row in trade.produce(meters(1)) if row["kind"] == "device"]
    trade.call("maker", "post", "/attestations", _accredited(trade))
    template = trade.call("maker", "upload", "/templates", verification_template())["reference"]
    document = verification_document(row["id"], row["title"], 1)
    trade.call("maker", "upload", "/protocols", document, template=template)
    trade.call("maker", "post", "/webhooks", {"url": CLOSED, "description": "Диспетчерская"})
    trade.call("maker", "put", f"/radio/gateways/{EUI}", {"name": "Крыша"})
    system = {"name": "Биллинг", "kind": "1С", "scopes": ["read"]}
    trade.call("maker", "post", "/systems", system)
    secret = trade.call("maker", "post", "/systems/Биллинг/tokens", {"days": 30})["secret"]
    assert asyncio.run(_read_as(trade.address("maker"), secret)) == 200
    trade.call("maker", "post", MESSAGES, message(1, "items", item()))


def _accredited(trade: Trade) -> Json:
    return {"org": trade.orgs["maker"], "what": "accreditation", "rows": ["RA.RU.000000", "verification"]}


async def _read_as(address: str, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{address}/api/v1/passports") as answer:
        return answer.status


def flows(trade: Trade) -> dict[str, Json]:
    """The map of the maker, by what is at the other end."""
    return {flow["party"]: flow for flow in trade.call("maker", "get", "/flows")["items"]}


@pytest.mark.req("A14")
def test_each_correspondent_is_told_with_direction_last_message_lag_and_errors(trade: Trade) -> None:
    """Every kind of them stands once, as its own exchange left it."""
    found = until("the bench's file and the webhook failed", lambda: _settled(trade))

    assert {party: (flow["name"], flow["direction"]) for party, flow in found.items()} == {
        "node": ("МУП «Водоканал-Демо»", "both"),
        "base": ("ut-main", "both"),
        "system": ("Биллинг", "out"),
        "webhook": ("Диспетчерская", "out"),
        "bench": ("bench", "in"),
        "register": ("«Аршин»", "out"),
        "gateway": ("Крыша", "both"),
    }
    assert all(found[party]["last"] for party in ("node", "base", "system"))
    assert (found["webhook"]["last"], found["webhook"]["trouble"]) == (None, "fault.connection")
    assert found["webhook"]["to_give"] > 0
    assert found["webhook"]["errors"] > 0
    assert found["webhook"]["since"]
    assert (found["bench"]["errors"], found["bench"]["trouble"]) == (1, "files")
    assert (found["register"]["to_give"], found["register"]["last"]) == (1, None)
    assert found["gateway"]["trouble"] == "silent"
    assert (found["system"]["trouble"], found["system"]["errors"]) == ("", 0)
    assert (found["base"]["trouble"], found["base"]["errors"], found["base"]["since"]) == ("", 0, None)

    with pytest.raises(ApiError) as told:
        trade.call("maker", "post", MESSAGES, message(2, "devices", device(item=str(UUID(int=5)))))
    assert told.value.code == "message_refused_1c"
    refused = flows(trade)["base"]
    assert (refused["trouble"], refused["errors"], refused["last"]) == ("refused", 1, found["base"]["last"])
    assert refused["since"]
    trade.call("maker", "post", MESSAGES, message(2, "items", item()))
    assert flows(trade)["base"]["errors"] == 0


def _settled(trade: Trade) -> dict[str, Json] | None:
    found = flows(trade)
    is_so = found["bench"]["errors"] and found["webhook"]["errors"] and found["node"]["to_give"] == 0
    return found if is_so else None


@pytest.mark.req("A14")
async def test_page_draws_the_map_and_follows_it(trade: Trade, tabs: Tabs, shot: Shot) -> None:
    """A row and a shape for each of the seven; a peer that goes away turns red, with what waits, by the stream."""
    await asyncio.to_thread(until, "all is settled", lambda: _settled(trade))
    page = await entered(tabs, trade.nodes["maker"])
    await page.goto(f"{trade.address('maker')}/flows")
    await expect(page.locator("#flows tbody tr")).to_have_count(7)
    await expect(page.locator(".flow-map g.flow")).to_have_count(7)
    await expect(page.locator(".flow-map > title")).to_have_text(re.compile("таблица ниже говорит то же"))
    await expect(page.locator(".flow-map g.bad title", has_text="Диспетчерская")).to_have_text(
        "Уведомления системы, Диспетчерская, от нас, нет соединения"
    )
    await shots(page, shot, "flows")

    peer = page.locator("#flows tbody tr", has_text="Водоканал-Демо")
    await page.goto(f"{trade.address('maker')}/flows")
    await expect(peer.locator(".chip.good").last).to_have_text("работает")
    await asyncio.to_thread(trade.nodes["utility"].stop)
    await asyncio.to_thread(trade.call, "maker", "post", "/plates", {"designation": "СГВ-15", "serial": "0012345"})

    await expect(peer.locator(".chip.bad")).to_have_text("не отвечает", timeout=LATE_MS)
    await expect(peer).to_contain_text("отдать", timeout=LATE_MS)
    await expect(page.locator(".flow-map g.bad title", has_text="Водоканал-Демо")).to_be_attached()
    found = (await asyncio.to_thread(flows, trade))["node"]
    assert found["to_give"] > 0
    assert found["since"]


async def test_map_is_for_those_who_give_access(trade: Trade) -> None:
    """A token that reads passports is refused the map: it tells of all systems."""
    issued = await asyncio.to_thread(
        trade.call, "maker", "post", "/tokens", {"name": "чтение", "scopes": ["read"], "days": 1}
    )
    headers = {"Authorization": f"Bearer {issued['secret']}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{trade.address('maker')}/api/v1/flows") as answer,
    ):
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (403, "scope")
