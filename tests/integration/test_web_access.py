"""Coming in: the claim, log-in, sessions, tokens, scopes, other sites."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.errors import DeniedError, NotFoundError, StateError
from node.services.access import IDLE_US, SESSION_US, Actor, Role, Scope
from tests.unit.web.running import PASSWORD, SAME_ORIGIN, RunningWeb, problem_code, running_web

HTML = {"Accept": "text/html", **SAME_ORIGIN}
LOGIN = {"name": "anna", "password": PASSWORD}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[RunningWeb]:
    """A node's doors."""
    async with running_web(tmp_path / "node") as running:
        yield running


async def test_unclaimed_node_shows_only_the_way_to_claim_it(web: RunningWeb) -> None:
    """Before the claim every page leads to the explanation, and the API refuses."""
    client = web.client()
    async with client.get("/journal", headers=HTML, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/claim")
    async with client.get("/api/v1/journal") as response:
        assert (response.status, await problem_code(response)) == (403, "unclaimed")
    async with client.post("/login", data=LOGIN, headers=SAME_ORIGIN) as response:
        assert await problem_code(response) == "unclaimed"


async def test_own_socket_has_all_rights_from_the_start(web: RunningWeb) -> None:
    """Who may open the node's socket is its administrator, claimed or not."""
    async with web.local().get("/api/v1/me") as response:
        me = await response.json()
    assert me["kind"] == "local"
    assert set(me["scopes"]) == {scope.value for scope in Scope}


async def test_claim_link_works_once(web: RunningWeb) -> None:
    """The link makes one administrator, logs them in, and is worth nothing after that."""
    secret = await web.context.access.open_claim()
    browser = web.client(SAME_ORIGIN)
    for status in (303, 409):
        async with browser.post(f"/claim/{secret}", data=LOGIN, allow_redirects=False) as response:
            assert response.status == status
    async with browser.get("/", headers=HTML) as response:
        assert response.status == 200
    assert await web.what() == ["node_claimed", "logged_in"]


async def test_two_claims_at_once_make_one_administrator(web: RunningWeb) -> None:
    """Of claims that arrive together one wins, the others are told that the node is claimed."""
    secret = await web.context.access.open_claim() or ""
    access = web.context.access
    claims = [access.claim(secret, f"p{n}", PASSWORD, "ru", "") for n in range(3)]
    results = await asyncio.gather(*claims, return_exceptions=True)
    assert sum(isinstance(result, StateError) for result in results) == 2
    assert len(await access.accounts()) == 1


async def test_only_the_newest_claim_link_is_valid(web: RunningWeb) -> None:
    """A new link takes the place of earlier ones; another text is none."""
    earlier = await web.context.access.open_claim() or ""
    newest = await web.context.access.open_claim() or ""
    await web.context.access.check_claim(newest)
    for text in (earlier, "", newest + "x"):
        with pytest.raises(NotFoundError):
            await web.context.access.check_claim(text)


async def test_log_in_opens_what_was_asked_for_and_log_out_shuts_it(web: RunningWeb) -> None:
    """A page asks for a log-in, the log-in leads back to it, and after the log-out the cookie is worthless."""
    await web.claim()
    browser = web.client(HTML)
    async with browser.get("/journal?limit=5", allow_redirects=False) as response:
        assert response.headers["Location"] == "/login?next=%2Fjournal%3Flimit%3D5"
    form = {**LOGIN, "next": "/journal?limit=5"}
    async with browser.post("/login", data=form, allow_redirects=False) as response:
        assert response.headers["Location"] == "/journal?limit=5"
        (cookie,) = response.headers.getall("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    stolen = {"Cookie": cookie.partition(";")[0]}
    async with browser.post("/logout", allow_redirects=False) as response:
        assert response.status == 303
    async with web.client().get("/api/v1/me", headers=stolen) as response:
        assert await problem_code(response) == "unauthenticated"


@pytest.mark.parametrize("target", ["//evil.example/", "/\\evil.example", "https://evil.example", "/x\r\nY: z", ""])
async def test_log_in_leads_nowhere_else(web: RunningWeb, target: str) -> None:
    """A link cannot make the log-in send people to another site."""
    await web.claim()
    form = {**LOGIN, "next": target}
    async with web.client(HTML).post("/login", data=form, allow_redirects=False) as response:
        assert response.headers["Location"] == "/"


async def test_wrong_name_and_wrong_password_look_alike(web: RunningWeb) -> None:
    """A refused log-in does not tell whether the account exists, and is journaled."""
    await web.claim()
    texts = set()
    for form in ({**LOGIN, "password": "not it at all"}, {"name": "nobody", "password": PASSWORD}):
        async with web.client(HTML).post("/login", data=form) as response:
            assert response.status == 401
            texts.add((await response.text()).replace(form["name"], ""))
    assert len(texts) == 1
    assert (await web.what()).count("login_refused") == 2


async def test_guessing_is_stopped_and_time_heals(web: RunningWeb) -> None:
    """After five wrong passwords from one address even the right one waits, until the window is over."""
    await web.claim()
    access = web.context.access
    for _ in range(5):
        with pytest.raises(DeniedError):
            await access.log_in("anna", "wrong", "192.0.2.1")
    with pytest.raises(StateError) as stopped:
        await access.log_in("anna", PASSWORD, "192.0.2.1")
    assert stopped.value.code == "too_many_attempts"
    await access.log_in("anna", PASSWORD, "192.0.2.2")
    web.clock.move(15 * 60 + 1)
    await access.log_in("anna", PASSWORD, "192.0.2.1")


async def test_idle_session_ends_and_a_used_one_lasts_a_week(web: RunningWeb) -> None:
    """A session ends half a day after its last use, and a week after its log-in however much it was used."""
    access = web.context.access
    secret = await access.open_claim() or ""
    session = await access.claim(secret, "anna", PASSWORD, "ru", "")
    step_s = IDLE_US // 1_000_000 - 60
    for _ in range(SESSION_US // IDLE_US):
        assert await access.find_session_actor(session.secret) is not None
        web.clock.move(step_s)
    web.clock.move(1000)
    assert await access.find_session_actor(session.secret) is None
    idle = await access.log_in("anna", PASSWORD, "")
    web.clock.move(IDLE_US / 1e6 + 1)
    assert await access.find_session_actor(idle.secret) is None


async def test_new_password_ends_other_sessions(web: RunningWeb) -> None:
    """Who changes the password stays in; every other session of the account ends."""
    browser = await web.claim()
    other = web.client(HTML)
    await other.post("/login", data=LOGIN)
    async with browser.post("/account/password", data={"password": "another long one"}) as response:
        assert response.status == 200
    async with other.get("/account", allow_redirects=False) as response:
        assert response.status == 303


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
async def test_other_sites_cannot_act_through_a_session(
    web: RunningWeb, headers: dict[str, str], allowed: bool
) -> None:
    """A write with a session's cookie is taken from the node's own pages only; refusals are journaled."""
    browser = await web.claim()
    del browser.headers["Sec-Fetch-Site"]
    async with browser.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}, headers=headers) as response:
        assert response.status == (201 if allowed else 403)
    assert ("write_refused" in await web.what()) is not allowed


async def test_own_origin_counts_where_the_browser_says_no_site(web: RunningWeb) -> None:
    """On plain http beyond loopback browsers send no Sec-Fetch-Site: the same Origin is enough."""
    browser = await web.claim()
    del browser.headers["Sec-Fetch-Site"]
    async with browser.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}, headers={"Origin": web.url}) as r:
        assert r.status == 201


