"""The drivers of a node through its API and console, and frames that somebody tries to read."""

import pytest

from tests import wireless
from tests.unit.web.running import RunningWeb, get, post

BETAR = "01631e000032e10b5e000001000000"


async def test_drivers_are_listed_with_what_they_are_for(web: RunningWeb) -> None:
    """Each with its version, models, range of firmware and the hash that readings store; none is broken."""
    found = await get(web.local(), "/drivers")

    by_id = {item["id"]: item for item in found["items"]}
    assert by_id["vega-si-v1"]["firmware"] == "< 2"
    assert by_id["vega-si-v2"]["firmware"] == "≥ 2"
    assert "Betar" in by_id["betar-vega"]["models"]
    assert by_id["betar-vega"]["level"] == "native"
    assert all(len(item["hash"]) == 64 and item["vectors"] for item in found["items"])
    assert found["broken"] == []


async def test_frame_is_read_and_nothing_is_stored(web: RunningWeb) -> None:
    """Readings, what the meter says of itself, states; spaces and capitals in the hex do not matter."""
    before = await web.what()

    found = await post(
        web.local(), "/drivers/betar-vega/decodings", {"port": 2, "data": BETAR[:8].upper() + " " + BETAR[8:]}
    )

    assert [(one["quantity"], one["value"], one["unit"]) for one in found["readings"]] == [
        ("volume", "0.0001", "m3"),
        ("temperature", "30", "Cel"),
        ("battery_level", "99", "%"),
    ]
    assert found["at"] == "2020-01-01T00:00:50+00:00"
    assert {"name": "led_lock", "value": "0"} in found["reported"]
    assert await web.what() == before


async def test_encrypted_frame_is_read_with_the_key_that_is_typed(web: RunningWeb) -> None:
    """Without the key, or with another, the refusal says so and shows no key."""
    client, body = web.local(), {"port": 0, "data": wireless.mode_5().hex()}

    found = await post(client, "/drivers/wmbus-oms/decodings", body | {"key": bytes(range(16)).hex()})

    assert ("volume", "1.234") in [(one["quantity"], one["value"]) for one in found["readings"]]
    for key in (None, "ab" * 16):
        async with client.post("/api/v1/drivers/wmbus-oms/decodings", json=body | {"key": key}) as response:
            told = await response.text()
            assert (response.status, '"frame_unread"' in told) == (422, True)
            assert key is None or key not in told


@pytest.mark.parametrize(
    ("driver", "body", "status"),
    [
        ("nobody", {"port": 2, "data": BETAR}, 404),
        ("betar-vega", {"port": 2, "data": BETAR[:-2]}, 422),
        ("betar-vega", {"port": 9, "data": BETAR}, 422),
        ("betar-vega", {"port": 2, "data": "zz"}, 422),
        ("betar-vega", {"port": 2, "data": "abc"}, 422),
        ("betar-vega", {"port": 2, "data": ""}, 422),
        ("betar-vega", {"port": 256, "data": BETAR}, 422),
        ("betar-vega", {"port": 2, "data": "00" * 5_000}, 422),
        ("betar-vega", {"port": 2, "data": BETAR, "key": "g" * 32}, 422),
        ("betar-vega", {"port": 2, "data": BETAR, "key": "00"}, 422),
    ],
)
async def test_what_is_no_frame_or_no_driver_is_refused(
    web: RunningWeb, driver: str, body: dict[str, object], status: int
) -> None:
    """Another driver, a frame cut, no hex, too much, a key that is none: an error by name, and no fault."""
    async with web.local().post(f"/api/v1/drivers/{driver}/decodings", json=body) as response:
        assert response.status == status, await response.text()


async def test_page_reads_a_frame_and_keeps_what_was_pasted_but_the_key(web: RunningWeb) -> None:
    """The values stand on the page; a wrong frame is told above the box."""
    browser = await web.claim()
    key = bytes(range(16)).hex()

    async with browser.post(
        "/drivers", data={"driver": "wmbus-oms", "port": "0", "data": wireless.mode_5().hex(), "key": key}
    ) as response:
        good = (response.status, await response.text())
    async with browser.post("/drivers", data={"driver": "betar-vega", "port": "2", "data": BETAR[:-2]}) as response:
        cut = (response.status, await response.text())
    async with browser.post(
        "/drivers", data={"driver": "betar-vega", "port": "2", "data": "не кадр", "key": "1"}
    ) as response:
        typed = (response.status, await response.text())

    assert good[0] == 200
    assert "1.234" in good[1]
    assert key not in good[1]
    assert (cut[0], typed[0]) == (422, 422)
    assert "15 bytes, got 14" in cut[1]
    assert BETAR[:-2] in cut[1]
    assert "Это не шестнадцатеричные цифры" in typed[1]
