"""Frames of wired meters, made for tests."""

from drivers.mbus.frame import RSP_UD, encode_long

# Meter 12345678 of KAM, version 27, heat, access number 42.
IDENTITY = bytes.fromhex("785634122d2c1b042a")


def answer(*records: str, ci: int = 0x72, status: int = 0, configuration: str = "0000") -> bytes:
    """The frame of a meter that answers with records, each written in hex."""
    header = {0x72: IDENTITY, 0x7A: b"\x2a", 0x78: None}[ci]
    fixed = b"" if header is None else header + bytes([status]) + bytes.fromhex(configuration)
    return encode_long(RSP_UD, 7, bytes([ci]) + fixed + bytes.fromhex("".join(records)))
