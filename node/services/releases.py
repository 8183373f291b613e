"""Releases of central catalogs on this node: which one it works with, which wait, what they change, and publishing.

A node works with the release that its administrator adopted, release 0 (as shipped) before that, while newer ones
arrive. What it works with decides which codes it accepts, names and offers; passports are folded from all of them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.catalog_records import Difference, RecordFault, difference, meaning
from node.passport.catalogs import Catalog, DeviceType, Record, load_central, parse_type
from node.passport.errors import PassportError
from node.passport.releases import Records, Release, pack_release, records_of, release_faults, settled
from node.passport.type_passports import record_of
from node.passport.world import World
from node.services.core import Core
from node.services.findings import refusal, show_fault
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.store.database import WriteTx
from node.store.own_codes import count_in_views, count_types
from node.store.settings import set_setting, settings_like

ADOPTED, AUTOMATIC = "catalog/adopted/", "catalog/automatic/"
ACTOR = "node"
SHIPPED = "shipped"
NEEDLES = {Catalog.UNITS: '"unit":"{}"', Catalog.PROCESSES: '"process":"{}"'}
NEEDLE = '"central":"{}"'


@dataclass(frozen=True, slots=True)
class CatalogState:
    """One catalog here: the release it works with (None is as shipped), the newer ones, and all."""

    catalog: Catalog
    adopted: Release | None
    waiting: tuple[Release, ...]
    releases: tuple[Release, ...]
    is_automatic: bool
    count: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What adopting a release would change here, with how many passports each changed code stands in."""

    release: Release | None
    against: Release | None
    difference: Difference
    touched: Mapping[str, int]


