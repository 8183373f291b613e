"""The files for ФГИС «Аршин»: what is new since the last one, every file that was made, and annulled results.

A result that was annulled or replaced after it went into a file is in the register still: it is told until
somebody says that the register annulled it too.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from federation.fragment import Ref
from node.errors import InputError, NotFoundError, StateError
from node.exchange.arshin import MAX_RESULTS, write_application
from node.exchange.errors import ArshinError
from node.passport import drafts
from node.passport.bodies import AnnulmentBody, EventBody, Place, Reference
from node.passport.references import parse_ref, ref_text
from node.passport.result_cards import ResultState
from node.passport.shown import at, rows
from node.passport.statement import Statement
from node.passport.strict_json import Json
from node.passport.templates.errors import TemplateError
from node.passport.verifications import VERDICTS
from node.passport.view import moment_us
from node.services.core import Core
from node.services.ledger import Ledger
from node.services.protocols import Protocols, join_sections
from node.services.statements import StatementReader
from node.store import arshin as store
from node.store.arshin import MadeFile, ResultSift, StoredResult
from node.store.database import ReadTx, WriteTx
from node.store.errors import MissingError
from node.store.passports import find_passport

__all__ = ["ArshinFiles", "LeftOut", "Made", "ResultSift", "StoredResult", "Waiting"]

ANNULLED = "verification_annulled"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A result that a file cannot take, and why."""

    result: StoredResult
    why: ArshinError


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made, and what could not go into it."""

    number: int
    raw: bytes
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many results wait for a file, and how many the register has that are in force no longer."""

    new: int
    gone: int


class ArshinFiles:
    """Makes the files of this organisation's verifications, and annuls them."""

    def __init__(self, core: Core, ledger: Ledger, protocols: Protocols) -> None:
        self._core = core
        self._ledger = ledger
        self._protocols = protocols
        self._one_at_a_time = asyncio.Lock()  # a result goes into one new file, and is annulled once, after that file

    async def results(self, sift: ResultSift, limit: int, before: tuple[int, str] | None = None) -> list[StoredResult]:
        """This organisation's results, newest first, before a (time, place of the protocol)."""
        async with self._core.database.read() as tx:
            return await store.list_results(tx, sift, limit, before)

    async def waiting(self) -> Waiting:
        """What is to be done."""
        async with self._core.database.read() as tx:
            counts = [await store.count_results(tx, ResultSift(is_new=True, is_gone=gone)) for gone in (False, True)]
        return Waiting(*counts)

    async def make(self, actor: str, since: date | None = None, *, only_new: bool = False) -> Made:
        """Make a file of the results that stand, from a day on, and keep it.

        `only_new` leaves out what stood in an earlier file. A result that lacks what the register needs goes on waiting
        and is told. Raise InputError where there is nothing for a file.
        """
        sift = ResultSift(is_new=only_new, since_us=moment_us(since.isoformat()) if since else None)
        async with self._one_at_a_time:
            async with self._core.database.read() as tx:
                # One more than a file holds is refused, unless another file takes the rest.
                found = await store.oldest_results(tx, sift, MAX_RESULTS if only_new else MAX_RESULTS + 1)
                results = {result.card.ref: result for result in found}
                said = {ref_text(one.ref): one for one in await _said(tx, map(parse_ref, results))}
            raw, refused = await asyncio.to_thread(_application, {ref: said[ref] for ref in results if ref in said})
            sealed = await asyncio.to_thread(self._core.keystore.vault.seal, raw)
            refs = said.keys() - refused.keys()
            async with self._core.database.write() as tx:
                number = await store.note_file(tx, actor, sealed, refs)
                await self._core.announce(tx, actor, "arshin_exported", count=len(refs), file=number)
        return Made(number, raw, [LeftOut(results[ref], why) for ref, why in refused.items()])

    async def files(self, limit: int = 50, before: int | None = None) -> list[MadeFile]:
        """The files that were made, newest first."""
        async with self._core.database.read() as tx:
            return await store.list_files(tx, limit, before)

    async def file(self, number: int) -> bytes:
        """A file as it was made; raise NotFoundError."""
        async with self._core.database.read() as tx:
            try:
                made = await store.get_file(tx, number)
            except MissingError as error:
                raise NotFoundError(str(error), "arshin_file_unknown") from error
        return self._core.keystore.vault.open(made.content)

    async def annul(self, subject: bytes, ref: str, reason: str, actor: str) -> int | None:
        """Annul a result of this organisation's own; answer the file that it went into, which the register has by now.

        Raise NotFoundError for no such protocol, StateError where it is another's, no result, or annulled already.
        """
        async with self._one_at_a_time:
            return await self._annul(subject, ref, reason, actor)

    async def settle(self, ref: str, actor: str) -> None:
        """The register annulled a result too, as somebody saw there; raise NotFoundError, or StateError where it stands
        or went into no file.
        """
        async with self._core.database.write() as tx:
            try:
                found = await store.get_result(tx, ref)
            except MissingError as error:
                raise NotFoundError(str(error), "result_unknown") from error
            if found.card.state is ResultState.STANDS or found.file is None:
                raise StateError("the result stands, or went into no file", "result_stands")
            if found.settled_us is None:
                await store.settle_result(tx, ref)
                await self._core.announce(tx, actor, "arshin_settled", found.lead, ref=ref, file=found.file)

    async def _annul(self, subject: bytes, ref: str, reason: str, actor: str) -> int | None:
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject, whole=False)
            view = passport.content if passport else {}
            row = next((row for row in rows(view, "protocols") if row["ref"] == ref), None)
            # Of joined passports it may be signed under another id than the leading one.
            said = await _said(tx, [parse_ref(ref)]) if row else []
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
        file: int | None = None

        async def note(tx: WriteTx, _entries: object) -> None:
            nonlocal file
            file = (await store.get_result(tx, ref)).file
            await self._core.announce(tx, actor, "verification_annulled", passport.subject, ref=ref, file=file)

        await self._ledger.append([draft], note)
        return file


def _application(said: Mapping[str, Statement]) -> tuple[bytes, dict[str, ArshinError]]:
    """The file of these results, and which of them it cannot take and why; raise InputError where it can take none."""
    if not said:
        raise InputError("there is no signed verification to export", "arshin_empty")
    try:
        return write_application([_document(statement) for statement in said.values()]), {}
    except ArshinError as error:
        refused = {} if len(said) > MAX_RESULTS else {ref: why for ref, one in said.items() if (why := _fault(one))}
        fit = [_document(statement) for ref, statement in said.items() if ref not in refused]
        if not (refused and fit):
            why = next(iter(refused.values()), error)
            raise InputError(str(why), "arshin_refused", ru=why.text("ru")) from error
        return write_application(fit), refused


def _fault(statement: Statement) -> ArshinError | None:
    try:
        write_application([_document(statement)])
    except ArshinError as error:
        return error
    return None


def _document(statement: Statement) -> Json:
    sections = statement.sections
    try:
        return join_sections(sections.get("document"), sections.get("personal"))
    except TemplateError as error:
        raise ArshinError(f"a protocol cannot be read: {error}", f"протокол не читается: {error.text('ru')}") from error


async def _said(tx: ReadTx, refs: Iterable[Ref]) -> list[Statement]:
    reader = await StatementReader.open(tx)
    return await reader.at(tx, [(reader.numbers[ref.log], ref.seq) for ref in refs])
