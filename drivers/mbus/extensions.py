"""What combinable VIFEs do to the meaning of a VIF: EN 13757-3, the orthogonal table, its extension behind FC, errors.

Each is one `Effect`. Words stand among a record's modifiers as lower_snake; errors of the record begin with `error_`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from drivers.mbus.meanings import Shape

MAKER, EXTENDED = 0x7F, 0x7C
ERROR, MAKER_WORD = "error_", "maker_"


@dataclass(frozen=True, slots=True)
class Effect:
    """One VIFE: a word for it, and what becomes of value and unit.

    The value is multiplied by 10^exponent, `offset` is added in the VIF's unit without its power of ten, `factor` joins
    the unit. `unit` is one in place of the VIF's, with the number as it is.
    """

    word: str = ""
    exponent: int = 0
    offset: Decimal = Decimal(0)
    factor: str = ""
    unit: str | None = None
    shape: Shape | None = None


_Row = tuple[int, Effect]
_NO_UNIT = ""
_PERIODS = ("s", "min", "h", "d")
_ENDS, _PLACES, _LIMITS = ("begin", "end"), ("first", "last"), ("lower_limit_exceed", "upper_limit_exceed")


def _words(*rows: tuple[int, str]) -> Iterator[_Row]:
    for code, word in rows:
        yield code, Effect(word)


def _factors(*rows: tuple[int, str]) -> Iterator[_Row]:
    for code, factor in rows:
        yield code, Effect(factor=factor)


def _moments(first: int, what: str) -> Iterator[_Row]:
    """When the first or the last of something began or ended."""
    for place, name in enumerate(_PLACES):
        for end, word in enumerate(_ENDS):
            yield first | place << 2 | end, Effect(f"{word}_of_{name}{what}", unit=_NO_UNIT, shape=Shape.TIME)


def _durations(first: int, what: str) -> Iterator[_Row]:
    for place, name in enumerate(_PLACES):
        for code, unit in enumerate(_PERIODS):
            yield first | place << 2 | code, Effect(f"duration_of_{name}{what}", unit=unit, shape=Shape.NUMBER)


def _exceeds() -> Iterator[_Row]:
    for place, limit in enumerate(_LIMITS):
        base = place << 3
        yield 0x40 | base, Effect(limit.removesuffix("_exceed"))
        yield 0x41 | base, Effect(f"number_of_{limit}s", unit=_NO_UNIT, shape=Shape.BITS)
        yield from _moments(0x42 | base, f"_{limit}")
        yield from _durations(0x50 | base, f"_{limit}")
        yield 0x68 | place << 2, Effect(f"during_{limit}")


def _errors(*rows: tuple[int, str]) -> Iterator[_Row]:
    for code, word in rows:
        yield code, Effect(ERROR + word)


EFFECTS: dict[int, Effect] = dict(
    (
        *_errors(
            (0x01, "too_many_difes"),
            (0x02, "storage_number_not_implemented"),
            (0x03, "unit_number_not_implemented"),
            (0x04, "tariff_number_not_implemented"),
            (0x05, "function_not_implemented"),
            (0x06, "data_class_not_implemented"),
            (0x07, "data_size_not_implemented"),
            (0x0B, "too_many_vifes"),
            (0x0C, "illegal_vif_group"),
            (0x0D, "illegal_vif_exponent"),
            (0x0E, "vif_dif_mismatch"),
            (0x0F, "unimplemented_action"),
            (0x15, "no_data_available"),
            (0x16, "data_overflow"),
            (0x17, "data_underflow"),
            (0x18, "data_error"),
            (0x1C, "premature_end_of_record"),
        ),
        *_words(
            (0x12, "average"),
            (0x13, "inverse_compact_profile"),
            (0x14, "relative_deviation"),
            (0x1D, "standard_content"),
            (0x1E, "compact_profile_with_registers"),
            (0x1F, "compact_profile"),
            (0x27, "per_measurement"),
            (0x28, "per_input_pulse_0"),
            (0x29, "per_input_pulse_1"),
            (0x2A, "per_output_pulse_0"),
            (0x2B, "per_output_pulse_1"),
            (0x3A, "uncorrected"),
            (0x3B, "forward"),
            (0x3C, "backward"),
            (0x3D, "alternate_unit"),
            (0x3E, "base_conditions"),
            (0x3F, "obis_declaration"),
            (0x69, "leakage"),
            (0x6D, "overflow"),
            (0x7E, "future"),
        ),
        *_factors(
            *((0x20 + place, f"/{unit}") for place, unit in enumerate((*_PERIODS, "wk", "mo", "a"))),
            *((0x2C + place, f"/{unit}") for place, unit in enumerate(("L", "m3", "kg", "K", "kW.h", "GJ", "kW"))),
            (0x33, "/(K.L)"),
            (0x34, "/V"),
            (0x35, "/A"),
            (0x36, ".s"),
            (0x37, ".s/V"),
            (0x38, ".s/A"),
        ),
        (0x39, Effect("start", unit=_NO_UNIT, shape=Shape.TIME)),
        *_exceeds(),
        *_durations(0x60, ""),
        *_moments(0x6A, ""),
        *((0x70 + place, Effect(exponent=place - 6)) for place in range(8)),
        *((0x78 + place, Effect(offset=Decimal(1).scaleb(place - 3))) for place in range(4)),
        (0x7D, Effect(exponent=3)),
    )
)

EXTENDED_EFFECTS: dict[int, Effect] = dict(  # behind FC
    (
        *_words(
            (0x01, "l1"),
            (0x02, "l2"),
            (0x03, "l3"),
            (0x04, "n"),
            (0x05, "l1_l2"),
            (0x06, "l2_l3"),
            (0x07, "l3_l1"),
            (0x08, "quadrant_1"),
            (0x09, "quadrant_2"),
            (0x0A, "quadrant_3"),
            (0x0B, "quadrant_4"),
            (0x0C, "import_minus_export"),
            (0x0D, "alternate_unit"),
            (0x0E, "secondary_sensor"),
            (0x0F, "higher_resolution"),
            (0x10, "absolute"),
            (0x14, "to_meter"),
            (0x15, "from_meter"),
        ),
        (0x11, Effect(shape=Shape.BITS)),
        (0x12, Effect(shape=Shape.BITS)),
        (0x13, Effect("end", unit=_NO_UNIT, shape=Shape.TIME)),
    )
)


def find_effects(codes: bytes) -> Iterator[Effect]:
    """What the VIFEs do, in their order; those behind a maker's mark are one word of his."""
    at = 0
    while at < len(codes):
        code = codes[at] & 0x7F
        at += 1
        if code == MAKER:
            yield Effect(MAKER_WORD + codes[at:].hex())
            return
        if code == EXTENDED and at < len(codes):
            code = codes[at] & 0x7F
            at += 1
            yield EXTENDED_EFFECTS.get(code) or Effect(f"vife_fc{code:02x}")
        else:
            yield EFFECTS.get(code) or Effect(f"vife_{code:02x}")
