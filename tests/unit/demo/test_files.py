"""The demo's files: equal for one seed, in order but for the two rows that the scenario is about."""

import re
from datetime import date

import pytest

from node.demo.files import COUNT, PRODUCTS, DemoFiles, make_files, make_line
from node.exchange.bench import check_bench, read_bench
from node.exchange.production import Known, Report, check_rows
from node.exchange.tables import read_table
from node.passport.catalogs import Bindings, load_types
from node.passport.lines import Lines

LINES = Lines(make_line(product, f"{at:032x}", "0b" * 16) for at, product in enumerate(PRODUCTS, 1))


def check(raw: bytes, files: DemoFiles) -> Report:
    bindings = Bindings()
    for local, central in files.references:
        bindings = bindings.bound("maker", "types", local, central)
    day, types = date.max, load_types()
    return check_rows(
        read_table(raw), LINES, bindings, Known(), organisation="maker", types=types, source="demo", today=day
    )


@pytest.mark.parametrize("seed", [1, 2, 20261121])
def test_files_give_fifty_eight_meters_and_two_findings(seed: int) -> None:
    """Of sixty meters in two files 58 are accepted; a lost zero and a duplicate are reported."""
    files = make_files(seed)

    reports = [check(raw, files) for raw in (files.production_xlsx, files.production_csv)]

    assert sum(len(report.accepted) for report in reports) == COUNT - 2
    assert [[finding.rule for finding in report.findings] for report in reports] == [
        ["serial.lost_zero"],
        ["serial.duplicate"],
    ]
    assert reports[0].findings[0].value == files.lost_zero[1:]
    assert reports[1].findings[0].value == files.duplicate
    assert len({row.subject for report in reports for row in report.accepted}) == COUNT - 2


def test_files_speak_three_local_codes_of_which_one_is_unbound() -> None:
    """Two local codes have a central one at once, the third gets one later."""
    files = make_files(1)

    unbound = {code for raw in (files.production_xlsx, files.production_csv) for code in check(raw, files).unbound}

    assert len(files.references) == 2
    assert unbound == {local for local, _ in files.later_references}


def test_files_depend_on_the_seed_only() -> None:
    """One seed gives equal bytes, another one other serials and keys."""
    assert make_files(7) == make_files(7)

    keys = [set(re.findall(r"[0-9A-F]{32}", make_files(seed).production_csv.decode())) for seed in (7, 8)]

    assert len(keys[0]) == len(keys[1]) == COUNT // 2
    assert not keys[0] & keys[1]
    assert make_files(7).lost_zero != make_files(8).lost_zero


def test_bench_file_has_a_run_for_each_water_meter() -> None:
    """Each water meter has a run that passes, with a last reading; the electricity meters are not poured through."""
    files = make_files(3)

    report = check_bench(read_bench(files.bench_csv), LINES, load_types())

    assert report.findings == ()
    assert len(report.runs) == sum(product.count for product in PRODUCTS if product.central != "t:el")
    assert all(run.passed and run.last_reading_m3 for run in report.runs)
    assert files.lost_zero in {run.plate.serial for run in report.runs}
    assert files.intended in {run.plate.serial for run in report.runs}
