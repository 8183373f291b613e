"""Drivers as organisations publish them: statements of kind 14 with a package, or with why one is taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from drivers.errors import DriverError
from drivers.package import Package, decode_package
from federation.fragment import Ref
from node.passport.drafts import DRIVER, DRIVER_WITHDRAWAL
from node.passport.statement import Statement

LONGEST = 500  # characters of a reason that are kept


@dataclass(frozen=True, slots=True)
class Publication:
    """A driver as an organisation published it: `package` where it can be read, else `why` not."""

    org: bytes
    ref: Ref
    entry: bytes
    hash: bytes
    package: Package | None
    why: str = ""
    size: int = 0  # of its bytes

    @property
    def name(self) -> tuple[str, str]:
        """Id and version; of what cannot be read its hash."""
        if self.package is None:
            return self.hash.hex()[:16], "0"
        return self.package.descriptor.id, self.package.descriptor.version

    @property
    def is_own(self) -> bool:
        """Whether it names as its publisher who published it: anybody can say again what another published."""
        return self.package is None or self.package.descriptor.publisher == self.org.hex()


def read_publication(statement: Statement) -> Publication | None:
    """What a statement publishes; None where it publishes no driver."""
    raw = statement.sections.get(DRIVER)
    if raw is None:
        return None
    org, ref, entry = statement.org, statement.ref, statement.id
    try:
        package = decode_package(raw)
    except DriverError as error:
        return Publication(org, ref, entry, sha256(raw).digest(), None, tell_why(error), len(raw))
    return Publication(org, ref, entry, package.hash, package, size=len(raw))


def tell_why(error: DriverError) -> str:
    """What an error says as it is kept and shown: it may name what a package has that is no text."""
    return str(error)[:LONGEST].encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def find_withdrawn(statements: Iterable[Statement]) -> frozenset[Ref]:
    """The places of publications that their own organisation took back; the statements may be without sections."""
    said = list(statements)
    published = {statement.ref: statement.org for statement in said}
    ends = (one for one in said if any(name == DRIVER_WITHDRAWAL for name, _ in one.classes))
    taken = ((one.org, ref) for one in ends for ref in one.refs)
    return frozenset(ref for org, ref in taken if published.get(ref) == org)
