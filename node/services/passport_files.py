"""Passports as signed files: what this organisation, or a party, may see of a subject, with all that proves it.

Secrets never go into a file: neither those that this node holds under its own storage key nor those that somebody
sealed to one node.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from federation.authority import Kind
from federation.codec import pack
from federation.counting import sizes_asked
from federation.fragment import Fragment, Header, Section, SectionClass, decode_header
from federation.genesis import Genesis
from federation.organisation import Chain, NodeEntry
from node.errors import InputError, NotFoundError
from node.exchange.passport_file import (
    VERIFIER,
    Entry,
    Manifest,
    Part,
    PartKind,
    ProfileName,
    Withheld,
    count_withheld,
    fold_file,
    write_file,
)
from node.passport.case import Case
from node.passport.profiles import Profile
from node.passport.statement import Statement, read_statement
from node.passport.view import View, digest
from node.passport.world import PUBLICATION_KINDS, World, is_standing
from node.services.cases import Cases
from node.services.core import Core
from node.services.disclosure import Disclosure
from node.services.grounds import read_grounds
from node.services.issuing import EVERYTHING, PUBLISHED, ByOwnRight, ByRight, Sieve, UnderProfile
from node.services.known import check_organisation
from node.services.profiles import HeldProfile
from node.services.projection import Projection
from node.store.database import ReadTx
from node.store.fragments import CLEAR, StoredFragment, entries_about, entries_of_kinds, entries_said_of
from node.store.genesis import FEDERATION
from node.store.logs import StoredLog, list_logs
from node.store.organisations import find_chain, read_statements
from node.store.passports import StoredPassport, every_id, find_passport
from node.store.settings import find_setting
from node.store.trees import find_root, read_inclusion

MAX_BYTES = 256 << 20
NOTE = (
    f"Check this file with no node and no network: python {VERIFIER} FILE; any node gives the program out: "
    f"passport-node verifier. Проверить без узла и без сети: python {VERIFIER} ФАЙЛ; программу выдаёт любой узел."
)


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


@dataclass(frozen=True, slots=True)
class _Found:
    """What goes out of a passport, and how many statements do not; `passport` and all its `subjects`."""

    passport: StoredPassport
    subjects: list[bytes]
    said: list[_Said]
    logs: dict[bytes, StoredLog]
    genesis: Genesis | None
    left_out: int

    @property
    def withheld(self) -> Withheld:
        """What is not shown of the statements that go out."""
        return count_withheld(item.statement for item in self.said)


@dataclass(frozen=True, slots=True)
class Issued:
    """A passport under a profile: its view, how many statements are left out whole, and which sections of the others
    are withheld: how many of each class and name.
    """

    subject: bytes
    profile: Profile
    view: View
    left_out: int
    withheld: Withheld


class PassportFiles:
    """Writes them."""

    def __init__(self, core: Core, cases: Cases, projection: Projection) -> None:
        self._core = core
        self._cases = cases
        self._projection = projection
        self._disclosure = Disclosure()

    async def write(
        self, subject: bytes, actor: str, party: bytes | None = None, held: HeldProfile | None = None
    ) -> PassportFile:
        """The file of a subject, as this organisation sees it, as far as a party may, and under a profile.

        Raise NotFoundError where there is no passport or the party may read nothing of it.
        """
        profile = held.profile if held else None
        case = await self._cases.of(subject) if profile is not None and party is None else None
        async with self._core.database.read() as tx:
            found = await self._select(tx, subject, party, profile, case)
            mark, needed = await self._needed(tx, found, is_whole=party is None and held is None)
            parts = await self._parts(tx, found.said, needed, found.logs, found.genesis)
        if sum(len(part.content) for part in parts) > MAX_BYTES:
            raise InputError(
                f"the passport is larger than {MAX_BYTES} bytes", "passport_file_large", most=MAX_BYTES >> 20
            )
        passport = found.passport
        ordered = (passport.subject, *(other for other in found.subjects if other != passport.subject))
        manifest = Manifest(
            self._core.org,
            self._core.node,
            self._core.clock.now(),
            party,
            ordered,
            mark,
            note=NOTE,
            profile=_name_of(held) if held else None,
            withheld=found.withheld,
            left_out=found.left_out,
        )
        content = await asyncio.to_thread(write_file, self._core.keystore.sign, manifest, parts)
        async with self._core.database.write() as tx:
            for_whom = party.hex() if party else None
            await self._core.announce(tx, actor, "passport_exported", passport.subject, to=for_whom)
        return PassportFile(passport.subject, passport.title, content)

    async def issue(self, subject: bytes, party: bytes | None, profile: Profile) -> Issued:
        """The passport as it is shown under a profile, to a party or to anybody, and what of it is not.

        Raise NotFoundError as `write` does.
        """
        case = await self._cases.of(subject) if party is None else None
        async with self._core.database.read() as tx:
            found = await self._select(tx, subject, party, profile, case)
        view = await asyncio.to_thread(_fold, found, (), self._projection.world)
        return Issued(found.passport.subject, profile, view, found.left_out, found.withheld)

    async def _needed(self, tx: ReadTx, found: _Found, *, is_whole: bool) -> tuple[bytes, list[_Said]]:
        """The digest of the view, and the publications that it needs: all of them where fewer fold to another one."""
        world, logs, sieve = self._projection.world, found.logs, EVERYTHING if is_whole else PUBLISHED
        view = await asyncio.to_thread(_fold, found, (), world)
        said = [item.statement for item in found.said]
        few = _published(await read_grounds(tx, said, view, world, found.genesis, list(logs.values())), found, sieve)
        mark = digest(await asyncio.to_thread(_fold, found, few))
        if mark == digest(view):
            return mark, few
        stored = await entries_of_kinds(tx, PUBLICATION_KINDS)
        stored += await entries_said_of(tx, (Kind.GRANT, Kind.END), {log.org for log in logs.values()})
        every = _published([entry for entry in stored if entry.void is None], found, sieve)
        return digest(await asyncio.to_thread(_fold, found, every)), every

    async def _select(
        self, tx: ReadTx, subject: bytes, party: bytes | None, profile: Profile | None, case: Case | None
    ) -> _Found:
        """What is said of a passport, as far as it goes out."""
        passport = await find_passport(tx, subject)
        if passport is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        if party is not None:
            await check_organisation(tx, party)
        subjects = await every_id(tx, [passport.subject])
        logs = {log.log: log for log in await list_logs(tx)}
        about = [entry for entry in await entries_about(tx, subjects) if entry.void is None]
        sieve = await self._sieve(tx, about, party, case)
        said = _read(about, logs, UnderProfile(sieve, profile) if profile else sieve)
        if not said:
            raise NotFoundError("that organisation may read nothing of it", "passport_unknown")
        raw = await find_setting(tx, FEDERATION)
        genesis = Genesis.from_bytes(raw) if raw else None
        counted = sum(logs[entry.log].counted.counts(entry.seq) for entry in about)
        return _Found(passport, subjects, said, logs, genesis, counted - len(said))

    async def _sieve(
        self, tx: ReadTx, about: Sequence[StoredFragment], party: bytes | None, case: Case | None
    ) -> Sieve:
        if party is not None:
            return ByRight(await self._disclosure.view(tx, party, about))
        return EVERYTHING if case is None else ByOwnRight.of(case, self._core.org)

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
        chains = {org: await find_chain(tx, org) for org in orgs}
        parts = [Part(PartKind.GENESIS, genesis.to_bytes())] if genesis else []
        for org in orgs:
            said_of = (await read_statements(tx, org)).get(org, ())
            parts += [Part(PartKind.ROOT_STATEMENT, statement.envelope()) for statement in said_of]
        parts += [Part(PartKind.LOG, pack([logs[log].envelope, logs[log].note]), log) for log in used]
        ended = {log: node for log in used if (node := _ended(chains[logs[log].org], logs[log].node)) is not None}
        proofs = await _proofs(tx, entries, logs, ended)
        about = {(item.stored.log, item.stored.seq) for item in said}
        for item in sorted(entries, key=lambda item: (item.stored.log, item.stored.seq)):
            place = (item.stored.log, item.stored.seq)
            parts.append(Entry(*place, item.fragment, proofs.get(place), place not in about).to_part())
        return parts


def _read(entries: Iterable[StoredFragment], logs: Mapping[bytes, StoredLog], sieve: Sieve) -> list[_Said]:
    found = []
    for entry in entries:
        header = decode_header(entry.header, entry.log, entry.seq)
        if logs[entry.log].counted.counts(entry.seq) and sieve.shows(header):
            fragment = _shown(entry, header, sieve)
            found.append(_Said(entry, fragment, read_statement(fragment, header, logs[entry.log].org)))
    return found


def _is_published(item: _Said) -> bool:
    return item.statement.kind in PUBLICATION_KINDS or is_standing(item.statement)


def _shown(entry: StoredFragment, header: Header, sieve: Sieve) -> Fragment:
    """The entry with the sections that go out: in clear, and never a secret."""
    classes = {head.name: head.klass for head in header.sections}
    kept = []
    for stored in entry.sections:
        klass = classes.get(stored.name, SectionClass.SECRET)
        is_open = sieve.opens(header, stored.name, klass)
        if stored.form == CLEAR and stored.salt is not None and klass != SectionClass.SECRET and is_open:
            kept.append(Section(stored.name, stored.salt, stored.data))
    return Fragment(entry.header, entry.signature, tuple(kept))


def _published(entries: Iterable[StoredFragment], found: _Found, sieve: Sieve) -> list[_Said]:
    """Publications as they go out: everybody's, under whatever profile the passport is issued."""
    own = {item.statement.id for item in found.said}
    read = [item for item in _read(entries, found.logs, sieve) if _is_published(item)]
    return [item for item in read if item.statement.id not in own]


