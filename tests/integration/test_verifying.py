"""Many meters verified at once by their bench runs, over a real store."""

import json
from pathlib import Path
from typing import Any

from node.exchange.arshin import check_application
from node.passport.shown import at, rows
from node.services.verifying import Verifying
from tests.integration.test_bench_folder import run_of
from tests.unit.node_protocols.builders import EXAMPLES, Desk, new_desk, template

SERIALS = [f"250006{n:02d}" for n in range(40)]
ON_THE_BENCH = {
    "execution": "ВС-15Д-80-Р868",
    "started_at": "2025-05-14T09:12:00+05:00",
    "finished_at": "2025-05-14T09:41:30+05:00",
}
HEAD_LEAVES = ("device", "operations", "applicable", "valid_until", "fif_record", "conditions")


def head(**changes: Any) -> bytes:
    """What is the same for the meters of a day."""
    document = json.loads((EXAMPLES / "protocols" / "verification.ok.json").read_text())
    kept = {name: value for name, value in document.items() if name not in HEAD_LEAVES}
    return json.dumps(kept | {"operations": [{"name": "visual", "pass": True}]} | changes, ensure_ascii=False).encode()


async def lab_of(desk: Desk) -> tuple[Verifying, str, list[bytes]]:
    """Forty meters, of which all but the last were on the bench, and one is out of its limits."""
    await desk.templates.publish(template("flow-bench"), "test")
    held = await desk.templates.publish(template("verification"), "test")
    subjects = [await desk.device(serial) for serial in SERIALS]
    runs = [run_of(serial, "0.1103" if serial == SERIALS[3] else "0.1003") for serial in SERIALS[:-1]]
    raw = json.dumps([{**run, **ON_THE_BENCH} for run in runs], ensure_ascii=False).encode()
    assert (await desk.finish(await desk.bench.submit(raw, "bench.json", "test"))).result["accepted"] == 39
    verifying = Verifying(desk.core, desk.ledger, desk.jobs, desk.templates, desk.protocols, desk.runs)
    return verifying, held.reference, subjects


async def test_meters_of_a_day_are_verified_by_their_bench_runs(tmp_path: Path) -> None:
    """Each meter has its conclusion and term, one without a run is named, and the file takes them all."""
    async with new_desk(tmp_path) as desk:
        verifying, reference, subjects = await lab_of(desk)

        job = await desk.finish(await verifying.submit(reference, head(), subjects, "test"))

        assert (job.state, job.result["accepted"], job.result["repeated"]) == ("done", 39, 0)
        assert job.result["failed"] == 1
        findings = job.result["findings"]
        assert isinstance(findings, list)
        assert [(one["row"], one["rule"]) for one in findings] == [(40, "verify.no_run")]
        good, bad = await desk.view(subjects[0]), await desk.view(subjects[3])
        assert (at(good, "verification", "valid_until"), at(bad, "verification", "valid_until")) == ("2031-05-14", None)
        assert at(bad, "state", "code") == "rejected"
        numbers = [
            json.loads(str(rows(await desk.view(s), "protocols")[-1]["document"]))["protocol_no"] for s in subjects[:3]
        ]
        assert numbers == [f"ПП-25-000812-{n:04d}" for n in (1, 2, 3)]
        raw = (await desk.arshin.make("test", only_new=True)).raw
        check_application(raw)
        assert raw.count(b"<gost:result>") == 39

        again = await desk.finish(await verifying.submit(reference, head(), subjects, "test"))
        assert (again.result["accepted"], again.result["repeated"]) == (0, 39)


async def test_head_that_breaks_the_template_signs_nothing_and_says_why(tmp_path: Path) -> None:
    """A Latin cipher is refused for each meter with its place and rule, and no protocol is written."""
    async with new_desk(tmp_path) as desk:
        verifying, reference, subjects = await lab_of(desk)
        size = (await desk.state())[0]

        job = await desk.finish(await verifying.submit(reference, head(sign_cipher="ABC"), subjects[:2], "test"))

        findings = job.result["findings"]
        assert isinstance(findings, list)
        assert {(one["row"], one["column"]) for one in findings} == {(1, "/sign_cipher"), (2, "/sign_cipher")}
        assert (job.result["accepted"], (await desk.state())[0]) == (0, size)


async def test_head_that_the_register_could_not_do_with_signs_nothing(tmp_path: Path) -> None:
    """What the template leaves open and the «Аршин» file needs is told for each meter before anything is signed."""
    async with new_desk(tmp_path) as desk:
        verifying, reference, subjects = await lab_of(desk)
        size = (await desk.state())[0]
        document = json.loads(head())
        del document["sign_on_device"]

        job = await desk.finish(await verifying.submit(reference, json.dumps(document).encode(), subjects[:2], "test"))

        findings = job.result["findings"]
        assert isinstance(findings, list)
        told = {(one["row"], one["column"], one["rule"]) for one in findings}
        assert told == {(row, "/sign_on_device", "verify.not_for_register") for row in (1, 2)}
        assert (job.result["accepted"], (await desk.state())[0]) == (0, size)
