"""Drivers that others publish, beside those of this machine: what they cannot take, and what they cannot stop."""

import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from drivers.descriptor import Level
from drivers.driver import Driver
from drivers.errors import DriverChoiceError
from drivers.opening import Scripts, no_scripts
from drivers.package import Package, read_folder
from drivers.payload.driver import payload_driver
from drivers.registry import DeviceTraits, load_registry
from federation.genesis import Genesis
from node.demo.files import PRODUCTS, make_line
from node.errors import InputError
from node.passport import drafts
from node.passport.driver_rules import MOST_DRIVERS, MOST_TRIED
from node.services.driver_book import DriverBook
from node.services.driver_folder import with_folder
from node.services.drivers import Drivers
from node.store import schema
from node.store.genesis import FEDERATION
from node.store.settings import find_setting
from tests.builders import id16
from tests.fakes import FakeClock
from tests.links import wired
from tests.published import DOCUMENT, folder, package
from tests.unit.node_protocols.builders import DESIGNATION, NOW, Desk, attest, mirror, new_desk

ACTOR = "local"
OTHERS, OTHER_LINE = "ПУ-9", id16("foreign/line").hex()
MANY = 500


@dataclass
class Trade:
    """A maker that owns its line, a stranger that owns nothing, and a utility that runs drivers."""

    maker: Desk
    stranger: Desk
    utility: Desk
    folder: Path
    drivers: Drivers
    book: DriverBook

    async def say(self, author: Desk, made: Package, after_s: float = 0) -> bytes:
        """One publishes a package so much later than it would, and the utility hears it; answer the driver's hash."""
        assert isinstance(author.core.clock, FakeClock)
        author.core.clock.move(after_s)
        await author.ledger.append([drafts.driver(author.org, made.encode(), author.core.clock.now())])
        await mirror(author, self.utility)
        await self.book.settle()
        return made.hash

    async def start_anew(self, scripts: Scripts = no_scripts) -> None:
        """The utility's node starts again, with the drivers of its folder."""
        registry = with_folder(load_registry(), self.folder, scripts)
        self.drivers = Drivers(registry, self.utility.core.database)
        self.book = DriverBook(self.utility.core, self.utility.ledger, self.utility.projection, self.drivers, scripts)
        await self.book.settle()

    async def say_all(self, author: Desk, made: Sequence[Package]) -> None:
        """One publishes many packages, and the utility hears them at once."""
        now = author.core.clock.now()
        await author.ledger.append([drafts.driver(author.org, one.encode(), now) for one in made])
        await mirror(author, self.utility)

    async def own(self, author: Desk, designation: str) -> None:
        """One becomes an attested maker with a line."""
        async with self.maker.core.database.read() as tx:
            raw = await find_setting(tx, FEDERATION)
        assert raw is not None
        await attest(self.maker, author.org, genesis=Genesis.from_bytes(raw))
        line = make_line(
            replace(PRODUCTS[0], designation=designation, approval="999903-00"), OTHER_LINE, author.org.hex()
        )
        await author.ledger.append([drafts.catalog(author.org, "line", line.to_bytes(), NOW)])
        await mirror(self.maker, self.utility)
        await mirror(author, self.utility)

    async def states(self) -> list[tuple[str, str, str, str]]:
        """Publisher, id, version and state of each published version."""
        names = {self.maker.org: "maker", self.stranger.org: "stranger"}
        found = [one.stored for one in await self.book.versions()]
        return sorted((names[one.org or b""], one.driver, one.version, one.state) for one in found)


@pytest.fixture
async def trade(tmp_path: Path) -> AsyncIterator[Trade]:
    """The three, of which the utility knows the maker as one."""
    async with trading(tmp_path) as made:
        yield made


@asynccontextmanager
async def trading(folder: Path) -> AsyncIterator[Trade]:
    """The three of one federation."""
    async with (
        new_desk(folder / "maker", "maker", 1) as maker,
        wired(folder, "stranger", 2, maker) as stranger,
        wired(folder, "utility", 3, maker) as member,
    ):
        utility = member.desk
        await mirror(maker, utility)
        drivers = Drivers(load_registry(), utility.core.database)
        book = DriverBook(utility.core, utility.ledger, utility.projection, drivers, no_scripts)
        here = folder / "drivers"
        here.mkdir()
        yield Trade(maker, stranger.desk, utility, here, drivers, book)


