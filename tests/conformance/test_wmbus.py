"""Wireless M-Bus telegrams of real meters, scored as acceptance scores them."""

import json
from typing import Any  # JSON

import pytest

from drivers.context import Context
from drivers.errors import DriverError
from drivers.keys import Key
from drivers.wmbus.driver import DRIVER
from tests.conformance.scores import SHARED, load_score

DECODED, FIELDS = 0.95, 0.90


def read(telegram: dict[str, Any]) -> list[dict[str, object]] | None:
    """The readings of a telegram as the score wants them, None where it is refused."""
    key = Key(bytes.fromhex(telegram["key"])) if telegram["key"] else None
    try:
        decoded = DRIVER.decode(0, bytes.fromhex(telegram["telegram"]), Context(key=key))
    except DriverError:
        return None
    return [{"value": str(reading.value), "unit": reading.unit} for reading in decoded.readings]


@pytest.mark.vectors
def test_shared_telegrams_are_read_to_the_bar() -> None:
    """At least 95 % of the telegrams are read, and 90 % of their numeric fields are found."""
    folder = SHARED / "wmbus"
    if not folder.is_dir():
        pytest.skip("PASSPORT_VECTORS has no folder wmbus")
    score = load_score()
    telegrams = [item for path in sorted(folder.glob("*.json")) for item in json.loads(path.read_text())]
    read_count = right = counted = 0

    for telegram in telegrams:
        readings = read(telegram)
        read_count += readings is not None
        one_right, one_counted = score.wmbus(telegram["expected"], readings or [])
        right, counted = right + one_right, counted + one_counted

    print(f"\nwmbus: {read_count} of {len(telegrams)} telegrams, {right} of {counted} fields")
    assert counted
    assert read_count / len(telegrams) >= DECODED
    assert right / counted >= FIELDS
