"""Bringing passports, search terms and rights up to date with what was said, in the transaction that stored it."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from federation.authority import Kind
from federation.fragment import Header, SectionClass
from node.passport.attestations import Attestations
from node.passport.card import CARD_VERSION, card_of
from node.passport.fold import FOLD_VERSION
from node.passport.identity import Identity, resolve_identities
from node.passport.kept import LONG
from node.passport.procedures import is_of_procedures
from node.passport.profiles import SECTION as PROFILE
from node.passport.rights import HEADERS, PAPER_KINDS, PUBLISHED_KINDS, class_mask
from node.passport.roles import carrier_of, party_of
from node.passport.sameness import other_sides
from node.passport.standing import Standings, is_end
from node.passport.statement import Statement
from node.passport.world import PUBLICATION_KINDS, World, build_world
from node.services.core import Core
from node.services.counting import Move, authority_of, stored_entry
from node.services.erasing import Erasing
from node.services.folding import Folded, Folding, Index, by_subject, said_of
from node.services.ledger import Taken
from node.services.making import Group, Spoken
from node.services.openings import Opened, together
from node.services.shipment_book import ShipmentBook
from node.services.statements import StatementReader
from node.store.awaited import find_awaiting, put_awaited
from node.store.database import ReadTx, WriteTx
from node.store.filing import clear_registry, file_cards
from node.store.follows import follow_joined
from node.store.fragments import NewEntry, entries_about, entries_between
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, get_log
from node.store.passports import (
    blank_passports,
    list_subjects,
    read_leading,
    read_leads,
    read_members,
)
from node.store.profiles import keep_profiles
from node.store.rights import (
    EVERYBODY,
    NewOpening,
    StoredRight,
    close_subjects,
    narrow_subjects,
    open_entries,
    open_subjects,
    reopen_profiles,
    rights_to,
)
from node.store.runs import leads_by_procedure
from node.store.settings import find_setting, set_setting
from node.store.timelines import drop_rows, forget_rows, has_plain, read_kept
from node.store.unfolded import any_unfolded, drop_unfolded

VERSION = "fold_version"
FILED = "card_version"
PAGE = 200
RECOUNTED = 1000  # entries read at once
NOT_OF_THINGS = PUBLISHED_KINDS | {Kind.ERASURE_ACK}  # their subjects are organisations
PAPERS = HEADERS | class_mask(SectionClass.TECHNICAL, SectionClass.COMMERCIAL)

Read: TypeAlias = Callable[[ReadTx, Iterable[bytes]], Awaitable[list[Statement]]]


class Projection:
    """Folds what was touched. `world` is what the publications that are stored here say."""

    def __init__(self, core: Core, longest: int = LONG) -> None:
        """`longest` is how many events or statements a passport has at most that is kept whole."""
        self._core = core
        self._folding = Folding(core, longest)
        self._book = ShipmentBook(core)
        self._erasing = Erasing(core)
        self.world = World()
        # Leaves all passports for later where they are many, and says whether it did; without it none are left.
        self.defer: Callable[[WriteTx], Awaitable[bool]] | None = None
        # Leaves passports for later of which much was said at once, and answers which; folds those that were left.
        self.leave: Callable[[WriteTx, Collection[bytes]], Awaitable[set[bytes]]] | None = None
        self.fold_left: Callable[[Iterable[bytes]], Awaitable[None]] | None = None
        self.is_behind = False  # whether any is left
        # Told what is attested of root chains, and says whether other statements count by it.
        self.attested: Callable[[WriteTx, Attestations], Awaitable[bool]] | None = None
        # Takes who lost a membership, and says whether other statements count by that.
        self.lost: Callable[[WriteTx, Standings], Awaitable[bool]] | None = None
        # Called where more is followed, since it is one passport with what was.
        self.on_followed: Callable[[], None] = _nobody
        # Takes the subjects that were folded, in the transaction that did.
        self.on_folded: Callable[[WriteTx, Collection[bytes]], Awaitable[None]] | None = None
        # Called where what decides about drivers changed: publications of them, or of whose the types are.
        self.on_drivers: Callable[[], None] = _nobody

    async def open(self) -> None:
        """Read the world, and fold everything again where the fold's version changed."""
        async with self._core.database.read() as tx:
            self.world = await self._read_world(tx, await StatementReader.open(tx))
            version, filed = await find_setting(tx, VERSION), await find_setting(tx, FILED)
            self.is_behind = await any_unfolded(tx)
        if version != str(FOLD_VERSION).encode():
            async with self._core.database.write() as tx:
                await blank_passports(tx)
                await forget_rows(tx)
            await self._fold_anew()
        if filed != str(CARD_VERSION).encode():
            await self.file_all()
        await self._book.open(self.world)

    def close(self) -> None:
        """End what works beside this process."""
        self._folding.close()

    async def take(self, tx: WriteTx, taken: Sequence[Taken]) -> None:
        """Entries were stored: fold the subjects that they touch. What they publish is read once for all logs."""
        await tx.at_once(lambda at: self._take(at, taken))

    async def refold_all(self) -> None:
        """What decides about every passport changed: read the world again and fold them, now or in the background."""
        async with self._core.database.write() as tx:
            await self._erasing.recount(tx)  # other anchors may let be erased what is here
            reader, world = await self._take_world(tx)
            await self._refold_every(tx, reader, world)

    async def recount(self, tx: WriteTx, moves: Sequence[Move]) -> None:
        """Entries came to count, or count no more: fold what they touch anew, and open it to whom it is open now."""
        subjects, is_published, is_erasing = set[bytes](), False, False
        tx.on_commit(self.on_drivers)
        for move in moves:
            for start in range(move.start, move.end, RECOUNTED):
                found = await entries_between(tx, move.log.no, start, min(start + RECOUNTED, move.end))
                headers = [entry.header for entry in map(stored_entry, found.values()) if entry.header is not None]
                is_published |= any(h.kind in PUBLICATION_KINDS or _is_standing(h, move.log) for h in headers)
                is_erasing |= any(h.kind == Kind.ERASURE for h in headers)
                subjects |= {subject for entry in map(stored_entry, found.values()) for subject in entry.named}
        if is_erasing:
            subjects |= await self._erasing.recount(tx)
        reader, world = await StatementReader.open(tx), self.world
        if is_published:
            reader, world = await self._take_world(tx)
            await self._refold_every(tx, reader, world)
        ordered = sorted(subjects)
        for start in range(0, len(ordered), PAGE):
            page = ordered[start : start + PAGE]
            await close_subjects(tx, page)
            await self.refold(tx, page, reader, world)
            await self._book.refile(tx, page, reader, world)
            await self._open_again(tx, page, reader, world)

    async def _open_again(self, tx: WriteTx, subjects: Sequence[bytes], reader: StatementReader, world: World) -> None:
        """Open subjects, that were closed, to the parties that entries name which count."""
        by_log: dict[bytes, list[NewEntry]] = {}
        for entry in await entries_about(tx, subjects):
            if reader.counts(entry.log, entry.seq):
                by_log.setdefault(entry.log, []).append(stored_entry(entry))
        for log_id, entries in sorted(by_log.items()):
            await self._open_to_parties(tx, await get_log(tx, log_id), entries, world)

    async def _take_world(self, tx: WriteTx) -> tuple[StatementReader, World]:
        """Read the world anew; where it attests other branches of root chains, other statements count."""
        reader = await StatementReader.open(tx)
        world = await self._read_world(tx, reader)
        if self.attested is not None and await self.attested(tx, world.attestations):
            reader = await StatementReader.open(tx)
            world = await self._read_world(tx, reader)
        if self.lost is not None and await self.lost(tx, world.standings):
            reader = await StatementReader.open(tx)
            world = await self._read_world(tx, reader)
        read = world
        tx.on_commit(lambda: self._set_world(read))
        if fresh := world.profiles.keys() ^ self.world.profiles.keys():
            await keep_profiles(tx, world.profiles)
            await reopen_profiles(tx, fresh)
        return reader, world

    async def _fold_anew(self) -> None:
        """Fold every passport by a new version of the fold; where this is cut off, the next start does it all."""
        after = b""
        while True:
            async with self._core.database.write() as tx:
                page = await list_subjects(tx, after, PAGE)
                await self.refold(tx, page, await StatementReader.open(tx), self.world)
                if not page:
                    await set_setting(tx, VERSION, str(FOLD_VERSION).encode())
                    return
            after = page[-1]

    async def file_all(self) -> None:
        """Make every card again from the views; where this is cut off, the next start does it all."""
        async with self._core.database.write() as tx:
            await clear_registry(tx)
        after = b""
        while True:
            async with self._core.database.write() as tx:
                page = await read_leading(tx, after, PAGE)
                await file_cards(tx, [card_of(p.subject, p.content, p.changed_us) for p in page])
                if not page:
                    await set_setting(tx, FILED, str(CARD_VERSION).encode())
                    return
            after = page[-1].subject

    async def refold(
        self,
        tx: WriteTx,
        subjects: Iterable[bytes],
        reader: StatementReader,
        world: World,
        *,
        beside_kept: bool = False,
    ) -> None:
        """Fold these subjects and those that are one passport with them.

        `beside_kept` lets the plain rows of long passports stand where nothing is new on which they depend. Parts and
        wholes that hang on what is said otherwise now follow.
        """
        stale = await self._fold_all(tx, set(subjects), reader, world, beside_kept=beside_kept)
        while stale:
            stale = await self._fold_all(tx, stale, reader, world, beside_kept=beside_kept)

    async def _fold_all(
        self, tx: WriteTx, wanted: set[bytes], reader: StatementReader, world: World, *, beside_kept: bool
    ) -> set[bytes]:
        """Fold these subjects and those that are one passport with them; answer those that hang on them and are not up
        to date any more.
        """
        if not wanted:
            return set()
        read = reader.beside_kept if beside_kept else reader.about
        groups, statements = await self._gather(tx, wanted, read, world)
        if beside_kept and any(statement.kind == Kind.SAMENESS for statement in statements):
            # A twin may take plain events with it: they are read too.
            return await self._fold_all(tx, wanted, reader, world, beside_kept=False)
        has_edges = any(statement.kind == Kind.COMPOSITION for statement in statements)
        core = set[bytes]().union(*groups.values())
        await drop_unfolded(tx, core)
        shown = await read_leads(tx, core) if has_edges else {}
        kept = await read_kept(tx, core)
        await drop_rows(tx, {passport.lead for passport in kept.values()} - groups.keys())
        index = by_subject(statements)
        folded: dict[bytes, Folded | None] = {}
        left: list[Spoken] = []
        for lead, subjects_of in sorted(groups.items()):
            known = {kept[s].lead: kept[s].kept for s in sorted(subjects_of) if s in kept}
            group = Group(lead, frozenset(subjects_of), known.get(lead))
            if beside_kept and known.keys() == {lead} and known[lead].facts.keys() == subjects_of:
                said = said_of(subjects_of, index)
                if one := await self._folding.fold_beside_kept(tx, group, said, world, reader):
                    folded[lead] = one
            if lead not in folded:
                all_said = by_subject(await reader.about(tx, subjects_of)) if beside_kept and known else index
                left.append(Spoken(group, _said_of_group(subjects_of, all_said)))
        folded |= await self._folding.fold_each(tx, left, world, reader)
        stale: set[bytes] = set()
        for lead, one in folded.items():
            stale -= groups[lead]
            if one is not None:
                stale |= one.stale
                if has_edges and any(shown.get(subject, subject) != lead for subject in groups[lead]):
                    stale |= one.tied
        found = [one for _, one in sorted(folded.items()) if one is not None]
        if await follow_joined(tx, self._core.node, [subjects for subjects in groups.values() if len(subjects) > 1]):
            tx.on_commit(self.on_followed)
        await self._widen(tx, together(one.opened for one in found), is_whole=True)
        await put_awaited(tx, {lead: one.awaited if one else () for lead, one in folded.items()})
        # Nobody speaks any more of a twin whose word was taken back, nor of a thing of which every word was.
        silent = set[bytes]().union(*(groups[lead] for lead, one in folded.items() if one is None))
        unspoken = (await read_leads(tx, silent)).keys() if silent else set()
        stale |= await self._folding.forget(tx, unspoken)
        cards = [one.card for one in found if one.card is not None]
        await file_cards(tx, cards, (core - groups.keys()) | unspoken)
        if self.on_folded is not None:
            await self.on_folded(tx, core)
        return stale

    async def _gather(
        self, tx: ReadTx, wanted: set[bytes], read: Read, world: World
    ) -> tuple[dict[bytes, set[bytes]], list[Statement]]:
        """These subjects and those that are one passport with them, by their leads; and what was said of them."""
        core, statements = set(wanted), await read(tx, wanted)
        # What is new here may decide what counts of the words about both sides.
        core |= other_sides(statements, core)
        loaded = set(wanted)
        while True:
            context = core | other_sides(statements, core)
            if context - loaded:
                loaded |= context
                statements = await read(tx, loaded)
                continue
            identities = await tx.aside(partial(resolve_identities, statements, world))
            near = await self._joined(tx, core, identities)
            if near <= core:
                break
            core |= near
        groups: dict[bytes, set[bytes]] = {}
        for subject in core:
            lead = identities[subject].lead if subject in identities else subject
            groups.setdefault(lead, {lead}).add(subject)
        return groups, statements

    async def catch_up(self, subjects: Iterable[bytes]) -> None:
        """Fold those of some subjects that were left for later: who looks at them, or acts on them, waits for it."""
        if self.is_behind and self.fold_left is not None:
            await self.fold_left(subjects)

    async def replay_erasures(self) -> None:
        """Let go what erasures that are known here named: an older copy of the store has it again."""
        async with self._core.database.write() as tx:
            await self.refold_of(tx, await self._erasing.recount(tx))

    async def refold_of(self, tx: WriteTx, subjects: Iterable[bytes]) -> None:
        """Fold these again, whose statements are read otherwise now."""
        ordered = sorted(subjects)
        for start in range(0, len(ordered), PAGE):
            await self.refold(tx, ordered[start : start + PAGE], await StatementReader.open(tx), self.world)

    async def _take(self, tx: WriteTx, taken: Sequence[Taken]) -> None:
        erased = await self._erasing.take(tx, taken)
        published = [header for _, entries in taken for header in _headers(entries) if self._is_published(header)]
        standing = [header for log, entries in taken for header in _headers(entries) if _is_standing(header, log)]
        world = self.world
        if standing or published:
            reader, world = await self._take_world(tx)
            await self._tell_releases(tx, world)
            if [h for h in standing if h not in published] or not _reads_alike(self.world, world, published):
                await self._refold_every(tx, reader, world)
            elif changed := world.procedures.changed(self.world.procedures):
                await self.refold(tx, await leads_by_procedure(tx, changed), reader, world)
        for log, entries in taken:
            await self._take_of(tx, log, entries, world)
        if any(header.kind == Kind.DRIVER for _, entries in taken for header in _headers(entries)):
            tx.on_commit(self.on_drivers)
        if erased:
            await self.refold(tx, erased, await StatementReader.open(tx), world)
        await self._book.take(tx, taken, world)

    async def _take_of(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry], world: World) -> None:
        public = [h for h in _headers(entries) if self._is_published(h) or _is_standing(h, log)]
        acks = [entry for entry in entries if entry.header and entry.header.kind == Kind.ERASURE_ACK]
        spoken = [h for h in _headers(entries) if h.kind not in NOT_OF_THINGS and h not in public]
        subjects = {subject for header in spoken for subject in header.subjects}
        subjects |= {s for e in entries if not (e.header and self._is_published(e.header)) for s in e.routes}
        if subjects and not public:
            subjects -= await self._folding.extend(tx, log, entries, world)
        subjects |= await self._awaiting(tx, log, entries)
        if self.leave is not None and any(h.kind in PAPER_KINDS for h in spoken):
            # What ends a right holds at once: whoever asks meanwhile is answered by what stands.
            subjects -= await self.leave(tx, subjects - _ended(entries))
        if subjects:
            # What has a row already was opened further, or counts no more: no row that was kept is trusted.
            again = await has_plain(tx, log.no, [e.seq for e in entries if subjects & e.named])
            await self.refold(tx, subjects, await StatementReader.open(tx, log, entries), world, beside_kept=not again)
        await self._open_to_parties(tx, log, entries, world)
        await self._open_to_readers(tx, log, entries)
        await self._number(tx, log, _addressed(acks, log, self._core.org))
        if len(spoken) + len(acks) < len(entries):
            size = entries[-1].seq + 1 if log.own else 0
            tx.on_commit(lambda: self._core.outgoing.tell_all(size))

    def _is_published(self, header: Header) -> bool:
        federation = self.world.federation
        return header.kind in PUBLICATION_KINDS or (federation is not None and is_end(header, federation))

    async def _awaiting(self, tx: ReadTx, log: StoredLog, entries: Sequence[NewEntry]) -> set[bytes]:
        """The passports that waited for these entries, or for the log to be here as far as it is now."""
        size = (await get_log(tx, log.log)).size
        return await find_awaiting(tx, log.log, (log.size, size), [entry.seq for entry in entries])

    async def _joined(self, tx: ReadTx, subjects: set[bytes], identities: Mapping[bytes, Identity]) -> set[bytes]:
        """What is shown together with these subjects, now or until now."""
        found = [identities[subject] for subject in subjects if subject in identities]
        leads = {identity.lead for identity in found} | (subjects - identities.keys())
        stored = await read_leads(tx, {*subjects, *leads})
        members = await read_members(tx, {*leads, *stored.values()})
        leads = leads.union(*(identity.members for identity in found))
        return leads.union(*members.values())

    async def _widen(self, tx: WriteTx, opened: Opened, *, is_whole: bool = False) -> None:
        """Open subjects to organisations; where that `is_whole`, what follows no more from what is said is closed."""
        if is_whole:
            await narrow_subjects(tx, opened)
        if opened and await open_subjects(tx, opened):
            tx.on_commit(self._core.outgoing.set)

    async def _open_to_parties(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry], world: World) -> None:
        """Whoever is named as a party reads the statement that names it, and what is said of an act of its own."""
        opened: Opened = {}
        told: list[NewOpening] = []
        for entry in entries:
            carrier, party = _carrier(entry), _party(entry, world)
            if carrier is not None and entry.header is not None and carrier not in (log.org, self._core.org):
                opened.setdefault(entry.header.subject, []).append(StoredRight(carrier, log.org, PAPERS))
            if party is None or entry.header is None or party == self._core.org:
                continue
            is_own = entry.header.subject != log.org and entry.header.subject not in entry.routes
            if entry.header.kind in PAPER_KINDS and is_own:
                opened.setdefault(entry.header.subject, []).append(StoredRight(party, log.org, PAPERS))
            else:
                told.append(NewOpening(party, entry.header.subject, (log.no, entry.seq)))
        await self._widen(tx, opened)
        await self._number(tx, log, told)

    async def _open_to_readers(self, tx: WriteTx, log: StoredLog, entries: Sequence[NewEntry]) -> None:
        """Those who may read a subject may have mirrored the new entry from a node that could not show it."""
        spoken = [(e.seq, e.header, e.named) for e in entries if e.header and e.header.kind not in NOT_OF_THINGS]
        rights = await rights_to(tx, {subject for _, _, named in spoken for subject in named})
        opened: list[NewOpening] = []
        for seq, header, named in spoken:
            by: dict[bytes, set[bytes]] = {}
            for subject in named:
                for right in rights.get(subject, []):
                    if right.author in (EVERYBODY, log.org) and right.covers(header.kind, header.occurred):
                        by.setdefault(right.org, set()).add(subject)
            opened += [
                NewOpening(org, header.subject, (log.no, seq), frozenset(subjects))
                for org, subjects in sorted(by.items())
                if org not in (log.org, self._core.org)
            ]
        await self._number(tx, log, opened)

    async def _number(self, tx: WriteTx, log: StoredLog, opened: Sequence[NewOpening]) -> None:
        """Peers are told of own entries when these are published, of others at once."""
        await open_entries(tx, opened)
        if opened and not log.own:
            tx.on_commit(self._core.outgoing.set)

    async def _read_world(self, tx: ReadTx, reader: StatementReader) -> World:
        genesis = await find_genesis(tx)
        return build_world(await reader.published(tx, genesis), genesis)

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

    async def _refold_every(self, tx: WriteTx, reader: StatementReader, world: World) -> None:
        await self._open_again(tx, await self._book.find_buyers(tx, reader, world), reader, world)
        if self.defer is not None and await self.defer(tx):
            return
        after = b""
        stale: set[bytes] = set()
        while page := await list_subjects(tx, after, PAGE):
            stale |= await self._fold_all(tx, set(page), reader, world, beside_kept=False)
            after = page[-1]
        await self.refold(tx, stale, reader, world)

    def _set_world(self, world: World) -> None:
        self.world = world
        self.on_drivers()


