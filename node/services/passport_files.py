"""Passports as signed files: what this organisation, or a party, may see of a subject, with all that proves it.

Secrets never go into a file: neither those that this node holds under its own storage key nor those that somebody
sealed to one node.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from federation.authority import Kind
from federation.codec import pack
from federation.counting import sizes_asked
from federation.fragment import Fragment, Header, Section, SectionClass, decode_header
from federation.genesis import Genesis
from federation.organisation import Chain, NodeEntry
from node.errors import InputError, NotFoundError, StateError
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
from node.passport.profiles import Profile
from node.passport.statement import Statement, read_statement
from node.passport.view import View, digest
from node.passport.world import PUBLICATION_KINDS, World, is_published
from node.services.cases import Cases
from node.services.core import Core
from node.services.disclosure import Disclosure, Place
from node.services.grounds import read_grounds
from node.services.issuing import EVERYTHING, PUBLISHED, ByOwnRight, ByRight, Sieve, UnderProfile
from node.services.known import check_organisation
from node.services.profiles import HeldProfile
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store.database import ReadTx
from node.store.erasures import words_about
from node.store.fragments import (
    CLEAR,
    StoredFragment,
    entries_about,
    entries_at,
    entries_of_kinds,
    entries_said_of,
)
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, list_logs
from node.store.organisations import find_chain, read_statements
from node.store.passports import StoredPassport, every_id, find_passport
from node.store.trees import find_root, read_inclusion

MAX_BYTES = 256 << 20
NOTE = (
    f"Check this file with no node and no network: python {VERIFIER} FILE; any node gives the program out: "
    f"passport-node verifier. Проверить без узла и без сети: python {VERIFIER} ФАЙЛ; программу выдаёт любой узел."
)

Proof = tuple[int, tuple[bytes, ...]]  # size of a log and the path of an entry in it


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
    """What goes out of a passport, and how many statements do not; `passport` and all its `subjects`.

    `erasures` are what let sections of it be erased: they always go along.
    """

    passport: StoredPassport
    subjects: list[bytes]
    said: list[_Said]
    logs: dict[bytes, StoredLog]
    genesis: Genesis | None
    left_out: int
    erasures: list[_Said]

    @property
    def withheld(self) -> Withheld:
        """What is not shown of the statements that go out."""
        return count_withheld(item.statement for item in self.said)


@dataclass(frozen=True, slots=True)
class _Common:
    """What the passports of one snapshot that go out alike have in common, as far as it was asked for: what
    organisations say of their nodes, what is said of them (`people`), publications as they go out, and paths.
    """

    logs: dict[bytes, StoredLog]
    reader: StatementReader
    genesis: Genesis | None
    chains: dict[bytes, Chain | None] = field(default_factory=dict)
    roots: dict[bytes, list[Part]] = field(default_factory=dict)
    people: dict[frozenset[bytes], list[StoredFragment]] = field(default_factory=dict)
    published: dict[Place, _Said] = field(default_factory=dict)
    proofs: dict[Place, Proof] = field(default_factory=dict)

    @classmethod
    async def read(cls, tx: ReadTx) -> "_Common":
        logs = await list_logs(tx)
        return cls({log.log: log for log in logs}, StatementReader(logs), await find_genesis(tx))

    async def take(self, tx: ReadTx, org: bytes) -> None:
        """Have what an organisation says of its nodes."""
        if org not in self.chains:
            self.chains[org] = await find_chain(tx, org)
            said = (await read_statements(tx, org)).get(org, ())
            self.roots[org] = [Part(PartKind.ROOT_STATEMENT, statement.envelope()) for statement in said]


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
        return (await self.write_many([subject], actor, party, held))[0]

    async def write_many(
        self, subjects: Sequence[bytes], actor: str, party: bytes | None = None, held: HeldProfile | None = None
    ) -> list[PassportFile]:
        """The files of several subjects, out of one snapshot: what they have in common is read once.

        Raise NotFoundError where one has none, StateError where this node was ended.
        """
        await self._projection.catch_up(subjects)  # who may read what of them may hang on what waits
        async with self._core.database.read() as tx:
            common = await tx.at_once(_Common.read)
            await common.take(tx, self._core.org)
            self._check_writer(common.chains[self._core.org])
            made = [await tx.at_once(partial(self._make, common, one, party, held)) for one in subjects]
        async with self._core.database.write() as tx:
            for_whom = party.hex() if party else None
            for file in made:
                await self._core.announce(tx, actor, "passport_exported", file.subject, to=for_whom)
        return made

    def _check_writer(self, chain: Chain | None) -> None:
        """Raise StateError where the chain that would go into the file says that this node signs nothing any more."""
        node = chain.node(self._core.node) if chain else None
        if node is None or node.disowned or node.ended is not None:
            raise StateError("this node was ended by its organisation: another node writes the file", "node_ended")

    async def _make(
        self, common: _Common, subject: bytes, party: bytes | None, held: HeldProfile | None, tx: ReadTx
    ) -> PassportFile:
        found = await self._select(tx, common, subject, party, held.profile if held else None)
        mark, needed = await self._needed(tx, common, found, is_whole=party is None and held is None)
        parts = await self._parts(tx, common, found.said, [*needed, *found.erasures])
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
        content = await tx.aside(lambda: write_file(self._core.keystore.sign, manifest, parts))
        return PassportFile(passport.subject, passport.title, content)

    async def issue(self, subject: bytes, party: bytes | None, profile: Profile) -> Issued:
        """The passport as it is shown under a profile, to a party or to anybody, and what of it is not.

        Raise NotFoundError as `write` does.
        """

        async def look(tx: ReadTx) -> _Found:
            return await self._select(tx, await _Common.read(tx), subject, party, profile)

        await self._projection.catch_up([subject])
        async with self._core.database.read() as tx:
            found = await tx.at_once(look)
        view = await asyncio.to_thread(_fold, found, (), self._projection.world)
        return Issued(found.passport.subject, profile, view, found.left_out, found.withheld)

    async def _needed(self, tx: ReadTx, common: _Common, found: _Found, *, is_whole: bool) -> tuple[bytes, list[_Said]]:
        """The digest of the view, and the publications that it needs: all of them where fewer fold to another one."""
        world, logs, sieve = self._projection.world, found.logs, EVERYTHING if is_whole else PUBLISHED
        view = await tx.aside(lambda: _fold(found, (), world))
        said = [item.statement for item in found.said]
        grounds = await read_grounds(tx, said, view, world, found.genesis, list(logs.values()), common.people)
        few = _published(grounds, common, found, sieve)
        mark = digest(await tx.aside(lambda: _fold(found, few)))
        if mark == digest(view):
            return mark, few
        stored = await entries_of_kinds(tx, PUBLICATION_KINDS)
        stored += await entries_said_of(tx, (Kind.GRANT, Kind.END), {log.org for log in logs.values()})
        every = _published([entry for entry in stored if entry.void is None], common, found, sieve)
        return digest(await tx.aside(lambda: _fold(found, every))), every

    async def _select(
        self, tx: ReadTx, common: _Common, subject: bytes, party: bytes | None, profile: Profile | None
    ) -> _Found:
        """What is said of a passport, as far as it goes out."""
        passport = await find_passport(tx, subject, whole=False)
        if passport is None:
            raise NotFoundError("no passport of that id is here", "passport_unknown")
        if party is not None:
            await check_organisation(tx, party)
        subjects, logs = await every_id(tx, [passport.subject]), common.logs
        about = [entry for entry in await entries_about(tx, subjects) if entry.void is None]
        sieve: Sieve = EVERYTHING
        if party is not None:
            sieve = ByRight(await self._disclosure.view(tx, party, about))
        elif profile is not None:
            case = await self._cases.open(tx, common.reader, subjects, await common.reader.of(tx, about))
            sieve = ByOwnRight.of(case, self._core.org)
        said = _read(about, logs, UnderProfile(sieve, profile) if profile else sieve)
        if not said:
            raise NotFoundError("that organisation may read nothing of it", "passport_unknown")
        counted = sum(logs[entry.log].counted.counts(entry.seq) for entry in about)
        erasures = _read(await _erasures(tx, about, logs), logs, PUBLISHED)
        return _Found(passport, subjects, said, logs, common.genesis, counted - len(said), erasures)

    async def _parts(
        self, tx: ReadTx, common: _Common, said: Sequence[_Said], published: Sequence[_Said]
    ) -> list[Part]:
        entries, logs, genesis = [*said, *published], common.logs, common.genesis
        used = sorted({item.stored.log for item in entries})
        orgs = sorted({logs[log].org for log in used} | {self._core.org})
        for org in orgs:
            await common.take(tx, org)
        parts = [Part(PartKind.GENESIS, genesis.to_bytes())] if genesis else []
        parts += [part for org in orgs for part in common.roots[org]]
        parts += [Part(PartKind.LOG, pack([logs[log].envelope, logs[log].note]), log) for log in used]
        ended = {
            log: node for log in used if (node := _ended(common.chains[logs[log].org], logs[log].node)) is not None
        }
        unproved = [item for item in entries if (item.stored.log, item.stored.seq) not in common.proofs]
        common.proofs.update(await _proofs(tx, unproved, logs, ended))
        about = {(item.stored.log, item.stored.seq) for item in said}
        for item in sorted(entries, key=lambda item: (item.stored.log, item.stored.seq)):
            place = (item.stored.log, item.stored.seq)
            parts.append(Entry(*place, item.fragment, common.proofs.get(place), place not in about).to_part())
        return parts


async def _erasures(
    tx: ReadTx, entries: Sequence[StoredFragment], logs: Mapping[bytes, StoredLog]
) -> list[StoredFragment]:
    """What let sections of these entries be erased."""
    words = await words_about(tx, ((entry.log, entry.seq) for entry in entries))
    said = {word.said for some in words.values() for word in some}
    return await entries_at(tx, {(logs[ref.log].no, ref.seq) for ref in said})


def _read(entries: Iterable[StoredFragment], logs: Mapping[bytes, StoredLog], sieve: Sieve) -> list[_Said]:
    found = []
    for entry in entries:
        header = decode_header(entry.header, entry.log, entry.seq)
        if logs[entry.log].counted.counts(entry.seq) and sieve.shows(header):
            fragment = _shown(entry, header, sieve)
            found.append(_Said(entry, fragment, read_statement(fragment, header, logs[entry.log].org)))
    return found


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


def _published(entries: Sequence[StoredFragment], common: _Common, found: _Found, sieve: Sieve) -> list[_Said]:
    """Publications as they go out: everybody's, under whatever profile the passport is issued."""
    own, known = {item.statement.id for item in found.said}, common.published
    for item in _read([entry for entry in entries if (entry.log, entry.seq) not in known], found.logs, sieve):
        known[item.stored.log, item.stored.seq] = item
    read = [known[place] for entry in entries if (place := (entry.log, entry.seq)) in known]
    return [item for item in read if is_published(item.statement, found.genesis) and item.statement.id not in own]


def _fold(found: _Found, published: Iterable[_Said], world: World | None = None) -> View:
    statements = [item.statement for item in (*found.said, *found.erasures, *published)]
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
) -> dict[Place, Proof]:
    """Size and path of each entry that is under its log's checkpoint, or under the cut that ended its node."""
    found: dict[Place, Proof] = {}
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
