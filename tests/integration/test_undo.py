"""Undoing an import at a running node: what is taken back, what stays and why, again, after a crash, and anew."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from node.api_client import ApiError
from node.demo.processes import NodeProcess
from node.exchange.tables import read_table
from tests.fleets import Sample, clean
from tests.integration.test_fleet_import import start, table
from tests.nodes import Json, act, ask, check_store, command, journal, rows, send, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("undo")]
MANY = 700


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A utility with an empty registry."""
    running = start(tmp_path_factory.mktemp("undo") / "utility")
    yield running
    running.stop()


def take(node: NodeProcess, meters: list[Sample], name: str = "дом.csv") -> Json:
    """Import meters and answer the job once it ended."""
    job = send(node, "/imports", table(meters), kind="fleet", name=name)["job"]
    return ask(node, f"/jobs/{job}", wait="30")


def undo(node: NodeProcess, job: str, **body: object) -> Json:
    """Undo an import and answer the undo's job once it ended."""
    return ask(node, f"/jobs/{act(node, f'/jobs/{job}/undo', body)['job']}", wait="30")


def device(node: NodeProcess, meter: Sample) -> str:
    """The id of a meter, by the search."""
    (found,) = ask(node, "/passports", q=meter.serial)["items"]
    return str(found["id"])


def is_found(node: NodeProcess, meter: Sample) -> list[int]:
    """How often a meter is found by its serial and its DevEUI, in the list and by look-up."""
    asked = [text for text in (meter.serial, meter.dev_eui) if text]
    listed = [len(ask(node, "/passports", q=text)["items"]) for text in asked]
    return [*listed, *(len(ask(node, "/lookup", q=text)["items"]) for text in asked)]


def refusal(node: NodeProcess, job: str) -> str:
    """The code with which an undo is refused."""
    with pytest.raises(ApiError) as refused:
        undo(node, job)
    return str(refused.value.code)


