"""Where webhooks may go."""

import pytest

from node.exchange.errors import WebhookError
from node.exchange.webhooks.target import Policy, parse_target

INSIDE = (
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3",
    "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::",
    "2001:0:7f00:1::",
)  # fmt: skip
OUTSIDE = ("93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8")


@pytest.mark.parametrize("address", INSIDE)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    """Loopback, private, link-local, shared, reserved and many-cast addresses, also within IPv6 ones, are refused."""
    assert not Policy().permits(address, is_secure=True)


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_address_is_for_tls_alone(address: str) -> None:
    """A public address may be connected to, but not without TLS."""
    assert Policy().permits(address, is_secure=True)
    assert not Policy().permits(address, is_secure=False)


def test_allowed_network_is_let_with_and_without_tls() -> None:
    """What an administrator allowed may be connected to either way, what lies beside it may not."""
    policy = Policy(["10.1.0.0/16", "fd00::/8"])
    for is_secure in (True, False):
        assert policy.permits("10.1.2.3", is_secure=is_secure)
        assert policy.permits("fd00::5", is_secure=is_secure)
        assert not policy.permits("10.2.0.1", is_secure=is_secure)
        assert not policy.permits("::ffff:10.2.0.1", is_secure=is_secure)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://erp.example/hook?x=secret", "https://erp.example:443"),
        ("https://ERP.example:8443", "https://erp.example:8443"),
        ("http://10.0.0.1/", "http://10.0.0.1:80"),
        ("https://[2606:4700::1111]:444/x", "https://[2606:4700::1111]:444"),
    ],
)
def test_target_shows_where_it_leads_and_no_path(text: str, origin: str) -> None:
    """An origin has scheme, host and port: paths and queries hold secrets of receivers."""
    assert parse_target(text).origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "erp.example", "//erp.example/", "ftp://erp.example/", "file:///etc/passwd", "https://", "https:///x",
        "https://user@erp.example/", "https://user:password@erp.example/", "https://erp.example/#x", "https://[::1",
        "https://erp.example:0/", "https://erp.example:99999/", "https://erp.example:x/", "https://erp.example/a b",
        "https://erp.example/\r\nX: y", "https://пример.рф/", "https://erp.example\\@10.0.0.1/",
        "https://erp.example/" + "x" * 3000, "gopher://127.0.0.1:25/",
    ],
)  # fmt: skip
def test_text_that_is_no_target_is_refused(text: str) -> None:
    """Another scheme, a password, a fragment, a port that is none or what no address holds is refused."""
    with pytest.raises(WebhookError):
        parse_target(text)


@pytest.mark.parametrize("text", ["http://erp.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/"])
def test_target_that_is_plainly_wrong_is_refused_at_once(text: str) -> None:
    """Without TLS where no network is allowed, and a written address inside, are refused before any name is asked."""
    with pytest.raises(WebhookError):
        Policy().check_form(parse_target(text))
