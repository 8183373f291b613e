"""A driver of a descriptor and one payload document: what the document decodes becomes readings by the descriptor.

A value is converted from the unit of the document to that of the field (see `drivers.fields`). Bytes without a field
are listed as unmapped.
"""

from drivers.descriptor import Descriptor, Field, Level
from drivers.driver import Driver
from drivers.errors import DescriptorError, DocumentError
from drivers.fields import FieldReader
from drivers.payload.proof import failed_vectors
from drivers.payload.schema import Program, parse_schema
from drivers.reading import Decoded, Kind, Reason, Unmapped
from drivers.units import Unit, find_unit_by_symbol, get_unit

OUTSIDE = Reason("outside-valid-range")


def payload_driver(descriptor: Descriptor, document: bytes) -> Driver:
    """The driver of a document; the hash of it is over descriptor and document, not over this interpreter.

    Raise DocumentError for a document that does not hold its own vectors, DescriptorError for a descriptor that is of
    another level, names a port or a field the document has not, or gives a field the unit of something else.
    """
    program = parse_schema(document)
    failed = failed_vectors(program)
    if failed:
        raise DocumentError(f"{program.name}: {failed[0]}")
    _check(descriptor, program)
    return Driver(descriptor, _Reader(descriptor, program).decode, ())


def fields_of(program: Program) -> tuple[Field, ...]:
    """The fields a descriptor may begin with: every value whose unit is known, named by its meaning."""
    found = ((path, program.annotations.find(path)) for path in program.annotations.by_path)
    return tuple(
        Field(path, told.semantic or path, unit.code, Kind.GAUGE)
        for path, told in found
        if told is not None and told.unit is not None and (unit := find_unit_by_symbol(told.unit)) is not None
    )


class _Reader:
    """What reads the payloads of a document by a descriptor."""

    def __init__(self, descriptor: Descriptor, program: Program) -> None:
        self._program = program
        self._fields = FieldReader(descriptor, lambda name: _unit_of(program, name))

    def decode(self, port: int, data: bytes) -> Decoded:
        """All that a payload says; raise FrameError."""
        payload = self._program.decode(port, data)
        unread = [Unmapped(name, raw) for name, raw in payload.unread]
        return self._fields.read(f"port-{port}", payload.values, unread, payload.outside)


def _check(descriptor: Descriptor, program: Program) -> None:
    if descriptor.level is not Level.PAYLOAD:
        raise DescriptorError(f"{descriptor.id} is of level {descriptor.level}, a payload document is of level 0")
    for port in descriptor.ports:
        if not program.serves(port):
            raise DescriptorError(f"{descriptor.id} has port {port}, {program.name} has nothing on it")
    for field in descriptor.fields:
        unit = _unit_of(program, field.name)
        if not program.annotations.knows(_path(field.name)):
            raise DescriptorError(
                f"{descriptor.id} has a field {field.name!r}, {program.name} decodes none of that name"
            )
        if unit is not None and field.scale == 1 and unit.dimension != get_unit(field.unit).dimension:
            raise DescriptorError(f"field {field.name!r} is in {field.unit}, {program.name} gives it in {unit.code}")


def _unit_of(program: Program, name: str) -> Unit | None:
    told = program.annotations.find(_path(name))
    return None if told is None or told.unit is None else find_unit_by_symbol(told.unit)


def _path(name: str) -> str:
    """The path in the document of a value: an element's index is not in it."""
    return ".".join(part for part in name.split(".") if not part.isdigit())
