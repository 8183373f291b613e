"""Passports as signed files: what this organisation, or a party, may see of a subject, with all that proves it.

Secrets never go into a file: neither those that this node holds under its own storage key nor those that somebody
sealed to one node.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from federation.authority import Kind
from federation.codec import pack
from federation.fragment import Fragment, Header, Section, SectionClass, decode_header
from federation.genesis import Genesis
from node.errors import InputError, NotFoundError
from node.exchange.passport_file import Entry, Manifest, Part, PartKind, fold_file, write_file
from node.passport.statement import Statement, read_statement
from node.passport.view import View, digest
from node.passport.world import PUBLICATION_KINDS
from node.services.core import Core
from node.services.disclosure import Disclosure
from node.services.disclosure import View as Shown
from node.services.known import check_organisation
from node.services.projection import FEDERATION
from node.store.database import ReadTx
from node.store.fragments import CLEAR, StoredFragment, entries_about, entries_of_kinds
from node.store.logs import StoredLog, list_logs
from node.store.organisations import read_statements
from node.store.passports import every_id, find_passport
from node.store.settings import find_setting
from node.store.trees import read_inclusion

MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class PassportFile:
    """A file, and what it is about."""

    subject: bytes
    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Said:
    """An entry as it goes into the file, and what it says."""

    stored: StoredFragment
    fragment: Fragment
    statement: Statement


class PassportFiles:
    """Writes them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._disclosure = Disclosure()

    async def write(self, subject: bytes, actor: str, party: bytes | None = None) -> PassportFile:
        """The file of a subject, as this organisation sees it or as far as a party may.

        Raise NotFoundError where there is no passport or the party may read nothing of it.
        """
        async with self._core.database.read() as tx:
            passport = await find_passport(tx, subject)
            if passport is None:
                raise NotFoundError("no passport of that id is here", "passport_unknown")
            if party is not None:
                await check_organisation(tx, party)
            subjects = await every_id(tx, [passport.subject])
            logs = {log.log: log for log in await list_logs(tx)}
            said = await self._read(tx, await entries_about(tx, subjects), logs, party)
            published = await self._read(tx, await entries_of_kinds(tx, PUBLICATION_KINDS), logs, party)
            raw = await find_setting(tx, FEDERATION)
            genesis = Genesis.from_bytes(raw) if raw else None
            if not said:
                raise NotFoundError("that organisation may read nothing of it", "passport_unknown")
            mark, needed = await asyncio.to_thread(_needed, subjects, said, published, genesis)
            parts = await self._parts(tx, said, needed, logs, genesis)
        if sum(len(part.content) for part in parts) > MAX_BYTES:
            raise InputError(
                f"the passport is larger than {MAX_BYTES} bytes", "passport_file_large", most=MAX_BYTES >> 20
            )
        ordered = (passport.subject, *(other for other in subjects if other != passport.subject))
        manifest = Manifest(self._core.org, self._core.node, self._core.clock.now(), party, ordered, mark)
        content = await asyncio.to_thread(write_file, self._core.keystore.sign, manifest, parts)
        async with self._core.database.write() as tx:
            for_whom = party.hex() if party else None
            await self._core.announce(tx, actor, "passport_exported", passport.subject, to=for_whom)
        return PassportFile(passport.subject, passport.title, content)

    async def _read(
        self, tx: ReadTx, entries: Sequence[StoredFragment], logs: dict[bytes, StoredLog], party: bytes | None
    ) -> list[_Said]:
        whole = [entry for entry in entries if entry.void is None and logs[entry.log].counted.counts(entry.seq)]
        shown = None if party is None else await self._disclosure.view(tx, party, whole)
        found = []
        for entry in whole:
            header = decode_header(entry.header, entry.log, entry.seq)
            if shown is not None and not shown.may_read(header):
                continue
            fragment = _shown(entry, header, shown)
            found.append(_Said(entry, fragment, read_statement(fragment, header, logs[entry.log].org)))
        return found

    async def _parts(
        self,
        tx: ReadTx,
        said: Sequence[_Said],
        published: Sequence[_Said],
        logs: dict[bytes, StoredLog],
        genesis: Genesis | None,
    ) -> list[Part]:
        entries = [*said, *published]
        used = sorted({item.stored.log for item in entries})
        orgs = sorted({logs[log].org for log in used} | {self._core.org})
        statements = await read_statements(tx)
        parts = [Part(PartKind.GENESIS, genesis.to_bytes())] if genesis else []
        parts += [Part(PartKind.ROOT_STATEMENT, s.envelope()) for org in orgs for s in statements.get(org, ())]
        parts += [Part(PartKind.LOG, pack([logs[log].envelope, logs[log].note]), log) for log in used]
        proofs = await _proofs(tx, entries, logs)
        about = {(item.stored.log, item.stored.seq) for item in said}
        for item in sorted(entries, key=lambda item: (item.stored.log, item.stored.seq)):
            place = (item.stored.log, item.stored.seq)
            parts.append(Entry(*place, item.fragment, proofs.get(place), place not in about).to_part())
        return parts


