"""Messages and their signatures."""

import json

import pytest

from node.exchange.errors import WebhookError
from node.exchange.webhooks.message import LARGEST_BODY, Message, encode_event, format_secret, parse_secret, sign
from node.secret import Secret

# The example of the convention's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID, AT_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_that_of_the_convention() -> None:
    """The published example has the signature that is published with it."""
    assert sign(parse_secret(SECRET), MESSAGE_ID, AT_S, BODY) == SIGNATURE


def test_headers_have_a_signature_for_each_secret() -> None:
    """While a secret changes a message is signed with both, apart by a space."""
    secrets = [parse_secret(SECRET), Secret(bytes(32))]
    headers = Message(MESSAGE_ID, BODY).headers(secrets, AT_S)
    assert headers["webhook-signature"].split() == [SIGNATURE, sign(secrets[1], MESSAGE_ID, AT_S, BODY)]
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (MESSAGE_ID, str(AT_S))


@pytest.mark.parametrize("size", [24, 32, 64])
def test_secret_reads_as_it_was_written(size: int) -> None:
    """A secret of any size that the convention allows goes out and comes back the same."""
    secret = Secret(bytes(range(size)))
    assert parse_secret(format_secret(secret)).matches(secret)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_!", SECRET[6:], "whsec_" + "A" * 100, "whsec_é"])
def test_secret_that_is_none_is_refused(text: str) -> None:
    """A text without the prefix, of another alphabet, too short or too long is no secret."""
    with pytest.raises(WebhookError):
        parse_secret(text)


def test_event_too_large_goes_without_its_detail() -> None:
    """What is larger than a receiver has to take says that its detail was left out."""
    small = encode_event("1", "x", 0, {"id": 1, "detail": {"a": "б"}})
    large = encode_event("1", "x", 0, {"id": 1, "detail": {"a": "б" * LARGEST_BODY}})
    assert json.loads(small.body) == {
        "type": "x", "timestamp": "1970-01-01T00:00:00Z", "data": {"id": 1, "detail": {"a": "б"}, "is_cut": False},
    }  # fmt: skip
    assert json.loads(large.body)["data"] == {"id": 1, "detail": {}, "is_cut": True}
