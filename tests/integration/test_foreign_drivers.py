"""Drivers that others publish, beside those of this machine: what they cannot take, and what they cannot stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.opening import no_scripts
from drivers.package import Package
from drivers.registry import load_registry
from node.errors import InputError
from node.passport import drafts
from node.services.driver_book import DriverBook
from node.services.driver_folder import with_folder
from node.services.drivers import Drivers
from tests.fakes import FakeClock
from tests.links import wired
from tests.published import package
from tests.unit.node_protocols.builders import DESIGNATION, Desk, mirror, new_desk

ACTOR = "local"


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

    async def start_anew(self) -> None:
        """The utility's node starts again, with the drivers of its folder."""
        registry = with_folder(load_registry(), self.folder, no_scripts)
        self.drivers = Drivers(registry, self.utility.core.database)
        self.book = DriverBook(
            self.utility.core, self.utility.ledger, self.utility.projection, self.drivers, no_scripts
        )
        await self.book.settle()

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

    with pytest.raises(InputError, match="another publisher"):
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
