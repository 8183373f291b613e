"""The settings packet of the Vega family, port 3, both ways: `00 | id u16 | len u8 | value …`; a request is `01`.

Only ids with a published meaning have a name; everything else stays as bytes. Source: the maker's public payload
parsers, restated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drivers.errors import EncodeError, FrameError
from drivers.reading import Decoded, Reported, Unmapped
from drivers.vega.frame import preview

PORT = 3
FRAME = "settings"
VALUES, REQUEST = 0, 1
NAMES = {
    3: "activation",
    4: "confirmed",
    5: "adr",
    8: "uplink_count",
    12: "input_1_mode",
    13: "input_2_mode",
    14: "input_3_mode",
    15: "input_4_mode",
    16: "communication_period",
    49: "collection_period",
    55: "time_zone_min",
}
PERIOD_MIN = {1: 60, 2: 360, 3: 720, 4: 1440, 5: 5, 6: 15, 7: 30}
_PERIODS = frozenset({"communication_period", "collection_period"})
_TIME_ZONE = 55
_MAX_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is on the wire: id and value, little-endian."""

    id: int
    raw: bytes

    @property
    def name(self) -> str | None:
        """The name of a published id, else None."""
        return NAMES.get(self.id)

    @property
    def number(self) -> int:
        """The value as a number; only the time zone has a sign."""
        return int.from_bytes(self.raw, "little", signed=self.id == _TIME_ZONE)


def parse_settings(data: bytes) -> tuple[Setting, ...]:
    """Read a packet of settings in its order; raise FrameError naming the byte where it breaks."""
    if not data or data[0] != VALUES:
        raise FrameError(f"a settings packet begins with 00, got {preview(data)}")
    settings = tuple(_settings(data))
    if not settings:
        raise FrameError("a settings packet without a setting")
    return settings


def decode_settings(data: bytes) -> Decoded:
    """Read a packet of settings: known ones are reported by name, others listed as bytes; raise FrameError."""
    reported: list[Reported] = []
    unmapped: list[Unmapped] = []
    for setting in parse_settings(data):
        if setting.name is None or not 0 < len(setting.raw) <= _MAX_NUMBER:
            unmapped.append(Unmapped(f"setting_{setting.id}", setting.raw))
        else:
            reported += _reported(setting.name, setting.number)
    return Decoded(FRAME, reported=tuple(reported), unmapped=tuple(unmapped))


def encode_settings(settings: Iterable[Setting]) -> bytes:
    """The packet that carries these settings; raise EncodeError for what does not fit or for none at all."""
    packet = bytes([VALUES])
    for setting in settings:
        if not 0 <= setting.id < 1 << 16 or len(setting.raw) > 255:
            raise EncodeError(f"setting {setting.id} with {len(setting.raw)} bytes does not fit a settings packet")
        packet += setting.id.to_bytes(2, "little") + bytes([len(setting.raw)]) + setting.raw
    if len(packet) == 1:
        raise EncodeError("a settings packet without a setting")
    return packet


def encode_settings_request() -> bytes:
    """The downlink on port 3 that asks a meter for its settings."""
    return bytes([REQUEST])


def _settings(data: bytes) -> Iterator[Setting]:
    at = 1
    while at < len(data):
        if len(data) - at < 3:
            raise FrameError(f"a setting's head is 3 bytes, {len(data) - at} are left at byte {at} of {preview(data)}")
        number, size = int.from_bytes(data[at : at + 2], "little"), data[at + 2]
        raw = data[at + 3 : at + 3 + size]
        if len(raw) != size:
            raise FrameError(f"setting {number} at byte {at} says {size} bytes, {len(raw)} are left")
        yield Setting(number, raw)
        at += 3 + size


def _reported(name: str, number: int) -> list[Reported]:
    plain = [Reported(name, number)]
    if name in _PERIODS and number in PERIOD_MIN:
        plain.append(Reported(f"{name}_min", PERIOD_MIN[number]))
    return plain
