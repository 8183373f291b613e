"""One passport of 100 fragments under a profile, out of a store of 10,000 publications, and its check with no node.

Times are those of one file: of an export the median of 20, of a check the mean of 20, of a program the median of 5
processes. Against, an export: the same entries read with `sqlite3`, packed and signed once, under no right, proven by
nothing and folded by nobody. Against, a check: 100 JWS of as many bytes (EdDSA) verified with `cryptography`, which are
100 signatures of a known key and nothing else; of the program, a Python that verifies one. The processor's time is
measured beside the clock's, which tells less where others use the machine.
"""

import asyncio
import base64
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgpack
import nacl.signing
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.__main__ import Measure
from benchmarks.data import ALONE, CONFIG, DATA, is_made, keep
from federation.authority import Attestation, Attested
from node.api_client import ApiClient
from node.app import Node
from node.clock import SystemClock, SystemRandom
from node.demo.processes import NodeProcess
from node.exchange import verify_passport
from node.folder import NodeFolder
from node.passport import drafts
from node.passport.bodies import CatalogReference, EventBody, Place, Plate, Reference
from node.passport.claims import approval_claim
from node.passport.drafts import Draft
from node.passport.ids import SubjectId, format_device_id
from node.services.found import found_node

FRAGMENTS, PUBLICATIONS, TIMES, PROCESSES = 100, 10_000, 20, 5
PROFILE, BEGIN_US = "utility", 1_700_000_000_000_000
CLAIM = approval_claim("51794-12", "00000001")
SUBJECT = CLAIM.subject.raw
FOLDER = DATA / "passport-file"
PROGRAM = str(Path(verify_passport.__file__))
ONE = """
import sys; from nacl.signing import VerifyKey
raw = open(sys.argv[1], "rb").read(); VerifyKey(raw[:32]).verify(raw[96:], raw[32:96])
"""


@cache
def _node_folder() -> Path:
    """A node with the device and the publications; it is made once."""
    mark = FOLDER.with_suffix(".made")
    if not is_made(mark):
        shutil.rmtree(FOLDER, ignore_errors=True)
        DATA.mkdir(parents=True, exist_ok=True)
        asyncio.run(_make())
        keep(mark, {})
    return FOLDER


async def _make() -> None:
    await found_node(NodeFolder(FOLDER), CONFIG, SystemClock(), SystemRandom())
    # Started once, so that its store is of this version and its card is published.
    process = NodeProcess("bench", FOLDER, environment=ALONE)
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.stop)
    node = Node(FOLDER, SystemClock(), SystemRandom())
    await node.ledger.open()
    await node.projection.open()
    writer = asyncio.create_task(node.ledger.run())
    federation = await node.membership.attesting.found("Bench", "bench")
    await node.ledger.append(_life())
    await node.ledger.append([_publication(node.core.org, federation.id, n) for n in range(PUBLICATIONS)])
    await node.ledger.publish()
    writer.cancel()
    node.projection.close()
    await node.core.database.close()


def _life() -> list[Draft]:
    plate = Plate(mark="КАРАТ", designation="ВЛФ-15", serial="00000001", year="2023", approvals=("51794-12",))
    first = drafts.identity(SUBJECT, CLAIM.encode(), plate, BEGIN_US)
    where = Place(place=Reference(local="цех"))
    told = [
        EventBody(what=Reference(central="repaired"), where=where, system="1С", external=str(n), detail={"акт": str(n)})
        for n in range(FRAGMENTS - 1)
    ]
    return [first, *(drafts.event(SUBJECT, body, BEGIN_US + n) for n, body in enumerate(told))]


def _publication(org: bytes, federation: bytes, n: int) -> Draft:
    """Numbers of others, and own codes, in turn."""
    if n % 2:
        return drafts.reference(org, CatalogReference(catalog="events", local=f"L{n}", central="repaired"), BEGIN_US)
    other = sha256(b"%d" % n).digest()[:16]
    return drafts.attestation(Attestation(federation, Attested.NUMBER, other, (f"inn:{n:010}",)), BEGIN_US)


@cache
def _exports() -> tuple[list[tuple[float, float]], bytes]:
    """Milliseconds of exports as a function, by the clock and of the processor, and the file."""
    return asyncio.run(_export(_node_folder()))


async def _export(folder: Path) -> tuple[list[tuple[float, float]], bytes]:
    node = Node(folder, SystemClock(), SystemRandom())
    await node.projection.open()
    held, content = await node.profiles.get(PROFILE), b""
    taken: list[tuple[float, float]] = []
    for _ in range(TIMES * 5 + 2):
        begun, worked = time.perf_counter(), time.process_time()
        content = (await node.passport_files.write(SUBJECT, "bench", None, held)).content
        taken.append(((time.perf_counter() - begun) * 1e3, (time.process_time() - worked) * 1e3))
    node.projection.close()
    await node.core.database.close()
    return taken[2:], content


def _as_function(run: int) -> float:
    return statistics.median(ms for ms, _ in _exports()[0][run * TIMES : (run + 1) * TIMES])


