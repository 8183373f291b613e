"""The files for ФГИС «Аршин»: what is new since the last one, every file that was made, and annulled results."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from federation.fragment import Ref
from node.errors import NotFoundError, StateError
from node.exchange.arshin import MAX_RESULTS
from node.passport import drafts
from node.passport.bodies import AnnulmentBody, EventBody, Place, Reference
from node.passport.references import parse_ref
from node.passport.shown import at, rows
from node.passport.statement import Statement
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.protocols import Protocols, SignedResult
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.errors import MissingError
from node.store.passports import find_passport
from node.store.register_answers import MadeFile, files_of, get_file, insert_file, list_files

ANNULLED = "verification_annulled"
VERDICTS = frozenset({"verified", "rejected"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A result of this organisation's verification, and the number of the file that it went into."""

    result: SignedResult
    file: int | None


class ArshinFiles:
    """Makes the files of this organisation's verifications, and annuls them."""

    def __init__(self, core: Core, ledger: Ledger, protocols: Protocols) -> None:
        self._core = core
        self._ledger = ledger
        self._protocols = protocols

    async def results(self, since: date | None = None) -> list[Outgoing]:
        """The results that stand, oldest first, each with its file; those that are annulled are none."""
        found = await self._protocols.results((), since)
        async with self._core.database.read() as tx:
            files = await files_of(tx, [result.ref for result in found])
        return [Outgoing(result, files.get(result.ref)) for result in found]

    async def make(
        self, actor: str, subjects: Sequence[bytes] = (), since: date | None = None, *, only_new: bool = False
    ) -> tuple[int, bytes]:
        """Make a file of the results of these devices, or from a day on, and keep it; answer its number and bytes.

        `only_new` leaves out what stood in an earlier file. Raise InputError where there is nothing, or a result lacks
        what the register needs.
        """
        found = await self._protocols.results(subjects, since)
        if only_new:
            async with self._core.database.read() as tx:
                known = await files_of(tx, [result.ref for result in found])
            found = [result for result in found if result.ref not in known][:MAX_RESULTS]
        raw = await self._protocols.application(found)
        refs = [result.ref for result in found]
        sealed = await asyncio.to_thread(self._core.keystore.vault.seal, raw)
        async with self._core.database.write() as tx:
            number = await insert_file(tx, actor, sealed, refs)
            await self._core.announce(tx, actor, "arshin_exported", count=len(refs), file=number)
        return number, raw

    async def files(self, limit: int = 50, before: int | None = None) -> list[MadeFile]:
        """The files that were made, newest first."""
        async with self._core.database.read() as tx:
            return await list_files(tx, limit, before)

    async def file(self, number: int) -> bytes:
        """A file as it was made; raise NotFoundError."""
        async with self._core.database.read() as tx:
            return self._core.keystore.vault.open((await _file(tx, number)).content)

    async def annul(self, subject: bytes, ref: str, reason: str, actor: str) -> int | None:
        """Annul a result of this organisation's own; answer the file that it went into, which the register has by now.

        Raise NotFoundError for no such protocol, StateError where it is another's, no result, or annulled already.
        """
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
            view = passport.content if passport else {}
            row = next((row for row in rows(view, "protocols") if row["ref"] == ref), None)
            file = (await files_of(tx, [ref])).get(ref)
            # Of joined passports it may be signed under another id than the leading one.
            said = await _said(tx, parse_ref(ref)) if row else []
        if passport is None or row is None or not said:
            raise NotFoundError("no protocol of that place is here", "protocol_unknown")
        if row["by"] != self._core.org.hex():
            raise StateError("a result is annulled by the organisation that signed it", "annul_foreign")
        if row["annulled"] is not None:
            raise StateError("the result is annulled already", "annulled_already")
        if not any(at(what, "central") in VERDICTS for what in rows(row, "extract", "events")):
            raise StateError("the protocol is no result of a verification", "annul_nothing")
        where = Place(place=Reference(local=self._protocols.place), default=True)
        event = EventBody(what=Reference(central=ANNULLED), where=where, system="protocol", detail={"reason": reason})
        draft = drafts.annulment(
            said[0].subject,
            [parse_ref(ref)],
            AnnulmentBody(reason=reason),
            event,
            self._core.clock.now(),
        )

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "verification_annulled", passport.subject, ref=ref, file=file)

        await self._ledger.append([draft], note)
        return file


async def _said(tx: ReadTx, ref: Ref) -> list[Statement]:
    reader = await StatementReader.open(tx)
    return await reader.at(tx, [(reader.numbers[ref.log], ref.seq)])


async def _file(tx: ReadTx, number: int) -> MadeFile:
    try:
        return await get_file(tx, number)
    except MissingError as error:
        raise NotFoundError(str(error), "arshin_file_unknown") from error
