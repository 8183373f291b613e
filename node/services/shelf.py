"""What this node answers its peers: everything leaves through here, so rights are enforced here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from federation.errors import RequestError
from federation.fragment import Fragment, Ref, Section, SectionClass
from federation.merkle import root_of
from federation.organisation import Chain
from federation.ports import Asker
from federation.sealing import seal_section
from federation.sync.announcing import Announced, Referral
from federation.sync.claiming import Claim, Claimed
from federation.sync.following import FollowAsked, Followed
from federation.sync.looking import Looked
from federation.sync.messages import (
    MAX_HEADS,
    Heads,
    HeadsAsked,
    Join,
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
from node.services import answers
from node.services.admission import Admission
from node.services.answers import Room, last_of, weight_of
from node.services.core import Core
from node.services.counting import stored_header
from node.services.disclosure import Disclosure
from node.services.filters import Filters
from node.services.handed import Handed, Personal
from node.services.ledger import Ledger
from node.services.membership import Membership
from node.services.news import news_of
from node.services.pointing import Asked, Pointing, check_id
from node.services.provisioning import keys_in_order
from node.services.retelling import Retelling
from node.services.seals import seals_of
from node.services.search import Search
from node.services.showing import Showing
from node.store.changes import changes_after
from node.store.chunks import read_chunk, signed_file
from node.store.database import ReadTx
from node.store.follows import find_filter
from node.store.fragments import (
    entries_about,
    entries_at,
    entries_between,
    headers_about,
)
from node.store.logs import StoredLog, find_log, list_logs
from node.store.organisations import find_chain
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
        asked: Asked,
    ) -> None:
        self._core = core
        self._ledger = ledger
        self._membership = membership
        self._admission = admission
        self._referring, self._boxes = asked.referring, asked.boxes
        self._disclosure = Disclosure()
        self._filters, self._handed = Filters(core), Handed(core)
        self._showing = Showing(core)
        self._pointing = Pointing(core, search, admission, asked, self._disclosure, self._showing, self._handed)
        self._retelling = Retelling()
        self._asked: dict[bytes, HeadsAsked] = {}

    def told_cursor(self, node: bytes) -> int:
        """Up to which opening a node said that it took, since this one started."""
        asked = self._asked.get(node)
        return asked.opened if asked is not None and asked.epoch == self._ledger.log.log else 0

    async def sign_key(self, org: bytes, node: bytes) -> bytes | None:
        """The key of a node that is stated and not ended.

        None for one that another organisation stated before: what is kept of a node is kept by its id.
        """

        async def look(tx: ReadTx) -> tuple[Chain | None, Chain | None]:
            chain, known = await find_chain(tx, org), await find_peer(tx, node)
            return chain, await find_chain(tx, known.org) if known is not None and known.org != org else None

        chain, other = await self._core.database.glance(look)
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
            news = await news_of(tx, changes[:MAX_HEADS])
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
        shown = {
            seq: one for seq, entry in found.items() if (one := self._showing.shown(entry, view, personal)) is not None
        }
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
                break
            if most > 1:
                most //= 2
            elif await self._spread(asker, after):
                most = limit
            else:  # of one entry that rests on very much the entry, and grounds that fit
                told = replace(told, entries=last_of(told.entries, answers.MOST_TOLD))
                break
        return self._retelling.note(asker.node, after, self._core.clock.now(), told)

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
            logs = {log.no: log for log in await list_logs(tx)}
            # What a node wrote itself it has, or brings back by the size of its log.
            own = [log.no for log in logs.values() if log.node == asker.node]
            found = await entries_about(tx, {item.subject for item in opened if item.place is None}, but=own)
            here = {(fragment.log_no, fragment.seq) for fragment in found}
            found += await entries_at(tx, {item.place for item in opened if item.place is not None} - here)
            view = await self._disclosure.view(tx, asker.org, found, asker.node)
            seals = await seals_of(tx, asker, view)
        # Grounds come first: what rests on them is understood when it comes.
        rest = [ground for place, ground in view.grounds.items() if place not in {(f.log, f.seq) for f in found}]
        placed, personal = list[Placed](), Personal()
        for fragment in (*rest, *found):
            if fragment.seq >= logs[fragment.log_no].note_size or fragment.log_no in own:
                continue
            shown = self._showing.shown(fragment, view, personal, seals)
            if shown is not None:
                placed.append(Placed(fragment.log, fragment.seq, shown))
        await self._handed.note(asker, personal, personal)
        fresh = self._retelling.fresh(asker.node, after, self._core.clock.now(), placed)
        return Openings(opened[-1].n if opened else after, fresh, len(opened) < limit)

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
            box_key = (await seals_of(tx, asker, view)).own
        for fragment in found:
            header = stored_header(fragment)
            if header is None or box_key is None or not view.may_open(header, SectionClass.SECRET, section):
                continue
            if (opened := self._showing.opened(fragment, section)) is not None:
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
        header = stored_header(found[0]) if found else None
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
        return await self._pointing.lookup(asker, scheme, value)

    async def refer(self, asker: Asker, keys: Sequence[bytes]) -> Sequence[Sequence[Referral]]:
        """Who announced here what has these keys."""
        return await self._referring.refer(asker, keys)

    async def claim(self, asker: Asker, claim: Claim) -> Claimed:
        """Hand a box over to who shows that it has the code."""
        check_id(claim.scheme, claim.value)
        return await self._boxes.answer(asker, claim)

    async def announce(self, asker: Asker, announced: Announced) -> Mapping[int, bytes] | None:
        """Keep what the asker holds."""
        return await self._referring.announce(asker, announced)

    async def ask(self, asker: Asker, scheme: str, value: str, words: str) -> None:
        """Keep for people here what the asker wants to be shown."""
        await self._pointing.ask(asker, scheme, value, words)

    async def joining_key(self, join: Join) -> bytes:
        """The sign key of a node that shows an invitation's secret."""
        return await self._membership.joining_key(join)

    async def join(self, join: Join) -> None:
        """Take a node that shows an invitation's secret."""
        await self._membership.admit(join)

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
        seals = await seals_of(tx, asker, view)
        shown = [
            (f, s) for f in found if (s := self._showing.shown(f, view, personal, seals)) and s.id[:16] == wanted[f.seq]
        ]
        paths = await read_inclusion(tx, log.no, [f.seq for f, _ in shown], log.note_size)
        return [
            Proven(Placed(log.log, f.seq, s), log.note_size, tuple(path))
            for (f, s), path in zip(shown, paths, strict=True)
        ]

    async def _journal(self, asker: Asker, what: str, subject: bytes, section: str) -> None:
        async with self._core.database.write() as tx:
            await self._core.announce(tx, "peer", what, subject, org=asker.org, section=section)


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
