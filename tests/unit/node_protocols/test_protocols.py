"""Checking, signing, showing and exporting protocols over a real store."""

import asyncio
import datetime
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from federation.authority import Attestation, Attested
from federation.fragment import SectionClass, decode_header
from node.errors import InputError, NotFoundError
from node.exchange.arshin import check_application
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Reference
from node.passport.ids import SubjectId, format_device_id
from node.passport.references import ref_text
from node.passport.shown import at, rows
from node.passport.templates.findings import State
from node.passport.templates.template import parse_document
from node.passport.view import value_on
from node.secret import MASK
from node.services.remarks import TEXTS
from node.services.templates import HeldTemplate
from node.store.fragments import entries_between
from node.store.journal import read_journal
from tests.unit.node_protocols.builders import (
    NOW,
    Desk,
    attest,
    document,
    found,
    join,
    mirror,
    new_desk,
    opened,
    template,
    verification,
)

SERIAL = "25000017"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with new_desk(tmp_path) as made:
        yield made


@pytest.fixture
async def act(desk: Desk) -> HeldTemplate:
    return await desk.templates.publish(template("verification"), "test")


def codes(error: InputError) -> list[str]:
    found = error.values["findings"]
    assert isinstance(found, list)
    return [item["code"] for item in found]


def changed(raw: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(raw), **changes}, ensure_ascii=False).encode()


async def test_twenty_documents_of_twenty_devices_are_signed(desk: Desk, act: HeldTemplate) -> None:
    """Each document becomes one protocol whose event, term and record number stand in its own device's passport."""
    serials = [f"{SERIAL[:6]}{number:02d}" for number in range(20)]
    subjects = [await desk.device(serial) for serial in serials]

    for number, (subject, serial) in enumerate(zip(subjects, serials, strict=True), 1):
        await desk.protocols.sign(act.reference, verification(subject, serial, number), "test")

    for number, subject in enumerate(subjects, 1):
        view = await desk.view(subject)
        assert [at(event, "what", "central") for event in rows(view, "events")] == ["verified"]
        assert [event["standing"] for event in rows(view, "events")] == ["stated"]
        assert rows(view, "events")[0]["occurred"] == 1_747_267_200_000_000
        assert at(view, "verification", "valid_until") == "2031-05-14"
        assert at(view, "verification", "record") == "С-ЪЫЬ/15-05-2025/900000017"
        assert (value_on(view, "verification_valid_until") or {})["since"] == "2025-05-15"
        assert [json.loads(str(row["document"]))["protocol_no"] for row in rows(view, "protocols")] == [
            f"ПП-26-{number:06d}"
        ]
        assert [(row["by"], at(row, "template", "known")) for row in rows(view, "protocols")] == [
            (desk.org.hex(), True)
        ]


async def test_signing_is_one_row_of_the_journal(desk: Desk, act: HeldTemplate) -> None:
    """The row names who signed, which device, which place in the log and which template, and no person."""
    subject = await desk.device(SERIAL)

    signed = await desk.protocols.sign(act.reference, verification(subject, SERIAL), "Анна")

    async with desk.core.database.read() as tx:
        journal = [row for row in await read_journal(tx) if row.what == "protocol_signed"]
    assert [(row.actor, row.subject, row.org) for row in journal] == [("Анна", subject, desk.org)]
    assert journal[0].detail == {"ref": ref_text(signed.ref), "template": act.reference, "state": "valid"}


async def test_unfit_device_is_rejected_in_its_passport(desk: Desk, act: HeldTemplate) -> None:
    """A document with a negative result makes the event `rejected` and takes the term away."""
    subject = await desk.device(SERIAL)
    unfit = verification(
        subject, SERIAL, applicable=False, unfit_reasons="Погрешность", fif_record=None, valid_until=None
    )

    await desk.protocols.sign(act.reference, unfit, "test")

    view = await desk.view(subject)
    assert [at(event, "what", "central") for event in rows(view, "events")] == ["rejected"]
    assert at(view, "verification", "valid_until") is None
    assert at(view, "state", "code") == "rejected"


