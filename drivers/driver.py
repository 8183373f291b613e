"""A native driver: a descriptor, a decoder, and the proof that they belong together.

The core calls `Driver.decode`, never the decoder itself: whatever a decoder raises reaches the core as DriverError, so
a broken driver costs its frames and nothing else.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from drivers.context import NOTHING, Context
from drivers.descriptor import Descriptor
from drivers.errors import DriverError, DriverFaultError, FrameError
from drivers.reading import Decoded, Reading, ReportedValue

MAX_FRAME = 4096
HASH_CONTEXT = b"passport/driver/1\n"


@dataclass(frozen=True, slots=True)
class Downlink:
    """Bytes for a meter. The caller sends them; a driver never does."""

    port: int
    data: bytes


Decoder = Callable[[int, bytes], Decoded]
ContextDecoder = Callable[[int, bytes, Context], Decoded]
BatchDecoder = Callable[[Sequence[tuple[int, bytes, Context]]], "list[Decoded | DriverError]"]
Answerer = Callable[[Decoded, datetime, datetime | None], Downlink | None]


@dataclass(frozen=True, slots=True)
class Driver:
    """A descriptor with the code that does what it says.

    `answer(decoded, received_at, last_answer_at)` gives the bytes that a frame asks for, or None.
    `in_context` is the decoder of a driver that needs what the passport knows; it is asked in `decoder`'s place, and
    `in_batches` where there are several frames. One that `joins` parts is told the earlier frames of the session.
    `modules` names the modules whose source decides what the driver says: the hash is over them.
    """

    descriptor: Descriptor
    decoder: Decoder
    modules: tuple[str, ...]
    answer: Answerer | None = None
    in_context: ContextDecoder | None = None
    in_batches: BatchDecoder | None = None
    joins: bool = False

    def decode_each(self, frames: Sequence[tuple[int, bytes, Context]]) -> list[Decoded | DriverError]:
        """What `decode` gives or raises for each frame; a driver that works in another process is asked once."""
        if self.in_batches is None or not all(self._check(port, data) is None for port, data, _ in frames):
            return [self._tried(*frame) for frame in frames]
        try:
            return self.in_batches(frames)
        except Exception:  # as below: the one that it raises for is found by asking for each
            return [self._tried(*frame) for frame in frames]

    def _tried(self, port: int, data: bytes, context: Context) -> Decoded | DriverError:
        try:
            return self.decode(port, data, context)
        except DriverError as error:
            return error

    def _check(self, port: int, data: bytes) -> FrameError | None:
        if port not in self.descriptor.ports:
            return FrameError(f"{self.descriptor.id} has nothing on port {port}; its ports are {self.descriptor.ports}")
        if len(data) > MAX_FRAME:
            return FrameError(f"{self.descriptor.id}: {len(data)} bytes are over the limit of {MAX_FRAME}")
        return None

    def decode(self, port: int, data: bytes, context: Context = NOTHING) -> Decoded:
        """Read one frame; raise FrameError for what is no frame, DriverFaultError if the decoder is broken.

        Drivers that need nothing of the passport do not see the context.
        """
        wrong = self._check(port, data)
        if wrong is not None:
            raise wrong
        try:
            decoded = self.in_context(port, data, context) if self.in_context else self.decoder(port, data)
        except (FrameError, DriverFaultError):
            raise
        except Exception as error:  # the code of others runs here: whatever it raises costs this frame alone
            raise DriverFaultError(f"{self.descriptor.id} raised {type(error).__name__}: {error}") from error
        if not isinstance(decoded, Decoded):
            raise DriverFaultError(f"{self.descriptor.id} gave {type(decoded).__name__} and no Decoded")
        return decoded


@dataclass(frozen=True, slots=True)
class FailedVector:
    """A vector that does not hold on this node: what was expected and what came."""

    name: str
    expected: str
    got: str


def prove(driver: Driver) -> tuple[FailedVector, ...]:
    """Run the driver's own vectors; no failure means it does on this node what its publisher saw."""
    outcomes = ((vector, _outcome(driver, vector.port, vector.data)) for vector in driver.descriptor.vectors)
    return tuple(FailedVector(item.name, item.expected, got) for item, got in outcomes if got != item.expected)


def driver_hash(descriptor: Descriptor, sources: Mapping[str, bytes]) -> bytes:
    """SHA-256 over the canonical descriptor and the sources by module name: 32 bytes that a reading stores.

    Every part goes in with its length in 8 bytes, so that no two sets of parts join to the same bytes.
    """
    digest = hashlib.sha256(HASH_CONTEXT)
    for part in (
        descriptor.canonical(),
        *(item for name in sorted(sources) for item in (name.encode(), sources[name])),
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def summary(decoded: Decoded) -> str:
    """All that was decoded, as one line of text: what vectors are compared by.

    `frame @time | channel:quantity[@store][/tariff]=value unit … | name=value … | !alarm … | ?unmapped=hex … |
    >meter=hex …`, with empty parts left out.
    """
    head = f"{decoded.frame} @{_text(decoded.device_time)}" if decoded.device_time else decoded.frame
    parts = [
        head,
        " ".join(_reading_text(item) for item in decoded.readings),
        " ".join(f"{item.name}={_text(item.value)}" for item in decoded.reported),
        " ".join(f"!{name}" for name in decoded.alarms),
        " ".join(f"?{item.name}={item.raw.hex()}" for item in decoded.unmapped),
        " ".join(f">{item.meter}={item.raw.hex()}" for item in decoded.carried),
    ]
    return " | ".join(part for part in parts if part)


def _outcome(driver: Driver, port: int, data: str) -> str:
    try:
        return summary(driver.decode(port, bytes.fromhex(data)))
    except DriverError as error:
        return f"{type(error).__name__}: {error}"


def _reading_text(reading: Reading) -> str:
    store = f"@{reading.store}" if reading.storage_number else ""
    tariff = f"/{reading.tariff}" if reading.tariff else ""
    return f"{reading.channel}:{reading.quantity}{store}{tariff}={_text(reading.value)} {reading.unit}"


def _text(value: ReportedValue) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
