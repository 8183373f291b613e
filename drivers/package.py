"""A driver as it travels: its descriptor and its files in one canonical piece of bytes, and as its author writes it.

The package is canonical JSON, `{"descriptor": …, "files": {name: text}}`; the hash of a driver is over both (see
`drivers.driver.driver_hash`). The descriptor states name, size and SHA-256 of each file: a package that holds others is
refused. Native drivers are code of this machine and never travel.

An author writes a folder: `driver.toml` with the descriptor, numbers of a scale as text, and beside it the files.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any  # JSON and TOML of any shape, until a Descriptor holds it

from pydantic import TypeAdapter, ValidationError

from drivers.descriptor import Descriptor, FileEntry, Level
from drivers.driver import driver_hash
from drivers.errors import DescriptorError

MAX_PACKAGE = 256 * 1024
MAX_VECTORS = 64  # each is run on every node, a script's for up to a tenth of a second
DESCRIPTION = "driver.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DESCRIPTOR = TypeAdapter(Descriptor)
_CANONICAL = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}


@dataclass(frozen=True, slots=True)
class Package:
    """A driver that may travel: what it declares, and the texts that its descriptor names."""

    descriptor: Descriptor
    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        """Refuse, with DescriptorError, files that are not those of the descriptor, and what may not travel."""
        if self.descriptor.level is Level.NATIVE:
            raise DescriptorError(f"{self.descriptor.id} is native: such a driver is installed, it does not travel")
        if not _ID.fullmatch(self.descriptor.id):
            raise DescriptorError(f"{self.descriptor.id[:80]!r} is no id of a driver: a-z, 0-9 and hyphens, at most 64")
        if len(self.descriptor.vectors) > MAX_VECTORS:
            raise DescriptorError(f"a driver has at most {MAX_VECTORS} vectors, got {len(self.descriptor.vectors)}")
        stated = {entry.name: entry for entry in self.descriptor.files}
        if stated.keys() != self.files.keys():
            raise DescriptorError(f"the descriptor names the files {sorted(stated)}, here are {sorted(self.files)}")
        for place, text in _each_text(self.descriptor.written_out(), "descriptor"):
            _check_text(place, text)
        for name, content in self.files.items():
            _check_file(stated[name], content)

    @property
    def hash(self) -> bytes:
        """32 bytes by which readings name the driver."""
        return driver_hash(self.descriptor, self.files)

    def encode(self) -> bytes:
        """The canonical bytes; raise DescriptorError where they are over the limit."""
        files = {name: content.decode() for name, content in self.files.items()}
        descriptor = json.loads(self.descriptor.canonical())
        raw = json.dumps({"descriptor": descriptor, "files": files}, **_CANONICAL).encode()  # type: ignore[arg-type]  # of dumps
        if len(raw) > MAX_PACKAGE:
            raise DescriptorError(f"a driver's package is at most {MAX_PACKAGE} bytes, got {len(raw)}")
        return raw


def decode_package(raw: bytes) -> Package:
    """Read canonical bytes; raise DescriptorError naming what and where."""
    if len(raw) > MAX_PACKAGE:
        raise DescriptorError(f"a driver's package is at most {MAX_PACKAGE} bytes, got {len(raw)}")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DescriptorError(f"a driver's package is JSON: {error}") from error
    if not isinstance(found, dict) or found.keys() != {"descriptor", "files"} or not isinstance(found["files"], dict):
        raise DescriptorError("a driver's package has a descriptor and files, and nothing else")
    package = Package(read_descriptor(found["descriptor"]), dict(_texts(found["files"])))
    if package.encode() != raw:
        raise DescriptorError("a driver's package is in canonical form: sorted keys, no spaces, no defaults")
    return package


def read_descriptor(given: object) -> Descriptor:
    """A descriptor from JSON or TOML values; what may be left out has its default. Raise DescriptorError."""
    try:
        descriptor = _DESCRIPTOR.validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "descriptor"
        raise DescriptorError(f"{where}: {first['msg']}") from error
    except RecursionError as error:
        raise DescriptorError("descriptor: nested too deep") from error
    unknown = next(_unknown(given, descriptor.written_out(), ""), None)
    if unknown is not None:
        raise DescriptorError(f"{unknown}: a descriptor has nothing of that name")
    return descriptor


def read_folder(files: Mapping[str, bytes]) -> Package:
    """The package of a folder that its author wrote: sizes and hashes are filled in. Raise DescriptorError."""
    if DESCRIPTION not in files:
        raise DescriptorError(f"a driver's folder has a {DESCRIPTION}")
    try:
        given: dict[str, Any] = tomllib.loads(files[DESCRIPTION].decode())
    except (ValueError, RecursionError) as error:
        raise DescriptorError(f"{DESCRIPTION}: {error}") from error
    others = {name: content for name, content in files.items() if name != DESCRIPTION}
    entries = [FileEntry(name, len(others[name]), hashlib.sha256(others[name]).hexdigest()) for name in sorted(others)]
    return Package(replace(read_descriptor(given), files=tuple(entries)), others)


def _texts(files: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    for name, text in files.items():
        if not isinstance(text, str):
            raise DescriptorError(f"file {name!r} is no text")
        try:
            yield name, text.encode()
        except UnicodeEncodeError as error:
            raise DescriptorError(f"file {name!r} is no text: {error}") from error


def _check_file(entry: FileEntry, content: bytes) -> None:
    if not _NAME.fullmatch(entry.name):
        raise DescriptorError(f"{entry.name!r} is no name of a driver's file: a-z, 0-9, dot, hyphen, underscore")
    if entry.size != len(content):
        raise DescriptorError(f"file {entry.name}: the descriptor says {entry.size} bytes, it has {len(content)}")
    if entry.sha256 != hashlib.sha256(content).hexdigest():
        raise DescriptorError(f"file {entry.name}: its SHA-256 is not the one of the descriptor")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise DescriptorError(f"file {entry.name} is no text: {error}") from error


def _each_text(value: Any, where: str) -> Iterator[tuple[str, str]]:  # Any: JSON
    """All text of a descriptor, each with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _each_text(item, f"{where}.{name}")


def _check_text(place: str, text: str) -> None:
    """Half a character cannot be written as UTF-8, and not every store keeps a zero in its text."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise DescriptorError(f"{place} is no text: it has a zero or half a character")


def _unknown(given: object, known: object, where: str) -> Iterator[str]:
    """The places of keys that were given and mean nothing."""
    if isinstance(given, Mapping) and isinstance(known, dict):
        for name, value in given.items():
            place = f"{where}.{name}" if where else str(name)
            if name not in known:
                yield place
            else:
                yield from _unknown(value, known[name], place)
    elif isinstance(given, list | tuple) and isinstance(known, list):
        for number, (one, other) in enumerate(zip(given, known, strict=False)):
            yield from _unknown(one, other, f"{where}.{number}")
