"""Laws of composition over several passports, in a real store: each tells the same story, whatever came first."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count, pairwise, permutations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from benchmarks.fold import BEGIN_US, LINE, Author, found_federation, open_core, store
from federation.fragment import Ref
from node.passport import drafts
from node.passport.bodies import CompositionBody, Plate, SamenessBody, SubjectBody, WithdrawalBody
from node.passport.claims import Claim, Scheme, local_claim
from node.passport.shown import rows
from node.passport.view import Plain, View
from node.services.core import Core
from node.services.projection import Projection
from node.services.statements import StatementReader
from node.store import schema
from node.store.fragments import NewEntry, insert_entries, insert_sections
from node.store.passports import find_passport
from tests.laws import cases

NAMES = ("maker", "lab", "utility", "stranger")
DAYS = ("2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01")
Said = tuple[Ref, Author, NewEntry]


class Shop:
    """A node over a store, and those who say there what stands in what."""

    def __init__(self, runner: asyncio.Runner, core: Core, projection: Projection, authors: dict[str, Author]) -> None:
        self.runner = runner
        self.core = core
        self.projection = projection
        self.authors = authors
        self.numbers = count()

    def things(self, number: int) -> list[bytes]:
        """Units that somebody stated."""
        claims = [self.claim("lab") for _ in range(number)]
        body = SubjectBody(kind="unit", name="Узел")
        for claim in claims:
            self.hear(self.say("lab", drafts.thing(claim.subject.raw, claim.encode(), body, BEGIN_US)))
        return [claim.subject.raw for claim in claims]

    def claim(self, name: str) -> Claim:
        """A claim of somebody's own log."""
        return local_claim(self.authors[name].log, next(self.numbers).to_bytes(16))

    def say(self, name: str, draft: drafts.Draft, refs: Sequence[Ref] = ()) -> Said:
        """Sign a statement that did not arrive yet."""
        author = self.authors[name]
        ref = author.say(draft, draft.occurred, refs)
        return ref, author, author.entries[-1]

    def edge(self, name: str, part: bytes, whole: bytes, since: str | None = DAYS[0], until: str | None = None) -> Said:
        """The same of a part in a whole."""
        return self.say(name, drafts.composition(part, whole, CompositionBody(since=since, until=until), BEGIN_US))

    def hear(self, *said: Said) -> None:
        """Statements arrive, one after another."""
        for _, author, entry in said:
            self.runner.run(self._hear(author, entry))

    async def _hear(self, author: Author, entry: NewEntry) -> None:
        assert author.stored is not None
        async with self.core.database.write() as tx:
            await insert_entries(tx, author.stored.no, [entry])
            await insert_sections(tx, author.stored.no, [entry])
            await self.projection.take(tx, [(author.stored, [entry])])

    def view(self, subject: bytes) -> View:
        """The passport of a subject."""
        found = self.runner.run(self._find(subject))
        assert found is not None
        return found

    async def _find(self, subject: bytes) -> dict[str, Plain] | None:
        async with self.core.database.read() as tx:
            found = await find_passport(tx, subject)
        return found.content if found else None

    def views(self, subjects: Sequence[bytes]) -> dict[bytes, View]:
        """Those of them that have a passport."""
        return {s: view for s in subjects if (view := self.runner.run(self._find(s))) is not None}

    def fold_anew(self, subjects: Sequence[bytes]) -> None:
        """Drop every projection and fold the subjects one by one in this order."""
        self.runner.run(self._fold_anew(subjects))

    async def _fold_anew(self, subjects: Sequence[bytes]) -> None:
        async with self.core.database.write() as tx:
            for table in schema.PROJECTIONS:
                await tx.run(delete(table))
            reader = await StatementReader.open(tx)
            for subject in subjects:
                await self.projection.refold(tx, [subject], reader, self.projection.world)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A node in a federation."""
    folder: Path = tmp_path_factory.mktemp("shop")
    with asyncio.Runner() as runner:
        core = runner.run(open_core(folder / "node"))
        story = found_federation(Random(1), ("anchor", *NAMES))
        runner.run(store(core, story))
        projection = Projection(core)
        runner.run(projection.open())
        yield Shop(runner, core, projection, story.authors)
        runner.run(core.database.close())


def told(views: dict[bytes, View]) -> None:
    """An edge stands in the passport of its part, and word for word in that of its whole."""
    lead = {str(subject): str(rows_of(view)[0]) for view in views.values() for subject in rows_of(view)}
    for view in views.values():
        mine = str(rows_of(view)[0])
        for edge in rows(view, "composition", "children"):
            if edge["relation"] is not None:
                continue
            assert lead.get(str(edge["whole"]), edge["whole"]) == mine
            part = next(v for v in views.values() if str(edge["part"]) in rows_of(v))
            assert edge in rows(part, "composition", "parents")
    for view in views.values():
        for edge in rows(view, "composition", "parents"):
            whole = next((v for v in views.values() if str(edge["whole"]) in rows_of(v)), None)
            if whole is not None and whole is not view:
                assert edge in rows(whole, "composition", "children")


def rows_of(view: View) -> list[Plain]:
    found = view["subjects"]
    assert isinstance(found, list)
    return found


def contested(view: View) -> list[tuple[object, object]]:
    """Which edges a passport asks about, and why."""
    found = []
    for conflict in rows(view, "conflicts"):
        if conflict["what"] == "composition":
            found += [(conflict["why"], (edge["part"], edge["whole"])) for edge in rows(conflict, "values")]
    return sorted(found, key=str)


@pytest.mark.parametrize("order", [*permutations(range(2))])
def test_part_in_two_wholes_is_contested_in_all_three_passports(shop: Shop, order: Sequence[int]) -> None:
    """Two organisations of equal right put one part into two wholes: neither uses it, each names the other one."""
    part, one, two = shop.things(3)
    said = [shop.edge("utility", part, one), shop.edge("stranger", part, two, DAYS[1])]

    shop.hear(*(said[at] for at in order))

    views = shop.views([part, one, two])
    told(views)
    edges = {whole: ("two-parents", (part.hex(), whole.hex())) for whole in (one, two)}
    assert contested(views[part]) == sorted(edges.values(), key=str)
    for whole, other in ((one, two), (two, one)):
        assert contested(views[whole]) == [edges[whole]]
        (inside,) = rows(views[whole], "composition", "children")
        assert (inside["used"], inside["against"]) == (False, [other.hex()])

    shop.hear(shop.edge("stranger", part, two, DAYS[1], DAYS[1]))

    assert [contested(view) for view in shop.views([part, one, two]).values()] == [[], [], []]
    assert rows(shop.view(one), "composition", "children")[0]["used"]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_cycle_of_three_is_told_by_each_member(shop: Shop, order: Sequence[int]) -> None:
    """A in B, B in C, C in A, each said by another node: every member shows the same cycle, in any order of arrival."""
    a, b, c = things = shop.things(3)
    said = [shop.edge("utility", a, b), shop.edge("maker", b, c), shop.edge("stranger", c, a)]

    shop.hear(*(said[at] for at in order))

    views = shop.views(things)
    told(views)
    ring = {(a.hex(), b.hex()), (b.hex(), c.hex()), (c.hex(), a.hex())}
    for subject, view in views.items():
        mine = sorted(("cycle", pair) for pair in ring if subject.hex() in pair)
        assert contested(view) == mine
        members = {str(one) for edge in rows(view, "composition", "parents") for one in edge["against"]}  # type: ignore[union-attr]  # a list
        assert members == {thing.hex() for thing in things}

    shop.hear(shop.edge("stranger", c, a, DAYS[0], DAYS[0]))

    assert not any(contested(view) for view in shop.views(things).values())


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_cycle_through_lot_and_material_is_told_by_each_member(shop: Shop, order: Sequence[int]) -> None:
    """A came out of B, whose material went into C, which stands in A: nobody's edge of it is used, in any order."""
    a, b, c = things = shop.things(3)
    lot, material = CompositionBody(relation="lot"), CompositionBody(relation="material")
    said = [
        shop.say("utility", drafts.composition(a, b, lot, BEGIN_US)),
        shop.say("maker", drafts.composition(b, c, material, BEGIN_US)),
        shop.edge("stranger", c, a),
    ]

    shop.hear(*(said[at] for at in order))

    views = shop.views(things)
    ring = {(a.hex(), b.hex()), (b.hex(), c.hex()), (c.hex(), a.hex())}
    for subject, view in views.items():
        assert contested(view) == sorted(("cycle", pair) for pair in ring if subject.hex() in pair)
    assert not any(
        edge["used"] for name in ("lots", "used_in", "parents") for edge in rows(views[a], "composition", name)
    )

    shop.hear(shop.edge("stranger", c, a, DAYS[0], DAYS[0]))

    assert not any(contested(view) for view in shop.views(things).values())


