"""Laws of long passports: adding rows to what is kept gives what folding everything gives, in a real store."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from benchmarks.fold import BEGIN_US, DAY_US, LINE, Author, found_federation, open_core, store
from federation.authority import Authority, Verb
from federation.cut import Cut, CutRow
from federation.fragment import Fragment, Ref, SectionClass
from node.errors import InputError
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    CompositionBody,
    EventBody,
    ExtractBody,
    MandateBody,
    ParameterRow,
    ParametersBody,
    Place,
    Plate,
    Reference,
    ShipmentBody,
    TemplateRef,
    WithdrawalBody,
)
from node.passport.claims import Claim, Scheme, local_claim
from node.passport.drafts import Draft, DraftSection
from node.passport.fold import fold
from node.passport.shown import at, rows
from node.passport.view import EVENTS, STATEMENTS, Plain, View, digest, frozen_view
from node.services.core import Core
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.services.timelines import Asked, Timelines
from node.store import schema
from node.store.fragments import NewEntry, insert_entries, insert_sections
from node.store.passports import find_passport
from tests.laws import cases

NAMES = ("maker", "lab", "utility", "stranger")
PLAIN = ("configured", "marked", "ОСМОТР")
CODES = (*PLAIN, *PLAIN, "installed", "repaired", "verified", "admitted")
LONGEST = 3


class Stage:
    """A node over a store, and those who speak there."""

    def __init__(self, runner: asyncio.Runner, core: Core, projection: Projection, authors: dict[str, Author]) -> None:
        self.runner = runner
        self.core = core
        self.projection = projection
        self.authors = authors
        self.devices = 0

    def next_device(self) -> Claim:
        """A device of which nobody spoke."""
        self.devices += 1
        return Claim(Scheme.LINE, LINE, f"{self.devices:07d}")

    def hear(self, author: Author, entries: list[NewEntry]) -> None:
        """Store new entries of an author and project them."""
        self.runner.run(self._hear(author, entries, is_new=True))

    def open(self, author: Author, entry: NewEntry) -> None:
        """Sections come that were withheld."""
        self.runner.run(self._hear(author, [entry], is_new=False))

    async def _hear(self, author: Author, entries: list[NewEntry], *, is_new: bool) -> None:
        assert author.stored is not None
        async with self.core.database.write() as tx:
            if is_new:
                await insert_entries(tx, author.stored.no, entries)
            await insert_sections(tx, author.stored.no, entries)
            await self.projection.take(tx, [(author.stored, entries)])

    def check(self, subject: bytes) -> bytes:
        """What is stored is what folding everything gives; answer the digest."""
        return self.runner.run(self._check(subject))

    async def _check(self, subject: bytes) -> bytes:
        async with self.core.database.read() as tx:
            stored, light = await find_passport(tx, subject), await find_passport(tx, subject, whole=False)
            assert stored is not None
            assert light is not None
            view = stored.content
            members = [bytes.fromhex(str(one)) for one in view["subjects"]]  # type: ignore[union-attr]  # a list
            said = await (await StatementReader.open(tx)).about(tx, members)
        expected = fold(members, said, self.projection.world)
        assert frozen_view(view) == frozen_view(expected)
        assert stored.digest == digest(expected) == digest(light.content, light.seals)
        return stored.digest

    async def fold_all_again(self, subject: bytes) -> None:
        """Drop what is kept of a device."""
        async with self.core.database.write() as tx:
            reader = await StatementReader.open(tx)
            await self.projection.refold(tx, [subject], reader, self.projection.world)

    async def plain(self) -> int:
        """How many plain rows there are."""
        async with self.core.database.read() as tx:
            return int(await tx.value(select(func.count()).where(schema.moments.c.plain == 1)))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A node that keeps passports of more than three events by rows."""
    folder: Path = tmp_path_factory.mktemp("kept")
    with asyncio.Runner() as runner:
        core = runner.run(open_core(folder / "node"))
        story = found_federation(Random(1), ("anchor", *NAMES))
        runner.run(store(core, story))
        projection = Projection(core, LONGEST)
        runner.run(projection.open())
        yield Stage(runner, core, projection, story.authors)
        runner.run(core.database.close())


