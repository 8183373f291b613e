"""Bringing passports, search terms and rights up to date with what was said, in the transaction that stored it."""

import json
from collections.abc import Iterable, Mapping, Sequence

from federation.authority import Authority, Kind
from federation.errors import CodecError
from federation.fragment import SectionClass
from federation.genesis import Genesis
from node.passport.case import Case, open_case
from node.passport.fold import FOLD_VERSION, fold_case
from node.passport.identity import resolve_identities
from node.passport.rights import PUBLISHED_KINDS, class_mask, rights_of
from node.passport.shown import terms_of, text
from node.passport.statement import Statement
from node.passport.used_codes import used_codes
from node.passport.view import View, digest
from node.passport.world import PUBLICATION_KINDS, World, build_world
from node.services.core import Core
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.fragments import NewEntry
from node.store.logs import StoredLog
from node.store.own_codes import own_term
from node.store.passports import (
    StoredPassport,
    Term,
    find_passport,
    list_subjects,
    put_passport,
    read_leads,
    read_members,
)
from node.store.rights import EVERYBODY, FOR_EVER, StoredRight, open_entry, open_subject, rights_to
from node.store.settings import find_setting, set_setting

FEDERATION = "federation"
VERSION = "fold_version"
PAGE = 200
HEADERS = class_mask(SectionClass.PUBLIC, SectionClass.AUTHORITY)
PAPERS = HEADERS | class_mask(SectionClass.TECHNICAL, SectionClass.COMMERCIAL)
SECRET = 1 << SectionClass.SECRET
NOT_SPOKEN = PUBLISHED_KINDS | {Kind.SHIPMENT, Kind.GRANT, Kind.END, Kind.ERASURE, Kind.ERASURE_ACK}


