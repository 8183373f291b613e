"""Channels that say themselves what they are: tag, perhaps a length, and the fields of that tag, to the end.

A tag is one integer or several numbers. A key names each exactly, excludes one (`!0`), takes a range (`2..5`) or any
(`*`); an exact key goes before an excluding one, that before a wildcard (PS-270).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drivers.errors import EncodeError, FrameError
from drivers.payload.cursor import Claims, Inputs, Sink, Source
from drivers.payload.groups import FieldList, write_level
from drivers.payload.keys import Part
from drivers.payload.values import Given, Value, as_integer
from drivers.payload.wire import Order, Wire

CHANNELS, UNKNOWN, TAG, RAW = "channels", "unknown_tags", "tag", "raw"


@dataclass(frozen=True, slots=True)
class Case:
    """The fields of the tags that fit a key."""

    key: tuple[Part, ...]
    body: FieldList

    def fits(self, tag: Sequence[int]) -> bool:
        """Whether a tag is of this case."""
        return all(part.fits(number) for part, number in zip(self.key, tag, strict=True))


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases by their keys."""

    exact: dict[tuple[int, ...], FieldList] = field(default_factory=dict)
    open: tuple[Case, ...] = ()
    fallback: FieldList | None = None

    def find(self, tag: tuple[int, ...]) -> FieldList | None:
        """The fields of a tag, or None."""
        body = self.exact.get(tag)
        if body is None:
            body = next((case.body for case in self.open if case.fits(tag)), None)
        return self.fallback if body is None else body

    def tags(self) -> list[tuple[tuple[int, ...], FieldList]]:
        """Every case with a tag of it."""
        return [*self.exact.items(), *((tuple(part.sample for part in case.key), case.body) for case in self.open)]


@dataclass(frozen=True, slots=True)
class TagField:
    """One number of a tag."""

    name: str
    wire: Wire
    advance: int


