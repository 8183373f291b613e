"""Where a peer is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Its https address, its node id and 33-byte sign key, and its certificate's SHA-256."""

    url: str
    node: bytes
    sign_key: bytes
    pin: bytes
