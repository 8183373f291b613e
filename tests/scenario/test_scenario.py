"""The main job of the product over four real processes: what the demo plays, asserted, with another seed."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from node.api_client import ApiClient
from node.demo.scenario import Stage, play, stop
from node.demo.sheet import Sheets

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scenario")]
SEED = 20_261


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The scenario, played once for all tests of this file."""
    folder = tmp_path_factory.mktemp("scenario")
    played = asyncio.run(play(folder, SEED, Sheets(Console(quiet=True))))
    yield played
    stop(played)


def ask(stage: Stage, name: str, path: str, **query: str) -> Any:  # Any: JSON
    async def run() -> Any:  # Any: JSON
        async with ApiClient(stage.nodes[name].folder) as api:
            return await api.get(path, **query)

    return asyncio.run(run())


def passports(stage: Stage, name: str) -> list[dict[str, Any]]:  # Any: JSON
    rows = ask(stage, name, "/passports", limit="200")["items"]
    return [ask(stage, name, f"/passports/{row['id']}") for row in rows]


def rows(folder: Path, sql: str) -> list[Any]:  # Any: columns of the query
    with sqlite3.connect(f"file:{folder / 'passport.sqlite'}?mode=ro", uri=True) as connection:
        return connection.execute(sql).fetchall()


def test_four_organisations_share_what_one_made(stage: Stage) -> None:
    """Four processes of four organisations run, and a device made on one is read by the one entitled to it."""
    assert len({node.pid for node in stage.nodes.values()}) == 4
    bought = {passport["id"]: passport["digest"] for passport in passports(stage, "utility")}
    made = {passport["id"]: passport["digest"] for passport in passports(stage, "maker")}
    assert len(made) == 60
    assert len(bought.keys() & made.keys()) == 30


def test_nodes_with_equal_fragments_show_equal_bytes(stage: Stage) -> None:
    """Every passport that two nodes hold whole is byte-equal on both, digest included."""
    made = {passport["id"]: passport for passport in passports(stage, "maker")}
    shared = [passport for passport in passports(stage, "utility") if passport["id"] in made]
    assert shared
    for passport in shared:
        assert passport["view"] == made[passport["id"]]["view"]
        assert passport["digest"] == made[passport["id"]]["digest"]


def test_stranger_reads_no_device(stage: Stage) -> None:
    """The service firm is a member, mirrors every log, and holds no passport that nobody opened to it."""
    assert passports(stage, "service") == []
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


@pytest.mark.req("B69")
def test_code_bound_late_answers_for_old_records(stage: Stage) -> None:
    """Records written with an own code only answer the central code once it is bound, on the buyer's node too."""
    local, central = stage.files.later_references[0]
    for name in ("maker", "utility"):
        types = [passport["view"]["type"] for passport in passports(stage, name)]
        bound = [kind for kind in types if kind.get("local") == local]
        assert bound
        assert all(kind["central"] == central for kind in bound)


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
    """Two plates typed in Cyrillic and in mixed letters are one passport of two plates, and its facts are working."""
    for name in ("lab", "utility"):
        found = [passport["view"] for passport in passports(stage, name) if "СГВ-15" in passport["view"]["title"]]
        assert len(found) == 1
        assert len(found[0]["plates"]) == 2
        assert found[0]["identity"]["serial"]["standing"] == "working"


def test_no_key_of_a_device_stands_in_any_file_of_a_node(stage: Stage) -> None:
    """No root key of the production files stands raw, in hex of either case, or in base64 in any file of any node."""
    import base64

    from node.exchange.tables import read_table

    tables = [read_table(raw) for raw in (stage.files.production_xlsx, stage.files.production_csv)]
    keys = []
    for table in tables:
        at = list(table.header).index("AppKey")
        keys += [bytes.fromhex(row.cells[at].text) for row in table.rows]
    assert len(keys) == 60
    needles = [
        form
        for key in keys
        for form in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"="))
    ]
    for path in stage.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(needle in content for needle in needles), path
