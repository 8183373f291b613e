"""Nodes that take of a peer only what they follow: what comes, what is brought later, and what is mended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from federation.authority import Verb
from federation.errors import BusyError, FilterError
from federation.fragment import SectionClass
from federation.net.deflate import ENCODING, inflate
from federation.net.live import Hub
from federation.peer import PeerAddress
from federation.ports import Answer, Asker, Question
from federation.sync import following
from federation.sync.following import FIRST, LAST, NOTHING, FollowAsked, Followed
from node.passport import drafts
from node.passport.bodies import EventBody, Place, Reference, SamenessBody, ShipmentBody
from node.passport.claims import local_claim
from node.services import filters
from node.services.fsck import Fsck
from node.services.notices import Notices
from node.store import follows
from node.store.follows import change_filter, drop_filter, find_filter, followed_within
from node.store.fragments import entries_about
from node.store.journal import read_journal
from node.store.logs import find_log
from node.store.peers import Peer, find_peer
from node.store.rights import last_opening, openings_after
from node.store.trees import find_root
from tests.links import Wired, wired
from tests.unit.federation.test_live import pipe
from tests.unit.node_protocols.builders import NOW, Desk, ended, new_desk, opened, publish_line

OPEN = [int(SectionClass.PUBLIC), int(SectionClass.AUTHORITY), int(SectionClass.TECHNICAL)]
ACTOR = "tester"
FEW = 16  # subjects in a question, where many questions are needed


class Heard(Wired):
    """A node of which every answer is kept as it was before it was deflated."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.said = b""

    async def ask(self, peer: PeerAddress, question: Question, limit: int) -> Answer:
        """Answer, and keep the answer."""
        answer = await super().ask(peer, question, limit)
        self.said += inflate(answer.body, answer.headers.get(ENCODING), 1 << 24)
        return answer


@asynccontextmanager
async def maker_and_reader(folder: Path) -> AsyncIterator[tuple[Heard, Wired]]:
    """A maker, and a member that knows it and takes only what it follows."""
    async with new_desk(folder / "maker", "maker", 1) as desk, wired(folder, "reader", 2, desk) as reader:
        maker = Heard(desk)
        await reader.knows(maker)
        await maker.knows(reader)
        await reader.sync.following.choose(desk.core.node, ACTOR, only_followed=True)
        yield maker, reader


async def make(maker: Wired, reader: Wired, count: int, first: int = 0) -> list[bytes]:
    """Devices that the reader may read, each with a canary in a technical section."""
    subjects = [await maker.desk.device(f"{first + n:08d}") for n in range(count)]
    shared = [drafts.share(subject, reader.desk.org, OPEN, NOW) for subject in subjects]
    await maker.desk.ledger.append([*shared, *map(event, subjects)])
    await maker.desk.ledger.publish()
    return subjects


def canary(subject: bytes) -> str:
    """What is said of a device and of no other."""
    return f"CANARY-{subject.hex()}"


def event(subject: bytes) -> drafts.Draft:
    """Something happened to a device."""
    detail = {"note": canary(subject)}
    body = EventBody(what=Reference(central="repaired"), where=Place(default=True), system="test", detail=detail)
    return drafts.event(subject, body, NOW)


async def tell(maker: Wired, *subjects: bytes) -> None:
    """Tell it."""
    await maker.desk.ledger.append([*map(event, subjects)])
    await maker.desk.ledger.publish()


def told_of(maker: Heard, subjects: Collection[bytes]) -> set[bytes]:
    """The devices of which a canary left the maker since it was looked at last."""
    said, maker.said = maker.said, b""
    return {subject for subject in subjects if canary(subject).encode() in said}


async def count(desk: Desk, subject: bytes) -> int:
    """How many entries about a subject are here."""
    async with desk.core.database.read() as tx:
        return len(await entries_about(tx, [subject]))


async def check(maker: Wired, reader: Wired) -> None:
    """Both have the same log under the same root, and nothing is wrong in the reader's store."""
    roots = []
    for node in (maker, reader):
        async with node.desk.core.database.read() as tx:
            stored = await find_log(tx, maker.desk.ledger.log.log)
            assert stored is not None
            roots.append((stored.size, await find_root(tx, stored.no, stored.size)))
    assert roots[0] == roots[1]
    found = [str(finding) async for step in Fsck(reader.desk.core).run() for finding in step.findings]
    assert found == []


