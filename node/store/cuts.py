"""How far the logs of an organisation go here: what an end names, so that what was said up to now counts for ever."""

from federation.cut import MAX_ROWS, Cut, CutRow
from federation.fragment import Ref
from node.store.database import ReadTx
from node.store.logs import list_logs
from node.store.trees import find_root


async def read_cut(tx: ReadTx, org: bytes, *others: bytes, before: Ref | None = None) -> Cut:
    """Every log of an organisation, and of others, up to the size that was verified here, one log up to a place alone
    where one is named; of more than a cut holds, the longest.
    """
    logs = [log for one in dict.fromkeys((org, *others)) for log in await list_logs(tx, org=one)]
    sizes = [(log, before.seq if before is not None and before.log == log.log else log.size) for log in logs]
    longest = sorted((found for found in sizes if found[1]), key=lambda found: -found[1])[:MAX_ROWS]
    rows = [CutRow(log.log, size, root) for log, size in longest if (root := await find_root(tx, log.no, size))]
    return Cut(tuple(sorted(rows, key=lambda row: row.log)))
