"""Labels through the API and the console: what is printed is what a scan opens, and bad orders say what is wrong."""

import io
import zipfile
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from aiohttp import ClientPayloadError, ClientSession
from PIL import Image

from node.passport.ids import SubjectId, format_device_id
from node.web.api import labels
from tests.unit.web.running import RunningWeb, get, post, refused

NOBODYS = format_device_id(SubjectId(bytes(range(16))))


async def meters(web: RunningWeb, count: int) -> list[str]:
    """The ids of so many meters, of an organisation that has a domain."""
    web.context.membership.url = "https://works.example:8441"
    plate = {"mark": "СЧЁТЧИК", "designation": "СГВ-15"}
    return [
        str((await post(web.local(), "/plates", {**plate, "serial": f"{number:07}"}))["id"])
        for number in range(1, count + 1)
    ]


def scanned(raw: bytes, dpi: int = 203) -> list[str]:
    """What an independent reader reads off every page of a PDF."""
    pages = (page.render(scale=dpi / 72).to_pil() for page in pypdfium2.PdfDocument(raw))
    return [found.text for page in pages for found in zxingcpp.read_barcodes(page)]


async def printed(client: ClientSession, body: dict[str, object]) -> tuple[str, bytes]:
    async with client.post("/api/v1/labels", json=body) as response:
        assert response.status == 200, await response.text()
        assert "attachment" in response.headers["Content-Disposition"]
        return response.content_type, await response.read()


async def test_printed_code_opens_the_passport_for_everybody(web: RunningWeb) -> None:
    """A label is printed, scanned and opened: by a visitor as what is public, by who is logged in as his passport."""
    device, _ = await meters(web, 2)
    person = await web.claim()
    async with person.get(f"/api/v1/passports/{device}/pdf") as response:
        assert scanned(await response.read())[0] == f"https://works.example/d/{device}"
    for code in ("qr", "datamatrix"):
        async with person.get(f"/api/v1/passports/{device}/label", params={"code": code}) as response:
            assert response.content_type == "application/pdf", await response.text()
            (link,) = scanned(await response.read())

        assert link == f"https://works.example/d/{device}"
        async with web.client().get(urlsplit(link).path) as response:
            assert "СГВ-15 № 0000001" in await response.text()
        async with person.get(urlsplit(link).path) as response:
            assert response.url.path == f"/devices/{device}"
            assert response.status == 200


async def test_label_comes_in_the_form_that_a_program_wants(web: RunningWeb) -> None:
    """One label as PDF, ZPL or PNG, and its code alone as SVG or PNG."""
    (device,) = await meters(web, 1)
    client, found = web.local(), {}
    for file in ("pdf", "zpl", "png", "code-svg", "code-png"):
        async with client.get(f"/api/v1/passports/{device}/label", params={"file": file}) as response:
            found[file] = (response.content_type, await response.read())

    assert {name: kind for name, (kind, _) in found.items()} == {
        "pdf": "application/pdf", "zpl": "text/plain", "png": "image/png",
        "code-svg": "image/svg+xml", "code-png": "image/png",
    }  # fmt: skip
    for name in ("png", "code-png"):
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(found[name][1])))
        assert code.text == f"https://works.example/d/{device}"
    assert found["zpl"][1].startswith(b"^XA^PW464^LL320")


