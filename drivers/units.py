"""Units of measure by their UCUM code, with names of the trade and ОКЕИ codes beside.

A small own table: what meters and the parameter catalog use. Factors are exact fractions of the coherent SI unit, so a
conversion is exact wherever its result has a finite decimal form. Source: UCUM 2.1; ОКЕИ (ОК 015-94).

The trap: Гкал of the heat trade is the International Table calorie, `Gcal_IT` (4.1868 J a calorie). UCUM `Gcal` is the
thermochemical one (4.184 J), 0.07 % less. Both are here so that neither is taken for the other.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

from drivers.errors import UnitError

MAX_MAGNITUDE = 30  # powers of ten; a larger exponent would only make a sum slow
PLACES = Context(prec=50, rounding=ROUND_HALF_EVEN)
EXACT = Context(prec=1000)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: SI value = value * factor + offset, in the unit of its dimension."""

    code: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    name_ru: str = ""
    okei: str = ""


def get_unit(code: str) -> Unit:
    """The unit of a UCUM code, case-sensitive; raise UnitError if it is not in the table."""
    try:
        return UNITS[code]
    except KeyError:
        raise UnitError(f"{code!r} is no UCUM code of the table") from None


def find_unit_by_okei(okei: str) -> Unit | None:
    """The unit with this ОКЕИ code, as `233` for Гкал, or None."""
    return _BY_OKEI.get(okei)


def find_unit_by_name(name: str) -> Unit | None:
    """The unit with this name of the trade, as `Гкал`, or None; case and spaces at the ends do not matter."""
    return _BY_NAME.get(name.strip().casefold())


