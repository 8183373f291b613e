"""A driver of a package with one script: what the script gives becomes readings by the descriptor's fields.

`errors` of TS013 and what a script throws refuse the frame; `warnings` are reported.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any  # Any: JSON

from drivers.context import Context
from drivers.descriptor import Descriptor, Level
from drivers.driver import Downlink, Driver
from drivers.errors import DescriptorError, DriverError, EncodeError, FrameError
from drivers.fields import FieldReader
from drivers.package import Package
from drivers.reading import Decoded, Reported
from drivers.script.pool import Call, Outcome, ScriptPool

ENDING = ".js"
MAX_BYTES = 242  # of a downlink: LoRaWAN regional parameters, the largest N
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DEPTH, MAX_VALUES = 16, 2_000


class Script:
    """One script with its descriptor, asked in its own process."""

    def __init__(self, package: Package, pool: ScriptPool) -> None:
        """Raise DescriptorError where the package has not one script."""
        found = [content for name, content in package.files.items() if name.endswith(ENDING)]
        if package.descriptor.level is not Level.SCRIPT or len(found) != 1:
            raise DescriptorError(
                f"{package.descriptor.id} has {len(found)} files that end in {ENDING}; a script is one"
            )
        self._source = found[0].decode()
        self._hash = package.hash
        self._pool = pool
        self._descriptor: Descriptor = package.descriptor
        self._fields = FieldReader(package.descriptor)

    def decode(self, port: int, data: bytes, context: Context) -> Decoded:
        """All that a payload says; raise FrameError, or DriverFaultError where the script broke a limit."""
        (found,) = self.decode_each([(port, data, context)])
        if isinstance(found, DriverError):
            raise found
        return found

    def decode_each(self, frames: Sequence[tuple[int, bytes, Context]]) -> list[Decoded | DriverError]:
        """What each payload says, or its error; asked together they cost a third."""
        calls = [Call("uplink", f"{port} {data.hex()}", _moment(context)) for port, data, context in frames]
        outcomes = self._pool.call(self._hash, self._source, calls)
        return [self._read(port, one) for (port, _, _), one in zip(frames, outcomes, strict=True)]

    def encode(self, data: Any, port: int) -> Downlink:  # Any: JSON
        """The bytes for a meter; raise EncodeError."""
        (found,) = self._pool.call(self._hash, self._source, [Call("encode", _argument(data=data, fPort=port), 0)])
        if isinstance(found, DriverError):
            raise found if not isinstance(found, FrameError) else EncodeError(str(found))
        given = found if isinstance(found, dict) else {}
        if said := _texts(given.get("errors")):
            raise EncodeError("; ".join(said))
        values, to = given.get("bytes"), given.get("fPort", port)
        if not isinstance(values, list) or not all(type(one) is int and 0 <= one <= 255 for one in values):
            raise EncodeError(f"{self._descriptor.id} gave no bytes from 0 to 255")
        if len(values) > MAX_BYTES or type(to) is not int or not 1 <= to <= 223:
            raise EncodeError(
                f"{self._descriptor.id} gave {len(values)} bytes for port {to}: at most {MAX_BYTES}, 1-223"
            )
        return Downlink(to, bytes(values))

    def decode_downlink(self, port: int, data: bytes) -> Any:  # Any: JSON
        """What a downlink means, as the script says it; raise FrameError."""
        argument = _argument(hex=data.hex(), fPort=port)
        (found,) = self._pool.call(self._hash, self._source, [Call("decode", argument, 0)])
        if isinstance(found, DriverError):
            raise found
        return found

    def _read(self, port: int, outcome: Outcome) -> Decoded | DriverError:
        if isinstance(outcome, DriverError):
            return outcome
        if not isinstance(outcome, dict):
            return FrameError(f"{self._descriptor.id} gave {type(outcome).__name__} and no object")
        if said := _texts(outcome.get("errors")):
            return FrameError("; ".join(said)[:500])
        values = outcome.get("data")
        if not isinstance(values, dict):
            return FrameError(f"{self._descriptor.id} gave no data")
        if _count(values) > MAX_VALUES:
            return FrameError(
                f"{self._descriptor.id} gave more than {MAX_VALUES} values, or more than {MAX_DEPTH} levels"
            )
        try:
            decoded = self._fields.read(f"port-{port}", values)
        except DriverError as error:
            return error
        warnings = tuple(Reported("warning", text[:500]) for text in _texts(outcome.get("warnings")))
        if not warnings:
            return decoded
        return Decoded(
            decoded.frame,
            decoded.device_time,
            decoded.readings,
            (*decoded.reported, *warnings),
            decoded.alarms,
            decoded.unmapped,
        )


def script_driver(package: Package, pool: ScriptPool) -> Driver:
    """The driver of a package with one script; raise DescriptorError."""
    script = Script(package, pool)
    return Driver(package.descriptor, _nothing, (), in_context=script.decode, in_batches=script.decode_each)


def _nothing(_port: int, _data: bytes) -> Decoded:
    raise NotImplementedError("a script is asked in its context")


def _moment(context: Context) -> int:
    """Unix milliseconds of the time that a script takes for now: that of receipt, else the beginning of time."""
    at = context.received_at
    return 0 if at is None else int((at - EPOCH).total_seconds() * 1000)


def _argument(**values: Any) -> str:  # Any: JSON
    return json.dumps(values)


def _texts(value: Any) -> list[str]:  # Any: JSON
    given = value if isinstance(value, list) else [] if value is None else [value]
    return [one if isinstance(one, str) else str(one) for one in given][:16]


def _count(value: Any, depth: int = 0) -> int:  # Any: JSON
    """How many values there are; more than allowed where they lie too deep."""
    if depth > MAX_DEPTH:
        return MAX_VALUES + 1
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 1 if inside is None else sum(_count(one, depth + 1) for one in inside)
