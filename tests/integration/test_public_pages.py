"""What whoever scans a label is answered: by the console's door and by the public one, for people and for programs."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Literal
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from aiohttp.web import AppRunner, TCPSite
from pydantic import ValidationError

from node.config import PublicSection
from node.passport import drafts
from node.passport.bodies import AliasBody, WithdrawalBody
from node.passport.ids import SubjectId, format_device_id, format_label_url, parse_device_id
from node.passport.profiles import shipped_profiles
from node.passport.references import parse_ref
from node.services import public
from node.services.access import Actor
from node.web.public.door import build_public_application
from tests.unit.web.running import SAME_ORIGIN, RunningWeb, get, post, problem_code

PLATE = {"mark": "СЧЁТЧИК", "designation": "СГВ-15", "serial": "0012345", "year": "2025"}
LINKSET = {"Accept": "application/linkset+json"}
NOBODYS = format_device_id(SubjectId(bytes(range(16))))
PLACE = "Садовая улица, подвал"


@pytest.fixture
async def door(web: RunningWeb) -> AsyncIterator[ClientSession]:
    """A visitor at the public door of the same node, in English."""
    runner = AppRunner(build_public_application(web.context), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with ClientSession(f"http://127.0.0.1:{port}", headers={"Accept-Language": "en"}) as visitor:
        yield visitor
    await runner.cleanup()


async def installed(web: RunningWeb) -> str:
    """The id of a meter that stands at an address."""
    client = web.local()
    device = str((await post(client, "/plates", PLATE))["id"])
    await post(client, f"/passports/{device}/events", {"what": "installed", "where": PLACE, "when": "2026-05-11"})
    return device


async def read(client: ClientSession, path: str, status: int = 200, language: str = "en") -> str:
    async with client.get(path, headers={"Accept-Language": language}, allow_redirects=False) as response:
        text = await response.text()
        assert (response.status, response.content_type) == (status, "text/html"), text
        assert not response.cookies
        return text


async def test_label_opens_the_public_part_without_a_log_in(web: RunningWeb, door: ClientSession) -> None:
    """Every spelling of what is printed leads to one page: what the plate says, in two languages, and no more."""
    device = await installed(web)
    await web.claim()
    link = format_label_url("works.example", parse_device_id(device))
    spelled = (
        device, device.lower().replace("-", "- "), quote(link, safe=""), link, "СГВ-15 № 0012345", "сгв 15 № 0012345",
    )  # fmt: skip

    for text in spelled:
        for client in (door, web.client({"Accept-Language": "en"})):
            page = await read(client, f"/d/{text}")
            assert "<title>СГВ-15 № 0012345</title>" in page, text
            assert "<dd>0012345</dd>" in page, text
            assert "".join(f"<span>{group}</span><wbr>" for group in ("EPP1", device[5:9])) in page
            assert "Садовая" not in page
            assert "installed" not in page
            assert "<script" not in page
            assert "style=" not in page
            assert len(page.encode()) < 12_000
    assert "Заводской №" in await read(door, f"/d/{device}?lang=ru")
    assert "Заводской №" in await read(door, f"/d/{device}", language="ru-RU,ru;q=0.9")


async def test_profile_that_names_more_opens_no_more(web: RunningWeb, door: ClientSession) -> None:
    """What is of a class above public stays where it is, whatever the profile `public` of this node names."""
    device = await installed(web)
    every = [{"kinds": ["*"], "sections": ["*"], "classes": [0, 1, 2, 3, 4]}]
    own = shipped_profiles()["public"].model_dump(mode="json") | {"version": "2", "rows": every, "headers": True}
    published = await post(web.local(), "/profiles", own)

    await post(web.local(), f"/profiles/{published['id']}/adoption", {})

    shown = (await web.context.public.read(device)).passport
    assert shown is not None
    view = shown.view
    assert "0012345" in await read(door, f"/d/{device}")
    assert PLACE not in str(view)
    assert view["events"] == []


async def test_maker_code_and_printed_dev_eui_lead_to_the_page(web: RunningWeb, door: ClientSession) -> None:
    """A GS1 code in each of its spellings, and a DevEUI that was read off the housing; one of papers leads nowhere."""
    client, code = web.local(), "(01)04601234567893(21)A/1"
    device = str((await post(client, "/plates", {**PLATE, "codes": [code]}))["id"])
    evidence: Literal["label", "document"]
    for value, evidence in (("02C0DE00000000A1", "label"), ("02C0DE00000000A2", "document")):
        alias = AliasBody(scheme="dev_eui", value=value, evidence=evidence)
        await web.context.ledger.append([drafts.alias(parse_device_id(device).raw, alias, web.clock.now())])

    for text in (
        quote(code, safe=""), "010460123456789321A%2F1", "01/04601234567893/21/A%2F1",
        "https://id.gs1.org/01/04601234567893/21/A%2F1?linkType=all", "02-c0-de-00-00-00-00-a1",
    ):  # fmt: skip
        assert f"/d/{device}" in await read(door, f"/d/{text}"), text
    await read(door, "/d/02c0de00000000a2", 404)


async def test_what_several_carry_or_was_taken_back_opens_nothing(web: RunningWeb, door: ClientSession) -> None:
    """Of two devices with one plate neither is opened by it; a plate that was taken back has no page any more."""
    client = web.local()
    one = str((await post(client, "/plates", PLATE))["id"])
    other = str((await post(client, "/plates", {**PLATE, "twin": True, "place": PLACE}))["id"])
    assert "Several devices carry this" in await read(door, "/d/СГВ-15 № 0012345", 409)
    said = (await get(client, f"/passports/{one}/statements"))["items"]
    refs, body = [parse_ref(row["ref"]) for row in said], WithdrawalBody(reason="ошибка")

    await web.context.ledger.append([drafts.withdrawal([parse_device_id(one).raw], refs, body, web.clock.now())])

    await read(door, f"/d/{one}", 404)
    assert other in await read(door, "/d/СГВ-15 № 0012345")


async def test_program_is_answered_a_linkset(web: RunningWeb, door: ClientSession) -> None:
    """`Accept: application/linkset+json` gets RFC 9264 with the label's link as its context; a page names it."""
    device = await installed(web)

    async with door.get(f"/d/{device.lower()}", headers=LINKSET) as response:
        assert response.content_type == "application/linkset+json"
        assert response.headers["Vary"] == "Accept, Accept-Language"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        (links,) = (await response.json(content_type=None))["linkset"]
    async with door.get(links["describedby"][0]["href"]) as response:
        named = response.links["linkset"]
    async with door.get(str(named["url"])) as response:
        again = await response.json(content_type=None)

    assert links["anchor"] == str(response.url.with_query(None)) == str(response.url.origin()) + f"/d/{device}"
    assert links["canonical"] == [{"href": links["anchor"]}]
    assert links["https://gs1.org/voc/defaultLink"] == links["describedby"]
    assert [one["hreflang"] for one in links["alternate"]] == [["ru"], ["en"]]
    assert all(one["type"] == "text/html" and one["title"] == "СГВ-15 № 0012345" for one in links["alternate"])
    assert again == {"linkset": [links]}
    for text, status, code in ((device[:-1] + "0", 422, "printed_mistyped"), (NOBODYS, 404, "public_unknown")):
        async with door.get(f"/d/{text}", headers=LINKSET) as response:
            assert (response.status, await problem_code(response)) == (status, code)


