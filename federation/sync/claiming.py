"""Claiming a box: who holds the code that lies in it shows so to its seller, without telling the code.

claim    [scheme, value, key bin33, signature bin65]   -> [outcome, shipment bin16 | nil]

The code makes a key. Scheme and value name a device of the box, as in a look-up. The signature is over the seller's and
the claimant's organisation: it is of no use to anybody else, so that a node which was asked wrongly learns nothing that
it could claim with.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from federation import codec
from federation.errors import CodecError
from federation.keys import KEY_SIZE, SIGNATURE_SIZE, SigningKey, verify_hash
from federation.sync.messages import Reading

MAX_QUESTION = 1024
WHAT = "claim"


class Outcome(IntEnum):
    """What came of a claim."""

    DONE = 0  # the devices are offered to the claimant in the shipment that is named
    UNKNOWN = 1  # no box of this code holds that device here
    CLAIMED = 2  # another organisation claimed it
    WITHDRAWN = 3  # the seller took the box back
    GONE = 4  # the seller may not pass the devices on any more
    LIMIT = 5  # too much was tried today: nothing was looked at


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim to the box that holds a device, by who has its code."""

    scheme: str
    value: str
    key: bytes
    signature: bytes

    @classmethod
    def signed(cls, scheme: str, value: str, key: SigningKey, seller: bytes, claimant: bytes) -> "Claim":
        """A claim of one organisation at another."""
        return cls(scheme, value, key.public, key.sign_hash(WHAT, claim_hash(seller, claimant)))

    def is_by(self, seller: bytes, claimant: bytes) -> bool:
        """Whether who has the code meant it for these two organisations."""
        return verify_hash(self.key, self.signature, WHAT, claim_hash(seller, claimant))

    def to_bytes(self) -> bytes:
        """The canonical question."""
        return codec.pack([self.scheme, self.value, self.key, self.signature])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Claim":
        """Read the question; raise RemoteProtocolError."""
        with Reading("claim"):
            scheme, value, key, signature = codec.array(codec.unpack(raw, MAX_QUESTION), 4, "claim")
            return cls(
                codec.text(scheme, "scheme", most=64),
                codec.text(value, "value"),
                codec.binary(key, KEY_SIZE, "key"),
                codec.binary(signature, SIGNATURE_SIZE, "signature"),
            )


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to a claim: the shipment where it is done."""

    outcome: Outcome
    shipment: bytes | None = None

    def to_bytes(self) -> bytes:
        """The canonical answer."""
        return codec.pack([int(self.outcome), self.shipment])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Claimed":
        """Read the answer; raise RemoteProtocolError."""
        with Reading("claimed"):
            number, shipment = codec.array(codec.unpack(raw, 64), 2, "claimed")
            if codec.uint(number, "outcome") not in set(Outcome):
                raise CodecError(f"outcome {number!r}: there are {len(Outcome)}")
            claimed = cls(Outcome(codec.uint(number, "outcome")), codec.optional_binary(shipment, 16, "shipment"))
            if (claimed.outcome is Outcome.DONE) != (claimed.shipment is not None):
                raise CodecError("a shipment is named where the claim is done, and nowhere else")
        return claimed


def claim_hash(seller: bytes, claimant: bytes) -> bytes:
    """What the key of a code signs."""
    return hashlib.sha256(b"passport/claim/1\n" + codec.pack([seller, claimant])).digest()
