"""Bodies deflated on their way, and inflated within a limit."""

import zlib

from federation.errors import OversizeError, RemoteProtocolError

DEFLATED_FROM = 1024  # bytes: below, the saving is none
DEFLATE = "deflate"
ENCODING = "Content-Encoding"


def deflate(body: bytes) -> bytes | None:
    """The body deflated, or None where that does not pay: ciphertext does not shrink."""
    if len(body) < DEFLATED_FROM:
        return None
    packed = zlib.compress(body, 1)
    return packed if len(packed) < len(body) else None


def inflate(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body as it was before; raise OversizeError over the limit, RemoteProtocolError for another encoding."""
    if encoding in (None, "", "identity"):
        if len(body) > limit:
            raise OversizeError(f"a body of more than {limit} bytes")
        return body
    if encoding != DEFLATE:
        raise RemoteProtocolError("a body in an encoding that is not deflate")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise RemoteProtocolError("a body that does not inflate") from error
    if len(raw) > limit:
        raise OversizeError(f"a body that inflates over {limit} bytes")
    if not inflater.eof or inflater.unused_data:
        raise RemoteProtocolError("a deflated body that breaks off or goes on")
    return raw
