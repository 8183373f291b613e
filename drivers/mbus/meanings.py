"""What the value information of a record means: EN 13757-3, 6.4 (primary VIFs), the tables behind FB and FD, VIFEs.

A meaning is a quantity, a UCUM unit and a power of ten: value = raw * 10^exponent. Flows per minute and second are told
per hour, as an exact factor.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """How the data of a record is to be read."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a VIF says: value = raw * 10^exponent * factor, in `unit`, UCUM; "" is a plain number."""

    quantity: str
    unit: str = ""
    exponent: int = 0
    shape: Shape = Shape.NUMBER
    factor: int = 1


_Row = tuple[int, Meaning]
_PERIODS = ("s", "min", "h", "d")


def _tens(first: int, count: int, quantity: str, unit: str, exponent: int, factor: int = 1) -> Iterator[_Row]:
    """Codes in a row whose low bits are a power of ten."""
    for place in range(count):
        yield first + place, Meaning(quantity, unit, exponent + place, factor=factor)


def _spans(first: int, quantity: str, units: tuple[str, ...] = _PERIODS) -> Iterator[_Row]:
    """Codes in a row for spans of time."""
    for place, unit in enumerate(units):
        yield first + place, Meaning(quantity, unit)


def _plain(*rows: tuple[int, str]) -> Iterator[_Row]:
    for code, quantity in rows:
        yield code, Meaning(quantity)


PRIMARY: dict[int, Meaning] = dict(
    (
        *_tens(0x00, 8, "energy", "W.h", -3),
        *_tens(0x08, 8, "energy", "J", 0),
        *_tens(0x10, 8, "volume", "m3", -6),
        *_tens(0x18, 8, "mass", "kg", -3),
        *_spans(0x20, "on_time"),
        *_spans(0x24, "operating_time"),
        *_tens(0x28, 8, "power", "W", -3),
        *_tens(0x30, 8, "power", "J/h", 0),
        *_tens(0x38, 8, "volume_flow", "m3/h", -6),
        *_tens(0x40, 8, "volume_flow", "m3/h", -7, factor=60),
        *_tens(0x48, 8, "volume_flow", "m3/h", -9, factor=3600),
        *_tens(0x50, 8, "mass_flow", "kg/h", -3),
        *_tens(0x58, 4, "flow_temperature", "Cel", -3),
        *_tens(0x5C, 4, "return_temperature", "Cel", -3),
        *_tens(0x60, 4, "temperature_difference", "K", -3),
        *_tens(0x64, 4, "external_temperature", "Cel", -3),
        *_tens(0x68, 4, "pressure", "bar", -3),
        (0x6C, Meaning("date", shape=Shape.DATE)),
        (0x6D, Meaning("datetime", shape=Shape.TIME)),
        (0x6E, Meaning("hca", "{hca}")),
        *_spans(0x70, "averaging_duration"),
        *_spans(0x74, "actuality_duration"),
        *_plain((0x78, "fabrication_number"), (0x79, "enhanced_identification"), (0x7A, "bus_address")),
    )
)

ALTERNATE: dict[int, Meaning] = dict(  # behind FB
    (
        *_tens(0x00, 2, "energy", "MW.h", -1),
        *_tens(0x02, 2, "reactive_energy", "kV.A{reactive}.h", 0),
        *_tens(0x04, 2, "apparent_energy", "kV.A.h", 0),
        *_tens(0x08, 2, "energy", "GJ", -1),
        *_tens(0x0C, 4, "energy", "Gcal_IT", -4),
        *_tens(0x10, 2, "volume", "m3", 2),
        *_tens(0x14, 4, "reactive_power", "kV.A{reactive}", -3),
        *_tens(0x18, 2, "mass", "t", 2),
        *_tens(0x1A, 2, "relative_humidity", "%", -1),
        (0x20, Meaning("volume", "[cft_i]")),
        (0x21, Meaning("volume", "[cft_i]", -1)),
        *_tens(0x28, 2, "power", "MW", -1),
        (0x2A, Meaning("phase_voltage_to_voltage", "deg", -1)),
        (0x2B, Meaning("phase_voltage_to_current", "deg", -1)),
        *_tens(0x2C, 4, "frequency", "Hz", -3),
        *_tens(0x30, 2, "power", "GJ/h", -1),
        *_tens(0x34, 4, "apparent_power", "kV.A", -3),
        *_tens(0x74, 4, "temperature_limit", "Cel", -3),
        *_tens(0x78, 8, "maximum_power_count", "W", -3),
    )
)

