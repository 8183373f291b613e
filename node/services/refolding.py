"""Folding every passport again behind what goes on, where there are too many for the transaction of a publication.

That transaction takes a durable job and no more. The job goes around all subjects in the order of their ids, some in
each transaction; a publication that comes meanwhile lets it go around once more from where it is. Until its turn a
passport is shown as it was folded last, unless somebody speaks of it: what is said is folded as ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.services.core import Core
from node.services.jobs import ASIDE, ITSELF, Jobs, Unfinished
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.jobs import OPEN, Job, extend_job, find_open, get_job, newest_job
from node.store.passports import count_subjects, list_subjects

KIND = "refold"
AT_ONCE = 500  # subjects that the transaction of a publication folds itself
PAGE = 100


@dataclass(frozen=True, slots=True)
class Round:
    """A way around all subjects: those after `at` come next, and past the last one those up to `until`."""

    at: bytes = b""
    until: bytes = b""
    is_past_last: bool = False

    @classmethod
    def from_result(cls, result: Mapping[str, object]) -> "Round":
        """As a job keeps it."""
        at, until = (bytes.fromhex(str(result.get(name, ""))) for name in ("at", "until"))
        return cls(at, until, bool(result.get("is_past_last")))

    def to_result(self) -> dict[str, object]:
        """For a job to keep."""
        return {"at": self.at.hex(), "until": self.until.hex(), "is_past_last": self.is_past_last}

    def again(self) -> "Round":
        """All the way around once more from here."""
        return Round(self.at, self.at)

    def after(self, page: Sequence[bytes], limit: int) -> "Round | None":
        """What is left after a page of at most `limit` subjects; None where the way is at its end."""
        if len(page) == limit:
            return Round(page[-1], self.until, self.is_past_last)
        return None if self.is_past_last or not self.until else Round(b"", self.until, is_past_last=True)


class Refolding:
    """Takes what a publication leaves for later, and does it."""

    def __init__(self, core: Core, projection: Projection, jobs: Jobs, at_once: int = AT_ONCE) -> None:
        """`at_once` is how many subjects a publication folds in its own transaction."""
        self._core, self._projection, self._jobs, self._at_once = core, projection, jobs, at_once
        projection.defer = self._defer
        jobs.register(KIND, self._step, ASIDE, self._unfinished)

    async def _defer(self, tx: WriteTx) -> bool:
        """Leave all passports for later; False where they are few."""
        count = await count_subjects(tx)
        if count <= self._at_once:
            return False
        job = await find_open(tx, KIND)
        if job is None:
            await self._jobs.take(tx, KIND, Unfinished(count))
        else:
            around = Round.from_result(job.result).again()
            await extend_job(tx, job.id, job.done + count, {**job.result, **around.to_result()})
            tx.on_commit(self._jobs.wake)
        return True

    @staticmethod
    async def _unfinished(tx: ReadTx) -> Unfinished | None:
        """What the newest job had left when it failed."""
        last = await newest_job(tx, KIND)
        if last is None or last.state in (*OPEN, "done"):
            return None
        return Unfinished(last.total - last.done, Round.from_result(last.result).to_result())

    async def _step(self, job: Job, _content: bytes) -> bool:
        async with self._core.database.write() as tx:
            job = await get_job(tx, job.id)  # a publication may have lengthened the way since
            around = Round.from_result(job.result)
            page = await list_subjects(tx, around.at, PAGE, around.until if around.is_past_last else None)
            await self._projection.refold(tx, page, await StatementReader.open(tx), self._projection.world)
            left = around.after(page, PAGE)
            done = job.total if left is None else min(job.total - 1, job.done + len(page))
            await self._jobs.advance(tx, job, done, (left or around).to_result())
            await self._core.announce(tx, ITSELF, "refold_advanced", job=job.id, done=done, total=job.total)
        return left is not None
