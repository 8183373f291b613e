"""Erasing personal bytes: on the node that asks and on every one that has them, at once and for good."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.authority import Authority, Kind, Verb
from federation.chunks import split_chunks
from federation.forks import prove_headers
from federation.fragment import Ref, SectionClass, decode_header, sign_fragment
from federation.genesis import Genesis
from federation.sync.messages import Placed
from node.errors import DeniedError, InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import AliasBody, ErasedRow, ErasureGround, MandateBody, PersonBody
from node.passport.claims import local_claim
from node.passport.drafts import Draft, DraftSection
from node.passport.erasures import Hindrance
from node.passport.references import ref_text
from node.passport.shown import rows
from node.passport.view import View
from node.services.acknowledging import Acknowledging
from node.services.erasing import Erasing
from node.services.erasures import Erasures
from node.services.files import Files
from node.services.fsck import Fsck
from node.services.healing import Healing
from node.services.ledger import entry_ref
from node.store.chunks import held_chunks, put_chunks, signed_file
from node.store.database import SCRUB_TIMEOUT_MS
from node.store.erasures import Given, note_given
from node.store.forms import StoredForm, find_form, insert_form
from node.store.fragments import NewEntry, entries_between
from node.store.logs import get_log
from node.store.rights import openings_after
from tests.builders import section
from tests.unit.node_protocols.builders import Desk, attest, found, join, mirror, new_sync, opened, publish_line

NAME = "Иванова Мария Петровна"
CANARY = NAME.encode()


@dataclass
class Office:
    """A desk with what asks for erasures and tells of them."""

    desk: Desk

    @property
    def erasures(self) -> Erasures:
        """What asks."""
        return Erasures(self.desk.core, self.desk.ledger)

    async def resident(self, device: bytes) -> Ref:
        """State that a resident is responsible for a device; where that stands."""
        log, chance = self.desk.ledger.log.log, self.desk.core.random
        subject, party = local_claim(log, chance.bytes(16)).subject.raw, chance.bytes(16)
        authority = Authority(Verb.ROLE, party, ("document", "resident", "responsible"), (device,))
        draft = drafts.mandate(subject, authority, MandateBody(document="договор"), 1, person=PersonBody(name=NAME))
        return await self.say(draft)

    async def say(self, draft: Draft) -> Ref:
        """Say something; where it stands."""
        return entry_ref(self.desk.ledger.log.log, (await self.desk.ledger.append([draft]))[0])

    async def erase(self, *rows: tuple[Ref, str]) -> Ref:
        """Say an erasure, whatever it names."""
        return await self.say(drafts.erasure(self.desk.org, rows, ErasureGround.CONSENT, 5))

    async def acknowledge(self) -> None:
        """Say what went here."""
        await self.desk.core.database.scrub()
        while await Acknowledging(self.desk.core, self.desk.ledger).tell():
            pass

    async def opened(self, ref: Ref, to: "Office") -> bool:
        """Whether an entry is opened to another organisation by itself."""
        async with self.desk.core.database.read() as tx:
            log = await get_log(tx, ref.log)
            openings = await openings_after(tx, to.desk.org, 0, 1000)
        return (log.no, ref.seq) in {opening.place for opening in openings}

    async def statement(self, device: bytes, ref: Ref) -> dict[str, Any]:  # Any: rows of a view
        """The sections of a statement as a device's passport shows them, by name."""
        view = await self.desk.view(device)
        (found,) = [row for row in rows(view, "statements") if row["ref"] == ref_text(ref)]
        return {str(row["name"]): row for row in rows(found, "sections")}

    async def findings(self) -> list[str]:
        """What fsck says."""
        await self.desk.ledger.publish()
        return [found.what async for progress in Fsck(self.desk.core).run() for found in progress.findings]

    def holds(self, value: bytes) -> bool:
        """Whether the files of the store have these bytes anywhere, in free pages too."""
        store = self.desk.core.folder.database
        files = [path for path in store.parent.glob(f"{store.name}*") if not path.name.endswith("-shm")]
        return any(value in path.read_bytes() for path in files)


