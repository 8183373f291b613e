"""Bytes as they are: text, hex, base64 or numbers of a payload, and the padding between fields."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import EncodeError, FrameError
from drivers.payload.cursor import MAX_PAYLOAD, NO_CLAIMS, Claims, Inputs, Sink, Source
from drivers.payload.reference import Name, Operand, size_of
from drivers.payload.values import Given, Value

Render = Callable[[bytes], Value]
Parse = Callable[[Given], bytes]


@dataclass(frozen=True, slots=True)
class BytesField:
    """Bytes as text, hex, base64 or numbers. `length` None is all that remain."""

    name: Name
    length: Operand | None
    render: Render
    parse: Parse
    padded: bool = False
    constant: Given | None = None
    optional: bool = False

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Take the bytes; raise FrameError where they are too few."""
        if self.optional and source.at == source.end:
            return
        what = self.name.name or "bytes"
        size = source.end - source.at
        if self.length is not None:
            size = size_of(self.length, source.names, what, MAX_PAYLOAD)
        self.name.store(source, out, self.render(source.take(size, what)))

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the bytes; raise EncodeError naming the field."""
        value = self.name.find(sink, inputs)
        value = self.constant if value is None else value
        if value is None and self.optional:
            return
        if value is None and self.name.reported:
            raise EncodeError(f"no value for {inputs.at(self.name.key(sink))}")
        raw = b"" if value is None else self._bytes(inputs, value)
        if self.length is not None:
            size = _written_size(self.length, sink, self.name.name)
            if (self.padded or value is None) and len(raw) < size:
                raw = raw.ljust(size, b"\0")
            if len(raw) != size:
                raise EncodeError(f"{inputs.at(self.name.name)} is {size} bytes, here are {len(raw)}")
        sink.put(raw)
        if value is not None:
            self.name.bind(sink, value)

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """The length that an earlier field tells, unless it is given."""
        value = inputs.get(self.name.name) if self.name.name in inputs else None
        if value is not None and self.length is not None and self.length.name is not None:
            sink.names.setdefault(self.length.name, len(self._bytes(inputs, value)))

    def claims(self) -> Claims:
        """Its own name."""
        return self.name.claims(spared=self.optional or self.constant is not None)

    def _bytes(self, inputs: Inputs, value: Given) -> bytes:
        try:
            return self.parse(value)
        except (ValueError, TypeError, binascii.Error) as error:
            raise EncodeError(f"{inputs.at(self.name.name)}: {value!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class Padding:
    """Bytes that say nothing; written as zeros."""

    length: Operand

    def read(self, source: Source, _out: dict[str, Value], /) -> None:
        """Step over the bytes; raise FrameError where they are too few."""
        size = size_of(self.length, source.names, "padding", MAX_PAYLOAD)
        source.need(size, "padding")
        source.at += size

    def write(self, sink: Sink, _inputs: Inputs, /) -> None:
        """Write zeros."""
        sink.put(bytes(_written_size(self.length, sink, "padding")))

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """Padding shows nothing of earlier fields."""

    def claims(self) -> Claims:
        """Nothing."""
        return NO_CLAIMS


def render_hex(separator: str, *, upper: bool) -> tuple[Render, Parse]:
    """Bytes as hex digits with a separator between bytes."""

    def render(raw: bytes) -> str:
        text = separator.join(f"{byte:02x}" for byte in raw)
        return text.upper() if upper else text

    return render, lambda value: bytes.fromhex(_text(value).replace(separator, "") if separator else _text(value))


def render_text() -> tuple[Render, Parse]:
    """Bytes as ASCII without the zeros that fill them up; what is no ASCII shows as U+FFFD."""
    return lambda raw: raw.rstrip(b"\0").decode("ascii", "replace"), lambda value: _text(value).encode("ascii")


def render_base64() -> tuple[Render, Parse]:
    """Bytes in base64."""
    return lambda raw: base64.b64encode(raw).decode(), lambda value: base64.b64decode(_text(value), validate=True)


def render_array() -> tuple[Render, Parse]:
    """Bytes as a list of numbers."""
    return list, _from_array


def _from_array(value: Given) -> bytes:
    if not isinstance(value, list) or not all(type(item) is int and 0 <= item <= 255 for item in value):
        raise ValueError("a list of bytes is expected")
    return bytes(item for item in value if isinstance(item, int))


def _text(value: Given) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _written_size(length: Operand, sink: Sink, what: str) -> int:
    try:
        return size_of(length, sink.names, what, MAX_PAYLOAD)
    except FrameError as error:
        raise EncodeError(str(error)) from error
