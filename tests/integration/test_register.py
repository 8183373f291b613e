"""Reading the register of verifications over a real socket, from recorded answers, into passports of a real store."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from node.passport import drafts
from node.passport.bodies import CardBody
from node.passport.ids import SubjectId, format_device_id
from node.passport.shown import at, rows
from node.services.jobs import Job
from node.services.register_client import RegisterClient
from node.services.register_reading import RegisterReading
from node.store.register_answers import answers_about
from tests.fakes import FakeClock
from tests.unit.node_protocols.builders import (
    NOW,
    Desk,
    attest,
    found,
    opened,
    publish_line,
    template,
    verification,
)

RECORDED = Path(__file__).parents[2] / "examples" / "exchange" / "arshin_eapi_vri.json"
SERIAL = "25000017"
PAUSE_US = 2_000_000


@dataclass
class Register:
    """The register as it is seen from outside: it answers what was recorded, and notes when it was asked."""

    clock: FakeClock
    answers: dict[str, list[tuple[int, bytes, dict[str, str]]]] = field(default_factory=dict)
    asked: list[tuple[int, str, str]] = field(default_factory=list)
    url: str = ""

    def say(self, serial: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer so, once, about that serial; the last answer stays."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.setdefault(serial, []).append((status, body, told))

    async def handle(self, request: web.Request) -> web.Response:
        number, serial = request.query["mit_number"], request.query["mi_number"]
        self.asked.append((self.clock.now(), number, serial))
        waiting = self.answers.get(serial, [(200, b'{"result": {"count": 0, "items": []}}', {})])
        status, body, headers = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return web.Response(status=status, body=body, headers=headers, content_type="application/json")


@dataclass
class Reading:
    """A lab's desk that reads the register."""

    desk: Desk
    register: Register
    service: RegisterReading

    async def read(self, *subjects: bytes) -> Job:
        return await self.desk.finish(await self.service.submit(subjects, "test"))


def said(serial: str = SERIAL, **changes: Any) -> dict[str, Any]:
    """The recorded item, in other words where changes say so."""
    item: dict[str, Any] = json.loads(RECORDED.read_bytes())["result"]["items"][0]
    return item | {"mi_number": serial} | changes


def answer(*items: dict[str, Any]) -> bytes:
    return json.dumps({"result": {"count": len(items), "items": items}}, ensure_ascii=False).encode()


def turn_on(folder: Path, url: str) -> None:
    config = folder / "config.toml"
    config.write_text(f'{config.read_text()}\n[arshin]\nurl = "{url}/fundmetrology/eapi"\n')


def reading_of(desk: Desk) -> tuple[RegisterReading, FakeClock]:
    clock = desk.core.clock
    assert isinstance(clock, FakeClock)

    async def sleep(seconds: float) -> None:
        clock.move(seconds)

    client = RegisterClient(desk.core, sleep)
    return RegisterReading(desk.core, desk.ledger, desk.projection, desk.jobs, client), clock


