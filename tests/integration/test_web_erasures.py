"""Erasing personal data through the API, the pages and the commands of one node."""

import sqlite3
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from node.exchange.passport_check import check_file
from node.passport.shown import rows
from node.services.access import Scope
from node.services.export import Export
from node.web.routes import API
from tests.integration.test_passport_file import file_of
from tests.integration.test_web_mandates import maker, meter
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, get, post, refused, view_of

__all__ = ("maker",)  # the fixture

Json = Any  # Any: JSON
HTML = {"Accept": "text/html", **SAME_ORIGIN}
NAME = "Петрова Анна Сергеевна"
PERSON = {"resident": True, "name": NAME, "contact": "+7 900 000-00-00"}


async def resident(client: ClientSession, device: str) -> str:
    """State that a resident is the owner, with a key for a repeated request; the place of the statement."""
    body = {"role": "title", "ids": [device], "document": "ДКП 5", **PERSON}
    async with client.post(f"{API}/mandates/statements", json=body, headers={"Idempotency-Key": "one"}) as response:
        assert NAME in await response.text()
    return await place(client, device)


async def place(client: ClientSession, device: str) -> str:
    """The place of the statement that has a personal section."""
    said = (await view_of(client, device))["statements"]
    return str(next(row["ref"] for row in said if any(part["name"] == "person" for part in row["sections"])))


def wanted(ref: str, section: str = "person", ground: str = "consent") -> Json:
    """An erasure of one section."""
    return {"rows": [{"ref": ref, "section": section}], "ground": ground}


async def test_name_of_a_resident_is_erased_and_told_nowhere(maker: RunningWeb) -> None:
    """After it neither mandates nor a repeated request tell the name; the passport tells who erased it and why."""
    client, device = maker.local(), await meter(maker)
    ref = await resident(client, device)
    before = await get(client, f"/statements/{ref}/erasable")

    asked = await post(client, "/erasures", wanted(ref))
    body = {"role": "title", "ids": [device], "document": "ДКП 5", **PERSON}
    async with client.post(f"{API}/mandates/statements", json=body, headers={"Idempotency-Key": "one"}) as response:
        repeated = (response.status, await response.text())

    assert [(one["section"], one["here"], one["given"], one["erased"]) for one in before["sections"]] == [
        ("person", True, [], None)
    ]
    assert [(row["state"], row["waiting"]) for row in asked["rows"]] == [("erased", [])]
    assert repeated == (201, "{}")
    for path in ("/mandates", f"/passports/{device}", "/journal", "/erasures"):
        assert NAME not in str(await get(client, path)), path
    (gone,) = [
        part for row in (await view_of(client, device))["statements"] for part in row["sections"] if "erased" in part
    ]
    assert (gone["name"], gone["erased"]["ground"], gone["erased"]["at"]) == ("person", "consent", asked["at_us"])
    what = [row["what"] for row in (await get(client, "/journal"))["items"]]
    assert {"erasure_asked", "section_erased"} <= {*what}
    assert (await get(client, f"/erasures/{asked['ref']}"))["rows"] == asked["rows"]


async def test_passport_file_tells_of_the_erasure_and_proves_it(maker: RunningWeb) -> None:
    """A file that is written afterwards has no byte of the name, carries the erasure, and folds to "erased"."""
    client, device = maker.local(), await meter(maker)
    ref = await resident(client, device)
    await post(client, "/erasures", wanted(ref))
    await maker.context.ledger.publish()

    raw = await file_of(client, device)

    checked = check_file(raw)
    sections = [part for row in rows(checked.view, "statements") for part in rows(row, "sections")]
    assert checked.findings == []
    assert NAME.encode() not in raw
    assert [part["name"] for part in sections if "erased" in part] == ["person"]