def body_of(code: str, external: str | None) -> EventBody:
    what = Reference(local=code) if code.isupper() else Reference(central=code)
    return EventBody(what=what, where=Place(place=Reference(local="цех")), system="1С", external=external)


def event(device: bytes, code: str, external: str | None, at: int) -> Draft:
    return drafts.event(device, body_of(code, external), at)


def protocol(device: bytes, code: str, at: int) -> Draft:
    template = TemplateRef(name="verification", version="1.0.0", publisher="ab" * 16, id="cd" * 16)
    row = ParameterRow(code=Reference(central="verification_valid_until"), value="2032-02-29")
    extract = ExtractBody(parameters=(row,), events=(body_of(code, None), body_of("marked", "1")))
    return drafts.protocol(device, template, b"{}", None, extract, at)


def parameter(device: bytes, value: str, at: int) -> Draft:
    row = ParameterRow(code=Reference(central="dn"), value=value)
    return drafts.parameters(device, ParametersBody(rows=(row,)), at)


def plate_of(random: Random, claim: Claim) -> Plate:
    designation, year = random.choice(["СГВ-15", "CГB 15"]), random.choice([None, "2019"])
    return Plate(designation=designation, serial=claim.serial, year=year)


def anything(random: Random, stage: Stage, claim: Claim, author: Author, said: list[Ref]) -> Draft:
    """Something that an author says; mostly events."""
    device, at = claim.subject.raw, BEGIN_US + random.randrange(7) * DAY_US // 2
    other = random.choice([a for a in stage.authors.values() if a is not author])
    papers = ShipmentBody(number="1", date="2026-03-01")
    naming = Authority(random.choice([Verb.READ, Verb.ROLE]), other.org, (), (device,))
    twin = local_claim(author.log, stage.devices.to_bytes(16))
    rare: list[Callable[[], Draft]] = [
        lambda: event(device, "manufactured", None, at),
        lambda: drafts.alias(device, AliasBody(scheme="inv", value="7", evidence="said"), at),
        lambda: parameter(device, random.choice(["15", "20"]), at),
        lambda: protocol(device, random.choice(["verified", "marked"]), at),
        lambda: replace(drafts.share(device, other.org, (), at), sections=(authority(naming),)),
        lambda: drafts.shipment(author.log, Verb.OFFER, other.org, [device], papers, at),
        lambda: drafts.shipment(author.log, Verb.ACCEPT, author.org, [device], papers, at, random.choice(said)),
        lambda: mandate(random, author, other, device, at, said),
        lambda: drafts.composition(device, bytes(15) + b"w", CompositionBody(since="2026-01-01"), at),
        lambda: drafts.identity(twin.subject.raw, twin.encode(), plate_of(random, claim), at),
        lambda: drafts.identity(device, claim.encode(), plate_of(random, claim), at),
    ]
    if random.randrange(5) == 0:
        return random.choice(rare)()
    return event(device, random.choice(CODES), random.choice([None, None, None, "1", "2"]), at)


def mandate(random: Random, author: Author, other: Author, device: bytes, at: int, said: list[Ref]) -> Draft:
    """A role is given, offered, accepted or ended."""
    verb, act = random.choice([Verb.ROLE, Verb.OFFER, Verb.ACCEPT, Verb.END]), random.choice(said)
    role = "data_source" if verb is Verb.ROLE else "responsible"
    says = Authority(verb, other.org, (role,), (device,))
    if verb is Verb.END:
        cut = Cut((CutRow(other.log, random.randrange(1, 9), bytes(32)),))
        return drafts.ending(author.log, says, cut, MandateBody(reason="расторгнут"), at, act)
    return drafts.mandate(author.log, says, MandateBody(), at, grounds=[act] if verb is Verb.ACCEPT else [])