def _headers(entries: Iterable[NewEntry]) -> list[Header]:
    return [entry.header for entry in entries if entry.header is not None]


def _is_of_people(header: Header) -> bool:
    """Whether it says what somebody is called, or who is a guest or a member no more."""
    is_vouch = header.kind == Kind.ATTESTATION and header.section("attest") is None
    return is_vouch or header.kind in (Kind.CARD, Kind.END)


def _decides_little(header: Header) -> bool:
    """Whether it speaks of procedures or profiles alone, which alter no view."""
    names = [section.name for section in header.sections]
    return is_of_procedures(names) or names == [PROFILE]


def _said_of_group(subjects: set[bytes], index: Index) -> list[Statement]:
    said = said_of(subjects, index)
    sides = other_sides(said, subjects)
    return said_of(subjects | sides, index) if sides else said


def _ended(entries: Iterable[NewEntry]) -> set[bytes]:
    """The things over which a role or a grant ends; that an offer of a shipment does is no more than an answer."""
    ends = [e for e in entries if e.header is not None and e.header.kind == Kind.END]
    return {thing for e in ends if e.header and e.header.section("shipment") is None for thing in e.named}


def _is_standing(header: Header, log: StoredLog) -> bool:
    """Whether it grants, or ends a grant of, all that is its author's."""
    return header.kind in (Kind.GRANT, Kind.END) and header.subject == log.org


