"""The pages of roles and of access: what the API does, done with forms, in both languages."""

import pytest

from node.services.access import Actor, Role, Scope
from node.store.logs import list_logs
from node.web.routes import API
from node.web.server import ROUTES
from tests.unit.web.running import PASSWORD, SAME_ORIGIN, RunningWeb, get, post, view_of

HTML = {"Accept": "text/html", **SAME_ORIGIN}


async def test_roles_are_stated_offered_and_ended_with_forms(web: RunningWeb) -> None:
    """The page of roles and the passport show what was signed; what is filled in wrongly is signed nowhere."""
    browser, device = await web.claim(), (await post(web.local(), "/plates", {"text": "СГВ-15 № 0012345"}))["id"]
    await web.meet("utility")
    form = {
        "role": "responsible",
        "ids": device,
        "name": "ТСЖ",
        "inn": "7736050003",
        "document": "договор 7",
        "since": "",
    }
    async with browser.post("/roles/statements", data={**form, "inn": "1"}, headers=HTML) as response:
        assert response.status == 422
    async with browser.post("/roles/statements", data=form, headers=HTML, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/roles")
    (act,) = (await get(web.local(), "/mandates"))["items"]

    for language, words, number in (
        ("ru", "Ответственный", "ИНН 7736050003"),
        ("en", "Responsible party", "INN 7736050003"),
    ):
        for path in ("/roles", f"/devices/{device}", f"/roles?ids={device}"):
            async with web.local().get(path, headers={**HTML, "Accept-Language": language}) as response:
                page = await response.text()
                assert response.status == 200, page
                assert words in page
                assert "договор 7" in page
                assert number in page
    ending = {"reason": "расторгнут"}
    async with browser.post(f"/roles/{act['id']}/end", data=ending, headers=HTML, allow_redirects=False) as response:
        assert response.status == 303
    assert (await get(web.local(), f"/mandates/{act['id']}"))["state"] == "ended"


async def test_systems_are_registered_and_cut_off_with_forms(web: RunningWeb) -> None:
    """From the access page: rights, a token shown once, cutting off and letting in again, in both languages. A
    name that is taken leaves what was typed.
    """
    browser = await web.claim()
    form = {
        "name": "1С ERP",
        "kind": "1С",
        "scopes": ["read", "record"],
        "writes": ["events"],
        "networks": "10.0.0.0/8\n::/0",
    }
    async with browser.post("/access/systems", data=form, headers=HTML, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
    async with browser.post("/access/systems", data={**form, "contact": "отдел 7"}, headers=HTML) as response:
        page = await response.text()
        assert response.status == 409
        assert all(typed in page for typed in ('name="name" value="1С ERP"', 'value="отдел 7"', "10.0.0.0/8\n::/0"))
    async with browser.post("/access/systems/1С ERP/tokens", data={"days": "30"}, headers=HTML) as response:
        assert 'id="secret">pn_' in await response.text()
    async with browser.post("/access/systems/1С ERP/block", data={"reason": "проверка"}, headers=HTML) as response:
        assert response.status == 200
    shown = await get(web.local(), "/systems/1С ERP")
    assert (shown["networks"], shown["reason"], len(shown["tokens"])) == (["10.0.0.0/8", "::/0"], "проверка", 1)
    for language, words in (("ru", "Системы организации"), ("en", "Systems of the organisation")):
        async with web.local().get("/access", headers={**HTML, "Accept-Language": language}) as response:
            page = await response.text()
            assert words in page
            assert "1С ERP" in page
            assert "pn_" not in page
    fewer = {"kind": "1С", "scopes": "read", "per_minute": "5"}
    async with browser.post("/access/systems/1С ERP", data=fewer, headers=HTML) as response:
        assert response.status == 200
    async with browser.post("/access/systems/1С ERP/unblock", headers=HTML) as response:
        assert response.status == 200
    shown = await get(web.local(), "/systems/1С ERP")
    assert (shown["scopes"], shown["writes"], shown["per_minute"], shown["blocked"]) == (["read"], [], 5, None)


@pytest.mark.req("B64f")
async def test_administrator_keeps_catalogs_and_members_and_signs_for_its_own_organisation_alone(
    web: RunningWeb,
) -> None:
    """Whatever operation names another organisation: every statement that comes of it is signed by this one."""
    await web.claim()
    await web.context.access.add_account(Actor.local(), "oleg", PASSWORD, Role.OPERATOR, "ru")
    operator, admin = web.client(SAME_ORIGIN), web.client(SAME_ORIGIN)
    for client, name in ((operator, "oleg"), (admin, "anna")):
        async with client.post("/login", data={"name": name, "password": PASSWORD}) as response:
            assert response.status == 200
    own, other = (await get(web.local(), "/node"))["org"], await web.meet("utility")
    for client, status in ((operator, 403), (admin, 201)):
        async with client.post(f"{API}/federation", json={"name": "Демо"}) as response:
            assert response.status == status
    device = (await post(admin, "/plates", {"designation": "СГВ-15", "serial": "0012345"}))["id"]
    record = {
        "marks": ["Демо"], "designations": ["СГВ-20"], "legal_makers": ["Другой завод"], "publisher": other,
        "serial": {"pattern": "digits", "width": 7},
    }  # fmt: skip
    acts = [
        ("/attestations", {"org": other, "what": "maker", "rows": []}),
        ("/lines", {"record": record}),
        ("/catalogs/events/codes", {"items": [{"code": "УСТ", "central": "installed"}]}),
        ("/shares", {"org": other, "ids": [device]}),
        ("/shipments", {"buyer": other, "number": "1", "devices": [device]}),
        ("/mandates/offers", {"role": "responsible", "org": other, "ids": [device]}),
        ("/mandates/appointments", {"role": "data_source", "org": other, "ids": [device]}),
        (f"/passports/{device}/events", {"what": "installed", "where": "Садовая, 1", "when": "2026-05-01"}),
    ]
    for path, body in acts:
        async with admin.post(f"{API}{path}", json=body) as response:
            assert response.status < 500, await response.text()

    core = web.context.core
    async with core.database.read() as tx:
        logs = await list_logs(tx)
    assert [(log.org.hex(), log.own) for log in logs if log.size] == [(own, True)]
    assert {row["org"] for row in (await view_of(admin, device))["statements"]} == {own}
    # Nothing that may be written takes the name of who says it.
    fields = {
        name for route in ROUTES if route.is_write and not route.is_page
        for model in route.models.values() if model is not bytes for name in model.model_fields
    }  # fmt: skip
    assert not fields & {"author", "by", "signer", "from_org", "seller", "said_by", "issuer", "on_behalf"}
    assert Role.ADMIN.scopes - Role.OPERATOR.scopes == {Scope.PEERS, Scope.ACCESS, Scope.BACKUP}
