"""The ports that all meters with the Vega radio have in common: 2 data, 3 settings, 4 clock."""

from collections.abc import Callable

from drivers.driver import Decoder
from drivers.reading import Decoded
from drivers.vega import clock, settings

DATA = 2
ALL = (DATA, settings.PORT, clock.PORT)
MODULES = ("drivers.vega.ports", "drivers.vega.clock", "drivers.vega.settings", "drivers.vega.frame")


def decoder(decode_data: Callable[[bytes], Decoded]) -> Decoder:
    """What reads a frame of any of the three ports, the data frames as `decode_data` does; it raises FrameError."""
    by_port = {DATA: decode_data, settings.PORT: settings.decode_settings, clock.PORT: clock.decode_clock_report}

    def decode(port: int, data: bytes) -> Decoded:
        return by_port[port](data)

    return decode