@asynccontextmanager
async def offices(folder: Path, count: int, quorum: int = 1, anchors: int = 1) -> AsyncIterator[list[Office]]:
    """Desks of one federation, the first of which are anchors; the first one makes meters."""
    for number in range(count):
        await found(folder / str(number), f"Организация {number}", number + 1)
    async with _opened(folder, range(count)) as desks:
        genesis = Genesis("Демо", tuple(sorted(desk.org for desk in desks[:anchors])), quorum)
        for desk in desks:
            await join(desk, genesis)
        await attest(desks[0], desks[0].org, genesis=genesis)
        await publish_line(desks[0])
        yield [Office(desk) for desk in desks]


@asynccontextmanager
async def _opened(folder: Path, numbers: Sequence[int]) -> AsyncIterator[list[Desk]]:
    if not numbers:
        yield []
        return
    async with opened(folder / str(numbers[0]), numbers[0] + 1) as desk, _opened(folder, numbers[1:]) as others:
        yield [desk, *others]


async def test_erased_section_is_nowhere_in_the_store_and_shown_as_erased(tmp_path: Path) -> None:
    """Bytes and salt are in no page and in no journal of the store; the passport tells by whom, when and why."""
    async with offices(tmp_path, 1) as (office,):
        device = await office.desk.device("00012345")
        ref = await office.resident(device)
        assert (office.holds(CANARY), (await office.statement(device, ref))["person"]["present"]) == (True, True)

        (row,) = await office.erasures.preview(ref_text(ref))
        asked = await office.erasures.ask([(ref_text(ref), "person")], ErasureGround.CONSENT, "оператор")
        await office.acknowledge()

        assert (row.section, row.is_here, row.erased) == ("person", True, None)
        gone = (await office.statement(device, ref))["person"]
        assert gone["erased"] == {
            "by": [office.desk.org.hex()], "at": asked.at, "ground": "consent", "ref": ref_text(asked.said)
        }  # fmt: skip
        assert (await office.desk.view(device))["withheld"] == {}
        assert not office.holds(CANARY)
        assert await office.findings() == []
        with pytest.raises(StateError, match="erased already"):
            await office.erasures.ask([(ref_text(ref), "person")], ErasureGround.CONSENT, "оператор")


async def test_replica_erases_and_acknowledges_once(tmp_path: Path) -> None:
    """A node that had the section has it no more and says so; who was given it and is silent is told as waiting."""
    async with offices(tmp_path, 2) as (author, replica):
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        await mirror(author.desk, replica.desk)
        node = replica.desk.core.node
        async with author.desk.core.database.write() as tx:
            await note_given(tx, [Given(ref.log, ref.seq, "person", replica.desk.org, node, tx.now)])
        said = await author.erase((ref, "person"))
        waiting = (await author.erasures.get(ref_text(said))).rows[0].waiting

        await mirror(author.desk, replica.desk)
        for _ in range(2):
            await replica.acknowledge()
        await mirror(replica.desk, author.desk)
        await author.erase((ref, "person"))
        await mirror(author.desk, replica.desk)
        await replica.acknowledge()

        assert [holder.node for holder in waiting] == [node]
        assert not replica.holds(CANARY)
        assert await replica.findings() == []
        (row,) = (await author.erasures.get(ref_text(said))).rows
        assert (row.waiting, [holder.said is not None for holder in row.holders]) == ([], [True])
        async with replica.desk.core.database.read() as tx:
            own = await get_log(tx, replica.desk.ledger.log.log)
            entries = await entries_between(tx, own.no, 0, own.size)
        assert [e.to_fragment().section("ack") is not None for e in entries.values()].count(True) == 1


async def test_whoever_was_given_the_section_is_told_by_whoever_gave_it(tmp_path: Path) -> None:
    """The erasure is opened to who had the section from here, its author or not; to nobody who had not."""
    async with offices(tmp_path, 4) as (author, giver, taker, stranger):
        ref = await author.resident(await author.desk.device("00012345"))
        for office in (giver, taker, stranger):
            await mirror(author.desk, office.desk)
        async with giver.desk.core.database.write() as tx:
            node = taker.desk.core.node
            await note_given(tx, [Given(ref.log, ref.seq, "person", taker.desk.org, node, tx.now)])

        said = await author.erase((ref, "person"))
        await mirror(author.desk, giver.desk)

        assert await giver.opened(said, taker)
        assert not await giver.opened(said, stranger)
        assert not await author.opened(said, taker)


