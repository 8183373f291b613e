"""The main job of the product, played on real processes over their own sockets."""

import asyncio
from functools import partial
from pathlib import Path

from node.api_client import ApiClient, ApiError
from node.demo.alteration import alter_and_find
from node.demo.commissioning import commission_and_read
from node.demo.documents import bench_template, verification_document, verification_template
from node.demo.files import PRODUCTS, make_files, make_line
from node.demo.repair import mend_while_cut
from node.demo.sheet import Sheets, StepError, require
from node.demo.stage import NODES, Json, Stage, set_stage
from node.exchange.arshin import check_application
from node.exchange.tables import read_table, write_csv

MDNS_S = 10.0
WATER_METERS = sum(product.count for product in PRODUCTS if product.central != "t:el")


async def play(folder: Path, seed: int, sheets: Sheets) -> Stage:
    """Play every step in an empty folder; raise StepError where one does not come out as it must. The nodes run on."""
    stage = set_stage(folder, make_files(seed), sheets)
    try:
        with sheets.step("1", "Four organisations make their nodes and a federation"):
            await found(stage)
        with sheets.step("2", "The maker imports a production file and a bench file; passports exist"):
            await produce(stage)
        with sheets.step("3", "The lab verifies 20 meters and writes the «Аршин» file"):
            await verify(stage)
        with sheets.step("4", "The maker ships 30 meters; passports and sealed keys arrive at once"):
            await ship(stage)
        with sheets.step("5", "The maker's node is stopped; the utility puts meters on the air and reads them"):
            stage.on_air = await commission_and_read(stage)
        with sheets.step("6", "A meter of a maker without a node, read twice, is one passport"):
            await meet_foreign_meter(stage)
        with sheets.step("7", "The service firm is cut off, mends a meter, and comes back"):
            stage.mended = await mend_while_cut(stage)
        with sheets.step("8", "One byte of the lab's store is altered, found, and refused by a fresh mirror"):
            stage.altered = await alter_and_find(stage)
    except BaseException:
        stage.stop()
        raise
    return stage


async def found(stage: Stage) -> None:
    """Step 1: init and serve, hear of each other, found the federation, invite, attest."""
    with stage.sheets.act("IT", "init and serve, four times") as line:
        await asyncio.to_thread(stage.relay.start)
        await asyncio.gather(*(asyncio.to_thread(node.init, **NODES[name]) for name, node in stage.nodes.items()))
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in stage.nodes.values()))
        for name in NODES:
            stage.orgs[name] = (await stage.get(name, "/node"))["org"]
        heard = await stage.wait(lambda: _all_heard(stage), MDNS_S)
        line.shown = "each node hears the other three by mDNS" if heard else "mDNS is silent: invitations will do"
    with stage.sheets.act("IT", "federation new, invite, join, attest") as line:
        await stage.post("utility", "/federation", {"name": "Демо-федерация"})
        for name in ("maker", "lab", "service"):
            invitation = await stage.post("utility", "/invitations")
            await stage.post(name, "/federation/join", {"invitation": invitation["text"]})
        for name, what, rows in (
            *((name, "number", [f"inn:{NODES[name]['inn']}"]) for name in NODES),
            ("maker", "maker", []),
            ("lab", "accreditation", ["RA.RU.000000", "verification"]),
            ("lab", "steward", ["line", "type"]),
        ):
            await stage.until(f"{name} is known", partial(_knows, stage, "utility", stage.orgs[name]))
            await stage.post("utility", "/attestations", {"org": stage.orgs[name], "what": what, "rows": rows})
        await stage.until("everybody knows everybody", lambda: _all_met(stage))
        line.shown = "four nodes know each other"


async def produce(stage: Stage) -> None:
    """Step 2: lines, references, the production file, corrections, the bench file, a late binding."""
    for product in PRODUCTS:
        line = make_line(product, "00" * 16, stage.orgs["maker"]).model_dump(mode="json", exclude_none=True)
        del line["line"]
        await stage.post("maker", "/lines", {"record": line})
    for local, central in stage.files.references:
        await stage.post("maker", "/references", {"catalog": "types", "local": local, "central": central})
    with stage.sheets.act("maker", "import production.xlsx, production.csv") as shown:
        jobs = [
            await run_import(stage, stage.files.production_xlsx, "production.xlsx"),
            await run_import(stage, stage.files.production_csv, "production.csv"),
        ]
        accepted = sum(job["result"]["accepted"] for job in jobs)
        findings = [finding for job in jobs for finding in job["result"]["findings"]]
        require(accepted == 58, f"58 meters are imported, got {accepted}")
        rules = sorted(finding["rule"] for finding in findings)
        require(rules == ["serial.duplicate", "serial.lost_zero"], f"two rows are reported, got {rules}")
        shown.shown = f"{accepted} imported, {len(findings)} reported: {', '.join(rules)}"
    with stage.sheets.act("maker", "correct the two rows, import the reports again") as shown:
        for job, wrong, right in zip(
            jobs,
            (stage.files.lost_zero.lstrip("0"), stage.files.duplicate),
            (stage.files.lost_zero, stage.files.intended),
            strict=True,
        ):
            again = await run_import(stage, await corrected(stage, job["job"], wrong, right), "corrected.csv")
            require(again["result"]["accepted"] == 1, f"the corrected row is imported: {again['result']}")
        shown.shown = "2 imported, 60 passports"
    with stage.sheets.act("maker", "publish the bench template, import bench.csv") as shown:
        async with stage.api("maker") as api:
            await api.upload("/templates", bench_template())
        runs = (await run_import(stage, stage.files.bench_csv, "bench.csv", "bench"))["result"]
        require((runs["accepted"], runs["findings"]) == (WATER_METERS, []), f"every water meter has a run: {runs}")
        shown.shown = f"{runs['accepted']} runs are signed"
    with stage.sheets.act("maker", "bind the last 1C code") as shown:
        local, central = stage.files.later_references[0]
        before = await _with_type(stage, local)
        require(all(row["central"] is None for row in before), "the code is unbound before")
        await stage.post("maker", "/references", {"catalog": "types", "local": local, "central": central})
        after = await _with_type(stage, local)
        require(bool(after) and all(row["central"] == central for row in after), "old records answer the central code")
        shown.shown = f"{len(after)} old records answer {central}"


