"""From a package that came to a driver that can be asked: by its level, and proved by its own vectors."""

from collections.abc import Callable

from drivers.descriptor import Level
from drivers.driver import Driver
from drivers.errors import DescriptorError, DriverError
from drivers.package import Package
from drivers.payload.driver import payload_driver
from drivers.registry import Installed, install

DOCUMENT_ENDINGS = (".yaml", ".yml", ".json")

Scripts = Callable[[Package], Driver]


def no_scripts(package: Package) -> Driver:
    """Refuse, with DescriptorError, where nothing runs scripts."""
    raise DescriptorError(f"{package.descriptor.id} is a script, and nothing runs scripts here")


def open_package(package: Package, scripts: Scripts) -> Driver:
    """The driver of a package; `scripts` makes one of a script. Raise DriverError for what does not build."""
    match package.descriptor.level:
        case Level.PAYLOAD:
            return payload_driver(package.descriptor, _one_file(package, DOCUMENT_ENDINGS, "payload document"))
        case Level.SCRIPT:
            return scripts(package)
        case level:
            raise DescriptorError(f"{package.descriptor.id}: drivers of the level {level.name.lower()} do not run here")


def prove_package(package: Package, scripts: Scripts) -> Installed:
    """A package's driver after its own vectors held here; raise DriverError naming the first that does not."""
    if not package.descriptor.vectors:
        raise DriverError(f"{package.descriptor.id} has no vectors: nothing shows what it does")
    return install(open_package(package, scripts), package.files)


def _one_file(package: Package, endings: tuple[str, ...], what: str) -> bytes:
    found = [content for name, content in package.files.items() if name.endswith(endings)]
    if len(found) != 1:
        raise DescriptorError(
            f"{package.descriptor.id} has {len(found)} files that end in {', '.join(endings)}; a {what} is one"
        )
    return found[0]
