"""What the project says of itself is true."""

import ast
import csv
import re
from pathlib import Path

import pytest

from tests import profiles_page

ROOT = Path(__file__).parent.parent
TESTS = sorted(path for path in (ROOT / "tests").rglob("test_*.py"))


def test_every_test_says_in_one_sentence_what_holds() -> None:
    """Each test function has a docstring of one sentence."""
    missing = [
        f"{path.relative_to(ROOT)}::{node.name}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip().endswith(".")
    ]
    assert missing == []


def test_marks_name_rows_that_exist_and_are_ours() -> None:
    """A requirement mark names rows of docs/requirements.tsv with own = yes."""
    with (ROOT / "docs" / "requirements.tsv").open(newline="") as file:
        own = {row["id"] for row in csv.DictReader(file, delimiter="\t") if row["own"] == "yes"}
    named = {
        row
        for path in TESTS
        for call in re.findall(r"mark\.req\(([^)]*)\)", path.read_text())
        for row in re.findall(r'"([AB]\d+[a-f]?)"', call)
    }
    assert named <= own


@pytest.mark.parametrize("name", ["Dockerfile"])
def test_docker_copies_only_what_exists(name: str) -> None:
    """Every COPY source of the image is in the tree."""
    for line in (ROOT / "docker" / name).read_text().splitlines():
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert list(ROOT.glob(source)), f"{source} does not exist"


def test_locks_hold_hashes_and_no_addresses() -> None:
    """Every requirement of every lock is pinned with hashes, and no lock names a registry."""
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text, lock
        assert "--index-url" not in text, lock
        for block in re.split(r"\n(?=[a-z])", text.strip()):
            assert "==" in block.split("\n")[0], f"{lock}: {block[:80]}"
            assert "--hash=sha256:" in block, f"{lock}: {block[:80]}"


def test_page_of_profiles_is_made_from_the_shipped_ones() -> None:
    """The table of docs/profiles.md equals what the shipped profiles say."""
    text = profiles_page.PAGE.read_text(encoding="utf-8")
    assert profiles_page.page(text) == text