@asynccontextmanager
async def reading(folder: Path) -> AsyncIterator[Reading]:
    """A lab with a register beside it on loopback."""
    register = Register(FakeClock(0))
    application = web.Application()
    application.router.add_get("/fundmetrology/eapi/vri", register.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        register.url = f"http://127.0.0.1:{port}"
        await found(folder, "Лаборатория", 1)
        turn_on(folder, register.url)
        async with new_desk_over(folder) as desk:
            service, register.clock = reading_of(desk)
            yield Reading(desk, register, service)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def new_desk_over(folder: Path) -> AsyncIterator[Desk]:
    async with opened(folder, 1) as desk:
        await attest(desk, desk.org)
        await publish_line(desk)
        await desk.ledger.append([drafts.card(desk.org, CardBody(name="Лаборатория"), NOW)])
        await desk.templates.publish(template("verification"), "test")
        yield desk


async def verified(desk: Desk, serial: str = SERIAL, **changes: Any) -> bytes:
    """A device with a signed verification that has no record yet."""
    subject = await desk.device(serial)
    (held,) = [one.held for one in await desk.templates.list() if one.held]
    document = verification(subject, serial, fif_record=None, **changes)
    await desk.protocols.sign(held.reference, document, "test")
    return subject


async def test_record_is_written_back_as_registered_with_its_answer(tmp_path: Path) -> None:
    """The register's record stands above the lab's word with the bytes kept; asked again, nothing is said twice."""
    async with reading(tmp_path) as here:
        subject = await verified(here.desk, owner="другой владелец")
        assert at(await here.desk.view(subject), "verification", "unrecorded") == "2025-05-15"
        here.register.say(SERIAL, RECORDED.read_bytes())

        job = await here.read(subject)

        assert (job.state, job.result["counts"]) == ("done", {"recorded": 1})
        view = await here.desk.view(subject)
        told = at(view, "verification")
        assert isinstance(told, dict)
        assert (told["standing"], told["valid_until"]) == ("registered", "2031-05-14")
        assert (told["record"], told["record_standing"]) == ("С-ЪЫЬ/15-05-2025/900000017", "registered")
        assert told["unrecorded"] is None
        (record,) = rows(view, "verification", "register")
        differs = {row["what"]: (row["register"], row["passport"]) for row in rows(record, "differences")}
        assert differs == {
            "number": ("С-ЪЫЬ/15-05-2025/900000017", None),
            "organisation": ("ФБУ «Демо-ЦСМ»", "Лаборатория"),
        }
        async with here.desk.core.database.read() as tx:
            (kept,) = await answers_about(tx, [subject])
        assert kept.body == RECORDED.read_bytes()
        assert kept.url.startswith(here.register.url)
        size = (await here.desk.state())[0]

        again = await here.read(subject)

        assert again.result["counts"] == {"known": 1}
        assert (await here.desk.state())[0] == size


async def test_answer_about_another_serial_or_type_is_refused_and_named(tmp_path: Path) -> None:
    """Nothing is written from it into the passport, the answer is kept, and the job names what came."""
    async with reading(tmp_path) as here:
        subject = await verified(here.desk)
        size = (await here.desk.state())[0]
        here.register.say(SERIAL, answer(said("25000018"), said(mit_number="999903-00")))

        job = await here.read(subject)

        assert job.result["counts"] == {"other": 1}
        devices = job.result["devices"]
        assert isinstance(devices, list)
        (row,) = devices
        assert row["id"] == format_device_id(SubjectId(subject))
        assert row["others"] == ["999902-00 № 25000018", "999903-00 № 25000017"]
        assert (await here.desk.state())[0] == size
        assert at(await here.desk.view(subject), "verification", "standing") == "stated"


async def test_newest_of_several_records_counts(tmp_path: Path) -> None:
    """Of records of several verifications the latest one is written, whatever their order."""
    async with reading(tmp_path) as here:
        subject = await here.desk.device(SERIAL)
        old = said(verification_date="15.05.2019", valid_date="14.05.2025", result_docnum="С-ЪЫЬ/15-05-2019/1")
        here.register.say(SERIAL, answer(old, said(), old))

        await here.read(subject)

        view = await here.desk.view(subject)
        assert at(view, "verification", "valid_until") == "2031-05-14"
        # Nobody told of that verification here: the record is the event.
        verdicts = [(at(row, "what", "central"), row["standing"]) for row in rows(view, "events")]
        assert verdicts == [("verified", "registered")]


async def test_broken_and_empty_answers_change_nothing_and_are_kept(tmp_path: Path) -> None:
    """An error page, an answer over the limit and an empty one leave every passport as it is; their bytes are kept."""
    async with reading(tmp_path) as here:
        subjects = [await here.desk.device(f"2500010{n}") for n in range(3)]
        here.register.say("25000100", b"<html>maintenance</html>")
        here.register.say("25000101", b"[" * (10 << 20))
        size = (await here.desk.state())[0]

        job = await here.read(*subjects)

        assert (job.state, job.result["counts"]) == ("done", {"unreadable": 2, "none": 1})
        assert (await here.desk.state())[0] == size
        assert [len(kept.body) for kept in await here.service.newest(9)] == [37, 128 * 1024 + 1, 24]


async def test_register_is_asked_once_in_two_seconds_also_after_a_restart(tmp_path: Path) -> None:
    """Between any two requests lie two seconds: of several devices, of repeated ones, and of a node started again."""
    async with reading(tmp_path) as here:
        subjects = [await here.desk.device(f"2500010{n}") for n in range(3)]
        here.register.say("25000101", b"busy", 429, Retry_After="30")
        here.register.say("25000101", b"down", 503)
        here.register.say("25000101", answer(said("25000101")))

        job = await here.read(*subjects)

        assert job.result["counts"] == {"none": 2, "recorded": 1}
        times = [moment for moment, _, _ in here.register.asked]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) == 5
        assert min(gaps) >= PAUSE_US
        assert gaps[1] >= 30_000_000
        again, _ = reading_of(here.desk)
        here.service = again
        await here.read(subjects[0])
        assert here.register.asked[-1][0] - times[-1] >= PAUSE_US


