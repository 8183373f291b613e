"""Passports of types: what was approved, and the versions that were built of it, before the first device exists.

A type is a subject of its own, computed from its code. Its maker publishes the record and, one statement each, the
versions: documents, firmware builds, prototypes, the kit of parts. A version is whole from its first statement on and
never changes; a device names the exact one that it was built to.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from node.passport.bodies import Body, Code, Day, Line, SubjectHex
from node.passport.catalogs import DeviceType, Json, Record
from node.passport.errors import BodyError
from node.passport.ids import SubjectId
from node.passport.publications import Published, Shelf
from node.passport.statement import Statement

VERSION = "type-version"
PREFIX = b"passport/type/1\n"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class DocumentRow(Body):
    """A document of a version: what it is, its designation and edition, the hash of its file."""

    title: Line
    designation: Line | None = None
    edition: Line | None = None
    hash: Sha256 | None = None


class FirmwareRow(Body):
    """A build of the firmware: its version, the hash of its image, and from which day it is built in."""

    version: Line
    hash: Sha256 | None = None
    since: Day | None = None


class PrototypeRow(Body):
    """A prototype that was built before series: its serial, its passport where it has one, what came of it."""

    serial: Line
    device: SubjectHex | None = None
    note: Line | None = None


class KitRow(Body):
    """A row of the kit: which part stands where, how many, what may stand there in its place."""

    position: Line
    designation: Line
    quantity: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")] = "1"
    optional: bool = False
    alternates: Annotated[tuple[Line, ...], Field(max_length=32)] = ()

    @property
    def amount(self) -> Decimal:
        """The quantity as a number."""
        return Decimal(self.quantity)


class TypeVersion(Body):
    """Section `type-version`: one version of a type."""

    type: Code
    version: Line
    publisher: SubjectHex
    since: Day | None = None
    note: Line | None = None
    documents: Annotated[tuple[DocumentRow, ...], Field(max_length=256)] = ()
    firmware: Annotated[tuple[FirmwareRow, ...], Field(max_length=256)] = ()
    prototypes: Annotated[tuple[PrototypeRow, ...], Field(max_length=256)] = ()
    kit: Annotated[tuple[KitRow, ...], Field(max_length=512)] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that count, by type and in the order in which they were published."""

    by_type: Mapping[str, tuple[Published[TypeVersion], ...]]

    def of(self, code: str) -> tuple[Published[TypeVersion], ...]:
        """The versions of a type, oldest first."""
        return self.by_type.get(code, ())

    def find(self, code: str, version: str) -> Published[TypeVersion] | None:
        """One version of a type."""
        return next((item for item in self.of(code) if item.record.version == version), None)


def subject_of_type(code: str) -> SubjectId:
    """The subject under which a type is published."""
    return SubjectId(hashlib.sha256(PREFIX + code.encode()).digest()[:16])


def record_of(kind: DeviceType) -> Record:
    """A type as a record of the catalog, without what is empty."""
    named: dict[str, Json] = {
        "code": kind.code,
        "grsi": str(kind.approval),
        "type_ru": kind.name_ru,
        "type_en": kind.name_en or None,
        "model": kind.model,
        "executions": list(kind.executions),
        "resources": list(kind.resources),
        "mpi_months": kind.interval_months,
        "driver": kind.driver,
        "valid_from": kind.valid_from,
        "valid_until": kind.valid_until,
        "params": dict(kind.params),
        "execution_params": {name: dict(values) for name, values in kind.execution_params.items()},
    }
    return {name: value for name, value in named.items() if value not in (None, [], {})}


def choose_versions(found: Iterable[Published[TypeVersion]], publishers: Mapping[str, bytes]) -> Versions:
    """The versions by who may speak of the type: a steward, its publisher, or a maker of what nobody published."""
    by_type: dict[str, list[Published[TypeVersion]]] = {}
    for item in found:
        if item.is_steward or publishers.get(item.record.type, item.org) == item.org:
            by_type.setdefault(item.record.type, []).append(item)
    return Versions(
        {
            code: tuple(sorted(items, key=lambda item: (item.occurred, item.ref)))
            for code, items in sorted(by_type.items())
        }
    )


def _read(statement: Statement, raw: bytes) -> TypeVersion:
    version = TypeVersion.from_bytes(raw)
    if version.publisher != statement.org.hex():
        raise BodyError("the version names another publisher")
    return version


def _key(version: TypeVersion) -> str:
    return f"{version.type}\n{version.version}"


SHELF: Shelf[TypeVersion] = Shelf(
    VERSION, _read, _key, by_makers=True, frozen=lambda version: version.to_bytes(), steward="type"
)