def _shown(entry: StoredFragment, header: Header, shown: Shown | None) -> Fragment:
    """The entry with the sections that go out: in clear, and never a secret."""
    classes = {head.name: head.klass for head in header.sections}
    kept = []
    for stored in entry.sections:
        klass = classes.get(stored.name, SectionClass.SECRET)
        is_open = klass < SectionClass.SECRET if shown is None else shown.may_open(header, klass, stored.name)
        if stored.form == CLEAR and stored.salt is not None and klass != SectionClass.SECRET and is_open:
            kept.append(Section(stored.name, stored.salt, stored.data))
    return Fragment(entry.header, entry.signature, tuple(kept))


def _needed(
    subjects: Sequence[bytes], said: Sequence[_Said], published: Sequence[_Said], genesis: Genesis | None
) -> tuple[bytes, list[_Said]]:
    """The digest of the view, and the publications that it needs: all of them where fewer fold to another one."""
    own = {item.statement.id for item in said}
    others = [item for item in published if item.statement.id not in own]
    mark = digest(_fold(subjects, said, others, genesis))
    fewer = list(_relevant(said, others, genesis))
    if digest(_fold(subjects, said, fewer, genesis)) == mark:
        return mark, fewer
    return mark, others


def _fold(
    subjects: Sequence[bytes], said: Iterable[_Said], published: Iterable[_Said], genesis: Genesis | None
) -> View:
    return fold_file(subjects, [item.statement for item in (*said, *published)], genesis)


def _relevant(said: Iterable[_Said], published: Iterable[_Said], genesis: Genesis | None) -> Iterable[_Said]:
    """What authors of the passport published, and what anchors said; templates that its protocols name."""
    orgs: Collection[bytes] = {item.statement.org for item in said} | set(genesis.anchors if genesis else ())
    named = b"".join(raw for item in said for name, raw in item.statement.sections.items() if name == "template")
    for item in published:
        statement = item.statement
        if statement.kind == Kind.TEMPLATE:
            if statement.id.hex().encode() in named:
                yield item
        elif statement.org in orgs:
            yield item


async def _proofs(
    tx: ReadTx, entries: Sequence[_Said], logs: dict[bytes, StoredLog]
) -> dict[tuple[bytes, int], tuple[int, tuple[bytes, ...]]]:
    """Size and path of each entry that is under its log's checkpoint."""
    found: dict[tuple[bytes, int], tuple[int, tuple[bytes, ...]]] = {}
    by_log: dict[bytes, set[int]] = {}
    for item in entries:
        by_log.setdefault(item.stored.log, set()).add(item.stored.seq)
    for log_id, seqs in sorted(by_log.items()):
        log = logs[log_id]
        if log.note is None:
            continue
        under = sorted(seq for seq in seqs if seq < log.note_size)
        paths = await read_inclusion(tx, log.no, under, log.note_size)
        found |= {(log_id, seq): (log.note_size, tuple(path)) for seq, path in zip(under, paths, strict=True)}
    return found
