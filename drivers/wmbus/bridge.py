"""Telegrams that a Lobaro wM-Bus bridge sends over LoRaWAN, joined from their uplinks.

Port 1 is the bridge's own status. Ports 11-99 (payload format 0): the tens are the number of the part, the ones how
many there are, the parts joined are the telegram. Ports 101 and 102 (formats 1 and 2): the first byte of each uplink
has bit 0 set in the first part and bit 1 in the last; the parts joined are the time of reception in five bytes of Unix
seconds, most significant first, on port 102 the negated RSSI in one byte, and the telegram. Parts have successive frame
counters.
A telegram is of another meter than the bridge, and is read with that meter's passport.
Source: Lobaro's public documentation, "LoRaWAN Communication" of app-nrf9160-wmbus and the manual of the bridge V2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from drivers.errors import FrameError

STATUS_PORT, TIMED_PORT, RSSI_PORT = 1, 101, 102
MAX_PARTS = 64
MAX_TELEGRAM = 300  # a telegram of 256 bytes in format A, with what formats 1 and 2 put before it
KEPT_FOR = timedelta(hours=2)  # the duty cycle spreads the parts of a telegram over minutes
_FIRST, _LAST = 1, 2
_NO_SENSOR = b"\xff\xff"


@dataclass(frozen=True, slots=True)
class TelegramJoined:
    """A whole telegram; when and how strongly the bridge heard it, where it says so."""

    telegram: bytes
    heard_at: datetime | None = None
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class PartsDropped:
    """Parts of a telegram that will not be whole any more, and why."""

    first_counter: int
    parts: int
    reason: str


@dataclass(frozen=True, slots=True)
class BridgeReported:
    """What a bridge says of itself; it has no temperature where it has no sensor."""

    firmware: str
    battery_v: Decimal
    temperature_c: Decimal | None


Event = TelegramJoined | PartsDropped | BridgeReported


@dataclass(frozen=True, slots=True)
class _Part:
    """One uplink of a telegram."""

    body: bytes
    is_first: bool
    is_last: bool
    number: int | None = None
    total: int | None = None


class BridgeSession:
    """The uplinks of one bridge. Performs no I/O; at most one telegram is in the making, as the bridge sends them."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._port_kind = 0
        self._first_counter = 0
        self._next_counter = 0
        self._since: datetime | None = None

    def receive_uplink(self, port: int, data: bytes, counter: int, now: datetime) -> list[Event]:
        """Take an uplink in the order of frame counters; raise FrameError for what is none of a bridge's."""
        events = self.expire(now)
        if port == STATUS_PORT:
            return [*events, decode_status(data)]
        part, kind = _decode_part(port, data), port if port > 99 else 0
        if self._parts and counter == self._next_counter - 1:
            return events  # the network gave the same uplink twice
        return [*events, *self._take(part, kind, counter, now)]

    def expire(self, now: datetime) -> list[Event]:
        """Give up what waits too long; call it with the time, also while nothing comes."""
        if self._since is not None and now - self._since > KEPT_FOR:
            return [self._drop(f"no part for {KEPT_FOR}")]
        return []

    def _take(self, part: _Part, kind: int, counter: int, now: datetime) -> Iterator[Event]:
        if self._parts and (reason := self._mismatch(part, kind, counter)):
            yield self._drop(reason)
        if not self._parts and not part.is_first:
            yield PartsDropped(counter, 1, "the first part is missing")
            return
        if not self._parts:
            self._first_counter, self._port_kind = counter, kind
        self._parts.append(part)
        self._next_counter, self._since = counter + 1, now
        if len(self._parts) > MAX_PARTS or sum(len(one.body) for one in self._parts) > MAX_TELEGRAM:
            yield self._drop(f"more than {MAX_TELEGRAM} bytes or {MAX_PARTS} parts")
        elif part.is_last:
            yield self._join()

    def _mismatch(self, part: _Part, kind: int, counter: int) -> str:
        """Why a part does not continue what is in the making, or nothing."""
        last = self._parts[-1]
        if part.is_first:
            return "another telegram began"
        if counter != self._next_counter:
            return f"frame counter {counter} came after {self._next_counter - 1}"
        if kind != self._port_kind or part.total != last.total:
            return "a part of another telegram came"
        if part.number is not None and last.number is not None and part.number != last.number + 1:
            return f"part {part.number} came after part {last.number}"
        return ""

    def _join(self) -> Event:
        body, first, count = b"".join(part.body for part in self._parts), self._first_counter, len(self._parts)
        kind = self._port_kind
        self._clear()
        if not kind:
            return TelegramJoined(body)
        size = 6 if kind == RSSI_PORT else 5
        if len(body) <= size:
            return PartsDropped(first, count, f"no telegram behind the {size} bytes of time and RSSI")
        try:
            heard_at = datetime.fromtimestamp(int.from_bytes(body[:5], "big"), UTC)
        except (ValueError, OverflowError, OSError):
            heard_at = None
        return TelegramJoined(body[size:], heard_at, -body[5] if kind == RSSI_PORT else None)

    def _drop(self, reason: str) -> PartsDropped:
        dropped = PartsDropped(self._first_counter, len(self._parts), reason)
        self._clear()
        return dropped

    def _clear(self) -> None:
        self._parts = []
        self._since = None


def decode_status(data: bytes) -> BridgeReported:
    """Read a status uplink: version, mV and tenths of °C, least byte first; an eighth byte is the bridge's own."""
    if len(data) not in (7, 8):
        raise FrameError(f"a bridge's status is 7 or 8 bytes, got {len(data)}")
    temperature = None
    if data[5:7] != _NO_SENSOR:
        temperature = Decimal(int.from_bytes(data[5:7], "little", signed=True)).scaleb(-1)
    battery = Decimal(int.from_bytes(data[3:5], "little")).scaleb(-3)
    return BridgeReported(".".join(str(byte) for byte in data[:3]), battery, temperature)


def _decode_part(port: int, data: bytes) -> _Part:
    if port in (TIMED_PORT, RSSI_PORT):
        if not data or data[0] > _FIRST | _LAST:
            raise FrameError(f"byte 0 of an uplink on port {port} is 0-3, got {data[:1].hex() or 'nothing'}")
        return _Part(data[1:], bool(data[0] & _FIRST), bool(data[0] & _LAST))
    number, total = divmod(port, 10)
    if not 1 <= number <= total <= 9:
        raise FrameError(f"port {port} names no part of a telegram")
    return _Part(data, number == 1, number == total, number, total)
