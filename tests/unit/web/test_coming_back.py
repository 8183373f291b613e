"""Where a refusal on a page of its own leads back to: a page of this node, or nowhere."""

import pytest
from aiohttp.test_utils import make_mocked_request

from node.web.rendering import came_from

HOST = "127.0.0.1:8440"


def back(referer: str) -> str:
    """The address behind the button, seen from the page of a form."""
    return came_from(make_mocked_request("POST", "/organisations/names", headers={"Host": HOST, "Referer": referer}))


@pytest.mark.parametrize(
    ("referer", "address"),
    [(f"http://{HOST}/organisations?q=a%2Fb", "/organisations?q=a%2Fb"), (f"https://{HOST}/", "/")],
)
def test_page_of_this_node_is_led_back_to(referer: str, address: str) -> None:
    """With what was asked on it."""
    assert back(referer) == address


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "http://evil.example/organisations",
        f"http://{HOST}//evil.example/",
        f"http://{HOST}/\\evil.example/",
        f"http://{HOST}/organisations/names",
        f"javascript://{HOST}",
        "http://[::1/a",
        "http://a\u2100b/c",
        "\x00",
    ],
)
def test_nothing_else_is(referer: str) -> None:
    """No other host however it is spelled, no text that is no address, and not the page that refused."""
    assert back(referer) == ""
