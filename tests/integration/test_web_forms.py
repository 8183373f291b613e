"""Forms and templates through the API and the console without scripts, over a real store."""

import json
import re
from typing import Any

from aiohttp import ClientSession, FormData

from node.passport import drafts
from node.web.routes import API
from tests.unit.node_protocols.builders import DESIGNATION, document, template
from tests.unit.web.running import Json, RunningWeb, get, post, problem_code

PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(4000)


async def device_and_template(client: ClientSession, name: str = "commissioning") -> tuple[str, Json]:
    """A device with a plate, and a published template."""
    device = (await post(client, "/plates", PLATE))["id"]
    async with client.post(f"{API}/templates", data=template(name)) as response:
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


async def test_older_window_does_not_silently_overwrite_a_newer_one(web: RunningWeb) -> None:
    """It is told so with its own text still in the fields, and the reasons it gave; kept once more, its text stays."""
    browser, local = await web.claim(), web.local()
    device, published = await device_and_template(local)
    form = (await post(local, "/forms", {"template": published["id"], "id": device}))["form"]
    seen = re.findall('name="seen" value="([0-9a-f]{16})"', await _page(browser, f"/forms/{form}"))
    newer = {"seen": seen[0], "f/act_no": "А-1"}
    older = {**newer, "f/act_no": "А-2", "reason_why": "absent", "reason_note": "не пришёл"}
    assert await _send(browser, f"/forms/{form}", newer)

    refused = await _send(browser, f"/forms/{form}", older)
    between = json.loads((await get(local, f"/forms/{form}"))["document"])["act_no"]
    mark = re.findall('name="seen" value="([0-9a-f]{16})"', refused)
    await _send(browser, f"/forms/{form}", {**older, "seen": mark[0]})

    assert all(text in refused for text in ("в другом окне", "А-2", "не пришёл"))
    assert (between, json.loads((await get(local, f"/forms/{form}"))["document"])["act_no"]) == ("А-1", "А-2")


async def test_hostile_templates_and_documents_are_refused_and_nothing_is_written(web: RunningWeb) -> None:
    """Ten megabytes, nesting of ten thousand, a remote reference: each a clear problem before anything is stored."""
    local = web.local()
    device, published = await device_and_template(local)
    before, size = await web.what(), (await get(local, "/templates"))["items"]
    remote = template("flow-bench").replace(b'"#/$defs/', b'"https://example.org/#/$defs/')
    remote = remote if remote != template("flow-bench") else _with(remote, {"$ref": "https://example.org/x"})
    deep = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    reference = {"template": published["reference"]}
    codes = []
    for path, raw, query in (
        ("/templates", b" " * (10 << 20), {}),
        ("/templates", remote, {}),
        ("/templates", deep, {}),
        ("/templates", _with(template("flow-bench"), {"type": "string", "pattern": "(?=a)"}), {}),
        ("/protocols", b"[" + b"0," * (5 << 20) + b"0]", reference),
        ("/protocols", b" " * (300 << 10), reference),
        ("/protocols", deep, reference),
    ):
        async with local.post(f"{API}{path}", data=raw, params=query) as response:
            codes.append((response.status, await problem_code(response)))

    assert codes == [
        (413, "too_large"), (422, "template_refused"), (422, "template_refused"), (422, "template_refused"),
        (413, "too_large"), (422, "document_unreadable"), (422, "document_unreadable"),
    ]  # fmt: skip
    assert (await web.what(), (await get(local, "/templates"))["items"]) == (before, size)
    assert (await get(local, f"/passports/{device}/protocols"))["items"] == []


async def test_reason_of_a_refusal_is_told_in_the_readers_language(web: RunningWeb) -> None:
    """A template, a document and a stranger's template that does not run: Russian for a Russian, the place as it is."""
    local, browser = web.local(), await web.claim()
    _, published = await device_and_template(local)
    wrong = json.loads(template("verification"))
    wrong["x-epd-template"]["extract"][0] = {}
    raw = json.dumps(wrong).encode()
    await web.context.ledger.append([drafts.template(web.context.core.org, raw, 1)])
    told = {}
    for language in ("ru", "en"):
        spoken: dict[str, Any] = {"headers": {"Accept-Language": language}}
        async with local.post(f"{API}/templates/check", data=raw, **spoken) as response:
            refused = (await response.json(content_type=None))["detail"]
        query = {"template": published["reference"]}
        async with local.post(f"{API}/protocols/check", data=b"{", params=query, **spoken) as response:
            unread = (await response.json(content_type=None))["detail"]
        async with local.get(f"{API}/templates", **spoken) as response:
            (broken,) = [item for item in (await response.json())["items"] if item["trouble"]]
        told[language] = (refused, unread, broken["trouble"])

    pages = [await (await browser.get(path)).text() for path in ("/templates", f"/templates/{broken['id']}")]

    ours, reason = "extract/0: нужно одно из двух", "extract/0: one of parameter and event, got {}"
    assert [ours in text for text in (told["ru"][0], told["ru"][2], *pages)] == [True] * 4
    assert told["ru"][1].startswith("это не JSON: ")
    assert (told["en"][0], told["en"][2]) == (f"the template is refused: {reason}", reason)
    assert told["en"][1].startswith("the document cannot be read: no JSON: ")


