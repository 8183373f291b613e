"""How much of this node one asker may take, without a clock: rates, questions at once, bytes in hand."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from federation.errors import BusyError

MAX_ASKERS = 4096
SOON_S = 1.0
SHARES = 4  # an organisation may hold so great a part of the room for answers


@dataclass(frozen=True)
class Allowance:
    """What is let through. A burst is what may come at once after a silence.

    A peer that mirrors a thousand logs for the first time asks some thousand questions as fast as they are answered.
    """

    requests_s: float = 50.0  # by one node
    requests_burst: int = 5_000
    bytes_s: int = 32 << 20  # by one node, asked and answered
    bytes_burst: int = 256 << 20
    at_once: int = 16  # questions of one node that are being answered
    stranger_requests_s: float = 5.0  # by one remote address, of those that nobody known signed
    stranger_requests_burst: int = 100
    stranger_connections: int = 128  # from one remote address, on which nobody known asked yet
    stranger_s: float = 30.0  # such a connection ends after so long
    org_connections: int = 128  # of the nodes of one organisation; who comes with more is a stranger on them
    connections: int = 512
    in_hand: int = 256 << 20  # bytes of questions and answers over all connections
    lookups_s: float = 20.0  # questions for devices by one node
    lookups_burst: int = 400

    @property
    def of_looks(self) -> "Allowance":
        """The same for questions for devices alone."""
        return replace(self, requests_s=self.lookups_s, requests_burst=self.lookups_burst)


class TokenBucket:
    """A rate with a burst. What was taken beyond is a debt that is waited out."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at: float | None = None

    def wait(self, now: float) -> float:
        """Seconds until something may be taken: 0 now."""
        self._fill(now)
        return 0.0 if self._left > 0 else -self._left / self._rate + SOON_S

    def take(self, amount: float, now: float) -> None:
        """Take it, whether it is there or not."""
        self._fill(now)
        self._left -= amount

    def _fill(self, now: float) -> None:
        # A clock that went back fills nothing.
        passed = max(0.0, now - self._at) if self._at is not None else 0.0
        self._left = min(self._burst, self._left + passed * self._rate)
        self._at = now


@dataclass(slots=True)
class _Asker:
    requests: TokenBucket
    bytes: TokenBucket
    busy: int = 0


class Turns:
    """Whose turn it is: rates and questions at once of each node that asks."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._askers: OrderedDict[bytes, _Asker] = OrderedDict()

    def __len__(self) -> int:
        return len(self._askers)

    @contextmanager
    def turn(self, node: bytes, now: float) -> Iterator[TokenBucket]:
        """Let one question of a node in, and answer where its bytes are taken from; raise BusyError."""
        self.check(node, now)
        asker = self._asker(node)
        asker.requests.take(1, now)
        asker.busy += 1
        try:
            yield asker.bytes
        finally:
            asker.busy -= 1

    def check(self, node: bytes, now: float) -> None:
        """Raise BusyError where it is not the turn of a node."""
        asker = self._asker(node)
        wait = max(asker.requests.wait(now), asker.bytes.wait(now))
        if asker.busy >= self._allowance.at_once:
            wait = max(wait, SOON_S)
        if wait > 0:
            raise BusyError("this node was asked too much: ask later", wait)

    def _asker(self, node: bytes) -> _Asker:
        asker = self._askers.pop(node, None)
        if asker is None:
            allowance = self._allowance
            asker = _Asker(
                TokenBucket(allowance.requests_s, allowance.requests_burst),
                TokenBucket(allowance.bytes_s, allowance.bytes_burst),
            )
        self._askers[node] = asker
        while len(self._askers) > MAX_ASKERS:
            self._askers.popitem(last=False)
        return asker


@dataclass(slots=True)
class Budget:
    """Bytes in hand over all connections."""

    most: int = 256 << 20
    held: int = field(default=0, init=False)
    _shares: Counter[bytes] = field(default_factory=Counter, init=False)

    @contextmanager
    def hold(self, size: int = 0) -> Iterator["Hold"]:
        """Count bytes for as long as the block lasts; raise BusyError where there is no room for them."""
        hold = Hold(self)
        try:
            hold.take(size)
            yield hold
        finally:
            self.held -= hold.size

    @contextmanager
    def hold_for(self, org: bytes, size: int) -> Iterator[None]:
        """The same for what an organisation was answered and has not read: it has a part of the room."""
        if self._shares[org] and self._shares[org] + size > self.most // SHARES:
            raise BusyError("this organisation has not read what it was answered", SOON_S)
        self._shares[org] += size
        try:
            with self.hold(size):
                yield
        finally:
            self._shares -= Counter({org: size})


class Hold:
    """What one question or answer has of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def take(self, size: int) -> None:
        """Count bytes before they are there; raise BusyError where there is no room."""
        if size and self._budget.held + size > self._budget.most:
            raise BusyError("this node has too much in hand: ask later", SOON_S)
        self.size += size
        self._budget.held += size


class Daily:
    """What is new of a day, by who asks: what was asked before on that day is not counted again."""

    def __init__(self) -> None:
        self._day = -1
        self._asked: dict[bytes, set[bytes]] = {}

    def take(self, org: bytes, mark: bytes, day: int, most: int) -> bool | None:
        """Count a mark of an organisation: whether it is new today; None where that is more than `most`."""
        # A clock that goes back over midnight gives nobody a day more.
        if not self._day - 1 <= day <= self._day:
            self._day, self._asked = day, {}
        asked = self._asked.setdefault(org, set())
        if mark in asked:
            return False
        if len(asked) >= most:
            return None
        asked.add(mark)
        return True
