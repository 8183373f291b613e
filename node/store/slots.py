"""Sets of places on a shelf, and numbers of the cards on it, as bytes.

A set is few places as 16-bit numbers, or a bit for each place. Numbers are cut into bytes, and each byte into slices,
one bit of each card's byte after another, so that comparing and finding the largest is a few operations over slices.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

CAPACITY: Final = 4096
BITS_SIZE = CAPACITY // 8
FEW = BITS_SIZE // 2 - 1  # more places than that take less room as bits

SLICES = 8

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


def put_slots(bits: bytearray, shelf_at: int, raw: bytes) -> None:
    """Set a shelf's set in the bits of several shelves; `shelf_at` counts shelves."""
    if len(raw) >= BITS_SIZE:
        bits[shelf_at * BITS_SIZE : (shelf_at + 1) * BITS_SIZE] = raw
        return
    base = shelf_at * CAPACITY
    for slot in _few(raw):
        at = base + slot
        bits[at >> 3] |= 1 << (at & 7)


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


def join_figures(shelves: Sequence[bytes | None]) -> list[int]:
    """Slices over several shelves, the lowest bit first."""
    nothing = bytes(BITS_SIZE)
    return [
        int.from_bytes(
            b"".join([raw[n * BITS_SIZE : (n + 1) * BITS_SIZE] if raw else nothing for raw in shelves]), "little"
        )
        for n in range(SLICES)
    ]


def below(slices: Sequence[int], among: int, bound: int) -> int:
    """Of these places those with a number below the bound."""
    found, equal = 0, among
    for n in range(len(slices) - 1, -1, -1):
        if bound >> n & 1:
            found |= equal & ~slices[n]
            equal &= slices[n]
        else:
            equal &= ~slices[n]
    return found


def equal_to(slices: Sequence[int], among: int, number: int) -> int:
    """Of these places those with that number."""
    for n, bits in enumerate(slices):
        among &= bits if number >> n & 1 else ~bits
    return among


def largest(slices: Sequence[int], among: int, count: int) -> tuple[int, int]:
    """The places with the largest numbers: those that are surely among the first `count`, and those that tie.

    The first are fewer than `count`; with the ties they are at least as many, where so many are there.
    """
    sure, tied = 0, among
    for bits in reversed(slices):
        high = tied & bits
        if sure.bit_count() + high.bit_count() >= count:
            tied = high
        else:
            sure |= high
            tied &= ~bits
    return sure, tied


def _few(raw: bytes) -> "array[int]":
    found = array("H")
    found.frombytes(raw)
    if sys.byteorder == "big":
        found.byteswap()
    return found