@pytest.mark.parametrize(
    ("changes", "rule", "pointer"),
    [
        ({"valid_until": "2031-05-15"}, "date_plus_months_minus_day", "/valid_until"),
        ({"valid_until": None}, "required_if", "/valid_until"),
        ({"sign_cipher": "AB"}, "pattern", "/sign_cipher"),
        ({"standards": []}, "minItems", "/standards"),
        ({"surprise": 1}, "additionalProperties", "/surprise"),
    ],
)
async def test_document_that_breaks_a_rule_is_refused_and_nothing_is_written(
    desk: Desk, act: HeldTemplate, changes: dict[str, Any], rule: str, pointer: str
) -> None:
    """The refusal names rule and place, says in two languages what to do, and neither log nor journal moves."""
    subject = await desk.device(SERIAL)
    before = await desk.state()

    with pytest.raises(InputError, match=rule) as refused:
        await desk.protocols.sign(act.reference, verification(subject, SERIAL, **changes), "test")

    assert refused.value.code == "document_refused"
    assert (refused.value.values["rule"], refused.value.values["pointer"]) == (rule, pointer)
    found = refused.value.values["findings"]
    assert isinstance(found, list)
    assert all(item[language][part] for item in found for language in ("ru", "en") for part in ("what", "advice"))
    assert await desk.state() == before


async def test_refusal_shows_no_personal_value(desk: Desk, act: HeldTemplate) -> None:
    """A wrong number of a person is named by its place; neither it nor anything made of it is in the error."""
    subject = await desk.device(SERIAL)
    person = {"name": "Иванова Анна", "snils": "112-233-445 00"}

    with pytest.raises(InputError, match="snils") as refused:
        await desk.protocols.sign(act.reference, verification(subject, SERIAL, metrologist=person), "test")

    said = str(refused.value) + json.dumps(refused.value.values, ensure_ascii=False)
    assert "112-233" not in said
    assert "Иванова" not in said
    assert MASK in said


async def test_bytes_that_are_no_document_and_templates_that_are_not_held_are_refused(
    desk: Desk, act: HeldTemplate
) -> None:
    """What cannot be read has its own code, and so has a template that nobody published here."""
    for raw in (b"", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 100):
        with pytest.raises(InputError) as refused:
            await desk.protocols.check(act.reference, raw)
        assert refused.value.code == "document_unreadable"
    with pytest.raises(NotFoundError, match="held here"):
        await desk.protocols.check("00/verification/1.0.0", b"{}")


async def test_personal_places_are_a_section_of_class_four(desk: Desk, act: HeldTemplate) -> None:
    """The open part that is signed and stored names no person; the whole document is joined again for its author."""
    subject = await desk.device(SERIAL)
    raw = verification(subject, SERIAL)

    signed = await desk.protocols.sign(act.reference, raw, "test")

    async with desk.core.database.read() as tx:
        stored = (await entries_between(tx, desk.ledger.log.no, signed.ref.seq, signed.ref.seq + 1))[signed.ref.seq]
    header = decode_header(stored.header, signed.ref.log, signed.ref.seq)
    assert [(head.name, head.klass) for head in header.sections] == [
        ("template", SectionClass.PUBLIC),
        ("document", SectionClass.TECHNICAL),
        ("personal", SectionClass.PERSONAL),
        ("extract", SectionClass.TECHNICAL),
    ]
    open_part = {section.name: section.data for section in stored.sections}["document"].decode()
    assert "Поверитель П.П." not in open_part
    assert "Приборучёт" not in open_part
    paper = await desk.protocols.paper(subject, ref_text(signed.ref))
    assert paper.document == parse_document(raw)
    assert paper.is_whole
    assert paper.held == act


async def test_the_same_document_is_signed_once(desk: Desk, act: HeldTemplate) -> None:
    """A second press of the button answers the first protocol, however the bytes are spelled."""
    subject = await desk.device(SERIAL)
    raw = verification(subject, SERIAL)
    first, at_once = await asyncio.gather(*(desk.protocols.sign(act.reference, raw, "test") for _ in range(2)))
    before = await desk.state()

    again = await desk.protocols.sign(act.reference, json.dumps(json.loads(raw), indent=1).encode(), "test")

    assert (at_once.ref, again.ref, again.is_new) == (first.ref, first.ref, False)
    assert await desk.state() == before


@pytest.mark.parametrize("gid", ["epd:demo:cw:25000017", "1С-000017", "id", "https://x.example/d/id", "00 25000017"])
async def test_device_is_found_by_what_the_document_calls_it(desk: Desk, act: HeldTemplate, gid: str) -> None:
    """A device id, a label, an alias of any spelling, or a name nobody knows beside type and serial lead to one."""
    subject = await desk.device(SERIAL, alias="epd:demo:cw:25000017" if ":" in gid else "1С-000017")
    await desk.device("25000018")
    named = gid.replace("id", format_device_id(SubjectId(subject))) if gid.endswith("id") else gid

    signed = await desk.protocols.sign(act.reference, verification(named, "зав. № " + SERIAL), "test")

    assert signed.subject == subject


