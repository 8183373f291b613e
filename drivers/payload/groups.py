"""The constructs that choose and gather fields: lists, objects, byte groups, flagged groups and matches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from drivers.errors import EncodeError, FrameError
from drivers.payload.cursor import NO_CLAIMS, Claims, Inputs, Node, Sink, Source
from drivers.payload.reference import Name
from drivers.payload.values import Given, Value, as_integer, format_value
from drivers.payload.wire import Order


@dataclass(frozen=True, slots=True)
class FieldList:
    """Fields one after the other."""

    nodes: tuple[Node, ...]
    claimed: Claims = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Gather once what its fields write."""
        object.__setattr__(self, "claimed", reduce(or_, (node.claims() for node in self.nodes), NO_CLAIMS))

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read all; raise FrameError."""
        source.spend(len(self.nodes))
        for node in self.nodes:
            node.read(source, out)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write all, after each could tell what an earlier one must say; raise EncodeError."""
        sink.spend(len(self.nodes))
        for node in self.nodes:
            node.infer(sink, inputs)
        for node in self.nodes:
            node.write(sink, inputs)


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """Fields under one name. What is bound inside stays bound after it."""

    name: Name
    body: FieldList
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the fields into a mapping of their own; raise FrameError."""
        if self.optional and source.at == source.end:
            return
        inner: dict[str, Value] = {}
        self.body.read(source, inner)
        self.name.store(source, out, inner)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the mapping given; raise EncodeError where there is none."""
        value = inputs.get(self.name.key(sink)) if self.name.name else {}
        if value is None and (self.optional or not self.name.reported):
            return
        if not isinstance(value, Mapping):
            raise EncodeError(f"{inputs.at(self.name.name)}: a mapping is expected, this is {value!r}")
        write_level(self.body, sink, value, f"{inputs.at(self.name.name)}.")

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """An object shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Its own name."""
        return self.name.claims(spared=self.optional)


@dataclass(frozen=True, slots=True)
class ByteGroup:
    """Fields that share one span of bytes, each from its beginning; it is stepped over once, at the end (PS-070)."""

    body: FieldList
    size: int

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read every member; raise FrameError where the span is not there."""
        source.need(self.size, "a byte group")
        source.spend(len(self.body.nodes))
        first = source.at
        for node in self.body.nodes:
            source.at = first
            node.read(source, out)
        source.at = first + self.size

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Lay every member over the span; raise EncodeError."""
        first = sink.at
        sink.put(bytes(self.size))
        for node in self.body.nodes:
            sink.at = first
            node.write(sink, inputs)
        sink.at = first + self.size

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """What its members show."""
        for node in self.body.nodes:
            node.infer(sink, inputs)

    def claims(self) -> Claims:
        """What its members claim."""
        return self.body.claimed


@dataclass(frozen=True, slots=True)
class Flagged:
    """Groups of fields, each there where its bit of a mask is set, in the order written (PS-158 to PS-163)."""

    mask: str
    groups: tuple[tuple[int, FieldList], ...]

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the groups whose bit is set; raise FrameError where there is no mask."""
        mask = as_integer(source.names.get(self.mask))
        if mask is None:
            raise FrameError(f"byte {source.at}: no mask {self.mask} was decoded")
        for bit, body in self.groups:
            if mask >> bit & 1:
                body.read(source, out)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the groups whose bit is set; raise EncodeError where there is no mask."""
        mask = as_integer(sink.names.get(self.mask))
        if mask is None:
            raise EncodeError(f"no mask {self.mask} is given")
        for bit, body in self.groups:
            if mask >> bit & 1:
                body.write(sink, inputs)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """The mask, of the groups whose values are given."""
        if self.mask not in sink.names:
            shown = (1 << bit for bit, body in self.groups if any(name in inputs for name in body.claimed.may))
            sink.names[self.mask] = sum(shown)

    def claims(self) -> Claims:
        """All that its groups may write."""
        return Claims(may=frozenset[str]().union(*(body.claimed.may for _, body in self.groups)))