async def test_nothing_is_acknowledged_while_the_journal_holds_the_bytes(tmp_path: Path) -> None:
    """An export that reads an older state keeps the journal from being emptied: it is waited for, however long."""
    async with offices(tmp_path, 2) as (author, replica):
        ref = await author.resident(await author.desk.device("00012345"))
        await mirror(author.desk, replica.desk)
        await replica.desk.core.database.scrub()
        said = await author.erase((ref, "person"))
        acknowledging = asyncio.create_task(Acknowledging(replica.desk.core, replica.desk.ledger).run())
        async with replica.desk.core.database.read() as tx:
            await get_log(tx, ref.log)
            await mirror(author.desk, replica.desk)
            size = (await replica.desk.state())[0]
            await asyncio.wait([acknowledging], timeout=2 * SCRUB_TIMEOUT_MS / 1000)
            async with asyncio.timeout(2), replica.desk.core.database.write() as writing:
                await get_log(writing, ref.log)  # nobody who writes is kept waiting
            held = (replica.holds(CANARY), (await replica.desk.state())[0])

        for _ in range(600):
            if (await replica.desk.state())[0] > size:
                break
            await asyncio.sleep(0.05)
        acknowledging.cancel()

        assert held == (True, size)
        assert not replica.holds(CANARY)
        await mirror(replica.desk, author.desk)
        (row,) = (await author.erasures.get(ref_text(said))).rows
        assert [holder.node for holder in row.holders if holder.said] == [replica.desk.core.node]


async def test_node_that_never_had_the_section_says_nothing(tmp_path: Path) -> None:
    """It shows the section as erased, stores no bytes that come later, and acknowledges nothing."""
    async with offices(tmp_path, 2) as (author, reader):
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        async with author.desk.core.database.read() as tx:
            log = await get_log(tx, ref.log)
            whole = (await entries_between(tx, log.no, ref.seq, ref.seq + 1))[ref.seq].to_fragment()
        await mirror(author.desk, reader.desk, hidden=["person"])
        await author.erase((ref, "person"))
        await mirror(author.desk, reader.desk)
        size = (await reader.desk.state())[0]

        assert await reader.desk.ingest.take_placed([Placed(ref.log, ref.seq, whole)])
        await reader.acknowledge()

        assert "erased" in (await reader.statement(device, ref))["person"]
        assert not reader.holds(CANARY)
        assert (await reader.desk.state())[0] == size


async def test_erasure_that_comes_first_takes_effect_when_the_entry_comes(tmp_path: Path) -> None:
    """An anchor's erasure is here before the author's log: what comes is stored without bytes, and acknowledged."""
    async with offices(tmp_path, 3) as (anchor, author, late):
        for office in (author, late):
            await mirror(anchor.desk, office.desk)
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        await mirror(author.desk, anchor.desk)
        await anchor.erasures.ask([(ref_text(ref), "person")], ErasureGround.COURT, "оператор", as_anchor=True)
        await mirror(anchor.desk, late.desk)

        await mirror(author.desk, late.desk)
        await late.acknowledge()
        await mirror(late.desk, anchor.desk)

        assert "erased" in (await late.statement(device, ref))["person"]
        assert not late.holds(CANARY)
        (asked,) = await anchor.erasures.list()
        assert late.desk.core.node in {holder.node for holder in asked.rows[0].holders if holder.said}


async def test_erasure_that_may_not_be_has_no_effect_and_tells_why(tmp_path: Path) -> None:
    """Other classes, authority sections, statements of others and places where nothing stands: nothing goes."""
    async with offices(tmp_path, 2) as (author, other):
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        await mirror(author.desk, other.desk)
        nothing = [(Ref(ref.log, 9000 + n, bytes(16)), "person") for n in range(64)]

        own = await author.erase(
            (ref, "mandate"), (ref, "authority"), (ref, "photo"), (ref._replace(id16=bytes(16)), "person")
        )
        foreign = await other.erase((ref, "person"))
        empty = await other.erase(*nothing)
        await mirror(other.desk, author.desk)

        told = {row.word.section: row.hindrance for row in (await author.erasures.get(ref_text(own))).rows}
        assert told == {
            "mandate": Hindrance.NOT_PERSONAL,
            "authority": Hindrance.AUTHORITY,
            "photo": Hindrance.NO_SECTION,
            "person": Hindrance.OTHER_ENTRY,
        }
        (row,) = (await author.erasures.get(ref_text(foreign))).rows
        assert row.hindrance is Hindrance.FOREIGN
        assert {row.target for row in (await author.erasures.get(ref_text(empty))).rows} == {None}
        assert all(part["present"] for part in (await author.statement(device, ref)).values())
        for section_name, error in (("mandate", InputError), ("authority", InputError), ("photo", InputError)):
            with pytest.raises(error):
                await author.erasures.ask([(ref_text(ref), section_name)], ErasureGround.OTHER, "оператор")
        with pytest.raises(DeniedError):
            await other.erasures.ask([(ref_text(ref), "person")], ErasureGround.OTHER, "оператор")


