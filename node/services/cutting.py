"""Cuts that this organisation makes: how far the logs of somebody go here, so that what he said up to now counts."""

from federation.cut import Cut, CutRow
from node.store.database import ReadTx
from node.store.logs import list_logs
from node.store.trees import read_range


async def cut_now(tx: ReadTx, org: bytes) -> Cut:
    """The logs of an organisation at their sizes here, with their roots."""
    logs = sorted((log for log in await list_logs(tx, org=org) if log.size), key=lambda log: log.log)
    return Cut(tuple([CutRow(log.log, log.size, (await read_range(tx, log.no, log.size)).root()) for log in logs]))
