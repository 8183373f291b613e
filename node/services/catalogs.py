"""Publishing records of the own catalog."""

import json
from collections.abc import Mapping

from node.errors import InputError
from node.passport import drafts
from node.passport.bodies import CatalogReference
from node.passport.catalogs import Catalog
from node.passport.drafts import Draft
from node.passport.errors import PassportError
from node.passport.lines import SerialLine
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.releases import Releases
from node.store.database import WriteTx


class Catalogs:
    """Lines and dual references, in this organisation's name."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, releases: Releases) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._releases = releases

    async def publish_line(self, record: Mapping[str, object], actor: str) -> str:
        """Publish a serial line and answer its id; raise InputError naming the field that is wrong."""
        values = {"line": self._core.random.bytes(16).hex(), **record, "publisher": self._core.org.hex()}
        try:
            line = SerialLine.from_bytes(json.dumps(values).encode())
        except PassportError as error:
            raise InputError(str(error), "line_refused") from error
        draft = drafts.catalog(self._core.org, "line", line.to_bytes(), self._core.clock.now())
        await self._say(draft, actor, "line_published", line.line)
        return line.line

    def may_publish_lines(self) -> bool:
        """Whether a line of this organisation counts: an anchor attested it as a maker, or as a steward of lines."""
        attested, org, now = self._projection.world.attestations, self._core.org, self._core.clock.now()
        return attested.is_maker(org, now) or attested.is_steward(org, "line", now)

    async def bind(self, catalog: str, local: str, central: str, local_name: str | None, actor: str) -> None:
        """Bind an own code to a central one; raise InputError where there is no such central code."""
        if central not in self._codes(catalog):
            raise InputError(f"catalog {catalog} has no code {central}", "code_unknown")
        body = CatalogReference(catalog=catalog, local=local, central=central, local_name=local_name)
        draft = drafts.reference(self._core.org, body, self._core.clock.now())
        await self._say(draft, actor, "reference_bound", f"{catalog}: {local} = {central}")

    def _codes(self, catalog: str) -> set[str]:
        try:
            return set(self._releases.records(Catalog(catalog)))
        except ValueError as error:
            raise InputError(f"there is no catalog {catalog}", "catalog_unknown") from error

    async def _say(self, draft: Draft, actor: str, what: str, record: str) -> None:
        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, what, record=record)

        await self._ledger.append([draft], note)