async def test_anchors_erase_together(tmp_path: Path) -> None:
    """One of two anchors that must agree changes nothing; the second sees the request, signs, and the bytes go."""
    async with offices(tmp_path, 3, quorum=2, anchors=2) as (one, two, author):
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        for office in (one, two):
            await mirror(author.desk, office.desk)
        first = await one.erasures.ask([(ref_text(ref), "person")], ErasureGround.COURT, "оператор", as_anchor=True)
        for office in (two, author):
            await mirror(one.desk, office.desk)
        alone = await author.statement(device, ref)

        (waiting,) = await two.erasures.to_sign()
        await two.erasures.sign(ref_text(waiting.said), "оператор")
        await mirror(two.desk, author.desk)

        assert alone["person"]["present"]
        assert first.rows[0].hindrance is Hindrance.FEW_ANCHORS
        assert (waiting.said, await one.erasures.to_sign(), await two.erasures.to_sign()) == (first.said, [], [])
        gone = (await author.statement(device, ref))["person"]["erased"]
        assert gone["by"] == sorted([one.desk.org.hex(), two.desk.org.hex()])
        await author.acknowledge()
        assert not author.holds(CANARY)


async def test_many_erasures_of_others_hide_no_request_of_an_anchor(tmp_path: Path) -> None:
    """Nor do words without effect, or said again, fold anything anew."""
    async with offices(tmp_path, 3, quorum=2, anchors=2) as (one, two, author):
        device = await author.desk.device("00012345")
        ref = await author.resident(device)
        for office in (one, two):
            await mirror(author.desk, office.desk)
        await one.erasures.ask([(ref_text(ref), "person")], ErasureGround.COURT, "оператор", as_anchor=True)
        await mirror(one.desk, two.desk)
        drafts_ = [drafts.erasure(author.desk.org, [(ref, "mandate")], ErasureGround.OTHER, 5) for _ in range(120)]

        said = await author.desk.ledger.append(drafts_)
        await mirror(author.desk, two.desk)
        async with two.desk.core.database.write() as tx:
            entry = await entries_between(tx, (await get_log(tx, ref.log)).no, said[0].seq, said[0].seq + 1)
            log, (stored,) = await get_log(tx, ref.log), entry.values()
            header = decode_header(stored.header, ref.log, stored.seq)
            touched = await Erasing(two.desk.core).take(tx, [(log, [NewEntry(stored.seq, stored.to_fragment(), header,
                                                                            stored=stored.sections)])])  # fmt: skip

        assert len(await two.erasures.to_sign()) == 1
        assert touched == set()


async def test_acknowledgement_of_another_counts_for_nobody_else(tmp_path: Path) -> None:
    """Who says that a section is gone says it of himself: the node that was given it stays silent."""
    async with offices(tmp_path, 3) as (author, replica, forger):
        ref = await author.resident(await author.desk.device("00012345"))
        for office in (replica, forger):
            await mirror(author.desk, office.desk)
        async with author.desk.core.database.write() as tx:
            node = replica.desk.core.node
            await note_given(tx, [Given(ref.log, ref.seq, "person", replica.desk.org, node, tx.now)])
        said = await author.erase((ref, "person"))
        row = ErasedRow(ref=ref_text(ref), section="person")
        await forger.say(drafts.erasure_ack([author.desk.org], [said], [row], 1))

        await mirror(forger.desk, author.desk)

        told = (await author.erasures.get(ref_text(said))).rows[0]
        assert [holder.org for holder in told.waiting] == [replica.desk.org]