@pytest.mark.parametrize(
    ("gid", "serial", "code"),
    [
        ("EPP1-0000000000000000000000000000", SERIAL, "device-unknown"),
        ("EPP1-0000000000000000000000000001", SERIAL, "device-mistyped"),
        ("nobody", "25000099", "device-unknown"),
        ("own", "25000018", "device-serial-differs"),
        ("twins", SERIAL, "device-ambiguous"),
    ],
)
async def test_device_that_cannot_be_told_refuses_the_document(
    desk: Desk, act: HeldTemplate, gid: str, serial: str, code: str
) -> None:
    """A slip, a stranger, a neighbour's serial and a name of two devices are told apart, each in both languages."""
    await desk.device(SERIAL, alias="own")
    for twin in ("25000021", "25000022"):
        await desk.device(twin, alias="twins")
    before = await desk.state()

    with pytest.raises(InputError) as refused:
        await desk.protocols.sign(act.reference, verification(gid, serial), "test")

    assert codes(refused.value) == [code]
    assert str(refused.value.values["rule"]).startswith("x-epd-bind:device.")
    assert await desk.state() == before
    assert code in TEXTS


async def test_unknown_rule_leaves_a_document_signed_and_not_fully_checked(desk: Desk) -> None:
    """A rule that this node does not understand never makes a document valid; the protocol says so for ever."""
    held = await desk.templates.publish(
        template("verification").replace(b'"type": "docnum_agrees"', b'"type": "of_tomorrow"'), "test"
    )
    subject = await desk.device(SERIAL)

    signed = await desk.protocols.sign(held.reference, verification(subject, SERIAL), "test")

    assert signed.state is State.NOT_FULLY_CHECKED
    assert [remark.rule for remark in signed.remarks] == ["of_tomorrow"]
    assert [at(row, "extract", "checked") for row in rows(await desk.view(subject), "protocols")] == [False]


async def test_rules_ask_the_stored_passport(desk: Desk, act: HeldTemplate) -> None:
    """An admission is held against the verification and the DevEUI of the passport, on the document's own date.

    A date to come is refused for itself too.
    """
    await desk.templates.publish(template("commissioning"), "test")
    reference = f"{desk.org.hex()}/commissioning/1.0.0"
    subject = await desk.device(SERIAL)
    admitted = document("commissioning", subject, SERIAL, {})

    unverified = await desk.protocols.check(reference, admitted)
    await desk.protocols.sign(act.reference, verification(subject, SERIAL), "test")
    in_time = await desk.protocols.check(reference, admitted)
    early, late = [
        await desk.protocols.check(reference, changed(admitted, date=day)) for day in ("2025-05-14", "2031-05-15")
    ]
    unfit = verification(subject, SERIAL, 2, date="2025-06-01", applicable=False, unfit_reasons="Течь", fif_record=None)
    await desk.protocols.sign(act.reference, changed(unfit, valid_until="2031-05-31"), "test")
    rejected = await desk.protocols.check(reference, admitted)

    judged = [
        [r.code for r in c.remarks if r.severity == "error"] for c in (unverified, in_time, early, late, rejected)
    ]
    assert judged == [
        ["not-verified"],
        [],
        ["not-verified"],
        ["verification-expired", "extract-to-come"],
        ["verified-unfit"],
    ]
    assert [remark.code for remark in in_time.remarks] == ["parameter-first-stated"]


async def test_extract_that_breaks_a_catalog_is_refused_with_place_and_rule(desk: Desk) -> None:
    """What a document would state is held to the catalogs as a form is; a unit of the template alone is told."""
    held = await desk.templates.publish(template("flow-bench"), "test")
    wrong = await desk.templates.publish(template("flow-bench", k_factor="dev_eui", **{"1.0.0": "1.0.1"}), "test")
    subject = await desk.device(SERIAL)
    raw = document("flow-bench", subject, SERIAL, {})
    before = await desk.state()

    good, bad = await desk.protocols.check(held.reference, raw), await desk.protocols.check(wrong.reference, raw)
    with pytest.raises(InputError) as refused:
        await desk.protocols.sign(wrong.reference, raw, "test")

    pointer = "/adjustment/k_factor_after"
    assert [(r.pointer, r.rule) for r in good.remarks if r.severity == "error"] == []
    assert (pointer, "catalog:unit-dimension") in [(r.pointer, r.rule) for r in good.remarks]
    assert [(r.pointer, r.rule) for r in bad.remarks if r.severity == "error"] == [(pointer, "catalog:value-eui")]
    assert (refused.value.values["rule"], refused.value.values["pointer"]) == ("catalog:value-eui", pointer)
    assert await desk.state() == before


