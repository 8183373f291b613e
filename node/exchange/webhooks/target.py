"""Where webhooks may go: to public addresses over TLS, and into those networks that an administrator allowed.

A name says nothing of where it leads, and leads elsewhere a moment later: the address that is connected to is checked,
each time, and so is every address that is written within another one.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from node.exchange.errors import WebhookError

LONGEST_URL = 2048
SCHEMES = {"https": 443, "http": 80}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes
NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215: where those bytes stand is the network's own affair


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes."""

    url: str
    host: str
    port: int
    is_secure: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be shown to everybody, since paths hold secrets of the receiver."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}"


class Policy:
    """Which addresses may be connected to."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """`allowed` are networks as `10.1.0.0/16`; raise ValueError for what is none."""
        self._allowed: tuple[Network, ...] = tuple(map(ipaddress.ip_network, allowed))

    def permits(self, text: str, *, is_secure: bool) -> bool:
        """Whether that address may be connected to, over TLS or without."""
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return is_secure and all(_is_public(one) for one in _within(address))

    def check(self, target: Target, addresses: Iterable[str]) -> None:
        """Raise WebhookError where one of these addresses of a target may not be connected to."""
        for address in addresses:
            if not self.permits(address, is_secure=target.is_secure):
                raise WebhookError(f"{target.host} leads to {address}, where this node sends nothing")

    def check_form(self, target: Target) -> None:
        """Raise WebhookError where it is plain without asking a name server that a target is not for this node."""
        if not target.is_secure and not self._allowed:
            raise WebhookError("without TLS only into networks that an administrator allowed")
        if (literal := _literal(target.host)) is not None:
            self.check(target, [str(literal)])


def parse_target(text: str) -> Target:
    """Read the address of a receiver; raise WebhookError."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WebhookError(f"no address: {error}") from error
    if parts.scheme not in SCHEMES or not host:
        raise WebhookError("an address begins with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise WebhookError("an address holds no password: sign with the secret")
    if parts.fragment or port == 0 or len(text) > LONGEST_URL or not _is_visible(text):
        raise WebhookError(f"an address has up to {LONGEST_URL} visible ASCII characters and no fragment")
    return Target(text, host, port or SCHEMES[parts.scheme], parts.scheme == "https")


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and "\\" not in text


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _within(address: Address) -> Iterator[Address]:
    """The address, and those that a network on the way may take it for."""
    yield address
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64 or address.packed[:12] == bytes(12):
            inner.append(IPv4Address(address.packed[-4:]))
        yield from filter(None, inner)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return True  # it is what it maps
    if isinstance(address, IPv6Address) and address in NAT64:
        return True
    if isinstance(address, IPv6Address) and address in NAT64_LOCAL:
        return False
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
