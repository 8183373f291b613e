"""A publication over a registry that is too large to wait: passports are folded behind it, some at a time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete

from federation.authority import Authority, Verb
from node.passport import drafts
from node.passport.bodies import (
    AliasBody,
    CatalogReference,
    MandateBody,
    Plate,
    Reference,
    SamenessBody,
    ShipmentBody,
    TypeBody,
)
from node.passport.catalogs import Catalog, load_types
from node.passport.claims import local_claim
from node.passport.fold import fold
from node.passport.roles import outside_party
from node.passport.shown import rows
from node.passport.view import digest
from node.passport.world import World
from node.services.backlog import KIND as FOLD
from node.services.backlog import Backlog
from node.services.ledger import entry_ref
from node.services.making import Made, Maker, Spoken
from node.services.refolding import KIND, PAGE, Refolding, Round
from node.services.statements import StatementReader
from node.services.timelines import Timelines
from node.store import schema
from node.store.cuts import read_cut
from node.store.errors import StoreError
from node.store.jobs import OPEN, Job, list_jobs
from node.store.passports import list_subjects, read_digests, read_leads
from node.store.rights import rights_to
from tests.unit.node_protocols.builders import NOW, Desk, ended, found, opened

COUNT = 2 * PAGE + 50
FEW = 10
BUYER = "inn:7707083893"
READER = b"r" * 16
LOCAL, CENTRAL = "СЧ-15", [*load_types()][:2]
pytestmark = pytest.mark.slow


@asynccontextmanager
async def desk_of(folder: Path) -> AsyncIterator[tuple[Desk, Refolding]]:
    """New objects over the node of a folder, which leaves more than a few passports for later."""
    async with opened(folder, 7) as desk:
        Backlog(desk.core, desk.projection, desk.jobs, at_once=FEW)
        yield desk, Refolding(desk.core, desk.projection, desk.jobs, at_once=FEW)


async def register(desk: Desk, count: int) -> None:
    """Meters of a type that is bound to no central one yet."""
    said, kind = [], TypeBody(type=Reference(local=LOCAL), model=LOCAL)
    for number in range(1, count + 1):
        plate = Plate(designation=LOCAL, serial=f"{number:08}", year="2026", read="typed")
        claim = local_claim(desk.ledger.log.log, number.to_bytes(16))
        said.append(drafts.identity(claim.subject.raw, claim.encode(), plate, NOW, kind))
    await desk.ledger.append(said)


async def bind(desk: Desk, central: str) -> None:
    """Publish what the type of the plates is centrally: every passport shows it."""
    body = CatalogReference(catalog=Catalog.TYPES, local=LOCAL, central=central)
    await desk.ledger.append([drafts.reference(desk.core.org, body, NOW)])


async def ship(desk: Desk, devices: Sequence[bytes]) -> None:
    """Offer devices to a buyer without a node."""
    papers = ShipmentBody(number="ТТН-1", date="2026-09-21", part=1, parts=1)
    subject = local_claim(desk.ledger.log.log, b"s" * 16).subject.raw
    offer = drafts.shipment(subject, Verb.OFFER, outside_party(BUYER), devices, papers, NOW, number=BUYER)
    await desk.ledger.append([offer])


async def jobs_of(desk: Desk, kind: str = KIND) -> list[Job]:
    async with desk.core.database.read() as tx:
        return [job for job in await list_jobs(tx) if job.kind == kind]


async def stale(desk: Desk) -> set[bytes]:
    """The passports whose stored digest is another than that of folding all that was said of them now."""
    async with desk.core.database.read() as tx:
        reader = await StatementReader.open(tx)
        subjects = await list_subjects(tx, limit=10 * COUNT)
        leads = await read_leads(tx, subjects)
        members: dict[bytes, set[bytes]] = {}
        for subject, lead in leads.items():
            members.setdefault(lead, set()).add(subject)
        stored = await read_digests(tx, members)
        found = set()
        for lead, group in members.items():
            view = fold(group, await reader.about(tx, group), desk.projection.world)
            if stored[lead] != digest(view):
                found.add(lead)
    return found


async def run_until(desk: Desk, least: int, kind: str = KIND) -> None:
    """Run jobs until the newest refolding has done so many subjects, then break off as a process that ends does."""
    with desk.core.bus.listen() as news:
        running = asyncio.create_task(desk.jobs.run())
        while (await jobs_of(desk, kind))[0].done < least:
            await news.get()
        running.cancel()
        await asyncio.wait([running])


async def are_open(desk: Desk) -> bool:
    """Whether any folding is still to be done by a job."""
    found = [*await jobs_of(desk, KIND), *await jobs_of(desk, FOLD)]
    return any(job.state in OPEN for job in found)


async def test_few_passports_are_folded_with_the_publication(tmp_path: Path) -> None:
    """Where there are few, nothing is left for later."""
    await found(tmp_path / "node", "Few", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, FEW)
        await bind(desk, CENTRAL[0])

        assert await jobs_of(desk) == []
        assert await stale(desk) == set()


async def test_many_passports_are_folded_behind_it_and_over_a_restart(tmp_path: Path) -> None:
    """The publication leaves all as they were; a job that broke off goes on in the next process until none is left."""
    await found(tmp_path / "node", "Many", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, COUNT)
        await bind(desk, CENTRAL[0])
        (taken,) = await jobs_of(desk)
        before = len(await stale(desk))
        await run_until(desk, PAGE)
        (broken,) = await jobs_of(desk)
        between = len(await stale(desk))

    async with desk_of(tmp_path / "node") as (desk, _):
        await desk.finish(broken.id)
        (ended,) = await jobs_of(desk)

        assert (taken.state, taken.done, taken.total, before) == ("waiting", 0, COUNT, COUNT)
        assert PAGE <= broken.done < COUNT
        assert 0 < between < before
        assert (ended.id, ended.state, ended.done) == (taken.id, "done", ended.total)
        assert await stale(desk) == set()


async def test_refold_that_breaks_off_while_passports_are_made_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is cancelled waits for the thread that makes them: the job is no failed one, and the node can end."""
    begun, go_on, make_each = threading.Event(), threading.Event(), Maker.make_each

    def held(maker: Maker, spoken: Iterable[Spoken], world: World, now: int) -> list[Made | None]:
        begun.set()
        go_on.wait(30)
        return make_each(maker, spoken, world, now)

    await found(tmp_path / "node", "Held", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, COUNT)
        await bind(desk, CENTRAL[0])
        monkeypatch.setattr(Maker, "make_each", held)
        running = asyncio.create_task(desk.jobs.run())
        await asyncio.to_thread(begun.wait, 30)

        running.cancel()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        await asyncio.wait([running], timeout=30)

        assert running.cancelled()
        (broken,) = await jobs_of(desk)
        assert broken.state in ("waiting", "running")
        desk.projection.close()

    async with desk_of(tmp_path / "node") as (desk, _):
        await desk.finish(broken.id)
        assert await stale(desk) == set()