async def test_token_is_shown_once_and_kept_as_a_hash(web: RunningWeb) -> None:
    """The secret is in the answer alone: neither the lists, nor the journal, nor any file of the store hold it."""
    browser = await web.claim()
    key = {"Idempotency-Key": "once"}
    async with browser.post("/api/v1/tokens", json={"name": "1c", "scopes": ["import"]}, headers=key) as response:
        issued = await response.json()
    for path in ("/api/v1/tokens", "/api/v1/journal", "/access"):
        async with browser.get(path) as response:
            assert issued["secret"] not in await response.text()
    for file in web.socket.parent.iterdir():
        assert file.is_socket() or issued["secret"].encode() not in file.read_bytes()
    async with web.client({"Authorization": f"Bearer {issued['secret']}"}).get("/api/v1/me") as response:
        assert (await response.json())["scopes"] == ["import"]


async def test_token_ends_when_revoked_or_out_of_date(web: RunningWeb) -> None:
    """A revoked token and an expired one are refused, not overlooked."""
    await web.claim()
    revoked, expired = await web.system(Scope.READ, name="a"), await web.system(Scope.READ, name="b")
    rows = {token.name: token.id for token in await web.context.tokens.list()}
    await web.context.tokens.revoke(Actor.local(), rows["a"])
    async with expired.get("/api/v1/journal") as response:
        assert response.status == 200
    web.clock.move(31 * 86_400)
    for client in (revoked, expired):
        async with client.get("/api/v1/journal") as response:
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_token_does_what_its_scopes_say_and_no_more(web: RunningWeb) -> None:
    """A token without a scope is refused, told which scope it lacks, and the refusal is journaled with its name."""
    await web.claim()
    client = await web.system(Scope.READ)
    async with client.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}) as response:
        problem = await response.json(content_type=None)
    assert (problem["code"], problem["detail"]) == ("scope", "Нужны права: access.")
    last = (await web.context.journal.newest(limit=1))[0]
    assert (last.what, last.actor, last.org) == ("write_refused", "token:bench", web.context.core.org)


