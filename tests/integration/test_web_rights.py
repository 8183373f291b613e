"""Grants, profiles and access through the API of one node that made its meters."""

import json
from typing import Any

import pytest

from node.exchange.passport_check import check_file
from node.passport.profiles import SHIPPED, shipped_profiles
from tests.integration.test_passport_file import file_of
from tests.integration.test_web_mandates import maker, meter
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, get, post, refused

__all__ = ["maker"]

Json = Any  # Any: JSON
HTML = {"Accept": "text/html", **SAME_ORIGIN}


async def row_of(web: RunningWeb, device: str, org: str, **wanted: object) -> Json:
    """The only row of an organisation in who may see what."""
    items = (await get(web.local(), f"/passports/{device}/access"))["items"]
    (row,) = [r for r in items if r["org"] == org and all(r[name] == value for name, value in wanted.items())]
    return row


async def test_grant_is_previewed_given_shown_and_ended(maker: RunningWeb) -> None:
    """What it would open is counted before; then it stands with its ground; ended it is shown with who ended it."""
    client, device, lab = maker.local(), await meter(maker), await maker.meet("lab")
    own = (await get(client, "/node"))["org"]
    await post(client, f"/passports/{device}/events", {"what": "calibrated", "where": "цех", "when": "2026-05-01"})
    body = {"org": lab, "ids": [device], "classes": [2]}

    looked = await post(client, "/grants/preview", body, 200)
    given = await post(client, "/grants", body)
    after = await post(client, "/grants/preview", body, 200)

    assert (looked["sections"].keys(), looked["statements"]) == ({"0", "2"}, 2)
    assert (after["sections"], after["statements"]) == ({}, 0)
    row = await row_of(maker, device, lab)
    assert (row["why"], row["by"], row["classes"], row["ref"], row["ended_by"]) == (
        "grant", own, [0, 1, 2], given["ref"], None,
    )  # fmt: skip
    assert (await get(client, f"/passports/{device}/access/why", org=lab))["shown"]

    ended = await post(client, f"/grants/{given['ref']}/end", {"reason": "договор расторгнут"}, 200)

    assert ended["ended_by"] == own
    assert (await row_of(maker, device, lab))["ended_by"] == own
    answer = await get(client, f"/passports/{device}/access/why", org=lab)
    assert (answer["shown"], answer["lack"], answer["ask"]) == (False, "ended", [own])
    assert await refused(client, f"/grants/{given['ref']}/end", {"reason": "ещё раз"}) == "grant_ended"


async def test_grant_over_all_that_is_ours_reaches_what_comes_later(maker: RunningWeb) -> None:
    """One statement opens meters that are made after it, and its end closes them all."""
    client, lab = maker.local(), await maker.meet("lab")
    first = await meter(maker)
    given = await post(client, "/grants", {"org": lab, "mine": True, "classes": [2]})
    second = await meter(maker, "0012346")

    assert given["devices"] is None
    for device in (first, second):
        assert (await get(client, f"/passports/{device}/access/why", org=lab))["shown"]
    await post(client, f"/grants/{given['ref']}/end", {"reason": "хватит"}, 200)
    for device in (first, second):
        assert not (await get(client, f"/passports/{device}/access/why", org=lab))["shown"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"classes": []}, "grant_classes"),
        ({"classes": [2], "profile": "service"}, "grant_classes"),
        ({"verb": "write", "rows": ["party"]}, "grant_rows"),
        ({"verb": "write"}, "grant_rows"),
        ({"profile": "nobody"}, "profile_unknown"),
        ({"classes": [2], "since": "2026-05-02", "until": "2026-05-01"}, "mandate_period"),
    ],
)
async def test_grant_that_says_nothing_is_refused(maker: RunningWeb, body: Json, code: str) -> None:
    """Each refusal names what is missing."""
    device, lab = await meter(maker), await maker.meet("lab")

    assert await refused(maker.local(), "/grants", {"org": lab, "ids": [device], **body}) == code


async def test_grant_to_ourselves_is_refused(maker: RunningWeb) -> None:
    """A grant goes to others."""
    own = (await get(maker.local(), "/node"))["org"]
    body = {"org": own, "ids": [await meter(maker)], "classes": [2]}

    assert await refused(maker.local(), "/grants", body) == "grant_to_self"


async def test_profile_limits_what_a_grant_opens(maker: RunningWeb) -> None:
    """A lab that is let in by its profile sees parameters and no radio; the profile was published for that."""
    client, device, lab = maker.local(), await meter(maker), await maker.meet("lab")
    row = {"code": "dn", "value": "15"}
    await post(client, f"/passports/{device}/parameters", {"rows": [row]})
    await post(client, f"/passports/{device}/events", {"what": "calibrated", "where": "цех", "when": "2026-05-01"})

    given = await post(client, "/grants", {"org": lab, "ids": [device], "profile": "lab"})

    assert given["profile"] == "lab 1"
    published = [one for one in (await get(client, "/profiles"))["items"] if one["org"] is not None]
    assert [one["name"] for one in published] == ["lab"]
    shown = await sections_shown(maker, device, lab)
    assert (shown["parameters"], shown["event"]) == (True, False)
    why = await get(client, f"/passports/{device}/access/why", org=lab, **await place_of(maker, device, "event"))
    assert (why["shown"], why["lack"]) == (False, "profile")


