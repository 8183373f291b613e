"""What is meant by a text that was scanned or typed: the one thing here that it names, or a part as it is printed."""

from collections.abc import Iterable

from node.errors import InputError, NotFoundError
from node.passport.scans import Filled
from node.services.assembly import PartIn
from node.services.identities import Identities
from node.services.lookup import Lookup
from node.services.projection import Projection
from node.store.passports import StoredPassport

__all__ = ["Recognition"]

BATCH = "batch"


class Recognition:
    """Tells things by what stands on them, among those that are known here."""

    def __init__(self, projection: Projection, identities: Identities, lookup: Lookup) -> None:
        self._projection = projection
        self._identities = identities
        self._lookup = lookup

    async def find(self, text: str) -> StoredPassport | None:
        """The one passport that a text names; raise InputError where it names several or is mistyped.

        Raise NotFoundError for an id of ours whose passport is not here.
        """
        read = await self._identities.read(Filled(text))
        if read.known is not None:
            return read.known
        if read.scan.subject is not None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        found = (await self._lookup.here([text]))[text]
        if len(found) > 1:
            raise InputError(
                f"{text[:64]!r} names {len(found)} things here",
                "part_several",
                titles=", ".join(p.title for p in found[:5]),
            )
        return found[0] if found else None

    async def get(self, text: str) -> StoredPassport:
        """The same; raise NotFoundError where nothing here is named so."""
        found = await self.find(text)
        if found is None:
            raise NotFoundError(f"nothing here is named {text[:64]!r}", "scan_unknown", text=text[:64])
        return found

    async def part(self, text: str, position: str | None = None, quantity: str = "1") -> PartIn:
        """A part that was scanned or typed: one that has a passport, else what is printed on it."""
        known = await self.find(text)
        if known is not None:
            relation = "material" if known.kind == BATCH else None
            return PartIn(known.subject, None, None, position, quantity, relation)  # type: ignore[arg-type]  # one of the words
        read = self._projection.world.lines.read_typed(text)
        designation, serial = (read.designation, read.serial) if read else (text, None)
        return PartIn(None, designation, serial, position, quantity)

    async def parts(self, texts: Iterable[str]) -> list[PartIn]:
        """Several parts, each by a line."""
        return [await self.part(text) for text in texts]
