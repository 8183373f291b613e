"""An invitation: all that a new node needs to meet the one that invites it, as one line of text.

`PASSPORT1-` and base64url of `[1, federation genesis, org, node, sign key, certificate pin, url, secret, expiry us,
checksum]`. The secret is used once. The pin is SHA-256 of the certificate in DER form.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, InvitationError, KeyRefusedError
from federation.genesis import Genesis
from federation.keys import ED25519, check_key

VERSION = 1
PREFIX = "PASSPORT1-"
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where to knock, whom to expect there, and the secret to show."""

    genesis: Genesis
    org: bytes
    node: bytes
    sign_key: bytes
    pin: bytes
    url: str
    secret: bytes
    expires: int

    def to_text(self) -> str:
        """The line to send, or to show as a QR code."""
        fields: list[codec.Value] = [
            VERSION,
            self.genesis.to_bytes(),
            self.org,
            self.node,
            self.sign_key,
            self.pin,
            self.url,
            self.secret,
            self.expires,
        ]
        fields.append(hashlib.sha256(codec.pack(fields)).digest()[:4])
        return PREFIX + base64.urlsafe_b64encode(codec.pack(fields)).decode().rstrip("=")

    def __repr__(self) -> str:
        return f"Invitation({self.url}, federation {self.genesis.id.hex()})"


def parse_invitation(text: str, now: int) -> Invitation:
    """Read the line; raise InvitationError where it is mistyped or out of date (`now` in microseconds)."""
    compact = "".join(text.split())
    if len(compact) > MAX_TEXT:
        raise InvitationError(f"no invitation is longer than {MAX_TEXT} characters, got {len(compact)}")
    if not compact.startswith(PREFIX):
        raise InvitationError(f"an invitation starts with {PREFIX}")
    body = compact[len(PREFIX) :]
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != body:
            raise CodecError("a character is mistyped")
        invitation = _read(raw)
    except (binascii.Error, ValueError, CodecError, KeyRefusedError) as error:
        raise InvitationError(f"the invitation is damaged: {error}") from error
    if invitation.expires <= now:
        raise InvitationError("the invitation is out of date: ask for a new one")
    return invitation


def _read(raw: bytes) -> Invitation:
    fields = codec.array(codec.unpack(raw, MAX_TEXT), 10, "invitation")
    if fields[9] != hashlib.sha256(codec.pack(fields[:9])).digest()[:4]:
        raise CodecError("a character is mistyped or missing")
    codec.version(fields[0], VERSION)
    return Invitation(
        Genesis.from_bytes(codec.binary(fields[1], None, "genesis")),
        codec.binary(fields[2], 16, "org"),
        codec.binary(fields[3], 16, "node"),
        check_key(codec.binary(fields[4], None, "sign key"), ED25519, "sign key"),
        codec.binary(fields[5], 32, "certificate pin"),
        codec.text(fields[6], "url"),
        codec.binary(fields[7], 16, "secret"),
        codec.uint(fields[8], "expiry"),
    )
