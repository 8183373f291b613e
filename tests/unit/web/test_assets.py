"""Static files: vendored as stated, addressed by content."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from node.web.assets import STATIC, Assets

VENDOR = STATIC / "vendor"
STATED = json.loads((VENDOR / "vendor.json").read_text())


@pytest.mark.parametrize("row", STATED, ids=lambda row: row["file"])
def test_vendored_file_is_the_stated_one(row: dict[str, str]) -> None:
    """Each vendored file has its package, version, hash and licence text."""
    assert hashlib.sha256((VENDOR / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", row["version"])
    assert row["licence"] in {"0BSD", "MIT", "OFL-1.1", "BSD-2-Clause"}
    assert len((VENDOR / row["licence_file"]).read_text()) > 500


def test_nothing_vendored_is_unstated() -> None:
    """Every file beside vendor.json is stated in it."""
    stated = {row["file"] for row in STATED} | {row["licence_file"] for row in STATED} | {"vendor.json"}
    assert {path.name for path in VENDOR.iterdir()} == stated


def test_style_sheet_names_hashed_addresses() -> None:
    """The addresses inside a style sheet are those under which the files are served."""
    assets = Assets()
    body = assets._by_name["app.css"].body.decode()
    named = re.findall(r'url\("([^"]+)"\)', body)
    assert named
    assert set(named) <= assets._by_url.keys()


def test_address_changes_with_the_content(tmp_path: Path) -> None:
    """Another content, or another content of a file that a style sheet names, is another address."""
    (tmp_path / "a.css").write_text('p { background: url("b.svg") }')
    addresses = set()
    for text in ("<svg/>", "<svg></svg>"):
        (tmp_path / "b.svg").write_text(text)
        addresses |= {Assets(tmp_path).url("a.css"), Assets(tmp_path).url("b.svg")}
    assert len(addresses) == 4


def test_own_files_ask_nobody_else() -> None:
    """No own style sheet, script or template names another host."""
    folder = STATIC.parent
    for path in [*STATIC.glob("*"), *folder.rglob("templates/**/*.html")]:
        if path.is_file():
            found = re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]+", path.read_text().replace("www.w3.org", ""))
            assert found == [], path


def test_templates_hold_no_inline_style_or_script() -> None:
    """The policy forbids style attributes, handlers and scripts without an address; templates hold none."""
    for path in STATIC.parent.rglob("templates/**/*.html"):
        text = path.read_text()
        assert re.findall(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:", text) == [], path
