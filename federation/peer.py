"""Where a peer is."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from federation.errors import RemoteProtocolError

MAX_URL = 256

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?|[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Its https address, its node id and 33-byte sign key, and its certificate's SHA-256.

    Address and certificate are empty for a node that only dials out.
    """

    url: str
    node: bytes
    sign_key: bytes
    pin: bytes


def check_url(url: str) -> str:
    """Require an address that can be asked: https, a host, perhaps a port; raise RemoteProtocolError.

    Addresses come from others. What a name look-up or a client library would stumble over is refused here.
    """
    if not url.startswith("https://"):
        # A pinned fingerprint says nothing on plain http.
        raise RemoteProtocolError(f"{url[:80]!r} is not https")
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise RemoteProtocolError(f"{url[:80]!r} is no address: its length or a character")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError as error:
        raise RemoteProtocolError(f"{url[:80]!r} is no address: {error}") from error
    if port == 0 or "@" in parts.netloc or parts.query or parts.fragment or _HOST.fullmatch(host) is None:
        raise RemoteProtocolError(f"{url[:80]!r} is no address: its host, its port or what stands beside them")
    return url
