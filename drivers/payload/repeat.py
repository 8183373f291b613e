"""Arrays: the same fields over and over, by count, by a span of bytes, or until the payload ends.

An element's names are its own (PS-368). A counted array may have elements without bytes; any other must move on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.errors import EncodeError, FrameError
from drivers.payload.cursor import MAX_PAYLOAD, Claims, Inputs, Sink, Source
from drivers.payload.groups import FieldList, write_level
from drivers.payload.reference import Condition, Name, Operand, size_of
from drivers.payload.values import Given, Value, as_integer, as_number

MAX_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Repeat:
    """An array of objects. With neither `count` nor `span` it goes on to the end, less `reserve` bytes."""

    name: Name
    body: FieldList
    count: Operand | None = None
    span: Operand | None = None
    least: int = 0
    most: int = MAX_COUNT
    index: str | None = None
    count_as: str | None = None
    present: Condition | None = None
    carried: tuple[tuple[str, Operand], ...] = ()
    reserve: int = 0
    trailer: FieldList | None = None
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read every element; raise FrameError naming the array."""
        if self.optional and source.at == source.end:
            return
        outer_end, outer_names = source.end, source.names
        end = self._end(source)
        if self.trailer is not None:
            self._read_trailer(source, out, end)
        source.end = end
        elements = self._elements(source, outer_names, end)
        source.end, source.names = outer_end, outer_names
        if self.trailer is not None:
            source.at = outer_end
        if len(elements) < self.least:
            raise FrameError(f"byte {source.at}: {self.name.name} has {len(elements)} elements, {self.least} are due")
        if self.count_as is not None:
            source.names[self.count_as] = len(elements)
        self.name.store(source, out, elements)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write every element; raise EncodeError naming the array."""
        if self.present is not None:
            raise EncodeError(f"{inputs.at(self.name.name)}: elements that present_if dropped cannot be written back")
        elements = inputs.get(self.name.key(sink))
        if elements is None and self.optional:
            return
        if not isinstance(elements, list):
            raise EncodeError(f"{inputs.at(self.name.name)}: a list is expected, this is {elements!r}")
        first = sink.at
        for index, element in enumerate(elements):
            if not isinstance(element, Mapping):
                raise EncodeError(f"{inputs.at(self.name.name)}[{index}]: a mapping is expected, this is {element!r}")
            if self.index is not None:
                sink.names[self.index] = index
            write_level(self.body, sink, element, f"{inputs.at(self.name.name)}[{index}].")
        self._check(sink, inputs, len(elements), sink.at - first)
        if self.trailer is not None:
            self.trailer.write(sink, inputs)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """The count or the length that an earlier field tells, unless it is given."""
        elements = inputs.get(self.name.name) if self.name.name in inputs else None
        if not isinstance(elements, list):
            return
        if self.count is not None and self.count.name is not None:
            sink.names.setdefault(self.count.name, len(elements))
        elif self.span is not None and self.span.name is not None and self.span.name not in sink.names:
            trial = sink.trial(**{self.span.name: 0})
            for element in elements:
                if isinstance(element, Mapping):
                    write_level(self.body, trial, element, "")
            sink.names[self.span.name] = trial.at

    def claims(self) -> Claims:
        """Its own name."""
        return self.name.claims(spared=self.optional)

    def _end(self, source: Source) -> int:
        """Where the elements end at the latest."""
        if self.span is not None:
            size = size_of(self.span, source.names, self.name.name, MAX_PAYLOAD)
            source.need(size, self.name.name)
            return source.at + size
        end = source.end - self.reserve
        if end < source.at:
            raise FrameError(f"byte {source.at}: {self.name.name} reserves {self.reserve} bytes, fewer are left")
        return end

    def _read_trailer(self, source: Source, out: dict[str, Value], end: int) -> None:
        first, source.at = source.at, end
        if self.trailer is not None:
            self.trailer.read(source, out)
        if source.at != source.end:
            raise FrameError(f"byte {source.at}: the trailer of {self.name.name} takes not the bytes it reserves")
        source.at = first

    def _elements(self, source: Source, names: Mapping[str, Value], end: int) -> list[Value]:
        total = MAX_PAYLOAD
        if self.count is not None:
            total = min(size_of(self.count, names, self.name.name, 1 << 32), self.most)
        carried = {name: start.value(names) for name, start in self.carried}
        elements: list[Value] = []
        position = 0
        while position < total and (self.count is not None or source.at < end):
            if position >= self.most:
                if self.span is not None:
                    raise FrameError(
                        f"byte {source.at}: {self.name.name} stops at {self.most} elements, {end - source.at} bytes of"
                        " its length are left"
                    )
                source.warnings.append(f"{self.name.name}: stopped at {self.most} elements")
                break
            element = self._element(source, names, carried, position)
            if element is not None:
                elements.append(element)
            position += 1
        return elements

    def _element(
        self, source: Source, names: Mapping[str, Value], carried: dict[str, object], position: int
    ) -> dict[str, Value] | None:
        first = source.at
        source.spend(1)
        scope = {**names, **{name: number for name, item in carried.items() if (number := as_number(item)) is not None}}
        if self.index is not None:
            scope[self.index] = position
        source.names = scope
        element: dict[str, Value] = {}
        self.body.read(source, element)
        if source.at == first and self.count is None:
            raise FrameError(f"byte {first}: an element of {self.name.name} takes no bytes")
        carried.update((name, scope.get(name)) for name in carried)
        return element if self.present is None or self.present.holds(scope) else None

    def _check(self, sink: Sink, inputs: Inputs, count: int, size: int) -> None:
        for operand, found, what in ((self.count, count, "elements"), (self.span, size, "bytes")):
            said: Given | object = found if operand is None else operand.value(sink.names)
            if as_integer(said) != found:
                raise EncodeError(f"{inputs.at(self.name.name)}: {said} {what} are due, here are {found}")
        if not self.least <= count <= self.most:
            raise EncodeError(f"{inputs.at(self.name.name)} has {self.least} to {self.most} elements, here are {count}")
