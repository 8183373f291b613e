"""Units of measure by their UCUM code, with names of the trade and ОКЕИ codes beside.

A small own table: what meters and the parameter catalog use. Factors are exact fractions of the coherent SI unit, so a
conversion is exact wherever its result has a finite decimal form. Source: UCUM 2.1; ОКЕИ (ОК 015-94).

The trap: Гкал of the heat trade is the International Table calorie, `Gcal_IT` (4.1868 J a calorie). UCUM `Gcal` is the
thermochemical one (4.184 J), 0.07 % less. Both are here so that neither is taken for the other.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from drivers.errors import UnitError

MAX_MAGNITUDE = 30  # powers of ten; a larger exponent would only make a sum slow
PLACES = Context(prec=50, rounding=ROUND_HALF_EVEN)


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


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """Express a value of unit `source` in unit `target`.

    Exact where the result has a finite decimal form; else rounded half to even at 50 significant digits.
    Raise UnitError for an unknown unit, two dimensions, or a value that is no number.
    """
    if not value.is_finite() or abs(value.adjusted()) > MAX_MAGNITUDE:
        raise UnitError(f"{value} is no number a meter can show")
    old, new = get_unit(source), get_unit(target)
    if old == new:
        return value
    if old.dimension != new.dimension:
        raise UnitError(f"{source} measures {old.dimension}, {target} measures {new.dimension}")
    return _decimal((Fraction(value) * old.factor + old.offset - new.offset) / new.factor)


def _decimal(value: Fraction) -> Decimal:
    result = PLACES.normalize(PLACES.divide(Decimal(value.numerator), Decimal(value.denominator)))
    return Decimal(int(result)) if result == int(result) else result


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
    _unit("{dBm}", "power level", "1", "дБм"),
    _unit("{dB}", "level", "1", "дБ"),
)
UNITS = {unit.code: unit for unit in _TABLE}
_BY_OKEI = {unit.okei: unit for unit in _TABLE if unit.okei}
_BY_NAME = {unit.name_ru.casefold(): unit for unit in _TABLE if unit.name_ru}
