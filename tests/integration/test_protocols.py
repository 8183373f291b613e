"""Bench files of the demo's maker as durable jobs, and what production and verification add, over a real store."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from node.demo.files import DemoFiles, make_files
from node.errors import InputError
from node.exchange.arshin import check_application
from node.exchange.bench import NEEDED
from node.exchange.tables import read_table, write_csv
from node.passport.ids import SubjectId, format_device_id
from node.passport.lines import LineKey
from node.passport.plate import Nameplate
from node.passport.procedures import Procedure
from node.passport.shown import at, rows
from node.passport.view import moment_us, value_on
from node.services.job_results import sent_back
from node.services.jobs import Job
from node.services.procedures import shipped_procedures
from node.services.runs import NewRun
from node.store.fragments import entries_of_kinds
from node.store.passports import list_subjects
from tests.unit.node_protocols.builders import (
    Desk,
    attest,
    ended,
    found,
    new_desk,
    opened,
    publish_products,
    template,
    verification,
)

SEEDS = [3, 41, 20261121]
WATER = 50
PARAMETER, PROTOCOL = 5, 6


@asynccontextmanager
async def maker(folder: Path, files: DemoFiles) -> AsyncIterator[Desk]:
    """The demo's maker with his production imported and his flow-bench template published."""
    await found(folder, "Завод", 1)
    async with opened(folder, 1) as desk:
        await attest(desk, desk.org)
        await publish_products(desk, files)
        await desk.templates.publish(template("flow-bench"), "test")
        for raw in (files.production_xlsx, files.production_csv):
            await desk.finish(await desk.production.submit(raw, "production", "test"))
        yield desk


async def imported(desk: Desk, raw: bytes) -> Job:
    return await desk.finish(await desk.bench.submit(raw, "bench.csv", "test"))


async def said(desk: Desk) -> dict[int, int]:
    """How many statements of protocols and parameters there are."""
    async with desk.core.database.read() as tx:
        return {kind: len(await entries_of_kinds(tx, (kind,))) for kind in (PROTOCOL, PARAMETER)}


def findings(job: Job) -> list[tuple[str, str]]:
    found = job.result["findings"]
    assert isinstance(found, list)
    return [(item["rule"], item["value"]) for item in found]


def corrected(files: DemoFiles) -> bytes:
    """The two production rows that were reported, put right."""
    text = read_table(files.production_xlsx)
    short = files.lost_zero[1:]
    header = list(text.header)
    at_serial = header.index("Заводской номер")
    lost = [[cell.text for cell in row.cells] for row in text.rows if row.cells[at_serial].text == short]
    second = read_table(files.production_csv)
    twice = [[cell.text for cell in row.cells] for row in second.rows if row.cells[at_serial].text == files.duplicate]
    lost[0][at_serial], twice[1][at_serial] = files.lost_zero, files.intended
    return write_csv(header, [lost[0], twice[1]])


@pytest.mark.parametrize("seed", SEEDS)
async def test_bench_file_signs_a_protocol_for_each_meter_that_has_a_passport(tmp_path: Path, seed: int) -> None:
    """48 runs are signed; two of meters whose rows were reported come back, and pass once their passports exist."""
    files = make_files(seed)
    async with maker(tmp_path, files) as desk:
        parameters = (await said(desk))[PARAMETER]

        job = await imported(desk, files.bench_csv)

        assert (job.state, job.done, job.total) == ("done", WATER - 2, WATER - 2)
        assert (job.result["accepted"], job.result["repeated"]) == (WATER - 2, 0)
        missing = sorted([files.lost_zero, files.intended])
        assert sorted(findings(job)) == [("bench.no_passport", serial) for serial in missing]
        assert await said(desk) == {PROTOCOL: WATER - 2, PARAMETER: parameters + WATER - 2}

        back = sent_back(job, "csv")
        assert len(read_table(back).rows) == 6
        again = await imported(desk, back)
        assert (again.result["accepted"], len(findings(again))) == (0, 2)

        await desk.finish(await desk.production.submit(corrected(files), "corrected", "test"))
        last = await imported(desk, sent_back(again, "xlsx"))

        assert (last.state, last.result["accepted"], findings(last)) == ("done", 2, [])
        # Each of the two meters has a parameter statement and a radio one of its own.
        assert await said(desk) == {PROTOCOL: WATER, PARAMETER: parameters + WATER + 4}


