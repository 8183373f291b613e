"""The scenario of four organisations with all their stores in PostgreSQL: the same steps, and what is shown of them."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from rich.console import Console

from node.demo.scenario import play
from node.demo.sheet import Sheets
from node.demo.stage import NODES, Stage, set_stage
from tests.conftest import fresh_database
from tests.nodes import check_store
from tests.postgres import query
from tests.scenario import test_scenario as on_files

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.xdist_group("scenario")]
SEED = 20_262
TRANSCRIPT = "transcript.txt"


@pytest.fixture(scope="module")
def stores(postgres_url: str) -> dict[str, str]:
    """A database for each of the four, in one server."""
    return {name: asyncio.run(fresh_database(postgres_url, f"stage_{name}")) for name in NODES}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, stores: dict[str, str]) -> Iterator[Stage]:
    """The scenario, played once for all tests of this file."""
    folder = tmp_path_factory.mktemp("scenario")
    with (
        (folder / TRANSCRIPT).open("w", encoding="utf-8", buffering=1) as transcript,
        contextlib.closing(set_stage(folder, SEED, Sheets(Console(file=transcript, width=200)), stores)) as played,
    ):
        asyncio.run(play(played))
        played.sheets.print_all()
        yield played


test_four_organisations_share_what_one_made = on_files.test_four_organisations_share_what_one_made
test_every_water_meter_has_the_protocol_of_its_bench_run = (
    on_files.test_every_water_meter_has_the_protocol_of_its_bench_run
)
test_nodes_with_equal_fragments_answer_equal_bytes = on_files.test_nodes_with_equal_fragments_answer_equal_bytes
test_every_entitled_node_shows_the_repair_and_both_parts = (
    on_files.test_every_entitled_node_shows_the_repair_and_both_parts
)
test_stranger_reads_no_device = on_files.test_stranger_reads_no_device
test_buyer_holds_sealed_keys_of_what_was_shipped_and_nothing_else = (
    on_files.test_buyer_holds_sealed_keys_of_what_was_shipped_and_nothing_else
)
test_no_log_holds_an_entry_that_a_peer_refused = on_files.test_no_log_holds_an_entry_that_a_peer_refused
test_code_bound_late_answers_for_old_records = on_files.test_code_bound_late_answers_for_old_records
test_verifications_reach_the_maker_and_the_buyer = on_files.test_verifications_reach_the_maker_and_the_buyer
test_meter_without_a_maker_is_one_working_passport = on_files.test_meter_without_a_maker_is_one_working_passport
test_readings_and_session_keys_stand_on_the_data_owners_node_alone = (
    on_files.test_readings_and_session_keys_stand_on_the_data_owners_node_alone
)
test_altered_byte_was_found_and_everything_was_put_back = (
    on_files.test_altered_byte_was_found_and_everything_was_put_back
)


def test_all_that_the_nodes_hold_stands_in_the_server(stage: Stage, stores: dict[str, str]) -> None:
    """No folder has a store of its own; each database is held by the process of its node, and is whole."""
    holders = "select application_name from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory'"
    for name, node in stage.nodes.items():
        held = query(stores[name], f"{holders} and datname = current_database()")
        assert [row[0].rpartition(" ")[2] for row in held] == [str(node.pid)]
        assert list(node.folder.glob("passport.sqlite*")) == []
    lab = stage.nodes["lab"]
    lab.stop()
    check_store(lab.folder)
