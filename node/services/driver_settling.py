"""Bringing the drivers that run here to what was published, and to what the rules say of each.

Whatever changes what decides about one (another publication, whose a type is, whom an administrator trusts) is followed
by `settle`; the outcome of each version stands in the store. Tests of a driver run beside the event loop.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from drivers.driver import prove
from drivers.errors import DriverError
from drivers.opening import Scripts, open_package
from drivers.package import Package
from drivers.registry import Installed, Registry, Standing
from federation.authority import Kind
from federation.fragment import Ref
from node.passport.driver_publications import (
    LONGEST,
    Publication,
    find_withdrawn,
    read_publication,
    tell_why,
)
from node.passport.driver_rules import DriverState, KnownDriver, Refusal, Rule, find_foreign, find_refusal
from node.passport.statement import Statement
from node.services.core import Core
from node.services.drivers import Drivers
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.drivers import StoredDriver, list_drivers, put_driver, trusted_publishers

ACTOR = "drivers"


class DriverSettling:
    """Decides which published drivers run here. `lock` is held while anything about them changes."""

    def __init__(self, core: Core, projection: Projection, drivers: Drivers, scripts: Scripts) -> None:
        self._core = core
        self._projection = projection
        self._drivers = drivers
        self._scripts = scripts
        self._native = drivers.registry
        self._parsed: dict[bytes, Publication] = {}
        self._built: dict[bytes, Installed | Refusal] = {}
        self.held: Mapping[bytes, Publication] = {}
        self.lock = asyncio.Lock()

    async def settle(self, actor: str = ACTOR) -> None:
        """Bring what runs here to what was published, and what the rules say of it."""
        async with self.lock:
            async with self._core.database.read() as tx:
                reader = await StatementReader.open(tx)
                statements = await reader.of_kinds(tx, (Kind.DRIVER,))
                stored = {one.hash: one for one in await list_drivers(tx)}
                trusted = frozenset(await trusted_publishers(tx)) | {self._core.org}
            said, withdrawn = await asyncio.to_thread(self._read, statements), find_withdrawn(statements)
            changed = {one.hash: one for one in self._natives(stored)}
            for publication in said:
                for one in await self._judge(publication, {**stored, **changed}, trusted, withdrawn):
                    changed[one.hash] = one
            self.held = {publication.hash: publication for publication in said}
            for one in stored.values():
                if one.org is not None and one.hash not in self.held and one.state != DriverState.REFUSED:
                    changed[one.hash] = _refuse(one, Refusal(Rule.GONE))
            if changed:
                async with self._core.database.write() as tx:
                    for one in changed.values():
                        await put_driver(tx, one)
                        before = stored.get(one.hash)
                        if one.org is not None and (before is None or before.state != one.state):
                            await self.tell(tx, actor, f"driver_{one.state}", one)
            await self._install({**stored, **changed})

    async def _judge(
        self,
        publication: Publication,
        stored: Mapping[bytes, StoredDriver],
        trusted: frozenset[bytes],
        withdrawn: frozenset[Ref],
    ) -> list[StoredDriver]:
        """What becomes of a publication, and of the version that it replaces; nothing where all stays."""
        one, package = stored.get(publication.hash), publication.package
        if self._native.find_by_hash(publication.hash) is not None:
            return []  # it is of this machine too
        if one is not None and one.org != publication.org:
            one = None  # somebody else said it again, before its publisher was heard
        fresh = one or _fresh(publication)
        if publication.ref in withdrawn:
            if one is not None and one.state == DriverState.WITHDRAWN:
                return []
            return [replace(fresh, state=DriverState.WITHDRAWN, detail=_about(publication))]
        if package is None:
            return [] if one is not None else [_refuse(fresh, Refusal(Rule.BROKEN, {"why": publication.why}))]
        is_trusted, world = publication.org in trusted, self._projection.world
        if one is not None and one.state not in (DriverState.REFUSED, DriverState.ACTIVE):
            return []
        if one is not None and one.state == DriverState.ACTIVE:
            foreign = None if is_trusted or one.detail.get("by") else find_foreign(package, publication.org, world)
            built = self._taken(one) or foreign or await self.build(package)
            return [_refuse(one, built)] if isinstance(built, Refusal) else []
        known = [known_driver(other) for other in stored.values()]
        built = find_refusal(package, publication.org, world, known, is_trusted=is_trusted) or await self.build(package)
        if isinstance(built, Refusal):
            refused = _refuse(fresh, built)
            return [] if one is not None and one.detail == refused.detail else [refused]
        detail = {
            **_about(publication),
            "tested_us": self._core.clock.now(),
            "vectors": len(package.descriptor.vectors),
        }
        older = [
            replace(other, state=DriverState.REPLACED)
            for other in stored.values()
            if other.driver == fresh.driver and other.hash != fresh.hash and other.state == DriverState.ACTIVE
        ]
        return [*older, replace(fresh, state=DriverState.ACTIVE, detail=detail)]

    def _taken(self, one: StoredDriver) -> Refusal | None:
        """The refusal of a driver whose id one of this machine has by now."""
        is_taken = self._native.find(one.driver) is not None
        return Refusal(Rule.ID, {"id": one.driver, "by": ""}) if is_taken else None

    async def build(self, package: Package, *, again: bool = False) -> Installed | Refusal:
        """The driver of a package whose vectors hold; tested once in a process, or `again`."""
        if again or package.hash not in self._built:
            self._built[package.hash] = await asyncio.to_thread(_tested, package, self._scripts)
        return self._built[package.hash]

    def _natives(self, stored: Mapping[bytes, StoredDriver]) -> Iterable[StoredDriver]:
        """Rows of drivers of this machine that changed: readings name them after they are gone, too."""
        here = {item.hash: item for item in self._native.installed}
        for digest, item in here.items():
            known, text = stored.get(digest), item.driver.descriptor
            if known is None or known.state == DriverState.REPLACED:
                detail: dict[str, object] = {"name": text.name}
                yield StoredDriver(digest, text.id, text.version, text.level, None, None, DriverState.ACTIVE, detail)
        for one in stored.values():
            if one.org is None and one.hash not in here and one.state == DriverState.ACTIVE:
                yield replace(one, state=DriverState.REPLACED)

    async def _install(self, stored: Mapping[bytes, StoredDriver]) -> None:
        """Let the registry be of what is active."""
        world, installed = self._projection.world, list(self._native.installed)
        for one in stored.values():
            publication = self.held.get(one.hash)
            if one.state != DriverState.ACTIVE or publication is None or publication.package is None:
                continue
            if self._native.find(one.driver) is not None:
                continue
            built = await self.build(publication.package)
            if isinstance(built, Installed):
                is_owner = find_foreign(publication.package, publication.org, world) is None
                installed.append(replace(built, standing=Standing.OWNER if is_owner else Standing.TRUSTED))
        self._drivers.put(Registry(installed, self._native.broken))

    def _read(self, statements: Iterable[Statement]) -> list[Publication]:
        """Publications in the order of (time, log, place), each hash once: as its own publisher first said it."""
        said: list[Publication] = []
        for statement in sorted(statements, key=lambda item: item.order):
            publication = self._parsed.get(statement.id) or read_publication(statement)
            if publication is not None:
                self._parsed[statement.id] = publication
                said.append(publication)
        found: dict[bytes, Publication] = {}
        for publication in sorted(said, key=lambda one: not one.is_own):
            found.setdefault(publication.hash, publication)
        return list(found.values())

    async def tell(self, tx: WriteTx, actor: str, what: str, one: StoredDriver) -> None:
        """Journal what became of a version."""
        rule, named = one.detail.get("rule"), (one.driver, one.version)
        if rule is None:
            await self._core.announce(tx, actor, what, org=one.org, driver=named[0], version=named[1])
        else:
            await self._core.announce(tx, actor, what, org=one.org, driver=named[0], version=named[1], rule=rule)


def _tested(package: Package, scripts: Scripts) -> Installed | Refusal:
    try:
        driver = open_package(package, scripts)
        failed = prove(driver)
    except DriverError as error:
        return Refusal(Rule.BROKEN, {"why": tell_why(error)})
    except Exception as error:  # the code of others is built here: whatever it raises costs this package alone
        return Refusal(Rule.BROKEN, {"why": tell_why(DriverError(f"{type(error).__name__}: {error}"))})
    if failed:
        first = failed[0]
        values = {"name": first.name, "expected": first.expected[:LONGEST], "got": first.got[:LONGEST]}
        return Refusal(Rule.VECTOR, values)
    return Installed(driver, package.hash)


def _fresh(publication: Publication) -> StoredDriver:
    driver, version = publication.name
    level = int(publication.package.descriptor.level) if publication.package else 0
    return StoredDriver(
        publication.hash,
        driver,
        version,
        level,
        publication.org,
        publication.entry,
        DriverState.REFUSED,
        _about(publication),
    )


def _about(publication: Publication) -> dict[str, object]:
    return {"name": publication.package.descriptor.name if publication.package else ""}


def _refuse(one: StoredDriver, refusal: Refusal) -> StoredDriver:
    detail = {"name": one.detail.get("name", ""), "rule": refusal.rule.value, "values": dict(refusal.values)}
    return replace(one, state=DriverState.REFUSED, detail=detail)


def known_driver(one: StoredDriver) -> KnownDriver:
    """What the rules ask of a version that stands here, or stood."""
    return KnownDriver(one.driver, one.version, one.hash, one.org, DriverState(one.state))
