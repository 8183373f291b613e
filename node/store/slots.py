"""Sets of places on a shelf, and numbers of the cards on it, as bytes.

A set is few places as 16-bit numbers, or a bit for each place. Numbers are cut into bytes, and each byte into slices,
one bit of each card's byte after another, so that comparing and finding the largest is a few operations over slices.
"""

import re
import sys
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

CAPACITY: Final = 4096
BITS_SIZE = CAPACITY // 8
FEW = BITS_SIZE // 2 - 1  # more places than that take less room as bits

SLICES = 8

SPARSE = 48  # so few bits are read one after another
SET_EACH = 96  # and so few are set so
_ZEROS, _ONE, _ONES = b"0" * CAPACITY, ord("1"), re.compile("1")
_DIGITS = bytes.maketrans(b"01", b"\x00\x01")
_BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]


def decode_slots(raw: bytes) -> set[int]:
    """The places of a set."""
    return set(_few(raw)) if len(raw) < BITS_SIZE else set(iterate_bits(raw))


def encode_slots(slots: Iterable[int]) -> bytes:
    """The bytes of a set."""
    wanted = sorted(slots)
    if len(wanted) > FEW:
        bits = bytearray(BITS_SIZE)
        for slot in wanted:
            bits[slot >> 3] |= 1 << (slot & 7)
        return bytes(bits)
    found = array("H", wanted)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def change_slots(raw: bytes, added: Iterable[int], removed: Iterable[int]) -> tuple[bytes, int]:
    """The set after a change, and its size."""
    if len(raw) < BITS_SIZE:
        slots = set(_few(raw)).difference(removed).union(added)
        return encode_slots(slots), len(slots)
    bits = bytearray(raw)
    for slot in removed:
        bits[slot >> 3] &= ~(1 << (slot & 7))
    for slot in added:
        bits[slot >> 3] |= 1 << (slot & 7)
    size = int.from_bytes(bits, "little").bit_count()
    return (bytes(bits), size) if size > FEW else (encode_slots(iterate_bits(bytes(bits))), size)


def read_bits(raw: bytes) -> int:
    """The places of a set, a bit for each."""
    if len(raw) >= BITS_SIZE:
        return int.from_bytes(raw, "little")
    return _bits_of(_few(raw))


def common_bits(sets: Sequence[bytes]) -> int:
    """The places that stand in all of some sets, a bit for each."""
    short = sorted((raw for raw in sets if len(raw) < BITS_SIZE), key=len)
    if len(short) > 1:
        bits = _bits_of(set(_few(short[0])).intersection(*map(_few, short[1:])))
    else:
        bits = read_bits(short[0]) if short else -1
    for raw in sets:
        if bits and len(raw) >= BITS_SIZE:
            bits &= int.from_bytes(raw, "little")
    return bits


def list_bits(bits: int) -> bytes:
    """0 or 1 for each place of a shelf."""
    return bin(bits | 1 << CAPACITY)[:2:-1].encode().translate(_DIGITS)


def places_of(bits: int) -> list[int]:
    """The places whose bits are set, in order."""
    if bits.bit_count() > SPARSE:
        return [found.start() for found in _ONES.finditer(bin(bits)[:1:-1])]
    places: list[int] = []
    while bits:
        lowest = bits & -bits
        places.append(lowest.bit_length() - 1)
        bits ^= lowest
    return places


def iterate_bits(bits: bytes) -> Iterator[int]:
    """The places that are set."""
    for at, byte in enumerate(bits):
        if byte:
            for bit in _BITS[byte]:
                yield at * 8 + bit


def change_figures(raw: bytes, figures: Iterable[tuple[int, int]]) -> bytes:
    """Slices after the cards at these places have these bytes."""
    slices = bytearray(raw or bytes(SLICES * BITS_SIZE))
    for slot, figure in figures:
        at, bit = slot >> 3, 1 << (slot & 7)
        for n in range(SLICES):
            if figure >> n & 1:
                slices[n * BITS_SIZE + at] |= bit
            else:
                slices[n * BITS_SIZE + at] &= ~bit
    return bytes(slices)


def part_figures(raw: bytes, among: int, bound: int) -> tuple[int, int]:
    """Of these places those with a smaller byte than the bound, and those with that byte."""
    smaller, same = 0, among
    for n in reversed(range(SLICES)):
        if not same:
            break
        high = same & read_slice(raw, n)
        if bound >> n & 1:
            smaller |= same ^ high
            same = high
        else:
            same ^= high
    return smaller, same


def read_slice(raw: bytes, n: int) -> int:
    """One bit of the bytes of all places; none is set where nothing is stored."""
    return int.from_bytes(raw[n * BITS_SIZE : (n + 1) * BITS_SIZE], "little")


def _bits_of(places: Collection[int]) -> int:
    if len(places) <= SET_EACH:
        raw = bytearray(BITS_SIZE)
        for place in places:
            raw[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(raw, "little")
    # A digit for each place, read as one number: half of the time of setting bit after bit.
    digits = bytearray(_ZEROS)
    for place in places:
        digits[place] = _ONE
    digits.reverse()
    return int(digits, 2)


def _few(raw: bytes) -> "array[int]":
    found = array("H")
    found.frombytes(raw)
    if sys.byteorder == "big":
        found.byteswap()
    return found
