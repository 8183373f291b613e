"""Bundles: levelling by a file where no wire leads from one node to another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from federation import codec
from federation.checkpoint import parse_note
from federation.errors import BundleError, CodecError, FederationError, LackingError, RequestError
from federation.fragment import Fragment
from federation.ports import Asker
from federation.sync import messages
from federation.sync.bundle import MAX_BUNDLE, Body, BundleReader, BundleWriter, Place, cover
from federation.sync.following import FollowAsked, Followed
from federation.sync.messages import Heads, HeadsAsked, Openings, Part, Row, Span, Tile, width
from federation.tiles import WIDTH
from node.errors import InputError, NotFoundError, StateError
from node.services.core import Core
from node.services.exchange import Heard
from node.services.shelf import FederationShelf
from node.services.sync import Sync
from node.services.troubles import trouble_of
from node.store.logs import list_logs
from node.store.organisations import find_chain
from node.store.peers import Peer, find_peer

KEY = 32


@dataclass(frozen=True, slots=True)
class Taken:
    """Whose bundle was taken, when it was made, and what was wrong with a log of it, if anything."""

    org: bytes
    node: bytes
    made_us: int
    trouble: str | None


class Bundles:
    """Makes bundles for peers, and takes those that peers made for this node."""

    def __init__(self, core: Core, shelf: FederationShelf, sync: Sync) -> None:
        self._core = core
        self._shelf = shelf
        self._sync = sync
        self.on_taken: Callable[[int], Awaitable[None]] = _nothing  # told when a bundle that was taken whole was made
        self._taking = asyncio.Lock()  # one that is taken twice at once is taken one after the other

    async def make(self, node: bytes, file: BinaryIO, actor: str, *, is_whole: bool = False) -> int:
        """Write all that a peer may see here and did not say that it has; answer how many records that are.

        `is_whole` with what it said that it has: it may have come back from an older copy since.
        """
        async with self._core.database.read() as tx:
            peer = await find_peer(tx, node)
            logs = [log for log in await list_logs(tx) if log.node == node]
        if peer is None:
            raise NotFoundError(f"node {node.hex()} is not known here", "peer_unknown")
        await self._check_entitled(peer)
        if not logs:
            raise StateError(f"node {node.hex()} has told no key of its own here yet", "bundle_no_key")
        keystore, key = self._core.keystore, self._core.random.bytes(KEY)
        box_key = logs[-1].statement.box_key
        first = cover(keystore.org, keystore.node, node, box_key, self._core.clock.now(), key)
        writer = BundleWriter(file, first, key)
        try:
            async for body, raw in self._bodies(Asker(peer.org, node), is_whole=is_whole):
                await asyncio.to_thread(writer.add, body, raw)
            await asyncio.to_thread(writer.finish, keystore.sign)
        except BundleError as error:
            raise StateError(str(error), "bundle_large", most=MAX_BUNDLE >> 20) from error
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "bundle_made", org=peer.org, node=node.hex(), count=writer.count)
        return writer.count

    async def _check_entitled(self, peer: Peer) -> None:
        """Raise StateError for a node that would be answered nothing on the wire either."""
        if await self._shelf.sign_key(peer.org, peer.node) is None:
            raise StateError(f"node {peer.node.hex()} was ended by its organisation", "peer_ended")
        try:
            await self._shelf.check(Asker(peer.org, peer.node), "heads")
        except RequestError as error:
            raise StateError(f"nothing is handed to organisation {peer.org.hex()}: {error}", "org_refused") from error

    async def take(self, file: BinaryIO, actor: str) -> Taken:
        """Take a bundle that a known node made for this one; raise InputError where it is damaged or for another."""
        try:
            reader = await asyncio.to_thread(BundleReader, file)
            peer = await self._maker(reader)
            await asyncio.to_thread(reader.check, peer.sign_key)
            await asyncio.to_thread(reader.open, self._core.keystore.box_keys())
            async with self._taking:
                link = await asyncio.to_thread(_BundleLink, reader)
                outcome = await self._sync.levelling.level(link, peer, Heard(), follows=False)
        except BundleError as error:
            raise InputError(str(error), "bundle_damaged") from error
        except FederationError as error:
            raise InputError(f"the bundle says what cannot be: {error}", "bundle_damaged") from error
        made, trouble = reader.cover, outcome.trouble
        if trouble is None and not outcome.is_whole:
            trouble = trouble_of(LackingError("not every leaf of what was opened is here yet"))
        async with self._core.database.write() as tx:
            await self._core.announce(tx, actor, "bundle_taken", org=made.org, node=made.node.hex())
        if trouble is None:
            await self.on_taken(made.made_us)
        return Taken(made.org, made.node, made.made_us, trouble)

    async def _maker(self, reader: BundleReader) -> Peer:
        made = reader.cover
        if made.to != self._core.node:
            raise InputError(f"the bundle is for node {made.to.hex()}", "bundle_of_another")
        async with self._core.database.read() as tx:
            peer, chain = await find_peer(tx, made.node), await find_chain(tx, made.org)
        node = chain.node(made.node) if chain else None
        if peer is None or node is None or node.ended is not None or peer.sign_key != node.sign_key:
            raise InputError(f"node {made.node.hex()} that made the bundle was not met here", "bundle_of_stranger")
        return peer

    async def _bodies(self, asker: Asker, *, is_whole: bool) -> AsyncIterator[tuple[Body, bytes]]:
        held = {} if is_whole else self._sync.heard(asker.node).sizes
        # What is opened comes before the heads: these are of then or later, so that every leaf of it is under them.
        after, told = 0 if is_whole else self._shelf.told_cursor(asker.node), set[tuple[bytes, int]]()
        while True:
            opened = await self._shelf.opened(asker, after, messages.MAX_PULL)
            # Of what it scanned before it may know the tile's root alone.
            for log, n in sorted({(item.log, item.seq // WIDTH) for item in opened.entries} - told):
                told.add((log, n))
                if (n + 1) * WIDTH <= held.get(log, 0):
                    leaves = await self._shelf.leaves(log, n * WIDTH, (n + 1) * WIDTH)
                    yield Body.LEAVES, codec.pack([log, n, list(leaves)])
            yield Body.OPENED, codec.pack([after, messages.encode_openings(opened)])
            after = opened.next
            if opened.done:
                break
        known = HeadsAsked()
        sizes: dict[bytes, int] = {}
        while (heads := await self._shelf.changed(asker, known)) is not None:
            yield Body.HEADS, heads.to_bytes()
            for note in heads.notes:
                checkpoint = parse_note(note)[0]
                sizes[checkpoint.log] = checkpoint.size
            known = HeadsAsked(heads.epoch, heads.n, heads.opened)
            if not heads.more:
                break
        for log, size in sorted(sizes.items()):
            start = held.get(log, 0)
            while start < size:
                # Where exactly the other node stands is not known: a tile could lie across that place.
                parts = await self._shelf.pull(asker, [Span(log, start, size)], folds=False)
                if not parts[0].rows:
                    break
                yield Body.PART, messages.encode_parts(parts)
                start += sum(map(width, parts[0].rows))


async def _nothing(_made_us: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: int
    end: int
    place: Place


class _BundleLink:
    """The answers of a bundle, to the questions that an exchange asks."""

    def __init__(self, reader: BundleReader) -> None:
        """Open every record once; raise BundleError, or RemoteProtocolError for what is in one."""
        self._reader = reader
        self._heads: list[Place] = []
        self._parts: dict[bytes, list[_Stretch]] = {}
        self._opened: list[tuple[int, int, Place]] = []
        self._leaves: dict[tuple[bytes, int], Place] = {}
        for place in reader.places:
            body, raw = reader.body(place)
            if body is Body.HEADS:
                messages.decode_heads(raw)
                self._heads.append(place)
            elif body is Body.PART:
                for part in messages.decode_parts(raw):
                    end = part.start + sum(map(width, part.rows))
                    self._parts.setdefault(part.log, []).append(_Stretch(part.start, end, place))
            elif body is Body.LEAVES:
                log, n, _ = _leaves(raw)
                self._leaves[log, n] = place
            else:
                after, opened = _opened(raw)
                self._opened.append((after, opened.next, place))
        self._heads.reverse()

    async def heads(self, _known: HeadsAsked) -> Heads | None:
        """What the bundle tells, page by page."""
        return await asyncio.to_thread(self._head, self._heads.pop()) if self._heads else None

    async def pull(self, spans: Sequence[Span]) -> list[Part]:
        """What the bundle has of these logs from there on; parts without rows where it has nothing.

        Raise InputError where it begins later.
        """
        if any(span.start < self._parts[span.log][0].start for span in spans if span.log in self._parts):
            raise _begins_later()
        return [await asyncio.to_thread(self._part, span) for span in spans]

    async def leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        """Leaves that the bundle carries, of a tile or with its entries; raise LackingError for others."""
        return await asyncio.to_thread(self._leaves_between, log, start, end)

    async def opened(self, after: int) -> Openings:
        """What was opened after a number; raise InputError where the bundle begins later."""
        if self._opened and after < self._opened[0][0]:
            raise _begins_later()
        for first, following, place in self._opened:
            if first <= after < following or (first == after == following):
                return await asyncio.to_thread(self._opening, place)
        return Openings(after, (), done=True)

    async def follow(self, _asked: FollowAsked) -> Followed:
        """Nobody hears it."""
        raise BundleError("a bundle is told nothing")

    def _head(self, place: Place) -> Heads:
        return messages.decode_heads(self._reader.body(place)[1])

    def _opening(self, place: Place) -> Openings:
        return _opened(self._reader.body(place)[1])[1]

    def _leaves_between(self, log: bytes, start: int, end: int) -> list[bytes]:
        place = self._leaves.get((log, start // WIDTH))
        if place is not None and (start % WIDTH, end - start) == (0, WIDTH):
            return _leaves(self._reader.body(place)[1])[2]
        found: list[bytes] = []
        while len(found) < end - start:
            rows = self._part(Span(log, start + len(found), end)).rows
            leaves = [row.leaf if isinstance(row, Fragment) else row for row in rows if not isinstance(row, Tile)]
            if not rows or len(leaves) < len(rows):
                raise LackingError(f"log {log.hex()}: the bundle does not carry leaves {start} to {end}")
            found += leaves
        return found[: end - start]

    def _part(self, span: Span) -> Part:
        for stretch in self._parts.get(span.log, ()):
            if stretch.start <= span.start < stretch.end:
                parts = messages.decode_parts(self._reader.body(stretch.place)[1])
                part = next(part for part in parts if (part.log, part.start) == (span.log, stretch.start))
                return Part(span.log, span.start, _from(part, span.start), part.path)
        return Part(span.log, span.start, ())


def _begins_later() -> InputError:
    return InputError("the bundle begins after what this node has", "bundle_later")


def _from(part: Part, start: int) -> tuple[Row, ...]:
    """The rows of a part from a place on; none where a tile lies across it."""
    at = part.start
    for number, row in enumerate(part.rows):
        if at >= start:
            return part.rows[number:] if at == start else ()
        at += width(row)
    return ()


def _leaves(raw: bytes) -> tuple[bytes, int, list[bytes]]:
    try:
        log, n, leaves = codec.array(codec.unpack(raw, 1 << 16), 3, "leaves")
        hashes = [codec.binary(leaf, 32, "leaf") for leaf in codec.array(leaves, WIDTH, "leaves")]
        return codec.binary(log, 16, "log"), codec.uint(n, "tile"), hashes
    except CodecError as error:
        raise BundleError(f"bundle: {error}") from error


def _opened(raw: bytes) -> tuple[int, Openings]:
    try:
        after, opened = codec.array(codec.unpack(raw, messages.MAX_INFLATED), 2, "opened")
        return codec.uint(after, "after"), messages.decode_openings(codec.binary(opened, None, "opened", most=1 << 23))
    except CodecError as error:
        raise BundleError(f"bundle: {error}") from error
