"""Who belongs to the federation over the API and its pages: attest, vouch, expel; invitations read, listed, revoked."""

import pytest

from federation.genesis import Genesis
from federation.invitation import Invitation
from federation.words import fingerprint_words
from node.services.access import Scope
from node.web.routes import API
from tests.builders import found, id16, seed, signing_key
from tests.unit.web.running import NOW, SAME_ORIGIN, Json, RunningWeb, get, post, problem_code, refused

HTML = {"Accept": "text/html", **SAME_ORIGIN}
INN, OTHER = "inn:7707083893", "inn:0000000018"


async def member(web: RunningWeb, org: str) -> Json:
    """One organisation as the list tells it."""
    (one,) = [item for item in (await get(web.local(), "/federation/members"))["items"] if item["org"] == org]
    return one


def invitation(name: str = "Другие") -> Invitation:
    """What another node gives."""
    genesis = Genesis(name, (id16("anchor"),), 1)
    node = (id16("org"), id16("node"), signing_key("node").public, seed("pin"))
    return Invitation(genesis, *node, "https://127.0.0.1:1", id16("secret"), NOW + 1_000_000)


async def test_organisation_is_vouched_for_attested_and_expelled(web: RunningWeb) -> None:
    """Each act shows in the list with by whom and why; the log of acts tells them; said twice, nothing is signed."""
    client, org = web.local(), await web.meet("lab")
    await post(client, "/federation", {"name": "Одна"})
    assert (await member(web, org))["standing"] == "unknown"

    await post(client, f"/federation/members/{org}/vouch", {})
    assert (await member(web, org))["standing"] == "guest"
    attested = {"org": org, "what": "number", "rows": [OTHER]}
    await post(client, "/attestations", attested)
    before = (await get(client, "/node"))["size"]
    await post(client, "/attestations", attested)
    assert (await get(client, "/node"))["size"] == before
    stands = await member(web, org)
    assert (stands["standing"], stands["numbers"], stands["mine"]) == ("member", [OTHER], True)

    await post(client, f"/federation/members/{org}/expulsion", {"reason": "чужой ИНН"})
    ended = await member(web, org)
    assert (ended["standing"], ended["reason"], [one["org"] for one in ended["by"]]) == (
        "expelled",
        "чужой ИНН",
        [web.context.core.org.hex()],
    )
    assert await refused(client, f"/federation/members/{org}/vouch", {}) == "org_expelled"
    assert [what for what in await web.what() if what in ("vouched", "attested", "expelled")] == [
        "vouched",
        "attested",
        "expelled",
    ]
    await post(client, "/attestations", attested)
    assert (await member(web, org))["standing"] == "member"


async def test_number_of_another_is_refused_until_it_ends_there(web: RunningWeb) -> None:
    """A number has one holder: a new ИНН of it takes the place of the old one, which is free for another then."""
    client, one, other = web.local(), await web.meet("one"), await web.meet("other")
    await post(client, "/federation", {"name": "Одна"})
    await post(client, "/attestations", {"org": one, "what": "number", "rows": [OTHER]})

    assert await refused(client, "/attestations", {"org": other, "what": "number", "rows": [OTHER]}) == "number_taken"
    await post(client, "/attestations", {"org": one, "what": "number", "rows": [INN]})
    assert (await member(web, one))["numbers"] == [INN]
    await post(client, "/attestations", {"org": other, "what": "number", "rows": [OTHER]})
    assert (await member(web, other))["numbers"] == [OTHER]


@pytest.mark.parametrize("rows", [[], ["0000000018"], ["INN:0000000018"], ["ИНН:0000000018"], ["inn:"], [INN, "18"]])
async def test_number_without_its_register_makes_no_member(web: RunningWeb, rows: list[str]) -> None:
    """A number is written with its register, else the same one would not be known for another's; none is no number."""
    client, org = web.local(), await web.meet("one")
    await post(client, "/federation", {"name": "Одна"})

    said = {"org": org, "what": "number", "rows": rows}
    assert await refused(client, "/attestations", said) == "number_wrong"
    assert (await member(web, org))["standing"] == "unknown"