def find_unit_by_symbol(symbol: str) -> Unit | None:
    """The unit that makers write so, as `°C` or `m⋅s⁻¹`, or None; a UCUM code is its own symbol."""
    text = symbol.strip()
    return UNITS.get(_SYMBOLS.get(text, text))


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """Express a value of unit `source` in unit `target`.

    Exact where the result has a finite decimal form; else rounded half to even at 50 significant digits.
    Raise UnitError for an unknown unit, two dimensions, or a value that is no number.
    """
    if not value.is_finite() or abs(value.adjusted()) > MAX_MAGNITUDE:
        raise UnitError(f"{value} is no number a meter can show")
    return find_conversion(source, target).apply(value)


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another: (value * factor + offset) / divisor, all of them whole; None where nothing changes."""

    steps: tuple[Decimal, Decimal, Decimal] | None

    def apply(self, value: Decimal) -> Decimal:
        """Exact where the result has a finite decimal form; else rounded half to even at 50 significant digits."""
        if self.steps is None:
            return value
        factor, offset, divisor = self.steps
        result = PLACES.divide(EXACT.add(EXACT.multiply(value, factor), offset), divisor).normalize(PLACES)
        return Decimal(int(result)) if result == int(result) else result


@lru_cache(maxsize=1024)
def find_conversion(source: str, target: str) -> Conversion:
    """How values of one unit are told in another; raise UnitError for an unknown unit or two dimensions."""
    old, new = get_unit(source), get_unit(target)
    if old == new:
        return Conversion(None)
    if old.dimension != new.dimension:
        raise UnitError(f"{source} measures {old.dimension}, {target} measures {new.dimension}")
    factor, offset = old.factor / new.factor, (old.offset - new.offset) / new.factor
    divisor = lcm(factor.denominator, offset.denominator)
    return Conversion((Decimal(int(factor * divisor)), Decimal(int(offset * divisor)), Decimal(divisor)))


def _unit(code: str, dimension: str, factor: str, name_ru: str = "", okei: str = "", *, offset: str = "0") -> Unit:
    return Unit(code, dimension, Fraction(factor), Fraction(offset), name_ru, okei)


_TABLE = (
    _unit("1", "number", "1", "ед.", "642"),
    _unit("%", "number", "1/100", "%", "744"),
    _unit("m3", "volume", "1", "м³", "113"),
    _unit("L", "volume", "1/1000", "л", "112"),
    _unit("[cft_i]", "volume", "28316846592/1000000000000"),
    _unit("[gal_us]", "volume", "3785411784/1000000000000"),
    _unit("m3/h", "volume flow", "1/3600", "м³/ч", "598"),
    _unit("L/h", "volume flow", "1/3600000", "л/ч"),
    _unit("[gal_us]/min", "volume flow", "3785411784/60000000000000"),
    _unit("[gal_us]/h", "volume flow", "3785411784/3600000000000000"),
    _unit("kg", "mass", "1", "кг", "166"),
    _unit("t", "mass", "1000", "т", "168"),
    _unit("kg/h", "mass flow", "1/3600", "кг/ч"),
    _unit("J", "energy", "1", "Дж", "271"),
    _unit("MJ", "energy", "1000000", "МДж"),
    _unit("GJ", "energy", "1000000000", "ГДж"),
    _unit("W.h", "energy", "3600", "Вт·ч", "243"),
    _unit("kW.h", "energy", "3600000", "кВт·ч", "245"),
    _unit("MW.h", "energy", "3600000000", "МВт·ч", "246"),
    _unit("Gcal_IT", "energy", "4186800000", "Гкал", "233"),
    _unit("Gcal", "energy", "4184000000"),
    _unit("W", "power", "1", "Вт", "212"),
    _unit("kW", "power", "1000", "кВт", "214"),
    _unit("MW", "power", "1000000", "МВт", "215"),
    _unit("J/h", "power", "1/3600"),
    _unit("GJ/h", "power", "1000000000/3600", "ГДж/ч"),
    _unit("Gcal_IT/h", "power", "1163000", "Гкал/ч", "238"),
    _unit("K", "temperature", "1", "К", "288"),
    _unit("Cel", "temperature", "1", "°C", "280", offset="273.15"),
    _unit("[degF]", "temperature", "5/9", offset="45967/180"),
    _unit("Pa", "pressure", "1", "Па", "294"),
    _unit("kPa", "pressure", "1000", "кПа"),
    _unit("MPa", "pressure", "1000000", "МПа"),
    _unit("bar", "pressure", "100000", "бар"),
    _unit("s", "time", "1", "с", "354"),
    _unit("min", "time", "60", "мин", "355"),
    _unit("h", "time", "3600", "ч", "356"),
    _unit("d", "time", "86400", "сут", "359"),
    _unit("mo", "calendar time", "1", "мес"),
    _unit("a", "calendar time", "12", "год"),
    _unit("deg", "angle", "1", "°"),
    _unit("{hca}", "heat cost allocation", "1"),
    _unit("V", "voltage", "1", "В", "222"),
    _unit("mV", "voltage", "1/1000", "мВ"),
    _unit("A", "current", "1", "А", "260"),
    _unit("kV.A", "apparent power", "1000", "кВ·А", "227"),
    _unit("kV.A.h", "apparent energy", "3600000", "кВ·А·ч"),
    # UCUM has no var: the annotation keeps reactive power apart from apparent power.
    _unit("kV.A{reactive}", "reactive power", "1000", "квар"),
    _unit("kV.A{reactive}.h", "reactive energy", "3600000", "квар·ч"),
    _unit("mm", "length", "1/1000", "мм", "003"),
    _unit("m", "length", "1", "м", "006"),
    _unit("Hz", "frequency", "1", "Гц", "290"),
    _unit("mA", "current", "1/1000", "мА"),
    _unit("uV", "voltage", "1/1000000", "мкВ"),
    _unit("A.h", "charge", "3600", "А·ч"),
    _unit("Ohm", "resistance", "1", "Ом", "274"),
    _unit("uS/cm", "conductivity", "1/10000", "мкСм/см"),
    _unit("hPa", "pressure", "100", "гПа"),
    _unit("lx", "illuminance", "1", "лк"),
    _unit("W/m2", "irradiance", "1", "Вт/м²"),
    _unit("[ppm]", "number", "1/1000000", "млн⁻¹"),
    _unit("[ppb]", "number", "1/1000000000", "млрд⁻¹"),
    _unit("ug/m3", "mass concentration", "1/1000000000", "мкг/м³"),
    _unit("mg/m3", "mass concentration", "1/1000000", "мг/м³"),
    _unit("mg/L", "mass concentration", "1/1000", "мг/л"),
    _unit("m/s", "speed", "1", "м/с", "328"),
    _unit("km/h", "speed", "5/18", "км/ч", "333"),
    _unit("cm", "length", "1/100", "см", "004"),
    _unit("km", "length", "1000", "км", "008"),
    _unit("ms", "time", "1/1000", "мс"),
    _unit("{dBm}", "power level", "1", "дБм"),
    _unit("{dB}", "level", "1", "дБ"),
)
# How documents of makers write units that UCUM writes otherwise.
_SYMBOLS = {
    "": "1",
    **dict.fromkeys(("°C", "degC", "C", "℃"), "Cel"),
    **dict.fromkeys(("°F", "degF"), "[degF]"),
    **dict.fromkeys(("%RH", "%rh", "percent"), "%"),
    **dict.fromkeys(("°", "degrees"), "deg"),
    **dict.fromkeys(("m³", "m^3"), "m3"),
    **dict.fromkeys(("m³/h", "m³⋅h⁻¹", "m^3/h"), "m3/h"),
    **dict.fromkeys(("l", "liter", "litre"), "L"),
    **dict.fromkeys(("l/h", "l⋅h⁻¹", "L⋅h⁻¹"), "L/h"),
    **dict.fromkeys(("kWh", "kW·h"), "kW.h"),
    **dict.fromkeys(("Wh", "W·h"), "W.h"),
    **dict.fromkeys(("MWh", "MW·h"), "MW.h"),
    **dict.fromkeys(("Ah", "A·h"), "A.h"),
    **dict.fromkeys(("lux",), "lx"),
    **dict.fromkeys(("ppm",), "[ppm]"),
    **dict.fromkeys(("ppb",), "[ppb]"),
    **dict.fromkeys(("µg/m³", "ug/m³", "μg/m³", "µg⋅m⁻³"), "ug/m3"),
    **dict.fromkeys(("mg/m³", "mg⋅m⁻³"), "mg/m3"),
    **dict.fromkeys(("mg/l", "mg⋅L⁻¹"), "mg/L"),
    **dict.fromkeys(("m⋅s⁻¹",), "m/s"),
    **dict.fromkeys(("W/m²", "W⋅m⁻²"), "W/m2"),
    **dict.fromkeys(("m³/m³", "m³⋅m⁻³"), "1"),
    **dict.fromkeys(("µS/cm", "µS⋅cm⁻¹", "μS/cm"), "uS/cm"),
    **dict.fromkeys(("µV", "μV"), "uV"),
    **dict.fromkeys(("Ω", "ohm"), "Ohm"),
    **dict.fromkeys(("dBm",), "{dBm}"),
    **dict.fromkeys(("dB",), "{dB}"),
    **dict.fromkeys(("sec", "seconds"), "s"),
    **dict.fromkeys(("minutes",), "min"),
    **dict.fromkeys(("hours",), "h"),
    **dict.fromkeys(("days",), "d"),
}
UNITS = {unit.code: unit for unit in _TABLE}
_BY_OKEI = {unit.okei: unit for unit in _TABLE if unit.okei}
_BY_NAME = {unit.name_ru.casefold(): unit for unit in _TABLE if unit.name_ru}
