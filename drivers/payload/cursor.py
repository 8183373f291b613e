"""Where a run of a program stands: in the bytes it reads, or in the bytes it writes.

Both keep the names that later fields refer to, and the budget: a document may not make a payload cost more than it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from drivers.errors import EncodeError, FrameError
from drivers.payload.values import Given, Value

MAX_PAYLOAD = 4096
MAX_FIELDS = 10_000  # reads of a field in one run, with those in every element of a repeat
MAX_BULK = 64 * 1024  # bytes taken as text, hex or base64 in one run
MAX_NAME = 256


class Source:
    """The bytes of a payload, from `at` to `end`, and what was read of them.

    `outside` names the fields whose value is outside its range, `unread` holds the bytes that no field is for.
    """

    __slots__ = ("_bulk", "_fields", "at", "data", "end", "names", "outside", "unread", "warnings")

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_PAYLOAD:
            raise FrameError(f"a payload is at most {MAX_PAYLOAD} bytes, this is {len(data)}")
        self.data = data
        self.at = 0
        self.end = len(data)
        self.names: dict[str, Value] = {}
        self.warnings: list[str] = []
        self.unread: list[tuple[str, bytes]] = []
        self.outside: set[str] = set()
        self._fields = MAX_FIELDS
        self._bulk = MAX_BULK

    def spend(self, fields: int) -> None:
        """Pay for so many fields; raise FrameError where the budget ends."""
        self._fields -= fields
        if self._fields < 0:
            raise FrameError(f"byte {self.at}: a payload may not decode to more than {MAX_FIELDS} fields")

    def need(self, size: int, what: str) -> None:
        """Raise FrameError unless so many bytes are left."""
        if self.at + size > self.end:
            raise FrameError(f"byte {self.at}: {what} takes {size} bytes, {self.end - self.at} are left")

    def take(self, size: int, what: str) -> bytes:
        """The next bytes, paid for; raise FrameError where they are too few."""
        self.need(size, what)
        self._bulk -= size
        if self._bulk < 0:
            raise FrameError(f"byte {self.at}: a payload may not be read as text more than {MAX_BULK} bytes in all")
        self.at += size
        return self.data[self.at - size : self.at]


class Inputs:
    """The values of one level that are to be written; which of them were is kept, so that none is lost in silence."""

    __slots__ = ("_values", "path", "used")

    def __init__(self, values: Mapping[str, Given], path: str = "") -> None:
        self._values = values
        self.path = path
        self.used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> Given | None:
        """The value under a name, or None; it counts as written."""
        self.used.add(name)
        return self._values.get(name)

    def peek(self, name: str) -> Given | None:
        """The value under a name, or None; nothing is written of it yet."""
        return self._values.get(name)

    def only(self, name: str) -> bool:
        """Whether a name is here and was not written yet."""
        return name in self._values and name not in self.used

    def order(self, name: str) -> int:
        """Where a name stands among the values: repeated channels go out in the order they are given."""
        return list(self._values).index(name)

    def at(self, name: str) -> str:
        """The path of a name, for errors."""
        return f"{self.path}{name}"

    def done(self) -> None:
        """Raise EncodeError for a value that no field took."""
        for name in self._values:
            if name not in self.used:
                raise EncodeError(f"no field writes {self.at(name)}")


class Sink:
    """The bytes written so far. Ranges of bits over one byte are laid over each other.

    `referred` are the names that some field of the document refers to: one of them is no mere filling.
    """

    __slots__ = ("_fields", "at", "names", "out", "referred")

    def __init__(self, names: dict[str, Given], referred: frozenset[str] = frozenset()) -> None:
        self.out = bytearray()
        self.at = 0
        self.names = names
        self.referred = referred
        self._fields = MAX_FIELDS

    def spend(self, fields: int) -> None:
        """Pay for so many fields; raise EncodeError where the budget ends."""
        self._fields -= fields
        if self._fields < 0:
            raise EncodeError(f"more than {MAX_FIELDS} fields are to be written")

    def trial(self, **names: Given) -> "Sink":
        """Another sink, from its beginning, that knows the same names and these."""
        return Sink({**self.names, **names}, self.referred)

    def put(self, raw: bytes, advance: int | None = None) -> None:
        """Write bytes here and move on by `advance`, or past them."""
        last = self.at + max(len(raw), advance or 0)
        if last > MAX_PAYLOAD:
            raise EncodeError(f"a payload is at most {MAX_PAYLOAD} bytes")
        if last > len(self.out):
            self.out.extend(bytes(last - len(self.out)))
        for index, byte in enumerate(raw, self.at):
            self.out[index] |= byte
        self.at += len(raw) if advance is None else advance


@dataclass(frozen=True, slots=True)
class Claims:
    """Names of values: those a step cannot do without, and all that it has something to do with."""

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()

    def __or__(self, other: "Claims") -> "Claims":
        return Claims(self.must | other.must, self.may | other.may)

    def shown(self, there: Callable[[str], bool]) -> int:
        """How many of the names are there; none where one is missing that must be."""
        return sum(map(there, self.may)) if all(map(there, self.must)) else 0


NO_CLAIMS = Claims()


class Node(Protocol):
    """One step of a program: it reads bytes into a mapping, or writes bytes of one."""

    def read(self, source: Source, out: dict[str, Value], /) -> None:
        """Take what the step describes; raise FrameError naming byte and field."""

    def write(self, sink: Sink, inputs: Inputs, /) -> None:
        """Write what the step describes; raise EncodeError naming the field."""

    def infer(self, sink: Sink, inputs: Inputs, /) -> None:
        """Tell what an earlier field must say, where the values show it and nobody said it: masks, counts, kinds."""

    def claims(self) -> "Claims":
        """The names of the values that this step writes."""
