"""Finding a device anywhere: shipped nodes in virtual time, who announce, refer, and answer by rights."""

from dataclasses import dataclass

import pytest

from federation.authority import Kind
from federation.directory import join_marks, mark_of
from federation.errors import RequestError
from federation.net.client import PeerClient
from federation.sync.announcing import Announced
from node.errors import InputError
from node.passport import drafts
from node.passport.bodies import Plate, SamenessBody
from node.passport.identifiers import NUMBER, Identifier
from node.passport.ids import SubjectId, format_device_id
from node.passport.standing import Standing
from node.services.lookup import LookedUp
from node.store.directory import bucket_digests
from node.store.fragments import entries_said_of
from node.store.journal import read_journal
from node.store.peers import find_peer
from tests.builders import id16
from tests.simulation.lookup import DOWN, NODES, play
from tests.simulation.machine import Machine
from tests.simulation.scripts import level
from tests.simulation.world import ACTOR, World, run

WITHIN_S = 3600.0
SERIAL = "00012345"
ANNOUNCED, REFUSED = "passport_directory_announced_total", "passport_federation_refused_total"


@dataclass
class Town:
    """A maker, who is the anchor, and utilities that are members."""

    world: World
    maker: Machine
    others: list[Machine]

    async def device(self, machine: Machine, serial: str = SERIAL) -> bytes:
        """State a plate."""
        plate = Plate(mark="ДЕМО", designation="ВС-15Д", serial=serial, year="2025")
        return await machine.do(machine.node.registry.register_plate(plate, None, ACTOR))

    async def told(self) -> None:
        """Let everybody tell the directory's holders."""
        for machine in (self.maker, *self.others):
            assert await machine.node.announcing.tell()

    async def shared(self, subject: bytes, *readers: Machine) -> None:
        """Let the maker open a device to others, and wait until all hold the same."""
        for reader in readers:
            await self.maker.do(self.maker.node.registry.share([subject], reader.org, ACTOR))
        await self.level()

    async def level(self) -> None:
        """Wait until all hold the same."""
        await self.world.until(lambda: level([self.maker, *self.others]), "all hold the same", WITHIN_S)

    async def client(self, asker: Machine, asked: Machine) -> PeerClient:
        """What asks one node by another."""
        async with asker.node.core.database.read() as tx:
            peer = await find_peer(tx, asked.node.core.node)
        assert peer is not None
        return asker.node.sync.client(peer.address)


async def town(world: World, count: int = 3) -> Town:
    """Members that know each other."""
    maker = await world.add("maker", "maker")
    others = [await world.add(f"utility{n}") for n in range(count)]
    await world.federate(maker, *others)
    await world.until(lambda: level([maker, *others]), "all know each other", WITHIN_S)
    await world.attest_numbers(maker, [maker, *others])
    await world.until(lambda: level([maker, *others]), "all are members", WITHIN_S)
    return Town(world, maker, others)


async def look(machine: Machine, text: str) -> LookedUp:
    """Look up at one machine, whatever it was told a moment ago."""

    async def asked() -> LookedUp:
        return await (await machine.node.lookup.begin(text, anew=True)).ended()

    return await machine.do(asked())


async def journaled(machine: Machine, what: str) -> list[dict[str, object]]:
    """The details of a kind of row."""
    await machine.node.lookup_notes.flush()
    async with machine.node.core.database.read() as tx:
        return [row.detail for row in await read_journal(tx, limit=1000) if row.what == what]


def identifier(subject: bytes) -> str:
    """A device id."""
    return format_device_id(SubjectId(subject))


