"""A passport as one signed file: it proves itself with no node, and any bit that changes is found and named."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.codec import unpack
from federation.cut import Cut
from federation.fragment import SectionClass
from federation.statements import EndNodeBody, EndReason
from node.exchange import verify_passport
from node.exchange.errors import PassportFileError
from node.exchange.file_report import report_file
from node.exchange.passport_check import check_file
from node.exchange.passport_file import LENGTH, MAGIC, cut_file
from node.passport.ids import parse_device_id
from node.passport.shown import rows
from node.services.access import Scope
from tests.conformance.files import PUBLICATION, FileError, read_file
from tests.integration.test_web_keys import state
from tests.nodes import command
from tests.unit.node_protocols.builders import DESIGNATION, document, template
from tests.unit.web.running import RunningWeb, post, problem_code

PLATE = {"designation": DESIGNATION, "serial": "00012345"}
PART = {"position": "плата", "designation": "П-1", "serial": "18", "removed_serial": "17"}
FLIPS = 250
VERIFIER = Path(verify_passport.__file__).read_text(encoding="utf-8")
KEPT = Path(__file__).parent.parent / "vectors" / "files" / "version-1.passport"


async def mended(web: RunningWeb) -> str:
    """A device of a federation with a replaced part and a verification protocol, all of it under a checkpoint."""
    client = web.local()
    web.context.membership.url = "https://meters.example"
    await web.context.membership.publish_card()
    await post(client, "/federation", {"name": "Демо"})
    device = str((await post(client, "/plates", PLATE))["id"])
    await post(client, f"/passports/{device}/repairs", {"where": "цех", "when": "2026-05-01", "parts": [PART]})
    async with client.post("/api/v1/templates", data=template("verification")) as response:
        reference = (await response.json())["reference"]
    raw = document("verification", device, "00012345", {})
    async with client.post("/api/v1/protocols", params={"template": reference}, data=raw) as response:
        assert response.status == 201, await response.text()
    await web.context.ledger.publish()
    return device


async def file_of(client: ClientSession, device: str, **query: str) -> bytes:
    async with client.get(f"/api/v1/passports/{device}/file", params=query) as response:
        assert response.status == 200, await response.text()
        assert f'filename="passport-{device}-2026-09-21.passport"' in response.headers["Content-Disposition"]
        return await response.read()


async def refusal(client: ClientSession, path: str, **query: str) -> tuple[int, str]:
    async with client.get(f"/api/v1{path}", params=query) as response:
        return response.status, await problem_code(response)


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


@pytest.mark.req("B09")
async def test_file_folds_to_the_passport_that_the_node_shows(web: RunningWeb) -> None:
    """What the file holds gives the same view byte for byte; every fragment is signed and under a checkpoint."""
    device = await mended(web)
    async with web.local().get(f"/api/v1/passports/{device}") as response:
        answer = await response.json()

    checked = check_file(await file_of(web.local(), device))

    assert checked.findings == []
    assert checked.manifest.digest.hex() == answer["digest"]
    assert checked.view == answer["view"]
    assert checked.manifest.subjects[0] == parse_device_id(device).raw
    about = {entry.fragment.id.hex() for entry in checked.entries if not entry.is_publication}
    assert about == {row["id"] for row in answer["view"]["statements"]}
    assert checked.proven == len(checked.entries) > len(about)
    assert "passport_exported" in await web.what()


async def test_files_out_of_one_snapshot_are_those_that_are_written_alone(web: RunningWeb) -> None:
    """What several passports have in common is read once, and stands in the file of each as if it were alone."""
    devices = [parse_device_id(await mended(web)).raw]
    for serial in ("00012346", "00012347"):
        plate = await post(web.local(), "/plates", {**PLATE, "serial": serial})
        devices.append(parse_device_id(str(plate["id"])).raw)
    await web.context.ledger.publish()
    files, held = web.context.passport_files, await web.context.profiles.get("owner")

    together = await files.write_many(devices, "anna", None, held)

    assert [file.subject for file in together] == devices
    for file in together:
        alone, checked = (
            cut_file((await files.write(file.subject, "anna", None, held)).content),
            check_file(file.content),
        )
        assert cut_file(file.content).parts == alone.parts
        assert (checked.findings, checked.manifest.digest) == ([], alone.manifest.digest)
    assert (await web.what()).count("passport_exported") == 2 * len(devices)


async def test_any_flipped_bit_is_found(web: RunningWeb) -> None:
    """Wherever one bit changes, the check refuses the file or names what does not hold."""
    raw = await file_of(web.local(), await mended(web))
    step = len(raw) // FLIPS
    found, refused = 0, 0

    for number, at in enumerate(range(0, len(raw), step)):
        try:
            findings = check_file(flipped(raw, at, number % 8)).findings
        except PassportFileError:
            refused += 1
            continue
        assert findings, f"byte {at}"
        found += 1

    # Only a manifest that cannot be read at all leaves nothing to check by.
    assert found > refused


async def test_altered_section_is_named_with_its_fragment(web: RunningWeb) -> None:
    """A bit of a section, of a header and of a proof is told with the entry, and a section by its name."""
    raw = await file_of(web.local(), await mended(web))
    entry = next(e for e in check_file(raw).entries if e.fragment.section("event") and not e.is_publication)
    event = entry.fragment.section("event")
    assert event is not None
    assert entry.proof is not None
    place = f"entry {entry.seq} of log {entry.log.hex()}"

    def told(needle: bytes) -> list[str]:
        return [str(item) for item in check_file(flipped(raw, raw.index(needle) + 5)).findings if item.where == place]

    assert told(event.data) == [f"{place}: section event was altered: it is not under its commitment"]
    assert told(entry.fragment.signature)[0].startswith(f"{place}: the header or the signature was altered")
    assert told(entry.fragment.header)[0].startswith(f"{place}: the header or the signature was altered")


async def test_file_that_was_cut_or_grew_is_told(web: RunningWeb) -> None:
    """A file without its end names the entries that it lost; bytes after the end, and no file at all, are told too."""
    raw = await file_of(web.local(), await mended(web))

    assert any("cut off" in item.what for item in check_file(raw[:-1]).findings)
    assert [str(item) for item in check_file(raw + b"x").findings] == ["file: 1 bytes stand after its end"]
    for broken in (b"", b"PK\x03\x04", raw[: len(MAGIC) + 2], raw[: len(MAGIC) + LENGTH + 10]):
        with pytest.raises(PassportFileError):
            check_file(broken)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_or_refused(raw: bytes) -> None:
    """No bytes make the reader fail in another way than its own error."""
    for content in (raw, MAGIC + len(raw).to_bytes(LENGTH, "big") + raw):
        with pytest.raises(PassportFileError):
            check_file(content)


async def test_file_for_a_party_holds_what_it_may_read(web: RunningWeb) -> None:
    """An organisation that was let in gets headers with the sections of its right; the rest is counted as withheld."""
    client = web.local()
    device, lab, stranger = await mended(web), await web.meet("lab"), await web.meet("stranger")
    await post(client, "/shares", {"org": lab, "ids": [device]})
    whole = check_file(await file_of(client, device))

    shared = check_file(await file_of(client, device, party=lab))

    assert shared.findings == []
    assert shared.manifest.party == bytes.fromhex(lab)
    assert [e.fragment.id for e in shared.entries if not e.is_publication] == [
        e.fragment.id for e in whole.entries if not e.is_publication
    ]
    hidden = [s for row in rows(shared.view, "statements") for s in rows(row, "sections") if not s["present"]]
    assert {section["name"] for section in hidden} == {"personal"}
    assert {section["class"] for section in hidden} == {SectionClass.PERSONAL}
    assert await refusal(client, f"/passports/{device}/file", party=stranger) == (404, "passport_unknown")
    assert await refusal(client, f"/passports/{device}/file", party="00" * 16) == (404, "org_unknown")
    assert await refusal(client, f"/passports/{device}/file", party="lab") == (422, "validation")


def test_file_of_the_first_version_is_still_read() -> None:
    """A file that an earlier program wrote under a profile holds as it did, and any bit of it that changes is found."""
    raw = KEPT.read_bytes()

    checked = check_file(raw)

    assert checked.findings == []
    assert (checked.manifest.version, checked.manifest.profile, len(checked.said)) == (1, None, 5)
    for at in range(20, len(raw), len(raw) // 40):
        try:
            assert check_file(flipped(raw, at)).findings
        except PassportFileError:
            assert at < 900


async def test_ended_node_writes_no_file(web: RunningWeb) -> None:
    """What it would sign after its organisation ended it is refused by every reader of that chain."""
    device = await mended(web)
    await state(web, EndNodeBody(web.context.core.node, EndReason.STOLEN, Cut()))

    assert await refusal(web.local(), f"/passports/{device}/file") == (409, "node_ended")


async def test_file_needs_the_right_to_read(web: RunningWeb) -> None:
    """A token that may read gets the file, one that may only import does not."""
    device = await mended(web)
    reader, importer = await web.system(Scope.READ), await web.system(Scope.IMPORT, name="importer")

    assert (await file_of(reader, device)).startswith(MAGIC)
    assert await refusal(importer, f"/passports/{device}/file") == (403, "scope")


async def test_command_tells_who_signed_and_what_was_altered(web: RunningWeb, tmp_path: Path) -> None:
    """`check-file` needs no node: it names signers and what was altered; the verifier is handed out to anybody."""
    device = await mended(web)
    raw = await file_of(web.local(), device)
    good, bad = tmp_path / "good.passport", tmp_path / "bad.passport"
    good.write_bytes(raw)
    bad.write_bytes(flipped(raw, len(raw) - 40))
    async with web.local().get("/api/v1/federation") as response:
        fingerprint = (await response.json())["fingerprint"]

    done = await asyncio.to_thread(command, "check-file", str(good), "--fingerprint", fingerprint)
    altered = await asyncio.to_thread(command, "check-file", str(bad))
    absent = await asyncio.to_thread(command, "check-file", str(tmp_path / "none"))
    program = await asyncio.to_thread(command, "verifier")
    async with web.client().get("/api/v1/verifier") as response:
        handed = await response.text()

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "nothing is wrong"), done.stdout + done.stderr
    for words in (device, "ООО «Счётчик»", fingerprint, "as expected", f"{DESIGNATION} № 00012345"):
        assert words in done.stdout
    assert altered.returncode == 1
    assert "entry " in altered.stdout
    assert altered.stdout.splitlines()[-1].endswith("findings")
    assert program.stdout == handed == VERIFIER
    assert absent.returncode == 1
    assert "name a passport file" in absent.stderr
    assert [item.where for item in report_file(raw, "0" * 32).findings] == ["federation"]
    with pytest.raises(PassportFileError, match="eight groups"):
        report_file(raw, "0000")


async def test_manifest_is_canonical_and_signed_by_the_node(web: RunningWeb) -> None:
    """The head is canonical msgpack as docs/files.md has it, and names the node that wrote it and the moment."""
    raw = await file_of(web.local(), await mended(web))
    size = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + LENGTH], "big")
    head = unpack(raw[len(MAGIC) + LENGTH :][:size])
    assert isinstance(head, list)
    assert isinstance(head[0], bytes)
    manifest = unpack(head[0])
    assert isinstance(manifest, list)

    core = web.context.core
    assert [*manifest[:3], manifest[4]] == [2, core.org, core.node, None]
    assert 0 < web.clock.now() - int(str(manifest[3])) < 1_000
    sizes = [row[1] for row in manifest[12] if isinstance(row, list)]  # type: ignore[union-attr]  # a list of rows
    assert len(MAGIC) + LENGTH + size + sum(sizes) == len(raw)  # type: ignore[arg-type]  # sizes are numbers


async def test_second_reader_takes_the_file_from_the_documents_alone(web: RunningWeb) -> None:
    """A reader written from docs/files.md and docs/protocol.md finds the same entries, all signed and proven."""
    raw = await file_of(web.local(), await mended(web))
    ours = check_file(raw)

    theirs = read_file(raw)

    assert sorted(entry["id"] for entry in theirs) == sorted(entry.fragment.id for entry in ours.entries)
    assert all(entry["proven"] for entry in theirs)
    assert sum(entry["kind"] == PUBLICATION for entry in theirs) == sum(e.is_publication for e in ours.entries)
    said = next(entry["sections"]["nameplate"] for entry in theirs if "nameplate" in entry["sections"])
    assert b"00012345" in said
    with pytest.raises(FileError):
        read_file(flipped(raw, len(raw) - 40))