SECOND: dict[int, Meaning] = dict(  # behind FD
    (
        *_tens(0x00, 4, "credit", "", -3),
        *_tens(0x04, 4, "debit", "", -3),
        *_plain(
            (0x08, "access_number"),
            (0x09, "device_type"),
            (0x0A, "manufacturer"),
            (0x0B, "parameter_set"),
            (0x0C, "model"),
            (0x0D, "hardware_version"),
            (0x0E, "firmware_version"),
            (0x0F, "software_version"),
            (0x10, "customer_location"),
            (0x11, "customer"),
            (0x12, "access_code_user"),
            (0x13, "access_code_operator"),
            (0x14, "access_code_system_operator"),
            (0x15, "access_code_developer"),
            (0x16, "password"),
            (0x17, "error_flags"),
            (0x18, "error_mask"),
            (0x19, "security_key"),
            (0x1A, "digital_output"),
            (0x1B, "digital_input"),
            (0x1C, "baud_rate"),
            (0x1D, "response_delay"),
            (0x1E, "retries"),
            (0x1F, "remote_control"),
            (0x20, "first_storage"),
            (0x21, "last_storage"),
            (0x22, "storage_block_size"),
            (0x23, "tariff_subunit_descriptor"),
        ),
        *_spans(0x24, "storage_interval", (*_PERIODS, "mo", "a")),
        *_plain((0x2A, "operator_data")),
        (0x2B, Meaning("time_point_second", "s")),
        *_spans(0x2C, "duration_since_readout"),
        (0x30, Meaning("tariff_start", shape=Shape.TIME)),
        *_spans(0x31, "tariff_duration", ("min", "h", "d")),
        *_spans(0x34, "tariff_period", (*_PERIODS, "mo", "a")),
        *_plain((0x3A, "number"), (0x3B, "container")),
        *_spans(0x3C, "transmission_period"),
        *_tens(0x40, 16, "voltage", "V", -9),
        *_tens(0x50, 16, "current", "A", -12),
        *_plain(
            (0x60, "reset_counter"),
            (0x61, "cumulation_counter"),
            (0x62, "control_signal"),
            (0x63, "day_of_week"),
            (0x64, "week_number"),
            (0x65, "day_change"),
            (0x66, "parameter_activation"),
            (0x67, "supplier_information"),
        ),
        *_spans(0x68, "duration_since_cumulation", ("h", "d", "mo", "a")),
        *_spans(0x6C, "battery_operating_time", ("h", "d", "mo", "a")),
        (0x70, Meaning("battery_changed", shape=Shape.TIME)),
        (0x71, Meaning("rf_level", "{dBm}")),
        *_plain((0x72, "daylight_saving"), (0x73, "listening_window")),
        (0x74, Meaning("battery_remaining", "d")),
        *_plain((0x75, "stops"), (0x76, "manufacturer_container")),
    )
)

# Combinable VIFEs, 6.4.7. What they do to value and unit stands in `headers`; here are the words for them.
ERRORS = {
    0x01: "too many DIFEs",
    0x02: "storage number not implemented",
    0x03: "unit number not implemented",
    0x04: "tariff number not implemented",
    0x05: "function not implemented",
    0x06: "data class not implemented",
    0x07: "data size not implemented",
    0x0B: "too many VIFEs",
    0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent",
    0x0E: "VIF and DIF do not match",
    0x0F: "unimplemented action",
    0x15: "no data available",
    0x16: "data overflow",
    0x17: "data underflow",
    0x18: "data error",
    0x1C: "premature end of record",
}
PROFILES = {0x13: "inverse compact profile", 0x1E: "compact profile with registers", 0x1F: "compact profile"}
WORDS = {
    0x12: "average",
    0x14: "relative deviation",
    0x1D: "standard content",
    0x27: "per measurement",
    0x28: "per input pulse 0",
    0x29: "per input pulse 1",
    0x2A: "per output pulse 0",
    0x2B: "per output pulse 1",
    0x3A: "uncorrected",
    0x3B: "forward",
    0x3C: "backward",
    0x3D: "alternate unit",
    0x3E: "base conditions",
    0x3F: "OBIS declaration",
    0x40: "lower limit",
    0x48: "upper limit",
    0x68: "during lower limit exceed",
    0x69: "leakage",
    0x6C: "during upper limit exceed",
    0x6D: "overflow",
    0x7E: "future",
}
COUNTS = {0x41: "lower limit exceeds", 0x49: "upper limit exceeds"}
PER = {
    0x20: "s",
    0x21: "min",
    0x22: "h",
    0x23: "d",
    0x24: "wk",
    0x25: "mo",
    0x26: "a",
    0x2C: "L",
    0x2D: "m3",
    0x2E: "kg",
    0x2F: "K",
    0x30: "kW.h",
    0x31: "GJ",
    0x32: "kW",
    0x33: "K.L",
    0x34: "V",
    0x35: "A",
}
TIMES = {0x36: "s", 0x37: "s/V", 0x38: "s/A"}
_ENDS = ("begin", "end")
_PLACES = ("first", "last")
_LIMITS = ("lower limit exceed", "upper limit exceed")
MOMENTS = {
    0x39: "start",
    **{
        0x42 | limit << 3 | place << 2 | end: f"{_ENDS[end]} of {_PLACES[place]} {_LIMITS[limit]}"
        for limit in (0, 1)
        for place in (0, 1)
        for end in (0, 1)
    },
    **{0x6A | place << 2 | end: f"{_ENDS[end]} of {_PLACES[place]}" for place in (0, 1) for end in (0, 1)},
}
SPANS = {
    **{
        0x50 | limit << 3 | place << 2 | unit: (f"duration of {_PLACES[place]} {_LIMITS[limit]}", _PERIODS[unit])
        for limit in (0, 1)
        for place in (0, 1)
        for unit in range(4)
    },
    **{
        0x60 | place << 2 | unit: (f"duration of {_PLACES[place]}", _PERIODS[unit])
        for place in (0, 1)
        for unit in range(4)
    },
}
EXTENSION = {  # behind FC
    0x01: "L1",
    0x02: "L2",
    0x03: "L3",
    0x04: "N",
    0x05: "L1-L2",
    0x06: "L2-L3",
    0x07: "L3-L1",
    0x08: "quadrant 1",
    0x09: "quadrant 2",
    0x0A: "quadrant 3",
    0x0B: "quadrant 4",
    0x0C: "import minus export",
    0x0F: "absolute",
    0x10: "export",
    0x11: "import",
}
