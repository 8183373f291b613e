"""AppKeys of devices: reading one that a device brings, and telling those that protect nothing.

LoRaWAN 1.0.x derives every session key of a device from its AppKey (1.0.3, 6.2.5): who guesses it reads all and
speaks as the device.
"""

import re
from enum import StrEnum
from itertools import pairwise

from federation.errors import FederationError
from federation.fragment import unpad
from node.passport.bodies import RootKeysBody
from node.passport.errors import BodyError
from node.secret import Secret

SECTION = "root-keys"
KEY_BYTES = 16

_SEPARATORS = re.compile(r"[\s:.-]+")
_HEX = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")
# What stands in manuals and in demonstration firmware: the key of FIPS-197, appendix A.1, and of NIST SP 800-38A.
_PUBLISHED = frozenset({bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")})


class Weakness(StrEnum):
    """Why a key protects nothing."""

    EQUAL = "equal"  # all its bytes are one, zeros among them
    ADDRESS = "address"  # made of the addresses that the device sends in clear
    REPEATS = "repeats"  # a shorter run, over and over
    COUNTS = "counts"  # each byte is the one before it and a step
    PUBLISHED = "published"  # an example that everybody has


def read_app_key(text: str) -> Secret | None:
    """An AppKey as it is typed or scanned: 32 hex digits, with or without 0x and separators; None for anything else."""
    plain = _SEPARATORS.sub("", text).lower().removeprefix("0x")
    return Secret(bytes.fromhex(plain)) if _HEX.fullmatch(plain) else None


def find_weakness(key: Secret, dev_eui: str = "", join_eui: str = "") -> Weakness | None:
    """Why a key of 16 bytes protects nothing; the addresses are 16 hex digits each, or empty where they are not known.

    Each of these hits a key of 16 random bytes with a chance of 2^-60 at most.
    """
    raw = key.reveal()
    if len(set(raw)) == 1:
        return Weakness.EQUAL
    known = [bytes.fromhex(text) for text in (dev_eui, join_eui) if text]
    spelled = [part for eui in known for part in (eui, eui[::-1])]
    if any(raw == one + other for one in spelled for other in spelled):
        return Weakness.ADDRESS
    if any(raw == raw[:size] * (KEY_BYTES // size) for size in (2, 4, 8)):
        return Weakness.REPEATS
    if len({(after - before) % 256 for before, after in pairwise(raw)}) == 1:
        return Weakness.COUNTS
    return Weakness.PUBLISHED if raw in _PUBLISHED else None


def key_in(content: bytes) -> bytes | None:
    """The AppKey in the padded bytes of a section `root-keys`; None where they hold none."""
    try:
        return bytes.fromhex(RootKeysBody.from_bytes(unpad(content)).app_key)
    except (BodyError, FederationError):
        return None