def test_part_of_two_lots_has_no_two_parents(shop: Shop) -> None:
    """What came out of two lots and stands in a whole contradicts nothing."""
    part, one, two, whole = things = shop.things(4)
    lots = [drafts.composition(part, lot, CompositionBody(relation="lot"), BEGIN_US) for lot in (one, two)]

    shop.hear(*(shop.say("utility", lot) for lot in lots), shop.edge("maker", part, whole))

    views = shop.views(things)
    assert not any(contested(view) for view in views.values())
    assert all(edge["used"] for name in ("lots", "parents") for edge in rows(views[part], "composition", name))


def test_edges_that_never_hold_together_are_no_cycle(shop: Shop) -> None:
    """Three edges of which each two overlap, and all three never."""
    a, b, c = things = shop.things(3)

    shop.hear(
        shop.edge("utility", a, b, DAYS[0], DAYS[2]),
        shop.edge("maker", b, c, DAYS[1], DAYS[3]),
        shop.edge("stranger", c, a, DAYS[2]),
    )

    assert not any(contested(view) for view in shop.views(things).values())


def test_long_chain_closes_into_a_cycle_at_its_far_end(shop: Shop) -> None:
    """Twenty wholes one in another, then the outermost in the innermost: all twenty tell of it."""
    chain = shop.things(20)
    shop.hear(*(shop.edge("utility", part, whole) for part, whole in pairwise(chain)))

    shop.hear(shop.edge("stranger", chain[-1], chain[0]))

    views = shop.views(chain)
    told(views)
    assert [len(contested(view)) for view in views.values()] == [2] * 20


