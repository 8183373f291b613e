"""Finding a device at another organisation over real ports: the API, the pages, and asking for access."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession, UnixConnector

from federation.authority import Attested
from node.api_client import ApiClient
from node.app import Node
from node.folder import short_socket_path
from node.passport.bodies import Plate
from node.passport.ids import SubjectId, format_device_id
from node.passport.standing import Standing
from tests.integration.test_one_loop import alone
from tests.loops import running, soon, until
from tests.unit.web.running import SAME_ORIGIN

__all__ = ["alone"]

pytestmark = pytest.mark.slow

NUMBERS = {"maker": "inn:0000000018", "utility": "inn:0000000040"}
SERIAL = "00012345"
HTML = {"Accept": "text/html", "Accept-Language": "ru", **SAME_ORIGIN}


async def members(maker: Node, utility: Node) -> None:
    """A federation of both, each a member at both."""
    attesting = maker.membership.attesting
    await attesting.found("Поиск", "test")
    await utility.membership.join((await maker.membership.invite("test")).to_text(), "test")
    await soon(lambda: maker.projection.world.standings.of(utility.core.org).standing is Standing.GUEST)
    await attesting.attest(utility.core.org, Attested.NUMBER, [NUMBERS["utility"]], "test")
    both = [node.projection for node in (maker, utility)]
    await soon(lambda: all(one.world.standings.of(utility.core.org).standing.is_member for one in both))


async def told(node: Node) -> bool | None:
    """Whether every holder knows what a node holds."""
    return await node.announcing.tell() or None


@asynccontextmanager
async def console(node: Node) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """The pages of a node, over its own socket."""
    with short_socket_path(node.folder.socket) as path:
        async with ClientSession("http://node", connector=UnixConnector(str(path))) as session:

            async def shown(method: str, path: str, **form: str) -> str:
                async with session.request(method, path, data=form or None, headers=HTML) as response:
                    assert response.status == 200, await response.text()
                    return await response.text()

            yield shown


async def test_foreign_meter_is_found_and_its_keeper_asked(tmp_path: Path) -> None:
    """Who may not read it learns who keeps it and asks; the keeper sees who asks and shares it; then it comes."""
    async with running(tmp_path / "maker", "ООО «Завод»") as maker, running(tmp_path / "town", "Водоканал") as utility:
        await members(maker, utility)
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial=SERIAL, year="2025")
        subject = await maker.registry.register_plate(plate, None, "test")
        device = format_device_id(SubjectId(subject))
        async with ApiClient(utility.folder.path) as here, ApiClient(maker.folder.path) as there:
            await until(maker, partial(told, maker))
            looked = await here.get("/lookup", q=SERIAL)
            assert looked["items"] == []
            (keeper,) = [row for row in looked["asked"] if row["answer"] == "held"]
            assert (keeper["org"], keeper["name"]) == (maker.core.org.hex(), "ООО «Завод»")

            async with console(utility) as shown:
                page, part = await shown("GET", f"/find?q={SERIAL}"), await shown("GET", f"/find/elsewhere?q={SERIAL}")
                for html in (page, part):
                    assert "ООО «Завод» ведёт паспорт с таким номером и вам его не открыла." in html
                    assert "hx-get" not in html[html.index('id="elsewhere"') :].partition(">")[0]
                form = {"org": keeper["org"], "q": SERIAL, "words": "стоит у нас в доме"}
                assert 'id="done"' in await shown("POST", "/find/requests", **form)
            async with console(maker) as shown:
                assert "стоит у нас в доме" in await shown("GET", "/find")
            (asked,) = (await there.get("/lookup/requests"))["items"]
            assert (asked["id"], asked["value"], asked["words"]) == (device, SERIAL, "стоит у нас в доме")
            assert asked["org"]["org"] == utility.core.org.hex()

            await there.post("/shares", {"org": utility.core.org.hex(), "ids": [device]})
            await there.delete(f"/passports/{device}/requests/{utility.core.org.hex()}")
            assert (await there.get("/lookup/requests"))["items"] == []

            async def came() -> bool | None:
                items = (await here.get("/lookup", q=SERIAL))["items"]
                return [(row["id"], row["source"]) for row in items] == [(device, "here")] or None

            assert await until(utility, came)
