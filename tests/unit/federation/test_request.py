"""Signed requests: for whom, when, once."""

from dataclasses import replace

import pytest

from federation.errors import RequestError
from federation.request import (
    MAX_OF_ONE,
    MAX_REMEMBERED,
    ReplayWindow,
    Request,
    RequestSignature,
    StaleError,
    response_hash,
    sign_request,
    verify_request,
    verify_response,
)
from tests.builders import id16, seed, signing_key

KEY = signing_key("node")
NOW_MS = 1_760_000_000_000
REQUEST = Request("POST", "/fed/1/fetch?a=1", id16("org"), id16("from"), id16("to"), b"body")
SIGNED = sign_request(KEY, REQUEST, NOW_MS, id16("nonce"))


def test_request_is_accepted() -> None:
    """A signed request to this node, in time, answers the hash that the response will sign."""
    read = RequestSignature.from_bytes(SIGNED.to_bytes())
    assert read == SIGNED
    assert verify_request(read, KEY.public, REQUEST, NOW_MS) == REQUEST.hash(NOW_MS, id16("nonce"))


@pytest.mark.parametrize("away", [-120_000, 120_000])
def test_request_at_the_edge_of_the_window(away: int) -> None:
    """120 s either way are in time, one millisecond more is not."""
    verify_request(SIGNED, KEY.public, REQUEST, NOW_MS + away)
    with pytest.raises(StaleError):
        verify_request(SIGNED, KEY.public, REQUEST, NOW_MS + away + (1 if away > 0 else -1))


def test_stale_and_forged_request() -> None:
    """The time is told only to who can sign: a forged request is no stale one."""
    forged = replace(SIGNED, signature=bytes(65))
    with pytest.raises(RequestError) as caught:
        verify_request(forged, KEY.public, REQUEST, NOW_MS + 10**9)
    assert not isinstance(caught.value, StaleError)


def test_request_for_another_node() -> None:
    """A request cannot be carried on to another node, nor claimed by another."""
    for other in (
        replace(REQUEST, receiver=id16("x")),
        replace(REQUEST, sender=id16("x")),
        replace(REQUEST, org=id16("x")),
    ):
        with pytest.raises(RequestError, match="another node"):
            verify_request(SIGNED, KEY.public, other, NOW_MS)


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, method="GET"),
        replace(REQUEST, target="/fed/1/fetch?a=2"),
        replace(REQUEST, target="/fed/1/fetch"),
        replace(REQUEST, body=b""),
    ],
)
def test_signature_covers_the_request(other: Request) -> None:
    """Method, path and query, and body are signed."""
    with pytest.raises(RequestError, match="signature does not hold"):
        verify_request(SIGNED, KEY.public, other, NOW_MS)


def test_signature_covers_time_and_nonce() -> None:
    """A captured signature cannot be given a new time or nonce."""
    for wrong in (replace(SIGNED, time_ms=NOW_MS + 1), replace(SIGNED, nonce=id16("x"))):
        with pytest.raises(RequestError, match="signature does not hold"):
            verify_request(wrong, KEY.public, REQUEST, NOW_MS)


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"\x90", bytes(600), SIGNED.to_bytes()[:-1]])
def test_signature_of_wrong_form(raw: bytes) -> None:
    """Whatever stands in the header, the error is this package's."""
    with pytest.raises(RequestError):
        RequestSignature.from_bytes(raw)


def test_request_is_taken_once() -> None:
    """A nonce is taken once within 300 s, and each node has its own."""
    window = ReplayWindow()
    window.admit(id16("a"), id16("n"), NOW_MS)
    window.admit(id16("b"), id16("n"), NOW_MS)
    for later in (0, 120_000, 300_000):
        with pytest.raises(RequestError, match="sent before"):
            window.admit(id16("a"), id16("n"), NOW_MS + later)
    window.admit(id16("a"), id16("n"), NOW_MS + 300_001)


def test_replay_window_is_bounded() -> None:
    """One node's flood of requests is refused and nobody else's; that of many is too; after 300 s there is room."""
    window = ReplayWindow()
    for number in range(MAX_REMEMBERED):
        sender = (number // MAX_OF_ONE).to_bytes(16)
        window.admit(sender, number.to_bytes(16), NOW_MS)
        if number == MAX_OF_ONE - 1:
            with pytest.raises(RequestError, match="too many"):
                window.admit(sender, id16("one more"), NOW_MS)
    with pytest.raises(RequestError, match="too many"):
        window.admit(id16("another"), id16("one more"), NOW_MS)
    window.admit(bytes(16), id16("one more"), NOW_MS + 300_001)


def test_response_is_bound_to_its_request() -> None:
    """An answer is for one request, with one status and one body."""
    signature = KEY.sign_hash("response", response_hash(seed("request"), 200, b"body"))
    verify_response(signature, KEY.public, seed("request"), 200, b"body")
    for request, status, body in (
        (seed("x"), 200, b"body"),
        (seed("request"), 404, b"body"),
        (seed("request"), 200, b""),
    ):
        with pytest.raises(RequestError):
            verify_response(signature, KEY.public, request, status, body)
    with pytest.raises(RequestError):
        verify_response(signature, signing_key("x").public, seed("request"), 200, b"body")
