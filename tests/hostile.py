"""A peer that does what no peer should: a real TLS server whose answers are written byte by byte."""

import asyncio
import base64
import os
import ssl
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from federation.keys import SigningKey
from federation.peer import PeerAddress
from federation.request import Request, RequestSignature, response_hash
from federation.sync.messages import Heads
from node.certificate import certificate_pin, make_certificate
from tests.builders import STAMP, id16, signing_key

NODE, ORG = id16("hostile"), id16("hostile/org")
KEY = signing_key("hostile")
MEGABYTE = 1 << 20
GOOD = Heads(bytes(16), 1).to_bytes()


@dataclass(slots=True)
class Asked:
    """A request as it came, and the way back."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def name(self) -> str:
        """What is asked."""
        return self.target.partition("?")[0].rpartition("/")[2]

    async def send(self, *parts: bytes) -> None:
        """Write bytes; raise ConnectionError once the other side had enough."""
        for part in parts:
            if self.writer.transport.is_closing():
                raise ConnectionResetError("the other side had enough")
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)  # a closed connection drains at once: without a turn nobody tells that it closed

    def signed(self, body: bytes, key: SigningKey = KEY, status: int = 200) -> bytes:
        """The signature of an answer to this request, as it stands in the header."""
        signature = RequestSignature.from_bytes(base64.b64decode(self.headers["passport-signature"]))
        sent = zlib.decompress(self.body) if self.headers.get("content-encoding") == "deflate" else self.body
        request = Request(self.method, self.target, signature.org, signature.sender, signature.receiver, sent)
        digest = response_hash(request.hash(signature.time_ms, signature.nonce), status, body)
        return base64.b64encode(key.sign_hash("response", digest))

    async def answer(self, body: bytes, *, key: SigningKey = KEY, deflated: bool = False) -> None:
        """A whole answer, signed."""
        sent = zlib.compress(body, 9) if deflated else body
        encoding = b"Content-Encoding: deflate\r\n" if deflated else b""
        await self.send(
            b"HTTP/1.1 200 OK\r\nPassport-Signature: ", self.signed(body, key), b"\r\n", encoding,
            b"Content-Length: %d\r\n\r\n" % len(sent), sent,
        )  # fmt: skip


Script = Callable[[Asked], Awaitable[None]]


@dataclass(slots=True)
class Hostile:
    """The server: what it does with each request, and how many came of each name."""

    script: Script
    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    pin: bytes = b""
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def address(self) -> PeerAddress:
        """Where it is, as its victim knows it."""
        return PeerAddress(f"https://127.0.0.1:{self.port}", NODE, KEY.public, self.pin)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes on one connection."""
        self.writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                asked = await _read(reader, writer)
                self.asked[asked.name] += 1
                await self.script(asked)
        self.writers.discard(writer)
        writer.close()


@asynccontextmanager
async def hostile(script: Script, folder: Path) -> AsyncIterator[Hostile]:
    """The server on loopback, until the block ends."""
    key, certificate = make_certificate("hostile", STAMP)
    (folder / "hostile.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "hostile.pem")
    peer = Hostile(script, pin=certificate_pin(certificate))
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in list(peer.writers):
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body, writer)


# What it may do.


async def stream_for_ever(asked: Asked) -> None:
    """A body without end, as fast as it is read."""
    await asked.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await asked.send(b"10000\r\n", bytes(1 << 16), b"\r\n")


async def trickle(asked: Asked) -> None:
    """A body of which a byte comes now and then."""
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await asked.send(b"x")
        await asyncio.sleep(0.02)


async def trickle_headers(asked: Asked) -> None:
    """A header of which a byte comes now and then."""
    await asked.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await asked.send(b"X-A: b\r\n")
        await asyncio.sleep(0.02)


async def say_nothing(_asked: Asked) -> None:
    """No answer."""
    await asyncio.sleep(3600)


async def break_off(asked: Asked) -> None:
    """Less than was stated."""
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"half")
    asked.writer.close()


async def redirect(asked: Asked) -> None:
    """Elsewhere."""
    await asked.send(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")


async def huge_header(asked: Asked) -> None:
    """A header of a megabyte."""
    await asked.send(b"HTTP/1.1 200 OK\r\nX: ", b"y" * MEGABYTE, b"\r\n\r\n")


async def garbage(asked: Asked) -> None:
    """What is no HTTP."""
    await asked.send(b"\x00\x01\x02 no HTTP at all\r\n\r\n")


async def fail(asked: Asked) -> None:
    """An internal error."""
    await asked.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")


async def put_off(asked: Asked) -> None:
    """Come again in an hour."""
    await asked.send(b"HTTP/1.1 429 Later\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")


async def put_off_now(asked: Asked) -> None:
    """Come again at once, for ever."""
    await asked.send(b"HTTP/1.1 429 Later\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")


async def unsigned(asked: Asked) -> None:
    """A good answer that nobody signed."""
    await asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD), GOOD)


async def signed_by_another(asked: Asked) -> None:
    """A good answer under another key."""
    await asked.answer(GOOD, key=signing_key("another"))


async def bomb(asked: Asked) -> None:
    """A megabyte that inflates to a gigabyte, signed as if it were short."""
    packer = zlib.compressobj(9)
    # After a full flush a block stands for itself: it is packed once and sent a thousand times.
    start, block = (packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    sent = start + block * 1023
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n" % len(sent)
    await asked.send(head, b"Passport-Signature: ", asked.signed(b""), b"\r\n\r\n", sent)


def answering(body: bytes, *, deflated: bool = False) -> Script:
    """Answer everything with that, signed well."""

    async def script(asked: Asked) -> None:
        await asked.answer(body, deflated=deflated)

    return script


def answering_each(**bodies: bytes) -> Script:
    """Answer each question with what belongs to its name, signed well; others as good heads."""

    async def script(asked: Asked) -> None:
        await asked.answer(bodies.get(asked.name, GOOD))

    return script


async def ever_new(asked: Asked) -> None:
    """News, of another epoch each time."""
    await asked.answer(Heads(os.urandom(16), 1).to_bytes())


async def keep_this(asked: Asked) -> None:
    """Something to keep and to show again."""
    await asked.send(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")


def replaying() -> Script:
    """Answer every request with the signature of the first."""
    first: list[bytes] = []

    async def script(asked: Asked) -> None:
        first.append(asked.signed(GOOD))
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nPassport-Signature: " % len(GOOD)
        await asked.send(head, first[0], b"\r\n\r\n", GOOD)

    return script
