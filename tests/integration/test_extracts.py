"""Extracts of one device under the shipped profiles: they differ to the section as docs/profiles.md says."""

import zlib
from collections import Counter
from re import findall

import pytest

from federation.authority import Kind
from federation.fragment import Ref
from node.exchange import verify_passport as small
from node.passport.ids import parse_device_id
from node.passport.profiles import SHIPPED
from node.store.fragments import entries_about
from tests import profiles_page
from tests.builders import id16
from tests.extracts import SECTIONS, STATEMENTS, Said, story
from tests.integration.test_passport_file import file_of
from tests.integration.test_passport_papers import pages
from tests.unit.web.running import RunningWeb, get, post

PLATE = {"designation": "ВС-15Д", "serial": "00012345"}
HEADERLESS = "public"


async def told_of(web: RunningWeb) -> str:
    """A device of a federation of which everything is said, all of it under a checkpoint."""
    client, parts = web.local(), web.context
    parts.membership.url = "https://meters.example"
    await parts.membership.publish_card()
    await post(client, "/federation", {"name": "Демо"})
    device = str((await post(client, "/plates", PLATE))["id"])
    subject, others = parse_device_id(device).raw, [id16(f"extract/{number}") for number in range(len(STATEMENTS))]
    async with parts.core.database.read() as tx:
        (first,) = [one for one in await entries_about(tx, [subject]) if one.void is None]
    ref = Ref(first.log, first.seq, first.to_fragment().id[:16])
    await parts.ledger.append(story(subject, others, ref, parts.core.clock.now()))
    await parts.ledger.publish()
    return device


def carries(raw: bytes, said: Said) -> bool:
    """Whether bytes hold the canary of a section, as it is, or as bytes where it is hex."""
    forms = [said.canary.encode(), said.canary.upper().encode()]
    if all(letter in "0123456789abcdef" for letter in said.canary):
        forms.append(bytes.fromhex(said.canary))
    return any(form in raw for form in forms)


def written_out(pdf: bytes) -> bytes:
    """A PDF as it is, what its streams inflate to, and the text of its pages."""
    streams = findall(rb"(?s)stream\n(.*?)\nendstream", pdf)
    inflated = [zlib.decompressobj().decompress(one) for one in streams if one[:1] == b"x"]
    assert inflated
    return b"\n".join([pdf, *inflated, " ".join(pages(pdf)).encode()])


@pytest.mark.req("B72")
async def test_extracts_differ_exactly_as_the_table_says(web: RunningWeb) -> None:
    """Under each profile the sections of the table stand in the file and no other; each file verifies without a node; a
    resident's name and flat, keys, prices and costs are in no other profile's file, view or document.
    """
    client, device = web.local(), await told_of(web)
    table = profiles_page.read_extracts(profiles_page.PAGE.read_text(encoding="utf-8"))
    mark = (await get(client, "/federation"))["fingerprint"].replace(" ", "")
    assert set(table) == set(SHIPPED)

    for name in SHIPPED:
        raw = await file_of(client, device, profile=name)
        async with client.get(f"/api/v1/passports/{device}/issue", params={"profile": name}) as response:
            view = await response.read()
        async with client.get(f"/api/v1/passports/{device}/pdf", params={"profile": name}) as response:
            pdf = written_out(await response.read())
        file = small.File(raw)

        assert (file.accused, small.report(file, mark, 0)[1], file.profile[:2]) == ({}, 0, [name, "1"])
        stand = {(Kind(one.kind).name.lower(), section) for one in about(file) for section in one.sections}
        assert stand == table[name], name
        assert (file.withheld, file.left_out) == withheld(table[name], headers=name != HEADERLESS), name
        counted = sum(count for *_, count in file.withheld)
        assert f"не показано заявлений {file.left_out}, закрыто разделов {counted}".encode() in pdf, name
        for said in (one for one in SECTIONS if one.has_canary):
            may = (said.kind.name.lower(), said.section) in table[name]
            assert carries(raw, said) is may, (name, said)
            assert may or not (carries(view, said) or carries(pdf, said)), (name, said)


def about(file: small.File) -> list[small.Entry]:
    """The statements about the device."""
    return [one for one in file.entries if one.part.kind == small.ENTRY]


def withheld(stands: frozenset[tuple[str, str]], *, headers: bool) -> tuple[list[list[object]], int]:
    """What is counted as withheld, and how many statements are left out whole, where these sections stand in a file."""
    counted, left_out = Counter[tuple[int, str]](), 0
    for kind, sections in STATEMENTS:
        hidden = [(int(klass), name) for name, klass in sections if (kind.name.lower(), name) not in stands]
        if headers or len(hidden) < len(sections):
            counted.update(hidden)
        else:
            left_out += 1
    return [[*key, counted[key]] for key in sorted(counted)], left_out
