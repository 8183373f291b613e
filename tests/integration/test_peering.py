"""Whom a node meets: what cards and the local network may do, and how many wait in the inbox."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import zeroconf
from aiohttp import web
from pydantic import ValidationError
from structlog.testing import capture_logs
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from federation.authority import Attestation, Attested
from federation.cut import Cut
from federation.genesis import Genesis
from federation.keys import SigningKey
from federation.net.carrier import HttpsCarrier
from federation.net.discovery import SERVICE, Announcement, discovery, read_announcement
from federation.net.live import Hub
from federation.peer import PeerAddress
from federation.ports import Answer, Question
from federation.statements import NodeBody, sign_root_statement
from federation.sync.messages import HeadsAsked
from node.certificate import certificate_pin, make_certificate
from node.config import FederationSection
from node.errors import InputError, NotFoundError, StateError
from node.passport import drafts
from node.passport.bodies import CardBody, EndBody
from node.passport.standing import MEMBER
from node.root_keys import read_root_key
from node.services import neighbourhood, peering
from node.services.neighbourhood import NO_FEDERATION, is_near
from node.services.peering import MOST_IN_INBOX, Peering
from node.services.sync import Sync
from node.store.organisations import read_statements
from node.store.peers import ACTIVE, IGNORED, INBOX, OUT, Peer, find_peer
from node.web.qr import qr_picture
from tests.builders import Line, found, id16, signing_key
from tests.integration.test_peers import Neighbour, met
from tests.loops import running, soon
from tests.unit.federation.test_live import pipe
from tests.unit.node_protocols.builders import NOW, Desk, attest, mirror, new_desk, new_sync, opened
from tests.unit.node_protocols.builders import found as found_desk

ELSEWHERE = "https://127.0.0.1:1"  # tcpmux: nothing listens there


@dataclass
class Meeting:
    """A node that is the anchor of its federation, and how it meets others."""

    desk: Desk
    peering: Peering
    genesis: Genesis

    async def peers(self, state: str) -> list[Peer]:
        """Those in a state."""
        return [peer for peer in await self.peering.peers() if peer.state == state]

    async def hear(self, name: str, org: bytes | None = None) -> bytes:
        """Hear of a node on the local network."""
        peer = PeerAddress(ELSEWHERE, id16(name), signing_key(name).public, bytes(32))
        await self.peering.meet(peer, org or id16(f"org/{name}"), active=False, how="mdns")
        return peer.node


@pytest.fixture
async def meeting(tmp_path: Path) -> AsyncIterator[Meeting]:
    """A node alone in its federation."""
    async with new_desk(tmp_path / "anchor") as desk:
        genesis = await attest(desk, desk.org)
        sync = new_sync(desk.core, desk.ingest)
        yield Meeting(desk, Peering(desk.core, desk.projection, sync), genesis)
        await sync.close()


@asynccontextmanager
async def neighbour(meeting: Meeting, folder: Path, card: CardBody, *, member: bool) -> AsyncIterator[Desk]:
    """Another organisation that says a card; the anchor knows it by its log, attested or as a guest."""
    await found_desk(folder, "neighbour", 7)
    async with opened(folder, 7) as other:
        named = card.model_copy(update={"node": other.core.node.hex()}) if card.node is None else card
        await other.ledger.append([drafts.card(other.org, named, NOW)])
        await mirror(other, meeting.desk)
        said = [drafts.vouch(meeting.genesis.id, other.org, NOW)]
        if member:
            number = Attestation(meeting.genesis.id, Attested.NUMBER, other.org, ("inn:0000000018",))
            said.append(drafts.attestation(number, NOW))
        await meeting.desk.ledger.append(said)
        await meeting.peering.meet_carded()
        yield other


def card(**changes: str | None) -> CardBody:
    """A card with an address and a pin, its node to be filled in."""
    return CardBody(name="ООО «Соседи»", inn="0000000025", url=ELSEWHERE, pin="ab" * 32).model_copy(update=changes)


async def test_inbox_holds_a_hundred_and_drops_the_oldest_but_no_active_node(meeting: Meeting) -> None:
    """Whoever floods the local network pushes out what was heard before him, not the peers, nor who is ignored."""
    kept = [await meeting.hear("kept-1"), await meeting.hear("kept-2")]
    await meeting.peering.accept(kept[0], "test")
    await meeting.peering.accept(kept[1], "test", IGNORED)
    first = await meeting.hear("first")

    for n in range(MOST_IN_INBOX):
        await meeting.hear(f"flood-{n}")

    inbox = {peer.node for peer in await meeting.peers(INBOX)}
    assert len(inbox) == MOST_IN_INBOX
    assert first not in inbox
    assert id16(f"flood-{MOST_IN_INBOX - 1}") in inbox
    assert [peer.node for peer in await meeting.peers(ACTIVE)] == [kept[0]]
    assert [peer.node for peer in await meeting.peers(IGNORED)] == [kept[1]]
    before = await meeting.desk.state()
    await meeting.hear("one more")
    assert await meeting.desk.state() == before  # a flood fills no journal


async def test_flood_of_hints_pushes_out_no_guest_that_waits(meeting: Meeting, tmp_path: Path) -> None:
    """Of a node whose organisation states it a card told: what is made up goes first, whatever it calls itself."""
    async with neighbour(meeting, tmp_path / "other", card(), member=False) as other:
        for n in range(MOST_IN_INBOX + 1):
            await meeting.hear(f"flood-{n}", other.org if n % 2 else None)

        assert other.core.node in {peer.node for peer in await meeting.peers(INBOX)}
        assert len(await meeting.peers(INBOX)) == MOST_IN_INBOX


@pytest.mark.parametrize("is_own", [True, False])
async def test_hint_that_came_first_keeps_no_member_away(meeting: Meeting, tmp_path: Path, is_own: bool) -> None:
    """Whoever announces the node of a member before its card came, by another key or as another's, holds up nobody."""
    await found_desk(tmp_path / "early", "neighbour", 7)
    async with opened(tmp_path / "early", 7) as early:
        node, org = early.core.node, early.org
    made_up = PeerAddress(ELSEWHERE, node, signing_key("stranger").public, bytes(32))
    await meeting.peering.meet(made_up, org if is_own else id16("stranger"), active=False, how="mdns")

    async with neighbour(meeting, tmp_path / "other", card(), member=True) as other:
        (met,) = await meeting.peers(ACTIVE)
        assert (met.node, met.org, met.sign_key) == (node, org, other.core.keystore.sign.public)
        assert met.pin.hex() == card().pin
        assert not meeting.peering.card_faults


