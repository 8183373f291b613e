"""What enters this node by a person or a system, held to the catalogs before it is signed.

A system that loaded its codes once speaks them everywhere: each text is taken as its own code first. What breaks a
catalog is refused with row, field and rule; an own code that means nothing yet is taken and marked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.passport.bodies import EventBody, ParameterRow, Reference, TypeBody
from node.passport.catalog_rules import (
    RowFinding,
    Rulebook,
    check_approval,
    check_parameter,
    check_reference,
    check_type,
)
from node.passport.catalogs import Catalog
from node.passport.used_codes import PLACES
from node.passport.world import World
from node.services.core import Core
from node.services.findings import Shown, refusal, show_row_finding
from node.services.own_codes import central_name
from node.services.projection import Projection
from node.services.releases import Releases


@dataclass(frozen=True, slots=True)
class BothCodes:
    """A code as it was taken: the own one, the central one that it means now, its names."""

    catalog: str
    local: str | None
    central: str | None
    name: str | None


class Entry:
    """Checks what is about to be said against the catalogs that this node works with."""

    def __init__(self, core: Core, projection: Projection, releases: Releases) -> None:
        self._core = core
        self._projection = projection
        self._releases = releases
        self._made: tuple[World, object, Rulebook] | None = None

    @property
    def book(self) -> Rulebook:
        """The rules as they stand now."""
        world, types = self._projection.world, self._releases.types()
        if self._made is None or self._made[0] is not world or self._made[1] is not types:
            self._made = (world, types, self._read(world))
        return self._made[2]

    def refer(self, catalog: str, text: str) -> Reference:
        """What one text means here: an own code that was loaded, else a central one, else a new own code."""
        return self.book.refer(catalog, text)

    def check_rows(self, rows: Sequence[ParameterRow], pointer: str = "/rows") -> list[Shown]:
        """Hints about rows of parameters; raise InputError naming row, field and rule of what breaks a catalog."""
        hints: list[Shown] = []
        faults: list[Shown] = []
        for at, row in enumerate(rows):
            where = f"{pointer}/{at}"
            places = {"parameter": f"{where}/code", "value": f"{where}/value", "unit": f"{where}/unit"}
            for found in self._row(row):
                (hints if found.is_hint else faults).append(show_row_finding(found, places))
        if faults:
            raise refusal("catalog_rule", faults)
        return hints

    def check_event(self, body: EventBody, known_form: bool) -> None:
        """Raise InputError where the kind of event is no code of the catalog; `known_form` reads as a central one."""
        found = list(check_reference(self.book, Catalog.EVENTS, body.what, "event"))
        local = body.what.local
        if local and known_form and (Catalog.EVENTS.value, local) not in self.book.own:
            found.append(RowFinding("event", local, "code-unknown", {"catalog": Catalog.EVENTS.value}))
        self._refuse(found, {"event": "/what"})

    def check_type(self, body: TypeBody, approvals: Iterable[str] = (), made_on: str | None = None) -> None:
        """Raise InputError where a type, its execution, version or approval breaks the catalog."""
        book = self.book
        code = book.resolve(Catalog.TYPES, body.type)
        found = [*check_reference(book, Catalog.TYPES, body.type, "type")]
        found += check_type(book, code, body.execution, body.version)
        for approval in approvals:
            found += check_approval(book, approval, code, made_on)
        self._refuse(found, {"approval": "/approvals"})

    def check_approvals(self, approvals: Iterable[str], made_on: str | None = None) -> None:
        """Raise InputError where an approval has not the form of a ГРСИ number and begins as one."""
        found = [one for approval in approvals for one in check_approval(self.book, approval, None, made_on)]
        self._refuse(found, {"approval": "/approvals"})

    def both(self, catalog: str, reference: Reference, language: str) -> BothCodes:
        """A reference with both its codes."""
        central = self.book.resolve(catalog, reference)
        name = central_name(self._releases, catalog, central, language)
        own = self._projection.world.local_names.get((self._core.org.hex(), catalog, reference.local or ""))
        return BothCodes(catalog, reference.local, central, name or own)

    def central_codes(self, rows: Iterable[ParameterRow]) -> list[str | None]:
        """What the codes of some rows mean here; None where nothing binds one."""
        world = self._projection.world
        return [world.central(row.code, self._core.org, Catalog.PARAMETERS) for row in rows]

    def codes_of_rows(self, rows: Iterable[ParameterRow], language: str) -> list[BothCodes]:
        """The codes of rows of parameters, each once, with both spellings."""
        found: dict[tuple[str, str | None, str | None], BothCodes] = {}
        for row in rows:
            both = [self.both(Catalog.PARAMETERS.value, row.code, language)]
            if row.unit and row.unit not in self.book.central(Catalog.UNITS):
                both.append(self.both(Catalog.UNITS.value, Reference(local=row.unit), language))
            found |= {(code.catalog, code.local, code.central): code for code in both}
        return list(found.values())

    def codes_of_event(self, body: EventBody, language: str) -> list[BothCodes]:
        """The codes of an event, with both spellings."""
        found = [self.both(Catalog.EVENTS.value, body.what, language)]
        if body.where.place is not None:
            found.append(self.both(PLACES, body.where.place, language))
        return found

    def _row(self, row: ParameterRow) -> Iterable[RowFinding]:
        book = self.book
        yield from check_reference(book, Catalog.PARAMETERS, row.code, "parameter")
        yield from check_parameter(book, book.resolve(Catalog.PARAMETERS, row.code), row.value, row.unit)

    def _refuse(self, found: Sequence[RowFinding], places: dict[str, str]) -> None:
        faults = [show_row_finding(one, places) for one in found if not one.is_hint]
        if faults:
            raise refusal("catalog_rule", faults)

    def _read(self, world: World) -> Rulebook:
        own = self._core.org.hex()
        return Rulebook(
            records={catalog.value: self._releases.records(catalog) for catalog in Catalog},
            types=self._releases.types(),
            own={(where, local): code.central for (org, where, local), code in world.own_codes.items() if org == own},
            versions={
                code: frozenset(item.record.version for item in items)
                for code, items in world.type_versions.by_type.items()
            },
        )
