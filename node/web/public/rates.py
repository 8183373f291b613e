"""How often one address is answered, in a memory that is bounded whoever asks."""

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from federation.sync.allowance import TokenBucket

MOST_ADDRESSES = 4096
MOST_HOPS = 16  # addresses of a header that are looked at

_Address = IPv4Address | IPv6Address


class Rates:
    """A bucket for each address that asked lately; the longest silent are forgotten."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str, now: float) -> float:
        """Count a question: 0 where it is answered, else the seconds until one is."""
        bucket = self._buckets.pop(address, None) or TokenBucket(self._per_s, self._burst)
        self._buckets[address] = bucket
        while len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        wait = bucket.wait(now)
        if wait == 0.0:
            bucket.take(1, now)
        return wait


class Visitors:
    """Tells visitors by their addresses, behind servers that are trusted to name them."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._proxies = [ip_network(network) for network in proxies]

    def address(self, remote: str, forwarded: str) -> str:
        """The address of who asks: the last one in X-Forwarded-For that no trusted server has; an IPv6 one as its /64.

        The header is believed only as far as trusted servers wrote it.
        """
        found = _read(remote)
        for hop in reversed(forwarded.rsplit(",", MOST_HOPS)):
            if found is None or not self._is_trusted(found):
                break
            before = _read(hop.strip())
            if before is None:
                break
            found = before
        return _shown(found)

    def _is_trusted(self, address: _Address) -> bool:
        return any(address.version == network.version and address in network for network in self._proxies)


def _read(text: str) -> _Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _shown(address: _Address | None) -> str:
    if address is None or address.version == 4:
        return str(address or "")
    return str(ip_network(f"{address}/64", strict=False))
