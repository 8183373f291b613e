"""The licences of everything that the node runs on, read as they are installed."""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.licences import (
    LESSER_TEXT,
    REFUSED_TEXT,
    ExpressionError,
    all_of,
    choices,
    is_allowed,
    needs_lesser,
)

ROOT = Path(__file__).parent.parent
NAMES = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$|/licenses/", re.IGNORECASE)
BILL = re.compile(r"/sboms/.*\.cyclonedx\.json$")
BUILD_ONLY = {"setuptools"}
Json = Any  # Any: a bill of materials


def locked() -> list[str]:
    text = (ROOT / "requirements" / "run.lock").read_text()
    return sorted(set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)) - BUILD_ONLY)


def licence_texts(distribution: metadata.Distribution) -> str:
    """Every licence text that a package ships."""
    return "\n".join(
        file.read_text(encoding="utf-8")
        for file in distribution.files or []
        if NAMES.search(str(file)) and not str(file).endswith((".py", ".pyc"))
    )


def bills(distribution: metadata.Distribution) -> list[Json]:
    """The bills of materials of a compiled package."""
    found = [file for file in distribution.files or [] if BILL.search(str(file))]
    return [json.loads(file.read_text(encoding="utf-8")) for file in found]


def stated_licences(bill: Json) -> list[tuple[str, str]]:
    """Each part that a bill names with its expression; the package itself only if it states one."""
    itself = bill["metadata"]["component"]
    parts = [*bill["components"], *([itself] if itself.get("licenses") else [])]
    return [(part["name"], expression_of(part)) for part in parts]


def expression_of(part: Json) -> str:
    """CycloneDX: one expression, or licences by id or name that hold together; empty where none is stated."""
    found = [
        item.get("expression") or item["license"].get("id") or item["license"]["name"] for item in part["licenses"]
    ]
    return found[0] if len(found) == 1 else all_of(found)


@pytest.mark.parametrize("package", locked())
def test_run_time_package_has_an_allowed_licence(package: str) -> None:
    """No text and no part of a run-time package is GPL, AGPL or BSL; NOTICE names what is under the LGPL."""
    distribution = metadata.distribution(package)
    text = licence_texts(distribution)
    stated = [part for bill in bills(distribution) for part in stated_licences(bill)]
    stated += [(package, expression) for expression in distribution.metadata.get_all("License-Expression") or []]

    refused = [(name, expression) for name, expression in stated if not is_allowed(expression, lesser=True)]
    lesser = LESSER_TEXT.search(text) is not None or any(needs_lesser(expression) for _, expression in stated)

    assert text.strip() or stated, f"{package} ships no licence text and states none"
    assert not REFUSED_TEXT.search(text), f"{package}: {REFUSED_TEXT.search(text)}"
    assert refused == []
    assert not lesser or package in (ROOT / "NOTICE").read_text(), f"{package} is LGPL and not in NOTICE"


@pytest.mark.parametrize(
    ("expression", "ways"),
    [
        ("MIT", [{"mit"}]),
        ("MIT OR Apache-2.0", [{"mit"}, {"apache-2.0"}]),
        ("MIT AND Apache-2.0", [{"mit", "apache-2.0"}]),
        ("MIT OR ISC AND Zlib", [{"mit"}, {"isc", "zlib"}]),
        ("(MIT OR ISC) AND Zlib", [{"mit", "zlib"}, {"isc", "zlib"}]),
        ("((MIT))", [{"mit"}]),
        ("ISC AND (Apache-2.0 OR ISC)", [{"isc", "apache-2.0"}, {"isc"}]),
        ("Apache-2.0 WITH LLVM-exception OR MIT", [{"apache-2.0 with llvm-exception"}, {"mit"}]),
        ("GPL-2.0+ AND MIT", [{"gpl-2.0+", "mit"}]),
        ("Apache-2.0  OR  MIT", [{"apache-2.0"}, {"mit"}]),
        ("mit or isc", [{"mit"}, {"isc"}]),
        ("LicenseRef-Own", [{"licenseref-own"}]),
    ],
)
def test_expression_is_read_whole(expression: str, ways: list[set[str]]) -> None:
    """AND binds closer than OR, brackets closer than both; every way to comply is found."""
    assert choices(expression) == {frozenset(way) for way in ways}


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "AND",
        "MIT OR",
        "OR MIT",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "MIT/ISC",
        "MIT WITH",
        "MIT WITH (x)",
        "()",
        "MIT,ISC",
        "+",
    ],
)
def test_text_that_is_no_expression(expression: str) -> None:
    """What cannot be read whole is an error: nothing is allowed by the part that could be."""
    with pytest.raises(ExpressionError):
        choices(expression)


@pytest.mark.parametrize(
    ("expression", "allowed", "with_lesser"),
    [
        ("MIT", True, True),
        ("BSL-1.0", True, True),
        ("GPL-3.0-only", False, False),
        ("GPL AND MIT", False, False),
        ("GPL-2.0-only OR MIT", True, True),
        ("(GPL-2.0-only OR MIT) AND AGPL-3.0-only", False, False),
        ("(GPL-2.0-only OR MIT) AND (AGPL-3.0-only OR ISC)", True, True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False, False),
        ("Apache-2.0 WITH LLVM-exception", True, True),
        ("Apache-2.0+", True, True),
        ("BUSL-1.1", False, False),
        ("SSPL-1.0 OR BUSL-1.1", False, False),
        ("LicenseRef-MIT", False, False),
        ("LGPL-2.1-or-later", False, True),
        ("LGPL-3.0+ AND MIT", False, True),
        ("LGPL-2.1-or-later AND GPL-3.0-only", False, False),
        ("MIT OR LGPL-2.1-or-later", True, True),
    ],
)
def test_expression_is_allowed_by_one_whole_way(expression: str, allowed: bool, with_lesser: bool) -> None:
    """One refused licence that must hold refuses; one that may be left alone does not."""
    assert (is_allowed(expression), is_allowed(expression, lesser=True)) == (allowed, with_lesser)
    assert needs_lesser(expression) is (with_lesser and not allowed)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n", True),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n", True),
        ("# Business Source License 1.1\n", True),
        ("Server Side Public License\n", True),
        ("\t\t  GNU LESSER GENERAL PUBLIC LICENSE\n\n  ... the GNU General Public License ...\n", False),
        ("GNU LESSER GENERAL PUBLIC LICENSE\n...\nGNU GENERAL PUBLIC LICENSE\nVersion 3\n", True),
        ("compatible with the GNU General Public License, version 2\n", False),
    ],
)
def test_text_of_a_refused_licence_is_found(text: str, refused: bool) -> None:
    """A title refuses, beside the text of another licence too; to be named in a sentence does not."""
    assert bool(REFUSED_TEXT.search(text)) is refused


def test_bill_of_materials_states_each_part() -> None:
    """Several licences of a part hold together; a part that states none is an error."""
    part = {"name": "part", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "GPL"}}]}
    bill = {"metadata": {"component": {"name": "whole"}}, "components": [part]}

    ((name, expression),) = stated_licences(bill)
    assert (name, expression) == ("part", "(MIT) AND (GPL)")
    assert not is_allowed(expression, lesser=True)
    with pytest.raises(KeyError):
        stated_licences({**bill, "components": [{"name": "silent"}]})