async def peer_of(reader: Wired, maker: Wired) -> Peer:
    async with reader.desk.core.database.read() as tx:
        peer = await find_peer(tx, maker.desk.core.node)
    assert peer is not None
    return peer


async def ship(maker: Wired, reader: Wired, device: bytes) -> bytes:
    """An offer of a device to the reader's organisation; the act's subject."""
    log, random = maker.desk.ledger.log.log, maker.desk.core.random.bytes(16)
    act = local_claim(log, random).subject.raw
    body = ShipmentBody(number="1", date="2026-05-28")
    await maker.desk.ledger.append([drafts.shipment(act, Verb.OFFER, reader.desk.org, [device], body, NOW)])
    await maker.desk.ledger.publish()
    return act


async def say_alone(maker: Wired) -> None:
    """Something that nobody else may see."""
    await tell(maker, await maker.desk.device("99999999"))


async def publish(maker: Wired) -> None:
    """Something that everybody may see."""
    await publish_line(maker.desk)
    await maker.desk.ledger.publish()


@asynccontextmanager
async def connected(
    maker: Wired, names: Mapping[bytes, str]
) -> AsyncIterator[Callable[[Awaitable[object]], Awaitable[set[str]]]]:
    """Peers that hold a live connection; who of them gets a notice of what is done."""
    hub, ends = Hub(maker.desk.core.node, maker.answers.answer), {node: pipe() for node in names}
    notices = Notices(maker.desk.core, hub)
    serving = [asyncio.create_task(hub.serve(node, far, dialled=False)) for node, (far, _) in ends.items()]

    async def woken(doing: Awaitable[object]) -> set[str]:
        await doing
        maker.desk.core.outgoing.set()
        await notices.tell_next()
        for _ in range(10):
            await asyncio.sleep(0)
        return {
            names[node] for node, (_, near) in ends.items() if not near.incoming.empty() and near.incoming.get_nowait()
        }

    try:
        yield woken
    finally:
        for task in serving:
            await ended(task)


async def kept_at(maker: Wired, reader: Wired) -> tuple[bytes, list[bytes]]:
    """What the maker keeps of what the reader follows."""
    node = reader.desk.core.node
    async with maker.desk.core.database.read() as tx:
        kept = await find_filter(tx, node)
        assert kept is not None
        return kept.filter, await followed_within(tx, node, FIRST, LAST)


async def test_what_is_followed_alone_comes_and_its_history_when_it_is_followed_later(tmp_path: Path) -> None:
    """Of many devices that may be read the canary of the one that is followed leaves the maker. One that is followed
    later is brought with its history; one that is followed no more brings nothing new; then everything comes again.
    """
    async with maker_and_reader(tmp_path) as (maker, reader):
        one, two, three = devices = await make(maker, reader, 3)
        await make(maker, reader, 10, first=100)
        mine = reader.sync.following

        await mine.follow([one], ACTOR)
        await reader.level(maker)
        assert told_of(maker, devices) == {one}
        await check(maker, reader)

        await mine.follow([two], ACTOR)
        outcome = await reader.level(maker)
        assert (outcome.trouble, outcome.is_whole) == (None, True)
        assert told_of(maker, devices) == {two}
        assert await count(reader.desk, two) == await count(maker.desk, two) > 1
        await check(maker, reader)

        assert await mine.unfollow([one], ACTOR) == 1
        await tell(maker, *devices)
        await reader.level(maker)
        assert told_of(maker, devices) == {two}
        assert await count(reader.desk, one) == await count(maker.desk, one) - 1
        await check(maker, reader)

        await mine.choose(maker.desk.core.node, ACTOR, only_followed=False)
        outcome = await reader.level(maker)
        assert (outcome.trouble, outcome.is_whole) == (None, True)
        assert told_of(maker, devices) == {one, two, three}
        assert await count(reader.desk, three) == await count(maker.desk, three)
        await check(maker, reader)
        async with reader.desk.core.database.read() as tx:
            rows = {row.what for row in await read_journal(tx, limit=1000)}
        assert {"followed", "unfollowed", "peer_followed_only", "peer_taken_whole"} <= rows


