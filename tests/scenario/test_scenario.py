"""The main job of the product over four real processes: what the demo plays, asserted, with another seed."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from federation.fragment import Fragment
from node.api_client import ApiClient
from node.clock import SystemRandom
from node.demo.alteration import MIRROR
from node.demo.repair import FITTED, NOT_ADMITTED, REMOVED
from node.demo.scenario import play
from node.demo.sheet import Sheets
from node.demo.stage import Stage, set_stage
from node.exchange.tables import read_table
from node.folder import NodeFolder
from node.keystore import open_keystore
from node.passport.view import View, digest, inside_on
from node.services.radio_records import open_session
from node.store.radio import StoredSession
from node.web.languages import LANGUAGES
from node.web.words import DETAILS, JOURNAL, actor_words, detail_text, detail_values
from tests.browser.pictures import LIST, PICTURES, SCREENS, take_pictures
from tests.nodes import command, rows
from tests.property.test_fold import altered, leaves
from tests.scenario.views import Held, answers, held_fragments, page
from tests.secrets import keys_of_file, leaks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
SEED = 20_261
TRANSCRIPT = "transcript.txt"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The scenario, played once for all tests of this file."""
    folder = tmp_path_factory.mktemp("scenario")
    with (
        (folder / TRANSCRIPT).open("w", encoding="utf-8", buffering=1) as transcript,
        contextlib.closing(set_stage(folder, SEED, Sheets(Console(file=transcript, width=200)))) as played,
    ):
        asyncio.run(play(played))
        played.sheets.print_all()
        yield played


def ask(stage: Stage, name: str, path: str, **query: str) -> Any:  # Any: JSON
    async def run() -> Any:  # Any: JSON
        async with ApiClient(stage.nodes[name].folder) as api:
            return await api.get(path, **query)

    return asyncio.run(run())


def passports(stage: Stage, name: str) -> list[dict[str, Any]]:  # Any: JSON
    """The devices that a node holds, whole; parts of devices are left out."""

    async def run() -> list[dict[str, Any]]:
        async with stage.api(name) as api:
            items = (await api.get("/passports", limit="200"))["items"]
            return [await api.get(f"/passports/{row['id']}") for row in items if row["kind"] == "device"]

    return asyncio.run(run())


def test_nodes_heard_each_other_and_joined_by_invitation(stage: Stage) -> None:
    """Each node heard the other three by mDNS before it knew anybody, and three of them took an invitation."""
    for name, node in stage.nodes.items():
        heard = rows(node.folder, "select org from journal where what = 'peer_met' and actor = 'mdns'")
        first = rows(node.folder, "select what from journal where what in ('peer_met', 'joined_federation') limit 1")
        others = {bytes.fromhex(org) for other, org in stage.orgs.items() if other != name}
        assert others <= {org for (org,) in heard}
        assert first == [("peer_met",)]
    joined = {
        n.name for n in stage.nodes.values() if rows(n.folder, "select 1 from journal where what = 'joined_federation'")
    }
    taken = rows(stage.nodes["utility"].folder, "select org from journal where what = 'peer_joined'")
    assert joined == {"maker", "lab", "service"}
    assert {org.hex() for (org,) in taken} == {stage.orgs[name] for name in joined}


@pytest.mark.req("A13")
def test_four_organisations_share_what_one_made(stage: Stage) -> None:
    """Four processes of four organisations run, and a device made on one is read by the one entitled to it."""
    assert len({node.pid for node in stage.nodes.values()}) == 4
    bought, made = ({p["id"] for p in passports(stage, name)} for name in ("utility", "maker"))
    assert len(made) == 60
    assert len(bought & made) == 30


def test_every_water_meter_has_the_protocol_of_its_bench_run(stage: Stage) -> None:
    """The bench file became fifty protocols and last readings; the buyer reads them but for the operator."""
    made = {p["id"]: p["view"] for p in passports(stage, "maker")}
    poured = {device for device, view in made.items() if bench_runs(view)}
    assert len(poured) == 50
    for device in poured:
        view = made[device]
        assert [run["by"] for run in bench_runs(view)] == [stage.orgs["maker"]]
        assert view["parameters"]["bench_reading"]["values"][0]["standing"] == "stated"
        assert "calibrated" in {event["what"]["central"] for event in view["events"]}
    bought = [p["view"] for p in passports(stage, "utility") if p["id"] in poured]
    assert len(bought) == 25
    for view in bought:
        (run,) = bench_runs(view)
        assert run["document"]
        assert run["personal"] is None