async def test_document_dated_before_production_is_refused(desk: Desk, act: HeldTemplate) -> None:
    """Neither the day of a verification nor its term is before the day on which the device was made."""
    subject = await desk.device(SERIAL)
    row = ParameterRow(code=Reference(central="manufactured_on"), value="2025-05-20")
    await desk.ledger.append([drafts.parameters(subject, ParametersBody(rows=(row,)), 1)])

    early = await desk.protocols.check(act.reference, verification(subject, SERIAL, date="2025-05-15"))
    await desk.protocols.check(act.reference, verification(subject, SERIAL))

    assert ("/date", "extract-before-made") in [(r.pointer, r.code) for r in early.remarks if r.severity == "error"]


async def test_place_of_an_event_is_the_authors_where_the_document_names_none(desk: Desk, act: HeldTemplate) -> None:
    """Where is the organisation's own place, marked as a default."""
    subject = await desk.device(SERIAL)

    await desk.protocols.sign(act.reference, verification(subject, SERIAL), "test")

    where = rows(await desk.view(subject), "events")[0]["where"]
    assert isinstance(where, dict)
    assert (where["default"], at(where, "place", "local")) == (True, "цех Демо")


async def test_place_that_a_document_names_with_a_slip_refuses_it(desk: Desk) -> None:
    """A mistyped id of a place becomes no place code; the right one is a reference to the object."""
    root = json.loads(template("verification"))
    root["x-epd-template"]["extract"][2]["where"] = "/location"
    root["properties"]["location"] = {"type": "string"}
    held = await desk.templates.publish(json.dumps(root, ensure_ascii=False).encode(), "test")
    subject = await desk.device(SERIAL)
    house = format_device_id(SubjectId(bytes(16)))

    slip, right = (verification(subject, SERIAL, location=named) for named in (house[:-1] + "1", house))

    with pytest.raises(InputError) as refused:
        await desk.protocols.sign(held.reference, slip, "test")

    assert "place-mistyped" in codes(refused.value)
    await desk.protocols.sign(held.reference, right, "test")
    assert [at(row, "where", "object") for row in rows(await desk.view(subject), "events")] == ["00" * 16]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"when": "/protocol_no"}, "extract-no-time"),
        ({"when": "/metrologist/position"}, "extract-personal"),
        ({"when": "/fif_record/vri_id"}, "extract-no-time"),
    ],
)
async def test_event_that_cannot_be_told_refuses_the_document(desk: Desk, changes: dict[str, str], code: str) -> None:
    """An event without a time that can be read, or out of personal data, is refused and not dropped."""
    root = json.loads(template("verification"))
    root["x-epd-template"]["extract"][2] |= changes
    held = await desk.templates.publish(json.dumps(root, ensure_ascii=False).encode(), "test")
    subject = await desk.device(SERIAL)
    person = {"name": "П", "position": "2025-05-15"}

    with pytest.raises(InputError) as refused:
        await desk.protocols.sign(held.reference, verification(subject, SERIAL, metrologist=person), "test")

    assert code in codes(refused.value)


@pytest.mark.parametrize("text", ["a\nb", "\u0000", "\u202egnp.exe", " ", "\u2028"])
async def test_value_that_nobody_would_see_is_not_stated(desk: Desk, text: str) -> None:
    """Neither a value nor a place of an event has line ends, controls or turned text, nor spaces alone."""
    root = json.loads(template("verification"))
    extracted = root["x-epd-template"]["extract"]
    extracted[2]["where"] = "/location"
    extracted.append({"parameter": "control_seal", "pointer": "/seal"})
    root["properties"] |= {"location": {"type": "string"}, "seal": {"type": "string"}}
    held = await desk.templates.publish(json.dumps(root, ensure_ascii=False).encode(), "test")
    subject, before = await desk.device(SERIAL), await desk.state()

    for name in ("location", "seal"):
        changes: dict[str, Any] = {name: text}
        with pytest.raises(InputError) as refused:
            await desk.protocols.sign(held.reference, verification(subject, SERIAL, **changes), "test")
        assert codes(refused.value) == ["extract-unseen"]

    assert await desk.state() == before


