"""Asking a peer: signed requests, answers checked against the peer's key."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import TypeVar

from federation.errors import AnswerError, BrokenError, BusyError, RemoteProtocolError, RequestError
from federation.fragment import Ref, Section
from federation.net.deflate import DEFLATE, ENCODING, deflate, inflate
from federation.net.desk import LIVE, MOST_RETRY_S, SIGNATURE, TIME, Signer
from federation.net.pace import paced
from federation.peer import PeerAddress, check_url
from federation.ports import Answer, Asking, Carrier, Question, Times, Wire
from federation.request import Request, sign_request, verify_response
from federation.sync import looking, messages
from federation.sync.allowance import Allowance, TokenBucket
from federation.sync.announcing import Referral, decode_differing, decode_referrals, encode_refer
from federation.sync.claiming import Claim, Claimed
from federation.sync.following import FollowAsked, Followed

TRIES = 4
PATIENCE_S = 5  # a peer that says to wait longer is asked again at the next exchange
OTHER_TIME = "the peer does not accept this node's time"
LARGE = 1 << 16  # bytes of an answer that is not read on the loop
PIN_SIZE = 32  # SHA-256
Read = TypeVar("Read")


class PeerClient:
    """Requests to one peer. Raises RemoteProtocolError, or AwayError where it is away."""

    def __init__(
        self,
        asking: Asking,
        peer: PeerAddress,
        signer: Signer,
        times: Times,
        random: Callable[[int], bytes],
    ) -> None:
        if peer.url:
            check_url(peer.url)
            if len(peer.pin) != PIN_SIZE:
                raise RemoteProtocolError(f"a pin is {PIN_SIZE} bytes, got {len(peer.pin)}")
        self._asking = asking
        self._peer = peer
        self._signer = signer
        self._times = times
        self._random = random
        self._offset_ms = 0
        # No faster than a node lets itself be asked: who answers at once and never ends would be asked without end.
        self._turns = TokenBucket(Allowance.requests_s, Allowance.requests_burst)
        self.clock_gap_s: float | None = None  # how far the peer's clock is ahead, to a second, by its last answer

    async def heads(self, known: messages.HeadsAsked) -> messages.Heads | None:
        """What changed at the peer since; None where nothing did."""
        raw = await self._ask("POST", "/fed/1/heads", known.to_bytes())
        return None if raw is None else await _beside(messages.decode_heads, raw)

    async def pull(self, spans: Sequence[messages.Span]) -> list[messages.Part]:
        """Entries of logs: parts of the first spans, as many as fit into one answer."""
        return await _beside(messages.decode_parts, await self._must("/fed/1/pull", messages.encode_pull(spans)))

    async def leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        """Leaf hashes of a log."""
        leaves: list[bytes] = []
        while start + len(leaves) < end:
            at = start + len(leaves)
            part = await self._leaves(log, at, min(end, at + messages.MAX_ENTRIES))
            if not part:
                raise RemoteProtocolError("leaves: hashes were asked for")
            leaves += part
        return leaves

    async def opened(self, after: int) -> messages.Openings:
        """What was opened after a number."""
        asked = messages.encode_opened(after, messages.MAX_PULL)
        return await _beside(messages.decode_openings, await self._must("/fed/1/opened", asked))

    async def follow(self, asked: FollowAsked) -> Followed:
        """Say what is followed."""
        return Followed.from_bytes(await self._must("/fed/1/follow", asked.to_bytes()))

    async def fetch(self, refs: Sequence[Ref]) -> list[messages.Proven]:
        """Entries by place and id."""
        return await _beside(messages.decode_fetched, await self._must("/fed/1/fetch", messages.encode_fetch(refs)))

    async def secret(self, subject: bytes, section: str) -> Section:
        """The newest secret section of that name about a subject, sealed to this node."""
        return messages.section_from_bytes(await self._must("/fed/1/secret", messages.encode_secret(subject, section)))

    async def chunk(self, ref: Ref, section: str, n: int) -> bytes:
        """One chunk of a section of an entry; the caller compares its hash."""
        return messages.decode_chunk(await self._must("/fed/1/chunk", messages.encode_chunk_asked(ref, section, n)))

    async def lookup(self, scheme: str, value: str) -> looking.Looked:
        """The passports that carry an identifier, as far as they are for this node."""
        asked = looking.encode_lookup(scheme, value)
        return await _beside(looking.decode_looked, await self._must("/fed/1/lookup", asked))

    async def ask_access(self, scheme: str, value: str, words: str) -> None:
        """Ask to be shown what carries an identifier."""
        if await self._ask("POST", "/fed/1/ask", looking.encode_ask(scheme, value, words)) is not None:
            raise AnswerError("/fed/1/ask: an answer where none is expected")

    async def claim(self, claim: Claim) -> Claimed:
        """Claim a box."""
        return Claimed.from_bytes(await self._must("/fed/1/claim", claim.to_bytes()))

    async def refer(self, keys: Sequence[bytes]) -> list[tuple[Referral, ...]]:
        """For each key who announced there that he holds what has it."""
        return decode_referrals(await self._must("/fed/1/refer", encode_refer(keys)), len(keys))

    async def announce(self, asked: bytes) -> dict[int, bytes] | None:
        """Say what is held, as `Announced` spells it; the digests of the buckets there where the list differs."""
        return decode_differing(await self._ask("POST", "/fed/1/announce", asked))

    async def join(self, join: messages.Join) -> None:
        """Show an invitation's secret."""
        if await self._ask("POST", "/fed/1/join", join.to_bytes()) is not None:
            raise AnswerError("/fed/1/join: an answer where none is expected")

    async def dial(self, carrier: Carrier) -> Wire:
        """A live connection."""
        for left in reversed(range(TRIES)):
            question, _ = self._sign("GET", LIVE, b"")
            answer = await carrier.dial(self._peer, question)
            if not isinstance(answer, Answer):
                return answer
            await self._again(LIVE, answer, left)
        raise RequestError(OTHER_TIME)

    async def _leaves(self, log: bytes, start: int, end: int) -> list[bytes]:
        raw = await self._ask("GET", f"/fed/1/log/{log.hex()}/leaves?start={start}&end={end}", b"")
        if raw is None:
            raise RemoteProtocolError("leaves: an empty answer")
        return messages.decode_leaves(raw, start, end - start)

    async def _must(self, path: str, body: bytes) -> bytes:
        raw = await self._ask("POST", path, body)
        if raw is None:
            raise RemoteProtocolError(f"{path}: an empty answer")
        return raw

    async def _ask(self, method: str, target: str, body: bytes) -> bytes | None:
        for left in reversed(range(TRIES)):
            question, digest = self._sign(method, target, body)
            answer = await self._send(question)
            if answer.status in (200, 204):
                _check_signed(answer, self._peer.sign_key, digest)
                return None if answer.status == 204 else answer.body
            await self._again(target.partition("?")[0], answer, left)
        raise RequestError(OTHER_TIME)

    async def _again(self, what: str, answer: Answer, left: int) -> None:
        """Get ready to ask again after a refusal; raise where that is of no use, or was tried often enough."""
        if answer.status == 401 and TIME in answer.headers:
            # The next question goes by the time that the peer told.
            self._offset_ms = _time(answer.headers[TIME]) - self._times.now() // 1000
        elif answer.status == 429:
            retry_s = _retry_s(answer.headers.get("Retry-After", ""))
            if not left or retry_s > PATIENCE_S:
                raise BusyError(f"{what}: it was asked too much", retry_s)
            # Those who were refused together do not come back together.
            await asyncio.sleep(retry_s * (1 + self._random(1)[0] / 512))
        else:
            raise _refusal(what, answer)

    def _sign(self, method: str, target: str, body: bytes) -> tuple[Question, bytes]:
        request = Request(method, target, self._signer.org, self._signer.node, self._peer.node, body)
        time_ms, nonce = self._times.now() // 1000 + self._offset_ms, self._random(16)
        signature = sign_request(self._signer.key, request, time_ms, nonce)
        headers = {SIGNATURE: base64.b64encode(signature.to_bytes()).decode(), "Accept-Encoding": DEFLATE}
        if (packed := deflate(body)) is not None:
            headers[ENCODING], body = DEFLATE, packed
        return Question(method, target, headers, body), request.hash(time_ms, nonce)

    async def _send(self, question: Question) -> Answer:
        await paced(self._turns)
        answer = await self._asking.ask(self._peer, question, messages.MAX_BODY)
        self.clock_gap_s = _gap_s(answer.headers.get("Date"), self._times.now())
        encoding = answer.headers.get(ENCODING)
        body = await _beside(lambda raw: inflate(raw, encoding, messages.MAX_INFLATED), answer.body)
        return Answer(answer.status, answer.headers, body)


