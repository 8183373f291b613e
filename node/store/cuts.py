"""How far the logs of an organisation go here: what an end names, so that what was said up to now counts for ever."""

from federation.cut import MAX_ROWS, Cut, CutRow
from node.store.database import ReadTx
from node.store.logs import list_logs
from node.store.trees import read_range


async def read_cut(tx: ReadTx, org: bytes) -> Cut:
    """Every log of an organisation up to the size that was verified here; of more than a cut holds, the longest."""
    logs = sorted((log for log in await list_logs(tx, org=org) if log.size), key=lambda log: -log.size)[:MAX_ROWS]
    rows = [CutRow(log.log, log.size, (await read_range(tx, log.no, log.size)).root()) for log in logs]
    return Cut(tuple(sorted(rows, key=lambda row: row.log)))
