"""Which tests count in docs/coverage.md."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.coverage import PAGE, ROOT, TABLE, has_passed, page

ROW = "A12"
MARK = "pytest.mark.req"
SOURCE = f'''
import pytest

pytestmark = pytest.mark.req("{ROW}")

@pytest.fixture
def broken_before():
    assert False

@pytest.fixture
def broken_after():
    yield
    assert False

def test_good(): pass
def test_bad(): assert False
def test_bad_before(broken_before): pass
def test_bad_after(broken_after): pass
def test_skipped(): pytest.skip("not here")
@pytest.mark.parametrize("n", [1, 2])
def test_once_bad_after(n, request):
    if n == 2:
        request.getfixturevalue("broken_after")
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.skip)])
def test_once_skipped(n): pass
'''


@pytest.mark.parametrize(
    ("setup", "call", "teardown", "passed"),
    [
        ("passed", "passed", "passed", True),
        ("passed", "failed", "passed", False),
        ("passed", "skipped", "passed", False),
        ("failed", None, "passed", False),
        ("passed", "passed", "failed", False),
        ("failed", None, "failed", False),
        ("skipped", None, "passed", None),
        ("skipped", None, "failed", False),
    ],
)
def test_test_passes_in_every_phase(setup: str, call: str | None, teardown: str, passed: bool | None) -> None:
    """Setup and teardown belong to a test; one that was skipped before it ran says nothing."""
    phases = {"setup": setup, "teardown": teardown} | ({"call": call} if call else {})

    assert has_passed(phases) is passed


def test_page_names_every_test_that_says_which_row_it_shows() -> None:
    """What is marked stands on the page, and nothing else: whoever marks a test writes the page too."""
    marked: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if MARK in source and path != Path(__file__) else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for row in _rows(node):
                    marked.setdefault(row, set()).add(f"{path.relative_to(ROOT)}::{node.name}")
    told = {
        line.split("|")[1].strip(): set(re.findall(r"`(tests/[^`]+)`", line))
        for line in PAGE.read_text().splitlines()
        if "`tests/" in line
    }
    own = {line.split("\t")[0] for line in TABLE.read_text().splitlines() if line.endswith("\tyes")}

    for row in own:
        here = marked.get(row, set())
        assert here <= told.get(row, set()), row
        # A file may take the tests of another: they have its name there.
        names = {test.partition("::")[2] for test in here}
        assert {test.partition("::")[2] for test in told.get(row, set())} == names, row


def _rows(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The rows that a test's decorators name."""
    calls = [one for one in function.decorator_list if isinstance(one, ast.Call) and ast.unparse(one.func) == MARK]
    return [str(ast.literal_eval(argument)) for call in calls for argument in call.args]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder within the tree: results name tests by their place in it."""
    (ROOT / "build").mkdir(exist_ok=True)
    with TemporaryDirectory(dir=ROOT / "build", prefix="coverage-") as name:
        yield Path(name)


@pytest.mark.slow
def test_page_names_tests_that_passed_in_every_phase(folder: Path) -> None:
    """A run of good and bad tests leaves the good ones on the page, and no test that failed before or after."""
    (folder / "test_rows.py").write_text(SOURCE)
    results = folder / "results"
    results.mkdir()

    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", str(folder / "test_rows.py")]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PASSPORT_RESULTS": str(results)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1, ran.stdout + ran.stderr
    (line,) = [line for line in page(results).splitlines() if line.startswith(f"| {ROW} ")]
    named = {name.partition("`")[0] for name in line.split("::")[1:]}
    assert named == {"test_good", "test_once_skipped"}
    assert ROW in TABLE.read_text()
