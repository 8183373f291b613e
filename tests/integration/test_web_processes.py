"""Processes through the API of a real node: procedures, steps with protocols and parts, queues, refusals."""

import asyncio
import json
from importlib import resources
from random import Random
from typing import Any

import pytest
from aiohttp import ClientSession

from benchmarks.fold import Author
from node.demo.documents import verification_document, verification_template
from node.passport import drafts
from node.passport.bodies import AgreementBody, RunBody
from node.passport.ids import parse_device_id
from node.passport.procedures import Procedure, digest_of
from node.store.fragments import insert_entries
from node.store.logs import insert_log
from node.store.organisations import insert_statements
from node.web.routes import API
from tests.unit.web.running import RunningWeb, get, post, refused

Json = Any  # Any: JSON


def procedure(name: str, **changes: object) -> Json:
    """A procedure that comes with the product."""
    raw = (resources.files("node.passport") / "data" / "procedures" / f"{name}.json").read_text()
    return {**json.loads(raw), **changes}


async def device(client: ClientSession, serial: str = "0000001") -> str:
    body = {"designation": "ВС-15", "serial": serial, "approvals": ["999910-00"]}
    return str((await post(client, "/plates", body))["id"])


async def publish(client: ClientSession, name: str, **changes: object) -> str:
    return str((await post(client, "/procedures", procedure(name, **changes)))["digest"])


def verification(device: str, serial: str, *, wrong: bool = False) -> str:
    """A filled verification of the first of September."""
    raw = verification_document(device, f"ВС-15 № {serial}", 1, wrong=wrong).decode()
    return raw.replace("2026-11-02", "2026-09-01").replace("2032-11-01", "2032-08-31")


async def opened(client: ClientSession, name: str, *ids: str, **more: object) -> list[str]:
    """Processes of which this organisation has every role."""
    org = (await get(client, "/node"))["org"]
    roles = {role["code"]: org for role in procedure(name)["roles"]}
    body = {"procedure": await publish(client, name), "ids": list(ids), "roles": roles, **more}
    found: list[str] = (await post(client, "/processes", body))["items"]
    return found


async def refuse(client: ClientSession, path: str, body: Json, code: str) -> None:
    assert await refused(client, path, body) == code


async def do(client: ClientSession, run: str, step: str, status: int = 200, **body: object) -> Json:
    return await post(client, f"/processes/{run}/steps/{step}", body, status)


async def test_verification_goes_from_opening_to_closing_with_its_protocol(web: RunningWeb) -> None:
    """Intake, protocol and return: the passport shows the moves, the protocol's event names its process and step."""
    client = web.local()
    template = (await post(client, "/templates", json.loads(verification_template())))["reference"]
    meter = await device(client)
    (run,) = await opened(client, "verification", meter, number="З-1", due="2027-01-01")

    await do(client, run, "remove_or_onsite")
    document = verification(meter, "0000001")
    done = await do(client, run, "protocol", template=template, document=document)
    assert done["process"]["moves"][-1]["outcome"] == "fit"
    closed = await do(client, run, "return")

    assert closed["process"]["state"] == "done"
    view = (await get(client, f"/passports/{meter}"))["view"]
    (verified,) = [event for event in view["events"] if event["what"]["central"] == "verified"]
    assert verified["why"] == {"process": "verification", "step": "protocol", "run": run}
    assert view["verification"]["valid_until"] == "2032-08-31"
    assert (await get(client, "/processes"))["items"] == []
    (row,) = (await get(client, "/processes?state=closed"))["items"]
    assert (row["run"], row["number"], row["overdue"]) == (run, "З-1", False)


