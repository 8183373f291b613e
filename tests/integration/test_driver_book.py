"""Drivers that are published: which of them run on a node, which are refused and why, and who may change that."""

import asyncio

import pytest

from drivers.registry import Standing
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.services.driver_book import DriverBook, HeldDriver
from tests.catalog_records import TYPE
from tests.published import FRAME, package
from tests.unit.web.running import RunningWeb, get, post

ACTOR = "local"


async def said(web: RunningWeb, raw: bytes) -> None:
    """Something under kind 14 in the log of the organisation, whatever its node thinks of it."""
    context = web.context
    await context.ledger.append([drafts.driver(context.core.org, raw, context.core.clock.now())])
    await context.driver_book.settle()


async def states(book: DriverBook) -> dict[str, str]:
    """How each version stands."""
    return {one.stored.version: one.stored.state for one in await book.versions()}


async def by_version(book: DriverBook, version: str) -> HeldDriver:
    """A version of the one driver."""
    return next(one for one in await book.versions() if one.stored.version == version)


def mine(web: RunningWeb, **changes: object) -> bytes:
    """A package of the node's own organisation."""
    return package(web.context.core.org.hex(), **changes).encode()


async def test_published_driver_runs_and_reads_what_nobody_could_read(web: RunningWeb) -> None:
    """Before it there is no such driver; after it the frame is read, and the node's journal tells of both steps."""
    client = web.local()
    async with client.post("/api/v1/drivers/water-7/decodings", json={"port": 2, "data": FRAME}) as response:
        assert response.status == 404

    held = await web.context.driver_book.publish(mine(web), ACTOR)

    assert (held.stored.state, held.stored.detail["vectors"]) == ("active", 1)
    found = await post(client, "/drivers/water-7/decodings", {"port": 2, "data": FRAME})
    assert [(one["quantity"], one["value"]) for one in found["readings"]] == [
        ("volume", "1.234"), ("temperature", "23.1"),
    ]  # fmt: skip
    again = await web.context.driver_book.publish(mine(web), ACTOR)
    assert again.stored == held.stored
    what = [row["what"] for row in (await get(client, "/journal"))["items"]]
    assert (what.count("driver_published"), what.count("driver_active")) == (1, 1)


async def test_later_version_replaces_the_one_before_it_and_none_goes_back(web: RunningWeb) -> None:
    """The newest runs; an older one that comes later, or another content of a version, is refused and says why."""
    book = web.context.driver_book
    for version in ("1.0", "1.2"):
        await book.publish(mine(web, version=version), ACTOR)
    assert await states(book) == {"1.0": "replaced", "1.2": "active"}

    await said(web, mine(web, version="1.1"))

    assert await states(book) == {"1.0": "replaced", "1.1": "refused", "1.2": "active"}
    refusal = (await by_version(book, "1.1")).refusal
    assert refusal is not None
    assert "1.2" in refusal.text("en")
    with pytest.raises(InputError, match=r"goes back behind 1\.2"):
        await book.publish(mine(web, version="1.1.5"), ACTOR)
    with pytest.raises(InputError, match="other content"):
        await book.publish(mine(web, version="1.2", scale="2", says="port-2 | 0:volume=2468 m3"), ACTOR)


def half(name: str, text: str) -> bytes:
    """A package with a text that no store keeps."""
    given = package("00" * 16).encode()
    return given.replace(b'{"descriptor":{', f'{{"descriptor":{{"{name}":"{text}",'.encode()).replace(
        b'"name":"\xd0\x92\xd0\xbe\xd0\xb4\xd0\xb0-7",', b""
    )


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is JSON"),
        (b"\xff" * 100, "is JSON"),
        (b"[" * 10_000, "is JSON"),
        (b'{"descriptor":{},"files":{}}', "id: Field required"),
        (b"1" * 262_145, "at most 262144 bytes"),
        (half("name", "\\ud800"), "descriptor.name is no text"),
        (half("name", "a\\u0000"), "descriptor.name is no text"),
    ],
)
async def test_bytes_that_are_no_package_are_refused_and_listed(web: RunningWeb, raw: bytes, says: str) -> None:
    """Whoever publishes them is told; where they come from elsewhere the list tells, and nothing else happens."""
    with pytest.raises(InputError, match=says):
        await web.context.driver_book.publish(raw, ACTOR)
    if len(raw) > 262_144:
        return

    await said(web, raw)

    (held,) = await web.context.driver_book.versions()
    assert held.stored.state == "refused"
    assert held.refusal is not None
    assert says in held.refusal.text("ru")