def of_line(author: Desk, **changes: object) -> Package:
    """A driver for the maker's line."""
    return package(author.org.hex(), **{"types": (), "models": (DESIGNATION,), **changes})


@pytest.mark.parametrize("is_first", [True, False])
async def test_package_that_a_stranger_publishes_again_stays_its_publishers(trade: Trade, is_first: bool) -> None:
    """Whose statement is the older or came first does not count: the driver runs, and goes on, as its publisher's."""
    theirs = of_line(trade.maker)
    if is_first:
        await trade.say(trade.stranger, theirs)
        await trade.say(trade.maker, theirs, after_s=100)
    else:
        await trade.say(trade.maker, theirs, after_s=100)
        await trade.say(trade.stranger, theirs)

    assert await trade.states() == [("maker", "water-7", "1.0", "active")]
    await trade.say(trade.maker, of_line(trade.maker, version="1.1"))
    assert await trade.states() == [("maker", "water-7", "1.0", "replaced"), ("maker", "water-7", "1.1", "active")]


async def test_driver_that_is_started_does_not_take_the_id_of_another(trade: Trade) -> None:
    """What was refused because its publisher owns nothing may be started, but not in the name of an installed one."""
    installed = next(one for one in load_registry().installed if one.driver.descriptor.id == "betar-vega")
    version = installed.driver.descriptor.version
    mine = await trade.say(trade.stranger, of_line(trade.stranger, name="betar-vega", version=version))
    other = await trade.say(trade.stranger, of_line(trade.stranger, name="water-9"))

    with pytest.raises(InputError, match="installed on this machine"):
        await trade.book.start(mine, ACTOR)
    await trade.book.start(other, ACTOR)

    assert trade.drivers.registry.find("betar-vega") == installed
    assert trade.drivers.registry.find("water-9") is not None


@pytest.mark.parametrize("is_same", [True, False])
async def test_driver_of_the_folder_goes_before_a_published_one_of_its_id(trade: Trade, is_same: bool) -> None:
    """The node starts with both; the same package runs once, of another content that of this machine."""
    published = await trade.say(trade.maker, of_line(trade.maker))
    ours = of_line(trade.maker) if is_same else of_line(trade.maker, key="water-7")
    (trade.folder / "water-7.json").write_bytes(ours.encode())

    for _ in range(2):
        await trade.start_anew()
        running = trade.drivers.registry.find("water-7")
        assert running is not None
        assert running.hash == ours.hash
    (held,) = [one for one in await trade.book.versions() if one.stored.hash == published]
    assert held.stored.state == ("active" if is_same else "refused")

    (trade.folder / "water-7.json").unlink()
    await trade.start_anew()
    running = trade.drivers.registry.find("water-7")
    assert running is not None
    assert running.hash == published


async def test_stranger_that_owns_nothing_takes_no_name(trade: Trade) -> None:
    """A driver that is for its own name alone runs of a publisher who owns something, or is trusted."""
    squatter = await trade.say(trade.stranger, package(trade.stranger.org.hex(), types=(), key="water-7"))
    theirs = await trade.say(trade.maker, package(trade.maker.org.hex(), types=(), key="water-7"), after_s=9)

    found = {one.stored.hash: one.stored.state for one in await trade.book.versions()}
    assert (found[squatter], found[theirs]) == ("refused", "active")


def named(model: str) -> DeviceTraits:
    """A device whose passport calls `water-7`."""
    return DeviceTraits(model=model, keys={"payload": "water-7"})


@pytest.mark.parametrize("backdated", [False, True])
async def test_owner_of_one_type_takes_no_name_of_another(trade: Trade, backdated: bool) -> None:
    """He may publish under the id of another, and say that he had it first: passports of the other's meters that name
    it get the other's driver, on a node that heard him later and on one that hears both at once.
    """
    await trade.own(trade.stranger, OTHERS)
    theirs = of_line(trade.maker, key="water-7")
    mine = package(trade.stranger.org.hex(), types=(), key="water-7")
    await trade.say(trade.maker, theirs, after_s=100 if backdated else 0)
    await trade.say(trade.stranger, mine, after_s=0 if backdated else 100)

    for _ in range(2):
        registry = trade.drivers.registry
        assert {state for _, _, _, state in await trade.states()} == {"active"}
        assert registry.choose(named(DESIGNATION)).hash == theirs.hash
        assert registry.choose(named(OTHERS)).hash == mine.hash
        assert registry.for_type("t:of-nobody", "СГВ-15", "water-7") == ()
        async with trade.utility.core.database.write() as tx:
            await tx.run(delete(schema.driver_versions))  # as a node that hears all of it at once
        await trade.start_anew()