async def test_files_and_drafts_of_an_erased_section_go_with_it(tmp_path: Path) -> None:
    """The chunks of a personal file are gone and it is told as erased; so is a draft begun with its document."""
    async with offices(tmp_path, 1) as (office,):
        device, content = await office.desk.device("00012345"), b"photo" * 1000
        listed, chunks = split_chunks(content)
        body = (DraftSection("photo.chunks", listed.to_bytes(), SectionClass.PERSONAL),)
        ref = await office.say(Draft(Kind.EVENT, (device,), 1, body))
        digest = hashlib.sha256(content).hexdigest()
        file: View = {
            "name": "p.jpg",
            "type": "image/jpeg",
            "size": len(content),
            "sha256": digest,
            "section": "photo.chunks",
        }
        row: View = {"ref": ref_text(ref), "by": office.desk.org.hex(), "attachments": [file]}
        form = StoredForm("one", "00", device, b"{}", (), ref_text(ref), "оператор", 1, 1)
        async with office.desk.core.database.write() as tx:
            await put_chunks(tx, signed_file(ref, "photo.chunks"), 0, chunks)
            await insert_form(tx, form)
        files = Files(office.desk.core, new_sync(office.desk.core, office.desk.ingest))
        before = await files.read(row, digest)

        await office.erase((ref, "photo.chunks"))

        assert before.content == content
        with pytest.raises(NotFoundError, match="was erased"):
            await files.read(row, digest)
        async with office.desk.core.database.read() as tx:
            assert await held_chunks(tx, signed_file(ref, "photo.chunks")) == set()
            assert await find_form(tx, "one") is None
        await office.acknowledge()
        assert not office.holds(b"photophoto")


async def test_fork_brings_nothing_back_that_was_erased(tmp_path: Path) -> None:
    """What fell with a fork is said again without the section that is gone."""
    async with offices(tmp_path, 1) as (office,):
        desk = office.desk
        device = await desk.device("00012345")
        start = (await desk.state())[0]
        ref = await office.resident(device)
        await office.say(drafts.alias(device, AliasBody(scheme="erp", value="П-2", evidence="said"), 1))
        await office.erase((ref, "person"))
        other, _ = sign_fragment(
            desk.core.keystore.sign,
            log=ref.log, seq=start, stamp=1, kind=4, subjects=(bytes(16),), occurred=1, sections=[section()], prev=None,
        )  # fmt: skip
        async with desk.core.database.read() as tx:
            held = (await entries_between(tx, (await get_log(tx, ref.log)).no, start, start + 1))[start]
        proof = prove_headers((held.header, held.signature), (other.header, other.signature))
        async with desk.core.database.write() as tx:
            await desk.counting.take_proof(tx, proof)

        said = await Healing(desk.core, desk.ledger, desk.counting).heal()

        await office.acknowledge()
        assert said == 3
        assert not office.holds(CANARY)
        assert await office.findings() == []


async def test_fsck_finds_what_was_not_erased_and_what_was_emptied_without_a_word(tmp_path: Path) -> None:
    """Bytes that stand although they were erased are named, and so is an empty row that no erasure names."""
    async with offices(tmp_path, 1) as (office,):
        device = await office.desk.device("00012345")
        ref, other = await office.resident(device), await office.resident(device)
        async with office.desk.core.database.read() as tx:
            no = (await get_log(tx, ref.log)).no
            kept = (await entries_between(tx, no, ref.seq, ref.seq + 1))[ref.seq].sections[-1]
        await office.erase((ref, "person"))
        with sqlite3.connect(office.desk.core.folder.database, timeout=10) as raw:
            sql = "update sections set salt = ?, data = ?, form = ? where log_no = ? and seq = ? and name = 'person'"
            raw.execute(sql, (kept.salt, kept.data, kept.form, no, ref.seq))
            raw.execute(sql, (None, b"", 3, no, other.seq))
        raw.close()

        found = await office.findings()
        await office.desk.projection.replay_erasures()

        assert len(found) == 2
        assert found[0].endswith("section person is to be erased, and its bytes stand")
        assert found[1].endswith("section person was emptied, and no erasure names it")
        assert await office.findings() == found[1:]
