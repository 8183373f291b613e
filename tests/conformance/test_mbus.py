"""Wired M-Bus frames of real meters, scored as acceptance scores them, and broken ones, which nobody may read."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.errors import DriverError, FrameError
from drivers.mbus.application import decode_application
from drivers.mbus.driver import DRIVER
from drivers.mbus.frame import decode_frame
from drivers.mbus.records import Records, Value
from tests.conformance.scores import SHARED, load_score

DECODED, FIELDS = 0.95, 0.90


def folder(name: str) -> Path:
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"PASSPORT_VECTORS has no folder {name}")
    return path


def told(value: Value) -> str | None:
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def listed(records: Records) -> Iterator[dict[str, object]]:
    """The records as the expected files list them: the maker's data is one more record there."""
    for record in records.records:
        yield {"value": told(record.value), "unit": record.unit}
    if records.manufacturer_data:
        yield {"value": records.manufacturer_data.hex(), "unit": ""}


@pytest.mark.vectors
def test_shared_frames_are_read_record_by_record() -> None:
    """Every number and date of every frame is right."""
    score = load_score()
    paths = sorted(folder("mbus/frames").rglob("*.hex"))
    right = counted = 0

    for path in paths:
        frame = decode_frame(bytes.fromhex(path.read_text()))
        assert frame is not None, path.name
        records = decode_application(frame.user_data).records
        raw = path.with_name(path.name.removesuffix(".hex") + ".norm.xml").read_bytes()
        expected = raw.decode("iso-8859-1" if b"ISO-8859-1" in raw[:100] else "utf-8")
        one_right, one_counted = score.mbus(expected, list(listed(records)))
        assert one_right == one_counted, path.name
        right, counted = right + one_right, counted + one_counted

    print(f"\nmbus frames: {len(paths)} frames, {right} of {counted} values")
    assert counted


@pytest.mark.vectors
def test_shared_broken_frames_are_refused_each_by_its_error() -> None:
    """No frame that is broken or of another kind is read, in part or whole, and each error says why."""
    paths = sorted(folder("mbus-broken").rglob("*.hex"))
    texts = dict[str, str]()

    for path in paths:
        with pytest.raises(FrameError) as refusal:
            DRIVER.decode(0, bytes.fromhex(path.read_text()))
        texts[path.name] = f"{type(refusal.value).__name__}: {refusal.value}"

    print(f"\nmbus-broken: 0 of {len(paths)} frames accepted")
    assert all(texts.values())
    assert paths


@pytest.mark.vectors
def test_shared_wired_telegrams_are_read_to_the_bar() -> None:
    """At least 95 % of the telegrams are read, and 90 % of their numeric fields are found."""
    score = load_score()
    telegrams = [item for path in sorted(folder("mbus").glob("*.json")) for item in json.loads(path.read_text())]
    if not telegrams:
        pytest.skip("PASSPORT_VECTORS has no telegrams in folder mbus")
    read_count = right = counted = 0

    for telegram in telegrams:
        try:
            decoded = DRIVER.decode(0, bytes.fromhex(telegram["telegram"]))
        except DriverError:
            readings = []
        else:
            read_count += 1
            readings = [{"value": str(item.value), "unit": item.unit} for item in decoded.readings]
        one_right, one_counted = score.wmbus(telegram["expected"], readings)
        right, counted = right + one_right, counted + one_counted

    print(f"\nmbus telegrams: {read_count} of {len(telegrams)} telegrams, {right} of {counted} fields")
    assert counted
    assert read_count / len(telegrams) >= DECODED
    assert right / counted >= FIELDS
