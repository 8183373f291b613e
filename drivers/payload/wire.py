"""The fixed-width types: how many bytes, what number they are, and which bytes a number is.

Spellings are those of the language, case counts: `u8`-`u64`, `s8`-`s64` and their aliases, `uN[low:high]` for a range
of bits, `f16 f32 f64`, the word-ordered 32-bit types, the minifloats `uflt16 sflt16 sflt24`, and `udec sdec`.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from drivers.errors import EncodeError, FrameError
from drivers.payload.values import EXACT, Number, from_float, round_to_integer

Order = Literal["big", "little"]
_INTEGER = re.compile(r"(?:(le|be)_)?(u|s|i|uint|int)(8|16|24|32|64)(?:\[([0-9]{1,2}):([0-9]{1,2})\])?")
_FLOATS = {"f16": "e", "f32": "f", "f64": "d"}
_WORDS = re.compile(r"([usf])32(le16|be16le)")
# exponent bits, fraction bits, bias, whether there is a sign, whether a leading one is implied
_MINIFLOATS = {
    "uflt16": (4, 12, 15, False, False),
    "sflt16": (4, 11, 15, True, False),
    "sflt24": (7, 16, 63, True, True),
}


@dataclass(frozen=True, slots=True)
class Wire:
    """A type of `size` bytes. `decode` gives None for bytes that are no number; `encode` raises EncodeError."""

    size: int
    decode: Callable[[bytes], Number | None]
    encode: Callable[[Number], bytes]
    advance: int  # how far reading it moves on: a range of bits stays where it is
    unsigned_bits: int = 0  # of a plain unsigned integer, which alone may carry a named encoding
    integral: bool = True


def find_wire(spelling: str, order: Order) -> Wire | None:
    """The type of a spelling, or None if it is no fixed-width type."""
    if match := _INTEGER.fullmatch(spelling):
        prefix, sign, bits, low, high = match.groups()
        if prefix:
            order = "little" if prefix == "le" else "big"
        signed = not sign.startswith("u")
        if low is None:
            return _integer(int(bits) // 8, order, signed=signed)
        if int(low) > int(high) or int(high) >= int(bits):
            return None
        return bit_range(int(bits) // 8, order, int(low), int(high), signed=signed)
    if spelling in _FLOATS:
        return _float(_FLOATS[spelling], order)
    if match := _WORDS.fullmatch(spelling):
        return _word_ordered(match[1], match[2])
    if spelling in _MINIFLOATS:
        return _minifloat(spelling, order)
    if spelling in ("udec", "sdec"):
        return _nibble_decimal(signed=spelling == "sdec")
    return None


def bit_range(size: int, order: Order, low: int, high: int, *, signed: bool = False) -> Wire:
    """Bits `low` to `high`, both inside, of an integer of `size` bytes; bit 0 is the least."""
    width = high - low + 1
    mask = (1 << width) - 1
    sign = 1 << (width - 1) if signed else 0

    def decode(raw: bytes) -> int:
        return (((int.from_bytes(raw, order) >> low) & mask) ^ sign) - sign

    def encode(value: Number) -> bytes:
        number = _within(value, -sign, mask - sign, f"bits {low} to {high}")
        return ((number & mask) << low).to_bytes(size, order)

    return Wire(size, decode, encode, advance=0)


def with_encoding(wire: Wire, encoding: str) -> Wire:
    """The same bytes under a named encoding: sign_magnitude, bcd or gray (PS-422 to PS-425)."""
    bits = wire.unsigned_bits
    decode_code, encode_code = _ENCODINGS[encoding]

    def decode(raw: bytes) -> int:
        return decode_code(int(wire.decode(raw) or 0), bits)

    def encode(value: Number) -> bytes:
        number = round_to_integer(value)
        if number < 0 and encoding != "sign_magnitude":
            raise EncodeError(f"{number} has no {encoding} form")
        return wire.encode(encode_code(number, bits))

    return Wire(wire.size, decode, encode, wire.advance)


def _integer(size: int, order: Order, *, signed: bool) -> Wire:
    low, high = (-(1 << (8 * size - 1)), (1 << (8 * size - 1)) - 1) if signed else (0, (1 << (8 * size)) - 1)
    name = f"{'s' if signed else 'u'}{8 * size}"

    def decode(raw: bytes) -> int:
        return int.from_bytes(raw, order, signed=signed)

    def encode(value: Number) -> bytes:
        return _within(value, low, high, name).to_bytes(size, order, signed=signed)

    return Wire(size, decode, encode, size, unsigned_bits=0 if signed else 8 * size)


def _float(code: str, order: Order) -> Wire:
    layout = struct.Struct(("<" if order == "little" else ">") + code)

    def decode(raw: bytes) -> Number | None:
        return from_float(layout.unpack(raw)[0])

    def encode(value: Number) -> bytes:
        try:
            return layout.pack(float(value))
        except OverflowError as error:
            raise EncodeError(f"{value} is beyond a float of {8 * layout.size} bits") from error

    return Wire(layout.size, decode, encode, layout.size, integral=False)


def _word_ordered(kind: str, order: str) -> Wire:
    """Two 16-bit units: `le16` the low one first, each big-endian; `be16le` the high one first, each little-endian."""
    plain = _float("f", "big") if kind == "f" else _integer(4, "big", signed=kind == "s")
    take = (2, 3, 0, 1) if order == "le16" else (1, 0, 3, 2)  # either order is its own inverse

    def swap(raw: bytes) -> bytes:
        return bytes(raw[index] for index in take)

    return Wire(
        4,
        lambda raw: plain.decode(swap(raw)),
        lambda value: swap(plain.encode(value)),
        4,
        integral=plain.integral,
    )


def _nibble_decimal(*, signed: bool) -> Wire:
    """Whole in the upper nibble, tenths in the lower; a signed whole is two's complement, tenths never negative."""
    low, high = (-8, 7) if signed else (0, 15)

    def decode(raw: bytes) -> Decimal:
        whole = raw[0] >> 4
        if signed and whole > 7:
            whole -= 16
        return Decimal(10 * whole + (raw[0] & 15)).scaleb(-1)

    def encode(value: Number) -> bytes:
        tenths = round_to_integer(EXACT.multiply(value, 10))
        whole, part = divmod(tenths, 10)
        if not low <= whole <= high:
            raise EncodeError(f"{value} is outside {low} to {high}.9")
        return bytes([(whole & 15) << 4 | part])

    return Wire(1, decode, encode, 1, integral=False)