async def test_accreditation_has_its_scope_and_ends_on_a_day(web: RunningWeb) -> None:
    """The same words with a day take the place of those without one; what is no prefix or has no number is refused."""
    client, lab = web.local(), await web.meet("lab")
    await post(client, "/federation", {"name": "Одна"})
    said = {"org": lab, "what": "accreditation", "rows": ["RA.RU.310001", "type:t:cw"], "since": "2026-01-01"}
    await post(client, "/attestations", said)
    await post(client, "/attestations", {**said, "until": "2026-06-01"})

    (held,) = (await member(web, lab))["said"]
    assert (held["rows"], held["counts"]) == (["type:t:cw", "RA.RU.310001"], True)
    assert held["until_us"] - held["since_us"] == 151 * 86_400_000_000
    assert await refused(client, "/attestations", {**said, "rows": ["type:t:cw"]}) == "accreditation_wrong"
    wrong = {"org": lab, "what": "prefix", "rows": ["460"]}
    assert await refused(client, "/attestations", wrong) == "prefix_wrong"
    await post(client, "/attestations", {**wrong, "rows": ["gs1:460", "grsi:12345"]})


async def test_federation_of_three_anchors_shows_what_waits_for_the_second(web: RunningWeb) -> None:
    """Founded with two of three, one anchor's word counts nothing yet and is shown with who said it."""
    client, org = web.local(), await web.meet("lab")
    anchors = [await web.meet("second"), id16("third").hex()]
    assert await refused(client, "/federation", {"name": "Трое", "anchors": anchors, "quorum": 4}) == "quorum_wrong"
    founded = await post(client, "/federation", {"name": "Трое", "anchors": anchors, "quorum": 2})
    await post(client, "/attestations", {"org": org, "what": "number", "rows": [OTHER]})

    assert (len(founded["anchors"]), founded["quorum"]) == (3, 2)
    found = await member(web, org)
    assert (found["standing"], found["numbers"]) == ("unknown", [])
    assert [(one["counts"], one["mine"], len(one["anchors"])) for one in found["said"]] == [(False, True, 1)]
    assert (await member(web, anchors[0]))["standing"] == "anchor"
    assert await refused(client, f"/federation/members/{anchors[0]}/expulsion", {"reason": "-"}) == "anchor_stays"
    assert await refused(client, "/federation/leave", {"reason": "-"}) == "anchor_stays"


async def test_who_may_not_is_told_so(web: RunningWeb) -> None:
    """Outside a federation and without the right to peers nothing of it is done."""
    client, org = web.local(), await web.meet("lab")
    for path in (f"/federation/members/{org}/vouch/end", "/federation/leave"):
        assert await refused(client, path, {"reason": "-"}) == "no_federation"
    assert await refused(client, f"/federation/members/{org}/expulsion", {"reason": "-"}) == "not_an_anchor"
    await post(client, "/federation", {"name": "Одна"})
    assert await refused(client, f"/federation/members/{org}/vouch/end", {"reason": "-"}) == "not_the_voucher"
    assert await refused(client, f"/federation/members/{'00' * 16}/vouch", {}) == "org_unknown"
    reader = await web.system(Scope.READ)
    async with reader.post(f"{API}/federation/members/{org}/vouch", json={}) as response:
        assert response.status == 403
    assert (await get(reader, "/federation/members"))["items"]


async def test_invitation_is_read_without_joining(web: RunningWeb) -> None:
    """Federation, node, address and the words in both languages; nothing is kept, and an expiry of days ago is left to
    the node that gave it, whose clock decides.
    """
    client, made = web.local(), invitation()

    read = await post(client, "/federation/invitation/read", {"invitation": made.to_text()})

    assert (read["federation"]["name"], read["node"], read["url"]) == ("Другие", made.node.hex(), made.url)
    assert read["words"] == {name: " ".join(fingerprint_words(made, name)) for name in ("ru", "en")}
    assert (await get(client, "/peers"))["items"] == []
    assert (await get(client, "/node"))["federation"] is None
    web.clock.move(2 * 86_400)
    await post(client, "/federation/invitation/read", {"invitation": made.to_text()})
    web.clock.move(2 * 86_400)
    assert await refused(client, "/federation/invitation/read", {"invitation": made.to_text()}) == "invitation"


@pytest.mark.parametrize("text", ["PASSPORT1-nothing", "PASSPORT1-" + "A" * 5000, "X" * 60_000])
async def test_text_that_is_no_invitation_is_refused_in_words(web: RunningWeb, text: str) -> None:
    """Broken, or longer than any invitation: as the text says, without a try to join."""
    assert await refused(web.local(), "/federation/invitation/read", {"invitation": text}) == "invitation"