async def test_unknown_rule_never_makes_a_form_valid(web: RunningWeb) -> None:
    """Of a rule that this node does not know the check says so, and a pattern that hangs others is harmless."""
    local = web.local()
    device = (await post(local, "/plates", PLATE))["id"]
    card = json.loads(template("flow-bench"))
    card["x-epd-template"]["rules"].append({"type": "moon_phase", "pointer": "/result"})
    card["properties"]["note"] = {"type": "string", "pattern": "^(a+)+$"}
    async with local.post(f"{API}/templates", data=json.dumps(card).encode()) as response:
        published = await response.json()
    filled = json.loads(document("flow-bench", device, PLATE["serial"], {}))
    body = {"template": published["id"], "id": device}

    good = await post(local, "/forms", body | {"document": json.dumps(filled)})
    hung = await post(local, "/forms", body | {"document": json.dumps({**filled, "note": "a" * 4000 + "!"})})

    assert published["unknown_rules"] == ["moon_phase"]
    assert (await post(local, f"/forms/{good['form']}/check", {}))["state"] == "not-fully-checked"
    assert (await post(local, f"/forms/{hung['form']}/check", {}))["state"] == "invalid"


async def test_attached_file_is_saved_and_never_run(web: RunningWeb) -> None:
    """It comes as an attachment with its type fixed and a sandbox around it, whatever its name says."""
    local = web.local()
    device, published = await device_and_template(local, "flow-bench")
    filled = json.loads(document("flow-bench", device, PLATE["serial"], {}))
    body = {"template": published["id"], "id": device, "document": json.dumps(filled)}
    form = (await post(local, "/forms", body))["form"]
    async with local.post(f"{API}/forms/{form}/files", params={"name": "узел «1».png"}, data=PNG) as response:
        digest = (await response.json())["files"][0]["sha256"]
    async with local.post(f"{API}/forms/{form}/files", params={"name": "x.png"}, data=b"<html>") as response:
        refusal = await problem_code(response)
    said = await post(local, f"/forms/{form}/signature", {})
    paper = (await get(local, f"/passports/{device}/protocols"))["items"][0]
    path = f"{API}/passports/{device}/protocols/{paper['ref']}/files"

    async with local.get(f"{path}/{digest}") as response:
        headers, content = response.headers, await response.read()
    async with local.get(f"{path}/{'0' * 64}") as response:
        unknown = await problem_code(response)

    assert (content, headers["Content-Type"], headers["X-Content-Type-Options"]) == (PNG, "image/png", "nosniff")
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert (refusal, unknown, said["id"]) == ("attachment_refused", "attachment_unknown", device)
    assert paper["attachments"] == [{"name": "узел «1».png", "type": "image/png", "size": len(PNG), "sha256": digest}]


async def test_protocol_that_no_page_holds_is_cut_on_screen_and_no_paper(web: RunningWeb) -> None:
    """The page says that there is more; a PDF that leaves something out is none; the document itself is whole."""
    browser, local = await web.claim(), web.local()
    device = (await post(local, "/plates", PLATE))["id"]
    card = json.loads(template("flow-bench"))
    card["properties"]["pulses"] = {"type": "array", "items": {"type": "integer"}}
    card["x-epd-template"]["print"]["blocks"].append({"kind": "fields", "fields": ["/pulses/*"]})
    async with local.post(f"{API}/templates", data=json.dumps(card).encode()) as response:
        published = await response.json()
    filled = json.loads(document("flow-bench", device, PLATE["serial"], {})) | {"pulses": [7] * 20_001}
    query = {"template": published["reference"]}
    async with local.post(f"{API}/protocols", data=json.dumps(filled), params=query) as response:
        assert response.status == 201, await response.text()
    (row,) = (await get(local, f"/passports/{device}/protocols"))["items"]
    path = f"/passports/{device}/protocols/{row['ref']}"

    shown = await _page(browser, f"{path}/print")
    async with local.get(f"{API}{path}/pdf") as response:
        refused = await problem_code(response)

    assert ("больше, чем помещается на странице" in shown, refused) == (True, "pdf_too_long")
    assert len(json.loads((await get(local, path))["document"])["pulses"]) == 20_001


def _with(raw: bytes, note: Json) -> bytes:
    """A template in which one property is another."""
    found = json.loads(raw)
    found["properties"]["note"] = note
    return json.dumps(found).encode()


async def _page(browser: ClientSession, path: str) -> str:
    async with browser.get(path) as response:
        return await response.text()


async def _send(browser: ClientSession, path: str, fields: dict[str, str]) -> str:
    form = FormData(quote_fields=False)
    for name, text in {"then": "save", **fields}.items():
        form.add_field(name, text, content_type="text/plain")
    async with browser.post(path, data=form) as response:
        return await response.text()
