"""What the VIF of a record means: the primary table of EN 13757-3 and the extension tables behind FB and FD.

A meaning is a quantity, a UCUM unit and a power of ten: value = raw * 10^exponent. Flows per minute and second are told
per hour, as an exact factor. Codes that later editions took back, gallons and degrees Fahrenheit, are still sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """How the data of a record is to be read."""

    NUMBER = "number"
    BITS = "bits"  # a number without a sign: types C and D
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
        yield code, Meaning(quantity, shape=Shape.BITS)


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
        (0x6C, Meaning("date", shape=Shape.TIME)),
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
        (0x22, Meaning("volume", "[gal_us]", -1)),
        (0x23, Meaning("volume", "[gal_us]")),
        (0x24, Meaning("volume_flow", "[gal_us]/min", -3)),
        (0x25, Meaning("volume_flow", "[gal_us]/min")),
        (0x26, Meaning("volume_flow", "[gal_us]/h")),
        *_tens(0x28, 2, "power", "MW", -1),
        (0x2A, Meaning("phase_voltage_to_voltage", "deg", -1)),
        (0x2B, Meaning("phase_voltage_to_current", "deg", -1)),
        *_tens(0x2C, 4, "frequency", "Hz", -3),
        *_tens(0x30, 2, "power", "GJ/h", -1),
        *_tens(0x34, 4, "apparent_power", "kV.A", -3),
        *_tens(0x58, 4, "flow_temperature", "[degF]", -3),
        *_tens(0x5C, 4, "return_temperature", "[degF]", -3),
        *_tens(0x64, 4, "external_temperature", "[degF]", -3),
        *_tens(0x70, 4, "temperature_limit", "[degF]", -3),
        *_tens(0x74, 4, "temperature_limit", "Cel", -3),
        *_tens(0x78, 8, "cumulated_maximum_power", "W", -3),
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
        (0x3A, Meaning("number")),
        *_plain((0x3B, "container")),
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