def _of_the_processor(run: int) -> float:
    return statistics.median(ms for _, ms in _exports()[0][run * TIMES : (run + 1) * TIMES])


@cache
def _by_http() -> list[float]:
    node = NodeProcess("bench", _node_folder(), environment=ALONE)
    node.start()
    try:
        return asyncio.run(_download(node.folder))
    finally:
        node.stop()


async def _download(folder: Path) -> list[float]:
    taken, path = [], f"/passports/{format_device_id(SubjectId(SUBJECT))}/file"
    async with ApiClient(folder) as api:
        for _ in range(TIMES * 5 + 2):
            begun = time.perf_counter()
            await api.download(path, profile=PROFILE)
            taken.append((time.perf_counter() - begun) * 1e3)
    return taken[2:]


def _through_the_api(run: int) -> float:
    return statistics.median(_by_http()[run * TIMES : (run + 1) * TIMES])


def _plain_export(run: int) -> float:
    return _plain(run, time.perf_counter)


def _plain_of_the_processor(run: int) -> float:
    return _plain(run, time.process_time)


def _plain(run: int, clock: Callable[[], float]) -> float:
    key, connection = nacl.signing.SigningKey(bytes([run]) * 32), sqlite3.connect(_node_folder() / "passport.sqlite")
    half = int.from_bytes(SUBJECT[:8], "big", signed=True)

    def one() -> None:
        entries = connection.execute(
            "SELECT f.log_no, f.seq, f.header, f.signature FROM fragments f JOIN mentions m USING (log_no, seq)"
            " WHERE m.subject64 = ?", (half,)).fetchall()  # fmt: skip
        said = [
            [*entry, connection.execute("SELECT name, salt, data FROM sections WHERE log_no = ? AND seq = ?",
                                        entry[:2]).fetchall()] for entry in entries
        ]  # fmt: skip
        assert len(said) == FRAGMENTS
        raw = msgpack.packb(said)
        key.sign(sha256(raw).digest())

    return _mean_ms(one, clock)


def _check() -> None:
    verify_passport.signs.cache_clear()
    verify_passport.is_key.cache_clear()
    file = verify_passport.File(_exports()[1])
    assert not file.accused
    assert len(file.entries) >= FRAGMENTS


def _checked(_: int) -> float:
    return _mean_ms(_check)


def _check_of_the_processor(_: int) -> float:
    return _mean_ms(_check, time.process_time)


def _tokens(run: int) -> float:
    return _verified(run, time.perf_counter)


def _tokens_of_the_processor(run: int) -> float:
    return _verified(run, time.process_time)


def _verified(run: int, clock: Callable[[], float]) -> float:
    key = Ed25519PrivateKey.from_private_bytes(bytes([run]) * 32)
    size = len(_exports()[1]) // FRAGMENTS
    tokens = []
    for n in range(FRAGMENTS):
        body = _base64(b'{"alg":"EdDSA"}') + b"." + _base64(json.dumps({"n": n, "said": "x" * (size // 2)}).encode())
        tokens.append(body + b"." + _base64(key.sign(body)))
    public = key.public_key()

    def one() -> None:
        for token in tokens:
            head, body, signature = token.split(b".")
            public.verify(base64.urlsafe_b64decode(signature + b"=="), head + b"." + body)
            assert json.loads(base64.urlsafe_b64decode(body + b"=="))

    return _mean_ms(one, clock)


def _program(_: int) -> float:
    return _process_ms([PROGRAM], _exports()[1], {0, 3})


def _plain_program(run: int) -> float:
    key, content = nacl.signing.SigningKey(bytes([run]) * 32), _exports()[1]
    return _process_ms(["-c", ONE], bytes(key.verify_key) + key.sign(content).signature + content, {0})


def _process_ms(arguments: list[str], content: bytes, codes: set[int]) -> float:
    taken = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        for _ in range(PROCESSES):
            begun = time.perf_counter()
            done = subprocess.run([sys.executable, "-I", *arguments, file.name], capture_output=True, check=False)
            taken.append((time.perf_counter() - begun) * 1e3)
            assert done.returncode in codes, done.stderr
    return statistics.median(taken)


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _mean_ms(one: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> float:
    one()
    begun = clock()
    for _ in range(TIMES):
        one()
    return (clock() - begun) / TIMES * 1e3


MEASURES = [
    Measure("export, as a function", "ms", "read by sqlite3, packed, signed", _as_function, _plain_export),
    Measure("export, processor", "ms", "the same, processor", _of_the_processor, _plain_of_the_processor),
    Measure("export, GET …/file of a node", "ms", "read by sqlite3, packed, signed", _through_the_api, _plain_export),
    Measure("check, as a function", "ms", "100 JWS by cryptography", _checked, _tokens),
    Measure("check, processor", "ms", "100 JWS, processor", _check_of_the_processor, _tokens_of_the_processor),
    Measure("check, the program as a process", "ms", "a Python that verifies one signature", _program, _plain_program),
]
