"""A driver of a descriptor and one payload document: what the document decodes becomes readings by the descriptor.

The descriptor's fields name values of the document, members with dots and elements with their index, as `gps.speed` or
`probes.0.temperature`. A value is converted from the unit of the document to that of the field; where the field has a
scale, or the document no unit that is known, the value times the scale is in the field's unit. A field of kind TIME is
the meter's clock in Unix seconds. States are named alike: alarms where they are set, otherwise reported. Text is what
the meter reports. Every other value is listed as unmapped, with its text, and so are bytes without a field.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from drivers.descriptor import Descriptor, Field, Level
from drivers.driver import Driver
from drivers.errors import DescriptorError, DocumentError, UnitError
from drivers.payload.proof import failed_vectors
from drivers.payload.schema import Payload, Program, parse_schema
from drivers.payload.values import Value, as_number, format_value
from drivers.reading import Decoded, Kind, Reading, Reason, Reported, Status, Unmapped, from_unix
from drivers.units import Unit, convert, find_unit_by_symbol, get_unit

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
    mapping = _Mapping(descriptor, program)
    return Driver(descriptor, mapping.decode, ())


def fields_of(program: Program) -> tuple[Field, ...]:
    """The fields a descriptor may begin with: every value whose unit is known, named by its meaning."""
    found = ((path, program.annotations.find(path)) for path in program.annotations.by_path)
    return tuple(
        Field(path, told.semantic or path, unit.code, Kind.GAUGE)
        for path, told in found
        if told is not None and told.unit is not None and (unit := find_unit_by_symbol(told.unit)) is not None
    )


class _Mapping:
    """What of a document goes where."""

    def __init__(self, descriptor: Descriptor, program: Program) -> None:
        self._program = program
        self._fields = {field.name: field for field in descriptor.fields}
        self._states = {state.name: state.alarm for state in descriptor.states}
        self._units = {name: unit for name in self._fields if (unit := _unit_of(program, name)) is not None}

    def decode(self, port: int, data: bytes) -> Decoded:
        """All that a payload says; raise FrameError."""
        payload = self._program.decode(port, data)
        values = dict(_flat(payload.values, ""))
        at = next((time for name, value in values.items() if (time := self._time(name, value)) is not None), None)
        alarms = tuple(name for name, value in values.items() if self._states.get(name) and as_number(value))
        readings: list[Reading] = []
        reported = [Reported("clock", at)] if at is not None else []
        unmapped = [Unmapped(name, raw) for name, raw in payload.unread]
        for name, value in values.items():
            reading = self._reading(name, value, at, alarms, payload)
            if reading is not None:
                readings.append(reading)
            elif name in self._states or isinstance(value, str):
                reported.append(Reported(name, value if isinstance(value, str) else _whole(value)))
            elif self._time(name, value) is None:
                unmapped.append(Unmapped(name, format_value(value).encode()))
        return Decoded(f"port-{port}", at, tuple(readings), tuple(reported), alarms, tuple(unmapped))

    def _time(self, name: str, value: Value) -> datetime | None:
        field, number = self._fields.get(name), as_number(value)
        if field is None or field.kind is not Kind.TIME or number is None:
            return None
        try:
            return from_unix(int(number))
        except (ValueError, OverflowError, OSError):
            return None

    def _reading(
        self, name: str, value: Value, at: datetime | None, alarms: tuple[str, ...], payload: Payload
    ) -> Reading | None:
        field, number = self._fields.get(name), as_number(value)
        if field is None or field.kind is Kind.TIME or number is None:
            return None
        try:
            reading = field.reading(self._in_unit(field, Decimal(number)), at, alarms)
        except UnitError:
            return None
        return reading.doubted(Status.UNCERTAIN, OUTSIDE) if name.rpartition(".")[2] in payload.outside else reading

    def _in_unit(self, field: Field, value: Decimal) -> Decimal:
        unit = self._units.get(field.name)
        if unit is None or field.scale != 1:
            return value * field.scale
        return convert(value, unit.code, field.unit)


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


def _flat(value: Value, path: str) -> Iterator[tuple[str, Value]]:
    """Every value that is one, by its path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    else:
        yield path, value


def _whole(value: Value) -> int | Decimal:
    return as_number(value) or 0