def test_device_of_another_member_is_found_in_two_round_trips() -> None:
    """Who may read it is shown it, proved by its author's signature; who may not learns who holds it. A copy answers
    with its age while the author is away, joined ids are one passport, and an id with a slip asks nobody.
    """

    async def script(world: World) -> None:
        here = await town(world)
        utility, stranger, keeper = here.others
        await utility.do(utility.node.following.choose(here.maker.node.core.node, ACTOR, only_followed=True))
        await utility.do(utility.node.following.choose(keeper.node.core.node, ACTOR, only_followed=True))
        subject = await here.device(here.maker)
        await here.shared(subject, utility, keeper)
        await here.told()

        for text in (identifier(subject), SERIAL, f"ВС-15Д № {SERIAL}"):
            seen = await look(utility, text)
            assert [(one.subject, one.title, one.is_proved) for one in seen.found] == [
                (subject, f"ВС-15Д № {SERIAL}", True)
            ]
            found = seen.found[0]
            assert {found.source, *(other.org for other in found.others)} == {here.maker.org, keeper.org}
            assert seen.elsewhere.rounds <= 2

            held = await look(stranger, text)
            assert held.found == ()
            assert {reply.org for reply in held.elsewhere.keepers} == {here.maker.org, keeper.org}

        await here.maker.stop()
        (copy,) = (await look(utility, identifier(subject))).found
        assert (copy.source, copy.others) == (keeper.org, ())
        assert copy.age_us > 0
        assert {reply.org for reply in (await look(utility, SERIAL)).elsewhere.silent} == {here.maker.org}
        await here.maker.start()

        other = await here.device(here.maker, "00099999")
        said = drafts.sameness(subject, other, SamenessBody(says="same"), here.maker.node.core.clock.now())
        await here.maker.do(here.maker.node.ledger.append([said]))
        await here.shared(other, utility)
        await here.told()
        ids = {(await look(utility, text)).found[0].subject for text in (SERIAL, "00099999", identifier(other))}
        assert len(ids) == 1

        before = len(await journaled(utility, "looked_up"))
        with pytest.raises(InputError, match="mistyped"):
            await look(utility, identifier(subject)[:-1] + "0")
        assert len(await journaled(utility, "looked_up")) == before > 0
        rows = await journaled(here.maker, "looked_up_here")
        assert {"scheme": "number", "value": SERIAL, "node": stranger.node.core.node.hex()} in rows
        nothing = await look(stranger, "77777777")
        assert nothing.found == () == nothing.elsewhere.keepers

    run(1, script)


def test_changes_alone_travel_and_lists_are_mended() -> None:
    """What is new is told by its marks; a holder that lost a part, or has too much, gets the buckets that differ; who
    announces no more takes everything back, and is found by asking.
    """

    async def script(world: World) -> None:
        here = await town(world, 1)
        maker, (utility,) = here.maker, here.others
        for n in range(30):
            await here.device(maker, f"{n:08d}")
        await here.told()
        digests = await maker.node.announcing.holdings.digests()

        async def kept() -> dict[int, bytes]:
            async with utility.node.core.database.read() as tx:
                return await bucket_digests(tx, maker.node.core.node)

        def asked() -> float:
            return float(maker.node.metrics.registry.get_sample_value(ANNOUNCED, {"what": "questions"}) or 0)

        assert await kept() == digests
        before = asked()
        await here.told()
        assert asked() == before > 0

        subject = await here.device(maker, "00000031")
        await here.told()
        assert asked() == before + 1
        assert await kept() == await maker.node.announcing.holdings.digests() != digests

        client = await here.client(maker, utility)
        assert await client.announce(Announced(added=join_marks([bytes(8)])).to_bytes()) is None
        await maker.kill()
        await maker.start()
        await here.level()
        await here.told()
        assert await kept() == await maker.node.announcing.holdings.digests()

        await maker.stop()
        config = maker.folder.config
        config.write_text(config.read_text(encoding="utf-8") + "announces = false\n", encoding="utf-8")
        await maker.start()
        await here.told()
        assert await kept() == {}
        held = await look(utility, identifier(subject))
        assert [reply.org for reply in held.elsewhere.keepers] == [maker.org]

    run(2, script)