async def test_what_may_not_be_erased_is_refused_with_its_reason(maker: RunningWeb) -> None:
    """Another class, no such section, no such statement, a section that is gone already, a ground of no list."""
    client, device = maker.local(), await meter(maker)
    ref = await resident(client, device)
    plate = str((await view_of(client, device))["statements"][0]["ref"])
    for body, code in (
        (wanted(ref, "mandate"), "erase_not_personal"),
        (wanted(ref, "authority"), "erase_not_personal"),
        (wanted(ref, "photo"), "erase_no_section"),
        (wanted(f"{ref.rpartition(':')[0]}:{'0' * 32}"), "statement_unknown"),
        (wanted(ref, ground="Петрова так хочет"), "validation"),
        ({"rows": [], "ground": "consent"}, "validation"),
    ):
        assert await refused(client, "/erasures", body) == code, body
    async with client.get(f"{API}/statements/{plate}/erasable") as response:
        assert (await response.json())["code"] == "erase_nothing"
    await post(client, "/erasures", wanted(ref))

    assert await refused(client, "/erasures", wanted(ref)) == "erased_already"
    assert await refused(client, f"/erasures/{ref}/signature", None) == "erasure_unknown"


async def test_reader_may_not_erase(maker: RunningWeb) -> None:
    """Who may only read sees erasures and asks for none."""
    client, device = maker.local(), await meter(maker)
    ref = await resident(client, device)
    token = await post(client, "/tokens", {"name": "чтение", "scopes": [Scope.READ.value], "days": 1})
    reader = maker.client({"Authorization": f"Bearer {token['secret']}"})

    assert await refused(reader, "/erasures", wanted(ref)) == "scope"
    assert (await get(reader, "/erasures"))["items"] == []


async def test_pages_lead_from_the_passport_to_what_came_of_it(maker: RunningWeb) -> None:
    """The passport has a link, its page tells what goes and asks whether one is sure, then a list tells what came."""
    client, device = maker.local(), await meter(maker)
    ref, browser = await resident(client, device), await maker.claim()

    async def page(path: str, language: str = "ru") -> str:
        async with client.get(path, headers={**HTML, "Accept-Language": language}) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    passport, asking = await page(f"/devices/{device}"), await page(f"/erasures/new?ref={ref}")
    unsure = {"ref": ref, "sections": "person", "ground": "consent"}
    async with browser.post("/erasures", data=unsure, headers=HTML) as response:
        assert response.status == 422
    sure = {**unsure, "sure": "yes"}
    async with browser.post("/erasures", data=sure, headers=HTML, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/erasures")

    assert f"/erasures/new?ref={ref}" in passport
    assert 'value="person"' in asking
    assert NAME not in passport + asking
    for path in (f"/devices/{device}", "/erasures"):
        russian, english = await page(path), await page(path, "en")
        assert f"/erasures/new?ref={ref}" not in russian + english
        assert NAME not in russian + english
        assert "стёрто" in russian
        assert "согласие отозвано" in russian
        assert "erased" in english
        assert "consent was withdrawn" in english


async def test_bytes_are_in_no_page_of_the_store(maker: RunningWeb) -> None:
    """Whatever was written and replaced on the way, no file of the store has the name."""
    client, device = maker.local(), await meter(maker)
    ref = await resident(client, device)
    await post(client, "/plates", {"designation": "СГВ-15", "serial": "0012346", "mark": "Демо"})

    await post(client, "/erasures", wanted(ref))
    assert await maker.context.core.database.scrub()

    store = maker.context.core.folder.database
    raw = b"".join(path.read_bytes() for path in store.parent.glob(f"{store.name}*"))
    assert NAME.encode() not in raw
    with sqlite3.connect(store) as opened:
        assert opened.execute("pragma integrity_check").fetchall() == [("ok",)]
    opened.close()


async def test_open_files_tell_what_was_erased(maker: RunningWeb, tmp_path: Path) -> None:
    """A section that is gone is told as erased there, not as withheld from this organisation."""
    client, device = maker.local(), await meter(maker)
    await post(client, "/erasures", wanted(await resident(client, device)))

    async for _ in Export(maker.context.core).write(tmp_path / "out"):
        pass

    told = "".join(path.read_text("utf-8") for path in (tmp_path / "out").rglob("*.jsonl"))
    assert '"state":"erased"' in told.replace(": ", ":")
    assert NAME not in told