async def test_node_behind_a_relay_is_not_moved_to_it(tmp_path: Path) -> None:
    """A hint with another certificate moves no node, though its signed answers come from there: carried on."""
    async with new_desk(tmp_path / "desk") as desk:
        sync, known = new_sync(desk.core, desk.ingest), Neighbour(desk)
        peering = Peering(desk.core, desk.projection, sync)
        async with met(desk, known, tmp_path) as peer, relay(peer, tmp_path) as there:
            assert await sync.client_at(there).heads(HeadsAsked()) is not None

            await peering.meet(there, known.line.org, active=False, how="mdns")

            assert [one.address for one in await peering.peers()] == [peer]
        await sync.close()


async def test_hint_about_a_connected_node_is_asked_where_it_leads(tmp_path: Path) -> None:
    """That a node answers on the connection that it dialled says nothing of the address that somebody announces."""
    async with new_desk(tmp_path / "desk") as desk:
        known = Neighbour(desk)
        hub = Hub(desk.core.node, _refused)
        sync = Sync(desk.core, desk.ingest, HttpsCarrier(), hub)
        peering = Peering(desk.core, desk.projection, sync)
        async with met(desk, known, tmp_path) as peer:
            ours, theirs = pipe()
            there = replace(peer, url=ELSEWHERE)
            serving = [
                asyncio.create_task(hub.serve(peer.node, ours, dialled=False)),
                asyncio.create_task(known.hub.serve(desk.core.node, theirs, dialled=True)),
            ]
            await soon(lambda: hub.incoming(peer.node))
            assert await sync.client(there).heads(HeadsAsked()) is not None

            await peering.meet(there, known.line.org, active=False, how="mdns")

            assert [one.address for one in await peering.peers()] == [peer]
            await hub.close()
            await asyncio.gather(*serving)
        await sync.close()


