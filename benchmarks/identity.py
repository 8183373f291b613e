"""`make identity`: how well plates that several readers wrote down find their devices.

Reads `PASSPORT_DEMO/identity` (lines.json, plates.csv.gz), else a corpus of its own, prints the figures and writes
build/identity.json:

- precision: of the pairs of plates that were joined, how many are of one device;
- recall: of the pairs of plates of one device, how many were joined;
- suggestions: of the plates that stand apart from the rest of their device, for how many it is among the first three;
- twins_merged: pairs of plates of two devices with one and the same plate that were joined.
"""

import collections
import csv
import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.identity_corpus import make_corpus
from node.passport.lines import LineKey, Lines, SerialLine
from node.passport.plate import fill_plate
from node.passport.suggestions import KnownDevice, Sighting, bare_serial, serials_near, suggest
from node.passport.twins import hold_apart

ROOT = Path(__file__).parent.parent
DEMO = ROOT.parent / "shared" / "demo"
OUT = ROOT / "build" / "identity.json"
SEED = 20_260

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """A plate as one reader wrote it, and the device that it is of."""

    number: int
    truth: str
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a corpus; shares from 0 to 1."""

    plates: int
    devices: int
    precision: float
    recall: float
    suggestions: float
    twins_merged: int
    wrong_pairs: int
    apart: int
    suggested: int


def main() -> int:
    """Measure, print, write."""
    lines, rows, source = load(Path(os.environ.get("PASSPORT_DEMO", DEMO)) / "identity")
    figures = measure(lines, rows)
    table = Table(title=f"identity: {source}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    shown = {name: getattr(figures, name) for name in Figures.__slots__}
    for name, value in shown.items():
        table.add_row(name, f"{value:.5f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(shown, indent=1) + "\n")
    return 0


def load(folder: Path) -> tuple[Lines, list[Row], str]:
    """The corpus of a folder, or one of our own where the folder has none; with what to call it."""
    if (folder / "plates.csv.gz").is_file():
        records = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
        with gzip.open(folder / "plates.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return read_lines(records), read_rows(csv.DictReader(file)), "the corpus of PASSPORT_DEMO"
    records, plates = make_corpus(SEED)
    return read_lines(records), read_rows(plates), "own corpus"


def read_lines(records: Iterable[Record]) -> Lines:
    """Lines as the node knows them; a corpus names them by texts of its own."""
    publisher = bytes(16).hex()
    ids = (hashlib.sha256(str(record["line"]).encode()).digest()[:16].hex() for record in records)
    return Lines(
        SerialLine.from_bytes(json.dumps({**record, "line": line, "publisher": publisher}).encode())
        for record, line in zip(records, ids, strict=False)
    )


def read_rows(plates: Iterable[dict[str, str]]) -> list[Row]:
    """Plates as they are filled in: without label words; the legal maker where no mark was read."""
    return [
        Row(
            number,
            plate["truth"],
            Sighting(
                fill_plate(
                    plate["designation"],
                    plate["serial"],
                    mark=plate["mark"] or plate["maker"],
                    year=plate["year"],
                    approval=plate["approval"],
                ),
                plate["place"],
            ),
        )
        for number, plate in enumerate(plates)
    ]


def join(lines: Lines, rows: Sequence[Row]) -> list[list[Row]]:
    """The devices that plates make as one node takes them in: by claim, held apart where places contradict each other.

    Equal plates that two nodes wrote apart are one passport, which asks whether they are two devices.
    """
    claimed: dict[bytes, list[tuple[str, Row]]] = {}
    for row in rows:
        claim = lines.claim_for(row.sighting.plate, log=bytes(16), randomness=row.number.to_bytes(16))
        claimed.setdefault(claim.subject.raw, []).append((row.sighting.place, row))
    return [group for _, members in sorted(claimed.items()) for group in hold_apart(members)]


def measure(lines: Lines, rows: Sequence[Row]) -> Figures:
    """The figures of a corpus."""
    groups = join(lines, rows)
    devices = collections.Counter(row.truth for row in rows)
    counts = [collections.Counter(row.truth for row in group) for group in groups]
    joined = sum(_pairs(len(group)) for group in groups)
    right = sum(_pairs(n) for count in counts for n in count.values())
    apart, suggested = _suggested(lines, groups)
    return Figures(
        plates=len(rows),
        devices=len(devices),
        precision=right / joined if joined else 1.0,
        recall=right / sum(map(_pairs, devices.values())),
        suggestions=suggested / apart if apart else 1.0,
        twins_merged=sum(_merged_twins(lines, group) for group in groups),
        wrong_pairs=joined - right,
        apart=apart,
        suggested=suggested,
    )


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def _merged_twins(lines: Lines, group: Sequence[Row]) -> int:
    """Pairs of one group that are of two devices and bear one plate by the rules of their line."""
    keys = [(row.truth, _identity(lines, row)) for row in group]
    return sum(one[0] != two[0] and one[1] == two[1] for at, one in enumerate(keys) for two in keys[at + 1 :])


def _identity(lines: Lines, row: Row) -> object:
    key = lines.key(row.sighting.plate)
    return key if isinstance(key, LineKey) else bare_serial(row.sighting.plate.serial)


def _suggested(lines: Lines, groups: Sequence[Sequence[Row]]) -> tuple[int, int]:
    """How many plates stand apart from the largest group of their device, and for how many that one is suggested."""
    home: dict[str, int] = {}
    for number, group in enumerate(groups):
        for truth in {row.truth for row in group}:
            if truth not in home or len(group) > len(groups[home[truth]]):
                home[truth] = number
    index: dict[str, set[int]] = {}
    for number, group in enumerate(groups):
        for row in group:
            index.setdefault(bare_serial(row.sighting.plate.serial), set()).add(number)
    known = [KnownDevice(n.to_bytes(16), tuple(row.sighting for row in group)) for n, group in enumerate(groups)]
    apart = suggested = 0
    for number, group in enumerate(groups):
        for row in group:
            if home[row.truth] == number:
                continue
            near = serials_near(row.sighting.plate.serial)
            found = {n for serial in near for n in index.get(serial, ())} - {number}
            wanted = known[home[row.truth]].subject
            apart += 1
            suggested += wanted in [s.subject for s in suggest(row.sighting, (known[n] for n in found), lines)]
    return apart, suggested


if __name__ == "__main__":
    sys.exit(main())