def bench_runs(view: Any) -> list[Any]:  # Any: JSON
    return [item for item in view["protocols"] if item["template"]["name"] == "flow-bench"]


def test_nodes_with_equal_fragments_answer_equal_bytes(stage: Stage) -> None:
    """Over HTTP from each process a passport is byte-equal exactly where the fragments are, and its digest is over all.

    The mended meter is such a one on the maker's and the utility's node, and on the lab's and the service firm's.
    """
    assert stage.mended is not None
    held = {name: [p["id"] for p in passports(stage, name)] for name in stage.nodes}
    found = answers(stage.nodes, held)
    equal: dict[str, set[frozenset[str]]] = {}
    for device in {device for devices in held.values() for device in devices}:
        by_bytes: dict[bytes, set[str]] = {}
        by_fragments: dict[Held, set[str]] = {}
        for name in (name for name in held if device in held[name]):
            raw = found[name][device]
            by_bytes.setdefault(raw, set()).add(name)
            by_fragments.setdefault(held_fragments(stage.nodes[name].folder, device), set()).add(name)
            answer = json.loads(raw)
            assert digest(answer["view"]).hex() == answer["digest"]
        assert sorted(map(sorted, by_bytes.values())) == sorted(map(sorted, by_fragments.values()))
        equal[device] = {frozenset(names) for names in by_bytes.values()}

    assert equal[stage.mended.device] == {frozenset({"maker", "utility"}), frozenset({"lab", "service"})}
    assert sum(frozenset({"maker", "utility"}) in groups for groups in equal.values()) == 5


def test_altering_any_value_of_an_answer_alters_its_digest(stage: Stage) -> None:
    """No value of a real passport, as it came over HTTP, lies outside the digest: not one in conflicts, not a name."""
    assert stage.mended is not None
    answer = ask(stage, "lab", f"/passports/{stage.mended.device}")
    view = answer["view"]
    paths = list(leaves(view))

    digests = {digest(cast("View", altered(view, path))).hex() for path in paths}

    assert len(paths) > 300
    assert len(digests) == len(paths)
    assert answer["digest"] not in digests


def test_service_firm_was_cut_off_when_it_mended(stage: Stage) -> None:
    """While the relay was ended, the repair was known to its author alone, the removal to the owner alone."""
    assert stage.mended is not None
    assert stage.mended.apart == {
        "maker": "transferred",
        "utility": "removed",
        "lab": "transferred",
        "service": "repaired",
    }
    assert rows(stage.nodes["service"].folder, "select count(*) from journal where what = 'log_opened'") == [(1,)]


def test_every_entitled_node_shows_the_repair_and_both_parts(stage: Stage) -> None:
    """Repaired, not admitted until verified, by whom the owner named; the old part until then, the new from then on."""
    assert stage.mended is not None
    for name, node in stage.nodes.items():
        view = ask(stage, name, f"/passports/{stage.mended.device}")["view"]
        state = view["state"]
        assert (state["code"], state["standing"], state["note"]) == ("repaired", "stated", NOT_ADMITTED)
        assert state["by"] == stage.orgs["service"]
        assert {"removed", "repaired"} <= {event["what"]["central"] for event in view["events"]}
        assert view["parties"]["owner"]["value"] == stage.orgs["utility"]
        parts = {edge["serial"]: edge for edge in view["composition"]["children"]}
        assert parts.keys() == {REMOVED, FITTED}
        assert {(edge["standing"], edge["ground"], edge["used"]) for edge in parts.values()} == {
            ("stated", "named", True)
        }
        until = parts[REMOVED]["until"]
        assert (parts[REMOVED]["since"], parts[FITTED]["since"], parts[FITTED]["until"]) == (None, until, None)
        assert [edge["serial"] for edge in inside_on(view, "2026-01-01")] == [REMOVED]
        shown = page(node, f"/devices/{stage.mended.device}")
        assert all(text in shown for text in ("отремонтирован, не допущен до поверки", REMOVED, FITTED))


