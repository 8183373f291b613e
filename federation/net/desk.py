"""Answering peers: one question in, one signed answer out, whatever carried it here."""

import asyncio
import base64
import binascii
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from urllib.parse import parse_qsl

from federation import codec
from federation.errors import BusyError, FederationError, RemoteProtocolError, RequestError
from federation.keys import SigningKey
from federation.net.deflate import DEFLATE, ENCODING, deflate, inflate
from federation.ports import Answer, Asker, Meter, Question, Shelf, Times
from federation.request import ReplayWindow, Request, RequestSignature, StaleError, response_hash, verify_request
from federation.sync import looking, messages
from federation.sync.allowance import Allowance, Budget, TokenBucket, Turns
from federation.sync.announcing import Announced, decode_refer, encode_differing, encode_referrals
from federation.sync.claiming import Claim
from federation.sync.following import FollowAsked

SIGNATURE = "Passport-Signature"
TIME = "Passport-Time"
BINARY = "application/vnd.passport+msgpack"
ROOT = "/fed/1/"
LIVE = ROOT + "live"
JOIN = "join"
NOBODY = b""
MAX_REQUEST = 1 << 20
MOST_RETRY_S = 600
LOOKS = frozenset({"lookup", "refer", "ask", "claim"})  # questions that anybody could ask by the million
LARGE = 1 << 16  # bytes of a question that is not read on the loop

