"""From a passport to a meter whose readings count: commissioned, joined, compared, registered in four steps.

Nothing is typed: DevEUI, JoinEUI, class, region, version, ports and decoder are facts of the passport, the root key is
the sealed section that came with the shipment. After a join the frames of the device are compared with its passport;
until all that its driver compares was heard and agrees, they are nobody's readings. A difference stops and waits for a
person. What was agreed is said in the passport: joined, registered, mode, time service, clock and schedule.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from drivers.comparison import Expected, compare
from drivers.context import NOTHING
from drivers.descriptor import Comparison, How
from drivers.reading import Decoded
from drivers.registry import Installed
from lora.errors import LoraError
from lora.events import JoinAccepted
from lora.identifiers import Eui
from lora.memory import MemoryDirectory
from lora.registration import Registration, Row, Step
from node.errors import KeystoreError, NotFoundError, StateError
from node.passport.view import View
from node.services.attribution import why_held
from node.services.bridges import Bridges
from node.services.core import Core
from node.services.decoding import Decoder, Decoding, Question
from node.services.driver_choice import BEFORE, followed, show_choice
from node.services.frame_detail import cut
from node.services.ledger import Ledger
from node.services.projection import Projection
from node.services.provisioning import (
    MODE,
    SAME,
    SCHEDULE,
    TIME_SERVICE,
    choose_driver,
    counting_key,
    profile_of,
    service_of,
    stated_values,
    traits_of,
)
from node.services.radio_records import Progress, open_device, read_progress, show_profile, show_progress
from node.services.radio_statements import registration_drafts
from node.services.readings import Readings, moment_of, owner_of
from node.store.database import ReadTx, WriteTx
from node.store.passports import StoredPassport, find_passport, find_terms, read_titles
from node.store.radio import (
    DEVICES,
    DeviceState,
    FrameState,
    StoredDevice,
    StoredFrame,
    devices_with_frames,
    each_device,
    find_device,
    find_devices,
    frames_in_state,
    list_devices,
    put_device,
    set_frame_state,
)
from node.store.unchanged import Unchanged

__all__ = ["Commissioning", "StoredDevice"]

log = structlog.get_logger()

ACTOR = "radio"
PAYLOAD = "payload"
HELD, METER = "held", "meter"
UTC_WATCH, UNWATCHED, OWN_SCHEDULE = "utc-watch", "none", "device"
# What failed to be said is tried again after so long.
AGAIN_S = 30.0
AT_ONCE = 32
Waiting = Sequence[tuple[StoredFrame, Decoding]]  # frames that were nobody's, as they were read
MOST_KNOWN = 20_000  # devices that are kept in memory
PAGE = 200  # frames that become readings in one transaction


class Commissioning:
    """Puts devices on the air and takes them into service."""

    def __init__(
        self,
        core: Core,
        ledger: Ledger,
        projection: Projection,
        readings: Readings,
        decoder: Decoder,
        bridges: Bridges,
        directory: MemoryDirectory,
    ) -> None:
        """`directory` is what the running network server looks its devices up in."""
        self._core = core
        self._ledger = ledger
        self._projection = projection
        self._readings = readings
        self._decoder = decoder
        self._bridges = bridges
        self._directory = directory
        self._known: Unchanged[bytes, StoredDevice] = Unchanged(core.database, (DEVICES,), MOST_KNOWN)
        self._wake = asyncio.Event()
        projection.on_folded = self.follow

    async def commission(self, subject: bytes, actor: str) -> StoredDevice:
        """Let a device join; a second time changes nothing. Raise NotFoundError, or StateError for what is missing."""
        if not self._core.settings.radio.enabled:
            raise StateError("this node runs no LoRa network", "radio_off")
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            profile = profile_of(passport.content, self._core.settings.radio.region)
            root_key = await self._root_key(tx, passport, str(profile.dev_eui))
            await self._require_alone(tx, passport, str(profile.dev_eui))
        registry, view = self._decoder.registry, passport.content
        shown = {**show_profile(profile), **show_choice(choose_driver(registry, view), traits_of(view))}
        sealed = self._core.keystore.vault.seal(root_key)
        async with self._core.database.write() as tx:
            known = await find_device(tx, profile.dev_eui.raw)
            if known is not None and known.subject == passport.subject:
                earlier = followed(known.profile, view, registry).get(BEFORE)
                shown |= {} if earlier is None else {BEFORE: earlier}
            same_key = known is not None and self._core.keystore.vault.open(known.root_key) == root_key
            is_same = known is not None and same_key and (known.subject, known.profile) == (passport.subject, shown)
            if known is not None and is_same and known.state is not DeviceState.RETIRED:
                return known
            await self._retire_others(tx, passport.subject, profile.dev_eui)
            device = StoredDevice(profile.dev_eui.raw, passport.subject, shown, sealed, DeviceState.WAITING, {}, tx.now)
            if known is not None and same_key and known.subject == passport.subject:
                # The activation that the meter is in goes on: it would not join again by itself.
                device = replace(device, registration=known.registration, state=_resumed(known))
            await self._put(tx, device)
            tx.on_commit(self._wake.set)  # what waited of an activation that goes on
            await self._core.announce(tx, actor, "device_commissioned", passport.subject, dev_eui=str(profile.dev_eui))
        return device

    async def devices(self, subject: bytes | None = None) -> list[StoredDevice]:
        """The devices of this network, or those of one passport."""
        async with self._core.database.read() as tx:
            return await list_devices(tx, subjects=None if subject is None else [subject])

    async def titles(self, devices: Sequence[StoredDevice]) -> dict[bytes, str]:
        """What their passports are called, by subject."""
        async with self._core.database.read() as tx:
            return await read_titles(tx, [device.subject for device in devices])

    async def get(self, dev_eui: Eui) -> StoredDevice:
        """A device of this network; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return await self._get(tx, dev_eui)

    async def retry(self, dev_eui: Eui, actor: str) -> StoredDevice:
        """Compare what was heard with the passport as it is now; raise StateError where nothing is stopped."""
        async with self._core.database.read() as tx:
            seen = await self._get(tx, dev_eui)
            session = read_progress(dev_eui, seen.registration).session
            heard = await frames_in_state(tx, FrameState.UNRESOLVED, dev_eui.raw, session)
        decodings = await self.decode(heard)
        async with self._core.database.write() as tx:
            device = await self._get(tx, dev_eui)
            progress = replace(read_progress(dev_eui, device.registration), rows=())
            if device.state is not DeviceState.STOPPED or progress.session != session:
                raise StateError(f"the registration of {dev_eui} is not stopped", "registration_not_stopped")
            await self._core.announce(tx, actor, "registration_retried", device.subject, dev_eui=str(dev_eui))
            for frame, decoding in zip(heard, decodings, strict=True):
                # The latest word on each field counts: a clock that was set since, a frame of a shape that is known.
                progress = progress.with_rows(await self._said(tx, device, progress, frame, decoding))
            return await self._decide(tx, device, progress, list(zip(heard, decodings, strict=True)))

    async def follow(self, tx: WriteTx, subjects: Collection[bytes]) -> None:
        """Passports were folded: frames of a device are read by the drivers for the versions that are stated now."""
        for device in await list_devices(tx, subjects=subjects):
            passport = await find_passport(tx, device.subject, whole=False)
            if passport is None or device.state is DeviceState.RETIRED:
                continue
            profile = followed(device.profile, passport.content, self._decoder.registry)
            if profile == device.profile:
                continue
            await put_device(tx, replace(device, profile=profile))
            driver, firmware = str(profile["driver"]), str(profile.get("firmware", ""))
            eui, what = device.dev_eui.hex(), "device_versions_followed"
            await self._core.announce(tx, ACTOR, what, device.subject, dev_eui=eui, driver=driver, firmware=firmware)
            tx.on_commit(self._decoder.chosen_anew)

    async def retire(self, dev_eui: Eui, actor: str) -> None:
        """Let a device join no more; what it sent is kept."""
        async with self._core.database.write() as tx:
            device = await self._get(tx, dev_eui)
            await self._put(tx, replace(device, state=DeviceState.RETIRED))
            await self._core.announce(tx, actor, "device_retired", device.subject, dev_eui=str(dev_eui))

    async def load(self) -> None:
        """Fill the directory from what is stored."""
        async with self._core.database.read() as tx:
            async for device in each_device(tx):
                try:
                    self._show(device)
                except (LoraError, KeystoreError, ValueError, KeyError) as error:
                    # One damaged row is one device off the air, not the whole network.
                    log.warning("device_damaged", dev_eui=device.dev_eui.hex(), error=str(error))

    async def joined(self, tx: WriteTx, event: JoinAccepted) -> None:
        """A device was activated: its frames wait until they are compared."""
        session = event.session
        device = await find_device(tx, session.dev_eui.raw)
        if device is None or device.state is DeviceState.RETIRED:
            return
        progress = read_progress(session.dev_eui, device.registration).joined(session.number, event.at_us)
        same_eui = str(event.join_eui) == device.profile["join_eui"]
        progress = progress.with_rows(
            [
                Row("dev_eui", device.profile["dev_eui"], str(session.dev_eui), equal=True),
                Row("join_eui", device.profile["join_eui"], str(event.join_eui), equal=same_eui),
                self._region_row(device),
            ]
        )
        await self._save(tx, device, progress, DeviceState.JOINED)
        await self._core.announce(tx, ACTOR, "device_joined", device.subject, dev_eui=str(session.dev_eui))

    async def decode(self, frames: Sequence[StoredFrame]) -> list[Decoding]:
        """What frames of this network's devices say, each by the driver of its device; nothing is stored."""
        if not frames:
            return []
        asked: list[Question] = []
        async with self._core.database.read() as tx:
            devices = await self._known.find(tx, {frame.dev_eui or b"" for frame in frames}, partial(find_devices, tx))
            for at, frame in enumerate(frames):
                device = devices.get(frame.dev_eui or b"")
                driver = self._driver(device, frame) if device else None
                context = NOTHING
                if device is not None and driver is not None and driver.driver.joins:
                    context = await self._bridges.before(tx, device, frame, frames[:at])
                asked.append((driver, frame, context))
        found = await self._decoder.decode(asked)
        return [await self._bridges.read(frame, one) for frame, one in zip(frames, found, strict=True)]

    async def heard(self, tx: WriteTx, frame: StoredFrame, decoding: Decoding) -> None:
        """A device sent something for the application; the frame is stored as unresolved."""
        device = await find_device(tx, frame.dev_eui or b"")
        if device is None or device.state in (DeviceState.RETIRED, DeviceState.STOPPED):
            return
        progress = read_progress(Eui(device.dev_eui), device.registration)
        decoding = decoding.by(self._driver(device, frame))
        if frame.session == progress.passed:
            await self._read(tx, device, progress, frame, decoding)
        elif frame.session == progress.session:
            await self._compare(tx, device, frame, decoding)

    async def run(self) -> None:
        """Say in the passport what was agreed, until cancelled."""
        while True:
            self._wake.clear()
            try:
                async with self._core.database.read() as tx:
                    agreed = await list_devices(tx, state=DeviceState.AGREED)
                for at in range(0, len(agreed), AT_ONCE):
                    # What is appended together is folded together.
                    await asyncio.gather(*(self._register(device) for device in agreed[at : at + AT_ONCE]))
                await self.release()
            except Exception:  # the top of the task: one device or a busy store must not end the node
                log.exception("registration_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._wake.wait()

    async def release(self) -> int:
        """Turn the frames into readings that waited until it was known whose they are; answer of how many devices."""
        async with self._core.database.read() as tx:
            found = [await find_device(tx, dev_eui) for dev_eui in await devices_with_frames(tx, FrameState.UNRESOLVED)]
            known = [one for one in found if one and one.state is DeviceState.REGISTERED]
            due = [one for one in known if await why_held(tx, one.subject, one.dev_eui) is None]
        for device in due:
            passed = read_progress(Eui(device.dev_eui), device.registration).passed
            while passed is not None and await self._release_some(device, passed):
                pass
        return len(due)

    async def _release_some(self, device: StoredDevice, passed: int) -> bool:
        """Turn the oldest waiting frames of a session into readings; whether there may be more."""
        async with self._core.database.read() as tx:
            frames = await frames_in_state(tx, FrameState.UNRESOLVED, device.dev_eui, passed, limit=PAGE)
        decodings = await self.decode(frames)
        async with self._core.database.write() as tx:
            now = await find_device(tx, device.dev_eui)
            if now is None or now.state is not DeviceState.REGISTERED or now.registration != device.registration:
                return False  # what changed it wakes this again
            is_released = await self.attribute(tx, now, list(zip(frames, decodings, strict=True)))
            if is_released and frames:
                await self._core.announce(tx, ACTOR, "undecoded_read", now.subject, count=len(frames))
        return is_released and len(frames) == PAGE

    async def attribute(self, tx: WriteTx, device: StoredDevice, heard: Waiting) -> bool:
        """Frames of a device become its readings, unless it is asked which device that is: then they say why not."""
        held = await why_held(tx, device.subject, device.dev_eui) if heard else None
        for frame, decoding in heard:
            detail = {name: value for name, value in frame.detail.items() if name != HELD}
            if held is None:
                await self._store(tx, device, replace(frame, detail=detail), decoding.by(self._driver(device, frame)))
            elif frame.detail.get(HELD) != held:
                await set_frame_state(tx, frame.id, FrameState.UNRESOLVED, {**detail, HELD: held})
        return held is None

    async def _store(self, tx: WriteTx, device: StoredDevice, frame: StoredFrame, decoding: Decoding) -> None:
        """Keep the readings of a device, and those of the meter whose telegram it carried."""
        inner = decoding.carried
        if inner is None:
            await self._readings.store(tx, owner_of(frame) or device.subject, frame, decoding)
            return
        frame = replace(frame, detail={**frame.detail, METER: decoding.meter})
        await self._readings.store(tx, decoding.subject or device.subject, frame, inner)

    async def _register(self, device: StoredDevice) -> None:
        """State what was agreed and take the device into service, with the frames that waited, in one transaction."""
        progress = read_progress(Eui(device.dev_eui), device.registration)
        said = registration_drafts(
            device.subject, device.profile, progress, self._core.settings.node.place, self._core.clock.now()
        )

        async with self._core.database.read() as tx:
            frames = await frames_in_state(tx, FrameState.UNRESOLVED, device.dev_eui, progress.session, limit=PAGE)
        heard = list(zip(frames, await self.decode(frames), strict=True))

        async def record(tx: WriteTx, _entries: object) -> None:
            now = await find_device(tx, device.dev_eui)
            if now is None or now.state is not DeviceState.AGREED or now.registration != device.registration:
                raise StateError("the registration went on meanwhile", "registration_changed")
            await self._accept(tx, now, progress, heard)

        await self._ledger.append(said, record)

    async def _accept(self, tx: WriteTx, device: StoredDevice, progress: Progress, heard: Waiting) -> StoredDevice:
        """The frames of this activation are the device's readings; of those that waited, others than these follow."""
        progress = replace(progress, passed=progress.session, said=True)
        device = await self._save(tx, device, progress, DeviceState.REGISTERED)
        await self._core.announce(tx, ACTOR, "device_registered", device.subject, dev_eui=device.dev_eui.hex())
        await self.attribute(tx, device, heard)
        tx.on_commit(self._wake.set)
        return device

    async def _read(
        self, tx: WriteTx, device: StoredDevice, progress: Progress, frame: StoredFrame, decoding: Decoding
    ) -> None:
        """A frame of a registered device: one that names another meter stops it."""
        rows = await self._rows(tx, device, frame, decoding) if decoding.decoded else []
        names = {item.source for item in self._comparisons(device, frame) if item.how in SAME}
        other = [row for row in rows if row.field in names and not row.equal]
        if other:
            await self._stop(tx, device, replace(progress, passed=None).with_rows(other))
            return
        await self.attribute(tx, device, [(frame, decoding)])

    async def _compare(self, tx: WriteTx, device: StoredDevice, frame: StoredFrame, decoding: Decoding) -> StoredDevice:
        """Step 1: what this frame says beside what the passport says."""
        if device.state is not DeviceState.JOINED:
            return device
        progress = read_progress(Eui(device.dev_eui), device.registration)
        said = await self._said(tx, device, progress, frame, decoding)
        return await self._decide(tx, device, progress.with_rows(said), [(frame, decoding)]) if said else device

    async def _said(
        self, tx: ReadTx, device: StoredDevice, progress: Progress, frame: StoredFrame, decoding: Decoding
    ) -> list[Row]:
        """What a frame says of its device; nothing on a port that is not of its type, as the clock packages use."""
        ports = device.profile["ports"]
        if isinstance(ports, list) and ports and frame.port not in ports:
            return []
        if decoding.decoded is None and any(row.field == PAYLOAD and row.equal for row in progress.rows):
            return []  # its shape was recognised before: a frame without a document is no contradiction
        rows = self._link_rows(device, frame, decoding)
        return rows if decoding.decoded is None else [*rows, *await self._rows(tx, device, frame, decoding)]

    async def _decide(self, tx: WriteTx, device: StoredDevice, progress: Progress, heard: Waiting) -> StoredDevice:
        """Stop, wait for more, or go on to the other steps."""
        if progress.differing:
            return await self._stop(tx, device, progress)
        if not {item.source for item in self._comparisons(device)} <= {row.field for row in progress.rows}:
            return await self._save(tx, device, progress, DeviceState.JOINED)
        if progress.said:
            return await self._accept(tx, device, progress, heard)
        if not progress.registration.is_done:
            passport = await find_passport(tx, device.subject, whole=False)
            stated = service_of(passport.content) if passport else {}
            progress = replace(progress, registration=self._steps(device, progress, stated, tx.now))
        tx.on_commit(self._wake.set)
        return await self._save(tx, device, progress, DeviceState.AGREED)

    async def _stop(self, tx: WriteTx, device: StoredDevice, progress: Progress) -> StoredDevice:
        """Something differs: a person decides."""
        if progress.registration.step is Step.COMPARE:
            progress = replace(progress, registration=progress.registration.compare(progress.rows, tx.now))
        names = [row.field for row in progress.differing]
        await self._core.announce(
            tx, ACTOR, "registration_stopped", device.subject, dev_eui=device.dev_eui.hex(), fields=names
        )
        return await self._save(tx, device, progress, DeviceState.STOPPED)

    def _steps(self, device: StoredDevice, progress: Progress, stated: Mapping[str, str], now: int) -> Registration:
        """Steps 2 to 4 as the passport states them; else the mode of the class, what the driver can watch, the meter's
        own schedule.
        """
        mode = stated.get(MODE) or f"class-{str(device.profile['class']).lower()}"
        watched = any(item.how is How.NEAR_RECEIVED for item in self._comparisons(device))
        time_service = stated.get(TIME_SERVICE) or (UTC_WATCH if watched else UNWATCHED)
        schedule = stated.get(SCHEDULE) or OWN_SCHEDULE
        compared = progress.registration.compare(progress.rows, now)
        return compared.choose_mode(mode, now).attach_time(time_service, now).set_schedule(schedule, now)

    def _link_rows(self, device: StoredDevice, frame: StoredFrame, decoding: Decoding) -> list[Row]:
        ports = device.profile["ports"]
        known = list(ports) if isinstance(ports, list) else []
        shape = cut(decoding.decoded.frame if decoding.decoded else decoding.error)
        return [
            Row("port", ", ".join(map(str, known)), str(frame.port), not known or frame.port in known),
            Row(PAYLOAD, device.profile["driver"], shape, decoding.decoded is not None),
        ]

    def _region_row(self, device: StoredDevice) -> Row:
        region = self._core.settings.radio.region
        return Row("region", device.profile["region"], region, device.profile["region"] == region)

    async def _rows(self, tx: ReadTx, device: StoredDevice, frame: StoredFrame, decoding: Decoding) -> list[Row]:
        driver, decoded = self._driver(device, frame), decoding.decoded
        passport = await find_passport(tx, device.subject, whole=False)
        if driver is None or decoded is None or passport is None:
            return []
        expected = await self._expected(tx, device, frame, passport.content, decoded)
        found = compare(driver.driver.descriptor, decoded, expected, moment_of(frame.received_us))
        return [Row(row.source, row.expected or None, cut(row.reported), row.outcome != "differs") for row in found]

    async def _expected(
        self, tx: ReadTx, device: StoredDevice, frame: StoredFrame, view: View, decoded: Decoded
    ) -> Expected:
        """What is known by the names that the driver compares: a register's last value here goes before the bench's."""
        stated = stated_values(view, decoded, self._comparisons(device, frame))
        for item in self._comparisons(device, frame):
            if item.how is How.NOT_BELOW:
                last = await self._readings.last_register(tx, device.subject, decoded, item.source)
                if last is not None:
                    stated[item.source] = last
        return stated

    def _comparisons(self, device: StoredDevice, frame: StoredFrame | None = None) -> Sequence[Comparison]:
        driver = self._driver(device, frame)
        return driver.driver.descriptor.comparisons if driver else ()

    def _driver(self, device: StoredDevice, frame: StoredFrame | None = None) -> Installed | None:
        """The driver of a frame, or of those that come."""
        return self._decoder.driver_of(device, None if frame is None else frame.received_us)

    async def _root_key(self, tx: ReadTx, passport: StoredPassport, dev_eui: str) -> bytes:
        vault, world = self._core.keystore.vault, self._projection.world
        key = await counting_key(tx, vault, world, passport.content, dev_eui)
        if key is None:
            raise StateError("no root key of this device came to this node", "root_key_missing")
        return key

    async def _require_alone(self, tx: ReadTx, passport: StoredPassport, dev_eui: str) -> None:
        others = {subject for subject, _ in await find_terms(tx, dev_eui, "dev_eui")} - {passport.subject}
        if others:
            raise StateError(f"DevEUI {dev_eui} stands in several passports", "dev_eui_doubled", dev_eui=dev_eui)

    async def _retire_others(self, tx: WriteTx, subject: bytes, dev_eui: Eui) -> None:
        for device in await list_devices(tx, subjects=[subject]):
            if device.dev_eui != dev_eui.raw and device.state is not DeviceState.RETIRED:
                await self._put(tx, replace(device, state=DeviceState.RETIRED))

    async def _get(self, tx: ReadTx, dev_eui: Eui) -> StoredDevice:
        device = await find_device(tx, dev_eui.raw)
        if device is None:
            raise NotFoundError(f"DevEUI {dev_eui} is not of this network", "radio_device_unknown")
        return device

    async def _save(self, tx: WriteTx, device: StoredDevice, progress: Progress, state: DeviceState) -> StoredDevice:
        changed = replace(device, registration=show_progress(progress), state=state)
        await put_device(tx, changed)
        return changed

    async def _put(self, tx: WriteTx, device: StoredDevice) -> None:
        await put_device(tx, device)
        tx.on_commit(lambda: self._show(device))

    def _show(self, device: StoredDevice) -> None:
        if device.state is DeviceState.RETIRED:
            self._directory.remove(Eui(device.dev_eui))
        else:
            self._directory.put(open_device(self._core.keystore.vault, device))


def _resumed(known: StoredDevice) -> DeviceState:
    """The state of a device that is put on the air again within its activation."""
    if known.state is not DeviceState.RETIRED:
        return known.state
    progress = read_progress(Eui(known.dev_eui), known.registration)
    if progress.passed is not None and progress.passed == progress.session:
        return DeviceState.REGISTERED
    return DeviceState.WAITING if progress.session is None else DeviceState.JOINED
