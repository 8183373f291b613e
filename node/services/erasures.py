"""Erasures in this organisation's name: what may be erased, asking for it, and who has done it.

A statement's author asks alone; an anchor asks for what others wrote, and it is done once as many anchors as must agree
asked for the same. Who is known to have a section is whom it was given from here, and who may open it without having
taken it here: it may have come from another node.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from federation.authority import Kind
from federation.chunks import SUFFIX, ChunkList
from federation.errors import CodecError
from federation.fragment import Header, Ref, SectionClass, section_content
from federation.genesis import Genesis
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import ErasureGround
from node.passport.erasures import (
    MOST_ROWS,
    Acknowledged,
    Hindrance,
    Target,
    Word,
    acknowledged_of,
    erased_of,
    hindrance,
    is_erasable,
)
from node.passport.references import parse_ref, ref_text
from node.passport.statement import Erased
from node.services.core import Core
from node.services.counting import routes_of, stored_header
from node.services.ledger import Ledger, entry_ref
from node.services.statements import StatementReader
from node.store.database import ReadTx, WriteTx
from node.store.erasures import Given, given_of, gone_at, list_words, words_about, words_said_at
from node.store.forks import said_again
from node.store.fragments import CLEAR, ERASED, StoredFragment, entries_at
from node.store.genesis import find_genesis
from node.store.logs import StoredLog, find_log, list_logs
from node.store.peers import list_peers
from node.store.rights import EVERYBODY, rights_to

LISTED = 100


@dataclass(frozen=True, slots=True)
class Erasable:
    """A personal section of a statement: its size in bytes with its chunks, and what is known of who has it.

    `given` are the nodes to which it was given from here, `others` organisations that may open it beside these.
    """

    ref: Ref
    section: str
    org: bytes
    size: int
    is_here: bool
    given: tuple[Given, ...]
    others: tuple[bytes, ...]
    erased: Erased | None
    asked: tuple[bytes, ...] = ()  # anchors that asked for it so far


@dataclass(frozen=True, slots=True)
class Holder:
    """A node that had the section, since when it did not say that it is gone, and when it was heard last."""

    org: bytes
    node: bytes
    given_us: int
    seen_us: int | None
    said: Acknowledged | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an erasure: what it has done, or why it has done nothing."""

    word: Word
    target: Target | None  # None while its entry is not here
    erased: Erased | None
    hindrance: Hindrance | None
    holders: tuple[Holder, ...] = ()
    others: tuple[bytes, ...] = ()  # organisations that may have had it from elsewhere

    @property
    def waiting(self) -> list[Holder]:
        """Who has not said that it is gone."""
        return [holder for holder in self.holders if holder.said is None] if self.erased else []


@dataclass(frozen=True, slots=True)
class Asked:
    """An erasure with its rows; `may_sign` where this organisation, an anchor, has not asked for the same."""

    said: Ref
    org: bytes
    at: int
    ground: str
    rows: tuple[Row, ...] = field(default_factory=tuple)
    may_sign: bool = False