async def _beside(decode: Callable[[bytes], Read], raw: bytes) -> Read:
    """What bytes say; beside the loop where they say much: others are waiting."""
    return await asyncio.to_thread(decode, raw) if len(raw) > LARGE else decode(raw)


def _check_signed(answer: Answer, sign_key: bytes, digest: bytes) -> None:
    try:
        signature = base64.b64decode(answer.headers.get(SIGNATURE, ""), validate=True)
        verify_response(signature, sign_key, digest, answer.status, answer.body)
    except (binascii.Error, ValueError) as error:
        raise AnswerError("the answer is not signed") from error
    except RequestError as error:
        raise AnswerError(str(error)) from error


def _refusal(what: str, answer: Answer) -> RemoteProtocolError:
    text = f"{what}: {answer.status} {answer.body[:300].decode(errors='replace')}"
    if answer.status >= 500:
        return BrokenError(text)
    return RequestError(text) if answer.status >= 400 else AnswerError(f"{what}: {answer.status} is no answer")


def _retry_s(value: str) -> float:
    """Seconds to wait; what is no number in bounds counts as a second."""
    return (
        float(min(max(int(value), 1), MOST_RETRY_S)) if value.isascii() and value.isdigit() and len(value) < 8 else 1.0
    )


def _gap_s(date: str | None, now_us: int) -> float | None:
    """How far a peer's clock is ahead by the date of its answer; None where it tells none."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() - now_us / 1e6
    except (ValueError, OverflowError):
        return None


def _time(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 16:
        raise RemoteProtocolError("the peer's time is no number")
    return int(value)
