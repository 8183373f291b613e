"""What a simulated machine takes for its clock, its randomness and its certificate."""

import datetime
import random
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from tests.simulation.loop import VirtualLoop

BEGINNING_US = 1_780_000_000_000_000  # 2026-05-28
DAY_US = 86_400_000_000
MOST_SKEW_US = 3 * DAY_US
MOST_DRIFT = 1e-4  # of a bad quartz


class SkewedClock:
    """The loop's time as one machine believes it to be: `skew_us` off, and running fast or slow by `drift`."""

    def __init__(self, loop: VirtualLoop, skew_us: int = 0, drift: float = 0.0) -> None:
        self._loop = loop
        self.skew_us = skew_us
        self._rate = 1.0 + drift

    def now(self) -> int:
        """Microseconds since 1970."""
        return BEGINNING_US + self.skew_us + int(self._loop.time() * self._rate * 1e6)

    def monotonic(self) -> float:
        """Seconds."""
        return self._loop.time()


class SeededRandom:
    """Bytes that follow from a seed."""

    def __init__(self, seed: str) -> None:
        self._source = random.Random(seed)

    def bytes(self, size: int) -> bytes:
        """That many bytes."""
        return self._source.randbytes(size)


@cache
def certificate(seed: bytes) -> bytes:
    """A certificate that follows from 32 bytes, in PEM: nobody shakes hands by it, and peers pin it."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .sign(key, None)
    )
    return made.public_bytes(serialization.Encoding.PEM)