def test_verbose_look_up_prints_the_digest_of_the_whole_view(stage: Stage) -> None:
    """The command prints on each node what the demo printed, and equal ones where fragments are equal."""
    assert stage.mended is not None
    for name, mark in stage.mended.digests.items():
        done = command("lookup", stage.mended.device, "--verbose", "--folder", str(stage.nodes[name].folder))
        assert f"digest {mark} over the whole view" in done.stdout, done.stderr
    digests = stage.mended.digests
    assert digests["maker"] == digests["utility"] != digests["lab"] == digests["service"]


def test_stranger_reads_no_device(stage: Stage) -> None:
    """The service firm is a member, mirrors every log, and holds no passport but the one that was opened to it."""
    assert stage.mended is not None
    assert [passport["id"] for passport in passports(stage, "service")] == [stage.mended.device]
    mirrored = rows(stage.nodes["service"].folder, "select size from logs where own = 0")
    assert sum(size for (size,) in mirrored) > 300


def test_buyer_holds_sealed_keys_of_what_was_shipped_and_nothing_else(stage: Stage) -> None:
    """The buyer's store has one sealed root key for each of the 30 meters; the lab and the service firm have none."""
    sql = "select count(*) from sections where name = 'root-keys' and form = 2"
    assert rows(stage.nodes["utility"].folder, sql) == [(30,)]
    for name in ("lab", "service"):
        assert rows(stage.nodes[name].folder, "select count(*) from sections where name = 'root-keys'") == [(0,)]


def test_no_log_holds_an_entry_that_a_peer_refused(stage: Stage) -> None:
    """No node stopped the log of another, and every peer is level and without trouble."""
    for node in stage.nodes.values():
        assert rows(node.folder, "select count(*) from logs where stopped is not null") == [(0,)]


def test_code_bound_late_answers_for_old_records(stage: Stage) -> None:
    """Records written with an own code only answer the central code once it is bound, on the buyer's node too."""
    local, central = stage.files.later_references[0]
    for name in ("maker", "utility"):
        types = [passport["view"]["type"] for passport in passports(stage, name)]
        bound = [kind for kind in types if kind.get("local") == local]
        assert bound
        assert all(kind["central"] == central for kind in bound)


def test_commands_imported_the_files_and_their_reports_held_one_row_each(stage: Stage) -> None:
    """What `passport-node import` wrote: one row of each file with its rule; once mended it was imported."""
    jobs = ask(stage, "maker", "/jobs")["items"]
    production = [job["result"] for job in jobs if job["kind"] == "import.production"]
    found = []
    for number in (1, 2):
        report = read_table((stage.folder / f"to-correct-{number}.csv").read_bytes())
        (row,) = ([cell.text for cell in each.cells] for each in report.rows)
        found.append(row)
    assert sorted(result["accepted"] for result in production) == [1, 1, 29, 29]
    assert sorted(len(result["findings"]) for result in production) == [0, 0, 1, 1]
    assert any("serial.lost_zero" in cell for cell in found[0])
    assert any("serial.duplicate" in cell for cell in found[1])
    assert stage.files.lost_zero.lstrip("0") in found[0]
    assert stage.files.duplicate in found[1]


def test_journal_of_every_node_reads_as_words(stage: Stage) -> None:
    """No row that the scenario left on any node shows a kind, a detail, an actor or a value by its code."""
    for name, node in stage.nodes.items():
        for what, actor, detail in rows(node.folder, "select distinct what, actor, detail from journal"):
            shown = [detail_values(json.loads(detail), language) for language in LANGUAGES]
            assert what in JOURNAL, (name, what)
            assert actor_words(actor, "ru") != actor, (name, actor)
            assert all(each.keys() <= DETAILS.keys() for each in shown), (name, what, detail)
            assert not {"None", "True", "False"} & {detail_text(value) for each in shown for value in each.values()}


