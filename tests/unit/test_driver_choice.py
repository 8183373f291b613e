"""Which driver a profile chooses for a time, as the passport states the versions of the device."""

from dataclasses import replace
from typing import Any  # Any: views and profiles are JSON

import pytest

from drivers.descriptor import AppliesTo, VersionRange
from drivers.registry import Installed, Registry
from drivers.vega import betar
from node.services.driver_choice import choice_at, find_chosen, followed

DAY_US = 86_400_000_000
NETWORK = {"dev_eui": "70b3d58ff1010001", "ports": [2]}


def driver(name: str, firmware: VersionRange, number: int) -> Installed:
    """A driver of a model for a range of firmware."""
    applies = AppliesTo(models=("SI-11",), firmware=firmware)
    descriptor = replace(betar.DESCRIPTOR, id=name, version="1.0", applies_to=applies, vectors=())
    return Installed(replace(betar.DRIVER, descriptor=descriptor), bytes([number]) * 32)


OLD, NEW = driver("v1", VersionRange(below="2.0"), 1), driver("v2", VersionRange(minimum="2.0"), 2)
BOTH = Registry([OLD, NEW])


def view(*stated: tuple[str | None, str]) -> dict[str, Any]:
    """A passport of that model which states firmware, each since a day."""
    rows = [{"since": since, "value": value, "level": 3} for since, value in stated]
    return {
        "parameters": {"firmware_version": {"values": rows}},
        "type": {"model": "SI-11"},
        "radio": {},
        "identity": {},
    }


def profile(name: str = "v1", firmware: str | None = "1.9") -> dict[str, Any]:
    """A device that was put on the air."""
    return {**NETWORK, "driver": name, "driver_version": "1.0", **({"firmware": firmware} if firmware else {})}


def chosen(found: dict[str, Any], day: int, registry: Registry = BOTH) -> str | None:
    """The id of the driver of frames heard on a day of January 1970."""
    item = find_chosen(registry, choice_at(found, (day - 1) * DAY_US + 1))
    return None if item is None else item.driver.descriptor.id


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([(None, "1.9")], ["v1", "v1", "v1", "v1"]),
        ([(None, "1.9"), ("1970-01-02", "2.0")], ["v1", "v2", "v2", "v2"]),
        ([("1970-01-02", "2.0")], ["v1", "v2", "v2", "v2"]),
        ([(None, "1.9"), ("1970-01-02", "2.0"), ("1970-01-03", "2.1")], ["v1", "v2", "v2", "v2"]),
        ([(None, "1.9"), ("1970-01-02", "2.0"), ("1970-01-04", "1.9")], ["v1", "v2", "v2", "v1"]),
        ([(None, "2.0")], ["v2", "v2", "v2", "v2"]),
        ([(None, "1.9"), ("1970-01-03", "build 7")], ["v1", "v1", None, None]),
        ([], ["v1", "v1", "v1", "v1"]),
    ],
)
def test_frames_of_each_day_have_the_driver_of_its_firmware(
    stated: list[tuple[str | None, str]], expected: list[str | None]
) -> None:
    """From the moment of the record on, and back again; what is no version of any range has no driver."""
    found = followed(profile(), view(*stated), BOTH)

    assert [chosen(found, day) for day in (1, 2, 3, 4)] == expected
    assert {name: found[name] for name in NETWORK} == NETWORK
    assert followed(found, view(*stated), BOTH) == found


def test_record_that_is_taken_back_leaves_nothing_behind() -> None:
    """The profile is as it was before it."""
    before = followed(profile(), view((None, "1.9")), BOTH)
    after = followed(before, view((None, "1.9"), ("1970-01-02", "2.0")), BOTH)

    assert after != before
    assert followed(after, view((None, "1.9")), BOTH) == before


def test_driver_that_is_for_every_firmware_stays() -> None:
    """One that nobody would choose now, and one that does not stand here yet, are kept where nothing else is for it."""
    found = followed(profile("any", None), view(("1970-01-02", "3.0")), Registry([]))
    assert [found["driver"], found["firmware"], len(found["before"])] == ["any", "3.0", 1]

    open_one = driver("any", VersionRange(), 3)
    named = Installed(
        replace(open_one.driver, descriptor=replace(open_one.driver.descriptor, applies_to=AppliesTo())), b"n" * 32
    )
    found = followed(profile("any", None), view(("1970-01-02", "3.0")), Registry([named]))
    assert [chosen(found, day, Registry([named])) for day in (1, 3)] == ["any", "any"]


def test_driver_that_comes_is_found_for_the_firmware_that_had_none() -> None:
    """Until then nothing is tried; of what is not for it nothing is taken."""
    found = followed(profile(), view((None, "1.9"), ("1970-01-02", "2.0")), Registry([OLD]))

    assert [chosen(found, day, Registry([OLD])) for day in (1, 3)] == ["v1", None]
    assert [chosen(found, day) for day in (1, 3)] == ["v1", "v2"]