async def test_open_invitations_are_listed_and_revoked(web: RunningWeb) -> None:
    """Who made which until when, by an id that is no secret; revoked, it is gone and nobody joins by it."""
    client = web.local()
    web.context.membership.url = "https://127.0.0.1:8441"
    await post(client, "/federation", {"name": "Одна"})
    made = [await post(client, "/invitations", {}) for _ in range(2)]

    listed = (await get(client, "/invitations"))["items"]
    assert {one["id"] for one in listed} == {one["id"] for one in made}
    assert made[0]["words"] == made[1]["words"]
    assert {one["expires_us"] for one in listed} == {one["expires_us"] for one in made}
    assert made[0]["id"] not in made[0]["text"]
    async with client.delete(f"{API}/invitations/{made[0]['id']}") as response:
        assert response.status == 204
    assert [one["id"] for one in (await get(client, "/invitations"))["items"]] == [made[1]["id"]]
    async with client.delete(f"{API}/invitations/{made[0]['id']}") as response:
        assert (response.status, await problem_code(response)) == (404, "invitation_unknown")


async def test_pages_of_members_do_what_the_api_does(web: RunningWeb) -> None:
    """Attest, vouch and expel by forms, in both languages; what is wrong stays in the form."""
    browser, org = await web.claim(), await web.meet("lab")
    await post(web.local(), "/federation", {"name": "Одна"})

    async def send(path: str, **form: str) -> int:
        async with browser.post(path, data=form, headers=HTML, allow_redirects=False) as response:
            return response.status

    assert await send(f"/members/{org}/vouch") == 303
    assert await send("/members/attestations", org=org, what="number", rows="inn:1") == 422
    assert await send("/members/attestations", org=org, what="number", rows=f"{OTHER}\r\n", since="", until="") == 303
    for language, words in (("ru", ("участник", "ИНН 0000000018")), ("en", ("member", "INN 0000000018"))):
        async with web.local().get("/members", headers={**HTML, "Accept-Language": language}) as response:
            page = await response.text()
            assert response.status == 200
            assert all(word in page for word in words)
    assert await send(f"/members/{org}/expulsion", reason="чужой ИНН") == 303
    assert (await member(web, org))["standing"] == "expelled"
    assert await send("/members/leave", reason="-") == 409


async def test_forked_root_chain_is_told_and_one_branch_of_it_attested(web: RunningWeb) -> None:
    """Members shows both branches with their hashes; an anchor attests one, and by another word the other."""
    client, left, right = web.local(), found().node("left"), found().node("right")
    org = left.org.hex()
    await post(client, "/federation", {"name": "Одна"})
    for line in (left, right):
        await web.ingest.take_chain(line.statements)

    told = (await member(web, org))["branches"]
    assert {(one["n"], one["type"], one["node"], one["hash"]) for one in told} == {
        (1, "node", id16(name).hex(), line.last.hash.hex()) for name, line in (("left", left), ("right", right))
    }
    async with client.get("/members", headers=HTML) as page:
        shown = await page.text()
    assert left.last.hash.hex() in shown
    assert "Это верная ветвь" in shown
    for rows in ([], [id16("no").hex()], ["ff" * 32], [one["hash"] for one in told]):
        assert await refused(client, "/attestations", {"org": org, "what": "branch", "rows": rows}) == "branch_wrong"

    for line in (left, right):
        await post(client, "/attestations", {"org": org, "what": "branch", "rows": [line.last.hash.hex()]})
        assert web.context.projection.world.attestations.branches == {left.org: {line.last.hash}}
    anchors = {one["hash"]: len(one["anchors"]) for one in (await member(web, org))["branches"]}
    assert anchors == {left.last.hash.hex(): 0, right.last.hash.hex(): 1}


async def test_branch_that_forks_again_further_on_stays_attested_below(web: RunningWeb) -> None:
    """What was attested before is not taken back by a word for what follows it: others may not have said that yet."""
    client, trunk = web.local(), found().node("left")
    await post(client, "/federation", {"name": "Одна"})
    said = [trunk, found().node("right"), trunk.node("a"), trunk.node("b")]
    await web.ingest.take_chain([s for line in said for s in line.statements])

    for line in (trunk, said[2]):
        body = {"org": trunk.org.hex(), "what": "branch", "rows": [line.last.hash.hex()]}
        await post(client, "/attestations", body)

    attested = web.context.projection.world.attestations.branches[trunk.org]
    assert attested == {trunk.last.hash, said[2].last.hash}