@dataclass(frozen=True, slots=True)
class Cases:
    """Bodies by value: exact keys first, then ranges in the order written, then the fallback."""

    exact: Mapping[int | str, FieldList]
    ranges: tuple[tuple[int, int, FieldList], ...]
    fallback: FieldList | None = None

    def choose(self, value: object) -> FieldList | None:
        """The body for a value, or None."""
        key = value if isinstance(value, str) else as_integer(value)
        found = None if key is None else self.exact.get(key)
        if found is None and isinstance(key, int):
            found = next((body for low, high, body in self.ranges if low <= key <= high), None)
        return self.fallback if found is None else found

    def show(self, inputs: Inputs) -> int | str | None:
        """The key of the case whose names are all given, the one with most names; None where none shows."""
        keys = [*self.exact.items(), *((low, body) for low, _, body in self.ranges)]
        counts = [(body.claimed.shown(inputs.__contains__), key) for key, body in keys]
        most, key = max(counts, key=lambda item: item[0], default=(0, None))
        return key if most else None

    @property
    def bodies(self) -> tuple[FieldList, ...]:
        """Every body there is."""
        rest = () if self.fallback is None else (self.fallback,)
        return (*self.exact.values(), *(body for _, _, body in self.ranges), *rest)


@dataclass(frozen=True, slots=True)
class Match:
    """The fields of one case, by a field decoded before, by bytes read here, or by how many bytes are left.

    `length` is of bytes read here, 0 for none. Without a case the payload is refused, unless there is a fallback.
    """

    field: str | None
    length: int
    order: Order
    name: Name
    cases: Cases

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the case; raise FrameError where none is for the value."""
        value: object
        if self.field is not None:
            value = source.names.get(self.field)
            if value is None:
                raise FrameError(f"byte {source.at}: {self.field} was not decoded")
        elif self.length:
            source.need(self.length, "a discriminator")
            value = int.from_bytes(source.data[source.at : source.at + self.length], self.order)
            source.at += self.length
            self.name.store(source, out, value)
        else:
            value = source.end - source.at
        body = self.cases.choose(value)
        if body is None:
            raise FrameError(f"byte {source.at}: no case is for {self.field or 'the value'} {format_value(value)}")
        body.read(source, out)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the case; raise EncodeError where none is for the value."""
        value: Given | None
        if self.field is not None:
            value = sink.names.get(self.field)
        elif self.length:
            value = self.name.find(sink, inputs)
            value = self.cases.show(inputs) if value is None else value
            number = as_integer(value)
            if number is None or not 0 <= number < 1 << 8 * self.length:
                raise EncodeError(f"{inputs.at(self.name.name or 'a discriminator')}: {value!r} is no value of it")
            sink.put(number.to_bytes(self.length, self.order))
            self.name.bind(sink, number)
        else:
            value = self.cases.show(inputs)
        body = self.cases.choose(value)
        if body is None:
            raise EncodeError(f"no case is for {self.field or 'the value'} {value!r}")
        body.write(sink, inputs)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """The field it chooses by, of the case whose values are given."""
        if self.field is not None and self.field not in sink.names:
            key = self.cases.show(inputs)
            if key is not None:
                sink.names[self.field] = key

    def claims(self) -> Claims:
        """All that its cases may write: which of them does depends on the values."""
        own = self.name.claims(spared=True) if self.length else NO_CLAIMS
        return Claims(may=own.may.union(*(body.claimed.may for body in self.cases.bodies)))


def write_level(body: FieldList, sink: Sink, values: Mapping[str, Given], path: str) -> None:
    """Write the values of a level of their own; raise EncodeError for one that no field takes."""
    outer = sink.names
    sink.names = {**outer, **values}
    inputs = Inputs(values, path)
    body.write(sink, inputs)
    inputs.done()
    sink.names = {**sink.names, **outer}
