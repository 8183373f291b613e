"""Frames read again: those that no driver could read once one stands here, and the archive of a device by its new one.

The archive of a device is read page by page and put in place in one transaction: whoever looks sees all of it as it was
or all of it as it is. What stood before is kept as superseded. A job that is cut off begins its device again.
"""

import asyncio
import bisect
import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from drivers.mapping import ModelMapping
from drivers.plausibility import Amount
from drivers.registry import Installed
from node.errors import NotFoundError, StateError
from node.services.bridges import Bridges
from node.services.commissioning import Commissioning
from node.services.core import Core
from node.services.decoding import Decoder, Decoding, Why
from node.services.driver_choice import BEFORE
from node.services.drivers import Drivers
from node.services.frame_detail import detail_of
from node.services.jobs import ASIDE, Job, Jobs
from node.services.readings import Readings, owner_of
from node.store.database import WriteTx
from node.store.radio import (
    FrameState,
    StoredFrame,
    count_frames,
    devices_with_frames,
    find_device,
    frames_in_state,
    list_devices,
    set_frame_state,
)
from node.store.readings import Series, StoredReading
from node.store.superseded import find_rows, replace_readings

log = structlog.get_logger()

KIND = "redecode"
PAGE = 200
MOST = 100_000  # readings that one transaction puts in place; who has more sees his archive change in steps
AGAIN_S = 60.0


@dataclass(slots=True)
class History:
    """Believed values of series by time, as far as an archive was read."""

    _times: dict[Series, list[int]] = field(default_factory=dict)
    _amounts: dict[Series, list[Amount]] = field(default_factory=dict)

    def last(self, series: Series, before_us: int) -> Amount | None:
        """The latest value before a time."""
        at = bisect.bisect_left(self._times.get(series, ()), before_us)
        return self._amounts[series][at - 1] if at else None

    def add(self, reading: StoredReading) -> None:
        """Know one more, where it is believed."""
        if reading.status != "ok":
            return
        times = self._times.setdefault(reading.series, [])
        at = bisect.bisect_right(times, reading.effective_us)
        times.insert(at, reading.effective_us)
        self._amounts.setdefault(reading.series, []).insert(at, Amount(reading.value, reading.unit))


@dataclass(frozen=True, slots=True)
class _Read:
    """A frame as it was read again."""

    frame: StoredFrame
    decoding: Decoding
    found: Sequence[StoredReading]

    def says_same(self, stand: Sequence[StoredReading], *, every: bool) -> bool:
        """Whether what stands was read by the same driver: with `every`, also to the same values."""
        digest = self.decoding.driver.hash if self.decoding.driver else b""
        if any(reading.driver_hash != digest for reading in stand) or (not stand and self.found):
            return False
        return not every or sorted(map(_said, stand)) == sorted(map(_said, self.found))


@dataclass(slots=True)
class _Work:
    """What was read so far of one device for one job."""

    key: tuple[str, int]
    last: int = 0
    histories: dict[bytes, History] = field(default_factory=dict)
    read: dict[bytes, dict[int, _Read]] = field(default_factory=dict)  # by whose the readings are, and frame
    unread: int = 0
    foreign: int = 0  # of the meter in which the radio was before
    size: int = 0