async def test_step_that_is_refused_leaves_nothing_behind(web: RunningWeb) -> None:
    """Out of order, without its protocol, with one that is wrong or of another device: nothing is written."""
    client = web.local()
    template = (await post(client, "/templates", json.loads(verification_template())))["reference"]
    meter, other = await device(client), await device(client, "0000002")
    (run,) = await opened(client, "verification", meter)
    before = await get(client, f"/passports/{meter}")
    wrong = verification(meter, "0000001", wrong=True)
    of_other = verification(other, "0000002")

    await refuse(client, f"/processes/{run}/steps/protocol", {}, "run_step_order")
    await refuse(client, f"/processes/{run}/steps/nowhere", {}, "run_step_order")
    await refuse(client, f"/processes/{run}/closing", {}, "run_reason")
    await refuse(client, f"/processes/{'0' * 32}/steps/protocol", {}, "run_unknown")
    assert (await get(client, f"/passports/{meter}"))["digest"] == before["digest"]

    await do(client, run, "remove_or_onsite")
    path, sent = f"/processes/{run}/steps/protocol", {"template": template}
    await refuse(client, path, {}, "run_protocol_needed")
    await refuse(client, path, {**sent, "document": wrong}, "document_refused")
    await refuse(client, path, {**sent, "document": of_other}, "run_protocol_device")
    await refuse(client, path, {**sent, "document": "{"}, "document_unreadable")
    await refuse(client, path, sent, "run_document")
    fine = verification(meter, "0000001")
    await refuse(client, path, {**sent, "document": fine, "outcome": "unfit"}, "run_outcome_differs")
    await refuse(client, path, {**sent, "document": fine, "parts": [{"serial": "1"}]}, "run_parts_unasked")
    view = (await get(client, f"/passports/{meter}"))["view"]
    assert view["protocols"] == []
    assert [move["step"] for move in view["processes"][0]["moves"]] == [None, "remove_or_onsite"]


@pytest.mark.req("A06")
async def test_second_version_is_published_and_what_runs_stays_on_the_first(web: RunningWeb) -> None:
    """An edited procedure is a new version; a process that runs keeps its steps, one opened later has the new ones."""
    client = web.local()
    one, two = await device(client), await device(client, "0000002")
    (running,) = await opened(client, "dispatch_request", one)
    old = procedure("dispatch_request")
    steps = [{**step, "next": "confirm"} if step["code"] == "visit" else step for step in old["steps"]]
    edited = {"version": "2", "steps": [step for step in steps if step["code"] != "resolve"]}
    await refuse(client, "/procedures", procedure("dispatch_request", title={"ru": "Иначе"}), "procedure_version_taken")

    second = await publish(client, "dispatch_request", **edited)
    org = (await get(client, "/node"))["org"]
    body = {"procedure": second, "ids": [two], "roles": {"executor": org}}
    (later,) = (await post(client, "/processes", body))["items"]

    found = {"found": "течь"}
    assert (await do(client, running, "visit", detail=found))["process"]["waits"]["step"] == "resolve"
    assert (await do(client, later, "visit", detail=found))["process"]["waits"]["step"] == "confirm"
    versions = [row["version"] for row in (await get(client, "/procedures"))["items"]]
    assert versions == ["1", "2"]


async def test_processes_are_listed_by_their_term_and_counted_by_organisation(web: RunningWeb) -> None:
    """The list is by term over its pages, filters find what they name, and the loads count what is overdue."""
    client = web.local()
    meters = [await device(client, f"{number:07}") for number in range(5)]
    runs = []
    for at, meter in enumerate(meters):
        runs += await opened(client, "dispatch_request", meter, due=f"2026-03-0{9 - at}", number=f"О-{at}")

    first = await get(client, "/processes?limit=2")
    second = await get(client, f"/processes?limit=3&cursor={first['next']}")

    assert [row["run"] for row in (*first["items"], *second["items"])] == runs[::-1]
    assert second["next"] is None
    assert [row["run"] for row in (await get(client, "/processes?number=О-3"))["items"]] == [runs[3]]
    assert (await get(client, "/processes?step=confirm"))["items"] == []
    assert len((await get(client, "/processes?mine=true&overdue=true"))["items"]) == 5
    (load,) = (await get(client, "/processes/loads"))["items"]
    assert (load["open"], load["overdue"]) == (5, 5)