async def _refused(_question: Question) -> Answer:
    return Answer(404, {})


@asynccontextmanager
async def relay(peer: PeerAddress, folder: Path) -> AsyncIterator[PeerAddress]:
    """Somebody with a certificate of his own who carries everything on to a node, and its answers back."""
    carrier = HttpsCarrier()

    async def carry(request: web.Request) -> web.Response:
        question = Question(request.method, request.path_qs, request.headers, await request.read())
        answer = await carrier.ask(peer, question, 1 << 20)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    key, certificate = make_certificate("relay", NOW)
    (folder / "relay.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "relay.pem")
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", carry)
    runner = web.AppRunner(application, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield replace(peer, url=url, pin=certificate_pin(certificate))
    finally:
        await runner.cleanup()
        await carrier.close()


async def test_dismissed_node_may_come_again_and_an_ignored_one_stays_ignored(meeting: Meeting) -> None:
    """Dismiss forgets until the node is heard anew, ignore stands whatever is heard; an active one is not dismissed."""
    gone, silent = await meeting.hear("gone"), await meeting.hear("silent")
    await meeting.peering.dismiss(gone, "test")
    await meeting.peering.accept(silent, "test", IGNORED)
    assert not await meeting.peers(INBOX)

    await meeting.hear("gone")
    await meeting.hear("silent")

    assert [peer.node for peer in await meeting.peers(INBOX)] == [gone]
    assert [peer.node for peer in await meeting.peers(IGNORED)] == [silent]
    await meeting.peering.accept(gone, "test")
    with pytest.raises(NotFoundError):
        await meeting.peering.dismiss(gone, "test")


async def test_node_of_an_organisation_that_was_expelled_is_not_taken_up_by_hand(
    meeting: Meeting, tmp_path: Path
) -> None:
    """Whoever belongs here no more stays out until the anchors take the organisation in again."""
    async with neighbour(meeting, tmp_path / "neighbour", card(), member=True) as other:
        end = drafts.membership_end(meeting.genesis.id, other.org, MEMBER, Cut(), EndBody(reason="чужой ИНН"), NOW)
        await meeting.desk.ledger.append([end])
        await meeting.peering.settle()
        assert [peer.org for peer in await meeting.peers(OUT)] == [other.org]

        for state in (ACTIVE, IGNORED):
            with pytest.raises(StateError) as refused:
                await meeting.peering.accept(other.core.node, "test", state)
            assert refused.value.code == "org_refused"

        assert [peer.org for peer in await meeting.peers(OUT)] == [other.org]


@pytest.mark.parametrize(("member", "state"), [(True, ACTIVE), (False, INBOX)])
async def test_card_of_a_member_is_met_at_once_and_that_of_a_guest_waits(
    meeting: Meeting, tmp_path: Path, member: bool, state: str
) -> None:
    """Cards lead to nodes by the standing of who says them."""
    async with neighbour(meeting, tmp_path / "other", card(), member=member) as other:
        assert [peer.node for peer in await meeting.peers(state)] == [other.core.node]
        assert not meeting.peering.card_faults


async def test_card_of_somebody_whom_nobody_speaks_for_leads_nowhere(meeting: Meeting, tmp_path: Path) -> None:
    """An unknown organisation is met by an invitation, or by who adds it, not by its own word."""
    await found_desk(tmp_path / "other", "other", 7)
    async with opened(tmp_path / "other", 7) as other:
        said = card(node=other.core.node.hex())
        await other.ledger.append([drafts.card(other.org, said, NOW)])
        await mirror(other, meeting.desk)
        await meeting.peering.meet_carded()

    assert await meeting.peering.peers() == []


async def test_card_of_a_member_that_only_dials_out_is_met_without_an_address(meeting: Meeting, tmp_path: Path) -> None:
    """Who can be dialled takes what such a member says on the connection that it dials."""
    async with neighbour(meeting, tmp_path / "other", card(url=None, pin=None), member=True) as other:
        assert [(peer.node, peer.url) for peer in await meeting.peers(ACTIVE)] == [(other.core.node, "")]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"node": id16("somebody's").hex()}, "foreign_node"),
        ({"pin": "ab"}, "address"),
        ({"url": "http://127.0.0.1:1"}, "address"),
        ({"url": "https://user@host"}, "address"),
        ({"node": "abcd"}, "address"),
    ],
)
async def test_forged_card_has_no_effect_and_is_shown(
    meeting: Meeting, tmp_path: Path, changes: dict[str, str], fault: str
) -> None:
    """A member's card that names a node of nobody or another's, a pin of no size or no address: nobody is met."""
    async with neighbour(meeting, tmp_path / "other", card(**changes), member=True) as other:
        assert await meeting.peering.peers() == []
        assert meeting.peering.card_faults == {other.org: fault}


