"""Drivers that an administrator put into the node's folder: packages as files, read once at the start.

They are of this machine, as installed ones are: no rule of publication is asked, their vectors are run. One that is
wrong is listed as broken, and the node works without it.
"""

from collections.abc import Iterator
from pathlib import Path

from drivers.errors import DriverError
from drivers.opening import Scripts, prove_package
from drivers.package import MAX_PACKAGE, decode_package
from drivers.registry import Broken, Installed, Registry

ENDING = ".json"


def with_folder(registry: Registry, folder: Path, scripts: Scripts) -> Registry:
    """The registry with the drivers of a folder, which may be missing."""
    found = list(_each(folder, scripts))
    taken = {item.name for item in registry.installed}
    installed: dict[str, Installed] = {}
    broken = [item for item in found if isinstance(item, Broken)]
    for item in found:
        if isinstance(item, Broken):
            continue
        if item.name in taken or item.name in installed:
            broken.append(Broken(item.name, "this version is installed already"))
        else:
            installed[item.name] = item
    return Registry([*registry.installed, *installed.values()], [*registry.broken, *broken])


def _each(folder: Path, scripts: Scripts) -> Iterator[Installed | Broken]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ENDING) if folder.exists() else []
    except OSError as error:
        yield Broken(folder.name, str(error))
        return
    for file in files:
        try:
            if file.stat().st_size > MAX_PACKAGE:
                raise DriverError(f"a driver's package is at most {MAX_PACKAGE} bytes")
            yield prove_package(decode_package(file.read_bytes()), scripts)
        except (DriverError, OSError) as error:
            yield Broken(file.name, str(error))
