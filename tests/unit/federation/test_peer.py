"""Addresses of peers come from others: what could not be asked is refused before anybody tries."""

import pytest

from federation.errors import RemoteProtocolError
from federation.peer import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8441",
        "https://[::1]:8441",
        "https://node.example.org",
        "https://node.example.org./",
        "https://xn--e1afmkfd.xn--p1ai:1",
        "https://пример.рф",
        "https://my_node:65535/base",
    ],
)
def test_address_that_can_be_asked_is_taken(url: str) -> None:
    """A host or an IP address with https, perhaps with a port, is taken as it is."""
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1",
        "HTTPS://127.0.0.1",
        "https://",
        "https://[",
        "https://[::1",
        "https://a:b",
        "https://a:0",
        "https://a:65536",
        "https://a b",
        "https://a\nb",
        "https://a\0b",
        "https://\udc80",
        "https://a..b",
        "https://" + "a" * 64,
        "https://" + ".".join(["a" * 60] * 5),
        "https://user@host",
        "https://host?x=1",
        "https://host#x",
        "https://%00",
        "https://-" + "x" * 300,
        "https://\u202ehost",
    ],
)
def test_address_that_cannot_be_asked_is_the_peers_fault(url: str) -> None:
    """Whatever a name look-up or a client library would stumble over raises the peer's error and nothing else."""
    with pytest.raises(RemoteProtocolError):
        check_url(url)
