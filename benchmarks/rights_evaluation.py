"""What of a processor it takes to decide what an organisation may see of fragments, as a node does before any leaves.

Forty devices of 25 fragments at once, of which four organisations may read each; the rights come out of the store.
Against: reading the headers of the same fragments, nothing decided.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.__main__ import RUNS, Part
from benchmarks.passports_data import READERS, SIGNED, passports_node, subject_no
from federation.fragment import decode_header
from node.clock import SystemClock
from node.folder import NodeFolder
from node.services.disclosure import Disclosure
from node.store.database import Database, ReadTx
from node.store.fragments import StoredFragment, entries_about

AT_ONCE, PROMISED_US = 40, 50


def measure() -> Part:
    """Microseconds a fragment, of a reader and of a stranger."""
    ours, stranger, peer, fragments = asyncio.run(_measure(passports_node(SIGNED)))
    rows: list[tuple[str, ...]] = [
        (what, f"{us:.1f}", f"{us / peer:.1f}", f"≤ {PROMISED_US}")
        for what, us in (("who may read them", ours), ("who may not", stranger))
    ]
    heading = ("fragments asked for by one", "µs a fragment", "of reading the headers", "promised")
    figures: dict[str, object] = {
        "reader_us": ours,
        "stranger_us": stranger,
        "headers_us": peer,
        "fragments": fragments,
    }
    return Part(f"rights over {fragments:,} fragments at once", heading, rows, figures)


async def _measure(folder: Path) -> tuple[float, float, float, int]:
    database = Database(NodeFolder(folder).url(), SystemClock())
    taken: dict[str, list[float]] = {"reader": [], "stranger": [], "headers": []}
    for run in range(-1, RUNS):  # the first one opens the connection
        begin = (run + 1) * AT_ONCE
        async with database.read() as tx:
            found = await entries_about(tx, [subject_no(n) for n in range(begin, begin + AT_ONCE)])
            reader = await _decide_us(tx, READERS[0], found, seen=len(found))
            stranger = await _decide_us(tx, bytes(16), found, seen=0)
        if run >= 0:
            taken["reader"].append(reader)
            taken["stranger"].append(stranger)
            taken["headers"].append(_headers_us(found))
    await database.close()
    medians = [statistics.median(taken[what]) for what in taken]
    return medians[0], medians[1], medians[2], len(found)


async def _decide_us(tx: ReadTx, org: bytes, found: Sequence[StoredFragment], seen: int) -> float:
    """Microseconds a fragment; raise RuntimeError where another number of them is shown."""
    begun = time.process_time()
    view = await Disclosure().view(tx, org, found)
    shown = 0
    for fragment in found:
        header = decode_header(fragment.header, fragment.log, fragment.seq)
        shown += view.may_read(header) and all(view.may_open(header, part.klass) for part in header.sections)
    taken = (time.process_time() - begun) / len(found) * 1e6
    if shown != seen:
        raise RuntimeError(f"{shown} of {len(found)} fragments are shown, not {seen}")
    return taken


def _headers_us(found: Sequence[StoredFragment]) -> float:
    begun = time.process_time()
    for fragment in found:
        decode_header(fragment.header, fragment.log, fragment.seq)
    return (time.process_time() - begun) / len(found) * 1e6
