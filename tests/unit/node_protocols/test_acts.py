"""Acts of two parties, each signing the same document on its own node, over real stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from federation.genesis import Genesis
from node.errors import DeniedError, InputError, StateError
from node.passport import drafts
from node.passport.bodies import AnnulmentBody, EventBody, Place, Reference, UnsignedBody, UnsignedRow
from node.passport.references import ref_text
from node.passport.shown import at, rows
from node.passport.view import View, digest
from node.services.papers import Beside
from node.services.templates import HeldTemplate
from node.store.genesis import FEDERATION
from node.store.settings import find_setting
from tests.unit.node_protocols.builders import (
    Desk,
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
EXECUTOR, UTILITY = "process_executor", "process_owner"


@dataclass
class Pair:
    """The executor of a commissioning and the utility that has to sign it too, with the device and the act."""

    one: Desk
    two: Desk
    held: HeldTemplate
    subject: bytes
    raw: bytes

    async def meet(self) -> None:
        """Each node has what the other said."""
        await mirror(self.one, self.two)
        await mirror(self.two, self.one)


@asynccontextmanager
async def pair(folder: Path, utility: str = "") -> AsyncIterator[Pair]:
    """Both nodes know the template and the verified device; the document names both, or another utility."""
    await found(folder / "two", "Второй", 2)
    async with new_desk(folder / "one") as one, opened(folder / "two", 2) as two:
        async with one.core.database.read() as tx:
            genesis = Genesis.from_bytes(await find_setting(tx, FEDERATION) or b"")
        await join(two, genesis)
        held = await one.templates.publish(template("commissioning"), "test")
        act = await one.templates.publish(template("verification"), "test")
        subject = await one.device(SERIAL)
        await one.protocols.sign(act.reference, verification(subject, SERIAL), "test")
        named = {"executor": {"org": one.org.hex()}, "utility": {"org": utility or two.org.hex()}}
        pair = Pair(one, two, held, subject, document("commissioning", subject, SERIAL, named))
        await mirror(one, two)
        yield pair


def acts(view: View) -> list[View]:
    return [row for row in rows(view, "protocols") if row["act"] is not None]


def sides(view: View) -> dict[str, View]:
    """The sides of the act by their roles."""
    return {str(side["role"]): side for side in rows(acts(view)[0], "act", "sides")}


def events(view: View) -> list[tuple[object, object]]:
    return [(at(event, "what", "central"), event["standing"]) for event in rows(view, "events")]


async def test_first_signature_is_one_sided_and_its_events_wait(tmp_path: Path) -> None:
    """The act stands as stated with one side open, its events are withheld, and the other party has it in its list."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        again = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        await mirror(both.one, both.two)

        view = await both.two.view(both.subject)
        assert (first.waits_for, again.is_new) == (1, False)
        assert (acts(view)[0]["standing"], at(acts(view)[0], "act", "agreed")) == ("stated", False)
        assert (sides(view)[EXECUTOR]["by"], sides(view)[UTILITY]["by"]) == (both.one.org.hex(), None)
        assert sides(view)[UTILITY]["org"] == both.two.org.hex()
        assert events(view) == [("verified", "stated")]
        assert [act.ref for act in await both.two.acts.waiting(signs=True)] == [ref_text(first.ref)]
        assert [act.ref for act in await both.one.acts.waiting(signs=False)] == [ref_text(first.ref)]
        assert await both.two.acts.waiting(signs=False) == []