async def test_run_stands_in_the_passport_of_its_meter(tmp_path: Path) -> None:
    """The maker's calibration is an event at the time of the bench, the last reading a parameter in cubic metres."""
    files = make_files(5)
    table = read_table(files.bench_csv)
    column = {title: place for place, title in enumerate(table.header)}
    runs = {row.cells[column["Заводской номер"]].text: row.cells for row in table.rows}
    async with maker(tmp_path, files) as desk:
        await imported(desk, files.bench_csv)

        async with desk.core.database.read() as tx:
            subjects = await list_subjects(tx)
        views = [view for subject in subjects if rows(view := await desk.view(subject), "protocols")]

        assert len(views) == WATER - 2
        for view in views:
            cells = runs[str(at(view, "identity", "serial", "value"))]
            row = value_on(view, "bench_reading") or {}
            calibrated = [e for e in rows(view, "events") if at(e, "what", "central") == "calibrated"]
            finished = cells[column["Окончание"]].text
            last = cells[column["Последнее показание, м³"]].text
            assert (Decimal(str(row["value"])), row["unit"]) == (Decimal(last.replace(",", ".")), "m3")
            assert moment_us(str(row["since"])) == moment_us(finished)
            assert [(e["occurred"], e["standing"], e["system"]) for e in calibrated] == [
                (moment_us(finished), "stated", "bench-file")
            ]
            assert at(view, "conflicts") == []
            document = json.loads(str(rows(view, "protocols")[0]["document"]))
            assert document["protocol_no"] == cells[column["Протокол"]].text
            assert "operator" not in document
            assert datetime.fromisoformat(document["finished_at"]) == datetime.fromisoformat(finished)


@pytest.mark.parametrize("steps", [1, 2])
async def test_bench_job_goes_on_after_its_node_ended_in_the_middle(tmp_path: Path, steps: int) -> None:
    """New objects over the same store finish the job: nothing is lost or signed twice, and the counts are whole."""
    files = make_files(7)
    async with maker(tmp_path, files) as desk:
        before = await said(desk)
        job_id = await desk.bench.submit(files.bench_csv, "bench.csv", "test")
        with desk.core.bus.listen() as news:
            running = asyncio.create_task(desk.jobs.run())
            while (await desk.jobs.get(job_id)).done < 20 * steps:
                await news.get()
            await ended(running)
        half = await desk.jobs.get(job_id)

    assert (half.state, half.done) == ("running", 20 * steps)
    async with opened(tmp_path, 2) as later:
        job = await later.finish(job_id)

        assert (job.state, job.done, job.total) == ("done", WATER - 2, WATER - 2)
        assert (job.result["accepted"], job.result["repeated"], len(findings(job))) == (WATER - 2, 0, 2)
        after = await said(later)
        assert {kind: after[kind] - before[kind] for kind in before} == {
            PROTOCOL: WATER - 2,
            PARAMETER: WATER - 2,
        }


async def test_bench_file_sent_twice_says_nothing_twice(tmp_path: Path) -> None:
    """The second import of a file counts its runs as known, even after a new version of the template."""
    files = make_files(11)
    async with maker(tmp_path, files) as desk:
        await imported(desk, files.bench_csv)
        before = await said(desk)
        await desk.templates.publish(template("flow-bench").replace(b'"1.0.0"', b'"1.1.0"'), "test")

        job = await imported(desk, files.bench_csv)

        assert (job.state, job.result["accepted"], job.result["repeated"]) == ("done", 0, WATER - 2)
        assert await said(desk) == before


async def test_bench_file_needs_the_makers_own_template(tmp_path: Path) -> None:
    """Without a published flow-bench template no file is taken, and what is no bench file is refused at once."""
    files = make_files(13)
    await found(tmp_path, "Завод", 1)
    async with opened(tmp_path, 1) as desk:
        with pytest.raises(InputError, match="publish a flow-bench template") as refused:
            await desk.bench.submit(files.bench_csv, "bench.csv", "test")
        await desk.templates.publish(template("flow-bench"), "test")
        with pytest.raises(InputError, match="lacks the columns") as no_bench:
            await desk.bench.submit(files.production_csv, "production.csv", "test")

        assert (refused.value.code, no_bench.value.code) == ("bench_no_template", "import_unreadable")
        assert await desk.jobs.newest() == []


async def test_run_that_breaks_a_rule_of_the_template_comes_back_with_its_rows(tmp_path: Path) -> None:
    """A meter that the file says was finished before it was started is reported by the template's own rule."""
    files = make_files(17)
    table = read_table(files.bench_csv)
    held_back = {files.lost_zero, files.intended}
    lines = [[cell.text for cell in row.cells] for row in table.rows]
    number = next(line[0] for line in lines if not held_back & set(line))
    swapped = [[line[0], line[2], line[1], *line[3:]] if line[0] == number else line for line in lines]
    broken = write_csv(table.header, swapped)
    async with maker(tmp_path, files) as desk:
        job = await imported(desk, broken)

        assert sorted(rule for rule, _ in findings(job)) == ["bench.no_passport"] * 2 + ["time_order"]
        assert job.result["accepted"] == WATER - 3
        back = read_table(sent_back(job, "csv"))
        assert len([row for row in back.rows if row.cells[0].text == number]) == 3


