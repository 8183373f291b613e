"""Drivers that organisations publish: taken, tested and put to work here, or refused with the rule that they break.

A publication is a statement of kind 14; `services/driver_settling.py` decides which of them run here.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from drivers.errors import DriverError
from drivers.opening import Scripts
from drivers.package import Package, decode_package
from federation.fragment import Ref
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import WithdrawalBody
from node.passport.driver_publications import LONGEST, tell_why
from node.passport.driver_rules import DriverState, Refusal, Rule, find_excess, find_refusal
from node.passport.references import ref_text
from node.services.core import Core
from node.services.driver_rows import decided, known_driver, refusal_of
from node.services.driver_settling import ACTOR, DriverSettling
from node.services.drivers import Drivers
from node.services.known import check_organisation
from node.services.ledger import Ledger, entry_ref
from node.services.projection import Projection
from node.store.database import ReadTx, WriteTx
from node.store.drivers import (
    StoredDriver,
    distrust_publisher,
    lift_stop,
    list_drivers,
    put_driver,
    stop_driver,
    stopped_drivers,
    trust_publisher,
    trusted_publishers,
)
from node.store.fragments import NewEntry

log = structlog.get_logger()

AGAIN_S = 30.0
STARTABLE = (DriverState.REPLACED, DriverState.STOPPED, DriverState.QUARANTINED)


@dataclass(frozen=True, slots=True)
class HeldDriver:
    """A published version as it stands here; `ref` is where it is said, None where that counts no more.

    `is_stopped` tells that its driver is stopped as a whole, `namesakes` who else publishes a driver of that id that
    runs here.
    """

    ref: Ref | None
    stored: StoredDriver
    is_stopped: bool = False
    namesakes: tuple[bytes, ...] = ()

    @property
    def refusal(self) -> Refusal | None:
        """By which rule it does not run here."""
        return refusal_of(self.stored)

    @property
    def may_start(self) -> bool:
        """Whether an administrator may let it run: nothing is wrong with it but whose it is, or what was decided."""
        is_foreign = self.refusal is not None and self.refusal.rule is Rule.NAMESPACE
        return self.ref is not None and (is_foreign or self.stored.state in STARTABLE)


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
                if self._settling.is_unfinished:
                    self._wake.set()
            except Exception:  # the top of the task: a busy store must not end it
                log.exception("drivers_not_settled")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._wake.wait()
                self._wake.set()

    async def versions(self) -> list[HeldDriver]:
        """Every published version that is or was here, by driver, newest last."""
        async with self._core.database.read() as tx:
            stored, stopped = await list_drivers(tx), await stopped_drivers(tx)
        running: dict[str, set[bytes]] = {}
        for one in stored:
            if one.org is not None and one.state == DriverState.ACTIVE:
                running.setdefault(one.driver, set()).add(one.org)
        return [
            HeldDriver(
                said.ref if said is not None and said.org == one.org else None,
                one,
                (one.org, one.driver) in stopped,
                tuple(sorted(running.get(one.driver, set()) - {one.org})),
            )
            for one in stored
            if one.org is not None
            for said in [self._settling.shelf.said.get(one.hash)]
        ]

    async def read(self, digest: bytes) -> bytes:
        """The very bytes that were published; raise NotFoundError."""
        await self.get(digest)
        found = await self._settling.shelf.read(digest)
        return b"" if found is None else found[1]

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
        refusal = refusal or find_excess(known, self._core.org, package.descriptor.id, len(raw))
        built = refusal or await self._settling.build(package)
        if isinstance(built, Refusal):
            self._settling.forget(package.hash)
            raise _refused(built)
        return package

    async def try_out(self, raw: bytes) -> Package:
        """The same for one that is not to be published: nothing of it is kept."""
        package = await self.check(raw)
        self._settling.forget(package.hash)
        return package

    async def publish(self, raw: bytes, actor: str) -> HeldDriver:
        """Publish a driver for everybody; the same bytes again are not published again. Raise InputError."""
        package = await self.check(raw)
        async with self._settling.lock:
            known = next((one for one in await self.versions() if one.stored.hash == package.hash), None)
            if known is None or known.ref is None:
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
        if held.stored.org != self._core.org or held.ref is None:
            raise DeniedError("only its publisher withdraws a driver", "driver_not_own")
        if held.stored.state == DriverState.WITHDRAWN:
            return
        body = WithdrawalBody(reason=reason)
        draft = drafts.driver_withdrawal(self._core.org, held.ref, body, self._core.clock.now())
        await self._ledger.append([draft])
        await self.settle(actor)

    async def start(self, digest: bytes, actor: str) -> None:
        """Let a version run that was stopped, replaced or quarantined, or whose publisher owns less than it is for.

        A driver that was stopped as a whole is stopped no more. Raise StateError for what its publisher withdrew or
        what breaks another rule.
        """
        held = await self.get(digest)
        async with self._settling.lock:
            found, state, org = await self._settling.shelf.read(digest), held.stored.state, held.stored.org or b""
            package = found[0].package if found else None
            if package is None or not held.may_start:
                raise StateError(f"a driver that is {state} cannot be started", "driver_state", state=state)
            async with self._core.database.read() as tx:
                known = [known_driver(one) for one in await list_drivers(tx)]
            refusal = find_refusal(package, org, self._projection.world, known, is_trusted=True)
            if refusal is not None and refusal.rule is not Rule.VERSION_BACK:
                raise _refused(refusal)
            refusal = find_excess(known, org, held.stored.driver, held.stored.size)
            built = refusal or await self._settling.build(package, again=True)
            if isinstance(built, Refusal):
                raise _refused(built)
            async with self._core.database.write() as tx:
                await lift_stop(tx, org, held.stored.driver)
                tested = self._core.clock.now()
                await put_driver(tx, decided(held.stored, DriverState.ACTIVE, by=actor, tested_us=tested))
                for one in await self._of_driver(tx, held.stored):
                    if one.hash != digest and one.state == DriverState.ACTIVE:
                        await put_driver(tx, decided(one, DriverState.REPLACED))
                await self._settling.tell(tx, actor, "driver_started", held.stored)
        await self.settle()

    async def stop(self, digest: bytes, actor: str, *, whole: bool = True) -> None:
        """Let a driver run here no more, until somebody starts a version of it; what it read stays.

        As a `whole` it is stopped whatever its publisher publishes later, else this version alone.
        """
        held = await self.get(digest)
        async with self._settling.lock:
            is_running = held.stored.state == DriverState.ACTIVE
            if not is_running and (not whole or held.is_stopped):
                raise StateError("the driver does not run", "driver_state", state=held.stored.state)
            async with self._core.database.write() as tx:
                if whole:
                    await stop_driver(tx, held.stored.org or b"", held.stored.driver)
                for one in await self._of_driver(tx, held.stored) if whole else [held.stored]:
                    if one.state == DriverState.ACTIVE:
                        await put_driver(tx, decided(one, DriverState.STOPPED, by=actor, whole=whole))
                await self._settling.tell(tx, actor, "driver_stopped_whole" if whole else "driver_stopped", held.stored)
        await self.settle()

    async def _of_driver(self, tx: ReadTx, one: StoredDriver) -> list[StoredDriver]:
        """The versions of its driver."""
        return [other for other in await list_drivers(tx) if (other.org, other.driver) == (one.org, one.driver)]

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
                await put_driver(tx, decided(held.stored, DriverState.QUARANTINED, why=why[:LONGEST]))
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


def _refused(refusal: Refusal) -> InputError:
    return InputError(
        f"the driver is refused: {refusal.text('en')}", "driver_refused", ru=refusal.text("ru"), rule=refusal.rule.value
    )