async def test_second_signature_of_the_same_document_makes_the_act_agreed(tmp_path: Path) -> None:
    """The utility signs what it may read of the act: its events arise once, agreed, alike on both nodes."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        await mirror(both.one, both.two, hidden=("personal",))

        second = await both.two.acts.sign(both.subject, ref_text(first.ref), "test")
        again = await both.two.acts.sign(both.subject, ref_text(first.ref), "test")

        await mirror(both.two, both.one)
        here, there = await both.one.view(both.subject), await both.two.view(both.subject)
        assert (second.waits_for, second.state.value, again.is_new) == (0, "valid", False)
        assert (
            events(here) == events(there) == [("verified", "stated"), ("installed", "agreed"), ("admitted", "agreed")]
        )
        assert {row["standing"] for row in acts(there)} == {"agreed"}
        assert len({row["document"] for row in acts(there)}) == 1
        assert not any(side["late"] for side in sides(here).values())
        assert await both.two.acts.waiting(signs=True) == await both.one.acts.waiting(signs=False) == []


async def test_both_may_sign_at_once_without_having_seen_the_other(tmp_path: Path) -> None:
    """Two first signatures of one document are one act, whichever comes first, and its events arise once."""
    async with pair(tmp_path) as both:
        await both.one.protocols.sign(both.held.reference, both.raw, "test")
        await both.two.protocols.sign(both.held.reference, both.raw, "test")
        await both.meet()

        here = await both.one.view(both.subject)
        assert events(here)[1:] == [("installed", "agreed"), ("admitted", "agreed")]
        assert [len(row["told"]) for row in rows(here, "events")][1:] == [2, 2]  # type: ignore[arg-type]  # a list


async def test_reason_stands_beside_the_open_side_and_a_later_signature_is_late(tmp_path: Path) -> None:
    """Who signed says that the other gave no answer, with a day and a paper; a signature after that is marked late."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        told = UnsignedRow(role=UTILITY, why="no-answer", until="2026-05-20", document="Письмо № 4", note="звонили")
        await both.one.acts.explain(both.subject, ref_text(first.ref), [told], "test")
        await mirror(both.one, both.two)

        reason = sides(await both.two.view(both.subject))[UTILITY]["reason"]
        await both.two.acts.sign(both.subject, ref_text(first.ref), "test")

        late = sides(await both.two.view(both.subject))[UTILITY]
        assert isinstance(reason, dict)
        assert (reason["why"], reason["until"], reason["document"], reason["by"]) == (
            "no-answer", "2026-05-20", "Письмо № 4", both.one.org.hex(),
        )  # fmt: skip
        assert (late["late"], at(late, "reason", "why")) == (True, "no-answer")
        assert at(acts(await both.two.view(both.subject))[0], "act", "agreed") is True


async def test_reason_may_be_given_with_the_signature(tmp_path: Path) -> None:
    """A party without a node is named so in the very statement that signs; roles that are not lacking are refused."""
    async with pair(tmp_path) as both:
        own = Beside(unsigned=(UnsignedRow(role=EXECUTOR, why="absent"),))
        with pytest.raises(InputError) as refused:
            await both.one.protocols.sign(both.held.reference, both.raw, "test", beside=own)

        beside = Beside(unsigned=(UnsignedRow(role=UTILITY, why="no-node"),))
        await both.one.protocols.sign(both.held.reference, both.raw, "test", beside=beside)

        side = sides(await both.one.view(both.subject))[UTILITY]
        assert (refused.value.code, at(side, "reason", "why"), side["late"]) == ("act_role", "no-node", False)


async def test_objection_is_shown_and_leaves_the_act_one_sided(tmp_path: Path) -> None:
    """The other party says what it does not agree with; nobody objects in its name."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        await mirror(both.one, both.two)
        against = UnsignedRow(role=UTILITY, why="objects", note="Пломба не наша")
        with pytest.raises(InputError) as foreign:
            await both.one.acts.explain(both.subject, ref_text(first.ref), [against], "test")

        await both.two.acts.explain(both.subject, ref_text(first.ref), [against], "test")

        await mirror(both.two, both.one)
        side = sides(await both.one.view(both.subject))[UTILITY]
        assert foreign.value.code == "act_objection"
        assert (at(side, "reason", "note"), at(side, "reason", "by")) == ("Пломба не наша", both.two.org.hex())
        assert events(await both.one.view(both.subject)) == [("verified", "stated")]


async def test_organisation_that_the_document_does_not_name_signs_nothing(tmp_path: Path) -> None:
    """Neither as the first nor as the second party, and it gives no reasons; what it says by itself fills no side."""
    async with pair(tmp_path, utility="ab" * 16) as both:
        with pytest.raises(InputError) as first_refused:
            await both.two.protocols.sign(both.held.reference, both.raw, "test")
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        await mirror(both.one, both.two)
        place = ref_text(first.ref)
        with pytest.raises(DeniedError) as signing:
            await both.two.acts.sign(both.subject, place, "test")
        with pytest.raises(DeniedError) as telling:
            await both.two.acts.explain(both.subject, place, [UnsignedRow(role=UTILITY, why="refused")], "test")

        forged = UnsignedBody(rows=(UnsignedRow(role=UTILITY, why="refused"),))
        await both.two.ledger.append([drafts.unsigned(both.subject, forged, first.ref, 1)])

        side = sides(await both.two.view(both.subject))[UTILITY]
        assert {first_refused.value.values["rule"]} == {"parties"}
        assert (signing.value.code, telling.value.code) == ("act_not_party", "act_not_party")
        assert (side["by"], side["reason"]) == (None, None)


async def test_document_that_was_replaced_meanwhile_is_not_signed(tmp_path: Path) -> None:
    """The author signed another document in its place: the old one is refused with the place of the new."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        other = both.raw.replace("А-2025-0117".encode(), "А-2025-0118".encode())
        newer = await both.one.protocols.sign(both.held.reference, other, "test", beside=Beside(refs=(first.ref,)))
        await mirror(both.one, both.two)

        with pytest.raises(StateError) as refused:
            await both.two.acts.sign(both.subject, ref_text(first.ref), "test")

        assert (refused.value.code, refused.value.values["ref"]) == ("act_replaced", ref_text(newer.ref))
        assert [act.ref for act in await both.two.acts.waiting(signs=True)] == [ref_text(newer.ref)]