async def test_driver_whose_vector_does_not_hold_is_refused(web: RunningWeb) -> None:
    """The refusal names the vector, what was expected and what came; nothing of it can be started."""
    wrong = mine(web, says="port-2 | 0:volume=1 m3")
    with pytest.raises(InputError, match=r"vector usual does not hold: expected .*=1 m3, got .*=1\.234 m3"):
        await web.context.driver_book.publish(wrong, ACTOR)

    await said(web, wrong)

    (held,) = await web.context.driver_book.versions()
    assert not held.may_start
    assert web.context.drivers.registry.find("water-7") is None
    with pytest.raises(StateError):
        await web.context.driver_book.start(held.stored.hash, ACTOR)


async def test_driver_is_stopped_and_started_and_keeps_its_state_over_a_start_of_the_node(web: RunningWeb) -> None:
    """Stopped it reads nothing, also when all is settled anew; the older version can be started in its place."""
    book, drivers = web.context.driver_book, web.context.drivers
    old = (await book.publish(mine(web), ACTOR)).stored.hash
    new = (await book.publish(mine(web, version="1.1"), ACTOR)).stored.hash

    await book.stop(new, ACTOR, whole=False)
    await book.settle()
    assert drivers.registry.find("water-7") is None

    await book.start(old, ACTOR)
    await book.settle()
    running = drivers.registry.find("water-7")
    assert running is not None
    assert running.hash == old

    await book.start(new, ACTOR)
    assert await states(book) == {"1.0": "replaced", "1.1": "active"}
    with pytest.raises(StateError):
        await book.stop(old, ACTOR, whole=False)
    with pytest.raises(NotFoundError):
        await book.stop(bytes(32), ACTOR)


@pytest.mark.parametrize(("whole", "expected"), [(True, "stopped"), (False, "active")])
async def test_driver_that_is_stopped_stays_so_whatever_version_comes(
    web: RunningWeb, whole: bool, expected: str
) -> None:
    """A stop of the driver holds until an administrator starts a version of it; that of a version is of this alone."""
    book, drivers = web.context.driver_book, web.context.drivers
    old = await book.publish(mine(web), ACTOR)

    await book.stop(old.stored.hash, ACTOR, whole=whole)
    new = await book.publish(mine(web, version="1.1"), ACTOR)
    await book.settle()

    assert await states(book) == {"1.0": "stopped", "1.1": expected}
    assert (drivers.registry.find("water-7") is None, new.is_stopped, new.may_start) == (whole, whole, whole)
    if whole:
        with pytest.raises(StateError):
            await book.stop(new.stored.hash, ACTOR)
        await book.start(new.stored.hash, ACTOR)
        assert not (await by_version(book, "1.0")).is_stopped
    await book.publish(mine(web, version="1.2"), ACTOR)
    assert (await states(book))["1.2"] == "active"
    what = [row["what"] for row in (await get(web.local(), "/journal"))["items"]]
    assert ("driver_stopped_whole" in what) == whole


async def test_page_asks_what_is_stopped_the_driver_or_the_version(web: RunningWeb) -> None:
    """Both buttons stand there in both languages; the page tells of a driver that is stopped as a whole."""
    browser, book = await web.claim(), web.context.driver_book
    digest = (await book.publish(mine(web), ACTOR)).stored.hash
    shown = []
    for what in ("version", "driver"):
        async with browser.get("/drivers/published") as response:
            shown.append(await response.text())
        async with browser.post(f"/drivers/published/{digest.hex()}/stop", data={"what": what}) as response:
            shown.append(await response.text())
        if what == "version":
            await book.start(digest, ACTOR)

    assert "Драйвер целиком, вместе с будущими версиями" in shown[0]
    assert "Только эту версию" in shown[0]
    assert ["остановлены все версии" in text for text in shown] == [False, False, False, True]


async def test_driver_that_failed_again_and_again_is_quarantined_until_it_is_started(web: RunningWeb) -> None:
    """The list says why; a later version runs all the same."""
    book = web.context.driver_book
    held = await book.publish(mine(web), ACTOR)

    await asyncio.gather(*(book.quarantine(held.stored.hash, "it raised ZeroDivisionError") for _ in range(3)))

    found = await by_version(book, "1.0")
    assert (found.stored.state, found.stored.detail["why"]) == ("quarantined", "it raised ZeroDivisionError")
    assert web.context.drivers.registry.find("water-7") is None
    await book.publish(mine(web, version="1.1"), ACTOR)
    assert await states(book) == {"1.0": "quarantined", "1.1": "active"}


async def test_withdrawn_driver_runs_no_more_and_cannot_be_started(web: RunningWeb) -> None:
    """Its publisher takes it back with a reason; nobody else can, and no older version takes its place by itself."""
    book = web.context.driver_book
    await book.publish(mine(web), ACTOR)
    held = await book.publish(mine(web, version="1.1"), ACTOR)

    await book.withdraw(held.stored.hash, "Объём завышен вдвое", ACTOR)

    assert await states(book) == {"1.0": "replaced", "1.1": "withdrawn"}
    assert web.context.drivers.registry.find("water-7") is None
    with pytest.raises(StateError):
        await book.start(held.stored.hash, ACTOR)
    await book.withdraw(held.stored.hash, "ещё раз", ACTOR)


