"""Which driver reads a frame of a device: the one for the versions of it that its passport stated for that time.

A profile holds the choice that counts now, and under `before` earlier ones, each until a time in microseconds: a frame
that was heard under another firmware is read by the driver of that, whenever it is read.
"""

from collections.abc import Mapping
from typing import Any  # Any: JSON of our own

from drivers.errors import DriverChoiceError
from drivers.registry import DeviceTraits, Installed, Registry
from node.passport.view import NEVER, View
from node.services.provisioning import traits_of, versions_over

Json = dict[str, Any]  # Any: JSON of our own

BEFORE, UNTIL = "before", "until_us"
CHOICE = ("driver", "driver_version", "driver_publisher", "hardware", "firmware", "type", "model", "maker", "named")


def show_choice(item: Installed | None, device: DeviceTraits) -> Json:
    """A choice as it is stored: the driver and the versions that it is for, or by what one is to be found later."""
    told: Json = {"hardware": device.hardware, "firmware": device.firmware}
    if item is None:
        told |= {"driver": "", "type": device.type, "model": device.model, "maker": device.maker}
        told["named"] = device.keys.get("payload")
    else:
        told |= {"driver": item.driver.descriptor.id, "driver_version": item.version}
        told |= {"driver_publisher": item.publisher or None}
    return {name: value for name, value in told.items() if value is not None}


def find_chosen(registry: Registry, choice: Mapping[str, Any]) -> Installed | None:  # Any: JSON of our own
    """The driver in the version that was chosen; where that stands no more the newest that is for the device."""
    name, publisher = str(choice["driver"]), choice.get("driver_publisher")
    hardware, firmware = choice.get("hardware"), choice.get("firmware")
    if name:
        found = registry.find(name, str(choice.get("driver_version")), publisher)
        if found is not None and (found.serves(hardware, firmware) or (hardware, firmware) == (None, None)):
            return found
        return registry.find_serving(name, hardware, firmware, publisher)
    keys, maker = {"payload": choice["named"]} if "named" in choice else {}, choice.get("maker")
    try:
        return registry.choose(DeviceTraits(choice.get("type"), choice.get("model"), hardware, firmware, keys, maker))
    except DriverChoiceError:
        return None


def choice_at(profile: Mapping[str, Any], at_us: int | None) -> Mapping[str, Any]:  # Any: JSON of our own
    """The choice for frames that were heard then; without a time that which counts now."""
    earlier = profile.get(BEFORE, ()) if at_us is not None else ()
    return next((one for one in earlier if at_us is not None and at_us < one[UNTIL]), profile)


def choices_of(profile: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:  # Any: JSON of our own
    """Every choice, oldest first."""
    return (*profile.get(BEFORE, ()), profile)


def followed(profile: Json, view: View, registry: Registry) -> Json:
    """The profile by the versions that the passport states now; what was chosen for a version stays chosen.

    Where no driver is for a version that of the version before stays, unless it is known not to be for this one: then
    none is chosen, and one that comes is found by what the passport said.
    """
    known = {_versions(one): _choice(one) for one in choices_of(profile)}
    line: list[tuple[int, Json]] = [(NEVER, _choice(choices_of(profile)[0]))]
    for since, hardware, firmware in versions_over(view):
        choice = known.get((hardware, firmware)) or _choose(registry, traits_of(view, since), line[-1][1])
        if since <= NEVER:
            line = [(NEVER, choice)]
        elif _versions(line[-1][1]) != (hardware, firmware):
            line.append((since, choice))
    ends = [since for since, _ in line[1:]]
    before = [{**choice, UNTIL: end} for (_, choice), end in zip(line, ends, strict=False)]
    kept = {name: value for name, value in profile.items() if name not in (*CHOICE, BEFORE)}
    return {**kept, **line[-1][1], **({BEFORE: before} if before else {})}


def _choose(registry: Registry, device: DeviceTraits, before: Json) -> Json:
    try:
        return show_choice(registry.choose(device), device)
    except DriverChoiceError:
        name, publisher = str(before["driver"]), before.get("driver_publisher")
        if not name or registry.find(name, publisher=publisher) is not None:
            return show_choice(registry.find_serving(name, device.hardware, device.firmware, publisher), device)
        stays = {key: value for key, value in before.items() if key not in ("hardware", "firmware")}
        versions = {"hardware": device.hardware, "firmware": device.firmware}
        return stays | {key: value for key, value in versions.items() if value is not None}


def _versions(choice: Mapping[str, Any]) -> tuple[str | None, str | None]:  # Any: JSON of our own
    return choice.get("hardware"), choice.get("firmware")


def _choice(choice: Mapping[str, Any]) -> Json:  # Any: JSON of our own
    return {name: choice[name] for name in CHOICE if name in choice}
