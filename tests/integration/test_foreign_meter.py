"""A meter of a maker that has no node: its owner makes the passport, and the maker's own joins it years later."""

from pathlib import Path
from typing import Any

import pytest

from node.api_client import ApiClient
from node.app import Node
from tests.loops import running, until
from tests.meters import DEV_EUI_AT, PRODUCT, SERIAL_AT, line_record, meter_rows, production_file
from tests.nodes import ALONE

pytestmark = pytest.mark.slow

Json = Any  # Any: what the API answers


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes of other tests are not met."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.req("A41a")
async def test_passport_of_a_foreign_meter_becomes_one_with_its_makers_when_the_maker_joins(tmp_path: Path) -> None:
    """What the owner recorded stays, what the maker states comes beside it, and either id leads to the one passport."""
    (row,) = meter_rows(1, seed=5)
    async with (
        running(tmp_path / "utility", "МУП «Водоканал»", kind="utility") as utility,
        ApiClient(utility.folder.path) as api,
    ):
        await api.post("/federation", {"name": "Демо"})
        plate = {"mark": row[1], "designation": row[2], "serial": row[SERIAL_AT]}
        own = (await api.post("/plates", plate))["id"]
        await api.post(f"/passports/{own}/moves", {"place": "ул. Заводская, 3", "when": "2026-03-01"})
        alone = (await api.get(f"/passports/{own}"))["view"]

        async with (
            running(tmp_path / "maker", "ООО «Завод»", kind="maker") as maker,
            ApiClient(maker.folder.path) as works,
        ):
            made = await join_and_make(utility, maker, row)
            await works.post("/shares", {"org": utility.core.org.hex(), "ids": [made]})
            joined = await until(utility, lambda: one_passport(api, own, made))

    assert made != own
    assert "dev_eui" not in alone["radio"]
    assert joined["radio"]["dev_eui"]["value"] == row[DEV_EUI_AT].lower()
    assert joined["parties"]["manufacturer"]["value"] == maker.core.org.hex()
    assert [event for event in joined["events"] if event in alone["events"]] == alone["events"]
    assert joined["conflicts"] == []


async def join_and_make(utility: Node, maker: Node, row: list[str]) -> str:
    """A maker comes into the federation of others with its line, and makes the meter; the id that it gives it."""
    async with ApiClient(utility.folder.path) as api, ApiClient(maker.folder.path) as works:
        await works.post("/federation/join", {"invitation": (await api.post("/invitations"))["text"]})
        org = maker.core.org.hex()
        await until(utility, lambda: known(api, org))
        await api.post("/attestations", {"org": org, "what": "maker"})
        await until(maker, lambda: attested(maker))
        await works.post("/lines", {"record": line_record(org)})
        await works.post("/references", {"catalog": "types", "local": PRODUCT.local, "central": PRODUCT.central})
        await works.upload("/imports", production_file([row]), name="production.csv")
        (made,) = await until(maker, lambda: passports(works))
        return str(made["id"])


async def known(api: ApiClient, org: str) -> Json:
    """An organisation, once its card is here."""
    items = (await api.get("/organisations"))["items"]
    return next((one for one in items if one["org"] == org), None)


async def attested(node: Node) -> bool | None:
    """Whether the anchor's word is here that the own organisation is a maker."""
    return node.projection.world.attestations.is_maker(node.core.org, node.core.clock.now()) or None


async def passports(api: ApiClient) -> Json:
    """The passports of a node, once there are some."""
    return (await api.get("/passports"))["items"] or None


async def one_passport(api: ApiClient, own: str, made: str) -> Json:
    """The view to which both ids lead, once what the maker states is in it."""
    view = (await api.get(f"/passports/{own}"))["view"]
    if made not in view["ids"] or "dev_eui" not in view["radio"] or len((await api.get("/passports"))["items"]) > 1:
        return None
    assert (await api.get(f"/passports/{made}"))["view"] == view
    return view