def device(shop: Shop) -> tuple[bytes, Said]:
    """A meter of the maker's own line, stated by him."""
    claim = Claim(Scheme.LINE, LINE, f"{next(shop.numbers):07d}")
    plate = Plate(designation="СГВ-15", serial=claim.serial)
    return claim.subject.raw, shop.say("maker", drafts.identity(claim.subject.raw, claim.encode(), plate, BEGIN_US))


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_stranger_only_claims_beside_who_may_speak(shop: Shop, order: Sequence[int]) -> None:
    """Of a part without a passport, who made the whole outranks a stranger; his word is a claim in each passport."""
    meter, stated = device(shop)
    part, other = shop.things(2)
    said = [stated, shop.edge("maker", part, meter), shop.edge("stranger", part, other)]

    shop.hear(*(said[at] for at in order))

    views = shop.views([meter, part, other])
    told(views)
    assert rows(views[meter], "composition", "children")[0]["used"]
    assert rows(views[other], "composition", "children")[0]["standing"] == "claim"
    assert not any(contested(view) for view in views.values())


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 3, 0, 1), (1, 2, 3, 0), (2, 1, 0, 3), (3, 0, 2, 1)])
def test_wholes_that_are_one_are_one_parent(shop: Shop, order: Sequence[int]) -> None:
    """A part said to be in two wholes that are the same has one parent; where the word is taken back it has two."""
    claims = [shop.claim("utility") for _ in range(2)]
    one, two = (claim.subject.raw for claim in claims)
    (part,) = shop.things(1)
    plates = [
        shop.say("utility", drafts.identity(c.subject.raw, c.encode(), Plate(designation="У", serial="1"), BEGIN_US))
        for c in claims
    ]
    same = shop.say("utility", drafts.sameness(min(one, two), max(one, two), SamenessBody(says="same"), BEGIN_US))
    said = [plates[0], same, shop.edge("maker", part, one), shop.edge("stranger", part, two, DAYS[1])]
    shop.hear(plates[1])

    shop.hear(*(said[at] for at in order))

    views = shop.views([part, min(one, two)])
    told(views)
    assert not any(contested(view) for view in views.values())
    assert {edge["whole"] for edge in rows(views[part], "composition", "parents")} == {min(one, two).hex()}

    body = SamenessBody(says="withdrawn")
    shop.hear(shop.say("utility", drafts.sameness(min(one, two), max(one, two), body, BEGIN_US), [same[0]]))

    views = shop.views([part, one, two])
    told(views)
    assert [len(contested(view)) for view in views.values()] == [2, 1, 1]