async def test_token_cannot_issue_more_than_it_has(web: RunningWeb) -> None:
    """A token with the scope access issues tokens with its own scopes only."""
    await web.claim()
    client = await web.system(Scope.ACCESS, Scope.READ)
    async with client.post("/api/v1/tokens", json={"name": "x", "scopes": ["ship"]}) as response:
        assert await problem_code(response) == "token_scopes"
    async with client.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}) as response:
        assert response.status == 201


async def test_reader_sees_and_changes_nothing(web: RunningWeb) -> None:
    """The role of a reader opens pages but no write, and the menu shows no access page."""
    await web.claim()
    await web.context.access.add_account(Actor.local(), "ivan", PASSWORD, Role.READER, "en")
    reader = web.client(HTML)
    async with reader.post("/login", data={"name": "ivan", "password": PASSWORD}) as response:
        page = await response.text()
    assert 'href="/journal"' in page
    assert 'href="/access"' not in page
    async with reader.post("/access/accounts", data={"name": "x", "password": PASSWORD, "role": "admin"}) as response:
        assert response.status == 403


async def test_removed_account_is_out_at_once(web: RunningWeb) -> None:
    """Removing an account ends its sessions; the last administrator cannot be removed."""
    browser = await web.claim()
    await web.context.access.add_account(Actor.local(), "ivan", PASSWORD, Role.ADMIN, "en")
    ivan = web.client(HTML)
    await ivan.post("/login", data={"name": "ivan", "password": PASSWORD})
    async with browser.delete("/api/v1/accounts/ivan") as response:
        assert response.status == 204
    async with ivan.get("/", allow_redirects=False) as response:
        assert response.status == 303
    async with browser.delete("/api/v1/accounts/anna") as response:
        assert await problem_code(response) == "last_administrator"


async def test_every_write_of_the_access_pages_is_journaled_with_its_actor(web: RunningWeb) -> None:
    """Each act leaves a row with the organisation and the person who did it."""
    browser = await web.claim()
    before = await web.context.journal.last_id()
    await browser.post("/access/tokens", data={"name": "x", "scopes": ["read", "import"], "days": "3"})
    (token,) = await web.context.tokens.list()
    await browser.post(f"/access/tokens/{token.id}/revoke")
    await browser.post("/access/accounts", data={"name": "oleg", "password": PASSWORD, "role": "reader"})
    await browser.post("/access/accounts/oleg/remove")
    await browser.post("/language", data={"language": "en", "back": "/"})
    rows = await web.context.journal.after(before)
    assert [row.what for row in rows] == [
        "token_issued", "token_revoked", "account_added", "account_removed", "language_changed",
    ]  # fmt: skip
    assert {(row.actor, row.org) for row in rows} == {("person:anna", web.context.core.org)}


async def test_two_nodes_on_one_host_keep_their_sessions_apart(web: RunningWeb, tmp_path: Path) -> None:
    """Cookies know no ports: a browser logged in to two nodes beside each other stays logged in to both."""
    async with running_web(tmp_path / "other", seed=1) as other:
        browser = await web.claim()
        secret = await other.context.access.open_claim()
        await browser.post(f"{other.url}/claim/{secret}", data=LOGIN)
        for url in (web.url, other.url):
            async with browser.get(f"{url}/api/v1/me") as response:
                assert response.status == 200
