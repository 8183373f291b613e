"""Running durable jobs: each step is one transaction with its progress, so a killed node goes on where it was.

The input of a job, and the rows that it sends back, are full of names and addresses: both are sealed at rest. What the
node itself must get done is begun anew where its job failed or is gone: when a node starts, and after a failure, the
later the more there were.
"""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from node.errors import NodeError, NotFoundError, StoreAwayError
from node.services.core import Core
from node.services.speaking import Speaking, system_of
from node.store.database import ReadTx, WriteTx
from node.store.errors import MissingError, StoreError
from node.store.jobs import OPEN, Job, advance_job, extend_job, forget_input, get_job, insert_job, list_jobs, read_input

__all__ = ["Job", "Jobs", "Unfinished"]

log = structlog.get_logger()

# What of a result holds rows of the input.
PRIVATE = ("header", "faulty", "findings", "held_back")
SEALED = "sealed"
AGAIN_S, LONGEST_S = 1.0, 600.0  # so long what failed waits to be begun anew: twice as long each time
# Imports and their like; what goes on for hours, or must not wait for these, has a lane of its own.
MAIN, ASIDE = "main", "aside"
ITSELF = "merge"  # who takes the jobs of the node itself

Step = Callable[[Job, bytes], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What is left to do though no job does it: how much, and what a job goes on from."""

    total: int
    result: Mapping[str, object] = field(default_factory=dict)


FindUnfinished = Callable[[ReadTx], Awaitable[Unfinished | None]]


class Jobs:
    """Takes jobs and runs one after another, in each lane by itself."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._steps: dict[str, Step] = {}
        self._lanes: dict[str, str] = {}
        self._woken = {MAIN: asyncio.Event()}
        self._unfinished: dict[str, FindUnfinished] = {}
        self._failures: Counter[str] = Counter()  # of each such kind, since one of its jobs ended well
        self._again_at: dict[str, float] = {}  # when what failed in a lane is begun anew

    def register(self, kind: str, step: Step, lane: str = MAIN, unfinished: FindUnfinished | None = None) -> None:
        """`step(job, input)` does the next part in one transaction with `advance`; it answers whether more is left.

        Jobs of one lane run one after another, and wait for those of no other. What the node itself must get done is
        found `unfinished` where no job does it.
        """
        self._steps[kind] = step
        if unfinished is not None:
            self._unfinished[kind] = unfinished
        self._lanes[kind] = lane
        self._woken.setdefault(lane, asyncio.Event())

    def wake(self) -> None:
        """A job was taken."""
        for event in self._woken.values():
            event.set()

    def new_id(self) -> str:
        """An id for a job that is about to be submitted."""
        return self._core.random.bytes(8).hex()

    async def take(self, tx: WriteTx, kind: str, work: Unfinished) -> None:
        """Take a job of the node itself, which has no input, in a transaction."""
        job_id = self.new_id()
        await insert_job(tx, job_id, kind, work.total, self._core.keystore.vault.seal(b""), ITSELF)
        await extend_job(tx, job_id, work.total, {"file": "", **work.result})
        await self._core.announce(tx, ITSELF, "job_taken", job=job_id, kind=kind, file="")
        tx.on_commit(self.wake)

    async def seal(self, content: bytes) -> bytes:
        """What a job will work on, as it is stored."""
        return await asyncio.to_thread(self._core.keystore.vault.seal, content)

    async def submit(
        self, kind: str, content: bytes, total: int, actor: str, file: str = "", job_id: str | None = None
    ) -> str:
        """Take a job and answer its id; `file` is what its input is called."""
        return await self.submit_sealed(kind, await self.seal(content), total, actor, file, job_id or self.new_id())

    async def submit_sealed(self, kind: str, sealed: bytes, total: int, actor: str, file: str, job_id: str) -> str:
        """The same with an input that was sealed already, and an id that is known."""
        async with self._core.database.write() as tx:
            await insert_job(tx, job_id, kind, total, sealed, actor, file)
            await self._core.announce(tx, actor, "job_taken", job=job_id, kind=kind, file=file)
        self.wake()
        return job_id

    async def get(self, job_id: str) -> Job:
        """The job of that id; raise NotFoundError."""
        async with self._core.database.read() as tx:
            try:
                return self._opened(await get_job(tx, job_id))
            except MissingError as error:
                raise NotFoundError(str(error), "job_unknown") from error

    async def newest(self, limit: int = 100, after: tuple[int, str] | None = None) -> list[Job]:
        """The newest jobs, after a (created_us, id) place."""
        async with self._core.database.read() as tx:
            return [self._opened(job) for job in await list_jobs(tx, limit=limit, after=after)]

    async def advance(self, tx: WriteTx, job: Job, done: int, result: Mapping[str, object]) -> None:
        """What a step writes beside its own work: progress, result, and the end of the job."""
        finished = done >= job.total
        told = {"file": job.result.get("file", ""), **result}
        if private := {name: told.pop(name) for name in PRIVATE if name in told}:
            sealed = self._core.keystore.vault.seal(json.dumps(private, ensure_ascii=False).encode())
            told[SEALED] = base64.b64encode(sealed).decode()
        await advance_job(tx, job.id, job.done, done, told, "done" if finished else "running")
        if finished:
            await forget_input(tx, job.id)

    def _opened(self, job: Job) -> Job:
        """A job with its result in clear."""
        told = dict(job.result)
        sealed = told.pop(SEALED, None)
        if not isinstance(sealed, str):
            return job
        return replace(job, result=told | json.loads(self._core.keystore.vault.open(base64.b64decode(sealed))))

    async def run(self) -> None:
        """Run jobs until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._woken:
                tasks.create_task(self._run(lane))

    async def _run(self, lane: str) -> None:
        await self._renew(lane)
        while True:
            async with self._core.database.read() as tx:
                waiting = [
                    job for job in await list_jobs(tx, open_only=True) if self._lanes.get(job.kind, MAIN) == lane
                ]
            for job in waiting:
                await self._run_job(self._opened(job))
            if not waiting:
                await self._rest(lane)

    async def _rest(self, lane: str) -> None:
        """Wait for a job, or until what failed is begun anew."""
        try:
            async with asyncio.timeout_at(self._again_at.get(lane)):
                await self._woken[lane].wait()
        except TimeoutError:
            await self._renew(lane)
        self._woken[lane].clear()

    async def _renew(self, lane: str) -> None:
        """Take a job for what is unfinished in a lane."""
        self._again_at.pop(lane, None)
        for kind, find in self._unfinished.items():
            async with self._core.database.read() as tx:
                is_left = self._lanes[kind] == lane and await find(tx) is not None
            if not is_left:
                continue
            async with self._core.database.write() as tx:
                if left := await find(tx):
                    await self.take(tx, kind, left)

    def _put_off(self, kind: str) -> None:
        """A job failed: what is left of it is begun anew, the later the more often that was so."""
        if kind not in self._unfinished:
            return
        pause = min(LONGEST_S, AGAIN_S * 2 ** self._failures[kind])
        self._failures[kind] += 1
        lane, again_at = self._lanes[kind], asyncio.get_running_loop().time() + pause
        self._again_at[lane] = min(again_at, self._again_at.get(lane, again_at))

    async def _run_job(self, job: Job) -> None:
        try:
            async with self._core.database.read() as tx:
                sealed = await read_input(tx, job.id)
            content = await asyncio.to_thread(self._core.keystore.vault.open, sealed)
            del sealed
            with Speaking(system_of(job.actor)):
                while await self._steps[job.kind](job, content):
                    job = await self.get(job.id)
                    if job.state not in OPEN:
                        return
            self._failures.pop(job.kind, None)
        except StoreAwayError:
            raise  # the job goes on where it was
        except (NodeError, StoreError, KeyError) as error:
            log.warning("job_failed", job=job.id, kind=job.kind, error=str(error))
            await self._fail(job.id, str(error))
        except Exception as error:
            # What one file brings must not end the node, nor end it again at each start.
            log.error("job_broke", job=job.id, kind=job.kind, exc_info=error)
            await self._fail(job.id, "internal error of the node: its log tells more")

    async def _fail(self, job_id: str, error: str) -> None:
        async with self._core.database.write() as tx:
            job = await get_job(tx, job_id)
            if job.state not in OPEN:
                return  # it was stopped, and says why
            await advance_job(tx, job_id, job.done, job.done, {**job.result, "error": error}, "failed")
            await forget_input(tx, job_id)
            await self._core.announce(tx, job.actor, "job_failed", job=job_id, error=error)
            tx.on_commit(partial(self._put_off, job.kind))