@pytest.mark.parametrize("order", [*permutations(range(2))])
def test_whole_that_was_taken_back_lets_strangers_speak_of_its_parts_as_before(
    shop: Shop, order: Sequence[int]
) -> None:
    """Who made a whole outranks a stranger by its passport: with that gone they are of equal right, in any order."""
    meter, stated = device(shop)
    part, other = shop.things(2)
    said = [stated, shop.edge("maker", part, meter), shop.edge("stranger", part, other)]
    shop.hear(*said[1:])
    before = shop.views([part, other])
    gone = shop.say("maker", drafts.withdrawal([meter], [stated[0]], WithdrawalBody(reason="ошибка"), BEGIN_US))
    late = [stated, gone]

    shop.hear(*(late[at] for at in order))

    views = shop.views([meter, part, other])
    told(views)
    assert len(contested(before[part])) == 2
    assert views == before


@cases(15)
@given(st.integers(0, 2**32 - 1))
def test_story_is_the_same_in_each_passport_and_in_each_order(shop: Shop, seed: int) -> None:
    """After every arrival each edge is told alike at both ends; folding anew in any order gives the same."""
    random = Random(seed)
    meter, stated = device(shop)
    things = [meter, *shop.things(4)]
    said = [stated]
    for _ in range(random.randint(2, 9)):
        part, whole = random.sample(things, 2)
        since, until = sorted(random.sample(DAYS, 2))
        draft = drafts.composition(
            part,
            whole,
            CompositionBody(
                relation=random.choice([None, None, None, "lot", "material"]),
                since=random.choice([since, None]),
                until=random.choice([until, None, None]),
            ),
            BEGIN_US,
        )
        said.append(shop.say(random.choice(NAMES), draft, [random.choice(said)[0]] if random.randrange(4) == 0 else []))
    for ref, author, entry in random.sample(said, random.randrange(3)):
        assert entry.header is not None
        taken = drafts.withdrawal(entry.header.subjects, [ref], WithdrawalBody(reason="ошибка"), BEGIN_US)
        said.append(shop.say(next(name for name, one in shop.authors.items() if one is author), taken))
    random.shuffle(said)

    for one in said:
        shop.hear(one)
        told(shop.views(things))
    arrived = shop.views(things)
    random.shuffle(things)
    shop.fold_anew(things)

    assert shop.views(things) == {subject: arrived[subject] for subject in things if subject in arrived}
