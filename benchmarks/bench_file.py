"""A bench file of 1,000 meters: its protocols signed, each meter verified by its run, and the «Аршин» file of all.

Seconds of one node with its store on the disk, from the file's bytes to the file that the register's schema accepts;
the passports are there before. One meter in 50 is out of its limits. Against the limit that people were promised.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

from lxml import etree

from benchmarks.__main__ import Measure
from node.demo.files import MARK
from node.exchange.arshin import check_application
from node.passport import drafts
from node.passport.bodies import Plate
from node.services.verifying import Verifying
from tests.unit.node_protocols.builders import APPROVAL, DESIGNATION, EXAMPLES, Desk, new_desk, template

METERS, LIMIT_S = 1_000, 120.0
EXECUTION = "ВС-15Д-80-Р868"
BAD = 50


def serial_of(run: int, number: int) -> str:
    """A serial of the line, another one in each run."""
    return f"25{run * METERS + number:06d}"


def bench_file(run: int) -> bytes:
    """The file that the bench writes."""
    head = {
        "mark": MARK, "designation": DESIGNATION, "execution": EXECUTION, "year": "2025",
        "started_at": "2025-05-14T09:12:00+05:00", "finished_at": "2025-05-14T09:41:30+05:00",
        "bench_name": "УП-Демо 15/20", "bench_serial": "003", "operator": "Оператор 12",
        "t_air": "21.5", "pressure": "98.6", "humidity": "46",
    }  # fmt: skip
    points = [("Q1", "0.02", "0.005", "5.0"), ("Q2", "0.032", "0.01", "2.0"), ("Q3", "1.6", "0.1", "2.0")]
    runs = []
    for number in range(METERS):
        error = 0.03 if number % BAD == 0 else (number % 13 - 6) / 1000
        told = [
            {"point": name, "q_set": flow, "v_ref": volume, "v_meter": f"{float(volume) * (1 + error):.6f}", "mpe": mpe}
            for name, flow, volume, mpe in points
        ]
        serial = serial_of(run, number)
        runs.append({**head, "protocol_no": f"ПР-{serial}", "serial": serial, "points": told})
    return json.dumps(runs, ensure_ascii=False).encode()


def work(run: int) -> float:
    """Seconds of one run; raise RuntimeError where a result is missing or the schema refuses the file."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_work(Path(folder), run))


async def _work(folder: Path, run: int) -> float:
    async with new_desk(folder) as desk:
        verifying = Verifying(desk.core, desk.ledger, desk.jobs, desk.templates, desk.protocols)
        await desk.templates.publish(template("flow-bench"), "bench")
        held = await desk.templates.publish(template("verification"), "bench")
        subjects = await _meters(desk, run)
        raw, head = bench_file(run), _head()
        begun = time.perf_counter()
        bench = await desk.finish(await desk.bench.submit(raw, "bench.json", "bench"))
        verified = await desk.finish(await verifying.submit(held.reference, head, subjects, "bench"))
        application = (await desk.arshin.make("bench", only_new=True)).raw
        taken = time.perf_counter() - begun
        check_application(application)
        results = len(etree.fromstring(application))
        told = (bench.result.get("accepted"), verified.result.get("accepted"), results)
        if told != (METERS, METERS, METERS):
            raise RuntimeError(f"protocols, verifications, results: {told}; {str(verified.result)[:2000]}")
        return taken


async def _meters(desk: Desk, run: int) -> list[bytes]:
    log, now, world = desk.ledger.log.log, desk.core.clock.now(), desk.projection.world
    said, subjects = [], []
    for number in range(METERS):
        plate = Plate(
            mark=MARK, designation=DESIGNATION, serial=serial_of(run, number), year="2025", approvals=(APPROVAL,)
        )
        claim = world.lines.claim_for(plate, log=log, randomness=bytes(16))
        subjects.append(claim.subject.raw)
        said.append(drafts.identity(claim.subject.raw, claim.encode(), plate, now))
    await desk.ledger.append(said)
    return subjects


def _head() -> bytes:
    """What is the same for all: a good verification without its device, points and conclusion."""
    document = json.loads((EXAMPLES / "protocols" / "verification.ok.json").read_text())
    for name in ("device", "operations", "applicable", "valid_until", "fif_record", "conditions", "seals"):
        document.pop(name, None)
    document["operations"] = [{"name": "visual", "pass": True}, {"name": "leak", "pass": True}]
    return json.dumps(document, ensure_ascii=False).encode()


MEASURES = [
    Measure(
        f"{METERS} meters from the bench's file to the «Аршин» file", "s", "the promise", work, lambda _run: LIMIT_S
    )
]
