"""Two accepted offers of one thing on the node of who offered it: shown, decided through the API, and told to all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from benchmarks.fold import Author
from federation.authority import Authority, Verb
from federation.cut import Cut, CutRow
from federation.fragment import Ref
from federation.sync.messages import Placed, Tile
from federation.tiles import WIDTH
from node.exchange.passport_check import check_file
from node.passport import drafts
from node.passport.bodies import CardBody, MandateBody, ShipmentBody
from node.passport.ids import SubjectId, format_device_id, parse_device_id
from node.passport.references import parse_ref
from node.services.access import Scope
from node.services.ledger import entry_ref
from node.store.cuts import read_cut
from node.store.fragments import insert_entries
from node.store.logs import find_log, insert_log, set_size
from node.store.trees import append_hashes, append_leaves
from node.web.routes import API
from tests.builders import found
from tests.integration.test_passport_file import file_of
from tests.integration.test_web_mandates import maker, meter
from tests.unit.web.running import RunningWeb, get, post, problem_code, refused, view_of

__all__ = ["maker"]
Json = Any  # Any: JSON


@dataclass(frozen=True)
class Act:
    """An offer: its own id, who made it, and where."""

    subject: bytes
    by: bytes
    ref: Ref

    @property
    def id(self) -> str:
        """Its id as the API tells it."""
        return format_device_id(SubjectId(self.subject))


@dataclass
class Parties:
    """The maker's node, and others whose statements arrive at it."""

    web: RunningWeb
    authors: dict[str, Author] = field(default_factory=dict)

    async def meet(self, name: str) -> Author:
        """Another organisation with a log, of which something was heard."""
        author = Author(name, Random(len(self.authors) + 7))
        self.authors[name] = author
        await self.web.ingest.take_chain(author.chain)
        author.say(drafts.card(author.org, CardBody(name=name), self.now), self.now)
        await self.arrive(author)
        return author

    @property
    def now(self) -> int:
        """The node's clock."""
        return self.web.clock.now()

    async def offer(self, party: Author, role: str, *devices: str) -> Act:
        """An offer that the node signs beside others, as another node of the organisation may."""
        ledger, subject = self.web.context.ledger, found(party.name, "act").org
        authority = Authority(Verb.OFFER, party.org, (role,), _things(devices))
        said = await ledger.append([drafts.mandate(subject, authority, MandateBody(number="7"), self.now)])
        return Act(subject, self.web.context.core.org, entry_ref(ledger.log.log, said[0]))

    async def offered(
        self, author: Author, party: bytes, role: str, *devices: str, ground: Act, until: int | None = None
    ) -> Act:
        """An offer of somebody else, who has it by an act; it arrives."""
        subject = found(f"{author.name}-{party.hex()}", "act").org
        authority = Authority(Verb.OFFER, party, (role,), _things(devices), until=until)
        ref = author.say(drafts.mandate(subject, authority, MandateBody(), self.now, grounds=[ground.ref]), self.now)
        await self.arrive(author)
        return Act(subject, author.org, ref)

    async def accept(self, party: Author, act: Act, role: str, *devices: str) -> None:
        """The acceptance of an offer, with what its author knows of the log of who offered; it arrives."""
        async with self.web.context.core.database.read() as tx:
            cut = await read_cut(tx, act.by)
        answer = Authority(Verb.ACCEPT, act.by, (role,), _things(devices))
        draft = drafts.mandate(act.subject, answer, MandateBody(), self.now, grounds=[act.ref], cut=cut)
        party.say(draft, self.now)
        await self.arrive(party)

    async def receive(self, party: Author, act: Act, *devices: str) -> None:
        """The acceptance of a shipment, which arrives."""
        async with self.web.context.core.database.read() as tx:
            cut = await read_cut(tx, act.by)
        body, things = ShipmentBody(number="1", date="2026-09-21"), _things(devices)
        draft = drafts.shipment(act.subject, Verb.ACCEPT, act.by, things, body, self.now, act.ref, cut=cut)
        party.say(draft, self.now)
        await self.arrive(party)

    async def arrive(self, author: Author) -> None:
        """The last entry of somebody comes to the node, with its leaf."""
        async with self.web.context.core.database.write() as tx:
            log = await find_log(tx, author.log) or await insert_log(tx, author.statement, own=False)
            fresh = author.entries[log.size :]
            await insert_entries(tx, log.no, fresh)
            grown = await append_leaves(tx, log.no, log.size, [entry.fragment.leaf for entry in fresh])
            await set_size(tx, log, grown.size)
            await self.web.context.projection.take(tx, [(log, fresh)])


