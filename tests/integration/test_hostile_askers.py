"""Whoever asks a node too much, too slowly or for nothing is put off; others are answered meanwhile."""

import asyncio
import base64
import contextlib
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from federation.invitation import parse_invitation
from federation.keys import SigningKey
from federation.ports import Question
from federation.request import Request, RequestSignature, sign_request, verify_request
from federation.statements import decode_root_statement
from federation.sync.frames import Answered, Asked, Noticed, decode_frame, encode_frame
from federation.sync.messages import HeadsAsked, Join
from node.clock import SystemClock, SystemRandom
from tests.integration.bad_input import SIGNATURE, Doors, open_doors
from tests.nodes import act, metric, rows, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile askers")]
MEGABYTE = 1 << 20
MOST_MEMORY = 64 * MEGABYTE
STRANGERS = 16
FLOOD_S = 3.0
UNREAD = aiohttp.ClientWSTimeout(ws_close=0.5)  # nobody reads the goodbye
ASKED = HeadsAsked().to_bytes()
HEADS = "/fed/1/heads"
PEERS = "select node, org, url, pin, sign_key from peers order by node"
LIMITS = {
    "STRANGER_CONNECTIONS": str(STRANGERS),
    "STRANGER_S": "1",
    "STRANGER_REQUESTS_S": "2",
    "STRANGER_REQUESTS_BURST": "10",
    "REQUESTS_S": "2",
    "REQUESTS_BURST": "100",
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A maker's node with small limits, and a peer that it knows."""
    settings = {f"PASSPORT_FEDERATION__LIMITS__{name}": value for name, value in LIMITS.items()}
    with open_doors(tmp_path_factory.mktemp("askers"), settings) as opened:
        yield opened


@pytest.fixture
def memory(doors: Doors) -> Iterator[None]:
    """The peak of the node's memory stays near where it was."""
    Path(f"/proc/{doors.maker.pid}/clear_refs").write_text("5")
    before = peak(doors)
    yield
    assert peak(doors) - before < MOST_MEMORY


def peak(doors: Doors) -> int:
    """The most bytes of memory that the node had since the last reset."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{doors.maker.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def refused(doors: Doors, why: str) -> float:
    """How many refusals of a kind the node counted."""
    return metric(doors.maker, "federation_refused", why)


def asks(doors: Doors) -> int:
    """What a good question is answered with, within two seconds."""
    began = time.monotonic()
    status = doors.federation.ask("POST", HEADS, ASKED, doors.signed("POST", HEADS, ASKED)).status
    assert time.monotonic() - began < 2
    return status


def signed(doors: Doors, key: SigningKey, org: bytes, node: bytes, target: str, body: bytes) -> dict[str, str]:
    """The header of a request that anybody signs as any node."""
    request = Request("POST", target, org, node, doors.node, body)
    signature = sign_request(key, request, SystemClock().now() // 1000, SystemRandom().bytes(16))
    return {SIGNATURE: base64.b64encode(signature.to_bytes()).decode()}


def stranger(doors: Doors) -> socket.socket:
    """A connection from an address where nobody known is."""
    parts = urlsplit(doors.maker.addresses["federation"])
    return socket.create_connection((parts.hostname, parts.port), timeout=10, source_address=("127.0.0.2", 0))


def in_tls(connection: socket.socket) -> ssl.SSLSocket:
    """The connection with any certificate taken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def closed(connection: socket.socket) -> bool:
    """Whether the node ended a connection."""
    try:
        return not connection.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.usefixtures("memory")
def test_thousand_connections_that_say_nothing_are_let_go(doors: Doors) -> None:
    """Few of one address are held, for a short time; who asks from elsewhere is answered meanwhile."""

    def ended() -> float:
        return refused(doors, "stranger_connections") + refused(doors, "silent")

    before = ended()
    with ExitStack() as opened:
        connections = [opened.enter_context(stranger(doors)) for _ in range(1000)]
        assert asks(doors) == 200
        until("all have ended", lambda: ended() - before >= 1000)
        assert all(closed(connection) for connection in connections)
    assert asks(doors) == 200


def test_request_that_trickles_has_no_connection_for_long(doors: Doors) -> None:
    """A stranger's request of a byte now and then ends with its connection, whatever part of it trickles."""
    for start in (b"POST /fed/1/join HTTP/1.1\r\nX: ", b"POST /fed/1/join HTTP/1.1\r\nContent-Length: 999\r\n\r\n"):
        began = time.monotonic()
        with in_tls(stranger(doors)) as connection:
            connection.sendall(start)
            try:
                while time.monotonic() - began < 10:
                    connection.sendall(b"x")
                    time.sleep(0.05)
            except OSError:
                pass
        assert time.monotonic() - began < 5
        assert asks(doors) == 200


@pytest.mark.usefixtures("memory")
def test_body_that_inflates_over_the_limit_is_refused(doors: Doors) -> None:
    """Some kilobytes that would be a gigabyte are refused while they are inflated, over https and in a frame."""
    packer = zlib.compressobj(9)
    start, block = (packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    bomb = start + block * 700
    headers = {**doors.signed("POST", HEADS, ASKED), "Content-Encoding": "deflate"}

    answer = doors.federation.ask("POST", HEADS, bomb, headers)
    (framed,) = asyncio.run(live(doors, [Question("POST", HEADS, headers, bomb)]))

    assert (answer.status, framed.answer.status) == (400, 400)
    assert b"inflates over" in answer.body
    assert b"inflates over" in framed.answer.body


def test_stranger_who_is_refused_too_often_is_put_off(doors: Doors) -> None:
    """After some refusals an address is asked to come later, and told when; a known node elsewhere is answered."""
    answers = []
    for _ in range(30):
        with in_tls(stranger(doors)) as connection:
            connection.sendall(b"GET /fed/1/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answers.append(connection.recv(4096))

    assert any(answer.startswith(b"HTTP/1.1 404") for answer in answers)
    assert answers[-1].startswith(b"HTTP/1.1 429")
    assert re.search(rb"\r\nRetry-After: [1-9]\d*\r\n", answers[-1])
    assert asks(doors) == 200


def test_question_that_is_replayed_on_a_live_connection_is_refused(doors: Doors) -> None:
    """One signature is good for one question, whatever carries it."""
    headers = doors.signed("POST", HEADS, ASKED)

    answers = asyncio.run(live(doors, [Question("POST", HEADS, headers, ASKED)] * 3))
    over_https = doors.federation.ask("POST", HEADS, ASKED, headers)

    assert sorted(answered.answer.status for answered in answers) == [200, 403, 403]
    assert over_https.status == 403


@pytest.mark.usefixtures("memory")
def test_peer_that_floods_its_connection_is_not_read_from(doors: Doors) -> None:
    """A flood of questions that come to nothing stops at the sender; others are answered at once."""
    sent = asyncio.run(flood(doors))

    assert sent < 64 * MEGABYTE


def test_invitation_lets_nobody_name_the_node_of_another(doors: Doors) -> None:
    """Whoever was invited joins as himself: with the chain of another and an address of his own he is refused."""
    secret = parse_invitation(act(doors.maker, "/invitations")["text"], 0).secret
    sql = "select envelope from root_statements where org = ? order by n"
    chain = tuple(decode_root_statement(row[0]) for row in rows(doors.maker.folder, sql, doors.peer.org))
    join = Join(secret, chain, doors.peer.node, "https://127.0.0.1:1", bytes(32)).to_bytes()
    target, key = "/fed/1/join", SigningKey.from_seed(bytes(32))
    known = rows(doors.maker.folder, PEERS)

    answers = [
        doors.federation.ask("POST", target, join),
        doors.federation.ask("POST", target, join, signed(doors, key, doors.peer.org, doors.peer.node, target, join)),
        doors.federation.ask("POST", target, join, signed(doors, key, doors.peer.org, bytes(16), target, join)),
    ]

    assert [answer.status for answer in answers] == [403] * 3
    assert rows(doors.maker.folder, PEERS) == known
    assert doors.federation.ask("POST", target, join, doors.signed("POST", target, join)).status == 204
    assert "https://127.0.0.1:1" in str(rows(doors.maker.folder, PEERS))


def test_unknown_versions_are_refused(doors: Doors) -> None:
    """Another version of the protocol and a frame of an unknown kind are refused in so many words."""
    assert (
        doors.federation.ask("POST", "/fed/2/heads", ASKED, doors.signed("POST", "/fed/2/heads", ASKED)).status == 404
    )
    before = refused(doors, "frame")
    for frame in (
        b"\x92\x09\x01",
        encode_frame(Noticed())[:-1],
        encode_frame(Asked(1, Question("POST", HEADS, {})))[:-1],
    ):
        asyncio.run(speak(doors, frame))
    until("each is counted", lambda: refused(doors, "frame") - before == 3)


def test_signature_of_a_deflated_body_is_that_of_the_body(doors: Doors) -> None:
    """A question may come deflated: what is signed is what it was before."""
    headers = {**doors.signed("POST", HEADS, ASKED), "Content-Encoding": "deflate"}
    signature = RequestSignature.from_bytes(base64.b64decode(headers[SIGNATURE]))
    asked = Request("POST", HEADS, doors.peer.org, doors.peer.node, doors.node, ASKED)
    assert verify_request(signature, doors.peer.sign.public, asked, signature.time_ms)

    assert doors.federation.ask("POST", HEADS, zlib.compress(ASKED), headers).status == 200


def test_known_node_that_asks_too_often_is_put_off(doors: Doors) -> None:
    """Beyond its burst a node gets 429 with Retry-After, over https and live alike, and is answered later."""
    before = refused(doors, "busy")
    question = [Question("POST", HEADS, doors.signed("POST", HEADS, ASKED), ASKED) for _ in range(150)]

    answers = [answered.answer for answered in asyncio.run(live(doors, question))]

    put_off = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} == {200, 429}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in put_off)
    # What is put off was not answered: it is no replay when it comes again.
    again = doors.signed("POST", HEADS, ASKED)
    statuses = {429}
    until("it is answered", lambda: asked(doors, again, statuses) != 429)
    assert statuses == {200, 429}
    assert refused(doors, "busy") - before > len(put_off)


def asked(doors: Doors, headers: dict[str, str], statuses: set[int]) -> int:
    """What the same question is answered with this time, added to those of before."""
    status = doors.federation.ask("POST", HEADS, ASKED, headers).status
    statuses.add(status)
    return status


async def live(doors: Doors, questions: list[Question]) -> list[Answered]:
    """Ask on one live connection, all at once, and read every answer."""
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
        session.ws_connect(_live_url(doors), headers=doors.signed("GET", "/fed/1/live")) as channel,
    ):
        for number, question in enumerate(questions):
            await channel.send_bytes(encode_frame(Asked(number, question)))
        found: list[Answered] = []
        while len(found) < len(questions):
            frame = decode_frame(await channel.receive_bytes())
            if isinstance(frame, Answered):
                found.append(frame)
    return found


async def flood(doors: Doors) -> int:
    """Send questions without end and read nothing; how many bytes the node took in some seconds."""
    question = encode_frame(Asked(1, Question("POST", "/fed/1/nothing", {}, bytes(1 << 16))))
    sent = 0
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
        session.ws_connect(
            _live_url(doors), headers=doors.signed("GET", "/fed/1/live"), autoping=False, timeout=UNREAD
        ) as channel,
    ):
        with contextlib.suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
            async with asyncio.timeout(FLOOD_S):
                while sent < 256 * MEGABYTE:
                    await channel.send_bytes(question)
                    sent += len(question)
    return sent


async def speak(doors: Doors, frame: bytes) -> None:
    """Send one frame, and wait until the node ends the connection."""
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
        session.ws_connect(_live_url(doors), headers=doors.signed("GET", "/fed/1/live")) as channel,
    ):
        await channel.send_bytes(frame)
        while (await channel.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass


def _live_url(doors: Doors) -> str:
    return str(doors.maker.addresses["federation"]) + "/fed/1/live"
