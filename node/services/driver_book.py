"""Drivers that organisations publish: taken, tested and put to work here, or refused with the rule that they break.

A publication is a statement of kind 14; `services/driver_settling.py` decides which of them run here.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from drivers.errors import DriverError
from drivers.opening import Scripts
from drivers.package import Package, decode_package
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import WithdrawalBody
from node.passport.driver_publications import LONGEST, Publication, tell_why
from node.passport.driver_rules import DriverState, Refusal, Rule, find_refusal
from node.passport.references import ref_text
from node.services.core import Core
from node.services.driver_settling import ACTOR, DriverSettling, known_driver
from node.services.drivers import Drivers
from node.services.known import check_organisation
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
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
        self._settling = DriverSettling(core, projection, drivers, scripts)
        self.settle = self._settling.settle
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
        return [HeldDriver(self._settling.held.get(one.hash), one) for one in stored if one.org is not None]

    async def trusted(self) -> Mapping[bytes, int]:
        """Publishers whose drivers run here whatever they are for, and since when."""
        async with self._core.database.read() as tx:
            return await trusted_publishers(tx)

    async def check(self, raw: bytes) -> Package:
        """Read a package and run its vectors, nothing is said; raise InputError naming the rule."""
        package = self._decoded(raw)
        async with self._core.database.read() as tx:
            known = [known_driver(one) for one in await list_drivers(tx)]
        refusal = find_refusal(package, self._core.org, self._projection.world, known, is_trusted=True)
        built = refusal or await self._settling.build(package)
        if isinstance(built, Refusal):
            raise _refused(built)
        return package

    async def publish(self, raw: bytes, actor: str) -> HeldDriver:
        """Publish a driver for everybody; the same bytes again are not published again. Raise InputError."""
        package = await self.check(raw)
        async with self._settling.lock:
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
        async with self._settling.lock:
            package, state = held.publication.package if held.publication else None, held.stored.state
            if package is None or not held.may_start:
                raise StateError(f"a driver that is {state} cannot be started", "driver_state", state=state)
            async with self._core.database.read() as tx:
                known = [known_driver(one) for one in await list_drivers(tx)]
            refusal = find_refusal(package, held.stored.org or b"", self._projection.world, known, is_trusted=True)
            if refusal is not None and refusal.rule is not Rule.VERSION_BACK:
                raise _refused(refusal)
            built = await self._settling.build(package, again=True)
            if isinstance(built, Refusal):
                raise _refused(built)
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.ACTIVE, {"by": actor})
                for one in await list_drivers(tx):
                    if one.driver == held.stored.driver and one.hash != digest and one.state == DriverState.ACTIVE:
                        await self._put(tx, one, DriverState.REPLACED, {})
                await self._settling.tell(tx, actor, "driver_started", held.stored)
        await self.settle()

    async def stop(self, digest: bytes, actor: str) -> None:
        """Let a version run here no more, until somebody starts it; what it read stays."""
        held = await self.get(digest)
        async with self._settling.lock:
            if held.stored.state != DriverState.ACTIVE:
                raise StateError("the driver does not run", "driver_state", state=held.stored.state)
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.STOPPED, {"by": actor})
                await self._settling.tell(tx, actor, "driver_stopped", held.stored)
        await self.settle()

    def suspect(self, digest: bytes, why: str) -> None:
        """A driver failed again and again: it is quarantined as soon as nothing else is under way."""
        self._suspects[digest] = why
        self._wake.set()

    async def quarantine(self, digest: bytes, why: str) -> None:
        """A driver failed again and again: it runs no more until an administrator starts it."""
        async with self._settling.lock:
            held = next((one for one in await self.versions() if one.stored.hash == digest), None)
            if held is None or held.stored.state != DriverState.ACTIVE:
                return
            async with self._core.database.write() as tx:
                await self._put(tx, held.stored, DriverState.QUARANTINED, {"why": why[:LONGEST]})
                await self._settling.tell(tx, ACTOR, "driver_quarantined", held.stored)
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

    def _decoded(self, raw: bytes) -> Package:
        try:
            return decode_package(raw)
        except DriverError as error:
            raise _refused(Refusal(Rule.BROKEN, {"why": tell_why(error)})) from error

    async def _put(self, tx: WriteTx, one: StoredDriver, state: DriverState, detail: Mapping[str, object]) -> None:
        kept = {name: value for name, value in one.detail.items() if name in ("name", "tested_us", "vectors")}
        await put_driver(tx, replace(one, state=state, detail={**kept, **detail}))


def _refused(refusal: Refusal) -> InputError:
    return InputError(
        f"the driver is refused: {refusal.text('en')}", "driver_refused", ru=refusal.text("ru"), rule=refusal.rule.value
    )
