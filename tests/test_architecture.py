"""The arrows between packages and the purity of the pure modules, held over the syntax tree."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("federation", "drivers", "lora", "node")
FORBIDDEN = {
    "federation": ("drivers", "lora", "node"),
    "drivers": ("federation", "lora", "node"),
    "lora": ("federation", "drivers", "node"),
    "node/passport": ("node.store", "node.services", "node.web", "node.app", "node.cli", "node.demo"),
    "node/exchange": ("node.store", "node.services", "node.web", "node.app", "node.cli", "node.demo"),
    "node/store": ("node.services", "node.web", "node.app", "node.cli", "node.demo"),
    "node/services": ("node.web", "node.app", "node.cli", "node.demo"),
    "node/web": ("node.store", "node.app", "node.cli", "node.demo"),
}
IMPURE = {"asyncio", "socket", "time", "random", "os", "logging", "aiohttp", "sqlalchemy", "subprocess", "threading"}
SHELLS = ("federation/net", "drivers/script", "drivers/transport", "lora/net")
# Ruff's own form is "noqa: CODE - why", mypy's "type: ignore[code]  # why".
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore|pragma|ruff:|mypy:)", re.IGNORECASE)
REASONED = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \w.+|# type: ignore\[[a-z-]+(, ?[a-z-]+)*\]  # \w.+")
PURE = ("federation", "drivers", "lora", "node/passport", "node/exchange")


def modules(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if not any(path.is_relative_to(ROOT / shell) for shell in SHELLS if shell != folder):
            yield path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.req("B16")
@pytest.mark.parametrize("folder", FORBIDDEN)
def test_package_imports_only_what_stands_below_it(folder: str) -> None:
    """No module imports a package that stands above or beside its own."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name in imports(path):
            for banned in FORBIDDEN[folder]:
                assert not f"{name}.".startswith(f"{banned}."), f"{path} imports {name}"


@pytest.mark.parametrize("folder", PURE)
def test_pure_module_imports_no_io(folder: str) -> None:
    """Protocols, codecs and folds take bytes, time, randomness and keys as arguments."""
    for path in modules(folder):
        found = {name.split(".")[0] for name in imports(path)}
        assert not found & IMPURE, f"{path} imports {found & IMPURE}"


def test_only_config_reads_the_environment() -> None:
    """The environment is read in node/config.py and nowhere else in the product."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path == ROOT / "node" / "config.py" or path.is_relative_to(ROOT / "node" / "demo"):
                continue
            source = path.read_text()
            assert "os.environ" not in source, path
            assert "getenv" not in source, path


def test_docker_folder_is_no_package() -> None:
    """A package named docker would hide the SDK of that name."""
    assert not (ROOT / "docker" / "__init__.py").exists()


def unreasoned(path: Path) -> list[str]:
    """Comments that silence a checker without a code of it or without a reason."""
    with tokenize.open(path) as file:
        comments = [token for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT]
    return [
        f"{path}:{token.start[0]}: {token.string}"
        for token in comments
        if SILENCED.search(token.string) and not REASONED.fullmatch(token.string)
    ]


def test_silenced_checker_has_a_reason_beside_it() -> None:
    """Every noqa and type: ignore names what it silences, and says why."""
    folders = (*PACKAGES, "tests", "benchmarks", "docker")
    assert [
        found for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) for found in unreasoned(path)
    ] == []


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("x = 1  # noqa: S305 - one block at a time", True),
        ("x = 1  # noqa: S305, ARG002 - asyncio's", True),
        ("x = 1  # type: ignore[arg-type]  # the fault", True),
        ("x = 1  # a comment", True),
        ("x = '# noqa'", True),
        ("x = 1  # noqa", False),
        ("x = 1  # noqa: S305", False),
        ("x = 1  # noqa: S305 -", False),
        ("x = 1  # NOQA:S305", False),
        ("x = 1  # type: ignore", False),
        ("x = 1  # type: ignore  # all of it", False),
        ("x = 1  # type: ignore[arg-type]", False),
        ("x = 1  # type: ignore[arg-type]  #", False),
        ("# ruff: noqa", False),
        ("# mypy: ignore-errors", False),
    ],
)
def test_bare_comment_is_found(tmp_path: Path, line: str, good: bool) -> None:
    """A reason is words after the code; a text in quotes is no comment."""
    path = tmp_path / "module.py"
    path.write_text(line + "\n")

    assert (unreasoned(path) == []) is good