def test_verifications_reach_the_maker_and_the_buyer(stage: Stage) -> None:
    """Twenty meters are verified on the maker's node, by the lab and until the day that the documents say."""
    verified = [
        p["view"]["verification"] for p in passports(stage, "maker") if p["view"]["verification"]["valid_until"]
    ]
    assert len(verified) == 20
    assert {row["by"] for row in verified} == {stage.orgs["lab"]}
    assert {row["valid_until"] for row in verified} == {"2032-11-01"}
    assert (stage.folder / "arshin.xml").read_bytes().count(b"<gost:result>") == 20


def test_meter_without_a_maker_is_one_working_passport(stage: Stage) -> None:
    """Two plates typed offline, in Cyrillic and in mixed letters, are one passport of two; its facts are working."""
    assert stage.plates_apart == {"lab": 1, "utility": 1}
    for name in ("lab", "utility"):
        found = [passport["view"] for passport in passports(stage, name) if "СГВ-15" in passport["view"]["title"]]
        assert len(found) == 1
        assert len(found[0]["plates"]) == 2
        assert found[0]["identity"]["serial"]["standing"] == "working"
        for text in ("СГВ-15 № 0012345", "CГB 15 0012345", "№ 0012345", "0012345"):
            assert len(ask(stage, name, "/lookup", q=text)["items"]) == 1, text


def test_readings_and_session_keys_stand_on_the_data_owners_node_alone(stage: Stage) -> None:
    """Decoded readings reach the owner's store; nobody else holds a session, a frame, a reading or a root key."""
    assert stage.on_air is not None
    for meter, quantity in ((stage.on_air.water, "volume"), (stage.on_air.energy, "energy_active_import")):
        values = ask(stage, "utility", f"/passports/{meter.id}/readings", quantity=quantity)["items"]
        assert [value["status"] for value in values] == ["ok"]
    for name in ("maker", "lab", "service"):
        for table in ("radio_devices", "radio_sessions", "frames", "readings"):
            assert rows(stage.nodes[name].folder, f"select count(*) from {table}") == [(0,)]  # noqa: S608 - fixed names
    assert rows(stage.nodes["utility"].folder, "select count(*) from radio_sessions")[0][0] >= 2


def test_meters_on_the_air_are_registered_stopped_or_refused(stage: Stage) -> None:
    """Two agree with their passports, the copied one is stopped by its serial, the one without a key never joined."""
    assert stage.on_air is not None
    states = {}
    for name in ("water", "energy", "copied", "named"):
        meter = getattr(stage.on_air, name)
        states[name] = ask(stage, "utility", f"/radio/devices/{meter.dev_eui}")
    assert {name: device["state"] for name, device in states.items()} == {
        "water": "registered",
        "energy": "registered",
        "copied": "stopped",
        "named": "waiting",
    }
    assert [row["field"] for row in states["copied"]["rows"] if not row["equal"]] == ["serial"]
    register = next(row for row in states["water"]["rows"] if row["field"] == "volume")
    view = ask(stage, "utility", f"/passports/{stage.on_air.water.id}")["view"]
    bench = view["parameters"]["bench_reading"]["values"][0]
    assert (register["passport"], register["reported"]) == (f"≥ {bench['value']} m3", "12.3456 m3")
    frames = ask(stage, "utility", "/radio/frames", dev_eui=stage.on_air.water.dev_eui)["items"]
    heard = [(frame["state"], len(frame["detail"]["receptions"])) for frame in frames if frame["what"] == "uplink"]
    assert heard == [("refused", 2), ("decoded", 2)]
    assert stage.on_air.acknowledged["window"] == "RX1"


@pytest.mark.req("A36")
def test_owner_reads_payloads_because_the_keys_came_with_the_shipment(stage: Stage) -> None:
    """The utility's store holds the session key that opens a payload, sealed; a node without the root key cannot."""
    assert stage.on_air is not None
    homes = {name: node.folder for name, node in stage.nodes.items()}
    opened = session_keys(homes["utility"])
    assert len(opened) >= 2
    assert all(session_keys(home) == {} for name, home in homes.items() if name != "utility")
    values = ask(stage, "utility", f"/passports/{stage.on_air.water.id}/readings", quantity="volume")["items"]
    assert [value["value"] for value in values] == ["12.3456"]


