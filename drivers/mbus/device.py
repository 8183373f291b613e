"""Who a meter is and how it does, in the words that wire and radio share: its address, its medium, its status byte."""

from dataclasses import dataclass
from functools import cache

from drivers.descriptor import StatusBit
from drivers.reading import alarms_of

# EN 13757-7 table 13, as far as meters are concerned.
MEDIA = {
    0x00: "other",
    0x01: "oil",
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat",
    0x05: "steam",
    0x06: "warm water",
    0x07: "water",
    0x08: "heat cost allocation",
    0x09: "compressed air",
    0x0A: "cooling",
    0x0B: "cooling, measured at the inlet",
    0x0C: "heat, measured at the inlet",
    0x0D: "heat and cooling",
    0x0E: "bus or system",
    0x0F: "unknown",
    0x14: "calorific value",
    0x15: "hot water",
    0x16: "cold water",
    0x17: "hot and cold water",
    0x18: "pressure",
    0x19: "analogue to digital",
    0x1A: "smoke",
    0x1B: "room sensor",
    0x1C: "gas detector",
    0x20: "breaker",
    0x21: "valve",
    0x25: "display",
    0x28: "waste water",
    0x29: "garbage",
    0x31: "communication controller",
    0x32: "unidirectional repeater",
    0x33: "bidirectional repeater",
    0x36: "radio converter, system side",
    0x37: "radio converter, meter side",
}

# EN 13757-7, 7.5.6: bits 0-1 are a number, the upper three are the maker's own.
STATUS_BITS = ("power_low", "permanent_error", "temporary_error", "maker_status_5", "maker_status_6", "maker_status_7")
_APPLICATION = {1: "busy", 2: "application_error", 3: "alarm"}
STATES = (
    *(StatusBit(name, alarm=True) for name in _APPLICATION.values()),
    *(StatusBit(name, True) for name in STATUS_BITS),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Who sends, in the eight bytes of the wire: M field, then A field."""

    raw: bytes

    @property
    def manufacturer(self) -> str:
        """The maker's three letters; the highest bit of M says how unique the address is and names nobody."""
        code = int.from_bytes(self.raw[:2], "little")
        return "".join(chr(64 + (code >> shift & 0x1F)) for shift in (10, 5, 0))

    @property
    def id(self) -> str:
        """The identification number as printed: eight digits."""
        return self.raw[5:1:-1].hex().upper()

    @property
    def version(self) -> int:
        """The version of the device's radio protocol."""
        return self.raw[6]

    @property
    def device_type(self) -> int:
        """The medium, EN 13757-7 table 13."""
        return self.raw[7]

    @property
    def name(self) -> str:
        """Maker and number, as `ABB-33221100`."""
        return f"{self.manufacturer}-{self.id}"


@cache
def status_alarms(status: int) -> tuple[str, ...]:
    """The names of what the status byte says is wrong."""
    application = _APPLICATION.get(status & 3)
    bits = alarms_of((name, status & 4 << place) for place, name in enumerate(STATUS_BITS))
    return (application, *bits) if application else bits