async def test_closest_range_of_accept_counts(door: ClientSession) -> None:
    """Ranges count where no type is named, over all lines of the header; a page is answered where both are alike."""
    page, links = "text/html", "application/problem+json"
    for accept, answered in (
        (["*/*"], page),
        (["application/*"], links),
        (["text/*;q=0.4, application/json;q=0.3"], page),
        (["text/html;q=0, */*;q=0.1"], links),
        (["text/html", "application/linkset+json"], page),
        (["text/html;q=0.5", "application/linkset+json"], links),
        (["application/linkset+json;q=nan"], page),
    ):
        async with door.get(f"/d/{NOBODYS}", headers=[("Accept", line) for line in accept]) as response:
            assert (response.status, response.content_type) == (404, answered), accept


async def test_what_is_not_public_is_answered_as_what_is_not_here(
    web: RunningWeb, door: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither words nor time nor a crowd before it tell a stranger that a device is here that is not public."""
    device = await installed(web)
    own = shipped_profiles()["public"].model_dump(mode="json") | {"version": "2"}
    own["rows"] = [row | {"sections": ["nothing"]} for row in own["rows"]]
    published = await post(web.local(), "/profiles", own)
    await post(web.local(), f"/profiles/{published['id']}/adoption", {})

    async def told(text: str) -> tuple[str, bool]:
        begun = time.monotonic()
        page = await read(door, f"/d/{text}", 404)
        return page.replace(text, ""), time.monotonic() - begun >= public.STEP_S

    assert await told(device) == await told(NOBODYS)
    assert (await told(NOBODYS))[1]
    monkeypatch.setattr(public, "MOST_AT_ONCE", 0)
    for text in (device, NOBODYS):
        assert "busy with other requests" in await read(door, f"/d/{text}", 503)


async def test_answer_is_asked_for_again_and_kept(web: RunningWeb, door: ClientSession) -> None:
    """An answer has a version by which it is told again in no bytes; HEAD answers as GET does, without them."""
    device = await installed(web)
    async with door.get(f"/d/{device}") as response:
        tag, told = response.headers["ETag"], dict(response.headers)
    async with door.get(f"/d/{device}", headers={"If-None-Match": tag}) as response:
        assert (response.status, await response.read()) == (304, b"")
    async with door.get(f"/d/{device}", headers={"If-None-Match": "*"}) as response:
        assert response.status == 304
    async with door.head(f"/d/{device}") as response:
        assert (response.status, response.headers["ETag"], await response.read()) == (200, tag, b"")

    own = shipped_profiles()["public"].model_dump(mode="json") | {"version": "2"}
    own["rows"] = [row | {"sections": ["claim"]} for row in own["rows"]]
    published = await post(web.local(), "/profiles", own)
    await post(web.local(), f"/profiles/{published['id']}/adoption", {})

    async with door.get(f"/d/{device}", headers={"If-None-Match": tag}) as response:
        assert response.status == 200
        assert "0012345" not in await response.text()
    assert told["Cache-Control"] == "no-cache"
    assert told["X-Robots-Tag"] == "noindex, nofollow"
    assert "script-src" not in told["Content-Security-Policy"]


async def test_who_is_logged_in_is_led_to_the_passport_itself(web: RunningWeb) -> None:
    """At the console's door a session leads to the passport in its own profile; `public` shows what others see."""
    device = await installed(web)
    person = await web.claim()

    for text in (device, quote(f"https://elsewhere.example/d/{device}", safe=""), "СГВ-15 № 0012345"):
        async with person.get(f"/d/{text}", allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, f"/devices/{device}")
    async with person.get(f"/d/{NOBODYS}", allow_redirects=False) as response:
        assert response.headers["Location"] == f"/find?q={NOBODYS}"
    assert "СГВ-15" in await read(person, f"/d/{device}?public=1")
    async with web.client(SAME_ORIGIN).get(f"/d/{device}") as response:
        assert "Cookie" in response.headers["Vary"]
        assert f'href="/login?next=%2Fd%2F{device}"' in await response.text()


async def test_label_of_somebody_else_is_told_with_its_host(web: RunningWeb, door: ClientSession) -> None:
    """A foreign label is never followed: its host stands on the page as a link, whatever else the address holds."""
    for link in (f"https://other.example/d/{NOBODYS}", f"https:/other.example/d/{NOBODYS}/"):
        page = await read(door, f"/d/{quote(link, safe='')}", 404)
        assert f'href="https://other.example/d/{NOBODYS}" rel="noopener noreferrer nofollow"' in page
        assert "<b>other.example</b>" in page
        assert "This is a label of another organisation" in page
    for host in ("10.0.0.1", "localhost", "a@evil.example", "evil.example:8440", "xn--", "пример.рф"):
        page = await read(door, f"/d/{quote(f'https://{host}/d/{NOBODYS}', safe='')}", 404)
        assert 'class="away"' not in page or f"https://{host.partition(':')[0]}/" in page, host
    device = await installed(web)
    page = await read(door, f"/d/{quote(f'https://other.example/d/{device}', safe='')}")
    assert "<b>other.example</b>" in page
    assert "СГВ-15 № 0012345" in page


async def test_visitor_is_shown_the_way_to_his_own_node(web: RunningWeb, door: ClientSession) -> None:
    """The address of a node that he types makes a link that shows its host; what is no address makes none."""
    device = await installed(web)
    for typed, link in (
        ("node.example", f"https://node.example/d/{device}"),
        ("http://10.0.0.5:8440/", f"http://10.0.0.5:8440/d/{device}"),
        ("https://[fd00::1]:8440", f"https://[fd00::1]:8440/d/{device}"),
    ):
        assert f'class="away" href="{link}"' in await read(door, f"/d/{device}?node={quote(typed, safe='')}")
    for typed in ("javascript:alert(1)", "https://a/b/c", "evil.example/x?", "https://u@h", "\r\nX: y", "<b>"):
        page = await read(door, f"/d/{device}?node={quote(typed, safe='')}&lang=en")
        assert 'href="' + typed not in page
        assert 'class="away"' not in page
        assert "This is no address of a node" in page


async def test_bad_input_is_told_and_reflects_nothing(web: RunningWeb, door: ClientSession) -> None:
    """Slips, unknown ids, scripts, endless and crooked paths: one page says what to do, and never a stack trace."""
    await post(web.local(), "/plates", {**PLATE, "mark": "<script>alert(1)</script>"})
    (shown,) = (await get(web.local(), "/passports"))["items"]
    for path, status in (
        (shown["id"][:-1] + ("0" if shown["id"][-1] != "0" else "1"), 422),
        (NOBODYS, 404),
        ("0012345", 404),
        ("EPP1", 422),
        ("%3Cscript%3Ealert(1)%3C/script%3E", 404),
        ("%00", 422),
        ("a%0d%0aSet-Cookie:%20x=1", 422),
        ("%ff%fe", 404),
        ("..%2f..%2fetc%2fpasswd", 404),
        ("(01)04601234567893(21)1%1d", 404),
        ("01/04601234567893/21/A%2FB", 404),
        ("https://id.gs1.org/01/04601234567893/21/1?x=1&lang=en", 404),
        ("01234567" * 900, 422),
    ):
        page = await read(door, f"/d/{path}", status)
        assert "<script" not in page, path[:64]
        assert "Traceback" not in page, path[:64]
    assert "&lt;script&gt;" in await read(door, f"/d/{shown['id']}")
    await web.claim()
    async with web.client().get("/d/" + "x" * 100_000) as response:
        assert response.status in (400, 422)  # by the limit of its door, or as no label
    async with door.get("/d/?q=%0d%0aSet-Cookie:%20x=1&lang=en", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/d/Set-Cookie%3A%20x%3D1?lang=en")


async def test_public_door_has_nothing_else(web: RunningWeb, door: ClientSession) -> None:
    """Of the console, its API and its log-in nothing is behind the public door, whatever one brings along."""
    secret, _ = await web.context.tokens.issue(Actor.local(), "t", frozenset(), 1)
    tokened = {"Authorization": f"Bearer {secret}"}
    for path in ("/", "/login", "/claim", "/devices", "/api/v1/passports", "/healthz", "/metrics", "/static/x/app.css"):
        async with door.get(path, headers=tokened, allow_redirects=False) as response:
            assert (response.status, await response.text()) == (404, "404\n"), path
    async with door.post("/d/x", data=b"y" * 4096) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
    async with door.get("/robots.txt") as response:
        assert await response.text() == "User-agent: *\nDisallow: /\n"
    port = (await door.get("/robots.txt")).url.port
    for crooked in ("/d/../login", "/d/..%2f..%2flogin", "//d/../../etc/passwd", "/static/../app.py"):
        told, answer = await asyncio.open_connection("127.0.0.1", port)
        answer.write(f"GET {crooked} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert (await told.read()).startswith(b"HTTP/1.1 404 "), crooked
        answer.close()
    page = await read(door, "/d/")
    for start in page.split('href="/static/')[1:]:
        async with door.get("/static/" + start.partition('"')[0]) as response:
            assert response.status == 200
            assert len(await response.read()) < 8_000


async def test_one_address_is_answered_in_measure(web: RunningWeb, door: ClientSession) -> None:
    """Who asks without end is put off with 429; somebody else behind the same proxy is answered."""

    async def ask(number: int) -> tuple[int, str | None]:
        hops = [("X-Forwarded-For", f"198.51.100.{number}"), ("X-Forwarded-For", "203.0.113.7")]  # the first he made up
        async with door.get(f"/d/{NOBODYS}", headers=hops) as response:
            return response.status, response.headers.get("Retry-After")

    answers = await asyncio.gather(*map(ask, range(web.context.settings.public.burst + 5)))

    assert set(answers) == {(404, None), (429, "60")}
    async with door.get(f"/d/{NOBODYS}", headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.1"}) as response:
        assert response.status == 404


@pytest.mark.parametrize("domain", ["https://works.example", "works", "10.0.0.1", "Works.example", "a..b", "-a.b"])
def test_domain_that_is_none_is_refused_before_it_is_printed(domain: str) -> None:
    """What stands on labels for twenty years is a name in small letters, or the node does not start."""
    with pytest.raises(ValidationError, match="a domain is a name"):
        PublicSection(domain=domain)
    assert PublicSection(domain="xn--e1afmkfd.works.example")
