"""A webhook message as the Standard Webhooks convention (1.0.0) writes and signs it.

The body is `{"type", "timestamp", "data"}`. The header `webhook-signature` has for each valid secret `v1,` and the
base64 of HMAC-SHA256 over `id.timestamp.body`, so that a receiver takes the old or the new one while it changes.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from node.exchange.errors import WebhookError
from node.secret import Secret

PREFIX = "whsec_"
SECRET_SIZES = range(24, 65)  # bytes, section "Signing scheme"
FRESH_SIZE = 32
LARGEST_BODY = 64 << 10


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the same id and body however often it is tried."""

    id: str
    body: bytes

    def headers(self, secrets: Iterable[Secret], at_s: int) -> dict[str, str]:
        """The headers of one attempt at a time in seconds since 1970."""
        return {
            "Content-Type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": " ".join(sign(secret, self.id, at_s, self.body) for secret in secrets),
        }


def sign(secret: Secret, message_id: str, at_s: int, body: bytes) -> str:
    """The signature under one secret."""
    signed = hmac.digest(secret.reveal(), f"{message_id}.{at_s}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed).decode()


def format_secret(secret: Secret) -> str:
    """A secret as receivers are given it."""
    return PREFIX + base64.b64encode(secret.reveal()).decode()


def parse_secret(text: str) -> Secret:
    """Read a secret that a receiver chose; raise WebhookError."""
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookError("a secret is base64") from error
    if not text.startswith(PREFIX) or len(raw) not in SECRET_SIZES:
        raise WebhookError(f"a secret is {PREFIX} and the base64 of 24 to 64 bytes")
    return Secret(raw)


def encode_event(event_id: str, what: str, at_us: int, data: Mapping[str, object]) -> Message:
    """The message of an event; where it is too large, its `detail` stays away and `is_cut` says so."""
    body = _body(what, at_us, {**data, "is_cut": False})
    if len(body) > LARGEST_BODY:
        body = _body(what, at_us, {**data, "detail": {}, "is_cut": True})
    return Message(event_id, body)


def format_time(at_us: int) -> str:
    """A time as RFC 3339 writes it."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat().replace("+00:00", "Z")


def _body(what: str, at_us: int, data: Mapping[str, object]) -> bytes:
    told = {"type": what, "timestamp": format_time(at_us), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
