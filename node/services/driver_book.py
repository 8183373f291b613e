"""Drivers that organisations publish: taken, tested and put to work here, or refused with the rule that they break.

A publication is a statement of kind 14. Whatever changes what decides about one (another publication, whose a type is,
whom an administrator trusts) is followed by `settle`, which brings the registry to what the rules say; the outcome of
each version stands in the store. Tests of a driver run beside the event loop.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from drivers.driver import prove
from drivers.errors import DriverError
from drivers.opening import Scripts, open_package
from drivers.package import Package, decode_package
from drivers.registry import Installed, Registry, Standing
from federation.authority import Kind
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import WithdrawalBody
from node.passport.driver_publications import LONGEST, Publication, find_withdrawn, read_publication, tell_why
from node.passport.driver_rules import DriverState, KnownDriver, Refusal, Rule, find_foreign, find_refusal
from node.passport.references import ref_text
from node.passport.statement import Statement
from node.services.core import Core
from node.services.drivers import Drivers
from node.services.known import check_organisation
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import WriteTx
from node.store.drivers import (
    StoredDriver,
    distrust_publisher,
    list_drivers,
    put_driver,
    trust_publisher,
    trusted_publishers,
)
from node.store.fragments import NewEntry

log = structlog.get_logger()

ACTOR = "drivers"
AGAIN_S = 30.0
STARTABLE = (DriverState.REPLACED, DriverState.STOPPED, DriverState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class HeldDriver:
    """A published version as it stands here."""

    publication: Publication | None
    stored: StoredDriver

    @property
    def refusal(self) -> Refusal | None:
        """By which rule it does not run here."""
        rule, values = self.stored.detail.get("rule"), self.stored.detail.get("values")
        if self.stored.state != DriverState.REFUSED or not isinstance(values, dict):
            return None
        return Refusal(Rule(str(rule)), {str(name): str(value) for name, value in values.items()})

    @property
    def may_start(self) -> bool:
        """Whether an administrator may let it run: nothing is wrong with it but whose it is, or what was decided."""
        is_foreign = self.refusal is not None and self.refusal.rule is Rule.NAMESPACE
        is_whole = self.publication is not None and self.publication.package is not None
        return is_whole and (is_foreign or self.stored.state in STARTABLE)


class DriverBook:
    """Publishes drivers and decides which of those that are published run here."""

    def __init__(self, core: Core, ledger: Ledger, projection: Projection, drivers: Drivers, scripts: Scripts) -> None:
        """`scripts` makes a driver of a package with a script."""
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._drivers = drivers
        self._scripts = scripts
        self._native = drivers.registry
        self._parsed: dict[bytes, Publication] = {}
        self._built: dict[bytes, Installed | Refusal] = {}
        self._held: dict[bytes, Publication] = {}
        self._settling = asyncio.Lock()
        self._wake = asyncio.Event()
        self._suspects: dict[bytes, str] = {}
        projection.on_drivers = self._wake.set

    async def run(self) -> None:
        """Settle whenever something was said that decides, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._suspects:
                    await self.quarantine(*self._suspects.popitem())
                await self.settle()
            except Exception:  # the top of the task: a busy store must not end it
                log.exception("drivers_not_settled")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._wake.wait()
                self._wake.set()

    async def versions(self) -> list[HeldDriver]:
        """Every published version that is or was here, by driver, newest last."""
        async with self._core.database.read() as tx:
            stored = await list_drivers(tx)
        return [HeldDriver(self._held.get(one.hash), one) for one in stored if one.org is not None]

    async def trusted(self) -> Mapping[bytes, int]:
        """Publishers whose drivers run here whatever they are for, and since when."""
        async with self._core.database.read() as tx:
            return await trusted_publishers(tx)

    async def check(self, raw: bytes) -> Package:
        """Read a package and run its vectors, nothing is said; raise InputError naming the rule."""
        package = self._decoded(raw)
        async with self._core.database.read() as tx:
            known = [_known(one) for one in await list_drivers(tx)]
        refusal = find_refusal(package, self._core.org, self._projection.world, known, is_trusted=True)
        built = refusal or await self._build(package)
        if isinstance(built, Refusal):
            raise _refused(built)
        return package

    async def publish(self, raw: bytes, actor: str) -> HeldDriver:
        """Publish a driver for everybody; the same bytes again are not published again. Raise InputError."""
        package = await self.check(raw)
        async with self._settling:
            known = next((one for one in await self.versions() if one.stored.hash == package.hash), None)
            if known is None or known.publication is None:
                text = package.descriptor

                async def note(tx: WriteTx, entries: Sequence[NewEntry]) -> None:
                    ref = ref_text(entry_ref(self._ledger.log.log, entries[0]))
                    await self._core.announce(
                        tx, actor, "driver_published", ref=ref, driver=text.id, version=text.version
                    )

                await self._ledger.append([drafts.driver(self._core.org, raw, self._core.clock.now())], note)
        await self.settle()
        return await self.get(package.hash)

    async def get(self, digest: bytes) -> HeldDriver:
        """A published version by its hash; raise NotFoundError."""
        found = next((one for one in await self.versions() if one.stored.hash == digest), None)
        if found is None:
            raise NotFoundError("no driver of that hash was published to this node", "driver_unknown")
        return found

    async def withdraw(self, digest: bytes, reason: str, actor: str) -> None:
        """Take a driver of this organisation back, everywhere; raise StateError for another's."""
        held = await self.get(digest)
        if held.stored.org != self._core.org or held.publication is None:
            raise DeniedError("only its publisher withdraws a driver", "driver_not_own")
        if held.stored.state == DriverState.WITHDRAWN:
            return
        body = WithdrawalBody(reason=reason)
        draft = drafts.driver_withdrawal(self._core.org, held.publication.ref, body, self._core.clock.now())
        await self._ledger.append([draft])
        await self.settle(actor)

    async def start(self, digest: bytes, actor: str) -> None:
        """Let a version run that was stopped, replaced or quarantined, or whose publisher owns less than it is for.

        Raise StateError for what its publisher withdrew or what breaks another rule.
        """
        held = await self.get(digest)
        async with self._settling:
            package, state = held.publication.package if held.publication else None, held.stored.state
            if package is None or not held.may_start:
                raise StateError(f"a driver that is {state} cannot be started", "driver_state", state=state)
            async with self._core.database.read() as tx:
                known = [_known(one) for one in await list_drivers(tx)]
            refusal = find_refusal(package, held.stored.org or b"", self._projection.world, known, is_trusted=True)
            if refusal is not None and refusal.rule is not Rule.VERSION_BACK:
                raise _refused(refusal)
            self._built.pop(digest, None)
            built = await self._build(package)
            if isinstance(built, Refusal):
                raise _refused(built)
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.ACTIVE, {"by": actor})
                for one in await list_drivers(tx):
                    if one.driver == held.stored.driver and one.hash != digest and one.state == DriverState.ACTIVE:
                        await self._put(tx, one, DriverState.REPLACED, {})
                await self._tell(tx, actor, "driver_started", held.stored)
        await self.settle()

    async def stop(self, digest: bytes, actor: str) -> None:
        """Let a version run here no more, until somebody starts it; what it read stays."""
        held = await self.get(digest)
        async with self._settling:
            if held.stored.state != DriverState.ACTIVE:
                raise StateError("the driver does not run", "driver_state", state=held.stored.state)
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.STOPPED, {"by": actor})
                await self._tell(tx, actor, "driver_stopped", held.stored)
        await self.settle()

    def suspect(self, digest: bytes, why: str) -> None:
        """A driver failed again and again: it is quarantined as soon as nothing else is under way."""
        self._suspects[digest] = why
        self._wake.set()

    async def quarantine(self, digest: bytes, why: str) -> None:
        """A driver failed again and again: it runs no more until an administrator starts it."""
        async with self._settling:
            held = next((one for one in await self.versions() if one.stored.hash == digest), None)
            if held is None or held.stored.state != DriverState.ACTIVE:
                return
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.QUARANTINED, {"why": why[:LONGEST]})
                await self._tell(tx, ACTOR, "driver_quarantined", held.stored)
        await self.settle()

    async def trust(self, org: bytes, actor: str) -> None:
        """Let what an organisation publishes run here, whatever it is for; raise NotFoundError for a strange one."""
        async with self._core.database.write() as tx:
            await check_organisation(tx, org)
            if await trust_publisher(tx, org):
                await self._core.announce(tx, actor, "publisher_trusted", party=org.hex())
        await self.settle()

    async def distrust(self, org: bytes, actor: str) -> None:
        """Trust a publisher no more: of its drivers only those run that are for what it owns."""
        async with self._core.database.write() as tx:
            if not await distrust_publisher(tx, org):
                raise NotFoundError("this organisation is not trusted", "publisher_unknown")
            await self._core.announce(tx, actor, "publisher_distrusted", party=org.hex())
        await self.settle()

    async def settle(self, actor: str = ACTOR) -> None:
        """Bring what runs here to what was published, and what the rules say of it."""
        async with self._settling:
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
            self._held = {publication.hash: publication for publication in said}
            for one in stored.values():
                if one.org is not None and one.hash not in self._held and one.state != DriverState.REFUSED:
                    changed[one.hash] = _refuse(one, Refusal(Rule.GONE))
            if changed:
                async with self._core.database.write() as tx:
                    for one in changed.values():
                        await put_driver(tx, one)
                        before = stored.get(one.hash)
                        if one.org is not None and (before is None or before.state != one.state):
                            await self._tell(tx, actor, f"driver_{one.state}", one)
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
            built = self._taken(one) or foreign or await self._build(package)
            return [_refuse(one, built)] if isinstance(built, Refusal) else []
        known = [_known(other) for other in stored.values()]
        built = find_refusal(package, publication.org, world, known, is_trusted=is_trusted) or await self._build(
            package
        )
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

    async def _build(self, package: Package) -> Installed | Refusal:
        """The driver of a package whose vectors hold; tested once in a process."""
        if package.hash not in self._built:
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
            publication = self._held.get(one.hash)
            if one.state != DriverState.ACTIVE or publication is None or publication.package is None:
                continue
            if self._native.find(one.driver) is not None:
                continue
            built = await self._build(publication.package)
            if isinstance(built, Installed):
                is_owner = find_foreign(publication.package, publication.org, world) is None
                installed.append(replace(built, standing=Standing.OWNER if is_owner else Standing.TRUSTED))
        self._drivers.put(Registry(installed, self._native.broken))

    def _decoded(self, raw: bytes) -> Package:
        try:
            return decode_package(raw)
        except DriverError as error:
            raise _refused(Refusal(Rule.BROKEN, {"why": tell_why(error)})) from error

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

    async def _put(self, tx: WriteTx, one: StoredDriver, state: DriverState, detail: Mapping[str, object]) -> None:
        kept = {name: value for name, value in one.detail.items() if name in ("name", "tested_us", "vectors")}
        await put_driver(tx, replace(one, state=state, detail={**kept, **detail}))

    async def _tell(self, tx: WriteTx, actor: str, what: str, one: StoredDriver) -> None:
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


def _known(one: StoredDriver) -> KnownDriver:
    return KnownDriver(one.driver, one.version, one.hash, one.org, DriverState(one.state))


def _refused(refusal: Refusal) -> InputError:
    return InputError(
        f"the driver is refused: {refusal.text('en')}", "driver_refused", ru=refusal.text("ru"), rule=refusal.rule.value
    )