async def test_id_of_an_installed_driver_is_taken(web: RunningWeb) -> None:
    """A published driver does not take the name of one that is installed on this machine."""
    await web.context.driver_book.settle()

    with pytest.raises(InputError, match="installed on this machine"):
        await web.context.driver_book.publish(mine(web, name="betar-vega"), ACTOR)


async def test_owner_of_a_type_stands_above_those_who_are_only_trusted(web: RunningWeb) -> None:
    """Who publishes a type has his driver chosen for it before others; without the type he is trusted at home only."""
    book, drivers = web.context.driver_book, web.context.drivers
    held = await book.publish(mine(web), ACTOR)
    running = drivers.registry.find_by_hash(held.stored.hash)
    assert running is not None
    assert running.standing is Standing.TRUSTED

    org = web.context.core.org.hex()
    await post(web.local(), "/federation", {"name": "Демо"})
    await post(web.local(), "/attestations", {"org": org, "what": "maker", "rows": []}, 201)
    await post(web.local(), "/types", {"record": TYPE}, 201)
    await book.settle()

    running = drivers.registry.find_by_hash(held.stored.hash)
    assert running is not None
    assert running.standing is Standing.OWNER


@pytest.mark.req("A45")
async def test_card_of_a_type_tells_whether_its_protocol_keeps_time(web: RunningWeb) -> None:
    """Which drivers read it, and for each whether the meter's clock can be read and set; without any it says so."""
    client = web.local()
    await post(client, "/federation", {"name": "Демо"})
    await post(client, "/attestations", {"org": web.context.core.org.hex(), "what": "maker", "rows": []}, 201)
    await post(client, "/types", {"record": TYPE}, 201)
    assert (await get(client, "/types/t:new"))["readers"] == []

    await web.context.driver_book.publish(mine(web), ACTOR)

    (reader,) = (await get(client, "/types/t:new"))["readers"]
    assert (reader["driver"], reader["capabilities"], reader["keeps_time"]) == ("water-7", [], False)
    browser = await web.claim()
    async with browser.get("/types/t:new") as response:
        assert "не отвечает" in await response.text()
    betar = next(item for item in web.context.drivers.installed if item.driver.descriptor.id == "betar-vega")
    assert {"time-read", "time-set"} <= set(betar.driver.descriptor.capabilities)


async def test_drivers_are_published_stopped_and_started_over_the_api(web: RunningWeb) -> None:
    """Check, publish, list, read the bytes, stop, start, take back; trust is given and taken."""
    client, raw = web.local(), mine(web)
    async with client.post("/api/v1/drivers/checks", data=raw) as response:
        assert (response.status, (await response.json())["vectors"]) == (200, 1)
    async with client.post("/api/v1/drivers/versions", data=raw) as response:
        made = await response.json()
        assert (response.status, made["state"], made["own"]) == (201, "active", True)
    path = f"/drivers/versions/{made['hash']}"
    async with client.get(f"/api/v1{path}") as response:
        assert await response.read() == raw
    for what, is_whole in ((None, True), ("driver", True), ("version", False)):
        stopped = await post(client, f"{path}/stop", {} if what is None else {"what": what})
        assert (stopped["state"], stopped["stopped"]) == ("stopped", is_whole)
        started = await post(client, f"{path}/start", {})
        assert (started["state"], started["stopped"]) == ("active", False)
    async with client.post(f"/api/v1{path}/stop", json={"what": "publisher"}) as response:
        assert response.status == 422
    assert (await post(client, f"{path}/withdrawal", {"reason": "ошибка"}))["state"] == "withdrawn"
    assert [one["may_start"] for one in (await get(client, "/drivers/versions"))["items"]] == [False]
    async with client.post("/api/v1/drivers/versions", data=b"{}") as response:
        told = await response.json()
        assert (response.status, told["code"]) == (422, "driver_refused")
    async with client.put(f"/api/v1/drivers/publishers/{'ab' * 16}") as response:
        assert (response.status, (await response.json())["code"]) == (404, "org_unknown")
    org = web.context.core.org.hex()
    async with client.put(f"/api/v1/drivers/publishers/{org}") as response:
        assert [one["org"] for one in (await response.json())["items"]] == [org]
    async with client.delete(f"/api/v1/drivers/publishers/{org}") as response:
        assert (await response.json())["items"] == []
    async with client.delete(f"/api/v1/drivers/publishers/{org}") as response:
        assert response.status == 404
