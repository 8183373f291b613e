"""Carrying erasures out, in the transaction that brings them: bytes, salt and chunks of a section, and what came of it.

Views, terms and cards follow, because the passports are folded again in that transaction. Drafts that were begun with
the erased document go too, and files for the register that hold it, and kept answers that tell it. Nothing of the
content is journaled.
"""

from collections.abc import Iterable, Mapping, Sequence

from federation.authority import Kind
from federation.chunks import SUFFIX
from federation.errors import CodecError
from federation.fragment import Header, Ref, SectionHead, section_content
from node.passport.erasures import Word, words_of
from node.passport.personal_marks import holds, marks_of
from node.passport.references import ref_text
from node.passport.statement import Erased, read_statement
from node.services.core import Core
from node.services.counting import routes_of, stored_header
from node.services.ledger import Taken
from node.store.access import blank_answers
from node.store.arshin import blank_files
from node.store.chunks import drop_chunks, signed_file
from node.store.database import ReadTx, WriteTx
from node.store.erasures import Gone, all_words, erased_at, forget_words, given_of, note_gone, put_words
from node.store.forms import drop_forms_of
from node.store.fragments import (
    CLEAR,
    HELD,
    StoredFragment,
    entries_at,
    entries_of_kinds,
    erase_section,
    is_personal,
)
from node.store.logs import list_logs
from node.store.rights import NewOpening, open_entries


class Erasing:
    """Does what erasures say; `Projection` calls it before it folds."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def take(self, tx: WriteTx, taken: Sequence[Taken]) -> set[bytes]:
        """Entries were stored: keep what they ask for, and do it; answer the subjects that are to be folded again."""
        words: list[Word] = []
        for stored, entries in taken:
            for entry in entries:
                if entry.header is not None and entry.header.kind == Kind.ERASURE:
                    said = words_of(read_statement(entry.to_fragment(), entry.header, stored.org))
                    await self._tell(tx, said, entry.header.subject, (stored.no, entry.seq))
                    words += said
                if entry.header is not None and is_personal(entry.header):
                    # It may have come after its erasure.
                    tx.on_commit(self._core.erased.set)
        if not words:
            return set()
        before = await self._in_effect(tx, words)
        await put_words(tx, words)
        return await self._carry_out(tx, {word.target for word in words}, before)

    async def _tell(self, tx: WriteTx, words: Iterable[Word], subject: bytes, place: tuple[int, int]) -> None:
        """Whoever was given from here what is to go is told so, even where his copy of the log lacks it."""
        given = await given_of(tx, {(word.target.log, word.target.seq) for word in words})
        orgs = sorted({one.org for one in given} - {self._core.org})
        await open_entries(tx, [NewOpening(org, subject, place) for org in orgs])
        if orgs:
            tx.on_commit(self._core.outgoing.set)

    async def recount(self, tx: WriteTx) -> set[bytes]:
        """Other erasures count than before: do what those say that count now. What is gone stays gone."""
        authors = {stored.log: stored for stored in await list_logs(tx)}
        words: list[Word] = []
        for entry in await entries_of_kinds(tx, [Kind.ERASURE]):
            header, by = stored_header(entry), authors[entry.log]
            if header is not None and by.counted.counts(entry.seq):
                words += words_of(read_statement(entry.to_fragment(), header, by.org))
        before = await all_words(tx)
        if sorted(words, key=_key) == sorted(before, key=_key):
            return await self.replay(tx)
        shown = await self._in_effect(tx, [*words, *before])
        await forget_words(tx)
        await put_words(tx, words)
        return await self._carry_out(tx, {word.target for word in (*words, *before)}, shown)

    async def replay(self, tx: WriteTx) -> set[bytes]:
        """Do again whatever is known: an older copy of the store brings bytes back that were gone."""
        words = await all_words(tx)
        return await self._carry_out(tx, {word.target for word in words}, await self._in_effect(tx, words))

    async def _carry_out(
        self, tx: WriteTx, targets: Iterable[Ref], before: Mapping[Ref, Mapping[str, Erased]]
    ) -> set[bytes]:
        """Erase what these entries have; answer the subjects of those that are shown otherwise than `before`, or had
        bytes still. A word without effect moves nothing: anybody may name an act about thousands of things.
        """
        found, gone = await self._named(tx, targets)
        touched: set[bytes] = set()
        for ref, (entry, header) in found.items():
            had_bytes = ref in gone and await self._erase(tx, ref, entry, header, gone[ref])
            if had_bytes or gone.get(ref) != before.get(ref):
                touched |= {*header.subjects, *routes_of(entry.to_fragment())}
        if gone:
            tx.on_commit(self._core.erased.set)
        return touched

    async def _in_effect(self, tx: ReadTx, words: Iterable[Word]) -> Mapping[Ref, Mapping[str, Erased]]:
        """What is erased of the entries that words name, by those that are kept."""
        return (await self._named(tx, {word.target for word in words}))[1]

    @staticmethod
    async def _named(
        tx: ReadTx, targets: Iterable[Ref]
    ) -> tuple[dict[Ref, tuple[StoredFragment, Header]], dict[Ref, dict[str, Erased]]]:
        """The entries at these places, and what is erased of them."""
        logs = {stored.log: stored for stored in await list_logs(tx)}
        named = {(logs[ref.log].no, ref.seq) for ref in targets if ref.log in logs}
        found: dict[Ref, tuple[StoredFragment, Header]] = {}
        for entry in await entries_at(tx, named):
            if (header := stored_header(entry)) is not None:
                found[Ref(entry.log, entry.seq, entry.to_fragment().id[:16])] = (entry, header)
        authors = {stored.log: stored.org for stored in logs.values()}
        return found, await erased_at(tx, {ref: header for ref, (_, header) in found.items()}, authors)

    async def _erase(
        self, tx: WriteTx, ref: Ref, entry: StoredFragment, header: Header, gone: Mapping[str, Erased]
    ) -> bool:
        heads, done, marks = [head.name for head in header.sections], list[Gone](), frozenset[bytes]()
        said = {section.name: section.data for section in entry.sections if section.form in (CLEAR, HELD)}
        for name, erased in gone.items():
            head = header.sections[heads.index(name)]
            was_here = await erase_section(tx, entry.log_no, entry.seq, heads.index(name), name)
            if name.endswith(SUFFIX):
                await drop_chunks(tx, signed_file(ref, name))
            done.append(Gone(ref, name, tx.now, was_here))
            if was_here:
                marks |= _marks(head, said.get(name))
                told = {"section": name, "ref": ref_text(ref), "ground": erased.ground}
                await self._core.announce(tx, "merge", "section_erased", header.subject, org=erased.by[0], **told)
        await note_gone(tx, done)
        had_bytes = any(one.was_here for one in done)
        if had_bytes:
            await self._forget_copies(tx, ref, marks)
        return had_bytes

    async def _forget_copies(self, tx: WriteTx, ref: Ref, marks: frozenset[bytes]) -> None:
        """What was made here out of the statement and holds what it said."""
        vault = self._core.keystore.vault
        await drop_forms_of(tx, ref_text(ref))
        if marks:
            await blank_files(tx, lambda sealed: holds(vault.open(sealed), marks))
            await blank_answers(tx, lambda sealed: holds(vault.open(sealed), marks), vault.seal(b"{}"))


def _marks(head: SectionHead, data: bytes | None) -> frozenset[bytes]:
    try:
        return marks_of(section_content(head, data)) if data is not None else frozenset()
    except CodecError:
        return frozenset()


def _key(word: Word) -> tuple[Ref, str, Ref]:
    return (word.target, word.section, word.said)