async def test_publication_that_comes_meanwhile_is_in_all_passports(tmp_path: Path) -> None:
    """What was folded before it is folded again: the way goes around once more, and one job tells of both."""
    await found(tmp_path / "node", "Twice", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, COUNT)
        await bind(desk, CENTRAL[0])
        await run_until(desk, PAGE)
        between = len(await stale(desk))
        await bind(desk, CENTRAL[1])
        (longer,) = await jobs_of(desk)
        before = len(await stale(desk))

        await desk.finish(longer.id)

        (ended,) = await jobs_of(desk)
        assert between < before == COUNT
        assert longer.total > COUNT
        assert (ended.state, ended.done) == ("done", ended.total)
        assert await stale(desk) == set()


async def test_what_one_statement_says_of_many_is_folded_behind_it_and_over_a_restart(tmp_path: Path) -> None:
    """An offer leaves passports: who looks at one or speaks of one has it folded, the job folds the rest."""
    await found(tmp_path / "node", "Many", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, COUNT)
        async with desk.core.database.read() as tx:
            devices = await list_subjects(tx, limit=COUNT)
        await ship(desk, devices)
        offered = await stale(desk)
        assert rows(await desk.view(devices[3]), "parties", "transfers") == []

        await desk.projection.catch_up(devices[:1])
        await desk.ledger.append(
            [drafts.alias(devices[1], AliasBody(scheme="erp", value="7", evidence="document"), NOW)]
        )
        looked_at = await stale(desk)
        await run_until(desk, PAGE, FOLD)
        (broken,) = await jobs_of(desk, FOLD)

    async with desk_of(tmp_path / "node") as (desk, _):
        was_behind = desk.projection.is_behind
        await desk.finish(broken.id)

        assert offered == {*devices}
        assert looked_at == {*devices[2:]}
        assert (broken.total, was_behind, desk.projection.is_behind) == (COUNT, True, False)
        assert PAGE <= broken.done < COUNT
        assert await stale(desk) == set()
        assert [row["to"] for row in rows(await desk.view(devices[3]), "parties", "transfers")] == [
            outside_party(BUYER).hex()
        ]


