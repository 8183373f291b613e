"""What the federation takes from the node above it, and what carries questions and answers between nodes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.fragment import Ref, Section
from federation.peer import PeerAddress
from federation.sync.announcing import Announced, Referral
from federation.sync.claiming import Claim, Claimed
from federation.sync.following import FollowAsked, Followed
from federation.sync.looking import Looked
from federation.sync.messages import Heads, HeadsAsked, Join, Openings, Part, Proven, Span


@dataclass(frozen=True, slots=True)
class Asker:
    """The node that signed a request, and its organisation."""

    org: bytes
    node: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What one node asks another; `target` is path and query as they are sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the body as it was sent, deflated perhaps."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Wire(Protocol):
    """A live connection that carries frames both ways."""

    async def send(self, frame: bytes) -> None:
        """Hand one frame on; raise AwayError where the connection is gone."""
        ...

    def frames(self) -> AsyncIterator[bytes]:
        """What comes, until the connection ends."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Asking(Protocol):
    """A way to ask a peer."""

    async def ask(self, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Carry a question to a peer and its answer back; raise AwayError, or RemoteProtocolError over the limit."""
        ...


class Carrier(Asking, Protocol):
    """How this node reaches the others."""

    async def dial(self, peer: PeerAddress, question: Question) -> Wire | Answer:
        """Open a live connection, or answer the peer's refusal; raise AwayError."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class Shelf(Protocol):
    """What this node answers its peers. Every method raises RequestError where the asker may not."""

    async def sign_key(self, org: bytes, node: bytes) -> bytes | None:
        """The 33-byte sign key of a node that is stated and not ended, or None."""
        ...

    async def check(self, asker: Asker, question: str) -> None:
        """Raise RequestError unless the asker may ask that: the name of a question, or `live` for a connection."""
        ...

    async def heads(self, asker: Asker, known: HeadsAsked) -> Heads | None:
        """What changed here since, and how much is opened to the asker; None where the asker knows it all."""
        ...

    async def pull(self, asker: Asker, spans: Sequence[Span]) -> Sequence[Part]:
        """Parts of logs: fragments as the asker may see them, hashes for the rest; the first spans, what fits."""
        ...

    async def leaves(self, log: bytes, start: int, end: int) -> Sequence[bytes]:
        """Leaf hashes of a log."""
        ...

    async def opened(self, asker: Asker, after: int, limit: int) -> Openings:
        """Entries about subjects that were opened to the asker after a number."""
        ...

    async def follow(self, asker: Asker, asked: FollowAsked) -> Followed:
        """Keep what the asker follows; raise FilterError where that is too much."""
        ...

    async def fetch(self, asker: Asker, refs: Sequence[Ref]) -> Sequence[Proven]:
        """Entries by place and id, with inclusion paths."""
        ...

    async def secret(self, asker: Asker, subject: bytes, section: str) -> Section:
        """A secret section sealed to the asker's box key."""
        ...

    async def chunk(self, asker: Asker, ref: Ref, section: str, n: int) -> bytes:
        """One chunk of a section of an entry, under that section's right."""
        ...

    async def lookup(self, asker: Asker, scheme: str, value: str) -> Looked:
        """The passports of an identifier that the asker may read; to a member else whether there is one."""
        ...

    async def refer(self, asker: Asker, keys: Sequence[bytes]) -> Sequence[Sequence[Referral]]:
        """For each key who announced here that he holds what has it."""
        ...

    async def ask(self, asker: Asker, scheme: str, value: str, words: str) -> None:
        """Keep for people here that the asker wants to be shown what has an identifier."""
        ...

    async def claim(self, asker: Asker, claim: Claim) -> Claimed:
        """Hand a box over to who shows that it has the code."""
        ...

    async def announce(self, asker: Asker, announced: Announced) -> Mapping[int, bytes] | None:
        """Keep what the asker holds; where its list is another here than it says, the digests of its buckets."""
        ...

    async def joining_key(self, join: Join) -> bytes:
        """The 33-byte sign key of a node that shows an invitation's secret, by the chain that it brings."""
        ...

    async def join(self, join: Join) -> None:
        """Take a node that shows an invitation's secret."""
        ...


class Meter(Protocol):
    """Counts what happened, by name and label."""

    def count(self, name: str, label: str = "", amount: int = 1) -> None:
        """Add one, or more."""
        ...


class Times(Protocol):
    """The server's time."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        ...
