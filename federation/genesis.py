"""The genesis of a federation: its name, its anchors and how many of them must agree.

`[1, name, [anchor org bin16...] ascending 1-16, k]`; id = SHA-256("passport/federation/1\\n" || genesis)[:16].
A new set of anchors is a new genesis. The fingerprint is read aloud and printed: eight groups of four hex digits.
"""

import hashlib
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Genesis:
    """A federation as it was founded."""

    name: str
    anchors: tuple[bytes, ...]
    quorum: int

    @property
    def id(self) -> bytes:
        """The 16-byte id."""
        return hashlib.sha256(b"passport/federation/1\n" + self.to_bytes()).digest()[:16]

    def to_bytes(self) -> bytes:
        """The canonical genesis."""
        return codec.pack([VERSION, self.name, list(self.anchors), self.quorum])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Genesis":
        """Read it; raise CodecError."""
        version, name, anchors, quorum = codec.array(codec.unpack(raw, 1024), 4, "genesis")
        codec.version(version, VERSION)
        items = codec.ascending(codec.array(anchors, None, "anchors", most=16), "anchors")
        orgs = tuple(codec.binary(item, 16, "anchor") for item in items)
        k = codec.uint(quorum, "k", least=1)
        if k > len(orgs):
            raise CodecError(f"k = {k} of {len(orgs)} anchors")
        return cls(codec.text(name, "name", most=128), orgs, k)


def fingerprint(federation_id: bytes) -> str:
    """The id as people compare it: `1f2e 03ab ...`."""
    text = federation_id.hex()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))
