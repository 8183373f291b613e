"""Forms over a real store: kept, filled, signed with files; and who is given the files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from federation.chunks import CHUNK_SIZE
from federation.errors import RequestError
from federation.fragment import Ref
from federation.peer import PeerAddress
from federation.ports import Asker
from node.errors import InputError, NotFoundError, PeerError, StateError
from node.metrics import Metrics
from node.passport.references import ref_text
from node.passport.shown import at, rows
from node.passport.strict_json import Json, format_json
from node.passport.templates.template import parse_document
from node.passport.view import View
from node.services.access_requests import AccessRequests
from node.services.admission import Admission
from node.services.attesting import Attesting
from node.services.boxes import Boxes
from node.services.files import MAX_FILE, MAX_FILES, Files
from node.services.forms import Form, Forms
from node.services.lookup_notes import LookupNotes
from node.services.membership import Membership
from node.services.pointing import Asked
from node.services.referring import Referring
from node.services.search import Search
from node.services.shelf import FederationShelf
from node.services.shipments import Shipments
from node.services.templates import HeldTemplate
from node.store.chunks import drop_chunks, held_chunks, signed_file
from node.store.peers import put_peer
from tests.unit.node_protocols.builders import Desk, document, found, mirror, new_desk, new_sync, opened, template

SERIAL = "25000017"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 6000


class Liar:
    """A peer that answers other bytes than it was asked for, and notes what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int]] = []

    def client(self, _address: PeerAddress) -> "Liar":
        return self

    async def chunk(self, _ref: Ref, section: str, n: int) -> bytes:
        self.asked.append((section, n))
        return self.answer


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with new_desk(tmp_path / "one") as made:
        yield made


def forms_of(desk: Desk) -> Forms:
    return Forms(desk.core, desk.templates, desk.protocols)


async def flow(desk: Desk, **changes: Any) -> tuple[Form, HeldTemplate, bytes]:
    """A form of a good flow-bench run of a device."""
    held = await desk.templates.publish(template("flow-bench"), "test")
    subject = await desk.device(SERIAL)
    raw = document("flow-bench", subject, SERIAL, {"executor": {"org": desk.org.hex()}, **changes})
    return await forms_of(desk).start(held.reference, subject, "test", raw), held, subject


async def row_of(desk: Desk, subject: bytes) -> View:
    return rows(await desk.view(subject), "protocols")[-1]


async def test_form_is_kept_over_a_restart_and_signed_with_its_files(tmp_path: Path) -> None:
    """New objects over the same store find it as it was; the files stand in the signed statement, and read back."""
    async with new_desk(tmp_path) as first:
        form, _, subject = await flow(first)
        form = await forms_of(first).attach(form, "узел.png", PNG, personal=False)
        await forms_of(first).attach(form, "акт.txt", "подписан".encode(), personal=True)
    async with opened(tmp_path, 3) as desk:
        forms = forms_of(desk)
        again = await forms.get(form.id)
        before = await desk.state()

        signed = await forms.sign(again, "test")

        row, files = await row_of(desk, subject), Files(desk.core, new_sync(desk.core, desk.ingest))
        told = {str(file["name"]): str(file["sha256"]) for file in rows(row, "attachments")}
        assert format_json(again.document) == format_json(form.document)
        assert (await files.read(row, told["узел.png"])).content == PNG
        assert (await files.read(row, told["акт.txt"])).content.decode() == "подписан"
        assert await forms.list() == []
        assert (signed.is_new, await desk.state() != before) == (True, True)
        with pytest.raises(NotFoundError):
            await forms.get(form.id)


async def test_corrected_protocol_takes_the_place_of_the_old_one(desk: Desk) -> None:
    """The form begins with its document; signed anew, the old one is replaced and cannot be corrected again."""
    form, _, subject = await flow(desk)
    forms = forms_of(desk)
    first = ref_text((await forms.sign(form, "test")).ref)
    again = await forms.correct(subject, first, "test")
    assert isinstance(again.document, dict)

    second = await forms.sign(await forms.save(again, {**again.document, "protocol_no": "П-2"}), "test")

    old, new = rows(await desk.view(subject), "protocols")
    with pytest.raises(StateError) as refused:
        await forms.correct(subject, first, "test")
    assert (old["replaced_by"], new["replaced_by"]) == (ref_text(second.ref), None)
    assert (refused.value.code, format_json(again.document)) == ("protocol_not_own", format_json(form.document))


async def test_second_correction_of_one_protocol_is_refused_and_its_form_stays(desk: Desk) -> None:
    """Of two corrections that were begun beside each other one stands: one verification never becomes two results."""
    form, _, subject = await flow(desk)
    forms = forms_of(desk)
    first = ref_text((await forms.sign(form, "test")).ref)
    begun = [await forms.correct(subject, first, "test") for _ in range(2)]
    filled = [await forms.save(one, {**one.document, "protocol_no": f"П-{n}"}) for n, one in enumerate(begun)]  # type: ignore[dict-item]  # an object

    ended = await asyncio.gather(*(forms.sign(one, "test") for one in filled), return_exceptions=True)

    (refused,) = [one for one in ended if isinstance(one, StateError)]
    (kept,) = await forms.list()
    standing = [row for row in rows(await desk.view(subject), "protocols") if row["replaced_by"] is None]
    assert (refused.code, len(standing)) == ("protocol_replaced", 1)
    assert standing[0]["ref"] == refused.values["ref"]
    assert kept.id in {one.id for one in begun}