def authority(naming: Authority) -> DraftSection:
    return DraftSection("authority", naming.to_bytes(), SectionClass.AUTHORITY)


def without(entry: NewEntry, name: str) -> NewEntry:
    """The entry with a section withheld."""
    fragment = entry.fragment
    sections = tuple(section for section in fragment.sections if section.name != name)
    rest = tuple(section for section in entry.stored if section.name != name)
    return replace(entry, fragment=Fragment(fragment.header, fragment.signature, sections), stored=rest)


@cases(20)
@given(st.integers(0, 2**32 - 1), st.integers(3, 14))
def test_rows_added_to_what_is_kept_are_what_folding_everything_gives(stage: Stage, seed: int, steps: int) -> None:
    """After each arrival, late, hidden, opened, named or joined: view, rows and digest are those of a full fold."""
    random, claim, maker = Random(seed), stage.next_device(), stage.authors["maker"]
    device = claim.subject.raw
    said = [maker.say(drafts.identity(device, claim.encode(), plate_of(random, claim), BEGIN_US), BEGIN_US)]
    hidden: list[tuple[Author, NewEntry]] = []
    stage.hear(maker, maker.entries[-1:])
    for _ in range(steps):
        if hidden and random.randrange(2):
            stage.open(*hidden.pop())
        else:
            author, entries = stage.authors[random.choice(NAMES)], list[NewEntry]()
            for _ in range(random.randint(1, 3)):
                draft = anything(random, stage, claim, author, said)
                if said[1:] and random.randrange(6) == 0:
                    # The plate stays: a passport of which nothing stands is no passport.
                    mine = [ref for ref in said[1:] if ref.log == author.log] or said[1:]
                    taken = random.sample(mine, random.randint(1, min(3, len(mine))))
                    draft = drafts.withdrawal([device], taken, WithdrawalBody(reason="ошибка"), BEGIN_US)
                is_named = not draft.refs and random.randrange(5) == 0
                said.append(author.say(draft, draft.occurred, [random.choice(said)] if is_named else []))
                entries.append(author.entries[-1])
                if random.randrange(10) == 0:
                    hidden.append((author, entries[-1]))
                    entries[-1] = without(entries[-1], entries[-1].stored[-1].name)
            stage.hear(author, entries)
        stage.check(device)
    before = stage.check(device)

    stage.runner.run(stage.fold_all_again(device))

    assert stage.check(device) == before


def test_long_passport_of_which_nothing_stands_is_none(stage: Stage) -> None:
    """Rows, terms and card go with the last statement that is taken back, and come back with what is said anew."""
    claim, maker = stage.next_device(), stage.authors["maker"]
    device, plain = claim.subject.raw, stage.runner.run(stage.plain())
    plate = Plate(designation="СГВ-15", serial=claim.serial)

    def say(*made: Draft) -> list[Ref]:
        said = [maker.say(draft, BEGIN_US) for draft in made]
        stage.hear(maker, maker.entries[-len(made) :])
        return said

    stated = drafts.identity(device, claim.encode(), plate, BEGIN_US)
    said = say(stated, *(event(device, "marked", None, BEGIN_US + n) for n in range(5)))
    for taken in (said[1:], said[:1]):
        stage.check(device)
        say(drafts.withdrawal([device], taken, WithdrawalBody(reason="ошибка"), BEGIN_US))
    gone = stage.runner.run(traces_of(stage, device)), stage.runner.run(stage.plain()) - plain

    say(stated)

    assert gone == ({"passports": 0, "terms": 0, "moments": 0, "cards": 0}, 0)
    stage.check(device)
    assert stage.runner.run(traces_of(stage, device))["cards"] == 1