class Projection:
    """Folds what was touched. `world` is what the publications that are stored here say."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.world = World()

    async def open(self) -> None:
        """Read the world, and fold everything again where the fold's version changed."""
        async with self._core.database.read() as tx:
            self.world = await self._read_world(tx, await StatementReader.open(tx))
            version = await find_setting(tx, VERSION)
        if version != str(FOLD_VERSION).encode():
            await self.refold_all()
            async with self._core.database.write() as tx:
                await set_setting(tx, VERSION, str(FOLD_VERSION).encode())

    async def take(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry]) -> None:
        """Entries were stored: fold the subjects that they touch."""
        headers = [entry.header for entry in entries if entry.header is not None]
        reader = await StatementReader.open(tx)
        world = self.world
        subjects = {s for h in headers if h.kind not in PUBLISHED_KINDS for s in h.subjects}
        subjects |= {subject for entry in entries for subject in entry.routes}
        if any(header.kind in PUBLICATION_KINDS for header in headers):
            world = await self._read_world(tx, reader)
            tx.on_commit(lambda: self._set_world(world))
            await self._tell_releases(tx, world)
            await self._refold_pages(tx, reader, world)
        if subjects:
            await self.refold(tx, subjects, reader, world)
        await self._open_to_parties(tx, log, entries)
        await self._open_to_readers(tx, log, entries)

    async def refold_all(self) -> None:
        """Fold every subject again."""
        async with self._core.database.write() as tx:
            reader = await StatementReader.open(tx)
            self.world = await self._read_world(tx, reader)
            await self._refold_pages(tx, reader, self.world)

    async def refold(self, tx: WriteTx, subjects: Iterable[bytes], reader: StatementReader, world: World) -> None:
        """Fold these subjects and those that are one passport with them."""
        wanted = set(subjects)
        statements = await reader.about(tx, wanted)
        identities = resolve_identities(statements, world)
        leads = {subject: identities[subject].lead if subject in identities else subject for subject in wanted}
        stored = await read_leads(tx, {*wanted, *leads.values()})
        members = await read_members(tx, {*leads.values(), *stored.values()})
        joined = {s for group in members.values() for s in group} | set(leads.values())
        if joined - wanted:
            statements = await reader.about(tx, wanted | joined)
            identities = resolve_identities(statements, world)
        groups: dict[bytes, set[bytes]] = {}
        for subject in wanted | joined:
            lead = identities[subject].lead if subject in identities else subject
            groups.setdefault(lead, {lead}).add(subject)
        index = _by_subject(statements)
        for lead, group in sorted(groups.items()):
            await self._fold(tx, lead, group, index, world)

    async def _fold(
        self,
        tx: WriteTx,
        lead: bytes,
        group: set[bytes],
        index: Mapping[bytes, dict[bytes, Statement]],
        world: World,
    ) -> None:
        said = {key: s for subject in group for key, s in index.get(subject, {}).items()}
        if not any(s.kind not in NOT_SPOKEN and s.subject in group for s in said.values()):
            return
        case = open_case(group, said.values(), world)
        view = fold_case(case)
        used = used_codes(case.readings, self._core.org)
        await self._store(tx, lead, group, view, [own_term(catalog, code) for catalog, code in sorted(used)])
        await self._open(tx, case)

    async def _store(self, tx: WriteTx, lead: bytes, group: set[bytes], view: View, codes: Sequence[Term]) -> None:
        before = await find_passport(tx, lead)
        mark = digest(view)
        if before is not None and before.digest == mark and before.lead == lead:
            return
        passport = StoredPassport(
            lead,
            lead,
            text(view, "kind"),
            text(view, "state", "code"),
            text(view, "title"),
            mark,
            json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode(),
            tx.now,
        )
        named = (Term(scheme, term) for scheme, term in terms_of(view))
        await put_passport(tx, passport, group, (*named, *codes))
        await self._core.announce(tx, "merge", "passport_changed", lead, title=passport.title, digest=mark.hex())

    async def _open(self, tx: WriteTx, case: Case) -> None:
        by_subject: dict[bytes, list[StoredRight]] = {}
        for right in rights_of(case):
            by_subject.setdefault(right.subject, []).append(
                StoredRight(
                    right.org,
                    EVERYBODY if right.author is None else right.author,
                    right.classes,
                    right.since or 0,
                    FOR_EVER if right.until is None else right.until,
                )
            )
        for subject, facts in case.facts.items():
            for title in facts.titles:
                if title.until is None:
                    secret = StoredRight(title.org, EVERYBODY, SECRET)
                    by_subject.setdefault(subject, []).append(secret)
        for subject, rights in sorted(by_subject.items()):
            await self._widen(tx, subject, [right for right in rights if right.org != self._core.org])

    async def _widen(self, tx: WriteTx, subject: bytes, rights: Sequence[StoredRight]) -> None:
        if await open_subject(tx, subject, rights):
            tx.on_commit(self._core.outgoing.set)

    async def _open_to_parties(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry]) -> None:
        """Whoever is named as a party reads the statement that names it."""
        for entry in entries:
            party = _party(entry)
            if party is None or entry.header is None or party == self._core.org:
                continue
            papers = PAPERS if entry.header.kind == Kind.SHIPMENT else HEADERS
            await self._widen(tx, entry.header.subject, [StoredRight(party, log.org, papers)])

    async def _open_to_readers(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry]) -> None:
        """Those who may read a subject may have mirrored the new entry from a node that could not show it."""
        spoken = [
            (e.seq, e.header, {*e.header.subjects, *e.routes})
            for e in entries
            if e.header and e.header.kind not in PUBLISHED_KINDS
        ]
        rights = await rights_to(tx, {subject for _, _, named in spoken for subject in named})
        for seq, header, named in spoken:
            orgs = {
                right.org
                for subject in named
                for right in rights.get(subject, [])
                if right.author in (EVERYBODY, log.org) and right.since_us <= header.occurred < right.until_us
            }
            for org in sorted(orgs - {log.org, self._core.org}):
                await open_entry(tx, org, header.subject, log.no, seq)
        if rights:
            tx.on_commit(self._core.outgoing.set)

    async def _read_world(self, tx: ReadTx, reader: StatementReader) -> World:
        raw = await find_setting(tx, FEDERATION)
        genesis = Genesis.from_bytes(raw) if raw else None
        return build_world(await reader.of_kinds(tx, PUBLICATION_KINDS), genesis)

    async def _tell_releases(self, tx: WriteTx, world: World) -> None:
        """Journal the releases of catalogs that are here whole now and were not before."""
        known = {release.digest for items in self.world.releases.values() for release in items if release.records}
        for items in world.releases.values():
            for release in items:
                if release.records and release.digest not in known:
                    catalog, number = release.catalog.value, release.number
                    await self._core.announce(
                        tx, "merge", "release_arrived", org=release.org, catalog=catalog, release=number
                    )

    async def _refold_pages(self, tx: WriteTx, reader: StatementReader, world: World) -> None:
        after = b""
        while page := await list_subjects(tx, after, PAGE):
            await self.refold(tx, page, reader, world)
            after = page[-1]

    def _set_world(self, world: World) -> None:
        self.world = world


def _party(entry: NewEntry) -> bytes | None:
    section = entry.fragment.section("authority")
    if section is None or section.salt is None:
        return None
    try:
        return Authority.from_bytes(section.data).party
    except CodecError:
        return None


def _by_subject(statements: Iterable[Statement]) -> dict[bytes, dict[bytes, Statement]]:
    index: dict[bytes, dict[bytes, Statement]] = {}
    for statement in statements:
        for subject in {*statement.subjects, *_routes(statement)}:
            index.setdefault(subject, {})[statement.id] = statement
    return index


def _routes(statement: Statement) -> tuple[bytes, ...]:
    raw = statement.sections.get("authority")
    if raw is None:
        return ()
    try:
        return Authority.from_bytes(raw).subjects or ()
    except CodecError:
        return ()
