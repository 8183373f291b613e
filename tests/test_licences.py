"""The licence files of everything that the node runs on, read as they are installed."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TITLE = r"^[\s*#]*GNU (AFFERO )?GENERAL PUBLIC LICENSE\s*$"
REFUSED = re.compile(rf"{TITLE}|Business Source License|Server Side Public License", re.IGNORECASE | re.MULTILINE)
LESSER = re.compile(r"LESSER GENERAL PUBLIC|LIBRARY GENERAL PUBLIC|\bLGPL", re.IGNORECASE)
NAMES = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$|/licenses/", re.IGNORECASE)
BILL = re.compile(r"/sboms/.*\.cyclonedx\.json$")
BUILD_ONLY = {"setuptools"}


def locked() -> list[str]:
    text = (ROOT / "requirements" / "run.lock").read_text()
    return sorted(set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)) - BUILD_ONLY)


def licence_texts(package: str) -> str:
    distribution = metadata.distribution(package)
    texts = [
        file.read_text(encoding="utf-8")
        for file in distribution.files or []
        if NAMES.search(str(file)) and not str(file).endswith((".py", ".pyc"))
    ]
    return "\n".join(texts) or "\n".join(stated_licences(distribution))


def stated_licences(distribution: metadata.Distribution) -> list[str]:
    """A compiled package without a licence text states one for each of its parts in its bill of materials."""
    stated: list[str] = []
    for file in distribution.files or []:
        if BILL.search(str(file)):
            bill = json.loads(file.read_text(encoding="utf-8"))
            for part in (bill["metadata"]["component"], *bill["components"]):
                expression = " ".join(item.get("expression", "") for item in part.get("licenses", []))
                assert expression, f"{part['name']} states no licence"
                assert re.search(r"MIT|Apache|ISC|BSD|Unlicense|Zlib|Unicode|CC0|BSL-1.0|MPL", expression), expression
                stated.append(f"{part['name']}: {expression}")
    return stated


@pytest.mark.parametrize("package", locked())
def test_run_time_package_has_an_allowed_licence(package: str) -> None:
    """A run-time package ships a licence text that is not GPL, AGPL or BSL; an LGPL one is named in NOTICE."""
    text = licence_texts(package)
    lesser = bool(LESSER.search(text))
    assert text.strip(), f"{package} ships no licence text"
    if lesser:
        assert package in (ROOT / "NOTICE").read_text(), f"{package} is LGPL and not in NOTICE"
    else:
        assert not REFUSED.search(text), f"{package}: {REFUSED.search(text)}"
