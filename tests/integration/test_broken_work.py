"""What others bring may break a rule that nobody thought of: it ends its own work, never the node's."""

from pathlib import Path

import pytest
from sqlalchemy import select

from federation.authority import Kind
from federation.fragment import SectionClass
from node.errors import InputError
from node.passport.drafts import Draft, DraftSection
from node.services.jobs import Job, advance
from node.services.ledger import entry_ref
from node.store import schema
from node.store.jobs import read_input
from tests.unit.node_protocols.builders import NOW, Desk, new_desk


async def test_job_that_breaks_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    """A fault in a job's step ends that job once and for all, drops its input, and the other jobs go on."""
    async with new_desk(tmp_path / "node") as desk:

        async def broken(_job: Job, _content: bytes) -> bool:
            raise ZeroDivisionError("a word of the file")

        async def good(job: Job, _content: bytes) -> bool:
            async with desk.core.database.write() as tx:
                await advance({})(tx, job, job.total)
                await desk.core.announce(tx, "test", "job_advanced")
            return False

        desk.jobs.register("test.broken", broken)
        desk.jobs.register("test.good", good)
        first = await desk.jobs.submit("test.broken", b"keys", 1, "test")
        second = await desk.jobs.submit("test.good", b"keys", 1, "test")

        done = await desk.finish(second)

        failed = await desk.jobs.get(first)
        assert (failed.state, done.state) == ("failed", "done")
        assert "a word of the file" not in str(failed.result)
        async with desk.core.database.read() as tx:
            assert [await read_input(tx, job) for job in (first, second)] == [b"", b""]


@pytest.mark.parametrize(
    "draft",
    [
        Draft(Kind.EVENT, (bytes(16),), -1, (DraftSection("event", b"{}", SectionClass.TECHNICAL),)),
        Draft(Kind.EVENT, (bytes(16),), NOW, (DraftSection("event", bytes(1 << 21), SectionClass.TECHNICAL),)),
        Draft(Kind.EVENT, (bytes(15),), NOW, (DraftSection("event", b"{}", SectionClass.TECHNICAL),)),
    ],
    ids=["before 1970", "too large", "no subject"],
)
async def test_what_cannot_be_signed_is_refused_and_leaves_no_place(tmp_path: Path, draft: Draft) -> None:
    """A statement that the protocol has no form for is the asker's fault; the log goes on without a gap."""
    async with new_desk(tmp_path / "node") as desk:
        before = await _size(desk)

        with pytest.raises(InputError) as refused:
            await desk.ledger.append([draft])
        assert refused.value.code == "not_signable"

        good = Draft(Kind.EVENT, (bytes(16),), NOW, (DraftSection("event", b"{}", SectionClass.TECHNICAL),))
        (entry,) = await desk.ledger.append([good])
        assert entry_ref(desk.ledger.log.log, entry).seq == before
        assert await _size(desk) == before + 1


async def _size(desk: Desk) -> int:
    async with desk.core.database.read() as tx:
        return int(await tx.value(select(schema.logs.c.size).where(schema.logs.c.own == 1)))
