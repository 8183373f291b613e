"""Folding behind what goes on the passports of which one statement spoke, where it spoke of very many.

A shipment of thousands would hold the store for as long as their folding takes, once when it is offered and once more
when it is accepted. The transaction that stores it takes a durable row for each passport instead, and a job; the job
folds some in each transaction, whatever was said of them by then. Who looks at such a passport, or acts on it, has it
folded first.
"""

from collections.abc import Collection, Iterable

from node.services.core import Core
from node.services.jobs import ITSELF, Jobs, Unfinished
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.jobs import Job, extend_job, find_open, get_job
from node.store.passports import every_id, read_leads
from node.store.unfolded import count_unfolded, next_unfolded, put_unfolded, unfolded_among

KIND, LANE = "fold", "behind"
AT_ONCE = 500  # passports that are folded in the transaction that spoke of them
PAGE = 200


class Backlog:
    """Takes what a statement leaves for later, and does it."""

    def __init__(self, core: Core, projection: Projection, jobs: Jobs, at_once: int = AT_ONCE) -> None:
        self._core, self._projection, self._jobs, self._at_once = core, projection, jobs, at_once
        projection.leave, projection.fold_left = self._leave, self._fold
        jobs.register(KIND, self._step, LANE, self._unfinished)

    async def _leave(self, tx: WriteTx, subjects: Collection[bytes]) -> set[bytes]:
        """Leave those of which there are passports for later, and answer them; none where they are few."""
        left = (await read_leads(tx, subjects)).keys() if len(subjects) > self._at_once else set[bytes]()
        if len(left) <= self._at_once:
            return set()
        await put_unfolded(tx, left)
        job = await find_open(tx, KIND)
        if job is None:
            await self._jobs.take(tx, KIND, Unfinished(len(left)))
        else:
            await extend_job(tx, job.id, job.total + len(left), job.result)
        tx.on_commit(self._fell_behind)
        return set(left)

    @staticmethod
    async def _unfinished(tx: ReadTx) -> Unfinished | None:
        """What is left, where no job is open."""
        count = await count_unfolded(tx)
        return Unfinished(count) if count and await find_open(tx, KIND) is None else None

    def _fell_behind(self) -> None:
        self._projection.is_behind = True

    def _caught_up(self) -> None:
        self._projection.is_behind = False

    async def _fold(self, subjects: Iterable[bytes]) -> None:
        async with self._core.database.read() as tx:
            # A statement may have named another id of the same passport.
            left = sorted(await unfolded_among(tx, await every_id(tx, subjects)))
        for start in range(0, len(left), PAGE):
            async with self._core.database.write() as tx:
                await self._refold(tx, left[start : start + PAGE])

    async def _step(self, job: Job, _content: bytes) -> bool:
        async with self._core.database.write() as tx:
            job = await get_job(tx, job.id)  # a statement may have given it more to do since
            page = await next_unfolded(tx, PAGE)
            await self._refold(tx, page)
            is_done = len(page) < PAGE
            done = job.total if is_done else min(job.total - 1, job.done + len(page))
            await self._jobs.advance(tx, job, done, {})
            await self._core.announce(tx, ITSELF, "refold_advanced", job=job.id, done=done, total=job.total)
            if is_done:
                tx.on_commit(self._caught_up)
        return not is_done

    async def _refold(self, tx: WriteTx, subjects: Collection[bytes]) -> None:
        await self._projection.refold(tx, subjects, await StatementReader.open(tx), self._projection.world)