async def test_document_that_was_annulled_meanwhile_is_not_signed(tmp_path: Path) -> None:
    """It is refused with its author's reason, and waits for nobody."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        event = EventBody(what=Reference(central="annulled"), where=Place(place=Reference(local="л")), system="t")
        body, now = AnnulmentBody(reason="не тот прибор"), both.one.core.clock.now()
        await both.one.ledger.append([drafts.annulment(both.subject, [first.ref], body, event, now)])
        await mirror(both.one, both.two)

        with pytest.raises(StateError) as refused:
            await both.two.acts.sign(both.subject, ref_text(first.ref), "test")

        assert (refused.value.code, refused.value.values["reason"]) == ("act_annulled", "не тот прибор")
        assert await both.two.acts.waiting(signs=True) == await both.one.acts.waiting(signs=False) == []


async def test_act_whose_template_comes_last_is_agreed_once_it_is_there(tmp_path: Path) -> None:
    """Both signatures are here, the publication of a third organisation is not: with it they become one act."""
    await found(tmp_path / "late", "Опоздавший", 3)
    await found(tmp_path / "publisher", "Издатель", 4)
    async with (
        pair(tmp_path) as both,
        opened(tmp_path / "late", 3) as late,
        opened(tmp_path / "publisher", 4) as publisher,
    ):
        async with both.one.core.database.read() as tx:
            genesis = Genesis.from_bytes(await find_setting(tx, FEDERATION) or b"")
        for desk in (late, publisher):
            await join(desk, genesis)
        held = await publisher.templates.publish(template("commissioning"), "test")
        for desk in (both.one, both.two):
            await mirror(publisher, desk)
        first = await both.one.protocols.sign(held.reference, both.raw, "test")
        await mirror(both.one, both.two)
        await both.two.acts.sign(both.subject, ref_text(first.ref), "test")

        await mirror(both.one, late)
        await mirror(both.two, late)
        before = acts(await late.view(both.subject))
        await mirror(publisher, late)

        view = await late.view(both.subject)
        assert before == []
        assert {(row["standing"], at(row, "act", "agreed")) for row in acts(view)} == {("agreed", True)}
        assert events(view) == [("verified", "stated"), ("installed", "agreed"), ("admitted", "agreed")]


async def test_protocol_of_one_party_is_no_act(tmp_path: Path) -> None:
    """A verification has one signature, and nobody is waited for."""
    async with pair(tmp_path) as both:
        alone = rows(await both.one.view(both.subject), "protocols")[0]

        with pytest.raises(StateError) as refused:
            await both.two.acts.sign(both.subject, str(alone["ref"]), "test")

        assert (alone["act"], refused.value.code) == (None, "act_one_party")


async def test_equal_sets_give_equal_acts_in_any_order_of_arrival(tmp_path: Path) -> None:
    """The node that signed first and the one that signed second hold one and the same passport."""
    async with pair(tmp_path) as both:
        first = await both.one.protocols.sign(both.held.reference, both.raw, "test")
        told = UnsignedRow(role=UTILITY, why="refused")
        await both.one.acts.explain(both.subject, ref_text(first.ref), [told], "test")
        await mirror(both.one, both.two)
        await both.two.acts.sign(both.subject, ref_text(first.ref), "test")
        await both.meet()

        here, there = await both.one.view(both.subject), await both.two.view(both.subject)
        assert [row["standing"] for row in acts(here)] == ["agreed", "agreed"]
        assert digest(here) == digest(there)
