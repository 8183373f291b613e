"""Forms and templates through the API and the console without scripts, over a real store."""

import json

from aiohttp import ClientSession, FormData

from tests.unit.node_protocols.builders import DESIGNATION, template
from tests.unit.web.running import Json, RunningWeb, get, post

PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(4000)
SHARED = "/api/v1"


async def device_and_template(client: ClientSession, name: str = "commissioning") -> tuple[str, Json]:
    """A device with a plate, and a published template."""
    device = (await post(client, "/plates", PLATE))["id"]
    async with client.post(f"{SHARED}/templates", data=template(name)) as response:
        assert response.status == 201, await response.text()
        return device, await response.json()


async def test_form_keeps_what_was_typed_without_scripts(web: RunningWeb) -> None:
    """Each button sends the whole form: a row is added, the texts stay, numbers read with a comma, empty ones go."""
    browser = await web.claim()
    local = web.local()
    device, published = await device_and_template(local)
    async with browser.post(
        f"/devices/{device}/fill", data={"template": published["id"]}, allow_redirects=False
    ) as response:
        assert response.status == 303
        path = response.headers["Location"]
    typed = FormData(quote_fields=False)
    fields = {"then": "save", "add": "/seals", "f/readings": "volume = 0,012", "f/date": "03.11.2026"}
    for name, text in {**fields, "f/note": "", "f/seals/0/no": "ПЛ-1"}.items():
        typed.add_field(name, text)
    typed.add_field("file", PNG, filename="узел.png", content_type="image/png")

    async with browser.post(path, data=typed) as response:
        shown = await response.text()

    form = await get(local, f"/forms/{path.rpartition('/')[2]}")
    kept = json.loads(form["document"])
    assert (kept["readings"], kept["date"]) == ({"volume": 0.012}, "2026-11-03")
    assert kept["seals"] == [{"no": "ПЛ-1"}, {}]
    assert (kept["device"]["gid"], "note" in kept) == (device, False)
    assert [file["name"] for file in form["files"]] == ["узел.png"]
    assert "volume = 0,012" in shown
    assert 'name="f/seals/1/no"' in shown