async def test_import_file_holds_own_verifications_with_their_persons(desk: Desk, act: HeldTemplate) -> None:
    """The file is valid, in the order of the acts, with the owner and the verifier of the personal parts; no other
    protocol and no other organisation's is in it.
    """
    serials = ["25000001", "25000002", "25000003"]
    subjects = [await desk.device(serial) for serial in serials]
    days = ["2025-05-17", "2025-05-15", "2025-05-16"]
    bench = await desk.templates.publish(template("flow-bench"), "test")
    for number, (subject, serial, day) in enumerate(zip(subjects, serials, days, strict=True), 1):
        term = datetime.date.fromisoformat(day).replace(year=2031) - datetime.timedelta(days=1)
        raw = verification(
            subject, serial, number, date=day, valid_until=term.isoformat(), fif_record=None, owner=f"Владелец {number}"
        )
        await desk.protocols.sign(act.reference, raw, "test")
        await desk.protocols.sign(bench.reference, document("flow-bench", subject, serial, {}), "test")

    everything = (await desk.arshin.make("test")).raw.decode()
    since = (await desk.arshin.make("test", since=datetime.date(2025, 5, 16))).raw.decode()

    for file in (everything, since):
        check_application(file.encode())
    assert [everything.index(serial) for serial in ("25000002", "25000003", "25000001")] == sorted(
        everything.index(serial) for serial in serials
    )
    assert [everything.count(text) for text in ("Владелец ", "Поверитель П.П.", "<gost:result>")] == [3, 3, 3]
    assert ("25000002" in since, since.count("<gost:result>")) == (False, 2)


async def test_import_file_of_nothing_or_of_what_the_register_lacks_is_refused(desk: Desk, act: HeldTemplate) -> None:
    """Without a verification there is no file; what a protocol lacks for the register is named with its place."""
    subject = await desk.device(SERIAL)
    with pytest.raises(InputError) as empty:
        await desk.arshin.make("test")
    await desk.protocols.sign(act.reference, verification(subject, SERIAL, sign_in_passport=None), "test")

    with pytest.raises(InputError, match="/sign_in_passport") as refused:
        await desk.arshin.make("test")

    assert (empty.value.code, refused.value.code) == ("arshin_empty", "arshin_refused")
    assert "ПП-26-000001" in str(refused.value)


async def test_protocol_of_a_stranger_shows_what_may_be_read(tmp_path: Path) -> None:
    """A reader who was not given the personal part sees the document without it, and that it is not whole."""
    async with new_desk(tmp_path / "lab") as lab:
        held = await lab.templates.publish(template("verification"), "test")
        subject = await lab.device(SERIAL)
        signed = await lab.protocols.sign(held.reference, verification(subject, SERIAL), "test")
        await found(tmp_path / "reader", "Читатель", 2)
        async with opened(tmp_path / "reader", 2) as reader:
            await mirror(lab, reader, hidden=("personal",))

            paper = await reader.protocols.paper(subject, ref_text(signed.ref))

            assert isinstance(paper.document, dict)
            assert "owner" not in paper.document
            assert paper.document["protocol_no"] == "ПП-26-000001"
            assert not paper.is_whole
            assert paper.held is not None
            with pytest.raises(NotFoundError):
                await reader.protocols.paper(subject, "00:0:00")
        await found(tmp_path / "public", "Прохожий", 3)
        async with opened(tmp_path / "public", 3) as public:
            await mirror(lab, public, hidden=("document", "personal"))

            nothing = await public.protocols.paper(subject, ref_text(signed.ref))

            assert (nothing.document, nothing.is_whole) == (None, False)


async def test_lab_without_accreditation_verifies_nothing(tmp_path: Path) -> None:
    """The protocol of an organisation that nobody attested stands as a working word and lifts no repair."""
    await found(tmp_path, "Ничей", 3)
    async with opened(tmp_path, 3) as desk:
        genesis = await attest(desk, b"\x01" * 16)
        held = await desk.templates.publish(template("verification"), "test")
        plain = await desk.device(SERIAL)

        await desk.protocols.sign(held.reference, verification(plain, SERIAL), "test")

        assert [event["standing"] for event in rows(await desk.view(plain), "events")] == ["working"]
        await join(desk, genesis)
        await desk.ledger.append(
            [drafts.attestation(Attestation(genesis.id, Attested.ACCREDITATION, desk.org, ("RA.RU.000000",)), NOW)]
        )
        assert [event["standing"] for event in rows(await desk.view(plain), "events")] == ["stated"]