@pytest.mark.parametrize("day", ["01.01.0999", "31.12.1969", "31.12.9999"])
async def test_record_of_an_impossible_day_is_unreadable_and_the_job_goes_on(tmp_path: Path, day: str) -> None:
    """A day before 1970 or to come is no day of a verification: the device is named, and the next is asked about."""
    async with reading(tmp_path) as here:
        subjects = [await here.desk.device(f"2500010{n}") for n in range(2)]
        here.register.say("25000100", answer(said("25000100", verification_date=day)))
        here.register.say("25000101", answer(said("25000101")))

        job = await here.read(*subjects)

        assert (job.state, job.result["counts"]) == ("done", {"unreadable": 1, "recorded": 1})


async def test_wait_that_no_clock_can_tell_is_an_ordinary_one(tmp_path: Path) -> None:
    """A Retry-After beyond the calendar does not end the job."""
    async with reading(tmp_path) as here:
        subject = await here.desk.device(SERIAL)
        here.register.say(SERIAL, b"", 503, Retry_After="Fri, 31 Dec 9999 23:59:59 -1400")
        here.register.say(SERIAL, answer(said()))

        job = await here.read(subject)

        assert (job.state, job.result["counts"]) == ("done", {"recorded": 1})


async def test_register_that_is_away_ends_the_job_and_keeps_what_was_read(tmp_path: Path) -> None:
    """After three devices without an answer the job fails and says so; the record read before stands."""
    async with reading(tmp_path) as here:
        subjects = [await here.desk.device(f"2500010{n}") for n in range(5)]
        here.register.say("25000100", answer(said("25000100")))
        for n in range(1, 5):
            here.register.say(f"2500010{n}", b"", 500)

        job = await here.read(*subjects)

        assert (job.state, job.done, job.result["counts"]) == ("failed", 4, {"recorded": 1, "silent": 3})
        assert "does not answer" in str(job.result["error"])
        assert at(await here.desk.view(subjects[0]), "verification", "standing") == "registered"


@pytest.mark.parametrize("which", ["unrecorded", "expiring"])
async def test_devices_are_chosen_by_what_waits(tmp_path: Path, which: Any) -> None:
    """Without a list the register is asked about results without a record, or about terms that run out."""
    async with reading(tmp_path) as here:
        fresh = await verified(here.desk, "25000301")
        ending = await here.desk.device("25000302")
        days = {"verification_date": "01.07.2020", "valid_date": "30.06.2026", "result_docnum": "С-ЪЫЬ/01-07-2020/1"}
        here.register.say("25000302", answer(said("25000302", **days)))
        await here.read(ending)
        here.register.asked.clear()

        await here.desk.finish(await here.service.submit([], "test", which))

        wanted = {"unrecorded": "25000301", "expiring": "25000302"}[which]
        assert [serial for _, _, serial in here.register.asked] == [wanted]
        assert fresh != ending