async def test_job_that_fails_or_is_lost_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had left is done by another one: after a pause, or when a node starts and there is none."""
    await found(tmp_path / "node", "Fails", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, 2 * FEW)
        async with desk.core.database.read() as tx:
            devices = await list_subjects(tx, limit=2 * FEW)
        make_each, failures = Maker.make_each, iter([1, 2])

        def full(maker: Maker, spoken: Iterable[Spoken], world: World, now: int) -> list[Made | None]:
            if next(failures, None):
                raise StoreError("no space left on device")
            return make_each(maker, spoken, world, now)

        await bind(desk, CENTRAL[0])
        await ship(desk, devices)
        monkeypatch.setattr(Maker, "make_each", full)
        monkeypatch.setattr("node.services.jobs.AGAIN_S", 0.01)
        with desk.core.bus.listen() as news:
            running = asyncio.create_task(desk.jobs.run())
            while await stale(desk) or await are_open(desk):
                await news.get()
            await ended(running)

        states = [job.state for kind in (KIND, FOLD) for job in await jobs_of(desk, kind)]
        assert (states.count("failed"), await stale(desk)) == (2, set())
        await ship(desk, devices)
        async with desk.core.database.write() as tx:
            await tx.run(delete(schema.jobs))

    async with desk_of(tmp_path / "node") as (desk, _):
        with desk.core.bus.listen() as news:
            running = asyncio.create_task(desk.jobs.run())
            while desk.projection.is_behind:
                await news.get()
            await ended(running)

        assert [(job.state, job.total) for job in await jobs_of(desk, FOLD)] == [("done", 2 * FEW)]
        assert await stale(desk) == set()


async def test_passport_is_looked_at_by_an_id_that_the_statement_did_not_name(tmp_path: Path) -> None:
    """It is folded all the same: another id of it was named."""
    await found(tmp_path / "node", "Joined", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, 2 * FEW)
        async with desk.core.database.read() as tx:
            one, other, *others = await list_subjects(tx, limit=2 * FEW)
        await desk.ledger.append([drafts.sameness(one, other, SamenessBody(says="same"), NOW)])
        async with desk.core.database.read() as tx:
            lead = (await read_leads(tx, [one]))[one]
        await ship(desk, sorted([*others, one if lead == other else other]))

        offered = await stale(desk)

        await Timelines(desk.core, desk.projection).overview(lead)

        assert (offered, await stale(desk)) == ({lead, *others}, {*others})


async def test_end_of_a_grant_over_many_things_holds_at_once(tmp_path: Path) -> None:
    """Nobody is answered by what was revoked, however many things it was about."""
    await found(tmp_path / "node", "Ends", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, 2 * FEW)
        async with desk.core.database.read() as tx:
            devices = await list_subjects(tx, limit=2 * FEW)
        subject = local_claim(desk.ledger.log.log, b"g" * 16).subject.raw
        grant = Authority(Verb.READ, READER, (), tuple(devices), (2,))
        (entry,) = await desk.ledger.append([drafts.grant(subject, grant, NOW)])
        async with desk.core.database.read() as tx:
            given = await rights_to(tx, devices, READER)
            cut = await read_cut(tx, READER)
        end, act = Authority(Verb.END, READER, (), tuple(devices)), entry_ref(desk.ledger.log.log, entry)
        await desk.ledger.append([drafts.ending(subject, end, cut, MandateBody(), NOW, act)])

        async with desk.core.database.read() as tx:
            assert {*given} == {*devices}
            assert await rights_to(tx, devices, READER) == {}


async def test_what_one_statement_says_of_few_is_folded_with_it(tmp_path: Path) -> None:
    """So it is with things of which there is no passport here."""
    await found(tmp_path / "node", "Few", 7)
    async with desk_of(tmp_path / "node") as (desk, _):
        await register(desk, FEW)
        async with desk.core.database.read() as tx:
            devices = await list_subjects(tx, limit=FEW)
        await ship(desk, sorted([*devices, *(bytes([n]) * 16 for n in range(1, 2 * FEW))]))

        assert await jobs_of(desk, FOLD) == []
        assert await stale(desk) == set()


def test_way_around_meets_every_subject_from_any_place() -> None:
    """From wherever it is lengthened the way passes all subjects once more and ends."""
    subjects = [bytes([number]) * 16 for number in range(1, 8)]
    for place in [b"", *subjects]:
        for limit in (1, 3, 7, 8):
            seen: list[bytes] = []
            left: Round | None = Round(place, b"\xff" * 16).again()
            while left is not None:
                page = [s for s in subjects if s > left.at and not (left.is_past_last and s > left.until)][:limit]
                seen += page
                left = Round.from_result(left.to_result()).after(page, limit)
            assert sorted(seen) == subjects