async def test_what_a_party_is_told_comes_whatever_it_follows(tmp_path: Path) -> None:
    """A shipment to the reader's organisation comes with its papers; of its devices nothing else does."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        device = await maker.desk.device("00000001")
        await tell(maker, device)
        act = await ship(maker, reader, device)

        await reader.level(maker)

        async with reader.desk.core.database.read() as tx:
            (entry,) = await entries_about(tx, [act])
        assert {"authority", "shipment"} <= {section.name for section in entry.sections if section.salt is not None}
        assert told_of(maker, [device]) == set()


async def test_following_takes_what_is_shown_under_one_passport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a same-as joins what is here, the other subject is followed too, and peers are woken to hear of it; never
    more than they keep. Together they are followed no more.
    """
    woken: list[int] = []
    async with maker_and_reader(tmp_path) as (maker, reader):
        reader.desk.projection.on_followed = lambda: woken.append(1)
        one, two, three = devices = await make(maker, reader, 3)
        mine, node = reader.sync.following, maker.desk.core.node
        await mine.choose(node, ACTOR, only_followed=False)
        await reader.level(maker)
        await mine.follow([one], ACTOR)
        await mine.choose(node, ACTOR, only_followed=True)

        await maker.desk.ledger.append([drafts.sameness(one, two, SamenessBody(says="same"), NOW)])
        await maker.desk.ledger.publish()
        await reader.level(maker)
        maker.said = b""
        await tell(maker, *devices)
        await reader.level(maker)

        assert (await kept_at(maker, reader))[1] == sorted([one, two])
        assert told_of(maker, devices) == {one, two}
        assert woken == [1]
        monkeypatch.setattr(follows, "MAX_FOLLOWED", 2)
        await maker.desk.ledger.append([drafts.sameness(two, three, SamenessBody(says="same"), NOW)])
        await maker.desk.ledger.publish()
        assert (await reader.level(maker)).trouble is None
        assert (await kept_at(maker, reader))[1] == sorted([one, two])
        assert await mine.unfollow([two], ACTOR) == 2