class Releases:
    """Adopts and publishes releases, and answers the records that this node works with."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection) -> None:
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._adopted: dict[str, str] = {}
        self._automatic: set[str] = set()
        self._seen: World | None = None
        self._records: dict[Catalog, Records] = {}
        self._types: dict[str, DeviceType] = {}

    async def open(self) -> None:
        """Read what was adopted."""
        async with self._core.database.read() as tx:
            adopted, automatic = await settings_like(tx, ADOPTED), await settings_like(tx, AUTOMATIC)
        self._adopted = {name.removeprefix(ADOPTED): raw.decode() for name, raw in adopted.items() if raw}
        self._automatic = {name.removeprefix(AUTOMATIC) for name, raw in automatic.items() if raw}

    async def run(self) -> None:
        """Adopt what arrives for catalogs that are set so, until cancelled."""
        seen: World | None = None
        with self._core.bus.listen() as news:
            while True:
                if self._automatic and seen is not self._projection.world:
                    seen = self._projection.world
                    await self._adopt_newest()
                await news.get()

    def state(self, catalog: Catalog) -> CatalogState:
        """How a catalog stands here."""
        releases = self._projection.world.releases.get(catalog, ())
        adopted = self._find_adopted(catalog)
        number = adopted.number if adopted else 0
        return CatalogState(
            catalog=catalog,
            adopted=adopted,
            waiting=tuple(release for release in releases if release.counts and release.number > number),
            releases=releases,
            is_automatic=catalog.value in self._automatic,
            count=len(self.records(catalog)),
        )

    def records(self, catalog: Catalog) -> Records:
        """The central records that this node works with: the adopted release, and what was published one by one."""
        self._forget_old()
        if catalog not in self._records:
            self._records[catalog] = working_records(self._projection.world, catalog, self._adopted.get(catalog.value))
        return self._records[catalog]

    def types(self) -> Mapping[str, DeviceType]:
        """The types that this node works with."""
        self._forget_old()
        if not self._types:
            self._types = {code: parse_type(record) for code, record in self.records(Catalog.TYPES).items()}
        return self._types

    def find(self, catalog: Catalog, name: str) -> Release | None:
        """A release by number or digest, None for the shipped one; raise NotFoundError for one that is not here."""
        if name == SHIPPED:
            return None
        releases = self._projection.world.releases.get(catalog, ())
        named = [release for release in releases if name in (release.digest, str(release.number))]
        if not named:
            raise NotFoundError(f"no release {name} of {catalog.value} is here", "release_unknown", name=name)
        return named[0]

    async def preview(self, catalog: Catalog, name: str, against: str | None = None) -> Preview:
        """What a release changes against the adopted one, or against another; raise NotFoundError or StateError."""
        release = self._whole(self.find(catalog, name))
        base = self._find_adopted(catalog) if against is None else self._whole(self.find(catalog, against))
        found = difference(catalog, _raw(catalog, base), _raw(catalog, release))
        return Preview(release, base, found, await self._touched(catalog, found))

    async def adopt(self, catalog: Catalog, name: str, actor: str) -> CatalogState:
        """Work with a release from now on; `shipped` goes back to release 0."""
        release = self._whole(self.find(catalog, name))
        if release is not None and release.is_contested:
            raise StateError(f"two releases have number {release.number}", "release_contested", number=release.number)
        digest = release.digest if release else ""
        async with self._core.database.write() as tx:
            await set_setting(tx, ADOPTED + catalog.value, digest.encode())
            number = release.number if release else 0
            await self._core.announce(
                tx, actor, "release_adopted", catalog=catalog.value, release=number, digest=digest
            )
        self._adopted[catalog.value] = digest
        self._seen = None
        return self.state(catalog)

    async def set_automatic(self, catalog: Catalog, automatic: bool, actor: str) -> CatalogState:
        """Whether newer releases of a catalog are adopted as soon as they are here."""
        async with self._core.database.write() as tx:
            await set_setting(tx, AUTOMATIC + catalog.value, b"1" if automatic else b"")
            await self._core.announce(
                tx, actor, "release_mode_set", catalog=catalog.value, automatic="yes" if automatic else "no"
            )
        (self._automatic.add if automatic else self._automatic.discard)(catalog.value)
        if automatic:
            await self._adopt_newest()
        return self.state(catalog)

    async def publish(
        self,
        catalog: Catalog,
        number: int,
        label: str,
        date: str,
        records: Sequence[Record],
        actor: str,
        *,
        removed: Sequence[str] = (),
        whole: bool = False,
    ) -> str:
        """Sign a release and answer its digest: these records over those of the newest release, or alone.

        Raise DeniedError where this organisation is no steward of the catalog, StateError where the number is taken,
        and InputError naming record, field and rule of what breaks the catalog.
        """
        world, now = self._projection.world, self._core.clock.now()
        if not world.attestations.is_steward(self._core.org, catalog.value, now):
            raise DeniedError(
                f"no anchor attests this organisation as steward of {catalog.value}",
                "not_a_steward",
                catalog=catalog.value,
            )
        releases = world.releases.get(catalog, ())
        newest = max((release.number for release in releases), default=0)
        if number <= newest:
            raise StateError(
                f"release {newest} of {catalog.value} is there already",
                "release_number_taken",
                number=number,
                newest=newest,
            )
        chosen = await asyncio.to_thread(_merged, catalog, releases, records, removed, whole)
        try:
            manifest, pages = await asyncio.to_thread(pack_release, catalog, number, label, date, chosen)
        except PassportError as error:
            raise InputError(str(error), "release_refused", reason=str(error)) from error

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "release_published", catalog=catalog.value, release=number)

        await self._ledger.append(drafts.release(self._core.org, manifest, pages, now), note)
        return self.find(catalog, str(number)).digest  # type: ignore[union-attr]  # a number above 0 is a release

    async def _adopt_newest(self) -> None:
        for catalog in Catalog:
            if catalog.value in self._automatic and (waiting := self.state(catalog).waiting):
                await self.adopt(catalog, waiting[-1].digest, ACTOR)

    async def _touched(self, catalog: Catalog, found: Difference) -> Mapping[str, int]:
        codes = found.codes - set(found.added)
        async with self._core.database.read() as tx:
            if catalog is Catalog.TYPES:
                counts = await count_types(tx)
                return {code: counts.get(code, 0) for code in codes}
            needle = NEEDLES.get(catalog, NEEDLE)
            return await count_in_views(tx, {code: needle.replace("{}", code).encode() for code in codes})

    def _find_adopted(self, catalog: Catalog) -> Release | None:
        digest = self._adopted.get(catalog.value)
        releases = self._projection.world.releases.get(catalog, ())
        return next((item for item in releases if item.digest == digest and item.records is not None), None)

    def _whole(self, release: Release | None) -> Release | None:
        if release is not None and release.records is None:
            raise StateError(f"release {release.number} is still arriving", "release_arriving", number=release.number)
        return release

    def _forget_old(self) -> None:
        if self._seen is not self._projection.world:
            self._seen = self._projection.world
            self._records, self._types = {}, {}


def working_records(world: World, catalog: Catalog, digest: str | None) -> Records:
    """What a node works with that adopted the release of a digest: its records, and what was published one by one."""
    base = dict(records_of(catalog, world.releases.get(catalog, ()), digest))
    if catalog is Catalog.TYPES:
        types = world.type_records.items()
        one_by_one = {code: record_of(one.record) for code, one in types if one.is_steward or code not in base}
    else:
        named = ((code, name) for (where, code), name in world.code_names.items() if where == catalog.value)
        one_by_one = {code: {"code": code, "ru": name} for code, name in named if code not in base}
    return MappingProxyType(base | one_by_one)


def _raw(catalog: Catalog, release: Release | None) -> Records:
    return load_central(catalog) if release is None or release.records is None else release.records


def _merged(
    catalog: Catalog, releases: Sequence[Release], records: Sequence[Record], removed: Sequence[str], whole: bool
) -> list[Record]:
    """The records of a new release; raise InputError naming those that break the catalog."""
    counted = [release for release in releases if release.counts]
    base = {} if whole else dict(_raw(catalog, counted[-1] if counted else None))
    known = settled(catalog, counted)
    faults = list(release_faults(catalog, records))
    for record in records:
        code = str(record.get("code"))
        if code in known and meaning(catalog, known[code]) != meaning(catalog, record):
            faults.append(RecordFault(code, "code", "record-meaning", code))
    if unknown := [code for code in removed if code not in base]:
        raise InputError(f"catalog {catalog.value} has no code {unknown[0]}", "code_unknown")
    if faults:
        raise refusal("catalog_refused", map(show_fault, faults))
    base |= {str(record.get("code")): record for record in records}
    return [record for code, record in base.items() if code not in set(removed)]