async def test_form_that_breaks_a_rule_stays_and_nothing_is_signed(desk: Desk) -> None:
    """The findings name the places; rows that nobody filled in are no fault."""
    form, _, _ = await flow(desk)
    forms, before = forms_of(desk), await desk.state()
    wrong = parse_document(format_json(form.document))
    assert isinstance(wrong, dict)
    points = wrong["points"]
    assert isinstance(points, list)
    form = await forms.save(form, {**wrong, "points": [*points, {}], "result": "fail"})

    with pytest.raises(InputError) as refused:
        await forms.sign(form, "test")

    assert (refused.value.code, refused.value.values["rule"]) == ("document_refused", "required_if")
    assert await desk.state() == before
    assert (await forms.get(form.id)).document == form.document


async def test_files_over_a_limit_or_of_no_known_type_are_refused_and_nothing_is_kept(desk: Desk) -> None:
    """Empty, too large, one too many, a name that lies; a dropped form leaves no byte behind."""
    form, _, _ = await flow(desk)
    forms = forms_of(desk)
    refused = []
    for name, content in (("a.png", b""), ("a.txt", b"x" * (MAX_FILE + 1)), ("a.png", b"<svg/>")):
        with pytest.raises(InputError) as caught:
            await forms.attach(form, name, content, personal=False)
        refused.append(caught.value.code)
    for n in range(MAX_FILES):
        form = await forms.attach(form, f"{n}.txt", f"файл {n}".encode(), personal=False)
    same = await forms.attach(
        await forms.detach(form, form.stored.files[0].sha256), "1.txt", b"\xd1\x84", personal=False
    )
    with pytest.raises(InputError) as many:
        await forms.attach(same, "9.txt", b"nine", personal=False)

    assert refused == ["attachment_large", "attachment_large", "attachment_refused"]
    assert (many.value.code, len((await forms.get(form.id)).stored.files)) == ("attachments_many", MAX_FILES)
    await forms.drop(same.id)
    async with desk.core.database.read() as tx:
        assert await held_chunks(tx, f"form:{form.id}/file-0.chunks") == set()


async def test_files_that_come_at_once_are_both_kept_whole(desk: Desk) -> None:
    """Neither overwrites the other, nor what is typed in another window; what was dropped meanwhile takes none."""
    form, _, subject = await flow(desk)
    forms = forms_of(desk)
    large, small = b"\x89PNG\r\n\x1a\n" + bytes(3 * CHUNK_SIZE), b"\x89PNG\r\n\x1a\n" + b"x"
    assert isinstance(form.document, dict)
    typed: Json = {**form.document, "protocol_no": "П-9"}

    await asyncio.gather(
        forms.attach(form, "большой.png", large, personal=False),
        forms.save(form, typed),
        forms.attach(form, "п/мал\x00ый\n.png", small, personal=False),
    )

    kept = await forms.get(form.id)
    await forms.sign(kept, "test")
    row, files = await row_of(desk, subject), Files(desk.core, new_sync(desk.core, desk.ingest))
    told = [(await files.read(row, str(file["sha256"]))).content for file in rows(row, "attachments")]
    assert (sorted(told, key=len), format_json(kept.document)) == ([small, large], format_json(typed))
    assert {str(file["name"]) for file in rows(row, "attachments")} == {"большой.png", "малый.png"}
    with pytest.raises(NotFoundError):
        await forms.attach(kept, "поздно.png", small, personal=False)


async def test_form_that_is_signed_twice_at_once_becomes_one_protocol(desk: Desk) -> None:
    """The second press is answered with what the first one signed; its files are read."""
    form, _, subject = await flow(desk)
    forms = forms_of(desk)
    form = await forms.attach(form, "узел.png", PNG, personal=False)

    one, two = await asyncio.gather(forms.sign(form, "test"), forms.sign(form, "test"))

    (row,) = rows(await desk.view(subject), "protocols")
    assert (one.ref, {one.is_new, two.is_new}) == (two.ref, {True, False})
    read = Files(desk.core, new_sync(desk.core, desk.ingest))
    assert (await read.read(row, str(rows(row, "attachments")[0]["sha256"]))).content == PNG


async def test_form_that_became_another_meanwhile_is_not_signed(desk: Desk) -> None:
    """What another window kept after it was looked at is neither signed unseen nor lost."""
    form, _, _ = await flow(desk)
    forms, before = forms_of(desk), await desk.state()
    assert isinstance(form.document, dict)
    newer: Json = {**form.document, "protocol_no": "П-9"}
    await forms.save(form, newer)

    with pytest.raises(StateError) as refused:
        await forms.sign(form, "test")

    assert (refused.value.code, await desk.state()) == ("form_changed", before)
    assert format_json((await forms.get(form.id)).document) == format_json(newer)