def _reads_alike(before: World, after: World, headers: Iterable[Header]) -> bool:
    """Whether what was published cannot alter a view but by the procedures that it speaks of: these, cards of
    organisations that are called as they were, and words about memberships by which nothing else is attested.
    """
    said = [header for header in headers if not _is_of_people(header)]
    if not all(header.kind == Kind.TEMPLATE and _decides_little(header) for header in said):
        return False
    if not before.attestations.says_as(after.attestations):
        return False
    return all(before.organisation_name(org) == after.organisation_name(org) for org in {*before.cards, *after.cards})


def _addressed(acks: Iterable[NewEntry], log: StoredLog, own: bytes) -> list[NewOpening]:
    """Acknowledgements of erasures are for those whom their subjects name."""
    said = [(entry.seq, entry.header) for entry in acks if entry.header is not None]
    return [
        NewOpening(org, org, (log.no, seq))
        for seq, header in said
        for org in header.subjects
        if org not in (log.org, own)
    ]


def _party(entry: NewEntry, world: World) -> bytes | None:
    """The organisation that a statement names: nobody asks in the name of one without a node."""
    authority = authority_of(entry.fragment)
    party = party_of(authority, world) if authority is not None else None
    return None if party is None or party.is_outside else party.org


def _carrier(entry: NewEntry) -> bytes | None:
    """Through whose node the shipment goes of which a statement is the paper."""
    header = entry.header
    if header is None or header.kind not in (Kind.SHIPMENT, Kind.END) or header.subject in entry.routes:
        return None
    authority = authority_of(entry.fragment)
    return carrier_of(authority) if authority is not None else None


def _nobody() -> None:
    """Nobody is told."""