def _minifloat(name: str, order: Order) -> Wire:
    """The MCCI minifloats: sign, exponent and fraction by their own formula, none of them IEEE (PS-417 to PS-421)."""
    exponent_bits, fraction_bits, bias, signed, implied = _MINIFLOATS[name]
    size = (exponent_bits + fraction_bits + signed + 7) // 8
    one = 1 << fraction_bits
    last = (1 << exponent_bits) - 1

    def decode(raw: bytes) -> Number | None:
        word = int.from_bytes(raw, order)
        fraction, exponent = word % one, (word >> fraction_bits) & last
        if implied and exponent == last:
            return None
        value = Fraction(fraction + one * implied, one) * Fraction(2) ** (exponent - bias)
        number = EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
        return -number if signed and word >> (exponent_bits + fraction_bits) and number else number

    def encode(value: Number) -> bytes:
        size_of = abs(Fraction(value))
        for exponent in range(last if implied else last + 1):
            fraction = max(0, round(size_of / Fraction(2) ** (exponent - bias) * one) - one * implied)
            if fraction < one:
                break
        if fraction >= one or (value < 0 and not signed):
            raise EncodeError(f"{value} is outside {name}")
        word = (exponent << fraction_bits) | fraction
        return (word | (value < 0) << (exponent_bits + fraction_bits)).to_bytes(size, order)

    return Wire(size, decode, encode, size, integral=False)


def _within(value: Number, low: int, high: int, what: str) -> int:
    number = round_to_integer(value)
    if not low <= number <= high:
        raise EncodeError(f"{number} does not fit {what}: {low} to {high}")
    return number


def _from_sign_magnitude(raw: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    return -(raw ^ sign) if raw & sign else raw


def _to_sign_magnitude(value: int, bits: int) -> int:
    sign = 1 << (bits - 1)
    if abs(value) >= sign:
        raise EncodeError(f"{value} does not fit {bits} bits as sign and magnitude")
    return -value | sign if value < 0 else value


def _from_bcd(raw: int, bits: int) -> int:
    digits = f"{raw:0{bits // 4}x}"
    if not digits.isdecimal():
        raise FrameError(f"{digits} is no decimal number in nibbles")
    return int(digits)


def _to_bcd(value: int, bits: int) -> int:
    if len(str(value)) > bits // 4:
        raise EncodeError(f"{value} does not fit {bits // 4} decimal digits")
    return int(str(value), 16)


def _from_gray(raw: int, _bits: int) -> int:
    value = 0
    while raw:
        value ^= raw
        raw >>= 1
    return value


def _to_gray(value: int, _bits: int) -> int:
    return value ^ (value >> 1)


_Code = Callable[[int, int], int]
_ENCODINGS: dict[str, tuple[_Code, _Code]] = {
    "sign_magnitude": (_from_sign_magnitude, _to_sign_magnitude),
    "bcd": (_from_bcd, _to_bcd),
    "gray": (_from_gray, _to_gray),
}
