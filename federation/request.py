"""Signed requests and answers between nodes.

A request signs [method, path and query, org, from node, to node, body hash, time ms, nonce16] as "request"; an answer
with sizes signs [request hash, status, body hash] as "response". Time is the server's: outside 120 s it answers with
its own time and the client signs again. (from, nonce) is remembered for 300 s.
"""

import hashlib
from collections import Counter, OrderedDict
from dataclasses import dataclass

from federation import codec
from federation.errors import CodecError, RequestError
from federation.keys import SIGNATURE_SIZE, SigningKey, verify_hash

WINDOW_MS = 120_000
REMEMBER_MS = 300_000
MAX_REMEMBERED = 200_000
MAX_OF_ONE = 20_000  # what one sender may have remembered: it alone never makes others refused


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """What stands in the header `Passport-Signature`, base64 of the canonical array."""

    org: bytes
    sender: bytes
    receiver: bytes
    time_ms: int
    nonce: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """The canonical `[org, from node, to node, time ms, nonce, signature]`."""
        return codec.pack([self.org, self.sender, self.receiver, self.time_ms, self.nonce, self.signature])

    @classmethod
    def from_bytes(cls, raw: bytes) -> "RequestSignature":
        """Read it; raise RequestError."""
        try:
            org, sender, receiver, time_ms, nonce, signature = codec.array(codec.unpack(raw, 512), 6, "signature")
            return cls(
                codec.binary(org, 16, "org"),
                codec.binary(sender, 16, "from node"),
                codec.binary(receiver, 16, "to node"),
                codec.uint(time_ms, "time"),
                codec.binary(nonce, 16, "nonce"),
                codec.binary(signature, SIGNATURE_SIZE, "signature"),
            )
        except CodecError as error:
            raise RequestError(f"request signature: {error}") from error


class StaleError(RequestError):
    """The request's time is not the server's: answer 401 with the server's time."""


class ReplayWindow:
    """Remembers (from, nonce) within 300 s of now, in bounded memory."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        self._held: Counter[bytes] = Counter()

    def admit(self, sender: bytes, nonce: bytes, now_ms: int) -> None:
        """Take a nonce once; raise RequestError on the second time or when too many are held.

        The clock may be set back: a request that was taken further ahead of now than that is stale, and forgotten too.
        """
        while self._seen and abs(now_ms - next(iter(self._seen.values()))) > REMEMBER_MS:
            (gone, _), _ = self._seen.popitem(last=False)
            self._held[gone] -= 1
            if not self._held[gone]:
                del self._held[gone]
        taken_ms = self._seen.get((sender, nonce))
        if taken_ms is not None and abs(now_ms - taken_ms) <= REMEMBER_MS:
            raise RequestError("the request was sent before")
        if len(self._seen) >= MAX_REMEMBERED or self._held[sender] >= MAX_OF_ONE:
            raise RequestError("too many requests are remembered")
        self._held[sender] += (sender, nonce) not in self._seen
        self._seen[sender, nonce] = now_ms
        self._seen.move_to_end((sender, nonce))


@dataclass(frozen=True, slots=True)
class Request:
    """What a request says: method, path and query as sent, who asks whom, and the body."""

    method: str
    target: str
    org: bytes
    sender: bytes
    receiver: bytes
    body: bytes

    def hash(self, time_ms: int, nonce: bytes) -> bytes:
        """The 32 bytes that are signed."""
        body_hash = hashlib.sha256(self.body).digest()
        who: list[codec.Value] = [self.org, self.sender, self.receiver]
        fields: codec.Value = [self.method, self.target, *who, body_hash, time_ms, nonce]
        return hashlib.sha256(b"passport/request/1\n" + codec.pack(fields)).digest()


def sign_request(key: SigningKey, request: Request, time_ms: int, nonce: bytes) -> RequestSignature:
    """Sign one request of a node to a node; `nonce` is 16 fresh random bytes."""
    signature = key.sign_hash("request", request.hash(time_ms, nonce))
    return RequestSignature(request.org, request.sender, request.receiver, time_ms, nonce, signature)


def verify_request(signature: RequestSignature, sign_key: bytes, request: Request, now_ms: int) -> bytes:
    """Check a request to this node (`request.receiver`) and answer its hash; StaleError for a clock apart."""
    said = (signature.org, signature.sender, signature.receiver)
    if said != (request.org, request.sender, request.receiver):
        raise RequestError("the request is for another node")
    digest = request.hash(signature.time_ms, signature.nonce)
    if not verify_hash(sign_key, signature.signature, "request", digest):
        raise RequestError("the request's signature does not hold")
    if abs(signature.time_ms - now_ms) > WINDOW_MS:
        raise StaleError(f"the request's time is {signature.time_ms - now_ms} ms away")
    return digest


def response_hash(request: bytes, status: int, body: bytes) -> bytes:
    """The 32 bytes that an answer signs."""
    fields: codec.Value = [request, status, hashlib.sha256(body).digest()]
    return hashlib.sha256(b"passport/response/1\n" + codec.pack(fields)).digest()


def verify_response(signature: bytes, sign_key: bytes, request: bytes, status: int, body: bytes) -> None:
    """Raise RequestError unless the peer signed this answer to this request."""
    if not verify_hash(sign_key, signature, "response", response_hash(request, status, body)):
        raise RequestError("the answer's signature does not hold")