@pytest.mark.parametrize("name", SHIPPED)
async def test_passport_is_issued_under_each_shipped_profile(maker: RunningWeb, name: str) -> None:
    """The page, the file and its digest show what the profile names and count the rest; the file proves itself."""
    client, device = maker.local(), await meter(maker)
    await post(client, f"/passports/{device}/parameters", {"rows": [{"code": "dn", "value": "15"}]})
    await maker.context.ledger.publish()

    answer = await get(client, f"/passports/{device}/issue", profile=name)
    checked = check_file(await file_of(client, device, profile=name))

    assert checked.findings == []
    assert checked.view == answer["view"]
    shows = shipped_profiles()[name].shows(5, "parameters", 2)
    assert ("dn" in answer["view"]["parameters"]) is shows
    counted = {(one["klass"], one["section"]): one["count"] for one in answer["withheld"]}
    assert (counted, answer["left_out"]) == (
        ({}, 1) if name == "public" else ({} if shows else {(2, "parameters"): 1}, 0)
    )


async def test_profile_is_published_once_and_adopted_under_its_name(maker: RunningWeb) -> None:
    """An own version takes the place of the shipped one by the node's own act, and gives it back."""
    client = maker.local()
    own = json.loads(shipped_profiles()["lab"].to_bytes()) | {"version": "2", "rows": [
        {"kinds": ["protocol"], "sections": ["extract"], "classes": [2]},
    ]}  # fmt: skip
    published = await publish(maker, own)

    assert (published["used"], (await publish(maker, own))["id"]) == (False, published["id"])
    await post(client, f"/profiles/{published['id']}/adoption", {}, 200)
    used = {one["name"]: one["version"] for one in (await get(client, "/profiles"))["items"] if one["used"]}
    assert used == dict.fromkeys(SHIPPED, "1") | {"lab": "2"}
    async with client.post("/api/v1/profiles", data=json.dumps(own | {"rows": own["rows"] * 2})) as response:
        assert (response.status, (await response.json())["code"]) == (409, "profile_version_taken")
    async with client.post("/api/v1/profiles", data=b'{"name": "x"}') as response:
        assert (response.status, (await response.json())["code"]) == (422, "profile_wrong")


async def publish(web: RunningWeb, profile: Json) -> Json:
    """Publish a profile by the API."""
    async with web.local().post("/api/v1/profiles", data=json.dumps(profile)) as response:
        assert response.status == 201, await response.text()
        return await response.json()


async def place_of(web: RunningWeb, device: str, section: str) -> dict[str, str]:
    """The place of the statement about a device that has a section, and the section."""
    view = (await get(web.local(), f"/passports/{device}"))["view"]
    rows = [row for row in view["statements"] if section in {one["name"] for one in row["sections"]}]
    return {"ref": rows[0]["ref"], "section": section}


async def sections_shown(web: RunningWeb, device: str, org: str) -> dict[str, bool]:
    """Whether an organisation is shown each section of what was said of a device."""
    view, found = (await get(web.local(), f"/passports/{device}"))["view"], dict[str, bool]()
    for row in view["statements"]:
        for one in row["sections"]:
            asked = {"org": org, "ref": row["ref"], "section": one["name"]}
            found[one["name"]] = (await get(web.local(), f"/passports/{device}/access/why", **asked))["shown"]
    return found


async def test_access_tab_grants_explains_and_ends_with_forms(maker: RunningWeb) -> None:
    """In both languages: what a grant would open, the grant, why it is shown, and the end with who ended it."""
    browser, device, lab = await maker.claim(), await meter(maker), await maker.meet("lab")
    await post(maker.local(), f"/passports/{device}/parameters", {"rows": [{"code": "dn", "value": "15"}]})
    path, form = f"/devices/{device}/access", {"ids": device, "org": lab, "classes": "2", "profile": ""}

    async with browser.post(f"{path}/grants", data={**form, "look": "true"}, headers=HTML) as response:
        assert 'id="looked"' in await response.text()
    assert (await get(maker.local(), f"/passports/{device}/access/why", org=lab))["shown"] is False
    async with browser.post(f"{path}/grants", data=form, headers=HTML, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, path)
    row = await row_of(maker, device, lab)
    asked = {"org": lab, "what": "/".join((await place_of(maker, device, "parameters")).values())}
    for language, shown, ground in (("ru", "видно", "разрешение"), ("en", "is shown", "grant")):
        headers = {**HTML, "Accept-Language": language}
        async with maker.local().get(path, params=asked, headers=headers) as response:
            page = await response.text()
            assert response.status == 200, page
            assert shown in page
            assert ground in page
    for wrong in ({"org": "nobody"}, {"org": lab, "what": "nothing/of-it"}):
        async with browser.get(path, params=wrong, headers=HTML) as response:
            assert response.status == 422, wrong
    ending = {"ref": row["ref"], "reason": "расторгнут"}
    async with browser.post(f"{path}/ends", data=ending, headers=HTML, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
    async with maker.local().get(path, params=asked, headers={**HTML, "Accept-Language": "en"}) as response:
        assert "the right was ended" in await response.text()