class Redecoding:
    """Reads frames again, by themselves where a driver comes, and as a job where somebody asks."""

    def __init__(
        self,
        core: Core,
        jobs: Jobs,
        drivers: Drivers,
        decoder: Decoder,
        commissioning: Commissioning,
        readings: Readings,
    ) -> None:
        self._core = core
        self._jobs = jobs
        self._decoder = decoder
        self._commissioning = commissioning
        self._readings = readings
        self._wake = asyncio.Event()
        self._tried: dict[bytes, bytes] = {}
        self._suspended: set[bytes] = set()
        self._is_waiting = False  # for the name or the key of a meter behind a bridge
        self._work: _Work | None = None
        jobs.register(KIND, self._step, ASIDE)
        drivers.on_changed = self._wake.set

    async def run(self) -> None:
        """Try undecoded frames whenever other drivers stand here, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.try_undecoded()
            except Exception:  # the top of the task: a busy store must not end it
                log.exception("undecoded_not_tried")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._wake.wait()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if self._suspended or self._is_waiting else None):
                    await self._wake.wait()

    async def try_undecoded(self) -> int:
        """Read the frames again whose device has another driver than when that was tried; answer how many are read."""
        async with self._core.database.read() as tx:
            devices = [await find_device(tx, eui) for eui in await devices_with_frames(tx, FrameState.UNDECODED)]
            known = await Bridges.known(tx)
        count, self._is_waiting = 0, False
        for device in devices:
            drivers = self._decoder.drivers_of(device) if device else []
            if device is None or not drivers:
                continue
            joins = any(driver.driver.joins for driver in drivers)
            self._is_waiting |= joins
            state = repr((device.profile.get(BEFORE), [driver.hash for driver in drivers])).encode()
            state += known if joins else b""
            if self._tried.get(device.dev_eui) == state:
                continue
            self._suspended.discard(device.dev_eui)
            count += await self._try_device(device.dev_eui, drivers[-1])
            if device.dev_eui not in self._suspended:
                self._tried[device.dev_eui] = state
        return count

    async def start(self, subject: bytes | None, actor: str, *, every: bool = False) -> str:
        """Take the job of reading the archive of a subject's devices, or of all, by the drivers that they have now.

        `every` reads those frames too that the same driver has read. Raise NotFoundError where there is nothing to
        read, StateError where such a job runs.
        """
        async with self._core.database.read() as tx:
            devices = await list_devices(tx, subjects=None if subject is None else [subject])
            total = sum([await count_frames(tx, one.dev_eui, FrameState.DECODED) for one in devices])
        if not total:
            raise NotFoundError("no frame of it was read here", "nothing_to_redecode")
        if any(job.kind == KIND and job.state in ("waiting", "running") for job in await self._jobs.newest()):
            raise StateError("the archive is being read already", "redecoding_runs")
        wish = {"devices": [one.dev_eui.hex() for one in devices], "every": every}
        return await self._jobs.submit(KIND, json.dumps(wish).encode(), total, actor)

    async def _try_device(self, dev_eui: bytes, driver: Installed) -> int:
        count, after = 0, 0
        while True:
            async with self._core.database.read() as tx:
                frames = await frames_in_state(tx, FrameState.UNDECODED, dev_eui, None, after=after, limit=PAGE)
            decodings = await self._commissioning.decode(frames)
            if any(one.final.why is Why.SUSPENDED for one in decodings):
                self._suspended.add(dev_eui)
            found = zip(frames, decodings, strict=True)
            told = [
                (frame, one) for frame, one in found if one.decoded is not None or frame.detail.get("why") != one.why
            ]
            if told:
                async with self._core.database.write() as tx:
                    device = await find_device(tx, dev_eui)
                    if device is not None:
                        await self._commissioning.attribute(tx, device, told)
                        tx.on_commit(self._core.bus.wake)
                        read = sum(one.final.decoded is not None for _, one in told)
                        count += read
                        if read:
                            await self._core.announce(
                                tx, "radio", "undecoded_read", device.subject, count=read, driver=driver.name
                            )
            if len(frames) < PAGE:
                return count
            after = frames[-1].id

    async def _step(self, job: Job, content: bytes) -> bool:
        """Read one page of the device that is its turn; the last page puts all of it in place."""
        wish = json.loads(content)
        at = int(str(job.result.get("device", 0)))
        dev_eui = bytes.fromhex(wish["devices"][at])
        if self._work is None or self._work.key != (job.id, at):
            self._work = _Work((job.id, at))
        work = self._work
        async with self._core.database.read() as tx:
            device = await find_device(tx, dev_eui)
            frames = await frames_in_state(tx, FrameState.DECODED, dev_eui, None, after=work.last, limit=PAGE)
        if device is not None:
            mapping = await self._readings.mapping()
            for frame, decoding in zip(frames, await self._commissioning.decode(frames), strict=True):
                self._read(work, device.subject, frame, decoding, mapping)
        work.last = frames[-1].id if frames else work.last
        is_end = len(frames) < PAGE
        following = at + 1 if is_end else at
        is_done = following >= len(wish["devices"])
        done = job.total if is_done else min(job.total - 1, job.done + len(frames))
        async with self._core.database.write() as tx:
            tally = Counter({name: int(str(job.result.get(name, 0))) for name in ("replaced", "same", "unread")})
            if device is not None and (is_end or work.size >= MOST):
                tally.update(await self._put(tx, work, every=bool(wish["every"])))
                work.read, work.unread, work.foreign, work.size = {}, 0, 0, 0
            await self._jobs.advance(tx, job, done, {"device": following, **tally})
            await self._core.announce(tx, job.actor, "redecode_advanced", job=job.id, done=done, total=job.total)
        return not is_done

    def _read(self, work: _Work, subject: bytes, frame: StoredFrame, decoding: Decoding, mapping: ModelMapping) -> None:
        told = decoding.final
        if told.decoded is None or told.driver is None:
            work.unread += 1
            return
        whose = decoding.subject or subject
        if (owner_of(frame) or whose) != whose:
            work.foreign += 1
            return
        history = work.histories.setdefault(whose, History())
        found = self._readings.judged(whose, frame, told, mapping, history.last)
        for reading in found:
            history.add(reading)
        work.read.setdefault(whose, {})[frame.id] = _Read(frame, told, found)
        work.size += len(found)

    async def _put(self, tx: WriteTx, work: _Work, *, every: bool) -> Mapping[str, int]:
        """Put what was read in the place of what stands; answer what became of the frames."""
        tally = Counter(unread=work.unread, same=work.foreign)
        for subject, read in sorted(work.read.items()):
            stand = await find_rows(tx, subject, read.keys())
            changed = {
                number: one for number, one in read.items() if not one.says_same(stand.get(number, []), every=every)
            }
            hashes = {number: one.decoding.driver.hash for number, one in changed.items() if one.decoding.driver}
            await replace_readings(tx, subject, hashes, [reading for one in changed.values() for reading in one.found])
            self._readings.forget(tx, subject)
            for one in changed.values():
                detail = detail_of(subject, one.frame, one.decoding)
                await set_frame_state(tx, one.frame.id, FrameState.DECODED, detail)
            for one in read.values():
                await self._readings.note(tx, one.frame, one.decoding)
            tally.update(replaced=len(changed), same=len(read) - len(changed))
        return tally


def _is_news(frame: StoredFrame, decoding: Decoding) -> bool:
    """Whether something else is known of a frame than stands in it."""
    return decoding.decoded is not None or frame.detail.get("why") != decoding.why


def _said(reading: StoredReading) -> tuple[str, int, str, str]:
    return reading.series.text, reading.effective_us, str(reading.value.normalize()), reading.unit