def test_poisoned_announcement_shows_nothing_and_is_counted() -> None:
    """Who announces what he does not hold costs a question each time, a few times; then he is asked last. A plate that
    he hangs on a foreign id is no proof: its claim does not vouch for it. Expelled, he is neither asked nor answered.
    """

    async def script(world: World) -> None:
        here = await town(world, 2)
        poisoner, reader = here.others
        texts = [f"{n:08d}" for n in range(500, 506)]
        marks = [mark_of(key) for text in texts if (key := Identifier(NUMBER, text).key)]
        for holder in (here.maker, reader):
            client = await here.client(poisoner, holder)
            assert await client.announce(Announced(added=join_marks(marks)).to_bytes()) is None

        for text in texts:
            assert (await look(reader, text)).found == ()

        for machine in (here.maker, poisoner):
            await reader.do(reader.node.following.choose(machine.node.core.node, ACTOR, only_followed=True))
        await here.level()
        subject = await here.device(here.maker)
        async with here.maker.node.core.database.read() as tx:
            (stated,) = await entries_said_of(tx, [Kind.IDENTITY], [subject])
        claim = next(section.data for section in stated.to_fragment().sections if section.name == "claim")
        false = Plate(mark="ДЕМО", designation="ЧУЖОЙ", serial="00066666", year="2025")
        now = poisoner.node.core.clock.now()
        await poisoner.do(poisoner.node.ledger.append([drafts.identity(subject, claim, false, now)]))
        await poisoner.do(poisoner.node.registry.share([subject], reader.org, ACTOR))
        await here.level()
        await here.told()
        for text in ("00066666", identifier(subject)):
            assert not any(one.is_proved or one.title for one in (await look(reader, text)).found), text
        await here.shared(subject, reader)
        (seen,) = (await look(reader, identifier(subject))).found
        assert (seen.title, seen.is_proved) == (f"ВС-15Д № {SERIAL}", True)

        rows = {one.node: one for one in await reader.node.referring.announcers()}
        assert rows[poisoner.node.core.node].bad >= 3
        assert not any(one.bad for node, one in rows.items() if node != poisoner.node.core.node)

        attesting = here.maker.node.membership.attesting
        await here.maker.do(attesting.expel(poisoner.org, "лжёт", ACTOR))

        async def is_told() -> bool | None:
            standings = reader.node.projection.world.standings
            return standings.of(poisoner.org).standing is Standing.EXPELLED or None

        await world.until(is_told, "the reader knows it", WITHIN_S)
        after = await look(reader, "00066666")
        assert (after.found, [one for one in after.elsewhere.replies if one.org == poisoner.org]) == ((), [])
        client = await here.client(poisoner, reader)
        for question in (client.refer([subject]), client.lookup(NUMBER, SERIAL)):
            with pytest.raises(RequestError, match=r"expelled|ended"):
                await question

    run(3, script)


def test_storms_and_strangers_learn_nothing() -> None:
    """New devices are counted by organisation and day, over restarts too, repeated ones are free; who asks too fast is
    put off before the store is touched. A guest is answered by rights alone, whatever he asks, and no guest is told who
    holds what.
    """

    async def script(world: World) -> None:
        maker = await world.add(
            "maker", "maker", more="lookups_day = 40\n[federation.limits]\nlookups_s = 0.5\nlookups_burst = 120\n"
        )
        member, guest = await world.add("member"), await world.add("guest")
        await world.federate(maker, member, guest)
        here = Town(world, maker, [member, guest])
        await here.level()
        await world.attest_numbers(maker, [maker, member])
        await here.level()
        subject = await here.device(maker)

        client = await here.client(member, maker)
        for n in range(40):
            assert await client.lookup(NUMBER, f"{n:08d}") is not None
        with pytest.raises(RequestError, match="more than 40 new devices"):
            await client.lookup(NUMBER, SERIAL)
        with pytest.raises(RequestError, match="more than 40 new devices"):
            await client.refer([subject])
        assert (await client.lookup(NUMBER, "00000007")).known == ()
        for _ in range(120):
            await client.lookup(NUMBER, "00000007")
        assert maker.node.metrics.registry.get_sample_value(REFUSED, {"what": "busy"})

        stranger = await here.client(guest, maker)
        answers = [await stranger.lookup(NUMBER, text) for text in (SERIAL, "88888888")]
        assert answers[0] == answers[1]
        assert (await stranger.lookup("id", subject.hex())) == (await stranger.lookup("id", id16("none").hex()))
        refusals = set()
        for key in (subject, id16("none")):
            with pytest.raises(RequestError) as refused:
                await stranger.refer([key])
            refusals.add(str(refused.value))
        assert len(refusals) == 1
        assert len(await journaled(maker, "looked_up_here")) == 40
        await maker.stop()
        await maker.start()
        await here.level()
        with pytest.raises(RequestError, match="more than 40 new devices"):
            await client.lookup(NUMBER, SERIAL)

    run(4, script)


def test_almost_every_device_is_found_with_a_tenth_of_fifty_nodes_down() -> None:
    """Of devices with a data holder up all but one in a thousand are found, at p99 in two round trips."""
    report = play(devices=5_000, lookups=500)

    print(report.text())
    assert (NODES, DOWN) == (50, 0.1)
    assert report.found >= 0.999 * report.lookups
    assert report.rounds_p99 <= 2
    assert 0 < report.bytes_a_lookup < 4_000
    assert 0 < report.daily < report.first_list