async def test_lying_peer_gives_no_byte_of_a_file(desk: Desk) -> None:
    """What is not under the signed hash is not kept, and nobody left to ask is said so."""
    form, _, subject = await flow(desk)
    form = await forms_of(desk).attach(form, "узел.png", PNG, personal=False)
    signed = await forms_of(desk).sign(form, "test")
    row, digest = await row_of(desk, subject), form.stored.files[0].sha256
    place = signed_file(signed.ref, "file-0.chunks")
    peer = PeerAddress("https://127.0.0.1:1", b"n" * 16, b"\x01" * 33, b"p" * 32)
    async with desk.core.database.write() as tx:
        await drop_chunks(tx, place)
        await put_peer(tx, peer, b"o" * 16, "active")
    liar, honest = Liar(bytes(CHUNK_SIZE)), Liar(PNG[:CHUNK_SIZE])

    with pytest.raises(PeerError) as away:
        await Files(desk.core, liar).read(row, digest)  # type: ignore[arg-type]  # a network that lies

    with pytest.raises(PeerError):
        await Files(desk.core, honest).read(row, digest)  # type: ignore[arg-type]  # as above: the second chunk is wrong
    async with desk.core.database.read() as tx:
        held = await held_chunks(tx, place)
    assert (away.value.code, liar.asked, held) == ("attachment_away", [("file-0.chunks", 0), ("file-0.chunks", 1)], {0})


async def test_chunk_is_given_to_those_who_may_read_its_section_alone(desk: Desk) -> None:
    """The author's own organisation gets it, a stranger does not, and a personal file nobody else ever does."""
    form, _, subject = await flow(desk)
    form = await forms_of(desk).attach(form, "узел.png", PNG, personal=False)
    form = await forms_of(desk).attach(form, "лицо.txt", b"face", personal=True)
    signed = await forms_of(desk).sign(form, "test")
    await desk.ledger.publish()
    sync = new_sync(desk.core, desk.ingest)
    attesting = Attesting(desk.core, desk.ledger, desk.projection)
    membership = Membership(desk.core, desk.ledger, desk.ingest, sync, desk.projection, attesting)
    referring = Referring(desk.core, desk.projection, LookupNotes(desk.core))
    requests = AccessRequests(desk.core, desk.projection, Search(), sync)
    admission = Admission(desk.core, desk.projection)
    boxes = Boxes(desk.core, Search(), Shipments(desk.core, desk.ledger, desk.projection), Metrics())
    shelf = FederationShelf(desk.core, desk.ledger, membership, Search(), admission, Asked(referring, requests, boxes))
    own, stranger = Asker(desk.org, b"n" * 16), Asker(b"s" * 16, b"m" * 16)

    given = await shelf.chunk(own, signed.ref, "file-0.chunks", 1)

    assert given == PNG[CHUNK_SIZE:]
    wrong = Ref(signed.ref.log, signed.ref.seq, b"\x00" * 16)
    for asker, ref, section, n in (
        (stranger, signed.ref, "file-0.chunks", 0),
        (stranger, signed.ref, "file-1.chunks", 0),
        (own, signed.ref, "file-0.chunks", 2),
        (own, signed.ref, "file-7.chunks", 0),
        (own, wrong, "file-0.chunks", 0),
    ):
        with pytest.raises(RequestError):
            await shelf.chunk(asker, ref, section, n)
    assert rows(await desk.view(subject), "protocols")


async def test_protocol_whose_template_is_not_here_is_shown_place_by_place(tmp_path: Path, desk: Desk) -> None:
    """Without the publisher's log the document is whole, its template named with its place; with the log it runs."""
    held = await desk.templates.publish(template("flow-bench"), "test")
    subject = await desk.device(SERIAL)
    await found(tmp_path / "two", "Второй", 2)
    await found(tmp_path / "three", "Третий", 3)
    async with opened(tmp_path / "two", 2) as two, opened(tmp_path / "three", 3) as three:
        await mirror(desk, two)
        raw = document("flow-bench", subject, SERIAL, {"executor": {"org": two.org.hex()}})
        signed = await two.protocols.sign(held.reference, raw, "test")
        await mirror(two, three)

        raw_paper = await three.protocols.paper(subject, ref_text(signed.ref))
        sought = await three.templates.seek(str(at(raw_paper.row, "template", "place")), "test")
        await mirror(desk, three)

        assert (raw_paper.held, sought) == (None, False)
        assert at(raw_paper.row, "template", "place") == ref_text(held.ref)
        assert at(raw_paper.document, "result") == "pass"  # type: ignore[arg-type]  # an object
        assert (await three.protocols.paper(subject, ref_text(signed.ref))).held is not None
        assert await three.templates.seek(ref_text(held.ref), "test") is True
