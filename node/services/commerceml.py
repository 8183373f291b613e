"""Importing items of 1C: a durable job that takes the items of a CommerceML file as own codes of types.

An item that is known so already is not said again, so a file that is sent twice, or a job that goes on after a crash,
says nothing twice. Items that mean no central type yet are told, most used first, to be bound on the catalog's page.
"""

import asyncio
from dataclasses import asdict

from node.errors import InputError
from node.exchange.commerceml import HEADER, CommerceFile, read_commerceml
from node.exchange.errors import ExchangeError
from node.passport.catalogs import Catalog
from node.services.core import Core
from node.services.job_results import REPORT, counted, listed
from node.services.jobs import Jobs
from node.services.ledger import Ledger
from node.services.own_codes import Loaded, OwnCodes
from node.store.database import WriteTx
from node.store.jobs import Job

KIND = "import.commerceml"
ITEMS_A_STEP = 500
SHOWN = 200
TYPES = Catalog.TYPES.value


class CommerceItems:
    """Takes files of items."""

    def __init__(self, core: Core, ledger: Ledger, jobs: Jobs, own_codes: OwnCodes) -> None:
        self._core = core
        self._ledger = ledger
        self._own_codes = own_codes
        self._files: dict[str, CommerceFile] = {}
        jobs.register(KIND, self._step)
        self._jobs = jobs

    async def submit(self, raw: bytes, name: str, actor: str) -> str:
        """Take a file and answer its job; raise InputError where it is no CommerceML."""
        try:
            told = await asyncio.to_thread(read_commerceml, raw)
        except ExchangeError as error:
            raise InputError(
                f"{name}: {error}", "import_unreadable", file=name, ru=f"{name}: {error.text('ru')}"
            ) from error
        return await self._jobs.submit(KIND, raw, max(1, len(told.items)), actor, name)

    async def _step(self, job: Job, content: bytes) -> bool:
        file = self._files.get(job.id)
        if file is None:
            file = self._files[job.id] = await asyncio.to_thread(read_commerceml, content)
        items = file.items[job.done : job.done + ITEMS_A_STEP]
        done = min(job.total, job.done + max(1, len(items)))
        rows = [Loaded(item.id, item.shown) for item in items if not item.is_gone]
        known = self._own_codes.known(TYPES)
        fresh = [row for row in rows if row.local not in known or known[row.local].name != row.name]
        said, faults = self._own_codes.prepare(TYPES, fresh)
        if faults:
            raise InputError(f"an item breaks the catalog: {faults[0]['value']} {faults[0]['rule']}", "codes_refused")
        unbound = [row.name or row.local for row in rows if row.local not in known or known[row.local].central is None]
        result = {
            "accepted": counted(job, "accepted") + len(fresh),
            "repeated": counted(job, "repeated") + len(rows) - len(fresh),
            "gone": counted(job, "gone") + len(items) - len(rows),
            "unbound": [*listed(job, "unbound"), *unbound][:SHOWN],
            "unbound_count": counted(job, "unbound_count") + len(unbound),
            "findings": [asdict(finding) for finding in file.findings],
            "header": [*HEADER, *REPORT],
            "faulty": [list(row) for row in file.faulty],
        }

        async def record(tx: WriteTx, _entries: object) -> None:
            await self._jobs.advance(tx, job, done, result)
            await self._core.announce(tx, job.actor, "import_advanced", job=job.id, done=done, total=job.total)

        await self._ledger.append(said, record)
        if done >= job.total:
            self._files.pop(job.id, None)
        return done < job.total
