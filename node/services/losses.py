"""What counts of the logs of organisations that left or were expelled, as counting asks for it."""

from collections.abc import Mapping, Sequence

from federation.cut import Cut, CutRow
from node.passport.standing import End, Loss, Standings
from node.passport.world import build_world
from node.services.counting import Counting
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.genesis import find_genesis
from node.store.logs import find_log
from node.store.trees import find_root


class Losses:
    """Hands the ends of memberships to counting, and has it judge again where they changed."""

    def __init__(self, counting: Counting) -> None:
        self._counting = counting
        self._known: Mapping[bytes, Loss] | None = None
        counting.ends = self.ends

    async def take(self, tx: WriteTx, standings: Standings) -> bool:
        """The world says who lost a membership: judge their logs again; whether other statements may count now."""
        before = await self._losses(tx)
        self._known = standings.losses
        # All of them, which are few: a transaction that failed may have left what was judged behind.
        for org in sorted(before.keys() | standings.losses.keys()):
            await self._counting.judge(tx, org)
        return before != standings.losses

    async def ends(self, tx: ReadTx, org: bytes) -> Sequence[Sequence[Cut]]:
        """The cuts of each end that the logs of an organisation fall under."""
        loss = (await self._losses(tx)).get(org)
        if loss is None:
            return []
        cuts = {end.ref: await _with_own_word(tx, end) for end in loss.ends}
        return [[cuts[end.ref] for end in some] for some in loss.groups()]

    async def _losses(self, tx: ReadTx) -> Mapping[bytes, Loss]:
        """What the world said last; before it was read, what follows from the statements that counted last."""
        if self._known is None:
            genesis = await find_genesis(tx)
            reader = await StatementReader.open(tx)
            self._known = build_world(await reader.published(tx, genesis), genesis).standings.losses
        return self._known


async def _with_own_word(tx: ReadTx, end: End) -> Cut:
    """The cut of an end; where the organisation says it itself, its log counts up to that word."""
    log = await find_log(tx, end.ref.log) if end.author == end.org else None
    root = await find_root(tx, log.no, end.ref.seq + 1) if log is not None and log.size > end.ref.seq else None
    if root is None:
        return end.cut
    rows = [row for row in end.cut.rows if row.log != end.ref.log]
    return Cut((*rows, CutRow(end.ref.log, end.ref.seq + 1, root)))
