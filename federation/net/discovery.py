"""Nodes on the local network: mDNS `_passport-node._tcp`, told and heard.

What is heard is a hint: who answers there is checked by the pinned certificate and the signed answer.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import zeroconf
from yarl import URL
from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from federation.keys import KEY_SIZE
from federation.peer import PeerAddress

SERVICE = "_passport-node._tcp.local."
RESOLVE_MS = 3000
VERSION = b"1"
MOST_PENDING = 100  # announcements that are being resolved: what the local network says is bounded


@dataclass(frozen=True, slots=True)
class Announcement:
    """A node as it announces itself."""

    org: bytes
    federation: bytes
    peer: PeerAddress


@asynccontextmanager
async def discovery(
    own: Announcement, interfaces: list[str], found: Callable[[Announcement], None]
) -> AsyncIterator[None]:
    """Announce this node, unless it has no address, and tell of others for as long as the block lasts.

    Raise OSError where an interface is not there, or the local network lets nobody in.
    """
    try:
        async with _told_and_heard(own, interfaces, found):
            yield
    except zeroconf.Error as error:
        raise OSError(f"mDNS: {type(error).__name__} {error}") from error


@asynccontextmanager
async def _told_and_heard(
    own: Announcement, interfaces: list[str], found: Callable[[Announcement], None]
) -> AsyncIterator[None]:
    network = AsyncZeroconf(interfaces=interfaces)
    pending: set[object] = set()
    browser: AsyncServiceBrowser | None = None
    try:
        if own.peer.url:
            await network.async_register_service(
                _service_info(own, await _addresses(own, interfaces)), allow_name_change=True
            )
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[_Handler(own, found, pending)])
        yield
    finally:
        if browser is not None:
            await browser.async_cancel()
        await network.async_unregister_all_services()
        await network.async_close()


class _Handler:
    """Resolves what the browser heard of, and passes on what is whole and not this node."""

    def __init__(self, own: Announcement, found: Callable[[Announcement], None], pending: set[object]) -> None:
        self._own = own
        self._found = found
        self._pending = pending

    def __call__(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is ServiceStateChange.Removed or zeroconf.loop is None or len(self._pending) >= MOST_PENDING:
            return
        task = zeroconf.loop.create_task(self._resolve(zeroconf, service_type, name))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        if await info.async_request(zeroconf, RESOLVE_MS):
            announcement = read_announcement(info)
            if announcement is not None and announcement.peer.node != self._own.peer.node:
                self._found(announcement)


def read_announcement(info: ServiceInfo) -> Announcement | None:
    """What a service record says; None where a part is missing or malformed, or it speaks other versions only."""
    texts = info.properties
    if VERSION not in (texts.get(b"v") or VERSION).split(b","):
        return None
    try:
        parts = [bytes.fromhex((texts[key] or b"").decode()) for key in (b"org", b"fed", b"node", b"key", b"pin")]
    except (KeyError, ValueError):
        return None
    addresses = info.parsed_addresses()
    if [len(part) for part in parts] != [16, 16, 16, KEY_SIZE, 32] or not addresses or not info.port:
        return None
    url = str(URL.build(scheme="https", host=addresses[0], port=info.port))
    return Announcement(parts[0], parts[1], PeerAddress(url, parts[2], parts[3], parts[4]))


async def _addresses(own: Announcement, interfaces: Sequence[str]) -> list[bytes]:
    """Where the own address leads; where nobody resolves it, as without a network, the interfaces it is told on."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(URL(own.peer.url).host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [ipaddress.ip_address(interface).packed for interface in interfaces]
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]).packed for *_, address in found]


def _service_info(own: Announcement, addresses: list[bytes]) -> ServiceInfo:
    url = URL(own.peer.url)
    return ServiceInfo(
        SERVICE,
        f"{own.peer.node.hex()}.{SERVICE}",
        addresses=addresses,
        port=url.port or 443,
        properties={
            "v": VERSION,
            "org": own.org.hex(),
            "fed": own.federation.hex(),
            "node": own.peer.node.hex(),
            "key": own.peer.sign_key.hex(),
            "pin": own.peer.pin.hex(),
        },
        server=f"{own.peer.node.hex()[:12]}.local.",
    )
