"""Identity through the API of a real node: suggestions, one plate at two places, same, distinct, twins."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.meters import line_record
from tests.unit.web.running import RunningWeb, post, problem_code, refused, view_of

HERE, THERE = "ул. Ленина, 5, кв. 12", "пр. Мира, 7, кв. 3"
PLATE = {"designation": "ВС-15", "serial": "0012345", "approvals": ["12345-18"]}
Json = Any  # Any: JSON


async def state(client: ClientSession, **plate: Json) -> str:
    return str((await post(client, "/plates", plate))["id"])


async def test_slip_of_reading_is_answered_with_the_right_device(web: RunningWeb) -> None:
    """One digit wrong, zeros lost and Latin letters: the known device of that place is suggested first."""
    client = web.local()
    right = await state(client, **PLATE, place=HERE)
    await state(client, **{**PLATE, "serial": "0012346"}, place=THERE)
    before = await web.what()

    typed = {"designation": "BC 15", "serial": "№ 12845", "place": "Ленина 5 - 12"}
    async with client.get("/api/v1/plates/suggestions", params=typed) as response:
        found = (await response.json())["items"]

    assert [item["id"] for item in found][:1] == [right]
    assert found[0]["slip"] == "one-character"
    assert await web.what() == before


async def test_known_plate_at_another_place_is_asked_about(web: RunningWeb) -> None:
    """The second place is refused with the first one named; said to be a twin, it is a passport of its own."""
    client = web.local()
    first = await state(client, **PLATE, place=HERE)

    assert await refused(client, "/plates", {**PLATE, "place": THERE}) == "plate_elsewhere"
    twin = await state(client, **PLATE, place=THERE, twin=True)

    assert twin != first
    assert (await view_of(client, twin))["title"] == (await view_of(client, first))["title"]
    assert await state(client, **PLATE, place="Ленина, 5-12") == first
    # The other thing is known by its place from now on, said to be a twin or not.
    assert await state(client, **PLATE, place=THERE) == twin
    assert await state(client, **PLATE, place=THERE, twin=True) == twin


async def test_plate_without_a_line_is_one_device_however_it_is_typed(web: RunningWeb) -> None:
    """Look-alike letters, separators and labels give the same id, at once too; a twin is said and has its own."""
    client = web.local()
    plate = {"designation": "СГВ-15", "serial": "10000014", "year": "2019"}
    first, again = await asyncio.gather(state(client, **plate), state(client, **plate))
    assert first == again
    assert await state(client, **{**plate, "designation": "CГB 15", "serial": "№ 10000014"}) == first
    twin = await state(client, **plate, twin=True)
    assert twin != first
    assert await state(client, **plate) == first


async def test_plate_that_cannot_be_read_off_is_refused_by_name(web: RunningWeb) -> None:
    """A serial of signs alone and a year to come are refused; full-width digits are the digits that they show."""
    client = web.local()
    plate = {"designation": "СГВ-15", "serial": "0012345", "year": "2019"}
    assert await refused(client, "/plates", {**plate, "serial": "!!!"}) == "plate_mute"
    assert await refused(client, "/plates", {**plate, "year": "2044"}) == "plate_year_future"
    assert "plate_stated" not in await web.what()
    assert await state(client, **{**plate, "serial": "00123４5", "year": "２０１９"}) == await state(client, **plate)


async def test_field_that_a_body_has_not_is_refused_by_name(web: RunningWeb) -> None:
    """A body with a field that no model knows is refused whole: nothing of it is dropped without a word."""
    body = {"designation": "СГВ-15", "serial": "0012345", "lot": "L-9"}
    async with web.local().post("/api/v1/plates", json=body) as response:
        told = await response.json(content_type=None)
    assert (response.status, told["code"], told["errors"][0]["pointer"]) == (422, "validation", "/lot")
    assert told["errors"][0]["rule"] == "extra_forbidden"


async def test_line_of_whom_nobody_attested_says_that_it_does_not_count(web: RunningWeb) -> None:
    """The line is published, the answer hints that it binds nothing yet, and the list of lines that count lacks it."""
    client = web.local()
    said = await post(client, "/lines", {"record": line_record("0" * 32)})
    assert [hint["rule"] for hint in said["hints"]] == ["line-unattested"]
    async with client.get("/api/v1/lines") as response:
        assert (await response.json())["items"] == []


async def test_plate_that_may_be_a_known_one_is_answered_with_its_id(web: RunningWeb) -> None:
    """Where only one of both says a year there are two ids and a hint that names the known one."""
    client = web.local()
    plate = {"designation": "СГВ-15", "serial": "10000014"}
    first = await state(client, **plate, year="2019")
    said = await post(client, "/plates", plate)
    assert said["id"] != first
    assert [(hint["pointer"], hint["rule"]) for hint in said["hints"]] == [("/serial", "plate-known")]
    assert first in said["hints"][0]["message"]
    other = await post(client, "/plates", {**plate, "mark": "Бетар", "year": "2020"})
    assert other["id"] not in (first, said["id"])
    assert [said["id"] in hint["message"] for hint in other["hints"]] == [True]


@pytest.mark.req("B65")
async def test_two_ids_of_one_device_are_merged_and_unmerged(web: RunningWeb) -> None:
    """Both ids lead to one passport once it is said, and to two again once it is taken back; aliases go with them."""
    client = web.local()
    one = await state(client, designation="КТК-15", serial="12345")
    other = await state(client, designation="КТК 15И", serial="0012345")
    assert one != other

    await post(client, f"/passports/{one}/sameness", {"says": "same", "other": other, "reason": "осмотр"})
    joined = await view_of(client, one)
    assert set(joined["ids"]) == {one, other}
    assert (await view_of(client, other))["id"] == joined["id"]

    said = joined["sameness"][0]
    assert said["counts"]
    await post(client, f"/passports/{one}/sameness/withdrawals", {"ref": said["ref"]}, 204)
    assert (await view_of(client, one))["ids"] == [one]
    assert (await view_of(client, other))["ids"] == [other]
    assert (await web.what()).count("said_same") == 1


async def test_distinct_passports_are_suggested_no_more(web: RunningWeb) -> None:
    """Two near passports are suggested for each other until somebody says that they are two devices."""
    client = web.local()
    one = await state(client, **PLATE, place=HERE)
    other = await state(client, **{**PLATE, "serial": "0012354"}, place=HERE)

    async def suggested() -> list[str]:
        async with client.get(f"/api/v1/passports/{one}/suggestions") as response:
            return [item["id"] for item in (await response.json())["items"]]

    assert await suggested() == [other]
    await post(client, f"/passports/{one}/sameness", {"says": "distinct", "other": other})
    assert await suggested() == []


async def test_statements_move_to_a_twin_and_back(web: RunningWeb) -> None:
    """What is named moves to the twin's own passport; taken back, it stands where it stood."""
    client = web.local()
    device = await state(client, **PLATE)
    await post(client, f"/passports/{device}/events", {"what": "installed", "where": "дом 2", "when": "2026-05-01"})
    event = next(e for e in (await view_of(client, device))["events"] if e["what"]["central"] == "installed")

    twin = (await post(client, f"/passports/{device}/twins", {"moves": [event["ref"]], "reason": "двойник"}))["id"]
    assert (await view_of(client, device))["events"] == []
    assert [e["what"]["central"] for e in (await view_of(client, twin))["events"]] == ["installed"]

    ref = (await view_of(client, device))["sameness"][0]["ref"]
    await post(client, f"/passports/{device}/sameness/withdrawals", {"ref": ref}, 204)
    assert len((await view_of(client, device))["events"]) == 1
    async with client.get(f"/api/v1/passports/{twin}") as response:
        assert await problem_code(response) == "passport_unknown"
    async with client.get("/api/v1/passports", params={"q": PLATE["serial"]}) as response:
        assert [row["id"] for row in (await response.json())["items"]] == [device]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("sameness", {"says": "same", "other": "self"}, "sameness_self"),
        ("sameness", {"says": "same", "other": "EPP1-0000000000000000000000000000"}, "passport_unknown"),
        ("sameness", {"says": "same", "other": "EPP1-0000000000000000000000000001"}, "id_mistyped"),
        ("sameness", {"says": "perhaps", "other": "self"}, "validation"),
        ("twins", {"moves": []}, "validation"),
        ("twins", {"moves": [f"{'0' * 32}:0:{'0' * 32}"]}, "twin_moves_unknown"),
        ("sameness/withdrawals", {"ref": f"{'0' * 32}:0:{'0' * 32}"}, "sameness_unknown"),
    ],
)
async def test_word_about_nothing_is_refused(web: RunningWeb, path: str, body: Json, code: str) -> None:
    """What names no other passport, no statement or no word of ours is refused, and nothing is written."""
    client = web.local()
    device = await state(client, **PLATE)
    before = await web.what()

    named = {**body, "other": device} if body.get("other") == "self" else body

    assert await refused(client, f"/passports/{device}/{path}", named) == code
    assert await web.what() == before
