"""The things that an import spoke of, in the order in which it did."""

from node.services.core import Core
from node.services.jobs import Jobs
from node.services.said import Span, read_said
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.passports import StoredPassport, read_leads, read_passports

LOOKED_AHEAD = 120_000  # statements
AT_ONCE = 5_000


class Imported:
    """Tells what jobs brought."""

    def __init__(self, core: Core, jobs: Jobs) -> None:
        self._core = core
        self._jobs = jobs

    async def things(self, job_id: str, skipped: int, limit: int) -> list[StoredPassport]:
        """Passports of the things that a job spoke of, without those that are gone; raise NotFoundError for no job."""
        await self._jobs.get(job_id)
        async with self._core.database.read() as tx:
            spans = await read_said(tx, job_id) or []
            leads = await self._leads(tx, spans, skipped + limit)
            wanted = leads[skipped : skipped + limit]
            found = await read_passports(tx, wanted)
        return [found[lead] for lead in wanted if lead in found]

    async def _leads(self, tx: ReadTx, spans: list[Span], most: int) -> list[bytes]:
        """What leads to the first things of spans."""
        reader, found, looked = await StatementReader.open(tx), dict[bytes, None](), 0
        for span in spans:
            for first in range(span.first, span.end, AT_ONCE):
                if len(found) >= most or looked >= LOOKED_AHEAD:
                    return list(found)
                said = await reader.headers_between(tx, span.log, first, min(span.end, first + AT_ONCE))
                leads = await read_leads(tx, {one.subject for one in said})
                found.update((leads[one.subject], None) for one in said if one.subject in leads)
                looked += len(said)
        return list(found)