async def test_repair_replaces_parts_and_demands_a_verification_before_it_goes_on(web: RunningWeb) -> None:
    """The step takes the parts that came out and went in; the passport then waits for the verification."""
    client = web.local()
    meter = await device(client)
    (run,) = await opened(client, "repair", meter)
    part = {"position": "плата", "designation": "СЭ-2726", "serial": "26-1", "removed_serial": "22-1"}

    await refuse(client, f"/processes/{run}/steps/diagnose", {"outcome": "repairable"}, "run_detail_needed")
    address, body = f"{API}/processes/{run}/steps/diagnose", {"outcome": "repairable"}
    for language, told in (
        ("ru", ("Заполните: Неисправность.", "Шаг «Диагностика».")),
        ("en", ("Fill in: Defect.", "Step “Diagnosis”.")),
    ):
        async with client.post(address, json=body, headers={"Accept-Language": language}) as response:
            problem = await response.json()
            assert (problem["advice"], problem["detail"]) == told
    await refuse(client, f"/processes/{run}/steps/diagnose", {"detail": {"defect": "нет связи"}}, "run_outcome")
    await do(client, run, "diagnose", outcome="repairable", detail={"defect": "нет связи"})
    await do(client, run, "replace_parts", replaced=[part])

    view = (await get(client, f"/passports/{meter}"))["view"]
    assert (view["state"]["code"], view["state"]["needs_verification"]) == ("repaired", True)
    assert {(edge["serial"], edge["until"] is None) for edge in view["composition"]["children"]} == {
        ("22-1", False),
        ("26-1", True),
    }
    assert view["processes"][0]["waits"]["step"] == "verify"


async def test_unfit_device_is_not_installed(web: RunningWeb) -> None:
    """A device that was found unfit is refused at its installation, in a process and as an event."""
    client = web.local()
    meter = await device(client)
    rejected = {"what": "rejected", "where": "лаборатория", "when": "2026-05-01"}
    await post(client, f"/passports/{meter}/events", rejected)
    (run,) = await opened(client, "installation", meter)

    await refuse(client, f"/processes/{run}/steps/check_passport", {}, "device_unfit")
    installed = {"what": "installed", "where": "дом", "when": "2026-05-02"}
    await refuse(client, f"/passports/{meter}/events", installed, "device_unfit")


async def test_device_without_verification_is_not_installed(web: RunningWeb) -> None:
    """The step that needs a verification in force names the term that is over, or that there is none."""
    client = web.local()
    meter = await device(client)
    (run,) = await opened(client, "installation", meter)

    await refuse(client, f"/processes/{run}/steps/check_passport", {}, "run_need_verified")


async def test_step_by_who_did_not_accept_the_procedure_is_refused_until_it_does(web: RunningWeb) -> None:
    """Another organisation opens its process with us as the executor: without our signature no step is ours to do."""
    client, context = web.local(), web.context
    meter, own = await device(client), (await get(client, "/node"))["org"]
    raw = Procedure.model_validate(procedure("dispatch_request")).to_bytes()
    caller = Author("caller", Random(1))
    body = RunBody(says="opened", nonce="ab" * 16, procedure=digest_of(raw), roles={"executor": own})
    async with context.core.database.write() as tx:
        await insert_statements(tx, caller.chain)
        log = await insert_log(tx, caller.statement, own=False)
        caller.say(drafts.procedure(caller.org, raw, web.clock.now()), web.clock.now())
        caller.say(drafts.run(parse_device_id(meter).raw, body, web.clock.now()), web.clock.now())
        await insert_entries(tx, log.no, caller.entries)
        await context.projection.take(tx, [(log, caller.entries)])
    (row,) = (await get(client, "/processes", mine="true"))["items"]
    done: Json = {"detail": {"found": "течь"}}

    await refuse(client, f"/processes/{row['run']}/steps/visit", done, "procedure_not_accepted")
    await post(client, f"/procedures/{row['procedure']}/acceptance", None, 200)
    shown = await do(client, row["run"], "visit", **done)

    assert [(move["by"], move["step"]) for move in shown["process"]["moves"]] == [
        (caller.org.hex(), None),
        (own, "visit"),
    ]


async def test_second_process_of_a_kind_about_one_device_is_refused_with_the_first(web: RunningWeb) -> None:
    """One process of a kind runs about a device at a time; a cancelled one makes room."""
    client = web.local()
    meter = await device(client)
    (run,) = await opened(client, "repair", meter)
    org = (await get(client, "/node"))["org"]
    again = {"procedure": await publish(client, "repair"), "ids": [meter], "roles": {"workshop": org, "lab": org}}

    await refuse(client, "/processes", again, "run_open_already")
    await post(client, f"/processes/{run}/closing", {"reason": "открыт по ошибке"}, 200)
    assert len((await post(client, "/processes", again))["items"]) == 1