async def verify(stage: Stage) -> None:
    """Step 3: the maker opens 20 water meters to the lab; the lab publishes a template and signs 20 documents."""
    page = (await stage.get("maker", "/passports", q="", limit="60"))["items"]
    devices = [row for row in page if row["title"].startswith(PRODUCTS[0].designation)][:20]
    await stage.post("maker", "/shares", {"org": stage.orgs["lab"], "ids": [row["id"] for row in devices]})
    await stage.until("20 passports reach the lab", partial(_held, stage, "lab", 20))
    async with stage.api("lab") as api:
        with stage.sheets.act("lab", "publish the template, sign 20 documents") as line:
            template = (await api.upload("/templates", verification_template()))["reference"]
            for number, row in enumerate(devices):
                document = verification_document(row["id"], row["title"], number)
                await api.upload("/protocols", document, template=template)
            line.shown = "20 verifications are signed"
        with stage.sheets.act("lab", "a document whose validity is a day too long") as line:
            await refuse(api, template, verification_document(devices[0]["id"], devices[0]["title"], 99, wrong=True))
            line.shown = "refused: date_plus_months_minus_day"
        with stage.sheets.act("lab", "arshin") as line:
            raw = await api.download("/arshin")
            check_application(raw)
            require(raw.count(b"mitypeNumber>") == 40, "the file holds 20 results")
            (stage.folder / "arshin.xml").write_bytes(raw)
            line.shown = "arshin.xml holds 20 results and is valid against the schema"
    await stage.until(
        "the maker sees a verified meter", partial(_has_state, stage, "maker", devices[0]["id"], "verified")
    )


async def refuse(api: ApiClient, template: str, document: bytes) -> None:
    """Send a document that breaks a rule; raise StepError unless it is refused with the rule named."""
    try:
        await api.upload("/protocols", document, template=template)
    except ApiError as error:
        require(error.code == "document_refused" and "/valid_until" in str(error), str(error))
        return
    raise StepError("a document that breaks a rule was signed")


async def ship(stage: Stage) -> None:
    """Step 4: offer, acceptance, equal passports; a stranger's question for a key is refused in both journals."""
    page = await stage.get("maker", "/passports", limit="60")
    devices = [row["id"] for row in page["items"]][::2]
    with stage.sheets.act("maker", "ship 30 meters to the utility") as line:
        body = {"buyer": stage.orgs["utility"], "number": "ТТН-1", "devices": devices}
        shipment = await stage.post("maker", "/shipments", body)
        line.shown = f"shipment {shipment['number']} is offered"
    with stage.sheets.act("utility", "accept") as line:
        await stage.until("the offer arrives", lambda: _shipments(stage, "utility"))
        await stage.post("utility", f"/shipments/{shipment['id']}/acceptance")
        held = await stage.until("30 passports arrive", lambda: _held(stage, "utility", 30))
        equal = await stage.until("both show the same", lambda: _same(stage, devices, ("maker", "utility")))
        line.shown = f"{len(held)} passports with sealed keys; {equal} of them whole, byte for byte the maker's"
    with stage.sheets.act("fitter", "ask the maker for a meter's key") as line:
        try:
            await stage.post("service", f"/passports/{devices[0]}/key-requests", {"org": stage.orgs["maker"]})
        except ApiError as error:
            require(error.code == "key_refused", f"the key is refused, got {error.code}")
        else:
            raise StepError("a stranger got a key")
        for name, what in (("service", "key_refused"), ("maker", "secret_refused")):
            rows = (await stage.get(name, "/journal", limit="50"))["items"]
            require(any(row["what"] == what for row in rows), f"the refusal is in the journal of the {name}")
        line.shown = "refused; the refusal is in both journals"