@pytest.mark.req("A27")
def test_every_step_was_played_and_each_person_has_a_sheet(stage: Stage) -> None:
    """Eight steps, each of which ends the demo where it does not come out; who typed what, and what was on screen."""
    assert list(stage.sheets.times) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert {"maker", "lab", "utility", "fitter"} <= stage.sheets.people.keys()
    lines = [line for lines in stage.sheets.people.values() for line in lines]
    assert all(line.typed and line.shown for line in lines)
    assert not [line.typed for line in lines if re.search(r"\b(GET|POST|PUT) /", line.typed)]


def test_altered_byte_was_found_and_everything_was_put_back(stage: Stage) -> None:
    """The entry was named by log, seq and id; the lab's own store is as it was, and its log went on in one piece."""
    assert stage.altered is not None
    lab = stage.nodes["lab"].folder
    ((number, size),) = rows(lab, "select no, size from logs where own = 1")
    assert stage.altered.seq < size
    place = (number, stage.altered.seq)
    ((header, signature),) = rows(lab, "select header, signature from fragments where log_no = ? and seq = ?", *place)
    ((data,),) = rows(lab, "select data from sections where log_no = ? and seq = ? and name = 'line'", *place)
    assert Fragment(header, signature).id.hex() == stage.altered.id
    assert json.loads(data)["designations"] == ["СГВ-15"]


@pytest.mark.browser
@pytest.mark.req("B71")
def test_pictures_of_the_readme_are_of_the_console(stage: Stage, tmp_path: Path) -> None:
    """Each page is pictured again from the nodes of this run; the README shows those pictures and no others."""
    each = {(picture.node, picture.page): picture for picture in reversed(PICTURES)}
    taken = asyncio.run(take_pictures(stage, tmp_path, tuple(each.values())))

    kept = json.loads((SCREENS / LIST).read_text(encoding="utf-8"))
    shown = re.findall(r"docs/screens/([\w.-]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {name: about["page"] for name, about in kept.items()} == {f"{p.name}.png": p.page for p in PICTURES}
    assert taken.items() <= {name: about["page"] for name, about in kept.items()}.items()
    assert len(taken) == len(each)
    assert shown
    assert set(shown) <= kept.keys()
    for name, about in kept.items():
        assert hashlib.sha256((SCREENS / name).read_bytes()).hexdigest() == about["sha256"]
        assert name not in taken or png_width(tmp_path / name) == png_width(SCREENS / name)


def png_width(path: Path) -> int:
    """The width in the header of a PNG (its specification, 11.2.2)."""
    return int.from_bytes(path.read_bytes()[16:20], "big")


def test_no_secret_stands_in_any_file_of_the_scenario(stage: Stage) -> None:
    """Keys of nodes, devices and radio sessions: none in any file, log, transcript or store, in any way of writing."""
    homes = {name: node.folder for name, node in stage.nodes.items()} | {MIRROR: stage.folder / MIRROR}
    more: dict[str, bytes] = {}
    for number, raw in enumerate((stage.files.production_xlsx, stage.files.production_csv)):
        more |= {f"{number}: {what}": secret for what, secret in keys_of_file(raw).items()}
    sessions = session_keys(homes["utility"])
    assert len(more) == 120
    assert sessions

    assert "8 One byte of the lab's store" in (stage.folder / TRANSCRIPT).read_text(encoding="utf-8")
    assert leaks(stage.folder, homes, more | sessions) == []


def session_keys(home: Path) -> dict[str, bytes]:
    """The session keys that a node's store holds sealed."""
    vault = open_keystore(NodeFolder(home), SystemRandom()).vault
    found: dict[str, bytes] = {}
    for dev_eui, number, state in rows(home, "select dev_eui, number, state from radio_sessions"):
        session = open_session(vault, StoredSession(dev_eui, number, state))
        found[f"NwkSKey {dev_eui.hex()}/{number}"] = session.network_key.reveal()
        if session.application_key is not None:
            found[f"AppSKey {dev_eui.hex()}/{number}"] = session.application_key.reveal()
    return found
