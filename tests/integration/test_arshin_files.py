"""The files for «Аршин» over a real store: what goes into them, what does not, and what the register has wrongly."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from node.errors import InputError, StateError
from node.passport.references import parse_ref
from node.passport.result_cards import ResultState
from node.passport.shown import at, rows
from node.services.arshin import Made, ResultSift, Waiting
from node.services.papers import Beside
from node.services.statements import StatementReader
from node.store.passports import blank_passports, drop_passports
from tests.unit.node_protocols.builders import Desk, new_desk, template, verification
from tests.unit.web.running import RunningWeb, get, post, refused


async def verified(desk: Desk, serial: str, **changes: Any) -> bytes:
    """A device with a signed verification that has no record yet."""
    subject = await desk.device(serial)
    (held,) = [one.held for one in await desk.templates.list() if one.held]
    document = verification(subject, serial, fif_record=None, **changes)
    await desk.protocols.sign(held.reference, document, "test")
    return subject


async def place_of(desk: Desk, subject: bytes) -> str:
    """The place of a device's only protocol."""
    (paper,) = rows(await desk.view(subject), "protocols")
    return str(paper["ref"])


async def test_annulled_result_leaves_the_file_and_the_passport(tmp_path: Path) -> None:
    """New results go into a file once; an annulled one goes into none, and the device is verified no more."""
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("verification"), "test")
        await verified(desk, "25000201")
        first = await desk.arshin.make("test", only_new=True)
        await verified(desk, "25000202")
        third = await verified(desk, "25000203")

        assert await desk.arshin.annul(third, await place_of(desk, third), "перепутан эталон", "test") is None
        last = await desk.arshin.make("test", only_new=True)

        assert [b"25000201" in first.raw, b"25000202" in last.raw, b"25000203" in last.raw] == [True, True, False]
        assert b"25000201" not in last.raw
        assert await desk.arshin.file(first.number) == first.raw
        assert [one.id for one in await desk.arshin.files()] == [last.number, first.number]
        view = await desk.view(third)
        assert (at(view, "verification", "valid_until"), at(view, "verification", "verified")) == (None, None)


async def test_what_the_register_has_wrongly_is_told_until_it_is_settled(tmp_path: Path) -> None:
    """A result annulled or replaced after its file is told with that file until it is settled; the new one is new."""
    async with new_desk(tmp_path) as desk:
        held = await desk.templates.publish(template("verification"), "test")
        devices = [await verified(desk, f"2500022{n}") for n in range(3)]
        made = await desk.arshin.make("test", only_new=True)
        annulled, standing, replaced = [await place_of(desk, device) for device in devices]

        assert await desk.arshin.annul(devices[0], annulled, "ошибка", "test") == made.number
        again = verification(devices[2], "25000222", 2, fif_record=None)
        await desk.protocols.sign(held.reference, again, "test", beside=Beside(refs=(parse_ref(replaced),)))

        gone = await desk.arshin.results(ResultSift(is_gone=True), 10)
        assert {(one.card.ref, one.card.state, one.file) for one in gone} == {
            (annulled, ResultState.ANNULLED, made.number),
            (replaced, ResultState.REPLACED, made.number),
        }
        assert await desk.arshin.waiting() == Waiting(new=1, gone=2)
        with pytest.raises(StateError) as refused:
            await desk.arshin.settle(standing, "test")
        assert refused.value.code == "result_stands"
        await desk.arshin.settle(annulled, "test")
        await desk.arshin.settle(replaced, "test")
        assert await desk.arshin.waiting() == Waiting(new=1, gone=0)
        await refold_every(desk)
        assert await desk.arshin.waiting() == Waiting(new=1, gone=0)
        (new,) = await desk.arshin.results(ResultSift(is_new=True), 10)
        assert (new.card.serial, new.lead) == ("25000222", devices[2])


async def test_results_stay_noted_with_their_file_where_their_passports_are_folded_anew(tmp_path: Path) -> None:
    """A store whose passports were forgotten and folded again knows the files; what counts no more is told as void."""
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("verification"), "test")
        device = await verified(desk, "25000251")
        made = await desk.arshin.make("test", only_new=True)

        async with desk.core.database.write() as tx:
            await drop_passports(tx, [device])

        (void,) = await desk.arshin.results(ResultSift(is_gone=True), 10)
        assert (void.card.state, void.file) == (ResultState.VOID, made.number)
        async with desk.core.database.write() as tx:
            await desk.projection.refold(tx, [device], await StatementReader.open(tx), desk.projection.world)
        (found,) = await desk.arshin.results(ResultSift(), 10)
        assert (found.card.state, found.file) == (ResultState.STANDS, made.number)


