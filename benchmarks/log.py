"""The own log and what comes from peers: durable signed append, and verified ingest of a mirrored log.

Against: the same signatures made or checked with pynacl alone, one after another, nothing stored.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.__main__ import Measure
from federation.checkpoint import Checkpoint, sign_checkpoint
from federation.fragment import Fragment, NewSection, sign_fragment
from federation.keys import BoxKey, SigningKey, verify_hash
from federation.log import LogStatement, sign_log_statement
from federation.merkle import CompactRange
from federation.statements import NodeBody, genesis, sign_root_statement
from federation.sync.messages import Part
from federation.sync.mirror import Mirror, Verified
from node.clock import SystemClock, SystemRandom
from node.config import load_settings
from node.folder import NodeFolder
from node.keystore import open_keystore
from node.passport import drafts
from node.passport.bodies import ParameterRow, ParametersBody, Reference
from node.passport.drafts import Draft
from node.services.bus import EventBus
from node.services.core import Core
from node.services.counting import Counting, Move
from node.services.found import found_node
from node.services.ingest import Ingest, Mirrored
from node.services.ledger import Ledger
from node.store.database import Database, WriteTx

ENTRIES = 5_000
BATCH = 500
SECTION = 300


async def _no_recount(_tx: WriteTx, _moves: Sequence[Move]) -> None:
    """Nothing is folded here."""


async def _no_projection(_tx: WriteTx, _taken: object) -> None:
    """The log alone is measured here."""


async def _core(folder: Path) -> Core:
    clock, randomness = SystemClock(), SystemRandom()
    node = NodeFolder(folder)
    await found_node(node, '[node]\nname = "bench"\n', clock, randomness)
    keystore = open_keystore(node, randomness)
    return Core(load_settings(folder), node, clock, randomness, keystore, Database(node.url(), clock), EventBus())


def _drafts(run: int) -> list[Draft]:
    source = random.Random(run)
    value = "".join(source.choices("abcdef0123456789", k=SECTION))
    body = ParametersBody(rows=(ParameterRow(code=Reference(central="volume"), value=value),))
    return [drafts.parameters(source.randbytes(16), body, 1) for _ in range(ENTRIES)]


def append(run: int) -> float:
    """Entries a second, signed, in the tree and on disk (synchronous=FULL), in batches of 500."""

    async def measure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            core = await _core(Path(folder) / "node")
            ledger = Ledger(core, _no_projection)
            await ledger.open()
            said = _drafts(run)
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(ledger.run())
                begun = time.perf_counter()
                for at in range(0, ENTRIES, BATCH):
                    await ledger.append(said[at : at + BATCH])
                seconds = time.perf_counter() - begun
                writer.cancel()
            await core.database.close()
            return ENTRIES / seconds

    return asyncio.run(measure())


def sign_alone(run: int) -> float:
    """Signatures a second."""
    key = SigningKey.from_seed(random.Random(run).randbytes(32))
    begun = time.perf_counter()
    for number in range(ENTRIES):
        key.sign_hash("fragment", number.to_bytes(32, "big"))
    return ENTRIES / (time.perf_counter() - begun)


def ingest(run: int) -> float:
    """Entries a second of a peer's log: proven under its checkpoint, every signature and section checked, stored."""
    source = random.Random(run)
    root, key, node = (SigningKey.from_seed(source.randbytes(32)) for _ in range(3))
    first = genesis(root, key.public)
    second = sign_root_statement(root, NodeBody(b"n" * 16, node.public), first.org_id, 1, first.hash)
    box = BoxKey.from_seed(source.randbytes(32)).public
    log = sign_log_statement(
        node, org=first.org_id, node=b"n" * 16, nonce=b"0" * 16, witness_key=key.public, box_key=box
    )
    rows = _fragments(source, node, log)
    tree = CompactRange().extend(row.leaf for row in rows)
    note = sign_checkpoint(node, Checkpoint(log.log_id, tree.size, tree.root()))

    async def measure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            core = await _core(Path(folder) / "node")
            service = Ingest(core, _no_projection, Counting(core, _no_recount))
            await service.take_chain([first, second])
            stored = await service.take_log(log)
            if stored is None:
                raise RuntimeError("the log was not taken")
            begun = time.perf_counter()
            mirror = Mirror(log.log_id, node.public, CompactRange(), Checkpoint(log.log_id, tree.size, tree.root()))
            step = mirror.receive(Part(log.log_id, 0, tuple(rows)))
            if not isinstance(step, Verified):
                raise RuntimeError("the rows are not under the root")
            await service.take_parts([Mirrored(stored, step, note)])
            seconds = time.perf_counter() - begun
            await core.database.close()
            return ENTRIES / seconds

    return asyncio.run(measure())


def verify_alone(run: int) -> float:
    """Signature checks a second."""
    key = SigningKey.from_seed(random.Random(run).randbytes(32))
    signed = [
        (number.to_bytes(32, "big"), key.sign_hash("fragment", number.to_bytes(32, "big"))) for number in range(ENTRIES)
    ]
    begun = time.perf_counter()
    if not all(verify_hash(key.public, signature, "fragment", digest) for digest, signature in signed):
        raise RuntimeError("a signature does not hold")
    return ENTRIES / (time.perf_counter() - begun)


def _fragments(source: random.Random, key: SigningKey, log: LogStatement) -> list[Fragment]:
    return [
        sign_fragment(
            key,
            log=log.log_id,
            seq=seq,
            stamp=seq + 1,
            kind=5,
            subjects=[source.randbytes(16)],
            occurred=1,
            sections=[NewSection("parameters", source.randbytes(SECTION), 2, source.randbytes(16))],
        )[0]
        for seq in range(ENTRIES)
    ]


MEASURES = [
    Measure("append", "entries/s", "pynacl signing alone", append, sign_alone),
    Measure("verified ingest", "entries/s", "pynacl verifying alone", ingest, verify_alone),
]
