"""Running durable jobs: each step is one transaction with its progress, so a killed node goes on where it was."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from node.errors import NodeError, NotFoundError
from node.services.core import Core
from node.store.database import WriteTx
from node.store.errors import MissingError, StoreError
from node.store.jobs import Job, advance_job, forget_input, get_job, insert_job, list_jobs, read_input

__all__ = ["Job", "Jobs", "advance"]

log = structlog.get_logger()

Step = Callable[[Job, bytes], Awaitable[bool]]


class Jobs:
    """Takes jobs and runs one after another."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._steps: dict[str, Step] = {}
        self._wake = asyncio.Event()

    def register(self, kind: str, step: Step) -> None:
        """`step(job, input)` does the next part in one transaction with `advance`; it answers whether more is left."""
        self._steps[kind] = step

    def new_id(self) -> str:
        """An id for a job that is about to be submitted."""
        return self._core.random.bytes(8).hex()

    async def submit(
        self, kind: str, content: bytes, total: int, actor: str, file: str = "", job_id: str | None = None
    ) -> str:
        """Take a job and answer its id; `file` is what its input is called."""
        job_id = job_id or self.new_id()
        sealed = await asyncio.to_thread(self._core.keystore.vault.seal, content)
        async with self._core.database.write() as tx:
            await insert_job(tx, job_id, kind, total, sealed, actor, file)
            await self._core.announce(tx, actor, "job_taken", job=job_id, kind=kind, file=file)
        self._wake.set()
        return job_id

    async def get(self, job_id: str) -> Job:
        """The job of that id; raise NotFoundError."""
        async with self._core.database.read() as tx:
            try:
                return await get_job(tx, job_id)
            except MissingError as error:
                raise NotFoundError(str(error), "job_unknown") from error

    async def newest(self, limit: int = 100, after: tuple[int, str] | None = None) -> list[Job]:
        """The newest jobs, after a (created_us, id) place."""
        async with self._core.database.read() as tx:
            return await list_jobs(tx, limit=limit, after=after)

    async def run(self) -> None:
        """Run jobs until cancelled."""
        while True:
            async with self._core.database.read() as tx:
                waiting = await list_jobs(tx, open_only=True)
            for job in waiting:
                await self._run_job(job)
            if not waiting:
                await self._wake.wait()
                self._wake.clear()

    async def _run_job(self, job: Job) -> None:
        try:
            async with self._core.database.read() as tx:
                sealed = await read_input(tx, job.id)
            content = await asyncio.to_thread(self._core.keystore.vault.open, sealed)
            del sealed
            while await self._steps[job.kind](job, content):
                job = await self.get(job.id)
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
            await advance_job(tx, job_id, job.done, job.done, {**job.result, "error": error}, "failed")
            await forget_input(tx, job_id)
            await self._core.announce(tx, job.actor, "job_failed", job=job_id, error=error)


def advance(state: Mapping[str, object]) -> Callable[[WriteTx, Job, int], Awaitable[None]]:
    """What a step writes beside its own work: progress, result, and the end of the job."""

    async def write(tx: WriteTx, job: Job, done: int) -> None:
        finished = done >= job.total
        result = {"file": job.result.get("file", ""), **state}
        await advance_job(tx, job.id, job.done, done, result, "done" if finished else "running")
        if finished:
            await forget_input(tx, job.id)

    return write
