"""The fields that stand for one value: numbers, bits, texts of bits, literals and what is computed of others."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import EncodeError
from drivers.payload.cursor import Claims, Inputs, Sink, Source
from drivers.payload.expression import Formula
from drivers.payload.labels import Table
from drivers.payload.meaning import Meaning
from drivers.payload.reference import Condition, Name, Operand
from drivers.payload.values import Given, Number, Value, as_number, settle
from drivers.payload.wire import Order, Wire


@dataclass(frozen=True, slots=True)
class NumberField:
    """A number of a fixed width, or a range of bits of one."""

    name: Name
    wire: Wire
    advance: int
    meaning: Meaning | None = None
    sentinels: tuple[int, ...] = ()
    constant: Given | None = None
    default: Given | None = None  # what an encoder writes where no value is given
    spoken: Table | None = None  # labels an encoder takes and a decoder does not give
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the number; raise FrameError where bytes are missing."""
        at = source.at
        last = at + self.wire.size
        if last > source.end:
            if self.optional and at == source.end:
                return
            source.need(self.wire.size, self.name.name or "a field")
        number = self.wire.decode(source.data[at:last])
        source.at = at + self.advance
        if number is None or number in self.sentinels:
            return
        value: Value | None = number
        if self.meaning is not None:
            value = self.meaning.value(source, self.name.name, number)
        if value is not None:
            self.name.store(source, out, value)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the number; raise EncodeError naming the field."""
        value = self._value(sink, inputs)
        if value is None:
            return
        try:
            number = self._number(sink, value)
            raw = self.wire.encode(number)
        except EncodeError as error:
            raise EncodeError(f"{inputs.at(self.name.name or 'a field')}: {error}") from error
        sink.put(raw, self.advance)
        self.name.bind(sink, value)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """A number shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Its own name."""
        known = self.constant is not None or self.default is not None
        return self.name.claims(spared=self.optional or known or bool(self.sentinels))

    def _value(self, sink: Sink, inputs: Inputs) -> Given | None:
        value = self.name.find(sink, inputs)
        if self.constant is not None:
            if value is not None and value != self.constant:
                raise EncodeError(f"{inputs.at(self.name.name)} is always {self.constant}, not {value}")
            return self.constant
        if value is None:
            value = self.default
        if value is not None or self.optional:
            return value
        if self.sentinels:
            sink.put(self.wire.encode(self.sentinels[0]), self.advance)
            return None
        if self.name.reported:
            raise EncodeError(f"no value for {inputs.at(self.name.key(sink))}")
        if self.name.name in sink.referred:
            raise EncodeError(f"nothing tells {self.name.name}, which others refer to and a payload does not report")
        # What is neither reported nor used is not the caller's to supply: reserved bits are written as zero.
        sink.put(bytes(self.wire.size), self.advance)
        return None

    def _number(self, sink: Sink, value: Given) -> Number:
        if self.spoken is not None and isinstance(value, str):
            return self.spoken.number(value)
        number = self.meaning.number(sink, value) if self.meaning is not None else as_number(value)
        if number is None:
            raise EncodeError(f"{value!r} is no number")
        return number


@dataclass(frozen=True, slots=True)
class BoolField:
    """One bit as true or false, or whether a byte is not zero."""

    name: Name
    wire: Wire
    advance: int
    constant: Given | None = None
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the bit; raise FrameError where its byte is missing."""
        if self.optional and source.at == source.end:
            return
        source.need(self.wire.size, self.name.name or "a bit")
        number = self.wire.decode(source.data[source.at : source.at + self.wire.size])
        source.at += self.advance
        self.name.store(source, out, bool(number))

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the bit; raise EncodeError naming the field."""
        value = self.name.find(sink, inputs)
        value = self.constant if value is None else value
        if value is None and self.optional:
            return
        if value is None and self.name.reported:
            raise EncodeError(f"no value for {inputs.at(self.name.key(sink))}")
        number = as_number(value or 0)
        if number not in (0, 1):
            raise EncodeError(f"{inputs.at(self.name.name)}: {value!r} is neither true nor false")
        sink.put(self.wire.encode(number), self.advance)
        self.name.bind(sink, bool(number))

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """A bit shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Its own name."""
        return self.name.claims(spared=self.optional or self.constant is not None)


@dataclass(frozen=True, slots=True)
class BitString:
    """Ranges of bits joined to a text, as a version `v1.2`: parts are (low bit, width, base)."""

    name: Name
    length: int
    order: Order
    parts: tuple[tuple[int, int, str], ...]
    delimiter: str
    prefix: str
    advance: int
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read the text; raise FrameError where bytes are missing."""
        if self.optional and source.at == source.end:
            return
        source.need(self.length, self.name.name)
        word = int.from_bytes(source.data[source.at : source.at + self.length], self.order)
        source.at += self.advance
        texts = (format((word >> low) & ((1 << width) - 1), base) for low, width, base in self.parts)
        self.name.store(source, out, self.prefix + self.delimiter.join(texts))

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the parts of the text; raise EncodeError naming the field."""
        value = self.name.find(sink, inputs)
        if value is None:
            if self.name.reported and not self.optional:
                raise EncodeError(f"no value for {inputs.at(self.name.key(sink))}")
            sink.put(bytes(0 if self.optional else self.length), 0 if self.optional else self.advance)
            return
        sink.put(self._word(inputs, value).to_bytes(self.length, self.order), self.advance)
        self.name.bind(sink, value)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """A text shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Its own name."""
        return self.name.claims(spared=self.optional)

    def _word(self, inputs: Inputs, value: Given) -> int:
        wrong = EncodeError(
            f"{inputs.at(self.name.name)}: {value!r} is no {self.prefix}text of {len(self.parts)} parts"
        )
        if not isinstance(value, str) or not value.startswith(self.prefix):
            raise wrong
        text = value[len(self.prefix) :]
        texts = text.split(self.delimiter) if self.delimiter else [text]
        if len(texts) != len(self.parts):
            raise wrong
        word = 0
        for item, (low, width, base) in zip(texts, self.parts, strict=True):
            try:
                number = int(item, 10 if base == "d" else 16)
            except ValueError:
                raise wrong from None
            if not 0 <= number < 1 << width:
                raise EncodeError(f"{inputs.at(self.name.name)}: {item} does not fit {width} bits")
            word |= number << low
        return word


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that takes no bytes: a literal, another field, an operation on two, or a formula.

    Where the guard does not hold, the value is `otherwise` as it is declared, or none (PS-444, PS-400).
    """

    name: Name
    literal: Value | None = None
    operand: Operand | None = None
    operation: tuple[Callable[[Number, Number], Number | None], Operand, Operand] | None = None
    formula: Formula | None = None
    meaning: Meaning | None = None
    guard: tuple[Condition, ...] = ()
    otherwise: Operand | None = None
    carry: Operand | None = None

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Compute the value of what was read before; without one the field is left out."""
        value: Value | None
        if all(condition.holds(source.names) for condition in self.guard):
            value = self._value(source)
        else:
            value = None if self.otherwise is None else _reportable(self.otherwise.value(source.names))
        if value is not None:
            self.name.store(source, out, value)

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write nothing: the value follows of others."""
        value = inputs.get(self.name.key(sink)) if self.name.name else None
        if value is not None:
            self.name.bind(sink, value)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """A computed value shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Its own name, which need not be given."""
        return self.name.claims(spared=True)

    def _value(self, source: Source) -> Value | None:
        names = source.names
        if self.literal is not None:
            return self.literal
        number: Number | None
        if self.operand is not None:
            found = self.operand.value(names)
            number = as_number(found)
            if number is None or self.meaning is None:
                return _reportable(found)
        elif self.operation is not None:
            operate, left, right = self.operation
            number = _operate(operate, as_number(left.value(names)), as_number(right.value(names)))
        else:
            number = None if self.formula is None else self.formula(names, None)
        if number is None:
            return None
        number = settle(number)
        return number if self.meaning is None else self.meaning.value(source, self.name.name, number)


def _operate(
    operate: Callable[[Number, Number], Number | None], left: Number | None, right: Number | None
) -> Number | None:
    if left is None or right is None:
        return None
    try:
        return operate(left, right)
    except ArithmeticError:
        return None


def _reportable(value: object) -> Value | None:
    if isinstance(value, str | bool):
        return value
    return as_number(value)