def test_undone_import_leaves_no_device_to_find_and_may_be_taken_again(node: NodeProcess) -> None:
    """Lists, search, look-up and counts lose what only the import said; the ids tell why, and the journal stays."""
    meters = clean(30, seed=3)
    before = ask(node, "/passports/counts")
    job = take(node, meters)["job"]
    ids = {meter.serial: device(node, meter) for meter in meters}
    foreseen = ask(node, f"/jobs/{job}/undo")

    done = undo(node, job, reason="не та таблица")

    result = done["result"]
    assert (foreseen["gone"], foreseen["thinner"], foreseen["left"]) == (30, 0, [])
    assert (done["state"], done["kind"]) == ("done", "import.undo")
    assert (result["gone"], result["thinner"], result["left"]) == (30, 0, 0)
    assert result["statements"] == foreseen["statements"] == foreseen["looked"]
    assert ask(node, "/passports/counts") == before
    assert {count for meter in meters for count in is_found(node, meter)} == {0}
    assert ask(node, "/lookup", q=meters[0].account)["items"] == []
    with pytest.raises(ApiError) as gone:
        ask(node, f"/passports/{ids[meters[0].serial]}")
    assert gone.value.code == "passport_withdrawn"
    assert "не та таблица" in str(gone.value)
    told = [row["what"] for row in ask(node, "/journal", limit="200")["items"] if row["subject"]]
    assert told.count("passport_gone") == 30
    assert refusal(node, job) == "undo_nothing"

    again = take(node, meters)["result"]

    assert (again["new"], again["refused"]) == (30, 0)
    assert {meter.serial: device(node, meter) for meter in meters} == ids
    view = ask(node, f"/passports/{ids[meters[0].serial]}")["view"]
    said = [row for row in view["statements"] if row["kind"] != 23]
    assert Counter(row["withdrawn"] is not None for row in said) == {True: len(said) // 2, False: len(said) // 2}
    assert {row["withdrawn"]["reason"] for row in said if row["withdrawn"]} == {"не та таблица"}
    check_store_of(node)


def test_devices_on_which_somebody_built_stay_and_are_named(node: NodeProcess, tmp_path: Path) -> None:
    """An event, a value, a part or a correction keeps a device; the rest goes, and a table tells why."""
    meters = clean(12, seed=5)
    job = take(node, meters)["job"]
    built = {"event": build_event, "said": build_value, "composition": build_part, "named": build_correction}
    ids = {rule: device(node, meter) for (rule, _), meter in zip(built.items(), meters, strict=False)}
    for rule, build in built.items():
        build(node, ids[rule])
    report = tmp_path / "осталось.csv"

    shown = command("undo", job, "--preview", "-f", str(node.folder))
    done = command("undo", job, "--report", str(report), "-f", str(node.folder))

    assert (shown.returncode, done.returncode) == (0, 0), shown.stderr + done.stderr
    assert "8 devices would be no more, 0 would keep what else was said, 4 would stay" in " ".join(shown.stdout.split())
    assert "8 devices are no more, 0 keep other words, 4 stay as they are" in " ".join(done.stdout.split())
    left = read_table(report.read_bytes())
    assert {row.cells[0].text for row in left.rows} == set(ids.values())
    last = ask(node, "/jobs")["items"][0]
    found = ask(node, f"/jobs/{last['job']}/left", limit="2")
    rest = ask(node, f"/jobs/{last['job']}/left", limit="200", cursor=found["next"])
    assert {row["id"]: row["rule"] for row in (*found["items"], *rest["items"])} == {i: r for r, i in ids.items()}
    assert {row["by"] for row in rest["items"]} == {ask(node, "/node")["org"]}
    for meter in meters[: len(built)]:
        assert set(is_found(node, meter)) == {1}
    assert {count for meter in meters[len(built) :] for count in is_found(node, meter)} == {0}

    again = undo(node, job)["result"]

    assert (again["statements"], again["left"]) == (0, 4)
    check_store_of(node)


def test_what_was_said_before_an_import_stands_after_its_undo(node: NodeProcess) -> None:
    """Of a device that was known, only what the import added is taken back."""
    meter = clean(1, seed=7)[0]
    first = take(node, [meter])["job"]
    known = device(node, meter)
    before = ask(node, f"/passports/{known}")["view"]
    later = replace(meter, verified="2026-03-01", until="2032-02-29")
    second = take(node, [later])["job"]
    assert refusal_rules(node, first) == {"event": 1}

    result = undo(node, second)["result"]

    assert (result["gone"], result["thinner"], result["left"]) == (0, 1, 0)
    after = ask(node, f"/passports/{known}")["view"]
    for part in ("parameters", "events", "aliases", "identity", "state", "verification"):
        assert after[part] == before[part]
    assert ask(node, f"/jobs/{first}/undo")["left"] == []


def test_undo_refuses_what_it_cannot_take_back(node: NodeProcess) -> None:
    """An undo, a job that said nothing, and a job that is unknown are refused by name."""
    empty = take(node, [replace(clean(1, seed=9)[0], serial="")])["job"]
    undone = undo(node, take(node, clean(2, seed=9))["job"])["job"]

    assert refusal(node, empty) == "undo_nothing"
    assert refusal(node, undone) == "undo_unsupported"
    assert refusal(node, "00" * 8) == "job_unknown"


def test_rows_that_went_back_lie_sealed_in_the_store(node: NodeProcess) -> None:
    """Addresses and serials of refused rows, and of devices that an undo left, stand in no job in clear."""
    meters = clean(3, seed=13)
    wrong = replace(meters[0], serial="тайный-номер", address="г. Тайный, ул. Скрытая, д. 1")
    job = take(node, [wrong, *meters[1:]])
    build_event(node, device(node, meters[1]))
    undone = undo(node, job["job"])

    assert [row["value"] for row in job["result"]["findings"]] == ["тайный-номер"]
    assert undone["result"]["findings"][0]["title"]
    for (result,) in rows(node.folder, "select result from jobs where id in (?, ?)", job["job"], undone["job"]):
        assert "sealed" in json.loads(result)
        assert not {"findings", "faulty", "header"} & json.loads(result).keys()
        for text in ("тайный", "Тайный", meters[1].serial):
            assert text not in result


def test_console_asks_how_many_go_and_stay_and_tells_what_became_of_them(node: NodeProcess) -> None:
    """The page before counts devices that disappear and that stay, with the reason; the page after names the latter."""
    meters = clean(4, seed=17)
    job = take(node, meters)["job"]
    known = device(node, meters[0])
    build_event(node, known)

    asked, shown = asyncio.run(confirm(node, job))

    assert words(asked, "3 прибора исчезнут", "1 прибор останется как есть", "1 есть более позднее событие")
    assert words(shown, "Отмена импорта", "3 прибора исчезли", "1 прибор останется как есть")
    assert f"/devices/{known}" in shown
    assert set(is_found(node, meters[0])) == {1}
    assert set(is_found(node, meters[1])) == {0}


def test_killed_undo_ends_by_itself_with_each_statement_taken_back_once(tmp_path: Path) -> None:
    """Killed after some steps, an undo is ended by the next process; no withdrawal is said twice."""
    node = start(tmp_path / "utility")
    try:
        job = take(node, clean(MANY, seed=41))["job"]
        said = rows(node.folder, "select count(*) from fragments where kind in (1, 2, 4, 5)")[0][0]
        taken = act(node, f"/jobs/{job}/undo")["job"]
        until("some steps are done", partial(is_past, node, taken, 600))
        node.kill()
        cut_at = done_of(node, taken)
        node.start()
        ended = ask(node, f"/jobs/{taken}", wait="30")
    finally:
        node.stop()

    assert 600 <= cut_at < said
    assert (ended["state"], ended["done"], ended["result"]["statements"]) == ("done", said, said)
    assert (ended["result"]["gone"], ended["result"]["left"]) == (MANY, 0)
    assert rows(node.folder, "select count(*) from fragments where kind = 23") == [(MANY,)]
    assert rows(node.folder, "select count(*) from passports where kind = 'device'") == [(0,)]
    assert rows(node.folder, "select count(*) from cards where kind = 'device'") == [(0,)]
    assert [row["gone"] for row in journal(node.folder, "import_undone")] == [MANY]
    check_store(node.folder)


def build_event(node: NodeProcess, known: str) -> None:
    act(node, f"/passports/{known}/events", {"what": "installed", "where": "подвал", "when": "2026-05-02"})


def build_value(node: NodeProcess, known: str) -> None:
    act(node, f"/passports/{known}/parameters", {"rows": [{"code": {"central": "dn"}, "value": "15"}]})


def build_part(node: NodeProcess, known: str) -> None:
    whole = act(node, "/things", {"kind": "unit", "name": "Узел учёта"})["id"]
    act(node, f"/passports/{whole}/parts", {"parts": [{"id": known}], "since": "2026-05-02"})


def build_correction(node: NodeProcess, known: str) -> None:
    act(node, f"/passports/{known}/corrections", {"fact": "year", "value": "2018", "reason": "описка"})


def refusal_rules(node: NodeProcess, job: str) -> dict[str, int]:
    return {item["rule"]: item["devices"] for item in ask(node, f"/jobs/{job}/undo")["left"]}


def check_store_of(node: NodeProcess) -> None:
    """Nothing is wrong in the store of a node that runs on."""
    node.stop()
    check_store(node.folder)
    node.start()


def words(page: str, *wanted: str) -> bool:
    """Whether a page says all of these."""
    told = " ".join(re.sub("<[^>]*>", " ", page).split())
    return all(text in told for text in wanted)


def done_of(node: NodeProcess, job: str) -> int:
    return int(rows(node.folder, "select done from jobs where id = ?", job)[0][0])


def is_past(node: NodeProcess, job: str, least: int) -> bool:
    return done_of(node, job) >= least


async def confirm(node: NodeProcess, job: str) -> tuple[str, str]:
    """The page on which a browser confirms an undo, and the page of the undo once it ended."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ru"}
    async with aiohttp.ClientSession(headers=headers, cookie_jar=jar) as browser:
        account = {"name": "anna", "password": "correct horse battery"}
        async with browser.post(str(node.addresses["claim"]), data=account) as answer:
            assert answer.status == 200, await answer.text()
        base = f"{node.addresses['console']}/imports"
        async with browser.get(f"{base}/{job}") as answer:
            assert f"/imports/{job}/undo" in await answer.text()
        async with browser.get(f"{base}/{job}/undo") as answer:
            asked = await answer.text()
        async with browser.post(f"{base}/{job}/undo", data={"reason": "не тот дом"}) as answer:
            assert answer.status == 200, await answer.text()
            place = answer.url
        await asyncio.to_thread(ask, node, f"/jobs/{place.name}", wait="30")
        async with browser.get(place) as answer:
            shown = await answer.text()
        async with browser.get(f"{base}/{job}/undo") as answer:
            assert answer.status == 200, "one device is left, so there is something to ask"
    return asked, shown