async def refold_every(desk: Desk) -> None:
    """Fold every passport as though it had never been."""
    async with desk.core.database.write() as tx:
        await blank_passports(tx)
    await desk.projection.refold_all()


async def test_results_are_in_one_file_whoever_asks_at_once(tmp_path: Path) -> None:
    """Of two who press at the same moment one gets the results and the other that there is nothing new."""
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("verification"), "test")
        for serial in ("25000231", "25000232"):
            await verified(desk, serial)

        both = await asyncio.gather(
            *(desk.arshin.make("test", only_new=True) for _ in range(2)), return_exceptions=True
        )

        made = [one for one in both if isinstance(one, Made)]
        assert [one.raw.count(b"<gost:result>") for one in made] == [2]
        assert [one.code for one in both if isinstance(one, InputError)] == ["arshin_empty"]


async def test_result_is_annulled_once_and_knows_the_file_that_is_being_made(tmp_path: Path) -> None:
    """Whoever annuls while a file is made learns that the result went into it; of two who annul one is refused."""
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("verification"), "test")
        device = await verified(desk, "25000241")
        place = await place_of(desk, device)

        made, *annulled = await asyncio.gather(
            desk.arshin.make("test"),
            *(desk.arshin.annul(device, place, "перепутан эталон", "test") for _ in range(2)),
            return_exceptions=True,
        )

        assert isinstance(made, Made)
        assert annulled[0] == made.number
        assert [one.code for one in annulled if isinstance(one, StateError)] == ["annulled_already"]
        events = rows(await desk.view(device), "events")
        assert [at(event, "what", "central") for event in events].count("verification_annulled") == 1


async def test_result_that_the_register_lacks_something_of_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """The file holds what is fit for it; what is not is told with its reason and goes on waiting."""
    async with new_desk(tmp_path) as desk:
        await desk.templates.publish(template("verification"), "test")
        await verified(desk, "25000241")
        await verified(desk, "25000242", sign_in_passport=None)

        made = await desk.arshin.make("test", only_new=True)

        assert (b"25000241" in made.raw, b"25000242" in made.raw) == (True, False)
        (left,) = made.left_out
        assert left.result.card.serial == "25000242"
        assert left.why.text("ru").endswith("/sign_in_passport: нужно «да» или «нет», здесь null")
        (waiting,) = await desk.arshin.results(ResultSift(is_new=True), 10)
        assert waiting.card.ref == left.result.card.ref


async def test_results_are_paged_and_settled_over_the_api(web: RunningWeb) -> None:
    """A page of results leads to the next; what waits for a file or an annulment is listed alone, and settled once."""
    client = web.local()
    held = await web.context.templates.publish(template("verification"), "test")
    for number in (1, 2):
        plate = {"designation": "ВС-15Д", "serial": f"2500026{number}", "approvals": ["999902-00"]}
        device = str((await post(client, "/plates", plate))["id"])
        document = verification(device, f"2500026{number}", number, fif_record=None)
        async with client.post("/api/v1/protocols", params={"template": held.reference}, data=document) as response:
            assert response.status == 201, await response.text()

    first = await get(client, "/arshin/results", limit="1")
    second = await get(client, "/arshin/results", limit="1", cursor=first["next"])
    one, other = first["items"][0], second["items"][0]
    assert ({one["serial"], other["serial"]}, second["next"]) == ({"25000261", "25000262"}, None)
    await post(client, "/arshin/files", {})
    await post(client, f"/passports/{one['id']}/protocols/{one['ref']}/annul", {"reason": "ошибка"})
    assert (await get(client, "/arshin/results", waits="file"))["items"] == []
    (gone,) = (await get(client, "/arshin/results", waits="annulment"))["items"]
    assert (gone["ref"], gone["state"], gone["file"]) == (one["ref"], "annulled", 1)
    assert await refused(client, f"/arshin/results/{other['ref']}/settlement", None) == "result_stands"
    await post(client, f"/arshin/results/{one['ref']}/settlement", None)
    assert (await get(client, "/arshin/results", waits="annulment"))["items"] == []