async def test_verified_production_goes_to_the_register_and_to_paper(tmp_path: Path) -> None:
    """Twenty meters of the production files are verified; the register's file is valid, and a protocol comes with the
    layout of its template and the persons that the open part leaves out.
    """
    files = make_files(19)
    async with maker(tmp_path, files) as desk:
        held = await desk.templates.publish(template("verification"), "test")
        serials = _water_serials(files)[:20]
        after = {"date": "2026-05-15", "valid_until": "2032-05-14", "fif_record": None}  # made in this spring
        for number, serial in enumerate(serials, 1):
            key = desk.projection.world.lines.key(Nameplate("БВ-15Д", serial))
            assert isinstance(key, LineKey)
            subject = key.claim.subject.raw
            await desk.protocols.sign(held.reference, verification(subject, serial, number, **after), "test")

        raw = (await desk.arshin.make("test")).raw

        check_application(raw)
        assert all(raw.count(serial.encode()) == 1 for serial in serials)
        paper = await desk.protocols.paper(subject, str(rows(await desk.view(subject), "protocols")[-1]["ref"]))
        assert paper.is_whole
        printed = paper.held.template.layout.blocks if paper.held else ()
        assert [block.kind.value for block in printed].count("table") == 3
        assert format_device_id(SubjectId(paper.subject)) in str(paper.document)


def _water_serials(files: DemoFiles) -> list[str]:
    table = read_table(files.production_csv)
    column = {title: place for place, title in enumerate(table.header)}
    cells = [row.cells for row in table.rows if row.cells[column["Обозначение"]].text == "БВ-15Д"]
    found = [row[column["Заводской номер"]].text for row in cells]
    first = read_table(files.production_xlsx)
    cells = [row.cells for row in first.rows if row.cells[column["Обозначение"]].text == "БВ-15Д"]
    found += [row[column["Заводской номер"]].text for row in cells]
    return [serial for serial in dict.fromkeys(found) if len(serial) == 8 and serial != files.intended]


async def test_hostile_bench_file_is_refused_before_it_becomes_a_job(tmp_path: Path) -> None:
    """Text that nothing could sign, and what is no table, are refused by name; no job is taken."""
    run = dict.fromkeys(NEEDED, "1") | {"serial": "\ud800", "points": [{"point": "Q1"}]}
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("flow-bench"), "test")
        for raw in (json.dumps([run]).encode(), b"[1]", b"{}", b"\x00", b"[" * 100_000):
            with pytest.raises(InputError) as refused:
                await desk.bench.submit(raw, "bench", "test")
            assert refused.value.code == "import_unreadable"

        assert await desk.jobs.newest() == []


@pytest.mark.req("B34")
async def test_bench_file_does_the_step_of_every_meter_and_sends_the_failing_one_to_adjust(tmp_path: Path) -> None:
    """Of twenty meters in production one fails on the bench: twenty protocols, nineteen to be marked, one to adjust."""
    files = make_files(5)
    async with maker(tmp_path, files) as desk:
        raw, meters = await _bench_of_twenty(desk, files)
        held = await desk.procedures.publish(_production(), "test")
        await desk.runs.open(NewRun(held.digest, meters, {}), "test")

        job = await imported(desk, raw)

        assert (job.state, job.result["accepted"], findings(job)) == ("done", 20, [])
        views = [await desk.view(meter) for meter in meters]
        runs = [rows(view, "processes")[0] for view in views]
        assert Counter(at(run, "waits", "step") for run in runs) == {"mark": 19, "adjust": 1}
        for view, run in zip(views, runs, strict=True):
            (protocol,), (_, done) = rows(view, "protocols"), rows(run, "moves")
            assert done["protocols"] == [protocol["ref"]]
        again = await imported(desk, raw)
        assert (again.result["accepted"], again.result["repeated"]) == (0, 20)


def _production() -> Procedure:
    """The production that comes with the product, from the bench on."""
    whole = next(one for one in shipped_procedures() if one.code == "production")
    return whole.model_copy(update={"version": "bench", "steps": whole.steps[2:]})


async def _bench_of_twenty(desk: Desk, files: DemoFiles) -> tuple[bytes, list[bytes]]:
    """The runs of twenty meters that are known here, one of which reads twice what went through, and the meters."""
    table = read_table(files.bench_csv)
    at_serial = table.header.index("Заводской номер")
    known: dict[str, bytes] = {}
    async with desk.core.database.read() as tx:
        subjects = await list_subjects(tx)
    for subject in subjects:
        known[str(at(await desk.view(subject), "identity", "serial", "value"))] = subject
    cells = [[cell.text for cell in row.cells] for row in table.rows if row.cells[at_serial].text in known]
    serials = list(dict.fromkeys(row[at_serial] for row in cells))[:20]
    reference, measured = (table.header.index(f"Объём {of}, м³") for of in ("эталона", "прибора"))
    for row in cells:
        if row[at_serial] == serials[7]:
            row[measured] = format(Decimal(row[reference].replace(",", ".")) * 2, "f")
    return write_csv(list(table.header), [row for row in cells if row[at_serial] in serials]), [
        known[s] for s in serials
    ]
