"""What makers put behind VIF and VIFE FF, where they publish it; all else keeps its code.

Schneider Electric (SEC), electricity meters iEM3135, iEM3235, iEM3335. Source: the maker's user manual DOCA0005EN,
«Manufacturer-specific VIFE codes», restated. Codes for which it names no unit are left out.
"""

from dataclasses import replace

from drivers.mbus.extensions import MAKER_WORD
from drivers.mbus.headers import MANUFACTURER
from drivers.mbus.records import Record

_ELECTRICITY = "electricity"
# What stands behind VIF FF: quantity and unit.
_SEC_QUANTITIES = {
    "0a": ("power_factor", ""),
    "0b": ("frequency", "Hz"),
    "0f": ("input_metering_accumulation", ""),
    "10": ("active_tariff", ""),
    "11": ("tariff_control_mode", ""),
    "21": ("number_of_phases", ""),
    "22": ("number_of_wires", ""),
    "23": ("power_system_configuration", ""),
    "24": ("nominal_frequency", "Hz"),
    "25": ("number_of_voltage_transformers", ""),
    "26": ("voltage_transformer_primary", "V"),
    "27": ("voltage_transformer_secondary", "V"),
    "28": ("number_of_current_transformers", ""),
    "29": ("current_transformer_primary", "A"),
    "2a": ("current_transformer_secondary", "A"),
    "2b": ("voltage_transformer_connection", ""),
}
# What stands behind VIFE FF.
_SEC_WORDS = {
    "00": "average",
    "01": "l1",
    "02": "l2",
    "03": "l3",
    "04": "average_to_neutral",
    "05": "l1_l2",
    "06": "l2_l3",
    "07": "l3_l1",
    "08": "average_between_phases",
    "09": "export",
    "0c": "energy_reset",
    "0d": "partial",
    "0e": "input_metering_reset",
    "39": "last_alarm",
}
_PUBLISHED: dict[tuple[str | None, str | None], tuple[dict[str, tuple[str, str]], dict[str, str]]] = {
    ("SEC", _ELECTRICITY): (_SEC_QUANTITIES, _SEC_WORDS)
}


def read_makers(manufacturer: str | None, medium: str | None, records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The records with the maker's own codes named, where their meaning is published."""
    published = _PUBLISHED.get((manufacturer, medium))
    return records if published is None else tuple(_read(record, *published) for record in records)


def _read(record: Record, quantities: dict[str, tuple[str, str]], words: dict[str, str]) -> Record:
    if record.quantity == MANUFACTURER and record.modifiers and record.modifiers[0] in quantities:
        quantity, unit = quantities[record.modifiers[0]]
        return replace(record, quantity=quantity, unit=unit, modifiers=record.modifiers[1:])
    return replace(record, modifiers=tuple(_named(word, words) for word in record.modifiers))


def _named(word: str, words: dict[str, str]) -> str:
    return words.get(word.removeprefix(MAKER_WORD), word) if word.startswith(MAKER_WORD) else word
