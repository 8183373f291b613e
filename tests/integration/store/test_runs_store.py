"""Runs of processes in the store, on both engines: who has how much to do."""

from node.passport.run_views import FOR_EVER, RunCard
from node.passport.runs import RunState
from node.store.database import Database
from node.store.runs import Load, count_loads, put_runs

LEAD, LAB, FIRM = (bytes([n]) * 16 for n in (1, 2, 3))
NOW = 1_790_000_000_000_000


def card(number: int, org: bytes, due_us: int, state: RunState = RunState.OPEN) -> RunCard:
    """A run that waits for an organisation until a moment."""
    return RunCard(bytes([number]) * 16, "00" * 32, "verification", state, "", "", LAB, 1, "protocol", org, 1, due_us)


async def test_open_and_overdue_steps_are_counted_by_organisation(database: Database) -> None:
    """What is over counts no more; a step without a term, or due at this very moment, is not overdue."""
    cards = [
        card(1, LAB, NOW - 1),
        card(2, LAB, NOW),
        card(3, LAB, FOR_EVER),
        card(4, FIRM, NOW - 1),
        card(5, FIRM, NOW - 1, RunState.CANCELLED),
    ]
    async with database.write() as tx:
        await put_runs(tx, {LEAD: cards}, [LEAD])

    async with database.read() as tx:
        assert await count_loads(tx, NOW) == [Load(LAB, 3, 1), Load(FIRM, 1, 1)]