@pytest.mark.parametrize("event", ["no_such_event", "Установлен"])
async def test_procedure_that_records_an_unknown_event_is_refused(web: RunningWeb, event: str) -> None:
    """An event that the catalog does not know would be recorded under a code that means nothing."""
    client = web.local()
    step = {"code": "go", "title": {"ru": "Шаг"}, "role": "owner", "event": event}

    code = await refused(client, "/procedures", procedure("dispatch_request", roles=[], steps=[step]))
    assert code == ("code_unknown" if event.isascii() else "validation")
    assert (await get(client, "/procedures"))["items"] == []


async def test_opening_is_refused_with_what_is_wrong(web: RunningWeb) -> None:
    """An unknown procedure, role, organisation or device, and a party that takes no part, are each named."""
    client = web.local()
    meter, org = await device(client), (await get(client, "/node"))["org"]
    digest = await publish(client, "repair")
    whole = {"procedure": digest, "ids": [meter], "roles": {"workshop": org, "lab": org}}

    await refuse(client, "/processes", {**whole, "procedure": "0" * 64}, "procedure_unknown")
    await refuse(client, "/processes", {**whole, "roles": {"cook": org}}, "run_role_unknown")
    await refuse(client, "/processes", {**whole, "roles": {"owner": org}}, "run_role_unknown")
    await refuse(client, "/processes", {**whole, "roles": {"lab": "1" * 32}}, "procedure_not_accepted")
    await client.delete(f"/api/v1/procedures/{digest}/acceptance")
    await refuse(client, "/processes", whole, "procedure_not_accepted")
    await refuse(client, "/procedures", {**procedure("repair"), "steps": []}, "validation")
    assert (await get(client, "/processes"))["items"] == []


@pytest.mark.parametrize("due", ["2026-02-30", "2026-13-01", "30.02.2026"])
async def test_term_that_is_no_day_is_refused(web: RunningWeb, due: str) -> None:
    """A day that no calendar has would be no term at all."""
    client = web.local()
    body = {"procedure": await publish(client, "dispatch_request"), "ids": [await device(client)], "due": due}
    await refuse(client, "/processes", body, "validation")


async def test_time_beyond_the_calendar_is_shown_as_its_last(web: RunningWeb) -> None:
    """What somebody signed with a time of no calendar breaks no page and no file: lists, passport, process."""
    client, browser = web.local(), await web.claim()
    meter = await device(client)
    body = RunBody(says="opened", nonce="ab" * 16, procedure=await publish(client, "dispatch_request"))
    await web.context.ledger.append([drafts.run(parse_device_id(meter).raw, body, 2**63 - 1)])
    (row,) = (await get(client, "/processes"))["items"]

    for path in ("/processes", f"/processes/{row['run']}", f"/devices/{meter}"):
        async with browser.get(path) as response:
            assert response.status == 200, path
    async with client.get(f"{API}/processes?format=csv") as table:
        assert "9999-12-31 23:59:59" in await table.text()


async def test_moves_without_effect_fill_no_page(web: RunningWeb) -> None:
    """However often somebody moves what is not his turn, the page shows the last fifty and says how many there are."""
    client, browser = web.local(), await web.claim()
    meter = await device(client)
    (run,) = await opened(client, "dispatch_request", meter)
    wrong = [RunBody(says="done", n=1, run=run, step="resolve", reason=f"ход {n:03}") for n in range(60)]
    now = web.clock.now()
    await web.context.ledger.append([drafts.run(parse_device_id(meter).raw, body, now) for body in wrong])

    async with browser.get(f"/processes/{run}") as response:
        page = await response.text()
    idle = page[page.index('id="idle"') :]
    assert idle.count("<tr><td") == 50
    assert ">60<" in idle


async def test_declined_step_waits_for_the_owner_to_name_another(web: RunningWeb) -> None:
    """A role that was given back is nobody's until the owner gives it anew."""
    client = web.local()
    meter, org = await device(client), (await get(client, "/node"))["org"]
    (run,) = await opened(client, "dispatch_request", meter)

    declined = await post(client, f"/processes/{run}/refusal", {"reason": "нет бригады"}, 200)
    assert declined["process"]["waits"]["org"] is None
    await refuse(client, f"/processes/{run}/steps/visit", {"detail": {"found": "-"}}, "run_no_mandate")
    given = await post(client, f"/processes/{run}/roles", {"roles": {"executor": org}}, 200)
    assert given["process"]["waits"]["org"] == org