def _things(devices: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(sorted(parse_device_id(device).raw for device in devices))


async def owner(web: RunningWeb, device: str) -> tuple[str | None, str]:
    """Who owns a device, and how that stands."""
    told = (await view_of(web.local(), device))["parties"]["owner"]
    return told["value"], told["standing"]


async def states(web: RunningWeb) -> dict[str, str]:
    """How each act stands."""
    return {item["id"]: item["state"] for item in (await get(web.local(), "/mandates"))["items"]}


async def test_owner_decides_between_two_acceptances_over_all_things_or_some(maker: RunningWeb) -> None:
    """Nobody owns the devices meanwhile; one press for all, the other party reads that another was chosen."""
    parties, client = Parties(maker), maker.local()
    devices = [await meter(maker, serial) for serial in ("0012345", "0012346", "0012347")]
    one, two = await parties.meet("one"), await parties.meet("two")
    acts = [await parties.offer(party, "title", *devices) for party in (one, two)]
    for party, act in zip((one, two), acts, strict=True):
        await parties.accept(party, act, "title", *devices)

    (dispute,) = (await get(client, "/hand-overs/disputes"))["items"]
    assert (dispute["role"], dispute["by"]) == ("title", maker.context.core.org.hex())
    assert sorted(dispute["devices"]) == sorted(devices)
    assert {side["id"]: side["org"] for side in dispute["sides"]} == {
        acts[0].id: one.org.hex(), acts[1].id: two.org.hex(),
    }  # fmt: skip
    assert await states(maker) == {act.id: "disputed" for act in acts}
    assert [await owner(maker, device) for device in devices] == [(None, "disputed")] * 3
    offer = {"role": "title", "org": one.org.hex(), "ids": devices[:1]}
    assert await refused(client, "/mandates/offers", offer) in ("role_not_held", "mandate_disputed")
    assert await get(client, "/conflicts", why="accepted-twice")

    body = {"reason": "договор с первым", "ids": devices[:1]}
    await post(client, f"/hand-overs/{acts[0].id}/decision", body)
    (left,) = (await get(client, "/hand-overs/disputes"))["items"]
    assert sorted(left["devices"]) == sorted(devices[1:])
    assert await owner(maker, devices[0]) == (one.org.hex(), "agreed")
    await post(client, f"/hand-overs/{acts[0].id}/decision", {"reason": "договор с первым"})

    assert [await owner(maker, device) for device in devices] == [(one.org.hex(), "agreed")] * 3
    assert (await get(client, "/hand-overs/disputes"))["items"] == []
    assert await states(maker) == {acts[0].id: "stands", acts[1].id: "not_chosen"}
    (told,) = (await get(client, f"/passports/{devices[1]}/roles"))["transfers"]
    assert (told["state"], told["reason"], told["to"]) == ("ineffective", "not-chosen", two.org.hex())
    assert (await maker.what()).count("role_decided") == 2
    assert await refused(client, f"/hand-overs/{acts[1].id}/decision", body) == "handover_no_dispute"


async def test_who_accepted_decides_nothing(maker: RunningWeb) -> None:
    """The one who offered it decides; the party sees what contradicts its acceptance, and that it waits."""
    parties, client, device = Parties(maker), maker.local(), await meter(maker)
    one, two = await parties.meet("one"), await parties.meet("two")
    sold = await parties.offer(one, "title", device)
    await parties.accept(one, sold, "title", device)
    back = await parties.offered(one, maker.context.core.org, "title", device, ground=sold)
    other = await parties.offered(one, two.org, "title", device, ground=sold)
    await post(client, f"/mandates/{back.id}/acceptance", None)
    await parties.accept(two, other, "title", device)

    (dispute,) = (await get(client, "/hand-overs/disputes"))["items"]
    assert (dispute["by"], len(dispute["sides"])) == (one.org.hex(), 2)
    assert (await states(maker))[back.id] == "disputed"
    refusal = await refused(client, f"/hand-overs/{back.id}/decision", {"reason": "мы первые"})
    assert refusal == "handover_not_ours"


async def test_reader_decides_nothing(maker: RunningWeb) -> None:
    """Reading what contradicts takes the scope of reading, the decision that of shipping."""
    reader = await maker.system(Scope.READ)

    assert (await get(reader, "/hand-overs/disputes"))["items"] == []
    path = f"/hand-overs/{format_device_id(SubjectId(bytes(16)))}/decision"
    async with reader.post(f"{API}{path}", json={"reason": "—"}) as response:
        assert (response.status, await problem_code(response)) == (403, "scope")


async def test_acceptance_that_crossed_a_second_offer_stands(maker: RunningWeb) -> None:
    """The second offer ended the first, which was accepted before that was known: the acceptance stands."""
    parties, client, device = Parties(maker), maker.local(), await meter(maker)
    one, two = await parties.meet("one"), await parties.meet("two")
    first = await post(client, "/mandates/offers", {"role": "title", "org": one.org.hex(), "ids": [device]})
    act = await act_of(maker, first["id"])
    async with maker.context.core.database.read() as tx:
        known = await read_cut(tx, act.by)
    second = await post(client, "/mandates/offers", {"role": "title", "org": two.org.hex(), "ids": [device]})
    assert (await states(maker)) == {first["id"]: "withdrawn", second["id"]: "waiting"}

    answer = Authority(Verb.ACCEPT, act.by, ("title",), _things([device]))
    one.say(drafts.mandate(act.subject, answer, MandateBody(), parties.now, grounds=[act.ref], cut=known), parties.now)
    await parties.arrive(one)
    assert await owner(maker, device) == (one.org.hex(), "agreed")
    await parties.accept(two, await act_of(maker, second["id"]), "title", device)

    assert await owner(maker, device) == (one.org.hex(), "agreed")
    told = {row["to"]: row["reason"] for row in (await get(client, f"/passports/{device}/roles"))["transfers"]}
    assert told == {two.org.hex(): "passed-already"}


async def act_of(web: RunningWeb, text: str) -> Act:
    """An act of the node."""
    found_act = await web.context.mandates.get(parse_device_id(text).raw)
    return Act(found_act.subject, found_act.author, found_act.said.ref)


async def test_cut_of_an_acceptance_asks_for_the_leaves_that_its_root_takes(maker: RunningWeb) -> None:
    """Of a log whose old part was mirrored as roots of tiles, the tile in which the cut ends is asked for."""
    parties, seller = Parties(maker), Author("seller", Random(77))
    buyer = await parties.meet("buyer")
    await maker.ingest.take_chain(seller.chain)
    async with maker.context.core.database.write() as tx:
        log = await insert_log(tx, seller.statement, own=False)
        grown = await append_hashes(tx, log.no, 0, [Tile(bytes(32)), Tile(bytes([1]) * 32)])
        await set_size(tx, log, grown.size)
    answer = Authority(Verb.ACCEPT, seller.org, ("title",), (bytes(16),))
    for size in (WIDTH + 7, 2 * WIDTH):
        cut = Cut((CutRow(seller.log, size, bytes(32)),))
        buyer.say(drafts.mandate(bytes(16), answer, MandateBody(), parties.now, cut=cut), parties.now)
    placed = [Placed(buyer.log, entry.seq, entry.fragment) for entry in buyer.entries[1:]]

    assert await maker.ingest.cut_tiles(placed) == [(seller.log, 1)]
    assert await maker.ingest.unknown_tiles(placed) == []


async def test_acceptance_denies_nothing_that_stands_before_its_offer(maker: RunningWeb) -> None:
    """A cut that names none of the seller's logs leaves all that he said up to the offer its rank."""
    parties, device = Parties(maker), await meter(maker)
    one, two = await parties.meet("one"), await parties.meet("two")
    sold = await parties.offer(one, "title", device)
    await parties.accept(one, sold, "title", device)
    on = await parties.offered(one, two.org, "title", device, ground=sold)

    answer = Authority(Verb.ACCEPT, one.org, ("title",), _things([device]))
    two.say(drafts.mandate(on.subject, answer, MandateBody(), parties.now, grounds=[on.ref], cut=Cut()), parties.now)
    await parties.arrive(two)

    held = (await view_of(maker.local(), device))["parties"]["roles"]
    (former,) = [row for row in held if (row["role"], row["party"]) == ("title", one.org.hex())]
    assert former["cut"] == [[one.log.hex(), on.ref.seq + 1]]
    assert await owner(maker, device) == (two.org.hex(), "agreed")


async def test_offer_that_lapsed_is_refused_as_such(maker: RunningWeb) -> None:
    """Accepted after its time it would count nothing: nothing is signed, and the refusal tells until when it stood."""
    parties, device = Parties(maker), await meter(maker)
    one = await parties.meet("one")
    sold = await parties.offer(one, "title", device)
    await parties.accept(one, sold, "title", device)
    own, until = maker.context.core.org, parties.now + 3_600_000_000
    back = await parties.offered(one, own, "title", device, ground=sold, until=until)
    maker.clock.move(7200)

    assert (await states(maker))[back.id] == "lapsed"
    assert await refused(maker.local(), f"/mandates/{back.id}/acceptance", None) == "mandate_lapsed"
    assert await owner(maker, device) == (one.org.hex(), "agreed")


async def test_title_that_was_handed_over_from_a_later_day_is_sold_to_nobody_else(maker: RunningWeb) -> None:
    """Its owner of today signs no offer, paper, role or shipment of it that the fold would pass over."""
    parties, client, device = Parties(maker), maker.local(), await meter(maker)
    one, two = await parties.meet("one"), await parties.meet("two")
    later = {"role": "title", "org": one.org.hex(), "ids": [device], "since": "2030-01-01"}
    sold = await act_of(maker, (await post(client, "/mandates/offers", later))["id"])
    await parties.accept(one, sold, "title", device)

    offers = [{"role": role, "org": two.org.hex(), "ids": [device]} for role in ("title", "responsible")]
    refusals = [await refused(client, "/mandates/offers", offer) for offer in offers]
    paper = {"role": "title", "ids": [device], "document": "ДКП 5", "resident": True, "name": "Петров"}
    shipment = {"buyer": two.org.hex(), "number": "1", "devices": [device]}

    assert refusals == ["role_not_held"] * 2
    assert await refused(client, "/mandates/statements", paper) == "role_not_held"
    assert await refused(client, "/shipments", shipment) == "ship_not_ours"
    assert (await get(client, f"/passports/{device}/roles"))["transfers"] == []


async def test_what_a_former_holder_of_a_number_accepted_stays_his(maker: RunningWeb) -> None:
    """Who was expelled keeps what he bought by his number, whoever has it next; a passport file tells the same."""
    parties, client, device = Parties(maker), maker.local(), await meter(maker)
    one, two = await parties.meet("one"), await parties.meet("two")
    body = {"inn": "7736050003", "name": "ТСЖ", "number": "1", "devices": [device]}
    shipment = await post(client, "/shipments", body)
    (offered,) = (await get(client, f"/passports/{device}/roles"))["transfers"]
    act = Act(parse_device_id(shipment["id"]).raw, maker.context.core.org, parse_ref(offered["act"]))
    number = {"what": "number", "rows": ["inn:7736050003"]}
    await post(client, "/attestations", {"org": one.org.hex(), **number})
    await parties.receive(one, act, device)
    await maker.context.attesting.expel(one.org, "ключи утеряны", "anna")

    offer = {"role": "title", "org": one.org.hex(), "ids": [device]}
    assert await refused(client, "/mandates/offers", offer) == "org_ended"
    lot = {"buyer": one.org.hex(), "number": "2", "devices": [await meter(maker, "0012346")]}
    assert await refused(client, "/shipments", lot) == "org_ended"
    await post(client, "/attestations", {"org": two.org.hex(), **number})
    await parties.receive(two, act, device)

    await maker.context.ledger.publish()
    checked = check_file(await file_of(client, device))
    assert await owner(maker, device) == (one.org.hex(), "agreed")
    assert (await get(client, f"/shipments/{shipment['id']}"))["states"]["accepted"] == 1
    assert checked.findings == []
    assert checked.view == await view_of(client, device)


async def test_title_is_not_offered_beside_a_shipment_that_waits(maker: RunningWeb) -> None:
    """The buyer of the shipment may accept at any time: it is taken back first."""
    client, device = maker.local(), await meter(maker)
    buyer, other = await maker.meet("buyer"), await maker.meet("other")
    await post(client, "/shipments", {"buyer": buyer, "number": "1", "devices": [device]})

    offer = {"role": "title", "org": other, "ids": [device]}
    assert await refused(client, "/mandates/offers", offer) == "mandate_shipped"


async def test_device_is_not_shipped_while_its_title_is_offered(maker: RunningWeb) -> None:
    """Who was offered the title may accept at any time: the offer is taken back first."""
    client, device = maker.local(), await meter(maker)
    buyer, other = await maker.meet("buyer"), await maker.meet("other")
    made = await post(client, "/mandates/offers", {"role": "title", "org": other, "ids": [device]})

    shipment = {"buyer": buyer, "number": "1", "devices": [device]}
    assert await refused(client, "/shipments", shipment) == "ship_offered"
    await post(client, f"/mandates/{made['id']}/withdrawal", {"reason": "продан другому"})
    assert (await post(client, "/shipments", shipment))["count"] == 1


async def test_what_was_left_out_of_an_acceptance_is_offered_anew_or_taken_back(maker: RunningWeb) -> None:
    """A party that accepts one device of three holds up the sale of that one alone."""
    parties, client = Parties(maker), maker.local()
    devices = [await meter(maker, serial) for serial in ("0012345", "0012346", "0012347")]
    one, two = await parties.meet("one"), await parties.meet("two")
    made = await post(client, "/mandates/offers", {"role": "title", "org": one.org.hex(), "ids": devices})
    await parties.accept(one, await act_of(maker, made["id"]), "title")
    assert await states(maker) == {made["id"]: "waiting"}
    await parties.accept(one, await act_of(maker, made["id"]), "title", devices[0])

    second = {"role": "title", "org": two.org.hex(), "ids": devices[1:2]}
    await parties.accept(two, await act_of(maker, (await post(client, "/mandates/offers", second))["id"]), "title",
                         devices[1])  # fmt: skip
    await post(client, f"/mandates/{made['id']}/withdrawal", {"reason": "остальное не нужно"})

    owners = [one.org.hex(), two.org.hex(), maker.context.core.org.hex()]
    assert [(await owner(maker, device))[0] for device in devices] == owners
    assert (await states(maker))[made["id"]] == "stands"
    assert await refused(client, f"/mandates/{made['id']}/withdrawal", {"reason": "—"}) == "mandate_answered"


async def test_act_under_the_id_of_another_is_told_apart(maker: RunningWeb) -> None:
    """Who puts the id of an act over an offer of his own, dated back, changes neither what is shown nor withdrawn."""
    parties, client, device = Parties(maker), maker.local(), await meter(maker)
    one, thief = await parties.meet("one"), await parties.meet("thief")
    made = await post(client, "/mandates/offers", {"role": "title", "org": one.org.hex(), "ids": [device]})
    act = await act_of(maker, made["id"])
    authority = Authority(Verb.OFFER, act.by, ("responsible",), _things([device]))
    thief.say(drafts.mandate(act.subject, authority, MandateBody(), parties.now), parties.now - 3_600_000_000)
    await parties.arrive(thief)

    listed = (await get(client, "/mandates"))["items"]
    assert len({item["id"] for item in listed}) == 2
    assert [(await get(client, f"/mandates/{item['id']}"))["by"] for item in listed] == [item["by"] for item in listed]
    assert (await get(client, f"/mandates/{made['id']}"))["by"] == act.by.hex()
    withdrawn = await post(client, f"/mandates/{made['id']}/withdrawal", {"reason": "передумали"})
    assert (withdrawn["by"], withdrawn["state"]) == (act.by.hex(), "withdrawn")
