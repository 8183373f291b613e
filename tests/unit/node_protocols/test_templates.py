"""Publishing templates and finding them, at the publisher and wherever the publication is held."""

import asyncio
from pathlib import Path

import pytest

from federation.authority import Kind
from node.errors import InputError, NotFoundError, StateError
from node.passport.drafts import Draft, DraftSection
from node.passport.references import ref_text
from node.passport.shown import at
from node.passport.templates.findings import State
from node.services.templates import HeldTemplate
from tests.unit.node_protocols.builders import found, mirror, new_desk, opened, template, verification


async def test_published_template_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    """Publisher with name and version, place, id and digest all lead to one template."""
    async with new_desk(tmp_path) as desk:
        held = await desk.templates.publish(template("verification"), "test")

        found_by = [await desk.templates.get(name) for name in sorted(held.names)]

        assert held.reference == f"{desk.org.hex()}/verification/1.0.0"
        assert {ref_text(item.ref) for item in found_by} == {ref_text(held.ref)}
        assert [item.held.reference for item in await desk.templates.list() if item.held] == [held.reference]
        with pytest.raises(NotFoundError, match="held here"):
            await desk.templates.get("urn:epd:template:org:lab:verification:1.0.0")


async def test_template_is_published_once_and_a_version_is_never_changed(tmp_path: Path) -> None:
    """The same bytes are not said again, and other bytes under one version are refused, at once too."""
    async with new_desk(tmp_path) as desk:
        raw = template("verification")
        said = [desk.templates.publish(one, "test") for one in (raw, raw, raw + b"\n")]
        first, at_once, other = await asyncio.gather(*said, return_exceptions=True)
        before = await desk.state()
        assert isinstance(first, HeldTemplate)
        assert isinstance(at_once, HeldTemplate)
        assert (at_once.ref, type(other)) == (first.ref, StateError)

        again = await desk.templates.publish(template("verification"), "test")
        with pytest.raises(StateError, match="raise the version"):
            await desk.templates.publish(template("verification") + b"\n", "test")

        assert again.ref == first.ref
        assert await desk.state() == before
        assert await desk.templates.newest_own("verification") == again
        later = await desk.templates.publish(template("verification").replace(b'"1.0.0"', b'"1.1.0"'), "test")
        assert await desk.templates.newest_own("verification") == later


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b'"additionalProperties": false', b'"$dynamicRef": "#x"', "dynamicRef"),
        (b'"format": "date"', b'"$ref": "http://example.com/x"', r"\$ref"),
        (b'"tolerance": 0.01', b'"tolerance": -1', "rules/4/tolerance"),
        (b'"x-epd-template"', b'"x-epd-other"', "x-epd-template"),
        (b"{", b"[", "JSON"),
    ],
)
async def test_hostile_template_is_refused_with_what_it_broke(
    tmp_path: Path, old: bytes, new: bytes, named: str
) -> None:
    """What this node does not run is refused by name, and nothing is written."""
    async with new_desk(tmp_path) as desk:
        before = await desk.state()

        with pytest.raises(InputError, match=named) as refused:
            await desk.templates.publish(template("verification").replace(old, new, 1), "test")

        assert refused.value.code == "template_refused"
        assert await desk.state() == before


async def test_publication_that_does_not_run_here_is_listed_with_its_reason(tmp_path: Path) -> None:
    """A stranger's hostile template stands in the list, and asking for it tells why it does not run."""
    async with new_desk(tmp_path) as desk:
        draft = Draft(Kind.TEMPLATE, (desk.org,), 1, (DraftSection("template", b'{"$id": 1}', 0),))  # type: ignore[arg-type]  # any class number may come
        await desk.ledger.append([draft])

        listed = await desk.templates.list()

        assert [item.held for item in listed] == [None]
        assert [("x-epd-template" in listed[0].trouble[language]) for language in ("ru", "en")] == [True, True]
        with pytest.raises(InputError, match="refused"):
            await desk.templates.get(ref_text(listed[0].ref))


@pytest.mark.req("B60")
async def test_another_node_fills_in_a_template_that_it_never_saw(tmp_path: Path) -> None:
    """A lab's template reaches a node with its publication, and runs there with the rules the lab gave it."""
    async with new_desk(tmp_path / "lab") as lab:
        held = await lab.templates.publish(template("verification", verification="our-own-act"), "test")
        await lab.device("25000017")
        await found(tmp_path / "other", "Другой", 2)
        async with opened(tmp_path / "other", 2) as other:
            await mirror(lab, other)
            good = verification("25000017", "25000017")

            checked = await other.protocols.check(held.reference, good)
            signed = await other.protocols.sign(held.reference, good, "test")
            bad = good.replace(b'"valid_until":"2031-05-14"', b'"valid_until":"2031-05-15"')
            with pytest.raises(InputError, match="date_plus_months_minus_day"):
                await other.protocols.sign(held.reference, bad, "test")

            assert checked.state is State.VALID
            row = (await other.protocols.paper(signed.subject, ref_text(signed.ref))).row
            assert row["by"] == other.org.hex()
            assert at(row, "template", "publisher") == lab.org.hex()
            assert at(row, "template", "title") == "Протокол поверки"