class Erasures:
    """Asks, and tells."""

    def __init__(self, core: Core, ledger: Ledger) -> None:
        self._core, self._ledger = core, ledger
        self._one_at_a_time = asyncio.Lock()  # over looking and signing: the same is asked for once

    async def preview(self, ref: str) -> list[Erasable]:
        """The personal sections of a statement, with what would go and who has it.

        Raise NotFoundError where no such statement is here, InputError where it has none.
        """
        async with self._core.database.read() as tx:
            entry, header, log = await _entry(tx, parse_ref(ref))
            words = (await words_about(tx, [(entry.log, entry.seq)])).get((entry.log, entry.seq), [])
            genesis, here = await find_genesis(tx), _ref(entry)
            erased = erased_of(words, Target.of(here, log.org, header), genesis)
            given = await given_of(tx, [(entry.log, entry.seq)])
            others = await _entitled(tx, entry, header, log)
            found = [head for head in header.sections if is_erasable(head.name, head.klass)]
            if not found:
                raise InputError("that statement has no personal section: it is corrected, not erased", "erase_nothing")
            return [
                Erasable(
                    here,
                    head.name,
                    log.org,
                    _size(entry, header, head.name),
                    any(s.name == head.name and s.form == CLEAR for s in entry.sections),
                    tuple(one for one in given if one.section == head.name),
                    tuple(org for org in others if org not in {one.org for one in given if one.section == head.name}),
                    erased.get(head.name),
                    tuple(sorted({w.org for w in words if w.section == head.name and _is_anchor(w.org, genesis)})),
                )
                for head in found
            ]

    async def ask(
        self, rows: Sequence[tuple[str, str]], ground: ErasureGround, actor: str, *, as_anchor: bool = False
    ) -> Asked:
        """Ask for sections (place of a statement, name) to be erased, for ever, by everybody; of others `as_anchor`.

        Raise InputError for what may not be erased, DeniedError for what is another's where this is no anchor that
        asks as one, NotFoundError where it is not here, StateError where it is erased already or asked for.
        """
        if not 0 < len(rows) <= MOST_ROWS:
            raise InputError(f"an erasure names 1 to {MOST_ROWS} sections", "erase_count", most=MOST_ROWS)
        async with self._one_at_a_time:
            async with self._core.database.read() as tx:
                genesis = await find_genesis(tx)
                named = [(parse_ref(ref), name) for ref, name in dict.fromkeys(rows)]
                may_all = as_anchor and _is_anchor(self._core.org, genesis)
                for ref, name in named:
                    await self._check(tx, ref, name, genesis, may_all=may_all)
                everywhere = await _said_elsewhere(tx, named)
            return await self._say(everywhere, ground, actor)

    async def sign(self, ref: str, actor: str) -> Asked:
        """Ask as an anchor for what another one asked for: the rows that wait for more anchors."""
        async with self._one_at_a_time:
            asked = await self._get(parse_ref(ref))
            left = [row for row in asked.rows if row.hindrance in (None, Hindrance.FEW_ANCHORS) and not row.erased]
            if not asked.may_sign or not left:
                raise StateError("nothing of that erasure waits for this organisation", "erase_not_waiting")
            ground = ErasureGround(asked.ground) if asked.ground in set(ErasureGround) else ErasureGround.OTHER
            return await self._say([(row.word.target, row.word.section) for row in left], ground, actor)

    async def erasable(self, refs: Iterable[str]) -> set[str]:
        """Those of some statements of which this organisation may ask to erase something: its own with personal bytes
        that stand here, and as an anchor others' with a personal section that is not erased.
        """
        async with self._core.database.read() as tx:
            genesis, logs = await find_genesis(tx), {log.log: log for log in await list_logs(tx)}
            is_anchor = _is_anchor(self._core.org, genesis)
            places = {(logs[ref.log].no, ref.seq) for ref in map(parse_ref, refs) if ref.log in logs}
            entries = await entries_at(tx, places)
        found: set[str] = set()
        for entry in entries:
            header, is_own = stored_header(entry), logs[entry.log].org == self._core.org
            forms = {section.name: section.form for section in entry.sections}
            personal = [h.name for h in header.sections if is_erasable(h.name, h.klass)] if header else []
            if any(
                forms.get(name) == CLEAR or (is_anchor and not is_own and forms.get(name) != ERASED)
                for name in personal
            ):
                found |= {ref_text(_ref(entry))} if is_own or is_anchor else set()
        return found

    async def get(self, ref: str) -> Asked:
        """One erasure, with who has done it; raise NotFoundError."""
        return await self._get(parse_ref(ref))

    async def list(self, limit: int = LISTED, before: tuple[int, bytes, int] | None = None) -> Sequence[Asked]:
        """Erasures that are known here, newest first, said before a (stamp, log, seq)."""
        async with self._core.database.read() as tx:
            return await self._told(tx, await list_words(tx, limit, before))

    async def to_sign(self) -> Sequence[Asked]:
        """Erasures that wait for this organisation's signature as an anchor."""
        async with self._core.database.read() as tx:
            genesis = await find_genesis(tx)
            own = self._core.org
            if genesis is None or own not in genesis.anchors:
                return []
            # What others ask for of their own must not push an anchor's request out of the list.
            asked = await list_words(tx, LISTED, orgs={*genesis.anchors} - {own})
            gone = {(one.target, one.section) for one in await gone_at(tx, (word.target for word in asked))}
            open_ = {word.said for word in asked if (word.target, word.section) not in gone}
            if not open_:
                return []  # every page asks
            return [one for one in await self._told(tx, [w for w in asked if w.said in open_]) if one.may_sign]

    async def _get(self, ref: Ref) -> Asked:
        async with self._core.database.read() as tx:
            words = await words_said_at(tx, ref.log, ref.seq)
            if not words or words[0].said != ref:
                raise NotFoundError("no erasure of that place is here", "erasure_unknown")
            return (await self._told(tx, words))[0]

    async def _check(self, tx: ReadTx, ref: Ref, name: str, genesis: Genesis | None, *, may_all: bool) -> None:
        place = ref_text(ref)
        log = await find_log(tx, ref.log)
        if log is not None and log.org != self._core.org and not may_all:
            raise DeniedError("only its author or anchors let a statement be erased", "erase_foreign", ref=place)
        _, header, log = await _entry(tx, ref)
        target = Target.of(ref, log.org, header)
        if name not in target.classes:
            raise InputError(f"the statement has no section {name}", "erase_no_section", section=name)
        if not is_erasable(name, target.classes[name]):
            raise InputError(
                f"section {name} is not personal: it is corrected, not erased", "erase_not_personal", section=name
            )
        words = [
            w for w in (await words_about(tx, [(ref.log, ref.seq)])).get((ref.log, ref.seq), ()) if w.section == name
        ]
        if erased_of(words, target, genesis):
            raise StateError(f"section {name} is erased already", "erased_already", section=name)
        if any(word.org == self._core.org and word.target == ref for word in words):
            raise StateError(f"section {name} is asked for: it waits for other anchors", "erase_asked", section=name)

    async def _say(self, rows: Iterable[tuple[Ref, str]], ground: ErasureGround, actor: str) -> Asked:
        rows = [*rows]

        async def note(tx: WriteTx, _entries: object) -> None:
            await self._core.announce(tx, actor, "erasure_asked", count=len(rows), ground=ground.value)

        draft = drafts.erasure(self._core.org, rows, ground, self._core.clock.now())
        said = (await self._ledger.append([draft], note))[0]
        return await self._get(entry_ref(self._ledger.log.log, said))

    async def _told(self, tx: ReadTx, words: Sequence[Word]) -> Sequence[Asked]:
        facts = await _Facts.read(tx, words, self._core.node)
        found: dict[Ref, list[Row]] = {}
        for word in words:
            found.setdefault(word.said, []).append(facts.row(word))
        by_ref = {word.said: word for word in words}
        return [
            Asked(ref, by_ref[ref].org, by_ref[ref].stamp, by_ref[ref].ground, tuple(rows), self._may_sign(rows, facts))
            for ref, rows in found.items()
        ]

    def _may_sign(self, rows: Sequence[Row], facts: "_Facts") -> bool:
        """Whether this organisation is an anchor and some row, said by another one, waits for it."""
        own = self._core.org
        return _is_anchor(own, facts.genesis) and any(
            row.erased is None
            and row.hindrance in (None, Hindrance.FEW_ANCHORS)
            and _is_anchor(row.word.org, facts.genesis)
            and not any(word.org == own and word.target == row.word.target for word in facts.of(row.word))
            for row in rows
        )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known about the rows of erasures."""

    genesis: Genesis | None
    words: Mapping[tuple[bytes, int], Sequence[Word]]
    targets: Mapping[tuple[bytes, int], Target]
    given: Sequence[Given]
    others: Mapping[tuple[bytes, int], Sequence[bytes]]
    acknowledged: Sequence[Acknowledged]
    seen: Mapping[bytes, int | None]
    node: bytes

    @classmethod
    async def read(cls, tx: ReadTx, words: Sequence[Word], node: bytes) -> "_Facts":
        """Read them at once."""
        places = {(word.target.log, word.target.seq) for word in words}
        logs = {log.log: log for log in await list_logs(tx)}
        targets: dict[tuple[bytes, int], Target] = {}
        others: dict[tuple[bytes, int], Sequence[bytes]] = {}
        for entry in await entries_at(tx, {(logs[log].no, seq) for log, seq in places if log in logs}):
            if (header := stored_header(entry)) is not None:
                ref = _ref(entry)
                targets[entry.log, entry.seq] = Target.of(ref, logs[entry.log].org, header)
                others[entry.log, entry.seq] = await _entitled(tx, entry, header, logs[entry.log])
        reader = await StatementReader.open(tx)
        acks = await reader.of_kinds(tx, [Kind.ERASURE_ACK])
        nodes = {log.log: log.node for log in logs.values()}
        return cls(
            await find_genesis(tx),
            await words_about(tx, places),
            targets,
            await given_of(tx, places),
            others,
            [one for ack in acks for one in acknowledged_of(ack, nodes[ack.ref.log])],
            {peer.node: peer.seen_us for peer in await list_peers(tx)},
            node,
        )

    def of(self, word: Word) -> list[Word]:
        """All words about the section that one names."""
        said = self.words.get((word.target.log, word.target.seq), ())
        return [one for one in said if one.section == word.section]

    def row(self, word: Word) -> Row:
        """What came of one row."""
        place, said = (word.target.log, word.target.seq), self.of(word)
        target = self.targets.get(place)
        if target is None:
            return Row(word, None, None, None)
        erased = erased_of(said, target, self.genesis).get(word.section) if word.target == target.ref else None
        why = hindrance(word, said, target, self.genesis)
        holders = self._holders(word) if erased else ()
        known = {holder.org for holder in holders}
        others = tuple(org for org in self.others.get(place, ()) if org not in known)
        return Row(word, target, erased, why, holders, others)

    def _holders(self, word: Word) -> tuple[Holder, ...]:
        """Who was given the section from here, and who says that it had it."""
        said = {one.node: one for one in self.acknowledged if (one.target, one.section) == (word.target, word.section)}
        place = (word.target.log, word.target.seq, word.section)
        given = {one.node: one for one in self.given if (one.log, one.seq, one.section) == place}
        found = [
            Holder(one.org, node, one.at_us, self.seen.get(node), said.get(node)) for node, one in given.items()
        ] + [Holder(one.org, node, 0, self.seen.get(node), one) for node, one in said.items() if node not in given]
        return tuple(sorted((one for one in found if one.node != self.node), key=lambda one: (one.org, one.node)))


async def _entry(tx: ReadTx, ref: Ref) -> tuple[StoredFragment, Header, StoredLog]:
    found = await _entry_at(tx, (ref.log, ref.seq))
    if found[0].to_fragment().id[:16] != ref.id16:
        raise NotFoundError("no statement of that place is here", "statement_unknown")
    return found


async def _entry_at(tx: ReadTx, place: tuple[bytes, int]) -> tuple[StoredFragment, Header, StoredLog]:
    log = await find_log(tx, place[0])
    found = await entries_at(tx, [(log.no, place[1])]) if log is not None else []
    header = stored_header(found[0]) if found else None
    if log is None or header is None:
        raise NotFoundError("no statement of that place is here", "statement_unknown")
    return found[0], header, log


async def _said_elsewhere(tx: ReadTx, rows: Sequence[tuple[Ref, str]]) -> list[tuple[Ref, str]]:
    """The rows, with the places where this node said the same before a fork of its log, or again after it.

    Raise InputError where that is more than one erasure names.
    """
    moved = await said_again(tx, {log.log for log in await list_logs(tx, own=True)})
    before: dict[tuple[bytes, int], tuple[bytes, int]] = {(new.log, new.seq): old for old, new in moved.items()}
    found: dict[tuple[Ref, str], None] = {}
    for ref, name in rows:
        first = (ref.log, ref.seq)
        while first in before:
            first = before[first]
        place: tuple[bytes, int] | None = first
        while place is not None:
            here = ref if place == (ref.log, ref.seq) else _ref((await _entry_at(tx, place))[0])
            found[here, name] = None
            place = (moved[place].log, moved[place].seq) if place in moved else None
    if len(found) > MOST_ROWS:
        raise InputError(f"an erasure names 1 to {MOST_ROWS} sections", "erase_count", most=MOST_ROWS)
    return [*found]


def _ref(entry: StoredFragment) -> Ref:
    return Ref(entry.log, entry.seq, entry.to_fragment().id[:16])


async def _entitled(tx: ReadTx, entry: StoredFragment, header: Header, log: StoredLog) -> list[bytes]:
    """Organisations that may open what is personal in an entry."""
    rights = await rights_to(tx, {*header.subjects, *routes_of(entry.to_fragment())})
    found = {
        right.org
        for some in rights.values()
        for right in some
        if right.classes >> SectionClass.PERSONAL & 1
        and right.author in (EVERYBODY, log.org)
        and right.covers(header.kind, header.occurred)
    }
    return sorted(found - {log.org})


def _size(entry: StoredFragment, header: Header, name: str) -> int:
    """How many bytes a section has, with the chunks that it lists."""
    head = header.section(name)
    stored = next((section for section in entry.sections if section.name == name), None)
    size = head.size if head is not None else 0
    if head is None or stored is None or stored.form != CLEAR or not name.endswith(SUFFIX):
        return size
    try:
        return size + ChunkList.from_bytes(section_content(head, stored.data)).total
    except CodecError:
        return size


def _is_anchor(org: bytes, genesis: Genesis | None) -> bool:
    return genesis is not None and org in genesis.anchors