@dataclass(frozen=True, slots=True)
class Tlv:
    """A loop over channels. `key` is the order of the tag's numbers in the keys of the cases."""

    tag: tuple[TagField, ...]
    key: tuple[int, ...]
    cases: Cases
    length_size: int
    order: Order
    unknown: str
    merge: bool
    reserve: int

    def read(self, source: Source, out: dict[str, Value]) -> None:
        """Read channels until the end; raise FrameError naming the byte."""
        outer_end = source.end
        end = outer_end - self.reserve
        if end < source.at:
            raise FrameError(f"byte {source.at}: tlv reserves {self.reserve} bytes, fewer are left")
        source.end = end
        seen: dict[str, int] = {}
        while source.at < end:
            first = source.at
            source.spend(1)
            tag = self._read_tag(source)
            stop = self._read_length(source)
            body = self.cases.find(tag)
            entry: dict[str, Value] = {}
            if body is not None:
                self._read_body(source, body, entry, stop)
            elif not self._read_unknown(source, tag, first, stop, entry):
                break
            source.end = end
            if source.at == first:
                raise FrameError(f"byte {first}: a tlv entry takes no bytes")
            self._keep(out, seen, tag, entry, known=body is not None)
        source.end = outer_end

    def write(self, sink: Sink, inputs: Inputs) -> None:
        """Write the channels whose values are given; raise EncodeError."""
        if self.merge:
            for raw in self._merged(sink, inputs):
                sink.put(raw)
        for name in (CHANNELS, UNKNOWN):
            entries = inputs.get(name) if name in inputs else None
            for entry in entries if isinstance(entries, list) else ():
                sink.put(self._entry(sink, inputs.at(name), entry))

    def infer(self, sink: Sink, inputs: Inputs) -> None:
        """Channels show nothing of earlier fields."""

    def claims(self) -> Claims:
        """All that its cases may write: which channels are there depends on the values."""
        return Claims(may=frozenset[str]().union(*(body.claimed.may for _, body in self.cases.tags())))

    def _read_tag(self, source: Source) -> tuple[int, ...]:
        numbers: list[int] = []
        for item in self.tag:
            source.need(item.wire.size, "the tag of a tlv entry")
            number = item.wire.decode(source.data[source.at : source.at + item.wire.size])
            source.at += item.advance
            numbers.append(int(number or 0))
            if item.name:
                source.names[item.name] = numbers[-1]
        return tuple(numbers[index] for index in self.key)

    def _read_length(self, source: Source) -> int | None:
        """Where the entry ends, or None where nothing says it."""
        if not self.length_size:
            return None
        source.need(self.length_size, "the length of a tlv entry")
        size = int.from_bytes(source.data[source.at : source.at + self.length_size], self.order)
        source.at += self.length_size
        source.need(size, "a tlv entry")
        return source.at + size

    def _read_body(self, source: Source, body: FieldList, entry: dict[str, Value], stop: int | None) -> None:
        if stop is None:
            body.read(source, entry)
            return
        source.end = stop
        body.read(source, entry)
        if source.at < stop:
            source.warnings.append(f"{stop - source.at} byte(s) of a tlv entry at offset {source.at} not decoded")
            source.unread.append(("rest of a tlv entry", source.data[source.at : stop]))
        source.at = stop

    def _read_unknown(
        self, source: Source, tag: tuple[int, ...], first: int, stop: int | None, entry: dict[str, Value]
    ) -> bool:
        """Pass a tag that no case is for; False where the rest of the payload goes with it."""
        shown = ", ".join(f"0x{number:02X}" for number in tag)
        if self.unknown == "error":
            raise FrameError(f"byte {first}: no case is for tag {shown}")
        last = source.end if stop is None else stop
        if self.unknown == RAW:
            entry[RAW] = source.take(last - source.at, "a tlv entry").hex()
            if stop is None:
                source.warnings.append(f"unknown tag {shown} could not be delimited")
            return True
        if stop is None:
            lost, total = source.end - first, len(source.data)
            source.warnings.append(f"unknown tag {shown}: {lost} of {total} byte(s) discarded")
        else:
            source.warnings.append(f"unknown tag {shown}: {last - source.at} byte(s) discarded")
        source.unread.append((f"tag {shown}", source.data[source.at : last]))
        source.at = last
        return stop is not None

    def _keep(
        self, out: dict[str, Value], seen: dict[str, int], tag: tuple[int, ...], entry: dict[str, Value], *, known: bool
    ) -> None:
        if not self.merge or (RAW in entry and not known):
            if known or entry:
                rows = out.setdefault(UNKNOWN if self.merge else CHANNELS, [])
                if isinstance(rows, list):
                    rows.append({TAG: list(tag), **entry})
            return
        for name, value in entry.items():
            # A tag that comes again makes a list of its values (PS-157).
            count = seen[name] = seen.get(name, 0) + 1
            held = out.get(name)
            if count == 1:
                out[name] = value
            elif count > 2 and isinstance(held, list):
                held.append(value)
            elif held is not None:
                out[name] = [held, value]

    def _merged(self, sink: Sink, inputs: Inputs) -> list[bytes]:
        """The channels of the values not yet written, in the order in which their first values are given.

        A case that takes more of them goes before one that takes fewer.
        """
        found: list[tuple[int, bytes]] = []
        failures: list[tuple[frozenset[str], EncodeError]] = []
        for tag, body in sorted(self.cases.tags(), key=lambda item: -item[1].claimed.shown(inputs.only)):
            if not body.claimed.shown(inputs.only):
                continue
            names = frozenset(filter(inputs.only, body.claimed.may))
            try:
                entries = self._entries(sink, inputs, tag, body, names)
            except EncodeError as error:
                failures.append((names, error))
                continue
            place = min(inputs.order(name) for name in names)
            found += [(place, raw) for raw in entries]
        for names, failure in failures:
            if any(map(inputs.only, names)):
                raise failure
        return [raw for _, raw in sorted(found, key=lambda item: item[0])]

    def _entries(
        self, sink: Sink, inputs: Inputs, tag: tuple[int, ...], body: FieldList, names: frozenset[str]
    ) -> list[bytes]:
        """The entries of a case: one, or one for each of the values of a tag that came again."""
        used = frozenset(inputs.used)
        trial = sink.trial()
        try:
            body.write(trial, inputs)
        except EncodeError:
            inputs.used = set(used)
            values = {name: inputs.peek(name) for name in names}
            columns = [value for value in values.values() if isinstance(value, list)]
            if len(columns) < len(values) or len({len(column) for column in columns}) != 1:
                raise
            rows = [dict(zip(values, row, strict=True)) for row in zip(*columns, strict=True)]
            entries = [self._framed(tag, _written(body, sink, row, inputs.path)) for row in rows]
            inputs.used |= names
            return entries
        return [self._framed(tag, bytes(trial.out))]

    def _entry(self, sink: Sink, path: str, entry: Given) -> bytes:
        """One entry of the lists of channels or of unknown tags."""
        tag = entry.get(TAG) if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or not isinstance(tag, list) or len(tag) != len(self.key):
            raise EncodeError(f"{path}: an entry has a tag of {len(self.key)} numbers")
        numbers = tuple(as_integer(item) or 0 for item in tag)
        body = self.cases.find(numbers)
        rest = {name: value for name, value in entry.items() if name != TAG}
        raw = rest.get(RAW)
        if body is not None:
            return self._framed(numbers, _written(body, sink, rest, f"{path}."))
        if not isinstance(raw, str) or len(rest) != 1:
            raise EncodeError(f"{path}: no case is for tag {list(numbers)}")
        try:
            return self._framed(numbers, bytes.fromhex(raw))
        except ValueError as error:
            raise EncodeError(f"{path}: {raw!r}: {error}") from error

    def _framed(self, tag: tuple[int, ...], raw: bytes) -> bytes:
        head = Sink({})
        for index, number in sorted(zip(self.key, tag, strict=True)):
            head.put(self.tag[index].wire.encode(number), self.tag[index].advance)
        if self.length_size:
            if len(raw) >= 1 << 8 * self.length_size:
                raise EncodeError(f"a tlv entry of {len(raw)} bytes does not fit its length")
            head.put(len(raw).to_bytes(self.length_size, self.order))
        head.put(raw)
        return bytes(head.out)


def _written(body: FieldList, sink: Sink, values: dict[str, Given], path: str) -> bytes:
    trial = sink.trial()
    write_level(body, trial, values, path)
    return bytes(trial.out)