async def test_card_that_states_the_node_of_another_organisation_moves_it_nowhere(
    meeting: Meeting, tmp_path: Path
) -> None:
    """A thief states the id of an honest node in its own chain and on its card: the honest one stays where it is."""
    honest = PeerAddress("https://127.0.0.1:2", b"", signing_key("honest").public, bytes(32))
    await found_desk(tmp_path / "thief", "neighbour", 7)
    async with opened(tmp_path / "thief", 7) as thief:
        stolen = thief.core.node
    await meeting.peering.meet(replace(honest, node=stolen), id16("honest"), active=True, how="card")

    async with neighbour(meeting, tmp_path / "other", card(), member=True) as other:
        assert other.core.node == stolen
        async with meeting.desk.core.database.read() as tx:
            known = await find_peer(tx, stolen)

    assert known is not None
    assert (known.org, known.address.url, known.sign_key) == (id16("honest"), honest.url, honest.sign_key)
    assert meeting.peering.card_faults == {other.org: "foreign_node"}


async def test_member_with_a_thousand_nodes_has_nobody_dial_them_all(
    meeting: Meeting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the nodes that one organisation's cards name some are met; that there are more is shown."""
    monkeypatch.setattr(peering, "MOST_OF_ORGANISATION", 3)
    async with neighbour(meeting, tmp_path / "other", card(), member=True) as other:
        root = read_root_key(other.core.folder.path)
        async with meeting.desk.core.database.read() as tx:
            last = (await read_statements(tx, other.org))[other.org][-1]
        for n in range(4):
            body = NodeBody(id16(f"more-{n}"), signing_key(f"more-{n}").public)
            last = sign_root_statement(root, body, other.org, last.n + 1, last.hash)
            await meeting.desk.ingest.take_chain([last])
        said = [drafts.card(other.org, card(node=id16(f"more-{n}").hex()), NOW) for n in range(4)]
        await other.ledger.append(said)
        await mirror(other, meeting.desk)

        await meeting.peering.meet_carded()

        assert len(await meeting.peers(ACTIVE)) == 3
        assert meeting.peering.card_faults == {other.org: "too_many"}


async def test_number_of_a_competitor_on_a_card_gives_nothing(meeting: Meeting, tmp_path: Path) -> None:
    """A member with another's ИНН on its card has its own number alone: the register ties that number to its holder."""
    competitor: Line = found("competitor-0", "competitor-1")
    await meeting.desk.ingest.take_chain(competitor.statements)
    number = Attestation(meeting.genesis.id, Attested.NUMBER, competitor.org, ("inn:0000000025",))
    await meeting.desk.ledger.append([drafts.attestation(number, NOW)])

    async with neighbour(meeting, tmp_path / "other", card(), member=True) as other:
        attested = meeting.desk.projection.world.attestations
        assert attested.numbers(other.org) == ("inn:0000000018",)
        assert attested.holder("inn:0000000025") == competitor.org


def test_nodes_of_other_federations_are_heard_before_one_is_joined_only() -> None:
    """In a federation its own nodes count and those of none; before, everybody."""
    peer = PeerAddress(ELSEWHERE, id16("node"), signing_key("node").public, bytes(32))
    own, other = id16("own"), id16("other")
    heard = {federation: Announcement(id16("org"), federation, peer) for federation in (own, other, NO_FEDERATION)}

    assert [is_near(heard[each], own) for each in (own, other, NO_FEDERATION)] == [True, False, True]
    assert all(is_near(each, NO_FEDERATION) for each in heard.values())


@pytest.mark.parametrize(("versions", "is_read"), [(b"1", True), (b"1,2", True), (None, True), (b"2", False)])
def test_announcement_of_other_versions_is_left(versions: bytes | None, is_read: bool) -> None:
    """A node that speaks no version that is spoken here is not met; one that says nothing speaks the first."""
    texts = {"org": "00" * 16, "fed": "00" * 16, "node": "11" * 16, "pin": "22" * 32}
    texts["key"] = SigningKey.from_seed(bytes(32)).public.hex()
    properties: dict[str, str | bytes] = {**texts} if versions is None else {**texts, "v": versions}
    info = ServiceInfo(SERVICE, f"x.{SERVICE}", 8441, addresses=[b"\x7f\x00\x00\x01"], properties=properties)

    assert (read_announcement(info) is not None) == is_read


async def test_node_whose_name_nobody_resolves_is_announced_where_it_listens() -> None:
    """Without a network a node is told of by the addresses of its interfaces, and hears others as ever."""
    heard: asyncio.Queue[Announcement] = asyncio.Queue()
    ids = id16("org"), id16("federation")
    key = signing_key("node").public
    named = Announcement(*ids, PeerAddress("https://node.example.invalid:8443", id16("node"), key, bytes(32)))
    other = Announcement(*ids, PeerAddress("", id16("other"), key, bytes(32)))

    async with (
        discovery(other, ["127.0.0.1"], heard.put_nowait),
        discovery(named, ["127.0.0.1"], heard.put_nowait),
        asyncio.timeout(20),
    ):
        while (found := await heard.get()).peer.node != id16("node"):
            pass

    assert found.peer.url == "https://127.0.0.1:8443"


@pytest.mark.parametrize("is_there", [False, True])
async def test_interface_that_is_away_does_not_end_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """The local network is left out and tried again, as where it lets nobody announce himself; all else goes on."""

    async def refuse(*_: object, **__: object) -> None:
        raise zeroconf.NonUniqueNameException

    if is_there:
        monkeypatch.setattr(AsyncZeroconf, "async_register_service", refuse)
    else:
        monkeypatch.setenv("PASSPORT_FEDERATION__DISCOVERY_INTERFACES", '["203.0.113.9"]')
    monkeypatch.setattr(neighbourhood, "AGAIN_S", 0.01)
    with capture_logs() as logs:
        async with running(tmp_path / "node", "node") as node:
            await soon(lambda: sum(row["event"] == "discovery_away" for row in logs) > 1)

            assert (await node.peering.peers()) == []


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"host": "0.0.0.0"}, "nobody can dial 0.0.0.0"),  # noqa: S104 - it is refused
        ({"url": "http://maker:8441"}, "is not https"),
        ({"url": "maker:8441"}, "is not https"),
        ({"discovery_interfaces": ["eth0"]}, "named by an address of it"),
    ],
)
def test_address_that_others_could_not_dial_is_refused(settings: dict[str, object], why: str) -> None:
    """What would stand in every card and invitation of the node is judged before it starts."""
    with pytest.raises(ValidationError, match=why):
        FederationSection.model_validate(settings)


def test_text_that_no_qr_code_holds_is_refused_with_its_size() -> None:
    """2,953 bytes are drawn, one more is refused in words."""
    assert "<path" in qr_picture("x" * 2953)
    with pytest.raises(InputError, match="2954 bytes") as refused:
        qr_picture("x" * 2954)
    assert refused.value.code == "qr_too_long"