@pytest.mark.req("B40")
async def test_boards_of_a_lot_are_found_in_the_devices_that_hold_them(web: RunningWeb) -> None:
    """A board with its panel, lots and inspection has a passport; the recall of a lot lists the devices with it."""
    client = web.local()
    chips = (await post(client, "/things", {"kind": "batch", "name": "Конденсаторы 10 мкФ", "number": "X-17"}))["id"]
    board = (await post(client, "/things", {"kind": "component", "name": "Плата", "number": "26-1"}))["id"]
    meter, other = await device(client), await device(client, "0000002")
    (run,) = await opened(client, "smt", board)

    used = {"id": chips, "quantity": "4", "relation": "material", "position": "C1-C4"}
    await do(client, run, "placement", parts=[used], detail={"panel": "МП-9", "station": "SMT-1"})
    await do(client, run, "reflow", detail={"profile": "SAC305"})
    await do(client, run, "aoi", outcome="failed", detail={"defects": "C3: нет пайки"})
    await do(client, run, "rework")
    done = await do(client, run, "aoi", outcome="passed")
    await post(client, f"/passports/{meter}/parts", {"parts": [{"id": board, "position": "A1"}], "since": "2026-09-10"})

    told = [(move["step"], move["outcome"], move["detail"]) for move in done["process"]["moves"]]
    assert told[1] == ("placement", None, {"panel": "МП-9", "station": "SMT-1"})
    assert told[3:] == [("aoi", "failed", {"defects": "C3: нет пайки"}), ("rework", None, {}), ("aoi", "passed", {})]
    reached = {row["id"]: row["kind"] for row in (await get(client, f"/passports/{chips}/reach"))["items"]}
    assert reached == {board: "component", meter: "device"}
    assert other not in reached


async def test_procedure_is_accepted_and_ended_once_however_often_it_is_pressed_at_once(web: RunningWeb) -> None:
    """Of presses at once the first one is said; accepting again says nothing, ending again is refused."""
    client = web.local()
    path = f"{API}/procedures/{await publish(client, 'verification')}/acceptance"

    ended = [response.status for response in await asyncio.gather(*(client.delete(path) for _ in range(3)))]
    accepted = [response.status for response in await asyncio.gather(*(client.post(path) for _ in range(3)))]

    assert (sorted(ended), accepted) == ([200, 409, 409], [200, 200, 200])
    said = [what for what in await web.what() if what.startswith("procedure_")]
    assert said == ["procedure_published", "procedure_ended", "procedure_accepted"]


async def test_owner_who_takes_no_new_work_still_gives_the_roles_of_what_runs(web: RunningWeb) -> None:
    """His acceptance is taken back: a declined role goes to another organisation, and nothing new is opened."""
    client, context, firm = web.local(), web.context, Author("firm", Random(2))
    (run,) = await opened(client, "dispatch_request", await device(client))
    digest = (await get(client, f"/processes/{run}"))["process"]["procedure"]
    agreed = AgreementBody.model_validate({"procedure": digest, "says": "accepted"})
    async with context.core.database.write() as tx:
        await insert_statements(tx, firm.chain)
        log = await insert_log(tx, firm.statement, own=False)
        firm.say(drafts.agreement(firm.org, agreed, web.clock.now()), web.clock.now())
        await insert_entries(tx, log.no, firm.entries)
        await context.projection.take(tx, [(log, firm.entries)])
    await post(client, f"/processes/{run}/refusal", {"reason": "нет бригады"}, 200)
    async with client.delete(f"{API}/procedures/{digest}/acceptance") as response:
        assert response.status == 200

    given = await post(client, f"/processes/{run}/roles", {"roles": {"executor": firm.org.hex()}}, 200)

    assert given["process"]["waits"]["org"] == firm.org.hex()
    anew = {"procedure": digest, "ids": [await device(client, "0000002")], "roles": {"executor": firm.org.hex()}}
    await refuse(client, "/processes", anew, "procedure_not_accepted")
