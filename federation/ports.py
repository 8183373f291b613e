"""What the federation's shells take from the node above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.fragment import Ref, Section
from federation.sync.messages import Heads, Join, Proven, Pulled, Row


@dataclass(frozen=True, slots=True)
class Asker:
    """The node that signed a request, and its organisation."""

    org: bytes
    node: bytes


class Shelf(Protocol):
    """What this node answers its peers. Every method raises RequestError where the asker may not."""

    async def sign_key(self, org: bytes, node: bytes) -> bytes | None:
        """The 33-byte sign key of a node that is stated and not ended, or None."""
        ...

    async def heads(self, asker: Asker) -> Heads:
        """What is here, and how much of it is opened to the asker."""
        ...

    async def entries(self, asker: Asker, log: bytes, start: int, end: int) -> Sequence[Row]:
        """Rows of a log: fragments as the asker may see them, leaf hashes for the rest."""
        ...

    async def leaves(self, log: bytes, start: int, end: int) -> Sequence[bytes]:
        """Leaf hashes of a log."""
        ...

    async def pull(self, asker: Asker, after: int, limit: int) -> Pulled:
        """Entries about subjects that were opened to the asker after a number."""
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

    async def lookup(self, asker: Asker, scheme: str, value: str) -> Sequence[tuple[bytes, int]]:
        """Subjects that carry an identifier and that the asker may read, each with the age of what is known."""
        ...

    async def join(self, join: Join) -> None:
        """Take a node that shows an invitation's secret."""
        ...

    async def noticed(self, asker: Asker) -> None:
        """A peer says that it has something new."""
        ...


class Meter(Protocol):
    """Counts what happened, by name and label."""

    def count(self, name: str, label: str = "") -> None:
        """Add one."""
        ...


class Times(Protocol):
    """The server's time."""

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        ...
