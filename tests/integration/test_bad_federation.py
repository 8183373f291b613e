"""Whatever comes to the federation port is refused in the federation's words, counted, and changes nothing."""

import asyncio
import base64
import random
from collections.abc import Iterator

import aiohttp
import pytest

from federation import codec
from federation.fragment import Ref
from federation.keys import SigningKey
from federation.request import Request, sign_request
from federation.statements import NodeBody, genesis, sign_root_statement
from federation.sync import looking, messages
from federation.sync.announcing import Announced, encode_refer
from federation.sync.following import FollowAsked
from federation.sync.frames import MAX_FRAME, Noticed, encode_frame
from node.clock import SystemClock, SystemRandom
from tests.garbage import blobs, mutated
from tests.integration.bad_input import SIGNATURE, WAIT_S, Answer, Contents, Doors, open_doors
from tests.nodes import journal, metrics, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad input")]
SEED = 20_961
REFUSED = "federation_refused"
FOLLOWED = ("filters", "follows")
TLS_RECORD = 1 << 14  # bytes: RFC 8446, 5.1
GET = ("log/{log}/leaves?start=0&end=10", "live")
POST = ("heads", "pull", "opened", "follow", "fetch", "secret", "lookup", "refer", "announce")
PATHS = (*GET, *POST, "join", "", "log", "../fed/1/heads", "log/zz/leaves")
RANGES = (
    "", "?start=0", "?start=a&end=b", "?start=-1&end=1", "?start=5&end=5", "?start=0&end=1001",
    "?start=99999999999999999999&end=99999999999999999999999", "?start=9223372036854775807&end=9223372036854775808",
    "?start=9223372036854775800&end=9223372036854775807", f"?start={10**30}&end={10**30 + 1}",
    "?start=%00&end=1", "?start=0&end=10&end=20",
)  # fmt: skip
# A point of small order, one whose y is not below the prime, the identity: each is a key that libsodium refuses.
SMALL_ORDER = tuple(bytes.fromhex(text) for text in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
))  # fmt: skip


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A maker's node and a peer that it knows."""
    with open_doors(tmp_path_factory.mktemp("bad")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_changes(doors: Doors) -> Iterator[None]:
    """Each test leaves the store as it found it, but for what the peer may rightly say that it follows."""
    contents = Contents(doors.maker.folder)
    before = contents.read()
    yield
    assert {**contents.read(), **{name: before[name] for name in FOLLOWED}} == before
    contents.close()


class Counting:
    """How many refusals the node counted since this was made."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._before = metrics(doors.maker, REFUSED)

    def rise(self, *labels: str) -> int:
        """By how much these counters rose, or all of them."""
        now = metrics(self._doors.maker, REFUSED)
        return int(sum(now.get(label, 0) - self._before.get(label, 0) for label in labels or now))


def refused(answers: list[Answer], *statuses: int) -> None:
    """Each answer is a refusal in a line of text."""
    for answer in answers:
        assert answer.status in (statuses or (400, 401, 403, 404, 405, 413)), (answer.status, answer.text)
        assert "Traceback" not in answer.text


def test_bytes_that_are_no_tls_are_counted(doors: Doors) -> None:
    """What is no handshake ends the connection, and is counted."""
    counting = Counting(doors)
    sent = [raw for raw in blobs(SEED, 40) if len(raw) > 5]
    sent += [b"GET /fed/1/heads HTTP/1.1\r\nHost: a\r\n\r\n"]
    for raw in sent:
        assert not doors.federation.send(raw, in_clear=True).startswith(b"HTTP")
    until("every handshake is counted", lambda: counting.rise("tls") >= len(sent))


def test_bytes_that_are_no_http_are_counted(doors: Doors) -> None:
    """Garbage inside TLS is answered with a refusal, and each one is counted."""
    counting = Counting(doors)
    sent = [raw + b"\r\n\r\n" for raw in blobs(SEED + 1, 40) if raw]
    sent += [
        b"GET /fed/1/heads\r\n\r\n",
        b"POST /fed/1/join HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /fed/1/join HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /fed/1/join HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    ]
    for raw in sent:
        answer = doors.federation.send(raw)
        # What is refused before it was read to its end may reset the connection, and take the answer along.
        assert answer.split()[1:2] in ([b"400"], [b"405"]) or (not answer and len(raw) > TLS_RECORD), raw[:60]
    until("every answer is counted", lambda: counting.rise() >= len(sent))


@pytest.mark.parametrize("encoding", ["chunked", "deflate", "gzip", "br", "unknown"])
def test_body_that_cannot_be_decoded_is_refused(doors: Doors, encoding: str) -> None:
    """A body in a transfer or content encoding that it is not in is the sender's fault."""
    counting = Counting(doors)
    if encoding == "chunked":
        raw = b"POST /fed/1/join HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
    else:
        head = f"POST /fed/1/join HTTP/1.1\r\nHost: a\r\nContent-Encoding: {encoding}\r\nContent-Length: 8\r\n\r\n"
        raw = head.encode() + b"\xff\xfe\xfd\xfcabcd"
    answer = doors.federation.send(raw + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.split()[1][:1] == b"4", answer[:200]
    until("the refusal is counted", lambda: counting.rise() >= 1)


def test_unsigned_requests_are_refused(doors: Doors) -> None:
    """On every path and method, random bytes with no signature or a random one are refused and counted."""
    source, counting = random.Random(SEED), Counting(doors)
    answers = []
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            for raw in source.sample(blobs(SEED, 10), 3):
                header = source.choice(("", "!", "AAAA", base64.b64encode(source.randbytes(90)).decode()))
                target = "/fed/1/" + path.format(log=doors.log.hex())
                answers.append(doors.federation.ask(method, target, raw, {SIGNATURE: header}))
    refused(answers)
    assert counting.rise() == len(answers)


def test_signed_requests_of_another_shape_are_refused(doors: Doors) -> None:
    """A known peer that sends random bytes, other msgpack or a mutated question gets a refusal, or what it asked."""
    source = random.Random(SEED)
    questions = {
        "heads": messages.HeadsAsked().to_bytes(),
        "pull": messages.encode_pull([messages.Span(doors.log, 0, 1)]),
        "opened": messages.encode_opened(0, 10),
        "follow": FollowAsked(added=frozenset({bytes(16)})).to_bytes(),
        "fetch": messages.encode_fetch([Ref(doors.log, 1, bytes(16))]),
        "secret": messages.encode_secret(bytes(16), "root-keys"),
        "lookup": looking.encode_lookup("number", "1"),
        "refer": encode_refer([bytes(16)]),
        "announce": Announced(bytes(16), {1: b""}, bytes(8)).to_bytes(),
    }
    lookups = [("id", "zz"), ("id", "00" * 15), ("id", "0"), ("dev_eui", "\u0660"), ("x" * 64, "y" * 256), ("id", "ю")]
    shapes = [codec.pack(value) for value in _shapes(source)]
    sent = [(path, raw) for path in questions for raw in (*blobs(SEED, 20), *shapes)]
    sent += [(path, mutated(source, raw)) for path, raw in questions.items() for _ in range(40)]
    sent += [("lookup", codec.pack([scheme, value])) for scheme, value in lookups]
    counting = Counting(doors)

    answers = [_ask_signed(doors, "POST", f"/fed/1/{path}", body) for path, body in sent]

    wrong = [answer for answer in answers if answer.status not in (200, 204)]
    refused(wrong, 400, 403)
    assert len(wrong) > len(answers) * 3 // 4
    assert counting.rise("protocol", "request", "filter") == len(wrong)


def test_ranges_beyond_any_log_are_refused_or_empty(doors: Doors) -> None:
    """Numbers that are none, negative, reversed, too many or too large never reach the store."""
    counting, answers = Counting(doors), []
    for log in (doors.log.hex(), "00" * 16, doors.log.hex()[:-2], "%2e%2e", doors.log.hex() + "%00"):
        answers += [_ask_signed(doors, "GET", f"/fed/1/log/{log}/leaves{query}", b"") for query in RANGES]
    wrong = [answer for answer in answers if answer.status != 200]
    refused(wrong, 400, 403)
    assert len(answers) - len(wrong) <= 4
    assert counting.rise("protocol", "request") == len(wrong)


def test_large_bodies_are_refused(doors: Doors) -> None:
    """A body over the limit is refused, whether its length is stated or not."""
    counting = Counting(doors)
    for path in ("heads", "join"):
        for body in (bytes((1 << 20) + 1), [bytes(1 << 16)] * 40):
            answer = doors.federation.ask("POST", f"/fed/1/{path}", body, {SIGNATURE: "AAAA"})
            assert answer.status == 413
    assert counting.rise("oversize") == 4


def test_wrong_signatures_are_refused(doors: Doors) -> None:
    """A signature over another body, path, method or node, or with a flipped bit does not hold."""
    body, target = messages.HeadsAsked().to_bytes(), "/fed/1/heads"
    good = doors.signed("POST", target, body)
    headers = [
        doors.signed("POST", target, body + b"\0"),
        doors.signed("POST", target + "?", body),
        doors.signed("GET", target, body),
        doors.signed("POST", target, body, to=bytes(16)),
    ]
    raw = base64.b64decode(good[SIGNATURE])
    for bit in random.Random(SEED).sample(range(len(raw) * 8), 60):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        headers.append({SIGNATURE: base64.b64encode(bytes(flipped)).decode()})
    counting = Counting(doors)

    answers = [doors.federation.ask("POST", target, body, header) for header in headers]

    refused(answers, 403)
    assert counting.rise("request") == len(headers)
    assert doors.federation.ask("POST", target, body, good).status == 200


def test_replayed_and_stale_requests_are_refused(doors: Doors) -> None:
    """A request counts once, and only near the server's own time, which the refusal tells."""
    body, target = messages.HeadsAsked().to_bytes(), "/fed/1/heads"
    headers, old = doors.signed("POST", target, body), doors.signed("POST", target, body, ago_ms=600_000)
    counting = Counting(doors)

    statuses = [doors.federation.ask("POST", target, body, headers).status for _ in range(4)]
    stale = doors.federation.ask("POST", target, body, old)

    assert statuses == [200, 403, 403, 403]
    assert (stale.status, stale.headers["Passport-Time"].isdigit()) == (401, True)
    assert (counting.rise("request"), counting.rise("stale")) == (3, 1)


def test_join_without_an_invitation_leaves_nothing(doors: Doors) -> None:
    """Well-formed joins with a wrong secret, keys of small order or broken chains are refused; none is kept."""
    key, sign = SigningKey.from_seed(bytes(range(32))), SigningKey.from_seed(bytes(32))
    node, url, pin = bytes(16), "https://127.0.0.1:1", bytes(32)
    first = genesis(key, sign.public)
    stated = sign_root_statement(key, NodeBody(node, sign.public), first.org_id, 1, first.hash)
    chain: list[codec.Value] = [first.envelope(), stated.envelope()]
    small = [codec.pack([first.raw.replace(key.public[1:], point), first.signature]) for point in SMALL_ORDER]
    wrong = [codec.pack([stated.raw.replace(sign.public[1:], point), stated.signature]) for point in SMALL_ORDER]
    mangled = [mutated(random.Random(n), first.envelope()) for n in range(20)]
    chains: list[list[codec.Value]] = [chain, [], chain * 50]
    for raw in small:
        chains.append([raw])
    for raw in wrong:
        chains.append([chain[0], raw])
    for raw in mangled:
        chains.append([raw, chain[1]])
    joins: list[codec.Value] = [[bytes(16), given, node, url, pin] for given in chains]
    joins += [[bytes(16), chain, b"\1" * 16, url, pin], [bytes(16), chain, node, "http://127.0.0.1:1", pin]]
    sent = [*(codec.pack(join) for join in joins), *blobs(SEED, 30)]
    counting = Counting(doors)

    def signed(body: bytes) -> dict[str, str]:
        request = Request("POST", "/fed/1/join", first.org_id, node, doors.node, body)
        signature = sign_request(sign, request, SystemClock().now() // 1000, SystemRandom().bytes(16))
        return {SIGNATURE: base64.b64encode(signature.to_bytes()).decode()}

    answers = [doors.federation.ask("POST", "/fed/1/join", raw, signed(raw)) for raw in sent]

    refused(answers, 400, 403)
    assert counting.rise("protocol", "request") == len(answers)


def test_live_connection_takes_any_frame(doors: Doors) -> None:
    """On the live connection what is no frame ends it, a notice does not, no upgrade is a refusal."""
    counting = Counting(doors)
    broken: list[bytes | str] = ["text", b"", bytes(2000), bytes(MAX_FRAME + 1), *blobs(SEED, 5, 900)[-5:]]
    assert not asyncio.run(_live(doors, encode_frame(Noticed())))
    for frame in broken:
        assert asyncio.run(_live(doors, frame)), frame[:20]
    assert counting.rise("frame") == len([frame for frame in broken if isinstance(frame, bytes)]) - 1
    assert doors.federation.ask("GET", "/fed/1/live", b"", doors.signed("GET", "/fed/1/live")).status == 400
    assert counting.rise("400") == 1


def test_key_that_is_refused_stands_in_the_journal(doors: Doors) -> None:
    """A peer that asks for a key that is not for it is refused, and the node's own journal tells who asked."""
    body = messages.encode_secret(bytes.fromhex("ab" * 16), "root-keys")
    before = len(journal(doors.maker.folder, "secret_refused"))

    answer = _ask_signed(doors, "POST", "/fed/1/secret", body)

    assert answer.status == 403
    assert len(journal(doors.maker.folder, "secret_refused")) == before + 1


def _ask_signed(doors: Doors, method: str, target: str, body: bytes) -> Answer:
    return doors.federation.ask(method, target, body, doors.signed(method, target, body))


def _shapes(source: random.Random) -> Iterator[codec.Value]:
    odd: list[codec.Value] = [None, 0, "", b"", [], [None], [[]], [0, 0], ["", ""], [b"", ""], [[b"", 0, b""]]]
    parts: list[codec.Value] = [None, 1 << 62, "x", source.randbytes(16), [source.randbytes(16)]]
    yield from odd
    for _ in range(20):
        yield source.choices(parts, k=3)


async def _live(doors: Doors, frame: bytes | str) -> bool:
    """Send a frame on a live connection; whether the node ended it."""
    url = doors.maker.addresses["federation"] + "/fed/1/live"
    async with (
        asyncio.timeout(WAIT_S),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session,
        session.ws_connect(url, headers=doors.signed("GET", "/fed/1/live"), autoping=False) as socket,
    ):
        await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        await socket.ping(b"?")
        message = await socket.receive()
        while message.type is aiohttp.WSMsgType.BINARY:  # it asks who dialled what is new there
            message = await socket.receive()
        return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
