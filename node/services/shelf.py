"""What this node answers its peers: everything leaves through here, so rights are enforced here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from federation.authority import Kind
from federation.errors import RequestError, VoidError
from federation.fragment import Fragment, Header, Ref, Section, SectionClass, decode_header
from federation.log import LogStatement
from federation.merkle import root_of
from federation.ports import Asker
from federation.sealing import seal_section
from federation.statements import RootStatement
from federation.sync.announcing import Announced, Referral
from federation.sync.following import FollowAsked, Followed
from federation.sync.messages import (
    MAX_HEADS,
    Heads,
    HeadsAsked,
    Join,
    Known,
    Looked,
    Openings,
    Part,
    Placed,
    Proven,
    Row,
    Span,
    Tile,
    placed_rows,
    width,
)
from federation.sync.mirror import Hash
from federation.tiles import WIDTH
from node.passport.bodies import Plate
from node.passport.errors import PassportError
from node.passport.identifiers import ID, Identifier, is_on, lookup_key
from node.services import answers
from node.services.access_requests import AccessRequests
from node.services.admission import Admission
from node.services.answers import Room, last_of, weight_of
from node.services.core import Core
from node.services.disclosure import Disclosure, View
from node.services.filters import Filters
from node.services.handed import Handed, Personal
from node.services.ledger import Ledger
from node.services.membership import Membership
from node.services.pace import even_pace
from node.services.provisioning import keys_in_order
from node.services.referring import Referring
from node.services.search import Search
from node.store.changes import Change, Changed, changes_after
from node.store.chunks import read_chunk, signed_file
from node.store.database import ReadTx
from node.store.follows import find_filter
from node.store.forks import read_proofs
from node.store.fragments import (
    CLEAR,
    STORED,
    StoredFragment,
    entries_about,
    entries_at,
    entries_between,
    entries_said_of,
    headers_about,
)
from node.store.logs import StoredLog, find_log, list_logs
from node.store.organisations import find_chain, read_statements
from node.store.peers import find_peer
from node.store.rights import spread_opening
from node.store.trees import read_consistency, read_hashes, read_inclusion, read_leaves

SUBJECT = re.compile(r"[0-9a-f]{32}")
SUBJECTS_A_PULL = 100
ITEM_OVERHEAD = 16
FETCHED_AT_ONCE = 16
GUEST_PACE_S = 0.05
LONGEST_NOTED = 64


class FederationShelf:
    """The port `Shelf` of the federation over this node's store."""

    def __init__(
        self,
        core: Core,
        ledger: Ledger,
        membership: Membership,
        search: Search,
        admission: Admission,
        referring: Referring,
        access_requests: AccessRequests,
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._membership = membership
        self._admission = admission
        self._referring = referring
        self._access_requests = access_requests
        self._disclosure = Disclosure()
        self._filters, self._handed = Filters(core), Handed(core)
        self._search = search
        self._asked: dict[bytes, HeadsAsked] = {}

    def told_cursor(self, node: bytes) -> int:
        """Up to which opening a node said that it took, since this one started."""
        asked = self._asked.get(node)
        return asked.opened if asked is not None and asked.epoch == self._ledger.log.log else 0

    async def sign_key(self, org: bytes, node: bytes) -> bytes | None:
        """The key of a node that is stated and not ended.

        None for one that another organisation stated before: what is kept of a node is kept by its id.
        """
        async with self._core.database.read() as tx:
            chain, known = await find_chain(tx, org), await find_peer(tx, node)
            other = await find_chain(tx, known.org) if known is not None and known.org != org else None
        if (other is not None and other.node(node) is not None) or (node == self._core.node and org != self._core.org):
            return None
        entry = chain.node(node) if chain else None
        return entry.sign_key if entry is not None and entry.ended is None else None

    async def check(self, asker: Asker, question: str) -> None:
        """By the standing of the asker's organisation."""
        await self._admission.check(asker, question)

    async def heads(self, asker: Asker, known: HeadsAsked) -> Heads | None:
        """What changed since: chains, logs, and checkpoints, whose sizes are those that may be asked for."""
        self._asked[asker.node] = known
        return await self.changed(asker, known)

    async def changed(self, asker: Asker, known: HeadsAsked) -> Heads | None:
        """The same for who does not ask itself: nothing is noted of what it knows."""
        epoch = self._ledger.log.log
        since = known.n if known.epoch == epoch else 0
        async with self._core.database.read() as tx:
            changes = await changes_after(tx, since, MAX_HEADS + 1)
            kept = await find_filter(tx, asker.node)
            opened, follows = await self._filters.last(tx, asker, kept), kept.filter if kept else None
            # What is followed no more stands in no list any more: a list may end before what was taken of it.
            if not changes and opened <= known.opened and (epoch, follows) == (known.epoch, known.filter):
                return None
            news = await _news(tx, changes[:MAX_HEADS])
        return Heads(
            epoch,
            changes[news.count - 1].n if changes else since,
            tuple(news.chains),
            tuple(news.logs),
            tuple(news.notes),
            tuple(news.forks),
            opened,
            more=len(changes) > news.count,
            filter=follows,
        )

    async def pull(self, asker: Asker, spans: Sequence[Span], *, folds: bool = True) -> Sequence[Part]:
        """Parts up to published sizes, as many as fit into one answer; `folds` tiles of which nothing is shown."""
        parts: list[Part] = []
        room, personal = Room(), Personal()
        async with self._core.database.read() as tx:
            for span in spans:
                if parts and not room.is_left:
                    break
                parts.append(await self._part(tx, asker, span, room, personal, folds=folds))
        if personal:
            given = [(part.log, seq) for part in parts for seq, row in placed_rows(part) if isinstance(row, Fragment)]
            await self._handed.note(asker, given, personal)
        return parts

    async def _part(self, tx: ReadTx, asker: Asker, span: Span, room: Room, personal: Personal, *, folds: bool) -> Part:
        """A part of one log; without rows where it is not known here from there on, or not as far."""
        nothing = Part(span.log, span.start, ())
        stored = await find_log(tx, span.log)
        if stored is None or span.end > stored.note_size:
            return nothing
        hashes = await read_hashes(tx, stored.no, span.start, room.end(span))
        found = await entries_between(tx, stored.no, span.start, span.start + sum(map(width, hashes)))
        view = await self._disclosure.view(tx, asker.org, found.values(), asker.node)
        shown = {seq: one for seq, entry in found.items() if (one := self._shown(entry, view, personal)) is not None}
        rows = room.take(_rows(span.start, hashes, shown, folds=folds))
        end = span.start + sum(map(width, rows))
        try:
            path = await read_consistency(tx, stored.no, end, span.end) if rows else []
        except KeyError:  # where a tile is not known leaf by leaf
            return nothing
        return Part(span.log, span.start, tuple(rows), tuple(path))

    async def leaves(self, log: bytes, start: int, end: int) -> Sequence[bytes]:
        """Leaf hashes up to the published size."""
        async with self._core.database.read() as tx:
            stored = await self._log(tx, log)
            return await read_leaves(tx, stored.no, start, min(end, stored.note_size))

    async def opened(self, asker: Asker, after: int, limit: int) -> Openings:
        """Entries about the next subjects that were opened to the asker, as many as fit into one answer; what opened
        them is published first.
        """
        await self._ledger.publish()
        most = limit = min(limit, SUBJECTS_A_PULL)
        while True:
            told = await self._told(asker, after, most)
            if weight_of(told.entries) <= answers.MOST_TOLD:
                return told
            if most > 1:
                most //= 2
            elif await self._spread(asker, after):
                most = limit
            else:  # of one entry that rests on very much the entry, and grounds that fit
                return replace(told, entries=last_of(told.entries, answers.MOST_TOLD))

    async def _spread(self, asker: Asker, after: int) -> bool:
        """Tell the next subject entry by entry where it is too large for one answer; False where it is one entry."""
        async with self._core.database.write() as tx:
            opened = await self._filters.opened(tx, asker, after, 1)
            if not opened or opened[0].place is not None:
                return False
            found = await headers_about(tx, [opened[0].subject])
            places = [(one.log_no, one.seq) for entries in found.values() for one in entries]
            await spread_opening(tx, opened[0].n, sorted(places))
        return True

    async def _told(self, asker: Asker, after: int, limit: int) -> Openings:
        async with self._core.database.read() as tx:
            opened = await self._filters.opened(tx, asker, after, limit)
            found = await entries_about(tx, {item.subject for item in opened if item.place is None})
            here = {(fragment.log_no, fragment.seq) for fragment in found}
            found += await entries_at(tx, {item.place for item in opened if item.place is not None} - here)
            logs = {log.no: log for log in await list_logs(tx)}
            view = await self._disclosure.view(tx, asker.org, found, asker.node)
            box_key = await self._box_key(tx, asker)
        # Grounds come first: what rests on them is understood when it comes.
        rest = [ground for place, ground in view.grounds.items() if place not in {(f.log, f.seq) for f in found}]
        placed, personal = list[Placed](), Personal()
        for fragment in (*rest, *found):
            log = logs[fragment.log_no]
            # What a node wrote itself it has, or brings back by the size of its log.
            if fragment.seq >= log.note_size or log.node == asker.node:
                continue
            shown = self._shown(fragment, view, personal, box_key)
            if shown is not None:
                placed.append(Placed(fragment.log, fragment.seq, shown))
        await self._handed.note(asker, personal, personal)
        return Openings(opened[-1].n if opened else after, tuple(placed), len(opened) < limit)

    async def follow(self, asker: Asker, asked: FollowAsked) -> Followed:
        """Keep what the asker follows: nothing of other subjects is pulled or opened to it."""
        return await self._filters.take(asker, asked)

    async def fetch(self, asker: Asker, refs: Sequence[Ref]) -> Sequence[Proven]:
        """Entries by place and id, as many as fit into one answer; those that are not here, or not for the asker, are
        left out.
        """
        personal = Personal()
        async with self._core.database.read() as tx:
            proven = await self._fetch(tx, asker, refs, personal)
        await self._handed.note(asker, [(one.placed.log, one.placed.seq) for one in proven], personal)
        return proven

    async def _fetch(self, tx: ReadTx, asker: Asker, refs: Sequence[Ref], personal: Personal) -> list[Proven]:
        proven: list[Proven] = []
        weight = 0
        for log_id in sorted({ref.log for ref in refs}):
            log, mine = await find_log(tx, log_id), [ref for ref in refs if ref.log == log_id]
            for at in range(0, len(mine), FETCHED_AT_ONCE):
                some = mine[at : at + FETCHED_AT_ONCE]
                for one in await self._fetch_log(tx, asker, log, some, personal) if log is not None else ():
                    weight += weight_of([one.placed])
                    if proven and weight > answers.MOST_TOLD:
                        return proven
                    proven.append(one)
        return proven

    async def secret(self, asker: Asker, subject: bytes, section: str) -> Section:
        """A secret section for the one entitled organisation, that which counts; a refusal stands in the journal."""
        async with self._core.database.read() as tx:
            world = self._admission.world
            found = await keys_in_order(tx, world, subject, await entries_about(tx, [subject]))
            view = await self._disclosure.view(tx, asker.org, found)
            box_key = await self._box_key(tx, asker)
        for fragment in found:
            header = _header(fragment)
            if header is None or box_key is None or not view.may_open(header, SectionClass.SECRET, section):
                continue
            if (opened := self._open_stored(fragment, section)) is not None:
                await self._journal(asker, "secret_given", subject, section)
                return seal_section(box_key, opened)
        await self._journal(asker, "secret_refused", subject, section)
        raise RequestError(f"secret: section {section} is not for this organisation")

    async def chunk(self, asker: Asker, ref: Ref, section: str, n: int) -> bytes:
        """One chunk of a section that the asker may open."""
        async with self._core.database.read() as tx:
            log = await find_log(tx, ref.log)
            found = await entries_at(tx, [(log.no, ref.seq)]) if log and ref.seq < log.note_size else []
            view = await self._disclosure.view(tx, asker.org, found)
            chunk = await read_chunk(tx, signed_file(ref, section), n)
        header = _header(found[0]) if found else None
        head = header.section(section) if header is not None else None
        if header is None or head is None or found[0].to_fragment().id[:16] != ref.id16:
            raise RequestError(f"chunk: no such section {section} is here")
        if not view.may_read(header) or not view.may_open(header, head.klass, section):
            raise RequestError(f"chunk: section {section} is not for this organisation")
        if chunk is None:
            raise RequestError(f"chunk: {n} of section {section} is not here")
        if head.klass == SectionClass.PERSONAL:
            await self._handed.note(asker, [(ref.log, ref.seq)], {(ref.log, ref.seq): [section]})
        return chunk

    async def lookup(self, asker: Asker, scheme: str, value: str) -> Looked:
        """Passports of an identifier that the asker may read; to a member, else whether there is one."""
        self._check_id(scheme, value)
        if self._admission.is_member(asker.org):
            self._referring.count(asker, lookup_key(scheme, value), scheme, value[:LONGEST_NOTED])
            return await self._looked(asker, scheme, value, tells=True)
        async with even_pace(GUEST_PACE_S):
            return await self._looked(asker, scheme, value, tells=False)

    async def refer(self, asker: Asker, keys: Sequence[bytes]) -> Sequence[Sequence[Referral]]:
        """Who announced here what has these keys."""
        return await self._referring.refer(asker, keys)

    async def announce(self, asker: Asker, announced: Announced) -> Mapping[int, bytes] | None:
        """Keep what the asker holds."""
        return await self._referring.announce(asker, announced)

    async def ask(self, asker: Asker, scheme: str, value: str, words: str) -> None:
        """Keep for people here what the asker wants to be shown."""
        self._check_id(scheme, value)
        self._referring.count(asker, lookup_key(scheme, value), scheme, value[:LONGEST_NOTED])
        await self._access_requests.take(asker, Identifier(scheme, value), words)

    async def _looked(self, asker: Asker, scheme: str, value: str, *, tells: bool) -> Looked:
        async with self._core.database.read() as tx:
            known, is_held = await self._search.for_peer(tx, asker.org, scheme, value, tells=tells)
            personal = Personal()
            proved = [replace(one, identity=await self._identity(tx, asker, one, value, personal)) for one in known]
        if personal:
            given = [(one.identity.log, one.identity.seq) for one in proved if one.identity is not None]
            await self._handed.note(asker, given, personal)
        return Looked(tuple(proved), is_held)

    async def _identity(self, tx: ReadTx, asker: Asker, known: Known, value: str, personal: Personal) -> Placed | None:
        """The newest statement of a plate that the asker may see, of those that prove what he asked for if any does."""
        found = await entries_said_of(tx, [Kind.IDENTITY], [known.subject, *known.ids])
        view = await self._disclosure.view(tx, asker.org, found)
        sizes = {log.no: log.note_size for log in await list_logs(tx)}
        there = [one for one in found if one.seq < sizes.get(one.log_no, 0)]
        shown = [(one, s) for one in there if (s := self._shown(one, view, personal)) and s.sections]
        if not shown:
            return None
        stored, fragment = max(shown, key=lambda pair: _rank(pair[0], pair[1], value))
        return Placed(stored.log, stored.seq, fragment)

    async def joining_key(self, join: Join) -> bytes:
        """The sign key of a node that shows an invitation's secret."""
        return await self._membership.joining_key(join)

    async def join(self, join: Join) -> None:
        """Take a node that shows an invitation's secret."""
        await self._membership.admit(join)

    @staticmethod
    def _check_id(scheme: str, value: str) -> None:
        if scheme == ID and SUBJECT.fullmatch(value) is None:
            raise RequestError("an id is 32 hex digits")

    async def _log(self, tx: ReadTx, log: bytes) -> StoredLog:
        stored = await find_log(tx, log)
        if stored is None:
            raise RequestError(f"log {log.hex()} is not here")
        return stored

    async def _fetch_log(
        self, tx: ReadTx, asker: Asker, log: StoredLog, refs: list[Ref], personal: Personal
    ) -> list[Proven]:
        wanted = {ref.seq: ref.id16 for ref in refs if ref.seq < log.note_size}
        found = await entries_at(tx, [(log.no, seq) for seq in wanted])
        view = await self._disclosure.view(tx, asker.org, found)
        box_key = await self._box_key(tx, asker)
        shown = [(f, s) for f in found if (s := self._shown(f, view, personal, box_key)) and s.id[:16] == wanted[f.seq]]
        paths = await read_inclusion(tx, log.no, [f.seq for f, _ in shown], log.note_size)
        return [
            Proven(Placed(log.log, f.seq, s), log.note_size, tuple(path))
            for (f, s), path in zip(shown, paths, strict=True)
        ]

    def _shown(
        self, fragment: StoredFragment, view: View, personal: Personal, box_key: bytes | None = None
    ) -> Fragment | None:
        if fragment.void is not None:
            return Fragment(fragment.header, fragment.signature)
        header = _header(fragment)
        if header is None or not view.shows(header):
            return None
        classes = {head.name: head.klass for head in header.sections}
        sections: list[Section] = []
        for stored in fragment.sections:
            klass = classes.get(stored.name, -1)
            if stored.form == STORED:
                opened = (
                    self._open_stored(fragment, stored.name)
                    if box_key and view.may_open(header, klass, stored.name)
                    else None
                )
                if opened is not None and box_key is not None:
                    sections.append(seal_section(box_key, opened))
                    self._mark(fragment, stored.name, klass, personal)
            elif stored.form == CLEAR and view.shows_section(header, stored.name, klass):
                sections.append(Section(stored.name, stored.salt, stored.data))
                self._mark(fragment, stored.name, klass, personal)
        return Fragment(fragment.header, fragment.signature, tuple(sections))

    @staticmethod
    def _mark(fragment: StoredFragment, name: str, klass: int, personal: Personal) -> None:
        if klass == SectionClass.PERSONAL:
            personal.setdefault((fragment.log, fragment.seq), []).append(name)

    def _open_stored(self, fragment: StoredFragment, name: str) -> Section | None:
        for stored in fragment.sections:
            if stored.name == name and stored.form == STORED:
                return Section(name, stored.salt, self._core.keystore.vault.open(stored.data))
        return None

    async def _box_key(self, tx: ReadTx, asker: Asker) -> bytes | None:
        logs = [log for log in await list_logs(tx, org=asker.org) if log.node == asker.node]
        return logs[-1].statement.box_key if logs else None

    async def _journal(self, asker: Asker, what: str, subject: bytes, section: str) -> None:
        async with self._core.database.write() as tx:
            await self._core.announce(tx, "peer", what, subject, org=asker.org, section=section)


@dataclass(slots=True)
class _News:
    """What the first `count` changes are; `size` bytes."""

    count: int = 0
    size: int = 0
    chains: list[tuple[RootStatement, ...]] = field(default_factory=list)
    logs: list[LogStatement] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    forks: list[bytes] = field(default_factory=list)


async def _news(tx: ReadTx, changes: Iterable[Change]) -> _News:
    """As many changes as fit into one answer, one at least: the longest chain fits alone."""
    news, logs = _News(), {log.log: log for log in await list_logs(tx)}
    for change in changes:
        log = logs.get(change.key)
        chain: tuple[RootStatement, ...] = ()
        if change.what is Changed.CHAIN:
            chain = tuple((await read_statements(tx, change.key)).get(change.key, ()))
        # Of each log the proof of the smallest place: it leaves the least, and the others leave more.
        proofs = (await read_proofs(tx, [change.key])).get(change.key, [])[:1] if change.what is Changed.FORK else []
        statements = [log.statement] if log is not None and change.what is Changed.LOG else []
        notes = [note] if log is not None and change.what is Changed.NOTE and (note := _note(log)) else []
        envelopes = [each.envelope() for each in chain] + [each.envelope() for each in statements]
        parts = envelopes + notes + proofs
        size = sum(ITEM_OVERHEAD + len(part) for part in parts)
        if news.count and news.size + size > answers.MOST_TOLD:
            break
        news.count, news.size = news.count + 1, news.size + size
        news.chains += [chain] if chain else []
        news.logs += statements
        news.notes += notes
        news.forks += proofs
    return news


def _rows(start: int, hashes: Sequence[Hash], shown: Mapping[int, Fragment], *, folds: bool) -> Iterator[Row]:
    """What is shown, hashes for the rest; where it `folds`, the root alone of a tile of which nothing is shown."""
    at, seq = 0, start
    while at < len(hashes):
        block = hashes[at : at + WIDTH]
        leaves = [item for item in block if not isinstance(item, Tile)]
        is_whole = folds and seq % WIDTH == 0 and len(leaves) == WIDTH
        if is_whole and not any(seq + offset in shown for offset in range(WIDTH)):
            yield Tile(root_of(leaves))
            at, seq = at + WIDTH, seq + WIDTH
            continue
        item = hashes[at]
        yield shown.get(seq, item) if not isinstance(item, Tile) else item
        at, seq = at + 1, seq + width(item)


def _note(log: StoredLog) -> bytes | None:
    return log.note if log.stopped is None else None


def _rank(stored: StoredFragment, fragment: Fragment, value: str) -> tuple[bool, int]:
    """How well a statement of a plate proves that it is of an id in hex, or that a number stands there."""
    header = _header(stored)
    raw = next((section.data for section in fragment.sections if section.name == "nameplate"), None)
    try:
        is_named = raw is not None and is_on(Plate.from_bytes(raw), value)
    except PassportError:
        is_named = False
    return (is_named or header.subject.hex() == value, header.stamp) if header is not None else (False, 0)


def _header(fragment: StoredFragment) -> Header | None:
    try:
        return decode_header(fragment.header, fragment.log, fragment.seq)
    except VoidError:
        return None
