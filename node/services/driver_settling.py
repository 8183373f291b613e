"""Bringing the drivers that run here to what was published, and to what the rules say of each.

Whatever changes what decides about one (another publication, whose a type is, whom an administrator trusts) is followed
by `settle`; the outcome of each version stands in the store. Publishers are judged apart, who has said most last, and
of each only the newest versions of so many drivers: nobody holds up the others. Tests run beside the event loop.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from drivers.descriptor import parse_version
from drivers.driver import prove
from drivers.errors import DriverError
from drivers.opening import Scripts, open_package
from drivers.package import Package
from drivers.registry import Installed, Reach, Registry, Standing
from node.passport.driver_publications import LONGEST, Publication, tell_why
from node.passport.driver_rules import (
    LIVE,
    MOST_DRIVERS,
    MOST_TRIED,
    PROVING_S,
    STOOD,
    DriverState,
    KnownDriver,
    Refusal,
    Rule,
    find_excess,
    find_foreign,
    find_refusal,
    owned_names,
)
from node.services.core import Core
from node.services.driver_rows import FAULT, decided, described, is_described, known_driver, refusal_of, refused
from node.services.driver_shelf import DriverShelf
from node.services.drivers import Drivers
from node.services.projection import Projection
from node.store.database import WriteTx
from node.store.drivers import StoredDriver, list_drivers, put_driver, stopped_drivers, trusted_publishers

ACTOR = "drivers"

Rows = Mapping[bytes, StoredDriver]


@dataclass(slots=True)
class _Case:
    """A publisher whose drivers are judged, and what decides about them; `rows` as they were decided so far."""

    org: bytes
    owned: Reach
    is_trusted: bool
    stopped: frozenset[str]
    until: float
    rows: dict[bytes, StoredDriver]
    looked: int = 0
    is_unfinished: bool = False


class DriverSettling:
    """Decides which published drivers run here. `lock` is held while anything about them changes."""

    def __init__(self, core: Core, projection: Projection, drivers: Drivers, scripts: Scripts) -> None:
        self._core = core
        self._projection = projection
        self._drivers = drivers
        self._scripts = scripts
        self._native = drivers.registry
        self._built: dict[bytes, Installed | Refusal] = {}
        self._settled: dict[bytes, object] = {}  # by publisher: what decided when he was judged last
        self.shelf = DriverShelf(core)
        self.is_unfinished = False  # whether vectors are left to be run
        self.lock = asyncio.Lock()

    async def settle(self, actor: str = ACTOR) -> None:
        """Bring what runs here to what was published, and what the rules say of it."""
        async with self.lock:
            stored = await self._take_up(actor)
            async with self._core.database.read() as tx:
                trusted = frozenset(await trusted_publishers(tx)) | {self._core.org}
                stops = (await stopped_drivers(tx)).keys()
            by_org: dict[bytes, list[StoredDriver]] = {}
            for one in stored.values():
                if one.org is not None:
                    by_org.setdefault(one.org, []).append(one)
            self._settled = {org: what for org, what in self._settled.items() if org in by_org}
            self.is_unfinished = False
            for org, rows in sorted(by_org.items(), key=lambda item: len(item[1])):
                stopped = frozenset(driver for who, driver in stops if who == org)
                changed = await self._settle_of(org, rows, org in trusted, stopped, actor)
                stored = {**stored, **changed}
                if changed:
                    self._install(stored, trusted)
            self._forget(stored)
            self._install(stored, trusted)

    async def build(self, package: Package, *, again: bool = False) -> Installed | Refusal:
        """The driver of a package whose vectors hold; tested once in a process, or `again`."""
        if again or package.hash not in self._built:
            self._built[package.hash] = await asyncio.to_thread(_tested, package, self._scripts)
        return self._built[package.hash]

    def forget(self, digest: bytes) -> None:
        """Let a driver go that was only tested."""
        if self._drivers.registry.find_by_hash(digest) is None:
            self._built.pop(digest, None)
            self._drivers.put(self._drivers.registry)

    async def tell(self, tx: WriteTx, actor: str, what: str, one: StoredDriver) -> None:
        """Journal what became of a version."""
        rule, named = one.detail.get("rule"), (one.driver, one.version)
        if rule is None:
            await self._core.announce(tx, actor, what, org=one.org, driver=named[0], version=named[1])
        else:
            await self._core.announce(tx, actor, what, org=one.org, driver=named[0], version=named[1], rule=rule)

    async def _take_up(self, actor: str) -> Rows:
        """The rows of all that stands here or stood, with those of packages that are new: they are stored when they
        are decided about.
        """
        async with self._core.database.read() as tx:
            stored = {one.hash: one for one in await list_drivers(tx)}
        changed = {one.hash: one for one in self._natives(stored)}
        async for publication in self.shelf.refresh(stored.values()):
            one = self._row(publication, changed.get(publication.hash) or stored.get(publication.hash))
            if one is not None:
                changed[one.hash] = one
        for one in stored.values():
            said, is_refused = self.shelf.said.get(one.hash), one.state == DriverState.REFUSED
            is_gone = one.org is not None and (said is None or said.org != one.org)
            if is_gone and not is_refused and one.hash not in changed:
                changed[one.hash] = refused(one, Refusal(Rule.GONE))
        await self._keep(stored, {digest: one for digest, one in changed.items() if not _is_undecided(one)}, actor)
        return {**stored, **changed}

    def _row(self, publication: Publication, known: StoredDriver | None) -> StoredDriver | None:
        """The row of a package that was read; None where it stands already, or is of this machine too."""
        if self._native.find_by_hash(publication.hash) is not None:
            return None
        fresh = described(publication)
        if known is None or known.org is None or (publication.is_own and not known.is_own):
            return fresh
        if known.org != publication.org or is_described(known):
            return None
        is_faulty = known.state == DriverState.REFUSED and FAULT in fresh.detail
        return fresh if is_faulty else replace(known, detail={**known.detail, **fresh.detail})

    def _natives(self, stored: Rows) -> Iterable[StoredDriver]:
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

    async def _settle_of(
        self, org: bytes, rows: Sequence[StoredDriver], is_trusted: bool, stopped: frozenset[str], actor: str
    ) -> Rows:
        """Judge the drivers of a publisher, where something changed that decides about them; answer what changed."""
        owned = owned_names(org, self._projection.world)
        taken = frozenset(one.driver for one in rows if self._native.find(one.driver) is not None)
        ends = frozenset(one.hash for one in rows if (said := self.shelf.said.get(one.hash)) and said.is_withdrawn)
        states = frozenset(
            (one.hash, one.state, str(one.detail.get("rule")), str(one.detail.get("by"))) for one in rows
        )
        decides = owned, is_trusted, stopped, taken, ends, states
        if self._settled.get(org) == decides:
            return {}
        until = self._core.clock.monotonic() + PROVING_S
        case = _Case(org, owned, is_trusted, stopped, until, {one.hash: one for one in rows})
        await self._judge(case)
        changed = {one.hash: fresh for one in rows if (fresh := case.rows[one.hash]) is not one}
        await self._keep({one.hash: one for one in rows}, changed, actor)
        self.is_unfinished |= case.is_unfinished
        if not case.is_unfinished:
            self._settled[org] = decides
        return changed

    async def _judge(self, case: _Case) -> None:
        """Decide about every version: drivers that run first, then those that did, then as they were published."""
        groups: dict[str, list[StoredDriver]] = {}
        for one in case.rows.values():
            said = self.shelf.said.get(one.hash)
            if said is None or said.org != case.org or self._native.find_by_hash(one.hash) is not None:
                continue
            if FAULT not in one.detail:
                groups.setdefault(one.driver, []).append(one)

        def turn(versions: Sequence[StoredDriver]) -> tuple[bool, bool, tuple[int, bytes, int]]:
            states = {one.state for one in versions}
            return DriverState.ACTIVE not in states, not states & LIVE, min(self._order(one) for one in versions)

        for versions in sorted(groups.values(), key=turn):
            is_looked = any(not self.shelf.said[one.hash].is_withdrawn for one in versions)
            if is_looked and case.looked >= MOST_DRIVERS:
                for one in versions:
                    if one.state in (DriverState.ACTIVE, DriverState.REFUSED):
                        self._refuse(case, one, Refusal(Rule.MANY, {"most": str(MOST_DRIVERS)}))
                continue
            case.looked += is_looked
            await self._judge_driver(case, versions)

    def _order(self, one: StoredDriver) -> tuple[int, bytes, int]:
        return self.shelf.said[one.hash].order

    async def _judge_driver(self, case: _Case, versions: Sequence[StoredDriver]) -> None:
        """Decide about the versions of one driver, newest first: the first that may run does, the others do not."""
        stands: StoredDriver | None = None  # the newest that stood here
        tried = 0
        for one in sorted(
            sorted(versions, key=lambda one: (one.state not in STOOD, self._order(one))),
            key=lambda one: parse_version(one.version),
            reverse=True,
        ):
            if self.shelf.said[one.hash].is_withdrawn:
                if one.state != DriverState.WITHDRAWN:
                    case.rows[one.hash] = decided(one, DriverState.WITHDRAWN)
            elif one.state == DriverState.ACTIVE:
                if stands is not None and case.rows[stands.hash].state == DriverState.ACTIVE:
                    case.rows[one.hash] = decided(one, DriverState.REPLACED)
                else:
                    await self._judge_running(case, one)
            elif one.state == DriverState.REFUSED and stands is not None:
                self._put_behind(case, one, stands)
            elif one.state == DriverState.REFUSED and tried >= MOST_TRIED:
                self._refuse(case, one, Refusal(Rule.TRIED, {"most": str(MOST_TRIED)}))
            elif one.state == DriverState.REFUSED:
                tried += 1
                await self._judge_new(case, one)
            if stands is None and case.rows[one.hash].state in STOOD:
                stands = case.rows[one.hash]

    def _put_behind(self, case: _Case, one: StoredDriver, newer: StoredDriver) -> None:
        """A version that did not run here, and a later one stood: it was before its time, or goes back."""
        names = {"id": one.driver, "version": one.version, "held": newer.version}
        if parse_version(one.version) == parse_version(newer.version):
            self._refuse(case, one, Refusal(Rule.VERSION_TAKEN, names))
        elif refusal_of(one) is None and self._order(one) < self._order(newer):
            case.rows[one.hash] = decided(one, DriverState.REPLACED)
        else:
            self._refuse(case, one, Refusal(Rule.VERSION_BACK, names))

    async def _judge_running(self, case: _Case, one: StoredDriver) -> None:
        if one.driver in case.stopped:
            case.rows[one.hash] = decided(one, DriverState.STOPPED, whole=True)
            return
        if self._native.find(one.driver) is not None:
            self._refuse(case, one, Refusal(Rule.ID, {"id": one.driver}))
            return
        built = await self._built_of(case, one)
        if isinstance(built, Installed) and not (case.is_trusted or one.detail.get("by")):
            built = find_foreign(built.driver.descriptor, case.owned) or built
        if isinstance(built, Refusal):
            self._refuse(case, one, built)

    async def _judge_new(self, case: _Case, one: StoredDriver) -> None:
        """A version may run that none newer of its driver stood before."""
        if refusal := find_excess(map(known_driver, case.rows.values()), case.org, one.driver, one.size):
            self._refuse(case, one, refusal)
            return
        found = await self.shelf.read(one.hash)
        package = found[0].package if found else None
        if package is None:
            self._refuse(case, one, Refusal(Rule.GONE))
            return
        known = [] if (native := self._native.find(one.driver)) is None else [_known_native(native)]
        refusal = find_refusal(package, case.org, self._projection.world, known, is_trusted=case.is_trusted)
        if refusal is not None:
            self._refuse(case, one, refusal)
        elif one.driver in case.stopped:
            case.rows[one.hash] = decided(one, DriverState.STOPPED, whole=True)
        else:
            built = await self._built_of(case, one, package)
            if built is None:
                self._refuse(case, one, Refusal(Rule.SLOW, {"most": f"{PROVING_S:.0f}"}))
            elif isinstance(built, Refusal):
                self._refuse(case, one, built)
            else:
                case.rows[one.hash] = decided(one, DriverState.ACTIVE, tested_us=self._core.clock.now())

    async def _built_of(
        self, case: _Case, one: StoredDriver, package: Package | None = None
    ) -> Installed | Refusal | None:
        """The driver of a version, proved in this process; None where the time for it is over, or it is not here."""
        if one.hash in self._built:
            return self._built[one.hash]
        if self._core.clock.monotonic() > case.until:
            case.is_unfinished = True
            return None
        found = await self.shelf.read(one.hash) if package is None else None
        package = found[0].package if found else package
        return None if package is None else await self.build(package)

    @staticmethod
    def _refuse(case: _Case, one: StoredDriver, refusal: Refusal) -> None:
        fresh = refused(one, refusal)
        if fresh.state != one.state or fresh.detail != one.detail:
            case.rows[one.hash] = fresh

    def _install(self, stored: Rows, trusted: frozenset[bytes]) -> None:
        """Let the registry be of what is active and proved."""
        installed = list(self._native.installed)
        for one in stored.values():
            built = self._built.get(one.hash)
            if one.org is None or one.state != DriverState.ACTIVE or not isinstance(built, Installed):
                continue
            if self._native.find(one.driver) is None:
                owned = owned_names(one.org, self._projection.world)
                is_owner = find_foreign(built.driver.descriptor, owned) is None
                is_free = one.org in trusted or not is_owner
                standing = Standing.OWNER if is_owner else Standing.TRUSTED
                installed.append(replace(built, standing=standing, reach=None if is_free else owned))
        self._drivers.put(Registry(installed, self._native.broken))

    def _forget(self, stored: Rows) -> None:
        """Keep what was built of drivers that run, and why others do not."""
        running = {digest for digest, one in stored.items() if one.state == DriverState.ACTIVE}
        self._built = {
            digest: built
            for digest, built in self._built.items()
            if digest in running or (isinstance(built, Refusal) and digest in stored)
        }

    async def _keep(self, before: Rows, changed: Rows, actor: str) -> None:
        if not changed:
            return
        async with self._core.database.write() as tx:
            for one in changed.values():
                await put_driver(tx, one)
                known = before.get(one.hash)
                state = None if known is None or _is_undecided(known) else known.state
                never_ran = state is None and one.state == DriverState.REPLACED
                if one.org is not None and one.state != state and not never_ran:
                    await self.tell(tx, actor, f"driver_{one.state}", one)


def _is_undecided(one: StoredDriver) -> bool:
    return one.state == DriverState.REFUSED and one.detail.get("rule") is None


def _known_native(item: Installed) -> KnownDriver:
    text = item.driver.descriptor
    return KnownDriver(text.id, text.version, item.hash, None, DriverState.ACTIVE)


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
