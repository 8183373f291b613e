"""A payload description compiled to a program: which fields on which port, read and written under a budget.

The language is device-payload-schema (docs/SCHEMA-LANGUAGE-REFERENCE.md of MultiTechSystems/device-payload-schema) as
of 0.5, with the spellings of 0.3 that do not contradict it. Whatever the language does not have is an error when the
document is read. A definition is read where it is used. `metadata`, which the language leaves optional (PS-310),
changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.errors import DocumentError, EncodeError, FrameError
from drivers.payload.annotation import Annotations
from drivers.payload.compact import expand
from drivers.payload.compiler import Compiler
from drivers.payload.cursor import Inputs, Sink, Source
from drivers.payload.document import Tree, parse_document
from drivers.payload.groups import FieldList
from drivers.payload.section import Section
from drivers.payload.values import Given, Value
from drivers.payload.vectors import Vector, take_vectors
from drivers.payload.wire import Order

MAX_PORT = 255
_ABOUT = frozenset(
    {"version", "description", "manufacturer", "device", "metadata", "comment", "comments", "note", "notes", "title"}
    | {"summary"}
)


@dataclass(frozen=True, slots=True)
class Payload:
    """What a payload says: its values by name, what was doubtful, which fields are outside their range.

    `unread` are the bytes that the document has no field for, each piece with what is known of it.
    """

    values: dict[str, Value]
    warnings: tuple[str, ...] = ()
    outside: frozenset[str] = frozenset()
    unread: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A downlink with an identifying byte before its fields."""

    number: int
    body: FieldList


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled document. `fields` serve every port that `ports` does not name."""

    name: str
    fields: FieldList | None
    ports: Mapping[int | str, FieldList]
    commands: Mapping[str, Command]
    vectors: tuple[Vector, ...]
    annotations: Annotations
    referred: frozenset[str]

    def serves(self, port: int) -> bool:
        """Whether the document has fields for a port."""
        return self._body(port) is not None

    def decode(self, port: int, data: bytes) -> Payload:
        """Read a payload; raise FrameError naming byte and field."""
        body = self._body(port)
        if body is None:
            raise FrameError(f"{self.name} has nothing on port {port}")
        return _read(body, data)

    def encode(self, port: int, values: Mapping[str, Given]) -> bytes:
        """The payload of values; raise EncodeError naming the field, or a value that no field takes."""
        body = self._body(port)
        if body is None:
            raise EncodeError(f"{self.name} has nothing on port {port}")
        return self._written(body, values)

    def encode_command(self, name: str, values: Mapping[str, Given]) -> bytes:
        """The downlink of a named command; raise EncodeError."""
        command = self.commands.get(name)
        if command is None:
            raise EncodeError(f"{self.name} has no command {name!r}")
        return bytes([command.number]) + self._written(command.body, values)

    def decode_command(self, data: bytes) -> tuple[str, Payload]:
        """The command of a downlink by its first byte, with its values; raise FrameError."""
        for name, command in self.commands.items():
            if data[:1] == bytes([command.number]):
                return name, _read(command.body, data[1:])
        raise FrameError(f"{self.name} has no command {data[:1].hex() or 'without a byte'}")

    def _written(self, body: FieldList, values: Mapping[str, Given]) -> bytes:
        sink = Sink(dict(values), self.referred)
        inputs = Inputs(values)
        body.write(sink, inputs)
        inputs.done()
        return bytes(sink.out)

    def _body(self, port: int) -> FieldList | None:
        return self.ports.get(port) or self.ports.get("default") or self.fields


def parse_schema(raw: bytes) -> Program:
    """Compile a document; raise DocumentError naming the place in it and the rule."""
    section = Section(parse_document(raw), "")
    name = section.text("name")
    if not name:
        raise section.error("a document has a name")
    section.drop(_ABOUT)
    section.word("direction", "uplink", "downlink", "bidirectional")
    for key in ("fPort", "fport"):
        section.integer(key, 1, MAX_PORT)
    compiler = Compiler(_order(section), _definitions(section))
    fields = section.take("fields")
    program = Program(
        name,
        None if fields is None else _list(compiler, fields, "fields"),
        _ports(section, compiler),
        _commands(section, compiler),
        take_vectors(section),
        compiler.annotations,
        frozenset(compiler.declared.references),
    )
    section.done()
    if program.fields is None and not program.ports and not program.commands:
        raise section.error("a document has fields or ports")
    compiler.declared.check()
    return program


def _order(section: Section) -> Order:
    return "little" if section.word("endian", "big", "little") == "little" else "big"


def _definitions(section: Section) -> dict[str, Tree]:
    definitions = section.section("definitions")
    return {} if definitions is None else {str(name): tree for name, tree in definitions.entries()}


def _list(compiler: Compiler, tree: Tree, path: str) -> FieldList:
    return compiler.field_list(expand(tree, path) if isinstance(tree, str) else tree, path)


def _ports(section: Section, compiler: Compiler) -> dict[int | str, FieldList]:
    ports = section.section("ports")
    bodies: dict[int | str, FieldList] = {}
    for key, tree in ports.entries() if ports else ():
        number = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 4 else key
        if number != "default" and not (type(number) is int and 1 <= number <= MAX_PORT):
            raise DocumentError(f"ports: a port is 1 to {MAX_PORT} or default, this is {key!r}")
        bodies["default" if number == "default" else int(str(number))] = _port(compiler, tree, f"ports.{key}")
    return bodies


def _port(compiler: Compiler, tree: Tree, path: str) -> FieldList:
    if not isinstance(tree, dict):
        return _list(compiler, tree, path)
    port = Section(tree, path)
    port.drop(_ABOUT)
    port.word("direction", "uplink", "downlink", "bidirectional")
    body = _list(compiler, port.take("fields"), port.at("fields"))
    port.done()
    return body


def _commands(section: Section, compiler: Compiler) -> dict[str, Command]:
    commands = section.section("downlink_commands")
    found: dict[str, Command] = {}
    for name, tree in commands.entries() if commands else ():
        command = Section(tree, f"downlink_commands.{name}")
        command.drop(_ABOUT)
        number = command.integer("command_id", 0, 255)
        if number is None:
            raise command.error("a command has a command_id")
        fields = command.take("fields")
        found[str(name)] = Command(number, _list(compiler, [] if fields is None else fields, command.at("fields")))
        command.done()
    return found


def _read(body: FieldList, data: bytes) -> Payload:
    source = Source(data)
    values: dict[str, Value] = {}
    body.read(source, values)
    if source.at < source.end:
        source.warnings.append(f"{source.end - source.at} byte(s) after the last field, from offset {source.at}")
        source.unread.append(("rest", data[source.at :]))
    return Payload(values, tuple(source.warnings), frozenset(source.outside), tuple(source.unread))