Answering = Callable[[Asker, Question], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who answers here."""

    org: bytes
    node: bytes
    key: SigningKey


class Desk:
    """The questions of `/fed/1` over a shelf."""

    def __init__(
        self,
        shelf: Shelf,
        signer: Signer,
        times: Times,
        meter: Meter,
        allowance: Allowance | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`budget` counts what is in hand, here and wherever answers are sent."""
        allowance = allowance or Allowance()
        self.budget = budget or Budget(allowance.in_hand)
        self._turns, self._looks = Turns(allowance), Turns(allowance.of_looks)
        self._shelf = shelf
        self._signer = signer
        self._times = times
        self._meter = meter
        self._window = ReplayWindow()
        self._questions: dict[str, tuple[str, Answering]] = {
            "heads": ("POST", self._heads),
            "pull": ("POST", self._pull),
            "opened": ("POST", self._opened),
            "follow": ("POST", self._follow),
            "fetch": ("POST", self._fetch),
            "secret": ("POST", self._secret),
            "chunk": ("POST", self._chunk),
            "lookup": ("POST", self._lookup),
            "refer": ("POST", self._refer),
            "announce": ("POST", self._announce),
            "ask": ("POST", self._ask_access),
            "claim": ("POST", self._claim),
            "leaves": ("GET", self._leaves),
            JOIN: ("POST", self._join),
        }

    async def answer(self, question: Question) -> Answer:
        """Answer anything that anybody asks; what is refused is counted and says why."""
        return await self._guarded(self._answer(question))

    async def admit(self, question: Question) -> Asker | Answer:
        """Who asks for a live connection, or the refusal."""
        found: list[Asker] = []

        async def authenticate() -> Answer:
            asker, _ = await self._authenticate(question, LIVE.removeprefix(ROOT))
            await self._shelf.check(asker, "live")
            with self._turn(asker, LIVE.removeprefix(ROOT), question):
                found.append(asker)
            return Answer(101, {})

        refusal = await self._guarded(authenticate())
        return found[0] if found else refusal

    async def _guarded(self, answering: Awaitable[Answer]) -> Answer:
        try:
            return await answering
        except StaleError as error:
            self._meter.count("federation_refused", "stale")
            return _text(401, str(error), {TIME: str(self._times.now() // 1000)})
        except BusyError as error:
            self._meter.count("federation_refused", error.code)
            return busy(error.retry_s)
        except RequestError as error:
            self._meter.count("federation_refused", "request")
            return _text(403, str(error))
        except FederationError as error:
            self._meter.count("federation_refused", error.code)
            return _text(400, str(error))

    async def _answer(self, question: Question) -> Answer:
        name, question = _name(question.target), _inflated(question)
        if name not in self._questions:
            return self._refuse(404, "no such question")
        method, handler = self._questions[name]
        if question.method != method:
            return self._refuse(405, f"{name} is asked by {method}")
        asker, digest = await self._authenticate(question, name)
        if name != JOIN:
            await self._shelf.check(asker, name)
        # An answer is made whole before it is sent: what it may come to is in hand until then.
        with self._turn(asker, name, question) as turn, self.budget.hold(messages.MAX_BODY):
            answer = self._sign(question, digest, await handler(asker, question))
            turn.take(len(answer.body), self._times.now() / 1e6)
        self._meter.count("federation_answers", name)
        self._meter.count("federation_bytes_out", name, len(answer.body))
        return answer

    @contextmanager
    def _turn(self, asker: Asker, name: str, question: Question) -> Iterator[TokenBucket]:
        now = self._times.now() / 1e6
        with self._turns.turn(asker.node, now) as turn:
            turn.take(len(question.body), now)
            self._meter.count("federation_askers", "own" if asker.org == self._signer.org else "other")
            self._meter.count("federation_bytes_in", name, len(question.body))
            yield turn

    def _sign(self, question: Question, digest: bytes, raw: bytes | None) -> Answer:
        status, body = (204, b"") if raw is None else (200, raw)
        signature = self._signer.key.sign_hash("response", response_hash(digest, status, body))
        headers = {
            SIGNATURE: base64.b64encode(signature).decode(),
            "Cache-Control": "private, no-store",
            "Content-Type": BINARY,
            "Date": formatdate(self._times.now() / 1e6, usegmt=True),
        }
        if DEFLATE in question.headers.get("Accept-Encoding", "") and (packed := deflate(body)) is not None:
            headers[ENCODING], body = DEFLATE, packed
        return Answer(status, headers, body)

    def _refuse(self, status: int, text: str) -> Answer:
        self._meter.count("federation_refused", str(status))
        return _text(status, text)

    async def _authenticate(self, question: Question, name: str) -> tuple[Asker, bytes]:
        signature = RequestSignature.from_bytes(_header_bytes(question.headers.get(SIGNATURE, "")))
        if name in LOOKS:
            # Before the store is asked for anything: who asks too much, or says that it is who does, costs nothing.
            self._looks.check(signature.sender, self._times.now() / 1e6)
        key = await (self._joining_key(signature, question.body) if name == JOIN else self._known_key(signature))
        if key is None:
            raise RequestError("the sender is no node of a known organisation")
        own, target = self._signer.node, question.target
        asked = Request(question.method, target, signature.org, signature.sender, own, question.body)
        now_ms = self._times.now() // 1000
        digest = verify_request(signature, key, asked, now_ms)
        # What is put off is not remembered: it is answered to nobody.
        self._turns.check(signature.sender, now_ms / 1000)
        self._window.admit(signature.sender, signature.nonce, now_ms)
        if name in LOOKS:
            with self._looks.turn(signature.sender, now_ms / 1000):
                pass
        return Asker(signature.org, signature.sender), digest

    async def _known_key(self, signature: RequestSignature) -> bytes | None:
        return await self._shelf.sign_key(signature.org, signature.sender)

    async def _joining_key(self, signature: RequestSignature, body: bytes) -> bytes | None:
        """Who joins is not known here: its own chain tells its key, and it speaks for no other node."""
        join = messages.decode_join(body)
        said = (join.chain[0].org_id if join.chain else b"", join.node)
        return await self._shelf.joining_key(join) if said == (signature.org, signature.sender) else None

    async def _heads(self, asker: Asker, question: Question) -> bytes | None:
        heads = await self._shelf.heads(asker, messages.HeadsAsked.from_bytes(question.body))
        return None if heads is None else heads.to_bytes()

    async def _leaves(self, _asker: Asker, question: Question) -> bytes:
        log, start, end = _range(question.target)
        return messages.encode_leaves(start, await self._shelf.leaves(log, start, end))

    async def _pull(self, asker: Asker, question: Question) -> bytes:
        return messages.encode_parts(await self._shelf.pull(asker, messages.decode_pull(question.body)))

    async def _opened(self, asker: Asker, question: Question) -> bytes:
        return messages.encode_openings(await self._shelf.opened(asker, *messages.decode_opened(question.body)))

    async def _follow(self, asker: Asker, question: Question) -> bytes:
        return (await self._shelf.follow(asker, FollowAsked.from_bytes(question.body))).to_bytes()

    async def _fetch(self, asker: Asker, question: Question) -> bytes:
        return messages.encode_fetched(await self._shelf.fetch(asker, messages.decode_fetch(question.body)))

    async def _secret(self, asker: Asker, question: Question) -> bytes:
        return messages.section_to_bytes(await self._shelf.secret(asker, *messages.decode_secret(question.body)))

    async def _chunk(self, asker: Asker, question: Question) -> bytes:
        return messages.encode_chunk(await self._shelf.chunk(asker, *messages.decode_chunk_asked(question.body)))

    async def _join(self, _asker: Asker, question: Question) -> None:
        await self._shelf.join(messages.decode_join(question.body))

    async def _lookup(self, asker: Asker, question: Question) -> bytes:
        return looking.encode_looked(await self._shelf.lookup(asker, *looking.decode_lookup(question.body)))

    async def _refer(self, asker: Asker, question: Question) -> bytes:
        return encode_referrals(await self._shelf.refer(asker, decode_refer(question.body)))

    async def _ask_access(self, asker: Asker, question: Question) -> None:
        await self._shelf.ask(asker, *looking.decode_ask(question.body))

    async def _claim(self, asker: Asker, question: Question) -> bytes:
        return (await self._shelf.claim(asker, Claim.from_bytes(question.body))).to_bytes()

    async def _announce(self, asker: Asker, question: Question) -> bytes | None:
        raw = question.body
        said = await asyncio.to_thread(Announced.from_bytes, raw) if len(raw) > LARGE else Announced.from_bytes(raw)
        differing = await self._shelf.announce(asker, said)
        return None if differing is None else encode_differing(differing)


def asker_of(headers: Mapping[str, str], answer: Answer) -> bytes:
    """The organisation that signed a question with these headers; nobody where the answer is not signed.

    An answer is signed once the question's signature was checked.
    """
    return RequestSignature.from_bytes(_header_bytes(headers[SIGNATURE])).org if SIGNATURE in answer.headers else NOBODY


def busy(retry_s: float) -> Answer:
    """Ask again after so many seconds."""
    return _text(429, "asked too much: ask later", {"Retry-After": str(min(math.ceil(retry_s), MOST_RETRY_S))})


def _inflated(question: Question) -> Question:
    """The question with the body that was signed: a body is hashed before any content encoding."""
    body = inflate(question.body, question.headers.get(ENCODING), MAX_REQUEST)
    return replace(question, body=body)


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {"Content-Type": "text/plain", **(headers or {})}, text.encode(errors="replace"))


def _name(target: str) -> str:
    """The question of a path: its last part, where it is a path of this protocol."""
    path = target.partition("?")[0]
    parts = path.removeprefix(ROOT).split("/") if path.startswith(ROOT) else []
    if len(parts) == 3 and parts[0] == "log" and parts[2] == "leaves":
        return parts[2]
    return parts[0] if len(parts) == 1 and parts[0] != "leaves" else ""


def _header_bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("the request is not signed") from error


def _range(target: str) -> tuple[bytes, int, int]:
    path, _, query = target.partition("?")
    values = dict(reversed(parse_qsl(query)))
    try:
        log = bytes.fromhex(path.split("/")[4])
        start, end = int(values["start"]), int(values["end"])
    except (KeyError, ValueError) as error:
        raise RemoteProtocolError("leaves: log, start and end are hex and numbers") from error
    if len(log) != 16 or not 0 <= start < end <= min(start + messages.MAX_ENTRIES, codec.MAX_INT):
        raise RemoteProtocolError(f"leaves: a range of 1 to {messages.MAX_ENTRIES}")
    return log, start, end