async def meet_foreign_meter(stage: Stage) -> None:
    """Step 6: the steward publishes the line, two people type what they see."""
    record = {
        "marks": ["ГАЗДЕМО"],
        "designations": ["СГВ-15"],
        "serial": {"pattern": "digits", "width": 7},
        "legal_makers": [],
    }
    with stage.sheets.act("lab", "publish the line of a maker without a node") as line:
        await stage.post("lab", "/lines", {"record": record})
        line.shown = "line СГВ-15 is published"
    with stage.sheets.act("utility", "СГВ-15 № 0012345") as line:
        first = await stage.post("utility", "/plates", {"text": "СГВ-15 № 0012345"})
        line.shown = f"passport {first['id']}"
    with stage.sheets.act("lab", "CГB 15 0012345") as line:
        await stage.post("lab", "/plates", {"text": "CГB 15 0012345"})
        lab = (await stage.get("lab", "/passports", q="0012345"))["items"]
        require(len(lab) == 1, f"one passport in the lab, got {lab}")
        for name, other in (("lab", "utility"), ("utility", "lab")):
            own = (await stage.until("the plate is shown", partial(_items, stage, name, "0012345")))[0]["id"]
            await stage.post(name, "/shares", {"org": stage.orgs[other], "ids": [own]})
        await stage.until("one passport, equal on both", lambda: _one_passport(stage, ("lab", "utility"), "0012345"))
        line.shown = "one passport on both nodes, standing working"


async def run_import(stage: Stage, raw: bytes, name: str, kind: str = "production") -> Json:
    """Import a file and wait for its job."""
    async with stage.api("maker") as api:
        taken = await api.upload("/imports", raw, name=name, kind=kind)
        while True:
            job = await api.get(f"/jobs/{taken['job']}", wait="10")
            if job["state"] not in ("waiting", "running"):
                require(job["state"] == "done", f"import {name}: {job['result'].get('error')}")
                return job


async def corrected(stage: Stage, job: str, wrong: str, right: str) -> bytes:
    """The report of a job with one serial put right, as a person would."""
    async with stage.api("maker") as api:
        table = read_table(await api.download(f"/jobs/{job}/report", format="csv"))
    rows = [[right if cell.text == wrong else cell.text for cell in row.cells] for row in table.rows]
    return write_csv(list(table.header), rows)


async def _knows(stage: Stage, name: str, org: str) -> bool:
    peers = (await stage.get(name, "/peers"))["items"]
    return org == stage.orgs[name] or any(peer["org"] == org for peer in peers)


async def _all_heard(stage: Stage) -> bool:
    """Whether every node knows of the other three, be they in its inbox; it may hear of nodes beside the demo too."""
    found = [{peer["org"] for peer in (await stage.get(name, "/peers"))["items"]} for name in NODES]
    return all(set(stage.orgs.values()) - heard <= {stage.orgs[name]} for name, heard in zip(NODES, found, strict=True))


async def _all_met(stage: Stage) -> bool:
    counts = [len([p for p in (await stage.get(n, "/peers"))["items"] if p["state"] == "active"]) for n in NODES]
    return all(count == len(NODES) - 1 for count in counts)


async def _with_type(stage: Stage, local: str) -> list[Json]:
    page = await stage.get("maker", "/passports", limit="100")
    views = [(await stage.get("maker", f"/passports/{row['id']}"))["view"] for row in page["items"]]
    return [view["type"] for view in views if view["type"]["local"] == local]


async def _shipments(stage: Stage, name: str) -> Json:
    return (await stage.get(name, "/shipments"))["items"]


async def _held(stage: Stage, name: str, count: int) -> Json:
    items = (await stage.get(name, "/passports", limit="100"))["items"]
    return items if len(items) >= count else None


async def _items(stage: Stage, name: str, text: str) -> Json:
    return (await stage.get(name, "/passports", q=text))["items"]


async def _same(stage: Stage, devices: list[str], names: tuple[str, ...]) -> int:
    """How many passports are byte-equal; 0 unless all show the same statements, and those without a withheld part do.

    A protocol's personal part stays with its author: such a passport says on the other node that it is withheld.
    """
    equal = 0
    for device in devices:
        shown = [await stage.passport(name, device) for name in names]
        if None in shown or len({str([row["id"] for row in item["view"]["statements"]]) for item in shown}) > 1:
            return 0
        if len({item["digest"] for item in shown}) == 1:
            equal += 1
        elif not any(item["view"]["withheld"] for item in shown):
            return 0
    return equal


async def _has_state(stage: Stage, name: str, device: str, state: str) -> bool:
    view = (await stage.get(name, f"/passports/{device}"))["view"]
    return bool(view["state"]["code"] == state)


async def _one_passport(stage: Stage, names: tuple[str, ...], text: str) -> bool:
    found = [await _items(stage, name, text) for name in names]
    if any(len(items) != 1 for items in found):
        return False
    views = [(await stage.get(name, f"/passports/{items[0]['id']}")) for name, items in zip(names, found, strict=True)]
    same = len({view["digest"] for view in views}) == 1
    return same and all(len(view["view"]["plates"]) == 2 for view in views)