async def test_list_is_printed_on_sheets_and_in_parts(web: RunningWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a list shows, what is named one by one, what begins on a used sheet; many come as several whole sheets."""
    devices = await meters(web, 9)
    client, links = web.local(), [f"https://works.example/d/{device}" for device in devices]

    kind, raw = await printed(client, {"filter": {"q": "СГВ"}, "size": "a4-3x7", "start": 20})
    assert (kind, len(pypdfium2.PdfDocument(raw)), sorted(scanned(raw))) == ("application/pdf", 2, sorted(links))
    _, raw = await printed(client, {"devices": ["СГВ-15 № 0000003", devices[1].lower(), devices[1]]})
    assert scanned(raw) == [links[2], links[1]]

    monkeypatch.setattr(labels, "PART", 4)
    kind, raw = await printed(client, {"devices": devices})
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        parts = {name: scanned(packed.read(name)) for name in packed.namelist()}
    assert kind == "application/zip"
    assert parts == {"labels-01-1-4.pdf": links[:4], "labels-02-5-8.pdf": links[4:8], "labels-03-9-9.pdf": links[8:]}
    kind, raw = await printed(client, {"devices": devices, "file": "zpl"})
    assert (kind, raw.count(b"^XA")) == ("text/plain", 9)


async def test_order_that_cannot_be_printed_says_why(web: RunningWeb) -> None:
    """No domain, no device, an unknown one, a place that no sheet has, a code that is too fine: each has its words."""
    (device,) = await meters(web, 1)
    client = web.local()
    web.context.membership.url = "https://127.0.0.1:8441"
    assert await refused(client, "/labels", {"devices": [device]}) == "label_no_domain"
    assert (await get(client, "/labels/formats"))["domain"] == ""
    web.context.membership.url = "https://" + ".".join(["a" * 60] * 4) + ".example"
    assert await refused(client, "/labels", {"devices": [device], "size": "a4-5x13"}) == "label_small"
    for body, code in (
        ({}, "labels_none"),
        ({"filter": {"q": "nothing-like-that"}}, "labels_none"),
        ({"devices": ["0000001 0000002"]}, "label_unnamed"),
        ({"devices": [NOBODYS]}, "passport_unknown"),
        ({"devices": [device], "start": 2}, "label_start"),
        ({"devices": [device], "start": 66}, "validation"),
        ({"devices": [device], "size": "a3"}, "validation"),
        ({"devices": ["x"] * 10_001}, "validation"),
        ({"job": "0" * 16}, "job_unknown"),
        ({"shipment": NOBODYS}, "shipment_unknown"),
    ):
        assert await refused(client, "/labels", body) == code, body


async def test_label_of_a_late_part_is_told_before_anything_goes_out(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many labels one that has no room is named at once: a file that breaks off would not say which it was."""
    devices, client = await meters(web, 3), web.local()
    plate = {"mark": "СЧЁТЧИК", "designation": "Ж" * 200, "serial": "0000004"}
    devices.append(str((await post(client, "/plates", plate))["id"]))
    monkeypatch.setattr(labels, "PART", 1)

    for file in ("pdf", "zpl"):
        order: dict[str, object] = {"devices": devices, "size": "43x25", "file": file}
        async with client.post("/api/v1/labels", json=order) as response:
            problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == (422, "label_small")
        assert "0000004" in str(problem) or "ЖЖЖ" in str(problem)

    monkeypatch.setattr(labels, "_check", lambda *_: None)
    with pytest.raises(ClientPayloadError):  # what fails all the same breaks off, and keeps nobody waiting
        await printed(client, order)


async def test_page_of_labels_shows_them_before_they_are_printed(web: RunningWeb) -> None:
    """The page leads from a list to a picture of its first sheet and to the file; with no domain it says what to do."""
    devices = await meters(web, 3)
    person = await web.claim()
    async with person.get("/labels", params={"q": "СГВ", "kind": "device", "size": "a4-4x10"}) as response:
        page = await response.text()
        assert response.status == 200, page
    assert page.count('src="data:image/png;base64,') == 1
    assert 'name="kind" value="device"' in page
    form = {"devices": "\r\n".join(devices[:2]), "size": "58x40", "start": "1", "file": "pdf", "q": "СГВ"}
    async with person.post("/labels", data=form) as response:
        page = await response.text()
    assert 'src="data:image/png' in page
    assert (page.count('name="devices"'), page.count('name="file"')) == (1, 1)
    async with person.post("/labels/file", data=form) as response:
        assert response.content_type == "application/pdf"
        assert len(scanned(await response.read())) == 2
    async with person.post("/labels/file", data=form | {"devices": "0000009"}) as response:
        assert response.status == 422
        assert "0000009" in await response.text()
    web.context.membership.url = ""
    async with person.get("/labels") as response:
        assert "domain = &#34;" in (text := await response.text()) or 'domain = "meters.example.com"' in text