async def test_filters_that_differ_are_told_anew_and_only_what_is_new_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that came back from an older copy, or lost what it was told, or a node that did, is put right at the next
    exchange; where both agree nothing is told.
    """
    async with maker_and_reader(tmp_path) as (maker, reader):
        one, two, three = await make(maker, reader, 3)
        monkeypatch.setattr(following, "MAX_CHANGES", FEW)
        many = [reader.desk.core.random.bytes(16) for _ in range(2 * FEW + 1)]
        node = reader.desk.core.node
        await reader.sync.following.follow([one, two, *many], ACTOR)
        await reader.level(maker)
        assert maker.asked.count("follow") == 3
        maker.asked.clear()
        await reader.level(maker)
        assert maker.asked == ["heads"]

        async with maker.desk.core.database.write() as tx:  # as an older copy has it
            kept = await find_filter(tx, node)
            assert kept is not None
            await change_filter(tx, kept, [three], [two])
            last = await last_opening(tx, reader.desk.org, node, kept.since)
        await reader.level(maker)

        assert await kept_at(maker, reader) == await kept_at(reader, reader)
        async with maker.desk.core.database.read() as tx:
            opened = await openings_after(tx, reader.desk.org, last, 10, node, 0)
        assert [opening.subject for opening in opened] == [two]
        async with maker.desk.core.database.write() as tx:
            await drop_filter(tx, node)
        await reader.level(maker)
        assert await kept_at(maker, reader) == await kept_at(reader, reader)


async def test_restarted_nodes_keep_what_is_followed(tmp_path: Path) -> None:
    """What is followed, and of whom nothing else is taken, stands in the stores of both."""
    async with maker_and_reader(tmp_path) as (maker, reader):
        one, two = devices = await make(maker, reader, 2)
        await reader.sync.following.follow([one], ACTOR)
        await reader.level(maker)
    async with opened(tmp_path / "maker", 1) as desk, opened(tmp_path / "reader", 2) as other:
        maker, reader = Heard(desk), Wired(other)
        for device in devices:
            await tell(maker, device)

        await reader.level(maker)

        assert told_of(maker, devices) == {one}
        assert "follow" not in maker.asked
        assert await count(other, two) == 1  # the share: it names the reader's organisation


async def test_peer_that_follows_is_not_woken_for_other_devices(tmp_path: Path) -> None:
    """A node that follows one device is woken for it, for what names its organisation and for what is published, and
    not for another device or what it may not see; whoever takes everything is for all of it, since it mirrors the log.
    """
    async with (
        maker_and_reader(tmp_path) as (maker, reader),
        wired(tmp_path, "everything", 3, maker.desk) as everything,
        wired(tmp_path, "stranger", 4, maker.desk) as stranger,
    ):
        for other in (everything, stranger):
            await maker.knows(other)
            await other.knows(maker)
        one, two = await make(maker, reader, 2)
        said = [drafts.share(subject, everything.desk.org, OPEN, NOW) for subject in (one, two)]
        await maker.desk.ledger.append(said)
        await reader.sync.following.follow([one], ACTOR)
        names = {reader.desk.core.node: "reader", everything.desk.core.node: "everything"}
        await reader.level(maker)
        async with connected(maker, names | {stranger.desk.core.node: "stranger"}) as woken:
            everybody = {"reader", "everything", "stranger"}
            assert await woken(maker.desk.ledger.publish()) == everybody  # who was told what is not known yet

            assert await woken(tell(maker, one)) == everybody
            assert await woken(tell(maker, two)) == everybody - {"reader"}
            assert await woken(say_alone(maker)) == everybody - {"reader"}
            assert await woken(ship(maker, reader, two)) == everybody
            assert await woken(publish(maker)) == everybody


async def test_filters_that_cannot_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More subjects than a node may follow, or its organisation together, are refused by their own error; what stood
    before stands. Nobody's right grows by it. Who takes everything again and again is asked to wait.
    """
    async with maker_and_reader(tmp_path) as (maker, reader):
        asker = Asker(reader.desk.org, reader.desk.core.node)
        foreign = await maker.desk.device("00000001")
        await tell(maker, foreign)
        subjects = [reader.desk.core.random.bytes(16) for _ in range(8)]
        await reader.sync.following.follow([foreign, *subjects], ACTOR)
        await reader.level(maker)
        assert told_of(maker, [foreign]) == set()
        before = await kept_at(maker, reader)
        asked = FollowAsked(added=frozenset(reader.desk.core.random.bytes(16) for _ in range(8)))

        for name, least in (("MAX_FOLLOWED", 16), ("MOST_OF_ORGANISATION", 16)):
            with monkeypatch.context() as limits:
                limits.setattr(filters, name, least)
                with pytest.raises(FilterError, match="at most"):
                    await maker.shelf.follow(asker, asked)
        assert await kept_at(maker, reader) == before

        await maker.shelf.follow(asker, FollowAsked(everything=True))
        await maker.shelf.follow(asker, asked)
        with pytest.raises(BusyError, match="a moment ago"):
            await maker.shelf.follow(asker, FollowAsked(everything=True))
        assert (await kept_at(maker, reader))[1] == sorted(asked.added)


async def test_peer_that_does_not_keep_what_it_was_told_is_named(tmp_path: Path) -> None:
    """Where its answer stands for another set whatever it is told, the exchange ends with an error of its own."""

    class Forgetful:
        """Says yes, and keeps nothing."""

        asked = 0

        async def follow(self, _asked: FollowAsked) -> Followed:
            """The filter of nothing."""
            self.asked += 1
            return Followed(NOTHING, 0)

    async with maker_and_reader(tmp_path) as (maker, reader):
        await reader.sync.following.follow([bytes(16)], ACTOR)
        link = Forgetful()

        with pytest.raises(FilterError, match="does not keep"):
            await reader.sync.following.tell(link, await peer_of(reader, maker), NOTHING)

        assert link.asked == 2
