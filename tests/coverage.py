"""docs/coverage.md: which test shows which row of the users' requirements. Only tests that passed count."""

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "requirements.tsv"
PAGE = ROOT / "docs" / "coverage.md"
HEAD = """# What is shown by tests

One line for each row of the users' requirements (`docs/requirements.tsv`) that is ours to meet. A test stands here if
it does what the row's last column says and passed in the last full run of `make test`, which writes this page.

| row | what | tests |
|---|---|---|
"""
PHASES = pytest.StashKey[dict[str, str]]()


def note(item: pytest.Item, report: pytest.TestReport) -> None:
    """Take what one phase of a test did, and write the test down after its last; called by conftest in every worker."""
    phases = item.stash.setdefault(PHASES, {})
    phases[report.when] = report.outcome
    if report.when == "teardown" and (passed := has_passed(phases)) is not None:
        _record(item, passed)


def has_passed(phases: Mapping[str, str]) -> bool | None:
    """Whether every phase passed: what a test leaves broken it does not show. None where it was skipped unrun."""
    if phases["setup"] == "skipped":
        return None if phases["teardown"] == "passed" else False
    return all(phases.get(phase) == "passed" for phase in ("setup", "call", "teardown"))


def _record(item: pytest.Item, passed: bool) -> None:
    folder = os.environ.get("PASSPORT_RESULTS")
    rows = [row for mark in item.iter_markers("req") for row in mark.args]
    if folder is None or not rows:
        return
    name = f"{item.path.relative_to(ROOT)}::{item.name.partition('[')[0]}"
    with (Path(folder) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps({"rows": rows, "test": name, "passed": passed}) + "\n")


def page(results: Path) -> str:
    """The page from the results of a run."""
    passed: dict[str, set[str]] = defaultdict(set)
    failed: set[str] = set()
    for path in results.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            result = json.loads(line)
            if not result["passed"]:
                failed.add(result["test"])
            for row in result["rows"]:
                passed[row].add(result["test"])
    lines = [HEAD]
    shown = 0
    with TABLE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["own"] == "yes"]
    for row in rows:
        tests = sorted(passed[row["id"]] - failed)
        shown += bool(tests)
        cell = "<br>".join(f"`{test}`" for test in tests) or "not yet"
        lines.append(f"| {row['id']} | {row['en']} | {cell} |\n")
    return "".join(lines) + f"\n{shown} of {len(rows)} rows are shown.\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check refuse one that is not true."""
    text = page(ROOT / "build" / "tests")
    if "--check" in arguments and PAGE.read_text() != text:
        print("docs/coverage.md is not what this run shows: run `make test` and commit it")
        return 1
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
