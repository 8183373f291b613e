"""Following over the API and its pages: a list that is pasted, one device, and the choice at a peer."""

import pytest

from federation.peer import PeerAddress
from node.passport.ids import SubjectId, format_device_id
from node.store.peers import put_peer
from node.web.routes import API
from tests.builders import id16, signing_key
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, get, post, refused

HTML = {"Accept": "text/html", **SAME_ORIGIN}
PEER = id16("peer")
PLATE = {"mark": "ДЕМО", "designation": "ВС-15Д", "serial": "00000001", "year": "2025"}


def device(name: str) -> str:
    """The id of a device that is not known here."""
    return format_device_id(SubjectId(id16(name)))


async def meet(web: RunningWeb) -> None:
    """A peer in exchange."""
    async with web.context.core.database.write() as tx:
        await put_peer(tx, PeerAddress("", PEER, signing_key("peer").public, bytes(32)), id16("org"), "active")


async def test_devices_are_followed_listed_and_followed_no_more(web: RunningWeb) -> None:
    """By ids whether known here or not, and by what stands on a device here; the rest is named as unknown."""
    client = web.local()
    made = (await post(client, "/plates", PLATE))["id"]

    answer = await post(client, "/followed", {"devices": [device("one"), "ВС-15Д № 00000001", "нет такого", made]})
    first = await get(client, "/followed", limit="1")
    rest = await get(client, "/followed", limit="1", cursor=first["next"])

    assert answer == {"new": 2, "unknown": ["нет такого"]}
    rows = {row["id"]: row["title"] for row in (*first["items"], *rest["items"])}
    assert rows.keys() == {device("one"), made}
    assert rows[device("one")] == ""
    assert "00000001" in rows[made]
    assert rest["next"] is None
    async with client.delete(f"{API}/followed/{made}") as response:
        assert response.status == 204
    assert [row["id"] for row in (await get(client, "/followed"))["items"]] == [device("one")]
    assert {"followed", "unfollowed"} <= {*await web.what()}


async def test_more_than_may_be_followed_is_refused(web: RunningWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of such a list is followed."""
    monkeypatch.setattr("node.services.following.MAX_FOLLOWED", 2)

    code = await refused(web.local(), "/followed", {"devices": [device(f"{n}") for n in range(3)]})

    assert code == "followed_most"
    assert (await get(web.local(), "/followed"))["items"] == []


async def test_peer_of_which_only_what_is_followed_is_taken_is_chosen(web: RunningWeb) -> None:
    """The choice shows in the list of nodes and in the journal; of an unknown node there is none."""
    await meet(web)
    client = web.local()

    await post(client, f"/peers/{PEER.hex()}/choice", {"only_followed": True})

    (peer,) = (await get(client, "/peers"))["items"]
    assert (peer["only_followed"], peer["follows"]) == (True, None)
    assert (await web.what())[-1] == "peer_followed_only"
    assert await refused(client, f"/peers/{id16('nobody').hex()}/choice", {"only_followed": True}) == "peer_unknown"


async def test_pages_follow_and_choose(web: RunningWeb) -> None:
    """What is pasted into the page is followed; the passport, the peers and an empty search lead there and back."""
    await meet(web)
    browser = await web.claim()
    made = (await post(web.local(), "/plates", PLATE))["id"]

    async def shown(path: str) -> str:
        async with browser.get(path, headers=HTML) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def sent(path: str, **form: str) -> str:
        async with browser.post(path, data=form, headers=HTML) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    await sent(f"/peers/{PEER.hex()}/choice", only_followed="true")
    assert 'id="not-followed"' in await shown(f"/devices/{made}")
    page = await sent("/followed", devices=f"{device('one')}\r\n{made}\r\nнет такого")
    assert 'href="/find?q=%D0%BD%D0%B5%D1%82%20%D1%82%D0%B0%D0%BA%D0%BE%D0%B3%D0%BE"' in page
    assert f'action="/devices/{device("one")}/unfollow"' in page
    passport = await shown(f"/devices/{made}")
    assert 'id="not-followed"' not in passport
    assert f'action="/devices/{made}/unfollow"' in passport
    assert f'action="/devices/{made}/follow"' in await sent(f"/devices/{made}/unfollow")
    assert 'href="/followed"' in await shown("/peers")
    assert "/find?q=77777" in await shown("/devices?q=77777")
    assert f'href="/devices/{made}"' in await shown("/find?q=00000001")
    async with browser.get("/find?q=EPP1-MISTYPED", headers=HTML) as response:
        assert response.status == 422
        assert "EPP1-MISTYPED" in await response.text()