async def test_namesakes_of_trusted_publishers_wait_for_the_administrator(trade: Trade) -> None:
    """Both run and the list tells of whom; by the name alone neither is used, until one is stopped as a whole."""
    first = await trade.say(trade.maker, package(trade.maker.org.hex(), types=("t:any",), key="water-7"))
    second = await trade.say(trade.stranger, package(trade.stranger.org.hex(), types=("t:any",), key="water-7"))
    for desk in (trade.maker, trade.stranger):
        await trade.book.trust(desk.org, ACTOR)
    versions = {one.stored.hash: one for one in await trade.book.versions()}
    assert versions[first].namesakes == (trade.stranger.org,)
    assert versions[second].namesakes == (trade.maker.org,)
    with pytest.raises(DriverChoiceError, match=f"of {trade.maker.org.hex()}"):
        trade.drivers.registry.choose(named("СГВ-15"))
    with pytest.raises(InputError, match="name one"):
        await trade.drivers.decode("water-7", 2, bytes(7))

    await trade.book.stop(second, ACTOR)

    assert trade.drivers.registry.choose(named("СГВ-15")).hash == first
    assert (await trade.drivers.decode("water-7", 2, bytes(7))).readings


def scripts_of(count: int, desk: Desk, says: str = "", **changes: object) -> list[Package]:
    """Packages of a script, each of another id, or of another version where that is asked for."""
    made = []
    for n in range(count):
        told = {"version": f"1.{n}"} if changes.get("name") else {"name": f"water-{n}", "version": "1.0"}
        files = folder(desk.org.hex(), types=(), models=(OTHERS,), **{**changes, **told})  # type: ignore[arg-type]  # as `folder`
        text = files["driver.toml"].replace(b"level = 0", b"level = 2").replace(b"leak=0", f"leak=0{says}".encode())
        made.append(read_folder({"driver.toml": text, "code.js": DOCUMENT + b"#" * 20_000}))
    return made


class Opened:
    """Counts the scripts that are made ready to run."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, package: Package) -> Driver:
        """Read it as the document that it holds."""
        self.count += 1
        text = package.descriptor
        return replace(payload_driver(replace(text, level=Level.PAYLOAD), DOCUMENT), descriptor=text)


@pytest.mark.parametrize(
    ("changes", "says", "running", "most"),
    [
        ({}, "", MOST_DRIVERS, MOST_DRIVERS),
        ({"name": "water-7"}, "", 1, 1),
        ({"name": "water-7"}, " more=1", 0, MOST_TRIED),
    ],
    ids=["ids", "versions", "versions-that-fail"],
)
async def test_much_that_one_member_publishes_costs_him_alone(
    trade: Trade, changes: dict[str, object], says: str, running: int, most: int
) -> None:
    """Of hundreds of packages so many are tried and run as a publisher may have, at each start too; what is kept in
    memory does not grow with the rest, and the driver of another runs.
    """
    await trade.own(trade.stranger, OTHERS)
    theirs = await trade.say(trade.maker, of_line(trade.maker))
    await trade.say_all(trade.stranger, scripts_of(MANY, trade.stranger, says, **changes))

    for _ in range(2):
        opened = Opened()
        tracemalloc.start()
        await trade.start_anew(opened)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        states = await trade.states()
        assert trade.drivers.registry.find_by_hash(theirs) is not None
        assert [who for who, _, _, state in states if state == "active"].count("stranger") == running
        assert len(states) == MANY + 1
        assert opened.count <= most
        assert peak < 10 << 20, f"{kept} and {peak} bytes"  # all packages have as many
    refused = [one.refusal for one in await trade.book.versions() if one.stored.state == "refused"]
    assert all(refusal is not None and refusal.text("ru") for refusal in refused)
