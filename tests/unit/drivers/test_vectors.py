"""Real frames and broken ones, from the vectors that stand beside the tests."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.driver import prove, summary
from drivers.errors import FrameError
from drivers.registry import load_registry
from drivers.vega.clock import answer_clock_report, decode_clock_report, encode_clock_report

VECTORS = Path(__file__).parents[2] / "vectors" / "drivers"
REGISTRY = load_registry()


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


KEPT = [file for path in sorted(VECTORS.glob("*.json")) if "driver" in (file := load(path.name))]


def frames(key: str) -> list[Any]:
    return [
        pytest.param(file["driver"], item, id=f"{file['driver']}: {item['name']}")
        for file in KEPT
        for item in file[key]
    ]


@pytest.mark.parametrize(("driver_id", "vector"), frames("frames"))
def test_frame_decodes_to_what_is_known_of_it(driver_id: str, vector: dict[str, Any]) -> None:
    """A real frame gives exactly the readings, identity, alarms and unread bytes that its vector lists."""
    installed = REGISTRY.find(driver_id)
    assert installed is not None

    decoded = installed.driver.decode(vector["port"], bytes.fromhex(vector["data"]))

    assert summary(decoded) == vector["expected"]


@pytest.mark.parametrize(("driver_id", "vector"), frames("refused"))
def test_broken_frame_is_refused_with_what_and_where(driver_id: str, vector: dict[str, Any]) -> None:
    """A frame of another length, type or port is refused by a text that names it."""
    installed = REGISTRY.find(driver_id)
    assert installed is not None

    with pytest.raises(FrameError) as refusal:
        installed.driver.decode(vector["port"], bytes.fromhex(vector["data"]))

    assert vector["says"] in str(refusal.value)


@pytest.mark.parametrize("vector", load("clock.json")["corrections"], ids=lambda vector: vector["name"])
def test_clock_report_is_answered_as_the_family_asks(vector: dict[str, Any]) -> None:
    """Over 5 s, at most once in 60 s, 1 s allowed for the way, a day or more left to a person."""
    report = decode_clock_report(encode_clock_report(datetime.fromisoformat(vector["device"])))
    last = datetime.fromisoformat(vector["last"]) if "last" in vector else None

    answer = answer_clock_report(report, datetime.fromisoformat(vector["received"]), last)

    assert (answer.data.hex() if answer else None) == vector["answer"]
    assert answer is None or answer.port == 4


def test_every_installed_driver_proves_itself() -> None:
    """Each driver of this package loads, and its own vectors hold on this machine."""
    assert not REGISTRY.broken
    assert {item.driver.descriptor.id for item in REGISTRY.installed} >= {"betar-vega", "spbzip-ce272x"}
    assert all(item.driver.descriptor.vectors and not prove(item.driver) for item in REGISTRY.installed)


def test_vectors_of_a_driver_are_among_the_kept_ones() -> None:
    """What a driver carries as its proof is also kept as language-neutral vectors."""
    kept = {(file["driver"], item["port"], item["data"], item["expected"]) for file in KEPT for item in file["frames"]}

    for item in REGISTRY.installed:
        text = item.driver.descriptor
        assert {(text.id, vector.port, vector.data, vector.expected) for vector in text.vectors} <= kept
