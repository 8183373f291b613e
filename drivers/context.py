"""What a passport knows that a driver may need to read a frame: the meter, its keys, formats that were heard before.

A meter on the radio is named by maker and identification number, as `ABB-33221100`: that is what stands on its plate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from drivers.keys import Key


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame of the same session that was heard before, by its frame counter and time."""

    port: int
    data: bytes
    counter: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Context:
    """Parameters of one decoding; the empty one knows nothing.

    `meter` is whose frame it has to be, None for any; `keys` are by meter, and `key` is for those without one there;
    `formats` are the record headers of full frames by their signature; `zone` is what the meter's clock is set to, for
    M-Bus does not tell it. `received_at` is when the frame was heard and `counter` its frame counter, None where
    that is not known; `earlier` are the frames of its session before it, oldest first, for drivers that join parts.
    """

    meter: str | None = None
    key: Key | None = None
    keys: Mapping[str, Key] = field(default_factory=dict)
    formats: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    zone: tzinfo = UTC
    received_at: datetime | None = None
    counter: int | None = None
    earlier: tuple[Heard, ...] = ()

    def find_key(self, meter: str) -> Key | None:
        """The key of a meter, or None."""
        return self.keys.get(meter, self.key)


NOTHING = Context()