def _fold(found: _Found, published: Iterable[_Said], world: World | None = None) -> View:
    statements = [item.statement for item in (*found.said, *published)]
    return fold_file(found.subjects, statements, found.genesis, world)


def _name_of(held: HeldProfile) -> ProfileName:
    profile = held.profile
    return ProfileName(profile.name, profile.version, held.published.id if held.published else None)


def _ended(chain: Chain | None, node: bytes) -> NodeEntry | None:
    """The node, where it was ended by cuts."""
    entry = chain.node(node) if chain else None
    return entry if entry is not None and entry.ended is not None else None


async def _proofs(
    tx: ReadTx, entries: Sequence[_Said], logs: dict[bytes, StoredLog], ended: Mapping[bytes, NodeEntry]
) -> dict[tuple[bytes, int], tuple[int, tuple[bytes, ...]]]:
    """Size and path of each entry that is under its log's checkpoint, or under the cut that ended its node."""
    found: dict[tuple[bytes, int], tuple[int, tuple[bytes, ...]]] = {}
    by_log: dict[bytes, set[int]] = {}
    for item in entries:
        by_log.setdefault(item.stored.log, set()).add(item.stored.seq)
    for log_id, seqs in sorted(by_log.items()):
        log = logs[log_id]
        size = await _cut_size(tx, log, ended[log_id]) if log_id in ended else log.note_size if log.note else 0
        under = sorted(seq for seq in seqs if seq < size)
        paths = await read_inclusion(tx, log.no, under, size) if under else []
        found |= {(log_id, seq): (size, tuple(path)) for seq, path in zip(under, paths, strict=True)}
    return found


async def _cut_size(tx: ReadTx, log: StoredLog, node: NodeEntry) -> int:
    """How much of its log the cuts of an ended node keep."""
    asked = sorted(size for size in sizes_asked(log.log, node) if size <= log.size)
    roots = {size: await find_root(tx, log.no, size) for size in asked}
    return node.counted_size(log.log, roots.get) or 0