def test_plain_events_are_kept_by_rows(stage: Stage) -> None:
    """An event that can do nothing but add its row is plain; one that another names is plain no more."""
    claim, maker = stage.next_device(), stage.authors["maker"]
    device, before = claim.subject.raw, stage.runner.run(stage.plain())
    plate = Plate(designation="СГВ-15", serial=claim.serial)
    said = [maker.say(drafts.identity(device, claim.encode(), plate, BEGIN_US), BEGIN_US)]
    said += [maker.say(event(device, "marked", None, BEGIN_US + n), BEGIN_US + n) for n in range(5)]
    stage.hear(maker, maker.entries[-6:])
    assert stage.runner.run(stage.plain()) - before == 10

    maker.say(event(device, "marked", "x", BEGIN_US), BEGIN_US)
    stage.hear(maker, maker.entries[-1:])
    assert stage.runner.run(stage.plain()) - before == 12

    maker.say(event(device, "configured", None, BEGIN_US + 9), BEGIN_US + 9, said[2:3])
    stage.hear(maker, maker.entries[-1:])

    assert stage.runner.run(stage.plain()) - before == 10
    stage.check(device)


@pytest.mark.parametrize("is_newest_first", [False, True])
@pytest.mark.parametrize("count", [2, 9])
def test_pages_of_a_passport_are_its_lists(stage: Stage, count: int, is_newest_first: bool) -> None:
    """A whole passport and a long one are read by the same pages, sifted or not; the overview tells what there is."""
    claim, maker, lab = stage.next_device(), stage.authors["maker"], stage.authors["lab"]
    device = claim.subject.raw
    maker.say(drafts.identity(device, claim.encode(), plate_of(Random(1), claim), BEGIN_US), BEGIN_US)
    stage.hear(maker, maker.entries[-1:])
    for n in range(count):
        author = (maker, lab)[n % 2]
        author.say(event(device, ("marked", "ОСМОТР")[n % 3 == 0], None, BEGIN_US + n), BEGIN_US + n)
        stage.hear(author, [author.entries[-1]])
    timelines = Timelines(stage.core, stage.projection)
    whole = stage.runner.run(whole_of(stage, device))

    for name in (EVENTS, STATEMENTS):
        listed = rows(whole, name)[:: -1 if is_newest_first else 1]
        assert stage.runner.run(paged(timelines, device, name, Asked(2, is_newest_first=is_newest_first))) == listed
    asked = Asked(1, None, maker.org.hex(), "marked", is_newest_first)
    wanted = [row for row in rows(whole, EVENTS) if row["by"] == asked.who and at(row, "what", "central") == "marked"]
    found = stage.runner.run(paged(timelines, device, EVENTS, asked))
    overview = stage.runner.run(timelines.overview(device, asked.who, asked.what))

    assert found == wanted[:: -1 if is_newest_first else 1]
    assert (overview.events, overview.asked, overview.statements) == (count, len(wanted), count + 1)
    assert {row["by"] for row in rows(overview.view, EVENTS)} == {row["by"] for row in rows(whole, EVENTS)}
    with pytest.raises(InputError):
        stage.runner.run(timelines.page(device, EVENTS, replace(asked, after="gone")))


async def traces_of(stage: Stage, device: bytes) -> dict[str, int]:
    """How many rows of each projection speak of a device."""
    named = {"passports": schema.passports.c.subject, "terms": schema.terms.c.subject}
    named |= {"moments": schema.moments.c.lead, "cards": schema.cards.c.subject}
    async with stage.core.database.read() as tx:
        return {
            name: int(await tx.value(select(func.count()).select_from(column.table).where(column == device)))
            for name, column in named.items()
        }


async def whole_of(stage: Stage, device: bytes) -> View:
    async with stage.core.database.read() as tx:
        found = await find_passport(tx, device)
    assert found is not None
    return found.content


async def paged(timelines: Timelines, device: bytes, name: str, asked: Asked) -> list[dict[str, Plain]]:
    """A list read to its end."""
    found: list[dict[str, Plain]] = []
    while True:
        page = await timelines.page(device, name, asked)
        assert len(page.rows) <= asked.limit
        found += page.rows
        if page.more is None:
            return found
        asked = replace(asked, after=page.more)
